/* Reader-writer locks in signal handlers, at every instruction of the short ways, by calls and by
 * atoll/inline.h: the processor raises SIGTRAP after each one, and the handler locks, too.
 *
 * A handler may lock and unlock, or is refused. It must not take a mark which may still be taken
 * back for one that is in, and what it locks or unlocks must not be lost. */

#include "atoll/inline.h"
#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_rwlock *lock;
static atoll_place place;

static bool in_place; /* by atoll/inline.h */

static atoll_status read_lock(int64_t timeout_ns) {
    const bool done = in_place && atoll_place_read_lock(&place);
    return done ? ATOLL_OK : atoll_rwlock_read_lock(lock, timeout_ns);
}

static atoll_status read_unlock(void) {
    const bool done = in_place && atoll_place_read_unlock(&place);
    return done ? ATOLL_OK : atoll_rwlock_read_unlock(lock);
}

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_rwlock_create(segment, "guard", &lock));
    EXPECT(ATOLL_OK, atoll_rwlock_place(lock, ATOLL_PLACE_CONTRACT, &place));
    EXPECT(ATOLL_OK, read_lock(0)); /* the way is short from here on */
    EXPECT(ATOLL_OK, read_unlock());
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

#ifdef __x86_64__
static bool can_step(void) { return true; }
static inline __attribute__((always_inline)) void step(bool on) {
    if (on) __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
    else __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}
#else
static bool can_step(void) { return false; }
static void step(bool on) { (void)on; }
#endif

static volatile int steps, refused, admitted, kept, wrong;

/* Locks and unlocks, and must not come in while `barred`. */
static volatile bool barred;

static void lock_and_unlock(int number) {
    const atoll_status got = read_lock(0);
    (void)number;
    steps++;
    refused += got == ATOLL_REENTRANT;
    if (got == ATOLL_OK) {
        admitted++;
        wrong += barred;
        wrong += read_unlock() != ATOLL_OK;
    } else {
        wrong += got != ATOLL_REENTRANT && !(barred && got == ATOLL_TIMED_OUT);
    }
}

/* The step after which a handler changes how often this thread reads. */
static volatile int moment;

static void lock_and_keep(int number) {
    (void)number;
    if (steps++ == moment) kept += read_lock(0) == ATOLL_OK;
}

static void give_back(int number) {
    (void)number;
    if (steps++ == moment) kept -= read_unlock() == ATOLL_OK;
}

static void begin(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    steps = refused = admitted = kept = wrong = 0;
}

static void end(void) {
    CHECK(wrong == 0);
    CHECK(steps > 20);
    CHECK(signal(SIGTRAP, SIG_DFL) != SIG_ERR);
}

static void a_handler_reads_or_is_refused(void) {
    atoll_status got[3];
    set_up();
    begin(lock_and_unlock);
    step(true);
    got[0] = read_lock(ATOLL_FOREVER);
    got[1] = read_unlock();
    got[2] = read_unlock();
    step(false);
    CHECK(got[0] == ATOLL_OK && got[1] == ATOLL_OK && got[2] == ATOLL_NOT_OWNER);
    CHECK(admitted > 0 && refused > 0);
    CHECK(readers() == 0);
    end();
    tear_down();
}

static pthread_barrier_t turn;

static void *write_meanwhile(void *unused) {
    EXPECT(ATOLL_OK, atoll_rwlock_write_lock(lock, ATOLL_FOREVER));
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    EXPECT(ATOLL_OK, atoll_rwlock_write_unlock(lock));
    return unused;
}

static void nobody_comes_in_by_a_mark_that_is_taken_back(void) {
    pthread_t writer;
    atoll_status got;
    set_up();
    CHECK(pthread_barrier_init(&turn, NULL, 2) == 0);
    CHECK(pthread_create(&writer, NULL, write_meanwhile, NULL) == 0);
    pthread_barrier_wait(&turn);
    begin(lock_and_unlock);
    barred = true;
    step(true);
    got = read_lock(0);
    step(false);
    barred = false;
    CHECK(got == ATOLL_TIMED_OUT);
    CHECK(refused > 0 && admitted == 0);
    CHECK(readers() == 0);
    end();
    pthread_barrier_wait(&turn);
    CHECK(pthread_join(writer, NULL) == 0);
    CHECK(pthread_barrier_destroy(&turn) == 0);
    tear_down();
}

/* Locks and unlocks, and the handler does its part once, after one of the steps after the other:
 * all of a short way, the even ones first. This thread reads `before` times at the beginning. */
static void change_at_each_step(void (*handler)(int), int before) {
    static int passes;
    const int first = passes++ % 2;
    int changed = 0, stride = 1;
    set_up();
    begin(handler);
    for (moment = first; moment == first || moment <= steps; moment += stride) {
        atoll_status got[2];
        int left = 0;
        for (int i = 0; i < before; i++) EXPECT(ATOLL_OK, read_lock(0));
        steps = 0;
        kept = before;
        step(true);
        got[0] = read_lock(ATOLL_FOREVER);
        got[1] = read_unlock();
        step(false);
        CHECK(got[0] == ATOLL_OK && got[1] == ATOLL_OK);
        while (read_unlock() == ATOLL_OK) left++;
        CHECK(left == kept);
        CHECK(readers() == 0);
        changed += kept != before;
        stride = 2 + steps / 300;
    }
    CHECK(changed > 10);
    end();
    tear_down();
}

static void what_a_handler_keeps_is_not_lost(void) {
    change_at_each_step(lock_and_keep, 0);
}

static void what_a_handler_gives_back_is_gone(void) {
    change_at_each_step(give_back, 1);
}

int main(void) {
    if (!can_step()) return printf("skip rwlock_signals: cannot step on this machine\n"), 0;
    for (int i = 0; i < 2; i++) {
        in_place = i;
        RUN(a_handler_reads_or_is_refused);
        RUN(nobody_comes_in_by_a_mark_that_is_taken_back);
        RUN(what_a_handler_keeps_is_not_lost);
        RUN(what_a_handler_gives_back_is_gone);
    }
    return any_failed;
}
