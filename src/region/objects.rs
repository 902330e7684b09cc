//! The objects of a region: made and opened by name, and swept when a member dies.

use super::{
    Region,
    directory::{Directory, Kind, Place},
};
use crate::{
    barrier::{self, Barrier},
    error::{Error, Result},
    layout::Layout,
    lock::Outcome,
    member::{Incarnation, MemberId, Recovered},
    permits::{self, TrackedSemaphore},
    pipe::{Pipe, PipeConfig},
    queue::{Queue, QueueConfig},
    spsc::{Spsc, SpscConfig},
    sys::Platform,
    time::FOREVER,
};
use core::ptr::NonNull;

impl<P: Platform> Region<P> {
    /// Creates a queue under a name of 1 to 31 bytes. Waits for others who create, for ever (a stopped
    /// one holds it up); `create_queue_timeout` bounds that.
    ///
    /// Errors: `Invalid`, `Exists`, `NoSpace` (nothing changed). If we die here, there is either a whole
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

    /// The queue of that name. Never blocks.
    ///
    /// Errors: `Invalid`, `NotFound`, `WrongKind`, `BadRegion`.
    pub fn open_queue(&self, name: &str) -> Result<Queue<'_, Self>> {
        let place = self.directory().find(name, Kind::Queue)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Queue::attach(self, self.at(place), place.size) }
    }

    /// As [`Region::open_queue`], but `WrongKind` unless the queue was created with these parameters (and as
    /// many slots, rounded up).
    pub fn open_queue_as(&self, name: &str, config: &QueueConfig) -> Result<Queue<'_, Self>> {
        let queue = self.open_queue(name)?;
        if queue.has(config) { Ok(queue) } else { Err(Error::WrongKind) }
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
        let place = self.directory().find(name, Kind::Spsc)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Spsc::attach(self, self.at(place), place.size) }
    }

    /// As [`Region::open_spsc`], and `WrongKind` if it was created with other parameters.
    pub fn open_spsc_as(&self, name: &str, config: &SpscConfig) -> Result<Spsc<'_, Self>> {
        let spsc = self.open_spsc(name)?;
        if spsc.has(config) { Ok(spsc) } else { Err(Error::WrongKind) }
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
        self.create(name, Kind::Semaphore, permits::layout(permits)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { TrackedSemaphore::format(self, at, permits) }
        })
    }

    /// The tracked semaphore of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_semaphore(&self, name: &str) -> Result<TrackedSemaphore<'_, Self>> {
        let place = self.directory().find(name, Kind::Semaphore)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { TrackedSemaphore::attach(self, self.at(place), place.size) }
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
        let place = self.directory().find(name, Kind::Barrier)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Barrier::attach(self, self.at(place), place.size) }
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
        self.create(name, Kind::Pipe, config.layout()?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { Pipe::format(self, at, config) }
        })
    }

    /// The pipe of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_pipe(&self, name: &str) -> Result<Pipe<'_, Self>> {
        let place = self.directory().find(name, Kind::Pipe)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Pipe::attach(self, self.at(place), place.size) }
    }

    /// As [`Region::open_pipe`], but `WrongKind` unless the pipe was created with these parameters.
    pub fn open_pipe_as(&self, name: &str, config: &PipeConfig) -> Result<Pipe<'_, Self>> {
        let pipe = self.open_pipe(name)?;
        if pipe.has(config) { Ok(pipe) } else { Err(Error::WrongKind) }
    }

    /// Makes room for an object and has `build` make it: of `layout`'s bytes inside the region, which nobody
    /// uses yet, and which stay as long as the region's handles.
    pub(super) fn create<'r, T>(
        &'r self,
        name: &str,
        kind: Kind,
        layout: Layout,
        timeout_ns: u64,
        build: impl FnOnce(NonNull<u8>) -> Result<T>,
    ) -> Result<T>
    where
        T: 'r,
    {
        self.locked(timeout_ns, |directory| {
            directory.create(name, kind, layout, |place| build(self.at(place)))
        })
    }

    fn locked<'r, T>(&'r self, timeout_ns: u64, f: impl FnOnce(Directory<'r>) -> Result<T>) -> Result<T> {
        let lock = &self.header().lock;
        if lock.acquire_on(self.platform, timeout_ns)? == Outcome::OwnerDied {
            self.directory().repair();
            lock.mark_consistent_on(self.platform)?;
        }
        let result = f(self.directory());
        lock.release_on(self.platform)?;
        result
    }

    /// Where the objects of `kind` are. Honest ones do not overlap; a hostile directory ends where they would
    /// fill the region twice, so that a walk through all of them takes no longer than through the region.
    fn places(&self, kind: Kind) -> impl Iterator<Item = Place> {
        let mut room = self.geometry.size;
        self.directory().all(kind).map_while(move |place| {
            room = room.checked_sub(place.size)?;
            Some(place)
        })
    }

    fn queues(&self) -> impl Iterator<Item = Queue<'_, Self>> {
        // SAFETY: the place lies in the region, which outlives the handle; so below.
        self.places(Kind::Queue).filter_map(|p| unsafe { Queue::attach(self, self.at(p), p.size) }.ok())
    }

    fn spscs(&self) -> impl Iterator<Item = Spsc<'_, Self>> {
        // SAFETY: as above.
        self.places(Kind::Spsc).filter_map(|p| unsafe { Spsc::attach(self, self.at(p), p.size) }.ok())
    }

    fn semaphores(&self) -> impl Iterator<Item = TrackedSemaphore<'_, Self>> {
        self.places(Kind::Semaphore)
            // SAFETY: as above.
            .filter_map(|p| unsafe { TrackedSemaphore::attach(self, self.at(p), p.size) }.ok())
    }

    fn barriers(&self) -> impl Iterator<Item = Barrier<'_, Self>> {
        // SAFETY: as above.
        self.places(Kind::Barrier).filter_map(|p| unsafe { Barrier::attach(self, self.at(p), p.size) }.ok())
    }

    fn pipes(&self) -> impl Iterator<Item = Pipe<'_, Self>> {
        // SAFETY: as above.
        self.places(Kind::Pipe).filter_map(|p| unsafe { Pipe::attach(self, self.at(p), p.size) }.ok())
    }

    /// Takes the claims of `dead` out of every object. True: nothing of it is left.
    pub(super) fn sweep(&self, dead: Incarnation, total: &mut Recovered) -> bool {
        let is_dying = || self.members().is_dying(dead);
        let mut whole = true;
        let mut note = |(found, complete): (Recovered, bool)| {
            total.add(found);
            whole &= complete;
        };
        self.queues().for_each(|queue| note(queue.sweep(dead, is_dying)));
        self.spscs().for_each(|spsc| note(spsc.sweep(dead, is_dying)));
        self.semaphores().for_each(|semaphore| note(semaphore.sweep(dead, is_dying)));
        self.barriers().for_each(|barrier| note(barrier.sweep(dead, is_dying)));
        self.pipes().for_each(|pipe| note(pipe.sweep(dead, is_dying)));
        whole
    }

    /// Whether `member` has anything in hand, in any object.
    pub(super) fn holds(&self, member: MemberId) -> bool {
        self.queues().any(|queue| queue.holds(member))
            || self.spscs().any(|spsc| spsc.holds(member))
            || self.semaphores().any(|semaphore| semaphore.holds(member))
            || self.barriers().any(|barrier| barrier.holds(member))
            || self.pipes().any(|pipe| pipe.holds(member))
    }
}
