/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Queue (rialto_queue_t).
 *
 * Who sends to a closed queue gets rialto::closed; who receives gets something false, whose status is closed(). */
#ifndef RIALTO_QUEUE_HPP
#define RIALTO_QUEUE_HPP

#include "loans.hpp"
#include "message.hpp"
#include "region.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** A ring; stop-safe, 5 attempts, then set aside; not joinable. Change the fields, or what has a name here. */
struct QueueConfig : rialto_queue_config_t {
    QueueConfig(std::uint32_t with_slots, std::uint32_t with_max_message_bytes) noexcept : rialto_queue_config_t()
    {
        (void)rialto_queue_config_default(with_slots, with_max_message_bytes, this);
    }
    explicit QueueConfig(const rialto_queue_config_t& config) noexcept : rialto_queue_config_t(config) {}

    /** A popped message stays in hand until task_done; join() waits for all. */
    QueueConfig& joinable() { return flags |= RIALTO_QUEUE_JOINABLE, *this; }
    /** Cheaper, but who is stopped blocks others. */
    QueueConfig& kill_only() { return flags |= RIALTO_QUEUE_KILL_ONLY, *this; }
    /** For large messages: never copied, hold nobody up. */
    QueueConfig& indexed() { return kind = RIALTO_QUEUE_INDEXED, *this; }
    /** How often a message is redelivered before it is set aside. */
    QueueConfig& attempts(std::uint32_t most) { return max_attempts = most, *this; }
    /** Messages whose holder died are gone, or stop the queue. */
    QueueConfig& drop_on_death() { return on_death = RIALTO_ON_DEATH_DROP, *this; }
    QueueConfig& stop_on_death() { return on_death = RIALTO_ON_DEATH_STOP, *this; }

    /** What the queue takes in its region. */
    template <class On = usual>
    Gives<On, rialto_layout_t> layout(On = {}) const
    {
        return detail::ask<rialto_layout_t, On>(rialto_queue_layout, this);
    }
};

/** A bounded queue of byte messages, any number of producers and consumers. */
class Queue : public detail::View<rialto_queue_t> {
public:
    Queue() noexcept = default;

