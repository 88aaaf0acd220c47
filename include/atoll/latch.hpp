/// A count that goes down to zero once, and who waits for that. In the shape of std::latch.
///
///     auto loaded = atoll::latch::open_or_create(segment, "loaded", 4);
///     loaded.count_down();                                        // four processes, when done
///     loaded.wait();                                              // whoever needs all of it

#ifndef ATOLL_LATCH_HPP
#define ATOLL_LATCH_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// A latch in a segment.
///
/// Who is killed before it has counted down never does; nobody can know that it would have. So
/// those who wait for others that may die wait for so long and no longer, or use a barrier.
class latch : public detail::object<latch, atoll_latch_close, atoll_latch_remove,
                                    atoll_latch_export, atoll_latch_import> {
    using object::object;

public:
    /// The most that it may begin with.
    static constexpr std::ptrdiff_t max() noexcept { return 0x7fffffff; }

    /// Makes a new one, which is to be counted down so often; anonymous if the name is nullptr.
    /// Throws status::already_exists.
    static outcome<latch> create(const segment& in, detail::c_name name, detail::c_count expected) {
        return made(atoll_latch_create, in, name, expected);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else.
    static outcome<latch> open(const segment& in, detail::c_name name) {
        return made(atoll_latch_open, in, name);
    }

    /// Opens it, however far it has come, or makes it if it is not there.
    static outcome<latch> open_or_create(const segment& in, detail::c_name name,
                                         detail::c_count expected) {
        return made(atoll_latch_open_or_create, in, name, expected);
    }

    /// Counts down, and waits for nobody. Throws status::invalid_argument if less than that is
    /// left.
    outcome<void> count_down(detail::c_count n = 1) { return detail::settle(counted(n)); }

    /// How often it is still to be counted down.
    outcome<std::ptrdiff_t> count() const { return detail::settle(left()); }

    /// Whether that is never.
    outcome<bool> try_wait() const { return detail::settle(waited(detail::at_once())); }

    /// Waits until it has been counted down to zero.
    outcome<void> wait() const {
        return detail::settle(detail::at_last(waited(detail::forever())));
    }

    /// The same, or false if that takes longer.
    template <class Rep, class Period>
    outcome<bool> wait_for(const std::chrono::duration<Rep, Period>& timeout) const {
        return detail::settle(waited(detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> wait_until(const std::chrono::time_point<Clock, Duration>& deadline) const {
        return detail::settle(waited(detail::until(deadline)));
    }

    /// Counts down, and waits for the others.
    outcome<void> arrive_and_wait(detail::c_count n = 1) {
        return detail::settle(detail::at_last(arrived(n, detail::forever())));
    }

    /// The same, or false if the others take longer. It has been counted down all the same.
    template <class Rep, class Period>
    outcome<bool> arrive_and_wait_for(const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(arrived(1, detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> arrive_and_wait_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(arrived(1, detail::until(deadline)));
    }

    /// A descriptor for poll() and event loops, readable when it is at zero, and perhaps when
    /// not. Call this again before each poll: that empties and arms it. It belongs to this object,
    /// and is closed with it.
    outcome<int> descriptor() const {
        return detail::settle(detail::ask<int>(atoll_latch_descriptor, native_handle()));
    }

private:
    result<void> counted(detail::c_count n) {
        return detail::call(atoll_latch_count_down, native_handle(), n);
    }

    result<std::ptrdiff_t> left() const {
        const auto now = detail::ask<std::uint32_t>(atoll_latch_count, native_handle());
        if (!now) return now.error();
        return *now;
    }

    template <class Left>
    result<bool> waited(const Left& left) const {
        return detail::in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_latch_wait(native_handle(), timeout_ns);
        });
    }

    template <class Left>
    result<bool> arrived(detail::c_count n, const Left& left) {
        const result<void> down = counted(n);
        if (!down) return down.error();
        return waited(left);
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
