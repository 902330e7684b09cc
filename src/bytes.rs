//! Copies between private memory and payload bytes that another party may be writing. A leaf.
//!
//! A correct peer never writes a payload that we hold, so these copies never race among Rialto's own
//! code. A hostile one may, at any moment: so every shared byte is touched exactly once, by a volatile
//! access, and what was read lives in private memory before anybody looks at it. Sixteen bytes at a
//! time where the target has such a register; that is as fast as `memcpy` up to the sizes of messages.

#[cfg(target_arch = "x86_64")]
type Wide = core::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Wide = u64;

const WIDE: usize = size_of::<Wide>();

/// Copies `to.len()` bytes out of shared memory.
///
/// # Safety
/// `from` is valid for reads of `to.len()` bytes and aligned to 16; the two do not overlap.
#[inline]
pub unsafe fn copy_out(from: *const u8, to: &mut [u8]) {
    let (len, to) = (to.len(), to.as_mut_ptr());
    let mut at = 0;
    // SAFETY: `at + size <= len` in each step, both sides are valid for `len` bytes by the caller's
    // word; `from + at` is aligned for `Wide` because `from` is and `at` is a multiple of its size.
    unsafe {
        while len - at >= WIDE {
            to.add(at).cast::<Wide>().write_unaligned(from.add(at).cast::<Wide>().read_volatile());
            at += WIDE;
        }
        if WIDE > 8 && len - at >= 8 {
            to.add(at).cast::<u64>().write_unaligned(from.add(at).cast::<u64>().read_volatile());
            at += 8;
        }
        if len - at >= 4 {
            to.add(at).cast::<u32>().write_unaligned(from.add(at).cast::<u32>().read_volatile());
            at += 4;
        }
        while at < len {
            to.add(at).write(from.add(at).read_volatile());
            at += 1;
        }
    }
}

/// Copies `from` into shared memory.
///
/// # Safety
/// `to` is valid for writes of `from.len()` bytes and aligned to 16; the two do not overlap.
#[inline]
pub unsafe fn copy_in(from: &[u8], to: *mut u8) {
    let (len, from) = (from.len(), from.as_ptr());
    let mut at = 0;
    // SAFETY: as in `copy_out`, with the sides exchanged.
    unsafe {
        while len - at >= WIDE {
            to.add(at).cast::<Wide>().write_volatile(from.add(at).cast::<Wide>().read_unaligned());
            at += WIDE;
        }
        if WIDE > 8 && len - at >= 8 {
            to.add(at).cast::<u64>().write_volatile(from.add(at).cast::<u64>().read_unaligned());
            at += 8;
        }
        if len - at >= 4 {
            to.add(at).cast::<u32>().write_volatile(from.add(at).cast::<u32>().read_unaligned());
            at += 4;
        }
        while at < len {
            to.add(at).write_volatile(from.add(at).read());
            at += 1;
        }
    }
}

/// As [`copy_out`], from any address.
///
/// # Safety
/// `from` is valid for reads of `to.len()` bytes; the two do not overlap.
#[inline]
pub unsafe fn copy_out_any(from: *const u8, to: &mut [u8]) {
    // The usual numbers, by one access.
    // SAFETY: the caller's; aligned, as is asked.
    unsafe {
        match to.len() {
            8 if from.addr() % 8 == 0 => {
                return to.copy_from_slice(&from.cast::<u64>().read_volatile().to_ne_bytes());
            }
            4 if from.addr() % 4 == 0 => {
                return to.copy_from_slice(&from.cast::<u32>().read_volatile().to_ne_bytes());
            }
            _ => {}
        }
    }
    let before = misaligned(from).min(to.len());
    let (head, rest) = to.split_at_mut(before);
    // SAFETY: the caller's; behind the head `from` is aligned to 16, or nothing is left.
    unsafe {
        for (i, byte) in head.iter_mut().enumerate() {
            *byte = from.add(i).read_volatile();
        }
        copy_out(from.add(before), rest);
    }
}

