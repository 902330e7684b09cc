//! Calls of pipes and their ends.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_pipe_config_default: Number Out;
        rialto_pipe_layout: PipeConfig Out;
        rialto_pipe_create: View(Region) Name("pipe") PipeConfig New(Pipe) => honest;
        rialto_pipe_create_timeout: View(Region) Name("pipe") PipeConfig Patience New(Pipe);
        rialto_pipe_open: View(Region) Name("pipe") New(Pipe);
        rialto_pipe_open_as: View(Region) Name("pipe") PipeConfig New(Pipe);
        rialto_pipe_open_or_create: View(Region) Name("pipe") PipeConfig New(Pipe) => honest;
        rialto_pipe_connect: View(Pipe) Number New(Connection);
        rialto_pipe_connect_as: View(Pipe) View(Member) Number New(Connection);
        rialto_pipe_is_duplex: View(Pipe) Out;
        rialto_pipe_ring_bytes: View(Pipe) Out;
        rialto_pipe_max_message_bytes: View(Pipe) Out;
        rialto_connection_max_chunk_bytes: View(Connection) Out;
        rialto_connection_is_peer_closed: View(Connection) Out;
        rialto_connection_close: End(Connection);
        rialto_connection_send: View(Connection) From Len => connection_space;
        rialto_connection_try_send: View(Connection) From Len;
        rialto_connection_send_timeout: View(Connection) From Len Timeout;
        rialto_connection_recv: View(Connection) To Len Out => connection_data;
        rialto_connection_try_recv: View(Connection) To Len Out;
        rialto_connection_recv_timeout: View(Connection) To Len Timeout Out;
        rialto_connection_next_len: View(Connection) Out;
        rialto_connection_received_bytes: View(Connection) Out;
        rialto_connection_poll: View(Connection) Timeout Out;
        rialto_connection_set_data_fd: Change(Connection) SignalFd;
        rialto_connection_set_space_fd: Change(Connection) SignalFd;
        rialto_connection_arm_data: View(Connection) Out;
        rialto_connection_recheck_data: View(Connection) Out;
        rialto_connection_arm_space: View(Connection) Number Out;
        rialto_connection_recheck_space: View(Connection) Number Out;
        rialto_connection_tick_ns: View(Connection) Out;
    }
}
