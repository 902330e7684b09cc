/* Barrier between C processes: parties are killed while they wait, while they act, and elsewhere; each
 * time, each party gets a number of its own and the action runs once; every status. */
#include "memory.h"

enum { PARTIES = 3, GENERATIONS = 300 };

static rialto_region_t region;
static rialto_barrier_t barrier;

/* What parties tell each other; not in the region. */
static struct board {
    uint32_t seen[GENERATIONS][PARTIES];
    uint32_t actions;
} *board;

static bool is_broken(void)
{
    bool broken;
    EXPECT(rialto_barrier_is_broken(&barrier, &broken), RIALTO_OK);
    return broken;
}

static uint32_t waiting(void)
{
    uint32_t parties = 77;
    EXPECT(rialto_barrier_n_waiting(&barrier, &parties), RIALTO_OK);
    return parties;
}

static void until_waiting(uint32_t parties)
{
    while (waiting() != parties)
        doze(1);
}

static void reset(void)
{
    EXPECT(rialto_barrier_reset(&barrier), RIALTO_OK);
    CHECK(!is_broken() && waiting() == 0);
}

/* In a child. */
static void move(void)
{
    static rialto_region_t view;
    region_elsewhere(&region, &view);
    EXPECT(rialto_barrier_open(&view, "barrier", &barrier), RIALTO_OK);
}

/* A child that waits, expects `status`, and goes. It is there when this returns. */
static pid_t party(int status)
{
    uint32_t before = waiting();
    pid_t child = spawn();
    if (child == 0) {
        uint32_t index = 77;
        move();
        EXPECT(rialto_barrier_wait(&barrier, &index), status);
        CHECK(status < 0 ? index == 77 : index < PARTIES);
        exit(0);
    }
    until_waiting(before + 1);
    return child;
}

static int act(void *generation)
{
    CHECK(board->actions == *(uint32_t *)generation); /* nobody is released before, nor acts again */
    board->actions++;
    return 0;
}

static void attend(void)
{
    for (uint32_t i = 0; i < GENERATIONS; i++) {
        uint32_t index = 77;
        EXPECT(rialto_barrier_wait_action_timeout(&barrier, RIALTO_WAIT_FOREVER, act, &i, &index),
               RIALTO_OK);
        CHECK(index < PARTIES && board->actions > i);
        __atomic_fetch_add(&board->seen[i][index], 1, __ATOMIC_SEQ_CST);
    }
}

static void every_index_once(void)
{
    pid_t children[PARTIES - 1];
    for (int i = 0; i < PARTIES - 1; i++) {
        children[i] = spawn();
        if (children[i] == 0) {
            move();
            attend();
            exit(0);
        }
    }
    attend();
    for (int i = 0; i < PARTIES - 1; i++)
        reap(children[i]);
    for (int i = 0; i < GENERATIONS; i++)
        for (int j = 0; j < PARTIES; j++)
            CHECK(board->seen[i][j] == 1);
    CHECK(board->actions == GENERATIONS && waiting() == 0 && !is_broken());
}

/* It works; all parties must come. */
static void works(void)
{
    uint32_t index;
    pid_t first = party(RIALTO_OK), second = party(RIALTO_OK);
    CHECK(waiting() == 2);
    EXPECT(rialto_barrier_wait_timeout(&barrier, 0, &index), RIALTO_OK); /* the last need not wait */
    CHECK(index == 2);
    reap(first);
    reap(second);
}

static void killed_waiting(void)
{
    uint32_t index = 77;
    pid_t victim = party(RIALTO_OK), survivor = party(RIALTO_EBROKEN);
    slay(victim);
    reap(survivor); /* the sleeper noticed */
    CHECK(is_broken() && waiting() == 0);
    EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_EBROKEN); /* until it is reset */
    CHECK(index == 77);
    reset();
    works();

    /* The one who comes last notices too, and releases nobody. */
    rialto_recovered_t recovered;
    victim = party(RIALTO_OK);
    slay(victim);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
    CHECK(recovered.members >= 1 && recovered.broken == 1 && recovered.permits == 0);
    CHECK(is_broken());
    reset();
    works();
}

