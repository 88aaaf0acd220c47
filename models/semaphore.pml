/* Semaphore, plain or bounded: counts only, a permit has no owner.  (sleep.pml says what a step is and how a death goes.)
 *
 * word: low half {AVAILABLE (value > 0), WAITERS, 30 zero bits}, high half the value.  Sleepers sleep on the low half alone.
 * crowd: turn << 1 | ON.  Who waits for any of several semaphores (WATCHERS) takes nothing and has no hook on any of them, so no wake-up
 * may be spent on it alone: while the crowd is ON, all are woken.
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
#ifndef WATCHERS
#define WATCHERS 0              /* a mask of acquirers that wait for any of all semaphores, and take nothing (4 or 5 processes) */
#endif
#ifndef SEMAPHORES
#define SEMAPHORES 1
#endif
#ifndef SECOND
#define SECOND 0                /* a mask of processes that use the second semaphore */
#endif
#include "sleep.pml"
#if SEMAPHORES > 1
#define S         IN(SECOND, me)
#define AT(p)     IN(SECOND, p)
#else
#define S         0
#define AT(p)     0
#endif
#define WAITERS   1
#define VALUE(w)  ((w) >> 1)
#define PERMIT    2
byte words[SEMAPHORES] = INITIAL * PERMIT;
byte given = INITIAL * SEMAPHORES, taken;
bit  asleep[PROCS];

#define word      words[S]

#if WATCHERS
#define ON        1
byte crowds[SEMAPHORES];
#if PROCS > 4
#define ANY_QUEUED(s)  ((queued[0] | queued[1] | queued[2] | queued[3] | queued[4]) & B(s))
#else
#define ANY_QUEUED(s)  ((queued[0] | queued[1] | queued[2] | queued[3]) & B(s))
#endif
/* Wakes one of semaphore `s`, or all if there may be a crowd. */
#ifdef M_NO_CROWD
inline wake(s) { STEP( wake_one(s) ) }
#else
inline wake(s) {
    STEP( turn = crowds[s] );
    if
    :: turn & ON ->
#ifndef M_CROWD_CLEARED_AFTER_THE_WAKE
        STEP( if :: crowds[s] == turn -> crowds[s] = turn & ~ON :: else fi );
#endif
        STEP( woken = (ANY_QUEUED(s) -> 1 : 0); wake_all(s) );
#ifdef M_CROWD_CLEARED_AFTER_THE_WAKE
        STEP( if :: crowds[s] == turn -> crowds[s] = turn & ~ON :: else fi );
#endif
        turn = 0
    :: else -> turn = 0; STEP( wake_one(s) )
    fi
}
#endif
#else
inline wake(s) { STEP( wake_one(s) ) }
#endif

#ifdef M_SLEPT_TAKES_WITHOUT_WAITERS
#define KEPT 0
#else
#define KEPT (slept -> WAITERS : 0)
#endif

proctype Acquirer(byte me) {
    byte seen, left = (IN(TWICE, me) -> 2 : 1); bit woken, late, slept; short want;
#if WATCHERS
    byte turn;
#endif
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
        if :: slept && VALUE(seen) > 0 && seen & WAITERS -> wake(S); woken = 0 :: else fi;
#endif
        disarm();
        goto got
    :: else
    fi;
    if
    :: late ->
#ifndef M_TIMEOUT_WITHOUT_WAKE
        if :: slept -> wake(S); woken = 0 :: else fi;
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
#if WATCHERS
    byte turn;
#endif
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
#if BATCH > 1
        STEP( wake_one(S);
              if :: woken -> wake_one(S); woken = 1 :: else fi );
#else
        wake(S);
#endif
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

#if WATCHERS
#ifdef M_CROWD_NOT_COMPARED
#define COMPARED  true
#else
#define COMPARED  (crowds[s] == mine[s])
#endif
/* Waits for any of all semaphores. */
#define JOIN  STEP( if :: crowds[s] & ON :: else -> crowds[s] = crowds[s] + 3 fi; mine[s] = crowds[s] )
proctype Watcher(byte me) {
    byte seen, s, turn, mine[SEMAPHORES]; bit woken, late, slept; short want;
look:
    s = 0;
    do
    :: s < SEMAPHORES ->
        JOIN;
again:
        STEP( seen = words[s] );
        if
        :: VALUE(seen) > 0 || late -> seen = 0; goto leave
        :: VALUE(seen) == 0 && !late && seen & WAITERS
        :: else -> STEP( if :: words[s] == seen -> words[s] = seen | WAITERS :: else -> seen = 0; goto again fi )
        fi;
        seen = 0;
        s++
    :: else -> break
    od;
    slept = 1; want = B(SEMAPHORES) - 1; s = 0;
#ifdef AT_ONCE                  /* as if the crowd were a flag of the very word that is slept on */
    do
    :: s < SEMAPHORES -> KERNEL( if :: VALUE(words[s]) == 0 && words[s] & WAITERS && COMPARED -> queued[me] = queued[me] | B(s) :: else -> queued[me] = 0; goto look fi ); s++
    :: else -> break
    od;
#else
    do
    :: s < SEMAPHORES -> KERNEL( if :: VALUE(words[s]) == 0 && words[s] & WAITERS -> queued[me] = queued[me] | B(s) :: else -> queued[me] = 0; goto look fi ); s++
    :: else -> break
    od;
    s = 0;
    do
    :: s < SEMAPHORES -> KERNEL( if :: COMPARED :: else -> queued[me] = 0; goto look fi ); s++
    :: else -> break
    od;
#endif
    s = 0;
    asleep[me] = 1;
end_asleep:
    ASLEEP(late);
    asleep[me] = 0;
    goto look;
leave:
    s = 0;
#ifndef M_WATCHER_KEEPS_THE_WAKE
    do
    :: slept && s < SEMAPHORES -> wake(s); woken = 0; s++
    :: else -> break
    od;
#endif
    goto finished;
dying:
    atomic { queued[me] = 0; dead[me] = 1; asleep[me] = 0; seen = 0; late = 0; slept = 0; want = 0; woken = 0; turn = 0; s = 0; mine[0] = 0; mine[SEMAPHORES - 1] = 0 };
    die();
finished:
    atomic { seen = 0; late = 0; slept = 0; want = 0; woken = 0; turn = 0; s = 0; mine[0] = 0; mine[SEMAPHORES - 1] = 0 }
}
#endif

proctype Monitor() {
    byte p;
    timeout;
#if SEMAPHORES > 1
    assert(VALUE(words[0]) + VALUE(words[1]) + taken == given);                 /* 2 */
#else
    assert(VALUE(words[0]) + taken == given);                                   /* 2 */
#endif
    do
    :: p < PROCS -> assert(!(asleep[p] && VALUE(words[AT(p)]) > 0)); p++        /* 1 */
    :: else -> break
    od
#if WATCHERS && SEMAPHORES > 1
    ; p = 0;
    do
    :: p < PROCS -> assert(!(asleep[p] && IN(WATCHERS, p) && VALUE(words[1]) > 0)); p++
    :: else -> break
    od
#endif
}
#if WATCHERS
#define ACQUIRE(p)  if :: IN(WATCHERS, p) -> run Watcher(p) :: else -> run Acquirer(p) fi
#else
#define ACQUIRE(p)  run Acquirer(p)
#endif
#define START(p)  if :: p < ACQUIRERS -> ACQUIRE(p) :: else -> run Releaser(p) fi
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
