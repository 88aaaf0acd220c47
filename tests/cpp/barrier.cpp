// Barriers: rounds of threads and processes, with an end, with a completion function.

#include <type_traits>
#include <utility>
#include <vector>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::barrier>);
static_assert(std::is_nothrow_move_constructible_v<atoll::barrier>);
static_assert(!std::is_copy_constructible_v<atoll::barrier::arrival_token>);
static_assert(!std::is_default_constructible_v<atoll::barrier::arrival_token>);
static_assert(atoll::barrier::max() == 32767);

constexpr auto is_broken = atoll::status::broken;

// Nobody is ahead of the others by more than a round.
static void rounds_are_passed_together() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 3));
    std::atomic<int> arrived = 0;
    const auto work = [&](auto pass) {
        for (int round = 1; round <= 300; round++) {
            arrived++;
            pass();
            CHECK(arrived >= 3 * round);
        }
    };
    std::thread one(work, [&] { OK(barrier.arrive_and_wait()); });
    std::thread two(work, [&] { CHECK(OK(barrier.arrive_and_wait_for(1h))); });
    work([&] { OK(barrier.wait(OK(barrier.arrive()))); });
    one.join();
    two.join();
    const auto info = OK(barrier.info());
    CHECK(info.parties == 3 && info.waiting == 0 && info.generation == 300 && !info.broken);
}

static void the_last_to_arrive_completes_the_round() {
    test_segment test;
    int completed = 0;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 2, [&] { completed++; }));
    const auto work = [&](auto pass) {
        for (int round = 1; round <= 300; round += 2) {
            pass();
            CHECK(completed == round);
            OK(barrier.arrive_and_wait());  // both have looked, and it is counted on
        }
    };
    std::thread other(work, [&] { OK(barrier.arrive_and_wait()); });
    work([&] { OK(barrier.wait(OK(barrier.arrive()))); });
    other.join();
    CHECK(completed == 300);
}

static void who_has_arrived_may_wait_later() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 2));
    auto arrival = OK(barrier.arrive());
    CHECK(OK(barrier.info()).waiting == 1);
    gives_up_on_time(
        timed{[&](auto timeout) { return OK(barrier.wait_for(arrival, timeout)); },
              [&](auto deadline) { return OK(barrier.wait_until(arrival, deadline)); }});
    FAILS(atoll::status::deadlock, "", barrier.arrive());
    std::thread([&] { OK(barrier.arrive_and_wait()); }).join();
    OK(barrier.wait(std::move(arrival)));
    FAILS(atoll::status::not_owner, "", barrier.wait(std::move(arrival)));
}

static void a_token_may_be_thrown_away() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 1));
    for (int round = 0; round < 3; round++) OK(barrier.arrive());
    OK(barrier.arrive_and_wait());
    CHECK(OK(barrier.info()).generation == 4 && OK(barrier.info()).waiting == 0);
}

static void who_gives_up_breaks_it() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 3));
    std::thread other([&] { FAILS(is_broken, "", barrier.arrive_and_wait()); });
    CHECK(time_of([&] { CHECK(!OK(barrier.arrive_and_wait_for(20ms))); }) >= 20ms);
    other.join();
    FAILS(is_broken, "", barrier.arrive_and_wait());
    FAILS(is_broken, "", barrier.arrive_and_wait_for(1h));
    FAILS(is_broken, "", barrier.arrive());
    FAILS(is_broken, "", barrier.arrive_and_drop());
    CHECK(OK(barrier.info()).broken && OK(barrier.info()).culprit_pid == 0);
    OK(barrier.reset());
    const auto deadline = system_clock::now() + 20ms;
    CHECK(!OK(barrier.arrive_and_wait_until(deadline)) && system_clock::now() >= deadline);
    OK(barrier.reset());
    std::thread([&] {
        among_signals([&] {
            CHECK(time_of([&] { CHECK(!OK(barrier.arrive_and_wait_for(50ms))); }) >= 50ms);
            OK(barrier.reset());
        });
    }).join();
}

static void waits_without_end_go_on_after_signals() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 2));
    std::thread other([&] {
        once_disturbed();
        OK(barrier.arrive_and_wait());
    });
    among_signals([&] { OK(barrier.arrive_and_wait()); });
    other.join();
}

