/* Every function with NULL, misaligned and never-alive arguments: RIALTO_EINVAL, and nothing written.
 * The test that runs this checks that no function is missing here. */
#include "check.h"

#define REFUSED(call) EXPECT((call), RIALTO_EINVAL)

/* Misaligned for anything larger than a byte. */
#define ODD(pointer) ((void *)((char *)(pointer) + 1))

static uint64_t storage[64]; /* zeroed: no view in here is alive */
static rialto_region_t region, dead_region;
static rialto_queue_t queue, dead_queue;
static rialto_member_t member, dead_member;
static rialto_peeked_t dead_peeked;
static rialto_lock_t lock = RIALTO_LOCK_INIT;
static rialto_region_config_t config;
static rialto_queue_config_t queue_config;
static rialto_layout_t layout;

static void locks(void)
{
    bool answer;
    rialto_lock_t *bad[] = {NULL, ODD(&lock), (void *)((char *)&lock + 32)};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_lock_init(bad[i]));
        REFUSED(rialto_lock_attach(bad[i]));
        REFUSED(rialto_lock_acquire(bad[i]));
        REFUSED(rialto_lock_try_acquire(bad[i]));
        REFUSED(rialto_lock_acquire_timeout(bad[i], MS));
        REFUSED(rialto_lock_release(bad[i]));
        REFUSED(rialto_lock_mark_consistent(bad[i]));
        REFUSED(rialto_lock_is_mine(bad[i], &answer));
        REFUSED(rialto_lock_is_locked(bad[i], &answer));
        REFUSED(rialto_lock_reset(bad[i]));
        REFUSED(rialto_lock_destroy(bad[i]));
    }
    REFUSED(rialto_lock_is_mine(&lock, NULL));
    REFUSED(rialto_lock_is_locked(&lock, NULL));
    EXPECT(rialto_lock_acquire(&lock), RIALTO_OK);
    EXPECT(rialto_lock_release(&lock), RIALTO_OK);
}

static void regions(void)
{
    int fd = 5;
    void *base = storage;
    size_t size = 5;
    uint32_t count = 5;
    rialto_recovered_t recovered;
    rialto_region_t *nowhere[] = {NULL, ODD(storage)};
    rialto_region_t *dead[] = {NULL, ODD(storage), &dead_region};
    static char memory[65536] __attribute__((aligned(128)));

    REFUSED(rialto_now_ns(NULL));
    REFUSED(rialto_now_ns(ODD(storage)));
    REFUSED(rialto_region_config_default(NULL));
    REFUSED(rialto_region_config_default(ODD(storage)));
    REFUSED(rialto_region_layout(NULL, &layout));
    REFUSED(rialto_region_layout(&config, NULL));
    REFUSED(rialto_region_layout(ODD(&config), &layout));
    for (int i = 0; i < 2; i++) {
        REFUSED(rialto_region_init(nowhere[i], memory, sizeof memory, &config));
        REFUSED(rialto_region_attach(nowhere[i], memory, sizeof memory));
        REFUSED(rialto_region_create_anonymous(nowhere[i], 65536, &config));
        REFUSED(rialto_region_create_memfd(nowhere[i], 65536, &config));
        REFUSED(rialto_region_create_named(nowhere[i], "rialto-null", 65536, &config));
        REFUSED(rialto_region_attach_fd(nowhere[i], 0));
        REFUSED(rialto_region_attach_named(nowhere[i], "rialto-null"));
    }
    REFUSED(rialto_region_init(&dead_region, NULL, sizeof memory, &config));
    REFUSED(rialto_region_init(&dead_region, memory, sizeof memory, NULL));
    REFUSED(rialto_region_attach(&dead_region, NULL, sizeof memory));
    REFUSED(rialto_region_create_anonymous(&dead_region, 65536, NULL));
    REFUSED(rialto_region_create_memfd(&dead_region, 65536, NULL));
    REFUSED(rialto_region_create_named(&dead_region, NULL, 65536, &config));
    REFUSED(rialto_region_create_named(&dead_region, "rialto-null", 65536, NULL));
    REFUSED(rialto_region_attach_named(&dead_region, NULL));
    REFUSED(rialto_region_unlink_named(NULL));
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_region_fd(dead[i], &fd));
        REFUSED(rialto_region_base(dead[i], &base));
        REFUSED(rialto_region_size(dead[i], &size));
        REFUSED(rialto_region_member_count(dead[i], &count));
        REFUSED(rialto_region_recover(dead[i], RIALTO_RECOVER_MARKED, &recovered));
        REFUSED(rialto_region_leave(dead[i]));
        REFUSED(rialto_region_detach(dead[i]));
        REFUSED(rialto_region_join(dead[i], &member));
    }
    REFUSED(rialto_region_fd(&region, NULL));
    REFUSED(rialto_region_base(&region, NULL));
    REFUSED(rialto_region_size(&region, NULL));
    REFUSED(rialto_region_member_count(&region, NULL));
    REFUSED(rialto_region_recover(&region, 3, NULL));
    REFUSED(rialto_region_recover(&region, RIALTO_RECOVER_MARKED, ODD(storage)));
    REFUSED(rialto_region_join(&region, NULL));
    CHECK(fd == 5 && base == storage && size == 5 && count == 5);
}

