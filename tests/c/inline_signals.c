/* atoll/inline.h in signal handlers: between calls, in the middle of the short way, and in the
 * middle of a call, where it falls to a call that is refused. The stepping harness tries every
 * instruction (tests/crash/interruptions.rs); here the signals come as they come. */

#include <signal.h>
#include <sys/time.h>

#include "inlined.h"

static volatile sig_atomic_t handlers, refused, failed;

static void on(int number, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    CHECK(sigaction(number, &action, NULL) == 0);
}

/* A handler that locks what nobody else has, as often as the kind allows. */
static void lock_and_unlock(int number) {
    const bool recursive = place.flags & ATOLL_PLACE_RECURSIVE;
    const atoll_status got = lock(0);
    (void)number;
    handlers++;
    if (got == ATOLL_REENTRANT) {
        refused++;
    } else if (got == ATOLL_OK) {
        failed |= recursive && (lock(0) != ATOLL_OK || unlock() != ATOLL_OK);
        failed |= unlock() != ATOLL_OK;
    } else {
        failed |= recursive || got != ATOLL_DEADLOCK; /* a plain one may be ours already */
    }
}

static void begin(void) {
    handlers = refused = failed = 0;
    on(SIGALRM, lock_and_unlock, SA_RESTART);
}

static void end(void) {
    CHECK(!failed);
    CHECK(signal(SIGALRM, SIG_DFL) != SIG_ERR);
}

static void raise_often(void) {
    for (int i = 0; i < 3; i++) CHECK(raise(SIGALRM) == 0);
}

static void between_calls_a_handler_may_lock(void) {
    set_up(true);
    begin();
    raise_often();
    EXPECT(ATOLL_OK, lock(0));
    raise_often();
    EXPECT(ATOLL_OK, lock(0));
    raise_often();
    EXPECT(ATOLL_OK, unlock());
    raise_often();
    EXPECT(ATOLL_OK, unlock());
    CHECK(is_nobodys());
    CHECK(handlers == 12 && refused == 0);
    end();
    tear_down();
}

static volatile uint32_t waiting_tid;
static atoll_mutex *other;
static atoll_place other_place;

static void *wait_for_it(void *unused) {
    waiting_tid = own_tid();
    EXPECT(ATOLL_OK, lock(ATOLL_FOREVER));
    EXPECT(ATOLL_OK, unlock());
    return unused;
}

/* Nobody has the other one, so nothing but the call that is interrupted can be in the way. */
static void lock_another(int number) {
    const atoll_status got = atoll_mutex_lock(other, 0);
    (void)number;
    if (got == ATOLL_OK) {
        failed |= atoll_mutex_unlock(other) != ATOLL_OK;
    } else {
        failed |= got != ATOLL_REENTRANT || atoll_place_lock(&other_place);
        refused++;
    }
}

static void in_a_call_a_handler_is_refused(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        pthread_t waiter;
        set_up(recursive);
        EXPECT(ATOLL_OK, atoll_mutex_create(segment, "other", NULL, &other));
        EXPECT(ATOLL_OK, atoll_mutex_place(other, ATOLL_PLACE_CONTRACT, &other_place));
        begin();
        on(SIGALRM, lock_another, SA_RESTART);
        waiting_tid = 0;
        EXPECT(ATOLL_OK, lock(0));
        CHECK(pthread_create(&waiter, NULL, wait_for_it, NULL) == 0);
        while (waiting_tid == 0) usleep(100);
        while (refused == 0) { /* it may not be waiting yet */
            CHECK(pthread_kill(waiter, SIGALRM) == 0);
            usleep(2000);
        }
        EXPECT(ATOLL_OK, unlock());
        CHECK(pthread_join(waiter, NULL) == 0);
        end();
        EXPECT(ATOLL_OK, atoll_mutex_lock(other, 0));
        EXPECT(ATOLL_OK, atoll_mutex_unlock(other));
        EXPECT(ATOLL_OK, atoll_mutex_close(other));
        tear_down();
    }
}

/* Signals at any instruction, until many have come. */
static void under_fire(void (*work)(void)) {
    const struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    begin();
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    while (handlers < 2000 && failures == 0) work();
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(refused < handlers);
    end();
}

static void nest(void) {
    for (int i = 0; i < 1000; i++) {
        bool sound = lock(0) == ATOLL_OK && lock(0) == ATOLL_OK && unlock() == ATOLL_OK;
        CHECK(sound && lock(0) == ATOLL_OK && unlock() == ATOLL_OK && unlock() == ATOLL_OK);
        CHECK(*(volatile uint64_t *)place.word == 0);
    }
}

static void lock_by_turns(void) {
    for (int i = 0; i < 1000; i++) {
        CHECK((i % 2 ? lock(0) : atoll_mutex_lock(mutex, 0)) == ATOLL_OK);
        CHECK((i % 3 ? unlock() : atoll_mutex_unlock(mutex)) == ATOLL_OK);
        CHECK(*(volatile uint64_t *)place.word == 0);
    }
}

static void in_the_middle_of_the_short_way_it_may_lock(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        set_up(recursive);
        under_fire(recursive ? nest : lock_by_turns);
        under_fire(lock_by_turns);
        CHECK(is_nobodys());
        tear_down();
    }
}

int main(void) {
    if (!has_short_ways()) return printf("skip inline_signals: no short ways on this machine\n"), 0;
    RUN(between_calls_a_handler_may_lock);
    RUN(in_a_call_a_handler_is_refused);
    RUN(in_the_middle_of_the_short_way_it_may_lock);
    return any_failed;
}
