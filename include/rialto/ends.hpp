/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: the ends of an Spsc. Each is used by one thread at a time. Room and Message are messages in
 * place; one at a time, and they may be moved, but not outlive their end. What goes away unsent is not sent; what
 * goes away unreleased comes again, also when an exception passes. A forked child must neither use nor destroy its
 * parent's. */
#ifndef RIALTO_ENDS_HPP
#define RIALTO_ENDS_HPP

#include "message.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

class Spsc;

/** The producer's end. */
class Producer : public detail::Pinned<rialto_producer_t> {
public:
    /** Gives the end back. */
    ~Producer() { (void)end(nothrow); }

    template <class On = usual>
    Done<On> push(bytes_view message, On = {})
    {
        return On::finish(rialto_producer_push(&view_, message.data(), message.size()));
    }
    /** False: full. */
    template <class On = usual>
    Told<On> try_push(bytes_view message, On = {})
    {
        return On::tell(rialto_producer_try_push(&view_, message.data(), message.size()));
    }
    template <class On = usual>
    Told<On> push_for(bytes_view message, Timeout timeout, On = {})
    {
        return On::tell(rialto_producer_push_timeout(&view_, message.data(), message.size(), timeout.ns()));
    }
    /** How many were appended, with one wake for as many as fit. */
    template <class On = usual>
    Result<std::size_t> push_many(slice<const rialto_message_t> messages, On = {})
    {
        return detail::push_many<On>(rialto_producer_push_many, &view_, messages);
    }
    template <class On = usual>
    Result<std::size_t> try_push_many(slice<const rialto_message_t> messages, On = {})
    {
        return detail::push_many<On>(rialto_producer_try_push_many, &view_, messages);
    }
    template <class On = usual>
    Result<std::size_t> push_many_for(slice<const rialto_message_t> messages, Timeout timeout, On = {})
    {
        return detail::push_many<On>(rialto_producer_push_many_timeout, &view_, messages, timeout.ns());
    }

    /** Room for a message, to be written in place. False: no room now. */
    class [[nodiscard]] Room : public Status {
    public:
        Room(Room&& from) noexcept
            : Status(from), end_(std::exchange(from.end_, nullptr)), data_(from.data_), size_(from.size_)
        {
        }
        Room& operator=(Room&&) = delete;
        ~Room() { (void)abort(nothrow); }

        bytes_span bytes() const noexcept { return end_ ? bytes_span(data_, size_) : bytes_span(); }
        /** Sends as many of the bytes, or all. If that fails the room is gone, but for RIALTO_EINVAL: more bytes than
         * were reserved. */
        template <class On = usual>
        Done<On> commit(std::size_t bytes, On = {})
        {
            rialto_producer_t* const end = end_;
            const int status = rialto_producer_commit(end, bytes);
            if (status != RIALTO_EINVAL)
                end_ = nullptr;
            return On::finish(status);
        }
        template <class On = usual>
        Done<On> commit(On on = {})
        {
            return commit(size_, on);
        }
        template <class On = usual>
        Done<On> abort(On = {})
        {
            rialto_producer_t* const end = std::exchange(end_, nullptr);
            return On::finish(end ? rialto_producer_abort(end) : RIALTO_EINVAL);
        }

    private:
        friend Producer;
        Room(Status status, rialto_producer_t* end, void* data, std::size_t size) noexcept
            : Status(status), end_(status ? end : nullptr), data_(data), size_(size)
        {
        }
        rialto_producer_t* end_;
        void* data_;
        std::size_t size_;
    };
    template <class On = usual>
    Room reserve(std::size_t bytes, On = {})
    {
        void* data = nullptr;
        const int status = rialto_producer_reserve(&view_, bytes, &data);
        return Room(On::pass(status), &view_, data, bytes);
    }
    template <class On = usual>
    Room try_reserve(std::size_t bytes, On = {})
    {
        void* data = nullptr;
        const int status = rialto_producer_try_reserve(&view_, bytes, &data);
        return Room(On::pass(status), &view_, data, bytes);
    }
    template <class On = usual>
    Room reserve_for(std::size_t bytes, Timeout timeout, On = {})
    {
        void* data = nullptr;
        const int status = rialto_producer_reserve_timeout(&view_, bytes, timeout.ns(), &data);
        return Room(On::pass(status), &view_, data, bytes);
    }

    /** For event loops, see Spsc. */
    template <class On = usual>
    Done<On> set_data_fd(int fd, On = {})
    {
        return On::finish(rialto_producer_set_data_fd(&view_, fd));
    }
    /** True: try at once. False: poll, room is signalled. */
    template <class On = usual>
    Gives<On, bool> arm_space(On = {})
    {
        return detail::ask<bool, On>(rialto_producer_arm_space, &view_);
    }
    /** What the loop calls once per tick. */
    template <class On = usual>
    Gives<On, bool> recheck_space(On = {})
    {
        return detail::ask<bool, On>(rialto_producer_recheck_space, &view_);
    }
    /** Gives the end back, for somebody else to claim. */
    template <class On = usual>
    Done<On> end(On = {})
    {
        const int status = *this ? rialto_producer_end(&view_) : RIALTO_EINVAL;
        ended();
        return On::finish(status);
    }

private:
    friend Spsc;
    using Pinned::Pinned;
};

/** The consumer's end. */
class Consumer : public detail::Pinned<rialto_consumer_t> {
public:
    /** Gives the end back. */
    ~Consumer() { (void)end(nothrow); }

