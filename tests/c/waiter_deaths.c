/* Waiters whose process is killed. */

#include "waiter.h"

static void make_and_finish(void *unused) {
    atoll_waiter *waiter = new_waiter();
    (void)unused;
    EXPECT(ATOLL_OK, atoll_condvar_notify_one(condvar));
    CHECK(finish(waiter));
}

static void a_dead_waiter_is_passed_over(void) {
    atoll_waiter *next;
    set_up();
    kill_victim(start_victim(make_a_waiter, NULL));
    next = new_waiter();
    notify(1);
    CHECK(finish_and_close(next));
    tear_down();
}

/* Killed before it has finished: the next one is notified in its place, and told by the kernel. */
static void what_the_dead_were_granted_is_the_next_ones(void) {
    pthread_t waiters[2];
    pid_t oldest;
    set_up();
    oldest = start_victim(make_a_waiter, NULL);
    waiters[0] = start_waiter(0);
    waiters[1] = start_waiter(1);
    usleep(20000);
    notify(1);
    nobody_but(0);
    kill_victim(oldest);
    await_passed(1);
    nobody_but(1);
    CHECK(board->order[0] == 0);
    notify(1);
    join_all(waiters, 2);
    tear_down();
}

/* Two of them, of processes that are killed one after the other; then a waiter of ours. */
static void it_passes_on_as_long_as_they_die(void) {
    pid_t first, second;
    atoll_waiter *ours;
    pthread_t thread;
    set_up();
    first = start_victim(make_a_waiter, NULL);
    second = start_victim(make_a_waiter, NULL);
    ours = new_waiter();
    thread = start_waiter(0);
    usleep(20000);
    notify(2);
    kill_victim(first);
    nobody_but(0);
    kill_victim(second);
    await_passed(1);
    CHECK(finish_and_close(ours));
    join_all(&thread, 1);
    tear_down();
}

static void what_is_used_up_is_nobody_elses(void) {
    atoll_waiter *next;
    pid_t victim;
    set_up();
    victim = start_victim(make_and_finish, NULL);
    next = new_waiter();
    kill_victim(victim);
    CHECK(!finish_and_close(next));
    tear_down();
}

/* Whose slot has another owner by now, which waits there itself. */
static void the_next_owner_of_a_slot_settles_it(void) {
    atoll_waiter *many[40];
    pthread_t thread;
    pid_t oldest;
    set_up();
    oldest = start_victim(make_a_waiter, NULL);
    thread = start_waiter(0);
    usleep(20000);
    notify(1);
    kill_victim(oldest);
    for (int i = 0; i < 40; i++) many[i] = new_waiter();
    join_all(&thread, 1);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    for (int i = 0; i < 40; i++) CHECK(!finish_and_close(many[i]));
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_dead_waiter_is_passed_over);
    RUN_WOKEN(what_the_dead_were_granted_is_the_next_ones);
    RUN_WOKEN(it_passes_on_as_long_as_they_die);
    RUN_WOKEN(what_is_used_up_is_nobody_elses);
    RUN_WOKEN(the_next_owner_of_a_slot_settles_it);
    return any_failed;
}
