// Condition variables: with all kinds of locks, in order, with an end.

#include <dlfcn.h>

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::condition_variable_any>);
static_assert(std::is_nothrow_move_constructible_v<atoll::condition_variable_any>);

constexpr auto notified = std::cv_status::no_timeout;

// What happens at the end of the next piece of a wait, when its time is said to be up.
static void (*too_late)();

atoll_status atoll_condvar_commit_wait(atoll_condvar* condvar, std::int64_t timeout_ns) {
    if (const auto happens = std::exchange(too_late, nullptr)) {
        happens();
        return ATOLL_TIMED_OUT;
    }
    static const auto library = reinterpret_cast<decltype(&atoll_condvar_commit_wait)>(
        dlsym(RTLD_NEXT, "atoll_condvar_commit_wait"));
    return library(condvar, timeout_ns);
}

// A condition variable, a mutex, and what is guarded.
struct scene : test_segment {
    atoll::condition_variable_any changed =
        OK(atoll::condition_variable_any::create(segment, "changed"));
    atoll::mutex mutex = OK(atoll::mutex::create(segment, "mutex"));
    int waiting = 0;

    // Returns, with the lock, when so many threads have begun to wait.
    std::unique_lock<atoll::mutex> once_waiting(int n) {
        for (;; std::this_thread::yield()) {
            std::unique_lock hold(mutex);
            if (waiting == n) return hold;
        }
    }
};

// --- locks ---------------------------------------------------------------------------------------

// One thread waits with `waits`, the other changes what it waits for under `changes`.
template <class Waits, class Changes>
static void a_change_is_waited_for(Waits& waits, Changes& changes) {
    scene here;
    auto& changed = here.changed;
    int turn = 0;
    std::thread other([&] {
        changes.lock();
        OK(changed.wait(changes, [&] { return turn == 1; }));
        turn = 2;
        OK(changed.notify_one());
        changes.unlock();
    });
    waits.lock();
    turn = 1;
    OK(changed.notify_one());
    OK(changed.wait(waits, [&] { return turn == 2; }));
    turn = 3;
    CHECK(OK(changed.wait_for(waits, 1ms, [&] { return turn == 3; })));
    CHECK(!OK(changed.wait_for(waits, 1ms, [&] { return turn == 4; })));
    waits.unlock();
    other.join();
}

template <class Mutex>
static void with_it_and_guards_of_it(Mutex& mutex) {
    a_change_is_waited_for(mutex, mutex);
    std::unique_lock one(mutex, std::defer_lock), two(mutex, std::defer_lock);
    a_change_is_waited_for(one, two);
    a_change_is_waited_for(one, mutex);
}

// The least that a lock can be.
class least {
    std::mutex inner_;

public:
    void lock() { inner_.lock(); }
    void unlock() { inner_.unlock(); }
};

static void any_lock_will_do() {
    test_segment test;
    auto plain = OK(atoll::mutex::create(test.segment));
    with_it_and_guards_of_it(plain);
    auto recursive = OK(atoll::recursive_mutex::create(test.segment));
    with_it_and_guards_of_it(recursive);
    auto shared = OK(atoll::shared_mutex::create(test.segment));
    with_it_and_guards_of_it(shared);
    std::shared_lock reader(shared, std::defer_lock);
    a_change_is_waited_for(reader, shared);
    std::mutex of_this_process;
    with_it_and_guards_of_it(of_this_process);
    least other;
    with_it_and_guards_of_it(other);
}

static void the_lock_is_held_afterwards() {
    scene here;
    std::unique_lock hold(here.mutex);
    CHECK(OK(here.changed.wait_for(hold, 1ms)) == std::cv_status::timeout);
    CHECK(hold.owns_lock() && hold.mutex() == &here.mutex && !is_free(here.mutex));
    std::thread other([&] {
        std::unique_lock inner(here.mutex);
        here.waiting++;
        OK(here.changed.wait(inner));
        CHECK(inner.owns_lock() && !is_free(here.mutex));
    });
    hold.unlock();
    hold = here.once_waiting(1);
    OK(here.changed.notify_one());
    hold.unlock();
    other.join();
    CHECK(is_free(here.mutex));
}

