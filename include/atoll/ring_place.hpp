/// The short way of one end of a ring: push or pop in the caller's own code. Nothing here is meant
/// for users.

#ifndef ATOLL_RING_PLACE_HPP
#define ATOLL_RING_PLACE_HPP

#include <cstdint>
#include <utility>

#include "handle.hpp"
#include "inline.h"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Where one end of a ring is, once its role is known to be ours. On a line of its own: each end is
/// another thread's.
class alignas(64) ring_place {
public:
    ring_place() = default;
    ring_place(ring_place&& from) noexcept { *this = std::move(from); }
    ring_place& operator=(ring_place&& from) noexcept {
        place_ = std::exchange(from.place_, atoll_ring_place{});
        has_none_ = std::exchange(from.has_none_, false);
        return *this;
    }
    ~ring_place() = default;

    /// In the words of inline.h.
    atoll_ring_place* get() noexcept { return &place_; }

    /// Asks for it after a call that shows that the role is ours. Once there is none, there never
    /// is.
    template <class Call, class T>
    void find(Call function, const T* handle, std::uint32_t end) noexcept {
        if (has_none_ || atoll_place_has_role(&place_)) return;
        has_none_ = function(handle, end, ATOLL_PLACE_CONTRACT, &place_) != ATOLL_OK ||
                    place_.counter == nullptr;
    }

    /// The role is given up.
    void forget() noexcept { *this = ring_place(); }

private:
    atoll_ring_place place_{};
    bool has_none_ = false;
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
