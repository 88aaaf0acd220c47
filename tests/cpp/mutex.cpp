// Mutexes with the standard library's locks, clocks and exceptions.

#include <chrono>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

#include "check.hpp"

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

static_assert(!std::is_copy_constructible_v<atoll::mutex>);
static_assert(std::is_nothrow_move_constructible_v<atoll::mutex>);
static_assert(std::is_nothrow_destructible_v<atoll::recursive_mutex>);
static_assert(!std::is_same_v<atoll::mutex, atoll::recursive_mutex>);

// Whether another thread could have the mutex now.
static bool is_free(atoll::mutex& mutex) {
    bool got = false;
    std::thread([&] {
        got = mutex.try_lock();
        if (got) mutex.unlock();
    }).join();
    return got;
}

static void the_standard_locks_work() {
    test_segment test;
    auto a = atoll::mutex::create(test.segment, "a");
    auto b = atoll::mutex::create(test.segment, "b");
    auto r = atoll::recursive_mutex::create(test.segment, "r");
    {
        std::lock_guard hold(a);
        CHECK(!is_free(a));
    }
    CHECK(is_free(a));
    {
        std::scoped_lock hold(a, b, r);
        CHECK(!is_free(a) && !is_free(b));
    }
    {
        std::unique_lock hold(a, std::defer_lock);
        CHECK(is_free(a) && hold.try_lock() && !is_free(a));
        hold.unlock();
        CHECK(is_free(a) && hold.try_lock_for(1ms));
    }
    CHECK(is_free(a) && is_free(b));
}

static void two_threads_lock_in_either_order() {
    test_segment test;
    auto a = atoll::mutex::create(test.segment);
    auto b = atoll::mutex::create(test.segment);
    int counter = 0;
    auto work = [&counter](atoll::mutex& first, atoll::mutex& second) {
        for (int i = 0; i < 1000; i++) {
            std::scoped_lock hold(first, second);
            counter++;
        }
    };
    std::thread other([&] { work(b, a); });
    work(a, b);
    other.join();
    CHECK(counter == 2000);
}

static void waits_end_on_time_and_not_before() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    std::lock_guard hold(mutex);
    std::thread([&] {
        const auto begin = steady_clock::now();
        CHECK(!mutex.try_lock());
        CHECK(!mutex.try_lock_for(0s));
        CHECK(!mutex.try_lock_for(-1h));
        CHECK(!mutex.try_lock_for(std::chrono::hours::min()));
        CHECK(!mutex.try_lock_until(steady_clock::time_point::min()));
        CHECK(!mutex.try_lock_until(system_clock::time_point::min()));
        CHECK(!mutex.try_lock_for(20ms));
        CHECK(steady_clock::now() - begin >= 20ms);
        CHECK(!mutex.try_lock_for(std::chrono::duration<double>(0.02)));
        CHECK(!mutex.try_lock_until(steady_clock::now() + 20ms));
        const auto deadline = system_clock::now() + 20ms;
        CHECK(!std::unique_lock(mutex, deadline).owns_lock());
        CHECK(system_clock::now() >= deadline);
        CHECK(steady_clock::now() - begin >= 80ms);
    }).join();
}

// A clock at half speed, as one looks that is set back during a wait.
struct slow_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<slow_clock>;
    static constexpr bool is_steady = false;
    static time_point now() { return time_point(steady_clock::now().time_since_epoch() / 2); }
};

static void a_deadline_is_its_own_clocks() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    std::lock_guard hold(mutex);
    std::thread([&] {
        const auto deadline = slow_clock::now() + 20ms;
        CHECK(!mutex.try_lock_until(deadline));
        CHECK(slow_clock::now() >= deadline);
    }).join();
}

// A wait that would overflow 64 bits of nanoseconds, given up by the holder and not by the clock.
template <class Wait>
static void outlasts(Wait wait) {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    bool got = false;
    mutex.lock();
    std::thread waiter([&] {
        got = wait(mutex);
        if (got) mutex.unlock();
    });
    std::this_thread::sleep_for(20ms);
    mutex.unlock();
    waiter.join();
    CHECK(got);
}

static void endless_spans_saturate() {
    outlasts([](atoll::mutex& m) { return m.try_lock_for(std::chrono::hours::max()); });
    outlasts([](atoll::mutex& m) { return m.try_lock_for(std::chrono::nanoseconds::max()); });
    outlasts([](atoll::mutex& m) { return m.try_lock_for(std::chrono::duration<double>(1e300)); });
    outlasts([](atoll::mutex& m) { return m.try_lock_until(steady_clock::time_point::max()); });
    outlasts([](atoll::mutex& m) { return m.try_lock_until(system_clock::time_point::max()); });
}

static volatile sig_atomic_t signals;

