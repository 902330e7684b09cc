/* Queue between C processes: producers and consumers, consumers killed with a message in hand; every
 * status a queue call can return. */
#include "check.h"

enum { MESSAGES = 2000, MOST = 64 };

struct message {
    uint32_t number;
    char text[32];
};

static rialto_region_t region;

/* A child's own view, at another address than the parent's. */
static void attach_elsewhere(rialto_region_t *view, rialto_queue_t *queue, const char *name)
{
    int fd;
    void *here, *there;
    EXPECT(rialto_region_fd(&region, &fd), RIALTO_OK);
    EXPECT(rialto_region_attach_fd(view, fd), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &here), RIALTO_OK);
    EXPECT(rialto_region_base(view, &there), RIALTO_OK);
    CHECK(here != there);
    EXPECT(rialto_queue_open(view, name, queue), RIALTO_OK);
}

static void make(const char *name, uint32_t slots, rialto_queue_t *queue)
{
    rialto_queue_config_t config;
    EXPECT(rialto_queue_config_default(slots, MOST, &config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, name, &config, queue), RIALTO_OK);
}

static void producer_and_consumer(void)
{
    rialto_queue_t queue;
    make("stream", 8, &queue);
    pid_t child = spawn();
    if (child == 0) {
        rialto_region_t view;
        attach_elsewhere(&view, &queue, "stream");
        for (uint32_t i = 0; i < MESSAGES; i++) {
            struct message message = {i, ""};
            int length = snprintf(message.text, sizeof message.text, "message %u", (unsigned)i);
            EXPECT(rialto_queue_push(&queue, &message, offsetof(struct message, text) + (size_t)length),
                   RIALTO_OK);
        }
        EXPECT(rialto_queue_close(&queue), RIALTO_OK);
        EXPECT(rialto_queue_push(&queue, "x", 1), RIALTO_EPIPE);
        EXPECT(rialto_region_detach(&view), RIALTO_OK);
        exit(0);
    }
    for (uint32_t i = 0; i < MESSAGES; i++) {
        union {
            struct message message;
            char bytes[MOST];
        } got;
        char text[32];
        size_t length;
        uint32_t attempt;
        EXPECT(rialto_queue_pop(&queue, &got, sizeof got, &length, &attempt), RIALTO_OK);
        int wanted = snprintf(text, sizeof text, "message %u", (unsigned)i);
        CHECK(attempt == 0 && got.message.number == i);
        CHECK(length == offsetof(struct message, text) + (size_t)wanted);
        CHECK(memcmp(got.message.text, text, (size_t)wanted) == 0);
    }
    char buffer[MOST];
    size_t length = 77;
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EPIPE);
    CHECK(length == 77); /* written only on success */
    reap(child);
}

/* A child that takes the next message in hand, and is killed. */
static void die_with_a_message(const char *name)
{
    struct gate in_hand;
    gate_make(&in_hand);
    pid_t child = spawn();
    if (child == 0) {
        rialto_region_t view;
        rialto_queue_t queue;
        rialto_peeked_t peeked;
        attach_elsewhere(&view, &queue, name);
        CHECK(rialto_queue_peek(&queue, &peeked) >= 0);
        gate_open(&in_hand);
        for (;;)
            pause();
    }
    gate_pass(&in_hand);
    slay(child);
    close(in_hand.ends[0]);
    close(in_hand.ends[1]);
}

static void redelivered_and_marked(void)
{
    rialto_queue_t queue;
    rialto_peeked_t peeked;
    const void *bytes;
    char buffer[MOST];
    size_t length;
    uint32_t attempt;

    make("deaths", 4, &queue);
    EXPECT(rialto_queue_push(&queue, "first", 5), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "second", 6), RIALTO_OK);
    die_with_a_message("deaths");
    /* A blocked caller recovers by itself; here somebody who only polls. */
    rialto_recovered_t recovered;
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
    CHECK(recovered.members == 1 && recovered.redelivered == 1 && recovered.freed == 0);
    die_with_a_message("deaths");
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_MARKED, NULL), RIALTO_OK);

    EXPECT(rialto_queue_peek_timeout(&queue, 5000 * MS, &peeked), RIALTO_REDELIVERED);
    EXPECT(rialto_peeked_attempt(&peeked, &attempt), RIALTO_OK);
    EXPECT(rialto_peeked_bytes(&peeked, &bytes, &length), RIALTO_OK);
    CHECK(attempt == 2 && length == 5 && memcmp(bytes, "first", 5) == 0);
    CHECK((uintptr_t)bytes % 16 == 0);
    EXPECT(rialto_peeked_abandon(&peeked), RIALTO_OK);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 3 && length == 5 && memcmp(buffer, "first", 5) == 0);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_OK);
    CHECK(attempt == 0 && length == 6 && memcmp(buffer, "second", 6) == 0);
}

