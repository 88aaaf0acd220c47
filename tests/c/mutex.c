/* Mutexes: taking, waiting, giving back, and what misuse gets. */

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex;

static void set_up(bool recursive) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    options.recursive = recursive;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "guard", &options, &mutex));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static void lock_and_unlock(void) {
    atoll_owner owner;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    CHECK(owner.pid == 0);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    CHECK(owner.pid == (uint32_t)getpid() && owner.tid == (uint32_t)gettid());
    CHECK(owner.alive && !owner.owner_died && owner.name[0] != '\0');
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    CHECK(owner.pid == 0);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    tear_down();
}

static void plain_is_not_recursive(void) {
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    REFUSED(ATOLL_DEADLOCK, "thread", atoll_mutex_lock(mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    REFUSED(ATOLL_NOT_OWNER, "", atoll_mutex_unlock(mutex));
    tear_down();
}

static void recursive_counts(void) {
    atoll_owner owner;
    set_up(true);
    for (int i = 0; i < 3; i++) EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    for (int i = 0; i < 2; i++) EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    CHECK(owner.pid == (uint32_t)getpid());
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    REFUSED(ATOLL_NOT_OWNER, "", atoll_mutex_unlock(mutex));
    tear_down();
}

static void open_by_name(void) {
    atoll_mutex *same, *other;
    atoll_mutex_options recursive = ATOLL_MUTEX_OPTIONS_INIT;
    recursive.recursive = 1;
    set_up(false);
    REFUSED(ATOLL_ALREADY_EXISTS, "guard", atoll_mutex_create(segment, "guard", NULL, &other));
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_mutex_open(segment, "nobody", NULL, &other));
    REFUSED(ATOLL_WRONG_KIND, "recursive", atoll_mutex_open(segment, "guard", &recursive, &other));
    REFUSED(ATOLL_WRONG_KIND, "recursive",
            atoll_mutex_open_or_create(segment, "guard", &recursive, &other));
    EXPECT(ATOLL_OK, atoll_mutex_open_or_create(segment, "new", &recursive, &other));
    EXPECT(ATOLL_OK, atoll_mutex_close(other));
    EXPECT(ATOLL_OK, atoll_mutex_open(segment, "guard", NULL, &same));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    REFUSED(ATOLL_DEADLOCK, "", atoll_mutex_lock(same, 0)); /* two handles, one mutex */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(same));
    EXPECT(ATOLL_OK, atoll_mutex_close(same));
    tear_down();
}

static void closing_a_handle_does_not_unlock(void) {
    atoll_mutex *same;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_open(segment, "guard", NULL, &same));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    mutex = same;
    REFUSED(ATOLL_DEADLOCK, "", atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    tear_down();
}

