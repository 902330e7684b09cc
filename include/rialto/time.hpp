/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: how long to wait. */
#ifndef RIALTO_TIME_HPP
#define RIALTO_TIME_HPP

#include "status.hpp"

#include <chrono>
#include <cstdint>

namespace rialto {
inline namespace RIALTO_FORM {

/** How long to wait: any std::chrono::duration, rounded up to nanoseconds, so never early. Negative is 0, which
 * polls. 292 years and more, and infinity, is for ever. */
class Timeout {
public:
    template <class Rep, class Period>
    constexpr Timeout(std::chrono::duration<Rep, Period> duration) noexcept : ns_(convert(duration))
    {
    }

    static constexpr Timeout forever() noexcept { return Timeout(RIALTO_WAIT_FOREVER); }
    static constexpr Timeout poll() noexcept { return Timeout(std::uint64_t(0)); }
    constexpr std::uint64_t ns() const noexcept { return ns_; }

private:
    constexpr explicit Timeout(std::uint64_t ns) noexcept : ns_(ns) {}

    template <class Rep, class Period>
    static constexpr std::uint64_t convert(std::chrono::duration<Rep, Period> duration) noexcept
    {
        using Ratio = std::ratio_divide<Period, std::nano>;
        if (!(duration > duration.zero())) // also what is no number
            return 0;
        const long double count = static_cast<long double>(duration.count());
        const long double ns = count * static_cast<long double>(Ratio::num) / static_cast<long double>(Ratio::den);
        if (ns >= 9.2e18L)
            return RIALTO_WAIT_FOREVER;
        if constexpr (std::is_integral_v<Rep> && Ratio::den == 1) {
            return static_cast<std::uint64_t>(duration.count()) * static_cast<std::uint64_t>(Ratio::num);
        } else {
            const std::uint64_t whole = static_cast<std::uint64_t>(ns);
            return static_cast<long double>(whole) < ns ? whole + 1 : whole;
        }
    }

    std::uint64_t ns_;
};

/** For whatever takes a Timeout: until then. queue.pop_for(buffer, rialto::until(deadline)) */
template <class Clock, class Duration>
Timeout until(std::chrono::time_point<Clock, Duration> at)
{
    const auto now = Clock::now();
    return at > now ? Timeout(at - now) : Timeout::poll();
}

/** The clock that timeouts are measured with: monotonic nanoseconds. */
inline std::uint64_t now_ns() noexcept
{
    std::uint64_t now = 0;
    (void)rialto_now_ns(&now);
    return now;
}

namespace detail {

/** A Timeout across several waits. */
class Deadline {
public:
    explicit Deadline(Timeout timeout) noexcept
    {
        const std::uint64_t now = now_ns();
        at_ = timeout.ns() < RIALTO_WAIT_FOREVER - now ? now + timeout.ns() : RIALTO_WAIT_FOREVER;
    }

    std::uint64_t left_ns() const noexcept
    {
        if (at_ == RIALTO_WAIT_FOREVER)
            return at_;
        const std::uint64_t now = now_ns();
        return now < at_ ? at_ - now : 0;
    }

private:
    std::uint64_t at_;
};

/** try_lock_until and the like: tries at least once, and waits again if that clock is slower than ours. */
template <class Clock, class Duration, class F>
Status repeat_until(std::chrono::time_point<Clock, Duration> at, F try_for)
{
    for (;;) {
        const Timeout timeout = until(at);
        const Status status = try_for(timeout);
        if (!status.not_now() || timeout.ns() == 0)
            return status;
    }
}

/** How often an event loop rechecks; 0 of what is not alive. */
template <class F, class V>
std::chrono::nanoseconds tick(F function, const V* view) noexcept
{
    std::uint64_t ns = 0;
    (void)function(view, &ns);
    return std::chrono::nanoseconds(ns);
}

} // namespace detail

} // namespace RIALTO_FORM
} // namespace rialto

#endif
