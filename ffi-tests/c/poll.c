/* Event loops between C processes: an eventfd that one polls and another signals; what leaves it silent, and
 * the tick that finds out all the same. */
#include "memory.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { MOST = 16, MESSAGES = 300, WATCHDOG_MS = 20000 };

static rialto_region_t region;

static void make(const char *name, uint32_t kind, uint32_t slots, uint32_t flags, rialto_queue_t *queue)
{
    rialto_queue_config_t config;
    EXPECT(rialto_queue_config_default(slots, MOST, &config), RIALTO_OK);
    config.kind = kind;
    config.flags = flags;
    EXPECT(rialto_queue_create(&region, name, &config, queue), RIALTO_OK);
}

static int eventfd_make(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
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

typedef int ask(const rialto_queue_t *, bool *);

static bool says(ask *what, const rialto_queue_t *queue)
{
    bool is_ready;
    EXPECT(what(queue, &is_ready), RIALTO_OK);
    return is_ready;
}

/* Sleeps until the descriptor is readable. The region's tick is a minute, so nothing else helps. */
static void until_readable(int fd)
{
    struct epoll_event event = {EPOLLIN, {0}}, got;
    event.data.fd = fd;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(epoll, &got, 1, WATCHDOG_MS) == 1 && got.data.fd == fd);
    close(epoll);
}

/* The consumer polls; the producer sleeps in push when it is full, so both sides wait again and again. */
static void loop_for_data(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    int fd = eventfd_make();
    make(name, kind, 4, 0, &queue);
    pid_t child = spawn();
    if (child == 0) {
        rialto_region_t view;
        region_elsewhere(&region, &view);
        EXPECT(rialto_queue_open(&view, name, &queue), RIALTO_OK);
        EXPECT(rialto_queue_set_data_fd(&queue, fd), RIALTO_OK);
        for (uint32_t i = 0; i < MESSAGES; i++) {
            rialto_message_t one = {&i, sizeof i};
            rialto_reserved_t loan;
            size_t pushed;
            if (i % 3 == 0) {
                EXPECT(rialto_queue_push(&queue, &i, sizeof i), RIALTO_OK);
            } else if (i % 3 == 1) {
                EXPECT(rialto_queue_push_many(&queue, &one, 1, &pushed), RIALTO_OK);
            } else {
                EXPECT(rialto_queue_reserve(&queue, sizeof i, &loan), RIALTO_OK);
                EXPECT(rialto_reserved_write(&loan, &i, sizeof i), RIALTO_OK);
                EXPECT(rialto_reserved_commit(&loan), RIALTO_OK);
            }
            if (i % 10 < 3)
                doze(1);
        }
        doze(5);
        EXPECT(rialto_queue_close(&queue), RIALTO_OK);
        exit(0);
    }
    uint32_t next = 0, sleeps = 0;
    for (int status = RIALTO_OK; status != RIALTO_EPIPE;) {
        char buffer[MOST];
        size_t length;
        while ((status = rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL)) >= 0) {
            uint32_t number;
            memcpy(&number, buffer, sizeof number);
            CHECK(length == sizeof number && number == next);
            next++;
        }
        CHECK(status == RIALTO_EAGAIN || status == RIALTO_EPIPE);
        if (status == RIALTO_EPIPE || says(rialto_queue_arm_data, &queue))
            continue;
        until_readable(fd);
        CHECK(signals(fd) >= 1); /* one of an earlier round may be left */
        sleeps++;
    }
    CHECK(next == MESSAGES && sleeps > 0);
    reap(child);
    close(fd);
}

/* The producer polls for room. */
static void loop_for_space(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    int fd = eventfd_make();
    make(name, kind, 2, RIALTO_QUEUE_JOINABLE, &queue);
    pid_t child = spawn();
    if (child == 0) {
        EXPECT(rialto_queue_set_space_fd(&queue, fd), RIALTO_OK);
        for (uint32_t i = 0; i < MESSAGES; i++) {
            char buffer[MOST];
            size_t length;
            rialto_ticket_t ticket;
            rialto_peeked_t peeked;
            if (i % 10 < 3)
                doze(1);
            if (i % 2) {
                EXPECT(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, NULL, &ticket),
                       RIALTO_OK);
                EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_OK);
            } else {
                EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_OK);
                EXPECT(rialto_peeked_release(&peeked), RIALTO_OK);
            }
        }
        exit(0);
    }
    uint32_t sent = 0, sleeps = 0;
    while (sent < MESSAGES) {
        int status = rialto_queue_try_push(&queue, &sent, sizeof sent);
        if (status == RIALTO_OK) {
            sent++;
            continue;
        }
        EXPECT(status, RIALTO_EAGAIN);
        if (says(rialto_queue_arm_space, &queue))
            continue;
        until_readable(fd);
        CHECK(signals(fd) >= 1); /* one of an earlier round may be left */
        sleeps++;
    }
    CHECK(sleeps > 0);
    reap(child);
    close(fd);
}

