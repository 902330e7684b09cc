/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: what Value, Array, List, Dict and Namespace have in common: the object's lock, which keeps others
 * from changing it during several operations of ours; a Guard or std::lock_guard of the object holds it. (A death under
 * it is not told: the last whole operation stays.) And which types may lie in a value. */
#ifndef RIALTO_STATE_HPP
#define RIALTO_STATE_HPP

#include "region.hpp"
#include "view.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** RIALTO_U8 ... RIALTO_F64, RIALTO_BOOL; RIALTO_BLOCK for a structure. An enumeration is its number. */
template <class T>
constexpr rialto_type_t type_of() noexcept
{
    static_assert(is_shareable<T>::value, "rialto: its bytes mean nothing to another process");
    static_assert(!std::is_const_v<T> && !std::is_volatile_v<T> && std::is_default_constructible_v<T>);
    if constexpr (std::is_enum_v<T>) {
        return type_of<std::underlying_type_t<T>>();
    } else if constexpr (std::is_same_v<T, bool>) {
        return RIALTO_BOOL;
    } else if constexpr (std::is_same_v<T, float>) {
        return RIALTO_F32;
    } else if constexpr (std::is_same_v<T, double>) {
        return RIALTO_F64;
    } else if constexpr (std::is_integral_v<T> && sizeof(T) <= 8) {
        constexpr rialto_type_t size = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
        return RIALTO_U8 + 2 * size + (std::is_signed_v<T> ? 1 : 0);
    } else {
        return RIALTO_BLOCK;
    }
}

static_assert(type_of<unsigned char>() == RIALTO_U8 && type_of<std::int64_t>() == RIALTO_I64);
static_assert(sizeof(bool) == 1 && sizeof(float) == 4 && sizeof(double) == 8);

namespace detail {

/** For what replaces and tells what was there. */
template <class T>
constexpr bool is_swappable() noexcept
{
    static_assert(sizeof(T) <= 64, "rialto: at most 64 bytes can be swapped");
    return true;
}

/** For what compares byte by byte: no padding. */
template <class T>
constexpr bool is_comparable() noexcept
{
    static_assert(std::has_unique_object_representations_v<T> || std::is_same_v<T, float> ||
                      std::is_same_v<T, double>, // long double has such bytes
                  "rialto: bytes between its members would be compared");
    return is_swappable<T>();
}

template <class C, class Api>
class State : public View<C> {
public:
    /** Keeps all others from changing it until release. */
    template <class On = usual>
    Done<On> acquire(On = {}) const
    {
        return On::finish(Api::acquire(&this->view_, RIALTO_WAIT_FOREVER));
    }
    template <class On = usual>
    Told<On> try_acquire(On = {}) const
    {
        return On::tell(Api::acquire(&this->view_, 0));
    }
    template <class On = usual>
    Told<On> acquire_for(Timeout timeout, On = {}) const
    {
        return On::tell(Api::acquire(&this->view_, timeout.ns()));
    }
    template <class On = usual>
    Done<On> release(On = {}) const
    {
        return On::finish(Api::release(&this->view_));
    }
    /** The same for std's guards. */
    void lock() const { (void)taken(Api::acquire(&this->view_, RIALTO_WAIT_FOREVER)); }
    bool try_lock() const { return taken(Api::acquire(&this->view_, 0)); }
    void unlock() const noexcept { (void)Api::release(&this->view_); }
    template <class Rep, class Period>
    bool try_lock_for(std::chrono::duration<Rep, Period> timeout) const
    {
        return taken(Api::acquire(&this->view_, Timeout(timeout).ns()));
    }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> at) const
    {
        return taken(repeat_until(at, [this](Timeout left) { return Api::acquire(&this->view_, left.ns()); }));
    }

    /** How long this view's operations wait for others who change it; at first, as long as it takes. */
    template <class On = usual>
    Done<On> set_timeout(Timeout timeout, On = {})
    {
        return On::finish(Api::set_timeout(&this->view_, timeout.ns()));
    }
    template <class On = usual>
    Gives<On, bool> is_mine(On = {}) const
    {
        return ask<bool, On>(Api::is_mine, &this->view_);
    }
    template <class On = usual>
    Gives<On, bool> is_locked(On = {}) const
    {
        return ask<bool, On>(Api::is_locked, &this->view_);
    }
    /** How many died in the middle of a change, which was taken back or completed. */
    template <class On = usual>
    Gives<On, std::uint32_t> deaths(On = {}) const
    {
        return ask<std::uint32_t, On>(Api::deaths, &this->view_);
    }

protected:
    using View<C>::View;
    State() noexcept = default;

private:
    static bool taken(Status status)
    {
        if (!status && !status.not_now())
            refuse(status.code());
        return bool(status);
    }
};

} // namespace detail
} // namespace RIALTO_FORM
} // namespace rialto

#endif
