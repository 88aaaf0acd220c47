/*
 * What two processes can wait for, in turn: each way of it is a ball that one of them has.
 *
 *   event      two events of atoll's, one for each direction
 *   futex      a word and the system call, and nothing else: it always wakes, always sleeps
 */
#ifndef BALLS_H
#define BALLS_H

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared.h"

/* Whose turn it is, for the peer, and whether this was the last ball. */
struct table {
    uint32_t turn __attribute__((aligned(64)));
    volatile int is_over __attribute__((aligned(64)));
};

/* Where one ball is played. */
struct court {
    struct table *table;
    atoll_event *to[2];
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

static const struct ball balls[] = {
    {"event", event_open, event_pass, event_await},
    {"futex", futex_open, futex_pass, futex_await},
    {NULL, NULL, NULL, NULL},
};

#endif /* BALLS_H */
