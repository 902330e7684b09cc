/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: how outcomes and errors are told.
 *
 * A Status is what a C function returned. Where there is more to tell, a Result<T> is a Status with a T.
 *
 * Every operation has two forms, which the last argument chooses:
 *   queue.len()                    throws rialto::error, and returns the size_t
 *   queue.len(rialto::nothrow)     throws nothing, and returns a Result<size_t>
 * Without exceptions (-fno-exceptions, or RIALTO_NO_EXCEPTIONS) there is the second form only, and it needs no
 * argument: what a call returns is then [[nodiscard]], so nothing is overlooked. The two are different classes to the
 * linker, so that a program may have both; what is handed from one to the other is the C struct. In the signatures:
 *   Done<On>      void, or Status
 *   Told<On>      bool, false for "not now" (nothing there, no room, the time is up), or Status
 *   Gives<On, T>  T, or Result<T>
 * What returns a Result<T> or a view in both forms (pop, peek, get ...) throws for errors only: that there is
 * nothing now, that the stream has ended, that there is no such key, is in its status. */
#ifndef RIALTO_STATUS_HPP
#define RIALTO_STATUS_HPP

#include <rialto.h>

#include <cassert>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#if !defined(RIALTO_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#define RIALTO_NO_EXCEPTIONS
#endif

#ifdef RIALTO_NO_EXCEPTIONS
#include <cstdio>
#include <cstdlib>
#define RIALTO_FORM telling
#else
#define RIALTO_FORM throwing
#endif

