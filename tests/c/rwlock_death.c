/* Reader-writer locks whose readers and writers are killed, fork, or end without a word. */

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_rwlock *lock;

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_rwlock_create(segment, "guard", &lock));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_rwlock_close(lock));
    end_segment(segment, name);
}

static uint32_t readers(void) {
    uint32_t n = 77;
    EXPECT(ATOLL_OK, atoll_rwlock_readers(lock, &n));
    return n;
}

static void read_it(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
}

static void write_it(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
}

/* Nobody is in, and there is no news. */
static void expect_free(void) {
    atoll_owner owner;
    CHECK(readers() == 0);
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_dead_owner(lock, &owner));
    CHECK(owner.generation == 0);
}

static void a_dead_writer_is_told_to_all_until_it_is_marked(void) {
    atoll_owner owner;
    pid_t victim;
    set_up();
    victim = start_victim(write_it, NULL);
    REFUSED(ATOLL_TIMED_OUT, "", atoll_rwlock_read_lock(lock, 0));
    REFUSED(ATOLL_TIMED_OUT, "", atoll_rwlock_write_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_owner(lock, &owner));
    CHECK(owner.pid == (uint32_t)victim && owner.alive && !owner.owner_died);
    kill_victim(victim);
    for (int i = 0; i < 2; i++) { /* readers are told, and cannot end it */
        EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
        EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
        REFUSED(ATOLL_NOT_OWNER, "", atoll_rwlock_mark_consistent(lock));
        EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
        EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
        EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_rwlock_owner(lock, &owner));
        CHECK(owner.pid == (uint32_t)getpid() && owner.alive && owner.owner_died);
        EXPECT(ATOLL_OK, atoll_rwlock_dead_owner(lock, &owner));
        CHECK(owner.pid == (uint32_t)victim && !owner.alive);
        EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    }
    EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_write_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_mark_consistent(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    expect_free();
    tear_down();
}

static void a_dead_reader_no_longer_counts(void) {
    pid_t victim;
    set_up();
    victim = start_victim(read_it, NULL);
    CHECK(readers() == 1);
    REFUSED(ATOLL_TIMED_OUT, "", atoll_rwlock_write_lock(lock, 0));
    REFUSED(ATOLL_TIMED_OUT, "", atoll_rwlock_write_lock(lock, 1000000));
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0)); /* who gave up is in nobody's way */
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    kill_victim(victim);
    expect_free();
    tear_down();
}

/* What a thread gets that waits while a victim is killed. */
struct waiter {
    atoll_status (*call)(atoll_rwlock *, int64_t);
    atoll_status (*undo)(atoll_rwlock *);
    atoll_status got;
};

static void *wait_for_it(void *argument) {
    struct waiter *waiter = argument;
    waiter->got = waiter->call(lock, ATOLL_FOREVER);
    EXPECT(ATOLL_OK, waiter->undo(lock));
    return NULL;
}

static atoll_status wait_while_it_dies(pid_t victim, bool to_write) {
    struct waiter waiter = {atoll_rwlock_read_lock, atoll_rwlock_read_unlock, ATOLL_PANICKED};
    pthread_t thread;
    if (to_write) {
        waiter.call = atoll_rwlock_write_lock;
        waiter.undo = atoll_rwlock_write_unlock;
    }
    CHECK(pthread_create(&thread, NULL, wait_for_it, &waiter) == 0);
    usleep(20000); /* most likely it sleeps by now; if not, the result is the same */
    kill_victim(victim);
    CHECK(pthread_join(thread, NULL) == 0);
    return waiter.got;
}

static void who_waits_is_woken_by_a_death(void) {
    for (int to_write = 0; to_write <= 1; to_write++) {
        set_up();
        CHECK(wait_while_it_dies(start_victim(write_it, NULL), to_write) == ATOLL_OWNER_DIED);
        EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_write_lock(lock, 0));
        EXPECT(ATOLL_OK, atoll_rwlock_mark_consistent(lock));
        EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
        tear_down();
    }
    set_up();
    CHECK(wait_while_it_dies(start_victim(read_it, NULL), true) == ATOLL_OK);
    expect_free();
    tear_down();
}

/* A child that waits, to be killed in its wait. */
static pid_t start_waiting(void (*body)(void *)) {
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        body(NULL);
        _exit(1); /* it is killed before it gets what it waits for */
    }
    return child;
}