static void what_is_held_twice_is_let_go_wholly() {
    scene here;
    auto mutex = OK(atoll::recursive_mutex::create(here.segment));
    auto shared = OK(atoll::shared_mutex::create(here.segment));
    bool ready = false;
    const auto change = [&](auto& lock) {
        lock.lock();
        ready = true;
        OK(here.changed.notify_all());
        lock.unlock();
    };
    for (int outer = 0; outer < 2; outer++) mutex.lock();
    std::thread first([&] { change(mutex); });
    OK(here.changed.wait(mutex, [&] { return ready; }));
    first.join();
    mutex.unlock();
    CHECK(!is_free(mutex));
    mutex.unlock();
    CHECK(is_free(mutex));

    ready = false;
    shared.lock_shared();
    std::shared_lock again(shared);
    std::thread second([&] { change(shared); });
    OK(here.changed.wait(again, [&] { return ready; }));
    second.join();
    again.unlock();
    CHECK(!is_free(shared));
    shared.unlock_shared();
    CHECK(is_free(shared));
}

static void who_waits_must_hold_the_lock() {
    scene here;
    const auto wrong = atoll::status::not_owner;
    std::unique_lock hold(here.mutex, std::defer_lock);
    std::unique_lock<atoll::mutex> none;
    FAILS(wrong, "hold", here.changed.wait(here.mutex));
    FAILS(wrong, "hold", here.changed.wait(hold));
    FAILS(wrong, "hold", here.changed.wait_for(none, 1s));
    hold.lock();  // and it is in nobody's place meanwhile
    CHECK(OK(here.changed.wait_for(hold, 0s)) == std::cv_status::timeout && hold.owns_lock());
}

// --- who is notified -----------------------------------------------------------------------------

static void the_longest_wait_ends_first() {
    scene here;
    std::vector<int> left;
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; n++) {
        threads.emplace_back([&, n] {
            std::unique_lock hold(here.mutex);
            here.waiting++;
            OK(here.changed.wait(hold));
            left.push_back(n);
        });
        here.once_waiting(n + 1);
    }
    const auto until = [&](std::size_t n) {
        for (;; std::this_thread::yield()) {
            std::scoped_lock hold(here.mutex);
            if (left.size() == n) return;
        }
    };
    OK(here.changed.notify_one());
    until(1);
    OK(here.changed.notify_one());
    until(2);
    CHECK((left == std::vector{0, 1}));
    OK(here.changed.notify_many(1));
    until(3);
    CHECK(left[2] == 2);
    OK(here.changed.notify_all());
    for (auto& thread : threads) thread.join();
    CHECK(left.size() == 4);
}

static void so_many_and_no_more_are_notified() {
    scene here;
    std::atomic<int> left = 0;
    std::vector<std::thread> threads;
    for (int n = 0; n < 3; n++) {
        threads.emplace_back([&] {
            std::unique_lock hold(here.mutex);
            here.waiting++;
            OK(here.changed.wait(hold));
            left++;
        });
    }
    here.once_waiting(3);
    OK(here.changed.notify_many(0));
    std::this_thread::sleep_for(10ms);
    CHECK(left == 0);
    OK(here.changed.notify_many(2));
    while (left < 2) std::this_thread::yield();
    std::this_thread::sleep_for(10ms);
    CHECK(left == 2);
    OK(here.changed.notify_many(5));
    for (auto& thread : threads) thread.join();
    std::unique_lock hold(here.mutex);  // what was too much is not kept
    CHECK(OK(here.changed.wait_for(hold, 0s)) == std::cv_status::timeout);
    FAILS(atoll::status::invalid_argument, "count", here.changed.notify_many(-1));
}

// --- for how long --------------------------------------------------------------------------------

static void waits_end_on_time_or_when_notified() {
    scene here;
    const auto wait = [&](auto how) {
        std::unique_lock hold(here.mutex);
        here.waiting++;
        const bool came = how(hold);
        here.waiting--;
        return came && hold.owns_lock();
    };
    const timed timed_wait{
        [&](auto timeout) {
            return wait([&](auto& hold) {
                return OK(here.changed.wait_for(hold, timeout)) == notified;
            });
        },
        [&](auto deadline) {
            return wait([&](auto& hold) {
                return OK(here.changed.wait_until(hold, deadline)) == notified;
            });
        }};
    gives_up_on_time(timed_wait);
    waits_for_what_comes([] {}, timed_wait, [&] {
        here.once_waiting(1);
        OK(here.changed.notify_one());
    });
}

