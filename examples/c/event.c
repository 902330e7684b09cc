/* An event: a flag that any number of processes wait for. Here, a starter's gun.
 *
 *   gcc event.c $(pkg-config --cflags --libs rialto) -o event
 *
 * It belongs to nobody, so no death damages it: the process that sets it is killed right afterwards. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNNERS = 3 };

struct track {
    rialto_event_t gun;
    int running; /* only by the __atomic builtins */
};

static struct track *track;

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

static void run(void)
{
    must(rialto_event_wait(&track->gun), "wait");
    __atomic_add_fetch(&track->running, 1, __ATOMIC_SEQ_CST);
}

static void fire_and_die(void)
{
    must(rialto_event_set(&track->gun), "set");
    raise(SIGKILL);
}

int main(void)
{
    track = mmap(NULL, sizeof *track, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (track == MAP_FAILED)
        return 1;
    must(rialto_event_init(&track->gun), "init");

    pid_t runner[RUNNERS];
    for (int i = 0; i < RUNNERS; i++)
        runner[i] = start(run);
    int status = rialto_event_wait_timeout(&track->gun, 50000000); /* 50 ms: nobody fires yet */
    int early = __atomic_load_n(&track->running, __ATOMIC_SEQ_CST);

    waitpid(start(fire_and_die), NULL, 0);
    for (int i = 0; i < RUNNERS; i++)
        waitpid(runner[i], NULL, 0);
    bool is_set;
    must(rialto_event_is_set(&track->gun, &is_set), "is_set");
    int running = __atomic_load_n(&track->running, __ATOMIC_SEQ_CST);
    printf("before: %s, %d running; after: %s, %d running\n", rialto_strerror(status), early,
           is_set ? "set" : "clear", running);
    return status != RIALTO_ETIMEDOUT || early != 0 || !is_set || running != RUNNERS;
}
