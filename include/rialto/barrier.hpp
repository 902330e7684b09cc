/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Barrier (rialto_barrier_t). A barrier that is broken is an error: rialto::broken. */
#ifndef RIALTO_BARRIER_HPP
#define RIALTO_BARRIER_HPP

#include "region.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** Parties that wait for each other, as often as they like; cf. std::barrier. */
class Barrier : public detail::View<rialto_barrier_t> {
public:
    Barrier() noexcept = default;

    template <class On = usual>
    static Barrier create(const Region& region, cstr name, std::uint32_t parties, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_barrier_create(detail::handle(region), name, parties, out); });
    }
    template <class On = usual>
    static Barrier create_for(const Region& region, cstr name, std::uint32_t parties, Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_barrier_create_timeout(detail::handle(region), name, parties, timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Barrier open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_barrier_open(detail::handle(region), name, out); });
    }
    template <class On = usual>
    static Barrier open_or_create(const Region& region, cstr name, std::uint32_t parties, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_barrier_open_or_create(detail::handle(region), name, parties, out);
        });
    }
    /** The same, acting as a member that you made, which must outlive it. */
    template <class On = usual>
    Barrier as_member(const Member& member, On on = {}) const
    {
        return make(on, [&](auto* out) { return rialto_barrier_as_member(&view_, member.native_handle(), out); });
    }

    /** Waits for all; a number that no other party gets this time. */
    template <class On = usual>
    Gives<On, std::uint32_t> wait(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_barrier_wait, &view_);
    }
    /** False: the time was up, and by that the barrier is broken. */
    template <class On = usual>
    Result<std::uint32_t> wait_for(Timeout timeout, On = {}) const
    {
        return detail::find<std::uint32_t, On>(RIALTO_OK, rialto_barrier_wait_timeout, &view_, timeout.ns());
    }
    /** The one who comes last runs its action before anybody is released. One that throws, or returns false, breaks
     * the barrier; what it throws is thrown here. */
    template <class F, class On = usual>
    Result<std::uint32_t> wait_action(F action, Timeout timeout = Timeout::forever(), On = {}) const
    {
        auto run = [&action] { return detail::agrees(action) ? 0 : 1; };
        using Run = detail::Callback<decltype(run)>;
        Run callback(run);
        std::uint32_t index = 0;
        const int status = rialto_barrier_wait_action_timeout(
            &view_, timeout.ns(), [](void* at) { return static_cast<Run*>(at)->call(1); }, &callback, &index);
        callback.rethrow();
        return Result<std::uint32_t>(On::pass(status), index);
    }

    /** This thread's (or the view's) member: its death breaks the barrier wherever it is. */
    template <class On = usual>
    Done<On> register_party(On = {}) const
    {
        return On::finish(rialto_barrier_register(&view_));
    }
    template <class On = usual>
    Done<On> unregister_party(On = {}) const
    {
        return On::finish(rialto_barrier_unregister(&view_));
    }
    /** Whole again, with nobody there. */
    template <class On = usual>
    Done<On> reset(On = {}) const
    {
        return On::finish(rialto_barrier_reset(&view_));
    }
    /** Breaks it. */
    template <class On = usual>
    Done<On> abort(On = {}) const
    {
        return On::finish(rialto_barrier_abort(&view_));
    }
    template <class On = usual>
    Gives<On, bool> is_broken(On = {}) const
    {
        return detail::ask<bool, On>(rialto_barrier_is_broken, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> n_waiting(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_barrier_n_waiting, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> parties(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_barrier_parties, &view_);
    }

private:
    using View::View;
    template <class On, class F>
    static Barrier make(On on, F function)
    {
        return Barrier(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
