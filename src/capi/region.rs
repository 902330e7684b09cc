//! `rialto_region_t`.

use super::{RIALTO_OK, View, check, check_optional, code, get, name, put, put_optional, status, take};
use crate::{
    error::{Error, Result},
    layout::Layout,
    member::{Depth, Recovered},
    region::{Region, RegionConfig},
};
use core::ffi::{c_char, c_int, c_void};

/// Bytes and alignment of something.
#[repr(C)]
pub struct rialto_layout_t {
    /// Bytes.
    pub size: u64,
    /// A power of two.
    pub align: u64,
}

/// What a region is created with. Fill it with rialto_region_config_default, then change what you
/// like.
#[repr(C)]
pub struct rialto_region_config_t {
    /// How many threads can be members at a time, explicit memberships included: 1 to 4095. So many
    /// views of the region, and 16 more, can use objects.
    pub members: u32,
    /// How many named objects there can be. 1 to 4096.
    pub objects: u32,
    /// The bound, in milliseconds, within which a sleeper notices what nobody told it. 1 to
    /// 60000.
    pub tick_ms: u32,
    /// Must be 0.
    pub _reserved: [u32; 5],
}

/// What a recovery found.
#[repr(C)]
pub struct rialto_recovered_t {
    /// Members whose recovery was completed by this call.
    pub members: u32,
    /// Messages that dead members had in hand, now waiting for somebody else.
    pub redelivered: u32,
    /// Queue slots that dead producers had claimed and not filled.
    pub freed: u32,
    /// Messages given up: by RIALTO_ON_DEATH_DROP, or because 31 holders died with them.
    pub dropped: u32,
    /// Permits of tracked semaphores that dead members held.
    pub permits: u32,
    /// Barriers that were broken because a party of theirs died.
    pub broken: u32,
    /// Ends of pipes and SPSC queues that dead members held.
    pub ends: u32,
    /// 0.
    pub _reserved: u32,
}

/// A region, as this process sees it: a pinned view, on your stack or wherever you like. It must
/// outlive all views made from it. A forked child may go on using its copy of the process's memory.
// It has a 64-bit atomic in it, and a C `uint64_t` on i386 is aligned to 4 only.
#[repr(C, align(8))]
pub struct rialto_region_t {
    /// Private.
    pub _private: [u64; 16],
}

/// For rialto_region_recover: believe what the kernel marked. Two loads per member.
pub const RIALTO_RECOVER_MARKED: u32 = 0;
/// For rialto_region_recover: also ask the system about one unmarked member, another one
/// each time.
pub const RIALTO_RECOVER_TICK: u32 = 1;
/// For rialto_region_recover: ask about all of them.
pub const RIALTO_RECOVER_THOROUGH: u32 = 2;

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_region_t {
    type Handle = Region;
    const TAG: u64 = u64::from_le_bytes(*b"c region");
    const PINNED: bool = true;
}

pub(super) fn layout_of(layout: Layout) -> rialto_layout_t {
    rialto_layout_t { size: layout.size, align: layout.align }
}

/// # Safety
/// Null, misaligned, or valid for reads.
unsafe fn config(ptr: *const rialto_region_config_t) -> Result<RegionConfig> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    let narrow = |value: u32| u16::try_from(value).map_err(|_| Error::Invalid);
    if config._reserved != [0; 5] {
        return Err(Error::Invalid);
    }
    Ok(RegionConfig {
        members: narrow(config.members)?,
        objects: narrow(config.objects)?,
        tick_ms: config.tick_ms,
    })
}

/// Makes a view of what `make` makes, which is not called if there is nowhere to put it.
///
/// # Safety
/// Null, misaligned, or valid for writes.
unsafe fn made(out: *mut rialto_region_t, make: impl FnOnce() -> Result<Region>) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| make().map(|region| unsafe { put(out, region) })))
}

/// Fills in the defaults: 64 members, 32 objects, a tick of 100 ms.
///
/// config      gets them.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_config_default(config: *mut rialto_region_config_t) -> c_int {
    let RegionConfig { members, objects, tick_ms } = RegionConfig::default();
    let usual = rialto_region_config_t {
        members: u32::from(members),
        objects: u32::from(objects),
        tick_ms,
        _reserved: [0; 5],
    };
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}

/// What a region takes for its header and tables; the layouts of its objects come on top, each
/// rounded up to its alignment.
///
/// config      of the region.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_layout(
    config: *const rialto_region_config_t,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(self::config(config)?.layout()?));
        Ok(())
    }))
}

