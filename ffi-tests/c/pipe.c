/* Pipes between C processes: whole messages both ways, long ones in chunks; the other end closed, or killed
 * while we sleep; one way only; event loops; every status. */
#include "memory.h"

#include <sys/eventfd.h>

enum { RING = 1024, CHUNK = RING / 2 - 8, LONG = 100000 };

static rialto_region_t region;
static char out[LONG], in[LONG];

/* A pipe of RING bytes each way, whose end 0 is ours. */
static void make(const char *name, uint32_t flags, rialto_pipe_t *pipe, rialto_connection_t *mine)
{
    rialto_pipe_config_t config;
    EXPECT(rialto_pipe_config_default(RING, &config), RIALTO_OK);
    config.flags = flags;
    EXPECT(rialto_pipe_create(&region, name, &config, pipe), RIALTO_OK);
    EXPECT(rialto_pipe_connect(pipe, 0, mine), RIALTO_OK);
}

/* In a child: end 1, mapped elsewhere than the parent's. */
static void join(const char *name, rialto_connection_t *mine)
{
    static rialto_region_t view;
    rialto_pipe_t pipe;
    region_elsewhere(&region, &view);
    EXPECT(rialto_pipe_open(&view, name, &pipe), RIALTO_OK);
    EXPECT(rialto_pipe_connect(&pipe, 1, mine), RIALTO_OK);
}

/* What a message of that length and number must be. */
static void fill(char *bytes, size_t length, unsigned number)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 7 + i / 251 + length + number);
}

static void expect_message(size_t length, size_t wanted, unsigned number)
{
    CHECK(length == wanted);
    fill(out, wanted, number);
    CHECK(memcmp(in, out, wanted) == 0);
}

static bool answer(int status, bool *answered)
{
    EXPECT(status, RIALTO_OK);
    return *answered;
}

static bool peer_closed(const rialto_connection_t *end)
{
    bool is_closed;
    return answer(rialto_connection_is_peer_closed(end, &is_closed), &is_closed);
}

static void what_it_is_created_with(void)
{
    rialto_pipe_config_t config;
    rialto_layout_t layout;
    rialto_pipe_t pipe;
    size_t bytes;
    bool is_duplex;
    EXPECT(rialto_pipe_config_default(RING, &config), RIALTO_OK);
    CHECK(config.ring_bytes == RING && config.flags == RIALTO_PIPE_DUPLEX);
    CHECK(config.max_message_bytes == 1u << 30);
    EXPECT(rialto_pipe_layout(&config, &layout), RIALTO_OK);
    CHECK(layout.size == 1408 + 2 * (RING + 128) && layout.align == 128);
    config.flags = 0;
    EXPECT(rialto_pipe_layout(&config, &layout), RIALTO_OK);
    CHECK(layout.size == 1408 + RING + 128);
    config.ring_bytes = RING - 1; /* rounded up */
    config.max_message_bytes = 77;
    EXPECT(rialto_pipe_create_timeout(&region, "config", &config, 1000 * MS, &pipe), RIALTO_OK);
    EXPECT(rialto_pipe_create(&region, "config", &config, &pipe), RIALTO_EEXIST);
    EXPECT(rialto_pipe_ring_bytes(&pipe, &bytes), RIALTO_OK);
    CHECK(bytes == RING);
    EXPECT(rialto_pipe_max_message_bytes(&pipe, &bytes), RIALTO_OK);
    CHECK(bytes == 77);
    CHECK(!answer(rialto_pipe_is_duplex(&pipe, &is_duplex), &is_duplex));
    EXPECT(rialto_pipe_open_as(&region, "config", &config, &pipe), RIALTO_OK);
    config.flags = RIALTO_PIPE_DUPLEX;
    EXPECT(rialto_pipe_open_as(&region, "config", &config, &pipe), RIALTO_EWRONGKIND);
    EXPECT(rialto_pipe_open(&region, "nothing", &pipe), RIALTO_ENOENT);

    config.flags = 2;
    EXPECT(rialto_pipe_layout(&config, &layout), RIALTO_EINVAL);
    config.flags = 0;
    config._reserved[4] = 1;
    EXPECT(rialto_pipe_layout(&config, &layout), RIALTO_EINVAL);
    config._reserved[4] = 0;
    config.ring_bytes = (1u << 30) + 1;
    EXPECT(rialto_pipe_create(&region, "bad", &config, &pipe), RIALTO_EINVAL);
    config.ring_bytes = RING;
    config.max_message_bytes = 0;
    EXPECT(rialto_pipe_create(&region, "bad", &config, &pipe), RIALTO_EINVAL);
}

