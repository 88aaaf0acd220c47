/* Events: set, cleared, waited for, in threads, processes and signal handlers. */

#include <stdatomic.h>
#include <sys/time.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_event *event, *answer;

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_event_create(segment, "event", &event));
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &answer));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_event_close(answer));
    EXPECT(ATOLL_OK, atoll_event_close(event));
    end_segment(segment, name);
}

static bool is_set(void) {
    bool set = true;
    EXPECT(ATOLL_OK, atoll_event_is_set(event, &set));
    return set;
}

static uint32_t sets(void) {
    uint32_t number = 99;
    EXPECT(ATOLL_OK, atoll_event_sets(event, &number));
    return number;
}

static void it_stays_set_until_it_is_cleared(void) {
    set_up();
    CHECK(!is_set() && sets() == 0);
    EXPECT(ATOLL_TIMED_OUT, atoll_event_wait(event, 0));
    EXPECT(ATOLL_TIMED_OUT, atoll_event_wait(event, 1000000));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(is_set() && sets() == 1);
    for (int i = 0; i < 2; i++) EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    CHECK(!is_set() && sets() == 1);
    REFUSED(ATOLL_TIMED_OUT, "not set", atoll_event_wait(event, 0));
    tear_down();
}

static void open_by_name(void) {
    atoll_event *same;
    atoll_mutex *mutex;
    set_up();
    REFUSED(ATOLL_ALREADY_EXISTS, "event", atoll_event_create(segment, "event", &same));
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_event_open(segment, "nobody", &same));
    REFUSED(ATOLL_WRONG_KIND, "an event", atoll_mutex_open(segment, "event", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_event_open_or_create(segment, "event", &same));
    EXPECT(ATOLL_OK, atoll_event_set(same));
    CHECK(is_set());
    EXPECT(ATOLL_OK, atoll_event_remove(segment, "event"));
    REFUSED(ATOLL_NOT_FOUND, "event", atoll_event_remove(segment, "event"));
    EXPECT(ATOLL_OK, atoll_event_close(same));
    tear_down();
}

static void bad_input_is_refused(void) {
    uint32_t number;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_event_wait(event, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_event_wait_since(event, 0, INT64_MIN));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_event_is_set(event, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_event_sets(event, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_event_sets(NULL, &number));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle", atoll_event_set(NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "handle", atoll_event_set((atoll_event *)(void *)segment));
    EXPECT(ATOLL_OK, atoll_event_close(NULL));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_event_set(event));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_event_clear(event));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_event_wait(event, 0));
}

