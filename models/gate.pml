/* Event, and the latch that is built on it.  (sleep.pml says what a step is and how a death goes.)
 *
 * word: low half {SET, WAITERS, 30 zero bits}, high half the number of sets so far (latch: of count-downs still to come).
 * CHECKED  1 nobody sleeps while the event is set, or although it has been set since the wait began (pulses too)
 *          2 nobody returns unless it was set at some moment of the wait
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PROCS
#define PROCS 4                 /* process 0 and, if SETTERS = 2, process 1 set; the others wait */
#endif
#ifndef SETTERS
#define SETTERS 1
#endif
#ifndef SETS
#define SETS 1                  /* by each setter */
#endif
#ifndef LATCH_COUNT
#define LATCH_COUNT 0         /* not 0: a latch; setters count down */
#endif
#ifndef ONLY_CLEARS
#define ONLY_CLEARS 0           /* a mask of setters that do not set, but clear */
#endif
#ifndef WAITS
#define WAITS 1
#endif
#include "sleep.pml"

#define E        0
#define SET      1
#define WAITERS  2
#define COUNT(w) ((w) >> 2)
#define ONE      4
byte word = LATCH_COUNT * ONE;
bit asleep[PROCS]; byte since[PROCS];           /* for the monitor */

#if LATCH_COUNT > 0
#define AFTER_SET(w)  (COUNT(w) == 1 -> SET | (w) & WAITERS : (w) - ONE)
#define PASSED(w)     ((w) & SET)
#else
#define AFTER_SET(w)  ((w) & SET -> (w) : ((w) | SET) + ONE)
#define PASSED(w)     ((w) & SET || COUNT(w) != mine)
#endif
#if LATCH_COUNT > 0
#define OPENS(w) (COUNT(w) == 1)
#else
#define OPENS(w) true
#endif

proctype Setter(byte me) {
    byte seen, left = SETS; bit woken;
again:
    if :: left == 0 -> goto finished :: else fi;
#ifdef CLEARS
    if :: IN(ONLY_CLEARS, me) -> left--; goto clear :: else fi;
#endif
    STEP( seen = word );
    if
    :: !(seen & WAITERS && OPENS(seen)) ->
        STEP( if :: word == seen -> word = AFTER_SET(seen) :: else -> seen = 0; goto again fi )
    :: else ->
#ifndef M_NO_HOOK_IN_SET
#ifndef M_HOOK_AFTER_THE_STORE
        arm(E);
#endif
#endif
        STEP( if :: word == seen -> word = AFTER_SET(seen) :: else -> seen = 0; goto again fi );
#ifdef M_HOOK_AFTER_THE_STORE
        arm(E);
#endif
#ifdef M_WAITERS_CLEARED_BEFORE_THE_WAKE
        seen = AFTER_SET(seen);
        STEP( if :: word == seen -> word = seen & ~WAITERS :: else fi );
#endif
#ifdef M_WAKE_ONE
        STEP( wake_one(E); woken = 0 );
#else
        STEP( wake_all(E) );
#endif
#ifndef M_WAITERS_CLEARED_BEFORE_THE_WAKE
        seen = AFTER_SET(seen);
#ifdef M_CLEARED_WITHOUT_COMPARING
        STEP( word = word & ~WAITERS );
#else
        STEP( if :: word == seen -> word = seen & ~WAITERS :: else fi );
#endif
#endif
        disarm()
    fi;
    seen = 0; left--;
#ifdef CLEARS
clear:
#ifdef M_CLEAR_DOES_NOT_WAKE
    STEP( word = word & ~SET );
#else
    STEP( seen = word );
    if
    :: seen & SET ->
        /* WAITERS: somebody has not finished waking.  Nobody goes to sleep while it is set, so that this finishes it. */
        if :: seen & WAITERS -> STEP( wake_all(E) ) :: else fi;
        STEP( if :: word == seen -> word = seen & ~(SET | WAITERS); seen = 0 :: else -> seen = 0; goto clear fi )
    :: else -> seen = 0
    fi;
#endif
#endif
    goto again;
dying:
    atomic { queued[me] = 0; dead[me] = 1; seen = 0; left = 0 };
    die();
finished:
    atomic { seen = 0; left = 0 }
}

proctype Waiter(byte me) {
    byte seen, mine, left = WAITS; bit woken, late, slept; short want;
again:
    if :: left == 0 -> goto finished :: else fi;
    STEP( seen = word; mine = COUNT(seen); since[me] = mine );
    if :: seen & SET -> goto passed :: else fi;
#ifndef M_NO_HOOK_IN_WAIT
    arm(E);
#endif
look:
    STEP( seen = word );
    if :: PASSED(seen) -> goto leave :: else fi;
    if :: late -> goto leave :: else fi;
    if
    :: seen & WAITERS
    :: else -> STEP( if :: word == seen -> word = seen | WAITERS; seen = word :: else -> seen = 0; goto look fi )
    fi;
    want = B(E); slept = 1;
    KERNEL( if :: (word & 3) == (seen & 3) -> queued[me] = B(E) :: else -> goto look fi );
#ifndef M_LOW_HALF_ONLY
#if LATCH_COUNT == 0
    KERNEL( if :: word == seen :: else -> queued[me] = 0; goto look fi );
#endif
#endif
    asleep[me] = 1;
end_asleep:
    ASLEEP(late);
    asleep[me] = 0;
    goto look;
leave:
    /* Set by somebody who may have been killed before it woke the others: the kernel woke one. */
#ifndef M_NO_CHAIN
    if
    :: slept && PASSED(seen) && seen & WAITERS ->
#ifdef M_CHAIN_WAKES_ONE
        STEP( wake_one(E); woken = 0 )
#else
        STEP( wake_all(E) )
#endif
    :: else
    fi;
#endif
    disarm();
    if :: late && !PASSED(seen) -> goto finished :: else fi;
passed:
    assert(PASSED(seen));                                                       /* 2 */
    atomic { left--; seen = 0; mine = 0; want = 0; slept = 0; late = 0; since[me] = 0 };
    goto again;
dying:
    atomic { queued[me] = 0; dead[me] = 1; asleep[me] = 0; seen = 0; mine = 0; late = 0; slept = 0; want = 0; left = 0; since[me] = 0 };
    die();
finished:
    atomic { seen = 0; mine = 0; late = 0; slept = 0; want = 0; left = 0; since[me] = 0 }
}

proctype Monitor() {
    byte p;
    timeout;
    do
    :: p < PROCS -> assert(!(asleep[p] && (word & SET || LATCH_COUNT == 0 && COUNT(word) != since[p]))); p++        /* 1 */
    :: else -> break
    od
}
init {
    atomic {
        choose_kills();
        run Setter(0);
#if SETTERS > 1
        run Setter(1);
#else
        run Waiter(1);
#endif
        run Waiter(2);
#if PROCS > 3
        run Waiter(3);
#endif
        start_handlers();
        run Monitor()
    }
}
