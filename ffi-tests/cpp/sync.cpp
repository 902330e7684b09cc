/* Locks, events, semaphores and conditions: std's guards across processes, dead owners in all four ways, timeouts. */
#include "kit.hpp"

#include <cstdlib>
#include <limits>
#include <new>

using rialto::Timeout;

/** How many allocations succeed, and then one fails; -1: all succeed. */
static thread_local int memory_for = -1;
/** Stays false where another one is used: valgrind has its own. */
static bool is_ours = false;

void* operator new(std::size_t bytes)
{
    is_ours = true;
    if (memory_for >= 0 && memory_for-- == 0)
        throw std::bad_alloc();
    void* const at = std::malloc(bytes == 0 ? 1 : bytes);
    if (at == nullptr)
        throw std::bad_alloc();
    return at;
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }

static_assert(Timeout(5ms).ns() == 5000000 && Timeout(1h).ns() == 3600000000000);
static_assert(Timeout(-5ms).ns() == 0 && Timeout(0s).ns() == 0);
static_assert(Timeout(std::chrono::hours::max()).ns() == RIALTO_WAIT_FOREVER);
static_assert(Timeout(std::chrono::nanoseconds::max()).ns() == RIALTO_WAIT_FOREVER);
static_assert(Timeout(std::chrono::duration<double>(0.25)).ns() == 250000000);
static_assert(Timeout(std::chrono::duration<double>(1e300)).ns() == RIALTO_WAIT_FOREVER);
static_assert(Timeout(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).ns() ==
              RIALTO_WAIT_FOREVER);
static_assert(Timeout(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).ns() == 0);
static_assert(Timeout(std::chrono::duration<int, std::pico>(1)).ns() == 1, "rounded up");
static_assert(Timeout(std::chrono::duration<int, std::ratio<1, 3>>(1)).ns() == 333333334, "rounded up");
static_assert(Timeout(std::chrono::duration<unsigned char>(255)).ns() == 255000000000);

