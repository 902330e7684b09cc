/* The region's directory: named objects of every kind between C processes, removing, room, listing. */
#include "check.h"

enum { SIZE = 1 << 17 };

static rialto_region_config_t config;
static rialto_region_t region;

static uint32_t count(void)
{
    rialto_object_info_t info;
    uint32_t objects = 0;
    for (uint32_t at = 0; rialto_region_next_object(&region, &at, &info) == RIALTO_OK;)
        objects++;
    return objects;
}

/* The second process's part: opens what there is, by name, and uses it. */
static void peer(void)
{
    rialto_region_t own;
    void *base;
    rialto_lock_t *lock;
    rialto_rlock_t *rlock;
    rialto_event_t *event;
    rialto_semaphore_t *semaphore;
    rialto_condition_t *condition;
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_region_attach(&own, base, SIZE), RIALTO_OK);
    EXPECT(rialto_lock_open(&own, "lock", &lock), RIALTO_OK);
    EXPECT(rialto_rlock_open(&own, "rlock", &rlock), RIALTO_OK);
    EXPECT(rialto_event_open(&own, "event", &event), RIALTO_OK);
    EXPECT(rialto_semaphore_open(&own, "semaphore", &semaphore), RIALTO_OK);
    EXPECT(rialto_condition_open(&own, "condition", &condition), RIALTO_OK);
    EXPECT(rialto_lock_acquire(lock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(rlock), RIALTO_OK);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_OK);
    EXPECT(rialto_event_set(event), RIALTO_OK);
    for (;;)
        pause();
}

static void named_objects_between_processes(void)
{
    rialto_lock_t *lock, *same;
    rialto_rlock_t *rlock;
    rialto_event_t *event;
    rialto_semaphore_t *semaphore;
    rialto_condition_t *condition;
    EXPECT(rialto_lock_create(&region, "lock", &lock), RIALTO_OK);
    EXPECT(rialto_lock_create(&region, "lock", &same), RIALTO_EEXIST);
    EXPECT(rialto_lock_open(&region, "no", &same), RIALTO_ENOENT);
    EXPECT(rialto_lock_open_or_create(&region, "lock", &same), RIALTO_OK);
    CHECK(lock == same);
    EXPECT(rialto_rlock_create(&region, "rlock", &rlock), RIALTO_OK);
    EXPECT(rialto_event_create(&region, "event", &event), RIALTO_OK);
    EXPECT(rialto_semaphore_create(&region, "semaphore", 0, true, &semaphore), RIALTO_OK);
    EXPECT(rialto_region_remove(&region, "semaphore"), RIALTO_OK);
    EXPECT(rialto_semaphore_open_or_create(&region, "semaphore", 0, false, &semaphore), RIALTO_OK);
    EXPECT(rialto_semaphore_open_or_create(&region, "semaphore", 0, true, &semaphore), RIALTO_EWRONGKIND);
    EXPECT(rialto_condition_create(&region, "condition", &condition), RIALTO_OK);
    EXPECT(rialto_event_open(&region, "lock", &event), RIALTO_EWRONGKIND);

    pid_t child = spawn();
    if (child == 0)
        peer();
    EXPECT(rialto_event_wait(event), RIALTO_OK);
    EXPECT(rialto_semaphore_acquire(semaphore), RIALTO_OK);
    EXPECT(rialto_lock_try_acquire(lock), RIALTO_EAGAIN);
    static const char *const names[] = {"lock", "rlock", "event", "semaphore", "condition"};
    for (size_t i = 0; i < 5; i++)
        EXPECT(rialto_region_remove(&region, names[i]), RIALTO_EBUSY); /* the peer has them */
    CHECK(count() == 5);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    EXPECT(rialto_lock_acquire(lock), RIALTO_OWNER_DIED);
    EXPECT(rialto_region_remove(&region, "lock"), RIALTO_EBUSY); /* we have it */
    EXPECT(rialto_lock_release(lock), RIALTO_OK);
    for (size_t i = 0; i < 5; i++)
        EXPECT(rialto_region_remove(&region, names[i]), RIALTO_OK);
    CHECK(count() == 0);
}

static void every_kind_is_found_or_made_listed_and_removed(void)
{
    rialto_queue_config_t queue_config;
    rialto_spsc_config_t spsc_config;
    rialto_pipe_config_t pipe_config;
    rialto_queue_t queue;
    rialto_spsc_t spsc;
    rialto_pipe_t pipe;
    rialto_barrier_t barrier;
    rialto_tracked_semaphore_t tracked;
    rialto_space_t before, after;
    rialto_object_info_t info;
    EXPECT(rialto_region_space(&region, &before), RIALTO_OK);
    CHECK(before.used == 0 && before.free == before.total && before.largest == before.total);
    EXPECT(rialto_queue_config_default(4, 16, &queue_config), RIALTO_OK);
    EXPECT(rialto_spsc_config_default(4, 16, &spsc_config), RIALTO_OK);
    EXPECT(rialto_pipe_config_default(256, &pipe_config), RIALTO_OK);
    for (int again = 0; again < 2; again++) {
        EXPECT(rialto_queue_open_or_create(&region, "q", &queue_config, &queue), RIALTO_OK);
        EXPECT(rialto_spsc_open_or_create(&region, "s", &spsc_config, &spsc), RIALTO_OK);
        EXPECT(rialto_pipe_open_or_create(&region, "p", &pipe_config, &pipe), RIALTO_OK);
        EXPECT(rialto_barrier_open_or_create(&region, "b", 3, &barrier), RIALTO_OK);
        EXPECT(rialto_tracked_semaphore_open_or_create(&region, "t", 3, &tracked), RIALTO_OK);
    }
    EXPECT(rialto_barrier_open_or_create(&region, "b", 4, &barrier), RIALTO_EWRONGKIND);
    EXPECT(rialto_region_space(&region, &after), RIALTO_OK);
    static const uint32_t kinds[] = {RIALTO_KIND_QUEUE, RIALTO_KIND_SPSC, RIALTO_KIND_PIPE,
                                     RIALTO_KIND_BARRIER, RIALTO_KIND_TRACKED_SEMAPHORE};
    static const char *const names[] = {"q", "s", "p", "b", "t"};
    uint64_t used = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < 5; i++) {
        EXPECT(rialto_region_next_object(&region, &at, &info), RIALTO_OK);
        CHECK(info.kind == kinds[i] && strcmp((const char *)info.name, names[i]) == 0);
        CHECK(info.users == 1 && info.offset % 128 == 0);
        used += (info.size + 127) / 128 * 128;
    }
    EXPECT(rialto_region_next_object(&region, &at, &info), RIALTO_ENOENT);
    CHECK(after.used == used && after.free == after.total - used && after.total == before.total);

    EXPECT(rialto_queue_push(&queue, "x", 1), RIALTO_OK);
    for (size_t i = 0; i < 5; i++)
        EXPECT(rialto_region_remove_timeout(&region, names[i], 1000000000), RIALTO_OK);
    EXPECT(rialto_region_remove(&region, "q"), RIALTO_ENOENT);
    EXPECT(rialto_region_remove(&region, ""), RIALTO_EINVAL);
    EXPECT(rialto_region_space(&region, &after), RIALTO_OK);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
}

int main(void)
{
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, SIZE, &config), RIALTO_OK);
    named_objects_between_processes();
    every_kind_is_found_or_made_listed_and_removed();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("directory: named objects, users, removing, room: ok");
    return 0;
}
