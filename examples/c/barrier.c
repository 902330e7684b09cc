/* A barrier: parties that go on together. One is killed: the others are told, and not left waiting.
 *
 *   gcc barrier.c $(pkg-config --cflags --libs rialto) -o barrier
 *
 * With pthread_barrier_t they would wait for ever. Then the barrier is reset, with somebody in the dead one's
 * place. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARTIES = 3, PHASES = 5 };

static rialto_region_t region;
static rialto_barrier_t barrier;
static int *arrived; /* in all phases; only by the __atomic builtins */

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

/* Exits with 2 if the barrier breaks. */
static void walk(bool dies)
{
    must(rialto_barrier_register(&barrier), "register"); /* so that our death breaks it wherever we are */
    for (int phase = 1; phase <= PHASES; phase++) {
        uint32_t index;
        if (dies && phase == 3)
            raise(SIGKILL);
        __atomic_add_fetch(arrived, 1, __ATOMIC_SEQ_CST);
        int status = rialto_barrier_wait(&barrier, &index);
        if (status == RIALTO_EBROKEN)
            _exit(2);
        must(status, "wait");
        if (__atomic_load_n(arrived, __ATOMIC_SEQ_CST) < phase * PARTIES)
            _exit(1); /* somebody had not come yet */
    }
    must(rialto_barrier_unregister(&barrier), "unregister"); /* or our end breaks it */
}

static void walk_all(void)
{
    walk(false);
}

static void walk_and_die(void)
{
    walk(true);
}

/* Starts the parties; says how many of them found the barrier broken, died, or came to the end. */
static void march(void (*one)(void), int *broken, int *died, int *ended)
{
    int how;
    *broken = *died = *ended = 0;
    __atomic_store_n(arrived, 0, __ATOMIC_SEQ_CST);
    start(one);
    for (int i = 1; i < PARTIES; i++)
        start(walk_all);
    while (wait(&how) > 0) {
        *died += WIFSIGNALED(how);
        *broken += WIFEXITED(how) && WEXITSTATUS(how) == 2;
        *ended += WIFEXITED(how) && WEXITSTATUS(how) == 0;
    }
}

int main(void)
{
    int broken, died, ended;
    void *raw;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_barrier_create(&region, "barrier", PARTIES, &barrier), "barrier");
    must(rialto_raw_value_create(&region, "arrived", RIALTO_I32, sizeof(int), &raw), "arrived");
    arrived = raw;

    march(walk_and_die, &broken, &died, &ended);
    printf("%d died, %d found the barrier broken", died, broken);
    int wrong = died != 1 || broken != PARTIES - 1;

    must(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, NULL), "recover"); /* all deaths are noticed now */
    must(rialto_barrier_reset(&barrier), "reset");
    march(walk_all, &broken, &died, &ended);
    printf("; after reset %d parties went %d phases together\n", ended, PHASES);
    must(rialto_region_detach(&region), "detach");
    return wrong || ended != PARTIES;
}
