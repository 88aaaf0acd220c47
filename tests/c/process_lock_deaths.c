/* Locks that processes hold: who comes after a holder that has died, or left, has the news, once;
 * and signal handlers. */

#include <stdatomic.h>
#include <sys/time.h>

#include "process_lock.h"

/* --- deaths ---------------------------------------------------------------------------------- */

/* Acquires it, is told that `pid` has died with it, and is the only one to be told. */
static void expect_news_of(pid_t pid) {
    atoll_owner former;
    memset(&former, 0xff, sizeof former);
    EXPECT(ATOLL_OWNER_DIED, atoll_lock_acquire(lock, ATOLL_FOREVER, &former));
    CHECK(former.pid == (uint32_t)pid && !former.alive && former.owner_died && former.tid == 0);
    CHECK(former.generation != 0);
    CHECK(owner().pid == (uint32_t)getpid() && owner().alive);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    release(NULL);
    memset(&former, 0xff, sizeof former);
    EXPECT(ATOLL_OK, atoll_lock_acquire(lock, 0, &former));
    CHECK(former.generation == UINT32_MAX); /* as it was */
    release(NULL);
}

static void the_news_comes_exactly_once(void) {
    pid_t victim;
    set_up();
    victim = start_victim(acquire, NULL);
    REFUSED(ATOLL_TIMED_OUT, "not released", atoll_lock_acquire(lock, 0, NULL));
    CHECK(owner().pid == (uint32_t)victim && owner().alive);
    kill_victim(victim);
    wait_until_dead();
    CHECK(owner().pid == (uint32_t)victim);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    expect_news_of(victim);
    tear_down();
}

