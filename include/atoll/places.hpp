/// Records in their places in a ring: to be written there, and to be read there. What rings give
/// out; see ring.hpp.
///
///     auto room = ring.claim(32);              // none, if there is no room
///     for (sample& place : room) measure(place);
///     if (!room.empty()) room.commit();        // without it nothing was put
///
///     auto came = ring.peek(32);               // none, if there is nothing
///     for (const sample& record : came) use(record);
///     if (!came.empty()) came.advance();       // without it they stay

#ifndef ATOLL_PLACES_HPP
#define ATOLL_PLACES_HPP

#include <cstddef>
#include <utility>

#include "handle.hpp"
#include "view.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Some places of a ring, until they are done with. Ring is its C type.
template <class T, class Ring>
class places : public view<T> {
public:
    places() = default;
    places(Ring* ring, T* first, std::size_t size) noexcept : view<T>(first, size), ring_(ring) {}

    /// What was moved from has none.
    places(places&& from) noexcept { take(from); }
    places& operator=(places&& from) noexcept {
        if (this != &from) take(from);
        return *this;
    }
    ~places() = default;

protected:
    /// NULL if there are none.
    Ring* ring() const noexcept { return ring_; }

    /// Calls a function that takes the first `n`; none are left then.
    template <class Call>
    result<void> finished(Call function, const char* none, std::size_t n) {
        if (ring_ == nullptr) return failure(status::invalid_argument, none);
        const result<void> done = call(function, ring_, n);
        if (done) *this = places();
        return done;
    }

private:
    void take(places& from) noexcept {
        static_cast<view<T>&>(*this) = std::exchange(static_cast<view<T>&>(from), {});
        ring_ = std::exchange(from.ring_, nullptr);
    }

    Ring* ring_ = nullptr;
};

/// Free places that a producer has claimed: a view of them, to be written to. They are put, all at
/// once, by commit(), and let go of by the destructor.
///
/// A handle has one claim at a time: to claim again gives the same places, and a push takes them.
template <class T, class Calls>
class claimed : public places<T, typename Calls::ring> {
    using base = places<T, typename Calls::ring>;

public:
    using base::base;

    claimed(claimed&&) noexcept = default;
    claimed& operator=(claimed&& from) noexcept {
        // Of one ring it is the same claim, which goes on.
        if (this->ring() != from.ring()) let_go();
        base::operator=(std::move(from));
        return *this;
    }
    ~claimed() { let_go(); }

    /// Puts the first `n` of them, or all, and lets go of the others; none are left then. Throws
    /// status::closed if an end of the ring is closed.
    outcome<void> commit(std::size_t n) {
        return settle(this->finished(Calls::commit,
                                "no place is claimed here: there was no room, or it was committed "
                                "before; claim again",
                                n));
    }
    outcome<void> commit() { return commit(this->size()); }

    /// Lets go of all of them: nothing is put.
    void abandon() noexcept { *this = claimed(); }

private:
    /// It cannot fail but for a claim that is gone already.
    void let_go() const noexcept {
        if (this->ring() != nullptr) static_cast<void>(Calls::abandon(this->ring()));
    }
};

/// Records that a consumer looks at: a view of them. They stay in the ring until advance(), so that
/// whoever takes over from a consumer that died finds them.
///
/// A handle has one such look at a time: to peek again shows the same records, a pop takes them.
template <class T, class Calls>
class peeked : public places<const T, typename Calls::ring> {
public:
    using peeked::places::places;

    /// Gets the first `n` of them, or all: they leave the ring, and none are left here.
    outcome<void> advance(std::size_t n) {
        return settle(this->finished(Calls::advance,
                                "no record is shown here: there was none, or it was got before; "
                                "peek again",
                                n));
    }
    outcome<void> advance() { return advance(this->size()); }
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
