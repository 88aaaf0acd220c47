/* Barriers: if one of them dies inside, none of them passes, and all of them know at once. */

#include "barrier.h"

static void arrive(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, NULL));
}

static void arrive_and_hold(void *unused) {
    atoll_arrival arrival = {0, false};
    (void)unused;
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, true, &arrival));
    CHECK(arrival.last);
}

/* A process that waits at the barrier, for ever. */
static pid_t start_process(uint32_t will_be) {
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL);
        _exit(1);
    }
    await_waiting(will_be);
    usleep(20000); /* it sleeps by now; if not, it has to work all the same */
    return child;
}

static void broken_by(pid_t victim) {
    atoll_barrier_info info = stat_it();
    CHECK(info.broken && info.culprit_pid == (uint32_t)victim && info.waiting == 0);
    REFUSED(ATOLL_BROKEN, "died inside", atoll_barrier_arrive_and_wait(barrier, 0, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    in_crowd((int)info.parties, pass, NULL);
    tear_down();
}

static void a_death_inside_breaks_it_for_who_sleeps(void) {
    pthread_t others[2];
    pid_t victim;
    set_up(4);
    victim = start_process(1);
    others[0] = start(be_told_in_thread);
    await_waiting(2);
    others[1] = start(be_told_in_thread);
    await_waiting(3);
    usleep(20000);
    kill_victim(victim);
    join(others[0]);
    join(others[1]);
    broken_by(victim);
}

/* It came when the others slept already, and they did not watch it. */
static void so_does_the_death_of_one_that_came_later(void) {
    pthread_t other;
    pid_t victim;
    set_up(3);
    other = start(be_told_in_thread);
    await_waiting(1);
    usleep(20000);
    victim = start_process(2);
    kill_victim(victim);
    join(other);
    broken_by(victim);
}

/* The same in no call at all, with its hook elsewhere. */
static void so_does_a_death_between_arriving_and_waiting(void) {
    pthread_t other;
    pid_t victim;
    set_up(3);
    other = start(be_told_in_thread);
    await_waiting(1);
    usleep(20000);
    victim = start_victim(arrive, NULL);
    usleep(20000);
    kill_victim(victim);
    join(other);
    broken_by(victim);
}

static void so_does_a_death_before_all_are_released(void) {
    pthread_t other;
    pid_t victim;
    set_up(2);
    other = start(be_told_in_thread);
    await_waiting(1);
    usleep(20000);
    victim = start_victim(arrive_and_hold, NULL);
    usleep(20000);
    CHECK(board->broken == 0 && stat_it().waiting == 2);
    kill_victim(victim);
    join(other);
    broken_by(victim);
}

/* Nobody sleeps: who comes last finds it. */
static void the_last_one_looks_for_the_dead(void) {
    pid_t victim;
    set_up(2);
    victim = start_victim(arrive, NULL);
    kill_victim(victim);
    CHECK(!stat_it().broken); /* nobody has looked */
    REFUSED(ATOLL_BROKEN, "died inside", atoll_barrier_arrive(barrier, false, NULL));
    broken_by(victim);
}

static void *arrive_in_thread(void *unused) {
    arrive(NULL);
    return unused;
}

static void a_thread_that_ends_inside_breaks_it(void) {
    set_up(2);
    in_thread(arrive_in_thread, NULL);
    EXPECT(ATOLL_BROKEN, atoll_barrier_arrive(barrier, false, NULL));
    CHECK(stat_it().broken);
    tear_down();
}

static void pass_alone(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, NULL));
}

/* A generation that is over cannot be broken any more. */
static void a_death_after_the_others_went_is_nothing(void) {
    pthread_t other;
    pid_t victim;
    set_up(2);
    other = start(pass_in_thread);
    await_waiting(1);
    victim = start_victim(pass_alone, NULL); /* the last one, and does not wait */
    join(other);
    kill_victim(victim);
    in_crowd(2, pass, NULL);
    CHECK(!stat_it().broken && stat_it().generation == 2);
    tear_down();
}

static void child_has_not_arrived(void *unused) {
    (void)unused;
    EXPECT(ATOLL_NOT_OWNER, atoll_barrier_wait(barrier, 0));
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
}

static void a_forked_child_is_a_party_of_its_own(void) {
    set_up(2);
    arrive(NULL);
    in_child(child_has_not_arrived, NULL);
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, ATOLL_FOREVER));
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_death_inside_breaks_it_for_who_sleeps);
    RUN_WOKEN(so_does_the_death_of_one_that_came_later);
    RUN_WOKEN(so_does_a_death_between_arriving_and_waiting);
    RUN_WOKEN(so_does_a_death_before_all_are_released);
    RUN_WOKEN(the_last_one_looks_for_the_dead);
    RUN_WOKEN(a_thread_that_ends_inside_breaks_it);
    RUN_WOKEN(a_death_after_the_others_went_is_nothing);
    RUN_WOKEN(a_forked_child_is_a_party_of_its_own);
    return any_failed;
}
