/* A region: memory that several processes see, with objects in it by name. Programs meet in it, whoever is first.
 *
 *   gcc region.c $(pkg-config --cflags --libs rialto) -o region
 *
 * Here a named one, in /dev/shm; rialto_region_create_memfd has no name, rialto_region_create_anonymous is for
 * children only, and rialto_region_init makes one in memory that you mapped yourself. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];

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

/* What each program does: create or attach, and so for each object. If another is killed between the two, the
 * region is there and whole, or not there. */
static void meet(rialto_region_t *region, rialto_lock_t **lock, rialto_queue_t *queue)
{
    rialto_region_config_t usual;
    rialto_queue_config_t config;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_queue_config_default(64, 64, &config), "queue config");
    int status = rialto_region_create_named(region, name, 1 << 18, &usual);
    if (status == RIALTO_EEXIST)
        status = rialto_region_attach_named(region, name);
    must(status, "region");
    must(rialto_lock_open_or_create(region, "lock", lock), "lock");
    must(rialto_queue_open_or_create(region, "queue", &config, queue), "queue");
}

static void come_and_die(void)
{
    rialto_region_t region;
    rialto_lock_t *lock;
    rialto_queue_t queue;
    meet(&region, &lock, &queue);
    must(rialto_queue_push(&queue, "hello", 5), "push");
    raise(SIGKILL);
}

int main(void)
{
    rialto_region_t region; /* a view: it must not move while it is alive */
    rialto_lock_t *lock;
    rialto_queue_t queue;
    rialto_space_t space;
    rialto_object_info_t info;
    char text[64];
    size_t length;
    snprintf(name, sizeof name, "rialto-region-example-%ld", (long)getpid());
    pid_t child[3];
    for (int i = 0; i < 3; i++) /* all at once: one of them creates, and each object is created once */
        child[i] = start(come_and_die);
    for (int i = 0; i < 3; i++)
        waitpid(child[i], NULL, 0);

    meet(&region, &lock, &queue);
    must(rialto_region_unlink_named(name), "unlink"); /* the memory lives as long as somebody is attached */
    int hellos = 0, objects = 0;
    while (rialto_queue_try_pop(&queue, text, sizeof text, &length, NULL) >= 0)
        hellos += length == 5 && memcmp(text, "hello", 5) == 0;
    printf("%d hellos of the dead; objects:", hellos);
    for (uint32_t at = 0; rialto_region_next_object(&region, &at, &info) == RIALTO_OK; objects++)
        printf(" %s (kind %u, %u user)", (const char *)info.name, (unsigned)info.kind, (unsigned)info.users);

    must(rialto_region_space(&region, &space), "space");
    uint64_t used = space.used;
    must(rialto_region_remove(&region, "queue"), "remove"); /* refused while others use it; `queue` is over */
    must(rialto_region_space(&region, &space), "space");
    printf("; removing the queue freed %s\n", space.used < used ? "its room" : "nothing");
    must(rialto_region_detach(&region), "detach");
    return hellos != 3 || objects != 2 || space.used >= used;
}
