/* What a ring for many does in one process, and between two that live. */

#include "mpmc.h"

static void records_come_in_order(void) {
    uint64_t pushed = 0, next = 0;
    set_up();
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < round % 6; i++) {
            if (pushed - next < 4) {
                EXPECT(ATOLL_OK, push(pushed++));
            } else {
                REFUSED(ATOLL_FULL, "full", push(pushed));
            }
        }
        for (int i = 0; i < round / 3 % 6 && next < pushed; i++) CHECK(popped() == next++);
    }
    while (next < pushed) CHECK(popped() == next++);
    REFUSED(ATOLL_EMPTY, "empty", atoll_mpmc_pop(ring, &next, sizeof next, NULL, NULL));
    tear_down();
}

static void batches(void) {
    const uint64_t numbers[6] = {1, 2, 3, 4, 5, 6};
    uint64_t out[6];
    uint32_t times = 99;
    size_t n = 0;
    set_up();
    for (int round = 0; round < 20; round++) {
        EXPECT(ATOLL_OK, atoll_mpmc_push_n(ring, numbers, 3, &n));
        CHECK(n == 3);
        EXPECT(ATOLL_OK, atoll_mpmc_pop_n(ring, out, 6, &n, &times));
        CHECK(n == 3 && times == 0 && memcmp(out, numbers, 3 * sizeof *out) == 0);
    }
    EXPECT(ATOLL_OK, atoll_mpmc_push_n(ring, numbers, 6, &n));
    CHECK(n == 4);
    REFUSED(ATOLL_FULL, "full", atoll_mpmc_push_n(ring, numbers, 1, &n));
    EXPECT(ATOLL_OK, atoll_mpmc_pop_n(ring, out, 1, &n, NULL));
    CHECK(n == 1 && out[0] == 1);
    EXPECT(ATOLL_OK, atoll_mpmc_pop_n(ring, out, 6, &n, NULL));
    CHECK(n == 3 && out[0] == 2 && out[2] == 4);
    REFUSED(ATOLL_EMPTY, "empty", atoll_mpmc_pop_n(ring, out, 1, &n, NULL));
    tear_down();
}

static void bad_input_is_refused(void) {
    const atoll_type bytes = {0, ATOLL_BYTES, 16, 0, 0, ""};
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    atoll_mpmc *other;
    uint64_t number = 7;
    size_t len = 0, n;
    int descriptor;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "capacity of 0",
            atoll_mpmc_create(segment, NULL, &bytes, &options, &other));
    options.capacity = 6;
    REFUSED(ATOLL_INVALID_ARGUMENT, "take 4 or 8",
            atoll_mpmc_create(segment, NULL, &bytes, &options, &other));
    options.capacity = 8;
    options.lanes = 1;
    REFUSED(ATOLL_INVALID_ARGUMENT, "lanes",
            atoll_mpmc_create(segment, NULL, &bytes, &options, &other));
    options.lanes = 0;
    REFUSED(ATOLL_INVALID_ARGUMENT, "type is NULL",
            atoll_mpmc_create(segment, NULL, NULL, &options, &other));
    REFUSED(ATOLL_WRONG_KIND, "bytes[16]", atoll_mpmc_open(segment, "ring", &bytes, NULL, &other));
    REFUSED(ATOLL_WRONG_KIND, "capacity",
            atoll_mpmc_open(segment, "ring", NULL, &options, &other));
    REFUSED(ATOLL_NOT_FOUND, "none", atoll_mpmc_open(segment, "none", NULL, NULL, &other));
    REFUSED(ATOLL_INVALID_ARGUMENT, "8 bytes", atoll_mpmc_push(ring, &number, 4));
    REFUSED(ATOLL_INVALID_ARGUMENT, "record is NULL", atoll_mpmc_push(ring, NULL, 8));
    EXPECT(ATOLL_OK, push(7));
    REFUSED(ATOLL_TOO_SMALL, "8 bytes", atoll_mpmc_pop(ring, &number, 4, &len, NULL));
    CHECK(len == 8 && popped() == 7);
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_mpmc_put(ring, &number, 8, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "end", atoll_mpmc_shutdown(ring, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "end", atoll_mpmc_descriptor(ring, 3, &descriptor));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle", atoll_mpmc_pop_n(NULL, &number, 1, &n, NULL));
    EXPECT(ATOLL_OK, atoll_mpmc_close(NULL));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", push(1));
}

