//! Locks, events, plain semaphores and conditions under a name: 64 bytes each, the same as anywhere else in shared
//! memory (see their modules).

use super::{
    Region,
    directory::Kind,
    object::{Claims, Object},
};
use crate::{
    condition::Condition,
    error::{Error, Result},
    event::Event,
    layout::Layout,
    lock::Lock,
    rlock::RLock,
    semaphore::Semaphore,
    sync::Ordering::*,
    sys::{Cell, OWNER, Platform, UNRECOVERABLE},
    time::FOREVER,
};
use core::ptr::NonNull;

const LAYOUT: Layout = Layout { size: 64, align: 64 };

fn is_held(cell: &Cell) -> bool {
    !matches!(cell.word.load(Acquire) & OWNER, 0 | UNRECOVERABLE)
}

/// What a plain semaphore is created with.
pub(super) struct Permits {
    value: u32,
    bounded: bool,
}

macro_rules! plain_object {
    ($type:ident, $config:ty, in_hand: $in_hand:expr, init: $init:expr, has: $has:expr) => {
        impl Claims for &$type {
            fn is_in_hand(&self) -> bool {
                ($in_hand)(self)
            }
        }

        impl<'r, P: Platform> Object<'r, P> for &'r $type {
            const KIND: Kind = Kind::$type;
            type Config = $config;

            fn layout(_: &$config) -> Result<Layout> {
                Ok(LAYOUT)
            }

            unsafe fn format(_: &'r Region<P>, at: NonNull<u8>, config: &$config) -> Result<Self> {
                let at = at.cast::<$type>().as_ptr();
                let init: unsafe fn(*mut $type, &$config) -> Result<()> = $init;
                // SAFETY: the caller's; 128-aligned is 64-aligned.
                unsafe {
                    init(at, config)?;
                    $type::attach(at)
                }
            }

            unsafe fn attach(_: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
                if size < LAYOUT.size {
                    return Err(Error::BadRegion);
                }
                // SAFETY: the caller's, and it fits.
                unsafe { $type::attach(at.cast::<$type>().as_ptr()) }
            }

            fn has(&self, config: &$config) -> bool {
                ($has)(*self, config)
            }
        }
    };
}

plain_object!(
    Lock, (),
    in_hand: |lock: &Lock| is_held(lock.cell()),
    init: |at, _| {
        // SAFETY: as `format` says.
        unsafe { Lock::init(at) };
        Ok(())
    },
    has: |_: &Lock, _: &()| true
);
plain_object!(
    RLock, (),
    in_hand: |rlock: &RLock| is_held(rlock.cell()),
    init: |at, _| {
        // SAFETY: as `format` says.
        unsafe { RLock::init(at) };
        Ok(())
    },
    has: |_: &RLock, _: &()| true
);
plain_object!(
    Event, (),
    in_hand: |_: &Event| false,
    init: |at, _| {
        // SAFETY: as `format` says.
        unsafe { Event::init(at) };
        Ok(())
    },
    has: |_: &Event, _: &()| true
);
plain_object!(
    Condition, (),
    in_hand: |_: &Condition| false,
    init: |at, _| {
        // SAFETY: as `format` says.
        unsafe { Condition::init(at) };
        Ok(())
    },
    has: |_: &Condition, _: &()| true
);
plain_object!(
    Semaphore, Permits,
    in_hand: |_: &Semaphore| false, // nobody knows who has a permit
    init: |at, permits| {
        // SAFETY: as `format` says.
        unsafe {
            match permits.bounded {
                true => Semaphore::init_bounded(at, permits.value),
                false => Semaphore::init(at, permits.value),
            }
        }
    },
    has: |semaphore: &Semaphore, permits: &Permits| {
        semaphore.bound() == if permits.bounded { permits.value } else { Semaphore::MAX }
    }
);

