/* A joinable queue: wait until all work that was given out is done, whoever dies at it.
 *
 *   gcc joinable.c $(pkg-config --cflags --libs rialto) -o joinable
 *
 * A popped task stays in hand until rialto_queue_task_done. Python's JoinableQueue; there, join waits for ever
 * for what a killed worker had. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 100, WORKERS = 3 };

static rialto_region_t region;
static rialto_queue_t tasks;
static int *done; /* per task, how often; only by the __atomic builtins */

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

static void work(bool dies)
{
    int task;
    size_t length;
    uint32_t attempt;
    rialto_ticket_t ticket;
    while (must(rialto_queue_pop_ticket(&tasks, &task, sizeof task, &length, &attempt, &ticket), "pop") >= 0) {
        if (dies)
            raise(SIGKILL); /* the task is not done: another worker gets it */
        __atomic_add_fetch(&done[task], 1, __ATOMIC_RELAXED);
        must(rialto_queue_task_done(&tasks, &ticket), "task_done");
    }
}

static void work_for_ever(void)
{
    work(false);
}

static void die_at_the_first(void)
{
    work(true);
}

int main(void)
{
    rialto_queue_config_t config;
    void *raw;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_queue_config_default(TASKS, sizeof(int), &config), "queue config");
    config.flags = RIALTO_QUEUE_JOINABLE;
    must(rialto_queue_create(&region, "tasks", &config, &tasks), "queue");
    must(rialto_raw_array_create(&region, "done", RIALTO_I32, sizeof(int), TASKS, &raw), "done");
    done = raw;

    for (int i = 0; i < TASKS; i++)
        must(rialto_queue_push(&tasks, &i, sizeof i), "push");
    waitpid(start(die_at_the_first), NULL, 0);
    size_t before, after;
    must(rialto_queue_unfinished(&tasks, &before), "unfinished");

    pid_t worker[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        worker[i] = start(work_for_ever);
    must(rialto_queue_join(&tasks), "join");
    must(rialto_queue_unfinished(&tasks, &after), "unfinished");

    int once = 0;
    for (int i = 0; i < TASKS; i++)
        once += __atomic_load_n(&done[i], __ATOMIC_RELAXED) == 1;
    printf("%d unfinished after a worker's death, %d after join; %d of %d tasks done once\n", (int)before, (int)after,
           once, TASKS);
    for (int i = 0; i < WORKERS; i++) { /* they wait for more; nothing of ours breaks if they are killed */
        kill(worker[i], SIGKILL);
        waitpid(worker[i], NULL, 0);
    }
    must(rialto_region_detach(&region), "detach");
    return before != TASKS || after != 0 || once != TASKS;
}