static void who_may_only_read_can_look(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader;
    atoll_event *seen;
    bool set;
    set_up();
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_event_open(reader, "event", &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_event_set(seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_event_clear(seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_event_wait(seen, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_is_set(seen, &set));
    CHECK(set);
    EXPECT(ATOLL_OK, atoll_event_wait(seen, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_event_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

/* --- waiters ------------------------------------------------------------------------------- */

enum { CROWD = 8 };
static atomic_int arrived, passed, tids[CROWD];

static void wait_and_count(void *unused) {
    (void)unused;
    EXPECT(ATOLL_TIMED_OUT, atoll_event_wait(event, 1)); /* its first call */
    tids[arrived++] = gettid();
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
    passed++;
}

static void *set_for_the_crowd(void *pulse) {
    for (int i = 0; i < CROWD; i++) {
        while (tids[i] == 0) usleep(100);
        await_sleep(tids[i]);
    }
    CHECK(passed == 0);
    EXPECT(ATOLL_OK, atoll_event_set(event));
    if (pulse) EXPECT(ATOLL_OK, atoll_event_clear(event));
    return NULL;
}

static void all_who_wait_go_on(bool pulse) {
    pthread_t setter;
    set_up();
    arrived = passed = 0;
    for (int i = 0; i < CROWD; i++) tids[i] = 0;
    CHECK(pthread_create(&setter, NULL, set_for_the_crowd, pulse ? &passed : NULL) == 0);
    in_crowd(CROWD, wait_and_count, NULL);
    CHECK(pthread_join(setter, NULL) == 0);
    CHECK(passed == CROWD && is_set() == !pulse);
    tear_down();
}

static void all_wait_and_all_go_on(void) { all_who_wait_go_on(false); }

static void all_go_on_though_it_is_cleared_at_once(void) { all_who_wait_go_on(true); }

static void a_wait_in_pieces_loses_no_setting(void) {
    uint32_t before;
    set_up();
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    before = sets();
    EXPECT(ATOLL_TIMED_OUT, atoll_event_wait_since(event, before, 1000000));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    EXPECT(ATOLL_OK, atoll_event_wait_since(event, before, 0));
    EXPECT(ATOLL_TIMED_OUT, atoll_event_wait_since(event, before + 1, 0));
    tear_down();
}

enum { ROUNDS = 2000 };

static void answer_each(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS && failures == 0; i++) {
        EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_event_clear(event));
        EXPECT(ATOLL_OK, atoll_event_set(answer));
    }
}

static void two_processes_take_turns(void) {
    pid_t child;
    int status = 0;
    set_up();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        answer_each(NULL);
        _exit(failures != 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(ATOLL_OK, atoll_event_set(event));
        EXPECT(ATOLL_OK, atoll_event_wait(answer, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_event_clear(answer));
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(sets() == ROUNDS);
    tear_down();
}

static void wait_for_ever(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_event_set(answer));
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
}

static void nobody_waits_for_dead_waiters(void) {
    int status = 0;
    pid_t child;
    set_up();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        wait_for_ever(NULL);
        _exit(1);
    }
    EXPECT(ATOLL_OK, atoll_event_wait(answer, ATOLL_FOREVER));
    usleep(20000);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
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

static void set_it(int number) {
    (void)number;
    wrong |= atoll_event_set(event) != ATOLL_OK;
    handled++;
}

static void only_count(int number) {
    (void)number;
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
    set_up();
    handled = wrong = 0;
    on(SIGALRM, only_count, 0);
    ring_after(20000);
    EXPECT(ATOLL_INTERRUPTED, atoll_event_wait(event, ATOLL_FOREVER));
    ring_no_more();
    CHECK(handled >= 1);
    handled = 0;
    on(SIGALRM, set_it, SA_RESTART);
    ring_after(20000);
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER)); /* set inside of this very call */
    ring_no_more();
    CHECK(handled >= 1 && !wrong);
    tear_down();
}

static void look_and_set(int number) {
    bool set;
    (void)number;
    if (atoll_event_is_set(event, &set) != ATOLL_REENTRANT) return; /* it does not wait yet */
    handled++;
    wrong |= atoll_event_set(event) != ATOLL_OK;
}

static void in_the_middle_of_a_call_all_else_is_refused(void) {
    set_up();
    handled = wrong = 0;
    on(SIGALRM, look_and_set, SA_RESTART);
    ring_after(20000);
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
    ring_no_more();
    CHECK(handled >= 1 && !wrong);
    tear_down();
}

/* Locks and unlocks under fire; each signal sets the event. */
static void it_can_be_set_at_any_instruction(void) {
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    atoll_mutex *mutex;
    set_up();
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &mutex));
    handled = wrong = 0;
    on(SIGALRM, set_it, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    while (handled < 200) {
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_event_clear(event));
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    on(SIGALRM, SIG_DFL, 0);
    CHECK(!wrong);
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    tear_down();
}

static void *set_as_a_stranger(void *unused) {
    EXPECT(ATOLL_OK, atoll_event_set(event));
    return unused;
}

static void a_thread_that_never_called_takes_no_place(void) {
    atoll_segment_info before = {0}, after = {0};
    set_up();
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &before));
    in_thread(set_as_a_stranger, NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(is_set() && before.participants == after.participants);
    tear_down();
}

int main(void) {
    RUN(it_stays_set_until_it_is_cleared);
    RUN(open_by_name);
    RUN(bad_input_is_refused);
    RUN(who_may_only_read_can_look);
    RUN_WOKEN(all_wait_and_all_go_on);
    RUN_WOKEN(all_go_on_though_it_is_cleared_at_once);
    RUN(a_wait_in_pieces_loses_no_setting);
    RUN(two_processes_take_turns);
    RUN(nobody_waits_for_dead_waiters);
    RUN(a_handler_ends_a_wait);
    RUN(in_the_middle_of_a_call_all_else_is_refused);
    RUN(it_can_be_set_at_any_instruction);
    RUN(a_thread_that_never_called_takes_no_place);
    return any_failed;
}
