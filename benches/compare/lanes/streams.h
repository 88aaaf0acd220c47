/*
 * Streams: one process puts and another gets, as fast as they can. Who comes to "create" puts.
 *
 * An end that cannot go on tries again until the time is over, so that neither waits for the
 * other when a slice ends; what is in the ring then is there for the next one. Each end counts
 * its records, and a record is half of what the two of them do.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include "shared.h"

/* Tries to put, or to get, `n` records; says how many it was. */
typedef long (*stream_move)(long n);

/* Between two looks at the clock. */
enum { STREAM_BATCH = 256 };

static inline void stream_slice(stream_move move, const struct lane_request *request) {
    long moved = 0, before = lane_preempted(), is_late = !lane_begin(request);
    uint64_t begin = lane_now(), now;
    do {
        moved += move(STREAM_BATCH);
        now = lane_now();
    } while (now < request->until);
    lane_answer(moved / 2, now - begin, lane_preempted() - before + is_late);
}

static inline void stream_serve(stream_move move) {
    struct lane_request request;
    lane_ready();
    while (lane_next(&request))
        stream_slice(move, &request);
}

#endif /* STREAMS_H */
