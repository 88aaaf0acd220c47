/* A condvar, its mutex, and threads that wait. */

#ifndef CONDVAR_H
#define CONDVAR_H

#include <stdatomic.h>
#include <sys/mman.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex;
static atoll_condvar *condvar;

/* What threads and processes tell each other; the order under the mutex. */
static struct {
    atomic_int arrived, passed, order[16];
} *board;

static inline void set_up_with(bool recursive) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    options.recursive = recursive;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "guard", &options, &mutex));
    EXPECT(ATOLL_OK, atoll_condvar_create(segment, "condvar", &condvar));
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline void set_up(void) { set_up_with(false); }

static inline void tear_down(void) {
    munmap(board, sizeof *board);
    EXPECT(ATOLL_OK, atoll_condvar_close(condvar));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static inline void lock(void) { EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER)); }
static inline void unlock(void) { EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex)); }

static inline void notify(uint32_t n) {
    lock();
    EXPECT(ATOLL_OK, atoll_condvar_notify_many(condvar, n));
    unlock();
}

/* Waits once, and writes down as which one it came back. */
static inline void wait_as(int number) {
    lock();
    board->arrived++;
    EXPECT(ATOLL_OK, atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
    board->order[board->passed++] = number;
    unlock();
}

static inline void *wait_in_thread(void *number) {
    wait_as((int)(intptr_t)number);
    return NULL;
}

/* Until so many have begun to wait: who holds the mutex knows that. */
static inline void await_arrivals(int n) {
    for (;;) {
        lock();
        if (board->arrived >= n) break;
        unlock();
        usleep(100);
    }
    unlock();
}

static inline void await_passed(int n) {
    while (board->passed < n) usleep(100);
}

/* Nobody comes back in a while. */
static inline void nobody_but(int n) {
    usleep(20000);
    CHECK(board->passed == n);
}

static inline pthread_t start_waiter(int number) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_in_thread, (void *)(intptr_t)number) == 0);
    await_arrivals(number + 1);
    return thread;
}

static inline void join_all(pthread_t *threads, int n) {
    for (int i = 0; i < n; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

#endif
