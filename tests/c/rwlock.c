/* Reader-writer locks: reading together, writing alone, counting, and what misuse gets. */

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

/* Calls one of the four in another thread, and says what it returned. */
struct attempt {
    atoll_status (*call)(atoll_rwlock *, int64_t);
    atoll_status (*undo)(atoll_rwlock *);
    int64_t timeout_ns;
    atoll_status got;
    int done; /* atomic */
};

static void *make_attempt(void *argument) {
    struct attempt *attempt = argument;
    attempt->got = attempt->call(lock, attempt->timeout_ns);
    if (atoll_status_is_acquired(attempt->got)) EXPECT(ATOLL_OK, attempt->undo(lock));
    __atomic_store_n(&attempt->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static atoll_status others_read(int64_t timeout_ns) {
    struct attempt attempt = {atoll_rwlock_read_lock, atoll_rwlock_read_unlock, timeout_ns,
                              ATOLL_PANICKED, 0};
    in_thread(make_attempt, &attempt);
    return attempt.got;
}

static atoll_status others_write(int64_t timeout_ns) {
    struct attempt attempt = {atoll_rwlock_write_lock, atoll_rwlock_write_unlock, timeout_ns,
                              ATOLL_PANICKED, 0};
    in_thread(make_attempt, &attempt);
    return attempt.got;
}

static pthread_t start(struct attempt *attempt) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, make_attempt, attempt) == 0);
    usleep(20000); /* most likely it waits by now; if not, the results are the same */
    return thread;
}

static void many_read_or_one_writes(void) {
    set_up();
    CHECK(readers() == 0);
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
    CHECK(readers() == 1);
    CHECK(others_read(0) == ATOLL_OK);
    CHECK(others_write(0) == ATOLL_TIMED_OUT);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    CHECK(readers() == 0);
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
    CHECK(others_read(0) == ATOLL_TIMED_OUT);
    CHECK(others_write(0) == ATOLL_TIMED_OUT);
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    CHECK(others_write(0) == ATOLL_OK);
    CHECK(others_read(0) == ATOLL_OK);
    tear_down();
}

static void a_reader_may_read_again_and_counts(void) {
    set_up();
    for (int i = 0; i < 3; i++) EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    CHECK(readers() == 1);
    for (int i = 0; i < 3; i++) {
        CHECK(others_write(0) == ATOLL_TIMED_OUT);
        EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    }
    REFUSED(ATOLL_NOT_OWNER, "read", atoll_rwlock_read_unlock(lock));
    CHECK(others_write(0) == ATOLL_OK);
    tear_down();
}

static void it_counts_to_the_end_and_not_further(void) {
    enum { MOST = 32767 };
    int locked = 0;
    set_up();
    while (locked < MOST && atoll_rwlock_read_lock(lock, 0) == ATOLL_OK) locked++;
    CHECK(locked == MOST);
    REFUSED(ATOLL_FULL, "32,767", atoll_rwlock_read_lock(lock, 0));
    while (locked > 0 && atoll_rwlock_read_unlock(lock) == ATOLL_OK) locked--;
    CHECK(locked == 0);
    REFUSED(ATOLL_NOT_OWNER, "", atoll_rwlock_read_unlock(lock));
    tear_down();
}

static void a_waiting_writer_keeps_new_readers_out_and_none_that_is_in(void) {
    struct attempt writer = {atoll_rwlock_write_lock, atoll_rwlock_write_unlock, ATOLL_FOREVER,
                             ATOLL_PANICKED, 0};
    atoll_owner owner = {0};
    pthread_t thread;
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    thread = start(&writer);
    while (owner.generation == 0) EXPECT(ATOLL_OK, atoll_rwlock_owner(lock, &owner));
    CHECK(owner.pid == (uint32_t)getpid() && owner.tid != (uint32_t)gettid());
    CHECK(others_read(0) == ATOLL_TIMED_OUT);
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0)); /* or both would wait for ever */
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    CHECK(!__atomic_load_n(&writer.done, __ATOMIC_ACQUIRE));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(writer.got == ATOLL_OK);
    tear_down();
}

