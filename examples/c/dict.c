/* A dict from byte strings to byte strings, as Python's dict of a manager. Here, workers count words in it.
 *
 *   gcc dict.c $(pkg-config --cflags --libs rialto) -o dict
 *
 * An update of several keys is all or nothing, also if its writer is killed. Several operations are made one by
 * acquire and release. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 20 };

static rialto_region_t region;
static rialto_dict_t words, twins;

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

static pid_t start(void (*role)(void))
{
    pid_t child = fork();
    if (child == 0) {
        role();
        _exit(0);
    }
    if (child < 0) {
        perror("fork");
        exit(1);
    }
    return child;
}

/* One more of that word: a look and a change, that nobody comes between. */
static void count_word(const char *word)
{
    const int32_t none = 0;
    int32_t times;
    size_t length;
    must(rialto_dict_acquire(&words, RIALTO_WAIT_FOREVER), "acquire");
    must(rialto_dict_get_or(&words, word, strlen(word), &none, sizeof none, &times, sizeof times, &length), "get_or");
    times++;
    must(rialto_dict_set(&words, word, strlen(word), &times, sizeof times), "set");
    must(rialto_dict_release(&words), "release");
}

static void count(void)
{
    static const char *const text[] = {"to", "be", "or", "not", "to", "be"};
    for (int i = 0; i < 6000; i++)
        count_word(text[i % 6]);
}

static void write_twins(void)
{
    for (int32_t i = 0;; i++) { /* until it is killed */
        const rialto_pair_t both[2] = {{{"castor", 6}, {&i, sizeof i}}, {{"pollux", 6}, {&i, sizeof i}}};
        must(rialto_dict_update(&twins, both, 2), "update");
    }
}

static int print(const void *key, size_t key_bytes, const void *value, size_t value_bytes, void *sum)
{
    int32_t times;
    if (value_bytes != sizeof times)
        return RIALTO_EWRONGKIND;
    memcpy(&times, value, sizeof times);
    *(int *)sum += times;
    printf("%.*s %d, ", (int)key_bytes, (const char *)key, (int)times);
    return 0; /* go on */
}

int main(void)
{
    char key[16];
    int32_t value, twin[2];
    size_t length;
    int sum = 0, torn = 0;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_dict_create(&region, "words", 16, sizeof key, sizeof value, RIALTO_WAIT_FOREVER, &words), "dict");
    must(rialto_dict_create(&region, "twins", 16, sizeof key, sizeof value, RIALTO_WAIT_FOREVER, &twins), "dict");

    pid_t counters[2] = {start(count), start(count)};
    waitpid(counters[0], NULL, 0);
    waitpid(counters[1], NULL, 0);
    must(rialto_dict_for_each(&words, key, sizeof key, &value, sizeof value, print, &sum), "for_each");

    for (int i = 0; i < KILLS; i++) {
        must(rialto_dict_clear(&twins), "clear"); /* which the dead one before may have held: nobody waits for it */
        pid_t writer = start(write_twins);
        do { /* until it writes, and a little more */
            usleep(100 * (useconds_t)(i + 1));
            must(rialto_dict_len(&twins, &length), "len");
        } while (length == 0);
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        must(rialto_dict_get(&twins, "castor", 6, &twin[0], sizeof twin[0], &length), "castor");
        must(rialto_dict_get(&twins, "pollux", 6, &twin[1], sizeof twin[1], &length), "pollux");
        torn += twin[0] != twin[1];
    }
    printf("%d in all; %d writers killed, %d torn twins\n", sum, KILLS, torn);
    must(rialto_region_detach(&region), "detach");
    return sum != 12000 || torn != 0;
}
