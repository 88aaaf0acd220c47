// A ring of messages: bytes of any length, with and without waits, after deaths.

#include <string>
#include <string_view>
#include <vector>

#include "others.hpp"
#include "rings.hpp"
#include "waits.hpp"

using namespace std::string_literals;

static_assert(!std::is_copy_constructible_v<atoll::messages>);
static_assert(std::is_nothrow_move_constructible_v<atoll::messages>);

// A message of so many bytes, each of which says where it is.
static std::string message(std::size_t bytes) {
    std::string text(bytes, 0);
    for (std::size_t i = 0; i < bytes; i++) text[i] = static_cast<char>(bytes + i);
    return text;
}

static void messages_of_any_length_come_in_order() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, "ring", {16}));
    auto other = OK(atoll::messages::open(test.segment, "ring"));
    constexpr std::size_t longest = 16 / 2 * 64 - 8;
    std::string into;
    for (std::size_t length = 0; length <= longest; length++) {
        CHECK(OK(ring.try_push(message(length))) && OK(ring.try_push("x")));
        if (length % 2) CHECK(OK(other.try_pop()) == message(length));
        else CHECK(OK(other.try_pop(into)) && into == message(length));
        CHECK(OK(other.try_pop()) == "x");
    }
    CHECK(!OK(other.try_pop()));
    into = "what was there";
    CHECK(!OK(other.try_pop(into)) && into.empty());
    FAILS(atoll::status::invalid_argument, "longer", ring.try_push(message(longest + 1)));
}

static void bytes_come_from_anywhere() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {8}));
    const std::byte bytes[] = {std::byte{1}, std::byte{0}, std::byte{3}};
    const int number = 7;
    OK(ring.put("text"));
    OK(ring.put(std::string_view("a\0b", 3)));
    OK(ring.put({bytes, 3}));
    OK(ring.put(atoll::view<const std::byte>(bytes, 2)));
    CHECK(OK(ring.get()) == "text" && OK(ring.get()) == "a\0b"s);
    CHECK(OK(ring.get()) == "\1\0\3"s && OK(ring.get()) == "\1\0"s);
    OK(ring.put({&number, sizeof number}));
    OK(ring.put(std::string_view()));
    CHECK(OK(ring.get()).size() == sizeof number && OK(ring.get()).empty());
}

static void memory_is_used_again() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {64}));
    std::string into;
    OK(ring.put(message(1000)));
    OK(ring.get(into));
    CHECK(into == message(1000));
    const char* const memory = into.data();
    for (const std::size_t length : {10, 0, 999}) {
        OK(ring.put(message(length)));
        CHECK(OK(ring.try_pop(into)) && into == message(length) && into.data() == memory);
    }
}

static void a_full_ring_takes_nothing() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {4}));
    CHECK(OK(ring.try_push(message(100))) && OK(ring.try_push(message(100))));
    CHECK(!OK(ring.try_push("x")));
    CHECK(OK(ring.try_pop()) == message(100) && OK(ring.try_push("x")));
    CHECK(OK(ring.get()) == message(100) && OK(ring.get()) == "x");
}

static void they_are_no_records() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    auto ring = OK(atoll::messages::create(test.segment, "ring", {4}));
    auto numbers = OK(atoll::mpmc<int>::create(test.segment, "numbers", {4}));
    FAILS(kind, "", atoll::mpmc<int>::open(test.segment, "ring"));
    FAILS(kind, "", atoll::messages::open(test.segment, "numbers"));
    FAILS(kind, "", atoll::mpmc<char>::import_ticket(OK(ring.export_ticket())));
    FAILS(kind, "records", atoll::messages::import_ticket(OK(numbers.export_ticket())));
    FAILS(kind, "capacity", atoll::messages::open(test.segment, "ring", {8}));
    FAILS(atoll::status::invalid_argument, "2 cells",
          atoll::messages::create(test.segment, nullptr, {1}));
    auto same = OK(atoll::messages::import_ticket(OK(ring.export_ticket())));
    OK(ring.put("one"));
    CHECK(OK(same.info()).length == 1 && OK(same.get()) == "one");
    const auto moved = std::move(ring);
    FAILS(atoll::status::invalid_argument, "NULL", ring.put("two"));
    FAILS(atoll::status::invalid_argument, "NULL", ring.try_pop());
}

