/// Several changes that all happen, or none of them, whoever is killed.
///
///     atoll::transaction transfer(mutex);          // locks it; throws owner_died after a death
///     transfer.store(from, from.load() - amount);
///     transfer.store(to, to.load() + amount);
///     transfer.commit();                           // without it, all of that is undone
///
/// What a transaction has changed is put back if it is aborted or destroyed, and if its process is
/// killed before the commit: by whoever takes one of the mutexes next. The promise is made to those
/// who take the mutexes; others may see changes that are undone later.

#ifndef ATOLL_TRANSACTION_HPP
#define ATOLL_TRANSACTION_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "array.hpp"
#include "mutex.hpp"
#include "value.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// An open transaction under one to eight mutexes of one segment, plain or recursive.
///
/// It belongs to the thread that began it, which has one at a time; its mutexes cannot be locked or
/// unlocked by themselves before it ends. A forked child does not have it.
class transaction {
public:
    /// Takes the mutexes, in an order in which nobody can wait for each other for ever. Throws
    /// owner_died, with all of them free again, if an owner of one died outside of a transaction
    /// and nobody has marked it consistent.
    template <bool First, bool... Rest>
    explicit transaction(basic_mutex<First>& first, basic_mutex<Rest>&... rest)
        : transaction(detail::certain::from(begin(first, rest...))) {
        static_assert(detail::throws && sizeof(basic_mutex<First>) != 0,
                      "without exceptions a transaction begins by transaction::begin()");
    }

    /// The same, with a result in both variants.
    template <bool... Recursive>
    static result<transaction> begin(basic_mutex<Recursive>&... mutexes) {
        return at_last(begun(detail::forever(), refuse_after_death, mutexes...));
    }

    /// The same, but empty if they cannot be had in that time.
    template <class Rep, class Period, bool... Recursive>
    static outcome<std::optional<transaction>> try_for(
        const std::chrono::duration<Rep, Period>& timeout, basic_mutex<Recursive>&... mutexes) {
        return detail::settle(begun(detail::within(timeout), refuse_after_death, mutexes...));
    }

    template <class Clock, class Duration, bool... Recursive>
    static outcome<std::optional<transaction>> try_until(
        const std::chrono::time_point<Clock, Duration>& deadline,
        basic_mutex<Recursive>&... mutexes) {
        return detail::settle(begun(detail::until(deadline), refuse_after_death, mutexes...));
    }

    /// Takes the mutexes even after a death; owner_died() says so. Repair what they guard, call
    /// mark_consistent() of those whose dead_owner() is told, and commit.
    template <bool... Recursive>
    [[nodiscard]] static outcome<transaction> recover(basic_mutex<Recursive>&... mutexes) {
        return detail::settle(at_last(begun(detail::forever(), take_after_death, mutexes...)));
    }

    /// The same, but empty if they cannot be had in that time.
    template <class Rep, class Period, bool... Recursive>
    [[nodiscard]] static outcome<std::optional<transaction>> try_recover_for(
        const std::chrono::duration<Rep, Period>& timeout, basic_mutex<Recursive>&... mutexes) {
        return detail::settle(begun(detail::within(timeout), take_after_death, mutexes...));
    }

    template <class Clock, class Duration, bool... Recursive>
    [[nodiscard]] static outcome<std::optional<transaction>> try_recover_until(
        const std::chrono::time_point<Clock, Duration>& deadline,
        basic_mutex<Recursive>&... mutexes) {
        return detail::settle(begun(detail::until(deadline), take_after_death, mutexes...));
    }

    /// Whether recover() found that an owner had died.
    bool owner_died() const noexcept { return owner_died_; }

    /// Stores to a value. Waits while another thread writes a value of more than 8 bytes, or has
    /// one stored to in its transaction.
    template <class T>
    outcome<void> store(value<T>& where, const typename value<T>::value_type& desired) {
        return detail::settle(detail::at_last(stored_within(detail::forever(), where, desired)));
    }

