/// A wait for a condition that is an object, for one thread that waits for many things at once.
///
///     std::unique_lock hold(mutex);
///     auto change = atoll::waiter::create(changed);      // a notify counts from here on
///     hold.unlock();
///     const auto ready = atoll::wait_any({stop, change});
///     if (change.finish()) look_again();

#ifndef ATOLL_WAITER_HPP
#define ATOLL_WAITER_HPP

#include <utility>

#include "condition.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// A place among those who wait for a condition variable, held by the thread that made it.
///
/// To destroy one that is not finished passes on what it was notified of, as a death does. That,
/// moves and wait_any() are for any thread; all else is for the one that made it, and throws
/// status::not_owner on another, or in a forked child.
class waiter {
public:
    /// Begins to wait. Do it while you hold the lock of the condition, and let go of that then.
    static outcome<waiter> create(condition_variable_any& condition) {
        return detail::settle(begun(condition));
    }

    /// Ends the wait, and says whether it was notified. Of one that has ended, the same again.
    [[nodiscard]] outcome<bool> finish() {
        return detail::settle(detail::ask<bool>(atoll_waiter_finish, native_handle()));
    }

    /// A descriptor for poll() and event loops, readable when it was notified, and perhaps when not.
    /// Call this again before each poll: that empties and arms it. It belongs to this object, and
    /// is closed with it.
    outcome<int> descriptor() {
        return detail::settle(detail::ask<int>(atoll_waiter_descriptor, native_handle()));
    }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_waiter* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_waiter, atoll_waiter_close>;

    explicit waiter(handle opened) noexcept : handle_(std::move(opened)) {}

    static result<waiter> begun(condition_variable_any& condition) {
        auto got = detail::obtain<handle>(atoll_waiter_create, condition.native_handle());
        if (!got) return got.error();
        return waiter(*std::move(got));
    }

    handle handle_;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
