//! Many tasks of one function, in chunks or one by one; reports in order or as they come.

use super::{
    Outcome, Pool, Report, Start, TaskId,
    record::{self, Name, Results, TASK_BYTES},
    submit::Collected,
    worker::TOO_LARGE,
};
use crate::error::{Error, Result};
use core::iter::Peekable;

impl<'r, S: Start> Pool<'r, S> {
    /// Calls `function` for each item; reports come in the items' order. `chunk` items make a task (or as many as fit; 0 is
    /// 1), and what becomes of it, a death or a timeout, becomes of each of its items. Items are taken as slots
    /// get free, so they may be endless. Errors: `Invalid`: the function's name.
    pub fn imap<'p, I>(
        &'p mut self,
        function: &str,
        items: I,
        chunk: usize,
    ) -> Result<Imap<'p, 'r, S, I::IntoIter>>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        Ok(Imap { walk: Walk::new(self, function, items.into_iter(), chunk)?, next: None })
    }

    /// As [`Pool::imap`], but reports come as tasks end, each with the index of its item.
    pub fn imap_unordered<'p, I>(
        &'p mut self,
        function: &str,
        items: I,
        chunk: usize,
    ) -> Result<ImapUnordered<'p, 'r, S, I::IntoIter>>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        Ok(ImapUnordered { walk: Walk::new(self, function, items.into_iter(), chunk)? })
    }
}

/// What both have.
struct Walk<'p, 'r, S: Start, I: Iterator> {
    pool: &'p mut Pool<'r, S>,
    function: Name,
    items: Peekable<I>,
    chunk: usize,
    /// Of the first task.
    first: u64,
    /// How many items were submitted.
    submitted: u64,
    /// Tasks that were, and whose report was not collected.
    under_way: u64,
    /// The one that was collected last, whose items are reported one by one.
    now: Option<Now>,
    /// After an error there is nothing more for `Iterator`.
    #[cfg(feature = "std")]
    has_failed: bool,
}

struct Now {
    task: Collected,
    /// Items reported.
    reported: u32,
    /// Where the next one's result begins, in the pool's copy.
    at: usize,
}

