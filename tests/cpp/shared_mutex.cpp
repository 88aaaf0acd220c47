// Reader-writer locks with the standard library's locks and clocks, and after deaths.

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <type_traits>
#include <utility>

#include "others.hpp"
#include "waits.hpp"

static_assert(!std::is_copy_constructible_v<atoll::shared_mutex>);
static_assert(std::is_nothrow_move_constructible_v<atoll::shared_mutex>);

// Whether another thread could read now.
static bool is_readable(atoll::shared_mutex& mutex) {
    bool got = false;
    std::thread([&] {
        got = mutex.try_lock_shared();
        if (got) mutex.unlock_shared();
    }).join();
    return got;
}

static auto timed_lock(atoll::shared_mutex& mutex) {
    const auto and_unlock = [&](bool got) {
        if (got) mutex.unlock();
        return got;
    };
    return timed{[=, &mutex](auto timeout) { return and_unlock(mutex.try_lock_for(timeout)); },
                 [=, &mutex](auto when) { return and_unlock(mutex.try_lock_until(when)); }};
}

static auto timed_lock_shared(atoll::shared_mutex& mutex) {
    const auto and_unlock = [&](bool got) {
        if (got) mutex.unlock_shared();
        return got;
    };
    return timed{
        [=, &mutex](auto timeout) { return and_unlock(mutex.try_lock_shared_for(timeout)); },
        [=, &mutex](auto when) { return and_unlock(mutex.try_lock_shared_until(when)); }};
}

static void the_standard_locks_work() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    auto other = OK(atoll::mutex::create(test.segment));
    {
        std::unique_lock hold(mutex);
        CHECK(!is_free(mutex) && !is_readable(mutex) && OK(mutex.readers()) == 0);
    }
    {
        std::shared_lock hold(mutex);
        CHECK(!is_free(mutex) && is_readable(mutex) && OK(mutex.readers()) == 1);
        std::shared_lock again(mutex);
        CHECK(is_readable(mutex) && OK(mutex.readers()) == 1);
        again.unlock();
        CHECK(!is_free(mutex));
    }
    {
        std::scoped_lock hold(mutex, other);
        CHECK(!is_readable(mutex) && !is_free(other));
    }
    {
        std::shared_lock hold(mutex, std::defer_lock);
        CHECK(is_free(mutex) && hold.try_lock() && !is_free(mutex));
        hold.unlock();
        CHECK(is_free(mutex) && hold.try_lock_for(1ms));
    }
    CHECK(is_free(mutex) && std::unique_lock(mutex, 1ms).owns_lock());
}

static void writers_are_alone() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    int left = 0, right = 0;
    const auto write = [&] {
        for (int i = 0; i < 500; i++) {
            std::unique_lock hold(mutex);
            left++;
            right++;
        }
    };
    const auto read = [&] {
        for (int i = 0; i < 500; i++) {
            std::shared_lock hold(mutex);
            CHECK(left == right);
        }
    };
    std::thread writer(write), reader(read);
    write();
    read();
    writer.join();
    reader.join();
    CHECK(left == 1000);
}

static void waits_to_write_end_on_time() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    {
        std::shared_lock hold(mutex);
        std::thread([&] { gives_up_on_time(timed_lock(mutex)); }).join();
        CHECK(is_readable(mutex));
        std::thread([&] {
            among_signals([&] {
                CHECK(time_of([&] { CHECK(!mutex.try_lock_for(50ms)); }) >= 50ms);
            });
        }).join();
    }
    waits_for_what_comes([&] { mutex.lock_shared(); }, timed_lock(mutex),
                         [&] { mutex.unlock_shared(); });
}

static void waits_to_read_end_on_time() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    {
        std::unique_lock hold(mutex);
        std::thread([&] { gives_up_on_time(timed_lock_shared(mutex)); }).join();
        std::thread([&] {
            among_signals([&] {
                CHECK(time_of([&] { CHECK(!mutex.try_lock_shared_for(50ms)); }) >= 50ms);
            });
        }).join();
    }
    waits_for_what_comes([&] { mutex.lock(); }, timed_lock_shared(mutex), [&] { mutex.unlock(); });
}

static void the_writer_is_named() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    CHECK(!OK(mutex.owner()) && !OK(mutex.dead_owner()));
    {
        std::shared_lock hold(mutex);
        CHECK(!OK(mutex.owner()));
    }
    std::unique_lock hold(mutex);
    const auto owner = OK(mutex.owner());
    CHECK(owner && owner->pid == static_cast<std::uint32_t>(getpid()) && owner->alive);
}

static void dead_readers_do_not_count() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    auto reading = OK(atoll::event::create(test.segment));
    die_after([&] { mutex.lock_shared(); });
    CHECK(OK(mutex.readers()) == 0 && mutex.lock_recover() == false);
    mutex.unlock();
    other_process reader([&] {
        mutex.lock_shared();
        OK(reading.set());
        for (;;) pause();
    });
    OK(reading.wait());
    CHECK(OK(mutex.readers()) == 1 && !mutex.try_lock());
    std::thread writer([&] { std::unique_lock hold(mutex); });
    std::this_thread::sleep_for(10ms);
    reader.die();
    writer.join();
}

