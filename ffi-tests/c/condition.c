/* Condition between C processes, with either lock: killed notifiers, owners and waiters; that the lock is
 * held when a wait returns, timed out or not; every status. */
#include "memory.h"

enum { ROUNDS = 1000, WAITERS = 3 };

struct shared {
    rialto_lock_t lock;
    rialto_rlock_t rlock;
    rialto_condition_t condition;
    uint32_t turn;    /* whose it is, in ping-pong */
    uint32_t tokens;  /* what waiters wait for */
    uint32_t asked;   /* how often a predicate was */
    uint32_t through; /* who has come through */
};

static struct shared *shared;

static void lock(void)
{
    EXPECT(rialto_lock_acquire(&shared->lock), RIALTO_OK);
}

static void unlock(void)
{
    EXPECT(rialto_lock_release(&shared->lock), RIALTO_OK);
}

static void check_held(bool wanted)
{
    bool mine;
    EXPECT(rialto_lock_is_mine(&shared->lock, &mine), RIALTO_OK);
    CHECK(mine == wanted);
}

static bool is_turn(void *whose)
{
    check_held(true);
    return shared->turn == *(uint32_t *)whose;
}

static void play(uint32_t me)
{
    for (int i = 0; i < ROUNDS; i++) {
        lock();
        EXPECT(rialto_condition_wait_for(&shared->condition, &shared->lock, is_turn, &me), RIALTO_OK);
        CHECK(shared->turn == me);
        shared->turn = !me;
        EXPECT(rialto_condition_notify(&shared->condition, 1), RIALTO_OK);
        unlock();
    }
}

static void ping_pong(void)
{
    pid_t child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        EXPECT(rialto_condition_attach(&shared->condition), RIALTO_OK);
        play(1);
        exit(0);
    }
    play(0);
    reap(child);
    CHECK(shared->turn == 0);
}

/* A child that waits for a token, takes it, and goes; asleep when this returns. */
static pid_t waiter(void)
{
    struct gate soon;
    gate_make(&soon);
    pid_t child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        lock();
        gate_open(&soon);
        while (shared->tokens == 0)
            EXPECT(rialto_condition_wait(&shared->condition, &shared->lock), RIALTO_OK);
        shared->tokens--;
        shared->through++;
        unlock();
        exit(0);
    }
    gate_pass(&soon);
    gate_close(&soon);
    until_asleep(child);
    return child;
}

static void give(uint32_t tokens)
{
    lock();
    shared->tokens += tokens;
}

static void notified_one_by_one_or_all(void)
{
    pid_t waiters[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = waiter();
    shared->through = 0;
    for (uint32_t i = 0; i < WAITERS; i++) {
        give(1);
        EXPECT(rialto_condition_notify(&shared->condition, 1), RIALTO_OK);
        unlock();
        for (bool done = false; !done; doze(1)) {
            lock();
            done = shared->through == i + 1;
            unlock();
        }
    }
    for (int i = 0; i < WAITERS; i++)
        reap(waiters[i]);

    for (int i = 0; i < WAITERS; i++)
        waiters[i] = waiter();
    give(WAITERS);
    EXPECT(rialto_condition_notify_all(&shared->condition, &shared->lock), RIALTO_OK);
    unlock();
    for (int i = 0; i < WAITERS; i++)
        reap(waiters[i]);
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = waiter();
    give(WAITERS);
    unlock(); /* and notified by one who does not hold it */
    EXPECT(rialto_condition_notify_all(&shared->condition, &shared->lock), RIALTO_OK);
    for (int i = 0; i < WAITERS; i++)
        reap(waiters[i]);
    CHECK(shared->tokens == 0);
}

static void killed_waiting(void)
{
    pid_t victim = waiter(), survivor = waiter(), second = waiter();
    slay(victim);
    slay(second);
    give(1);
    EXPECT(rialto_condition_notify(&shared->condition, 1), RIALTO_OK);
    unlock();
    reap(survivor);
    CHECK(shared->tokens == 0);
    lock(); /* and no owner died */
    unlock();
}

enum { SHORT = 400, LONG = 600 }; /* milliseconds */

/* A child that acquires the lock, which we hold, when we wait; notifies, or outlasts our timeout; dies. */
static pid_t dying_owner(bool notifies)
{
    struct gate soon;
    gate_make(&soon);
    pid_t child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        gate_open(&soon);
        lock();
        shared->tokens = 1;
        if (notifies)
            EXPECT(rialto_condition_notify(&shared->condition, 1), RIALTO_OK);
        doze(notifies ? 50 : LONG);
        raise(SIGKILL);
    }
    gate_pass(&soon);
    gate_close(&soon);
    until_asleep(child);
    return child;
}

