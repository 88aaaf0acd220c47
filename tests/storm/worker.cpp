/// A worker of the storm in C++, whose locks and counts the compiler inlines.
///
///     worker SEGMENT

#include <atoll.hpp>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stdexcept>

#include "layout.h"

namespace {

template <class Mutex>
void work(Mutex& mutex, volatile row& guarded, int depth) {
    bool owner_died = false;
    try {
        mutex.lock();
    } catch (const atoll::owner_died&) {
        owner_died = mutex.lock_recover();
    }
    const std::lock_guard hold(mutex, std::adopt_lock);
    if (!begin_round(&guarded, owner_died)) throw std::runtime_error("a death was not told");
    if (owner_died) mutex.mark_consistent();
    for (int i = 0; i < depth; i++) mutex.lock();
    for (int i = 0; i < depth; i++) mutex.unlock();
    if (!end_round(&guarded)) throw std::runtime_error("somebody else was inside too");
}

[[noreturn]] void work(const atoll::segment& segment) {
    auto plain = atoll::mutex::open(segment, "plain");
    auto recursive = atoll::recursive_mutex::open(segment, "recursive");
    auto over = atoll::value<std::int64_t>::open(segment, "over");
    auto rows = atoll::array<std::int64_t>::open(segment, "rows", {2, 3});
    const auto row_of = reinterpret_cast<row*>(rows.data());
    for (;;) {
        work(plain, row_of[0], 0);
        over.fetch_add(1);
        work(recursive, row_of[1], DEPTH);
        over.fetch_add(1);
    }
}

}  // namespace

int main(int count, char** words) {
    go_with_the_director();
    if (count != 2) return complain("worker SEGMENT");
    try {
        work(atoll::segment::open(words[1]));
    } catch (const std::exception& error) {
        return complain(error.what());
    }
}
