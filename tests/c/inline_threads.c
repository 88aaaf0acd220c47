/* atoll/inline.h in threads that begin and end: a thread locks under its own name, from its first
 * lock to its last one, however late that comes. */

#include "inlined.h"

/* --- the end of a thread ---------------------------------------------------------------------- */

static void lock_and_unlock(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, lock(ATOLL_FOREVER));
    CHECK(is_mine());
    EXPECT(ATOLL_OK, unlock());
}

static pthread_key_t last_words;
static int rounds_left, locks_at_the_end;

/* The library has such a key too; which comes first is not ours to say. So it comes again. */
static void lock_at_the_end(void *unused) {
    lock_and_unlock(unused);
    locks_at_the_end++;
    if (--rounds_left > 0) CHECK(pthread_setspecific(last_words, &rounds_left) == 0);
}

/* How C++ destroys a thread_local, before any key. */
extern int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *library);
extern void *__dso_handle;

static void *lock_to_the_end(void *has_locked_before) {
    if (has_locked_before != NULL) lock_and_unlock(NULL);
    CHECK(__cxa_thread_atexit_impl(lock_and_unlock, NULL, &__dso_handle) == 0);
    CHECK(pthread_setspecific(last_words, &rounds_left) == 0);
    return NULL;
}

static void destructors_may_lock(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        atoll_segment_info info;
        set_up(recursive);
        CHECK(pthread_key_create(&last_words, lock_at_the_end) == 0);
        for (int i = 0; i < 4; i++) {
            rounds_left = 1 + i / 2;
            locks_at_the_end = 0;
            in_thread(lock_to_the_end, i % 2 ? &rounds_left : NULL);
            CHECK(locks_at_the_end == 1 + i / 2);
        }
        CHECK(pthread_key_delete(last_words) == 0);
        EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
        CHECK(info.participants == 1 && info.death_epoch == 0); /* all have left in good order */
        tear_down();
    }
}

static void *hold_at_the_end(void *unused) {
    EXPECT(ATOLL_OK, lock(0));
    return unused;
}

static void a_thread_that_ends_holding_it_is_dead_to_the_next_with_its_record(void) {
    set_up(false);
    for (int i = 0; i < 4; i++) {
        in_thread(hold_at_the_end, NULL);
        CHECK(!lock_at_once() && !unlock_at_once());
        EXPECT(ATOLL_OWNER_DIED, lock(0));
        EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
        EXPECT(ATOLL_OK, unlock());
    }
    tear_down();
}

/* --- many of them ----------------------------------------------------------------------------- */

enum { STARTERS = 4, GENERATIONS = 60, LOCKS = 20 };

static volatile uint32_t inside; /* the thread that is, or 0 */

static void *lock_under_its_own_name(void *unused) {
    const uint32_t us = own_tid();
    for (int i = 0; i < LOCKS; i++) {
        EXPECT(ATOLL_OK, lock(ATOLL_FOREVER));
        CHECK(inside == 0);
        inside = us;
        CHECK(is_mine());
        if (place.flags & ATOLL_PLACE_RECURSIVE) {
            CHECK(lock_at_once() || lock(0) == ATOLL_OK);
            EXPECT(ATOLL_OK, unlock());
        }
        CHECK(inside == us);
        inside = 0;
        EXPECT(ATOLL_OK, unlock());
    }
    return unused;
}

/* Two at a time, so that records and seats change hands while others use theirs. */
static void start_threads(void *unused) {
    for (int i = 0; i < GENERATIONS; i++) {
        pthread_t threads[2];
        for (int j = 0; j < 2; j++) {
            CHECK(pthread_create(&threads[j], NULL, lock_under_its_own_name, NULL) == 0);
        }
        for (int j = 0; j < 2; j++) CHECK(pthread_join(threads[j], NULL) == 0);
    }
    (void)unused;
}

static void start_threads_side_by_side(void *recursive) {
    atoll_segment_info info;
    set_up(recursive != NULL);
    inside = 0;
    in_crowd(STARTERS, start_threads, NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.participants == 1 && info.death_epoch == 0);
    tear_down();
}

/* In children, for how many stacks and arenas are left in the end is a matter of chance. */
static void names_are_never_mixed_up(void) {
    in_child(start_threads_side_by_side, NULL);
    in_child(start_threads_side_by_side, &rounds_left);
}

int main(void) {
    if (!has_short_ways()) return printf("skip inline_threads: no short ways on this machine\n"), 0;
    RUN(destructors_may_lock);
    RUN(a_thread_that_ends_holding_it_is_dead_to_the_next_with_its_record);
    RUN(names_are_never_mixed_up);
    return any_failed;
}
