/* Lists, dicts and namespaces between C processes: every function, every status, callbacks, the lock, a holder
 * and writers that are killed. With two arguments: the C side of tests/c_rust_state.rs. */
#include "memory.h"

#include <stdbool.h>
#include <stdint.h>

static rialto_region_t region;
static rialto_list_t list;
static rialto_dict_t dict;
static rialto_namespace_t space;

enum { LONGEST = 8, ITEMS = 6 };

#define APPEND(list, text) rialto_list_append((list), (text), strlen(text))
#define SET(dict, key, value) rialto_dict_set((dict), (key), strlen(key), (value), strlen(value))

/* The list is these items, with commas between. */
static void list_is(const rialto_list_t *view, const char *expected)
{
    char bytes[ITEMS * LONGEST], told[2 * sizeof bytes] = "";
    uint32_t lengths[ITEMS];
    size_t items, at = 0;
    EXPECT(rialto_list_copy_range(view, 0, SIZE_MAX, bytes, sizeof bytes, lengths, ITEMS, &items), RIALTO_OK);
    for (size_t i = 0; i < items; at += lengths[i++]) {
        strcat(told, i ? "," : "");
        strncat(told, bytes + at, lengths[i]);
    }
    if (strcmp(told, expected) != 0) {
        fprintf(stderr, "the list is %s, not %s\n", told, expected);
        exit(1);
    }
}

static void dict_is(const rialto_dict_t *view, const char *expected)
{
    char bytes[ITEMS * 2 * LONGEST], told[2 * sizeof bytes] = "";
    rialto_pair_lengths_t lengths[ITEMS];
    size_t keys, at = 0;
    EXPECT(rialto_dict_copy_items(view, bytes, sizeof bytes, lengths, ITEMS, &keys), RIALTO_OK);
    for (size_t i = 0; i < keys; i++) {
        strcat(told, i ? "," : "");
        strncat(told, bytes + at, lengths[i].key_bytes);
        strcat(told, "=");
        strncat(told, bytes + at + lengths[i].key_bytes, lengths[i].value_bytes);
        at += lengths[i].key_bytes + lengths[i].value_bytes;
    }
    if (strcmp(told, expected) != 0) {
        fprintf(stderr, "the dict is %s, not %s\n", told, expected);
        exit(1);
    }
}

