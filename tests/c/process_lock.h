/* A lock that processes hold. */

#ifndef PROCESS_LOCK_H
#define PROCESS_LOCK_H

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_lock *lock;
static atoll_event *event;

static inline void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_lock_create(segment, "lock", &lock));
    EXPECT(ATOLL_OK, atoll_event_create(segment, NULL, &event));
}

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_event_close(event));
    EXPECT(ATOLL_OK, atoll_lock_close(lock));
    end_segment(segment, name);
}

static inline atoll_owner owner(void) {
    atoll_owner found;
    memset(&found, 0xff, sizeof found);
    EXPECT(ATOLL_OK, atoll_lock_owner(lock, &found));
    return found;
}

static inline bool is_held(void) {
    return owner().generation != 0;
}

static inline void acquire(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
}

static inline void *acquire_in_a_thread(void *unused) {
    acquire(unused);
    return unused;
}

static inline void release(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_lock_release(lock));
}

static inline void *release_in_a_thread(void *unused) {
    release(unused);
    return unused;
}

/* The kernel may clear a dead process away a little after its parent has heard of the end. */
static inline void wait_until_dead(void) {
    while (owner().alive && failures == 0) usleep(1000);
}

#endif
