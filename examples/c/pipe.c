/* A pipe: two ends that send each other messages. When one dies, the other is told, and not left waiting.
 *
 *   gcc pipe.c $(pkg-config --cflags --libs rialto) -o pipe
 *
 * Here end 0 asks and end 1 answers. An end is claimed once: a new pair of processes takes a new pipe. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static rialto_region_t region;
static rialto_pipe_t pipes; /* one pipe, two ends */

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

/* Squares numbers; dies of 13, after an answer that nobody has read yet. */
static void answer(void)
{
    rialto_connection_t end;
    int number;
    size_t length;
    must(rialto_pipe_connect(&pipes, 1, &end), "connect");
    while (rialto_connection_recv(&end, &number, sizeof number, &length) >= 0) {
        int square = number * number;
        must(rialto_connection_send(&end, &square, sizeof square), "send");
        if (number == 13)
            raise(SIGKILL);
    }
}

int main(void)
{
    rialto_pipe_config_t config;
    rialto_connection_t end;
    int right = 0, square, status;
    size_t length;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    must(rialto_pipe_config_default(4096, &config), "pipe config"); /* duplex */
    must(rialto_pipe_create(&region, "questions", &config, &pipes), "pipe");
    pid_t child = start(answer);
    must(rialto_pipe_connect(&pipes, 0, &end), "connect"); /* after the fork: it is this process's own */

    for (int i = 1; i <= 12; i++) {
        must(rialto_connection_send(&end, &i, sizeof i), "send");
        must(rialto_connection_recv(&end, &square, sizeof square, &length), "recv");
        right += length == sizeof square && square == i * i;
    }
    int thirteen = 13;
    must(rialto_connection_send(&end, &thirteen, sizeof thirteen), "send");
    waitpid(child, NULL, 0);

    /* What it sent whole comes; then the end of the stream. */
    must(rialto_connection_recv(&end, &square, sizeof square, &length), "recv");
    status = rialto_connection_recv(&end, &square, sizeof square, &length);
    int sent = rialto_connection_send(&end, &thirteen, sizeof thirteen);
    printf("%d right, and %d from the dead; then recv: %s; send: %s\n", right, square,
           status == RIALTO_EPIPE ? "RIALTO_EPIPE" : rialto_strerror(status),
           sent == RIALTO_ECONNRESET ? "RIALTO_ECONNRESET" : rialto_strerror(sent));
    must(rialto_connection_close(&end), "close");
    must(rialto_region_detach(&region), "detach");
    return right != 12 || square != 169 || status != RIALTO_EPIPE || sent != RIALTO_ECONNRESET;
}
