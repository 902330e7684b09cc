/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * rialto.h: what Python's multiprocessing has, for processes in C and Rust, in memory that you provide;
 * safe under kill -9 at any instruction. No daemon, no heap, no background thread.
 * Generated from src/capi: change the comments there.
 *
 * CAVEATS FIRST
 * - Kill. A process may die anywhere. Locks tell it (RIALTO_OWNER_DIED), queues give what it had in
 *   hand to somebody else (RIALTO_REDELIVERED). What you popped, or did with a message before you
 *   released it, is yours to answer for: a redelivered message may have been worked on before.
 * - Fork. A child holds no lock and is no member, whatever its parent was; it becomes one by itself on
 *   first use. Region and queue views go on working in it. Peeked and member views stay the parent's:
 *   the child must neither use nor end them. A child of vfork must not call Rialto at all.
 * - Exec and exit. What a thread holds when it ends or execs is treated as if it had been killed.
 * - Threads. A lock belongs to the thread that acquired it. A message in hand belongs to a member: the
 *   calling thread's own, or one made with rialto_region_join. A thread can hold 64 locks and
 *   memberships, and be a member of 16 regions.
 * - PID namespaces. Deaths are told by the kernel across them. Where it does not tell (exec by a thread
 *   that is not the leader), only parties in the same namespace notice: who waits for a lock within a
 *   tick, 100 ms, who waits at a queue within as many ticks as the region has members.
 * - Trust. What is in a region is input: a peer that writes wild can break the objects there, make calls
 *   return RIALTO_EBADREGION and waits for ever last for ever, but not make us touch memory outside the
 *   region, crash us, or hang us past a timeout. Two things it can: change a message's bytes while you
 *   look at them in place (rialto_peeked_bytes), and truncate a named region's file (SIGBUS; a memfd of
 *   ours is sealed). Your own pointers are trusted, apart from NULL and misaligned ones.
 * - Signals. EINTR is not seen: blocking calls go on. Functions that may be called in a handler say so.
 * - Unloading. The shared library stays loaded (-z nodelete): threads' ends run its code.
 * - A bug of ours that panics aborts the process; nothing unwinds into C.
 *
 * CONVENTIONS
 * - Functions return a status and nothing else: negative, you did not get it; zero, you did; positive,
 *   you did and there is something to know. Everything else goes to out-parameters, which come last and
 *   are written only if the status is zero or positive. New codes may be added.
 * - Codes are negated Linux errno numbers; ours begin at -4096. Where the system refuses with an errno
 *   that has no name here, it is returned negated.
 * - NULL and misaligned pointers are RIALTO_EINVAL, also where "Returns" does not repeat it.
 * - Timeouts are relative nanoseconds of the monotonic clock, never early, across all inner waits.
 * - x waits for ever, try_x never waits, x_timeout says how long.
 * - rialto_lock_t lives in shared memory. All other types are private to the process: views, on your
 *   stack, that need no freeing. Zero a view with {0} and it is "not alive", which every call notices.
 * - "Alive" is a view from the call that made it to the call that ends it.
 *
 * CONTENTS
 *   RIALTO_...           versions, timeouts, status codes
 *   rialto_lock_t        robust lock, embeddable                     rialto_lock_...
 *   rialto_region_t      memory that several processes see           rialto_region_...
 *   rialto_member_t      explicit membership, for thread pools       rialto_region_join, rialto_member_...
 *   rialto_queue_t       bounded queue of byte messages              rialto_queue_...
 *   rialto_peeked_t      a message in hand                           rialto_queue_peek, rialto_peeked_...
 *   rialto_...           strerror, version, layout_version, now_ns
 *
 * A WORKER
 *   rialto_region_t region;
 *   rialto_queue_t jobs;
 *   rialto_peeked_t job;
 *   const void *bytes;
 *   size_t length;
 *   if (rialto_region_attach_named(&region, "demo") < 0 || rialto_queue_open(&region, "jobs", &jobs) < 0)
 *       return 1;
 *   while (rialto_queue_peek(&jobs, &job) >= 0) {      // until it is closed and drained
 *       rialto_peeked_bytes(&job, &bytes, &length);
 *       work(bytes, length);                           // killed in here: somebody else gets the job
 *       rialto_peeked_release(&job);
 *   }
 *   rialto_region_detach(&region);
 *
 * Link the static library with -lpthread -ldl -lm. */


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

