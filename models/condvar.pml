/* Condition variable by counting: no lock inside, no list, no log.  (sleep.pml says what a step is and how a death goes.)
 *
 * object:  seq (next ticket), ctl {grants, limit} in one word, bell (hookable, always 0)
 * record:  ticket, state {WAITING, CALLED, READY, CALLING}; the low half of the state is a futex
 *
 * THE RULE.  Of the living records that are WAITING with a ticket below limit, the `grants` oldest may leave.  Leaving is one CAS,
 * grants - 1.  The dead do not count, so a grant passes on by itself; what is left to do is to tell.  CALLED and the wakes
 * are hints: all who do something have their hook on the bell, and leave a state other than 0 in their record if they die;
 * whoever looks and finds such a record tells the `grants` oldest again, and then clears it.
 *
 * SLOT RE-USE.  A state names the generation that wrote it; one of another generation than the record's is that of a dead one. REUSE is
 * a slot, the last process its next owner: it takes its identity, settles (recovers what the trace of the former owner
 * stands for, then clears it), and goes about the business of that slot.
 *
 * CHECKED  1 at the end no sleeper may leave    2 oldest first: whoever leaves has fewer living older waiters than grants
 *          3 no more leave than were notified   4 nobody died, nobody late: as many leave as were notified
 *          5 nobody clears the state of a living waiter  6 nobody sleeps who waited before all were notified
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef WAITERS
#define WAITERS 3
#endif
#ifndef PROCS
#ifdef REUSE
#define PROCS (WAITERS + 2)
#else
#define PROCS (WAITERS + 1)
#endif
#endif
#ifndef NOTIFIES
#define NOTIFIES 1              /* calls of each notifier */
#endif
#ifndef MANY
#define MANY 1                  /* each for so many */
#endif
#ifndef REGISTERED
#define REGISTERED 0            /* a mask of waiters that have begun already, in the order of their numbers */
#endif

byte state[PROCS], ticket[PROCS];       /* per slot */
#define WAITING 1
#define CALLED  2
#define READY   4               /* the hook is on the bell */
#define CALLING 8
#define JOINING 64              /* it draws its ticket; with CALLED: it has to draw another one */
/* A handler in a waiter: READY goes first.  Whoever tells it meanwhile has it watched, as its hook is not on the bell.  And whoever looks
 * watches who notifies or leaves: a handler may be in them, too.  (Without handlers their hooks do, and nobody watches here.) */
#ifdef M_LENDS_WHILE_READY
#define BEFORE_IT_LENDS  skip
#define AFTER_IT_LENT    skip
#else
#define BEFORE_IT_LENDS  was_ready = state[me] & READY; if :: was_ready -> IN_HANDLER( state[me] = state[me] & ~READY ) :: else fi
#define AFTER_IT_LENT    if :: was_ready -> IN_HANDLER( state[me] = state[me] | READY ); was_ready = 0 :: else fi
#endif
#if HANDLES
byte was_ready;
#ifdef M_APART_NOT_WATCHED
#define NOTE_APART(p)  skip
#else
#define NOTE_APART(p)  apart = apart | B(p)
#endif
#else
#define NOTE_APART(p)  skip
#endif
#include "sleep.pml"