/* Registered, and killed while it does something else. */
static void killed_elsewhere(void)
{
    struct gate registered;
    rialto_recovered_t recovered;
    uint32_t index;
    for (int sleeping = 0; sleeping < 2; sleeping++) {
        gate_make(&registered);
        pid_t victim = spawn();
        if (victim == 0) {
            move();
            EXPECT(rialto_barrier_register(&barrier), RIALTO_OK);
            gate_open(&registered);
            await_death();
        }
        gate_pass(&registered);
        gate_close(&registered);
        if (sleeping) {
            pid_t killer = assassin(victim);
            EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_EBROKEN);
            bury(victim);
            reap(killer);
        } else {
            slay(victim);
            EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
            CHECK(recovered.members >= 1 && recovered.broken == 1);
        }
        CHECK(is_broken());
        reset();
        works(); /* the dead one is registered no more */
    }

    /* Not registered: nobody knows that it would have come. */
    pid_t stranger = spawn();
    if (stranger == 0) {
        move();
        EXPECT(rialto_barrier_register(&barrier), RIALTO_OK);
        EXPECT(rialto_barrier_unregister(&barrier), RIALTO_OK);
        raise(SIGKILL);
    }
    bury(stranger);
    EXPECT(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &recovered), RIALTO_OK);
    CHECK(recovered.members >= 1 && recovered.broken == 0 && !is_broken());
}

static int die(void *nothing)
{
    (void)nothing;
    raise(SIGKILL);
    return 0;
}

static int fail(void *number)
{
    board->actions++;
    return *(int *)number;
}

static void killed_in_the_action(void)
{
    pid_t first = party(RIALTO_EBROKEN), second = party(RIALTO_EBROKEN);
    pid_t victim = spawn();
    if (victim == 0) {
        uint32_t index;
        move();
        rialto_barrier_wait_action_timeout(&barrier, 5000 * MS, die, NULL, &index);
        exit(1);
    }
    bury(victim);
    reap(first);
    reap(second);
    CHECK(is_broken());
    reset();
    works();
}

static void a_failed_action_breaks_it(void)
{
    const int failures[] = {1, -7};
    for (int i = 0; i < 2; i++) {
        uint32_t index = 77, before = board->actions;
        int number = failures[i];
        pid_t first = party(RIALTO_EBROKEN), second = party(RIALTO_EBROKEN);
        EXPECT(rialto_barrier_wait_action_timeout(&barrier, RIALTO_WAIT_FOREVER, fail, &number, &index),
               RIALTO_EBROKEN);
        reap(first);
        reap(second);
        CHECK(index == 77 && board->actions == before + 1 && is_broken());
        reset();
    }
    works();
}

static void a_timeout_breaks_it(void)
{
    uint32_t index = 77, actions = board->actions;
    int number = 0;
    pid_t other = party(RIALTO_EBROKEN);
    uint64_t before = now();
    EXPECT(rialto_barrier_wait_timeout(&barrier, 150 * MS, &index), RIALTO_ETIMEDOUT);
    CHECK(now() - before >= 150 * MS && index == 77 && is_broken());
    reap(other);
    EXPECT(rialto_barrier_wait_timeout(&barrier, 150 * MS, &index), RIALTO_EBROKEN);
    reset();
    other = party(RIALTO_EBROKEN);
    EXPECT(rialto_barrier_wait_timeout(&barrier, 0, &index), RIALTO_ETIMEDOUT);
    reap(other);
    reset();
    EXPECT(rialto_barrier_wait_action_timeout(&barrier, 20 * MS, fail, &number, &index), RIALTO_ETIMEDOUT);
    CHECK(board->actions == actions); /* not the last: it does not act */
    reset();
    works();
}

static void on_signal(int number)
{
    (void)number;
    rialto_barrier_abort(&barrier);
}

static void aborted_and_reset(void)
{
    uint32_t index;
    pid_t first = party(RIALTO_EBROKEN), second = party(RIALTO_EBROKEN);
    EXPECT(rialto_barrier_abort(&barrier), RIALTO_OK);
    EXPECT(rialto_barrier_abort(&barrier), RIALTO_OK);
    reap(first);
    reap(second);
    CHECK(is_broken() && waiting() == 0);
    reset();
    first = party(RIALTO_EBROKEN);
    reset(); /* throws out who waits */
    reap(first);
    works();

    /* The handler interrupts the very wait that it ends. */
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    pid_t child = spawn();
    if (child == 0) {
        doze(50);
        kill(getppid(), SIGUSR1);
        exit(0);
    }
    EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_EBROKEN);
    reap(child);
    reset();
}

