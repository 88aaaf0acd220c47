/*
 * Crowds: several producers and consumers of one ring, on fewer processors than there are of
 * them. Each is a thread of its own, pinned; who cannot go on gives its processor to the others
 * there, or they would wait until the kernel takes it away. Each counts its records, and a record
 * is half of what a producer and a consumer do.
 */
#ifndef CROWDS_H
#define CROWDS_H

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "streams.h"

struct crowd_worker {
    /* Tries to move up to `n` records; says how many it was. */
    long (*move)(long n);
    /* Its processor; below 0: wherever the lane is. */
    int cpu;
    pthread_t thread;
    sem_t begin, end;
    long moved;
    uint64_t took;
};

static struct lane_request crowd_request;

static inline void crowd_slice(struct crowd_worker *me) {
    uint64_t begin, now;
    while ((begin = now = lane_now()) < crowd_request.from) sched_yield();
    me->moved = 0;
    while (now < crowd_request.until) {
        const long moved = me->move(STREAM_BATCH);
        me->moved += moved;
        if (moved < STREAM_BATCH) sched_yield();
        now = lane_now();
    }
    me->took = now - begin;
}

static inline void *crowd_work(void *worker) {
    struct crowd_worker *me = (struct crowd_worker *)worker;
    if (me->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(me->cpu, &set);
        lane_need(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0, "affinity");
    }
    for (;;) {
        sem_wait(&me->begin);
        crowd_slice(me);
        sem_post(&me->end);
    }
    return NULL;
}

static inline void crowd_serve(struct crowd_worker *workers, int count) {
    for (int i = 0; i < count; i++) {
        lane_need(sem_init(&workers[i].begin, 0, 0) == 0, "sem_init");
        lane_need(sem_init(&workers[i].end, 0, 0) == 0, "sem_init");
        lane_need(pthread_create(&workers[i].thread, NULL, crowd_work, &workers[i]) == 0, "thread");
    }
    lane_ready();
    while (lane_next(&crowd_request)) {
        for (int i = 0; i < count; i++) sem_post(&workers[i].begin);
        for (int i = 0; i < count; i++) sem_wait(&workers[i].end);
        for (int i = 0; i < count; i++)
            printf("%ld %" PRIu64 " 0%c", workers[i].moved / 2, workers[i].took,
                   i + 1 < count ? ' ' : '\n');
        fflush(stdout);
    }
}

#endif /* CROWDS_H */
