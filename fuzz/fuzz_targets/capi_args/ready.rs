//! Whether a call that waits as long as it takes will return. Nobody else uses the objects, and nobody has written
//! wild: then what is there now, is there when the call looks.
//!
//! A check may make it so, and then it may also come to nothing. The words are the call's arguments; if one of them
//! must be refused, nobody asks here, as the call must not wait then.

use super::{kind::What, machine::Machine};
use rialto::capi::*;
use std::{
    sync::Mutex,
    sync::atomic::{AtomicBool, Ordering::*},
    thread::{self, JoinHandle},
    time::Duration,
};

fn at<T>(word: u64) -> *mut T {
    std::ptr::with_exposed_provenance_mut(word as usize)
}

/// Nobody holds it up, as this thread is alone.
pub fn honest(_: &Machine, _: &[u64]) -> bool {
    true
}

/// It makes no second mapping of a region: a lock that is held by its address in one mapping would be waited for in the
/// other.
pub fn alone(m: &Machine, _: &[u64]) -> bool {
    m.alive(What::Region).iter().all(|i| m.slots[*i].memory.is_some())
}

pub fn event(_: &Machine, words: &[u64]) -> bool {
    // SAFETY: all that is called here has live views, or 64 bytes, as the call itself; so it is below.
    unsafe { rialto_event_set(at(words[0])) };
    true
}

pub fn semaphore(_: &Machine, words: &[u64]) -> bool {
    // SAFETY: as above.
    let status = unsafe { rialto_semaphore_try_acquire(at(words[0])) };
    // SAFETY: as above.
    status != RIALTO_EAGAIN
        && (status != RIALTO_OK || unsafe { rialto_semaphore_release(at(words[0])) } == RIALTO_OK)
}

static IS_OVER: AtomicBool = AtomicBool::new(false);
static NOTIFIER: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

/// Somebody notifies until the call has returned.
pub fn condition(_: &Machine, words: &[u64]) -> bool {
    let condition = words[0];
    IS_OVER.store(false, Release);
    let notify = move || {
        while !IS_OVER.load(Acquire) {
            // SAFETY: 64 bytes, which stay until the call has returned.
            unsafe { rialto_condition_notify(at(condition), 1) };
            thread::sleep(Duration::from_micros(100));
        }
    };
    *NOTIFIER.lock().expect("nobody panics with it") = Some(thread::spawn(notify));
    true
}

/// The call has returned.
pub fn is_over() {
    IS_OVER.store(true, Release);
    if let Some(notifier) = NOTIFIER.lock().expect("nobody panics with it").take() {
        notifier.join().expect("it only notifies");
    }
}

pub fn queue_space(_: &Machine, words: &[u64]) -> bool {
    let mut is_ready = false;
    // SAFETY: as above.
    unsafe { rialto_queue_arm_space(at(words[0]), &mut is_ready) != RIALTO_OK || is_ready }
}

/// Room for one message is known to be enough for one.
pub fn queue_space_one(m: &Machine, words: &[u64]) -> bool {
    words[2] <= 1 && queue_space(m, words)
}

pub fn queue_data(m: &Machine, words: &[u64]) -> bool {
    let (mut is_ready, mut poisoned) = (false, 0);
    // SAFETY: as above.
    unsafe {
        rialto_queue_poisoned(at(words[0]), &mut poisoned);
        rialto_queue_arm_data(at(words[0]), &mut is_ready);
    }
    // What is reserved may hold up what is behind it.
    is_ready && poisoned == 0 && m.alive(What::Reserved).is_empty()
}

pub fn queue_done(_: &Machine, words: &[u64]) -> bool {
    // SAFETY: as above.
    unsafe { rialto_queue_join_timeout(at(words[0]), 0) != RIALTO_EAGAIN }
}

/// A commit waits where others have overtaken it and the queue is full.
pub fn commit(m: &Machine, _: &[u64]) -> bool {
    m.alive(What::Queue).iter().all(|i| queue_space(m, &[m.slots[*i].at.expose_provenance() as u64]))
}

pub fn producer_space(_: &Machine, words: &[u64]) -> bool {
    let mut is_ready = false;
    // SAFETY: as above.
    unsafe { rialto_producer_arm_space(at(words[0]), &mut is_ready) != RIALTO_OK || is_ready }
}

pub fn producer_space_one(m: &Machine, words: &[u64]) -> bool {
    words[2] <= 1 && producer_space(m, words)
}

pub fn consumer_data(_: &Machine, words: &[u64]) -> bool {
    let (mut is_ready, mut poisoned) = (false, 0);
    // SAFETY: as above.
    unsafe {
        rialto_consumer_poisoned(at(words[0]), &mut poisoned);
        rialto_consumer_arm_data(at(words[0]), &mut is_ready);
    }
    is_ready && poisoned == 0
}

pub fn connection_space(_: &Machine, words: &[u64]) -> bool {
    let (mut is_ready, mut chunk) = (false, 0);
    // SAFETY: as above.
    unsafe {
        rialto_connection_max_chunk_bytes(at(words[0]), &mut chunk);
        rialto_connection_arm_space(at(words[0]), words[2] as usize, &mut is_ready);
    }
    is_ready && words[2] as usize <= chunk
}

pub fn connection_data(_: &Machine, words: &[u64]) -> bool {
    let mut is_ready = false;
    // SAFETY: as above.
    unsafe { rialto_connection_poll(at(words[0]), 0, &mut is_ready) == RIALTO_OK && is_ready }
}

pub fn permit(_: &Machine, words: &[u64]) -> bool {
    let mut value = 0;
    // SAFETY: as above.
    unsafe { rialto_tracked_semaphore_value(at(words[0]), &mut value) == RIALTO_OK && value > 0 }
}

/// Alone at it, and not in its own action, whose end it would wait for.
pub fn barrier(m: &Machine, words: &[u64]) -> bool {
    let (mut parties, mut is_broken) = (0, false);
    // SAFETY: as above.
    unsafe {
        rialto_barrier_parties(at(words[0]), &mut parties);
        rialto_barrier_is_broken(at(words[0]), &mut is_broken);
    }
    (parties == 1 || is_broken) && m.depth == 0
}
