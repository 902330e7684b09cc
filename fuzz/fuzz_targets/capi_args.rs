//! Every C function, with arbitrary pointers to valid memory, sizes, flags, numbers and descriptors. AddressSanitizer is
//! on.
//!
//! One input is one program, on a thread of its own: a sequence of calls, of any of the functions in the tables (one
//! file per object), each argument drawn by its kind (`kind.rs`, `draw.rs`). It begins with a live object of every
//! type (`start.rs`). Three in four programs are honest; in the others a peer writes wild into the region and the
//! embeddable objects. Callbacks call further functions, also on what they are called for.
//!
//! Checked: no crash; NULL and misaligned pointers and views that are not alive (zeroed, random, ended, of another type,
//! copies of what must not move) are RIALTO_EINVAL; every status is a code or a negated errno; a negative one leaves
//! out-parameters and new views as they were; no call outlives its deadline; an honest program can end all that it
//! has; no descriptor and no shared mapping is left.
//!
//! What the header forbids is never drawn: memory that is not valid, or shorter than its length says; an owning view
//! (region, member, peeked, reserved, connection, ends of an SPSC queue) that is overwritten while it is alive; use of
//! what was made from a view that has been detached or has left; use of an object through the view that removed it;
//! locks initialised while they are held; an `edit` after its callback; a predicate that releases the lock. And no
//! process is started (`process.rs`).
//!
//! Limits: what waits without a timeout is called when it is known to return (`ready.rs`), or with an argument that
//! must be refused. An honest program maps a region once at a time: locks belong to an address. Buffers, and what is behind NULL, may be overwritten or unread as the header says.
//!
//! `cargo +nightly fuzz run capi_args -- -max_total_time=60 -entropic=0 -print_funcs=0`, in this directory.
//! RIALTO_FUZZ_STATISTICS=1 prints which functions have not succeeded yet; RIALTO_FUZZ_TRACE=1 prints the calls.
#![no_main]

#[path = "capi_args/mod.rs"]
mod capi_args;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    capi_args::constants(bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    capi_args::run(bytes);
});
