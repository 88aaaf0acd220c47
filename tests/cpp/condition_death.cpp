// Condition variables between processes, some of which are killed.

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#include "others.hpp"
#include "waits.hpp"

// What the processes share.
struct scene : test_segment {
    atoll::condition_variable_any changed =
        OK(atoll::condition_variable_any::create(segment, "changed"));
    atoll::mutex mutex = OK(atoll::mutex::create(segment, "mutex"));
    atoll::value<int> waiting = OK(atoll::value<int>::create(segment));
    atoll::value<int> left = OK(atoll::value<int>::create(segment));

    // In a process of its own.
    void wait() {
        std::unique_lock hold(mutex);
        waiting += 1;
        OK(changed.wait(hold));
        left += 1;
    }

    // Until so many have begun to, and let go of the mutex.
    void until_waiting(int n) {
        while (waiting != n) std::this_thread::yield();
        std::scoped_lock hold(mutex);
    }
};

static void processes_wait_for_each_other() {
    scene here;
    const auto ticket = OK(here.changed.export_ticket());
    constexpr int turns = 100;
    other_process other([&] {
        auto changed = OK(atoll::condition_variable_any::open(here.segment, "changed"));
        auto mutex = OK(atoll::mutex::open(here.segment, "mutex"));
        for (int turn = 1; turn < turns; turn += 2) {
            std::unique_lock hold(mutex);
            OK(changed.wait(hold, [&] { return here.left == turn; }));
            here.left += 1;
            OK(changed.notify_one());
        }
    });
    auto changed = OK(atoll::condition_variable_any::import_ticket(ticket));
    for (int turn = 0; turn < turns; turn += 2) {
        std::unique_lock hold(here.mutex);
        OK(changed.wait(hold, [&] { return here.left == turn; }));
        here.left += 1;
        OK(changed.notify_one());
    }
}

static void the_dead_get_no_notifications() {
    scene here;
    other_process first([&] { here.wait(); });
    here.until_waiting(1);
    other_process second([&] { here.wait(); });
    here.until_waiting(2);
    first.die();
    OK(here.changed.notify_one());
    while (here.left != 1) std::this_thread::yield();
}

// One that had been notified and was killed before it could go on had its turn; one more goes on.
static void the_others_go_on_after_a_death() {
    scene here;
    other_process one([&] { here.wait(); });
    other_process two([&] { here.wait(); });
    other_process three([&] { here.wait(); });
    here.until_waiting(3);
    here.mutex.lock();
    OK(here.changed.notify_one());  // it waits for the mutex
    std::this_thread::sleep_for(10ms);
    one.die();
    here.mutex.unlock();
    OK(here.changed.notify_all());
}

// Somebody changes what is waited for and is killed before it has given the lock back: the wait
// fails, and does not hold the lock.
template <class Mutex, class Lock, class Wait>
static void a_death_is_told(Mutex& mutex, Lock& lock, Wait wait) {
    scene here;
    lock.lock();
    other_process changes([&] {
        mutex.lock();
        OK(here.changed.notify_all());
        raise(SIGKILL);
    });
    FAILS(atoll::status::owner_died, "lock_recover", wait(here.changed));
    changes.die();
    CHECK(mutex.lock_recover() == true);
    OK(mutex.mark_consistent());
    mutex.unlock();
}

template <class Mutex, class Lock>
static void whatever_the_wait(Mutex& mutex, Lock& lock) {
    const auto never = [] { return false; };
    a_death_is_told(mutex, lock, [&](auto& changed) { return changed.wait(lock); });
    a_death_is_told(mutex, lock, [&](auto& changed) { return changed.wait(lock, never); });
    a_death_is_told(mutex, lock, [&](auto& changed) { return changed.wait_for(lock, 1h); });
    a_death_is_told(mutex, lock, [&](auto& changed) { return changed.wait_for(lock, 1h, never); });
}

template <class Guard, class Mutex>
static void and_the_guard_knows(Mutex& mutex) {
    Guard guard(mutex, std::defer_lock);
    whatever_the_wait(mutex, guard);
    CHECK(!guard.owns_lock() && guard.mutex() == &mutex);
}

static void a_death_under_the_lock_is_told() {
    test_segment test;
    auto plain = OK(atoll::mutex::create(test.segment));
    whatever_the_wait(plain, plain);
    and_the_guard_knows<std::unique_lock<atoll::mutex>>(plain);
    auto recursive = OK(atoll::recursive_mutex::create(test.segment));
    and_the_guard_knows<std::unique_lock<atoll::recursive_mutex>>(recursive);
    auto shared = OK(atoll::shared_mutex::create(test.segment));
    whatever_the_wait(shared, shared);
    and_the_guard_knows<std::unique_lock<atoll::shared_mutex>>(shared);
    and_the_guard_knows<std::shared_lock<atoll::shared_mutex>>(shared);
}

int main() {
    RUN(processes_wait_for_each_other);
    RUN(the_dead_get_no_notifications);
    RUN(the_others_go_on_after_a_death);
    RUN(a_death_under_the_lock_is_told);
    return any_failed;
}
