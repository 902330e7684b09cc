/* SPSC queues between C processes: copied, in batches, in place; ends that are taken, given back and
 * inherited from the dead; event loops; every status. */
#include "memory.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

enum { MOST = 32, LARGE = 5000, ROUNDS = 3000 };

static rialto_region_t region;

static void make(const char *name, uint32_t slots, uint32_t most, uint32_t on_death, rialto_spsc_t *spsc)
{
    rialto_spsc_config_t config;
    rialto_spsc_t other;
    rialto_layout_t layout;
    size_t number;
    EXPECT(rialto_spsc_config_default(slots, most, &config), RIALTO_OK);
    CHECK(config.max_attempts == 5 && config.on_death == RIALTO_ON_DEATH_REDELIVER);
    config.max_attempts = 2;
    config.on_death = on_death;
    EXPECT(rialto_spsc_layout(&config, &layout), RIALTO_OK);
    CHECK(layout.align == 128 && layout.size >= 768 + (slots + 1) * (uint64_t)most);
    EXPECT(rialto_spsc_create(&region, name, &config, spsc), RIALTO_OK);
    EXPECT(rialto_spsc_create_timeout(&region, name, &config, MS, spsc), RIALTO_EEXIST);
    EXPECT(rialto_spsc_open_as(&region, name, &config, &other), RIALTO_OK);
    config.max_attempts = 3;
    EXPECT(rialto_spsc_open_as(&region, name, &config, &other), RIALTO_EWRONGKIND);
    EXPECT(rialto_spsc_capacity(&other, &number), RIALTO_OK);
    CHECK(number == slots);
    EXPECT(rialto_spsc_max_message_bytes(&other, &number), RIALTO_OK);
    CHECK(number == most);
}

static size_t length_of(const rialto_spsc_t *spsc)
{
    size_t messages;
    EXPECT(rialto_spsc_len(spsc, &messages), RIALTO_OK);
    return messages;
}

/* Message i has a length and bytes of its own. */
static size_t fill(void *message, uint32_t i)
{
    size_t length = 4 + i * 7919 % (LARGE - 4);
    memset(message, (int)(i % 251), length);
    memcpy(message, &i, 4);
    return length;
}

static void check_message(const void *message, size_t length, uint32_t i)
{
    static char wanted[LARGE];
    CHECK(length == fill(wanted, i) && memcmp(message, wanted, length) == 0);
}

/* Every way in, in the child; every way out, here; sleeping on both sides. */
static void every_way(void)
{
    static char buffer[4 * LARGE];
    rialto_spsc_t spsc;
    rialto_consumer_t consumer;
    make("ways", 3, LARGE, RIALTO_ON_DEATH_REDELIVER, &spsc);
    pid_t child = spawn();
    if (child == 0) {
        rialto_region_t view;
        rialto_producer_t producer;
        region_elsewhere(&region, &view);
        EXPECT(rialto_spsc_open(&view, "ways", &spsc), RIALTO_OK);
        EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
        for (uint32_t i = 0; i < ROUNDS;) {
            void *room;
            size_t length, pushed;
            rialto_message_t batch[3];
            switch (i % 4) {
            case 0:
                length = fill(buffer, i);
                EXPECT(rialto_producer_push(&producer, buffer, length), RIALTO_OK);
                i++;
                break;
            case 1:
                EXPECT(rialto_producer_reserve(&producer, LARGE, &room), RIALTO_OK);
                CHECK((uintptr_t)room % 16 == 0);
                length = fill(room, i);
                EXPECT(rialto_producer_commit(&producer, length), RIALTO_OK);
                i++;
                break;
            default:
                for (uint32_t j = 0; j < 3; j++) {
                    batch[j].bytes = buffer + j * LARGE;
                    batch[j].length_bytes = fill(buffer + j * LARGE, i + j);
                }
                EXPECT(rialto_producer_push_many(&producer, batch, 3, &pushed), RIALTO_OK);
                CHECK(pushed == 3);
                i += 3;
            }
        }
        EXPECT(rialto_producer_end(&producer), RIALTO_OK);
        EXPECT(rialto_spsc_close(&spsc), RIALTO_OK);
        EXPECT(rialto_region_detach(&view), RIALTO_OK);
        exit(0);
    }
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    uint32_t i = 0;
    for (;;) {
        const void *message;
        size_t length, count;
        uint32_t attempt = 9;
        rialto_popped_t batch[4];
        int status;
        switch (i % 3) {
        case 0:
            status = rialto_consumer_pop(&consumer, buffer, LARGE, &length, &attempt);
            if (status == RIALTO_OK)
                check_message(buffer, length, i++);
            break;
        case 1:
            status = rialto_consumer_peek(&consumer, &message, &length, &attempt);
            if (status == RIALTO_OK) {
                check_message(message, length, i++);
                EXPECT(rialto_consumer_copy(&consumer, buffer, 3, &count), RIALTO_OK);
                CHECK(count == 3 && memcmp(buffer, message, 3) == 0);
                EXPECT(rialto_consumer_release(&consumer), RIALTO_OK);
            }
            break;
        default:
            status = rialto_consumer_pop_many(&consumer, buffer, sizeof buffer, batch, 4, &count);
            for (size_t j = 0; status == RIALTO_OK && j < count; j++) {
                CHECK(batch[j].attempt == 0);
                check_message(buffer + j * LARGE, batch[j].length_bytes, i++);
            }
            attempt = 0;
        }
        if (status == RIALTO_EPIPE)
            break;
        EXPECT(status, RIALTO_OK);
        CHECK(attempt == 0);
    }
    CHECK(i >= ROUNDS && i < ROUNDS + 3);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    reap(child);
}

