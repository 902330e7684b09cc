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
//! - loom has no fences that one thread has executed in others. A `compiler_fence` on the light side is that
//!   side's place for them, see `light`.
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
    pub fn compiler_fence(_order: Ordering) {
        light::fence();
    }

    /// Heavy fences, and the places in light threads that they order: `asymmetric_thread_fence_heavy` and `_light`
    /// of C++'s P1202, which promise less than `membarrier` does.
    ///
    /// Each light thread has an atomic that only this module knows. A light fence is a read-modify-write of the
    /// thread's own, a heavy one is a read-modify-write of each, between two SeqCst fences. So a light fence and a
    /// heavy one are always ordered, and what was done before the first is seen behind the second; two light ones
    /// order nothing, nor does a light one and a SeqCst fence.
    ///
    /// What the real one does is among what this does: it strikes the light thread at one place, and the light
    /// fences before that place come before the heavy one here, those behind it, after. The real one then orders
    /// all that the thread does before and behind; this one, only what is before or behind a light fence. So it
    /// also stands for a compiler that moves accesses about between its fences. A light thread waits for nothing,
    /// and can be killed between any two of its accesses: its light fences cost no fuel.
    pub mod light {
        use loom::sync::atomic::{AtomicU32, Ordering::*, fence as full_fence};
        use std::{
            cell::RefCell,
            sync::{Arc, Mutex},
            vec::Vec,
        };

        type Place = Arc<AtomicU32>;

        // The mutex is not loom's: a list that is read orders nobody.
        loom::lazy_static! { static ref PLACES: Mutex<Vec<Place>> = Mutex::new(Vec::new()); }
        loom::thread_local! { static MINE: RefCell<Option<Place>> = RefCell::new(None); }

        fn mine() -> Option<Place> {
            MINE.with(|mine| mine.borrow().clone())
        }

        /// The calling thread is a light one from here on: the first time, a process of its own that registers.
        pub(crate) fn accept() {
            if mine().is_some() {
                return fence();
            }
            let place = Arc::new(AtomicU32::new(0));
            PLACES.lock().unwrap().push(place.clone());
            MINE.with(|mine| *mine.borrow_mut() = Some(place));
            full_fence(SeqCst); // behind the heavy fences before
        }

        pub(super) fn fence() {
            if let Some(mine) = mine() {
                mine.fetch_add(1, AcqRel);
            }
        }

        /// In all light threads.
        pub(crate) fn heavy_fence() {
            full_fence(SeqCst);
            let places = PLACES.lock().unwrap().clone();
            let mine = mine();
            for place in
                places.iter().filter(|place| mine.as_ref().is_none_or(|mine| !Arc::ptr_eq(mine, place)))
            {
                place.fetch_add(1, AcqRel);
            }
            full_fence(SeqCst);
        }
    }

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
