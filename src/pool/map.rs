//! Many tasks of one function: in chunks, or one by one, in order or as they come.

use super::{
    CHUNK, Outcome, Pool, Report, TaskId,
    record::{self, Name, Results},
};
use crate::{
    error::{Error, Result},
    process::Process,
    time::FOREVER,
};
use core::iter::Peekable;

impl<'r, S> Pool<'r, S>
where
    S: FnMut(&[u8]) -> Result<Process>,
{
    /// Calls `function` for each item, `chunk` items (or as many as fit) in a task, and `each` with every item's index and
    /// report, in the items' order, as soon as it is there. What becomes of a chunk (a death, a timeout) becomes of
    /// each of its items. Ends when all items are reported.
    ///
    /// Errors: those of [`Pool::submit`] and [`Pool::wait`]; then the items that were not reported are lost. An item that is too
    /// long: `MessageTooLarge`.
    pub fn map<I>(
        &mut self,
        function: &str,
        items: I,
        chunk: usize,
        mut each: impl FnMut(usize, Report<'_>),
    ) -> Result<()>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let function = record::pack(function)?;
        let mut items = items.into_iter().peekable();
        let (first, mut index) = (self.next_id, 0);
        let mut next = first;
        loop {
            while items.peek().is_some() {
                match self.put_chunk(function, &mut items, chunk.max(1)) {
                    Ok(_) => {}
                    Err(Error::WouldBlock) if next != self.next_id => break,
                    Err(error) => return self.forget(first, error),
                }
            }
            if next == self.next_id {
                return Ok(());
            }
            let (slot, _) = self.slot_of(TaskId(next))?;
            let count = self.table.items(slot)?;
            let whole = self.wait(TaskId(next), FOREVER);
            match whole {
                Ok(Report { attempt, outcome: Outcome::Done(bytes) }) => {
                    let mut results = Results(bytes);
                    for _ in 0..count {
                        let (code, len, bytes) = results.next().ok_or(Error::BadRegion)?;
                        each(index, Report { attempt, outcome: Outcome::of(code, len, bytes) });
                        index += 1;
                    }
                }
                Ok(report) => {
                    for _ in 0..count {
                        each(index, report);
                        index += 1;
                    }
                }
                Err(error) => return self.forget(first, error),
            }
            next = self.after(next);
        }
    }

    fn after(&self, id: u64) -> u64 {
        (id + 1) & ((1 << 40) - 1)
    }

    /// Takes back what was submitted from `first` on, and nobody will ask for.
    fn forget<T>(&mut self, first: u64, error: Error) -> Result<T> {
        let mut id = first;
        while id != self.next_id {
            if self.cancel(TaskId(id)).is_ok() {
                let (slot, _) = self.slot_of(TaskId(id))?;
                self.collect(slot)?;
            }
            id = self.after(id);
        }
        Err(error)
    }

    fn put_chunk<I>(&mut self, function: Name, items: &mut Peekable<I>, most: usize) -> Result<TaskId>
    where
        I: Iterator,
        I::Item: AsRef<[u8]>,
    {
        // Before anything is taken out of `items`.
        self.free_slot(self.next_id)?;
        let mut count = 0;
        let room = self.table.shape.task_bytes as usize;
        let results = self.table.shape.result_bytes as usize / 16;
        let mut len = 0;
        let at = super::TASK_BYTES;
        while count < most.min(results) {
            let Some(item) = items.peek() else { break };
            let item = item.as_ref();
            if item.len() + 4 > room - len {
                break;
            }
            let to = &mut self.task.bytes()[at + len..];
            to[..4].copy_from_slice(&(item.len() as u32).to_le_bytes());
            to[4..4 + item.len()].copy_from_slice(item);
            len += 4 + item.len();
            count += 1;
            items.next();
        }
        if count == 0 {
            return Err(Error::MessageTooLarge);
        }
        self.put(function, CHUNK, count as u64, |_| Some(len))
    }

    /// Calls `function` for each item, one task each; reports come in the items' order. Items are taken as slots
    /// get free, so they may be endless.
    pub fn imap<'p, I>(&'p mut self, function: &str, items: I) -> Result<Imap<'p, 'r, S, I::IntoIter>>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let next = self.next_id;
        Ok(Imap(Walk {
            function: record::pack(function)?,
            items: items.into_iter().peekable(),
            pool: self,
            next,
        }))
    }

    /// As [`Pool::imap`], but reports come as tasks end, each with the index of its item.
    pub fn imap_unordered<'p, I>(
        &'p mut self,
        function: &str,
        items: I,
    ) -> Result<ImapUnordered<'p, 'r, S, I::IntoIter>>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let next = self.next_id;
        let function = record::pack(function)?;
        let walk = Walk { function, items: items.into_iter().peekable(), pool: self, next };
        Ok(ImapUnordered { walk, left: 0 })
    }
}