static void a_wait_goes_on_after_a_signal() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    struct sigaction action{}, old{};
    action.sa_handler = [](int) { signals = signals + 1; };
    signals = 0;
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    {
        std::lock_guard hold(mutex);
        bool done = false, got = true;
        std::thread waiter([&] {
            const auto begin = steady_clock::now();
            got = mutex.try_lock_for(50ms);
            CHECK(steady_clock::now() - begin >= 50ms);
            __atomic_store_n(&done, true, __ATOMIC_RELEASE);
        });
        while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
            pthread_kill(waiter.native_handle(), SIGUSR1);
            std::this_thread::sleep_for(1ms);
        }
        waiter.join();
        CHECK(!got && signals > 1);
    }
    CHECK(sigaction(SIGUSR1, &old, nullptr) == 0);
}

static void misuse_is_noticed() {
    test_segment test;
    auto plain = atoll::mutex::create(test.segment, "plain");
    auto recursive = atoll::recursive_mutex::create(test.segment, "recursive");
    THROWS(atoll::error, atoll::status::not_owner, "", plain.unlock());
    THROWS(atoll::error, atoll::status::not_owner, "", plain.mark_consistent());
    {
        std::lock_guard hold(plain);
        THROWS(atoll::error, atoll::status::deadlock, "", plain.lock());
        std::scoped_lock twice(recursive), again(recursive);
        std::thread([&] {
            THROWS(atoll::error, atoll::status::not_owner, "", plain.unlock());
        }).join();
    }
    const auto kind = atoll::status::wrong_kind;
    THROWS(atoll::error, kind, "recursive", atoll::recursive_mutex::open(test.segment, "plain"));
    THROWS(atoll::error, kind, "recursive",
           atoll::mutex::open_or_create(test.segment, "recursive"));
}

static void the_owner_is_named() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    CHECK(!mutex.owner());
    std::lock_guard hold(mutex);
    const auto owner = mutex.owner();
    CHECK(owner && owner->pid == static_cast<std::uint32_t>(getpid()) && owner->alive);
}

static pid_t die_holding(atoll::mutex& mutex) {
    const pid_t victim =
        start_victim([](void* m) { static_cast<atoll::mutex*>(m)->lock(); }, &mutex);
    kill_victim(victim);
    return victim;
}

static void lock_refuses_after_a_death_until_recovery() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    const auto died = atoll::status::owner_died;
    CHECK(!mutex.dead_owner());
    const auto pid = static_cast<std::uint32_t>(die_holding(mutex));
    try {
        mutex.lock();
        CHECK(!"thrown");
    } catch (const atoll::owner_died& news) {
        CHECK(news.dead_owner().pid == pid && !news.dead_owner().alive);
        CHECK(helps(news.what(), std::to_string(pid).c_str()));
    }
    THROWS(atoll::owner_died, died, "lock_recover", mutex.lock());
    THROWS(atoll::owner_died, died, "lock_recover", mutex.try_lock());
    THROWS(atoll::owner_died, died, "lock_recover", mutex.try_lock_for(1s));
    THROWS(atoll::owner_died, died, "lock_recover", std::scoped_lock(mutex));
    CHECK(!mutex.owner() || !mutex.owner()->alive);  // each gave it back
    {
        const bool owner_died = mutex.lock_recover();
        std::lock_guard hold(mutex, std::adopt_lock);
        CHECK(owner_died && mutex.owner()->owner_died && mutex.dead_owner()->pid == pid);
    }
    CHECK(mutex.lock_recover());  // not marked, so told again
    mutex.mark_consistent();
    mutex.unlock();
    CHECK(!mutex.dead_owner() && !mutex.lock_recover());
    mutex.unlock();
    std::scoped_lock hold(mutex);
}

static void a_death_among_two_leaves_neither_locked() {
    test_segment test;
    auto sound = atoll::mutex::create(test.segment);
    auto orphan = atoll::mutex::create(test.segment);
    die_holding(orphan);
    THROWS(atoll::owner_died, atoll::status::owner_died, "", std::scoped_lock(sound, orphan));
    THROWS(atoll::owner_died, atoll::status::owner_died, "", std::scoped_lock(orphan, sound));
    CHECK(is_free(sound));
}

static void objects_outlive_their_segment() {
    const std::string name = fresh_name();
    auto mutex = [&] { return atoll::mutex::create(atoll::segment::create(name), "m"); }();
    atoll::segment::unlink(name);
    auto moved = std::move(mutex);
    std::scoped_lock hold(moved);
    THROWS(atoll::error, atoll::status::invalid_argument, "NULL", mutex.lock());
}

int main() {
    RUN(the_standard_locks_work);
    RUN(two_threads_lock_in_either_order);
    RUN(waits_end_on_time_and_not_before);
    RUN(a_deadline_is_its_own_clocks);
    RUN(endless_spans_saturate);
    RUN(a_wait_goes_on_after_a_signal);
    RUN(misuse_is_noticed);
    RUN(the_owner_is_named);
    RUN(lock_refuses_after_a_death_until_recovery);
    RUN(a_death_among_two_leaves_neither_locked);
    RUN(objects_outlive_their_segment);
    return any_failed;
}
