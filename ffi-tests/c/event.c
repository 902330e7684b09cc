/* Event between C processes: waiters are killed, a setter dies before it wakes anybody; set from a signal
 * handler; every status. */
#include "memory.h"

enum { WAITERS = 3 };

struct shared {
    uint64_t news; /* written before the event is set */
    rialto_event_t event;
    rialto_event_t other;
};

static struct shared *shared;

/* A child that waits, finds the news, and goes; asleep when this returns. */
static pid_t waiter(uint64_t news)
{
    struct gate soon;
    gate_make(&soon);
    pid_t child = spawn();
    if (child == 0) {
        shared = memory_move(shared);
        EXPECT(rialto_event_attach(&shared->event), RIALTO_OK);
        gate_open(&soon);
        EXPECT(rialto_event_wait(&shared->event), RIALTO_OK);
        CHECK(shared->news == news);
        exit(0);
    }
    gate_pass(&soon);
    gate_close(&soon);
    until_asleep(child);
    return child;
}

static bool is_set(void)
{
    bool set;
    EXPECT(rialto_event_is_set(&shared->event, &set), RIALTO_OK);
    return set;
}

static void set_releases_all(void)
{
    pid_t waiters[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = waiter(1);
    shared->news = 1;
    EXPECT(rialto_event_set(&shared->event), RIALTO_OK);
    for (int i = 0; i < WAITERS; i++)
        reap(waiters[i]);
    CHECK(is_set()); /* it stays */
    EXPECT(rialto_event_wait(&shared->event), RIALTO_OK);
    EXPECT(rialto_event_clear(&shared->event), RIALTO_OK);
    CHECK(!is_set());
}

/* Also those who do not run while it is set. */
static void set_and_clear_releases_all(void)
{
    pid_t waiters[WAITERS];
    int how;
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = waiter(2);
        CHECK(kill(waiters[i], SIGSTOP) == 0);
        CHECK(waitpid(waiters[i], &how, WUNTRACED) == waiters[i] && WIFSTOPPED(how));
    }
    shared->news = 2;
    EXPECT(rialto_event_set(&shared->event), RIALTO_OK);
    EXPECT(rialto_event_clear(&shared->event), RIALTO_OK);
    for (int i = 0; i < WAITERS; i++) {
        CHECK(kill(waiters[i], SIGCONT) == 0);
        reap(waiters[i]);
    }
    EXPECT(rialto_event_wait_timeout(&shared->event, 0), RIALTO_EAGAIN);
}

static void killed_waiting(void)
{
    pid_t victim = waiter(3), survivor = waiter(3), second = waiter(3);
    slay(victim);
    slay(second);
    shared->news = 3;
    EXPECT(rialto_event_set(&shared->event), RIALTO_OK);
    reap(survivor);
    EXPECT(rialto_event_clear(&shared->event), RIALTO_OK);
}

/* As LAYOUT.md has it: the phase at 8, odd if set. What rialto_event_set has done when it is killed
 * before the wake-up. */
static void killed_before_the_wake_up(void)
{
    pid_t sleeper = waiter(4);
    pid_t setter = spawn();
    if (setter == 0) {
        shared = memory_move(shared);
        shared->news = 4;
        __atomic_fetch_or(&shared->event._private[2], 1, __ATOMIC_SEQ_CST);
        raise(SIGKILL);
    }
    bury(setter);
    reap(sleeper); /* at its tick */
    CHECK(is_set());
    EXPECT(rialto_event_clear(&shared->event), RIALTO_OK);
}

static void on_signal(int number)
{
    (void)number;
    rialto_event_set(&shared->event);
}

/* The handler interrupts the very wait that it ends. */
static void set_in_a_handler(void)
{
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    pid_t child = spawn();
    if (child == 0) {
        doze(50);
        kill(getppid(), SIGUSR1);
        exit(0);
    }
    EXPECT(rialto_event_wait(&shared->event), RIALTO_OK);
    reap(child);
    EXPECT(rialto_event_clear(&shared->event), RIALTO_OK);
}

static void statuses(void)
{
    rialto_event_t *event = &shared->other;
    bool set = true;
    EXPECT(rialto_event_attach(event), RIALTO_EBADREGION); /* zeroed */
    EXPECT(rialto_event_set(event), RIALTO_EBADREGION);
    EXPECT(rialto_event_clear(event), RIALTO_EBADREGION);
    EXPECT(rialto_event_is_set(event, &set), RIALTO_EBADREGION);
    EXPECT(rialto_event_wait(event), RIALTO_EBADREGION);
    EXPECT(rialto_event_wait_timeout(event, 0), RIALTO_EBADREGION);
    CHECK(set); /* written only on success */
    memset(event, 0xa5, sizeof *event);
    EXPECT(rialto_event_init(event), RIALTO_OK);
    CHECK(memcmp(event, &(rialto_event_t)RIALTO_EVENT_INIT, sizeof *event) == 0);

    EXPECT(rialto_event_is_set(event, &set), RIALTO_OK);
    CHECK(!set);
    EXPECT(rialto_event_clear(event), RIALTO_OK); /* again is fine */
    EXPECT(rialto_event_wait_timeout(event, 0), RIALTO_EAGAIN);
    uint64_t before = now();
    EXPECT(rialto_event_wait_timeout(event, 150 * MS), RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 150 * MS);
    EXPECT(rialto_event_set(event), RIALTO_OK);
    EXPECT(rialto_event_set(event), RIALTO_OK);
    EXPECT(rialto_event_wait_timeout(event, 0), RIALTO_OK);
    EXPECT(rialto_event_wait_timeout(event, RIALTO_WAIT_FOREVER), RIALTO_OK);
    EXPECT(rialto_event_is_set(event, &set), RIALTO_OK);
    CHECK(set);
}

int main(void)
{
    watchdog();
    static const rialto_event_t fresh = RIALTO_EVENT_INIT;
    shared = memory_make(sizeof *shared);
    memcpy(&shared->event, &fresh, sizeof fresh);

    set_releases_all();
    set_and_clear_releases_all();
    killed_waiting();
    killed_before_the_wake_up();
    set_in_a_handler();
    statuses();
    puts("event: C processes, killed waiters, a setter killed half-way: ok");
    return 0;
}
