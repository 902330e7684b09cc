/* Batches between C processes: several messages with one call and one wake, of every kind of queue; a
 * consumer killed with a batch in hand; every status. */
#include "memory.h"

enum { MOST = 16, MESSAGES = 3000, BATCH = 7 };

static rialto_region_t region;

static void make(const char *name, const rialto_queue_config_t *config, rialto_queue_t *queue)
{
    EXPECT(rialto_queue_create(&region, name, config, queue), RIALTO_OK);
}

/* Two producers and one consumer; each producer's messages stay in order and whole. */
static void many_to_one(uint32_t kind, const char *name)
{
    rialto_queue_config_t config;
    rialto_queue_t queue;
    pid_t children[2];
    uint32_t seen[2] = {0, 0};
    EXPECT(rialto_queue_config_default(8, MOST, &config), RIALTO_OK);
    config.kind = kind;
    make(name, &config, &queue);
    for (uint32_t who = 0; who < 2; who++) {
        children[who] = spawn();
        if (children[who] != 0)
            continue;
        rialto_region_t view;
        region_elsewhere(&region, &view);
        EXPECT(rialto_queue_open(&view, name, &queue), RIALTO_OK);
        for (uint32_t sent = 0; sent < MESSAGES;) {
            uint32_t bodies[BATCH][2];
            rialto_message_t batch[BATCH];
            size_t left = MESSAGES - sent, count = BATCH, pushed;
            if (count > left)
                count = left;
            for (size_t i = 0; i < count; i++) {
                bodies[i][0] = who;
                bodies[i][1] = sent + (uint32_t)i;
                batch[i].bytes = bodies[i];
                batch[i].length_bytes = sizeof bodies[i];
            }
            EXPECT(rialto_queue_push_many(&queue, batch, count, &pushed), RIALTO_OK);
            CHECK(pushed == count); /* it waits for room for all */
            sent += (uint32_t)pushed;
        }
        EXPECT(rialto_region_detach(&view), RIALTO_OK);
        exit(0);
    }
    for (uint32_t got = 0; got < 2 * MESSAGES;) {
        char buffer[BATCH * MOST];
        rialto_popped_t batch[BATCH];
        size_t popped;
        EXPECT(rialto_queue_pop_many_timeout(&queue, buffer, sizeof buffer, 20000 * MS, batch, BATCH, &popped),
               RIALTO_OK);
        CHECK(popped >= 1 && popped <= BATCH);
        for (size_t i = 0; i < popped; i++) {
            uint32_t body[2];
            CHECK(batch[i].length_bytes == sizeof body && batch[i].attempt == 0);
            memcpy(body, buffer + i * MOST, sizeof body);
            CHECK(body[0] < 2 && body[1] == seen[body[0]]);
            seen[body[0]]++;
        }
        got += (uint32_t)popped;
    }
    CHECK(seen[0] == MESSAGES && seen[1] == MESSAGES);
    reap(children[0]);
    reap(children[1]);
}

/* A closer comes while a batch waits for room: part of it was sent, and we are told how much. */
static void closed_in_the_middle(void)
{
    rialto_queue_config_t config;
    rialto_queue_t queue;
    rialto_message_t batch[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    size_t pushed = 77;
    EXPECT(rialto_queue_config_default(2, MOST, &config), RIALTO_OK);
    make("middle", &config, &queue);
    pid_t sleeper = getpid();
    pid_t closer = spawn();
    if (closer == 0) {
        size_t length = 0;
        while (length < 2)
            EXPECT(rialto_queue_len(&queue, &length), RIALTO_OK);
        until_asleep(sleeper);
        EXPECT(rialto_queue_close(&queue), RIALTO_OK);
        exit(0);
    }
    EXPECT(rialto_queue_push_many_timeout(&queue, batch, 3, 20000 * MS, &pushed), RIALTO_OK);
    CHECK(pushed == 2);
    pushed = 77;
    EXPECT(rialto_queue_push_many(&queue, batch, 3, &pushed), RIALTO_EPIPE);
    CHECK(pushed == 77);
    reap(closer);
}

/* A batch in hand, of a joinable queue: its holder dies with all but one done. */
static void killed_with_a_batch(void)
{
    rialto_queue_config_t config;
    rialto_queue_t queue;
    struct gate has_them;
    rialto_message_t batch[4] = {{"0", 1}, {"1", 1}, {"2", 1}, {"3", 1}};
    rialto_popped_t popped[4];
    char buffer[4 * MOST];
    size_t count;
    gate_make(&has_them);
    EXPECT(rialto_queue_config_default(4, MOST, &config), RIALTO_OK);
    config.flags = RIALTO_QUEUE_JOINABLE;
    make("killed", &config, &queue);
    EXPECT(rialto_queue_push_many(&queue, batch, 4, &count), RIALTO_OK);
    CHECK(count == 4);
    pid_t victim = spawn();
    if (victim == 0) {
        EXPECT(rialto_queue_pop_many(&queue, buffer, sizeof buffer, popped, 4, &count), RIALTO_OK);
        CHECK(count == 4);
        for (size_t i = 0; i < 4; i++)
            if (i != 2)
                EXPECT(rialto_queue_task_done(&queue, &popped[i].ticket), RIALTO_OK);
        EXPECT(rialto_queue_task_done(&queue, &popped[1].ticket), RIALTO_EPERM);
        gate_open(&has_them);
        await_death();
    }
    gate_pass(&has_them);
    slay(victim);
    EXPECT(rialto_queue_pop_many_timeout(&queue, buffer, sizeof buffer, 20000 * MS, popped, 4, &count),
           RIALTO_REDELIVERED);
    CHECK(count == 1 && popped[0].attempt == 1 && popped[0].length_bytes == 1 && buffer[0] == '2');
    EXPECT(rialto_queue_task_done(&queue, &popped[0].ticket), RIALTO_OK);
    EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_OK);
    gate_close(&has_them);
}

