// What other threads and processes do with a mutex of the test.

#ifndef OTHERS_HPP
#define OTHERS_HPP

#include <chrono>
#include <thread>

#include "check.hpp"

// Whether another thread could have the mutex now.
template <class Mutex>
bool is_free(Mutex& mutex) {
    bool got = false;
    std::thread([&] {
        got = mutex.try_lock();
        if (got) mutex.unlock();
    }).join();
    return got;
}

// How long a wait takes.
template <class Wait>
std::chrono::steady_clock::duration time_of(Wait wait) {
    const auto begin = std::chrono::steady_clock::now();
    wait();
    return std::chrono::steady_clock::now() - begin;
}

// Leaves the mutex as the process does that it names.
inline pid_t die_holding(atoll::mutex& mutex) {
    const pid_t victim =
        start_victim([](void* m) { static_cast<atoll::mutex*>(m)->lock(); }, &mutex);
    kill_victim(victim);
    return victim;
}

#endif
