/// One value in a segment, in the shape of std::atomic.
///
///     auto hits = atoll::value<std::uint64_t>::open_or_create(segment, "hits");
///     hits.fetch_add(1);
///     hits += 1;

#ifndef ATOLL_VALUE_HPP
#define ATOLL_VALUE_HPP

#include <atomic>
#include <chrono>
#include <type_traits>
#include <utility>

#include "value_calls.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// A shared value of a trivially copyable type T. It starts as all zero bytes, or as what it is
/// given, which nobody can come before.
///
/// Of 1, 2, 4 or 8 bytes it is one atomic word, and every operation one instruction or a short loop
/// in the caller's own code, in the memory order asked for. Others, and any value in a segment that
/// is open read-only, go through calls, which are sequentially consistent whatever is asked for. A
/// value larger than 8 bytes is never torn: load() sees one store or another and never waits; only
/// writers wait for each other. Comparisons compare bits, padding included.
///
/// Of std::atomic, wait() and notify_*() are missing: there is no call for them yet.
template <class T>
class value {
    static_assert(detail::can_be_shared<T>());

    using order = std::memory_order;
    static constexpr order strongest = std::memory_order_seq_cst;

    static constexpr bool is_word = detail::is_word<T>;
    using word = detail::word<std::conditional_t<is_word, T, unsigned char>>;

public:
    using value_type = T;

    /// Whether a killed or stopped process can keep nobody waiting.
    static constexpr bool is_always_lock_free = sizeof(T) <= 8;
    bool is_lock_free() const noexcept { return is_always_lock_free; }

    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static outcome<value> create(const segment& in, detail::c_name name = nullptr) {
        return made(atoll_value_create, in, name);
    }

