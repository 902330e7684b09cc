/* Golden sizes and offsets: what two builds must agree on. The Rust side asserts that its types fit; a
 * change here is a new version of the ABI. What is in shared memory is the same for 32 and 64 bits; structs that
 * are passed in calls have pointers of P bytes. */
#include "check.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLACE(type, field, offset, bytes)                                                         \
    _Static_assert(offsetof(type, field) == (offset), "offset of " #type "." #field);             \
    _Static_assert(sizeof(((type *)0)->field) == (bytes), "size of " #type "." #field)

enum { P = sizeof(void *) };

/* What lives in shared memory and stands alone. */
#define ALONE(type)                                                                               \
    SIZE(type, 64);                                                                               \
    _Static_assert(_Alignof(type) == 64, "alignment of " #type);                                  \
    PLACE(type, _private, 0, 64)

ALONE(rialto_lock_t);
ALONE(rialto_rlock_t);
ALONE(rialto_event_t);
ALONE(rialto_semaphore_t);
ALONE(rialto_condition_t);

SIZE(rialto_layout_t, 16);
PLACE(rialto_layout_t, size, 0, 8);
PLACE(rialto_layout_t, align, 8, 8);

SIZE(rialto_region_config_t, 32);
PLACE(rialto_region_config_t, members, 0, 4);
PLACE(rialto_region_config_t, objects, 4, 4);
PLACE(rialto_region_config_t, tick_ms, 8, 4);
PLACE(rialto_region_config_t, _reserved, 12, 20);

SIZE(rialto_queue_config_t, 32);
PLACE(rialto_queue_config_t, slots, 0, 4);
PLACE(rialto_queue_config_t, max_message_bytes, 4, 4);
PLACE(rialto_queue_config_t, max_attempts, 8, 4);
PLACE(rialto_queue_config_t, flags, 12, 4);
PLACE(rialto_queue_config_t, kind, 16, 4);
PLACE(rialto_queue_config_t, on_death, 20, 4);
PLACE(rialto_queue_config_t, _reserved, 24, 8);

SIZE(rialto_pipe_config_t, 32);
PLACE(rialto_pipe_config_t, ring_bytes, 0, 4);
PLACE(rialto_pipe_config_t, max_message_bytes, 4, 4);
PLACE(rialto_pipe_config_t, flags, 8, 4);
PLACE(rialto_pipe_config_t, _reserved, 12, 20);

SIZE(rialto_spsc_config_t, 32);
PLACE(rialto_spsc_config_t, slots, 0, 4);
PLACE(rialto_spsc_config_t, max_message_bytes, 4, 4);
PLACE(rialto_spsc_config_t, max_attempts, 8, 4);
PLACE(rialto_spsc_config_t, on_death, 12, 4);
PLACE(rialto_spsc_config_t, _reserved, 16, 16);

SIZE(rialto_message_t, 2 * P);
PLACE(rialto_message_t, bytes, 0, P);
PLACE(rialto_message_t, length_bytes, P, P);

SIZE(rialto_ticket_t, 16);
SIZE(rialto_popped_t, 2 * P + 16);
PLACE(rialto_popped_t, length_bytes, 0, P);
PLACE(rialto_popped_t, attempt, P, 1);
PLACE(rialto_popped_t, ticket, 2 * P, 16);

SIZE(rialto_recovered_t, 32);
PLACE(rialto_recovered_t, members, 0, 4);
PLACE(rialto_recovered_t, redelivered, 4, 4);
PLACE(rialto_recovered_t, freed, 8, 4);
PLACE(rialto_recovered_t, dropped, 12, 4);
PLACE(rialto_recovered_t, permits, 16, 4);
PLACE(rialto_recovered_t, broken, 20, 4);
PLACE(rialto_recovered_t, ends, 24, 4);

SIZE(rialto_region_t, 128);
SIZE(rialto_queue_t, 192);
SIZE(rialto_member_t, 64);
SIZE(rialto_peeked_t, 256);
SIZE(rialto_reserved_t, 256);
SIZE(rialto_spsc_t, 192);
SIZE(rialto_producer_t, 320);
SIZE(rialto_consumer_t, 320);
SIZE(rialto_tracked_semaphore_t, 64);
SIZE(rialto_barrier_t, 128);
SIZE(rialto_pipe_t, 256);
SIZE(rialto_connection_t, 384);
SIZE(rialto_value_t, 64);
SIZE(rialto_array_t, 64);
SIZE(rialto_list_t, 128);
SIZE(rialto_dict_t, 128);
SIZE(rialto_namespace_t, 128);

SIZE(rialto_pair_t, 4 * P);
PLACE(rialto_pair_t, key, 0, 2 * P);
PLACE(rialto_pair_t, value, 2 * P, 2 * P);
SIZE(rialto_pair_lengths_t, 8);
PLACE(rialto_pair_lengths_t, key_bytes, 0, 4);
PLACE(rialto_pair_lengths_t, value_bytes, 4, 4);

SIZE(rialto_attribute_t, 32 + P);
PLACE(rialto_attribute_t, type, 0, 4);
PLACE(rialto_attribute_t, boolean, 4, 1);
PLACE(rialto_attribute_t, length_bytes, 8, P);
PLACE(rialto_attribute_t, i64, 8 + P, 8);
PLACE(rialto_attribute_t, u64, 16 + P, 8);
PLACE(rialto_attribute_t, f64, 24 + P, 8);

SIZE(rialto_child_t, 8 + 5 * P);
PLACE(rialto_child_t, entry, 0, P);
PLACE(rialto_child_t, name, P, P);
PLACE(rialto_child_t, args, 2 * P, P);
PLACE(rialto_child_t, args_bytes, 3 * P, P);
PLACE(rialto_child_t, fds, 4 * P, P);
PLACE(rialto_child_t, fd_count, 5 * P, 4);
PLACE(rialto_child_t, flags, 4 + 5 * P, 4);
SIZE(rialto_entry_t, 3 * P);
PLACE(rialto_entry_t, name, 0, P);
PLACE(rialto_entry_t, run, P, P);
PLACE(rialto_entry_t, context, 2 * P, P);
SIZE(rialto_process_config_t, 32 + 7 * P);
PLACE(rialto_process_config_t, name, 0, P);
PLACE(rialto_process_config_t, args, P, P);
PLACE(rialto_process_config_t, args_bytes, 2 * P, P);
PLACE(rialto_process_config_t, fds, 3 * P, P);
PLACE(rialto_process_config_t, fd_count, 4 * P, 4);
PLACE(rialto_process_config_t, flags, 4 + 4 * P, 4);
PLACE(rialto_process_config_t, method, 8 + 4 * P, 4);
PLACE(rialto_process_config_t, _reserved_word, 12 + 4 * P, 4);
PLACE(rialto_process_config_t, program, 16 + 4 * P, P);
PLACE(rialto_process_config_t, argv, 16 + 5 * P, P);
PLACE(rialto_process_config_t, server, 16 + 6 * P, P);
PLACE(rialto_process_config_t, _reserved, 16 + 7 * P, 16);
SIZE(rialto_process_t, 128);
SIZE(rialto_forkserver_t, 128);
SIZE(rialto_current_t, 40);
PLACE(rialto_current_t, name, 0, 32);
PLACE(rialto_current_t, pid, 32, 4);
PLACE(rialto_current_t, flags, 36, 4);

SIZE(rialto_pool_config_t, 48 + 3 * P);
PLACE(rialto_pool_config_t, workers, 0, 4);
PLACE(rialto_pool_config_t, slots, 4, 4);
PLACE(rialto_pool_config_t, max_task_bytes, 8, 4);
PLACE(rialto_pool_config_t, max_result_bytes, 12, 4);
PLACE(rialto_pool_config_t, retries, 16, 4);
PLACE(rialto_pool_config_t, tasks_per_worker, 20, 4);
PLACE(rialto_pool_config_t, timeout_ns, 24, 8);
PLACE(rialto_pool_config_t, initializer, 32, P);
PLACE(rialto_pool_config_t, argument, 32 + P, P);
PLACE(rialto_pool_config_t, argument_bytes, 32 + 2 * P, P);
PLACE(rialto_pool_config_t, _reserved, 32 + 3 * P, 16);
SIZE(rialto_pool_t, 64);
SIZE(rialto_report_t, 24 + 2 * P);
PLACE(rialto_report_t, task, 0, 8);
PLACE(rialto_report_t, result, 8, P);
PLACE(rialto_report_t, result_bytes, 8 + P, P);
PLACE(rialto_report_t, outcome, 8 + 2 * P, 4);
PLACE(rialto_report_t, code, 12 + 2 * P, 4);
PLACE(rialto_report_t, attempt, 16 + 2 * P, 4);
PLACE(rialto_report_t, _reserved, 20 + 2 * P, 4);
SIZE(rialto_worker_t, 24);
PLACE(rialto_worker_t, pid, 0, 4);
PLACE(rialto_worker_t, is_busy, 4, 1);
PLACE(rialto_worker_t, busy_ns, 8, 8);
PLACE(rialto_worker_t, done, 16, 8);
SIZE(rialto_progress_t, 40 + 64 * 24);
PLACE(rialto_progress_t, submitted, 0, 8);
PLACE(rialto_progress_t, ended, 8, 8);
PLACE(rialto_progress_t, redone, 16, 8);
PLACE(rialto_progress_t, pending, 24, 4);
PLACE(rialto_progress_t, running, 28, 4);
PLACE(rialto_progress_t, workers, 32, 4);
PLACE(rialto_progress_t, _reserved, 36, 4);
PLACE(rialto_progress_t, worker, 40, 64 * 24);
SIZE(rialto_function_t, 3 * P);
PLACE(rialto_function_t, name, 0, P);
PLACE(rialto_function_t, run, P, P);
PLACE(rialto_function_t, context, 2 * P, P);
SIZE(rialto_output_t, 8);

/* A lock in the user's own struct. */
struct embeds {
    char before;
    rialto_lock_t lock;
    char after;
};
_Static_assert(offsetof(struct embeds, lock) == 64, "a lock keeps its alignment");
SIZE(struct embeds, 192);

static struct embeds initialised = {1, RIALTO_LOCK_INIT, 2};

/* The bytes of a free lock, as LAYOUT.md has them: what C initialises, Rust understands. */
static void lock_bytes(void)
{
    uint32_t words[16], free_lock[16] = {0x4b434c52, 0x84};
    rialto_lock_t made;
    memcpy(words, &initialised.lock, sizeof words);
    CHECK(memcmp(words, free_lock, sizeof words) == 0);
    CHECK(memcmp(&initialised.lock, "RLCK\x84\0\0\0\0\0\0", 12) == 0);
    memset(&made, 0xff, sizeof made);
    EXPECT(rialto_lock_init(&made), RIALTO_OK);
    CHECK(memcmp(&made, &initialised.lock, sizeof made) == 0);

    /* Held: the word at 8, in the kernel's robust-futex format, holds this thread's id. */
    EXPECT(rialto_lock_acquire(&initialised.lock), RIALTO_OK);
    memcpy(words, &initialised.lock, sizeof words);
    CHECK(words[2] == (uint32_t)getpid() && words[3] == 0);
    EXPECT(rialto_lock_release(&initialised.lock), RIALTO_OK);
    memcpy(words, &initialised.lock, sizeof words);
    CHECK(words[2] == 0);
}

/* Of the other objects that stand alone: the first `words`, the rest is zero. */
static void expect_words(const void *object, const char *magic, const uint32_t *words, size_t count)
{
    uint32_t wanted[16] = {0};
    memcpy(wanted + 1, words, count * sizeof *words);
    memcpy(wanted, magic, 4);
    CHECK(memcmp(object, wanted, sizeof wanted) == 0);
}
#define EXPECT_WORDS(object, magic, ...)                                                          \
    expect_words((object), (magic), (uint32_t[]){__VA_ARGS__},                                    \
                 sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* As LAYOUT.md has them: fresh ones, and what changes in use. Nobody sleeps here, so eventcounts stay 0. */
static void bytes_of_the_others(void)
{
    static rialto_rlock_t rlock = RIALTO_RLOCK_INIT;
    static rialto_event_t event = RIALTO_EVENT_INIT;
    static rialto_semaphore_t semaphore = RIALTO_SEMAPHORE_INIT(3);
    static rialto_semaphore_t bounded = RIALTO_BOUNDED_SEMAPHORE_INIT(3);
    static rialto_condition_t condition = RIALTO_CONDITION_INIT;
    EXPECT_WORDS(&rlock, "RRLK", 0x84);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OK);
    CHECK(rlock._private[2] == (uint32_t)getpid());
    CHECK(rlock._private[14] == 2 && rlock._private[15] == 0); /* the count, 8 bytes at 56 */
    EXPECT(rialto_rlock_release(&rlock), RIALTO_OK);
    EXPECT(rialto_rlock_release(&rlock), RIALTO_OK);

    EXPECT_WORDS(&event, "REVT", 0, 0);
    EXPECT(rialto_event_set(&event), RIALTO_OK);
    EXPECT(rialto_event_set(&event), RIALTO_OK);
    EXPECT_WORDS(&event, "REVT", 0, 1);
    EXPECT(rialto_event_clear(&event), RIALTO_OK);
    EXPECT_WORDS(&event, "REVT", 0, 2);
    EXPECT_WORDS(&semaphore, "RSEM", 0, 3, INT32_MAX);
    EXPECT(rialto_semaphore_acquire(&semaphore), RIALTO_OK);
    EXPECT_WORDS(&semaphore, "RSEM", 0, 2, INT32_MAX);
    EXPECT_WORDS(&bounded, "RSEM", 0, 3, 3);
    EXPECT_WORDS(&condition, "RCND", 0, 0);
    EXPECT(rialto_condition_notify(&condition, 5), RIALTO_OK);
    EXPECT_WORDS(&condition, "RCND", 0, 1);
}

/* The places in a region that LAYOUT.md names. */
static void region_bytes(void)
{
    rialto_region_t region;
    rialto_region_config_t config;
    rialto_queue_config_t queue_config;
    rialto_queue_t queue;
    void *base;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_queue_config_default(4, 20, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "golden", &queue_config, &queue), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "payload", 7), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    const unsigned char *bytes = base;
    const uint32_t *words = base;
    const uint64_t *longs = base;
    CHECK(memcmp(bytes, "RIALTO\0\0", 8) == 0);
    CHECK(words[2] == RIALTO_LAYOUT_VERSION && words[3] == 0 && longs[2] == 65536);
    CHECK(words[6] == 64 && words[7] == 32 && words[8] == 100);
    CHECK(memcmp(bytes + 64, &initialised.lock, 12) == 0);
    /* directory at 256: ready, queue, offset, size, name */
    const unsigned char *entry = bytes + 256;
    uint64_t offset, size;
    memcpy(&offset, entry + 8, 8);
    memcpy(&size, entry + 16, 8);
    CHECK(entry[0] == 2 && entry[4] == 1 && memcmp(entry + 32, "golden\0", 7) == 0);
    CHECK(offset == 256 + 32 * 64 + 64 * 64 + 80 * 64 && offset % 128 == 0);
    CHECK(size == 1280); /* 1024 + 4 slots of 64 */
    /* member cells at 2304 */
    CHECK(memcmp(bytes + 2304, "RLTM\x84\0\0\0", 8) == 0);
    /* the queue, and its first slot at 1024 */
    const unsigned char *at = bytes + offset;
    CHECK(memcmp(at, "RLTQ", 4) == 0 && at[8] == 2 && at[12] == 20 && at[16] == 64 && at[20] == 5);
    CHECK(at[4] == 0); /* a ring, stop-safe, not joinable, redelivers */
    CHECK(at[1024 + 8] == 7 && memcmp(at + 1024 + 16, "payload", 7) == 0);
    CHECK((at[1024] & 7) == 2); /* full */
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

static uint64_t word_at(const void *base, size_t offset)
{
    uint64_t word;
    memcpy(&word, (const char *)base + offset, sizeof word);
    return word;
}

/* A queue's flags, stamps and signals; and the entries of an indexed one. */
static void bytes_of_queues(void)
{
    rialto_region_t region;
    rialto_region_config_t config;
    rialto_queue_config_t queue_config;
    rialto_queue_t queue;
    rialto_ticket_t ticket;
    void *base;
    char buffer[20];
    size_t length;
    bool is_ready;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_queue_config_default(4, 20, &queue_config), RIALTO_OK);
    queue_config.flags = RIALTO_QUEUE_JOINABLE | RIALTO_QUEUE_KILL_ONLY;
    queue_config.on_death = RIALTO_ON_DEATH_STOP;
    EXPECT(rialto_queue_create(&region, "joinable", &queue_config, &queue), RIALTO_OK);
    const char *at = (const char *)base + word_at((const char *)base + 256, 8);
    CHECK(at[4] == (1 | 4 | 2 << 4));
    EXPECT(rialto_queue_push(&queue, "payload", 7), RIALTO_OK);
    CHECK(word_at(at, 1024 + 8) == 7); /* its length; no stamp */
    EXPECT(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, NULL, &ticket), RIALTO_OK);
    CHECK(word_at(at, 1024 + 8) == (UINT64_C(1) << 63 | 7)); /* in hand, turn 0, attempt 0 */
    CHECK((at[1024] & 7) == 3);
    EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_OK);
    CHECK(word_at(at, 1024 + 8) == 7);
    EXPECT(rialto_queue_arm_data(&queue, &is_ready), RIALTO_OK);
    EXPECT(rialto_queue_arm_space(&queue, &is_ready), RIALTO_OK);
    CHECK(word_at(at, 256) == UINT64_C(3) << 32); /* nobody sleeps; one who polls, generation 1 */
    CHECK(word_at(at, 384) == UINT64_C(3) << 32);
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    CHECK(at[128] == 1 && word_at(at, 136) == 0);

    EXPECT(rialto_queue_config_default(4, 20, &queue_config), RIALTO_OK);
    queue_config.kind = RIALTO_QUEUE_INDEXED;
    queue_config.on_death = RIALTO_ON_DEATH_DROP;
    EXPECT(rialto_queue_create(&region, "indexed", &queue_config, &queue), RIALTO_OK);
    const char *entry = (const char *)base + 256 + 64;
    CHECK(word_at(entry, 16) == 1664 + 256); /* 1536 + 8 entries of 16, then 4 blocks of 64 */
    at = (const char *)base + word_at(entry, 8);
    CHECK(at[4] == (2 | 1 << 4) && at[8] == 2 && at[16] == 64);
    EXPECT(rialto_queue_push(&queue, "first", 5), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "second", 6), RIALTO_OK);
    CHECK((word_at(at, 1536) & 7) == 2 && word_at(at, 1536 + 8) == 0);
    CHECK((word_at(at, 1552) & 7) == 2 && word_at(at, 1552 + 8) == 1);
    CHECK((word_at(at, 1664 + 64) & 7) == 2 && at[1664 + 64 + 8] == 6);
    CHECK(memcmp(at + 1664 + 64 + 16, "second", 6) == 0);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

