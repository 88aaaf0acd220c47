/// atoll for C++17 and up: shared memory objects that survive the death of any process.
///
///     #include <atoll.hpp>
///
///     auto segment = atoll::segment::open_or_create("counters");
///     auto mutex   = atoll::mutex::open_or_create(segment, "guard");
///     auto total   = atoll::value<std::int64_t>::open_or_create(segment, "total");
///     auto other   = atoll::value<std::int64_t>::open_or_create(segment, "other", 100);
///     {
///         std::scoped_lock hold(mutex);
///         total.store(total.load() + 1);
///     }
///     atoll::transaction both(mutex);  // all of it or nothing, even if this process is killed
///     both.store(total, total.load() - 1);
///     both.store(other, other.load() + 1);
///     both.commit();
///
///     auto workers = atoll::barrier::open_or_create(segment, "workers", 4);
///     workers.arrive_and_wait();  // throws broken, with the pid, if one of them dies in here
///
///     auto jobs = atoll::spsc<std::int64_t>::open_or_create(segment, "jobs", {1024});
///     jobs.put(7);                // from one process to another; or get() there
///
/// A header-only layer over the C interface in atoll.h, where each call is described in full. Names
/// and behaviour are those of the standard library wherever it has them.
///
/// Errors    Every failure throws atoll::error, a std::system_error whose what() says what to do.
///           Constructors do not exist apart from moves and that of a transaction: create, open
///           and open_or_create either return an object that works or throw. Destructors never
///           throw.
///
/// Without exceptions
///           Define ATOLL_NO_EXCEPTIONS before the first #include, or for the compiler, and
///           whatever would throw returns an atoll::result instead, in the shape of std::expected.
///           Where a signature below says outcome<T>, it is a T, or a result<T> in this variant.
///           Transactions begin by transaction::begin(), which gives a result in both. What has no
///           room for a result ends the program, as the standard library does: see variant.hpp.
///           Files of both variants may be linked together.
///
/// Death     lock() throws atoll::owner_died, and does not hold the lock, when the last holder died
///           holding it: the data may be half-changed. Code that can repair calls lock_recover().
///           A barrier in which a party died throws atoll::broken. Nobody waits for the dead in any
///           of the others: see shared_mutex, condition_variable_any, counting_semaphore and
///           tracked_semaphore, event, latch. What was put into a ring is there, whoever dies, and
///           a dead producer's or consumer's place can be taken: see spsc, mpmc and fanin.
///
/// Ownership Objects are handles of this process, movable and not copyable. Destroying one closes
///           the handle; what lies in shared memory stays. Handles may be destroyed in any order,
///           the segment first if you like. A moved-from handle may only be destroyed or assigned
///           to; any other call on it throws status::invalid_argument.
///
/// Threads   Any thread may use any handle at any time, except that a handle must not be moved,
///           assigned or destroyed while another thread uses it. The thread that locked a mutex
///           unlocks it; the one that began a transaction ends it.
///
/// Fork      Handles stay valid in the child. Locks and transactions of the parent are not the
///           child's.
///
/// Signals   Signal handlers run during a wait, and the wait then goes on to the same deadline. A
///           handler may set an event, release a semaphore and unlock a process_lock, and must use
///           nothing else here, as it must not use the C interface.
///
/// Time      Timeouts are std::chrono's. What does not fit 64 bits of nanoseconds means "for ever".
///
/// Speed     Locking or unlocking a mutex that nobody else wants is a compare-exchange in your own
///           code, and so is coming and going as a reader, or a permit that is there; an operation
///           on a value of 1, 2, 4 or 8 bytes is the atomic instruction itself, and to look at an
///           event is a load. To put or get one record of a spsc is a copy and some loads and
///           stores, once its role was taken and while nobody sleeps there. The library is called
///           for all else: a thread's or a forked child's first lock in a segment, waits, news of a
///           death, open transactions, larger values, what is open read-only. You need not know
///           which it is; atoll/inline.h says how it is told. On machines other than x86-64 locks
///           are taken and values changed by calls.
///
/// Types     What is shared must be trivially copyable, default constructible and free of pointers.
///           The compiler says so in words if it is not, save that it cannot see a pointer within
///           a struct, or in what is one, such as std::string_view.

