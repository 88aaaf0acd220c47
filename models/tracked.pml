/* Semaphore, tracked: each permit is a word that names its holder, so the permit of a dead one is as good as free.
 * (sleep.pml says what a step is and how a death goes.)
 *
 * permit[k] = 0 or holder + 1; word: low half {WAITERS}, high half a count of releases.  Each process is a member with one thread.
 * DEBTORS (a mask) release a permit that somebody else holds: the word `debtor` says who is at it.
 * LOCK: one permit, the lock of a process.  Who takes it from a dead one is told so; a debtor that finds a dead holder frees it and wakes nobody.
 *
 * CHECKED  1 a permit has one living holder    2 nobody sleeps at the end (all give back what they took, or die)
 *          3 (LOCK) of who died with it somebody is told, once; nobody if it was released for it, which takes it from no living one
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PROCS
#define PROCS 3
#endif
#ifndef PERMITS
#define PERMITS 1
#endif
#ifndef TWICE
#define TWICE 0
#endif
#ifndef KEEPERS
#define KEEPERS 0               /* a mask: takes two permits (if PERMITS > 1) before it gives back */
#endif
#ifndef DEBTORS
#define DEBTORS 0
#endif
#include "sleep.pml"
#define S        0
#define WAITERS  1
#define ONE      2
byte debtor, word, permit[PERMITS], holder[PERMITS];
bit asleep[PROCS];
#ifdef LOCK
bit told[PROCS], released[PROCS], had[PROCS];   /* for 3: of whose death, for whom, and who died with it */
#define NOTE_TAKEN(h)   if :: h -> assert(!told[h - 1] && !released[h - 1]); told[h - 1] = 1 :: else fi
#define NOTE_RELEASED(h)  released[h - 1] = dead[h - 1]
#define NOTE_DEATH      had[me] = (permit[0] == me + 1)
#else
#define NOTE_TAKEN(h)   skip
#define NOTE_DEATH      skip
#define NOTE_RELEASED(h)  skip
#endif
inline take_one() {             /* got = permit + 1, or 0; held = who has them: a mask */
    got = 0; held = 0; k = 0;
    do
    :: k < PERMITS && !got ->
        STEP( h = permit[k] );
        if
        :: h == 0 || dead[h - 1] ->
            STEP( if
                  :: permit[k] == h -> assert(holder[k] == 0 || dead[holder[k] - 1]); holder[k] = me + 1; permit[k] = me + 1; NOTE_TAKEN(h); got = k + 1; h = 0   /* 1 */
                  :: else -> h = 0
                  fi );
#ifdef M_FREE_AGAIN_IS_NOBODYS
            if :: got :: else -> STEP( h = permit[k] ); if :: h -> held = held | B(h - 1) :: else fi; k++; h = 0 fi
#endif
        :: else -> held = held | B(h - 1); k++; h = 0
        fi
    :: else -> break
    od;
    k = 0;
    if :: got == 0 -> STEP( h = debtor ) :: else fi
}
proctype Member(byte me) {
    byte seen, got, held, k, h, mine, more = IN(TWICE, me), want_more = IN(KEEPERS, me); bit woken, late, slept, gone; short want;
    if :: IN(DEBTORS, me) -> goto debit :: else fi;
again:
    take_one();
    h = 0;
    if :: got -> goto have :: else fi;
#ifndef M_NO_HOOK_IN_WAIT
    arm(S);
#endif
look:
    STEP( seen = word );
    if :: seen & WAITERS :: else -> STEP( word = word | WAITERS ); goto look fi;
    take_one();
    if
    :: got ->
        /* The dead one may have had several, and one wake for all of them. */
#ifndef M_NO_CHAIN
        if :: slept -> STEP( wake_one(S); woken = 0 ) :: else fi;
#endif
        h = 0;
        disarm();
        goto have
    :: else
    fi;
    if
    :: h && h != me + 1 ->
#ifndef M_DEAD_DEBTOR_IGNORED
        if :: dead[h - 1] -> STEP( if :: debtor == h -> debtor = 0 :: else fi ); h = 0; held = 0; goto look :: else fi;
#endif
        held = held | B(h - 1)
    :: else
    fi;
    h = 0;
    if :: late -> if :: slept -> STEP( wake_one(S); woken = 0 ) :: else fi; disarm(); goto give_back :: else fi;
    want = B(S); slept = 1;
    KERNEL( if :: word & WAITERS -> queued[me] = B(S) :: else -> goto look fi );
#ifndef M_COUNT_NOT_COMPARED
    KERNEL( if :: word == seen :: else -> queued[me] = 0; goto look fi );
#endif
#ifndef M_NO_LIVENESS_WORDS
    held = held & ~B(me);
    do DOOM
    :: atomic { AWAKE && held != 0 ->
                k = 0; do :: !IN(held, k) -> k++ :: else -> break od; held = held & ~B(k);
#ifdef M_DEAD_DEBTOR_IGNORED
                if :: dead[k] && IN(DEBTORS, k) -> k = 0
                   :: dead[k] && !IN(DEBTORS, k) -> queued[me] = 0; k = 0; held = 0; goto look
                   :: else -> queued[me] = queued[me] | B(LIVE(k)); want = want | B(LIVE(k)); k = 0 fi }
#else
                if :: dead[k] -> queued[me] = 0; k = 0; held = 0; goto look
                   :: else -> queued[me] = queued[me] | B(LIVE(k)); want = want | B(LIVE(k)); k = 0 fi }
