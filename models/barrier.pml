/* Barrier: a mark in the record of each party inside, one word, no lock.  (sleep.pml says what a step is and how a death goes.)
 *
 * ctl {generation, arrived, needed, BROKEN} one word; bell (hookable, always 0); slept = one more than the last generation in which
 * somebody went to sleep; told: who slept in generations before this one has been woken.
 * record: mark {0 | INSIDE | BROKEN_INSIDE, generation}.  Process PARTIES may reset (RESETTER) after the fact.
 *
 * HOLD: who arrives last comes in (arrived = needed), runs its action, and only then releases.  DROPS (a mask): arrives and drops in its
 * last round: needed - 1 in the step that would have counted it, and it does not wait.
 * ASIDE (a mask): arrives, and waits in another call: between the two its hook is not on the bell.  It wakes one, who watches it.
 * SLOT RE-USE.  A mark names the generation of the record that wrote it.  REUSE is a slot, the last process its next owner: identity, then
 * settle (a mark inside the present generation: break it), then it is a party.
 *
 * CHECKED  1 at the end nobody sleeps whose generation is over or broken, or has a dead one inside
 *          2 all of one generation leave alike: released or broken
 *            (inside: counted in ctl.  Who dies between its mark and that was not there, though others may find it and break)
 *          3 who arrives last and finds that somebody had died inside does not release
 *          4 nobody leaves released before the action has run
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PARTIES
#define PARTIES 3
#endif
#ifndef ABSENT
#define ABSENT 0                /* parties that never come */
#endif
#define NEEDED (PARTIES + ABSENT)
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef ONCE
#define ONCE 0                  /* a mask of parties that come in the first round only */
#endif
#ifndef ASIDE
#define ASIDE 0
#endif
#ifndef RESETTER
#define RESETTER 0
#endif
#ifdef REUSE
#define PROCS (PARTIES + RESETTER + 1)
#define SLOT(p)  (p == PROCS - 1 -> REUSE : p)
#else
#define PROCS (PARTIES + RESETTER)
#define SLOT(p)  p
#endif
#ifndef DROPS
#define DROPS 0
#endif
#include "sleep.pml"
#define BELL     0
#define BROKEN   1
#define ARRIVED(c)    ((c) >> 1 & 3)
#define NEEDS(c)      ((c) >> 3 & 3)
#define GENERATION(c) ((c) >> 5)                /* at most 7 */
#define ONE      2
#define ONE_LESS 8
#define NEXT(c)  (GENERATION(c) + 1 << 5 | (c) & 3 << 3)
#define INSIDE   1
#define BROKEN_INSIDE 2
#define MARK(state, g)  ((state) | (g) << 2)
#ifdef REUSE
bit gen[PROCS];
#define OF_NEXT         32
#define MY_MARK(state, g)  (MARK(state, g) | (me == slot -> 0 : OF_NEXT))
#define SAYS(p, m)      ((mark[p] & ~OF_NEXT) == (m))
#define GONE(p)         (dead[p] || (mark[p] & OF_NEXT) != OF_NEXT * gen[p])
#else
#define MY_MARK(state, g)  MARK(state, g)
#define SAYS(p, m)      (mark[p] == (m))
#define GONE(p)         dead[p]
#endif
byte ctl = NEEDED << 3, told, slept, mark[PROCS];
bit  asleep[PROCS];
bit  released[8], broken[8];            /* what parties of a generation were told */
byte lost[8];                           /* died inside, before it was over: a mask */
byte round[PROCS];
bit  undone[8];                          /* ended by a reset */
bit  acted[8];
byte counted;                           /* who has arrived in the present generation: a mask, for the checks */

#define DROPPING  (IN(DROPS, me) && more == 1)

