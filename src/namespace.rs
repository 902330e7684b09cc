//! Namespace: named attributes with types, as Python's `manager.Namespace()`, in shared memory.
//!
//! At most `capacity` attributes, with names of up to `max_name` bytes; in the order in which they came. What an
//! operation does, it does whole or not at all, whenever it is killed; readers wait for nobody. The bytes lie in
//! a [`crate::shadow`].
//!
//! # Memory
//! Magic `RLTN`, params `capacity, max_name, max_bytes`. A copy is that of a [`crate::dict`] whose keys are the names, and
//! whose values have up to 4 + max(8, max_bytes) bytes:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `type`, see [`Type`] |
//! | 4 | 8 | i64, u64, f64 (its bits); bool: 1 byte, 0 or 1; else the bytes |
//!
//! # Invariants, ordering, crash
//! As `dict`'s. Besides: a type that nobody knows, a number of another size, a bool of 2 or a string that is no
//! UTF-8 is a peer's: `BadRegion`.
//!
//! # Limits
//! Those of `dict`. No nested objects: names of other objects in the region can be attributes.
//!
//! # Checked by
//! `tests/namespace.rs`, `tests/prop_state.rs`, `tests/sweep_state.rs`, `tests/hostile.rs`.

use crate::{
    dict::{self, Table},
    error::{Error, Result},
    layout::Layout,
    shadow::{self, PARAMS, Shadow},
    sys::Platform,
};
use core::ptr::NonNull;

const MAGIC: u32 = u32::from_le_bytes(*b"RLTN");
/// Bytes of the type.
const HEAD: usize = 4;
/// Bytes of the longest number.
const NUMBER: u32 = 8;

/// What a namespace is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct NamespaceConfig {
    /// Attributes at most, 1 and more.
    pub capacity: u32,
    /// The longest name in bytes, 1 and more.
    pub max_name: u32,
    /// The longest string or byte string in bytes; numbers fit in any case.
    pub max_bytes: u32,
}

impl NamespaceConfig {
    /// For `capacity` attributes with names of up to `max_name` bytes and strings of up to `max_bytes`.
    pub const fn new(capacity: u32, max_name: u32, max_bytes: u32) -> Self {
        NamespaceConfig { capacity, max_name, max_bytes }
    }

    fn table(&self) -> Option<(Table, u64)> {
        Table::new(self.capacity, self.max_name, self.max_bytes.max(NUMBER).checked_add(HEAD as u32)?)
    }

    /// Bytes and alignment of such a namespace. Errors: `Invalid` (a 0, or a copy of more than 2^30 bytes).
    pub fn layout(&self) -> Result<Layout> {
        shadow::layout(self.table().ok_or(Error::Invalid)?.1)
    }
}

/// What an attribute is; the values are those in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Type {
    /// i64.
    I64 = 1,
    /// u64.
    U64 = 2,
    /// f64.
    F64 = 3,
    /// bool.
    Bool = 4,
    /// Bytes.
    Bytes = 5,
    /// UTF-8.
    Str = 6,
}

impl Type {
    fn of(code: u32) -> Result<Type> {
        let all = [Type::I64, Type::U64, Type::F64, Type::Bool, Type::Bytes, Type::Str];
        all.into_iter().find(|it| *it as u32 == code).ok_or(Error::BadRegion)
    }
}

/// An attribute's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attribute<'a> {
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A float; its bits are kept.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A string.
    Str(&'a str),
}

impl Attribute<'_> {
    /// Which it is.
    pub fn type_of(&self) -> Type {
        match self {
            Attribute::I64(_) => Type::I64,
            Attribute::U64(_) => Type::U64,
            Attribute::F64(_) => Type::F64,
            Attribute::Bool(_) => Type::Bool,
            Attribute::Bytes(_) => Type::Bytes,
            Attribute::Str(_) => Type::Str,
        }
    }
}

