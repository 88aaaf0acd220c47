/* A worker of the demo, in C: takes chunks of the corpus, counts them, merges the counts.
 *
 *   worker SEGMENT NUMBER
 *
 * layout.h says what lies in the segment. README.md says why no kill can make the totals wrong; the
 * numbers in brackets here are those of its table.
 */

#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <atoll.h>

#include "layout.h"

#define NEVER UINT32_MAX

typedef struct {
    uint32_t me;
    const uint8_t *corpus;
    uint8_t *chunks;
    uint64_t size, n; /* of these two */
    uint32_t spared; /* cells merged since the demo wants to kill me */
    uint64_t *counts, *before;
    atoll_mutex *lock;
    atoll_value *next, *trap, *takeover;
} worker;

/* Ends the program if a call failed, with the library's own sentence. */
static void check(atoll_status status) {
    atoll_error last;
    if (atoll_status_is_acquired(status)) return; /* OWNER_DIED has the lock, too */
    atoll_last_error(&last);
    fprintf(stderr, "worker.c: %s\n", last.text);
    exit(1);
}

/* --- the lock, and what a dead owner left behind ---------------------------------------------- */

/* Keeps the compiler from moving stores to one side of here to the other. A kill is like a signal
 * handler that never returns: it sees memory as the instructions left it, in their order. */
static void in_order(void) {
    atomic_signal_fence(memory_order_seq_cst);
}

/* Takes back what a dead owner has merged of a chunk, and says so. */
static void mend(worker *w, uint64_t at_ns) {
    struct takeover news = {at_ns, NO_CHUNK, w->me, 0};
    uint8_t *torn = memchr(w->chunks, MERGING, w->n);
    if (torn) {
        news.chunk = (uint64_t)(torn - w->chunks);
        memcpy(w->counts, w->before, CELLS * sizeof *w->counts); /* (7) */
        in_order();
        *torn = TODO; /* (8) */
    }
    check(atoll_value_store(w->takeover, &news, sizeof news, ATOLL_FOREVER));
    check(atoll_mutex_mark_consistent(w->lock)); /* (9) */
}