inline wake_them() {
#ifndef M_WAKE_ONE
    STEP( wake_all(BELL) )
#else
    STEP( wake_one(BELL); woken = 0 )
#endif
}
/* Those who slept in generations before g, unless that has been done. */
inline wake_who_slept_before(g) {
    STEP( p = slept );
    STEP( alive = told );
    if
    :: alive < p && p <= (g) -> p = 0; alive = 0; wake_them(); STEP( told = (g) )
    :: else -> p = 0; alive = 0
    fi
}
/* Is one of this generation dead inside?  alive = those who are not. */
inline look_around() {
    fallen = 0; alive = 0; p = 0;
    do
    :: atomic { p < PARTIES && p == slot -> p++ }
    :: p < PARTIES && p != slot ->
        STEP( if
              :: SAYS(p, MARK(INSIDE, mine)) && GONE(p) -> fallen = 1
              :: SAYS(p, MARK(INSIDE, mine)) && !GONE(p) -> alive = alive | B(p)
              :: else
              fi; p++ )
    :: else -> break
    od;
    p = 0
}

#ifdef REUSE
/* The slot's next owner: its generation first, then the liveness word looks alive again.  Or it never comes. */
inline take_slot() {
    if :: dead[slot] :: goto finished fi;
    gen[slot] = 1;
    if :: dead[slot] = 0 :: goto finished fi
}
inline settle() {
    STEP( p = mark[slot] );
#ifndef M_REUSE_DROPS_THE_MARK
    if
    :: (p & 3) == INSIDE ->
        arm(BELL);
        do
        :: STEP( seen = ctl );
           if :: GENERATION(seen) != p >> 2 || seen & BROKEN -> break :: else fi;
           STEP( if :: ctl == seen -> ctl = seen | BROKEN; seen = 0; break :: else -> seen = 0 fi )
        od;
        seen = 0;
#ifndef M_SETTLES_SILENTLY
        wake_them()
#endif
    :: else
    fi;
#endif
    STEP( mark[slot] = 0; p = 0 );
    disarm()
}
#endif

