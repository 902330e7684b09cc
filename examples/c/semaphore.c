/* A plain semaphore, for signals that count: one process releases, another acquires.
 *
 *   gcc semaphore.c $(pkg-config --cflags --libs rialto) -o semaphore
 *
 * A permit belongs to nobody. So who is killed with one takes it along; where that must not be, see
 * tracked_semaphore.c. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 1000 };

struct shared {
    rialto_semaphore_t signals; /* how many there are to take */
    rialto_semaphore_t rooms;   /* two, and never more */
};

static struct shared *shared;

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

static void send(void)
{
    for (int i = 0; i < SIGNALS; i += 10)
        must(rialto_semaphore_release_many(&shared->signals, 10), "release_many");
}

static void die_in_a_room(void)
{
    must(rialto_semaphore_acquire(&shared->rooms), "acquire");
    raise(SIGKILL);
}

int main(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    must(rialto_semaphore_init(&shared->signals, 0), "init");
    must(rialto_semaphore_init_bounded(&shared->rooms, 2), "init_bounded");

    pid_t sender = start(send);
    int taken = 0;
    while (taken < SIGNALS) {
        must(rialto_semaphore_acquire(&shared->signals), "acquire");
        taken++;
    }
    waitpid(sender, NULL, 0);
    int more = rialto_semaphore_try_acquire(&shared->signals);
    printf("%d signals taken; one more? %s\n", taken, rialto_strerror(more));

    waitpid(start(die_in_a_room), NULL, 0);
    uint32_t left;
    must(rialto_semaphore_value(&shared->rooms, &left), "value");
    /* Nobody but you can know that its permit was lost. */
    must(rialto_semaphore_release(&shared->rooms), "release");
    int third = rialto_semaphore_release(&shared->rooms);
    printf("a holder died: %u of 2 left; put back; and another? %s\n", (unsigned)left, rialto_strerror(third));
    return more != RIALTO_EAGAIN || left != 1 || third != RIALTO_EOVERFLOW;
}
