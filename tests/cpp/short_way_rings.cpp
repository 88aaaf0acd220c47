// Which way is taken by rings: see short_way.cpp.

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "calls.hpp"
#include "others.hpp"
#include "rings.hpp"

using namespace std::chrono_literals;

atoll_status atoll_spsc_push(atoll_spsc* spsc, const void* record, std::size_t len) {
    return LIBRARY(atoll_spsc_push)(spsc, record, len);
}
atoll_status atoll_spsc_pop(atoll_spsc* spsc, void* out, std::size_t cap, std::size_t* out_len) {
    return LIBRARY(atoll_spsc_pop)(spsc, out, cap, out_len);
}
atoll_status atoll_spsc_put(atoll_spsc* spsc, const void* record, std::size_t len,
                            std::int64_t timeout_ns) {
    return LIBRARY(atoll_spsc_put)(spsc, record, len, timeout_ns);
}
atoll_status atoll_spsc_get(atoll_spsc* spsc, void* out, std::size_t cap, std::size_t* out_len,
                            std::int64_t timeout_ns) {
    return LIBRARY(atoll_spsc_get)(spsc, out, cap, out_len, timeout_ns);
}
atoll_status atoll_spsc_place(const atoll_spsc* spsc, std::uint32_t end, std::uint32_t contract,
                              atoll_ring_place* out) {
    return LIBRARY(atoll_spsc_place)(spsc, end, contract, out);
}

using ring = atoll::spsc<int>;

// One of which both roles are this object's, and both ways known.
static ring new_ring(const test_segment& test) {
    auto fresh = OK(ring::create(test.segment, "ring", {4}));
    CALLS(2, OK(fresh.put(0)));
    CALLS(2, CHECK(OK(fresh.get()) == 0));
    return fresh;
}

static void records_and_room_that_are_there_need_no_call() {
    test_segment test;
    auto ring = new_ring(test);
    const auto now = std::chrono::steady_clock::now();
    for (int lap = 0; lap < 3; lap++) {
        CALLS(0, CHECK(OK(ring.try_push(1))); OK(ring.put(2)));
        CALLS(0, CHECK(OK(ring.put_for(3, 0s)) && OK(ring.put_until(4, now))));
        CALLS(0, CHECK(!OK(ring.try_push(5))));  // it is full, for sure
        CALLS(0, CHECK(OK(ring.get()) == 1 && OK(ring.try_pop()) == 2));
        CALLS(0, CHECK(OK(ring.get_for(0s)) == 3 && OK(ring.get_until(now)) == 4));
        CALLS(0, CHECK(!OK(ring.try_pop())));
    }
    CHECK(OK(ring.info()).pushed == 13 && OK(ring.info()).popped == 13);
    CHECK(OK(ring.info()).high_water == 4);
}

static void also_for_another_thread_and_after_a_move() {
    test_segment test;
    auto first = new_ring(test);
    auto ring = std::move(first);
    CALLS(0, OK(ring.put(1)));
    std::thread([&] { CALLS(0, OK(ring.put(2)); CHECK(OK(ring.get()) == 1)); }).join();
    CALLS(0, CHECK(OK(ring.get()) == 2));
    CALLS(1, FAILS(atoll::status::invalid_argument, "NULL", first.try_push(1)));
    CALLS(1, FAILS(atoll::status::invalid_argument, "NULL", first.try_pop()));
    first = std::move(ring);
    CALLS(0, OK(first.put(1)));
}

static void batches_and_places_go_with_it() {
    test_segment test;
    auto ring = new_ring(test);
    const int numbers[3] = {1, 2, 3};
    int out[2];
    for (int lap = 0; lap < 3; lap++) {
        CHECK(OK(ring.try_push_n({numbers, 3})) == 3);
        CALLS(0, CHECK(OK(ring.try_push(9)) && !OK(ring.try_push(9))));
        CALLS(0, CHECK(OK(ring.try_pop()) == 1));
        CHECK(OK(ring.peek(2))[0] == 2);
        CHECK(OK(ring.try_pop_n({out, 2})) == 2 && out[1] == 3);
        CALLS(0, CHECK(OK(ring.get()) == 9));
    }
    auto claim = OK(ring.claim(1));
    CALLS(0, OK(ring.put(7)));
    FAILS(atoll::status::invalid_argument, "pushed since", claim.commit());
    CALLS(0, CHECK(OK(ring.get()) == 7));
}

