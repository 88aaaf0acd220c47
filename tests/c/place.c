/* The contract at atoll_place in atoll.h, taken at its word: by programs that were compiled with
 * this edition of it and run with a later library. A test here that has to change is a new edition.
 */

#include <sys/syscall.h>

#include "by_hand.h"

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex;
static atoll_place place;

static void set_up(bool recursive) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    options.recursive = recursive;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", &options, &mutex));
    place = place_of(mutex);
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0)); /* nobody has left it locked */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

/* Whether the library says so too. */
static bool is_mine(void) {
    atoll_owner owner;
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    return owner.alive && owner.pid == (uint32_t)getpid() &&
           owner.tid == (uint32_t)syscall(SYS_gettid);
}

static bool is_nobodys(void) {
    atoll_owner owner;
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    return owner.generation == 0;
}

static void *try_in_vain(void *unused) {
    (void)unused;
    CHECK(!lock_by_hand(&place));
    EXPECT(ATOLL_TIMED_OUT, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_NOT_OWNER, atoll_mutex_unlock(mutex));
    CHECK(!lock_by_hand(&place)); /* now that it has a seat, too */
    CHECK(!unlock_by_hand(&place));
    return NULL;
}

/* --- locks ------------------------------------------------------------------------------------ */

static void a_lock_by_hand_is_a_lock(void) {
    set_up(false);
    CHECK(place.word != NULL && place.flags == 0 && place.segment != 0);
    CHECK(lock_by_hand(&place));
    CHECK(is_mine());
    EXPECT(ATOLL_DEADLOCK, atoll_mutex_lock(mutex, 0));
    CHECK(!lock_by_hand(&place));
    in_thread(try_in_vain, NULL);
    CHECK(unlock_by_hand(&place));
    CHECK(!unlock_by_hand(&place));
    CHECK(is_nobodys());
    tear_down();
}

static void both_ways_mix(void) {
    set_up(false);
    CHECK(lock_by_hand(&place));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(is_nobodys());
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(is_mine());
    CHECK(unlock_by_hand(&place));
    CHECK(is_nobodys());
    tear_down();
}

static void a_recursive_one_counts_how_often_again(void) {
    set_up(true);
    CHECK(place.flags == ATOLL_PLACE_RECURSIVE);
    CHECK(lock_by_hand(&place));
    CHECK(*again_at(&place) == 0);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(*again_at(&place) == 1);
    CHECK(lock_again_by_hand(&place));
    CHECK(*again_at(&place) == 2);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(*again_at(&place) == 1 && is_mine());
    CHECK(unlock_once_by_hand(&place));
    CHECK(*again_at(&place) == 0 && is_mine());
    in_thread(try_in_vain, NULL);
    CHECK(unlock_once_by_hand(&place));
    CHECK(is_nobodys());
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(lock_again_by_hand(&place));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(unlock_once_by_hand(&place));
    EXPECT(ATOLL_NOT_OWNER, atoll_mutex_unlock(mutex));
    tear_down();
}

static void a_count_that_is_full_is_left_to_the_call(void) {
    set_up(true);
    CHECK(lock_by_hand(&place));
    *again_at(&place) = UINT32_MAX;
    REFUSED(ATOLL_FULL, "2^32", atoll_mutex_lock(mutex, 0));
    CHECK(*again_at(&place) == UINT32_MAX);
    *again_at(&place) = 0;
    CHECK(unlock_once_by_hand(&place));
    tear_down();
}

static volatile pid_t waiting_tid;

static void *lock_and_unlock(void *got) {
    atoll_owner owner;
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner)); /* its first call */
    waiting_tid = gettid();
    *(atoll_status *)got = atoll_mutex_lock(mutex, ATOLL_FOREVER);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    return NULL;
}

