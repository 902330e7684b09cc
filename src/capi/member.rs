//! `rialto_member_t`.

use super::{View, check, end, get, put, rialto_region_t, status};
use crate::{Member, error::Error};
use core::ffi::c_int;

/// A membership that you made yourself, instead of the one that each thread gets on first use: for
/// thread pools, where the thread that acts is not the one whose death should count. A pinned view;
/// it belongs to the thread that joined, which must outlive its use.
#[repr(C)]
pub struct rialto_member_t {
    /// Private.
    pub _private: [u64; 8],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_member_t {
    type Handle = Member<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c member");
    const PINNED: bool = true;
}

/// Makes the calling thread a member besides (or instead of) its implicit membership. Pass the view
/// to rialto_queue_as_member or the like. What the member has in hand is given back when this thread
/// dies or ends, a barrier that it is a party of is broken, and its ends of pipes are closed.
///
/// region      alive; it must outlive the member.
/// member      gets the view.
/// Returns     RIALTO_OK; RIALTO_ENFILE (the table is full); RIALTO_EMFILE (this thread holds 64
///             locks and memberships); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no; if the table is full, it looks among all
///             members for the dead, a tick at most.
/// Signals     not async-signal-safe.
/// If we die   the place in the table is recovered by the next who need it.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_join(
    region: *const rialto_region_t,
    member: *mut rialto_member_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the member.
    status(check(member).and_then(|()| unsafe {
        put(member, get::<'static, _>(region)?.join()?);
        Ok(())
    }))
}

/// Its number in the region, unique among members at a time.
///
/// member      alive.
/// id          gets 1 to 4095.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_member_id(member: *const rialto_member_t, id: *mut u32) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(id).and_then(|()| unsafe {
        id.write(u32::from(get(member)?.id()));
        Ok(())
    }))
}

/// Ends the membership and its view.
///
/// member      alive; no other thread is using it, nor a view that acts as it.
/// Returns     RIALTO_OK; RIALTO_EPERM (another thread, or a forked child: not done); RIALTO_EBUSY
///             (it has a message, a permit or an end in hand, or is registered with a barrier, or
///             waits there: not done); RIALTO_ENOMEM; RIALTO_EINVAL (also: left already).
/// Concurrency the thread that joined.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as if we had died before.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_member_leave(member: *mut rialto_member_t) -> c_int {
    let left = || {
        // SAFETY: the caller's word.
        if unsafe { get(member) }?.has_in_hand() {
            return Err(Error::Busy);
        }
        // SAFETY: the caller's word: nobody else uses it.
        unsafe { end(member, Member::leave) }
    };
    status(left())
}
