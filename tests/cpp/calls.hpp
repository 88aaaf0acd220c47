// Counts calls into the library, by functions of their names in the test program. These come before
// those of the library, and pass on to them by LIBRARY.

#ifndef CALLS_HPP
#define CALLS_HPP

#include <dlfcn.h>

#include <atomic>

#include "check.hpp"

static std::atomic<int> calls;

// The library's own function of that name.
#define LIBRARY(function) \
    (calls++, reinterpret_cast<decltype(&function)>(dlsym(RTLD_NEXT, #function)))

// The statements make so many calls.
#define CALLS(n, ...) \
    do { \
        const int before = calls; \
        __VA_ARGS__; \
        const int made = calls - before; \
        if (made != (n)) { \
            const std::string said = std::to_string(made) + " calls, not " #n ": " #__VA_ARGS__; \
            complain(__FILE__, __LINE__, said.c_str()); \
        } \
    } while (0)

#endif