static void what_is_special_is_left_to_the_call(void) {
    atoll_status got = ATOLL_PANICKED;
    pthread_t waiter;
    for (int recursive = 0; recursive <= 1; recursive++) {
        set_up(recursive);
        CHECK(lock_by_hand(&place));
        waiting_tid = 0;
        CHECK(pthread_create(&waiter, NULL, lock_and_unlock, &got) == 0);
        while (waiting_tid == 0) usleep(100);
        await_sleep(waiting_tid);
        CHECK(!unlock_by_hand(&place));
        CHECK(is_mine());
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
        CHECK(pthread_join(waiter, NULL) == 0);
        CHECK(got == ATOLL_OK);
        tear_down();
    }
}

static void die_holding(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0)); /* gives the child its seat */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(lock_by_hand(&place));
}

static void who_dies_holding_by_hand_is_a_dead_owner(void) {
    set_up(false);
    kill_victim(start_victim(die_holding, NULL));
    CHECK(!lock_by_hand(&place));
    EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, ATOLL_FOREVER));
    CHECK(!unlock_by_hand(&place)); /* the news has to stay */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(!lock_by_hand(&place));
    EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
    CHECK(unlock_by_hand(&place));
    CHECK(lock_by_hand(&place));
    CHECK(unlock_by_hand(&place));
    tear_down();
}

static void die_holding_often(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    for (int i = 0; i < 3; i++) CHECK(lock_again_by_hand(&place));
}

static void what_a_dead_owner_counted_is_over(void) {
    set_up(true);
    kill_victim(start_victim(die_holding_often, NULL));
    EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, ATOLL_FOREVER));
    CHECK(*again_at(&place) == 0);
    EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
    CHECK(unlock_once_by_hand(&place));
    CHECK(is_nobodys());
    tear_down();
}

/* --- seats ------------------------------------------------------------------------------------ */

static uint64_t own_name;

static void *find_a_seat(void *unused) {
    uint64_t its_name = 0;
    atoll_owner owner;
    (void)unused;
    CHECK(!seat_is_good(&place, &its_name)); /* it has made no call here */
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    CHECK(!seat_is_good(&place, &its_name)); /* one that needs no seat */
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(seat_is_good(&place, &its_name) && its_name != own_name);
    CHECK(*(uint64_t *)place.word == (its_name | owned) && is_mine());
    CHECK(unlock_by_hand(&place));
    return NULL;
}

static void a_thread_has_a_seat_from_its_first_call_on(void) {
    set_up(false);
    CHECK(seat_is_good(&place, &own_name));
    in_thread(find_a_seat, NULL);
    tear_down();
}

static void find_a_seat_in_a_child(void *unused) {
    CHECK(record_of_thread(&place) == NULL || record_of_thread(&place)[0] == 0);
    CHECK(!lock_by_hand(&place));
    CHECK(!unlock_by_hand(&place));
    EXPECT(ATOLL_NOT_OWNER, atoll_mutex_unlock(mutex));
    CHECK(!unlock_by_hand(&place)); /* under its own name it does not hold it either */
    EXPECT(ATOLL_TIMED_OUT, atoll_mutex_lock(mutex, 0));
    (void)unused;
}

static void find_a_name_in_a_child(void *unused) {
    find_a_seat(unused);
    CHECK(lock_by_hand(&place) && is_mine() && unlock_by_hand(&place));
}

static void a_child_has_a_name_of_its_own(void) {
    set_up(false);
    CHECK(seat_is_good(&place, &own_name));
    CHECK(lock_by_hand(&place));
    in_child(find_a_seat_in_a_child, NULL);
    CHECK(is_mine());
    CHECK(unlock_by_hand(&place));
    in_child(find_a_name_in_a_child, NULL);
    tear_down();
}

