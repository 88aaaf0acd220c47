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

/// Elements of an array that a transaction lends, in the shape of std::span. Not to be written to
/// when the transaction has ended.
template <class T>
class lent {
public:
    using element_type = T;
    using value_type = T;
    using iterator = T*;

    lent(T* first, std::size_t size) noexcept : first_(first), size_(size) {}

    T* data() const noexcept { return first_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    iterator begin() const noexcept { return first_; }
    iterator end() const noexcept { return first_ + size_; }

    /// Counted from the first of them. Unchecked.
    T& operator[](std::size_t index) const noexcept { return first_[index]; }

private:
    T* first_;
    std::size_t size_;
};

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
    explicit transaction(basic_mutex<First>& first, basic_mutex<Rest>&... rest) {
        detail::check(take_sound(detail::forever(), first, rest...));
    }

    /// The same, but empty if they cannot be had in that time.
    template <class Rep, class Period, bool... Recursive>
    static std::optional<transaction> try_for(const std::chrono::duration<Rep, Period>& timeout,
                                              basic_mutex<Recursive>&... mutexes) {
        std::optional<transaction> begun{transaction()};
        const atoll_status got = begun->take_sound(detail::within(timeout), mutexes...);
        if (got == ATOLL_TIMED_OUT) return std::nullopt;
        detail::check(got);
        return begun;
    }

    /// Takes the mutexes even after a death; owner_died() says so. Repair what they guard, call
    /// mark_consistent() of those whose dead_owner() is told, and commit.
    template <bool... Recursive>
    [[nodiscard]] static transaction recover(basic_mutex<Recursive>&... mutexes) {
        transaction begun;
        const atoll_status got = begun.take(detail::forever(), mutexes...);
        if (got != ATOLL_OWNER_DIED) detail::check(got);
        begun.owner_died_ = got == ATOLL_OWNER_DIED;
        return begun;
    }

    /// Whether recover() found that an owner had died.
    bool owner_died() const noexcept { return owner_died_; }

    /// Stores to a value. Waits while another thread writes a value of more than 8 bytes.
    template <class T>
    void store(value<T>& where, const typename value<T>::value_type& desired) {
        detail::check(detail::wait(detail::forever(), [&](std::int64_t timeout_ns) {
            return atoll_transaction_store(native_handle(), where.native_handle(), &desired,
                                           sizeof desired, timeout_ns);
        }));
    }

    /// Lends `count` elements from `first` on, counted row by row, to be written to until the end
    /// of the transaction. What is there is copied first, so lend what will change, and not more.
    template <class T>
    lent<T> modify(const array<T>& where, std::size_t first, std::size_t count) {
        static_assert(!std::is_const_v<T>, "the elements of an array<const T> cannot be modified");
        void* address = nullptr;
        detail::check(atoll_transaction_modify(native_handle(), where.native_handle(), first, count,
                                               &address));
        return {static_cast<T*>(address), count};
    }

    /// Lends one element.
    template <class T>
    T& modify(const array<T>& where, std::size_t index) {
        return modify(where, index, 1)[0];
    }

    /// Makes all of it so, and unlocks the mutexes. The transaction has ended then.
    void commit() { detail::check(atoll_transaction_commit(handle_.release())); }

    /// Undoes all of it, and unlocks the mutexes. So does the destructor.
    void abort() { detail::check(atoll_transaction_abort(handle_.release())); }

    /// The C handle, still owned by this object; NULL when it has ended.
    atoll_transaction* native_handle() const noexcept { return handle_.get(); }

private:
    transaction() = default;

    template <class Left, class... Mutexes>
    atoll_status take(const Left& left, Mutexes&... mutexes) {
        static_assert(sizeof...(mutexes) >= 1 && sizeof...(mutexes) <= 8,
                      "a transaction has one to eight mutexes");
        atoll_mutex* const handles[] = {mutexes.native_handle()...};
        atoll_transaction* begun = nullptr;
        const atoll_status got = detail::wait(left, [&](std::int64_t timeout_ns) {
            return atoll_transaction_begin(handles, sizeof...(mutexes), timeout_ns, &begun);
        });
        handle_.reset(begun);
        return got;
    }

    template <class Left, class... Mutexes>
    atoll_status take_sound(const Left& left, Mutexes&... mutexes) {
        const atoll_status got = take(left, mutexes...);
        if (got != ATOLL_OWNER_DIED) return got;
        std::optional<owner> dead;
        static_cast<void>(((dead = mutexes.dead_owner()) || ...));  // the first there is
        abort();
        detail::throw_owner_died(dead.value_or(owner{}), "transaction::recover()");
    }

    detail::handle<atoll_transaction, atoll_transaction_abort> handle_;
    bool owner_died_ = false;
};

}  // namespace libatoll

#endif
