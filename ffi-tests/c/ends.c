/* The C side of a conversation through a pipe and two SPSC queues with a Rust process, see
 * ffi-tests/tests/c_rust_ends.rs. It says on standard output how far it has come, one word a line.
 *
 *   ends use NAME     attaches; sends back through the pipe what comes from there, until the other end closes;
 *                     then passes on what comes "down" to "up", until closed
 *   ends hold NAME    attaches; holds end 1 of the pipe, both other ends, a message of "down", and the lock; says
 *                     "holding", waits for its end
 *   ends host NAME    creates everything, says "ready"; then finds out what the Rust side left when it was killed
 */
#include "check.h"

enum { LONG = 5000, MOST = 64 };

static rialto_region_t region;
static rialto_pipe_t both;
static rialto_spsc_t down, up;

/* The user's own lock in the region's last bytes: at the same offset for everybody. */
static rialto_lock_t *lock(void)
{
    void *base;
    size_t size;
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    EXPECT(rialto_region_size(&region, &size), RIALTO_OK);
    return (rialto_lock_t *)((char *)base + size) - 1;
}

static void use(void)
{
    static char buffer[LONG];
    rialto_connection_t end;
    rialto_consumer_t consumer;
    rialto_producer_t producer;
    uint32_t attempt;
    size_t length;
    int status;
    EXPECT(rialto_pipe_connect(&both, 1, &end), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&down, &consumer), RIALTO_OK);
    EXPECT(rialto_spsc_producer(&up, &producer), RIALTO_OK);
    say("connected");
    while ((status = rialto_connection_recv(&end, buffer, sizeof buffer, &length)) == RIALTO_OK)
        EXPECT(rialto_connection_send(&end, buffer, length), RIALTO_OK);
    EXPECT(status, RIALTO_EPIPE);
    EXPECT(rialto_connection_close(&end), RIALTO_OK);
    while ((status = rialto_consumer_pop(&consumer, buffer, MOST, &length, &attempt)) == RIALTO_OK) {
        CHECK(attempt == 0);
        EXPECT(rialto_producer_push(&producer, buffer, length), RIALTO_OK);
    }
    EXPECT(status, RIALTO_EPIPE);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
}

static void hold(void)
{
    rialto_connection_t end;
    rialto_consumer_t consumer;
    rialto_producer_t producer;
    const void *message;
    size_t length;
    uint32_t attempt;
    EXPECT(rialto_pipe_connect(&both, 1, &end), RIALTO_OK);
    EXPECT(rialto_connection_send(&end, "last words", 10), RIALTO_OK);
    EXPECT(rialto_spsc_producer(&up, &producer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "sent", 4), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&down, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_peek(&consumer, &message, &length, &attempt), RIALTO_OK);
    CHECK(attempt == 0 && length == 8 && memcmp(message, "not done", 8) == 0);
    EXPECT(rialto_lock_acquire(lock()), RIALTO_OK);
    say("holding");
    for (;;)
        pause();
}

static void host(const char *name)
{
    rialto_region_config_t config;
    rialto_pipe_config_t pipe_config;
    rialto_spsc_config_t spsc_config;
    rialto_connection_t end;
    rialto_consumer_t consumer;
    rialto_producer_t producer;
    char word[16], buffer[MOST];
    uint32_t attempt;
    size_t length;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_named(&region, name, 1 << 17, &config), RIALTO_OK);
    EXPECT(rialto_pipe_config_default(1024, &pipe_config), RIALTO_OK);
    EXPECT(rialto_pipe_create(&region, "both", &pipe_config, &both), RIALTO_OK);
    EXPECT(rialto_spsc_config_default(8, MOST, &spsc_config), RIALTO_OK);
    EXPECT(rialto_spsc_create(&region, "down", &spsc_config, &down), RIALTO_OK);
    EXPECT(rialto_spsc_create(&region, "up", &spsc_config, &up), RIALTO_OK);
    EXPECT(rialto_lock_init(lock()), RIALTO_OK);
    EXPECT(rialto_pipe_connect(&both, 0, &end), RIALTO_OK);
    EXPECT(rialto_spsc_producer(&down, &producer), RIALTO_OK);
    EXPECT(rialto_producer_push(&producer, "not done", 8), RIALTO_OK);
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    say("ready");

    CHECK(fgets(word, sizeof word, stdin)); /* Rust's child is dead */
    /* The kernel has said so in the lock, through the list of a thread whose pointers may be longer than ours. */
    CHECK(lock()->_private[2] & 1u << 30);
    EXPECT(rialto_lock_acquire(lock()), RIALTO_OWNER_DIED);
    EXPECT(rialto_lock_mark_consistent(lock()), RIALTO_OK);
    EXPECT(rialto_lock_release(lock()), RIALTO_OK);
    EXPECT(rialto_connection_recv(&end, buffer, sizeof buffer, &length), RIALTO_OK);
    CHECK(length == 10 && memcmp(buffer, "last words", 10) == 0);
    EXPECT(rialto_connection_recv(&end, buffer, sizeof buffer, &length), RIALTO_EPIPE);
    EXPECT(rialto_spsc_consumer(&down, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_pop(&consumer, buffer, sizeof buffer, &length, &attempt), RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 8 && memcmp(buffer, "not done", 8) == 0);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_spsc_producer(&up, &producer), RIALTO_OK); /* the dead one's end */
    EXPECT(rialto_producer_end(&producer), RIALTO_OK);
    EXPECT(rialto_spsc_consumer(&up, &consumer), RIALTO_OK);
    EXPECT(rialto_consumer_pop(&consumer, buffer, sizeof buffer, &length, &attempt), RIALTO_OK);
    CHECK(attempt == 0 && length == 4 && memcmp(buffer, "sent", 4) == 0);
    EXPECT(rialto_consumer_end(&consumer), RIALTO_OK);
    EXPECT(rialto_connection_close(&end), RIALTO_OK);
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
    EXPECT(rialto_region_attach_named(&region, arguments[2]), RIALTO_OK);
    EXPECT(rialto_pipe_open(&region, "both", &both), RIALTO_OK);
    EXPECT(rialto_spsc_open(&region, "down", &down), RIALTO_OK);
    EXPECT(rialto_spsc_open(&region, "up", &up), RIALTO_OK);
    EXPECT(rialto_lock_attach(lock()), RIALTO_OK);
    if (strcmp(arguments[1], "hold") == 0)
        hold();
    CHECK(strcmp(arguments[1], "use") == 0);
    use();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    say("used");
    return 0;
}
