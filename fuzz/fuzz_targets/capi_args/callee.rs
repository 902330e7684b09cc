//! C functions of any signature as one type: called with words, of which each argument takes one.

use super::{kind::Kind, machine::Machine};
use rialto::capi::*;
use std::ffi::{c_int, c_void};

/// A type of argument.
pub trait Arg {
    /// Size and alignment of what a pointer points to.
    const POINTEE: (usize, usize) = (0, 0);
    fn of(word: u64) -> Self;
}

impl<T> Arg for *const T {
    const POINTEE: (usize, usize) = (size_of::<T>(), align_of::<T>());
    fn of(word: u64) -> Self {
        std::ptr::with_exposed_provenance(word as usize)
    }
}
impl<T> Arg for *mut T {
    const POINTEE: (usize, usize) = (size_of::<T>(), align_of::<T>());
    fn of(word: u64) -> Self {
        std::ptr::with_exposed_provenance_mut(word as usize)
    }
}
macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Arg for $number {
            fn of(word: u64) -> Self {
                word as $number
            }
        }
    )* };
}
numbers!(u32 u64 usize i32 i64);
impl Arg for bool {
    fn of(word: u64) -> Self {
        word & 1 != 0
    }
}
impl Arg for f64 {
    fn of(word: u64) -> Self {
        f64::from_bits(word)
    }
}

macro_rules! callbacks {
    ($($function:ident($($arg:ty),*) -> $returned:ty;)*) => { $(
        impl Arg for Option<unsafe extern "C" fn($($arg),*) -> $returned> {
            fn of(word: u64) -> Self {
                (word != 0).then_some(super::callbacks::$function)
            }
        }
    )* };
}
callbacks! {
    predicate(*mut c_void) -> bool;
    action(*mut c_void) -> c_int;
    change(*mut rialto_array_edit_t, *mut c_void) -> c_int;
    visit_item(usize, *const c_void, usize, *mut c_void) -> c_int;
    pair(*const c_void, usize, *const c_void, usize, *mut c_void) -> c_int;
    child(*const rialto_child_t, *mut c_void) -> c_int;
    start_worker(*const c_void, usize, *mut rialto_process_t, *mut c_void) -> c_int;
    each(*const rialto_report_t, *mut c_void) -> ();
}

/// A function that can be called with words.
pub trait Callee: Copy + Send + Sync + 'static {
    const POINTEES: &'static [(usize, usize)];
    /// # Safety
    /// The words are arguments that the function's contract allows.
    unsafe fn call(self, words: &[u64]) -> c_int;
}

macro_rules! callee {
    ($($arg:ident $i:tt)*) => {
        impl<$($arg: Arg + 'static),*> Callee for unsafe extern "C" fn($($arg),*) -> c_int {
            const POINTEES: &'static [(usize, usize)] = &[$($arg::POINTEE),*];
            unsafe fn call(self, words: &[u64]) -> c_int {
                // SAFETY: the caller's word.
                unsafe { self($($arg::of(words[$i])),*) }
            }
        }
    };
}
callee!(A 0);
callee!(A 0 B 1);
callee!(A 0 B 1 C 2);
callee!(A 0 B 1 C 2 D 3);
callee!(A 0 B 1 C 2 D 3 E 4);
callee!(A 0 B 1 C 2 D 3 E 4 F 5);
callee!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
callee!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);

/// Whether a call that has no timeout will return, with those words.
pub type Ready = fn(&Machine, &[u64]) -> bool;
type Call = Box<dyn Fn(&[u64]) -> c_int + Send + Sync>;

/// One function, and how its arguments are drawn.
pub struct Entry {
    pub name: &'static str,
    pub kinds: &'static [Kind],
    pub pointees: &'static [(usize, usize)],
    pub ready: Option<Ready>,
    pub call: Call,
}

pub fn entry<F: Callee>(f: F, name: &'static str, kinds: &'static [Kind], ready: Option<Ready>) -> Entry {
    // SAFETY: the words are drawn by `kinds`, which say what the contract allows.
    Entry { name, kinds, pointees: F::POINTEES, ready, call: Box::new(move |words| unsafe { f.call(words) }) }
}

/// A table of functions: `name: kind kind ...;`, and `if CHECK` for one that waits as long as it takes.
macro_rules! calls {
    ($($name:ident: $($kind:ident $(($($of:tt)*))?)* $(=> $ready:ident)?;)*) => {{
        #[allow(unused_imports)]
        use super::{callee::{entry, hole, ready}, kind::{Kind::*, What::*}};
        vec![$(entry(
            rialto::capi::$name as unsafe extern "C" fn($(hole!($kind)),*) -> std::ffi::c_int,
            stringify!($name),
            &[$($kind $(($($of)*))?),*],
            ready!($($ready)?),
        )),*]
    }};
}
macro_rules! hole {
    ($kind:ident) => {
        _
    };
}
macro_rules! ready {
    () => {
        None
    };
    ($ready:ident) => {
        Some(super::ready::$ready as super::callee::Ready)
    };
}
pub(crate) use {calls, hole, ready};