    /// The same, unless it has to wait for longer. The transaction goes on either way.
    template <class T, class Rep, class Period>
    outcome<bool> try_store_for(value<T>& where, const typename value<T>::value_type& desired,
                                const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(stored_within(detail::within(timeout), where, desired));
    }

    template <class T, class Clock, class Duration>
    outcome<bool> try_store_until(value<T>& where, const typename value<T>::value_type& desired,
                                  const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(stored_within(detail::until(deadline), where, desired));
    }

    /// Lends `count` elements from `first` on, counted row by row, to be written to until the end
    /// of the transaction. What is there is copied first, so lend what will change, and not more.
    template <class T>
    outcome<view<T>> modify(const array<T>& where, std::size_t first, std::size_t count) {
        return detail::settle(lent(where, first, count));
    }

    /// Lends one element.
    template <class T>
    outcome<T&> modify(const array<T>& where, std::size_t index) {
        const result<view<T>> one = lent(where, index, 1);
        return detail::settle(one ? result<T&>(one->front()) : one.error());
    }

    /// Makes all of it so, and unlocks the mutexes. The transaction has ended then.
    outcome<void> commit() {
        return detail::settle(detail::call(atoll_transaction_commit, handle_.release()));
    }

    /// Undoes all of it, and unlocks the mutexes. So does the destructor.
    outcome<void> abort() {
        return detail::settle(detail::call(atoll_transaction_abort, handle_.release()));
    }

    /// The C handle, still owned by this object; NULL when it has ended.
    atoll_transaction* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_transaction, atoll_transaction_abort>;
    enum after_death { refuse_after_death, take_after_death };

    transaction(handle begun, bool owner_died) noexcept
        : handle_(std::move(begun)), owner_died_(owner_died) {}

    /// Empty if the mutexes could not be had in time.
    template <class Left, class... Mutexes>
    static result<std::optional<transaction>> begun(const Left& left, after_death then,
                                                    Mutexes&... mutexes) {
        static_assert(sizeof...(mutexes) >= 1 && sizeof...(mutexes) <= 8,
                      "a transaction has one to eight mutexes");
        atoll_mutex* const handles[] = {mutexes.native_handle()...};
        atoll_transaction* out = nullptr;
        const atoll_status got = detail::wait(left, [&](std::int64_t timeout_ns) {
            return atoll_transaction_begin(handles, sizeof...(mutexes), timeout_ns, &out);
        });
        if (got == ATOLL_TIMED_OUT) return std::optional<transaction>();
        if (got != ATOLL_OK && got != ATOLL_OWNER_DIED) return detail::last_failure();
        handle opened(out);
        if (got == ATOLL_OWNER_DIED && then == refuse_after_death) return refused(mutexes...);
        return std::optional(transaction(std::move(opened), got == ATOLL_OWNER_DIED));
    }

    /// Who died, of the first mutex that tells of one.
    template <class... Mutexes>
    static failure refused(const Mutexes&... mutexes) {
        atoll_owner dead{};
        static_cast<void>(
            ((atoll_mutex_dead_owner(mutexes.native_handle(), &dead) == ATOLL_OK &&
              dead.generation != 0) ||
             ...));
        return failure(dead, "take it with transaction::recover(), repair, then mark_consistent()");
    }

    /// Of a wait without end.
    static result<transaction> at_last(result<std::optional<transaction>> begun) {
        if (!begun) return begun.error();
        return **std::move(begun);
    }

    template <class Left, class T>
    result<bool> stored_within(const Left& left, value<T>& where, const T& desired) {
        return detail::in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_transaction_store(native_handle(), where.native_handle(), &desired,
                                           sizeof desired, timeout_ns);
        });
    }

    template <class T>
    result<view<T>> lent(const array<T>& where, std::size_t first, std::size_t count) {
        static_assert(!std::is_const_v<T>, "the elements of an array<const T> cannot be modified");
        const auto address = detail::ask<void*>(atoll_transaction_modify, native_handle(),
                                                where.native_handle(), first, count);
        if (!address) return address.error();
        return view<T>(static_cast<T*>(*address), count);
    }

    handle handle_;
    bool owner_died_ = false;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