static void waits_end_in_time(void) {
    const int64_t wait = 20 * 1000000;
    int64_t begin = now_ns();
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    CHECK(others_write(wait) == ATOLL_TIMED_OUT);
    CHECK(now_ns() - begin >= wait);
    CHECK(others_read(0) == ATOLL_OK); /* a writer that gives up lets readers in again */
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
    begin = now_ns();
    CHECK(others_read(wait) == ATOLL_TIMED_OUT);
    CHECK(others_write(wait) == ATOLL_TIMED_OUT);
    CHECK(now_ns() - begin >= 2 * wait);
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    tear_down();
}

struct meeting {
    int roles, held; /* atomic */
};

/* The first writes, until the others most likely wait, readers and writers by turns. */
static void play_a_role(void *argument) {
    struct meeting *meeting = argument;
    const int role = __atomic_fetch_add(&meeting->roles, 1, __ATOMIC_RELAXED);
    if (role == 0) {
        EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
        __atomic_store_n(&meeting->held, 1, __ATOMIC_RELEASE);
        usleep(30000);
        EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
        return;
    }
    while (!__atomic_load_n(&meeting->held, __ATOMIC_ACQUIRE)) usleep(1000);
    if (role % 2) {
        EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    } else {
        EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
        EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    }
}

static void who_waits_is_woken(void) {
    struct meeting meeting = {0, 0};
    set_up();
    in_crowd(7, play_a_role, &meeting);
    CHECK(readers() == 0);
    tear_down();
}

static void what_would_wait_for_itself_is_refused(void) {
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    REFUSED(ATOLL_DEADLOCK, "reads", atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
    REFUSED(ATOLL_NOT_OWNER, "write", atoll_rwlock_write_unlock(lock));
    REFUSED(ATOLL_NOT_OWNER, "write", atoll_rwlock_mark_consistent(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
    REFUSED(ATOLL_DEADLOCK, "writes", atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
    REFUSED(ATOLL_DEADLOCK, "writes", atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
    REFUSED(ATOLL_NOT_OWNER, "read", atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    REFUSED(ATOLL_NOT_OWNER, "write", atoll_rwlock_write_unlock(lock));
    tear_down();
}

enum { PLACES = 8 };

/* As many locks as a thread can read, and one more. */
static void a_thread_reads_eight_and_not_nine(void) {
    atoll_rwlock *locks[PLACES + 1];
    set_up();
    for (int i = 0; i <= PLACES; i++) {
        EXPECT(ATOLL_OK, atoll_rwlock_create(segment, NULL, &locks[i]));
    }
    for (int i = 0; i < PLACES; i++) EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[i], 0));
    REFUSED(ATOLL_FULL, "8", atoll_rwlock_read_lock(locks[PLACES], ATOLL_FOREVER));
    for (int i = 0; i < PLACES; i++) EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[i], 0));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(locks[PLACES], 0)); /* needs no place */
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(locks[PLACES]));
    for (int i = 0; i < 2 * PLACES; i++) {
        EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(locks[i % PLACES]));
    }
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[PLACES], 0));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(locks[PLACES]));
    for (int i = 0; i <= PLACES; i++) EXPECT(ATOLL_OK, atoll_rwlock_close(locks[i]));
    tear_down();
}

/* A lock's usual place may be another one's: then it is read elsewhere, and later in both. */
static void two_marks_of_one_lock_are_made_one(void) {
    atoll_rwlock *locks[2 * PLACES];
    set_up();
    for (int i = 0; i < 2 * PLACES; i++) {
        EXPECT(ATOLL_OK, atoll_rwlock_create(segment, NULL, &locks[i]));
    }
    for (int i = 0; i < PLACES; i++) { /* of some pair, both have the same usual place */
        for (int j = PLACES; j < 2 * PLACES; j++) {
            int held = 0;
            EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[i], 0));
            EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[j], 0)); /* elsewhere */
            EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(locks[i]));
            EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[j], 0)); /* again, where it belongs */
            for (int k = 0; k < 2 * PLACES && held < PLACES - 1; k++) {
                if (k == j) continue;
                EXPECT(ATOLL_OK, atoll_rwlock_read_lock(locks[k], 0));
                held++;
            }
            for (int k = 0; k < 2 * PLACES && held > 0; k++) {
                if (k == j) continue;
                EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(locks[k]));
                held--;
            }
            EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(locks[j]));
            EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(locks[j]));
            EXPECT(ATOLL_NOT_OWNER, atoll_rwlock_read_unlock(locks[j]));
            EXPECT(ATOLL_OK, atoll_rwlock_write_lock(locks[j], 0));
            EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(locks[j]));
        }
    }
    for (int i = 0; i < 2 * PLACES; i++) EXPECT(ATOLL_OK, atoll_rwlock_close(locks[i]));
    tear_down();
}

