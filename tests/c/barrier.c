/* Barriers: who passes, and in how many steps. */

#include "barrier.h"
#include "signals.h"

static void alone_one_passes(void) {
    uint32_t index = 99;
    set_up(1);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(stat_it().generation == i);
        EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, 0, &index));
        CHECK(index == 0);
    }
    CHECK(stat_it().parties == 1 && stat_it().waiting == 0 && !stat_it().broken);
    tear_down();
}

static void open_by_name(void) {
    atoll_barrier *same;
    atoll_ticket ticket;
    atoll_latch *latch;
    set_up(2);
    REFUSED(ATOLL_ALREADY_EXISTS, "barrier", atoll_barrier_create(segment, "barrier", 2, &same));
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_barrier_open(segment, "nobody", &same));
    REFUSED(ATOLL_WRONG_KIND, "a barrier", atoll_latch_open(segment, "barrier", &latch));
    REFUSED(ATOLL_WRONG_KIND, "3", atoll_barrier_open_or_create(segment, "barrier", 3, &same));
    CHECK(same == NULL);
    EXPECT(ATOLL_OK, atoll_barrier_open_or_create(segment, "barrier", 2, &same));
    EXPECT(ATOLL_OK, atoll_barrier_close(same));
    EXPECT(ATOLL_OK, atoll_barrier_open(segment, "barrier", &same));
    EXPECT(ATOLL_OK, atoll_barrier_remove(segment, "barrier"));
    REFUSED(ATOLL_NOT_FOUND, "barrier", atoll_barrier_remove(segment, "barrier"));
    EXPECT(ATOLL_OK, atoll_barrier_close(same));
    EXPECT(ATOLL_OK, atoll_barrier_export(barrier, &ticket));
    EXPECT(ATOLL_OK, atoll_barrier_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_barrier_close(same));
    tear_down();
}

static void bad_input_is_refused(void) {
    atoll_barrier *none;
    set_up(2);
    REFUSED(ATOLL_INVALID_ARGUMENT, "0 parties", atoll_barrier_create(segment, NULL, 0, &none));
    REFUSED(ATOLL_INVALID_ARGUMENT, "32767", atoll_barrier_create(segment, NULL, 32768, &none));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout",
            atoll_barrier_arrive_and_wait(barrier, -1, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_barrier_wait(barrier, INT64_MIN));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_barrier_stat(barrier, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_barrier_arrive(NULL, false, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "another kind",
            atoll_barrier_abort((atoll_barrier *)(void *)segment));
    REFUSED(ATOLL_NOT_OWNER, "not arrived", atoll_barrier_wait(barrier, ATOLL_FOREVER));
    REFUSED(ATOLL_NOT_OWNER, "not arrived", atoll_barrier_release(barrier));
    CHECK(stat_it().waiting == 0);
    EXPECT(ATOLL_OK, atoll_barrier_close(NULL));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_barrier_reset(barrier));
}

static void who_may_only_read_can_look(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_barrier_info info;
    atoll_segment *reader;
    atoll_barrier *seen;
    set_up(2);
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_barrier_open(reader, "barrier", &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_barrier_arrive_and_wait(seen, 0, NULL));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_barrier_abort(seen));
    EXPECT(ATOLL_OK, atoll_barrier_stat(seen, &info));
    CHECK(info.parties == 2 && info.waiting == 0 && !info.broken);
    EXPECT(ATOLL_OK, atoll_barrier_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

enum { CROWD = 8, ROUNDS = 500 };
static atomic_int rounds[CROWD];

static void go_round(void *unused) {
    static atomic_int numbers;
    const int number = numbers++ % CROWD;
    (void)unused;
    for (int i = 1; i <= ROUNDS; i++) {
        rounds[number] = i;
        EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
        for (int other = 0; other < CROWD; other++) CHECK(rounds[other] >= i);
        if (i % 50 == 0) usleep(100); /* now and then the others sleep */
    }
}

static void nobody_passes_before_all_are_there(void) {
    set_up(CROWD);
    for (int i = 0; i < CROWD; i++) rounds[i] = 0;
    in_crowd(CROWD, go_round, NULL);
    CHECK(stat_it().generation == ROUNDS);
    tear_down();
}

static void each_one_has_its_number(void) {
    set_up(5);
    in_crowd(5, pass, NULL);
    CHECK(board->passed == 5 && board->indices == 31);
    tear_down();
}

/* --- in two steps ---------------------------------------------------------------------------- */

static void arriving_and_waiting_are_two_steps(void) {
    atoll_arrival arrival = {99, true};
    pthread_t other;
    set_up(2);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, true, &arrival));
    CHECK(arrival.index == 0 && !arrival.last && stat_it().waiting == 1);
    EXPECT(ATOLL_TIMED_OUT, atoll_barrier_wait(barrier, 0));
    REFUSED(ATOLL_TIMED_OUT, "not all", atoll_barrier_wait(barrier, 1000000));
    REFUSED(ATOLL_DEADLOCK, "already", atoll_barrier_arrive(barrier, false, NULL));
    REFUSED(ATOLL_DEADLOCK, "already", atoll_barrier_arrive_and_wait(barrier, 0, NULL));
    REFUSED(ATOLL_NOT_OWNER, "last", atoll_barrier_release(barrier));
    CHECK(stat_it().waiting == 1 && !stat_it().broken);
    other = start(pass_in_thread);
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, ATOLL_FOREVER));
    EXPECT(ATOLL_NOT_OWNER, atoll_barrier_wait(barrier, 0));
    join(other);
    CHECK(board->indices == 2);
    tear_down();
}

