/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Namespace (rialto_namespace_t): attributes by name, with types, as Python's Namespace. An
 * operation is all or nothing. What is not there is no error: something false, whose status is RIALTO_ENOENT; one of
 * another type is, RIALTO_EWRONGKIND. */
#ifndef RIALTO_NAMESPACE_HPP
#define RIALTO_NAMESPACE_HPP

#include "copies.hpp"
#include "state.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

namespace detail {

struct NamespaceApi {
    static constexpr auto acquire = rialto_namespace_acquire;
    static constexpr auto release = rialto_namespace_release;
    static constexpr auto set_timeout = rialto_namespace_set_timeout;
    static constexpr auto is_mine = rialto_namespace_is_mine;
    static constexpr auto is_locked = rialto_namespace_is_locked;
    static constexpr auto deaths = rialto_namespace_deaths;
};

} // namespace detail

/** Attributes by name. */
class Namespace : public detail::State<rialto_namespace_t, detail::NamespaceApi> {
public:
    Namespace() noexcept = default;

    /** What one takes in its region. */
    template <class On = usual>
    static Gives<On, rialto_layout_t> layout(std::uint32_t capacity, std::uint32_t max_name_bytes,
                                             std::uint32_t max_string_bytes, On = {})
    {
        return detail::ask<rialto_layout_t, On>(rialto_namespace_layout, capacity, max_name_bytes, max_string_bytes);
    }
    template <class On = usual>
    static Namespace create(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_name_bytes,
                            std::uint32_t max_string_bytes, On on = {})
    {
        return create_for(region, name, capacity, max_name_bytes, max_string_bytes, Timeout::forever(), on);
    }
    template <class On = usual>
    static Namespace create_for(const Region& region, cstr name, std::uint32_t capacity,
                                std::uint32_t max_name_bytes, std::uint32_t max_string_bytes, Timeout timeout,
                                On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_namespace_create(detail::handle(region), name, capacity, max_name_bytes, max_string_bytes,
                                           timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Namespace open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_namespace_open(detail::handle(region), name, out);
        });
    }
    /** If it was created so. */
    template <class On = usual>
    static Namespace open_as(const Region& region, cstr name, std::uint32_t capacity, std::uint32_t max_name_bytes,
                             std::uint32_t max_string_bytes, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_namespace_open_as(detail::handle(region), name, capacity, max_name_bytes, max_string_bytes,
                                            out);
        });
    }
    template <class On = usual>
    static Namespace open_or_create(const Region& region, cstr name, std::uint32_t capacity,
                                    std::uint32_t max_name_bytes, std::uint32_t max_string_bytes, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_namespace_open_or_create(detail::handle(region), name, capacity, max_name_bytes,
                                                   max_string_bytes, out);
        });
    }

    template <class On = usual>
    Gives<On, std::uint32_t> capacity(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_namespace_capacity, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> max_name_bytes(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_namespace_max_name_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> max_string_bytes(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_namespace_max_string_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> len(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_namespace_len, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_empty(On = {}) const
    {
        return detail::ask<bool, On>(rialto_namespace_is_empty, &view_);
    }

    template <class On = usual>
    Gives<On, bool> contains(cstr name, On = {}) const
    {
        return detail::ask<bool, On>(rialto_namespace_contains, &view_, static_cast<const char*>(name));
    }
    /** False: there was none. */
    template <class On = usual>
    Gives<On, bool> remove(cstr name, On = {}) const
    {
        const int status = rialto_namespace_remove(&view_, name);
        return On::give(status == RIALTO_ENOENT ? RIALTO_OK : status, status == RIALTO_OK);
    }
    /** RIALTO_ATTRIBUTE_... */
    template <class On = usual>
    Result<rialto_attribute_type_t> type_of(cstr name, On = {}) const
    {
        return attribute<rialto_attribute_type_t, On>(rialto_namespace_type_of, name);
    }
    /** All names of one moment, one behind the other, with their lengths; how many. See Copies. */
    template <class On = usual>
    Gives<On, std::size_t> copy_names(bytes_span buffer, slice<std::uint32_t> lengths, On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_namespace_copy_names, &view_, buffer.data(), buffer.size(),
                                            lengths.data(), lengths.size());
    }

    /** Sets an attribute, whatever it was, to a number, a bool or a string: the type follows the value's. */
    template <class T, class On = usual>
    Done<On> set(cstr name, const T& value, On = {}) const
    {
        if constexpr (std::is_same_v<T, bool>)
            return On::finish(rialto_namespace_set_bool(&view_, name, value));
        else if constexpr (std::is_floating_point_v<T>)
            return On::finish(rialto_namespace_set_f64(&view_, name, static_cast<double>(value)));
        else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
            return On::finish(rialto_namespace_set_i64(&view_, name, value));
        else if constexpr (std::is_integral_v<T>)
            return On::finish(rialto_namespace_set_u64(&view_, name, value));
        else
            return On::finish(rialto_namespace_set_str(&view_, name, cstr(value)));
    }
    template <class On = usual>
    Done<On> set_bytes(cstr name, bytes_view value, On = {}) const
    {
        return On::finish(rialto_namespace_set_bytes(&view_, name, value.data(), value.size()));
    }

    /** An attribute that is a std::int64_t, std::uint64_t, double or bool. */
    template <class T, class On = usual>
    Result<T> get(cstr name, On = {}) const
    {
        static_assert(std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t> ||
                          std::is_same_v<T, double> || std::is_same_v<T, bool>,
                      "rialto: an attribute is a std::int64_t, std::uint64_t, double, bool, bytes or a string");
        if constexpr (std::is_same_v<T, std::int64_t>)
            return attribute<T, On>(rialto_namespace_get_i64, name);
        else if constexpr (std::is_same_v<T, std::uint64_t>)
            return attribute<T, On>(rialto_namespace_get_u64, name);
        else if constexpr (std::is_same_v<T, double>)
            return attribute<T, On>(rialto_namespace_get_f64, name);
        else
            return attribute<T, On>(rialto_namespace_get_bool, name);
    }
    template <class On = usual>
    Result<bytes_view> get_bytes(cstr name, bytes_span buffer, On = {}) const
    {
        return detail::copied<On>(buffer, rialto_namespace_get_bytes, &view_, static_cast<const char*>(name));
    }
    /** A zero is put behind it: the buffer is one larger than max_string_bytes. */
    template <class On = usual>
    Result<std::string_view> get_str(cstr name, slice<char> buffer, On = {}) const
    {
        std::size_t length = 0;
        const int status = rialto_namespace_get_str(&view_, name, buffer.data(), buffer.size(), &length);
        return Result<std::string_view>(On::pass(status, RIALTO_ENOENT), std::string_view(buffer.data(), length));
    }
    /** One of whatever type; bytes and strings go to the buffer. */
    template <class On = usual>
    Result<rialto_attribute_t> get_any(cstr name, bytes_span buffer, On = {}) const
    {
        rialto_attribute_t attribute{};
        const int status = rialto_namespace_get(&view_, name, buffer.data(), buffer.size(), &attribute);
        return Result<rialto_attribute_t>(On::pass(status, RIALTO_ENOENT), attribute);
    }

private:
    using State::State;
    template <class On, class F>
    static Namespace make(On on, F function)
    {
        return Namespace(on, RIALTO_OK, function);
    }

    template <class T, class On, class F>
    Result<T> attribute(F function, const char* name) const
    {
        return detail::find<T, On>(RIALTO_ENOENT, function, &view_, name);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
