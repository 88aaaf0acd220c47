/* A barrier, and threads and processes that arrive at it. */

#ifndef BARRIER_H
#define BARRIER_H

#include <stdatomic.h>
#include <sys/mman.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_barrier *barrier;

/* What threads and processes tell each other. */
static struct {
    atomic_int passed, broken, acted;
    atomic_int indices; /* a bit for each that was given */
} *board;

static inline void set_up(uint32_t parties) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_barrier_create(segment, "barrier", parties, &barrier));
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline void tear_down(void) {
    munmap(board, sizeof *board);
    EXPECT(ATOLL_OK, atoll_barrier_close(barrier));
    end_segment(segment, name);
}

static inline atoll_barrier_info stat_it(void) {
    atoll_barrier_info info;
    memset(&info, 0xff, sizeof info);
    EXPECT(ATOLL_OK, atoll_barrier_stat(barrier, &info));
    return info;
}

static inline void await_waiting(uint32_t n) {
    while (stat_it().waiting != n) usleep(100);
}

static inline void pass(void *unused) {
    uint32_t index = 99;
    (void)unused;
    EXPECT(ATOLL_OK, atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, &index));
    board->indices |= 1 << index;
    board->passed++;
}

static inline void be_told_that_it_broke(void *unused) {
    (void)unused;
    EXPECT(ATOLL_BROKEN, atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
    board->broken++;
}

static inline void *pass_in_thread(void *unused) {
    pass(unused);
    return NULL;
}

static inline void *be_told_in_thread(void *unused) {
    be_told_that_it_broke(unused);
    return NULL;
}

static inline pthread_t start(void *(*body)(void *)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
    return thread;
}

static inline void join(pthread_t thread) { CHECK(pthread_join(thread, NULL) == 0); }

#endif
