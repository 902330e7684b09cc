/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Lock (rialto_lock_t) and RLock (rialto_rlock_t), and ways to hold them.
 *
 * Both are what they are in C, 64 bytes anywhere in shared memory, and meet std's BasicLockable, Lockable and
 * TimedLockable: std::lock_guard, unique_lock, scoped_lock and condition_variable_any (for threads of one process;
 * across processes: rialto::Condition) work with them. The constructor makes a free lock, so `new (memory) Shared`
 * initialises a struct with locks in it, once, by one process; others just use it. The destructor does nothing: the
 * lock is not this process's alone.
 *
 * WHEN AN OWNER HAS DIED, the next one holds the lock, and what it protects may be half changed. Four ways to deal
 * with that; none lets it pass for healthy:
 * - Status status = lock.acquire(): holds it in any case; status.owner_died() tells. After repairing,
 *   lock.mark_consistent(). A release without that makes the lock unusable until reset: RIALTO_ENOTRECOVERABLE.
 * - Guard guard(lock): the same, released at the end of the scope: guard.owner_died(), guard.mark_consistent().
 * - Repairing safe(lock, [&] { repair }): a lockable for std::lock_guard and the like that runs the repair under the
 *   lock where it is needed. If the repair throws, the lock is released unrepaired.
 * - lock.lock() (std::lock_guard guard(lock)) throws rialto::owner_died. It is the exception that holds the lock, as
 *   long as there is a copy of it: repair in the handler, call its repaired(), and begin again. An exception that goes
 *   away without that releases the lock unrepaired; one that nobody catches ends the process, and the next owner is
 *   told. Handle it on the thread that locked.
 * Without exceptions lock() and try_lock() end the process (std::abort) where they would throw.
 *
 * unlock() cannot tell anything, and does nothing to a lock that this thread does not hold: a forked child may run
 * its parent's guards. release() tells. */
#ifndef RIALTO_LOCK_HPP
#define RIALTO_LOCK_HPP

#include "bytes.hpp"
#include "time.hpp"

#include <memory>
#include <mutex>