static void lists(void)
{
    rialto_list_t found;
    rialto_layout_t layout;
    rialto_message_t more[] = {{"c", 1}, {"", 0}, {"dd", 2}};
    char buffer[LONGEST];
    uint32_t lengths[ITEMS], number = 7;
    size_t size = 7;
    bool answer = false;
    EXPECT(rialto_list_layout(ITEMS, LONGEST, &layout), RIALTO_OK);
    CHECK(layout.align == 128 && layout.size % 128 == 0 && layout.size > 2 * ITEMS * LONGEST);
    EXPECT(rialto_list_layout(0, LONGEST, &layout), RIALTO_EINVAL);
    EXPECT(rialto_list_create(&region, "l", 0, LONGEST, 0, &list), RIALTO_EINVAL);
    EXPECT(rialto_list_create(&region, "l", 1 << 20, 1 << 20, 0, &list), RIALTO_EINVAL);
    EXPECT(rialto_list_create(&region, "l", 1 << 15, 64, 0, &list), RIALTO_ENOSPC);
    EXPECT(rialto_list_create(&region, "l", ITEMS, LONGEST, 0, &list), RIALTO_OK);
    EXPECT(rialto_list_create(&region, "l", ITEMS, LONGEST, 0, &found), RIALTO_EEXIST);
    EXPECT(rialto_list_open(&region, "m", &found), RIALTO_ENOENT);
    EXPECT(rialto_dict_open(&region, "l", &dict), RIALTO_EWRONGKIND);
    EXPECT(rialto_list_open_as(&region, "l", ITEMS + 1, LONGEST, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_list_open_as(&region, "l", ITEMS, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_list_open_or_create(&region, "l2", ITEMS, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_list_open_or_create(&region, "l", ITEMS, 9, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_list_open_or_create(&region, "l", ITEMS, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_list_open(&region, "l", &found), RIALTO_OK);
    EXPECT(rialto_list_capacity(&found, &number), RIALTO_OK);
    CHECK(number == ITEMS);
    EXPECT(rialto_list_max_item_bytes(&found, &number), RIALTO_OK);
    CHECK(number == LONGEST);
    EXPECT(rialto_list_is_empty(&found, &answer), RIALTO_OK);
    CHECK(answer);

    EXPECT(APPEND(&list, "b"), RIALTO_OK);
    EXPECT(rialto_list_insert(&list, 0, "a", 1), RIALTO_OK);
    EXPECT(rialto_list_extend(&list, more, 3), RIALTO_OK);
    list_is(&found, "a,b,c,,dd");
    EXPECT(rialto_list_extend(&list, more, 3), RIALTO_ENOSPC); /* there is room for one: none is there */
    more[2].length_bytes = LONGEST + 1;
    more[2].bytes = "too long ";
    EXPECT(rialto_list_extend(&list, more + 2, 1), RIALTO_EMSGSIZE);
    EXPECT(rialto_list_extend(&list, NULL, 0), RIALTO_OK);
    EXPECT(APPEND(&list, "too long "), RIALTO_EMSGSIZE);
    EXPECT(rialto_list_insert(&list, 0, "too long ", 9), RIALTO_EMSGSIZE);
    EXPECT(rialto_list_set(&list, 0, "too long ", 9), RIALTO_EMSGSIZE);
    EXPECT(rialto_list_set(&list, 5, "x", 1), RIALTO_ENOENT);
    EXPECT(rialto_list_set(&list, 4, "", 0), RIALTO_OK);
    EXPECT(rialto_list_insert(&list, SIZE_MAX, "b", 1), RIALTO_OK);
    EXPECT(APPEND(&list, "x"), RIALTO_ENOSPC);
    EXPECT(rialto_list_insert(&list, 0, "x", 1), RIALTO_ENOSPC);
    list_is(&found, "a,b,c,,,b");
    EXPECT(rialto_list_len(&found, &size), RIALTO_OK);
    CHECK(size == 6);
    EXPECT(rialto_list_is_empty(&found, &answer), RIALTO_OK);
    CHECK(!answer);

    EXPECT(rialto_list_get(&found, 6, buffer, sizeof buffer, &size), RIALTO_ENOENT);
    EXPECT(rialto_list_get(&found, 0, buffer, 0, &size), RIALTO_ENOBUFS);
    CHECK(size == 6);
    EXPECT(rialto_list_get(&found, 3, NULL, 0, &size), RIALTO_OK);
    CHECK(size == 0);
    EXPECT(rialto_list_get(&found, 5, buffer, sizeof buffer, &size), RIALTO_OK);
    CHECK(size == 1 && buffer[0] == 'b');
    EXPECT(rialto_list_copy_range(&found, 1, 3, buffer, 2, lengths, 2, &size), RIALTO_OK);
    CHECK(size == 2 && memcmp(buffer, "bc", 2) == 0 && lengths[0] == 1 && lengths[1] == 1);
    EXPECT(rialto_list_copy_range(&found, 1, 3, buffer, 1, lengths, 2, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_list_copy_range(&found, 1, 3, buffer, 2, lengths, 1, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_list_copy_range(&found, 3, 1, NULL, 0, NULL, 0, &size), RIALTO_OK);
    CHECK(size == 0);
    EXPECT(rialto_list_index(&found, "b", 1, &size), RIALTO_OK);
    CHECK(size == 1);
    EXPECT(rialto_list_index_in(&found, 2, SIZE_MAX, "b", 1, &size), RIALTO_OK);
    CHECK(size == 5);
    EXPECT(rialto_list_index_in(&found, 2, 5, "b", 1, &size), RIALTO_ENOENT);
    EXPECT(rialto_list_index(&found, "bb", 2, &size), RIALTO_ENOENT);
    EXPECT(rialto_list_count(&found, "b", 1, &size), RIALTO_OK);
    CHECK(size == 2);
    EXPECT(rialto_list_contains(&found, "c", 1, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_list_contains(&found, "d", 1, &answer), RIALTO_OK);
    CHECK(!answer);

    EXPECT(rialto_list_pop(&list, 6, buffer, sizeof buffer, &size), RIALTO_ENOENT);
    EXPECT(rialto_list_pop(&list, 0, buffer, 0, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_list_pop_last(&list, NULL, 0, &size), RIALTO_ENOBUFS);
    list_is(&found, "a,b,c,,,b");
    EXPECT(rialto_list_pop(&list, 0, buffer, sizeof buffer, &size), RIALTO_OK);
    CHECK(size == 1 && buffer[0] == 'a');
    EXPECT(rialto_list_pop_last(&list, buffer, sizeof buffer, &size), RIALTO_OK);
    CHECK(size == 1 && buffer[0] == 'b');
    EXPECT(rialto_list_delete(&list, 4), RIALTO_ENOENT);
    EXPECT(rialto_list_delete(&list, 3), RIALTO_OK);
    EXPECT(rialto_list_remove(&list, "x", 1), RIALTO_ENOENT);
    EXPECT(rialto_list_remove(&list, NULL, 0), RIALTO_OK);
    list_is(&found, "b,c");
    EXPECT(rialto_list_reverse(&list), RIALTO_OK);
    list_is(&found, "c,b");
    EXPECT(APPEND(&list, "bb"), RIALTO_OK);
    EXPECT(rialto_list_sort(&list), RIALTO_OK);
    list_is(&found, "b,bb,c");
    EXPECT(rialto_list_clear(&list), RIALTO_OK);
    list_is(&found, "");
    EXPECT(rialto_list_pop_last(&list, buffer, sizeof buffer, &size), RIALTO_ENOENT);
}

static int asked;

/* The longer, the earlier. */
static int by_length(const void *a, size_t a_bytes, const void *b, size_t b_bytes, void *context)
{
    CHECK(context == &asked && a_bytes > 0 && b_bytes > 0 && ((const char *)a)[0] && ((const char *)b)[0]);
    if (asked++ == 0) {
        EXPECT(APPEND(&list, "no"), RIALTO_EDEADLK);
        EXPECT(rialto_list_release(&list), RIALTO_EPERM);
        list_is(&list, "b,aa,c,dd");
    }
    return (a_bytes < b_bytes) - (a_bytes > b_bytes);
}

struct seen {
    char text[64];
    int stop_at;
    size_t visits;
};

static struct seen stopping_at(int visits)
{
    struct seen seen = {"", visits, 0};
    return seen;
}

static int see(size_t index, const void *item, size_t item_bytes, void *context)
{
    struct seen *seen = (struct seen *)context;
    CHECK(index == seen->visits);
    strncat(seen->text, (const char *)item, item_bytes);
    if (index == 0)
        EXPECT(rialto_list_set(&list, 3, "z", 1), RIALTO_OK);
    return (int)++seen->visits == seen->stop_at ? -5000 : 0;
}

static int see_pair(const void *key, size_t key_bytes, const void *value, size_t value_bytes, void *context)
{
    struct seen *seen = (struct seen *)context;
    strncat(seen->text, (const char *)key, key_bytes);
    strncat(seen->text, (const char *)value, value_bytes);
    if (seen->stop_at < 0)
        EXPECT(SET(&dict, "new", ""), RIALTO_OK);
    else
        EXPECT(rialto_dict_set(&dict, key, key_bytes, "!", 1), RIALTO_OK);
    return (int)++seen->visits == seen->stop_at ? 17 : 0;
}

static void callbacks(void)
{
    char buffer[2 * LONGEST], value[LONGEST];
    EXPECT(APPEND(&list, "b"), RIALTO_OK);
    EXPECT(APPEND(&list, "aa"), RIALTO_OK);
    EXPECT(APPEND(&list, "c"), RIALTO_OK);
    EXPECT(APPEND(&list, "dd"), RIALTO_OK);
    EXPECT(rialto_list_sort_by(&list, buffer, 2 * LONGEST - 1, by_length, &asked), RIALTO_ENOBUFS);
    EXPECT(rialto_list_sort_by(&list, buffer, 2 * LONGEST, by_length, &asked), RIALTO_OK);
    CHECK(asked >= 4);
    list_is(&list, "aa,dd,b,c");
    struct seen seen = stopping_at(0);
    EXPECT(rialto_list_for_each(&list, buffer, LONGEST, see, &seen), RIALTO_OK);
    CHECK(seen.visits == 4 && strcmp(seen.text, "aaddbz") == 0);
    seen = stopping_at(2);
    EXPECT(rialto_list_for_each(&list, buffer, LONGEST, see, &seen), -5000);
    CHECK(seen.visits == 2 && strcmp(seen.text, "aadd") == 0);
    EXPECT(rialto_list_for_each(&list, buffer, 1, see, &seen), RIALTO_ENOBUFS);
    EXPECT(rialto_list_release(&list), RIALTO_EPERM); /* every walk has released it */

    dict_is(&dict, "two=2,one=1");
    seen = stopping_at(0);
    EXPECT(rialto_dict_for_each(&dict, buffer, LONGEST, value, LONGEST, see_pair, &seen), RIALTO_OK);
    CHECK(seen.visits == 2 && strcmp(seen.text, "two2one1") == 0);
    dict_is(&dict, "two=!,one=!");
    seen = stopping_at(1);
    EXPECT(rialto_dict_for_each(&dict, buffer, LONGEST, value, LONGEST, see_pair, &seen), 17);
    CHECK(seen.visits == 1);
    EXPECT(rialto_dict_for_each(&dict, buffer, 2, value, LONGEST, see_pair, &seen), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_for_each(&dict, buffer, LONGEST, NULL, 0, see_pair, &seen), RIALTO_ENOBUFS);
    seen = stopping_at(-1);
    EXPECT(rialto_dict_for_each(&dict, buffer, LONGEST, value, LONGEST, see_pair, &seen), RIALTO_EBUSY);
    CHECK(seen.visits == 1);
    dict_is(&dict, "two=!,one=!,new=");
    EXPECT(rialto_dict_release(&dict), RIALTO_EPERM);
}

static void dicts(void)
{
    rialto_dict_t found, set;
    rialto_layout_t layout;
    rialto_pair_t pairs[] = {{{"one", 3}, {"1", 1}}, {{"two", 3}, {"2", 1}}, {{"one", 3}, {"I", 1}}};
    rialto_pair_lengths_t both = {7, 7};
    char key[LONGEST], value[LONGEST];
    uint32_t lengths[ITEMS], number = 7;
    size_t size = 7;
    bool answer = true;
    EXPECT(rialto_dict_layout(ITEMS, LONGEST, LONGEST, &layout), RIALTO_OK);
    CHECK(layout.align == 128 && layout.size > 4 * ITEMS * LONGEST);
    EXPECT(rialto_dict_layout(ITEMS, 0, LONGEST, &layout), RIALTO_EINVAL);
    EXPECT(rialto_dict_create(&region, "d", 4, 0, LONGEST, 0, &dict), RIALTO_EINVAL);
    EXPECT(rialto_dict_create(&region, "d", 4, LONGEST, LONGEST, 0, &dict), RIALTO_OK);
    EXPECT(rialto_dict_create(&region, "d", 4, LONGEST, LONGEST, 0, &found), RIALTO_EEXIST);
    EXPECT(rialto_dict_open(&region, "e", &found), RIALTO_ENOENT);
    EXPECT(rialto_list_open(&region, "d", &list), RIALTO_EWRONGKIND);
    EXPECT(rialto_dict_open_as(&region, "d", 4, LONGEST, LONGEST + 1, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_dict_open_as(&region, "d", 4, LONGEST, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_dict_open_or_create(&region, "d2", 2, 4, 4, &found), RIALTO_OK);
    EXPECT(rialto_dict_open_or_create(&region, "d", 5, LONGEST, LONGEST, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_dict_open_or_create(&region, "d", 4, LONGEST, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_dict_open(&region, "d", &found), RIALTO_OK);
    EXPECT(rialto_dict_capacity(&found, &number), RIALTO_OK);
    CHECK(number == 4);
    EXPECT(rialto_dict_max_key_bytes(&found, &number), RIALTO_OK);
    CHECK(number == LONGEST);
    EXPECT(rialto_dict_create(&region, "set", 2, 4, 0, 0, &set), RIALTO_OK);
    EXPECT(rialto_dict_max_value_bytes(&set, &number), RIALTO_OK);
    CHECK(number == 0);
    EXPECT(rialto_dict_is_empty(&set, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(SET(&set, "key", ""), RIALTO_OK);
    EXPECT(SET(&set, "key", "v"), RIALTO_EMSGSIZE);
    EXPECT(rialto_dict_popitem(&set, key, sizeof key, NULL, 0, &both), RIALTO_OK);
    CHECK(both.key_bytes == 3 && both.value_bytes == 0 && memcmp(key, "key", 3) == 0);

    EXPECT(rialto_dict_update(&dict, pairs, 3), RIALTO_OK);
    dict_is(&found, "one=I,two=2");
    EXPECT(rialto_dict_update(&dict, NULL, 0), RIALTO_OK);
    EXPECT(SET(&dict, "one", "1"), RIALTO_OK);
    EXPECT(SET(&dict, "too long ", ""), RIALTO_EMSGSIZE);
    EXPECT(SET(&dict, "one", "too long "), RIALTO_EMSGSIZE);
    EXPECT(rialto_dict_get(&found, "one", 3, value, sizeof value, &size), RIALTO_OK);
    CHECK(size == 1 && value[0] == '1');
    EXPECT(rialto_dict_get(&found, "one", 3, NULL, 0, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_get(&found, "three", 5, value, sizeof value, &size), RIALTO_ENOENT);
    EXPECT(rialto_dict_get_or(&found, "three", 5, "none", 4, value, sizeof value, &size), RIALTO_OK);
    CHECK(size == 4 && memcmp(value, "none", 4) == 0);
    EXPECT(rialto_dict_get_or(&found, "three", 5, "none", 4, value, 3, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_get_or(&found, "two", 3, "none", 4, value, sizeof value, &size), RIALTO_OK);
    CHECK(size == 1 && value[0] == '2');
    EXPECT(rialto_dict_contains(&found, "two", 3, &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_dict_contains(&found, "too long ", 9, &answer), RIALTO_OK);
    CHECK(!answer);
    EXPECT(rialto_dict_setdefault(&dict, "two", 3, "zwei", 4, value, sizeof value, &size), RIALTO_OK);
    CHECK(size == 1 && value[0] == '2');
    EXPECT(rialto_dict_setdefault(&dict, "3", 1, "drei", 4, value, 3, &size), RIALTO_ENOBUFS);
    dict_is(&found, "one=1,two=2");
    EXPECT(rialto_dict_setdefault(&dict, "3", 1, "drei", 4, value, sizeof value, &size), RIALTO_OK);
    CHECK(size == 4 && memcmp(value, "drei", 4) == 0);
    EXPECT(SET(&dict, "4", "4"), RIALTO_OK);
    EXPECT(SET(&dict, "5", "5"), RIALTO_ENOSPC);
    pairs[2].key.bytes = "5";
    pairs[2].key.length_bytes = 1;
    pairs[0].value.bytes = "?";
    EXPECT(rialto_dict_update(&dict, pairs, 3), RIALTO_ENOSPC); /* none of them */
    dict_is(&found, "one=1,two=2,3=drei,4=4");
    EXPECT(rialto_dict_setdefault(&dict, "5", 1, "", 0, value, sizeof value, &size), RIALTO_ENOSPC);
    EXPECT(rialto_dict_len(&found, &size), RIALTO_OK);
    CHECK(size == 4);
    EXPECT(rialto_dict_copy_keys(&found, value, 8, lengths, 4, &size), RIALTO_OK);
    CHECK(size == 4 && memcmp(value, "onetwo34", 8) == 0 && lengths[1] == 3 && lengths[3] == 1);
    EXPECT(rialto_dict_copy_keys(&found, value, 7, lengths, 4, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_copy_keys(&found, value, 8, lengths, 3, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_copy_items(&found, value, 8, &both, 1, &size), RIALTO_ENOBUFS);

    EXPECT(rialto_dict_pop(&dict, "5", 1, value, sizeof value, &size), RIALTO_ENOENT);
    EXPECT(rialto_dict_pop(&dict, "3", 1, value, 3, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_pop(&dict, "3", 1, value, sizeof value, &size), RIALTO_OK);
    CHECK(size == 4 && memcmp(value, "drei", 4) == 0);
    both.key_bytes = 7;
    EXPECT(rialto_dict_popitem(&dict, key, 0, value, sizeof value, &both), RIALTO_ENOBUFS);
    EXPECT(rialto_dict_popitem(&dict, key, sizeof key, value, 0, &both), RIALTO_ENOBUFS);
    CHECK(both.key_bytes == 7);
    EXPECT(rialto_dict_popitem(&dict, key, sizeof key, value, sizeof value, &both), RIALTO_OK);
    CHECK(both.key_bytes == 1 && both.value_bytes == 1 && key[0] == '4' && value[0] == '4');
    EXPECT(rialto_dict_remove(&dict, "5", 1), RIALTO_ENOENT);
    EXPECT(rialto_dict_remove(&dict, "one", 3), RIALTO_OK);
    EXPECT(SET(&dict, "one", "1"), RIALTO_OK);
    dict_is(&found, "two=2,one=1");
    EXPECT(rialto_dict_clear(&set), RIALTO_OK);
    EXPECT(rialto_dict_popitem(&set, key, sizeof key, value, sizeof value, &both), RIALTO_ENOENT);
}

static void namespaces(void)
{
    rialto_namespace_t found;
    rialto_layout_t layout;
    rialto_attribute_t it;
    char buffer[2 * LONGEST];
    uint32_t lengths[ITEMS], number = 7, type = 7;
    int64_t i64 = 7;
    uint64_t u64 = 7;
    double f64 = 7;
    size_t size = 7;
    bool answer = false;
    EXPECT(rialto_namespace_layout(ITEMS, LONGEST, LONGEST, &layout), RIALTO_OK);
    CHECK(layout.align == 128 && layout.size > 4 * ITEMS * LONGEST);
    EXPECT(rialto_namespace_layout(0, LONGEST, LONGEST, &layout), RIALTO_EINVAL);
    EXPECT(rialto_namespace_create(&region, "n", ITEMS, 0, LONGEST, 0, &space), RIALTO_EINVAL);
    EXPECT(rialto_namespace_create(&region, "n", ITEMS, 4, LONGEST, 0, &space), RIALTO_OK);
    EXPECT(rialto_namespace_create(&region, "n", ITEMS, 4, LONGEST, 0, &found), RIALTO_EEXIST);
    EXPECT(rialto_namespace_open(&region, "o", &found), RIALTO_ENOENT);
    EXPECT(rialto_namespace_open(&region, "d", &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_open_as(&region, "n", ITEMS, 5, LONGEST, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_open_as(&region, "n", ITEMS, 4, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_namespace_open_or_create(&region, "n2", 2, 4, 4, &found), RIALTO_OK);
    EXPECT(rialto_namespace_open_or_create(&region, "n", ITEMS, 4, 9, &found), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_open_or_create(&region, "n", ITEMS, 4, LONGEST, &found), RIALTO_OK);
    EXPECT(rialto_namespace_open(&region, "n", &found), RIALTO_OK);
    EXPECT(rialto_namespace_capacity(&found, &number), RIALTO_OK);
    CHECK(number == ITEMS);
    EXPECT(rialto_namespace_max_name_bytes(&found, &number), RIALTO_OK);
    CHECK(number == 4);
    EXPECT(rialto_namespace_max_string_bytes(&found, &number), RIALTO_OK);
    CHECK(number == LONGEST);
    EXPECT(rialto_namespace_is_empty(&found, &answer), RIALTO_OK);
    CHECK(answer);

    EXPECT(rialto_namespace_set_i64(&space, "i", INT64_MIN), RIALTO_OK);
    EXPECT(rialto_namespace_set_u64(&space, "u", UINT64_MAX), RIALTO_OK);
    EXPECT(rialto_namespace_set_f64(&space, "f", 0.375), RIALTO_OK);
    EXPECT(rialto_namespace_set_bool(&space, "yes", true), RIALTO_OK);
    EXPECT(rialto_namespace_set_bytes(&space, "b", "\0\xff", 2), RIALTO_OK);
    EXPECT(rialto_namespace_set_str(&space, "text", "12345678"), RIALTO_OK);
    EXPECT(rialto_namespace_set_i64(&space, "more", 1), RIALTO_ENOSPC);
    EXPECT(rialto_namespace_set_i64(&space, "12345", 1), RIALTO_EMSGSIZE);
    EXPECT(rialto_namespace_set_str(&space, "text", "123456789"), RIALTO_EMSGSIZE);
    EXPECT(rialto_namespace_set_bytes(&space, "b", "123456789", 9), RIALTO_EMSGSIZE);
    EXPECT(rialto_namespace_set_str(&space, "text", "\xff"), RIALTO_EINVAL);
    EXPECT(rialto_namespace_set_i64(&space, "\xff", 1), RIALTO_EINVAL);

    EXPECT(rialto_namespace_get_i64(&found, "i", &i64), RIALTO_OK);
    EXPECT(rialto_namespace_get_u64(&found, "u", &u64), RIALTO_OK);
    EXPECT(rialto_namespace_get_f64(&found, "f", &f64), RIALTO_OK);
    EXPECT(rialto_namespace_get_bool(&found, "yes", &answer), RIALTO_OK);
    CHECK(i64 == INT64_MIN && u64 == UINT64_MAX && f64 == 0.375 && answer);
    EXPECT(rialto_namespace_get_i64(&found, "u", &i64), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_get_u64(&found, "i", &u64), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_get_f64(&found, "i", &f64), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_get_bool(&found, "i", &answer), RIALTO_EWRONGKIND);
    EXPECT(rialto_namespace_get_i64(&found, "none", &i64), RIALTO_ENOENT);
    EXPECT(rialto_namespace_get_i64(&found, "longer than any", &i64), RIALTO_ENOENT);
    EXPECT(rialto_namespace_get_bytes(&found, "b", buffer, 2, &size), RIALTO_OK);
    CHECK(size == 2 && memcmp(buffer, "\0\xff", 2) == 0);
    EXPECT(rialto_namespace_get_bytes(&found, "b", buffer, 1, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_namespace_get_bytes(&found, "text", buffer, sizeof buffer, &size), RIALTO_EWRONGKIND);
    memset(buffer, 'x', sizeof buffer);
    EXPECT(rialto_namespace_get_str(&found, "text", buffer, LONGEST + 1, &size), RIALTO_OK);
    CHECK(size == 8 && strcmp(buffer, "12345678") == 0 && buffer[9] == 'x');
    EXPECT(rialto_namespace_get_str(&found, "text", buffer, LONGEST, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_namespace_get_str(&found, "b", buffer, sizeof buffer, &size), RIALTO_EWRONGKIND);

    const struct {
        const char *name;
        uint32_t type;
    } all[] = {{"i", RIALTO_ATTRIBUTE_I64}, {"u", RIALTO_ATTRIBUTE_U64}, {"f", RIALTO_ATTRIBUTE_F64},
        {"yes", RIALTO_ATTRIBUTE_BOOL}, {"b", RIALTO_ATTRIBUTE_BYTES}, {"text", RIALTO_ATTRIBUTE_STR}};
    for (int i = 0; i < ITEMS; i++) {
        EXPECT(rialto_namespace_type_of(&found, all[i].name, &type), RIALTO_OK);
        CHECK(type == all[i].type);
        memset(&it, 0xee, sizeof it);
        memset(buffer, 'x', sizeof buffer);
        EXPECT(rialto_namespace_get(&found, all[i].name, buffer, sizeof buffer, &it), RIALTO_OK);
        CHECK(it.type == type);
        CHECK(it.i64 == (i == 0 ? INT64_MIN : 0) && it.u64 == (i == 1 ? UINT64_MAX : 0));
        CHECK(it.f64 == (i == 2 ? 0.375 : 0) && it.boolean == (i == 3));
        CHECK(it.length_bytes == (i == 4 ? 2 : i == 5 ? 8 : 0));
    }
    CHECK(strcmp(buffer, "12345678") == 0);
    EXPECT(rialto_namespace_get(&found, "text", buffer, LONGEST, &it), RIALTO_ENOBUFS);
    EXPECT(rialto_namespace_get(&found, "b", NULL, 0, &it), RIALTO_ENOBUFS);
    EXPECT(rialto_namespace_get(&found, "i", NULL, 0, &it), RIALTO_OK);
    EXPECT(rialto_namespace_get(&found, "none", NULL, 0, &it), RIALTO_ENOENT);
    EXPECT(rialto_namespace_type_of(&found, "none", &type), RIALTO_ENOENT);

    EXPECT(rialto_namespace_contains(&found, "yes", &answer), RIALTO_OK);
    CHECK(answer);
    EXPECT(rialto_namespace_contains(&found, "no", &answer), RIALTO_OK);
    CHECK(!answer);
    answer = true;
    EXPECT(rialto_namespace_contains(&found, "longer than any", &answer), RIALTO_OK);
    CHECK(!answer);
    EXPECT(rialto_namespace_copy_names(&found, buffer, 11, lengths, 6, &size), RIALTO_OK);
    CHECK(size == 6 && memcmp(buffer, "iufyesbtext", 11) == 0 && lengths[3] == 3 && lengths[5] == 4);
    EXPECT(rialto_namespace_copy_names(&found, buffer, 10, lengths, 6, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_namespace_copy_names(&found, buffer, 11, lengths, 5, &size), RIALTO_ENOBUFS);
    EXPECT(rialto_namespace_remove(&space, "none"), RIALTO_ENOENT);
    EXPECT(rialto_namespace_remove(&space, "text"), RIALTO_OK);
    EXPECT(rialto_namespace_set_str(&space, "i", ""), RIALTO_OK); /* another type now */
    EXPECT(rialto_namespace_get_str(&found, "i", buffer, 1, &size), RIALTO_OK);
    CHECK(size == 0 && buffer[0] == 0);
    EXPECT(rialto_namespace_len(&found, &size), RIALTO_OK);
    CHECK(size == 5);
}

/* A child holds the lock of each, and is killed. `object` is a view, `read` and `write` use it, `write` waits. */
#define LOCKED(kind, object, read, write)                                                         \
    do {                                                                                          \
        struct gate held;                                                                         \
        rialto_##kind##_t bound = object;                                                         \
        bool answer = true;                                                                       \
        uint32_t deaths = 7;                                                                      \
        EXPECT(rialto_##kind##_release(&object), RIALTO_EPERM);                                   \
        EXPECT(rialto_##kind##_is_mine(&object, &answer), RIALTO_OK);                             \
        CHECK(!answer);                                                                           \
        gate_make(&held);                                                                         \
        pid_t child = spawn();                                                                    \
        if (child == 0) {                                                                         \
            EXPECT(rialto_##kind##_acquire(&object, RIALTO_WAIT_FOREVER), RIALTO_OK);             \
            EXPECT(rialto_##kind##_acquire(&object, MS), RIALTO_EDEADLK);                         \
            EXPECT(rialto_##kind##_is_mine(&object, &answer), RIALTO_OK);                         \
            CHECK(answer);                                                                        \
            gate_open(&held);                                                                     \
            await_death();                                                                        \
        }                                                                                         \
        gate_pass(&held);                                                                         \
        EXPECT(rialto_##kind##_is_locked(&object, &answer), RIALTO_OK);                           \
        CHECK(answer);                                                                            \
        EXPECT(rialto_##kind##_acquire(&object, 0), RIALTO_EAGAIN);                               \
        EXPECT(rialto_##kind##_acquire(&object, MS), RIALTO_ETIMEDOUT);                           \
        EXPECT(read, RIALTO_OK); /* who reads does not wait */                                    \
        EXPECT(rialto_##kind##_set_timeout(&bound, MS), RIALTO_OK);                               \
        EXPECT(write, RIALTO_ETIMEDOUT);                                                          \
        EXPECT(rialto_##kind##_set_timeout(&bound, 0), RIALTO_OK);                                \
        EXPECT(write, RIALTO_EAGAIN);                                                             \
        EXPECT(rialto_##kind##_set_timeout(&bound, RIALTO_WAIT_FOREVER), RIALTO_OK);              \
        pid_t killer = assassin(child);                                                           \
        EXPECT(write, RIALTO_OK); /* waits for the death */                                       \
        bury(child);                                                                              \
        reap(killer);                                                                             \
        EXPECT(rialto_##kind##_is_locked(&object, &answer), RIALTO_OK);                           \
        CHECK(!answer);                                                                           \
        EXPECT(rialto_##kind##_deaths(&object, &deaths), RIALTO_OK);                              \
        CHECK(deaths == 0); /* it died between two changes */                                     \
    } while (0)

static void dead_holders(void)
{
    int32_t one = 1;
    rialto_value_t value;
    rialto_array_t array;
    size_t size;
    EXPECT(rialto_value_create(&region, "v", RIALTO_I32, &one, 4, 0, &value), RIALTO_OK);
    EXPECT(rialto_array_create(&region, "a", RIALTO_I32, 4, 2, NULL, 0, &array), RIALTO_OK);
    LOCKED(list, list, rialto_list_len(&bound, &size), rialto_list_reverse(&bound));
    LOCKED(dict, dict, rialto_dict_len(&bound, &size), SET(&bound, "one", "1"));
    LOCKED(namespace, space, rialto_namespace_len(&bound, &size), rialto_namespace_set_i64(&bound, "i", 1));
    LOCKED(value, value, rialto_value_load(&bound, &one, 4), rialto_value_store(&bound, &one, 4));
    LOCKED(array, array, rialto_array_read(&bound, 0, 1, &one), rialto_array_write(&bound, 1, 1, &one));
}

/* Of as many items as there are, all are the same: another one at each change. */
static void check_same(const rialto_list_t *view)
{
    char bytes[ITEMS * LONGEST];
    uint32_t lengths[ITEMS];
    size_t items;
    EXPECT(rialto_list_copy_range(view, 0, SIZE_MAX, bytes, sizeof bytes, lengths, ITEMS, &items), RIALTO_OK);
    CHECK(items == 0 || items == 3);
    for (size_t i = 0; i < items; i++)
        CHECK(lengths[i] == 8 && memcmp(bytes, bytes + 8 * i, 8) == 0);
}

static void check_pair(const rialto_dict_t *view)
{
    char bytes[2 * (1 + LONGEST)];
    rialto_pair_lengths_t lengths[2];
    size_t keys;
    EXPECT(rialto_dict_copy_items(view, bytes, sizeof bytes, lengths, 2, &keys), RIALTO_OK);
    CHECK(keys == 2 && memcmp(bytes + 1, bytes + 10, 8) == 0 && bytes[0] == 'x' && bytes[9] == 'y');
}

/* A child that changes them on and on is killed, again and again: what is there is whole. */
static void killed_writers(void)
{
    uint64_t number = 0;
    rialto_message_t items[] = {{&number, 8}, {&number, 8}, {&number, 8}};
    rialto_pair_t pairs[] = {{{"x", 1}, {&number, 8}}, {{"y", 1}, {&number, 8}}};
    uint32_t deaths = 0, others = 0;
    EXPECT(rialto_list_clear(&list), RIALTO_OK);
    EXPECT(rialto_dict_clear(&dict), RIALTO_OK);
    EXPECT(rialto_dict_update(&dict, pairs, 2), RIALTO_OK);
    for (int round = 0; round < 30; round++) {
        struct gate under_way;
        gate_make(&under_way);
        pid_t child = spawn();
        if (child == 0) {
            for (number = 0;; number++) {
                EXPECT(rialto_list_clear(&list), RIALTO_OK);
                EXPECT(rialto_list_extend(&list, items, 3), RIALTO_OK);
                EXPECT(rialto_dict_update(&dict, pairs, 2), RIALTO_OK);
                EXPECT(rialto_namespace_set_u64(&space, "u", number), RIALTO_OK);
                if (number == 0)
                    gate_open(&under_way);
            }
        }
        gate_pass(&under_way);
        gate_close(&under_way);
        for (int look = 0; look < 300; look++) {
            check_same(&list);
            check_pair(&dict);
        }
        slay(child);
        check_same(&list);
        check_pair(&dict);
        EXPECT(rialto_list_clear(&list), RIALTO_OK);
        EXPECT(rialto_list_extend(&list, items, 3), RIALTO_OK);
        EXPECT(rialto_dict_update(&dict, pairs, 2), RIALTO_OK);
        EXPECT(rialto_namespace_set_u64(&space, "u", 1), RIALTO_OK);
        check_same(&list);
        check_pair(&dict);
    }
    EXPECT(rialto_list_deaths(&list, &deaths), RIALTO_OK);
    EXPECT(rialto_dict_deaths(&dict, &others), RIALTO_OK);
    CHECK(deaths + others <= 30);
}

/* What Rust has written is here; what is written here, Rust wants. */
static void beside_rust(const char *name)
{
    char bytes[32];
    uint32_t lengths[4];
    rialto_pair_lengths_t both[4];
    size_t size;
    int64_t number;
    EXPECT(rialto_region_attach_named(&region, name), RIALTO_OK);
    EXPECT(rialto_list_open_as(&region, "list", 4, 5, &list), RIALTO_OK);
    EXPECT(rialto_list_copy_range(&list, 0, 4, bytes, sizeof bytes, lengths, 4, &size), RIALTO_OK);
    CHECK(size == 3 && memcmp(bytes, "onethree", 8) == 0 && lengths[0] == 3 && lengths[1] == 0);
    EXPECT(rialto_dict_open_as(&region, "dict", 4, 5, 6, &dict), RIALTO_OK);
    EXPECT(rialto_dict_copy_items(&dict, bytes, sizeof bytes, both, 4, &size), RIALTO_OK);
    CHECK(size == 2 && memcmp(bytes, "b2a1", 4) == 0 && both[1].value_bytes == 1);
    EXPECT(rialto_namespace_open_as(&region, "names", 4, 5, 6, &space), RIALTO_OK);
    EXPECT(rialto_namespace_get_i64(&space, "level", &number), RIALTO_OK);
    CHECK(number == -3);
    EXPECT(rialto_namespace_get_str(&space, "name", bytes, 7, &size), RIALTO_OK);
    CHECK(size == 4 && memcmp(bytes, "a\0zb", 5) == 0);

    EXPECT(rialto_list_delete(&list, 0), RIALTO_OK);
    EXPECT(rialto_list_append(&list, "\xff", 1), RIALTO_OK);
    EXPECT(rialto_dict_remove(&dict, "b", 1), RIALTO_OK);
    EXPECT(SET(&dict, "key", "value"), RIALTO_OK);
    EXPECT(rialto_namespace_set_str(&space, "name", "\xc3\xa4"), RIALTO_OK);
    EXPECT(rialto_namespace_set_f64(&space, "ratio", 0.25), RIALTO_OK);
    EXPECT(rialto_list_acquire(&list, 0), RIALTO_OK); /* and dies with them */
    EXPECT(rialto_dict_acquire(&dict, 0), RIALTO_OK);
    EXPECT(rialto_namespace_acquire(&space, 0), RIALTO_OK);
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
    lists();
    dicts();
    namespaces();
    callbacks();
    dead_holders();
    killed_writers();
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("collections: lists, dicts and namespaces: ok");
    return 0;
}