struct Walk<'p, 'r, S, I>
where
    S: FnMut(&[u8]) -> Result<Process>,
    I: Iterator,
{
    pool: &'p mut Pool<'r, S>,
    function: Name,
    items: Peekable<I>,
    /// Of the next report (ordered), or of the first item.
    next: u64,
}

impl<S, I> Walk<'_, '_, S, I>
where
    S: FnMut(&[u8]) -> Result<Process>,
    I: Iterator,
    I::Item: AsRef<[u8]>,
{
    /// Submits as many as there is room for; how many. `WouldBlock`: not one, and there are some.
    fn fill(&mut self) -> Result<u64> {
        let mut count = 0;
        while let Some(item) = self.items.peek() {
            let item = item.as_ref();
            let put = self.pool.put(self.function, 0, 0, |to| {
                to.get_mut(..item.len())?.copy_from_slice(item);
                Some(item.len())
            });
            match put {
                Ok(_) => {
                    self.items.next();
                    count += 1;
                }
                Err(Error::WouldBlock) if count > 0 => break,
                Err(error) => return if count > 0 { Ok(count) } else { Err(error) },
            }
        }
        Ok(count)
    }
}

/// Of [`Pool::imap`]. Dropped before its end, it leaves its reports to be collected by [`Pool::next`].
pub struct Imap<'p, 'r, S, I>(Walk<'p, 'r, S, I>)
where
    S: FnMut(&[u8]) -> Result<Process>,
    I: Iterator;

impl<S, I> Imap<'_, '_, S, I>
where
    S: FnMut(&[u8]) -> Result<Process>,
    I: Iterator,
    I::Item: AsRef<[u8]>,
{
    /// The next item's report; none after the last. Errors as [`Pool::submit`] and [`Pool::wait`]; after `TimedOut` or
    /// `WouldBlock` it can be asked again.
    pub fn next(&mut self, timeout_ns: u64) -> Result<Option<Report<'_>>> {
        let walk = &mut self.0;
        match walk.fill() {
            Err(Error::WouldBlock) if walk.next != walk.pool.next_id => {}
            Err(error) if walk.next == walk.pool.next_id => return Err(error),
            _ => {}
        }
        if walk.next == walk.pool.next_id {
            return Ok(None);
        }
        let id = TaskId(walk.next);
        let after = walk.pool.after(walk.next);
        let report = walk.pool.wait(id, timeout_ns)?;
        walk.next = after;
        Ok(Some(report))
    }
}

/// Of [`Pool::imap_unordered`]. Dropped before its end, it leaves its reports to be collected by [`Pool::next`].
pub struct ImapUnordered<'p, 'r, S, I>
where
    S: FnMut(&[u8]) -> Result<Process>,
    I: Iterator,
{
    walk: Walk<'p, 'r, S, I>,
    left: u64,
}

impl<S, I> ImapUnordered<'_, '_, S, I>
where
    S: FnMut(&[u8]) -> Result<Process>,
    I: Iterator,
    I::Item: AsRef<[u8]>,
{
    /// The report of some item, and that one's index; none after the last. Errors as [`Imap::next`].
    pub fn next(&mut self, timeout_ns: u64) -> Result<Option<(usize, Report<'_>)>> {
        match self.walk.fill() {
            Ok(count) => self.left += count,
            Err(_) if self.left > 0 => {}
            Err(error) => return Err(error),
        }
        if self.left == 0 {
            return Ok(None);
        }
        let first = self.walk.next;
        let slot = self.walk.pool.next_over(timeout_ns, |id| id >= first)?;
        let index = self.walk.pool.table.stamp(slot)?.id - first;
        self.left -= 1;
        Ok(Some((index as usize, self.walk.pool.collect(slot)?)))
    }
}
