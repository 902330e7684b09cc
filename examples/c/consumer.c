/* Works on the messages that producer.c sends. As many at a time as you like.
 *
 *   gcc consumer.c $(pkg-config --cflags --libs rialto) -o consumer
 *
 *   ./consumer NAME [MS]           works MS milliseconds (50) on each message, until a producer has closed
 *
 * Kill a producer with kill -9: what it sent comes, and then what the next one sends. Kill a consumer while
 * it works: another one gets its message, marked, and prints so, as soon as anybody has to wait for a
 * message (or calls rialto_region_recover). If there is no other consumer, it waits for the next. */
#define _POSIX_C_SOURCE 200809L
#include <rialto.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS = 64, MOST = 64 };

static rialto_region_t region;
static rialto_queue_t queue;

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "consumer: %s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

static void doze(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Whoever comes first makes the region and the queue, also if somebody was killed in between. */
static void meet(const char *name)
{
    rialto_region_config_t region_config;
    rialto_queue_config_t queue_config;
    must(rialto_region_config_default(&region_config), "region config");
    must(rialto_queue_config_default(SLOTS, MOST, &queue_config), "queue config");

    int status = rialto_region_create_named(&region, name, 1 << 18, &region_config);
    if (status == RIALTO_EEXIST)
        status = rialto_region_attach_named(&region, name);
    must(status, "region");

    status = rialto_queue_create(&region, "messages", &queue_config, &queue);
    if (status == RIALTO_EEXIST) /* refused if it was made with other numbers */
        status = rialto_queue_open_as(&region, "messages", &queue_config, &queue);
    must(status, "queue");
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: consumer NAME [MS]\n");
        return 2;
    }
    long ms = count > 2 ? atol(arguments[2]) : 50;
    meet(arguments[1]);
    puts("ready");
    fflush(stdout);

    unsigned long done = 0, redelivered = 0;
    rialto_peeked_t message;
    int status;
    while ((status = rialto_queue_peek(&queue, &message)) >= 0) {
        /* From here to release it is in our hand: if we die, somebody else gets it. */
        char text[MOST];
        size_t length;
        uint32_t attempt;
        must(rialto_peeked_copy(&message, text, sizeof text, &length), "copy");
        must(rialto_peeked_attempt(&message, &attempt), "attempt");
        printf("working on %.*s", (int)length, text);
        if (status == RIALTO_REDELIVERED) {
            /* Its last holder died, maybe when it was almost done: check before you do it twice. */
            printf(" (redelivered: %u before us)", (unsigned)attempt);
            redelivered++;
        }
        printf("\n");
        fflush(stdout);
        doze(ms);
        must(rialto_peeked_release(&message), "release");
        done++;
    }
    if (status != RIALTO_EPIPE)
        must(status, "peek");
    printf("end: %lu done, %lu of them redelivered\n", done, redelivered);
    /* Another consumer may have done so. (Do not start a new run under the name before all have ended: we
     * would unlink that one's region.) */
    rialto_region_unlink_named(arguments[1]);
    must(rialto_region_detach(&region), "detach");
    return 0;
}