static bool any_tokens(void *asked)
{
    ++*(uint32_t *)asked;
    return shared->tokens > 0;
}

static void repair(void)
{
    check_held(true);
    CHECK(shared->tokens == 1);
    shared->tokens = 0;
    EXPECT(rialto_lock_mark_consistent(&shared->lock), RIALTO_OK);
    unlock();
}

/* Of everything that happens to a waiter, a death is what it is told. */
static void death_outranks(void)
{
    lock();
    pid_t victim = dying_owner(true);
    EXPECT(rialto_condition_wait(&shared->condition, &shared->lock), RIALTO_OWNER_DIED);
    bury(victim);
    repair();

    lock();
    victim = dying_owner(false);
    uint64_t before = now();
    EXPECT(rialto_condition_wait_timeout(&shared->condition, &shared->lock, SHORT * MS), RIALTO_OWNER_DIED);
    CHECK(now() - before >= SHORT * MS);
    bury(victim);
    repair();

    uint32_t asked = 0;
    lock();
    victim = dying_owner(true);
    EXPECT(rialto_condition_wait_for(&shared->condition, &shared->lock, any_tokens, &asked),
           RIALTO_OWNER_DIED);
    CHECK(asked == 1); /* before, and not since */
    bury(victim);
    repair();

    lock();
    victim = dying_owner(false);
    EXPECT(rialto_condition_wait_for_timeout(&shared->condition, &shared->lock, SHORT * MS, any_tokens, &asked),
           RIALTO_OWNER_DIED);
    CHECK(asked == 2);
    bury(victim);
    repair();
}

static void a_timeout_leaves_the_lock_held(void)
{
    uint32_t asked = 0;
    lock();
    EXPECT(rialto_condition_wait_timeout(&shared->condition, &shared->lock, 0), RIALTO_EAGAIN);
    check_held(true);
    uint64_t before = now();
    EXPECT(rialto_condition_wait_timeout(&shared->condition, &shared->lock, 150 * MS), RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 150 * MS);
    check_held(true);
    EXPECT(rialto_condition_wait_for_timeout(&shared->condition, &shared->lock, 0, any_tokens, &asked),
           RIALTO_EAGAIN);
    check_held(true);
    CHECK(asked >= 1);
    before = now();
    EXPECT(rialto_condition_wait_for_timeout(&shared->condition, &shared->lock, 30 * MS, any_tokens, &asked),
           RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 30 * MS);
    check_held(true);
    pid_t child = spawn(); /* another process agrees */
    if (child == 0) {
        EXPECT(rialto_lock_try_acquire(&shared->lock), RIALTO_EAGAIN);
        exit(0);
    }
    reap(child);
    shared->tokens = 1;
    asked = 0;
    EXPECT(rialto_condition_wait_for(&shared->condition, &shared->lock, any_tokens, &asked), RIALTO_OK);
    EXPECT(rialto_condition_wait_for_timeout(&shared->condition, &shared->lock, 0, any_tokens, &asked),
           RIALTO_OK);
    CHECK(asked == 2);
    check_held(true);
    shared->tokens = 0;
    unlock();
}

