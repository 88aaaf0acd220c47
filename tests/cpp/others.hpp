// What other threads and processes do with the objects of a test.

#ifndef OTHERS_HPP
#define OTHERS_HPP

#include <chrono>
#include <thread>
#include <utility>

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

// A process that does what it is told, while this one goes on. It is waited for in the end, and its
// failures are those of the test.
class other_process {
public:
    template <class Body>
    explicit other_process(Body body) {
        fflush(stdout);
        pid_ = fork();
        CHECK(pid_ >= 0);
        if (pid_ != 0) return;
        begin_child();
        body();
        fflush(stdout);
        _exit(failures != 0);
    }

    other_process(other_process&&) = delete;

    ~other_process() {
        int status = 0;
        if (pid_ == 0) return;
        CHECK(waitpid(pid_, &status, 0) == pid_);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }

    pid_t pid() const { return pid_; }

    void die() { kill_victim(std::exchange(pid_, 0)); }

private:
    pid_t pid_;
};

// A process that has done what it was told and was killed then; its pid.
template <class Body>
pid_t die_after(Body body) {
    const pid_t victim = start_victim([](void* b) { (*static_cast<Body*>(b))(); }, &body);
    kill_victim(victim);
    return victim;
}

// Leaves the mutex as the process does that it names.
inline pid_t die_holding(atoll::mutex& mutex) {
    return die_after([&] { mutex.lock(); });
}

#endif
