/* Places of semaphores and events: the contract at atoll_place in atoll.h, taken at its word, and
 * what atoll/inline.h makes of it. */

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "atoll/inline.h"
#include "by_hand.h"

static const char *name;
static atoll_segment *segment;
static atoll_semaphore *semaphore;
static atoll_place place;

static const uint64_t one = (uint64_t)1 << 32, available = 1u << 31, waiters = 1u << 30;

static void set_up(uint32_t value, uint32_t max) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    options.value = value;
    options.max = max;
    name = fresh_name();
    segment = new_segment(name);
    memset(&place, 0xff, sizeof place);
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, "s", &options, &semaphore));
    EXPECT(ATOLL_OK, atoll_semaphore_place(semaphore, ATOLL_PLACE_CONTRACT, &place));
    CHECK(place.word != NULL && place.flags == 0 && place.segment != 0);
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    end_segment(segment, name);
}

static uint64_t word(void) {
    return __atomic_load_n((uint64_t *)place.word, __ATOMIC_SEQ_CST);
}

static uint32_t value(void) {
    atoll_semaphore_info info = {0};
    EXPECT(ATOLL_OK, atoll_semaphore_stat(semaphore, &info));
    return info.value;
}

/* By hand: what the contract says, and nothing else. */
static bool acquire_by_hand(void) {
    const uint64_t seen = word();
    const uint64_t left = seen >> 32 == 1 ? (seen - one) & ~available : seen - one;
    return seen & available && exchange(place.word, seen, left);
}

static bool release_by_hand(void) {
    const uint64_t seen = word();
    const uint32_t max = ((uint32_t *)place.word)[2];
    return !(seen & waiters) && seen >> 32 < max &&
           exchange(place.word, seen, (seen + one) | available);
}

static bool acquire_in_way(int way) {
    switch (way) {
    case 0: return acquire_by_hand();
    case 1: return atoll_place_acquire(&place);
    default: return atoll_semaphore_acquire(semaphore, 0) == ATOLL_OK;
    }
}

static bool release_in_way(int way) {
    switch (way) {
    case 0: return release_by_hand();
    case 1: return atoll_place_release(&place);
    default: return atoll_semaphore_release(semaphore, 1) == ATOLL_OK;
    }
}

static void all_ways_are_one_semaphore(void) {
    for (int way = 0; way < 9; way++) {
        set_up(2, 3);
        CHECK(word() == (2 * one | available));
        CHECK(acquire_in_way(way % 3) && value() == 1 && word() == (one | available));
        CHECK(acquire_in_way(way / 3) && value() == 0 && word() == 0);
        CHECK(!acquire_in_way(way % 3) && word() == 0);
        for (uint64_t i = 1; i <= 3; i++) {
            CHECK(release_in_way(way / 3) && value() == i && word() == (i * one | available));
        }
        CHECK(!release_in_way(way % 3) && word() == (3 * one | available));
        EXPECT(ATOLL_OK, atoll_segment_verify(segment));
        tear_down();
    }
}

static void *acquire(void *unused) {
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    return unused;
}

static void who_waits_is_left_to_the_call(void) {
    pthread_t waiter;
    set_up(0, 0);
    CHECK(pthread_create(&waiter, NULL, acquire, NULL) == 0);
    while (!(word() & waiters)) usleep(100);
    CHECK(!release_by_hand() && !atoll_place_release(&place));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    CHECK(pthread_join(waiter, NULL) == 0);
    CHECK(value() == 0);
    tear_down();
}

enum { SLEEPERS = 3 };

static pthread_t sleepers[SLEEPERS];
static atomic_int tids[SLEEPERS], passed;

static void *acquire_and_count(void *tid) {
    EXPECT(ATOLL_TIMED_OUT, atoll_semaphore_acquire(semaphore, 1)); /* its first call */
    *(atomic_int *)tid = (int)syscall(SYS_gettid);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    passed++;
    return NULL;
}

