/* The C side of a conversation about the synchronization family with a Rust process, see
 * ffi-tests/tests/c_rust_sync.rs. It says on standard output how far it has come, one word a line.
 *
 *   family use NAME     attaches to what Rust has made; meets it at the barrier, plays ping-pong with
 *                       the condition, waits for the event, hands over permits of both semaphores
 *   family hold NAME    attaches; holds the recursive lock twice and a permit, is registered with the
 *                       barrier, says "holding", waits for its end
 *   family host NAME    creates everything, says "ready"; then finds out what the Rust side left when it
 *                       was killed
 */
#include "check.h"

enum { ROUNDS = 200, PERMITS = 2 };

/* The user's own objects in the region's last bytes: at the same offset for everybody. */
struct shared {
    rialto_rlock_t rlock;
    rialto_event_t event;
    rialto_semaphore_t semaphore, bounded;
    rialto_condition_t condition;
    uint32_t turn;
    uint32_t seen[ROUNDS]; /* by the bit of each index that somebody got */
};

static rialto_region_t region;
static rialto_tracked_semaphore_t permits;
static rialto_barrier_t barrier;

static struct shared *shared(void)
{
    void *base;
    size_t size;
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_region_size(&region, &size), RIALTO_OK);
    return (struct shared *)((char *)base + size - sizeof(struct shared));
}

static void attach(const char *name)
{
    EXPECT(rialto_region_attach_named(&region, name), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_open(&region, "permits", &permits), RIALTO_OK);
    EXPECT(rialto_barrier_open(&region, "barrier", &barrier), RIALTO_OK);
    EXPECT(rialto_rlock_attach(&shared()->rlock), RIALTO_OK);
    EXPECT(rialto_event_attach(&shared()->event), RIALTO_OK);
    EXPECT(rialto_semaphore_attach(&shared()->semaphore), RIALTO_OK);
    EXPECT(rialto_semaphore_attach(&shared()->bounded), RIALTO_OK);
    EXPECT(rialto_condition_attach(&shared()->condition), RIALTO_OK);
}

static bool our_turn(void *argument)
{
    const struct shared *s = argument;
    return s->turn == 1;
}

static void use(void)
{
    struct shared *s = shared();
    uint32_t parties, bound;
    EXPECT(rialto_barrier_parties(&barrier, &parties), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_bound(&permits, &bound), RIALTO_OK);
    CHECK(parties == 2 && bound == PERMITS);
    EXPECT(rialto_semaphore_bound(&s->bounded, &bound), RIALTO_OK);
    CHECK(bound == 1);

    for (int i = 0; i < ROUNDS; i++) {
        uint32_t index;
        EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_OK);
        CHECK(index < 2);
        __atomic_fetch_or(&s->seen[i], 1u << index, __ATOMIC_SEQ_CST);
    }
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(rialto_rlock_acquire(&s->rlock), RIALTO_OK);
        EXPECT(rialto_rlock_acquire(&s->rlock), RIALTO_OK);
        EXPECT(rialto_condition_wait_for_rlock(&s->condition, &s->rlock, our_turn, s), RIALTO_OK);
        s->turn = 0;
        EXPECT(rialto_condition_notify_all_rlock(&s->condition, &s->rlock), RIALTO_OK);
        EXPECT(rialto_rlock_release(&s->rlock), RIALTO_OK);
        EXPECT(rialto_rlock_release(&s->rlock), RIALTO_OK);
    }
    EXPECT(rialto_event_wait(&s->event), RIALTO_OK);
    EXPECT(rialto_semaphore_release_many(&s->semaphore, 3), RIALTO_OK);
    EXPECT(rialto_semaphore_acquire(&s->bounded), RIALTO_OK);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t one, two; /* both that there are: nobody keeps one */
        EXPECT(rialto_tracked_semaphore_acquire(&permits, &one), RIALTO_OK);
        int status = rialto_tracked_semaphore_try_acquire(&permits, &two);
        CHECK(status == RIALTO_OK || status == RIALTO_EAGAIN);
        if (status == RIALTO_OK)
            EXPECT(rialto_tracked_semaphore_release(&permits, two), RIALTO_OK);
        EXPECT(rialto_tracked_semaphore_release(&permits, one), RIALTO_OK);
    }
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    say("used");
}