static void who_may_only_read_cannot_take_part(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader;
    atoll_ring_info info;
    atoll_mpmc *seen;
    uint64_t number = 0;
    set_up();
    EXPECT(ATOLL_OK, push(1));
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_mpmc_open(reader, "ring", NULL, NULL, &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mpmc_push(seen, &number, 8));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mpmc_pop(seen, &number, 8, NULL, NULL));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mpmc_shutdown(seen, ATOLL_PRODUCERS));
    EXPECT(ATOLL_OK, atoll_mpmc_info(seen, &info));
    CHECK(info.length == 1 && info.pushed == 1 && info.popped == 0);
    EXPECT(ATOLL_OK, atoll_mpmc_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

static void it_says_what_it_is(void) {
    atoll_ring_info info;
    atoll_object_info object;
    atoll_ticket ticket;
    atoll_mpmc *same;
    size_t n;
    set_up();
    for (uint64_t i = 0; i < 3; i++) EXPECT(ATOLL_OK, push(i));
    EXPECT(ATOLL_OK, atoll_mpmc_export(ring, &ticket));
    EXPECT(ATOLL_OK, atoll_mpmc_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_mpmc_info(same, &info));
    CHECK(info.capacity == 4 && info.lanes == 0 && info.waiting == ATOLL_WAIT_ADAPTIVE);
    CHECK(info.pushed == 3 && info.popped == 0 && info.length == 3 && info.ended == 0);
    CHECK(info.redelivered == 0 && info.skipped == 0 && info.type.code == ATOLL_U64);
    EXPECT(ATOLL_OK, atoll_mpmc_close(same));
    EXPECT(ATOLL_OK, atoll_segment_list(segment, 0, &object, 1, &n));
    CHECK(n == 1 && object.kind == ATOLL_KIND_MPMC && object.type.code == ATOLL_U64);
    EXPECT(ATOLL_OK, atoll_mpmc_remove(segment, "ring"));
    REFUSED(ATOLL_NOT_FOUND, "ring", atoll_mpmc_remove(segment, "ring"));
    tear_down();
}

static void ends_are_closed_for_good(void) {
    uint64_t number = 0;
    set_up();
    EXPECT(ATOLL_OK, push(1));
    EXPECT(ATOLL_OK, atoll_mpmc_shutdown(ring, ATOLL_PRODUCERS));
    REFUSED(ATOLL_CLOSED, "producers", push(2));
    CHECK(popped() == 1);
    REFUSED(ATOLL_CLOSED, "producers", atoll_mpmc_pop(ring, &number, 8, NULL, NULL));
    REFUSED(ATOLL_CLOSED, "producers",
            atoll_mpmc_get(ring, &number, 8, NULL, NULL, ATOLL_FOREVER));
    tear_down();
}

enum { ROUNDS = 3000 };

static void put_all(void) {
    for (uint64_t i = 0; i < ROUNDS && failures == 0; i++) {
        EXPECT(ATOLL_OK, atoll_mpmc_put(ring, &i, sizeof i, ATOLL_FOREVER));
    }
}

static void several_processes_put_and_one_gets(void) {
    uint64_t seen[ROUNDS] = {0}, number;
    pid_t children[2];
    set_up();
    for (int i = 0; i < 2; i++) children[i] = child_that(put_all);
    for (int i = 0; i < 2 * ROUNDS && failures == 0; i++) {
        number = got();
        CHECK(number < ROUNDS);
        if (number < ROUNDS) seen[number]++;
    }
    for (int i = 0; i < ROUNDS; i++) CHECK(seen[i] == 2);
    for (int i = 0; i < 2; i++) ended_well(children[i]);
    tear_down();
}

static void get_nine(void) { CHECK(got() == 9); }

static void put_after_full(void) {
    const uint64_t two = 2;
    for (int i = 0; i < 4; i++) EXPECT(ATOLL_OK, push(1));
    EXPECT(ATOLL_OK, atoll_mpmc_put(ring, &two, sizeof two, ATOLL_FOREVER));
}

static void who_sleeps_is_woken(void) {
    const uint64_t nines[2] = {9, 9};
    pid_t children[2];
    size_t n;
    set_up();
    for (int i = 0; i < 2; i++) children[i] = child_that(get_nine);
    for (int i = 0; i < 2; i++) await_sleep(children[i]);
    EXPECT(ATOLL_OK, atoll_mpmc_push_n(ring, nines, 2, &n));
    for (int i = 0; i < 2; i++) ended_well(children[i]);
    children[0] = child_that(put_after_full);
    await_sleep(children[0]);
    for (int i = 0; i < 4; i++) CHECK(popped() == 1);
    CHECK(got() == 2);
    ended_well(children[0]);
    tear_down();
}

static void learn_of_the_end(void) {
    uint64_t number;
    EXPECT(ATOLL_CLOSED, atoll_mpmc_get(ring, &number, 8, NULL, NULL, ATOLL_FOREVER));
}

static void the_end_wakes_all_who_sleep(void) {
    pid_t children[3];
    set_up();
    for (int i = 0; i < 3; i++) children[i] = child_that(learn_of_the_end);
    for (int i = 0; i < 3; i++) await_sleep(children[i]);
    EXPECT(ATOLL_OK, atoll_mpmc_shutdown(ring, ATOLL_PRODUCERS));
    for (int i = 0; i < 3; i++) ended_well(children[i]);
    tear_down();
}

static bool readable(int descriptor, int milliseconds) {
    struct pollfd poll_it = {descriptor, POLLIN, 0};
    return poll(&poll_it, 1, milliseconds) == 1;
}

static int armed(uint32_t end) {
    int descriptor = -1;
    EXPECT(ATOLL_OK, atoll_mpmc_descriptor(ring, end, &descriptor));
    return descriptor;
}

static void push_nine(void) { EXPECT(ATOLL_OK, push(9)); }

static void descriptors_and_lists_tell(void) {
    atoll_waitable all[2];
    uint64_t ready = 0;
    pid_t child;
    set_up();
    CHECK(!readable(armed(ATOLL_CONSUMERS), 0));
    child = child_that(push_nine);
    CHECK(readable(armed(ATOLL_CONSUMERS), 60000));
    ended_well(child);
    CHECK(popped() == 9);
    CHECK(!readable(armed(ATOLL_CONSUMERS), 0) && readable(armed(ATOLL_PRODUCERS), 0));
    all[0] = (atoll_waitable){ring, ATOLL_CONSUMERS};
    all[1] = (atoll_waitable){ring, ATOLL_PRODUCERS};
    EXPECT(ATOLL_TIMED_OUT, atoll_wait_any(all, 1, 1000000, &ready));
    child = child_that(push_nine);
    EXPECT(ATOLL_OK, atoll_wait_any(all, 1, ATOLL_FOREVER, &ready));
    ended_well(child);
    EXPECT(ATOLL_OK, atoll_wait_any(all, 2, ATOLL_FOREVER, &ready));
    CHECK(ready == 3);
    for (int i = 0; i < 3; i++) EXPECT(ATOLL_OK, push(1));
    CHECK(!readable(armed(ATOLL_PRODUCERS), 0));
    EXPECT(ATOLL_TIMED_OUT, atoll_wait_any(all + 1, 1, 1000000, &ready));
    CHECK(popped() == 9 && readable(armed(ATOLL_PRODUCERS), 60000));
    tear_down();
}

int main(void) {
    RUN(records_come_in_order);
    RUN(batches);
    RUN(bad_input_is_refused);
    RUN(who_may_only_read_cannot_take_part);
    RUN(it_says_what_it_is);
    RUN(ends_are_closed_for_good);
    RUN(several_processes_put_and_one_gets);
    RUN_WOKEN(who_sleeps_is_woken);
    RUN_WOKEN(the_end_wakes_all_who_sleep);
    RUN(descriptors_and_lists_tell);
    return any_failed;
}
