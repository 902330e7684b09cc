//! What a worker does: takes tasks in hand, calls functions by name, leaves results in the table.
//!
//! # Crash
//! Killed anywhere, its task is in hand still, or over (see `table`). If the parent dies, workers that it started as
//! daemons are killed; all others notice within a tick, between tasks (`lifeline`).

use super::{
    config::Names,
    lifeline::Lifeline,
    record::{self, CHUNK, Items, TASK_BYTES, Task, Told},
    scratch::Scratch,
    table::{Count, LEAVING, Note, READY, STARTING, Stamp, State, TERMINATED, Table},
    tick,
};
use crate::{
    error::{Error, Result},
    event::Event,
    member::Home,
    process::{getpid, nap},
    queue::{Peeked, Queue},
    region::Region,
    sys::{Platform, linux::Linux},
};
use core::fmt;

/// The code of a result that was too long.
pub(super) const TOO_LARGE: i64 = 1 << 32;
/// The code of a task whose function is in no worker's table.
pub(super) const NO_FUNCTION: i64 = 2 << 32;
/// The code of a function that panicked.
pub(super) const PANICKED: i64 = 3 << 32;

/// A function that tasks name.
#[derive(Clone, Copy)]
pub struct Function<'f> {
    name: &'f str,
    run: &'f (dyn Fn(&[u8], &mut Output<'_>) -> i32 + Sync),
}

