//! How a thread finds its private page, and what runs when the thread exits.
//!
//! With `std` a thread-local without a destructor (a plain load, usable until the thread's last
//! instruction) plus an empty one with; without it a pthread key, whose getter is a call.
//!
//! Destructors of other thread-locals may use Rialto after ours has run. With `std` they get a fresh
//! page that nobody will unmap: the kernel reads it when the thread is gone, so leaking it is the
//! right thing. With a key the destructor simply runs again.

use super::thread::Context;

pub(super) use imp::{arm, get, set};

#[cfg(feature = "std")]
mod imp {
    use super::Context;
    use core::{cell::Cell, ptr};

    struct AtExit;
    impl Drop for AtExit {
        fn drop(&mut self) {
            // SAFETY: the thread is exiting and this is its own context, or null.
            unsafe { Context::exit(get()) }
        }
    }

    std::thread_local! {
        static CONTEXT: Cell<*mut Context> = const { Cell::new(ptr::null_mut()) };
        static AT_EXIT: AtExit = const { AtExit };
    }

    #[inline(always)]
    pub(in super::super) fn get() -> *mut Context {
        CONTEXT.with(Cell::get)
    }

    pub(in super::super) fn set(context: *mut Context) -> bool {
        CONTEXT.with(|c| c.set(context));
        true
    }

    /// Registers the destructor. If it has run already, see the module's comment.
    pub(in super::super) fn arm() {
        let _ = AT_EXIT.try_with(|_| ());
    }
}

#[cfg(not(feature = "std"))]
mod imp {
    use super::Context;
    use crate::sync::{AtomicU32, Ordering::*};
    use core::{ffi::c_void, ptr};

    /// The key plus one; 0: not made yet.
    static KEY: AtomicU32 = AtomicU32::new(0);

    unsafe extern "C" fn at_exit(context: *mut c_void) {
        set(context.cast()); // libc has cleared it, and what runs now looks for it
        // SAFETY: the thread is exiting and this is its own context.
        unsafe { Context::exit(context.cast()) }
    }

    fn key() -> Option<libc::pthread_key_t> {
        // Acquire and Release order nothing but the key itself, which libc guards.
        if let Some(key) = KEY.load(Relaxed).checked_sub(1) {
            return Some(key);
        }
        let mut key: libc::pthread_key_t = 0;
        // SAFETY: a valid out-pointer, and a function that lives as long as the program.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(at_exit)) } != 0 {
            return None;
        }
        match KEY.compare_exchange(0, key.checked_add(1)?, Relaxed, Relaxed) {
            Ok(_) => Some(key),
            Err(other) => {
                // SAFETY: made above, seen by nobody.
                unsafe { libc::pthread_key_delete(key) };
                other.checked_sub(1)
            }
        }
    }

    #[inline]
    pub(in super::super) fn get() -> *mut Context {
        match KEY.load(Relaxed).checked_sub(1) {
            // SAFETY: the key was made and is never deleted.
            Some(key) => unsafe { libc::pthread_getspecific(key) }.cast(),
            None => ptr::null_mut(),
        }
    }

    pub(in super::super) fn set(context: *mut Context) -> bool {
        // SAFETY: as in `get`.
        key().is_some_and(|key| unsafe { libc::pthread_setspecific(key, context.cast()) } == 0)
    }

    pub(in super::super) fn arm() {}
}
