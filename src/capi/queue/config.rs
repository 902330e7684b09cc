//! What a queue is created with, and how much room it takes.

use super::rialto_queue_t;
use crate::{
    capi::{check, layout_of, rialto_layout_t, status},
    error::{Error, Result},
    queue::{OnDeath, QueueConfig, QueueKind},
};
use core::ffi::c_int;

/// What a queue is created with. Fill it with rialto_queue_config_default, then change what you
/// like.
#[repr(C)]
pub struct rialto_queue_config_t {
    /// Messages that fit; rounded up to a power of two. 1 to 65536 (indexed: 32768); 1 is taken as
    /// 2.
    pub slots: u32,
    /// The longest message, in bytes. 1 to 2^30; every slot takes that much room.
    pub max_message_bytes: u32,
    /// How often a message is redelivered after its holders died before pop passes over it and only
    /// rialto_queue_take_poisoned gets it. 1 to 30. Says nothing with RIALTO_ON_DEATH_STOP.
    pub max_attempts: u32,
    /// 0, or any of RIALTO_QUEUE_KILL_ONLY and RIALTO_QUEUE_JOINABLE.
    pub flags: u32,
    /// RIALTO_QUEUE_RING or RIALTO_QUEUE_INDEXED: how messages lie in memory.
    pub kind: u32,
    /// RIALTO_ON_DEATH_...: what becomes of a message whose holder died with it in hand.
    pub on_death: u32,
    /// Must be 0.
    pub _reserved: [u32; 2],
}

/// A queue flag: cheaper, and still kill-safe, but a stopped participant blocks others at
/// its slot.
pub const RIALTO_QUEUE_KILL_ONLY: u32 = 1;
/// A queue flag: a popped message stays in hand, and in its slot, until rialto_queue_task_done.
pub const RIALTO_QUEUE_JOINABLE: u32 = 2;
/// A queue's kind: messages lie in the slots of a ring. The fastest, where they are written and read
/// at once; a loan that others overtook is copied when it is committed.
pub const RIALTO_QUEUE_RING: u32 = 0;
/// A queue's kind: messages lie in blocks of their own, with a ring of their indices. For large ones
/// that are written, or held, for long: never copied, holds nobody up. At most 32768 slots.
pub const RIALTO_QUEUE_INDEXED: u32 = 1;
/// A message whose holder died: somebody else gets it, marked; after max_attempts redeliveries
/// nobody but rialto_queue_take_poisoned. Delivers at least once.
pub const RIALTO_ON_DEATH_REDELIVER: u32 = 0;
/// A message whose holder died: it is gone, and counted, see rialto_queue_dropped. Delivers at most
/// once, but for messages that a living holder gave back.
pub const RIALTO_ON_DEATH_DROP: u32 = 1;
/// A message whose holder died, or gave it back: pop says RIALTO_EBADMSG until
/// rialto_queue_take_poisoned has taken it.
pub const RIALTO_ON_DEATH_STOP: u32 = 2;

// The numbers above are literals, because cbindgen does not evaluate.
const _: () = {
    assert!(RIALTO_ON_DEATH_REDELIVER == OnDeath::Redeliver as u32);
    assert!(RIALTO_ON_DEATH_DROP == OnDeath::Drop as u32);
    assert!(RIALTO_ON_DEATH_STOP == OnDeath::Stop as u32);
};

/// # Safety
/// Null, misaligned, or valid for reads.
pub(super) unsafe fn config_at(ptr: *const rialto_queue_config_t) -> Result<QueueConfig> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    let flags = RIALTO_QUEUE_KILL_ONLY | RIALTO_QUEUE_JOINABLE;
    if config._reserved != [0; 2] || config.flags & !flags != 0 {
        return Err(Error::Invalid);
    }
    Ok(QueueConfig {
        slots: config.slots,
        max_message_bytes: config.max_message_bytes,
        max_attempts: u8::try_from(config.max_attempts).map_err(|_| Error::Invalid)?,
        kill_only: config.flags & RIALTO_QUEUE_KILL_ONLY != 0,
        kind: match config.kind {
            RIALTO_QUEUE_RING => QueueKind::Ring,
            RIALTO_QUEUE_INDEXED => QueueKind::Indexed,
            _ => return Err(Error::Invalid),
        },
        on_death: OnDeath::from_u32(config.on_death).ok_or(Error::Invalid)?,
        joinable: config.flags & RIALTO_QUEUE_JOINABLE != 0,
    })
}

fn to_c(config: &QueueConfig) -> rialto_queue_config_t {
    let kill_only = if config.kill_only { RIALTO_QUEUE_KILL_ONLY } else { 0 };
    let joinable = if config.joinable { RIALTO_QUEUE_JOINABLE } else { 0 };
    rialto_queue_config_t {
        slots: config.slots,
        max_message_bytes: config.max_message_bytes,
        max_attempts: u32::from(config.max_attempts),
        flags: kill_only | joinable,
        kind: match config.kind {
            QueueKind::Ring => RIALTO_QUEUE_RING,
            QueueKind::Indexed => RIALTO_QUEUE_INDEXED,
        },
        on_death: config.on_death as u32,
        _reserved: [0; 2],
    }
}

/// Fills in the defaults: a RIALTO_QUEUE_RING, RIALTO_ON_DEATH_REDELIVER at most 5 times, no flags.
///
/// slots       messages that fit.
/// max_message_bytes
///             the longest message.
/// config      gets these and the usual for the rest; the numbers are not checked yet.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_config_default(
    slots: u32,
    max_message_bytes: u32,
    config: *mut rialto_queue_config_t,
) -> c_int {
    let usual = to_c(&QueueConfig::new(slots, max_message_bytes));
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}

/// What a queue takes in its region.
///
/// config      of the queue.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_layout(
    config: *const rialto_queue_config_t,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(config_at(config)?.layout()?));
        Ok(())
    }))
}

/// What the queue was created with.
///
/// queue       alive.
/// config      gets it, the slots as rialto_queue_capacity says. It never changes.
/// Returns     RIALTO_OK; RIALTO_EINVAL.
/// Concurrency any thread of any process.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_queue_config(
    queue: *const rialto_queue_t,
    config: *mut rialto_queue_config_t,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { super::answer(queue, config, |queue| to_c(&queue.config())) }
}