/* A child that sends everything back, until the stream ends. Empty ones, those that wrap, and long ones. */
static void both_ways(void)
{
    static const size_t lengths[] = {0, 1, 7, 8, 9, CHUNK - 1, CHUNK, CHUNK + 1, RING, 5000, LONG, 0, 3};
    enum { LENGTHS = sizeof lengths / sizeof lengths[0], ROUNDS = 20 };
    rialto_pipe_t pipe;
    rialto_connection_t end;
    size_t length, total = 0;
    make("both", RIALTO_PIPE_DUPLEX, &pipe, &end);
    pid_t child = spawn();
    if (child == 0) {
        rialto_connection_t mine;
        int status;
        join("both", &mine);
        while ((status = rialto_connection_recv(&mine, in, sizeof in, &length)) == RIALTO_OK)
            EXPECT(rialto_connection_send(&mine, in, length), RIALTO_OK);
        EXPECT(status, RIALTO_EPIPE);
        EXPECT(rialto_connection_close(&mine), RIALTO_OK);
        exit(0);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < LENGTHS; i++) {
            fill(out, lengths[i], round);
            EXPECT(rialto_connection_send(&end, lengths[i] ? out : NULL, lengths[i]), RIALTO_OK);
            memset(in, 0x55, sizeof in);
            EXPECT(rialto_connection_recv_timeout(&end, in, sizeof in, RIALTO_WAIT_FOREVER, &length), RIALTO_OK);
            expect_message(length, lengths[i], round);
            total += length;
        }
        /* Several under way: each comes alone. */
        EXPECT(rialto_connection_try_send(&end, "one", 3), RIALTO_OK);
        EXPECT(rialto_connection_try_send(&end, "three", 5), RIALTO_OK);
        EXPECT(rialto_connection_recv(&end, in, sizeof in, &length), RIALTO_OK);
        CHECK(length == 3 && memcmp(in, "one", 3) == 0);
        EXPECT(rialto_connection_recv(&end, in, sizeof in, &length), RIALTO_OK);
        CHECK(length == 5 && memcmp(in, "three", 5) == 0);
    }
    CHECK(total > (size_t)ROUNDS * LONG);
    EXPECT(rialto_connection_close(&end), RIALTO_OK);
    reap(child);
}

