//! What a value or an element of an array may be: any plain type, whose bytes are its state. A leaf.
//!
//! Bytes that come out of shared memory are an input: a `bool` that is 2 is no `bool`, and is refused.

use crate::error::{Error, Result};
use bytemuck::{CheckedBitPattern, NoUninit};
use core::{any::TypeId, mem::MaybeUninit};

/// A type without padding, of which every bit pattern is checked before it is one: integers, floats, `bool`,
/// `char`, arrays of them, and whatever derives `bytemuck::Pod` (or `NoUninit` and `CheckedBitPattern`). A
/// structure must be `repr(C)`, so that all processes agree.
pub trait Element: NoUninit + CheckedBitPattern {
    /// What stands in shared memory for the type: see [`Code`].
    const SIZE: u32 = {
        assert!(size_of::<Self>() > 0 && size_of::<Self>() <= 1 << 30);
        size_of::<Self>() as u32
    };
}

impl<T: NoUninit + CheckedBitPattern> Element for T {}

/// What an element is, in shared memory and in C's `rialto_type_t`. Sizes are told besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Code {
    /// Bytes of some structure: only the size is checked.
    Block = 0,
    /// 8 bits.
    U8 = 1,
    /// 8 bits, signed.
    I8 = 2,
    /// 16 bits.
    U16 = 3,
    /// 16 bits, signed.
    I16 = 4,
    /// 32 bits.
    U32 = 5,
    /// 32 bits, signed.
    I32 = 6,
    /// 64 bits.
    U64 = 7,
    /// 64 bits, signed.
    I64 = 8,
    /// IEEE 754, 32 bits.
    F32 = 9,
    /// IEEE 754, 64 bits.
    F64 = 10,
    /// One byte, 0 or 1.
    Bool = 11,
}

impl Code {
    /// All of them, each at its number.
    pub const ALL: [Code; 12] = [
        Code::Block,
        Code::U8,
        Code::I8,
        Code::U16,
        Code::I16,
        Code::U32,
        Code::I32,
        Code::U64,
        Code::I64,
        Code::F32,
        Code::F64,
        Code::Bool,
    ];

    /// Of its number.
    pub fn from_u32(number: u32) -> Option<Code> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Of a type.
    pub fn of<T: 'static>() -> Code {
        let types = [
            (TypeId::of::<u8>(), Code::U8),
            (TypeId::of::<i8>(), Code::I8),
            (TypeId::of::<u16>(), Code::U16),
            (TypeId::of::<i16>(), Code::I16),
            (TypeId::of::<u32>(), Code::U32),
            (TypeId::of::<i32>(), Code::I32),
            (TypeId::of::<u64>(), Code::U64),
            (TypeId::of::<i64>(), Code::I64),
            (TypeId::of::<f32>(), Code::F32),
            (TypeId::of::<f64>(), Code::F64),
            (TypeId::of::<bool>(), Code::Bool),
        ];
        let found = types.iter().find(|(id, _)| *id == TypeId::of::<T>());
        found.map_or(Code::Block, |(_, code)| *code)
    }

    /// Bytes of one; None: any.
    pub fn size(self) -> Option<u32> {
        match self {
            Code::Block => None,
            Code::U8 | Code::I8 | Code::Bool => Some(1),
            Code::U16 | Code::I16 => Some(2),
            Code::U32 | Code::I32 | Code::F32 => Some(4),
            Code::U64 | Code::I64 | Code::F64 => Some(8),
        }
    }

    /// Its name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Code::Block => "block",
            Code::U8 => "u8",
            Code::I8 => "i8",
            Code::U16 => "u16",
            Code::I16 => "i16",
            Code::U32 => "u32",
            Code::I32 => "i32",
            Code::U64 => "u64",
            Code::I64 => "i64",
            Code::F32 => "f32",
            Code::F64 => "f64",
            Code::Bool => "bool",
        }
    }
}

