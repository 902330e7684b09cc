/* A value: a number, or a structure, that is stored whole or not at all, whoever is killed when.
 *
 *   gcc value.c $(pkg-config --cflags --libs rialto) -o value
 *
 * Python's Value; there, who is killed in a store leaves half of it, and a lock that nobody releases. A raw value
 * is memory with a name, and promises nothing. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, ROUNDS = 1000, KILLS = 20 };

/* What all its bytes say together: each line is the same number. */
struct page {
    uint64_t line[512];
};

static rialto_region_t region;
static rialto_value_t counter, page;
static uint64_t *raw; /* only by the __atomic builtins */

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

static void count(void)
{
    const int64_t one = 1;
    for (int i = 0; i < ROUNDS; i++) {
        must(rialto_value_fetch_add(&counter, &one, NULL, sizeof one), "fetch_add");
        __atomic_add_fetch(raw, 1, __ATOMIC_RELAXED);
    }
}

static void write_pages(void)
{
    static struct page ours;
    for (;;) { /* until it is killed, most likely in the middle of one */
        for (int i = 0; i < 512; i++)
            ours.line[i]++;
        must(rialto_value_store(&page, &ours, sizeof ours), "store");
    }
}

int main(void)
{
    static struct page found;
    const int64_t zero = 0;
    int64_t counted;
    void *data;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_value_create(&region, "counter", RIALTO_I64, &zero, sizeof zero, RIALTO_WAIT_FOREVER, &counter),
         "counter");
    must(rialto_value_create(&region, "page", RIALTO_BLOCK, &found, sizeof found, RIALTO_WAIT_FOREVER, &page), "page");
    must(rialto_raw_value_create(&region, "raw", RIALTO_U64, sizeof *raw, &data), "raw");
    raw = data;

    for (int i = 0; i < CHILDREN; i++)
        start(count);
    while (wait(NULL) > 0)
        continue;
    must(rialto_value_load(&counter, &counted, sizeof counted), "load");
    uint64_t raw_counted = __atomic_load_n(raw, __ATOMIC_RELAXED);
    printf("counted %d, raw %d", (int)counted, (int)raw_counted);

    int torn = 0;
    for (int i = 0; i < KILLS; i++) {
        uint64_t before = found.line[0];
        pid_t writer = start(write_pages);
        do { /* until it writes, and a little more */
            usleep(100 * (useconds_t)(i + 1));
            must(rialto_value_load(&page, &found, sizeof found), "load");
        } while (found.line[0] == before);
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        must(rialto_value_load(&page, &found, sizeof found), "load");
        for (int line = 1; line < 512; line++)
            torn += found.line[line] != found.line[0];
    }
    printf("; %d writers killed, %d torn pages\n", KILLS, torn);
    must(rialto_region_detach(&region), "detach");
    return counted != CHILDREN * ROUNDS || raw_counted != CHILDREN * ROUNDS || torn != 0;
}