static void members_are_parties(void)
{
    rialto_region_config_t config;
    rialto_region_t elsewhere;
    rialto_member_t member, second, stranger;
    rialto_barrier_t theirs, alone;
    uint32_t index = 77;
    EXPECT(rialto_barrier_unregister(&barrier), RIALTO_EPERM);
    EXPECT(rialto_barrier_register(&barrier), RIALTO_OK);
    EXPECT(rialto_barrier_register(&barrier), RIALTO_OK); /* changes nothing */
    EXPECT(rialto_region_leave(&region), RIALTO_EBUSY);
    EXPECT(rialto_region_detach(&region), RIALTO_EBUSY);
    EXPECT(rialto_barrier_unregister(&barrier), RIALTO_OK);
    EXPECT(rialto_barrier_unregister(&barrier), RIALTO_EPERM);
    EXPECT(rialto_region_leave(&region), RIALTO_OK);

    EXPECT(rialto_barrier_create(&region, "alone", 1, &alone), RIALTO_OK);
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_region_join(&region, &second), RIALTO_OK);
    EXPECT(rialto_barrier_as_member(&alone, &member, &theirs), RIALTO_OK);
    EXPECT(rialto_barrier_register(&theirs), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    EXPECT(rialto_barrier_as_member(&alone, &second, &alone), RIALTO_OK);
    EXPECT(rialto_barrier_register(&alone), RIALTO_ENOSPC);
    EXPECT(rialto_barrier_wait(&alone, &index), RIALTO_OK); /* may wait all the same */
    CHECK(index == 0);
    EXPECT(rialto_barrier_unregister(&alone), RIALTO_EPERM);
    EXPECT(rialto_barrier_unregister(&theirs), RIALTO_OK);
    EXPECT(rialto_barrier_register(&alone), RIALTO_OK);
    EXPECT(rialto_barrier_unregister(&alone), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    EXPECT(rialto_member_leave(&second), RIALTO_OK);

    index = 77;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&elsewhere, 1 << 16, &config), RIALTO_OK);
    EXPECT(rialto_region_join(&elsewhere, &stranger), RIALTO_OK);
    EXPECT(rialto_barrier_as_member(&barrier, &stranger, &theirs), RIALTO_OK);
    EXPECT(rialto_barrier_wait(&theirs, &index), RIALTO_EINVAL);
    EXPECT(rialto_barrier_register(&theirs), RIALTO_EINVAL);
    EXPECT(rialto_barrier_unregister(&theirs), RIALTO_EINVAL);
    CHECK(index == 77 && waiting() == 0 && !is_broken());
    EXPECT(rialto_member_leave(&stranger), RIALTO_OK);
    EXPECT(rialto_region_detach(&elsewhere), RIALTO_OK);
}

static void statuses(void)
{
    rialto_barrier_t made, moved;
    rialto_tracked_semaphore_t semaphore;
    uint32_t parties, index;
    EXPECT(rialto_barrier_create(&region, "barrier", 2, &made), RIALTO_EEXIST);
    EXPECT(rialto_barrier_create_timeout(&region, "barrier", 2, 0, &made), RIALTO_EEXIST);
    EXPECT(rialto_barrier_create(&region, "", 2, &made), RIALTO_EINVAL);
    EXPECT(rialto_barrier_create(&region, "none", 0, &made), RIALTO_EINVAL);
    EXPECT(rialto_barrier_create(&region, "many", 4096, &made), RIALTO_EINVAL);
    EXPECT(rialto_barrier_create(&region, "many", 65536 + 1, &made), RIALTO_EINVAL);
    EXPECT(rialto_barrier_create(&region, "many", 4095, &made), RIALTO_ENOSPC);
    EXPECT(rialto_barrier_open(&region, "many", &made), RIALTO_ENOENT);
    EXPECT(rialto_tracked_semaphore_open(&region, "barrier", &semaphore), RIALTO_EWRONGKIND);
    EXPECT(rialto_tracked_semaphore_create(&region, "semaphore", 1, &semaphore), RIALTO_OK);
    EXPECT(rialto_barrier_open(&region, "semaphore", &made), RIALTO_EWRONGKIND);
    EXPECT(rialto_barrier_create_timeout(&region, "made", 1, 1000 * MS, &made), RIALTO_OK);
    moved = made; /* a view may be copied */
    EXPECT(rialto_barrier_parties(&moved, &parties), RIALTO_OK);
    CHECK(parties == 1);
    for (int i = 0; i < 5; i++) {
        index = 77;
        EXPECT(rialto_barrier_wait_timeout(&moved, 0, &index), RIALTO_OK);
        CHECK(index == 0);
    }
    EXPECT(rialto_barrier_parties(&barrier, &parties), RIALTO_OK);
    CHECK(parties == PARTIES);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    int access = PROT_READ | PROT_WRITE;
    board = (struct board *)mmap(NULL, sizeof *board, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(board != MAP_FAILED);
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 16, &config), RIALTO_OK);
    EXPECT(rialto_barrier_create(&region, "barrier", PARTIES, &barrier), RIALTO_OK);
    every_index_once();
    works();
    killed_waiting();
    killed_elsewhere();
    killed_in_the_action();
    a_failed_action_breaks_it();
    a_timeout_breaks_it();
    aborted_and_reset();
    members_are_parties();
    statuses();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("barrier: C processes, killed waiting, acting and elsewhere: ok");
    return 0;
}
