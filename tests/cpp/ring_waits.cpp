// Waits at rings: between threads and processes, with an end, beside others, and after deaths.

#include <poll.h>

#include <optional>
#include <vector>

#include "others.hpp"
#include "rings.hpp"
#include "waits.hpp"

template <class Ring>
static auto timed_put(Ring& ring) {
    return timed{[&](auto timeout) { return OK(ring.put_for(1, timeout)); },
                 [&](auto deadline) { return OK(ring.put_until(1, deadline)); }};
}

template <class Ring>
static auto timed_get(Ring& ring) {
    return timed{[&](auto timeout) { return OK(ring.get_for(timeout)).has_value(); },
                 [&](auto deadline) { return OK(ring.get_until(deadline)).has_value(); }};
}

template <class Ring>
static void put_to_the_brim(Ring& ring) {
    while (OK(ring.try_push(1))) {
    }
}

template <template <class> class Ring>
static void waits_end_on_time_or_with_a_record() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    gives_up_on_time(timed_get(ring));
    waits_for_what_comes([] {}, timed_get(ring), [&] { OK(ring.put(1)); });
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!OK(ring.get_for(50ms))); }) >= 50ms);
    });
    OK(ring.put(3));
    CHECK(OK(ring.get_for(0s)) == 3);
}

template <template <class> class Ring>
static void waits_end_on_time_or_with_room() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    put_to_the_brim(ring);
    gives_up_on_time(timed_put(ring));
    waits_for_what_comes([] {}, timed_put(ring), [&] { CHECK(OK(ring.get()) == 1); });
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!OK(ring.put_for(1, 50ms))); }) >= 50ms);
    });
    CHECK(OK(ring.get()) == 1 && OK(ring.put_for(2, 0s)));
}

template <template <class> class Ring>
static void waits_without_end_go_on_after_signals() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    std::thread putter([&] {
        once_disturbed();
        OK(ring.put(1));
    });
    among_signals([&] { CHECK(OK(ring.get()) == 1); });
    putter.join();
    put_to_the_brim(ring);
    std::thread getter([&] {
        once_disturbed();
        CHECK(OK(ring.get()) == 1);
    });
    among_signals([&] { OK(ring.put(1)); });
    getter.join();
}

template <template <class> class Ring>
static void processes_hand_records_on() {
    test_segment test;
    auto there = OK(Ring<std::uint64_t>::create(test.segment, "there", room_for<Ring>(4)));
    auto back = OK(Ring<std::uint64_t>::create(test.segment, "back", room_for<Ring>(4)));
    other_process other([&] {
        auto in = OK(Ring<std::uint64_t>::open(test.segment, "there"));
        auto out = OK(Ring<std::uint64_t>::open(test.segment, "back"));
        for (int i = 0; i < 1000; i++) OK(out.put(OK(in.get()) + 1));
        OK(out.shutdown(ring_end::producers));
    });
    std::thread putter([&] {
        for (std::uint64_t i = 0; i < 1000; i++) OK(there.put(i));
    });
    for (std::uint64_t i = 0; i < 1000; i++) CHECK(OK(back.get()) == i + 1);
    FAILS(atoll::status::closed, "producers", back.get());
    putter.join();
}

template <template <class> class Ring>
static void a_closed_end_wakes_who_waits() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, "ring", room_for<Ring>(4)));
    {
        other_process waits([&] { FAILS(atoll::status::closed, "producers", ring.get()); });
        await_sleep(waits.pid());
        OK(ring.shutdown(ring_end::producers));
    }
    auto full = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    other_process waits([&] {
        put_to_the_brim(full);
        FAILS(atoll::status::closed, "consumers", full.put(1));
    });
    await_sleep(waits.pid());
    OK(full.shutdown(ring_end::consumers));
}

template <template <class> class Ring>
static void who_takes_over_finds_what_was_put() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    die_after([&] {
        OK(ring.put(1));
        OK(ring.put(2));
        static auto unfinished = OK(ring.claim(2));
        unfinished[0] = 3;
    });
    OK(ring.put(4));
    die_after([&] {
        CHECK(OK(ring.get()) == 1);
        CHECK(OK(ring.peek(1))[0] == 2);
    });
    CHECK(OK(ring.get()) == 2 && OK(ring.get()) == 4 && !OK(ring.try_pop()));
}

