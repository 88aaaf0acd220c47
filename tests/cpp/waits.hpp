// What holds for every wait that can have an end, whatever it waits for.
//
// Such a wait is a `timed`: two functions, of which one takes a span and one a point in time, and
// both say whether it came.

#ifndef WAITS_HPP
#define WAITS_HPP

#include <atomic>
#include <chrono>
#include <thread>

#include "check.hpp"

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

template <class For, class Until>
struct timed {
    For wait_for;
    Until wait_until;

    template <class Rep, class Period>
    bool operator()(std::chrono::duration<Rep, Period> timeout) const {
        return wait_for(timeout);
    }
    template <class Clock, class Duration>
    bool operator()(std::chrono::time_point<Clock, Duration> deadline) const {
        return wait_until(deadline);
    }
};
template <class For, class Until>
timed(For, Until) -> timed<For, Until>;

// A clock at half speed, as one looks that is set back during a wait.
struct slow_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<slow_clock>;
    static constexpr bool is_steady = false;
    static time_point now() { return time_point(steady_clock::now().time_since_epoch() / 2); }
};

// Nothing comes: the wait ends on time and not before, by the clock that was asked for.
template <class Wait>
void gives_up_on_time(Wait wait) {
    CHECK(!wait(0s) && !wait(-1h) && !wait(std::chrono::hours::min()));
    CHECK(!wait(steady_clock::time_point::min()) && !wait(system_clock::time_point::min()));
    const auto begin = steady_clock::now();
    CHECK(!wait(20ms));
    CHECK(steady_clock::now() - begin >= 20ms);
    CHECK(!wait(std::chrono::duration<double>(0.02)));
    CHECK(!wait(steady_clock::now() + 20ms));
    CHECK(steady_clock::now() - begin >= 60ms);
    const auto deadline = system_clock::now() + 20ms;
    CHECK(!wait(deadline));
    CHECK(system_clock::now() >= deadline);
    const auto slow = slow_clock::now() + 20ms;
    CHECK(!wait(slow));
    CHECK(slow_clock::now() >= slow);
}

// What is waited for comes after a while, and no span is so long that it ends the wait before, as
// it would if it overflowed.
template <class Before, class Wait, class Comes>
void waits_for_what_comes(Before before, Wait wait, Comes comes) {
    const auto one = [&](auto when) {
        before();
        bool came = false;
        std::thread waiter([&] { came = wait(when); });
        std::this_thread::sleep_for(10ms);
        comes();
        waiter.join();
        CHECK(came);
    };
    one(std::chrono::hours::max());
    one(std::chrono::nanoseconds::max());
    one(std::chrono::duration<double>(1e300));
    one(steady_clock::time_point::max());
    one(system_clock::time_point::max());
}

// How many the wait in `among_signals` has handled.
inline std::atomic<int> signals_handled;

inline void once_disturbed() {
    while (signals_handled < 2) std::this_thread::sleep_for(1ms);
}

// Runs `wait` in a thread that handles signals all the while; again, if it was over before two of
// them had come. One that has no end of its own ends `once_disturbed`.
template <class Wait>
void among_signals(Wait wait) {
    struct sigaction action{}, old{};
    action.sa_handler = [](int) { signals_handled++; };
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    std::atomic<bool> done = false;
    std::thread waiter([&] {
        for (wait(); signals_handled < 2; wait()) signals_handled = 0;
        done = true;
    });
    while (!done) {
        pthread_kill(waiter.native_handle(), SIGUSR1);
        std::this_thread::sleep_for(1ms);
    }
    waiter.join();
    signals_handled = 0;
    CHECK(sigaction(SIGUSR1, &old, nullptr) == 0);
}

#endif
