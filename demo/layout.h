/* What lies in the demo's segment. run.py makes it by layout.py, which says the same in Python; the
 * workers open each thing by its name, and atoll compares kind, type and shape.
 *
 *   name      kind             what
 *   corpus    u8 array         the text; nobody changes it
 *   chunks    u8 array         a state for each chunk of the corpus, see below
 *   next      u64 value        tickets: who adds one has the chunk of the number from before
 *   lock      mutex            guards chunks and counts, which change in transactions only
 *   counts    u64 array        the totals
 *   trap      struct trap      whom the demo wants to kill next
 *   takeover  struct takeover  who got the lock after a kill
 *
 * n chunks of a corpus of s bytes are ceil(s / n) bytes long each; the last ones may be shorter or
 * empty. A word is a run of [A-Za-z0-9_] and belongs to the chunk in which it starts.
 */

#ifndef DEMO_LAYOUT_H
#define DEMO_LAYOUT_H

#include <stdint.h>

/* Cells of counts: 256 for byte values, then one for words of each length; the longest share one. */
enum { BYTES = 256, LONGEST = 64, CELLS = BYTES + LONGEST };

/* States of a chunk. Any other is the number of the worker that has merged it, from 1 on. MERGING is
 * seen only by who looks without the lock. */
enum { TODO = 0, MERGING = 255 };

/* In place of the number of a worker. */
#define NOBODY 0

/* Worker `worker` is to stop inside the critical section. From ticket `ticket` on, it alone merges
 * until the trap is set anew, and it stops when it has merged `cells` cells so. */
struct trap {
    uint64_t ticket;
    uint32_t worker;
    uint32_t cells;
};

/* While `worker` is NOBODY the demo wants to know who gets the lock next: worker `worker` did, at
 * `at_ns` on CLOCK_MONOTONIC, and found `chunk` in state `found`. */
struct takeover {
    uint64_t at_ns;
    uint64_t chunk;
    uint32_t worker;
    uint32_t found;
};

#endif
