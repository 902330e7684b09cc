/* A lock between processes, in your own structure; one holder is killed, and the next is told and repairs.
 *
 *   gcc lock.c $(pkg-config --cflags --libs rialto) -o lock
 *
 * The lock lies beside what it protects, in any memory that the processes share. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, ROUNDS = 10000, MONEY = 100 };

struct bank {
    rialto_lock_t lock;
    int left, right; /* under the lock: together always MONEY */
    long rounds;     /* under the lock */
};

static struct bank *bank;

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

static void count(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        must(rialto_lock_acquire(&bank->lock), "acquire");
        bank->rounds++;
        must(rialto_lock_release(&bank->lock), "release");
    }
}

static void die_in_the_middle(void)
{
    must(rialto_lock_acquire(&bank->lock), "acquire");
    bank->left -= 40;
    raise(SIGKILL); /* it never comes to bank->right += 40, nor to release */
}

int main(void)
{
    bank = mmap(NULL, sizeof *bank, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bank == MAP_FAILED)
        return 1;
    must(rialto_lock_init(&bank->lock), "init");
    bank->left = MONEY;

    pid_t child[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        child[i] = start(count);
    for (int i = 0; i < CHILDREN; i++)
        waitpid(child[i], NULL, 0);
    printf("%d x %d rounds: %ld\n", CHILDREN, ROUNDS, bank->rounds);

    waitpid(start(die_in_the_middle), NULL, 0);
    int found = 0;
    /* The lock is ours in both cases. Released without mark_consistent, it would be nobody's any more. */
    if (must(rialto_lock_acquire(&bank->lock), "acquire") == RIALTO_OWNER_DIED) {
        found = bank->left + bank->right;
        bank->right = MONEY - bank->left;
        must(rialto_lock_mark_consistent(&bank->lock), "mark_consistent");
    }
    must(rialto_lock_release(&bank->lock), "release");

    int next = must(rialto_lock_acquire(&bank->lock), "acquire");
    printf("owner died: found %d, repaired to %d; next owner: %s\n", found, bank->left + bank->right,
           rialto_strerror(next));
    must(rialto_lock_release(&bank->lock), "release");
    return bank->rounds != (long)CHILDREN * ROUNDS || found != 60 || next != RIALTO_OK;
}
