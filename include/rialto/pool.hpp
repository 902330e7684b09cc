/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Pool (rialto_pool_t): workers that divide tasks; and the workers' side: pool_work, Output.
 *
 * A function of a worker that throws fails its task: RIALTO_TASK_FAILED, RIALTO_EXIT_PANICKED for the code, and what()
 * for the result; or RIALTO_TASK_TOO_LARGE, if it had written too much. A Pool that goes away is terminated, and its
 * objects are removed from the region. */
#ifndef RIALTO_POOL_HPP
#define RIALTO_POOL_HPP

#include "process.hpp"
#include "region.hpp"

#include <functional>
#include <new>
#include <vector>

namespace rialto {
inline namespace RIALTO_FORM {

/** Where a worker's function writes its result. */
class Output {
public:
    explicit Output(rialto_output_t* output) noexcept : output_(output) {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    /** Appends. RIALTO_EMSGSIZE: too long, the task is RIALTO_TASK_TOO_LARGE, unless you clear(). */
    template <class On = usual>
    Done<On> write(bytes_view bytes, On = {})
    {
        const int status = rialto_output_write(output_, bytes.data(), bytes.size());
        is_too_long_ = is_too_long_ || status == RIALTO_EMSGSIZE;
        return On::finish(status);
    }
    /** Forgets what was written. */
    void clear() noexcept
    {
        (void)rialto_output_clear(output_);
        is_too_long_ = false;
    }
    /** Whether more was written than there is room for. */
    bool is_too_long() const noexcept { return is_too_long_; }

private:
    rialto_output_t* output_;
    bool is_too_long_ = false;
};

namespace detail {

template <auto Function>
int call_function(const void* task, std::size_t bytes, rialto_output_t* output, void*) noexcept
{
    Output result(output);
#ifndef RIALTO_NO_EXCEPTIONS
    // As much of it as there is room for. A result that is too long says how long, whatever write() threw then.
    const auto fail = [&](const char* what) {
        if (result.is_too_long())
            return RIALTO_EXIT_PANICKED;
        for (std::size_t length = std::strlen(what);; length /= 2) {
            result.clear();
            if (result.write(bytes_view(what, length), nothrow))
                return RIALTO_EXIT_PANICKED;
        }
    };
    try {
#endif
        if constexpr (std::is_void_v<decltype(Function(bytes_view(task, bytes), result))>) {
            Function(bytes_view(task, bytes), result);
            return 0;
        } else {
            return static_cast<int>(Function(bytes_view(task, bytes), result));
        }
#ifndef RIALTO_NO_EXCEPTIONS
    } catch (const std::exception& thrown) {
        return fail(thrown.what());
    } catch (...) {
        return fail("an exception");
    }
#endif
}

} // namespace detail

/** One of pool_work's: function<length>("length"), where length is int(bytes_view task, rialto::Output& result) and
 * returns 0, or another number if it fails; or returns nothing. */
template <auto Function>
constexpr rialto_function_t function(const char* name) noexcept
{
    return rialto_function_t{name, detail::call_function<Function>, nullptr};
}

/** In a worker's entry: does the pool's tasks, until it wants no more of this worker. */
template <std::size_t N, class On = usual>
Done<On> pool_work(const Child& child, const Region& region, const rialto_function_t (&functions)[N], On = {})
{
    const bytes_view args = child.args();
    return On::finish(rialto_pool_work(args.data(), args.size(), detail::handle(region), functions, N));
}

/** 16 tasks under way for each worker, of up to 4096 bytes, results too. Change the fields, or what has a name here. */
struct PoolConfig : rialto_pool_config_t {
    explicit PoolConfig(std::uint32_t with_workers) noexcept : rialto_pool_config_t()
    {
        (void)rialto_pool_config_default(with_workers, this);
    }

    /** How long a task may take. */
    PoolConfig& timeout(Timeout most) { return timeout_ns = most.ns(), *this; }
    /** A function that each worker calls first, and what that gets. Both must stay until the pool is created. */
    PoolConfig& with_initializer(cstr its_name, bytes_view bytes = {})
    {
        return initializer = its_name, argument = bytes.data(), argument_bytes = bytes.size(), *this;
    }
    /** What it takes in its region, at most. */
    template <class On = usual>
    Gives<On, std::uint64_t> bytes(On = {}) const
    {
        return detail::ask<std::uint64_t, On>(rialto_pool_bytes, this);
    }
};

/** A worker that is to be started: what a pool's `start` gets. */
class Hire {
public:
    Hire(bytes_view args, rialto_process_t* place) noexcept : args_(args), place_(place) {}

    /** What rialto_pool_work wants to be told. */
    bytes_view args() const noexcept { return args_; }
    /** As Process::start, with these args. */
    Status start(cstr entry, ProcessConfig config = {}) const noexcept
    {
        config.with_args(args_);
        return rialto_process_start(entry, &config, place_);
    }
    /** As Process::fork, with these args. */
    template <class F>
    Status fork(F&& function, ProcessConfig config = {}) const
    {
        config.with_args(args_);
        std::decay_t<F> kept(std::forward<F>(function)); // the child has a copy of this stack
        return rialto_process_fork(detail::call_child<std::decay_t<F>>, &kept, &config, place_);
    }

private:
    bytes_view args_;
    rialto_process_t* place_;
};

/** How a task went. False: not now, or there is none. */
class [[nodiscard]] Report : public Status {
public:
    Report(Status status, const rialto_report_t& report) noexcept : Status(status), report_(report) {}

    /** Whether the function was called and returned 0. */
    bool done() const noexcept { return bool(*this) && report_.outcome == RIALTO_TASK_DONE; }
    /** RIALTO_TASK_DONE, RIALTO_TASK_FAILED ... */
    std::uint32_t outcome() const noexcept { return report_.outcome; }
    /** What the function has written: the result, or what went wrong. In the pool's memory until its next call. */
    bytes_view result() const noexcept
    {
        return report_.result == nullptr ? bytes_view() : bytes_view(report_.result, report_.result_bytes);
    }
    std::string_view text() const noexcept { return result().text(); }
    /** What a function that failed has returned. */
    std::int32_t code() const noexcept { return report_.code; }
    /** How many workers had it in hand before, and died. */
    std::uint32_t attempt() const noexcept { return report_.attempt; }
    /** Which task; of a map, which item. */
    std::uint64_t task() const noexcept { return report_.task; }
    const rialto_report_t& native() const noexcept { return report_; }

private:
    rialto_report_t report_;
};

namespace detail {

/** What starts a pool's workers: it is there before the pool, and after it. */
class Starts {
protected:
    explicit Starts(std::function<Status(const Hire&)> start) : start_(std::move(start)) {}

    static int call(const void* args, std::size_t bytes, rialto_process_t* process, void* self) noexcept
    {
#ifndef RIALTO_NO_EXCEPTIONS
        try {
#endif
            const Status status = static_cast<Starts*>(self)->start_(Hire(bytes_view(args, bytes), process));
            return status.code();
#ifndef RIALTO_NO_EXCEPTIONS
        } catch (const error& thrown) {
            return thrown.status().code();
        } catch (const std::bad_alloc&) {
            return RIALTO_ENOMEM;
        } catch (...) {
            return RIALTO_EINVAL;
        }
#endif
    }

private:
    std::function<Status(const Hire&)> start_;
};

} // namespace detail

/** Workers that divide tasks, as their parent sees them. One thread at a time. */
class Pool : detail::Starts, public detail::Pinned<rialto_pool_t> {
public:
    ~Pool()
    {
        if (*this)
            (void)rialto_pool_end(&view_);
    }

    /** `start` is Status(const Hire& hire), and returns what hire.start or hire.fork returned; a rialto::error out of
     * it is its status. Called now, and in what waits or submits when a worker has to be replaced. */
    template <class F, class On = usual>
    static Pool create(const Region& region, cstr name, const PoolConfig& config, F start, On on = {})
    {
        return Pool(on, std::function<Status(const Hire&)>(std::move(start)), region, name, config);
    }

    /** Gives the workers a task: its number. False: as many are under way as there may be. */
    template <class On = usual>
    Result<std::uint64_t> submit(cstr function, bytes_view task, On = {})
    {
        return detail::find<std::uint64_t, On>(RIALTO_OK, rialto_pool_submit, &view_, function, task.data(),
                                               task.size());
    }
    /** Waits for that task's end. */
    template <class On = usual>
    Report wait(std::uint64_t task, On = {})
    {
        return wait_for(task, Timeout::forever(), On());
    }
    template <class On = usual>
    Report wait_for(std::uint64_t task, Timeout timeout, On = {})
    {
        return report<On>(RIALTO_OK, rialto_pool_wait, task, timeout.ns());
    }
    /** Waits for any task's end. False, RIALTO_ENOENT: none is under way. */
    template <class On = usual>
    Report next(On = {})
    {
        return next_for(Timeout::forever(), On());
    }
    template <class On = usual>
    Report next_for(Timeout timeout, On = {})
    {
        return report<On>(RIALTO_ENOENT, rialto_pool_next, timeout.ns());
    }
    /** Submits a task and waits for it. */
    template <class On = usual>
    Report apply(cstr function, bytes_view task, On = {})
    {
        return apply_for(function, task, Timeout::forever(), On());
    }
    template <class On = usual>
    Report apply_for(cstr function, bytes_view task, Timeout timeout, On = {})
    {
        return report<On>(RIALTO_OK, rialto_pool_apply, function, task.data(), task.size(), timeout.ns());
    }
    /** Calls a function for each item (message("a") and the like), `chunk` of them in a task, and `each` with each
     * report, in the items' order. That does not use the pool (RIALTO_EDEADLK); what it throws comes out of this when
     * all is done. */
    template <class F, class On = usual>
    Done<On> map(cstr function, slice<const rialto_message_t> items, std::size_t chunk, F each, On = {})
    {
        return map_as<On>(function, items, chunk, true, each);
    }
    /** As tasks end. */
    template <class F, class On = usual>
    Done<On> map_unordered(cstr function, slice<const rialto_message_t> items, std::size_t chunk, F each, On = {})
    {
        return map_as<On>(function, items, chunk, false, each);
    }
    /** Takes a task back; false: it had ended. */
    template <class On = usual>
    Gives<On, bool> cancel(std::uint64_t task, On = {})
    {
        return detail::ask<bool, On>(rialto_pool_cancel, &view_, task);
    }

    /** No more tasks. */
    template <class On = usual>
    Done<On> close(On = {})
    {
        return On::finish(rialto_pool_close(&view_));
    }
    /** Waits until all tasks and workers have ended. */
    template <class On = usual>
    Done<On> join(On = {})
    {
        return On::finish(rialto_pool_join(&view_, RIALTO_WAIT_FOREVER));
    }
    template <class On = usual>
    Told<On> join_for(Timeout timeout, On = {})
    {
        return On::tell(rialto_pool_join(&view_, timeout.ns()));
    }
    /** Kills all workers; what had not ended is RIALTO_TASK_CANCELLED. */
    template <class On = usual>
    Done<On> terminate(On = {})
    {
        return On::finish(rialto_pool_terminate(&view_));
    }
    /** Replaces workers that have ended: for who seldom waits. */
    template <class On = usual>
    Done<On> tend(On = {})
    {
        return On::finish(rialto_pool_tend(&view_));
    }
    /** Terminates it, and removes its objects. */
    template <class On = usual>
    Done<On> end(On = {})
    {
        const int status = rialto_pool_end(&view_);
        if (status != RIALTO_EPERM && status != RIALTO_EDEADLK)
            ended();
        return On::finish(status);
    }

    /** How far a pool is, for any process that is attached. */
    template <class On = usual>
    static Gives<On, rialto_progress_t> progress(const Region& region, cstr name, On = {})
    {
        return detail::ask<rialto_progress_t, On>(rialto_pool_progress, detail::handle(region),
                                                  static_cast<const char*>(name));
    }

private:
    template <class On>
    Pool(On on, std::function<Status(const Hire&)> start, const Region& region, cstr name, const PoolConfig& config)
        : Starts(std::move(start)), Pinned(on, RIALTO_OK, [&](auto* out) {
              return rialto_pool_create(detail::handle(region), name, &config, Starts::call,
                                        static_cast<Starts*>(this), out);
          })
    {
        (void)On::finish(status_.code()); // RIALTO_EAGAIN, of what starts processes, is an error
    }

    template <class On, class F, class... A>
    Report report(int also, F function, A... arguments)
    {
        rialto_report_t report{};
        const int status = function(&view_, arguments..., &report);
        return Report(On::pass(status, also), report);
    }

    template <class F>
    static void call_each(const rialto_report_t* report, void* callback) noexcept
    {
        (void)static_cast<detail::Callback<F>*>(callback)->call(0, report);
    }

    template <class On, class F>
    Done<On> map_as(cstr function, slice<const rialto_message_t> items, std::size_t chunk, bool is_ordered, F& each)
    {
        auto one = [&](const rialto_report_t* report) {
            each(Report(RIALTO_OK, *report));
            return 0;
        };
        detail::Callback<decltype(one)> callback(one);
        const int status = rialto_pool_map(&view_, function, items.data(), items.size(), chunk, is_ordered,
                                           call_each<decltype(one)>, &callback);
        callback.rethrow();
        return On::finish(status);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
