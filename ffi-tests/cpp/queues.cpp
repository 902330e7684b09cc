/* Queues, pipes, permits and barriers between C++ processes: messages, redelivery after a kill, what goes back when an
 * exception passes, ends and outcomes. */
#include "kit.hpp"

#include <array>
#include <set>

namespace {

using rialto::Peeked;
using rialto::Popped;
using rialto::Queue;
using rialto::QueueConfig;
using rialto::Region;

struct Job {
    int number;
    char name[12];
};

void messages_across_processes(const Region& region)
{
    auto queue = Queue::create(region, "jobs", QueueConfig(16, 64));
    const pid_t producer = child([&] {
        auto there = Queue::open_as(region, "jobs", QueueConfig(16, 64));
        for (int i = 0; i < 100; i++)
            there.push(rialto::bytes_of(Job{i, "job"}));
        there.close();
    });
    int next = 0;
    for (Peeked& job : queue.messages()) {
        const Job got = job.bytes().as<Job>();
        CHECK(got.number == next++ && std::string(got.name) == "job" && !job.status().redelivered());
        job.release();
    }
    CHECK(next == 100 && queue.is_closed() && queue.is_empty());
    reap(producer);
    throws<rialto::closed>(RIALTO_EPIPE, [&] { queue.push("late"); });
    throws<rialto::closed>(RIALTO_EPIPE, [&] { (void)queue.try_push("late"); });
    throws<rialto::closed>(RIALTO_EPIPE, [&] { (void)queue.reserve(4); });
    char buffer[64];
    CHECK(queue.pop(buffer).closed() && queue.try_peek().status().closed() && queue.peek_for(1h).status().closed());
    region.remove("jobs");
}

void redelivery(const Region& region)
{
    auto queue = Queue::create(region, "risky", QueueConfig(8, 64).attempts(2));
    queue.push("bad");
    for (unsigned death = 0; death < 3; death++)
        killed_after([&] {
            Peeked job = queue.peek_for(30s);
            CHECK(job && job.text() == "bad" && job.attempt() == death);
            CHECK(job.status().redelivered() == (death > 0));
            char begin[2];
            CHECK(job.copy(begin) == 2 && begin[1] == 'a');
        });
    (void)region.recover();
    CHECK(queue.poisoned() == 1 && !queue.try_peek());
    std::string buffer(64, '-');
    const Popped bad = queue.take_poisoned(buffer);
    CHECK(bad && bad.text() == "bad" && bad.attempt() == 3 && bad.redelivered());
    CHECK(queue.take_poisoned(buffer).not_now());

    // One that the loop did not release comes again.
    auto skipped = Queue::create(region, "skipped", QueueConfig(4, 8));
    skipped.push("x");
    skipped.close();
    unsigned times = 0;
    for (Peeked& job : skipped.messages()) {
        CHECK(job.attempt() == times);
        if (times++ == 1)
            job.release();
    }
    CHECK(times == 2);

    // An exception passes a message in hand.
    queue.push("again");
    try {
        Peeked job = queue.peek();
        throw 1;
    } catch (int) {
    }
    Peeked job = queue.try_peek();
    CHECK(job.text() == "again" && job.attempt() == 1);
    job.release();
    CHECK(!job && job.bytes().empty() && job.release(rialto::nothrow) == RIALTO_EINVAL);
    throws(RIALTO_EINVAL, [&] { job.abandon(); });
    throws(RIALTO_EMSGSIZE, [&] { queue.push(std::string(65, 'x')); });
    throws(RIALTO_ENOBUFS, [&] {
        char small[3];
        queue.push("x");
        (void)queue.pop(small);
    });
    region.remove("risky");
}

void the_rest_of_a_queue(const Region& region)
{
    auto queue = Queue::open_or_create(region, "rest", QueueConfig(4, 16).joinable());
    CHECK(queue.capacity() == 4 && queue.max_message_bytes() == 16 && queue.config().flags == RIALTO_QUEUE_JOINABLE);
    CHECK(queue.config().layout().align == 128 && queue.tick() == 100ms);
    std::array<char, 16> buffer;
    CHECK(queue.try_pop_ticket(buffer).not_now() && queue.pop_ticket_for(buffer, 1ms) == RIALTO_ETIMEDOUT);
    CHECK(queue.try_peek().status() == RIALTO_EAGAIN && queue.peek_for(1ms).status() == RIALTO_ETIMEDOUT);
    queue.push(std::vector<std::uint16_t>{1, 2, 3});
    CHECK(queue.try_push("second") && queue.push_for("third", 1s));
    const std::array<int, 2> numbers{7, 8};
    CHECK(queue.try_push(numbers) && !queue.try_push("full") && !queue.push_for("full", 1ms) && queue.is_full());
    CHECK(queue.try_push("full", rialto::nothrow) == RIALTO_EAGAIN);
    CHECK(queue.len() == 4 && !queue.join_for(1ms) && queue.unfinished() == 4 && queue.dropped() == 0);
    const Popped first = queue.pop_ticket(buffer);
    CHECK(first.size() == 6 && first.bytes()[2] == std::byte{2});
    queue.give_back(first.ticket());
    throws(RIALTO_EPERM, [&] { queue.task_done(first.ticket()); });
    while (Popped message = queue.try_pop_ticket(buffer)) {
        if (message.size() == 8)
            CHECK(message.bytes().as<int>() == 7 && message.bytes() == rialto::bytes_view(numbers));
        queue.task_done(message.ticket());
    }
    queue.join();
    throws(RIALTO_EINVAL, [&] { (void)queue.try_pop(buffer); });

    auto plain = Queue::create(region, "plain", QueueConfig(4, 16).indexed().kill_only());
    CHECK(*plain.push_many({rialto::message("a"), rialto::message("bc"), rialto::message("")}) == 3);
    CHECK(*plain.try_push_many({rialto::message("d"), rialto::message("e")}) == 1);
    CHECK(plain.push_many_for({rialto::message("f")}, 1ms) == RIALTO_ETIMEDOUT);
    char many[64];
    rialto_popped_t popped[3];
    CHECK(*plain.pop_many(many, popped) == 3 && popped[1].length_bytes == 2 && many[16] == 'b');
    CHECK(*plain.pop_many_for(many, popped, 1s) == 1 && plain.try_pop_many(many, popped).not_now());
    {
        rialto::Reserved room = plain.reserve(8);
        room.write("12345678");
        room.bytes()[0] = std::byte{'x'};
        room.truncate(3);
        room.commit();
        CHECK(!room && room.commit(rialto::nothrow) == RIALTO_EINVAL);
        rialto::Reserved unsent = plain.try_reserve(1), later = plain.reserve_for(1, 1s);
        CHECK(later.try_commit());
    }
    CHECK(plain.pop(many).text() == "x23" && plain.try_pop(many).size() == 1 && plain.pop_for(many, 1ms).not_now());
    for (int i = 0; i < 8; i++) {
        rialto::Reserved unsent = plain.try_reserve(1);
        CHECK(unsent); // that before has given its room back
    }
    bool is_ready = plain.arm_data() || plain.recheck_data();
    CHECK(!is_ready && plain.arm_space() && plain.recheck_space());
    plain.set_data_fd(-1);
    plain.set_space_fd(-1);

    auto member = region.join();
    auto as = plain.as_member(member);
    CHECK(member.id() != 0);
    as.push("as");
    throws(RIALTO_EBUSY, [&] {
        Peeked job = as.peek();
        member.leave();
    });
    CHECK(as.pop(many).text() == "as");
    member.leave();
    CHECK(!member);
    auto none = Queue::open(region, "none", rialto::nothrow);
    CHECK(!none && none.status() == RIALTO_ENOENT && none.push("x", rialto::nothrow) == RIALTO_EINVAL);
    CHECK(Queue::create_for(region, "rest", QueueConfig(1, 1), 1s, rialto::nothrow).status() == RIALTO_EEXIST);
}

void one_to_one(const Region& region)
{
    auto spsc = rialto::Spsc::create(region, "spsc", rialto::SpscConfig(8, 32));
    const pid_t pid = child([&] {
        auto producer = spsc.producer();
        for (int i = 0; i < 50; i++)
            producer.push(rialto::bytes_of(i));
        {
            auto room = producer.reserve(16);
            room.bytes()[0] = std::byte{'z'};
            auto moved = std::move(room);
            CHECK(room.bytes().size() == 0);
            throws(RIALTO_EBUSY, [&] { producer.push("x"); });
            moved.commit(1);
            auto unsent = producer.try_reserve(4);
        }
        CHECK(*producer.push_many({rialto::message("p"), rialto::message("q")}) == 2);
        spsc.close();
    });
    {
        auto consumer = spsc.consumer_for(10s);
        throws(RIALTO_EUSERS, [&] { (void)spsc.consumer(); });
        std::array<int, 8> numbers{};
        for (int i = 0; i < 50; i++)
            CHECK(consumer.pop_for(numbers, 10s).size() == sizeof i && numbers[0] == i);
        auto message = consumer.peek();
        CHECK(message.text() == "z");
        auto moved = std::move(message);
        CHECK(message.bytes().empty() && moved.text() == "z");
        moved.give_back();
        CHECK(consumer.poisoned() == 0);
    }
    auto consumer = spsc.consumer();
    {
        auto message = consumer.peek_for(10s);
        CHECK(message.text() == "z" && message.attempt() == 1 && message.redelivered());
        char letter;
        CHECK(message.copy(rialto::bytes_into(letter)) == 1 && letter == 'z');
        message.release();
    }
    reap(pid);
    char buffer[32];
    CHECK(consumer.pop(buffer).text() == "p" && consumer.try_pop(buffer).text() == "q");
    CHECK(consumer.peek().closed() && consumer.try_peek().closed() && consumer.pop(buffer).closed());
    consumer.end();
    CHECK(!consumer && consumer.try_pop(buffer, rialto::nothrow) == RIALTO_EINVAL);
}

void pipes(const Region& region)
{
    auto pipe = rialto::Pipe::create(region, "pipe", rialto::PipeConfig(4096));
    CHECK(pipe.is_duplex() && pipe.ring_bytes() >= 4096);
    auto here = pipe.connect(0);
    const pid_t pid = child([&] {
        auto there = pipe.connect(1);
        char buffer[64];
        while (Popped message = there.recv(buffer))
            there.send(std::string(message.text()) + "!");
    });
    here.send("hello");
    std::string buffer(64, '-');
    CHECK(here.poll(30s) && *here.next_len() == 6 && here.recv(buffer).text() == "hello!");
    CHECK(here.try_recv(buffer).not_now() && !here.next_len() && here.recv_for(buffer, 1ms) == RIALTO_ETIMEDOUT);
    CHECK(!here.is_peer_closed() && here.try_send("x") && here.recv_for(buffer, 10s).text() == "x!");
    throws(RIALTO_EUSERS, [&] { (void)pipe.connect(0); });
    here.close();
    CHECK(!here);
    reap(pid);

    auto way = rialto::Pipe::create(region, "way", rialto::PipeConfig(4096).one_way().longest(100));
    auto end = way.connect(0);
    throws(RIALTO_ENOTSUP, [&] { end.send("x"); });
    killed_after([&] {
        auto sender = way.connect(1);
        sender.send("last");
    });
    CHECK(end.recv(buffer).text() == "last" && end.recv(buffer).closed());
}

void permits_and_barriers(const Region& region)
{
    auto semaphore = rialto::TrackedSemaphore::create(region, "permits", 2);
    killed_after([&] { semaphore.acquire().disown(); });
    {
        rialto::Permit one = semaphore.acquire(), two = semaphore.try_acquire_for(30s); // the dead one's
        CHECK(one && two && !semaphore.try_acquire() && semaphore.value() == 0);
        rialto::Permit moved = std::move(one);
        CHECK(!one && moved);
        two = std::move(moved); // what two had goes back
        CHECK(semaphore.value() == 1);
        const std::uint64_t number = two.disown();
        rialto::Permit adopted(semaphore, number);
        adopted.release();
        CHECK(adopted.release(rialto::nothrow) == RIALTO_EPERM && semaphore.value() == 2);
    }
    CHECK(semaphore.value() == 2 && semaphore.bound() == 2);

    auto barrier = rialto::Barrier::create(region, "barrier", 2);
    const pid_t pid = child([&] { CHECK(barrier.wait() < 2); });
    CHECK(barrier.wait() < 2);
    reap(pid);
    auto alone = rialto::Barrier::create(region, "alone", 1);
    int actions = 0;
    CHECK(*alone.wait_action([&] { actions++; }) == 0 && actions == 1);
    bool has_thrown = false;
    try {
        (void)alone.wait_action([]() { throw std::string("action"); });
    } catch (const std::string& thrown) {
        has_thrown = thrown == "action";
    }
    CHECK(has_thrown && alone.is_broken());
    throws<rialto::broken>(RIALTO_EBROKEN, [&] { (void)alone.wait(); });
    alone.reset();
    throws<rialto::broken>(RIALTO_EBROKEN, [&] { (void)alone.wait_action([] { return false; }); });
    CHECK(barrier.parties() == 2 && !barrier.wait_for(1ms) && barrier.is_broken());
    barrier.reset();
    barrier.register_party();
    barrier.unregister_party();
    barrier.abort();
    CHECK(barrier.n_waiting() == 0);
}

} // namespace

void test_queues()
{
    auto region = Region::create_memfd(1 << 20);
    messages_across_processes(region);
    redelivery(region);
    the_rest_of_a_queue(region);
    one_to_one(region);
    pipes(region);
    permits_and_barriers(region);
    std::set<std::string> names;
    for (const rialto_object_info_t& info : region.objects())
        names.insert(reinterpret_cast<const char*>(info.name));
    CHECK(names.count("spsc") == 1 && names.count("barrier") == 1 && names.count("jobs") == 0);
    CHECK(region.space().free > 0 && region.size() == 1 << 20 && region.member_count() >= 1);
    auto elsewhere = Region::attach_fd(region.fd());
    CHECK(elsewhere.base() != region.base());
    elsewhere.detach();
    CHECK(!elsewhere && elsewhere.detach(rialto::nothrow) == RIALTO_EINVAL);
    throws(RIALTO_EBUSY, [&] {
        auto permit = rialto::TrackedSemaphore::open(region, "permits").acquire();
        region.detach();
    });
    region.leave();
}
