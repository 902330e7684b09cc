/* Threads of one C process: each becomes a member by itself, leaves when it ends, and what it held then
 * is treated as a dead one's. Explicit members, used from another thread. */
#include "check.h"

#include <pthread.h>

enum { THREADS = 8, EACH = 500, MOST = 32 };

static rialto_region_t region;
static rialto_queue_t queue;
static rialto_lock_t lock = RIALTO_LOCK_INIT;
static rialto_rlock_t rlock = RIALTO_RLOCK_INIT;
static rialto_tracked_semaphore_t semaphore;
static rialto_barrier_t barrier;

static uint32_t members(void)
{
    uint32_t members;
    EXPECT(rialto_region_member_count(&region, &members), RIALTO_OK);
    return members;
}

static void in_a_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *produce(void *argument)
{
    uint32_t from = *(const uint32_t *)argument;
    for (uint32_t i = 0; i < EACH; i++) {
        uint32_t number = from * EACH + i;
        EXPECT(rialto_queue_push(&queue, &number, sizeof number), RIALTO_OK);
    }
    return NULL;
}

static void *consume(void *argument)
{
    unsigned char *seen = (unsigned char *)argument;
    char buffer[MOST];
    size_t length;
    int status;
    while ((status = rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL)) == RIALTO_OK) {
        uint32_t number;
        CHECK(length == sizeof number);
        memcpy(&number, buffer, sizeof number);
        CHECK(number < THREADS * EACH);
        CHECK(!__atomic_exchange_n(&seen[number], 1, __ATOMIC_RELAXED));
    }
    CHECK(status == RIALTO_EPIPE);
    return NULL;
}

/* Many threads come and go: the table of 64 would be full if ended ones stayed. */
static void implicit_members(void)
{
    static unsigned char seen[THREADS * EACH];
    pthread_t producers[THREADS], consumers[THREADS];
    uint32_t numbers[THREADS];
    rialto_queue_config_t config;
    EXPECT(rialto_queue_config_default(16, MOST, &config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "numbers", &config, &queue), RIALTO_OK);
    CHECK(members() == 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&consumers[i], NULL, consume, seen) == 0);
        CHECK(pthread_create(&producers[i], NULL, produce, &numbers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(producers[i], NULL) == 0);
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(consumers[i], NULL) == 0);
    for (int i = 0; i < THREADS * EACH; i++)
        CHECK(seen[i]);
}

static void *push_once(void *argument)
{
    EXPECT(rialto_queue_push(&queue, argument, 1), RIALTO_OK);
    return NULL;
}

static void *pop_once(void *argument)
{
    char buffer[MOST];
    size_t length;
    CHECK(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL) >= 0);
    CHECK(length == 1 && buffer[0] == *(char *)argument);
    return NULL;
}

static void hundreds_of_short_threads(void)
{
    rialto_queue_config_t config;
    EXPECT(rialto_queue_config_default(16, MOST, &config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "short", &config, &queue), RIALTO_OK);
    for (int i = 0; i < 200; i++) {
        char byte = (char)i;
        in_a_thread(push_once, &byte);
        in_a_thread(pop_once, &byte);
    }
}

static void *die_holding(void *argument)
{
    rialto_peeked_t *peeked = (rialto_peeked_t *)argument;
    uint64_t permit;
    EXPECT(rialto_lock_acquire(&lock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OK);
    EXPECT(rialto_queue_peek(&queue, peeked), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &permit), RIALTO_OK);
    EXPECT(rialto_barrier_register(&barrier), RIALTO_OK);
    return NULL;
}

