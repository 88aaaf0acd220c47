/* Waiters in event loops. */

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "waiter.h"

/* The descriptor of a waiter, armed. */
static int armed(atoll_waiter *waiter) {
    int descriptor = -1;
    EXPECT(ATOLL_OK, atoll_waiter_descriptor(waiter, &descriptor));
    CHECK(descriptor >= 0);
    return descriptor;
}

/* Whether it is readable within that time; -1 waits until it is. */
static bool readable(int descriptor, int milliseconds) {
    struct pollfd poll_it = {descriptor, POLLIN, 0};
    int n;
    while ((n = poll(&poll_it, 1, milliseconds)) < 0 && errno == EINTR) {}
    CHECK(n >= 0 && !(poll_it.revents & (POLLNVAL | POLLERR)));
    return n == 1;
}

/* An event loop of one. */
static void poll_until_ready(atoll_waiter *waiter) {
    while (!is_ready(waiter)) CHECK(readable(armed(waiter), -1));
}

static void it_is_readable_when_it_is_notified(void) {
    atoll_waiter *waiter;
    int descriptor;
    set_up();
    waiter = new_waiter();
    descriptor = armed(waiter);
    CHECK(!readable(descriptor, 0) && armed(waiter) == descriptor && !readable(descriptor, 30));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(readable(descriptor, 0) && armed(waiter) == descriptor && readable(descriptor, 0));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    CHECK(finish(waiter));
    REFUSED(ATOLL_INVALID_ARGUMENT, "is finished", atoll_waiter_descriptor(waiter, &descriptor));
    EXPECT(ATOLL_OK, atoll_waiter_close(waiter));

    waiter = new_waiter();
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(readable(armed(waiter), 0)); /* notified before anybody listened */
    CHECK(finish_and_close(waiter));
    tear_down();
}

static void *ask_as_a_stranger(void *waiter) {
    int descriptor = 7;
    REFUSED(ATOLL_NOT_OWNER, "thread that made it",
            atoll_waiter_descriptor((atoll_waiter *)waiter, &descriptor));
    CHECK(descriptor == 7);
    return NULL;
}

static void ask_as_a_child(void *waiter) {
    int descriptor;
    EXPECT(ATOLL_NOT_OWNER, atoll_waiter_descriptor((atoll_waiter *)waiter, &descriptor));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
}

static void only_its_thread_arms_it(void) {
    atoll_waiter *waiter;
    int descriptor;
    set_up();
    waiter = new_waiter();
    REFUSED(ATOLL_INVALID_ARGUMENT, "out is NULL", atoll_waiter_descriptor(waiter, NULL));
    in_thread(ask_as_a_stranger, waiter);
    descriptor = armed(waiter);
    in_child(ask_as_a_child, waiter); /* which rings from there */
    CHECK(readable(descriptor, -1));
    CHECK(finish_and_close(waiter));
    tear_down();
}

/* All who listen are woken; the one whose turn it is finds that out. */
static void the_oldest_of_those_who_listen_is_ready(void) {
    atoll_waiter *old, *young;
    set_up();
    old = new_waiter();
    young = new_waiter();
    CHECK(!readable(armed(young), 0) && !readable(armed(old), 0));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(is_ready(old) && !is_ready(young));
    CHECK(readable(armed(old), 0));
    CHECK(readable(armed(young), -1)); /* it looks again after a while */
    CHECK(finish_and_close(old));
    CHECK(!is_ready(young));
    CHECK(!readable(armed(young), 30)); /* there is nothing more to come */
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    poll_until_ready(young);
    CHECK(finish_and_close(young));
    tear_down();
}

static void who_is_closed_unfinished_passes_it_on(void) {
    atoll_waiter *old, *young;
    set_up();
    old = new_waiter();
    young = new_waiter();
    CHECK(!readable(armed(young), 0));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(!is_ready(young));
    (void)armed(young);
    EXPECT(ATOLL_OK, atoll_waiter_close(old));
    poll_until_ready(young);
    CHECK(finish_and_close(young));
    tear_down();
}

static void who_is_killed_passes_it_on(void) {
    pid_t first, second;
    atoll_waiter *ours;
    set_up();
    first = start_victim(make_a_waiter, NULL);
    second = start_victim(make_a_waiter, NULL);
    ours = new_waiter();
    CHECK(!readable(armed(ours), 0));
    kill_victim(first); /* before it was its turn */
    notify(1);
    CHECK(readable(armed(ours), -1) && !is_ready(ours));
    kill_victim(second); /* after that */
    poll_until_ready(ours);
    CHECK(finish_and_close(ours));
    tear_down();
}

/* Killed, it leaves the FIFO and the word that somebody listens. */
static void listen(void *unused) {
    (void)unused;
    CHECK(!readable(armed(new_waiter()), 0));
}

static void who_listened_and_is_killed_is_not_in_the_way(void) {
    atoll_waiter *waiter;
    set_up();
    kill_victim(start_victim(listen, NULL));
    notify(1);
    waiter = new_waiter();
    CHECK(!readable(armed(waiter), 0));
    kill_victim(start_victim(listen, NULL));
    notify(1);
    CHECK(readable(armed(waiter), 0));
    CHECK(finish_and_close(waiter));
    tear_down();
}

/* Notifiers and listeners of two processes, each in turn. */
static void answer_each(void *times) {
    atoll_waiter *next = new_waiter();
    /* The second one begins: from there on nobody notifies without both waiting. */
    if (++board->arrived == 2) EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    for (int i = 0; i < *(int *)times; i++) {
        atoll_waiter *now = next;
        poll_until_ready(now);
        next = new_waiter();
        CHECK(finish_and_close(now));
        board->passed++;
        EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    }
    EXPECT(ATOLL_OK, atoll_waiter_close(next));
}

static void *answer_in_thread(void *times) {
    answer_each(times);
    return NULL;
}

static void two_event_loops_wake_each_other(void) {
    int times = 200;
    pthread_t other;
    set_up();
    CHECK(pthread_create(&other, NULL, answer_in_thread, &times) == 0);
    await_arrivals(1);
    in_child(answer_each, &times);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(board->passed == 2 * times);
    tear_down();
}

static void notify_without_descriptors(void *unused) {
    struct rlimit none = {3, 3};
    (void)unused;
    EXPECT(ATOLL_OK, atoll_condvar_notify_many(condvar, 0));
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    REFUSED(ATOLL_SYSTEM, "too many open files", atoll_condvar_notify_one(condvar));
}

static void who_cannot_ring_notifies_nobody(void) {
    atoll_waiter *waiter;
    int descriptor;
    set_up();
    waiter = new_waiter();
    descriptor = armed(waiter);
    in_child(notify_without_descriptors, NULL);
    CHECK(!readable(descriptor, 0) && !is_ready(waiter));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(readable(descriptor, 0));
    CHECK(finish_and_close(waiter));
    tear_down();
}

int main(void) {
    RUN(it_is_readable_when_it_is_notified);
    RUN(only_its_thread_arms_it);
    RUN(the_oldest_of_those_who_listen_is_ready);
    RUN(who_is_closed_unfinished_passes_it_on);
    RUN(who_is_killed_passes_it_on);
    RUN(who_listened_and_is_killed_is_not_in_the_way);
    RUN(two_event_loops_wake_each_other);
    RUN(who_cannot_ring_notifies_nobody);
    return any_failed;
}