/* Directory kinds 2 and 3, and what they name. */
static void bytes_of_semaphore_and_barrier(void)
{
    rialto_region_t region;
    rialto_region_config_t config;
    rialto_tracked_semaphore_t semaphore;
    rialto_barrier_t barrier;
    rialto_member_t member;
    void *base;
    uint64_t permit;
    uint32_t id, index;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_create(&region, "permits", 3, &semaphore), RIALTO_OK);
    EXPECT(rialto_barrier_create(&region, "barrier", 2, &barrier), RIALTO_OK);
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_member_id(&member, &id), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_as_member(&semaphore, &member, &semaphore), RIALTO_OK);
    EXPECT(rialto_barrier_as_member(&barrier, &member, &barrier), RIALTO_OK);
    const char *entries = (const char *)base + 256;
    CHECK(entries[0] == 2 && entries[4] == 2 && memcmp(entries + 32, "permits\0", 8) == 0);
    CHECK(entries[64] == 2 && entries[64 + 4] == 3 && memcmp(entries + 96, "barrier\0", 8) == 0);

    const char *at = (const char *)base + word_at(entries, 8);
    CHECK(word_at(entries, 16) == 384); /* 256 + 3 words of 8, rounded up to 128 */
    CHECK(memcmp(at, "RLTS\3\0\0\0", 8) == 0 && word_at(at, 128) == 0);
    for (uint64_t i = 0; i < 3; i++)
        CHECK(word_at(at, 256 + 8 * i) == i); /* free: generation 0, nobody's, its index */
    EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &permit), RIALTO_OK);
    CHECK((permit & 0xffff) < 3 && permit == ((permit & 0xffff) | (uint64_t)id << 16));
    CHECK(word_at(at, 256 + 8 * (permit & 0xffff)) == permit);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_OK);
    CHECK(word_at(at, 256 + 8 * (permit & 0xffff)) == (UINT64_C(1) << 28 | (permit & 0xffff)));

    at = (const char *)base + word_at(entries + 64, 8);
    CHECK(word_at(entries + 64, 16) == 640); /* 512 + 2 x 3 words of 8, rounded up to 128 */
    CHECK(memcmp(at, "RLTB\2\0\0\0", 8) == 0);
    CHECK(word_at(at, 128) == 0 && word_at(at, 256) == 0 && word_at(at, 384) == 0);
    EXPECT(rialto_barrier_register(&barrier), RIALTO_OK);
    CHECK((word_at(at, 512) & 0xfff) == id);
    EXPECT(rialto_barrier_unregister(&barrier), RIALTO_OK);
    CHECK(word_at(at, 512) == 1 << 12);
    EXPECT(rialto_barrier_wait_timeout(&barrier, 0, &index), RIALTO_ETIMEDOUT);
    CHECK(word_at(at, 128) == 1);             /* broken */
    CHECK(word_at(at, 512 + 2 * 8) == 0);     /* its place in the even generation, left again */
    EXPECT(rialto_barrier_reset(&barrier), RIALTO_OK);
    CHECK(word_at(at, 128) == 1 << 12);       /* completed 0, resets 1 */
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);

    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_barrier_create(&region, "alone", 1, &barrier), RIALTO_OK);
    at = (const char *)base + word_at((const char *)base + 256, 8);
    EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_OK);
    CHECK(word_at(at, 128) == UINT64_C(1) << 38); /* completed 1 */
    CHECK(word_at(at, 512 + 8) == 0);             /* even, tag 0 */
    EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_OK);
    CHECK(word_at(at, 512 + 2 * 8) == UINT64_C(1) << 38); /* odd, tag 1 */
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

