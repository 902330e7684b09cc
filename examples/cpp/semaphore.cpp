/* A semaphore: at most two of six are in there at a time.
 *
 *   g++ -std=c++17 semaphore.cpp $(pkg-config --cflags --libs rialto) -o semaphore
 */
#include <rialto.hpp>

#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 16);
    rialto::Semaphore& room = *rialto::Semaphore::create(region, "room", 2, true);
    auto inside = rialto::Value<int>::create(region, "inside", 0);
    auto most = rialto::Value<int>::create(region, "most", 0);
    for (int i = 0; i < 6; i++)
        if (fork() == 0) {
            room.acquire();
            const int now = inside.fetch_add(1) + 1;
            for (int seen = most.load(); seen < now && !most.compare_exchange(seen, now);) {
            }
            usleep(5000);
            inside.fetch_add(-1);
            room.release(); // a worker that dies takes its permit along: see tracked_semaphore.cpp
            _exit(0);
        }
    while (wait(nullptr) > 0) {
    }
    std::printf("%s of 6 at once\n", most.load() <= 2 ? "never more than 2" : "more than 2");
}
