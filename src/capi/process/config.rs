//! `rialto_process_config_t`.

use super::{get, rialto_forkserver_t, status};
use crate::{
    capi::{bytes, check, name},
    error::{Error, Result},
    process::{Method, ProcessConfig, Program},
};
use core::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr,
};

/// What a process is started with. Fill it with rialto_process_config_default, then change what you
/// like. What it points to must stay until the process was started.
#[repr(C)]
pub struct rialto_process_config_t {
    /// At most 31 bytes; NULL or "": the entry's. ps shows 15 of them.
    pub name: *const c_char,
    /// What the entry gets.
    pub args: *const c_void,
    /// So many.
    pub args_bytes: usize,
    /// Descriptors that the entry gets: copies, this process keeps its own.
    pub fds: *const c_int,
    /// So many, at most 64.
    pub fd_count: u32,
    /// 0, or any of RIALTO_PROCESS_DAEMON and RIALTO_PROCESS_ONLY_FDS.
    pub flags: u32,
    /// RIALTO_PROCESS_SPAWN, _FORK or _FORKSERVER.
    pub method: u32,
    /// Must be 0.
    pub _reserved_word: u32,
    /// For RIALTO_PROCESS_SPAWN: the program's file, for which there is no search; NULL: this
    /// program.
    pub program: *const c_char,
    /// For RIALTO_PROCESS_SPAWN: what the program's main gets behind its name, and a NULL; NULL:
    /// nothing.
    pub argv: *const *const c_char,
    /// For RIALTO_PROCESS_FORKSERVER: alive.
    pub server: *const rialto_forkserver_t,
    /// Must be 0.
    pub _reserved: [u64; 2],
}

/// A flag: the child is killed when this process ends, however that ends, or runs another program.
/// The kernel does it, whatever the child does; a thread's end alone does not count.
pub const RIALTO_PROCESS_DAEMON: u32 = 1;
/// A flag: a forked child keeps 0, 1, 2 and the passed descriptors only, these at 3, 4, ... (and one
/// of ours behind them). Others have nothing else anyway.
pub const RIALTO_PROCESS_ONLY_FDS: u32 = 2;
/// A method: a program, begun anew, whose main calls rialto_process_main. Right in threaded
/// processes too. Signals have their default actions there (those that were ignored stay so, but for
/// SIGPIPE); it ends by exit, as from main.
pub const RIALTO_PROCESS_SPAWN: u32 = 0;
/// A method: a copy of this process. The fastest. With other threads around, the child must do only
/// what is async-signal-safe (Rialto's locks and objects may be used too), until it ends or runs
/// another program. It ends by _exit: what stdio has in its buffers is not written, so fflush.
pub const RIALTO_PROCESS_FORK: u32 = 1;
/// A method: a copy of a fork server. Right in threaded processes too, and faster than a program's
/// start. It has the server's 0, 1, 2, signals and environment, and ends by exit, as from main.
pub const RIALTO_PROCESS_FORKSERVER: u32 = 2;

/// # Safety
/// As C says; what is in it stays during `'a`.
pub(super) unsafe fn method_at<'a>(ptr: *const rialto_process_config_t) -> Result<Method<'a>> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    Ok(match config.method {
        // SAFETY: the caller's word.
        RIALTO_PROCESS_SPAWN => Method::spawn(unsafe { program_of(config.program, config.argv) }?),
        // SAFETY: the caller was told.
        RIALTO_PROCESS_FORK => unsafe { Method::fork() },
        // SAFETY: the caller's word.
        RIALTO_PROCESS_FORKSERVER => Method::fork_server(unsafe { get::<'a, _>(config.server) }?),
        _ => return Err(Error::Invalid),
    })
}

/// All but the method.
///
/// # Safety
/// As [`method_at`].
pub(super) unsafe fn config_at<'a>(ptr: *const rialto_process_config_t) -> Result<ProcessConfig<'a>> {
    check(ptr)?;
    // SAFETY: checked, and the caller's word.
    let config = unsafe { &*ptr };
    let flags = RIALTO_PROCESS_DAEMON | RIALTO_PROCESS_ONLY_FDS;
    if config._reserved != [0; 2] || config._reserved_word != 0 || config.flags & !flags != 0 {
        return Err(Error::Invalid);
    }
    let fds: &[c_int] = if config.fd_count == 0 {
        &[]
    } else {
        check(config.fds)?;
        // SAFETY: checked, and the caller's word; more than 64 are refused without a look at them.
        unsafe { core::slice::from_raw_parts(config.fds, config.fd_count.min(65) as usize) }
    };
    // SAFETY: the caller's word.
    let (called, args) = unsafe {
        let called = if config.name.is_null() { "" } else { name(config.name)? };
        (called, bytes(config.args, config.args_bytes)?)
    };
    let (daemon, only_fds) =
        (config.flags & RIALTO_PROCESS_DAEMON != 0, config.flags & RIALTO_PROCESS_ONLY_FDS != 0);
    Ok(ProcessConfig { name: called, args, fds, daemon, only_fds })
}

/// # Safety
/// As C says of `program` and `argv`.
pub(super) unsafe fn program_of<'a>(
    program: *const c_char,
    argv: *const *const c_char,
) -> Result<Program<'a>> {
    if !argv.is_null() {
        check(argv)?;
    }
    let base = match program.is_null() {
        true => Program::this(),
        // SAFETY: the caller's word: a C string.
        false => Program::at(unsafe { CStr::from_ptr(program) }),
    };
    // SAFETY: the caller's word.
    Ok(unsafe { base.with_c_argv(argv) })
}

/// Spawn, of this program; no arguments, no descriptors, no daemon.
///
/// config      gets these.
/// Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
/// Concurrency any thread.  Blocks: no.
/// Signals     async-signal-safe.
/// Since       0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rialto_process_config_default(config: *mut rialto_process_config_t) -> c_int {
    let usual = rialto_process_config_t {
        name: ptr::null(),
        args: ptr::null(),
        args_bytes: 0,
        fds: ptr::null(),
        fd_count: 0,
        flags: 0,
        method: RIALTO_PROCESS_SPAWN,
        _reserved_word: 0,
        program: ptr::null(),
        argv: ptr::null(),
        server: ptr::null(),
        _reserved: [0; 2],
    };
    // SAFETY: checked, and the caller's word.
    status(check(config).map(|()| unsafe { config.write(usual) }))
}
