// Checks for the C++ tests: those of the C tests, and failures in either variant.
//
// OK(expression) is what an operation gave, whatever the variant; a failure ends the program.
// FAILS(status, words, expression) expects that one, with a sentence that contains `words`.
// ENDS(words, statements), without exceptions: they end the program, after saying so on stderr.

#ifndef CHECK_HPP
#define CHECK_HPP

#include <atoll.hpp>
#include <exception>
#include <string>
#include <utility>

#include "../c/process.h"

#ifdef ATOLL_NO_EXCEPTIONS

#define OK(...) passed((__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)
#define FAILS(code, words, ...) \
    fails((__VA_ARGS__), code, words, __FILE__, __LINE__, #__VA_ARGS__)

template <class T>
T passed(atoll::result<T> given, const char* file, int line, const char* expression) {
    if (given.has_value()) return *std::move(given);
    complain(file, line, (std::string(expression) + ": " + given.error().sentence()).c_str());
    std::abort();
}

template <class T>
void fails(const atoll::result<T>& given, atoll::status code, const char* words, const char* file,
           int line, const char* expression) {
    if (!given.has_value() && given.error().status() == code &&
        helps(given.error().sentence(), words)) {
        return;
    }
    const char* const said = given.has_value() ? "no failure" : given.error().sentence();
    complain(file, line, (std::string(expression) + " gives \"" + said + '"').c_str());
}

#define ENDS(words, ...) \
    ends([&] { __VA_ARGS__; }, words, __FILE__, __LINE__, #__VA_ARGS__)

template <class Body>
void ends(Body body, const char* words, const char* file, int line, const char* statements) {
    int said[2], status = 0;
    CHECK(pipe(said) == 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        begin_child();
        dup2(said[1], STDERR_FILENO);
        body();
        _exit(0);
    }
    close(said[1]);
    std::string text;
    char buffer[512];
    for (ssize_t n; (n = read(said[0], buffer, sizeof buffer)) > 0;) text.append(buffer, n);
    close(said[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && helps(text.c_str(), words)) return;
    complain(file, line, (std::string(statements) + " says \"" + text + '"').c_str());
}

#else

#define OK(...) (__VA_ARGS__)
#define FAILS(code, words, ...) \
    fails([&] { static_cast<void>(__VA_ARGS__); }, code, words, __FILE__, __LINE__, #__VA_ARGS__)

template <class Body>
void fails(Body body, atoll::status code, const char* words, const char* file, int line,
           const char* expression) {
    std::string what = std::string(expression) + " throws nothing";
    try {
        body();
    } catch (const atoll::error& thrown) {
        const bool died = dynamic_cast<const atoll::owner_died*>(&thrown) != nullptr;
        const bool broken = dynamic_cast<const atoll::broken*>(&thrown) != nullptr;
        if (thrown.code() == code && helps(thrown.what(), words) &&
            died == (code == atoll::status::owner_died) &&
            broken == (code == atoll::status::broken)) {
            return;
        }
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

#endif

// A small segment that goes with the test.
class test_segment {
    std::string name_ = fresh_name();

public:
    atoll::segment segment = OK(atoll::segment::create(name_, {1 << 20}));

    ~test_segment() {
        EXPECT(ATOLL_OK, atoll_segment_verify(segment.native_handle()));
        EXPECT(ATOLL_OK, atoll_segment_unlink(name_.c_str()));
    }

    const std::string& name() const { return name_; }
};

#endif
