/* A lock in shared memory: std::lock_guard across processes, and an owner that is killed.
 *
 *   g++ -std=c++17 lock.cpp $(pkg-config --cflags --libs rialto) -o lock
 */
#include <rialto.hpp>

#include <cstdio>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct Counter {
    rialto::Lock lock;
    long started = 0, finished = 0; // equal, unless somebody is at it, or died at it
};

static pid_t spawn(void (*body)(Counter&), Counter& counter)
{
    const pid_t pid = fork();
    if (pid == 0) {
        body(counter);
        _exit(0);
    }
    return pid;
}

int main()
{
    void* const memory = mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    Counter& counter = *new (memory) Counter;

    for (int i = 0; i < 3; i++)
        spawn(
            [](Counter& mine) {
                for (int n = 0; n < 1000; n++) {
                    std::lock_guard guard(mine.lock);
                    mine.started++;
                    mine.finished++;
                }
            },
            counter);
    while (wait(nullptr) > 0) {
    }

    spawn(
        [](Counter& mine) {
            std::lock_guard guard(mine.lock);
            mine.started++;
            _exit(1); // as if killed: half done, and the lock held
        },
        counter);
    wait(nullptr);
    bool is_noticed = false;
    rialto::Repairing lock(counter.lock, [&] {
        is_noticed = true;
        counter.started = counter.finished;
    });
    std::lock_guard guard(lock);
    std::printf("%ld counted; a killed owner was %s, its change %s\n", counter.finished,
                is_noticed ? "noticed" : "missed", counter.started == counter.finished ? "repaired" : "left");
}
