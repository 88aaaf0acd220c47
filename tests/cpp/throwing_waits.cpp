// Exceptions of the caller's own functions in the middle of a wait.

#include <mutex>
#include <stdexcept>
#include <thread>

#include "others.hpp"

using namespace std::chrono_literals;

// Whether the statements let a std::runtime_error through.
template <class Body>
static bool throws(Body body) {
    try {
        body();
    } catch (const std::runtime_error& thrown) {
        return dynamic_cast<const atoll::error*>(&thrown) == nullptr;
    }
    return false;
}

static bool unlucky() { throw std::runtime_error("no luck"); }

static void a_completion_function_that_throws_breaks_the_barrier() {
    test_segment test;
    auto barrier = atoll::barrier::create(test.segment, nullptr, 2, unlucky);
    std::thread other([&] { FAILS(atoll::status::broken, "", barrier.wait(barrier.arrive())); });
    while (barrier.info().waiting != 1) std::this_thread::yield();
    CHECK(throws([&] { barrier.arrive_and_wait(); }));
    other.join();
    CHECK(barrier.info().broken && barrier.info().culprit_pid == 0);
    barrier.reset();
    std::thread dropped([&] { FAILS(atoll::status::broken, "", barrier.arrive_and_wait()); });
    while (barrier.info().waiting != 1) std::this_thread::yield();
    CHECK(throws([&] { barrier.arrive_and_drop(); }));
    dropped.join();
}

static void a_predicate_that_throws_leaves_the_lock_held() {
    test_segment test;
    auto changed = atoll::condition_variable_any::create(test.segment);
    auto mutex = atoll::mutex::create(test.segment);
    std::unique_lock hold(mutex);
    CHECK(throws([&] { changed.wait(hold, unlucky); }));
    CHECK(hold.owns_lock() && !is_free(mutex));
}

// A lock that throws when it is let go, or taken.
struct moody {
    bool unlocks = true, locks = true;
    void lock() const {
        if (!locks) unlucky();
    }
    void unlock() const {
        if (!unlocks) unlucky();
    }
};

static void a_lock_that_throws_keeps_no_place() {
    test_segment test;
    auto changed = atoll::condition_variable_any::create(test.segment);
    moody will_not_go{false, true}, will_not_come{true, false}, fine;
    CHECK(throws([&] { changed.wait(will_not_go); }));
    CHECK(throws([&] { changed.wait_for(will_not_come, 1ms); }));
    CHECK(changed.wait_for(fine, 1ms) == std::cv_status::timeout);
}

int main() {
    RUN(a_completion_function_that_throws_breaks_the_barrier);
    RUN(a_predicate_that_throws_leaves_the_lock_held);
    RUN(a_lock_that_throws_keeps_no_place);
    return any_failed;
}
