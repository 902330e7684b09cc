/* Pools from C: workers in C, started in each way; every outcome and status. It starts itself, so
 * rialto_process_main comes first. A Rust program can have its workers too (tests/c_rust_pool.rs). */
#include "check.h"

#include <limits.h>

static rialto_region_t region;
static rialto_forkserver_t server;
static uint32_t method; /* of the round */
static uint32_t starts;
static rialto_pool_t *within; /* whose start is to find that it must not use it */

static int run_double(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    CHECK(context == &starts);
    EXPECT(rialto_output_write(output, NULL, 0), RIALTO_OK);
    EXPECT(rialto_output_write(output, NULL, 1), RIALTO_EINVAL);
    int first = rialto_output_write(output, task, task_bytes);
    int second = rialto_output_write(output, task, task_bytes);
    CHECK(first == RIALTO_OK && (second == RIALTO_OK || second == RIALTO_EMSGSIZE));
    return 0;
}

static int run_fails(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    (void)task, (void)task_bytes, (void)context;
    static const char long_text[5000];
    EXPECT(rialto_output_write(output, long_text, sizeof long_text), RIALTO_EMSGSIZE);
    EXPECT(rialto_output_clear(NULL), RIALTO_EINVAL);
    EXPECT(rialto_output_clear((void *)((char *)output + 1)), RIALTO_EINVAL);
    EXPECT(rialto_output_clear(output), RIALTO_OK);
    EXPECT(rialto_output_write(output, "why", 3), RIALTO_OK);
    return -7;
}

static int run_dies(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    (void)task, (void)task_bytes, (void)context, (void)output;
    return raise(SIGKILL);
}

static int run_hangs(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    (void)task, (void)task_bytes, (void)context, (void)output;
    for (;;)
        pause();
    return 0;
}

static int run_language(const void *task, size_t task_bytes, rialto_output_t *output, void *context)
{
    (void)task, (void)task_bytes, (void)context;
    usleep(1000);
    return rialto_output_write(output, "C", 1);
}

static const rialto_function_t functions[] = {
    {"double", run_double, &starts}, {"fails", run_fails, NULL},       {"dies", run_dies, NULL},
    {"hangs", run_hangs, NULL},      {"language", run_language, NULL},
};
#define FUNCTIONS (sizeof functions / sizeof functions[0])

static int run_worker(const rialto_child_t *child, void *context)
{
    rialto_region_t here;
    (void)context;
    EXPECT(rialto_region_attach_fd(&here, child->fds[0]), RIALTO_OK);
    static const rialto_function_t bad[] = {{"", run_dies, NULL}, {"x", NULL, NULL}, {NULL, run_dies, NULL}};
    for (int i = 0; i < 3; i++)
        EXPECT(rialto_pool_work(child->args, child->args_bytes, &here, bad + i, 1), RIALTO_EINVAL);
    EXPECT(rialto_pool_work("no such", 7, &here, functions, FUNCTIONS), RIALTO_ENOENT);
    int status = rialto_pool_work(child->args, child->args_bytes, &here, functions, FUNCTIONS);
    CHECK(status == RIALTO_OK || status == RIALTO_EBROKEN);
    EXPECT(rialto_region_detach(&here), RIALTO_OK);
    return status != RIALTO_OK;
}

static const rialto_entry_t entries[] = {{"worker", run_worker, NULL}};

static int start(const void *args, size_t args_bytes, rialto_process_t *process, void *context)
{
    int fd;
    rialto_process_config_t config;
    starts++;
    if (within)
        EXPECT(rialto_pool_tend(within), RIALTO_EDEADLK);
    if (context)
        return *(int *)context;
    EXPECT(rialto_region_fd(&region, &fd), RIALTO_OK);
    EXPECT(rialto_process_config_default(&config), RIALTO_OK);
    config.args = args, config.args_bytes = args_bytes;
    config.fds = &fd, config.fd_count = 1;
    config.flags = RIALTO_PROCESS_DAEMON;
    config.method = method;
    config.server = &server;
    return rialto_process_start("worker", &config, process);
}

