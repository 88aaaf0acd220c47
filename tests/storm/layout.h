/* What the storm's workers share: for each of two mutexes, the plain and the recursive one, a row
 * of an array, and a value that counts rounds that are over. */

#ifndef LAYOUT_H
#define LAYOUT_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What a mutex guards. */
struct row {
    int64_t inside;        /* the process that is, or 0 */
    int64_t first, second; /* two counts that agree while nobody is */
};

/* How often a round locks the recursive mutex once it has it. */
enum { DEPTH = 2 };

/* Nobody works on for a director who is gone. */
static inline void go_with_the_director(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* After a death inside, or else a look that nothing is as after one. Gives whether that is so. */
static inline int begin_round(volatile struct row *row, int owner_died) {
    if (owner_died) row->second = row->first;
    else if (row->inside != 0 || row->first != row->second) return 0;
    row->inside = getpid();
    row->first++;
    return 1;
}

static inline int end_round(volatile struct row *row) {
    const int alone = row->inside == getpid();
    row->second++;
    row->inside = 0;
    return alone;
}

static inline int complain(const char *what) {
    fprintf(stderr, "worker %d: %s\n", (int)getpid(), what);
    return 1;
}

#endif
