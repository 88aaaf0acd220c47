/* A tracked semaphore. */

#ifndef SEMAPHORE_TRACKED_H
#define SEMAPHORE_TRACKED_H

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_semaphore *semaphore;
static atoll_event *event;

static inline void set_up(uint32_t permits) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    options.value = permits;
    options.tracked = 1;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, "permits", &options, &semaphore));
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &event));
}

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_event_close(event));
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    end_segment(segment, name);
}

static inline uint32_t value(void) {
    atoll_semaphore_info info;
    memset(&info, 0, sizeof info);
    EXPECT(ATOLL_OK, atoll_semaphore_stat(semaphore, &info));
    CHECK(info.tracked);
    return info.value;
}

/* The permits of the dead are there when the kernel has cleared them away. Who looks at them from
 * outside (ps does) may put that off a little. The watchdog sees to it that it comes. */
static inline void wait_for_value(uint32_t expected) {
    while (value() != expected && failures == 0) usleep(1000);
}

static inline void acquire(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
}

static inline void acquire_two(void *unused) {
    acquire(unused);
    acquire(unused);
}

static inline void *acquire_in_a_thread(void *unused) {
    acquire(unused);
    return unused;
}

static inline void *release_in_a_thread(void *unused) {
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    return unused;
}

#endif
