/* Semaphore, plain or bounded: counts only, a permit has no owner.  (sleep.pml says what a step is and how a death goes.)
 *
 * word: low half {AVAILABLE (value > 0), WAITERS, 30 zero bits}, high half the value.  Sleepers sleep on the low half alone.
 * CHECKED  1 nobody sleeps while there is a permit    2 no permit is made or lost: value + taken = given
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef ACQUIRERS
#define ACQUIRERS 3             /* processes 0.. acquire, the others release */
#endif
#ifndef PROCS
#define PROCS 4
#endif
#ifndef TWICE
#define TWICE 0                 /* a mask of acquirers that acquire twice */
#endif
#ifndef RELEASES
#define RELEASES 2              /* by each releaser */
#endif
#ifndef ONCE
#define ONCE 0                  /* a mask of releasers that release once */
#endif
#ifndef BATCH
#define BATCH 1                 /* permits in each */
#endif
#ifndef INITIAL
#define INITIAL 0
#endif
#ifndef FAST
#define FAST 0                  /* a mask of acquirers that try the fast path only */
#endif
#include "sleep.pml"
#define S         0
#define WAITERS   1
#define VALUE(w)  ((w) >> 1)
#define PERMIT    2
byte word = INITIAL * PERMIT;
byte given = INITIAL, taken;
bit  asleep[PROCS];

#ifdef M_SLEPT_TAKES_WITHOUT_WAITERS
#define KEPT 0
#else
#define KEPT (slept -> WAITERS : 0)
#endif

proctype Acquirer(byte me) {
    byte seen, left = (IN(TWICE, me) -> 2 : 1); bit woken, late, slept; short want;
again:
    if :: left == 0 -> goto finished :: else fi;
    STEP( if :: VALUE(word) > 0 -> word = word - PERMIT; taken++; goto got :: else fi );
    if :: IN(FAST, me) -> goto got :: else fi;
#ifndef M_NO_HOOK_IN_WAIT
    arm(S);
#endif
look:
    STEP( seen = word );
    if
    :: VALUE(seen) > 0 ->
        STEP( if :: word == seen -> word = (seen - PERMIT) | KEPT; taken++ :: else -> seen = 0; goto look fi );
        /* There may be more, and one wake for all of it: he who gave them was killed. */
#ifndef M_NO_CHAIN
        STEP( seen = word );
        if :: slept && VALUE(seen) > 0 && seen & WAITERS -> STEP( wake_one(S); woken = 0 ) :: else fi;
#endif
        disarm();
        goto got
    :: else
    fi;
    if
    :: late ->
#ifndef M_TIMEOUT_WITHOUT_WAKE
        if :: slept -> STEP( wake_one(S); woken = 0 ) :: else fi;
#endif
        disarm();
        goto finished
    :: else
    fi;
    if
    :: seen & WAITERS
    :: else -> STEP( if :: word == seen -> word = seen | WAITERS; seen = word :: else -> seen = 0; goto look fi )
    fi;
    want = B(S);
    slept = 1;
    KERNEL( if :: VALUE(word) == 0 && word & WAITERS -> queued[me] = B(S) :: else -> goto look fi );
    asleep[me] = 1;
end_asleep:
    ASLEEP(late);
    asleep[me] = 0;
    goto look;
got:
    atomic { seen = 0; want = 0; slept = 0; late = 0; left-- };
    goto again;
dying:
    atomic { queued[me] = 0; dead[me] = 1; asleep[me] = 0; seen = 0; want = 0; slept = 0; late = 0; left = 0 };
    die();
finished:
    atomic { seen = 0; want = 0; slept = 0; late = 0; left = 0 }
}

proctype Releaser(byte me) {
    byte seen, left = (IN(ONCE, me) -> 1 : RELEASES); bit woken;
again:
    if :: left == 0 -> goto finished :: else fi;
    STEP( seen = word );
    if
    :: !(seen & WAITERS) ->
        STEP( if :: word == seen -> word = seen + BATCH * PERMIT; given = given + BATCH :: else -> seen = 0; goto again fi )
    :: else ->
#ifndef M_NO_HOOK_IN_RELEASE
        arm(S);
#endif
        STEP( if :: word == seen -> word = seen + BATCH * PERMIT; given = given + BATCH :: else -> seen = 0; goto again fi );
        STEP( wake_one(S);
              if :: woken && BATCH > 1 -> wake_one(S); woken = 1 :: else fi );
        if
        :: woken == 0 ->
            seen = seen + BATCH * PERMIT;
#ifdef M_CLEARED_WITHOUT_COMPARING
            STEP( word = word & ~WAITERS )
#else
            STEP( if :: word == seen -> word = seen & ~WAITERS :: else fi )
#endif
        :: else
        fi;
        woken = 0;
        disarm()
    fi;
    seen = 0; left--;
    goto again;
dying:
    atomic { queued[me] = 0; dead[me] = 1; seen = 0; left = 0; woken = 0 };
    die();
finished:
    atomic { seen = 0; left = 0; woken = 0 }
}

proctype Monitor() {
    byte p;
    timeout;
    assert(VALUE(word) + taken == given);                                       /* 2 */
    do
    :: p < PROCS -> assert(!(asleep[p] && VALUE(word) > 0)); p++                /* 1 */
    :: else -> break
    od
}
#define START(p) if :: p < ACQUIRERS -> run Acquirer(p) :: else -> run Releaser(p) fi
init {
    atomic {
        choose_kills();
        START(0); START(1); START(2);
#if PROCS > 3
        START(3);
#endif
#if PROCS > 4
        START(4);
#endif
        start_handlers();
        run Monitor()
    }
}
