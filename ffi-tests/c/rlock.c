/* Recursive lock between two C processes. One is killed while it holds the lock three times, another
 * while it waits; and every status a call can return. */
#include "memory.h"

enum { ROUNDS = 5000 };

struct account {
    uint64_t left, right; /* equal whenever the lock is free */
    rialto_rlock_t lock;
    rialto_rlock_t other;
};

static struct account *account;

static uint32_t recursion(void)
{
    uint32_t times = 77;
    EXPECT(rialto_rlock_recursion(&account->lock, &times), RIALTO_OK);
    return times;
}

static void acquire(int times)
{
    while (times-- > 0)
        EXPECT(rialto_rlock_acquire(&account->lock), RIALTO_OK);
}

static void release(int times)
{
    while (times-- > 0)
        EXPECT(rialto_rlock_release(&account->lock), RIALTO_OK);
}

static void add(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        acquire(1);
        CHECK(account->left == account->right);
        account->left++;
        acquire(2);
        release(2); /* not free yet */
        account->right++;
        release(1);
    }
}

static void excludes(void)
{
    pid_t child = spawn();
    if (child == 0) {
        account = memory_move(account);
        EXPECT(rialto_rlock_attach(&account->lock), RIALTO_OK);
        add(ROUNDS);
        exit(0);
    }
    add(ROUNDS);
    reap(child);
    CHECK(account->left == 2 * ROUNDS && account->right == 2 * ROUNDS);
}

/* A child that acquires three times, breaks the books, says so, and waits to be killed. */
static pid_t holder(void)
{
    struct gate held;
    gate_make(&held);
    pid_t child = spawn();
    if (child == 0) {
        account = memory_move(account);
        acquire(3);
        account->left++;
        gate_open(&held);
        await_death();
    }
    gate_pass(&held);
    gate_close(&held);
    return child;
}

static void killed_holding_thrice(void)
{
    bool locked = false, mine = true;
    pid_t victim = holder();
    EXPECT(rialto_rlock_is_locked(&account->lock, &locked), RIALTO_OK);
    EXPECT(rialto_rlock_is_mine(&account->lock, &mine), RIALTO_OK);
    CHECK(locked && !mine && recursion() == 0);
    EXPECT(rialto_rlock_try_acquire(&account->lock), RIALTO_EAGAIN);
    EXPECT(rialto_rlock_acquire_timeout(&account->lock, 0), RIALTO_EAGAIN);
    uint64_t before = now();
    EXPECT(rialto_rlock_acquire_timeout(&account->lock, 30 * MS), RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 30 * MS);
    EXPECT(rialto_rlock_release(&account->lock), RIALTO_EPERM);
    EXPECT(rialto_rlock_mark_consistent(&account->lock), RIALTO_EPERM);

    pid_t killer = assassin(victim);
    EXPECT(rialto_rlock_acquire(&account->lock), RIALTO_OWNER_DIED);
    bury(victim);
    reap(killer);
    CHECK(recursion() == 1); /* not three */
    acquire(1);              /* once more is clean, repaired or not */
    CHECK(account->left == account->right + 1 && recursion() == 2);
    account->right++;
    EXPECT(rialto_rlock_mark_consistent(&account->lock), RIALTO_OK);
    release(2);
    EXPECT(rialto_rlock_release(&account->lock), RIALTO_EPERM);
    add(1);
}

static void killed_waiting_is_no_owner(void)
{
    struct gate soon;
    gate_make(&soon);
    acquire(2);
    pid_t victim = spawn();
    if (victim == 0) {
        account = memory_move(account);
        gate_open(&soon);
        rialto_rlock_acquire(&account->lock);
        exit(1);
    }
    gate_pass(&soon);
    gate_close(&soon);
    until_asleep(victim);
    slay(victim);
    release(2);
    EXPECT(rialto_rlock_acquire_timeout(&account->lock, 5000 * MS), RIALTO_OK);
    release(1);
}

static void unrepaired_is_not_recoverable(void)
{
    slay(holder());
    EXPECT(rialto_rlock_try_acquire(&account->lock), RIALTO_OWNER_DIED);
    acquire(1);
    struct gate soon;
    gate_make(&soon);
    pid_t waiter = spawn();
    if (waiter == 0) {
        account = memory_move(account);
        gate_open(&soon);
        EXPECT(rialto_rlock_acquire(&account->lock), RIALTO_ENOTRECOVERABLE);
        exit(0);
    }
    gate_pass(&soon);
    gate_close(&soon);
    until_asleep(waiter);
    release(1);
    CHECK(recursion() == 1); /* not given up yet */
    release(1);
    reap(waiter);
    EXPECT(rialto_rlock_try_acquire(&account->lock), RIALTO_ENOTRECOVERABLE);
    account->right = account->left;
    EXPECT(rialto_rlock_reset(&account->lock), RIALTO_OK);
    add(1);
}

