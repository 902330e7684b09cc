/* The worker of worker.rs in C: peek a job, count, push the result, release the job. Why in this order
 * stands there. It uses nothing of Rialto but its header and library.
 *
 * The region is descriptor 0. The only argument: microseconds to sleep before each release. */

#define _POSIX_C_SOURCE 200809L
#include <rialto.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

/* message.rs says what a job and a result look like. */
enum {
    JOB_MAX = 16384,
    JOB_HEADER = 8,
    TEXT_MAX = JOB_MAX - JOB_HEADER,
    RESULT_HEADER = 20,
    RESULT_MAX = RESULT_HEADER + 2 * (TEXT_MAX + 1),
    WORD_MAX = 64,
    /* More than twice the distinct words that fit a record, so that probing ends. */
    TABLE = 32768
};

typedef struct {
    uint32_t at; /* where in the text */
    uint16_t len, count;
} Entry;

static Entry entries[TABLE / 2];
static uint16_t table[TABLE]; /* index into entries + 1; 0: free */
static unsigned distinct;

static int is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static void count_word(const unsigned char *text, size_t at, size_t len)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ text[at + i]) * 16777619u;
    for (uint32_t slot = hash % TABLE;; slot = (slot + 1) % TABLE) {
        if (table[slot] == 0) {
            table[slot] = (uint16_t)(distinct + 1);
            entries[distinct++] = (Entry){(uint32_t)at, (uint16_t)len, 1};
            return;
        }
        Entry *entry = &entries[table[slot] - 1];
        if (entry->len == len && memcmp(text + entry->at, text + at, len) == 0) {
            entry->count++;
            return;
        }
    }
}

static unsigned char *put(unsigned char *to, uint64_t value, int bytes)
{
    while (bytes-- > 0) {
        *to++ = (unsigned char)value;
        value >>= 8;
    }
    return to;
}

/* Makes the result of the job in `job`, and returns its length. Turns the text to lower case. */
static size_t count_job(unsigned char *job, size_t job_len, unsigned attempt, unsigned char *result)
{
    unsigned char *text = job + JOB_HEADER;
    size_t len = job_len - JOB_HEADER, start = 0;
    uint32_t lines = 0;

    memset(table, 0, sizeof table);
    distinct = 0;
    for (size_t i = 0; i <= len; i++) {
        /* A word ends before a separator, at the end, and when it is as long as a word can be. */
        if (i == len || !is_word(text[i])) {
            if (i > start)
                count_word(text, start, i - start);
            start = i + 1;
        } else {
            if (text[i] >= 'A' && text[i] <= 'Z')
                text[i] += 'a' - 'A';
            if (i - start == WORD_MAX) {
                count_word(text, start, WORD_MAX);
                start = i;
            }
        }
        if (i < len && text[i] == '\n')
            lines++;
    }

    memcpy(result, job, JOB_HEADER); /* the record id */
    unsigned char *to = put(result + JOB_HEADER, len, 4);
    to = put(to, lines, 4);
    to = put(to, distinct, 2);
    to = put(to, attempt, 1);
    to = put(to, 'C', 1);
    for (unsigned i = 0; i < distinct; i++) {
        to = put(to, entries[i].len, 1);
        to = put(to, entries[i].count, 2);
        memcpy(to, text + entries[i].at, entries[i].len);
        to += entries[i].len;
    }
    return (size_t)(to - result);
}

static void check(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "wordcount: C worker: %s: %s\n", what, rialto_strerror(status));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static unsigned char job[JOB_MAX], result[RESULT_MAX];
    long linger_us = argc > 1 ? atol(argv[1]) : 0;
    struct timespec linger = {linger_us / 1000000, linger_us % 1000000 * 1000};
    rialto_region_t region;
    rialto_queue_t jobs, results;

    /* The coordinator may be killed too. Then nobody needs us. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);

    check(rialto_region_attach_fd(&region, 0), "attaching to the region");
    check(rialto_queue_open(&region, "jobs", &jobs), "opening jobs");
    check(rialto_queue_open(&region, "results", &results), "opening results");
    for (;;) {
        rialto_peeked_t peeked;
        int status = rialto_queue_peek(&jobs, &peeked);
        if (status == RIALTO_EPIPE)
            return 0; /* closed: the work is done */
        check(status, "peeking a job");

        size_t len;
        uint32_t attempt;
        check(rialto_peeked_copy(&peeked, job, sizeof job, &len), "reading a job");
        check(rialto_peeked_attempt(&peeked, &attempt), "reading a job");
        if (len < JOB_HEADER)
            check(RIALTO_EBADREGION, "reading a job");
        size_t result_len = count_job(job, len, attempt, result);

        check(rialto_queue_push(&results, result, result_len), "pushing a result");
        if (linger_us > 0)
            nanosleep(&linger, NULL);
        check(rialto_peeked_release(&peeked), "releasing a job");
    }
}