/* A version as one number that compares, also in #if. */
#define RIALTO_MAKE_VERSION(major, minor, patch) \
    ((major) * 1000000u + (minor) * 1000u + (patch))
/* This header's version; rialto_version() is the library's. */
#define RIALTO_VERSION \
    RIALTO_MAKE_VERSION(RIALTO_VERSION_MAJOR, RIALTO_VERSION_MINOR, RIALTO_VERSION_PATCH)

/* A free lock: rialto_lock_t lock = RIALTO_LOCK_INIT; */
#define RIALTO_LOCK_INIT {{0x4B434C52u, 0x84u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}


/** The header's version. Compare it with `rialto_version()`, the library's. */
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
/** Acquired, but the last owner died: repair what the lock protects, then mark_consistent. */
#define RIALTO_OWNER_DIED 1
/** Here is a message that somebody before you had in hand, and died or gave it back. */
#define RIALTO_REDELIVERED 2
/** This thread does not hold the lock, or is not the one that joined. */
#define RIALTO_EPERM (-1)
/** No object of that name in the region, or no region of that name. */
#define RIALTO_ENOENT (-2)
/** A call that does not wait would have had to: held, empty, full. */
#define RIALTO_EAGAIN (-11)
/** The kernel would not give this process memory. */
#define RIALTO_ENOMEM (-12)
/** Still in use: the lock is held, or this process has a member or a message in hand there. */
#define RIALTO_EBUSY (-16)
/** An object or region of that name, or at that place, exists already. */
#define RIALTO_EEXIST (-17)
/** NULL or misaligned pointer, view that is not alive, bad number, bad name. */
#define RIALTO_EINVAL (-22)
/** The region's member table is full. */
#define RIALTO_ENFILE (-23)
/** This thread holds 64 locks and memberships, or is a member of 16 regions. */
#define RIALTO_EMFILE (-24)
/** The memory, the region or /dev/shm has no room. */
#define RIALTO_ENOSPC (-28)
/** Closed; from pop and peek: and drained. */
#define RIALTO_EPIPE (-32)
/** This thread holds the lock already. */
#define RIALTO_EDEADLK (-35)
/** The message is longer than the queue's longest. */
#define RIALTO_EMSGSIZE (-90)
/** This kernel or file system cannot do that. */
#define RIALTO_ENOTSUP (-95)
/** The buffer is smaller than the queue's longest message. */
#define RIALTO_ENOBUFS (-105)
/** The deadline passed. */
#define RIALTO_ETIMEDOUT (-110)
/** The lock was released unrepaired after an owner's death; only reset helps. */
#define RIALTO_ENOTRECOVERABLE (-131)
/** Not a Rialto object, or its bytes contradict themselves. */
#define RIALTO_EBADREGION (-4096)
/** Another layout version, or features that this library does not know. */
#define RIALTO_EVERSION (-4097)
/** The object of that name is of another kind. */
#define RIALTO_EWRONGKIND (-4098)
/** For rialto_region_recover: believe what the kernel marked. Two loads per member. */
#define RIALTO_RECOVER_MARKED 0
/** For rialto_region_recover: also ask the system about one unmarked member, another one each time. */
#define RIALTO_RECOVER_TICK 1
/** For rialto_region_recover: ask about all of them. */
#define RIALTO_RECOVER_THOROUGH 2
/** A queue flag: cheaper, and still kill-safe, but a stopped participant blocks others at its slot. */
#define RIALTO_QUEUE_KILL_ONLY 1

