/* Waiting for any of several things: what is ready, in one segment and in several. */

#include "signals.h"
#include "wait_any.h"

static void each_kind_says_when_it_is_ready(void) {
    set_up();
    const atoll_waitable all[] = {{event, 0}, {latch, 0}, {plain, 0}, {tracked, 0}, {far, 0}};
    CHECK(ready_now(all, 5) == 0);
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(ready_now(all, 5) == 1);
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
    CHECK(ready_now(all, 5) == 3);
    EXPECT(ATOLL_OK, atoll_semaphore_release(plain, 2));
    CHECK(ready_now(all, 5) == 7);
    EXPECT(ATOLL_OK, atoll_semaphore_release(tracked, 1));
    CHECK(ready_now(all, 5) == 15);
    EXPECT(ATOLL_OK, atoll_event_set(far));
    CHECK(ready_now(all, 5) == 31);
    CHECK(ready_now(all, 5) == 31); /* nothing was taken */
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(tracked, 0));
    CHECK(ready_now(all, 5) == 22);
    tear_down();
}

static void one_may_be_there_several_times(void) {
    set_up();
    const atoll_waitable all[] = {{plain, 0}, {event, 0}, {plain, 0}};
    CHECK(ready_now(all, 3) == 0);
    EXPECT(ATOLL_OK, atoll_semaphore_release(plain, 1));
    CHECK(ready_now(all, 3) == 5);
    tear_down();
}

static void a_wait_in_pieces_loses_no_setting(void) {
    uint32_t sets = 0;
    set_up();
    EXPECT(ATOLL_OK, atoll_event_sets(event, &sets));
    const atoll_waitable all[] = {{event, 0}, {event, (uint64_t)sets + 1}};
    CHECK(ready_now(all, 2) == 0);
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    CHECK(ready_now(all, 2) == 2);
    tear_down();
}

static void time_passes_while_none_is_ready(void) {
    set_up();
    const atoll_waitable all[] = {{event, 0}, {latch, 0}, {plain, 0}, {tracked, 0}, {segment, 0}};
    const int64_t begin = now_ns();
    uint64_t ready = 99;
    REFUSED(ATOLL_TIMED_OUT, "ready", atoll_wait_any(all, 5, 20000000, &ready));
    CHECK(ready == 0 && now_ns() - begin >= 20000000);
    tear_down();
}

/* Sleeps until `wake` has run in another thread, and says what was ready. */
static uint64_t woken_by(void *(*wake)(void *), const atoll_waitable *all, size_t n) {
    uint64_t ready = 0;
    pthread_t waker;
    CHECK(pthread_create(&waker, NULL, wake, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_wait_any(all, n, ATOLL_FOREVER, &ready));
    CHECK(pthread_join(waker, NULL) == 0);
    return ready;
}

static void let_it_sleep(void) { usleep(20000); }

#define WAKER(name, call) \
    static void *name(void *unused) { \
        let_it_sleep(); \
        EXPECT(ATOLL_OK, call); \
        return unused; \
    }

WAKER(set_event, atoll_event_set(event))
WAKER(set_far, atoll_event_set(far))
WAKER(count_down, atoll_latch_count_down(latch, 1))
WAKER(release_plain, atoll_semaphore_release(plain, 1))
WAKER(release_tracked, atoll_semaphore_release(tracked, 1))

/* Set and cleared at once: whoever waits has been told all the same. The first thread does. */
static void *pulse(void *unused) {
    await_sleep(getpid());
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    return unused;
}

static void a_sleeper_is_woken_by_each_kind(void) {
    set_up();
    const atoll_waitable all[] = {{event, 0}, {latch, 0},   {plain, 0},
                                  {far, 0},   {tracked, 0}, {segment, 0}};
    CHECK(woken_by(release_tracked, all, 6) == 16);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(tracked, 0));
    CHECK(woken_by(release_plain, all, 6) == 4);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(plain, 0));
    CHECK(woken_by(pulse, all, 6) == 1);
    CHECK(woken_by(set_far, all, 6) == 8);
    EXPECT(ATOLL_OK, atoll_event_clear(far));
    CHECK(woken_by(set_event, all, 6) == 1);
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    CHECK(woken_by(count_down, all, 6) == 2);
    tear_down();
}

#define MANY 64
static atoll_event *many[MANY];

static void *set_one_of_many(void *number) {
    let_it_sleep();
    EXPECT(ATOLL_OK, atoll_event_set(many[*(int *)number]));
    return NULL;
}

static void any_of_64_wakes(void) {
    atoll_waitable all[MANY];
    uint64_t ready = 0;
    set_up();
    for (int i = 0; i < MANY; i++) {
        EXPECT(ATOLL_OK, atoll_event_create(i % 2 ? segment : far_segment, NULL, &many[i]));
        all[i] = (atoll_waitable){many[i], 0};
    }
    for (int i = 0; i < MANY; i += 21) {
        pthread_t waker;
        CHECK(pthread_create(&waker, NULL, set_one_of_many, &i) == 0);
        EXPECT(ATOLL_OK, atoll_wait_any(all, MANY, ATOLL_FOREVER, &ready));
        CHECK(pthread_join(waker, NULL) == 0);
        CHECK(ready == (uint64_t)1 << i);
        EXPECT(ATOLL_OK, atoll_event_clear(many[i]));
    }
    for (int i = 0; i < MANY; i++) EXPECT(ATOLL_OK, atoll_event_set(many[i]));
    CHECK(ready_now(all, MANY) == UINT64_MAX);
    for (int i = 0; i < MANY; i++) EXPECT(ATOLL_OK, atoll_event_close(many[i]));
    tear_down();
}

