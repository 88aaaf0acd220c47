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
    if (status == ATOLL_OK)
        return;
    atoll_last_error(&error);
    lane_need(0, error.text);
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

/* How often this process slept. */
static inline long lane_slept(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

/* What is asked for: to work for one side between two moments. */
struct lane_request {
    char side[16];
    uint64_t from, until;
};

/* Waits for the next request; false once the input has ended. */
static inline int lane_next(struct lane_request *request) {
    return scanf("%15s %" SCNu64 " %" SCNu64, request->side, &request->from, &request->until) == 3;
}

/* Waits for the moment to begin. True if it is kept. */
static inline int lane_begin(const struct lane_request *request) {
    uint64_t begin;
    while ((begin = lane_now()) < request->from) {
    }
    return begin - request->from <= LANE_LATE_NS;
}

/* So many operations took so long, and so often somebody else was in the way. */
static inline void lane_answer(long operations, uint64_t took_ns, long disturbed) {
    printf("%ld %" PRIu64 " %ld\n", operations, took_ns, disturbed);
    fflush(stdout);
}

static inline void lane_slice(const struct lane_side *side, const struct lane_request *request) {
    long operations = 0, before = lane_preempted(), is_late = !lane_begin(request);
    uint64_t begin = lane_now(), now;
    do {
        side->work(side->batch);
        operations += side->batch;
        now = lane_now();
    } while (now < request->until);
    lane_answer(operations, now - begin, lane_preempted() - before + is_late);
}

/* Works slices until the input ends. The last of the sides has no name. */
static inline void lane_serve(const struct lane_side *sides) {
    struct lane_request request;
    lane_ready();
    while (lane_next(&request)) {
        const struct lane_side *side = sides;
        while (side->name && strcmp(side->name, request.side) != 0)
            side++;
        lane_need(side->name != NULL, request.side);
        lane_slice(side, &request);
    }
}

#endif /* LANE_H */
