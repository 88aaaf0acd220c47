/* Tracked semaphores: whose the permits are, and what becomes of them when their holders are
 * killed, end or leave. */

#include <stdatomic.h>

#include "semaphore_tracked.h"

/* --- of one process -------------------------------------------------------------------------- */

static void take_all_and_give_back(void) {
    atoll_semaphore_info info;
    set_up(3);
    EXPECT(ATOLL_OK, atoll_semaphore_stat(semaphore, &info));
    CHECK(info.max == 3 && info.value == 3);
    for (uint32_t left = 3; left > 0; left--) {
        CHECK(value() == left);
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    }
    CHECK(value() == 0);
    REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, 0));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 3));
    CHECK(value() == 1);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 2));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 0));
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 1));
    CHECK(value() == 3);
    tear_down();
}

static void any_thread_gives_back(void) {
    set_up(1);
    in_thread(acquire_in_a_thread, NULL);
    CHECK(value() == 0); /* though that thread has ended */
    REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, 1000000));
    in_thread(release_in_a_thread, NULL);
    CHECK(value() == 1);
    tear_down();
}

static void open_by_name(void) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore *same;
    atoll_ticket ticket;
    set_up(2);
    REFUSED(ATOLL_WRONG_KIND, "a tracked semaphore",
            atoll_semaphore_open(segment, "permits", NULL, &same));
    options.tracked = 1;
    options.max = 3;
    REFUSED(ATOLL_WRONG_KIND, "max 2", atoll_semaphore_open(segment, "permits", &options, &same));
    options.max = 2;
    EXPECT(ATOLL_OK, atoll_semaphore_open(segment, "permits", &options, &same));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(same, 0));
    CHECK(value() == 1);
    EXPECT(ATOLL_OK, atoll_semaphore_close(same));
    CHECK(value() == 1); /* close does not release */
    EXPECT(ATOLL_OK, atoll_semaphore_export(semaphore, &ticket));
    EXPECT(ATOLL_OK, atoll_semaphore_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_semaphore_release(same, 1));
    CHECK(value() == 2);
    EXPECT(ATOLL_OK, atoll_semaphore_close(same));
    EXPECT(ATOLL_OK, atoll_semaphore_remove(segment, "permits"));
    tear_down();
}

static void bad_input_is_refused(void) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore *other;
    set_up(4096);
    CHECK(value() == 4096);
    options.tracked = 1;
    REFUSED(ATOLL_INVALID_ARGUMENT, "value", atoll_semaphore_create(segment, NULL, &options, &other));
    options.value = 4097;
    REFUSED(ATOLL_INVALID_ARGUMENT, "4096", atoll_semaphore_create(segment, NULL, &options, &other));
    options.value = 2;
    options.max = 3;
    REFUSED(ATOLL_INVALID_ARGUMENT, "all", atoll_semaphore_create(segment, NULL, &options, &other));
    options.max = 2;
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, NULL, &options, &other));
    EXPECT(ATOLL_OK, atoll_semaphore_close(other));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_semaphore_acquire(semaphore, INT64_MIN));
    tear_down();
}

static void who_may_only_read_can_look(void) {
    atoll_segment_options read_only = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore_info info;
    atoll_segment *reader;
    atoll_semaphore *seen;
    set_up(2);
    acquire(NULL);
    read_only.read_only = 1;
    options.tracked = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &read_only, &reader));
    EXPECT(ATOLL_OK, atoll_semaphore_open(reader, "permits", &options, &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_semaphore_acquire(seen, 0));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_semaphore_release(seen, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_stat(seen, &info));
    CHECK(info.value == 1 && info.max == 2 && info.tracked);
    EXPECT(ATOLL_OK, atoll_semaphore_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

enum { ROUNDS = 3000 };

static int inside, most_inside;

static void come_and_go(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        int now;
        acquire(NULL);
        now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        if (now > most_inside) most_inside = now;
        if (i % 16 == 0) sched_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    }
}

static void no_more_are_inside_than_there_are_permits(void) {
    for (uint32_t permits = 1; permits <= 3; permits++) {
        set_up(permits);
        inside = most_inside = 0;
        in_crowd(4, come_and_go, NULL);
        CHECK(most_inside >= 1 && (uint32_t)most_inside <= permits && value() == permits);
        tear_down();
    }
}

/* --- of several ------------------------------------------------------------------------------ */

static void child_holds_nothing(void *unused) {
    (void)unused;
    CHECK(value() == 0);
    REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, 0));
}

static void a_forked_child_does_not_hold_its_parents_permits(void) {
    set_up(1);
    acquire(NULL);
    in_child(child_holds_nothing, NULL);
    CHECK(value() == 0); /* its end gives nothing back */
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    CHECK(value() == 1);
    tear_down();
}

static void release_what_it_does_not_have(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    CHECK(value() == 1);
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 2));
}

static void a_release_without_a_permit_frees_anothers(void) {
    set_up(2);
    acquire_two(NULL);
    in_child(release_what_it_does_not_have, NULL);
    CHECK(value() == 1);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 1));
    CHECK(value() == 2);
    tear_down();
}


static void two_processes_take_turns(void) {
    set_up(1);
    fflush(stdout);
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        begin_child();
        come_and_go(NULL);
        fflush(stdout);
        _exit(failures != 0);
    }
    come_and_go(NULL);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(value() == 1);
    tear_down();
}

int main(void) {
    RUN(take_all_and_give_back);
    RUN(any_thread_gives_back);
    RUN(open_by_name);
    RUN(bad_input_is_refused);
    RUN(who_may_only_read_can_look);
    RUN_WOKEN(no_more_are_inside_than_there_are_permits);
    RUN(a_forked_child_does_not_hold_its_parents_permits);
    RUN(a_release_without_a_permit_frees_anothers);
    RUN(two_processes_take_turns);
    return any_failed;
}
