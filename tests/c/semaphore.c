/* Semaphores that count: taking, giving, waiting, and what misuse gets. */

#include <stdatomic.h>
#include <sys/time.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_semaphore *semaphore, *answer;

static void set_up(uint32_t value, uint32_t max) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    options.value = value;
    options.max = max;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, "permits", &options, &semaphore));
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, NULL, NULL, &answer));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_semaphore_close(answer));
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    end_segment(segment, name);
}

static uint32_t value(void) {
    atoll_semaphore_info info;
    memset(&info, 0xff, sizeof info);
    EXPECT(ATOLL_OK, atoll_semaphore_stat(semaphore, &info));
    CHECK(!info.tracked);
    return info.value;
}

static void take_all_and_give_back(void) {
    set_up(3, 0);
    for (uint32_t left = 3; left > 0; left--) {
        CHECK(value() == left);
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, left % 2 ? 0 : ATOLL_FOREVER));
    }
    CHECK(value() == 0);
    REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 0));
    CHECK(value() == 0);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 41));
    CHECK(value() == 42);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    tear_down();
}

static void a_limit_is_kept(void) {
    atoll_semaphore_info info;
    set_up(1, 2);
    EXPECT(ATOLL_OK, atoll_semaphore_stat(semaphore, &info));
    CHECK(info.max == 2);
    REFUSED(ATOLL_FULL, "max", atoll_semaphore_release(semaphore, 2));
    CHECK(value() == 1);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_FULL, "max", atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_FULL, "max", atoll_semaphore_release(semaphore, UINT32_MAX));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 0));
    CHECK(value() == 2);
    tear_down();
}

static void no_limit_is_the_largest_int(void) {
    atoll_semaphore_info info;
    set_up(INT32_MAX - 1, 0);
    EXPECT(ATOLL_OK, atoll_semaphore_stat(semaphore, &info));
    CHECK(info.max == INT32_MAX);
    REFUSED(ATOLL_FULL, "max", atoll_semaphore_release(semaphore, 2));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_FULL, "max", atoll_semaphore_release(semaphore, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    CHECK(value() == INT32_MAX - 1);
    tear_down();
}

static void open_by_name(void) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore *same;
    atoll_mutex *mutex;
    set_up(1, 5);
    REFUSED(ATOLL_ALREADY_EXISTS, "permits",
            atoll_semaphore_create(segment, "permits", NULL, &same));
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_semaphore_open(segment, "nobody", NULL, &same));
    REFUSED(ATOLL_WRONG_KIND, "a semaphore", atoll_mutex_open(segment, "permits", NULL, &mutex));
    options.max = 6;
    REFUSED(ATOLL_WRONG_KIND, "max 5", atoll_semaphore_open(segment, "permits", &options, &same));
    REFUSED(ATOLL_WRONG_KIND, "max 5",
            atoll_semaphore_open_or_create(segment, "permits", &options, &same));
    options.max = 0;
    options.tracked = 1;
    REFUSED(ATOLL_WRONG_KIND, "tracked", atoll_semaphore_open(segment, "permits", &options, &same));
    options.tracked = 0;
    options.max = 5;
    options.value = 3; /* says nothing about one that is there */
    EXPECT(ATOLL_OK, atoll_semaphore_open_or_create(segment, "permits", &options, &same));
    CHECK(value() == 1);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(same, 0));
    CHECK(value() == 0);
    EXPECT(ATOLL_OK, atoll_semaphore_close(same));
    EXPECT(ATOLL_OK, atoll_semaphore_open(segment, "permits", NULL, &same));
    EXPECT(ATOLL_OK, atoll_semaphore_close(same));
    EXPECT(ATOLL_OK, atoll_semaphore_remove(segment, "permits"));
    REFUSED(ATOLL_NOT_FOUND, "permits", atoll_semaphore_remove(segment, "permits"));
    tear_down();
}

static void bad_input_is_refused(void) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore_info info;
    atoll_semaphore *other;
    set_up(0, 0);
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_semaphore_acquire(semaphore, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_semaphore_acquire(NULL, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_semaphore_stat(semaphore, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_semaphore_stat(NULL, &info));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle", atoll_semaphore_release(NULL, 1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle",
            atoll_semaphore_release((atoll_semaphore *)(void *)segment, 1));
    options.value = 1u << 31;
    REFUSED(ATOLL_INVALID_ARGUMENT, "value", atoll_semaphore_create(segment, NULL, &options, &other));
    options.value = 1;
    options.max = 1u << 31;
    REFUSED(ATOLL_INVALID_ARGUMENT, "max", atoll_semaphore_create(segment, NULL, &options, &other));
    options.value = 4;
    options.max = 3;
    REFUSED(ATOLL_INVALID_ARGUMENT, "value", atoll_semaphore_create(segment, NULL, &options, &other));
    options.value = options.max = 0;
    options.tracked = 2;
    REFUSED(ATOLL_INVALID_ARGUMENT, "tracked",
            atoll_semaphore_create(segment, NULL, &options, &other));
    options.tracked = 0;
    options.reserved = 1;
    REFUSED(ATOLL_INVALID_ARGUMENT, "reserved",
            atoll_semaphore_create(segment, NULL, &options, &other));
    CHECK(other == NULL);
    EXPECT(ATOLL_OK, atoll_semaphore_close(NULL));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_semaphore_acquire(semaphore, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_semaphore_close(semaphore));
}

