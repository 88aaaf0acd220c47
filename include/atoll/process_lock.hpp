/// A lock that a process holds: whichever thread took it, any thread of any process gives it back.
///
///     auto busy = atoll::process_lock::open_or_create(segment, "busy");
///     busy.lock();                                                // here, to begin a job
///     busy.unlock();                                              // there, when it is done
///
/// Where the thread that locks also unlocks, mutex is faster and tells more.

#ifndef ATOLL_PROCESS_LOCK_HPP
#define ATOLL_PROCESS_LOCK_HPP

#include <cstdint>
#include <optional>
#include <utility>

#include "lockable.hpp"
#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Of a lock whose news comes once, with the call that takes it.
struct process_lock_calls {
    template <class Left>
    static result<bool> take(atoll_lock* handle, const Left& left) {
        owner former{};
        const atoll_status got = acquire(handle, left, &former);
        if (got == ATOLL_OK) return true;
        if (got == ATOLL_TIMED_OUT) return false;
        if (got != ATOLL_OWNER_DIED) return last_failure();
        const result<void> freed = unlock(handle);
        if (!freed) return freed.error();
        return failure(former, "the lock is free again: repair that now, for nobody else is told");
    }

    template <class Left>
    static result<std::optional<bool>> recover(atoll_lock* handle, const Left& left,
                                               owner* former = nullptr) {
        return recovered(acquire(handle, left, former));
    }

    static result<void> unlock(atoll_lock* handle) { return call(atoll_lock_release, handle); }

private:
    template <class Left>
    static atoll_status acquire(atoll_lock* handle, const Left& left, owner* former) {
        return wait(left, [&](std::int64_t timeout_ns) {
            return atoll_lock_acquire(handle, timeout_ns, former);
        });
    }
};

}  // namespace detail

/// A process-owned lock in a segment. Not recursive: a process that locks it again waits until
/// somebody unlocks it.
///
/// Works with std::lock_guard, std::unique_lock and std::scoped_lock. To unlock what nobody holds
/// throws status::not_owner.
///
/// If the holder dies, or leaves the segment, the next lock() throws owner_died, with the lock free
/// again, and lock_recover() returns true, holding it. Only one is told, so whoever is has to
/// repair what it guards. To unlock after the holder's death is no failure, and ends the news.
class process_lock : public detail::object<process_lock, atoll_lock_close, atoll_lock_remove,
                                           atoll_lock_export, atoll_lock_import>,
                     public detail::lockable<process_lock, detail::process_lock_calls> {
    using object::object;
    friend detail::lockable<process_lock, detail::process_lock_calls>;

public:
    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static outcome<process_lock> create(const segment& in, detail::c_name name = nullptr) {
        return made(atoll_lock_create, in, name);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else.
    static outcome<process_lock> open(const segment& in, detail::c_name name) {
        return made(atoll_lock_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<process_lock> open_or_create(const segment& in, detail::c_name name) {
        return made(atoll_lock_open_or_create, in, name);
    }

    using lockable::lock_recover;

    /// The same, and says who died, if it returns true. The thread's id is not known.
    [[nodiscard]] outcome<bool> lock_recover(libatoll::owner& former) {
        return detail::settle(detail::at_last(
            detail::process_lock_calls::recover(native_handle(), detail::forever(), &former)));
    }

    /// Which process holds it at this moment, dead or alive; empty if nobody does.
    outcome<std::optional<libatoll::owner>> owner() const {
        return detail::settle(detail::somebody(atoll_lock_owner, native_handle()));
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