macro_rules! attributes {
    ($($from:ty => $of:ident,)*) => {
        $(impl<'a> From<$from> for Attribute<'a> {
            fn from(value: $from) -> Self {
                Attribute::$of(value)
            }
        })*
    };
}
attributes! {
    i64 => I64,
    u64 => U64,
    f64 => F64,
    bool => Bool,
    &'a [u8] => Bytes,
    &'a str => Str,
}

/// A handle to a namespace. Small, copyable, usable from every thread.
///
/// Errors of all operations that change something: those of [`Namespace::lock`], `TimedOut` (see
/// [`Namespace::with_timeout`]), `BadRegion` (a peer wrote what cannot be). Of those that only read: `BadRegion`;
/// and, when writers overtake them again and again, so that they take their turn, those of `lock`. After an error
/// the namespace is as it was; what a buffer holds then, means nothing.
pub struct Namespace<'r, P: Platform> {
    shadow: Shadow<'r, P>,
    table: Table,
    max_bytes: u32,
}

impl<P: Platform> Clone for Namespace<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Namespace<'_, P> {}

impl<'r, P: Platform> Namespace<'r, P> {
    /// Formats a namespace in fresh memory.
    ///
    /// # Safety
    /// As [`Shadow::format`], for `config.layout()`.
    pub(crate) unsafe fn format(platform: P, at: NonNull<u8>, config: &NamespaceConfig) -> Result<Self> {
        let (table, bytes) = config.table().ok_or(Error::Invalid)?;
        let mut params = [0; PARAMS];
        params[..3].copy_from_slice(&[config.capacity, config.max_name, config.max_bytes]);
        // SAFETY: the caller's word.
        let shadow = unsafe { Shadow::format(platform, at, MAGIC, params, bytes, |_| Ok(()))? };
        Ok(Namespace { shadow, table, max_bytes: config.max_bytes })
    }

    /// Attaches to `size` bytes that claim to be a namespace.
    ///
    /// # Safety
    /// As [`Shadow::attach`].
    pub(crate) unsafe fn attach(platform: P, at: NonNull<u8>, size: u64) -> Result<Self> {
        // SAFETY: the caller's word.
        let (shadow, params) = unsafe { Shadow::attach(platform, at, size, MAGIC)? };
        let config = NamespaceConfig::new(params[0], params[1], params[2]);
        match config.table() {
            Some((table, bytes)) if bytes == u64::from(shadow.bytes()) => {
                Ok(Namespace { shadow, table, max_bytes: config.max_bytes })
            }
            _ => Err(Error::BadRegion),
        }
    }

    /// Makes a namespace of memory outside a region. Errors: `Invalid` (null, not 128-aligned, bad config),
    /// `NoSpace` (`config.layout()` has more than `len` bytes). If we die here, `attach_on` says `BadRegion`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the
    /// namespace's lock; nobody uses them yet.
    pub unsafe fn init_on(platform: P, ptr: *mut u8, len: usize, config: &NamespaceConfig) -> Result<Self> {
        let at = shadow::place(ptr)?;
        if config.layout()?.size > len as u64 {
            return Err(Error::NoSpace);
        }
        // SAFETY: aligned and large enough, as was just seen; else the caller's word.
        unsafe { Self::format(platform, at, config) }
    }

    /// The namespace that somebody made at `ptr`. Errors: `Invalid` (null, not 128-aligned), `BadRegion`.
    ///
    /// # Safety
    /// `len` bytes from `ptr` stay mapped and shared for 'r, and as long as a thread of ours holds the
    /// namespace's lock. What is in them does not matter.
    pub unsafe fn attach_on(platform: P, ptr: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: aligned; else the caller's word.
        unsafe { Self::attach(platform, shadow::place(ptr)?, len as u64) }
    }

    shadow::locking!();

    /// What it was made with. Never changes.
    pub fn config(&self) -> NamespaceConfig {
        NamespaceConfig::new(self.table.capacity, self.table.max_key, self.max_bytes)
    }

