/* The robust lock of atoll, for the model checker spin.  Its sections follow the algorithm's: fast path, slow path
 * (take a free lock, take over from the dead, time out, announce, sleep, woken), the section itself, unlock, and death.
 *
 * WHAT A STEP IS.  One access to shared memory, one wake, or one check that futex_waitv() makes.  Memory is sequentially
 * consistent.  A process may be killed before every step that it makes in user mode, and in its sleep.
 *
 * HOW A DEATH GOES.  Four steps, with others in between: leave all queues; the liveness word turns dead; the kernel wakes one
 * sleeper on the liveness word; the kernel wakes one sleeper on the word the hook points at.  In that order, as the
 * kernel walks the robust list first and list_op_pending last.
 *
 * NO TIME SLICES.  The product ends every sleep after a while and looks again.  The model does not, so that every
 * wake-up the slice would have to stand in for shows as an invalid end state.
 *
 * CHECKED
 *   1  Mutual exclusion: nobody acquires a lock that a living process holds.
 *   2  News: after an owner died inside, everyone who acquires the lock is told, until one of them marks it consistent.
 *   3  No false news: nobody is told of a death before there was one.
 *   4  No sleeper is left: a run ends with every process finished (or dead).
 *   5  STARVING is never set without WAITERS.
 *
 * LEFT OUT.  Repair of the dead owner's log before a take-over (a leaf, section of its own); wrap-around of gen; weak memory
 * order; fairness (a process that is overtaken for ever is not an error here); the time slice; spinning.
 *
 * SCENARIOS are set by -D, see scenario.pml; `run` lists them.
 * MUTANTS, M_...: each leaves out one rule, where its name stands.
 */

#include "scenario.pml"
#include "kernel.pml"

#define MINE      OWNER_NAME(slot, my_gen)
#define OWNER     SLOT_OF(seen)
#define AGAIN     seen = 0; goto look
#if defined(STARVE) || TIMED != 0
#define SLEPT_MATTERS 1
#else
#define SLEPT_MATTERS 0                         /* nobody reads it: do not tell states apart by it */
#endif
#ifdef REUSE
#define IS_DEAD   (!was_alive || was_gen != GEN_OF(seen))
#else
#define IS_DEAD   (!was_alive)                  /* gen never changes: two accesses and one check fewer */
#endif
#ifdef M_UNLOCK_DROPS_INCONSISTENT
#define KEPT      0
#else
#define KEPT      INCONSISTENT                  /* what a free word keeps when nobody waits */
#endif
#ifdef M_HOOK_ON_FREE_WORD_ONLY
#define HOOK_EFFECTIVE  (hook[me] != 0 && hook[me] != ELSEWHERE && !(word[hook[me] - 1] & OWNED))
#else
#define HOOK_EFFECTIVE  (hook[me] != 0)
#endif
#ifdef M_NO_STAMP
#define MY_STAMP  0
#else
#define MY_STAMP  STAMP(slot)
#endif

inline acquired(is_told) {
    assert(inside[l] == 0);                             /* 1 */
    inside[l] = me + 1;
    told = ((is_told) -> 1 : 0);
    assert(told || !news[l]);                           /* 2 */
    assert(!told || kills < KILLS)                      /* 3 */
}

/* Point the hook at lock l.  If it stands on another lock that we hold, one of the sleepers there must come and watch our
 * liveness word instead.  The hook does not go back. */
inline arm() {
#ifndef M_NO_HOOK
    if
    :: hook[me] == l + 1
    :: else ->
#ifndef M_NEST_WITHOUT_WAKE
        if :: hook[me] != 0 -> STEP( wake_word(hook[me]); woken = 0 ) :: else fi;
#endif
        STEP( hook[me] = l + 1 )
    fi
#else
    skip
#endif
}

inline disarm() { if :: hook[me] -> STEP( hook[me] = 0 ) :: else fi }