#ifdef REUSE
bit  gen[PROCS];
#define GENERATION  32                  /* this bit of a state */
#define MY_GEN      (me == slot -> 0 : GENERATION)
#define GONE(p)     (dead[p] || (state[p] & GENERATION) != GENERATION * gen[p])
#define SLOT(p)     (p == PROCS - 1 -> REUSE : p)
#else
#define MY_GEN      0
#define GONE(p)     dead[p]
#define SLOT(p)     (p)
#endif
#define DOZING  16              /* set by CAS just before the sleep: only then a wake is needed */
#ifndef PIECES
#define PIECES 0                /* a mask of waiters whose first deadline only ends a piece of the wait */
#endif
#define OWN(p)  (p)
#define BELL    5
byte seq = 1, ctl;
#define GRANTS(c)   ((c) & 7)
#define LIMIT(c)    ((c) >> 3)          /* at most 31 */
#define MIN(a, b)   ((a) < (b) -> (a) : (b))
#define CTL(g, l)   ((g) | (l) << 3)
bit  asleep[PROCS];
byte all_of;                    /* who waited before somebody notified all */
byte left, must, may;           /* notified: at least who began to wait before the notify, at most who began before its end */
bit  gone_for_good[PROCS];
#define HERE(p)   (!GONE(p) && ticket[p] != 0 && ticket[p] < young && !gone_for_good[p])
#define NOW_HERE  ((state[0] & WAITING) | (state[1] & WAITING) << 1 | (state[2] & WAITING) << 2)
#define OWED(p)   (HERE(p) && ticket[p] < LIMIT(ctl))
#define WAITS(p)  (HERE(p) && IN(here, p))
bit  was_late;
byte user_lock;                 /* a guard: free, or its owner is dead.  That a lock wakes its waiters is the business of mutex.pml */
#define TAKE_L  if KILL \
                   :: atomic { AWAKE && (user_lock == 0 || dead[user_lock - 1]) -> user_lock = me + 1 } fi

/* A slot may have a new owner between the scan and the use of what it saw. */
#ifdef REUSE
#define NOTE_TICKET(p)  if :: p < WAITERS -> saw[p] = ticket[p] :: else fi
#define NOTE_TRACE(p)   saw[p] = state[p]
#define TICKET(p)       (p == slot -> ticket[p] : saw[p])
#define FORGET          saw[0] = 0; saw[1] = 0; saw[2] = 0; saw[PROCS - 2] = 0
#ifdef M_TRACE_CLEARED_WITHOUT_COMPARING
#define IS_ITS_TRACE(p) true
#else
#define IS_ITS_TRACE(p) (state[p] == saw[p])
#endif
#else
#define NOTE_TICKET(p)  skip
#define NOTE_TRACE(p)   skip
#define TICKET(p)       ticket[p]
#define FORGET          skip
#define IS_ITS_TRACE(p) dead[p]
#endif

#if HANDLES
#define NOBODY_APART  apart = 0
#else
#define NOBODY_APART  skip
#endif
#ifdef WITHOUT_LOCK
#define NOTE_JOINING(p)  joining = joining | B(p)
#define NOBODY_JOINS     joining = 0
#else
#define NOTE_JOINING(p)  skip
#define NOBODY_JOINS     skip           /* the users' lock is as good: who joins has the youngest ticket */
#endif
/* One record of the scan; `young` is the first ticket that does not count. */
#define SEE(p) \
    if \
    :: p == slot || state[p] == 0 \
    :: else -> if \
               :: !GONE(p) && state[p] & JOINING -> NOTE_JOINING(p) \
               :: GONE(p) -> fallen = fallen | B(p); NOTE_TRACE(p) \
               :: !GONE(p) && state[p] & WAITING -> present = present | B(p); if :: state[p] & READY :: else -> away = away | B(p) fi; NOTE_TICKET(p) \
               :: !GONE(p) && !(state[p] & (JOINING | WAITING)) -> NOTE_APART(p) \
               fi \
    fi
