//! What the handles of all objects in here have in common.

/// Within `impl<'r, P: Platform>` of a handle, `Copy`, whose field `shadow` is the object: the calls about its
/// lock, which are the same for all.
macro_rules! locking {
    () => {
        /// This handle, whose operations wait at most `timeout_ns` for other writers: then `TimedOut`, and nothing
        /// was changed. 0: not at all, `WouldBlock`. A new handle waits as long as it takes.
        #[must_use = "the handle itself is as it was"]
        pub fn with_timeout(self, timeout_ns: u64) -> Self {
            Self { shadow: self.shadow.with_timeout(timeout_ns), ..self }
        }

        /// See [`crate::shadow::Shadow::counted_in`].
        pub(crate) fn counted_in(self, held: Option<&'r $crate::sync::AtomicU32>) -> Self {
            Self { shadow: self.shadow.counted_in(held), ..self }
        }

        /// Holds the object's lock until the guard is dropped: nobody else changes anything, and every operation
        /// of this thread works on. So several operations are one for the others (who may read in between: they
        /// see some of them done, as everybody does if we die between two). Guards may be nested, and
        /// dropped in any order: the last one releases.
        ///
        /// Waits for other writers, see `with_timeout`. Errors: `NotRecoverable` (a peer overwrote the lock),
        /// `TooManyHeld`, `BadRegion`, `NoMemory` (first use). If we die holding it, the next one gets it.
        pub fn lock(&self) -> $crate::error::Result<$crate::shadow::Held<'r, P>> {
            self.shadow.lock()
        }

        /// As `lock`, without a guard and waiting at most `timeout_ns` (0 polls: `WouldBlock`, whoever holds it);
        /// pair it with `release`. Errors: `TimedOut`, `Deadlock` (this thread holds it), and as `lock`.
        pub fn acquire(&self, timeout_ns: u64) -> $crate::error::Result<()> {
            self.shadow.acquire(timeout_ns)
        }

        /// Releases what `acquire` got. Errors: `BadRegion`; `NotOwner`, also from within an update (a comparator, an
        /// edit) that nobody but itself holds the lock for.
        pub fn release(&self) -> $crate::error::Result<()> {
            self.shadow.release()
        }

        /// Whether the calling thread holds the lock.
        pub fn is_mine(&self) -> bool {
            self.shadow.is_mine()
        }

        /// Whether anybody held the lock a moment ago.
        pub fn is_locked(&self) -> bool {
            self.shadow.is_locked()
        }

        /// How many writers died in the middle of an update, which then was taken back, or was done already.
        pub fn deaths(&self) -> u32 {
            self.shadow.deaths()
        }
    };
}

pub(crate) use locking;