/// Makes a region in your memory. For the first party.
///
/// region      gets the view.
/// memory      128-aligned; zero-filled, or left by somebody who died in here; used by nobody before
///             this returns, by nobody but Rialto afterwards, and mapped until rialto_region_detach
///             has returned RIALTO_OK.
/// memory_bytes
///             how many.
/// config      how many members and objects.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (no room for the tables); RIALTO_EEXIST (a region is there
///             already; clear its first 8 bytes if you mean it); RIALTO_EINVAL.
/// Concurrency one thread of one process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   rialto_region_attach refuses what is left; call this again.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_init(
    region: *mut rialto_region_t,
    memory: *mut c_void,
    memory_bytes: usize,
    config: *const rialto_region_config_t,
) -> c_int {
    // SAFETY: the caller's word; null and misaligned memory is refused in there.
    unsafe { made(region, || Region::init(memory.cast(), memory_bytes, &self::config(config)?)) }
}

/// Attaches to the region that somebody made in memory that you mapped, wherever you mapped it.
///
/// region      gets the view.
/// memory      128-aligned, readable and writable, shared, mapped until rialto_region_detach has
///             returned RIALTO_OK. What is in it does not matter: it is checked, and believed only
///             as far as that goes.
/// memory_bytes
///             how many are mapped; the region may be smaller.
/// Returns     RIALTO_OK; RIALTO_EBADREGION (no region, half a one, or larger than memory_bytes);
///             RIALTO_EVERSION; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   nothing happened.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_attach(
    region: *mut rialto_region_t,
    memory: *mut c_void,
    memory_bytes: usize,
) -> c_int {
    // SAFETY: the caller's word; null and misaligned memory is refused in there.
    unsafe { made(region, || Region::attach(memory.cast(), memory_bytes)) }
}

/// Makes a region that the children see which this process forks from now on.
///
/// region      gets the view.
/// size_bytes  of the whole region.
/// config      how many members and objects.
/// Returns     RIALTO_OK; RIALTO_ENOSPC (too small for the tables); RIALTO_ENOMEM; RIALTO_EINVAL;
///             another negated errno of mmap.
/// Concurrency any thread.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the memory goes with us.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_create_anonymous(
    region: *mut rialto_region_t,
    size_bytes: usize,
    config: *const rialto_region_config_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { made(region, || Region::create_anonymous(size_bytes, &self::config(config)?)) }
}

/// Makes a region in a memfd, all pages allocated, sealed against resizing. Pass rialto_region_fd on
/// by inheritance, SCM_RIGHTS, or as /proc/PID/fd/N.
///
/// region      gets the view.
/// size_bytes  of the whole region.
/// config      how many members and objects.
/// Returns     RIALTO_OK; RIALTO_ENOSPC; RIALTO_ENOMEM; RIALTO_ENOTSUP; RIALTO_EINVAL; another
///             negated errno.
/// Concurrency any thread.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the memory goes with us, unless somebody has the descriptor.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_create_memfd(
    region: *mut rialto_region_t,
    size_bytes: usize,
    config: *const rialto_region_config_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { made(region, || Region::create_memfd(size_bytes, &self::config(config)?)) }
}

/// Attaches to the region in a file: a memfd, or what shm_open or open gave. Maps it.
///
/// region      gets the view.
/// fd          open for reading and writing; stays yours, and may be closed afterwards.
/// Returns     as rialto_region_attach; RIALTO_ENOSPC (pages were missing and there is no room);
///             RIALTO_ENOMEM; another negated errno, say -9 (EBADF).
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   nothing happened.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_attach_fd(region: *mut rialto_region_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    unsafe { made(region, || Region::attach_fd(fd)) }
}

/// Makes a region under a name in /dev/shm, all pages allocated, readable by this user only. It
/// appears there whole or not at all. It stays until rialto_region_unlink_named.
///
/// region      gets the view.
/// name        1 to 255 bytes of UTF-8, no slash but one in front.
/// size_bytes  of the whole region.
/// config      how many members and objects.
/// Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (too small, or /dev/shm is full);
///             RIALTO_ENOMEM; RIALTO_ENOTSUP; RIALTO_EINVAL; another negated errno.
/// Concurrency any thread of any process: one of several wins.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the name is there and the region whole, or nothing is.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_create_named(
    region: *mut rialto_region_t,
    name: *const c_char,
    size_bytes: usize,
    config: *const rialto_region_config_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { made(region, || Region::create_named(self::name(name)?, size_bytes, &self::config(config)?)) }
}

/// Attaches to the region of that name in /dev/shm. Cf. shm_open and mmap.
///
/// region      gets the view.
/// name        as it was created.
/// Returns     as rialto_region_attach_fd; RIALTO_ENOENT.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   nothing happened.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_attach_named(
    region: *mut rialto_region_t,
    name: *const c_char,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { made(region, || Region::attach_named(self::name(name)?)) }
}

/// Removes the name. Those who are attached keep the region. Cf. shm_unlink.
///
/// name        as it was created.
/// Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EINVAL; another negated errno.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is removed or it is not.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_unlink_named(name: *const c_char) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { self::name(name) }.and_then(Region::unlink_named))
}

