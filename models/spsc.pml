/* A lane: the ring of Lamport, whose two roles are taken over when their holders have died.  (sleep.pml says what a step is; here nobody
 * sleeps: ring_wait.pml has that, and a lane says what it is about to do by a store where that ring has its claim.)
 *
 * tail is the producer's, head the consumer's.  Each keeps to itself what it last saw of the other's.  A role names its holder by slot
 * and generation, and is taken from nobody or from the dead by one exchange; the new holder begins with the counters as they are.
 * Killed before its store of a counter nothing has happened, after it all has.
 *
 * CHECKED  1 what was published is got once, in order    2 nobody living has the role that another takes
 *          3 when all is over, one that is alone gets everything, and finds the whole capacity
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PRODUCERS
#define PRODUCERS 2             /* processes 0.. push, the next ones pop, the last one looks in the end */
#endif
#ifndef CONSUMERS
#define CONSUMERS 2
#endif
#ifndef PUSHES
#define PUSHES 2                /* tries of each producer, each with another record */
#endif
#ifndef POPS
#define POPS 2                  /* tries of each consumer */
#endif
#ifndef TURNS
#define TURNS 1                 /* how often each of them takes its role, and gives it up again */
#endif
#ifndef REUSE
#define REUSE 99                /* the last producer comes when this process is dead, and gets its slot */
#endif
#ifndef CELLS
#define CELLS 2
#endif
#define AUDITOR (PRODUCERS + CONSUMERS)
#define PROCS   (AUDITOR + 1)
#define VICTIMS (B(AUDITOR) - 1)
#include "sleep.pml"

byte records[CELLS], head, tail;
#define PRODUCER 0
#define CONSUMER 1
byte roles[2];                  /* 0, or a name */
byte gens[PROCS];               /* per slot; `dead` is per slot, too */
#ifdef M_NO_GEN_IN_THE_ROLE
#define NAME(slot, gen)  (1 | (slot) << 1)
#define IS_DEAD(name)    dead[(name) >> 1 & 7]
#else
#define NAME(slot, gen)  (1 | (slot) << 1 | (gen) << 4)
#define IS_DEAD(name)    (dead[(name) >> 1 & 7] || gens[(name) >> 1 & 7] != (name) >> 4)
#endif

byte put, got;                  /* seen by the checks only: how many were published, and got; */
byte holders[2];                /* who is in a role, and lives: process + 1 */
byte ended;

#define NO   0
#define YES  1

inline take_role(r) {
    STEP( seen = roles[r] );
    if
    :: seen != 0 ->
#ifdef M_TAKEN_FROM_THE_LIVING
        skip
#else
        STEP( if :: IS_DEAD(seen) :: else -> seen = 0; goto again fi )
#endif
    :: else
    fi;
#ifdef M_TAKEN_WITHOUT_COMPARING
    STEP( roles[r] = name; assert(!holders[r]); holders[r] = me + 1 );
#else
    STEP( if :: roles[r] == seen -> roles[r] = name; assert(!holders[r]); holders[r] = me + 1 :: else -> seen = 0; goto again fi );   /* 2 */
#endif
    seen = 0
}
inline leave_role(r) {
    atomic { true; holders[r] = 0 };
    STEP( if :: roles[r] == name -> roles[r] = 0 :: else fi )
}

