/// From std::chrono to nanoseconds, and through interruptions. Nothing here is meant for users.

#ifndef ATOLL_WAITING_HPP
#define ATOLL_WAITING_HPP

#include <chrono>
#include <cmath>
#include <cstdint>

#include "result.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Wide enough for every std::chrono duration, and on x86-64 exact to the nanosecond. Integer
/// durations would overflow instead: hours::max() in nanoseconds, or a clock's min() minus now().
using span = std::chrono::duration<long double, std::nano>;

/// A span as the C interface takes it: rounded up, past is 0, too long (or NaN) is its limit.
inline std::int64_t timeout_ns(span left) noexcept {
    constexpr auto forever = static_cast<long double>(ATOLL_FOREVER);
    if (!(left.count() > 0)) return 0;
    if (left.count() >= forever) return ATOLL_FOREVER;
    return static_cast<std::int64_t>(std::ceil(left.count()));
}

/// The three ways to say how long, as functions that tell how much time is left.
inline auto forever() {
    return [] { return ATOLL_FOREVER; };
}

inline auto at_once() {
    return [] { return std::int64_t{0}; };
}

template <class Clock, class Duration>
auto until(const std::chrono::time_point<Clock, Duration>& deadline) {
    return [end = span(deadline.time_since_epoch())] {
        return timeout_ns(end - span(Clock::now().time_since_epoch()));
    };
}

template <class Rep, class Period>
auto within(const std::chrono::duration<Rep, Period>& timeout) {
    using clock = std::chrono::steady_clock;
    return until(
        std::chrono::time_point<clock, span>(clock::now().time_since_epoch() + span(timeout)));
}

/// Makes a C call that can wait, again and again until the time is really up. A signal handler ends
/// a wait early, and so does a clock that is set back, for the C interface knows only its own.
template <class Left, class Call>
atoll_status wait(const Left& left, const Call& call) {
    for (;;) {
        const atoll_status result = call(left());
        const bool early = result == ATOLL_TIMED_OUT && left() > 0;
        if (result != ATOLL_INTERRUPTED && !early) return result;
    }
}

/// The same, of a call that gives ATOLL_OK or fails: whether it was done in time.
template <class Left, class Call>
result<bool> in_time(const Left& left, const Call& call) {
    const atoll_status got = wait(left, call);
    if (got != ATOLL_OK && got != ATOLL_TIMED_OUT) return last_failure();
    return got == ATOLL_OK;
}

/// Of a wait without end.
inline result<void> at_last(const result<bool>& in_time) {
    if (!in_time.has_value()) return in_time.error();
    return {};
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
