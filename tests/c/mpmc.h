/* A ring for many, and processes that use it. */

#ifndef MPMC_H
#define MPMC_H

#include <poll.h>

#include "process.h"

static const atoll_type number_type = ATOLL_TYPE_U64;
static const char *name;
static atoll_segment *segment;
static atoll_mpmc *ring;

static inline void set_up_with(uint64_t capacity) {
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    options.capacity = capacity;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mpmc_create(segment, "ring", &number_type, &options, &ring));
}

static inline void set_up(void) { set_up_with(4); }

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_mpmc_close(ring));
    end_segment(segment, name);
}

static inline atoll_status push(uint64_t number) {
    return atoll_mpmc_push(ring, &number, sizeof number);
}

static inline uint64_t popped(void) {
    uint64_t number = 0;
    size_t len = 0;
    uint32_t times = 99;
    EXPECT(ATOLL_OK, atoll_mpmc_pop(ring, &number, sizeof number, &len, &times));
    CHECK(len == sizeof number && times == 0);
    return number;
}

static inline uint64_t got(void) {
    uint64_t number = 0;
    EXPECT(ATOLL_OK, atoll_mpmc_get(ring, &number, sizeof number, NULL, NULL, ATOLL_FOREVER));
    return number;
}

static inline pid_t child_that(void (*body)(void)) {
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        body();
        _exit(failures != 0);
    }
    return child;
}

static inline void ended_well(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

#endif
