/* Reader-writer lock: a mutex, and a mark in the record of each reader.  (sleep.pml says what a step is and how a death goes.)
 *
 * word: as in mutex.pml: low half {OWNED, WAITERS}, high half {INCONSISTENT, owner or stamp}.  Only writers own it (and, for a moment, a
 * reader that found its owner dead).  mark[s]: {MARKED, WATCHED}, low half a futex.
 * inside: 1 from before a writer is in until it begins to leave.
 *
 * reader   mark (RMW), then look at the word: not OWNED, it is in.  Else take the mark back and wait as a mutex's waiter waits, but
 *          pass: when the word is free mark and look again, and once in wake the next sleeper of the word.
 * writer   takes the mutex, then for every mark of a living one: set WATCHED in it, sleep on it and on its owner's liveness word.
 *          Then inside = 1, until it unlocks.  A writer that dies while inside is 0 had changed nothing: nobody is told.
 * leave    reader: mark = 0 (RMW); it had WATCHED: wake 1 on it.
 *
 *
 * SLOT RE-USE.  A mark does not say which generation left it.  REUSE is a slot, the last process its next owner: identity first, and
 * from then on the mark passes for its own; then settle (mark = 0, WATCHED: wake 1); then it reads or writes itself.
 *
 * CHECKED  1 no writer is inside with anybody else    2 nobody sleeps at the end    3 after a writer died inside everybody is told
 *          4 nobody is told before a writer has died inside
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PROCS
#define PROCS 3
#endif
#ifndef WRITERS
#define WRITERS 1               /* 0.. write, the others read */
#endif
#ifndef TWICE
#define TWICE 0
#endif
#include "sleep.pml"
#define M            0
#define MARK(p)      (1 + (p))
#define OWNED        1
#define WAITERS      2
#define INCONSISTENT 4
#ifdef REUSE
#define NAME(s, g)   ((s) + 1 << 4 | (g) << 3)
#define MY_GEN       (me != slot)
#define GEN_SEEN     (seen >> 3 & 1)
#define DEAD(s, g)   (dead[s] || gen[s] != (g))
bit gen[PROCS];
#else
#define NAME(s, g)   ((s) + 1 << 4)
#define MY_GEN       0
#define GEN_SEEN     0
#define DEAD(s, g)   dead[s]
#endif
#define MY_NAME      NAME(slot, MY_GEN)
#define MINE         (OWNED | MY_NAME)
#define OWNER        ((seen >> 4) - 1)
#define OWNER_DEAD   DEAD(OWNER, GEN_SEEN)
#define LOW          3
#define MARKED       1
#define WATCHED      2
byte word, mark[PROCS]; bit inside;
byte writing, reading;          /* masks, for the checks */
bit  news;
bit  ever;                       /* a writer has died inside */
bit  asleep[PROCS];

