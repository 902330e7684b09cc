//! `rialto_spsc_t`: the object itself, and who gets its ends.

use super::{
    answer, config::config_at, consumer::ConsumersView, fd_of, producer::ProducersView, rialto_consumer_t,
    rialto_producer_t, rialto_spsc_config_t, spsc_at,
};
use crate::{
    Spsc,
    capi::{View, check, get, put, rialto_member_t, rialto_region_t, status},
    error::Result,
    time::FOREVER,
    wait::Fd,
};
use core::ffi::{c_char, c_int};

/// A queue with one producer and one consumer at a time: rialto_spsc_producer and
/// rialto_spsc_consumer claim its ends. A plain view.
#[repr(C)]
pub struct rialto_spsc_t {
    /// Private.
    pub _private: [u64; 24],
}

// SAFETY: an array of words; `put` asserts that there is room.
unsafe impl View for rialto_spsc_t {
    type Handle = Spsc<'static>;
    const TAG: u64 = u64::from_le_bytes(*b"c spsc  ");
    const PINNED: bool = false;
}

/// # Safety
/// The pointers are as C says.
unsafe fn create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_spsc_config_t,
    timeout_ns: u64,
    spsc: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(spsc).and_then(|()| unsafe {
        let (name, config) = (crate::capi::name(name)?, config_at(config)?);
        put(spsc, get::<'static, _>(region)?.create_spsc_timeout(name, &config, timeout_ns)?);
        Ok(())
    }))
}

/// Makes an empty SPSC queue in a region, waiting for others who create there as long as it takes.
///
/// region      alive; its view must outlive the queue's.
/// name        1 to 31 bytes of UTF-8.
/// config      how many messages, how long.
/// spsc        gets the view.
/// Returns     as rialto_queue_create.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
///             (a stopped one holds it up).
/// Signals     not async-signal-safe.
/// If we die   there is a whole queue or none, and the room is not lost.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_spsc_config_t,
    spsc: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, config, FOREVER, spsc) }
}

/// As rialto_spsc_create, waiting at most `timeout_ns` nanoseconds for others who create.
///
/// region, name, config, spsc
///             as for rialto_spsc_create.
/// timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_spsc_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
/// Concurrency as rialto_spsc_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_spsc_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_create_timeout(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_spsc_config_t,
    timeout_ns: u64,
    spsc: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { create(region, name, config, timeout_ns, spsc) }
}

/// Finds the SPSC queue of that name.
///
/// region      alive; its view must outlive the queue's.
/// name        as it was created.
/// spsc        gets the view.
/// Returns     as rialto_queue_open.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_open(
    region: *const rialto_region_t,
    name: *const c_char,
    spsc: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(spsc).and_then(|()| unsafe {
        let name = crate::capi::name(name)?;
        put(spsc, get::<'static, _>(region)?.open_spsc(name)?);
        Ok(())
    }))
}

/// As rialto_spsc_open, if the queue was created with these parameters.
///
/// region, name, spsc
///             as for rialto_spsc_open.
/// config      what is expected.
/// Returns     as rialto_spsc_open; RIALTO_EWRONGKIND also if it was created with other parameters.
/// Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
/// Signals     not async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_open_as(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_spsc_config_t,
    spsc: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the queue.
    status(check(spsc).and_then(|()| unsafe {
        let (name, config) = (crate::capi::name(name)?, config_at(config)?);
        put(spsc, get::<'static, _>(region)?.open_spsc_as(name, &config)?);
        Ok(())
    }))
}

/// The SPSC queue of that name, which is created if there is none.
///
/// region, name, config, spsc
///             as for rialto_spsc_create.
/// Returns     as rialto_spsc_open and rialto_spsc_create, but neither RIALTO_ENOENT nor
///             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another config.
/// Concurrency any thread of any process: all get the same.  Blocks: as rialto_spsc_create.
/// Signals     not async-signal-safe.
/// If we die   as rialto_spsc_create.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_open_or_create(
    region: *const rialto_region_t,
    name: *const c_char,
    config: *const rialto_spsc_config_t,
    spsc: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives it.
    status(check(spsc).and_then(|()| unsafe {
        let name = crate::capi::name(name)?;
        put(spsc, get::<'static, _>(region)?.open_or_create_spsc(name, &config_at(config)?)?);
        Ok(())
    }))
}

/// The same queue, whose ends are then claimed for a member that you made, whichever thread calls.
///
/// spsc        alive.
/// member      alive, of the same region; it must outlive the new view's use. One of another region
///             is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a forked
///             child, which must not act as it.
/// as_member   gets the new view; may be `spsc`.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_as_member(
    spsc: *const rialto_spsc_t,
    member: *const rialto_member_t,
    as_member: *mut rialto_spsc_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the member outlives the new view.
    status(check(as_member).and_then(|()| unsafe {
        let view = spsc_at(spsc)?.as_member(get::<'static, _>(member)?);
        put(as_member, view);
        Ok(())
    }))
}

