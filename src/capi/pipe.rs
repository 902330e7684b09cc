//! `rialto_pipe_t`: the pipe itself, and claiming one of its ends. What is done with an end is in `connection`.

use super::{
    View, check, get, layout_of, put, rialto_connection_t, rialto_layout_t, rialto_member_t, rialto_region_t,
    status,
};
use crate::{
    Pipe, PipeConfig,
    error::{Error, Result},
    time::FOREVER,
};
use core::ffi::{c_char, c_int};

/// What a pipe is created with. Fill it with rialto_pipe_config_default, then change what
/// you like.
#[repr(C)]
pub struct rialto_pipe_config_t {
    /// Room for messages on their way, in each direction; a message takes 8 bytes more than its
    /// length, rounded up to 16. 1 to 2^30, rounded up to a multiple of 128.
    pub ring_bytes: u32,
    /// The longest message, in bytes. 1 to 2^30; one that is longer than about half of ring_bytes
    /// goes in chunks, see rialto_connection_max_chunk_bytes.
    pub max_message_bytes: u32,
    /// 0 or RIALTO_PIPE_DUPLEX.
    pub flags: u32,
    /// Must be 0.
    pub _reserved: [u32; 5],
}

/// A pipe flag: both ends send and receive. Without it end 0 receives and end 1 sends, as with
/// Python's Pipe(False).
pub const RIALTO_PIPE_DUPLEX: u32 = 1;

/// A pipe: byte messages between two ends, each of which rialto_pipe_connect claims for one holder,
/// for good. A plain view. Cf. socketpair.
#[repr(C)]
pub struct rialto_pipe_t {
    /// Private.
    pub _private: [u64; 32],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_pipe_t {
    type Handle = Pipe<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c pipe  ");
    const PINNED: bool = false;
}

/// # Safety
/// Null, misaligned, or valid for reads.
unsafe fn config_at(ptr: *const rialto_pipe_config_t) -> Result<PipeConfig> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    if config._reserved != [0; 5] || config.flags & !RIALTO_PIPE_DUPLEX != 0 {
        return Err(Error::Invalid);
    }
    Ok(PipeConfig {
        ring_bytes: config.ring_bytes,
        max_message_bytes: config.max_message_bytes,
        duplex: config.flags & RIALTO_PIPE_DUPLEX != 0,
    })
}

/// # Safety
/// As [`get`], for a view whose region outlives the result.
unsafe fn pipe_at(pipe: *const rialto_pipe_t) -> Result<Pipe<'static>> {
    // SAFETY: the caller's word.
    unsafe { get(pipe) }.copied()
}

/// Writes what a pipe answers.
///
/// # Safety
/// The pointers are as C says.
unsafe fn answer<T>(pipe: *const rialto_pipe_t, out: *mut T, ask: impl FnOnce(Pipe<'static>) -> T) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(out).and_then(|()| unsafe {
        out.write(ask(pipe_at(pipe)?));
        Ok(())
    }))
}

/// # Safety
/// The pointers are as C says.
unsafe fn create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_pipe_config_t,
    timeout_ns: u64,
    pipe: *mut rialto_pipe_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the pipe.
    status(check(pipe).and_then(|()| unsafe {
        let (name, config) = (super::name(name)?, config_at(config)?);
        put(pipe, get::<'static, _>(region)?.create_pipe_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// Fills in the defaults: RIALTO_PIPE_DUPLEX, messages of up to 2^30 bytes.
///
/// ring_bytes  room for messages on their way, in each direction.
/// config      gets this and the usual for the rest; the number is not checked yet.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_config_default(
    ring_bytes: u32,
    config: *mut rialto_pipe_config_t,
) -> c_int {
    let PipeConfig { ring_bytes, max_message_bytes, duplex } = PipeConfig::new(ring_bytes);
    let flags = if duplex { RIALTO_PIPE_DUPLEX } else { 0 };
    let usual = rialto_pipe_config_t { ring_bytes, max_message_bytes, flags, _reserved: [0; 5] };
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}

/// What a pipe takes in its region.
///
/// config      of the pipe.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_layout(
    config: *const rialto_pipe_config_t,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(config_at(config)?.layout()?));
        Ok(())
    }))
}

/// Makes an empty pipe in a region, whose ends are nobody's yet; waits for others who create there
/// as long as it takes. Cf. pipe, socketpair.
///
/// region      alive; its view must outlive the pipe's.
/// name        1 to 31 bytes of UTF-8.
/// config      how much room, how long, one way or both.
/// pipe        gets the view.
/// Returns     as rialto_queue_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole pipe or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_pipe_config_t,
    pipe: *mut rialto_pipe_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, config, FOREVER, pipe) }
}

