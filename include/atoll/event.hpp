/// A flag that can be waited for, set and cleared by anyone.
///
///     auto ready = atoll::event::open_or_create(segment, "ready");
///     ready.set();                                                // there
///     ready.wait();                                               // here
///     if (!ready.wait_for(std::chrono::seconds(1))) give_up();

#ifndef ATOLL_EVENT_HPP
#define ATOLL_EVENT_HPP

#include <chrono>
#include <cstdint>

#include "inline.h"
#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// An event in a segment. The standard library has none; Python's threading.Event is like it.
///
/// It starts cleared. All who wait when it is set go on, even if it is cleared at once, and even if
/// who sets it is killed on the way: it was set, and then for all, or it was not. No death leaves
/// anybody waiting for what has happened.
///
/// Looking whether it is set is a load in the caller's own code; see inline.h.
class event
    : public detail::placed_object<event, atoll_event_place, atoll_event_close, atoll_event_remove,
                                   atoll_event_export, atoll_event_import> {
    using placed_object::placed_object;

public:
    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static outcome<event> create(const segment& in, detail::c_name name = nullptr) {
        return made(atoll_event_create, in, name);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else.
    static outcome<event> open(const segment& in, detail::c_name name) {
        return made(atoll_event_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<event> open_or_create(const segment& in, detail::c_name name) {
        return made(atoll_event_open_or_create, in, name);
    }

    /// Lets all go on who wait, and who come before it is cleared. A signal handler may do this,
    /// too.
    outcome<void> set() { return detail::settle(detail::call(atoll_event_set, native_handle())); }

    /// From here on, who comes has to wait again.
    outcome<void> clear() {
        return detail::settle(detail::call(atoll_event_clear, native_handle()));
    }

    outcome<bool> is_set() const {
        if (__builtin_expect(place()->word != nullptr, true)) return atoll_place_is_set(place());
        return is_set_by_call();
    }

    /// Waits until it is set, or has been since.
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

    /// A descriptor for poll() and event loops, readable when it is set, and perhaps when
    /// not. Call this again before each poll: that empties and arms it. It belongs to this object,
    /// and is closed with it.
    outcome<int> descriptor() const {
        return detail::settle(detail::ask<int>(atoll_event_descriptor, native_handle()));
    }

private:
    [[gnu::cold, gnu::noinline]] outcome<bool> is_set_by_call() const {
        return detail::settle(detail::ask<bool>(atoll_event_is_set, native_handle()));
    }

    template <class Left>
    result<bool> waited(const Left& left) const {
        // A signal handler ends a call, but the wait is one: what was set in between counts.
        const auto sets = detail::ask<std::uint32_t>(atoll_event_sets, native_handle());
        if (!sets) return sets.error();
        return detail::in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_event_wait_since(native_handle(), *sets, timeout_ns);
        });
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
