/* Locks that processes hold: any thread of any process releases them, and who comes after a holder
 * that has died, or left, has the news, once. */

#include <stdatomic.h>
#include <sys/time.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_lock *lock;
static atoll_event *event;

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_lock_create(segment, "lock", &lock));
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &event));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_event_close(event));
    EXPECT(ATOLL_OK, atoll_lock_close(lock));
    end_segment(segment, name);
}

static atoll_owner owner(void) {
    atoll_owner found;
    memset(&found, 0xff, sizeof found);
    EXPECT(ATOLL_OK, atoll_lock_owner(lock, &found));
    return found;
}

static bool is_held(void) {
    return owner().generation != 0;
}

static void acquire(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
}

static void *acquire_in_a_thread(void *unused) {
    acquire(unused);
    return unused;
}

static void release(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_lock_release(lock));
}

static void *release_in_a_thread(void *unused) {
    release(unused);
    return unused;
}

/* The kernel may clear a dead process away a little after its parent has heard of the end. */
static void wait_until_dead(void) {
    while (owner().alive && failures == 0) usleep(1000);
}

/* --- of one process -------------------------------------------------------------------------- */

static void take_and_give_back(void) {
    set_up();
    CHECK(!is_held());
    for (int i = 0; i < 3; i++) {
        acquire(NULL);
        CHECK(is_held());
        REFUSED(ATOLL_TIMED_OUT, "not released", atoll_lock_acquire(lock, 0, NULL));
        EXPECT(ATOLL_OK, atoll_segment_verify(segment));
        release(NULL);
        CHECK(!is_held());
        REFUSED(ATOLL_NOT_OWNER, "nobody holds", atoll_lock_release(lock));
    }
    tear_down();
}

static void any_thread_gives_back(void) {
    set_up();
    in_thread(acquire_in_a_thread, NULL);
    CHECK(is_held()); /* though that thread has ended */
    REFUSED(ATOLL_TIMED_OUT, "not released", atoll_lock_acquire(lock, 1000000, NULL));
    in_thread(release_in_a_thread, NULL);
    CHECK(!is_held());
    tear_down();
}

static void it_says_who_holds_it(void) {
    atoll_owner found;
    set_up();
    CHECK(owner().pid == 0 && owner().generation == 0 && !owner().alive);
    acquire(NULL);
    found = owner();
    CHECK(found.pid == (uint32_t)getpid() && found.alive && !found.owner_died && found.tid == 0);
    CHECK(found.name[0] != '\0');
    release(NULL);
    tear_down();
}

static void open_by_name_and_by_ticket(void) {
    atoll_lock *same, *first;
    atoll_mutex *mutex;
    atoll_semaphore *semaphore;
    atoll_ticket ticket;
    set_up();
    REFUSED(ATOLL_ALREADY_EXISTS, "lock", atoll_lock_create(segment, "lock", &same));
    CHECK(same == NULL);
    EXPECT(ATOLL_OK, atoll_lock_open(segment, "lock", &same));
    acquire(NULL);
    EXPECT(ATOLL_OK, atoll_lock_release(same));
    EXPECT(ATOLL_OK, atoll_lock_close(same));
    EXPECT(ATOLL_OK, atoll_lock_open_or_create(segment, "other", &first));
    EXPECT(ATOLL_OK, atoll_lock_open_or_create(segment, "other", &same));
    EXPECT(ATOLL_OK, atoll_lock_acquire(first, 0, NULL));
    EXPECT(ATOLL_TIMED_OUT, atoll_lock_acquire(same, 0, NULL));
    EXPECT(ATOLL_OK, atoll_lock_close(first));
    EXPECT(ATOLL_TIMED_OUT, atoll_lock_acquire(same, 0, NULL)); /* close does not release */
    EXPECT(ATOLL_OK, atoll_lock_export(same, &ticket));
    EXPECT(ATOLL_OK, atoll_lock_import(&ticket, &first));
    EXPECT(ATOLL_OK, atoll_lock_release(first));
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_mutex_import(&ticket, &mutex));
    EXPECT(ATOLL_OK, atoll_lock_close(first));
    EXPECT(ATOLL_OK, atoll_lock_close(same));
    REFUSED(ATOLL_WRONG_KIND, "a lock", atoll_mutex_open(segment, "lock", NULL, &mutex));
    REFUSED(ATOLL_WRONG_KIND, "a lock", atoll_semaphore_open(segment, "lock", NULL, &semaphore));
    REFUSED(ATOLL_WRONG_KIND, "a lock", atoll_mutex_remove(segment, "lock"));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "mutex", NULL, &mutex));
    REFUSED(ATOLL_WRONG_KIND, "a mutex", atoll_lock_open(segment, "mutex", &same));
    REFUSED(ATOLL_WRONG_KIND, "a mutex", atoll_lock_remove(segment, "mutex"));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_lock_remove(segment, "lock"));
    REFUSED(ATOLL_NOT_FOUND, "lock", atoll_lock_open(segment, "lock", &same));
    acquire(NULL); /* who has it open goes on using it */
    release(NULL);
    tear_down();
}

