/* What a ring with lanes does in one process. Included once, after NOUN and LANES are defined. */

#include "lanes.h"

static void records_come_in_order(void) {
    uint64_t pushed = 0, next = 0;
    set_up();
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < round % 6; i++) {
            if (pushed - next < CAPACITY) {
                EXPECT(ATOLL_OK, push(pushed++));
            } else {
                REFUSED(ATOLL_FULL, "full", push(pushed));
            }
        }
        for (int i = 0; i < round / 3 % 6 && next < pushed; i++) CHECK(popped() == next++);
    }
    while (next < pushed) CHECK(popped() == next++);
    REFUSED(ATOLL_EMPTY, "empty", RING(pop)(consumer, &next, sizeof next, NULL));
    tear_down();
}

static void batches(void) {
    const uint64_t numbers[CAPACITY + 2] = {1, 2, 3, 4, 5, 6};
    uint64_t out[CAPACITY + 2];
    size_t n = 0;
    set_up();
    for (int round = 0; round < 20; round++) {
        EXPECT(ATOLL_OK, RING(push_n)(producer, numbers, 3, &n));
        CHECK(n == 3);
        EXPECT(ATOLL_OK, RING(pop_n)(consumer, out, CAPACITY + 2, &n));
        CHECK(n == 3 && memcmp(out, numbers, 3 * sizeof *out) == 0);
    }
    EXPECT(ATOLL_OK, RING(push_n)(producer, numbers, CAPACITY + 2, &n));
    CHECK(n == CAPACITY);
    REFUSED(ATOLL_FULL, "full", RING(push_n)(producer, numbers, 1, &n));
    EXPECT(ATOLL_OK, RING(push_n)(producer, numbers, 0, &n));
    CHECK(n == 0);
    EXPECT(ATOLL_OK, RING(pop_n)(consumer, out, 1, &n));
    CHECK(n == 1 && out[0] == 1);
    EXPECT(ATOLL_OK, RING(pop_n)(consumer, out, CAPACITY, &n));
    CHECK(n == CAPACITY - 1 && out[0] == 2 && out[2] == 4);
    REFUSED(ATOLL_EMPTY, "empty", RING(pop_n)(consumer, out, 1, &n));
    tear_down();
}

static void in_place(void) {
    void *places;
    const void *records;
    size_t n = 0;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", RING(commit)(producer, 1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "peek", RING(advance)(consumer, 1));
    for (uint64_t round = 0; round < 20; round++) {
        uint64_t left = 3;
        while (left > 0) {
            EXPECT(ATOLL_OK, RING(claim)(producer, left, &places, &n));
            CHECK(n >= 1 && n <= left);
            for (size_t i = 0; i < n; i++) ((uint64_t *)places)[i] = round;
            REFUSED(ATOLL_INVALID_ARGUMENT, "claim", RING(commit)(producer, n + 1));
            EXPECT(ATOLL_OK, RING(commit)(producer, n));
            left -= n;
        }
        for (left = 3; left > 0; left -= n) {
            EXPECT(ATOLL_OK, RING(peek)(consumer, left, &records, &n));
            for (size_t i = 0; i < n; i++) CHECK(((const uint64_t *)records)[i] == round);
            EXPECT(ATOLL_OK, RING(advance)(consumer, n));
        }
    }
    EXPECT(ATOLL_OK, RING(claim)(producer, 1, &places, &n));
    EXPECT(ATOLL_OK, RING(abandon)(producer));
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", RING(abandon)(producer));
    REFUSED(ATOLL_EMPTY, "empty", RING(peek)(consumer, 1, &records, &n));
    tear_down();
}

static void bad_input_is_refused(void) {
    const atoll_type bytes = {0, ATOLL_BYTES, 16, 0, 0, ""};
    atoll_ring_options options = options_of(0, LANES);
    ring_t *other;
    uint64_t number = 7;
    size_t len = 0, n;
    int descriptor;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "capacity of 0",
            RING(create)(segment, NULL, &bytes, &options, &other));
    options.capacity = 6;
    REFUSED(ATOLL_INVALID_ARGUMENT, "take 4 or 8",
            RING(create)(segment, NULL, &bytes, &options, &other));
    options.capacity = 4;
    options.waiting = 3;
    REFUSED(ATOLL_INVALID_ARGUMENT, "waiting",
            RING(create)(segment, NULL, &bytes, &options, &other));
    options.waiting = 0;
    options.lanes = 65;
    REFUSED(ATOLL_INVALID_ARGUMENT, "lane",
            RING(create)(segment, NULL, &bytes, &options, &other));
    options.lanes = LANES;
    REFUSED(ATOLL_INVALID_ARGUMENT, "type is NULL",
            RING(create)(segment, NULL, NULL, &options, &other));
    REFUSED(ATOLL_ALREADY_EXISTS, "ring",
            RING(create)(segment, "ring", &bytes, &options, &other));
    REFUSED(ATOLL_WRONG_KIND, "bytes[16]", RING(open)(segment, "ring", &bytes, NULL, &other));
    options.capacity = 8;
    REFUSED(ATOLL_WRONG_KIND, "capacity",
            RING(open)(segment, "ring", &number_type, &options, &other));
    REFUSED(ATOLL_NOT_FOUND, "none", RING(open)(segment, "none", NULL, NULL, &other));
    REFUSED(ATOLL_INVALID_ARGUMENT, "8 bytes", RING(push)(producer, &number, 4));
    REFUSED(ATOLL_INVALID_ARGUMENT, "record is NULL", RING(push)(producer, NULL, 8));
    EXPECT(ATOLL_OK, push(7));
    REFUSED(ATOLL_TOO_SMALL, "8 bytes", RING(pop)(consumer, &number, 4, &len));
    CHECK(len == 8);
    CHECK(popped() == 7);
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", RING(put)(producer, &number, 8, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "end", RING(shutdown)(producer, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "end", RING(descriptor)(producer, 3, &descriptor));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out_n", RING(push_n)(producer, &number, 1, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle", RING(pop_n)(NULL, &number, 1, &n));
    EXPECT(ATOLL_OK, RING(close)(NULL));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", push(1));
}