static void what_a_dead_consumer_was_getting_is_marked() {
    test_segment test;
    auto ring = OK(atoll::mpmc<int>::create(test.segment, nullptr, {4}));
    const auto put_and_die = [&](int number) {
        OK(ring.put(number));
        die_getting(ring.native_handle());
    };
    put_and_die(1);
    die_getting(ring.native_handle());
    auto marked = OK(ring.get_marked());
    CHECK(marked.record == 1 && marked.times == 2 && OK(ring.info()).redelivered == 2);
    put_and_die(2);
    marked = OK(ring.get_marked_for(1h)).value();
    CHECK(marked.record == 2 && marked.times == 1);
    // Who does not wait may have to look more than once.
    put_and_die(3);
    std::optional<atoll::marked<int>> found;
    while (!(found = OK(ring.try_pop_marked()))) std::this_thread::yield();
    CHECK(found->record == 3 && found->times == 1);
    put_and_die(4);
    int out[4];
    std::uint32_t times = 0;
    while (OK(ring.try_pop_n({out, 4}, times)) == 0) std::this_thread::yield();
    CHECK(out[0] == 4 && times == 1);
    OK(ring.put(5));
    marked = OK(ring.get_marked());
    CHECK(marked.record == 5 && marked.times == 0);
}

// The handle is the parent's, and so are its roles.
template <template <class> class Ring>
static void a_forked_child_has_no_role() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    OK(ring.put(1));
    CHECK(OK(ring.get()) == 1);
    auto places = OK(ring.claim(1));
    in_child(
        [](void* given) {
            auto& parents = *static_cast<Ring<int>*>(given);
            FAILS(atoll::status::not_owner, "consumer", parents.try_pop());
            OK(parents.leave(ring_end::consumers));
        },
        &ring);
    places[0] = 2;
    OK(places.commit());
    CHECK(OK(ring.get()) == 2);
}

template <template <class> class Ring>
static void it_is_waited_for_beside_others() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    auto stop = OK(atoll::event::create(test.segment));
    const std::vector<atoll::waitable> either = {stop, {ring, ring_end::consumers}};
    CHECK(OK(atoll::wait_any_for(either, 1ms)).none());
    {
        other_process puts([&] { OK(ring.put(1)); });
        CHECK(OK(atoll::wait_any(either)) == 0b10);
    }
    CHECK(OK(ring.try_pop()) == 1);
    put_to_the_brim(ring);
    CHECK(OK(atoll::wait_any_for({stop, {ring, ring_end::producers}}, 1ms)).none());
    CHECK(OK(ring.try_pop()) == 1);
    CHECK(OK(atoll::wait_any({stop, {ring, ring_end::producers}})) == 0b10);
    CHECK(OK(ring.try_push(1)));
    OK(ring.shutdown(ring_end::consumers));
    CHECK(OK(atoll::wait_any({{ring, ring_end::consumers}, {ring, ring_end::producers}})) == 0b11);
}

// Whether it becomes readable; without an end, as the watchdog sees to that.
static bool polled(int descriptor, int timeout_ms = -1) {
    pollfd one{descriptor, POLLIN, 0};
    return poll(&one, 1, timeout_ms) == 1 && (one.revents & POLLIN) != 0;
}

template <template <class> class Ring>
static void a_record_or_room_ends_a_poll() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    const int records = OK(ring.descriptor(ring_end::consumers));
    for (int i = 0; i < 3; i++) {
        CHECK(OK(ring.descriptor(ring_end::consumers)) == records && !polled(records, 0));
        std::thread other([&] { OK(ring.put(i)); });
        CHECK(polled(records));
        other.join();
        CHECK(OK(ring.get()) == i);
    }
    put_to_the_brim(ring);
    const int room = OK(ring.descriptor(ring_end::producers));
    CHECK(room != records && !polled(room, 0));
    std::thread other([&] { CHECK(OK(ring.get()) == 1); });
    CHECK(polled(room));
    other.join();
    CHECK(OK(ring.try_push(1)));
}

static void also_for_what_is_marked() {
    test_segment test;
    auto ring = OK(atoll::mpmc<int>::create(test.segment, nullptr, {4}));
    const timed get{
        [&](auto timeout) { return OK(ring.get_marked_for(timeout)).has_value(); },
        [&](auto deadline) { return OK(ring.get_marked_until(deadline)).has_value(); }};
    gives_up_on_time(get);
    waits_for_what_comes([] {}, get, [&] { OK(ring.put(1)); });
    std::thread putter([&] {
        once_disturbed();
        OK(ring.put(1));
    });
    among_signals([&] { CHECK(OK(ring.get_marked()).record == 1); });
    putter.join();
}

int main() {
    EACH(waits_end_on_time_or_with_a_record);
    RUN(also_for_what_is_marked);
    EACH(waits_end_on_time_or_with_room);
    EACH(waits_without_end_go_on_after_signals);
    EACH(processes_hand_records_on);
    EACH(a_closed_end_wakes_who_waits);
    LANES(who_takes_over_finds_what_was_put);
    RUN(what_a_dead_consumer_was_getting_is_marked);
    LANES(a_forked_child_has_no_role);
    EACH(it_is_waited_for_beside_others);
    EACH(a_record_or_room_ends_a_poll);
    return any_failed;
}