static void recovery_takes_it_after_a_writers_death() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    const auto pid = static_cast<std::uint32_t>(die_after([&] { mutex.lock(); }));
    CHECK(mutex.lock_shared_recover() == true);
    {
        std::shared_lock hold(mutex, std::adopt_lock);
        CHECK(OK(mutex.readers()) == 1 && OK(mutex.dead_owner())->pid == pid);
        FAILS(atoll::status::not_owner, "", mutex.mark_consistent());
    }
    CHECK(mutex.lock_recover() == true);
    {
        std::unique_lock hold(mutex, std::adopt_lock);
        CHECK(OK(mutex.owner())->owner_died && OK(mutex.dead_owner())->pid == pid);
        FAILS(atoll::status::deadlock, "", mutex.lock_recover());
        FAILS(atoll::status::deadlock, "", mutex.lock_shared_recover());
    }
    CHECK(mutex.lock_recover() == true);  // not marked, so told again
    OK(mutex.mark_consistent());
    mutex.unlock();
    CHECK(!OK(mutex.dead_owner()) && mutex.lock_shared_recover() == false);
    FAILS(atoll::status::deadlock, "", mutex.lock_recover());
    mutex.unlock_shared();
}

static void recovery_can_have_an_end() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    const std::optional<bool> no, sound = false, after_a_death = true;
    const auto later = [] { return system_clock::now() + 20ms; };
    mutex.lock();
    std::thread([&] {
        CHECK(mutex.try_lock_recover() == no && mutex.try_lock_shared_recover() == no);
        CHECK(time_of([&] { CHECK(mutex.try_lock_recover_for(20ms) == no); }) >= 20ms);
        CHECK(time_of([&] { CHECK(mutex.try_lock_shared_recover_for(20ms) == no); }) >= 20ms);
        CHECK(time_of([&] { CHECK(mutex.try_lock_recover_until(later()) == no); }) > 10ms);
        CHECK(time_of([&] { CHECK(mutex.try_lock_shared_recover_until(later()) == no); }) > 10ms);
    }).join();
    mutex.unlock();
    CHECK(mutex.try_lock_recover() == sound);
    mutex.unlock();
    CHECK(mutex.try_lock_shared_recover() == sound);
    mutex.unlock_shared();
    die_after([&] { mutex.lock(); });
    CHECK(mutex.try_lock_shared_recover() == after_a_death);
    mutex.unlock_shared();
    CHECK(mutex.try_lock_shared_recover_for(1h) == after_a_death);
    mutex.unlock_shared();
    CHECK(mutex.try_lock_shared_recover_until(later()) == after_a_death);
    mutex.unlock_shared();
    CHECK(mutex.try_lock_recover() == after_a_death);
    mutex.unlock();
    CHECK(mutex.try_lock_recover_for(1h) == after_a_death);
    mutex.unlock();
    CHECK(mutex.try_lock_recover_until(later()) == after_a_death);
    mutex.unlock();
}

static void processes_share_it() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment, "m"));
    const auto ticket = OK(mutex.export_ticket());
    std::shared_lock hold(mutex);
    other_process by_name([&] {
        auto mine = OK(atoll::shared_mutex::open(test.segment, "m"));
        std::shared_lock with_others(mine);
        CHECK(OK(mine.readers()) >= 2);
    });
    other_process by_ticket([&] {
        auto mine = OK(atoll::shared_mutex::import_ticket(ticket));
        CHECK(!mine.try_lock() && mine.try_lock_shared());
    });
}

static void names_and_kinds_are_kept_apart() {
    test_segment test;
    FAILS(atoll::status::not_found, "m", atoll::shared_mutex::open(test.segment, "m"));
    OK(atoll::shared_mutex::open_or_create(test.segment, "m"));
    FAILS(atoll::status::already_exists, "m", atoll::shared_mutex::create(test.segment, "m"));
    FAILS(atoll::status::wrong_kind, "", atoll::mutex::open(test.segment, "m"));
    OK(atoll::shared_mutex::remove(test.segment, "m"));
    FAILS(atoll::status::not_found, "m", atoll::shared_mutex::open(test.segment, "m"));
}

static void what_was_moved_from_is_refused() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    auto moved = std::move(mutex);
    std::scoped_lock hold(moved);
    FAILS(atoll::status::invalid_argument, "NULL", mutex.lock_recover());
    FAILS(atoll::status::invalid_argument, "NULL", mutex.lock_shared_recover());
    FAILS(atoll::status::invalid_argument, "NULL", mutex.owner());
    FAILS(atoll::status::invalid_argument, "NULL", mutex.readers());
}

int main() {
    RUN(the_standard_locks_work);
    RUN(writers_are_alone);
    RUN(waits_to_write_end_on_time);
    RUN(waits_to_read_end_on_time);
    RUN(the_writer_is_named);
    RUN(dead_readers_do_not_count);
    RUN(recovery_takes_it_after_a_writers_death);
    RUN(recovery_can_have_an_end);
    RUN(processes_share_it);
    RUN(names_and_kinds_are_kept_apart);
    RUN(what_was_moved_from_is_refused);
    return any_failed;
}