static void a_closed_end_is_told_by_a_call() {
    test_segment test;
    auto ring = new_ring(test);
    OK(ring.put(1));
    OK(ring.put(2));
    OK(ring.shutdown(ring_end::producers));
    CALLS(1, FAILS(atoll::status::closed, "producers", ring.try_push(1)));
    CALLS(1, CHECK(OK(ring.try_pop()) == 1));
    CALLS(1, CHECK(OK(ring.get()) == 2));
    CALLS(1, FAILS(atoll::status::closed, "producers", ring.try_pop()));
    CALLS(1, FAILS(atoll::status::closed, "producers", ring.get()));
}

static void who_waits_is_told_by_a_call() {
    test_segment test;
    auto ring = new_ring(test);
    std::atomic<pid_t> thread = 0;
    const auto sleeps_in = [&](auto wait) {
        thread = 0;
        const int before = calls;
        std::thread waiter([&] {
            thread = gettid();
            wait();
        });
        while (calls == before) std::this_thread::yield();
        await_sleep(thread);
        return waiter;
    };
    auto getter = sleeps_in([&] { CHECK(OK(ring.get()) == 1); });
    CALLS(1, OK(ring.put(1)));
    getter.join();
    OK(ring.put(1));  // which may find that nobody waits any more
    CALLS(0, OK(ring.put(1)); CHECK(OK(ring.get()) == 1));
    while (OK(ring.try_push(1))) {
    }
    auto putter = sleeps_in([&] { OK(ring.put(2)); });
    CALLS(1, CHECK(OK(ring.get()) == 1));
    putter.join();
    CHECK(OK(ring.get()) == 1);
    CALLS(0, CHECK(OK(ring.get()) == 1 && OK(ring.get()) == 1 && OK(ring.get()) == 2));
}

static void who_gave_up_a_role_asks_for_it_again() {
    test_segment test;
    auto mine = new_ring(test);
    auto other = OK(ring::open(test.segment, "ring"));
    OK(mine.leave(ring_end::producers));
    OK(mine.leave(ring_end::consumers));
    OK(other.put(1));
    CALLS(1, FAILS(atoll::status::not_owner, "producer", mine.try_push(2)));
    CHECK(OK(other.get()) == 1);
    CALLS(1, FAILS(atoll::status::not_owner, "consumer", mine.try_pop()));
    { const auto gone = std::move(other); }
    CALLS(2, OK(mine.put(2)));
    CALLS(2, CHECK(OK(mine.get()) == 2));
    OK(atoll::process_leave());  // with it goes every role
    CALLS(2, OK(mine.put(3)));
    CALLS(0, OK(mine.put(4)));
    CALLS(2, CHECK(OK(mine.get()) == 3));
}

