/* Waits in two steps, for locks of any kind, and signals that end them. */

#include "condvar.h"
#include "signals.h"

static void a_prepared_wait_counts_from_there_on(void) {
    bool notified = true;
    set_up();
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    REFUSED(ATOLL_DEADLOCK, "commit or cancel", atoll_condvar_prepare_wait(condvar));
    lock();
    REFUSED(ATOLL_DEADLOCK, "commit or cancel", atoll_condvar_wait(condvar, mutex, 0));
    unlock();
    EXPECT(ATOLL_TIMED_OUT, atoll_condvar_commit_wait(condvar, 0));
    EXPECT(ATOLL_TIMED_OUT, atoll_condvar_commit_wait(condvar, 1000000));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, ATOLL_FOREVER));
    EXPECT(ATOLL_NOT_OWNER, atoll_condvar_commit_wait(condvar, 0));

    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, &notified));
    CHECK(!notified);
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, &notified));
    CHECK(notified);
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, NULL));
    tear_down();
}

/* The oldest waits in pieces, a younger one at a stretch. */
static void a_wait_in_pieces_keeps_its_place(void) {
    pthread_t waiter;
    set_up();
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    waiter = start_waiter(0);
    for (int i = 0; i < 3; i++) {
        EXPECT(ATOLL_TIMED_OUT, atoll_condvar_commit_wait(condvar, 1000000));
    }
    notify(1);
    nobody_but(0);
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, 0));
    nobody_but(0);
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar)); /* the younger one now */
    notify(1);
    await_passed(1);
    EXPECT(ATOLL_TIMED_OUT, atoll_condvar_commit_wait(condvar, 0));
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, NULL));
    join_all(&waiter, 1);
    tear_down();
}

/* Who gives up leaves nothing behind, and takes nothing with it. */
static void who_cancels_is_not_counted(void) {
    pthread_t waiter;
    set_up();
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    waiter = start_waiter(0);
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, NULL));
    notify(1);
    join_all(&waiter, 1);
    tear_down();
}

static void *hold_the_mutex(void *unused) {
    lock();
    board->arrived++;
    usleep(20000);
    unlock();
    return unused;
}

static void in_between_a_thread_may_do_anything(void) {
    atoll_condvar *other;
    atoll_event *event;
    pthread_t holder;
    set_up();
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &event));
    EXPECT(ATOLL_OK, atoll_condvar_create(segment, NULL, &other));
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    REFUSED(ATOLL_DEADLOCK, "commit or cancel", atoll_condvar_prepare_wait(other));
    CHECK(pthread_create(&holder, NULL, hold_the_mutex, NULL) == 0);
    while (board->arrived == 0) usleep(100);
    lock(); /* sleeps, and leaves the hook there */
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(other));
    unlock();
    EXPECT(ATOLL_TIMED_OUT, atoll_event_wait(event, 1000000));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_TIMED_OUT, atoll_condvar_commit_wait(condvar, 0));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, 0));
    CHECK(pthread_join(holder, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_condvar_close(other));
    EXPECT(ATOLL_OK, atoll_event_close(event));
    tear_down();
}

static void a_wait_for_what_is_gone_is_over(void) {
    atoll_condvar *other;
    set_up();
    EXPECT(ATOLL_OK, atoll_condvar_create(segment, NULL, &other));
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(other));
    EXPECT(ATOLL_OK, atoll_condvar_close(other));
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, NULL));
    tear_down();
}

static void child_has_prepared_nothing(void *unused) {
    bool notified;
    (void)unused;
    EXPECT(ATOLL_NOT_OWNER, atoll_condvar_commit_wait(condvar, 0));
    EXPECT(ATOLL_NOT_OWNER, atoll_condvar_cancel_wait(condvar, &notified));
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_cancel_wait(condvar, &notified));
    CHECK(!notified);
}

static void a_forked_child_waits_for_itself(void) {
    set_up();
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    in_child(child_has_prepared_nothing, NULL);
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, 0));
    tear_down();
}

/* --- signals --------------------------------------------------------------------------------- */

static void note_signal(int signal) { (void)signal; }

static void *wait_to_be_interrupted(void *unused) {
    lock();
    board->arrived++;
    EXPECT(ATOLL_INTERRUPTED, atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_DEADLOCK, atoll_mutex_lock(mutex, 0)); /* held again */
    unlock();
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    board->arrived++;
    EXPECT(ATOLL_INTERRUPTED, atoll_condvar_commit_wait(condvar, ATOLL_FOREVER));
    be_deaf_to(SIGUSR1);
    board->passed++;
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, ATOLL_FOREVER)); /* still prepared */
    return unused;
}

static atoll_event *event;

static void set_the_event(int signal) {
    (void)signal;
    EXPECT(ATOLL_OK, atoll_event_set(event));
}

/* Its hook is lent in the middle of the wait, and goes back. */
static void a_handler_may_set_an_event_meanwhile(void) {
    struct sigaction action, old;
    pthread_t waiter;
    set_up();
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &event));
    memset(&action, 0, sizeof action);
    action.sa_handler = set_the_event;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    waiter = start_waiter(0);
    for (int i = 0; i < 20; i++) {
        pthread_kill(waiter, SIGUSR1);
        EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_event_clear(event));
        usleep(500);
    }
    nobody_but(0);
    notify(1);
    join_all(&waiter, 1);
    CHECK(sigaction(SIGUSR1, &old, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_event_close(event));
    tear_down();
}

static void a_signal_handler_ends_a_wait(void) {
    struct sigaction action, old;
    pthread_t thread;
    set_up();
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    CHECK(pthread_create(&thread, NULL, wait_to_be_interrupted, NULL) == 0);
    await_arrivals(1);
    signal_until(&board->passed, thread, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &old, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(pthread_join(thread, NULL) == 0);
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_prepared_wait_counts_from_there_on);
    RUN_WOKEN(a_wait_in_pieces_keeps_its_place);
    RUN_WOKEN(who_cancels_is_not_counted);
    RUN_WOKEN(in_between_a_thread_may_do_anything);
    RUN_WOKEN(a_wait_for_what_is_gone_is_over);
    RUN_WOKEN(a_forked_child_waits_for_itself);
    RUN_WOKEN(a_handler_may_set_an_event_meanwhile);
    RUN_WOKEN(a_signal_handler_ends_a_wait);
    return any_failed;
}