/**
 * A lock in shared memory: robust, not recursive, not fair, owned by a thread. Embed it in your own
 * struct, anywhere; the struct then is 64-aligned as well. Set it with RIALTO_LOCK_INIT or
 * rialto_lock_init, once, before anybody else sees it; zeroed memory is refused. A copy is not a lock.
 * While a thread holds it, or may be about to acquire it, its memory must not be moved, unmapped, freed
 * or used for anything else.
 * Cf. pthread_mutex_t with PTHREAD_PROCESS_SHARED and PTHREAD_MUTEX_ROBUST.
 */
typedef struct RIALTO_ALIGNED(64) rialto_lock_t {
    /** Not for you. */
    uint32_t _private[16];
} rialto_lock_t;

/** What a region is created with. Fill it with rialto_region_config_default, then change what you like. */
typedef struct rialto_region_config_t {
    /** How many threads can be members at a time, explicit memberships included. 1 to 4095. */
    uint32_t members;
    /** How many named objects there can be. 1 to 4096. */
    uint32_t objects;
    /** The bound, in milliseconds, within which a sleeper notices what nobody told it. 1 to 60000. */
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
 * This process's view of a region, on your stack or wherever you like, private to the process. It must
 * not move while it is alive (a copy is refused), and it must outlive the queue, member and peeked
 * views made from it. A forked child may go on using its copy of the process's memory.
 */
typedef struct rialto_region_t {
    /** Not for you. */
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
    /** Messages given up because more holders died with them than can be counted (31). */
    uint32_t dropped;
} rialto_recovered_t;

/**
 * A view of a membership that you made yourself, instead of the one that each thread gets on first
 * use: for thread pools, where the thread that acts is not the one whose death should count. Lives on
 * the thread that joined, which must outlive its use; must not move while it is alive.
 */
typedef struct rialto_member_t {
    /** Not for you. */
    uint64_t _private[8];
} rialto_member_t;

/** What a queue is created with. Fill it with rialto_queue_config_default, then change what you like. */
typedef struct rialto_queue_config_t {
    /** Messages that fit; rounded up to a power of two. 1 to 65536; 1 is taken as 2. */
    uint32_t slots;
    /** The longest message, in bytes. 1 to 2^30; every slot takes that much room. */
    uint32_t max_message_bytes;
    /**
     * How often a message is redelivered after its holders died before pop passes over it and only
     * rialto_queue_take_poisoned gets it. 1 to 30.
     */
    uint32_t max_attempts;
    /** 0, or RIALTO_QUEUE_KILL_ONLY. */
    uint32_t flags;
    /** Must be 0. */
    uint32_t _reserved[4];
} rialto_queue_config_t;

/**
 * This process's view of a queue, private to the process. It refers to its region's view, which must
 * not move and must outlive it. It may be copied, is used by any number of threads, and needs no end.
 */
typedef struct rialto_queue_t {
    /** Not for you. */
    uint64_t _private[12];
} rialto_queue_t;

/**
 * A message in hand, still in its slot. End the view with release (done) or abandon (somebody else
 * shall have it). If its member dies first, somebody else gets it, marked. It must not move while it is
 * alive (a copy is refused), may be ended by another thread than the one that peeked, and is not a
 * forked child's to use or end.
 */
typedef struct rialto_peeked_t {
    /** Not for you. */
    uint64_t _private[16];
} rialto_peeked_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * One line of English for a status. Cf. strerror.
 *
 * status      any number.
 * Returns     a string that lives as long as the library; never NULL.
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
const char *rialto_strerror(int status);

/**
 * The library's version as one number, as RIALTO_VERSION is the header's.
 *
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
uint32_t rialto_version(void);

/**
 * The library's RIALTO_LAYOUT_VERSION.
 *
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
uint32_t rialto_layout_version(void);

/**
 * The clock that timeouts are measured with: monotonic nanoseconds.
 *
 * now_ns      gets the time.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_now_ns(uint64_t *now_ns);

/**
 * Makes a free lock in place, whatever was there. Cf. pthread_mutex_init.
 *
 * lock        64 bytes, 64-aligned, that nobody uses as a lock now.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency one thread; publish the lock to others afterwards.
 * Signals     async-signal-safe.
 * If we die   rialto_lock_attach and acquire refuse what is left.
 * Since       0.1
 */
int rialto_lock_init(struct rialto_lock_t *lock);

/**
 * Says whether there is a lock. Needs no counterpart: attaching takes nothing.
 *
 * lock        64 readable bytes; what is in them does not matter.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned); RIALTO_EBADREGION (no lock there).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_lock_attach(const struct rialto_lock_t *lock);

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
int rialto_lock_acquire(struct rialto_lock_t *lock);

/**
 * Acquires `lock` if that needs no waiting. Cf. pthread_mutex_trylock.
 *
 * lock        as for rialto_lock_acquire.
 * Returns     as rialto_lock_acquire; RIALTO_EAGAIN (held, by whomever: also instead of EDEADLK).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_lock_acquire.
 * Since       0.1
 */
int rialto_lock_try_acquire(struct rialto_lock_t *lock);

/**
 * Acquires `lock`, waiting at most `timeout_ns` nanoseconds. Cf. pthread_mutex_timedlock, but
 * relative and monotonic.
 *
 * lock        as for rialto_lock_acquire.
 * timeout_ns  0 is rialto_lock_try_acquire; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_lock_acquire; RIALTO_ETIMEDOUT.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_lock_acquire.
 * Since       0.1
 */
int rialto_lock_acquire_timeout(struct rialto_lock_t *lock, uint64_t timeout_ns);

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
int rialto_lock_release(struct rialto_lock_t *lock);

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
int rialto_lock_mark_consistent(struct rialto_lock_t *lock);

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
int rialto_lock_is_mine(const struct rialto_lock_t *lock, bool *is_mine);

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
int rialto_lock_is_locked(const struct rialto_lock_t *lock, bool *is_locked);

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
int rialto_lock_reset(struct rialto_lock_t *lock);

/**
 * Ends a lock that nobody will use again: from here on there is none. The memory is yours. Locks
 * need not be destroyed; this one finds mistakes. Cf. pthread_mutex_destroy.
 *
 * lock        a lock that no thread waits for.
 * Returns     RIALTO_OK; RIALTO_EBUSY (held); RIALTO_EBADREGION (no lock there); RIALTO_EINVAL.
 * Concurrency one thread, the last.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is destroyed or it is not.
 * Since       0.1
 */
int rialto_lock_destroy(struct rialto_lock_t *lock);

/**
 * The usual: 64 members, 32 objects, a tick of 100 ms.
 *
 * config      gets them.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_region_config_default(struct rialto_region_config_t *config);

/**
 * What a region takes for its header and tables; the layouts of its objects come on top, each rounded
 * up to its alignment.
 *
 * config      of the region.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_region_layout(const struct rialto_region_config_t *config,
                         struct rialto_layout_t *layout);

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
int rialto_region_init(struct rialto_region_t *region,
                       void *memory,
                       size_t memory_bytes,
                       const struct rialto_region_config_t *config);

/**
 * Attaches to the region that somebody made in memory that you mapped, wherever you mapped it.
 *
 * region      gets the view.
 * memory      128-aligned, readable and writable, shared, mapped until rialto_region_detach has returned
 *             RIALTO_OK. What is in it does not matter: it is checked, and believed only as far as that
 *             goes.
 * memory_bytes
 *             how many are mapped; the region may be smaller.
 * Returns     RIALTO_OK; RIALTO_EBADREGION (no region, half a one, or larger than memory_bytes);
 *             RIALTO_EVERSION; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   nothing happened.
 * Since       0.1
 */
int rialto_region_attach(struct rialto_region_t *region,
                         void *memory,
                         size_t memory_bytes);

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
int rialto_region_create_anonymous(struct rialto_region_t *region,
                                   size_t size_bytes,
                                   const struct rialto_region_config_t *config);

/**
 * Makes a region in a memfd, all pages allocated, sealed against resizing. Pass rialto_region_fd on by
 * inheritance, SCM_RIGHTS, or as /proc/PID/fd/N.
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
int rialto_region_create_memfd(struct rialto_region_t *region,
                               size_t size_bytes,
                               const struct rialto_region_config_t *config);

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
int rialto_region_attach_fd(struct rialto_region_t *region, int fd);

/**
 * Makes a region under a name in /dev/shm, all pages allocated, readable by this user only. It
 * appears there whole or not at all. It stays until rialto_region_unlink_named.
 *
 * region      gets the view.
 * name        1 to 255 bytes of UTF-8, no slash but one in front.
 * size_bytes  of the whole region.
 * config      how many members and objects.
 * Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (too small, or /dev/shm is full); RIALTO_ENOMEM;
 *             RIALTO_ENOTSUP; RIALTO_EINVAL; another negated errno.
 * Concurrency any thread of any process: one of several wins.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the name is there and the region whole, or nothing is.
 * Since       0.1
 */
int rialto_region_create_named(struct rialto_region_t *region,
                               const char *name,
                               size_t size_bytes,
                               const struct rialto_region_config_t *config);

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
int rialto_region_attach_named(struct rialto_region_t *region, const char *name);

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
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_region_fd(const struct rialto_region_t *region, int *fd);

/**
 * Where this process sees the region.
 *
 * region      alive.
 * base        gets the address of its first byte.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_region_base(const struct rialto_region_t *region, void **base);

/**
 * How large the region is.
 *
 * region      alive.
 * size_bytes  gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_region_size(const struct rialto_region_t *region, size_t *size_bytes);

/**
 * How many members there are at about this time, the dead that nobody has noticed included.
 *
 * region      alive.
 * members     gets the number.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_region_member_count(const struct rialto_region_t *region, uint32_t *members);

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
int rialto_region_recover(const struct rialto_region_t *region,
                          uint32_t depth,
                          struct rialto_recovered_t *recovered);

/**
 * Ends the calling thread's own membership, which it got on its first push, pop or peek. A thread that
 * ends leaves by itself; one that lives on stays a member until it calls this, of 16 regions at
 * most: then it gets RIALTO_EMFILE.
 *
 * region      alive.
 * Returns     RIALTO_OK, also if it was no member; RIALTO_EBUSY (it has a message in hand);
 *             RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread, for itself.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as if we had died before.
 * Since       0.1
 */
int rialto_region_leave(const struct rialto_region_t *region);

/**
 * Leaves, unmaps what Rialto mapped, closes its descriptor, and ends the view. The region lives on for
 * the others. Refused while that could hurt this process; nothing but the leaving is done then.
 *
 * region      alive; no other thread is using it or what was made from it.
 * Returns     RIALTO_OK; RIALTO_EBUSY (a thread of this process is a member, or this one has a
 *             message in hand or holds a lock in there); RIALTO_ENOMEM; RIALTO_EINVAL (also: detached
 *             already).
 * Concurrency one thread, the last.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as if we had died before.
 * Since       0.1
 */
int rialto_region_detach(struct rialto_region_t *region);

/**
 * Makes the calling thread a member besides (or instead of) its implicit membership. Pass the view to
 * rialto_queue_as_member. What the member has in hand is given back when this thread dies or ends.
 *
 * region      alive; it must outlive the member.
 * member      gets the view.
 * Returns     RIALTO_OK; RIALTO_ENFILE (the table is full); RIALTO_EMFILE (this thread holds too
 *             much); RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   the place in the table is recovered by the next who need it.
 * Since       0.1
 */
int rialto_region_join(const struct rialto_region_t *region,
                       struct rialto_member_t *member);

/**
 * Its number in the region, unique among members at a time.
 *
 * member      alive.
 * id          gets 1 to 4095.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_member_id(const struct rialto_member_t *member, uint32_t *id);

/**
 * Ends the membership and its view.
 *
 * member      alive; no other thread is using it, nor a queue view that acts as it.
 * Returns     RIALTO_OK; RIALTO_EPERM (another thread, or a forked child: not done);
 *             RIALTO_EBUSY (it has a message in hand: not done); RIALTO_ENOMEM; RIALTO_EINVAL (also:
 *             left already).
 * Concurrency the thread that joined.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as if we had died before.
 * Since       0.1
 */
int rialto_member_leave(struct rialto_member_t *member);

/**
 * Stop-safe, 5 attempts.
 *
 * slots       messages that fit.
 * max_message_bytes
 *             the longest message.
 * config      gets these and the usual for the rest; the numbers are not checked yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned).
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_config_default(uint32_t slots,
                                uint32_t max_message_bytes,
                                struct rialto_queue_config_t *config);

/**
 * What a queue takes in its region.
 *
 * config      of the queue.
 * layout      gets bytes and alignment (128).
 * Returns     RIALTO_OK; RIALTO_EINVAL (NULL, misaligned, a number out of range).
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_layout(const struct rialto_queue_config_t *config, struct rialto_layout_t *layout);

/**
 * Makes an empty queue in a region, waiting for others who create there as long as it takes.
 *
 * region      alive; its view must not move, and must outlive the queue's.
 * name        1 to 31 bytes of UTF-8.
 * config      how many slots, how long.
 * queue       gets the view.
 * Returns     RIALTO_OK; RIALTO_EEXIST; RIALTO_ENOSPC (no room, or no entry free); RIALTO_EMFILE;
 *             RIALTO_EBADREGION; RIALTO_ENOTRECOVERABLE; RIALTO_ENOMEM; RIALTO_EINVAL.
 * Concurrency any thread of any process: one of several wins.  Blocks: yes, while another creates.
 * Signals     not async-signal-safe.
 * If we die   there is a whole queue or none, and the room is not lost.
 * Since       0.1
 */
int rialto_queue_create(const struct rialto_region_t *region,
                        const char *name,
                        const struct rialto_queue_config_t *config,
                        struct rialto_queue_t *queue);

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
int rialto_queue_create_timeout(const struct rialto_region_t *region,
                                const char *name,
                                const struct rialto_queue_config_t *config,
                                uint64_t timeout_ns,
                                struct rialto_queue_t *queue);

/**
 * Finds the queue of that name.
 *
 * region      alive; its view must not move, and must outlive the queue's.
 * name        as it was created.
 * queue       gets the view.
 * Returns     RIALTO_OK; RIALTO_ENOENT; RIALTO_EWRONGKIND; RIALTO_EVERSION; RIALTO_EBADREGION;
 *             RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * Since       0.1
 */
int rialto_queue_open(const struct rialto_region_t *region,
                      const char *name,
                      struct rialto_queue_t *queue);

/**
 * The same queue, seen by a member that you made, whichever thread calls.
 *
 * queue       alive.
 * member      alive, of the same region; it must outlive the new view's use.
 * as_member   gets the new view; may be `queue`.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_as_member(const struct rialto_queue_t *queue,
                           const struct rialto_member_t *member,
                           struct rialto_queue_t *as_member);

/**
 * Appends a message, waiting for room as long as it takes. Cf. mq_send.
 *
 * queue       alive.
 * message     the bytes, in private memory; NULL if there are none.
 * message_bytes
 *             how many, at most the queue's longest.
 * Returns     RIALTO_OK; RIALTO_EPIPE (closed); RIALTO_EMSGSIZE; RIALTO_ENFILE, RIALTO_EMFILE,
 *             RIALTO_ENOMEM (on the thread's first use); RIALTO_EINVAL. Negative: nothing appended.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   the message is in the queue, or goes with us. Nobody is held up beyond a tick.
 * Since       0.1
 */
int rialto_queue_push(const struct rialto_queue_t *queue,
                      const void *message,
                      size_t message_bytes);

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
int rialto_queue_try_push(const struct rialto_queue_t *queue,
                          const void *message,
                          size_t message_bytes);

/**
 * Appends a message, waiting for room at most `timeout_ns` nanoseconds. Cf. mq_timedsend, but relative
 * and monotonic.
 *
 * queue, message, message_bytes
 *             as for rialto_queue_push.
 * timeout_ns  0 is rialto_queue_try_push; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_push; RIALTO_ETIMEDOUT.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_push.
 * Since       0.1
 */
int rialto_queue_push_timeout(const struct rialto_queue_t *queue,
                              const void *message,
                              size_t message_bytes,
                              uint64_t timeout_ns);

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
 *             and drained); RIALTO_ENOBUFS (nothing taken); RIALTO_EBADREGION (a peer damaged the
 *             message; it is gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's
 *             first use); RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   before it is taken: it goes to somebody else, marked. After: with us.
 * Since       0.1
 */