static void hold(void)
{
    uint64_t permit;
    EXPECT(rialto_rlock_acquire(&shared()->rlock), RIALTO_OK);
    EXPECT(rialto_rlock_acquire(&shared()->rlock), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_acquire(&permits, &permit), RIALTO_OK);
    EXPECT(rialto_barrier_register(&barrier), RIALTO_OK);
    say("holding");
    for (;;)
        pause();
}

static void host(const char *name)
{
    rialto_region_config_t config;
    uint64_t mine, inherited;
    uint32_t index, number;
    bool broken;
    char word[16];
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_named(&region, name, 1 << 17, &config), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_create(&region, "permits", PERMITS, &permits), RIALTO_OK);
    EXPECT(rialto_barrier_create(&region, "barrier", 2, &barrier), RIALTO_OK);
    struct shared *s = shared();
    EXPECT(rialto_rlock_init(&s->rlock), RIALTO_OK);
    EXPECT(rialto_event_init(&s->event), RIALTO_OK);
    EXPECT(rialto_semaphore_init(&s->semaphore, 0), RIALTO_OK);
    EXPECT(rialto_semaphore_init_bounded(&s->bounded, 1), RIALTO_OK);
    EXPECT(rialto_condition_init(&s->condition), RIALTO_OK);
    say("ready");

    CHECK(fgets(word, sizeof word, stdin)); /* Rust's child has its hands full */
    EXPECT(rialto_event_wait_timeout(&s->event, 0), RIALTO_OK);
    EXPECT(rialto_semaphore_acquire_timeout(&s->semaphore, 0), RIALTO_OK);
    EXPECT(rialto_semaphore_try_acquire(&s->semaphore), RIALTO_EAGAIN);
    EXPECT(rialto_rlock_try_acquire(&s->rlock), RIALTO_EAGAIN);
    EXPECT(rialto_tracked_semaphore_acquire(&permits, &mine), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_try_acquire(&permits, &inherited), RIALTO_EAGAIN);
    say("waiting");
    EXPECT(rialto_tracked_semaphore_acquire(&permits, &inherited), RIALTO_OK); /* it dies meanwhile */
    EXPECT(rialto_barrier_wait(&barrier, &index), RIALTO_EBROKEN);
    EXPECT(rialto_barrier_is_broken(&barrier, &broken), RIALTO_OK);
    CHECK(broken);
    EXPECT(rialto_rlock_acquire(&s->rlock), RIALTO_OWNER_DIED);
    EXPECT(rialto_rlock_recursion(&s->rlock, &number), RIALTO_OK);
    CHECK(number == 1);
    EXPECT(rialto_rlock_mark_consistent(&s->rlock), RIALTO_OK);
    EXPECT(rialto_rlock_release(&s->rlock), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_release(&permits, mine), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_release(&permits, inherited), RIALTO_OK);
    EXPECT(rialto_tracked_semaphore_value(&permits, &number), RIALTO_OK);
    CHECK(number == PERMITS);
    EXPECT(rialto_region_unlink_named(name), RIALTO_OK);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    say("inherited");
}

int main(int count, char **arguments)
{
    watchdog();
    CHECK(count == 3);
    if (strcmp(arguments[1], "host") == 0) {
        host(arguments[2]);
        return 0;
    }
    attach(arguments[2]);
    if (strcmp(arguments[1], "hold") == 0)
        hold();
    CHECK(strcmp(arguments[1], "use") == 0);
    use();
    return 0;
}
