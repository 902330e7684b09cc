/* Every function with NULL, misaligned and never-alive arguments: RIALTO_EINVAL, and nothing written.
 * The test that runs this checks that no function is missing here. */
#include "check.h"

#define REFUSED(call) EXPECT((call), RIALTO_EINVAL)

/* Misaligned for anything larger than a byte. */
#define ODD(pointer) ((void *)((char *)(pointer) + 1))

static uint64_t storage[64]; /* zeroed: no view in here is alive */
static rialto_region_t region, dead_region;
static rialto_queue_t queue, dead_queue;
static rialto_member_t member, dead_member;
static rialto_peeked_t dead_peeked;
static rialto_reserved_t dead_reserved;
static rialto_event_t storage_64[1]; /* zeroed: no object */
static rialto_lock_t lock = RIALTO_LOCK_INIT;
static rialto_rlock_t rlock = RIALTO_RLOCK_INIT;
static rialto_event_t event = RIALTO_EVENT_INIT;
static rialto_semaphore_t semaphore = RIALTO_BOUNDED_SEMAPHORE_INIT(1);
static rialto_condition_t condition = RIALTO_CONDITION_INIT;
static rialto_tracked_semaphore_t permits, dead_permits;
static rialto_barrier_t barrier, dead_barrier;
static rialto_pipe_t pipe_view, dead_pipe;
static rialto_connection_t connection, dead_connection;
static rialto_spsc_t spsc, dead_spsc;
static rialto_producer_t producer, dead_producer;
static rialto_consumer_t consumer, dead_consumer;
static rialto_spsc_config_t spsc_config;
static rialto_region_config_t config;
static rialto_queue_config_t queue_config;
static rialto_pipe_config_t pipe_config;
static rialto_layout_t layout;

static void locks(void)
{
    bool answer;
    rialto_lock_t *bad[] = {NULL, ODD(&lock), (void *)((char *)&lock + 32)};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_lock_init(bad[i]));
        REFUSED(rialto_lock_attach(bad[i]));
        REFUSED(rialto_lock_acquire(bad[i]));
        REFUSED(rialto_lock_try_acquire(bad[i]));
        REFUSED(rialto_lock_acquire_timeout(bad[i], MS));
        REFUSED(rialto_lock_release(bad[i]));
        REFUSED(rialto_lock_mark_consistent(bad[i]));
        REFUSED(rialto_lock_is_mine(bad[i], &answer));
        REFUSED(rialto_lock_is_locked(bad[i], &answer));
        REFUSED(rialto_lock_reset(bad[i]));
        REFUSED(rialto_lock_destroy(bad[i]));
    }
    REFUSED(rialto_lock_is_mine(&lock, NULL));
    REFUSED(rialto_lock_is_locked(&lock, NULL));
    EXPECT(rialto_lock_acquire(&lock), RIALTO_OK);
    EXPECT(rialto_lock_release(&lock), RIALTO_OK);
}

static void rlocks(void)
{
    bool answer;
    uint32_t times = 5;
    rialto_rlock_t *bad[] = {NULL, ODD(&rlock), (void *)((char *)&rlock + 32)};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_rlock_init(bad[i]));
        REFUSED(rialto_rlock_attach(bad[i]));
        REFUSED(rialto_rlock_acquire(bad[i]));
        REFUSED(rialto_rlock_try_acquire(bad[i]));
        REFUSED(rialto_rlock_acquire_timeout(bad[i], MS));
        REFUSED(rialto_rlock_release(bad[i]));
        REFUSED(rialto_rlock_mark_consistent(bad[i]));
        REFUSED(rialto_rlock_is_mine(bad[i], &answer));
        REFUSED(rialto_rlock_is_locked(bad[i], &answer));
        REFUSED(rialto_rlock_recursion(bad[i], &times));
        REFUSED(rialto_rlock_reset(bad[i]));
        REFUSED(rialto_rlock_destroy(bad[i]));
    }
    REFUSED(rialto_rlock_is_mine(&rlock, NULL));
    REFUSED(rialto_rlock_is_locked(&rlock, NULL));
    REFUSED(rialto_rlock_recursion(&rlock, NULL));
    REFUSED(rialto_rlock_recursion(&rlock, ODD(storage)));
    CHECK(times == 5);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OK);
    EXPECT(rialto_rlock_release(&rlock), RIALTO_OK);
}

static void events(void)
{
    bool answer;
    rialto_event_t *bad[] = {NULL, ODD(&event), (void *)((char *)&event + 32)};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_event_init(bad[i]));
        REFUSED(rialto_event_attach(bad[i]));
        REFUSED(rialto_event_set(bad[i]));
        REFUSED(rialto_event_clear(bad[i]));
        REFUSED(rialto_event_is_set(bad[i], &answer));
        REFUSED(rialto_event_wait(bad[i]));
        REFUSED(rialto_event_wait_timeout(bad[i], MS));
    }
    REFUSED(rialto_event_is_set(&event, NULL));
    EXPECT(rialto_event_wait_timeout(&event, 0), RIALTO_EAGAIN);
}

static void semaphores(void)
{
    uint32_t number = 5;
    rialto_semaphore_t *bad[] = {NULL, ODD(&semaphore), (void *)((char *)&semaphore + 32)};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_semaphore_init(bad[i], 1));
        REFUSED(rialto_semaphore_init_bounded(bad[i], 1));
        REFUSED(rialto_semaphore_attach(bad[i]));
        REFUSED(rialto_semaphore_acquire(bad[i]));
        REFUSED(rialto_semaphore_try_acquire(bad[i]));
        REFUSED(rialto_semaphore_acquire_timeout(bad[i], MS));
        REFUSED(rialto_semaphore_release(bad[i]));
        REFUSED(rialto_semaphore_release_many(bad[i], 1));
        REFUSED(rialto_semaphore_value(bad[i], &number));
        REFUSED(rialto_semaphore_bound(bad[i], &number));
    }
    REFUSED(rialto_semaphore_value(&semaphore, NULL));
    REFUSED(rialto_semaphore_value(&semaphore, ODD(storage)));
    REFUSED(rialto_semaphore_bound(&semaphore, NULL));
    CHECK(number == 5);
    EXPECT(rialto_semaphore_value(&semaphore, &number), RIALTO_OK);
    CHECK(number == 1);
}

static bool never_asked(void *argument)
{
    (void)argument;
    CHECK(!"asked");
    return true;
}

static void conditions(void)
{
    bool mine;
    rialto_condition_t *bad[] = {NULL, ODD(&condition), (void *)((char *)&condition + 32)};
    rialto_lock_t *no_lock[] = {NULL, ODD(&lock), (void *)((char *)&lock + 32)};
    rialto_rlock_t *no_rlock[] = {NULL, ODD(&rlock), (void *)((char *)&rlock + 32)};
    EXPECT(rialto_lock_acquire(&lock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(&rlock), RIALTO_OK);
    for (int i = 0; i < 6; i++) {
        rialto_condition_t *c = i < 3 ? bad[i] : &condition;
        rialto_lock_t *l = i < 3 ? &lock : no_lock[i - 3];
        rialto_rlock_t *r = i < 3 ? &rlock : no_rlock[i - 3];
        REFUSED(rialto_condition_wait(c, l));
        REFUSED(rialto_condition_wait_timeout(c, l, MS));
        REFUSED(rialto_condition_wait_for(c, l, never_asked, NULL));
        REFUSED(rialto_condition_wait_for_timeout(c, l, MS, never_asked, NULL));
        REFUSED(rialto_condition_wait_rlock(c, r));
        REFUSED(rialto_condition_wait_timeout_rlock(c, r, MS));
        REFUSED(rialto_condition_wait_for_rlock(c, r, never_asked, NULL));
        REFUSED(rialto_condition_wait_for_timeout_rlock(c, r, MS, never_asked, NULL));
        REFUSED(rialto_condition_notify_all(c, l));
        REFUSED(rialto_condition_notify_all_rlock(c, r));
        if (i < 3) {
            REFUSED(rialto_condition_init(c));
            REFUSED(rialto_condition_attach(c));
            REFUSED(rialto_condition_notify(c, 1));
        }
    }
    /* Also beside what is no lock, or no condition. */
    REFUSED(rialto_condition_wait_timeout(NULL, (void *)storage_64, MS));
    REFUSED(rialto_condition_wait_for_timeout(NULL, (void *)storage_64, MS, never_asked, NULL));
    REFUSED(rialto_condition_wait_for_timeout(&condition, (void *)storage_64, MS, NULL, NULL));
    REFUSED(rialto_condition_notify_all(NULL, (void *)storage_64));
    REFUSED(rialto_condition_wait_for(&condition, &lock, NULL, NULL));
    REFUSED(rialto_condition_wait_for_timeout(&condition, &lock, MS, NULL, NULL));
    REFUSED(rialto_condition_wait_for_rlock(&condition, &rlock, NULL, NULL));
    REFUSED(rialto_condition_wait_for_timeout_rlock(&condition, &rlock, MS, NULL, NULL));
    EXPECT(rialto_lock_is_mine(&lock, &mine), RIALTO_OK);
    CHECK(mine); /* held as before */
    EXPECT(rialto_rlock_is_mine(&rlock, &mine), RIALTO_OK);
    CHECK(mine);
    EXPECT(rialto_lock_release(&lock), RIALTO_OK);
    EXPECT(rialto_rlock_release(&rlock), RIALTO_OK);
}

static void regions(void)
{
    int fd = 5;
    void *base = storage;
    size_t size = 5;
    uint32_t count = 5;
    rialto_recovered_t recovered;
    rialto_region_t *nowhere[] = {NULL, ODD(storage)};
    rialto_region_t *dead[] = {NULL, ODD(storage), &dead_region};
    static char memory[65536] __attribute__((aligned(128)));

    REFUSED(rialto_now_ns(NULL));
    REFUSED(rialto_now_ns(ODD(storage)));
    REFUSED(rialto_region_config_default(NULL));
    REFUSED(rialto_region_config_default(ODD(storage)));
    REFUSED(rialto_region_layout(NULL, &layout));
    REFUSED(rialto_region_layout(&config, NULL));
    REFUSED(rialto_region_layout(ODD(&config), &layout));
    for (int i = 0; i < 2; i++) {
        REFUSED(rialto_region_init(nowhere[i], memory, sizeof memory, &config));
        REFUSED(rialto_region_attach(nowhere[i], memory, sizeof memory));
        REFUSED(rialto_region_create_anonymous(nowhere[i], 65536, &config));
        REFUSED(rialto_region_create_memfd(nowhere[i], 65536, &config));
        REFUSED(rialto_region_create_named(nowhere[i], "rialto-null", 65536, &config));
        REFUSED(rialto_region_attach_fd(nowhere[i], 0));
        REFUSED(rialto_region_attach_named(nowhere[i], "rialto-null"));
    }
    REFUSED(rialto_region_init(&dead_region, NULL, sizeof memory, &config));
    REFUSED(rialto_region_init(&dead_region, memory, sizeof memory, NULL));
    REFUSED(rialto_region_attach(&dead_region, NULL, sizeof memory));
    REFUSED(rialto_region_create_anonymous(&dead_region, 65536, NULL));
    REFUSED(rialto_region_create_memfd(&dead_region, 65536, NULL));
    REFUSED(rialto_region_create_named(&dead_region, NULL, 65536, &config));
    REFUSED(rialto_region_create_named(&dead_region, "rialto-null", 65536, NULL));
    REFUSED(rialto_region_attach_named(&dead_region, NULL));
    REFUSED(rialto_region_unlink_named(NULL));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_region_fd(dead[i], &fd));
        REFUSED(rialto_region_base(dead[i], &base));
        REFUSED(rialto_region_size(dead[i], &size));
        REFUSED(rialto_region_member_count(dead[i], &count));
        REFUSED(rialto_region_recover(dead[i], RIALTO_RECOVER_MARKED, &recovered));
        REFUSED(rialto_region_leave(dead[i]));
        REFUSED(rialto_region_detach(dead[i]));
        REFUSED(rialto_region_join(dead[i], &member));
    }
    REFUSED(rialto_region_fd(&region, NULL));
    REFUSED(rialto_region_base(&region, NULL));
    REFUSED(rialto_region_size(&region, NULL));
    REFUSED(rialto_region_member_count(&region, NULL));
    REFUSED(rialto_region_recover(&region, 3, NULL));
    REFUSED(rialto_region_recover(&region, RIALTO_RECOVER_MARKED, ODD(storage)));
    REFUSED(rialto_region_join(&region, NULL));
    CHECK(fd == 5 && base == storage && size == 5 && count == 5);
}