static void no_seat_is_good_while_a_transaction_is_open(void) {
    uint64_t its_name;
    atoll_transaction *transaction = NULL;
    atoll_mutex *other;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "other", NULL, &other));
    for (int fails = 0; fails <= 1; fails++) {
        EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, 0, &transaction));
        CHECK(!seat_is_good(&place, &its_name));
        CHECK(!unlock_by_hand(&place));
        REFUSED(ATOLL_DEADLOCK, "transaction", atoll_mutex_unlock(mutex));
        EXPECT(ATOLL_OK, atoll_mutex_lock(other, 0)); /* a call brings no seat back */
        EXPECT(ATOLL_OK, atoll_mutex_unlock(other));
        CHECK(!seat_is_good(&place, &its_name));
        EXPECT(ATOLL_OK, atoll_transaction_end(transaction, fails));
        CHECK(seat_is_good(&place, &its_name));
        CHECK(lock_by_hand(&place) && is_mine() && unlock_by_hand(&place));
    }
    EXPECT(ATOLL_OK, atoll_mutex_close(other));
    tear_down();
}

static void a_seat_is_one_segments_at_a_time(void) {
    enum { MANY = 40 };
    char names[MANY][64];
    atoll_segment *segments[MANY];
    atoll_mutex *mutexes[MANY];
    int same_seat = 0;
    set_up(false);
    for (int i = 0; i < MANY; i++) {
        atoll_place other;
        snprintf(names[i], sizeof names[i], "atoll-test-%d-seat-%d", (int)getpid(), i);
        segments[i] = new_segment(names[i]);
        EXPECT(ATOLL_OK, atoll_mutex_create(segments[i], "m", NULL, &mutexes[i]));
        other = place_of(mutexes[i]);
        CHECK(other.segment != place.segment && other.thread == place.thread);
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
        CHECK(unlock_by_hand(&place)); /* ours is good again */
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutexes[i], 0));
        if (other.seat == place.seat) {
            same_seat++;
            CHECK(!lock_by_hand(&place));
        }
        CHECK(unlock_by_hand(&other));
    }
    CHECK(same_seat > 0 && same_seat < MANY); /* else this test shows nothing */
    for (int i = 0; i < MANY; i++) {
        EXPECT(ATOLL_OK, atoll_mutex_close(mutexes[i]));
        end_segment(segments[i], names[i]);
    }
    tear_down();
}

static const volatile uint64_t *waiting_record;

static void *wait_in_a_call(void *unused) {
    atoll_owner owner;
    (void)unused;
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    waiting_record = record_of_thread(&place);
    CHECK(waiting_record[0] % 2 == 0);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
    CHECK(waiting_record[0] % 2 == 0);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    return NULL;
}

static void the_first_word_is_odd_during_a_call(void) {
    pthread_t waiter;
    set_up(false);
    waiting_record = NULL;
    CHECK(lock_by_hand(&place));
    CHECK(pthread_create(&waiter, NULL, wait_in_a_call, NULL) == 0);
    while (*(const volatile uint64_t *volatile *)&waiting_record == NULL) usleep(100);
    while (waiting_record[0] % 2 == 0) usleep(100); /* the watchdog ends this if it never is */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(pthread_join(waiter, NULL) == 0);
    tear_down();
}

static pthread_key_t last_words;
static int rounds;

/* Comes again until the library has done with the thread. */
static void lock_at_the_very_end(void *unused) {
    uint64_t its_name;
    rounds++;
    if (seat_is_good(&place, &its_name) && rounds < 3) {
        CHECK(pthread_setspecific(last_words, &rounds) == 0);
        return;
    }
    CHECK(record_of_thread(&place) == NULL);
    CHECK(!lock_by_hand(&place));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(is_mine());
    CHECK(unlock_by_hand(&place));
    (void)unused;
}

static void *end_with_last_words(void *unused) {
    CHECK(pthread_setspecific(last_words, &rounds) == 0);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(unlock_by_hand(&place));
    return unused;
}

static void a_thread_at_its_end_has_no_seat_and_gets_one(void) {
    atoll_segment_info info;
    set_up(false);
    rounds = 0;
    CHECK(pthread_key_create(&last_words, lock_at_the_very_end) == 0);
    in_thread(end_with_last_words, NULL);
    CHECK(rounds > 0);
    CHECK(pthread_key_delete(last_words) == 0);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.participants == 1 && info.death_epoch == 0); /* it has left that one, too */
    tear_down();
}

/* --- who asks for a place --------------------------------------------------------------------- */

