/* An event: children wait until the parent says go.
 *
 *   g++ -std=c++17 event.cpp $(pkg-config --cflags --libs rialto) -o event
 */
#include <rialto.hpp>

#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    using namespace std::chrono_literals;
    auto region = rialto::Region::create_anonymous(1 << 16);
    rialto::Event& go = *rialto::Event::create(region, "go");
    auto started = rialto::Value<int>::create(region, "started", 0);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            go.wait();
            started.fetch_add(1);
            _exit(0);
        }
    const bool is_early = go.wait_for(20ms) || started.load() != 0;
    go.set();
    while (wait(nullptr) > 0) {
    }
    std::printf("started %s\n", !is_early && started.load() == 3 ? "when told" : "too early");
}
