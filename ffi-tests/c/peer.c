/* The C side of a conversation with a Rust process, see ffi-tests/tests/c_rust.rs. It says on standard output how
 * far it has come, one word a line.
 *
 *   peer work NAME     attaches; sums what comes in "jobs", pushes each sum to "sums", until closed
 *   peer hold NAME     attaches; acquires the lock, takes a message in hand, says "holding", waits for
 *                      its end
 *   peer host NAME     creates the region, its lock and its queues, says "ready"; answers as "work";
 *                      then finds out what the Rust side left when it was killed
 */
#include "check.h"

enum { MOST = 64 };

/* The user's own object in the region's last bytes: at the same offset for everybody. */
struct shared {
    uint64_t left, right;
    rialto_lock_t lock;
};

static rialto_region_t region;
static rialto_queue_t jobs, sums;

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
    EXPECT(rialto_queue_open(&region, "jobs", &jobs), RIALTO_OK);
    EXPECT(rialto_queue_open(&region, "sums", &sums), RIALTO_OK);
    EXPECT(rialto_lock_attach(&shared()->lock), RIALTO_OK);
}

static void work(void)
{
    rialto_peeked_t job;
    int status;
    while ((status = rialto_queue_peek(&jobs, &job)) >= 0) {
        unsigned char numbers[MOST];
        size_t length;
        uint64_t sum = 0;
        EXPECT(rialto_peeked_copy(&job, numbers, sizeof numbers, &length), RIALTO_OK);
        for (size_t i = 0; i < length; i++)
            sum += numbers[i];
        EXPECT(rialto_queue_push(&sums, &sum, sizeof sum), RIALTO_OK);
        EXPECT(rialto_peeked_release(&job), RIALTO_OK);
        struct shared *s = shared();
        EXPECT(rialto_lock_acquire(&s->lock), RIALTO_OK);
        CHECK(s->left == s->right);
        s->left++;
        s->right++;
        EXPECT(rialto_lock_release(&s->lock), RIALTO_OK);
    }
    EXPECT(status, RIALTO_EPIPE);
}

static void hold(void)
{
    rialto_peeked_t job;
    EXPECT(rialto_lock_acquire(&shared()->lock), RIALTO_OK);
    shared()->left++;
    EXPECT(rialto_queue_peek(&jobs, &job), RIALTO_OK);
    say("holding");
    for (;;)
        pause();
}

static void host(const char *name)
{
    rialto_region_config_t config;
    rialto_queue_config_t queue_config;
    char word[16], buffer[MOST];
    size_t length;
    uint32_t attempt;

    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_named(&region, name, 1 << 17, &config), RIALTO_OK);
    EXPECT(rialto_queue_config_default(8, MOST, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "jobs", &queue_config, &jobs), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "sums", &queue_config, &sums), RIALTO_OK);
    EXPECT(rialto_lock_init(&shared()->lock), RIALTO_OK);
    say("ready");
    work(); /* until Rust closes "jobs" */
    say("worked");

    EXPECT(rialto_queue_push(&sums, "inherit me", 10), RIALTO_OK);
    say("pushed");
    CHECK(fgets(word, sizeof word, stdin)); /* Rust's child is dead */
    EXPECT(rialto_lock_acquire(&shared()->lock), RIALTO_OWNER_DIED);
    CHECK(shared()->left == shared()->right + 1);
    shared()->right++;
    EXPECT(rialto_lock_mark_consistent(&shared()->lock), RIALTO_OK);
    EXPECT(rialto_lock_release(&shared()->lock), RIALTO_OK);
    EXPECT(rialto_queue_pop(&sums, buffer, sizeof buffer, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 10 && memcmp(buffer, "inherit me", 10) == 0);
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
    CHECK(strcmp(arguments[1], "work") == 0);
    work();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    say("done");
    return 0;
}
