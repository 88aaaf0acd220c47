// Latches: counted down by threads and processes, waited for with an end.

#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::latch>);
static_assert(std::is_nothrow_move_constructible_v<atoll::latch>);
static_assert(atoll::latch::max() == 0x7fffffff);

static auto timed_wait(const atoll::latch& latch) {
    return timed{[&](auto timeout) { return OK(latch.wait_for(timeout)); },
                 [&](auto deadline) { return OK(latch.wait_until(deadline)); }};
}

static void it_counts_down_once() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 5));
    CHECK(OK(latch.count()) == 5 && !OK(latch.try_wait()));
    OK(latch.count_down());
    OK(latch.count_down(0));
    CHECK(OK(latch.count()) == 4);
    OK(latch.count_down(3));
    CHECK(OK(latch.count()) == 1 && !OK(latch.try_wait()));
    FAILS(atoll::status::invalid_argument, "", latch.count_down(2));
    OK(latch.count_down());
    CHECK(OK(latch.count()) == 0 && OK(latch.try_wait()));
    OK(latch.wait());
    CHECK(OK(latch.wait_for(0s)) && OK(latch.wait_until(system_clock::time_point::min())));
    FAILS(atoll::status::invalid_argument, "", latch.count_down());
    OK(OK(atoll::latch::create(test.segment, nullptr, 0)).wait());
}

static void waits_end_on_time_or_at_zero() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 1));
    gives_up_on_time(timed_wait(latch));
    waits_for_what_comes([&] { latch = OK(atoll::latch::create(test.segment, nullptr, 1)); },
                         timed_wait(latch), [&] { OK(latch.count_down()); });
}

static void a_wait_goes_on_after_a_signal() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 1));
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!OK(latch.wait_for(50ms))); }) >= 50ms);
    });
}

static void who_arrives_counts_and_waits() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 5));
    CHECK(time_of([&] { CHECK(!OK(latch.arrive_and_wait_for(20ms))); }) >= 20ms);
    const auto deadline = system_clock::now() + 20ms;
    CHECK(!OK(latch.arrive_and_wait_until(deadline)) && system_clock::now() >= deadline);
    CHECK(OK(latch.count()) == 3);  // counted all the same
    std::thread first([&] { OK(latch.arrive_and_wait()); });
    OK(latch.arrive_and_wait(2));
    first.join();
    CHECK(OK(latch.count()) == 0);
}

static void processes_count_together() {
    test_segment test;
    auto ready = OK(atoll::latch::create(test.segment, "ready", 3));
    const auto ticket = OK(ready.export_ticket());
    other_process by_name([&] {
        OK(OK(atoll::latch::open_or_create(test.segment, "ready", 3)).arrive_and_wait());
    });
    other_process by_ticket([&] {
        OK(OK(atoll::latch::import_ticket(ticket)).arrive_and_wait());
    });
    OK(OK(atoll::latch::open(test.segment, "ready")).arrive_and_wait());
    CHECK(OK(ready.try_wait()));
}

static void what_the_dead_counted_is_counted() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 2));
    other_process waits([&] { OK(latch.wait()); });
    other_process dies([&] { OK(latch.wait()); });
    die_after([&] { OK(latch.count_down()); });
    CHECK(OK(latch.count()) == 1);
    dies.die();
    OK(latch.count_down());
}

static void counts_fit() {
    test_segment test;
    const auto wrong = atoll::status::invalid_argument;
    const auto most = atoll::latch::max();
    FAILS(wrong, "count", atoll::latch::create(test.segment, nullptr, -1));
    FAILS(wrong, "", atoll::latch::create(test.segment, nullptr, most + 1));
    FAILS(wrong, "count", atoll::latch::create(test.segment, nullptr, std::ptrdiff_t{1} << 32));
    auto latch = OK(atoll::latch::create(test.segment, nullptr, most));
    FAILS(wrong, "count", latch.count_down(-1));
    FAILS(wrong, "count", latch.count_down((std::ptrdiff_t{1} << 32) + 1));
    FAILS(wrong, "count", latch.arrive_and_wait(-1));
    CHECK(OK(latch.count()) == most);
    OK(latch.count_down(most));
    CHECK(OK(latch.try_wait()));
}

static void names_and_kinds_are_kept_apart() {
    test_segment test;
    FAILS(atoll::status::not_found, "l", atoll::latch::open(test.segment, "l"));
    OK(atoll::latch::open_or_create(test.segment, "l", 2));
    CHECK(OK(OK(atoll::latch::open_or_create(test.segment, "l", 5)).count()) == 2);
    FAILS(atoll::status::already_exists, "l", atoll::latch::create(test.segment, "l", 2));
    FAILS(atoll::status::wrong_kind, "latch", atoll::event::open(test.segment, "l"));
    FAILS(atoll::status::wrong_kind, "", atoll::event::import_ticket(OK(
        OK(atoll::latch::open(test.segment, "l")).export_ticket())));
    OK(atoll::latch::remove(test.segment, "l"));
    FAILS(atoll::status::not_found, "l", atoll::latch::open(test.segment, "l"));
}

static void what_was_moved_from_is_refused() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 1));
    auto moved = std::move(latch);
    OK(moved.count_down());
    FAILS(atoll::status::invalid_argument, "NULL", latch.count_down());
    FAILS(atoll::status::invalid_argument, "NULL", latch.count());
    FAILS(atoll::status::invalid_argument, "NULL", latch.try_wait());
}

int main() {
    RUN(it_counts_down_once);
    RUN(waits_end_on_time_or_at_zero);
    RUN(a_wait_goes_on_after_a_signal);
    RUN(who_arrives_counts_and_waits);
    RUN(processes_count_together);
    RUN(what_the_dead_counted_is_counted);
    RUN(counts_fit);
    RUN(names_and_kinds_are_kept_apart);
    RUN(what_was_moved_from_is_refused);
    return any_failed;
}
