/// What spsc and fanin have in common: roles, and records in their places.

#ifndef ATOLL_LANES_HPP
#define ATOLL_LANES_HPP

#include <cstddef>
#include <cstdint>

#include "places.hpp"
#include "ring.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// The base of a ring of lanes, as `ring` is of all.
///
/// Whoever first puts becomes a producer, and whoever first gets a consumer, with that object,
/// until it is destroyed or the role given up; one thread at a time may use it so. Where somebody
/// else that lives has the role, it throws status::not_owner. A process that dies gives up its own.
template <class Self, class T, class Calls>
class lanes : public ring<Self, T, Calls> {
    using base = typename lanes::ring;

public:
    using reservation = claimed<T, Calls>;
    using records = peeked<T, Calls>;
    using base::native_handle;

    /// Claims up to `n` free places side by side, to write records there: fewer where there is less
    /// room or the ring begins anew, none if it is full. It must not outlive this object.
    outcome<reservation> claim(std::size_t n) {
        void* first = nullptr;
        std::size_t there = 0;
        const auto some = unless(ATOLL_FULL, Calls::claim(native_handle(), n, &first, &there));
        return settle(lent<reservation>(some, static_cast<T*>(first), there));
    }

    /// Shows up to `n` records side by side: fewer where there are less or the ring begins anew,
    /// none if it is empty. It must not outlive this object.
    outcome<records> peek(std::size_t n) {
        const void* first = nullptr;
        std::size_t there = 0;
        const auto some = unless(ATOLL_EMPTY, Calls::peek(native_handle(), n, &first, &there));
        return settle(lent<records>(some, static_cast<const T*>(first), there));
    }

    /// Gives up a role that this object has, so that another one may take it.
    outcome<void> leave(ring_end end) {
        if constexpr (Calls::has_place) static_cast<Self*>(this)->place_of(end).forget();
        return settle(call(Calls::leave, native_handle(), static_cast<std::uint32_t>(end)));
    }

protected:
    using base::base;

private:
    template <class Places, class Element>
    result<Places> lent(const result<bool>& some, Element* first, std::size_t n) const {
        if (!some.has_value()) return some.error();
        if (!*some) return Places();
        return Places(native_handle(), first, n);
    }
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