int rialto_queue_pop(const struct rialto_queue_t *queue,
                     void *buffer,
                     size_t buffer_bytes,
                     size_t *length_bytes,
                     uint32_t *attempt);

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
int rialto_queue_try_pop(const struct rialto_queue_t *queue,
                         void *buffer,
                         size_t buffer_bytes,
                         size_t *length_bytes,
                         uint32_t *attempt);

/**
 * Takes the next message, waiting for one at most `timeout_ns` nanoseconds. Cf. mq_timedreceive, but
 * relative and monotonic.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_queue_pop.
 * timeout_ns  0 is rialto_queue_try_pop; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_pop; RIALTO_ETIMEDOUT.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop.
 * Since       0.1
 */
int rialto_queue_pop_timeout(const struct rialto_queue_t *queue,
                             void *buffer,
                             size_t buffer_bytes,
                             uint64_t timeout_ns,
                             size_t *length_bytes,
                             uint32_t *attempt);

/**
 * Takes a message that so many holders died with that pop passes it over.
 *
 * queue, buffer, buffer_bytes, length_bytes, attempt
 *             as for rialto_queue_pop.
 * Returns     as rialto_queue_pop, usually RIALTO_REDELIVERED; RIALTO_EAGAIN (there is none).
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_pop; it stays poisoned.
 * Since       0.1
 */