proctype Process(byte me; byte slot; bit my_gen; int script) {
    byte l, seen, next, i;
    bit  slept, last, told, woken, was_alive, was_gen;

#ifdef REUSE
    if
    :: slot == me
    :: else ->                                          /* the slot's next owner: gen first, then the word looks alive again */
        if :: !alive[slot] :: goto finished fi;         /* ... or it never comes, */
        gen[slot] = my_gen;
        if :: alive[slot] = 1 :: goto finished fi       /* or dies while it has no liveness word and no hook yet */
    fi;
#endif

next_order:
    atomic {
        seen = 0; next = 0; slept = 0; told = 0; woken = 0; was_alive = 0; was_gen = 0; last = IN(TRYING, me);
        if
        :: script == 0 -> goto finished
        :: else -> l = (script & 7) - 1 >> 1; next = script & 1; script = script >> 3
        fi;
        if :: next -> next = 0 :: else -> goto unlock fi
    };

    /* ---- lock: fast path */
    STEP( if :: word[l] == 0 -> word[l] = MINE; acquired(0); goto section :: else fi );

    /* ---- lock: slow path */
    arm();
look:
    STEP( seen = word[l]; assert(!(seen & STARVING) || seen & WAITERS) );       /* 5 */
    if :: seen & OWNED -> goto owned :: else fi;

    /* ---- take a free lock */
#ifdef STARVE
    if
    :: seen & STARVING && !slept && !last ->            /* courtesy of a newcomer: one bounded sleep on the low half */
        slept = SLEPT_MATTERS;
        KERNEL( if :: (word[l] & LOW_HALF) == (seen & LOW_HALF) -> queued_word[me] = l + 1 :: else -> AGAIN fi );
#ifdef M_COURTESY_WITHOUT_BOUND
        KERNEL( queued_live[me] = PROCS + 1; mode[me] = ASLEEP );
        goto asleep
#else
        STEP( leave_queues(); if :: IN(TIMED, me) -> last = 1 :: true fi; goto look )
#endif
    :: else
    fi;
#endif
    STEP( if                                            /* STARVING stays: who takes need not be who starves */
          :: word[l] == seen -> word[l] = MINE | seen & (WAITERS | INCONSISTENT | STARVING); acquired(seen & INCONSISTENT)
          :: else -> goto look
          fi );
    goto won;

owned:
    /* ---- is the owner alive?  The liveness word first, then gen. */
    STEP( was_alive = alive[OWNER] );
#ifdef REUSE
    STEP( was_gen = gen[OWNER] );
#endif
    if
    :: IS_DEAD ->                                       /* ---- take over from the dead: CAS from the dead name */
        STEP( if
              :: word[l] == seen -> word[l] = MINE | INCONSISTENT | seen & (WAITERS | STARVING); acquired(1)
              :: else -> goto look
              fi );
#ifndef M_TAKE_OVER_WITHOUT_WAKE_ALL
        STEP( wake_all_live(OWNER) );
#endif
        goto won
    :: else -> was_alive = 0
    fi;

    /* ---- deadline reached: leave, and pass the watch on if we may have swallowed a wake */
    if
    :: last ->
#ifndef M_TIMEOUT_WITHOUT_WAKE
        if :: slept && seen & WAITERS -> STEP( wake_word(l + 1); woken = 0 ) :: else fi;
#endif
        disarm();
        script = script >> 3;                           /* no unlock */
        goto next_order
    :: else
    fi;

    /* ---- announce */
    next = seen | WAITERS;
#ifdef STARVE
    if :: slept -> next = next | STARVING :: true fi;   /* "slept, and more than 1 ms ago": at any time */
#endif
    if
    :: next != seen -> STEP( if :: word[l] == seen -> word[l] = next; seen = next :: else -> AGAIN fi )
    :: else
    fi;
    next = 0;

    /* ---- sleep: futex_waitv(low half, high half, liveness word, gen), checked and queued in this order */
    slept = SLEPT_MATTERS;                                          /* whatever the call returns: it may have swallowed a wake */
    KERNEL( if :: (word[l] & LOW_HALF) == (seen & LOW_HALF) -> queued_word[me] = l + 1 :: else -> AGAIN fi );
#ifndef M_LOW_HALF_ONLY
    KERNEL( if :: word[l] == seen :: else -> leave_queues(); AGAIN fi );
#endif
#if defined(M_NO_LIVENESS_WORD)
    KERNEL( queued_live[me] = PROCS + 1; mode[me] = ASLEEP );                   /* a queue that nobody wakes */
#elif !defined(REUSE) || defined(M_NO_GEN_WORD)
    KERNEL( if :: alive[OWNER] -> queued_live[me] = OWNER + 1; mode[me] = ASLEEP :: else -> leave_queues(); AGAIN fi );
#else
    KERNEL( if :: alive[OWNER] -> queued_live[me] = OWNER + 1 :: else -> leave_queues(); AGAIN fi );
    KERNEL( if :: gen[OWNER] == was_gen -> mode[me] = ASLEEP :: else -> leave_queues(); goto woke fi );
#endif
asleep:
    if
    :: atomic { SOMETHING_MOVES && KILLED }
    :: atomic { IN(TIMED, me) -> last = 1; leave_queues(); mode[me] = RUNNING }
    :: atomic { queued_word[me] == 0 || queued_live[me] == 0 -> leave_queues(); mode[me] = RUNNING }
    fi;
woke:
    /* ---- the kernel woke ONE sleeper for a death, and it may be us, although the dead one no longer has the lock that we
     * wait for: tell the others */
#ifndef M_SWALLOW_DEATH
    if
    :: seen & OWNED ->
        STEP( was_alive = alive[OWNER] );
#ifdef REUSE
        STEP( was_gen = gen[OWNER] );
#endif
        if :: IS_DEAD -> STEP( wake_all_live(OWNER) ) :: else fi;
        was_alive = 0; was_gen = 0
    :: else
    fi;
#endif
    AGAIN;

won:
    /* ---- somebody may sleep on an EARLIER owner's liveness word: the hook stays until our unlock */
    was_alive = 0; was_gen = 0;
#ifdef M_DROP_HOOK_AT_ACQUISITION
    STEP( hook[me] = 0 );
#else
    STEP( seen = word[l] );
    if :: seen & WAITERS :: else -> disarm() fi;
#endif

section:
    slept = 0; last = 0; seen = 0;
    if
    :: told -> if
               :: STEP( word[l] = word[l] & ~INCONSISTENT; news[l] = 0 )        /* mark_consistent */
               :: IN(STICKY, me)
               fi
    :: else
    fi;
    if
    :: IN(NESTING, me) && hook[me] ->                   /* the hook is needed for some other word */
#ifndef M_NEST_WITHOUT_WAKE
        STEP( wake_word(hook[me]); woken = 0 );
#endif
        STEP( hook[me] = ELSEWHERE );
        STEP( hook[me] = 0 )
    :: true
    fi;
    goto next_order;

unlock:
    STEP( if :: word[l] == MINE -> word[l] = 0; inside[l] = 0; goto next_order :: else fi );
    arm();
    STEP( seen = word[l]; if :: seen & WAITERS :: else -> word[l] = seen & KEPT; inside[l] = 0; goto unlocked fi );
#ifdef M_OLD_UNLOCK
    STEP( word[l] = seen & KEPT; inside[l] = 0 );
    STEP( wake_word(l + 1) );
#else
    seen = MY_STAMP | WAITERS | seen & (KEPT | STARVING);
    STEP( word[l] = seen; inside[l] = 0 );
    STEP( wake_word(l + 1) );
    if :: woken == 0 -> STEP( if :: word[l] == seen -> word[l] = seen & KEPT :: else fi ) :: else fi;
#endif
unlocked:
    disarm();
    goto next_order;

dying:
    atomic {
        seen = 0; next = 0; slept = 0; last = 0; told = 0; woken = 0; was_alive = 0; was_gen = 0; script = 0;
        alive[slot] = 0;
        l = 0;
        do
        :: l < LOCKS -> if :: inside[l] == me + 1 -> inside[l] = 0; news[l] = 1 :: else fi; l++
        :: else -> break
        od;
        l = 0
    };
    atomic { wake_live(slot) };
    atomic {
        if
        :: HOOK_EFFECTIVE -> wake_word(hook[me]); woken = 0
        :: else
        fi;
        hook[me] = 0
    };
finished:
    mode[me] = FINISHED
}

#ifdef REUSE
#define START(p, script)  if :: p == PROCS - 1 -> run Process(p, 0, 1, script) \
                             :: else -> alive[p] = 1; run Process(p, p, 0, script) fi
#else
#define START(p, script)  alive[p] = 1; run Process(p, p, 0, script)
#endif

init {
    atomic {
        START(0, SCRIPT0);
        START(1, SCRIPT1);
#if PROCS > 2
        START(2, SCRIPT2);
#endif
#if PROCS > 3
        START(3, SCRIPT3);
#endif
    }
}