static void waits_end_on_time_or_when_it_is_so() {
    scene here;
    bool so = false;
    const timed timed_wait{
        [&](auto timeout) {
            std::unique_lock hold(here.mutex);
            return OK(here.changed.wait_for(hold, timeout, [&] { return so; }));
        },
        [&](auto deadline) {
            std::unique_lock hold(here.mutex);
            return OK(here.changed.wait_until(hold, deadline, [&] { return so; }));
        }};
    gives_up_on_time(timed_wait);
    waits_for_what_comes([&] { so = false; }, timed_wait, [&] {
        std::scoped_lock hold(here.mutex);
        so = true;
        OK(here.changed.notify_one());
    });
}

static void a_notification_at_the_last_moment_counts() {
    static scene* scene_now;
    scene here;
    scene_now = &here;
    too_late = [] { OK(scene_now->changed.notify_one()); };
    std::unique_lock hold(here.mutex);
    CHECK(OK(here.changed.wait_for(hold, 0s)) == notified);
    CHECK(OK(here.changed.wait_for(hold, 0s)) == std::cv_status::timeout);
}

static void signals_neither_end_a_wait_nor_lose_its_place() {
    scene here;
    among_signals([&] {
        std::unique_lock hold(here.mutex);
        const auto took = time_of([&] {
            CHECK(OK(here.changed.wait_for(hold, 50ms)) == std::cv_status::timeout);
        });
        CHECK(took >= 50ms);
    });
    std::vector<int> left;
    const auto wait = [&](int n) {
        std::unique_lock hold(here.mutex);
        here.waiting++;
        OK(here.changed.wait(hold));
        left.push_back(n);
    };
    std::thread notifies([&] {
        here.once_waiting(1);
        std::thread second(wait, 2);
        here.once_waiting(2);
        once_disturbed();
        OK(here.changed.notify_one());
        for (bool gone = false; !gone; std::this_thread::yield()) {
            std::scoped_lock hold(here.mutex);
            gone = left.size() == 1;
        }
        OK(here.changed.notify_one());
        second.join();
    });
    among_signals([&] { wait(1); });
    notifies.join();
    CHECK((left == std::vector{1, 2}));
}

// --- names ---------------------------------------------------------------------------------------

static void names_and_kinds_are_kept_apart() {
    test_segment test;
    using condition = atoll::condition_variable_any;
    FAILS(atoll::status::not_found, "c", condition::open(test.segment, "c"));
    const auto ticket = OK(OK(condition::open_or_create(test.segment, "c")).export_ticket());
    OK(condition::import_ticket(ticket));
    FAILS(atoll::status::already_exists, "c", condition::create(test.segment, "c"));
    FAILS(atoll::status::wrong_kind, "", atoll::event::open(test.segment, "c"));
    OK(condition::remove(test.segment, "c"));
    FAILS(atoll::status::not_found, "c", condition::open(test.segment, "c"));
}

static void what_was_moved_from_is_refused() {
    scene here;
    auto moved = std::move(here.changed);
    std::unique_lock hold(here.mutex);
    OK(moved.notify_all());
    FAILS(atoll::status::invalid_argument, "NULL", here.changed.notify_one());
    FAILS(atoll::status::invalid_argument, "NULL", here.changed.wait(hold));
    CHECK(hold.owns_lock() && !is_free(here.mutex));
}

int main() {
    RUN(any_lock_will_do);
    RUN(the_lock_is_held_afterwards);
    RUN(what_is_held_twice_is_let_go_wholly);
    RUN(who_waits_must_hold_the_lock);
    RUN(the_longest_wait_ends_first);
    RUN(so_many_and_no_more_are_notified);
    RUN(waits_end_on_time_or_when_notified);
    RUN(waits_end_on_time_or_when_it_is_so);
    RUN(a_notification_at_the_last_moment_counts);
    RUN(signals_neither_end_a_wait_nor_lose_its_place);
    RUN(names_and_kinds_are_kept_apart);
    RUN(what_was_moved_from_is_refused);
    return any_failed;
}