/* Both ends ours: what does not wait, and what does not fit. */
static void statuses(void)
{
    rialto_pipe_t pipe;
    rialto_connection_t a, b, copy;
    size_t length = 77, sent = 0;
    bool is_ready;
    make("statuses", RIALTO_PIPE_DUPLEX, &pipe, &a);
    EXPECT(rialto_pipe_connect(&pipe, 0, &b), RIALTO_EUSERS);
    EXPECT(rialto_pipe_connect(&pipe, 2, &b), RIALTO_EINVAL);
    EXPECT(rialto_connection_send_timeout(&a, "before", 6, MS), RIALTO_OK); /* nobody is there yet */
    CHECK(!peer_closed(&a));
    EXPECT(rialto_pipe_connect(&pipe, 1, &b), RIALTO_OK);
    EXPECT(rialto_connection_next_len(&b, &length), RIALTO_OK);
    CHECK(length == 6);
    length = 77;
    EXPECT(rialto_connection_recv(&b, in, 5, &length), RIALTO_ENOBUFS);
    CHECK(length == 77);
    EXPECT(rialto_connection_try_recv(&b, in, 6, &length), RIALTO_OK);
    CHECK(length == 6 && memcmp(in, "before", 6) == 0);
    EXPECT(rialto_connection_next_len(&b, &length), RIALTO_EAGAIN);
    EXPECT(rialto_connection_try_recv(&b, in, 6, &length), RIALTO_EAGAIN);
    EXPECT(rialto_connection_recv_timeout(&b, in, 6, 0, &length), RIALTO_EAGAIN);
    uint64_t before = now();
    EXPECT(rialto_connection_recv_timeout(&b, in, 6, 20 * MS, &length), RIALTO_ETIMEDOUT);
    CHECK(!answer(rialto_connection_poll(&b, 20 * MS, &is_ready), &is_ready));
    CHECK(now() - before >= 40 * MS && length == 6);

    EXPECT(rialto_connection_max_chunk_bytes(&a, &length), RIALTO_OK);
    CHECK(length == CHUNK);
    EXPECT(rialto_connection_try_send(&a, out, CHUNK + 1), RIALTO_EMSGSIZE);
    EXPECT(rialto_connection_send(&a, out, (size_t)(1u << 30) + 1), RIALTO_EMSGSIZE);
    while (rialto_connection_try_send(&a, out, 100) == RIALTO_OK)
        sent++;
    CHECK(sent > 0 && sent <= RING / 112);
    EXPECT(rialto_connection_try_send(&a, out, 100), RIALTO_EAGAIN);
    EXPECT(rialto_connection_send_timeout(&a, out, 100, 0), RIALTO_EAGAIN);
    EXPECT(rialto_connection_send_timeout(&a, out, 100, 5 * MS), RIALTO_ETIMEDOUT);
    CHECK(answer(rialto_connection_poll(&b, 0, &is_ready), &is_ready));
    for (; sent > 0; sent--)
        EXPECT(rialto_connection_recv(&b, in, sizeof in, &length), RIALTO_OK);

    /* A long message that its sender gives up: what came of it is forgotten when the next begins. */
    EXPECT(rialto_connection_send_timeout(&a, out, LONG, 5 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_connection_recv_timeout(&b, in, sizeof in, 5 * MS, &length), RIALTO_ETIMEDOUT);
    EXPECT(rialto_connection_received_bytes(&b, &sent), RIALTO_OK);
    CHECK(sent > 0 && sent < RING);
    EXPECT(rialto_connection_send(&a, "next", 4), RIALTO_OK);
    EXPECT(rialto_connection_recv(&b, in, sizeof in, &length), RIALTO_OK);
    CHECK(length == 4 && memcmp(in, "next", 4) == 0);
    EXPECT(rialto_connection_received_bytes(&b, &sent), RIALTO_OK);
    CHECK(sent == 0);

    copy = a; /* not alive: it has moved */
    EXPECT(rialto_connection_send(&copy, "x", 1), RIALTO_EINVAL);
    EXPECT(rialto_connection_close(&copy), RIALTO_EINVAL);

    /* Closed: first what was sent, then the end, for ever. */
    EXPECT(rialto_connection_send(&a, "last", 4), RIALTO_OK);
    EXPECT(rialto_region_leave(&region), RIALTO_EBUSY);
    EXPECT(rialto_connection_close(&a), RIALTO_OK);
    EXPECT(rialto_connection_close(&a), RIALTO_EINVAL);
    EXPECT(rialto_connection_send(&a, "x", 1), RIALTO_EINVAL);
    CHECK(peer_closed(&b));
    EXPECT(rialto_connection_send(&b, "x", 1), RIALTO_ECONNRESET);
    EXPECT(rialto_connection_try_send(&b, "x", 1), RIALTO_ECONNRESET);
    EXPECT(rialto_connection_recv(&b, in, sizeof in, &length), RIALTO_OK);
    CHECK(length == 4 && memcmp(in, "last", 4) == 0);
    CHECK(answer(rialto_connection_poll(&b, 0, &is_ready), &is_ready));
    for (int i = 0; i < 2; i++)
        EXPECT(rialto_connection_recv(&b, in, sizeof in, &length), RIALTO_EPIPE);
    EXPECT(rialto_connection_next_len(&b, &length), RIALTO_EPIPE);
    EXPECT(rialto_pipe_connect(&pipe, 0, &a), RIALTO_EUSERS); /* for good */
    EXPECT(rialto_connection_close(&b), RIALTO_OK);
}

static void one_way(void)
{
    rialto_pipe_t pipe;
    rialto_connection_t receiver, sender;
    size_t length;
    bool is_ready;
    make("one way", 0, &pipe, &receiver);
    EXPECT(rialto_pipe_connect(&pipe, 1, &sender), RIALTO_OK);
    EXPECT(rialto_connection_send(&receiver, "x", 1), RIALTO_ENOTSUP);
    EXPECT(rialto_connection_recv(&sender, in, sizeof in, &length), RIALTO_ENOTSUP);
    EXPECT(rialto_connection_next_len(&sender, &length), RIALTO_ENOTSUP);
    EXPECT(rialto_connection_poll(&sender, 0, &is_ready), RIALTO_ENOTSUP);
    EXPECT(rialto_connection_set_data_fd(&receiver, -1), RIALTO_ENOTSUP);
    EXPECT(rialto_connection_set_space_fd(&sender, -1), RIALTO_ENOTSUP);
    EXPECT(rialto_connection_send(&sender, "way", 3), RIALTO_OK);
    EXPECT(rialto_connection_recv(&receiver, in, sizeof in, &length), RIALTO_OK);
    CHECK(length == 3 && memcmp(in, "way", 3) == 0);
    EXPECT(rialto_connection_close(&receiver), RIALTO_OK);
    EXPECT(rialto_connection_send(&sender, "x", 1), RIALTO_ECONNRESET);
    EXPECT(rialto_connection_close(&sender), RIALTO_OK);
}

/* A child that holds end 1, has sent one message, sleeps in sending another of that length (if not 0), and
 * waits for its killer. */
static pid_t doomed(const char *name, size_t sends)
{
    struct gate there;
    gate_make(&there);
    pid_t victim = spawn();
    if (victim == 0) {
        rialto_connection_t mine;
        join(name, &mine);
        EXPECT(rialto_connection_send(&mine, "first", 5), RIALTO_OK);
        gate_open(&there);
        if (sends > 0)
            EXPECT(rialto_connection_send(&mine, out, sends), RIALTO_OK); /* sleeps: there is no room */
        await_death();
    }
    gate_pass(&there);
    until_asleep(victim);
    gate_close(&there);
    return victim;
}

static void killed_while_we_sleep(void)
{
    rialto_pipe_t pipe;
    rialto_connection_t end;
    size_t length = 77, got;
    make("silent", RIALTO_PIPE_DUPLEX, &pipe, &end);
    pid_t victim = doomed("silent", 0), killer = assassin(victim);
    EXPECT(rialto_connection_recv(&end, in, sizeof in, &length), RIALTO_OK);
    CHECK(length == 5 && memcmp(in, "first", 5) == 0);
    EXPECT(rialto_connection_recv(&end, in, sizeof in, &length), RIALTO_EPIPE);
    CHECK(length == 5 && peer_closed(&end));
    EXPECT(rialto_connection_send(&end, "x", 1), RIALTO_ECONNRESET);
    EXPECT(rialto_connection_close(&end), RIALTO_OK);
    bury(victim);
    reap(killer);

    make("deaf", RIALTO_PIPE_DUPLEX, &pipe, &end);
    victim = doomed("deaf", 0);
    killer = assassin(victim);
    EXPECT(rialto_connection_send(&end, out, LONG), RIALTO_ECONNRESET); /* nobody receives */
    EXPECT(rialto_connection_close(&end), RIALTO_OK);
    bury(victim);
    reap(killer);

    /* In the middle of a message: nothing of it. */
    make("half", RIALTO_PIPE_DUPLEX, &pipe, &end);
    victim = doomed("half", LONG);
    slay(victim);
    EXPECT(rialto_connection_recv(&end, in, sizeof in, &length), RIALTO_OK);
    CHECK(length == 5);
    EXPECT(rialto_connection_recv(&end, in, sizeof in, &length), RIALTO_EPIPE);
    EXPECT(rialto_connection_received_bytes(&end, &got), RIALTO_OK);
    CHECK(length == 5 && got == 0);
    EXPECT(rialto_connection_close(&end), RIALTO_OK);
}

/* How often it was signalled since the last time. */
static uint64_t signals(int fd)
{
    uint64_t count;
    if (read(fd, &count, sizeof count) == sizeof count)
        return count;
    CHECK(errno == EAGAIN);
    return 0;
}

static void event_loops(void)
{
    rialto_pipe_t pipe;
    rialto_connection_t a, b;
    uint64_t tick_ns;
    size_t length;
    bool is_ready;
    int data = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), space = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(data >= 0 && space >= 0);
    make("loops", RIALTO_PIPE_DUPLEX, &pipe, &a);
    EXPECT(rialto_pipe_connect(&pipe, 1, &b), RIALTO_OK);
    EXPECT(rialto_connection_tick_ns(&a, &tick_ns), RIALTO_OK);
    CHECK(tick_ns == 100 * MS);
    EXPECT(rialto_connection_set_data_fd(&a, -2), RIALTO_EINVAL);
    EXPECT(rialto_connection_set_space_fd(&a, INT32_MIN), RIALTO_EINVAL);
    EXPECT(rialto_connection_set_data_fd(&a, data), RIALTO_OK);
    EXPECT(rialto_connection_set_space_fd(&b, space), RIALTO_OK);
    EXPECT(rialto_connection_send(&a, "m", 1), RIALTO_OK);
    CHECK(signals(data) == 0); /* nobody has armed */
    CHECK(answer(rialto_connection_arm_data(&b, &is_ready), &is_ready));
    EXPECT(rialto_connection_recv(&b, in, sizeof in, &length), RIALTO_OK);
    CHECK(!answer(rialto_connection_arm_data(&b, &is_ready), &is_ready));
    for (int i = 0; i < 2; i++)
        EXPECT(rialto_connection_send(&a, "m", 1), RIALTO_OK);
    CHECK(signals(data) == 1); /* once */
    CHECK(answer(rialto_connection_recheck_data(&b, &is_ready), &is_ready));

    CHECK(answer(rialto_connection_arm_space(&a, 1, &is_ready), &is_ready));
    while (rialto_connection_try_send(&a, out, CHUNK) == RIALTO_OK)
        ;
    CHECK(!answer(rialto_connection_arm_space(&a, CHUNK, &is_ready), &is_ready));
    CHECK(!answer(rialto_connection_recheck_space(&a, LONG, &is_ready), &is_ready));
    while (rialto_connection_try_recv(&b, in, sizeof in, &length) == RIALTO_OK)
        ;
    CHECK(signals(space) == 1);
    CHECK(answer(rialto_connection_recheck_space(&a, CHUNK, &is_ready), &is_ready));

    /* Closing signals, and then everything is worth a try. */
    signals(data);
    CHECK(!answer(rialto_connection_arm_data(&b, &is_ready), &is_ready));
    EXPECT(rialto_connection_close(&a), RIALTO_OK);
    CHECK(signals(data) == 1);
    CHECK(answer(rialto_connection_arm_data(&b, &is_ready), &is_ready));
    EXPECT(rialto_connection_close(&b), RIALTO_OK);

    /* A death signals nothing: the tick finds it. */
    make("loops end", RIALTO_PIPE_DUPLEX, &pipe, &a);
    pid_t victim = doomed("loops end", 0);
    EXPECT(rialto_connection_recv(&a, in, sizeof in, &length), RIALTO_OK);
    CHECK(!answer(rialto_connection_recheck_data(&a, &is_ready), &is_ready));
    slay(victim);
    CHECK(answer(rialto_connection_recheck_data(&a, &is_ready), &is_ready));
    EXPECT(rialto_connection_try_recv(&a, in, sizeof in, &length), RIALTO_EPIPE);
    EXPECT(rialto_connection_close(&a), RIALTO_OK);
    close(data);
    close(space);
}

