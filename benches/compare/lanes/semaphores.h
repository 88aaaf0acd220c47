/*
 * The two semaphores that are compared, in one segment: a plain one of atoll's, and one of
 * libc. Each has one permit.
 */
#ifndef SEMAPHORES_H
#define SEMAPHORES_H

#include <semaphore.h>

#include "shared.h"

struct shared {
    sem_t semaphore;
    /* What the semaphores guard, each alone on its lines. */
    volatile long ours __attribute__((aligned(64)));
    char gap[128];
    volatile long peer __attribute__((aligned(64)));
};

static atoll_semaphore *ours;
static struct shared *shared;

static inline void semaphores_open(const char *name, const char *role) {
    atoll_semaphore_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.value = 1;
    shared = (struct shared *)shared_open(name, role, sizeof(struct shared));
    lane_check(atoll_semaphore_open_or_create(shared_segment, "ours", &options, &ours));
    if (shared_is_new)
        lane_need(sem_init(&shared->semaphore, 1, 1) == 0, "sem_init");
}

#endif /* SEMAPHORES_H */
