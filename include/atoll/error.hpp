/// What can go wrong: as a value, as an exception, as an error code.
///
///     try {
///         auto segment = atoll::segment::open("counters");
///     } catch (const atoll::error& problem) {
///         if (problem.code() != std::errc::no_such_file_or_directory) throw;
///     }
///
/// A code compares equal to its atoll::status, and to the std::errc that means the same. All of
/// this is shared by both variants of atoll.hpp; see variant.hpp.

#ifndef ATOLL_ERROR_HPP
#define ATOLL_ERROR_HPP

#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <type_traits>

#include "../atoll.h"

namespace libatoll {

/// The statuses of the C interface, under their own numbers.
enum class status : std::int32_t {
    ok = ATOLL_OK,
    owner_died = ATOLL_OWNER_DIED,
    timed_out = ATOLL_TIMED_OUT,
    interrupted = ATOLL_INTERRUPTED,
    full = ATOLL_FULL,
    empty = ATOLL_EMPTY,
    closed = ATOLL_CLOSED,
    not_found = ATOLL_NOT_FOUND,
    already_exists = ATOLL_ALREADY_EXISTS,
    wrong_kind = ATOLL_WRONG_KIND,
    incompatible = ATOLL_INCOMPATIBLE,
    corrupted = ATOLL_CORRUPTED,
    no_space = ATOLL_NO_SPACE,
    too_small = ATOLL_TOO_SMALL,
    not_owner = ATOLL_NOT_OWNER,
    deadlock = ATOLL_DEADLOCK,
    invalid_argument = ATOLL_INVALID_ARGUMENT,
    permission = ATOLL_PERMISSION,
    wrong_segment = ATOLL_WRONG_SEGMENT,
    broken = ATOLL_BROKEN,
    reentrant = ATOLL_REENTRANT,
    system = ATOLL_SYSTEM,
    panicked = ATOLL_PANICKED,
};

/// The category of every atoll::status; its name is "atoll".
inline const std::error_category& category() noexcept {
    static const class final : public std::error_category {
        const char* name() const noexcept override { return "atoll"; }

        std::string message(int code) const override { return atoll_status_name(code); }

        std::error_condition default_error_condition(int code) const noexcept override {
            switch (static_cast<status>(code)) {
                case status::owner_died: return std::errc::owner_dead;
                case status::timed_out: return std::errc::timed_out;
                case status::interrupted: return std::errc::interrupted;
                case status::not_found: return std::errc::no_such_file_or_directory;
                case status::already_exists: return std::errc::file_exists;
                case status::no_space: return std::errc::no_space_on_device;
                case status::not_owner: return std::errc::operation_not_permitted;
                case status::deadlock: return std::errc::resource_deadlock_would_occur;
                case status::invalid_argument: return std::errc::invalid_argument;
                case status::permission: return std::errc::permission_denied;
                default: return {code, *this};
            }
        }
    } instance;
    return instance;
}

inline std::error_code make_error_code(status code) noexcept {
    return {static_cast<int>(code), category()};
}

/// Who holds, or held, a lock, as atoll.h describes it.
using owner = atoll_owner;

/// A failure of a call, as a value: plain bytes, and nothing to free.
class failure {
public:
    failure(libatoll::status code, const char* sentence, int os_errno = 0) noexcept
        : code_(code), os_errno_(os_errno) {
        std::snprintf(sentence_, sizeof sentence_, "%s", sentence);
    }

    /// That of a lock whose last holder died; `remedy` is what to do now.
    failure(const owner& dead, const char* remedy) noexcept
        : code_(libatoll::status::owner_died), dead_(dead) {
        std::snprintf(sentence_, sizeof sentence_,
                      "process %u (%s) died holding the lock, so what it guards may be "
                      "half-changed; %s",
                      dead.pid, dead.name, remedy);
    }

    /// That of a barrier which is broken: who died in it, or 0.
    failure(const char* sentence, std::uint32_t culprit_pid) noexcept
        : failure(libatoll::status::broken, sentence) {
        dead_.pid = culprit_pid;
    }

    libatoll::status status() const noexcept { return code_; }
    std::error_code code() const noexcept { return make_error_code(code_); }

    /// What happened and what to do about it.
    const char* sentence() const noexcept { return sentence_; }

    /// errno of the system call that failed, or 0 where none did.
    int os_errno() const noexcept { return os_errno_; }

    /// Who died, if the status is owner_died; all of it 0 otherwise.
    const libatoll::owner& owner() const noexcept { return dead_; }

    /// The process that died, if the status is owner_died or broken; 0 if it is something else, or
    /// if the barrier was broken by someone who lives.
    std::uint32_t pid() const noexcept { return dead_.pid; }

private:
    libatoll::status code_;
    int os_errno_ = 0;
    libatoll::owner dead_{};
    char sentence_[sizeof(atoll_error::text)];
};

/// Any failure of a call, as an exception. what() is the sentence followed by the status' name.
class error : public std::system_error {
public:
    error(status code, const std::string& sentence, int os_errno = 0)
        : std::system_error(make_error_code(code), sentence), os_errno_(os_errno) {}

    explicit error(const failure& what) : error(what.status(), what.sentence(), what.os_errno()) {}

    /// errno of the system call that failed, or 0 where none did.
    int os_errno() const noexcept { return os_errno_; }

private:
    int os_errno_;
};

/// The last holder of a lock died holding it. Whoever catches this does not hold the lock.
class owner_died : public error {
public:
    explicit owner_died(const failure& what) : error(what), dead_(what.owner()) {}

    /// Who died.
    const owner& dead_owner() const noexcept { return dead_; }

private:
    owner dead_;
};

/// A barrier is broken: a party died in it, gave up, or said so. Nobody passes until its reset().
class broken : public error {
public:
    explicit broken(const failure& what) : error(what), pid_(what.pid()) {}

    /// Who died; 0 if nobody did.
    std::uint32_t pid() const noexcept { return pid_; }

private:
    std::uint32_t pid_;
};

}  // namespace libatoll

template <>
struct std::is_error_code_enum<libatoll::status> : std::true_type {};

#endif
