/* Values and arrays between C processes: every type, every status, the lock, an edit that is all or nothing, a
 * holder and a writer that are killed. With two arguments: the C side of tests/c_rust_state.rs. */
#include "memory.h"

#include <stdbool.h>

static rialto_region_t region;

static int32_t as_i32(const rialto_value_t *value)
{
    int32_t number = 77;
    EXPECT(rialto_value_load(value, &number, sizeof number), RIALTO_OK);
    return number;
}

static void values(void)
{
    rialto_value_t value, found;
    int32_t seven = 7, number = -1;
    EXPECT(rialto_value_create(&region, "v", RIALTO_I32, &seven, sizeof seven, 0, &value), RIALTO_OK);
    EXPECT(rialto_value_create(&region, "v", RIALTO_I32, &seven, sizeof seven, 0, &value), RIALTO_EEXIST);
    EXPECT(rialto_value_create(&region, "w", RIALTO_I32, &seven, 3, 0, &found), RIALTO_EINVAL);
    EXPECT(rialto_value_create(&region, "w", 12, &seven, sizeof seven, 0, &found), RIALTO_EINVAL);
    EXPECT(rialto_value_create(&region, "w", RIALTO_BLOCK, &seven, 0, 0, &found), RIALTO_EINVAL);
    EXPECT(rialto_value_open(&region, "v", RIALTO_U32, sizeof seven, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_value_open(&region, "v", RIALTO_I32, 8, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_value_open(&region, "w", RIALTO_I32, sizeof seven, &found), RIALTO_ENOENT);
    EXPECT(rialto_value_open(&region, "v", RIALTO_I32, sizeof seven, &found), RIALTO_OK);
    CHECK(as_i32(&found) == 7);
    number = 8;
    EXPECT(rialto_value_store(&value, &number, sizeof number), RIALTO_OK);
    EXPECT(rialto_value_store(&value, &number, 3), RIALTO_EINVAL);
    EXPECT(rialto_value_load(&value, &number, 8), RIALTO_EINVAL);
    CHECK(as_i32(&found) == 8);
    number = 9;
    EXPECT(rialto_value_swap(&value, &number, &number, sizeof number), RIALTO_OK);
    CHECK(number == 8 && as_i32(&found) == 9);
    number = 5;
    EXPECT(rialto_value_fetch_add(&value, &number, &number, sizeof number), RIALTO_OK);
    CHECK(number == 9 && as_i32(&found) == 14);
    EXPECT(rialto_value_fetch_add(&value, &number, NULL, sizeof number), RIALTO_OK);
    CHECK(as_i32(&found) == 23);
    number = 22;
    EXPECT(rialto_value_compare_exchange(&value, &number, &seven, sizeof seven), RIALTO_EAGAIN);
    CHECK(number == 23);
    EXPECT(rialto_value_compare_exchange(&value, &number, &seven, sizeof seven), RIALTO_OK);
    CHECK(number == 23 && as_i32(&found) == 7);

    /* Without padding, which nobody writes. */
    struct point { double x, y; char name[104]; } origin = {0, 0, "origin"}, point;
    EXPECT(rialto_value_create(&region, "point", RIALTO_BLOCK, &origin, sizeof origin, 0, &value), RIALTO_OK);
    EXPECT(rialto_value_load(&value, &point, sizeof point), RIALTO_OK);
    CHECK(memcmp(&point, &origin, sizeof point) == 0);
    EXPECT(rialto_value_swap(&value, &point, &point, sizeof point), RIALTO_ENOTSUP);
    EXPECT(rialto_value_fetch_add(&value, &point, NULL, sizeof point), RIALTO_EWRONGKIND);
    uint8_t two = 2;
    bool yes = true;
    EXPECT(rialto_value_create(&region, "flag", RIALTO_BOOL, &yes, sizeof yes, 0, &value), RIALTO_OK);
    EXPECT(rialto_value_store(&value, &two, 1), RIALTO_EINVAL);
    EXPECT(rialto_value_fetch_add(&value, &yes, NULL, 1), RIALTO_EWRONGKIND);
}

static void a_lock_and_its_dead_holder(void)
{
    rialto_value_t value;
    int32_t number = 100;
    EXPECT(rialto_value_open(&region, "v", RIALTO_I32, sizeof number, &value), RIALTO_OK);
    EXPECT(rialto_value_release(&value), RIALTO_EPERM);
    struct gate held;
    gate_make(&held);
    pid_t child = spawn();
    if (child == 0) {
        EXPECT(rialto_value_acquire(&value, RIALTO_WAIT_FOREVER), RIALTO_OK);
        EXPECT(rialto_value_acquire(&value, RIALTO_WAIT_FOREVER), RIALTO_EDEADLK);
        EXPECT(rialto_value_store(&value, &number, sizeof number), RIALTO_OK);
        gate_open(&held);
        await_death();
    }
    gate_pass(&held);
    CHECK(as_i32(&value) == 100); /* who reads does not wait */
    EXPECT(rialto_value_acquire(&value, 0), RIALTO_EAGAIN);
    EXPECT(rialto_value_acquire(&value, MS), RIALTO_ETIMEDOUT);
    slay(child);
    EXPECT(rialto_value_acquire(&value, RIALTO_WAIT_FOREVER), RIALTO_OK);
    EXPECT(rialto_value_fetch_add(&value, &number, NULL, sizeof number), RIALTO_OK);
    EXPECT(rialto_value_release(&value), RIALTO_OK);
    CHECK(as_i32(&value) == 200);
}

static rialto_array_t accounts;

/* Moves 5 from account 0 to account 1; fails in between if told to. */
static int transfer(rialto_array_edit_t *edit, void *context)
{
    int64_t pair[2], now[2];
    EXPECT(rialto_array_edit_read(edit, 0, pair, sizeof pair), RIALTO_OK);
    pair[0] -= 5;
    EXPECT(rialto_array_edit_write(edit, 0, pair, 8), RIALTO_OK);
    EXPECT(rialto_array_write(&accounts, 0, 1, pair), RIALTO_EDEADLK);
    EXPECT(rialto_array_edit_write(edit, 0, pair, 9), RIALTO_EINVAL);
    EXPECT(rialto_array_edit_write(edit, 3, pair, 16), RIALTO_ENOENT);
    EXPECT(rialto_array_edit_read(edit, 0, now, sizeof now), RIALTO_OK);
    CHECK(now[0] == pair[0]);
    if (*(int *)context < 0)
        return *(int *)context;
    pair[1] += 5;
    EXPECT(rialto_array_edit_write(edit, 1, pair + 1, 8), RIALTO_OK);
    return *(int *)context;
}

static void arrays(void)
{
    int64_t first[4] = {100, 0, 3, 4}, all[4];
    uint32_t count;
    rialto_array_t found;
    EXPECT(rialto_array_create(&region, "a", RIALTO_I64, 8, 4, first, 0, &accounts), RIALTO_OK);
    EXPECT(rialto_array_create(&region, "b", RIALTO_I64, 8, 0, NULL, 0, &found), RIALTO_EINVAL);
    EXPECT(rialto_array_create(&region, "b", RIALTO_I64, 4, 4, NULL, 0, &found), RIALTO_EINVAL);
    EXPECT(rialto_array_create(&region, "b", RIALTO_I64, 8, 1u << 30, NULL, 0, &found), RIALTO_EINVAL);
    EXPECT(rialto_array_open(&region, "a", RIALTO_U64, 8, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_array_open(&region, "v", RIALTO_I64, 8, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_array_open(&region, "a", RIALTO_I64, 8, &found), RIALTO_OK);
    EXPECT(rialto_array_len(&found, &count), RIALTO_OK);
    CHECK(count == 4);
    EXPECT(rialto_array_read(&found, 0, 4, all), RIALTO_OK);
    CHECK(memcmp(all, first, sizeof all) == 0);
    EXPECT(rialto_array_read(&found, 1, 4, all), RIALTO_ENOENT);
    EXPECT(rialto_array_write(&found, 4, 1, all), RIALTO_ENOENT);
    EXPECT(rialto_array_write(&found, UINT32_MAX, 1, all), RIALTO_ENOENT);
    EXPECT(rialto_array_write(&found, 2, 2, first), RIALTO_OK);
    int64_t number = 1;
    EXPECT(rialto_array_fetch_add(&found, 2, &number, &number, 8), RIALTO_OK);
    CHECK(number == 100);
    EXPECT(rialto_array_compare_exchange(&found, 2, &number, first, 8), RIALTO_EAGAIN);
    CHECK(number == 101);
    EXPECT(rialto_array_compare_exchange(&found, 2, &number, first + 1, 8), RIALTO_OK);
    EXPECT(rialto_array_swap(&found, 2, first + 3, &number, 8), RIALTO_OK);
    EXPECT(rialto_array_swap(&found, 4, first + 3, &number, 8), RIALTO_ENOENT);
    CHECK(number == 0);

    int told = 17;
    EXPECT(rialto_array_edit(&accounts, transfer, &told), 17);
    told = -5000;
    EXPECT(rialto_array_edit(&accounts, transfer, &told), -5000);
    EXPECT(rialto_array_read(&found, 0, 4, all), RIALTO_OK);
    CHECK(all[0] == 95 && all[1] == 5 && all[2] == 4 && all[3] == 0);
    EXPECT(rialto_array_acquire(&accounts, 0), RIALTO_OK);
    EXPECT(rialto_array_edit(&accounts, transfer, &(int){0}), RIALTO_OK);
    EXPECT(rialto_array_release(&accounts), RIALTO_OK);
    EXPECT(rialto_array_release(&accounts), RIALTO_EPERM);
}

/* A child that transfers on and on is killed, again and again: what is there adds up. */
static void killed_writers(void)
{
    int64_t all[4];
    for (int round = 0; round < 20; round++) {
        struct gate under_way;
        gate_make(&under_way);
        pid_t child = spawn();
        if (child == 0) {
            int none = 0;
            EXPECT(rialto_array_edit(&accounts, transfer, &none), RIALTO_OK);
            gate_open(&under_way);
            for (;;)
                EXPECT(rialto_array_edit(&accounts, transfer, &none), RIALTO_OK);
        }
        gate_pass(&under_way);
        for (int look = 0; look < 1000; look++) {
            EXPECT(rialto_array_read(&accounts, 0, 4, all), RIALTO_OK);
            CHECK(all[0] + all[1] == 100);
        }
        slay(child);
        EXPECT(rialto_array_read(&accounts, 0, 4, all), RIALTO_OK);
        CHECK(all[0] + all[1] == 100);
        int64_t next = all[0] - 5;
        EXPECT(rialto_array_edit(&accounts, transfer, &(int){0}), RIALTO_OK);
        EXPECT(rialto_array_read(&accounts, 0, 1, all), RIALTO_OK);
        CHECK(all[0] == next);
    }
}

static void raw_ones(void)
{
    void *data, *same;
    uint32_t count;
    EXPECT(rialto_raw_value_create(&region, "rv", RIALTO_U64, 8, &data), RIALTO_OK);
    CHECK(__atomic_fetch_add((uint64_t *)data, 5, __ATOMIC_SEQ_CST) == 0);
    EXPECT(rialto_raw_value_open(&region, "rv", RIALTO_U64, 8, &same), RIALTO_OK);
    CHECK(same == data && (uintptr_t)data % 128 == 0);
    EXPECT(rialto_raw_value_open(&region, "rv", RIALTO_F64, 8, &same), RIALTO_EWRONGKIND);
    EXPECT(rialto_raw_value_create(&region, "rv", RIALTO_U64, 8, &same), RIALTO_EEXIST);
    EXPECT(rialto_raw_array_create(&region, "ra", RIALTO_U8, 1, 100, &data), RIALTO_OK);
    EXPECT(rialto_raw_array_open(&region, "ra", RIALTO_U8, 1, &same, &count), RIALTO_OK);
    CHECK(same == data && count == 100 && ((volatile uint8_t *)data)[99] == 0);
    EXPECT(rialto_raw_array_open(&region, "rv", RIALTO_U64, 8, &same, &count), RIALTO_EWRONGKIND);
    EXPECT(rialto_raw_array_create(&region, "rb", RIALTO_U16, 1, 100, &data), RIALTO_EINVAL);
}

/* What Rust has written is here; what is written here, Rust wants. */
static void beside_rust(const char *name)
{
    rialto_value_t value;
    rialto_array_t array;
    double point[3];
    uint16_t numbers[5];
    void *raw;
    EXPECT(rialto_region_attach_named(&region, name), RIALTO_OK);
    EXPECT(rialto_value_open(&region, "point", RIALTO_BLOCK, sizeof point, &value), RIALTO_OK);
    EXPECT(rialto_value_load(&value, point, sizeof point), RIALTO_OK);
    CHECK(point[0] == 1.5 && point[1] == -2.5 && point[2] == 0.25);
    EXPECT(rialto_array_open(&region, "numbers", RIALTO_U16, 2, &array), RIALTO_OK);
    EXPECT(rialto_array_read(&array, 0, 5, numbers), RIALTO_OK);
    for (uint16_t i = 0; i < 5; i++)
        CHECK(numbers[i] == 1000 + i);
    EXPECT(rialto_raw_value_open(&region, "raw", RIALTO_I32, 4, &raw), RIALTO_OK);
    CHECK(*(volatile int32_t *)raw == -7);

    point[0] = 4;
    EXPECT(rialto_value_store(&value, point, sizeof point), RIALTO_OK);
    numbers[1] = 0xffff;
    EXPECT(rialto_array_write(&array, 1, 1, numbers + 1), RIALTO_OK);
    *(volatile int32_t *)raw = 8;
    bool yes = true;
    rialto_value_t flag;
    EXPECT(rialto_value_create(&region, "flag", RIALTO_BOOL, &yes, 1, 0, &flag), RIALTO_OK);
    EXPECT(rialto_array_acquire(&array, 0), RIALTO_OK); /* and dies with it */
    puts("written");
    fflush(stdout);
    await_death();
}

int main(int argc, char **argv)
{
    watchdog();
    if (argc == 3) {
        beside_rust(argv[2]);
        return 0;
    }
    rialto_region_config_t config;
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_anonymous(&region, 1 << 17, &config), RIALTO_OK);
    values();
    a_lock_and_its_dead_holder();
    arrays();
    killed_writers();
    raw_ones();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("state: values and arrays: ok");
    return 0;
}
