/* Waiting for any of several things while processes are killed. */

#include <sched.h>
#include <stdatomic.h>

#include "process.h"
#include "wait_any.h"

/* Long enough for whoever is about to sleep. */
static void let_it_sleep(void) { usleep(20000); }

static pid_t victim;

static void *kill_it(void *unused) {
    let_it_sleep();
    kill_victim(victim);
    return unused;
}

/* Sleeps until the victim is killed; says what was ready. */
static uint64_t woken_by_its_death(const atoll_waitable *all, size_t n) {
    uint64_t ready = 0;
    pthread_t killer;
    CHECK(pthread_create(&killer, NULL, kill_it, NULL) == 0);
    EXPECT(ATOLL_OK, atoll_wait_any(all, n, ATOLL_FOREVER, &ready));
    CHECK(pthread_join(killer, NULL) == 0);
    return ready;
}

/* --- deaths as what is waited for ------------------------------------------------------------ */

static void take_the_far_one(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(tracked, ATOLL_FOREVER));
}

static void a_death_is_one_of_several_things(void) {
    atoll_member_info dead;
    uint64_t epoch = 0;
    set_up();
    EXPECT(ATOLL_OK, atoll_semaphore_release(tracked, 1));
    for (int i = 0; i < 2; i++) {
        const atoll_waitable all[] = {{event, 0}, {far_segment, epoch}, {segment, 0}};
        victim = start_victim(take_the_far_one, NULL);
        CHECK(ready_now(all, 3) == 0);
        CHECK(woken_by_its_death(all, 3) == 2);
        CHECK(ready_now(all, 3) == 2); /* the news stays */
        EXPECT(ATOLL_OK, atoll_segment_wait_death(far_segment, epoch, 0, &epoch, &dead));
        CHECK(dead.pid == (uint32_t)victim);
    }
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(tracked, ATOLL_FOREVER));
    tear_down();
}

static void permits_of_the_dead_are_ready(void) {
    set_up();
    const atoll_waitable all[] = {{event, 0}, {plain, 0}, {tracked, 0}};
    EXPECT(ATOLL_OK, atoll_semaphore_release(tracked, 1));
    victim = start_victim(take_the_far_one, NULL);
    CHECK(ready_now(all, 3) == 0);
    CHECK(woken_by_its_death(all, 3) == 4);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(tracked, 0));
    tear_down();
}

/* --- waiters that are killed ----------------------------------------------------------------- */

static atoll_semaphore *wanted;

static void wait_for_it(void) {
    const atoll_waitable all[] = {{event, 0}, {wanted, 0}};
    uint64_t ready;
    atoll_wait_any(all, 2, ATOLL_FOREVER, &ready);
}

/* A waiter on this processor, before which everybody else goes: when it is woken it does not run. */
static pid_t start_idle_waiter(void) {
    const struct sched_param lowest = {0};
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child != 0) return child;
    begin_child();
    CHECK(sched_setscheduler(0, SCHED_IDLE, &lowest) == 0);
    wait_for_it();
    for (;;) pause();
}

/* Any processor will do for it from here on, and nobody goes before it, if that is allowed. */
static void let_it_run(pid_t process) {
    const struct sched_param usual = {0};
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    sched_setaffinity(process, sizeof all, &all);
    sched_setscheduler(process, SCHED_OTHER, &usual);
}

static atomic_bool may_acquire;

static void *acquire_it(void *unused) {
    while (!atomic_exchange(&may_acquire, false)) usleep(100);
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(wanted, ATOLL_FOREVER));
    return unused;
}

/* Two sleep, one of them in atoll_wait_any(), and that one came first. A permit comes, and it is
 * killed before it has done anything: the permit is the other one's, and nobody has to look
 * again to find that out. */
static void permit_comes_and_a_waiter_dies(void) {
    cpu_set_t before, here;
    pthread_t acquirer;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    CHECK(pthread_create(&acquirer, NULL, acquire_it, NULL) == 0);
    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    CHECK(sched_setaffinity(0, sizeof here, &here) == 0);
    victim = start_idle_waiter();
    await_sleep(victim);
    atomic_store(&may_acquire, true);
    let_it_sleep();
    EXPECT(ATOLL_OK, atoll_semaphore_release(wanted, 1));
    CHECK(kill(victim, SIGKILL) == 0);
    let_it_run(victim); /* or others on this processor put its end off for long */
    kill_victim(victim);
    CHECK(pthread_join(acquirer, NULL) == 0);
    CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
}

static void no_permit_is_lost_with_a_dead_waiter(void) {
    set_up();
    wanted = plain;
    for (int i = 0; i < 5; i++) permit_comes_and_a_waiter_dies();
    tear_down();
}

/* The permits are this process's, so no death gives one back. */
static void no_tracked_permit_is_lost_with_a_dead_waiter(void) {
    set_up();
    wanted = tracked;
    for (int i = 0; i < 5; i++) permit_comes_and_a_waiter_dies();
    tear_down();
}

/* --- those who wake are killed --------------------------------------------------------------- */

static atomic_int rounds;
static atomic_bool is_over;

/* Waits for both again and again, and takes what is there. */
static void *consume(void *unused) {
    const atoll_waitable all[] = {{event, 0}, {plain, 0}};
    uint64_t ready;
    while (!atomic_load(&is_over)) {
        EXPECT(ATOLL_OK, atoll_wait_any(all, 2, ATOLL_FOREVER, &ready));
        CHECK(ready >= 1 && ready <= 3);
        if (ready & 1) EXPECT(ATOLL_OK, atoll_event_clear(event));
        if (ready & 2) atoll_semaphore_acquire(plain, 0);
        atomic_fetch_add(&rounds, 1);
    }
    return unused;
}

/* Gives until it is killed, wherever that is. */
static void give(void) {
    for (;;) {
        EXPECT(ATOLL_OK, atoll_event_set(event));
        EXPECT(ATOLL_OK, atoll_semaphore_release(plain, 1));
    }
}

static void who_wakes_may_be_killed(void) {
    pthread_t consumers[2];
    set_up();
    atomic_store(&is_over, false);
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&consumers[i], NULL, consume, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        const pid_t giver = fork();
        if (giver == 0) {
            begin_child();
            give();
        }
        usleep((useconds_t)(500 + 397 * i));
        kill_victim(giver);
        const int before = atomic_load(&rounds);
        EXPECT(ATOLL_OK, atoll_event_set(event));
        while (atomic_load(&rounds) == before) usleep(100);
    }
    atomic_store(&is_over, true);
    EXPECT(ATOLL_OK, atoll_semaphore_release(plain, 2));
    for (int i = 0; i < 2; i++) {
        while (pthread_tryjoin_np(consumers[i], NULL) != 0) {
            EXPECT(ATOLL_OK, atoll_event_set(event));
            usleep(100);
        }
    }
    tear_down();
}

int main(void) {
    RUN_WOKEN(a_death_is_one_of_several_things);
    RUN_WOKEN(permits_of_the_dead_are_ready);
    RUN_WOKEN(no_permit_is_lost_with_a_dead_waiter);
    RUN_WOKEN(no_tracked_permit_is_lost_with_a_dead_waiter);
    RUN(who_wakes_may_be_killed);
    return any_failed;
}
