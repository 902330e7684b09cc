//! Calls of queues with one producer and one consumer.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_spsc_config_default: Number Number Out;
        rialto_spsc_layout: SpscConfig Out;
        rialto_spsc_create: View(Region) Name("spsc") SpscConfig New(Spsc) => honest;
        rialto_spsc_create_timeout: View(Region) Name("spsc") SpscConfig Patience New(Spsc);
        rialto_spsc_open: View(Region) Name("spsc") New(Spsc);
        rialto_spsc_open_as: View(Region) Name("spsc") SpscConfig New(Spsc);
        rialto_spsc_open_or_create: View(Region) Name("spsc") SpscConfig New(Spsc) => honest;
        rialto_spsc_as_member: View(Spsc) View(Member) New(Spsc);
        rialto_spsc_set_data_fd: Change(Spsc) SignalFd;
        rialto_spsc_set_space_fd: Change(Spsc) SignalFd;
        rialto_spsc_producer: View(Spsc) New(Producer);
        rialto_spsc_producer_timeout: View(Spsc) Timeout New(Producer);
        rialto_spsc_consumer: View(Spsc) New(Consumer);
        rialto_spsc_consumer_timeout: View(Spsc) Timeout New(Consumer);
        rialto_spsc_close: View(Spsc);
        rialto_spsc_is_closed: View(Spsc) Out;
        rialto_spsc_len: View(Spsc) Out;
        rialto_spsc_is_empty: View(Spsc) Out;
        rialto_spsc_is_full: View(Spsc) Out;
        rialto_spsc_capacity: View(Spsc) Out;
        rialto_spsc_max_message_bytes: View(Spsc) Out;
        rialto_spsc_dropped: View(Spsc) Out;
        rialto_spsc_tick_ns: View(Spsc) Out;
        rialto_producer_push: View(Producer) From Len => producer_space;
        rialto_producer_try_push: View(Producer) From Len;
        rialto_producer_push_timeout: View(Producer) From Len Timeout;
        rialto_producer_push_many: View(Producer) Messages Count Out => producer_space_one;
        rialto_producer_try_push_many: View(Producer) Messages Count Out;
        rialto_producer_push_many_timeout: View(Producer) Messages Count Timeout Out;
        rialto_producer_set_data_fd: Change(Producer) SignalFd;
        rialto_producer_arm_space: View(Producer) Out;
        rialto_producer_recheck_space: View(Producer) Out;
        rialto_producer_end: End(Producer);
        rialto_producer_reserve: View(Producer) Number Out => producer_space;
        rialto_producer_try_reserve: View(Producer) Number Out;
        rialto_producer_reserve_timeout: View(Producer) Number Timeout Out;
        rialto_producer_commit: View(Producer) Number;
        rialto_producer_abort: View(Producer);
        rialto_consumer_pop: View(Consumer) To Len Out OutOrNull => consumer_data;
        rialto_consumer_try_pop: View(Consumer) To Len Out OutOrNull;
        rialto_consumer_pop_timeout: View(Consumer) To Len Timeout Out OutOrNull;
        rialto_consumer_pop_many: View(Consumer) To Len Results Count Out => consumer_data;
        rialto_consumer_try_pop_many: View(Consumer) To Len Results Count Out;
        rialto_consumer_pop_many_timeout: View(Consumer) To Len Timeout Results Count Out;
        rialto_consumer_take_poisoned: View(Consumer) To Len Out OutOrNull;
        rialto_consumer_poisoned: View(Consumer) Out;
        rialto_consumer_set_space_fd: Change(Consumer) SignalFd;
        rialto_consumer_arm_data: View(Consumer) Out;
        rialto_consumer_recheck_data: View(Consumer) Out;
        rialto_consumer_end: End(Consumer);
        rialto_consumer_peek: View(Consumer) Out Out OutOrNull => consumer_data;
        rialto_consumer_try_peek: View(Consumer) Out Out OutOrNull;
        rialto_consumer_peek_timeout: View(Consumer) Timeout Out Out OutOrNull;
        rialto_consumer_copy: View(Consumer) To Len OutOrNull;
        rialto_consumer_release: View(Consumer);
        rialto_consumer_give_back: View(Consumer);
    }
}
