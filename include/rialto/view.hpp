/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: what all views are. A C view and the status that made it, no more.
 *
 * An empty view (default, failed, nothing there, or ended) is false; calls on it say RIALTO_EINVAL.
 * - View: Queue, Pipe, Spsc, TrackedSemaphore, Barrier, Value, Array, List, Dict, Namespace. May be copied and moved
 *   as you like: all copies are the same object. It needs no end.
 * - Pinned: Region, Member, Peeked, Reserved, Producer, Consumer, Connection, Process, ForkServer, Pool.
 *   Neither copied nor moved: the C view in it ends when its address changes. It comes to its place by C++17's
 *   elision: from a function's `return`, as a member that the constructor's list makes, by
 *   `new Region(Region::attach_named("demo"))`. The destructor ends it.
 * - Callbacks: C calls them, and nothing may be thrown through C. Ours catch it and throw it again behind. */
#ifndef RIALTO_VIEW_HPP
#define RIALTO_VIEW_HPP

#include "bytes.hpp"
#include "time.hpp"

#include <exception>

namespace rialto {
inline namespace RIALTO_FORM {
namespace detail {

template <class C>
class View {
public:
    /** Whether there is an object. */
    explicit operator bool() const noexcept { return bool(status_); }
    /** Of the call that made it. */
    Status status() const noexcept { return status_; }
    /** For what C can do and C++ cannot. */
    C* native_handle() noexcept { return &view_; }
    const C* native_handle() const noexcept { return &view_; }

protected:
    View() noexcept = default;
    template <class On, class F>
    View(On, int also, F make) : status_(make(&view_))
    {
        (void)On::pass(status_.code(), also);
    }

    C view_{};
    Status status_{RIALTO_EINVAL};
};

template <class C>
class Pinned : public View<C> {
public:
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

protected:
    using View<C>::View;
    Pinned() noexcept = default;
    ~Pinned() = default;

    /** The C view has ended. */
    void ended() noexcept { this->status_ = RIALTO_EINVAL; }
};

/** What a user's function says: whether to go on, or that it went well. One that returns nothing says yes. */
template <class F, class... A>
bool agrees(F& function, A&&... arguments)
{
    if constexpr (std::is_void_v<std::invoke_result_t<F&, A...>>) {
        function(std::forward<A>(arguments)...);
        return true;
    } else {
        return static_cast<bool>(function(std::forward<A>(arguments)...));
    }
}

/** What C calls: `function`, which returns an int, and what that has thrown. */
template <class F>
class Callback {
public:
    explicit Callback(F& function) noexcept : function_(function) {}

    /** What the function returns; `otherwise` if it has thrown, now or before. */
    template <class... A>
    int call(int otherwise, A&&... arguments) noexcept
    {
#ifndef RIALTO_NO_EXCEPTIONS
        if (thrown_)
            return otherwise;
        try {
            return function_(std::forward<A>(arguments)...);
        } catch (...) {
            thrown_ = std::current_exception();
            return otherwise;
        }
#else
        (void)otherwise;
        return function_(std::forward<A>(arguments)...);
#endif
    }

    void rethrow() const
    {
#ifndef RIALTO_NO_EXCEPTIONS
        if (thrown_)
            std::rethrow_exception(thrown_);
#endif
    }

private:
    F& function_;
#ifndef RIALTO_NO_EXCEPTIONS
    std::exception_ptr thrown_;
#endif
};

} // namespace detail
} // namespace RIALTO_FORM
} // namespace rialto

#endif