static void who_does_not_ask_is_told_by_the_status(void) {
    set_up();
    kill_victim(start_victim(acquire, NULL));
    EXPECT(ATOLL_OWNER_DIED, atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
    release(NULL);
    acquire(NULL);
    tear_down();
}

static void acquire_with_news(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OWNER_DIED, atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
}

/* Who has the news and dies with the lock is news in turn. */
static void each_death_is_told(void) {
    pid_t second;
    set_up();
    kill_victim(start_victim(acquire, NULL));
    second = start_victim(acquire_with_news, NULL);
    kill_victim(second);
    expect_news_of(second);
    tear_down();
}

static void a_release_for_a_dead_holder_ends_the_news(void) {
    set_up();
    kill_victim(start_victim(acquire, NULL));
    wait_until_dead();
    release(NULL);
    CHECK(!is_held());
    REFUSED(ATOLL_NOT_OWNER, "nobody holds", atoll_lock_release(lock));
    acquire(NULL);
    release(NULL);
    kill_victim(start_victim(acquire, NULL));
    in_child(release, NULL); /* whether it is known to be dead by then or not */
    in_child(acquire, NULL);
    EXPECT(ATOLL_OWNER_DIED, atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
    release(NULL);
    tear_down();
}

/* Each ends a process that holds the lock, without giving it back. */
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
    EXPECT(ATOLL_OK, atoll_lock_close(lock));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
}

static void every_end_is_told(void) {
    void (*const ends[])(void *) = {end_by_exit, end_by_exec, leave_by_closing_all};
    for (int i = 0; i < 3; i++) {
        set_up();
        in_child(ends[i], NULL);
        EXPECT(ATOLL_OWNER_DIED, atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
        release(NULL);
        acquire(NULL);
        release(NULL);
        tear_down();
    }
}

static void leave_and_come_back(void *unused) {
    atoll_owner former;
    acquire(unused);
    EXPECT(ATOLL_OK, atoll_process_leave());
    wait_until_dead(); /* the parent may still have to close its copy of the child's descriptor */
    CHECK(is_held());  /* by who it was before */
    EXPECT(ATOLL_OWNER_DIED, atoll_lock_acquire(lock, 0, &former));
    CHECK(former.generation != 0 && owner().pid == (uint32_t)getpid());
    release(NULL);
    acquire(NULL);
    EXPECT(ATOLL_OK, atoll_process_leave());
    release(NULL); /* a release after the holder has left */
    CHECK(!is_held());
}

static void who_comes_back_is_somebody_else(void) {
    set_up();
    in_child(leave_and_come_back, NULL);
    acquire(NULL);
    tear_down();
}

static atomic_int arrived, passed, told;
static pid_t victim;

static void wait_and_pass_on(void *unused) {
    atoll_status status;
    (void)unused;
    arrived++;
    status = atoll_lock_acquire(lock, ATOLL_FOREVER, NULL);
    CHECK(atoll_status_is_acquired(status));
    told += status == ATOLL_OWNER_DIED;
    passed++;
    release(NULL);
}

static void *kill_when_all_wait(void *n) {
    while (arrived < *(int *)n) usleep(100);
    usleep(30000); /* they sleep by now; if not, it has to work all the same */
    CHECK(passed == 0);
    kill_victim(victim);
    return NULL;
}

static void one_of_those_who_wait_is_told(void) {
    for (int waiters = 1; waiters <= 8; waiters *= 2) {
        pthread_t killer;
        set_up();
        arrived = passed = told = 0;
        victim = start_victim(acquire, NULL);
        CHECK(pthread_create(&killer, NULL, kill_when_all_wait, &waiters) == 0);
        in_crowd(waiters, wait_and_pass_on, NULL);
        CHECK(pthread_join(killer, NULL) == 0);
        CHECK(passed == waiters && told == 1 && !is_held());
        tear_down();
    }
}

static void wait_for_ever(void *unused) {
    EXPECT(ATOLL_OK, atoll_event_set(event));
    acquire(unused);
}

static void the_dead_do_not_get_it(void) {
    pid_t child;
    set_up();
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
    release(NULL);
    acquire(NULL); /* without news: it never held it */
    tear_down();
}

/* --- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled, wrong;

static void on_alarm(void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
}

static void release_one(int number) {
    (void)number;
    wrong |= atoll_lock_release(lock) != ATOLL_OK;
    handled++;
}

static void only_handle(int number) {
    (void)number;
    handled++;
}

static const struct itimerval soon = {{0, 0}, {0, 20000}};
/* A handler that runs before a sleep, or between two of them, ends no wait. */
static const struct itimerval soon_and_often = {{0, 20000}, {0, 20000}}, never;

static void a_handler_releases_what_its_thread_waits_for(void) {
    set_up();
    acquire(NULL);
    handled = wrong = 0;
    on_alarm(release_one, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    acquire(NULL);
    CHECK(handled == 1 && !wrong && is_held());
    on_alarm(SIG_DFL, 0);
    tear_down();
}

static void a_handler_ends_a_wait(void) {
    set_up();
    acquire(NULL);
    handled = 0;
    on_alarm(only_handle, 0);
    CHECK(setitimer(ITIMER_REAL, &soon_and_often, NULL) == 0);
    REFUSED(ATOLL_INTERRUPTED, "call again", atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(handled >= 1);
    handled = 0;
    on_alarm(only_handle, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    REFUSED(ATOLL_TIMED_OUT, "not released", atoll_lock_acquire(lock, 60000000, NULL));
    CHECK(handled == 1);
    on_alarm(SIG_DFL, 0);
    release(NULL);
    tear_down();
}

static void release_if_held(int number) {
    const atoll_status got = atoll_lock_release(lock);
    (void)number;
    wrong |= got != ATOLL_OK && got != ATOLL_NOT_OWNER;
    handled += got == ATOLL_OK;
}

static void it_can_be_released_at_any_instruction(void) {
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    set_up();
    handled = wrong = 0;
    on_alarm(release_if_held, SA_RESTART);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    while (handled < 500) acquire(NULL);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    on_alarm(SIG_DFL, 0);
    CHECK(!wrong);
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    tear_down();
}

static void a_thread_that_never_called_takes_no_place(void) {
    atoll_segment_info before = {0}, after = {0};
    set_up();
    acquire(NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &before));
    in_thread(release_in_a_thread, NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(!is_held() && before.participants == after.participants);
    tear_down();
}

int main(void) {
    RUN(the_news_comes_exactly_once);
    RUN(who_does_not_ask_is_told_by_the_status);
    RUN(each_death_is_told);
    RUN(a_release_for_a_dead_holder_ends_the_news);
    RUN(every_end_is_told);
    RUN(who_comes_back_is_somebody_else);
    RUN_WOKEN(one_of_those_who_wait_is_told);
    RUN(the_dead_do_not_get_it);
    RUN(a_handler_releases_what_its_thread_waits_for);
    RUN(a_handler_ends_a_wait);
    RUN(it_can_be_released_at_any_instruction);
    RUN(a_thread_that_never_called_takes_no_place);
    return any_failed;
}
