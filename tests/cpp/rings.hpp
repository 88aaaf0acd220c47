// For the tests of rings. They are the same for rings of all kinds, or for those with lanes:
// templates of the ring.

#ifndef RINGS_HPP
#define RINGS_HPP

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdint>
#include <type_traits>

#include "check.hpp"

using ring_end = atoll::ring_end;

// Room for so many records, in the only lane where there are any.
template <template <class> class Ring>
static constexpr atoll::ring_options room_for(std::uint64_t capacity) {
    return {capacity, std::is_same_v<Ring<int>, atoll::fanin<int>>};
}

// Kills a process in the middle of getting something: it cannot be copied to where it is wanted.
inline void die_getting(atoll_mpmc* ring) {
    int status = 0;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        begin_child();
        signal(SIGSEGV, SIG_DFL);
        const rlimit no_core{};
        setrlimit(RLIMIT_CORE, &no_core);
        void* const nowhere =
            mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        atoll_mpmc_get(ring, nowhere, 4096, nullptr, nullptr, ATOLL_FOREVER);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

#define LANES(test) \
    RUN(test<atoll::spsc>); \
    RUN(test<atoll::fanin>)
#define EACH(test) \
    LANES(test); \
    RUN(test<atoll::mpmc>)

#endif