int rialto_queue_take_poisoned(const struct rialto_queue_t *queue,
                               void *buffer,
                               size_t buffer_bytes,
                               size_t *length_bytes,
                               uint32_t *attempt);

/**
 * No more pushes; pop and peek drain what is there, then say RIALTO_EPIPE. Wakes everybody. Again is
 * fine.
 *
 * queue       alive.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: no.
 * Signals     async-signal-safe.
 * If we die   it is closed or it is not; sleepers notice at their tick.
 * Since       0.1
 */
int rialto_queue_close(const struct rialto_queue_t *queue);

/**
 * Whether the queue is closed.
 *
 * queue       alive.
 * is_closed   gets the answer. Once true, always true.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_is_closed(const struct rialto_queue_t *queue, bool *is_closed);

/**
 * Messages that a pop could take at about this time, redelivered ones included and those in hand not.
 *
 * queue       alive.
 * messages    gets the number: old when you read it, unless you are the only consumer (then it can
 *             only grow) or the only producer (then only shrink). Walks all slots.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_len(const struct rialto_queue_t *queue,
                     size_t *messages);

/**
 * Messages that fit: what was asked for, rounded up to a power of two.
 *
 * queue       alive.
 * slots       gets the number.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_capacity(const struct rialto_queue_t *queue, size_t *slots);

/**
 * The longest message, in bytes; what a buffer for pop needs.
 *
 * queue       alive.
 * max_message_bytes
 *             gets it.
 * Returns     RIALTO_OK; RIALTO_EINVAL.
 * Concurrency any thread of any process.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_queue_max_message_bytes(const struct rialto_queue_t *queue, size_t *max_message_bytes);

/**
 * Takes the next message in hand, waiting for one as long as it takes: nobody else gets it while you
 * and the view live.
 *
 * queue       alive; its region's view must outlive the peeked view.
 * peeked      gets the view. Do not pass one that is alive: its message would stay in your hand.
 * Returns     RIALTO_OK; RIALTO_REDELIVERED (a message that others had in hand before);
 *             RIALTO_EPIPE (closed and drained); RIALTO_EBADREGION (a peer damaged the message; it is
 *             gone); RIALTO_ENFILE, RIALTO_EMFILE, RIALTO_ENOMEM (on the thread's first use);
 *             RIALTO_EINVAL.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked with an attempt count one higher.
 * Since       0.1
 */
