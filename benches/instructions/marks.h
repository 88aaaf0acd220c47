/*
 * Counting instructions: callgrind notes what was executed up to each mark.
 *
 * An operation is done N times up to one mark and 2 N times up to the next. The difference
 * is that of N operations: what is around them, the marks included, is the same in both.
 */
#ifndef MARKS_H
#define MARKS_H

#include <stdio.h>
#include <stdlib.h>

#include <valgrind/callgrind.h>

#include "atoll.h"

/* Ends the program if a call of atoll's failed. */
static inline void need(atoll_status status) {
    atoll_error error;
    if (status == ATOLL_OK)
        return;
    atoll_last_error(&error);
    fprintf(stderr, "%s\n", error.text);
    exit(1);
}

/* Counts what `work` does. */
static inline void count(const char *name, void (*work)(long), long operations) {
    char once[80], twice[80];
    snprintf(once, sizeof once, "%ld %s", operations, name);
    snprintf(twice, sizeof twice, "%ld %s", 2 * operations, name);
    work(operations); /* the first ones find nothing prepared */
    CALLGRIND_DUMP_STATS_AT("");
    work(operations);
    CALLGRIND_DUMP_STATS_AT(once);
    work(2 * operations);
    CALLGRIND_DUMP_STATS_AT(twice);
}

#endif /* MARKS_H */
