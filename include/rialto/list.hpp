/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: List (rialto_list_t): byte strings in an order, as Python's list. An operation is all or nothing.
 * Bytes are copied, from you and to you, into your buffer (max_..._bytes is enough for each). What is not
 * there is no error: something false, whose status is RIALTO_ENOENT. Calls and what they do are Python's. */
#ifndef RIALTO_LIST_HPP
#define RIALTO_LIST_HPP

#include "copies.hpp"
#include "state.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

namespace detail {

struct ListApi {
    static constexpr auto acquire = rialto_list_acquire;
    static constexpr auto release = rialto_list_release;
    static constexpr auto set_timeout = rialto_list_set_timeout;
    static constexpr auto is_mine = rialto_list_is_mine;
    static constexpr auto is_locked = rialto_list_is_locked;
    static constexpr auto deaths = rialto_list_deaths;
};

} // namespace detail

/** Byte strings in an order. */
class List : public detail::State<rialto_list_t, detail::ListApi> {
public:
    List() noexcept = default;

    /** What one takes in its region. */
    template <class On = usual>
    static Gives<On, rialto_layout_t> layout(std::uint32_t capacity, std::uint32_t max_item_bytes, On = {})
    {
        return detail::ask<rialto_layout_t, On>(rialto_list_layout, capacity, max_item_bytes);
    }
    template <class On = usual>
    static List create(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_item_bytes,
                       On on = {})
    {
        return create_for(region, name, capacity, max_item_bytes, Timeout::forever(), on);
    }
    template <class On = usual>
    static List create_for(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_item_bytes,
                           Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_list_create(detail::handle(region), name, capacity, max_item_bytes, timeout.ns(), out);
        });
    }
    template <class On = usual>
    static List open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_list_open(detail::handle(region), name, out);
        });
    }
    /** If it was created so. */
    template <class On = usual>
    static List open_as(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_item_bytes,
                        On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_list_open_as(detail::handle(region), name, capacity, max_item_bytes, out);
        });
    }
    template <class On = usual>
    static List open_or_create(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_item_bytes,
                               On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_list_open_or_create(detail::handle(region), name, capacity, max_item_bytes, out);
        });
    }

    template <class On = usual>
    Gives<On, std::uint32_t> capacity(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_list_capacity, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> max_item_bytes(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_list_max_item_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> len(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_list_len, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_empty(On = {}) const
    {
        return detail::ask<bool, On>(rialto_list_is_empty, &view_);
    }

    template <class On = usual>
    Done<On> clear(On = {}) const
    {
        return On::finish(rialto_list_clear(&view_));
    }
    template <class On = usual>
    Done<On> append(bytes_view item, On = {}) const
    {
        return On::finish(rialto_list_append(&view_, item.data(), item.size()));
    }
    /** All of them or none: list.extend({message("a"), message("b")}) */
    template <class On = usual>
    Done<On> extend(slice<const rialto_message_t> items, On = {}) const
    {
        return On::finish(rialto_list_extend(&view_, items.data(), items.size()));
    }
    /** Before the one at `index`. */
    template <class On = usual>
    Done<On> insert(std::size_t index, bytes_view item, On = {}) const
    {
        return On::finish(rialto_list_insert(&view_, index, item.data(), item.size()));
    }
    template <class On = usual>
    Done<On> set(std::size_t index, bytes_view item, On = {}) const
    {
        return On::finish(rialto_list_set(&view_, index, item.data(), item.size()));
    }
    /** Removes the item at `index`. */
    template <class On = usual>
    Done<On> erase(std::size_t index, On = {}) const
    {
        return On::finish(rialto_list_delete(&view_, index));
    }
    /** Removes the first that has these bytes. */
    template <class On = usual>
    Done<On> remove(bytes_view item, On = {}) const
    {
        return On::finish(rialto_list_remove(&view_, item.data(), item.size()));
    }
    template <class On = usual>
    Done<On> reverse(On = {}) const
    {
        return On::finish(rialto_list_reverse(&view_));
    }
    /** The item at `index`. */
    template <class On = usual>
    Result<bytes_view> get(std::size_t index, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_list_get, &view_, index);
    }
    /** Takes it out. */
    template <class On = usual>
    Result<bytes_view> pop(std::size_t index, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_list_pop, &view_, index);
    }
    template <class On = usual>
    Result<bytes_view> pop_last(bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_list_pop_last, &view_);
    }
    /** Items of one moment, one behind the other, with their lengths; how many. */
    template <class On = usual>
    Gives<On, std::size_t> copy_range(std::size_t begin, std::size_t end, bytes_span buffer,
                                      slice<std::uint32_t> lengths, On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_list_copy_range, &view_, begin, end, buffer.data(), buffer.size(),
                                            lengths.data(), lengths.size());
    }
    /** Where the first is that has these bytes. */
    template <class On = usual>
    Result<std::size_t> index(bytes_view item, On = {}) const
    {
        return detail::find<std::size_t, On>(RIALTO_ENOENT, rialto_list_index, &view_, item.data(), item.size());
    }
    template <class On = usual>
    Result<std::size_t> index_in(std::size_t begin, std::size_t end, bytes_view item, On = {}) const
    {
        return detail::find<std::size_t, On>(RIALTO_ENOENT, rialto_list_index_in, &view_, begin, end, item.data(),
                                             item.size());
    }
    template <class On = usual>
    Gives<On, bool> contains(bytes_view item, On = {}) const
    {
        return detail::ask<bool, On>(rialto_list_contains, &view_, item.data(), item.size());
    }
    template <class On = usual>
    Gives<On, std::size_t> count(bytes_view item, On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_list_count, &view_, item.data(), item.size());
    }
    /** By bytes, as memcmp. */
    template <class On = usual>
    Done<On> sort(On = {}) const
    {
        return On::finish(rialto_list_sort(&view_));
    }
    /** Stable, as `compare(bytes_view, bytes_view)` says: a bool, whether the one comes first, or a number below 0,
     * 0 or above. `buffer` has room for two items. If it throws, the list is in some order. */
    template <class F, class On = usual>
    Done<On> sort_by(bytes_span buffer, F compare, On = {}) const
    {
        auto run = [&compare](bytes_view a, bytes_view b) -> int {
            if constexpr (std::is_same_v<std::invoke_result_t<F&, bytes_view, bytes_view>, bool>)
                return compare(a, b) ? -1 : compare(b, a) ? 1 : 0;
            else
                return compare(a, b);
        };
        using Run = detail::Callback<decltype(run)>;
        Run callback(run);
        const int status = rialto_list_sort_by(
            &view_, buffer.data(), buffer.size(),
            [](const void* a, std::size_t a_bytes, const void* b, std::size_t b_bytes, void* context) {
                return static_cast<Run*>(context)->call(0, bytes_view(a, a_bytes), bytes_view(b, b_bytes));
            },
            &callback);
        callback.rethrow();
        return On::finish(status);
    }
    /** Has `visit(size_t index, bytes_view item)` look at all items of one state, in `buffer` one after the other;
     * others who change the list wait. It ends the walk by returning false (then so does this) or by throwing. */
    template <class F, class On = usual>
    Gives<On, bool> for_each(bytes_span buffer, F visit, On = {}) const
    {
        auto run = [&visit](std::size_t index, bytes_view item) {
            return detail::agrees(visit, index, item) ? 0 : 1;
        };
        using Run = detail::Callback<decltype(run)>;
        Run callback(run);
        const int status = rialto_list_for_each(
            &view_, buffer.data(), buffer.size(),
            [](std::size_t index, const void* item, std::size_t bytes, void* context) {
                return static_cast<Run*>(context)->call(1, index, bytes_view(item, bytes));
            },
            &callback);
        callback.rethrow();
        return On::give(status, status == RIALTO_OK);
    }

private:
    using State::State;
    template <class On, class F>
    static List make(On on, F function)
    {
        return List(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
