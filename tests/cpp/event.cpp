// Events: between threads and processes, with an end, and after deaths.

#include <dlfcn.h>

#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::event>);
static_assert(std::is_nothrow_move_constructible_v<atoll::event>);
static_assert(std::is_nothrow_move_assignable_v<atoll::event>);

// What happens at the end of the next piece of a wait, which a signal is said to have ended.
static void (*between_pieces)();

atoll_status atoll_event_wait_since(atoll_event* event, std::uint32_t sets, std::int64_t ns) {
    if (const auto happens = std::exchange(between_pieces, nullptr)) {
        happens();
        return ATOLL_INTERRUPTED;
    }
    static const auto library = reinterpret_cast<decltype(&atoll_event_wait_since)>(
        dlsym(RTLD_NEXT, "atoll_event_wait_since"));
    return library(event, sets, ns);
}

static auto timed_wait(const atoll::event& event) {
    return timed{[&](auto timeout) { return OK(event.wait_for(timeout)); },
                 [&](auto deadline) { return OK(event.wait_until(deadline)); }};
}

static void it_is_set_and_cleared() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    CHECK(!OK(event.is_set()));
    OK(event.set());
    OK(event.set());
    CHECK(OK(event.is_set()));
    OK(event.wait());
    CHECK(OK(event.wait_for(0s)) && OK(event.wait_until(system_clock::time_point::min())));
    OK(event.clear());
    CHECK(!OK(event.is_set()) && !OK(event.wait_for(0s)));
    OK(event.clear());
}

static void waits_end_on_time_or_when_it_is_set() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    gives_up_on_time(timed_wait(event));
    waits_for_what_comes([&] { OK(event.clear()); }, timed_wait(event), [&] { OK(event.set()); });
}

static void a_wait_goes_on_after_a_signal() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!OK(event.wait_for(50ms))); }) >= 50ms);
    });
}

static void what_was_set_and_cleared_during_a_wait_ends_it() {
    static atoll::event* pulsed;
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    pulsed = &event;
    between_pieces = [] {
        OK(pulsed->set());
        OK(pulsed->clear());
    };
    OK(event.wait());
    CHECK(!OK(event.is_set()));
}

static void processes_wait_for_each_other() {
    test_segment test;
    auto go = OK(atoll::event::create(test.segment, "go"));
    auto done = OK(atoll::event::create(test.segment));
    const auto ticket = OK(done.export_ticket());
    other_process other([&] {
        OK(OK(atoll::event::open(test.segment, "go")).wait());
        OK(OK(atoll::event::import_ticket(ticket)).set());
    });
    CHECK(!OK(done.wait_for(10ms)));
    OK(go.set());
    OK(done.wait());
}

static void the_dead_neither_wait_nor_hold_up() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    {
        other_process waits([&] { OK(event.wait()); });
        other_process dies([&] { OK(event.wait()); });
        std::this_thread::sleep_for(10ms);
        dies.die();
        OK(event.set());
        die_after([&] { OK(event.set()); });
        CHECK(OK(event.is_set()));
    }  // who has not come to wait before it is cleared would wait for ever
    die_after([&] { OK(event.clear()); });
    CHECK(!OK(event.is_set()));
}

// The one thing here that a handler may do, even in the middle of a call.
static void a_signal_handler_may_set_it() {
    static atoll::event* to_set;
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    auto never = OK(atoll::event::create(test.segment));
    to_set = &event;
    struct sigaction action{}, old{};
    action.sa_handler = [](int) { OK(to_set->set()); };
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    std::thread waiter([&] { CHECK(!OK(never.wait_for(50ms))); });
    CHECK(pthread_kill(waiter.native_handle(), SIGUSR1) == 0);
    OK(event.wait());
    waiter.join();
    CHECK(sigaction(SIGUSR1, &old, nullptr) == 0);
}

static void names_and_kinds_are_kept_apart() {
    test_segment test;
    FAILS(atoll::status::not_found, "e", atoll::event::open(test.segment, "e"));
    OK(OK(atoll::event::open_or_create(test.segment, "e")).set());
    CHECK(OK(OK(atoll::event::open_or_create(test.segment, "e")).is_set()));
    FAILS(atoll::status::already_exists, "e", atoll::event::create(test.segment, "e"));
    FAILS(atoll::status::wrong_kind, "event", atoll::mutex::open(test.segment, "e"));
    const auto ticket = OK(OK(atoll::mutex::create(test.segment)).export_ticket());
    FAILS(atoll::status::wrong_kind, "not for an event", atoll::event::import_ticket(ticket));
    OK(atoll::event::remove(test.segment, "e"));
    FAILS(atoll::status::not_found, "e", atoll::event::open(test.segment, "e"));
}

static void it_outlives_its_segment_and_moves() {
    const std::string name = fresh_name();
    auto event = [&] {
        const auto segment = OK(atoll::segment::create(name));
        return OK(atoll::event::create(segment));
    }();
    OK(atoll::segment::unlink(name));
    auto moved = std::move(event);
    OK(moved.set());
    FAILS(atoll::status::invalid_argument, "NULL", event.set());
    FAILS(atoll::status::invalid_argument, "NULL", event.is_set());
    FAILS(atoll::status::invalid_argument, "NULL", event.wait());
    event = std::move(moved);
    CHECK(OK(event.is_set()));
}

int main() {
    RUN(it_is_set_and_cleared);
    RUN(waits_end_on_time_or_when_it_is_set);
    RUN(a_wait_goes_on_after_a_signal);
    RUN(what_was_set_and_cleared_during_a_wait_ends_it);
    RUN(processes_wait_for_each_other);
    RUN(the_dead_neither_wait_nor_hold_up);
    RUN(a_signal_handler_may_set_it);
    RUN(names_and_kinds_are_kept_apart);
    RUN(it_outlives_its_segment_and_moves);
    return any_failed;
}
