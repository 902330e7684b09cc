/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Process (rialto_process_t), ForkServer (rialto_forkserver_t), and what a child knows: Child, Parent,
 * current_process.
 *
 * An entry is a function of yours with a name, which main() lists in process_main before anything else. What it throws
 * does not leave it: its what() goes to standard error, and the exit code is RIALTO_EXIT_PANICKED.
 * A Process that goes away waits for the child's end; a daemon is killed first. In a forked child it does nothing. */
#ifndef RIALTO_PROCESS_HPP
#define RIALTO_PROCESS_HPP

#include "view.hpp"

#include <cstdio>

namespace rialto {
inline namespace RIALTO_FORM {

/** What an entry gets. Points to what lives until the entry returns. */
class Child {
public:
    explicit Child(const rialto_child_t& child) noexcept : child_(&child) {}

    std::string_view entry() const noexcept { return child_->entry; }
    std::string_view name() const noexcept { return child_->name; }
    bytes_view args() const noexcept { return bytes_view(child_->args, child_->args_bytes); }
    /** The passed descriptors, in the parent's order. */
    slice<const int> fds() const noexcept { return slice<const int>(child_->fds, child_->fd_count); }
    bool is_daemon() const noexcept { return (child_->flags & RIALTO_PROCESS_DAEMON) != 0; }

private:
    const rialto_child_t* child_;
};

namespace detail {

/** An exit code: what `function` returns; 0 if that is nothing. */
template <class F>
int run_child(F& function, const rialto_child_t* child) noexcept
{
#ifndef RIALTO_NO_EXCEPTIONS
    try {
#endif
        if constexpr (std::is_void_v<std::invoke_result_t<F&, const Child&>>) {
            function(Child(*child));
            return 0;
        } else {
            return static_cast<int>(function(Child(*child)));
        }
#ifndef RIALTO_NO_EXCEPTIONS
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "rialto: %s threw: %s\n", child->name, thrown.what());
    } catch (...) {
        std::fprintf(stderr, "rialto: %s threw\n", child->name);
    }
    return RIALTO_EXIT_PANICKED;
#endif
}

template <class F>
int call_child(const rialto_child_t* child, void* function) noexcept
{
    return run_child(*static_cast<F*>(function), child);
}

template <auto Function>
int call_entry(const rialto_child_t* child, void*) noexcept
{
    auto function = Function;
    return run_child(function, child);
}

} // namespace detail

/** One of process_main's: entry<count>("count"), where count is int(const rialto::Child&), or returns nothing. */
template <auto Function>
constexpr rialto_entry_t entry(const char* name) noexcept
{
    return rialto_entry_t{name, detail::call_entry<Function>, nullptr};
}

/** First of all in main(): a process that was started to run one of the entries does, and does not return. The table
 * must stay for ever. */
template <std::size_t N, class On = usual>
Done<On> process_main(const rialto_entry_t (&entries)[N], On = {})
{
    return On::finish(rialto_process_main(entries, N));
}
/** Of a program that only starts others. */
template <class On = usual>
Done<On> process_main(On = {})
{
    return On::finish(rialto_process_main(nullptr, 0));
}

/** A process that forks others. It ends with the process that started it, and when it goes away: then its children run
 * on, and nobody learns their exit codes. */
class ForkServer : public detail::Pinned<rialto_forkserver_t> {
public:
    ~ForkServer()
    {
        if (*this)
            (void)rialto_forkserver_kill(&view_);
    }

    /** Of this program, or of one whose main() begins as it must. `argv` ends with a null pointer. */
    template <class On = usual>
    static ForkServer start(On on = {})
    {
        return start(nullptr, nullptr, on);
    }
    template <class On = usual>
    static ForkServer start(const char* program, const char* const* argv = nullptr, On on = {})
    {
        return ForkServer(on, [&](auto* out) { return rialto_forkserver_start(program, argv, out); });
    }

    template <class On = usual>
    Gives<On, std::int32_t> pid(On = {}) const
    {
        return detail::ask<std::int32_t, On>(rialto_forkserver_pid, &view_);
    }
    /** RIALTO_EBUSY while children of it run. */
    template <class On = usual>
    Done<On> stop(On = {})
    {
        return On::finish(settle(rialto_forkserver_stop(&view_)));
    }
    template <class On = usual>
    Done<On> kill(On = {})
    {
        return On::finish(settle(rialto_forkserver_kill(&view_)));
    }

private:
    template <class On, class F>
    ForkServer(On on, F make) : Pinned(on, RIALTO_OK, make)
    {
        (void)On::finish(status_.code()); // as of a Process
    }
    int settle(int status) noexcept
    {
        if (status >= 0)
            ended();
        return status;
    }
};

/** Spawn, of this program. What it points to must stay until the process was started. */
struct ProcessConfig : rialto_process_config_t {
    ProcessConfig() noexcept : rialto_process_config_t() { (void)rialto_process_config_default(this); }

