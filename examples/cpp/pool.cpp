/* A pool: workers that divide tasks. What a function throws is its task's failure, and the others go on.
 *
 *   g++ -std=c++17 pool.cpp $(pkg-config --cflags --libs rialto) -o pool
 */
#include <rialto.hpp>

#include <cctype>
#include <cstdio>
#include <stdexcept>

static void shout(rialto::bytes_view task, rialto::Output& result)
{
    std::string text(task.text());
    for (char& letter : text) {
        if (letter == '4')
            throw std::invalid_argument("not a word");
        letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    }
    result.write(text);
}

/* In the workers. */
static void work(const rialto::Child& child)
{
    static const rialto_function_t functions[] = {rialto::function<shout>("shout")};
    auto region = rialto::Region::attach_fd(child.fds()[0]);
    rialto::pool_work(child, region, functions);
}

static const rialto_entry_t entries[] = {rialto::entry<work>("work")};

int main()
{
    rialto::process_main(entries); // a worker ends in here
    auto region = rialto::Region::create_memfd(1 << 20);
    const int fd = region.fd();
    auto pool = rialto::Pool::create(region, "shouters", rialto::PoolConfig(2), [&](const rialto::Hire& hire) {
        return hire.start("work", rialto::ProcessConfig().with_fd(fd).daemon());
    });
    const rialto_message_t words[] = {rialto::message("one"), rialto::message("two"), rialto::message("three")};
    std::string all;
    pool.map("shout", words, 1, [&](const rialto::Report& report) {
        all += (all.empty() ? "" : " ") + std::string(report.text());
    });
    auto four = pool.apply("shout", "4");
    std::printf("%s; four: %s\n", all.c_str(), four.done() ? "shouted" : std::string(four.text()).c_str());
}
