// What lock(), try_lock(), unlock() and their like throw, by themselves and in the standard locks.

#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "others.hpp"

using namespace std::chrono_literals;

static void misuse_is_noticed() {
    test_segment test;
    auto plain = atoll::mutex::create(test.segment, "plain");
    auto recursive = atoll::recursive_mutex::create(test.segment, "recursive");
    FAILS(atoll::status::not_owner, "", plain.unlock());
    FAILS(atoll::status::not_owner, "", recursive.unlock());
    {
        std::lock_guard hold(plain);
        FAILS(atoll::status::deadlock, "", plain.lock());
        FAILS(atoll::status::deadlock, "", plain.try_lock());
        FAILS(atoll::status::deadlock, "", plain.try_lock_for(1s));
        std::scoped_lock twice(recursive), again(recursive);
        std::thread([&] {
            FAILS(atoll::status::not_owner, "", plain.unlock());
            FAILS(atoll::status::not_owner, "", recursive.unlock());
        }).join();
    }
    const auto moved = std::move(plain);
    FAILS(atoll::status::invalid_argument, "NULL", plain.lock());
    FAILS(atoll::status::invalid_argument, "NULL", plain.unlock());
}

static void lock_refuses_after_a_death() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    const auto pid = static_cast<std::uint32_t>(die_holding(mutex));
    try {
        mutex.lock();
        CHECK(!"thrown");
    } catch (const atoll::owner_died& news) {
        CHECK(news.dead_owner().pid == pid && !news.dead_owner().alive);
        CHECK(helps(news.what(), std::to_string(pid).c_str()));
    }
    const auto died = atoll::status::owner_died;
    FAILS(died, "lock_recover", mutex.lock());
    FAILS(died, "lock_recover", mutex.try_lock());
    FAILS(died, "lock_recover", mutex.try_lock_for(1s));
    FAILS(died, "lock_recover", mutex.try_lock_until(std::chrono::system_clock::now() + 1s));
    FAILS(died, "lock_recover", std::scoped_lock(mutex));
    CHECK(!mutex.owner() || !mutex.owner()->alive);  // each gave it back
    CHECK(mutex.lock_recover());
    mutex.mark_consistent();
    mutex.unlock();
    std::scoped_lock hold(mutex);
}

static void a_process_lock_refuses_once() {
    test_segment test;
    auto lock = atoll::process_lock::create(test.segment);
    FAILS(atoll::status::not_owner, "nobody holds", lock.unlock());
    const auto pid = static_cast<std::uint32_t>(die_after([&] { lock.lock(); }));
    try {
        lock.lock();
        CHECK(!"thrown");
    } catch (const atoll::owner_died& news) {
        CHECK(news.dead_owner().pid == pid && !news.dead_owner().alive);
        CHECK(helps(news.what(), "nobody else"));
    }
    CHECK(!lock.owner());  // it was given back,
    CHECK(lock.try_lock() && lock.owner()->pid == static_cast<std::uint32_t>(getpid()));
    lock.unlock();  // and the news is used up
    const auto died = atoll::status::owner_died;
    die_after([&] { lock.lock(); });
    FAILS(died, "died holding", lock.try_lock_for(1h));
    die_after([&] { lock.lock(); });
    FAILS(died, "died holding", std::scoped_lock(lock));
    std::scoped_lock hold(lock);
}

static void so_do_the_locks_of_readers_and_writers() {
    test_segment test;
    auto mutex = atoll::shared_mutex::create(test.segment);
    const auto pid = static_cast<std::uint32_t>(die_after([&] { mutex.lock(); }));
    try {
        mutex.lock_shared();
        CHECK(!"thrown");
    } catch (const atoll::owner_died& news) {
        CHECK(news.dead_owner().pid == pid && !news.dead_owner().alive);
        CHECK(helps(news.what(), std::to_string(pid).c_str()));
    }
    const auto died = atoll::status::owner_died;
    const auto soon = std::chrono::system_clock::now() + 1s;
    FAILS(died, "lock_recover", mutex.lock());
    FAILS(died, "lock_recover", mutex.try_lock());
    FAILS(died, "lock_recover", mutex.try_lock_for(1s));
    FAILS(died, "lock_recover", mutex.try_lock_until(soon));
    FAILS(died, "lock_recover", mutex.lock_shared());
    FAILS(died, "lock_recover", mutex.try_lock_shared());
    FAILS(died, "lock_recover", mutex.try_lock_shared_for(1s));
    FAILS(died, "lock_recover", mutex.try_lock_shared_until(soon));
    FAILS(died, "lock_recover", std::shared_lock(mutex));
    CHECK(mutex.readers() == 0 && mutex.lock_recover());  // each gave it back
    mutex.mark_consistent();
    mutex.unlock();
    std::shared_lock hold(mutex);
}

static void misuse_of_them_is_noticed() {
    test_segment test;
    auto mutex = atoll::shared_mutex::create(test.segment);
    FAILS(atoll::status::not_owner, "", mutex.unlock());
    FAILS(atoll::status::not_owner, "", mutex.unlock_shared());
    {
        std::shared_lock hold(mutex);
        FAILS(atoll::status::deadlock, "", mutex.lock());
        FAILS(atoll::status::deadlock, "", mutex.try_lock_for(1s));
        FAILS(atoll::status::not_owner, "", mutex.unlock());
        std::thread([&] { FAILS(atoll::status::not_owner, "", mutex.unlock_shared()); }).join();
    }
    std::unique_lock hold(mutex);
    FAILS(atoll::status::deadlock, "", mutex.lock());
    FAILS(atoll::status::deadlock, "", mutex.lock_shared());
    FAILS(atoll::status::deadlock, "", mutex.try_lock_shared_for(1s));
    FAILS(atoll::status::not_owner, "", mutex.unlock_shared());
}

static void a_death_among_two_leaves_neither_locked() {
    test_segment test;
    auto sound = atoll::mutex::create(test.segment);
    auto orphan = atoll::mutex::create(test.segment);
    die_holding(orphan);
    FAILS(atoll::status::owner_died, "", std::scoped_lock(sound, orphan));
    FAILS(atoll::status::owner_died, "", std::scoped_lock(orphan, sound));
    CHECK(is_free(sound));
}

static void a_transaction_keeps_its_mutexes() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    auto recursive = atoll::recursive_mutex::create(test.segment);
    atoll::transaction open(mutex, recursive);
    FAILS(atoll::status::deadlock, "transaction", mutex.lock());
    FAILS(atoll::status::deadlock, "transaction", mutex.unlock());
    FAILS(atoll::status::deadlock, "transaction", recursive.lock());
    FAILS(atoll::status::deadlock, "transaction", recursive.unlock());
}

static void a_child_does_not_hold_what_its_parent_holds() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    mutex.lock();
    in_child(
        [](void* given) {
            auto& parents = *static_cast<atoll::mutex*>(given);
            FAILS(atoll::status::not_owner, "", parents.unlock());
            CHECK(!parents.try_lock());
        },
        &mutex);
    mutex.unlock();
}

int main() {
    RUN(misuse_is_noticed);
    RUN(lock_refuses_after_a_death);
    RUN(a_process_lock_refuses_once);
    RUN(so_do_the_locks_of_readers_and_writers);
    RUN(misuse_of_them_is_noticed);
    RUN(a_death_among_two_leaves_neither_locked);
    RUN(a_transaction_keeps_its_mutexes);
    RUN(a_child_does_not_hold_what_its_parent_holds);
    return any_failed;
}
