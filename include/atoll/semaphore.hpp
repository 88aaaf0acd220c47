/// Permits that threads and processes hand round. In the shape of std::counting_semaphore.
///
///     auto slots = atoll::counting_semaphore::open_or_create(segment, "slots", 4);
///     slots.acquire();                                            // waits while there is none
///     slots.release();                                            // here or in another process
///
///     auto pool = atoll::tracked_semaphore::open_or_create(segment, "pool", 4);
///     pool.acquire();                                             // comes back if we are killed

#ifndef ATOLL_SEMAPHORE_HPP
#define ATOLL_SEMAPHORE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "inline.h"
#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// What both kinds of semaphores do. Self is the class of one of them.
template <class Self, bool Tracked>
class semaphore
    : public placed_object<Self, atoll_semaphore_place, atoll_semaphore_close,
                           atoll_semaphore_remove, atoll_semaphore_export, atoll_semaphore_import> {
    using base = typename semaphore::placed_object;
    friend typename base::object;

public:
    using base::native_handle;

    /// Opens what exists. Throws status::not_found, or status::wrong_kind for the other kind.
    static outcome<Self> open(const segment& in, c_name name) {
        return made(atoll_semaphore_open, in, name, 0, 0);
    }

    /// Waits for a permit and takes it.
    outcome<void> acquire() {
        if (acquired_at_once()) return outcome<void>();
        return wait_for_permit();
    }

    /// Takes a permit if there is one.
    outcome<bool> try_acquire() {
        if (acquired_at_once()) return true;
        return try_acquire_by_call();
    }

    /// Waits for so long at most, and says whether it has taken one.
    template <class Rep, class Period>
    outcome<bool> try_acquire_for(const std::chrono::duration<Rep, Period>& timeout) {
        if (acquired_at_once()) return true;
        return settle(acquired(within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> try_acquire_until(const std::chrono::time_point<Clock, Duration>& deadline) {
        if (acquired_at_once()) return true;
        return settle(acquired(until(deadline)));
    }

    /// Gives a permit back, or n of them, and waits for nobody. Throws status::full if there would
    /// be more than max(). A signal handler may do this, too.
    outcome<void> release() {
        if (released_at_once()) return outcome<void>();
        return release(1);
    }

    outcome<void> release(c_count n) {
        return settle(call(atoll_semaphore_release, native_handle(), n));
    }

    /// How many permits there are to be had at this moment.
    outcome<std::ptrdiff_t> value() const { return one_of(&atoll_semaphore_info::value); }

    /// How many there can be.
    outcome<std::ptrdiff_t> max() const { return one_of(&atoll_semaphore_info::max); }

    /// A descriptor for poll() and event loops, readable when there is a permit, and perhaps when
    /// not. Call this again before each poll: that empties and arms it. It belongs to this object,
    /// and is closed with it.
    outcome<int> descriptor() const {
        return settle(ask<int>(atoll_semaphore_descriptor, native_handle()));
    }

protected:
    using base::base;
    using base::place;

    template <class Call>
    static outcome<Self> made(Call function, const segment& in, c_name name, c_count value,
                              c_count max) {
        if (!value.fits() || !max.fits()) {
            return settle(result<Self>(failure(status::invalid_argument, c_count::unfit)));
        }
        atoll_semaphore_options given = ATOLL_SEMAPHORE_OPTIONS_INIT;
        given.value = value;
        given.max = max;
        given.tracked = Tracked;
        return base::made(function, in, name, &given);
    }

private:
    static const char* objection_to(std::uint64_t kind) noexcept {
        if (kind != (Tracked ? ATOLL_KIND_SEMAPHORE : ATOLL_KIND_TRACKED_SEMAPHORE)) return nullptr;
        return Tracked ? "the ticket is for a semaphore that is not tracked"
                       : "the ticket is for a tracked semaphore";
    }

    /// The short ways: false says that something is not as usual, and that a call has to see to it.
    /// A tracked semaphore has none.
    bool acquired_at_once() const noexcept {
        return !Tracked && __builtin_expect(atoll_place_acquire(place()), true);
    }

    bool released_at_once() const noexcept {
        return !Tracked && __builtin_expect(atoll_place_release(place()), true);
    }

    [[gnu::cold, gnu::noinline]] outcome<void> wait_for_permit() {
        return settle(at_last(acquired(forever())));
    }

    [[gnu::cold, gnu::noinline]] outcome<bool> try_acquire_by_call() {
        return settle(acquired(at_once()));
    }

    template <class Left>
    result<bool> acquired(const Left& left) {
        return in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_semaphore_acquire(native_handle(), timeout_ns);
        });
    }

    outcome<std::ptrdiff_t> one_of(std::uint32_t atoll_semaphore_info::*field) const {
        const auto now = ask<atoll_semaphore_info>(atoll_semaphore_stat, native_handle());
        return settle(now ? result<std::ptrdiff_t>((*now).*field) : now.error());
    }
};

}  // namespace detail

/// A semaphore in a segment. As long as nobody waits, acquiring and releasing a permit is a
/// compare-exchange each in the caller's own code; see inline.h.
///
/// Whoever acquired a permit, anybody may release it. A process that dies does not: what it had
/// acquired is gone; tracked_semaphore is for that. But no death leaves anybody waiting for a
/// permit that is there.
class counting_semaphore : public detail::semaphore<counting_semaphore, false> {
    using semaphore::semaphore;

public:
    /// Makes a new one with `desired` permits, and room for `max`; if that is 0, for as many as can
    /// be counted. Anonymous if the name is nullptr. Throws status::already_exists.
    static outcome<counting_semaphore> create(const segment& in, detail::c_name name,
                                              detail::c_count desired, detail::c_count max = 0) {
        return made(atoll_semaphore_create, in, name, desired, max);
    }

    /// Opens it, or makes it if it is not there. Throws status::wrong_kind if it has another max
    /// than one that is given.
    static outcome<counting_semaphore> open_or_create(const segment& in, detail::c_name name,
                                                      detail::c_count desired,
                                                      detail::c_count max = 0) {
        return made(atoll_semaphore_open_or_create, in, name, desired, max);
    }
};

/// A semaphore that knows who has its permits: those that a process had acquired when it died can
/// be had again at once, and wake who waits for them. A permit belongs to the process, whichever
/// thread has acquired it.
class tracked_semaphore : public detail::semaphore<tracked_semaphore, true> {
    using semaphore::semaphore;

public:
    /// Makes a new one with so many permits, 4,096 at most; anonymous if the name is nullptr.
    /// Throws status::already_exists.
    static outcome<tracked_semaphore> create(const segment& in, detail::c_name name,
                                             detail::c_count permits) {
        return made(atoll_semaphore_create, in, name, permits, permits);
    }

    /// Opens it, or makes it if it is not there. Throws status::wrong_kind if it has another number
    /// of permits.
    static outcome<tracked_semaphore> open_or_create(const segment& in, detail::c_name name,
                                                     detail::c_count permits) {
        return made(atoll_semaphore_open_or_create, in, name, permits, permits);
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
