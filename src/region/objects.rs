//! The objects of a region that know its members: made and opened by name.

use super::{
    Region,
    directory::Kind,
    object::{Claims, Object},
};
use crate::{
    barrier::{self, Barrier},
    error::Result,
    layout::Layout,
    member::{Incarnation, MemberId, Recovered},
    permits::{self, TrackedSemaphore},
    pipe::{Pipe, PipeConfig},
    queue::{Queue, QueueConfig},
    spsc::{Spsc, SpscConfig},
    sys::Platform,
    time::FOREVER,
};
use core::ptr::NonNull;

/// The two traits, for a handle that knows its region as [`Home`](crate::member::Home).
macro_rules! object {
    ($type:ident, $config:ty, layout: $layout:expr, format: $format:expr, has: $has:expr) => {
        impl<P: Platform> Claims for $type<'_, Region<P>> {
            fn sweep(&self, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool) {
                $type::sweep(self, dead, is_dying)
            }
            fn holds(&self, member: MemberId) -> bool {
                $type::holds(self, member)
            }
            fn is_in_hand(&self) -> bool {
                $type::is_in_hand(self)
            }
        }

        impl<'r, P: Platform> Object<'r, P> for $type<'r, Region<P>> {
            const KIND: Kind = Kind::$type;
            type Config = $config;

            fn layout(config: &$config) -> Result<Layout> {
                ($layout)(config)
            }
            unsafe fn format(region: &'r Region<P>, at: NonNull<u8>, config: &$config) -> Result<Self> {
                ($format)(region, at, config)
            }
            unsafe fn attach(region: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
                // SAFETY: the caller's.
                unsafe { $type::attach(region, at, size) }
            }
            fn has(&self, config: &$config) -> bool {
                ($has)(self, config)
            }
        }
    };
}

object!(
    Queue, QueueConfig,
    layout: QueueConfig::layout,
    // SAFETY: `Object::format`'s; so below.
    format: |region, at, config| unsafe { Queue::format(region, at, config, 0) },
    has: Queue::has
);
object!(
    Spsc, SpscConfig,
    layout: SpscConfig::layout,
    // SAFETY: as above.
    format: |region, at, config| unsafe { Spsc::format(region, at, config, 0) },
    has: Spsc::has
);
object!(
    Pipe, PipeConfig,
    layout: PipeConfig::layout,
    // SAFETY: as above.
    format: |region, at, config| unsafe { Pipe::format(region, at, config) },
    has: Pipe::has
);
object!(
    TrackedSemaphore, u32,
    layout: |permits: &u32| permits::layout(*permits),
    // SAFETY: as above.
    format: |region, at, permits: &u32| unsafe { TrackedSemaphore::format(region, at, *permits) },
    has: |semaphore: &Self, permits: &u32| semaphore.bound() == *permits
);
object!(
    Barrier, u32,
    layout: |parties: &u32| barrier::layout(*parties),
    // SAFETY: as above.
    format: |region, at, parties: &u32| unsafe { Barrier::format(region, at, *parties, 0) },
    has: |barrier: &Self, parties: &u32| barrier.parties() == *parties
);

