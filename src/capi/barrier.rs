//! `rialto_barrier_t`.

use super::{View, check, get, name, put, rialto_member_t, rialto_region_t, status};
use crate::{
    Barrier,
    error::{Error, Result},
    time::FOREVER,
};
use core::ffi::{c_char, c_int, c_void};

/// A barrier, at which an agreed number of parties wait for each other, as often as they like. A
/// plain view. A party that times out, aborts, or dies while it waits (or anywhere, if it is
/// registered) breaks the barrier for all, until somebody resets it. Cf. pthread_barrier_t, which
/// hangs then.
#[repr(C)]
pub struct rialto_barrier_t {
    /// Private.
    pub _private: [u64; 16],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_barrier_t {
    type Handle = Barrier<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"cbarrier");
    const PINNED: bool = false;
}

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn barrier_at(barrier: *const rialto_barrier_t) -> Result<Barrier<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(barrier) }.copied()
}

/// # Safety
/// The pointers are as C says.
unsafe fn create(
    region: *const rialto_region_t,
    name: *const c_char,
    parties: u32,
    timeout_ns: u64,
    barrier: *mut rialto_barrier_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the barrier.
    status(check(barrier).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(barrier, get::<'static, _>(region)?.create_barrier_timeout(name, parties, timeout_ns)?);
        Ok(())
    }))
}

/// # Safety
/// The pointers are as C says.
unsafe fn wait(
    barrier: *const rialto_barrier_t,
    timeout_ns: u64,
    action: impl FnOnce() -> bool,
    index: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(index).and_then(|()| unsafe {
        index.write(barrier_at(barrier)?.wait_with(timeout_ns, action)?);
        Ok(())
    }))
}

/// Makes a barrier in a region, whole, with nobody there, waiting for others who create there as
/// long as it takes. Cf. pthread_barrier_init.
///
/// region      alive; its view must outlive the barrier's.
/// name        1 to 31 bytes of UTF-8.
/// parties     how many wait for each other; 1 to 4095. It takes 512 bytes and 24 for each.
/// barrier     gets the view.
/// Returns     as rialto_queue_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole barrier or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_create(
    region: *const rialto_region_t,
    name: *const c_char,
    parties: u32,
    barrier: *mut rialto_barrier_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, parties, FOREVER, barrier) }
}

/// As rialto_barrier_create, waiting at most `timeout_ns` nanoseconds for others who create.
///
/// region, name, parties, barrier
///             as for rialto_barrier_create.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_barrier_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
/// Concurrency as rialto_barrier_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_barrier_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_create_timeout(
    region: *const rialto_region_t,
    name: *const c_char,
    parties: u32,
    timeout_ns: u64,
    barrier: *mut rialto_barrier_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, parties, timeout_ns, barrier) }
}

/// Finds the barrier of that name.
///
/// region      alive; its view must outlive the barrier's.
/// name        as it was created.
/// barrier     gets the view.
/// Returns     as rialto_lock_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_open(
    region: *const rialto_region_t,
    name: *const c_char,
    barrier: *mut rialto_barrier_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the barrier.
    status(check(barrier).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(barrier, get::<'static, _>(region)?.open_barrier(name)?);
        Ok(())
    }))
}

/// The barrier of that name, which is created if there is none.
///
/// region, name, parties, barrier
///             as for rialto_barrier_create.
/// Returns     as rialto_barrier_open and rialto_barrier_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created for another number of
///             parties.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_barrier_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_barrier_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    parties: u32,
    barrier: *mut rialto_barrier_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives it.
    status(check(barrier).and_then(|()| unsafe {
        let name = self::name(name)?;
        put(barrier, get::<'static, _>(region)?.open_or_create_barrier(name, parties)?);
        Ok(())
    }))
}

/// The same barrier, seen by a member that you made, whichever thread calls: that member is the
/// party that waits or registers through the new view.
///
/// barrier     alive.
/// member      alive, of the same region's view; it must outlive the new view's use. One of another
///             region is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a
///             forked child, which must not act as it.
/// as_member   gets the new view; may be `barrier`.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_as_member(
    barrier: *const rialto_barrier_t,
    member: *const rialto_member_t,
    as_member: *mut rialto_barrier_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the member outlives the new view.
    status(check(as_member).and_then(|()| unsafe {
        let view = barrier_at(barrier)?.as_member(get::<'static, _>(member)?);
        put(as_member, view);
        Ok(())
    }))
}

/// Waits until all parties have come, as long as it takes. Who finds all places taken waits for the
/// next generation. Cf. pthread_barrier_wait.
///
/// barrier     alive.
/// index       gets a number that no other party gets this time: 0 to parties - 1, in the order in
///             which they came. For the choice of one who does something; not NULL.
/// Returns     RIALTO_OK; RIALTO_EBROKEN (it is broken, or was while we waited: by a timeout, a
///             death, a failed action, an abort or a reset); RIALTO_EPERM (rialto_barrier_as_member:
///             the member is gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's
///             first use); RIALTO_EINVAL (also: the member is not of this region).
/// Concurrency any thread of any process.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   waiting: the barrier is broken for the others within a tick, unless all had come
///             already. Elsewhere: only if we are registered, see rialto_barrier_register; who dies
///             unregistered is waited for for ever, or until a timeout.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_wait(barrier: *const rialto_barrier_t, index: *mut u32) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(barrier, FOREVER, || true, index) }
}

