/* What becomes of a message whose holder was killed: redelivered and set aside, dropped, or the queue stops;
 * in rings and indexed queues, popped and peeked. */
#include "memory.h"

enum { MOST = 16 };

static const uint32_t kinds[2] = {RIALTO_QUEUE_RING, RIALTO_QUEUE_INDEXED};
static rialto_region_t region;

static void make(const char *name, uint32_t kind, uint32_t on_death, uint32_t flags, rialto_queue_t *queue)
{
    rialto_queue_config_t config;
    EXPECT(rialto_queue_config_default(4, MOST, &config), RIALTO_OK);
    config.kind = kind;
    config.on_death = on_death;
    config.flags = flags;
    config.max_attempts = 1;
    EXPECT(rialto_queue_create(&region, name, &config, queue), RIALTO_OK);
}

/* A child takes the next message in hand, and is killed; somebody recovers it. */
static void die_with_a_message(rialto_queue_t *queue, bool peek, rialto_recovered_t *recovered)
{
    struct gate in_hand;
    gate_make(&in_hand);
    pid_t victim = spawn();
    if (victim == 0) {
        if (peek) {
            rialto_peeked_t peeked;
            CHECK(rialto_queue_peek(queue, &peeked) >= 0);
        } else {
            char buffer[MOST];
            size_t length;
            rialto_ticket_t ticket;
            CHECK(rialto_queue_pop_ticket(queue, buffer, sizeof buffer, &length, NULL, &ticket) >= 0);
        }
        gate_open(&in_hand);
        await_death();
    }
    gate_pass(&in_hand);
    slay(victim);
    gate_close(&in_hand);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, recovered), RIALTO_OK);
    CHECK(recovered->members == 1);
}

static uint64_t poisoned(const rialto_queue_t *queue)
{
    size_t messages;
    EXPECT(rialto_queue_poisoned(queue, &messages), RIALTO_OK);
    return messages;
}

static uint64_t dropped(const rialto_queue_t *queue)
{
    uint64_t messages;
    EXPECT(rialto_queue_dropped(queue, &messages), RIALTO_OK);
    return messages;
}

static bool is_empty(const rialto_queue_t *queue)
{
    bool answer;
    EXPECT(rialto_queue_is_empty(queue, &answer), RIALTO_OK);
    return answer;
}

/* At most once: gone, counted, and nobody waits for it. */
static void drop_and_count(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    rialto_recovered_t recovered;
    rialto_peeked_t peeked;
    char buffer[MOST];
    size_t length;
    rialto_ticket_t ticket;
    make(name, kind, RIALTO_ON_DEATH_DROP, RIALTO_QUEUE_JOINABLE, &queue);
    for (int i = 0; i < 2; i++) {
        EXPECT(rialto_queue_push(&queue, "dropped", 7), RIALTO_OK);
        EXPECT(rialto_queue_push(&queue, "kept", 4), RIALTO_OK);
        die_with_a_message(&queue, i == 1, &recovered);
        CHECK(recovered.dropped == 1 && recovered.redelivered == 0 && dropped(&queue) == (uint64_t)i + 1);
        EXPECT(rialto_queue_try_pop_ticket(&queue, buffer, sizeof buffer, &length, NULL, &ticket), RIALTO_OK);
        CHECK(length == 4);
        EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_EAGAIN);
        EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_OK);
        EXPECT(rialto_queue_join(&queue), RIALTO_OK);
        CHECK(is_empty(&queue) && poisoned(&queue) == 0);
    }
    /* Given back by somebody alive: that is no death. */
    EXPECT(rialto_queue_push(&queue, "again", 5), RIALTO_OK);
    EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_OK);
    EXPECT(rialto_peeked_abandon(&peeked), RIALTO_OK);
    EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_REDELIVERED);
    EXPECT(rialto_peeked_release(&peeked), RIALTO_OK);
    CHECK(dropped(&queue) == 2);
}

/* Nobody gets anything before somebody has looked at it. */
static void stop(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    rialto_recovered_t recovered;
    rialto_peeked_t peeked;
    rialto_popped_t batch[2];
    char buffer[2 * MOST];
    size_t length, count;
    uint32_t attempt;
    make(name, kind, RIALTO_ON_DEATH_STOP, 0, &queue);
    EXPECT(rialto_queue_push(&queue, "first", 5), RIALTO_OK);
    die_with_a_message(&queue, true, &recovered);
    EXPECT(rialto_queue_push(&queue, "second", 6), RIALTO_OK);
    CHECK(recovered.redelivered == 1 && poisoned(&queue) == 1);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EBADMSG);
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EBADMSG);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 20000 * MS, &length, NULL), RIALTO_EBADMSG);
    EXPECT(rialto_queue_pop_many(&queue, buffer, sizeof buffer, batch, 2, &count), RIALTO_EBADMSG);
    EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_EBADMSG);
    EXPECT(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 5 && memcmp(buffer, "first", 5) == 0);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_OK);
    CHECK(attempt == 0 && length == 6);
    CHECK(is_empty(&queue) && poisoned(&queue) == 0 && dropped(&queue) == 0);

    /* Also who sleeps when it happens is told. */
    struct gate in_hand;
    gate_make(&in_hand);
    EXPECT(rialto_queue_push(&queue, "third", 5), RIALTO_OK);
    pid_t victim = spawn();
    if (victim == 0) {
        EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_OK);
        gate_open(&in_hand);
        await_death();
    }
    gate_pass(&in_hand);
    pid_t killer = assassin(victim);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 20000 * MS, &length, NULL), RIALTO_EBADMSG);
    EXPECT(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_REDELIVERED);
    bury(victim);
    reap(killer);
    gate_close(&in_hand);
}

/* Once redelivered, then set aside; who joins does not wait for it. */
static void set_aside(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    rialto_recovered_t recovered;
    char buffer[MOST];
    size_t length;
    uint32_t attempt;
    rialto_ticket_t ticket;
    make(name, kind, RIALTO_ON_DEATH_REDELIVER, RIALTO_QUEUE_JOINABLE, &queue);
    EXPECT(rialto_queue_push(&queue, "poison", 6), RIALTO_OK);
    die_with_a_message(&queue, false, &recovered);
    CHECK(recovered.redelivered == 1 && poisoned(&queue) == 0);
    EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_EAGAIN);
    die_with_a_message(&queue, true, &recovered);
    CHECK(recovered.redelivered == 1 && poisoned(&queue) == 1);
    EXPECT(rialto_queue_try_pop_ticket(&queue, buffer, sizeof buffer, &length, &attempt, &ticket),
           RIALTO_EAGAIN);
    EXPECT(rialto_queue_join(&queue), RIALTO_OK);
    EXPECT(rialto_queue_take_poisoned_ticket(&queue, buffer, sizeof buffer, &length, &attempt, &ticket),
           RIALTO_REDELIVERED);
    CHECK(attempt == 2 && length == 6 && poisoned(&queue) == 0);
    EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_EAGAIN); /* in hand: unfinished */
    EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_OK);
    EXPECT(rialto_queue_join(&queue), RIALTO_OK);
    EXPECT(rialto_queue_take_poisoned_ticket(&queue, buffer, sizeof buffer, &length, &attempt, &ticket),
           RIALTO_EAGAIN);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    for (int i = 0; i < 2; i++) {
        drop_and_count(kinds[i], i ? "drop indexed" : "drop");
        stop(kinds[i], i ? "stop indexed" : "stop");
        set_aside(kinds[i], i ? "aside indexed" : "aside");
    }
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("policies: redelivered, dropped, or stopped: ok");
    return 0;
}