static void who_may_only_read_can_look(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_semaphore_info info;
    atoll_segment *reader;
    atoll_semaphore *seen;
    set_up(7, 0);
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_semaphore_open(reader, "permits", NULL, &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_semaphore_acquire(seen, 0));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_semaphore_release(seen, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_stat(seen, &info));
    CHECK(info.value == 7);
    EXPECT(ATOLL_OK, atoll_semaphore_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

static void a_ticket_leads_to_it(void) {
    atoll_ticket ticket;
    atoll_semaphore *same;
    atoll_event *event;
    set_up(0, 0);
    EXPECT(ATOLL_OK, atoll_semaphore_export(answer, &ticket));
    REFUSED(ATOLL_WRONG_KIND, "event", atoll_event_import(&ticket, &event));
    EXPECT(ATOLL_OK, atoll_semaphore_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_semaphore_release(same, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(answer, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_close(same));
    tear_down();
}

/* --- waiters ------------------------------------------------------------------------------- */

static atomic_int arrived, passed;

static void time_runs_out(void) {
    const int64_t wait = 20 * 1000000;
    int64_t begin;
    set_up(0, 0);
    begin = now_ns();
    REFUSED(ATOLL_TIMED_OUT, "permit", atoll_semaphore_acquire(semaphore, wait));
    CHECK(now_ns() - begin >= wait);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1)); /* to nobody */
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    tear_down();
}

static void wait_and_count(void *unused) {
    (void)unused;
    arrived++;
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    passed++;
}

enum { CROWD = 8 };

static void *release_for_the_crowd(void *at_once) {
    while (arrived < CROWD) usleep(100);
    usleep(20000); /* they sleep by now; if not, it has to work all the same */
    CHECK(passed == 0);
    for (int given = 0; given < CROWD; given += *(int *)at_once) {
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, *(uint32_t *)at_once));
        while (passed < given + *(int *)at_once) usleep(100);
    }
    return NULL;
}

static void as_many_go_on_as_there_are_permits(void) {
    for (int at_once = 1; at_once <= CROWD; at_once *= 2) {
        pthread_t giver;
        set_up(0, 0);
        arrived = passed = 0;
        CHECK(pthread_create(&giver, NULL, release_for_the_crowd, &at_once) == 0);
        in_crowd(CROWD, wait_and_count, NULL);
        CHECK(pthread_join(giver, NULL) == 0);
        CHECK(passed == CROWD && value() == 0);
        tear_down();
    }
}

enum { ROUNDS = 3000 };

static int inside, most_inside, total;

static void come_and_go(void *counted) {
    for (int i = 0; i < ROUNDS; i++) {
        int now;
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
        now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        if (now > most_inside) most_inside = now;
        if (i % 16 == 0) sched_yield();
        if (counted != NULL) ++*(int *)counted; /* there is one permit: nobody else does */
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    }
}

static void no_more_are_inside_than_there_are_permits(void) {
    for (uint32_t permits = 1; permits <= 3; permits++) {
        set_up(permits, permits);
        inside = most_inside = total = 0;
        in_crowd(4, come_and_go, permits == 1 ? &total : NULL);
        CHECK(most_inside >= 1 && (uint32_t)most_inside <= permits && value() == permits);
        CHECK(permits > 1 || total == 4 * ROUNDS);
        tear_down();
    }
}

static void answer_each(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS && failures == 0; i++) {
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_semaphore_release(answer, 1));
    }
}

static void two_processes_take_turns(void) {
    int status = 0;
    pid_t child;
    set_up(0, 1);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        answer_each(NULL);
        fflush(stdout);
        _exit(failures != 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(answer, ATOLL_FOREVER));
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(value() == 0);
    tear_down();
}

static void wait_for_ever(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
}

/* A permit for a sleeper that is dead goes to one that lives. */
static void the_dead_get_no_permits(void) {
    pid_t victims[3];
    set_up(0, 0);
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        victims[i] = fork();
        if (victims[i] == 0) {
            begin_child();
            wait_for_ever(NULL);
            _exit(1);
        }
    }
    usleep(50000);
    for (int i = 0; i < 3; i++) kill_victim(victims[i]);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    tear_down();
}

static void what_a_dead_one_took_is_gone(void) {
    set_up(2, 0);
    kill_victim(start_victim(wait_for_ever, NULL));
    CHECK(value() == 1);
    tear_down();
}