static void a_blocked_consumer_inherits(void)
{
    rialto_queue_t queue;
    struct gate in_hand;
    gate_make(&in_hand);
    make("inherit", 4, &queue);
    EXPECT(rialto_queue_push(&queue, "only", 4), RIALTO_OK);
    pid_t victim = spawn();
    if (victim == 0) {
        rialto_region_t view;
        rialto_peeked_t peeked;
        attach_elsewhere(&view, &queue, "inherit");
        EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_OK);
        gate_open(&in_hand);
        for (;;)
            pause();
    }
    gate_pass(&in_hand);
    pid_t killer = spawn();
    if (killer == 0) {
        doze(50);
        kill(victim, SIGKILL);
        exit(0);
    }
    char buffer[MOST];
    size_t length;
    uint32_t attempt;
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 4 && memcmp(buffer, "only", 4) == 0);
    CHECK(waitpid(victim, NULL, 0) == victim);
    reap(killer);
}

static void poisoned(void)
{
    rialto_queue_t queue;
    rialto_queue_config_t config;
    char buffer[MOST];
    size_t length;
    uint32_t attempt;

    EXPECT(rialto_queue_config_default(4, MOST, &config), RIALTO_OK);
    config.max_attempts = 1;
    EXPECT(rialto_queue_create(&region, "poison", &config, &queue), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "bad", 3), RIALTO_OK);
    EXPECT(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_EAGAIN);
    for (int i = 0; i < 2; i++) {
        die_with_a_message("poison");
        EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_TICK, NULL), RIALTO_OK);
    }
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_EAGAIN);
    EXPECT(rialto_queue_take_poisoned(&queue, buffer, 1, &length, &attempt), RIALTO_ENOBUFS);
    EXPECT(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, &length, &attempt),
           RIALTO_REDELIVERED);
    CHECK(attempt == 2 && length == 3 && memcmp(buffer, "bad", 3) == 0);
}

