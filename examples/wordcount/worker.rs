//! A worker: peek a job, count, push the result, release the job. `worker.c` is the same in C.

use super::message;
use rialto::{Error, Region};
use std::{process::ExitCode, thread, time::Duration};

/// The region is descriptor 0: the coordinator hands it over as standard input.
pub fn main(linger: Duration) -> ExitCode {
    // The coordinator may be killed too. Then nobody needs us.
    // SAFETY: an integer argument; affects this process alone.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    match work(linger) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wordcount: worker {}: {error}", std::process::id());
            ExitCode::FAILURE
        }
    }
}

fn work(linger: Duration) -> rialto::Result<()> {
    let region = Region::attach_fd(0)?;
    let jobs = region.open_queue("jobs")?;
    let results = region.open_queue("results")?;
    let mut text = vec![0; jobs.max_message_bytes()];
    let mut result = Vec::with_capacity(message::RESULT_MAX);
    loop {
        // Peek and not pop: the job stays in the queue, with our name on it, until we release it. Killed
        // from here on, the others see the name of a dead one on it, and one of them gets it.
        let job = match jobs.peek() {
            Ok(job) => job,
            Err(Error::Closed) => return Ok(()),
            Err(error) => return Err(error),
        };
        let len = job.copy_to(&mut text);
        let Some((id, words)) = message::read_job(&mut text[..len]) else { return Err(Error::BadRegion) };
        message::write_result(&mut result, id, words, job.attempt());

        // Killed before this line: no result yet, the job is done by another worker. In it: the result
        // is in the queue whole, or not at all.
        results.push(&result)?;

        // Killed here: the result is there *and* the job is done again. The other order, release and
        // then push, would lose the record instead, and nobody could tell. Duplicates carry the same id
        // and are dropped; that is why every exactly-once system needs ids.
        if !linger.is_zero() {
            thread::sleep(linger);
        }
        job.release();
    }
}
