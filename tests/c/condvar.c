/* Condvars: who is notified, in which order, and what the mutex is afterwards. */

#include "condvar.h"

/* --- one thread ------------------------------------------------------------------------------ */

static void without_waiters_a_notification_is_nothing(void) {
    const int64_t begin = now_ns(), wait = 5000000;
    set_up();
    lock();
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    EXPECT(ATOLL_TIMED_OUT, atoll_condvar_wait(condvar, mutex, 0));
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    REFUSED(ATOLL_TIMED_OUT, "notified", atoll_condvar_wait(condvar, mutex, wait));
    CHECK(now_ns() - begin >= wait);
    EXPECT(ATOLL_DEADLOCK, atoll_mutex_lock(mutex, 0)); /* held after both */
    unlock();
    tear_down();
}

static void open_by_name(void) {
    atoll_condvar *same;
    atoll_ticket ticket;
    atoll_event *event;
    set_up();
    REFUSED(ATOLL_ALREADY_EXISTS, "condvar", atoll_condvar_create(segment, "condvar", &same));
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_condvar_open(segment, "nobody", &same));
    REFUSED(ATOLL_WRONG_KIND, "a condvar", atoll_event_open(segment, "condvar", &event));
    EXPECT(ATOLL_OK, atoll_condvar_open_or_create(segment, "condvar", &same));
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(same));
    EXPECT(ATOLL_OK, atoll_condvar_commit_wait(condvar, 0));
    EXPECT(ATOLL_OK, atoll_condvar_remove(segment, "condvar"));
    REFUSED(ATOLL_NOT_FOUND, "condvar", atoll_condvar_remove(segment, "condvar"));
    EXPECT(ATOLL_OK, atoll_condvar_close(same));
    EXPECT(ATOLL_OK, atoll_condvar_export(condvar, &ticket));
    EXPECT(ATOLL_OK, atoll_condvar_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_condvar_close(same));
    tear_down();
}

static void bad_input_is_refused(void) {
    bool notified;
    set_up();
    REFUSED(ATOLL_NOT_OWNER, "hold", atoll_condvar_wait(condvar, mutex, 0));
    lock();
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_condvar_wait(condvar, mutex, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_condvar_wait(NULL, mutex, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_condvar_wait(condvar, NULL, 0));
    unlock();
    REFUSED(ATOLL_NOT_OWNER, "prepared no wait", atoll_condvar_commit_wait(condvar, 0));
    REFUSED(ATOLL_NOT_OWNER, "prepared no wait", atoll_condvar_cancel_wait(condvar, &notified));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_condvar_prepare_wait(NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_condvar_notify_one(NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind",
            atoll_condvar_notify_all((atoll_condvar *)(void *)mutex));
    EXPECT(ATOLL_OK, atoll_condvar_notify_many(condvar, 0));
    EXPECT(ATOLL_OK, atoll_condvar_close(NULL));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_condvar_notify_one(condvar));
}

static void who_may_only_read_takes_no_part(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader;
    atoll_condvar *seen;
    set_up();
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_condvar_open(reader, "condvar", &seen));
    lock();
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_condvar_wait(seen, mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_DEADLOCK, atoll_mutex_lock(mutex, 0)); /* still held */
    unlock();
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_condvar_prepare_wait(seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_condvar_notify_one(seen));
    EXPECT(ATOLL_OK, atoll_condvar_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

static void a_transactions_mutex_stays_where_it_is(void) {
    atoll_transaction *transaction;
    set_up();
    EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction));
    REFUSED(ATOLL_DEADLOCK, "transaction", atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    tear_down();
}

/* --- who is notified ------------------------------------------------------------------------- */

static void the_oldest_go_first(void) {
    pthread_t waiters[4];
    set_up();
    for (int i = 0; i < 4; i++) waiters[i] = start_waiter(i);
    nobody_but(0);
    for (int i = 0; i < 4; i++) {
        notify(1);
        await_passed(i + 1);
        CHECK(board->order[i] == i);
        nobody_but(i + 1);
    }
    join_all(waiters, 4);
    tear_down();
}

static void as_many_go_as_are_notified(void) {
    pthread_t waiters[8];
    set_up();
    for (int i = 0; i < 8; i++) waiters[i] = start_waiter(i);
    notify(3);
    await_passed(3);
    nobody_but(3);
    CHECK(board->order[0] + board->order[1] + board->order[2] == 0 + 1 + 2);
    lock(); /* two notifications that nobody can use up in between */
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    unlock();
    await_passed(5);
    nobody_but(5);
    lock();
    EXPECT(ATOLL_OK, atoll_condvar_notify_all(condvar));
    unlock();
    join_all(waiters, 8);
    CHECK(board->passed == 8);
    tear_down();
}

static void *lock_and_notify(void *unused) {
    notify(1);
    return unused;
}

static void a_recursive_mutex_is_let_go_wholly(void) {
    pthread_t notifier;
    set_up_with(true);
    for (int i = 0; i < 3; i++) lock();
    CHECK(pthread_create(&notifier, NULL, lock_and_notify, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
    CHECK(pthread_join(notifier, NULL) == 0);
    for (int i = 0; i < 3; i++) unlock();
    REFUSED(ATOLL_NOT_OWNER, "hold", atoll_mutex_unlock(mutex));
    tear_down();
}

enum { CAPACITY = 3, ITEMS = 3000 };
static int queue;
static atoll_condvar *not_full;

static void *produce(void *unused) {
    for (int i = 0; i < ITEMS; i++) {
        lock();
        while (queue == CAPACITY) {
            EXPECT(ATOLL_OK, atoll_condvar_wait(not_full, mutex, ATOLL_FOREVER));
        }
        queue++;
        EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
        unlock();
    }
    return unused;
}

static void *consume(void *unused) {
    for (int i = 0; i < ITEMS; i++) {
        lock();
        while (queue == 0) EXPECT(ATOLL_OK, atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
        queue--;
        unlock();
        EXPECT(ATOLL_OK, atoll_condvar_notify_one(not_full)); /* without the mutex */
    }
    return unused;
}

static void no_notification_is_lost(void) {
    pthread_t all[6];
    set_up();
    queue = 0;
    EXPECT(ATOLL_OK, atoll_condvar_create(segment, NULL, &not_full));
    for (int i = 0; i < 6; i++) {
        CHECK(pthread_create(&all[i], NULL, i % 2 ? produce : consume, NULL) == 0);
    }
    join_all(all, 6);
    CHECK(queue == 0);
    EXPECT(ATOLL_OK, atoll_condvar_close(not_full));
    tear_down();
}

int main(void) {
    RUN_WOKEN(without_waiters_a_notification_is_nothing);
    RUN_WOKEN(open_by_name);
    RUN_WOKEN(bad_input_is_refused);
    RUN_WOKEN(who_may_only_read_takes_no_part);
    RUN_WOKEN(a_transactions_mutex_stays_where_it_is);
    RUN_WOKEN(the_oldest_go_first);
    RUN_WOKEN(as_many_go_as_are_notified);
    RUN_WOKEN(a_recursive_mutex_is_let_go_wholly);
    RUN_WOKEN(no_notification_is_lost);
    return any_failed;
}
