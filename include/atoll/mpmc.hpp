/// A ring from any number of producers to any number of consumers, in one order.
///
///     auto jobs = atoll::mpmc<job>::open_or_create(segment, "jobs", {1024});
///     jobs.put(one);                                              // by anybody, in any thread
///     work(jobs.get());                                           // likewise
///
///     auto [next, times] = jobs.get_marked();
///     if (times != 0) check_whether_it_was_done(next);            // who had it before has died

#ifndef ATOLL_MPMC_HPP
#define ATOLL_MPMC_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "reservation.hpp"
#include "ring.hpp"

namespace libatoll {

/// A record, and how often it was taken over from a consumer that died before it had got it.
template <class T>
struct marked {
    T record;
    std::uint32_t times;
};

inline namespace ATOLL_VARIANT {
namespace detail {

/// The C functions of this noun. Those that get say more than is asked here.
struct mpmc_calls {
    using ring = atoll_mpmc;
    static constexpr bool has_place = true;

    static constexpr auto create = atoll_mpmc_create;
    static constexpr auto open = atoll_mpmc_open;
    static constexpr auto open_or_create = atoll_mpmc_open_or_create;
    static constexpr auto remove = atoll_mpmc_remove;
    static constexpr auto close = atoll_mpmc_close;
    static constexpr auto export_ticket = atoll_mpmc_export;
    static constexpr auto import = atoll_mpmc_import;

    static constexpr auto push = atoll_mpmc_push;
    static constexpr auto push_n = atoll_mpmc_push_n;
    static constexpr auto put = atoll_mpmc_put;

    static atoll_status pop(ring* from, void* to, std::size_t bytes, std::size_t* length) {
        return atoll_mpmc_pop(from, to, bytes, length, nullptr);
    }
    static atoll_status pop_n(ring* from, void* to, std::size_t n, std::size_t* got) {
        return atoll_mpmc_pop_n(from, to, n, got, nullptr);
    }
    static atoll_status get(ring* from, void* to, std::size_t bytes, std::size_t* length,
                            std::int64_t timeout_ns) {
        return atoll_mpmc_get(from, to, bytes, length, nullptr, timeout_ns);
    }

    static constexpr auto shutdown = atoll_mpmc_shutdown;
    static constexpr auto info = atoll_mpmc_info;
    static constexpr auto descriptor = atoll_mpmc_descriptor;
};

}  // namespace detail

/// A ring in a segment, for records of a trivially copyable type T. Any thread may use an object of
/// it, and many at a time.
///
/// What a producer has put stays if it dies; what it was about to put is skipped. What a consumer
/// was about to get when it died goes to another one, out of turn and marked: the dead one may have
/// begun to work on it.
///
/// As long as nobody waits, a put or get of one record is done in the caller's own code, without a
/// call; see inline.h.
template <class T>
class mpmc : public detail::ring<mpmc<T>, T, detail::mpmc_calls> {
    using base = typename mpmc::ring;
    friend base;
    friend typename base::any_ring;
    friend typename base::object;

    explicit mpmc(typename base::handle opened) noexcept : base(std::move(opened)) {
        atoll_mpmc_way way{};
        // Without one all goes by calls.
        static_cast<void>(atoll_mpmc_place(native_handle(), ATOLL_PLACE_CONTRACT, &way));
        way_ = way;
    }

public:
    using reservation = detail::claimed_place<T>;
    using record = detail::shown_record<T>;
    using base::native_handle;
    using base::try_pop_n;

    /// Claims a place, to write a record there; none if it is full. Records come in the order of
    /// their claims, so who gets waits for it. It must not outlive this object. Throws
    /// status::no_space if too many are open: 256 in a ring.
    outcome<reservation> claim() {
        return detail::settle(detail::reserved<reservation>(ATOLL_FULL, atoll_mpmc_claim,
                                                            native_handle(), sizeof(T)));
    }

    /// Takes the next record into the hand, to read it in its place; none if it is empty. Nobody
    /// else gets it unless this process dies, or gives it up. Otherwise as claim().
    outcome<record> peek() {
        return detail::settle(
            detail::reserved<record>(ATOLL_EMPTY, atoll_mpmc_peek, native_handle()));
    }

    /// Gets a record if there is one, and its mark.
    outcome<std::optional<marked<T>>> try_pop_marked() {
        return detail::settle(found([&](void* to, std::uint32_t* times) {
            return detail::unless(ATOLL_EMPTY,
                                  atoll_mpmc_pop(native_handle(), to, sizeof(T), nullptr, times));
        }));
    }

    /// Gets as many records as there are and have room there, says how many, and their mark: one
    /// that was taken over comes alone.
    outcome<std::size_t> try_pop_n(view<T> to, std::uint32_t& times) {
        std::size_t n = 0;
        times = 0;
        if (to.empty()) return n;
        return detail::settle(base::counted(
            n, detail::unless(ATOLL_EMPTY, atoll_mpmc_pop_n(native_handle(), to.data(), to.size(),
                                                            &n, &times))));
    }

    /// Gets a record and its mark, and waits for one if there is none.
    outcome<marked<T>> get_marked() {
        const auto got = got_within(detail::forever());
        return detail::settle(got ? result<marked<T>>(**got) : got.error());
    }

    /// The same for so long at most; empty if none came.
    template <class Rep, class Period>
    outcome<std::optional<marked<T>>> get_marked_for(
        const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(got_within(detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<std::optional<marked<T>>> get_marked_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(got_within(detail::until(deadline)));
    }

private:
    // The short ways. What they do not do a call does, and so there is nothing that they say.

    atoll_place_answer pushed_at_once(const T& from) const noexcept {
        return atoll_place_put_to_many(&*way_, &from, sizeof from) ? ATOLL_PLACE_DONE
                                                                   : ATOLL_PLACE_CALL;
    }

    atoll_place_answer popped_at_once(detail::foreign<T>& to) const noexcept {
        return atoll_place_get_of_many(&*way_, &to, sizeof to) ? ATOLL_PLACE_DONE
                                                               : ATOLL_PLACE_CALL;
    }

    /// It was found when the ring was opened.
    static void find_place(ring_end) noexcept {}

    detail::companion<atoll_mpmc_way> way_;

    template <class Left>
    result<std::optional<marked<T>>> got_within(const Left& left) {
        return found([&](void* to, std::uint32_t* times) {
            return detail::in_time(left, [&](std::int64_t timeout_ns) {
                return atoll_mpmc_get(native_handle(), to, sizeof(T), nullptr, times, timeout_ns);
            });
        });
    }

    /// The record that a call finds, which writes its mark as well.
    template <class Call>
    static result<std::optional<marked<T>>> found(const Call& call) {
        detail::foreign<T> record{};
        std::uint32_t times = 0;
        const result<bool> came = call(&record, &times);
        if (!came.has_value()) return came.error();
        if (!*came) return std::optional<marked<T>>();
        return std::optional<marked<T>>({static_cast<T>(record), times});
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
