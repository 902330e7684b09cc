//! Status codes, their texts, versions, and the clock.
//!
//! The codes are literals, because cbindgen does not evaluate; that they are [`Error::code`]'s, and the
//! texts [`Error::message`]'s, is asserted below.

use super::{check, status};
use crate::{
    error::Error,
    sys::{Os, Platform},
    time::FOREVER,
};
use core::ffi::{c_char, c_int};

/// This header's version; rialto_version() is the library's.
pub const RIALTO_VERSION_MAJOR: u32 = 0;
/// See RIALTO_VERSION_MAJOR.
pub const RIALTO_VERSION_MINOR: u32 = 1;
/// See RIALTO_VERSION_MAJOR.
pub const RIALTO_VERSION_PATCH: u32 = 0;
/// The version of all bytes in shared memory: equal for all parties of a region.
pub const RIALTO_LAYOUT_VERSION: u32 = 1;
/// A timeout in nanoseconds that never passes.
pub const RIALTO_WAIT_FOREVER: u64 = 0xffff_ffff_ffff_ffff;

/// Done.
pub const RIALTO_OK: c_int = 0;
/// The lock is held, but its last owner died: repair what it protects, then mark it consistent.
pub const RIALTO_OWNER_DIED: c_int = 1;
/// A message that somebody had in hand before you, and died or gave it back.
pub const RIALTO_REDELIVERED: c_int = 2;

/// Not yours: the lock is not held by this thread, or the membership is not; the permit, the ticket
/// or the end is not held any more; the member that you act as is gone; the process or the pool is
/// the parent's, not this process's.
pub const RIALTO_EPERM: c_int = -1;
/// No region or no object of that name; no such index, item, key or attribute;
/// no such entry, program or task; no parent.
pub const RIALTO_ENOENT: c_int = -2;
/// A call that does not wait would have had to: held, empty, full, no permit, not set, not notified,
/// unfinished.
pub const RIALTO_EAGAIN: c_int = -11;
/// The kernel would not give this process memory.
pub const RIALTO_ENOMEM: c_int = -12;
/// Still in use: the lock is held; the member has a message, a permit, a registration or an end; the
/// end has a message in hand, or room reserved; keys came or went while a dict was walked through.
/// The process, or a child of the fork server, runs; the pool is not closed.
/// Or: threads that are stopped in the middle of such a call hold us up.
pub const RIALTO_EBUSY: c_int = -16;
/// An object or region of that name, or at that place, exists already.
pub const RIALTO_EEXIST: c_int = -17;
/// NULL or misaligned pointer, view that is not alive, bad number, bad name.
pub const RIALTO_EINVAL: c_int = -22;
/// The region's table of members, or of views of it, is full.
pub const RIALTO_ENFILE: c_int = -23;
/// This thread holds 64 locks and memberships, or is a member of 16 regions; this process has no
/// descriptor left, or the fork server has 4096 children.
pub const RIALTO_EMFILE: c_int = -24;
/// No room: in the memory, the region or /dev/shm; in a list, dict or namespace; in a barrier's
/// registry.
pub const RIALTO_ENOSPC: c_int = -28;
/// Closed; from pop, peek and a pipe's recv: and drained.
pub const RIALTO_EPIPE: c_int = -32;
/// This thread holds the lock already, or is within an edit or sort of that very object, or
/// a callback of that pool.
pub const RIALTO_EDEADLK: c_int = -35;
/// The next message killed its holders as often as the queue allows (RIALTO_ON_DEATH_STOP: once);
/// take_poisoned takes it.
pub const RIALTO_EBADMSG: c_int = -74;
/// More permits than the semaphore may have, or a lock acquired too often by its owner.
pub const RIALTO_EOVERFLOW: c_int = -75;
/// That end of the queue is held by somebody who is alive; that end of the pipe was
/// claimed before.
pub const RIALTO_EUSERS: c_int = -87;
/// The message is longer than the queue's or pipe's longest, the item, key, name or value than its
/// own; or the message goes in chunks, for which this call does not wait.
pub const RIALTO_EMSGSIZE: c_int = -90;
/// This kernel or file system cannot do that; this end of a pipe only sends, or only receives; the
/// queue is not joinable; the value or element is too large for that.
pub const RIALTO_ENOTSUP: c_int = -95;
/// The other end of the pipe is closed, or its holder died; the fork server has ended.
pub const RIALTO_ECONNRESET: c_int = -104;
/// The buffer is smaller than the queue's longest message, the pipe's next, or what is to be copied
/// from a list, dict or namespace.
pub const RIALTO_ENOBUFS: c_int = -105;
/// The deadline passed. A condition's lock is held again all the same; a barrier is
/// broken by it.
pub const RIALTO_ETIMEDOUT: c_int = -110;
/// The lock was released unrepaired after an owner died; only reset helps.
pub const RIALTO_ENOTRECOVERABLE: c_int = -131;
/// Not a Rialto object, or its bytes contradict themselves.
pub const RIALTO_EBADREGION: c_int = -4096;
/// Another layout version, or features that this library does not know.
pub const RIALTO_EVERSION: c_int = -4097;
/// The object of that name is of another kind, or has other parameters; the attribute is of another
/// type; the value is no number.
pub const RIALTO_EWRONGKIND: c_int = -4098;
/// The barrier is broken: a party timed out, died, failed or aborted it. Reset makes it whole.
/// Or: no worker of the pool gets through its start.
pub const RIALTO_EBROKEN: c_int = -4099;

