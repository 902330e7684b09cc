/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Dict (rialto_dict_t): byte strings by key, as Python's dict, in the order in which the keys
 * came. An operation is all or nothing. Bytes are copied, from you and to you, into your buffer (max_..._bytes is
 * enough for each). What is not there is no error: something false, whose status is RIALTO_ENOENT. Calls and what
 * they do are Python's. */
#ifndef RIALTO_DICT_HPP
#define RIALTO_DICT_HPP

#include "copies.hpp"
#include "state.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** One of the pairs for update: dict.update({pair("key", "value")}) */
inline rialto_pair_t pair(bytes_view key, bytes_view value) noexcept
{
    rialto_pair_t pair = {message(key), message(value)};
    return pair;
}

namespace detail {

struct DictApi {
    static constexpr auto acquire = rialto_dict_acquire;
    static constexpr auto release = rialto_dict_release;
    static constexpr auto set_timeout = rialto_dict_set_timeout;
    static constexpr auto is_mine = rialto_dict_is_mine;
    static constexpr auto is_locked = rialto_dict_is_locked;
    static constexpr auto deaths = rialto_dict_deaths;
};

} // namespace detail

/** Byte strings by key. */
class Dict : public detail::State<rialto_dict_t, detail::DictApi> {
public:
    Dict() noexcept = default;

    /** What one takes in its region. */
    template <class On = usual>
    static Gives<On, rialto_layout_t> layout(std::uint32_t capacity, std::uint32_t max_key_bytes,
                                             std::uint32_t max_value_bytes, On = {})
    {
        return detail::ask<rialto_layout_t, On>(rialto_dict_layout, capacity, max_key_bytes, max_value_bytes);
    }
    template <class On = usual>
    static Dict create(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_key_bytes,
                       std::uint32_t max_value_bytes, On on = {})
    {
        return create_for(region, name, capacity, max_key_bytes, max_value_bytes, Timeout::forever(), on);
    }
    template <class On = usual>
    static Dict create_for(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_key_bytes,
                           std::uint32_t max_value_bytes, Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_dict_create(detail::handle(region), name, capacity, max_key_bytes, max_value_bytes,
                                      timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Dict open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_dict_open(detail::handle(region), name, out);
        });
    }
    /** If it was created so. */
    template <class On = usual>
    static Dict open_as(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_key_bytes,
                        std::uint32_t max_value_bytes, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_dict_open_as(detail::handle(region), name, capacity, max_key_bytes, max_value_bytes, out);
        });
    }
    template <class On = usual>
    static Dict open_or_create(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_key_bytes,
                               std::uint32_t max_value_bytes, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_dict_open_or_create(detail::handle(region), name, capacity, max_key_bytes, max_value_bytes,
                                              out);
        });
    }

    template <class On = usual>
    Gives<On, std::uint32_t> capacity(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_dict_capacity, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> max_key_bytes(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_dict_max_key_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> max_value_bytes(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_dict_max_value_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> len(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_dict_len, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_empty(On = {}) const
    {
        return detail::ask<bool, On>(rialto_dict_is_empty, &view_);
    }

    template <class On = usual>
    Done<On> clear(On = {}) const
    {
        return On::finish(rialto_dict_clear(&view_));
    }
    template <class On = usual>
    Gives<On, bool> contains(bytes_view key, On = {}) const
    {
        return detail::ask<bool, On>(rialto_dict_contains, &view_, key.data(), key.size());
    }
    template <class On = usual>
    Done<On> set(bytes_view key, bytes_view value, On = {}) const
    {
        return On::finish(rialto_dict_set(&view_, key.data(), key.size(), value.data(), value.size()));
    }
    /** All of them or none. */
    template <class On = usual>
    Done<On> update(slice<const rialto_pair_t> pairs, On = {}) const
    {
        return On::finish(rialto_dict_update(&view_, pairs.data(), pairs.size()));
    }
    /** False: there was none. */
    template <class On = usual>
    Gives<On, bool> remove(bytes_view key, On = {}) const
    {
        const int status = rialto_dict_remove(&view_, key.data(), key.size());
        return On::give(status == RIALTO_ENOENT ? RIALTO_OK : status, status == RIALTO_OK);
    }
    /** The key's value. */
    template <class On = usual>
    Result<bytes_view> get(bytes_view key, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_dict_get, &view_, key.data(), key.size());
    }
    /** Or another one. */
    template <class On = usual>
    Result<bytes_view> get_or(bytes_view key, bytes_view otherwise, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_dict_get_or, &view_, key.data(), key.size(), otherwise.data(),
                                  otherwise.size());
    }
    /** Or another one, to which it is set then. */
    template <class On = usual>
    Result<bytes_view> setdefault(bytes_view key, bytes_view otherwise, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_dict_setdefault, &view_, key.data(), key.size(), otherwise.data(),
                                  otherwise.size());
    }
    /** Takes a key and its value out. */
    template <class On = usual>
    Result<bytes_view> pop(bytes_view key, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_dict_pop, &view_, key.data(), key.size());
    }
    struct Item {
        bytes_view key;
        bytes_view value;
    };
    /** Takes the key that came last and its value out. */
    template <class On = usual>
    Result<Item> popitem(bytes_span key, bytes_span value, On = {}) const
    {
        rialto_pair_lengths_t lengths{};
        const int status = rialto_dict_popitem(&view_, key.data(), key.size(), value.data(), value.size(), &lengths);
        return Result<Item>(On::pass(status, RIALTO_ENOENT), Item{bytes_view(key.data(), lengths.key_bytes),
                                                                  bytes_view(value.data(), lengths.value_bytes)});
    }
    /** All keys of one moment, one behind the other, with their lengths; how many. See Copies. */
    template <class On = usual>
    Gives<On, std::size_t> copy_keys(bytes_span buffer, slice<std::uint32_t> lengths, On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_dict_copy_keys, &view_, buffer.data(), buffer.size(),
                                            lengths.data(), lengths.size());
    }
    /** Each with its value behind it. */
    template <class On = usual>
    Gives<On, std::size_t> copy_items(bytes_span buffer, slice<rialto_pair_lengths_t> lengths, On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_dict_copy_items, &view_, buffer.data(), buffer.size(),
                                            lengths.data(), lengths.size());
    }
    /** Has `visit(bytes_view key, bytes_view value)` look at all of one state; others who change the dict wait. It ends
     * the walk by returning false (then so does this) or by throwing. */
    template <class F, class On = usual>
    Gives<On, bool> for_each(bytes_span key, bytes_span value, F visit, On = {}) const
    {
        auto run = [&visit](bytes_view a_key, bytes_view its_value) {
            return detail::agrees(visit, a_key, its_value) ? 0 : 1;
        };
        using Run = detail::Callback<decltype(run)>;
        Run callback(run);
        const int status = rialto_dict_for_each(
            &view_, key.data(), key.size(), value.data(), value.size(),
            [](const void* a_key, std::size_t key_bytes, const void* its_value, std::size_t value_bytes,
               void* context) {
                return static_cast<Run*>(context)->call(1, bytes_view(a_key, key_bytes),
                                                        bytes_view(its_value, value_bytes));
            },
            &callback);
        callback.rethrow();
        return On::give(status, status == RIALTO_OK);
    }

private:
    using State::State;
    template <class On, class F>
    static Dict make(On on, F function)
    {
        return Dict(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
