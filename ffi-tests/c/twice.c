/* The header alone, and a second time: compiled as C99, C11, C++17 and C++20, see ffi-tests/tests/header.rs. */
#include <rialto.h>
#ifdef TWICE
#include <rialto.h>
#endif

static rialto_lock_t lock = RIALTO_LOCK_INIT;
static rialto_rlock_t rlock = RIALTO_RLOCK_INIT;
static rialto_event_t event = RIALTO_EVENT_INIT;
static rialto_semaphore_t semaphore = RIALTO_SEMAPHORE_INIT(1);
static rialto_semaphore_t bounded = RIALTO_BOUNDED_SEMAPHORE_INIT(1);
static rialto_condition_t condition = RIALTO_CONDITION_INIT;

static bool done(void *flag)
{
    return *(int *)flag != 0;
}

int main(void)
{
    rialto_region_t region = {{0}};
    rialto_queue_t queue = {{0}};
    rialto_reserved_t reserved = {{0}};
    rialto_pipe_t pipe = {{0}};
    rialto_connection_t connection = {{0}};
    rialto_pipe_config_t pipe_config;
    rialto_ticket_t ticket = {{0}};
    rialto_message_t message = {0, 0};
    rialto_producer_t producer = {{0}};
    rialto_consumer_t consumer = {{0}};
    rialto_queue_config_t config;
    size_t size = 0;
    int flag = 1;
    if (rialto_lock_acquire(&lock) != RIALTO_OK || rialto_lock_release(&lock) != RIALTO_OK)
        return 1;
    if (rialto_rlock_acquire(&rlock) != RIALTO_OK || rialto_event_set(&event) != RIALTO_OK)
        return 1;
    if (rialto_semaphore_acquire(&semaphore) != RIALTO_OK)
        return 1;
    if (rialto_semaphore_release(&bounded) != RIALTO_EOVERFLOW)
        return 1;
    if (rialto_condition_wait_for_rlock(&condition, &rlock, done, &flag) != RIALTO_OK)
        return 1;
    if (rialto_queue_config_default(RIALTO_QUEUE_INDEXED, RIALTO_ON_DEATH_STOP, &config) != RIALTO_OK)
        return 1;
    if (config.kind != RIALTO_QUEUE_RING || config.on_death != RIALTO_ON_DEATH_REDELIVER || config.flags != 0)
        return 1;
    if (rialto_queue_push_many(&queue, &message, 1, &size) != RIALTO_EINVAL || size != 0)
        return 1;
    if (rialto_queue_task_done(&queue, &ticket) != RIALTO_EINVAL)
        return 1;
    if (rialto_reserved_commit(&reserved) != RIALTO_EINVAL)
        return 1;
    if (rialto_pipe_config_default(4096, &pipe_config) != RIALTO_OK || pipe_config.flags != RIALTO_PIPE_DUPLEX)
        return 1;
    if (rialto_pipe_connect(&pipe, 0, &connection) != RIALTO_EINVAL)
        return 1;
    if (rialto_connection_close(&connection) != RIALTO_EINVAL)
        return 1;
    if (rialto_producer_push_many(&producer, &message, 1, &size) != RIALTO_EINVAL)
        return 1;
    if (rialto_consumer_release(&consumer) != RIALTO_EINVAL)
        return 1;
    return rialto_region_size(&region, &size) == RIALTO_EINVAL ? 0 : 1;
}