static void *read_unlock_of_others(void *unused) {
    REFUSED(ATOLL_NOT_OWNER, "thread", atoll_rwlock_read_unlock(lock));
    REFUSED(ATOLL_NOT_OWNER, "thread", atoll_rwlock_write_unlock(lock));
    REFUSED(ATOLL_NOT_OWNER, "thread", atoll_rwlock_mark_consistent(lock));
    return unused;
}

static void only_who_locked_may_unlock(void) {
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    in_thread(read_unlock_of_others, NULL);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
    in_thread(read_unlock_of_others, NULL);
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    tear_down();
}

static void open_by_name(void) {
    atoll_rwlock *same, *other = lock;
    atoll_mutex *mutex;
    set_up();
    REFUSED(ATOLL_ALREADY_EXISTS, "guard", atoll_rwlock_create(segment, "guard", &other));
    CHECK(other == NULL);
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_rwlock_open(segment, "nobody", &other));
    REFUSED(ATOLL_INVALID_ARGUMENT, "", atoll_rwlock_open(segment, NULL, &other));
    REFUSED(ATOLL_WRONG_KIND, "reader-writer", atoll_mutex_open(segment, "guard", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "mutex", NULL, &mutex));
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_rwlock_open_or_create(segment, "mutex", &other));
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_rwlock_remove(segment, "mutex"));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_rwlock_open_or_create(segment, "new", &other));
    EXPECT(ATOLL_OK, atoll_rwlock_remove(segment, "new"));
    EXPECT(ATOLL_OK, atoll_rwlock_close(other));
    EXPECT(ATOLL_OK, atoll_rwlock_open(segment, "guard", &same));
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0)); /* two handles, one lock */
    CHECK(readers() == 1);
    REFUSED(ATOLL_DEADLOCK, "", atoll_rwlock_write_lock(same, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(same, 0));
    CHECK(readers() == 1);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(same));
    EXPECT(ATOLL_OK, atoll_rwlock_close(same));
    tear_down();
}

static void handed_over_by_a_ticket(void) {
    atoll_rwlock *anonymous, *same = NULL;
    atoll_mutex *mutex;
    atoll_ticket ticket;
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_create(segment, NULL, &anonymous));
    EXPECT(ATOLL_OK, atoll_rwlock_export(anonymous, &ticket));
    CHECK(ticket.words[0] == ATOLL_KIND_RWLOCK);
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_mutex_import(&ticket, &mutex));
    EXPECT(ATOLL_OK, atoll_rwlock_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(anonymous, 0));
    REFUSED(ATOLL_DEADLOCK, "", atoll_rwlock_read_lock(same, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(same));
    EXPECT(ATOLL_OK, atoll_rwlock_close(same));
    EXPECT(ATOLL_OK, atoll_rwlock_close(anonymous));
    tear_down();
}

static void closing_a_handle_does_not_unlock(void) {
    atoll_rwlock *same;
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_open(segment, "guard", &same));
    EXPECT(ATOLL_OK, atoll_rwlock_close(lock));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_rwlock_read_unlock(lock));
    lock = same;
    CHECK(readers() == 1);
    CHECK(others_write(0) == ATOLL_TIMED_OUT);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    CHECK(others_write(0) == ATOLL_OK);
    tear_down();
}

