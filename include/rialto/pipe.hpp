/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Pipe (rialto_pipe_t), byte messages between two ends, and Connection (rialto_connection_t),
 * one of them, claimed for good. End of stream is something false whose status is closed(); a peer that is gone when
 * we send is an error, RIALTO_ECONNRESET. */
#ifndef RIALTO_PIPE_HPP
#define RIALTO_PIPE_HPP

#include "message.hpp"
#include "region.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

class Pipe;

/** Duplex; messages of up to 2^30 bytes. Change the fields, or what has a name here. */
struct PipeConfig : rialto_pipe_config_t {
    explicit PipeConfig(std::uint32_t with_ring_bytes) noexcept : rialto_pipe_config_t()
    {
        (void)rialto_pipe_config_default(with_ring_bytes, this);
    }

    /** End 0 receives and end 1 sends. */
    PipeConfig& one_way() { return flags &= ~std::uint32_t(RIALTO_PIPE_DUPLEX), *this; }
    PipeConfig& longest(std::uint32_t bytes) { return max_message_bytes = bytes, *this; }

    /** What the pipe takes in its region. */
    template <class On = usual>
    Gives<On, rialto_layout_t> layout(On = {}) const
    {
        return detail::ask<rialto_layout_t, On>(rialto_pipe_layout, this);
    }
};

/** One end of a pipe. Used by one thread at a time; not a forked child's to use or destroy. */
class Connection : public detail::Pinned<rialto_connection_t> {
public:
    /** Closes it. */
    ~Connection() { (void)close(nothrow); }

