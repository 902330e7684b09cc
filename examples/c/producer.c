/* Sends messages to the queue that consumer.c reads.
 *
 *   gcc producer.c $(pkg-config --cflags --libs rialto) -o producer
 *
 *   ./producer NAME COUNT [MS]     COUNT messages, one every MS milliseconds (100), then no more
 *
 * Start a consumer first. Kill this program with kill -9 wherever you like: the consumers go on, have each
 * message that it sent once, and wait for the next producer. */
#define _POSIX_C_SOURCE 200809L
#include <rialto.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "producer: %s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

static void doze(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

int main(int count, char **arguments)
{
    rialto_region_t region;
    rialto_queue_t queue;

    if (count < 3) {
        fprintf(stderr, "usage: producer NAME COUNT [MS]\n");
        return 2;
    }
    long messages = atol(arguments[2]), ms = count > 3 ? atol(arguments[3]) : 100;
    must(rialto_region_attach_named(&region, arguments[1]), "no region of that name; start a consumer first");
    must(rialto_queue_open(&region, "messages", &queue), "no queue");

    for (long i = 1; i <= messages; i++) {
        char text[64];
        int length = snprintf(text, sizeof text, "%ld of producer %ld", i, (long)getpid());
        /* Waits while the queue is full. If we die in here, the message is in the queue or was never
         * sent; nobody waits for us. */
        must(rialto_queue_push(&queue, text, (size_t)length), "push");
        printf("sent %s\n", text);
        fflush(stdout);
        doze(ms);
    }
    /* The consumers drain what is there, then end; a second producer that still runs is refused. */
    must(rialto_queue_close(&queue), "close");
    must(rialto_region_detach(&region), "detach");
    return 0;
}
