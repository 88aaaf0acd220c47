/*
 * The two mutexes that are compared, in one segment: atoll's, and a robust one of libc.
 */
#ifndef MUTEXES_H
#define MUTEXES_H

#include <errno.h>
#include <pthread.h>

#include "shared.h"

struct shared {
    pthread_mutex_t mutex;
    /* What the mutexes guard, each alone on its lines. */
    volatile long ours __attribute__((aligned(64)));
    char gap[128];
    volatile long peer __attribute__((aligned(64)));
};

static atoll_mutex *ours;
static struct shared *shared;

static inline void mutexes_init_peer(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    lane_need(pthread_mutex_init(&shared->mutex, &attributes) == 0, "pthread_mutex_init");
    pthread_mutexattr_destroy(&attributes);
}

static inline void mutexes_open(const char *name, const char *role) {
    shared = (struct shared *)shared_open(name, role, sizeof(struct shared));
    lane_check(atoll_mutex_open_or_create(shared_segment, "ours", NULL, &ours));
    if (shared_is_new)
        mutexes_init_peer();
}

#endif /* MUTEXES_H */