static void put_to_sleep(void) {
    passed = 0;
    for (int i = 0; i < SLEEPERS; i++) {
        tids[i] = 0;
        CHECK(pthread_create(&sleepers[i], NULL, acquire_and_count, &tids[i]) == 0);
    }
    while (!(word() & waiters)) usleep(100);
    for (int i = 0; i < SLEEPERS; i++) {
        while (tids[i] == 0) usleep(100);
        await_sleep(tids[i]);
    }
}

/* What one leaves who is killed after it has given permits and woken one sleeper. */
static void give_and_wake_one(uint64_t permits) {
    __atomic_store_n((uint64_t *)place.word, permits, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, place.word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void who_was_woken_wakes_the_next(void) {
    set_up(0, 0);
    put_to_sleep();
    give_and_wake_one(SLEEPERS * one | available | waiters);
    for (int i = 0; i < SLEEPERS; i++) CHECK(pthread_join(sleepers[i], NULL) == 0);
    CHECK(passed == SLEEPERS && value() == 0);
    tear_down();
}

/* Somebody may have found nobody asleep and cleared the flag, though others sleep by now. */
static void who_was_woken_leaves_the_flag(void) {
    set_up(0, 0);
    put_to_sleep();
    give_and_wake_one(one | available);
    while (passed == 0) usleep(100);
    CHECK(word() == waiters);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, SLEEPERS - 1));
    for (int i = 0; i < SLEEPERS; i++) CHECK(pthread_join(sleepers[i], NULL) == 0);
    CHECK(value() == 0);
    tear_down();
}

/* A newcomer may be faster than who waits, and leaves the flag that tells of it. */
static void a_permit_is_taken_past_who_waits(void) {
    for (int way = 0; way < 3; way++) {
        set_up(0, 0);
        __atomic_store_n((uint64_t *)place.word, one | available | waiters, __ATOMIC_SEQ_CST);
        CHECK(acquire_in_way(way) && word() == waiters);
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
        CHECK(word() == (one | available)); /* nobody sleeps: the flag is gone */
        tear_down();
    }
}

/* Neither a seat nor a record of the thread is needed, only a handle that is open. */
static void *do_without_a_seat(void *unused) {
    CHECK(record_of_thread(&place) == NULL);
    CHECK(acquire_by_hand() && release_by_hand());
    CHECK(atoll_place_acquire(&place) && atoll_place_release(&place));
    CHECK(record_of_thread(&place) == NULL);
    return unused;
}

static void in_child_too(void *unused) {
    (void)unused;
    CHECK(acquire_by_hand() && atoll_place_acquire(&place));
    CHECK(atoll_place_release(&place));
}

static void any_thread_may_that_never_called(void) {
    set_up(5, 0);
    in_thread(do_without_a_seat, NULL);
    in_child(in_child_too, NULL);
    CHECK(value() == 4);
    tear_down();
}

static void what_has_no_short_way_has_no_word(void) {
    atoll_segment_options read_only = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_semaphore_options tracked = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore *other;
    atoll_segment *reader;
    set_up(1, 0);
    EXPECT(ATOLL_OK, atoll_semaphore_place(semaphore, ATOLL_PLACE_CONTRACT + 1, &place));
    CHECK(place.word == NULL && !atoll_place_acquire(&place) && !atoll_place_release(&place));
    tracked.value = tracked.tracked = 1;
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, NULL, &tracked, &other));
    EXPECT(ATOLL_OK, atoll_semaphore_place(other, ATOLL_PLACE_CONTRACT, &place));
    CHECK(place.word == NULL && !atoll_place_acquire(&place) && !atoll_place_release(&place));
    EXPECT(ATOLL_OK, atoll_semaphore_close(other));
    read_only.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &read_only, &reader));
    EXPECT(ATOLL_OK, atoll_semaphore_open(reader, "s", NULL, &other));
    EXPECT(ATOLL_OK, atoll_semaphore_place(other, ATOLL_PLACE_CONTRACT, &place));
    CHECK(place.word == NULL && !atoll_place_acquire(&place) && !atoll_place_release(&place));
    EXPECT(ATOLL_OK, atoll_semaphore_close(other));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL",
            atoll_semaphore_place(semaphore, ATOLL_PLACE_CONTRACT, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL",
            atoll_semaphore_place(NULL, ATOLL_PLACE_CONTRACT, &place));
    tear_down();
}