static void the_last_to_arrive_waits_for_nobody(void) {
    atoll_arrival arrival = {99, false};
    pthread_t other;
    set_up(2);
    other = start(pass_in_thread);
    await_waiting(1);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, &arrival));
    CHECK(arrival.index == 1 && arrival.last);
    join(other);
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, ATOLL_FOREVER));
    tear_down();
}

/* Who arrived and never waited is of no generation any more when that is over. */
static void a_generation_that_is_over_is_left_by_itself(void) {
    atoll_barrier *other;
    set_up(1);
    EXPECT(ATOLL_OK, atoll_barrier_create(segment, NULL, 2, &other));
    for (int i = 0; i < 3; i++) EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_arrive(other, false, NULL));
    REFUSED(ATOLL_DEADLOCK, "another barrier", atoll_barrier_arrive(barrier, false, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_close(other)); /* gone, and so is its generation */
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, 0, NULL));
    tear_down();
}

static void the_last_one_may_act_before_all_go(void) {
    atoll_arrival arrival = {99, false};
    pthread_t other;
    set_up(2);
    other = start(pass_in_thread);
    await_waiting(1);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, true, &arrival));
    CHECK(arrival.index == 1 && arrival.last && stat_it().waiting == 2);
    usleep(20000);
    CHECK(board->passed == 0);
    REFUSED(ATOLL_DEADLOCK, "release", atoll_barrier_wait(barrier, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_barrier_release(barrier));
    join(other);
    EXPECT(ATOLL_NOT_OWNER, atoll_barrier_release(barrier));
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, 0));
    tear_down();
}

static void *arrive_too_many(void *unused) {
    REFUSED(ATOLL_FULL, "last one", atoll_barrier_arrive(barrier, false, NULL));
    REFUSED(ATOLL_FULL, "last one", atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
    return unused;
}

static void while_one_holds_nobody_arrives(void) {
    set_up(1);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, true, NULL));
    in_thread(arrive_too_many, NULL);
    EXPECT(ATOLL_OK, atoll_barrier_release(barrier));
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, 0));
    tear_down();
}

static void who_drops_out_is_not_waited_for_again(void) {
    atoll_arrival arrival = {99, true};
    pthread_t other;
    set_up(3);
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_drop(barrier, false, &arrival));
    CHECK(!arrival.last && stat_it().parties == 2 && stat_it().waiting == 0);
    EXPECT(ATOLL_NOT_OWNER, atoll_barrier_wait(barrier, 0));
    other = start(pass_in_thread);
    await_waiting(1);
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_drop(barrier, true, &arrival));
    CHECK(arrival.last);
    usleep(20000);
    CHECK(board->passed == 0);
    EXPECT(ATOLL_OK, atoll_barrier_release(barrier));
    join(other);
    EXPECT(ATOLL_NOT_OWNER, atoll_barrier_wait(barrier, 0));
    CHECK(stat_it().parties == 1 && stat_it().generation == 1);
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, 0, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_drop(barrier, false, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "nobody", atoll_barrier_arrive(barrier, false, NULL));
    tear_down();
}

/* --- who gives up ---------------------------------------------------------------------------- */

