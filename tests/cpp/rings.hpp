// Tests that are the same for rings of all kinds, or for those with lanes: templates of the ring.

#ifndef RINGS_HPP
#define RINGS_HPP

#include <cstdint>
#include <type_traits>

#include "check.hpp"

using ring_end = atoll::ring_end;

// Room for so many records, in the only lane where there are any.
template <template <class> class Ring>
static constexpr atoll::ring_options room_for(std::uint64_t capacity) {
    return {capacity, std::is_same_v<Ring<int>, atoll::fanin<int>>};
}

#define LANES(test) \
    RUN(test<atoll::spsc>); \
    RUN(test<atoll::fanin>)
#define EACH(test) \
    LANES(test); \
    RUN(test<atoll::mpmc>)

#endif