static void held_by_a_member(void)
{
    rialto_region_t other;
    rialto_region_config_t config;
    rialto_member_t member, stranger;
    rialto_recovered_t recovered;
    rialto_pipe_t pipe;
    rialto_connection_t a, b;
    size_t length;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&other, 65536, &config), RIALTO_OK);
    EXPECT(rialto_region_join(&other, &stranger), RIALTO_OK);
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    make("member", RIALTO_PIPE_DUPLEX, &pipe, &a);
    EXPECT(rialto_pipe_connect_as(&pipe, &stranger, 1, &b), RIALTO_EINVAL);
    EXPECT(rialto_pipe_connect_as(&pipe, &member, 0, &b), RIALTO_EUSERS);
    EXPECT(rialto_pipe_connect_as(&pipe, &member, 1, &b), RIALTO_OK);
    EXPECT(rialto_connection_send(&b, "mine", 4), RIALTO_OK);
    EXPECT(rialto_connection_recv(&a, in, sizeof in, &length), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    EXPECT(rialto_connection_close(&b), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    EXPECT(rialto_connection_recv(&a, in, sizeof in, &length), RIALTO_EPIPE);
    EXPECT(rialto_connection_close(&a), RIALTO_OK);
    EXPECT(rialto_member_leave(&stranger), RIALTO_OK);
    EXPECT(rialto_region_detach(&other), RIALTO_OK);

    make("recovered", RIALTO_PIPE_DUPLEX, &pipe, &a);
    slay(doomed("recovered", 0));
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
    CHECK(recovered.ends == 1 && recovered.members == 1);
    EXPECT(rialto_connection_close(&a), RIALTO_OK);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    what_it_is_created_with();
    both_ways();
    statuses();
    one_way();
    killed_while_we_sleep();
    event_loops();
    held_by_a_member();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("pipe: both ways, in chunks, closed and killed: ok");
    return 0;
}
