/*
 * The two reader-writer locks that are compared, in one segment: atoll's, and one of libc.
 */
#ifndef RWLOCKS_H
#define RWLOCKS_H

#include <pthread.h>

#include "shared.h"

static atoll_rwlock *ours;
static pthread_rwlock_t *peer;

static inline void rwlocks_init_peer(void) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    lane_need(pthread_rwlock_init(peer, &attributes) == 0, "pthread_rwlock_init");
    pthread_rwlockattr_destroy(&attributes);
}

static inline void rwlocks_open(const char *name, const char *role) {
    peer = (pthread_rwlock_t *)shared_open(name, role, sizeof *peer);
    lane_check(atoll_rwlock_open_or_create(shared_segment, "ours", &ours));
    if (shared_is_new)
        rwlocks_init_peer();
}

#endif /* RWLOCKS_H */