static void whose_time_is_over_breaks_it(void) {
    const int64_t wait = 20000000, begin = now_ns();
    pthread_t other;
    set_up(3);
    other = start(be_told_in_thread);
    await_waiting(1);
    REFUSED(ATOLL_TIMED_OUT, "not all", atoll_barrier_arrive_and_wait(barrier, wait, NULL));
    CHECK(now_ns() - begin >= wait);
    join(other);
    CHECK(stat_it().broken && stat_it().culprit_pid == 0 && stat_it().waiting == 0);
    REFUSED(ATOLL_BROKEN, "reset", atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
    REFUSED(ATOLL_BROKEN, "reset", atoll_barrier_arrive(barrier, false, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    CHECK(!stat_it().broken && stat_it().generation == 1);
    in_crowd(3, pass, NULL);
    tear_down();
}

static void aborted_by_somebody_outside(void) {
    pthread_t others[2];
    set_up(3);
    others[0] = start(be_told_in_thread);
    others[1] = start(be_told_in_thread);
    await_waiting(2);
    usleep(20000);
    EXPECT(ATOLL_OK, atoll_barrier_abort(barrier));
    EXPECT(ATOLL_OK, atoll_barrier_abort(barrier));
    join(others[0]);
    join(others[1]);
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    CHECK(stat_it().generation == 1);
    in_crowd(3, pass, NULL);
    tear_down();
}

/* Who is inside breaks its own generation, and no later one. */
static void aborted_by_somebody_inside(void) {
    pthread_t other;
    set_up(2);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_abort(barrier));
    EXPECT(ATOLL_BROKEN, atoll_barrier_wait(barrier, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, NULL));
    other = start(pass_in_thread);
    join(other);
    EXPECT(ATOLL_OK, atoll_barrier_abort(barrier));
    CHECK(!stat_it().broken);
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_barrier_abort(barrier));
    CHECK(stat_it().broken);
    tear_down();
}

static void a_reset_sends_all_away(void) {
    pthread_t other;
    set_up(2);
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    CHECK(stat_it().generation == 0);
    other = start(be_told_in_thread);
    await_waiting(1);
    usleep(20000);
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    join(other);
    CHECK(stat_it().generation == 1 && !stat_it().broken);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, false, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    other = start(pass_in_thread);
    await_waiting(1);
    EXPECT(ATOLL_BROKEN, atoll_barrier_wait(barrier, ATOLL_FOREVER)); /* not of this one */
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
    join(other);
    tear_down();
}

static void a_hold_may_be_broken(void) {
    pthread_t other;
    set_up(2);
    other = start(be_told_in_thread);
    await_waiting(1);
    EXPECT(ATOLL_OK, atoll_barrier_arrive(barrier, true, NULL));
    EXPECT(ATOLL_OK, atoll_barrier_reset(barrier));
    join(other);
    EXPECT(ATOLL_BROKEN, atoll_barrier_release(barrier));
    EXPECT(ATOLL_BROKEN, atoll_barrier_wait(barrier, 0));
    CHECK(stat_it().generation == 1 && !stat_it().broken);
    tear_down();
}

static void note_signal(int signal) { (void)signal; }

static void *be_interrupted(void *unused) {
    EXPECT(ATOLL_INTERRUPTED, atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
    be_deaf_to(SIGUSR1);
    board->acted = 1;
    EXPECT(ATOLL_OK, atoll_barrier_wait(barrier, ATOLL_FOREVER));
    return unused;
}

static void who_is_interrupted_is_still_inside(void) {
    struct sigaction action, old;
    pthread_t other;
    set_up(2);
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    other = start(be_interrupted);
    await_waiting(1);
    signal_until(&board->acted, other, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &old, NULL) == 0);
    CHECK(stat_it().waiting == 1);
    pass(NULL);
    join(other);
    tear_down();
}

int main(void) {
    RUN_WOKEN(alone_one_passes);
    RUN_WOKEN(open_by_name);
    RUN_WOKEN(bad_input_is_refused);
    RUN_WOKEN(who_may_only_read_can_look);
    RUN_WOKEN(nobody_passes_before_all_are_there);
    RUN_WOKEN(each_one_has_its_number);
    RUN_WOKEN(arriving_and_waiting_are_two_steps);
    RUN_WOKEN(the_last_to_arrive_waits_for_nobody);
    RUN_WOKEN(a_generation_that_is_over_is_left_by_itself);
    RUN_WOKEN(the_last_one_may_act_before_all_go);
    RUN_WOKEN(while_one_holds_nobody_arrives);
    RUN_WOKEN(who_drops_out_is_not_waited_for_again);
    RUN_WOKEN(whose_time_is_over_breaks_it);
    RUN_WOKEN(aborted_by_somebody_outside);
    RUN_WOKEN(aborted_by_somebody_inside);
    RUN_WOKEN(a_reset_sends_all_away);
    RUN_WOKEN(a_hold_may_be_broken);
    RUN_WOKEN(who_is_interrupted_is_still_inside);
    return any_failed;
}
