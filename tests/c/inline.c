/* atoll/inline.h: locks that a program takes without a call are the ones that calls take, for
 * threads, for children, for other programs. */

#include <signal.h>
#include <spawn.h>

#include "inlined.h"

extern char **environ;

/* --- alone ------------------------------------------------------------------------------------ */

static void it_is_the_same_lock(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        set_up(recursive);
        for (int ways = 0; ways < 4; ways++) {
            CHECK(ways & 1 ? atoll_mutex_lock(mutex, 0) == ATOLL_OK : lock_at_once());
            CHECK(is_mine());
            CHECK(ways & 2 ? atoll_mutex_unlock(mutex) == ATOLL_OK : unlock_at_once());
            CHECK(is_nobodys());
            CHECK(!unlock_at_once());
            EXPECT(ATOLL_NOT_OWNER, unlock());
        }
        tear_down();
    }
}

static void a_plain_one_is_not_taken_twice(void) {
    set_up(false);
    CHECK(lock_at_once());
    CHECK(!lock_at_once());
    REFUSED(ATOLL_DEADLOCK, "recursive", lock(0));
    CHECK(unlock_at_once());
    tear_down();
}

static void a_recursive_one_is_given_back_as_often(void) {
    set_up(true);
    for (int depth = 1; depth <= 5; depth++) {
        for (int i = 0; i < depth; i++) EXPECT(ATOLL_OK, i % 2 ? lock(0) : atoll_mutex_lock(mutex, 0));
        for (int i = 0; i < depth; i++) {
            CHECK(is_mine());
            EXPECT(ATOLL_OK, i % 3 ? unlock() : atoll_mutex_unlock(mutex));
        }
        CHECK(is_nobodys());
    }
    tear_down();
}

static void a_place_without_a_word_is_never_taken(void) {
    atoll_place nowhere;
    set_up(false);
    EXPECT(ATOLL_OK, atoll_mutex_place(mutex, ATOLL_PLACE_CONTRACT + 1, &nowhere));
    CHECK(!atoll_place_lock(&nowhere) && !atoll_place_unlock(&nowhere));
    CHECK(!atoll_place_lock_recursive(&nowhere) && !atoll_place_unlock_recursive(&nowhere));
    tear_down();
}

static void a_transaction_keeps_its_mutex(void) {
    atoll_transaction *transaction = NULL;
    for (int recursive = 0; recursive <= 1; recursive++) {
        set_up(recursive);
        EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, 0, &transaction));
        CHECK(!lock_at_once() && !unlock_at_once());
        REFUSED(ATOLL_DEADLOCK, "transaction", lock(0));
        REFUSED(ATOLL_DEADLOCK, "transaction", unlock());
        EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
        CHECK(lock_at_once());
        REFUSED(ATOLL_DEADLOCK, "unlock", atoll_transaction_begin(&mutex, 1, 0, &transaction));
        CHECK(unlock_at_once());
        tear_down();
    }
}

/* --- children and other programs -------------------------------------------------------------- */

static void hold_nothing(void *unused) {
    (void)unused;
    CHECK(!unlock_at_once() && !lock_at_once());
    REFUSED(ATOLL_NOT_OWNER, "forked child", unlock());
    CHECK(!unlock_at_once() && !lock_at_once()); /* as somebody, it does not hold it either */
    REFUSED(ATOLL_TIMED_OUT, "", lock(0));
}

static void lock_and_unlock(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, lock(ATOLL_FOREVER));
    CHECK(is_mine());
    EXPECT(ATOLL_OK, unlock());
    CHECK(lock_at_once() && is_mine() && unlock_at_once());
}

static void fork_again(void *unused) {
    in_child(lock_and_unlock, unused);
    lock_and_unlock(unused);
    in_child(lock_and_unlock, unused);
}

static void a_child_holds_nothing(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        set_up(recursive);
        EXPECT(ATOLL_OK, lock(0));
        if (recursive) EXPECT(ATOLL_OK, lock(0));
        in_child(hold_nothing, NULL);
        CHECK(is_mine());
        if (recursive) EXPECT(ATOLL_OK, unlock());
        CHECK(is_mine());
        CHECK(unlock_at_once());
        in_child(fork_again, NULL);
        lock_and_unlock(NULL);
        tear_down();
    }
}

static void spawn_true(void) {
    char *arguments[] = {(char *)"true", NULL};
    int status = 0;
    pid_t child = 0;
    CHECK(posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void exec_true_by_vfork(void) {
    int status = 0;
    pid_t child = vfork();
    if (child == 0) {
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void programs_that_it_starts_change_nothing(void) {
    void (*const starts[])(void) = {spawn_true, exec_true_by_vfork};
    set_up(true);
    for (int i = 0; i < 2; i++) {
        starts[i](); /* while it is free, */
        CHECK(lock_at_once());
        starts[i](); /* and while we hold it */
        CHECK(is_mine());
        CHECK(lock_at_once() && unlock_at_once() && unlock_at_once());
        CHECK(is_nobodys());
    }
    tear_down();
}

/* Each ends a process that holds it twice, if that can be. */
static void hold(void) {
    lock_and_unlock(NULL);
    CHECK(lock_at_once());
    if (place.flags & ATOLL_PLACE_RECURSIVE) CHECK(lock_at_once());
    fflush(stdout);
}

static void exec_inside(void *unused) {
    (void)unused;
    hold();
    if (failures == 0) execlp("true", "true", (char *)NULL);
}

static void exit_inside(void *unused) {
    (void)unused;
    hold();
    exit(failures != 0);
}

static void *end_thread_inside(void *unused) {
    hold();
    return unused;
}

static void end_a_thread_inside(void *unused) {
    in_thread(end_thread_inside, unused);
}

static void hold_and_be_killed(void *unused) {
    (void)unused;
    hold();
}

static void kill_inside(void *unused) {
    kill_victim(start_victim(hold_and_be_killed, unused));
}

static void every_end_inside_is_told(void) {
    void (*const ends[])(void *) = {exec_inside, exit_inside, end_a_thread_inside, kill_inside};
    for (int i = 0; i < 8; i++) {
        set_up(i % 2);
        in_child(ends[i / 2], NULL);
        CHECK(!lock_at_once());
        EXPECT(ATOLL_OWNER_DIED, lock(ATOLL_FOREVER));
        EXPECT(ATOLL_OK, unlock());
        CHECK(!lock_at_once()); /* the news stays, and it was held once */
        EXPECT(ATOLL_OWNER_DIED, lock(0));
        EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
        EXPECT(ATOLL_OK, unlock());
        CHECK(is_nobodys());
        tear_down();
    }
}

int main(void) {
    if (!has_short_ways()) return printf("skip inline: no short ways on this machine\n"), 0;
    RUN(it_is_the_same_lock);
    RUN(a_plain_one_is_not_taken_twice);
    RUN(a_recursive_one_is_given_back_as_often);
    RUN(a_place_without_a_word_is_never_taken);
    RUN(a_transaction_keeps_its_mutex);
    RUN(a_child_holds_nothing);
    RUN(programs_that_it_starts_change_nothing);
    RUN(every_end_inside_is_told);
    return any_failed;
}
