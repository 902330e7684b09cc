/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Peeked (rialto_peeked_t) and Reserved (rialto_reserved_t), messages of a Queue in place.
 *
 * A Peeked that goes away without release() gives its message back, also when an exception passes; a Reserved without
 * commit() sends nothing. A forked child must neither use nor destroy its parent's: fork while you have none, or leave
 * the child by _exit. */
#ifndef RIALTO_LOANS_HPP
#define RIALTO_LOANS_HPP

#include "view.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

class Queue;

/** A message in hand, in its slot. False: nothing now, or closed and drained. */
class [[nodiscard]] Peeked : public detail::Pinned<rialto_peeked_t> {
public:
    Peeked() noexcept = default;
    /** Gives the message back, for somebody else, marked. */
    ~Peeked() { (void)abandon(nothrow); }

    /** Where it lies. A peer that writes wild may change it while you look: copy it if you do not trust them. */
    bytes_view bytes() const noexcept
    {
        const void* data = nullptr;
        std::size_t size = 0;
        (void)rialto_peeked_bytes(&view_, &data, &size);
        return bytes_view(data, size);
    }
    std::string_view text() const noexcept { return bytes().text(); }
    /** A copy, of as much as fits. */
    template <class On = usual>
    Gives<On, std::size_t> copy(bytes_span into, On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_peeked_copy, &view_, into.data(), into.size());
    }
    /** How many before us died with it in hand, or gave it back. */
    std::uint32_t attempt() const noexcept
    {
        return detail::ask<std::uint32_t, nothrow_t>(rialto_peeked_attempt, &view_).value_or(0);
    }
    /** Done with it. */
    template <class On = usual>
    Done<On> release(On = {})
    {
        const int status = rialto_peeked_release(&view_);
        ended();
        return On::finish(status);
    }
    /** Somebody else shall have it. */
    template <class On = usual>
    Done<On> abandon(On = {})
    {
        const int status = *this ? rialto_peeked_abandon(&view_) : RIALTO_EINVAL;
        ended();
        return On::finish(status);
    }

private:
    friend Queue;
    using Pinned::Pinned;
};

/** Room for a message, in a queue. False: no room now. */
class [[nodiscard]] Reserved : public detail::Pinned<rialto_reserved_t> {
public:
    /** Gives the room back. */
    ~Reserved() { (void)abort(nothrow); }

    /** Where to write it. */
    bytes_span bytes() noexcept
    {
        void* data = nullptr;
        std::size_t size = 0;
        (void)rialto_reserved_bytes(&view_, &data, &size);
        return bytes_span(data, size);
    }
    /** Copies the whole message in. */
    template <class On = usual>
    Done<On> write(bytes_view message, On = {})
    {
        return On::finish(rialto_reserved_write(&view_, message.data(), message.size()));
    }
    template <class On = usual>
    Done<On> truncate(std::size_t bytes, On = {})
    {
        return On::finish(rialto_reserved_truncate(&view_, bytes));
    }
    /** Sends it. If that fails, it is still reserved. */
    template <class On = usual>
    Done<On> commit(On = {})
    {
        return On::finish(settle(rialto_reserved_commit(&view_)));
    }
    template <class On = usual>
    Told<On> try_commit(On = {})
    {
        return On::tell(settle(rialto_reserved_try_commit(&view_)));
    }
    template <class On = usual>
    Told<On> commit_for(Timeout timeout, On = {})
    {
        return On::tell(settle(rialto_reserved_commit_timeout(&view_, timeout.ns())));
    }
    template <class On = usual>
    Done<On> abort(On = {})
    {
        const int status = *this ? rialto_reserved_abort(&view_) : RIALTO_EINVAL;
        ended();
        return On::finish(status);
    }

private:
    friend Queue;
    using Pinned::Pinned;
    int settle(int status) noexcept
    {
        if (status >= 0)
            ended();
        return status;
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
