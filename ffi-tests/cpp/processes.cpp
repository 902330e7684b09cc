/* Processes and pools of the C++ header, with and without exceptions: it starts itself, so process_main comes first. */
#include "kit.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <string>

using rialto::nothrow;

static int run_exit(const rialto::Child& child)
{
    watchdog();
    CHECK(child.entry() == "exit" && child.fds().size() == 0 && !child.is_daemon());
    CHECK(rialto::current_process().name == child.name() && rialto::current_process().pid == getpid());
    CHECK(rialto::Parent::pid(nothrow).value_or(0) > 0 && *rialto::Parent::is_alive(nothrow));
    CHECK(rialto::Parent::join_for(1ms, nothrow) == RIALTO_ETIMEDOUT && rialto::Parent::sentinel(nothrow));
    return child.args().as<int>();
}

static void run_nothing(const rialto::Child&) {}

static void run_sleep(const rialto::Child& child)
{
    watchdog();
    CHECK(write(child.fds()[0], "!", 1) == 1);
    await_death();
}

#ifndef RIALTO_NO_EXCEPTIONS
static int run_throws(const rialto::Child&)
{
    CHECK(std::freopen("/dev/null", "w", stderr) != nullptr);
    throw std::runtime_error("why");
}
#endif

static int shout(rialto::bytes_view task, rialto::Output& output)
{
    for (char c : task.text()) {
        const char upper = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
        if (!output.write(rialto::bytes_view(&upper, 1), nothrow))
            break;
    }
    return 0;
}

static int refuse(rialto::bytes_view, rialto::Output& output)
{
    CHECK(output.write("forgotten", nothrow));
    output.clear();
    CHECK(output.write("no", nothrow));
    return 7;
}

static void die(rialto::bytes_view, rialto::Output&) { raise(SIGKILL); }

static void hang(rialto::bytes_view, rialto::Output&) { await_death(); }

#ifndef RIALTO_NO_EXCEPTIONS
static int throws_long(rialto::bytes_view task, rialto::Output& output)
{
    output.write("forgotten");
    if (task.empty())
        throw 1;
    throw std::runtime_error(std::string(100, 'x'));
}
static void throws_own(rialto::bytes_view task, rialto::Output& output)
{
    for (;;)
        output.write(task);
}
#endif

static void run_worker(const rialto::Child& child)
{
    static const rialto_function_t functions[] = {
        rialto::function<shout>("shout"), rialto::function<refuse>("refuse"),
        rialto::function<die>("die"),     rialto::function<hang>("hang"),
#ifndef RIALTO_NO_EXCEPTIONS
        rialto::function<throws_long>("throws"), rialto::function<throws_own>("throws own"),
#endif
    };
    auto region = rialto::Region::attach_fd(child.fds()[0]);
    CHECK(rialto::pool_work(child, region, functions, nothrow));
}

static const rialto_entry_t entries[] = {
    rialto::entry<run_exit>("exit"),     rialto::entry<run_nothing>("nothing"), rialto::entry<run_sleep>("sleep"),
    rialto::entry<run_worker>("worker"),
#ifndef RIALTO_NO_EXCEPTIONS
    rialto::entry<run_throws>("throws"),
#endif
};

/** Whether that pid is one of a process, or a zombie. */
static bool is_there(pid_t pid) { return kill(pid, 0) == 0; }

static void processes(const rialto::ProcessConfig& how)
{
    const int code = 300;
    auto config = how;
    auto exits = rialto::Process::start("exit", config.with_args(rialto::bytes_of(code)).with_name("one"), nothrow);
    CHECK(exits && exits.join(nothrow).value_or(-1) == 300 % 256 && exits.exit_code(nothrow).value_or(-1) == 300 % 256);
    CHECK(!exits.is_alive(nothrow).value_or(true) && exits.kill(nothrow) && exits.close(nothrow) && !exits);
    CHECK(exits.close(nothrow) == RIALTO_EINVAL);
    auto nothing = rialto::Process::start("nothing", how, nothrow);
    CHECK(nothing.join_for(50s, nothrow).value_or(-1) == 0);

    gate asleep;
    gate_make(&asleep);
    pid_t gone[2];
    {
        config = how;
        config.with_fd(asleep.ends[1]);
        auto killed = rialto::Process::start("sleep", config, nothrow);
        gate_pass(&asleep);
        CHECK(!killed.exit_code(nothrow) && killed.exit_code(nothrow).status() == RIALTO_EAGAIN);
        CHECK(!killed.join_for(2ms, nothrow) && *killed.is_alive(nothrow) && killed.close(nothrow) == RIALTO_EBUSY);
        gone[0] = killed.pid(nothrow).value_or(0);
        pollfd asked = {killed.sentinel(nothrow).value_or(-1), POLLIN, 0};
        CHECK(poll(&asked, 1, 0) == 0 && killed.signal(0, nothrow) && killed.terminate(nothrow));
        CHECK(poll(&asked, 1, 50000) == 1 && killed.join(nothrow).value_or(0) == -SIGTERM);
        auto daemon = rialto::Process::start("sleep", config.daemon(), nothrow);
        gate_pass(&asleep);
        gone[1] = daemon.pid(nothrow).value_or(0);
        CHECK(gone[0] > 0 && gone[1] > 0 && is_there(gone[1]));
    } // the daemon is killed
    CHECK(!is_there(gone[0]) && !is_there(gone[1]));
    close(asleep.ends[0]);
    close(asleep.ends[1]);
#ifndef RIALTO_NO_EXCEPTIONS
    throws(RIALTO_EINVAL, [&] { rialto::Process::start("", how); });
    auto thrower = rialto::Process::start("throws", how);
    CHECK(thrower.join() == RIALTO_EXIT_PANICKED);
    auto running = rialto::Process::start("nothing", how);
    CHECK(running.join_for(50s) && running.exit_code());
    running.close();
    throws(RIALTO_EINVAL, [&] { running.join(); });
#endif
}

