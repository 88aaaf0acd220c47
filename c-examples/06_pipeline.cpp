// Jobs that several processes work off. They wait for them in a line, and one is killed while it
// waits: the notification that would have been its own goes to the next.
//
//   c++ -std=c++17 06_pipeline.cpp -latoll -o pipeline && ./pipeline

#include <atoll.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <shared_mutex>
#include <sys/wait.h>
#include <unistd.h>

constexpr int room = 8, jobs = 1000, end = 0;

struct pipeline {
    atoll::mutex guard;  // of the buffer and the two counts
    atoll::condition_variable_any filled, drained;
    atoll::array<int> buffer;
    atoll::value<int> put, taken;
    atoll::shared_mutex rates_guard;  // many look, seldom one changes
    atoll::array<int> rates;
    atoll::value<std::int64_t> sum;

    void put_in(int job) {
        std::unique_lock hold(guard);
        drained.wait(hold, [&] { return put - taken < room; });
        buffer[put++ % room] = job;
        filled.notify_one();
    }

    int take_out() {
        std::unique_lock hold(guard);
        filled.wait(hold, [&] { return put > taken; });
        drained.notify_one();
        return buffer[taken++ % room];
    }

    void work() {
        while (const int job = take_out()) {
            std::shared_lock look(rates_guard);
            sum += job * rates[job % 2];
        }
    }

    pid_t start_worker() {
        const pid_t pid = fork();
        if (pid != 0) return pid;
        work();
        std::exit(0);
    }
};

int main() try {
    const auto shop = atoll::segment::home();
    pipeline line{
        atoll::mutex::create(shop), atoll::condition_variable_any::create(shop),
        atoll::condition_variable_any::create(shop), atoll::array<int>::create(shop, room),
        atoll::value<int>::create(shop), atoll::value<int>::create(shop),
        atoll::shared_mutex::create(shop), atoll::array<int>::create(shop, 2),
        atoll::value<std::int64_t>::create(shop)};

    const pid_t first = line.start_worker();
    usleep(100'000);  // so that it is the first in the line
    for (int i = 0; i < 3; i++) line.start_worker();
    {
        std::unique_lock hold(line.guard);  // so that the worker does not, and nothing is to repair
        kill(first, SIGKILL);
        waitpid(first, nullptr, 0);
    }
    {
        std::unique_lock change(line.rates_guard);
        line.rates[0] = 1;
        line.rates[1] = 3;
    }
    for (int job = 1; job <= jobs; job++) line.put_in(job);
    for (int i = 0; i < 3; i++) line.put_in(end);
    while (wait(nullptr) > 0) {
    }
    std::cout << "the sum over " << jobs << " jobs is " << line.sum << '\n';
    return 0;
} catch (const atoll::error& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
}
