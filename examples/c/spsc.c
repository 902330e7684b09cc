/* The fastest queue: from one producer to one consumer. Each end is claimed, and free again when its holder dies.
 *
 *   gcc spsc.c $(pkg-config --cflags --libs rialto) -o spsc
 *
 * Both ends are killed here, in the middle; their successors go on, and no number is lost or twice. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBERS = 100000, DEATH = 30000 };

static rialto_region_t region;
static rialto_spsc_t numbers;
static int *sent, *next; /* what producer and consumer leave to their successors */

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

static void produce(void)
{
    rialto_producer_t end;
    must(rialto_spsc_producer_timeout(&numbers, RIALTO_WAIT_FOREVER, &end), "producer");
    while (*sent < NUMBERS) {
        int number = *sent;
        must(rialto_producer_push(&end, &number, sizeof number), "push");
        /* Killed between the push and here, its successor would send the number again: what was sent is sent. */
        *sent = number + 1;
        if (number == DEATH)
            raise(SIGKILL);
    }
    must(rialto_producer_end(&end), "end");
    must(rialto_spsc_close(&numbers), "close");
}

static void consume(void)
{
    rialto_consumer_t end;
    const void *message;
    size_t length;
    uint32_t attempt;
    int status;
    must(rialto_spsc_consumer_timeout(&numbers, RIALTO_WAIT_FOREVER, &end), "consumer");
    while ((status = rialto_consumer_peek(&end, &message, &length, &attempt)) >= 0) {
        int number = *(const int *)message; /* 16-aligned, in place */
        if (number != *next)
            exit(1);
        if (number == DEATH && status != RIALTO_REDELIVERED)
            raise(SIGKILL); /* not released: our successor gets this one */
        *next = number + 1;
        must(rialto_consumer_release(&end), "release");
    }
    if (status != RIALTO_EPIPE)
        must(status, "peek");
    must(rialto_consumer_end(&end), "end");
}

int main(void)
{
    rialto_spsc_config_t config;
    void *raw;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_spsc_config_default(256, sizeof(int), &config), "spsc config");
    must(rialto_spsc_create(&region, "numbers", &config, &numbers), "spsc");
    must(rialto_raw_array_create(&region, "progress", RIALTO_I32, sizeof(int), 2, &raw), "progress");
    sent = raw;
    next = sent + 1;

    pid_t producer = start(produce), consumer = start(consume), ended;
    int how, lost = 0;
    while ((ended = wait(&how)) > 0) {
        if (!WIFSIGNALED(how)) {
            if (how != 0)
                rialto_spsc_close(&numbers); /* it has failed: let the other one end, too */
            continue;
        }
        lost++;
        if (ended == producer)
            producer = start(produce);
        else if (ended == consumer)
            consumer = start(consume);
    }
    printf("%d numbers in order, %d ends lost\n", *next, lost);
    int wrong = *next != NUMBERS || lost != 2;
    must(rialto_region_detach(&region), "detach"); /* unmaps it */
    return wrong;
}
