/* Reading under a reader-writer lock by atoll/inline.h: when it is done in place, and that calls and
 * the short way go together. (In signal handlers: rwlock_signals.c.) */

#include "atoll/inline.h"
#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_rwlock *lock;
static atoll_place place;

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_rwlock_create(segment, "guard", &lock));
    EXPECT(ATOLL_OK, atoll_rwlock_place(lock, ATOLL_PLACE_CONTRACT, &place));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0)); /* nobody has left it locked */
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_close(lock));
    end_segment(segment, name);
}

static uint32_t readers(void) {
    uint32_t n = 77;
    EXPECT(ATOLL_OK, atoll_rwlock_readers(lock, &n));
    return n;
}

static atoll_status read_lock(int64_t timeout_ns) {
    return atoll_place_read_lock(&place) ? ATOLL_OK : atoll_rwlock_read_lock(lock, timeout_ns);
}

static atoll_status read_unlock(void) {
    return atoll_place_read_unlock(&place) ? ATOLL_OK : atoll_rwlock_read_unlock(lock);
}

static void the_first_time_takes_a_call(void) {
    set_up();
    CHECK(!atoll_place_read_lock(&place)); /* writers do not look at this thread's marks yet */
    CHECK(readers() == 0);
    EXPECT(ATOLL_OK, read_lock(0));
    CHECK(readers() == 1);
    CHECK(atoll_place_read_unlock(&place));
    CHECK(readers() == 0);
    CHECK(atoll_place_read_lock(&place));
    CHECK(readers() == 1);
    EXPECT(ATOLL_OK, atoll_rwlock_read_unlock(lock));
    CHECK(!atoll_place_read_unlock(&place));
    REFUSED(ATOLL_NOT_OWNER, "", read_unlock());
    tear_down();
}

static void what_is_not_as_usual_takes_calls(void) {
    atoll_place none;
    set_up();
    EXPECT(ATOLL_OK, read_lock(0));
    CHECK(!atoll_place_read_lock(&place)); /* it counts from here on */
    EXPECT(ATOLL_OK, read_lock(0));
    CHECK(!atoll_place_read_unlock(&place));
    EXPECT(ATOLL_OK, read_unlock());
    CHECK(atoll_place_read_unlock(&place));
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, 0));
    CHECK(!atoll_place_read_lock(&place));
    CHECK(readers() == 0);
    REFUSED(ATOLL_DEADLOCK, "", read_lock(0));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    CHECK(atoll_place_read_lock(&place) && atoll_place_read_unlock(&place));
    EXPECT(ATOLL_OK, atoll_rwlock_place(lock, ATOLL_PLACE_CONTRACT + 1, &none));
    CHECK(none.word == NULL && !atoll_place_read_lock(&none) && !atoll_place_read_unlock(&none));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_rwlock_place(lock, ATOLL_PLACE_CONTRACT, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_rwlock_place(NULL, ATOLL_PLACE_CONTRACT, &none));
    tear_down();
}

static void write_it(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
}

static void read_it(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, read_lock(0));
    EXPECT(ATOLL_OK, read_unlock());
    CHECK(atoll_place_read_lock(&place));
}

static void deaths_are_seen_in_place(void) {
    set_up();
    EXPECT(ATOLL_OK, read_lock(0));
    EXPECT(ATOLL_OK, read_unlock());
    kill_victim(start_victim(read_it, NULL));
    CHECK(readers() == 0);
    kill_victim(start_victim(write_it, NULL));
    EXPECT(ATOLL_OWNER_DIED, read_lock(0));
    EXPECT(ATOLL_OK, read_unlock());
    CHECK(!atoll_place_read_lock(&place)); /* it is told by a call until somebody has repaired */
    EXPECT(ATOLL_OWNER_DIED, atoll_rwlock_write_lock(lock, 0));
    EXPECT(ATOLL_OK, atoll_rwlock_mark_consistent(lock));
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    CHECK(atoll_place_read_lock(&place) && atoll_place_read_unlock(&place));
    tear_down();
}

static void child_begins_anew(void *unused) {
    (void)unused;
    CHECK(!atoll_place_read_unlock(&place)); /* what the parent reads */
    CHECK(!atoll_place_read_lock(&place));
    CHECK(!atoll_place_read_lock(&place)); /* a try leaves nothing behind */
    CHECK(readers() == 1);
    EXPECT(ATOLL_OK, read_lock(0));
    CHECK(readers() == 2);
    EXPECT(ATOLL_OK, read_unlock());
    CHECK(atoll_place_read_lock(&place) && atoll_place_read_unlock(&place));
}

static void a_forked_child_begins_with_a_call(void) {
    set_up();
    EXPECT(ATOLL_OK, read_lock(0));
    in_child(child_begins_anew, NULL);
    CHECK(readers() == 1);
    EXPECT(ATOLL_OK, read_unlock());
    tear_down();
}

/* Writers keep two numbers equal; readers must never see them differ. */
enum { ROUNDS = 2000, WORKERS = 4 };

struct pair {
    volatile int first, second;
    int worker; /* atomic */
};

static void read_and_write(void *argument) {
    struct pair *pair = argument;
    const bool writes = __atomic_fetch_add(&pair->worker, 1, __ATOMIC_RELAXED) == 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (writes) {
            EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
            pair->first++;
            sched_yield(); /* lets the others in, if they can get in */
            pair->second++;
            EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
        } else {
            EXPECT(ATOLL_OK, read_lock(ATOLL_FOREVER));
            const int first = pair->first;
            if (i % 8 == 0) sched_yield();
            CHECK(pair->second == first);
            EXPECT(ATOLL_OK, read_unlock());
        }
    }
}

static void it_excludes(void) {
    struct pair pair = {0, 0, 0};
    set_up();
    in_crowd(WORKERS, read_and_write, &pair);
    CHECK(pair.first == ROUNDS && pair.second == pair.first);
    tear_down();
}

int main(void) {
    if (!has_short_ways()) return printf("skip rwlock_inline: no short ways on this machine\n"), 0;
    RUN(the_first_time_takes_a_call);
    RUN(what_is_not_as_usual_takes_calls);
    RUN(deaths_are_seen_in_place);
    RUN(a_forked_child_begins_with_a_call);
    RUN_WOKEN(it_excludes);
    return any_failed;
}
