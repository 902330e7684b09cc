/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * rialto.h: locks, queues, pipes and shared state between processes, in memory that you provide.
 * What Python's multiprocessing has, for C and Rust, and safe under kill -9 at any instruction: who
 * survives is told, and goes on. No daemon, no heap, no background thread.
 * Generated from src/capi: change the comments there.
 *
 * START HERE
 *   1. Build: `cc program.c $(pkg-config --cflags --libs rialto) -o program`
 *      Without pkg-config: `-lrialto`; statically: `librialto.a -pthread`.
 *   2. Only a lock, event, semaphore or condition? Put a rialto_lock_t into any memory that your
 *      processes share, initialise it once, use it. Everything else lies in a region: one process
 *      makes it (rialto_region_create_named), the others attach (rialto_region_attach_named).
 *   3. In a region, objects have names: rialto_queue_create makes one, rialto_queue_open finds it,
 *      rialto_queue_open_or_create does whichever is needed: whoever attaches may be earlier than
 *      the creator's objects. A region's name outlives its processes: after RIALTO_EEXIST, attach,
 *      or rialto_region_unlink_named what a crash has left.
 *   4. To start processes, call rialto_process_main first of all in main(), then
 *      rialto_process_start; or give the work to a pool of them, rialto_pool_create. Both are
 *      optional: any process that attaches to the region takes part.
 *   5. Look at every status. Negative: you did not get it (rialto_strerror says why). Positive: you
 *      did, and there is something to know, mostly a death: RIALTO_OWNER_DIED, RIALTO_REDELIVERED.
 *   6. Versions: rialto_version() is the library's, RIALTO_VERSION this header's; all processes
 *      of a region need one RIALTO_LAYOUT_VERSION, or attaching says RIALTO_EVERSION.
 *
 *   Then: CAVEATS FIRST, CONVENTIONS, A WORKER and A POOL (examples), and the object that you need.
 *
 * CAVEATS FIRST
 * - Kill. A process may die anywhere. Then:
 *   - a lock says RIALTO_OWNER_DIED to its next owner, also to one who gets it back after a wait
 *     with a condition; but a death wakes nobody who waits with a condition.
 *   - a queue gives what the dead had in hand to somebody else, RIALTO_REDELIVERED (or as on_death
 *     says).
 *   - a tracked semaphore gets the permits back.
 *   - a barrier that the dead waited in, or was registered with, is broken: RIALTO_EBROKEN.
 *   - an end of a pipe is closed: the other end gets what was sent whole, then RIALTO_EPIPE, and
 *     RIALTO_ECONNRESET for what it sends.
 *   - Not given back: a message that was popped (from a joinable queue: once task_done was
 *     called), and a permit of a plain rialto_semaphore_t, which belongs to nobody. What was
 *     reserved and not committed, was not sent. A redelivered message may have been worked on
 *     before.
 * - State. One call changes a value, array, list, dict or namespace whole or not at all: who is
 *   killed in it leaves what was before, or what is after, and the lock's next owner is not told.
 *   Several calls under an object's _acquire are several changes: others read in between, and a
 *   death leaves those that were done. What you took out (pop, popitem) is gone with you. Raw
 *   values and arrays promise nothing.
 * - Conditions. After a wait the lock is held again, also after RIALTO_ETIMEDOUT and RIALTO_EAGAIN:
 *   the one place where a negative status leaves you with something. Not after RIALTO_EPERM,
 *   RIALTO_ENOTRECOVERABLE, RIALTO_ENOMEM, or with a damaged lock. Where the one who would notify
 *   may die first, wait with a timeout and look again, or notify where its death is noticed.
 * - Fork. A child holds no lock, has no permit, and is no member or party, whatever its parent was;
 *   it becomes a member by itself on first use. Its copies of the region's view and of plain views
 *   go on working. All other pinned views, views made by an _as_member function, tickets and
 *   permits, stay the parent's: the child must neither use nor end them (it would act as the
 *   parent: release its permits, or acquire some that its own death does not give back). The
 *   descriptors that a view signals are the child's too, unless it closes them. A child of vfork
 *   must not call Rialto at all.
 * - Processes. A child has 0, 1, 2 and the descriptors that it was passed (a forked one, all of its
 *   parent's), and behind them one of ours: it tells of the parent's end, and daemons are killed
 *   through it. Who closes descriptors that are not his own loses that; closed in the parent, it
 *   ends its daemons. A parent that runs another program counts as ended; one of which only the
 *   starting thread ends, does not. An ended child is a zombie until it is joined, closed or asked
 *   for. If SIGCHLD is ignored, or somebody else in the process waits for any child, exit codes are
 *   lost: RIALTO_EXIT_UNKNOWN. When main() returns, daemons are killed, and nobody else.
 * - Pools. A task whose worker dies is begun again by another: what it did before may happen twice,
 *   and its report says so (attempt). There is no thread of ours: workers are replaced, and tasks
 *   timed out, while the parent waits, submits, or calls rialto_pool_tend. A worker whose function
 *   closes descriptors that are not its own ends after the task, and is replaced.
 * - Exec and exit. What a thread holds when it ends or execs is treated as if it had been killed.
 * - Threads. A lock belongs to the thread that acquired it. A message in hand, room reserved for
 *   one, a permit of a tracked semaphore, a place at a barrier and an end of a pipe or SPSC queue
 *   belong to a member: the calling thread's own, or one made with rialto_region_join. A thread can
 *   hold 64 locks and memberships, and be a member of 16 regions.
 * - PID namespaces. The kernel tells deaths across them. Where it does not tell (exec by a thread
 *   that is not the leader), only parties in the same namespace notice: who waits for a lock within
 *   a tick, who waits at a queue, tracked semaphore or barrier within as many ticks as the region
 *   has members.
 * - Trust. What is in a region is input. A peer that writes wild can break the objects there, make
 *   calls return RIALTO_EBADREGION and endless waits last for ever; it cannot make us touch memory
 *   outside the region, crash us, or hang us past a timeout (but for a condition's wait, which has
 *   none for acquiring its lock again). Two more things it can do: change a message while you read
 *   or write it in place (rialto_peeked_bytes, rialto_reserved_bytes), and truncate a named
 *   region's file (SIGBUS; a memfd of ours is sealed). Your own pointers are trusted, apart from
 *   NULL and misaligned.
 * - Event loops. A descriptor (rialto_queue_set_data_fd) says when to look, a tick when to look all
 *   the same: a process killed between its message and its signal leaves the descriptor silent.
 *   That of a process (rialto_process_sentinel) needs no tick.
 * - Signals. Blocking calls go on after a signal handler: there is no EINTR. Which functions a
 *   handler may call, each says.
 * - Unloading. The shared library stays loaded (-z nodelete): threads' ends run its code.
 * - A bug of ours that panics aborts the process; nothing unwinds into C. Your predicates and
 *   actions must return: no exception, longjmp or pthread_exit through a function of ours, which
 *   would leave locks held.
 *
 * CONVENTIONS
 * - Functions return a status and nothing else (but rialto_strerror and the versions): negative,
 *   you did not get it (but see Conditions above); zero, you did; positive, you did and there is
 *   something to know. New codes may be added. Codes are negated Linux errno numbers; ours begin at
 *   -4096. Where the system refuses with an errno that has no name here, it is returned negated.
 * - Everything else goes to out-parameters ("gets ..."), which come last and are written only if
 *   the status is zero or positive. Only buffers that are filled with bytes may be overwritten by a
 *   failure, and see rialto_value_compare_exchange.
 * - NULL and misaligned pointers, and views that are not alive, are RIALTO_EINVAL, and a length
 *   above PTRDIFF_MAX is RIALTO_EMSGSIZE, also where "Returns" does not repeat it.
 * - Timeouts are relative nanoseconds of the monotonic clock, never early, across all inner waits.
 *   x waits for ever, try_x (where there is one) never waits, x_timeout says how long. A timeout of
 *   0 polls: RIALTO_EAGAIN; at a barrier it breaks it, as any other: RIALTO_ETIMEDOUT.
 * - A tick is the longest that a sleeper takes to notice what nobody could tell it, since that one
 *   died: 100 ms for what is embeddable, the region's tick_ms for what is in a region.
 * - rialto_lock_t, rialto_rlock_t, rialto_event_t, rialto_semaphore_t and rialto_condition_t live
 *   in shared memory, wherever you put them. Macros like RIALTO_LOCK_INIT are for variables; in
 *   memory that you have mapped, call rialto_lock_init.
 * - All other types are views, private to the process, on your stack or wherever you like: "alive"
 *   from the call that made it to the call that ends it (detach, leave, release, commit, close,
 *   end). {0} is a view that is not alive. No view needs freeing.
 *   - A plain view (queue, SPSC queue, pipe, tracked semaphore, barrier, value, array, list, dict,
 *     namespace) is copied and used by any number of threads, and needs no end.
 *   - A pinned view (region, member, reserved, peeked, producer, consumer, connection, process,
 *     fork server, pool) must not move while it is alive: a copy is refused.
 *   - All but processes and fork servers refer to their region's view. Detached, it takes them
 *     along: what was made from it must not be used any more, and that is not checked.
 * - "Blocks: no" means: no waiting for what others do (but the first use of a region whose table of
 *   members is full looks for the dead among them, for a tick at most). "Blocks: yes, through
 *   signals": see Signals above. "Fair: no": who came later may be served first.
 * - "If we die" says what the others find when the calling thread or its process is killed in the
 *   call. Where it is missing, they find nothing.
 * - "Cf." names the cousin in POSIX; docs/NAMES.md has them all, and Boost's and Python's.
 *
 * CONTENTS
 *   All of it
 *     rialto_strerror             versions, statuses and their texts, timeouts, the clock
 *   Embeddable: in your own structs, anywhere in shared memory
 *     rialto_lock_t               robust lock
 *     rialto_rlock_t              robust lock that its owner may acquire again
 *     rialto_event_t              a flag to wait for
 *     rialto_semaphore_t          counting semaphore, plain or bounded
 *     rialto_condition_t          condition variable, with either lock
 *   A region, and who is in it
 *     rialto_region_t             memory that several processes see
 *     rialto_lock_create          locks and other embeddable objects, by name in a region
 *     rialto_member_t             explicit membership, for thread pools
 *   Messages: objects with a name in a region
 *     rialto_queue_t              bounded queue of byte messages, for any number of threads
 *     rialto_message_t            several messages with one wake: push_many, pop_many
 *     rialto_reserved_t           room for a message, to write it in place
 *     rialto_peeked_t             a message in hand, to read it in place
 *     rialto_ticket_t             joinable queues: task_done, join
 *     rialto_queue_set_data_fd    queues in an event loop: a descriptor to poll
 *     rialto_spsc_t               queue from one producer to one consumer
 *     rialto_producer_t           its one end: push, reserve
 *     rialto_consumer_t           its other end: pop, peek
 *     rialto_pipe_t               byte messages between two ends, one way or both
 *     rialto_connection_t         an end of a pipe: send, recv, poll
 *   Waiting for each other: objects with a name in a region
 *     rialto_tracked_semaphore_t  semaphore that gets dead holders' permits back
 *     rialto_barrier_t            parties that wait for each other
 *   State: objects with a name in a region, each with a lock of its own
 *     rialto_value_t              a number, or a structure
 *     rialto_array_t              elements of one type; edits of several
 *     rialto_raw_value_create     raw values and arrays: memory with a name
 *     rialto_list_t               byte strings in an order
 *     rialto_dict_t               byte strings by key
 *     rialto_namespace_t          attributes by name, with types
 *   Processes
 *     rialto_process_t            a child: started, waited for, ended
 *     rialto_forkserver_t         a small process that forks children for you
 *     rialto_current_t            the calling process, and its parent
 *   Pools: worker processes that divide tasks, by a region
 *     rialto_pool_t               the parent's side: submit, wait, map; progress
 *     rialto_function_t           the workers' side: functions, by name
 *
 * A WORKER
 *   #include <rialto.h>
 *
 *   int worker(void) {
 *       rialto_region_t region;
 *       rialto_queue_t jobs;
 *       rialto_peeked_t job;
 *       const void *bytes;
 *       size_t length;
 *       int status;
 *       if (rialto_region_attach_named(&region, "demo") < 0)
 *           return 1;
 *       if (rialto_queue_open(&region, "jobs", &jobs) < 0)
 *           return 1;
 *       while ((status = rialto_queue_peek(&jobs, &job)) >= 0) {
 *           if (status == RIALTO_REDELIVERED)   // somebody began this one, and died
 *               clean_up();
 *           rialto_peeked_bytes(&job, &bytes, &length);
 *           work(bytes, length);                // killed in here: somebody else gets the job
 *           rialto_peeked_release(&job);
 *       }
 *       rialto_region_detach(&region);
 *       return status == RIALTO_EPIPE ? 0 : 1;  // closed and drained; or an error
 *   }
 *
 * A POOL
 *   #include <rialto.h>
 *
 *   static rialto_region_t region;
 *
 *   static int shout(const void *task, size_t bytes, rialto_output_t *output, void *context) {
 *       return rialto_output_write(output, upper(task, bytes), bytes);
 *   }
 *
 *   static int work(const rialto_child_t *child, void *context) {      // in the workers
 *       static const rialto_function_t functions[] = {{"shout", shout, NULL}};
 *       if (rialto_region_attach_fd(&region, child->fds[0]) < 0)
 *           return 1;
 *       return rialto_pool_work(child->args, child->args_bytes, &region, functions, 1) < 0;
 *   }
 *
 *   static int start(const void *args, size_t bytes, rialto_process_t *process, void *context) {
 *       rialto_process_config_t config;
 *       int fd, status = rialto_region_fd(&region, &fd);
 *       rialto_process_config_default(&config);
 *       config.args = args;
 *       config.args_bytes = bytes;
 *       config.fds = &fd;
 *       config.fd_count = 1;
 *       config.flags = RIALTO_PROCESS_DAEMON;                          // they end with us
 *       return status < 0 ? status : rialto_process_start("work", &config, process);
 *   }
 *
 *   int main(void) {
 *       static const rialto_entry_t entries[] = {{"work", work, NULL}};
 *       rialto_region_config_t sizes;
 *       rialto_pool_config_t config;
 *       rialto_pool_t pool;
 *       rialto_report_t report;
 *       rialto_process_main(entries, 1);                               // a worker ends in here
 *       rialto_region_config_default(&sizes);
 *       rialto_pool_config_default(4, &config);
 *       if (rialto_region_create_memfd(&region, 1 << 20, &sizes) < 0)
 *           return 1;
 *       if (rialto_pool_create(&region, "pool", &config, start, NULL, &pool) < 0)
 *           return 1;
 *       if (rialto_pool_apply(&pool, "shout", "hi", 2, RIALTO_WAIT_FOREVER, &report) == RIALTO_OK
 *           && report.outcome == RIALTO_TASK_DONE)
 *           write(1, report.result, report.result_bytes);
 *       rialto_pool_end(&pool);
 *       return rialto_region_detach(&region) < 0;
 *   }
 */


#ifndef RIALTO_H
#define RIALTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a struct: aligned to so many bytes. Define it yourself for other compilers. */
#ifndef RIALTO_ALIGNED
#if defined(__GNUC__) || defined(__clang__)
#define RIALTO_ALIGNED(bytes) __attribute__((aligned(bytes)))
#elif defined(_MSC_VER)
#define RIALTO_ALIGNED(bytes) __declspec(align(bytes))
#else
#error "rialto.h: define RIALTO_ALIGNED(bytes) for this compiler"
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ==== All of it =============================================================================== */

/* ---- rialto_strerror: versions, statuses and their texts, timeouts, the clock ---------------- */

/** A version as one number that compares, also in #if. */
#define RIALTO_MAKE_VERSION(major, minor, patch) \
    ((major) * 1000000u + (minor) * 1000u + (patch))

/** This header's version; rialto_version() is the library's. */
#define RIALTO_VERSION \
    RIALTO_MAKE_VERSION(RIALTO_VERSION_MAJOR, RIALTO_VERSION_MINOR, RIALTO_VERSION_PATCH)

/** This header's version; rialto_version() is the library's. */
#define RIALTO_VERSION_MAJOR 0
/** See RIALTO_VERSION_MAJOR. */
#define RIALTO_VERSION_MINOR 1
/** See RIALTO_VERSION_MAJOR. */
#define RIALTO_VERSION_PATCH 0
/** The version of all bytes in shared memory: equal for all parties of a region. */
#define RIALTO_LAYOUT_VERSION 1
/** A timeout in nanoseconds that never passes. */
#define RIALTO_WAIT_FOREVER UINT64_MAX
/** Done. */
#define RIALTO_OK 0
/** The lock is held, but its last owner died: repair what it protects, then mark it consistent. */
#define RIALTO_OWNER_DIED 1
/** A message that somebody had in hand before you, and died or gave it back. */
#define RIALTO_REDELIVERED 2

/**
 * Not yours: the lock is not held by this thread, or the membership is not; the permit, the ticket
 * or the end is not held any more; the member that you act as is gone; the process or the pool is
 * the parent's, not this process's.
 */
#define RIALTO_EPERM (-1)

/**
 * No region or no object of that name; no such index, item, key or attribute;
 * no such entry, program or task; no parent.
 */
#define RIALTO_ENOENT (-2)

/**
 * A call that does not wait would have had to: held, empty, full, no permit, not set, not notified,
 * unfinished.
 */
#define RIALTO_EAGAIN (-11)

/** The kernel would not give this process memory. */
#define RIALTO_ENOMEM (-12)

/**
 * Still in use: the lock is held; the member has a message, a permit, a registration or an end; the
 * end has a message in hand, or room reserved; keys came or went while a dict was walked through.
 * The process, or a child of the fork server, runs; the pool is not closed.
 * Or: threads that are stopped in the middle of such a call hold us up.
 */
#define RIALTO_EBUSY (-16)

/** An object or region of that name, or at that place, exists already. */
#define RIALTO_EEXIST (-17)
/** NULL or misaligned pointer, view that is not alive, bad number, bad name. */
#define RIALTO_EINVAL (-22)
/** The region's table of members, or of views of it, is full. */
#define RIALTO_ENFILE (-23)

/**
 * This thread holds 64 locks and memberships, or is a member of 16 regions; this process has no
 * descriptor left, or the fork server has 4096 children.
 */
#define RIALTO_EMFILE (-24)

/**
 * No room: in the memory, the region or /dev/shm; in a list, dict or namespace; in a barrier's
 * registry.
 */
#define RIALTO_ENOSPC (-28)

/** Closed; from pop, peek and a pipe's recv: and drained. */
#define RIALTO_EPIPE (-32)

/**
 * This thread holds the lock already, or is within an edit or sort of that very object, or
 * a callback of that pool.
 */
#define RIALTO_EDEADLK (-35)

/**
 * The next message killed its holders as often as the queue allows (RIALTO_ON_DEATH_STOP: once);
 * take_poisoned takes it.
 */
#define RIALTO_EBADMSG (-74)

/** More permits than the semaphore may have, or a lock acquired too often by its owner. */
#define RIALTO_EOVERFLOW (-75)

/**
 * That end of the queue is held by somebody who is alive; that end of the pipe was
 * claimed before.
 */
#define RIALTO_EUSERS (-87)

/**
 * The message is longer than the queue's or pipe's longest, the item, key, name or value than its
 * own; or the message goes in chunks, for which this call does not wait.
 */
#define RIALTO_EMSGSIZE (-90)

/**
 * This kernel or file system cannot do that; this end of a pipe only sends, or only receives; the
 * queue is not joinable; the value or element is too large for that.
 */
#define RIALTO_ENOTSUP (-95)

/** The other end of the pipe is closed, or its holder died; the fork server has ended. */
#define RIALTO_ECONNRESET (-104)

/**
 * The buffer is smaller than the queue's longest message, the pipe's next, or what is to be copied
 * from a list, dict or namespace.
 */
#define RIALTO_ENOBUFS (-105)

/**
 * The deadline passed. A condition's lock is held again all the same; a barrier is
 * broken by it.
 */
#define RIALTO_ETIMEDOUT (-110)

/** The lock was released unrepaired after an owner died; only reset helps. */
#define RIALTO_ENOTRECOVERABLE (-131)
/** Not a Rialto object, or its bytes contradict themselves. */
#define RIALTO_EBADREGION (-4096)
/** Another layout version, or features that this library does not know. */
#define RIALTO_EVERSION (-4097)

/**
 * The object of that name is of another kind, or has other parameters; the attribute is of another
 * type; the value is no number.
 */
#define RIALTO_EWRONGKIND (-4098)

/**
 * The barrier is broken: a party timed out, died, failed or aborted it. Reset makes it whole.
 * Or: no worker of the pool gets through its start.
 */
#define RIALTO_EBROKEN (-4099)

/**
 * One line of English for a status; for a system's errno that has no name here, ask strerror. Cf.
 * strerror.
 *
 * status      any number.
 * Returns     a string that lives as long as the library; never NULL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
const char *rialto_strerror(int status);

/**
 * The library's version as one number, as RIALTO_VERSION is the header's.
 *
 * Returns     a number, as RIALTO_MAKE_VERSION makes it.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
uint32_t rialto_version(void);

/**
 * The library's RIALTO_LAYOUT_VERSION.
 *
 * Returns     a number, the same in all parties of a region.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
uint32_t rialto_layout_version(void);

/**
 * The clock that timeouts are measured with: monotonic nanoseconds.
 *
 * now_ns      gets the time.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_now_ns(uint64_t *now_ns);

/* ==== Embeddable: in your own structs, anywhere in shared memory ============================== */

/* ---- rialto_lock_t: robust lock -------------------------------------------------------------- */

/**
 * A lock in shared memory: robust, not recursive, not fair, owned by a thread. Embed it in your own
 * struct, anywhere; the struct then is 64-aligned as well (mmap aligns so, malloc does not).
 * Initialise it with RIALTO_LOCK_INIT or rialto_lock_init, once, before anybody else sees it;
 * zeroed memory is refused. A copy is not a lock. While a thread holds it, is about to acquire it,
 * or is still inside release (the next owner may have it by then) or any other call on it, its
 * memory must not be moved, unmapped, freed or used for anything else. Cf. pthread_mutex_t with
 * PTHREAD_PROCESS_SHARED and PTHREAD_MUTEX_ROBUST.
 */
typedef struct RIALTO_ALIGNED(64) rialto_lock_t {
    /** Private. */
    uint32_t _private[16];
} rialto_lock_t;

/** A free lock: rialto_lock_t lock = RIALTO_LOCK_INIT; */
#define RIALTO_LOCK_INIT {{0x4B434C52u, 0x84u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}

/**
 * Makes a free lock in place, whatever was there. Cf. pthread_mutex_init.
 *
 * lock        64 bytes, 64-aligned, that nobody uses as a lock now.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency one thread; publish the lock to others afterwards.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   rialto_lock_attach and acquire refuse what is left.
 * Since       0.1
 */
int rialto_lock_init(rialto_lock_t *lock);

/**
 * Checks that there is a lock. Takes nothing, so it needs no counterpart.
 *
 * lock        64 readable bytes; what is in them does not matter.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no lock there).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_lock_attach(const rialto_lock_t *lock);

/**
 * Acquires `lock`, waiting as long as it takes. Cf. pthread_mutex_lock.
 *
 * lock        initialised by rialto_lock_init or RIALTO_LOCK_INIT.
 * Returns     RIALTO_OK; RIALTO_OWNER_DIED (held; repair first, then mark_consistent);
 *             RIALTO_EDEADLK; RIALTO_ENOTRECOVERABLE; RIALTO_EMFILE; RIALTO_ENOMEM (first use);
 *             RIALTO_EBADREGION; RIALTO_EINVAL. On a negative value the lock is not held.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe: the interrupted thread may hold the lock.
 * If we die   waiting: a wake-up may be late by a tick, 100 ms. From the winning instruction on:
 *             the next acquirer is told.
 * Since       0.1
 */
int rialto_lock_acquire(rialto_lock_t *lock);

/**
 * Acquires `lock` if that needs no waiting. Cf. pthread_mutex_trylock.
 *
 * lock        as for rialto_lock_acquire.
 * Returns     as rialto_lock_acquire; RIALTO_EAGAIN (held by whomever; also instead of
 *             RIALTO_EDEADLK).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_lock_acquire.
 * Since       0.1
 */
int rialto_lock_try_acquire(rialto_lock_t *lock);

/**
 * Acquires `lock`, waiting at most `timeout_ns` nanoseconds. Cf. pthread_mutex_timedlock, but
 * relative and monotonic.
 *
 * lock        as for rialto_lock_acquire.
 * timeout_ns  0 is rialto_lock_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_lock_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_lock_acquire.
 * Since       0.1
 */
int rialto_lock_acquire_timeout(rialto_lock_t *lock, uint64_t timeout_ns);

/**
 * Releases `lock`. After RIALTO_OWNER_DIED without mark_consistent it becomes unusable until reset,
 * and all waiters get RIALTO_ENOTRECOVERABLE. Cf. pthread_mutex_unlock.
 *
 * lock        held by the calling thread.
 * Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_EBADREGION (somebody
 *             overwrote it: not touched, and not held any more); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   before it is free: the next acquirer is told. After: a waiter may be late by a tick.
 * Since       0.1
 */
int rialto_lock_release(rialto_lock_t *lock);

/**
 * Says that what `lock` protects is repaired: the next owners are not told any more. No effect if
 * it was acquired with RIALTO_OK. Cf. pthread_mutex_consistent.
 *
 * lock        held by the calling thread.
 * Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the next acquirer is told of our death.
 * Since       0.1
 */
int rialto_lock_mark_consistent(rialto_lock_t *lock);

/**
 * Whether the calling thread holds `lock`.
 *
 * lock        a lock.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_lock_is_mine(const rialto_lock_t *lock, bool *is_mine);

/**
 * Whether anybody holds `lock`, or it is not recoverable.
 *
 * lock        a lock.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no lock there); RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_lock_is_locked(const rialto_lock_t *lock, bool *is_locked);

/**
 * Makes a lock that is not recoverable usable again. Who calls it vouches for what the lock
 * protects. No effect on a free one.
 *
 * lock        a lock.
 * Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no lock there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is reset or it is not.
 * Since       0.1
 */
int rialto_lock_reset(rialto_lock_t *lock);

/**
 * Ends a lock that nobody will use again: from here on there is none. The memory is yours, once no
 * thread is in any call on it any more, which is not checked. Locks need not be destroyed; this
 * finds mistakes. Cf. pthread_mutex_destroy.
 *
 * lock        a lock that no thread waits for.
 * Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no lock there); RIALTO_EINVAL.
 * Concurrency one thread, the last.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is destroyed or it is not.
 * Since       0.1
 */
int rialto_lock_destroy(rialto_lock_t *lock);

/* ---- rialto_rlock_t: robust lock that its owner may acquire again ---------------------------- */

/**
 * A lock in shared memory that its owner may acquire again, and must then release as often:
 * otherwise a rialto_lock_t, and all that is said there holds here. Initialise it with
 * RIALTO_RLOCK_INIT or rialto_rlock_init. Cf. pthread_mutex_t with PTHREAD_PROCESS_SHARED,
 * PTHREAD_MUTEX_ROBUST and PTHREAD_MUTEX_RECURSIVE.
 */
typedef struct RIALTO_ALIGNED(64) rialto_rlock_t {
    /** Private. */
    uint32_t _private[16];
} rialto_rlock_t;

/** A free recursive lock. */
#define RIALTO_RLOCK_INIT {{0x4B4C5252u, 0x84u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}

/**
 * Makes a free lock in place, whatever was there. Cf. pthread_mutex_init.
 *
 * rlock       64 bytes, 64-aligned, that nobody uses as a lock now.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency one thread; publish the lock to others afterwards.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   rialto_rlock_attach and acquire refuse what is left.
 * Since       0.1
 */
int rialto_rlock_init(rialto_rlock_t *rlock);

/**
 * Checks that there is a recursive lock. Takes nothing, so it needs no counterpart.
 *
 * rlock       64 readable bytes; what is in them does not matter.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (none there; also if
 *             it is a rialto_lock_t).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_rlock_attach(const rialto_rlock_t *rlock);

/**
 * Acquires `rlock`, waiting for another owner as long as it takes; once more, if this thread holds
 * it. Cf. pthread_mutex_lock.
 *
 * rlock       initialised by rialto_rlock_init or RIALTO_RLOCK_INIT.
 * Returns     RIALTO_OK (also once more, repaired or not); RIALTO_OWNER_DIED (held once, however
 *             often the dead owner held it; repair first, then mark_consistent); RIALTO_EOVERFLOW
 *             (held 2^32 - 1 times, as before); RIALTO_ENOTRECOVERABLE; RIALTO_EMFILE;
 *             RIALTO_ENOMEM (first use); RIALTO_EBADREGION; RIALTO_EINVAL. On a negative value it
 *             is not held once more.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   waiting: a wake-up may be late by a tick, 100 ms. From the winning instruction on:
 *             the next acquirer is told.
 * Since       0.1
 */
int rialto_rlock_acquire(rialto_rlock_t *rlock);

/**
 * Acquires `rlock` if that needs no waiting. Cf. pthread_mutex_trylock.
 *
 * rlock       as for rialto_rlock_acquire.
 * Returns     as rialto_rlock_acquire; RIALTO_EAGAIN (another thread holds it).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_rlock_acquire.
 * Since       0.1
 */
int rialto_rlock_try_acquire(rialto_rlock_t *rlock);

/**
 * Acquires `rlock`, waiting at most `timeout_ns` nanoseconds. Cf. pthread_mutex_timedlock, but
 * relative and monotonic.
 *
 * rlock       as for rialto_rlock_acquire.
 * timeout_ns  0 is rialto_rlock_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_rlock_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_rlock_acquire.
 * Since       0.1
 */
int rialto_rlock_acquire_timeout(rialto_rlock_t *rlock, uint64_t timeout_ns);

/**
 * Undoes one acquisition of `rlock`; the last one releases it. After RIALTO_OWNER_DIED without
 * mark_consistent it becomes unusable then until reset, and all waiters get RIALTO_ENOTRECOVERABLE.
 * Cf. pthread_mutex_unlock.
 *
 * rlock       held by the calling thread.
 * Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_EBADREGION (somebody
 *             overwrote it: not touched, and not held any more); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   before it is free: the next acquirer is told. After: a waiter may be late by a tick.
 * Since       0.1
 */
int rialto_rlock_release(rialto_rlock_t *rlock);

/**
 * Says that what `rlock` protects is repaired: the next owners are not told any more. No effect if
 * it was acquired with RIALTO_OK. Cf. pthread_mutex_consistent.
 *
 * rlock       held by the calling thread.
 * Returns     RIALTO_OK; RIALTO_EPERM (not held by this thread); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the next acquirer is told of our death.
 * Since       0.1
 */
int rialto_rlock_mark_consistent(rialto_rlock_t *rlock);

/**
 * Whether the calling thread holds `rlock`.
 *
 * rlock       a recursive lock.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_rlock_is_mine(const rialto_rlock_t *rlock, bool *is_mine);

/**
 * Whether anybody holds `rlock`, or it is not recoverable.
 *
 * rlock       a recursive lock.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no recursive lock there); RIALTO_EINVAL (NULL,
 *             misaligned).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_rlock_is_locked(const rialto_rlock_t *rlock, bool *is_locked);

/**
 * How often the calling thread holds `rlock`, and so has to release it.
 *
 * rlock       a recursive lock.
 * times       gets the number; 0 if it is not held by this thread.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_rlock_recursion(const rialto_rlock_t *rlock, uint32_t *times);

/**
 * Makes a lock that is not recoverable usable again. Who calls it vouches for what the lock
 * protects. No effect on a free one.
 *
 * rlock       a recursive lock.
 * Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no recursive lock there);
 *             RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is reset or it is not.
 * Since       0.1
 */
int rialto_rlock_reset(rialto_rlock_t *rlock);

/**
 * Ends a lock that nobody will use again: from here on there is none. The memory is yours, once no
 * thread is in any call on it any more, which is not checked. Locks need not be destroyed; this
 * finds mistakes. Cf. pthread_mutex_destroy.
 *
 * rlock       a recursive lock that no thread waits for.
 * Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no recursive lock there);
 *             RIALTO_EINVAL.
 * Concurrency one thread, the last.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is destroyed or it is not.
 * Since       0.1
 */
int rialto_rlock_destroy(rialto_rlock_t *rlock);

/* ---- rialto_event_t: a flag to wait for ------------------------------------------------------ */

/**
 * A flag in shared memory that any number of threads wait for. Embed it in your own struct,
 * anywhere; the struct then is 64-aligned as well. Initialise it with RIALTO_EVENT_INIT or
 * rialto_event_init, once, before anybody else sees it; zeroed memory is refused. It belongs to
 * nobody, so no death damages it. Its memory must not be unmapped, freed or used for anything else
 * before all calls have returned: who set it may still be waking others when a waiter has gone on.
 */
typedef struct RIALTO_ALIGNED(64) rialto_event_t {
    /** Private. */
    uint32_t _private[16];
} rialto_event_t;

/** A clear event. */
#define RIALTO_EVENT_INIT {{0x54564552u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}

/**
 * Makes a clear event in place, whatever was there. It needs no end.
 *
 * event       64 bytes, 64-aligned, that nobody uses as an event now.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency one thread; publish the event to others afterwards.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   all other calls refuse what is left.
 * Since       0.1
 */
int rialto_event_init(rialto_event_t *event);

/**
 * Checks that there is an event. Takes nothing, so it needs no counterpart.
 *
 * event       64 readable bytes; what is in them does not matter.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no event there).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_event_attach(const rialto_event_t *event);

/**
 * Sets `event` and wakes everybody who waits for it. What was written before is seen by those who
 * then find it set. Again is harmless.
 *
 * event       initialised by rialto_event_init or RIALTO_EVENT_INIT.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no event there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is set or it is not; waiters notice which within a tick, 100 ms.
 * Since       0.1
 */
int rialto_event_set(rialto_event_t *event);

/**
 * Clears `event`. Whoever was waiting when it was set returns all the same. Again is harmless.
 *
 * event       as for rialto_event_set.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no event there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is clear or it is not.
 * Since       0.1
 */
int rialto_event_clear(rialto_event_t *event);

/**
 * Whether `event` is set.
 *
 * event       as for rialto_event_set.
 * is_set      gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no event there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_event_is_set(const rialto_event_t *event, bool *is_set);

/**
 * Waits until `event` is set, as long as it takes.
 *
 * event       as for rialto_event_set.
 * Returns     RIALTO_OK (it was set since the call began, if only for a moment); RIALTO_EBADREGION
 *             (no event there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.
 * Signals     not async-signal-safe: the interrupted thread may be the one that would set it.
 * If we die   nobody notices.
 * Since       0.1
 */
int rialto_event_wait(rialto_event_t *event);

/**
 * Waits until `event` is set, at most `timeout_ns` nanoseconds.
 *
 * event       as for rialto_event_set.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_event_wait; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it is clear).
 * Concurrency any thread of any process.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   nobody notices.
 * Since       0.1
 */
int rialto_event_wait_timeout(rialto_event_t *event, uint64_t timeout_ns);

/* ---- rialto_semaphore_t: counting semaphore, plain or bounded -------------------------------- */

/**
 * A counting semaphore in shared memory, for signalling: anybody may release, whoever acquired. A
 * permit belongs to nobody, so that of a process that dies is gone; where the same party acquires
 * and releases, use a rialto_tracked_semaphore_t. Embed it in your own struct, anywhere; the struct
 * then is 64-aligned as well. Initialise it with RIALTO_SEMAPHORE_INIT,
 * RIALTO_BOUNDED_SEMAPHORE_INIT or rialto_semaphore_init, once, before anybody else sees it; zeroed
 * memory is refused. Its memory must not be unmapped, freed or used for anything else before all
 * calls have returned: who released may still be waking somebody when the permit is taken already.
 * Cf. sem_t.
 */
typedef struct RIALTO_ALIGNED(64) rialto_semaphore_t {
    /** Private. */
    uint32_t _private[16];
} rialto_semaphore_t;

/** A semaphore of so many permits, 0 to 2^31 - 1, that can have 2^31 - 1. */
#define RIALTO_SEMAPHORE_INIT(value) \
    {{0x4D455352u, 0, (uint32_t)(value), 0x7FFFFFFFu, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}

/** A semaphore of so many permits, 0 to 2^31 - 1, that never has more. Evaluates `value` twice. */
#define RIALTO_BOUNDED_SEMAPHORE_INIT(value) \
    {{0x4D455352u, 0, (uint32_t)(value), (uint32_t)(value), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}

/**
 * Makes a semaphore in place, whatever was there, that can have 2^31 - 1 permits. It needs no end.
 * Cf. sem_init.
 *
 * semaphore   64 bytes, 64-aligned, that nobody uses as a semaphore now.
 * value       how many permits it has at first; 0 to 2^31 - 1.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, value).
 * Concurrency one thread; publish the semaphore to others afterwards.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   all other calls refuse what is left.
 * Since       0.1
 */
int rialto_semaphore_init(rialto_semaphore_t *semaphore, uint32_t value);

/**
 * As rialto_semaphore_init, for one that never has more permits than at first: who releases too
 * often is told.
 *
 * semaphore   as for rialto_semaphore_init.
 * value       how many permits it has at first and at most; 0 to 2^31 - 1.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, value).
 * Concurrency one thread; publish the semaphore to others afterwards.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   all other calls refuse what is left.
 * Since       0.1
 */
int rialto_semaphore_init_bounded(rialto_semaphore_t *semaphore, uint32_t value);

/**
 * Checks that there is a semaphore. Takes nothing, so it needs no counterpart.
 *
 * semaphore   64 readable bytes; what is in them does not matter.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no semaphore there).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_semaphore_attach(const rialto_semaphore_t *semaphore);

/**
 * Takes a permit, waiting for one as long as it takes. Cf. sem_wait.
 *
 * semaphore   initialised by rialto_semaphore_init, _init_bounded or one of the macros.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe: the interrupted thread may be the one that would release.
 * If we die   waiting: nothing is lost, but a waiter may be late by a tick, 100 ms. From the
 *             winning instruction on: the permit is gone with us.
 * Since       0.1
 */
int rialto_semaphore_acquire(rialto_semaphore_t *semaphore);

/**
 * Takes a permit if there is one now. Cf. sem_trywait.
 *
 * semaphore   as for rialto_semaphore_acquire.
 * Returns     as rialto_semaphore_acquire; RIALTO_EAGAIN (there is none).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as rialto_semaphore_acquire.
 * Since       0.1
 */
int rialto_semaphore_try_acquire(rialto_semaphore_t *semaphore);

/**
 * Takes a permit, waiting for one at most `timeout_ns` nanoseconds. Cf. sem_timedwait, but relative
 * and monotonic.
 *
 * semaphore   as for rialto_semaphore_acquire.
 * timeout_ns  0 is rialto_semaphore_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_semaphore_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_semaphore_acquire.
 * Since       0.1
 */
int rialto_semaphore_acquire_timeout(rialto_semaphore_t *semaphore, uint64_t timeout_ns);

/**
 * Gives one permit, and wakes somebody who waits for it. Cf. sem_post.
 *
 * semaphore   as for rialto_semaphore_acquire.
 * Returns     RIALTO_OK; RIALTO_EOVERFLOW (all that it can have are there: nothing changed);
 *             RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
 * Concurrency any thread of any process, whoever acquired.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   the permit is there or it is not; waiters find it within a tick, 100 ms.
 * Since       0.1
 */
int rialto_semaphore_release(rialto_semaphore_t *semaphore);

/**
 * Gives `permits` permits, all or none, and wakes as many of those who wait.
 *
 * semaphore   as for rialto_semaphore_acquire.
 * permits     how many; at least 1.
 * Returns     RIALTO_OK; RIALTO_EOVERFLOW (more than it can have: nothing changed);
 *             RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL (also: 0).
 * Concurrency any thread of any process, whoever acquired.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   all of them are there or none; waiters find them within a tick, 100 ms.
 * Since       0.1
 */
int rialto_semaphore_release_many(rialto_semaphore_t *semaphore, uint32_t permits);

/**
 * How many permits there are to be had. Cf. sem_getvalue.
 *
 * semaphore   as for rialto_semaphore_acquire.
 * value       gets the number, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_semaphore_value(const rialto_semaphore_t *semaphore, uint32_t *value);

/**
 * How many permits there can be at most.
 *
 * semaphore   as for rialto_semaphore_acquire.
 * bound       gets the number; 2^31 - 1 if it was not made bounded.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no semaphore there); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_semaphore_bound(const rialto_semaphore_t *semaphore, uint32_t *bound);

/* ---- rialto_condition_t: condition variable, with either lock -------------------------------- */

/**
 * A condition variable in shared memory, for what a rialto_lock_t or rialto_rlock_t protects; all
 * who wait with it use the same lock. Embed it in your own struct, anywhere; the struct then is
 * 64-aligned as well. Initialise it with RIALTO_CONDITION_INIT or rialto_condition_init, once,
 * before anybody else sees it; zeroed memory is refused. It belongs to nobody, so no death damages
 * it. Its memory must not be unmapped, freed or used for anything else before all calls have
 * returned. Cf. pthread_cond_t with PTHREAD_PROCESS_SHARED.
 */
typedef struct RIALTO_ALIGNED(64) rialto_condition_t {
    /** Private. */
    uint32_t _private[16];
} rialto_condition_t;

/** A condition that nobody waits with. */
#define RIALTO_CONDITION_INIT {{0x444E4352u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}

/**
 * Makes a condition in place, whatever was there. It needs no end. Cf. pthread_cond_init.
 *
 * condition   64 bytes, 64-aligned, that nobody uses as a condition now.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency one thread; publish the condition to others afterwards.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   all other calls refuse what is left.
 * Since       0.1
 */
int rialto_condition_init(rialto_condition_t *condition);

/**
 * Checks that there is a condition. Takes nothing, so it needs no counterpart.
 *
 * condition   64 readable bytes; what is in them does not matter.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no condition there).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_condition_attach(const rialto_condition_t *condition);

/**
 * Gives `lock` up, waits for a notification as long as it takes, and acquires `lock` again, which
 * has no timeout in any of these calls. It may return without a notification for us if others were
 * notified, so look at what you wait for, or use rialto_condition_wait_for. The death of somebody
 * who holds the lock meanwhile, and who would have notified, does not end the wait. Cf.
 * pthread_cond_wait.
 *
 * condition   initialised by rialto_condition_init or RIALTO_CONDITION_INIT.
 * lock        held by the calling thread, and repaired: acquired with RIALTO_OK or marked
 *             consistent.
 * Returns     HOLDING THE LOCK AGAIN: RIALTO_OK; RIALTO_OWNER_DIED (an owner died meanwhile: repair
 *             first, then mark_consistent; whether there was a notification is not said). Not
 *             holding it: RIALTO_EPERM (this thread did not hold it: nothing happened);
 *             RIALTO_ENOTRECOVERABLE (released unrepaired: by another owner, or by this very call
 *             if it was not repaired); RIALTO_EBADREGION (somebody overwrote the lock);
 *             RIALTO_ENOMEM. As it was before: RIALTO_EBADREGION (no condition there:
 *             rialto_lock_is_mine tells which); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   holding the lock, before or after: its next acquirer is told. Waiting: nothing is
 *             lost; a notification that only we got reaches another waiter within a tick, 100 ms.
 * Since       0.1
 */
int rialto_condition_wait(rialto_condition_t *condition, rialto_lock_t *lock);

/**
 * As rialto_condition_wait, waiting for a notification at most `timeout_ns` nanoseconds. Note that
 * the lock is held after RIALTO_ETIMEDOUT, too. Cf. pthread_cond_timedwait, but relative and
 * monotonic.
 *
 * condition, lock
 *             as for rialto_condition_wait.
 * timeout_ns  0 polls, giving the lock up for a moment; RIALTO_WAIT_FOREVER never passes. Never
 *             early.
 * Returns     as rialto_condition_wait; and HOLDING THE LOCK AGAIN, although negative:
 *             RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0). If an owner died meanwhile it is
 *             RIALTO_OWNER_DIED instead, whether or not the time has passed.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_timeout(rialto_condition_t *condition, rialto_lock_t *lock,
                                  uint64_t timeout_ns);

/**
 * Waits until `predicate` says true, as long as it takes: rialto_condition_wait in a loop.
 *
 * condition, lock
 *             as for rialto_condition_wait.
 * predicate   called holding the lock, at once and after each notification. It must return, and
 *             must not release the lock.
 * arg         passed to it.
 * Returns     as rialto_condition_wait. HOLDING THE LOCK: RIALTO_OK (the predicate is true now);
 *             RIALTO_OWNER_DIED (repair first; the predicate was not asked since).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_for(rialto_condition_t *condition, rialto_lock_t *lock,
                              bool (*predicate)(void *arg), void *arg);

/**
 * Waits until `predicate` says true, at most `timeout_ns` nanoseconds. Note that the lock is held
 * after RIALTO_ETIMEDOUT, too.
 *
 * condition, lock, predicate, arg
 *             as for rialto_condition_wait_for.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_condition_wait_for; and HOLDING THE LOCK, although negative:
 *             RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0): the predicate was false to the last. If an owner
 *             died meanwhile it is RIALTO_OWNER_DIED instead, whether or not the time has passed.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_for_timeout(rialto_condition_t *condition, rialto_lock_t *lock,
                                      uint64_t timeout_ns, bool (*predicate)(void *arg), void *arg);

/**
 * As rialto_condition_wait, with a recursive lock: given up wholly, however often it is held, and
 * held as often again afterwards, also with RIALTO_OWNER_DIED.
 *
 * condition   as for rialto_condition_wait.
 * rlock       as the lock there.
 * Returns     as rialto_condition_wait: HOLDING THE LOCK AGAIN with RIALTO_OK and
 *             RIALTO_OWNER_DIED.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_rlock(rialto_condition_t *condition, rialto_rlock_t *rlock);

/**
 * As rialto_condition_wait_timeout, with a recursive lock.
 *
 * condition, timeout_ns
 *             as for rialto_condition_wait_timeout.
 * rlock       as for rialto_condition_wait_rlock.
 * Returns     as rialto_condition_wait_timeout: HOLDING THE LOCK AGAIN with RIALTO_OK,
 *             RIALTO_OWNER_DIED, RIALTO_ETIMEDOUT and RIALTO_EAGAIN.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_timeout_rlock(rialto_condition_t *condition, rialto_rlock_t *rlock,
                                        uint64_t timeout_ns);

/**
 * As rialto_condition_wait_for, with a recursive lock.
 *
 * condition, predicate, arg
 *             as for rialto_condition_wait_for.
 * rlock       as for rialto_condition_wait_rlock.
 * Returns     as rialto_condition_wait_for: HOLDING THE LOCK with RIALTO_OK and RIALTO_OWNER_DIED.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_for_rlock(rialto_condition_t *condition, rialto_rlock_t *rlock,
                                    bool (*predicate)(void *arg), void *arg);

/**
 * As rialto_condition_wait_for_timeout, with a recursive lock.
 *
 * condition, timeout_ns, predicate, arg
 *             as for rialto_condition_wait_for_timeout.
 * rlock       as for rialto_condition_wait_rlock.
 * Returns     as rialto_condition_wait_for_timeout: HOLDING THE LOCK with RIALTO_OK,
 *             RIALTO_OWNER_DIED, RIALTO_ETIMEDOUT and RIALTO_EAGAIN.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_wait.
 * Since       0.1
 */
int rialto_condition_wait_for_timeout_rlock(rialto_condition_t *condition, rialto_rlock_t *rlock,
                                            uint64_t timeout_ns, bool (*predicate)(void *arg),
                                            void *arg);

/**
 * Notifies `waiters` of those who wait, or all if there are fewer; others may return, too. Nothing
 * is remembered if nobody waits. The lock need not be held; but what the waiters wait for must have
 * been changed under it, or one that is just about to wait may miss the change. Cf.
 * pthread_cond_signal.
 *
 * condition   as for rialto_condition_wait.
 * waiters     how many; 0 does nothing.
 * Returns     RIALTO_OK, whether or not anybody waited; RIALTO_EBADREGION (no condition there);
 *             RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   nobody is notified, or all who wait return within a tick, 100 ms.
 * Since       0.1
 */
int rialto_condition_notify(rialto_condition_t *condition, uint32_t waiters);

/**
 * Notifies all who wait. They get the lock one after the other and are woken in that order, not as
 * a herd. Otherwise as rialto_condition_notify. Cf. pthread_cond_broadcast.
 *
 * condition   as for rialto_condition_wait.
 * lock        the one that they wait with; need not be held.
 * Returns     RIALTO_OK, whether or not anybody waited; RIALTO_EBADREGION (no condition or no lock
 *             there: nobody is notified); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   nobody is notified, or all who wait return within a tick, 100 ms.
 * Since       0.1
 */
int rialto_condition_notify_all(rialto_condition_t *condition, rialto_lock_t *lock);

/**
 * As rialto_condition_notify_all, for those who wait with a recursive lock.
 *
 * condition   as for rialto_condition_wait.
 * rlock       the one that they wait with; need not be held.
 * Returns     as rialto_condition_notify_all.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_notify_all.
 * Since       0.1
 */
int rialto_condition_notify_all_rlock(rialto_condition_t *condition, rialto_rlock_t *rlock);

/* ==== A region, and who is in it ============================================================== */

/* ---- rialto_region_t: memory that several processes see -------------------------------------- */

/** For rialto_region_recover: believe what the kernel marked. Two loads per member. */
#define RIALTO_RECOVER_MARKED 0

/**
 * For rialto_region_recover: also ask the system about one unmarked member, another one
 * each time.
 */
#define RIALTO_RECOVER_TICK 1

/** For rialto_region_recover: ask about all of them. */
#define RIALTO_RECOVER_THOROUGH 2
/** In rialto_object_info_t: a rialto_queue_t. */
#define RIALTO_KIND_QUEUE 1
/** In rialto_object_info_t: a rialto_tracked_semaphore_t. */
#define RIALTO_KIND_TRACKED_SEMAPHORE 2
/** In rialto_object_info_t: a rialto_barrier_t. */
#define RIALTO_KIND_BARRIER 3
/** In rialto_object_info_t: a rialto_spsc_t. */
#define RIALTO_KIND_SPSC 4
/** In rialto_object_info_t: a rialto_pipe_t. */
#define RIALTO_KIND_PIPE 5
/** In rialto_object_info_t: a rialto_value_t. */
#define RIALTO_KIND_VALUE 6
/** In rialto_object_info_t: a rialto_array_t. */
#define RIALTO_KIND_ARRAY 7
/** In rialto_object_info_t: a rialto_list_t. */
#define RIALTO_KIND_LIST 8
/** In rialto_object_info_t: a rialto_dict_t. */
#define RIALTO_KIND_DICT 9
/** In rialto_object_info_t: a rialto_namespace_t. */
#define RIALTO_KIND_NAMESPACE 10
/** In rialto_object_info_t: made by rialto_raw_value_create. */
#define RIALTO_KIND_RAW_VALUE 11
/** In rialto_object_info_t: made by rialto_raw_array_create. */
#define RIALTO_KIND_RAW_ARRAY 12
/** In rialto_object_info_t: a rialto_lock_t. */
#define RIALTO_KIND_LOCK 13
/** In rialto_object_info_t: a rialto_rlock_t. */
#define RIALTO_KIND_RLOCK 14
/** In rialto_object_info_t: a rialto_event_t. */
#define RIALTO_KIND_EVENT 15
/** In rialto_object_info_t: a rialto_semaphore_t. */
#define RIALTO_KIND_SEMAPHORE 16
/** In rialto_object_info_t: a rialto_condition_t. */
#define RIALTO_KIND_CONDITION 17

/**
 * What a region is created with. Fill it with rialto_region_config_default, then change what you
 * like.
 */
typedef struct rialto_region_config_t {
    /**
     * How many threads can be members at a time, explicit memberships included: 1 to 4095. So many
     * views of the region, and 16 more, can use objects.
     */
    uint32_t members;
    /** How many named objects there can be. 1 to 4096. */
    uint32_t objects;
    /**
     * The bound, in milliseconds, within which a sleeper notices what nobody told it. 1 to
     * 60000.
     */
    uint32_t tick_ms;
    /** Must be 0. */
    uint32_t _reserved[5];
} rialto_region_config_t;

/** Bytes and alignment of something. */
typedef struct rialto_layout_t {
    /** Bytes. */
    uint64_t size;
    /** A power of two. */
    uint64_t align;
} rialto_layout_t;

/**
 * A region, as this process sees it: a pinned view, on your stack or wherever you like. It must
 * outlive all views made from it. A forked child may go on using its copy of the process's memory.
 */
typedef struct RIALTO_ALIGNED(8) rialto_region_t {
    /** Private. */
    uint64_t _private[16];
} rialto_region_t;

/** What a recovery found. */
typedef struct rialto_recovered_t {
    /** Members whose recovery was completed by this call. */
    uint32_t members;
    /** Messages that dead members had in hand, now waiting for somebody else. */
    uint32_t redelivered;
    /** Queue slots that dead producers had claimed and not filled. */
    uint32_t freed;
    /** Messages given up: by RIALTO_ON_DEATH_DROP, or because 31 holders died with them. */
    uint32_t dropped;
    /** Permits of tracked semaphores that dead members held. */
    uint32_t permits;
    /** Barriers that were broken because a party of theirs died. */
    uint32_t broken;
    /** Ends of pipes and SPSC queues that dead members held. */
    uint32_t ends;
    /** 0. */
    uint32_t _reserved;
} rialto_recovered_t;

/** The room for objects in a region, in bytes. */
typedef struct rialto_space_t {
    /** All of it: the region without its header and tables. */
    uint64_t total;
    /** What objects have, rounded up to 128 each. */
    uint64_t used;
    /** The rest, perhaps in pieces. */
    uint64_t free;
    /** The largest piece: the size of the largest object that can be created. */
    uint64_t largest;
} rialto_space_t;

/** One object of a region, a moment ago. */
typedef struct rialto_object_info_t {
    /** Under which it was created; ends with a zero. */
    uint8_t name[32];
    /** One of RIALTO_KIND_... */
    uint32_t kind;
    /**
     * How many views of the region use it, see rialto_region_remove; those of the dead do not
     * count.
     */
    uint32_t users;
    /** Where it lies in the region. */
    uint64_t offset;
    /** Its bytes. */
    uint64_t size;
    /** 0. */
    uint64_t _reserved;
} rialto_object_info_t;

/**
 * Fills in the defaults: 64 members, 32 objects, a tick of 100 ms.
 *
 * config      gets them.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_config_default(rialto_region_config_t *config);

/**
 * What a region takes for its header and tables; the layouts of its objects come on top, each
 * rounded up to its alignment.
 *
 * config      of the region.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_layout(const rialto_region_config_t *config, rialto_layout_t *layout);

/**
 * Makes a region in your memory. For the first party.
 *
 * region      gets the view.
 * memory      128-aligned; zero-filled, or left by somebody who died in here; used by nobody before
 *             this returns, by nobody but Rialto afterwards, and mapped until rialto_region_detach
 *             has returned RIALTO_OK.
 * memory_bytes
 *             how many.
 * config      how many members and objects.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (no room for the tables); RIALTO_EEXIST (a region is there
 *             already; clear its first 8 bytes if you mean it); RIALTO_EINVAL.
 * Concurrency one thread of one process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   rialto_region_attach refuses what is left; call this again.
 * Since       0.1
 */
int rialto_region_init(rialto_region_t *region, void *memory, size_t memory_bytes,
                       const rialto_region_config_t *config);

/**
 * Attaches to the region that somebody made in memory that you mapped, wherever you mapped it.
 *
 * region      gets the view.
 * memory      128-aligned, readable and writable, shared, mapped until rialto_region_detach has
 *             returned RIALTO_OK. What is in it does not matter: it is checked, and believed only
 *             as far as that goes.
 * memory_bytes
 *             how many are mapped; the region may be smaller.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no region, half a one, or larger than memory_bytes);
 *             RIALTO_EVERSION; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   nothing happened.
 * Since       0.1
 */
int rialto_region_attach(rialto_region_t *region, void *memory, size_t memory_bytes);

/**
 * Makes a region that the children see which this process forks from now on.
 *
 * region      gets the view.
 * size_bytes  of the whole region.
 * config      how many members and objects.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (too small for the tables); RIALTO_ENOMEM; RIALTO_EINVAL;
 *             another negated errno of mmap.
 * Concurrency any thread.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the memory goes with us.
 * Since       0.1
 */
int rialto_region_create_anonymous(rialto_region_t *region, size_t size_bytes,
                                   const rialto_region_config_t *config);

/**
 * Makes a region in a memfd, all pages allocated, sealed against resizing. Pass rialto_region_fd on
 * by inheritance, SCM_RIGHTS, or as /proc/PID/fd/N.
 *
 * region      gets the view.
 * size_bytes  of the whole region.
 * config      how many members and objects.
 * Returns     RIALTO_OK; RIALTO_ENOSPC; RIALTO_ENOMEM; RIALTO_ENOTSUP; RIALTO_EINVAL; another
 *             negated errno.
 * Concurrency any thread.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the memory goes with us, unless somebody has the descriptor.
 * Since       0.1
 */
int rialto_region_create_memfd(rialto_region_t *region, size_t size_bytes,
                               const rialto_region_config_t *config);

/**
 * Attaches to the region in a file: a memfd, or what shm_open or open gave. Maps it.
 *
 * region      gets the view.
 * fd          open for reading and writing; stays yours, and may be closed afterwards.
 * Returns     as rialto_region_attach; RIALTO_ENOSPC (pages were missing and there is no room);
 *             RIALTO_ENOMEM; another negated errno, say -9 (EBADF).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   nothing happened.
 * Since       0.1
 */
int rialto_region_attach_fd(rialto_region_t *region, int fd);

/**
 * Makes a region under a name in /dev/shm, all pages allocated, readable by this user only. It
 * appears there whole or not at all. It stays until rialto_region_unlink_named.
 *
 * region      gets the view.
 * name        1 to 255 bytes of UTF-8, no slash but one in front.
 * size_bytes  of the whole region.
 * config      how many members and objects.
 * Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (too small, or /dev/shm is full);
 *             RIALTO_ENOMEM; RIALTO_ENOTSUP; RIALTO_EINVAL; another negated errno.
 * Concurrency any thread of any process: one of several wins.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the name is there and the region whole, or nothing is.
 * Since       0.1
 */
int rialto_region_create_named(rialto_region_t *region, const char *name, size_t size_bytes,
                               const rialto_region_config_t *config);

/**
 * Attaches to the region of that name in /dev/shm. Cf. shm_open and mmap.
 *
 * region      gets the view.
 * name        as it was created.
 * Returns     as rialto_region_attach_fd; RIALTO_ENOENT.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   nothing happened.
 * Since       0.1
 */
int rialto_region_attach_named(rialto_region_t *region, const char *name);

/**
 * Removes the name. Those who are attached keep the region. Cf. shm_unlink.
 *
 * name        as it was created.
 * Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EINVAL; another negated errno.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is removed or it is not.
 * Since       0.1
 */
int rialto_region_unlink_named(const char *name);

/**
 * The descriptor of a region that this view created as a memfd or under a name.
 *
 * region      alive.
 * fd          gets it; it is the view's: do not close it.
 * Returns     RIALTO_OK; RIALTO_ENOENT (there is none: attached, anonymous, or your memory);
 *             RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_fd(const rialto_region_t *region, int *fd);

/**
 * Where this process sees the region.
 *
 * region      alive.
 * base        gets the address of its first byte.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_base(const rialto_region_t *region, void **base);

/**
 * How large the region is.
 *
 * region      alive.
 * size_bytes  gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_size(const rialto_region_t *region, size_t *size_bytes);

/**
 * How many members there are at about this time, the dead that nobody has noticed included.
 *
 * region      alive.
 * members     gets the number.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_member_count(const rialto_region_t *region, uint32_t *members);

/**
 * Looks for members that are certainly dead and gives back all they had in hand. Blocked callers do
 * that by themselves; this is for programs that only poll.
 *
 * region      alive.
 * depth       RIALTO_RECOVER_MARKED, RIALTO_RECOVER_TICK or RIALTO_RECOVER_THOROUGH.
 * recovered   gets what was found; may be NULL.
 * Returns     RIALTO_OK, whether or not anybody was dead; RIALTO_EINVAL.
 * Concurrency any thread of any process, several at once.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else does it again from the beginning.
 * Since       0.1
 */
int rialto_region_recover(const rialto_region_t *region, uint32_t depth,
                          rialto_recovered_t *recovered);

/**
 * Ends the calling thread's own membership, which it got when it first used something here that has
 * members: a queue, pipe, SPSC queue, tracked semaphore or barrier. A thread that ends leaves by
 * itself; one that lives on stays a member until it calls this, of 16 regions at most: then it gets
 * RIALTO_EMFILE.
 *
 * region      alive.
 * Returns     RIALTO_OK, also if it was no member; RIALTO_EBUSY (it has a message, a permit or an
 *             end in hand, or is registered with a barrier: end that first); RIALTO_EPERM (a peer
 *             has damaged its entry among the members); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread, for itself.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as if we had died before.
 * Since       0.1
 */
int rialto_region_leave(const rialto_region_t *region);

/**
 * Leaves, unmaps what Rialto mapped, closes its descriptor, and ends the view, and with it all
 * views and addresses that were got from it: using one afterwards is not noticed, and crashes. The
 * region lives on for the others. Refused while that could hurt this process; nothing but the
 * leaving is done then.
 *
 * region      alive; no other thread is using it or what was made from it.
 * Returns     RIALTO_OK; RIALTO_EBUSY (a thread of this process is a member; or this one has a
 *             message, a permit or an end in hand, is registered with a barrier, or holds a lock in
 *             there); RIALTO_EPERM (a peer has damaged its entry among the members); RIALTO_ENOMEM;
 *             RIALTO_EINVAL (also: detached already).
 * Concurrency one thread, the last.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as if we had died before.
 * Since       0.1
 */
int rialto_region_detach(rialto_region_t *region);

/**
 * Removes the object of that name, of whatever kind: its room and its name are free again.
 *
 * Refused, and nothing changed, while anybody may use it: while another view of the region is alive
 * through which it was created or opened, in a process that may be alive; or while anybody, this
 * process included, has something of it in hand: a message, a permit, an end of a pipe or SPSC
 * queue, a place in a barrier, a lock. What was made through this very view you must not use any
 * more, on any thread; nor must a forked child that inherited it and has not yet called anything
 * that creates, opens or becomes a member. Used all the same, it acts on whatever lies in its place
 * then, inside the region.
 *
 * region      alive.
 * name        as it was created.
 * Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EBUSY; RIALTO_ENOTRECOVERABLE (a peer has damaged
 *             the directory's lock); RIALTO_EBADREGION; RIALTO_ENFILE (a forked child that finds
 *             the region's table of views full); RIALTO_EMFILE; RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, while another creates or removes (a stopped
 *             one holds it up), and up to a tick while somebody recovers the dead in there.
 * Signals     not async-signal-safe.
 * If we die   the object is there, whole, or it is not.
 * Since       0.1
 */
int rialto_region_remove(const rialto_region_t *region, const char *name);

/**
 * As rialto_region_remove, waiting at most `timeout_ns` nanoseconds for others who create or
 * remove.
 *
 * region, name
 *             as for rialto_region_remove.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_region_remove; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
 * Concurrency as rialto_region_remove.
 * Signals     not async-signal-safe.
 * If we die   as rialto_region_remove.
 * Since       0.1
 */
int rialto_region_remove_timeout(const rialto_region_t *region, const char *name,
                                 uint64_t timeout_ns);

/**
 * How much room there is. While others create and remove, about that much.
 *
 * region      alive.
 * space       gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_region_space(const rialto_region_t *region, rialto_space_t *space);

/**
 * Lists the objects, one each time, until RIALTO_ENOENT. While others create and remove, one may be
 * missed, or appear twice.
 *
 * region      alive.
 * cursor      0 for the first one; is moved on.
 * info        gets the next object.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no more); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_region_next_object(const rialto_region_t *region, uint32_t *cursor,
                              rialto_object_info_t *info);

/* ---- rialto_lock_create: locks and other embeddable objects, by name in a region ------------- */

/**
 * Creates a lock, free, under a name in a region, waiting for others who create there as long as it
 * takes.
 *
 * region      alive; its view must outlive the object's use.
 * name        1 to 31 bytes of UTF-8.
 * lock        gets its address in this process.
 * Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free); RIALTO_ENFILE
 *             (the region's table of views is full); RIALTO_EMFILE; RIALTO_EBADREGION;
 *             RIALTO_ENOTRECOVERABLE (a peer has damaged the directory's lock: nothing can be
 *             created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole one or none, and the room is not lost.
 * Since       0.1
 */
int rialto_lock_create(const rialto_region_t *region, const char *name, rialto_lock_t **lock);

/**
 * Finds the lock of that name.
 *
 * region      alive; its view must outlive the object's use.
 * name        as it was created.
 * lock        gets its address in this process.
 * Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND; RIALTO_EBADREGION; RIALTO_ENFILE (the
 *             region's table of views is full); RIALTO_EBUSY (six threads are stopped in the middle
 *             of such a call through this region's view); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_lock_open(const rialto_region_t *region, const char *name, rialto_lock_t **lock);

/**
 * The lock of that name, which is created if there is none.
 *
 * region, name, lock
 *             as for rialto_lock_create.
 * Returns     as rialto_lock_open and rialto_lock_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_lock_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_lock_create.
 * Since       0.1
 */
int rialto_lock_open_or_create(const rialto_region_t *region, const char *name,
                               rialto_lock_t **lock);

/**
 * Creates a recursive lock, free, under a name in a region, waiting for others who create there as
 * long as it takes.
 *
 * region      alive; its view must outlive the object's use.
 * name        1 to 31 bytes of UTF-8.
 * rlock       gets its address in this process.
 * Returns     as rialto_lock_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole one or none, and the room is not lost.
 * Since       0.1
 */
int rialto_rlock_create(const rialto_region_t *region, const char *name, rialto_rlock_t **rlock);

/**
 * Finds the recursive lock of that name.
 *
 * region      alive; its view must outlive the object's use.
 * name        as it was created.
 * rlock       gets its address in this process.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_rlock_open(const rialto_region_t *region, const char *name, rialto_rlock_t **rlock);

/**
 * The recursive lock of that name, which is created if there is none.
 *
 * region, name, rlock
 *             as for rialto_rlock_create.
 * Returns     as rialto_rlock_open and rialto_rlock_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_rlock_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_rlock_create.
 * Since       0.1
 */
int rialto_rlock_open_or_create(const rialto_region_t *region, const char *name,
                                rialto_rlock_t **rlock);

/**
 * Creates an event, clear, under a name in a region, waiting for others who create there as long as
 * it takes.
 *
 * region      alive; its view must outlive the object's use.
 * name        1 to 31 bytes of UTF-8.
 * event       gets its address in this process.
 * Returns     as rialto_lock_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole one or none, and the room is not lost.
 * Since       0.1
 */
int rialto_event_create(const rialto_region_t *region, const char *name, rialto_event_t **event);

/**
 * Finds the event of that name.
 *
 * region      alive; its view must outlive the object's use.
 * name        as it was created.
 * event       gets its address in this process.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_event_open(const rialto_region_t *region, const char *name, rialto_event_t **event);

/**
 * The event of that name, which is created if there is none.
 *
 * region, name, event
 *             as for rialto_event_create.
 * Returns     as rialto_event_open and rialto_event_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_event_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_event_create.
 * Since       0.1
 */
int rialto_event_open_or_create(const rialto_region_t *region, const char *name,
                                rialto_event_t **event);

/**
 * Creates a condition, with nobody waiting, under a name in a region, waiting for others who create
 * there as long as it takes.
 *
 * region      alive; its view must outlive the object's use.
 * name        1 to 31 bytes of UTF-8.
 * condition   gets its address in this process.
 * Returns     as rialto_lock_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole one or none, and the room is not lost.
 * Since       0.1
 */
int rialto_condition_create(const rialto_region_t *region, const char *name,
                            rialto_condition_t **condition);

/**
 * Finds the condition of that name.
 *
 * region      alive; its view must outlive the object's use.
 * name        as it was created.
 * condition   gets its address in this process.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_condition_open(const rialto_region_t *region, const char *name,
                          rialto_condition_t **condition);

/**
 * The condition of that name, which is created if there is none.
 *
 * region, name, condition
 *             as for rialto_condition_create.
 * Returns     as rialto_condition_open and rialto_condition_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_condition_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_condition_create.
 * Since       0.1
 */
int rialto_condition_open_or_create(const rialto_region_t *region, const char *name,
                                    rialto_condition_t **condition);

/**
 * Creates a plain semaphore under a name in a region, waiting for others who create there as long
 * as it takes.
 *
 * region      alive; its view must outlive the object's use.
 * name        1 to 31 bytes of UTF-8.
 * value       permits that are free at first, 0 to 2^31 - 1.
 * is_bounded  whether there are never more.
 * semaphore   gets its address in this process.
 * Returns     as rialto_lock_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole one or none, and the room is not lost.
 * Since       0.1
 */
int rialto_semaphore_create(const rialto_region_t *region, const char *name, uint32_t value,
                            bool is_bounded, rialto_semaphore_t **semaphore);

/**
 * Finds the plain semaphore of that name.
 *
 * region      alive; its view must outlive the object's use.
 * name        as it was created.
 * semaphore   gets its address in this process.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_semaphore_open(const rialto_region_t *region, const char *name,
                          rialto_semaphore_t **semaphore);

/**
 * The plain semaphore of that name, which is created if there is none.
 *
 * region, name, value, is_bounded, semaphore
 *             as for rialto_semaphore_create.
 * Returns     as rialto_semaphore_open and rialto_semaphore_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another bound.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_semaphore_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_semaphore_create.
 * Since       0.1
 */
int rialto_semaphore_open_or_create(const rialto_region_t *region, const char *name, uint32_t value,
                                    bool is_bounded, rialto_semaphore_t **semaphore);

/* ---- rialto_member_t: explicit membership, for thread pools ---------------------------------- */

/**
 * A membership that you made yourself, instead of the one that each thread gets on first use: for
 * thread pools, where the thread that acts is not the one whose death should count. A pinned view;
 * it belongs to the thread that joined, which must outlive its use.
 */
typedef struct rialto_member_t {
    /** Private. */
    uint64_t _private[8];
} rialto_member_t;

/**
 * Makes the calling thread a member besides (or instead of) its implicit membership. Pass the view
 * to rialto_queue_as_member or the like. What the member has in hand is given back when this thread
 * dies or ends, a barrier that it is a party of is broken, and its ends of pipes are closed.
 *
 * region      alive; it must outlive the member.
 * member      gets the view.
 * Returns     RIALTO_OK; RIALTO_ENFILE (the table is full); RIALTO_EMFILE (this thread holds 64
 *             locks and memberships); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no; if the table is full, it looks among all
 *             members for the dead, a tick at most.
 * Signals     not async-signal-safe.
 * If we die   the place in the table is recovered by the next who need it.
 * Since       0.1
 */
int rialto_region_join(const rialto_region_t *region, rialto_member_t *member);

/**
 * Its number in the region, unique among members at a time.
 *
 * member      alive.
 * id          gets 1 to 4095.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_member_id(const rialto_member_t *member, uint32_t *id);

/**
 * Ends the membership and its view.
 *
 * member      alive; no other thread is using it, nor a view that acts as it.
 * Returns     RIALTO_OK; RIALTO_EPERM (another thread, or a forked child: not done); RIALTO_EBUSY
 *             (it has a message, a permit or an end in hand, or is registered with a barrier, or
 *             waits there: not done); RIALTO_ENOMEM; RIALTO_EINVAL (also: left already).
 * Concurrency the thread that joined.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as if we had died before.
 * Since       0.1
 */
int rialto_member_leave(rialto_member_t *member);

/* ==== Messages: objects with a name in a region =============================================== */

/* ---- rialto_queue_t: bounded queue of byte messages, for any number of threads --------------- */

/**
 * A queue flag: cheaper, and still kill-safe, but a stopped participant blocks others at
 * its slot.
 */
#define RIALTO_QUEUE_KILL_ONLY 1

/** A queue flag: a popped message stays in hand, and in its slot, until rialto_queue_task_done. */
#define RIALTO_QUEUE_JOINABLE 2

/**
 * A queue's kind: messages lie in the slots of a ring. The fastest, where they are written and read
 * at once; a loan that others overtook is copied when it is committed.
 */
#define RIALTO_QUEUE_RING 0

/**
 * A queue's kind: messages lie in blocks of their own, with a ring of their indices. For large ones
 * that are written, or held, for long: never copied, holds nobody up. At most 32768 slots.
 */
#define RIALTO_QUEUE_INDEXED 1

/**
 * A message whose holder died: somebody else gets it, marked; after max_attempts redeliveries
 * nobody but rialto_queue_take_poisoned. Delivers at least once.
 */
#define RIALTO_ON_DEATH_REDELIVER 0

/**
 * A message whose holder died: it is gone, and counted, see rialto_queue_dropped. Delivers at most
 * once, but for messages that a living holder gave back.
 */
#define RIALTO_ON_DEATH_DROP 1

/**
 * A message whose holder died, or gave it back: pop says RIALTO_EBADMSG until
 * rialto_queue_take_poisoned has taken it.
 */
#define RIALTO_ON_DEATH_STOP 2

/**
 * Which popped message is done: what a pop of a joinable queue gives, and rialto_queue_task_done
 * wants. Private to the process; copy it as you like. {0} is nobody's.
 */
typedef struct rialto_ticket_t {
    /** Private. */
    uint64_t _private[2];
} rialto_ticket_t;

/**
 * What a queue is created with. Fill it with rialto_queue_config_default, then change what you
 * like.
 */
typedef struct rialto_queue_config_t {
    /**
     * Messages that fit; rounded up to a power of two. 1 to 65536 (indexed: 32768); 1 is taken as
     * 2.
     */
    uint32_t slots;
    /** The longest message, in bytes. 1 to 2^30; every slot takes that much room. */
    uint32_t max_message_bytes;
    /**
     * How often a message is redelivered after its holders died before pop passes over it and only
     * rialto_queue_take_poisoned gets it. 1 to 30. Says nothing with RIALTO_ON_DEATH_STOP.
     */
    uint32_t max_attempts;
    /** 0, or any of RIALTO_QUEUE_KILL_ONLY and RIALTO_QUEUE_JOINABLE. */
    uint32_t flags;
    /** RIALTO_QUEUE_RING or RIALTO_QUEUE_INDEXED: how messages lie in memory. */
    uint32_t kind;
    /** RIALTO_ON_DEATH_...: what becomes of a message whose holder died with it in hand. */
    uint32_t on_death;
    /** Must be 0. */
    uint32_t _reserved[2];
} rialto_queue_config_t;

/**
 * A bounded queue of byte messages, for any number of producers and consumers. A plain view. Cf.
 * mq_open.
 */
typedef struct rialto_queue_t {
    /** Private. */
    uint64_t _private[24];
} rialto_queue_t;

/**
 * Fills in the defaults: a RIALTO_QUEUE_RING, RIALTO_ON_DEATH_REDELIVER at most 5 times, no flags.
 *
 * slots       messages that fit.
 * max_message_bytes
 *             the longest message.
 * config      gets these and the usual for the rest; the numbers are not checked yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_config_default(uint32_t slots, uint32_t max_message_bytes,
                                rialto_queue_config_t *config);

/**
 * What a queue takes in its region.
 *
 * config      of the queue.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_layout(const rialto_queue_config_t *config, rialto_layout_t *layout);

/**
 * What the queue was created with.
 *
 * queue       alive.
 * config      gets it, the slots as rialto_queue_capacity says. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_config(const rialto_queue_t *queue, rialto_queue_config_t *config);

/**
 * Makes an empty queue in a region, waiting for others who create there as long as it takes.
 *
 * region      alive; its view must outlive the queue's.
 * name        1 to 31 bytes of UTF-8.
 * config      how many slots, how long.
 * queue       gets the view.
 * Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free); RIALTO_ENFILE
 *             (the region's table of views is full); RIALTO_EMFILE; RIALTO_EBADREGION;
 *             RIALTO_ENOTRECOVERABLE (a peer has damaged the directory's lock: nothing can be
 *             created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole queue or none, and the room is not lost.
 * Since       0.1
 */
int rialto_queue_create(const rialto_region_t *region, const char *name,
                        const rialto_queue_config_t *config, rialto_queue_t *queue);

/**
 * As rialto_queue_create, waiting at most `timeout_ns` nanoseconds for others who create.
 *
 * region, name, config, queue
 *             as for rialto_queue_create.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
 * Concurrency as rialto_queue_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_create.
 * Since       0.1
 */
int rialto_queue_create_timeout(const rialto_region_t *region, const char *name,
                                const rialto_queue_config_t *config, uint64_t timeout_ns,
                                rialto_queue_t *queue);

/**
 * Finds the queue of that name.
 *
 * region      alive; its view must outlive the queue's.
 * name        as it was created.
 * queue       gets the view.
 * Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND; RIALTO_EVERSION; RIALTO_EBADREGION;
 *             RIALTO_ENFILE (the region's table of views is full); RIALTO_EBUSY (six threads are
 *             stopped in the middle of such a call through this region's view); RIALTO_ENOMEM;
 *             RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_queue_open(const rialto_region_t *region, const char *name, rialto_queue_t *queue);

/**
 * As rialto_queue_open, if the queue was created with these parameters (and as many slots, rounded
 * up).
 *
 * region, name, queue
 *             as for rialto_queue_open.
 * config      what is expected.
 * Returns     as rialto_queue_open; RIALTO_EWRONGKIND also if it was created with other parameters.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_queue_open_as(const rialto_region_t *region, const char *name,
                         const rialto_queue_config_t *config, rialto_queue_t *queue);

/**
 * The queue of that name, which is created if there is none.
 *
 * region, name, config, queue
 *             as for rialto_queue_create.
 * Returns     as rialto_queue_open and rialto_queue_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another config.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_queue_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_create.
 * Since       0.1
 */
int rialto_queue_open_or_create(const rialto_region_t *region, const char *name,
                                const rialto_queue_config_t *config, rialto_queue_t *queue);

/**
 * The same queue, seen by a member that you made, whichever thread calls.
 *
 * queue       alive.
 * member      alive, of the same region; it must outlive the new view's use. One of another region
 *             is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a forked
 *             child, which must not act as it.
 * as_member   gets the new view; may be `queue`.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_as_member(const rialto_queue_t *queue, const rialto_member_t *member,
                           rialto_queue_t *as_member);

/**
 * No more pushes; pop and peek drain what is there, then say RIALTO_EPIPE. Wakes everybody. Again
 * is harmless.
 *
 * queue       alive.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is closed or it is not; sleepers notice at their tick.
 * Since       0.1
 */
int rialto_queue_close(const rialto_queue_t *queue);

/**
 * Whether the queue is closed.
 *
 * queue       alive.
 * is_closed   gets the answer. Once true, always true.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_is_closed(const rialto_queue_t *queue, bool *is_closed);

/**
 * Messages that nobody has in hand at about this time: those that a pop could take, redelivered
 * ones too, and those that are set aside (rialto_queue_poisoned), which it would not.
 *
 * queue       alive.
 * messages    gets the number: old when you read it, unless you are the only consumer (then it can
 *             only grow) or the only producer (then only shrink). Walks all slots.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_len(const rialto_queue_t *queue, size_t *messages);

/**
 * Whether rialto_queue_len would say 0.
 *
 * queue       alive.
 * is_empty    gets the answer: as old as that. Walks all slots.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_is_empty(const rialto_queue_t *queue, bool *is_empty);

/**
 * Whether rialto_queue_try_push would find no room. Messages in hand take room too, and of a
 * joinable queue those that are not done.
 *
 * queue       alive.
 * is_full     gets the answer: as old as rialto_queue_len's.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_is_full(const rialto_queue_t *queue, bool *is_full);

/**
 * Messages that fit: what was asked for, rounded up to a power of two.
 *
 * queue       alive.
 * slots       gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_capacity(const rialto_queue_t *queue, size_t *slots);

/**
 * The longest message, in bytes; what a buffer for pop needs.
 *
 * queue       alive.
 * max_message_bytes
 *             gets it. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_max_message_bytes(const rialto_queue_t *queue, size_t *max_message_bytes);

/**
 * Messages that are set aside for rialto_queue_take_poisoned.
 *
 * queue       alive.
 * messages    gets the number: as old as rialto_queue_len's, which counts them too. Walks all
 *             slots.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_poisoned(const rialto_queue_t *queue, size_t *messages);

/**
 * Messages given up since the queue was made: their holders died, and the queue is one of
 * RIALTO_ON_DEATH_DROP, or 31 holders did.
 *
 * queue       alive.
 * messages    gets the number. It only grows; whoever gave one up and was killed before counting it
 *             is missed.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_dropped(const rialto_queue_t *queue, uint64_t *messages);

/**
 * Appends a message, waiting for room as long as it takes. Cf. mq_send.
 *
 * queue       alive.
 * message     the bytes, in private memory; NULL if there are none.
 * message_bytes
 *             how many, at most the queue's longest.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EPERM
 *             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
 *             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL. Negative: nothing appended.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   the message is in the queue, or goes with us. Nobody is held up beyond a tick.
 * Since       0.1
 */
int rialto_queue_push(const rialto_queue_t *queue, const void *message, size_t message_bytes);

/**
 * Appends a message if there is room now.
 *
 * queue, message, message_bytes
 *             as for rialto_queue_push.
 * Returns     as rialto_queue_push; RIALTO_EAGAIN (full).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_push.
 * Since       0.1
 */
int rialto_queue_try_push(const rialto_queue_t *queue, const void *message, size_t message_bytes);

/**
 * Appends a message, waiting for room at most `timeout_ns` nanoseconds. Cf. mq_timedsend, but
 * relative and monotonic.
 *
 * queue, message, message_bytes
 *             as for rialto_queue_push.
 * timeout_ns  0 is rialto_queue_try_push; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_push; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_push.
 * Since       0.1
 */
int rialto_queue_push_timeout(const rialto_queue_t *queue, const void *message,
                              size_t message_bytes, uint64_t timeout_ns);

/**
 * Takes the next message, waiting for one as long as it takes. From then on it is yours: if it must
 * survive your death, use rialto_queue_peek. Cf. mq_receive.
 *
 * queue       alive.
 * buffer      private memory, gets the message.
 * buffer_bytes
 *             how large it is; at least the queue's longest message.
 * length_bytes
 *             gets the message's length.
 * attempt     gets how many holders before you died with it in hand or gave it back; may be NULL.
 * Returns     RIALTO_OK; RIALTO_REDELIVERED (a message, and attempt is not 0); RIALTO_EPIPE (closed
 *             and drained); RIALTO_EBADMSG (see RIALTO_ON_DEATH_STOP); RIALTO_ENOBUFS (nothing
 *             taken); RIALTO_EBADREGION (a peer damaged the message; it is gone); RIALTO_EPERM
 *             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
 *             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL (also: a joinable queue, see
 *             rialto_queue_pop_ticket).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   before it is taken: it goes to somebody else, marked. After: with us.
 * Since       0.1
 */
int rialto_queue_pop(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                     size_t *length_bytes, uint32_t *attempt);

/**
 * Takes the next message if there is one now.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_queue_pop.
 * Returns     as rialto_queue_pop; RIALTO_EAGAIN (empty).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop.
 * Since       0.1
 */
int rialto_queue_try_pop(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                         size_t *length_bytes, uint32_t *attempt);

/**
 * Takes the next message, waiting for one at most `timeout_ns` nanoseconds. Cf. mq_timedreceive,
 * but relative and monotonic.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_queue_pop.
 * timeout_ns  0 is rialto_queue_try_pop; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_pop; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop.
 * Since       0.1
 */
int rialto_queue_pop_timeout(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                             uint64_t timeout_ns, size_t *length_bytes, uint32_t *attempt);

/**
 * Takes a message that so many holders died with that pop passes it over, or for which pop says
 * RIALTO_EBADMSG.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_queue_pop.
 * Returns     as rialto_queue_pop, usually RIALTO_REDELIVERED; RIALTO_EAGAIN (there is none).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop; it stays poisoned.
 * Since       0.1
 */
int rialto_queue_take_poisoned(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                               size_t *length_bytes, uint32_t *attempt);

/**
 * As rialto_queue_pop, with a ticket. Of a joinable queue the message stays in hand, and in its
 * slot, until rialto_queue_task_done; of another queue the ticket is good for nothing.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_queue_pop.
 * ticket      gets the message's ticket: keep it for rialto_queue_task_done.
 * Returns     as rialto_queue_pop, of a joinable queue too.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   before rialto_queue_task_done: it goes to somebody else, marked.
 * Since       0.1
 */
int rialto_queue_pop_ticket(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                            size_t *length_bytes, uint32_t *attempt, rialto_ticket_t *ticket);

/**
 * As rialto_queue_try_pop, with a ticket.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt, ticket
 *             as for rialto_queue_pop_ticket.
 * Returns     as rialto_queue_pop_ticket; RIALTO_EAGAIN (empty).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop_ticket.
 * Since       0.1
 */
int rialto_queue_try_pop_ticket(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                                size_t *length_bytes, uint32_t *attempt, rialto_ticket_t *ticket);

/**
 * As rialto_queue_pop_timeout, with a ticket.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt, ticket
 *             as for rialto_queue_pop_ticket.
 * timeout_ns  0 is rialto_queue_try_pop_ticket; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_pop_ticket; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop_ticket.
 * Since       0.1
 */
int rialto_queue_pop_timeout_ticket(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                                    uint64_t timeout_ns, size_t *length_bytes, uint32_t *attempt,
                                    rialto_ticket_t *ticket);

/**
 * As rialto_queue_take_poisoned, with a ticket: of a joinable queue rialto_queue_task_done ends it.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt, ticket
 *             as for rialto_queue_pop_ticket.
 * Returns     as rialto_queue_take_poisoned, of a joinable queue too.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   before rialto_queue_task_done: it stays poisoned.
 * Since       0.1
 */
int rialto_queue_take_poisoned_ticket(const rialto_queue_t *queue, void *buffer,
                                      size_t buffer_bytes, size_t *length_bytes, uint32_t *attempt,
                                      rialto_ticket_t *ticket);

/* ---- rialto_message_t: several messages with one wake: push_many, pop_many ------------------- */

/** One of the messages to push. */
typedef struct rialto_message_t {
    /** The bytes, in private memory; NULL if there are none. */
    const void *bytes;
    /** How many, at most the queue's longest. */
    size_t length_bytes;
} rialto_message_t;

/** One of the messages that were popped. */
typedef struct rialto_popped_t {
    /** The message's length. */
    size_t length_bytes;
    /** How many holders before you died with it in hand, or gave it back. */
    uint8_t attempt;
    /** Private. */
    uint8_t _reserved[3];
    /** Of a joinable queue: for rialto_queue_task_done. */
    rialto_ticket_t ticket;
} rialto_popped_t;

/**
 * Appends messages in order, waiting for room as long as it takes, and wakes consumers once for as
 * many as fit at a time. Others' messages may come between them.
 *
 * queue       alive.
 * messages    which; may be NULL if count is 0.
 * count       how many.
 * pushed      gets how many were appended: all, or fewer if the queue was closed meanwhile.
 * Returns     RIALTO_OK (pushed is at least 1, unless count is 0); RIALTO_EPIPE (closed);
 *             RIALTO_EMSGSIZE (one of them is too long); RIALTO_EPERM (rialto_queue_as_member: the
 *             member is gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first
 *             use); RIALTO_EINVAL. Negative: nothing appended.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   the first few are in the queue, the others go with us.
 * Since       0.1
 */
int rialto_queue_push_many(const rialto_queue_t *queue, const rialto_message_t *messages,
                           size_t count, size_t *pushed);

/**
 * As rialto_queue_push_many, but only as many as there is room for now.
 *
 * queue, messages, count, pushed
 *             as for rialto_queue_push_many.
 * Returns     as rialto_queue_push_many; RIALTO_EAGAIN (room for none).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_push_many.
 * Since       0.1
 */
int rialto_queue_try_push_many(const rialto_queue_t *queue, const rialto_message_t *messages,
                               size_t count, size_t *pushed);

/**
 * As rialto_queue_push_many, waiting for room at most `timeout_ns` nanoseconds in all.
 *
 * queue, messages, count, pushed
 *             as for rialto_queue_push_many; fewer also if the time is up.
 * timeout_ns  0 is rialto_queue_try_push_many; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_push_many; RIALTO_ETIMEDOUT (none); RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_push_many.
 * Since       0.1
 */
int rialto_queue_push_many_timeout(const rialto_queue_t *queue, const rialto_message_t *messages,
                                   size_t count, uint64_t timeout_ns, size_t *pushed);

/**
 * Takes as many messages as there are, at least one, waiting for the first as long as it takes. All
 * are in hand until all are copied; then their slots are free, with one wake (of a joinable queue:
 * each by rialto_queue_task_done).
 *
 * queue       alive.
 * buffer      private memory: message i begins at i times rialto_queue_max_message_bytes.
 * buffer_bytes
 *             how large it is; if fewer than max_messages fit, fewer are taken.
 * messages    private memory, gets each message's length, attempt and ticket.
 * max_messages
 *             how many at most; not 0.
 * popped      gets how many.
 * Returns     RIALTO_OK; RIALTO_REDELIVERED (and the attempt of one of them at least is not 0);
 *             RIALTO_EPIPE (closed and drained); RIALTO_EBADMSG (see RIALTO_ON_DEATH_STOP);
 *             RIALTO_ENOBUFS (not one fits); RIALTO_EBADREGION (a peer damaged the first message;
 *             it is gone); RIALTO_EPERM (rialto_queue_as_member: the member is gone);
 *             RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_EINVAL. Negative: what is in buffer and messages means nothing.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   each goes to somebody else, marked, or with us, as with rialto_queue_pop.
 * Since       0.1
 */
int rialto_queue_pop_many(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                          rialto_popped_t *messages, size_t max_messages, size_t *popped);

/**
 * As rialto_queue_pop_many, but does not wait for the first.
 *
 * queue, buffer, buffer_bytes, messages, max_messages, popped
 *             as for rialto_queue_pop_many.
 * Returns     as rialto_queue_pop_many; RIALTO_EAGAIN (empty).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop_many.
 * Since       0.1
 */
int rialto_queue_try_pop_many(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                              rialto_popped_t *messages, size_t max_messages, size_t *popped);

/**
 * As rialto_queue_pop_many, waiting for the first at most `timeout_ns` nanoseconds.
 *
 * queue, buffer, buffer_bytes, messages, max_messages, popped
 *             as for rialto_queue_pop_many.
 * timeout_ns  0 is rialto_queue_try_pop_many; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_pop_many; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop_many.
 * Since       0.1
 */
int rialto_queue_pop_many_timeout(const rialto_queue_t *queue, void *buffer, size_t buffer_bytes,
                                  uint64_t timeout_ns, rialto_popped_t *messages,
                                  size_t max_messages, size_t *popped);

/* ---- rialto_reserved_t: room for a message, to write it in place ----------------------------- */

/**
 * Room for a message, in a queue: a pinned view. Write the message, then end the view with commit
 * (sent) or abort (nothing was sent). If its member dies first, nothing was sent.
 */
typedef struct rialto_reserved_t {
    /** Private. */
    uint64_t _private[32];
} rialto_reserved_t;

/**
 * Reserves room for a message, waiting for it as long as it takes. What is in it means nothing.
 * Until it is committed or aborted it takes a slot, and consumers of a queue that was closed wait
 * for it instead of getting RIALTO_EPIPE. If it is held for long, others overtake it in a
 * RIALTO_QUEUE_RING: its message comes after theirs then, and if the queue was closed meanwhile the
 * commit says RIALTO_EPIPE. In a kill-only one the messages behind it wait for it.
 *
 * queue       alive; its region's view must outlive the reserved view.
 * message_bytes
 *             how many, at most the queue's longest.
 * reserved    gets the view. Do not pass one that is alive: its room would stay taken.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EPERM
 *             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
 *             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   before it is committed: the room is free again, nothing was sent.
 * Since       0.1
 */
int rialto_queue_reserve(const rialto_queue_t *queue, size_t message_bytes,
                         rialto_reserved_t *reserved);

/**
 * Reserves room for a message if there is some now.
 *
 * queue, message_bytes, reserved
 *             as for rialto_queue_reserve.
 * Returns     as rialto_queue_reserve; RIALTO_EAGAIN (full).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_reserve.
 * Since       0.1
 */
int rialto_queue_try_reserve(const rialto_queue_t *queue, size_t message_bytes,
                             rialto_reserved_t *reserved);

/**
 * Reserves room for a message, waiting for it at most `timeout_ns` nanoseconds.
 *
 * queue, message_bytes, reserved
 *             as for rialto_queue_reserve.
 * timeout_ns  0 is rialto_queue_try_reserve; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_reserve; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_reserve.
 * Since       0.1
 */
int rialto_queue_reserve_timeout(const rialto_queue_t *queue, size_t message_bytes,
                                 uint64_t timeout_ns, rialto_reserved_t *reserved);

/**
 * Where the message goes: nobody else reads or writes there, unless they write wild.
 *
 * reserved    alive, used by nobody else.
 * message     gets the address, 16-aligned, good until the view ends or a commit fails: that may
 *             move it, then ask again.
 * message_bytes
 *             gets how many bytes; may be NULL.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency the thread that reserved; of a view made by rialto_queue_as_member, any, one.
 *             Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as rialto_queue_reserve.
 * Since       0.1
 */
int rialto_reserved_bytes(rialto_reserved_t *reserved, void **message, size_t *message_bytes);

/**
 * Copies the whole message in.
 *
 * reserved    alive, used by nobody else.
 * message     the bytes, in private memory; NULL if there are none.
 * message_bytes
 *             how many: as many as are reserved.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already, or another length).
 * Concurrency as rialto_reserved_bytes.
 * Signals     async-signal-safe.
 * If we die   as rialto_queue_reserve.
 * Since       0.1
 */
int rialto_reserved_write(rialto_reserved_t *reserved, const void *message, size_t message_bytes);

/**
 * Makes the message shorter, for who knows only after writing how long it is. A greater length
 * changes nothing.
 *
 * reserved    alive, used by nobody else.
 * message_bytes
 *             its new length.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency as rialto_reserved_bytes.
 * Signals     async-signal-safe.
 * If we die   as rialto_queue_reserve.
 * Since       0.1
 */
int rialto_reserved_truncate(rialto_reserved_t *reserved, size_t message_bytes);

/**
 * Sends the message; the view ends. Waits, as long as it takes, only where others have overtaken it
 * and there is no room.
 *
 * reserved    alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed; only where it had to wait or be copied);
 *             RIALTO_EPERM (its member was taken for dead); RIALTO_EINVAL (also: ended already).
 *             Negative, but for RIALTO_EINVAL: the view is alive still, and nothing was sent.
 * Concurrency as rialto_reserved_bytes.  Blocks: seldom, through signals.
 * Signals     not async-signal-safe.
 * If we die   the message is in the queue, or nothing was sent.
 * Since       0.1
 */
int rialto_reserved_commit(rialto_reserved_t *reserved);

/**
 * As rialto_reserved_commit, but does not wait.
 *
 * reserved    alive, used by nobody else.
 * Returns     as rialto_reserved_commit; RIALTO_EAGAIN (overtaken, and full).
 * Concurrency as rialto_reserved_bytes.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_reserved_commit.
 * Since       0.1
 */
int rialto_reserved_try_commit(rialto_reserved_t *reserved);

/**
 * As rialto_reserved_commit, waiting at most `timeout_ns` nanoseconds.
 *
 * reserved    alive, used by nobody else.
 * timeout_ns  0 is rialto_reserved_try_commit; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_reserved_commit; RIALTO_ETIMEDOUT (overtaken, and full all the time);
 *             RIALTO_EAGAIN (0).
 * Concurrency as rialto_reserved_bytes.  Blocks: seldom, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_reserved_commit.
 * Since       0.1
 */
int rialto_reserved_commit_timeout(rialto_reserved_t *reserved, uint64_t timeout_ns);

/**
 * Gives the room back: nothing is sent, the view ends.
 *
 * reserved    alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency as rialto_reserved_bytes.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the room is free again in any case.
 * Since       0.1
 */
int rialto_reserved_abort(rialto_reserved_t *reserved);

/* ---- rialto_peeked_t: a message in hand, to read it in place --------------------------------- */

/**
 * A message in hand, still in its slot: a pinned view. End it with release (done) or abandon
 * (somebody else shall have it); any thread may. If its member dies first, somebody else gets the
 * message, marked.
 */
typedef struct rialto_peeked_t {
    /** Private. */
    uint64_t _private[32];
} rialto_peeked_t;

/**
 * Takes the next message in hand, waiting for one as long as it takes: nobody else gets it while
 * you and the view live.
 *
 * queue       alive; its region's view must outlive the peeked view.
 * peeked      gets the view. Do not pass one that is alive: its message would stay in your hand.
 * Returns     RIALTO_OK; RIALTO_REDELIVERED (a message that others had in hand before);
 *             RIALTO_EPIPE (closed and drained); RIALTO_EBADMSG (see RIALTO_ON_DEATH_STOP);
 *             RIALTO_EBADREGION (a peer damaged the message; it is gone); RIALTO_EPERM
 *             (rialto_queue_as_member: the member is gone); RIALTO_ENFILE, RIALTO_EMFILE,
 *             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked with an attempt count one higher (or as the
 *             queue's on_death says).
 * Since       0.1
 */
int rialto_queue_peek(const rialto_queue_t *queue, rialto_peeked_t *peeked);

/**
 * Takes the next message in hand if there is one now.
 *
 * queue, peeked
 *             as for rialto_queue_peek.
 * Returns     as rialto_queue_peek; RIALTO_EAGAIN (empty).
 * Concurrency any thread of any process.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_peek.
 * Since       0.1
 */
int rialto_queue_try_peek(const rialto_queue_t *queue, rialto_peeked_t *peeked);

/**
 * Takes the next message in hand, waiting for one at most `timeout_ns` nanoseconds.
 *
 * queue, peeked
 *             as for rialto_queue_peek.
 * timeout_ns  0 is rialto_queue_try_peek; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_peek; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_peek.
 * Since       0.1
 */
int rialto_queue_peek_timeout(const rialto_queue_t *queue, uint64_t timeout_ns,
                              rialto_peeked_t *peeked);

/**
 * The message's bytes in their slot, 16-aligned, to be read until the view ends. A peer that writes
 * wild may change them while you look: if you do not trust your peers, use rialto_peeked_copy.
 *
 * peeked      alive.
 * message     gets their address.
 * message_bytes
 *             gets how many they are; may be NULL.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, while nobody ends the view.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as rialto_queue_peek.
 * Since       0.1
 */
int rialto_peeked_bytes(const rialto_peeked_t *peeked, const void **message, size_t *message_bytes);

/**
 * Copies the message, or as much of it as fits.
 *
 * peeked      alive.
 * buffer      private memory.
 * buffer_bytes
 *             how large it is.
 * copied_bytes
 *             gets how many were copied; may be NULL.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, while nobody ends the view.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as rialto_queue_peek.
 * Since       0.1
 */
int rialto_peeked_copy(const rialto_peeked_t *peeked, void *buffer, size_t buffer_bytes,
                       size_t *copied_bytes);

/**
 * How many holders before you died with the message in hand, or gave it back.
 *
 * peeked      alive.
 * attempt     gets the number: 0 for a message that was nobody's yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, while nobody ends the view.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as rialto_queue_peek.
 * Since       0.1
 */
int rialto_peeked_attempt(const rialto_peeked_t *peeked, uint32_t *attempt);

/**
 * Done with the message: its slot is free again, the view ends. Of a joinable queue: what
 * rialto_queue_task_done is for a popped one.
 *
 * peeked      alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked, or it is done.
 * Since       0.1
 */
int rialto_peeked_release(rialto_peeked_t *peeked);

/**
 * Gives the message back, for somebody else (or us) to get, marked; the view ends.
 *
 * peeked      alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked, in any case.
 * Since       0.1
 */
int rialto_peeked_abandon(rialto_peeked_t *peeked);

/* ---- rialto_ticket_t: joinable queues: task_done, join --------------------------------------- */

/**
 * Done with a popped message: its slot is free, and if it was the last, those who join go on. A
 * message in hand by rialto_queue_peek is done when it is released.
 *
 * queue       alive; any view that acts as the member who popped.
 * ticket      what the pop gave. Not changed, but good for one time only.
 * Returns     RIALTO_OK; RIALTO_EPERM (done already, or given back; or the calling thread, or the
 *             view's member, is not who popped it; or the queue is not joinable); RIALTO_ENFILE,
 *             RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL.
 * Concurrency the thread that popped; of a view made by rialto_queue_as_member, any.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the message is done, or goes to somebody else, marked. Who joins notices within a
 *             tick.
 * Since       0.1
 */
int rialto_queue_task_done(const rialto_queue_t *queue, const rialto_ticket_t *ticket);

/**
 * Gives a popped message of a joinable queue to somebody else (or us), who gets it marked, as if we
 * had died.
 *
 * queue, ticket
 *             as for rialto_queue_task_done.
 * Returns     as rialto_queue_task_done.
 * Concurrency as rialto_queue_task_done.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked, in any case.
 * Since       0.1
 */
int rialto_queue_give_back(const rialto_queue_t *queue, const rialto_ticket_t *ticket);

/**
 * Waits until there was an instant, during this call, at which no message was unfinished. Messages
 * pushed meanwhile count too; those set aside as poisoned do not.
 *
 * queue       alive, joinable.
 * Returns     RIALTO_OK; RIALTO_ENOTSUP (not joinable); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals. Walks all slots, twice,
 *             each time it looks.
 * Signals     not async-signal-safe.
 * If we die   nobody notices.
 * Since       0.1
 */
int rialto_queue_join(const rialto_queue_t *queue);

/**
 * As rialto_queue_join, waiting at most `timeout_ns` nanoseconds.
 *
 * queue       alive, joinable.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_join; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and there are unfinished
 *             ones).
 * Concurrency as rialto_queue_join.
 * Signals     not async-signal-safe.
 * If we die   nobody notices.
 * Since       0.1
 */
int rialto_queue_join_timeout(const rialto_queue_t *queue, uint64_t timeout_ns);

/**
 * Messages that wait or are in hand, but not those set aside as poisoned.
 *
 * queue       alive.
 * messages    gets the number: as old as rialto_queue_len's. Walks all slots.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_unfinished(const rialto_queue_t *queue, size_t *messages);

/* ---- rialto_queue_set_data_fd: queues in an event loop: a descriptor to poll ----------------- */

/**
 * From now on, what is pushed through this view signals `fd` if somebody has armed for data since
 * the last signal (rialto_queue_arm_data). Copies of the view made before, and messages reserved
 * before, do not; views made of it later do.
 *
 * queue       alive, used by nobody else meanwhile.
 * fd          this process's descriptor of the eventfd (EFD_NONBLOCK) that an event loop, here or
 *             in another process, polls. It is not closed and must stay what it is. -1: none. One
 *             eventfd for the whole queue: a second one would not be signalled.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_set_data_fd(rialto_queue_t *queue, int fd);

/**
 * From now on, what is popped or released through this view signals `fd` if somebody has armed for
 * room since the last signal (rialto_queue_arm_space). Copies of the view made before, and messages
 * peeked before, do not; views made of it later do.
 *
 * queue, fd   as for rialto_queue_set_data_fd.
 * Returns     as rialto_queue_set_data_fd.
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_set_space_fd(rialto_queue_t *queue, int fd);

/**
 * Before an event loop polls for data: from now on the next message is signalled, once, by those
 * whose view knows the descriptor. Read the descriptor before you arm again.
 *
 * queue       alive.
 * is_ready    gets whether a pop is worth a try at once (a message, or the end of the stream, is
 *             there): then do not poll. False is never wrong but for messages of the dead.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   a message is signalled that nobody waits for.
 * Since       0.1
 */
int rialto_queue_arm_data(const rialto_queue_t *queue, bool *is_ready);

/**
 * What the loop calls at least once per tick (rialto_queue_tick_ns): recovers the dead, looks, and
 * arms. A producer killed between its push and its signal leaves the descriptor silent, and so does
 * the message of a dead consumer: only this finds them. Takes some 15 us.
 *
 * queue       alive.
 * is_ready    as for rialto_queue_arm_data.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_arm_data; somebody else recovers.
 * Since       0.1
 */
int rialto_queue_recheck_data(const rialto_queue_t *queue, bool *is_ready);

/**
 * As rialto_queue_arm_data, for room: the next slot that is freed is signalled.
 *
 * queue       alive.
 * is_ready    gets whether a push is worth a try at once (there is room, or the queue is closed).
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_arm_data.
 * Since       0.1
 */
int rialto_queue_arm_space(const rialto_queue_t *queue, bool *is_ready);

/**
 * As rialto_queue_recheck_data, for room.
 *
 * queue       alive.
 * is_ready    as for rialto_queue_arm_space.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_recheck_data.
 * Since       0.1
 */
int rialto_queue_recheck_space(const rialto_queue_t *queue, bool *is_ready);

/**
 * How often an event loop rechecks: the region's tick.
 *
 * queue       alive.
 * tick_ns     gets it, in nanoseconds. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_tick_ns(const rialto_queue_t *queue, uint64_t *tick_ns);

/* ---- rialto_spsc_t: queue from one producer to one consumer ---------------------------------- */

/**
 * The producer's end of an SPSC queue: a pinned view, ended by rialto_producer_end. One thread at a
 * time uses it, whichever. It belongs to the member that claimed the end: when that one's thread
 * ends or dies, the end is free for others, and calls here say RIALTO_EPERM.
 */
typedef struct rialto_producer_t {
    /** Private. */
    uint64_t _private[40];
} rialto_producer_t;

/**
 * The consumer's end of an SPSC queue: a pinned view, ended by rialto_consumer_end. One thread at a
 * time uses it, whichever. It belongs to the member that claimed the end: when that one's thread
 * ends or dies, the end is free for others, and calls here say RIALTO_EPERM.
 */
typedef struct rialto_consumer_t {
    /** Private. */
    uint64_t _private[40];
} rialto_consumer_t;

/**
 * What an SPSC queue is created with. Fill it with rialto_spsc_config_default, then change what you
 * like.
 */
typedef struct rialto_spsc_config_t {
    /** How many messages of the longest kind fit; of shorter ones, more. 1 and more. */
    uint32_t slots;
    /**
     * The longest message, in bytes. A message takes what it needs, not this. 1 and more; slots + 1
     * times this + 8, rounded up to 16, is at most 2^30.
     */
    uint32_t max_message_bytes;
    /**
     * How often a message is redelivered after its holders died, or gave it back, before pop says
     * RIALTO_EBADMSG and only rialto_consumer_take_poisoned gets it. 1 to 14. Says nothing with
     * RIALTO_ON_DEATH_STOP.
     */
    uint32_t max_attempts;
    /** RIALTO_ON_DEATH_...: what becomes of a message whose holder died with it in hand. */
    uint32_t on_death;
    /** Must be 0. */
    uint32_t _reserved[4];
} rialto_spsc_config_t;

/**
 * A queue with one producer and one consumer at a time: rialto_spsc_producer and
 * rialto_spsc_consumer claim its ends. A plain view.
 */
typedef struct rialto_spsc_t {
    /** Private. */
    uint64_t _private[24];
} rialto_spsc_t;

/**
 * Fills in the defaults: RIALTO_ON_DEATH_REDELIVER with 5 attempts.
 *
 * slots       messages of the longest kind that fit.
 * max_message_bytes
 *             the longest message.
 * config      gets these and the usual for the rest; the numbers are not checked yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_config_default(uint32_t slots, uint32_t max_message_bytes,
                               rialto_spsc_config_t *config);

/**
 * What an SPSC queue takes in its region.
 *
 * config      of the queue.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_layout(const rialto_spsc_config_t *config, rialto_layout_t *layout);

/**
 * Makes an empty SPSC queue in a region, waiting for others who create there as long as it takes.
 *
 * region      alive; its view must outlive the queue's.
 * name        1 to 31 bytes of UTF-8.
 * config      how many messages, how long.
 * spsc        gets the view.
 * Returns     as rialto_queue_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole queue or none, and the room is not lost.
 * Since       0.1
 */
int rialto_spsc_create(const rialto_region_t *region, const char *name,
                       const rialto_spsc_config_t *config, rialto_spsc_t *spsc);

/**
 * As rialto_spsc_create, waiting at most `timeout_ns` nanoseconds for others who create.
 *
 * region, name, config, spsc
 *             as for rialto_spsc_create.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_spsc_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
 * Concurrency as rialto_spsc_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_spsc_create.
 * Since       0.1
 */
int rialto_spsc_create_timeout(const rialto_region_t *region, const char *name,
                               const rialto_spsc_config_t *config, uint64_t timeout_ns,
                               rialto_spsc_t *spsc);

/**
 * Finds the SPSC queue of that name.
 *
 * region      alive; its view must outlive the queue's.
 * name        as it was created.
 * spsc        gets the view.
 * Returns     as rialto_queue_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_open(const rialto_region_t *region, const char *name, rialto_spsc_t *spsc);

/**
 * As rialto_spsc_open, if the queue was created with these parameters.
 *
 * region, name, spsc
 *             as for rialto_spsc_open.
 * config      what is expected.
 * Returns     as rialto_spsc_open; RIALTO_EWRONGKIND also if it was created with other parameters.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_open_as(const rialto_region_t *region, const char *name,
                        const rialto_spsc_config_t *config, rialto_spsc_t *spsc);

/**
 * The SPSC queue of that name, which is created if there is none.
 *
 * region, name, config, spsc
 *             as for rialto_spsc_create.
 * Returns     as rialto_spsc_open and rialto_spsc_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another config.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_spsc_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_spsc_create.
 * Since       0.1
 */
int rialto_spsc_open_or_create(const rialto_region_t *region, const char *name,
                               const rialto_spsc_config_t *config, rialto_spsc_t *spsc);

/**
 * The same queue, whose ends are then claimed for a member that you made, whichever thread calls.
 *
 * spsc        alive.
 * member      alive, of the same region; it must outlive the new view's use. One of another region
 *             is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a forked
 *             child, which must not act as it.
 * as_member   gets the new view; may be `spsc`.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_as_member(const rialto_spsc_t *spsc, const rialto_member_t *member,
                          rialto_spsc_t *as_member);

/**
 * From now on, closing through this view, and what producers push whose end is claimed with it from
 * now on, signals `fd` if somebody has armed for data since the last signal
 * (rialto_consumer_arm_data). Copies of the view made before do not; views made of it later do.
 *
 * spsc        alive, used by nobody else meanwhile.
 * fd          this process's descriptor of the eventfd (EFD_NONBLOCK) that an event loop, here or
 *             in another process, polls. It is not closed and must stay what it is. -1: none.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_set_data_fd(rialto_spsc_t *spsc, int fd);

/**
 * From now on, closing through this view, and what consumers take whose end is claimed with it from
 * now on, signals `fd` if somebody has armed for room since the last signal
 * (rialto_producer_arm_space). Copies of the view made before do not; views made of it later do.
 *
 * spsc, fd    as for rialto_spsc_set_data_fd.
 * Returns     as rialto_spsc_set_data_fd.
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_set_space_fd(rialto_spsc_t *spsc, int fd);

/**
 * Claims the producer's end, until rialto_producer_end, or until its member is gone.
 *
 * spsc        alive; its region's view must outlive the producer's.
 * producer    gets the view. Do not pass one that is alive: its end would stay taken.
 * Returns     RIALTO_OK; RIALTO_EUSERS (a living member has it; the dead are recovered);
 *             RIALTO_EPERM (of a view made by rialto_spsc_as_member: the member has left);
 *             RIALTO_EBADREGION; RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first
 *             use); RIALTO_EINVAL.
 * Concurrency any thread of any process: one of several wins.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the end is free again. Who claims it next goes on behind the last message that was
 *             pushed.
 * Since       0.1
 */
int rialto_spsc_producer(const rialto_spsc_t *spsc, rialto_producer_t *producer);

/**
 * As rialto_spsc_producer, waiting at most `timeout_ns` nanoseconds until the end is free.
 *
 * spsc, producer
 *             as for rialto_spsc_producer.
 * timeout_ns  0 is rialto_spsc_producer; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_spsc_producer, RIALTO_EUSERS only if timeout_ns is 0; RIALTO_ETIMEDOUT.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, through signals.  Fair:
 *             no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_spsc_producer.
 * Since       0.1
 */
int rialto_spsc_producer_timeout(const rialto_spsc_t *spsc, uint64_t timeout_ns,
                                 rialto_producer_t *producer);

/**
 * Claims the consumer's end, until rialto_consumer_end, or until its member is gone.
 *
 * spsc        alive; its region's view must outlive the consumer's.
 * consumer    gets the view. Do not pass one that is alive: its end would stay taken.
 * Returns     as rialto_spsc_producer.
 * Concurrency any thread of any process: one of several wins.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the end is free again. Who claims it next gets first what we had in hand, marked (or
 *             as the queue's on_death says).
 * Since       0.1
 */
int rialto_spsc_consumer(const rialto_spsc_t *spsc, rialto_consumer_t *consumer);

/**
 * As rialto_spsc_consumer, waiting at most `timeout_ns` nanoseconds until the end is free.
 *
 * spsc, consumer
 *             as for rialto_spsc_consumer.
 * timeout_ns  0 is rialto_spsc_consumer; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_spsc_producer_timeout.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, through signals.  Fair:
 *             no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_spsc_consumer.
 * Since       0.1
 */
int rialto_spsc_consumer_timeout(const rialto_spsc_t *spsc, uint64_t timeout_ns,
                                 rialto_consumer_t *consumer);

/**
 * No more pushes; pop and peek drain what is there, then say RIALTO_EPIPE. Wakes everybody. Again
 * is harmless.
 *
 * spsc        alive. Neither end is needed.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is closed or it is not; sleepers notice at their tick.
 * Since       0.1
 */
int rialto_spsc_close(const rialto_spsc_t *spsc);

/**
 * Whether the queue is closed.
 *
 * spsc        alive.
 * is_closed   gets the answer. Once true, always true.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_is_closed(const rialto_spsc_t *spsc, bool *is_closed);

/**
 * Messages that the consumer is not through with, that in its hand included.
 *
 * spsc        alive.
 * messages    gets the number: old when you read it, unless you are the consumer (then it can only
 *             grow) or the producer (then only shrink). Walks over all messages.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_len(const rialto_spsc_t *spsc, size_t *messages);

/**
 * Whether rialto_spsc_len would say 0.
 *
 * spsc        alive.
 * is_empty    gets the answer: as old as that. Walks over all messages.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_is_empty(const rialto_spsc_t *spsc, bool *is_empty);

/**
 * Whether there is no room for a message of the longest kind. A message in hand takes room too.
 *
 * spsc        alive.
 * is_full     gets the answer: as old as rialto_spsc_len's.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_is_full(const rialto_spsc_t *spsc, bool *is_full);

/**
 * Messages of the longest kind that fit; of shorter ones, more.
 *
 * spsc        alive.
 * slots       gets the number, as the queue was created with. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_capacity(const rialto_spsc_t *spsc, size_t *slots);

/**
 * The longest message, in bytes; what a buffer for pop needs.
 *
 * spsc        alive.
 * max_message_bytes
 *             gets it. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_max_message_bytes(const rialto_spsc_t *spsc, size_t *max_message_bytes);

/**
 * Messages given up since the queue was made: their holders died, and the queue is one of
 * RIALTO_ON_DEATH_DROP.
 *
 * spsc        alive.
 * messages    gets the number. It only grows, when the consumer's end is claimed anew; whoever gave
 *             one up and was killed before counting it is missed.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_dropped(const rialto_spsc_t *spsc, uint64_t *messages);

/**
 * How often an event loop rechecks: the region's tick.
 *
 * spsc        alive.
 * tick_ns     gets it, in nanoseconds. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_spsc_tick_ns(const rialto_spsc_t *spsc, uint64_t *tick_ns);

/* ---- rialto_producer_t: its one end: push, reserve ------------------------------------------- */

/**
 * Appends a message, waiting for room as long as it takes.
 *
 * producer    alive, used by nobody else.
 * message     the bytes, in private memory; NULL if there are none.
 * message_bytes
 *             how many, at most the queue's longest.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EBUSY (room is reserved:
 *             commit it or abort first); RIALTO_EPERM (the member that claimed the end is gone, or
 *             was taken for dead); RIALTO_EBADREGION; RIALTO_EINVAL. Negative: nothing appended.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   the message is in the queue, or goes with us. A consumer that sleeps notices at its
 *             tick.
 * Since       0.1
 */
int rialto_producer_push(rialto_producer_t *producer, const void *message, size_t message_bytes);

/**
 * Appends a message if there is room now.
 *
 * producer, message, message_bytes
 *             as for rialto_producer_push.
 * Returns     as rialto_producer_push; RIALTO_EAGAIN (full).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_push.
 * Since       0.1
 */
int rialto_producer_try_push(rialto_producer_t *producer, const void *message,
                             size_t message_bytes);

/**
 * Appends a message, waiting for room at most `timeout_ns` nanoseconds.
 *
 * producer, message, message_bytes
 *             as for rialto_producer_push.
 * timeout_ns  0 is rialto_producer_try_push; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_producer_push; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_push.
 * Since       0.1
 */
int rialto_producer_push_timeout(rialto_producer_t *producer, const void *message,
                                 size_t message_bytes, uint64_t timeout_ns);

/**
 * Appends messages in order, waiting for room as long as it takes. As many as fit at a time appear
 * all at once, with one wake.
 *
 * producer    alive, used by nobody else.
 * messages    which; may be NULL if count is 0.
 * count       how many.
 * pushed      gets how many were appended: all, or fewer if the queue was closed meanwhile.
 * Returns     as rialto_producer_push; RIALTO_OK: pushed is at least 1, unless count is 0;
 *             RIALTO_EMSGSIZE: one of them is too long. Negative: nothing appended.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   the first few are in the queue, the others go with us.
 * Since       0.1
 */
int rialto_producer_push_many(rialto_producer_t *producer, const rialto_message_t *messages,
                              size_t count, size_t *pushed);

/**
 * As rialto_producer_push_many, but only as many as there is room for now.
 *
 * producer, messages, count, pushed
 *             as for rialto_producer_push_many.
 * Returns     as rialto_producer_push_many; RIALTO_EAGAIN (room for none).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_push_many.
 * Since       0.1
 */
int rialto_producer_try_push_many(rialto_producer_t *producer, const rialto_message_t *messages,
                                  size_t count, size_t *pushed);

/**
 * As rialto_producer_push_many, waiting for room at most `timeout_ns` nanoseconds in all.
 *
 * producer, messages, count, pushed
 *             as for rialto_producer_push_many; fewer also if the time is up.
 * timeout_ns  0 is rialto_producer_try_push_many; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_producer_push_many; RIALTO_ETIMEDOUT (none); RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_push_many.
 * Since       0.1
 */
int rialto_producer_push_many_timeout(rialto_producer_t *producer, const rialto_message_t *messages,
                                      size_t count, uint64_t timeout_ns, size_t *pushed);

/**
 * As rialto_spsc_set_data_fd, for what this producer pushes.
 *
 * producer    alive, used by nobody else.
 * fd          as for rialto_spsc_set_data_fd.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_producer_set_data_fd(rialto_producer_t *producer, int fd);

/**
 * Before an event loop polls for room: from now on the next release is signalled, once, by a
 * consumer that knows the descriptor (rialto_consumer_set_space_fd). Read the descriptor before you
 * arm again.
 *
 * producer    alive, used by nobody else.
 * is_ready    gets whether a push is worth a try at once (there is room for the longest message, or
 *             something else to be told than RIALTO_EAGAIN): then do not poll.
 * Returns     RIALTO_OK; RIALTO_EBUSY (room is reserved); RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   room is signalled that nobody waits for.
 * Since       0.1
 */
int rialto_producer_arm_space(rialto_producer_t *producer, bool *is_ready);

/**
 * What the loop calls at least once per tick (rialto_spsc_tick_ns): recovers the dead, looks, and
 * arms. A consumer killed between its release and its signal leaves the descriptor silent: only
 * this finds the room. Takes some 15 us.
 *
 * producer, is_ready
 *             as for rialto_producer_arm_space.
 * Returns     as rialto_producer_arm_space.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_arm_space; somebody else recovers.
 * Since       0.1
 */
int rialto_producer_recheck_space(rialto_producer_t *producer, bool *is_ready);

/**
 * Gives the end back, for somebody else (or us) to claim; the view ends. What is reserved is
 * aborted. The queue stays open: see rialto_spsc_close.
 *
 * producer    alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the end is free again in any case; who waits for it notices at its tick.
 * Since       0.1
 */
int rialto_producer_end(rialto_producer_t *producer);

/**
 * Reserves room for a message, waiting for it as long as it takes; write it there, then commit or
 * abort. What is in it means nothing. Until then the producer does nothing else.
 *
 * producer    alive, used by nobody else.
 * message_bytes
 *             how many, at most the queue's longest; fewer may be committed.
 * message     gets the address, 16-aligned, good until commit, abort or rialto_producer_end. Nobody
 *             else reads or writes there, unless they write wild.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_EBUSY (room is reserved
 *             already); RIALTO_EPERM (the member that claimed the end is gone); RIALTO_EBADREGION;
 *             RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   before it is committed: nothing was sent.
 * Since       0.1
 */
int rialto_producer_reserve(rialto_producer_t *producer, size_t message_bytes, void **message);

/**
 * Reserves room for a message if there is some now.
 *
 * producer, message_bytes, message
 *             as for rialto_producer_reserve.
 * Returns     as rialto_producer_reserve; RIALTO_EAGAIN (full).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_reserve.
 * Since       0.1
 */
int rialto_producer_try_reserve(rialto_producer_t *producer, size_t message_bytes, void **message);

/**
 * Reserves room for a message, waiting for it at most `timeout_ns` nanoseconds.
 *
 * producer, message_bytes, message
 *             as for rialto_producer_reserve.
 * timeout_ns  0 is rialto_producer_try_reserve; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_producer_reserve; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_producer_reserve.
 * Since       0.1
 */
int rialto_producer_reserve_timeout(rialto_producer_t *producer, size_t message_bytes,
                                    uint64_t timeout_ns, void **message);

/**
 * Sends what was reserved. Never waits.
 *
 * producer    alive, used by nobody else.
 * message_bytes
 *             how many of the bytes are the message: as many as were reserved, or fewer.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed meanwhile); RIALTO_EPERM (the member that claimed the
 *             end is gone, or was taken for dead); RIALTO_EBADREGION; RIALTO_EINVAL (also: nothing
 *             is reserved; or more bytes than were reserved, which stay so). Negative, but for
 *             RIALTO_EINVAL: nothing was sent, for good.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the message is in the queue, or nothing was sent.
 * Since       0.1
 */
int rialto_producer_commit(rialto_producer_t *producer, size_t message_bytes);

/**
 * Gives the room back: nothing is sent.
 *
 * producer    alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is reserved).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   nothing was sent in any case.
 * Since       0.1
 */
int rialto_producer_abort(rialto_producer_t *producer);

/* ---- rialto_consumer_t: its other end: pop, peek --------------------------------------------- */

/**
 * Takes the next message, waiting for one as long as it takes. From then on it is yours: if it must
 * survive your death, use rialto_consumer_peek.
 *
 * consumer    alive, used by nobody else.
 * buffer      private memory, gets the message.
 * buffer_bytes
 *             how large it is; at least the queue's longest message.
 * length_bytes
 *             gets the message's length.
 * attempt     gets how often it was in hand before, of a consumer that died or gave it back; may be
 *             NULL.
 * Returns     RIALTO_OK; RIALTO_REDELIVERED (a message, and attempt is not 0); RIALTO_EPIPE (closed
 *             and drained); RIALTO_EBADMSG (see rialto_consumer_take_poisoned); RIALTO_ENOBUFS
 *             (nothing taken); RIALTO_EBUSY (one is in hand: release it or give it back first);
 *             RIALTO_EPERM (the member that claimed the end is gone, or was taken for dead);
 *             RIALTO_EBADREGION (a peer damaged the queue); RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   before it is taken: the next consumer gets it, marked (or as the queue's on_death
 *             says). After: it goes with us.
 * Since       0.1
 */
int rialto_consumer_pop(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                        size_t *length_bytes, uint32_t *attempt);

/**
 * Takes the next message if there is one now.
 *
 * consumer, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_consumer_pop.
 * Returns     as rialto_consumer_pop; RIALTO_EAGAIN (empty).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_pop.
 * Since       0.1
 */
int rialto_consumer_try_pop(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                            size_t *length_bytes, uint32_t *attempt);

/**
 * Takes the next message, waiting for one at most `timeout_ns` nanoseconds.
 *
 * consumer, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_consumer_pop.
 * timeout_ns  0 is rialto_consumer_try_pop; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_consumer_pop; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_pop.
 * Since       0.1
 */
int rialto_consumer_pop_timeout(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                                uint64_t timeout_ns, size_t *length_bytes, uint32_t *attempt);

/**
 * Takes as many messages as there are, at least one, waiting for the first as long as it takes. All
 * are in hand until all are copied, then released with one wake.
 *
 * consumer    alive, used by nobody else.
 * buffer      private memory: message i begins at i times rialto_spsc_max_message_bytes.
 * buffer_bytes
 *             how large it is; if fewer than max_messages fit, fewer are taken.
 * messages    private memory, gets each message's length and attempt; of an SPSC queue tickets are
 *             nobody's.
 * max_messages
 *             how many at most; not 0.
 * popped      gets how many.
 * Returns     as rialto_consumer_pop; RIALTO_REDELIVERED: the attempt of one of them at least is
 *             not 0; RIALTO_ENOBUFS: not one fits. Negative: what is in buffer and messages means
 *             nothing.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   before they are released: all come again, the first one marked. After: with us.
 * Since       0.1
 */
int rialto_consumer_pop_many(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                             rialto_popped_t *messages, size_t max_messages, size_t *popped);

/**
 * As rialto_consumer_pop_many, but does not wait for the first.
 *
 * consumer, buffer, buffer_bytes, messages, max_messages, popped
 *             as for rialto_consumer_pop_many.
 * Returns     as rialto_consumer_pop_many; RIALTO_EAGAIN (empty).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_pop_many.
 * Since       0.1
 */
int rialto_consumer_try_pop_many(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                                 rialto_popped_t *messages, size_t max_messages, size_t *popped);

/**
 * As rialto_consumer_pop_many, waiting for the first at most `timeout_ns` nanoseconds.
 *
 * consumer, buffer, buffer_bytes, messages, max_messages, popped
 *             as for rialto_consumer_pop_many.
 * timeout_ns  0 is rialto_consumer_try_pop_many; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_consumer_pop_many; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_pop_many.
 * Since       0.1
 */
int rialto_consumer_pop_many_timeout(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                                     uint64_t timeout_ns, rialto_popped_t *messages,
                                     size_t max_messages, size_t *popped);

/**
 * Takes the next message if it is poisoned: it was in hand max_attempts + 1 times (with
 * RIALTO_ON_DEATH_STOP: once) and came back each time. Nothing else comes before somebody takes it.
 *
 * consumer, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_consumer_pop.
 * Returns     as rialto_consumer_pop, usually RIALTO_REDELIVERED; RIALTO_EAGAIN (there is none).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_pop; it stays poisoned.
 * Since       0.1
 */
int rialto_consumer_take_poisoned(rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                                  size_t *length_bytes, uint32_t *attempt);

/**
 * Whether the next message is poisoned.
 *
 * consumer    alive, used by nobody else.
 * messages    gets 1 if it is, else 0. Stays so until you take it.
 * Returns     RIALTO_OK; RIALTO_EBUSY (one is in hand); RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_consumer_poisoned(rialto_consumer_t *consumer, size_t *messages);

/**
 * As rialto_spsc_set_space_fd, for what this consumer takes.
 *
 * consumer    alive, used by nobody else.
 * fd          as for rialto_spsc_set_data_fd.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: a negative fd, other than -1).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_consumer_set_space_fd(rialto_consumer_t *consumer, int fd);

/**
 * Before an event loop polls for data: from now on the next message is signalled, once, by a
 * producer that knows the descriptor (rialto_producer_set_data_fd). Read the descriptor before you
 * arm again.
 *
 * consumer    alive, used by nobody else.
 * is_ready    gets whether a pop is worth a try at once (a message is there, or something else to
 *             be told than RIALTO_EAGAIN): then do not poll.
 * Returns     RIALTO_OK; RIALTO_EBUSY (one is in hand); RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   a message is signalled that nobody waits for.
 * Since       0.1
 */
int rialto_consumer_arm_data(rialto_consumer_t *consumer, bool *is_ready);

/**
 * What the loop calls at least once per tick (rialto_spsc_tick_ns): recovers the dead, looks, and
 * arms. A producer killed between its push and its signal leaves the descriptor silent: only this
 * finds the message. Takes some 15 us.
 *
 * consumer, is_ready
 *             as for rialto_consumer_arm_data.
 * Returns     as rialto_consumer_arm_data.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_arm_data; somebody else recovers.
 * Since       0.1
 */
int rialto_consumer_recheck_data(rialto_consumer_t *consumer, bool *is_ready);

/**
 * Gives the end back, for somebody else (or us) to claim; the view ends. A message in hand is given
 * back too: the next consumer gets it, marked.
 *
 * consumer    alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the end is free again in any case; who waits for it notices at its tick.
 * Since       0.1
 */
int rialto_consumer_end(rialto_consumer_t *consumer);

/**
 * Takes the next message in hand, waiting for one as long as it takes. Until it is released or
 * given back the consumer does nothing else.
 *
 * consumer    alive, used by nobody else.
 * message     gets the bytes' address, 16-aligned, to be read until it is released or given back,
 *             or rialto_consumer_end. A peer that writes wild may change them while you look: if
 *             you do not trust your peers, use rialto_consumer_copy.
 * message_bytes
 *             gets how many they are.
 * attempt     gets how often it was in hand before, of a consumer that died or gave it back; may be
 *             NULL.
 * Returns     RIALTO_OK; RIALTO_REDELIVERED (a message, and attempt is not 0); RIALTO_EPIPE (closed
 *             and drained); RIALTO_EBADMSG (see rialto_consumer_take_poisoned); RIALTO_EBUSY (one
 *             is in hand already); RIALTO_EPERM (the member that claimed the end is gone, or was
 *             taken for dead); RIALTO_EBADREGION (a peer damaged the queue); RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   the next consumer gets the message, marked with an attempt count one higher (or as
 *             the queue's on_death says).
 * Since       0.1
 */
int rialto_consumer_peek(rialto_consumer_t *consumer, const void **message, size_t *message_bytes,
                         uint32_t *attempt);

/**
 * Takes the next message in hand if there is one now.
 *
 * consumer, message, message_bytes, attempt
 *             as for rialto_consumer_peek.
 * Returns     as rialto_consumer_peek; RIALTO_EAGAIN (empty).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_peek.
 * Since       0.1
 */
int rialto_consumer_try_peek(rialto_consumer_t *consumer, const void **message,
                             size_t *message_bytes, uint32_t *attempt);

/**
 * Takes the next message in hand, waiting for one at most `timeout_ns` nanoseconds.
 *
 * consumer, message, message_bytes, attempt
 *             as for rialto_consumer_peek.
 * timeout_ns  0 is rialto_consumer_try_peek; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_consumer_peek; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_consumer_peek.
 * Since       0.1
 */
int rialto_consumer_peek_timeout(rialto_consumer_t *consumer, uint64_t timeout_ns,
                                 const void **message, size_t *message_bytes, uint32_t *attempt);

/**
 * Copies the message in hand, or as much of it as fits.
 *
 * consumer    alive, used by nobody else, with a message in hand.
 * buffer      private memory.
 * buffer_bytes
 *             how large it is.
 * copied_bytes
 *             gets how many were copied; may be NULL.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is in hand).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as rialto_consumer_peek.
 * Since       0.1
 */
int rialto_consumer_copy(const rialto_consumer_t *consumer, void *buffer, size_t buffer_bytes,
                         size_t *copied_bytes);

/**
 * Done with the message in hand: the producer may have its room. If the member that claimed the end
 * is gone meanwhile, the message is somebody else's already and nothing happens.
 *
 * consumer    alive, used by nobody else, with a message in hand.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is in hand).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the next consumer gets the message, marked, or it is done.
 * Since       0.1
 */
int rialto_consumer_release(rialto_consumer_t *consumer);

/**
 * Gives the message in hand back: it comes again, marked, to us or to the next consumer.
 *
 * consumer    alive, used by nobody else, with a message in hand.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: nothing is in hand).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it comes to the next consumer, marked. With RIALTO_ON_DEATH_DROP it is dropped.
 * Since       0.1
 */
int rialto_consumer_give_back(rialto_consumer_t *consumer);

/* ---- rialto_pipe_t: byte messages between two ends, one way or both -------------------------- */

/**
 * A pipe flag: both ends send and receive. Without it end 0 receives and end 1 sends, as with
 * Python's Pipe(False).
 */
#define RIALTO_PIPE_DUPLEX 1

/**
 * One end of a pipe, claimed: a pinned view, ended by rialto_connection_close. One thread at a time
 * uses it, whichever. It belongs to the member that claimed the end: when that one's thread ends or
 * dies, the end is closed, and all calls here say RIALTO_EPERM.
 */
typedef struct rialto_connection_t {
    /** Private. */
    uint64_t _private[48];
} rialto_connection_t;

/**
 * What a pipe is created with. Fill it with rialto_pipe_config_default, then change what
 * you like.
 */
typedef struct rialto_pipe_config_t {
    /**
     * Room for messages on their way, in each direction; a message takes 8 bytes more than its
     * length, rounded up to 16. 1 to 2^30, rounded up to a multiple of 128.
     */
    uint32_t ring_bytes;
    /**
     * The longest message, in bytes. 1 to 2^30; one that is longer than about half of ring_bytes
     * goes in chunks, see rialto_connection_max_chunk_bytes.
     */
    uint32_t max_message_bytes;
    /** 0 or RIALTO_PIPE_DUPLEX. */
    uint32_t flags;
    /** Must be 0. */
    uint32_t _reserved[5];
} rialto_pipe_config_t;

/**
 * A pipe: byte messages between two ends, each of which rialto_pipe_connect claims for one holder,
 * for good. A plain view. Cf. socketpair.
 */
typedef struct rialto_pipe_t {
    /** Private. */
    uint64_t _private[32];
} rialto_pipe_t;

/**
 * Fills in the defaults: RIALTO_PIPE_DUPLEX, messages of up to 2^30 bytes.
 *
 * ring_bytes  room for messages on their way, in each direction.
 * config      gets this and the usual for the rest; the number is not checked yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_config_default(uint32_t ring_bytes, rialto_pipe_config_t *config);

/**
 * What a pipe takes in its region.
 *
 * config      of the pipe.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_layout(const rialto_pipe_config_t *config, rialto_layout_t *layout);

/**
 * Makes an empty pipe in a region, whose ends are nobody's yet; waits for others who create there
 * as long as it takes. Cf. pipe, socketpair.
 *
 * region      alive; its view must outlive the pipe's.
 * name        1 to 31 bytes of UTF-8.
 * config      how much room, how long, one way or both.
 * pipe        gets the view.
 * Returns     as rialto_queue_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole pipe or none, and the room is not lost.
 * Since       0.1
 */
int rialto_pipe_create(const rialto_region_t *region, const char *name,
                       const rialto_pipe_config_t *config, rialto_pipe_t *pipe);

/**
 * As rialto_pipe_create, waiting at most `timeout_ns` nanoseconds for others who create.
 *
 * region, name, config, pipe
 *             as for rialto_pipe_create.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_pipe_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
 * Concurrency as rialto_pipe_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_pipe_create.
 * Since       0.1
 */
int rialto_pipe_create_timeout(const rialto_region_t *region, const char *name,
                               const rialto_pipe_config_t *config, uint64_t timeout_ns,
                               rialto_pipe_t *pipe);

/**
 * Finds the pipe of that name.
 *
 * region      alive; its view must outlive the pipe's.
 * name        as it was created.
 * pipe        gets the view.
 * Returns     as rialto_queue_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_open(const rialto_region_t *region, const char *name, rialto_pipe_t *pipe);

/**
 * As rialto_pipe_open, if the pipe was created with these parameters (and as many bytes, rounded
 * up).
 *
 * region, name, pipe
 *             as for rialto_pipe_open.
 * config      what is expected.
 * Returns     as rialto_pipe_open; RIALTO_EWRONGKIND also if it was created with other parameters.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_open_as(const rialto_region_t *region, const char *name,
                        const rialto_pipe_config_t *config, rialto_pipe_t *pipe);

/**
 * The pipe of that name, which is created if there is none.
 *
 * region, name, config, pipe
 *             as for rialto_pipe_create.
 * Returns     as rialto_pipe_open and rialto_pipe_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with another config.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_pipe_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_pipe_create.
 * Since       0.1
 */
int rialto_pipe_open_or_create(const rialto_region_t *region, const char *name,
                               const rialto_pipe_config_t *config, rialto_pipe_t *pipe);

/**
 * Claims one end of the pipe, for good: nobody else can, even when it was closed or its holder
 * died. It is the calling thread's own member that holds it: when that thread ends, the end is
 * closed.
 *
 * pipe        alive; its region's view must outlive the connection's.
 * end         0 or 1. If the pipe is not duplex, 0 receives and 1 sends.
 * connection  gets the view. Do not pass one that is alive: its end would stay claimed.
 * Returns     RIALTO_OK; RIALTO_EUSERS (claimed before, by whomever); RIALTO_EBADREGION;
 *             RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_EINVAL (also: no such end).
 * Concurrency any thread of any process: one of several wins.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the end is nobody's still, or closed.
 * Since       0.1
 */
int rialto_pipe_connect(const rialto_pipe_t *pipe, uint32_t end, rialto_connection_t *connection);

/**
 * As rialto_pipe_connect, but it is a member that you made that holds the end, whichever thread
 * calls: the end is closed when the thread that joined ends.
 *
 * pipe, end, connection
 *             as for rialto_pipe_connect.
 * member      alive, of the same region's view. It cannot leave before the connection is closed.
 *             Stays the parent's in a forked child, which must not act as it.
 * Returns     as rialto_pipe_connect; RIALTO_EPERM (the member's thread has ended); RIALTO_EINVAL
 *             also for a member of another region.
 * Concurrency as rialto_pipe_connect.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_pipe_connect.
 * Since       0.1
 */
int rialto_pipe_connect_as(const rialto_pipe_t *pipe, const rialto_member_t *member, uint32_t end,
                           rialto_connection_t *connection);

/**
 * Whether both ends send and receive.
 *
 * pipe        alive.
 * is_duplex   gets the answer. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_is_duplex(const rialto_pipe_t *pipe, bool *is_duplex);

/**
 * Room for messages on their way, in each direction.
 *
 * pipe        alive.
 * ring_bytes  gets the bytes: at least what was asked for. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_ring_bytes(const rialto_pipe_t *pipe, size_t *ring_bytes);

/**
 * The longest message.
 *
 * pipe        alive.
 * message_bytes
 *             gets its length. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pipe_max_message_bytes(const rialto_pipe_t *pipe, size_t *message_bytes);

/* ---- rialto_connection_t: an end of a pipe: send, recv, poll --------------------------------- */

/**
 * The longest message that goes in one piece: about half of the pipe's ring_bytes.
 *
 * connection  alive.
 * chunk_bytes gets its length. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe, unless it interrupts a call on this connection.
 * Since       0.1
 */
int rialto_connection_max_chunk_bytes(const rialto_connection_t *connection, size_t *chunk_bytes);

/**
 * Whether the other end was closed, or its holder is known to have died.
 *
 * connection  alive.
 * is_closed   gets the answer. Once true, always true; an end that nobody has claimed yet is not
 *             closed. What it sent before may still be there to receive.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe, unless it interrupts a call on this connection.
 * Since       0.1
 */
int rialto_connection_is_peer_closed(const rialto_connection_t *connection, bool *is_closed);

/**
 * Closes the end, for good, and ends the view. The other end receives what was sent, then end of
 * stream; its sends say RIALTO_ECONNRESET.
 *
 * connection  alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: closed already).
 * Concurrency one thread, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   it is closed in any case; sleepers notice at their tick.
 * Since       0.1
 */
int rialto_connection_close(rialto_connection_t *connection);

/**
 * Sends a message, waiting for room as long as it takes. Cf. write, send.
 *
 * connection  alive, used by nobody else.
 * message     the bytes, in private memory; NULL if there are none.
 * message_bytes
 *             how many, at most the pipe's longest. More than rialto_connection_max_chunk_bytes go
 *             in chunks, while the other end receives.
 * Returns     RIALTO_OK; RIALTO_ECONNRESET (the other end is closed, or its holder died: nobody
 *             reads this message); RIALTO_EMSGSIZE; RIALTO_ENOTSUP (this end only receives);
 *             RIALTO_EPERM (the member was taken for dead, or its thread has ended);
 *             RIALTO_EBADREGION; RIALTO_EINVAL. Negative: nothing of the message is delivered.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   the other end gets the whole message or nothing of it, then end of stream within a
 *             tick.
 * Since       0.1
 */
int rialto_connection_send(rialto_connection_t *connection, const void *message,
                           size_t message_bytes);

/**
 * Sends a message if there is room now.
 *
 * connection, message, message_bytes
 *             as for rialto_connection_send.
 * Returns     as rialto_connection_send; RIALTO_EAGAIN (full); RIALTO_EMSGSIZE also for a message
 *             that would have to go in chunks.
 * Concurrency one thread at a time, whichever.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_send.
 * Since       0.1
 */
int rialto_connection_try_send(rialto_connection_t *connection, const void *message,
                               size_t message_bytes);

/**
 * Sends a message, waiting for room at most `timeout_ns` nanoseconds.
 *
 * connection, message, message_bytes
 *             as for rialto_connection_send.
 * timeout_ns  0 is rialto_connection_try_send; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_connection_send; RIALTO_ETIMEDOUT (chunks that went already are discarded
 *             by the other end); RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_send.
 * Since       0.1
 */
int rialto_connection_send_timeout(rialto_connection_t *connection, const void *message,
                                   size_t message_bytes, uint64_t timeout_ns);

/**
 * Receives the next message, waiting for it as long as it takes. Cf. read, recv.
 *
 * connection  alive, used by nobody else.
 * buffer      private memory, gets the message; not NULL.
 * buffer_bytes
 *             how large it is; rialto_connection_next_len says how large it must be.
 * length_bytes
 *             gets the message's length; 0 is an empty message, not the end.
 * Returns     RIALTO_OK; RIALTO_EPIPE (end of stream: the other end is closed or its holder died,
 *             and all that it had sent whole was received); RIALTO_ENOBUFS (nothing taken; again
 *             with a larger one); RIALTO_ENOTSUP (this end only sends); RIALTO_EPERM (the member
 *             was taken for dead, or its thread has ended); RIALTO_EBADREGION (a peer damaged the
 *             message); RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   the message is lost with us, and so is what lies in the pipe; who sends to us gets
 *             RIALTO_ECONNRESET within a tick.
 * Since       0.1
 */
int rialto_connection_recv(rialto_connection_t *connection, void *buffer, size_t buffer_bytes,
                           size_t *length_bytes);

/**
 * Receives the next message if it is there whole.
 *
 * connection, buffer, buffer_bytes, length_bytes
 *             as for rialto_connection_recv; if only some chunks of a long message are there, as
 *             for rialto_connection_recv_timeout.
 * Returns     as rialto_connection_recv; RIALTO_EAGAIN (none).
 * Concurrency one thread at a time, whichever.  Blocks: no; nobody who is stopped holds it up.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_recv.
 * Since       0.1
 */
int rialto_connection_try_recv(rialto_connection_t *connection, void *buffer, size_t buffer_bytes,
                               size_t *length_bytes);

/**
 * Receives the next message, waiting for it at most `timeout_ns` nanoseconds. If the time is up in
 * the middle of a message that goes in chunks, what has come is in `buffer` already, and the next
 * call goes on behind it: give it the same buffer, or one with the same bytes in it. See
 * rialto_connection_received_bytes.
 *
 * connection, buffer, buffer_bytes, length_bytes
 *             as for rialto_connection_recv.
 * timeout_ns  0 is rialto_connection_try_recv; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_connection_recv; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_recv.
 * Since       0.1
 */
int rialto_connection_recv_timeout(rialto_connection_t *connection, void *buffer,
                                   size_t buffer_bytes, uint64_t timeout_ns, size_t *length_bytes);

/**
 * The length of the next message, if it has begun to arrive; of one in chunks that of the whole.
 *
 * connection  alive, used by nobody else.
 * length_bytes
 *             gets it.
 * Returns     RIALTO_OK; RIALTO_EAGAIN (none yet); RIALTO_EPIPE (end of stream); RIALTO_ENOTSUP
 *             (this end only sends); RIALTO_EPERM; RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_connection_next_len(rialto_connection_t *connection, size_t *length_bytes);

/**
 * How much of a message that goes in chunks is in the buffer of a receive that ran out of time in
 * it.
 *
 * connection  alive, used by nobody else.
 * received_bytes
 *             gets the bytes; mostly 0.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe, unless it interrupts a call on this connection.
 * Since       0.1
 */
int rialto_connection_received_bytes(const rialto_connection_t *connection, size_t *received_bytes);

/**
 * Waits at most `timeout_ns` nanoseconds until a receive would bring something; takes nothing. Cf.
 * poll.
 *
 * connection  alive, used by nobody else.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * is_ready    gets whether a message has begun to arrive, or the stream has ended. False: the time
 *             is up.
 * Returns     RIALTO_OK; RIALTO_ENOTSUP (this end only sends); RIALTO_EPERM; RIALTO_EBADREGION;
 *             RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_recv.
 * Since       0.1
 */
int rialto_connection_poll(rialto_connection_t *connection, uint64_t timeout_ns, bool *is_ready);

/**
 * From now on, what is sent here, and closing, signals `fd` if the other end has armed for data
 * since the last signal (rialto_connection_arm_data).
 *
 * connection  alive, used by nobody else.
 * fd          this process's descriptor of the eventfd (EFD_NONBLOCK) that an event loop, here or
 *             in another process, polls. It is not closed and must stay what it is. -1: none.
 * Returns     RIALTO_OK; RIALTO_ENOTSUP (this end only receives); RIALTO_EINVAL (also: a negative
 *             fd, other than -1).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe, unless it interrupts a call on this connection.
 * Since       0.1
 */
int rialto_connection_set_data_fd(rialto_connection_t *connection, int fd);

/**
 * From now on, what is received here, and closing, signals `fd` if the other end has armed for room
 * since the last signal (rialto_connection_arm_space).
 *
 * connection, fd
 *             as for rialto_connection_set_data_fd.
 * Returns     RIALTO_OK; RIALTO_ENOTSUP (this end only sends); RIALTO_EINVAL (also: a negative fd,
 *             other than -1).
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe, unless it interrupts a call on this connection.
 * Since       0.1
 */
int rialto_connection_set_space_fd(rialto_connection_t *connection, int fd);

/**
 * Before an event loop polls for data: from now on the next message, and the end of the stream, is
 * signalled, once, by the other end if it knows the descriptor. Read the descriptor before you arm
 * again.
 *
 * connection  alive, used by nobody else.
 * is_ready    gets whether a receive is worth a try at once: then do not poll. False is never wrong
 *             but for what the dead left.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   a message is signalled that nobody waits for.
 * Since       0.1
 */
int rialto_connection_arm_data(rialto_connection_t *connection, bool *is_ready);

/**
 * What the loop calls at least once per tick (rialto_connection_tick_ns): recovers the dead, looks,
 * and arms. A sender killed between its message and its signal leaves the descriptor silent, and
 * the other end's death signals nothing: only this finds them.
 *
 * connection  alive, used by nobody else.
 * is_ready    as for rialto_connection_arm_data.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_arm_data; somebody else recovers.
 * Since       0.1
 */
int rialto_connection_recheck_data(rialto_connection_t *connection, bool *is_ready);

/**
 * As rialto_connection_arm_data, for room: what is received next, and closing, is signalled.
 *
 * connection  alive, used by nobody else.
 * message_bytes
 *             how long the message is that is to be sent.
 * is_ready    gets whether sending it (or its next chunk) is worth a try at once: there is room, or
 *             the other end is closed.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_arm_data.
 * Since       0.1
 */
int rialto_connection_arm_space(rialto_connection_t *connection, size_t message_bytes,
                                bool *is_ready);

/**
 * As rialto_connection_recheck_data, for room.
 *
 * connection, message_bytes, is_ready
 *             as for rialto_connection_arm_space.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_connection_recheck_data.
 * Since       0.1
 */
int rialto_connection_recheck_space(rialto_connection_t *connection, size_t message_bytes,
                                    bool *is_ready);

/**
 * How often an event loop rechecks: the region's tick.
 *
 * connection  alive.
 * tick_ns     gets it, in nanoseconds. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread at a time, whichever.  Blocks: no.
 * Signals     async-signal-safe, unless it interrupts a call on this connection.
 * Since       0.1
 */
int rialto_connection_tick_ns(const rialto_connection_t *connection, uint64_t *tick_ns);

/* ==== Waiting for each other: objects with a name in a region ================================= */

/* ---- rialto_tracked_semaphore_t: semaphore that gets dead holders' permits back -------------- */

/**
 * A semaphore whose permits belong to the member that acquired them, and come back when that member
 * dies. A plain view.
 */
typedef struct rialto_tracked_semaphore_t {
    /** Private. */
    uint64_t _private[8];
} rialto_tracked_semaphore_t;

/**
 * Makes a tracked semaphore in a region, all permits free, waiting for others who create there as
 * long as it takes.
 *
 * region      alive; its view must outlive the semaphore's.
 * name        1 to 31 bytes of UTF-8.
 * permits     how many there are; 1 to 65536. It takes 256 bytes and 8 for each.
 * semaphore   gets the view.
 * Returns     as rialto_queue_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole semaphore or none, and the room is not lost.
 * Since       0.1
 */
int rialto_tracked_semaphore_create(const rialto_region_t *region, const char *name,
                                    uint32_t permits, rialto_tracked_semaphore_t *semaphore);

/**
 * As rialto_tracked_semaphore_create, waiting at most `timeout_ns` nanoseconds for others who
 * create.
 *
 * region, name, permits, semaphore
 *             as for rialto_tracked_semaphore_create.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_tracked_semaphore_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody
 *             creates).
 * Concurrency as rialto_tracked_semaphore_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_tracked_semaphore_create.
 * Since       0.1
 */
int rialto_tracked_semaphore_create_timeout(const rialto_region_t *region, const char *name,
                                            uint32_t permits, uint64_t timeout_ns,
                                            rialto_tracked_semaphore_t *semaphore);

/**
 * Finds the tracked semaphore of that name.
 *
 * region      alive; its view must outlive the semaphore's.
 * name        as it was created.
 * semaphore   gets the view.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_tracked_semaphore_open(const rialto_region_t *region, const char *name,
                                  rialto_tracked_semaphore_t *semaphore);

/**
 * The tracked semaphore of that name, which is created if there is none.
 *
 * region, name, permits, semaphore
 *             as for rialto_tracked_semaphore_create.
 * Returns     as rialto_tracked_semaphore_open and rialto_tracked_semaphore_create, but neither
 *             RIALTO_ENOENT nor RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created with
 *             another number of permits.
 * Concurrency any thread of any process: all get the same.  Blocks: as
 *             rialto_tracked_semaphore_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_tracked_semaphore_create.
 * Since       0.1
 */
int rialto_tracked_semaphore_open_or_create(const rialto_region_t *region, const char *name,
                                            uint32_t permits,
                                            rialto_tracked_semaphore_t *semaphore);

/**
 * The same semaphore, seen by a member that you made, whichever thread calls: permits acquired
 * through the new view are that member's.
 *
 * semaphore   alive.
 * member      alive, of the same region's view; it must outlive the new view's use. One of another
 *             region is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a
 *             forked child, which must not act as it.
 * as_member   gets the new view; may be `semaphore`.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_tracked_semaphore_as_member(const rialto_tracked_semaphore_t *semaphore,
                                       const rialto_member_t *member,
                                       rialto_tracked_semaphore_t *as_member);

/**
 * Takes a permit, waiting for one as long as it takes. It is yours until you release it, and comes
 * back by itself if you die. Cf. sem_wait.
 *
 * semaphore   alive.
 * permit      gets the permit, a number that release wants; never 0.
 * Returns     RIALTO_OK; RIALTO_EPERM (rialto_tracked_semaphore_as_member: the member is gone);
 *             RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_EINVAL (also: the member is not of this region).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   now or later, holding it: the permit is free again, once, within a tick of somebody's
 *             waiting for it.
 * Since       0.1
 */
int rialto_tracked_semaphore_acquire(const rialto_tracked_semaphore_t *semaphore, uint64_t *permit);

/**
 * Takes a permit if there is one now. Does not look for the dead: rialto_region_recover does.
 *
 * semaphore, permit
 *             as for rialto_tracked_semaphore_acquire.
 * Returns     as rialto_tracked_semaphore_acquire; RIALTO_EAGAIN (all are taken).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_tracked_semaphore_acquire.
 * Since       0.1
 */
int rialto_tracked_semaphore_try_acquire(const rialto_tracked_semaphore_t *semaphore,
                                         uint64_t *permit);

/**
 * Takes a permit, waiting for one at most `timeout_ns` nanoseconds. Cf. sem_timedwait, but relative
 * and monotonic.
 *
 * semaphore, permit
 *             as for rialto_tracked_semaphore_acquire.
 * timeout_ns  0 is rialto_tracked_semaphore_try_acquire; RIALTO_WAIT_FOREVER never passes. Never
 *             early.
 * Returns     as rialto_tracked_semaphore_acquire; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0).
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_tracked_semaphore_acquire.
 * Since       0.1
 */
int rialto_tracked_semaphore_acquire_timeout(const rialto_tracked_semaphore_t *semaphore,
                                             uint64_t timeout_ns, uint64_t *permit);

/**
 * Gives a permit back, and wakes somebody who waits for one. Cf. sem_post.
 *
 * semaphore   alive; any view of the semaphore that it came from.
 * permit      what acquire gave, to whomever; not used any more afterwards.
 * Returns     RIALTO_OK; RIALTO_EPERM (given back already, or its member died or left: nothing
 *             changed); RIALTO_EINVAL (also: it cannot be a permit of this semaphore; another's may
 *             be taken for one).
 * Concurrency any thread of any process, also on behalf of the member that holds it.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is given back, now or as a dead one's; waiters find it within a tick.
 * Since       0.1
 */
int rialto_tracked_semaphore_release(const rialto_tracked_semaphore_t *semaphore, uint64_t permit);

/**
 * How many permits are free. Walks over all of them. Cf. sem_getvalue.
 *
 * semaphore   alive.
 * value       gets the number, which may be old when you read it; those of the dead count as taken
 *             until somebody recovers them.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_tracked_semaphore_value(const rialto_tracked_semaphore_t *semaphore, uint32_t *value);

/**
 * How many permits there are, free and taken.
 *
 * semaphore   alive.
 * bound       gets the number that it was created with.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_tracked_semaphore_bound(const rialto_tracked_semaphore_t *semaphore, uint32_t *bound);

/* ---- rialto_barrier_t: parties that wait for each other -------------------------------------- */

/**
 * A barrier, at which an agreed number of parties wait for each other, as often as they like. A
 * plain view. A party that times out, aborts, or dies while it waits (or anywhere, if it is
 * registered) breaks the barrier for all, until somebody resets it. Cf. pthread_barrier_t, which
 * hangs then.
 */
typedef struct rialto_barrier_t {
    /** Private. */
    uint64_t _private[16];
} rialto_barrier_t;

/**
 * Makes a barrier in a region, whole, with nobody there, waiting for others who create there as
 * long as it takes. Cf. pthread_barrier_init.
 *
 * region      alive; its view must outlive the barrier's.
 * name        1 to 31 bytes of UTF-8.
 * parties     how many wait for each other; 1 to 4095. It takes 512 bytes and 24 for each.
 * barrier     gets the view.
 * Returns     as rialto_queue_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole barrier or none, and the room is not lost.
 * Since       0.1
 */
int rialto_barrier_create(const rialto_region_t *region, const char *name, uint32_t parties,
                          rialto_barrier_t *barrier);

/**
 * As rialto_barrier_create, waiting at most `timeout_ns` nanoseconds for others who create.
 *
 * region, name, parties, barrier
 *             as for rialto_barrier_create.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_barrier_create; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates).
 * Concurrency as rialto_barrier_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_barrier_create.
 * Since       0.1
 */
int rialto_barrier_create_timeout(const rialto_region_t *region, const char *name, uint32_t parties,
                                  uint64_t timeout_ns, rialto_barrier_t *barrier);

/**
 * Finds the barrier of that name.
 *
 * region      alive; its view must outlive the barrier's.
 * name        as it was created.
 * barrier     gets the view.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_barrier_open(const rialto_region_t *region, const char *name, rialto_barrier_t *barrier);

/**
 * The barrier of that name, which is created if there is none.
 *
 * region, name, parties, barrier
 *             as for rialto_barrier_create.
 * Returns     as rialto_barrier_open and rialto_barrier_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST; RIALTO_EWRONGKIND also if it was created for another number of
 *             parties.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_barrier_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_barrier_create.
 * Since       0.1
 */
int rialto_barrier_open_or_create(const rialto_region_t *region, const char *name, uint32_t parties,
                                  rialto_barrier_t *barrier);

/**
 * The same barrier, seen by a member that you made, whichever thread calls: that member is the
 * party that waits or registers through the new view.
 *
 * barrier     alive.
 * member      alive, of the same region's view; it must outlive the new view's use. One of another
 *             region is refused by what then acts as it, RIALTO_EINVAL. Stays the parent's in a
 *             forked child, which must not act as it.
 * as_member   gets the new view; may be `barrier`.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_barrier_as_member(const rialto_barrier_t *barrier, const rialto_member_t *member,
                             rialto_barrier_t *as_member);

/**
 * Waits until all parties have come, as long as it takes. Who finds all places taken waits for the
 * next generation. Cf. pthread_barrier_wait.
 *
 * barrier     alive.
 * index       gets a number that no other party gets this time: 0 to parties - 1, in the order in
 *             which they came. For the choice of one who does something; not NULL.
 * Returns     RIALTO_OK; RIALTO_EBROKEN (it is broken, or was while we waited: by a timeout, a
 *             death, a failed action, an abort or a reset); RIALTO_EPERM (rialto_barrier_as_member:
 *             the member is gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's
 *             first use); RIALTO_EINVAL (also: the member is not of this region).
 * Concurrency any thread of any process.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   waiting: the barrier is broken for the others within a tick, unless all had come
 *             already. Elsewhere: only if we are registered, see rialto_barrier_register; who dies
 *             unregistered is waited for for ever, or until a timeout.
 * Since       0.1
 */
int rialto_barrier_wait(const rialto_barrier_t *barrier, uint32_t *index);

/**
 * Waits until all parties have come, at most `timeout_ns` nanoseconds.
 *
 * barrier, index
 *             as for rialto_barrier_wait.
 * timeout_ns  0 does not wait; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_barrier_wait; RIALTO_ETIMEDOUT (also with 0, unless we came last and there
 *             was time to see to the dead): the barrier is broken by that for all, and the others
 *             get RIALTO_EBROKEN; also if we waited for the next generation only.
 * Concurrency any thread of any process.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_barrier_wait.
 * Since       0.1
 */
int rialto_barrier_wait_timeout(const rialto_barrier_t *barrier, uint64_t timeout_ns,
                                uint32_t *index);

/**
 * As rialto_barrier_wait_timeout; the party that comes last runs its action before anybody is
 * released. Parties may bring different ones, or none by another wait.
 *
 * barrier, index
 *             as for rialto_barrier_wait.
 * timeout_ns  as for rialto_barrier_wait_timeout; the action itself has no timeout.
 * action      returns 0; anything else breaks the barrier. It must return, so not wait here itself.
 * arg         passed to it; may be NULL.
 * Returns     as rialto_barrier_wait_timeout; RIALTO_EBROKEN also for the one whose action failed.
 * Concurrency any thread of any process.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as rialto_barrier_wait; so in the action.
 * Since       0.1
 */
int rialto_barrier_wait_action_timeout(const rialto_barrier_t *barrier, uint64_t timeout_ns,
                                       int (*action)(void *arg), void *arg, uint32_t *index);

/**
 * Makes the calling thread's member (or the view's, see rialto_barrier_as_member) known as a party:
 * from here on its death, or its thread's end, breaks the barrier also while it is elsewhere. Once
 * is enough; a second time changes nothing. Who does not register may wait all the same.
 *
 * barrier     alive.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (as many members as there are parties have registered);
 *             RIALTO_EPERM (rialto_barrier_as_member: the member is gone); RIALTO_ENFILE,
 *             RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL (also: the
 *             member is not of this region).
 * Concurrency any thread of any process.  Blocks: no; if the registry is full, it looks among all
 *             members for the dead, a tick at most.
 * Signals     not async-signal-safe.
 * If we die   it is registered or it is not.
 * Since       0.1
 */
int rialto_barrier_register(const rialto_barrier_t *barrier);

/**
 * Undoes rialto_barrier_register. Needed before the member can leave the region.
 *
 * barrier     alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (not registered, or the member is gone); RIALTO_ENFILE,
 *             RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL (also: the
 *             member is not of this region).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   it is registered still, and so breaks the barrier, or it is not.
 * Since       0.1
 */
int rialto_barrier_unregister(const rialto_barrier_t *barrier);

/**
 * Makes the barrier whole, with nobody there. Those who wait in it now get RIALTO_EBROKEN. The
 * number of parties stays: somebody must come in the place of a dead one. A death that nobody has
 * noticed yet breaks it again: call rialto_region_recover first.
 *
 * barrier     alive.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is reset or it is not; waiters notice within a tick.
 * Since       0.1
 */
int rialto_barrier_reset(const rialto_barrier_t *barrier);

/**
 * Breaks the barrier: those who wait in it now, or come before a reset, get RIALTO_EBROKEN. Again
 * is harmless.
 *
 * barrier     alive.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is broken or it is not; waiters notice within a tick.
 * Since       0.1
 */
int rialto_barrier_abort(const rialto_barrier_t *barrier);

/**
 * Whether the barrier is broken.
 *
 * barrier     alive.
 * is_broken   gets the answer, which may be old when you read it. A death breaks it when somebody
 *             who waits, or rialto_region_recover, finds it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_barrier_is_broken(const rialto_barrier_t *barrier, bool *is_broken);

/**
 * How many wait in the barrier. Walks over all places.
 *
 * barrier     alive.
 * parties     gets the number, which may be old when you read it; 0 if the barrier is broken.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_barrier_n_waiting(const rialto_barrier_t *barrier, uint32_t *parties);

/**
 * How many parties wait for each other.
 *
 * barrier     alive.
 * parties     gets the number that it was created with.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_barrier_parties(const rialto_barrier_t *barrier, uint32_t *parties);

/* ==== State: objects with a name in a region, each with a lock of its own ===================== */

/* ---- rialto_value_t: a number, or a structure ------------------------------------------------ */

/** Bytes of some structure; only its size is checked. All processes must agree on the structure. */
#define RIALTO_BLOCK 0
/** uint8_t */
#define RIALTO_U8 1
/** int8_t */
#define RIALTO_I8 2
/** uint16_t */
#define RIALTO_U16 3
/** int16_t */
#define RIALTO_I16 4
/** uint32_t */
#define RIALTO_U32 5
/** int32_t */
#define RIALTO_I32 6
/** uint64_t */
#define RIALTO_U64 7
/** int64_t */
#define RIALTO_I64 8
/** float */
#define RIALTO_F32 9
/** double */
#define RIALTO_F64 10
/** bool, one byte: 0 or 1 */
#define RIALTO_BOOL 11

/**
 * What a value is, or an element of an array: one of RIALTO_BLOCK, RIALTO_U8, ... A number's is
 * checked when the object is opened, and of any the size.
 */
typedef uint32_t rialto_type_t;

/**
 * A value that several processes share: a store is all or nothing, whoever is killed when, and a
 * load never waits for the dead. A plain view.
 */
typedef struct rialto_value_t {
    /** Private. */
    uint64_t _private[8];
} rialto_value_t;

/**
 * Makes a value in a region, waiting at most `timeout_ns` for others who create there.
 *
 * region      alive; its view must outlive the value's.
 * name        1 to 31 bytes of UTF-8.
 * type        RIALTO_BLOCK, RIALTO_U8 ...
 * initial     `size` bytes: what it is at first.
 * size        1 to 2^30; a number's own. It takes 256 bytes, and twice `size` rounded up to 128.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * value       gets the view.
 * Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free);
 *             RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and somebody creates); RIALTO_ENFILE (the
 *             region's table of views is full); RIALTO_EMFILE; RIALTO_EBADREGION;
 *             RIALTO_ENOTRECOVERABLE (a peer has damaged the directory's lock: nothing can be
 *             created here any more); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole value or none, and the room is not lost.
 * Since       0.1
 */
int rialto_value_create(const rialto_region_t *region, const char *name, rialto_type_t type,
                        const void *initial, size_t size, uint64_t timeout_ns,
                        rialto_value_t *value);

/**
 * Finds the value of that name.
 *
 * region      alive; its view must outlive the value's.
 * name        as it was created.
 * type, size  as it was created.
 * value       gets the view.
 * Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND (also: of another type or size);
 *             RIALTO_EBADREGION; RIALTO_ENFILE (the region's table of views is full); RIALTO_EBUSY
 *             (six threads are stopped in the middle of such a call through this region's view);
 *             RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_value_open(const rialto_region_t *region, const char *name, rialto_type_t type,
                      size_t size, rialto_value_t *value);

/**
 * The value as it was stored last. Does not wait for who holds the lock.
 *
 * value       alive.
 * to          gets it; nobody else uses those bytes meanwhile. After an error they may be
 *             overwritten.
 * size        its size.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: another size); where writers overtake us 64 times in
 *             a row, also as rialto_value_store.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_value_load(const rialto_value_t *value, void *to, size_t size);

/**
 * Stores a value, waiting for others who hold the lock, see rialto_value_set_timeout.
 *
 * value       alive.
 * from, size  the bytes; as many as it has. A bool is 0 or 1.
 * Returns     RIALTO_OK; RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after rialto_value_set_timeout); RIALTO_EDEADLK
 *             (from within an edit of it); RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has
 *             damaged the lock); RIALTO_EINVAL (also: another size).
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   everybody finds the old value, or everybody the new one.
 * Since       0.1
 */
int rialto_value_store(const rialto_value_t *value, const void *from, size_t size);

/**
 * Stores a value, and tells what was there.
 *
 * value, from, size
 *             as for rialto_value_store; at most 64 bytes.
 * before      gets `size` bytes; may be `from`.
 * Returns     as rialto_value_store; RIALTO_ENOTSUP (larger than 64 bytes).
 * Concurrency as rialto_value_store.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_store.
 * Since       0.1
 */
int rialto_value_swap(const rialto_value_t *value, const void *from, void *before, size_t size);

/**
 * Stores a value if it is, byte by byte, the expected one.
 *
 * value       alive.
 * expected    `size` bytes: the value to be replaced. Gets what was there.
 * from, size  the new value; at most 64 bytes.
 * Returns     RIALTO_OK (replaced); RIALTO_EAGAIN (it was another one, which `expected` is now: the
 *             one out-parameter that is written with a negative status. After
 *             rialto_value_set_timeout to 0 also: somebody holds the lock, and `expected` is as it
 *             was); RIALTO_ENOTSUP (larger than 64 bytes); as rialto_value_store.
 * Concurrency as rialto_value_store.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_store.
 * Since       0.1
 */
int rialto_value_compare_exchange(const rialto_value_t *value, void *expected, const void *from,
                                  size_t size);

/**
 * Adds to a value that is a number; integers wrap.
 *
 * value       alive.
 * more, size  a number of its type.
 * before      gets what was there; may be NULL, or `more`.
 * Returns     as rialto_value_store; RIALTO_EWRONGKIND (no number).
 * Concurrency as rialto_value_store.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_store.
 * Since       0.1
 */
int rialto_value_fetch_add(const rialto_value_t *value, const void *more, void *before,
                           size_t size);

/**
 * Keeps all others from changing the value until rialto_value_release: several operations of this
 * thread, that nobody comes between. Python's `with value.get_lock():`. Others load meanwhile.
 *
 * value       alive.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     RIALTO_OK; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it is held, by whomever);
 *             RIALTO_EDEADLK (held by this thread already); RIALTO_EMFILE; RIALTO_ENOMEM;
 *             RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   others go on, with what the last whole operation left: hold a rialto_lock_t of your
 *             own if they are to be told.
 * Since       0.1
 */
int rialto_value_acquire(const rialto_value_t *value, uint64_t timeout_ns);

/**
 * Ends what rialto_value_acquire began.
 *
 * value       alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
 *             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   others go on, in any case.
 * Since       0.1
 */
int rialto_value_release(const rialto_value_t *value);

/**
 * How long the operations of this view wait for others who change the value; at first, as long as
 * it takes.
 *
 * value       alive. Copies of the view keep theirs.
 * timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
 *             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_value_set_timeout(rialto_value_t *value, uint64_t timeout_ns);

/**
 * Whether the calling thread holds the value's lock.
 *
 * value       alive.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_value_is_mine(const rialto_value_t *value, bool *is_mine);

/**
 * Whether anybody holds the value's lock.
 *
 * value       alive.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_value_is_locked(const rialto_value_t *value, bool *is_locked);

/**
 * How many threads died in the middle of a change of the value, which then was taken back or
 * completed; a death is counted by the next who changes something.
 *
 * value       alive.
 * deaths      gets the number; stays at UINT32_MAX.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_value_deaths(const rialto_value_t *value, uint32_t *deaths);

/* ---- rialto_array_t: elements of one type; edits of several ---------------------------------- */

/**
 * An array that several processes share: an update, of one element or of many, is all or nothing,
 * whoever is killed when, and a read never waits for the dead. A plain view.
 */
typedef struct rialto_array_t {
    /** Private. */
    uint64_t _private[8];
} rialto_array_t;

/** An edit under way, see rialto_array_edit. Only ever pointed to. */
typedef struct rialto_array_edit_t {
    /** Private. */
    uint64_t _private[1];
} rialto_array_edit_t;

/**
 * Makes an array in a region, waiting at most `timeout_ns` for others who create there.
 *
 * region      alive; its view must outlive the array's.
 * name        1 to 31 bytes of UTF-8.
 * type        RIALTO_BLOCK, RIALTO_U8 ...
 * size        bytes of an element; a number's own.
 * count       elements, 1 and more; at most 2^30 bytes in all. It takes 256 bytes, and twice those
 *             bytes rounded up to 128.
 * initial     `count` elements, or NULL: zeros.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * array       gets the view.
 * Returns     as rialto_value_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole array or none, and the room is not lost.
 * Since       0.1
 */
int rialto_array_create(const rialto_region_t *region, const char *name, rialto_type_t type,
                        size_t size, uint32_t count, const void *initial, uint64_t timeout_ns,
                        rialto_array_t *array);

/**
 * Finds the array of that name.
 *
 * region      alive; its view must outlive the array's.
 * name        as it was created.
 * type, size  as it was created.
 * array       gets the view.
 * Returns     as rialto_value_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_array_open(const rialto_region_t *region, const char *name, rialto_type_t type,
                      size_t size, rialto_array_t *array);

/**
 * How many elements there are; it never changes.
 *
 * array       alive.
 * count       gets the number.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_array_len(const rialto_array_t *array, uint32_t *count);

/**
 * Elements as they were stored last, all of one moment. Does not wait for who holds the lock.
 *
 * array       alive.
 * index       of the first.
 * count       how many.
 * to          gets them; nobody else uses those bytes meanwhile. After an error they may be
 *             overwritten.
 * Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many); RIALTO_EINVAL; where writers
 *             overtake us 64 times in a row, also as rialto_array_write.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_array_read(const rialto_array_t *array, uint32_t index, uint32_t count, void *to);

/**
 * Stores elements: all of them or, if we are killed, perhaps none. Waits for others who hold the
 * lock, see rialto_array_set_timeout.
 *
 * array       alive.
 * index       of the first.
 * count       how many.
 * from        as many elements. A bool is 0 or 1.
 * Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many: nothing is stored); as
 *             rialto_value_store.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   everybody finds the old elements, or everybody the new ones.
 * Since       0.1
 */
int rialto_array_write(const rialto_array_t *array, uint32_t index, uint32_t count,
                       const void *from);

/**
 * Stores an element, and tells what was there.
 *
 * array, index
 *             which one.
 * from, before, size
 *             as for rialto_value_swap.
 * Returns     as rialto_value_swap; RIALTO_ENOENT.
 * Concurrency as rialto_array_write.
 * Signals     not async-signal-safe.
 * If we die   as rialto_array_write.
 * Since       0.1
 */
int rialto_array_swap(const rialto_array_t *array, uint32_t index, const void *from, void *before,
                      size_t size);

/**
 * Stores an element if it is, byte by byte, the expected one.
 *
 * array, index
 *             which one.
 * expected, from, size
 *             as for rialto_value_compare_exchange.
 * Returns     as rialto_value_compare_exchange; RIALTO_ENOENT.
 * Concurrency as rialto_array_write.
 * Signals     not async-signal-safe.
 * If we die   as rialto_array_write.
 * Since       0.1
 */
int rialto_array_compare_exchange(const rialto_array_t *array, uint32_t index, void *expected,
                                  const void *from, size_t size);

/**
 * Adds to an element that is a number; integers wrap.
 *
 * array, index
 *             which one.
 * more, before, size
 *             as for rialto_value_fetch_add.
 * Returns     as rialto_value_fetch_add; RIALTO_ENOENT.
 * Concurrency as rialto_array_write.
 * Signals     not async-signal-safe.
 * If we die   as rialto_array_write.
 * Since       0.1
 */
int rialto_array_fetch_add(const rialto_array_t *array, uint32_t index, const void *more,
                           void *before, size_t size);

/**
 * Has `change` change as many elements as it likes: all of that or nothing.
 *
 * array       alive.
 * change      called once, at once, by this thread, with the edit and `context`. It reads and
 *             writes by rialto_array_edit_read and _write; the array itself is meanwhile as it was
 *             before, and writing to it is RIALTO_EDEADLK. What it returns is returned: if that is
 *             negative, nothing is changed. It must return: no longjmp, no exception, no
 *             pthread_exit.
 * context     yours.
 * Returns     what `change` returned; as rialto_array_write.
 * Concurrency any thread of any process.  Blocks: yes, while others hold the lock; and others, who
 *             write, while `change` runs.
 * Signals     not async-signal-safe.
 * If we die   also in `change`: everybody finds what was before, or everybody all of it.
 * Since       0.1
 */
int rialto_array_edit(const rialto_array_t *array,
                      int (*change)(rialto_array_edit_t *edit, void *context), void *context);

/**
 * Elements within an edit, with what it has written before.
 *
 * edit        what `change` was called with, during that call.
 * index       of the first.
 * to, size    gets whole elements, as many as there are bytes for.
 * Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many); RIALTO_EINVAL (also: no whole
 *             elements).
 * Concurrency the thread that edits.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_array_edit.
 * Since       0.1
 */
int rialto_array_edit_read(const rialto_array_edit_t *edit, uint32_t index, void *to, size_t size);

/**
 * Writes elements within an edit.
 *
 * edit        what `change` was called with, during that call.
 * index       of the first.
 * from, size  whole elements.
 * Returns     RIALTO_OK; RIALTO_ENOENT (there are not as many); RIALTO_EINVAL (also: no whole
 *             elements, a bool that is none).
 * Concurrency the thread that edits.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_array_edit.
 * Since       0.1
 */
int rialto_array_edit_write(rialto_array_edit_t *edit, uint32_t index, const void *from,
                            size_t size);

/**
 * Keeps all others from changing the array until rialto_array_release. As rialto_value_acquire.
 *
 * array, timeout_ns
 *             as for rialto_value_acquire.
 * Returns     as rialto_value_acquire.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_acquire.
 * Since       0.1
 */
int rialto_array_acquire(const rialto_array_t *array, uint64_t timeout_ns);

/**
 * Ends what rialto_array_acquire began.
 *
 * array       alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
 *             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   others go on, in any case.
 * Since       0.1
 */
int rialto_array_release(const rialto_array_t *array);

/**
 * How long the operations of this view wait for others who change the array; at first, as long as
 * it takes.
 *
 * array       alive. Copies of the view keep theirs.
 * timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
 *             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_array_set_timeout(rialto_array_t *array, uint64_t timeout_ns);

/**
 * Whether the calling thread holds the array's lock.
 *
 * array       alive.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_array_is_mine(const rialto_array_t *array, bool *is_mine);

/**
 * Whether anybody holds the array's lock.
 *
 * array       alive.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_array_is_locked(const rialto_array_t *array, bool *is_locked);

/**
 * How many threads died in the middle of a change of the array, which then was taken back or
 * completed; a death is counted by the next who changes something.
 *
 * array       alive.
 * deaths      gets the number; stays at UINT32_MAX.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_array_deaths(const rialto_array_t *array, uint32_t *deaths);

/* ---- rialto_raw_value_create: raw values and arrays: memory with a name ---------------------- */

/**
 * Makes a raw value in a region, zero, waiting for others who create there as long as it takes:
 * bytes that are all yours. No lock, no copies, and all or nothing only what one instruction
 * stores. Python's RawValue.
 *
 * region      alive; its view must outlive the use of `data`.
 * name        1 to 31 bytes of UTF-8.
 * type, size  as for rialto_value_create. It takes 128 bytes and `size` rounded up to 128.
 * data        gets where it is in this process, aligned to 128. Others store there at any moment:
 *             use the compiler's __atomic builtins or volatile.
 * Returns     as rialto_value_create, but neither RIALTO_ETIMEDOUT nor RIALTO_EAGAIN.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole value or none, and the room is not lost.
 * Since       0.1
 */
int rialto_raw_value_create(const rialto_region_t *region, const char *name, rialto_type_t type,
                            size_t size, void **data);

/**
 * Finds the raw value of that name.
 *
 * region      alive; its view must outlive the use of `data`.
 * name        as it was created.
 * type, size  as it was created.
 * data        as for rialto_raw_value_create.
 * Returns     as rialto_value_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_raw_value_open(const rialto_region_t *region, const char *name, rialto_type_t type,
                          size_t size, void **data);

/**
 * Makes a raw array in a region, zero. As rialto_raw_value_create.
 *
 * region, name, type, size, data
 *             as for rialto_raw_value_create; elements follow each other without gaps.
 * count       elements, 1 and more; at most 2^30 bytes in all.
 * Returns     as rialto_value_create, but neither RIALTO_ETIMEDOUT nor RIALTO_EAGAIN.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole array or none, and the room is not lost.
 * Since       0.1
 */
int rialto_raw_array_create(const rialto_region_t *region, const char *name, rialto_type_t type,
                            size_t size, uint32_t count, void **data);

/**
 * Finds the raw array of that name.
 *
 * region, name, type, size, data
 *             as for rialto_raw_value_open.
 * count       gets how many elements it has.
 * Returns     as rialto_value_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_raw_array_open(const rialto_region_t *region, const char *name, rialto_type_t type,
                          size_t size, void **data, uint32_t *count);

/* ---- rialto_list_t: byte strings in an order ------------------------------------------------- */

/**
 * A list of byte strings that several processes share, as Python's Manager().list(): an operation
 * is all or nothing, whoever is killed when, and readers never wait for the dead. A plain view.
 */
typedef struct rialto_list_t {
    /** Private. */
    uint64_t _private[16];
} rialto_list_t;

/**
 * What a list takes in its region.
 *
 * capacity    items at most, 1 and more.
 * max_item_bytes
 *             the longest item, 1 and more.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range, more than 2^30
 *             bytes).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_list_layout(uint32_t capacity, uint32_t max_item_bytes, rialto_layout_t *layout);

/**
 * Makes a list in a region, empty, waiting at most `timeout_ns` for others who create there.
 *
 * region      alive; its view must outlive the list's.
 * name        1 to 31 bytes of UTF-8.
 * capacity, max_item_bytes
 *             as for rialto_list_layout, which says how much room it takes.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * list        gets the view.
 * Returns     as rialto_value_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole list or none, and the room is not lost.
 * Since       0.1
 */
int rialto_list_create(const rialto_region_t *region, const char *name, uint32_t capacity,
                       uint32_t max_item_bytes, uint64_t timeout_ns, rialto_list_t *list);

/**
 * Finds the list of that name, whatever its numbers are.
 *
 * region      alive; its view must outlive the list's.
 * name        as it was created.
 * list        gets the view.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_open(const rialto_region_t *region, const char *name, rialto_list_t *list);

/**
 * As rialto_list_open, if it was created with these numbers.
 *
 * region, name, list
 *             as for rialto_list_open.
 * capacity, max_item_bytes
 *             as for rialto_list_create.
 * Returns     as rialto_list_open; RIALTO_EWRONGKIND also if it was created with other numbers.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_open_as(const rialto_region_t *region, const char *name, uint32_t capacity,
                        uint32_t max_item_bytes, rialto_list_t *list);

/**
 * The list of that name, which is created if there is none, waiting for others who create there as
 * long as it takes.
 *
 * region, name, list
 *             as for rialto_list_create.
 * capacity, max_item_bytes
 *             as for rialto_list_create.
 * Returns     as rialto_list_open and rialto_list_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST (nor, as it waits as long as it takes, RIALTO_ETIMEDOUT and
 *             RIALTO_EAGAIN); RIALTO_EWRONGKIND also if it was created with other numbers.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_list_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_create.
 * Since       0.1
 */
int rialto_list_open_or_create(const rialto_region_t *region, const char *name, uint32_t capacity,
                               uint32_t max_item_bytes, rialto_list_t *list);

/**
 * Items at most.
 *
 * list        alive.
 * capacity    gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_list_capacity(const rialto_list_t *list, uint32_t *capacity);

/**
 * The longest item, in bytes; what a buffer for any of them needs.
 *
 * list        alive.
 * max_item_bytes
 *             gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_list_max_item_bytes(const rialto_list_t *list, uint32_t *max_item_bytes);

/**
 * How many items there are.
 *
 * list        alive.
 * items       gets the number: old when you read it, unless you hold the lock.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_len(const rialto_list_t *list, size_t *items);

/**
 * Whether rialto_list_len would say 0.
 *
 * list        alive.
 * is_empty    gets the answer: as old as that.
 * Returns     as rialto_list_len.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_is_empty(const rialto_list_t *list, bool *is_empty);

/**
 * Removes all items. Python's s.clear().
 *
 * list        alive.
 * Returns     RIALTO_OK; RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after rialto_list_set_timeout); RIALTO_EDEADLK
 *             (from within a comparator of it); RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer
 *             has damaged the lock); RIALTO_EINVAL. Negative: nothing has changed.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   everybody finds the list as it was, or everybody as it is then.
 * Since       0.1
 */
int rialto_list_clear(const rialto_list_t *list);

/**
 * Adds an item at the end. Python's s.append(item).
 *
 * list        alive.
 * item, length_bytes
 *             the bytes; NULL is fine for none.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (the list is full); RIALTO_EMSGSIZE (longer than the longest
 *             item); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_append(const rialto_list_t *list, const void *item, size_t length_bytes);

/**
 * Adds items at the end, all of them or none, also if we die. Python's s.extend(items).
 *
 * list        alive.
 * items       which; may be NULL if count is 0.
 * count       how many.
 * Returns     as rialto_list_append.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_extend(const rialto_list_t *list, const rialto_message_t *items, size_t count);

/**
 * Adds an item before the one at `index`; at the end, if there are no more than that. Python's
 * s.insert(index, item).
 *
 * list, item, length_bytes
 *             as for rialto_list_append.
 * index       from 0.
 * Returns     as rialto_list_append.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_insert(const rialto_list_t *list, size_t index, const void *item,
                       size_t length_bytes);

/**
 * Puts another item in the place of the one at `index`. Python's `s[index] = item`.
 *
 * list, item, length_bytes
 *             as for rialto_list_append.
 * index       from 0.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such index); RIALTO_EMSGSIZE (longer than the longest
 *             item); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_set(const rialto_list_t *list, size_t index, const void *item, size_t length_bytes);

/**
 * The item at `index`. Python's `s[index]`.
 *
 * list        alive.
 * index       from 0.
 * buffer      private memory, gets the item; nobody else uses it meanwhile. After an error it may
 *             be overwritten. NULL is fine for none.
 * buffer_bytes
 *             how large it is; rialto_list_max_item_bytes is enough for each.
 * length_bytes
 *             gets the item's length.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such index); RIALTO_ENOBUFS (the buffer is too small);
 *             RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a row, also
 *             as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_get(const rialto_list_t *list, size_t index, void *buffer, size_t buffer_bytes,
                    size_t *length_bytes);

/**
 * Items of one moment, one behind the other. Python's `s[begin:end]`; as there, what is not there
 * is left out.
 *
 * list        alive.
 * begin, end  from 0; the item at `end` is not copied. SIZE_MAX: up to the last.
 * buffer, buffer_bytes
 *             private memory, gets the bytes of all of them, without gaps. As for rialto_list_get.
 * lengths     private memory, gets each one's length. After an error it may be overwritten.
 * max_items   how many it has room for.
 * items       gets how many there are.
 * Returns     RIALTO_OK; RIALTO_ENOBUFS (they do not fit in buffer, or lengths); RIALTO_EBADREGION;
 *             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
 *             rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_copy_range(const rialto_list_t *list, size_t begin, size_t end, void *buffer,
                           size_t buffer_bytes, uint32_t *lengths, size_t max_items, size_t *items);

/**
 * Takes the item at `index` out. Python's s.pop(index).
 *
 * list, buffer, buffer_bytes, length_bytes
 *             as for rialto_list_get.
 * index       from 0.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such index); RIALTO_ENOBUFS (the buffer is too small:
 *             nothing is taken); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   it is there still, or gone with us.
 * Since       0.1
 */
int rialto_list_pop(const rialto_list_t *list, size_t index, void *buffer, size_t buffer_bytes,
                    size_t *length_bytes);

/**
 * Takes the last item out. Python's s.pop().
 *
 * list, buffer, buffer_bytes, length_bytes
 *             as for rialto_list_get.
 * Returns     as rialto_list_pop; RIALTO_ENOENT (empty).
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_pop.
 * Since       0.1
 */
int rialto_list_pop_last(const rialto_list_t *list, void *buffer, size_t buffer_bytes,
                         size_t *length_bytes);

/**
 * Removes the item at `index`. Python's `del s[index]`.
 *
 * list        alive.
 * index       from 0.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such index); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_delete(const rialto_list_t *list, size_t index);

/**
 * Removes the first item that has these bytes. Python's s.remove(item).
 *
 * list        alive.
 * item, length_bytes
 *             the bytes to look for; NULL is fine for none.
 * Returns     RIALTO_OK; RIALTO_ENOENT (none has); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_remove(const rialto_list_t *list, const void *item, size_t length_bytes);

/**
 * Where the first item is that has these bytes. Python's s.index(item).
 *
 * list        alive.
 * item, length_bytes
 *             the bytes to look for; NULL is fine for none.
 * index       gets where; from 0.
 * Returns     RIALTO_OK; RIALTO_ENOENT (none has); RIALTO_EBADREGION; RIALTO_EINVAL; where writers
 *             overtake us 64 times in a row, also as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_index(const rialto_list_t *list, const void *item, size_t length_bytes,
                      size_t *index);

/**
 * As rialto_list_index, among those from `begin` on and before `end`. Python's s.index(item, begin,
 * end).
 *
 * list, item, length_bytes, index
 *             as for rialto_list_index; also the index is from the list's beginning.
 * begin, end  from 0; SIZE_MAX: up to the last.
 * Returns     as rialto_list_index.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_index_in(const rialto_list_t *list, size_t begin, size_t end, const void *item,
                         size_t length_bytes, size_t *index);

/**
 * Whether an item has these bytes. Python's `item in s`.
 *
 * list        alive.
 * item, length_bytes
 *             the bytes to look for; NULL is fine for none.
 * contains    gets the answer.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_contains(const rialto_list_t *list, const void *item, size_t length_bytes,
                         bool *contains);

/**
 * How many items have these bytes. Python's s.count(item).
 *
 * list        alive.
 * item, length_bytes
 *             the bytes to look for; NULL is fine for none.
 * items       gets the number.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_count(const rialto_list_t *list, const void *item, size_t length_bytes,
                      size_t *items);

/**
 * Turns the order around. Python's s.reverse().
 *
 * list        alive.
 * Returns     as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_reverse(const rialto_list_t *list);

/**
 * Sorts by the items' bytes, as memcmp; shorter ones first if one begins with the other. Python's
 * s.sort().
 *
 * list        alive.
 * Returns     as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_sort(const rialto_list_t *list);

/**
 * Sorts as `compare` says, stable, in about n log2 n comparisons. Python's
 * s.sort(key=cmp_to_key(compare)). Others who change the list wait meanwhile; they and `compare`
 * read it as it was.
 *
 * list        alive.
 * buffer      private memory for two items, which `compare` sees there; nobody else uses it
 *             meanwhile.
 * buffer_bytes
 *             how large it is: twice rialto_list_max_item_bytes, or more.
 * compare     called by this thread with two items and `context`; says a number below 0, 0, or
 *             above, as qsort's. If it contradicts itself, some order results. Changing the list in
 *             it is RIALTO_EDEADLK. It must return: no longjmp, no exception, no pthread_exit.
 * context     yours.
 * Returns     RIALTO_OK; RIALTO_ENOBUFS (the buffer is too small); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   also in `compare`: as rialto_list_clear.
 * Since       0.1
 */
int rialto_list_sort_by(const rialto_list_t *list, void *buffer, size_t buffer_bytes,
                        int (*compare)(const void *item, size_t item_bytes, const void *other,
                                       size_t other_bytes, void *context), void *context);

/**
 * Has `visit` look at all items of one state of the list: holds its lock until it is through, so
 * others who change it wait. Python's `for item in s`.
 *
 * list        alive.
 * buffer      private memory, where each item lies in turn; nobody else uses it meanwhile.
 * buffer_bytes
 *             how large it is; rialto_list_max_item_bytes is enough for each. NULL is fine for 0.
 * visit       called by this thread with index, item and `context`. It returns 0 to go on; what
 *             else it returns ends the walk, and is returned. It may use the list, and sees items
 *             come and go by index then, as in Python. It must return: no longjmp, no exception, no
 *             pthread_exit.
 * context     yours.
 * Returns     RIALTO_OK (all were visited); what `visit` returned; RIALTO_ENOBUFS (the buffer is
 *             too small for the next); as rialto_list_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   the lock is free; the list is what `visit` has made of it so far.
 * Since       0.1
 */
int rialto_list_for_each(const rialto_list_t *list, void *buffer, size_t buffer_bytes,
                         int (*visit)(size_t index, const void *item, size_t item_bytes,
                                      void *context), void *context);

/**
 * Keeps all others from changing the list until rialto_list_release. As rialto_value_acquire.
 *
 * list, timeout_ns
 *             as for rialto_value_acquire.
 * Returns     as rialto_value_acquire.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_acquire.
 * Since       0.1
 */
int rialto_list_acquire(const rialto_list_t *list, uint64_t timeout_ns);

/**
 * Ends what rialto_list_acquire began.
 *
 * list        alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
 *             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   others go on, in any case.
 * Since       0.1
 */
int rialto_list_release(const rialto_list_t *list);

/**
 * How long the operations of this view wait for others who change the list; at first, as long as it
 * takes.
 *
 * list        alive. Copies of the view keep theirs.
 * timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
 *             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_list_set_timeout(rialto_list_t *list, uint64_t timeout_ns);

/**
 * Whether the calling thread holds the list's lock.
 *
 * list        alive.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_list_is_mine(const rialto_list_t *list, bool *is_mine);

/**
 * Whether anybody holds the list's lock.
 *
 * list        alive.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_list_is_locked(const rialto_list_t *list, bool *is_locked);

/**
 * How many threads died in the middle of a change of the list, which then was taken back or
 * completed; a death is counted by the next who changes something.
 *
 * list        alive.
 * deaths      gets the number; stays at UINT32_MAX.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_list_deaths(const rialto_list_t *list, uint32_t *deaths);

/* ---- rialto_dict_t: byte strings by key ------------------------------------------------------ */

/**
 * A dict from byte strings to byte strings that several processes share, as Python's
 * Manager().dict(), in the order in which the keys came: an operation is all or nothing, whoever is
 * killed when, and readers never wait for the dead. A plain view.
 */
typedef struct rialto_dict_t {
    /** Private. */
    uint64_t _private[16];
} rialto_dict_t;

/** A key and its value, for rialto_dict_update. */
typedef struct rialto_pair_t {
    /** The key. */
    rialto_message_t key;
    /** Its value. */
    rialto_message_t value;
} rialto_pair_t;

/** The lengths of a key and its value, from rialto_dict_copy_items. */
typedef struct rialto_pair_lengths_t {
    /** The key's. */
    uint32_t key_bytes;
    /** The value's. */
    uint32_t value_bytes;
} rialto_pair_lengths_t;

/**
 * What a dict takes in its region.
 *
 * capacity    keys at most, 1 and more.
 * max_key_bytes
 *             the longest key, 1 and more.
 * max_value_bytes
 *             the longest value; 0 makes a set of keys.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range, more than 2^30
 *             bytes).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_layout(uint32_t capacity, uint32_t max_key_bytes, uint32_t max_value_bytes,
                       rialto_layout_t *layout);

/**
 * Makes a dict in a region, empty, waiting at most `timeout_ns` for others who create there.
 *
 * region      alive; its view must outlive the dict's.
 * name        1 to 31 bytes of UTF-8.
 * capacity, max_key_bytes, max_value_bytes
 *             as for rialto_dict_layout, which says how much room it takes.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * dict        gets the view.
 * Returns     as rialto_value_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole dict or none, and the room is not lost.
 * Since       0.1
 */
int rialto_dict_create(const rialto_region_t *region, const char *name, uint32_t capacity,
                       uint32_t max_key_bytes, uint32_t max_value_bytes, uint64_t timeout_ns,
                       rialto_dict_t *dict);

/**
 * Finds the dict of that name, whatever its numbers are.
 *
 * region      alive; its view must outlive the dict's.
 * name        as it was created.
 * dict        gets the view.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_open(const rialto_region_t *region, const char *name, rialto_dict_t *dict);

/**
 * As rialto_dict_open, if it was created with these numbers.
 *
 * region, name, dict
 *             as for rialto_dict_open.
 * capacity, max_key_bytes, max_value_bytes
 *             as for rialto_dict_create.
 * Returns     as rialto_dict_open; RIALTO_EWRONGKIND also if it was created with other numbers.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_open_as(const rialto_region_t *region, const char *name, uint32_t capacity,
                        uint32_t max_key_bytes, uint32_t max_value_bytes, rialto_dict_t *dict);

/**
 * The dict of that name, which is created if there is none, waiting for others who create there as
 * long as it takes.
 *
 * region, name, dict
 *             as for rialto_dict_create.
 * capacity, max_key_bytes, max_value_bytes
 *             as for rialto_dict_create.
 * Returns     as rialto_dict_open and rialto_dict_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST (nor, as it waits as long as it takes, RIALTO_ETIMEDOUT and
 *             RIALTO_EAGAIN); RIALTO_EWRONGKIND also if it was created with other numbers.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_dict_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_dict_create.
 * Since       0.1
 */
int rialto_dict_open_or_create(const rialto_region_t *region, const char *name, uint32_t capacity,
                               uint32_t max_key_bytes, uint32_t max_value_bytes,
                               rialto_dict_t *dict);

/**
 * Keys at most.
 *
 * dict        alive.
 * capacity    gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_capacity(const rialto_dict_t *dict, uint32_t *capacity);

/**
 * The longest key, in bytes.
 *
 * dict        alive.
 * max_key_bytes
 *             gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_max_key_bytes(const rialto_dict_t *dict, uint32_t *max_key_bytes);

/**
 * The longest value, in bytes; what a buffer for any of them needs.
 *
 * dict        alive.
 * max_value_bytes
 *             gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_max_value_bytes(const rialto_dict_t *dict, uint32_t *max_value_bytes);

/**
 * How many keys there are. Python's len(d).
 *
 * dict        alive.
 * keys        gets the number: old when you read it, unless you hold the lock.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_len(const rialto_dict_t *dict, size_t *keys);

/**
 * Whether rialto_dict_len would say 0.
 *
 * dict        alive.
 * is_empty    gets the answer: as old as that.
 * Returns     as rialto_dict_len.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_is_empty(const rialto_dict_t *dict, bool *is_empty);

/**
 * Removes all keys. Python's d.clear().
 *
 * dict        alive.
 * Returns     RIALTO_OK; RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after rialto_dict_set_timeout);
 *             RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has damaged the lock);
 *             RIALTO_EINVAL. Negative: nothing has changed.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   everybody finds the dict as it was, or everybody as it is then.
 * Since       0.1
 */
int rialto_dict_clear(const rialto_dict_t *dict);

/**
 * Whether there is that key. Python's `key in d`.
 *
 * dict        alive.
 * key, key_bytes
 *             the key; NULL is fine for none.
 * contains    gets the answer.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_contains(const rialto_dict_t *dict, const void *key, size_t key_bytes,
                         bool *contains);

/**
 * The key's value. Python's `d[key]`.
 *
 * dict        alive.
 * key, key_bytes
 *             the key; NULL is fine for none.
 * buffer      private memory, gets the value; nobody else uses it meanwhile. After an error it may
 *             be overwritten. NULL is fine for none.
 * buffer_bytes
 *             how large it is; rialto_dict_max_value_bytes is enough for each.
 * length_bytes
 *             gets the value's length.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such key); RIALTO_ENOBUFS (the buffer is too small);
 *             RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a row, also
 *             as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_get(const rialto_dict_t *dict, const void *key, size_t key_bytes, void *buffer,
                    size_t buffer_bytes, size_t *length_bytes);

/**
 * The key's value, or another one. Python's d.get(key, otherwise).
 *
 * dict, key, key_bytes, buffer, buffer_bytes, length_bytes
 *             as for rialto_dict_get.
 * otherwise, otherwise_bytes
 *             the value to take if there is no such key; not in buffer. NULL is fine for none.
 * Returns     RIALTO_OK; RIALTO_ENOBUFS (the buffer is too small); RIALTO_EBADREGION;
 *             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
 *             rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_get_or(const rialto_dict_t *dict, const void *key, size_t key_bytes,
                       const void *otherwise, size_t otherwise_bytes, void *buffer,
                       size_t buffer_bytes, size_t *length_bytes);

/**
 * Sets a key's value. Python's `d[key] = value`.
 *
 * dict        alive.
 * key, key_bytes
 *             the key; NULL is fine for none.
 * value, value_bytes
 *             the value; NULL is fine for none.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (a new key, and the dict is full); RIALTO_EMSGSIZE (longer
 *             than the longest key, or value); as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_dict_clear.
 * Since       0.1
 */
int rialto_dict_set(const rialto_dict_t *dict, const void *key, size_t key_bytes, const void *value,
                    size_t value_bytes);

/**
 * Sets several keys' values, one after the other: all of them or none, also if we die. Python's
 * d.update(pairs).
 *
 * dict        alive.
 * pairs       which; may be NULL if count is 0.
 * count       how many.
 * Returns     as rialto_dict_set.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_dict_clear.
 * Since       0.1
 */
int rialto_dict_update(const rialto_dict_t *dict, const rialto_pair_t *pairs, size_t count);

/**
 * The key's value; if there is no such key, sets it. Python's d.setdefault(key, otherwise).
 *
 * dict, key, key_bytes, buffer, buffer_bytes, length_bytes
 *             as for rialto_dict_get.
 * otherwise, otherwise_bytes
 *             the value to take if there is no such key; not in buffer. NULL is fine for none.
 * Returns     as rialto_dict_set (RIALTO_EMSGSIZE also if `otherwise` is not needed);
 *             RIALTO_ENOBUFS (the buffer is too small: nothing is set).
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_dict_clear.
 * Since       0.1
 */
int rialto_dict_setdefault(const rialto_dict_t *dict, const void *key, size_t key_bytes,
                           const void *otherwise, size_t otherwise_bytes, void *buffer,
                           size_t buffer_bytes, size_t *length_bytes);

/**
 * Takes a key and its value out. Python's d.pop(key).
 *
 * dict, key, key_bytes, buffer, buffer_bytes, length_bytes
 *             as for rialto_dict_get.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such key); RIALTO_ENOBUFS (the buffer is too small:
 *             nothing is taken); as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   it is there still, or gone with us.
 * Since       0.1
 */
int rialto_dict_pop(const rialto_dict_t *dict, const void *key, size_t key_bytes, void *buffer,
                    size_t buffer_bytes, size_t *length_bytes);

/**
 * Takes the key that came last and its value out. Python's d.popitem().
 *
 * dict        alive.
 * key, max_key_bytes
 *             private memory, gets the key, and how large it is; as buffer for rialto_dict_get.
 * value, max_value_bytes
 *             private memory, gets the value, and how large it is; not the key's.
 * lengths     gets both lengths.
 * Returns     RIALTO_OK; RIALTO_ENOENT (empty); RIALTO_ENOBUFS (one is too small: nothing is
 *             taken); as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_dict_pop.
 * Since       0.1
 */
int rialto_dict_popitem(const rialto_dict_t *dict, void *key, size_t max_key_bytes, void *value,
                        size_t max_value_bytes, rialto_pair_lengths_t *lengths);

/**
 * Removes a key. Python's `del d[key]`.
 *
 * dict        alive.
 * key, key_bytes
 *             the key; NULL is fine for none.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such key); as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_dict_clear.
 * Since       0.1
 */
int rialto_dict_remove(const rialto_dict_t *dict, const void *key, size_t key_bytes);

/**
 * All keys of one moment, one behind the other, in the order in which they came. Python's list(d).
 *
 * dict        alive.
 * buffer, buffer_bytes
 *             private memory, gets the bytes of all of them, without gaps, and how large it is. As
 *             for rialto_dict_get.
 * lengths     private memory, gets each one's length. After an error it may be overwritten.
 * max_keys    how many it has room for.
 * keys        gets how many there are.
 * Returns     RIALTO_OK; RIALTO_ENOBUFS (they do not fit in buffer, or lengths); RIALTO_EBADREGION;
 *             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
 *             rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_copy_keys(const rialto_dict_t *dict, void *buffer, size_t buffer_bytes,
                          uint32_t *lengths, size_t max_keys, size_t *keys);

/**
 * All keys of one moment, each with its value behind it, in the order in which they came. Python's
 * list(d.items()).
 *
 * dict, buffer, buffer_bytes, lengths, max_keys, keys
 *             as for rialto_dict_copy_keys.
 * Returns     as rialto_dict_copy_keys.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_copy_items(const rialto_dict_t *dict, void *buffer, size_t buffer_bytes,
                           rialto_pair_lengths_t *lengths, size_t max_keys, size_t *keys);

/**
 * Has `visit` look at all keys and values of one state of the dict, in the order in which they
 * came: holds its lock until it is through, so others who change it wait. Python's `for key, value
 * in d.items()`.
 *
 * dict        alive.
 * key, max_key_bytes
 *             private memory, where each key lies in turn, and how large it is; nobody else uses it
 *             meanwhile. rialto_dict_max_key_bytes is enough for each.
 * value, max_value_bytes
 *             the same for values; NULL is fine for 0.
 * visit       called by this thread with key, value and `context`. It returns 0 to go on; what else
 *             it returns ends the walk, and is returned. It may use the dict, and set the values of
 *             keys that are there. It must return: no longjmp, no exception, no pthread_exit.
 * context     yours.
 * Returns     RIALTO_OK (all were visited); what `visit` returned; RIALTO_EBUSY (`visit` has added
 *             or removed a key: that is done, and the walk ended); RIALTO_ENOBUFS (key or value is
 *             too small for the next); as rialto_dict_clear.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   the lock is free; the dict is what `visit` has made of it so far.
 * Since       0.1
 */
int rialto_dict_for_each(const rialto_dict_t *dict, void *key, size_t max_key_bytes, void *value,
                         size_t max_value_bytes,
                         int (*visit)(const void *key, size_t key_bytes, const void *value,
                                      size_t value_bytes, void *context), void *context);

/**
 * Keeps all others from changing the dict until rialto_dict_release. As rialto_value_acquire.
 *
 * dict, timeout_ns
 *             as for rialto_value_acquire.
 * Returns     as rialto_value_acquire.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_acquire.
 * Since       0.1
 */
int rialto_dict_acquire(const rialto_dict_t *dict, uint64_t timeout_ns);

/**
 * Ends what rialto_dict_acquire began.
 *
 * dict        alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
 *             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   others go on, in any case.
 * Since       0.1
 */
int rialto_dict_release(const rialto_dict_t *dict);

/**
 * How long the operations of this view wait for others who change the dict; at first, as long as it
 * takes.
 *
 * dict        alive. Copies of the view keep theirs.
 * timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
 *             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_set_timeout(rialto_dict_t *dict, uint64_t timeout_ns);

/**
 * Whether the calling thread holds the dict's lock.
 *
 * dict        alive.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_dict_is_mine(const rialto_dict_t *dict, bool *is_mine);

/**
 * Whether anybody holds the dict's lock.
 *
 * dict        alive.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_is_locked(const rialto_dict_t *dict, bool *is_locked);

/**
 * How many threads died in the middle of a change of the dict, which then was taken back or
 * completed; a death is counted by the next who changes something.
 *
 * dict        alive.
 * deaths      gets the number; stays at UINT32_MAX.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_dict_deaths(const rialto_dict_t *dict, uint32_t *deaths);

/* ---- rialto_namespace_t: attributes by name, with types -------------------------------------- */

/** int64_t */
#define RIALTO_ATTRIBUTE_I64 1
/** uint64_t */
#define RIALTO_ATTRIBUTE_U64 2
/** double */
#define RIALTO_ATTRIBUTE_F64 3
/** bool */
#define RIALTO_ATTRIBUTE_BOOL 4
/** Bytes. */
#define RIALTO_ATTRIBUTE_BYTES 5
/** A string of UTF-8. */
#define RIALTO_ATTRIBUTE_STR 6

/**
 * Attributes with names and types that several processes share, as Python's Manager().Namespace():
 * an operation is all or nothing, whoever is killed when, and readers never wait for the dead. A
 * plain view.
 */
typedef struct rialto_namespace_t {
    /** Private. */
    uint64_t _private[16];
} rialto_namespace_t;

/** What an attribute is: one of RIALTO_ATTRIBUTE_... */
typedef uint32_t rialto_attribute_type_t;

/** An attribute of whatever type, from rialto_namespace_get. What it is not, is 0. */
typedef struct rialto_attribute_t {
    /** RIALTO_ATTRIBUTE_... */
    rialto_attribute_type_t type;
    /** Of RIALTO_ATTRIBUTE_BOOL. */
    bool boolean;
    /** Private. */
    uint8_t _reserved[3];
    /**
     * Of RIALTO_ATTRIBUTE_BYTES and RIALTO_ATTRIBUTE_STR: how many bytes are in the buffer, without
     * the zero.
     */
    size_t length_bytes;
    /** Of RIALTO_ATTRIBUTE_I64. */
    int64_t i64;
    /** Of RIALTO_ATTRIBUTE_U64. */
    uint64_t u64;
    /** Of RIALTO_ATTRIBUTE_F64. */
    double f64;
} rialto_attribute_t;

/**
 * What a namespace takes in its region.
 *
 * capacity    attributes at most, 1 and more.
 * max_name_bytes
 *             the longest name of an attribute, without the zero, 1 and more.
 * max_string_bytes
 *             the longest string (without the zero) or byte string; numbers fit in any case.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range, more than 2^30
 *             bytes).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_layout(uint32_t capacity, uint32_t max_name_bytes, uint32_t max_string_bytes,
                            rialto_layout_t *layout);

/**
 * Makes a namespace in a region, empty, waiting at most `timeout_ns` for others who create there.
 *
 * region      alive; its view must outlive the namespace's.
 * name        1 to 31 bytes of UTF-8.
 * capacity, max_name_bytes, max_string_bytes
 *             as for rialto_namespace_layout, which says how much room it takes.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * ns          gets the view.
 * Returns     as rialto_value_create.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates
 *             (a stopped one holds it up).
 * Signals     not async-signal-safe.
 * If we die   there is a whole namespace or none, and the room is not lost.
 * Since       0.1
 */
int rialto_namespace_create(const rialto_region_t *region, const char *name, uint32_t capacity,
                            uint32_t max_name_bytes, uint32_t max_string_bytes, uint64_t timeout_ns,
                            rialto_namespace_t *ns);

/**
 * Finds the namespace of that name, whatever its numbers are.
 *
 * region      alive; its view must outlive the namespace's.
 * name        as it was created.
 * ns          gets the view.
 * Returns     as rialto_lock_open.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_open(const rialto_region_t *region, const char *name, rialto_namespace_t *ns);

/**
 * As rialto_namespace_open, if it was created with these numbers.
 *
 * region, name, ns
 *             as for rialto_namespace_open.
 * capacity, max_name_bytes, max_string_bytes
 *             as for rialto_namespace_create.
 * Returns     as rialto_namespace_open; RIALTO_EWRONGKIND also if it was created with other
 *             numbers.
 * Concurrency any thread of any process.  Blocks: no, but for a tick before RIALTO_EBUSY.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_open_as(const rialto_region_t *region, const char *name, uint32_t capacity,
                             uint32_t max_name_bytes, uint32_t max_string_bytes,
                             rialto_namespace_t *ns);

/**
 * The namespace of that name, which is created if there is none, waiting for others who create
 * there as long as it takes.
 *
 * region, name, ns
 *             as for rialto_namespace_create.
 * capacity, max_name_bytes, max_string_bytes
 *             as for rialto_namespace_create.
 * Returns     as rialto_namespace_open and rialto_namespace_create, but neither RIALTO_ENOENT nor
 *             RIALTO_EEXIST (nor, as it waits as long as it takes, RIALTO_ETIMEDOUT and
 *             RIALTO_EAGAIN); RIALTO_EWRONGKIND also if it was created with other numbers.
 * Concurrency any thread of any process: all get the same.  Blocks: as rialto_namespace_create.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_create.
 * Since       0.1
 */
int rialto_namespace_open_or_create(const rialto_region_t *region, const char *name,
                                    uint32_t capacity, uint32_t max_name_bytes,
                                    uint32_t max_string_bytes, rialto_namespace_t *ns);

/**
 * Attributes at most.
 *
 * ns          alive.
 * capacity    gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_capacity(const rialto_namespace_t *ns, uint32_t *capacity);

/**
 * The longest name of an attribute, in bytes, without the zero.
 *
 * ns          alive.
 * max_name_bytes
 *             gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_max_name_bytes(const rialto_namespace_t *ns, uint32_t *max_name_bytes);

/**
 * The longest string (without the zero) or byte string, in bytes.
 *
 * ns          alive.
 * max_string_bytes
 *             gets the number. It never changes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_max_string_bytes(const rialto_namespace_t *ns, uint32_t *max_string_bytes);

/**
 * How many attributes there are.
 *
 * ns          alive.
 * attributes  gets the number: old when you read it, unless you hold the lock.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_namespace_remove.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_len(const rialto_namespace_t *ns, size_t *attributes);

/**
 * Whether rialto_namespace_len would say 0.
 *
 * ns          alive.
 * is_empty    gets the answer: as old as that.
 * Returns     as rialto_namespace_len.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_is_empty(const rialto_namespace_t *ns, bool *is_empty);

/**
 * Removes an attribute. Python's del ns.name.
 *
 * ns          alive.
 * name        the attribute's, a string of UTF-8.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_EMFILE, RIALTO_ENOMEM (on the
 *             thread's first use); RIALTO_ETIMEDOUT, RIALTO_EAGAIN (only after
 *             rialto_namespace_set_timeout); RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE (a peer has
 *             damaged the lock); RIALTO_EINVAL (also: no UTF-8). Negative: nothing has changed.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   everybody finds it as it was, or everybody as it is then.
 * Since       0.1
 */
int rialto_namespace_remove(const rialto_namespace_t *ns, const char *name);

/**
 * Whether there is that attribute. Python's hasattr(ns, name).
 *
 * ns          alive.
 * name        the attribute's, a string of UTF-8.
 * contains    gets the answer.
 * Returns     RIALTO_OK; RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_namespace_remove.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_contains(const rialto_namespace_t *ns, const char *name, bool *contains);

/**
 * What an attribute is. Python's type(ns.name).
 *
 * ns          alive.
 * name        the attribute's, a string of UTF-8.
 * type        gets RIALTO_ATTRIBUTE_...
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_EBADREGION; RIALTO_EINVAL; where
 *             writers overtake us 64 times in a row, also as rialto_namespace_remove.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_type_of(const rialto_namespace_t *ns, const char *name,
                             rialto_attribute_type_t *type);

/**
 * All names of one moment, one behind the other, without zeros, in the order in which they came.
 * Python's dir(ns).
 *
 * ns          alive.
 * buffer, buffer_bytes
 *             private memory, gets the bytes of all of them, and how large it is; nobody else uses
 *             it meanwhile. After an error it may be overwritten. NULL is fine for none.
 * lengths     private memory, gets each one's length. After an error it may be overwritten.
 * max_names   how many it has room for.
 * names       gets how many there are.
 * Returns     RIALTO_OK; RIALTO_ENOBUFS (they do not fit in buffer, or lengths); RIALTO_EBADREGION;
 *             RIALTO_EINVAL; where writers overtake us 64 times in a row, also as
 *             rialto_namespace_remove.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_copy_names(const rialto_namespace_t *ns, void *buffer, size_t buffer_bytes,
                                uint32_t *lengths, size_t max_names, size_t *names);

/**
 * Sets an attribute to an int64_t, whatever it was. Python's ns.name = value.
 *
 * ns          alive.
 * name        the attribute's, a string of UTF-8.
 * value       the number.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (a new name, and the namespace is full); RIALTO_EMSGSIZE
 *             (longer than the longest name); as rialto_namespace_remove, but for RIALTO_ENOENT.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_remove.
 * Since       0.1
 */
int rialto_namespace_set_i64(const rialto_namespace_t *ns, const char *name, int64_t value);

/**
 * Sets an attribute to a uint64_t, whatever it was.
 *
 * ns, name    as for rialto_namespace_set_i64.
 * value       the number.
 * Returns     as rialto_namespace_set_i64.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_remove.
 * Since       0.1
 */
int rialto_namespace_set_u64(const rialto_namespace_t *ns, const char *name, uint64_t value);

/**
 * Sets an attribute to a double, whatever it was.
 *
 * ns, name    as for rialto_namespace_set_i64.
 * value       the number; its bits are kept.
 * Returns     as rialto_namespace_set_i64.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_remove.
 * Since       0.1
 */
int rialto_namespace_set_f64(const rialto_namespace_t *ns, const char *name, double value);

/**
 * Sets an attribute to a bool, whatever it was.
 *
 * ns, name    as for rialto_namespace_set_i64.
 * value       true or false.
 * Returns     as rialto_namespace_set_i64.
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_remove.
 * Since       0.1
 */
int rialto_namespace_set_bool(const rialto_namespace_t *ns, const char *name, bool value);

/**
 * Sets an attribute to bytes, whatever it was.
 *
 * ns, name    as for rialto_namespace_set_i64.
 * value, value_bytes
 *             the bytes; NULL is fine for none.
 * Returns     as rialto_namespace_set_i64; RIALTO_EMSGSIZE (also: longer than the longest string).
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_remove.
 * Since       0.1
 */
int rialto_namespace_set_bytes(const rialto_namespace_t *ns, const char *name, const void *value,
                               size_t value_bytes);

/**
 * Sets an attribute to a string, whatever it was.
 *
 * ns, name    as for rialto_namespace_set_i64.
 * value       a string of UTF-8.
 * Returns     as rialto_namespace_set_bytes; RIALTO_EINVAL (also: no UTF-8).
 * Concurrency any thread of any process.  Blocks: yes, through signals, while others hold the lock.
 * Signals     not async-signal-safe.
 * If we die   as rialto_namespace_remove.
 * Since       0.1
 */
int rialto_namespace_set_str(const rialto_namespace_t *ns, const char *name, const char *value);

/**
 * An attribute of whatever type. Python's ns.name.
 *
 * ns          alive.
 * name        the attribute's, a string of UTF-8.
 * buffer      private memory, gets what is bytes, or a string with a zero behind it; nobody else
 *             uses it meanwhile. After an error it may be overwritten. NULL is fine for none.
 * buffer_bytes
 *             how large it is; one more than rialto_namespace_max_string_bytes is enough for each.
 * attribute   gets the rest.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_ENOBUFS (the buffer is too
 *             small); RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a
 *             row, also as rialto_namespace_remove.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get(const rialto_namespace_t *ns, const char *name, void *buffer,
                         size_t buffer_bytes, rialto_attribute_t *attribute);

/**
 * An attribute that is an int64_t.
 *
 * ns          alive.
 * name        the attribute's, a string of UTF-8.
 * value       gets it.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such attribute); RIALTO_EWRONGKIND (it is of another
 *             type); RIALTO_EBADREGION; RIALTO_EINVAL; where writers overtake us 64 times in a row,
 *             also as rialto_namespace_remove.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get_i64(const rialto_namespace_t *ns, const char *name, int64_t *value);

/**
 * An attribute that is a uint64_t.
 *
 * ns, name    as for rialto_namespace_get_i64.
 * value       gets it.
 * Returns     as rialto_namespace_get_i64.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get_u64(const rialto_namespace_t *ns, const char *name, uint64_t *value);

/**
 * An attribute that is a double.
 *
 * ns, name    as for rialto_namespace_get_i64.
 * value       gets it.
 * Returns     as rialto_namespace_get_i64.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get_f64(const rialto_namespace_t *ns, const char *name, double *value);

/**
 * An attribute that is a bool.
 *
 * ns, name    as for rialto_namespace_get_i64.
 * value       gets it.
 * Returns     as rialto_namespace_get_i64.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get_bool(const rialto_namespace_t *ns, const char *name, bool *value);

/**
 * An attribute that is bytes.
 *
 * ns, name    as for rialto_namespace_get_i64.
 * buffer      private memory, gets it; nobody else uses it meanwhile. After an error it may be
 *             overwritten. NULL is fine for none.
 * buffer_bytes
 *             how large it is; rialto_namespace_max_string_bytes is enough for each.
 * length_bytes
 *             gets how many there are.
 * Returns     as rialto_namespace_get_i64; RIALTO_ENOBUFS (the buffer is too small).
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get_bytes(const rialto_namespace_t *ns, const char *name, void *buffer,
                               size_t buffer_bytes, size_t *length_bytes);

/**
 * An attribute that is a string.
 *
 * ns, name    as for rialto_namespace_get_i64.
 * buffer      private memory, gets the string and a zero behind it; nobody else uses it meanwhile.
 *             After an error it may be overwritten.
 * buffer_bytes
 *             how large it is; one more than rialto_namespace_max_string_bytes is enough for each.
 * length_bytes
 *             gets the string's length, without the zero. One set by a program in Rust may have
 *             zeros within.
 * Returns     as rialto_namespace_get_bytes.
 * Concurrency any thread of any process.  Blocks: only where `Returns` says so.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_get_str(const rialto_namespace_t *ns, const char *name, char *buffer,
                             size_t buffer_bytes, size_t *length_bytes);

/**
 * Keeps all others from changing the namespace until rialto_namespace_release. As
 * rialto_value_acquire.
 *
 * ns, timeout_ns
 *             as for rialto_value_acquire.
 * Returns     as rialto_value_acquire.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_value_acquire.
 * Since       0.1
 */
int rialto_namespace_acquire(const rialto_namespace_t *ns, uint64_t timeout_ns);

/**
 * Ends what rialto_namespace_acquire began.
 *
 * ns          alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (this thread has not acquired it; an edit, sort or walk of
 *             its own does not count); RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency the thread that acquired it.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   others go on, in any case.
 * Since       0.1
 */
int rialto_namespace_release(const rialto_namespace_t *ns);

/**
 * How long the operations of this view wait for others who change the namespace; at first, as long
 * as it takes.
 *
 * ns          alive. Copies of the view keep theirs.
 * timeout_ns  for each operation, which returns RIALTO_ETIMEDOUT then, and has changed nothing. 0:
 *             RIALTO_EAGAIN at once. RIALTO_WAIT_FOREVER never passes.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread; nobody else uses the view meanwhile.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_set_timeout(rialto_namespace_t *ns, uint64_t timeout_ns);

/**
 * Whether the calling thread holds the namespace's lock.
 *
 * ns          alive.
 * is_mine     gets the answer, which stays true until this thread releases.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_is_mine(const rialto_namespace_t *ns, bool *is_mine);

/**
 * Whether anybody holds the namespace's lock.
 *
 * ns          alive.
 * is_locked   gets the answer, which may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_is_locked(const rialto_namespace_t *ns, bool *is_locked);

/**
 * How many threads died in the middle of a change of the namespace, which then was taken back or
 * completed; a death is counted by the next who changes something.
 *
 * ns          alive.
 * deaths      gets the number; stays at UINT32_MAX.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_namespace_deaths(const rialto_namespace_t *ns, uint32_t *deaths);

/* ==== Processes =============================================================================== */

/* ---- rialto_process_t: a child: started, waited for, ended ----------------------------------- */

/**
 * A flag: the child is killed when this process ends, however that ends, or runs another program.
 * The kernel does it, whatever the child does; a thread's end alone does not count.
 */
#define RIALTO_PROCESS_DAEMON 1

/**
 * A flag: a forked child keeps 0, 1, 2 and the passed descriptors only, these at 3, 4, ... (and one
 * of ours behind them). Others have nothing else anyway.
 */
#define RIALTO_PROCESS_ONLY_FDS 2

/**
 * A method: a program, begun anew, whose main calls rialto_process_main. Right in threaded
 * processes too. Signals have their default actions there (those that were ignored stay so, but for
 * SIGPIPE); it ends by exit, as from main.
 */
#define RIALTO_PROCESS_SPAWN 0

/**
 * A method: a copy of this process. The fastest. With other threads around, the child must do only
 * what is async-signal-safe (Rialto's locks and objects may be used too), until it ends or runs
 * another program. It ends by _exit: what stdio has in its buffers is not written, so fflush.
 */
#define RIALTO_PROCESS_FORK 1

/**
 * A method: a copy of a fork server. Right in threaded processes too, and faster than a program's
 * start. It has the server's 0, 1, 2, signals and environment, and ends by exit, as from main.
 */
#define RIALTO_PROCESS_FORKSERVER 2

/**
 * The exit code of a process of which nobody can say how it ended: SIGCHLD is ignored, somebody
 * else has waited for it, or its fork server is gone.
 */
#define RIALTO_EXIT_UNKNOWN (-2147483648)

/** The exit code of a child in whose entry Rust code panicked. */
#define RIALTO_EXIT_PANICKED 101
/** The exit code of a child that could not begin. */
#define RIALTO_EXIT_BAD_START 126
/** The exit code of a spawned child whose program has no such entry. */
#define RIALTO_EXIT_NO_ENTRY 127

/**
 * A process that forks others, see RIALTO_PROCESS_FORKSERVER. A pinned view. It ends with the
 * process that started it; its children need not, and it can have 4096 of them at a time. Forked
 * children of its owner may start processes by it, but not stop it.
 */
typedef struct rialto_forkserver_t {
    /** Private. */
    uint64_t _private[16];
} rialto_forkserver_t;

/** What a child is told. Lives until its entry returns; so does what it points to. */
typedef struct rialto_child_t {
    /** The entry's name; "" for a function given to rialto_process_fork. */
    const char *entry;
    /** The process's name. */
    const char *name;
    /** What the parent gave it; NULL if there are none. */
    const void *args;
    /** So many. */
    size_t args_bytes;
    /**
     * The passed descriptors, in the parent's order: 3, 4, ...; in a forked child without
     * RIALTO_PROCESS_ONLY_FDS, the parent's numbers.
     */
    const int *fds;
    /** So many. */
    uint32_t fd_count;
    /** RIALTO_PROCESS_DAEMON or 0. */
    uint32_t flags;
} rialto_child_t;

/** Something that a child can run, by name. Programs that start each other agree on names. */
typedef struct rialto_entry_t {
    /** 1 to 31 bytes. */
    const char *name;
    /**
     * Returns the exit code, of which 8 bits count. Must return, exit or run another program: no
     * exception, no longjmp out of it.
     */
    int (*run)(const rialto_child_t *child, void *context);
    /** What `run` gets; of the child's program, not of the parent's. */
    void *context;
} rialto_entry_t;

/**
 * What a process is started with. Fill it with rialto_process_config_default, then change what you
 * like. What it points to must stay until the process was started.
 */
typedef struct rialto_process_config_t {
    /** At most 31 bytes; NULL or "": the entry's. ps shows 15 of them. */
    const char *name;
    /** What the entry gets. */
    const void *args;
    /** So many. */
    size_t args_bytes;
    /** Descriptors that the entry gets: copies, this process keeps its own. */
    const int *fds;
    /** So many, at most 64. */
    uint32_t fd_count;
    /** 0, or any of RIALTO_PROCESS_DAEMON and RIALTO_PROCESS_ONLY_FDS. */
    uint32_t flags;
    /** RIALTO_PROCESS_SPAWN, _FORK or _FORKSERVER. */
    uint32_t method;
    /** Must be 0. */
    uint32_t _reserved_word;
    /**
     * For RIALTO_PROCESS_SPAWN: the program's file, for which there is no search; NULL: this
     * program.
     */
    const char *program;
    /**
     * For RIALTO_PROCESS_SPAWN: what the program's main gets behind its name, and a NULL; NULL:
     * nothing.
     */
    const char *const *argv;
    /** For RIALTO_PROCESS_FORKSERVER: alive. */
    const rialto_forkserver_t *server;
    /** Must be 0. */
    uint64_t _reserved[2];
} rialto_process_config_t;

/**
 * A child. A pinned view, private to the process that started it: in one that this forks, waiting,
 * signalling and closing say RIALTO_EPERM. What it has (descriptors, and the zombie that an ended
 * child is) is given back by rialto_process_close.
 */
typedef struct rialto_process_t {
    /** Private. */
    uint64_t _private[16];
} rialto_process_t;

/**
 * Call it first of all in main(), before anything else runs or writes. In a process that was
 * started to run one of the entries it does that, and does not return: the process ends as if
 * main() had returned the entry's result; a fork server begins to serve. In any other process it
 * returns, and the entries can be started from now on.
 *
 * entries     what children can run; neither it nor the names ever change or go away.
 * count       how many; 0 if this program only starts others.
 * Returns     RIALTO_OK; RIALTO_EEXIST (called before, with another table); RIALTO_EINVAL (a name
 *             is bad, an entry has no function).
 * Concurrency before there are other threads.  Blocks: no, where it returns.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_process_main(const rialto_entry_t *entries, uint32_t count);

/**
 * Spawn, of this program; no arguments, no descriptors, no daemon.
 *
 * config      gets these.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_process_config_default(rialto_process_config_t *config);

/**
 * Starts a process that runs the entry of that name. Cf. posix_spawn. Python's Process.start.
 *
 * An entry that is missing in a spawned program is told by the exit code, RIALTO_EXIT_NO_ENTRY.
 *
 * entry       in the child's program: as it told rialto_process_main. 1 to 31 bytes.
 * config      how; with RIALTO_PROCESS_FORK see there.
 * process     gets the view. Do not pass one that is alive: its child would be forgotten.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such entry here or in the server's program; no such
 *             file; this program is to be begun anew, and has not called rialto_process_main);
 *             RIALTO_ECONNRESET (the server has ended); RIALTO_EMFILE (descriptors; the server's
 *             children); RIALTO_ENFILE, RIALTO_ENOSPC, RIALTO_ENOMEM (of the system);
 *             RIALTO_EAGAIN (too many processes); RIALTO_ENOTSUP (no /proc; before Linux 5.4);
 *             RIALTO_EVERSION, RIALTO_EBADREGION (the server has another version of the library, or
 *             is none); RIALTO_EINVAL (a bad name or number; more than 64 descriptors, or one that
 *             is not open; a server that is not alive); what else execve says of the program, a
 *             negated errno. Negative: nothing is left running.
 * Concurrency any thread; but a spawn copies the environment, which nobody may change meanwhile.
 *             Blocks: a spawn until the child runs its program, a fork server's child until the
 *             server has answered; a fork, no.
 * Signals     not async-signal-safe.
 * If we die   a child that runs already, runs; as a daemon it is killed.
 * Since       0.1
 */
int rialto_process_start(const char *entry, const rialto_process_config_t *config,
                         rialto_process_t *process);

/**
 * Starts a forked process that runs a function, which needs no entry and sees all that this process
 * has. Cf. fork.
 *
 * run         returns the exit code, of which 8 bits count. What it may do: see
 *             RIALTO_PROCESS_FORK.
 * context     what it gets.
 * config      as for rialto_process_start; its method, program, argv and server are not looked at.
 * process     gets the view. Do not pass one that is alive: its child would be forgotten.
 * Returns     RIALTO_OK; RIALTO_EMFILE (descriptors); RIALTO_ENFILE, RIALTO_ENOMEM (of the system);
 *             RIALTO_EAGAIN (too many processes); RIALTO_ENOTSUP (no /proc; before Linux 5.4);
 *             RIALTO_EINVAL (also: run is NULL). Negative: nothing is left running.
 * Concurrency any thread.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_process_start.
 * Since       0.1
 */
int rialto_process_fork(int (*run)(const rialto_child_t *child, void *context), void *context,
                        const rialto_process_config_t *config, rialto_process_t *process);

/**
 * Waits for its end, as long as it takes. Again is fine. Cf. waitpid. Python's join.
 *
 * process     alive.
 * exit_code   gets 0 to 255, what the entry returned; negative, the signal that killed it;
 *             RIALTO_EXIT_UNKNOWN. May be NULL.
 * Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner); RIALTO_EINVAL.
 * Concurrency one thread at a time for each process; others may signal it meanwhile.  Blocks: yes,
 *             through signals.
 * Signals     not async-signal-safe.
 * If we die   the child runs on; as a daemon it is killed.
 * Since       0.1
 */
int rialto_process_join(rialto_process_t *process, int32_t *exit_code);

/**
 * Waits for its end, at most `timeout_ns` nanoseconds.
 *
 * process     alive.
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * exit_code   as for rialto_process_join.
 * Returns     as rialto_process_join; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it runs).
 * Concurrency as rialto_process_join.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_process_join.
 * Since       0.1
 */
int rialto_process_join_timeout(rialto_process_t *process, uint64_t timeout_ns, int32_t *exit_code);

/**
 * How it ended. Python's exitcode.
 *
 * process     alive.
 * exit_code   as for rialto_process_join, but not NULL.
 * Returns     RIALTO_OK; RIALTO_EAGAIN (it runs, or its fork server has not said yet how it ended);
 *             RIALTO_EPERM (a forked child of its owner); RIALTO_EINVAL.
 * Concurrency as rialto_process_join.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_process_exit_code(rialto_process_t *process, int32_t *exit_code);

/**
 * Whether it runs (or is stopped). In a forked child of its owner: false.
 *
 * process     alive.
 * is_alive    gets the answer; true may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency as rialto_process_join.  Blocks: no.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_process_is_alive(rialto_process_t *process, bool *is_alive);

/**
 * SIGTERM, which it can handle or ignore. Cf. kill.
 *
 * process     alive. Fine if the process has ended.
 * Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner; it runs a program of another
 *             user); RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it gets the signal, or not.
 * Since       0.1
 */
int rialto_process_terminate(const rialto_process_t *process);

/**
 * SIGKILL. Cf. kill.
 *
 * process     alive. Fine if the process has ended.
 * Returns     as rialto_process_terminate.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it gets the signal, or not.
 * Since       0.1
 */
int rialto_process_kill(const rialto_process_t *process);

/**
 * Any signal; never one to a process that has got its number since. Cf. pidfd_send_signal.
 *
 * process     alive. Fine if the process has ended.
 * signal      a number of the system's.
 * Returns     as rialto_process_terminate.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it gets the signal, or not.
 * Since       0.1
 */
int rialto_process_signal(const rialto_process_t *process, int signal);

/**
 * Its process id. Nobody else's while it is not joined.
 *
 * process     alive.
 * pid         gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_process_pid(const rialto_process_t *process, int32_t *pid);

/**
 * A descriptor that polls as readable when the process has ended. Not yours to close or read. Cf.
 * pidfd_open.
 *
 * process     alive; closing it closes the descriptor.
 * fd          gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_process_sentinel(const rialto_process_t *process, int *fd);

/**
 * Ends the view of a process that has ended, and gives back all that it had.
 *
 * process     alive; no other thread is using it.
 * Returns     RIALTO_OK; RIALTO_EBUSY (the process runs: not done); RIALTO_EPERM (a forked child of
 *             its owner: not done); RIALTO_EINVAL (also: closed already).
 * Concurrency one thread.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   nothing is left of it.
 * Since       0.1
 */
int rialto_process_close(rialto_process_t *process);

/* ---- rialto_forkserver_t: a small process that forks children for you ------------------------ */

/**
 * Starts a fork server: early, its children are copies of it.
 *
 * program     the file of a program whose main begins with rialto_process_main (or Rust's
 *             process::main); NULL: this program. One that does not is waited for until it ends.
 * argv        what that main gets behind its name, and a NULL; NULL: nothing.
 * server      gets the view.
 * Returns     as rialto_process_start; RIALTO_ECONNRESET (the program ended without becoming a
 *             server).
 * Concurrency as rialto_process_start.  Blocks: yes, until it is ready.
 * Signals     not async-signal-safe.
 * If we die   it ends.
 * Since       0.1
 */
int rialto_forkserver_start(const char *program, const char *const *argv,
                            rialto_forkserver_t *server);

/**
 * Its process id.
 *
 * server      alive.
 * pid         gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_forkserver_pid(const rialto_forkserver_t *server, int32_t *pid);

/**
 * Ends a server that has no children any more, and its view.
 *
 * server      alive; no other thread is using it.
 * Returns     RIALTO_OK; RIALTO_EBUSY (children of it run, or it has not noticed yet that they do
 *             not: not done); RIALTO_EPERM (a forked child of its owner: not done);
 *             RIALTO_ECONNRESET (it has ended before: use rialto_forkserver_kill); RIALTO_EMFILE,
 *             RIALTO_ENFILE; RIALTO_EINVAL.
 * Concurrency one thread.  Blocks: yes, until it has ended.
 * Signals     not async-signal-safe.
 * If we die   it ends.
 * Since       0.1
 */
int rialto_forkserver_stop(rialto_forkserver_t *server);

/**
 * Kills a server, if it has not ended, and ends its view. Its children run on, with exit codes that
 * nobody knows: RIALTO_EXIT_UNKNOWN. In a forked child of its owner only the child's view ends.
 *
 * server      alive; no other thread is using it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency one thread.  Blocks: yes, until it has ended.
 * Signals     not async-signal-safe.
 * If we die   it ends.
 * Since       0.1
 */
int rialto_forkserver_kill(rialto_forkserver_t *server);

/* ---- rialto_current_t: the calling process, and its parent ----------------------------------- */

/** The calling process. */
typedef struct rialto_current_t {
    /** Ends with a zero; "MainProcess" where nobody gave one. */
    char name[32];
    /** Its process id. */
    int32_t pid;
    /** RIALTO_PROCESS_DAEMON or 0. */
    uint32_t flags;
} rialto_current_t;

/**
 * The calling process, as it was started. Python's current_process.
 *
 * current     gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_process_current(rialto_current_t *current);

/**
 * Who started this process. Python's parent_process.
 *
 * pid         gets the process id; another one's, perhaps, once the parent has ended.
 * Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto); RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_parent_pid(int32_t *pid);

/**
 * Whether who started this process still runs, and still runs the program that it ran then.
 *
 * is_alive    gets the answer; true may be old when you read it.
 * Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto); RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_parent_is_alive(bool *is_alive);

/**
 * Waits for the end of who started this process (or until that one runs another program), as long
 * as it takes.
 *
 * Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto).
 * Concurrency any thread.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_parent_join(void);

/**
 * Waits for the end of who started this process, at most `timeout_ns` nanoseconds.
 *
 * timeout_ns  0 polls; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_parent_join; RIALTO_ETIMEDOUT; RIALTO_EAGAIN (0, and it runs).
 * Concurrency any thread.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_parent_join_timeout(uint64_t timeout_ns);

/**
 * A descriptor that hangs up (POLLHUP) when who started this process has ended, or runs another
 * program. Not yours to close or read.
 *
 * fd          gets it.
 * Returns     RIALTO_OK; RIALTO_ENOENT (it was not started by Rialto); RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_parent_sentinel(int *fd);

/* ==== Pools: worker processes that divide tasks, by a region ================================== */

/* ---- rialto_pool_t: the parent's side: submit, wait, map; progress --------------------------- */

/** The function returned 0: here is what it wrote. */
#define RIALTO_TASK_DONE 0
/** It returned another number, see `code`; what it wrote says why. */
#define RIALTO_TASK_FAILED 1
/** It was in Rust, and panicked, saying this. */
#define RIALTO_TASK_PANICKED 2
/** Its result was too long: `result_bytes` says how long, there is no `result`. */
#define RIALTO_TASK_TOO_LARGE 3
/** The worker has no function of that name. */
#define RIALTO_TASK_NO_FUNCTION 4
/** Its workers died, as often as the pool allows. */
#define RIALTO_TASK_DIED 5
/** It took too long; its worker was killed. */
#define RIALTO_TASK_TIMED_OUT 6
/** By rialto_pool_cancel or rialto_pool_terminate. */
#define RIALTO_TASK_CANCELLED 7
/** What the pool's table said of it is nonsense: a process has written wild. */
#define RIALTO_TASK_LOST 8

/**
 * What a pool is created with. Fill it with rialto_pool_config_default, then change what you
 * like.
 */
typedef struct rialto_pool_config_t {
    /** 1 to 64. Each is a member of the region, and so is the parent. */
    uint32_t workers;
    /** Tasks under way at a time, those counted whose report waits to be collected. 1 to 32768. */
    uint32_t slots;
    /** Longest task; of several items in one, 4 bytes for each besides. Up to 2^26. */
    uint32_t max_task_bytes;
    /** Longest result; of several items in one, 16 bytes for each besides. Up to 2^26. */
    uint32_t max_result_bytes;
    /**
     * How often a task is begun again after the death of the worker that had it, before it is
     * RIALTO_TASK_DIED. 0 to 20.
     */
    uint32_t retries;
    /**
     * A worker that has done so many tasks (several items in one count once) is replaced. 0: none
     * is.
     */
    uint32_t tasks_per_worker;
    /**
     * How long a task may take, in nanoseconds, from when a worker has begun it; then that worker
     * is killed, at the pool's next look (see rialto_pool_tend). Workers that were stopped between
     * tasks are killed as well, after 2 s at least. RIALTO_WAIT_FOREVER: as long as it likes; 0 is
     * no such word, but too short for any.
     */
    uint64_t timeout_ns;
    /**
     * A function that each worker calls first. If it fails in worker after worker, the pool is
     * broken. May be NULL.
     */
    const char *initializer;
    /** What that gets. */
    const void *argument;
    /** So many bytes, at most 1024. */
    size_t argument_bytes;
    /** Must be 0. */
    uint64_t _reserved[2];
} rialto_pool_config_t;

/**
 * A pool, as its parent sees it. A pinned view, private to the process that created it: in one that
 * this forks, every call says RIALTO_EPERM. It has memory and descriptors of the process, which
 * rialto_pool_end gives back. What a worker closes, breaks or overwrites, being killed or not, ends
 * its task or the worker, not the pool. Callbacks (`start`, and `each` of rialto_pool_map) do not
 * use the pool: RIALTO_EDEADLK.
 */
typedef struct rialto_pool_t {
    /** Private. */
    uint64_t _private[8];
} rialto_pool_t;

/** What a worker is at, as it says itself. */
typedef struct rialto_worker_t {
    /** Its process, as that sees its own id; 0: none yet. */
    uint32_t pid;
    /** Whether it has a task. */
    bool is_busy;
    /** For how long, in nanoseconds. */
    uint64_t busy_ns;
    /** How many tasks workers in its place have done. */
    uint64_t done;
} rialto_worker_t;

/** How far a pool is. Figures of several moments: they may be one off against each other. */
typedef struct rialto_progress_t {
    /** Tasks submitted; of rialto_pool_map, chunks. */
    uint64_t submitted;
    /** Tasks that ended, however. */
    uint64_t ended;
    /** How often a task was begun again after a death. */
    uint64_t redone;
    /** Tasks that nobody has begun. */
    uint32_t pending;
    /** Tasks being worked on. */
    uint32_t running;
    /** How many of `worker` there are. */
    uint32_t workers;
    /** 0. */
    uint32_t _reserved;
    /** Each of them. */
    rialto_worker_t worker[64];
} rialto_progress_t;

/** How a task went. */
typedef struct rialto_report_t {
    /** Which one, as rialto_pool_submit said; of rialto_pool_map, the item's index. */
    uint64_t task;
    /**
     * What the function wrote, in the pool's memory until the next call with the pool (of
     * rialto_pool_map, until `each` returns); NULL if there is nothing.
     */
    const void *result;
    /** How many bytes. Of RIALTO_TASK_TOO_LARGE, how many there would have been. */
    size_t result_bytes;
    /** RIALTO_TASK_DONE, RIALTO_TASK_FAILED ... */
    uint32_t outcome;
    /** What the function returned, of RIALTO_TASK_FAILED; else 0. */
    int32_t code;
    /**
     * 0, or how many workers had it in hand before and died: some of its effects may have
     * happened twice.
     */
    uint32_t attempt;
    /** 0. */
    uint32_t _reserved;
} rialto_report_t;

/**
 * Fills in the defaults: 16 tasks under way for each worker, of up to 4096 bytes, results too;
 * begun again twice; no timeout; no initializer.
 *
 * workers     how many.
 * config      gets this and the usual for the rest; the number is not checked yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pool_config_default(uint32_t workers, rialto_pool_config_t *config);

/**
 * How many bytes a pool takes in its region, at most.
 *
 * config      of the pool.
 * pool_bytes  gets the number; the region's own bookkeeping comes on top.
 * Returns     RIALTO_OK; RIALTO_ENOSPC (more than any region has); RIALTO_EINVAL.
 * Concurrency any thread.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_pool_bytes(const rialto_pool_config_t *config, uint64_t *pool_bytes);

/**
 * Creates a pool's objects in a region, and starts its workers. Python's Pool(workers).
 *
 * region      alive; its view must outlive the pool's.
 * name        1 to 24 bytes; the objects' names begin with it: .tasks, .table, .done.
 * config      how.
 * start       starts a process (rialto_process_start, in a way that you choose) into `process`,
 *             and returns what that returned; the process's entry calls rialto_pool_work with
 *             these bytes, which are its args. Called now, and in the functions below whenever a
 *             worker is to be replaced; does not use the pool. Start daemons: they end with this
 *             process.
 * context     what it gets.
 * pool        gets the view. Do not pass one that is alive: its workers would be forgotten.
 * Returns     RIALTO_OK; as rialto_queue_create; what `start` returned; RIALTO_EMSGSIZE (the
 *             initializer's argument); RIALTO_ENFILE (the region has not a member for each worker
 *             and this thread). Negative: nothing is left.
 * Concurrency one thread.  Blocks: as `start` does, and as rialto_queue_create.
 * Signals     not async-signal-safe.
 * If we die   workers that are daemons are killed, others end when they have ended their task. The
 *             objects stay in the region: rialto_region_remove.
 * Since       0.1
 */
int rialto_pool_create(const rialto_region_t *region, const char *name,
                       const rialto_pool_config_t *config,
                       int (*start)(const void *args, size_t args_bytes, rialto_process_t *process,
                                    void *context), void *context, rialto_pool_t *pool);

/**
 * No more tasks. Workers end when those that there are have ended. Python's Pool.close.
 *
 * pool        alive. Closed already is fine.
 * Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner); RIALTO_EDEADLK (within
 *             a callback); RIALTO_EINVAL.
 * Concurrency one thread at a time for each pool.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_close(rialto_pool_t *pool);

/**
 * Waits until all tasks have ended, and all workers. Reports can be collected afterwards. Python's
 * Pool.join.
 *
 * pool        alive, and closed.
 * timeout_ns  how long; 0 polls; RIALTO_WAIT_FOREVER never passes.
 * Returns     RIALTO_OK; RIALTO_EBUSY (it is not closed); RIALTO_ETIMEDOUT, RIALTO_EAGAIN
 *             (polling); RIALTO_EBROKEN (no worker gets through its start); RIALTO_EPERM (a forked
 *             child of its owner); RIALTO_EDEADLK (within a callback); RIALTO_EINVAL; what
 *             `start` returned, if there is no worker and has not been one for five seconds: then
 *             it can be called again. (Of that, RIALTO_ENOENT, RIALTO_EAGAIN and others that mean
 *             something else here are RIALTO_EBROKEN; rialto_pool_tend says which.)
 * Concurrency one thread at a time for each pool.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_join(rialto_pool_t *pool, uint64_t timeout_ns);

/**
 * Kills all workers, and waits for their ends. Tasks that had not ended are
 * RIALTO_TASK_CANCELLED; all reports can be collected. Python's Pool.terminate.
 *
 * pool        alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner); RIALTO_EDEADLK (within
 *             a callback); RIALTO_EINVAL.
 * Concurrency one thread at a time for each pool.  Blocks: for as long as the kernel takes to end
 *             processes.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_terminate(rialto_pool_t *pool);

/**
 * Terminates the pool, and removes its objects from the region. The view is not alive any more,
 * but for RIALTO_EPERM and RIALTO_EDEADLK.
 *
 * pool        alive.
 * Returns     RIALTO_OK; RIALTO_EPERM (a forked child of its owner: not done); RIALTO_EDEADLK
 *             (within a callback: not done); RIALTO_EINVAL; as rialto_region_remove, for the
 *             first of its objects that stays (RIALTO_EBUSY: another process has it open): the pool
 *             has ended all the same, and they can be removed one by one.
 * Concurrency one thread.  Blocks: as rialto_pool_terminate, and as rialto_region_remove.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_end(rialto_pool_t *pool);

/**
 * Replaces workers that have ended, and kills those whose task takes too long. All functions that
 * wait do this each half tick, and rialto_pool_submit if it is time; who calls neither for long,
 * calls this now and then.
 *
 * pool        alive.
 * Returns     RIALTO_OK; what `start` returned, of a worker that is to be replaced (it is tried
 *             again at the next look); RIALTO_EPERM (a forked child of its owner); RIALTO_EDEADLK
 *             (within a callback); RIALTO_EINVAL.
 * Concurrency one thread at a time for each pool.  Blocks: as `start` does.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_tend(rialto_pool_t *pool);

/**
 * How far a pool is, for any process that is attached to the region.
 *
 * region      alive.
 * name        the pool's.
 * progress    gets the figures.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such pool); RIALTO_EWRONGKIND (that is none); else as
 *             rialto_raw_array_open.
 * Concurrency any thread of any process.  Blocks: as rialto_raw_array_open.
 * Signals     not async-signal-safe.
 * Since       0.1
 */
int rialto_pool_progress(const rialto_region_t *region, const char *name,
                         rialto_progress_t *progress);

/**
 * Gives the workers a task. Does not wait for a slot. Python's apply_async.
 *
 * pool        alive.
 * function    its name, which the workers know: 1 to 31 bytes.
 * task, task_bytes
 *             what it gets; NULL is fine for none.
 * id          gets which one it is.
 * Returns     RIALTO_OK; RIALTO_EAGAIN (as many are under way as there are slots: collect a
 *             report first; or, after a second, busy workers have left the queue full of tasks
 *             that were taken back); RIALTO_EMSGSIZE; RIALTO_EPIPE (closed, or terminated);
 *             RIALTO_EBROKEN (no worker gets through its start); RIALTO_EPERM (a forked child of
 *             its owner); RIALTO_EDEADLK (within a callback); RIALTO_EINVAL; as
 *             rialto_queue_push; what `start` returned, as for rialto_pool_join. Negative: nothing
 *             submitted.
 * Concurrency one thread at a time for each pool.  Blocks: as `start` does, if a worker is to be
 *             replaced; after deaths, while places that the dead had in the queue are not free.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_submit(rialto_pool_t *pool, const char *function, const void *task,
                       size_t task_bytes, uint64_t *id);

/**
 * Waits until that task has ended, and collects its report. Python's AsyncResult.get.
 *
 * pool        alive.
 * id          from rialto_pool_submit.
 * timeout_ns  how long; 0 polls; RIALTO_WAIT_FOREVER never passes.
 * report      gets the report.
 * Returns     RIALTO_OK, whatever came of the task; RIALTO_ENOENT (it was collected, or there was
 *             none); RIALTO_EBADREGION; as rialto_pool_join, but not RIALTO_EBUSY.
 * Concurrency as rialto_pool_join.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_wait(rialto_pool_t *pool, uint64_t id, uint64_t timeout_ns,
                     rialto_report_t *report);

/**
 * Waits until any task has ended, and collects its report; of several, the oldest one's.
 *
 * pool        alive.
 * timeout_ns  how long; 0 polls; RIALTO_WAIT_FOREVER never passes.
 * report      gets the report.
 * Returns     RIALTO_OK, whatever came of the task; RIALTO_ENOENT (none is under way);
 *             RIALTO_EBADREGION; as rialto_pool_join, but not RIALTO_EBUSY.
 * Concurrency as rialto_pool_join.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_next(rialto_pool_t *pool, uint64_t timeout_ns, rialto_report_t *report);

/**
 * Submits a task, and waits for it. Python's apply.
 *
 * pool        alive.
 * function    its name, which the workers know: 1 to 31 bytes.
 * task, task_bytes
 *             what it gets; NULL is fine for none.
 * timeout_ns  how long it may take; then it is taken back. 0 is too short for most.
 * report      gets the report; its `task` is 0.
 * Returns     RIALTO_OK, whatever came of the task; as rialto_pool_submit and rialto_pool_wait.
 * Concurrency as rialto_pool_join.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_apply(rialto_pool_t *pool, const char *function, const void *task,
                      size_t task_bytes, uint64_t timeout_ns, rialto_report_t *report);

/**
 * Calls a function for each item, some of them in a task. Python's map, imap and imap_unordered.
 *
 * pool        alive.
 * function    its name, which the workers know: 1 to 31 bytes.
 * items       what it gets, one after the other; nobody changes it meanwhile.
 * count       how many.
 * chunk       so many items, or as many as fit, make a task; 0 is 1. What becomes of it, a death
 *             or a timeout, becomes of each of its items. They share the room for its result.
 * is_ordered  whether reports come in the items' order, or as tasks end.
 * each        called with each report; does not use the pool (RIALTO_EDEADLK), and returns.
 * context     what it gets.
 * Returns     RIALTO_OK: all were reported, whatever came of them; RIALTO_EMSGSIZE (an item is
 *             too long; all before it were reported); as rialto_pool_submit and rialto_pool_wait.
 *             Negative: what was not begun is taken back, of the rest no report comes.
 * Concurrency as rialto_pool_join.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_map(rialto_pool_t *pool, const char *function, const rialto_message_t *items,
                    size_t count, size_t chunk, bool is_ordered,
                    void (*each)(const rialto_report_t *report, void *context), void *context);

/**
 * Takes a task back: one that nobody has begun, or from its worker, which is killed and
 * replaced. It is reported as RIALTO_TASK_CANCELLED.
 *
 * pool        alive.
 * id          from rialto_pool_submit.
 * is_cancelled
 *             gets whether it was; if not, it had ended.
 * Returns     RIALTO_OK; RIALTO_ENOENT (it was collected, or there was none); RIALTO_EPERM (a
 *             forked child of the pool's owner); RIALTO_EDEADLK (within a callback);
 *             RIALTO_EBADREGION; RIALTO_EINVAL.
 * Concurrency one thread at a time for each pool.  Blocks: as rialto_pool_terminate, for one
 *             worker.
 * Signals     not async-signal-safe.
 * If we die   as for rialto_pool_create.
 * Since       0.1
 */
int rialto_pool_cancel(rialto_pool_t *pool, uint64_t id, bool *is_cancelled);

/* ---- rialto_function_t: the workers' side: functions, by name -------------------------------- */

/** Where a function writes its result. Only ever pointed to, until the function returns. */
typedef struct rialto_output_t {
    /** Private. */
    uint64_t _private[1];
} rialto_output_t;

/** A function that tasks name. */
typedef struct rialto_function_t {
    /** 1 to 31 bytes. */
    const char *name;
    /**
     * Gets a task, a private copy, and writes its result (rialto_output_write). Returns 0; or
     * another number if it failed: then what it wrote says why. No exception, no longjmp out of it.
     */
    int (*run)(const void *task, size_t task_bytes, rialto_output_t *output, void *context);
    /** What `run` gets. */
    void *context;
} rialto_function_t;

/**
 * Works for the pool, in a process that its `start` has started, until that is closed and empty, or
 * has ended, or wants no more tasks of this worker.
 *
 * args, args_bytes
 *             what `start` was given: the entry's args.
 * region      alive; the pool's, also if it is attached anew.
 * functions   what tasks can name.
 * count       how many.
 * Returns     RIALTO_OK; RIALTO_ENOENT (no such pool there, or it cannot be opened, or is damaged);
 *             RIALTO_EBROKEN (the initializer failed); RIALTO_EINVAL (NULL, a bad name, a name
 *             without a function). The pool does not care what the entry returns then.
 * Concurrency one thread of the process.  Blocks: yes, through signals.
 * Signals     not async-signal-safe.
 * If we die   what we had in hand is another worker's, as often as the pool's `retries` say.
 * Since       0.1
 */
int rialto_pool_work(const void *args, size_t args_bytes, const rialto_region_t *region,
                     const rialto_function_t *functions, uint32_t count);

/**
 * Appends to a task's result.
 *
 * output      as the function got it.
 * from, from_bytes
 *             what; NULL is fine for none.
 * Returns     RIALTO_OK; RIALTO_EMSGSIZE (too long: the task has failed, and will say how long it
 *             would have been); RIALTO_EINVAL.
 * Concurrency the function's thread.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as for rialto_pool_work.
 * Since       0.1
 */
int rialto_output_write(rialto_output_t *output, const void *from, size_t from_bytes);

/**
 * Forgets what was written: to say what went wrong instead.
 *
 * output      as the function got it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency the function's thread.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   as for rialto_pool_work.
 * Since       0.1
 */
int rialto_output_clear(rialto_output_t *output);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* RIALTO_H */
