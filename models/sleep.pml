/* The machine under gate, semaphore, tracked, condvar, rwlock and barrier: shared words, sleeps on any set of them, wakes,
 * hooks, death.  (mutex.pml has kernel.pml: two words to a sleep there, and a kill when nothing else can move would hide its hangs.)
 *
 * A STEP is one access to shared memory, one wake, or one check of futex_waitv().  Memory is sequentially consistent.  A
 * process may be killed before every step that it makes in user mode, and in its sleep.
 *
 * A WORD is a number 0..7; LIVE(s) is the liveness word of the participant in slot s.  queued[p] is the set of words that process p
 * is queued on.  A wake takes p off that word's queue only; p leaves the others when it runs again.  Which sleeper a wake of one
 * finds is left open.
 *
 * A DEATH goes in three steps, others in between: out of all queues and dead; the kernel wakes one sleeper of the liveness word;
 * the kernel wakes one sleeper of the word that the hook points at.
 *
 * NO TIME SLICES.  A sleep is an end state (label end_...): whether somebody sleeps who should not is the business of each model's
 * Monitor, which runs when nothing can move any more.  As a sleeper that may yet be killed can always move, the number of
 * kills is chosen in advance, 0..KILLS; so is whether anybody times out.
 *
 * A HANDLER (HANDLES, a mask of processes) runs once on its thread's stack, between any two steps or in its sleep, and may be
 * killed there with it.  It lends the hook to a word that no model has: an event that it sets, a semaphore that it releases.
 */
#ifndef KILLS
#define KILLS 1
#endif
#ifndef VICTIMS
#define VICTIMS 255             /* a mask of processes */
#endif
#ifndef TIMED
#define TIMED 0                 /* a mask of processes that may reach a deadline in any sleep, or may not */
#endif
#ifndef HANDLES
#define HANDLES 0
#endif
#define B(word)      (1 << (word))
#define IN(mask, p)  ((mask) >> (p) & 1)
#define LIVE(slot)   (8 + (slot))
#define ELSEWHERE    7

short queued[PROCS];
byte  hook[PROCS];              /* private: list_op_pending; word + 1, 0 = none */
bit   dead[PROCS];              /* per slot: the liveness word */
byte  kills;
byte  timed;

#if HANDLES
byte  handling;                 /* masks: whose thread is in its handler, */
byte  doomed;                   /* and who was killed there */
#define AWAKE   !IN(handling, me)
#define DOOMED  IN(doomed, me)
#else
#define AWAKE   true
#define DOOMED  false
#endif

/* One shared access, or death just before it.  "AWAKE" keeps the test of an inner "if" out of this choice:
 * spin would merge the two, and an inner "else" would then mean "and no kill is possible either". */
#if HANDLES
#define KILL    DOOM :: atomic { AWAKE && kills > 0 && IN(VICTIMS, me) -> kills--; doomed = doomed | B(me); goto dying }
#else
#define KILL    :: atomic { kills > 0 && IN(VICTIMS, me) -> kills--; goto dying }
#endif
#define STEP(access)    if KILL :: atomic { AWAKE; access } fi

/* One step inside futex_waitv(): a kill acts only when the call sleeps or returns.  (A handler ends the call: it takes the thread
 * off its queues, so that the rest of the steps come to nothing.) */
#if HANDLES
#define DOOM    :: atomic { DOOMED -> goto dying }
#define KERNEL(access)  if DOOM :: atomic { AWAKE; access } fi
#else
#define DOOM
#define KERNEL(access)  atomic { true; access }
#endif

inline wake_one(w) {            /* woken = how many */
    if
    :: queued[0] & B(w) -> queued[0] = queued[0] & ~B(w); woken = 1
#if PROCS > 1
    :: queued[1] & B(w) -> queued[1] = queued[1] & ~B(w); woken = 1
#endif
#if PROCS > 2
    :: queued[2] & B(w) -> queued[2] = queued[2] & ~B(w); woken = 1
#endif
#if PROCS > 3
    :: queued[3] & B(w) -> queued[3] = queued[3] & ~B(w); woken = 1
#endif
#if PROCS > 4
    :: queued[4] & B(w) -> queued[4] = queued[4] & ~B(w); woken = 1
#endif
    :: else -> woken = 0
    fi
}
inline wake_all(w) {
    queued[0] = queued[0] & ~B(w);
#if PROCS > 1
    queued[1] = queued[1] & ~B(w);
#endif
#if PROCS > 2
    queued[2] = queued[2] & ~B(w);
#endif
#if PROCS > 3
    queued[3] = queued[3] & ~B(w);
#endif
#if PROCS > 4
    queued[4] = queued[4] & ~B(w);
#endif
}

inline arm(w)   { STEP( hook[me] = (w) + 1 ) }
inline disarm() { STEP( hook[me] = 0 ) }

/* What the kernel does for a thread that has died in this slot.  The caller has marked it dead, and cleared its own locals. */
inline die_in(slot) {
    atomic { wake_one(LIVE(slot)); woken = 0 };
    atomic { if :: hook[me] && hook[me] != ELSEWHERE -> wake_one(hook[me] - 1); woken = 0 :: else fi; hook[me] = 0 }
}
inline die() { die_in(me) }

/* Asleep until one of `want` has been woken. */
#define ASLEEP(late) \
    if \
    KILL \
    :: atomic { AWAKE && IN(timed, me) -> queued[me] = 0; late = 1 } \
    :: atomic { AWAKE && queued[me] != want -> queued[me] = 0 } \
    fi

inline choose_kills() {
    kills = 0;
    do :: kills < KILLS -> kills++ :: break od;
    if :: timed = 0 :: TIMED -> timed = TIMED fi
}

#if HANDLES
#ifndef BEFORE_IT_LENDS                 /* what a model's threads have to do in a handler first, and afterwards */
#define BEFORE_IT_LENDS  skip
#define AFTER_IT_LENT    skip
#endif
#define IN_HANDLER(access)  if :: atomic { kills > 0 && IN(VICTIMS, me) -> kills--; doomed = doomed | B(me); goto ended } \
                               :: atomic { true; access } fi

/* An async-signal-safe call on the stack of thread `me`. */
proctype Handler(byte me) {
    byte lent; bit woken;
    if
    :: atomic { !IN(doomed, me) -> handling = handling | B(me); queued[me] = 0 }
    :: goto ended
    fi;
    BEFORE_IT_LENDS;
#ifndef M_LENDS_WITHOUT_WAKE
    if :: hook[me] -> IN_HANDLER( wake_one(hook[me] - 1); woken = 0 ) :: else fi;
#endif
    lent = hook[me];
    IN_HANDLER( hook[me] = ELSEWHERE );
#ifdef M_LENT_HOOK_NOT_RETURNED
    IN_HANDLER( hook[me] = 0 );
#else
    IN_HANDLER( hook[me] = lent );
#endif
    AFTER_IT_LENT;
    atomic { handling = handling & ~B(me) };
ended:
    lent = 0
}
#endif
inline start_handlers() {
#if HANDLES & 1
    run Handler(0);
#endif
#if HANDLES & 2
    run Handler(1);
#endif
#if HANDLES & 4
    run Handler(2);
#endif
#if HANDLES & 8
    run Handler(3);
#endif
    skip
}