/* It is shared memory, which anybody may write. */
static void damage_is_refused(void) {
    const uint64_t damaged[] = {1, available | waiters, one | waiters, available | 1, one | 1};
    for (int i = 0; i < 5; i++) {
        set_up(0, 5);
        __atomic_store_n((uint64_t *)place.word, damaged[i], __ATOMIC_SEQ_CST);
        REFUSED(ATOLL_CORRUPTED, "semaphore", atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
        REFUSED(ATOLL_CORRUPTED, "semaphore", atoll_semaphore_release(semaphore, 1));
        REFUSED(ATOLL_CORRUPTED, "semaphore", atoll_segment_verify(segment));
        CHECK(word() == damaged[i]);
        __atomic_store_n((uint64_t *)place.word, 0, __ATOMIC_SEQ_CST);
        tear_down();
    }
}

enum { ROUNDS = 20000, CROWD = 4 };

static int total;

/* In all ways by turns: who fails goes the long way. */
static void count_up(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        if (!acquire_in_way(i % 3)) {
            EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
        }
        total++;
        if (!release_in_way(i / 3 % 3)) EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    }
}

static void together_they_keep_others_out(void) {
    set_up(1, 1);
    total = 0;
    in_crowd(CROWD, count_up, NULL);
    CHECK(total == CROWD * ROUNDS && value() == 1);
    tear_down();
}

/* --- events ---------------------------------------------------------------------------------- */

static bool is_set_by_hand(const atoll_place *of) {
    return (__atomic_load_n((uint64_t *)of->word, __ATOMIC_ACQUIRE) >> 31 & 1) != 0;
}

static void an_event_shows_whether_it_is_set(void) {
    atoll_segment_options read_only = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_event *event, *seen;
    atoll_segment *reader;
    atoll_place there, watched;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_event_create(segment, "e", &event));
    EXPECT(ATOLL_OK, atoll_event_place(event, ATOLL_PLACE_CONTRACT, &there));
    CHECK(there.word != NULL && there.flags == 0);
    read_only.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &read_only, &reader));
    EXPECT(ATOLL_OK, atoll_event_open(reader, "e", &seen));
    EXPECT(ATOLL_OK, atoll_event_place(seen, ATOLL_PLACE_CONTRACT, &watched));
    CHECK(watched.word != NULL && watched.flags == ATOLL_PLACE_READ_ONLY);
    for (int i = 0; i < 3; i++) {
        CHECK(!is_set_by_hand(&there) && !atoll_place_is_set(&there));
        CHECK(!is_set_by_hand(&watched) && !atoll_place_is_set(&watched));
        EXPECT(ATOLL_OK, atoll_event_set(event));
        CHECK(is_set_by_hand(&there) && atoll_place_is_set(&there));
        CHECK(is_set_by_hand(&watched) && atoll_place_is_set(&watched));
        EXPECT(ATOLL_OK, atoll_event_clear(event));
    }
    EXPECT(ATOLL_OK, atoll_event_place(event, ATOLL_PLACE_CONTRACT + 1, &there));
    CHECK(there.word == NULL);
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_event_place(event, ATOLL_PLACE_CONTRACT, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_event_place(NULL, ATOLL_PLACE_CONTRACT, &there));
    EXPECT(ATOLL_OK, atoll_event_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    EXPECT(ATOLL_OK, atoll_event_close(event));
    end_segment(segment, name);
}

int main(void) {
    if (!has_short_ways()) return printf("skip place_semaphore: no short ways on this machine\n"), 0;
    RUN(all_ways_are_one_semaphore);
    RUN(who_waits_is_left_to_the_call);
    RUN_WOKEN(who_was_woken_wakes_the_next);
    RUN_WOKEN(who_was_woken_leaves_the_flag);
    RUN(a_permit_is_taken_past_who_waits);
    RUN(any_thread_may_that_never_called);
    RUN(what_has_no_short_way_has_no_word);
    RUN(damage_is_refused);
    RUN_WOKEN(together_they_keep_others_out);
    RUN(an_event_shows_whether_it_is_set);
    return any_failed;
}