static void create(rialto_pool_t *pool, const rialto_pool_config_t *config)
{
    EXPECT(rialto_pool_create(&region, "pool", config, start, NULL, pool), RIALTO_OK);
}

static bool is(const rialto_report_t *report, const char *result)
{
    return report->outcome == RIALTO_TASK_DONE && report->code == 0 && report->result_bytes == strlen(result) &&
           memcmp(report->result ? report->result : "", result, strlen(result)) == 0;
}

static void outcomes(void)
{
    rialto_pool_t pool;
    rialto_pool_config_t config;
    rialto_report_t report;
    EXPECT(rialto_pool_config_default(2, &config), RIALTO_OK);
    CHECK(config.workers == 2 && config.slots == 32 && config.retries == 2);
    CHECK(config.timeout_ns == RIALTO_WAIT_FOREVER && config.initializer == NULL);
    config.timeout_ns = 300 * MS;
    config.initializer = "double", config.argument = "x", config.argument_bytes = 1;
    create(&pool, &config);
    EXPECT(rialto_pool_apply(&pool, "double", "ab", 2, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(is(&report, "abab") && report.attempt == 0);
    EXPECT(rialto_pool_apply(&pool, "double", NULL, 0, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(is(&report, ""));
    EXPECT(rialto_pool_apply(&pool, "fails", NULL, 0, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(report.outcome == RIALTO_TASK_FAILED && report.code == -7 && memcmp(report.result, "why", 3) == 0);
    static char long_one[4097];
    EXPECT(rialto_pool_apply(&pool, "double", long_one, 4096, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(report.outcome == RIALTO_TASK_TOO_LARGE && report.result_bytes == 8192 && report.result == NULL);
    EXPECT(rialto_pool_apply(&pool, "double", long_one, 4097, RIALTO_WAIT_FOREVER, &report), RIALTO_EMSGSIZE);
    EXPECT(rialto_pool_apply(&pool, "none", NULL, 0, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(report.outcome == RIALTO_TASK_NO_FUNCTION);
    within = &pool;
    uint32_t before = starts;
    EXPECT(rialto_pool_apply(&pool, "dies", NULL, 0, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(starts > before);
    within = NULL;
    CHECK(report.outcome == RIALTO_TASK_DIED && report.attempt == 3);
    EXPECT(rialto_pool_apply(&pool, "hangs", NULL, 0, RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(report.outcome == RIALTO_TASK_TIMED_OUT);
    EXPECT(rialto_pool_apply(&pool, "hangs", NULL, 0, 50 * MS, &report), RIALTO_ETIMEDOUT);
    EXPECT(rialto_pool_end(&pool), RIALTO_OK);
    EXPECT(rialto_pool_end(&pool), RIALTO_EINVAL);
}

static void one_by_one(void)
{
    rialto_pool_t pool;
    rialto_pool_config_t config;
    rialto_report_t report;
    rialto_progress_t progress;
    uint64_t id[3], bytes = 0;
    bool is_cancelled;
    EXPECT(rialto_pool_config_default(1, &config), RIALTO_OK);
    config.slots = 3;
    EXPECT(rialto_pool_bytes(&config, &bytes), RIALTO_OK);
    CHECK(bytes > 3 * 4096 && bytes < 100000);
    create(&pool, &config);
    rialto_pool_t again;
    EXPECT(rialto_pool_create(&region, "pool", &config, start, NULL, &again), RIALTO_EEXIST);
    EXPECT(rialto_pool_next(&pool, 0, &report), RIALTO_ENOENT);
    EXPECT(rialto_pool_submit(&pool, "hangs", NULL, 0, &id[0]), RIALTO_OK);
    EXPECT(rialto_pool_submit(&pool, "hangs", NULL, 0, &id[1]), RIALTO_OK);
    EXPECT(rialto_pool_submit(&pool, "double", "x", 1, &id[2]), RIALTO_OK);
    EXPECT(rialto_pool_submit(&pool, "double", "x", 1, &bytes), RIALTO_EAGAIN);
    EXPECT(rialto_pool_wait(&pool, id[0], 0, &report), RIALTO_EAGAIN);
    EXPECT(rialto_pool_wait(&pool, id[0], 50 * MS, &report), RIALTO_ETIMEDOUT);
    EXPECT(rialto_pool_cancel(&pool, id[0], &is_cancelled), RIALTO_OK);
    CHECK(is_cancelled);
    EXPECT(rialto_pool_cancel(&pool, id[1], &is_cancelled), RIALTO_OK);
    CHECK(is_cancelled);
    EXPECT(rialto_pool_wait(&pool, id[2], RIALTO_WAIT_FOREVER, &report), RIALTO_OK);
    CHECK(is(&report, "xx") && report.task == id[2]);
    EXPECT(rialto_pool_wait(&pool, id[2], 0, &report), RIALTO_ENOENT);
    EXPECT(rialto_pool_next(&pool, 0, &report), RIALTO_OK);
    CHECK(report.task == id[0] && report.outcome == RIALTO_TASK_CANCELLED);
    EXPECT(rialto_pool_cancel(&pool, id[0], &is_cancelled), RIALTO_ENOENT);
    EXPECT(rialto_pool_progress(&region, "pool", &progress), RIALTO_OK);
    CHECK(progress.submitted == 3 && progress.ended == 3 && progress.workers == 1 && progress.running == 0);
    EXPECT(rialto_pool_progress(&region, "none", &progress), RIALTO_ENOENT);
    EXPECT(rialto_pool_tend(&pool), RIALTO_OK);
    EXPECT(rialto_pool_join(&pool, RIALTO_WAIT_FOREVER), RIALTO_EBUSY);
    EXPECT(rialto_pool_close(&pool), RIALTO_OK);
    EXPECT(rialto_pool_submit(&pool, "double", "x", 1, &bytes), RIALTO_EPIPE);
    EXPECT(rialto_pool_join(&pool, RIALTO_WAIT_FOREVER), RIALTO_OK);
    EXPECT(rialto_pool_terminate(&pool), RIALTO_OK);
    EXPECT(rialto_pool_end(&pool), RIALTO_OK);
}

struct sum {
    uint64_t next, count, digits;
};

static void each(const rialto_report_t *report, void *context)
{
    struct sum *sum = context;
    char text[32];
    snprintf(text, sizeof text, "%d%d", (int)report->task, (int)report->task);
    CHECK(is(report, text));
    CHECK(sum->next == UINT64_MAX || sum->next++ == report->task);
    sum->count++;
    sum->digits += report->task;
}

static void many(void)
{
    enum { ITEMS = 500 };
    static char texts[ITEMS][16];
    rialto_message_t items[ITEMS];
    rialto_pool_t pool;
    rialto_pool_config_t config;
    for (int i = 0; i < ITEMS; i++)
        items[i] = (rialto_message_t){texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "%d", i)};
    EXPECT(rialto_pool_config_default(3, &config), RIALTO_OK);
    config.tasks_per_worker = 50;
    create(&pool, &config);
    for (size_t chunk = 0; chunk < 100; chunk += 33) {
        struct sum ordered = {0, 0, 0}, unordered = {UINT64_MAX, 0, 0};
        EXPECT(rialto_pool_map(&pool, "double", items, ITEMS, chunk, true, each, &ordered), RIALTO_OK);
        EXPECT(rialto_pool_map(&pool, "double", items, ITEMS, chunk, false, each, &unordered), RIALTO_OK);
        CHECK(ordered.count == ITEMS && unordered.count == ITEMS);
        CHECK(ordered.digits == unordered.digits && ordered.digits == ITEMS * (ITEMS - 1) / 2);
    }
    struct sum none = {0, 0, 0};
    EXPECT(rialto_pool_map(&pool, "double", NULL, 0, 1, true, each, &none), RIALTO_OK);
    CHECK(none.count == 0);
    EXPECT(rialto_pool_end(&pool), RIALTO_OK);
}

static void from_within(const rialto_report_t *report, void *context)
{
    rialto_pool_t *pool = context;
    rialto_report_t other;
    rialto_message_t item = {"x", 1};
    uint64_t id;
    bool is_cancelled;
    CHECK(is(report, "xx"));
    EXPECT(rialto_pool_submit(pool, "double", "y", 1, &id), RIALTO_EDEADLK);
    EXPECT(rialto_pool_apply(pool, "double", "y", 1, RIALTO_WAIT_FOREVER, &other), RIALTO_EDEADLK);
    EXPECT(rialto_pool_map(pool, "double", &item, 1, 1, true, from_within, pool), RIALTO_EDEADLK);
    EXPECT(rialto_pool_wait(pool, 1, 0, &other), RIALTO_EDEADLK);
    EXPECT(rialto_pool_next(pool, 0, &other), RIALTO_EDEADLK);
    EXPECT(rialto_pool_cancel(pool, 1, &is_cancelled), RIALTO_EDEADLK);
    EXPECT(rialto_pool_tend(pool), RIALTO_EDEADLK);
    EXPECT(rialto_pool_close(pool), RIALTO_EDEADLK);
    EXPECT(rialto_pool_join(pool, 0), RIALTO_EDEADLK);
    EXPECT(rialto_pool_terminate(pool), RIALTO_EDEADLK);
    EXPECT(rialto_pool_end(pool), RIALTO_EDEADLK);
    CHECK(is(report, "xx"));
}

static void callbacks(void)
{
    rialto_pool_t pool;
    rialto_pool_config_t config;
    rialto_message_t items[] = {{"x", 1}, {"x", 1}, {"x", 1}};
    EXPECT(rialto_pool_config_default(2, &config), RIALTO_OK);
    create(&pool, &config);
    for (int is_ordered = 0; is_ordered < 2; is_ordered++)
        EXPECT(rialto_pool_map(&pool, "double", items, 3, 2, is_ordered, from_within, &pool), RIALTO_OK);
    items[1].length_bytes = config.max_task_bytes + 1; /* and after an error it can be used again */
    static char large[5000];
    items[1].bytes = large;
    EXPECT(rialto_pool_map(&pool, "double", items, 3, 1, true, from_within, &pool), RIALTO_EMSGSIZE);
    EXPECT(rialto_pool_end(&pool), RIALTO_OK);
}

static void bad_starts(void)
{
    rialto_pool_t pool;
    rialto_pool_config_t config;
    int refuses = RIALTO_ENOMEM, forgets = RIALTO_OK, is_older = RIALTO_EVERSION, nonsense = INT_MIN;
    EXPECT(rialto_pool_config_default(2, &config), RIALTO_OK);
    EXPECT(rialto_pool_create(&region, "pool", &config, start, &refuses, &pool), RIALTO_ENOMEM);
    EXPECT(rialto_pool_create(&region, "pool", &config, start, &forgets, &pool), RIALTO_EINVAL);
    EXPECT(rialto_pool_create(&region, "pool", &config, start, &is_older, &pool), RIALTO_EVERSION);
    EXPECT(rialto_pool_create(&region, "pool", &config, start, &nonsense, &pool), -EIO);
    config.retries = 300;
    EXPECT(rialto_pool_create(&region, "pool", &config, start, NULL, &pool), RIALTO_EINVAL);
    EXPECT(rialto_pool_config_default(2, &config), RIALTO_OK);
    config.initializer = "fails";
    create(&pool, &config);
    rialto_report_t report;
    EXPECT(rialto_pool_apply(&pool, "double", NULL, 0, RIALTO_WAIT_FOREVER, &report), RIALTO_EBROKEN);
    EXPECT(rialto_pool_end(&pool), RIALTO_OK);
}

int main(void)
{
    EXPECT(rialto_process_main(entries, 1), RIALTO_OK);
    watchdog();
    rialto_region_config_t usual;
    EXPECT(rialto_region_config_default(&usual), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &usual), RIALTO_OK);
    for (method = 0; method < 3; method++) {
        if (method == RIALTO_PROCESS_FORKSERVER)
            EXPECT(rialto_forkserver_start(NULL, NULL, &server), RIALTO_OK);
        outcomes();
        one_by_one();
        many();
        callbacks();
        bad_starts();
    }
    EXPECT(rialto_forkserver_stop(&server), RIALTO_OK);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("pool: outcomes, one by one, many, callbacks, bad starts, each way: ok");
    return 0;
}
