/// The two variants of atoll.hpp, and where failures end in each. This is the one file that knows.
///
/// As a rule a failure is thrown. With ATOLL_NO_EXCEPTIONS defined before the first #include, all
/// that can fail returns an atoll::result instead:
///
///     auto segment = atoll::segment::open("counters");
///     if (!segment) return log(segment.error().sentence());
///     auto total = atoll::value<int>::open(*segment, "total");
///
/// What has no room for a result then says the sentence on stderr and ends the program, as the
/// standard library does without exceptions: lock(), try_lock() with its timed forms, and unlock(),
/// for the standard library's guards call them; the operators of a value; at() of an array; value()
/// of a result.
///
/// Files of both variants go together in one program, for their names differ to the linker.

#ifndef ATOLL_VARIANT_HPP
#define ATOLL_VARIANT_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "error.hpp"

#if !defined(ATOLL_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#error "atoll.hpp throws its failures: compile with exceptions, or define ATOLL_NO_EXCEPTIONS"
#endif

// Not for users: the namespace of all that differs.
#ifdef ATOLL_NO_EXCEPTIONS
#define ATOLL_VARIANT returning
#else
#define ATOLL_VARIANT throwing
#endif

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

#ifdef ATOLL_NO_EXCEPTIONS

inline constexpr bool throws = false;

/// Where a failure ends that no caller can be given.
[[noreturn, gnu::cold, gnu::noinline]] inline void raise(const failure& what) noexcept {
    std::fprintf(stderr, "atoll: %s: %s\n", what.sentence(),
                 atoll_status_name(static_cast<std::int32_t>(what.status())));
    std::abort();
}

[[noreturn, gnu::cold, gnu::noinline]] inline void out_of_range(const char* sentence) noexcept {
    std::fprintf(stderr, "%s\n", sentence);
    std::abort();
}

#else

inline constexpr bool throws = true;

/// Where every failure ends.
[[noreturn, gnu::cold, gnu::noinline]] inline void raise(const failure& what) {
    if (what.status() == status::owner_died) throw owner_died(what);
    if (what.status() == status::broken) throw broken(what);
    throw error(what);
}

[[noreturn, gnu::cold, gnu::noinline]] inline void out_of_range(const char* sentence) {
    throw std::out_of_range(sentence);
}

#endif

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
