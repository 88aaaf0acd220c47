/// What all rings have in common: records of one type go from those who put them to those who get
/// them. See spsc.hpp, mpmc.hpp and fanin.hpp for what each of them is for.

#ifndef ATOLL_RING_HPP
#define ATOLL_RING_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "inline.h"
#include "object.hpp"
#include "type.hpp"
#include "view.hpp"
#include "word.hpp"

namespace libatoll {

/// The two ends of a ring.
enum class ring_end : std::uint32_t {
    producers = ATOLL_PRODUCERS,  ///< where records are put
    consumers = ATOLL_CONSUMERS,  ///< where they are got
};

/// How the users of a ring wait.
enum class waiting : std::uint32_t {
    adaptive = ATOLL_WAIT_ADAPTIVE,  ///< look for some microseconds, then sleep
    spin = ATOLL_WAIT_SPIN,          ///< never sleep: for who has a processor for each side
    sleep = ATOLL_WAIT_SLEEP,        ///< sleep at once: for what takes its time
};

/// What a ring is, and what has gone through it, as atoll.h describes it.
using ring_info = atoll_ring_info;

/// What a ring is to be. To open one, a zero stands for what it has.
struct ring_options {
    std::uint64_t capacity = 0;  ///< records there is room for, in each lane: a power of two
    std::uint32_t lanes = 0;     ///< of a fanin, 1 to 64: how many producers there can be
    libatoll::waiting waiting = libatoll::waiting::adaptive;
};

inline namespace ATOLL_VARIANT {
namespace detail {

/// What a call says that never waits: whether it was done, or there was `none`.
inline result<bool> unless(atoll_status none, atoll_status got) {
    if (got != ATOLL_OK && got != none) return last_failure();
    return got == ATOLL_OK;
}

/// The base of a ring, whatever goes through it: Self is its class, which says what that is; Calls
/// has the C functions of its noun.
///
/// When an end is closed all throw status::closed: who puts, at once; who gets, when the consumers'
/// end is closed, or all has been got and the producers' end is.
template <class Self, class Calls>
class any_ring
    : public object<Self, Calls::close, Calls::remove, Calls::export_ticket, Calls::import> {
    using base = typename any_ring::object;
    friend base;

public:
    using options = ring_options;
    using base::native_handle;

    /// Makes a new one; anonymous if the name is nullptr. The capacity has to be given. Throws
    /// status::already_exists.
    static outcome<Self> create(const segment& in, c_name name, const options& how) {
        return typed(Calls::create, in, name, how);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else,
    /// or has records of another type, or is not as the options say.
    static outcome<Self> open(const segment& in, c_name name, const options& how = {}) {
        return typed(Calls::open, in, name, how);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<Self> open_or_create(const segment& in, c_name name, const options& how) {
        return typed(Calls::open_or_create, in, name, how);
    }

    /// Closes an end for good, for all processes, and wakes all who wait. Anybody may do this.
    outcome<void> shutdown(ring_end end) {
        return settle(call(Calls::shutdown, native_handle(), static_cast<std::uint32_t>(end)));
    }

    outcome<ring_info> info() const { return settle(ask<ring_info>(Calls::info, native_handle())); }

    /// A descriptor for poll() and event loops, readable when a get (of the producers' end, a put)
    /// would not wait, and perhaps when it would. Call this again before each poll: that empties
    /// and arms it. It belongs to this object, and is closed with it.
    outcome<int> descriptor(ring_end end) const {
        return settle(
            ask<int>(Calls::descriptor, native_handle(), static_cast<std::uint32_t>(end)));
    }

protected:
    using base::base;

private:
    template <class Call>
    static outcome<Self> typed(Call function, const segment& in, c_name name, const options& how) {
        const atoll_type type = Self::type_of_records();
        atoll_ring_options given = ATOLL_RING_OPTIONS_INIT;
        given.capacity = how.capacity;
        given.lanes = how.lanes;
        given.waiting = static_cast<std::uint32_t>(how.waiting);
        return base::made(function, in, name, &type, &given);
    }

    /// A ticket does not say what the records are.
    static result<Self> opened(result<typename base::handle> got) {
        if (!got) return got.error();
        const auto is = ask<ring_info>(Calls::info, got->get());
        if (!is) return is.error();
        const result<void> same = Self::check_records(is->type);
        if (!same) return same.error();
        return Self(*std::move(got));
    }
};

/// The base of a ring of records T.
template <class Self, class T, class Calls>
class ring : public any_ring<Self, Calls> {
    static_assert(can_be_shared<T>());
    using base = typename ring::any_ring;
    friend base;

public:
    using value_type = T;
    using base::native_handle;

    /// Puts a record if there is room. When it has returned true the record is in the ring for
    /// good, also if this process dies.
    outcome<bool> try_push(const T& record) {
        if constexpr (Calls::has_place) {
            const atoll_place_answer answer = self()->pushed_at_once(record);
            if (__builtin_expect(answer != ATOLL_PLACE_CALL, true)) {
                return answer == ATOLL_PLACE_DONE;
            }
        }
        return push_by_call(record);
    }

    /// Gets a record if there is one.
    outcome<std::optional<T>> try_pop() {
        if constexpr (Calls::has_place) {
            foreign<T> record{};
            const atoll_place_answer answer = self()->popped_at_once(record);
            if (__builtin_expect(answer != ATOLL_PLACE_CALL, true)) {
                return one_if(answer == ATOLL_PLACE_DONE, record);
            }
        }
        foreign<T> record{};
        return one_if(pop_by_call(record), record);
    }

    /// Puts the first of these records, as many as there is room for, and says how many. They come
    /// to be seen all at once. {pointer, count} makes a view.
    outcome<std::size_t> try_push_n(view<const T> from) {
        std::size_t n = 0;
        if (from.empty()) return n;
        return settle(counted(n, unless(ATOLL_FULL, Calls::push_n(native_handle(), from.data(),
                                                                  from.size(), &n))));
    }

    /// Gets as many records as there are and have room there, and says how many.
    outcome<std::size_t> try_pop_n(view<T> to) {
        std::size_t n = 0;
        if (to.empty()) return n;
        return settle(counted(n, unless(ATOLL_EMPTY, Calls::pop_n(native_handle(), to.data(),
                                                                  to.size(), &n))));
    }

    /// Puts a record, and waits for room if there is none.
    outcome<void> put(const T& record) {
        if (is_put_at_once(record)) return outcome<void>();
        return put_by_call(record);
    }

    /// The same for so long at most: whether it was put.
    template <class Rep, class Period>
    outcome<bool> put_for(const T& record, const std::chrono::duration<Rep, Period>& timeout) {
        if (is_put_at_once(record)) return true;
        return settle(put_within(record, within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> put_until(const T& record,
                            const std::chrono::time_point<Clock, Duration>& deadline) {
        if (is_put_at_once(record)) return true;
        return settle(put_within(record, until(deadline)));
    }

    /// Gets a record, and waits for one if there is none.
    outcome<T> get() {
        if constexpr (Calls::has_place) {
            foreign<T> record{};
            if (__builtin_expect(self()->popped_at_once(record) == ATOLL_PLACE_DONE, true)) {
                return static_cast<T>(record);
            }
        }
        return get_by_call();
    }

    /// The same for so long at most; empty if none came.
    template <class Rep, class Period>
    outcome<std::optional<T>> get_for(const std::chrono::duration<Rep, Period>& timeout) {
        return get_timed(within(timeout));
    }

    template <class Clock, class Duration>
    outcome<std::optional<T>> get_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return get_timed(until(deadline));
    }

protected:
    using base::base;

    /// A record, if one came.
    static std::optional<T> one_if(bool came, const foreign<T>& record) {
        return came ? std::optional<T>(static_cast<T>(record)) : std::optional<T>();
    }

    static result<std::optional<T>> one_if(const result<bool>& came, const foreign<T>& record) {
        if (!came.has_value()) return came.error();
        return one_if(*came, record);
    }

    /// How many there are, if any. By reference: the call may come after the arguments before it.
    static result<std::size_t> counted(const std::size_t& n, const result<bool>& some) {
        if (!some.has_value()) return some.error();
        return *some ? n : 0;
    }

private:
    static atoll_type type_of_records() noexcept { return type_of<T>(); }
    static result<void> check_records(const atoll_type& found) { return check_type<T>(found); }

    template <class Left>
    outcome<std::optional<T>> get_timed(const Left& left) {
        foreign<T> record{};
        if constexpr (Calls::has_place) {
            if (self()->popped_at_once(record) == ATOLL_PLACE_DONE) return one_if(true, record);
        }
        return settle(one_if(got_within(left, record), record));
    }

    Self* self() noexcept { return static_cast<Self*>(this); }

    bool is_put_at_once(const T& record) noexcept {
        if constexpr (Calls::has_place) {
            return __builtin_expect(self()->pushed_at_once(record) == ATOLL_PLACE_DONE, true);
        } else {
            static_cast<void>(record);
            return false;
        }
    }

    // What is usual without a short way, and kept out of its way where there is one.

    // What is got is written to where it is wanted: an optional that may come from a call as well
    // would be put together in memory, and be read again as a whole before it is there.

    [[gnu::noinline]] outcome<bool> push_by_call(const T& record) {
        return settle(with_role(
            ring_end::producers,
            unless(ATOLL_FULL, Calls::push(native_handle(), &record, sizeof record))));
    }

    [[gnu::noinline]] outcome<bool> pop_by_call(foreign<T>& record) {
        return settle(with_role(
            ring_end::consumers,
            unless(ATOLL_EMPTY, Calls::pop(native_handle(), &record, sizeof record, nullptr))));
    }

    [[gnu::noinline]] outcome<void> put_by_call(const T& record) {
        return settle(at_last(put_within(record, forever())));
    }

    [[gnu::noinline]] outcome<T> get_by_call() {
        foreign<T> record{};
        const auto came = got_within(forever(), record);
        return settle(came.has_value() ? result<T>(static_cast<T>(record)) : came.error());
    }

    /// A call that has succeeded shows that the role is ours.
    result<bool> with_role([[maybe_unused]] ring_end end, const result<bool>& done) noexcept {
        if constexpr (Calls::has_place) {
            if (done.has_value()) self()->find_place(end);
        }
        return done;
    }

    template <class Left>
    result<bool> put_within(const T& record, const Left& left) {
        return with_role(ring_end::producers, in_time(left, [&](std::int64_t timeout_ns) {
            return Calls::put(native_handle(), &record, sizeof record, timeout_ns);
        }));
    }

    template <class Left>
    result<bool> got_within(const Left& left, foreign<T>& record) {
        return with_role(ring_end::consumers, in_time(left, [&](std::int64_t timeout_ns) {
            return Calls::get(native_handle(), &record, sizeof record, nullptr, timeout_ns);
        }));
    }
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
