// Errors are std::system_errors with codes that compare.

#include <cstdlib>
#include <system_error>
#include <type_traits>
#include <utility>

#include "others.hpp"

static_assert(std::is_base_of_v<std::system_error, atoll::error>);
static_assert(std::is_base_of_v<atoll::error, atoll::owner_died>);
static_assert(std::is_error_code_enum_v<atoll::status>);
static_assert(std::is_nothrow_copy_constructible_v<atoll::error>);

static void a_failure_is_a_system_error() {
    try {
        atoll::segment::open("no-such-segment");
        CHECK(!"thrown");
    } catch (const std::system_error& problem) {
        CHECK(problem.code() == atoll::status::not_found);
        CHECK(problem.code() == std::errc::no_such_file_or_directory);
        CHECK(problem.code() != atoll::status::already_exists);
        CHECK(problem.code().category() == atoll::category());
        CHECK(helps(problem.what(), "no-such-segment"));
    }
}

static void codes_have_names_and_generic_meanings() {
    const std::error_code code = atoll::status::deadlock;
    CHECK(code.category().name() == std::string("atoll"));
    CHECK(code.message() == atoll_status_name(ATOLL_DEADLOCK));
    CHECK(code == std::errc::resource_deadlock_would_occur);
    CHECK(atoll::make_error_code(atoll::status::timed_out) == std::errc::timed_out);
    CHECK(atoll::make_error_code(atoll::status::owner_died) == std::errc::owner_dead);
    CHECK(atoll::make_error_code(atoll::status::corrupted) != std::errc::io_error);
    CHECK(!std::error_code(atoll::status::ok));
}

static void errno_is_kept() {
    CHECK(atoll::error(atoll::status::system, "a sentence").os_errno() == 0);
    CHECK(atoll::error(atoll::status::system, "a sentence", ENOMEM).os_errno() == ENOMEM);
}

static void a_result_throws_what_went_wrong() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    die_holding(mutex);
    const auto refused = atoll::transaction::begin(mutex);
    CHECK(!refused && refused.error().status() == atoll::status::owner_died);
    FAILS(atoll::status::owner_died, "recover", refused.value());
    const auto moved = std::move(mutex);
    const auto wrong = atoll::transaction::begin(mutex);
    FAILS(atoll::status::invalid_argument, "NULL", wrong.value());
}

static void the_c_function_of_our_name_still_works() {
    CHECK(atoll("12") == 12 && std::atoll("13") == 13);
}

int main() {
    RUN(a_failure_is_a_system_error);
    RUN(codes_have_names_and_generic_meanings);
    RUN(errno_is_kept);
    RUN(a_result_throws_what_went_wrong);
    RUN(the_c_function_of_our_name_still_works);
    return any_failed;
}
