// Checks for the C++ tests: those of the C tests, and exceptions.

#ifndef CHECK_HPP
#define CHECK_HPP

#include <atoll.hpp>
#include <exception>
#include <string>

#include "../c/process.h"

// The expression throws this exception with this status, and what() contains `words`.
#define THROWS(type, code, words, expression) \
    throws<type>([&] { static_cast<void>(expression); }, code, words, __FILE__, __LINE__, \
                 #expression)

template <class Exception, class Body>
void throws(Body body, atoll::status code, const char* words, const char* file, int line,
            const char* expression) {
    std::string what = std::string(expression) + " throws nothing";
    try {
        body();
    } catch (const Exception& thrown) {
        if (thrown.code() == code && helps(thrown.what(), words)) return;
        what = std::string(expression) + " throws \"" + thrown.what() + "\"";
    } catch (const std::exception& thrown) {
        what = std::string(expression) + " throws another type: " + thrown.what();
    }
    complain(file, line, what.c_str());
}

// An exception that escapes is a failed check of its test, not the end of the program.
#undef RUN
#define RUN(test) run_test(guarded<test>, #test)

template <void (*test)()>
void guarded() {
    try {
        test();
    } catch (const std::exception& thrown) {
        complain(__FILE__, __LINE__,
                 (std::string("an exception escaped: ") + thrown.what()).c_str());
    }
}

// A small segment that goes with the test.
class test_segment {
    std::string name_ = fresh_name();

public:
    atoll::segment segment = atoll::segment::create(name_, {1 << 20});

    ~test_segment() {
        try {
            segment.verify();
            atoll::segment::unlink(name_);
        } catch (const atoll::error& problem) {
            complain(__FILE__, __LINE__, problem.what());
        }
    }

    const std::string& name() const { return name_; }
};

#endif
