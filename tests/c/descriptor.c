/* Events, latches and semaphores in event loops: poll(), select() and epoll, across processes. */

#include <sys/epoll.h>
#include <sys/select.h>

#include "descriptor.h"

static void it_is_readable_exactly_while_it_is_set(void) {
    int descriptor;
    set_up();
    CHECK(bells() == 0);
    descriptor = armed(event);
    CHECK(bells() == 1);
    CHECK(!readable(descriptor, 0) && armed(event) == descriptor && !readable(descriptor, 0));
    for (int round = 0; round < 3; round++) {
        EXPECT(ATOLL_OK, atoll_event_set(event));
        CHECK(readable(descriptor, 0) && readable(descriptor, 0));
        CHECK(armed(event) == descriptor && readable(descriptor, 0));
        EXPECT(ATOLL_OK, atoll_event_clear(event));
        CHECK(armed(event) == descriptor && !readable(descriptor, 0));
    }
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    CHECK(readable(descriptor, 0)); /* it was set since */
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    tear_down();
    CHECK(bells() == 0);
}

static void select_and_epoll_do_as_poll_does(void) {
    struct timeval no_time = {0, 0};
    struct epoll_event wanted = {EPOLLIN, {0}}, got;
    int epoll = epoll_create1(0), descriptor;
    fd_set set;
    set_up();
    descriptor = armed(event);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &wanted) == 0);
    for (int ready = 0; ready < 2; ready++) {
        if (ready) EXPECT(ATOLL_OK, atoll_event_set(event));
        FD_ZERO(&set);
        FD_SET(descriptor, &set);
        CHECK(select(descriptor + 1, &set, NULL, NULL, &no_time) == ready);
        CHECK(epoll_wait(epoll, &got, 1, 0) == ready);
    }
    close(epoll);
    tear_down();
}

static void a_latch_is_readable_when_it_is_open(void) {
    atoll_latch *latch;
    int descriptor = -1, same = -1;
    set_up();
    EXPECT(ATOLL_OK, atoll_latch_create(segment, NULL, 2, &latch));
    EXPECT(ATOLL_OK, atoll_latch_descriptor(latch, &descriptor));
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
    CHECK(!readable(descriptor, 0));
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
    CHECK(readable(descriptor, 0));
    EXPECT(ATOLL_OK, atoll_latch_descriptor(latch, &same));
    CHECK(same == descriptor && readable(descriptor, 0));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_latch_close(latch));
    tear_down();
}

static void a_semaphore_is_readable_while_there_are_permits(void) {
    for (int tracked = 0; tracked < 2; tracked++) {
        atoll_semaphore *semaphore;
        int descriptor;
        set_up();
        semaphore = new_semaphore(2, tracked);
        descriptor = permits_armed(semaphore);
        CHECK(readable(descriptor, 0));
        for (int left = 1; left >= 0; left--) {
            EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
            CHECK(permits_armed(semaphore) == descriptor && readable(descriptor, 0) == (left > 0));
        }
        REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, 0));
        CHECK(!readable(descriptor, 0));
        EXPECT(ATOLL_OK, atoll_segment_verify(segment));
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
        CHECK(readable(descriptor, 0));
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
        CHECK(permits_armed(semaphore) == descriptor && !readable(descriptor, 0));
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 2));
        CHECK(readable(descriptor, 0));
        EXPECT(ATOLL_OK, atoll_segment_verify(segment));
        EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
        tear_down();
        CHECK(bells() == 0);
    }
}

static void poll_for_the_event(void *answered) {
    while (!is_set()) CHECK(readable(armed(event), -1));
    if (answered) EXPECT(ATOLL_OK, atoll_event_set(answer));
}

static void processes_wake_each_other(void) {
    pid_t partner;
    set_up();
    fflush(stdout);
    if ((partner = fork()) == 0) {
        begin_child();
        for (int round = 0; round < 300; round++) {
            poll_for_the_event(NULL);
            EXPECT(ATOLL_OK, atoll_event_clear(event));
            EXPECT(ATOLL_OK, atoll_event_set(answer));
        }
        fflush(stdout);
        _exit(failures != 0);
    }
    for (int round = 0; round < 300; round++) {
        bool answered = false;
        EXPECT(ATOLL_OK, atoll_event_set(event));
        while (!answered) {
            CHECK(readable(armed(answer), -1));
            EXPECT(ATOLL_OK, atoll_event_is_set(answer, &answered));
        }
        EXPECT(ATOLL_OK, atoll_event_clear(answer));
    }
    {
        int status = -1;
        CHECK(waitpid(partner, &status, 0) == partner && status == 0);
    }
    tear_down();
    CHECK(bells() == 0);
}

/* Takes as many permits as asked for, in an event loop. */
static void poll_for_permits(void *argument) {
    atoll_semaphore *semaphore = argument;
    for (int taken = 0; taken < 50;) {
        atoll_status status = atoll_semaphore_acquire(semaphore, 0);
        taken += status == ATOLL_OK;
        if (status != ATOLL_OK) CHECK(readable(permits_armed(semaphore), -1));
    }
}

static void each_permit_goes_to_one_of_those_who_poll(void) {
    atoll_semaphore *semaphore;
    pid_t children[4];
    set_up();
    semaphore = new_semaphore(0, false);
    fflush(stdout);
    for (int i = 0; i < 4; i++) {
        if ((children[i] = fork()) == 0) {
            begin_child();
            poll_for_permits(semaphore);
            fflush(stdout);
            _exit(failures != 0);
        }
    }
    for (int i = 0; i < 200; i++) EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    for (int i = 0; i < 4; i++) {
        int status = -1;
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
    REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    tear_down();
}

int main(void) {
    RUN(it_is_readable_exactly_while_it_is_set);
    RUN(select_and_epoll_do_as_poll_does);
    RUN(a_latch_is_readable_when_it_is_open);
    RUN(a_semaphore_is_readable_while_there_are_permits);
    RUN(processes_wake_each_other);
    RUN(each_permit_goes_to_one_of_those_who_poll);
    return any_failed;
}