/* The child gets the lock while the parent waits, so it is given up wholly. */
static pid_t borrower(void)
{
    pid_t child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        EXPECT(rialto_rlock_acquire(&shared->rlock), RIALTO_OK);
        shared->tokens = 1;
        EXPECT(rialto_condition_notify_all_rlock(&shared->condition, &shared->rlock), RIALTO_OK);
        EXPECT(rialto_rlock_release(&shared->rlock), RIALTO_OK);
        exit(0);
    }
    return child;
}

static void check_thrice(void)
{
    uint32_t times;
    EXPECT(rialto_rlock_recursion(&shared->rlock, &times), RIALTO_OK);
    CHECK(times == 3);
}

static void a_recursive_lock_comes_back_as_it_was(void)
{
    rialto_condition_t *condition = &shared->condition;
    rialto_rlock_t *rlock = &shared->rlock;
    uint32_t asked = 0;
    EXPECT(rialto_condition_wait_rlock(condition, rlock), RIALTO_EPERM);
    for (int i = 0; i < 3; i++)
        EXPECT(rialto_rlock_acquire(rlock), RIALTO_OK);

    pid_t child = borrower();
    while (shared->tokens == 0)
        EXPECT(rialto_condition_wait_rlock(condition, rlock), RIALTO_OK);
    check_thrice();
    reap(child);
    shared->tokens = 0;
    child = borrower();
    while (shared->tokens == 0)
        EXPECT(rialto_condition_wait_timeout_rlock(condition, rlock, 20000 * MS), RIALTO_OK);
    check_thrice();
    reap(child);
    shared->tokens = 0;
    child = borrower();
    EXPECT(rialto_condition_wait_for_rlock(condition, rlock, any_tokens, &asked), RIALTO_OK);
    CHECK(shared->tokens == 1 && asked >= 2);
    check_thrice();
    reap(child);
    shared->tokens = 0;
    child = borrower();
    EXPECT(rialto_condition_wait_for_timeout_rlock(condition, rlock, 20000 * MS, any_tokens, &asked),
           RIALTO_OK);
    CHECK(shared->tokens == 1);
    check_thrice();
    reap(child);

    shared->tokens = 0;
    EXPECT(rialto_condition_wait_timeout_rlock(condition, rlock, 0), RIALTO_EAGAIN);
    EXPECT(rialto_condition_wait_timeout_rlock(condition, rlock, 30 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_condition_wait_for_timeout_rlock(condition, rlock, 0, any_tokens, &asked),
           RIALTO_EAGAIN);
    EXPECT(rialto_condition_wait_for_timeout_rlock(condition, rlock, 30 * MS, any_tokens, &asked),
           RIALTO_ETIMEDOUT);
    check_thrice();

    child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        EXPECT(rialto_rlock_acquire(&shared->rlock), RIALTO_OK);
        EXPECT(rialto_rlock_acquire(&shared->rlock), RIALTO_OK);
        EXPECT(rialto_condition_notify_all_rlock(&shared->condition, &shared->rlock), RIALTO_OK);
        raise(SIGKILL);
    }
    EXPECT(rialto_condition_wait_timeout_rlock(condition, rlock, 20000 * MS), RIALTO_OWNER_DIED);
    bury(child);
    check_thrice();
    EXPECT(rialto_rlock_mark_consistent(rlock), RIALTO_OK);
    for (int i = 0; i < 3; i++)
        EXPECT(rialto_rlock_release(rlock), RIALTO_OK);
    EXPECT(rialto_rlock_release(rlock), RIALTO_EPERM);
}

static void unrepaired_is_not_recoverable(void)
{
    lock();
    pid_t victim = dying_owner(true);
    EXPECT(rialto_condition_wait(&shared->condition, &shared->lock), RIALTO_OWNER_DIED);
    bury(victim);
    shared->tokens = 0;
    EXPECT(rialto_condition_wait_timeout(&shared->condition, &shared->lock, 10 * MS),
           RIALTO_ENOTRECOVERABLE);
    check_held(false);
    EXPECT(rialto_lock_acquire(&shared->lock), RIALTO_ENOTRECOVERABLE);
    EXPECT(rialto_lock_reset(&shared->lock), RIALTO_OK);
}

