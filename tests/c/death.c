/* What the living see when a process is killed: owner death, and the news of it. */

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex;

static void take_the_lock(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
}

/* A process becomes a member when it first locks something. */
static void join(void *unused) {
    take_the_lock(unused);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
}

static void set_up(bool recursive) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    options.recursive = recursive;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "guard", &options, &mutex));
    join(NULL);
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static void owner_death_is_told_until_it_is_marked(void) {
    for (int recursive = 0; recursive <= 1; recursive++) {
        atoll_owner owner;
        pid_t victim;
        set_up(recursive);
        victim = start_victim(take_the_lock, NULL);
        EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
        CHECK(owner.pid == (uint32_t)victim && owner.alive && !owner.owner_died);
        REFUSED(ATOLL_TIMED_OUT, "", atoll_mutex_lock(mutex, 0));
        kill_victim(victim);
        EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
        CHECK(owner.pid == (uint32_t)victim && !owner.alive);

        for (int i = 0; i < 3; i++) { /* it stays so until somebody has repaired */
            EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, ATOLL_FOREVER));
            EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
            CHECK(owner.pid == (uint32_t)getpid() && owner.alive && owner.owner_died);
            EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
        }
        EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, 0));
        EXPECT(ATOLL_OK, atoll_mutex_dead_owner(mutex, &owner));
        CHECK(owner.pid == (uint32_t)victim);
        EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
        EXPECT(ATOLL_OK, atoll_mutex_dead_owner(mutex, &owner));
        CHECK(owner.pid == 0);
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
        tear_down();
    }
}

static void *lock_after_the_death(void *got) {
    *(atoll_status *)got = atoll_mutex_lock(mutex, ATOLL_FOREVER);
    EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    return NULL;
}

static void a_waiter_is_woken_by_the_death(void) {
    atoll_status got = ATOLL_PANICKED;
    pthread_t waiter;
    pid_t victim;
    set_up(false);
    victim = start_victim(take_the_lock, NULL);
    CHECK(pthread_create(&waiter, NULL, lock_after_the_death, &got) == 0);
    usleep(20000); /* most likely it sleeps by now; if not, the result is the same */
    kill_victim(victim);
    CHECK(pthread_join(waiter, NULL) == 0);
    CHECK(got == ATOLL_OWNER_DIED);
    tear_down();
}

static void expect_owner_death(void) {
    EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    tear_down();
}

static void *end_holding_it(void *unused) {
    take_the_lock(unused);
    return NULL;
}

static void a_thread_that_ends_holding_it_is_a_dead_owner(void) {
    set_up(false);
    in_thread(end_holding_it, NULL);
    expect_owner_death();
}

static void leave_holding_it(void *unused) {
    take_the_lock(unused);
    fflush(stdout);
    exit(failures != 0);
}

static void a_process_that_exits_holding_it_is_a_dead_owner(void) {
    set_up(false);
    in_child(leave_holding_it, NULL);
    expect_owner_death();
}

static void become_another_program(void *unused) {
    take_the_lock(unused);
    fflush(stdout);
    if (failures == 0) execlp("true", "true", (char *)NULL);
}

static void exec_is_a_death(void) {
    set_up(false);
    in_child(become_another_program, NULL);
    expect_owner_death();
}

static void deaths_are_told_one_by_one_oldest_first(void) {
    atoll_segment_info info;
    atoll_member_info dead;
    uint64_t epoch = 99;
    pid_t victims[2];
    set_up(false);
    for (int i = 0; i < 2; i++) victims[i] = start_victim(join, NULL);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.members == 3 && info.death_epoch == 0);
    REFUSED(ATOLL_TIMED_OUT, "", atoll_segment_wait_death(segment, 0, 0, &epoch, &dead));
    CHECK(epoch == 99);
    for (int i = 0; i < 2; i++) {
        kill_victim(victims[i]);
        EXPECT(ATOLL_OK,
               atoll_segment_wait_death(segment, (uint64_t)i, ATOLL_FOREVER, &epoch, &dead));
        CHECK(epoch == (uint64_t)i + 1 && dead.epoch == epoch);
        CHECK(dead.pid == (uint32_t)victims[i] && dead.uid == geteuid());
    }
    EXPECT(ATOLL_OK, atoll_segment_wait_death(segment, 0, 0, &epoch, &dead));
    CHECK(epoch == 1 && dead.pid == (uint32_t)victims[0]);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.members == 1 && info.death_epoch == 2);
    tear_down();
}

struct watch {
    atoll_status got;
    atoll_member_info dead;
};

static void *watch_for_a_death(void *argument) {
    struct watch *watch = argument;
    uint64_t epoch = 0;
    watch->got = atoll_segment_wait_death(segment, 0, ATOLL_FOREVER, &epoch, &watch->dead);
    return NULL;
}

static void a_death_can_be_waited_for(void) {
    struct watch watch;
    pthread_t watcher;
    pid_t victim;
    set_up(false);
    victim = start_victim(join, NULL);
    CHECK(pthread_create(&watcher, NULL, watch_for_a_death, &watch) == 0);
    usleep(20000); /* as above */
    kill_victim(victim);
    CHECK(pthread_join(watcher, NULL) == 0);
    CHECK(watch.got == ATOLL_OK && watch.dead.pid == (uint32_t)victim);
    tear_down();
}

static void leave_in_order(void *unused) {
    join(unused);
    fflush(stdout);
    exit(failures != 0);
}

static void an_orderly_end_is_no_death(void) {
    atoll_segment_info info;
    atoll_member_info dead;
    uint64_t epoch = 0;
    set_up(false);
    in_child(leave_in_order, NULL);
    REFUSED(ATOLL_TIMED_OUT, "", atoll_segment_wait_death(segment, 0, 0, &epoch, &dead));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.members == 1 && info.death_epoch == 0);
    tear_down();
}

int main(void) {
    RUN(owner_death_is_told_until_it_is_marked);
    RUN(a_waiter_is_woken_by_the_death);
    RUN(a_thread_that_ends_holding_it_is_a_dead_owner);
    RUN(a_process_that_exits_holding_it_is_a_dead_owner);
    RUN(exec_is_a_death);
    RUN(deaths_are_told_one_by_one_oldest_first);
    RUN_WOKEN(a_death_can_be_waited_for);
    RUN(an_orderly_end_is_no_death);
    return any_failed;
}
