//! Calls of processes and pools, of which none starts a process: what would is given a name that no entry has, a fork
//! server that is not alive, NULL for what it needs, or, for workers, a function that starts none. So no view is ever
//! alive, and all that is called on one must be refused. With processes: `ffi-tests/c/process.c`, `pool.c`.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_process_config_default: Out;
        rialto_process_start: String ProcessConfig New(Process);
        rialto_process_fork: Null Context ProcessConfig New(Process);
        rialto_process_join: View(Process) OutOrNull;
        rialto_process_join_timeout: View(Process) Timeout OutOrNull;
        rialto_process_exit_code: View(Process) Out;
        rialto_process_is_alive: View(Process) Out;
        rialto_process_terminate: View(Process);
        rialto_process_kill: View(Process);
        rialto_process_signal: View(Process) Number;
        rialto_process_pid: View(Process) Out;
        rialto_process_sentinel: View(Process) Out;
        rialto_process_close: End(Process);
        rialto_forkserver_start: String Null Null;
        rialto_forkserver_pid: View(Forkserver) Out;
        rialto_forkserver_stop: End(Forkserver);
        rialto_forkserver_kill: End(Forkserver);
        rialto_process_current: Out;
        rialto_parent_pid: Out;
        rialto_parent_is_alive: Out;
        rialto_parent_join_timeout: Timeout;
        rialto_parent_sentinel: Out;
        rialto_pool_config_default: Mostly(2) Out;
        rialto_pool_bytes: PoolConfig Out;
        rialto_pool_create: View(Region) Name("pool") PoolConfig Callback Context New(Pool) => honest;
        rialto_pool_close: View(Pool);
        rialto_pool_join: View(Pool) Timeout;
        rialto_pool_terminate: View(Pool);
        rialto_pool_end: End(Pool);
        rialto_pool_tend: View(Pool);
        rialto_pool_progress: View(Region) Name("pool") Out;
        rialto_pool_submit: View(Pool) String From Len Out;
        rialto_pool_wait: View(Pool) Number Timeout Out;
        rialto_pool_next: View(Pool) Timeout Out;
        rialto_pool_apply: View(Pool) String From Len Timeout Out;
        rialto_pool_map: View(Pool) String Messages Count Number Bool Callback Context;
        rialto_pool_cancel: View(Pool) Number Out;
        rialto_pool_work: From Len View(Region) Functions Count;
        rialto_output_write: Null From Len;
        rialto_output_clear: Null;
    }
}
