/* Records of a ring for many that are written and read in their places, and what becomes of
 * those that a process has in the hand when it is killed. */

#include <time.h>

#include "mpmc.h"

static atoll_reservation claimed(void) {
    atoll_reservation place = {0};
    EXPECT(ATOLL_OK, atoll_mpmc_claim(ring, sizeof(uint64_t), &place));
    CHECK(place.len == sizeof(uint64_t) && place.id != 0 && place.times == 0);
    return place;
}

static void commit(atoll_reservation place, uint64_t number) {
    *(uint64_t *)place.place = number;
    EXPECT(ATOLL_OK, atoll_mpmc_commit(ring, place.id, sizeof number));
}

/* What a dead one had is found by who looks for it, now and then. */
static atoll_reservation peeked(uint64_t number, uint32_t times) {
    atoll_reservation place = {0};
    const time_t begin = time(NULL);
    while (atoll_mpmc_peek(ring, &place) == ATOLL_EMPTY && time(NULL) < begin + 60) usleep(100);
    CHECK(place.len == sizeof number && *(uint64_t *)place.place == number);
    CHECK(place.times == times);
    return place;
}

static void many_are_open_at_a_time(void) {
    atoll_reservation first, second;
    uint64_t out;
    set_up();
    first = claimed();
    second = claimed();
    commit(second, 2);
    REFUSED(ATOLL_EMPTY, "empty", atoll_mpmc_pop(ring, &out, sizeof out, NULL, NULL));
    commit(first, 1);
    first = peeked(1, 0);
    second = peeked(2, 0);
    REFUSED(ATOLL_EMPTY, "empty", atoll_mpmc_pop(ring, &out, sizeof out, NULL, NULL));
    EXPECT(ATOLL_OK, atoll_mpmc_advance(ring, second.id));
    EXPECT(ATOLL_OK, atoll_mpmc_abandon(ring, first.id));
    first = peeked(1, 1);
    EXPECT(ATOLL_OK, atoll_mpmc_advance(ring, first.id));
    tear_down();
}

static void bad_input_is_refused(void) {
    atoll_reservation place = {0};
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_mpmc_claim(ring, 8, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_mpmc_peek(ring, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "8 bytes", atoll_mpmc_claim(ring, 9, &place));
    REFUSED(ATOLL_EMPTY, "empty", atoll_mpmc_peek(ring, &place));
    CHECK(place.place == NULL && place.id == 0);
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_commit(ring, 0, 8));
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_advance(ring, 77));
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_abandon(ring, UINT64_MAX));
    place = claimed();
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_advance(ring, place.id));
    commit(place, 5);
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_commit(ring, place.id, 8));
    CHECK(popped() == 5);
    tear_down();
}

static atoll_reservation of_the_parent;

static void a_stranger(void) {
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_commit(ring, of_the_parent.id, 8));
    REFUSED(ATOLL_INVALID_ARGUMENT, "claim", atoll_mpmc_abandon(ring, of_the_parent.id));
    EXPECT(ATOLL_OK, push(2)); /* it goes behind that of the parent */
    EXPECT(ATOLL_OK, atoll_mpmc_close(ring));
}

static void a_child_has_nothing_of_its_parent(void) {
    set_up();
    of_the_parent = claimed();
    ended_well(child_that(a_stranger));
    commit(of_the_parent, 1);
    CHECK(popped() == 1);
    CHECK(popped() == 2);
    tear_down();
}

/* Has three places claimed, of which it commits the second one, and two records in the hand. */
static void a_victim(void) {
    atoll_reservation places[3];
    peeked(1, 0);
    peeked(2, 0);
    for (int i = 0; i < 3; i++) places[i] = claimed();
    commit(places[1], 4);
    kill(getpid(), SIGKILL);
}

static void what_the_dead_had_in_the_hand(void) {
    pid_t child;
    int status;
    set_up_with(8);
    for (int round = 0; round < 30; round++) {
        EXPECT(ATOLL_OK, push(1));
        EXPECT(ATOLL_OK, push(2));
        child = child_that(a_victim);
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        EXPECT(ATOLL_OK, push(6));
        /* What it had committed, and what came after that; and out of turn what it had got. */
        CHECK(popped() == 4);
        CHECK(popped() == 6);
        EXPECT(ATOLL_OK, atoll_mpmc_advance(ring, peeked(1, 1).id));
        EXPECT(ATOLL_OK, atoll_mpmc_advance(ring, peeked(2, 1).id));
        for (uint64_t i = 0; i < 8; i++) EXPECT(ATOLL_OK, push(i));
        REFUSED(ATOLL_FULL, "full", push(9));
        for (uint64_t i = 0; i < 8; i++) CHECK(popped() == i);
        EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    }
    tear_down();
}

/* Takes a record into the hand, says so, and keeps it. */
static int told[2];

static void a_keeper(void) {
    peeked(1, 0);
    CHECK(write(told[1], "x", 1) == 1);
    pause();
}

static void a_waiter(void) { CHECK(got() == 1); }

