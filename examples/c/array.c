/* An array: elements of one type. Several are changed together, by an edit: all or nothing, also under kill -9.
 *
 *   gcc array.c $(pkg-config --cflags --libs rialto) -o array
 *
 * Here, accounts; the sum is always the same. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCOUNTS = 100, EACH = 1000, KILLS = 20 };

static rialto_region_t region;
static rialto_array_t accounts;

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

/* Called once, under the array's lock. What it writes is seen when it has returned 0. */
static int transfer(rialto_array_edit_t *edit, void *context)
{
    const uint32_t *between = context;
    int64_t from, to;
    must(rialto_array_edit_read(edit, between[0], &from, sizeof from), "edit_read");
    must(rialto_array_edit_read(edit, between[1], &to, sizeof to), "edit_read");
    if (from < 10)
        return RIALTO_ENOENT; /* negative: nothing is changed, and rialto_array_edit returns it */
    from -= 10;
    to += 10;
    must(rialto_array_edit_write(edit, between[0], &from, sizeof from), "edit_write");
    must(rialto_array_edit_write(edit, between[1], &to, sizeof to), "edit_write");
    return 0;
}

static void trade(void)
{
    for (uint32_t i = 0;; i += 7) { /* until it is killed */
        uint32_t between[2] = {i % ACCOUNTS, (i * 3 + 1) % ACCOUNTS};
        if (between[0] == between[1])
            continue;
        int status = rialto_array_edit(&accounts, transfer, between);
        if (status != RIALTO_ENOENT)
            must(status, "edit");
    }
}

int main(void)
{
    int64_t money[ACCOUNTS], before[ACCOUNTS];
    int wrong = 0;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    for (int i = 0; i < ACCOUNTS; i++)
        money[i] = EACH;
    must(rialto_array_create(&region, "accounts", RIALTO_I64, sizeof money[0], ACCOUNTS, money, RIALTO_WAIT_FOREVER,
                             &accounts),
         "array");

    for (int i = 0; i < KILLS; i++) {
        memcpy(before, money, sizeof before);
        pid_t traders[2] = {start(trade), start(trade)};
        do { /* until they trade, and a little more */
            usleep(100 * (useconds_t)(i + 1));
            must(rialto_array_read(&accounts, 0, ACCOUNTS, money), "read");
        } while (memcmp(money, before, sizeof before) == 0);
        for (int one = 0; one < 2; one++) {
            int64_t sum = 0;
            kill(traders[one], SIGKILL); /* the other one goes on */
            waitpid(traders[one], NULL, 0);
            must(rialto_array_read(&accounts, 0, ACCOUNTS, money), "read"); /* all of one moment */
            for (int at = 0; at < ACCOUNTS; at++)
                sum += money[at];
            wrong += sum != (int64_t)ACCOUNTS * EACH;
        }
    }
    printf("%d traders killed, %d wrong sums\n", 2 * KILLS, wrong);
    must(rialto_region_detach(&region), "detach");
    return wrong != 0;
}
