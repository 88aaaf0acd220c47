// Votes counted by several processes, without exceptions: every failure is a value.
//
//   c++ -std=c++17 -fno-exceptions 04_results.cpp -latoll -o results && ./results

#define ATOLL_NO_EXCEPTIONS
#include <atoll.hpp>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

using counter = atoll::value<std::int64_t>;

// Adds a vote, and keeps the most that anyone gave.
static atoll::result<void> vote(const atoll::segment& in, std::int64_t points) {
    auto sum = counter::open(in, "sum");
    if (!sum) return sum.error();
    auto most = counter::open_or_create(in, "most", points);
    if (!most) return most.error();
    *sum += points;  // an operator has no room for a result: failing, it would end the program
    const auto before = most->fetch_max(points);
    return before ? atoll::result<void>() : before.error();
}

static int failed(const atoll::failure& what) {
    std::cerr << what.sentence() << '\n';
    return 1;
}

int main() {
    const auto name = "atoll-example-results";
    const auto segment = atoll::segment::create(name);
    if (!segment) return failed(segment.error());

    const auto early = vote(*segment, 5);  // there is nothing to add to yet
    std::cout << "too early: " << (early ? "no" : early.error().code().message())
              << std::endl;  // or the children would print it again

    const auto sum = counter::create(*segment, "sum");
    if (!sum) return failed(sum.error());
    for (int points = 1; points <= 4; points++) {
        if (fork() != 0) continue;
        const auto voted = vote(*segment, points);
        std::exit(voted ? 0 : failed(voted.error()));
    }
    while (wait(nullptr) > 0) {
    }

    const auto most = counter::open(*segment, "most");
    if (!most) return failed(most.error());
    std::cout << "the sum is " << sum->load().value_or(-1) << ", the most " << *most << '\n';
    const auto gone = atoll::segment::unlink(name);
    return gone ? 0 : failed(gone.error());
}
