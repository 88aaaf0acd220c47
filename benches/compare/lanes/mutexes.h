/*
 * The two mutexes that are compared, in one segment: atoll's, and a robust one of libc
 * that lies in an array. Whoever comes to "create" makes them, and removes the segment's
 * name when it ends.
 */
#ifndef MUTEXES_H
#define MUTEXES_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "lane.h"

struct shared {
    pthread_mutex_t mutex;
    /* What the mutexes guard, each alone on its lines. */
    volatile long ours __attribute__((aligned(64)));
    char gap[128];
    volatile long peer __attribute__((aligned(64)));
};

static atoll_mutex *ours;
static struct shared *shared;
static const char *segment_name;

static void mutexes_remove(void) {
    atoll_segment_unlink(segment_name);
}

static inline void mutexes_init_peer(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    lane_need(pthread_mutex_init(&shared->mutex, &attributes) == 0, "pthread_mutex_init");
    pthread_mutexattr_destroy(&attributes);
}

static inline void mutexes_open(const char *name, const char *role) {
    atoll_segment *segment;
    atoll_array *array;
    atoll_type type;
    const uint64_t one = 1;
    memset(&type, 0, sizeof type);
    type.code = ATOLL_STRUCT;
    type.size = sizeof(struct shared);
    type.align = 64;
    segment_name = name;
    if (strcmp(role, "create") == 0) {
        lane_check(atoll_segment_create(name, NULL, &segment));
        atexit(mutexes_remove);
        lane_check(atoll_mutex_create(segment, "ours", NULL, &ours));
        lane_check(atoll_array_create(segment, "peer", &type, 1, &one, &array));
        shared = (struct shared *)atoll_array_data(array);
        mutexes_init_peer();
    } else {
        lane_check(atoll_segment_open(name, NULL, &segment));
        lane_check(atoll_mutex_open(segment, "ours", NULL, &ours));
        lane_check(atoll_array_open(segment, "peer", &type, 1, &one, &array));
        shared = (struct shared *)atoll_array_data(array);
    }
}

#endif /* MUTEXES_H */
