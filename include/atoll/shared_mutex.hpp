/// Many readers or one writer, any of whom may die. In the shape of std::shared_timed_mutex.
///
///     std::shared_lock look(mutex);                     // with other readers; throws owner_died
///     std::unique_lock change(mutex);                   // alone; after the death of a writer, too
///
///     const bool died = mutex.lock_recover();           // never throws owner_died
///     std::lock_guard hold(mutex, std::adopt_lock);
///     if (died) {
///         repair();
///         mutex.mark_consistent();
///     }

#ifndef ATOLL_SHARED_MUTEX_HPP
#define ATOLL_SHARED_MUTEX_HPP

#include <chrono>
#include <cstddef>
#include <optional>

#include "inline.h"
#include "lockable.hpp"
#include "object.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

using writer_calls =
    lock_calls<atoll_rwlock_write_lock, atoll_rwlock_write_unlock, atoll_rwlock_dead_owner>;
using reader_calls =
    lock_calls<atoll_rwlock_read_lock, atoll_rwlock_read_unlock, atoll_rwlock_dead_owner>;

}  // namespace detail

/// A reader-writer lock in a segment.
///
/// Works with std::shared_lock, std::unique_lock, std::scoped_lock and condition_variable_any. The
/// thread that locked it unlocks it. A reader may lock it for reading again, and a writer that
/// waits does not stop it; nobody can turn one into the other: for who reads or writes, waiting to
/// write throws status::deadlock, and so does a writer's waiting to read.
///
/// A reader that dies no longer counts. When a writer dies, lock() and lock_shared() throw
/// owner_died, and do not hold the lock, until somebody has locked it by lock_recover() and marked
/// it consistent.
///
/// Unless somebody writes, reading is entered and left by an atomic instruction each in the
/// caller's own code, on a word of the thread's own; see inline.h.
class shared_mutex
    : public detail::placed_object<shared_mutex, atoll_rwlock_place, atoll_rwlock_close,
                                   atoll_rwlock_remove, atoll_rwlock_export, atoll_rwlock_import>,
      public detail::lockable<shared_mutex, detail::writer_calls> {
    using placed_object::placed_object;
    friend detail::lockable<shared_mutex, detail::writer_calls>;
    using reading = detail::reader_calls;

public:
    /// Makes a new one; anonymous without a name. Throws status::already_exists.
    static outcome<shared_mutex> create(const segment& in, detail::c_name name = nullptr) {
        return made(atoll_rwlock_create, in, name);
    }

    /// Opens what exists. Throws status::not_found, or status::wrong_kind if it is something else.
    static outcome<shared_mutex> open(const segment& in, detail::c_name name) {
        return made(atoll_rwlock_open, in, name);
    }

    /// Opens it, or makes it if it is not there.
    static outcome<shared_mutex> open_or_create(const segment& in, detail::c_name name) {
        return made(atoll_rwlock_open_or_create, in, name);
    }

    // --- to write: alone, as any lock of one holder; see lockable.hpp ----------------------------

    /// Says, while holding it to write after a death, that what it guards is sound again.
    outcome<void> mark_consistent() {
        return detail::settle(detail::call(atoll_rwlock_mark_consistent, native_handle()));
    }

    // --- to read: together with others -----------------------------------------------------------

    /// Waits until nobody writes. Throws owner_died as lock() does.
    void lock_shared() {
        if (!read_at_once()) wait_to_read();
    }

    /// Takes the lock if nobody writes, or else returns false. Throws as lock() does.
    bool try_lock_shared() { return read_at_once() || try_to_read_by_call(); }

    /// Waits for so long at most. Throws as lock() does.
    template <class Rep, class Period>
    bool try_lock_shared_for(const std::chrono::duration<Rep, Period>& timeout) {
        return read_at_once() || take_shared(detail::within(timeout));
    }

    template <class Clock, class Duration>
    bool try_lock_shared_until(const std::chrono::time_point<Clock, Duration>& deadline) {
        return read_at_once() || take_shared(detail::until(deadline));
    }

    /// Gives it back. Throws status::not_owner if this thread does not hold it to read.
    void unlock_shared() {
        if (!left_at_once()) unlock_shared_by_call();
    }

    /// Waits until nobody writes and returns holding it, even after a death: true says that a
    /// writer died, so that what is read may be half-changed. Readers cannot mark it consistent.
    [[nodiscard]] outcome<bool> lock_shared_recover() {
        return detail::settle(detail::at_last(recover_shared(detail::forever())));
    }

    /// The same without a wait, or one that has an end: empty if the lock could not be had.
    [[nodiscard]] outcome<std::optional<bool>> try_lock_shared_recover() {
        return detail::settle(recover_shared(detail::at_once()));
    }

    template <class Rep, class Period>
    [[nodiscard]] outcome<std::optional<bool>> try_lock_shared_recover_for(
        const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(recover_shared(detail::within(timeout)));
    }

    template <class Clock, class Duration>
    [[nodiscard]] outcome<std::optional<bool>> try_lock_shared_recover_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(recover_shared(detail::until(deadline)));
    }

    // --- who -------------------------------------------------------------------------------------

    /// Who holds it to write at this moment; empty if nobody does.
    outcome<std::optional<libatoll::owner>> owner() const {
        return detail::settle(detail::somebody(atoll_rwlock_owner, native_handle()));
    }

    /// Who died holding it to write; empty if nobody did, or if it was marked consistent since.
    outcome<std::optional<libatoll::owner>> dead_owner() const {
        return detail::settle(detail::somebody(atoll_rwlock_dead_owner, native_handle()));
    }

    /// How many threads hold it to read at this moment.
    outcome<std::size_t> readers() const {
        const auto now = detail::ask<std::uint32_t>(atoll_rwlock_readers, native_handle());
        return detail::settle(now ? result<std::size_t>(*now) : now.error());
    }

private:
    /// The short ways: false says that something is not as usual, and that a call has to see to it.
    bool read_at_once() const noexcept {
        return __builtin_expect(atoll_place_read_lock(place()), true);
    }

    bool left_at_once() const noexcept {
        return __builtin_expect(atoll_place_read_unlock(place()), true);
    }

    [[gnu::cold, gnu::noinline]] void wait_to_read() { take_shared(detail::forever()); }

    [[gnu::cold, gnu::noinline]] bool try_to_read_by_call() {
        return take_shared(detail::at_once());
    }

    [[gnu::cold, gnu::noinline]] void unlock_shared_by_call() {
        detail::certain::from(reading::unlock(native_handle()));
    }

    template <class Left>
    bool take_shared(const Left& left) {
        return detail::certain::from(reading::take(native_handle(), left));
    }

    template <class Left>
    result<std::optional<bool>> recover_shared(const Left& left) {
        if (read_at_once()) return std::optional(false);
        return reading::recover(native_handle(), left);
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
