/* Plain semaphore between C processes: signalling, killed waiters, a releaser killed before it wakes
 * anybody, a holder whose permit goes with it; release from a signal handler; every status. */
#include "memory.h"

enum { MESSAGES = 5000, SLOTS = 4, MOST = INT32_MAX };

struct shared {
    rialto_semaphore_t free_slots, messages; /* of the ring */
    uint32_t ring[SLOTS];
    rialto_semaphore_t semaphore;
    rialto_semaphore_t other;
};

static struct shared *shared;

static uint32_t value(void)
{
    uint32_t value = 77;
    EXPECT(rialto_semaphore_value(&shared->semaphore, &value), RIALTO_OK);
    return value;
}

/* One acquires what the other releases. */
static void signals_between_parties(void)
{
    pid_t producer = spawn();
    if (producer == 0) {
        shared = memory_move(shared);
        EXPECT(rialto_semaphore_attach(&shared->free_slots), RIALTO_OK);
        for (uint32_t i = 0; i < MESSAGES; i++) {
            EXPECT(rialto_semaphore_acquire(&shared->free_slots), RIALTO_OK);
            shared->ring[i % SLOTS] = i;
            EXPECT(rialto_semaphore_release(&shared->messages), RIALTO_OK);
        }
        exit(0);
    }
    for (uint32_t i = 0; i < MESSAGES; i++) {
        EXPECT(rialto_semaphore_acquire(&shared->messages), RIALTO_OK);
        CHECK(shared->ring[i % SLOTS] == i);
        EXPECT(rialto_semaphore_release(&shared->free_slots), RIALTO_OK);
    }
    reap(producer);
    EXPECT(rialto_semaphore_release(&shared->free_slots), RIALTO_EOVERFLOW); /* it is bounded */
}

/* A child that takes a permit and goes, or waits to be killed; asleep when this returns. */
static pid_t taker(void)
{
    struct gate soon;
    gate_make(&soon);
    pid_t child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        gate_open(&soon);
        EXPECT(rialto_semaphore_acquire(&shared->semaphore), RIALTO_OK);
        exit(0);
    }
    gate_pass(&soon);
    gate_close(&soon);
    until_asleep(child);
    return child;
}

static void killed_waiting(void)
{
    pid_t victim = taker(), survivor = taker(), second = taker();
    slay(victim);
    slay(second);
    EXPECT(rialto_semaphore_release_many(&shared->semaphore, 2), RIALTO_OK);
    reap(survivor);
    CHECK(value() == 1); /* the dead took none */
    EXPECT(rialto_semaphore_acquire(&shared->semaphore), RIALTO_OK);
}

/* As LAYOUT.md has it: the count at 8. What rialto_semaphore_release has done when it is killed before
 * the wake-up. */
static void killed_before_the_wake_up(void)
{
    pid_t sleeper = taker();
    pid_t releaser = spawn();
    if (releaser == 0) {
        shared = memory_move(shared);
        __atomic_fetch_add(&shared->semaphore._private[2], 1, __ATOMIC_SEQ_CST);
        raise(SIGKILL);
    }
    bury(releaser);
    reap(sleeper); /* at its tick */
    CHECK(value() == 0);
}

