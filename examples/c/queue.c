/* A queue of messages between processes. A worker is killed with a message in hand: another one gets it.
 *
 *   gcc queue.c $(pkg-config --cflags --libs rialto) -o queue
 *
 * See producer.c and consumer.c for two programs that meet by name, zerocopy.c for large messages, epoll.c for
 * event loops, joinable.c for work to be waited for, and parserpool.c for all of it in earnest. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static rialto_region_t region;
static rialto_queue_t jobs, results;

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

/* Peek, work, release: until release the job is in our hand, and goes to somebody else if we die. */
static void work(void)
{
    rialto_peeked_t job;
    int status;
    while ((status = rialto_queue_peek(&jobs, &job)) >= 0) {
        const void *text;
        size_t length;
        must(rialto_peeked_bytes(&job, &text, &length), "bytes");
        /* The first who gets it dies of it. RIALTO_REDELIVERED: somebody had it before us. */
        if (length == 5 && memcmp(text, "three", length) == 0 && status != RIALTO_REDELIVERED)
            raise(SIGKILL);
        char line[64];
        int bytes = snprintf(line, sizeof line, "%.*s%s", (int)length, (const char *)text,
                             status == RIALTO_REDELIVERED ? " (redelivered)" : "");
        must(rialto_queue_push(&results, line, (size_t)bytes), "push");
        must(rialto_peeked_release(&job), "release");
    }
    if (status != RIALTO_EPIPE) /* closed and drained */
        must(status, "peek");
}

int main(void)
{
    static const char *const words[] = {"one", "two", "three", "four", "five"};
    rialto_queue_config_t config;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_queue_config_default(16, 64, &config), "queue config");
    must(rialto_queue_create(&region, "jobs", &config, &jobs), "jobs");
    must(rialto_queue_create(&region, "results", &config, &results), "results");

    for (size_t i = 0; i < 5; i++)
        must(rialto_queue_push(&jobs, words[i], strlen(words[i])), "push");
    must(rialto_queue_close(&jobs), "close"); /* no more; what is there comes */

    int how, lost = 0;
    while (waitpid(start(work), &how, 0) > 0 && WIFSIGNALED(how))
        lost++; /* one after the other, so that you see which one died */
    must(rialto_queue_close(&results), "close");

    char text[64];
    size_t length;
    int got = 0;
    while (rialto_queue_pop(&results, text, sizeof text, &length, NULL) >= 0)
        printf("%s%.*s", got++ > 0 ? ", " : "", (int)length, text);
    printf("; %d worker lost\n", lost);
    must(rialto_region_detach(&region), "detach");
    return got != 5 || lost != 1;
}
