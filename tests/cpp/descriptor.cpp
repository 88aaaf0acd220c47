// Descriptors of events, latches and semaphores in poll().

#include <fcntl.h>
#include <poll.h>

#include <utility>
#include <vector>

#include "others.hpp"
#include "waits.hpp"

// Whether it becomes readable; without an end, as the watchdog sees to that.
static bool polled(int descriptor, int timeout_ms = -1) {
    pollfd one{descriptor, POLLIN, 0};
    return poll(&one, 1, timeout_ms) == 1 && (one.revents & POLLIN) != 0;
}

// What comes in another process ends a poll of `of`, and calls between polls empty it.
template <class Object, class Comes, class Goes>
static void is_told(const Object& of, Comes comes, Goes goes) {
    const int descriptor = OK(of.descriptor());
    for (int i = 0; i < 3; i++) {
        CHECK(OK(of.descriptor()) == descriptor && !polled(descriptor, 1));
        other_process other([&] {
            usleep(5000);
            comes();
        });
        CHECK(polled(descriptor));
        CHECK(OK(of.descriptor()) == descriptor && polled(descriptor, 0));  // still so
        goes();
    }
}

static void an_event_that_is_set_ends_a_poll() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    is_told(event, [&] { OK(event.set()); }, [&] { OK(event.clear()); });
}

static void a_permit_ends_a_poll() {
    test_segment test;
    auto plain = OK(atoll::counting_semaphore::create(test.segment, nullptr, 0));
    is_told(plain, [&] { OK(plain.release()); }, [&] { CHECK(OK(plain.try_acquire())); });
    auto tracked = OK(atoll::tracked_semaphore::create(test.segment, nullptr, 1));
    OK(tracked.acquire());
    is_told(tracked, [&] { OK(tracked.release()); }, [&] { CHECK(OK(tracked.try_acquire())); });
}

static void the_permit_of_a_dead_process_ends_a_poll() {
    test_segment test;
    auto pool = OK(atoll::tracked_semaphore::create(test.segment, nullptr, 1));
    auto has_it = OK(atoll::event::create(test.segment));
    other_process holder([&] {
        OK(pool.acquire());
        OK(has_it.set());
        for (;;) pause();
    });
    OK(has_it.wait());
    const int descriptor = OK(pool.descriptor());
    std::thread killer([&] { holder.die(); });
    while (!OK(pool.try_acquire())) {
        CHECK(OK(pool.descriptor()) == descriptor);
        CHECK(polled(descriptor));
    }
    killer.join();
}

static void a_latch_at_zero_ends_a_poll() {
    test_segment test;
    auto latch = OK(atoll::latch::create(test.segment, nullptr, 1));
    const int descriptor = OK(latch.descriptor());
    CHECK(!polled(descriptor, 1));
    other_process other([&] { OK(latch.count_down()); });
    CHECK(polled(descriptor));
    CHECK(OK(latch.descriptor()) == descriptor && polled(descriptor, 0));
}

static void a_notified_waiter_ends_a_poll() {
    test_segment test;
    auto changed = OK(atoll::condition_variable_any::create(test.segment));
    auto waiter = OK(atoll::waiter::create(changed));
    const int descriptor = OK(waiter.descriptor());
    CHECK(!polled(descriptor, 1));
    other_process other([&] { OK(changed.notify_one()); });
    do {
        CHECK(polled(descriptor));
        CHECK(OK(waiter.descriptor()) == descriptor);
    } while (OK(atoll::wait_any_for({waiter}, 0s)).none());
    CHECK(polled(descriptor, 0) && OK(waiter.finish()));
}

static void it_goes_with_its_object() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    const int descriptor = OK(event.descriptor());
    auto moved = std::move(event);
    CHECK(OK(moved.descriptor()) == descriptor);
    FAILS(atoll::status::invalid_argument, "NULL", event.descriptor());
    { const auto gone = std::move(moved); }
    CHECK(fcntl(descriptor, F_GETFD) == -1);
}

static void who_may_only_read_is_refused() {
    test_segment test;
    OK(atoll::event::create(test.segment, "e"));
    atoll::segment_options look;
    look.read_only = true;
    const auto watched = OK(atoll::segment::open(test.name(), look));
    FAILS(atoll::status::permission, "read-only", OK(atoll::event::open(watched, "e")).descriptor());
}

int main() {
    RUN(an_event_that_is_set_ends_a_poll);
    RUN(a_permit_ends_a_poll);
    RUN(the_permit_of_a_dead_process_ends_a_poll);
    RUN(a_latch_at_zero_ends_a_poll);
    RUN(a_notified_waiter_ends_a_poll);
    RUN(it_goes_with_its_object);
    RUN(who_may_only_read_is_refused);
    return any_failed;
}
