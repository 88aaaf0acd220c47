// One program with files of both variants; the other one is both_returning.cpp. Built without
// inlining, so that the linker chooses among all functions that it takes for the same.

#include <atoll.hpp>
#include <cstdio>
#include <mutex>
#include <string>

bool the_other_half_is_right(const char* segment, const std::error_category& category);

static bool this_half_is_right(const char* name) {
    const auto segment = atoll::segment::open(name);
    auto mutex = atoll::mutex::open(segment, "mutex");
    auto value = atoll::value<int>::open(segment, "value");
    const auto array = atoll::array<int>::open(segment, "array");
    const std::scoped_lock hold(mutex);
    array(1, 2) += value.fetch_add(1);
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
    const bool right = this_half_is_right(name.c_str()) &&
                       the_other_half_is_right(name.c_str(), atoll::category()) &&
                       this_half_is_right(name.c_str());
    atoll::segment::unlink(name);
    std::printf("%d %d %s\n", value.load(), array[5], right ? "right" : "wrong");
    return right && value.load() == 4 && array[5] == 1 + 2 + 3 ? 0 : 1;
}
