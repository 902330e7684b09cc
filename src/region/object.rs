//! What the region must know of a kind of object to make, find, check, sweep and remove one: [`Object`], and the
//! generic calls over it. The methods with names, `create_queue` and the like, are in `objects`, `plain` and
//! `state`.
//!
//! A new kind: a line in `directory`'s [`Kind`], an `impl` of both traits, a line in `with_object`, and its methods.

use super::{
    Region,
    directory::{self, Kind, Place},
};
use crate::{
    array,
    barrier::Barrier,
    dict::Dict,
    error::{Error, Result},
    layout::Layout,
    list::List,
    member::{Incarnation, MemberId, Recovered},
    namespace::Namespace,
    permits::TrackedSemaphore,
    pipe::Pipe,
    queue::Queue,
    spsc::Spsc,
    sys::Platform,
    time::FOREVER,
    value,
};
use core::ptr::NonNull;

/// What the region asks an object whose kind it has forgotten.
pub(super) trait Claims {
    /// Takes the claims of `dead` out of it; the second value: nothing of `dead` is left here.
    fn sweep(&self, dead: Incarnation, is_dying: &dyn Fn() -> bool) -> (Recovered, bool) {
        let _ = (dead, is_dying);
        (Recovered::default(), true)
    }
    /// Whether that member has something in hand here.
    fn holds(&self, member: MemberId) -> bool {
        let _ = member;
        false
    }
    /// Whether anybody has: a message, a permit, an end, a place, the lock.
    fn is_in_hand(&self) -> bool;
}

/// A handle to an object of one kind.
pub(super) trait Object<'r, P: Platform>: Claims + Sized {
    const KIND: Kind;
    /// What one is created with.
    type Config: ?Sized;

    fn layout(config: &Self::Config) -> Result<Layout>;

    /// Makes one.
    ///
    /// # Safety
    /// `at` is 128-aligned; `layout(config)` bytes from it lie in the region, stay mapped for 'r, and while a thread
    /// of this process is a member or holds a lock there; nobody uses them yet.
    unsafe fn format(region: &'r Region<P>, at: NonNull<u8>, config: &Self::Config) -> Result<Self>;

    /// The one there. Errors: `BadRegion`.
    ///
    /// # Safety
    /// As for `format`, `size` bytes, but others may use them, and what is in them does not matter.
    unsafe fn attach(region: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self>;

    /// Whether it was created with these parameters.
    fn has(&self, config: &Self::Config) -> bool;
}

impl<P: Platform> Region<P> {
    /// Makes room for an object and has `build` make it: of `layout`'s bytes inside the region, which nobody
    /// uses yet, and which stay as long as the region's handles.
    ///
    /// Errors: `Invalid`, `Exists`, `NoSpace`, `TooManyMembers`, `TimedOut`, `build`'s: nothing changed then.
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
        let name = directory::pack(name)?;
        let row = self.row()?;
        self.locked(timeout_ns, |directory| {
            let (index, place) = directory.reserve(&name, kind, layout.size)?;
            let object = build(self.at(place));
            match object {
                Ok(_) => {
                    row.set(index); // before anybody can remove it
                    directory.announce(index);
                }
                Err(_) => directory.give_up(index),
            }
            object
        })
    }

    pub(super) fn make<'r, T: Object<'r, P> + 'r>(
        &'r self,
        name: &str,
        config: &T::Config,
        timeout_ns: u64,
    ) -> Result<T> {
        self.create(name, T::KIND, T::layout(config)?, timeout_ns, |at| {
            // SAFETY: as `create` says.
            unsafe { T::format(self, at, config) }
        })
    }

    /// # Safety
    /// `place` is that of an object that does not go during 'r, or while the handle is used.
    unsafe fn attach_at<'r, T: Object<'r, P>>(&'r self, place: Place) -> Result<T> {
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { T::attach(self, self.at(place), place.size) }
    }

    pub(super) fn find<'r, T: Object<'r, P>>(&'r self, name: &str) -> Result<T> {
        // SAFETY: from here on it is in use by us.
        self.open_with(name, T::KIND, |place| unsafe { self.attach_at(place) })
    }

    /// `WrongKind` also if it was created with other parameters.
    pub(super) fn find_as<'r, T: Object<'r, P>>(&'r self, name: &str, config: &T::Config) -> Result<T> {
        self.open_with(name, T::KIND, |place| {
            // SAFETY: as above.
            let object: T = unsafe { self.attach_at(place) }?;
            if object.has(config) { Ok(object) } else { Err(Error::WrongKind) }
        })
    }

    /// `find_as`, else `make`, until one of them has it. Waits for others who create, for ever.
    pub(super) fn find_or_make<'r, T: Object<'r, P> + 'r>(
        &'r self,
        name: &str,
        config: &T::Config,
    ) -> Result<T> {
        loop {
            match self.find_as(name, config) {
                Err(Error::NotFound) => {}
                found => return found,
            }
            match self.make(name, config, FOREVER) {
                // Made by others between; and perhaps removed again, then we go round.
                Err(Error::Exists) => {}
                made => return made,
            }
        }
    }

    /// Has `look` look at the object there, if it is a sound one. The caller sees to it that it does not go.
    pub(super) fn with_object<R>(
        &self,
        kind: Kind,
        place: Place,
        mut look: impl FnMut(&dyn Claims) -> R,
    ) -> Option<R> {
        macro_rules! look_as {
            ($type:ty) => {
                // SAFETY: the caller's.
                unsafe { self.attach_at::<$type>(place) }.ok().map(|object| look(&object))
            };
        }
        match kind {
            Kind::Queue => look_as!(Queue<'_, Self>),
            Kind::Spsc => look_as!(Spsc<'_, Self>),
            Kind::TrackedSemaphore => look_as!(TrackedSemaphore<'_, Self>),
            Kind::Barrier => look_as!(Barrier<'_, Self>),
            Kind::Pipe => look_as!(Pipe<'_, Self>),
            #[cfg(not(rialto_loom))]
            Kind::Lock => look_as!(&crate::lock::Lock),
            #[cfg(not(rialto_loom))]
            Kind::RLock => look_as!(&crate::rlock::RLock),
            // SAFETY: the caller's; so below.
            Kind::Value => unsafe { value::attach(self.platform, self.at(place), place.size) }
                .ok()
                .map(|(shadow, _)| look(&shadow)),
            // SAFETY: as above.
            Kind::Array => unsafe { array::attach(self.platform, self.at(place), place.size) }
                .ok()
                .map(|(shadow, _)| look(&shadow)),
            Kind::List => look_as!(List<'_, P>),
            Kind::Dict => look_as!(Dict<'_, P>),
            Kind::Namespace => look_as!(Namespace<'_, P>),
            _ => None, // nobody has anything of theirs in hand
        }
    }
}
