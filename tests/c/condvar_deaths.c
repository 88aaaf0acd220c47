/* Condvars: who waits, or notifies, may be killed. */

#include "condvar.h"

/* A process that waits; it begins as number `n`. */
static pid_t start_process(int n) {
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        wait_as(n);
        _exit(failures != 0);
    }
    await_arrivals(n + 1);
    usleep(20000); /* it sleeps by now; if not, it has to work all the same */
    return child;
}

static void a_dead_waiter_is_passed_over(void) {
    pthread_t waiter;
    pid_t oldest;
    set_up();
    oldest = start_process(0);
    waiter = start_waiter(1);
    kill_victim(oldest);
    notify(1);
    join_all(&waiter, 1);
    CHECK(board->order[0] == 1);
    tear_down();
}

/* Notified, it is killed before it can go: the next one goes in its place. */
static void what_the_dead_were_granted_is_the_next_ones(void) {
    pthread_t waiters[2];
    pid_t oldest;
    int status;
    set_up();
    oldest = start_process(0);
    waiters[0] = start_waiter(1);
    waiters[1] = start_waiter(2);
    usleep(20000);
    CHECK(kill(oldest, SIGSTOP) == 0);
    CHECK(waitpid(oldest, &status, WUNTRACED) == oldest && WIFSTOPPED(status));
    notify(1);
    nobody_but(0);
    kill_victim(oldest);
    await_passed(1);
    CHECK(board->order[0] == 1);
    nobody_but(1);
    notify(1);
    join_all(waiters, 2);
    tear_down();
}

static void prepare(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_condvar_prepare_wait(condvar));
}

/* Killed outside of any call, with its hook elsewhere. */
static void who_prepared_and_was_notified_may_die(void) {
    pthread_t waiter;
    pid_t oldest;
    set_up();
    oldest = start_victim(prepare, NULL);
    waiter = start_waiter(0);
    usleep(20000);
    notify(1);
    nobody_but(0);
    kill_victim(oldest);
    join_all(&waiter, 1);
    tear_down();
}

static void *end_with_a_prepared_wait(void *unused) {
    prepare(NULL);
    board->arrived++;
    while (board->order[15] == 0) usleep(100);
    return unused;
}

static void who_prepared_and_was_notified_may_end(void) {
    pthread_t oldest, waiter;
    set_up();
    CHECK(pthread_create(&oldest, NULL, end_with_a_prepared_wait, NULL) == 0);
    await_arrivals(1);
    waiter = start_waiter(1);
    usleep(20000);
    notify(1);
    nobody_but(0);
    board->order[15] = 1;
    CHECK(pthread_join(oldest, NULL) == 0);
    join_all(&waiter, 1);
    tear_down();
}

static void take_the_mutex_and_notify(void *unused) {
    (void)unused;
    lock();
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
}

static void *wait_for_bad_news(void *unused) {
    lock();
    board->arrived++;
    EXPECT(ATOLL_OWNER_DIED, atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_DEADLOCK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OWNER_DIED, atoll_condvar_wait(condvar, mutex, 0)); /* until it is marked */
    EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
    EXPECT(ATOLL_TIMED_OUT, atoll_condvar_wait(condvar, mutex, 0));
    unlock();
    return unused;
}

static void the_mutex_tells_that_its_owner_died(void) {
    pthread_t waiter;
    pid_t victim;
    set_up();
    CHECK(pthread_create(&waiter, NULL, wait_for_bad_news, NULL) == 0);
    await_arrivals(1);
    victim = start_victim(take_the_mutex_and_notify, NULL);
    usleep(20000);
    kill_victim(victim);
    CHECK(pthread_join(waiter, NULL) == 0);
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_dead_waiter_is_passed_over);
    RUN_WOKEN(what_the_dead_were_granted_is_the_next_ones);
    RUN_WOKEN(who_prepared_and_was_notified_may_die);
    RUN_WOKEN(who_prepared_and_was_notified_may_end);
    RUN_WOKEN(the_mutex_tells_that_its_owner_died);
    return any_failed;
}
