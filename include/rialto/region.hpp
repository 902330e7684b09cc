/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: Region (rialto_region_t), what is in it, and Member (rialto_member_t).
 *
 * The Region must outlive all that was made from it. Its destructor detaches; where C refuses that, because this
 * process still has something of it in hand (a lock, a message, a permit, an end, or another thread is a member:
 * RIALTO_EBUSY), the memory just stays mapped until the process ends. detach() tells. */
#ifndef RIALTO_REGION_HPP
#define RIALTO_REGION_HPP

#include "lock.hpp"
#include "view.hpp"

namespace rialto {
inline namespace RIALTO_FORM {

class Region;

/** 64 members, 32 objects, a tick of 100 ms; change what you like. */
struct RegionConfig : rialto_region_config_t {
    RegionConfig() noexcept : rialto_region_config_t() { (void)rialto_region_config_default(this); }
    /** What the header and tables take. */
    template <class On = usual>
    Gives<On, rialto_layout_t> layout(On = {}) const
    {
        return detail::ask<rialto_layout_t, On>(rialto_region_layout, this);
    }
};

/** A membership that you made, of the thread that did: for pools, where the thread that acts is not the one whose
 * death should count. Queues, semaphores, barriers and SPSC queues act as it by as_member, pipes by connect. */
class Member : public detail::Pinned<rialto_member_t> {
public:
    /** Leaves, if this thread joined and nothing is in hand. */
    ~Member()
    {
        if (*this)
            (void)rialto_member_leave(&view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> id(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_member_id, &view_);
    }
    template <class On = usual>
    Done<On> leave(On = {})
    {
        const int status = rialto_member_leave(&view_);
        if (status >= 0)
            ended();
        return On::finish(status);
    }

private:
    friend Region;
    using Pinned::Pinned;
};

/** Memory that several processes see. */
class Region : public detail::Pinned<rialto_region_t> {
public:
    ~Region()
    {
        if (*this)
            (void)rialto_region_detach(&view_);
    }

    /** In memory that you have mapped: the first party, and the others. */
    template <class On = usual>
    static Region init(void* memory, std::size_t bytes, const RegionConfig& config = {}, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_init(out, memory, bytes, &config); });
    }
    template <class On = usual>
    static Region attach(void* memory, std::size_t bytes, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_attach(out, memory, bytes); });
    }
    /** For the children that are forked from now on. */
    template <class On = usual>
    static Region create_anonymous(std::size_t bytes, const RegionConfig& config = {}, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_create_anonymous(out, bytes, &config); });
    }
    /** In a memfd: pass fd() on. */
    template <class On = usual>
    static Region create_memfd(std::size_t bytes, const RegionConfig& config = {}, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_create_memfd(out, bytes, &config); });
    }
    /** In a file, which stays yours. */
    template <class On = usual>
    static Region attach_fd(int fd, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_attach_fd(out, fd); });
    }
    /** Under a name in /dev/shm, until unlink_named. */
    template <class On = usual>
    static Region create_named(cstr name, std::size_t bytes, const RegionConfig& config = {}, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_create_named(out, name, bytes, &config); });
    }
    template <class On = usual>
    static Region attach_named(cstr name, On on = {})
    {
        return make(on, [&](auto* out) { return rialto_region_attach_named(out, name); });
    }
    template <class On = usual>
    static Done<On> unlink_named(cstr name, On = {})
    {
        return On::finish(rialto_region_unlink_named(name));
    }

    /** The descriptor of one that this view created as a memfd or under a name. */
    template <class On = usual>
    Gives<On, int> fd(On = {}) const
    {
        return detail::ask<int, On>(rialto_region_fd, &view_);
    }
    template <class On = usual>
    Gives<On, void*> base(On = {}) const
    {
        return detail::ask<void*, On>(rialto_region_base, &view_);
    }
    template <class On = usual>
    Gives<On, std::size_t> size(On = {}) const
    {
        return detail::ask<std::size_t, On>(rialto_region_size, &view_);
    }
    template <class On = usual>
    Gives<On, std::uint32_t> member_count(On = {}) const
    {
        return detail::ask<std::uint32_t, On>(rialto_region_member_count, &view_);
    }
    template <class On = usual>
    Gives<On, rialto_space_t> space(On = {}) const
    {
        return detail::ask<rialto_space_t, On>(rialto_region_space, &view_);
    }
    /** Gives back what the dead had in hand, for programs that never wait. */
    template <class On = usual>
    Gives<On, rialto_recovered_t> recover(std::uint32_t depth = RIALTO_RECOVER_THOROUGH, On = {}) const
    {
        return detail::ask<rialto_recovered_t, On>(rialto_region_recover, &view_, depth);
    }

    /** A membership besides the one that each thread gets on first use. */
    template <class On = usual>
    Member join(On on = {}) const
    {
        return Member(on, RIALTO_OK, [this](auto* out) { return rialto_region_join(&view_, out); });
    }
    /** Ends this thread's own membership. */
    template <class On = usual>
    Done<On> leave(On = {}) const
    {
        return On::finish(rialto_region_leave(&view_));
    }
    template <class On = usual>
    Done<On> detach(On = {})
    {
        const int status = rialto_region_detach(&view_);
        if (status >= 0)
            ended();
        return On::finish(status);
    }

    /** Removes the object of that name, which nobody else uses. */
    template <class On = usual>
    Done<On> remove(cstr name, On = {}) const
    {
        return On::finish(rialto_region_remove(&view_, name));
    }
    template <class On = usual>
    Told<On> remove_for(cstr name, Timeout timeout, On = {}) const
    {
        return On::tell(rialto_region_remove_timeout(&view_, name, timeout.ns()));
    }

    /** The objects: for (const rialto_object_info_t& info : region.objects()) */
    class Objects {
    public:
        struct End {};
        class Iterator {
        public:
            explicit Iterator(const rialto_region_t* region) noexcept : region_(region) { ++*this; }
            const rialto_object_info_t& operator*() const noexcept { return info_; }
            const rialto_object_info_t* operator->() const noexcept { return &info_; }
            Iterator& operator++() noexcept
            {
                is_there_ = rialto_region_next_object(region_, &cursor_, &info_) >= 0;
                return *this;
            }
            bool operator!=(End) const noexcept { return is_there_; }

        private:
            const rialto_region_t* region_;
            std::uint32_t cursor_ = 0;
            bool is_there_ = false;
            rialto_object_info_t info_{};
        };
        explicit Objects(const rialto_region_t* region) noexcept : region_(region) {}
        Iterator begin() const noexcept { return Iterator(region_); }
        End end() const noexcept { return {}; }

    private:
        const rialto_region_t* region_;
    };
    Objects objects() const noexcept { return Objects(&view_); }

private:
    using Pinned::Pinned;
    template <class On, class F>
    static Region make(On on, F function)
    {
        return Region(on, RIALTO_OK, function);
    }
};

namespace detail {

inline const rialto_region_t* handle(const Region& region) noexcept { return region.native_handle(); }

} // namespace detail
} // namespace RIALTO_FORM
} // namespace rialto

#endif