/// As rialto_pipe_create, waiting at most `timeout_ns` nanoseconds for others who create.
///
/// region, name, config, pipe
///             as for rialto_pipe_create.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_pipe_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
/// Concurrency as rialto_pipe_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_pipe_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_create_timeout(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_pipe_config_t,
    timeout_ns: u64,
    pipe: *mut rialto_pipe_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, config, timeout_ns, pipe) }
}

/// Finds the pipe of that name.
///
/// region      alive; its view must outlive the pipe's.
/// name        as it was created.
/// pipe        gets the view.
/// Returns     as rialto_queue_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_open(
    region: *const rialto_region_t,
    name: *const c_char,
    pipe: *mut rialto_pipe_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the pipe.
    status(check(pipe).and_then(|()| unsafe {
        let name = super::name(name)?;
        put(pipe, get::<'static, _>(region)?.open_pipe(name)?);
        Ok(())
    }))
}

/// As rialto_pipe_open, if the pipe was created with these parameters (and as many bytes, rounded
/// up).
///
/// region, name, pipe
///             as for rialto_pipe_open.
/// config      what is expected.
/// Returns     as rialto_pipe_open; RIALTO_EWRONGKIND also if it was created with other parameters.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_open_as(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_pipe_config_t,
    pipe: *mut rialto_pipe_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the pipe.
    status(check(pipe).and_then(|()| unsafe {
        let (name, config) = (super::name(name)?, config_at(config)?);
        put(pipe, get::<'static, _>(region)?.open_pipe_as(name, &config)?);
        Ok(())
    }))
}

/// The pipe of that name, which is created if there is none.
///
/// region, name, config, pipe
///             as for rialto_pipe_create.
/// Returns     as rialto_pipe_open and rialto_pipe_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another config.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_pipe_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_pipe_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_pipe_config_t,
    pipe: *mut rialto_pipe_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives it.
    status(check(pipe).and_then(|()| unsafe {
        let name = super::name(name)?;
        put(pipe, get::<'static, _>(region)?.open_or_create_pipe(name, &config_at(config)?)?);
        Ok(())
    }))
}

/// Claims one end of the pipe, for good: nobody else can, even when it was closed or its holder
/// died. It is the calling thread's own member that holds it: when that thread ends, the end is
/// closed.
///
/// pipe        alive; its region's view must outlive the connection's.
/// end         0 or 1. If the pipe is not duplex, 0 receives and 1 sends.
/// connection  gets the view. Do not pass one that is alive: its end would stay claimed.
/// Returns     RIALTO_OK; RIALTO_EUSERS (claimed before, by whomever); RIALTO_EBADREGION;
///             RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
///             RIALTO_EINVAL (also: no such end).
/// Concurrency any thread of any process: one of several wins.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the end is nobody's still, or closed.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_connect(
    pipe: *const rialto_pipe_t,
    end: u32,
    connection: *mut rialto_connection_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the connection.
    status(check(connection).and_then(|()| unsafe {
        put(connection, pipe_at(pipe)?.connect(end as usize)?);
        Ok(())
    }))
}

/// As rialto_pipe_connect, but it is a member that you made that holds the end, whichever thread
/// calls: the end is closed when the thread that joined ends.
///
/// pipe, end, connection
///             as for rialto_pipe_connect.
/// member      alive, of the same region's view. It cannot leave before the connection is closed.
///             Stays the parent's in a forked child, which must not act as it.
/// Returns     as rialto_pipe_connect; RIALTO_EPERM (the member's thread has ended); RIALTO_EINVAL
///             also for a member of another region.
/// Concurrency as rialto_pipe_connect.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_pipe_connect.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_connect_as(
    pipe: *const rialto_pipe_t,
    member: *const rialto_member_t,
    end: u32,
    connection: *mut rialto_connection_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: region and member outlive the connection.
    status(check(connection).and_then(|()| unsafe {
        let pipe = pipe_at(pipe)?.as_member(get::<'static, _>(member)?);
        put(connection, pipe.connect(end as usize)?);
        Ok(())
    }))
}

/// Whether both ends send and receive.
///
/// pipe        alive.
/// is_duplex   gets the answer. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_is_duplex(pipe: *const rialto_pipe_t, is_duplex: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(pipe, is_duplex, |pipe| pipe.is_duplex()) }
}

/// Room for messages on their way, in each direction.
///
/// pipe        alive.
/// ring_bytes  gets the bytes: at least what was asked for. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_ring_bytes(pipe: *const rialto_pipe_t, ring_bytes: *mut usize) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(pipe, ring_bytes, |pipe| pipe.ring_bytes()) }
}

/// The longest message.
///
/// pipe        alive.
/// message_bytes
///             gets its length. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_pipe_max_message_bytes(
    pipe: *const rialto_pipe_t,
    message_bytes: *mut usize,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(pipe, message_bytes, |pipe| pipe.max_message_bytes()) }
}
