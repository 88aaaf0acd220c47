/// Waiting for several things at once.
///
///     const auto ready = atoll::wait_any({stop, jobs});       // an event and a semaphore
///     if (ready[0]) return;
///     if (ready[1] && jobs.try_acquire()) work();
///
///     atoll::wait_any({stop, {ring, atoll::ring_end::consumers}});  // or a record to get
///
///     if (atoll::wait_any_for({stop, {segment, seen}}, 1s).none()) nobody_died_for_a_second();

#ifndef ATOLL_WAIT_ANY_HPP
#define ATOLL_WAIT_ANY_HPP

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "event.hpp"
#include "latch.hpp"
#include "ring.hpp"
#include "semaphore.hpp"
#include "waiter.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// One of several things to wait for. It refers to an object of yours, which must stay where it is.
class waitable {
public:
    waitable(const event& set) noexcept : waitable(set.native_handle()) {
        is_event_ = true;
    }
    waitable(const latch& open) noexcept : waitable(open.native_handle()) {}
    waitable(const counting_semaphore& permit) noexcept : waitable(permit.native_handle()) {}
    waitable(const tracked_semaphore& permit) noexcept : waitable(permit.native_handle()) {}
    waitable(const waiter& notified) noexcept : waitable(notified.native_handle()) {}

    /// Something to get from a ring, or at the producers' end, room to put something.
    template <class Self, class Calls>
    waitable(const detail::any_ring<Self, Calls>& moves, ring_end end) noexcept
        : waitable(moves.native_handle(), static_cast<std::uint64_t>(end)) {}

    /// The death of a member, if it is a later one than `seen`, as for segment::wait_death().
    waitable(const segment& death, std::uint64_t seen) noexcept
        : waitable(death.native_handle(), seen) {}

    /// In the words of the C interface.
    const atoll_waitable& native() const noexcept { return native_; }

    /// The same for a wait in several pieces that begins now: of an event, what is set and cleared
    /// between two of them counts.
    result<atoll_waitable> native_from_now_on() const {
        atoll_waitable since = native_;
        if (is_event_) {
            const auto sets = detail::ask<std::uint32_t>(
                atoll_event_sets, static_cast<const atoll_event*>(native_.handle));
            if (!sets) return sets.error();
            since.seen = 1 + std::uint64_t{*sets};
        }
        return since;
    }

private:
    explicit waitable(const void* handle, std::uint64_t seen = 0) noexcept
        : native_{handle, seen} {}

    atoll_waitable native_;
    bool is_event_ = false;
};

/// Which of them are ready, in their order; none() if the time was over before any was.
using ready_set = std::bitset<64>;

namespace detail {

/// Which were ready when one was.
template <class Left>
result<ready_set> any_ready(const std::vector<waitable>& of, const Left& left) {
    std::vector<atoll_waitable> native;
    native.reserve(of.size());
    for (const waitable& one : of) {
        // A signal handler ends a call, but the wait is one.
        const auto since = one.native_from_now_on();
        if (!since) return since.error();
        native.push_back(*since);
    }
    std::uint64_t ready = 0;
    const auto came = in_time(left, [&](std::int64_t timeout_ns) {
        return atoll_wait_any(native.data(), native.size(), timeout_ns, &ready);
    });
    if (!came.has_value()) return came.error();
    return ready_set(ready);
}

}  // namespace detail

/// Waits until one of them is ready, up to 64 of any segments: an event is set, a latch is open, a
/// semaphore has a permit, a get from a ring would not wait (or a put), a waiter was notified,
/// somebody died. Nothing is taken, so others may be faster: try_acquire() or try_pop() what was
/// ready, and wait again if that fails.
///
/// For the list write {a, b}, or hand over a vector.
inline outcome<ready_set> wait_any(const std::vector<waitable>& of) {
    return detail::settle(detail::any_ready(of, detail::forever()));
}

/// The same for so long at most.
template <class Rep, class Period>
outcome<ready_set> wait_any_for(const std::vector<waitable>& of,
                                const std::chrono::duration<Rep, Period>& timeout) {
    return detail::settle(detail::any_ready(of, detail::within(timeout)));
}

template <class Clock, class Duration>
outcome<ready_set> wait_any_until(const std::vector<waitable>& of,
                                  const std::chrono::time_point<Clock, Duration>& deadline) {
    return detail::settle(detail::any_ready(of, detail::until(deadline)));
}

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
