/* A condition variable across processes: a mailbox for one number.
 *
 *   g++ -std=c++17 condition.cpp $(pkg-config --cflags --libs rialto) -o condition
 */
#include <rialto.hpp>

#include <cstdio>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct Mailbox {
    rialto::Lock lock;
    rialto::Condition changed;
    bool is_full = false;
    int number = 0;

    void put(int what)
    {
        rialto::Guard guard(lock);
        if (changed.wait(guard, [&] { return !is_full; }).owner_died())
            throw std::runtime_error("the other one died in here");
        number = what;
        is_full = true;
        changed.notify_all(lock);
    }

    int take()
    {
        rialto::Guard guard(lock);
        if (changed.wait(guard, [&] { return is_full; }).owner_died())
            throw std::runtime_error("the other one died in here");
        is_full = false;
        changed.notify_all(lock);
        return number;
    }
};

int main()
{
    void* const memory = mmap(nullptr, sizeof(Mailbox), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    Mailbox& mailbox = *new (memory) Mailbox;
    if (fork() == 0) {
        for (int i = 0; i < 5; i++)
            mailbox.put(i);
        _exit(0);
    }
    std::printf("received");
    for (int i = 0; i < 5; i++)
        std::printf(" %d", mailbox.take());
    wait(nullptr);
    std::puts(", none lost");
}