int rialto_queue_peek(const struct rialto_queue_t *queue,
                      struct rialto_peeked_t *peeked);

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
int rialto_queue_try_peek(const struct rialto_queue_t *queue, struct rialto_peeked_t *peeked);

/**
 * Takes the next message in hand, waiting for one at most `timeout_ns` nanoseconds.
 *
 * queue, peeked
 *             as for rialto_queue_peek.
 * timeout_ns  0 is rialto_queue_try_peek; RIALTO_WAIT_FOREVER never passes. Never early.
 * Returns     as rialto_queue_peek; RIALTO_ETIMEDOUT.
 * Concurrency any thread of any process.  Blocks: yes, through signals.  Fair: no.
 * Signals     not async-signal-safe.
 * If we die   as rialto_queue_peek.
 * Since       0.1
 */
int rialto_queue_peek_timeout(const struct rialto_queue_t *queue,
                              uint64_t timeout_ns,
                              struct rialto_peeked_t *peeked);

/**
 * The message's bytes in their slot, 16-aligned, to be read until the view ends. A peer that writes
 * wild may change them while you look: if you do not trust your peers, use rialto_peeked_copy.
 *
 * peeked      alive.
 * message     gets their address.
 * message_bytes
 *             gets how many they are; may be NULL.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, while nobody ends the view.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_peeked_bytes(const struct rialto_peeked_t *peeked,
                        const void **message,
                        size_t *message_bytes);

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
 * Concurrency any thread, while nobody ends the view.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_peeked_copy(const struct rialto_peeked_t *peeked,
                       void *buffer,
                       size_t buffer_bytes,
                       size_t *copied_bytes);

/**
 * How many holders before you died with the message in hand, or gave it back.
 *
 * peeked      alive.
 * attempt     gets the number: 0 for a message that was nobody's yet.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, while nobody ends the view.  Signals: async-signal-safe.
 * Since       0.1
 */
int rialto_peeked_attempt(const struct rialto_peeked_t *peeked, uint32_t *attempt);

/**
 * Done with the message: its slot is free again, the view ends.
 *
 * peeked      alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, one.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked, or it is done.
 * Since       0.1
 */
int rialto_peeked_release(struct rialto_peeked_t *peeked);

/**
 * Gives the message back, for somebody else (or us) to get, marked; the view ends.
 *
 * peeked      alive, used by nobody else.
 * Returns     RIALTO_OK; RIALTO_EINVAL (also: ended already).
 * Concurrency any thread, one.  Blocks: no.
 * Signals     not async-signal-safe.
 * If we die   somebody else gets the message, marked, in any case.
 * Since       0.1
 */
int rialto_peeked_abandon(struct rialto_peeked_t *peeked);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RIALTO_H */
