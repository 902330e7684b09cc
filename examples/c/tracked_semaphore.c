/* A tracked semaphore: so many at a time, and what a killed holder had comes back by itself.
 *
 *   gcc tracked_semaphore.c $(pkg-config --cflags --libs rialto) -o tracked_semaphore
 *
 * Three seats, six guests, of whom every second dies in its seat. With a sem_t the house would be full of ghosts. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEATS = 3, GUESTS = 6 };

static rialto_region_t region;
static rialto_tracked_semaphore_t seats;
static int *seated, *most, *left; /* only by the __atomic builtins */

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

static void dine(bool dies)
{
    uint64_t seat;
    must(rialto_tracked_semaphore_acquire(&seats, &seat), "acquire");
    if (dies)
        raise(SIGKILL);
    int now = __atomic_add_fetch(seated, 1, __ATOMIC_SEQ_CST), before = __atomic_load_n(most, __ATOMIC_SEQ_CST);
    while (now > before && !__atomic_compare_exchange_n(most, &before, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
    usleep(10000);
    __atomic_sub_fetch(seated, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(left, 1, __ATOMIC_SEQ_CST);
    must(rialto_tracked_semaphore_release(&seats, seat), "release");
}

static void dine_and_go(void)
{
    dine(false);
}

static void dine_and_die(void)
{
    dine(true);
}

int main(void)
{
    void *raw;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_tracked_semaphore_create(&region, "seats", SEATS, &seats), "semaphore");
    must(rialto_raw_array_create(&region, "counts", RIALTO_I32, sizeof(int), 3, &raw), "counts");
    seated = raw;
    most = seated + 1;
    left = seated + 2;

    for (int i = 0; i < GUESTS; i++)
        start(i % 2 == 0 ? dine_and_die : dine_and_go);
    int how, dead = 0;
    while (wait(&how) > 0)
        dead += WIFSIGNALED(how);

    /* Who waits for a permit finds the dead by itself, within a tick. We only look: so, recover first. */
    uint32_t free_seats;
    must(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, NULL), "recover");
    must(rialto_tracked_semaphore_value(&seats, &free_seats), "value");
    printf("%d guests died, %d left, never more than %d seated: %s; %u of %d seats free\n", dead, *left, SEATS,
           *most <= SEATS ? "true" : "false", (unsigned)free_seats, SEATS);
    int wrong = dead != GUESTS / 2 || *left != GUESTS / 2 || *most > SEATS || free_seats != SEATS;
    must(rialto_region_detach(&region), "detach"); /* unmaps it */
    return wrong;
}
