/* Tracked semaphore between C processes: holders and waiters are killed, every permit comes back once;
 * permits of explicit members; every status. */
#include "memory.h"

enum { CROWD = 4, PERMITS = 2 };

static rialto_region_t region;
static rialto_tracked_semaphore_t semaphore;

static uint32_t value(void)
{
    uint32_t value = 77;
    EXPECT(rialto_tracked_semaphore_value(&semaphore, &value), RIALTO_OK);
    return value;
}

/* In a child. */
static void move(void)
{
    static rialto_region_t view;
    region_elsewhere(&region, &view);
    EXPECT(rialto_tracked_semaphore_open(&view, "permits", &semaphore), RIALTO_OK);
}

/* A child that acquires, tells which permit, and waits to be killed. */
static pid_t holder(uint64_t *permit)
{
    struct gate held;
    gate_make(&held);
    pid_t child = spawn();
    if (child == 0) {
        move();
        EXPECT(rialto_tracked_semaphore_acquire(&semaphore, permit), RIALTO_OK);
        CHECK(write(held.ends[1], permit, sizeof *permit) == sizeof *permit);
        await_death();
    }
    CHECK(read(held.ends[0], permit, sizeof *permit) == sizeof *permit);
    gate_close(&held);
    return child;
}

static void killed_holding(void)
{
    uint64_t lost, mine;
    rialto_recovered_t recovered;
    pid_t victim = holder(&lost);
    CHECK(value() == PERMITS - 1);
    slay(victim);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
    CHECK(recovered.members == 1 && recovered.permits == 1 && recovered.broken == 0);
    CHECK(recovered.redelivered == 0 && recovered.freed == 0 && recovered.dropped == 0);
    CHECK(value() == PERMITS);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
    CHECK(recovered.members == 0 && recovered.permits == 0);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, lost), RIALTO_EPERM); /* it came back once */

    /* While we sleep, and nobody else recovers. */
    EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &mine), RIALTO_OK);
    victim = holder(&lost);
    uint64_t inherited;
    EXPECT(rialto_tracked_semaphore_try_acquire(&semaphore, &inherited), RIALTO_EAGAIN);
    pid_t killer = assassin(victim);
    EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &inherited), RIALTO_OK);
    bury(victim);
    reap(killer);
    CHECK(inherited != lost && inherited != mine);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, lost), RIALTO_EPERM);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, inherited), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, mine), RIALTO_OK);
    CHECK(value() == PERMITS);
}

static void killed_waiting(void)
{
    uint64_t permits[PERMITS], permit;
    struct gate soon;
    gate_make(&soon);
    for (int i = 0; i < PERMITS; i++)
        EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &permits[i]), RIALTO_OK);
    pid_t children[2]; /* the first is killed */
    for (int i = 0; i < 2; i++) {
        children[i] = spawn();
        if (children[i] == 0) {
            move();
            gate_open(&soon);
            EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &permit), RIALTO_OK);
            EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_OK);
            exit(0);
        }
        gate_pass(&soon);
        until_asleep(children[i]);
    }
    gate_close(&soon);
    slay(children[0]);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, permits[0]), RIALTO_OK);
    reap(children[1]);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, permits[1]), RIALTO_OK);
    CHECK(value() == PERMITS);
}

/* Returns when that process is dead; if it lives on, the watchdog barks. */
static void until_dead(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    for (;;) {
        FILE *stat = fopen(path, "r");
        bool there = stat && fgets(line, sizeof line, stat);
        if (stat)
            fclose(stat);
        if (!there || strstr(line, ") Z ") || strstr(line, ") X "))
            return;
        doze(1);
    }
}

/* More than there are permits, killed at any time. Whoever has a permit has it alone: the last who had
 * it gave it back, or is dead. */
static void none_is_lost_or_doubled(void)
{
    int access = PROT_READ | PROT_WRITE;
    uint32_t *holders = (uint32_t *)mmap(NULL, 4096, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(holders != MAP_FAILED);
    pid_t crowd[CROWD];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < CROWD; i++) {
            crowd[i] = spawn();
            if (crowd[i] == 0) {
                move();
                for (uint64_t permit;;) {
                    EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &permit), RIALTO_OK);
                    CHECK((permit & 0xffff) < PERMITS); /* its index, as LAYOUT.md has it */
                    uint32_t *holder = &holders[permit & 0xffff];
                    uint32_t last = __atomic_exchange_n(holder, (uint32_t)getpid(), __ATOMIC_SEQ_CST);
                    if (last != 0)
                        until_dead((pid_t)last);
                    __atomic_store_n(holder, 0, __ATOMIC_SEQ_CST);
                    EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_OK);
                }
            }
        }
        for (int i = 0; i < CROWD; i++) {
            doze(10);
            slay(crowd[i]);
        }
        EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, NULL), RIALTO_OK);
        CHECK(value() == PERMITS);
    }
}

