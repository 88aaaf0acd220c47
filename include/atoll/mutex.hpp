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

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "segment.hpp"

namespace libatoll {
namespace detail {

/// `recover` is what would have taken the mutex all the same.
[[noreturn]] inline void throw_owner_died(const owner& dead, const char* recover) {
    throw owner_died(dead, "process " + std::to_string(dead.pid) + " (" + dead.name +
                               ") died holding the mutex, so what it guards may be half-changed; "
                               "take it with " +
                               recover + ", repair, then mark_consistent()");
}

}  // namespace detail

/// A mutex in a segment: mutex, or recursive_mutex, which its holder may lock again.
///
/// Works with std::lock_guard, std::unique_lock, std::scoped_lock and std::lock. The thread that
/// locked it unlocks it. Unlike std::mutex it notices misuse: locking what this thread holds throws
/// status::deadlock, unlocking what it does not hold throws status::not_owner. (A lock_guard cannot
/// pass that on, so there it ends the program; it takes an unlock behind the guard's back, or a
/// guard that unwinds in a forked child.)
template <bool Recursive>
class basic_mutex {
public:
    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static basic_mutex create(const segment& in, detail::c_name name = nullptr) {
        return basic_mutex(atoll_mutex_create, in, name);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind for the other kind.
    static basic_mutex open(const segment& in, detail::c_name name) {
        return basic_mutex(atoll_mutex_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static basic_mutex open_or_create(const segment& in, detail::c_name name) {
        return basic_mutex(atoll_mutex_open_or_create, in, name);
    }

    /// Removes the name of a mutex of either kind. Whoever has it open goes on using it.
    static void remove(const segment& in, detail::c_name name) {
        detail::check(atoll_mutex_remove(in.native_handle(), name));
    }

    /// A ticket for this mutex, for another process to import.
    ticket export_ticket() const {
        ticket written{};
        detail::check(atoll_mutex_export(native_handle(), &written));
        return written;
    }

    /// Opens what a ticket is for. Throws status::not_found if that is gone, or status::wrong_kind
    /// if it is something else, or a mutex of the other kind.
    static basic_mutex import_ticket(const ticket& from) {
        constexpr std::uint64_t kinds[] = {ATOLL_KIND_MUTEX, ATOLL_KIND_RECURSIVE_MUTEX};
        if (from.words[0] == kinds[!Recursive]) {
            throw error(status::wrong_kind,
                        Recursive ? "the ticket is for a mutex that is not recursive"
                                  : "the ticket is for a recursive mutex");
        }
        return basic_mutex(detail::obtain<handle>(atoll_mutex_import, &from));
    }

    /// Waits for the lock. Throws owner_died, with the lock free again, if its last holder died
    /// holding it; so does every lock() by anyone until somebody has marked it consistent.
    void lock() { take(detail::forever()); }

    /// Takes the lock if it is free, or else returns false. Throws as lock() does.
    bool try_lock() { return take(detail::at_once()); }

    /// Waits for so long at most. Throws as lock() does.
    template <class Rep, class Period>
    bool try_lock_for(const std::chrono::duration<Rep, Period>& timeout) {
        return take(detail::within(timeout));
    }

    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration>& deadline) {
        return take(detail::until(deadline));
    }

    /// Waits for the lock and returns holding it, even after a death: true says that the last
    /// holder died. Repair what it guarded, then call mark_consistent().
    [[nodiscard]] bool lock_recover() {
        const atoll_status got = acquire(detail::forever());
        if (got == ATOLL_OWNER_DIED) return true;
        detail::check(got);
        return false;
    }

    /// Says, while holding it after a death, that what it guards is sound again. In a transaction
    /// it counts from the commit on.
    void mark_consistent() { detail::check(atoll_mutex_mark_consistent(native_handle())); }

    void unlock() { detail::check(atoll_mutex_unlock(native_handle())); }

    /// Who holds it at this moment; empty if nobody does.
    std::optional<libatoll::owner> owner() const { return ask(atoll_mutex_owner); }

    /// Who died holding it; empty if nobody did, or if it was marked consistent since.
    std::optional<libatoll::owner> dead_owner() const { return ask(atoll_mutex_dead_owner); }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_mutex* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_mutex, atoll_mutex_close>;

    explicit basic_mutex(handle opened) : handle_(std::move(opened)) {}

    template <class Call>
    basic_mutex(Call call, const segment& in, detail::c_name name) {
        atoll_mutex_options given = ATOLL_MUTEX_OPTIONS_INIT;
        given.recursive = Recursive;
        handle_ = detail::obtain<handle>(call, in.native_handle(), name, &given);
    }

    template <class Left>
    atoll_status acquire(const Left& left) {
        return detail::wait(left, [&](std::int64_t timeout_ns) {
            return atoll_mutex_lock(native_handle(), timeout_ns);
        });
    }

    template <class Left>
    bool take(const Left& left) {
        const atoll_status got = acquire(left);
        if (got == ATOLL_TIMED_OUT) return false;
        if (got == ATOLL_OWNER_DIED) give_back();
        detail::check(got);
        return true;
    }

    [[noreturn]] void give_back() {
        const libatoll::owner dead = dead_owner().value_or(libatoll::owner{});
        unlock();
        detail::throw_owner_died(dead, "lock_recover()");
    }

    template <class Call>
    std::optional<libatoll::owner> ask(Call call) const {
        libatoll::owner who{};
        detail::check(call(native_handle(), &who));
        return who.generation == 0 ? std::nullopt : std::optional(who);
    }

    handle handle_;
};

using mutex = basic_mutex<false>;
using recursive_mutex = basic_mutex<true>;

}  // namespace libatoll

#endif