static void abort_and_reset_tell_all_who_wait() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 3));
    for (const bool by_reset : {false, true}) {
        std::thread one([&] { FAILS(is_broken, "", barrier.arrive_and_wait()); });
        std::thread two([&] { FAILS(is_broken, "", barrier.arrive_and_wait_for(1h)); });
        while (OK(barrier.info()).waiting != 2) std::this_thread::yield();
        if (!by_reset) OK(barrier.abort());
        else OK(barrier.reset());
        one.join();
        two.join();
        CHECK(OK(barrier.info()).broken == !by_reset);
        OK(barrier.reset());
        CHECK(!OK(barrier.info()).broken && OK(barrier.info()).waiting == 0);
    }
}

static void who_drops_out_is_no_party_any_more() {
    test_segment test;
    int completed = 0;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 3, [&] { completed++; }));
    std::thread one([&] { OK(barrier.arrive_and_drop()); });
    std::thread two([&] {
        OK(barrier.arrive_and_wait());
        CHECK(completed == 1);
        OK(barrier.arrive_and_wait());
    });
    OK(barrier.arrive_and_wait());
    CHECK(completed == 1 && OK(barrier.info()).parties == 2);
    one.join();
    while (OK(barrier.info()).waiting != 1) std::this_thread::yield();
    OK(barrier.arrive_and_drop());  // the last to arrive, so it completes the round
    CHECK(completed == 2 && OK(barrier.info()).parties == 1);
    two.join();
    OK(barrier.arrive_and_wait());
    CHECK(completed == 3);
}

static void counts_fit() {
    test_segment test;
    const auto wrong = atoll::status::invalid_argument;
    constexpr auto most = atoll::barrier::max();
    FAILS(wrong, "", atoll::barrier::create(test.segment, nullptr, 0));
    FAILS(wrong, "count", atoll::barrier::create(test.segment, nullptr, -1));
    FAILS(wrong, "", atoll::barrier::create(test.segment, nullptr, most + 1));
    FAILS(wrong, "count", atoll::barrier::create(test.segment, nullptr, (1ll << 32) + 1));
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, most));
    CHECK(OK(barrier.info()).parties == most);
}

static void names_and_kinds_are_kept_apart() {
    test_segment test;
    FAILS(atoll::status::not_found, "b", atoll::barrier::open(test.segment, "b"));
    int completed = 0;
    const auto complete = [&] { completed++; };
    auto first = OK(atoll::barrier::open_or_create(test.segment, "b", 1, complete));
    auto second = OK(atoll::barrier::open_or_create(test.segment, "b", 1, complete));
    auto third = OK(atoll::barrier::open(test.segment, "b", complete));
    auto fourth = OK(atoll::barrier::import_ticket(OK(first.export_ticket()), complete));
    for (auto* barrier : {&first, &second, &third, &fourth}) OK(barrier->arrive_and_wait());
    OK(OK(atoll::barrier::open(test.segment, "b")).arrive_and_wait());
    CHECK(completed == 4);
    FAILS(atoll::status::already_exists, "b", atoll::barrier::create(test.segment, "b", 1));
    FAILS(atoll::status::wrong_kind, "", atoll::barrier::open_or_create(test.segment, "b", 2));
    FAILS(atoll::status::wrong_kind, "", atoll::latch::open(test.segment, "b"));
    OK(atoll::barrier::remove(test.segment, "b"));
    FAILS(atoll::status::not_found, "b", atoll::barrier::open(test.segment, "b"));
}

static void what_was_moved_from_is_refused() {
    test_segment test;
    int completed = 0;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 1, [&] { completed++; }));
    auto moved = std::move(barrier);
    OK(moved.arrive_and_wait());
    CHECK(completed == 1);
    FAILS(atoll::status::invalid_argument, "NULL", barrier.arrive_and_wait());
    FAILS(atoll::status::invalid_argument, "NULL", barrier.arrive());
    FAILS(atoll::status::invalid_argument, "NULL", barrier.abort());
    FAILS(atoll::status::invalid_argument, "NULL", barrier.info());
}

int main() {
    RUN(rounds_are_passed_together);
    RUN(the_last_to_arrive_completes_the_round);
    RUN(who_has_arrived_may_wait_later);
    RUN(a_token_may_be_thrown_away);
    RUN(who_gives_up_breaks_it);
    RUN(waits_without_end_go_on_after_signals);
    RUN(abort_and_reset_tell_all_who_wait);
    RUN(who_drops_out_is_no_party_any_more);
    RUN(counts_fit);
    RUN(names_and_kinds_are_kept_apart);
    RUN(what_was_moved_from_is_refused);
    return any_failed;
}
