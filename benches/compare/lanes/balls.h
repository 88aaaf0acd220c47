/*
 * What two processes can wait for, in turn: each way of it is a ball that one of them has.
 *
 *   event      two events of atoll's, one for each direction
 *   condvar    a condition variable and a mutex of atoll's
 *   ring       two rings of atoll's for one producer and one consumer, whose users sleep at once
 *   futex      a word and the system call, and nothing else: it always wakes, always sleeps
 *   pthread    pthread_cond_t and pthread_mutex_t, process-shared
 *   any        two events for each direction, which carry the ball in turn: who waits does not
 *              know which will, and waits for any of them
 *   poll       the same with eventfds and poll()
 */
#ifndef BALLS_H
#define BALLS_H

#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared.h"

/* What peers need, and whose turn it is. */
struct table {
    uint32_t turn __attribute__((aligned(64)));
    pthread_mutex_t mutex __attribute__((aligned(64)));
    pthread_cond_t condition __attribute__((aligned(64)));
    /* Who came first, and what its eventfds are: two for each player. */
    pid_t first;
    int descriptors[4];
    volatile int is_over __attribute__((aligned(64)));
};

/* Where one ball is played. */
struct court {
    struct table *table;
    atoll_event *to[2];
    atoll_mutex *mutex;
    atoll_condvar *condvar;
    atoll_spsc *to_ring[2];
    /* Two for each player: which is next is told by how often the ball was passed. */
    atoll_event *either[4];
    int descriptors[4];
    uint32_t passed;
};

struct ball {
    const char *name;
    /* Makes or opens what it needs, under names that begin with that. */
    void (*open)(struct court *court, const char *name);
    /* Gives the ball to a player. */
    void (*pass)(struct court *court, uint32_t to);
    /* Waits until a player has it. */
    void (*await)(struct court *court, uint32_t me);
};

/* --- event ---------------------------------------------------------------------------------- */

static void event_open(struct court *court, const char *name) {
    for (int player = 0; player < 2; player++) {
        char called[32];
        snprintf(called, sizeof called, "%s to %d", name, player);
        lane_check(atoll_event_open_or_create(shared_segment, called, &court->to[player]));
    }
}

static void event_pass(struct court *court, uint32_t to) {
    lane_check(atoll_event_set(court->to[to]));
}

static void event_await(struct court *court, uint32_t me) {
    lane_check(atoll_event_wait(court->to[me], ATOLL_FOREVER));
    lane_check(atoll_event_clear(court->to[me]));
}

/* --- condvar -------------------------------------------------------------------------------- */

static void condvar_open(struct court *court, const char *name) {
    lane_check(atoll_mutex_open_or_create(shared_segment, name, NULL, &court->mutex));
    char called[32];
    snprintf(called, sizeof called, "%s turn", name);
    lane_check(atoll_condvar_open_or_create(shared_segment, called, &court->condvar));
}

static void condvar_pass(struct court *court, uint32_t to) {
    lane_check(atoll_mutex_lock(court->mutex, ATOLL_FOREVER));
    court->table->turn = to;
    lane_check(atoll_mutex_unlock(court->mutex));
    lane_check(atoll_condvar_notify_one(court->condvar));
}

static void condvar_await(struct court *court, uint32_t me) {
    lane_check(atoll_mutex_lock(court->mutex, ATOLL_FOREVER));
    while (court->table->turn != me)
        lane_check(atoll_condvar_wait(court->condvar, court->mutex, ATOLL_FOREVER));
    lane_check(atoll_mutex_unlock(court->mutex));
}

/* --- ring ----------------------------------------------------------------------------------- */

static void ring_open(struct court *court, const char *name) {
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    const atoll_type type = ATOLL_TYPE_U64;
    options.capacity = 64;
    options.waiting = ATOLL_WAIT_SLEEP;
    for (int player = 0; player < 2; player++) {
        char called[32];
        snprintf(called, sizeof called, "%s ring %d", name, player);
        lane_check(atoll_spsc_open_or_create(shared_segment, called, &type, &options,
                                             &court->to_ring[player]));
    }
}

static void ring_pass(struct court *court, uint32_t to) {
    const uint64_t number = ++court->passed;
    lane_check(atoll_spsc_push(court->to_ring[to], &number, sizeof number));
}

static void ring_await(struct court *court, uint32_t me) {
    uint64_t number;
    lane_check(atoll_spsc_get(court->to_ring[me], &number, sizeof number, NULL, ATOLL_FOREVER));
}

