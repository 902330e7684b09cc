/* A barrier: workers that go from round to round together.
 *
 *   g++ -std=c++17 barrier.cpp $(pkg-config --cflags --libs rialto) -o barrier
 */
#include <rialto.hpp>

#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main()
{
    constexpr int workers = 3, rounds = 5;
    auto region = rialto::Region::create_anonymous(1 << 16);
    auto barrier = rialto::Barrier::create(region, "barrier", workers);
    auto round = rialto::Value<int>::create(region, "round", 0);
    auto wrong = rialto::Value<int>::create(region, "wrong", 0);
    for (int i = 0; i < workers; i++)
        if (fork() == 0) {
            for (int n = 0; n < rounds; n++) {
                if (round.load() != n)
                    wrong.fetch_add(1);
                (void)barrier.wait_action([&] { round.fetch_add(1); }); // by the last one
            }
            _exit(0);
        }
    while (wait(nullptr) > 0) {
    }
    std::printf("%d workers, %d rounds, %s\n", workers, round.load(), wrong.load() == 0 ? "in step" : "out of step");
}
