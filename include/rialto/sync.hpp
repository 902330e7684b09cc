/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Event (rialto_event_t), Semaphore (rialto_semaphore_t) and Condition (rialto_condition_t): 64
 * bytes each, anywhere in shared memory. The constructor initialises, once, by one process; the destructor does
 * nothing. */
#ifndef RIALTO_SYNC_HPP
#define RIALTO_SYNC_HPP

#include "lock.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** A flag to wait for. */
class Event {
public:
    /** Clear, whatever was there. */
    Event() noexcept { (void)rialto_event_init(&event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /** The event that somebody made at this place. */
    template <class On = usual>
    static Gives<On, Event*> attach(void* memory, On = {})
    {
        rialto_event_t* const at = static_cast<rialto_event_t*>(memory);
        return On::give(rialto_event_attach(at), detail::embedded<Event>(at));
    }
    template <class On = usual>
    static Gives<On, Event*> create(const Region& region, cstr name, On = {})
    {
        return detail::named<Event, rialto_event_t, On>(rialto_event_create, detail::handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Event*> open(const Region& region, cstr name, On = {})
    {
        return detail::named<Event, rialto_event_t, On>(rialto_event_open, detail::handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Event*> open_or_create(const Region& region, cstr name, On = {})
    {
        return detail::named<Event, rialto_event_t, On>(rialto_event_open_or_create, detail::handle(region), name);
    }

    template <class On = usual>
    Done<On> set(On = {})
    {
        return On::finish(rialto_event_set(&event_));
    }
    template <class On = usual>
    Done<On> clear(On = {})
    {
        return On::finish(rialto_event_clear(&event_));
    }
    template <class On = usual>
    Gives<On, bool> is_set(On = {}) const
    {
        return detail::ask<bool, On>(rialto_event_is_set, &event_);
    }
    template <class On = usual>
    Done<On> wait(On = {})
    {
        return On::finish(rialto_event_wait(&event_));
    }
    /** False: the time is up. */
    template <class On = usual>
    Told<On> wait_for(Timeout timeout, On = {})
    {
        return On::tell(rialto_event_wait_timeout(&event_, timeout.ns()));
    }
    template <class Clock, class Duration, class On = usual>
    Told<On> wait_until(std::chrono::time_point<Clock, Duration> at, On = {})
    {
        return On::tell(detail::repeat_until(at, [this](Timeout left) { return wait_for(left, nothrow); }).code());
    }

    rialto_event_t* native_handle() noexcept { return &event_; }

private:
    rialto_event_t event_;
};

struct bounded_t {};
/** See Semaphore's constructor. */
inline constexpr bounded_t bounded{};

/** Permits that belong to nobody, for signalling; cf. std::counting_semaphore. See TrackedSemaphore. */
class Semaphore {
public:
    /** So many permits, 0 to 2^31 - 1, whatever was there; release may add more. */
    explicit Semaphore(std::uint32_t value) { init(rialto_semaphore_init(&semaphore_, value)); }
    /** Semaphore(3, bounded): never more than at first. */
    Semaphore(std::uint32_t value, bounded_t) { init(rialto_semaphore_init_bounded(&semaphore_, value)); }
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    /** The semaphore that somebody made at this place. */
    template <class On = usual>
    static Gives<On, Semaphore*> attach(void* memory, On = {})
    {
        rialto_semaphore_t* const at = static_cast<rialto_semaphore_t*>(memory);
        return On::give(rialto_semaphore_attach(at), detail::embedded<Semaphore>(at));
    }
    template <class On = usual>
    static Gives<On, Semaphore*> create(const Region& region, cstr name, std::uint32_t value, bool is_bounded = false,
                                        On = {})
    {
        return detail::named<Semaphore, rialto_semaphore_t, On>(rialto_semaphore_create, detail::handle(region), name,
                                                                value, is_bounded);
    }
    template <class On = usual>
    static Gives<On, Semaphore*> open(const Region& region, cstr name, On = {})
    {
        return detail::named<Semaphore, rialto_semaphore_t, On>(rialto_semaphore_open, detail::handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Semaphore*> open_or_create(const Region& region, cstr name, std::uint32_t value,
                                                bool is_bounded = false, On = {})
    {
        return detail::named<Semaphore, rialto_semaphore_t, On>(rialto_semaphore_open_or_create,
                                                                detail::handle(region), name, value, is_bounded);
    }

    template <class On = usual>
    Done<On> acquire(On = {})
    {
        return On::finish(rialto_semaphore_acquire(&semaphore_));
    }
    template <class On = usual>
    Told<On> try_acquire(On = {})
    {
        return On::tell(rialto_semaphore_try_acquire(&semaphore_));
    }
    template <class On = usual>
    Told<On> try_acquire_for(Timeout timeout, On = {})
    {
        return On::tell(rialto_semaphore_acquire_timeout(&semaphore_, timeout.ns()));
    }
    template <class Clock, class Duration, class On = usual>
    Told<On> try_acquire_until(std::chrono::time_point<Clock, Duration> at, On = {})
    {
        const auto try_for = [this](Timeout left) { return try_acquire_for(left, nothrow); };
        return On::tell(detail::repeat_until(at, try_for).code());
    }
    template <class On = usual>
    Done<On> release(On = {})
    {
        return On::finish(rialto_semaphore_release(&semaphore_));
    }
    /** All of them or none. */
    template <class On = usual>
    Done<On> release(std::uint32_t permits, On = {})
    {
        return On::finish(rialto_semaphore_release_many(&semaphore_, permits));
    }
    template <class On = usual>
    Gives<On, std::uint32_t> value(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_semaphore_value, &semaphore_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> bound(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_semaphore_bound, &semaphore_);
    }

    rialto_semaphore_t* native_handle() noexcept { return &semaphore_; }

private:
    /** Without exceptions one with too many permits is none, which every call notices. */
    void init(int status)
    {
        if (status < 0)
            semaphore_ = rialto_semaphore_t{};
        (void)usual::pass(status);
    }

    rialto_semaphore_t semaphore_;
};

/** A condition variable, for what a Lock or RLock protects, across processes.
 *
 * The waits take the lock itself, a Guard or a std::unique_lock of it, held by this thread; and return, HOLDING IT
 * AGAIN: RIALTO_OK; RIALTO_OWNER_DIED (an owner died meanwhile: repair, then mark_consistent; a Guard tells so from
 * then on); RIALTO_ETIMEDOUT or RIALTO_EAGAIN. Else they throw, and do not hold it: nor does the Guard or unique_lock
 * then. The predicate may throw: then the lock is held. */
class Condition {
public:
    /** With nobody waiting, whatever was there. */
    Condition() noexcept { (void)rialto_condition_init(&condition_); }
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    /** The condition that somebody made at this place. */
    template <class On = usual>
    static Gives<On, Condition*> attach(void* memory, On = {})
    {
        rialto_condition_t* const at = static_cast<rialto_condition_t*>(memory);
        return On::give(rialto_condition_attach(at), detail::embedded<Condition>(at));
    }
    template <class On = usual>
    static Gives<On, Condition*> create(const Region& region, cstr name, On = {})
    {
        return detail::named<Condition, rialto_condition_t, On>(rialto_condition_create, detail::handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Condition*> open(const Region& region, cstr name, On = {})
    {
        return detail::named<Condition, rialto_condition_t, On>(rialto_condition_open, detail::handle(region), name);
    }
    template <class On = usual>
    static Gives<On, Condition*> open_or_create(const Region& region, cstr name, On = {})
    {
        return detail::named<Condition, rialto_condition_t, On>(rialto_condition_open_or_create,
                                                                detail::handle(region), name);
    }

    /** Waits for a notification, or returns without one. */
    template <class H, class On = usual, std::enable_if_t<!std::is_invocable_v<On>, int> = 0>
    Status wait(H& holder, On = {})
    {
        return finish<On>(holder, wait_on(lock_of(holder)));
    }
    /** Waits until `predicate` is true, which is asked holding the lock: at once, and after each notification. */
    template <class H, class P, class On = usual, std::enable_if_t<std::is_invocable_v<P&>, int> = 0>
    Status wait(H& holder, P predicate, On on = {})
    {
        return wait_for(holder, Timeout::forever(), predicate, on);
    }
    template <class H, class On = usual, std::enable_if_t<!std::is_invocable_v<On>, int> = 0>
    Status wait_for(H& holder, Timeout timeout, On = {})
    {
        return finish<On>(holder, wait_on(lock_of(holder), timeout.ns()));
    }
    /** RIALTO_OK: it is true. RIALTO_ETIMEDOUT, RIALTO_EAGAIN: it was false to the last. */
    template <class H, class P, class On = usual, std::enable_if_t<std::is_invocable_v<P&>, int> = 0>
    Status wait_for(H& holder, Timeout timeout, P predicate, On = {})
    {
        const detail::Deadline deadline(timeout);
        while (!predicate()) {
            const int status = wait_on(lock_of(holder), deadline.left_ns());
            if (Status(status).not_now() && predicate())
                break;
            if (status != RIALTO_OK)
                return finish<On>(holder, status);
        }
        return RIALTO_OK;
    }

    template <class On = usual>
    Done<On> notify_one(On = {})
    {
        return On::finish(rialto_condition_notify(&condition_, 1));
    }
    template <class On = usual>
    Done<On> notify(std::uint32_t waiters, On = {})
    {
        return On::finish(rialto_condition_notify(&condition_, waiters));
    }
    /** They wait with this lock, which need not be held. */
    template <class On = usual>
    Done<On> notify_all(Lock& lock, On = {})
    {
        return On::finish(rialto_condition_notify_all(&condition_, lock.native_handle()));
    }
    template <class On = usual>
    Done<On> notify_all(RLock& rlock, On = {})
    {
        return On::finish(rialto_condition_notify_all_rlock(&condition_, rlock.native_handle()));
    }

    rialto_condition_t* native_handle() noexcept { return &condition_; }

private:
    int wait_on(Lock& lock) { return rialto_condition_wait(&condition_, lock.native_handle()); }
    int wait_on(RLock& rlock) { return rialto_condition_wait_rlock(&condition_, rlock.native_handle()); }
    int wait_on(Lock& lock, std::uint64_t ns)
    {
        return rialto_condition_wait_timeout(&condition_, lock.native_handle(), ns);
    }
    int wait_on(RLock& rlock, std::uint64_t ns)
    {
        return rialto_condition_wait_timeout_rlock(&condition_, rlock.native_handle(), ns);
    }

    static Lock& lock_of(Lock& lock) { return lock; }
    static RLock& lock_of(RLock& lock) { return lock; }
    template <class L>
    static L& lock_of(std::unique_lock<L>& holder)
    {
        return *holder.mutex();
    }
    template <class L>
    static L& lock_of(Guard<L>& holder)
    {
        return *holder.mutex();
    }

    /** Tells the holder what has become of its lock. */
    template <class L>
    static void settle(L&, int)
    {
    }
    template <class L>
    static void settle(std::unique_lock<L>& holder, int status)
    {
        if (status < 0)
            (void)holder.release();
    }
    template <class L>
    static void settle(Guard<L>& holder, int status)
    {
        holder.set_status(status);
    }

    template <class On, class H>
    static Status finish(H& holder, int status)
    {
        if (status == RIALTO_OWNER_DIED)
            settle(holder, status);
        else if (status < 0 && !Status(status).not_now() && !lock_of(holder).is_mine(nothrow).value_or(false))
            settle(holder, status);
        return On::pass(status);
    }

    rialto_condition_t condition_;
};

static_assert(sizeof(Event) == sizeof(rialto_event_t) && alignof(Event) == alignof(rialto_event_t));
static_assert(sizeof(Semaphore) == sizeof(rialto_semaphore_t) && alignof(Semaphore) == alignof(rialto_semaphore_t));
static_assert(sizeof(Condition) == sizeof(rialto_condition_t) && alignof(Condition) == alignof(rialto_condition_t));
static_assert(std::is_standard_layout_v<Event> && std::is_standard_layout_v<Semaphore> &&
              std::is_standard_layout_v<Condition>);

} // namespace RIALTO_FORM
} // namespace rialto

#endif