static void a_closed_end_is_told() {
    test_segment test;
    const auto closed = atoll::status::closed;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {4}));
    std::string into;
    OK(ring.put("last"));
    OK(ring.shutdown(ring_end::producers));
    FAILS(closed, "producers", ring.try_push("x"));
    FAILS(closed, "producers", ring.put("x"));
    FAILS(closed, "producers", ring.put_for("x", 1h));
    CHECK(OK(ring.get()) == "last");
    FAILS(closed, "producers", ring.get());
    FAILS(closed, "producers", ring.get(into));
    FAILS(closed, "producers", ring.try_pop());
    FAILS(closed, "producers", ring.try_pop(into));
    FAILS(closed, "producers", ring.get_marked());
    FAILS(closed, "producers", ring.get_for(1h));
}

static void waits_end_on_time_or_with_a_message() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {4}));
    const auto comes = [&] { OK(ring.put(message(100))); };
    const timed get{
        [&](auto timeout) { return OK(ring.get_for(timeout)) == message(100); },
        [&](auto deadline) { return OK(ring.get_until(deadline)) == message(100); }};
    gives_up_on_time(get);
    waits_for_what_comes([] {}, get, comes);
    const timed get_marked{
        [&](auto timeout) { return OK(ring.get_marked_for(timeout)).has_value(); },
        [&](auto deadline) { return OK(ring.get_marked_until(deadline)).has_value(); }};
    gives_up_on_time(get_marked);
    waits_for_what_comes([] {}, get_marked, comes);
    std::thread putter([&] {
        once_disturbed();
        comes();
    });
    among_signals([&] { CHECK(OK(ring.get()) == message(100)); });
    putter.join();
}

static void waits_end_on_time_or_with_room() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {4}));
    while (OK(ring.try_push("x"))) {
    }
    const timed put{[&](auto timeout) { return OK(ring.put_for("x", timeout)); },
                    [&](auto deadline) { return OK(ring.put_until("x", deadline)); }};
    gives_up_on_time(put);
    waits_for_what_comes([] {}, put, [&] { CHECK(OK(ring.get()) == "x"); });
    std::thread getter([&] {
        once_disturbed();
        CHECK(OK(ring.get()) == "x");
    });
    among_signals([&] { OK(ring.put("x")); });
    getter.join();
}

static void processes_hand_messages_on() {
    test_segment test;
    auto there = OK(atoll::messages::create(test.segment, "there", {8}));
    auto back = OK(atoll::messages::create(test.segment, "back", {8}));
    const auto work = [&] {
        auto in = OK(atoll::messages::open(test.segment, "there"));
        auto out = OK(atoll::messages::open(test.segment, "back"));
        std::string into;
        for (OK(in.get(into)); into != "end"; OK(in.get(into))) OK(out.put(into + "!"));
    };
    other_process one(work), two(work);
    std::vector<bool> came(200);
    for (std::size_t i = 0; i < came.size(); i++) {
        OK(there.put(message(i)));
        const std::string next = OK(back.get());
        CHECK(!next.empty() && next == message(next.size() - 1) + "!");
        came[next.size() - 1] = true;
    }
    CHECK(came == std::vector<bool>(200, true));
    OK(there.put("end"));
    OK(there.put("end"));
}

// It dies when it writes to where nobody may.
static void what_a_dead_consumer_was_getting_is_marked() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, nullptr, {4}));
    OK(ring.put(message(100)));
    die_getting(ring.native_handle());
    auto one = OK(ring.get_marked());
    CHECK(one.record == message(100) && one.times == 1);
    OK(ring.put("again"));
    one = OK(ring.get_marked());
    CHECK(one.record == "again" && one.times == 0);
    OK(ring.put("last"));
    die_getting(ring.native_handle());
    // Who does not wait may have to look more than once.
    std::optional<atoll::marked<std::string>> found;
    while (!(found = OK(ring.try_pop_marked()))) std::this_thread::yield();
    CHECK(found->record == "last" && found->times == 1);
}

int main() {
    RUN(messages_of_any_length_come_in_order);
    RUN(bytes_come_from_anywhere);
    RUN(memory_is_used_again);
    RUN(a_full_ring_takes_nothing);
    RUN(they_are_no_records);
    RUN(a_closed_end_is_told);
    RUN(waits_end_on_time_or_with_a_message);
    RUN(waits_end_on_time_or_with_room);
    RUN(processes_hand_messages_on);
    RUN(what_a_dead_consumer_was_getting_is_marked);
    return any_failed;
}