impl<P: Platform> Region<P> {
    /// Creates a queue under a name of 1 to 31 bytes. Waits for others who create, for ever (a stopped
    /// one holds it up); `create_queue_timeout` bounds that.
    ///
    /// Errors: `Invalid`, `Exists`, `NoSpace`, `TooManyMembers` (more handles use objects of the region than there are
    /// members, and 16); nothing changed then. If we die here, there is either a whole
    /// queue or none, and its room is not lost.
    pub fn create_queue(&self, name: &str, config: &QueueConfig) -> Result<Queue<'_, Self>> {
        self.create_queue_until(name, config, 0, FOREVER)
    }

    /// As [`Region::create_queue`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_queue_timeout(
        &self,
        name: &str,
        config: &QueueConfig,
        timeout_ns: u64,
    ) -> Result<Queue<'_, Self>> {
        self.create_queue_until(name, config, 0, timeout_ns)
    }

    /// As [`Region::create_queue`], with positions that begin at turn `first_turn`: tests start near the
    /// wrap of the 44-bit turn.
    #[doc(hidden)]
    pub fn create_queue_at_turn(
        &self,
        name: &str,
        config: &QueueConfig,
        first_turn: u64,
    ) -> Result<Queue<'_, Self>> {
        self.create_queue_until(name, config, first_turn, FOREVER)
    }

    fn create_queue_until(
        &self,
        name: &str,
        config: &QueueConfig,
        first_turn: u64,
        timeout_ns: u64,
    ) -> Result<Queue<'_, Self>> {
        self.create(name, Kind::Queue, config.layout()?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Queue::format(self, at, config, first_turn) }
        })
    }

    /// The queue of that name, which from here on is in use by us, see [`Region::remove`]. Never waits for others
    /// (but up to a tick, then `Busy`, for six threads of this handle that are all just about to open something).
    ///
    /// Errors: `Invalid`, `NotFound`, `WrongKind`, `BadRegion`, `TooManyMembers` (as for
    /// [`Region::create_queue`]).
    pub fn open_queue(&self, name: &str) -> Result<Queue<'_, Self>> {
        self.find(name)
    }

    /// As [`Region::open_queue`], but `WrongKind` unless the queue was created with these parameters (and as
    /// many slots, rounded up).
    pub fn open_queue_as(&self, name: &str, config: &QueueConfig) -> Result<Queue<'_, Self>> {
        self.find_as(name, config)
    }

    /// The queue of that name, which is created if there is none: [`Region::open_queue_as`], else
    /// [`Region::create_queue`]. Of several who call it at once one creates, and all have the same.
    ///
    /// Errors: `WrongKind` (it was created with other parameters, or is something else), `NoSpace`, as those two.
    pub fn open_or_create_queue(&self, name: &str, config: &QueueConfig) -> Result<Queue<'_, Self>> {
        self.find_or_make(name, config)
    }

    /// Creates an SPSC queue under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_spsc(&self, name: &str, config: &SpscConfig) -> Result<Spsc<'_, Self>> {
        self.create_spsc_until(name, config, 0, FOREVER)
    }

    /// As [`Region::create_spsc`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_spsc_timeout(
        &self,
        name: &str,
        config: &SpscConfig,
        timeout_ns: u64,
    ) -> Result<Spsc<'_, Self>> {
        self.create_spsc_until(name, config, 0, timeout_ns)
    }

    /// As [`Region::create_spsc`], with a stream that begins at about `first`: tests start anywhere.
    #[doc(hidden)]
    pub fn create_spsc_at(&self, name: &str, config: &SpscConfig, first: u32) -> Result<Spsc<'_, Self>> {
        self.create_spsc_until(name, config, first, FOREVER)
    }

    fn create_spsc_until(
        &self,
        name: &str,
        config: &SpscConfig,
        first: u32,
        timeout_ns: u64,
    ) -> Result<Spsc<'_, Self>> {
        self.create(name, Kind::Spsc, config.layout()?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Spsc::format(self, at, config, first) }
        })
    }

    /// The SPSC queue of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_spsc(&self, name: &str) -> Result<Spsc<'_, Self>> {
        self.find(name)
    }

    /// As [`Region::open_spsc`], and `WrongKind` if it was created with other parameters.
    pub fn open_spsc_as(&self, name: &str, config: &SpscConfig) -> Result<Spsc<'_, Self>> {
        self.find_as(name, config)
    }

    /// The SPSC queue of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_spsc(&self, name: &str, config: &SpscConfig) -> Result<Spsc<'_, Self>> {
        self.find_or_make(name, config)
    }

    /// Creates a tracked semaphore of `permits` permits, 1 to 65536, all free, under a name of 1 to 31 bytes.
    /// Waits for others who create, and errors, as [`Region::create_queue`].
    pub fn create_semaphore(&self, name: &str, permits: u32) -> Result<TrackedSemaphore<'_, Self>> {
        self.create_semaphore_timeout(name, permits, FOREVER)
    }

    /// As [`Region::create_semaphore`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_semaphore_timeout(
        &self,
        name: &str,
        permits: u32,
        timeout_ns: u64,
    ) -> Result<TrackedSemaphore<'_, Self>> {
        self.make(name, &permits, timeout_ns)
    }

    /// The tracked semaphore of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_semaphore(&self, name: &str) -> Result<TrackedSemaphore<'_, Self>> {
        self.find(name)
    }

    /// The tracked semaphore of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_semaphore(&self, name: &str, permits: u32) -> Result<TrackedSemaphore<'_, Self>> {
        self.find_or_make(name, &permits)
    }

    /// Creates a barrier for `parties` parties, 1 to 4095, under a name of 1 to 31 bytes. Waits for others who
    /// create, and errors, as [`Region::create_queue`].
    pub fn create_barrier(&self, name: &str, parties: u32) -> Result<Barrier<'_, Self>> {
        self.create_barrier_timeout(name, parties, FOREVER)
    }

    /// As [`Region::create_barrier`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_barrier_timeout(
        &self,
        name: &str,
        parties: u32,
        timeout_ns: u64,
    ) -> Result<Barrier<'_, Self>> {
        self.create_barrier_until(name, parties, 0, timeout_ns)
    }

    /// As [`Region::create_barrier`], as if `completed` generations were completed already (modulo 2^26):
    /// tests start near the wrap.
    #[doc(hidden)]
    pub fn create_barrier_at_generation(
        &self,
        name: &str,
        parties: u32,
        completed: u64,
    ) -> Result<Barrier<'_, Self>> {
        self.create_barrier_until(name, parties, completed, FOREVER)
    }

    fn create_barrier_until(
        &self,
        name: &str,
        parties: u32,
        completed: u64,
        timeout_ns: u64,
    ) -> Result<Barrier<'_, Self>> {
        self.create(name, Kind::Barrier, barrier::layout(parties)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Barrier::format(self, at, parties, completed) }
        })
    }

    /// The barrier of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_barrier(&self, name: &str) -> Result<Barrier<'_, Self>> {
        self.find(name)
    }

    /// The barrier of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_barrier(&self, name: &str, parties: u32) -> Result<Barrier<'_, Self>> {
        self.find_or_make(name, &parties)
    }

    /// Creates a pipe under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_pipe(&self, name: &str, config: &PipeConfig) -> Result<Pipe<'_, Self>> {
        self.create_pipe_timeout(name, config, FOREVER)
    }

    /// As [`Region::create_pipe`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_pipe_timeout(
        &self,
        name: &str,
        config: &PipeConfig,
        timeout_ns: u64,
    ) -> Result<Pipe<'_, Self>> {
        self.make(name, config, timeout_ns)
    }

    /// The pipe of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_pipe(&self, name: &str) -> Result<Pipe<'_, Self>> {
        self.find(name)
    }

    /// As [`Region::open_pipe`], but `WrongKind` unless the pipe was created with these parameters.
    pub fn open_pipe_as(&self, name: &str, config: &PipeConfig) -> Result<Pipe<'_, Self>> {
        self.find_as(name, config)
    }

    /// The pipe of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_pipe(&self, name: &str, config: &PipeConfig) -> Result<Pipe<'_, Self>> {
        self.find_or_make(name, config)
    }
}
