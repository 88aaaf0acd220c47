/* The same ring with messages of one cell or more.  (mpmc.pml says how the ring works; sleep.pml what a step is.)
 *
 * A message is a run of cells, claimed by one exchange, with its length in the first.  Only the first is published; the others stay
 * FREE(t + i) until they are freed.  Where it would go beyond the last cell, the rest of the cells is claimed first, by a pad, which is
 * a message that nobody gets.  Who gets a message frees its first cell last: until then another one may get it, if he dies.
 * The cells of a dead producer become tombstones one by one.
 *
 * CHECKED  1 no message is got twice, or in parts    2 what was published is got    3 when all is over, one that is alone gets
 *            everything without waiting for anybody, and finds the whole capacity
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PRODUCERS
#define PRODUCERS 1             /* processes 0.. push, the next ones pop, the last one looks in the end */
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifndef PUSHES
#define PUSHES 2                /* tries of each producer, each with another message */
#endif
#ifndef POPS
#define POPS 2                  /* tries of each consumer */
#endif
#ifndef LONG
#define LONG 255                /* a mask of messages, from 1 on, that are of two cells */
#endif
#define CELLS   4
#define AUDITOR (PRODUCERS + CONSUMERS)
#define PROCS   (AUDITOR + 1)
#define VICTIMS (B(AUDITOR) - 1)
#include "sleep.pml"

#define PLAIN    0
#define TOMBED   1
#define AGAIN    2              /* and one more each time */
#define SLOT(pos, kind)  ((pos) << 3 | (kind))
#define FREE(t)  SLOT(t, PLAIN)
#define FULL(t)  SLOT((t) + 1, PLAIN)
#define TOMB(t)  SLOT(t, TOMBED)
#define POS(w)   ((w) >> 3)
#define KIND(w)  ((w) & 7)
#define IS_FULL(w, t)  (POS(w) == (t) + 1 && KIND(w) != TOMBED)
#define AT(t)    slots[(t) % CELLS]
byte slots[CELLS], cells[CELLS], lengths[CELLS], head, tail;
bit  orphan;                    /* a hint: there may be a message of a dead consumer */
#define PAD      128            /* in a length: nobody gets it */
#define N(size)   ((size) & 127)

#define PUSH(t, n)  ((t) | (n) << 5)
#define POP(t, n)   (128 | (t) | (n) << 5)
#define COVERS(claim, kind, t)  (((claim) & 128) == (kind) && ((claim) & 31) <= (t) && (t) < ((claim) & 31) + ((claim) >> 5 & 3))
#define PUSHED   0
#define POPPED   128
byte claims[PROCS];

short put, got;                 /* seen by the checks only: masks of messages */
byte ended;

/* Who is alone gets on. */
#define ROUND    if :: atomic { me == AUDITOR -> rounds++; assert(rounds < 40) } :: me != AUDITOR fi                 /* 3 */

/* Whether somebody else who lives has announced this cell. */
inline look_for(kind, pos) {
    i = 0; found = 0;
    do
    :: i < PROCS && i != me ->
        STEP( found = (COVERS(claims[i], kind, pos)) );
        if :: found -> STEP( found = !dead[i] ) :: else fi;
        if :: found -> break :: else fi;
        i++
    :: i == me -> i++
    :: i == PROCS -> break
    od;
    i = 0
}
inline forget() { STEP( claims[me] = 0 ) }
inline claim_at(counter, t, n, claim) {
#ifndef M_NO_ANNOUNCEMENT
    STEP( claims[me] = claim );
#endif
    STEP( if :: counter == t -> counter = t + n; won = 1 :: else -> t = counter fi )
}

#define NO   0
#define YES  1
#define BUSY 2

#ifdef M_FIRST_CELL_LOOKED_AT
#define LOOKED_AT(size)  1
#else
#define LOOKED_AT(size)  N(size)
#endif

