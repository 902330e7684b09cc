/* A crash-isolated pool of workers around a parser of untrusted input.
 *
 *   gcc -O2 parserpool.c $(pkg-config --cflags --libs rialto) -o parserpool
 *
 *   ./parserpool             1000 inputs; some are malformed, and three of them crash the parser
 *   ./parserpool --kill      and workers are killed with SIGKILL, wherever they are
 *
 * The parser has a bug: a certain input makes it read far outside its memory. It runs in worker processes:
 *
 *   parent --- inputs ---> worker: peek, parse, push the result, release --- results ---> parent
 *
 * - A worker that dies is replaced. Its input was in its hand, so another worker gets it, marked.
 * - An input that so many workers died of is set aside by the queue; the parent takes it out and reports it.
 * - A worker that is killed between push and release leaves a result, and its input comes again: the parent drops
 *   the second result of an input. So each input gets one answer.
 *
 * A worker that goes wild can write into the region, too. What the parent finds there is input: its calls may fail
 * then, and results be wrong, but it does not crash. Or give each worker a region of its own. */
#define _GNU_SOURCE 1
#include <rialto.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who kills workers needs patience with inputs: they are not to blame for each death. */
enum { INPUTS = 1000, WORKERS = 4, DEATHS = 3, PATIENCE = 20, MOST = 64, KILL_EVERY = 25 };

struct input {
    uint32_t id;
    unsigned char bytes[MOST];
};

struct result {
    uint32_t id;
    int32_t status; /* 0, or -1: malformed */
    int64_t sum;
};

static rialto_region_t region;
static rialto_queue_t inputs, results;
static bool kills; /* --kill */

static void must(int status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, rialto_strerror(status));
    exit(1);
}

/* ---- The parser. Records of type, length, body; 'm', a measurement, is a unit and a number, big-endian. ---- */

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const int64_t millimetres[] = {1, 10, 1000, 1000000};

/* The sum of all measurements in millimetres. -1: malformed. */
static int parse(const unsigned char *at, size_t length, int64_t *sum)
{
    const unsigned char *end = at + length;
    *sum = 0;
    while (at < end) {
        if (end - at < 2 || end - at - 2 < at[1])
            return -1; /* cut off */
        if (at[0] == 'm') {
            if (at[1] != 8)
                return -1;
            /* THE BUG: who says that there is such a unit? */
            *sum += millimetres[big_endian(at + 2)] * big_endian(at + 6);
        } /* others are skipped: names, comments */
        at += 2 + at[1];
    }
    return 0;
}

/* ---- The worker. ---- */

static void work(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* In earnest: give up all rights here (seccomp, namespaces), and limit memory and time. */
    rialto_peeked_t job;
    struct input input;
    struct result result;
    int status;
    while ((status = rialto_queue_peek(&inputs, &job)) >= 0) {
        size_t length;
        must(rialto_peeked_copy(&job, &input, sizeof input, &length), "copy");
        if (length < sizeof input.id)
            exit(1); /* the parent does not send that: the region is damaged */
        result.id = input.id;
        result.status = parse(input.bytes, length - sizeof input.id, &result.sum); /* we may die in here */
        must(rialto_queue_push(&results, &result, sizeof result), "push");
        if (kills && result.id % 200 == 77 && status == RIALTO_OK)
            raise(SIGKILL); /* the worst moment: the result is out, and the input is still in our hand */
        must(rialto_peeked_release(&job), "release");
    }
    if (status != RIALTO_EPIPE)
        must(status, "peek");
    _exit(0);
}

static pid_t start_worker(void)
{
    pid_t child = fork();
    if (child == 0)
        work();
    if (child < 0)
        abort();
    return child;
}

/* ---- The parent. ---- */

static size_t add(unsigned char *to, uint32_t unit, uint32_t number)
{
    memcpy(to, "m\10", 2);
    for (int i = 0; i < 4; i++) {
        to[2 + i] = (unsigned char)(unit >> (24 - 8 * i));
        to[6 + i] = (unsigned char)(number >> (24 - 8 * i));
    }
    return 10;
}

