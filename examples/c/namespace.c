/* A namespace: attributes by name, with types. Here, settings that one process changes and another reads.
 *
 *   gcc namespace.c $(pkg-config --cflags --libs rialto) -o namespace
 *
 * Python's Namespace of a manager. The writer is killed holding the lock: what it set stays, and nobody waits. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static rialto_region_t region;
static rialto_namespace_t settings;

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

static void set_and_die(void)
{
    must(rialto_namespace_set_str(&settings, "host", "localhost"), "set_str");
    must(rialto_namespace_set_u64(&settings, "port", 8080), "set_u64");
    must(rialto_namespace_set_f64(&settings, "patience", 2.5), "set_f64");
    must(rialto_namespace_set_bool(&settings, "verbose", true), "set_bool");

    /* Two changes that nobody else's come between; each is whole by itself, so a death may leave the first alone. */
    must(rialto_namespace_acquire(&settings, RIALTO_WAIT_FOREVER), "acquire");
    must(rialto_namespace_set_u64(&settings, "port", 9090), "set_u64");
    raise(SIGKILL);
}

int main(void)
{
    char host[32];
    size_t length, count;
    uint64_t port;
    double patience;
    bool verbose;
    rialto_region_config_t usual;
    must(rialto_region_config_default(&usual), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &usual), "region");
    /* Up to 8 attributes, names of up to 15 bytes, strings of up to 31. */
    must(rialto_namespace_create(&region, "settings", 8, 15, sizeof host - 1, RIALTO_WAIT_FOREVER, &settings),
         "namespace");
    waitpid(start(set_and_die), NULL, 0);

    must(rialto_namespace_get_str(&settings, "host", host, sizeof host, &length), "host");
    must(rialto_namespace_get_u64(&settings, "port", &port), "port");
    must(rialto_namespace_get_f64(&settings, "patience", &patience), "patience");
    must(rialto_namespace_get_bool(&settings, "verbose", &verbose), "verbose");
    printf("host %s, port %d, patience %.1f, verbose %s\n", host, (int)port, patience, verbose ? "true" : "false");

    /* Types are checked, and names. */
    int64_t number;
    int wrong = rialto_namespace_get_i64(&settings, "host", &number);
    int none = rialto_namespace_get_i64(&settings, "colour", &number);
    must(rialto_namespace_set_i64(&settings, "port", -1), "set_i64"); /* whatever it was; the dead one's lock is free */
    must(rialto_namespace_remove(&settings, "verbose"), "remove");
    must(rialto_namespace_len(&settings, &count), "len");
    printf("host as a number: %s; colour: %s; %d attributes left\n",
           wrong == RIALTO_EWRONGKIND ? "RIALTO_EWRONGKIND" : rialto_strerror(wrong),
           none == RIALTO_ENOENT ? "RIALTO_ENOENT" : rialto_strerror(none), (int)count);
    must(rialto_region_detach(&region), "detach");
    return port != 9090 || !verbose || wrong != RIALTO_EWRONGKIND || none != RIALTO_ENOENT || count != 3;
}