/// The descriptor of a region that this view created as a memfd or under a name.
///
/// region      alive.
/// fd          gets it; it is the view's: do not close it.
/// Returns     RIALTO_OK; RIALTO_ENOENT (there is none: attached, anonymous, or your memory);
///             RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_fd(region: *const rialto_region_t, fd: *mut c_int) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(fd).and_then(|()| unsafe {
        fd.write(get(region)?.fd().ok_or(Error::NotFound)?);
        Ok(())
    }))
}

/// Where this process sees the region.
///
/// region      alive.
/// base        gets the address of its first byte.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_base(region: *const rialto_region_t, base: *mut *mut c_void) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(base).and_then(|()| unsafe {
        base.write(get(region)?.as_ptr().cast());
        Ok(())
    }))
}

/// How large the region is.
///
/// region      alive.
/// size_bytes  gets it.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_size(region: *const rialto_region_t, size_bytes: *mut usize) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(size_bytes).and_then(|()| unsafe {
        size_bytes.write(get(region)?.len());
        Ok(())
    }))
}

/// How many members there are at about this time, the dead that nobody has noticed included.
///
/// region      alive.
/// members     gets the number.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_member_count(
    region: *const rialto_region_t,
    members: *mut u32,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(members).and_then(|()| unsafe {
        members.write(get(region)?.member_count());
        Ok(())
    }))
}

/// Looks for members that are certainly dead and gives back all they had in hand. Blocked callers do
/// that by themselves; this is for programs that only poll.
///
/// region      alive.
/// depth       RIALTO_RECOVER_MARKED, RIALTO_RECOVER_TICK or RIALTO_RECOVER_THOROUGH.
/// recovered   gets what was found; may be NULL.
/// Returns     RIALTO_OK, whether or not anybody was dead; RIALTO_EINVAL.
/// Concurrency any thread of any process, several at once.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   somebody else does it again from the beginning.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_recover(
    region: *const rialto_region_t,
    depth: u32,
    recovered: *mut rialto_recovered_t,
) -> c_int {
    let found = || {
        check_optional(recovered)?;
        let depth = match depth {
            RIALTO_RECOVER_MARKED => Depth::Marked,
            RIALTO_RECOVER_TICK => Depth::Tick,
            RIALTO_RECOVER_THOROUGH => Depth::Thorough,
            _ => return Err(Error::Invalid),
        };
        // SAFETY: the caller's word.
        let Recovered { members, redelivered, freed, dropped, permits, broken, ends } =
            unsafe { get(region) }?.recover(depth);
        // SAFETY: checked, and the caller's word.
        unsafe {
            put_optional(
                recovered,
                rialto_recovered_t {
                    members,
                    redelivered,
                    freed,
                    dropped,
                    permits,
                    broken,
                    ends,
                    _reserved: 0,
                },
            )
        };
        Ok(RIALTO_OK)
    };
    code(found())
}

/// Ends the calling thread's own membership, which it got when it first used something here that has
/// members: a queue, pipe, SPSC queue, tracked semaphore or barrier. A thread that ends leaves by
/// itself; one that lives on stays a member until it calls this, of 16 regions at most: then it gets
/// RIALTO_EMFILE.
///
/// region      alive.
/// Returns     RIALTO_OK, also if it was no member; RIALTO_EBUSY (it has a message, a permit or an
///             end in hand, or is registered with a barrier: end that first); RIALTO_EPERM (a peer
///             has damaged its entry among the members); RIALTO_ENOMEM; RIALTO_EINVAL.
/// Concurrency any thread, for itself.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as if we had died before.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_leave(region: *const rialto_region_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { get(region) }.and_then(Region::leave))
}

/// Leaves, unmaps what Rialto mapped, closes its descriptor, and ends the view, and with it all
/// views and addresses that were got from it: using one afterwards is not noticed, and crashes. The
/// region lives on for the others. Refused while that could hurt this process; nothing but the
/// leaving is done then.
///
/// region      alive; no other thread is using it or what was made from it.
/// Returns     RIALTO_OK; RIALTO_EBUSY (a thread of this process is a member; or this one has a
///             message, a permit or an end in hand, is registered with a barrier, or holds a lock in
///             there); RIALTO_EPERM (a peer has damaged its entry among the members); RIALTO_ENOMEM;
///             RIALTO_EINVAL (also: detached already).
/// Concurrency one thread, the last.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as if we had died before.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_region_detach(region: *mut rialto_region_t) -> c_int {
    let detached = || {
        // SAFETY: the caller's word.
        let handle = unsafe { get(region) }?;
        // Asked through a reference: who is refused has other threads that use the view right now.
        handle.leave()?;
        if handle.in_use() {
            return Err(Error::Busy);
        }
        // SAFETY: the caller's word: nobody else uses it, and the tag says that it is there.
        drop(unsafe { take(region) }?);
        Ok(())
    };
    status(detached())
}
