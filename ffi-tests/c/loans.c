/* Loans between C processes: room reserved, written in place and committed, in rings and in indexed
 * queues; holders killed with one; every status. */
#include "memory.h"

enum { MOST = 64, LARGE = 1 << 16, ROUNDS = 200 };

static const uint32_t kinds[2] = {RIALTO_QUEUE_RING, RIALTO_QUEUE_INDEXED};
static rialto_region_t region;

static void make(const char *name, uint32_t kind, uint32_t slots, uint32_t most, rialto_queue_t *queue)
{
    rialto_queue_config_t config, got;
    EXPECT(rialto_queue_config_default(slots, most, &config), RIALTO_OK);
    config.kind = kind;
    EXPECT(rialto_queue_create(&region, name, &config, queue), RIALTO_OK);
    EXPECT(rialto_queue_config(queue, &got), RIALTO_OK);
    CHECK(memcmp(&got, &config, sizeof got) == 0);
}

/* Large messages, built where they are read, while the other side reads others. */
static void in_place_both_ways(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    make(name, kind, 4, LARGE, &queue);
    pid_t child = spawn();
    if (child == 0) {
        rialto_region_t view;
        region_elsewhere(&region, &view);
        EXPECT(rialto_queue_open(&view, name, &queue), RIALTO_OK);
        for (uint32_t i = 0; i < ROUNDS; i++) {
            rialto_reserved_t loan;
            void *bytes;
            size_t length;
            EXPECT(rialto_queue_reserve(&queue, LARGE, &loan), RIALTO_OK);
            EXPECT(rialto_reserved_bytes(&loan, &bytes, &length), RIALTO_OK);
            CHECK(length == LARGE && (uintptr_t)bytes % 16 == 0);
            memset(bytes, (int)(i % 251), LARGE - i);
            if (i % 3 == 2) { /* not sent; the room comes back */
                EXPECT(rialto_reserved_abort(&loan), RIALTO_OK);
                continue;
            }
            EXPECT(rialto_reserved_truncate(&loan, LARGE - i), RIALTO_OK);
            EXPECT(rialto_reserved_truncate(&loan, LARGE), RIALTO_OK); /* changes nothing */
            EXPECT(rialto_reserved_commit(&loan), RIALTO_OK);
        }
        EXPECT(rialto_queue_close(&queue), RIALTO_OK);
        EXPECT(rialto_region_detach(&view), RIALTO_OK);
        exit(0);
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        rialto_peeked_t peeked;
        const void *bytes;
        size_t length;
        if (i % 3 == 2)
            continue;
        EXPECT(rialto_queue_peek_timeout(&queue, 20000 * MS, &peeked), RIALTO_OK);
        EXPECT(rialto_peeked_bytes(&peeked, &bytes, &length), RIALTO_OK);
        CHECK(length == LARGE - i);
        for (size_t at = 0; at < length; at++)
            CHECK(((const unsigned char *)bytes)[at] == i % 251);
        EXPECT(rialto_peeked_release(&peeked), RIALTO_OK);
    }
    rialto_peeked_t peeked;
    EXPECT(rialto_queue_peek_timeout(&queue, 20000 * MS, &peeked), RIALTO_EPIPE);
    reap(child);
}

/* Killed with a loan: nothing was sent, the room comes back, the stream can end. */
static void killed_with_a_loan(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    struct gate has_it;
    char buffer[MOST];
    size_t length;
    gate_make(&has_it);
    make(name, kind, 2, MOST, &queue);
    EXPECT(rialto_queue_push(&queue, "other", 5), RIALTO_OK);
    pid_t victim = spawn();
    if (victim == 0) {
        rialto_region_t view;
        rialto_reserved_t loan;
        region_elsewhere(&region, &view);
        EXPECT(rialto_queue_open(&view, name, &queue), RIALTO_OK);
        EXPECT(rialto_queue_reserve(&queue, 4, &loan), RIALTO_OK);
        EXPECT(rialto_reserved_write(&loan, "lost", 4), RIALTO_OK);
        gate_open(&has_it);
        await_death();
    }
    gate_pass(&has_it);
    EXPECT(rialto_queue_try_push(&queue, "third", 5), RIALTO_EAGAIN); /* a loan takes a slot */
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    CHECK(length == 5 && memcmp(buffer, "other", 5) == 0);
    /* The living might commit still. */
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EAGAIN);
    pid_t killer = assassin(victim);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 20000 * MS, &length, NULL), RIALTO_EPIPE);
    bury(victim);
    reap(killer);
    gate_close(&has_it);
}

