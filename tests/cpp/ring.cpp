// Rings: records one by one, in batches and in their places; types, ends, tickets.

#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "others.hpp"
#include "rings.hpp"

static_assert(!std::is_copy_constructible_v<atoll::spsc<int>>);
static_assert(std::is_nothrow_move_constructible_v<atoll::fanin<int>>);
static_assert(!std::is_copy_constructible_v<atoll::spsc<int>::reservation>);
static_assert(std::is_nothrow_move_assignable_v<atoll::spsc<int>::reservation>);
static_assert(!std::is_convertible_v<atoll::spsc<int>::records, atoll::view<int>>);

struct sample {
    double at;
    std::array<int, 5> values;
};
template <>
inline constexpr const char* libatoll::format<sample> = "T{<d:at:(5)<i:values:}";

struct alignas(64) line {
    char text[128];
};

template <template <class> class Ring>
static void records_come_in_order() {
    test_segment test;
    auto ring = OK(Ring<sample>::create(test.segment, "ring", room_for<Ring>(4)));
    auto other = OK(Ring<sample>::open(test.segment, "ring"));
    int next = 0, put = 0;
    for (int round = 0; round < 20; round++) {
        while (OK(ring.try_push({put / 2.0, {put, 2, 3, 4, 5}}))) put++;
        CHECK(put - next == 4);
        for (int i = 0; i < round % 5; i++, next++) {
            const auto record = OK(other.try_pop());
            CHECK(record && record->at == next / 2.0 && record->values[0] == next);
        }
    }
    for (; next < put; next++) CHECK(OK(other.try_pop())->values[0] == next);
    CHECK(!OK(other.try_pop()));
}

template <template <class> class Ring>
static void any_type_that_can_be_shared() {
    test_segment test;
    auto flags = OK(Ring<bool>::create(test.segment, nullptr, room_for<Ring>(4)));
    OK(flags.put(true));
    OK(flags.put(false));
    CHECK(OK(flags.get()) && !OK(flags.get()));
    auto lines = OK(Ring<line>::create(test.segment, nullptr, room_for<Ring>(4)));
    OK(lines.put({"two lines long"}));
    CHECK(std::string(OK(lines.get()).text) == "two lines long");
}

template <template <class> class Ring>
static void places_are_aligned() {
    test_segment test;
    auto lines = OK(Ring<line>::create(test.segment, nullptr, room_for<Ring>(4)));
    auto places = OK(lines.claim(4));
    CHECK(places.size() == 4);
    for (line& place : places) {
        CHECK(reinterpret_cast<std::uintptr_t>(&place) % 64 == 0);
        place.text[127] = 'x';
    }
    OK(places.commit());
    CHECK(OK(lines.get()).text[127] == 'x');
}

template <template <class> class Ring>
static void batches() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    const std::vector<int> numbers = {1, 2, 3, 4, 5, 6};
    int out[6];
    CHECK(OK(ring.try_pop_n({out, 6})) == 0);
    for (int round = 0; round < 5; round++) {
        CHECK(OK(ring.try_push_n({numbers.data(), 3})) == 3);
        CHECK(OK(ring.try_pop_n({out, 6})) == 3 && out[0] == 1 && out[2] == 3);
    }
    CHECK(OK(ring.try_push_n({numbers.data(), numbers.size()})) == 4);
    CHECK(OK(ring.try_push_n({numbers.data(), 1})) == 0);
    CHECK(OK(ring.try_push_n({})) == 0);
    CHECK(OK(ring.try_pop_n({})) == 0);
    CHECK(OK(ring.try_pop_n({out, 3})) == 3 && out[0] == 1 && out[2] == 3);
    auto array = OK(atoll::array<int>::create(test.segment, 5));
    CHECK(OK(ring.try_pop_n(array)) == 1 && array[0] == 4);
    CHECK(OK(ring.try_push_n(array.first(2))) == 2 && OK(ring.try_pop()) == 4);
}

template <template <class> class Ring>
static void in_their_places() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    CHECK(OK(ring.peek(1)).empty());
    for (int round = 0; round < 20; round++) {
        for (std::size_t left = 3; left > 0;) {
            auto places = OK(ring.claim(left));
            CHECK(!places.empty() && places.size() <= left);
            left -= places.size();
            for (int& place : places) place = round;
            OK(places.commit());
            CHECK(places.empty());
        }
        for (std::size_t left = 3; left > 0;) {
            auto records = OK(ring.peek(left));
            CHECK(!records.empty() && records.size() <= left);
            for (const int record : records) CHECK(record == round);
            left -= records.size();
            OK(records.advance());
            CHECK(records.empty() && OK(ring.info()).length == left);
        }
    }
}