static void killed_holding_is_gone(void)
{
    struct gate held;
    gate_make(&held);
    EXPECT(rialto_semaphore_release(&shared->semaphore), RIALTO_OK);
    pid_t victim = spawn();
    if (victim == 0) {
        shared = memory_move(shared);
        EXPECT(rialto_semaphore_acquire(&shared->semaphore), RIALTO_OK);
        gate_open(&held);
        await_death();
    }
    gate_pass(&held);
    gate_close(&held);
    slay(victim);
    EXPECT(rialto_semaphore_acquire_timeout(&shared->semaphore, 250 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_semaphore_release(&shared->semaphore), RIALTO_OK); /* for the dead one: anybody may */
    EXPECT(rialto_semaphore_acquire(&shared->semaphore), RIALTO_OK);
}

static void on_signal(int number)
{
    (void)number;
    rialto_semaphore_release(&shared->semaphore);
}

/* The handler interrupts the very wait that it ends. */
static void release_in_a_handler(void)
{
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    pid_t child = spawn();
    if (child == 0) {
        doze(50);
        kill(getppid(), SIGUSR1);
        exit(0);
    }
    EXPECT(rialto_semaphore_acquire(&shared->semaphore), RIALTO_OK);
    reap(child);
    CHECK(value() == 0);
}

static void statuses(void)
{
    rialto_semaphore_t *semaphore = &shared->other;
    uint32_t number = 77;
    EXPECT(rialto_semaphore_attach(semaphore), RIALTO_EBADREGION); /* zeroed */
    EXPECT(rialto_semaphore_acquire(semaphore), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_try_acquire(semaphore), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_acquire_timeout(semaphore, MS), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_release_many(semaphore, 1), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_value(semaphore, &number), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_bound(semaphore, &number), RIALTO_EBADREGION);
    EXPECT(rialto_semaphore_init(semaphore, (uint32_t)MOST + 1), RIALTO_EINVAL);
    EXPECT(rialto_semaphore_init_bounded(semaphore, (uint32_t)MOST + 1), RIALTO_EINVAL);
    EXPECT(rialto_semaphore_attach(semaphore), RIALTO_EBADREGION); /* nothing was made */
    CHECK(number == 77);

    memset(semaphore, 0xa5, sizeof *semaphore);
    EXPECT(rialto_semaphore_init(semaphore, 2), RIALTO_OK);
    CHECK(memcmp(semaphore, &(rialto_semaphore_t)RIALTO_SEMAPHORE_INIT(2), sizeof *semaphore) == 0);
    EXPECT(rialto_semaphore_bound(semaphore, &number), RIALTO_OK);
    CHECK(number == MOST);
    EXPECT(rialto_semaphore_acquire(semaphore), RIALTO_OK);
    EXPECT(rialto_semaphore_try_acquire(semaphore), RIALTO_OK);
    EXPECT(rialto_semaphore_try_acquire(semaphore), RIALTO_EAGAIN);
    EXPECT(rialto_semaphore_acquire_timeout(semaphore, 0), RIALTO_EAGAIN);
    uint64_t before = now();
    EXPECT(rialto_semaphore_acquire_timeout(semaphore, 150 * MS), RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 150 * MS);
    EXPECT(rialto_semaphore_release_many(semaphore, 0), RIALTO_EINVAL);
    EXPECT(rialto_semaphore_release_many(semaphore, 3), RIALTO_OK);
    EXPECT(rialto_semaphore_acquire_timeout(semaphore, 0), RIALTO_OK);
    EXPECT(rialto_semaphore_acquire_timeout(semaphore, RIALTO_WAIT_FOREVER), RIALTO_OK);
    EXPECT(rialto_semaphore_value(semaphore, &number), RIALTO_OK);
    CHECK(number == 1);
    EXPECT(rialto_semaphore_release_many(semaphore, MOST), RIALTO_EOVERFLOW);
    EXPECT(rialto_semaphore_release_many(semaphore, UINT32_MAX), RIALTO_EOVERFLOW);
    EXPECT(rialto_semaphore_release_many(semaphore, MOST - 1), RIALTO_OK);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_EOVERFLOW);
    EXPECT(rialto_semaphore_value(semaphore, &number), RIALTO_OK);
    CHECK(number == MOST);

    EXPECT(rialto_semaphore_init_bounded(semaphore, 2), RIALTO_OK);
    CHECK(memcmp(semaphore, &(rialto_semaphore_t)RIALTO_BOUNDED_SEMAPHORE_INIT(2),
                 sizeof *semaphore) == 0);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_EOVERFLOW);
    EXPECT(rialto_semaphore_acquire(semaphore), RIALTO_OK);
    EXPECT(rialto_semaphore_release_many(semaphore, 2), RIALTO_EOVERFLOW); /* all or none */
    EXPECT(rialto_semaphore_value(semaphore, &number), RIALTO_OK);
    CHECK(number == 1);
    EXPECT(rialto_semaphore_bound(semaphore, &number), RIALTO_OK);
    CHECK(number == 2);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_OK);
    EXPECT(rialto_semaphore_init_bounded(semaphore, 0), RIALTO_OK);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_EOVERFLOW);
    EXPECT(rialto_semaphore_init(semaphore, MOST), RIALTO_OK);
    EXPECT(rialto_semaphore_release(semaphore), RIALTO_EOVERFLOW);
}

int main(void)
{
    watchdog();
    static const rialto_semaphore_t none = RIALTO_SEMAPHORE_INIT(0);
    static const rialto_semaphore_t slots = RIALTO_BOUNDED_SEMAPHORE_INIT(SLOTS);
    shared = memory_make(sizeof *shared);
    memcpy(&shared->free_slots, &slots, sizeof slots);
    memcpy(&shared->messages, &none, sizeof none);
    memcpy(&shared->semaphore, &none, sizeof none);

    signals_between_parties();
    killed_waiting();
    killed_before_the_wake_up();
    killed_holding_is_gone();
    release_in_a_handler();
    statuses();
    puts("semaphore: C processes, killed waiters, a releaser killed half-way: ok");
    return 0;
}
