/// Mutual exclusion between processes that may die while they hold it.
///
///     std::scoped_lock hold(mutex);                     // throws owner_died after a death
///
///     const bool died = mutex.lock_recover();           // never throws owner_died
///     std::lock_guard hold(mutex, std::adopt_lock);
///     if (died) {
///         repair();
///         mutex.mark_consistent();
///     }

#ifndef ATOLL_MUTEX_HPP
#define ATOLL_MUTEX_HPP

#include <cstdint>
#include <optional>
#include <utility>

#include "inline.h"
#include "lockable.hpp"
#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

using mutex_calls = lock_calls<atoll_mutex_lock, atoll_mutex_unlock, atoll_mutex_dead_owner>;

template <class Self>
using mutex_object = placed_object<Self, atoll_mutex_place, atoll_mutex_close, atoll_mutex_remove,
                                   atoll_mutex_export, atoll_mutex_import>;

}  // namespace detail

/// A mutex in a segment: mutex, or recursive_mutex, which its holder may lock again.
///
/// Works with std::lock_guard, std::unique_lock, std::scoped_lock, std::lock and
/// std::condition_variable_any. The thread that locked it unlocks it. Unlike std::mutex it notices
/// misuse: locking what this thread holds throws status::deadlock, unlocking what it does not hold
/// throws status::not_owner. (A lock_guard cannot pass that on, so there it ends the program; it
/// takes an unlock behind the guard's back, or a guard that unwinds in a forked child.)
///
/// After a death lock() throws owner_died, to everybody, until somebody has taken it by
/// lock_recover() and marked it consistent.
///
/// While nobody else wants it, locking and unlocking is a compare-exchange each in the caller's own
/// code; see inline.h.
template <bool Recursive>
class basic_mutex : public detail::mutex_object<basic_mutex<Recursive>>,
                    public detail::lockable<basic_mutex<Recursive>, detail::mutex_calls> {
    using base = detail::mutex_object<basic_mutex>;
    using base::base;
    using base::place;
    friend typename base::object;
    friend detail::lockable<basic_mutex, detail::mutex_calls>;

public:
    using base::native_handle;

    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static outcome<basic_mutex> create(const segment& in, detail::c_name name = nullptr) {
        return made(atoll_mutex_create, in, name);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind for the other kind.
    static outcome<basic_mutex> open(const segment& in, detail::c_name name) {
        return made(atoll_mutex_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<basic_mutex> open_or_create(const segment& in, detail::c_name name) {
        return made(atoll_mutex_open_or_create, in, name);
    }

    /// Says, while holding it after a death, that what it guards is sound again. In a transaction
    /// it counts from the commit on.
    outcome<void> mark_consistent() {
        return detail::settle(detail::call(atoll_mutex_mark_consistent, native_handle()));
    }

    /// Who holds it at this moment; empty if nobody does.
    outcome<std::optional<libatoll::owner>> owner() const {
        return detail::settle(detail::somebody(atoll_mutex_owner, native_handle()));
    }

    /// Who died holding it; empty if nobody did, or if it was marked consistent since.
    outcome<std::optional<libatoll::owner>> dead_owner() const {
        return detail::settle(detail::somebody(atoll_mutex_dead_owner, native_handle()));
    }

private:
    template <class Call>
    static outcome<basic_mutex> made(Call function, const segment& in, detail::c_name name) {
        atoll_mutex_options given = ATOLL_MUTEX_OPTIONS_INIT;
        given.recursive = Recursive;
        return base::made(function, in, name, &given);
    }

    static const char* objection_to(std::uint64_t kind) noexcept {
        if (kind != (Recursive ? ATOLL_KIND_MUTEX : ATOLL_KIND_RECURSIVE_MUTEX)) return nullptr;
        return Recursive ? "the ticket is for a mutex that is not recursive"
                         : "the ticket is for a recursive mutex";
    }

    /// The short ways: false says that something is not as usual, and that a call has to see to it.
    bool lock_at_once() const noexcept {
        return __builtin_expect(
            Recursive ? atoll_place_lock_recursive(place()) : atoll_place_lock(place()), true);
    }

    bool unlock_at_once() const noexcept {
        return __builtin_expect(
            Recursive ? atoll_place_unlock_recursive(place()) : atoll_place_unlock(place()), true);
    }
};

using mutex = basic_mutex<false>;
using recursive_mutex = basic_mutex<true>;

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
