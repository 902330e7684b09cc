//! Removing objects. The protocol is in `directory` and `users`.

use super::{
    Region,
    directory::{self, Directory, Kind, Seen},
    users::InUse,
};
use crate::{
    error::{Error, Result},
    member::Depth,
    sys::Platform,
    time::FOREVER,
};

impl<P: Platform> Region<P> {
    /// Removes the object of that name, of whatever kind, and its room and its name are free again. Waits for
    /// others who create or remove, for ever; `remove_timeout` bounds that.
    ///
    /// Refused as `Busy`, and nothing changed, while anybody may use it: if another handle to the region has
    /// created or opened it and is not gone (dropped or detached, or its process dead, certainly: see Limits
    /// in `users`), or if anybody has something of it in hand, this process too: a message, a permit, an end
    /// of a pipe or SPSC queue, a barrier's place, a lock.
    ///
    /// The handle through which it is removed does not count: a program that removes an object sees to it that
    /// no handle to the object which it made through this same `Region`, on any thread, is used afterwards.
    /// If one is, nothing outside the region is touched, but it acts on whatever lies there then. The
    /// same goes for a forked child that has inherited handles and has done nothing yet by
    /// which it became known, see `users`.
    ///
    /// Errors: `Invalid`, `NotFound`, `Busy`. If we die here, the object is there, whole, or it is not.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.remove_timeout(name, FOREVER)
    }

    /// As [`Region::remove`], waiting at most `timeout_ns` for others: then `TimedOut`. Besides, it waits up to a
    /// tick for those who recover the dead in that object: then `Busy`.
    pub fn remove_timeout(&self, name: &str, timeout_ns: u64) -> Result<()> {
        let name = directory::pack(name)?;
        let me = self.platform.process()?;
        self.keep_row()?;
        // What the dead had in hand is in nobody's.
        self.recover(Depth::Marked);
        self.locked(timeout_ns, |directory| {
            let index = directory.position(&name).ok_or(Error::NotFound)?;
            let mut until = None;
            while !self.try_remove(directory, index, me)? {
                if until.get_or_insert_with(|| self.patience()).passed(self.platform) {
                    return Err(Error::Busy);
                }
                self.nap();
            }
            Ok(())
        })
    }

    /// False: somebody looks at it just now. The lock is ours.
    fn try_remove(&self, directory: Directory<'_>, index: usize, me: u64) -> Result<bool> {
        let own = self.own_row(me);
        let refuse = |in_use| match in_use {
            InUse::Yes => Err(Error::Busy),
            InUse::Visited => Ok(false),
            InUse::No => Ok(true),
        };
        // Most refusals are found here, and trouble no opener.
        if !refuse(self.in_use_by_others(me, own, index))? {
            return Ok(false);
        }
        directory.begin_removal(index);
        let in_use = match self.in_use_by_others(me, own, index) {
            InUse::No if self.is_in_hand(directory.seen(index)) => InUse::Yes,
            in_use => in_use,
        };
        if in_use != InUse::No {
            directory.end_removal(index);
            return refuse(in_use);
        }
        // Before the entry can be another object's.
        let had = own.is_some_and(|row| row.unset(index));
        if directory.finish_removal(index) {
            return Ok(true);
        }
        if let Some(row) = own.filter(|_| had) {
            row.set(index);
        }
        Ok(false)
    }

    fn is_in_hand(&self, seen: Seen) -> bool {
        let (Some(kind), Some(place)) = (Kind::from_number(seen.kind), seen.place) else { return false };
        self.with_object(kind, place, |object| object.is_in_hand()).unwrap_or(false)
    }
}