/// # Safety
/// The pointer is as C says, and nobody else uses the view.
unsafe fn set_fd(
    spsc: *mut rialto_spsc_t,
    fd: c_int,
    with: impl FnOnce(Spsc<'static>, Fd) -> Spsc<'static>,
) -> c_int {
    let set = || -> Result<()> {
        let fd = fd_of(fd)?;
        // SAFETY: the caller's word; alive, so it may be written.
        unsafe { put(spsc, with(spsc_at(spsc)?, fd)) };
        Ok(())
    };
    status(set())
}

/// From now on, closing through this view, and what producers push whose end is claimed with it from
/// now on, signals `fd` if somebody has armed for data since the last signal
/// (rialto_consumer_arm_data). Copies of the view made before do not; views made of it later do.
///
/// spsc        alive, used by nobody else meanwhile.
/// fd          this process's descriptor of the eventfd (EFD_NONBLOCK) that an event loop, here or
///             in another process, polls. It is not closed and must stay what it is. -1: none.
/// Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_set_data_fd(spsc: *mut rialto_spsc_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_fd(spsc, fd, |spsc, fd| spsc.with_data_fd(fd)) }
}

/// From now on, closing through this view, and what consumers take whose end is claimed with it from
/// now on, signals `fd` if somebody has armed for room since the last signal
/// (rialto_producer_arm_space). Copies of the view made before do not; views made of it later do.
///
/// spsc, fd    as for rialto_spsc_set_data_fd.
/// Returns     as rialto_spsc_set_data_fd.
/// Concurrency one thread, whichever.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_set_space_fd(spsc: *mut rialto_spsc_t, fd: c_int) -> c_int {
    // SAFETY: the caller's word.
    unsafe { set_fd(spsc, fd, |spsc, fd| spsc.with_space_fd(fd)) }
}

/// Claims the producer's end, until rialto_producer_end, or until its member is gone.
///
/// spsc        alive; its region's view must outlive the producer's.
/// producer    gets the view. Do not pass one that is alive: its end would stay taken.
/// Returns     RIALTO_OK; RIALTO_EUSERS (a living member has it; the dead are recovered);
///             RIALTO_EPERM (of a view made by rialto_spsc_as_member: the member has left);
///             RIALTO_EBADREGION; RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first
///             use); RIALTO_EINVAL.
/// Concurrency any thread of any process: one of several wins.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the end is free again. Who claims it next goes on behind the last message that was
///             pushed.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_producer(
    spsc: *const rialto_spsc_t,
    producer: *mut rialto_producer_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the producer.
    status(check(producer).and_then(|()| unsafe {
        put(producer, ProducersView::of(spsc_at(spsc)?.producer()?));
        Ok(())
    }))
}

/// As rialto_spsc_producer, waiting at most `timeout_ns` nanoseconds until the end is free.
///
/// spsc, producer
///             as for rialto_spsc_producer.
/// timeout_ns  0 is rialto_spsc_producer; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_spsc_producer, RIALTO_EUSERS only if timeout_ns is 0; RIALTO_ETIMEDOUT.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, through signals.  Fair:
///             no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_spsc_producer.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_producer_timeout(
    spsc: *const rialto_spsc_t,
    timeout_ns: u64,
    producer: *mut rialto_producer_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the producer.
    status(check(producer).and_then(|()| unsafe {
        put(producer, ProducersView::of(spsc_at(spsc)?.producer_timeout(timeout_ns)?));
        Ok(())
    }))
}

/// Claims the consumer's end, until rialto_consumer_end, or until its member is gone.
///
/// spsc        alive; its region's view must outlive the consumer's.
/// consumer    gets the view. Do not pass one that is alive: its end would stay taken.
/// Returns     as rialto_spsc_producer.
/// Concurrency any thread of any process: one of several wins.  Blocks: no.
/// Signals     not async-signal-safe.
/// If we die   the end is free again. Who claims it next gets first what we had in hand, marked (or
///             as the queue's on_death says).
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_consumer(
    spsc: *const rialto_spsc_t,
    consumer: *mut rialto_consumer_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the consumer.
    status(check(consumer).and_then(|()| unsafe {
        put(consumer, ConsumersView::of(spsc_at(spsc)?.consumer()?));
        Ok(())
    }))
}

/// As rialto_spsc_consumer, waiting at most `timeout_ns` nanoseconds until the end is free.
///
/// spsc, consumer
///             as for rialto_spsc_consumer.
/// timeout_ns  0 is rialto_spsc_consumer; RIALTO_WAIT_FOREVER never passes. Never early.
/// Returns     as rialto_spsc_producer_timeout.
/// Concurrency any thread of any process: one of several wins.  Blocks: yes, through signals.  Fair:
///             no.
/// Signals     not async-signal-safe.
/// If we die   as rialto_spsc_consumer.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_consumer_timeout(
    spsc: *const rialto_spsc_t,
    timeout_ns: u64,
    consumer: *mut rialto_consumer_t,
) -> c_int {
    // SAFETY: checked, and the caller's word: the region outlives the consumer.
    status(check(consumer).and_then(|()| unsafe {
        put(consumer, ConsumersView::of(spsc_at(spsc)?.consumer_timeout(timeout_ns)?));
        Ok(())
    }))
}

/// No more pushes; pop and peek drain what is there, then say RIALTO_EPIPE. Wakes everybody. Again
/// is harmless.
///
/// spsc        alive. Neither end is needed.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// If we die   it is closed or it is not; sleepers notice at their tick.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_close(spsc: *const rialto_spsc_t) -> c_int {
    // SAFETY: the caller's word.
    status(unsafe { spsc_at(spsc) }.map(|spsc| spsc.close()))
}

/// Whether the queue is closed.
///
/// spsc        alive.
/// is_closed   gets the answer. Once true, always true.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_is_closed(spsc: *const rialto_spsc_t, is_closed: *mut bool) -> c_int {
    // SAFETY: the caller's word.
    unsafe { answer(spsc, is_closed, |spsc| spsc.is_closed()) }
}