static void bad_input_is_refused(void) {
    atoll_lock *closed;
    atoll_owner found;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_lock_acquire(lock, -1, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_lock_acquire(lock, INT64_MIN, NULL));
    CHECK(!is_held());
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_lock_owner(lock, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_lock_create(segment, NULL, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "name", atoll_lock_open(segment, NULL, &closed));
    REFUSED(ATOLL_INVALID_ARGUMENT, "name", atoll_lock_create(segment, "a/b", &closed));
    EXPECT(ATOLL_OK, atoll_lock_create(segment, NULL, &closed));
    EXPECT(ATOLL_OK, atoll_lock_close(closed));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_lock_close(closed));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_lock_acquire(closed, 0, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_lock_release(closed));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_lock_owner(closed, &found));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_lock_acquire(NULL, 0, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind", atoll_lock_release((atoll_lock *)event));
    EXPECT(ATOLL_OK, atoll_lock_close(NULL));
    tear_down();
}

static void who_may_only_read_can_look(void) {
    atoll_segment_options read_only = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader;
    atoll_lock *seen;
    atoll_owner found;
    set_up();
    acquire(NULL);
    read_only.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &read_only, &reader));
    EXPECT(ATOLL_OK, atoll_lock_open(reader, "lock", &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_lock_acquire(seen, 0, NULL));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_lock_release(seen));
    EXPECT(ATOLL_OK, atoll_lock_owner(seen, &found));
    CHECK(found.pid == (uint32_t)getpid() && found.alive);
    EXPECT(ATOLL_OK, atoll_lock_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    release(NULL);
    tear_down();
}

enum { ROUNDS = 3000 };

static int inside, most_inside;

static void come_and_go(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        int now;
        acquire(NULL);
        now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        if (now > most_inside) most_inside = now;
        if (i % 16 == 0) sched_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        release(NULL);
    }
}

static void one_is_inside(void) {
    set_up();
    inside = most_inside = 0;
    in_crowd(4, come_and_go, NULL);
    CHECK(most_inside == 1 && !is_held());
    tear_down();
}

/* --- of several ------------------------------------------------------------------------------ */

static void child_holds_nothing(void *unused) {
    (void)unused;
    REFUSED(ATOLL_TIMED_OUT, "not released", atoll_lock_acquire(lock, 0, NULL));
    CHECK(owner().pid == (uint32_t)getppid() && owner().alive);
}

static void a_forked_child_does_not_hold_what_its_parent_holds(void) {
    set_up();
    acquire(NULL);
    in_child(child_holds_nothing, NULL);
    CHECK(owner().pid == (uint32_t)getpid()); /* its end releases nothing */
    release(NULL);
    tear_down();
}

static void any_process_gives_back(void) {
    set_up();
    acquire(NULL);
    in_child(release, NULL);
    CHECK(!is_held());
    REFUSED(ATOLL_NOT_OWNER, "nobody holds", atoll_lock_release(lock));
    tear_down();
}

static void two_processes_take_turns(void) {
    int status = 0;
    pid_t child;
    set_up();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        come_and_go(NULL);
        fflush(stdout);
        _exit(failures != 0);
    }
    come_and_go(NULL);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(!is_held());
    tear_down();
}

static void *release_soon(void *unused) {
    usleep(30000);
    release(NULL);
    return unused;
}

static void who_waits_for_its_own_process_goes_on(void) {
    pthread_t giver;
    set_up();
    acquire(NULL);
    CHECK(pthread_create(&giver, NULL, release_soon, NULL) == 0);
    acquire(NULL);
    CHECK(pthread_join(giver, NULL) == 0);
    release(NULL);
    tear_down();
}

static void wait_and_release(void *unused) {
    EXPECT(ATOLL_OK, atoll_event_set(event));
    acquire(unused);
    release(unused);
}

static void who_waits_in_another_process_goes_on(void) {
    int status = 0;
    pid_t child;
    set_up();
    acquire(NULL);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        wait_and_release(NULL);
        fflush(stdout);
        _exit(failures != 0);
    }
    EXPECT(ATOLL_OK, atoll_event_wait(event, ATOLL_FOREVER));
    usleep(20000); /* it sleeps by now; if not, it has to work all the same */
    in_child(release, NULL); /* a third process, which never held it */
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(!is_held());
    tear_down();
}

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
    CHECK(is_held() && !owner().alive); /* by who it was before */
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
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    REFUSED(ATOLL_INTERRUPTED, "call again", atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
    CHECK(handled == 1);
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
    RUN(take_and_give_back);
    RUN(any_thread_gives_back);
    RUN(it_says_who_holds_it);
    RUN(open_by_name_and_by_ticket);
    RUN(bad_input_is_refused);
    RUN(who_may_only_read_can_look);
    RUN_WOKEN(one_is_inside);
    RUN(a_forked_child_does_not_hold_what_its_parent_holds);
    RUN(any_process_gives_back);
    RUN(two_processes_take_turns);
    RUN_WOKEN(who_waits_for_its_own_process_goes_on);
    RUN_WOKEN(who_waits_in_another_process_goes_on);
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