static void directory(void)
{
    rialto_space_t space;
    rialto_object_info_t info;
    uint32_t cursor = 0;
    rialto_lock_t *a_lock;
    rialto_rlock_t *an_rlock;
    rialto_event_t *an_event;
    rialto_condition_t *a_condition;
    rialto_semaphore_t *a_semaphore;
    const rialto_region_t *dead[] = {NULL, ODD(&region), &dead_region};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_region_remove(dead[i], "q"));
        REFUSED(rialto_region_remove_timeout(dead[i], "q", 0));
        REFUSED(rialto_region_space(dead[i], &space));
        REFUSED(rialto_region_next_object(dead[i], &cursor, &info));
        REFUSED(rialto_lock_create(dead[i], "n", &a_lock));
        REFUSED(rialto_lock_open(dead[i], "n", &a_lock));
        REFUSED(rialto_lock_open_or_create(dead[i], "n", &a_lock));
        REFUSED(rialto_rlock_create(dead[i], "n", &an_rlock));
        REFUSED(rialto_rlock_open(dead[i], "n", &an_rlock));
        REFUSED(rialto_rlock_open_or_create(dead[i], "n", &an_rlock));
        REFUSED(rialto_event_create(dead[i], "n", &an_event));
        REFUSED(rialto_event_open(dead[i], "n", &an_event));
        REFUSED(rialto_event_open_or_create(dead[i], "n", &an_event));
        REFUSED(rialto_condition_create(dead[i], "n", &a_condition));
        REFUSED(rialto_condition_open(dead[i], "n", &a_condition));
        REFUSED(rialto_condition_open_or_create(dead[i], "n", &a_condition));
        REFUSED(rialto_semaphore_create(dead[i], "n", 1, false, &a_semaphore));
        REFUSED(rialto_semaphore_open(dead[i], "n", &a_semaphore));
        REFUSED(rialto_semaphore_open_or_create(dead[i], "n", 1, false, &a_semaphore));
    }
    REFUSED(rialto_region_remove(&region, NULL));
    REFUSED(rialto_region_remove_timeout(&region, NULL, 0));
    REFUSED(rialto_region_space(&region, NULL));
    REFUSED(rialto_region_next_object(&region, NULL, &info));
    REFUSED(rialto_region_next_object(&region, &cursor, NULL));
    REFUSED(rialto_region_next_object(&region, &cursor, ODD(&info)));
    REFUSED(rialto_lock_create(&region, NULL, &a_lock));
    REFUSED(rialto_lock_create(&region, "n", NULL));
    REFUSED(rialto_lock_open(&region, NULL, &a_lock));
    REFUSED(rialto_lock_open(&region, "n", NULL));
    REFUSED(rialto_lock_open_or_create(&region, NULL, &a_lock));
    REFUSED(rialto_lock_open_or_create(&region, "n", NULL));
    REFUSED(rialto_rlock_create(&region, NULL, &an_rlock));
    REFUSED(rialto_rlock_create(&region, "n", NULL));
    REFUSED(rialto_rlock_open(&region, NULL, &an_rlock));
    REFUSED(rialto_rlock_open(&region, "n", NULL));
    REFUSED(rialto_rlock_open_or_create(&region, NULL, &an_rlock));
    REFUSED(rialto_rlock_open_or_create(&region, "n", NULL));
    REFUSED(rialto_event_create(&region, NULL, &an_event));
    REFUSED(rialto_event_create(&region, "n", NULL));
    REFUSED(rialto_event_open(&region, NULL, &an_event));
    REFUSED(rialto_event_open(&region, "n", NULL));
    REFUSED(rialto_event_open_or_create(&region, NULL, &an_event));
    REFUSED(rialto_event_open_or_create(&region, "n", NULL));
    REFUSED(rialto_condition_create(&region, NULL, &a_condition));
    REFUSED(rialto_condition_create(&region, "n", NULL));
    REFUSED(rialto_condition_open(&region, NULL, &a_condition));
    REFUSED(rialto_condition_open(&region, "n", NULL));
    REFUSED(rialto_condition_open_or_create(&region, NULL, &a_condition));
    REFUSED(rialto_condition_open_or_create(&region, "n", NULL));
    REFUSED(rialto_semaphore_create(&region, NULL, 1, false, &a_semaphore));
    REFUSED(rialto_semaphore_create(&region, "n", 1, false, NULL));
    REFUSED(rialto_semaphore_open(&region, NULL, &a_semaphore));
    REFUSED(rialto_semaphore_open(&region, "n", NULL));
    REFUSED(rialto_semaphore_open_or_create(&region, NULL, 1, false, &a_semaphore));
    REFUSED(rialto_semaphore_open_or_create(&region, "n", 1, false, NULL));
    REFUSED(rialto_queue_open_or_create(&dead_region, "n", &queue_config, &dead_queue));
    REFUSED(rialto_queue_open_or_create(&region, NULL, &queue_config, &dead_queue));
    REFUSED(rialto_queue_open_or_create(&region, "n", &queue_config, NULL));
    REFUSED(rialto_queue_open_or_create(&region, "n", NULL, &dead_queue));
    REFUSED(rialto_spsc_open_or_create(&dead_region, "n", &spsc_config, &dead_spsc));
    REFUSED(rialto_spsc_open_or_create(&region, NULL, &spsc_config, &dead_spsc));
    REFUSED(rialto_spsc_open_or_create(&region, "n", &spsc_config, NULL));
    REFUSED(rialto_spsc_open_or_create(&region, "n", NULL, &dead_spsc));
    REFUSED(rialto_pipe_open_or_create(&dead_region, "n", &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_open_or_create(&region, NULL, &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_open_or_create(&region, "n", &pipe_config, NULL));
    REFUSED(rialto_pipe_open_or_create(&region, "n", NULL, &dead_pipe));
    REFUSED(rialto_barrier_open_or_create(&dead_region, "n", 1, &dead_barrier));
    REFUSED(rialto_barrier_open_or_create(&region, NULL, 1, &dead_barrier));
    REFUSED(rialto_barrier_open_or_create(&region, "n", 1, NULL));
    REFUSED(rialto_tracked_semaphore_open_or_create(&dead_region, "n", 1, &dead_permits));
    REFUSED(rialto_tracked_semaphore_open_or_create(&region, NULL, 1, &dead_permits));
    REFUSED(rialto_tracked_semaphore_open_or_create(&region, "n", 1, NULL));
}

static void members(void)
{
    uint32_t id = 5;
    rialto_member_t *dead[] = {NULL, ODD(storage), &dead_member};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_member_id(dead[i], &id));
        REFUSED(rialto_member_leave(dead[i]));
        REFUSED(rialto_queue_as_member(&queue, dead[i], &dead_queue));
        REFUSED(rialto_tracked_semaphore_as_member(&permits, dead[i], &dead_permits));
        REFUSED(rialto_spsc_as_member(&spsc, dead[i], &dead_spsc));
        REFUSED(rialto_barrier_as_member(&barrier, dead[i], &dead_barrier));
    }
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    REFUSED(rialto_member_id(&member, NULL));
    REFUSED(rialto_queue_as_member(&dead_queue, &member, &queue));
    REFUSED(rialto_queue_as_member(NULL, &member, &queue));
    REFUSED(rialto_queue_as_member(&queue, &member, NULL));
    REFUSED(rialto_tracked_semaphore_as_member(&dead_permits, &member, &permits));
    REFUSED(rialto_tracked_semaphore_as_member(NULL, &member, &permits));
    REFUSED(rialto_tracked_semaphore_as_member(&permits, &member, NULL));
    REFUSED(rialto_spsc_as_member(&dead_spsc, &member, &spsc));
    REFUSED(rialto_spsc_as_member(NULL, &member, &spsc));
    REFUSED(rialto_spsc_as_member(&spsc, &member, NULL));
    REFUSED(rialto_barrier_as_member(&dead_barrier, &member, &barrier));
    REFUSED(rialto_barrier_as_member(NULL, &member, &barrier));
    REFUSED(rialto_barrier_as_member(&barrier, &member, NULL));
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    CHECK(id == 5);
}

static void queues(void)
{
    char buffer[16] = "";
    size_t length = 5;
    uint32_t attempt = 5;
    bool closed;
    rialto_queue_t *dead[] = {NULL, ODD(storage), &dead_queue};

    REFUSED(rialto_queue_config_default(4, 16, NULL));
    REFUSED(rialto_queue_layout(NULL, &layout));
    REFUSED(rialto_queue_layout(&queue_config, NULL));
    REFUSED(rialto_queue_create(NULL, "n", &queue_config, &dead_queue));
    REFUSED(rialto_queue_create(&dead_region, "n", &queue_config, &dead_queue));
    REFUSED(rialto_queue_create(&region, NULL, &queue_config, &dead_queue));
    REFUSED(rialto_queue_create(&region, "n", NULL, &dead_queue));
    REFUSED(rialto_queue_create(&region, "n", &queue_config, NULL));
    REFUSED(rialto_queue_create_timeout(NULL, NULL, NULL, MS, NULL));
    REFUSED(rialto_queue_create_timeout(&region, "n", &queue_config, MS, NULL));
    REFUSED(rialto_queue_open_as(NULL, "q", &queue_config, &dead_queue));
    REFUSED(rialto_queue_open_as(&region, NULL, &queue_config, &dead_queue));
    REFUSED(rialto_queue_open_as(&region, "q", NULL, &dead_queue));
    REFUSED(rialto_queue_open_as(&region, "q", ODD(&queue_config), &dead_queue));
    REFUSED(rialto_queue_open_as(&region, "q", &queue_config, NULL));
    REFUSED(rialto_queue_open(NULL, "q", &dead_queue));
    REFUSED(rialto_queue_open(&region, NULL, &dead_queue));
    REFUSED(rialto_queue_open(&region, "q", NULL));
    EXPECT(rialto_queue_open(&region, "n", &dead_queue), RIALTO_ENOENT); /* nothing was made */
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_push(dead[i], buffer, 1));
        REFUSED(rialto_queue_try_push(dead[i], buffer, 1));
        REFUSED(rialto_queue_push_timeout(dead[i], buffer, 1, MS));
        REFUSED(rialto_queue_pop(dead[i], buffer, sizeof buffer, &length, &attempt));
        REFUSED(rialto_queue_try_pop(dead[i], buffer, sizeof buffer, &length, &attempt));
        REFUSED(rialto_queue_pop_timeout(dead[i], buffer, sizeof buffer, MS, &length, &attempt));
        REFUSED(rialto_queue_take_poisoned(dead[i], buffer, sizeof buffer, &length, &attempt));
        REFUSED(rialto_queue_close(dead[i]));
        REFUSED(rialto_queue_is_closed(dead[i], &closed));
        REFUSED(rialto_queue_len(dead[i], &length));
        REFUSED(rialto_queue_capacity(dead[i], &length));
        REFUSED(rialto_queue_max_message_bytes(dead[i], &length));
        REFUSED(rialto_queue_peek(dead[i], &dead_peeked));
        REFUSED(rialto_queue_try_peek(dead[i], &dead_peeked));
        REFUSED(rialto_queue_peek_timeout(dead[i], MS, &dead_peeked));
    }
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    REFUSED(rialto_queue_push(&queue, NULL, 1));
    REFUSED(rialto_queue_try_push(&queue, NULL, 1));
    REFUSED(rialto_queue_push_timeout(&queue, NULL, 1, MS));
    REFUSED(rialto_queue_pop(&queue, NULL, sizeof buffer, &length, &attempt));
    REFUSED(rialto_queue_pop(&queue, buffer, sizeof buffer, NULL, &attempt));
    REFUSED(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, ODD(storage)));
    REFUSED(rialto_queue_try_pop(&queue, NULL, sizeof buffer, &length, NULL));
    REFUSED(rialto_queue_try_pop(&queue, buffer, sizeof buffer, NULL, NULL));
    REFUSED(rialto_queue_pop_timeout(&queue, NULL, sizeof buffer, MS, &length, NULL));
    REFUSED(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, MS, NULL, NULL));
    REFUSED(rialto_queue_take_poisoned(&queue, NULL, sizeof buffer, &length, NULL));
    REFUSED(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, NULL, NULL));
    REFUSED(rialto_queue_is_closed(&queue, NULL));
    REFUSED(rialto_queue_len(&queue, NULL));
    REFUSED(rialto_queue_capacity(&queue, NULL));
    REFUSED(rialto_queue_max_message_bytes(&queue, NULL));
    REFUSED(rialto_queue_peek(&queue, NULL));
    REFUSED(rialto_queue_try_peek(&queue, NULL));
    REFUSED(rialto_queue_peek_timeout(&queue, MS, NULL));
    CHECK(length == 5 && attempt == 5);
    EXPECT(rialto_queue_len(&queue, &length), RIALTO_OK);
    CHECK(length == 1); /* nobody took it */
}

