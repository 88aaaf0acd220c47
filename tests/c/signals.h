/* Signals that end a wait of another thread. */

#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdatomic.h>

#include "process.h"

/* Signals a thread until it says that it has noticed: a handler that runs before a sleep, or between
 * two of them, ends no wait. */
static inline void signal_until(atomic_int *noticed, pthread_t thread, int signal) {
    while (!atomic_load(noticed)) {
        pthread_kill(thread, signal);
        usleep(2000);
    }
}

/* No handler of that signal runs in this thread any more: one may be on its way that is to end
 * nothing. */
static inline void be_deaf_to(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

#endif
