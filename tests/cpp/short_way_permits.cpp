// Which way is taken by semaphores and events: see short_way.cpp.

#include <atomic>
#include <chrono>
#include <thread>

#include "calls.hpp"
#include "others.hpp"

using namespace std::chrono_literals;

atoll_status atoll_semaphore_acquire(atoll_semaphore* semaphore, std::int64_t timeout_ns) {
    return LIBRARY(atoll_semaphore_acquire)(semaphore, timeout_ns);
}
atoll_status atoll_semaphore_release(atoll_semaphore* semaphore, std::uint32_t n) {
    return LIBRARY(atoll_semaphore_release)(semaphore, n);
}
atoll_status atoll_event_is_set(const atoll_event* event, bool* out) {
    return LIBRARY(atoll_event_is_set)(event, out);
}

static void a_permit_that_is_there_needs_no_call() {
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 2, 2));
    const auto now = std::chrono::system_clock::now();
    CALLS(0, OK(semaphore.acquire()); OK(semaphore.release()));
    CALLS(0, CHECK(OK(semaphore.try_acquire()) && OK(semaphore.try_acquire_for(0s))));
    CHECK(OK(semaphore.value()) == 0);
    CALLS(0, OK(semaphore.release()); CHECK(OK(semaphore.try_acquire_until(now))));
    CALLS(0, OK(semaphore.release()); OK(semaphore.release()));
    auto moved = std::move(semaphore);
    CALLS(0, OK(moved.acquire()));
    CHECK(OK(moved.value()) == 1);
    std::thread([&] { CALLS(0, OK(moved.acquire()); OK(moved.release())); }).join();
    in_child([](void* given) {
        CALLS(0, OK(static_cast<atoll::counting_semaphore*>(given)->acquire()));
    }, &moved);
    CHECK(OK(moved.value()) == 0);
}

static void all_else_is_called_for() {
    test_segment test;
    auto semaphore = OK(atoll::counting_semaphore::create(test.segment, nullptr, 0, 2));
    CALLS(1, CHECK(!OK(semaphore.try_acquire())));
    CALLS(1, OK(semaphore.release(2)));
    CALLS(1, FAILS(atoll::status::full, "", semaphore.release()));
    OK(semaphore.acquire());
    OK(semaphore.acquire());
    const int before = calls;
    std::atomic<pid_t> thread = 0;
    std::thread waiter([&] {
        thread = gettid();
        OK(semaphore.acquire());
    });
    while (calls == before) std::this_thread::yield();
    await_sleep(thread);
    CALLS(1, OK(semaphore.release()));
    waiter.join();
    auto pool = OK(atoll::tracked_semaphore::create(test.segment, nullptr, 1));
    CALLS(2, OK(pool.acquire()); OK(pool.release()));
}

static void what_is_read_only_is_called_for() {
    test_segment test;
    OK(atoll::counting_semaphore::create(test.segment, "s", 1));
    OK(OK(atoll::event::create(test.segment, "e")).set());
    atoll::segment_options look;
    look.read_only = true;
    const auto watched = OK(atoll::segment::open(test.name(), look));
    auto semaphore = OK(atoll::counting_semaphore::open(watched, "s"));
    CALLS(1, FAILS(atoll::status::permission, "read-only", semaphore.try_acquire()));
    CALLS(1, FAILS(atoll::status::permission, "read-only", semaphore.release()));
    const auto event = OK(atoll::event::open(watched, "e"));
    CALLS(0, CHECK(OK(event.is_set())));
}

static void an_event_is_looked_at_without_a_call() {
    test_segment test;
    auto event = OK(atoll::event::create(test.segment));
    CALLS(0, CHECK(!OK(event.is_set())));
    OK(event.set());
    CALLS(0, CHECK(OK(event.is_set())));
    auto moved = std::move(event);
    CALLS(0, CHECK(OK(moved.is_set())));
    CALLS(1, FAILS(atoll::status::invalid_argument, "NULL", event.is_set()));
}

int main() {
    RUN(a_permit_that_is_there_needs_no_call);
    RUN(all_else_is_called_for);
    RUN(what_is_read_only_is_called_for);
    RUN(an_event_is_looked_at_without_a_call);
    return any_failed;
}
