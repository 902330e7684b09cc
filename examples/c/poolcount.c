/* Lines and CRC-32 of files, counted by a pool of worker processes, and exactly, while they are killed too.
 *
 *   gcc -O2 poolcount.c $(pkg-config --cflags --libs rialto) -o poolcount
 *
 *   ./poolcount              this program and the C headers
 *   ./poolcount --kill       workers are killed with SIGKILL every few milliseconds
 *   ./poolcount [--kill] [--list] [--workers N] [FILE or FOLDER ...]
 *
 * Files are cut into pieces, so that a large one is shared. A task is a piece's place: offset, length, path. Its
 * result is what was counted there.
 *
 *   parent --- offset, length, path ---> worker: read, count --- lines, CRC-32 ---> parent: adds up
 *
 * Why that is exact whoever is killed: a worker that dies has its task in hand, so another one gets it; the pool
 * reports each task once; and a piece that was read twice is the same piece, so it does not matter how far the dead
 * one had got. The parent replaces the dead while it waits for reports. It is killed? Its workers are daemons, and
 * end with it.
 *
 * The program starts itself as its workers: rialto_process_main comes first in main. examples/pool, in Rust, starts
 * it as some of its own, so `struct place` and `struct count` are that one's too. */
#define _XOPEN_SOURCE 700
#define _FILE_OFFSET_BITS 64
#include <rialto.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, LONGEST_PATH = 4000, KILLS = 20, WIDTH = 40 };

/* A task: this, and the path behind it, without a zero. */
struct place {
    uint64_t offset, length;
};

/* A result. */
struct count {
    uint64_t length; /* that there was */
    uint64_t lines;  /* newlines, as wc -l has it */
    uint32_t crc;    /* as of gzip */
    uint32_t by;     /* 'C' or 'R', the worker's language */
};

static void must(int status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "poolcount: %s: %s\n", what, rialto_strerror(status));
    exit(1);
}

/* ---- Counting. ---- */

#define POLYNOMIAL 0xedb88320u

static uint32_t crc_table[256];

static void fill_crc_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        crc_table[byte] = byte;
        for (int bit = 0; bit < 8; bit++)
            crc_table[byte] = crc_table[byte] >> 1 ^ (crc_table[byte] & 1 ? POLYNOMIAL : 0);
    }
}

static void add_bytes(struct count *count, const unsigned char *bytes, size_t length)
{
    uint32_t crc = ~count->crc;
    for (size_t i = 0; i < length; i++) {
        crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 255];
        count->lines += bytes[i] == '\n';
    }
    count->crc = ~crc;
    count->length += length;
}

/* Of polynomials modulo that of the CRC; the highest bit is x^0. */
static uint32_t product(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1, b = b >> 1 ^ (b & 1 ? POLYNOMIAL : 0))
        sum ^= a & bit ? b : 0;
    return sum;
}

/* Adds what follows: the CRC is that of both together. */
static void add_count(struct count *count, const struct count *next)
{
    uint32_t power = 0x80000000u, square = 0x00800000u; /* 1, and x^8: a byte's place */
    for (uint64_t n = next->length; n != 0; n >>= 1, square = product(square, square))
        power = n & 1 ? product(power, square) : power;
    count->crc = product(power, count->crc) ^ next->crc;
    count->lines += next->lines;
    count->length += next->length;
}

/* Reads and counts a part of a file. 0, or an error number. */
static int count_part(const char *path, struct place place, struct count *count)
{
    static unsigned char buffer[64 * 1024];
    memset(count, 0, sizeof *count);
    count->by = 'C';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    int error = 0;
    while (place.length > 0) {
        size_t most = place.length < sizeof buffer ? (size_t)place.length : sizeof buffer;
        ssize_t got = pread(fd, buffer, most, (off_t)place.offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            error = got < 0 ? errno : 0; /* it has become shorter: then the lengths tell */
            break;
        }
        add_bytes(count, buffer, (size_t)got);
        place.offset += (uint64_t)got;
        place.length -= (uint64_t)got;
    }
    close(fd);
    return error;
}

