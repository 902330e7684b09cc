/* A pool: workers that divide tasks, and are replaced when they die. Here, one task kills whoever has it in hand.
 *
 *   gcc pool.c $(pkg-config --cflags --libs rialto) -o pool
 *
 * The workers run this program, too: main() lists their entry first of all. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2, WORDS = 4 };

static rialto_region_t region;

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

static int shout(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    const char *text = task;
    (void)context;
    if (task_bytes == 4 && memcmp(text, "evil", 4) == 0)
        raise(SIGKILL);
    for (size_t i = 0; i < task_bytes; i++) {
        char letter = (char)toupper((unsigned char)text[i]);
        rialto_output_write(output, &letter, 1);
    }
    return 0;
}

/* In the workers. */
static int work(const rialto_child_t *child, void *context)
{
    static const rialto_function_t functions[] = {{"shout", shout, NULL}};
    (void)context;
    must(rialto_region_attach_fd(&region, child->fds[0]), "attach");
    must(rialto_pool_work(child->args, child->args_bytes, &region, functions, 1), "work");
    return 0;
}

static const rialto_entry_t entries[] = {{"work", work, NULL}};

/* Starts a worker, now or instead of a dead one. */
static int start(const void *args, size_t args_bytes, rialto_process_t *process, void *context)
{
    rialto_process_config_t config;
    int fd;
    (void)context;
    must(rialto_region_fd(&region, &fd), "fd");
    must(rialto_process_config_default(&config), "config");
    config.args = args;
    config.args_bytes = args_bytes;
    config.fds = &fd;
    config.fd_count = 1;
    config.flags = RIALTO_PROCESS_DAEMON;
    return rialto_process_start("work", &config, process);
}

static void print(const rialto_report_t *report, void *context)
{
    const char *const *words = context;
    if (report->outcome == RIALTO_TASK_DONE)
        printf("%s: %.*s\n", words[report->task], (int)report->result_bytes, (const char *)report->result);
    else
        printf("%s: %u workers died of it\n", words[report->task], (unsigned)report->attempt);
}

int main(void)
{
    static const char *words[WORDS] = {"one", "two", "evil", "three"};
    rialto_message_t items[WORDS];
    rialto_region_config_t sizes;
    rialto_pool_config_t config;
    rialto_pool_t pool;

    must(rialto_process_main(entries, 1), "main"); /* a worker ends in here */
    must(rialto_region_config_default(&sizes), "config");
    must(rialto_region_create_memfd(&region, 1 << 20, &sizes), "region");
    must(rialto_pool_config_default(WORKERS, &config), "config");
    must(rialto_pool_create(&region, "shouters", &config, start, NULL, &pool), "pool");
    for (int i = 0; i < WORDS; i++) {
        items[i].bytes = words[i];
        items[i].length_bytes = strlen(words[i]);
    }
    must(rialto_pool_map(&pool, "shout", items, WORDS, 1, true, print, words), "map");
    must(rialto_pool_end(&pool), "end");
    must(rialto_region_detach(&region), "detach");
    return 0;
}