#ifdef REUSE
#define SEE_GEN  STEP( g = gen[p] )
#define FORGET_GEN  g = 0
#else
#define SEE_GEN  skip
#define FORGET_GEN  skip
#endif
#define INSIDE assert(writing == 0); assert(!news || seen & INCONSISTENT); assert(ever || !(seen & INCONSISTENT)); reading = reading | B(slot)        /* 1, 3, 4 */
inline unmark() {
    STEP( was = mark[slot]; mark[slot] = 0 );
#ifndef M_LEAVES_WITHOUT_WAKE
    if :: was & WATCHED -> STEP( wake_one(MARK(slot)); woken = 0 ) :: else fi;
#endif
    was = 0
}
#ifdef REUSE
/* The slot's next owner: its generation first, then the liveness word looks alive again.  Or it never comes. */
inline take_slot() {
    if :: dead[slot] :: goto finished fi;
    gen[slot] = 1;
    if :: dead[slot] = 0 :: goto finished fi;
#ifndef M_REUSE_LEAVES_THE_MARK
#ifdef M_REUSE_CLEARS_THE_MARK_SILENTLY
    STEP( mark[slot] = 0 );
#else
    unmark();
#endif
#endif
    if :: true :: goto finished fi              /* it may have no business with this lock */
}
#endif
/* The first step of an unlock.  A death after it is nobody's business. */
#ifdef M_INSIDE_NOT_CLEARED
#define LEAVE(truth)  STEP( truth )
#else
#define LEAVE(truth)  STEP( inside = 0; truth )
#endif
inline unlock() {               /* as in mutex.pml */
    STEP( seen = word );
    if
    :: !(seen & WAITERS) ->
        STEP( if :: word == seen -> word = seen & INCONSISTENT; seen = 0 :: else fi )
    :: else
    fi;
    if
    :: seen ->
        arm(M);
        STEP( seen = MY_NAME | WAITERS | word & INCONSISTENT; word = seen );
        STEP( wake_one(M) );
        if :: woken == 0 -> STEP( if :: word == seen -> word = seen & INCONSISTENT :: else fi ) :: else fi;
        woken = 0
    :: else
    fi;
    disarm()
}
/* Looks at an owned word: takes it over from the dead (took), or sleeps.  The hook is on the word. */
inline wait_owned() {
    took = 0;
    if
    :: OWNER_DEAD ->
        told = seen & INCONSISTENT;
#ifdef M_ALWAYS_LOUD
        told = INCONSISTENT;
#else
        STEP( if :: inside -> told = INCONSISTENT :: else fi );
#endif
        STEP( if :: word == seen -> word = MINE | told | seen & WAITERS; took = 1 :: else told = 0 fi );
        if :: took -> STEP( wake_all(LIVE(OWNER)) ) :: else fi
    :: else ->
        if
        :: late ->
            if :: slept && seen & WAITERS -> STEP( wake_one(M); woken = 0 ) :: else fi;
            disarm();
            goto finished
        :: else
        fi;
        if
        :: !(seen & WAITERS) -> STEP( if :: word == seen -> word = seen | WAITERS; seen = word :: else -> seen = 0 fi )
        :: else
        fi;
        if
        :: seen ->
            slept = 1; want = B(M) | B(LIVE(OWNER));
            KERNEL( if :: (word & LOW) == (seen & LOW) -> queued[me] = B(M) :: else -> want = 0 fi );
            if :: want -> KERNEL( if :: word == seen :: else -> queued[me] = 0; want = 0 fi ) :: else fi;
            if :: want -> KERNEL( if :: !OWNER_DEAD -> queued[me] = queued[me] | B(LIVE(OWNER)); asleep[me] = 1 :: else -> queued[me] = 0; want = 0 fi ) :: else fi;
            if :: want ->
end_asleep:      ASLEEP(late); atomic { asleep[me] = 0; want = 0 }
            :: else fi;
            if :: OWNER_DEAD -> STEP( wake_all(LIVE(OWNER)) ) :: else fi
        :: else
        fi
    fi
}

proctype Writer(byte me; byte slot) {
    byte seen, p, was, told, more = IN(TWICE, me); bit woken, late, slept, took; short want;
#ifdef REUSE
    bit g;
    if :: me == slot :: else -> take_slot() fi;
#endif
again:
    STEP( if :: word == 0 -> word = MINE; told = 0; goto have :: else fi );
    arm(M);
look:
    STEP( seen = word );
    if
    :: !(seen & OWNED) ->
        STEP( if :: word == seen -> word = MINE | seen & (WAITERS | INCONSISTENT); told = seen & INCONSISTENT; took = 1 :: else -> took = 0 fi );
        if :: took -> goto won :: else -> goto look fi
    :: else
    fi;
    wait_owned();
    if :: took :: else -> goto look fi;
won:
    took = 0; slept = 0; late = 0;
    STEP( seen = word );
    if :: seen & WAITERS :: else -> disarm() fi;
have:
    /* ---- the word is ours: no reader comes in; wait for those who are */
    seen = 0; p = 0;
#ifndef M_INSIDE_LEFT_BY_THE_DEAD
    STEP( inside = 0 );
#endif
#ifndef M_MARKS_NOT_AWAITED
    do
    :: p < PROCS ->
        if :: p == slot -> was = 0 :: else -> STEP( was = mark[p] ) fi;
        if :: was -> SEE_GEN :: else fi;
        if
        :: was == 0 -> p++
        :: was && DEAD(p, g) -> p++
        :: else ->
            if
            :: was & WATCHED
            :: else ->
#ifdef M_NOT_WATCHED
                skip
#else
                STEP( if :: mark[p] == was -> mark[p] = was | WATCHED; was = mark[p] :: else -> was = 0 fi )
#endif
            fi;
            if
            :: was ->
                want = B(MARK(p)) | B(LIVE(p));
                KERNEL( if :: mark[p] == was -> queued[me] = B(MARK(p)) :: else -> want = 0 fi );
#ifdef M_READER_NOT_WATCHED
                if :: want -> want = B(MARK(p)); asleep[me] = 1 :: else fi;
#else
                if :: want -> KERNEL( if :: !DEAD(p, g) -> queued[me] = queued[me] | B(LIVE(p)); asleep[me] = 1 :: else -> queued[me] = 0; want = 0 fi ) :: else fi;
#endif
                if :: want ->
end_marks:          ASLEEP(late); atomic { asleep[me] = 0; want = 0 }
                :: else fi;
#ifndef M_SWALLOW_DEATH
                if :: DEAD(p, g) -> STEP( wake_all(LIVE(p)) ) :: else fi;
#endif
                if :: late -> was = 0; late = 0; p = 0; told = 0; FORGET_GEN; LEAVE( skip ); goto give_up :: else fi
            :: else
            fi
        fi
    :: else -> break
    od;
#endif
    was = 0; p = 0;
    STEP( inside = 1;
          assert(writing == 0 && reading == 0);                                 /* 1 */
          assert(!news || told);                                                /* 3 */
          assert(ever || !told);                                                /* 4 */
          writing = B(slot) );
    if :: told -> STEP( word = word & ~INCONSISTENT; news = 0 ) :: else fi;
    told = 0;
    LEAVE( writing = 0 );
give_up:
    unlock();
    seen = 0;
    if :: more -> more = 0; goto again :: else fi;
    goto finished;
dying:
    atomic { if :: writing & B(slot) -> writing = 0; news = 1; ever = 1 :: else fi;
             queued[me] = 0; dead[slot] = 1; asleep[me] = 0; seen = 0; p = 0; was = 0; FORGET_GEN; more = 0; late = 0; slept = 0; took = 0; told = 0; want = 0; woken = 0 };
    die_in(slot);
finished:
    atomic { seen = 0; p = 0; was = 0; FORGET_GEN; more = 0; late = 0; slept = 0; took = 0; told = 0; want = 0; woken = 0 }
}