static void who_may_only_read_cannot_take_part(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader;
    atoll_ring_info info;
    ring_t *seen;
    uint64_t number = 0;
    set_up();
    EXPECT(ATOLL_OK, push(1));
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, RING(open)(reader, "ring", NULL, NULL, &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", RING(push)(seen, &number, sizeof number));
    REFUSED(ATOLL_PERMISSION, "read-only", RING(pop)(seen, &number, sizeof number, NULL));
    REFUSED(ATOLL_PERMISSION, "read-only",
            RING(get)(seen, &number, sizeof number, NULL, ATOLL_FOREVER));
    REFUSED(ATOLL_PERMISSION, "read-only", RING(shutdown)(seen, ATOLL_PRODUCERS));
    EXPECT(ATOLL_OK, RING(info)(seen, &info));
    CHECK(info.length == 1 && info.pushed == 1 && info.popped == 0);
    EXPECT(ATOLL_OK, RING(close)(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

static void it_says_what_it_is(void) {
    atoll_ring_info info;
    atoll_object_info objects[2];
    size_t n;
    set_up();
    for (uint64_t i = 0; i < 3; i++) EXPECT(ATOLL_OK, push(i));
    CHECK(popped() == 0);
    EXPECT(ATOLL_OK, RING(info)(producer, &info));
    CHECK(info.capacity == CAPACITY && info.lanes == LANES && info.waiting == ATOLL_WAIT_ADAPTIVE);
    CHECK(info.pushed == 3 && info.popped == 1 && info.length == 2 && info.high_water == 3);
    CHECK(info.ended == 0 && info.redelivered == 0 && info.skipped == 0);
    CHECK(info.type.code == ATOLL_U64 && info.type.size == 8);
    EXPECT(ATOLL_OK, atoll_segment_list(segment, 0, objects, 2, &n));
    CHECK(n == 1 && strcmp(objects[0].name, "ring") == 0 && objects[0].type.code == ATOLL_U64);
    EXPECT(ATOLL_OK, RING(shutdown)(producer, ATOLL_CONSUMERS));
    EXPECT(ATOLL_OK, RING(info)(producer, &info));
    CHECK(info.ended == ATOLL_CONSUMERS);
    tear_down();
}

static void a_ticket_leads_to_it(void) {
    const atoll_ring_options options = options_of(CAPACITY, LANES);
    atoll_ticket ticket;
    ring_t *nameless, *same;
    uint64_t number = 5;
    set_up();
    EXPECT(ATOLL_OK, RING(create)(segment, NULL, &number_type, &options, &nameless));
    EXPECT(ATOLL_OK, RING(export)(nameless, &ticket));
    EXPECT(ATOLL_OK, RING(import)(&ticket, &same));
    EXPECT(ATOLL_OK, RING(push)(nameless, &number, sizeof number));
    number = 0;
    EXPECT(ATOLL_OK, RING(pop)(same, &number, sizeof number, NULL));
    CHECK(number == 5);
    EXPECT(ATOLL_OK, RING(close)(same));
    EXPECT(ATOLL_OK, RING(close)(nameless));
    EXPECT(ATOLL_OK, RING(remove)(segment, "ring"));
    REFUSED(ATOLL_NOT_FOUND, "ring", RING(remove)(segment, "ring"));
    tear_down();
}

static void ends_are_closed_for_good(void) {
    uint64_t number = 0;
    void *places;
    size_t n;
    set_up();
    EXPECT(ATOLL_OK, push(1));
    EXPECT(ATOLL_OK, RING(shutdown)(consumer, ATOLL_PRODUCERS));
    REFUSED(ATOLL_CLOSED, "producers", push(2));
    REFUSED(ATOLL_CLOSED, "producers", RING(claim)(producer, 1, &places, &n));
    CHECK(popped() == 1);
    REFUSED(ATOLL_CLOSED, "producers", RING(pop)(consumer, &number, 8, NULL));
    REFUSED(ATOLL_CLOSED, "producers", RING(get)(consumer, &number, 8, NULL, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, RING(shutdown)(producer, ATOLL_CONSUMERS));
    REFUSED(ATOLL_CLOSED, "consumers", push(2));
    tear_down();
}

int main(void) {
    RUN(records_come_in_order);
    RUN(batches);
    RUN(in_place);
    RUN(bad_input_is_refused);
    RUN(who_may_only_read_cannot_take_part);
    RUN(it_says_what_it_is);
    RUN(a_ticket_leads_to_it);
    RUN(ends_are_closed_for_good);
    return any_failed;
}