/* One at a time; the dead lose their end, and who waits gets it. */
static void ends_are_taken(void)
{
    rialto_spsc_t spsc;
    rialto_producer_t producer, copy;
    rialto_consumer_t consumer, other;
    rialto_member_t member;
    bool answer;
    make("taken", 2, MOST, RIALTO_ON_DEATH_REDELIVER, &spsc);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_spsc_producer(&spsc, &copy), RIALTO_EUSERS);
    EXPECT(rialto_spsc_producer_timeout(&spsc, 0, &copy), RIALTO_EUSERS);
    EXPECT(rialto_spsc_producer_timeout(&spsc, 5 * MS, &copy), RIALTO_ETIMEDOUT);
    EXPECT(rialto_region_leave(&region), RIALTO_EBUSY);
    copy = producer; /* may not be copied */
    EXPECT(rialto_producer_push(&copy, "x", 1), RIALTO_EINVAL);
    EXPECT(rialto_producer_end(&copy), RIALTO_EINVAL);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_EINVAL);
    EXPECT(rialto_producer_push(&producer, "x", 1), RIALTO_EINVAL);

    /* As a member: the end is the member's. */
    rialto_spsc_t view;
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_spsc_as_member(&spsc, &member, &view), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&view, &consumer), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&spsc, &other), RIALTO_EUSERS);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);

    for (int i = 0; i < 2; i++) {
        struct gate has_it;
        gate_make(&has_it);
        pid_t victim = spawn();
        if (victim == 0) {
            EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
            gate_open(&has_it);
            await_death();
        }
        gate_pass(&has_it);
        gate_close(&has_it);
        EXPECT(rialto_spsc_consumer_timeout(&spsc, 5 * MS, &consumer), RIALTO_ETIMEDOUT);
        if (i == 0) {
            slay(victim); /* recovered by who claims */
            EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
        } else {
            pid_t killer = assassin(victim);
            EXPECT(rialto_spsc_consumer_timeout(&spsc, 20000 * MS, &consumer), RIALTO_OK);
            bury(victim);
            reap(killer);
        }
        EXPECT(rialto_consumer_arm_data(&consumer, &answer), RIALTO_OK);
        CHECK(!answer);
        EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    }
}