static uint32_t half_at(const void *base, size_t offset)
{
    uint32_t word;
    memcpy(&word, (const char *)base + offset, sizeof word);
    return word;
}

/* Directory kind 5: its ends, signals and streams. */
static void bytes_of_pipe(void)
{
    rialto_region_t region;
    rialto_region_config_t config;
    rialto_pipe_config_t pipe_config;
    rialto_pipe_t pipe;
    rialto_connection_t ends[2];
    rialto_member_t member;
    void *base;
    char buffer[600];
    size_t length;
    uint32_t id;
    bool is_ready;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_pipe_config_default(1000, &pipe_config), RIALTO_OK);
    pipe_config.max_message_bytes = 600;
    EXPECT(rialto_pipe_create(&region, "pipe", &pipe_config, &pipe), RIALTO_OK);
    const char *entry = (const char *)base + 256;
    CHECK(entry[0] == 2 && entry[4] == 5 && memcmp(entry + 32, "pipe\0", 5) == 0);
    CHECK(word_at(entry, 16) == 1408 + 2 * (1024 + 128));
    const char *at = (const char *)base + word_at(entry, 8);
    CHECK(memcmp(at, "RLTP", 4) == 0 && half_at(at, 4) == 1);
    CHECK(half_at(at, 8) == 1024 && half_at(at, 12) == 600);
    CHECK(half_at(at, 128) == 0 && half_at(at, 256) == 0); /* nobody's */

    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_member_id(&member, &id), RIALTO_OK);
    for (uint32_t end = 0; end < 2; end++) {
        EXPECT(rialto_pipe_connect_as(&pipe, &member, end, &ends[end]), RIALTO_OK);
        CHECK(half_at(at, 128 + 128 * end) == (id << 8 | 1));
    }
    const char *stream = at + 1408 + 1024 + 128; /* of way 0; way 1's is before it */
    EXPECT(rialto_connection_send(&ends[0], "payload", 7), RIALTO_OK);
    CHECK(half_at(stream, 8) == 7 + 1 && half_at(stream, 12) == 7);
    CHECK(memcmp(stream + 16, "payload", 7) == 0 && half_at(stream, 16 + 8) == 0);
    EXPECT(rialto_connection_send(&ends[1], "back", 4), RIALTO_OK);
    CHECK(half_at(at, 1408 + 8) == 4 + 1 && memcmp(at + 1408 + 16, "back", 4) == 0);
    CHECK(half_at(at, 384 + 384) == 0 && half_at(at, 896 + 384) == 0);
    EXPECT(rialto_connection_recv(&ends[1], buffer, sizeof buffer, &length), RIALTO_OK);
    CHECK(half_at(at, 384 + 384) == 16 && half_at(at, 896 + 384) == 0); /* heads */

    /* In chunks: the first says how long the whole is, the next how much came before. */
    memset(buffer, 'x', sizeof buffer);
    EXPECT(rialto_connection_send(&ends[0], buffer, 600), RIALTO_OK);
    CHECK(half_at(stream, 16 + 8) == 252 + 1 && half_at(stream, 16 + 12) == 600);
    CHECK(half_at(stream, 16 + 272 + 8) == 252 + 1 && half_at(stream, 16 + 272 + 12) == (1u << 31 | 252));
    EXPECT(rialto_connection_recv(&ends[1], buffer, sizeof buffer, &length), RIALTO_OK);
    CHECK(length == 600);

    EXPECT(rialto_connection_arm_data(&ends[1], &is_ready), RIALTO_OK);
    EXPECT(rialto_connection_arm_space(&ends[0], 1, &is_ready), RIALTO_OK);
    CHECK(word_at(at, 384) == UINT64_C(3) << 32 && word_at(at, 384 + 128) == UINT64_C(3) << 32);
    CHECK(word_at(at, 896) == 0 && word_at(at, 896 + 128) == 0);
    EXPECT(rialto_connection_close(&ends[0]), RIALTO_OK);
    CHECK(half_at(at, 128) == 2 && half_at(at, 256) == (id << 8 | 1));
    EXPECT(rialto_connection_close(&ends[1]), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

/* Directory kind 4: its ends, its words, and records that wrap. */
static void bytes_of_spsc(void)
{
    rialto_region_t region;
    rialto_region_config_t config;
    rialto_spsc_config_t spsc_config;
    rialto_spsc_t spsc;
    rialto_producer_t producer;
    rialto_consumer_t consumer;
    rialto_member_t member;
    void *base;
    char buffer[24];
    const void *message;
    size_t length;
    uint32_t id, word;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_spsc_config_default(2, 24, &spsc_config), RIALTO_OK);
    spsc_config.on_death = RIALTO_ON_DEATH_STOP;
    EXPECT(rialto_spsc_create(&region, "stream", &spsc_config, &spsc), RIALTO_OK);
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_member_id(&member, &id), RIALTO_OK);
    EXPECT(rialto_spsc_as_member(&spsc, &member, &spsc), RIALTO_OK);
    const char *entry = (const char *)base + 256;
    CHECK(entry[0] == 2 && entry[4] == 4 && memcmp(entry + 32, "stream\0", 7) == 0);
    CHECK(word_at(entry, 16) == 896); /* 768 + 3 records of 32, 16 more, rounded up to 128 */
    const char *at = (const char *)base + word_at(entry, 8);
    CHECK(memcmp(at, "RLT1\2\0\0\0", 8) == 0);
    CHECK(at[8] == 2 && at[12] == 24 && at[16] == 96 && at[20] == 5);
    CHECK(word_at(at, 512) == 0 && word_at(at, 640) == 0); /* owner, tail; owner, head */
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
    memcpy(&word, at + 512, 4);
    CHECK(word == (1u << 13 | id));
    memcpy(&word, at + 640, 4);
    CHECK(word == (1u << 13 | id));
    EXPECT(rialto_producer_push(&producer, "payload", 7), RIALTO_OK);
    CHECK(word_at(at, 768 + 8) == 8 && memcmp(at + 768 + 16, "payload", 7) == 0); /* length + 1; no tag */
    memcpy(&word, at + 516, 4);
    CHECK((word & ~1u) == 0 || (word & ~1u) == 16); /* the last record, or behind it */
    EXPECT(rialto_consumer_peek(&consumer, &message, &length, NULL), RIALTO_OK);
    memcpy(&word, at + 644, 4);
    CHECK(word == 1 && message == at + 768 + 16); /* at 0, in hand once */
    EXPECT(rialto_consumer_release(&consumer), RIALTO_OK);
    memcpy(&word, at + 644, 4);
    CHECK(word == 16);
    EXPECT(rialto_producer_push(&producer, buffer, 24), RIALTO_OK); /* 16..48 */
    EXPECT(rialto_producer_push(&producer, buffer, 24), RIALTO_OK); /* 48..80 */
    EXPECT(rialto_consumer_pop(&consumer, buffer, 24, &length, NULL), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, buffer, 24), RIALTO_OK); /* has no room at 80..96: at 0 */
    memcpy(&word, at + 768 + 80 + 8, 4);
    CHECK(word == UINT32_MAX);
    memcpy(&word, at + 768 + 8, 4);
    CHECK(word == 25);
    EXPECT(rialto_consumer_pop(&consumer, buffer, 24, &length, NULL), RIALTO_OK);
    EXPECT(rialto_consumer_pop(&consumer, buffer, 24, &length, NULL), RIALTO_OK);
    EXPECT(rialto_spsc_close(&spsc), RIALTO_OK);
    CHECK(at[128] == 1);
    EXPECT(rialto_consumer_pop(&consumer, buffer, 24, &length, NULL), RIALTO_EPIPE);
    memcpy(&word, at + 768 + 32 + 8, 4);
    CHECK(word == UINT32_MAX - 1); /* the end of the stream */
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    memcpy(&word, at + 512, 4);
    CHECK(word == 2u << 13); /* free; not of somebody dead */
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

int main(void)
{
    watchdog();
    lock_bytes();
    bytes_of_the_others();
    region_bytes();
    bytes_of_queues();
    bytes_of_semaphore_and_barrier();
    bytes_of_pipe();
    bytes_of_spsc();
    CHECK(rialto_layout_version() == RIALTO_LAYOUT_VERSION);
    CHECK(rialto_version() == RIALTO_VERSION);
    puts("abi: golden sizes, offsets and bytes: ok");
    return 0;
}