template <template <class> class Ring>
static void less_than_was_claimed_or_shown() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    auto places = OK(ring.claim(4));
    CHECK(places.size() == 4);
    places[0] = 1;
    places[1] = 2;
    FAILS(atoll::status::invalid_argument, "claim", places.commit(5));
    FAILS(atoll::status::invalid_argument, "claim", places.commit(0));
    OK(places.commit(2));
    FAILS(atoll::status::invalid_argument, "claim again", places.commit(1));
    CHECK(OK(ring.info()).length == 2);
    auto records = OK(ring.peek(4));
    CHECK(records.size() == 2 && records[0] == 1 && records[1] == 2);
    FAILS(atoll::status::invalid_argument, "peek", records.advance(3));
    OK(records.advance(1));
    FAILS(atoll::status::invalid_argument, "peek again", records.advance(1));
    CHECK(OK(ring.peek(4)).size() == 1);
    CHECK(OK(ring.try_pop()) == 2);
    for (int i = 0; i < 4; i++) CHECK(OK(ring.try_push(i)));
    auto none = OK(ring.claim(1));
    CHECK(none.empty());
    FAILS(atoll::status::invalid_argument, "no room", none.commit());
}

// Whether the ring had an open claim; it has none any more.
static bool had_claim(const atoll::spsc<int>& ring) {
    return atoll_spsc_abandon(ring.native_handle()) == ATOLL_OK;
}
static bool had_claim(const atoll::fanin<int>& ring) {
    return atoll_fanin_abandon(ring.native_handle()) == ATOLL_OK;
}

// A claim ends with its object, and not before.
template <template <class> class Ring>
static void a_claim_that_is_not_committed_puts_nothing() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    { OK(ring.claim(2))[0] = 7; }
    CHECK(!had_claim(ring) && OK(ring.info()).length == 0);
    auto places = OK(ring.claim(2));
    places.abandon();
    CHECK(places.empty() && !had_claim(ring));
    places = OK(ring.claim(2));
    places = OK(ring.claim(3));  // the same claim, which is larger now
    CHECK(places.size() == 3);
    auto moved = std::move(places);
    { const auto gone = std::move(places); }
    moved[2] = 5;
    OK(moved.commit(3));
    CHECK(!had_claim(ring) && OK(ring.info()).length == 3);
    moved = OK(ring.claim(1));
    moved = typename Ring<int>::reservation();
    CHECK(!had_claim(ring));
}

template <template <class> class Ring>
static void types_and_options_are_compared() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    atoll::ring_options eight = room_for<Ring>(8);
    eight.waiting = atoll::waiting::sleep;
    auto ring = OK(Ring<sample>::create(test.segment, "ring", eight));
    FAILS(kind, "struct", Ring<int>::open(test.segment, "ring"));
    FAILS(kind, "capacity", Ring<sample>::open(test.segment, "ring", {4}));
    FAILS(kind, "8", Ring<sample>::open_or_create(test.segment, "ring", room_for<Ring>(4)));
    FAILS(kind, "another type", Ring<line>::import_ticket(OK(ring.export_ticket())));
    FAILS(kind, "ring", atoll::value<int>::open(test.segment, "ring"));
    FAILS(atoll::status::already_exists, "ring",
          Ring<int>::create(test.segment, "ring", room_for<Ring>(4)));
    FAILS(atoll::status::not_found, "none", Ring<int>::open(test.segment, "none"));
    auto same = OK(Ring<sample>::open_or_create(test.segment, "ring", room_for<Ring>(8)));
    CHECK(OK(ring.try_push({1, {}})) && OK(same.try_pop())->at == 1);
    const atoll::ring_info info = OK(same.info());
    CHECK(info.capacity == 8 && info.waiting == ATOLL_WAIT_SLEEP);
    CHECK(info.pushed == 1 && info.popped == 1 && info.length == 0 && info.high_water == 1);
    CHECK(std::string(info.type.format) == "T{<d:at:(5)<i:values:}");
    OK(Ring<sample>::remove(test.segment, "ring"));
    FAILS(atoll::status::not_found, "ring", Ring<sample>::open(test.segment, "ring"));
    CHECK(OK(ring.try_push({2, {}})));  // who has it goes on
}