    template <class On = usual>
    static Queue create(const Region& region, cstr name, const QueueConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_queue_create(handle(region), name, &config, out); });
    }
    template <class On = usual>
    static Queue create_for(const Region& region, cstr name, const QueueConfig& config, Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_queue_create_timeout(handle(region), name, &config, timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Queue open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_queue_open(handle(region), name, out); });
    }
    /** If it was created so. */
    template <class On = usual>
    static Queue open_as(const Region& region, cstr name, const QueueConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_queue_open_as(handle(region), name, &config, out); });
    }
    template <class On = usual>
    static Queue open_or_create(const Region& region, cstr name, const QueueConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_queue_open_or_create(handle(region), name, &config, out); });
    }
    /** The same queue, acting as a member that you made, which must outlive it. */
    template <class On = usual>
    Queue as_member(const Member& member, On on = {}) const
    {
        return make(on, [&](auto* out) { return rialto_queue_as_member(&view_, member.native_handle(), out); });
    }

    template <class On = usual>
    Gives<On, QueueConfig> config(On = {}) const
    {
        QueueConfig config(0, 0);
        const int status = rialto_queue_config(&view_, &config);
        return On::give(status, config);
    }
    template <class On = usual>
    Done<On> close(On = {}) const
    {
        return On::finish(rialto_queue_close(&view_));
    }
    template <class On = usual>
    Gives<On, bool> is_closed(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_is_closed, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> len(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_queue_len, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_empty(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_is_empty, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_full(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_is_full, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> capacity(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_queue_capacity, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> max_message_bytes(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_queue_max_message_bytes, &view_);
    }
    /** Set aside for take_poisoned. */
    template <class On = usual>
    Gives<On, std::size_t> poisoned(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_queue_poisoned, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint64_t> dropped(On = {}) const
    {
        return detail::ask<std::uint64_t, On>(rialto_queue_dropped, &view_);
    }
    /** Waiting or in hand, but not set aside. */
    template <class On = usual>
    Gives<On, std::size_t> unfinished(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_queue_unfinished, &view_);
    }

    template <class On = usual>
    Done<On> push(bytes_view message, On = {}) const
    {
        return On::finish(rialto_queue_push(&view_, message.data(), message.size()));
    }
    /** False: full. */
    template <class On = usual>
    Told<On> try_push(bytes_view message, On = {}) const
    {
        return On::tell(rialto_queue_try_push(&view_, message.data(), message.size()));
    }
    template <class On = usual>
    Told<On> push_for(bytes_view message, Timeout timeout, On = {}) const
    {
        return On::tell(rialto_queue_push_timeout(&view_, message.data(), message.size(), timeout.ns()));
    }
    /** How many were appended: all, unless the queue was closed meanwhile. push_many({message("a"), message("b")}) */
    template <class On = usual>
    Result<std::size_t> push_many(slice<const rialto_message_t> messages, On = {}) const
    {
        return detail::push_many<On>(rialto_queue_push_many, &view_, messages);
    }
    template <class On = usual>
    Result<std::size_t> try_push_many(slice<const rialto_message_t> messages, On = {}) const
    {
        return detail::push_many<On>(rialto_queue_try_push_many, &view_, messages);
    }
    template <class On = usual>
    Result<std::size_t> push_many_for(slice<const rialto_message_t> messages, Timeout timeout, On = {}) const
    {
        return detail::push_many<On>(rialto_queue_push_many_timeout, &view_, messages, timeout.ns());
    }

    /** The next message; it is ours then, and dies with us. The buffer has max_message_bytes, or more.
     * while (Popped message = queue.pop(buffer)) ... ends when the queue is closed and drained. */
    template <class On = usual>
    Popped pop(bytes_span buffer, On = {}) const
    {
        return detail::pop<On>(rialto_queue_pop, &view_, buffer);
    }
    template <class On = usual>
    Popped try_pop(bytes_span buffer, On = {}) const
    {
        return detail::pop<On>(rialto_queue_try_pop, &view_, buffer);
    }
    template <class On = usual>
    Popped pop_for(bytes_span buffer, Timeout timeout, On = {}) const
    {
        return detail::pop<On>(rialto_queue_pop_timeout, &view_, buffer, timeout.ns());
    }
    /** One that too many died with. */
    template <class On = usual>
    Popped take_poisoned(bytes_span buffer, On = {}) const
    {
        return detail::pop<On>(rialto_queue_take_poisoned, &view_, buffer);
    }
    /** Messages of max_message_bytes each in buffer; how many. */
    template <class On = usual>
    Result<std::size_t> pop_many(bytes_span buffer, slice<rialto_popped_t> messages, On = {}) const
    {
        return detail::pop_many<On>(rialto_queue_pop_many, &view_, buffer, messages);
    }
    template <class On = usual>
    Result<std::size_t> try_pop_many(bytes_span buffer, slice<rialto_popped_t> messages, On = {}) const
    {
        return detail::pop_many<On>(rialto_queue_try_pop_many, &view_, buffer, messages);
    }
    template <class On = usual>
    Result<std::size_t> pop_many_for(bytes_span buffer, slice<rialto_popped_t> messages, Timeout timeout, On = {}) const
    {
        return detail::pop_many<On>(rialto_queue_pop_many_timeout, &view_, buffer, messages, timeout.ns());
    }

    /** Of a joinable queue: the message stays in hand until task_done(popped.ticket()). */
    template <class On = usual>
    Popped pop_ticket(bytes_span buffer, On = {}) const
    {
        return detail::pop_ticket<On>(rialto_queue_pop_ticket, &view_, buffer);
    }
    template <class On = usual>
    Popped try_pop_ticket(bytes_span buffer, On = {}) const
    {
        return detail::pop_ticket<On>(rialto_queue_try_pop_ticket, &view_, buffer);
    }
    template <class On = usual>
    Popped pop_ticket_for(bytes_span buffer, Timeout timeout, On = {}) const
    {
        return detail::pop_ticket<On>(rialto_queue_pop_timeout_ticket, &view_, buffer, timeout.ns());
    }
    template <class On = usual>
    Popped take_poisoned_ticket(bytes_span buffer, On = {}) const
    {
        return detail::pop_ticket<On>(rialto_queue_take_poisoned_ticket, &view_, buffer);
    }
    template <class On = usual>
    Done<On> task_done(const rialto_ticket_t& ticket, On = {}) const
    {
        return On::finish(rialto_queue_task_done(&view_, &ticket));
    }
    template <class On = usual>
    Done<On> give_back(const rialto_ticket_t& ticket, On = {}) const
    {
        return On::finish(rialto_queue_give_back(&view_, &ticket));
    }
    /** Waits until no message is unfinished. */
    template <class On = usual>
    Done<On> join(On = {}) const
    {
        return On::finish(rialto_queue_join(&view_));
    }
    template <class On = usual>
    Told<On> join_for(Timeout timeout, On = {}) const
    {
        return On::tell(rialto_queue_join_timeout(&view_, timeout.ns()));
    }

    /** Takes the next message in hand: if we die with it, somebody else gets it.
     * while (Peeked job = queue.peek()) { work(job.bytes()); job.release(); } ends when closed and drained. */
    template <class On = usual>
    Peeked peek(On on = {}) const
    {
        return Peeked(on, RIALTO_EPIPE, [this](auto* out) { return rialto_queue_peek(&view_, out); });
    }
    template <class On = usual>
    Peeked try_peek(On on = {}) const
    {
        return Peeked(on, RIALTO_EPIPE, [this](auto* out) { return rialto_queue_try_peek(&view_, out); });
    }
    template <class On = usual>
    Peeked peek_for(Timeout timeout, On on = {}) const
    {
        return Peeked(on, RIALTO_EPIPE,
                      [&](auto* out) { return rialto_queue_peek_timeout(&view_, timeout.ns(), out); });
    }

    /** All messages until the queue is closed and drained:
     * for (Peeked& job : queue.messages()) { work(job.bytes()); job.release(); }
     * What is not released is given back. Without exceptions an error ends it, too: status() tells. */
    class Messages {
    public:
        struct End {};
        class Iterator {
        public:
            explicit Iterator(Messages& of) noexcept : of_(of) {}
            Peeked& operator*() const noexcept { return of_.job_; }
            Peeked* operator->() const noexcept { return &of_.job_; }
            Iterator& operator++() { return of_.next(), *this; }
            bool operator!=(End) const noexcept { return bool(of_.job_); }

        private:
            Messages& of_;
        };
        explicit Messages(const rialto_queue_t& queue) noexcept : queue_(queue) {}
        Iterator begin() { return next(), Iterator(*this); }
        End end() const noexcept { return {}; }
        Status status() const noexcept { return job_.status(); }

    private:
        void next()
        {
            if (job_)
                (void)job_.abandon(nothrow);
            job_.status_ = rialto_queue_peek(&queue_, &job_.view_);
            (void)usual::pass(job_.status_.code(), RIALTO_EPIPE);
        }

        rialto_queue_t queue_;
        Peeked job_;
    };
    Messages messages() const noexcept { return Messages(view_); }

    /** Room for a message, to be written in place. */
    template <class On = usual>
    Reserved reserve(std::size_t bytes, On on = {}) const
    {
        return Reserved(on, RIALTO_OK, [&](auto* out) { return rialto_queue_reserve(&view_, bytes, out); });
    }
    template <class On = usual>
    Reserved try_reserve(std::size_t bytes, On on = {}) const
    {
        return Reserved(on, RIALTO_OK, [&](auto* out) { return rialto_queue_try_reserve(&view_, bytes, out); });
    }
    template <class On = usual>
    Reserved reserve_for(std::size_t bytes, Timeout timeout, On on = {}) const
    {
        return Reserved(on, RIALTO_OK, [&](auto* out) {
            return rialto_queue_reserve_timeout(&view_, bytes, timeout.ns(), out);
        });
    }

    /** For event loops: what is pushed (popped) by this view, and by copies made later, signals this eventfd. */
    template <class On = usual>
    Done<On> set_data_fd(int fd, On = {})
    {
        return On::finish(rialto_queue_set_data_fd(&view_, fd));
    }
    template <class On = usual>
    Done<On> set_space_fd(int fd, On = {})
    {
        return On::finish(rialto_queue_set_space_fd(&view_, fd));
    }
    /** True: try at once. False: poll, the next one is signalled. */
    template <class On = usual>
    Gives<On, bool> arm_data(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_arm_data, &view_);
    }
    template <class On = usual>
    Gives<On, bool> arm_space(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_arm_space, &view_);
    }
    /** What the loop calls once per tick. */
    template <class On = usual>
    Gives<On, bool> recheck_data(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_recheck_data, &view_);
    }
    template <class On = usual>
    Gives<On, bool> recheck_space(On = {}) const
    {
        return detail::ask<bool, On>(rialto_queue_recheck_space, &view_);
    }
    std::chrono::nanoseconds tick() const noexcept { return detail::tick(rialto_queue_tick_ns, &view_); }

private:
    using View::View;
    static const rialto_region_t* handle(const Region& region) noexcept { return region.native_handle(); }
    template <class On, class F>
    static Queue make(On on, F function)
    {
        return Queue(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