proctype Party(byte me; byte slot) {
    byte seen, mine, p, alive, more = (IN(ONCE, me) -> 1 : ROUNDS); bit woken, late, had_slept, fallen, had_lost; short want;
#ifdef REUSE
    if :: me == slot :: else -> take_slot(); settle() fi;
#endif
again:
    if :: more == 0 -> goto finished :: else fi;
arrive:
    STEP( seen = ctl );
    if :: seen & BROKEN || ARRIVED(seen) >= NEEDS(seen) -> goto refused :: else fi;
    mine = GENERATION(seen);
    arm(BELL);
#ifndef M_ARRIVES_WITHOUT_WAKING
    /* Who ended the generation before may have been killed; its hook must not be spent on us, who sleep for another. */
    wake_who_slept_before(mine);
#endif
    if :: DROPPING :: else -> STEP( mark[slot] = MY_MARK(INSIDE, mine) ) fi;
    had_lost = lost[mine] != 0;
    if
    :: ARRIVED(seen) + 1 < NEEDS(seen) && DROPPING ->
        STEP( if :: ctl == seen -> ctl = seen - ONE_LESS :: else -> seen = 0; goto arrive fi );
        disarm();
        goto finished
    :: ARRIVED(seen) + 1 < NEEDS(seen) && !DROPPING ->
#ifdef M_MARK_AFTER_THE_ARRIVAL
        STEP( mark[slot] = 0 );
        STEP( if :: ctl == seen -> ctl = seen + ONE; counted = counted | B(me) :: else -> seen = 0; goto arrive fi );
        STEP( mark[slot] = MY_MARK(INSIDE, mine) );
#else
        STEP( if :: ctl == seen -> ctl = seen + ONE; counted = counted | B(me) :: else -> seen = 0; goto arrive fi );
#endif
        if
        :: IN(ASIDE, me) ->
#ifndef M_ASKS_NOBODY_TO_WATCH
            STEP( wake_one(BELL); woken = 0 );
#endif
            disarm();
            arm(BELL)
        :: else
        fi;
        goto look
    :: else
    fi;
    /* ---- the last */
#ifndef M_LAST_DOES_NOT_LOOK
    look_around();
    if
    :: fallen ->
        /* Not counted yet: if the CAS fails, it arrives anew. */
        STEP( if :: ctl == seen -> ctl = seen | BROKEN :: else -> alive = 0; fallen = 0; seen = 0; goto arrive fi );
        wake_them();
        goto broken_
    :: else
    fi;
#endif
#ifdef HOLD
    if
    :: DROPPING
    :: else ->
        STEP( if
              :: ctl == seen -> ctl = seen + ONE; counted = counted | B(me); assert(!had_lost)     /* 3 */
              :: else -> seen = 0; goto arrive
              fi );
        had_lost = 0;
#ifdef M_RELEASED_BEFORE_THE_ACTION
        seen = NEXT(seen);
        STEP( if :: ctl == (seen - 32) + ARRIVED(ctl) * ONE -> ctl = seen; counted = 0 :: else fi );
        wake_them();
        STEP( acted[mine] = 1 );
        goto released_;
#endif
        /* In no call until it is done: somebody has to watch us. */
#ifndef M_HOLDER_NOT_WATCHED
        STEP( wake_one(BELL); woken = 0 );
#endif
        disarm();
        STEP( acted[mine] = 1; seen = seen + ONE );                             /* the action */
        arm(BELL);
        STEP( if :: ctl == seen -> ctl = NEXT(seen); counted = 0 :: else -> goto look fi );    /* broken meanwhile */
        wake_who_slept_before(mine + 1);
        goto released_
    fi;
#endif
    STEP( if
          :: ctl == seen -> ctl = NEXT(seen) - (DROPPING -> ONE_LESS : 0); counted = 0; acted[mine] = 1; assert(!had_lost)                   /* 3 */
          :: else -> seen = 0; goto arrive
          fi );
    wake_who_slept_before(mine + 1);
    if :: DROPPING -> disarm(); goto finished :: else -> goto released_ fi;
look:
    STEP( seen = ctl );
    if
    :: GENERATION(seen) != mine ->
        STEP( p = mark[slot] & 31 );
#ifdef M_OUTCOME_NOT_IN_THE_MARK
        p = 0;
#endif
        if :: p == MARK(BROKEN_INSIDE, mine) -> p = 0; goto broken_ :: else -> p = 0; goto over fi
    :: GENERATION(seen) == mine && seen & BROKEN -> goto broken_
    :: else
    fi;
    look_around();
    if :: fallen || late -> goto break_it :: else fi;
#ifndef M_SLEEPS_UNANNOUNCED
    STEP( if :: slept < mine + 1 -> slept = mine + 1 :: else fi );
#endif
    want = B(BELL);
#ifndef M_ENDED_AT_ONCE_IS_NO_SLEEP
    had_slept = 1;
#endif
    KERNEL( queued[me] = B(BELL) );
#ifndef M_CTL_NOT_COMPARED
    KERNEL( if :: ctl == seen :: else -> queued[me] = 0; goto look fi );
#endif
#ifndef M_NO_LIVENESS_WORDS
    do DOOM
    :: atomic { AWAKE && alive != 0 ->
                p = 0; do :: !IN(alive, p) -> p++ :: else -> break od; alive = alive & ~B(p);
                if :: GONE(p) -> queued[me] = 0; p = 0; alive = 0; goto look
                   :: else -> queued[me] = queued[me] | B(LIVE(p)); want = want | B(LIVE(p)); p = 0 fi }
    :: AWAKE && alive == 0 -> break
    od;
#endif
    atomic { had_slept = 1; alive = 0; seen = 0; asleep[me] = 1; round[me] = mine };
end_asleep:
    ASLEEP(late);
    atomic { asleep[me] = 0; round[me] = 0; want = 0 };
    goto look;

break_it:
    STEP( if :: ctl == seen -> ctl = seen | BROKEN :: else -> alive = 0; fallen = 0; goto look fi );
    wake_them();
broken_:
    atomic { broken[mine] = 1; assert(!released[mine]) };                       /* 2 */
#ifndef M_NO_CHAIN
    if :: had_slept -> wake_them() :: else fi;
#endif
    STEP( mark[slot] = 0 );
    disarm();
    goto finished;
over:
#ifndef M_NO_CHAIN
#ifdef M_LOOKS_AT_ITS_OWN_GENERATION_ONLY
    if :: had_slept -> wake_who_slept_before(mine + 1) :: else fi;
#else
    /* Our sleep may have swallowed the wake for a later generation, too. */
    if
    :: had_slept ->
        STEP( seen = ctl );
        if :: seen & BROKEN -> wake_them() :: else -> wake_who_slept_before(GENERATION(seen)) fi;
#ifndef M_KEEPS_THE_WATCH
        /* Or the wake of one who asks to be watched. */
        if :: ARRIVED(seen) -> STEP( wake_one(BELL); woken = 0 ) :: else fi
#endif
    :: else
    fi;
#endif
#endif
released_:
    atomic { released[mine] = 1; assert(!broken[mine] && !undone[mine]); assert(acted[mine]) };           /* 2, 4 */
    STEP( mark[slot] = 0 );
    disarm();
    atomic { seen = 0; mine = 0; alive = 0; late = 0; had_slept = 0; fallen = 0; had_lost = 0; more-- };
    goto again;
refused:
    disarm();
    goto finished;
dying:
    atomic { if :: counted & B(me) && !(ctl & BROKEN) -> lost[GENERATION(ctl)] = lost[GENERATION(ctl)] | B(me) :: else fi;
             queued[me] = 0; dead[slot] = 1; asleep[me] = 0; round[me] = 0; seen = 0; mine = 0; p = 0; alive = 0; more = 0; late = 0; had_slept = 0; fallen = 0; had_lost = 0; want = 0 };
    die_in(slot);
finished:
    atomic { seen = 0; mine = 0; p = 0; alive = 0; more = 0; late = 0; had_slept = 0; fallen = 0; had_lost = 0; want = 0 }
}

