/* Doorbell: the FIFO that makes a word pollable.  (sleep.pml says what a step is; here a step may also be one system call.)
 *
 * word: OPEN, LISTENED (somebody may poll).  What else a word has is the business of gate.pml and semaphore.pml.
 * FIFO, as the kernel has it: a reader is readable (hung up) while no writer has the FIFO open, if one had it open at some moment since
 * the reader was opened, or at that moment (`rung`).  A death closes everything, in a step of its own.  `name` is the inode
 * that the name leads to, 0 if there is none; an inode lives on, unnamed, while somebody has it open.
 * flock: a conversion gives the old lock up first, also if it is refused then.
 *
 * CHECKED  1 nobody polls for ever beside an open gate, or one that has been opened since he armed
 *          2 nobody unlinks a FIFO that somebody listens to   3 (TRIES) nobody rings for ever
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PROCS
#define PROCS 3
#endif
#ifndef RINGERS
#define RINGERS 1               /* processes 0.. open the gate, the others listen */
#endif
#ifndef SETS
#define SETS 1                  /* by each ringer; it shuts the gate before the next one */
#endif
#ifndef ROUNDS
#define ROUNDS 1                /* how often each listener waits before it leaves */
#endif
#ifndef AGAIN
#define AGAIN 0                 /* a mask of listeners that come back after they have left */
#endif
#ifndef SWEEPERS
#define SWEEPERS 0              /* a mask of listeners that only sweep what others have left */
#endif
#ifndef TAKERS
#define TAKERS 0                /* a mask of listeners that shut the gate when they are let in: permits */
#endif
#include "sleep.pml"

#define OPEN     1
#define LISTENED 2
#define NODES    5
#define SHARED   1
#define ALONE    2
byte word;
byte name;
byte bell[PROCS], reader[PROCS], newer[PROCS];  /* descriptors: the inode, 0 = closed */
byte lock[PROCS], newer_lock[PROCS];            /* flock of reader and newer */
bit  rung[PROCS], newer_rung[PROCS];
bit  polls[PROCS], opened[PROCS];               /* for the monitor: opened since it armed */

#if PROCS > 3
#define ANY(what, i)  (what(0, i) || what(1, i) || what(2, i) || what(3, i))
#define ALL(what, i)  what(0, i); what(1, i); what(2, i); what(3, i)
#else
#define ANY(what, i)  (what(0, i) || what(1, i) || what(2, i))
#define ALL(what, i)  what(0, i); what(1, i); what(2, i)
#endif
#define WRITES(p, i)   (bell[p] == (i))
#define LISTENS(p, i)  (reader[p] == (i) || newer[p] == (i))
#define HAS_IT(p, i)   (WRITES(p, i) || LISTENS(p, i))
#define LOCKS(p, i)    (reader[p] == (i) && lock[p] || newer[p] == (i) && newer_lock[p])
#define SWEEPS(p, i)   (reader[p] == (i) && lock[p] == ALONE)
#define RING(p, i)     if :: reader[p] == (i) -> rung[p] = 1 :: else fi; if :: newer[p] == (i) -> newer_rung[p] = 1 :: else fi
#define NOTE(p, i)     opened[p] = 1
#define HUNG_UP        (rung[me] && !ANY(WRITES, reader[me]))

inline make() {                 /* mkfifo; EEXIST is fine */
    if
    :: name == 0 -> n = 1; do :: ANY(HAS_IT, n) -> n++ :: else -> break od; assert(n <= NODES); name = n; n = 0
    :: else
    fi
}
inline close_all() {
    bell[me] = 0; reader[me] = 0; newer[me] = 0; lock[me] = 0; newer_lock[me] = 0; rung[me] = 0; newer_rung[me] = 0
}
#define CLOSE_NEWER  newer[me] = 0; newer_lock[me] = 0; newer_rung[me] = 0

proctype Ringer(byte me) {
    byte seen, n, missed, left = SETS;
#ifdef TRIES
    byte tries;
#endif
again:
    if :: left == 0 -> goto finished :: else fi;
#ifdef TRIES
    tries++; assert(tries <= TRIES);
#endif
    STEP( seen = word );
    if :: seen & OPEN -> goto published :: else fi;
#ifndef M_RING_AFTER_THE_EXCHANGE
    if
    :: seen & LISTENED ->
        /* The word must have been read while the FIFO was open here, and have its name after that. */
        if
        :: bell[me] ->
#ifndef M_NAME_NOT_COMPARED
            STEP( if :: name == bell[me] -> goto exchange :: else fi );
            STEP( bell[me] = 0 )
#else
            goto exchange
#endif
        :: else
        fi;
#ifdef M_LISTENED_TAKEN_AWAY_FIRST
        STEP( if :: word == seen -> word = seen & ~LISTENED; seen = word :: else goto again fi );
#endif
        STEP( n = name;
#ifdef M_ONLY_WRITES
              if :: n && !ANY(LISTENS, n) -> n = 0; goto exchange :: else fi;     /* ENXIO */
#endif
              if :: n -> bell[me] = n; ALL(RING, n) :: else -> missed++ fi; n = 0 );
#ifdef M_ENOENT_TAKES_LISTENED_AWAY
        if
        :: bell[me] == 0 && missed == 2 ->
            missed = 0;
            STEP( word = word & ~LISTENED );
            STEP( seen = word );
            STEP( n = name; if :: n -> bell[me] = n; ALL(RING, n) :: else fi; n = 0 );
            if :: seen & OPEN -> goto published :: else goto exchange fi
        :: else
        fi;
#else
        /* Removed by force, or there is much coming and going. */
        if :: bell[me] == 0 && missed == 2 -> missed = 0; STEP( make() ) :: else fi;
#endif
#ifdef M_NOT_READ_AGAIN
        if :: bell[me] -> goto exchange :: else fi;
#endif
#ifdef M_LISTENED_TAKEN_AWAY_FIRST
        goto exchange;
#endif
        goto again
    :: else
    fi;
#endif
exchange:
    STEP( if :: word == seen -> word = (seen | OPEN) & ~LISTENED; ALL(NOTE, 0) :: else goto again fi );
#ifdef M_RING_AFTER_THE_EXCHANGE
    if :: seen & LISTENED -> STEP( n = name; if :: n -> bell[me] = n; ALL(RING, n) :: else fi; n = 0 ) :: else fi;
#endif
published:
    if :: bell[me] -> STEP( bell[me] = 0 ) :: else fi;
    atomic { seen = 0; missed = 0; left-- };
    if :: left -> STEP( word = word & ~OPEN ) :: else fi;
    goto again;
dying:
    atomic { dead[me] = 1; seen = 0; n = 0; missed = 0; left = 0 };
    atomic { true; close_all() };
finished:
    atomic {
#ifdef TRIES
        tries = 0;
#endif
        seen = 0; n = 0; missed = 0; left = 0 }
}