inline push() {
    answer = YES;
    if :: own - other == CELLS -> STEP( other = head ) :: else fi;
    if
    :: own - other == CELLS -> answer = NO
    :: else ->
#ifdef M_PUBLISHED_BEFORE_IT_IS_WRITTEN
        STEP( tail = own + 1; put++ );
        STEP( records[own % CELLS] = own + 1 );
#else
        STEP( records[own % CELLS] = own + 1 );
        STEP( tail = own + 1; put++ );
#endif
        own++
    fi
}
inline pop() {
    answer = YES;
    if :: own == other -> STEP( other = tail ) :: else fi;
    if
    :: own == other -> answer = NO
    :: else ->
#ifdef M_FREED_BEFORE_IT_IS_READ
        STEP( head = own + 1; got++ );
        STEP( assert(records[own % CELLS] == own + 1) );
#else
        STEP( assert(records[own % CELLS] == own + 1) );                                                          /* 1 */
        STEP( head = own + 1; got++ );
#endif
        own++
    fi
}
#ifdef M_COUNTERS_KEPT_FROM_BEFORE
#define BEGIN(mine, others)  if :: turns == TURNS -> STEP( own = mine ); STEP( other = others ) :: else fi
#else
#define BEGIN(mine, others)  STEP( own = mine ); STEP( other = others )
#endif
/* What head and tail say is what has happened. */
#define SOUND  assert(got == head && put == tail && got <= put && put - got <= CELLS)                              /* 1 */
#define FORGET left = 0; own = 0; other = 0; seen = 0; answer = 0; tries = 0; turns = 0; name = 0

proctype Producer(byte me; byte slot) {
    byte left, own, other, seen, answer, tries = 3, turns = TURNS, name;
    if
    :: slot != me ->
        if
        :: atomic { dead[slot] -> dead[slot] = 0; gens[slot]++ }
        :: atomic { !dead[slot] && ended == AUDITOR - 1 -> goto finished }
        fi
    :: else
    fi;
    name = NAME(slot, gens[slot]);
again:
    if :: tries == 0 -> goto finished :: else -> tries-- fi;
    take_role(PRODUCER);
    BEGIN(tail, head);
    left = PUSHES;
    do
    :: left > 0 -> push(); left--; answer = 0; SOUND
    :: else -> break
    od;
    leave_role(PRODUCER);
    turns--;
    if :: turns -> goto again :: else fi;
    goto finished;
dying:
    atomic { dead[slot] = 1; if :: holders[PRODUCER] == me + 1 -> holders[PRODUCER] = 0 :: else fi };
finished:
    atomic { FORGET; ended++ }
}

proctype Consumer(byte me) {
    byte left, own, other, seen, answer, tries = 3, turns = TURNS, name, slot = me;
    name = NAME(slot, 0);
again:
    if :: tries == 0 -> goto finished :: else -> tries-- fi;
    take_role(CONSUMER);
    BEGIN(head, tail);
    left = POPS;
    do
    :: left > 0 -> pop(); left--; answer = 0; SOUND
    :: else -> break
    od;
    leave_role(CONSUMER);
    turns--;
    if :: turns -> goto again :: else fi;
    goto finished;
dying:
    atomic { dead[slot] = 1; if :: holders[CONSUMER] == me + 1 -> holders[CONSUMER] = 0 :: else fi };
finished:
    atomic { FORGET; ended++ }
}

proctype Auditor(byte me) {
    byte own, other, answer, n, seen, name;
    ended == PRODUCERS + CONSUMERS;
    name = NAME(me, 0);
    take_role(CONSUMER);
    STEP( own = head; other = head );
    do
    :: pop(); if :: answer == NO -> break :: else fi
    od;
    assert(got == put);                                                                                           /* 1 */
    take_role(PRODUCER);
    atomic { own = tail; other = 0 };
    STEP( other = head );
    do
    :: n < CELLS -> push(); assert(answer == YES); n++                                                            /* 3 */
    :: else -> break
    od;
    push();
    assert(answer == NO);
    goto finished;
again:
    assert(false);                                                                                                /* 3 */
dying:
finished:
    skip
}
#define START(p)  if \
                  :: p < PRODUCERS && REUSE != 99 && p == PRODUCERS - 1 -> run Producer(p, REUSE) \
                  :: p < PRODUCERS && !(REUSE != 99 && p == PRODUCERS - 1) -> run Producer(p, p) \
                  :: p >= PRODUCERS && p < AUDITOR -> run Consumer(p) \
                  :: else \
                  fi
init {
    atomic {
        kills = KILLS;
        START(0); START(1); START(2); START(3);
        run Auditor(AUDITOR)
    }
}