/* reset: break it if anybody is inside, write that into their marks, and only then begin anew. */
proctype Resetter(byte me) {
    byte seen, p; bit woken;
again:
    arm(BELL);
    STEP( seen = ctl );
    if
    :: !(seen & BROKEN) ->
        if :: ARRIVED(seen) == 0 -> goto finished :: else fi;
        STEP( if :: ctl == seen -> ctl = seen | BROKEN :: else -> seen = 0; goto again fi );
        seen = seen | BROKEN
    :: else
    fi;
    do
    :: p < PARTIES -> STEP( if :: SAYS(p, MARK(INSIDE, GENERATION(seen))) -> mark[p] = mark[p] ^ (INSIDE | BROKEN_INSIDE) :: else fi; p++ )
    :: else -> break
    od;
    p = 0;
#ifndef M_RESET_WITHOUT_WAKING_FIRST
    wake_them();                /* who broke it may have been killed; while it is broken nobody goes to sleep */
#endif
    STEP( if :: ctl == seen -> ctl = NEXT(seen); counted = 0; undone[GENERATION(seen)] = 1 :: else fi );
    wake_them();
    disarm();
    goto finished;
dying:
    atomic { dead[me] = 1; seen = 0; p = 0 };
    die();
finished:
    atomic { seen = 0; p = 0 }
}
proctype Monitor() {
    byte p;
    timeout;
    do
    :: p < PROCS ->
        assert(!(asleep[p] && (GENERATION(ctl) != round[p] || ctl & BROKEN || lost[round[p]])));      /* 1 */
        p++
    :: else -> break
    od
}
init { atomic { choose_kills(); run Party(0, 0); run Party(1, 1);
#if PARTIES > 2
    run Party(2, 2);
#endif
#ifdef REUSE
    run Party(PROCS - 1, REUSE);
#endif
#if RESETTER
    run Resetter(PARTIES);
#endif
    start_handlers();
    run Monitor() } }