/// The value whose bytes `fill` writes. Errors: `fill`'s; `BadRegion` if they are none of the type.
#[inline(always)]
pub(crate) fn read_with<T: Element>(fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<T> {
    let mut bits = MaybeUninit::<T::Bits>::zeroed();
    // SAFETY: as many bytes as it has, all of them written (zeroed); `u8` has no alignment.
    fill(unsafe { core::slice::from_raw_parts_mut(bits.as_mut_ptr().cast(), size_of::<T::Bits>()) })?;
    // SAFETY: `Bits: AnyBitPattern`.
    let bits = unsafe { bits.assume_init() };
    if !T::is_valid_bit_pattern(&bits) {
        return Err(Error::BadRegion);
    }
    const { assert!(size_of::<T::Bits>() == size_of::<T>()) };
    // SAFETY: equal sizes (`CheckedBitPattern` says so too), and the pattern was seen to be valid.
    Ok(unsafe { core::mem::transmute_copy(&bits) })
}

/// As [`read_with`], many at once: `fill(i, bytes)` writes those of the elements from `i` on. What `to` holds
/// after an error is unspecified.
#[inline]
pub(crate) fn read_all<T: Element>(
    to: &mut [T],
    mut fill: impl FnMut(usize, &mut [u8]) -> Result<()>,
) -> Result<()> {
    if TypeId::of::<T>() == TypeId::of::<T::Bits>() {
        // SAFETY: every bit pattern is a `T` (`T` is its own `Bits`, which are `AnyBitPattern`), and it has no
        // padding (`NoUninit`).
        let bytes = unsafe { core::slice::from_raw_parts_mut(to.as_mut_ptr().cast(), size_of_val(to)) };
        return fill(0, bytes);
    }
    for (i, place) in to.iter_mut().enumerate() {
        *place = read_with(|bytes| fill(i, bytes))?;
    }
    Ok(())
}

/// Where `count` elements from `index` on begin. `NotFound` if there are not as many.
pub(crate) fn offset(size: u32, len: u32, index: u32, count: usize) -> Result<u32> {
    let end = u64::from(index) + count as u64;
    if end > u64::from(len) { Err(Error::NotFound) } else { Ok(index * size) }
}

/// A number that can be added to.
pub trait Number: Element {
    /// The sum; of integers, modulo 2^bits.
    fn plus(self, other: Self) -> Self;
}

macro_rules! numbers {
    ($($int:ty)*) => { $(
        impl Number for $int {
            fn plus(self, other: Self) -> Self { self.wrapping_add(other) }
        }
    )* };
}
numbers!(u8 i8 u16 i16 u32 i32 u64 i64);

impl Number for f32 {
    fn plus(self, other: Self) -> Self {
        self + other
    }
}
impl Number for f64 {
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

#[cfg(feature = "capi")]
/// Adds `more` to `sum`, numbers of that type. Errors: `WrongKind` (no number), `Invalid` (not as many bytes).
pub(crate) fn plus(code: Code, sum: &mut [u8], more: &[u8]) -> Result<()> {
    fn add<T: Number + bytemuck::AnyBitPattern>(sum: &mut [u8], more: &[u8]) -> Result<()> {
        let read = |bytes: &[u8]| bytemuck::try_pod_read_unaligned::<T>(bytes).map_err(|_| Error::Invalid);
        let result = read(sum)?.plus(read(more)?);
        sum.copy_from_slice(bytemuck::bytes_of(&result));
        Ok(())
    }
    match code {
        Code::Block | Code::Bool => Err(Error::WrongKind),
        Code::U8 => add::<u8>(sum, more),
        Code::I8 => add::<i8>(sum, more),
        Code::U16 => add::<u16>(sum, more),
        Code::I16 => add::<i16>(sum, more),
        Code::U32 => add::<u32>(sum, more),
        Code::I32 => add::<i32>(sum, more),
        Code::U64 => add::<u64>(sum, more),
        Code::I64 => add::<i64>(sum, more),
        Code::F32 => add::<f32>(sum, more),
        Code::F64 => add::<f64>(sum, more),
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type of 1, 2, 4 or 8 bytes that one instruction reads or writes: for raw values.
pub trait Word: Element + sealed::Sealed {
    /// Its bytes, then zeros.
    fn to_word(self) -> u64;
    /// Of its bytes; those behind are ignored. Errors: `BadRegion` (2 is no `bool`).
    fn from_word(word: u64) -> Result<Self>;
}

macro_rules! words {
    ($($int:ty)*) => { $(
        impl sealed::Sealed for $int {}
        impl Word for $int {
            #[inline(always)]
            fn to_word(self) -> u64 {
                let mut bytes = [0; 8];
                bytes[..size_of::<$int>()].copy_from_slice(bytemuck::bytes_of(&self));
                u64::from_le_bytes(bytes)
            }
            #[inline(always)]
            fn from_word(word: u64) -> Result<Self> {
                read_with(|bytes| {
                    bytes.copy_from_slice(&word.to_le_bytes()[..size_of::<$int>()]);
                    Ok(())
                })
            }
        }
    )* };
}
words!(u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_their_numbers_and_know_their_sizes() {
        for (i, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(Code::from_u32(i as u32), Some(code));
            assert_eq!(code as u32 as usize, i);
        }
        assert_eq!(Code::from_u32(12), None);
        assert_eq!((Code::of::<f64>(), Code::of::<f64>().size()), (Code::F64, Some(8)));
        assert_eq!(Code::of::<[u32; 3]>(), Code::Block);
        assert_eq!(Code::of::<bool>().name(), "bool");
    }

    #[test]
    fn a_bool_of_two_is_refused() {
        assert_eq!(
            read_with::<bool>(|bytes| {
                bytes[0] = 1;
                Ok(())
            }),
            Ok(true)
        );
        assert_eq!(
            read_with::<bool>(|bytes| {
                bytes[0] = 2;
                Ok(())
            }),
            Err(Error::BadRegion)
        );
        let mut all = [true; 3];
        let from = [0, 1, 2];
        assert_eq!(
            read_all(&mut all[..2], |i, to| {
                to[0] = from[i];
                Ok(())
            }),
            Ok(())
        );
        assert_eq!(all[..2], [false, true]);
        assert!(
            read_all(&mut all, |i, to| {
                to[0] = from[i];
                Ok(())
            })
            .is_err()
        );
        assert_eq!(bool::from_word(3), Err(Error::BadRegion));
        assert_eq!(i16::from_word((-2i16).to_word()), Ok(-2));
        assert_eq!((-2i16).to_word(), 0xfffe);
        assert_eq!(f64::from_word(1.5f64.to_word()), Ok(1.5));
    }
}