static void statuses(void)
{
    rialto_queue_t queue, again;
    rialto_queue_config_t config;
    rialto_layout_t layout;
    rialto_peeked_t peeked = {{0}}, copy;
    char buffer[MOST] = "", small[4];
    size_t length, slots, most;
    bool closed;
    uint32_t attempt;

    make("status", 3, &queue); /* rounded up to 4 */
    EXPECT(rialto_queue_config_default(4, MOST, &config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "status", &config, &again), RIALTO_EEXIST);
    EXPECT(rialto_queue_create_timeout(&region, "status", &config, 0, &again), RIALTO_EEXIST);
    EXPECT(rialto_queue_create_timeout(&region, "later", &config, 1000 * MS, &again), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "", &config, &again), RIALTO_EINVAL);
    EXPECT(rialto_queue_create(&region, "a name of more than thirty-one b", &config, &again),
           RIALTO_EINVAL);
    EXPECT(rialto_queue_create(&region, "latin\xe9", &config, &again), RIALTO_EINVAL);
    EXPECT(rialto_queue_open(&region, "nowhere", &again), RIALTO_ENOENT);
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_OK);
    CHECK(layout.size == 1024 + 4 * 128 && layout.align == 128);
    config.slots = 65536;
    config.max_message_bytes = 1 << 30;
    EXPECT(rialto_queue_create(&region, "huge", &config, &again), RIALTO_ENOSPC);
    config.slots = 65537;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_EINVAL);
    EXPECT(rialto_queue_config_default(4, MOST, &config), RIALTO_OK);
    config.flags = 4;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_EINVAL);
    config.flags = RIALTO_QUEUE_KILL_ONLY;
    config.kind = 2;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_EINVAL);
    config.kind = RIALTO_QUEUE_RING;
    config.on_death = 3;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_EINVAL);
    config.on_death = RIALTO_ON_DEATH_REDELIVER;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_OK);
    config.max_attempts = 256 + 5;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_EINVAL);
    config.max_attempts = 5;
    config._reserved[1] = 1;
    EXPECT(rialto_queue_layout(&config, &layout), RIALTO_EINVAL);

    EXPECT(rialto_queue_capacity(&queue, &slots), RIALTO_OK);
    EXPECT(rialto_queue_max_message_bytes(&queue, &most), RIALTO_OK);
    EXPECT(rialto_queue_is_closed(&queue, &closed), RIALTO_OK);
    CHECK(slots == 4 && most == MOST && !closed);
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EAGAIN);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 0, &length, NULL), RIALTO_EAGAIN);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 5 * MS, &length, NULL),
           RIALTO_ETIMEDOUT);
    EXPECT(rialto_queue_try_peek(&queue, &peeked), RIALTO_EAGAIN);
    EXPECT(rialto_queue_peek_timeout(&queue, 5 * MS, &peeked), RIALTO_ETIMEDOUT);
    EXPECT(rialto_peeked_release(&peeked), RIALTO_EINVAL); /* never alive */

    EXPECT(rialto_queue_push(&queue, NULL, 0), RIALTO_OK); /* an empty message is one */
    EXPECT(rialto_queue_push(&queue, NULL, 1), RIALTO_EINVAL);
    EXPECT(rialto_queue_push(&queue, buffer, MOST + 1), RIALTO_EMSGSIZE);
    EXPECT(rialto_queue_push(&queue, buffer, (size_t)-1), RIALTO_EMSGSIZE);
    EXPECT(rialto_queue_try_push(&queue, "second", 6), RIALTO_OK);
    EXPECT(rialto_queue_push_timeout(&queue, "third", 5, 5 * MS), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "fourth", 6), RIALTO_OK);
    EXPECT(rialto_queue_try_push(&queue, "fifth", 5), RIALTO_EAGAIN);
    EXPECT(rialto_queue_push_timeout(&queue, "fifth", 5, 0), RIALTO_EAGAIN);
    EXPECT(rialto_queue_push_timeout(&queue, "fifth", 5, 5 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_queue_len(&queue, &length), RIALTO_OK);
    CHECK(length == 4);

    EXPECT(rialto_queue_pop(&queue, buffer, MOST - 1, &length, &attempt), RIALTO_ENOBUFS);
    EXPECT(rialto_queue_pop(&queue, NULL, MOST, &length, &attempt), RIALTO_EINVAL);
    length = 1;
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, &attempt), RIALTO_OK);
    CHECK(length == 0 && attempt == 0);

    rialto_queue_t moved = queue; /* a queue view may be copied */
    EXPECT(rialto_queue_peek(&moved, &peeked), RIALTO_OK);
    EXPECT(rialto_peeked_copy(&peeked, small, sizeof small, &length), RIALTO_OK);
    CHECK(length == 4 && memcmp(small, "seco", 4) == 0);
    EXPECT(rialto_peeked_copy(&peeked, buffer, sizeof buffer, NULL), RIALTO_OK);
    CHECK(memcmp(buffer, "second", 6) == 0);
    EXPECT(rialto_region_leave(&region), RIALTO_EBUSY);
    EXPECT(rialto_region_detach(&region), RIALTO_EBUSY);
    copy = peeked; /* a peeked view may not */
    EXPECT(rialto_peeked_release(&copy), RIALTO_EINVAL);
    EXPECT(rialto_peeked_release(&peeked), RIALTO_OK);
    EXPECT(rialto_peeked_release(&peeked), RIALTO_EINVAL); /* not twice */
    EXPECT(rialto_peeked_abandon(&peeked), RIALTO_EINVAL);
    EXPECT(rialto_peeked_attempt(&peeked, &attempt), RIALTO_EINVAL);

    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    EXPECT(rialto_queue_is_closed(&queue, &closed), RIALTO_OK);
    CHECK(closed);
    EXPECT(rialto_queue_try_push(&queue, "late", 4), RIALTO_EPIPE);
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_OK);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 5 * MS, &length, NULL), RIALTO_OK);
    EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_EPIPE);
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EPIPE);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    producer_and_consumer();
    redelivered_and_marked();
    a_blocked_consumer_inherits();
    poisoned();
    statuses();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("queue: producers and consumers in C, killed ones redelivered: ok");
    return 0;
}
