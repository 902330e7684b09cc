/* What the C++ test programs share: the C ones' checks, and a struct in memory that children inherit. */
#ifndef KIT_HPP
#define KIT_HPP

#include "../c/check.h"

#include <rialto.hpp>

#include <cmath>
#include <condition_variable>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

/** Shared with all children that are forked from now on; stays until the process ends. */
template <class T, class... A>
T& shared(A&&... arguments)
{
    void* const at = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    return *new (at) T{std::forward<A>(arguments)...};
}

/** A child that runs `body` and must succeed. The parent reaps or slays it. */
template <class F>
pid_t child(F body)
{
    const pid_t pid = spawn();
    if (pid == 0) {
        body();
        fflush(nullptr);
        _exit(0);
    }
    return pid;
}

[[noreturn]] inline void await_death()
{
    for (;;)
        pause();
}

/** A child that runs `body` and is killed when it has. */
template <class F>
void killed_after(F body)
{
    gate done;
    gate_make(&done);
    const pid_t pid = child([&] {
        body();
        gate_open(&done);
        await_death();
    });
    close(done.ends[1]); // so that it does not pass if the child has failed
    gate_pass(&done);
    slay(pid);
    close(done.ends[0]);
}

#ifndef RIALTO_NO_EXCEPTIONS
/** Fails unless `call` throws an error of this status. */
template <class E = rialto::error, class F>
void throws(int status, F call)
{
    bool has_thrown = false;
    try {
        call();
    } catch (const E& error) {
        CHECK(error.status() == status);
        CHECK(std::string(error.what()).find(rialto_strerror(status)) != std::string::npos);
        has_thrown = true;
    }
    CHECK(has_thrown);
}
#endif

void test_sync();
void test_queues();
void test_state();
void test_moves();

#endif
