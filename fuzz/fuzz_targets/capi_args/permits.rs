//! Calls of tracked semaphores and barriers.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_tracked_semaphore_create: View(Region) Name("tracked_semaphore") Number New(Tracked) => honest;
        rialto_tracked_semaphore_create_timeout: View(Region) Name("tracked_semaphore") Number Patience New(Tracked);
        rialto_tracked_semaphore_open: View(Region) Name("tracked_semaphore") New(Tracked);
        rialto_tracked_semaphore_open_or_create: View(Region) Name("tracked_semaphore") Number New(Tracked) => honest;
        rialto_tracked_semaphore_as_member: View(Tracked) View(Member) New(Tracked);
        rialto_tracked_semaphore_acquire: View(Tracked) PermitOut => permit;
        rialto_tracked_semaphore_try_acquire: View(Tracked) PermitOut;
        rialto_tracked_semaphore_acquire_timeout: View(Tracked) Timeout PermitOut;
        rialto_tracked_semaphore_release: View(Tracked) Permit;
        rialto_tracked_semaphore_value: View(Tracked) Out;
        rialto_tracked_semaphore_bound: View(Tracked) Out;
        rialto_barrier_create: View(Region) Name("barrier") Number New(Barrier) => honest;
        rialto_barrier_create_timeout: View(Region) Name("barrier") Number Patience New(Barrier);
        rialto_barrier_open: View(Region) Name("barrier") New(Barrier);
        rialto_barrier_open_or_create: View(Region) Name("barrier") Number New(Barrier) => honest;
        rialto_barrier_as_member: View(Barrier) View(Member) New(Barrier);
        rialto_barrier_wait: View(Barrier) Out => barrier;
        rialto_barrier_wait_timeout: View(Barrier) Timeout Out;
        rialto_barrier_wait_action_timeout: View(Barrier) Timeout Callback Context Out;
        rialto_barrier_register: View(Barrier);
        rialto_barrier_unregister: View(Barrier);
        rialto_barrier_reset: View(Barrier);
        rialto_barrier_abort: View(Barrier);
        rialto_barrier_is_broken: View(Barrier) Out;
        rialto_barrier_n_waiting: View(Barrier) Out;
        rialto_barrier_parties: View(Barrier) Out;
    }
}