const ERRORS: [Error; 25] = [
    Error::NotOwner,
    Error::NotFound,
    Error::WouldBlock,
    Error::NoMemory,
    Error::Busy,
    Error::Exists,
    Error::Invalid,
    Error::TooManyMembers,
    Error::TooManyHeld,
    Error::NoSpace,
    Error::Closed,
    Error::Deadlock,
    Error::MessageTooLarge,
    Error::NotSupported,
    Error::BufferTooSmall,
    Error::TimedOut,
    Error::NotRecoverable,
    Error::BadRegion,
    Error::Version,
    Error::WrongKind,
    Error::Overflow,
    Error::Broken,
    Error::BrokenPipe,
    Error::EndTaken,
    Error::Poisoned,
];

const CODES: [c_int; ERRORS.len()] = [
    RIALTO_EPERM,
    RIALTO_ENOENT,
    RIALTO_EAGAIN,
    RIALTO_ENOMEM,
    RIALTO_EBUSY,
    RIALTO_EEXIST,
    RIALTO_EINVAL,
    RIALTO_ENFILE,
    RIALTO_EMFILE,
    RIALTO_ENOSPC,
    RIALTO_EPIPE,
    RIALTO_EDEADLK,
    RIALTO_EMSGSIZE,
    RIALTO_ENOTSUP,
    RIALTO_ENOBUFS,
    RIALTO_ETIMEDOUT,
    RIALTO_ENOTRECOVERABLE,
    RIALTO_EBADREGION,
    RIALTO_EVERSION,
    RIALTO_EWRONGKIND,
    RIALTO_EOVERFLOW,
    RIALTO_EBROKEN,
    RIALTO_ECONNRESET,
    RIALTO_EUSERS,
    RIALTO_EBADMSG,
];

/// A new variant without a line above does not compile.
const fn place(error: Error) -> usize {
    match error {
        Error::NotOwner => 0,
        Error::NotFound => 1,
        Error::WouldBlock => 2,
        Error::NoMemory => 3,
        Error::Busy => 4,
        Error::Exists => 5,
        Error::Invalid => 6,
        Error::TooManyMembers => 7,
        Error::TooManyHeld => 8,
        Error::NoSpace => 9,
        Error::Closed => 10,
        Error::Deadlock => 11,
        Error::MessageTooLarge => 12,
        Error::NotSupported => 13,
        Error::BufferTooSmall => 14,
        Error::TimedOut => 15,
        Error::NotRecoverable => 16,
        Error::BadRegion => 17,
        Error::Version => 18,
        Error::WrongKind => 19,
        Error::Overflow => 20,
        Error::Broken => 21,
        Error::BrokenPipe => 22,
        Error::EndTaken => 23,
        Error::Poisoned => 24,
        Error::Os(_) => ERRORS.len(),
    }
}