inline push(v, wanted) {
    STEP( t = tail );
    do
    :: ROUND;
       size = wanted;
       if :: t % CELLS + wanted > CELLS -> size = (CELLS - t % CELLS) | PAD :: else fi;
       k = 0;
       do
       :: k < LOOKED_AT(size) ->
           STEP( w = AT(t + k) );
           if :: w == FREE(t + k) -> k++ :: else -> break fi
       :: else -> break
       od;
       if
       :: k == LOOKED_AT(size) ->
           k = 0;
           claim_at(tail, t, N(size), PUSH(t, N(size)));
           if
           :: won ->
               won = 0;
#ifdef M_PUBLISHED_BEFORE_IT_IS_WRITTEN
               STEP( AT(t) = FULL(t); if :: !(size & PAD) -> put = put | B(v) :: else fi );
#endif
               STEP( lengths[t % CELLS] = size; cells[t % CELLS] = v );
               if :: N(size) > 1 -> STEP( cells[(t + 1) % CELLS] = v ) :: else fi;
#ifndef M_PUBLISHED_BEFORE_IT_IS_WRITTEN
               STEP( AT(t) = FULL(t); if :: !(size & PAD) -> put = put | B(v) :: else fi );
#endif
               if
               :: size & PAD -> STEP( t = tail )
               :: else -> answer = YES; break
               fi
           :: else
           fi
       :: k < LOOKED_AT(size) && POS(w) < t + k ->
           STEP( x = tail );
           if
           :: x != t -> t = x
           :: else ->
               forget();
               STEP( x = head );
               if
               :: x + CELLS > t + k ->
                   look_for(POPPED, t + k - CELLS);
                   if
                   :: !found && w == TOMB(t + k - CELLS) -> STEP( if :: AT(t + k) == w -> AT(t + k) = FREE(t + k) :: else fi )
                   :: !found && IS_FULL(w, t + k - CELLS) -> STEP( orphan = 1 ); answer = NO; break
                   :: else -> answer = NO; break
                   fi
               :: else -> answer = NO; break
               fi
           fi
       :: else -> STEP( t = tail )
       fi
    od;
    atomic { t = 0; w = 0; x = 0; k = 0; size = 0; found = 0 }
}

/* Reads the message, and frees its cells: when the first one is free, it has been got. */
inline take(t) {
    if
    :: !(size & PAD) ->
        STEP( x = cells[t % CELLS] );
        if :: N(size) > 1 -> STEP( assert(cells[(t + 1) % CELLS] == x) ) :: else fi                                    /* 1 */
    :: else -> x = 0
    fi;
#if !defined(M_FIRST_CELL_FIRST) && !defined(M_FIRST_CELL_ONLY)
    if :: N(size) > 1 -> STEP( AT(t + 1) = FREE(t + 1 + CELLS) ) :: else fi;
#endif
    STEP( AT(t) = FREE(t + CELLS); assert(x == 0 || !(got & B(x))); if :: x -> got = got | B(x) :: else fi );        /* 1 */
#ifdef M_FIRST_CELL_FIRST
    if :: N(size) > 1 -> STEP( AT(t + 1) = FREE(t + 1 + CELLS) ) :: else fi;
#endif
    if :: !(size & PAD) -> answer = YES :: else fi
}

/* The cells behind the head. */
inline take_orphan() {
    STEP( h = head );
    t = (h > CELLS -> h - CELLS : 0);
    do
    :: t < h && answer != YES ->
       STEP( w = AT(t) );
       if
       :: w == TOMB(t) || IS_FULL(w, t) ->
           look_for(POPPED, t);
           if
           :: !found && w == TOMB(t) -> STEP( if :: AT(t) == w -> AT(t) = FREE(t + CELLS) :: else fi )
           :: !found && w != TOMB(t) ->
               STEP( size = lengths[t % CELLS] );
               STEP( claims[me] = POP(t, N(size)) );
               STEP( if :: AT(t) == w -> AT(t) = SLOT(t + 1, (KIND(w) == PLAIN -> AGAIN : KIND(w) + 1)); won = 1 :: else fi );
               if :: won -> won = 0; take(t) :: else fi
           :: else
           fi
       :: else
       fi;
       t++
    :: else -> break
    od;
    if :: answer != YES -> forget(); STEP( orphan = 0 ) :: else fi;
    atomic { t = 0; h = 0; w = 0; x = 0; size = 0; found = 0 }
}

