/* Processes: started with bytes and a descriptor, waited for, killed. They run functions of this program, which main()
 * lists first of all.
 *
 *   gcc process.c $(pkg-config --cflags --libs rialto) -o process
 *
 * A daemon would be killed if this process ended first, however that ends. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
    return status;
}

/* Counts words, and says so through the descriptor that it was passed. */
static int count(const rialto_child_t *child, void *context)
{
    const char *text = child->args;
    int words = 1;
    (void)context;
    for (size_t i = 0; i < child->args_bytes; i++)
        words += text[i] == ' ';
    dprintf(child->fds[0], "%s counted %d words\n", child->name, words);
    return words;
}

static int sleep_long(const rialto_child_t *child, void *context)
{
    (void)child, (void)context;
    for (;;)
        pause();
    return 0;
}

static const rialto_entry_t entries[] = {{"count", count, NULL}, {"sleep", sleep_long, NULL}};

int main(void)
{
    rialto_process_config_t config;
    rialto_process_t counter, sleeper;
    int32_t words, how;
    int out = STDOUT_FILENO, status;

    must(rialto_process_main(entries, 2), "main"); /* a child ends in here */
    must(rialto_process_config_default(&config), "config");
    config.name = "Counter-1";
    config.args = "what a child is told";
    config.args_bytes = 20;
    config.fds = &out;
    config.fd_count = 1;
    must(rialto_process_start("count", &config, &counter), "start");
    must(rialto_process_join(&counter, &words), "join");
    must(rialto_process_close(&counter), "close");

    must(rialto_process_config_default(&config), "config");
    config.flags = RIALTO_PROCESS_DAEMON;
    must(rialto_process_start("sleep", &config, &sleeper), "start");
    status = rialto_process_join_timeout(&sleeper, 10000000, &how);
    if (status != RIALTO_ETIMEDOUT)
        return 1;
    must(rialto_process_kill(&sleeper), "kill");
    must(rialto_process_join(&sleeper, &how), "join");
    must(rialto_process_close(&sleeper), "close");
    printf("exit code %d; killed by signal %d\n", (int)words, (int)-how);
    return how != -SIGKILL;
}
