// Which way is taken by readers and writers: see short_way.cpp.

#include <chrono>
#include <shared_mutex>
#include <thread>

#include "calls.hpp"
#include "others.hpp"

using namespace std::chrono_literals;

#define COUNT_LOCK(name) \
    atoll_status name(atoll_rwlock* lock, std::int64_t ns) { return LIBRARY(name)(lock, ns); }
#define COUNT_UNLOCK(name) \
    atoll_status name(atoll_rwlock* lock) { return LIBRARY(name)(lock); }
COUNT_LOCK(atoll_rwlock_read_lock)
COUNT_LOCK(atoll_rwlock_write_lock)
COUNT_UNLOCK(atoll_rwlock_read_unlock)
COUNT_UNLOCK(atoll_rwlock_write_unlock)

// The first read of a thread is a call, whatever comes after it.
static void read_once(atoll::shared_mutex& mutex) { std::shared_lock hold(mutex); }

static void who_reads_again_needs_no_call() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    read_once(mutex);
    const auto now = std::chrono::system_clock::now();
    CALLS(0, mutex.lock_shared(); mutex.unlock_shared());
    CALLS(0, CHECK(mutex.try_lock_shared()); mutex.unlock_shared());
    CALLS(0, CHECK(mutex.try_lock_shared_for(1s)); mutex.unlock_shared());
    CALLS(0, CHECK(mutex.try_lock_shared_until(now)); mutex.unlock_shared());
    CALLS(0, CHECK(mutex.lock_shared_recover() == false); mutex.unlock_shared());
    CALLS(0, CHECK(OK(mutex.try_lock_shared_recover_for(1s)) == false); mutex.unlock_shared());
    CALLS(0, mutex.lock_shared(); mutex.unlock_shared());
    auto moved = std::move(mutex);
    CALLS(0, moved.lock_shared(); moved.unlock_shared());
    CALLS(2, moved.lock(); moved.unlock());
    CALLS(0, moved.lock_shared(); moved.unlock_shared());
}

static void all_else_is_called_for() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    read_once(mutex);
    {
        std::shared_lock hold(mutex);
        CALLS(2, mutex.lock_shared(); mutex.unlock_shared());
    }
    std::thread([&] {
        CALLS(1, mutex.lock_shared());
        CALLS(0, mutex.unlock_shared(); read_once(mutex));
    }).join();
    in_child([](void* given) {
        auto& parents = *static_cast<atoll::shared_mutex*>(given);
        CALLS(1, CHECK(OK(parents.try_lock_shared_recover()) == false));
        parents.unlock_shared();
    }, &mutex);
    {
        std::unique_lock hold(mutex);
        CALLS(1, FAILS(atoll::status::deadlock, "", mutex.lock_shared_recover()));
    }
    die_after([&] { mutex.lock(); });
    CALLS(1, CHECK(mutex.lock_shared_recover() == true));
    mutex.unlock_shared();
    CHECK(mutex.lock_recover() == true);
    OK(mutex.mark_consistent());
    mutex.unlock();
    CALLS(0, mutex.lock_shared(); mutex.unlock_shared());
}

int main() {
    RUN(who_reads_again_needs_no_call);
    RUN(all_else_is_called_for);
    return any_failed;
}
