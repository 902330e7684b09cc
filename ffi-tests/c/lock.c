/* Lock between two C processes that map the same memfd at different addresses. One is killed while it
 * holds the lock; the other is told, repairs, goes on. And every status a lock call can return. */
#include "check.h"

enum { ROUNDS = 20000 };

/* What the program has in shared memory: a lock in a struct of its own. */
struct account {
    uint64_t left, right; /* equal whenever the lock is free */
    rialto_lock_t lock;
    rialto_lock_t other;
};

static int file;
static struct account *account;

static struct account *map(void)
{
    void *at = mmap(NULL, sizeof *account, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

/* In a child: sees the same bytes elsewhere, and no more where the parent does. */
static void move_house(void)
{
    struct account *elsewhere = map();
    CHECK(elsewhere != account);
    CHECK(munmap(account, sizeof *account) == 0);
    account = elsewhere;
    EXPECT(rialto_lock_attach(&account->lock), RIALTO_OK);
}

static void add(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        EXPECT(rialto_lock_acquire(&account->lock), RIALTO_OK);
        CHECK(account->left == account->right);
        account->left++;
        account->right++;
        EXPECT(rialto_lock_release(&account->lock), RIALTO_OK);
    }
}

static void excludes(void)
{
    pid_t child = spawn();
    if (child == 0) {
        move_house();
        add(ROUNDS);
        exit(0);
    }
    add(ROUNDS);
    reap(child);
    CHECK(account->left == 2 * ROUNDS && account->right == 2 * ROUNDS);
}

/* A child that acquires, breaks the books, says so, and waits to be killed. */
static pid_t holder(void)
{
    struct gate held;
    gate_make(&held);
    pid_t child = spawn();
    if (child == 0) {
        move_house();
        EXPECT(rialto_lock_acquire(&account->lock), RIALTO_OK);
        account->left++;
        gate_open(&held);
        for (;;)
            pause();
    }
    gate_pass(&held);
    close(held.ends[0]);
    close(held.ends[1]);
    return child;
}

static void death_is_told_to_a_sleeper(void)
{
    pid_t victim = holder();
    bool locked = false, mine = true;
    EXPECT(rialto_lock_is_locked(&account->lock, &locked), RIALTO_OK);
    EXPECT(rialto_lock_is_mine(&account->lock, &mine), RIALTO_OK);
    CHECK(locked && !mine);
    EXPECT(rialto_lock_try_acquire(&account->lock), RIALTO_EAGAIN);
    EXPECT(rialto_lock_acquire_timeout(&account->lock, 20 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_lock_release(&account->lock), RIALTO_EPERM);

    pid_t killer = spawn();
    if (killer == 0) {
        doze(50);
        kill(victim, SIGKILL);
        exit(0);
    }
    EXPECT(rialto_lock_acquire(&account->lock), RIALTO_OWNER_DIED);
    CHECK(account->left == account->right + 1);
    account->right++;
    EXPECT(rialto_lock_mark_consistent(&account->lock), RIALTO_OK);
    EXPECT(rialto_lock_release(&account->lock), RIALTO_OK);
    CHECK(waitpid(victim, NULL, 0) == victim);
    reap(killer);
    add(1);
}

static void unrepaired_is_not_recoverable(void)
{
    slay(holder());
    EXPECT(rialto_lock_try_acquire(&account->lock), RIALTO_OWNER_DIED);
    pid_t waiter = spawn();
    if (waiter == 0) {
        move_house();
        EXPECT(rialto_lock_acquire(&account->lock), RIALTO_ENOTRECOVERABLE);
        exit(0);
    }
    doze(30);
    EXPECT(rialto_lock_release(&account->lock), RIALTO_OK);
    reap(waiter);
    EXPECT(rialto_lock_try_acquire(&account->lock), RIALTO_ENOTRECOVERABLE);
    account->right = account->left;
    EXPECT(rialto_lock_reset(&account->lock), RIALTO_OK);
    add(1);
}

static void statuses(void)
{
    rialto_lock_t *lock = &account->other;
    bool locked, mine;

    EXPECT(rialto_lock_attach(lock), RIALTO_EBADREGION); /* zeroed */
    EXPECT(rialto_lock_acquire(lock), RIALTO_EBADREGION);
    EXPECT(rialto_lock_is_locked(lock, &locked), RIALTO_EBADREGION);
    EXPECT(rialto_lock_reset(lock), RIALTO_EBADREGION);
    EXPECT(rialto_lock_destroy(lock), RIALTO_EBADREGION);
    memset(lock, 0xa5, sizeof *lock);
    EXPECT(rialto_lock_init(lock), RIALTO_OK);
    CHECK(memcmp(lock, &(rialto_lock_t)RIALTO_LOCK_INIT, sizeof *lock) == 0);

    EXPECT(rialto_lock_release(lock), RIALTO_EPERM);
    EXPECT(rialto_lock_mark_consistent(lock), RIALTO_EPERM);
    EXPECT(rialto_lock_acquire(lock), RIALTO_OK);
    EXPECT(rialto_lock_is_mine(lock, &mine), RIALTO_OK);
    EXPECT(rialto_lock_is_locked(lock, &locked), RIALTO_OK);
    CHECK(mine && locked);
    EXPECT(rialto_lock_acquire(lock), RIALTO_EDEADLK);
    EXPECT(rialto_lock_acquire_timeout(lock, RIALTO_WAIT_FOREVER), RIALTO_EDEADLK);
    EXPECT(rialto_lock_try_acquire(lock), RIALTO_EAGAIN);
    EXPECT(rialto_lock_acquire_timeout(lock, 0), RIALTO_EAGAIN);
    EXPECT(rialto_lock_reset(lock), RIALTO_EBUSY);
    EXPECT(rialto_lock_destroy(lock), RIALTO_EBUSY);
    EXPECT(rialto_lock_mark_consistent(lock), RIALTO_OK); /* no effect */
    EXPECT(rialto_lock_release(lock), RIALTO_OK);
    EXPECT(rialto_lock_is_locked(lock, &locked), RIALTO_OK);
    CHECK(!locked);
    EXPECT(rialto_lock_reset(lock), RIALTO_OK); /* no effect */
    EXPECT(rialto_lock_destroy(lock), RIALTO_OK);
    EXPECT(rialto_lock_acquire(lock), RIALTO_EBADREGION);
}

static void deadline_is_not_early(void)
{
    uint64_t before, after;
    pid_t victim = holder();
    EXPECT(rialto_now_ns(&before), RIALTO_OK);
    EXPECT(rialto_lock_acquire_timeout(&account->lock, 150 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_now_ns(&after), RIALTO_OK);
    CHECK(after - before >= 150 * MS);
    slay(victim);
    EXPECT(rialto_lock_acquire_timeout(&account->lock, 5000 * MS), RIALTO_OWNER_DIED);
    account->right = account->left;
    EXPECT(rialto_lock_mark_consistent(&account->lock), RIALTO_OK);
    EXPECT(rialto_lock_release(&account->lock), RIALTO_OK);
}

static void at_most_64_per_thread(void)
{
    enum { MANY = 65 };
    static rialto_lock_t locks[MANY];
    for (int i = 0; i < MANY; i++)
        EXPECT(rialto_lock_init(&locks[i]), RIALTO_OK);
    for (int i = 0; i < 64; i++)
        EXPECT(rialto_lock_acquire(&locks[i]), RIALTO_OK);
    EXPECT(rialto_lock_acquire(&locks[64]), RIALTO_EMFILE);
    for (int i = 0; i < 64; i++)
        EXPECT(rialto_lock_release(&locks[i]), RIALTO_OK);
}

int main(void)
{
    watchdog();
    file = memfd_create("account", MFD_CLOEXEC);
    CHECK(file >= 0 && ftruncate(file, sizeof *account) == 0);
    account = map();
    static const rialto_lock_t fresh = RIALTO_LOCK_INIT;
    memcpy(&account->lock, &fresh, sizeof fresh);

    excludes();
    death_is_told_to_a_sleeper();
    unrepaired_is_not_recoverable();
    statuses();
    deadline_is_not_early();
    at_most_64_per_thread();
    puts("lock: two C processes, two addresses, killed holders: ok");
    return 0;
}
