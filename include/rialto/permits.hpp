/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: TrackedSemaphore (rialto_tracked_semaphore_t), whose permits come back when their holder dies,
 * and Permit, one of them. */
#ifndef RIALTO_PERMITS_HPP
#define RIALTO_PERMITS_HPP

#include "region.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

class TrackedSemaphore;

/** A permit, which goes back at the end of the scope; may be moved. False: none now. Not a forked child's to
 * destroy. */
class [[nodiscard]] Permit {
public:
    Permit() noexcept = default;
    /** Of a number that acquire gave, or that disown gave. */
    inline Permit(const TrackedSemaphore& of, std::uint64_t number) noexcept;
    Permit(Permit&& from) noexcept : of_(from.of_), status_(from.status_), number_(from.disown()) {}
    Permit& operator=(Permit&& from) noexcept
    {
        if (this != &from) {
            (void)release(nothrow);
            of_ = from.of_;
            status_ = from.status_;
            number_ = from.disown();
        }
        return *this;
    }
    ~Permit() { (void)release(nothrow); }

    explicit operator bool() const noexcept { return number_ != 0; }
    Status status() const noexcept { return status_; }
    /** Now; RIALTO_EPERM if it is none. */
    template <class On = usual>
    Done<On> release(On = {})
    {
        const std::uint64_t number = disown();
        return On::finish(number == 0 ? RIALTO_EPERM : rialto_tracked_semaphore_release(&of_, number));
    }
    /** For who wants to release it by number. */
    std::uint64_t disown() noexcept { return std::exchange(number_, 0); }

private:
    friend TrackedSemaphore;
    Permit(Status status, const rialto_tracked_semaphore_t& of, std::uint64_t number) noexcept
        : of_(of), status_(status), number_(number)
    {
    }

    rialto_tracked_semaphore_t of_{};
    Status status_{RIALTO_EPERM};
    std::uint64_t number_ = 0;
};

/** A semaphore that gets dead holders' permits back. */
class TrackedSemaphore : public detail::View<rialto_tracked_semaphore_t> {
public:
    TrackedSemaphore() noexcept = default;

    template <class On = usual>
    static TrackedSemaphore create(const Region& region, cstr name, std::uint32_t permits, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_tracked_semaphore_create(detail::handle(region), name, permits, out);
        });
    }
    template <class On = usual>
    static TrackedSemaphore create_for(const Region& region, cstr name, std::uint32_t permits, Timeout timeout,
                                       On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_tracked_semaphore_create_timeout(detail::handle(region), name, permits, timeout.ns(), out);
        });
    }
    template <class On = usual>
    static TrackedSemaphore open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_tracked_semaphore_open(detail::handle(region), name, out); });
    }
    template <class On = usual>
    static TrackedSemaphore open_or_create(const Region& region, cstr name, std::uint32_t permits, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_tracked_semaphore_open_or_create(detail::handle(region), name, permits, out);
        });
    }
    /** The same, acting as a member that you made, which must outlive it. */
    template <class On = usual>
    TrackedSemaphore as_member(const Member& member, On on = {}) const
    {
        return make(on, [&](auto* out) {
            return rialto_tracked_semaphore_as_member(&view_, member.native_handle(), out);
        });
    }

    template <class On = usual>
    Permit acquire(On = {}) const
    {
        return taken<On>(rialto_tracked_semaphore_acquire);
    }
    /** False: there is none. Does not look for the dead. */
    template <class On = usual>
    Permit try_acquire(On = {}) const
    {
        return taken<On>(rialto_tracked_semaphore_try_acquire);
    }
    template <class On = usual>
    Permit try_acquire_for(Timeout timeout, On = {}) const
    {
        return taken<On>(rialto_tracked_semaphore_acquire_timeout, timeout.ns());
    }
    template <class On = usual>
    Gives<On, std::uint32_t> value(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_tracked_semaphore_value, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> bound(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_tracked_semaphore_bound, &view_);
    }

private:
    using View::View;
    template <class On, class F>
    static TrackedSemaphore make(On on, F function)
    {
        return TrackedSemaphore(on, RIALTO_OK, function);
    }

    template <class On, class F, class... A>
    Permit taken(F function, A... timeout) const
    {
        std::uint64_t number = 0;
        const int status = function(&view_, timeout..., &number);
        return Permit(On::pass(status), view_, status < 0 ? 0 : number);
    }
};

inline Permit::Permit(const TrackedSemaphore& of, std::uint64_t number) noexcept
    : Permit(RIALTO_OK, *of.native_handle(), number)
{
}

} // namespace RIALTO_FORM
} // namespace rialto

#endif