inline scan() {
    present = 0; fallen = 0; away = 0; NOBODY_APART; NOBODY_JOINS;
#ifdef ATOMIC_SCAN
    STEP( SEE(0); SEE(1);
#if PROCS > 2
          SEE(2);
#endif
#if PROCS > 3
          SEE(3);
#endif
#if PROCS > 4
          SEE(4);
#endif
          skip );
#else
    i = 0;
    do
    :: i < PROCS -> if :: i == slot :: else -> STEP( SEE(i) ) fi; i++
    :: else -> break
    od;
    i = 0;
#endif
}
/* chosen = the `g` oldest of `from` with a ticket below `l` */
inline choose(from, g, l) {
    chosen = 0; n = 0;
    do
    :: n < g ->
        t = 0; i = 0;
        do
        :: i < WAITERS -> if :: IN(from & ~chosen, i) && TICKET(i) < l && (t == 0 || TICKET(i) < TICKET(t - 1)) -> t = i + 1 :: else fi; i++
        :: else -> break
        od;
        if :: t -> chosen = chosen | B(t - 1); n++ :: else -> break fi
    :: else -> break
    od;
    t = 0; i = 0; n = 0
}
/* Tell all in `chosen`; those who were told already, too, if somebody died who may have wanted to wake them. */
inline call(again) {
    atomic { chosen = chosen & ~B(slot); i = 0; distant = 0 };
    do
    :: atomic { chosen != 0 -> do :: !IN(chosen, i) -> i++ :: else -> break od; chosen = chosen & ~B(i) };
       if
       KILL
       :: atomic {
            AWAKE;
            if
            :: !(state[i] & WAITING) -> t = 0
            :: state[i] & WAITING && state[i] & CALLED -> t = (again && state[i] & DOZING -> 1 : 0); if :: again && !(state[i] & READY) -> distant = 1 :: else fi
            :: else -> state[i] = state[i] | CALLED; t = (state[i] & DOZING -> 1 : 0); if :: state[i] & READY :: else -> distant = 1 fi
            fi;
            if :: t :: else -> i = 0 fi
          };
          if :: t -> STEP( wake_one(OWN(i)); woken = 0; i = 0; t = 0 ) :: else fi
       fi
    :: else -> break
    od;
    i = 0; t = 0;
    /* Its hook was not on the bell yet: somebody has to watch its liveness word. */
#ifndef M_NOBODY_WATCHES_THE_DISTANT
    if :: distant -> STEP( wake_one(BELL); woken = 0 ) :: else fi;
#endif
    distant = 0
}

#ifdef REUSE
/* The slot's next owner: its generation first, then the liveness word looks alive again.  Or it never comes. */
inline take_slot() {
    if :: dead[slot] :: goto finished fi;
    gen[slot] = 1;
    if :: atomic { dead[slot] = 0; ticket[slot] = 0; gone_for_good[slot] = 0 } :: goto finished fi
}
/* Under the repair lock, which is not modelled: nobody else has this slot. */
inline settle() {
#ifndef M_REUSE_LEAVES_THE_TRACE
    STEP( old = state[slot] );
#ifndef M_REUSE_DROPS_THE_TRACE
    if
    :: old ->
#ifndef M_NO_HOOK_IN_SETTLE
        arm(BELL);
#endif
        STEP( seen = ctl );
        scan();
        atomic { choose(present, GRANTS(seen), LIMIT(seen)) };
        call(1);
        atomic { seen = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; FORGET };
        disarm()
    :: else
    fi;
#endif
    STEP( state[slot] = 0 );
    old = 0
#else
    skip
#endif
}
#endif

