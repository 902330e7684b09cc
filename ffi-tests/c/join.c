/* A joinable queue between C processes: unfinished until task_done, workers killed before it, waiting until
 * all is done; every status. */
#include "memory.h"

enum { MOST = 16, TASKS = 500 };

static rialto_region_t region;

static void make(const char *name, uint32_t kind, uint32_t slots, rialto_queue_t *queue)
{
    rialto_queue_config_t config;
    EXPECT(rialto_queue_config_default(slots, MOST, &config), RIALTO_OK);
    config.kind = kind;
    config.flags = RIALTO_QUEUE_JOINABLE;
    EXPECT(rialto_queue_create(&region, name, &config, queue), RIALTO_OK);
}

/* Three workers add up tasks, one of them is killed all the time; join returns when all are done. */
static void workers(uint32_t kind, const char *name)
{
    rialto_queue_t queue;
    pid_t crew[3];
    uint64_t *done = (uint64_t *)memory_make(TASKS * sizeof *done);
    make(name, kind, 16, &queue);
    for (int i = 0; i < 3; i++) {
        crew[i] = spawn();
        if (crew[i] != 0)
            continue;
        rialto_region_t view;
        region_elsewhere(&region, &view);
        EXPECT(rialto_queue_open(&view, name, &queue), RIALTO_OK);
        for (;;) {
            uint32_t task;
            char buffer[MOST];
            size_t length;
            rialto_ticket_t ticket;
            int status = rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, NULL, &ticket);
            if (status == RIALTO_EPIPE)
                exit(0);
            CHECK(status >= 0 && length == sizeof task);
            memcpy(&task, buffer, sizeof task);
            CHECK(task < TASKS);
            if (i == 0 && task == 100) /* with the task in hand, before its work */
                raise(SIGKILL);
            __atomic_fetch_add(&done[task], 1, __ATOMIC_SEQ_CST);
            EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_OK);
        }
    }
    for (uint32_t task = 0; task < TASKS; task++)
        EXPECT(rialto_queue_push(&queue, &task, sizeof task), RIALTO_OK);
    EXPECT(rialto_queue_join_timeout(&queue, 30000 * MS), RIALTO_OK);
    for (uint32_t task = 0; task < TASKS; task++)
        CHECK(__atomic_load_n(&done[task], __ATOMIC_SEQ_CST) == 1);
    size_t unfinished;
    EXPECT(rialto_queue_unfinished(&queue, &unfinished), RIALTO_OK);
    CHECK(unfinished == 0);
    EXPECT(rialto_queue_close(&queue), RIALTO_OK);
    for (int i = 0; i < 3; i++) { /* the first may have died, if it was it that got the task */
        int how;
        CHECK(waitpid(crew[i], &how, 0) == crew[i]);
        CHECK(i == 0 && WIFSIGNALED(how) ? WTERMSIG(how) == SIGKILL : WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
}

/* Who sleeps in join goes on when the last task is done; not when its worker dies, but when its heir is
 * done. */
static void join_outlasts_a_death(void)
{
    rialto_queue_t queue;
    struct gate in_hand;
    char buffer[MOST];
    size_t length;
    uint32_t attempt;
    rialto_ticket_t ticket;
    gate_make(&in_hand);
    make("deaths", RIALTO_QUEUE_RING, 4, &queue);
    EXPECT(rialto_queue_push(&queue, "task", 4), RIALTO_OK);
    pid_t victim = spawn();
    if (victim == 0) {
        EXPECT(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, &attempt, &ticket), RIALTO_OK);
        gate_open(&in_hand);
        await_death();
    }
    gate_pass(&in_hand);
    pid_t joiner = spawn();
    if (joiner == 0) {
        gate_open(&in_hand);
        EXPECT(rialto_queue_join(&queue), RIALTO_OK);
        exit(0);
    }
    gate_pass(&in_hand);
    until_asleep(joiner);
    slay(victim);
    EXPECT(rialto_queue_join_timeout(&queue, 5 * MS), RIALTO_ETIMEDOUT);
    EXPECT(rialto_queue_pop_timeout_ticket(&queue, buffer, sizeof buffer, 20000 * MS, &length, &attempt,
                                           &ticket),
           RIALTO_REDELIVERED);
    CHECK(attempt == 1 && length == 4);
    CHECK(waitpid(joiner, NULL, WNOHANG) == 0); /* it waits still */
    EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_OK);
    reap(joiner);
    gate_close(&in_hand);
}

