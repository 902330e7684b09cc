/* A list of byte strings, as Python's list of a manager, without a manager. Each operation is all or nothing.
 *
 *   gcc list.c $(pkg-config --cflags --libs rialto) -o list
 *
 * Writers that add pairs are killed; there is never half a pair. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPACITY = 64, KILLS = 20 };

static rialto_region_t region;
static rialto_list_t names, pairs;

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

static void append_names(void)
{
    static const char *const all[] = {"Verdi", "Bach", "Monteverdi", "Haydn"};
    for (int i = 0; i < 4; i++)
        must(rialto_list_append(&names, all[i], strlen(all[i])), "append");
}

static void add_pairs(void)
{
    const rialto_message_t pair[2] = {{"left", 4}, {"right", 5}};
    for (;;) { /* until it is killed */
        int status = rialto_list_extend(&pairs, pair, 2);
        if (status == RIALTO_ENOSPC)
            status = rialto_list_clear(&pairs);
        must(status, "extend");
    }
}

static int print(size_t index, const void *item, size_t item_bytes, void *ignored)
{
    (void)ignored;
    printf("%s%.*s", index > 0 ? " " : "", (int)item_bytes, (const char *)item);
    return 0; /* go on */
}

int main(void)
{
    char item[16];
    size_t length, count;
    int halves = 0;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_list_create(&region, "names", CAPACITY, sizeof item, RIALTO_WAIT_FOREVER, &names), "list");
    must(rialto_list_create(&region, "pairs", CAPACITY, sizeof item, RIALTO_WAIT_FOREVER, &pairs), "list");

    waitpid(start(append_names), NULL, 0);
    must(rialto_list_sort(&names), "sort");
    must(rialto_list_pop(&names, 0, item, sizeof item, &length), "pop");
    printf("popped %.*s, left ", (int)length, item);
    must(rialto_list_for_each(&names, item, sizeof item, print, NULL), "for_each");

    for (int i = 0; i < KILLS; i++) {
        must(rialto_list_clear(&pairs), "clear"); /* which the dead one before may have held: nobody waits for it */
        pid_t writer = start(add_pairs);
        do { /* until it writes, and a little more */
            usleep(100 * (useconds_t)(i + 1));
            must(rialto_list_len(&pairs, &count), "len");
        } while (count == 0);
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        must(rialto_list_len(&pairs, &count), "len");
        halves += count % 2 != 0;
        if (count > 0) { /* the last is a right one */
            must(rialto_list_get(&pairs, count - 1, item, sizeof item, &length), "get");
            halves += length != 5;
        }
    }
    printf("; %d writers killed, %d halves\n", KILLS, halves);
    must(rialto_list_len(&names, &count), "len");
    must(rialto_region_detach(&region), "detach");
    return count != 3 || halves != 0;
}
