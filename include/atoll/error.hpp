/// What can go wrong, as exceptions and error codes.
///
///     try {
///         auto segment = atoll::segment::open("counters");
///     } catch (const atoll::error& problem) {
///         if (problem.code() != std::errc::no_such_file_or_directory) throw;
///     }
///
/// A code compares equal to its atoll::status, and to the std::errc that means the same.

#ifndef ATOLL_ERROR_HPP
#define ATOLL_ERROR_HPP

#include <cstdint>
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

namespace detail {

class status_category final : public std::error_category {
public:
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
};

}  // namespace detail

/// The category of every atoll::status; its name is "atoll".
inline const std::error_category& category() noexcept {
    static const detail::status_category instance;
    return instance;
}

inline std::error_code make_error_code(status code) noexcept {
    return {static_cast<int>(code), category()};
}

/// Any failure of a call. what() is the library's sentence followed by the status' name.
class error : public std::system_error {
public:
    error(status code, const std::string& sentence, int os_errno = 0)
        : std::system_error(make_error_code(code), sentence), os_errno_(os_errno) {}

    /// errno of the system call that failed, or 0 where none did.
    int os_errno() const noexcept { return os_errno_; }

private:
    int os_errno_;
};

/// Who holds, or held, a lock, as atoll.h describes it.
using owner = atoll_owner;

/// The last holder of a lock died holding it. Whoever catches this does not hold the lock.
class owner_died : public error {
public:
    owner_died(const owner& dead, const std::string& sentence)
        : error(status::owner_died, sentence), dead_(dead) {}

    /// Who died.
    const owner& dead_owner() const noexcept { return dead_; }

private:
    owner dead_;
};

namespace detail {

/// The exception for the latest failure in this thread.
inline error last_error() {
    atoll_error last;
    atoll_last_error(&last);
    return {static_cast<status>(last.status), last.text, last.os_errno};
}

inline void check(atoll_status code) {
    if (code != ATOLL_OK) throw last_error();
}

}  // namespace detail
}  // namespace libatoll

template <>
struct std::is_error_code_enum<libatoll::status> : std::true_type {};

#endif
