// Semaphores of both kinds: permits between threads and processes, with an end, and after deaths.

#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::counting_semaphore>);
static_assert(std::is_nothrow_move_constructible_v<atoll::tracked_semaphore>);
static_assert(!std::is_same_v<atoll::counting_semaphore, atoll::tracked_semaphore>);

template <class Semaphore>
static auto timed_acquire(Semaphore& semaphore) {
    return timed{[&](auto timeout) { return OK(semaphore.try_acquire_for(timeout)); },
                 [&](auto deadline) { return OK(semaphore.try_acquire_until(deadline)); }};
}

static void permits_are_counted() {
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 2));
    CHECK(OK(semaphore.value()) == 2 && OK(semaphore.max()) == 0x7fffffff);
    OK(semaphore.acquire());
    CHECK(OK(semaphore.try_acquire()) && !OK(semaphore.try_acquire()));
    OK(semaphore.release(3));
    OK(semaphore.release(0));
    OK(semaphore.release());
    CHECK(OK(semaphore.value()) == 4);
    CHECK(OK(semaphore.try_acquire_for(0s)) && OK(semaphore.try_acquire_for(-1h)));
    CHECK(OK(semaphore.try_acquire_until(system_clock::time_point::min())));
    CHECK(OK(semaphore.value()) == 1);
}

static void a_bound_is_kept() {
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 1, 3));
    CHECK(OK(semaphore.value()) == 1 && OK(semaphore.max()) == 3);
    FAILS(atoll::status::full, "", semaphore.release(3));
    CHECK(OK(semaphore.value()) == 1);
    OK(semaphore.release(2));
    FAILS(atoll::status::full, "", semaphore.release());
    CHECK(OK(semaphore.value()) == 3);
}

template <class Semaphore>
static void waits_end_on_time_or_with_a_permit() {
    test_segment test;
    auto semaphore = OK(Semaphore::create(test.segment, nullptr, 1));
    OK(semaphore.acquire());
    gives_up_on_time(timed_acquire(semaphore));
    waits_for_what_comes([] {}, timed_acquire(semaphore), [&] { OK(semaphore.release()); });
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!OK(semaphore.try_acquire_for(50ms))); }) >= 50ms);
    });
    CHECK(OK(semaphore.value()) == 0);
}

template <class Semaphore>
static void threads_never_have_more_than_there_are() {
    test_segment test;
    auto semaphore = OK(Semaphore::create(test.segment, nullptr, 2));
    std::atomic<int> inside = 0;
    const auto work = [&] {
        for (int i = 0; i < 1000; i++) {
            OK(semaphore.acquire());
            CHECK(++inside <= 2);
            inside--;
            OK(semaphore.release());
        }
    };
    std::thread one(work), two(work);
    work();
    one.join();
    two.join();
    CHECK(OK(semaphore.value()) == 2);
}

static void processes_wake_each_other() {
    test_segment test;
    auto ping = OK(atoll::counting_semaphore::create(test.segment, "ping", 0));
    auto pong = OK(atoll::counting_semaphore::create(test.segment, nullptr, 0));
    const auto ticket = OK(pong.export_ticket());
    other_process other([&] {
        auto mine = OK(atoll::counting_semaphore::open(test.segment, "ping"));
        auto theirs = OK(atoll::counting_semaphore::import_ticket(ticket));
        for (int i = 0; i < 100; i++) {
            OK(mine.acquire());
            OK(theirs.release());
        }
    });
    for (int i = 0; i < 100; i++) {
        OK(ping.release());
        OK(pong.acquire());
    }
    CHECK(OK(ping.value()) == 0 && OK(pong.value()) == 0);
}

static void what_the_dead_had_acquired_is_gone() {
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 3));
    other_process waits([&] { OK(semaphore.acquire()); });
    die_after([&] { OK(semaphore.acquire()); });
    while (OK(semaphore.value()) != 1) std::this_thread::yield();
    OK(semaphore.acquire());
    other_process dies([&] { OK(semaphore.acquire()); });
    std::this_thread::sleep_for(10ms);
    dies.die();
    CHECK(!OK(semaphore.try_acquire()));
    OK(semaphore.release());
    CHECK(OK(semaphore.value()) == 1);  // nobody is waited for
}

static void but_tracked_permits_come_back() {
    test_segment test;
    auto pool = OK(atoll::tracked_semaphore::create(test.segment, "pool", 3));
    CHECK(OK(pool.value()) == 3 && OK(pool.max()) == 3);
    die_after([&] {
        OK(pool.acquire());
        OK(pool.acquire());
        CHECK(OK(pool.value()) == 1);
    });
    // The kernel may clear a dead process away a little after its parent has heard of the end.
    while (OK(pool.value()) != 3) std::this_thread::yield();
    for (int i = 0; i < 3; i++) CHECK(OK(pool.try_acquire()));
    CHECK(!OK(pool.try_acquire()) && OK(pool.value()) == 0);
    OK(pool.release(3));
    FAILS(atoll::status::full, "", pool.release());
}

