/* What the tests of atoll_wait_any() wait for: one of each kind, in two segments. */

#ifndef WAIT_ANY_H
#define WAIT_ANY_H

#include "check.h"

static const char *name, *far_name;
static atoll_segment *segment, *far_segment;
static atoll_event *event, *far;
static atoll_latch *latch;
static atoll_semaphore *plain, *tracked;

/* None of them is ready: the tracked semaphore's permit is this process's. */
static inline void set_up(void) {
    atoll_semaphore_options one = ATOLL_SEMAPHORE_OPTIONS_INIT;
    one.value = 1;
    one.tracked = true;
    name = fresh_name();
    segment = new_segment(name);
    far_name = fresh_name();
    far_segment = new_segment(far_name);
    EXPECT(ATOLL_OK, atoll_event_create(segment, "event", &event));
    EXPECT(ATOLL_OK, atoll_event_create(far_segment, "far", &far));
    EXPECT(ATOLL_OK, atoll_latch_create(segment, NULL, 1, &latch));
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, NULL, NULL, &plain));
    EXPECT(ATOLL_OK, atoll_semaphore_create(far_segment, NULL, &one, &tracked));
    EXPECT(ATOLL_OK, atoll_semaphore_acquire(tracked, 0));
}

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_event_close(event));
    EXPECT(ATOLL_OK, atoll_event_close(far));
    EXPECT(ATOLL_OK, atoll_latch_close(latch));
    EXPECT(ATOLL_OK, atoll_semaphore_close(plain));
    EXPECT(ATOLL_OK, atoll_semaphore_close(tracked));
    end_segment(segment, name);
    end_segment(far_segment, far_name);
}

/* Which of them are ready at this moment. */
static inline uint64_t ready_now(const atoll_waitable *all, size_t n) {
    uint64_t ready = 99;
    atoll_status status = atoll_wait_any(all, n, 0, &ready);
    CHECK(status == (ready == 0 ? ATOLL_TIMED_OUT : ATOLL_OK));
    return ready;
}

#endif
