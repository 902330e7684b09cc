//! Calls of queues, and messages in place.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_queue_config_default: Number Number Out;
        rialto_queue_layout: QueueConfig Out;
        rialto_queue_config: View(Queue) Out;
        rialto_queue_create: View(Region) Name("queue") QueueConfig New(Queue) => honest;
        rialto_queue_create_timeout: View(Region) Name("queue") QueueConfig Patience New(Queue);
        rialto_queue_open: View(Region) Name("queue") New(Queue);
        rialto_queue_open_as: View(Region) Name("queue") QueueConfig New(Queue);
        rialto_queue_open_or_create: View(Region) Name("queue") QueueConfig New(Queue) => honest;
        rialto_queue_as_member: View(Queue) View(Member) New(Queue);
        rialto_queue_close: View(Queue);
        rialto_queue_is_closed: View(Queue) Out;
        rialto_queue_len: View(Queue) Out;
        rialto_queue_is_empty: View(Queue) Out;
        rialto_queue_is_full: View(Queue) Out;
        rialto_queue_capacity: View(Queue) Out;
        rialto_queue_max_message_bytes: View(Queue) Out;
        rialto_queue_poisoned: View(Queue) Out;
        rialto_queue_dropped: View(Queue) Out;
        rialto_queue_push: View(Queue) From Len => queue_space;
        rialto_queue_try_push: View(Queue) From Len;
        rialto_queue_push_timeout: View(Queue) From Len Timeout;
        rialto_queue_pop: View(Queue) To Len Out OutOrNull => queue_data;
        rialto_queue_try_pop: View(Queue) To Len Out OutOrNull;
        rialto_queue_pop_timeout: View(Queue) To Len Timeout Out OutOrNull;
        rialto_queue_take_poisoned: View(Queue) To Len Out OutOrNull;
        rialto_queue_pop_ticket: View(Queue) To Len Out OutOrNull TicketOut => queue_data;
        rialto_queue_try_pop_ticket: View(Queue) To Len Out OutOrNull TicketOut;
        rialto_queue_pop_timeout_ticket: View(Queue) To Len Timeout Out OutOrNull TicketOut;
        rialto_queue_take_poisoned_ticket: View(Queue) To Len Out OutOrNull TicketOut;
        rialto_queue_push_many: View(Queue) Messages Count Out => queue_space_one;
        rialto_queue_try_push_many: View(Queue) Messages Count Out;
        rialto_queue_push_many_timeout: View(Queue) Messages Count Timeout Out;
        rialto_queue_pop_many: View(Queue) To Len Results Count Out => queue_data;
        rialto_queue_try_pop_many: View(Queue) To Len Results Count Out;
        rialto_queue_pop_many_timeout: View(Queue) To Len Timeout Results Count Out;
        rialto_queue_reserve: View(Queue) Number New(Reserved) => queue_space;
        rialto_queue_try_reserve: View(Queue) Number New(Reserved);
        rialto_queue_reserve_timeout: View(Queue) Number Timeout New(Reserved);
        rialto_reserved_bytes: View(Reserved) Out OutOrNull;
        rialto_reserved_write: View(Reserved) From Len;
        rialto_reserved_truncate: View(Reserved) Number;
        rialto_reserved_commit: End(Reserved) => commit;
        rialto_reserved_try_commit: End(Reserved);
        rialto_reserved_commit_timeout: End(Reserved) Timeout;
        rialto_reserved_abort: End(Reserved);
        rialto_queue_peek: View(Queue) New(Peeked) => queue_data;
        rialto_queue_try_peek: View(Queue) New(Peeked);
        rialto_queue_peek_timeout: View(Queue) Timeout New(Peeked);
        rialto_peeked_bytes: View(Peeked) Out OutOrNull;
        rialto_peeked_copy: View(Peeked) To Len OutOrNull;
        rialto_peeked_attempt: View(Peeked) Out;
        rialto_peeked_release: End(Peeked);
        rialto_peeked_abandon: End(Peeked);
        rialto_queue_task_done: View(Queue) Ticket;
        rialto_queue_give_back: View(Queue) Ticket;
        rialto_queue_join: View(Queue) => queue_done;
        rialto_queue_join_timeout: View(Queue) Timeout;
        rialto_queue_unfinished: View(Queue) Out;
        rialto_queue_set_data_fd: Change(Queue) SignalFd;
        rialto_queue_set_space_fd: Change(Queue) SignalFd;
        rialto_queue_arm_data: View(Queue) Out;
        rialto_queue_recheck_data: View(Queue) Out;
        rialto_queue_arm_space: View(Queue) Out;
        rialto_queue_recheck_space: View(Queue) Out;
        rialto_queue_tick_ns: View(Queue) Out;
    }
}
