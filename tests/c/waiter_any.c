/* Waiters among other things that a thread waits for. */

#include "waiter.h"

static atoll_event *event;

static void set_up_with_event(void) {
    set_up();
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &event));
}

static void tear_down_with_event(void) {
    EXPECT(ATOLL_OK, atoll_event_close(event));
    tear_down();
}

/* Which of three are ready, once one is. */
static uint64_t wait_for(atoll_waiter *first, atoll_waiter *second, int64_t timeout_ns) {
    const atoll_waitable all[3] = {{first, 0}, {event, 0}, {second, 0}};
    uint64_t ready = 99;
    EXPECT(timeout_ns == ATOLL_FOREVER ? ATOLL_OK : ATOLL_TIMED_OUT,
           atoll_wait_any(all, 3, timeout_ns, &ready));
    return ready;
}

static void a_waiter_is_ready_until_it_is_finished(void) {
    atoll_waiter *first, *second;
    set_up_with_event();
    first = new_waiter();
    second = new_waiter();
    CHECK(wait_for(first, second, 1000000) == 0);
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    for (int i = 0; i < 2; i++) CHECK(wait_for(first, second, ATOLL_FOREVER) == 1);
    CHECK(wait_for(second, first, ATOLL_FOREVER) == 4);
    CHECK(wait_for(first, first, ATOLL_FOREVER) == 5);
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(wait_for(first, second, ATOLL_FOREVER) == 3);
    CHECK(finish(first));
    CHECK(!is_ready(second));
    EXPECT(ATOLL_OK, atoll_waiter_close(first));
    CHECK(!finish_and_close(second));
    tear_down_with_event();
}

static void *wait_as_a_stranger(void *waiter) {
    const atoll_waitable waitable = {waiter, 0};
    uint64_t ready;
    REFUSED(ATOLL_NOT_OWNER, "thread that made it", atoll_wait_any(&waitable, 1, 0, &ready));
    return NULL;
}

static void only_its_thread_waits_and_while_it_is_not_finished(void) {
    atoll_waiter *waiter;
    atoll_waitable waitable = {condvar, 0};
    uint64_t ready;
    set_up();
    waiter = new_waiter();
    waitable.handle = condvar;
    REFUSED(ATOLL_WRONG_KIND, "waiter", atoll_wait_any(&waitable, 1, 0, &ready));
    waitable.handle = waiter;
    waitable.seen = 1;
    EXPECT(ATOLL_INVALID_ARGUMENT, atoll_wait_any(&waitable, 1, 0, &ready));
    waitable.seen = 0;
    in_thread(wait_as_a_stranger, waiter);
    CHECK(!finish(waiter));
    REFUSED(ATOLL_INVALID_ARGUMENT, "is finished", atoll_wait_any(&waitable, 1, 0, &ready));
    EXPECT(ATOLL_OK, atoll_waiter_close(waiter));
    tear_down();
}

/* One thread that sleeps for two waiters; it writes down which one was notified. */
static void *sleep_for_two(void *unused) {
    atoll_waiter *first = new_waiter(), *second = new_waiter();
    lock();
    board->arrived++;
    unlock();
    for (int i = 0; i < 2; i++) {
        const atoll_waitable both[2] = {{first, 0}, {second, 0}};
        uint64_t ready = 0;
        EXPECT(ATOLL_OK, atoll_wait_any(&both[i], 2 - (size_t)i, ATOLL_FOREVER, &ready));
        CHECK(ready == 1);
        CHECK(finish(i == 0 ? first : second));
        board->order[board->passed++] = 50 + i;
    }
    EXPECT(ATOLL_OK, atoll_waiter_close(first));
    EXPECT(ATOLL_OK, atoll_waiter_close(second));
    return unused;
}

static void who_sleeps_is_woken_in_its_turn(void) {
    pthread_t threads[3];
    set_up();
    threads[0] = start_waiter(0);
    CHECK(pthread_create(&threads[1], NULL, sleep_for_two, NULL) == 0);
    await_arrivals(2);
    threads[2] = start_waiter(2);
    usleep(20000);
    for (int i = 0; i < 4; i++) {
        notify(1);
        await_passed(i + 1);
        usleep(5000);
    }
    join_all(threads, 3);
    CHECK(board->order[0] == 0 && board->order[1] == 50);
    CHECK(board->order[2] == 51 && board->order[3] == 2);
    tear_down();
}

/* It sleeps, is woken because it is its turn, and does nothing about it. */
static void sleep_and_do_nothing(void *unused) {
    const atoll_waitable waitable = {new_waiter(), 0};
    uint64_t ready;
    lock();
    board->arrived++;
    unlock();
    EXPECT(ATOLL_OK, atoll_wait_any(&waitable, 1, ATOLL_FOREVER, &ready));
    board->order[15]++;
    for (;;) pause();
    (void)unused;
}

static pid_t start_idler(int arrivals) {
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        sleep_and_do_nothing(NULL);
    }
    await_arrivals(arrivals);
    usleep(20000);
    return child;
}

/* Killed before it is its turn, or after: the kernel tells those who sleep behind it, of whom none
 * has a wait of its own. */
static void who_is_killed_passes_it_on_to_sleepers(void) {
    pid_t idlers[3];
    pthread_t both;
    set_up();
    for (int i = 0; i < 3; i++) idlers[i] = start_idler(i + 1);
    CHECK(pthread_create(&both, NULL, sleep_for_two, NULL) == 0);
    await_arrivals(4);
    usleep(20000);
    kill_victim(idlers[0]);
    notify(2);
    while (board->order[15] < 2) usleep(100);
    nobody_but(0);
    kill_victim(idlers[1]);
    await_passed(1);
    kill_victim(idlers[2]);
    CHECK(pthread_join(both, NULL) == 0);
    CHECK(board->order[0] == 50 && board->order[1] == 51);
    tear_down();
}

static void *close_in_a_while(void *waiter) {
    usleep(50000);
    EXPECT(ATOLL_OK, atoll_waiter_close((atoll_waiter *)waiter));
    return NULL;
}

/* Somebody else closes what a thread waits for: it is told so, be it before it waits or while it
 * does, and another one gets its turn. */
static void what_is_closed_meanwhile_is_over(void) {
    pthread_t closer;
    atoll_waiter *waiter, *next;
    atoll_waitable waitable = {NULL, 0};
    uint64_t ready = 0;
    atoll_status status;
    set_up();
    waiter = new_waiter();
    next = new_waiter();
    waitable.handle = waiter;
    CHECK(pthread_create(&closer, NULL, close_in_a_while, waiter) == 0);
    status = atoll_wait_any(&waitable, 1, ATOLL_FOREVER, &ready);
    CHECK((status == ATOLL_OK && ready == 1) || status == ATOLL_INVALID_ARGUMENT);
    CHECK(pthread_join(closer, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(finish_and_close(next));
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_waiter_is_ready_until_it_is_finished);
    RUN_WOKEN(only_its_thread_waits_and_while_it_is_not_finished);
    RUN_WOKEN(who_sleeps_is_woken_in_its_turn);
    RUN_WOKEN(who_is_killed_passes_it_on_to_sleepers);
    RUN_WOKEN(what_is_closed_meanwhile_is_over);
    return any_failed;
}