static void and_wake_all_whom_they_are_enough_for() {
    test_segment test;
    auto pool = OK(atoll::tracked_semaphore::create(test.segment, nullptr, 2));
    auto have_all = OK(atoll::event::create(test.segment));
    other_process holder([&] {
        OK(pool.acquire());
        OK(pool.acquire());
        OK(have_all.set());
        for (;;) pause();
    });
    OK(have_all.wait());
    CHECK(!OK(pool.try_acquire_for(10ms)));
    other_process one([&] { OK(pool.acquire()); });
    other_process two([&] { OK(pool.acquire()); });
    std::this_thread::sleep_for(10ms);
    holder.die();
}

// Even in the middle of a call.
static void a_signal_handler_may_release() {
    static atoll::counting_semaphore* awaited;
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 0));
    awaited = &semaphore;
    struct sigaction action{}, old{};
    action.sa_handler = [](int) { OK(awaited->release()); };
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    std::thread waiter([&] { OK(semaphore.acquire()); });
    CHECK(pthread_kill(waiter.native_handle(), SIGUSR1) == 0);
    waiter.join();
    CHECK(OK(semaphore.value()) == 0 && sigaction(SIGUSR1, &old, nullptr) == 0);
}

static void counts_fit() {
    test_segment test;
    const auto wrong = atoll::status::invalid_argument;
    constexpr auto too_many = std::ptrdiff_t{1} << 32;
    FAILS(wrong, "count", atoll::counting_semaphore::create(test.segment, nullptr, -1));
    FAILS(wrong, "count", atoll::counting_semaphore::create(test.segment, nullptr, too_many));
    FAILS(wrong, "count", atoll::counting_semaphore::create(test.segment, nullptr, 1, too_many));
    FAILS(wrong, "", atoll::counting_semaphore::create(test.segment, nullptr, 2, 1));
    FAILS(wrong, "4096", atoll::tracked_semaphore::create(test.segment, nullptr, 4097));
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 0));
    FAILS(wrong, "count", semaphore.release(-1));
    FAILS(wrong, "count", semaphore.release(too_many + 1));
    CHECK(OK(semaphore.value()) == 0);
}

static void kinds_and_bounds_are_kept_apart() {
    test_segment test;
    using counting = atoll::counting_semaphore;
    using tracked = atoll::tracked_semaphore;
    const auto kind = atoll::status::wrong_kind;
    auto plain = OK(counting::create(test.segment, "plain", 1, 5));
    auto pool = OK(tracked::open_or_create(test.segment, "pool", 4));
    FAILS(kind, "tracked", tracked::open(test.segment, "plain"));
    FAILS(kind, "tracked", counting::open(test.segment, "pool"));
    FAILS(kind, "tracked", counting::open_or_create(test.segment, "pool", 4));
    FAILS(kind, "not tracked", tracked::import_ticket(OK(plain.export_ticket())));
    FAILS(kind, "a tracked", counting::import_ticket(OK(pool.export_ticket())));
    CHECK(OK(OK(tracked::import_ticket(OK(pool.export_ticket()))).max()) == 4);
    FAILS(kind, "5", counting::open_or_create(test.segment, "plain", 1, 6));
    FAILS(kind, "4", tracked::open_or_create(test.segment, "pool", 3));
    CHECK(OK(OK(counting::open_or_create(test.segment, "plain", 2, 5)).value()) == 1);
    CHECK(OK(OK(counting::open(test.segment, "plain")).max()) == 5);
    FAILS(atoll::status::already_exists, "plain", counting::create(test.segment, "plain", 1));
    OK(counting::remove(test.segment, "plain"));
    FAILS(atoll::status::not_found, "plain", counting::open(test.segment, "plain"));
}

static void what_was_moved_from_is_refused() {
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 1));
    auto moved = std::move(semaphore);
    CHECK(OK(moved.try_acquire()));
    FAILS(atoll::status::invalid_argument, "NULL", semaphore.acquire());
    FAILS(atoll::status::invalid_argument, "NULL", semaphore.release());
    FAILS(atoll::status::invalid_argument, "NULL", semaphore.value());
}

int main() {
    RUN(permits_are_counted);
    RUN(a_bound_is_kept);
    RUN(waits_end_on_time_or_with_a_permit<atoll::counting_semaphore>);
    RUN(waits_end_on_time_or_with_a_permit<atoll::tracked_semaphore>);
    RUN(threads_never_have_more_than_there_are<atoll::counting_semaphore>);
    RUN(threads_never_have_more_than_there_are<atoll::tracked_semaphore>);
    RUN(processes_wake_each_other);
    RUN(what_the_dead_had_acquired_is_gone);
    RUN(but_tracked_permits_come_back);
    RUN(and_wake_all_whom_they_are_enough_for);
    RUN(a_signal_handler_may_release);
    RUN(counts_fit);
    RUN(kinds_and_bounds_are_kept_apart);
    RUN(what_was_moved_from_is_refused);
    return any_failed;
}