static void batches(void)
{
    char buffer[32] = "";
    size_t count = 5;
    rialto_message_t messages[2] = {{"a", 1}, {"b", 1}}, no_bytes[2] = {{"a", 1}, {NULL, 1}};
    rialto_popped_t popped[2];
    rialto_queue_t *dead[] = {NULL, ODD(storage), &dead_queue};
    memset(popped, 5, sizeof popped);
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_push_many(dead[i], messages, 2, &count));
        REFUSED(rialto_queue_try_push_many(dead[i], messages, 2, &count));
        REFUSED(rialto_queue_push_many_timeout(dead[i], messages, 2, MS, &count));
        REFUSED(rialto_queue_pop_many(dead[i], buffer, sizeof buffer, popped, 2, &count));
        REFUSED(rialto_queue_try_pop_many(dead[i], buffer, sizeof buffer, popped, 2, &count));
        REFUSED(rialto_queue_pop_many_timeout(dead[i], buffer, sizeof buffer, MS, popped, 2, &count));
    }
    const rialto_message_t *bad[] = {NULL, ODD(storage), no_bytes};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_push_many(&queue, bad[i], 2, &count));
        REFUSED(rialto_queue_try_push_many(&queue, bad[i], 2, &count));
        REFUSED(rialto_queue_push_many_timeout(&queue, bad[i], 2, MS, &count));
    }
    REFUSED(rialto_queue_push_many(&queue, messages, 2, NULL));
    REFUSED(rialto_queue_try_push_many(&queue, messages, 2, ODD(storage)));
    REFUSED(rialto_queue_push_many_timeout(&queue, messages, 2, MS, NULL));
    rialto_popped_t *nowhere[] = {NULL, ODD(storage)};
    for (int i = 0; i < 2; i++) {
        REFUSED(rialto_queue_pop_many(&queue, buffer, sizeof buffer, nowhere[i], 2, &count));
        REFUSED(rialto_queue_try_pop_many(&queue, buffer, sizeof buffer, nowhere[i], 2, &count));
        REFUSED(rialto_queue_pop_many_timeout(&queue, buffer, sizeof buffer, MS, nowhere[i], 2, &count));
    }
    REFUSED(rialto_queue_pop_many(&queue, NULL, sizeof buffer, popped, 2, &count));
    REFUSED(rialto_queue_pop_many(&queue, buffer, sizeof buffer, popped, 2, NULL));
    REFUSED(rialto_queue_try_pop_many(&queue, buffer, sizeof buffer, popped, 2, ODD(storage)));
    REFUSED(rialto_queue_pop_many_timeout(&queue, buffer, sizeof buffer, MS, popped, 2, NULL));
    CHECK(count == 5 && popped[0].attempt == 5 && popped[1].attempt == 5);
    EXPECT(rialto_queue_len(&queue, &count), RIALTO_OK);
    CHECK(count == 1); /* none came, and nobody took it */
}

static void loans(void)
{
    void *bytes = storage;
    size_t length = 5;
    rialto_reserved_t alive;
    rialto_queue_t *dead[] = {NULL, ODD(storage), &dead_queue};
    rialto_reserved_t *none[] = {NULL, ODD(storage), &dead_reserved};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_reserve(dead[i], 1, &dead_reserved));
        REFUSED(rialto_queue_try_reserve(dead[i], 1, &dead_reserved));
        REFUSED(rialto_queue_reserve_timeout(dead[i], 1, MS, &dead_reserved));
        REFUSED(rialto_reserved_bytes(none[i], &bytes, &length));
        REFUSED(rialto_reserved_write(none[i], "m", 1));
        REFUSED(rialto_reserved_truncate(none[i], 0));
        REFUSED(rialto_reserved_commit(none[i]));
        REFUSED(rialto_reserved_try_commit(none[i]));
        REFUSED(rialto_reserved_commit_timeout(none[i], MS));
        REFUSED(rialto_reserved_abort(none[i]));
    }
    REFUSED(rialto_queue_reserve(&queue, 1, NULL));
    REFUSED(rialto_queue_try_reserve(&queue, 1, ODD(storage)));
    REFUSED(rialto_queue_reserve_timeout(&queue, 1, MS, NULL));
    EXPECT(rialto_queue_reserve(&queue, 1, &alive), RIALTO_OK);
    REFUSED(rialto_reserved_bytes(&alive, NULL, &length));
    REFUSED(rialto_reserved_bytes(&alive, &bytes, ODD(storage)));
    REFUSED(rialto_reserved_write(&alive, NULL, 1));
    CHECK(bytes == storage && length == 5);
    EXPECT(rialto_reserved_bytes(&alive, &bytes, NULL), RIALTO_OK);
    EXPECT(rialto_reserved_abort(&alive), RIALTO_OK);
}

static void tickets(void)
{
    char buffer[16];
    size_t length = 5;
    uint32_t attempt = 5;
    rialto_ticket_t ticket = {{5, 5}};
    rialto_queue_t *dead[] = {NULL, ODD(storage), &dead_queue};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_pop_ticket(dead[i], buffer, sizeof buffer, &length, &attempt, &ticket));
        REFUSED(rialto_queue_try_pop_ticket(dead[i], buffer, sizeof buffer, &length, &attempt, &ticket));
        REFUSED(rialto_queue_pop_timeout_ticket(dead[i], buffer, sizeof buffer, MS, &length, &attempt,
                                                &ticket));
        REFUSED(rialto_queue_take_poisoned_ticket(dead[i], buffer, sizeof buffer, &length, &attempt, &ticket));
        REFUSED(rialto_queue_task_done(dead[i], &ticket));
        REFUSED(rialto_queue_give_back(dead[i], &ticket));
        REFUSED(rialto_queue_join(dead[i]));
        REFUSED(rialto_queue_join_timeout(dead[i], MS));
        REFUSED(rialto_queue_unfinished(dead[i], &length));
    }
    rialto_ticket_t *nowhere[] = {NULL, ODD(storage)};
    for (int i = 0; i < 2; i++) {
        REFUSED(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, &attempt, nowhere[i]));
        REFUSED(rialto_queue_try_pop_ticket(&queue, buffer, sizeof buffer, &length, &attempt, nowhere[i]));
        REFUSED(rialto_queue_pop_timeout_ticket(&queue, buffer, sizeof buffer, MS, &length, &attempt,
                                                nowhere[i]));
        REFUSED(rialto_queue_take_poisoned_ticket(&queue, buffer, sizeof buffer, &length, &attempt,
                                                  nowhere[i]));
        REFUSED(rialto_queue_task_done(&queue, nowhere[i]));
        REFUSED(rialto_queue_give_back(&queue, nowhere[i]));
    }
    REFUSED(rialto_queue_pop_ticket(&queue, NULL, sizeof buffer, &length, &attempt, &ticket));
    REFUSED(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, NULL, &attempt, &ticket));
    REFUSED(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, ODD(storage), &ticket));
    REFUSED(rialto_queue_try_pop_ticket(&queue, buffer, sizeof buffer, NULL, NULL, &ticket));
    REFUSED(rialto_queue_pop_timeout_ticket(&queue, NULL, sizeof buffer, MS, &length, NULL, &ticket));
    REFUSED(rialto_queue_take_poisoned_ticket(&queue, buffer, sizeof buffer, NULL, NULL, &ticket));
    REFUSED(rialto_queue_unfinished(&queue, NULL));
    CHECK(length == 5 && attempt == 5 && ticket._private[0] == 5 && ticket._private[1] == 5);
    EXPECT(rialto_queue_len(&queue, &length), RIALTO_OK);
    CHECK(length == 1); /* nobody took it */
}

static void looks_and_loops(void)
{
    bool answer;
    size_t count = 5;
    uint64_t number = 5;
    rialto_queue_config_t got;
    rialto_queue_t *dead[] = {NULL, ODD(storage), &dead_queue};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_config(dead[i], &got));
        REFUSED(rialto_queue_is_empty(dead[i], &answer));
        REFUSED(rialto_queue_is_full(dead[i], &answer));
        REFUSED(rialto_queue_poisoned(dead[i], &count));
        REFUSED(rialto_queue_dropped(dead[i], &number));
        REFUSED(rialto_queue_set_data_fd(dead[i], 0));
        REFUSED(rialto_queue_set_space_fd(dead[i], 0));
        REFUSED(rialto_queue_arm_data(dead[i], &answer));
        REFUSED(rialto_queue_recheck_data(dead[i], &answer));
        REFUSED(rialto_queue_arm_space(dead[i], &answer));
        REFUSED(rialto_queue_recheck_space(dead[i], &answer));
        REFUSED(rialto_queue_tick_ns(dead[i], &number));
    }
    REFUSED(rialto_queue_config(&queue, NULL));
    REFUSED(rialto_queue_config(&queue, ODD(storage)));
    REFUSED(rialto_queue_is_empty(&queue, NULL));
    REFUSED(rialto_queue_is_full(&queue, NULL));
    REFUSED(rialto_queue_poisoned(&queue, ODD(storage)));
    REFUSED(rialto_queue_dropped(&queue, NULL));
    REFUSED(rialto_queue_arm_data(&queue, NULL));
    REFUSED(rialto_queue_recheck_data(&queue, NULL));
    REFUSED(rialto_queue_arm_space(&queue, NULL));
    REFUSED(rialto_queue_recheck_space(&queue, NULL));
    REFUSED(rialto_queue_tick_ns(&queue, ODD(storage)));
    CHECK(count == 5 && number == 5);
}

static void peeked(void)
{
    const void *bytes = storage;
    char buffer[16];
    size_t length = 5;
    uint32_t attempt = 5;
    rialto_peeked_t alive;
    rialto_peeked_t *dead[] = {NULL, ODD(storage), &dead_peeked};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_peeked_bytes(dead[i], &bytes, &length));
        REFUSED(rialto_peeked_copy(dead[i], buffer, sizeof buffer, &length));
        REFUSED(rialto_peeked_attempt(dead[i], &attempt));
        REFUSED(rialto_peeked_release(dead[i]));
        REFUSED(rialto_peeked_abandon(dead[i]));
    }
    EXPECT(rialto_queue_peek(&queue, &alive), RIALTO_OK);
    REFUSED(rialto_peeked_bytes(&alive, NULL, &length));
    REFUSED(rialto_peeked_bytes(&alive, &bytes, ODD(storage)));
    REFUSED(rialto_peeked_copy(&alive, NULL, sizeof buffer, &length));
    REFUSED(rialto_peeked_copy(&alive, buffer, sizeof buffer, ODD(storage)));
    REFUSED(rialto_peeked_attempt(&alive, NULL));
    CHECK(bytes == storage && length == 5 && attempt == 5);
    EXPECT(rialto_peeked_bytes(&alive, &bytes, NULL), RIALTO_OK);
    EXPECT(rialto_peeked_release(&alive), RIALTO_OK);
}

static void tracked_semaphores(void)
{
    uint64_t permit = 5;
    uint32_t number = 5;
    rialto_tracked_semaphore_t *dead[] = {NULL, ODD(storage), &dead_permits};
    REFUSED(rialto_tracked_semaphore_create(NULL, "n", 1, &dead_permits));
    REFUSED(rialto_tracked_semaphore_create(&dead_region, "n", 1, &dead_permits));
    REFUSED(rialto_tracked_semaphore_create(&region, NULL, 1, &dead_permits));
    REFUSED(rialto_tracked_semaphore_create(&region, "n", 1, NULL));
    REFUSED(rialto_tracked_semaphore_create_timeout(NULL, "n", 1, MS, &dead_permits));
    REFUSED(rialto_tracked_semaphore_create_timeout(&region, "n", 1, MS, NULL));
    REFUSED(rialto_tracked_semaphore_open(NULL, "p", &dead_permits));
    REFUSED(rialto_tracked_semaphore_open(&region, NULL, &dead_permits));
    REFUSED(rialto_tracked_semaphore_open(&region, "p", NULL));
    EXPECT(rialto_tracked_semaphore_open(&region, "n", &dead_permits), RIALTO_ENOENT); /* nothing was made */
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_tracked_semaphore_acquire(dead[i], &permit));
        REFUSED(rialto_tracked_semaphore_try_acquire(dead[i], &permit));
        REFUSED(rialto_tracked_semaphore_acquire_timeout(dead[i], MS, &permit));
        REFUSED(rialto_tracked_semaphore_release(dead[i], 1 << 16));
        REFUSED(rialto_tracked_semaphore_value(dead[i], &number));
        REFUSED(rialto_tracked_semaphore_bound(dead[i], &number));
    }
    REFUSED(rialto_tracked_semaphore_acquire(&permits, NULL));
    REFUSED(rialto_tracked_semaphore_try_acquire(&permits, ODD(storage)));
    REFUSED(rialto_tracked_semaphore_acquire_timeout(&permits, MS, NULL));
    REFUSED(rialto_tracked_semaphore_value(&permits, NULL));
    REFUSED(rialto_tracked_semaphore_bound(&permits, NULL));
    CHECK(permit == 5 && number == 5);
    EXPECT(rialto_tracked_semaphore_value(&permits, &number), RIALTO_OK);
    CHECK(number == 1); /* nobody took it */
}