static void members(void)
{
    uint32_t id = 5;
    rialto_member_t *dead[] = {NULL, ODD(storage), &dead_member};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_member_id(dead[i], &id));
        REFUSED(rialto_member_leave(dead[i]));
        REFUSED(rialto_queue_as_member(&queue, dead[i], &dead_queue));
    }
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    REFUSED(rialto_member_id(&member, NULL));
    REFUSED(rialto_queue_as_member(&dead_queue, &member, &queue));
    REFUSED(rialto_queue_as_member(NULL, &member, &queue));
    REFUSED(rialto_queue_as_member(&queue, &member, NULL));
    EXPECT(rialto_member_leave(&member), RIALTO_OK);
    CHECK(id == 5);
}

static void queues(void)
{
    char buffer[16] = "";
    size_t length = 5;
    uint32_t attempt = 5;
    bool closed;
    rialto_queue_t *dead[] = {NULL, ODD(storage), &dead_queue};

    REFUSED(rialto_queue_config_default(4, 16, NULL));
    REFUSED(rialto_queue_layout(NULL, &layout));
    REFUSED(rialto_queue_layout(&queue_config, NULL));
    REFUSED(rialto_queue_create(NULL, "n", &queue_config, &dead_queue));
    REFUSED(rialto_queue_create(&dead_region, "n", &queue_config, &dead_queue));
    REFUSED(rialto_queue_create(&region, NULL, &queue_config, &dead_queue));
    REFUSED(rialto_queue_create(&region, "n", NULL, &dead_queue));
    REFUSED(rialto_queue_create(&region, "n", &queue_config, NULL));
    REFUSED(rialto_queue_create_timeout(NULL, NULL, NULL, MS, NULL));
    REFUSED(rialto_queue_create_timeout(&region, "n", &queue_config, MS, NULL));
    REFUSED(rialto_queue_open(NULL, "q", &dead_queue));
    REFUSED(rialto_queue_open(&region, NULL, &dead_queue));
    REFUSED(rialto_queue_open(&region, "q", NULL));
    EXPECT(rialto_queue_open(&region, "n", &dead_queue), RIALTO_ENOENT); /* nothing was made */
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_queue_push(dead[i], buffer, 1));
        REFUSED(rialto_queue_try_push(dead[i], buffer, 1));
        REFUSED(rialto_queue_push_timeout(dead[i], buffer, 1, MS));
        REFUSED(rialto_queue_pop(dead[i], buffer, sizeof buffer, &length, &attempt));
        REFUSED(rialto_queue_try_pop(dead[i], buffer, sizeof buffer, &length, &attempt));
        REFUSED(rialto_queue_pop_timeout(dead[i], buffer, sizeof buffer, MS, &length, &attempt));
        REFUSED(rialto_queue_take_poisoned(dead[i], buffer, sizeof buffer, &length, &attempt));
        REFUSED(rialto_queue_close(dead[i]));
        REFUSED(rialto_queue_is_closed(dead[i], &closed));
        REFUSED(rialto_queue_len(dead[i], &length));
        REFUSED(rialto_queue_capacity(dead[i], &length));
        REFUSED(rialto_queue_max_message_bytes(dead[i], &length));
        REFUSED(rialto_queue_peek(dead[i], &dead_peeked));
        REFUSED(rialto_queue_try_peek(dead[i], &dead_peeked));
        REFUSED(rialto_queue_peek_timeout(dead[i], MS, &dead_peeked));
    }
    EXPECT(rialto_queue_push(&queue, "m", 1), RIALTO_OK);
    REFUSED(rialto_queue_push(&queue, NULL, 1));
    REFUSED(rialto_queue_try_push(&queue, NULL, 1));
    REFUSED(rialto_queue_push_timeout(&queue, NULL, 1, MS));
    REFUSED(rialto_queue_pop(&queue, NULL, sizeof buffer, &length, &attempt));
    REFUSED(rialto_queue_pop(&queue, buffer, sizeof buffer, NULL, &attempt));
    REFUSED(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, ODD(storage)));
    REFUSED(rialto_queue_try_pop(&queue, NULL, sizeof buffer, &length, NULL));
    REFUSED(rialto_queue_try_pop(&queue, buffer, sizeof buffer, NULL, NULL));
    REFUSED(rialto_queue_pop_timeout(&queue, NULL, sizeof buffer, MS, &length, NULL));
    REFUSED(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, MS, NULL, NULL));
    REFUSED(rialto_queue_take_poisoned(&queue, NULL, sizeof buffer, &length, NULL));
    REFUSED(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, NULL, NULL));
    REFUSED(rialto_queue_is_closed(&queue, NULL));
    REFUSED(rialto_queue_len(&queue, NULL));
    REFUSED(rialto_queue_capacity(&queue, NULL));
    REFUSED(rialto_queue_max_message_bytes(&queue, NULL));
    REFUSED(rialto_queue_peek(&queue, NULL));
    REFUSED(rialto_queue_try_peek(&queue, NULL));
    REFUSED(rialto_queue_peek_timeout(&queue, MS, NULL));
    CHECK(length == 5 && attempt == 5);
    EXPECT(rialto_queue_len(&queue, &length), RIALTO_OK);
    CHECK(length == 1); /* nobody took it */
}