static void a_child_does_not_go_its_parents_way() {
    test_segment test;
    auto ring = new_ring(test);
    OK(ring.put(1));
    in_child([](void* given) {
        auto& parents = *static_cast<::ring*>(given);
        for (int i = 0; i < 2; i++) {
            CALLS(1, FAILS(atoll::status::not_owner, "producer", parents.try_push(2)));
            CALLS(1, FAILS(atoll::status::not_owner, "consumer", parents.try_pop()));
        }
    }, &ring);
    // Without the hooks of fork(), and so without what the kernel has to know of a thread.
    fflush(stdout);
    const auto child =
        static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
    if (child == 0) {
        begin_child();
        CALLS(1, FAILS(atoll::status::system, "robust list", ring.try_push(2)));
        CALLS(1, FAILS(atoll::status::system, "robust list", ring.try_pop()));
        fflush(stdout);
        _exit(failures != 0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CALLS(0, CHECK(OK(ring.get()) == 1));
}

static atoll_ring_place place_of(const ring& of, std::uint32_t end) {
    atoll_ring_place place{};
    EXPECT(ATOLL_OK, atoll_spsc_place(of.native_handle(), end, ATOLL_PLACE_CONTRACT, &place));
    return place;
}

static void damage_is_told_by_a_call() {
    test_segment test;
    auto ring = new_ring(test);
    OK(ring.put(1));
    const auto damaged = [&](std::uint32_t end, auto use) {
        const atoll_ring_place place = place_of(ring, end);
        auto* const other = const_cast<std::uint64_t*>(place.other);
        const std::uint64_t was = *other;
        for (const std::uint64_t wrong : {was + 100, was - 100, was + (std::uint64_t{1} << 63)}) {
            *other = wrong;
            use();
        }
        *other = was;
    };
    OK(ring.put(2));
    OK(ring.put(3));
    OK(ring.put(4));
    damaged(ATOLL_PRODUCERS, [&] {
        CALLS(1, FAILS(atoll::status::corrupted, "counter", ring.try_push(2)));
    });
    for (int i = 1; i <= 4; i++) CHECK(OK(ring.get()) == i);
    damaged(ATOLL_CONSUMERS,
            [&] { CALLS(1, FAILS(atoll::status::corrupted, "counter", ring.try_pop())); });
    CALLS(0, CHECK(!OK(ring.try_pop())));
}

static void there_is_a_place_for_who_has_the_role() {
    test_segment test;
    auto mine = OK(ring::create(test.segment, "ring", {4}));
    atoll_spsc* const handle = mine.native_handle();
    atoll_ring_place place;
    const auto is_placed = [&](std::uint32_t end) {
        return place_of(mine, end).counter != nullptr;
    };
    CHECK(!is_placed(ATOLL_PRODUCERS) && !is_placed(ATOLL_CONSUMERS));
    OK(mine.put(1));
    CHECK(is_placed(ATOLL_PRODUCERS) && !is_placed(ATOLL_CONSUMERS));
    CHECK(OK(mine.get()) == 1);
    CHECK(is_placed(ATOLL_PRODUCERS) && is_placed(ATOLL_CONSUMERS));
    place = place_of(mine, ATOLL_CONSUMERS);
    CHECK(place.mask == 3 && place.record == sizeof(int) && place.most != nullptr);
    EXPECT(ATOLL_OK, atoll_spsc_place(handle, ATOLL_PRODUCERS, ATOLL_PLACE_CONTRACT + 1, &place));
    CHECK(place.counter == nullptr);
    OK(mine.leave(ring_end::producers));
    CHECK(!is_placed(ATOLL_PRODUCERS) && is_placed(ATOLL_CONSUMERS));
    REFUSED(ATOLL_INVALID_ARGUMENT, "end",
            atoll_spsc_place(handle, 3, ATOLL_PLACE_CONTRACT, &place));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out",
            atoll_spsc_place(handle, ATOLL_PRODUCERS, ATOLL_PLACE_CONTRACT, nullptr));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle",
            atoll_spsc_place(nullptr, ATOLL_PRODUCERS, ATOLL_PLACE_CONTRACT, &place));
}

// Much of it, between processes that wait for each other and processes that do not.
static void nothing_is_lost_on_either_way() {
    test_segment test;
    auto there = OK(atoll::spsc<std::uint64_t>::create(test.segment, "there", {8}));
    constexpr std::uint64_t count = 300000;
    other_process putter([&] {
        for (std::uint64_t i = 0; i < count; i++) {
            if (i % 3 != 0 || !OK(there.try_push(i))) OK(there.put(i));
        }
        OK(there.shutdown(ring_end::producers));
    });
    for (std::uint64_t i = 0; i < count; i++) {
        const auto one = i % 2 ? OK(there.try_pop()) : std::nullopt;
        CHECK((one ? *one : OK(there.get())) == i);
    }
    FAILS(atoll::status::closed, "producers", there.get());
}

int main() {
    RUN(records_and_room_that_are_there_need_no_call);
    RUN(also_for_another_thread_and_after_a_move);
    RUN(batches_and_places_go_with_it);
    RUN(a_closed_end_is_told_by_a_call);
    RUN(who_waits_is_told_by_a_call);
    RUN(who_gave_up_a_role_asks_for_it_again);
    RUN(a_child_does_not_go_its_parents_way);
    RUN(damage_is_told_by_a_call);
    RUN(there_is_a_place_for_who_has_the_role);
    RUN(nothing_is_lost_on_either_way);
    return any_failed;
}
