// One program with files of both variants; the other one is both_returning.cpp. Built without
// inlining, so that the linker chooses among all functions that it takes for the same.

#include <atoll.hpp>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

using namespace std::chrono_literals;

bool the_other_half_is_right(const char* segment, const std::error_category& category);

static bool this_half_is_right(const char* name) {
    const auto segment = atoll::segment::open(name);
    auto mutex = atoll::mutex::open(segment, "mutex");
    auto value = atoll::value<int>::open(segment, "value");
    const auto array = atoll::array<int>::open(segment, "array");
    auto changed = atoll::condition_variable_any::open(segment, "changed");
    auto permits = atoll::counting_semaphore::open(segment, "permits");
    auto meeting = atoll::barrier::open(segment, "meeting");
    auto numbers = atoll::spsc<int>::open(segment, "numbers");
    if (!numbers.put_for(5, 1ms)) return false;
    std::unique_lock hold(mutex);
    if (changed.wait_for(hold, 1ms) == std::cv_status::no_timeout) return false;
    permits.release();
    array(1, 2) += value.fetch_add(1);
    try {
        meeting.arrive_and_wait();
        return false;
    } catch (const atoll::broken& news) {
        if (news.code() != atoll::status::broken) return false;
    }
    try {
        mutex.lock();
        return false;
    } catch (const atoll::error& problem) {
        if (problem.code() != atoll::status::deadlock) return false;
    }
    try {
        atoll::transaction unlucky(mutex);
        return false;
    } catch (const atoll::error& problem) {
        return problem.code() == atoll::status::deadlock;
    }
}

int main(int, char** given) {
    const std::string name = given[1];
    const auto segment = atoll::segment::create(name, {1 << 20});
    const auto mutex = atoll::mutex::create(segment, "mutex");
    const auto value = atoll::value<int>::create(segment, "value", 1);
    const auto array = atoll::array<int>::create(segment, "array", {2, 3});
    const auto changed = atoll::condition_variable_any::create(segment, "changed");
    const auto permits = atoll::counting_semaphore::create(segment, "permits", 0);
    auto meeting = atoll::barrier::create(segment, "meeting", 2);
    const auto numbers = atoll::spsc<int>::create(segment, "numbers", {2});
    meeting.abort();
    const bool right = this_half_is_right(name.c_str()) &&
                       the_other_half_is_right(name.c_str(), atoll::category()) &&
                       this_half_is_right(name.c_str());
    atoll::segment::unlink(name);
    std::printf("%d %d %s\n", value.load(), array[5], right ? "right" : "wrong");
    return right && value.load() == 4 && array[5] == 1 + 2 + 3 && permits.value() == 3 &&
                   numbers.info().length == 1
               ? 0
               : 1;
}