macro_rules! plain_methods {
    ($([$unsafe:ident, $safety:literal])? $type:ident, $what:literal, $create:ident, $create_timeout:ident, $open:ident, $open_or_create:ident, $made:literal) => {
        #[doc = concat!("Creates ", $what, ", ", $made, ", under a name of 1 to 31 bytes. Waits for others who")]
        /// create, and errors, as [`Region::create_queue`].
        $(#[doc = $safety])?
        pub $($unsafe)? fn $create(&self, name: &str) -> Result<&$type> {
            self.make(name, &(), FOREVER)
        }

        #[doc = concat!("As [`Region::", stringify!($create), "`], waiting at most `timeout_ns` for others:")]
        /// then `TimedOut`.
        $(#[doc = $safety])?
        pub $($unsafe)? fn $create_timeout(&self, name: &str, timeout_ns: u64) -> Result<&$type> {
            self.make(name, &(), timeout_ns)
        }

        #[doc = concat!("The ", stringify!($type), " of that name. Never blocks. Errors: as")]
        /// [`Region::open_queue`].
        $(#[doc = $safety])?
        pub $($unsafe)? fn $open(&self, name: &str) -> Result<&$type> {
            self.find(name)
        }

        #[doc = concat!("The ", stringify!($type), " of that name, which is created if there is none. As")]
        /// [`Region::open_or_create_queue`].
        $(#[doc = $safety])?
        pub $($unsafe)? fn $open_or_create(&self, name: &str) -> Result<&$type> {
            self.find_or_make(name, &())
        }
    };
}

/// Locks, events, conditions and semaphores that stand alone. They serve the platform `Os` only by their plain
/// methods (`acquire`, `wait`); on another, there are those that end in `_on`.
impl<P: Platform> Region<P> {
    plain_methods!(
        [unsafe, "\n# Safety\nWhile another thread of this process holds the lock, the region is neither dropped nor detached (a guard may be forgotten): the thread's robust list runs through it. See [`Lock::new`]."]
        Lock,
        "a lock",
        create_lock,
        create_lock_timeout,
        open_lock,
        open_or_create_lock,
        "free"
    );
    plain_methods!(
        [unsafe, "\n# Safety\nWhile another thread of this process holds the lock, the region is neither dropped nor detached (a guard may be forgotten): the thread's robust list runs through it. See [`Lock::new`]."]
        RLock,
        "a recursive lock",
        create_rlock,
        create_rlock_timeout,
        open_rlock,
        open_or_create_rlock,
        "free"
    );
    plain_methods!(
        Event,
        "an event",
        create_event,
        create_event_timeout,
        open_event,
        open_or_create_event,
        "clear"
    );
    plain_methods!(
        Condition,
        "a condition",
        create_condition,
        create_condition_timeout,
        open_condition,
        open_or_create_condition,
        "with nobody waiting"
    );

    /// Creates a plain semaphore of `value` free permits, which does not know who has one (a tracked one does,
    /// see [`Region::create_semaphore`]), under a name of 1 to 31 bytes. Waits for others who create, and errors,
    /// as [`Region::create_queue`]; `Invalid` besides for more than [`Semaphore::MAX`].
    pub fn create_plain_semaphore(&self, name: &str, value: u32) -> Result<&Semaphore> {
        self.create_plain_semaphore_timeout(name, value, FOREVER)
    }

    /// As [`Region::create_plain_semaphore`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_plain_semaphore_timeout(
        &self,
        name: &str,
        value: u32,
        timeout_ns: u64,
    ) -> Result<&Semaphore> {
        self.make(name, &Permits { value, bounded: false }, timeout_ns)
    }

    /// As [`Region::create_plain_semaphore`], and never more than `value` permits: Python's `BoundedSemaphore`.
    pub fn create_bounded_semaphore(&self, name: &str, value: u32) -> Result<&Semaphore> {
        self.create_bounded_semaphore_timeout(name, value, FOREVER)
    }

    /// As [`Region::create_bounded_semaphore`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_bounded_semaphore_timeout(
        &self,
        name: &str,
        value: u32,
        timeout_ns: u64,
    ) -> Result<&Semaphore> {
        self.make(name, &Permits { value, bounded: true }, timeout_ns)
    }

    /// The plain or bounded semaphore of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_plain_semaphore(&self, name: &str) -> Result<&Semaphore> {
        self.find(name)
    }

    /// The plain semaphore of that name, whatever its value, which is created with `value` permits if there is
    /// none. `WrongKind` for a bounded one. As [`Region::open_or_create_queue`].
    pub fn open_or_create_plain_semaphore(&self, name: &str, value: u32) -> Result<&Semaphore> {
        self.find_or_make(name, &Permits { value, bounded: false })
    }

    /// The semaphore of that name that is bounded to `value`, which is created if there is none. As
    /// [`Region::open_or_create_queue`].
    pub fn open_or_create_bounded_semaphore(&self, name: &str, value: u32) -> Result<&Semaphore> {
        self.find_or_make(name, &Permits { value, bounded: true })
    }
}
