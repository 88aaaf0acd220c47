/* Waiters for the condvar of condvar.h. */

#ifndef WAITER_H
#define WAITER_H

#include "condvar.h"

static inline atoll_waiter *new_waiter(void) {
    atoll_waiter *waiter = NULL;
    EXPECT(ATOLL_OK, atoll_waiter_create(condvar, &waiter));
    return waiter;
}

/* Ends a wait, and says whether it was notified. */
static inline bool finish(atoll_waiter *waiter) {
    bool notified = false;
    EXPECT(ATOLL_OK, atoll_waiter_finish(waiter, &notified));
    return notified;
}

static inline bool finish_and_close(atoll_waiter *waiter) {
    const bool notified = finish(waiter);
    EXPECT(ATOLL_OK, atoll_waiter_close(waiter));
    return notified;
}

/* For a process that is to be killed. */
static inline void make_a_waiter(void *unused) {
    (void)unused;
    (void)new_waiter();
}

static inline bool is_ready(atoll_waiter *waiter) {
    const atoll_waitable waitable = {waiter, 0};
    uint64_t ready = 99;
    const atoll_status status = atoll_wait_any(&waitable, 1, 0, &ready);
    CHECK(status == (ready == 1 ? ATOLL_OK : ATOLL_TIMED_OUT));
    return ready == 1;
}

#endif
