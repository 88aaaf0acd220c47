/// Taking a lock by the calls of the C interface, and what a death means then. Nothing here is
/// meant for users.

#ifndef ATOLL_LOCK_CALLS_HPP
#define ATOLL_LOCK_CALLS_HPP

#include <cstdint>
#include <optional>

#include "handle.hpp"
#include "waiting.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Who a C function names; empty if it is nobody.
template <class Call, class T>
result<std::optional<owner>> somebody(Call function, const T* handle) {
    const auto who = ask<owner>(function, handle);
    if (!who) return who.error();
    return who->generation == 0 ? std::nullopt : std::optional(*who);
}

/// Whether an owner had died, or empty if the lock could not be had.
inline result<std::optional<bool>> recovered(atoll_status got) {
    if (got == ATOLL_TIMED_OUT) return std::optional<bool>();
    if (got != ATOLL_OK && got != ATOLL_OWNER_DIED) return last_failure();
    return std::optional(got == ATOLL_OWNER_DIED);
}

/// One way to hold a lock, by the C functions that take it, give it back and tell who died.
template <auto Lock, auto Unlock, auto DeadOwner>
struct lock_calls {
    /// Whether it could be had; after a death it is given back.
    template <class T, class Left>
    static result<bool> take(T* handle, const Left& left) {
        const atoll_status got = acquire(handle, left);
        if (got == ATOLL_OK) return true;
        if (got == ATOLL_TIMED_OUT) return false;
        if (got != ATOLL_OWNER_DIED) return last_failure();
        const auto dead = somebody(DeadOwner, handle);
        const result<void> freed = unlock(handle);
        if (!freed) return freed.error();
        return failure(dead ? dead->value_or(owner{}) : owner{},
                       "take it with lock_recover(), repair, then mark_consistent()");
    }

    /// Whether an owner had died, or empty if it could not be had.
    template <class T, class Left>
    static result<std::optional<bool>> recover(T* handle, const Left& left) {
        return recovered(acquire(handle, left));
    }

    template <class T>
    static result<void> unlock(T* handle) {
        return call(Unlock, handle);
    }

private:
    template <class T, class Left>
    static atoll_status acquire(T* handle, const Left& left) {
        return wait(left, [&](std::int64_t timeout_ns) { return Lock(handle, timeout_ns); });
    }
};

/// Of a recovery without end.
inline result<bool> at_last(const result<std::optional<bool>>& recovered) {
    if (!recovered) return recovered.error();
    return **recovered;
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