static void forked()
{
    const std::string seen = "seen";
    auto child = rialto::Process::fork(
        [&](const rialto::Child& me) {
            CHECK(me.entry().empty() && me.name().empty());
            return static_cast<int>(seen.size());
        },
        {}, nothrow);
    CHECK(child.join(nothrow).value_or(-1) == 4);
#ifndef RIALTO_NO_EXCEPTIONS
    CHECK(rialto::Process::fork([](const rialto::Child&) {
              CHECK(std::freopen("/dev/null", "w", stderr) != nullptr);
              throw 1;
          }).join() == RIALTO_EXIT_PANICKED);
#endif
    // A forked child has its parent's views, and they do nothing there.
    auto other = rialto::Process::fork(
        [&](const rialto::Child&) {
            CHECK(child.join(nothrow).status() == RIALTO_EPERM && !child.is_alive(nothrow).value_or(true));
            return child.close(nothrow) == RIALTO_EPERM ? 0 : 1;
        },
        {}, nothrow);
    CHECK(other.join(nothrow).value_or(-1) == 0);
}

static void pools()
{
    auto region = rialto::Region::create_memfd(1 << 20);
    const int fd = region.fd(nothrow).value_or(-1);
    int starts = 0;
    const auto start = [&](const rialto::Hire& hire) {
        CHECK(hire.args().size() > 0);
        starts++;
        return hire.start("worker", rialto::ProcessConfig().with_fd(fd).daemon());
    };
    rialto::PoolConfig config(2);
    config.retries = 1;
    config.max_task_bytes = config.max_result_bytes = 64;
    config.slots = 4;
    CHECK(config.timeout(2s).timeout_ns == 2000000000 && *config.bytes(nothrow) > 512);
    auto pool = rialto::Pool::create(region, "pool", config, start, nothrow);
    CHECK(pool && starts == 2);
    CHECK(rialto::Pool::create(region, "pool", config, start, nothrow).status() == RIALTO_EEXIST);

    auto shouted = pool.apply("shout", "hello", nothrow);
    CHECK(shouted.done() && shouted.text() == "HELLO" && shouted.attempt() == 0 && shouted.code() == 0);
    auto refused = pool.apply_for("refuse", "", 50s, nothrow);
    CHECK(refused && !refused.done() && refused.outcome() == RIALTO_TASK_FAILED);
    CHECK(refused.code() == 7 && refused.text() == "no");
    auto large = pool.apply("shout", std::string(65, 'x'), nothrow);
    CHECK(large == RIALTO_EMSGSIZE);
    const auto first = pool.submit("die", "", nothrow);
    auto died = pool.wait(*first, nothrow);
    CHECK(died.outcome() == RIALTO_TASK_DIED && died.attempt() == 2 && died.task() == *first && died.result().empty());
    CHECK(pool.wait(*first, nothrow) == RIALTO_ENOENT && pool.next(nothrow) == RIALTO_ENOENT);
    CHECK(pool.apply("hang", "", nothrow).outcome() == RIALTO_TASK_TIMED_OUT);
    CHECK(pool.apply("no such", "", nothrow).outcome() == RIALTO_TASK_NO_FUNCTION && pool.tend(nothrow));

    const auto hanging = pool.submit("hang", "", nothrow);
    CHECK(!pool.wait_for(*hanging, 1ms, nothrow) && !pool.next_for(rialto::Timeout::poll(), nothrow));
    CHECK(*pool.cancel(*hanging, nothrow) && !*pool.cancel(*hanging, nothrow));
    CHECK(pool.next(nothrow).outcome() == RIALTO_TASK_CANCELLED);

    const rialto_message_t items[] = {rialto::message("a"), rialto::message("bc"), rialto::message("d")};
    std::string all;
    CHECK(pool.map("shout", items, 2, [&](const rialto::Report& report) { all += report.text(); }, nothrow));
    CHECK(all == "ABCD");
    std::uint64_t sum = 0;
    CHECK(pool.map_unordered("shout", items, 1, [&](const rialto::Report& it) { sum += it.task(); }, nothrow));
    CHECK(sum == 0 + 1 + 2);
    const auto progress = rialto::Pool::progress(region, "pool", nothrow);
    CHECK(progress->workers == 2 && progress->ended == progress->submitted && progress->redone >= 1);
#ifndef RIALTO_NO_EXCEPTIONS
    auto thrown = pool.apply("throws", "x");
    CHECK(thrown.outcome() == RIALTO_TASK_FAILED && thrown.code() == RIALTO_EXIT_PANICKED);
    CHECK(thrown.text() == std::string(50, 'x'));
    CHECK(pool.apply("throws", "").text() == "an exception");
    const auto own = pool.apply("throws own", "12345"); // what write() threw: 13 times 5 do not fit
    CHECK(own.outcome() == RIALTO_TASK_TOO_LARGE && own.native().result_bytes == 65 && own.result().empty());
    throws(RIALTO_ENOENT, [&] { (void)pool.wait(*first); });
    throws(RIALTO_ENOENT, [&] { rialto::Pool::progress(region, "other"); });
    int seen = 0;
    bool is_caught = false;
    try {
        pool.map("shout", items, 1, [&](const rialto::Report&) {
            seen++;
            throw 5;
        });
    } catch (int five) {
        is_caught = five == 5;
    }
    CHECK(is_caught && seen == 1 && pool.apply("shout", "y").text() == "Y");
    throws(RIALTO_EAGAIN, [&] {
        rialto::Pool::create(region, "never", config,
                             [](const rialto::Hire&) -> rialto::Status { throw rialto::error(RIALTO_EAGAIN); });
    });
#endif
    auto forked = rialto::Process::fork(
        [&](const rialto::Child&) {
            CHECK(pool.close(nothrow) == RIALTO_EPERM && pool.terminate(nothrow) == RIALTO_EPERM);
            CHECK(pool.submit("shout", "", nothrow).status() == RIALTO_EPERM && pool.end(nothrow) == RIALTO_EPERM);
            return 0;
        },
        {}, nothrow);
    CHECK(forked.join(nothrow).value_or(-1) == 0);
    CHECK(pool.join(nothrow) == RIALTO_EBUSY && pool.close(nothrow) && pool.join_for(50s, nothrow));
    CHECK(pool.submit("shout", "", nothrow).status().closed() && pool.join(nothrow));
    CHECK(pool.terminate(nothrow) && pool.end(nothrow) && !pool && pool.end(nothrow) == RIALTO_EINVAL);
    pid_t worker = 0;
    {
        auto fork_pool = rialto::Pool::create(
            region, "pool", rialto::PoolConfig(1).with_initializer("shout", "x"),
            [&](const rialto::Hire& hire) {
                return hire.fork(run_worker, rialto::ProcessConfig().with_fd(fd).daemon());
            },
            nothrow);
        CHECK(fork_pool && fork_pool.apply("shout", "x", nothrow).text() == "X");
        worker = static_cast<pid_t>(rialto::Pool::progress(region, "pool", nothrow)->worker[0].pid);
        CHECK(is_there(worker));
    } // terminated and removed
    CHECK(!is_there(worker) && rialto::Pool::progress(region, "pool", nothrow).status() == RIALTO_ENOENT);
}

