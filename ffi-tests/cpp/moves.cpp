/* What may be copied, what may be moved, and that what may not comes to its place all the same; how bytes are taken. */
#include "kit.hpp"

#include <array>
#include <memory>
#include <optional>

namespace {

using namespace rialto;

template <class T>
constexpr bool is_value = std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T> &&
                          std::is_default_constructible_v<T>;
template <class T>
constexpr bool is_pinned = !std::is_copy_constructible_v<T> && !std::is_move_constructible_v<T> &&
                           !std::is_copy_assignable_v<T> && !std::is_move_assignable_v<T>;
template <class T>
constexpr bool is_embeddable = is_pinned<T> && std::is_standard_layout_v<T> && std::is_trivially_destructible_v<T> &&
                               sizeof(T) == 64 && alignof(T) == 64;
template <class T>
constexpr bool is_moved_only = std::is_nothrow_move_constructible_v<T> && !std::is_copy_constructible_v<T>;

static_assert(is_value<Queue> && is_value<Spsc> && is_value<Pipe> && is_value<TrackedSemaphore> && is_value<Barrier>);
static_assert(is_value<Value<int>> && is_value<Array<int>> && is_value<List> && is_value<Dict> && is_value<Namespace>);
static_assert(is_pinned<Region> && is_pinned<Member> && is_pinned<Peeked> && is_pinned<Reserved>);
static_assert(is_pinned<Producer> && is_pinned<Consumer> && is_pinned<Connection>);
static_assert(is_pinned<Guard<Lock>> && is_pinned<Guard<Dict>>);
static_assert(is_embeddable<Lock> && is_embeddable<RLock> && is_embeddable<Event> && is_embeddable<Semaphore> &&
              is_embeddable<Condition>);
static_assert(is_moved_only<Permit> && is_moved_only<Producer::Room> && is_moved_only<Consumer::Message>);

// A bool is no status: `Status status = queue.try_push("x")` would be RIALTO_OK if the queue is full.
static_assert(std::is_convertible_v<int, Status> && !std::is_constructible_v<Status, bool>);
static_assert(!std::is_constructible_v<bool, Result<bool>> && std::is_constructible_v<bool, Result<int>>);

static_assert(!std::is_constructible_v<bytes_view, std::nullptr_t>);

Region made() { return Region::create_anonymous(1 << 17); }
Region handed_on() { return made(); }
Peeked taken(const Queue& queue)
{
    Queue copy = queue;
    return copy.peek();
}

struct Worker {
    Worker() : region(handed_on()), queue(Queue::create(region, "q", QueueConfig(4, 8))), member(region.join()) {}
    Region region;
    Queue queue;
    Member member;
};

} // namespace

void test_moves()
{
    void* base;
    {
        const Region gone = made();
        base = gone.base();
        {
            const Member member = gone.join();
            CHECK(gone.member_count() == 1);
        }
        CHECK(gone.member_count() == 0);
    }
    unsigned char page;
    CHECK(mincore(base, 1, &page) == -1 && errno == ENOMEM); // unmapped

    const char packet[] = {'a', 0, 'b', 0};
    const unsigned char raw[] = {'a', 0, 'b', 0};
    CHECK(bytes_view("a").size() == 1 && bytes_view(packet).size() == 1);
    CHECK(bytes_of(packet).size() == 4 && bytes_view(raw) == bytes_of(packet));

    Worker worker;
    CHECK(worker.region && worker.region.member_count() >= 1 && worker.member.id() > 0);
    const std::unique_ptr<Worker> other(new Worker);
    Queue moved = std::move(worker.queue), copy;
    CHECK(moved && worker.queue && !copy);
    throws(RIALTO_EINVAL, [&] { copy.push("x"); });
    copy = moved;
    copy.push("1");
    worker.queue.push("22");
    {
        const Peeked job = taken(moved), next = taken(copy);
        CHECK(job.text() == "1" && next.text() == "22");
    }
    CHECK(taken(copy).attempt() == 1);
    std::vector<Queue> queues(3, copy);
    queues.push_back(other->queue);
    for (int n = 0; n < 9; n++)
        queues.push_back(copy);
    CHECK(queues[12].len() == 2 && queues[3].is_empty());
    const std::unique_ptr<Region> region(new Region(made()));
    CHECK(Queue::create(*region, "q", QueueConfig(4, 8)));

    auto spsc = Spsc::create(*region, "s", SpscConfig(4, 8));
    struct Ends {
        Producer producer;
        Consumer consumer;
    } ends{spsc.producer(), spsc.consumer()};
    ends.producer.push("x");
    CHECK(ends.consumer.peek().text() == "x");
    CHECK(ends.consumer.peek().attempt() == 1); // the one before went away unreleased
    auto connection = Pipe::create(*region, "p", PipeConfig(1024)).connect(0); // the Pipe is gone
    connection.send("x");
    std::optional<Permit> permit;
    permit.emplace(TrackedSemaphore::create(*region, "t", 1).acquire());
    CHECK(*permit);

    // Bytes.
    const char literal[] = "text";
    const std::array<std::uint32_t, 2> words{1, 2};
    const int numbers[] = {1, 2, 3};
    CHECK(bytes_view(literal).size() == 4 && bytes_view("").size() == 0 && bytes_view().empty());
    CHECK(bytes_view(std::string("a\0b", 3)).size() == 3 && bytes_view(std::string_view("ab")).text() == "ab");
    CHECK(bytes_view(words).size() == 8 && bytes_view(numbers).size() == 12);
    CHECK(bytes_view(words).as<std::uint64_t>() == (std::uint64_t(2) << 32 | 1) && bytes_view("a").as<int>() == 'a');
    const std::array<unsigned char, 4> ones{255, 255, 255, 255};
    CHECK(bytes_view(ones).as<std::uint32_t>() == UINT32_MAX && bytes_view(ones).as<std::uint16_t>() == UINT16_MAX);
    CHECK(bytes_view(ones.data(), 2).as<std::uint32_t>() == UINT16_MAX);
    CHECK(bytes_view("ab") == bytes_view(std::string("ab")) && bytes_view("ab") != bytes_view("ac"));
#ifdef __cpp_lib_span
    int mutable_numbers[3] = {};
    const std::span<const int> span(numbers);
    CHECK(bytes_view(span).size() == 12 && bytes_span(std::span<int>(mutable_numbers)).size() == 12);
    const std::span<const std::byte> bytes = bytes_view("abc");
    const std::span<std::byte> writable = bytes_span(mutable_numbers);
    CHECK(bytes.size() == 3 && writable.size() == 12);
#endif

    // Statuses.
    CHECK(Status(RIALTO_OK) && Status(RIALTO_OWNER_DIED).owner_died() && !Status(RIALTO_EPIPE));
    CHECK(make_error_code(RIALTO_ETIMEDOUT) == std::errc::timed_out && Status(RIALTO_EBROKEN).message()[0] != 0);
    CHECK(make_error_code(RIALTO_EBADREGION) != std::errc::timed_out && category().name() == std::string("rialto"));
    CHECK(Result<int>(RIALTO_ENOENT, 1).value_or(2) == 2 && Result<int>(RIALTO_OK, 1).value_or(2) == 1);
    try {
        (void)Region::attach_named("rialto-cpp-no-such-region");
        CHECK(false);
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::no_such_file_or_directory);
    }
}
