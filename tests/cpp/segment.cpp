// Segments: the three ways in, options, ownership, what they tell.

#include <chrono>
#include <type_traits>
#include <utility>

#include "check.hpp"

using namespace std::chrono_literals;

static_assert(!std::is_default_constructible_v<atoll::segment>);
static_assert(!std::is_copy_constructible_v<atoll::segment>);
static_assert(!std::is_copy_assignable_v<atoll::segment>);
static_assert(std::is_nothrow_move_constructible_v<atoll::segment>);
static_assert(std::is_nothrow_move_assignable_v<atoll::segment>);
static_assert(std::is_nothrow_destructible_v<atoll::segment>);

static void create_open_and_unlink() {
    const std::string name = fresh_name();
    const auto made = OK(atoll::segment::create(name));
    FAILS(atoll::status::already_exists, name.c_str(), atoll::segment::create(name));
    const auto opened = OK(atoll::segment::open(name));
    const auto either = OK(atoll::segment::open_or_create(name.c_str()));
    CHECK(opened.native_handle() != made.native_handle());
    OK(atoll::segment::unlink(name));
    FAILS(atoll::status::not_found, name.c_str(), atoll::segment::open(name));
    FAILS(atoll::status::not_found, name.c_str(), atoll::segment::unlink(name));
}

static void options_are_passed_on() {
    const std::string name = fresh_name();
    atoll::segment_options options;
    options.size = 1 << 17;
    options.mode = 0640;
    options.max_participants = 99;
    const auto info = OK(OK(atoll::segment::create(name, options)).info());
    CHECK(info.size == 1 << 17 && info.mode == 0640 && info.max_participants == 99);
    CHECK(!info.read_only && info.name == name);
    options.read_only = true;
    CHECK(OK(OK(atoll::segment::open(name, options)).info()).read_only);
    OK(atoll::segment::unlink(name));
    options.read_only = false;
    options.ephemeral = true;
    CHECK(OK(OK(atoll::segment::create(name, options)).info()).ephemeral);
    FAILS(atoll::status::not_found, "no segment", atoll::segment::open(name));
}

static void a_move_hands_over() {
    test_segment test;
    auto from = OK(atoll::segment::open(test.name()));
    const auto handle = from.native_handle();
    auto to = std::move(from);
    CHECK(from.native_handle() == nullptr && to.native_handle() == handle);
    to = OK(atoll::segment::open(test.name()));  // closes what it held
    FAILS(atoll::status::invalid_argument, "NULL", from.verify());
    CHECK(atoll_segment_verify(handle) == ATOLL_INVALID_ARGUMENT);
    from = std::move(to);
    OK(from.verify());
}

static void objects_are_listed_page_by_page() {
    test_segment test;
    constexpr int n = 40;
    for (int i = 0; i < n; i++) OK(atoll::mutex::create(test.segment, "m" + std::to_string(i)));
    const auto objects = OK(test.segment.objects());
    CHECK(objects.size() == n);
    for (int i = 0; i < n; i++) {
        CHECK(objects[i].name == "m" + std::to_string(i) && objects[i].kind == ATOLL_KIND_MUTEX);
    }
    CHECK(OK(test.segment.info()).objects == n);
}

static void names_are_checked() {
    const auto wrong = atoll::status::invalid_argument;
    const auto cut = std::string("abc\0def", 7);
    test_segment test;
    FAILS(wrong, "NUL", atoll::segment::create(cut));
    FAILS(wrong, "NUL", atoll::mutex::create(test.segment, cut));
    FAILS(wrong, "NULL", atoll::segment::create(nullptr));
    FAILS(wrong, "empty", atoll::segment::create(""));
    FAILS(wrong, "/", atoll::value<int>::create(test.segment, "a/b"));
    CHECK(OK(test.segment.info()).objects == 0);
}

static void a_death_can_be_waited_for() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    CHECK(!OK(test.segment.wait_death_for(0, 1ms)));
    CHECK(!OK(test.segment.wait_death_until(0, std::chrono::system_clock::now() + 1ms)));
    const auto victim =
        start_victim([](void* m) { static_cast<atoll::mutex*>(m)->try_lock(); }, &mutex);
    kill_victim(victim);
    const auto dead = OK(test.segment.wait_death(0));
    CHECK(dead.pid == static_cast<std::uint32_t>(victim) && dead.epoch == 1);
    CHECK(OK(test.segment.wait_death_for(0, 0s))->epoch == 1);
    CHECK(!OK(test.segment.wait_death_for(1, -1h)));
    CHECK(OK(test.segment.info()).death_epoch == 1);
}

int main() {
    RUN(create_open_and_unlink);
    RUN(options_are_passed_on);
    RUN(a_move_hands_over);
    RUN(objects_are_listed_page_by_page);
    RUN(names_are_checked);
    RUN(a_death_can_be_waited_for);
    return any_failed;
}
