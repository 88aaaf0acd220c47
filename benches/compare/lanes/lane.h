/*
 * A lane in C or C++: a process that measures what it is asked to. The lines that it
 * reads and writes are described in src/kit/mod.rs; lane.py is the same in Python.
 */
#ifndef LANE_H
#define LANE_H

#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "atoll.h"

/* Who begins a slice so late was not given its processor in time. */
#define LANE_LATE_NS 20000

/* One of two ways to do the same thing. */
struct lane_side {
    const char *name;
    /* Does so many operations. */
    void (*work)(long operations);
    /* How many to do between two looks at the clock: a few microseconds' worth. */
    long batch;
};

static inline uint64_t lane_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Ends the lane if what it needs did not work. */
static inline void lane_need(int is_fine, const char *what) {
    if (!is_fine) {
        fprintf(stderr, "lane: failed: %s\n", what);
        exit(1);
    }
}

/* Ends the lane if a call of atoll's failed. */
static inline void lane_check(atoll_status status) {
    atoll_error error;
    atoll_last_error(&error);
    lane_need(status == ATOLL_OK, error.text);
}

/* Says that the lane has set itself up. */
static inline void lane_ready(void) {
    signal(SIGINT, SIG_IGN);
    puts("ready");
    fflush(stdout);
}

/* How often the kernel gave this processor to somebody else. */
static inline long lane_preempted(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

static inline void lane_slice(const struct lane_side *side, uint64_t from, uint64_t until) {
    uint64_t begin, now;
    long operations = 0, before = lane_preempted();
    while ((begin = lane_now()) < from) {
    }
    do {
        side->work(side->batch);
        operations += side->batch;
        now = lane_now();
    } while (now < until);
    long late = begin - from > LANE_LATE_NS;
    printf("%ld %" PRIu64 " %ld\n", operations, now - begin, lane_preempted() - before + late);
    fflush(stdout);
}

/* Works slices until the input ends. The last of the sides has no name. */
static inline void lane_serve(const struct lane_side *sides) {
    char name[16];
    uint64_t from, until;
    lane_ready();
    while (scanf("%15s %" SCNu64 " %" SCNu64, name, &from, &until) == 3) {
        const struct lane_side *side = sides;
        while (side->name && strcmp(side->name, name) != 0)
            side++;
        lane_need(side->name != NULL, name);
        lane_slice(side, from, until);
    }
}

#endif /* LANE_H */
