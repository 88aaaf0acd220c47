// Barriers whose parties are killed.

#include "others.hpp"

constexpr auto is_broken = atoll::status::broken;

static std::uint32_t as_told(pid_t pid) { return static_cast<std::uint32_t>(pid); }

#ifdef ATOLL_NO_EXCEPTIONS

static std::uint32_t culprit_of(const atoll::result<void>& passed) {
    return passed ? 0 : passed.error().pid();
}
#define CULPRIT_OF(...) culprit_of(__VA_ARGS__)

#else

template <class Body>
static std::uint32_t culprit_of(Body body) {
    try {
        body();
    } catch (const atoll::broken& news) {
        return news.pid();
    }
    return 0;
}
#define CULPRIT_OF(...) culprit_of([&] { __VA_ARGS__; })

#endif

static void all_are_told_who_died() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, "b", 3));
    other_process waits([&] {
        auto mine = OK(atoll::barrier::open(test.segment, "b"));
        FAILS(is_broken, "", mine.arrive_and_wait());
        FAILS(is_broken, "", mine.arrive_and_wait());  // who comes later, too
    });
    while (OK(barrier.info()).waiting != 1) std::this_thread::yield();
    other_process dies([&] { OK(barrier.arrive_and_wait()); });
    const auto pid = as_told(dies.pid());
    while (OK(barrier.info()).waiting != 2) std::this_thread::yield();
    dies.die();
    CHECK(CULPRIT_OF(barrier.arrive_and_wait()) == pid);
    const auto info = OK(barrier.info());
    CHECK(info.broken && info.culprit_pid == pid);
}

static void reset_makes_it_whole() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 2));
    const auto pid = as_told(die_after([&] { OK(barrier.arrive()); }));
    CHECK(CULPRIT_OF(barrier.arrive_and_wait()) == pid);
    CHECK(CULPRIT_OF(barrier.arrive_and_drop()) == pid);
    OK(barrier.reset());
    CHECK(!OK(barrier.info()).broken && OK(barrier.info()).culprit_pid == 0);
    std::thread other([&] { OK(barrier.arrive_and_wait()); });
    OK(barrier.arrive_and_wait());
    other.join();
    OK(barrier.abort());
    CHECK(CULPRIT_OF(barrier.arrive_and_wait()) == 0);
    FAILS(is_broken, "", barrier.arrive_and_wait());
}

static void a_death_in_the_completion_function_breaks_it() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, "b", 2));
    other_process dies([&] {
        auto mine = OK(atoll::barrier::open(test.segment, "b", [] { raise(SIGKILL); }));
        while (OK(mine.info()).waiting != 1) std::this_thread::yield();
        OK(mine.arrive_and_wait());
    });
    CHECK(CULPRIT_OF(barrier.arrive_and_wait()) == as_told(dies.pid()));
    dies.die();
}

static void the_dead_of_earlier_rounds_break_nothing() {
    test_segment test;
    auto barrier = OK(atoll::barrier::create(test.segment, nullptr, 2));
    other_process passes([&] {
        OK(barrier.arrive_and_wait());
        for (;;) pause();
    });
    OK(barrier.arrive_and_wait());
    passes.die();
    std::thread other([&] { OK(barrier.arrive_and_wait()); });
    OK(barrier.arrive_and_wait());
    other.join();
}

int main() {
    RUN(all_are_told_who_died);
    RUN(reset_makes_it_whole);
    RUN(a_death_in_the_completion_function_breaks_it);
    RUN(the_dead_of_earlier_rounds_break_nothing);
    return any_failed;
}
