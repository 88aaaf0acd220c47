/// Records of a mpmc in their places, in the hands of a process. What mpmc and messages give out:
///
///     if (auto room = jobs.claim()) {     // false if there is no room
///         fill(*room);
///         room.commit();                  // without it nothing was put
///     }
///     if (auto job = jobs.peek()) {       // false if there is nothing
///         if (job.times() != 0) look_what_is_done(*job);
///         work_on(*job);
///         job.advance();                  // without it another one gets it
///     }
///
/// Without exceptions each call gives a result of that, which is true if nothing went wrong:
/// `room && *room` asks both.
///
/// Many may be open at a time. They belong to the process, not to the thread: any may finish them.
/// If the process dies, what it claimed is skipped, and what it was shown goes to another one.

#ifndef ATOLL_RESERVATION_HPP
#define ATOLL_RESERVATION_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "handle.hpp"
#include "view.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// One reservation, or none.
class in_hand {
public:
    in_hand() = default;
    in_hand(atoll_mpmc* ring, const atoll_reservation& place) noexcept
        : ring_(ring), place_(place) {}

    /// What was moved from has none.
    in_hand(in_hand&& from) noexcept
        : ring_(std::exchange(from.ring_, nullptr)),
          place_(std::exchange(from.place_, atoll_reservation{})) {}
    in_hand& operator=(in_hand&& from) noexcept {
        in_hand other(std::move(from));
        std::swap(ring_, other.ring_);
        std::swap(place_, other.place_);
        return *this;
    }
    ~in_hand() { abandon(); }

    /// Whether there is one.
    explicit operator bool() const noexcept { return ring_ != nullptr; }

    /// Gives it up: what was claimed is skipped, what was shown goes to another one. That cannot
    /// fail but for one that is gone, with a ring that was closed.
    void abandon() noexcept {
        if (ring_ != nullptr) static_cast<void>(atoll_mpmc_abandon(ring_, place_.id));
        ring_ = nullptr;
        place_ = {};
    }

protected:
    const atoll_reservation& place() const noexcept { return place_; }

    /// Finishes it by a call; if it was finished, or given up for a failure, there is none left.
    template <class Function, class... Arguments>
    result<void> finished(Function function, const Arguments&... arguments) {
        if (ring_ == nullptr) {
            return failure(status::invalid_argument,
                           "there is no place in the hand: there was none, or it was finished "
                           "before; claim, or peek, again");
        }
        const result<void> done = call(function, ring_, place_.id, arguments...);
        // After any other failure it was given up.
        if (done || done.error().status() != status::invalid_argument) {
            ring_ = nullptr;
            place_ = {};
        }
        return done;
    }

private:
    atoll_mpmc* ring_ = nullptr;
    atoll_reservation place_{};
};

/// A place that is claimed for a record.
template <class T>
class claimed_place : public in_hand {
public:
    using in_hand::in_hand;

    T& operator*() const noexcept { return *get(); }
    T* operator->() const noexcept { return get(); }

    /// Puts the record: it is in the ring for good. Throws status::closed if an end of the ring is.
    outcome<void> commit() { return settle(this->finished(atoll_mpmc_commit, sizeof(T))); }

private:
    T* get() const noexcept { return static_cast<T*>(place().place); }
};

/// A record that is looked at.
template <class T>
class shown_record : public in_hand {
public:
    using in_hand::in_hand;

    const T& operator*() const noexcept { return *get(); }
    const T* operator->() const noexcept { return get(); }

    /// How often it was taken over from a process that died with it, or gave it up.
    std::uint32_t times() const noexcept { return place().times; }

    /// Gets it: it leaves the ring.
    outcome<void> advance() { return settle(this->finished(atoll_mpmc_advance)); }

private:
    const T* get() const noexcept { return static_cast<const T*>(place().place); }
};

/// Room that is claimed for a message: a view of its bytes is `bytes()`.
class claimed_message : public in_hand {
public:
    using in_hand::in_hand;

    view<std::byte> bytes() const noexcept {
        return {static_cast<std::byte*>(place().place), place().len};
    }

    /// Puts a message of the first `n` bytes, or of all.
    outcome<void> commit(std::size_t n) { return settle(this->finished(atoll_mpmc_commit, n)); }
    outcome<void> commit() { return commit(place().len); }
};

/// A message that is looked at.
class shown_message : public in_hand {
public:
    using in_hand::in_hand;

    view<const std::byte> bytes() const noexcept {
        return {static_cast<const std::byte*>(place().place), place().len};
    }
    /// The same as text.
    std::string_view text() const noexcept {
        return {static_cast<const char*>(place().place), place().len};
    }

    /// As of a record.
    std::uint32_t times() const noexcept { return place().times; }
    outcome<void> advance() { return settle(this->finished(atoll_mpmc_advance)); }
};

/// What a call gave that reserves, or nothing if it says that there is `none`.
template <class Place, class Function, class... Arguments>
result<Place> reserved(atoll_status none, Function function, atoll_mpmc* ring,
                       const Arguments&... arguments) {
    atoll_reservation place{};
    const atoll_status got = function(ring, arguments..., &place);
    if (got == ATOLL_OK) return Place(ring, place);
    if (got != none) return last_failure();
    return Place();
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
