// Samples go from one process to another, in order. The one that gets them is killed while it
// looks at one; another takes its place, and goes on with that sample.
//
//   c++ -std=c++17 11_samples.cpp -latoll -o samples && ./samples

#include <atoll.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

constexpr std::int64_t all = 10'000, unlucky = 4'000;

struct sample {
    std::int64_t number;
    double value;
};

struct station {
    atoll::spsc<sample> samples;
    atoll::value<double> sum;

    void put_all() {
        for (std::int64_t i = 0; i < all; i++) samples.put({i, 0.5 * static_cast<double>(i)});
        samples.shutdown(atoll::ring_end::producers);  // no more will come
    }

    void add_up_and_be_killed() {
        for (std::int64_t i = 0; i < unlucky; i++) sum += samples.get().value;
        atoll::wait_any({{samples, atoll::ring_end::consumers}});
        const auto next = samples.peek(1);  // in its place: it stays until next.advance()
        std::cout << "killed at sample " << next[0].number << std::endl;
        std::raise(SIGKILL);
    }

    void add_up_the_rest() try {
        sample one = samples.get();
        std::cout << "going on with sample " << one.number << std::endl;
        for (;; one = samples.get()) sum += one.value;
    } catch (const atoll::error& end) {
        if (end.code() != atoll::status::closed) throw;
    }

    template <class Work>
    void in_process(Work work) {
        if (fork() != 0) return;
        work();
        std::exit(0);
    }
};

int main() try {
    const auto shop = atoll::segment::home();
    station here{atoll::spsc<sample>::create(shop, nullptr, {64}),
                 atoll::value<double>::create(shop)};
    here.in_process([&] { here.put_all(); });
    here.in_process([&] { here.add_up_and_be_killed(); });
    for (int status = 0; wait(&status) > 0 && !WIFSIGNALED(status);) {
    }
    here.in_process([&] { here.add_up_the_rest(); });
    while (wait(nullptr) > 0) {
    }
    const auto info = here.samples.info();
    std::cout << info.pushed << " put, " << info.popped << " got, the sum is " << here.sum << '\n';
    return 0;
} catch (const atoll::error& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
}
