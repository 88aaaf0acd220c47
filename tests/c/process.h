/* Other processes and threads, for the tests that need them. */

#ifndef PROCESS_H
#define PROCESS_H

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "check.h"

/* A child starts with no verdict, and never outlives a test that was ended. */
static inline void begin_child(void) {
    failures = 0;
    skip_reason = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(120);
}

/* Runs `body` in a child and takes over its verdict: failures, or the reason to skip. */
static inline void in_child(void (*body)(void *), void *argument) {
    int said[2], status = 0;
    char reason[128] = "";
    pid_t child;
    CHECK(pipe(said) == 0);
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(said[0]);
        begin_child();
        body(argument);
        if (skip_reason != NULL) dprintf(said[1], "%s", skip_reason);
        fflush(stdout);
        _exit(failures != 0);
    }
    close(said[1]);
    if (read(said[0], reason, sizeof reason - 1) > 0) {
        static char kept[sizeof reason];
        memcpy(kept, reason, sizeof reason);
        skip_reason = kept;
    }
    close(said[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A process that did `body` and now waits to be killed. */
static inline pid_t start_victim(void (*body)(void *), void *argument) {
    int ready[2];
    char byte;
    pid_t child;
    CHECK(pipe(ready) == 0);
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ready[0]);
        begin_child();
        body(argument);
        fflush(stdout);
        if (failures != 0) _exit(1);
        if (write(ready[1], "r", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return child;
}

static inline void kill_victim(pid_t victim) {
    int status = 0;
    CHECK(kill(victim, SIGKILL) == 0);
    CHECK(waitpid(victim, &status, 0) == victim);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Runs `body` in another thread of this process, to its end. */
static inline void in_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Runs `body` in n threads that begin and end together, so that each run of a test needs the same
 * number of stacks, of malloc's arenas, and of the library's records of threads. */
struct crowd {
    pthread_barrier_t all_here;
    void (*body)(void *);
    void *argument;
};

static inline void *join_crowd(void *argument) {
    struct crowd *crowd = (struct crowd *)argument;
    pthread_barrier_wait(&crowd->all_here);
    crowd->body(crowd->argument);
    pthread_barrier_wait(&crowd->all_here);
    return NULL;
}

static inline void in_crowd(int n, void (*body)(void *), void *argument) {
    struct crowd crowd;
    pthread_t threads[16];
    crowd.body = body;
    crowd.argument = argument;
    CHECK(n <= 16 && pthread_barrier_init(&crowd.all_here, NULL, (unsigned)n) == 0);
    for (int i = 0; i < n; i++) {
        CHECK(pthread_create(&threads[i], NULL, join_crowd, &crowd) == 0);
    }
    for (int i = 0; i < n; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_destroy(&crowd.all_here);
}

/* Whether a thread sleeps, be it of this process or the only one of another. */
static inline bool sleeps(pid_t thread) {
    char path[64], said[256] = "";
    FILE *stat;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)thread);
    stat = fopen(path, "r");
    if (stat == NULL) return false;
    said[fread(said, 1, sizeof said - 1, stat)] = '\0';
    fclose(stat);
    return strstr(said, ") S ") != NULL;
}

/* Waits until a thread sleeps that does nothing any more but the call that is to sleep. */
static inline void await_sleep(pid_t thread) {
    while (!sleeps(thread)) usleep(100);
}

/* Waits of this process that only a look after a while has ended: nobody had woken them. */
static inline uint64_t rescued_waits(void) {
    atoll_platform platform;
    EXPECT(ATOLL_OK, atoll_platform_info(&platform));
    return platform.rescued_waits;
}

/* Runs a test in which somebody wakes whoever waits. Where there are more threads than processors,
 * a wait may look again just before its wake-up comes, so once or twice proves nothing; but one
 * that nobody wakes looks again every time. */
#define RUN_WOKEN(test) (woken_test = (test), run_test(run_until_all_are_woken, #test))

static void (*woken_test)(void);

static inline void run_until_all_are_woken(void) {
    for (int tries = 0; tries < 10; tries++) {
        const uint64_t before = rescued_waits();
        woken_test();
        if (rescued_waits() == before) return;
    }
    CHECK(!"in each of ten runs a wait ended only because it looked again after a while");
}

static inline int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#endif