static int never_run(void *argument)
{
    (void)argument;
    CHECK(!"run");
    return 0;
}

static void barriers(void)
{
    uint32_t number = 5;
    bool answer;
    rialto_barrier_t *dead[] = {NULL, ODD(storage), &dead_barrier};
    REFUSED(rialto_barrier_create(NULL, "n", 1, &dead_barrier));
    REFUSED(rialto_barrier_create(&dead_region, "n", 1, &dead_barrier));
    REFUSED(rialto_barrier_create(&region, NULL, 1, &dead_barrier));
    REFUSED(rialto_barrier_create(&region, "n", 1, NULL));
    REFUSED(rialto_barrier_create_timeout(NULL, "n", 1, MS, &dead_barrier));
    REFUSED(rialto_barrier_create_timeout(&region, "n", 1, MS, NULL));
    REFUSED(rialto_barrier_open(NULL, "b", &dead_barrier));
    REFUSED(rialto_barrier_open(&region, NULL, &dead_barrier));
    REFUSED(rialto_barrier_open(&region, "b", NULL));
    EXPECT(rialto_barrier_open(&region, "n", &dead_barrier), RIALTO_ENOENT); /* nothing was made */
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_barrier_wait(dead[i], &number));
        REFUSED(rialto_barrier_wait_timeout(dead[i], MS, &number));
        REFUSED(rialto_barrier_wait_action_timeout(dead[i], MS, never_run, NULL, &number));
        REFUSED(rialto_barrier_register(dead[i]));
        REFUSED(rialto_barrier_unregister(dead[i]));
        REFUSED(rialto_barrier_reset(dead[i]));
        REFUSED(rialto_barrier_abort(dead[i]));
        REFUSED(rialto_barrier_is_broken(dead[i], &answer));
        REFUSED(rialto_barrier_n_waiting(dead[i], &number));
        REFUSED(rialto_barrier_parties(dead[i], &number));
    }
    REFUSED(rialto_barrier_wait(&barrier, NULL));
    REFUSED(rialto_barrier_wait_timeout(&barrier, MS, ODD(storage)));
    REFUSED(rialto_barrier_wait_action_timeout(&barrier, MS, NULL, NULL, &number));
    REFUSED(rialto_barrier_wait_action_timeout(&barrier, MS, never_run, NULL, NULL));
    REFUSED(rialto_barrier_is_broken(&barrier, NULL));
    REFUSED(rialto_barrier_n_waiting(&barrier, NULL));
    REFUSED(rialto_barrier_parties(&barrier, ODD(storage)));
    CHECK(number == 5);
    EXPECT(rialto_barrier_is_broken(&barrier, &answer), RIALTO_OK);
    CHECK(!answer); /* nobody timed out */
}

static void pipes(void)
{
    size_t bytes = 5;
    bool answer;
    rialto_pipe_t *dead[] = {NULL, ODD(storage), &dead_pipe};
    rialto_pipe_config_t *no_config[] = {NULL, ODD(&pipe_config)};
    REFUSED(rialto_pipe_config_default(1024, NULL));
    REFUSED(rialto_pipe_config_default(1024, ODD(storage)));
    for (int i = 0; i < 2; i++) {
        REFUSED(rialto_pipe_layout(no_config[i], &layout));
        REFUSED(rialto_pipe_create(&region, "n", no_config[i], &dead_pipe));
        REFUSED(rialto_pipe_create_timeout(&region, "n", no_config[i], MS, &dead_pipe));
        REFUSED(rialto_pipe_open_as(&region, "pipe", no_config[i], &dead_pipe));
    }
    REFUSED(rialto_pipe_layout(&pipe_config, NULL));
    REFUSED(rialto_pipe_create(NULL, "n", &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_create(&dead_region, "n", &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_create(&region, NULL, &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_create(&region, "n", &pipe_config, NULL));
    REFUSED(rialto_pipe_create_timeout(NULL, "n", &pipe_config, MS, &dead_pipe));
    REFUSED(rialto_pipe_create_timeout(&region, "n", &pipe_config, MS, ODD(storage)));
    REFUSED(rialto_pipe_open(NULL, "pipe", &dead_pipe));
    REFUSED(rialto_pipe_open(&region, NULL, &dead_pipe));
    REFUSED(rialto_pipe_open(&region, "pipe", NULL));
    REFUSED(rialto_pipe_open_as(NULL, "pipe", &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_open_as(&region, NULL, &pipe_config, &dead_pipe));
    REFUSED(rialto_pipe_open_as(&region, "pipe", &pipe_config, NULL));
    EXPECT(rialto_pipe_open(&region, "n", &dead_pipe), RIALTO_ENOENT); /* nothing was made */
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_pipe_connect(dead[i], 0, &dead_connection));
        REFUSED(rialto_pipe_connect_as(dead[i], &member, 0, &dead_connection));
        REFUSED(rialto_pipe_is_duplex(dead[i], &answer));
        REFUSED(rialto_pipe_ring_bytes(dead[i], &bytes));
        REFUSED(rialto_pipe_max_message_bytes(dead[i], &bytes));
    }
    REFUSED(rialto_pipe_connect(&pipe_view, 0, NULL));
    REFUSED(rialto_pipe_connect(&pipe_view, 0, ODD(storage)));
    REFUSED(rialto_pipe_connect_as(&pipe_view, NULL, 0, &dead_connection));
    REFUSED(rialto_pipe_connect_as(&pipe_view, &dead_member, 0, &dead_connection));
    REFUSED(rialto_pipe_connect_as(&pipe_view, &member, 0, NULL));
    REFUSED(rialto_pipe_is_duplex(&pipe_view, NULL));
    REFUSED(rialto_pipe_ring_bytes(&pipe_view, NULL));
    REFUSED(rialto_pipe_max_message_bytes(&pipe_view, ODD(storage)));
    CHECK(bytes == 5);
    EXPECT(rialto_pipe_connect_as(&pipe_view, &member, 0, &connection), RIALTO_OK); /* nobody took it */
    EXPECT(rialto_connection_close(&connection), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
}

static void connections(void)
{
    char buffer[16];
    size_t length = 5;
    uint64_t number = 5;
    bool answer;
    /* The last one has ended. */
    rialto_connection_t *dead[] = {NULL, ODD(storage), &dead_connection, &connection};
    rialto_connection_t alive, sender;
    rialto_pipe_t other;
    for (int i = 0; i < 4; i++) {
        REFUSED(rialto_connection_send(dead[i], "m", 1));
        REFUSED(rialto_connection_try_send(dead[i], "m", 1));
        REFUSED(rialto_connection_send_timeout(dead[i], "m", 1, MS));
        REFUSED(rialto_connection_recv(dead[i], buffer, sizeof buffer, &length));
        REFUSED(rialto_connection_try_recv(dead[i], buffer, sizeof buffer, &length));
        REFUSED(rialto_connection_recv_timeout(dead[i], buffer, sizeof buffer, MS, &length));
        REFUSED(rialto_connection_next_len(dead[i], &length));
        REFUSED(rialto_connection_received_bytes(dead[i], &length));
        REFUSED(rialto_connection_max_chunk_bytes(dead[i], &length));
        REFUSED(rialto_connection_poll(dead[i], MS, &answer));
        REFUSED(rialto_connection_set_data_fd(dead[i], 0));
        REFUSED(rialto_connection_set_space_fd(dead[i], 0));
        REFUSED(rialto_connection_arm_data(dead[i], &answer));
        REFUSED(rialto_connection_recheck_data(dead[i], &answer));
        REFUSED(rialto_connection_arm_space(dead[i], 1, &answer));
        REFUSED(rialto_connection_recheck_space(dead[i], 1, &answer));
        REFUSED(rialto_connection_tick_ns(dead[i], &number));
        REFUSED(rialto_connection_is_peer_closed(dead[i], &answer));
        REFUSED(rialto_connection_close(dead[i]));
    }
    EXPECT(rialto_pipe_create(&region, "other", &pipe_config, &other), RIALTO_OK);
    EXPECT(rialto_pipe_connect(&other, 0, &alive), RIALTO_OK);
    EXPECT(rialto_pipe_connect(&other, 1, &sender), RIALTO_OK);
    EXPECT(rialto_connection_send(&sender, "m", 1), RIALTO_OK);
    REFUSED(rialto_connection_send(&alive, NULL, 1));
    REFUSED(rialto_connection_try_send(&alive, NULL, 1));
    REFUSED(rialto_connection_send_timeout(&alive, NULL, 1, MS));
    REFUSED(rialto_connection_recv(&alive, NULL, 1, &length));
    REFUSED(rialto_connection_recv(&alive, buffer, sizeof buffer, NULL));
    REFUSED(rialto_connection_try_recv(&alive, NULL, 1, &length));
    REFUSED(rialto_connection_try_recv(&alive, buffer, sizeof buffer, ODD(storage)));
    REFUSED(rialto_connection_recv_timeout(&alive, NULL, 1, MS, &length));
    REFUSED(rialto_connection_recv_timeout(&alive, buffer, sizeof buffer, MS, NULL));
    REFUSED(rialto_connection_next_len(&alive, NULL));
    REFUSED(rialto_connection_received_bytes(&alive, NULL));
    REFUSED(rialto_connection_max_chunk_bytes(&alive, ODD(storage)));
    REFUSED(rialto_connection_poll(&alive, MS, NULL));
    REFUSED(rialto_connection_arm_data(&alive, NULL));
    REFUSED(rialto_connection_recheck_data(&alive, NULL));
    REFUSED(rialto_connection_arm_space(&alive, 1, NULL));
    REFUSED(rialto_connection_recheck_space(&alive, 1, NULL));
    REFUSED(rialto_connection_tick_ns(&alive, ODD(storage)));
    REFUSED(rialto_connection_is_peer_closed(&alive, NULL));
    CHECK(length == 5 && number == 5);
    EXPECT(rialto_connection_next_len(&alive, &length), RIALTO_OK); /* nobody took it */
    EXPECT(rialto_connection_close(&alive), RIALTO_OK);
    EXPECT(rialto_connection_close(&sender), RIALTO_OK);
}

static void spsc_queues(void)
{
    rialto_spsc_t *dead[] = {NULL, ODD(storage), &dead_spsc};
    rialto_spsc_config_t bad = spsc_config;
    uint64_t long_number = 5;
    size_t number = 5;
    bool answer;
    bad._reserved[3] = 1;
    REFUSED(rialto_spsc_config_default(1, 1, NULL));
    REFUSED(rialto_spsc_config_default(1, 1, ODD(&spsc_config)));
    REFUSED(rialto_spsc_layout(NULL, &layout));
    REFUSED(rialto_spsc_layout(&bad, &layout));
    REFUSED(rialto_spsc_layout(&spsc_config, NULL));
    REFUSED(rialto_spsc_create(NULL, "n", &spsc_config, &dead_spsc));
    REFUSED(rialto_spsc_create(&dead_region, "n", &spsc_config, &dead_spsc));
    REFUSED(rialto_spsc_create(&region, NULL, &spsc_config, &dead_spsc));
    REFUSED(rialto_spsc_create(&region, "n", NULL, &dead_spsc));
    REFUSED(rialto_spsc_create(&region, "n", &bad, &dead_spsc));
    REFUSED(rialto_spsc_create(&region, "n", &spsc_config, NULL));
    REFUSED(rialto_spsc_create_timeout(NULL, "n", &spsc_config, MS, &dead_spsc));
    REFUSED(rialto_spsc_create_timeout(&region, "n", &spsc_config, MS, NULL));
    for (int i = 0; i < 4; i++) { /* each number out of range */
        bad = spsc_config;
        bad.slots = i == 0 ? 0 : bad.slots;
        bad.max_message_bytes = i == 1 ? 0 : bad.max_message_bytes;
        bad.max_attempts = i == 2 ? 15 : bad.max_attempts;
        bad.on_death = i == 3 ? 3 : bad.on_death;
        REFUSED(rialto_spsc_create(&region, "n", &bad, &dead_spsc));
    }
    REFUSED(rialto_spsc_open(NULL, "s", &dead_spsc));
    REFUSED(rialto_spsc_open(&region, NULL, &dead_spsc));
    REFUSED(rialto_spsc_open(&region, "s", NULL));
    REFUSED(rialto_spsc_open_as(NULL, "s", &spsc_config, &dead_spsc));
    REFUSED(rialto_spsc_open_as(&region, "s", NULL, &dead_spsc));
    REFUSED(rialto_spsc_open_as(&region, "s", &spsc_config, NULL));
    EXPECT(rialto_spsc_open(&region, "n", &dead_spsc), RIALTO_ENOENT); /* nothing was made */
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_spsc_producer(dead[i], &dead_producer));
        REFUSED(rialto_spsc_producer_timeout(dead[i], MS, &dead_producer));
        REFUSED(rialto_spsc_consumer(dead[i], &dead_consumer));
        REFUSED(rialto_spsc_consumer_timeout(dead[i], MS, &dead_consumer));
        REFUSED(rialto_spsc_close(dead[i]));
        REFUSED(rialto_spsc_is_closed(dead[i], &answer));
        REFUSED(rialto_spsc_len(dead[i], &number));
        REFUSED(rialto_spsc_is_empty(dead[i], &answer));
        REFUSED(rialto_spsc_is_full(dead[i], &answer));
        REFUSED(rialto_spsc_capacity(dead[i], &number));
        REFUSED(rialto_spsc_max_message_bytes(dead[i], &number));
        REFUSED(rialto_spsc_dropped(dead[i], &long_number));
        REFUSED(rialto_spsc_tick_ns(dead[i], &long_number));
        REFUSED(rialto_spsc_set_data_fd(dead[i], -1));
        REFUSED(rialto_spsc_set_space_fd(dead[i], -1));
    }
    REFUSED(rialto_spsc_producer(&spsc, NULL));
    REFUSED(rialto_spsc_producer_timeout(&spsc, MS, ODD(storage)));
    REFUSED(rialto_spsc_consumer(&spsc, NULL));
    REFUSED(rialto_spsc_consumer_timeout(&spsc, MS, ODD(storage)));
    REFUSED(rialto_spsc_is_closed(&spsc, NULL));
    REFUSED(rialto_spsc_len(&spsc, NULL));
    REFUSED(rialto_spsc_is_empty(&spsc, NULL));
    REFUSED(rialto_spsc_is_full(&spsc, NULL));
    REFUSED(rialto_spsc_capacity(&spsc, ODD(storage)));
    REFUSED(rialto_spsc_max_message_bytes(&spsc, NULL));
    REFUSED(rialto_spsc_dropped(&spsc, NULL));
    REFUSED(rialto_spsc_tick_ns(&spsc, NULL));
    CHECK(number == 5 && long_number == 5);
    EXPECT(rialto_spsc_producer(&spsc, &producer), RIALTO_OK); /* nobody has got it above */
    EXPECT(rialto_spsc_consumer(&spsc, &consumer), RIALTO_OK);
}

static void producers(void)
{
    rialto_producer_t *dead[] = {NULL, ODD(storage), &dead_producer};
    rialto_message_t message = {NULL, 1};
    size_t count = 5;
    void *room = storage;
    bool answer;
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_producer_push(dead[i], "x", 1));
        REFUSED(rialto_producer_try_push(dead[i], "x", 1));
        REFUSED(rialto_producer_push_timeout(dead[i], "x", 1, MS));
        REFUSED(rialto_producer_push_many(dead[i], NULL, 0, &count));
        REFUSED(rialto_producer_try_push_many(dead[i], NULL, 0, &count));
        REFUSED(rialto_producer_push_many_timeout(dead[i], NULL, 0, MS, &count));
        REFUSED(rialto_producer_reserve(dead[i], 1, &room));
        REFUSED(rialto_producer_try_reserve(dead[i], 1, &room));
        REFUSED(rialto_producer_reserve_timeout(dead[i], 1, MS, &room));
        REFUSED(rialto_producer_commit(dead[i], 1));
        REFUSED(rialto_producer_abort(dead[i]));
        REFUSED(rialto_producer_set_data_fd(dead[i], -1));
        REFUSED(rialto_producer_arm_space(dead[i], &answer));
        REFUSED(rialto_producer_recheck_space(dead[i], &answer));
        REFUSED(rialto_producer_end(dead[i]));
    }
    REFUSED(rialto_producer_push(&producer, NULL, 1));
    REFUSED(rialto_producer_try_push(&producer, NULL, 1));
    REFUSED(rialto_producer_push_timeout(&producer, NULL, 1, MS));
    REFUSED(rialto_producer_push_many(&producer, NULL, 1, &count));
    REFUSED(rialto_producer_push_many(&producer, &message, 1, &count));
    REFUSED(rialto_producer_push_many(&producer, &message, 1, NULL));
    REFUSED(rialto_producer_try_push_many(&producer, ODD(storage), 1, &count));
    REFUSED(rialto_producer_push_many_timeout(&producer, &message, 1, MS, &count));
    REFUSED(rialto_producer_reserve(&producer, 1, NULL));
    REFUSED(rialto_producer_try_reserve(&producer, 1, ODD(storage)));
    REFUSED(rialto_producer_reserve_timeout(&producer, 1, MS, NULL));
    REFUSED(rialto_producer_arm_space(&producer, NULL));
    REFUSED(rialto_producer_recheck_space(&producer, NULL));
    CHECK(count == 5 && room == storage);
    EXPECT(rialto_spsc_len(&spsc, &count), RIALTO_OK);
    CHECK(count == 0);
    EXPECT(rialto_producer_push(&producer, "x", 1), RIALTO_OK); /* nothing is reserved */
}

