// Mutexes with the standard library's locks and clocks, and after a death.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "others.hpp"

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

static_assert(!std::is_copy_constructible_v<atoll::mutex>);
static_assert(std::is_nothrow_move_constructible_v<atoll::mutex>);
static_assert(std::is_nothrow_destructible_v<atoll::recursive_mutex>);
static_assert(!std::is_same_v<atoll::mutex, atoll::recursive_mutex>);

static void the_standard_locks_work() {
    test_segment test;
    auto a = OK(atoll::mutex::create(test.segment, "a"));
    auto b = OK(atoll::mutex::create(test.segment, "b"));
    auto r = OK(atoll::recursive_mutex::create(test.segment, "r"));
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
    auto a = OK(atoll::mutex::create(test.segment));
    auto b = OK(atoll::mutex::create(test.segment));
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
    auto mutex = OK(atoll::mutex::create(test.segment));
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
    auto mutex = OK(atoll::mutex::create(test.segment));
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
    auto mutex = OK(atoll::mutex::create(test.segment));
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
    auto mutex = OK(atoll::mutex::create(test.segment));
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

static void the_owner_is_named() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    CHECK(!OK(mutex.owner()));
    std::lock_guard hold(mutex);
    const auto owner = OK(mutex.owner());
    CHECK(owner && owner->pid == static_cast<std::uint32_t>(getpid()) && owner->alive);
}

static void a_condition_is_waited_for() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    std::condition_variable_any changed;
    int turn = 0;
    std::thread other([&] {
        std::unique_lock hold(mutex);
        changed.wait(hold, [&] { return turn == 1; });
        turn = 2;
        changed.notify_one();
    });
    std::unique_lock hold(mutex);
    turn = 1;
    changed.notify_one();
    CHECK(changed.wait_for(hold, 1min, [&] { return turn == 2; }) && hold.owns_lock());
    hold.unlock();
    other.join();
}

static void recovery_takes_it_after_a_death() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    CHECK(!OK(mutex.dead_owner()) && mutex.lock_recover() == false);
    mutex.unlock();
    const auto pid = static_cast<std::uint32_t>(die_holding(mutex));
    CHECK(mutex.lock_recover() == true);
    {
        std::lock_guard hold(mutex, std::adopt_lock);
        CHECK(OK(mutex.owner())->owner_died && OK(mutex.dead_owner())->pid == pid);
        FAILS(atoll::status::deadlock, "holds", mutex.lock_recover());
        FAILS(atoll::status::deadlock, "holds", mutex.try_lock_recover_for(1s));
    }
    CHECK(mutex.lock_recover() == true);  // not marked, so told again
    OK(mutex.mark_consistent());
    mutex.unlock();
    FAILS(atoll::status::not_owner, "hold", mutex.mark_consistent());
    CHECK(!OK(mutex.dead_owner()) && mutex.lock_recover() == false);
    mutex.unlock();
}

static void recovery_can_have_an_end() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    const std::optional<bool> no, sound = false, after_a_death = true;
    mutex.lock();
    std::thread([&] {
        CHECK(mutex.try_lock_recover() == no);
        CHECK(time_of([&] { CHECK(mutex.try_lock_recover_for(20ms) == no); }) >= 20ms);
        const auto deadline = system_clock::now() + 20ms;
        CHECK(mutex.try_lock_recover_until(deadline) == no && system_clock::now() >= deadline);
    }).join();
    mutex.unlock();
    CHECK(mutex.try_lock_recover() == sound);
    mutex.unlock();
    die_holding(mutex);
    CHECK(mutex.try_lock_recover() == after_a_death);
    mutex.unlock();
    CHECK(mutex.try_lock_recover_for(1h) == after_a_death);
    mutex.unlock();
    CHECK(mutex.try_lock_recover_until(system_clock::now() + 1h) == after_a_death);
    mutex.unlock();
}

static void kinds_are_kept_apart() {
    test_segment test;
    OK(atoll::mutex::create(test.segment, "plain"));
    OK(atoll::recursive_mutex::create(test.segment, "recursive"));
    const auto kind = atoll::status::wrong_kind;
    FAILS(kind, "recursive", atoll::recursive_mutex::open(test.segment, "plain"));
    FAILS(kind, "recursive", atoll::mutex::open_or_create(test.segment, "recursive"));
}

static void objects_outlive_their_segment() {
    const std::string name = fresh_name();
    auto mutex = [&] {
        const auto segment = OK(atoll::segment::create(name));
        return OK(atoll::mutex::create(segment, "m"));
    }();
    OK(atoll::segment::unlink(name));
    auto moved = std::move(mutex);
    std::scoped_lock hold(moved);
    FAILS(atoll::status::invalid_argument, "NULL", mutex.lock_recover());
    FAILS(atoll::status::invalid_argument, "NULL", mutex.owner());
}

int main() {
    RUN(the_standard_locks_work);
    RUN(two_threads_lock_in_either_order);
    RUN(waits_end_on_time_and_not_before);
    RUN(a_deadline_is_its_own_clocks);
    RUN(endless_spans_saturate);
    RUN(a_wait_goes_on_after_a_signal);
    RUN(the_owner_is_named);
    RUN(a_condition_is_waited_for);
    RUN(recovery_takes_it_after_a_death);
    RUN(recovery_can_have_an_end);
    RUN(kinds_are_kept_apart);
    RUN(objects_outlive_their_segment);
    return any_failed;
}