const _: () = {
    assert!(RIALTO_WAIT_FOREVER == FOREVER);
    assert!(RIALTO_LAYOUT_VERSION == crate::region::LAYOUT_VERSION);
    assert!(is(env!("CARGO_PKG_VERSION_MAJOR"), RIALTO_VERSION_MAJOR));
    assert!(is(env!("CARGO_PKG_VERSION_MINOR"), RIALTO_VERSION_MINOR));
    assert!(is(env!("CARGO_PKG_VERSION_PATCH"), RIALTO_VERSION_PATCH));
    let mut i = 0;
    while i < ERRORS.len() {
        assert!(place(ERRORS[i]) == i && ERRORS[i].code() == CODES[i]);
        i += 1;
    }
};

const fn is(text: &str, number: u32) -> bool {
    matches!(u32::from_str_radix(text, 10), Ok(parsed) if parsed == number)
}

const TEXT_BYTES: usize = 72;

/// [`Error::message`] with a zero at its end.
const fn text(error: Error) -> [u8; TEXT_BYTES] {
    let message = error.message().as_bytes();
    assert!(message.len() < TEXT_BYTES);
    let mut text = [0; TEXT_BYTES];
    let mut i = 0;
    while i < message.len() {
        text[i] = message[i];
        i += 1;
    }
    text
}

static TEXTS: [[u8; TEXT_BYTES]; ERRORS.len()] = {
    let mut texts = [[0; TEXT_BYTES]; ERRORS.len()];
    let mut i = 0;
    while i < ERRORS.len() {
        texts[i] = text(ERRORS[i]);
        i += 1;
    }
    texts
};
static OTHER: [u8; TEXT_BYTES] = text(Error::Os(0));

/// One line of English for a status; for a system's errno that has no name here, ask strerror. Cf.
/// strerror.
///
/// status      any number.
/// Returns     a string that lives as long as the library; never NULL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub extern "C" fn rialto_strerror(status: c_int) -> *const c_char {
    match status {
        RIALTO_OWNER_DIED => return c"acquired; the last owner died".as_ptr(),
        RIALTO_REDELIVERED => return c"a message whose last holder died or gave it back".as_ptr(),
        0.. => return c"done".as_ptr(),
        _ => {}
    }
    let known = CODES.iter().position(|code| *code == status);
    known.and_then(|i| TEXTS.get(i)).unwrap_or(&OTHER).as_ptr().cast()
}

/// The library's version as one number, as RIALTO_VERSION is the header's.
///
/// Returns     a number, as RIALTO_MAKE_VERSION makes it.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub extern "C" fn rialto_version() -> u32 {
    RIALTO_VERSION_MAJOR * 1_000_000 + RIALTO_VERSION_MINOR * 1_000 + RIALTO_VERSION_PATCH
}

/// The library's RIALTO_LAYOUT_VERSION.
///
/// Returns     a number, the same in all parties of a region.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub extern "C" fn rialto_layout_version() -> u32 {
    RIALTO_LAYOUT_VERSION
}

/// The clock that timeouts are measured with: monotonic nanoseconds.
///
/// now_ns      gets the time.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_now_ns(now_ns: *mut u64) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(now_ns).map(|()| unsafe { now_ns.write(Os::default().now_ns()) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    #[test]
    fn texts_are_those_of_the_errors() {
        for error in ERRORS {
            // SAFETY: a string that never dies.
            let text = unsafe { CStr::from_ptr(rialto_strerror(error.code())) };
            assert_eq!(text.to_str(), Ok(error.message()));
        }
        for odd in [c_int::MIN, -5000, -4095, -3, 3, c_int::MAX] {
            // SAFETY: as above.
            assert!(!unsafe { CStr::from_ptr(rialto_strerror(odd)) }.is_empty());
        }
    }
}
