/* What the C test programs share: checks that say where and why, a watchdog, and forks that are waited
 * for. Includes only libc, and rialto.h for the texts. */
#ifndef CHECK_H
#define CHECK_H

#include <rialto.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Fails unless `condition` holds. */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);               \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

/* Fails unless `call` returns `status`. */
#define EXPECT(call, status) expect((call), (status), #call, __FILE__, __LINE__)

static inline void expect(int got, int wanted, const char *call, const char *file, int line)
{
    if (got != wanted) {
        fprintf(stderr, "%s:%d: %s\n  is %d (%s), wanted %d (%s)\n", file, line, call, got,
                rialto_strerror(got), wanted, rialto_strerror(wanted));
        exit(1);
    }
}

/* A test that takes longer is ended by SIGALRM; so are the children, which inherit no alarm. Under a slow checker the
 * environment asks for more patience, see ffi-tests/src/lib.rs. */
static inline void watchdog(void)
{
    const char *factor = getenv("RIALTO_C_PATIENCE");
    alarm(60 * (factor ? (unsigned)atoi(factor) : 1));
}

/* Forks. In the child returns 0, with a watchdog of its own; what it has printed is flushed first. */
static inline pid_t spawn(void)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        watchdog();
    return pid;
}

/* Waits for a child that must have ended with exit(0). */
static inline void reap(pid_t pid)
{
    int how;
    CHECK(waitpid(pid, &how, 0) == pid);
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

/* Kills a child of ours with SIGKILL and waits until it is gone. */
static inline void slay(pid_t pid)
{
    int how;
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &how, 0) == pid);
    CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

/* Tells the test that started us, by a line, how far we have come. */
static inline void say(const char *word)
{
    puts(word);
    fflush(stdout);
}

/* A pipe through which one process tells another that it has come so far. */
struct gate {
    int ends[2];
};

static inline void gate_make(struct gate *gate)
{
    CHECK(pipe(gate->ends) == 0);
}

static inline void gate_open(struct gate *gate)
{
    CHECK(write(gate->ends[1], "x", 1) == 1);
}

static inline void gate_pass(struct gate *gate)
{
    char byte;
    CHECK(read(gate->ends[0], &byte, 1) == 1);
}

static inline void doze(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

#define MS UINT64_C(1000000)

#endif