namespace {

struct Account {
    rialto::Lock lock;
    rialto::RLock rlock;
    rialto::Event event;
    rialto::Semaphore semaphore{0};
    rialto::Condition condition;
    long credit = 0, debit = 0;
};

void std_guards_across_processes()
{
    Account& account = shared<Account>();
    std::vector<pid_t> children;
    for (int i = 0; i < 3; i++)
        children.push_back(child([&] {
            for (int n = 0; n < 2000; n++) {
                std::lock_guard guard(account.lock);
                account.credit++;
            }
        }));
    for (int n = 0; n < 2000; n++) {
        std::scoped_lock guard(account.lock, account.rlock);
        account.credit++;
    }
    for (pid_t pid : children)
        reap(pid);
    CHECK(account.credit == 8000);

    std::unique_lock held(account.lock);
    CHECK(account.lock.is_mine() && account.lock.is_locked());
    throws(RIALTO_EDEADLK, [&] { account.lock.lock(); });
    reap(child([&] {
        const auto before = std::chrono::steady_clock::now();
        CHECK(!account.lock.try_lock());
        CHECK(!account.lock.try_lock_for(20ms));
        CHECK(!account.lock.try_lock_until(std::chrono::steady_clock::now() + 20ms));
        CHECK(std::chrono::steady_clock::now() - before >= 40ms);
        CHECK(!account.lock.try_lock_until(std::chrono::system_clock::now() + 5ms));
        CHECK(!account.lock.try_lock_until(std::chrono::steady_clock::time_point::min()));
        CHECK(account.lock.acquire_for(0s) == RIALTO_EAGAIN);
        CHECK(account.lock.acquire_for(1ms) == RIALTO_ETIMEDOUT);
        CHECK(!rialto::Guard(account.lock, std::try_to_lock));
        account.lock.unlock(); // not ours: nothing happens
        throws(RIALTO_EPERM, [&] { account.lock.release(); });
        CHECK(account.lock.release(rialto::nothrow) == RIALTO_EPERM);
    }));
    held.unlock();
    {
        std::unique_lock timed(account.lock, 10s);
        CHECK(timed);
        std::unique_lock once(account.rlock), again(account.rlock);
        CHECK(account.rlock.recursion() == 2);
    }
    CHECK(account.rlock.recursion() == 0 && !account.lock.is_locked());
    CHECK(rialto::Lock::attach(&account.lock) == &account.lock);
    throws(RIALTO_EBADREGION, [&] { (void)rialto::Lock::attach(&account.rlock); });
    account.lock.destroy();
    throws(RIALTO_EBADREGION, [&] { account.lock.lock(); });
}

template <class L>
void dead_owners(L& lock, long& value)
{
    const auto die_with_it = [&] {
        killed_after([&] {
            lock.lock();
            value = -1;
        });
    };
    die_with_it();
    CHECK(lock.acquire().owner_died());
    lock.mark_consistent();
    lock.release();

    die_with_it();
    {
        rialto::Guard guard(lock);
        CHECK(guard && guard.owner_died());
        guard.mark_consistent();
        CHECK(!guard.owner_died());
    }
    CHECK(rialto::Guard(lock).status() == RIALTO_OK);

    die_with_it();
    rialto::Repairing safe(lock, [&] { value = 0; });
    {
        std::lock_guard guard(safe);
        CHECK(value == 0);
    }
    CHECK(lock.acquire() == RIALTO_OK);
    lock.release();
    die_with_it();
    CHECK(safe.try_lock_for(10s) && value == 0);
    safe.unlock();
    die_with_it();
    CHECK(safe.try_lock() && value == 0);
    safe.unlock();
    die_with_it();
    CHECK(safe.try_lock_until(std::chrono::steady_clock::now() + 10s) && value == 0);
    safe.unlock();

    die_with_it();
    for (int round = 0;; round++) try {
            std::lock_guard guard(lock);
            CHECK(round == 1 && value == 0);
            break;
        } catch (rialto::owner_died& death) {
            CHECK(round == 0 && death.code() != std::errc::timed_out);
            CHECK(lock.is_mine()); // the exception holds it
            reap(child([&] { CHECK(!lock.try_lock()); }));
            value = 0;
            const rialto::owner_died copy = death;
            death.repaired();
        }
    CHECK(!lock.is_locked());

    die_with_it(); // nobody repairs: nobody gets it for healthy
    throws(RIALTO_OWNER_DIED, [&] { std::lock_guard guard(lock); });
    throws(RIALTO_ENOTRECOVERABLE, [&] { std::lock_guard guard(lock); });
    lock.reset();
    CHECK(lock.try_lock());
    lock.unlock();

    die_with_it();
    struct Hopeless {};
    rialto::Repairing hopeless(lock, [] { throw Hopeless(); });
    bool has_thrown = false;
    try {
        std::lock_guard guard(hopeless);
    } catch (Hopeless) {
        has_thrown = true;
    }
    CHECK(has_thrown);
    throws(RIALTO_ENOTRECOVERABLE, [&] { std::lock_guard guard(hopeless); });
    lock.reset();
}

void conditions()
{
    Account& account = shared<Account>();
    const pid_t depositor = child([&] {
        for (int n = 0; n < 3; n++) {
            std::lock_guard guard(account.lock);
            account.credit++;
            account.condition.notify_all(account.lock);
        }
    });
    {
        std::unique_lock held(account.lock);
        CHECK(account.condition.wait(held, [&] { return account.credit == 3; }) == RIALTO_OK);
        CHECK(account.condition.wait_for(held, 1ms).not_now() && held);
        CHECK(account.condition.wait_for(held, 20ms, [] { return false; }) == RIALTO_ETIMEDOUT && held);
        CHECK(account.condition.wait_for(held, 0s, [] { return false; }) == RIALTO_EAGAIN && held);
        int asked = 0;
        try {
            (void)account.condition.wait(held, [&]() -> bool { throw ++asked; });
        } catch (int) {
        }
        CHECK(asked == 1 && held && account.lock.is_mine());
    }
    reap(depositor);
    throws(RIALTO_EPERM, [&] { (void)account.condition.wait(account.lock); });

    // Who has notified dies with the lock.
    {
        rialto::Guard held(account.lock);
        const pid_t victim = child([&] {
            account.lock.lock();
            account.condition.notify_all(account.lock);
            kill(getpid(), SIGKILL);
        });
        CHECK(account.condition.wait_for(held, 20s, [&] { return account.credit == 9; }).owner_died());
        CHECK(held.owner_died() && account.lock.is_mine());
        held.mark_consistent();
        int how;
        CHECK(waitpid(victim, &how, 0) == victim && WIFSIGNALED(how));
    }
    // Unrepaired: the wait does not hold it any more, and says so to the guard.
    killed_after([&] { account.lock.lock(); });
    std::unique_lock held(account.lock, std::defer_lock);
    CHECK(account.lock.acquire().owner_died());
    held = std::unique_lock(account.lock, std::adopt_lock);
    throws(RIALTO_ENOTRECOVERABLE, [&] { (void)account.condition.wait(held); });
    CHECK(!held.owns_lock() && !account.lock.is_mine());
    {
        rialto::Guard twice(account.rlock), again(account.rlock);
        CHECK(account.condition.wait_for(again, 1ms).not_now() && account.rlock.recursion() == 2);
    }
    account.condition.notify_one();
    account.condition.notify(2);
    account.condition.notify_all(account.rlock);
    CHECK(rialto::Condition::attach(&account.condition) == &account.condition);
}

void std_condition_variable_any()
{
    rialto::Lock lock;
    std::condition_variable_any condition;
    bool is_ready = false;
    std::thread other([&] {
        std::lock_guard guard(lock);
        is_ready = true;
        condition.notify_one();
    });
    std::unique_lock held(lock);
    condition.wait(held, [&] { return is_ready; });
    CHECK(lock.is_mine());
    CHECK(!condition.wait_for(held, 5ms, [] { return false; }));
    held.unlock();
    other.join();
}

void events_and_semaphores()
{
    Account& account = shared<Account>();
    CHECK(!account.event.wait_for(5ms) && !account.event.wait_until(std::chrono::steady_clock::now() + 5ms));
    const pid_t setter = child([&] {
        account.event.set();
        account.semaphore.release();
        account.semaphore.release(2);
    });
    account.event.wait();
    CHECK(account.event.is_set());
    account.event.clear();
    CHECK(!account.event.is_set());
    account.semaphore.acquire();
    CHECK(account.semaphore.try_acquire_for(10s));
    CHECK(account.semaphore.try_acquire_until(std::chrono::system_clock::now() + 10s));
    CHECK(!account.semaphore.try_acquire() && account.semaphore.value() == 0);
    reap(setter);
    rialto::Semaphore few(1, rialto::bounded);
    CHECK(few.bound() == 1);
    throws(RIALTO_EOVERFLOW, [&] { few.release(); });
    throws(RIALTO_EINVAL, [] { rialto::Semaphore many(UINT32_MAX); });
    CHECK(rialto::Event::attach(&account.event) == &account.event);
    CHECK(rialto::Semaphore::attach(&account.semaphore) == &account.semaphore);
    throws(RIALTO_EBADREGION, [&] { (void)rialto::Semaphore::attach(&account.event); });
}

void by_name()
{
    auto region = rialto::Region::create_anonymous(1 << 16);
    rialto::Lock& lock = *rialto::Lock::create(region, "lock");
    CHECK(rialto::Lock::open(region, "lock") == &lock && rialto::Lock::open_or_create(region, "lock") == &lock);
    throws(RIALTO_EEXIST, [&] { (void)rialto::Lock::create(region, std::string("lock")); });
    throws(RIALTO_EWRONGKIND, [&] { (void)rialto::RLock::open(region, "lock"); });
    throws(RIALTO_ENOENT, [&] { (void)rialto::Event::open(region, "event"); });
    CHECK(rialto::RLock::create(region, "rlock") == rialto::RLock::open_or_create(region, "rlock"));
    CHECK(rialto::Event::create(region, "event") == rialto::Event::open_or_create(region, "event"));
    CHECK(rialto::Condition::create(region, "condition") == rialto::Condition::open(region, "condition"));
    CHECK(rialto::Condition::open_or_create(region, "condition") == rialto::Condition::open(region, "condition"));
    CHECK(rialto::Semaphore::create(region, "s", 3, true)->bound() == 3);
    CHECK(rialto::Semaphore::open_or_create(region, "s", 3, true) == rialto::Semaphore::open(region, "s"));
    reap(child([&] {
        std::lock_guard guard(*rialto::Lock::open(region, "lock"));
        CHECK(rialto::Semaphore::open(region, "s")->try_acquire());
    }));
    CHECK(rialto::Semaphore::open(region, "s")->value() == 2);
    const auto none = rialto::Lock::open(region, "none", rialto::nothrow);
    CHECK(!none && none == RIALTO_ENOENT);
}

/** A dead owner, and no memory to tell so: nobody is left holding the lock. */
void no_memory_for_the_exception(rialto::Lock& lock)
{
    int failures = 0;
    for (int most = 0;; most++) {
        killed_after([&] { lock.lock(); });
        bool is_told = false;
        try {
            memory_for = most;
            lock.lock();
        } catch (const rialto::owner_died& died) {
            memory_for = -1;
            is_told = true;
            died.repaired();
        } catch (const std::bad_alloc&) {
            failures++;
        }
        CHECK(!lock.is_mine());
        if (is_told)
            break;
        lock.reset();
    }
    CHECK(!is_ours || failures >= 2); // for its text, and for what counts its copies
}

} // namespace

void test_sync()
{
    no_memory_for_the_exception(shared<rialto::Lock>());
    std_guards_across_processes();
    Account& account = shared<Account>();
    dead_owners(account.lock, account.credit);
    dead_owners(account.rlock, account.debit);
    conditions();
    std_condition_variable_any();
    events_and_semaphores();
    by_name();
}