namespace rialto {
inline namespace RIALTO_FORM {

/** What a C function returned: true if it is zero or positive. */
class [[nodiscard]] Status {
public:
    constexpr Status(int code = RIALTO_OK) noexcept : code_(code) {}
    /** What throws tells by a bool, which is no status: true is not RIALTO_OWNER_DIED. */
    template <class B, std::enable_if_t<std::is_same_v<B, bool>, int> = 0>
    Status(B) = delete;

    /** RIALTO_OK, RIALTO_OWNER_DIED, RIALTO_ETIMEDOUT ... */
    constexpr int code() const noexcept { return code_; }
    constexpr explicit operator bool() const noexcept { return code_ >= 0; }
    /** One line of English: rialto_strerror. */
    const char* message() const noexcept { return rialto_strerror(code_); }

    /** The lock is held, but its last owner died: repair what it protects, then mark_consistent. */
    constexpr bool owner_died() const noexcept { return code_ == RIALTO_OWNER_DIED; }
    /** Somebody before us had this message in hand, and died or gave it back. */
    constexpr bool redelivered() const noexcept { return code_ == RIALTO_REDELIVERED; }
    /** Not now: nothing there, no room, held; or the time is up. */
    constexpr bool not_now() const noexcept { return code_ == RIALTO_EAGAIN || code_ == RIALTO_ETIMEDOUT; }
    /** Closed; of a pop, peek or receive: and drained. */
    constexpr bool closed() const noexcept { return code_ == RIALTO_EPIPE; }

    friend constexpr bool operator==(Status a, Status b) noexcept { return a.code_ == b.code_; }
    friend constexpr bool operator!=(Status a, Status b) noexcept { return a.code_ != b.code_; }

private:
    int code_;
};

/** A Status, and a T if it is not negative. */
template <class T>
class [[nodiscard]] Result : public Status {
public:
    constexpr Result(Status status, T value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : Status(status), value_(std::move(value))
    {
    }

    /** Whether there is a T. Not of a Result<bool>: `if (queue.is_empty())` would mean one thing with exceptions and
     * another without. Ask *result, result.value_or(false), or result.status(). */
    template <class U = T, std::enable_if_t<!std::is_same_v<U, bool>, int> = 0>
    constexpr explicit operator bool() const noexcept
    {
        return bool(status());
    }
    template <class U = T, std::enable_if_t<std::is_same_v<U, bool>, int> = 0>
    explicit operator bool() const = delete;
    constexpr Status status() const noexcept { return *this; }

    constexpr const T& operator*() const noexcept { return *checked(); }
    constexpr const T* operator->() const noexcept { return checked(); }
    constexpr T value_or(T otherwise) const { return status() ? value_ : std::move(otherwise); }

private:
    constexpr const T* checked() const noexcept
    {
        assert(status() && "rialto: a Result without a value");
        return &value_;
    }

    T value_;
};

/** Of statuses, with rialto_strerror's texts, and std's for an errno that has none there. Codes that are errno's compare
 * equal to std::errc. */
inline const std::error_category& category() noexcept
{
    class Category : public std::error_category {
        const char* name() const noexcept override { return "rialto"; }
        std::string message(int code) const override
        {
            const char* const text = rialto_strerror(code);
            const char* const unnamed = rialto_strerror(RIALTO_EBADREGION + 1); // no errno: the text of all others
            if (text == unnamed && code > RIALTO_EBADREGION)
                return std::string(text) + ": " + std::generic_category().message(-code);
            return text;
        }
        std::error_condition default_error_condition(int code) const noexcept override
        {
            if (code < 0 && code > RIALTO_EBADREGION)
                return std::error_condition(-code, std::generic_category());
            return std::error_condition(code, *this);
        }
    };
    static const Category category;
    return category;
}

inline std::error_code make_error_code(Status status) noexcept
{
    return std::error_code(status.code(), category());
}

#ifndef RIALTO_NO_EXCEPTIONS

/** What operations throw. */
class error : public std::system_error {
public:
    explicit error(Status status) : std::system_error(make_error_code(status)) {}
    Status status() const noexcept { return Status(code().value()); }
};

/** RIALTO_EPIPE, of what sends: closed. */
class closed : public error {
public:
    using error::error;
};

/** RIALTO_EBROKEN: the barrier is broken. */
class broken : public error {
public:
    using error::error;
};

namespace detail {

[[noreturn]] inline void raise(int status)
{
    switch (status) {
    case RIALTO_EPIPE: throw closed(status);
    case RIALTO_EBROKEN: throw broken(status);
    default: throw error(status);
    }
}

} // namespace detail

/** The form of an operation that throws. */
struct throwing_t {
    using done = void;
    using told = bool;
    template <class T>
    using gives = T;

    static void finish(int status)
    {
        if (status < 0)
            detail::raise(status);
    }

    /** Negative statuses that are no error: "not now", and `also`. */
    static Status pass(int status, int also = RIALTO_OK)
    {
        if (status < 0 && !Status(status).not_now() && status != also)
            detail::raise(status);
        return status;
    }

    static bool tell(int status) { return bool(pass(status)); }

    template <class T>
    static T give(int status, T value)
    {
        finish(status);
        return value;
    }
};

#endif

/** The form of an operation that throws nothing. */
struct nothrow_t {
    using done = Status;
    using told = Status;
    template <class T>
    using gives = Result<T>;

    static Status finish(int status) noexcept { return status; }
    static Status pass(int status, int = RIALTO_OK) noexcept { return status; }
    static Status tell(int status) noexcept { return status; }

    template <class T>
    static Result<T> give(int status, T value)
    {
        return Result<T>(status, std::move(value));
    }
};

/** The last argument that chooses it. */
inline constexpr nothrow_t nothrow{};

#ifdef RIALTO_NO_EXCEPTIONS
using usual = nothrow_t;
#else
using usual = throwing_t;
#endif

template <class On>
using Done = typename On::done;
template <class On>
using Told = typename On::told;
template <class On, class T>
using Gives = typename On::template gives<T>;

namespace detail {

/** Calls what has one answer, in its last argument. */
template <class T, class On, class F, class... A>
Gives<On, T> ask(F function, A... arguments)
{
    T answer{};
    const int status = function(arguments..., &answer);
    return On::give(status, answer);
}

/** As ask, where `also` is an outcome, too. */
template <class T, class On, class F, class... A>
Result<T> find(int also, F function, A... arguments)
{
    T answer{};
    const int status = function(arguments..., &answer);
    return Result<T>(On::pass(status, also), answer);
}

/** What std's vocabulary has no way to tell: lock() without exceptions ends the process. What it holds goes on to
 * the next as a dead owner's. */
[[noreturn]] inline void refuse(int status)
{
#ifdef RIALTO_NO_EXCEPTIONS
    std::fprintf(stderr, "rialto: lock: %s\n", rialto_strerror(status));
    std::abort();
#else
    raise(status);
#endif
}

} // namespace detail

/** The library's version, to be compared with RIALTO_VERSION, the header's. */
inline std::uint32_t version() noexcept { return rialto_version(); }
/** The library's RIALTO_LAYOUT_VERSION. */
inline std::uint32_t layout_version() noexcept { return rialto_layout_version(); }

} // namespace RIALTO_FORM
} // namespace rialto

#endif