/* Others come past a loan; what it says then, and that it can be tried again. */
static void overtaken(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    rialto_reserved_t loan;
    char buffer[MOST];
    size_t length;
    void *bytes;
    make(name, kind, 4, MOST, &queue);
    EXPECT(rialto_queue_reserve(&queue, 2, &loan), RIALTO_OK);
    EXPECT(rialto_reserved_write(&loan, "me", 2), RIALTO_OK);
    for (int i = 0; i < 30; i++) {
        EXPECT(rialto_queue_try_push(&queue, "others", 6), RIALTO_OK);
        EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    }
    while (rialto_queue_try_push(&queue, "others", 6) == RIALTO_OK)
        ;
    if (kind == RIALTO_QUEUE_RING) { /* no room to copy to, and the loan is ours still */
        EXPECT(rialto_reserved_try_commit(&loan), RIALTO_EAGAIN);
        EXPECT(rialto_reserved_commit_timeout(&loan, 5 * MS), RIALTO_ETIMEDOUT);
        EXPECT(rialto_reserved_bytes(&loan, &bytes, &length), RIALTO_OK);
        CHECK(length == 2 && memcmp(bytes, "me", 2) == 0);
        EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    }
    EXPECT(rialto_reserved_commit_timeout(&loan, 5 * MS), RIALTO_OK);
    while (rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL) == RIALTO_OK)
        ;
    CHECK(length == 2 && memcmp(buffer, "me", 2) == 0);

    /* Closed meanwhile: one that nobody overtook is sent, the other not, and stays ours. */
    EXPECT(rialto_queue_reserve(&queue, 2, &loan), RIALTO_OK);
    EXPECT(rialto_reserved_write(&loan, "me", 2), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "others", 6), RIALTO_OK);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    if (kind == RIALTO_QUEUE_RING) {
        EXPECT(rialto_reserved_commit(&loan), RIALTO_EPIPE);
        EXPECT(rialto_reserved_abort(&loan), RIALTO_OK);
    } else {
        EXPECT(rialto_reserved_commit(&loan), RIALTO_OK);
        EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    }
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EPIPE);
    EXPECT(rialto_queue_reserve(&queue, 2, &loan), RIALTO_EPIPE);
}

static void statuses(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    rialto_reserved_t loan = {{0}}, second, copy;
    rialto_member_t member;
    char buffer[MOST] = "", odd[MOST];
    size_t length;
    bool is_full;
    void *bytes;
    make(name, kind, 2, MOST, &queue);
    EXPECT(rialto_reserved_commit(&loan), RIALTO_EINVAL); /* never alive */
    EXPECT(rialto_queue_reserve(&queue, MOST + 1, &loan), RIALTO_EMSGSIZE);
    EXPECT(rialto_queue_try_reserve(&queue, (size_t)-1, &loan), RIALTO_EMSGSIZE);
    EXPECT(rialto_queue_try_reserve(&queue, MOST, &loan), RIALTO_OK);
    EXPECT(rialto_queue_reserve_timeout(&queue, 0, 5 * MS, &second), RIALTO_OK);
    EXPECT(rialto_queue_is_full(&queue, &is_full), RIALTO_OK);
    CHECK(is_full);
    EXPECT(rialto_queue_try_reserve(&queue, 1, &copy), RIALTO_EAGAIN);
    EXPECT(rialto_queue_reserve_timeout(&queue, 1, 0, &copy), RIALTO_EAGAIN);
    EXPECT(rialto_queue_reserve_timeout(&queue, 1, 5 * MS, &copy), RIALTO_ETIMEDOUT);
    EXPECT(rialto_reserved_write(&loan, buffer, MOST - 1), RIALTO_EINVAL); /* the whole or nothing */
    EXPECT(rialto_reserved_write(&loan, NULL, MOST), RIALTO_EINVAL);
    EXPECT(rialto_reserved_write(&second, NULL, 0), RIALTO_OK);
    EXPECT(rialto_region_leave(&region), RIALTO_EBUSY);
    copy = loan; /* a reserved view may not be copied */
    EXPECT(rialto_reserved_bytes(&copy, &bytes, NULL), RIALTO_EINVAL);
    EXPECT(rialto_reserved_abort(&copy), RIALTO_EINVAL);
    EXPECT(rialto_reserved_commit(&second), RIALTO_OK); /* an empty message is one */
    EXPECT(rialto_reserved_commit(&second), RIALTO_EINVAL);
    EXPECT(rialto_reserved_try_commit(&second), RIALTO_EINVAL);
    EXPECT(rialto_reserved_commit_timeout(&second, MS), RIALTO_EINVAL);
    EXPECT(rialto_reserved_abort(&second), RIALTO_EINVAL);
    EXPECT(rialto_reserved_truncate(&second, 1), RIALTO_EINVAL);
    EXPECT(rialto_reserved_write(&second, NULL, 0), RIALTO_EINVAL);
    EXPECT(rialto_reserved_abort(&loan), RIALTO_OK);
    EXPECT(rialto_queue_pop(&queue, odd, sizeof odd, &length, NULL), RIALTO_OK);
    CHECK(length == 0);
    EXPECT(rialto_queue_try_pop(&queue, odd, sizeof odd, &length, NULL), RIALTO_EAGAIN);

    /* A loan is its member's. */
    rialto_queue_t view;
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_queue_as_member(&queue, &member, &view), RIALTO_OK);
    EXPECT(rialto_queue_reserve(&view, 1, &loan), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    EXPECT(rialto_reserved_abort(&loan), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    for (int i = 0; i < 2; i++) {
        in_place_both_ways(kinds[i], i ? "large indexed" : "large");
        killed_with_a_loan(kinds[i], i ? "killed indexed" : "killed");
        overtaken(kinds[i], i ? "overtaken indexed" : "overtaken");
        statuses(kinds[i], i ? "status indexed" : "status");
    }
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("loans: written in place, killed ones not sent, overtaken ones sent later: ok");
    return 0;
}