static void statuses(void)
{
    rialto_queue_config_t config;
    rialto_queue_t queue;
    rialto_message_t batch[5] = {{"a", 1}, {NULL, 0}, {"ccc", 3}, {"dd", 2}, {"e", 1}};
    rialto_message_t long_one[2] = {{"a", 1}, {"too long for this queue", MOST + 1}};
    rialto_message_t bad_one[2] = {{"a", 1}, {NULL, 1}};
    rialto_popped_t popped[5];
    char buffer[5 * MOST];
    size_t count = 77;
    EXPECT(rialto_queue_config_default(4, MOST, &config), RIALTO_OK);
    make("status", &config, &queue);
    EXPECT(rialto_queue_push_many(&queue, long_one, 2, &count), RIALTO_EMSGSIZE);
    EXPECT(rialto_queue_try_push_many(&queue, bad_one, 2, &count), RIALTO_EINVAL);
    EXPECT(rialto_queue_try_pop_many(&queue, buffer, sizeof buffer, popped, 5, &count), RIALTO_EAGAIN);
    EXPECT(rialto_queue_pop_many_timeout(&queue, buffer, sizeof buffer, 0, popped, 5, &count), RIALTO_EAGAIN);
    EXPECT(rialto_queue_pop_many_timeout(&queue, buffer, sizeof buffer, 5 * MS, popped, 5, &count),
           RIALTO_ETIMEDOUT);
    CHECK(count == 77); /* nothing was sent, and nothing taken */
    EXPECT(rialto_queue_push_many(&queue, NULL, 0, &count), RIALTO_OK);
    CHECK(count == 0);
    EXPECT(rialto_queue_try_push_many(&queue, batch, 5, &count), RIALTO_OK);
    CHECK(count == 4);
    EXPECT(rialto_queue_try_push_many(&queue, batch + 4, 1, &count), RIALTO_EAGAIN);
    EXPECT(rialto_queue_push_many_timeout(&queue, batch + 4, 1, 5 * MS, &count), RIALTO_ETIMEDOUT);
    EXPECT(rialto_queue_pop_many(&queue, buffer, MOST - 1, popped, 5, &count), RIALTO_ENOBUFS);
    EXPECT(rialto_queue_pop_many(&queue, buffer, sizeof buffer, popped, 0, &count), RIALTO_EINVAL);
    EXPECT(rialto_queue_pop_many(&queue, buffer, 3 * MOST + 1, popped, 5, &count), RIALTO_OK);
    CHECK(count == 3); /* as many as fit */
    CHECK(popped[0].length_bytes == 1 && popped[1].length_bytes == 0 && popped[2].length_bytes == 3);
    CHECK(buffer[0] == 'a' && memcmp(buffer + 2 * MOST, "ccc", 3) == 0);
    EXPECT(rialto_queue_task_done(&queue, &popped[0].ticket), RIALTO_EPERM); /* not joinable */
    EXPECT(rialto_queue_try_pop_many(&queue, buffer, sizeof buffer, popped, 5, &count), RIALTO_OK);
    CHECK(count == 1 && popped[0].length_bytes == 2);
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    EXPECT(rialto_queue_pop_many(&queue, buffer, sizeof buffer, popped, 5, &count), RIALTO_EPIPE);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    many_to_one(RIALTO_QUEUE_RING, "ring");
    many_to_one(RIALTO_QUEUE_INDEXED, "indexed");
    closed_in_the_middle();
    killed_with_a_batch();
    statuses();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("batch: in order, in part when it must be, redelivered one by one: ok");
    return 0;
}
