/// Atomic operations on a word in shared memory. Nothing here is meant for users.
///
/// The compiler's builtins and not std::atomic, for no std::atomic was ever constructed there.

#ifndef ATOLL_WORD_HPP
#define ATOLL_WORD_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "variant.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Integers of so many bytes. `shared` may be the same memory as a T.
template <std::size_t Size>
struct word_of {};

template <>
struct word_of<1> {
    using bits = std::uint8_t;
    typedef bits shared __attribute__((may_alias));
};

template <>
struct word_of<2> {
    using bits = std::uint16_t;
    typedef bits shared __attribute__((may_alias));
};

template <>
struct word_of<4> {
    using bits = std::uint32_t;
    typedef bits shared __attribute__((may_alias));
};

template <>
struct word_of<8> {
    using bits = std::uint64_t;
    typedef bits shared __attribute__((may_alias));
};

/// Whether a T can be one.
template <class T>
inline constexpr bool is_word =
    sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8;

/// What may stand in for a T that another program stored: its bytes need not be a T's. A bool that
/// is neither of the two would be undefined; every other scalar can have any bits.
template <class T>
using foreign = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

/// What is done to a T that lies in shared memory, in the words of std::atomic.
template <class T>
struct word {
    using order = std::memory_order;
    using bits = typename word_of<sizeof(T)>::bits;
    using shared = typename word_of<sizeof(T)>::shared;

    static bits bits_of(const T& value) noexcept {
        bits raw;
        std::memcpy(&raw, &value, sizeof raw);
        return raw;
    }

    static T value_of(bits raw) noexcept {
        foreign<T> value;
        std::memcpy(&value, &raw, sizeof raw);
        return static_cast<T>(value);
    }

    static T load(const void* at, order how) noexcept {
        return value_of(__atomic_load_n(static_cast<const shared*>(at), int(how)));
    }

    static void store(void* at, const T& desired, order how) noexcept {
        __atomic_store_n(static_cast<shared*>(at), bits_of(desired), int(how));
    }

    static T exchange(void* at, const T& desired, order how) noexcept {
        return value_of(
            __atomic_exchange_n(static_cast<shared*>(at), bits_of(desired), int(how)));
    }

    static bool compare_exchange(void* at, T& expected, const T& desired, bool weak, order success,
                                 order failure) noexcept {
        bits seen = bits_of(expected);
        const bool exchanged =
            __atomic_compare_exchange_n(static_cast<shared*>(at), &seen, bits_of(desired), weak,
                                        int(success), int(failure));
        if (!exchanged) expected = value_of(seen);
        return exchanged;
    }

    static T fetch_add(void* at, T operand, order how) noexcept {
        if constexpr (std::is_floating_point_v<T>) {
            return change(at, how, [operand](T old) { return sum(old, operand); });
        } else {
            return value_of(
                __atomic_fetch_add(static_cast<shared*>(at), bits_of(operand), int(how)));
        }
    }

    static T fetch_sub(void* at, T operand, order how) noexcept {
        if constexpr (std::is_floating_point_v<T>) {
            return change(at, how, [operand](T old) { return difference(old, operand); });
        } else {
            return value_of(
                __atomic_fetch_sub(static_cast<shared*>(at), bits_of(operand), int(how)));
        }
    }

    /// With a NaN on either side the old one stays.
    static T fetch_min(void* at, T operand, order how) noexcept {
        return change(at, how, [operand](T old) { return operand < old ? operand : old; });
    }

    static T fetch_max(void* at, T operand, order how) noexcept {
        return change(at, how, [operand](T old) { return operand > old ? operand : old; });
    }

    static T fetch_and(void* at, T operand, order how) noexcept {
        return value_of(__atomic_fetch_and(static_cast<shared*>(at), bits_of(operand), int(how)));
    }

    static T fetch_or(void* at, T operand, order how) noexcept {
        return value_of(__atomic_fetch_or(static_cast<shared*>(at), bits_of(operand), int(how)));
    }

    static T fetch_xor(void* at, T operand, order how) noexcept {
        return value_of(__atomic_fetch_xor(static_cast<shared*>(at), bits_of(operand), int(how)));
    }

    /// Of integers, wrapping around.
    static T sum(T left, T right) noexcept {
        if constexpr (std::is_floating_point_v<T>) return left + right;
        else return value_of(static_cast<bits>(bits_of(left) + bits_of(right)));
    }

    static T difference(T left, T right) noexcept {
        if constexpr (std::is_floating_point_v<T>) return left - right;
        else return value_of(static_cast<bits>(bits_of(left) - bits_of(right)));
    }

private:
    /// Replaces what is there by what `next` makes of it.
    template <class Next>
    static T change(void* at, order how, Next next) noexcept {
        // Relaxed: only a guess, which the exchange checks.
        bits old = __atomic_load_n(static_cast<shared*>(at), __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(static_cast<shared*>(at), &old,
                                            bits_of(next(value_of(old))), true, int(how),
                                            __ATOMIC_RELAXED)) {
        }
        return value_of(old);
    }
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
