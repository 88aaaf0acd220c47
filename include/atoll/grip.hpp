/// How a wait for a condition lets go of the caller's lock and takes it back. Nothing here is meant
/// for users.

#ifndef ATOLL_GRIP_HPP
#define ATOLL_GRIP_HPP

#include <mutex>
#include <shared_mutex>

#include "mutex.hpp"
#include "shared_mutex.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// On a lock of whatever type, by its own lock() and unlock(): what those throw goes through.
template <class Lock>
class grip {
public:
    explicit grip(Lock& lock) noexcept : lock_(lock) {}

    result<void> let_go() { return lock_.unlock(), result<void>(); }
    result<void> take_back() { return lock_.lock(), result<void>(); }

private:
    Lock& lock_;
};

/// On a mutex of ours, by the calls of one way to hold it. That tells of a death in the meantime
/// without an exception, too. What can be held more than once is let go wholly, and taken back as
/// often.
template <class Calls, bool Counts, class Mutex>
class grip_of_ours {
public:
    explicit grip_of_ours(Mutex* mutex) noexcept : mutex_(mutex) {}

    result<void> let_go() {
        const result<void> freed = Calls::unlock(mutex_->native_handle());
        if (!freed) return freed;
        times_ = 1;
        while (Counts && Calls::unlock(mutex_->native_handle())) times_++;
        return {};
    }

    result<void> take_back() {
        for (; times_ != 0; times_--) {
            const auto held = at_last(Calls::take(mutex_->native_handle(), forever()));
            if (!held) return held;
        }
        return {};
    }

private:
    Mutex* mutex_;
    unsigned times_ = 0;
};

/// On a std::unique_lock or std::shared_lock of ours, which learns of it: it holds the mutex
/// afterwards, or, after a failure, does not.
template <class Calls, bool Counts, class Guard>
class grip_of_guard {
public:
    explicit grip_of_guard(Guard& guard) noexcept : guard_(guard), within_(guard.mutex()) {}

    result<void> let_go() {
        if (!guard_.owns_lock()) {
            return failure(status::not_owner, "the lock that is to wait does not hold its mutex");
        }
        const result<void> freed = within_.let_go();
        if (freed) now(std::defer_lock);
        return freed;
    }

    result<void> take_back() {
        const result<void> held = within_.take_back();
        if (held) now(std::adopt_lock);
        return held;
    }

private:
    template <class Tag>
    void now(Tag tag) {
        guard_ = Guard(*guard_.release(), tag);
    }

    Guard& guard_;
    grip_of_ours<Calls, Counts, typename Guard::mutex_type> within_;
};

template <class Lock>
auto grip_on(Lock& lock) {
    return grip<Lock>(lock);
}

template <bool Recursive>
auto grip_on(basic_mutex<Recursive>& mutex) {
    return grip_of_ours<mutex_calls, Recursive, basic_mutex<Recursive>>(&mutex);
}

template <bool Recursive>
auto grip_on(std::unique_lock<basic_mutex<Recursive>>& guard) {
    using type = std::unique_lock<basic_mutex<Recursive>>;
    return grip_of_guard<mutex_calls, Recursive, type>(guard);
}

inline auto grip_on(shared_mutex& mutex) {
    return grip_of_ours<writer_calls, false, shared_mutex>(&mutex);
}

inline auto grip_on(std::unique_lock<shared_mutex>& guard) {
    return grip_of_guard<writer_calls, false, std::unique_lock<shared_mutex>>(guard);
}

inline auto grip_on(std::shared_lock<shared_mutex>& guard) {
    return grip_of_guard<reader_calls, true, std::shared_lock<shared_mutex>>(guard);
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
