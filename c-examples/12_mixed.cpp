// Samples from C++ to Python. A producer is killed in the middle of one; the next producer goes on,
// and Python gets each of them once. To be run beside 12_mixed.py, with a python3 that has atoll.
//
//   c++ -std=c++17 12_mixed.cpp -latoll -o mixed && ./mixed

#include <atoll.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

constexpr std::int64_t all = 1'000, unlucky = 400;

struct sample {
    std::int64_t number;
    double value;
};
// So that Python can tell whether it is the struct that it thinks.
template <>
inline constexpr const char* libatoll::format<sample> = "T{<q:number:<d:value:}";

using samples = atoll::spsc<sample>;

static void put_from(samples& ring, std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; i++) ring.put({i, 0.5 * static_cast<double>(i)});
}

[[noreturn]] static void put_some_and_be_killed(samples& ring) {
    put_from(ring, 0, unlucky);
    for (;;) {
        auto place = ring.claim(1);
        if (place.empty()) continue;  // until there is room
        place[0].number = unlucky;    // and the value never comes
        std::raise(SIGKILL);
    }
}

int main() try {
    atoll::segment_options passing;
    passing.ephemeral = true;  // it goes with the last of those who use it
    const std::string name = "atoll-example-mixed-" + std::to_string(getpid());
    const auto segment = atoll::segment::create(name, passing);
    auto ring = samples::create(segment, "samples", {64});

    if (fork() == 0) {
        const char* const chosen = std::getenv("PYTHON");
        const char* const python = chosen != nullptr ? chosen : "python3";
        execlp(python, python, "12_mixed.py", name.c_str(), nullptr);
        std::cerr << "there is no " << python << '\n';
        _exit(1);
    }
    const pid_t first = fork();
    if (first == 0) put_some_and_be_killed(ring);
    waitpid(first, nullptr, 0);

    const auto put = static_cast<std::int64_t>(ring.info().pushed);
    std::cout << "a producer was killed after " << put << " samples" << std::endl;
    put_from(ring, put, all);
    ring.shutdown(atoll::ring_end::producers);
    int status = 0;
    wait(&status);
    return status == 0 ? 0 : 1;
} catch (const atoll::error& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
}