inline pop() {
    answer = NO;
    STEP( found = orphan );
    if :: found -> found = 0; take_orphan() :: else fi;
    if
    :: answer == NO ->
        STEP( h = head );
        do
        :: ROUND;
           STEP( w = AT(h) );
           if
           :: w == FULL(h) ->
               STEP( size = lengths[h % CELLS] );
               claim_at(head, h, N(size), POP(h, N(size)));
               if
               :: won ->
                   won = 0;
                   take(h);
                   if :: answer == YES -> break :: else -> STEP( h = head ) fi
               :: else
               fi
           :: w == TOMB(h) ->
               claim_at(head, h, 1, POP(h, 1));
               if :: won -> won = 0; STEP( AT(h) = FREE(h + CELLS) ); STEP( h = head ) :: else fi
           :: w == FREE(h) ->
               forget();
               STEP( t = tail );
               STEP( x = head );
               if
               :: x != h -> h = x
               :: x == h && t == h ->
#ifdef SWEEPS
                   STEP( orphan = 1 );
#endif
                   break
               :: else ->
                   look_for(PUSHED, h);
                   if
                   :: found -> answer = BUSY; break
                   :: else ->
#ifdef M_ONE_TOMBSTONE_FOR_ALL
                       /* As if the rest of the claim were freed by who finds the first cell. */
                       STEP( if :: AT(h) == FREE(h) -> AT(h) = TOMB(h) :: else fi );
                       STEP( if :: AT(h + 1) == FREE(h + 1) -> AT(h + 1) = FREE(h + 1 + CELLS) :: else fi )
#else
                       STEP( if :: AT(h) == FREE(h) -> AT(h) = TOMB(h) :: else fi )
#endif
                   fi
               fi
           :: else ->
               /* Of the lap before: who emptied that is not done.  Or the head has moved on. */
               STEP( x = head );
               if :: x == h && POS(w) < h -> break :: else -> h = x fi
           fi
        od
    :: else
    fi;
    atomic { t = 0; h = 0; w = 0; x = 0; size = 0; found = 0 }
}
#define LOCALS  byte t, h, w, x, i, k, size, answer, rounds; bit found, won
#define FORGET  t = 0; h = 0; w = 0; x = 0; i = 0; k = 0; size = 0; answer = 0; found = 0; won = 0

proctype Producer(byte me) {
    byte left = PUSHES;
    LOCALS;
    do
    :: left > 0 -> push(me * PUSHES + left, 1 + IN(LONG, me * PUSHES + left - 1)); left--; answer = 0
    :: else -> break
    od;
    goto finished;
dying:
    dead[me] = 1;
finished:
    atomic { left = 0; FORGET; ended++ }
}

proctype Consumer(byte me) {
    byte left = POPS;
    LOCALS;
    do
    :: left > 0 -> pop(); left--; answer = 0
    :: else -> break
    od;
    goto finished;
dying:
    dead[me] = 1;
finished:
    atomic { left = 0; FORGET; ended++ }
}

proctype Auditor(byte me) {
    byte n;
    LOCALS;
    ended == PRODUCERS + CONSUMERS;
    orphan = 1;
    do
    :: pop(); assert(answer != BUSY); if :: answer == NO -> break :: else fi                                          /* 3 */
    od;
    assert(got == put);                                                                                              /* 2 */
    rounds = 0;
    do
    :: n < CELLS -> push(0, 1); assert(answer == YES); n++                                                           /* 3 */
    :: else -> break
    od;
    push(0, 1);
    assert(answer == NO);
dying:
    skip
}
#define START(p)  if :: p < PRODUCERS -> run Producer(p) :: p >= PRODUCERS && p < AUDITOR -> run Consumer(p) :: else fi
init {
    atomic {
        kills = KILLS;
        do :: tail < CELLS -> slots[tail] = FREE(tail); tail++ :: else -> break od;
        tail = 0;
        START(0); START(1); START(2); START(3);
        run Auditor(AUDITOR)
    }
}
