/* A recursive lock: functions that hold it call each other. A holder is killed three calls deep.
 *
 *   gcc rlock.c $(pkg-config --cflags --libs rialto) -o rlock
 *
 * It is released as often as it was acquired; only then others may have it. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct journal {
    rialto_rlock_t lock;
    int begun, ended; /* under the lock: entries; equal while nobody holds it */
};

static struct journal *journal;

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

/* One entry, and within it, `more` others. */
static void enter(int more, bool die)
{
    must(rialto_rlock_acquire(&journal->lock), "acquire");
    journal->begun++;
    if (more > 0)
        enter(more - 1, die);
    else if (die)
        raise(SIGKILL);
    journal->ended++;
    must(rialto_rlock_release(&journal->lock), "release");
}

static void write_entries(void)
{
    enter(2, false);
}

static void die_three_deep(void)
{
    enter(2, true);
}

int main(void)
{
    journal = mmap(NULL, sizeof *journal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (journal == MAP_FAILED)
        return 1;
    must(rialto_rlock_init(&journal->lock), "init");
    waitpid(start(write_entries), NULL, 0);
    waitpid(start(die_three_deep), NULL, 0);

    int status = must(rialto_rlock_acquire(&journal->lock), "acquire");
    uint32_t times;
    must(rialto_rlock_recursion(&journal->lock, &times), "recursion");
    printf("%s: %d begun, %d ended; we hold it %u time\n", rialto_strerror(status), journal->begun, journal->ended,
           (unsigned)times);
    int torn = journal->begun - journal->ended;
    if (status == RIALTO_OWNER_DIED) {
        journal->begun = journal->ended;
        must(rialto_rlock_mark_consistent(&journal->lock), "mark_consistent");
    }
    enter(0, false); /* again, while we hold it */
    must(rialto_rlock_release(&journal->lock), "release");
    printf("after repair: %d begun, %d ended\n", journal->begun, journal->ended);
    return torn != 3 || times != 1 || journal->ended != 4;
}
