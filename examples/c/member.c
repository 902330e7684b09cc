/* A membership of your own, for thread pools: whose death gives back what is in hand.
 *
 *   gcc member.c $(pkg-config --cflags --libs rialto) -pthread -o member
 *
 * Usually each thread is a member by itself, from its first use of a queue: when the thread ends, others get what it
 * had in hand. With a member made by rialto_region_join it is the joining thread that counts, and any thread acts
 * for it. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static rialto_region_t region;
static rialto_queue_t queue, as_member;
static rialto_peeked_t job;

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

/* A thread of the pool: takes a message, by the view that it is given, and ends with it in hand. */
static void *take(void *view)
{
    must(rialto_queue_peek(view, &job), "peek");
    return NULL;
}

static void in_a_thread(void *(*role)(void *), rialto_queue_t *view)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, role, view) != 0 || pthread_join(thread, NULL) != 0)
        exit(1);
}

/* A process that joins, and is killed: all that its member had is somebody else's. */
static void join_and_die(void)
{
    rialto_member_t member;
    must(rialto_region_join(&region, &member), "join");
    must(rialto_queue_as_member(&queue, &member, &as_member), "as_member");
    in_a_thread(take, &as_member);
    raise(SIGKILL);
}

int main(void)
{
    rialto_queue_config_t config;
    rialto_member_t member;
    rialto_recovered_t killed, ended, alive;
    uint32_t attempt;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_queue_config_default(4, 16, &config), "queue config");
    must(rialto_queue_create(&region, "queue", &config, &queue), "queue");
    must(rialto_queue_push(&queue, "job", 3), "push");

    waitpid(start(join_and_die), NULL, 0);
    must(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &killed), "recover");

    in_a_thread(take, &queue); /* as its own member, which is gone with the thread */
    must(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &ended), "recover");
    must(rialto_peeked_release(&job), "release"); /* the view is over; the message is not ours any more */

    must(rialto_region_join(&region, &member), "join");
    must(rialto_queue_as_member(&queue, &member, &as_member), "as_member");
    in_a_thread(take, &as_member); /* as ours */
    must(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, &alive), "recover");
    must(rialto_peeked_attempt(&job, &attempt), "attempt");
    must(rialto_peeked_release(&job), "release"); /* by another thread than the one that took it */
    must(rialto_member_leave(&member), "leave");

    printf("given back: %u by a killed process, %u by an ended thread, %u by a thread that acted for us; attempt %u\n",
           (unsigned)killed.redelivered, (unsigned)ended.redelivered, (unsigned)alive.redelivered, (unsigned)attempt);
    bool is_empty;
    must(rialto_queue_is_empty(&queue, &is_empty), "is_empty");
    must(rialto_region_detach(&region), "detach");
    return killed.redelivered != 1 || alive.redelivered != 0 || attempt != 2 || !is_empty;
}
