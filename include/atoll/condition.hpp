/// Waiting until something has changed, under a lock. In the shape of std::condition_variable_any.
///
///     std::unique_lock hold(mutex);                               // here
///     changed.wait(hold, [&] { return jobs > 0; });
///
///     std::scoped_lock hold(mutex);                               // there
///     jobs += 1;
///     changed.notify_one();

#ifndef ATOLL_CONDITION_HPP
#define ATOLL_CONDITION_HPP

#include <chrono>
#include <condition_variable>
#include <utility>

#include "grip.hpp"
#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// A thread's place among those who wait. It is given up unless the wait has come to its end.
class place_in_line {
public:
    static result<place_in_line> taken(atoll_condvar* in) {
        const result<void> done = call(atoll_condvar_prepare_wait, in);
        if (!done) return done.error();
        return place_in_line(in);
    }

    place_in_line(place_in_line&& from) noexcept : in_(std::exchange(from.in_, nullptr)) {}
    place_in_line& operator=(place_in_line&&) = delete;
    ~place_in_line() {
        if (in_) static_cast<void>(given_up());
    }

    /// Whether it was notified in time.
    template <class Left>
    result<bool> wait(const Left& left) {
        const auto notified = in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_condvar_commit_wait(in_, timeout_ns);
        });
        if (notified == true) in_ = nullptr;
        return notified == false ? given_up() : notified;
    }

private:
    explicit place_in_line(atoll_condvar* in) noexcept : in_(in) {}

    /// Whether it was notified before that.
    result<bool> given_up() {
        return ask<bool>(atoll_condvar_cancel_wait, std::exchange(in_, nullptr));
    }

    atoll_condvar* in_;
};

}  // namespace detail

/// A condition variable in a segment, to be used with one lock at a time: any that has lock() and
/// unlock(), of one process or of many. Locks of ours are these, and std::unique_lock and
/// std::shared_lock of them.
///
/// A notify goes to who has waited longest and is alive. None is lost, whoever is killed, and
/// nobody wakes without one, save for timeouts. To be sure of the order, notify while holding the
/// lock.
///
/// A wait takes the lock back whatever comes of it. If that throws, the caller does not hold it; so
/// it is with owner_died when a holder of a lock of ours died in the meantime. Take it with
/// lock_recover() then, look at the condition, and wait again. A lock that its thread holds several
/// times is let go wholly.
class condition_variable_any
    : public detail::object<condition_variable_any, atoll_condvar_close, atoll_condvar_remove,
                            atoll_condvar_export, atoll_condvar_import> {
    using object::object;

public:
    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static outcome<condition_variable_any> create(const segment& in,
                                                  detail::c_name name = nullptr) {
        return made(atoll_condvar_create, in, name);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else.
    static outcome<condition_variable_any> open(const segment& in, detail::c_name name) {
        return made(atoll_condvar_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<condition_variable_any> open_or_create(const segment& in, detail::c_name name) {
        return made(atoll_condvar_open_or_create, in, name);
    }

    /// Ends the wait of one thread, of n, or of all that wait.
    outcome<void> notify_one() { return notify(atoll_condvar_notify_one); }
    outcome<void> notify_many(detail::c_count n) { return notify(atoll_condvar_notify_many, n); }
    outcome<void> notify_all() { return notify(atoll_condvar_notify_all); }

    /// Lets go of the lock, waits to be notified, and takes the lock back.
    template <class Lock>
    outcome<void> wait(Lock& lock) {
        return detail::settle(detail::at_last(waited(lock, detail::forever())));
    }

    /// Waits until that is so. It is asked while the lock is held.
    template <class Lock, class Predicate>
    outcome<void> wait(Lock& lock, Predicate satisfied) {
        return detail::settle(
            detail::at_last(waited_until(satisfied, lock, detail::forever())));
    }

    /// Waits for so long at most, to be notified or until that is so: false says that it is not.
    template <class Lock, class Rep, class Period>
    outcome<std::cv_status> wait_for(Lock& lock,
                                     const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(in_words(waited(lock, detail::within(timeout))));
    }

    template <class Lock, class Rep, class Period, class Predicate>
    outcome<bool> wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& timeout,
                           Predicate satisfied) {
        return detail::settle(waited_until(satisfied, lock, detail::within(timeout)));
    }

    template <class Lock, class Clock, class Duration>
    outcome<std::cv_status> wait_until(
        Lock& lock, const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(in_words(waited(lock, detail::until(deadline))));
    }

    template <class Lock, class Clock, class Duration, class Predicate>
    outcome<bool> wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& deadline,
                             Predicate satisfied) {
        return detail::settle(waited_until(satisfied, lock, detail::until(deadline)));
    }

private:
    template <class Call, class... Count>
    outcome<void> notify(Call function, const Count&... n) {
        return detail::settle(detail::call(function, native_handle(), n...));
    }

    /// Whether it was notified. The place is taken while the lock is still held, so nothing that
    /// changes after that is missed.
    template <class Lock, class Left>
    result<bool> waited(Lock& lock, const Left& left) {
        auto place = detail::place_in_line::taken(native_handle());
        if (!place) return place.error();
        auto grip = detail::grip_on(lock);
        const result<void> free = grip.let_go();
        if (!free) return free.error();
        const result<bool> notified = place->wait(left);
        const result<void> held = grip.take_back();
        return held ? notified : held.error();
    }

    template <class Lock, class Left, class Predicate>
    result<bool> waited_until(Predicate& satisfied, Lock& lock, const Left& left) {
        while (!satisfied()) {
            const result<bool> notified = waited(lock, left);
            if (!notified.has_value()) return notified;
            if (!*notified) return static_cast<bool>(satisfied());
        }
        return true;
    }

    static result<std::cv_status> in_words(const result<bool>& notified) {
        if (!notified.has_value()) return notified.error();
        return *notified ? std::cv_status::no_timeout : std::cv_status::timeout;
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
