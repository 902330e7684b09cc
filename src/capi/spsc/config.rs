//! What an SPSC queue is created with, and how much room it takes.

use crate::{
    SpscConfig,
    capi::{check, layout_of, rialto_layout_t, status},
    error::{Error, Result},
    queue::OnDeath,
};
use core::ffi::c_int;

/// What an SPSC queue is created with. Fill it with rialto_spsc_config_default, then change what you
/// like.
#[repr(C)]
pub struct rialto_spsc_config_t {
    /// How many messages of the longest kind fit; of shorter ones, more. 1 and more.
    pub slots: u32,
    /// The longest message, in bytes. A message takes what it needs, not this. 1 and more; slots + 1
    /// times this + 8, rounded up to 16, is at most 2^30.
    pub max_message_bytes: u32,
    /// How often a message is redelivered after its holders died, or gave it back, before pop says
    /// RIALTO_EBADMSG and only rialto_consumer_take_poisoned gets it. 1 to 14. Says nothing with
    /// RIALTO_ON_DEATH_STOP.
    pub max_attempts: u32,
    /// RIALTO_ON_DEATH_...: what becomes of a message whose holder died with it in hand.
    pub on_death: u32,
    /// Must be 0.
    pub _reserved: [u32; 4],
}

/// # Safety
/// Null, misaligned, or valid for reads.
pub(super) unsafe fn config_at(ptr: *const rialto_spsc_config_t) -> Result<SpscConfig> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    if config._reserved != [0; 4] {
        return Err(Error::Invalid);
    }
    Ok(SpscConfig {
        slots: config.slots,
        max_message_bytes: config.max_message_bytes,
        max_attempts: u8::try_from(config.max_attempts).map_err(|_| Error::Invalid)?,
        on_death: OnDeath::from_u32(config.on_death).ok_or(Error::Invalid)?,
    })
}

/// Fills in the defaults: RIALTO_ON_DEATH_REDELIVER with 5 attempts.
///
/// slots       messages of the longest kind that fit.
/// max_message_bytes
///             the longest message.
/// config      gets these and the usual for the rest; the numbers are not checked yet.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_config_default(
    slots: u32,
    max_message_bytes: u32,
    config: *mut rialto_spsc_config_t,
) -> c_int {
    let usual = SpscConfig::new(slots, max_message_bytes);
    let usual = rialto_spsc_config_t {
        slots,
        max_message_bytes,
        max_attempts: u32::from(usual.max_attempts),
        on_death: usual.on_death as u32,
        _reserved: [0; 4],
    };
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}

/// What an SPSC queue takes in its region.
///
/// config      of the queue.
/// layout      gets bytes and alignment (128).
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_spsc_layout(
    config: *const rialto_spsc_config_t,
    layout: *mut rialto_layout_t,
) -> c_int {
    // SAFETY: checked, and the caller's word.
    status(check(layout).and_then(|()| unsafe {
        layout.write(layout_of(config_at(config)?.layout()?));
        Ok(())
    }))
}
