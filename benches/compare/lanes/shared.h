/*
 * A segment that lanes share, with memory for peers, which lies in an array. Whoever comes
 * to "create" makes it, and removes its name when it ends.
 */
#ifndef SHARED_H
#define SHARED_H

#include <stdbool.h>

#include "lane.h"

static const char *shared_name;
static atoll_segment *shared_segment;
/* Whether this lane came first and has to make what is in there. */
static bool shared_is_new;

static void shared_remove(void) {
    atoll_segment_unlink(shared_name);
}

/* Opens the segment; the memory for peers is all 0 at first. */
static inline void *shared_open(const char *name, const char *role, size_t bytes) {
    const uint64_t lines = (bytes + 63) / 64;
    atoll_array *array;
    atoll_type line;
    memset(&line, 0, sizeof line);
    line.code = ATOLL_STRUCT;
    line.size = line.align = 64;
    shared_name = name;
    shared_is_new = strcmp(role, "create") == 0;
    if (shared_is_new) {
        lane_check(atoll_segment_create(name, NULL, &shared_segment));
        atexit(shared_remove);
    } else {
        lane_check(atoll_segment_open(name, NULL, &shared_segment));
    }
    lane_check(atoll_array_open_or_create(shared_segment, "peers", &line, 1, &lines, &array));
    return atoll_array_data(array);
}

#endif /* SHARED_H */