    /// Attributes at most. Never changes.
    pub fn capacity(&self) -> usize {
        self.table.capacity as usize
    }

    /// How many attributes there are; old as soon as it is returned, but under the lock.
    pub fn len(&self) -> Result<usize> {
        self.shadow.read(|view| Ok(self.table.len(&view)? as usize))
    }

    /// Whether `len` is 0.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Python's `ns.name = value`, whatever type the attribute had. Values are i64, u64, f64, bool, `&str`, `&[u8]`; see
    /// [`Attribute`]. Errors: `NoSpace` (for a new name), `MessageTooLarge` (name or value).
    pub fn set<'a>(&self, name: &str, value: impl Into<Attribute<'a>>) -> Result<()> {
        let value = value.into();
        let number;
        let bytes = match value {
            Attribute::I64(it) => {
                number = it.to_le_bytes();
                &number[..]
            }
            Attribute::U64(it) => {
                number = it.to_le_bytes();
                &number[..]
            }
            Attribute::F64(it) => {
                number = it.to_bits().to_le_bytes();
                &number[..]
            }
            Attribute::Bool(it) => &[[0], [1]][usize::from(it)],
            Attribute::Bytes(it) => self.fit(it)?,
            Attribute::Str(it) => self.fit(it.as_bytes())?,
        };
        let head = (value.type_of() as u32).to_le_bytes();
        self.table.check(name.as_bytes(), HEAD + bytes.len())?;
        self.shadow.update(|draft| self.table.set(draft, name.as_bytes(), &head, bytes))
    }

    fn fit<'b>(&self, bytes: &'b [u8]) -> Result<&'b [u8]> {
        if bytes.len() > self.max_bytes as usize { Err(Error::MessageTooLarge) } else { Ok(bytes) }
    }

    /// `ns.name`, of whatever type; a string lies in `buffer` then. Errors: `NotFound`, `BufferTooSmall`.
    pub fn get<'b>(&self, name: &str, buffer: &'b mut [u8]) -> Result<Attribute<'b>> {
        self.read(name, None, buffer)
    }

    /// `ns.name`, an i64. Errors: `NotFound`, `WrongKind` (an attribute of another type).
    pub fn get_i64(&self, name: &str) -> Result<i64> {
        match self.read(name, Some(Type::I64), &mut [])? {
            Attribute::I64(value) => Ok(value),
            _ => Err(Error::WrongKind),
        }
    }

    /// `ns.name`, a u64. Errors: as [`Namespace::get_i64`].
    pub fn get_u64(&self, name: &str) -> Result<u64> {
        match self.read(name, Some(Type::U64), &mut [])? {
            Attribute::U64(value) => Ok(value),
            _ => Err(Error::WrongKind),
        }
    }

    /// `ns.name`, an f64. Errors: as [`Namespace::get_i64`].
    pub fn get_f64(&self, name: &str) -> Result<f64> {
        match self.read(name, Some(Type::F64), &mut [])? {
            Attribute::F64(value) => Ok(value),
            _ => Err(Error::WrongKind),
        }
    }

    /// `ns.name`, a bool. Errors: as [`Namespace::get_i64`].
    pub fn get_bool(&self, name: &str) -> Result<bool> {
        match self.read(name, Some(Type::Bool), &mut [])? {
            Attribute::Bool(value) => Ok(value),
            _ => Err(Error::WrongKind),
        }
    }

    /// `ns.name`, bytes, in `buffer`. Errors: as [`Namespace::get_i64`], `BufferTooSmall`.
    pub fn get_bytes<'b>(&self, name: &str, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
        match self.read(name, Some(Type::Bytes), buffer)? {
            Attribute::Bytes(value) => Ok(value),
            _ => Err(Error::WrongKind),
        }
    }

    /// `ns.name`, a string, in `buffer`. Errors: as [`Namespace::get_i64`], `BufferTooSmall`.
    pub fn get_str<'b>(&self, name: &str, buffer: &'b mut [u8]) -> Result<&'b str> {
        match self.read(name, Some(Type::Str), buffer)? {
            Attribute::Str(value) => Ok(value),
            _ => Err(Error::WrongKind),
        }
    }

    /// The attribute, which is an `expected`.
    fn read<'b>(&self, name: &str, expected: Option<Type>, buffer: &'b mut [u8]) -> Result<Attribute<'b>> {
        let mut number = [0; NUMBER as usize];
        let (of, len) = self.shadow.read(|view| {
            let slot = self.table.get(&view, name.as_bytes())?;
            let (len, at) = self.table.value(&view, slot)?;
            let len = (len as usize).checked_sub(HEAD).ok_or(Error::BadRegion)?;
            let of = Type::of(view.u32(at)?)?;
            if expected.is_some_and(|expected| expected != of) {
                return Err(Error::WrongKind);
            }
            let to = match of {
                Type::Bytes | Type::Str => buffer.get_mut(..len).ok_or(Error::BufferTooSmall)?,
                Type::Bool if len == 1 => &mut number[..1],
                Type::I64 | Type::U64 | Type::F64 if len == number.len() => &mut number[..],
                _ => return Err(Error::BadRegion),
            };
            view.read(at + HEAD as u32, to)?;
            Ok((of, len))
        })?;
        Ok(match of {
            Type::I64 => Attribute::I64(i64::from_le_bytes(number)),
            Type::U64 => Attribute::U64(u64::from_le_bytes(number)),
            Type::F64 => Attribute::F64(f64::from_bits(u64::from_le_bytes(number))),
            Type::Bool if number[0] > 1 => return Err(Error::BadRegion),
            Type::Bool => Attribute::Bool(number[0] == 1),
            Type::Bytes => Attribute::Bytes(&buffer[..len]),
            Type::Str => Attribute::Str(core::str::from_utf8(&buffer[..len]).map_err(|_| Error::BadRegion)?),
        })
    }

    /// `type(ns.name)`. Errors: `NotFound`.
    pub fn type_of(&self, name: &str) -> Result<Type> {
        self.shadow.read(|view| {
            let (len, at) = self.table.value(&view, self.table.get(&view, name.as_bytes())?)?;
            if (len as usize) < HEAD { Err(Error::BadRegion) } else { Type::of(view.u32(at)?) }
        })
    }

    /// `hasattr(ns, name)`.
    pub fn contains(&self, name: &str) -> Result<bool> {
        self.shadow.read(|view| Ok(self.table.find(&view, name.as_bytes())?.is_some()))
    }

    /// `del ns.name`. Errors: `NotFound`.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.shadow.update(|draft| self.table.remove(draft, name.as_bytes()))
    }

    /// `dir(ns)`, of one moment: the names one behind the other to `buffer`, their lengths to `lens`; returns how
    /// many there are. Errors: `BufferTooSmall` (either).
    pub fn copy_names(&self, buffer: &mut [u8], lens: &mut [u32]) -> Result<usize> {
        dict::copy_keys(&self.shadow, &self.table, buffer, lens)
    }

    /// `dir(ns)`, of one moment.
    #[cfg(feature = "std")]
    pub fn names(&self) -> Result<std::vec::Vec<std::string::String>> {
        let (count, bytes) = (self.capacity(), self.capacity() * self.table.max_key as usize);
        let (mut buffer, mut lens) = (std::vec![0; bytes], std::vec![0; count]);
        let count = self.copy_names(&mut buffer, &mut lens)?;
        let mut at = 0;
        let name = |len: &u32| {
            let name = &buffer[at..at + *len as usize];
            at += name.len();
            std::string::String::from_utf8(name.to_vec()).map_err(|_| Error::BadRegion)
        };
        lens[..count].iter().map(name).collect()
    }
}
