/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Part of rialto.hpp: what List, Dict and Namespace copy to you, one at a time or many of one moment. */
#ifndef RIALTO_COPIES_HPP
#define RIALTO_COPIES_HPP

#include "bytes.hpp"

namespace rialto {
inline namespace RIALTO_FORM {
namespace detail {

/** What `function` copies into the buffer; RIALTO_ENOENT is an outcome. */
template <class On, class F, class... A>
Result<bytes_view> copied(bytes_span buffer, F function, A... arguments)
{
    std::size_t length = 0;
    const int status = function(arguments..., buffer.data(), buffer.size(), &length);
    return Result<bytes_view>(On::pass(status, RIALTO_ENOENT), bytes_view(buffer.data(), length));
}

} // namespace detail

/** Goes through what copy_range, copy_keys and copy_names have copied, one behind the other:
 * for (bytes_view item : Copies(buffer, lengths, count)) ... */
class Copies {
public:
    class Iterator {
    public:
        Iterator(const std::byte* at, const std::uint32_t* length) noexcept : at_(at), length_(length) {}
        bytes_view operator*() const noexcept { return bytes_view(at_, *length_); }
        Iterator& operator++() noexcept { return at_ += *length_++, *this; }
        bool operator!=(const Iterator& other) const noexcept { return length_ != other.length_; }

    private:
        const std::byte* at_;
        const std::uint32_t* length_;
    };

    Copies(bytes_view buffer, slice<const std::uint32_t> lengths, std::size_t count) noexcept
        : buffer_(buffer), lengths_(lengths.data(), count < lengths.size() ? count : lengths.size())
    {
    }
    Iterator begin() const noexcept { return Iterator(buffer_.begin(), lengths_.begin()); }
    Iterator end() const noexcept { return Iterator(nullptr, lengths_.end()); }

private:
    bytes_view buffer_;
    slice<const std::uint32_t> lengths_;
};

} // namespace RIALTO_FORM
} // namespace rialto

#endif
