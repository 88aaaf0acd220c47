// Mutexes with the standard library's locks and clocks, and after a death.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

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

static auto timed_lock(atoll::mutex& mutex) {
    const auto and_unlock = [&](bool got) {
        if (got) mutex.unlock();
        return got;
    };
    return timed{[=, &mutex](auto timeout) { return and_unlock(mutex.try_lock_for(timeout)); },
                 [=, &mutex](auto when) { return and_unlock(mutex.try_lock_until(when)); }};
}

static void waits_end_on_time_and_not_before() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    std::lock_guard hold(mutex);
    std::thread([&] {
        CHECK(!mutex.try_lock());
        gives_up_on_time(timed_lock(mutex));
        CHECK(!std::unique_lock(mutex, 20ms).owns_lock());
    }).join();
}

static void endless_spans_saturate() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    waits_for_what_comes([&] { mutex.lock(); }, timed_lock(mutex), [&] { mutex.unlock(); });
}

static void a_wait_goes_on_after_a_signal() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    std::lock_guard hold(mutex);
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!mutex.try_lock_for(50ms)); }) >= 50ms);
    });
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
