/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Spsc (rialto_spsc_t): a queue from one producer to one consumer. Producer (rialto_producer_t) and
 * Consumer (rialto_consumer_t) are its ends, which somebody else may claim when they go away. Closed is told as by a
 * Queue. */
#ifndef RIALTO_SPSC_HPP
#define RIALTO_SPSC_HPP

#include "ends.hpp"
#include "region.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

/** 5 attempts. Change the fields, or what has a name here. */
struct SpscConfig : rialto_spsc_config_t {
    SpscConfig(std::uint32_t with_slots, std::uint32_t with_max_message_bytes) noexcept : rialto_spsc_config_t()
    {
        (void)rialto_spsc_config_default(with_slots, with_max_message_bytes, this);
    }

    /** How often a message is redelivered before it is poisoned. */
    SpscConfig& attempts(std::uint32_t most) { return max_attempts = most, *this; }
    /** Messages whose holder died are gone, or poisoned at once. */
    SpscConfig& drop_on_death() { return on_death = RIALTO_ON_DEATH_DROP, *this; }
    SpscConfig& stop_on_death() { return on_death = RIALTO_ON_DEATH_STOP, *this; }

    /** What the queue takes in its region. */
    template <class On = usual>
    Gives<On, rialto_layout_t> layout(On = {}) const
    {
        return detail::ask<rialto_layout_t, On>(rialto_spsc_layout, this);
    }
};

/** A queue from one producer to one consumer. */
class Spsc : public detail::View<rialto_spsc_t> {
public:
    Spsc() noexcept = default;

    template <class On = usual>
    static Spsc create(const Region& region, cstr name, const SpscConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_spsc_create(detail::handle(region), name, &config, out); });
    }
    template <class On = usual>
    static Spsc create_for(const Region& region, cstr name, const SpscConfig& config, Timeout timeout, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_spsc_create_timeout(detail::handle(region), name, &config, timeout.ns(), out);
        });
    }
    template <class On = usual>
    static Spsc open(const Region& region, cstr name, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_spsc_open(detail::handle(region), name, out); });
    }
    /** If it was created so. */
    template <class On = usual>
    static Spsc open_as(const Region& region, cstr name, const SpscConfig& config, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_spsc_open_as(detail::handle(region), name, &config, out); });
    }
    template <class On = usual>
    static Spsc open_or_create(const Region& region, cstr name, const SpscConfig& config, On on = {})
    {
        return make(on, [&](auto* out) {
            return rialto_spsc_open_or_create(detail::handle(region), name, &config, out);
        });
    }
    /** The same, acting as a member that you made, which must outlive it. */
    template <class On = usual>
    Spsc as_member(const Member& member, On on = {}) const
    {
        return make(on, [&](auto* out) { return rialto_spsc_as_member(&view_, member.native_handle(), out); });
    }

    /** Claims an end; RIALTO_EUSERS if somebody alive has it. */
    template <class On = usual>
    Producer producer(On on = {}) const
    {
        return Producer(on, RIALTO_OK, [this](auto* out) { return rialto_spsc_producer(&view_, out); });
    }
    template <class On = usual>
    Consumer consumer(On on = {}) const
    {
        return Consumer(on, RIALTO_OK, [this](auto* out) { return rialto_spsc_consumer(&view_, out); });
    }
    /** Waits until it is free. False: the time is up. */
    template <class On = usual>
    Producer producer_for(Timeout timeout, On on = {}) const
    {
        return Producer(on, RIALTO_OK,
                        [&](auto* out) { return rialto_spsc_producer_timeout(&view_, timeout.ns(), out); });
    }
    template <class On = usual>
    Consumer consumer_for(Timeout timeout, On on = {}) const
    {
        return Consumer(on, RIALTO_OK,
                        [&](auto* out) { return rialto_spsc_consumer_timeout(&view_, timeout.ns(), out); });
    }

    template <class On = usual>
    Done<On> close(On = {}) const
    {
        return On::finish(rialto_spsc_close(&view_));
    }
    template <class On = usual>
    Gives<On, bool> is_closed(On = {}) const
    {
        return detail::ask<bool, On>(rialto_spsc_is_closed, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> len(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_spsc_len, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_empty(On = {}) const
    {
        return detail::ask<bool, On>(rialto_spsc_is_empty, &view_);
    }
    template <class On = usual>
    Gives<On, bool> is_full(On = {}) const
    {
        return detail::ask<bool, On>(rialto_spsc_is_full, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> capacity(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_spsc_capacity, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> max_message_bytes(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_spsc_max_message_bytes, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint64_t> dropped(On = {}) const
    {
        return detail::ask<std::uint64_t, On>(rialto_spsc_dropped, &view_);
    }
    /** For event loops: ends claimed through this view from now on, and closing, signal this eventfd. */
    template <class On = usual>
    Done<On> set_data_fd(int fd, On = {})
    {
        return On::finish(rialto_spsc_set_data_fd(&view_, fd));
    }
    template <class On = usual>
    Done<On> set_space_fd(int fd, On = {})
    {
        return On::finish(rialto_spsc_set_space_fd(&view_, fd));
    }
    std::chrono::nanoseconds tick() const noexcept { return detail::tick(rialto_spsc_tick_ns, &view_); }

private:
    using View::View;
    template <class On, class F>
    static Spsc make(On on, F function)
    {
        return Spsc(on, RIALTO_OK, function);
    }
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
