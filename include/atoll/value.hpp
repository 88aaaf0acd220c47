/// One value in a segment, in the shape of std::atomic.
///
///     auto hits = atoll::value<std::uint64_t>::open_or_create(segment, "hits");
///     hits.fetch_add(1);

#ifndef ATOLL_VALUE_HPP
#define ATOLL_VALUE_HPP

#include <cstdint>
#include <type_traits>
#include <utility>

#include "segment.hpp"
#include "type.hpp"

namespace libatoll {

/// A shared value of a trivially copyable type T. It starts as all zero bytes, or as what it is
/// given, which nobody can come before.
///
/// Up to 8 bytes it is one atomic word. A larger one is never torn: load() sees one store or
/// another and never waits; only writers wait for each other. Every operation is sequentially
/// consistent. Comparisons compare bits, padding included.
template <class T>
class value {
    static_assert(
        detail::can_be_shared<T>,
        "a shared value must be trivially copyable, default constructible, and aligned to "
        "64 bytes at most: its bytes are all that other processes see");

public:
    using value_type = T;

    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static value create(const segment& in, detail::c_name name = nullptr) {
        return value(atoll_value_create, in, name);
    }

    /// The same, holding `initial` from the start; anonymous if the name is nullptr.
    static value create(const segment& in, detail::c_name name, const T& initial) {
        return value(atoll_value_create_with, in, name, initial);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it holds another type.
    static value open(const segment& in, detail::c_name name) {
        return value(atoll_value_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static value open_or_create(const segment& in, detail::c_name name) {
        return value(atoll_value_open_or_create, in, name);
    }

    /// Opens it as it is, or makes it, holding `initial`, if it is not there.
    static value open_or_create(const segment& in, detail::c_name name, const T& initial) {
        return value(atoll_value_open_or_create_with, in, name, initial);
    }

    /// Removes the name. Whoever has it open goes on using it.
    static void remove(const segment& in, detail::c_name name) {
        detail::check(atoll_value_remove(in.native_handle(), name));
    }

    /// A ticket for this value, for another process to import.
    ticket export_ticket() const {
        ticket written{};
        detail::check(atoll_value_export(native_handle(), &written));
        return written;
    }

    /// Opens what a ticket is for. Throws status::not_found if that is gone, or status::wrong_kind
    /// if it is something else, or holds another type.
    static value import_ticket(const ticket& from) {
        value opened(detail::obtain<handle>(atoll_value_import, &from));
        atoll_type type{};
        detail::check(atoll_value_type(opened.native_handle(), &type));
        detail::check_type<T>(type);
        return opened;
    }

    T load() const {
        stored now{};
        detail::check(atoll_value_load(native_handle(), &now, sizeof now, nullptr));
        return static_cast<T>(now);
    }

    void store(T desired) {
        detail::check(detail::wait(detail::forever(), [&](std::int64_t timeout_ns) {
            return atoll_value_store(native_handle(), &desired, sizeof desired, timeout_ns);
        }));
    }

    /// Stores, and returns what was there.
    T exchange(T desired) {
        stored old{};
        detail::check(detail::wait(detail::forever(), [&](std::int64_t timeout_ns) {
            return atoll_value_swap(native_handle(), &desired, sizeof desired, timeout_ns, &old,
                                    sizeof old, nullptr);
        }));
        return static_cast<T>(old);
    }

    /// Stores `desired` if `expected` is what is there; otherwise loads that into `expected`.
    bool compare_exchange_strong(T& expected, T desired) {
        stored old{};
        bool exchanged = false;
        detail::check(detail::wait(detail::forever(), [&](std::int64_t timeout_ns) {
            return atoll_value_compare_exchange(native_handle(), &expected, &desired, sizeof(T),
                                                timeout_ns, &old, sizeof old, nullptr, &exchanged);
        }));
        if (!exchanged) expected = static_cast<T>(old);
        return exchanged;
    }

    /// The same: it never fails without cause.
    bool compare_exchange_weak(T& expected, T desired) {
        return compare_exchange_strong(expected, desired);
    }

    /// Arithmetic on numbers, each one atomic step that returns the old value; integers wrap.
    T fetch_add(T operand) { return fetch<is_number>(atoll_value_fetch_add, operand); }
    T fetch_sub(T operand) { return fetch<is_number>(atoll_value_fetch_sub, operand); }
    T fetch_min(T operand) { return fetch<is_number>(atoll_value_fetch_min, operand); }
    T fetch_max(T operand) { return fetch<is_number>(atoll_value_fetch_max, operand); }

    /// Bits of integers and of bool.
    T fetch_and(T operand) { return fetch<has_bits>(atoll_value_fetch_and, operand); }
    T fetch_or(T operand) { return fetch<has_bits>(atoll_value_fetch_or, operand); }
    T fetch_xor(T operand) { return fetch<has_bits>(atoll_value_fetch_xor, operand); }

    /// The atomic word itself, for std::atomic_ref and the like. It lives as long as this handle.
    T* data() const {
        static_assert(sizeof(T) <= 8, "a larger value has no one address: its copies take turns");
        void* const address = atoll_value_data(native_handle());
        if (address == nullptr) throw detail::last_error();
        return static_cast<T*>(address);
    }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_value* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_value, atoll_value_close>;

    /// What is read from shared memory: a byte that claims to be a bool may be neither of the two.
    using stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

    static constexpr bool has_bits = std::is_integral_v<T>;
    static constexpr bool is_number =
        std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, long double>;

    explicit value(handle opened) : handle_(std::move(opened)) {}

    template <class Call>
    value(Call call, const segment& in, detail::c_name name) {
        const atoll_type type = detail::type_of<T>();
        handle_ = detail::obtain<handle>(call, in.native_handle(), name, &type);
    }

    template <class Call>
    value(Call call, const segment& in, detail::c_name name, const T& initial) {
        const atoll_type type = detail::type_of<T>();
        handle_ = detail::obtain<handle>(call, in.native_handle(), name, &type, &initial,
                                         sizeof initial);
    }

    template <bool Allowed, class Call>
    T fetch(Call call, T operand) {
        static_assert(
            Allowed,
            "fetch_add, sub, min, max need a number; fetch_and, or, xor an integer or bool");
        stored old{};
        detail::check(call(native_handle(), &operand, sizeof operand, &old, sizeof old, nullptr));
        return static_cast<T>(old);
    }

    handle handle_;
};

}  // namespace libatoll

#endif
