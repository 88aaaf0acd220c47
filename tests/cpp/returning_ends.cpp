// Without exceptions: how what has no room for a result ends the program, and what results are.

#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <type_traits>

#include "others.hpp"

using namespace std::chrono_literals;

static_assert(std::is_same_v<atoll::outcome<int>, atoll::result<int>>);
static_assert(std::is_trivially_copyable_v<atoll::failure>);
static_assert(std::is_trivially_destructible_v<atoll::result<int>>);
static_assert(std::is_nothrow_move_constructible_v<atoll::result<atoll::mutex>>);
static_assert(!std::is_copy_constructible_v<atoll::result<atoll::mutex>>);
static_assert(!std::is_convertible_v<atoll::result<int>, bool>);

static void misuse_of_a_lock_ends_the_program() {
    test_segment test;
    // Each ending leaves its mutex behind as a dead owner's, so each has one of its own.
    const auto fresh = [&] { return OK(atoll::mutex::create(test.segment)); };
    auto recursive = OK(atoll::recursive_mutex::create(test.segment));
    ENDS("NOT_OWNER", fresh().unlock());
    ENDS("NOT_OWNER", recursive.unlock());
    ENDS("DEADLOCK", auto mutex = fresh(); mutex.lock(); mutex.lock());
    ENDS("DEADLOCK", auto mutex = fresh(); mutex.lock(); mutex.try_lock());
    ENDS("DEADLOCK", auto mutex = fresh(); mutex.lock(); mutex.try_lock_for(1s));
    ENDS("DEADLOCK", auto mutex = fresh(); std::lock_guard a(mutex); std::lock_guard b(mutex));
    ENDS("DEADLOCK", auto mutex = fresh(); auto open = OK(atoll::transaction::begin(mutex));
         mutex.unlock());
    ENDS("INVALID_ARGUMENT", auto mutex = fresh(); const auto moved = std::move(mutex);
         mutex.lock());
}

static void a_lock_after_a_death_ends_the_program() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    const std::string pid = std::to_string(die_holding(mutex));
    ENDS("lock_recover", mutex.lock());
    ENDS(pid.c_str(), mutex.try_lock());
    ENDS("OWNER_DIED", mutex.try_lock_until(std::chrono::steady_clock::now() + 1s));
    ENDS("lock_recover", std::lock_guard hold(mutex));
    CHECK(OK(mutex.lock_recover()));
    OK(mutex.mark_consistent());
    mutex.unlock();
    std::lock_guard hold(mutex);
}

static void so_does_one_of_readers_and_writers() {
    test_segment test;
    auto mutex = OK(atoll::shared_mutex::create(test.segment));
    ENDS("NOT_OWNER", mutex.unlock());
    ENDS("NOT_OWNER", mutex.unlock_shared());
    const std::string pid = std::to_string(die_after([&] { mutex.lock(); }));
    ENDS("lock_recover", mutex.lock());
    ENDS(pid.c_str(), mutex.try_lock_for(1s));
    ENDS("lock_recover", std::shared_lock hold(mutex));
    ENDS("OWNER_DIED", mutex.try_lock_shared());
    CHECK(OK(mutex.lock_recover()));
    OK(mutex.mark_consistent());
    mutex.unlock();
    std::shared_lock hold(mutex);
}

static void an_operator_of_a_value_ends_the_program() {
    test_segment test;
    OK(atoll::value<int>::create(test.segment, "v"));
    atoll::segment_options look;
    look.read_only = true;
    const auto watched = OK(atoll::segment::open(test.name(), look));
    auto value = OK(atoll::value<int>::open(watched, "v"));
    CHECK(value == 0);
    ENDS("PERMISSION", value = 1);
    ENDS("PERMISSION", value++);
    ENDS("PERMISSION", value |= 1);
    const auto moved = std::move(value);
    ENDS("INVALID_ARGUMENT", static_cast<void>(static_cast<int>(value)));
}

static void a_result_is_like_expected() {
    atoll::result<std::string> good = std::string("good");
    CHECK(good && good.has_value() && *good == "good" && good->size() == 4);
    CHECK(good.value() == "good" && good == std::string("good") && good != std::string("bad"));
    CHECK(good.value_or("other") == "good");
    const atoll::result<std::string> bad = atoll::failure(atoll::status::full, "it is full", 5);
    CHECK(!bad && bad.error().status() == atoll::status::full && bad.error().os_errno() == 5);
    CHECK(bad.error().sentence() == std::string("it is full"));
    CHECK(bad.error().code() == atoll::status::full);
    CHECK(bad.value_or("other") == "other" && bad != std::string("it is full"));
    ENDS("it is full: ATOLL_FULL", static_cast<void>(bad.value()));
    const atoll::result<bool> no = false;
    CHECK(no.has_value() && !*no && no == false && no != true);
    atoll::result<std::unique_ptr<int>> moves = std::make_unique<int>(5);
    CHECK(*std::move(moves).value() == 5);
}

static void a_result_may_be_a_reference_or_nothing() {
    int number = 1;
    const atoll::result<int&> reference = number;
    *reference = 2;
    CHECK(number == 2 && &reference.value() == &number);
    const atoll::result<void> done;
    CHECK(done.has_value());
    done.value();
    const atoll::result<void> failed = atoll::failure(atoll::status::empty, "it is empty");
    CHECK(!failed);
    ENDS("it is empty: ATOLL_EMPTY", failed.value());
    const atoll::result<int&> none = failed.error();
    ENDS("it is empty: ATOLL_EMPTY", static_cast<void>(none.value()));
}

static void a_failure_keeps_what_is_known() {
    const auto opened = atoll::segment::open("no-such-segment");
    CHECK(!opened && opened.error().status() == atoll::status::not_found);
    CHECK(opened.error().code() == std::errc::no_such_file_or_directory);
    CHECK(helps(opened.error().sentence(), "no-such-segment"));
    CHECK(opened.error().owner().generation == 0);
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    const auto pid = static_cast<std::uint32_t>(die_holding(mutex));
    const auto begun = atoll::transaction::begin(mutex);
    CHECK(!begun && begun.error().status() == atoll::status::owner_died);
    CHECK(begun.error().owner().pid == pid && helps(begun.error().sentence(), "recover"));
}

int main() {
    RUN(misuse_of_a_lock_ends_the_program);
    RUN(a_lock_after_a_death_ends_the_program);
    RUN(so_does_one_of_readers_and_writers);
    RUN(an_operator_of_a_value_ends_the_program);
    RUN(a_result_is_like_expected);
    RUN(a_result_may_be_a_reference_or_nothing);
    RUN(a_failure_keeps_what_is_known);
    return any_failed;
}