static void statuses(uint32_t kind, const char *name)
{
    rialto_queue_t queue, plain, view;
    rialto_queue_config_t config;
    rialto_ticket_t ticket, second, nobodys = {{0}}, copy;
    rialto_member_t member;
    rialto_peeked_t peeked;
    char buffer[MOST];
    size_t length = 77;
    uint32_t attempt;
    bool is_full;
    make(name, kind, 2, &queue);
    EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_OK); /* nothing was ever there */
    EXPECT(rialto_queue_push(&queue, "one", 3), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "two", 3), RIALTO_OK);
    EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_EAGAIN);
    /* Without a ticket nobody could say that it is done. */
    EXPECT(rialto_queue_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EINVAL);
    EXPECT(rialto_queue_try_pop(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EINVAL);
    EXPECT(rialto_queue_pop_timeout(&queue, buffer, sizeof buffer, MS, &length, NULL), RIALTO_EINVAL);
    EXPECT(rialto_queue_take_poisoned(&queue, buffer, sizeof buffer, &length, NULL), RIALTO_EINVAL);
    CHECK(length == 77);
    EXPECT(rialto_queue_pop_ticket(&queue, buffer, MOST - 1, &length, NULL, &ticket), RIALTO_ENOBUFS);
    EXPECT(rialto_queue_pop_ticket(&queue, buffer, sizeof buffer, &length, &attempt, &ticket), RIALTO_OK);
    EXPECT(rialto_queue_try_pop_ticket(&queue, buffer, sizeof buffer, &length, NULL, &second), RIALTO_OK);
    EXPECT(rialto_queue_try_pop_ticket(&queue, buffer, sizeof buffer, &length, NULL, &copy), RIALTO_EAGAIN);
    EXPECT(rialto_queue_unfinished(&queue, &length), RIALTO_OK);
    EXPECT(rialto_queue_is_full(&queue, &is_full), RIALTO_OK);
    CHECK(length == 2 && is_full); /* unfinished ones take room */
    EXPECT(rialto_queue_try_push(&queue, "three", 5), RIALTO_EAGAIN);
    EXPECT(rialto_queue_task_done(&queue, &nobodys), RIALTO_EPERM);
    memset(&nobodys, 0xff, sizeof nobodys);
    EXPECT(rialto_queue_task_done(&queue, &nobodys), RIALTO_EPERM);
    EXPECT(rialto_queue_give_back(&queue, &nobodys), RIALTO_EPERM);
    pid_t child = spawn(); /* another's ticket */
    if (child == 0) {
        EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_EPERM);
        exit(0);
    }
    reap(child);
    copy = ticket; /* a ticket may be copied, and is good once */
    EXPECT(rialto_queue_task_done(&queue, &copy), RIALTO_OK);
    EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_EPERM);
    EXPECT(rialto_queue_give_back(&queue, &ticket), RIALTO_EPERM);
    EXPECT(rialto_queue_give_back(&queue, &second), RIALTO_OK);
    EXPECT(rialto_queue_task_done(&queue, &second), RIALTO_EPERM);
    EXPECT(rialto_queue_join_timeout(&queue, 5 * MS), RIALTO_ETIMEDOUT);

    /* A peeked one is done when it is released. */
    EXPECT(rialto_queue_peek(&queue, &peeked), RIALTO_REDELIVERED);
    EXPECT(rialto_queue_join_timeout(&queue, 0), RIALTO_EAGAIN);
    EXPECT(rialto_peeked_release(&peeked), RIALTO_OK);
    EXPECT(rialto_queue_join(&queue), RIALTO_OK);

    /* Popped by an explicit member: done by whoever acts as that. */
    EXPECT(rialto_region_join(&region, &member), RIALTO_OK);
    EXPECT(rialto_queue_as_member(&queue, &member, &view), RIALTO_OK);
    EXPECT(rialto_queue_push(&queue, "three", 5), RIALTO_OK);
    EXPECT(rialto_queue_pop_ticket(&view, buffer, sizeof buffer, &length, NULL, &ticket), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_EBUSY);
    EXPECT(rialto_queue_task_done(&queue, &ticket), RIALTO_EPERM);
    EXPECT(rialto_queue_task_done(&view, &ticket), RIALTO_OK);
    EXPECT(rialto_member_leave(&member), RIALTO_OK);

    /* A queue that is not joinable. */
    char other[32];
    snprintf(other, sizeof other, "%s plain", name);
    EXPECT(rialto_queue_config_default(2, MOST, &config), RIALTO_OK);
    config.kind = kind;
    EXPECT(rialto_queue_create(&region, other, &config, &plain), RIALTO_OK);
    EXPECT(rialto_queue_join(&plain), RIALTO_ENOTSUP);
    EXPECT(rialto_queue_join_timeout(&plain, 0), RIALTO_ENOTSUP);
    EXPECT(rialto_queue_push(&plain, "four", 4), RIALTO_OK);
    EXPECT(rialto_queue_pop_ticket(&plain, buffer, sizeof buffer, &length, NULL, &ticket), RIALTO_OK);
    EXPECT(rialto_queue_task_done(&plain, &ticket), RIALTO_EPERM);
    /* The same name with other parameters. */
    EXPECT(rialto_queue_open_as(&region, other, &config, &view), RIALTO_OK);
    config.flags = RIALTO_QUEUE_JOINABLE;
    EXPECT(rialto_queue_open_as(&region, other, &config, &view), RIALTO_EWRONGKIND);
    EXPECT(rialto_queue_open_as(&region, name, &config, &view), RIALTO_OK);
}

int main(void)
{
    rialto_region_config_t config;
    watchdog();
    EXPECT(rialto_region_config_default(&config), RIALTO_OK);
    EXPECT(rialto_region_create_memfd(&region, 1 << 20, &config), RIALTO_OK);
    workers(RIALTO_QUEUE_RING, "workers");
    workers(RIALTO_QUEUE_INDEXED, "workers indexed");
    join_outlasts_a_death();
    statuses(RIALTO_QUEUE_RING, "status");
    statuses(RIALTO_QUEUE_INDEXED, "status indexed");
    EXPECT(rialto_region_detach(&region), RIALTO_OK);
    puts("join: unfinished until done, redelivered before, waited for: ok");
    return 0;
}
