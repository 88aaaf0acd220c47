// What every consumer builds, in C++.

#include <atoll.hpp>
#include <cstdint>
#include <iostream>
#include <mutex>

int main(int argc, char** argv) try {
    if (argc != 2) return 2;
    std::int64_t loaded = 0;
    {
        auto segment = atoll::segment::create(argv[1]);
        auto mutex = atoll::mutex::create(segment, "guard");
        auto value = atoll::value<std::int64_t>::create(segment, "value");
        std::scoped_lock hold(mutex);
        value.store(42);
        loaded = value.load();
    }
    atoll::segment::unlink(argv[1]);
    std::cout << "atoll " << atoll_version() << ": " << loaded << '\n';
    return loaded == 42 ? 0 : 1;
} catch (const atoll::error& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
}
