/* A condition: wait until what a lock protects is as you need it. One of those who change it is killed.
 *
 *   gcc condition.c $(pkg-config --cflags --libs rialto) -o condition
 *
 * wait_for asks a predicate, under the lock, at once and after each notification; the lock is held again when it
 * returns. If its last owner died, we are told so, as by acquire. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 1000 };

struct shop {
    rialto_lock_t lock;
    rialto_condition_t changed;
    int stock, sold, delivered; /* under the lock: stock + sold == delivered */
};

static struct shop *shop;

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

static void deliver(void)
{
    for (int i = 0; i < ITEMS; i++) {
        must(rialto_lock_acquire(&shop->lock), "acquire");
        shop->delivered++;
        shop->stock++;
        must(rialto_lock_release(&shop->lock), "release");
        must(rialto_condition_notify(&shop->changed, 1), "notify");
    }
}

static void deliver_half_and_die(void)
{
    must(rialto_lock_acquire(&shop->lock), "acquire");
    shop->delivered++;
    must(rialto_condition_notify(&shop->changed, 1), "notify");
    raise(SIGKILL); /* it is on the bill, and not in stock */
}

static bool is_in_stock(void *ignored)
{
    (void)ignored;
    return shop->stock > 0;
}

int main(void)
{
    shop = mmap(NULL, sizeof *shop, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shop == MAP_FAILED)
        return 1;
    must(rialto_lock_init(&shop->lock), "init");
    must(rialto_condition_init(&shop->changed), "init");

    pid_t first = start(deliver), second = 0;
    int deaths = 0;
    must(rialto_lock_acquire(&shop->lock), "acquire");
    while (deaths == 0) {
        int status = must(rialto_condition_wait_for(&shop->changed, &shop->lock, is_in_stock, NULL), "wait_for");
        if (status == RIALTO_OWNER_DIED) { /* repair before anything else; it need not be in stock */
            shop->delivered = shop->stock + shop->sold;
            must(rialto_lock_mark_consistent(&shop->lock), "mark_consistent");
            deaths++;
            continue;
        }
        shop->stock--;
        if (++shop->sold == ITEMS)
            second = start(deliver_half_and_die); /* it gets the lock when we wait */
    }
    printf("%d sold, %d deaths, %d delivered\n", shop->sold, deaths, shop->delivered);
    must(rialto_lock_release(&shop->lock), "release");
    waitpid(first, NULL, 0);
    waitpid(second, NULL, 0);
    return shop->sold != ITEMS || deaths != 1 || shop->delivered != ITEMS;
}