/* What was read when the last handle went: the mark names nothing that will ever be. */
static void closing_the_last_handle_while_reading_harms_nobody(void) {
    atoll_rwlock *gone, *next;
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_create(segment, NULL, &gone));
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(gone, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_close(gone));
    EXPECT(ATOLL_OK, atoll_rwlock_create(segment, NULL, &next)); /* likely in its place */
    CHECK(readers() == 0);
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(next, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(next));
    REFUSED(ATOLL_NOT_OWNER, "", atoll_rwlock_read_unlock(next));
    EXPECT(ATOLL_OK, atoll_rwlock_close(next));
    tear_down();
}

static void bad_input_is_refused(void) {
    uint32_t n = 77;
    atoll_owner owner;
    atoll_rwlock *stranger;
    set_up();
    memcpy(&stranger, &segment, sizeof stranger);
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_rwlock_read_lock(lock, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_rwlock_write_lock(lock, INT64_MIN));
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0)); /* the way is short from here on */
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_rwlock_read_lock(lock, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_read_lock(NULL, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_read_unlock(NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_write_lock(NULL, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_write_unlock(NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_mark_consistent(NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind", atoll_rwlock_read_lock(stranger, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind", atoll_rwlock_read_unlock(stranger));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_rwlock_readers(lock, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_rwlock_owner(lock, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_rwlock_dead_owner(lock, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_readers(NULL, &n));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_owner(NULL, &owner));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_rwlock_create(segment, "x", NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "/", atoll_rwlock_create(segment, "a/b", &stranger));
    REFUSED(ATOLL_NOT_FOUND, "nothing", atoll_rwlock_remove(segment, "nothing"));
    EXPECT(ATOLL_OK, atoll_rwlock_close(NULL));
    CHECK(n == 77);
    tear_down();
}

static void who_may_only_look_cannot_lock(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *glass;
    atoll_rwlock *seen;
    uint32_t n = 77;
    options.read_only = 1;
    set_up();
    EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &glass));
    EXPECT(ATOLL_OK, atoll_rwlock_open(glass, "guard", &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_rwlock_read_lock(seen, 0));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_rwlock_write_lock(seen, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_readers(seen, &n));
    CHECK(n == 1);
    EXPECT(ATOLL_OK, atoll_rwlock_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(glass));
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    tear_down();
}

/* Writers keep two numbers equal; readers must never see them differ. */
enum { ROUNDS = 1000, WORKERS = 4 };

struct pair {
    volatile int first, second;
    int writer; /* atomic */
};

static void read_and_write(void *argument) {
    struct pair *pair = argument;
    const int writes = __atomic_fetch_add(&pair->writer, 1, __ATOMIC_RELAXED) % 2;
    for (int i = 0; i < ROUNDS; i++) {
        if (writes) {
            EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
            pair->first++;
            sched_yield(); /* lets the others in, if they can get in */
            pair->second++;
            EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
        } else {
            EXPECT(ATOLL_OK, atoll_rwlock_read_lock(lock, ATOLL_FOREVER));
            const int first = pair->first;
            if (i % 8 == 0) sched_yield();
            CHECK(pair->second == first);
            EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
        }
    }
}

static void it_excludes(void) {
    struct pair pair = {0, 0, 0};
    set_up();
    in_crowd(WORKERS, read_and_write, &pair);
    CHECK(pair.first == ROUNDS * WORKERS / 2 && pair.second == pair.first);
    tear_down();
}

int main(void) {
    RUN(many_read_or_one_writes);
    RUN(a_reader_may_read_again_and_counts);
    RUN(it_counts_to_the_end_and_not_further);
    RUN_WOKEN(a_waiting_writer_keeps_new_readers_out_and_none_that_is_in);
    RUN(waits_end_in_time);
    RUN_WOKEN(who_waits_is_woken);
    RUN(what_would_wait_for_itself_is_refused);
    RUN(a_thread_reads_eight_and_not_nine);
    RUN(two_marks_of_one_lock_are_made_one);
    RUN(only_who_locked_may_unlock);
    RUN(open_by_name);
    RUN(handed_over_by_a_ticket);
    RUN(closing_a_handle_does_not_unlock);
    RUN(closing_the_last_handle_while_reading_harms_nobody);
    RUN(bad_input_is_refused);
    RUN(who_may_only_look_cannot_lock);
    RUN(it_excludes);
    return any_failed;
}
