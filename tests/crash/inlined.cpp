// What atoll.hpp makes of locks and numbers, as programs in C++ have them. The harness compiles
// this when it is wanted, and steps victims through it.

#include <atoll.hpp>
#include <cstdint>
#include <mutex>

namespace {

struct things {
    explicit things(const atoll::segment& in)
        : mutex(atoll::mutex::open(in, "mutex")),
          recursive(atoll::recursive_mutex::open(in, "recursive")),
          small(atoll::value<std::int64_t>::open(in, "small")) {}

    atoll::mutex mutex;
    atoll::recursive_mutex recursive;
    atoll::value<std::int64_t> small;
};

// As a status: whatever is thrown says what a call would have returned.
template <class Work>
int status_of(Work work) noexcept {
    try {
        work();
        return ATOLL_OK;
    } catch (const atoll::error& error) {
        return error.code().value();
    }
}

}  // namespace

extern "C" things* cpp_open(const char* name) noexcept {
    try {
        return new things(atoll::segment::open(name));
    } catch (const atoll::error&) {
        return nullptr;
    }
}

extern "C" int cpp_lock(things* in) noexcept {
    return status_of([in] { in->mutex.lock(); });
}

extern "C" int cpp_unlock(things* in) noexcept {
    return status_of([in] { in->mutex.unlock(); });
}

extern "C" int cpp_nest(things* in) noexcept {
    return status_of([in] {
        const std::scoped_lock outer(in->recursive, in->mutex);
        const std::lock_guard inner(in->recursive);
    });
}

extern "C" int cpp_add(things* in, std::int64_t operand) noexcept {
    return status_of([in, operand] { in->small += operand; });
}
