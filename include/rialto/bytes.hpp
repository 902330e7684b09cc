/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: bytes to be read (bytes_view), bytes to be written (bytes_span), elements (slice), and C
 * strings (cstr). All are parameters that what you have turns into by itself, and nothing is copied. C++17 has no
 * std::span; where there is one, they turn into it. */
#ifndef RIALTO_BYTES_HPP
#define RIALTO_BYTES_HPP

#include "status.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_span
#include <span>
#endif

namespace rialto {
inline namespace RIALTO_FORM {

class bytes_view;
class bytes_span;

/** Whether a T means the same to another process: trivially copyable, and no pointer. Members are not looked at.
 * Specialise it with false for a struct of yours that has pointers in it. */
template <class T>
struct is_shareable
    : std::bool_constant<std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
                         !std::is_null_pointer_v<T>> {};
template <class C, class R>
struct is_shareable<std::basic_string_view<C, R>> : std::false_type {};
template <class T>
struct is_shareable<std::reference_wrapper<T>> : std::false_type {};
template <>
struct is_shareable<bytes_view> : std::false_type {};
template <>
struct is_shareable<bytes_span> : std::false_type {};
#ifdef __cpp_lib_span
template <class T, std::size_t N>
struct is_shareable<std::span<T, N>> : std::false_type {};
#endif

namespace detail {

/** The element of what lies in one piece: vector, array, string, span, T[N]. */
template <class C>
using element_t = std::remove_pointer_t<decltype(std::data(std::declval<C&>()))>;

template <class C, class = void>
struct is_bytes : std::false_type {};
template <class C>
struct is_bytes<C, std::void_t<element_t<C>, decltype(std::size(std::declval<C&>()))>>
    : is_shareable<std::remove_cv_t<element_t<C>>> {};

} // namespace detail

/** Bytes to be read: from a string, literal, vector, array, span of anything shareable. Points to them. */
class bytes_view {
public:
    constexpr bytes_view() noexcept = default;
    constexpr bytes_view(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
    /** A C string or literal, up to its zero and without it. Of an array of char, too: bytes_of(array) takes all of it,
     * and any array of std::byte or unsigned char is taken whole. */
    bytes_view(const char* string) noexcept : data_(string), size_(std::strlen(string)) {}
    bytes_view(std::nullptr_t) = delete;
    template <class C, std::enable_if_t<detail::is_bytes<const C>::value && !std::is_same_v<C, bytes_span> &&
                                            !std::is_convertible_v<const C&, const char*>,
                                        int> = 0>
    bytes_view(const C& from) noexcept : data_(std::data(from)), size_(std::size(from) * sizeof *std::data(from))
    {
    }
    inline bytes_view(const bytes_span& from) noexcept;

    constexpr const void* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    const std::byte* begin() const noexcept { return static_cast<const std::byte*>(data_); }
    const std::byte* end() const noexcept { return begin() + size_; }
    std::byte operator[](std::size_t at) const noexcept { return begin()[at]; }

    /** The same bytes as text. */
    std::string_view text() const noexcept { return {static_cast<const char*>(data_), size_}; }

    /** A copy as a T: as many bytes as there are, up to its size; the others are zero. */
    template <class T>
    T as() const noexcept
    {
        static_assert(is_shareable<T>::value && std::is_default_constructible_v<T>);
        T value{};
        if (size_ != 0)
            std::memcpy(&value, data_, size_ < sizeof value ? size_ : sizeof value);
        return value;
    }

    friend bool operator==(bytes_view a, bytes_view b) noexcept
    {
        return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0);
    }
    friend bool operator!=(bytes_view a, bytes_view b) noexcept { return !(a == b); }

private:
    const void* data_ = nullptr;
    std::size_t size_ = 0;
};

/** Bytes to be written: into a string, vector, array, span of anything shareable. Points to them. */
class bytes_span {
public:
    constexpr bytes_span() noexcept = default;
    constexpr bytes_span(void* data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class C, std::enable_if_t<detail::is_bytes<C>::value && !std::is_const_v<detail::element_t<C>>, int> = 0>
    bytes_span(C& into) noexcept : data_(std::data(into)), size_(std::size(into) * sizeof *std::data(into))
    {
    }
#ifdef __cpp_lib_span
    template <class T, std::size_t N, std::enable_if_t<is_shareable<T>::value && !std::is_const_v<T>, int> = 0>
    bytes_span(std::span<T, N> into) noexcept : data_(into.data()), size_(into.size_bytes())
    {
    }
#endif

    constexpr void* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    std::byte* begin() const noexcept { return static_cast<std::byte*>(data_); }
    std::byte* end() const noexcept { return begin() + size_; }
    std::byte& operator[](std::size_t at) const noexcept { return begin()[at]; }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

inline bytes_view::bytes_view(const bytes_span& from) noexcept : data_(from.data()), size_(from.size()) {}

/** The bytes of one value: queue.push(bytes_of(job)). */
template <class T>
bytes_view bytes_of(const T& value) noexcept
{
    static_assert(is_shareable<T>::value, "rialto: its bytes mean nothing to another process");
    return bytes_view(&value, sizeof value);
}

/** The bytes of one value, to be written: queue.pop(bytes_into(job)). */
template <class T>
bytes_span bytes_into(T& value) noexcept
{
    static_assert(is_shareable<T>::value, "rialto: its bytes mean nothing to another process");
    return bytes_span(&value, sizeof value);
}

/** Elements in one piece: from a vector, array, span, T[N]; for reading also from {a, b}. Points to them. */
template <class T>
class slice {
public:
    constexpr slice() noexcept = default;
    constexpr slice(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class C, std::enable_if_t<std::is_convertible_v<detail::element_t<C> (*)[], T (*)[]>, int> = 0>
    constexpr slice(C&& from) noexcept : data_(std::data(from)), size_(std::size(from))
    {
    }
    template <class U = T, std::enable_if_t<std::is_const_v<U>, int> = 0>
    constexpr slice(std::initializer_list<std::remove_cv_t<T>> from) noexcept
    {
        data_ = from.begin(); // lives as long as the call that it is an argument of
        size_ = from.size();
    }

    constexpr T* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr T* begin() const noexcept { return data_; }
    constexpr T* end() const noexcept { return data_ + size_; }
    constexpr T& operator[](std::size_t at) const noexcept { return data_[at]; }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

/** One of the messages or items for what takes several: push_many({message("a"), message("b")}). */
inline rialto_message_t message(bytes_view bytes) noexcept
{
    rialto_message_t message = {bytes.data(), bytes.size()};
    return message;
}

/** A string that ends with a zero, as C wants names: from a literal or a std::string. */
class cstr {
public:
    constexpr cstr(const char* string) noexcept : string_(string) {}
    cstr(const std::string& string) noexcept : string_(string.c_str()) {}
    constexpr operator const char*() const noexcept { return string_; }

private:
    const char* string_;
};

} // namespace RIALTO_FORM
} // namespace rialto

#if defined(__cpp_lib_span) && defined(__cpp_lib_ranges)
// They point: so they turn into std::span also when they go away.
template <>
inline constexpr bool std::ranges::enable_borrowed_range<rialto::bytes_view> = true;
template <>
inline constexpr bool std::ranges::enable_borrowed_range<rialto::bytes_span> = true;
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<rialto::slice<T>> = true;
#endif

#endif