proctype Waiter(byte me; byte slot) {
    byte seen, present, fallen, gone, away, chosen, i, n, t;
#ifdef WITHOUT_LOCK
    byte joining;
#endif
    bit  woken, late, distant, pieced; short want;
#if HANDLES
    byte apart;
#endif
#ifdef REUSE
    byte saw[PROCS], old;

    if :: me == slot :: else -> take_slot(); settle(); goto begin fi;
#endif
    if :: IN(REGISTERED, me) -> goto look :: else fi;
begin:
    /* ---- begin, holding the user's lock */
#ifndef WITHOUT_LOCK
    TAKE_L;
#endif
draw:
#ifdef M_JOINS_UNSEEN
    STEP( ticket[slot] = seq; seq++ );
    STEP( state[slot] = WAITING | MY_GEN );
#else
    STEP( state[slot] = JOINING | MY_GEN );
    STEP( ticket[slot] = seq; seq++ );
    /* Who notifies has not counted us, and drew a later one: another time. */
    STEP( if :: state[slot] & CALLED -> goto draw :: else -> state[slot] = WAITING | MY_GEN fi );
#endif
    STEP( user_lock = 0 );
    /* ---- given back, with the hook elsewhere.  Then: */
#ifndef M_NO_HOOK_IN_WAIT
    arm(BELL);
#endif
    STEP( state[slot] = state[slot] | READY );
look:
#ifndef M_CALLED_STAYS
    STEP( assert(state[slot] & WAITING); state[slot] = state[slot] & ~(CALLED | DOZING) );        /* 5 */
#endif
    STEP( seen = ctl );
    if
    :: GRANTS(seen) == 0 -> atomic { present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0 }
    :: else ->
        scan();
        atomic { choose(present | B(slot), GRANTS(seen), LIMIT(seen)) }
    fi;
#ifndef M_NO_RECOVERY
    if
    :: fallen ->
        /* Somebody died here: whom it wanted to tell, and who comes in its place, learn it from us.  What it did to ctl it may have
         * done after our look. */
        if
        :: true ->
#ifndef M_RECOVERY_BY_THE_OLD_CTL
            gone = fallen;
            STEP( seen = ctl );
            scan();
            fallen = gone; gone = 0;
            atomic { choose(present | B(slot), GRANTS(seen), LIMIT(seen)) };
#endif
#ifdef M_CLEARED_BEFORE_TOLD
            STEP( i = 0; do :: i < PROCS -> if :: IN(fallen, i) && IS_ITS_TRACE(i) -> state[i] = 0 :: else fi; i++ :: else -> break od; i = 0 );
            call(1)
#else
#ifdef M_RECOVERY_TRUSTS_CALLED
            call(0);
#else
            call(1);
#endif
            STEP( i = 0; do :: i < PROCS -> if :: IN(fallen, i) && IS_ITS_TRACE(i) -> state[i] = 0 :: else fi; i++ :: else -> break od; i = 0 )
#endif
        fi;
        chosen = 0;
        goto look
    :: else
    fi;
#endif
    if
    :: IN(chosen, slot) ->
        STEP( if
              :: ctl == seen ->
                ctl = ctl - 1; gone_for_good[slot] = 1; left++; assert(left <= may);                     /* 3 */
                n = 0; i = 0;
                do :: i < WAITERS -> if :: !GONE(i) && state[i] & WAITING && ticket[i] < ticket[slot] -> n++ :: else fi; i++ :: else -> break od;
                assert(n < GRANTS(seen));                                       /* 2 */
                i = 0; n = 0
              :: else -> chosen = 0; goto look
              fi );
        goto leave
    :: else
    fi;
    if
    :: late && IN(PIECES, me) && !pieced ->
        /* The end of a piece: our hook will be elsewhere, and we look no more. */
#ifndef M_PIECE_KEEPS_READY
        STEP( state[slot] = state[slot] & ~READY );
#endif
#ifndef M_PIECE_DOES_NOT_LOOK
        STEP( seen = ctl );
        if
        :: GRANTS(seen) == 0 -> atomic { present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0 }
        :: else ->
            scan();
            atomic { choose(present | B(slot), GRANTS(seen), LIMIT(seen)) }
        fi;
        if :: fallen || IN(chosen, slot) -> STEP( state[slot] = state[slot] | READY ); chosen = 0; goto look :: else fi;
#ifndef M_PIECE_KEEPS_THE_WATCH
        if :: chosen & away -> STEP( wake_one(BELL); woken = 0 ) :: else fi;
#endif
#endif
        disarm();
        atomic { late = 0; pieced = 1; chosen = 0; present = 0; away = 0; fallen = 0; seen = 0 };
        arm(BELL);
        STEP( state[slot] = state[slot] | READY );
        goto look
    :: else
    fi;
    if :: late -> atomic { was_late = 1; gone_for_good[slot] = 1; chosen = 0 }; goto leave :: else fi;

    /* ---- sleep on: bell, own state, ctl (compared only), liveness of all who may leave now; in this order: queued on the bell
     * before anything is compared, so that the hook of whoever dies after a comparison finds us. */
#ifndef M_ASLEEP_WITHOUT_COMPARING
    STEP( if :: state[slot] & CALLED -> chosen = 0; goto look :: else -> state[slot] = state[slot] | DOZING fi );
#else
    STEP( state[slot] = (state[slot] | DOZING) & ~CALLED );
#endif
    want = B(OWN(slot)) | B(BELL);
#ifdef M_BELL_AFTER_OWN_STATE
    KERNEL( if :: state[slot] & CALLED -> chosen = 0; goto look :: else -> queued[me] = B(OWN(slot)) fi );
    KERNEL( queued[me] = queued[me] | B(BELL) );
#else
#ifdef M_NO_BELL
    want = B(OWN(slot));
#else
    KERNEL( queued[me] = B(BELL) );
#endif
    KERNEL( if :: state[slot] & CALLED -> queued[me] = 0; chosen = 0; goto look :: else -> queued[me] = queued[me] | B(OWN(slot)) fi );
#endif
#ifndef M_CTL_NOT_COMPARED
    KERNEL( if :: ctl == seen :: else -> queued[me] = 0; chosen = 0; goto look fi );
#endif
#ifndef M_NO_LIVENESS_WORDS
#if HANDLES
    atomic { chosen = chosen | apart; apart = 0 };
#endif
    do DOOM
    :: atomic { AWAKE && chosen != 0 ->
                i = 0; do :: !IN(chosen, i) -> i++ :: else -> break od; chosen = chosen & ~B(i);
                if :: GONE(i) -> queued[me] = 0; i = 0; chosen = 0; goto look
                   :: else -> queued[me] = queued[me] | B(LIVE(i)); want = want | B(LIVE(i)); i = 0 fi }
    :: AWAKE && chosen == 0 -> break
    od;
#endif
    atomic { present = 0; away = 0; fallen = 0; chosen = 0; seen = 0; FORGET; asleep[me] = 1 };
end_asleep:
    ASLEEP(late);
    atomic { asleep[me] = 0; want = 0 };
    goto look;

leave:
    /* A notify may have counted us since, and told us: whoever comes in our place learns it from us. */
#ifndef M_LEAVES_SILENTLY
#ifdef M_LEAVES_NO_TRACE
    STEP( state[slot] = 0 );
#else
    STEP( state[slot] = CALLING | MY_GEN );
#endif
    STEP( seen = ctl );
    if
    :: GRANTS(seen) > 0 ->
        scan();
        atomic { choose(present, GRANTS(seen), LIMIT(seen)); gone = chosen & away };
        call(0);
        /* Perhaps it was us who watched somebody whose hook is not on the bell. */
#ifndef M_WATCH_NOT_PASSED_ON
        if :: gone -> STEP( wake_one(BELL); woken = 0 ) :: else fi
#endif
    :: else
    fi;
#endif
    STEP( state[slot] = 0 );
    disarm();
    goto finished;
dying:
    atomic { queued[me] = 0; dead[slot] = 1; asleep[me] = 0; FORGET; i = 0; n = 0; t = 0; seen = 0; gone = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0; want = 0; late = 0; distant = 0 };
    die_in(slot);
finished:
    atomic { FORGET; i = 0; n = 0; t = 0; seen = 0; gone = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0; want = 0; late = 0; distant = 0 }
}