static void *fail_to_take_over(void *unused) {
    atoll_owner owner;
    const int64_t wait = 20 * 1000000, begin = now_ns();
    REFUSED(ATOLL_TIMED_OUT, "", atoll_mutex_lock(mutex, 0));
    REFUSED(ATOLL_TIMED_OUT, "", atoll_mutex_lock(mutex, wait));
    CHECK(now_ns() - begin >= wait);
    REFUSED(ATOLL_NOT_OWNER, "", atoll_mutex_unlock(mutex));
    REFUSED(ATOLL_NOT_OWNER, "", atoll_mutex_mark_consistent(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    CHECK(owner.pid == (uint32_t)getpid() && owner.tid != (uint32_t)gettid());
    return unused;
}

static void another_thread_waits_and_may_not_unlock(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        set_up(recursive);
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
        in_thread(fail_to_take_over, NULL);
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
        tear_down();
    }
}

static void child_holds_nothing(void *unused) {
    (void)unused;
    REFUSED(ATOLL_NOT_OWNER, "", atoll_mutex_unlock(mutex));
    REFUSED(ATOLL_TIMED_OUT, "", atoll_mutex_lock(mutex, 0));
}

static void child_takes_its_turn(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
}

static void a_forked_child_does_not_hold_its_parents_locks(void) {
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    in_child(child_holds_nothing, NULL);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    in_child(child_takes_its_turn, NULL);
    tear_down();
}

enum { ROUNDS = 2000, WORKERS = 3 };

static void count_up(void *counter) {
    for (int i = 0; i < ROUNDS; i++) {
        int seen;
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
        seen = *(int *)counter;
        sched_yield(); /* lets the others in, if they can get in */
        *(int *)counter = seen + 1;
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    }
}

static void it_excludes(void) {
    int counter = 0;
    set_up(false);
    in_crowd(WORKERS, count_up, &counter);
    CHECK(counter == ROUNDS * WORKERS);
    tear_down();
}

static volatile sig_atomic_t handled;

static void note_signal(int signal) {
    (void)signal;
    handled = 1;
}

struct waiter {
    int64_t timeout_ns;
    atoll_status got;
    int done; /* atomic */
};

static void *wait_for_the_lock(void *argument) {
    struct waiter *waiter = argument;
    waiter->got = atoll_mutex_lock(mutex, waiter->timeout_ns);
    __atomic_store_n(&waiter->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* The same; once more if its time was over before a signal had come. */
static void *wait_for_the_lock_and_signals(void *argument) {
    struct waiter *waiter = argument;
    do waiter->got = atoll_mutex_lock(mutex, waiter->timeout_ns);
    while (waiter->got == ATOLL_TIMED_OUT && !handled);
    __atomic_store_n(&waiter->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* What a wait in a thread returns whose signals are handled all the while. */
static atoll_status wait_under_signals(int flags, int64_t timeout_ns) {
    struct waiter waiter = {timeout_ns, ATOLL_PANICKED, 0};
    struct sigaction action, old;
    pthread_t thread;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    action.sa_flags = flags;
    handled = 0;
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    CHECK(pthread_create(&thread, NULL, wait_for_the_lock_and_signals, &waiter) == 0);
    while (!__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE)) {
        pthread_kill(thread, SIGUSR1);
        usleep(1000);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &old, NULL) == 0);
    CHECK(handled);
    return waiter.got;
}

static void a_signal_handler_ends_a_wait_unless_it_restarts(void) {
    const int64_t wait = 50 * 1000000, begin = now_ns();
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(wait_under_signals(0, ATOLL_FOREVER) == ATOLL_INTERRUPTED);
    CHECK(wait_under_signals(SA_RESTART, wait) == ATOLL_TIMED_OUT);
    CHECK(now_ns() - begin >= wait);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    tear_down();
}

static void a_wait_outlives_the_handle(void) {
    struct waiter waiter = {ATOLL_FOREVER, ATOLL_PANICKED, 0};
    atoll_mutex *same, *handle;
    pthread_t thread;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_open(segment, "guard", NULL, &same));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(pthread_create(&thread, NULL, wait_for_the_lock, &waiter) == 0);
    usleep(20000); /* most likely it waits by now; if not, its handle is closed, and it is told */
    handle = mutex;
    mutex = same;
    EXPECT(ATOLL_OK, atoll_mutex_close(handle));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(waiter.got == ATOLL_OK || waiter.got == ATOLL_INVALID_ARGUMENT);
    EXPECT(waiter.got == ATOLL_OK ? ATOLL_OWNER_DIED : ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex)); /* the thread ended holding it */
    tear_down();
}

static void a_negative_timeout_is_refused(void) {
    set_up(false);
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_mutex_lock(mutex, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_mutex_lock(mutex, INT64_MIN));
    tear_down();
}

int main(void) {
    RUN(lock_and_unlock);
    RUN(plain_is_not_recursive);
    RUN(recursive_counts);
    RUN(open_by_name);
    RUN(closing_a_handle_does_not_unlock);
    RUN(another_thread_waits_and_may_not_unlock);
    RUN(a_forked_child_does_not_hold_its_parents_locks);
    RUN(it_excludes);
    RUN(a_signal_handler_ends_a_wait_unless_it_restarts);
    RUN(a_wait_outlives_the_handle);
    RUN(a_negative_timeout_is_refused);
    return any_failed;
}
