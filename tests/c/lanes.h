/* A ring with lanes, for tests that are the same for both nouns: define NOUN before. */

#ifndef LANES_H
#define LANES_H

#include <poll.h>

#include "process.h"

#define JOIN_(a, b, c) a##b##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define RING(verb) JOIN(atoll_, NOUN, JOIN(_, verb, ))
typedef JOIN(atoll_, NOUN, ) ring_t;

enum { CAPACITY = 4 };

static const atoll_type number_type = ATOLL_TYPE_U64;
static const char *name;
static atoll_segment *segment;
/* Two handles of one ring. */
static ring_t *producer, *consumer;

static inline atoll_ring_options options_of(uint64_t capacity, uint32_t lanes) {
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    options.capacity = capacity;
    options.lanes = lanes;
    return options;
}

static inline void set_up(void) {
    const atoll_ring_options options = options_of(CAPACITY, LANES);
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, RING(create)(segment, "ring", &number_type, &options, &producer));
    EXPECT(ATOLL_OK, RING(open)(segment, "ring", NULL, NULL, &consumer));
}

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, RING(close)(consumer));
    EXPECT(ATOLL_OK, RING(close)(producer));
    end_segment(segment, name);
}

static inline atoll_status push(uint64_t number) {
    return RING(push)(producer, &number, sizeof number);
}

static inline uint64_t popped(void) {
    uint64_t number = 0;
    size_t len = 0;
    EXPECT(ATOLL_OK, RING(pop)(consumer, &number, sizeof number, &len));
    CHECK(len == sizeof number);
    return number;
}

static inline atoll_status put(uint64_t number) {
    return RING(put)(producer, &number, sizeof number, ATOLL_FOREVER);
}

static inline uint64_t got(void) {
    uint64_t number = 0;
    EXPECT(ATOLL_OK, RING(get)(consumer, &number, sizeof number, NULL, ATOLL_FOREVER));
    return number;
}

#endif