/// As [`copy_in`], to any address.
///
/// # Safety
/// `to` is valid for writes of `from.len()` bytes; the two do not overlap.
#[inline]
pub unsafe fn copy_in_any(from: &[u8], to: *mut u8) {
    // SAFETY: the caller's; aligned, as is asked.
    unsafe {
        match from.len() {
            8 if to.addr() % 8 == 0 => {
                return to.cast::<u64>().write_volatile(u64::from_ne_bytes(array(from)));
            }
            4 if to.addr() % 4 == 0 => {
                return to.cast::<u32>().write_volatile(u32::from_ne_bytes(array(from)));
            }
            _ => {}
        }
    }
    let before = misaligned(to).min(from.len());
    let (head, rest) = from.split_at(before);
    // SAFETY: as in `copy_out_any`, with the sides exchanged.
    unsafe {
        for (i, byte) in head.iter().enumerate() {
            to.add(i).write_volatile(*byte);
        }
        copy_in(rest, to.add(before));
    }
}

/// The first `N` bytes, of which there are as many.
#[inline(always)]
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    core::array::from_fn(|i| bytes[i])
}

/// Bytes before the next multiple of 16.
#[inline(always)]
fn misaligned(at: *const u8) -> usize {
    at.addr().wrapping_neg() % 16
}

/// Writes `len` zeros into shared memory.
///
/// # Safety
/// `to` is valid for writes of `len` bytes and aligned to 16.
pub unsafe fn fill_zero(to: *mut u8, len: usize) {
    const STEP: usize = 256;
    let mut at = 0;
    while at < len {
        let part = STEP.min(len - at);
        // SAFETY: `at + part <= len`, and `at` is a multiple of 256.
        unsafe { copy_in(&[0; STEP][..part], to.add(at)) };
        at += part;
    }
}

/// Copies within shared memory.
///
/// # Safety
/// `from` is valid for reads and `to` for writes of `len` bytes; both are aligned to 16; they do not overlap.
pub unsafe fn copy_shared(from: *const u8, to: *mut u8, len: usize) {
    const STEP: usize = 256;
    let mut step = [0; STEP];
    let mut at = 0;
    while at < len {
        let part = &mut step[..STEP.min(len - at)];
        // SAFETY: `at + part.len() <= len`, and `at` is a multiple of 256.
        unsafe {
            copy_out(from.add(at), part);
            copy_in(part, to.add(at));
        }
        at += part.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(16))]
    struct Aligned([u8; 80]);

    #[test]
    fn every_length_and_alignment_of_the_private_side_is_copied_whole_and_no_further() {
        for len in 0..64 {
            for skew in 0..16 {
                let mut shared = Aligned([0xee; 80]);
                let mut private = [0u8; 96];
                for (i, byte) in private[skew..skew + len].iter_mut().enumerate() {
                    *byte = i as u8 + 1;
                }
                let source = private;
                // SAFETY: `shared` has 80 bytes and is 16-aligned; len < 64.
                unsafe { copy_in(&source[skew..skew + len], shared.0.as_mut_ptr()) };
                assert_eq!(shared.0[..len], source[skew..skew + len]);
                assert!(shared.0[len..].iter().all(|b| *b == 0xee));
                let mut back = [0x77u8; 96];
                // SAFETY: as above.
                unsafe { copy_out(shared.0.as_ptr(), &mut back[skew..skew + len]) };
                assert_eq!(back[skew..skew + len], source[skew..skew + len]);
                assert!(back[..skew].iter().chain(&back[skew + len..]).all(|b| *b == 0x77));
            }
        }
    }

    #[test]
    fn any_alignment_of_the_shared_side_too() {
        for len in 0..40 {
            for skew in 0..17 {
                let source: [u8; 40] = core::array::from_fn(|i| i as u8 + 1);
                let mut shared = Aligned([0xee; 80]);
                // SAFETY: 17 + 40 bytes are there.
                unsafe { copy_in_any(&source[..len], shared.0.as_mut_ptr().add(skew)) };
                assert_eq!(shared.0[skew..skew + len], source[..len]);
                assert!(shared.0[..skew].iter().chain(&shared.0[skew + len..]).all(|b| *b == 0xee));
                let mut back = [0x77; 41];
                // SAFETY: as above.
                unsafe { copy_out_any(shared.0.as_ptr().add(skew), &mut back[..len]) };
                assert_eq!(back[..len], source[..len]);
                assert_eq!(back[len], 0x77);
                // SAFETY: aligned, and 40 bytes.
                unsafe { fill_zero(shared.0.as_mut_ptr(), len) };
                assert!(shared.0[..len].iter().all(|b| *b == 0));
            }
        }
    }
}