static void a_child_takes_and_gives(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 3));
}

static void a_forked_child_counts_along(void) {
    set_up(1, 0);
    in_child(a_child_takes_and_gives, NULL);
    CHECK(value() == 3);
    tear_down();
}

/* --- signal handlers ----------------------------------------------------------------------- */

static volatile sig_atomic_t handled, wrong;

static void on(int number, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    CHECK(sigaction(number, &action, NULL) == 0);
}

static void only_count(int number) {
    (void)number;
    handled++;
}

static void release_one(int number) {
    (void)number;
    wrong |= atoll_semaphore_release(semaphore, 1) != ATOLL_OK;
    handled++;
}

/* Rings from then on, again and again: a handler that runs before a sleep, or between two of them,
 * ends no wait. */
static void ring_after(int microseconds) {
    const struct itimerval then = {{0, microseconds}, {0, microseconds}};
    CHECK(setitimer(ITIMER_REAL, &then, NULL) == 0);
}

static void ring_no_more(void) {
    ring_after(0);
    on(SIGALRM, SIG_DFL, 0);
}

static void a_handler_ends_a_wait(void) {
    set_up(0, 0);
    handled = wrong = 0;
    on(SIGALRM, only_count, 0);
    ring_after(20000);
    EXPECT(ATOLL_INTERRUPTED, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    ring_no_more();
    CHECK(handled >= 1 && value() == 0);
    handled = 0;
    on(SIGALRM, release_one, SA_RESTART);
    ring_after(20000);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER)); /* of this very call */
    ring_no_more();
    CHECK(handled >= 1 && !wrong && value() == (uint32_t)handled - 1);
    tear_down();
}

static void look_and_release(int number) {
    atoll_semaphore_info info;
    (void)number;
    if (atoll_semaphore_stat(semaphore, &info) != ATOLL_REENTRANT) return; /* it does not wait yet */
    wrong |= atoll_semaphore_acquire(answer, 0) != ATOLL_REENTRANT;
    release_one(number);
}

static void in_the_middle_of_a_call_all_else_is_refused(void) {
    set_up(0, 0);
    handled = wrong = 0;
    on(SIGALRM, look_and_release, SA_RESTART);
    ring_after(20000);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    ring_no_more();
    CHECK(handled >= 1 && !wrong);
    tear_down();
}

/* Takes what the handler gives, and works with other objects in between. */
static void it_can_be_released_at_any_instruction(void) {
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    int taken = 0;
    atoll_mutex *mutex;
    set_up(0, 0);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &mutex));
    handled = wrong = 0;
    on(SIGALRM, release_one, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    while (taken < 500) {
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
        taken++;
        if (taken % 4 == 0) {
            EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
            taken--;
            EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
            taken++;
        }
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    on(SIGALRM, SIG_DFL, 0);
    CHECK(!wrong && value() == (uint32_t)(handled - taken));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    tear_down();
}

static void *release_as_a_stranger(void *unused) {
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    return unused;
}

static void a_thread_that_never_called_takes_no_place(void) {
    atoll_segment_info before = {0}, after = {0};
    set_up(0, 0);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &before));
    in_thread(release_as_a_stranger, NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(value() == 1 && before.participants == after.participants);
    tear_down();
}

static void *release_while_it_waits(void *unused) {
    while (arrived == 0) usleep(100);
    usleep(20000);
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    return unused;
}

static void a_thread_that_never_called_wakes_who_waits(void) {
    pthread_t stranger;
    set_up(0, 0);
    arrived = passed = 0;
    CHECK(pthread_create(&stranger, NULL, release_while_it_waits, NULL) == 0);
    wait_and_count(NULL);
    CHECK(pthread_join(stranger, NULL) == 0);
    tear_down();
}

int main(void) {
    RUN(take_all_and_give_back);
    RUN(a_limit_is_kept);
    RUN(no_limit_is_the_largest_int);
    RUN(open_by_name);
    RUN(bad_input_is_refused);
    RUN(who_may_only_read_can_look);
    RUN(a_ticket_leads_to_it);
    RUN(time_runs_out);
    RUN_WOKEN(as_many_go_on_as_there_are_permits);
    RUN_WOKEN(no_more_are_inside_than_there_are_permits);
    RUN(two_processes_take_turns);
    RUN(the_dead_get_no_permits);
    RUN(what_a_dead_one_took_is_gone);
    RUN(a_forked_child_counts_along);
    RUN(a_handler_ends_a_wait);
    RUN(in_the_middle_of_a_call_all_else_is_refused);
    RUN_WOKEN(it_can_be_released_at_any_instruction);
    RUN(a_thread_that_never_called_takes_no_place);
    RUN_WOKEN(a_thread_that_never_called_wakes_who_waits);
    return any_failed;
}