static void a_thread_ends_with_its_hands_full(void)
{
    rialto_peeked_t peeked;
    char buffer[MOST];
    size_t length;
    uint32_t attempt, index;
    uint64_t permit;
    EXPECT(rialto_tracked_semaphore_create(&region, "permit", 1, &semaphore), RIALTO_OK);
    EXPECT(rialto_barrier_create(&region, "barrier", 2, &barrier), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "t", 1), RIALTO_OK);
    in_a_thread(die_holding, &peeked);
    EXPECT(rialto_barrier_wait_timeout(&barrier, 20000 * MS, &index), RIALTO_EBROKEN);
    EXPECT(rialto_tracked_semaphore_acquire_timeout(&semaphore, 20000 * MS, &permit), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OWNER_DIED);
    EXPECT(rialto_rlock_mark_consistent(&rlock), RIALTO_OK);
    EXPECT(rialto_rlock_release(&rlock), RIALTO_OK);
    EXPECT(rialto_lock_acquire(&lock), RIALTO_OWNER_DIED);
    EXPECT(rialto_lock_mark_consistent(&lock), RIALTO_OK);
    EXPECT(rialto_lock_release(&lock), RIALTO_OK);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, 5000 * MS, &length, &attempt),
           RIALTO_REDELIVERED);
    CHECK(length == 1 && buffer[0] == 't' && attempt == 1);
}

static void *not_mine(void *argument)
{
    rialto_member_t *member = (rialto_member_t *)argument;
    EXPECT(rialto_lock_release(&lock), RIALTO_EPERM);
    EXPECT(rialto_lock_try_acquire(&lock), RIALTO_EAGAIN);
    EXPECT(rialto_member_leave(member), RIALTO_EPERM);
    return NULL;
}

struct pool {
    rialto_queue_t queue;
    rialto_peeked_t peeked;
};

/* A thread of a pool: acts as the member that the main thread answers for. */
static void *work_for_another(void *argument)
{
    struct pool *pool = (struct pool *)argument;
    EXPECT(rialto_queue_peek(&pool->queue, &pool->peeked), RIALTO_OK);
    return NULL;
}

static void *end_it(void *argument)
{
    EXPECT(rialto_peeked_release((rialto_peeked_t *)argument), RIALTO_OK);
    return NULL;
}

static void explicit_members(void)
{
    rialto_member_t member, second;
    struct pool pool;
    uint32_t id, other;
    size_t length;
    EXPECT(rialto_region_leave(&region), RIALTO_OK);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, NULL), RIALTO_OK);
    CHECK(members() == 0);
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_region_join(&region, &second), RIALTO_OK);
    EXPECT(rialto_member_id(&member, &id), RIALTO_OK);
    EXPECT(rialto_member_id(&second, &other), RIALTO_OK);
    CHECK(id >= 1 && other >= 1 && id != other && members() == 2);
    EXPECT(rialto_member_leave(&second), RIALTO_OK);
    EXPECT(rialto_member_leave(&second), RIALTO_EINVAL);
    EXPECT(rialto_member_id(&second, &other), RIALTO_EINVAL);
    CHECK(members() == 1);

    EXPECT(rialto_lock_acquire(&lock), RIALTO_OK);
    in_a_thread(not_mine, &member);
    EXPECT(rialto_lock_release(&lock), RIALTO_OK);

    EXPECT(rialto_queue_as_member(&queue, &member, &pool.queue), RIALTO_OK);
    EXPECT(rialto_queue_push(&pool.queue, "p", 1), RIALTO_OK);
    in_a_thread(work_for_another, &pool);
    CHECK(members() == 1); /* neither thread became one of its own */
    EXPECT(rialto_queue_len(&queue, &length), RIALTO_OK);
    CHECK(length == 0); /* in hand, although the thread that took it has ended */
    EXPECT(rialto_region_detach(&region), RIALTO_EBUSY);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    in_a_thread(end_it, &pool.peeked);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    CHECK(members() == 0);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 1 << 18, &config), RIALTO_OK);
    implicit_members();
    hundreds_of_short_threads();
    a_thread_ends_with_its_hands_full();
    explicit_members();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("threads: members come and go with their threads: ok");
    return 0;
}