template <template <class> class Ring>
static void bad_options_are_refused() {
    test_segment test;
    const auto wrong = atoll::status::invalid_argument;
    FAILS(wrong, "capacity of 0", Ring<int>::create(test.segment, nullptr, {}));
    FAILS(wrong, "take 4 or 8", Ring<int>::create(test.segment, nullptr, room_for<Ring>(6)));
    FAILS(wrong, "lane", Ring<int>::create(test.segment, nullptr, {4, 65}));
    FAILS(wrong, "NUL", Ring<int>::create(test.segment, std::string("a\0b", 3), room_for<Ring>(4)));
}

template <template <class> class Ring>
static void a_ticket_leads_to_it() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    auto same = OK(Ring<int>::import_ticket(OK(ring.export_ticket())));
    OK(ring.put(3));
    CHECK(OK(same.get()) == 3);
}

template <template <class> class Ring>
static void a_closed_end_is_told() {
    test_segment test;
    const auto closed = atoll::status::closed;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    int out[4];
    OK(ring.put(1));
    OK(ring.put(2));
    OK(ring.shutdown(ring_end::producers));
    FAILS(closed, "producers", ring.try_push(3));
    FAILS(closed, "producers", ring.try_push_n({out, 1}));
    FAILS(closed, "producers", ring.put(3));
    FAILS(closed, "producers", ring.put_for(3, std::chrono::hours(1)));
    CHECK(OK(ring.get()) == 1 && OK(ring.try_pop()) == 2);
    FAILS(closed, "producers", ring.try_pop());
    FAILS(closed, "producers", ring.try_pop_n({out, 4}));
    FAILS(closed, "producers", ring.get());
    FAILS(closed, "producers", ring.get_for(std::chrono::hours(1)));
    CHECK(OK(ring.info()).ended == ATOLL_PRODUCERS);
    OK(ring.shutdown(ring_end::consumers));
    FAILS(closed, "", ring.try_pop());
}

template <template <class> class Ring>
static void a_closed_end_is_told_in_place() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    auto places = OK(ring.claim(1));
    OK(ring.shutdown(ring_end::producers));
    FAILS(atoll::status::closed, "producers", places.commit());
    FAILS(atoll::status::closed, "producers", ring.peek(4));
}

template <template <class> class Ring>
static void what_was_moved_from_is_refused() {
    test_segment test;
    const auto bad = atoll::status::invalid_argument;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    OK(ring.put(8));
    auto moved = std::move(ring);
    CHECK(OK(moved.get()) == 8);
    int out[1];
    FAILS(bad, "NULL", ring.try_push(1));
    FAILS(bad, "NULL", ring.put(1));
    FAILS(bad, "NULL", ring.try_pop());
    FAILS(bad, "NULL", ring.try_pop_n({out, 1}));
    FAILS(bad, "NULL", ring.get());
    FAILS(bad, "NULL", ring.info());
    FAILS(bad, "NULL", ring.shutdown(ring_end::producers));
}

template <template <class> class Ring>
static void what_is_claimed_stays_where_it_is() {
    test_segment test;
    auto ring = OK(Ring<int>::create(test.segment, nullptr, room_for<Ring>(4)));
    auto places = OK(ring.claim(1));
    auto moved = std::move(ring);
    places[0] = 8;
    OK(places.commit());
    CHECK(OK(moved.get()) == 8);
    FAILS(atoll::status::invalid_argument, "NULL", ring.claim(1));
    FAILS(atoll::status::invalid_argument, "NULL", ring.peek(1));
    FAILS(atoll::status::invalid_argument, "NULL", ring.leave(ring_end::consumers));
}

static void a_spsc_has_one_of_each() {
    test_segment test;
    auto ring = OK(atoll::spsc<int>::create(test.segment, "ring", {4}));
    auto other = OK(atoll::spsc<int>::open(test.segment, "ring"));
    OK(ring.put(1));
    FAILS(atoll::status::not_owner, "producer", other.try_push(2));
    CHECK(OK(other.get()) == 1);
    FAILS(atoll::status::not_owner, "consumer", ring.try_pop());
    OK(ring.leave(ring_end::producers));
    OK(other.put(2));
    OK(other.leave(ring_end::consumers));
    CHECK(OK(ring.get()) == 2);
    { const auto closed = std::move(other); }
    OK(ring.put(3));
    FAILS(atoll::status::invalid_argument, "fanin",
          atoll::spsc<int>::create(test.segment, nullptr, {4, 2}));
}

