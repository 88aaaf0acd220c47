// Process-owned locks with the standard library's locks and clocks, across threads and processes,
// and after a death.

#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::process_lock>);
static_assert(std::is_nothrow_move_constructible_v<atoll::process_lock>);
static_assert(std::is_nothrow_destructible_v<atoll::process_lock>);

static void the_standard_locks_work() {
    test_segment test;
    auto a = OK(atoll::process_lock::create(test.segment, "a"));
    auto b = OK(atoll::process_lock::create(test.segment, "b"));
    auto mutex = OK(atoll::mutex::create(test.segment));
    {
        std::lock_guard hold(a);
        CHECK(!is_free(a));
    }
    CHECK(is_free(a));
    {
        std::scoped_lock hold(a, b, mutex);
        CHECK(!is_free(a) && !is_free(b));
    }
    std::unique_lock hold(a, std::defer_lock);
    CHECK(is_free(a) && hold.try_lock() && !is_free(a));
    hold.unlock();
    CHECK(is_free(a) && hold.try_lock_for(1ms));
}

static void any_thread_and_any_process_unlocks() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    lock.lock();
    CHECK(!lock.try_lock());  // not recursive
    std::thread([&] { lock.unlock(); }).join();
    CHECK(is_free(lock));
    lock.lock();
    other_process([&] { lock.unlock(); });
    CHECK(is_free(lock));
}

static auto timed_lock(atoll::process_lock& lock) {
    const auto and_unlock = [&](bool got) {
        if (got) lock.unlock();
        return got;
    };
    return timed{[=, &lock](auto timeout) { return and_unlock(lock.try_lock_for(timeout)); },
                 [=, &lock](auto when) { return and_unlock(lock.try_lock_until(when)); }};
}

static void waits_end_on_time_or_with_an_unlock() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    lock.lock();
    gives_up_on_time(timed_lock(lock));
    lock.unlock();
    waits_for_what_comes([&] { lock.lock(); }, timed_lock(lock), [&] { lock.unlock(); });
}

static void a_wait_goes_on_after_a_signal() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    std::lock_guard hold(lock);
    among_signals([&] {
        CHECK(time_of([&] { CHECK(!lock.try_lock_for(50ms)); }) >= 50ms);
    });
}

static void the_owner_is_named() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    CHECK(!OK(lock.owner()));
    std::lock_guard hold(lock);
    std::thread([&] {
        const auto owner = OK(lock.owner());
        CHECK(owner && owner->pid == static_cast<std::uint32_t>(getpid()) && owner->alive);
    }).join();
}

static void one_is_told_of_a_death() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    const auto pid = static_cast<std::uint32_t>(die_after([&] { lock.lock(); }));
    atoll::owner former{};
    CHECK(lock.lock_recover(former) == true);
    CHECK(former.pid == pid && !former.alive && former.owner_died);
    CHECK(!is_free(lock));
    lock.unlock();
    former = {};
    CHECK(lock.lock_recover(former) == false && former.pid == 0);
    lock.unlock();
    die_after([&] { lock.lock(); });
    CHECK(lock.lock_recover() == true);
    lock.unlock();
    std::lock_guard hold(lock);
}

static void recovery_can_have_an_end() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    const std::optional<bool> no, sound = false, after_a_death = true;
    lock.lock();
    CHECK(lock.try_lock_recover() == no && lock.try_lock_recover_for(1ms) == no);
    CHECK(lock.try_lock_recover_until(system_clock::now() + 1ms) == no);
    lock.unlock();
    CHECK(lock.try_lock_recover() == sound);
    lock.unlock();
    die_after([&] { lock.lock(); });
    CHECK(lock.try_lock_recover_for(1h) == after_a_death);
    lock.unlock();
    die_after([&] { lock.lock(); });
    CHECK(lock.try_lock_recover_until(system_clock::now() + 1h) == after_a_death);
    lock.unlock();
}

static void an_unlock_after_a_death_ends_the_news() {
    test_segment test;
    auto lock = OK(atoll::process_lock::create(test.segment));
    die_after([&] { lock.lock(); });
    lock.unlock();
    CHECK(lock.try_lock_recover() == std::optional(false));
}

static void others_are_kept_apart() {
    test_segment test;
    auto lock = OK(atoll::process_lock::open_or_create(test.segment, "lock"));
    OK(atoll::mutex::create(test.segment, "mutex"));
    FAILS(atoll::status::wrong_kind, "a lock", atoll::mutex::open(test.segment, "lock"));
    FAILS(atoll::status::wrong_kind, "a mutex", atoll::process_lock::open(test.segment, "mutex"));
    FAILS(atoll::status::already_exists, "lock", atoll::process_lock::create(test.segment, "lock"));
    auto same = OK(atoll::process_lock::import_ticket(OK(lock.export_ticket())));
    lock.lock();
    CHECK(!is_free(same));
    same.unlock();
    OK(atoll::process_lock::remove(test.segment, "lock"));
    FAILS(atoll::status::not_found, "lock", atoll::process_lock::open(test.segment, "lock"));
    auto moved = std::move(lock);
    CHECK(is_free(moved));
    FAILS(atoll::status::invalid_argument, "NULL", lock.lock_recover());
    FAILS(atoll::status::invalid_argument, "NULL", lock.owner());
}

int main() {
    RUN(the_standard_locks_work);
    RUN(any_thread_and_any_process_unlocks);
    RUN(waits_end_on_time_or_with_an_unlock);
    RUN(a_wait_goes_on_after_a_signal);
    RUN(the_owner_is_named);
    RUN(one_is_told_of_a_death);
    RUN(recovery_can_have_an_end);
    RUN(an_unlock_after_a_death_ends_the_news);
    RUN(others_are_kept_apart);
    return any_failed;
}