    /// The same, holding `initial` from the start; anonymous if the name is nullptr.
    static outcome<value> create(const segment& in, detail::c_name name, const T& initial) {
        return made(atoll_value_create_with, in, name, &initial);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it holds another type.
    static outcome<value> open(const segment& in, detail::c_name name) {
        return made(atoll_value_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<value> open_or_create(const segment& in, detail::c_name name) {
        return made(atoll_value_open_or_create, in, name);
    }

    /// Opens it as it is, or makes it, holding `initial`, if it is not there.
    static outcome<value> open_or_create(const segment& in, detail::c_name name, const T& initial) {
        return made(atoll_value_open_or_create_with, in, name, &initial);
    }

    /// Removes the name. Whoever has it open goes on using it.
    static outcome<void> remove(const segment& in, detail::c_name name) {
        return detail::settle(detail::call(atoll_value_remove, in.native_handle(), name));
    }

    /// A ticket for this value, for another process to import.
    outcome<ticket> export_ticket() const {
        return detail::settle(detail::ask<ticket>(atoll_value_export, calls_.handle()));
    }

    /// Opens what a ticket is for. Throws status::not_found if that is gone, or status::wrong_kind
    /// if it is something else, or holds another type.
    static outcome<value> import_ticket(const ticket& from) {
        return detail::settle(placed(calls::imported(from)));
    }

    outcome<T> load(order how = strongest) const { return load_as<settled>(how); }

    outcome<void> store(T desired, order how = strongest) {
        return store_as<settled>(desired, how);
    }

    /// Stores, and returns what was there.
    outcome<T> exchange(T desired, order how = strongest) {
        if constexpr (is_word) {
            if (has(*word_)) return word::exchange(*word_, desired, how);
        }
        return by_call<settled, &calls::exchange>(calls_, desired);
    }

    /// Stores `desired` if `expected` is what is there; otherwise loads that into `expected`. The
    /// weak one may fail without cause.
    outcome<bool> compare_exchange_strong(T& expected, T desired, order success, order failure) {
        return compare_exchange<false>(expected, desired, success, failure);
    }
    outcome<bool> compare_exchange_strong(T& expected, T desired, order how = strongest) {
        return compare_exchange<false>(expected, desired, how, for_failure(how));
    }
    outcome<bool> compare_exchange_weak(T& expected, T desired, order success, order failure) {
        return compare_exchange<true>(expected, desired, success, failure);
    }
    outcome<bool> compare_exchange_weak(T& expected, T desired, order how = strongest) {
        return compare_exchange<true>(expected, desired, how, for_failure(how));
    }

    /// Arithmetic on numbers, each one atomic step that returns the old value; integers wrap.
    outcome<T> fetch_add(T operand, order how = strongest) { return add<settled>(operand, how); }
    outcome<T> fetch_sub(T operand, order how = strongest) { return sub<settled>(operand, how); }
    outcome<T> fetch_min(T operand, order how = strongest) {
        return number<settled, &word::fetch_min>(atoll_value_fetch_min, operand, how);
    }
    outcome<T> fetch_max(T operand, order how = strongest) {
        return number<settled, &word::fetch_max>(atoll_value_fetch_max, operand, how);
    }

    /// Bits of integers and of bool.
    outcome<T> fetch_and(T operand, order how = strongest) { return clear<settled>(operand, how); }
    outcome<T> fetch_or(T operand, order how = strongest) { return set<settled>(operand, how); }
    outcome<T> fetch_xor(T operand, order how = strongest) { return flip<settled>(operand, how); }

    /// The usual operators, always in the strongest order. They have no room for a result.
    operator T() const { return load_as<certain>(strongest); }
    T operator=(T desired) { return store_as<certain>(desired, strongest), desired; }
    T operator++() { return *this += 1; }
    T operator--() { return *this -= 1; }
    T operator++(int) { return add<certain>(1, strongest); }
    T operator--(int) { return sub<certain>(1, strongest); }
    T operator+=(T operand) { return word::sum(add<certain>(operand, strongest), operand); }
    T operator-=(T operand) { return word::difference(sub<certain>(operand, strongest), operand); }
    T operator&=(T operand) { return T(clear<certain>(operand, strongest) & operand); }
    T operator|=(T operand) { return T(set<certain>(operand, strongest) | operand); }
    T operator^=(T operand) { return T(flip<certain>(operand, strongest) ^ operand); }

    /// Stores, unless other writers of a value larger than 8 bytes are in the way for so long.
    template <class Rep, class Period>
    outcome<bool> try_store_for(T desired, const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(calls_.store_within(desired, detail::within(timeout)));
    }
    template <class Clock, class Duration>
    outcome<bool> try_store_until(T desired,
                                  const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(calls_.store_within(desired, detail::until(deadline)));
    }

    /// The atomic word itself, for std::atomic_ref and the like. It lives as long as this handle.
    outcome<T*> data() const {
        static_assert(sizeof(T) <= 8, "a larger value has no one address: its copies take turns");
        return detail::settle(calls_.data());
    }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_value* native_handle() const noexcept { return calls_.handle(); }

private:
    using calls = detail::value_calls<T>;
    using settled = detail::settled;
    using certain = detail::certain;

    value(calls opened, const atoll_place& place) noexcept
        : calls_(std::move(opened)),
          seen_(place.word),
          word_(place.flags & ATOLL_PLACE_READ_ONLY ? nullptr : place.word) {}

    /// Finds out where the value lies, once and for all.
    static result<value> placed(result<calls> opened) {
        if (!opened) return opened.error();
        const auto place = detail::place_of(atoll_value_place, opened->handle());
        if (!place) return place.error();
        return value(*std::move(opened), *place);
    }

    template <class Call, class... Initial>
    static outcome<value> made(Call function, const segment& in, detail::c_name name,
                               const Initial*... initial) {
        return detail::settle(placed(calls::obtained(function, in, name, initial...)));
    }

    // Each operation, ending in one of two ways: in what the caller gets, or certainly.

    template <class End>
    auto load_as(order how) const -> typename End::template type<T> {
        if constexpr (is_word) {
            if (has(*seen_)) return word::load(*seen_, how);
        }
        return by_call<End, &calls::load>(calls_);
    }

    template <class End>
    auto store_as(const T& desired, order how) -> typename End::template type<void> {
        if constexpr (is_word) {
            if (has(*word_)) {
                word::store(*word_, desired, how);
                return typename End::template type<void>();
            }
        }
        return by_call<End, &calls::store>(calls_, desired);
    }

    template <bool Weak>
    outcome<bool> compare_exchange(T& expected, const T& desired, order success, order failure) {
        if constexpr (is_word) {
            if (has(*word_)) {
                return word::compare_exchange(*word_, expected, desired, Weak, success, failure);
            }
        }
        return by_call<settled, &calls::compare_exchange>(calls_, &expected, desired);
    }

    template <class End>
    auto add(T operand, order how) {
        return number<End, &word::fetch_add>(atoll_value_fetch_add, operand, how);
    }

    template <class End>
    auto sub(T operand, order how) {
        return number<End, &word::fetch_sub>(atoll_value_fetch_sub, operand, how);
    }

    template <class End>
    auto clear(T operand, order how) {
        return bits<End, &word::fetch_and>(atoll_value_fetch_and, operand, how);
    }

    template <class End>
    auto set(T operand, order how) {
        return bits<End, &word::fetch_or>(atoll_value_fetch_or, operand, how);
    }

    template <class End>
    auto flip(T operand, order how) {
        return bits<End, &word::fetch_xor>(atoll_value_fetch_xor, operand, how);
    }

    template <class End, auto Direct, class Call>
    auto number(Call function, T operand, order how) {
        static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool> &&
                          !std::is_same_v<T, long double>,
                      "fetch_add, sub, min and max, ++, --, += and -= need a number");
        return fetch<End, Direct>(function, operand, how);
    }

    template <class End, auto Direct, class Call>
    auto bits(Call function, T operand, order how) {
        static_assert(std::is_integral_v<T>,
                      "fetch_and, or and xor, &=, |= and ^= need an integer or a bool");
        return fetch<End, Direct>(function, operand, how);
    }

    template <class End, auto Direct, class Call>
    auto fetch(Call function, T operand, order how) -> typename End::template type<T> {
        if constexpr (is_word) {
            if (has(*word_)) return Direct(*word_, operand, how);
        }
        return by_call<End, &calls::fetch>(calls_, function, operand);
    }

    /// The order of a comparison that fails, as std::atomic derives it: it stores nothing.
    static constexpr order for_failure(order how) noexcept {
        if (how == std::memory_order_acq_rel) return std::memory_order_acquire;
        if (how == std::memory_order_release) return std::memory_order_relaxed;
        return how;
    }

    static bool has(void* word) noexcept { return __builtin_expect(word != nullptr, true); }

    /// An operation that is usual for what is no word, and for a word is kept out of the way.
    template <class End, auto Operation, class Calls, class... Inputs>
    static auto by_call(Calls& calls, const Inputs&... inputs) {
        if constexpr (is_word) return rarely<End, Operation>(calls, inputs...);
        else return End::from((calls.*Operation)(inputs...));
    }

    template <class End, auto Operation, class Calls, class... Inputs>
    [[gnu::cold, gnu::noinline]] static auto rarely(Calls& calls, Inputs... inputs) {
        return End::from((calls.*Operation)(inputs...));
    }

    calls calls_;
    detail::companion<void*> seen_;  ///< where to load from, if there is a short way
    detail::companion<void*> word_;  ///< where to store, if there is one
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