/* A child takes the next message in hand, and is killed. */
static void die_with_a_message(rialto_spsc_t *spsc, int status, uint32_t wanted)
{
    struct gate in_hand;
    gate_make(&in_hand);
    pid_t victim = spawn();
    if (victim == 0) {
        rialto_consumer_t consumer;
        const void *message;
        size_t length;
        uint32_t attempt;
        EXPECT(rialto_spsc_consumer_timeout(spsc, 20000 * MS, &consumer), RIALTO_OK);
        EXPECT(rialto_consumer_peek(&consumer, &message, &length, &attempt), status);
        CHECK(attempt == wanted);
        gate_open(&in_hand);
        await_death();
    }
    gate_pass(&in_hand);
    slay(victim);
    gate_close(&in_hand);
}

/* What a killed consumer had in hand comes to the next one, marked; after so many, only who asks for it. */
static void killed_with_a_message(void)
{
    rialto_spsc_t spsc;
    rialto_producer_t producer;
    rialto_consumer_t consumer;
    rialto_popped_t batch[2];
    const void *message;
    char buffer[2 * MOST];
    size_t length, count;
    uint32_t attempt;
    make("redelivered", 4, MOST, RIALTO_ON_DEATH_REDELIVER, &spsc);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "first", 5), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "second", 6), RIALTO_OK);
    die_with_a_message(&spsc, RIALTO_OK, 0);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_poisoned(&consumer, &count), RIALTO_OK);
    CHECK(count == 0 && length_of(&spsc) == 2);
    EXPECT(rialto_consumer_peek(&consumer, &message, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 5 && memcmp(message, "first", 5) == 0);
    EXPECT(rialto_consumer_give_back(&consumer), RIALTO_OK); /* 2: the last that is delivered */
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    die_with_a_message(&spsc, RIALTO_REDELIVERED, 2);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_poisoned(&consumer, &count), RIALTO_OK);
    CHECK(count == 1);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_EBADMSG);
    EXPECT(rialto_consumer_peek(&consumer, &message, &length, NULL), RIALTO_EBADMSG);
    EXPECT(rialto_consumer_pop_many(&consumer, buffer, sizeof buffer, batch, 2, &count), RIALTO_EBADMSG);
    EXPECT(rialto_consumer_take_poisoned(&consumer, buffer, MOST, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 3 && length == 5 && memcmp(buffer, "first", 5) == 0);
    EXPECT(rialto_consumer_take_poisoned(&consumer, buffer, MOST, &length, NULL), RIALTO_EAGAIN);
    EXPECT(rialto_consumer_peek(&consumer, &message, &length, NULL), RIALTO_OK);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK); /* gives it back */
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_pop_many(&consumer, buffer, sizeof buffer, batch, 2, &count), RIALTO_REDELIVERED);
    CHECK(count == 1 && batch[0].attempt == 1 && batch[0].length_bytes == 6);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);

    uint64_t dropped;
    make("dropped", 4, MOST, RIALTO_ON_DEATH_DROP, &spsc);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "first", 5), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "second", 6), RIALTO_OK);
    die_with_a_message(&spsc, RIALTO_OK, 0);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, &attempt), RIALTO_OK);
    CHECK(attempt == 0 && length == 6);
    EXPECT(rialto_spsc_dropped(&spsc, &dropped), RIALTO_OK);
    CHECK(dropped == 1);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
}

/* A killed producer's loan was never sent; the next producer goes on behind what was. */
static void killed_with_a_loan(void)
{
    rialto_spsc_t spsc;
    rialto_producer_t producer;
    rialto_consumer_t consumer;
    struct gate has_it;
    char buffer[MOST];
    size_t length;
    gate_make(&has_it);
    make("loan", 4, MOST, RIALTO_ON_DEATH_REDELIVER, &spsc);
    pid_t victim = spawn();
    if (victim == 0) {
        void *room;
        EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
        EXPECT(rialto_producer_push(&producer, "sent", 4), RIALTO_OK);
        EXPECT(rialto_producer_reserve(&producer, 4, &room), RIALTO_OK);
        memcpy(room, "lost", 4);
        gate_open(&has_it);
        await_death();
    }
    gate_pass(&has_it);
    gate_close(&has_it);
    slay(victim);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "next", 4), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_OK);
    CHECK(length == 4 && memcmp(buffer, "sent", 4) == 0);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_OK);
    CHECK(length == 4 && memcmp(buffer, "next", 4) == 0);
    EXPECT(rialto_consumer_try_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_EAGAIN);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
}

