// Waits for a condition that are objects.

#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::waiter>);
static_assert(std::is_nothrow_move_constructible_v<atoll::waiter>);
static_assert(std::is_nothrow_destructible_v<atoll::waiter>);

static void it_is_notified_once() {
    test_segment test;
    auto changed = OK(atoll::condition_variable_any::create(test.segment));
    OK(changed.notify_all());  // before it waits: not for it
    auto first = OK(atoll::waiter::create(changed));
    auto second = OK(atoll::waiter::create(changed));
    CHECK(OK(atoll::wait_any_for({first, second}, 0s)).none());
    OK(changed.notify_one());
    CHECK(OK(atoll::wait_any({second, first})) == 0b10);
    CHECK(OK(first.finish()) && OK(first.finish()));  // the same again
    CHECK(OK(atoll::wait_any_for({second}, 0s)).none());
    CHECK(!OK(second.finish()));
    OK(changed.notify_one());
    CHECK(!OK(second.finish()));
}

static void what_is_not_finished_is_passed_on() {
    test_segment test;
    auto changed = OK(atoll::condition_variable_any::create(test.segment));
    auto given_up = OK(atoll::waiter::create(changed));
    auto next = OK(atoll::waiter::create(changed));
    OK(changed.notify_one());
    CHECK(OK(atoll::wait_any_for({next}, 0s)).none());
    { const auto gone = std::move(given_up); }
    CHECK(OK(atoll::wait_any({next})) == 1 && OK(next.finish()));
}

static void a_loop_waits_for_a_change_and_an_event() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    auto changed = OK(atoll::condition_variable_any::create(test.segment));
    auto stop = OK(atoll::event::create(test.segment));
    auto jobs = OK(atoll::value<int>::create(test.segment, "jobs", 0));
    other_process giver([&] {
        for (int i = 0; i < 20; i++) {
            std::scoped_lock hold(mutex);
            jobs += 1;
            OK(changed.notify_one());
        }
        OK(stop.set());
    });
    int seen = 0;
    for (bool stopped = false; !stopped;) {
        std::unique_lock hold(mutex);
        seen += OK(jobs.exchange(0));
        auto change = OK(atoll::waiter::create(changed));
        hold.unlock();
        stopped = OK(atoll::wait_any({stop, change}))[0];
        static_cast<void>(OK(change.finish()));
    }
    CHECK(seen + OK(jobs.load()) == 20);
}

static void it_belongs_to_its_thread() {
    test_segment test;
    auto changed = OK(atoll::condition_variable_any::create(test.segment));
    auto waiter = OK(atoll::waiter::create(changed));
    std::thread([&] { FAILS(atoll::status::not_owner, "", waiter.finish()); }).join();
    OK(changed.notify_one());
    auto moved = std::move(waiter);
    CHECK(OK(moved.finish()));
    FAILS(atoll::status::invalid_argument, "NULL", waiter.finish());
}

int main() {
    RUN(it_is_notified_once);
    RUN(what_is_not_finished_is_passed_on);
    RUN(a_loop_waits_for_a_change_and_an_event);
    RUN(it_belongs_to_its_thread);
    return any_failed;
}
