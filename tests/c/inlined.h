/* Mutexes that are locked by atoll/inline.h, as programs do it: what is not as usual goes to the
 * call. */

#ifndef INLINED_H
#define INLINED_H

#include <sys/syscall.h>

#include "atoll/inline.h"
#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex;
static atoll_place place;

static inline void set_up(bool recursive) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    options.recursive = recursive;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", &options, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_place(mutex, ATOLL_PLACE_CONTRACT, &place));
}

static inline bool lock_at_once(void) {
    return place.flags & ATOLL_PLACE_RECURSIVE ? atoll_place_lock_recursive(&place)
                                               : atoll_place_lock(&place);
}

static inline bool unlock_at_once(void) {
    return place.flags & ATOLL_PLACE_RECURSIVE ? atoll_place_unlock_recursive(&place)
                                               : atoll_place_unlock(&place);
}

static inline atoll_status lock(int64_t timeout_ns) {
    return lock_at_once() ? ATOLL_OK : atoll_mutex_lock(mutex, timeout_ns);
}

static inline atoll_status unlock(void) {
    return unlock_at_once() ? ATOLL_OK : atoll_mutex_unlock(mutex);
}

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, lock(0)); /* nobody has left it locked */
    EXPECT(ATOLL_OK, unlock());
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static inline uint32_t own_tid(void) {
    return (uint32_t)syscall(SYS_gettid);
}

/* Whether the library says that this thread holds it. */
static inline bool is_mine(void) {
    atoll_owner owner;
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    return owner.alive && owner.pid == (uint32_t)getpid() && owner.tid == own_tid();
}

static inline bool is_nobodys(void) {
    atoll_owner owner;
    EXPECT(ATOLL_OK, atoll_mutex_owner(mutex, &owner));
    return owner.generation == 0;
}

#endif
