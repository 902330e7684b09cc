/* Golden sizes and offsets: what two builds must agree on. The Rust side asserts that its types fit; a
 * change here is a new version of the ABI. */
#include "check.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLACE(type, field, offset, bytes)                                                         \
    _Static_assert(offsetof(type, field) == (offset), "offset of " #type "." #field);             \
    _Static_assert(sizeof(((type *)0)->field) == (bytes), "size of " #type "." #field)

SIZE(rialto_lock_t, 64);
_Static_assert(_Alignof(rialto_lock_t) == 64, "alignment of a lock");
PLACE(rialto_lock_t, _private, 0, 64);

SIZE(rialto_layout_t, 16);
PLACE(rialto_layout_t, size, 0, 8);
PLACE(rialto_layout_t, align, 8, 8);

SIZE(rialto_region_config_t, 32);
PLACE(rialto_region_config_t, members, 0, 4);
PLACE(rialto_region_config_t, objects, 4, 4);
PLACE(rialto_region_config_t, tick_ms, 8, 4);
PLACE(rialto_region_config_t, _reserved, 12, 20);

SIZE(rialto_queue_config_t, 32);
PLACE(rialto_queue_config_t, slots, 0, 4);
PLACE(rialto_queue_config_t, max_message_bytes, 4, 4);
PLACE(rialto_queue_config_t, max_attempts, 8, 4);
PLACE(rialto_queue_config_t, flags, 12, 4);
PLACE(rialto_queue_config_t, _reserved, 16, 16);

SIZE(rialto_recovered_t, 16);
PLACE(rialto_recovered_t, members, 0, 4);
PLACE(rialto_recovered_t, redelivered, 4, 4);
PLACE(rialto_recovered_t, freed, 8, 4);
PLACE(rialto_recovered_t, dropped, 12, 4);

SIZE(rialto_region_t, 128);
SIZE(rialto_queue_t, 96);
SIZE(rialto_member_t, 64);
SIZE(rialto_peeked_t, 128);

/* A lock in the user's own struct. */
struct embeds {
    char before;
    rialto_lock_t lock;
    char after;
};
_Static_assert(offsetof(struct embeds, lock) == 64, "a lock keeps its alignment");
SIZE(struct embeds, 192);

static struct embeds initialised = {1, RIALTO_LOCK_INIT, 2};

/* The bytes of a free lock, as LAYOUT.md has them: what C initialises, Rust understands. */
static void lock_bytes(void)
{
    uint32_t words[16], free_lock[16] = {0x4b434c52, 0x84};
    rialto_lock_t made;
    memcpy(words, &initialised.lock, sizeof words);
    CHECK(memcmp(words, free_lock, sizeof words) == 0);
    CHECK(memcmp(&initialised.lock, "RLCK\x84\0\0\0\0\0\0", 12) == 0);
    memset(&made, 0xff, sizeof made);
    EXPECT(rialto_lock_init(&made), RIALTO_OK);
    CHECK(memcmp(&made, &initialised.lock, sizeof made) == 0);

    /* Held: the word at 8, in the kernel's robust-futex format, holds this thread's id. */
    EXPECT(rialto_lock_acquire(&initialised.lock), RIALTO_OK);
    memcpy(words, &initialised.lock, sizeof words);
    CHECK(words[2] == (uint32_t)getpid() && words[3] == 0);
    EXPECT(rialto_lock_release(&initialised.lock), RIALTO_OK);
    memcpy(words, &initialised.lock, sizeof words);
    CHECK(words[2] == 0);
}

/* The places in a region that LAYOUT.md names. */
static void region_bytes(void)
{
    rialto_region_t region;
    rialto_region_config_t config;
    rialto_queue_config_t queue_config;
    rialto_queue_t queue;
    void *base;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 65536, &config), RIALTO_OK);
    EXPECT(rialto_queue_config_default(4, 20, &queue_config), RIALTO_OK);
    EXPECT(rialto_queue_create(&region, "golden", &queue_config, &queue), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "payload", 7), RIALTO_OK);
    EXPECT(rialto_region_base(&region, &base), RIALTO_OK);
    const unsigned char *bytes = base;
    const uint32_t *words = base;
    const uint64_t *longs = base;
    CHECK(memcmp(bytes, "RIALTO\0\0", 8) == 0);
    CHECK(words[2] == RIALTO_LAYOUT_VERSION && words[3] == 0 && longs[2] == 65536);
    CHECK(words[6] == 64 && words[7] == 32 && words[8] == 100);
    CHECK(memcmp(bytes + 64, &initialised.lock, 12) == 0);
    /* directory at 256: ready, queue, offset, size, name */
    const unsigned char *entry = bytes + 256;
    uint64_t offset, size;
    memcpy(&offset, entry + 8, 8);
    memcpy(&size, entry + 16, 8);
    CHECK(entry[0] == 2 && entry[4] == 1 && memcmp(entry + 32, "golden\0", 7) == 0);
    CHECK(offset == 256 + 32 * 64 + 64 * 64 && offset % 128 == 0);
    CHECK(size == 1280); /* 1024 + 4 slots of 48, rounded up to 128 */
    /* member cells at 2304 */
    CHECK(memcmp(bytes + 2304, "RLTM\x84\0\0\0", 8) == 0);
    /* the queue, and its first slot at 1024 */
    const unsigned char *at = bytes + offset;
    CHECK(memcmp(at, "RLTQ", 4) == 0 && at[8] == 2 && at[12] == 20 && at[16] == 48 && at[20] == 5);
    CHECK(at[1024 + 8] == 7 && memcmp(at + 1024 + 16, "payload", 7) == 0);
    CHECK((at[1024] & 7) == 2); /* full */
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
}

int main(void)
{
    watchdog();
    lock_bytes();
    region_bytes();
    CHECK(rialto_layout_version() == RIALTO_LAYOUT_VERSION);
    CHECK(rialto_version() == RIALTO_VERSION);
    puts("abi: golden sizes, offsets and bytes: ok");
    return 0;
}