static void a_child_holds_nothing(void)
{
    acquire(2);
    pid_t child = spawn();
    if (child == 0) {
        CHECK(recursion() == 0);
        EXPECT(rialto_rlock_release(&account->lock), RIALTO_EPERM);
        EXPECT(rialto_rlock_try_acquire(&account->lock), RIALTO_EAGAIN);
        exit(0);
    }
    reap(child);
    CHECK(recursion() == 2);
    release(2);
}

static void statuses(void)
{
    rialto_rlock_t *lock = &account->other;
    rialto_lock_t plain = RIALTO_LOCK_INIT;
    bool locked, mine;
    uint32_t times;

    EXPECT(rialto_rlock_attach(lock), RIALTO_EBADREGION); /* zeroed */
    EXPECT(rialto_rlock_acquire(lock), RIALTO_EBADREGION);
    EXPECT(rialto_rlock_is_locked(lock, &locked), RIALTO_EBADREGION);
    EXPECT(rialto_rlock_reset(lock), RIALTO_EBADREGION);
    EXPECT(rialto_rlock_destroy(lock), RIALTO_EBADREGION);
    memcpy(lock, &plain, sizeof plain); /* the other kind */
    EXPECT(rialto_rlock_attach(lock), RIALTO_EBADREGION);
    EXPECT(rialto_rlock_acquire(lock), RIALTO_EBADREGION);
    memset(lock, 0xa5, sizeof *lock);
    EXPECT(rialto_rlock_init(lock), RIALTO_OK);
    CHECK(memcmp(lock, &(rialto_rlock_t)RIALTO_RLOCK_INIT, sizeof *lock) == 0);
    EXPECT(rialto_lock_attach((rialto_lock_t *)(void *)lock), RIALTO_EBADREGION);

    EXPECT(rialto_rlock_release(lock), RIALTO_EPERM);
    EXPECT(rialto_rlock_mark_consistent(lock), RIALTO_EPERM);
    EXPECT(rialto_rlock_acquire(lock), RIALTO_OK);
    EXPECT(rialto_rlock_try_acquire(lock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire_timeout(lock, 0), RIALTO_OK);
    EXPECT(rialto_rlock_acquire_timeout(lock, RIALTO_WAIT_FOREVER), RIALTO_OK);
    EXPECT(rialto_rlock_is_mine(lock, &mine), RIALTO_OK);
    EXPECT(rialto_rlock_is_locked(lock, &locked), RIALTO_OK);
    EXPECT(rialto_rlock_recursion(lock, &times), RIALTO_OK);
    CHECK(mine && locked && times == 4);
    EXPECT(rialto_rlock_reset(lock), RIALTO_EBUSY);
    EXPECT(rialto_rlock_destroy(lock), RIALTO_EBUSY);
    EXPECT(rialto_rlock_mark_consistent(lock), RIALTO_OK); /* no effect */

    /* As LAYOUT.md has it: the count at 56, here as if it were full. */
    lock->_private[14] = UINT32_MAX;
    EXPECT(rialto_rlock_acquire(lock), RIALTO_EOVERFLOW);
    EXPECT(rialto_rlock_recursion(lock, &times), RIALTO_OK);
    CHECK(times == UINT32_MAX);
    lock->_private[14] = 4;
    for (int i = 0; i < 4; i++) {
        EXPECT(rialto_rlock_is_mine(lock, &mine), RIALTO_OK);
        CHECK(mine);
        EXPECT(rialto_rlock_release(lock), RIALTO_OK);
    }
    EXPECT(rialto_rlock_is_mine(lock, &mine), RIALTO_OK);
    EXPECT(rialto_rlock_is_locked(lock, &locked), RIALTO_OK);
    CHECK(!mine && !locked);
    EXPECT(rialto_rlock_release(lock), RIALTO_EPERM);
    EXPECT(rialto_rlock_reset(lock), RIALTO_OK); /* no effect */
    EXPECT(rialto_rlock_destroy(lock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(lock), RIALTO_EBADREGION);
}

int main(void)
{
    watchdog();
    static const rialto_rlock_t fresh = RIALTO_RLOCK_INIT;
    account = memory_make(sizeof *account);
    memcpy(&account->lock, &fresh, sizeof fresh);

    excludes();
    killed_holding_thrice();
    killed_waiting_is_no_owner();
    unrepaired_is_not_recoverable();
    a_child_holds_nothing();
    statuses();
    puts("rlock: two C processes, killed holding thrice, killed waiting: ok");
    return 0;
}