impl<'f> Function<'f> {
    /// `name` is 1 to 31 bytes. `run` gets a task's bytes, writes the result's, and returns 0, or another number if it
    /// failed; what it has written then says why. A panic in it fails the task only (with std).
    pub const fn new(name: &'f str, run: &'f (dyn Fn(&[u8], &mut Output<'_>) -> i32 + Sync)) -> Function<'f> {
        Function { name, run }
    }
}

/// Where a function writes its result. More than fits fails the task.
pub struct Output<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> Output<'b> {
    fn new(buffer: &'b mut [u8]) -> Output<'b> {
        Output { buffer, len: 0 }
    }

    /// Appends. Errors: `MessageTooLarge`: the task has failed, and will say how much there would have been.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let end = self.len.saturating_add(bytes.len());
        let fits = match self.buffer.get_mut(self.len..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(Error::MessageTooLarge),
        };
        self.len = end;
        fits
    }

    /// How much there is room for.
    pub fn room(&self) -> usize {
        self.buffer.len().saturating_sub(self.len)
    }

    /// Forgets what was written.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    fn is_too_large(&self) -> bool {
        self.len > self.buffer.len()
    }
}

impl fmt::Write for Output<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Where functions are looked for.
pub(crate) trait Functions {
    /// What the function of that name says; `None`: there is none.
    fn call(&self, name: &str, task: &[u8], output: &mut Output<'_>) -> Option<i64>;
}

impl Functions for &[Function<'_>] {
    fn call(&self, name: &str, task: &[u8], output: &mut Output<'_>) -> Option<i64> {
        self.iter().find(|function| function.name == name).map(|function| guarded(function, task, output))
    }
}

struct Worker<'r, 'f> {
    index: u32,
    tasks: Queue<'r, Region>,
    table: Table<'r>,
    done: &'r Event,
    functions: &'f dyn Functions,
    task: Scratch,
    result: Scratch,
}

/// Works for the pool, in a process that its `start` has started with the arguments `told` ([`crate::process::Child::args`]). Returns when
/// the pool is closed and empty, or has ended, or wants no more tasks of this worker. What it returns is meant as the
/// process's exit code: 0; 1 if there is no such pool; 2 if the initializer failed.
///
pub fn work(told: &[u8], region: &Region, functions: &[Function<'_>]) -> i32 {
    work_with(told, region, &functions)
}

pub(crate) fn work_with(told: &[u8], region: &Region, functions: &dyn Functions) -> i32 {
    let Ok(told) = Told::unpack(told) else { return 1 };
    let lifeline = Lifeline::new();
    let Ok(mut worker) = Worker::new(region, &told, functions) else { return 1 };
    // Our parent's pool, or one that somebody has made in its place since: not before it had died.
    if lifeline.is_cut() {
        return 1;
    }
    if worker.initialize(&told) != 0 {
        return 2;
    }
    worker.serve(told.tasks, &lifeline)
}

enum Handled {
    Done,
    /// Somebody had done it, or it was cancelled.
    Dropped,
    /// It took too long: the parent is about to kill us.
    Condemned,
}

impl<'r, 'f> Worker<'r, 'f> {
    fn new(region: &'r Region, told: &Told<'_>, functions: &'f dyn Functions) -> Result<Self> {
        let names = Names::of(record::unpack(&told.pool))?;
        let tasks = region.open_queue(&names.tasks)?;
        let table = Table::attach(region.open_raw_array(&names.table)?)?;
        if told.worker >= table.shape.workers {
            return Err(Error::Invalid);
        }
        let task = Scratch::new(tasks.max_message_bytes())?;
        let result = Scratch::new(table.shape.result_bytes as usize)?;
        let done = region.open_event(&names.done)?;
        // As if by the first task; but who cannot, has not got through its start.
        Home::me(region)?;
        Ok(Worker { index: told.worker, tasks, table, done, functions, task, result })
    }

    fn note(&self, what: Note, value: u64) {
        self.table.set_note(self.index, what, value);
    }

    fn initialize(&mut self, told: &Told<'_>) -> i64 {
        self.note(Note::Pid, getpid() as u64);
        self.note(Note::Slot, 0);
        self.note(Note::State, STARTING);
        let code = match told.initializer {
            Some((name, argument)) => {
                call(self.functions, &name, argument, &mut Output::new(self.result.get_mut()))
            }
            None => 0,
        };
        self.note(Note::Code, code as u64);
        if code == 0 {
            self.note(Note::Since, Linux.now_ns());
            self.note(Note::State, READY);
        }
        code
    }

    fn serve(&mut self, most: u32, lifeline: &Lifeline) -> i32 {
        let tick = tick(&self.tasks);
        let (mut done, mut looked) = (0, Linux.now_ns());
        while most == 0 || done < most {
            let now = Linux.now_ns();
            self.note(Note::Since, now);
            if now.saturating_sub(looked) >= tick {
                looked = now;
                if lifeline.is_cut() {
                    break;
                }
            }
            if self.table.phase() == TERMINATED {
                break;
            }
            match self.tasks.peek_timeout(tick) {
                Ok(message) => match self.handle(message) {
                    Ok(Handled::Done) => done += 1,
                    Ok(Handled::Dropped) => {}
                    Ok(Handled::Condemned) => break,
                    Err(_) => return 1,
                },
                Err(Error::TimedOut) => {}
                Err(Error::Closed) => break,
                // The parent takes it, at its next look.
                Err(Error::Poisoned) => nap(tick),
                Err(_) => return 1,
            }
        }
        self.note(Note::State, LEAVING);
        self.table.add(Count::Left, 1);
        self.done.set();
        0
    }

    fn handle(&mut self, message: Peeked<'r, Region>) -> Result<Handled> {
        let len = message.copy_to(self.task.get_mut());
        let attempt = message.attempt();
        let found = Task::unpack(&self.task.get()[..len]).map(|(task, _)| task);
        let stamp = found.and_then(|task| self.table.stamp(task.slot).ok());
        let (Some(task), Some(stamp)) = (found, stamp) else {
            message.release(); // nothing of ours
            return Ok(Handled::Dropped);
        };
        let handled = self.take(task, stamp, attempt, len);
        // Not before: killed until here, the task is somebody else's.
        message.release();
        handled
    }

    fn take(&mut self, task: Task, stamp: Stamp, attempt: u8, len: usize) -> Result<Handled> {
        if stamp.id != task.id || !matches!(stamp.state, State::Pending | State::Running) {
            return Ok(Handled::Dropped);
        }
        let mine = Stamp { attempt, worker: self.index as u8, state: State::Running, ..stamp };
        if u64::from(attempt) > self.table.count(Count::Retries) {
            self.end(task.slot, stamp, Stamp { state: State::Died, ..mine })?;
            return Ok(Handled::Dropped);
        }
        // Invariant 3: before anybody sees us in the stamp.
        self.note(Note::Since, Linux.now_ns());
        self.note(Note::Slot, u64::from(task.slot) + 1);
        if !self.table.change(task.slot, stamp, mine)? {
            self.note(Note::Slot, 0);
            return Ok(Handled::Dropped); // cancelled just now
        }
        if attempt > 0 {
            self.table.add(Count::Redone, 1);
        }

        let (code, len) = self.run(&task, len);
        let bytes = &self.result.get()[..if code == TOO_LARGE { 0 } else { len }];
        self.table.set_result(task.slot, code, len as u64, bytes)?;
        if !self.end(task.slot, mine, Stamp { state: State::Done, ..mine })? {
            return Ok(Handled::Condemned);
        }
        self.note(Note::Done, self.table.note(self.index, Note::Done).wrapping_add(1));
        self.note(Note::Slot, 0);
        Ok(Handled::Done)
    }

    /// Whether the slot was `from`, and its end was told.
    fn end(&self, slot: u32, from: Stamp, to: Stamp) -> Result<bool> {
        let changed = self.table.change(slot, from, to)?;
        if changed {
            self.done.set();
        }
        Ok(changed)
    }

    /// The code, and how long the result is, or would have been.
    fn run(&mut self, task: &Task, len: usize) -> (i64, usize) {
        let argument = &self.task.get()[TASK_BYTES..len];
        let mut output = Output::new(self.result.get_mut());
        let code = match task.flags & CHUNK {
            0 => call(self.functions, &task.function, argument, &mut output),
            _ => chunk(self.functions, &task.function, argument, &mut output),
        };
        (if output.is_too_large() { TOO_LARGE } else { code }, output.len)
    }
}

fn call(functions: &dyn Functions, name: &record::Name, argument: &[u8], output: &mut Output<'_>) -> i64 {
    match record::unpack(name) {
        "" => NO_FUNCTION,
        name => functions.call(name, argument, output).unwrap_or(NO_FUNCTION),
    }
}

#[cfg(feature = "std")]
fn guarded(function: &Function<'_>, argument: &[u8], output: &mut Output<'_>) -> i64 {
    use std::{panic, string::String};
    let result = panic::catch_unwind(panic::AssertUnwindSafe(|| (function.run)(argument, output)));
    result.map_or_else(
        |thrown| {
            let text = thrown.downcast_ref::<String>().map(String::as_str);
            let text = text.or(thrown.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            output.clear();
            let _ = output.write(&text.as_bytes()[..text.len().min(output.room())]);
            PANICKED
        },
        i64::from,
    )
}

#[cfg(not(feature = "std"))]
fn guarded(function: &Function<'_>, argument: &[u8], output: &mut Output<'_>) -> i64 {
    (function.run)(argument, output).into()
}

/// Calls the function for each item. There is always room for what has to be said of the rest.
fn chunk(functions: &dyn Functions, name: &record::Name, items: &[u8], output: &mut Output<'_>) -> i64 {
    const SAYS: usize = 16;
    let mut left = Items(items).count();
    if left.saturating_mul(SAYS) > output.buffer.len() {
        output.len = left.saturating_mul(SAYS);
        return TOO_LARGE;
    }
    for item in Items(items) {
        left -= 1;
        let end = output.buffer.len() - left * SAYS;
        let (says, room) = output.buffer[output.len..end].split_at_mut(SAYS);
        let mut one = Output::new(room);
        let code = call(functions, name, item, &mut one);
        let code = if one.is_too_large() { TOO_LARGE } else { code };
        says[..8].copy_from_slice(&code.to_le_bytes());
        says[8..].copy_from_slice(&(one.len as u64).to_le_bytes());
        output.len += SAYS + if code == TOO_LARGE { 0 } else { one.len };
    }
    0
}