    template <class On = usual>
    Done<On> send(bytes_view message, On = {})
    {
        return On::finish(rialto_connection_send(&view_, message.data(), message.size()));
    }
    /** False: full. */
    template <class On = usual>
    Told<On> try_send(bytes_view message, On = {})
    {
        return On::tell(rialto_connection_try_send(&view_, message.data(), message.size()));
    }
    template <class On = usual>
    Told<On> send_for(bytes_view message, Timeout timeout, On = {})
    {
        return On::tell(rialto_connection_send_timeout(&view_, message.data(), message.size(), timeout.ns()));
    }
    /** The next message; the buffer is as large as next_len() says. while (Popped message = end.recv(buffer)) ... */
    template <class On = usual>
    Popped recv(bytes_span buffer, On = {})
    {
        std::size_t length = 0;
        const int status = rialto_connection_recv(&view_, buffer.data(), buffer.size(), &length);
        return Popped(On::pass(status, RIALTO_EPIPE), bytes_view(buffer.data(), length), 0, rialto_ticket_t{});
    }
    template <class On = usual>
    Popped try_recv(bytes_span buffer, On = {})
    {
        std::size_t length = 0;
        const int status = rialto_connection_try_recv(&view_, buffer.data(), buffer.size(), &length);
        return Popped(On::pass(status, RIALTO_EPIPE), bytes_view(buffer.data(), length), 0, rialto_ticket_t{});
    }
    template <class On = usual>
    Popped recv_for(bytes_span buffer, Timeout timeout, On = {})
    {
        std::size_t length = 0;
        const int status = rialto_connection_recv_timeout(&view_, buffer.data(), buffer.size(), timeout.ns(), &length);
        return Popped(On::pass(status, RIALTO_EPIPE), bytes_view(buffer.data(), length), 0, rialto_ticket_t{});
    }
    /** The length of the next message; false if it has not begun to arrive, or the stream has ended. */
    template <class On = usual>
    Result<std::size_t> next_len(On = {})
    {
        return detail::find<std::size_t, On>(RIALTO_EPIPE, rialto_connection_next_len, &view_);
    }
    /** Waits until a receive would bring something. */
    template <class On = usual>
    Gives<On, bool> poll(Timeout timeout, On = {})
    {
        return detail::ask<bool, On>(rialto_connection_poll, &view_, timeout.ns());
    }
    /** Of a message in chunks that recv_for ran out of time in: what is in the buffer. */
    template <class On = usual>
    Gives<On, std::size_t> received_bytes(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_connection_received_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> max_chunk_bytes(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_connection_max_chunk_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_peer_closed(On = {}) const
    {
        return detail::ask<bool, On>(rialto_connection_is_peer_closed, &view_);
    }

    /** For event loops: what is sent (received) here signals this eventfd. */
    template <class On = usual>
    Done<On> set_data_fd(int fd, On = {})
    {
        return On::finish(rialto_connection_set_data_fd(&view_, fd));
    }
    template <class On = usual>
    Done<On> set_space_fd(int fd, On = {})
    {
        return On::finish(rialto_connection_set_space_fd(&view_, fd));
    }
    /** True: try at once. False: poll, the next one is signalled. */
    template <class On = usual>
    Gives<On, bool> arm_data(On = {})
    {
        return detail::ask<bool, On>(rialto_connection_arm_data, &view_);
    }
    template <class On = usual>
    Gives<On, bool> arm_space(std::size_t bytes, On = {})
    {
        return detail::ask<bool, On>(rialto_connection_arm_space, &view_, bytes);
    }
    /** What the loop calls once per tick. */
    template <class On = usual>
    Gives<On, bool> recheck_data(On = {})
    {
        return detail::ask<bool, On>(rialto_connection_recheck_data, &view_);
    }
    template <class On = usual>
    Gives<On, bool> recheck_space(std::size_t bytes, On = {})
    {
        return detail::ask<bool, On>(rialto_connection_recheck_space, &view_, bytes);
    }
    std::chrono::nanoseconds tick() const noexcept { return detail::tick(rialto_connection_tick_ns, &view_); }

    /** For good. */
    template <class On = usual>
    Done<On> close(On = {})
    {
        const int status = *this ? rialto_connection_close(&view_) : RIALTO_EINVAL;
        ended();
        return On::finish(status);
    }

private:
    friend Pipe;
    using Pinned::Pinned;
};

/** Byte messages between two ends. */
class Pipe : public detail::View<rialto_pipe_t> {
public:
    Pipe() noexcept = default;

    template <class On = usual>
    static Pipe create(const Region& region, cstr name, const PipeConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_pipe_create(detail::handle(region), name, &config, out); });
    }
    template <class On = usual>
    static Pipe create_for(const Region& region, cstr name, const PipeConfig& config, Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_pipe_create_timeout(detail::handle(region), name, &config, timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Pipe open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_pipe_open(detail::handle(region), name, out); });
    }
    /** If it was created so. */
    template <class On = usual>
    static Pipe open_as(const Region& region, cstr name, const PipeConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_pipe_open_as(detail::handle(region), name, &config, out); });
    }
    template <class On = usual>
    static Pipe open_or_create(const Region& region, cstr name, const PipeConfig& config, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_pipe_open_or_create(detail::handle(region), name, &config, out);
        });
    }

    /** Claims end 0 or 1, for good; RIALTO_EUSERS if somebody has. */
    template <class On = usual>
    Connection connect(std::uint32_t end, On on = {}) const
    {
        return Connection(on, RIALTO_OK, [&](auto* out) { return rialto_pipe_connect(&view_, end, out); });
    }
    /** For a member that you made. */
    template <class On = usual>
    Connection connect_as(const Member& member, std::uint32_t end, On on = {}) const
    {
        return Connection(on, RIALTO_OK, [&](auto* out) {
            return rialto_pipe_connect_as(&view_, member.native_handle(), end, out);
        });
    }

    template <class On = usual>
    Gives<On, bool> is_duplex(On = {}) const
    {
        return detail::ask<bool, On>(rialto_pipe_is_duplex, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> ring_bytes(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_pipe_ring_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> max_message_bytes(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_pipe_max_message_bytes, &view_);
    }

private:
    using View::View;
    template <class On, class F>
    static Pipe make(On on, F function)
    {
        return Pipe(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