static void a_fanin_has_a_producer_in_each_lane() {
    test_segment test;
    auto ring = OK(atoll::fanin<int>::create(test.segment, "ring", {4, 2}));
    auto one = OK(atoll::fanin<int>::open(test.segment, "ring", {0, 2}));
    auto two = OK(atoll::fanin<int>::open(test.segment, "ring"));
    for (int i = 0; i < 4; i++) CHECK(OK(one.try_push(i)) && OK(two.try_push(10 + i)));
    CHECK(!OK(one.try_push(4)));
    FAILS(atoll::status::no_space, "2 lanes", ring.try_push(20));
    int next[2] = {0, 10};
    while (const auto record = OK(ring.try_pop())) CHECK(*record == next[*record / 10]++);
    CHECK(next[0] == 4 && next[1] == 14);
    OK(one.leave(ring_end::producers));
    CHECK(OK(ring.try_push(20)) && OK(ring.get()) == 20 && OK(ring.info()).lanes == 2);
    FAILS(atoll::status::wrong_kind, "2", atoll::fanin<int>::open(test.segment, "ring", {0, 3}));
    FAILS(atoll::status::wrong_kind, "", atoll::spsc<int>::open(test.segment, "ring"));
}

// Several objects, as in several processes.
static void a_mpmc_has_as_many_of_each_as_you_like() {
    test_segment test;
    auto ring = OK(atoll::mpmc<int>::create(test.segment, "ring", {4}));
    auto other = OK(atoll::mpmc<int>::open(test.segment, "ring"));
    OK(ring.put(1));
    OK(other.put(2));
    CHECK(OK(ring.try_pop()) == 1 && OK(other.try_pop()) == 2);
    FAILS(atoll::status::invalid_argument, "lanes",
          atoll::mpmc<int>::create(test.segment, nullptr, {4, 1}));
}

static void its_records_are_marked() {
    test_segment test;
    auto ring = OK(atoll::mpmc<sample>::create(test.segment, "ring", {4}));
    CHECK(!OK(ring.try_pop_marked()));
    for (int i = 0; i < 4; i++) OK(ring.put({i / 2.0, {}}));
    const auto first = OK(ring.try_pop_marked());
    CHECK(first && first->record.at == 0 && first->times == 0);
    const auto [record, times] = OK(ring.get_marked());
    CHECK(record.at == 0.5 && times == 0);
    sample out[4];
    std::uint32_t of_all = 7;
    CHECK(OK(ring.try_pop_n({out, 4}, of_all)) == 2 && of_all == 0 && out[1].at == 1.5);
    of_all = 7;
    CHECK(OK(ring.try_pop_n({}, of_all)) == 0 && of_all == 0);
    CHECK(OK(ring.try_pop_n({out, 4}, of_all)) == 0 && of_all == 0);
    OK(ring.shutdown(ring_end::producers));
    FAILS(atoll::status::closed, "producers", ring.try_pop_marked());
    FAILS(atoll::status::closed, "producers", ring.get_marked());
    FAILS(atoll::status::closed, "producers", ring.try_pop_n({out, 4}, of_all));
}

int main() {
    EACH(records_come_in_order);
    EACH(any_type_that_can_be_shared);
    EACH(batches);
    EACH(types_and_options_are_compared);
    EACH(bad_options_are_refused);
    EACH(a_ticket_leads_to_it);
    EACH(a_closed_end_is_told);
    EACH(what_was_moved_from_is_refused);
    LANES(places_are_aligned);
    LANES(in_their_places);
    LANES(less_than_was_claimed_or_shown);
    LANES(a_claim_that_is_not_committed_puts_nothing);
    LANES(a_closed_end_is_told_in_place);
    LANES(what_is_claimed_stays_where_it_is);
    RUN(a_spsc_has_one_of_each);
    RUN(a_fanin_has_a_producer_in_each_lane);
    RUN(a_mpmc_has_as_many_of_each_as_you_like);
    RUN(its_records_are_marked);
    return any_failed;
}
