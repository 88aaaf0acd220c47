// Waiting for several things at once: of all kinds, with an end, while others die.

#include <dlfcn.h>

#include <type_traits>
#include <utility>
#include <vector>

#include "others.hpp"
#include "waits.hpp"

// What happens at the end of the next piece of a wait, which a signal is said to have ended.
static void (*between_pieces)();

atoll_status atoll_wait_any(const atoll_waitable* of, std::size_t n, std::int64_t ns,
                            std::uint64_t* ready) {
    if (const auto happens = std::exchange(between_pieces, nullptr)) {
        happens();
        return ATOLL_INTERRUPTED;
    }
    static const auto library =
        reinterpret_cast<decltype(&atoll_wait_any)>(dlsym(RTLD_NEXT, "atoll_wait_any"));
    return library(of, n, ns, ready);
}

static auto timed_wait(const std::vector<atoll::waitable>& of) {
    return timed{[=](auto timeout) { return OK(atoll::wait_any_for(of, timeout)).any(); },
                 [=](auto deadline) { return OK(atoll::wait_any_until(of, deadline)).any(); }};
}

static void it_says_which_are_ready() {
    test_segment test, elsewhere;
    auto event = OK(atoll::event::create(test.segment));
    auto latch = OK(atoll::latch::create(elsewhere.segment, nullptr, 1));
    auto permits = OK(atoll::counting_semaphore::create(elsewhere.segment, nullptr, 0));
    auto pool = OK(atoll::tracked_semaphore::create(test.segment, nullptr, 1));
    OK(pool.acquire());
    const std::vector<atoll::waitable> all = {event, latch, permits, pool, event,
                                              {test.segment, 0}};
    CHECK(OK(atoll::wait_any_for(all, 0s)).none());
    OK(permits.release(2));
    CHECK(OK(atoll::wait_any(all)) == 0b000100);
    CHECK(OK(atoll::wait_any(all)) == 0b000100);  // nothing was taken
    OK(event.set());
    OK(pool.release());
    CHECK(OK(atoll::wait_any(all)) == 0b011101);
    OK(latch.count_down());
    OK(event.clear());
    die_after([&] { OK(pool.acquire()); });
    OK(test.segment.wait_death(0));
    const atoll::ready_set ready = OK(atoll::wait_any({latch, event, {test.segment, 0}}));
    CHECK(ready[0] && !ready[1] && ready[2]);
}

static void waits_end_on_time_or_when_one_is_ready() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    auto permits = OK(atoll::counting_semaphore::create(test.segment, nullptr, 0));
    const auto wait = timed_wait({permits, event});
    gives_up_on_time(wait);
    waits_for_what_comes([&] { OK(event.clear()); }, wait, [&] { OK(event.set()); });
    OK(event.clear());
    waits_for_what_comes([&] { static_cast<void>(OK(permits.try_acquire())); }, wait,
                         [&] { OK(permits.release()); });
}

static void a_wait_goes_on_after_a_signal() {
    test_segment test;
    const auto event = OK(atoll::event::create(test.segment));
    among_signals([&] {
        CHECK(time_of([&] { CHECK(OK(atoll::wait_any_for({event}, 50ms)).none()); }) >= 50ms);
    });
}

static void what_was_set_and_cleared_during_a_wait_ends_it() {
    static atoll::event* pulsed;
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    const auto other = OK(atoll::event::create(test.segment));
    const std::vector<atoll::waitable> both = {other, event};
    pulsed = &event;
    between_pieces = [] {
        OK(pulsed->set());
        OK(pulsed->clear());
    };
    CHECK(OK(atoll::wait_any_for(both, 60s)) == 0b10);
    CHECK(OK(atoll::wait_any_for(both, 0s)).none());  // that was another wait
}

static void permits_of_the_dead_and_their_deaths_are_seen() {
    test_segment test;
    auto pool = OK(atoll::tracked_semaphore::create(test.segment, nullptr, 1));
    auto has_it = OK(atoll::event::create(test.segment));
    other_process holder([&] {
        OK(pool.acquire());
        OK(has_it.set());
        for (;;) pause();
    });
    OK(has_it.wait());
    OK(has_it.clear());
    CHECK(OK(atoll::wait_any_for({has_it, pool, {test.segment, 0}}, 20ms)).none());
    std::thread killer([&] { holder.die(); });
    CHECK(!OK(atoll::wait_any({has_it, pool, {test.segment, 0}}))[0]);
    CHECK(OK(atoll::wait_any({pool})).all() == false && OK(pool.try_acquire()));
    CHECK(OK(atoll::wait_any({{test.segment, 0}})) == 1);
    killer.join();
}

static void bad_lists_are_refused() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    const auto bad = atoll::status::invalid_argument;
    FAILS(bad, "", atoll::wait_any({}));
    FAILS(bad, "64", atoll::wait_any(std::vector<atoll::waitable>(65, event)));
    OK(event.set());
    CHECK(OK(atoll::wait_any(std::vector<atoll::waitable>(64, event))).all());
    const auto moved = std::move(event);
    FAILS(bad, "NULL", atoll::wait_any({moved, event}));
}

int main() {
    RUN(it_says_which_are_ready);
    RUN(waits_end_on_time_or_when_one_is_ready);
    RUN(a_wait_goes_on_after_a_signal);
    RUN(what_was_set_and_cleared_during_a_wait_ends_it);
    RUN(permits_of_the_dead_and_their_deaths_are_seen);
    RUN(bad_lists_are_refused);
    return any_failed;
}
