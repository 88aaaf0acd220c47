/// A point that several parties pass together, again and again. In the shape of std::barrier.
///
///     auto round = atoll::barrier::open_or_create(segment, "round", 4);
///     for (;;) {
///         work();
///         round.arrive_and_wait();               // throws broken if one of the others died here
///     }

#ifndef ATOLL_BARRIER_HPP
#define ATOLL_BARRIER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// Facts about a barrier, as atoll.h describes them.
using barrier_info = atoll_barrier_info;

/// A barrier in a segment.
///
/// When a party dies after it has arrived and before all have, nobody can pass any more: the
/// barrier is broken. All who wait are told so, and who died, by status::broken; and so is who
/// comes later, until reset(). It is broken as well by who gives up waiting, by a completion
/// function that throws or is killed, and by abort(). Who dies elsewhere, nobody can know that it
/// would have come: wait for so long and no longer.
class barrier : public detail::object<barrier, atoll_barrier_close, atoll_barrier_remove,
                                      atoll_barrier_export, atoll_barrier_import> {
    using object::object;

public:
    /// Proof that this thread has arrived.
    class arrival_token {
    public:
        arrival_token(arrival_token&&) = default;
        arrival_token& operator=(arrival_token&&) = default;

    private:
        friend barrier;
        arrival_token() = default;
    };

    /// What the last to arrive does, before any goes on.
    using completion_function = std::function<void()>;

    /// The most parties that one may have.
    static constexpr std::ptrdiff_t max() noexcept { return 0x7fff; }

    /// Makes a new one for so many parties; anonymous if the name is nullptr. Each process has a
    /// completion function of its own, and that of the last to arrive is called. Throws
    /// status::already_exists.
    static outcome<barrier> create(const segment& in, detail::c_name name, detail::c_count expected,
                                   completion_function completion = {}) {
        return with(std::move(completion), obtained(atoll_barrier_create, in, name, expected));
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else.
    static outcome<barrier> open(const segment& in, detail::c_name name,
                                 completion_function completion = {}) {
        return with(std::move(completion), obtained(atoll_barrier_open, in, name));
    }

    /// Opens it, or makes it if it is not there. Throws status::wrong_kind if it is for another
    /// number of parties.
    static outcome<barrier> open_or_create(const segment& in, detail::c_name name,
                                           detail::c_count expected,
                                           completion_function completion = {}) {
        return with(std::move(completion),
                    obtained(atoll_barrier_open_or_create, in, name, expected));
    }

    /// Opens what a ticket is for.
    static outcome<barrier> import_ticket(const ticket& from, completion_function completion = {}) {
        return with(std::move(completion), imported(from));
    }

    /// Arrives, and waits for the others.
    outcome<void> arrive_and_wait() { return detail::settle(passed()); }

    /// The same, or false if they take longer. The barrier is broken then, for this party does not
    /// wait any more.
    template <class Rep, class Period>
    outcome<bool> arrive_and_wait_for(const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(passed_within(detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> arrive_and_wait_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(passed_within(detail::until(deadline)));
    }

    /// Arrives, and does not wait yet: the thread does so later, with the token. It may throw that
    /// away and arrive anew when the others have come; before that throws status::deadlock. If the
    /// thread ends in between, the barrier breaks.
    outcome<arrival_token> arrive() {
        const result<void> here = arrived(atoll_barrier_arrive);
        return detail::settle(here ? result<arrival_token>(arrival_token()) : here.error());
    }

    /// Waits for the others.
    outcome<void> wait(arrival_token&&) const {
        return detail::settle(detail::at_last(waited(detail::forever())));
    }

    /// The same, or false if they take longer. The thread has still arrived, and may wait again.
    template <class Rep, class Period>
    outcome<bool> wait_for(const arrival_token&,
                           const std::chrono::duration<Rep, Period>& timeout) const {
        return detail::settle(waited(detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> wait_until(const arrival_token&,
                             const std::chrono::time_point<Clock, Duration>& deadline) const {
        return detail::settle(waited(detail::until(deadline)));
    }

    /// Arrives, waits for nobody, and is no party any more: from then on there is one less.
    outcome<void> arrive_and_drop() {
        return detail::settle(arrived(atoll_barrier_arrive_and_drop));
    }

    /// Breaks it: all who wait are told, and all who come, until reset().
    outcome<void> abort() {
        return detail::settle(detail::call(atoll_barrier_abort, native_handle()));
    }

    /// Makes a broken one whole. Who still waits, does so in vain and is told.
    outcome<void> reset() {
        return detail::settle(detail::call(atoll_barrier_reset, native_handle()));
    }

    /// How many parties there are, how many of them wait, and whether it is broken, at one moment.
    outcome<barrier_info> info() const {
        return detail::settle(detail::ask<barrier_info>(atoll_barrier_stat, native_handle()));
    }

private:
    /// Between the arrival of the last and the end of its completion function. Without release() it
    /// ends in a broken barrier, which the thread then leaves.
    class held_gate {
    public:
        explicit held_gate(atoll_barrier* closed) noexcept : closed_(closed) {}
        held_gate(held_gate&&) = delete;
        ~held_gate() {
            if (!closed_) return;
            static_cast<void>(atoll_barrier_abort(closed_));
            static_cast<void>(atoll_barrier_wait(closed_, 0));
        }

        result<void> release() {
            return detail::call(atoll_barrier_release, std::exchange(closed_, nullptr));
        }

    private:
        atoll_barrier* closed_;
    };

    static outcome<barrier> with(completion_function completion, result<barrier> opened) {
        if (opened) opened->completion_ = std::move(completion);
        return detail::settle(std::move(opened));
    }

    /// One of the functions by which one arrives.
    template <class Call>
    result<void> arrived(Call function) {
        const bool hold = completion_ != nullptr;
        const auto arrival = detail::ask<atoll_arrival>(function, native_handle(), hold);
        if (!arrival) return told(arrival.error());
        if (!hold || !arrival->last) return {};
        held_gate gate(native_handle());
        completion_();
        const result<void> released = gate.release();
        return released ? released : told(released.error());
    }

    template <class Left>
    result<bool> waited(const Left& left) const {
        const auto in_time = detail::in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_barrier_wait(native_handle(), timeout_ns);
        });
        return in_time.has_value() ? in_time : told(in_time.error());
    }

    result<void> passed() {
        if (completion_) {
            const result<void> here = arrived(atoll_barrier_arrive);
            if (!here) return here;
        } else {
            // One call where two would do; but for a signal handler, that is all.
            const atoll_status got =
                atoll_barrier_arrive_and_wait(native_handle(), ATOLL_FOREVER, nullptr);
            if (got == ATOLL_OK) return {};
            if (got != ATOLL_INTERRUPTED) return told(detail::last_failure());
        }
        return detail::at_last(waited(detail::forever()));
    }

    /// Who gives up breaks the barrier, unless the others have come at the last moment.
    template <class Left>
    result<bool> passed_within(const Left& left) {
        const result<void> here = arrived(atoll_barrier_arrive);
        if (!here) return here.error();
        const result<bool> in_time = waited(left);
        if (in_time != false) return in_time;
        const result<void> broke = detail::call(atoll_barrier_abort, native_handle());
        if (!broke) return broke.error();
        const result<bool> after_all = waited(detail::forever());
        if (after_all.has_value() || after_all.error().status() != status::broken) return after_all;
        return false;
    }

    /// Of a failure behind which there may be a death: whose.
    failure told(const failure& what) const {
        if (what.status() != status::broken) return what;
        const auto now = detail::ask<barrier_info>(atoll_barrier_stat, native_handle());
        return failure(what.sentence(), now ? now->culprit_pid : 0);
    }

    completion_function completion_;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