/* Who signals, when, and how often. */
static void only_if_armed_and_asked(void)
{
    rialto_queue_t queue, silent, copy, as_member;
    rialto_member_t member;
    rialto_message_t batch[2] = {{"a", 1}, {"b", 1}};
    char buffer[MOST];
    size_t length, pushed;
    int fd = eventfd_make(), space = eventfd_make();
    make("asked", RIALTO_QUEUE_RING, 4, 0, &queue);
    silent = queue; /* a copy made before */
    EXPECT(rialto_queue_set_data_fd(&queue, fd), RIALTO_OK);
    EXPECT(rialto_queue_set_space_fd(&queue, space), RIALTO_OK);
    copy = queue; /* and one made after */

    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 0); /* nobody has armed */
    CHECK(says(rialto_queue_arm_data, &queue)); /* there is a message: no need to poll */
    EXPECT(rialto_queue_pop(&silent, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(!says(rialto_queue_arm_data, &queue));
    EXPECT(rialto_queue_push_many(&copy, batch, 2, &pushed), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 1); /* once */
    CHECK(signals(space) == 0);
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 0); /* not armed again */
    CHECK(!says(rialto_queue_arm_space, &queue));
    EXPECT(rialto_queue_pop(&silent, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(signals(space) == 0);
    EXPECT(rialto_queue_pop(&copy, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(signals(space) == 1);
    while (rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL) == RIALTO_OK)
        ;

    /* A view made of one that signals does so too. */
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_queue_as_member(&queue, &member, &as_member), RIALTO_OK);
    CHECK(!says(rialto_queue_arm_data, &queue));
    EXPECT(rialto_queue_push(&as_member, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 1);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);

    /* Pushed without a signal, as by one who was killed in between: only the tick finds it. */
    CHECK(!says(rialto_queue_arm_data, &queue));
    EXPECT(rialto_queue_push(&silent, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 0);
    CHECK(says(rialto_queue_recheck_data, &queue));
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(!says(rialto_queue_recheck_data, &queue)); /* and has armed */
    EXPECT(rialto_queue_set_data_fd(&copy, -1), RIALTO_OK); /* none any more */
    EXPECT(rialto_queue_push(&copy, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 0);
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    CHECK(signals(fd) == 1);
    EXPECT(rialto_queue_set_data_fd(&queue, -2), RIALTO_EINVAL);
    EXPECT(rialto_queue_set_space_fd(&queue, INT32_MIN), RIALTO_EINVAL);

    /* A descriptor that is none any more costs nothing but the signal. */
    CHECK(close(space) == 0);
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    CHECK(!says(rialto_queue_recheck_space, &queue));
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(says(rialto_queue_recheck_space, &queue));
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    CHECK(says(rialto_queue_arm_data, &queue) && says(rialto_queue_arm_space, &queue));
    close(fd);
}

/* A consumer dies with the only message: no descriptor says so, the tick does. */
static void the_tick_finds_what_the_dead_had(void)
{
    rialto_queue_t queue;
    struct gate in_hand;
    char buffer[MOST];
    size_t length;
    uint64_t tick_ns;
    int fd = eventfd_make();
    gate_make(&in_hand);
    make("tick", RIALTO_QUEUE_RING, 4, 0, &queue);
    EXPECT(rialto_queue_tick_ns(&queue, &tick_ns), RIALTO_OK);
    CHECK(tick_ns == 60000 * MS);
    EXPECT(rialto_queue_set_data_fd(&queue, fd), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    pid_t victim = spawn();
    if (victim == 0) {
        rialto_peeked_t peeked;
        EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_OK);
        gate_open(&in_hand);
        await_death();
    }
    gate_pass(&in_hand);
    CHECK(!says(rialto_queue_arm_data, &queue) && !says(rialto_queue_recheck_data, &queue));
    slay(victim);
    CHECK(signals(fd) == 0);
    CHECK(says(rialto_queue_recheck_data, &queue));
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_REDELIVERED);
    gate_close(&in_hand);
    close(fd);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    config.tick_ms = 60000; /* what is not signalled, is not found by the way */
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    loop_for_data(RIALTO_QUEUE_RING, "data");
    loop_for_data(RIALTO_QUEUE_INDEXED, "data indexed");
    loop_for_space(RIALTO_QUEUE_RING, "space");
    loop_for_space(RIALTO_QUEUE_INDEXED, "space indexed");
    only_if_armed_and_asked();
    the_tick_finds_what_the_dead_had();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("poll: signalled when armed, found at the tick when not: ok");
    return 0;
}