static void who_sleeps_gets_what_the_dead_had(void) {
    char byte;
    set_up();
    for (int round = 0; round < 20; round++) {
        pid_t keeper, waiter;
        int status;
        CHECK(pipe(told) == 0);
        EXPECT(ATOLL_OK, push(1));
        keeper = child_that(a_keeper);
        CHECK(read(told[0], &byte, 1) == 1);
        waiter = child_that(a_waiter);
        usleep(3000);
        CHECK(waitpid(waiter, &status, WNOHANG) == 0);
        CHECK(kill(keeper, SIGKILL) == 0 && waitpid(keeper, &status, 0) == keeper);
        ended_well(waiter);
        CHECK(close(told[0]) == 0 && close(told[1]) == 0);
    }
    tear_down();
}

/* The end is closed, and the last record in somebody's hand: nobody goes home before that one has
 * finished with it, or has died and left it to others. */
static void a_keeper_that_advances(void) {
    atoll_reservation place = peeked(1, 0);
    CHECK(write(told[1], "x", 1) == 1);
    usleep(3000);
    EXPECT(ATOLL_OK, atoll_mpmc_advance(ring, place.id));
}

static uint64_t gone_home(void) {
    uint64_t out = 0;
    REFUSED(ATOLL_CLOSED, "closed", atoll_mpmc_get(ring, &out, sizeof out, NULL, NULL,
                                                   ATOLL_FOREVER));
    return out;
}

static void a_worker_that_goes_home(void) { CHECK(gone_home() == 0); }

static void a_worker_that_gets_what_was_left(void) {
    CHECK(got() == 1);
    gone_home();
}

static void nobody_goes_home_too_early(void) {
    uint64_t out;
    char byte;
    for (int round = 0; round < 20; round++) {
        pid_t keeper, workers[2];
        int status;
        set_up();
        CHECK(pipe(told) == 0);
        EXPECT(ATOLL_OK, push(1));
        keeper = child_that(round % 2 == 0 ? a_keeper : a_keeper_that_advances);
        CHECK(read(told[0], &byte, 1) == 1);
        EXPECT(ATOLL_OK, atoll_mpmc_shutdown(ring, ATOLL_PRODUCERS));
        if (round % 2 == 0) {
            REFUSED(ATOLL_EMPTY, "empty", atoll_mpmc_pop(ring, &out, sizeof out, NULL, NULL));
            workers[0] = child_that(a_worker_that_gets_what_was_left);
            usleep(3000);
            CHECK(waitpid(workers[0], &status, WNOHANG) == 0);
            CHECK(kill(keeper, SIGKILL) == 0 && waitpid(keeper, &status, 0) == keeper);
            ended_well(workers[0]);
        } else {
            for (int i = 0; i < 2; i++) workers[i] = child_that(a_worker_that_goes_home);
            for (int i = 0; i < 2; i++) ended_well(workers[i]);
            ended_well(keeper);
        }
        gone_home();
        CHECK(close(told[0]) == 0 && close(told[1]) == 0);
        tear_down();
    }
}

/* Of a dead one that had claimed a place, or got a record, nothing is waited for. */
static void a_claimant_that_dies(void) {
    claimed();
    EXPECT(ATOLL_OK, atoll_mpmc_advance(ring, peeked(1, 0).id));
    kill(getpid(), SIGKILL);
}

static void the_dead_keep_nobody(void) {
    set_up();
    for (int round = 0; round < 10; round++) {
        pid_t child;
        int status;
        EXPECT(ATOLL_OK, push(1));
        child = child_that(a_claimant_that_dies);
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    }
    EXPECT(ATOLL_OK, atoll_mpmc_shutdown(ring, ATOLL_PRODUCERS));
    gone_home();
    tear_down();
}

/* A claim at the front of the ring whose claimant is killed: who sleeps gets what is behind. */
static void a_claimant(void) {
    claimed();
    CHECK(write(told[1], "x", 1) == 1);
    pause();
}

static void who_sleeps_gets_what_is_behind_a_dead_claim(void) {
    char byte;
    set_up();
    for (int round = 0; round < 20; round++) {
        pid_t claimant, waiter;
        int status;
        CHECK(pipe(told) == 0);
        waiter = round % 2 == 0 ? child_that(a_waiter) : 0;
        claimant = child_that(a_claimant);
        CHECK(read(told[0], &byte, 1) == 1);
        EXPECT(ATOLL_OK, push(1));
        if (waiter == 0) waiter = child_that(a_waiter);
        usleep(3000);
        CHECK(waitpid(waiter, &status, WNOHANG) == 0);
        CHECK(kill(claimant, SIGKILL) == 0 && waitpid(claimant, &status, 0) == claimant);
        ended_well(waiter);
        CHECK(close(told[0]) == 0 && close(told[1]) == 0);
    }
    tear_down();
}

int main(void) {
    RUN(many_are_open_at_a_time);
    RUN(bad_input_is_refused);
    RUN(a_child_has_nothing_of_its_parent);
    RUN(what_the_dead_had_in_the_hand);
    RUN(who_sleeps_gets_what_the_dead_had);
    RUN(nobody_goes_home_too_early);
    RUN(the_dead_keep_nobody);
    RUN(who_sleeps_gets_what_is_behind_a_dead_claim);
    return any_failed;
}