int main()
{
    CHECK(rialto::process_main(entries, nothrow));
    watchdog();
    CHECK(rialto::process_main(nothrow) == RIALTO_EEXIST && rialto::process_main(entries, nothrow));
    CHECK(rialto::Parent::pid(nothrow).status() == RIALTO_ENOENT && rialto::Parent::join(nothrow) == RIALTO_ENOENT);
    CHECK(rialto::current_process().name == std::string("MainProcess"));
    {
        auto server = rialto::ForkServer::start(nothrow);
        CHECK(server && *server.pid(nothrow) > 0);
        processes(rialto::ProcessConfig());
        processes(rialto::ProcessConfig().fork());
        processes(rialto::ProcessConfig().by(server));
        // It notices its children's ends by itself.
        while (server.stop(nothrow) == RIALTO_EBUSY)
            usleep(1000);
        CHECK(!server && server.stop(nothrow) == RIALTO_EINVAL);
        auto other = rialto::ForkServer::start("/proc/self/exe", nullptr, nothrow);
        CHECK(other && other.kill(nothrow) && other.kill(nothrow) == RIALTO_EINVAL);
    }
    processes(rialto::ProcessConfig().spawn("/proc/self/exe").only_fds());
    CHECK(!rialto::Process::start("exit", rialto::ProcessConfig().spawn("/no/such"), nothrow));
    forked();
    pools();
    std::puts("ok");
}
