/* Waits at a ring with lanes, and deaths. Included once, after NOUN and LANES are defined. */

#include <sys/time.h>

#include "lanes.h"

enum { ROUNDS = 2000 };

static pid_t child_that(void (*body)(void)) {
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        body();
        _exit(failures != 0);
    }
    return child;
}

static void ended_well(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void put_all(void) {
    for (uint64_t i = 0; i < ROUNDS && failures == 0; i++) EXPECT(ATOLL_OK, put(i));
    EXPECT(ATOLL_OK, RING(shutdown)(producer, ATOLL_PRODUCERS));
}

static void one_process_puts_and_another_gets(void) {
    uint64_t number;
    pid_t child;
    set_up();
    child = child_that(put_all);
    for (uint64_t i = 0; i < ROUNDS && failures == 0; i++) CHECK(got() == i);
    EXPECT(ATOLL_CLOSED, RING(get)(consumer, &number, 8, NULL, ATOLL_FOREVER));
    ended_well(child);
    tear_down();
}

static void get_one(void) { CHECK(got() == 9); }

static void put_after_full(void) {
    for (int i = 0; i < CAPACITY; i++) EXPECT(ATOLL_OK, push(1));
    EXPECT(ATOLL_OK, put(2));
}

static void who_sleeps_is_woken(void) {
    pid_t child;
    set_up();
    child = child_that(get_one);
    await_sleep(child);
    EXPECT(ATOLL_OK, push(9));
    ended_well(child);
    RING(leave)(producer, ATOLL_PRODUCERS);
    child = child_that(put_after_full);
    await_sleep(child);
    for (int i = 0; i < CAPACITY; i++) CHECK(popped() == 1);
    CHECK(got() == 2);
    ended_well(child);
    tear_down();
}

static void learn_of_the_end(void) {
    uint64_t number;
    EXPECT(ATOLL_CLOSED, RING(get)(consumer, &number, 8, NULL, ATOLL_FOREVER));
}

static void the_end_wakes_who_sleeps(void) {
    pid_t child;
    set_up();
    child = child_that(learn_of_the_end);
    await_sleep(child);
    EXPECT(ATOLL_OK, RING(shutdown)(producer, ATOLL_PRODUCERS));
    ended_well(child);
    tear_down();
}

static void a_wait_ends_with_its_time(void) {
    uint64_t number = 0;
    set_up();
    REFUSED(ATOLL_TIMED_OUT, "put", RING(get)(consumer, &number, 8, NULL, 0));
    EXPECT(ATOLL_TIMED_OUT, RING(get)(consumer, &number, 8, NULL, 1000000));
    for (int i = 0; i < CAPACITY; i++) EXPECT(ATOLL_OK, RING(put)(producer, &number, 8, 0));
    REFUSED(ATOLL_TIMED_OUT, "full", RING(put)(producer, &number, 8, 0));
    EXPECT(ATOLL_TIMED_OUT, RING(put)(producer, &number, 8, 1000000));
    tear_down();
}

static void push_two(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, push(1));
    EXPECT(ATOLL_OK, push(2));
}

static void pop_one_and_show_one(void *unused) {
    const void *records;
    size_t n;
    (void)unused;
    CHECK(popped() == 1);
    EXPECT(ATOLL_OK, RING(peek)(consumer, 1, &records, &n));
}

static void roles_of_the_dead_are_taken_over(void) {
    pid_t victim;
    uint64_t number = 0;
    set_up();
    victim = start_victim(push_two, NULL);
    if (LANES == 1) REFUSED(ATOLL_NOT_OWNER, "producer", push(3));
    kill_victim(victim);
    EXPECT(ATOLL_OK, push(3));
    victim = start_victim(pop_one_and_show_one, NULL);
    REFUSED(ATOLL_NOT_OWNER, "consumer", RING(pop)(consumer, &number, 8, NULL));
    kill_victim(victim);
    CHECK(popped() == 2 && popped() == 3);
    tear_down();
}

static void a_child_has_no_role(void *unused) {
    uint64_t number = 0;
    (void)unused;
    if (LANES == 1) EXPECT(ATOLL_NOT_OWNER, push(3));
    EXPECT(ATOLL_NOT_OWNER, RING(pop)(consumer, &number, 8, NULL));
    EXPECT(ATOLL_OK, RING(leave)(consumer, ATOLL_CONSUMERS));
    EXPECT(ATOLL_NOT_OWNER, RING(pop)(consumer, &number, 8, NULL));
}