    /** The next message; it is ours then, and dies with us. */
    template <class On = usual>
    Popped pop(bytes_span buffer, On = {})
    {
        return detail::pop<On>(rialto_consumer_pop, &view_, buffer);
    }
    template <class On = usual>
    Popped try_pop(bytes_span buffer, On = {})
    {
        return detail::pop<On>(rialto_consumer_try_pop, &view_, buffer);
    }
    template <class On = usual>
    Popped pop_for(bytes_span buffer, Timeout timeout, On = {})
    {
        return detail::pop<On>(rialto_consumer_pop_timeout, &view_, buffer, timeout.ns());
    }
    template <class On = usual>
    Popped take_poisoned(bytes_span buffer, On = {})
    {
        return detail::pop<On>(rialto_consumer_take_poisoned, &view_, buffer);
    }
    /** Messages of max_message_bytes each in buffer; how many. */
    template <class On = usual>
    Result<std::size_t> pop_many(bytes_span buffer, slice<rialto_popped_t> messages, On = {})
    {
        return detail::pop_many<On>(rialto_consumer_pop_many, &view_, buffer, messages);
    }
    template <class On = usual>
    Result<std::size_t> try_pop_many(bytes_span buffer, slice<rialto_popped_t> messages, On = {})
    {
        return detail::pop_many<On>(rialto_consumer_try_pop_many, &view_, buffer, messages);
    }
    template <class On = usual>
    Result<std::size_t> pop_many_for(bytes_span buffer, slice<rialto_popped_t> messages, Timeout timeout, On = {})
    {
        return detail::pop_many<On>(rialto_consumer_pop_many_timeout, &view_, buffer, messages, timeout.ns());
    }
    /** 1 if the next message is poisoned. */
    template <class On = usual>
    Gives<On, std::size_t> poisoned(On = {})
    {
        return detail::ask<std::size_t, On>(rialto_consumer_poisoned, &view_);
    }

    /** A message in hand, in its place. False: nothing now, or closed and drained. */
    class [[nodiscard]] Message : public Status {
    public:
        Message(Message&& from) noexcept
            : Status(from), end_(std::exchange(from.end_, nullptr)), bytes_(from.bytes_), attempt_(from.attempt_)
        {
        }
        Message& operator=(Message&&) = delete;
        /** It comes again, marked. */
        ~Message() { (void)give_back(nothrow); }

        bytes_view bytes() const noexcept { return end_ ? bytes_ : bytes_view(); }
        std::string_view text() const noexcept { return bytes().text(); }
        std::uint32_t attempt() const noexcept { return attempt_; }
        /** A copy, of as much as fits, for those who do not trust their peers. */
        template <class On = usual>
        Gives<On, std::size_t> copy(bytes_span into, On = {}) const
        {
            return detail::ask<std::size_t, On>(rialto_consumer_copy, end_, into.data(), into.size());
        }
        /** Done with it. */
        template <class On = usual>
        Done<On> release(On = {})
        {
            rialto_consumer_t* const end = std::exchange(end_, nullptr);
            return On::finish(end ? rialto_consumer_release(end) : RIALTO_EINVAL);
        }
        template <class On = usual>
        Done<On> give_back(On = {})
        {
            rialto_consumer_t* const end = std::exchange(end_, nullptr);
            return On::finish(end ? rialto_consumer_give_back(end) : RIALTO_EINVAL);
        }

    private:
        friend Consumer;
        Message(Status status, rialto_consumer_t* end, bytes_view bytes, std::uint32_t attempt) noexcept
            : Status(status), end_(status ? end : nullptr), bytes_(bytes), attempt_(attempt)
        {
        }
        rialto_consumer_t* end_;
        bytes_view bytes_;
        std::uint32_t attempt_;
    };
    /** Takes the next message in hand. */
    template <class On = usual>
    Message peek(On = {})
    {
        return taken<On>(rialto_consumer_peek);
    }
    template <class On = usual>
    Message try_peek(On = {})
    {
        return taken<On>(rialto_consumer_try_peek);
    }
    template <class On = usual>
    Message peek_for(Timeout timeout, On = {})
    {
        return taken<On>(rialto_consumer_peek_timeout, timeout.ns());
    }

    /** For event loops, see Spsc. */
    template <class On = usual>
    Done<On> set_space_fd(int fd, On = {})
    {
        return On::finish(rialto_consumer_set_space_fd(&view_, fd));
    }
    /** True: try at once. False: poll, the next one is signalled. */
    template <class On = usual>
    Gives<On, bool> arm_data(On = {})
    {
        return detail::ask<bool, On>(rialto_consumer_arm_data, &view_);
    }
    /** What the loop calls once per tick. */
    template <class On = usual>
    Gives<On, bool> recheck_data(On = {})
    {
        return detail::ask<bool, On>(rialto_consumer_recheck_data, &view_);
    }
    /** Gives the end back, for somebody else to claim. */
    template <class On = usual>
    Done<On> end(On = {})
    {
        const int status = *this ? rialto_consumer_end(&view_) : RIALTO_EINVAL;
        ended();
        return On::finish(status);
    }

private:
    friend Spsc;
    using Pinned::Pinned;

    template <class On, class F, class... A>
    Message taken(F function, A... timeout)
    {
        const void* data = nullptr;
        std::size_t size = 0;
        std::uint32_t attempt = 0;
        const int status = function(&view_, timeout..., &data, &size, &attempt);
        return Message(On::pass(status, RIALTO_EPIPE), &view_, bytes_view(data, size), attempt);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
