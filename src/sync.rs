//! The only door to `core::sync::atomic` and, in models, to loom.
//!
//! With `--cfg rialto_loom` every access goes through loom **and** through a fuel counter: a model
//! gives a thread `n` units, and the thread dies at its n-th shared access, as SIGKILL would do it.
//! The cfg is our own, so that a dependant's loom run does not flip us.
//!
//! What loom cannot see, and what stands in for it:
//! - loom treats `SeqCst` accesses as `AcqRel`. The places that need more (the eventcount's
//!   store-then-load against a sleeper, see `wait`, and `close`'s in `queue`) call [`model_fence`], which
//!   is a SeqCst fence in loom and nothing elsewhere, because there the accesses around it are `SeqCst` already.
//! - Payload bytes are not atomics; models of the rings keep payloads in loom's `UnsafeCell`.

/// Not everywhere: what needs it is not there either.
#[cfg(all(target_has_atomic = "64", not(rialto_loom)))]
pub use core::sync::atomic::AtomicU64;
#[cfg(not(rialto_loom))]
pub use core::{
    hint::spin_loop,
    sync::atomic::{AtomicU32, Ordering, compiler_fence, fence},
};

/// See the module's comment: a SeqCst fence where SeqCst accesses are weaker than the language says.
#[cfg(not(rialto_loom))]
#[inline(always)]
pub fn model_fence() {}

#[cfg(rialto_loom)]
pub use model::*;

#[cfg(rialto_loom)]
#[allow(missing_docs)]
mod model {
    pub use loom::sync::atomic::Ordering;

    pub fn model_fence() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
    pub fn fence(order: Ordering) {
        loom::sync::atomic::fence(order);
    }
    pub fn spin_loop() {
        loom::thread::yield_now();
    }
    /// Loom does not reorder a thread's own accesses.
    pub fn compiler_fence(_order: Ordering) {}

    /// Lets a model kill a thread at any of its shared accesses.
    pub mod fuel {
        use core::cell::Cell;
        use std::{
            boxed::Box,
            panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        };

        const UNLIMITED: i64 = -1;
        const DEAD: i64 = -2;
        loom::thread_local! { static FUEL: Cell<i64> = Cell::new(UNLIMITED); }

        struct Killed;

        /// False: this thread is dead and its access must have no effect (it is only unwinding).
        pub(crate) fn spend() -> bool {
            FUEL.with(|fuel| match fuel.get() {
                UNLIMITED => true,
                DEAD => false,
                0 => {
                    fuel.set(DEAD);
                    resume_unwind(Box::new(Killed))
                }
                left => {
                    fuel.set(left - 1);
                    true
                }
            })
        }

        /// Runs `f`, killing this thread at its access number `n` (0: before the first).
        /// `None`: it was killed. The thread may go on afterwards as somebody else (its "kernel").
        pub fn run_killed_at<R>(n: u32, f: impl FnOnce() -> R) -> Option<R> {
            FUEL.with(|fuel| fuel.set(i64::from(n)));
            let result = catch_unwind(AssertUnwindSafe(f));
            FUEL.with(|fuel| fuel.set(UNLIMITED));
            match result {
                Ok(value) => Some(value),
                Err(payload) if payload.is::<Killed>() => None,
                Err(payload) => resume_unwind(payload),
            }
        }
    }

    macro_rules! atomic {
        ($name:ident, $int:ty) => {
            #[derive(Debug)]
            pub struct $name(loom::sync::atomic::$name);
            impl $name {
                pub fn new(value: $int) -> Self {
                    Self(loom::sync::atomic::$name::new(value))
                }
                /// Not an access of the thread's, but of the kernel's on its behalf: cannot be killed.
                pub fn kernel_load(&self) -> $int {
                    self.0.load(Ordering::SeqCst)
                }
                pub fn load(&self, order: Ordering) -> $int {
                    if fuel::spend() { self.0.load(order) } else { 0 }
                }
                pub fn store(&self, value: $int, order: Ordering) {
                    if fuel::spend() {
                        self.0.store(value, order)
                    }
                }
                pub fn swap(&self, value: $int, order: Ordering) -> $int {
                    if fuel::spend() { self.0.swap(value, order) } else { 0 }
                }
                pub fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                    if fuel::spend() { self.0.fetch_add(value, order) } else { 0 }
                }
                pub fn fetch_and(&self, value: $int, order: Ordering) -> $int {
                    if fuel::spend() { self.0.fetch_and(value, order) } else { 0 }
                }
                pub fn fetch_or(&self, value: $int, order: Ordering) -> $int {
                    if fuel::spend() { self.0.fetch_or(value, order) } else { 0 }
                }
                pub fn compare_exchange(
                    &self,
                    current: $int,
                    new: $int,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$int, $int> {
                    if fuel::spend() {
                        self.0.compare_exchange(current, new, success, failure)
                    } else {
                        Err(current)
                    }
                }
            }
        };
    }
    atomic!(AtomicU32, u32);
    atomic!(AtomicU64, u64);
}
