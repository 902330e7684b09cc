/* A queue in an event loop: one process polls it with epoll, beside its other descriptors, another pushes.
 *
 *   gcc epoll.c $(pkg-config --cflags --libs rialto) -o epoll
 *   ./epoll
 *
 * The parent makes an eventfd, the child has it by fork (or by SCM_RIGHTS, if it is another program) and
 * tells it to its view of the queue. Each loop: take what is there, arm, sleep in epoll_wait. The first
 * child is killed; its successor goes on. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 20, HALF = MESSAGES / 2 };

static rialto_region_t region;
static rialto_queue_t queue;

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "epoll: %s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

/* Pushes messages, and signals `fd` after each, but only if the parent has armed. */
static pid_t producer(int fd, int first, int last)
{
    pid_t child = fork();
    if (child < 0) {
        perror("epoll: fork");
        exit(1);
    }
    if (child > 0)
        return child;
    must(rialto_queue_set_data_fd(&queue, fd), "set_data_fd");
    for (int i = first; i <= last; i++) {
        must(rialto_queue_push(&queue, &i, sizeof i), "push");
        usleep(5000);
    }
    while (last < MESSAGES) /* the first producer: it hangs, until it is killed */
        pause();
    must(rialto_queue_close(&queue), "close");
    _exit(0);
}

/* Takes all messages that are there now. False: there will be none any more. */
static bool drain(int *next)
{
    int status, number;
    size_t length;
    while ((status = rialto_queue_try_pop(&queue, &number, sizeof number, &length, NULL)) >= 0)
        if (length == sizeof number && number == *next)
            ++*next;
    if (status != RIALTO_EAGAIN && status != RIALTO_EPIPE)
        must(status, "pop");
    return status != RIALTO_EPIPE;
}

int main(void)
{
    rialto_region_config_t region_config;
    rialto_queue_config_t config;
    uint64_t tick_ns, now, next_tick, signals, wakes = 0, ticks = 0;
    bool is_ready, killed = false;
    int next = 1, how;

    must(rialto_region_config_default(&region_config), "region config");
    must(rialto_queue_config_default(16, sizeof(int), &config), "queue config");
    must(rialto_region_create_memfd(&region, 1 << 17, &region_config), "region");
    must(rialto_queue_create(&region, "events", &config, &queue), "queue");
    must(rialto_queue_tick_ns(&queue, &tick_ns), "tick");

    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return 1;

    must(rialto_now_ns(&now), "clock");
    next_tick = now + tick_ns;
    pid_t child = producer(fd, 1, HALF);
    while (drain(&next)) {
        if (!killed && next > HALF) {
            kill(child, SIGKILL); /* our own child, wherever it is */
            waitpid(child, NULL, 0);
            killed = true;
            child = 0;
        }
        must(rialto_now_ns(&now), "clock");
        if (now < next_tick) {
            /* From now on a message is signalled. If one came meanwhile, take it first. */
            must(rialto_queue_arm_data(&queue, &is_ready), "arm");
        } else {
            /* At each tick, look whoever signals: a producer killed between its push and its signal leaves
             * us asleep, and a killed consumer's message comes back silently. */
            must(rialto_queue_recheck_data(&queue, &is_ready), "recheck"); /* arms, too */
            next_tick = now + tick_ns;
            ticks++;
            if (killed && child == 0)
                child = producer(fd, HALF + 1, MESSAGES);
        }
        if (is_ready)
            continue;
        if (epoll_wait(epoll, &event, 1, (int)((next_tick - now) / 1000000) + 1) > 0 &&
            read(fd, &signals, sizeof signals) == sizeof signals)
            wakes++;
    }
    if (waitpid(child, &how, 0) != child || how != 0)
        return 1;
    printf("%d messages in order, one producer killed, %s\n", next - 1,
           wakes > 0 && ticks > 0 ? "by signals and by the tick" : "but nobody slept");
    close(epoll);
    close(fd);
    must(rialto_region_detach(&region), "detach");
    return next - 1 == MESSAGES ? 0 : 1;
}