static void consumers(void)
{
    rialto_consumer_t *dead[] = {NULL, ODD(storage), &dead_consumer};
    rialto_popped_t popped;
    const void *message = storage;
    char to[16];
    size_t count = 5;
    uint32_t attempt;
    bool answer;
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_consumer_pop(dead[i], to, 16, &count, NULL));
        REFUSED(rialto_consumer_try_pop(dead[i], to, 16, &count, NULL));
        REFUSED(rialto_consumer_pop_timeout(dead[i], to, 16, MS, &count, NULL));
        REFUSED(rialto_consumer_pop_many(dead[i], to, 16, &popped, 1, &count));
        REFUSED(rialto_consumer_try_pop_many(dead[i], to, 16, &popped, 1, &count));
        REFUSED(rialto_consumer_pop_many_timeout(dead[i], to, 16, MS, &popped, 1, &count));
        REFUSED(rialto_consumer_take_poisoned(dead[i], to, 16, &count, NULL));
        REFUSED(rialto_consumer_poisoned(dead[i], &count));
        REFUSED(rialto_consumer_peek(dead[i], &message, &count, NULL));
        REFUSED(rialto_consumer_try_peek(dead[i], &message, &count, NULL));
        REFUSED(rialto_consumer_peek_timeout(dead[i], MS, &message, &count, NULL));
        REFUSED(rialto_consumer_copy(dead[i], to, 16, &count));
        REFUSED(rialto_consumer_release(dead[i]));
        REFUSED(rialto_consumer_give_back(dead[i]));
        REFUSED(rialto_consumer_set_space_fd(dead[i], -1));
        REFUSED(rialto_consumer_arm_data(dead[i], &answer));
        REFUSED(rialto_consumer_recheck_data(dead[i], &answer));
        REFUSED(rialto_consumer_end(dead[i]));
    }
    REFUSED(rialto_consumer_pop(&consumer, NULL, 16, &count, NULL));
    REFUSED(rialto_consumer_pop(&consumer, to, 16, NULL, NULL));
    REFUSED(rialto_consumer_pop(&consumer, to, 16, &count, ODD(storage)));
    REFUSED(rialto_consumer_try_pop(&consumer, to, 16, NULL, &attempt));
    REFUSED(rialto_consumer_pop_timeout(&consumer, to, 16, MS, NULL, &attempt));
    REFUSED(rialto_consumer_pop_many(&consumer, NULL, 16, &popped, 1, &count));
    REFUSED(rialto_consumer_pop_many(&consumer, to, 16, NULL, 1, &count));
    REFUSED(rialto_consumer_pop_many(&consumer, to, 16, &popped, 1, NULL));
    REFUSED(rialto_consumer_try_pop_many(&consumer, to, 16, ODD(storage), 1, &count));
    REFUSED(rialto_consumer_pop_many_timeout(&consumer, to, 16, MS, &popped, 0, &count));
    REFUSED(rialto_consumer_take_poisoned(&consumer, to, 16, NULL, NULL));
    REFUSED(rialto_consumer_poisoned(&consumer, NULL));
    REFUSED(rialto_consumer_peek(&consumer, NULL, &count, NULL));
    REFUSED(rialto_consumer_peek(&consumer, &message, NULL, NULL));
    REFUSED(rialto_consumer_try_peek(&consumer, &message, &count, ODD(storage)));
    REFUSED(rialto_consumer_peek_timeout(&consumer, MS, ODD(storage), &count, NULL));
    REFUSED(rialto_consumer_arm_data(&consumer, NULL));
    REFUSED(rialto_consumer_recheck_data(&consumer, NULL));
    CHECK(count == 5 && message == storage);
    EXPECT(rialto_consumer_peek(&consumer, &message, &count, NULL), RIALTO_OK); /* nobody has taken it */
    REFUSED(rialto_consumer_copy(&consumer, NULL, 16, &count));
    REFUSED(rialto_consumer_copy(&consumer, to, 16, ODD(storage)));
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
}

static int no_change(rialto_array_edit_t *edit, void *context)
{
    (void)context;
    REFUSED(rialto_array_edit_read(edit, 0, NULL, 1));
    REFUSED(rialto_array_edit_read(NULL, 0, storage, 1));
    REFUSED(rialto_array_edit_read(edit, 0, storage, 3));
    REFUSED(rialto_array_edit_write(edit, 0, NULL, 2));
    REFUSED(rialto_array_edit_write(NULL, 0, storage, 2));
    return RIALTO_OK;
}

static void values_and_arrays(void)
{
    rialto_value_t value, dead_value = {0};
    rialto_array_t array, dead_array = {0};
    uint16_t one = 1, two = 2;
    void *data = storage;
    uint32_t count = 5;
    EXPECT(rialto_value_create(&region, "v", RIALTO_U16, &one, 2, 0, &value), RIALTO_OK);
    EXPECT(rialto_array_create(&region, "a", RIALTO_U16, 2, 3, NULL, 0, &array), RIALTO_OK);
    REFUSED(rialto_value_create(NULL, "w", RIALTO_U16, &one, 2, 0, &value));
    REFUSED(rialto_value_create(&region, NULL, RIALTO_U16, &one, 2, 0, &value));
    REFUSED(rialto_value_create(&region, "w", RIALTO_U16, NULL, 2, 0, &value));
    REFUSED(rialto_value_create(&region, "w", RIALTO_U16, &one, 2, 0, NULL));
    REFUSED(rialto_value_open(NULL, "v", RIALTO_U16, 2, &value));
    REFUSED(rialto_value_open(&region, NULL, RIALTO_U16, 2, &value));
    REFUSED(rialto_value_open(&region, "v", RIALTO_U16, 2, NULL));
    REFUSED(rialto_value_open(&region, "v", 99, 2, &value));
    REFUSED(rialto_value_load(&dead_value, &one, 2));
    REFUSED(rialto_value_load(&value, NULL, 2));
    REFUSED(rialto_value_store(&dead_value, &one, 2));
    REFUSED(rialto_value_store(&value, NULL, 2));
    REFUSED(rialto_value_swap(&value, &one, NULL, 2));
    REFUSED(rialto_value_swap(&value, NULL, &one, 2));
    REFUSED(rialto_value_compare_exchange(&value, NULL, &one, 2));
    REFUSED(rialto_value_compare_exchange(&value, &one, NULL, 2));
    REFUSED(rialto_value_fetch_add(&value, NULL, &one, 2));
    REFUSED(rialto_value_fetch_add(&dead_value, &one, &two, 2));
    REFUSED(rialto_value_acquire(&dead_value, 0));
    REFUSED(rialto_value_release(&dead_value));
    REFUSED(rialto_raw_value_create(&region, "w", RIALTO_U16, 2, NULL));
    REFUSED(rialto_raw_value_create(NULL, "w", RIALTO_U16, 2, &data));
    REFUSED(rialto_raw_value_open(&region, NULL, RIALTO_U16, 2, &data));
    REFUSED(rialto_array_create(NULL, "b", RIALTO_U16, 2, 3, NULL, 0, &array));
    REFUSED(rialto_array_create(&region, NULL, RIALTO_U16, 2, 3, NULL, 0, &array));
    REFUSED(rialto_array_create(&region, "b", RIALTO_U16, 2, 3, NULL, 0, NULL));
    REFUSED(rialto_array_open(&region, NULL, RIALTO_U16, 2, &array));
    REFUSED(rialto_array_open(&region, "a", RIALTO_U16, 2, NULL));
    REFUSED(rialto_array_len(&array, NULL));
    REFUSED(rialto_array_len(&dead_array, &count));
    REFUSED(rialto_array_read(&array, 0, 1, NULL));
    REFUSED(rialto_array_write(&array, 0, 1, NULL));
    REFUSED(rialto_array_swap(&array, 0, NULL, &one, 2));
    REFUSED(rialto_array_compare_exchange(&array, 0, &one, NULL, 2));
    REFUSED(rialto_array_fetch_add(&array, 0, NULL, &one, 2));
    REFUSED(rialto_array_edit(&array, NULL, NULL));
    EXPECT(rialto_array_edit(&array, no_change, NULL), RIALTO_OK);
    REFUSED(rialto_array_edit_read(NULL, 0, &one, 2));
    REFUSED(rialto_array_acquire(&dead_array, 0));
    REFUSED(rialto_array_release(NULL));
    REFUSED(rialto_raw_array_create(&region, "b", RIALTO_U16, 2, 3, NULL));
    REFUSED(rialto_raw_array_open(&region, "b", RIALTO_U16, 2, &data, NULL));
    CHECK(one == 1 && two == 2 && count == 5 && data == storage);
    EXPECT(rialto_value_load(&value, &two, 2), RIALTO_OK);
    CHECK(two == 1);
}