proctype Reader(byte me; byte slot) {
    byte seen, was, told, more = IN(TWICE, me); bit woken, late, slept, took; short want;
#ifdef REUSE
    if :: me == slot :: else -> take_slot() fi;
#endif
again:
#ifdef M_WORD_READ_BEFORE_THE_MARK
    STEP( seen = word );
    STEP( mark[slot] = MARKED; if :: !(seen & OWNED) -> INSIDE; goto in :: else fi );
#else
    STEP( mark[slot] = MARKED );
    STEP( seen = word; if :: !(seen & OWNED) -> INSIDE; goto in :: else fi );
#endif
    unmark();
#ifndef M_READER_WITHOUT_HOOK
    arm(M);
#endif
look:
    STEP( seen = word );
    if
    :: !(seen & OWNED) ->
        STEP( mark[slot] = MARKED );
        STEP( seen = word; if :: !(seen & OWNED) -> INSIDE :: else fi );
        if
        :: !(seen & OWNED) ->
            /* The wake was for one who takes the word, and we do not. */
#ifndef M_READER_KEEPS_THE_WAKE
            if :: slept && seen & WAITERS -> STEP( wake_one(M); woken = 0 ) :: else fi;
#endif
            disarm();
            goto in
        :: else
        fi;
        unmark();
        goto look
    :: else
    fi;
    wait_owned();
    if
    :: took ->
        /* Ours for a moment, from a dead writer: mark first, then give it back. */
        STEP( mark[slot] = MARKED; seen = told; INSIDE );
        LEAVE( told = 0 );
        unlock()
    :: else -> goto look
    fi;
in:
    atomic { seen = 0; slept = 0; late = 0; took = 0 };
    STEP( assert(writing == 0) );                                               /* 1 */
    reading = reading & ~B(slot);
    unmark();
    if :: more -> more = 0; goto again :: else fi;
    goto finished;
dying:
    atomic { reading = reading & ~B(slot);
             queued[me] = 0; dead[slot] = 1; asleep[me] = 0; seen = 0; was = 0; told = 0; more = 0; late = 0; slept = 0; took = 0; want = 0; woken = 0 };
    die_in(slot);
finished:
    atomic { seen = 0; was = 0; told = 0; more = 0; late = 0; slept = 0; took = 0; want = 0; woken = 0 }
}
proctype Monitor() {
    byte p;
    timeout;
    do :: p < PROCS -> assert(!asleep[p]); p++ :: else -> break od              /* 2 */
}
#ifdef REUSE
#define SLOT(p)  (p == PROCS - 1 -> REUSE : p)
#else
#define SLOT(p)  p
#endif
#define START(p) if :: SLOT(p) < WRITERS -> run Writer(p, SLOT(p)) :: else -> run Reader(p, SLOT(p)) fi
init { atomic { choose_kills(); START(0); START(1);
#if PROCS > 2
    START(2);
#endif
#if PROCS > 3
    START(3);
#endif
    start_handlers();
    run Monitor() } }