/* ---- The worker. ---- */

static int run_count(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    struct place place;
    struct count count;
    char path[LONGEST_PATH + 1];
    (void)context;
    if (task_bytes < sizeof place || task_bytes - sizeof place > LONGEST_PATH)
        return EINVAL;
    memcpy(&place, task, sizeof place);
    memcpy(path, (const char *)task + sizeof place, task_bytes - sizeof place);
    path[task_bytes - sizeof place] = 0;
    int error = count_part(path, place, &count);
    return error != 0 ? error : rialto_output_write(output, &count, sizeof count);
}

static const rialto_function_t functions[] = {{"count", run_count, NULL}};

static int run_worker(const rialto_child_t *child, void *context)
{
    rialto_region_t region;
    (void)context;
    fill_crc_table();
    must(rialto_region_attach_fd(&region, child->fds[0]), "attach");
    must(rialto_pool_work(child->args, child->args_bytes, &region, functions, 1), "work");
    return 0;
}

static const rialto_entry_t entries[] = {{"worker", run_worker, NULL}};

/* The pool calls this at first, and for each worker that it replaces. `context` is the region. */
static int start_worker(const void *args, size_t args_bytes, rialto_process_t *process, void *context)
{
    int fd;
    rialto_process_config_t config; /* usually: this program, begun anew */
    must(rialto_region_fd(context, &fd), "region's descriptor");
    must(rialto_process_config_default(&config), "process config");
    config.args = args, config.args_bytes = args_bytes;
    config.fds = &fd, config.fd_count = 1;
    config.flags = RIALTO_PROCESS_DAEMON;
    return rialto_process_start("worker", &config, process);
}

/* ---- Files and their pieces. ---- */

struct file {
    char *path;
    uint64_t length;
    size_t first, end; /* pieces */
};

static struct file *files;
static rialto_message_t *tasks; /* a task for each piece */
static struct count *counts;    /* and what came of it */
static bool *is_counted;
static size_t file_count, piece_count;
static uint64_t total, enough = UINT64_MAX; /* bytes */

/* Room for one more: every power of two, twice as much. */
static void *grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array;
    array = realloc(array, (count == 0 ? 1 : 2 * count) * size);
    if (array == NULL)
        abort();
    return array;
}

static void add_piece(const char *path, struct place place)
{
    size_t length = strlen(path);
    char *task = malloc(sizeof place + length);
    if (task == NULL)
        abort();
    memcpy(task, &place, sizeof place);
    memcpy(task + sizeof place, path, length);
    tasks = grow(tasks, piece_count, sizeof *tasks);
    tasks[piece_count].bytes = task;
    tasks[piece_count++].length_bytes = sizeof place + length;
}

static int add_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)walk;
    if (kind != FTW_F || !S_ISREG(info->st_mode) || strlen(path) > LONGEST_PATH || access(path, R_OK) != 0)
        return 0;
    files = grow(files, file_count, sizeof *files);
    struct file *file = &files[file_count++];
    file->path = strdup(path);
    file->length = (uint64_t)info->st_size;
    file->first = piece_count;
    struct place place = {0, 0};
    do { /* an empty file has a piece too */
        place.length = file->length - place.offset < PIECE ? file->length - place.offset : PIECE;
        add_piece(path, place);
        place.offset += place.length;
    } while (place.offset < file->length);
    file->end = piece_count;
    total += file->length;
    return total >= enough;
}

