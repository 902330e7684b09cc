/* The C side of a conversation with a Rust process, see ffi-tests/tests/c_rust_queue.rs: "tasks" is a joinable ring,
 * "frames" an indexed queue of large buffers that are written and read in place. It says on standard output how far
 * it has come, one word a line.
 *
 *   tasks work NAME    attaches; makes a frame of each task, until closed
 *   tasks hold NAME    attaches; pops a task, reserves a frame, writes half of it, says "holding", waits
 *                      for its end
 *   tasks host NAME    creates the region and both queues, says "ready"; pushes tasks and checks the frames;
 *                      then finds out what the Rust side left when it was killed
 */
#include "memory.h"

enum { TASKS = 300, FRAME = 1 << 15, FRAMES = 4 };

static rialto_region_t region;
static rialto_queue_t tasks, frames;
static rialto_queue_config_t tasks_config, frames_config;

/* What Rust calls them by. */
static void configure(void)
{
    EXPECT(rialto_queue_config_default(8, 16, &tasks_config), RIALTO_OK);
    tasks_config.flags = RIALTO_QUEUE_JOINABLE;
    EXPECT(rialto_queue_config_default(FRAMES, FRAME, &frames_config), RIALTO_OK);
    frames_config.kind = RIALTO_QUEUE_INDEXED;
}

static size_t frame_length(uint32_t task)
{
    return FRAME - task;
}

static unsigned char frame_byte(uint32_t task, size_t at)
{
    return (unsigned char)((task + at) % 251);
}

static void attach(const char *name)
{
    EXPECT(rialto_region_attach_named(&region, name), RIALTO_OK);
    EXPECT(rialto_queue_open_as(&region, "tasks", &tasks_config, &tasks), RIALTO_OK);
    EXPECT(rialto_queue_open_as(&region, "frames", &frames_config, &frames), RIALTO_OK);
    EXPECT(rialto_queue_open_as(&region, "frames", &tasks_config, &tasks), RIALTO_EWRONGKIND);
}

/* Pops a task, and makes its frame in place; up to `stop` bytes. */
static int take(rialto_ticket_t *ticket, rialto_reserved_t *frame, size_t stop)
{
    char buffer[16];
    size_t length;
    uint32_t task;
    void *bytes;
    int status = rialto_queue_pop_ticket(&tasks, buffer, sizeof buffer, &length, NULL, ticket);
    if (status < 0)
        return status;
    CHECK(length == sizeof task);
    memcpy(&task, buffer, sizeof task);
    EXPECT(rialto_queue_reserve(&frames, FRAME, frame), RIALTO_OK);
    EXPECT(rialto_reserved_bytes(frame, &bytes, NULL), RIALTO_OK);
    EXPECT(rialto_reserved_truncate(frame, frame_length(task)), RIALTO_OK);
    for (size_t at = 0; at < frame_length(task) && at < stop; at++)
        ((unsigned char *)bytes)[at] = frame_byte(task, at);
    return status;
}

static void work(void)
{
    rialto_ticket_t ticket;
    rialto_reserved_t frame;
    int status;
    while ((status = take(&ticket, &frame, FRAME)) >= 0) {
        EXPECT(rialto_reserved_commit(&frame), RIALTO_OK);
        EXPECT(rialto_queue_task_done(&tasks, &ticket), RIALTO_OK);
    }
    EXPECT(status, RIALTO_EPIPE);
}

static void host(const char *name)
{
    rialto_region_config_t config;
    rialto_reserved_t loans[FRAMES];
    char word[16], buffer[16];
    size_t length;
    uint32_t attempt, sent = 0;
    rialto_ticket_t ticket;

    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_named(&region, name, 1 << 20, &config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "tasks", &tasks_config, &tasks), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "frames", &frames_config, &frames), RIALTO_OK);
    say("ready");
    for (uint32_t task = 0; task < TASKS; task++) {
        rialto_peeked_t frame;
        const void *bytes;
        while (sent < TASKS && rialto_queue_try_push(&tasks, &sent, sizeof sent) == RIALTO_OK)
            sent++;
        EXPECT(rialto_queue_peek_timeout(&frames, 20000 * MS, &frame), RIALTO_OK);
        EXPECT(rialto_peeked_bytes(&frame, &bytes, &length), RIALTO_OK);
        CHECK(length == frame_length(task)); /* Rust is one: in order */
        for (size_t at = 0; at < length; at++)
            CHECK(((const unsigned char *)bytes)[at] == frame_byte(task, at));
        EXPECT(rialto_peeked_release(&frame), RIALTO_OK);
    }
    EXPECT(rialto_queue_join_timeout(&tasks, 20000 * MS), RIALTO_OK);
    say("joined");

    EXPECT(rialto_queue_push(&tasks, "inherit me", 10), RIALTO_OK);
    say("pushed");
    CHECK(fgets(word, sizeof word, stdin)); /* Rust's child is dead */
    EXPECT(rialto_queue_pop_timeout_ticket(&tasks, buffer, sizeof buffer, 20000 * MS, &length, &attempt, &ticket),
           RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 10 && memcmp(buffer, "inherit me", 10) == 0);
    EXPECT(rialto_queue_join_timeout(&tasks, 0), RIALTO_EAGAIN);
    EXPECT(rialto_queue_task_done(&tasks, &ticket), RIALTO_OK);
    EXPECT(rialto_queue_join(&tasks), RIALTO_OK);
    for (int i = 0; i < FRAMES; i++) /* its block too is free again */
        EXPECT(rialto_queue_try_reserve(&frames, FRAME, &loans[i]), RIALTO_OK);
    for (int i = 0; i < FRAMES; i++)
        EXPECT(rialto_reserved_abort(&loans[i]), RIALTO_OK);
    EXPECT(rialto_region_unlink_named(name), RIALTO_OK);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    say("inherited");
}

int main(int count, char **arguments)
{
    watchdog();
    CHECK(count == 3);
    configure();
    if (strcmp(arguments[1], "host") == 0) {
        host(arguments[2]);
        return 0;
    }
    attach(arguments[2]);
    if (strcmp(arguments[1], "hold") == 0) {
        rialto_ticket_t ticket;
        rialto_reserved_t frame;
        EXPECT(take(&ticket, &frame, FRAME / 2), RIALTO_OK);
        say("holding");
        await_death();
    }
    CHECK(strcmp(arguments[1], "work") == 0);
    work();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    say("done");
    return 0;
}