static void lock(worker *w) {
    struct timespec now;
    const atoll_status status = atoll_mutex_lock(w->lock, ATOLL_FOREVER);
    clock_gettime(CLOCK_MONOTONIC, &now);
    check(status);
    if (status == ATOLL_OWNER_DIED) {
        mend(w, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    }
}

static void unlock(worker *w) {
    check(atoll_mutex_unlock(w->lock));
}

/* --- one chunk -------------------------------------------------------------------------------- */

/* Takes a ticket, and finds the chunk to do for it. False if all chunks are merged. */
static bool take(worker *w, uint64_t *ticket, uint64_t *chunk) {
    const uint64_t one = 1;
    check(atoll_value_fetch_add(w->next, &one, sizeof one, ticket, sizeof *ticket, NULL)); /* (1) */
    *chunk = *ticket;
    if (*ticket < w->n) return true;

    /* All are handed out. Those not merged yet are in work, or lost with somebody who was killed.
     * No need to know which: it does no harm to count a chunk twice, for one merges it. */
    lock(w);
    for (*chunk = 0; *chunk < w->n && w->chunks[*chunk] != TODO; ++*chunk) continue;
    unlock(w);
    return *chunk < w->n;
}

static bool in_word(uint8_t byte) {
    return isalnum(byte) || byte == '_';
}

static void count(const worker *w, uint64_t chunk, uint64_t mine[CELLS]) {
    const uint64_t length = (w->size + w->n - 1) / w->n;
    const uint64_t begin = chunk * length < w->size ? chunk * length : w->size;
    const uint64_t end = w->size - begin < length ? w->size : begin + length;

    memset(mine, 0, CELLS * sizeof *mine);
    for (uint64_t i = begin; i < end; i++) mine[w->corpus[i]]++;

    uint64_t i = begin;
    if (i > 0 && in_word(w->corpus[i - 1])) { /* that word belongs to an earlier chunk */
        while (i < end && in_word(w->corpus[i])) i++;
    }
    while (i < end) {
        const uint64_t start = i;
        while (i < w->size && in_word(w->corpus[i])) i++;
        const uint64_t letters = i - start;
        if (letters > 0) mine[BYTES + (letters < LONGEST ? letters : LONGEST) - 1]++;
        else i++;
    }
}

/* Lets the worker go first that the demo wants to kill next. If this is the one, says after how many
 * cells it is to stop; more than there are means later. */
static uint32_t wait_turn(const worker *w, uint64_t ticket) {
    for (;;) {
        struct trap trap;
        check(atoll_value_load(w->trap, &trap, sizeof trap, NULL));
        if (trap.worker == NOBODY || ticket < trap.ticket) return NEVER;
        if (trap.worker == w->me) return trap.cells - w->spared;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* Adds my counts of a chunk to the totals, unless somebody has done so. */
static void merge(worker *w, uint64_t chunk, const uint64_t mine[CELLS], uint32_t stop_after) {
    lock(w); /* (2) */
    if (w->chunks[chunk] == TODO) {
        memcpy(w->before, w->counts, CELLS * sizeof *w->before); /* (3) */
        in_order();
        w->chunks[chunk] = MERGING; /* (4) */
        in_order();
        for (uint32_t cell = 0; cell < CELLS; cell++) {
            if (cell == stop_after) raise(SIGSTOP); /* and never comes back */
            w->counts[cell] += mine[cell]; /* (5) */
        }
        if (stop_after == CELLS) raise(SIGSTOP);
        in_order();
        w->chunks[chunk] = (uint8_t)w->me; /* (6) */
        if (stop_after != NEVER) w->spared += CELLS;
    }
    unlock(w);
}

/* --- main ------------------------------------------------------------------------------------- */

/* Opens an array; gives its address, and its length in *length. */
static void *open_array(atoll_segment *segment, const char *name, const atoll_type *type,
                        uint64_t *length) {
    atoll_array *array;
    atoll_array_layout layout;
    check(atoll_array_open(segment, name, type, 0, NULL, &array));
    check(atoll_array_info(array, &layout));
    *length = layout.length;
    return atoll_array_data(array);
}

static worker open_worker(const char *name, uint32_t me) {
    const atoll_type u8 = ATOLL_TYPE_U8, u64 = ATOLL_TYPE_U64;
    const atoll_type trap = {.code = ATOLL_STRUCT, .size = sizeof(struct trap), .align = 8};
    const atoll_type takeover = {.code = ATOLL_STRUCT, .size = sizeof(struct takeover), .align = 8};
    worker w = {.me = me};
    atoll_segment *segment;
    uint64_t cells;
    check(atoll_segment_open(name, NULL, &segment));
    check(atoll_mutex_open(segment, "lock", NULL, &w.lock));
    check(atoll_value_open(segment, "next", &u64, &w.next));
    check(atoll_value_open(segment, "trap", &trap, &w.trap));
    check(atoll_value_open(segment, "takeover", &takeover, &w.takeover));
    w.corpus = open_array(segment, "corpus", &u8, &w.size);
    w.chunks = open_array(segment, "chunks", &u8, &w.n);
    w.counts = open_array(segment, "counts", &u64, &cells);
    w.before = open_array(segment, "before", &u64, &cells);
    return w; /* exit() closes what is open here */
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: worker SEGMENT NUMBER; `make demo` starts it\n");
        return 2;
    }
    worker w = open_worker(argv[1], (uint32_t)atoi(argv[2]));
    uint64_t ticket, chunk, mine[CELLS];
    while (take(&w, &ticket, &chunk)) {
        count(&w, chunk, mine);
        merge(&w, chunk, mine, wait_turn(&w, ticket));
    }
    return 0;
}