/* What a loan or a message in hand forbids, and everything else that is refused. */
static void statuses(void)
{
    rialto_spsc_t spsc;
    rialto_producer_t producer;
    rialto_consumer_t consumer;
    rialto_message_t batch[3] = {{"one", 3}, {"two", 3}, {"three", 5}};
    rialto_popped_t popped[4];
    const void *message;
    void *room;
    char buffer[4 * MOST];
    size_t length, count = 7;
    bool answer;
    make("status", 2, MOST, RIALTO_ON_DEATH_REDELIVER, &spsc);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, buffer, MOST + 1), RIALTO_EMSGSIZE);
    EXPECT(rialto_producer_push(&producer, NULL, 1), RIALTO_EINVAL);
    EXPECT(rialto_producer_reserve(&producer, MOST + 1, &room), RIALTO_EMSGSIZE);
    EXPECT(rialto_producer_commit(&producer, 0), RIALTO_EINVAL); /* nothing is reserved */
    EXPECT(rialto_producer_abort(&producer), RIALTO_EINVAL);
    EXPECT(rialto_producer_try_reserve(&producer, 8, &room), RIALTO_OK);
    EXPECT(rialto_producer_try_reserve(&producer, 8, &room), RIALTO_EBUSY);
    EXPECT(rialto_producer_reserve_timeout(&producer, 8, MS, &room), RIALTO_EBUSY);
    EXPECT(rialto_producer_push(&producer, "x", 1), RIALTO_EBUSY);
    EXPECT(rialto_producer_try_push(&producer, "x", 1), RIALTO_EBUSY);
    EXPECT(rialto_producer_push_timeout(&producer, "x", 1, MS), RIALTO_EBUSY);
    EXPECT(rialto_producer_push_many(&producer, batch, 3, &count), RIALTO_EBUSY);
    EXPECT(rialto_producer_arm_space(&producer, &answer), RIALTO_EBUSY);
    EXPECT(rialto_producer_recheck_space(&producer, &answer), RIALTO_EBUSY);
    EXPECT(rialto_producer_commit(&producer, 9), RIALTO_EINVAL); /* more than reserved: still so */
    EXPECT(rialto_producer_abort(&producer), RIALTO_OK);
    EXPECT(rialto_producer_commit(&producer, 8), RIALTO_EINVAL);
    EXPECT(rialto_consumer_try_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_EAGAIN);
    EXPECT(rialto_consumer_pop_timeout(&consumer, buffer, MOST, MS, &length, NULL), RIALTO_ETIMEDOUT);
    EXPECT(rialto_consumer_try_peek(&consumer, &message, &length, NULL), RIALTO_EAGAIN);
    EXPECT(rialto_consumer_peek_timeout(&consumer, MS, &message, &length, NULL), RIALTO_ETIMEDOUT);
    EXPECT(rialto_consumer_try_pop_many(&consumer, buffer, sizeof buffer, popped, 4, &count), RIALTO_EAGAIN);
    EXPECT(rialto_consumer_pop_many_timeout(&consumer, buffer, sizeof buffer, MS, popped, 4, &count),
           RIALTO_ETIMEDOUT);
    CHECK(count == 7);

    EXPECT(rialto_producer_push_many_timeout(&producer, batch, 3, MS, &count), RIALTO_OK);
    CHECK(count == 3 && length_of(&spsc) == 3);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST - 1, &length, NULL), RIALTO_ENOBUFS);
    EXPECT(rialto_consumer_pop_many(&consumer, buffer, MOST - 1, popped, 4, &count), RIALTO_ENOBUFS);
    EXPECT(rialto_consumer_pop_many(&consumer, buffer, MOST, popped, 0, &count), RIALTO_EINVAL);
    EXPECT(rialto_consumer_release(&consumer), RIALTO_EINVAL); /* nothing is in hand */
    EXPECT(rialto_consumer_give_back(&consumer), RIALTO_EINVAL);
    EXPECT(rialto_consumer_copy(&consumer, buffer, 1, NULL), RIALTO_EINVAL);
    EXPECT(rialto_consumer_try_peek(&consumer, &message, &length, NULL), RIALTO_OK);
    EXPECT(rialto_consumer_try_peek(&consumer, &message, &length, NULL), RIALTO_EBUSY);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_EBUSY);
    EXPECT(rialto_consumer_pop_many(&consumer, buffer, MOST, popped, 1, &count), RIALTO_EBUSY);
    EXPECT(rialto_consumer_take_poisoned(&consumer, buffer, MOST, &length, NULL), RIALTO_EBUSY);
    EXPECT(rialto_consumer_poisoned(&consumer, &count), RIALTO_EBUSY);
    EXPECT(rialto_consumer_arm_data(&consumer, &answer), RIALTO_EBUSY);
    EXPECT(rialto_consumer_recheck_data(&consumer, &answer), RIALTO_EBUSY);
    EXPECT(rialto_consumer_release(&consumer), RIALTO_OK);
    EXPECT(rialto_consumer_try_pop_many(&consumer, buffer, 2 * MOST, popped, 4, &count), RIALTO_OK);
    CHECK(count == 2 && memcmp(buffer + MOST, "three", 5) == 0 && popped[1].length_bytes == 5);

    /* Full, and closed with a loan and a message. */
    while (rialto_producer_try_push(&producer, buffer, MOST) == RIALTO_OK)
        ;
    EXPECT(rialto_spsc_is_full(&spsc, &answer), RIALTO_OK);
    CHECK(answer && length_of(&spsc) >= 2);
    EXPECT(rialto_producer_try_push(&producer, buffer, MOST), RIALTO_EAGAIN);
    EXPECT(rialto_producer_push_timeout(&producer, buffer, MOST, MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_producer_try_reserve(&producer, MOST, &room), RIALTO_EAGAIN);
    EXPECT(rialto_producer_reserve_timeout(&producer, MOST, MS, &room), RIALTO_ETIMEDOUT);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_OK);
    EXPECT(rialto_producer_reserve(&producer, MOST, &room), RIALTO_OK);
    EXPECT(rialto_spsc_is_closed(&spsc, &answer), RIALTO_OK);
    CHECK(!answer);
    EXPECT(rialto_spsc_close(&spsc), RIALTO_OK);
    EXPECT(rialto_spsc_close(&spsc), RIALTO_OK);
    EXPECT(rialto_spsc_is_closed(&spsc, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_producer_commit(&producer, MOST), RIALTO_EPIPE);
    EXPECT(rialto_producer_abort(&producer), RIALTO_EINVAL); /* it is over */
    EXPECT(rialto_producer_push(&producer, "x", 1), RIALTO_EPIPE);
    EXPECT(rialto_producer_push_many(&producer, batch, 3, &count), RIALTO_EPIPE);
    EXPECT(rialto_producer_try_reserve(&producer, 1, &room), RIALTO_EPIPE);
    while (rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL) == RIALTO_OK)
        ;
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_EPIPE);
    EXPECT(rialto_consumer_peek(&consumer, &message, &length, NULL), RIALTO_EPIPE);
    EXPECT(rialto_spsc_is_empty(&spsc, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
}

static bool is_readable(int fd)
{
    struct pollfd polled = {fd, POLLIN, 0};
    CHECK(poll(&polled, 1, 0) >= 0);
    return polled.revents & POLLIN;
}

static void drain(int fd)
{
    uint64_t count;
    CHECK(read(fd, &count, sizeof count) == sizeof count && count == 1);
}

/* Who armed is signalled, once; who did not, is not. */
static void event_loops(void)
{
    rialto_spsc_t spsc, closer;
    rialto_producer_t producer;
    rialto_consumer_t consumer;
    char buffer[MOST];
    size_t length;
    uint64_t tick_ns, region_tick = 100 * MS;
    bool answer;
    int data = eventfd(0, EFD_NONBLOCK), space = eventfd(0, EFD_NONBLOCK);
    CHECK(data >= 0 && space >= 0);
    make("loops", 1, MOST, RIALTO_ON_DEATH_REDELIVER, &spsc);
    EXPECT(rialto_spsc_tick_ns(&spsc, &tick_ns), RIALTO_OK);
    CHECK(tick_ns == region_tick);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    EXPECT(rialto_producer_set_data_fd(&producer, -2), RIALTO_EINVAL);
    EXPECT(rialto_consumer_set_space_fd(&consumer, -2), RIALTO_EINVAL);
    EXPECT(rialto_producer_set_data_fd(&producer, data), RIALTO_OK);
    EXPECT(rialto_consumer_set_space_fd(&consumer, space), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, buffer, MOST), RIALTO_OK);
    CHECK(!is_readable(data)); /* nobody has armed */
    EXPECT(rialto_consumer_arm_data(&consumer, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_producer_arm_space(&producer, &answer), RIALTO_OK);
    CHECK(!answer);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_OK);
    CHECK(is_readable(space));
    drain(space);
    EXPECT(rialto_producer_recheck_space(&producer, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_consumer_recheck_data(&consumer, &answer), RIALTO_OK);
    CHECK(!answer);
    EXPECT(rialto_producer_push(&producer, buffer, 1), RIALTO_OK);
    CHECK(is_readable(data));
    drain(data);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_OK);

    /* Who closes signals too, and so do ends claimed with a view that knows the descriptor. */
    closer = spsc;
    EXPECT(rialto_spsc_set_data_fd(&closer, -2), RIALTO_EINVAL);
    EXPECT(rialto_spsc_set_data_fd(&closer, data), RIALTO_OK);
    EXPECT(rialto_spsc_set_space_fd(&closer, space), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    EXPECT(rialto_spsc_producer(&closer, &producer), RIALTO_OK);
    EXPECT(rialto_consumer_arm_data(&consumer, &answer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, buffer, 1), RIALTO_OK);
    CHECK(is_readable(data));
    drain(data);
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_OK);
    EXPECT(rialto_consumer_arm_data(&consumer, &answer), RIALTO_OK);
    CHECK(!answer);
    EXPECT(rialto_spsc_close(&closer), RIALTO_OK);
    CHECK(is_readable(data));
    EXPECT(rialto_consumer_pop(&consumer, buffer, MOST, &length, NULL), RIALTO_EPIPE);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    close(data);
    close(space);
}

