// The half of both_throwing.cpp that does without exceptions.

#define ATOLL_NO_EXCEPTIONS
#include <atoll.hpp>
#include <chrono>
#include <mutex>

using namespace std::chrono_literals;

bool the_other_half_is_right(const char* segment, const std::error_category& category);

bool the_other_half_is_right(const char* name, const std::error_category& category) {
    const auto segment = atoll::segment::open(name);
    auto mutex = atoll::mutex::open(*segment, "mutex");
    auto value = atoll::value<int>::open(*segment, "value");
    const auto array = atoll::array<int>::open(*segment, "array");
    auto changed = atoll::condition_variable_any::open(*segment, "changed");
    auto permits = atoll::counting_semaphore::open(*segment, "permits");
    auto meeting = atoll::barrier::open(*segment, "meeting");
    auto numbers = atoll::spsc<int>::open(*segment, "numbers");
    const auto number = numbers->get_for(1ms);
    if (!number || *number != 5) return false;
    std::unique_lock hold(*mutex);
    const auto waited = changed->wait_for(hold, 1ms);
    if (!waited || *waited == std::cv_status::no_timeout || !permits->release()) return false;
    (*array)(1, 2) += *value->fetch_add(1);
    const auto passed = meeting->arrive_and_wait();
    if (passed || passed.error().status() != atoll::status::broken) return false;
    const auto refused = mutex->lock_recover();
    const auto unlucky = atoll::transaction::begin(*mutex);
    return !refused.has_value() && refused.error().code() == atoll::status::deadlock && !unlucky &&
           unlucky.error().code().category() == category &&
           atoll::value<int>::open(*segment, "none").error().status() == atoll::status::not_found;
}