static void add_path(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || (S_ISREG(info.st_mode) && access(path, R_OK) != 0)) {
        fprintf(stderr, "poolcount: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    if (S_ISDIR(info.st_mode))
        nftw(path, add_file, 32, FTW_PHYS);
    else
        add_file(path, &info, FTW_F, NULL);
}

/* Real files that are there if this could be compiled: the program, and headers, 32 MiB of them if there are. */
static void add_usual(void)
{
    char path[LONGEST_PATH + 1];
    ssize_t length = readlink("/proc/self/exe", path, LONGEST_PATH);
    if (length > 0) {
        path[length] = 0;
        add_path(path);
    }
    enough = 32 << 20;
    if (access("/usr/include", X_OK) == 0)
        add_path("/usr/include");
}

/* ---- The parent. ---- */

struct run {
    rialto_region_t region;
    bool kills, is_terminal;
    uint64_t start, next_look, next_kill, killed, refused, changed;
    size_t tasks; /* in all rounds so far */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void show(struct run *run, const rialto_progress_t *at)
{
    char bar[WIDTH + 1], workers[65];
    double part = (double)at->ended / (double)run->tasks;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < part * WIDTH ? '#' : '.';
    bar[WIDTH] = 0;
    for (uint32_t i = 0; i < at->workers; i++)
        workers[i] = at->worker[i].is_busy ? '*' : '-';
    workers[at->workers] = 0;
    fprintf(stderr, "%s[%s] %3.0f %%  workers %s  %" PRIu64 " killed, %" PRIu64 " pieces redone%s",
            run->is_terminal ? "\r\033[K" : "", bar, part * 100, workers, run->killed, at->redone,
            run->is_terminal ? "" : "\n");
}

/* Kills one of the workers, one that has got so far as to tell its number: a pool whose workers die in their start, one
 * after the other, gives up. The number could be a stranger's by now, unless it is a child's of ours that nobody has
 * waited for; and who waits for them is the pool, in this thread. */
static void kill_one(struct run *run, const rialto_progress_t *at)
{
    siginfo_t info;
    uint32_t pid = at->worker[(uint32_t)rand() % at->workers].pid;
    memset(&info, 0, sizeof info);
    if (pid != 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0 &&
        kill((pid_t)pid, SIGKILL) == 0)
        run->killed++;
}

/* With each report: it is written down, and now and then there is something to show or to kill. */
static void take_report(const rialto_report_t *report, void *context)
{
    struct run *run = context;
    struct count count;
    uint64_t piece = report->task, now = now_ms();
    memset(&count, 0, sizeof count);
    if (report->outcome == RIALTO_TASK_DONE && report->result_bytes == sizeof count) {
        memcpy(&count, report->result, sizeof count);
    } else if (report->outcome == RIALTO_TASK_DIED) { /* so many were killed with just this piece: the last resort */
        struct place place;
        char path[LONGEST_PATH + 1];
        memcpy(&place, tasks[piece].bytes, sizeof place);
        size_t length = tasks[piece].length_bytes - sizeof place;
        memcpy(path, (const char *)tasks[piece].bytes + sizeof place, length);
        path[length] = 0;
        run->refused += count_part(path, place, &count) != 0;
    } else {
        if (run->refused++ == 0)
            fprintf(stderr, "poolcount: a piece was not counted: outcome %u, %s\n", (unsigned)report->outcome,
                    strerror(report->code));
    }
    /* In a second round the same comes again. */
    run->changed += is_counted[piece] && (counts[piece].crc != count.crc || counts[piece].length != count.length);
    counts[piece] = count;
    is_counted[piece] = true;

    bool looks = now >= run->next_look, kills = run->kills && now >= run->next_kill;
    rialto_progress_t at;
    if (!looks && !kills)
        return;
    must(rialto_pool_progress(&run->region, "count", &at), "progress");
    if (looks) {
        run->next_look = now + (run->is_terminal ? 50 : 1000);
        show(run, &at);
    }
    if (kills) {
        run->next_kill = now + 5 + (uint64_t)rand() % 25;
        kill_one(run, &at);
    }
}

/* One process, one pass through each file, and no pieces: what everything is compared with. */
static bool compare(bool lists, struct count *all)
{
    bool is_exact = true;
    for (struct file *file = files; file < files + file_count; file++) {
        struct count pool, alone;
        memset(&pool, 0, sizeof pool);
        for (size_t piece = file->first; piece < file->end; piece++)
            add_count(&pool, &counts[piece]);
        int error = count_part(file->path, (struct place){0, file->length}, &alone);
        if (error != 0 || pool.crc != alone.crc || pool.lines != alone.lines || pool.length != alone.length) {
            printf("%s: %" PRIu64 " lines, CRC %08" PRIx32 " instead of %" PRIu64 ", %08" PRIx32 "\n", file->path,
                   pool.lines, pool.crc, alone.lines, alone.crc);
            is_exact = false;
        } else if (lists) {
            printf("%08" PRIx32 " %10" PRIu64 " %12" PRIu64 " %s\n", pool.crc, pool.lines, pool.length, file->path);
        }
        all->lines += pool.lines;
        all->length += pool.length;
    }
    return is_exact;
}

int main(int argc, char **argv)
{
    must(rialto_process_main(entries, 1), "entries"); /* first of all: a worker does not get any further */

    struct run run;
    bool lists = false, any = false;
    unsigned long workers = 4;
    memset(&run, 0, sizeof run);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--kill") == 0)
            run.kills = true;
        else if (strcmp(argv[i], "--list") == 0)
            lists = true;
        else if (strcmp(argv[i], "--workers") == 0 && i + 1 < argc)
            workers = strtoul(argv[++i], NULL, 10);
        else
            add_path(argv[i]), any = true;
    }
    if (!any)
        add_usual();
    if (piece_count == 0 || workers < 1 || workers > 32) {
        fprintf(stderr, "usage: poolcount [--kill] [--list] [--workers 1 to 32] [FILE or FOLDER ...]\n");
        return 2;
    }
    counts = calloc(piece_count, sizeof *counts);
    is_counted = calloc(piece_count, sizeof *is_counted);
    if (counts == NULL || is_counted == NULL)
        abort();
    fill_crc_table();

    rialto_region_config_t region_config;
    rialto_pool_config_t config;
    rialto_pool_t pool;
    rialto_progress_t at;
    uint64_t bytes;
    must(rialto_pool_config_default((uint32_t)workers, &config), "pool config");
    config.retries = 20; /* our pieces are not to blame for each death */
    must(rialto_pool_bytes(&config, &bytes), "pool's size");
    must(rialto_region_config_default(&region_config), "region config");
    region_config.tick_ms = 20; /* so that the dead are replaced in half of that */
    must(rialto_region_create_memfd(&run.region, (size_t)bytes + 64 * 1024, &region_config), "region");
    must(rialto_pool_create(&run.region, "count", &config, start_worker, &run.region, &pool), "pool");

    run.is_terminal = isatty(2);
    run.start = now_ms();
    run.next_look = run.start + 50;
    run.next_kill = run.start + 10;
    int rounds = 0;
    do { /* once; but who wants to see some killed, sees some */
        rounds++;
        run.tasks += piece_count;
        must(rialto_pool_map(&pool, "count", tasks, piece_count, 1, false, take_report, &run), "map");
    } while (run.kills && run.killed < KILLS && now_ms() - run.start < 30000);
    uint64_t pool_ms = now_ms() - run.start;
    must(rialto_pool_progress(&run.region, "count", &at), "progress");
    show(&run, &at);
    if (run.is_terminal)
        fputc('\n', stderr);
    must(rialto_pool_close(&pool), "close");
    must(rialto_pool_join(&pool, 10000000000), "join");
    must(rialto_pool_end(&pool), "end");
    must(rialto_region_detach(&run.region), "detach");

    struct count all;
    memset(&all, 0, sizeof all);
    uint64_t start = now_ms();
    bool is_exact = compare(lists, &all) && run.refused == 0 && run.changed == 0;
    printf("%s: %zu files, %" PRIu64 " lines, %" PRIu64 " bytes; %" PRIu64 " workers killed, %" PRIu64
           " pieces redone; pool %" PRIu64 " ms (rounds: %d), one process %" PRIu64 " ms\n",
           is_exact ? "exact" : "WRONG", file_count, all.lines, all.length, run.killed, at.redone, pool_ms, rounds,
           now_ms() - start);
    return !is_exact;
}
