/* Locks that processes hold: any thread of any process releases them, and who comes after a holder
 * that has died, or left, has the news, once. */

#include <stdatomic.h>

#include "process_lock.h"

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
    return any_failed;
}
