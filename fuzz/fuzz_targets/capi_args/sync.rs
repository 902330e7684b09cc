//! Calls of embeddable objects: locks, events, semaphores, conditions.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_lock_init: Fresh(Lock);
        rialto_lock_attach: Cell(Lock);
        rialto_lock_acquire: Cell(Lock) => honest;
        rialto_lock_try_acquire: Cell(Lock);
        rialto_lock_acquire_timeout: Cell(Lock) Patience;
        rialto_lock_release: Cell(Lock);
        rialto_lock_mark_consistent: Cell(Lock);
        rialto_lock_is_mine: Cell(Lock) Out;
        rialto_lock_is_locked: Cell(Lock) Out;
        rialto_lock_reset: Cell(Lock);
        rialto_lock_destroy: Cell(Lock);
        rialto_rlock_init: Fresh(Rlock);
        rialto_rlock_attach: Cell(Rlock);
        rialto_rlock_acquire: Cell(Rlock) => honest;
        rialto_rlock_try_acquire: Cell(Rlock);
        rialto_rlock_acquire_timeout: Cell(Rlock) Patience;
        rialto_rlock_release: Cell(Rlock);
        rialto_rlock_mark_consistent: Cell(Rlock);
        rialto_rlock_is_mine: Cell(Rlock) Out;
        rialto_rlock_is_locked: Cell(Rlock) Out;
        rialto_rlock_recursion: Cell(Rlock) Out;
        rialto_rlock_reset: Cell(Rlock);
        rialto_rlock_destroy: Cell(Rlock);
        rialto_event_init: Fresh(Event);
        rialto_event_attach: Cell(Event);
        rialto_event_set: Cell(Event);
        rialto_event_clear: Cell(Event);
        rialto_event_is_set: Cell(Event) Out;
        rialto_event_wait: Cell(Event) => event;
        rialto_event_wait_timeout: Cell(Event) Timeout;
        rialto_semaphore_init: Fresh(Semaphore) Number;
        rialto_semaphore_init_bounded: Fresh(Semaphore) Number;
        rialto_semaphore_attach: Cell(Semaphore);
        rialto_semaphore_acquire: Cell(Semaphore) => semaphore;
        rialto_semaphore_try_acquire: Cell(Semaphore);
        rialto_semaphore_acquire_timeout: Cell(Semaphore) Timeout;
        rialto_semaphore_release: Cell(Semaphore);
        rialto_semaphore_release_many: Cell(Semaphore) Number;
        rialto_semaphore_value: Cell(Semaphore) Out;
        rialto_semaphore_bound: Cell(Semaphore) Out;
        rialto_condition_init: Fresh(Condition);
        rialto_condition_attach: Cell(Condition);
        rialto_condition_wait: Cell(Condition) Cell(Lock) => condition;
        rialto_condition_wait_timeout: Cell(Condition) Cell(Lock) Timeout;
        rialto_condition_wait_for: Cell(Condition) Cell(Lock) Callback Context => honest;
        rialto_condition_wait_for_timeout: Cell(Condition) Cell(Lock) Timeout Callback Context;
        rialto_condition_wait_rlock: Cell(Condition) Cell(Rlock) => condition;
        rialto_condition_wait_timeout_rlock: Cell(Condition) Cell(Rlock) Timeout;
        rialto_condition_wait_for_rlock: Cell(Condition) Cell(Rlock) Callback Context => honest;
        rialto_condition_wait_for_timeout_rlock: Cell(Condition) Cell(Rlock) Timeout Callback Context;
        rialto_condition_notify: Cell(Condition) Number;
        rialto_condition_notify_all: Cell(Condition) Cell(Lock);
        rialto_condition_notify_all_rlock: Cell(Condition) Cell(Rlock);
        rialto_lock_create: View(Region) Name("lock") Found(Lock) => honest;
        rialto_lock_open: View(Region) Name("lock") Found(Lock);
        rialto_lock_open_or_create: View(Region) Name("lock") Found(Lock) => honest;
        rialto_rlock_create: View(Region) Name("rlock") Found(Rlock) => honest;
        rialto_rlock_open: View(Region) Name("rlock") Found(Rlock);
        rialto_rlock_open_or_create: View(Region) Name("rlock") Found(Rlock) => honest;
        rialto_event_create: View(Region) Name("event") Found(Event) => honest;
        rialto_event_open: View(Region) Name("event") Found(Event);
        rialto_event_open_or_create: View(Region) Name("event") Found(Event) => honest;
        rialto_condition_create: View(Region) Name("condition") Found(Condition) => honest;
        rialto_condition_open: View(Region) Name("condition") Found(Condition);
        rialto_condition_open_or_create: View(Region) Name("condition") Found(Condition) => honest;
        rialto_semaphore_create: View(Region) Name("semaphore") Number Bool Found(Semaphore) => honest;
        rialto_semaphore_open: View(Region) Name("semaphore") Found(Semaphore);
        rialto_semaphore_open_or_create: View(Region) Name("semaphore") Number Bool Found(Semaphore) => honest;
    }
}