proctype Notifier(byte me; byte slot) {
    byte seen, young, here, present, fallen, away, chosen, i, n, t, had, more = NOTIFIES;
#ifdef WITHOUT_LOCK
    byte joining;
#endif
    bit woken, distant;
#if HANDLES
    byte apart;
#endif
#ifdef REUSE
    byte saw[PROCS], old;

    if :: me == slot :: else -> take_slot(); settle() fi;
#endif
next:
    if :: more == 0 -> goto finished :: else fi;
#ifdef NOTIFY_WITH_LOCK
    TAKE_L;
#endif
#ifndef M_NOTIFIER_LEAVES_NO_TRACE
    STEP( state[slot] = CALLING | MY_GEN );
#endif
#ifndef M_NO_HOOK_IN_NOTIFY
    arm(BELL);
#endif
again:
    STEP( seen = ctl );
#ifdef M_LIMIT_WITHOUT_A_TICKET
    STEP( young = seq; here = NOW_HERE );
#else
    STEP( young = seq; seq++; here = NOW_HERE );         /* a ticket of our own: no two notifies write the same limit */
#endif
    scan();
#if defined(WITHOUT_LOCK) && !defined(M_JOINER_NOT_SENT_BACK)
    STEP( i = 0; t = 0;
          do :: i < WAITERS -> if :: IN(joining, i) && state[i] & JOINING -> state[i] = state[i] | CALLED
                                  :: IN(joining, i) && !(state[i] & JOINING) -> t = 1
                                  :: !IN(joining, i)
                                  fi; i++
             :: else -> break od;
          joining = 0; i = 0;
          if :: t -> t = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; here = 0; goto again :: else fi );
#endif
    atomic {
        /* Grants that nobody is left for are dropped; new ones only for who is there. */
        choose(present, GRANTS(seen), LIMIT(seen));
        had = 0; i = 0;
        do :: i < WAITERS -> had = had + IN(chosen, i); i++ :: else -> break od;
#ifdef M_STALE_GRANTS_KEPT
        had = GRANTS(seen);
#endif
        choose(present, had + MANY, young);
        n = 0; i = 0;
        do :: i < WAITERS -> n = n + IN(chosen, i); i++ :: else -> break od;
#ifdef M_MORE_GRANTS_THAN_WAITERS
        n = had + MANY;
#endif
        i = 0; t = n
    };
    n = t; t = 0;
    if
    :: n <= had -> n = 0
    :: else ->
        STEP( if :: ctl == seen -> had = MIN(OWED(0) + OWED(1) + OWED(2), GRANTS(ctl));
              i = MIN(HERE(0) + HERE(1) + HERE(2), had + MANY) - had;
              may = may + i;
              i = MIN(WAITS(0) + WAITS(1) + WAITS(2), had + MANY);
              if :: i > had -> i = i - had :: else -> i = 0 fi;
              must = must + i; i = 0; if :: MANY >= WAITERS -> all_of = all_of | here :: else fi;
              ctl = CTL(n, young) :: else -> n = 0; goto again fi );
        had = n; n = 0;
        scan();
        atomic { choose(present, had, young) };
        call(0)
    fi;
    STEP( state[slot] = 0 );
    disarm();
#ifdef NOTIFY_WITH_LOCK
    STEP( user_lock = 0 );
#endif
    atomic { more--; FORGET; seen = 0; young = 0; here = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0; had = 0 };
    goto next;
dying:
    atomic { queued[me] = 0; dead[slot] = 1; FORGET; i = 0; n = 0; t = 0; seen = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0; distant = 0; young = 0; here = 0; had = 0; more = 0 };
    die_in(slot);
finished:
    atomic { FORGET; i = 0; n = 0; t = 0; seen = 0; present = 0; fallen = 0; away = 0; NOBODY_APART; chosen = 0; distant = 0; young = 0; here = 0; had = 0; more = 0 }
}

proctype Monitor() {
    byte p, any;
    timeout;
    do
    :: p < PROCS ->
        assert(!(asleep[p] && GRANTS(ctl) > 0 && ticket[SLOT(p)] < LIMIT(ctl)));      /* 1 */
        assert(!(asleep[p] && IN(all_of, p)));                                  /* 6 */
        p++
    :: else -> break
    od;
    p = 0;
    do :: p < PROCS -> any = any + dead[p]; p++ :: else -> break od;
    assert(any || was_late || left >= must)                                 /* 4 */
}
#ifdef M_NO_HOOK_IN_WAIT
#define FIRST_HOOK 0
#else
#define FIRST_HOOK BELL + 1
#endif
#define START(p) if \
                 :: IN(REGISTERED, p) -> ticket[p] = seq; seq++; state[p] = WAITING | READY; hook[p] = FIRST_HOOK \
                 :: else \
                 fi; \
                 if :: SLOT(p) < WAITERS -> run Waiter(p, SLOT(p)) :: else -> run Notifier(p, SLOT(p)) fi
init {
    atomic {
        choose_kills();
        START(0); START(1);
#if PROCS > 2
        START(2);
#endif
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