    ProcessConfig& with_name(cstr its_name) { return name = its_name, *this; }
    ProcessConfig& with_args(bytes_view bytes) { return args = bytes.data(), args_bytes = bytes.size(), *this; }
    ProcessConfig& with_fds(slice<const int> passed)
    {
        return fds = passed.data(), fd_count = static_cast<std::uint32_t>(passed.size()), *this;
    }
    /** Temporaries would be gone too early. */
    ProcessConfig& with_fds(std::initializer_list<int>) = delete;
    ProcessConfig& with_fd(const int& passed) { return with_fds(slice<const int>(&passed, 1)); }
    ProcessConfig& with_fd(const int&&) = delete;
    /** Killed when this process ends. */
    ProcessConfig& daemon() { return flags |= RIALTO_PROCESS_DAEMON, *this; }
    /** A forked child keeps no other descriptors than those. */
    ProcessConfig& only_fds() { return flags |= RIALTO_PROCESS_ONLY_FDS, *this; }
    /** Another program; `its_argv` ends with a null pointer. */
    ProcessConfig& spawn(cstr file, const char* const* its_argv = nullptr)
    {
        return method = RIALTO_PROCESS_SPAWN, program = file, argv = its_argv, *this;
    }
    ProcessConfig& fork() { return method = RIALTO_PROCESS_FORK, *this; }
    ProcessConfig& by(const ForkServer& its_server)
    {
        return method = RIALTO_PROCESS_FORKSERVER, server = its_server.native_handle(), *this;
    }
};

/** A child. */
class Process : public detail::Pinned<rialto_process_t> {
public:
    ~Process()
    {
        if (!*this)
            return;
        if (is_daemon_)
            (void)rialto_process_kill(&view_);
        (void)rialto_process_join(&view_, nullptr);
        (void)rialto_process_close(&view_);
    }

    /** One that runs the entry of that name. */
    template <class On = usual>
    static Process start(cstr entry, const ProcessConfig& config = {}, On on = {})
    {
        return Process(on, config, [&](auto* out) { return rialto_process_start(entry, &config, out); });
    }
    /** A forked one that runs `function`, as an entry; with a copy of all that this process has. */
    template <class F, class On = usual>
    static Process fork(F&& function, const ProcessConfig& config = {}, On on = {})
    {
        std::decay_t<F> kept(std::forward<F>(function)); // the child has a copy of this stack
        return Process(on, config, [&](auto* out) {
            return rialto_process_fork(detail::call_child<std::decay_t<F>>, &kept, &config, out);
        });
    }

    /** Waits for its end, and gives the exit code: negative, the signal that killed it; RIALTO_EXIT_UNKNOWN. */
    template <class On = usual>
    Gives<On, std::int32_t> join(On = {})
    {
        return detail::ask<std::int32_t, On>(rialto_process_join, &view_);
    }
    /** False: the time is up. */
    template <class On = usual>
    Result<std::int32_t> join_for(Timeout timeout, On = {})
    {
        return detail::find<std::int32_t, On>(RIALTO_OK, rialto_process_join_timeout, &view_, timeout.ns());
    }
    /** False: it runs. */
    template <class On = usual>
    Result<std::int32_t> exit_code(On = {})
    {
        return detail::find<std::int32_t, On>(RIALTO_OK, rialto_process_exit_code, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_alive(On = {})
    {
        return detail::ask<bool, On>(rialto_process_is_alive, &view_);
    }
    template <class On = usual>
    Done<On> terminate(On = {}) const
    {
        return On::finish(rialto_process_terminate(&view_));
    }
    template <class On = usual>
    Done<On> kill(On = {}) const
    {
        return On::finish(rialto_process_kill(&view_));
    }
    template <class On = usual>
    Done<On> signal(int number, On = {}) const
    {
        return On::finish(rialto_process_signal(&view_, number));
    }
    template <class On = usual>
    Gives<On, std::int32_t> pid(On = {}) const
    {
        return detail::ask<std::int32_t, On>(rialto_process_pid, &view_);
    }
    /** A descriptor to poll: readable when it has ended. */
    template <class On = usual>
    Gives<On, int> sentinel(On = {}) const
    {
        return detail::ask<int, On>(rialto_process_sentinel, &view_);
    }
    /** RIALTO_EBUSY while it runs. */
    template <class On = usual>
    Done<On> close(On = {})
    {
        const int status = rialto_process_close(&view_);
        if (status >= 0)
            ended();
        return On::finish(status);
    }

private:
    template <class On, class F>
    Process(On on, const ProcessConfig& config, F make)
        : Pinned(on, RIALTO_OK, make), is_daemon_((config.flags & RIALTO_PROCESS_DAEMON) != 0)
    {
        (void)On::finish(status_.code()); // RIALTO_EAGAIN, too many processes, is an error
    }

    bool is_daemon_;
};

/** The calling process: its name ("MainProcess" where nobody gave one), pid, flags. */
inline rialto_current_t current_process() noexcept
{
    rialto_current_t current{};
    (void)rialto_process_current(&current);
    return current;
}

/** Who started this process; RIALTO_ENOENT if it was not started by Rialto. */
struct Parent {
    template <class On = usual>
    static Gives<On, std::int32_t> pid(On = {})
    {
        return detail::ask<std::int32_t, On>(rialto_parent_pid);
    }
    template <class On = usual>
    static Gives<On, bool> is_alive(On = {})
    {
        return detail::ask<bool, On>(rialto_parent_is_alive);
    }
    /** Waits for its end. */
    template <class On = usual>
    static Done<On> join(On = {})
    {
        return On::finish(rialto_parent_join());
    }
    template <class On = usual>
    static Told<On> join_for(Timeout timeout, On = {})
    {
        return On::tell(rialto_parent_join_timeout(timeout.ns()));
    }
    /** A descriptor to poll: it hangs up. */
    template <class On = usual>
    static Gives<On, int> sentinel(On = {})
    {
        return detail::ask<int, On>(rialto_parent_sentinel);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
