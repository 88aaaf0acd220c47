// Records of a mpmc, and messages, in their places: several at a time, and after deaths.

#include <type_traits>
#include <vector>

#include "rings.hpp"

struct sample {
    std::uint64_t number;
    double value;
};

static_assert(!std::is_copy_constructible_v<atoll::mpmc<sample>::reservation>);
static_assert(std::is_nothrow_move_constructible_v<atoll::mpmc<sample>::record>);

static void many_are_open_at_a_time() {
    test_segment test;
    auto ring = OK(atoll::mpmc<sample>::create(test.segment, "ring", {4}));
    auto first = OK(ring.claim());
    auto second = OK(ring.claim());
    CHECK(first && second);
    *first = {1, 0.5};
    second->number = 2;
    OK(second.commit());
    CHECK(!second && !OK(ring.peek()) && !OK(ring.try_pop()));
    OK(first.commit());
    auto one = OK(ring.peek());
    auto two = OK(ring.peek());
    CHECK(one->number == 1 && (*one).value == 0.5 && two->number == 2 && one.times() == 0);
    CHECK(!OK(ring.peek()));
    OK(two.advance());
    OK(one.advance());
    FAILS(atoll::status::invalid_argument, "in the hand", one.advance());
    FAILS(atoll::status::invalid_argument, "in the hand", first.commit());
    CHECK(OK(ring.info()).popped == 2 && OK(ring.info()).length == 0);
}

static void what_is_let_go_of_is_skipped_or_goes_to_another() {
    test_segment test;
    auto ring = OK(atoll::mpmc<int>::create(test.segment, "ring", {2}));
    {
        auto room = OK(ring.claim());
        *room = 5;
        auto moved = std::move(room);
        CHECK(!room && moved);
    }
    CHECK(!OK(ring.try_pop()));
    CHECK(OK(ring.try_push(7)));
    {
        auto record = OK(ring.peek());
        CHECK(*record == 7);
        record = {};
        CHECK(!record);
    }
    auto again = OK(ring.peek());
    CHECK(*again == 7 && again.times() == 1);
    again.abandon();
    again = OK(ring.peek());
    CHECK(*again == 7 && again.times() == 2);
    OK(again.advance());
    CHECK(OK(ring.try_push(1)) && OK(ring.try_push(2)) && !OK(ring.claim()));
}

static void messages_in_place() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, "ring", {16}));
    for (std::size_t size = 0; size <= 200; size += 25) {
        auto room = OK(ring.claim(200));
        CHECK(room && room.bytes().size() == 200);
        for (std::size_t i = 0; i < size; i++) room.bytes()[i] = std::byte('a');
        OK(room.commit(size));
        auto message = OK(ring.peek());
        CHECK(message && message.text() == std::string(size, 'a'));
        CHECK(message.bytes().size() == size && message.times() == 0);
        OK(message.advance());
    }
    auto room = OK(ring.claim(10));
    FAILS(atoll::status::invalid_argument, "claimed for", room.commit(100));
    OK(room.commit());
    CHECK(OK(ring.try_pop())->size() == 10);
    FAILS(atoll::status::invalid_argument, "longer", ring.claim(1000));
}

static void messages_are_given_up_in_place() {
    test_segment test;
    auto ring = OK(atoll::messages::create(test.segment, "ring", {16}));
    CHECK(!OK(ring.peek()));
    std::vector<atoll::messages::reservation> rooms;
    while (auto room = OK(ring.claim(10))) {
        rooms.push_back(std::move(room));
        CHECK(!room && room.bytes().empty() && rooms.back().bytes().size() == 10);
    }
    CHECK(rooms.size() == 16 && !OK(ring.try_push("full")));
    rooms.clear();
    CHECK(!OK(ring.peek()) && OK(ring.try_push("mine")));
    OK(ring.peek()).abandon();
    auto message = OK(ring.peek());
    CHECK(message.text() == "mine" && message.times() == 1);
    OK(message.advance());
}

static void a_closed_end_refuses_them() {
    test_segment test;
    auto ring = OK(atoll::mpmc<int>::create(test.segment, "ring", {4}));
    auto room = OK(ring.claim());
    OK(ring.shutdown(ring_end::producers));
    FAILS(atoll::status::closed, "closed", room.commit());
    CHECK(!room);
    FAILS(atoll::status::closed, "closed", ring.claim());
    FAILS(atoll::status::closed, "closed", ring.peek());
}

static void the_dead_leave_theirs_to_others() {
    test_segment test;
    auto ring = OK(atoll::mpmc<int>::create(test.segment, "ring", {8}));
    for (int round = 0; round < 10; round++) {
        int status = 0;
        CHECK(OK(ring.try_push(1)));
        fflush(stdout);
        const pid_t child = fork();
        if (child == 0) {
            begin_child();
            auto record = OK(ring.peek());
            auto room = OK(ring.claim());
            auto done = OK(ring.claim());
            *done = *record + 1;
            OK(done.commit());
            kill(getpid(), SIGKILL);
        }
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        auto committed = OK(ring.get());
        CHECK(committed == 2);
        const auto left = OK(ring.get_marked());
        CHECK(left.record == 1 && left.times == 1);
    }
}

int main() {
    RUN(many_are_open_at_a_time);
    RUN(what_is_let_go_of_is_skipped_or_goes_to_another);
    RUN(messages_in_place);
    RUN(messages_are_given_up_in_place);
    RUN(a_closed_end_refuses_them);
    RUN(the_dead_leave_theirs_to_others);
    return any_failed;
}
