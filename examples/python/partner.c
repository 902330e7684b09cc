/* The C side of share.py: answers messages in capitals, dies with the lock, repairs what a dead one left.
 *
 *   gcc partner.c $(pkg-config --cflags --libs rialto) -o partner
 *
 *   ./partner NAME           NAME is a region that share.py has made
 *   ./partner sizes          how large the types are that share.py allocates */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "partner: %s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

int main(int count, char **arguments)
{
    rialto_region_t region;
    rialto_queue_t to_c, to_python;
    rialto_lock_t *lock;
    void *raw;
    char text[64];
    size_t length;
    uint32_t purses;
    int status;

    if (count == 2 && strcmp(arguments[1], "sizes") == 0) {
        printf("%d %d %d %d\n", (int)sizeof(rialto_region_config_t), (int)sizeof(rialto_queue_config_t),
               (int)sizeof(rialto_region_t), (int)sizeof(rialto_queue_t));
        return 0;
    }
    if (count != 2) {
        fprintf(stderr, "usage: partner NAME\n");
        return 2;
    }
    must(rialto_region_attach_named(&region, arguments[1]), "region");
    must(rialto_queue_open(&region, "to C", &to_c), "queue");
    must(rialto_queue_open(&region, "to Python", &to_python), "queue");
    must(rialto_lock_open(&region, "lock", &lock), "lock");
    must(rialto_raw_array_open(&region, "money", RIALTO_I32, sizeof(int32_t), &raw, &purses), "money");
    int32_t *money = raw; /* two purses; under the lock, 100 together */

    while ((status = rialto_queue_pop(&to_c, text, sizeof text, &length, NULL)) >= 0) {
        if (length == 17 && memcmp(text, "die with the lock", length) == 0) {
            must(rialto_lock_acquire(lock), "acquire");
            money[0] -= 40;
            raise(SIGKILL);
        } else if (length == 6 && memcmp(text, "repair", length) == 0) {
            int found = 0, died = must(rialto_lock_acquire(lock), "acquire") == RIALTO_OWNER_DIED;
            if (died) {
                found = money[0] + money[1];
                money[1] = 100 - money[0];
                must(rialto_lock_mark_consistent(lock), "mark_consistent");
            }
            must(rialto_lock_release(lock), "release");
            int bytes = snprintf(text, sizeof text, "%s: found %d, repaired", died ? "the owner died" : "alive",
                                 (int)found);
            must(rialto_queue_push(&to_python, text, (size_t)bytes), "push");
        } else {
            for (size_t i = 0; i < length; i++)
                text[i] = (char)toupper((unsigned char)text[i]);
            must(rialto_queue_push(&to_python, text, length), "push");
        }
    }
    if (status != RIALTO_EPIPE)
        must(status, "pop");
    must(rialto_region_detach(&region), "detach");
    return 0;
}
