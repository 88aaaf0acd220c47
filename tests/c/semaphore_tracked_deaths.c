/* Tracked semaphores: what becomes of permits when their holders are killed, end or leave; and
 * signal handlers. */

#include <stdatomic.h>
#include <sys/time.h>

#include "semaphore_tracked.h"

/* --- deaths ---------------------------------------------------------------------------------- */

static void permits_of_the_dead_come_back(void) {
    pid_t victim;
    set_up(3);
    acquire(NULL);
    victim = start_victim(acquire_two, NULL);
    CHECK(value() == 0);
    kill_victim(victim);
    wait_for_value(2);
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 2)); /* one is ours */
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    CHECK(value() == 0);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 3));
    CHECK(value() == 3);
    tear_down();
}

static void acquire_the_last(void *unused) {
    acquire(unused);
    CHECK(value() == 0);
}

/* The dead one's slot may be used again, by somebody who has no permit. */
static void those_who_come_later_do_not_inherit(void) {
    set_up(1);
    kill_victim(start_victim(acquire, NULL));
    for (int i = 0; i < 3; i++) {
        in_child(acquire_the_last, NULL);
        wait_for_value(1);
    }
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    tear_down();
}

static atomic_int arrived, passed;

static void wait_and_pass_on(void *unused) {
    arrived++;
    acquire(unused);
    passed++;
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
}

enum { CROWD = 4 };

static void *release_all_at_once(void *unused) {
    while (arrived < CROWD) usleep(100);
    usleep(30000); /* they sleep by now; if not, it has to work all the same */
    CHECK(passed == 0);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, CROWD));
    return unused;
}

static void wait_and_keep(void *unused) {
    arrived++;
    acquire(unused);
    passed++;
}

static void as_many_go_on_as_are_given_back(void) {
    pthread_t giver;
    set_up(CROWD);
    arrived = passed = 0;
    for (int i = 0; i < CROWD; i++) acquire(NULL);
    CHECK(pthread_create(&giver, NULL, release_all_at_once, NULL) == 0);
    in_crowd(CROWD, wait_and_keep, NULL);
    CHECK(pthread_join(giver, NULL) == 0);
    CHECK(passed == CROWD && value() == 0);
    tear_down();
}

static pid_t victim;

static void *kill_when_all_wait(void *n) {
    while (arrived < *(int *)n) usleep(100);
    usleep(30000); /* they sleep by now; if not, it has to work all the same */
    CHECK(passed == 0);
    kill_victim(victim);
    return NULL;
}

static void who_waits_gets_the_permits_of_the_dead(void) {
    for (int waiters = 1; waiters <= 8; waiters *= 2) {
        pthread_t killer;
        set_up(2);
        arrived = passed = 0;
        victim = start_victim(acquire_two, NULL);
        CHECK(pthread_create(&killer, NULL, kill_when_all_wait, &waiters) == 0);
        in_crowd(waiters, wait_and_pass_on, NULL);
        CHECK(pthread_join(killer, NULL) == 0);
        CHECK(passed == waiters && value() == 2);
        tear_down();
    }
}

/* Two that wait for different permits of one dead holder's, in two semaphores. */
static atoll_semaphore *second;

static void acquire_both(void *unused) {
    acquire(unused);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(second, ATOLL_FOREVER));
}

static atomic_int turn;

static void wait_for_either(void *unused) {
    atoll_semaphore *const mine = turn++ % 2 ? second : semaphore;
    (void)unused;
    arrived++;
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(mine, ATOLL_FOREVER));
    passed++;
    EXPECT(ATOLL_OK, atoll_semaphore_release(mine, 1));
}

static void one_death_is_told_to_waiters_of_both(void) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    int waiters = 6;
    pthread_t killer;
    set_up(1);
    options.value = options.tracked = 1;
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, NULL, &options, &second));
    arrived = passed = 0;
    victim = start_victim(acquire_both, NULL);
    CHECK(pthread_create(&killer, NULL, kill_when_all_wait, &waiters) == 0);
    in_crowd(waiters, wait_for_either, NULL);
    CHECK(pthread_join(killer, NULL) == 0);
    CHECK(passed == waiters && value() == 1);
    EXPECT(ATOLL_OK, atoll_semaphore_close(second));
    tear_down();
}

static void acquire_in_a_thread_that_ends(void *unused) {
    in_thread(acquire_in_a_thread, unused);
    EXPECT(ATOLL_OK, atoll_process_leave()); /* this thread is not seen in the segment, either */
    in_thread(acquire_in_a_thread, unused);
}