namespace rialto {
inline namespace RIALTO_FORM {

class Region;

#ifndef RIALTO_NO_EXCEPTIONS
/** Thrown by lock(): the last owner died. Holds the lock until repaired(), or until it goes away. */
class owner_died : public error {
public:
    /** `held` releases the lock when it goes away: also where there is no memory for the rest. */
    owner_died(std::shared_ptr<void> held, int (*mark)(void*))
        : error(RIALTO_OWNER_DIED), mark_(mark), held_(std::move(held))
    {
    }

    /** What the lock protects is right again: releases it, for others and for us to acquire. */
    void repaired() const
    {
        if (held_)
            (void)mark_(held_.get());
        held_.reset();
    }

private:
    int (*mark_)(void*);
    mutable std::shared_ptr<void> held_;
};
#endif

namespace detail {

struct LockApi {
    using type = rialto_lock_t;
    static constexpr auto init = rialto_lock_init;
    static constexpr auto attach = rialto_lock_attach;
    static constexpr auto acquire = rialto_lock_acquire;
    static constexpr auto try_acquire = rialto_lock_try_acquire;
    static constexpr auto acquire_timeout = rialto_lock_acquire_timeout;
    static constexpr auto release = rialto_lock_release;
    static constexpr auto mark_consistent = rialto_lock_mark_consistent;
    static constexpr auto is_mine = rialto_lock_is_mine;
    static constexpr auto is_locked = rialto_lock_is_locked;
    static constexpr auto reset = rialto_lock_reset;
    static constexpr auto destroy = rialto_lock_destroy;
    static constexpr auto create = rialto_lock_create;
    static constexpr auto open = rialto_lock_open;
    static constexpr auto open_or_create = rialto_lock_open_or_create;
};

struct RLockApi {
    using type = rialto_rlock_t;
    static constexpr auto init = rialto_rlock_init;
    static constexpr auto attach = rialto_rlock_attach;
    static constexpr auto acquire = rialto_rlock_acquire;
    static constexpr auto try_acquire = rialto_rlock_try_acquire;
    static constexpr auto acquire_timeout = rialto_rlock_acquire_timeout;
    static constexpr auto release = rialto_rlock_release;
    static constexpr auto mark_consistent = rialto_rlock_mark_consistent;
    static constexpr auto is_mine = rialto_rlock_is_mine;
    static constexpr auto is_locked = rialto_rlock_is_locked;
    static constexpr auto reset = rialto_rlock_reset;
    static constexpr auto destroy = rialto_rlock_destroy;
    static constexpr auto create = rialto_rlock_create;
    static constexpr auto open = rialto_rlock_open;
    static constexpr auto open_or_create = rialto_rlock_open_or_create;
};

/** The C struct that an embeddable class is. */
template <class Self, class C>
Self* embedded(C* at) noexcept
{
    static_assert(std::is_standard_layout_v<Self> && std::is_trivially_destructible_v<Self>);
    static_assert(sizeof(Self) == sizeof(C) && alignof(Self) == alignof(C) && !std::is_copy_constructible_v<Self>);
    return reinterpret_cast<Self*>(at); // its only member
}

/** Makes or finds an embeddable object by name: its address in this process. */
template <class Self, class C, class On, class F, class... A>
Gives<On, Self*> named(F function, A... arguments)
{
    C* at = nullptr;
    const int status = function(arguments..., &at);
    return On::give(status, embedded<Self>(at));
}

inline const rialto_region_t* handle(const Region& region) noexcept;

template <class Self, class Api>
class BasicLock {
public:
    using native_type = typename Api::type;

    /** A free lock, whatever was there: rialto_lock_init. */
    BasicLock() noexcept { (void)Api::init(&lock_); }
    BasicLock(const BasicLock&) = delete;
    BasicLock& operator=(const BasicLock&) = delete;

    /** The lock that somebody made at this place; EBADREGION if there is none. */
    template <class On = usual>
    static Gives<On, Self*> attach(void* memory, On = {})
    {
        native_type* const at = static_cast<native_type*>(memory);
        const int status = Api::attach(at);
        return On::give(status, embedded<Self>(at));
    }

    /** A lock with a name in a region. */
    template <class On = usual>
    static Gives<On, Self*> create(const Region& region, cstr name, On = {})
    {
        return named<Self, native_type, On>(Api::create, handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Self*> open(const Region& region, cstr name, On = {})
    {
        return named<Self, native_type, On>(Api::open, handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Self*> open_or_create(const Region& region, cstr name, On = {})
    {
        return named<Self, native_type, On>(Api::open_or_create, handle(region), name);
    }

    /** Acquires the lock: RIALTO_OK or RIALTO_OWNER_DIED, and it is held. */
    template <class On = usual>
    Status acquire(On = {})
    {
        return On::pass(Api::acquire(&lock_));
    }
    /** The same, or RIALTO_EAGAIN. */
    template <class On = usual>
    Status try_acquire(On = {})
    {
        return On::pass(Api::try_acquire(&lock_));
    }
    /** The same, or RIALTO_ETIMEDOUT, or RIALTO_EAGAIN if there was no time. */
    template <class On = usual>
    Status acquire_for(Timeout timeout, On = {})
    {
        return On::pass(Api::acquire_timeout(&lock_, timeout.ns()));
    }
    template <class On = usual>
    Done<On> release(On = {})
    {
        return On::finish(Api::release(&lock_));
    }
    /** What it protects is repaired. */
    template <class On = usual>
    Done<On> mark_consistent(On = {})
    {
        return On::finish(Api::mark_consistent(&lock_));
    }
    template <class On = usual>
    Gives<On, bool> is_mine(On = {}) const
    {
        return ask<bool, On>(Api::is_mine, &lock_);
    }
    template <class On = usual>
    Gives<On, bool> is_locked(On = {}) const
    {
        return ask<bool, On>(Api::is_locked, &lock_);
    }
    /** Makes one that is not recoverable usable again. */
    template <class On = usual>
    Done<On> reset(On = {})
    {
        return On::finish(Api::reset(&lock_));
    }
    /** Ends it, for all. */
    template <class On = usual>
    Done<On> destroy(On = {})
    {
        return On::finish(Api::destroy(&lock_));
    }

    /** BasicLockable, Lockable and TimedLockable; see the top for dead owners. */
    void lock() { (void)taken(Api::acquire(&lock_)); }
    bool try_lock() { return taken(Api::try_acquire(&lock_)); }
    void unlock() noexcept { (void)Api::release(&lock_); }
    template <class Rep, class Period>
    bool try_lock_for(std::chrono::duration<Rep, Period> timeout)
    {
        return taken(Api::acquire_timeout(&lock_, Timeout(timeout).ns()));
    }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> at)
    {
        return taken(repeat_until(at, [this](Timeout left) { return Api::acquire_timeout(&lock_, left.ns()); }));
    }

    native_type* native_handle() noexcept { return &lock_; }
    const native_type* native_handle() const noexcept { return &lock_; }

private:
    bool taken(Status status)
    {
        if (status == RIALTO_OK)
            return true;
        if (status.not_now())
            return false;
#ifndef RIALTO_NO_EXCEPTIONS
        if (status.owner_died()) {
            std::shared_ptr<void> held(&lock_, [](void* at) { (void)Api::release(static_cast<native_type*>(at)); });
            throw owner_died(std::move(held),
                             [](void* at) { return Api::mark_consistent(static_cast<native_type*>(at)); });
        }
#endif
        refuse(status.code());
    }

    native_type lock_;
};

} // namespace detail

/** A robust lock, not recursive: rialto_lock_t. */
class Lock : public detail::BasicLock<Lock, detail::LockApi> {};

/** A robust lock that its owner may acquire again: rialto_rlock_t. */
class RLock : public detail::BasicLock<RLock, detail::RLockApi> {
public:
    /** How often this thread holds it. */
    template <class On = usual>
    Gives<On, std::uint32_t> recursion(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_rlock_recursion, native_handle());
    }
};

static_assert(sizeof(Lock) == sizeof(rialto_lock_t) && alignof(Lock) == alignof(rialto_lock_t));
static_assert(sizeof(RLock) == sizeof(rialto_rlock_t) && alignof(RLock) == alignof(rialto_rlock_t));
static_assert(std::is_standard_layout_v<Lock> && std::is_standard_layout_v<RLock>);

/** Holds a Lock, RLock, Value, Array, List, Dict or Namespace until the end of the scope. False if it does not: the
 * time was up, or (nothrow) any other status. */
template <class L>
class [[nodiscard]] Guard {
public:
    explicit Guard(L& lock) : Guard(lock, usual{}) {}
    template <class On, std::enable_if_t<std::is_same_v<On, usual> || std::is_same_v<On, nothrow_t>, int> = 0>
    Guard(L& lock, On) : lock_(&lock), status_(lock.acquire(nothrow))
    {
        (void)On::pass(status_.code());
    }
    Guard(L& lock, std::try_to_lock_t) : Guard(lock, Timeout::poll()) {}
    template <class On = usual>
    Guard(L& lock, Timeout timeout, On = {}) : lock_(&lock), status_(lock.acquire_for(timeout, nothrow))
    {
        (void)On::pass(status_.code());
    }
    /** Of one that this thread holds. */
    Guard(L& lock, std::adopt_lock_t, Status status = RIALTO_OK) noexcept : lock_(&lock), status_(status) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard()
    {
        if (*this)
            (void)lock_->release(nothrow);
    }

    explicit operator bool() const noexcept { return bool(status_); }
    Status status() const noexcept { return status_; }
    bool owner_died() const noexcept { return status_.owner_died(); }
    L* mutex() const noexcept { return lock_; }

    /** Of a Lock or RLock: what it protects is repaired. */
    template <class On = usual>
    Done<On> mark_consistent(On = {})
    {
        const Status marked = lock_->mark_consistent(nothrow);
        if (marked && status_.owner_died())
            status_ = RIALTO_OK;
        return On::finish(marked.code());
    }
    /** Before the end of the scope. */
    template <class On = usual>
    Done<On> release(On = {})
    {
        const Status held = std::exchange(status_, Status(RIALTO_EPERM));
        return On::finish(held ? lock_->release(nothrow).code() : RIALTO_EPERM);
    }
    /** What a condition's wait said, see Condition. */
    void set_status(Status status) noexcept { status_ = status; }

private:
    L* lock_;
    Status status_;
};

template <class L>
Guard(L&) -> Guard<L>;

/** A Lock or RLock for std's guards, and what repairs that which it protects: called holding it, after an owner died.
 * A local object, to which all belongs that its function refers to. */
template <class L, class F>
class Repairing {
public:
    Repairing(L& lock, F repair) : lock_(lock), repair_(std::move(repair)) {}
    Repairing(const Repairing&) = delete;
    Repairing& operator=(const Repairing&) = delete;

    void lock() { (void)settle(lock_.acquire(nothrow)); }
    bool try_lock() { return settle(lock_.try_acquire(nothrow)); }
    void unlock() noexcept { (void)lock_.release(nothrow); }
    template <class Rep, class Period>
    bool try_lock_for(std::chrono::duration<Rep, Period> timeout)
    {
        return settle(lock_.acquire_for(timeout, nothrow));
    }
    template <class Clock, class Duration>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> at)
    {
        return settle(detail::repeat_until(at, [this](Timeout left) { return lock_.acquire_for(left, nothrow); }));
    }

private:
    bool settle(Status status)
    {
        if (status.owner_died()) {
            Guard<L> held(lock_, std::adopt_lock, status); // released unrepaired if this throws
            repair_();
            (void)held.mark_consistent(nothrow);
            held.set_status(RIALTO_EPERM); // and kept if not
        } else if (!status && !status.not_now()) {
            detail::refuse(status.code());
        }
        return bool(status);
    }

    L& lock_;
    F repair_;
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
