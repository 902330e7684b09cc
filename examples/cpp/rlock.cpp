/* A recursive lock: who holds it may acquire it again.
 *
 *   g++ -std=c++17 rlock.cpp $(pkg-config --cflags --libs rialto) -o rlock
 */
#include <rialto.hpp>

#include <algorithm>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

struct Tree {
    rialto::RLock& lock;
    rialto::Value<int> count;
    std::uint32_t deepest = 0;

    void visit(int depth) // public, and calls itself
    {
        std::lock_guard guard(lock);
        deepest = std::max(deepest, lock.recursion());
        count.fetch_add(1);
        if (depth > 1)
            visit(depth - 1);
    }
};

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 16);
    Tree tree{*rialto::RLock::create(region, "lock"), rialto::Value<int>::create(region, "count", 0)};
    const pid_t pid = fork();
    tree.visit(3);
    if (pid == 0)
        _exit(0);
    waitpid(pid, nullptr, 0);
    std::printf("counted %d, held %u times at most\n", tree.count.load(), tree.deepest);
}
