/* A pool of workers around a parser that must not be trusted: an input that crashes it kills one process, which is
 * replaced. Another worker gets the input, for that might have been an accident; after three deaths it is put in
 * quarantine. All other inputs are parsed all the same.
 *
 *   g++ -std=c++17 parser_pool.cpp $(pkg-config --cflags --libs rialto) -o parser_pool
 */
#include <rialto.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

constexpr std::uint32_t workers = 4, inputs = 200, longest = 64;

/* An input: its number, and text from who knows where. */
struct Input {
    std::uint32_t number;
    char text[longest];
};

/* "key=number" -> number. Has a bug, as parsers have: where there is no '=', it writes to address 0. */
static long parse(char* text)
{
    char* const value = std::strchr(text, '=');
    *value = '\0';
    return std::strtol(value + 1, nullptr, 10);
}

/* A worker. The result is kept by the input's number, so who does an input again (because somebody was killed between
 * set and release) does not count it twice: "at least once" has become "exactly once". */
static void work(const rialto::Queue& queue, const rialto::Dict& results)
{
    while (rialto::Peeked job = queue.peek()) {
        Input input = job.bytes().as<Input>(); // a copy: nobody changes it while it is parsed
        input.text[longest - 1] = '\0';
        const long result = parse(input.text); // killed in here: the input goes back to the queue
        results.set(rialto::bytes_of(input.number), rialto::bytes_of(result));
        job.release();
    }
}

static void start_worker(const rialto::Queue& queue, const rialto::Dict& results)
{
    const pid_t pid = fork();
    if (pid != 0)
        return;
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    try {
        work(queue, results);
        _exit(0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "worker: %s\n", error.what());
        _exit(1);
    }
}

int main()
{
    auto region = rialto::Region::create_anonymous(1 << 20);
    auto queue = rialto::Queue::create(region, "inputs", rialto::QueueConfig(256, sizeof(Input)).attempts(2));
    auto results = rialto::Dict::create(region, "results", 256, sizeof(std::uint32_t), sizeof(long));
    for (std::uint32_t number = 0; number < inputs; number++) {
        Input input = {number, ""};
        std::snprintf(input.text, sizeof input.text, number % 80 == 7 ? "evil" : "key=%u", 2 * number);
        queue.push(rialto::bytes_of(input));
    }
    queue.close();

    for (std::uint32_t i = 0; i < workers; i++)
        start_worker(queue, results);
    int deaths = 0, failures = 0, how;
    while (wait(&how) > 0)
        if (WIFSIGNALED(how)) {
            deaths++;
            start_worker(queue, results);
        } else {
            failures += WEXITSTATUS(how) != 0;
        }

    int quarantined = 0;
    Input bad;
    std::printf("quarantined:");
    for (; queue.take_poisoned(rialto::bytes_into(bad)); quarantined++)
        std::printf(" %u \"%s\"", static_cast<unsigned>(bad.number), bad.text);
    long result = 0;
    bool is_right = failures == 0 && queue.is_empty();
    for (std::uint32_t number = 0; number < inputs; number++)
        if (results.get(rialto::bytes_of(number), rialto::bytes_into(result)))
            is_right = is_right && result == 2 * static_cast<long>(number);
        else
            is_right = is_right && number % 80 == 7;
    std::printf("\n%u inputs: %zu results, each %s; %d quarantined; %d workers died\n", static_cast<unsigned>(inputs),
                results.len(), is_right ? "once" : "wrong", quarantined, deaths);
    return is_right ? 0 : 1;
}