static int no_order(const void *a, size_t a_bytes, const void *b, size_t b_bytes, void *context)
{
    (void)a, (void)b, (void)context;
    CHECK(!"asked");
    return (int)(a_bytes - b_bytes);
}

static int no_visit(size_t index, const void *item, size_t item_bytes, void *context)
{
    (void)index, (void)item, (void)item_bytes, (void)context;
    CHECK(!"asked");
    return 0;
}

static int no_pair(const void *key, size_t key_bytes, const void *value, size_t value_bytes, void *context)
{
    return no_order(key, key_bytes, value, value_bytes, context);
}

static void locks_of_state(void)
{
    rialto_value_t value, dead_value = {{0}}, *dead_values[] = {NULL, ODD(storage), &dead_value};
    rialto_array_t array, dead_array = {{0}}, *dead_arrays[] = {NULL, ODD(storage), &dead_array};
    uint16_t one = 1;
    uint32_t number = 5;
    bool answer = true;
    EXPECT(rialto_value_create(&region, "lv", RIALTO_U16, &one, 2, 0, &value), RIALTO_OK);
    EXPECT(rialto_array_create(&region, "la", RIALTO_U16, 2, 3, NULL, 0, &array), RIALTO_OK);
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_value_acquire(dead_values[i], 0));
        REFUSED(rialto_value_release(dead_values[i]));
        REFUSED(rialto_value_set_timeout(dead_values[i], 0));
        REFUSED(rialto_value_is_mine(dead_values[i], &answer));
        REFUSED(rialto_value_is_locked(dead_values[i], &answer));
        REFUSED(rialto_value_deaths(dead_values[i], &number));
    }
    REFUSED(rialto_value_is_mine(&value, NULL));
    REFUSED(rialto_value_is_locked(&value, NULL));
    REFUSED(rialto_value_deaths(&value, NULL));
    REFUSED(rialto_value_deaths(&value, ODD(storage)));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_array_acquire(dead_arrays[i], 0));
        REFUSED(rialto_array_release(dead_arrays[i]));
        REFUSED(rialto_array_set_timeout(dead_arrays[i], 0));
        REFUSED(rialto_array_is_mine(dead_arrays[i], &answer));
        REFUSED(rialto_array_is_locked(dead_arrays[i], &answer));
        REFUSED(rialto_array_deaths(dead_arrays[i], &number));
    }
    REFUSED(rialto_array_is_mine(&array, NULL));
    REFUSED(rialto_array_is_locked(&array, NULL));
    REFUSED(rialto_array_deaths(&array, NULL));
    REFUSED(rialto_array_deaths(&array, ODD(storage)));
    CHECK(answer && number == 5);
}

static void lists(void)
{
    rialto_list_t list, dead_one = {{0}}, *dead[] = {NULL, ODD(storage), &dead_one};
    rialto_message_t message = {NULL, 1};
    char to[8];
    uint32_t number = 5;
    size_t size = 5;
    bool answer = true;
    EXPECT(rialto_list_create(&region, "list", 4, 4, 0, &list), RIALTO_OK);
    EXPECT(rialto_list_append(&list, "i", 1), RIALTO_OK);
    REFUSED(rialto_list_layout(4, 4, NULL));
    REFUSED(rialto_list_layout(4, 4, ODD(storage)));
    REFUSED(rialto_list_create(NULL, "w", 4, 4, 0, &dead_one));
    REFUSED(rialto_list_create(&dead_region, "w", 4, 4, 0, &dead_one));
    REFUSED(rialto_list_create(&region, NULL, 4, 4, 0, &dead_one));
    REFUSED(rialto_list_create(&region, "w", 4, 4, 0, NULL));
    REFUSED(rialto_list_create(&region, "w", 4, 4, 0, ODD(storage)));
    EXPECT(rialto_list_open(&region, "w", &dead_one), RIALTO_ENOENT); /* nothing was made */
    REFUSED(rialto_list_open(NULL, "list", &dead_one));
    REFUSED(rialto_list_open(&region, NULL, &dead_one));
    REFUSED(rialto_list_open(&region, "list", NULL));
    REFUSED(rialto_list_open_or_create(NULL, "list", 4, 4, &dead_one));
    REFUSED(rialto_list_open_or_create(&region, NULL, 4, 4, &dead_one));
    REFUSED(rialto_list_open_or_create(&region, "w", 4, 4, ODD(storage)));
    REFUSED(rialto_list_open_as(NULL, "list", 4, 4, &dead_one));
    REFUSED(rialto_list_open_as(&region, NULL, 4, 4, &dead_one));
    REFUSED(rialto_list_open_as(&region, "list", 4, 4, NULL));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_list_acquire(dead[i], 0));
        REFUSED(rialto_list_release(dead[i]));
        REFUSED(rialto_list_set_timeout(dead[i], 0));
        REFUSED(rialto_list_is_mine(dead[i], &answer));
        REFUSED(rialto_list_is_locked(dead[i], &answer));
        REFUSED(rialto_list_deaths(dead[i], &number));
    }
    REFUSED(rialto_list_is_mine(&list, NULL));
    REFUSED(rialto_list_is_locked(&list, NULL));
    REFUSED(rialto_list_deaths(&list, NULL));
    REFUSED(rialto_list_deaths(&list, ODD(storage)));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_list_capacity(dead[i], &number));
        REFUSED(rialto_list_max_item_bytes(dead[i], &number));
        REFUSED(rialto_list_len(dead[i], &size));
        REFUSED(rialto_list_is_empty(dead[i], &answer));
        REFUSED(rialto_list_clear(dead[i]));
        REFUSED(rialto_list_append(dead[i], "x", 1));
        REFUSED(rialto_list_extend(dead[i], NULL, 0));
        REFUSED(rialto_list_insert(dead[i], 0, "x", 1));
        REFUSED(rialto_list_set(dead[i], 0, "x", 1));
        REFUSED(rialto_list_get(dead[i], 0, to, 4, &size));
        REFUSED(rialto_list_copy_range(dead[i], 0, 9, to, 4, &number, 1, &size));
        REFUSED(rialto_list_pop(dead[i], 0, to, 4, &size));
        REFUSED(rialto_list_pop_last(dead[i], to, 4, &size));
        REFUSED(rialto_list_delete(dead[i], 0));
        REFUSED(rialto_list_remove(dead[i], "i", 1));
        REFUSED(rialto_list_index(dead[i], "i", 1, &size));
        REFUSED(rialto_list_index_in(dead[i], 0, 9, "i", 1, &size));
        REFUSED(rialto_list_contains(dead[i], "i", 1, &answer));
        REFUSED(rialto_list_count(dead[i], "i", 1, &size));
        REFUSED(rialto_list_reverse(dead[i]));
        REFUSED(rialto_list_sort(dead[i]));
        REFUSED(rialto_list_sort_by(dead[i], to, 8, no_order, NULL));
        REFUSED(rialto_list_for_each(dead[i], to, 8, no_visit, NULL));
    }
    REFUSED(rialto_list_capacity(&list, NULL));
    REFUSED(rialto_list_max_item_bytes(&list, NULL));
    REFUSED(rialto_list_len(&list, NULL));
    REFUSED(rialto_list_is_empty(&list, NULL));
    REFUSED(rialto_list_append(&list, NULL, 1));
    REFUSED(rialto_list_extend(&list, NULL, 1));
    REFUSED(rialto_list_extend(&list, ODD(storage), 1));
    REFUSED(rialto_list_extend(&list, &message, 1));
    REFUSED(rialto_list_insert(&list, 0, NULL, 1));
    REFUSED(rialto_list_set(&list, 0, NULL, 1));
    REFUSED(rialto_list_get(&list, 0, NULL, 4, &size));
    REFUSED(rialto_list_get(&list, 0, to, 4, NULL));
    REFUSED(rialto_list_copy_range(&list, 0, 9, NULL, 4, &number, 1, &size));
    REFUSED(rialto_list_copy_range(&list, 0, 9, to, 4, NULL, 1, &size));
    REFUSED(rialto_list_copy_range(&list, 0, 9, to, 4, ODD(storage), 1, &size));
    REFUSED(rialto_list_copy_range(&list, 0, 9, to, 4, &number, 1, NULL));
    REFUSED(rialto_list_pop(&list, 0, NULL, 4, &size));
    REFUSED(rialto_list_pop(&list, 0, to, 4, ODD(storage)));
    REFUSED(rialto_list_pop_last(&list, NULL, 4, &size));
    REFUSED(rialto_list_pop_last(&list, to, 4, NULL));
    REFUSED(rialto_list_remove(&list, NULL, 1));
    REFUSED(rialto_list_index(&list, NULL, 1, &size));
    REFUSED(rialto_list_index(&list, "i", 1, NULL));
    REFUSED(rialto_list_index_in(&list, 0, 9, NULL, 1, &size));
    REFUSED(rialto_list_index_in(&list, 0, 9, "i", 1, NULL));
    REFUSED(rialto_list_contains(&list, NULL, 1, &answer));
    REFUSED(rialto_list_contains(&list, "i", 1, NULL));
    REFUSED(rialto_list_count(&list, NULL, 1, &size));
    REFUSED(rialto_list_count(&list, "i", 1, NULL));
    REFUSED(rialto_list_sort_by(&list, to, 8, NULL, NULL));
    REFUSED(rialto_list_sort_by(&list, NULL, 8, no_order, NULL));
    REFUSED(rialto_list_for_each(&list, to, 8, NULL, NULL));
    REFUSED(rialto_list_for_each(&list, NULL, 8, no_visit, NULL));
    CHECK(number == 5 && size == 5 && answer);
    EXPECT(rialto_list_len(&list, &size), RIALTO_OK); /* as it was */
    CHECK(size == 1);
}