static void a_writer_killed_while_it_waits_for_readers_is_no_news(void) {
    atoll_owner owner = {0};
    pid_t victim;
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    victim = start_waiting(write_it);
    while (owner.generation == 0) EXPECT(ATOLL_OK, atoll_rwlock_owner(lock, &owner));
    CHECK(owner.pid == (uint32_t)victim);
    usleep(20000);
    kill_victim(victim);
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, ATOLL_FOREVER)); /* without a look */
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    expect_free();
    tear_down();
}

/* Who takes over from it is told of an earlier death all the same. */
static void it_does_not_hide_earlier_news(void) {
    atoll_owner owner = {0};
    pid_t victim, second;
    set_up();
    victim = start_victim(write_it, NULL);
    kill_victim(victim);
    EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_read_lock(lock, 0));
    second = start_waiting(write_it);
    while (!owner.alive) EXPECT(ATOLL_OK, atoll_rwlock_owner(lock, &owner));
    kill_victim(second);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_rwlock_dead_owner(lock, &owner));
    CHECK(owner.pid == (uint32_t)victim);
    EXPECT(ATOLL_OK, atoll_rwlock_mark_consistent(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    expect_free();
    tear_down();
}

static void who_is_killed_waiting_leaves_nothing(void) {
    void (*const bodies[])(void *) = {read_it, write_it};
    set_up();
    for (int i = 0; i < 2; i++) {
        pid_t victim;
        EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
        victim = start_waiting(bodies[i]);
        usleep(20000);
        kill_victim(victim);
        EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
        expect_free();
    }
    tear_down();
}

static void write_and_leave(void *unused) {
    write_it(unused);
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
}

static void who_has_unlocked_is_no_news(void) {
    set_up();
    kill_victim(start_victim(write_and_leave, NULL));
    expect_free();
    tear_down();
}

static void *end_reading(void *unused) {
    read_it(NULL);
    read_it(NULL);
    return unused;
}

static void *end_writing(void *unused) {
    write_it(NULL);
    return unused;
}

static void a_thread_that_ends_is_like_one_that_died(void) {
    set_up();
    in_thread(end_reading, NULL);
    expect_free();
    in_thread(end_writing, NULL);
    EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_read_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    tear_down();
}

static void exit_reading(void *unused) {
    read_it(unused);
    fflush(stdout);
    exit(failures != 0);
}

static void a_process_that_exits_reading_no_longer_counts(void) {
    set_up();
    in_child(exit_reading, NULL);
    expect_free();
    tear_down();
}

/* The next owners of a dead reader's place in the segment do not read what it read. */
static void a_dead_readers_place_is_clean(void) {
    set_up();
    for (int i = 0; i < 40; i++) { /* as many as a block of the roster has places */
        kill_victim(start_victim(read_it, NULL));
        CHECK(readers() == 0);
    }
    in_crowd(8, write_and_leave, NULL);
    expect_free();
    tear_down();
}

static void child_holds_nothing(void *unused) {
    (void)unused;
    CHECK(readers() == 1); /* the parent */
    REFUSED(ATOLL_NOT_OWNER, "", atoll_rwlock_read_unlock(lock));
    REFUSED(ATOLL_TIMED_OUT, "", atoll_rwlock_write_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    CHECK(readers() == 2);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    REFUSED(ATOLL_NOT_OWNER, "", atoll_rwlock_read_unlock(lock));
}

static void child_takes_the_short_way_first(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    CHECK(readers() == 2);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
}

static void child_may_not_write(void *unused) {
    (void)unused;
    REFUSED(ATOLL_NOT_OWNER, "", atoll_rwlock_write_unlock(lock));
    REFUSED(ATOLL_TIMED_OUT, "", atoll_rwlock_read_lock(lock, 0));
}

static void a_forked_child_does_not_hold_its_parents_locks(void) {
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    in_child(child_holds_nothing, NULL);
    in_child(child_takes_the_short_way_first, NULL);
    CHECK(readers() == 1);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
    in_child(child_may_not_write, NULL);
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    expect_free();
    tear_down();
}

int main(void) {
    RUN(a_dead_writer_is_told_to_all_until_it_is_marked);
    RUN(a_dead_reader_no_longer_counts);
    RUN_WOKEN(who_waits_is_woken_by_a_death);
    RUN(a_writer_killed_while_it_waits_for_readers_is_no_news);
    RUN(it_does_not_hide_earlier_news);
    RUN(who_is_killed_waiting_leaves_nothing);
    RUN(who_has_unlocked_is_no_news);
    RUN(a_thread_that_ends_is_like_one_that_died);
    RUN(a_process_that_exits_reading_no_longer_counts);
    RUN(a_dead_readers_place_is_clean);
    RUN(a_forked_child_does_not_hold_its_parents_locks);
    return any_failed;
}