#ifndef ATOLL_HPP
#define ATOLL_HPP

#if __cplusplus < 201703L
#error "atoll.hpp needs C++17 or later: compile with -std=c++17"
#endif

#include "atoll/array.hpp"
#include "atoll/barrier.hpp"
#include "atoll/condition.hpp"
#include "atoll/error.hpp"
#include "atoll/event.hpp"
#include "atoll/fanin.hpp"
#include "atoll/latch.hpp"
#include "atoll/messages.hpp"
#include "atoll/mpmc.hpp"
#include "atoll/mutex.hpp"
#include "atoll/process_lock.hpp"
#include "atoll/segment.hpp"
#include "atoll/semaphore.hpp"
#include "atoll/shared_mutex.hpp"
#include "atoll/spsc.hpp"
#include "atoll/transaction.hpp"
#include "atoll/value.hpp"
#include "atoll/wait_any.hpp"
#include "atoll/waiter.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// Every public name, spelled atoll::name.
///
/// It would be a namespace, had C not taken the word: <stdlib.h> declares a function atoll(), and a
/// namespace must not share its name with a function, though a class may. The definitions live in
/// namespace libatoll; name that one in a using directive, a namespace alias or a specialisation.
/// (This class as well: of two variants in one program, each has its own.)
struct atoll {
    atoll() = delete;

    using status = libatoll::status;
    using failure = libatoll::failure;
    using error = libatoll::error;
    using owner_died = libatoll::owner_died;
    using broken = libatoll::broken;

    template <class T>
    using result = libatoll::result<T>;

    template <class T>
    using outcome = libatoll::outcome<T>;

    using segment = libatoll::segment;
    using segment_options = libatoll::segment_options;
    using segment_info = libatoll::segment_info;
    using object_info = libatoll::object_info;
    using member_info = libatoll::member_info;
    using ticket = libatoll::ticket;

    using mutex = libatoll::mutex;
    using recursive_mutex = libatoll::recursive_mutex;
    using shared_mutex = libatoll::shared_mutex;
    using process_lock = libatoll::process_lock;
    using owner = libatoll::owner;

    using condition_variable_any = libatoll::condition_variable_any;
    using counting_semaphore = libatoll::counting_semaphore;
    using tracked_semaphore = libatoll::tracked_semaphore;

    using waiter = libatoll::waiter;
    using waitable = libatoll::waitable;
    using ready_set = libatoll::ready_set;

    using event = libatoll::event;
    using latch = libatoll::latch;
    using barrier = libatoll::barrier;
    using barrier_info = libatoll::barrier_info;

    template <class T>
    using spsc = libatoll::spsc<T>;

    template <class T>
    using mpmc = libatoll::mpmc<T>;

    using messages = libatoll::messages;

    template <class T>
    using marked = libatoll::marked<T>;

    template <class T>
    using fanin = libatoll::fanin<T>;

    using ring_end = libatoll::ring_end;
    using ring_options = libatoll::ring_options;
    using ring_info = libatoll::ring_info;
    using waiting = libatoll::waiting;

    template <class T>
    using value = libatoll::value<T>;

    template <class T>
    using array = libatoll::array<T>;

    template <class T>
    using view = libatoll::view<T>;

    using transaction = libatoll::transaction;

    static outcome<ready_set> wait_any(const std::vector<waitable>& of) {
        return libatoll::wait_any(of);
    }

    template <class Rep, class Period>
    static outcome<ready_set> wait_any_for(const std::vector<waitable>& of,
                                           const std::chrono::duration<Rep, Period>& timeout) {
        return libatoll::wait_any_for(of, timeout);
    }

    template <class Clock, class Duration>
    static outcome<ready_set> wait_any_until(
        const std::vector<waitable>& of,
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return libatoll::wait_any_until(of, deadline);
    }

    static outcome<std::uint64_t> gc() { return libatoll::gc(); }
    static outcome<void> process_leave() { return libatoll::process_leave(); }

    /// The category of every error; its name is "atoll".
    static const std::error_category& category() noexcept { return libatoll::category(); }

    static std::error_code make_error_code(status code) noexcept {
        return libatoll::make_error_code(code);
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

using libatoll::atoll;

#endif