static void a_child_has_a_number_only(void)
{
    uint64_t permit;
    EXPECT(rialto_tracked_semaphore_acquire(&semaphore, &permit), RIALTO_OK);
    pid_t child = spawn();
    if (child == 0)
        exit(0); /* its end gives back nothing of ours */
    reap(child);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, NULL), RIALTO_OK);
    CHECK(value() == PERMITS - 1);
    child = spawn();
    if (child == 0) {
        EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_OK);
        exit(0);
    }
    reap(child);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_EPERM);
}

static void explicit_members(void)
{
    rialto_region_config_t config;
    rialto_region_t elsewhere;
    rialto_member_t member, stranger;
    rialto_tracked_semaphore_t theirs;
    uint64_t permit = 77;
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_as_member(&semaphore, &member, &theirs), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_acquire(&theirs, &permit), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    EXPECT(rialto_region_leave(&region), RIALTO_OK); /* it is not the thread's */
    EXPECT(rialto_region_detach(&region), RIALTO_EBUSY);
    EXPECT(rialto_tracked_semaphore_release(&semaphore, permit), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);

    permit = 77;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&elsewhere, 1 << 16, &config), RIALTO_OK);
    EXPECT(rialto_region_join(&elsewhere, &stranger), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_as_member(&semaphore, &stranger, &theirs), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_try_acquire(&theirs, &permit), RIALTO_EINVAL);
    CHECK(permit == 77 && value() == PERMITS);
    EXPECT(rialto_member_leave(&stranger), RIALTO_OK);
    EXPECT(rialto_region_detach(&elsewhere), RIALTO_OK);
}

static void statuses(void)
{
    rialto_tracked_semaphore_t made, moved;
    rialto_queue_t queue;
    uint64_t permit, second, third = 77;
    uint32_t bound;
    EXPECT(rialto_tracked_semaphore_create(&region, "permits", 1, &made), RIALTO_EEXIST);
    EXPECT(rialto_tracked_semaphore_create_timeout(&region, "permits", 1, 0, &made), RIALTO_EEXIST);
    EXPECT(rialto_tracked_semaphore_create(&region, "", 1, &made), RIALTO_EINVAL);
    EXPECT(rialto_tracked_semaphore_create(&region, "none", 0, &made), RIALTO_EINVAL);
    EXPECT(rialto_tracked_semaphore_create(&region, "many", 65537, &made), RIALTO_EINVAL);
    EXPECT(rialto_tracked_semaphore_create(&region, "many", 65536, &made), RIALTO_ENOSPC);
    EXPECT(rialto_tracked_semaphore_open(&region, "many", &made), RIALTO_ENOENT);
    EXPECT(rialto_queue_open(&region, "permits", &queue), RIALTO_EWRONGKIND);
    EXPECT(rialto_tracked_semaphore_create_timeout(&region, "made", 2, 1000 * MS, &made), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_bound(&made, &bound), RIALTO_OK);
    CHECK(bound == 2);

    moved = made; /* a view may be copied */
    EXPECT(rialto_tracked_semaphore_acquire(&made, &permit), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_acquire_timeout(&moved, 0, &second), RIALTO_OK);
    CHECK(permit != 0 && second != 0 && permit != second);
    EXPECT(rialto_tracked_semaphore_value(&made, &bound), RIALTO_OK);
    CHECK(bound == 0);
    EXPECT(rialto_tracked_semaphore_try_acquire(&made, &third), RIALTO_EAGAIN);
    EXPECT(rialto_tracked_semaphore_acquire_timeout(&made, 0, &third), RIALTO_EAGAIN);
    uint64_t before = now();
    EXPECT(rialto_tracked_semaphore_acquire_timeout(&made, 150 * MS, &third), RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 150 * MS && third == 77);
    EXPECT(rialto_region_leave(&region), RIALTO_EBUSY);
    EXPECT(rialto_region_detach(&region), RIALTO_EBUSY);
    EXPECT(rialto_tracked_semaphore_release(&made, permit), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_release(&made, permit), RIALTO_EPERM); /* not twice */
    EXPECT(rialto_tracked_semaphore_release(&made, 0), RIALTO_EINVAL);
    EXPECT(rialto_tracked_semaphore_release(&made, second | 0xffff), RIALTO_EINVAL);
    EXPECT(rialto_tracked_semaphore_acquire(&made, &third), RIALTO_OK);
    CHECK(third != permit && third != second);
    EXPECT(rialto_tracked_semaphore_release(&moved, third), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_release(&moved, second), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_value(&made, &bound), RIALTO_OK);
    CHECK(bound == 2);
    EXPECT(rialto_region_leave(&region), RIALTO_OK);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 17, &config), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_create(&region, "permits", PERMITS, &semaphore), RIALTO_OK);
    killed_holding();
    killed_waiting();
    none_is_lost_or_doubled();
    a_child_has_a_number_only();
    explicit_members();
    statuses();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("permits: C processes, killed holders and waiters, each permit back once: ok");
    return 0;
}
