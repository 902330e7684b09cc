/* Processes: one that counts, and one that is killed. They run functions of this program, which main() lists first of all.
 *
 *   g++ -std=c++17 process.cpp $(pkg-config --cflags --libs rialto) -o process
 */
#include <rialto.hpp>

#include <algorithm>
#include <cstdio>
#include <unistd.h>

static int count(const rialto::Child& child)
{
    const std::string_view text = child.args().text();
    return static_cast<int>(std::count(text.begin(), text.end(), ' ')) + 1;
}

static void sleep_long(const rialto::Child&)
{
    for (;;)
        pause();
}

static const rialto_entry_t entries[] = {
    rialto::entry<count>("count"),
    rialto::entry<sleep_long>("sleep"),
};

int main()
{
    rialto::process_main(entries); // a child ends in here
    auto counter = rialto::Process::start("count", rialto::ProcessConfig().with_args("what a child is told"));
    auto sleeper = rialto::Process::start("sleep", rialto::ProcessConfig().daemon()); // would not outlive us
    sleeper.kill();
    const int words = counter.join(), how = sleeper.join(); // negative: the signal
    std::printf("counted %d; killed by signal %d\n", words, -how);
}
