/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Array<T> (rialto_array_t): elements of one type. An update, of one or of many, is all or nothing,
 * and a read never waits for the dead. What is not there is an error, RIALTO_ENOENT. */
#ifndef RIALTO_ARRAY_HPP
#define RIALTO_ARRAY_HPP

#include "state.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

namespace detail {

struct ArrayApi {
    static constexpr auto acquire = rialto_array_acquire;
    static constexpr auto release = rialto_array_release;
    static constexpr auto set_timeout = rialto_array_set_timeout;
    static constexpr auto is_mine = rialto_array_is_mine;
    static constexpr auto is_locked = rialto_array_is_locked;
    static constexpr auto deaths = rialto_array_deaths;
};

} // namespace detail

/** Several T that several processes share. */
template <class T>
class Array : public detail::State<rialto_array_t, detail::ArrayApi> {
public:
    using value_type = T;
    Array() noexcept = default;

    /** So many zeros, or these. */
    template <class On = usual>
    static Array create(const Region& region, cstr name, std::uint32_t count, On on = {})
    {
        return create_for(region, name, count, nullptr, Timeout::forever(), on);
    }
    template <class On = usual>
    static Array create(const Region& region, cstr name, slice<const T> initial, On on = {})
    {
        return create_for(region, name, count_of(initial), initial.data(), Timeout::forever(), on);
    }
    /** `initial`: as many elements, or nullptr. */
    template <class On = usual>
    static Array create_for(const Region& region, cstr name, std::uint32_t count, const T* initial, Timeout timeout,
                            On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_array_create(detail::handle(region), name, type_of<T>(), sizeof(T), count, initial,
                                       timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Array open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_array_open(detail::handle(region), name, type_of<T>(), sizeof(T), out);
        });
    }

    template <class On = usual>
    Gives<On, std::uint32_t> len(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_array_len, &view_);
    }
    /** One element. */
    template <class On = usual>
    Gives<On, T> get(std::uint32_t index, On = {}) const
    {
        T to{};
        const int status = rialto_array_read(&view_, index, 1, &to);
        return On::give(status, to);
    }
    template <class On = usual>
    Done<On> set(std::uint32_t index, const T& from, On = {}) const
    {
        return On::finish(rialto_array_write(&view_, index, 1, &from));
    }
    /** As many as `to` has room for, all of one moment. */
    template <class On = usual>
    Done<On> read(std::uint32_t index, slice<T> to, On = {}) const
    {
        return On::finish(rialto_array_read(&view_, index, count_of(to), to.data()));
    }
    /** All of them or none. */
    template <class On = usual>
    Done<On> write(std::uint32_t index, slice<const T> from, On = {}) const
    {
        return On::finish(rialto_array_write(&view_, index, count_of(from), from.data()));
    }
    /** As Value's. */
    template <class On = usual>
    Gives<On, T> swap(std::uint32_t index, const T& from, On = {}) const
    {
        static_assert(detail::is_swappable<T>());
        T before{};
        const int status = rialto_array_swap(&view_, index, &from, &before, sizeof from);
        return On::give(status, before);
    }
    template <class On = usual>
    Told<On> compare_exchange(std::uint32_t index, T& expected, const T& desired, On = {}) const
    {
        static_assert(detail::is_comparable<T>());
        return On::tell(rialto_array_compare_exchange(&view_, index, &expected, &desired, sizeof desired));
    }
    template <class On = usual>
    Gives<On, T> fetch_add(std::uint32_t index, T more, On = {}) const
    {
        static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
        T before{};
        const int status = rialto_array_fetch_add(&view_, index, &more, &before, sizeof more);
        return On::give(status, before);
    }

    /** An edit under way. */
    class Edit {
    public:
        /** With what the edit has written before. */
        template <class On = usual>
        Gives<On, T> get(std::uint32_t index, On = {}) const
        {
            T to{};
            const int status = rialto_array_edit_read(edit_, index, &to, sizeof to);
            return On::give(status, to);
        }
        template <class On = usual>
        Done<On> set(std::uint32_t index, const T& from, On = {})
        {
            return On::finish(rialto_array_edit_write(edit_, index, &from, sizeof from));
        }
        template <class On = usual>
        Done<On> read(std::uint32_t index, slice<T> to, On = {}) const
        {
            return On::finish(rialto_array_edit_read(edit_, index, to.data(), to.size() * sizeof(T)));
        }
        template <class On = usual>
        Done<On> write(std::uint32_t index, slice<const T> from, On = {})
        {
            return On::finish(rialto_array_edit_write(edit_, index, from.data(), from.size() * sizeof(T)));
        }

    private:
        friend Array;
        explicit Edit(rialto_array_edit_t* edit) noexcept : edit_(edit) {}
        rialto_array_edit_t* edit_;
    };
    /** Has `change` change as many elements as it likes: array.edit([&](auto& edit) { ... }). All of that or
     * nothing: if it throws, or returns false, nothing is changed; that is also what edit returns then
     * (RIALTO_EAGAIN). */
    template <class F, class On = usual>
    Told<On> edit(F change, On = {}) const
    {
        auto run = [&change](rialto_array_edit_t* at) {
            Edit edit(at);
            return detail::agrees(change, edit) ? RIALTO_OK : RIALTO_EAGAIN;
        };
        using Run = detail::Callback<decltype(run)>;
        Run callback(run);
        const int status = rialto_array_edit(
            &view_,
            [](rialto_array_edit_t* at, void* context) {
                return static_cast<Run*>(context)->call(RIALTO_EAGAIN, at);
            },
            &callback);
        callback.rethrow();
        return On::tell(status);
    }

private:
    using State::State;
    template <class On, class F>
    static Array make(On on, F function)
    {
        return Array(on, RIALTO_OK, function);
    }
    /** More than there can be, if there are more than can be counted. */
    template <class U>
    static std::uint32_t count_of(slice<U> elements) noexcept
    {
        return elements.size() < UINT32_MAX ? static_cast<std::uint32_t>(elements.size()) : UINT32_MAX;
    }
};

/** Memory with a name, zero at first, that is all yours: no lock, no copies. Others store there at any moment: use
 * atomics, or a Lock. Where it is in this process, aligned to 128; the region must outlive its use. */
template <class T, class On = usual>
Gives<On, T*> create_raw_value(const Region& region, cstr name, On = {})
{
    void* data = nullptr;
    const int status = rialto_raw_value_create(detail::handle(region), name, type_of<T>(), sizeof(T), &data);
    return On::give(status, static_cast<T*>(data));
}
template <class T, class On = usual>
Gives<On, T*> open_raw_value(const Region& region, cstr name, On = {})
{
    void* data = nullptr;
    const int status = rialto_raw_value_open(detail::handle(region), name, type_of<T>(), sizeof(T), &data);
    return On::give(status, static_cast<T*>(data));
}
template <class T, class On = usual>
Gives<On, slice<T>> create_raw_array(const Region& region, cstr name, std::uint32_t count, On = {})
{
    void* data = nullptr;
    const int status = rialto_raw_array_create(detail::handle(region), name, type_of<T>(), sizeof(T), count, &data);
    return On::give(status, slice<T>(static_cast<T*>(data), count));
}
template <class T, class On = usual>
Gives<On, slice<T>> open_raw_array(const Region& region, cstr name, On = {})
{
    void* data = nullptr;
    std::uint32_t count = 0;
    const int status = rialto_raw_array_open(detail::handle(region), name, type_of<T>(), sizeof(T), &data, &count);
    return On::give(status, slice<T>(static_cast<T*>(data), count));
}

} // namespace RIALTO_FORM
} // namespace rialto

#endif