/* --- futex ---------------------------------------------------------------------------------- */

static void futex_open(struct court *court, const char *name) {
    (void)court;
    (void)name;
}

static void futex_pass(struct court *court, uint32_t to) {
    uint32_t *turn = &court->table->turn;
    __atomic_store_n(turn, to, __ATOMIC_RELEASE);
    syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_await(struct court *court, uint32_t me) {
    uint32_t *turn = &court->table->turn;
    while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != me)
        syscall(SYS_futex, turn, FUTEX_WAIT, 1 - me, NULL, NULL, 0);
}

/* --- pthread -------------------------------------------------------------------------------- */

static void pthread_open(struct court *court, const char *name) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    (void)name;
    if (!shared_is_new)
        return;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    lane_need(pthread_mutex_init(&court->table->mutex, &mutex) == 0, "pthread_mutex_init");
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    lane_need(pthread_cond_init(&court->table->condition, &condition) == 0, "pthread_cond_init");
}

static void pthread_pass(struct court *court, uint32_t to) {
    pthread_mutex_lock(&court->table->mutex);
    court->table->turn = to;
    pthread_mutex_unlock(&court->table->mutex);
    pthread_cond_signal(&court->table->condition);
}

static void pthread_await(struct court *court, uint32_t me) {
    pthread_mutex_lock(&court->table->mutex);
    while (court->table->turn != me)
        pthread_cond_wait(&court->table->condition, &court->table->mutex);
    pthread_mutex_unlock(&court->table->mutex);
}

/* --- any ------------------------------------------------------------------------------------ */

static void any_open(struct court *court, const char *name) {
    for (int i = 0; i < 4; i++) {
        char called[32];
        snprintf(called, sizeof called, "%s any %d", name, i);
        lane_check(atoll_event_open_or_create(shared_segment, called, &court->either[i]));
    }
}

static void any_pass(struct court *court, uint32_t to) {
    lane_check(atoll_event_set(court->either[2 * to + court->passed++ % 2]));
}

static void any_await(struct court *court, uint32_t me) {
    atoll_event **mine = &court->either[2 * me];
    const atoll_waitable both[] = {{mine[0], 0}, {mine[1], 0}};
    uint64_t ready = 0;
    lane_check(atoll_wait_any(both, 2, ATOLL_FOREVER, &ready));
    lane_check(atoll_event_clear(mine[ready >> 1]));
}

/* --- poll ----------------------------------------------------------------------------------- */

/* They have no names: who comes second takes them from the first one's table. */
static void poll_open(struct court *court, const char *name) {
    struct table *table = court->table;
    int first = -1;
    (void)name;
    if (shared_is_new) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        table->first = getpid();
    } else {
        first = (int)syscall(SYS_pidfd_open, table->first, 0);
    }
    for (int i = 0; i < 4; i++) {
        if (shared_is_new)
            table->descriptors[i] = court->descriptors[i] = eventfd(0, 0);
        else
            court->descriptors[i] = (int)syscall(SYS_pidfd_getfd, first, table->descriptors[i], 0);
        lane_need(court->descriptors[i] >= 0, "eventfd, or pidfd_getfd");
    }
}

static void poll_pass(struct court *court, uint32_t to) {
    const uint64_t one = 1;
    const int descriptor = court->descriptors[2 * to + court->passed++ % 2];
    lane_need(write(descriptor, &one, sizeof one) == sizeof one, "write to an eventfd");
}

static void poll_await(struct court *court, uint32_t me) {
    const int *mine = &court->descriptors[2 * me];
    struct pollfd both[] = {{mine[0], POLLIN, 0}, {mine[1], POLLIN, 0}};
    uint64_t count;
    lane_need(poll(both, 2, -1) == 1, "poll");
    lane_need(read(mine[both[1].revents != 0], &count, sizeof count) == sizeof count, "read");
}

static const struct ball balls[] = {
    {"event", event_open, event_pass, event_await},
    {"condvar", condvar_open, condvar_pass, condvar_await},
    {"ring", ring_open, ring_pass, ring_await},
    {"futex", futex_open, futex_pass, futex_await},
    {"pthread", pthread_open, pthread_pass, pthread_await},
    {"any", any_open, any_pass, any_await},
    {"poll", poll_open, poll_pass, poll_await},
    {NULL, NULL, NULL, NULL},
};

#endif /* BALLS_H */