static void dicts(void)
{
    rialto_dict_t dict, dead_one = {{0}}, *dead[] = {NULL, ODD(storage), &dead_one};
    rialto_pair_t pairs[] = {{{"k", 1}, {"w", 1}}, {{"k", 1}, {NULL, 1}}};
    rialto_pair_lengths_t both = {5, 5};
    char to[8];
    uint32_t number = 5;
    size_t size = 5;
    bool answer = true;
    EXPECT(rialto_dict_create(&region, "dict", 4, 4, 4, 0, &dict), RIALTO_OK);
    EXPECT(rialto_dict_set(&dict, "k", 1, "v", 1), RIALTO_OK);
    REFUSED(rialto_dict_layout(4, 4, 4, NULL));
    REFUSED(rialto_dict_layout(4, 4, 4, ODD(storage)));
    REFUSED(rialto_dict_create(NULL, "w", 4, 4, 4, 0, &dead_one));
    REFUSED(rialto_dict_create(&dead_region, "w", 4, 4, 4, 0, &dead_one));
    REFUSED(rialto_dict_create(&region, NULL, 4, 4, 4, 0, &dead_one));
    REFUSED(rialto_dict_create(&region, "w", 4, 4, 4, 0, NULL));
    REFUSED(rialto_dict_create(&region, "w", 4, 4, 4, 0, ODD(storage)));
    EXPECT(rialto_dict_open(&region, "w", &dead_one), RIALTO_ENOENT); /* nothing was made */
    REFUSED(rialto_dict_open(NULL, "dict", &dead_one));
    REFUSED(rialto_dict_open(&region, NULL, &dead_one));
    REFUSED(rialto_dict_open(&region, "dict", NULL));
    REFUSED(rialto_dict_open_or_create(NULL, "dict", 4, 4, 4, &dead_one));
    REFUSED(rialto_dict_open_or_create(&region, NULL, 4, 4, 4, &dead_one));
    REFUSED(rialto_dict_open_or_create(&region, "w", 4, 4, 4, ODD(storage)));
    REFUSED(rialto_dict_open_as(NULL, "dict", 4, 4, 4, &dead_one));
    REFUSED(rialto_dict_open_as(&region, NULL, 4, 4, 4, &dead_one));
    REFUSED(rialto_dict_open_as(&region, "dict", 4, 4, 4, NULL));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_dict_acquire(dead[i], 0));
        REFUSED(rialto_dict_release(dead[i]));
        REFUSED(rialto_dict_set_timeout(dead[i], 0));
        REFUSED(rialto_dict_is_mine(dead[i], &answer));
        REFUSED(rialto_dict_is_locked(dead[i], &answer));
        REFUSED(rialto_dict_deaths(dead[i], &number));
    }
    REFUSED(rialto_dict_is_mine(&dict, NULL));
    REFUSED(rialto_dict_is_locked(&dict, NULL));
    REFUSED(rialto_dict_deaths(&dict, NULL));
    REFUSED(rialto_dict_deaths(&dict, ODD(storage)));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_dict_capacity(dead[i], &number));
        REFUSED(rialto_dict_max_key_bytes(dead[i], &number));
        REFUSED(rialto_dict_max_value_bytes(dead[i], &number));
        REFUSED(rialto_dict_len(dead[i], &size));
        REFUSED(rialto_dict_is_empty(dead[i], &answer));
        REFUSED(rialto_dict_clear(dead[i]));
        REFUSED(rialto_dict_contains(dead[i], "k", 1, &answer));
        REFUSED(rialto_dict_get(dead[i], "k", 1, to, 4, &size));
        REFUSED(rialto_dict_get_or(dead[i], "k", 1, "x", 1, to, 4, &size));
        REFUSED(rialto_dict_set(dead[i], "k", 1, "x", 1));
        REFUSED(rialto_dict_update(dead[i], NULL, 0));
        REFUSED(rialto_dict_setdefault(dead[i], "k", 1, "x", 1, to, 4, &size));
        REFUSED(rialto_dict_pop(dead[i], "k", 1, to, 4, &size));
        REFUSED(rialto_dict_popitem(dead[i], to, 4, to + 4, 4, &both));
        REFUSED(rialto_dict_remove(dead[i], "k", 1));
        REFUSED(rialto_dict_copy_keys(dead[i], to, 8, &number, 1, &size));
        REFUSED(rialto_dict_copy_items(dead[i], to, 8, &both, 1, &size));
        REFUSED(rialto_dict_for_each(dead[i], to, 4, to + 4, 4, no_pair, NULL));
    }
    REFUSED(rialto_dict_capacity(&dict, NULL));
    REFUSED(rialto_dict_max_key_bytes(&dict, NULL));
    REFUSED(rialto_dict_max_value_bytes(&dict, NULL));
    REFUSED(rialto_dict_len(&dict, NULL));
    REFUSED(rialto_dict_is_empty(&dict, NULL));
    REFUSED(rialto_dict_contains(&dict, NULL, 1, &answer));
    REFUSED(rialto_dict_contains(&dict, "k", 1, NULL));
    REFUSED(rialto_dict_get(&dict, NULL, 1, to, 4, &size));
    REFUSED(rialto_dict_get(&dict, "k", 1, NULL, 4, &size));
    REFUSED(rialto_dict_get(&dict, "k", 1, to, 4, NULL));
    REFUSED(rialto_dict_get_or(&dict, "n", 1, NULL, 1, to, 4, &size));
    REFUSED(rialto_dict_get_or(&dict, "n", 1, "x", 1, NULL, 4, &size));
    REFUSED(rialto_dict_get_or(&dict, "n", 1, "x", 1, to, 4, NULL));
    REFUSED(rialto_dict_set(&dict, NULL, 1, "x", 1));
    REFUSED(rialto_dict_set(&dict, "k", 1, NULL, 1));
    REFUSED(rialto_dict_update(&dict, NULL, 1));
    REFUSED(rialto_dict_update(&dict, ODD(storage), 1));
    REFUSED(rialto_dict_update(&dict, pairs, 2));
    REFUSED(rialto_dict_setdefault(&dict, "n", 1, NULL, 1, to, 4, &size));
    REFUSED(rialto_dict_setdefault(&dict, "n", 1, "x", 1, NULL, 4, &size));
    REFUSED(rialto_dict_setdefault(&dict, "n", 1, "x", 1, to, 4, NULL));
    REFUSED(rialto_dict_pop(&dict, NULL, 1, to, 4, &size));
    REFUSED(rialto_dict_pop(&dict, "k", 1, NULL, 4, &size));
    REFUSED(rialto_dict_pop(&dict, "k", 1, to, 4, NULL));
    REFUSED(rialto_dict_popitem(&dict, NULL, 4, to, 4, &both));
    REFUSED(rialto_dict_popitem(&dict, to, 4, NULL, 4, &both));
    REFUSED(rialto_dict_popitem(&dict, to, 4, to + 4, 4, NULL));
    REFUSED(rialto_dict_popitem(&dict, to, 4, to + 4, 4, ODD(storage)));
    REFUSED(rialto_dict_remove(&dict, NULL, 1));
    REFUSED(rialto_dict_copy_keys(&dict, NULL, 8, &number, 1, &size));
    REFUSED(rialto_dict_copy_keys(&dict, to, 8, NULL, 1, &size));
    REFUSED(rialto_dict_copy_keys(&dict, to, 8, &number, 1, NULL));
    REFUSED(rialto_dict_copy_items(&dict, NULL, 8, &both, 1, &size));
    REFUSED(rialto_dict_copy_items(&dict, to, 8, ODD(storage), 1, &size));
    REFUSED(rialto_dict_copy_items(&dict, to, 8, &both, 1, NULL));
    REFUSED(rialto_dict_for_each(&dict, NULL, 4, to, 4, no_pair, NULL));
    REFUSED(rialto_dict_for_each(&dict, to, 4, NULL, 4, no_pair, NULL));
    REFUSED(rialto_dict_for_each(&dict, to, 4, to + 4, 4, NULL, NULL));
    CHECK(number == 5 && size == 5 && answer && both.key_bytes == 5 && both.value_bytes == 5);
    EXPECT(rialto_dict_get(&dict, "k", 1, to, 4, &size), RIALTO_OK); /* as it was */
    CHECK(size == 1 && to[0] == 'v');
    EXPECT(rialto_dict_len(&dict, &size), RIALTO_OK);
    CHECK(size == 1);
}

static void namespaces(void)
{
    rialto_namespace_t namespace, dead_one = {{0}}, *dead[] = {NULL, ODD(storage), &dead_one};
    rialto_attribute_t it = {.type = 5};
    char to[8];
    uint32_t number = 5;
    size_t size = 5;
    bool answer = true;
    int64_t i64 = 5;
    uint64_t u64 = 5;
    double f64 = 5;
    EXPECT(rialto_namespace_create(&region, "namespace", 4, 4, 4, 0, &namespace), RIALTO_OK);
    EXPECT(rialto_namespace_set_i64(&namespace, "i", 9), RIALTO_OK);
    REFUSED(rialto_namespace_layout(4, 4, 4, NULL));
    REFUSED(rialto_namespace_layout(4, 4, 4, ODD(storage)));
    REFUSED(rialto_namespace_create(NULL, "w", 4, 4, 4, 0, &dead_one));
    REFUSED(rialto_namespace_create(&dead_region, "w", 4, 4, 4, 0, &dead_one));
    REFUSED(rialto_namespace_create(&region, NULL, 4, 4, 4, 0, &dead_one));
    REFUSED(rialto_namespace_create(&region, "w", 4, 4, 4, 0, NULL));
    REFUSED(rialto_namespace_create(&region, "w", 4, 4, 4, 0, ODD(storage)));
    EXPECT(rialto_namespace_open(&region, "w", &dead_one), RIALTO_ENOENT); /* nothing was made */
    REFUSED(rialto_namespace_open(NULL, "namespace", &dead_one));
    REFUSED(rialto_namespace_open(&region, NULL, &dead_one));
    REFUSED(rialto_namespace_open(&region, "namespace", NULL));
    REFUSED(rialto_namespace_open_or_create(NULL, "namespace", 4, 4, 4, &dead_one));
    REFUSED(rialto_namespace_open_or_create(&region, NULL, 4, 4, 4, &dead_one));
    REFUSED(rialto_namespace_open_or_create(&region, "w", 4, 4, 4, ODD(storage)));
    REFUSED(rialto_namespace_open_as(NULL, "namespace", 4, 4, 4, &dead_one));
    REFUSED(rialto_namespace_open_as(&region, NULL, 4, 4, 4, &dead_one));
    REFUSED(rialto_namespace_open_as(&region, "namespace", 4, 4, 4, NULL));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_namespace_acquire(dead[i], 0));
        REFUSED(rialto_namespace_release(dead[i]));
        REFUSED(rialto_namespace_set_timeout(dead[i], 0));
        REFUSED(rialto_namespace_is_mine(dead[i], &answer));
        REFUSED(rialto_namespace_is_locked(dead[i], &answer));
        REFUSED(rialto_namespace_deaths(dead[i], &number));
    }
    REFUSED(rialto_namespace_is_mine(&namespace, NULL));
    REFUSED(rialto_namespace_is_locked(&namespace, NULL));
    REFUSED(rialto_namespace_deaths(&namespace, NULL));
    REFUSED(rialto_namespace_deaths(&namespace, ODD(storage)));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_namespace_capacity(dead[i], &number));
        REFUSED(rialto_namespace_max_name_bytes(dead[i], &number));
        REFUSED(rialto_namespace_max_string_bytes(dead[i], &number));
        REFUSED(rialto_namespace_len(dead[i], &size));
        REFUSED(rialto_namespace_is_empty(dead[i], &answer));
        REFUSED(rialto_namespace_remove(dead[i], "i"));
        REFUSED(rialto_namespace_contains(dead[i], "i", &answer));
        REFUSED(rialto_namespace_type_of(dead[i], "i", &number));
        REFUSED(rialto_namespace_set_i64(dead[i], "i", 1));
        REFUSED(rialto_namespace_set_u64(dead[i], "i", 1));
        REFUSED(rialto_namespace_set_f64(dead[i], "i", 1));
        REFUSED(rialto_namespace_set_bool(dead[i], "i", true));
        REFUSED(rialto_namespace_set_bytes(dead[i], "i", "x", 1));
        REFUSED(rialto_namespace_set_str(dead[i], "i", "x"));
        REFUSED(rialto_namespace_get(dead[i], "i", to, 8, &it));
        REFUSED(rialto_namespace_get_i64(dead[i], "i", &i64));
        REFUSED(rialto_namespace_get_u64(dead[i], "i", &u64));
        REFUSED(rialto_namespace_get_f64(dead[i], "i", &f64));
        REFUSED(rialto_namespace_get_bool(dead[i], "i", &answer));
        REFUSED(rialto_namespace_get_bytes(dead[i], "i", to, 8, &size));
        REFUSED(rialto_namespace_get_str(dead[i], "i", to, 8, &size));
        REFUSED(rialto_namespace_copy_names(dead[i], to, 8, &number, 1, &size));
    }
    REFUSED(rialto_namespace_capacity(&namespace, NULL));
    REFUSED(rialto_namespace_max_name_bytes(&namespace, NULL));
    REFUSED(rialto_namespace_max_string_bytes(&namespace, NULL));
    REFUSED(rialto_namespace_len(&namespace, NULL));
    REFUSED(rialto_namespace_is_empty(&namespace, NULL));
    REFUSED(rialto_namespace_remove(&namespace, NULL));
    REFUSED(rialto_namespace_contains(&namespace, NULL, &answer));
    REFUSED(rialto_namespace_type_of(&namespace, NULL, &number));
    REFUSED(rialto_namespace_set_i64(&namespace, NULL, 1));
    REFUSED(rialto_namespace_set_u64(&namespace, NULL, 1));
    REFUSED(rialto_namespace_set_f64(&namespace, NULL, 1));
    REFUSED(rialto_namespace_set_bool(&namespace, NULL, true));
    REFUSED(rialto_namespace_set_bytes(&namespace, NULL, "x", 1));
    REFUSED(rialto_namespace_set_str(&namespace, NULL, "x"));
    REFUSED(rialto_namespace_get(&namespace, NULL, to, 8, &it));
    REFUSED(rialto_namespace_get_i64(&namespace, NULL, &i64));
    REFUSED(rialto_namespace_get_u64(&namespace, NULL, &u64));
    REFUSED(rialto_namespace_get_f64(&namespace, NULL, &f64));
    REFUSED(rialto_namespace_get_bool(&namespace, NULL, &answer));
    REFUSED(rialto_namespace_get_bytes(&namespace, NULL, to, 8, &size));
    REFUSED(rialto_namespace_get_str(&namespace, NULL, to, 8, &size));
    REFUSED(rialto_namespace_contains(&namespace, "i", NULL));
    REFUSED(rialto_namespace_type_of(&namespace, "i", NULL));
    REFUSED(rialto_namespace_get_i64(&namespace, "i", NULL));
    REFUSED(rialto_namespace_get_u64(&namespace, "i", NULL));
    REFUSED(rialto_namespace_get_f64(&namespace, "i", NULL));
    REFUSED(rialto_namespace_get_bool(&namespace, "i", NULL));
    REFUSED(rialto_namespace_get_i64(&namespace, "i", ODD(storage)));
    REFUSED(rialto_namespace_set_bytes(&namespace, "b", NULL, 1));
    REFUSED(rialto_namespace_set_str(&namespace, "b", NULL));
    REFUSED(rialto_namespace_set_str(&namespace, "a name that is far too long for an attribute of this namespace", NULL));
    REFUSED(rialto_namespace_get(&namespace, "i", NULL, 8, &it));
    REFUSED(rialto_namespace_get(&namespace, "i", to, 8, NULL));
    REFUSED(rialto_namespace_get(&namespace, "i", to, 8, ODD(storage)));
    REFUSED(rialto_namespace_get_bytes(&namespace, "i", NULL, 8, &size));
    REFUSED(rialto_namespace_get_bytes(&namespace, "i", to, 8, NULL));
    REFUSED(rialto_namespace_get_str(&namespace, "i", NULL, 8, &size));
    REFUSED(rialto_namespace_get_str(&namespace, "i", to, 8, NULL));
    REFUSED(rialto_namespace_copy_names(&namespace, NULL, 8, &number, 1, &size));
    REFUSED(rialto_namespace_copy_names(&namespace, to, 8, NULL, 1, &size));
    REFUSED(rialto_namespace_copy_names(&namespace, to, 8, &number, 1, NULL));
    CHECK(number == 5 && size == 5 && answer && it.type == 5 && i64 == 5 && u64 == 5 && f64 == 5);
    EXPECT(rialto_namespace_get_i64(&namespace, "i", &i64), RIALTO_OK); /* as it was */
    CHECK(i64 == 9);
}