impl<'p, 'r, S: Start, I: Iterator> Walk<'p, 'r, S, I>
where
    I::Item: AsRef<[u8]>,
{
    fn new(pool: &'p mut Pool<'r, S>, function: &str, items: I, chunk: usize) -> Result<Self> {
        let first = pool.serial;
        Ok(Walk {
            pool,
            function: record::pack(function)?,
            items: items.peekable(),
            chunk: chunk.max(1),
            first,
            submitted: 0,
            under_way: 0,
            now: None,
            #[cfg(feature = "std")]
            has_failed: false,
        })
    }

    /// Submits as many as there is room for; the first. Errors matter when nothing is under way any more.
    fn fill(&mut self) -> Result<Option<TaskId>> {
        let mut first = None;
        while self.items.peek().is_some() {
            match self.put() {
                Ok(id) => first = first.or(Some(id)),
                Err(error) if self.under_way == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(first)
    }

    /// Submits the next chunk. Items are taken out when there is a slot for them.
    fn put(&mut self) -> Result<TaskId> {
        self.pool.ready()?;
        let shape = self.pool.table.shape;
        let (task_bytes, result_bytes) = (shape.task_bytes as usize, shape.result_bytes as usize);
        let room = &mut self.pool.task.get_mut()[TASK_BYTES..TASK_BYTES + task_bytes];
        let most = self.chunk.min(result_bytes / 16);
        let (mut count, mut len) = (0, 0);
        if most < 2 {
            // A task of its own, which has all the room.
            let Some(item) = self.items.peek() else { return Err(Error::NotFound) };
            let item = item.as_ref();
            room.get_mut(..item.len()).ok_or(Error::MessageTooLarge)?.copy_from_slice(item);
            len = item.len();
            self.items.next();
        } else {
            while count < most {
                let Some(item) = self.items.peek() else { break };
                let item = item.as_ref();
                let Some(to) = room.get_mut(len..).and_then(|room| room.get_mut(..4 + item.len())) else {
                    break;
                };
                to[..4].copy_from_slice(&(item.len() as u32).to_le_bytes());
                to[4..].copy_from_slice(item);
                len += 4 + item.len();
                count += 1;
                self.items.next();
            }
            if count == 0 {
                return Err(Error::MessageTooLarge);
            }
        }
        let id = self.pool.send(self.function, self.submitted, count as u32, len)?;
        self.submitted += count.max(1) as u64;
        self.under_way += 1;
        Ok(id)
    }

    fn begin(&mut self, task: Collected) {
        self.under_way -= 1;
        self.now = Some(Now { task, reported: 0, at: 0 });
    }

    /// Whether an item of the task that was collected last was not reported.
    fn has_more(&self) -> bool {
        self.now.as_ref().is_some_and(|now| now.reported < now.task.items.max(1))
    }

    /// The next item of that task, its index and report.
    fn item(&mut self) -> Option<(u64, Report<&[u8]>)> {
        if !self.has_more() {
            return None;
        }
        let now = self.now.as_mut()?;
        let index = now.task.index + u64::from(now.reported);
        now.reported += 1;
        let attempt = now.task.attempt;
        if now.task.items == 0 || now.task.failure.is_some() || now.task.code != 0 {
            return Some((index, self.pool.report(now.task)));
        }
        let result = self.pool.result.get();
        let held = usize::try_from(now.task.len).unwrap_or(usize::MAX).min(result.len());
        let outcome = match result.get(now.at..held).and_then(|rest| Results(rest).next()) {
            Some((code, len, bytes)) => {
                now.at += 16 + if code == TOO_LARGE { 0 } else { bytes.len() };
                Outcome::of(code, len, bytes)
            }
            None => Outcome::Lost,
        };
        Some((index, Report { attempt, outcome }))
    }
}

impl<S: Start, I: Iterator> Drop for Walk<'_, '_, S, I> {
    /// What nobody has begun is taken back; of the rest nobody will ask.
    fn drop(&mut self) {
        while let Some(slot) = self
            .pool
            .held
            .find(|slot, entry| entry.serial >= self.first && !self.pool.held.is_forgotten(slot))
        {
            self.pool.forget(slot);
        }
    }
}

/// Of [`Pool::imap`]. With std also an iterator over copies of the reports, which ends after an error.
///
/// Dropped before its end, it takes back what nobody has begun; the rest is done, and nobody hears of it.
pub struct Imap<'p, 'r, S: Start, I: Iterator> {
    walk: Walk<'p, 'r, S, I>,
    /// The task whose report is next.
    next: Option<TaskId>,
}

impl<S: Start, I: Iterator> Imap<'_, '_, S, I>
where
    I::Item: AsRef<[u8]>,
{
    /// The next item's report; none after the last.
    ///
    /// Errors: `TimedOut`, `WouldBlock` (0): ask again. `WouldBlock` with another timeout: all slots have reports that were
    /// not collected. `MessageTooLarge`: the next item does; all before it were reported. Others as
    /// [`Pool::submit`] and [`Pool::wait`].
    pub fn next_timeout(&mut self, timeout_ns: u64) -> Result<Option<Report<&[u8]>>> {
        if !self.walk.has_more() {
            let first = self.walk.fill()?;
            self.next = self.next.or(first);
            let Some(id) = self.next else { return Ok(None) };
            // Looked up before its slot is somebody else's.
            self.walk.pool.wait_over(id, timeout_ns)?;
            self.next = self.walk.pool.held.newer(id.slot);
            let task = self.walk.pool.collect(id.slot)?;
            self.walk.begin(task);
        }
        Ok(self.walk.item().map(|(_, report)| report))
    }
}

/// Of [`Pool::imap_unordered`]. With std also an iterator over copies of the reports, which ends after an error.
///
/// Dropped before its end, it takes back what nobody has begun; the rest is done, and nobody hears of it.
pub struct ImapUnordered<'p, 'r, S: Start, I: Iterator> {
    walk: Walk<'p, 'r, S, I>,
}

impl<S: Start, I: Iterator> ImapUnordered<'_, '_, S, I>
where
    I::Item: AsRef<[u8]>,
{
    /// The report of some item, and that one's index; none after the last. Errors as [`Imap::next_timeout`].
    #[allow(clippy::type_complexity)]
    pub fn next_timeout(&mut self, timeout_ns: u64) -> Result<Option<(usize, Report<&[u8]>)>> {
        if !self.walk.has_more() {
            self.walk.fill()?;
            if self.walk.under_way == 0 {
                return Ok(None);
            }
            let slot = self.walk.pool.next_over(timeout_ns, self.walk.first)?;
            let task = self.walk.pool.collect(slot)?;
            self.walk.begin(task);
        }
        Ok(self.walk.item().map(|(index, report)| (index as usize, report)))
    }
}

#[cfg(feature = "std")]
mod iterators {
    use super::*;
    use crate::time::FOREVER;
    use std::vec::Vec;

    impl<S: Start, I: Iterator> Iterator for Imap<'_, '_, S, I>
    where
        I::Item: AsRef<[u8]>,
    {
        type Item = Result<Report<Vec<u8>>>;

        fn next(&mut self) -> Option<Self::Item> {
            if self.walk.has_failed {
                return None;
            }
            let next =
                self.next_timeout(FOREVER).map(|report| report.map(|report| report.to_vec())).transpose();
            self.walk.has_failed = matches!(next, Some(Err(_)));
            next
        }
    }

    impl<S: Start, I: Iterator> Iterator for ImapUnordered<'_, '_, S, I>
    where
        I::Item: AsRef<[u8]>,
    {
        type Item = Result<(usize, Report<Vec<u8>>)>;

        fn next(&mut self) -> Option<Self::Item> {
            if self.walk.has_failed {
                return None;
            }
            let next =
                self.next_timeout(FOREVER).map(|report| report.map(|(index, it)| (index, it.to_vec())));
            let next = next.transpose();
            self.walk.has_failed = matches!(next, Some(Err(_)));
            next
        }
    }
}
