/* Waiters: waits for a condvar that are objects. */

#include "waiter.h"

static uint32_t participants(void) {
    atoll_segment_info info;
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    return info.participants;
}

static void a_notification_counts_from_the_creation_on(void) {
    atoll_waiter *waiter;
    set_up();
    CHECK(!finish_and_close(new_waiter()));
    waiter = new_waiter();
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    CHECK(finish(waiter));
    CHECK(finish(waiter)); /* the same again */
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(!finish_and_close(new_waiter())); /* nobody waited then */
    EXPECT(ATOLL_OK, atoll_waiter_close(waiter));
    tear_down();
}

static void wrong_arguments_are_refused(void) {
    atoll_waiter *waiter = (atoll_waiter *)(uintptr_t)1;
    bool notified = true;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "condvar is NULL", atoll_waiter_create(NULL, &waiter));
    CHECK(waiter == NULL);
    REFUSED(ATOLL_INVALID_ARGUMENT, "out is NULL", atoll_waiter_create(condvar, NULL));
    waiter = new_waiter();
    REFUSED(ATOLL_INVALID_ARGUMENT, "out_notified", atoll_waiter_finish(waiter, NULL));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(finish(waiter)); /* it went on waiting */
    EXPECT(ATOLL_OK, atoll_waiter_close(waiter));
    REFUSED(ATOLL_INVALID_ARGUMENT, "was closed", atoll_waiter_close(waiter));
    REFUSED(ATOLL_INVALID_ARGUMENT, "was closed", atoll_waiter_finish(waiter, &notified));
    CHECK(notified);
    REFUSED(ATOLL_INVALID_ARGUMENT, "from atoll_waiter_create", atoll_waiter_finish(NULL, &notified));
    EXPECT(ATOLL_OK, atoll_waiter_close(NULL));
    tear_down();
}

/* Among waiters and waits of threads, the oldest come first. */
static void notifications_go_by_age(void) {
    atoll_waiter *first, *third;
    pthread_t second, fourth;
    set_up();
    first = new_waiter();
    second = start_waiter(0);
    third = new_waiter();
    fourth = start_waiter(1);
    notify(1);
    nobody_but(0);
    CHECK(finish_and_close(first));
    nobody_but(0); /* that was the one notification */
    notify(2);
    await_passed(1);
    nobody_but(1);
    CHECK(board->order[0] == 0);
    CHECK(finish_and_close(third));
    notify(1);
    join_all(&second, 1);
    join_all(&fourth, 1);
    CHECK(board->order[1] == 1);
    tear_down();
}

static void all_are_notified_who_wait(void) {
    atoll_waiter *waiters[3], *late;
    pthread_t thread;
    set_up();
    waiters[0] = new_waiter();
    waiters[1] = new_waiter();
    thread = start_waiter(0);
    waiters[2] = new_waiter();
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar)); /* beside the thread's own */
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    late = new_waiter();
    join_all(&thread, 1);
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, ATOLL_FOREVER));
    CHECK(!finish_and_close(late));
    for (int i = 2; i >= 0; i--) CHECK(finish_and_close(waiters[i]));
    tear_down();
}

/* What a waiter was notified of goes to the next one when it is closed: another waiter, or a
 * thread that sleeps. */
static void who_is_closed_unfinished_passes_it_on(void) {
    atoll_waiter *waiters[2];
    pthread_t thread;
    set_up();
    waiters[0] = new_waiter();
    waiters[1] = new_waiter();
    thread = start_waiter(0);
    usleep(20000);
    notify(1);
    EXPECT(ATOLL_OK, atoll_waiter_close(waiters[0]));
    nobody_but(0);
    EXPECT(ATOLL_OK, atoll_waiter_close(waiters[1]));
    join_all(&thread, 1);
    CHECK(!finish_and_close(new_waiter()));
    tear_down();
}

static void *use_as_a_stranger(void *waiter) {
    bool notified = true;
    REFUSED(ATOLL_NOT_OWNER, "thread that made it",
            atoll_waiter_finish((atoll_waiter *)waiter, &notified));
    CHECK(notified);
    return NULL;
}

static void *close_as_a_stranger(void *waiter) {
    EXPECT(ATOLL_OK, atoll_waiter_close((atoll_waiter *)waiter));
    return NULL;
}

/* Only its thread finishes a waiter; any thread closes it, and tells the next one. */
static void other_threads_can_only_close(void) {
    atoll_waiter *waiter;
    pthread_t thread;
    uint32_t before;
    set_up();
    before = participants();
    waiter = new_waiter();
    thread = start_waiter(0);
    usleep(20000);
    in_thread(use_as_a_stranger, waiter);
    notify(1);
    nobody_but(0);
    in_thread(close_as_a_stranger, waiter);
    join_all(&thread, 1);
    CHECK(!finish_and_close(new_waiter()));
    CHECK(participants() == before); /* the place of the closed one went with the next's */
    tear_down();
}

