/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Value<T> (rialto_value_t): a number or a structure. A store is all or nothing, and a load never
 * waits for the dead. T is trivially copyable and has no pointers; numbers are checked when it is opened, of structures
 * the size. */
#ifndef RIALTO_VALUE_HPP
#define RIALTO_VALUE_HPP

#include "state.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

namespace detail {

struct ValueApi {
    static constexpr auto acquire = rialto_value_acquire;
    static constexpr auto release = rialto_value_release;
    static constexpr auto set_timeout = rialto_value_set_timeout;
    static constexpr auto is_mine = rialto_value_is_mine;
    static constexpr auto is_locked = rialto_value_is_locked;
    static constexpr auto deaths = rialto_value_deaths;
};

} // namespace detail

/** A T that several processes share. */
template <class T>
class Value : public detail::State<rialto_value_t, detail::ValueApi> {
public:
    using value_type = T;
    Value() noexcept = default;

    template <class On = usual>
    static Value create(const Region& region, cstr name, const T& initial, On on = {})
    {
        return create_for(region, name, initial, Timeout::forever(), on);
    }
    template <class On = usual>
    static Value create_for(const Region& region, cstr name, const T& initial, Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_value_create(detail::handle(region), name, type_of<T>(), &initial, sizeof(T), timeout.ns(),
                                       out);
        });
    }
    template <class On = usual>
    static Value open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_value_open(detail::handle(region), name, type_of<T>(), sizeof(T), out);
        });
    }

    /** What was stored last. */
    template <class On = usual>
    Gives<On, T> load(On = {}) const
    {
        T to{};
        const int status = rialto_value_load(&view_, &to, sizeof to);
        return On::give(status, to);
    }
    template <class On = usual>
    Done<On> store(const T& from, On = {}) const
    {
        return On::finish(rialto_value_store(&view_, &from, sizeof from));
    }
    /** Stores it; what was there. */
    template <class On = usual>
    Gives<On, T> swap(const T& from, On = {}) const
    {
        static_assert(detail::is_swappable<T>());
        T before{};
        const int status = rialto_value_swap(&view_, &from, &before, sizeof from);
        return On::give(status, before);
    }
    /** Stores `desired` if it is, byte by byte, `expected`, which gets what was there. */
    template <class On = usual>
    Told<On> compare_exchange(T& expected, const T& desired, On = {}) const
    {
        static_assert(detail::is_comparable<T>());
        return On::tell(rialto_value_compare_exchange(&view_, &expected, &desired, sizeof desired));
    }
    /** Adds to a number; what was there. Integers wrap. */
    template <class On = usual>
    Gives<On, T> fetch_add(T more, On = {}) const
    {
        static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
        T before{};
        const int status = rialto_value_fetch_add(&view_, &more, &before, sizeof more);
        return On::give(status, before);
    }

private:
    using State::State;
    template <class On, class F>
    static Value make(On on, F function)
    {
        return Value(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
