/* The C++ header without exceptions: everything tells by status, lock() ends the process where it cannot tell. */
#include "kit.hpp"

#ifndef RIALTO_NO_EXCEPTIONS
#error "compile this with -fno-exceptions"
#endif

// The same words with and without exceptions mean the same, or do not compile.
static_assert(!std::is_constructible_v<bool, decltype(std::declval<rialto::Queue&>().is_empty())>);
static_assert(!std::is_constructible_v<bool, rialto::Result<bool>>);
static_assert(std::is_constructible_v<bool, rialto::Result<int>>);
static_assert(std::is_constructible_v<bool, decltype(std::declval<rialto::Queue&>().try_push(""))>);

int main()
{
    watchdog();
    auto none = rialto::Region::attach_named("rialto-cpp-no-such-region");
    CHECK(!none && none.status() == RIALTO_ENOENT);
    auto region = rialto::Region::create_anonymous(1 << 18);
    CHECK(region && *region.size() == 1 << 18);
    auto queue = rialto::Queue::create(region, "q", rialto::QueueConfig(4, 16));
    CHECK(queue && !rialto::Queue::open(region, "other"));
    CHECK(queue.push("a") && queue.push("b") == RIALTO_OK && *queue.len() == 2);
    CHECK(queue.push(std::string(17, 'x')) == RIALTO_EMSGSIZE);
    killed_after([&] { (void)rialto_queue_peek(queue.native_handle(), new rialto_peeked_t()); });
    CHECK(*queue.is_closed() == false && queue.is_closed().status() == RIALTO_OK && queue.close());
    int seen = 0;
    auto messages = queue.messages();
    for (rialto::Peeked& job : messages) {
        seen++;
        CHECK(job.release());
    }
    CHECK(seen == 2 && messages.status().closed() && queue.push("c").closed());

    rialto::Lock& lock = shared<rialto::Lock>();
    {
        std::lock_guard guard(lock);
        CHECK(lock.acquire() == RIALTO_EDEADLK && *lock.is_mine());
    }
    killed_after([&] { lock.lock(); });
    int how;
    const pid_t refused = child([&] {
        CHECK(std::freopen("/dev/null", "w", stderr) != nullptr);
        std::lock_guard guard(lock); // a dead owner: ends here, and passes it on
    });
    CHECK(waitpid(refused, &how, 0) == refused && WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
    {
        rialto::Guard guard(lock);
        CHECK(guard && guard.owner_died() && guard.mark_consistent());
    }
    int repairs = 0;
    killed_after([&] { lock.lock(); });
    rialto::Repairing safe(lock, [&] { repairs++; });
    {
        std::lock_guard guard(safe);
    }
    CHECK(repairs == 1 && lock.try_lock());
    lock.unlock();

    rialto::Event& event = shared<rialto::Event>();
    CHECK(event.wait_for(1ms) == RIALTO_ETIMEDOUT && event.set() && event.wait());
    CHECK(event.wait_until(std::chrono::steady_clock::now() + 1h));
    rialto_event_t zero{};
    CHECK(!rialto::Event::attach(&zero));
    rialto::Condition& condition = shared<rialto::Condition>();
    {
        rialto::Guard guard(lock);
        CHECK(condition.wait_for(guard, 1ms, [] { return false; }) == RIALTO_ETIMEDOUT && guard.owner_died() == false);
    }
    rialto::Semaphore none_of_these(UINT32_MAX);
    CHECK(none_of_these.acquire() == RIALTO_EBADREGION);

    auto array = rialto::Array<int>::create(region, "a", {1, 2});
    CHECK(array && array.edit([](auto& edit) { return bool(edit.set(0, *edit.get(1))); }) && *array.get(0) == 2);
    CHECK(array.get(2) == RIALTO_ENOENT && array.get(2).value_or(9) == 9);
    auto dict = rialto::Dict::open_or_create(region, "d", 4, 8, 8);
    char buffer[8];
    CHECK(dict.set("k", "v") && dict.get("k", buffer)->text() == "v" && !dict.get("x", buffer) && *dict.remove("k"));
    auto barrier = rialto::Barrier::create(region, "b", 1);
    CHECK(*barrier.wait() == 0 && barrier.wait_action([] { return false; }) == RIALTO_EBROKEN);
    auto permit = rialto::TrackedSemaphore::create(region, "t", 1).acquire();
    CHECK(permit && region.detach() == RIALTO_EBUSY && region && permit.release() && region.detach() && !region);
    std::puts("ok");
}