static void roles_are_not_inherited(void) {
    uint64_t number = 0;
    set_up();
    EXPECT(ATOLL_OK, push(1));
    CHECK(popped() == 1);
    in_child(a_child_has_no_role, NULL);
    EXPECT(ATOLL_OK, push(2));
    EXPECT(ATOLL_OK, RING(pop)(consumer, &number, 8, NULL));
    tear_down();
}

static void get_for_ever(void *unused) {
    uint64_t number;
    (void)unused;
    (void)RING(pop)(consumer, &number, 8, NULL);
    RING(leave)(consumer, ATOLL_CONSUMERS);
}

static void sleep_in_get(void) { got(); }

static void a_getter_that_dies_asleep_holds_nobody_up(void) {
    int status = 0;
    pid_t child;
    set_up();
    get_for_ever(NULL);
    child = child_that(sleep_in_get);
    await_sleep(child);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    EXPECT(ATOLL_OK, push(5));
    CHECK(got() == 5);
    tear_down();
}

static bool readable(int descriptor, int milliseconds) {
    struct pollfd poll_it = {descriptor, POLLIN, 0};
    return poll(&poll_it, 1, milliseconds) == 1;
}

static int armed(ring_t *ring, uint32_t end) {
    int descriptor = -1;
    EXPECT(ATOLL_OK, RING(descriptor)(ring, end, &descriptor));
    return descriptor;
}

static void push_nine(void) { EXPECT(ATOLL_OK, push(9)); }

static void descriptors_tell(void) {
    pid_t child;
    set_up();
    CHECK(!readable(armed(consumer, ATOLL_CONSUMERS), 0));
    child = child_that(push_nine);
    CHECK(readable(armed(consumer, ATOLL_CONSUMERS), 60000));
    ended_well(child);
    CHECK(popped() == 9);
    CHECK(!readable(armed(consumer, ATOLL_CONSUMERS), 0));
    CHECK(readable(armed(producer, ATOLL_PRODUCERS), 0));
    for (int i = 0; i < CAPACITY; i++) EXPECT(ATOLL_OK, push(1));
    CHECK(!readable(armed(producer, ATOLL_PRODUCERS), 0));
    CHECK(popped() == 1 && readable(armed(producer, ATOLL_PRODUCERS), 60000));
    EXPECT(ATOLL_OK, RING(shutdown)(producer, ATOLL_PRODUCERS));
    CHECK(readable(armed(consumer, ATOLL_CONSUMERS), 0));
    tear_down();
}

static void it_is_waited_for_beside_others(void) {
    atoll_waitable all[2];
    uint64_t ready = 0;
    pid_t child;
    set_up();
    all[0] = (atoll_waitable){consumer, ATOLL_CONSUMERS};
    all[1] = (atoll_waitable){segment, 0};
    EXPECT(ATOLL_TIMED_OUT, atoll_wait_any(all, 2, 1000000, &ready));
    child = child_that(push_nine);
    EXPECT(ATOLL_OK, atoll_wait_any(all, 1, ATOLL_FOREVER, &ready));
    CHECK(ready == 1);
    ended_well(child);
    CHECK(popped() == 9);
    all[0].seen = ATOLL_PRODUCERS;
    EXPECT(ATOLL_OK, atoll_wait_any(all, 1, ATOLL_FOREVER, &ready));
    all[0].seen = 7;
    REFUSED(ATOLL_INVALID_ARGUMENT, "end", atoll_wait_any(all, 1, 0, &ready));
    tear_down();
}

static volatile sig_atomic_t handled;

static void only_count(int number) {
    (void)number;
    handled++;
}

static void a_handler_ends_a_wait(void) {
    const struct timeval soon = {0, 20000};
    struct itimerval timer = {soon, soon};
    struct sigaction action;
    uint64_t number;
    set_up();
    memset(&action, 0, sizeof action);
    action.sa_handler = only_count;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    EXPECT(ATOLL_INTERRUPTED, RING(get)(consumer, &number, 8, NULL, ATOLL_FOREVER));
    memset(&timer, 0, sizeof timer);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    action.sa_handler = SIG_DFL;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(handled >= 1);
    tear_down();
}

int main(void) {
    RUN(one_process_puts_and_another_gets);
    RUN_WOKEN(who_sleeps_is_woken);
    RUN_WOKEN(the_end_wakes_who_sleeps);
    RUN(a_wait_ends_with_its_time);
    RUN(roles_of_the_dead_are_taken_over);
    RUN(roles_are_not_inherited);
    RUN(a_getter_that_dies_asleep_holds_nobody_up);
    RUN(descriptors_tell);
    RUN(it_is_waited_for_beside_others);
    RUN(a_handler_ends_a_wait);
    return any_failed;
}
