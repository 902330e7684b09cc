/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * rialto.hpp: rialto.h for C++17 and later. Headers only, nothing of its own: each class is the C struct that its name
 * says, each method the C function of its name, to which rialto.h is the manual. Link the C library.
 *
 * CLASSES
 *   Embeddable, anywhere in shared memory: 64 bytes, the same as in C, constructed once by one process
 *   Lock, RLock          rialto_lock_t, rialto_rlock_t      lock.hpp     std::lock_guard and the like work with them
 *     Guard, Repairing   ways to hold them                  lock.hpp     READ THERE what happens after an owner's death
 *   Event, Semaphore     rialto_event_t, _semaphore_t       sync.hpp
 *   Condition            rialto_condition_t                 sync.hpp     with a Lock or RLock, across processes
 *   Neither copied nor moved; end what they hold when they go out of scope
 *   Region, Member       rialto_region_t, rialto_member_t   region.hpp
 *   Peeked, Reserved     rialto_peeked_t, _reserved_t       loans.hpp    messages in place; given back unless released
 *   Producer, Consumer   rialto_producer_t, _consumer_t     ends.hpp
 *   Connection           rialto_connection_t                pipe.hpp
 *   Permit               a number in C                      permits.hpp  (may be moved)
 *   Process, ForkServer  rialto_process_t, _forkserver_t    process.hpp  waits for the child; a daemon is killed
 *   Pool                 rialto_pool_t                      pool.hpp     terminated
 *   By name in a region; values that refer to it, to be copied as you like
 *   Queue                rialto_queue_t                     queue.hpp
 *   Spsc                 rialto_spsc_t                      spsc.hpp
 *   Pipe                 rialto_pipe_t                      pipe.hpp
 *   TrackedSemaphore     rialto_tracked_semaphore_t         permits.hpp
 *   Barrier              rialto_barrier_t                   barrier.hpp
 *   Value<T>, Array<T>   rialto_value_t, rialto_array_t     value.hpp, array.hpp
 *   raw values, arrays   pointers: create_raw_value<T>, open_raw_value<T>, create_raw_array<T>, open_raw_array<T>
 *   List, Dict           rialto_list_t, rialto_dict_t       list.hpp, dict.hpp
 *   Namespace            rialto_namespace_t                 namespace.hpp
 *   RegionConfig, QueueConfig, SpscConfig, PipeConfig, ProcessConfig, PoolConfig: rialto_..._config_t with the usual
 *
 * NAMES. rialto_queue_try_push is queue.try_push; rialto_queue_push_timeout is queue.push_for, whose Timeout is any
 * std::chrono::duration, or rialto::until(a time_point); what makes a view is static: Queue::open(region, "jobs").
 * Bytes come from, and go to, what you have: "text", std::string, std::vector<int>, std::array, std::span, or
 * bytes_of(a struct). They are copied as they are: no pointers in them.
 *
 * ERRORS are exceptions (rialto::error, a std::system_error) or, with rialto::nothrow as the last argument, a Status or
 * Result<T>. Without exceptions only the latter. "Not now", "closed and drained" and "no such key" are no errors where
 * one receives or looks up: what is returned is false, and its status() says why. See status.hpp.
 *
 * FORK. A child must not run the destructor of a Member, Peeked, Reserved, Producer, Consumer, Connection or Permit of
 * its parent: that would act as the parent. Fork while you have none, or leave the child by _exit or exec.
 *
 * A WORKER
 *   try {
 *       auto region = rialto::Region::attach_named("demo");
 *       auto jobs = rialto::Queue::open(region, "jobs");
 *       while (rialto::Peeked job = jobs.peek()) { // killed, or thrown out, in here: somebody else gets the job
 *           work(job.bytes(), job.attempt());
 *           job.release();
 *       } // closed and drained
 *   } catch (const rialto::error& error) {
 *       std::cerr << error.what() << '\n';
 *   }
 */
#ifndef RIALTO_HPP
#define RIALTO_HPP

#if __cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "rialto.hpp needs C++17: -std=c++17"
#endif

#include "rialto/array.hpp"
#include "rialto/barrier.hpp"
#include "rialto/bytes.hpp"
#include "rialto/dict.hpp"
#include "rialto/list.hpp"
#include "rialto/loans.hpp"
#include "rialto/lock.hpp"
#include "rialto/namespace.hpp"
#include "rialto/permits.hpp"
#include "rialto/pipe.hpp"
#include "rialto/pool.hpp"
#include "rialto/process.hpp"
#include "rialto/queue.hpp"
#include "rialto/region.hpp"
#include "rialto/spsc.hpp"
#include "rialto/status.hpp"
#include "rialto/sync.hpp"
#include "rialto/time.hpp"
#include "rialto/value.hpp"

#endif
