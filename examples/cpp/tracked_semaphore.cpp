/* A semaphore whose permits come back when their holder is killed.
 *
 *   g++ -std=c++17 tracked_semaphore.cpp $(pkg-config --cflags --libs rialto) -o tracked_semaphore
 */
#include <rialto.hpp>

#include <csignal>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    using namespace std::chrono_literals;
    auto region = rialto::Region::create_anonymous(1 << 16);
    auto licences = rialto::TrackedSemaphore::create(region, "licences", 1);
    if (fork() == 0) {
        rialto::Permit permit = licences.acquire();
        kill(getpid(), SIGKILL);
    }
    wait(nullptr);
    rialto::Permit permit = licences.try_acquire_for(30s);
    std::printf("the dead one's permit %s\n", permit ? "came back" : "is lost");
}