static rialto_producer_t left_behind;

static void *claim_and_end(void *spsc)
{
    EXPECT(rialto_spsc_producer((rialto_spsc_t *)spsc, &left_behind), RIALTO_OK);
    return NULL;
}

/* The end is the thread's that claimed it: it ends with it. */
static void with_its_thread(void)
{
    rialto_spsc_t spsc;
    rialto_producer_t producer;
    void *room;
    pthread_t thread;
    make("thread", 2, MOST, RIALTO_ON_DEATH_REDELIVER, &spsc);
    CHECK(pthread_create(&thread, NULL, claim_and_end, &spsc) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    EXPECT(rialto_spsc_producer_timeout(&spsc, 20000 * MS, &producer), RIALTO_OK);
    EXPECT(rialto_producer_push(&left_behind, "x", 1), RIALTO_EPERM);
    EXPECT(rialto_producer_reserve(&left_behind, 1, &room), RIALTO_EPERM);
    EXPECT(rialto_producer_push(&producer, "x", 1), RIALTO_OK);
    EXPECT(rialto_producer_end(&left_behind), RIALTO_OK); /* takes nothing from its successor */
    EXPECT(rialto_producer_push(&producer, "x", 1), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    every_way();
    ends_are_taken();
    killed_with_a_message();
    killed_with_a_loan();
    statuses();
    event_loops();
    with_its_thread();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("spsc: every way in and out, taken ends, dead holders: ok");
    return 0;
}