static void another_edition_has_no_short_way(void) {
    const uint32_t others[] = {0, ATOLL_PLACE_CONTRACT + 1, UINT32_MAX};
    const atoll_type i64 = ATOLL_TYPE_I64;
    atoll_value *value;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &i64, &value));
    CHECK(ATOLL_PLACE_CONTRACT == 2);
    for (int i = 0; i < 3; i++) {
        atoll_place none;
        memset(&none, 0xff, sizeof none);
        EXPECT(ATOLL_OK, atoll_mutex_place(mutex, others[i], &none));
        CHECK(none.word == NULL);
        memset(&none, 0xff, sizeof none);
        EXPECT(ATOLL_OK, atoll_value_place(value, others[i], &none));
        CHECK(none.word == NULL);
    }
    EXPECT(ATOLL_OK, atoll_value_close(value));
    tear_down();
}

static void bad_arguments_are_refused(void) {
    const atoll_type i64 = ATOLL_TYPE_I64;
    atoll_place got;
    atoll_mutex *closed;
    atoll_value *value;
    set_up(false);
    got = place;
    EXPECT(ATOLL_OK, atoll_mutex_open(segment, "m", NULL, &closed));
    EXPECT(ATOLL_OK, atoll_mutex_close(closed));
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &i64, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_mutex_place(closed, 1, &got));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_mutex_place(NULL, 1, &got));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_mutex_place(mutex, 1, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind", atoll_mutex_place((void *)value, 1, &got));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind", atoll_value_place((void *)mutex, 1, &got));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_value_place(value, 1, NULL));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_value_place(value, 1, &got));
    CHECK(memcmp(&got, &place, sizeof got) == 0);
    tear_down();
}

static void all_handles_of_a_mutex_have_one_place(void) {
    atoll_segment *again;
    atoll_mutex *second;
    atoll_place its;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_segment_open(name, NULL, &again));
    EXPECT(ATOLL_OK, atoll_mutex_open(again, "m", NULL, &second));
    its = place_of(second);
    CHECK(lock_by_hand(&its) == (its.segment == place.segment));
    EXPECT(ATOLL_DEADLOCK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(second));
    EXPECT(ATOLL_OK, atoll_mutex_close(second));
    EXPECT(ATOLL_OK, atoll_segment_close(again));
    tear_down();
}

static void a_mutex_in_a_read_only_segment_is_never_locked_by_hand(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *watched;
    atoll_mutex *seen;
    atoll_place its;
    set_up(false);
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &watched));
    EXPECT(ATOLL_OK, atoll_mutex_open(watched, "m", NULL, &seen));
    its = place_of(seen);
    CHECK(its.word == NULL || !lock_by_hand(&its));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mutex_lock(seen, 0));
    CHECK(its.word == NULL || !lock_by_hand(&its));
    EXPECT(ATOLL_OK, atoll_mutex_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(watched));
    tear_down();
}

int main(void) {
    if (!has_short_ways()) return printf("skip place: no short ways on this machine\n"), 0;
    RUN(a_lock_by_hand_is_a_lock);
    RUN(both_ways_mix);
    RUN(a_recursive_one_counts_how_often_again);
    RUN(a_count_that_is_full_is_left_to_the_call);
    RUN(what_is_special_is_left_to_the_call);
    RUN(who_dies_holding_by_hand_is_a_dead_owner);
    RUN(what_a_dead_owner_counted_is_over);
    RUN(a_thread_has_a_seat_from_its_first_call_on);
    RUN(a_child_has_a_name_of_its_own);
    RUN(no_seat_is_good_while_a_transaction_is_open);
    RUN(a_seat_is_one_segments_at_a_time);
    RUN(the_first_word_is_odd_during_a_call);
    RUN(a_thread_at_its_end_has_no_seat_and_gets_one);
    RUN(another_edition_has_no_short_way);
    RUN(bad_arguments_are_refused);
    RUN(all_handles_of_a_mutex_have_one_place);
    RUN(a_mutex_in_a_read_only_segment_is_never_locked_by_hand);
    return any_failed;
}