#endif
    :: AWAKE && held == 0 -> break
    od;
#endif
    atomic { held = 0; seen = 0; asleep[me] = 1 };
end_asleep:
    if
    KILL
    :: atomic { AWAKE && IN(timed, me) -> queued[me] = 0; late = 1 }
    :: atomic { AWAKE && queued[me] != want -> h = (want & ~queued[me]) >> 8; queued[me] = 0 }
    fi;
    atomic { asleep[me] = 0; want = 0 };
#ifndef M_SWALLOW_DEATH
    if :: h -> k = 0; do :: k < PROCS && !IN(h, k) -> k++ :: else -> break od; h = 0;
               if :: k < PROCS && dead[k] -> STEP( wake_all(LIVE(k)) ) :: else fi; k = 0
       :: else fi;
#endif
    h = 0;
    goto look;
debit:
#ifdef LOCK
    STEP( h = permit[0] );
    if
    :: h == 0 -> goto finished
    :: h != 0 && dead[h - 1] ->
        STEP( if
#ifdef M_DEAD_FREED_WITHOUT_COMPARING
              :: permit[0] != 0 ->
#else
              :: permit[0] == h ->
#endif
                 assert(dead[permit[0] - 1]); NOTE_RELEASED(permit[0]); permit[0] = 0; holder[0] = 0; goto finished         /* 3 */
              :: else -> h = 0; goto debit
              fi )
    :: else -> h = 0
    fi;
#endif
    arm(S);
#ifndef M_NO_DEBTOR
    STEP( debtor = me + 1 );
#ifndef M_NO_BUMP
    STEP( word = word + ONE );
#endif
#endif
    k = 0;
    do
    :: k < PERMITS ->
        STEP( h = permit[k] );
        if
        :: h != 0 && !dead[h - 1] ->
            STEP( if :: permit[k] == h -> permit[k] = 0; holder[k] = 0; NOTE_RELEASED(h); h = 0; k = 0; want_more = 0; goto bump :: else -> h = 0 fi )
        :: else -> k++; h = 0
        fi
    :: else -> break
    od;
    k = 0; disarm();
    goto finished;
have:
    mine = mine | B(got - 1);
    atomic { got = 0; held = 0; seen = 0; slept = 0; late = 0 };
    if :: want_more -> want_more = 0; goto again :: else fi;
give_back:
    do
    :: mine != 0 ->
        k = 0; do :: !IN(mine, k) -> k++ :: else -> break od;
        mine = mine & ~B(k);
#ifdef M_HOOK_ONLY_IF_WAITERS_BEFORE
        STEP( seen = word );
        if :: seen & WAITERS -> arm(S) :: else fi;
#endif
        STEP( if :: permit[k] == me + 1 -> permit[k] = 0; holder[k] = 0 :: else -> gone = 1 fi );
        k = 0;
        if :: gone -> gone = 0; disarm(); goto give_back :: else fi;
bump:
        STEP( seen = word );
        if
        :: seen & WAITERS ->
#if !defined(M_NO_HOOK_IN_RELEASE) && !defined(M_HOOK_ONLY_IF_WAITERS_BEFORE)
            arm(S);
#endif
#ifdef M_FLAG_CLEARED_AFTER_THE_WAKE
            STEP( word = word + ONE );
            STEP( wake_one(S) );
            if :: woken == 0 -> STEP( if :: word == seen + ONE -> word = (seen + ONE) & ~WAITERS :: else fi ) :: else fi;
#else
            /* Who is woken sets WAITERS again, whether it gets a permit or not. */
            STEP( word = (word & ~WAITERS) + ONE );
            STEP( wake_one(S) );
#endif
            woken = 0
        :: else
        fi;
        if :: IN(DEBTORS, me) -> STEP( if :: debtor == me + 1 -> debtor = 0 :: else fi ) :: else fi;
        disarm()
    :: else -> break
    od;
    seen = 0; late = 0;
    if :: more -> more = 0; goto again :: else fi;
    goto finished;
dying:
    atomic { NOTE_DEATH; queued[me] = 0; dead[me] = 1; asleep[me] = 0; seen = 0; got = 0; held = 0; k = 0; h = 0; mine = 0; more = 0; late = 0; slept = 0; want = 0; want_more = 0; woken = 0 };
    die();
finished:
    atomic { seen = 0; got = 0; held = 0; k = 0; h = 0; mine = 0; more = 0; late = 0; slept = 0; want = 0; want_more = 0; woken = 0 }
}
proctype Monitor() {
    byte p;
    timeout;
    do :: p < PROCS -> assert(!asleep[p]); p++ :: else -> break od;             /* 2 */
#ifdef LOCK
    p = 0;
    do :: p < PROCS -> assert(!had[p] || told[p] || released[p] || permit[0] == p + 1); p++ :: else -> break od    /* 3 */
#endif
}
init { atomic { choose_kills(); run Member(0); run Member(1); run Member(2); start_handlers(); run Monitor() } }