static void *leave_a_waiter(void *out) {
    *(atoll_waiter **)out = new_waiter();
    board->arrived++;
    while (board->order[15] == 0) usleep(100);
    return NULL;
}

/* As if it had been killed; what is left of the waiter is its handle. */
static void a_thread_that_ends_waits_no_more(void) {
    atoll_waiter *left = NULL;
    pthread_t oldest, waiter;
    bool notified;
    set_up();
    CHECK(pthread_create(&oldest, NULL, leave_a_waiter, &left) == 0);
    await_arrivals(1);
    waiter = start_waiter(1);
    usleep(20000);
    notify(1);
    nobody_but(0);
    board->order[15] = 1;
    CHECK(pthread_join(oldest, NULL) == 0);
    join_all(&waiter, 1);
    EXPECT(ATOLL_NOT_OWNER, atoll_waiter_finish(left, &notified));
    EXPECT(ATOLL_OK, atoll_waiter_close(left));
    tear_down();
}

/* Its slot has another owner by then, who is not disturbed. */
static void a_waiter_outlives_its_thread_and_its_slot(void) {
    atoll_waiter *left = NULL, *many[40];
    set_up();
    board->order[15] = 1;
    in_thread(leave_a_waiter, &left);
    for (int i = 0; i < 40; i++) many[i] = new_waiter();
    EXPECT(ATOLL_OK, atoll_waiter_close(left));
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    for (int i = 0; i < 40; i++) CHECK(finish_and_close(many[i]));
    tear_down();
}

/* A place for each, and not one for each that ever was. */
static void many_of_one_thread_come_and_go(void) {
    atoll_waiter *many[100];
    uint32_t before;
    set_up();
    before = participants();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) many[i] = new_waiter();
        CHECK(participants() == before + 100);
        EXPECT(ATOLL_OK, atoll_condvar_notify_many(condvar, 50));
        for (int i = 0; i < 100; i++) CHECK(finish_and_close(many[i]) == (i < 50));
        CHECK(participants() == before);
    }
    tear_down();
}

static void a_thread_has_so_many_and_no_more(void) {
    static atoll_waiter *many[1024];
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_waiter *one_more = (atoll_waiter *)(uintptr_t)1;
    options.size = 4 << 20;
    options.max_participants = 2000;
    name = fresh_name();
    EXPECT(ATOLL_OK, atoll_segment_create(name, &options, &segment));
    EXPECT(ATOLL_OK, atoll_condvar_create(segment, NULL, &condvar));
    for (int i = 0; i < 1024; i++) many[i] = new_waiter();
    REFUSED(ATOLL_NO_SPACE, "1024 waiters", atoll_waiter_create(condvar, &one_more));
    CHECK(one_more == NULL);
    CHECK(!finish_and_close(many[0]));
    many[0] = new_waiter();
    for (int i = 0; i < 1024; i++) EXPECT(ATOLL_OK, atoll_waiter_close(many[i]));
    EXPECT(ATOLL_OK, atoll_condvar_close(condvar));
    end_segment(segment, name);
}

/* The handle of the condvar may be closed, and its name removed. */
static void a_waiter_keeps_its_condvar(void) {
    atoll_waiter *waiter;
    atoll_condvar *second;
    set_up();
    EXPECT(ATOLL_OK, atoll_condvar_open(segment, "condvar", &second));
    waiter = new_waiter();
    EXPECT(ATOLL_OK, atoll_condvar_remove(segment, "condvar"));
    EXPECT(ATOLL_OK, atoll_condvar_close(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(second));
    EXPECT(ATOLL_OK, atoll_condvar_close(second));
    CHECK(finish_and_close(waiter));
    EXPECT(ATOLL_OK, atoll_condvar_create(segment, NULL, &condvar));
    tear_down();
}

static void in_a_child(void *waiter) {
    bool notified;
    REFUSED(ATOLL_NOT_OWNER, "parent process",
            atoll_waiter_finish((atoll_waiter *)waiter, &notified));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_waiter_close((atoll_waiter *)waiter));
    CHECK(!finish_and_close(new_waiter()));
}

static void a_child_waits_for_itself(void) {
    atoll_waiter *waiter;
    set_up();
    waiter = new_waiter();
    in_child(in_a_child, waiter);
    CHECK(finish_and_close(waiter));
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_notification_counts_from_the_creation_on);
    RUN_WOKEN(wrong_arguments_are_refused);
    RUN_WOKEN(notifications_go_by_age);
    RUN_WOKEN(all_are_notified_who_wait);
    RUN_WOKEN(who_is_closed_unfinished_passes_it_on);
    RUN_WOKEN(other_threads_can_only_close);
    RUN_WOKEN(a_thread_that_ends_waits_no_more);
    RUN_WOKEN(a_waiter_outlives_its_thread_and_its_slot);
    RUN_WOKEN(many_of_one_thread_come_and_go);
    RUN_WOKEN(a_thread_has_so_many_and_no_more);
    RUN_WOKEN(a_waiter_keeps_its_condvar);
    RUN_WOKEN(a_child_waits_for_itself);
    return any_failed;
}