static int runs(const rialto_child_t *child, void *context)
{
    (void)child;
    (void)context;
    return 0;
}

static void processes(void)
{
    static rialto_process_t process, dead;
    static rialto_forkserver_t server, dead_server;
    static rialto_entry_t entry = {"entry", runs, NULL};
    rialto_process_config_t usual;
    rialto_current_t current;
    int32_t number = 7;
    int fd = 7;
    bool answer;
    EXPECT(rialto_process_config_default(&usual), RIALTO_OK);
    usual.method = RIALTO_PROCESS_FORK; /* had it not been refused, it would be found out */
    REFUSED(rialto_process_main(NULL, 1));
    REFUSED(rialto_process_main(ODD(&entry), 1));
    REFUSED(rialto_process_config_default(NULL));
    REFUSED(rialto_process_config_default(ODD(storage)));
    rialto_process_config_t *bad_config[] = {NULL, ODD(&usual)};
    rialto_process_t *nowhere[] = {NULL, ODD(&process)};
    for (int i = 0; i < 2; i++) {
        REFUSED(rialto_process_start("entry", bad_config[i], &process));
        REFUSED(rialto_process_start("entry", &usual, nowhere[i]));
        REFUSED(rialto_process_fork(runs, NULL, bad_config[i], &process));
        REFUSED(rialto_process_fork(runs, NULL, &usual, nowhere[i]));
    }
    REFUSED(rialto_process_start(NULL, &usual, &process));
    REFUSED(rialto_process_fork(NULL, NULL, &usual, &process));
    usual.args_bytes = 1;
    REFUSED(rialto_process_fork(runs, NULL, &usual, &process));
    usual.args_bytes = 0;
    usual.fd_count = 1;
    REFUSED(rialto_process_fork(runs, NULL, &usual, &process));
    usual.fd_count = 0;
    usual.method = RIALTO_PROCESS_FORKSERVER;
    REFUSED(rialto_process_start("entry", &usual, &process));
    usual.server = &dead_server;
    REFUSED(rialto_process_start("entry", &usual, &process));
    usual.method = RIALTO_PROCESS_SPAWN;
    usual.argv = ODD(storage);
    REFUSED(rialto_process_start("entry", &usual, &process));

    rialto_process_t *bad[] = {NULL, ODD(&process), &dead};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_process_join(bad[i], &number));
        REFUSED(rialto_process_join_timeout(bad[i], MS, &number));
        REFUSED(rialto_process_exit_code(bad[i], &number));
        REFUSED(rialto_process_is_alive(bad[i], &answer));
        REFUSED(rialto_process_terminate(bad[i]));
        REFUSED(rialto_process_kill(bad[i]));
        REFUSED(rialto_process_signal(bad[i], SIGCONT));
        REFUSED(rialto_process_pid(bad[i], &number));
        REFUSED(rialto_process_sentinel(bad[i], &fd));
        REFUSED(rialto_process_close(bad[i]));
    }
    REFUSED(rialto_forkserver_start(NULL, NULL, NULL));
    REFUSED(rialto_forkserver_start(NULL, NULL, ODD(&server)));
    REFUSED(rialto_forkserver_start(NULL, ODD(storage), &server));
    rialto_forkserver_t *bad_server[] = {NULL, ODD(&server), &dead_server};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_forkserver_pid(bad_server[i], &number));
        REFUSED(rialto_forkserver_stop(bad_server[i]));
        REFUSED(rialto_forkserver_kill(bad_server[i]));
    }
    REFUSED(rialto_process_current(NULL));
    REFUSED(rialto_process_current(ODD(&current)));
    REFUSED(rialto_parent_pid(NULL));
    REFUSED(rialto_parent_pid(ODD(&number)));
    REFUSED(rialto_parent_is_alive(NULL));
    REFUSED(rialto_parent_sentinel(NULL));
    REFUSED(rialto_parent_sentinel(ODD(&fd)));
    CHECK(number == 7 && fd == 7);

    usual.argv = NULL;
    int started = rialto_process_fork(runs, NULL, &usual, &process);
    if (started == RIALTO_ENOTSUP) /* no pidfds: valgrind */
        return;
    CHECK(started == RIALTO_OK);
    REFUSED(rialto_process_join(&process, ODD(storage)));
    REFUSED(rialto_process_join_timeout(&process, MS, ODD(storage)));
    REFUSED(rialto_process_exit_code(&process, NULL));
    REFUSED(rialto_process_is_alive(&process, NULL));
    REFUSED(rialto_process_pid(&process, NULL));
    REFUSED(rialto_process_sentinel(&process, NULL));
    EXPECT(rialto_process_join(&process, NULL), RIALTO_OK);
    EXPECT(rialto_process_close(&process), RIALTO_OK);
}

static int pool_start(const void *args, size_t bytes, rialto_process_t *process, void *context)
{
    (void)args, (void)bytes, (void)process, (void)context;
    return RIALTO_EINVAL;
}

static void pool_each(const rialto_report_t *report, void *context)
{
    (void)report, (void)context;
    CHECK(!"called");
}

static int pool_run(const void *task, size_t bytes, rialto_output_t *output, void *context)
{
    (void)task, (void)bytes, (void)output, (void)context;
    return 0;
}

static void pools(void)
{
    static rialto_pool_t dead_pool, pool;
    static rialto_progress_t progress;
    rialto_pool_config_t usual;
    rialto_report_t report;
    rialto_function_t function = {"f", pool_run, NULL};
    rialto_message_t item = {"x", 1};
    uint64_t id;
    bool answer;
    EXPECT(rialto_pool_config_default(1, &usual), RIALTO_OK);
    REFUSED(rialto_pool_config_default(1, NULL));
    REFUSED(rialto_pool_config_default(1, ODD(&usual)));
    REFUSED(rialto_pool_bytes(NULL, &id));
    REFUSED(rialto_pool_bytes(&usual, NULL));
    rialto_region_t *no_region[] = {NULL, ODD(&region), &dead_region};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_pool_create(no_region[i], "p", &usual, pool_start, NULL, &pool));
        REFUSED(rialto_pool_progress(no_region[i], "p", &progress));
        REFUSED(rialto_pool_work("x", 1, no_region[i], &function, 1));
    }
    REFUSED(rialto_pool_create(&region, NULL, &usual, pool_start, NULL, &pool));
    REFUSED(rialto_pool_create(&region, "p", NULL, pool_start, NULL, &pool));
    REFUSED(rialto_pool_create(&region, "p", &usual, NULL, NULL, &pool));
    REFUSED(rialto_pool_create(&region, "p", &usual, pool_start, NULL, NULL));
    REFUSED(rialto_pool_progress(&region, NULL, &progress));
    REFUSED(rialto_pool_progress(&region, "p", NULL));
    REFUSED(rialto_pool_work(NULL, 1, &region, &function, 1));
    REFUSED(rialto_pool_work("x", 1, &region, NULL, 1));
    REFUSED(rialto_output_write(NULL, "x", 1));
    REFUSED(rialto_output_clear(NULL));
    rialto_pool_t *no_pool[] = {NULL, ODD(&pool), &dead_pool};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_pool_close(no_pool[i]));
        REFUSED(rialto_pool_join(no_pool[i], 0));
        REFUSED(rialto_pool_terminate(no_pool[i]));
        REFUSED(rialto_pool_end(no_pool[i]));
        REFUSED(rialto_pool_tend(no_pool[i]));
        REFUSED(rialto_pool_submit(no_pool[i], "f", NULL, 0, &id));
        REFUSED(rialto_pool_wait(no_pool[i], 1, 0, &report));
        REFUSED(rialto_pool_next(no_pool[i], 0, &report));
        REFUSED(rialto_pool_apply(no_pool[i], "f", NULL, 0, 0, &report));
        REFUSED(rialto_pool_map(no_pool[i], "f", &item, 1, 1, true, pool_each, NULL));
        REFUSED(rialto_pool_cancel(no_pool[i], 1, &answer));
    }
}

int main(void)
{
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_queue_config_default(4, 16, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "q", &queue_config, &queue), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_create(&region, "p", 1, &permits), RIALTO_OK);
    EXPECT(rialto_barrier_create(&region, "b", 1, &barrier), RIALTO_OK);
    EXPECT(rialto_pipe_config_default(1024, &pipe_config), RIALTO_OK);
    EXPECT(rialto_pipe_create(&region, "pipe", &pipe_config, &pipe_view), RIALTO_OK);
    EXPECT(rialto_spsc_config_default(4, 16, &spsc_config), RIALTO_OK);
    EXPECT(rialto_spsc_create(&region, "s", &spsc_config, &spsc), RIALTO_OK);
    locks();
    rlocks();
    events();
    semaphores();
    conditions();
    regions();
    directory();
    members();
    queues();
    batches();
    loans();
    tickets();
    looks_and_loops();
    peeked();
    tracked_semaphores();
    barriers();
    pipes();
    connections();
    spsc_queues();
    producers();
    consumers();
    values_and_arrays();
    locks_of_state();
    lists();
    dicts();
    namespaces();
    processes();
    pools();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    for (size_t i = 0; i < sizeof storage / sizeof storage[0]; i++)
        CHECK(storage[i] == 0);
    puts("null: every function refuses: ok");
    return 0;
}
