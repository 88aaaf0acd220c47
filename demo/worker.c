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
    uint64_t *counts;
    uint32_t spared; /* cells merged since the demo wants to kill me */
    atoll_array *chunks_array, *counts_array;
    atoll_mutex *lock;
    atoll_value *next, *trap, *takeover;
} worker;

/* Ends the program if a call failed, with the library's own sentence. */
static void check(atoll_status status) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "worker.c: %s: %s\n", atoll_status_name(status), last.text);
    exit(1);
}

/* Begins a transaction under the lock. Tells the demo, if it wants to know, that it has begun. */
static atoll_transaction *begin(worker *w) {
    atoll_transaction *tx;
    struct timespec now;
    struct takeover said;
    check(atoll_transaction_begin(&w->lock, 1, ATOLL_FOREVER, &tx));
    clock_gettime(CLOCK_MONOTONIC, &now);
    check(atoll_value_load(w->takeover, &said, sizeof said, NULL));
    if (said.worker == NOBODY) {
        said.at_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
        said.found = w->chunks[said.chunk];
        said.worker = w->me;
        check(atoll_value_store(w->takeover, &said, sizeof said, ATOLL_FOREVER));
    }
    return tx;
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
    atoll_transaction *tx = begin(w);
    for (*chunk = 0; *chunk < w->n && w->chunks[*chunk] != TODO; ++*chunk) continue;
    check(atoll_transaction_commit(tx));
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
    void *lent; /* where it was all the time */
    atoll_transaction *tx = begin(w); /* (2) */
    if (w->chunks[chunk] == TODO) {
        check(atoll_transaction_modify(tx, w->chunks_array, chunk, 1, &lent)); /* (3) */
        check(atoll_transaction_modify(tx, w->counts_array, 0, CELLS, &lent)); /* (4) */
        w->chunks[chunk] = MERGING; /* (5) */
        for (uint32_t cell = 0; cell < CELLS; cell++) {
            if (cell == stop_after) raise(SIGSTOP); /* and never comes back */
            w->counts[cell] += mine[cell];
        }
        if (stop_after == CELLS) raise(SIGSTOP);
        w->chunks[chunk] = (uint8_t)w->me;
        if (stop_after != NEVER) w->spared += CELLS;
    }
    check(atoll_transaction_commit(tx)); /* (6) */
}

/* --- main ------------------------------------------------------------------------------------- */

/* Opens an array; gives its address, and its length in *length. */
static void *open_array(atoll_segment *segment, const char *name, const atoll_type *type,
                        atoll_array **array, uint64_t *length) {
    atoll_array_layout layout;
    check(atoll_array_open(segment, name, type, 0, NULL, array));
    check(atoll_array_info(*array, &layout));
    *length = layout.length;
    return atoll_array_data(*array);
}

static worker open_worker(const char *name, uint32_t me) {
    const atoll_type u8 = ATOLL_TYPE_U8, u64 = ATOLL_TYPE_U64;
    const atoll_type trap = {.code = ATOLL_STRUCT, .size = sizeof(struct trap), .align = 8};
    const atoll_type takeover = {.code = ATOLL_STRUCT, .size = sizeof(struct takeover), .align = 8};
    worker w = {.me = me};
    atoll_segment *segment;
    atoll_array *corpus;
    uint64_t cells;
    check(atoll_segment_open(name, NULL, &segment));
    check(atoll_mutex_open(segment, "lock", NULL, &w.lock));
    check(atoll_value_open(segment, "next", &u64, &w.next));
    check(atoll_value_open(segment, "trap", &trap, &w.trap));
    check(atoll_value_open(segment, "takeover", &takeover, &w.takeover));
    w.corpus = open_array(segment, "corpus", &u8, &corpus, &w.size);
    w.chunks = open_array(segment, "chunks", &u8, &w.chunks_array, &w.n);
    w.counts = open_array(segment, "counts", &u64, &w.counts_array, &cells);
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