/* Makes an input up, and what its answer must be. Its length. */
static size_t make(uint32_t id, struct input *input, struct result *right)
{
    size_t length = 6;
    memset(right, 0, sizeof *right);
    input->id = right->id = id;
    memcpy(input->bytes, "c\4test", length); /* a comment */
    for (uint32_t i = 0; i < 1 + id % 5; i++) {
        length += add(input->bytes + length, i % 4, id * i);
        right->sum += millimetres[i % 4] * (int64_t)(id * i);
    }
    if (id % 333 == 250)
        add(input->bytes + length - 10, 0x10000000, 1); /* a unit that there is not */
    else if (id % 100 == 10)
        right->status = -1, length--; /* cut off */
    return sizeof input->id + length;
}

static enum { OPEN, ANSWERED, QUARANTINED } state[INPUTS];
static int parsed, refused, quarantined, doubles, wrong, lost, killed;
static pid_t worker[WORKERS];

/* Takes one result, if there is any within 10 ms. */
static void take_result(void)
{
    struct result result, right;
    struct input input;
    size_t length;
    int status = rialto_queue_pop_timeout(&results, &result, sizeof result, 10000000, &length, NULL);
    if (status == RIALTO_ETIMEDOUT)
        return;
    must(status, "pop");
    if (length != sizeof result || result.id >= INPUTS) { /* what a worker says is not to be believed */
        wrong++;
    } else if (state[result.id] != OPEN) {
        doubles++;
    } else {
        state[result.id] = ANSWERED;
        *(result.status == 0 ? &parsed : &refused) += 1;
        make(result.id, &input, &right);
        wrong += result.status != right.status || (result.status == 0 && result.sum != right.sum);
    }
}

static void replace_dead_workers(void)
{
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {
        lost++;
        for (int i = 0; i < WORKERS; i++)
            if (worker[i] == ended)
                worker[i] = start_worker();
        /* Who waits for an input finds the dead by itself, within a tick. We know already: */
        must(rialto_region_recover(&region, RIALTO_RECOVER_THOROUGH, NULL), "recover");
    }
}

static void quarantine(void)
{
    struct input input;
    size_t length;
    uint32_t deaths;
    while (rialto_queue_take_poisoned(&inputs, &input, sizeof input, &length, &deaths) >= 0) {
        if (input.id >= INPUTS || state[input.id] != OPEN)
            continue; /* damaged, or answered all the same */
        state[input.id] = QUARANTINED;
        quarantined++;
        fprintf(stderr, "input %u: quarantined, %u workers died of it\n", (unsigned)input.id, (unsigned)deaths);
    }
}

int main(int count, char **arguments)
{
    kills = count > 1 && strcmp(arguments[1], "--kill") == 0;
    rialto_region_config_t region_config;
    rialto_queue_config_t config;
    must(rialto_region_config_default(&region_config), "region config");
    must(rialto_region_create_anonymous(&region, 1 << 18, &region_config), "region");
    must(rialto_queue_config_default(64, sizeof(struct input), &config), "queue config");
    config.max_attempts = (kills ? PATIENCE : DEATHS) - 1; /* so often an input is given to another worker */
    must(rialto_queue_create(&region, "inputs", &config, &inputs), "inputs");
    must(rialto_queue_config_default(64, sizeof(struct result), &config), "queue config");
    must(rialto_queue_create(&region, "results", &config, &results), "results");
    for (int i = 0; i < WORKERS; i++)
        worker[i] = start_worker();

    uint32_t next = 0;
    while (parsed + refused + quarantined < INPUTS) {
        struct input input;
        struct result right;
        int status = RIALTO_EAGAIN;
        while (next < INPUTS && /* as many as there is room for */
               (status = rialto_queue_try_push(&inputs, &input, make(next, &input, &right))) >= 0)
            next++;
        if (status != RIALTO_EAGAIN)
            must(status, "push");
        take_result();
        replace_dead_workers();
        quarantine();
        if (kills && parsed / KILL_EVERY > killed) {
            kill(worker[rand() % WORKERS], SIGKILL);
            killed++;
        }
    }
    must(rialto_queue_close(&inputs), "close"); /* the workers end */
    while (wait(NULL) > 0)
        continue;

    printf("%d inputs: %d parsed, %d refused, %d quarantined, %d workers lost, %s\n", INPUTS, parsed, refused,
           quarantined, lost, wrong == 0 ? "exact" : "NOT exact");
    if (kills)
        printf("%d workers killed, %d second results dropped\n", killed, doubles);
    must(rialto_region_detach(&region), "detach");
    return wrong != 0 || quarantined != 3;
}