static void peeked(void)
{
    const void *bytes = storage;
    char buffer[16];
    size_t length = 5;
    uint32_t attempt = 5;
    rialto_peeked_t alive;
    rialto_peeked_t *dead[] = {NULL, ODD(storage), &dead_peeked};
    for (int i = 0; i < 3; i++) {
        REFUSED(rialto_peeked_bytes(dead[i], &bytes, &length));
        REFUSED(rialto_peeked_copy(dead[i], buffer, sizeof buffer, &length));
        REFUSED(rialto_peeked_attempt(dead[i], &attempt));
        REFUSED(rialto_peeked_release(dead[i]));
        REFUSED(rialto_peeked_abandon(dead[i]));
    }
    EXPECT(rialto_queue_peek(&queue, &alive), RIALTO_OK);
    REFUSED(rialto_peeked_bytes(&alive, NULL, &length));
    REFUSED(rialto_peeked_bytes(&alive, &bytes, ODD(storage)));
    REFUSED(rialto_peeked_copy(&alive, NULL, sizeof buffer, &length));
    REFUSED(rialto_peeked_copy(&alive, buffer, sizeof buffer, ODD(storage)));
    REFUSED(rialto_peeked_attempt(&alive, NULL));
    CHECK(bytes == storage && length == 5 && attempt == 5);
    EXPECT(rialto_peeked_bytes(&alive, &bytes, NULL), RIALTO_OK);
    EXPECT(rialto_peeked_release(&alive), RIALTO_OK);
}

int main(void)
{
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_queue_config_default(4, 16, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "q", &queue_config, &queue), RIALTO_OK);
    locks();
    regions();
    members();
    queues();
    peeked();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    for (size_t i = 0; i < sizeof storage / sizeof storage[0]; i++)
        CHECK(storage[i] == 0);
    puts("null: every function refuses: ok");
    return 0;
}