/// Waits until all parties have come, at most `timeout_ns` nanoseconds.
///
/// barrier, index
///             as for rialto_barrier_wait.
/// timeout_ns  0 does not wait; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_barrier_wait; RIALTO_ETIMEDOUT (also with 0, unless we came last and there
///             was time to see to the dead): the barrier is broken by that for all, and the others
///             get RIALTO_EBROKEN; also if we waited for the next generation only.
/// Concurrency any thread of any process.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_barrier_wait.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_wait_timeout(
    barrier: *const rialto_barrier_t,
    timeout_ns: u64,
    index: *mut u32,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { wait(barrier, timeout_ns, || true, index) }
}

/// As rialto_barrier_wait_timeout; the party that comes last runs its action before anybody is
/// released. Parties may bring different ones, or none by another wait.
///
/// barrier, index
///             as for rialto_barrier_wait.
/// timeout_ns  as for rialto_barrier_wait_timeout; the action itself has no timeout.
/// action      returns 0; anything else breaks the barrier. It must return, so not wait here itself.
/// arg         passed to it; may be NULL.
/// Returns     as rialto_barrier_wait_timeout; RIALTO_EBROKEN also for the one whose action failed.
/// Concurrency any thread of any process.  Blocks: yes, through signals.
/// Signals     not async-signal-safe.
/// If we die   as rialto_barrier_wait; so in the action.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_wait_action_timeout(
    barrier: *const rialto_barrier_t,
    timeout_ns: u64,
    action: Option<unsafe extern "C" fn(arg: *mut c_void) -> c_int>,
    arg: *mut c_void,
    index: *mut u32,
) -> c_int {
    let Some(action) = action else { return Error::Invalid.code() };
    // SAFETY: the caller's word.
    unsafe { wait(barrier, timeout_ns, || action(arg) == 0, index) }
}

/// Makes the calling thread's member (or the view's, see rialto_barrier_as_member) known as a party:
/// from here on its death, or its thread's end, breaks the barrier also while it is elsewhere. Once
/// is enough; a second time changes nothing. Who does not register may wait all the same.
///
/// barrier     alive.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (as many members as there are parties have registered);
///             RIALTO_EPERM (rialto_barrier_as_member: the member is gone); RIALTO_ENFILE,
///             RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL (also: the
///             member is not of this region).
/// Concurrency any thread of any process.  Blocks: no; if the registry is full, it looks among all
///             members for the dead, a tick at most.
/// Signals     not async-signal-safe.
/// If we die   it is registered or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_register(barrier: *const rialto_barrier_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { barrier_at(barrier) }.and_then(|barrier| barrier.register()))
}

/// Undoes rialto_barrier_register. Needed before the member can leave the region.
///
/// barrier     alive.
/// Returns     RIALTO_OK; RIALTO_EPERM (not registered, or the member is gone); RIALTO_ENFILE,
///             RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL (also: the
///             member is not of this region).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   it is registered still, and so breaks the barrier, or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_unregister(barrier: *const rialto_barrier_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { barrier_at(barrier) }.and_then(|barrier| barrier.unregister()))
}

/// Makes the barrier whole, with nobody there. Those who wait in it now get RIALTO_EBROKEN. The
/// number of parties stays: somebody must come in the place of a dead one. A death that nobody has
/// noticed yet breaks it again: call rialto_region_recover first.
///
/// barrier     alive.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is reset or it is not; waiters notice within a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_reset(barrier: *const rialto_barrier_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { barrier_at(barrier) }.map(|barrier| barrier.reset()))
}

/// Breaks the barrier: those who wait in it now, or come before a reset, get RIALTO_EBROKEN. Again
/// is harmless.
///
/// barrier     alive.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is broken or it is not; waiters notice within a tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_abort(barrier: *const rialto_barrier_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { barrier_at(barrier) }.map(|barrier| barrier.abort()))
}

/// Whether the barrier is broken.
///
/// barrier     alive.
/// is_broken   gets the answer, which may be old when you read it. A death breaks it when somebody
///             who waits, or rialto_region_recover, finds it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_is_broken(
    barrier: *const rialto_barrier_t,
    is_broken: *mut bool,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(is_broken).and_then(|()| unsafe {
        is_broken.write(barrier_at(barrier)?.is_broken());
        Ok(())
    }))
}

/// How many wait in the barrier. Walks over all places.
///
/// barrier     alive.
/// parties     gets the number, which may be old when you read it; 0 if the barrier is broken.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_n_waiting(
    barrier: *const rialto_barrier_t,
    parties: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(parties).and_then(|()| unsafe {
        parties.write(barrier_at(barrier)?.n_waiting());
        Ok(())
    }))
}

/// How many parties wait for each other.
///
/// barrier     alive.
/// parties     gets the number that it was created with.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_barrier_parties(
    barrier: *const rialto_barrier_t,
    parties: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(parties).and_then(|()| unsafe {
        parties.write(barrier_at(barrier)?.parties());
        Ok(())
    }))
}