/* Three words for each are more than one sleep takes: the last ones are only looked at. */
static void as_many_tracked_ones_wake_too(void) {
    atoll_waitable all[MANY];
    set_up();
    for (int i = 0; i < MANY; i++) all[i] = (atoll_waitable){tracked, 0};
    CHECK(woken_by(release_tracked, all, MANY) == UINT64_MAX);
    tear_down();
}

static void what_cannot_be_waited_for_is_refused(void) {
    uint64_t ready = 7;
    atoll_mutex *mutex;
    atoll_event *closed;
    atoll_waitable all[65];
    set_up();
    for (int i = 0; i < 65; i++) all[i] = (atoll_waitable){event, 0};
    EXPECT(ATOLL_OK, atoll_event_set(event));
    REFUSED(ATOLL_INVALID_ARGUMENT, "not for 0", atoll_wait_any(all, 0, 0, &ready));
    REFUSED(ATOLL_INVALID_ARGUMENT, "not for 0", atoll_wait_any(NULL, 0, 0, &ready));
    REFUSED(ATOLL_INVALID_ARGUMENT, "not for 65", atoll_wait_any(all, 65, 0, &ready));
    REFUSED(ATOLL_INVALID_ARGUMENT, "waitables is NULL", atoll_wait_any(NULL, 1, 0, &ready));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out_ready is NULL", atoll_wait_any(all, 1, 0, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout_ns", atoll_wait_any(all, 1, -1, &ready));
    all[1].seen = (uint64_t)UINT32_MAX + 2;
    REFUSED(ATOLL_INVALID_ARGUMENT, "waitables[1].seen", atoll_wait_any(all, 2, 0, &ready));
    all[1] = (atoll_waitable){plain, 1};
    REFUSED(ATOLL_INVALID_ARGUMENT, "waitables[1].seen", atoll_wait_any(all, 2, 0, &ready));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &mutex));
    all[1] = (atoll_waitable){mutex, 0};
    REFUSED(ATOLL_WRONG_KIND, "waitables[1] is a mutex", atoll_wait_any(all, 2, 0, &ready));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    REFUSED(ATOLL_INVALID_ARGUMENT, "waitables[1].handle", atoll_wait_any(all, 2, 0, &ready));
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &closed));
    EXPECT(ATOLL_OK, atoll_event_close(closed));
    for (int i = 0; i < 3; i++) {
        const void *none[] = {NULL, closed, &ready};
        all[1] = (atoll_waitable){none[i], 0};
        REFUSED(ATOLL_INVALID_ARGUMENT, "waitables[1].handle", atoll_wait_any(all, 2, 0, &ready));
    }
    CHECK(ready == 7);
    EXPECT(ATOLL_OK, atoll_wait_any(all, 1, 0, &ready));
    CHECK(ready == 1);
    tear_down();
}

static void who_may_only_read_looks_and_does_not_wait(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader;
    atoll_event *read;
    uint64_t ready = 0;
    set_up();
    options.read_only = true;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_event_open(reader, "event", &read));
    const atoll_waitable all[] = {{read, 0}, {latch, 0}}, deaths[] = {{event, 0}, {reader, 0}};
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_wait_any(all, 2, ATOLL_FOREVER, &ready));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_wait_any(all, 2, ATOLL_FOREVER, &ready));
    CHECK(ready == 1);
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_wait_any(deaths, 2, 0, &ready));
    EXPECT(ATOLL_OK, atoll_event_close(read));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

static void ignore(int signal) { (void)signal; }

static atomic_int interrupted;

static void *disturb(void *waiter) {
    let_it_sleep();
    signal_until(&interrupted, *(pthread_t *)waiter, SIGUSR1);
    return NULL;
}

static void a_signal_ends_a_wait(void) {
    struct sigaction action = {.sa_handler = ignore}, before;
    pthread_t self = pthread_self(), disturber;
    uint64_t ready = 7;
    set_up();
    const atoll_waitable all[] = {{event, 0}, {plain, 0}};
    interrupted = 0;
    CHECK(sigaction(SIGUSR1, &action, &before) == 0);
    CHECK(pthread_create(&disturber, NULL, disturb, &self) == 0);
    REFUSED(ATOLL_INTERRUPTED, "signal", atoll_wait_any(all, 2, ATOLL_FOREVER, &ready));
    interrupted = 1;
    CHECK(ready == 7);
    CHECK(pthread_join(disturber, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
    tear_down();
}

static void *close_while_it_waits(void *unused) {
    let_it_sleep();
    atoll_event *other;
    EXPECT(ATOLL_OK, atoll_event_open(segment, "event", &other));
    EXPECT(ATOLL_OK, atoll_event_close(event));
    let_it_sleep();
    EXPECT(ATOLL_OK, atoll_event_set(other));
    event = other;
    return unused;
}

static void a_wait_goes_on_when_its_handle_is_closed(void) {
    set_up();
    const atoll_waitable all[] = {{plain, 0}, {event, 0}};
    CHECK(woken_by(close_while_it_waits, all, 2) == 2);
    tear_down();
}

int main(void) {
    RUN(each_kind_says_when_it_is_ready);
    RUN(one_may_be_there_several_times);
    RUN(a_wait_in_pieces_loses_no_setting);
    RUN(time_passes_while_none_is_ready);
    RUN_WOKEN(a_sleeper_is_woken_by_each_kind);
    RUN_WOKEN(any_of_64_wakes);
    RUN_WOKEN(as_many_tracked_ones_wake_too);
    RUN(what_cannot_be_waited_for_is_refused);
    RUN(who_may_only_read_looks_and_does_not_wait);
    RUN(a_signal_ends_a_wait);
    RUN_WOKEN(a_wait_goes_on_when_its_handle_is_closed);
    return any_failed;
}