/* Nobody can sleep on a process without a thread in the segment: it is looked at again and again. */
static void a_holder_without_threads_is_found_dead(void) {
    int waiters = 2;
    pthread_t killer;
    set_up(1);
    arrived = passed = 0;
    victim = start_victim(acquire_in_a_thread_that_ends, NULL);
    CHECK(value() == 0);
    CHECK(pthread_create(&killer, NULL, kill_when_all_wait, &waiters) == 0);
    in_crowd(waiters, wait_and_pass_on, NULL);
    CHECK(pthread_join(killer, NULL) == 0);
    CHECK(passed == waiters && value() == 1);
    tear_down();
}

/* Each ends a process that holds a permit, without giving it back. */
static void end_by_exit(void *unused) {
    acquire(unused);
    fflush(stdout);
    exit(failures != 0);
}

static void end_by_exec(void *unused) {
    acquire(unused);
    fflush(stdout);
    if (failures == 0) execlp("true", "true", (char *)NULL);
}

static void leave_by_closing_all(void *unused) {
    acquire(unused);
    EXPECT(ATOLL_OK, atoll_event_close(event));
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
}

static void leave_and_come_back(void *unused) {
    acquire(unused);
    EXPECT(ATOLL_OK, atoll_process_leave());
    wait_for_value(1); /* it is nobody now, when its parent has closed what both had, */
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 1));
    CHECK(value() == 1); /* and then somebody else */
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_FULL, "acquired", atoll_semaphore_release(semaphore, 1));
}

static void every_end_gives_them_back(void) {
    void (*const ends[])(void *) = {end_by_exit, end_by_exec, leave_by_closing_all,
                                    leave_and_come_back};
    for (int i = 0; i < 4; i++) {
        set_up(1);
        in_child(ends[i], NULL);
        acquire(NULL);
        tear_down();
    }
}

static void wait_for_ever(void *unused) {
    EXPECT(ATOLL_OK, atoll_event_set(event));
    acquire(unused);
}

static void the_dead_get_no_permits(void) {
    pid_t child;
    set_up(1);
    acquire(NULL);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        wait_for_ever(NULL);
        _exit(1);
    }
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
    usleep(20000);
    kill_victim(child);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    tear_down();
}

/* --- signal handlers ------------------------------------------------------------------------- */

static volatile sig_atomic_t handled, wrong;

static void on(int number, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    CHECK(sigaction(number, &action, NULL) == 0);
}

static void release_one(int number) {
    (void)number;
    wrong |= atoll_semaphore_release(semaphore, 1) != ATOLL_OK;
    handled++;
}

static void a_handler_gives_back_what_its_thread_waits_for(void) {
    const struct itimerval soon = {{0, 0}, {0, 20000}};
    set_up(1);
    acquire(NULL);
    handled = wrong = 0;
    on(SIGALRM, release_one, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    acquire(NULL);
    CHECK(handled == 1 && !wrong && value() == 0);
    on(SIGALRM, SIG_DFL, 0);
    tear_down();
}

/* What the handler gives back may be free by then: that is FULL, and nothing else is. */
static void release_if_held(int number) {
    const atoll_status got = atoll_semaphore_release(semaphore, 1);
    (void)number;
    wrong |= got != ATOLL_OK && got != ATOLL_FULL;
    handled += got == ATOLL_OK;
}

static void it_can_be_released_at_any_instruction(void) {
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    set_up(4);
    handled = wrong = 0;
    on(SIGALRM, release_if_held, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int taken = 0; handled < 500; taken++) acquire(NULL);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    on(SIGALRM, SIG_DFL, 0);
    CHECK(!wrong);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    tear_down();
}

static void a_thread_that_never_called_takes_no_place(void) {
    atoll_segment_info before = {0}, after = {0};
    set_up(1);
    acquire(NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &before));
    in_thread(release_in_a_thread, NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(value() == 1 && before.participants == after.participants);
    tear_down();
}

int main(void) {
    RUN(permits_of_the_dead_come_back);
    RUN(those_who_come_later_do_not_inherit);
    RUN_WOKEN(as_many_go_on_as_are_given_back);
    RUN_WOKEN(who_waits_gets_the_permits_of_the_dead);
    RUN_WOKEN(one_death_is_told_to_waiters_of_both);
    RUN_WOKEN(a_holder_without_threads_is_found_dead);
    RUN(every_end_gives_them_back);
    RUN(the_dead_get_no_permits);
    RUN(a_handler_gives_back_what_its_thread_waits_for);
    RUN(it_can_be_released_at_any_instruction);
    RUN(a_thread_that_never_called_takes_no_place);
    return any_failed;
}