proctype Listener(byte me) {
    byte seen, n, left = ROUNDS, lives = (IN(AGAIN, me) -> 2 : 1);

    if :: IN(SWEEPERS, me) -> STEP( if :: name == 0 -> goto finished :: else -> reader[me] = name fi ); goto leave :: else fi;
come:
    STEP( make() );
    STEP( if :: name -> newer[me] = name; newer_rung[me] = ANY(WRITES, name) :: else goto come fi );
    STEP( if :: ANY(SWEEPS, newer[me]) -> CLOSE_NEWER; goto come :: else -> newer_lock[me] = SHARED fi );
    STEP( if :: name != newer[me] -> CLOSE_NEWER; goto come :: else fi );
    STEP( reader[me] = newer[me]; rung[me] = newer_rung[me]; lock[me] = newer_lock[me]; CLOSE_NEWER );
#ifdef M_LISTENED_BEFORE_THE_READER
    if :: seen -> seen = 0; goto poll :: else fi;
#endif
again:
    STEP( seen = HUNG_UP );
    if
    :: seen ->
        seen = 0;
#ifdef M_LISTENED_BEFORE_THE_READER
        STEP( if :: word & OPEN -> goto ready :: else -> word = word | LISTENED; opened[me] = 0; seen = 1 fi );
#endif
#ifdef M_CLOSED_BEFORE_IT_OPENS
        STEP( reader[me] = 0; rung[me] = 0; lock[me] = 0 );
#endif
        goto come
    :: else
    fi;
look:
    STEP( seen = word; opened[me] = 0 );
    if :: seen & OPEN -> goto ready :: else fi;
#ifdef M_LOOKS_FIRST
    STEP( word = word | LISTENED; seen = 0 );
#else
    if
    :: seen & LISTENED
    :: else -> STEP( if :: word == seen -> word = word | LISTENED; opened[me] = 0 :: else -> seen = 0; goto look fi )
    fi;
    seen = 0;
#endif
poll:
    polls[me] = 1;
end_polls:
    if
    KILL
    :: atomic { HUNG_UP -> polls[me] = 0; goto again }
    :: atomic { IN(timed, me) -> polls[me] = 0; goto leave }
    fi;
ready:
    atomic { seen = 0; left-- };
    if :: IN(TAKERS, me) -> STEP( word = word & ~OPEN ) :: else fi;
    if :: left -> goto again :: else fi;
leave:
#ifdef M_UNLINKED_BESIDE_OTHERS
    STEP( lock[me] = ALONE );
#else
    STEP( lock[me] = 0; if :: ANY(LOCKS, reader[me]) -> goto close :: else -> lock[me] = ALONE fi );
#endif
    STEP( if :: name != reader[me] -> goto close :: else fi );
#ifdef M_UNLINKED_FIRST
    STEP( name = 0 );
#endif
#ifndef M_LISTENED_STAYS
    STEP( word = word & ~LISTENED );
#endif
#ifndef M_UNLINKED_BESIDE_A_RINGER
    STEP( if :: ANY(WRITES, reader[me]) -> goto close :: else fi );
#endif
#ifndef M_UNLINKED_FIRST
    STEP( assert(name == reader[me]); name = 0 );                               /* 2 */
#endif
close:
    STEP( reader[me] = 0; rung[me] = 0; lock[me] = 0 );
    lives--;
    if :: lives -> left = ROUNDS; goto come :: else -> goto finished fi;
dying:
    atomic { dead[me] = 1; polls[me] = 0; seen = 0; n = 0; left = 0; lives = 0 };
    atomic { true; close_all() };
finished:
    atomic { seen = 0; n = 0; left = 0; lives = 0; opened[me] = 0 }
}

proctype Monitor() {
    byte p;
    timeout;
    do
    :: p < PROCS -> assert(!(polls[p] && (word & OPEN || opened[p]))); p++      /* 1 */
    :: else -> break
    od
}
#define START(p) if :: p < RINGERS -> run Ringer(p) :: else -> run Listener(p) fi
init {
    atomic {
        choose_kills();
        START(0); START(1); START(2);
#if PROCS > 3
        START(3);
#endif
        run Monitor()
    }
}
