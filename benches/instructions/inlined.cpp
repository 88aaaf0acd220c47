// inlined SEGMENT: what operations take where atoll.hpp does them in place.
#include <optional>

#include "atoll.hpp"
#include "marks.h"

namespace {

std::optional<atoll::mutex> mutex;
std::optional<atoll::recursive_mutex> recursive;
std::optional<atoll::value<std::int64_t>> value;
std::optional<atoll::array<std::int64_t>> array;
std::optional<atoll::spsc<std::int64_t>> spsc;

void lock_unlock(long operations) {
    while (operations-- > 0) {
        mutex->lock();
        mutex->unlock();
    }
}

void lock_unlock_recursive(long operations) {
    while (operations-- > 0) {
        recursive->lock();
        recursive->unlock();
    }
}

void lock_unlock_again(long operations) {
    recursive->lock();
    lock_unlock_recursive(operations);
    recursive->unlock();
}

void load(long operations) {
    while (operations-- > 0)
        (void)value->load();
}

void store(long operations) {
    while (operations-- > 0)
        value->store(operations);
}

void fetch_add(long operations) {
    while (operations-- > 0)
        value->fetch_add(1);
}

void element(long operations) {
    while (operations-- > 0) {
        std::int64_t read = (*array)[500];
        asm volatile("" : "+r"(read) : : "memory");  // so that it is read each time
    }
}

void push_pop(long operations) {
    while (operations-- > 0) {
        (void)spsc->try_push(operations);
        (void)spsc->try_pop();
    }
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    auto segment = atoll::segment::create(argv[1]);
    atoll::segment::unlink(argv[1]);
    mutex = atoll::mutex::create(segment);
    recursive = atoll::recursive_mutex::create(segment);
    value = atoll::value<std::int64_t>::create(segment);
    array = atoll::array<std::int64_t>::create(segment, 1000);
    spsc = atoll::spsc<std::int64_t>::create(segment, nullptr, {64});
    count("mutex lock, unlock", lock_unlock, 1000);
    count("recursive mutex lock, unlock", lock_unlock_recursive, 1000);
    count("recursive mutex lock, unlock while held", lock_unlock_again, 1000);
    count("value load", load, 1000);
    count("value store", store, 1000);
    count("value fetch_add", fetch_add, 1000);
    count("array element", element, 1000);
    count("spsc push, pop", push_pop, 1000);
}
