/// What every lock has that one holds alone: the names of the standard library, and recovery after
/// a death. Nothing here is meant for users.

#ifndef ATOLL_LOCKABLE_HPP
#define ATOLL_LOCKABLE_HPP

#include <chrono>
#include <optional>

#include "lock_calls.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// A base of the class Self, whose lock is held by Calls. Self may have short ways, lock_at_once()
/// and unlock_at_once(): false says that something is not as usual, and that a call has to see to
/// it.
template <class Self, class Calls>
class lockable {
public:
    /// Waits for the lock. Throws owner_died, with the lock free again, if its last holder died
    /// holding it.
    void lock() {
        if (!self().lock_at_once()) wait_for_lock();
    }

    /// Takes the lock if it is free, or else returns false. Throws as lock() does.
    bool try_lock() { return self().lock_at_once() || try_lock_by_call(); }

    /// Waits for so long at most. Throws as lock() does.
    template <class Rep, class Period>
    bool try_lock_for(const std::chrono::duration<Rep, Period>& timeout) {
        return self().lock_at_once() || certain::from(take(within(timeout)));
    }

    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration>& deadline) {
        return self().lock_at_once() || certain::from(take(until(deadline)));
    }

    /// Gives the lock back. Throws status::not_owner if it is not held as it must be for that.
    void unlock() {
        if (!self().unlock_at_once()) unlock_by_call();
    }

    /// Waits for the lock and returns holding it, even after a death: true says that the last
    /// holder died. Repair what it guarded then, and mark it consistent where a lock has that.
    [[nodiscard]] outcome<bool> lock_recover() { return settle(at_last(recover(forever()))); }

    /// The same without a wait, or one that has an end: empty if the lock could not be had.
    [[nodiscard]] outcome<std::optional<bool>> try_lock_recover() {
        return settle(recover(at_once()));
    }

    template <class Rep, class Period>
    [[nodiscard]] outcome<std::optional<bool>> try_lock_recover_for(
        const std::chrono::duration<Rep, Period>& timeout) {
        return settle(recover(within(timeout)));
    }

    template <class Clock, class Duration>
    [[nodiscard]] outcome<std::optional<bool>> try_lock_recover_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return settle(recover(until(deadline)));
    }

protected:
    lockable() = default;
    lockable(lockable&&) = default;
    lockable& operator=(lockable&&) = default;
    ~lockable() = default;

    /// Of a lock without short ways.
    static constexpr bool lock_at_once() noexcept { return false; }
    static constexpr bool unlock_at_once() noexcept { return false; }

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }

    [[gnu::cold, gnu::noinline]] void wait_for_lock() { certain::from(take(forever())); }

    [[gnu::cold, gnu::noinline]] bool try_lock_by_call() {
        return certain::from(take(at_once()));
    }

    [[gnu::cold, gnu::noinline]] void unlock_by_call() {
        certain::from(Calls::unlock(self().native_handle()));
    }

    template <class Left>
    result<bool> take(const Left& left) {
        return Calls::take(self().native_handle(), left);
    }

    template <class Left>
    result<std::optional<bool>> recover(const Left& left) {
        if (self().lock_at_once()) return std::optional(false);
        return Calls::recover(self().native_handle(), left);
    }
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
