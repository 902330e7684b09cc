/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: what a pop brings, of a Queue and of a Consumer. */
#ifndef RIALTO_MESSAGE_HPP
#define RIALTO_MESSAGE_HPP

#include "view.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** A message that was copied into your buffer. False: nothing now (not_now()), or closed and drained (closed()). */
class [[nodiscard]] Popped : public Status {
public:
    constexpr Popped(Status status, bytes_view bytes, std::uint32_t attempt, rialto_ticket_t ticket) noexcept
        : Status(status), bytes_(bytes), attempt_(attempt), ticket_(ticket)
    {
    }

    /** It, in the buffer. */
    constexpr bytes_view bytes() const noexcept { return bytes_; }
    constexpr std::size_t size() const noexcept { return bytes_.size(); }
    /** The same as text. */
    std::string_view text() const noexcept { return bytes_.text(); }
    /** How many before us died with it in hand, or gave it back. */
    constexpr std::uint32_t attempt() const noexcept { return attempt_; }
    /** From a pop_ticket: for task_done. */
    constexpr const rialto_ticket_t& ticket() const noexcept { return ticket_; }

private:
    bytes_view bytes_;
    std::uint32_t attempt_;
    rialto_ticket_t ticket_;
};

namespace detail {

template <class On, class F, class V, class... A>
Popped pop(F function, V* view, bytes_span buffer, A... timeout)
{
    std::size_t length = 0;
    std::uint32_t attempt = 0;
    const int status = function(view, buffer.data(), buffer.size(), timeout..., &length, &attempt);
    return Popped(On::pass(status, RIALTO_EPIPE), bytes_view(buffer.data(), length), attempt, rialto_ticket_t{});
}

template <class On, class F, class V, class... A>
Popped pop_ticket(F function, V* view, bytes_span buffer, A... timeout)
{
    std::size_t length = 0;
    std::uint32_t attempt = 0;
    rialto_ticket_t ticket{};
    const int status = function(view, buffer.data(), buffer.size(), timeout..., &length, &attempt, &ticket);
    return Popped(On::pass(status, RIALTO_EPIPE), bytes_view(buffer.data(), length), attempt, ticket);
}

template <class On, class F, class V, class... A>
Result<std::size_t> pop_many(F function, V* view, bytes_span buffer, slice<rialto_popped_t> messages, A... timeout)
{
    std::size_t popped = 0;
    const int status =
        function(view, buffer.data(), buffer.size(), timeout..., messages.data(), messages.size(), &popped);
    return Result<std::size_t>(On::pass(status, RIALTO_EPIPE), popped);
}

template <class On, class F, class V, class... A>
Result<std::size_t> push_many(F function, V* view, slice<const rialto_message_t> messages, A... timeout)
{
    std::size_t pushed = 0;
    const int status = function(view, messages.data(), messages.size(), timeout..., &pushed);
    return Result<std::size_t>(On::pass(status), pushed);
}

} // namespace detail
} // namespace RIALTO_FORM
} // namespace rialto

#endif