static void statuses(void)
{
    static rialto_condition_t none, condition;
    static rialto_lock_t no_lock;
    static rialto_rlock_t no_rlock;
    uint32_t asked = 0;
    EXPECT(rialto_condition_attach(&none), RIALTO_EBADREGION); /* zeroed */
    EXPECT(rialto_condition_notify(&none, 1), RIALTO_EBADREGION);
    EXPECT(rialto_condition_notify_all(&none, &shared->lock), RIALTO_EBADREGION);
    EXPECT(rialto_condition_notify_all_rlock(&none, &shared->rlock), RIALTO_EBADREGION);
    lock();
    EXPECT(rialto_condition_wait(&none, &shared->lock), RIALTO_EBADREGION);
    EXPECT(rialto_condition_wait_timeout(&none, &shared->lock, 0), RIALTO_EBADREGION);
    EXPECT(rialto_condition_wait_for(&none, &shared->lock, any_tokens, &asked), RIALTO_EBADREGION);
    check_held(true); /* nothing happened */
    unlock();

    memset(&condition, 0xa5, sizeof condition);
    EXPECT(rialto_condition_init(&condition), RIALTO_OK);
    CHECK(memcmp(&condition, &(rialto_condition_t)RIALTO_CONDITION_INIT, sizeof condition) == 0);
    EXPECT(rialto_condition_notify(&condition, 0), RIALTO_OK);
    EXPECT(rialto_condition_notify(&condition, UINT32_MAX), RIALTO_OK);
    EXPECT(rialto_condition_notify_all(&condition, &no_lock), RIALTO_EBADREGION);
    EXPECT(rialto_condition_notify_all_rlock(&condition, &no_rlock), RIALTO_EBADREGION);
    EXPECT(rialto_condition_notify_all(&condition, &shared->lock), RIALTO_OK);
    EXPECT(rialto_condition_notify_all_rlock(&condition, &shared->rlock), RIALTO_OK);

    /* Notified when nobody waited: forgotten. Not held: nothing happens. */
    EXPECT(rialto_condition_wait(&condition, &shared->lock), RIALTO_EPERM);
    EXPECT(rialto_condition_wait_timeout(&condition, &shared->lock, 0), RIALTO_EPERM);
    EXPECT(rialto_condition_wait_for(&condition, &shared->lock, any_tokens, &asked), RIALTO_EPERM);
    EXPECT(rialto_condition_wait_for_timeout(&condition, &shared->lock, 0, any_tokens, &asked),
           RIALTO_EPERM);
    EXPECT(rialto_condition_wait_for_rlock(&condition, &shared->rlock, any_tokens, &asked),
           RIALTO_EPERM);
    EXPECT(rialto_condition_wait(&condition, &no_lock), RIALTO_EPERM);
    CHECK(asked == 0);
    lock();
    EXPECT(rialto_condition_wait_timeout(&condition, &shared->lock, 20 * MS), RIALTO_ETIMEDOUT);
    unlock();
}

int main(void)
{
    watchdog();
    static const rialto_condition_t fresh = RIALTO_CONDITION_INIT;
    shared = memory_make(sizeof *shared);
    memcpy(&shared->condition, &fresh, sizeof fresh);
    EXPECT(rialto_lock_init(&shared->lock), RIALTO_OK);
    EXPECT(rialto_rlock_init(&shared->rlock), RIALTO_OK);

    ping_pong();
    notified_one_by_one_or_all();
    killed_waiting();
    death_outranks();
    a_timeout_leaves_the_lock_held();
    a_recursive_lock_comes_back_as_it_was();
    unrepaired_is_not_recoverable();
    statuses();
    puts("condition: C processes, both locks, killed notifiers, owners and waiters: ok");
    return 0;
}
