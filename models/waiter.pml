/* Waits for a condition variable that are polled: `listened` and the exchange of ctl.  (condvar.pml has the rule of who may leave, and all
 * that wakes sleepers; doorbell.pml how the FIFO keeps its name.  Here it always has one.)
 *
 * object: seq (next ticket), ctl {grants, limit}, listened.  A reader of the FIFO hangs up as in doorbell.pml.
 * Who polls and is not chosen while there are grants has a timer: it looks again by itself.
 *
 * A ticket is drawn in the step that uses it: here nobody begins to wait later, so that all that counts is that no two are the same.
 *
 * CHECKED  1 nobody polls for ever, without a timer, who may leave    2 no more leave than were notified
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PROCS
#define PROCS 4                 /* processes 0 and 1 wait, with tickets 1 and 2; the others notify */
#endif
#ifndef NOTIFIES
#define NOTIFIES 1              /* calls of each notifier */
#endif
#include "sleep.pml"

byte seq = 3, ctl, given, gone;
#define GRANTS(c)   ((c) & 3)
#define LIMIT(c)    ((c) >> 2)
#define CTL(g, l)   ((g) | (l) << 2)
bit  listened;
bit  waits[2] = 1;              /* they have begun */
bit  bell[PROCS], rung[2];      /* the FIFO open for writing; a reader that hangs up when nobody has it so */
bit  polls[2], timer[2];
#define HERE(p, l)   (waits[p] && !dead[p] && p + 1 < (l))
#if PROCS > 3
#define RINGING      (bell[2] || bell[3])
#else
#define RINGING      bell[2]
#endif
#define MIN(a, b)    ((a) < (b) -> (a) : (b))
/* The older one if there is a grant, the younger one if there are two, or the older one is not there. */
#define CHOSEN(p, c) (HERE(p, LIMIT(c)) && GRANTS(c) > (p == 1 && HERE(0, LIMIT(c)) -> 1 : 0))

proctype Waiter(byte me) {
    byte seen; bit again;
renew:
    /* A new reader if this one has hung up. */
    STEP( if :: rung[me] && !RINGING -> rung[me] = 0 :: else fi );
#ifndef M_LISTENED_AFTER_CTL
    STEP( listened = 1 );
#endif
look:
    STEP( seen = ctl; again = CHOSEN(me, seen) );
    if
    :: again ->
        again = 0;
        STEP( if :: ctl == seen -> ctl = CTL(GRANTS(seen) - 1, LIMIT(seen)); waits[me] = 0; gone++; assert(gone <= given) :: else -> seen = 0; goto look fi );      /* 2 */
        goto finished
    :: else
    fi;
    if
    :: GRANTS(seen) > 0 ->
#ifndef M_NO_TIMER
        timer[me] = 1
#endif
    :: else ->
#ifndef M_CTL_NOT_EXCHANGED
        STEP( if :: ctl == seen -> ctl = CTL(0, seq); seq++ :: else -> seen = 0; goto look fi )
#endif
    fi;
#ifdef M_LISTENED_AFTER_CTL
    STEP( listened = 1 );
#endif
    polls[me] = 1;
end_polls:
    /* A timer fires again and again: here, when it makes a difference. */
    if
    KILL
    :: atomic { rung[me] && !RINGING || timer[me] && (ctl != seen || CHOSEN(me, ctl)) -> polls[me] = 0; timer[me] = 0; seen = 0 }
    fi;
    goto renew;
dying:
    atomic { dead[me] = 1; polls[me] = 0; timer[me] = 0 };
finished:
    atomic { seen = 0; again = 0; rung[me] = 0 }
}

proctype Notifier(byte me) {
    byte seen, used, count, left = NOTIFIES;
again:
    if :: left == 0 -> goto finished :: else fi;
#ifdef M_LISTENED_READ_FIRST
    STEP( count = listened );
    if :: count && !bell[me] -> STEP( bell[me] = 1; rung[0] = 1; rung[1] = 1 ) :: else fi;
    if :: count -> STEP( listened = 0 ) :: else fi;
    count = 0;
#endif
    STEP( seen = ctl );
    STEP( used = MIN(GRANTS(seen), HERE(0, LIMIT(seen)) + HERE(1, LIMIT(seen))); count = MIN(used + 1, HERE(0, seq) + HERE(1, seq)) );
    if :: count <= used -> goto told :: else -> used = 0 fi;
#if !defined(M_LISTENED_READ_FIRST) && !defined(M_BELL_AFTER_THE_EXCHANGE)
    STEP( used = listened );
    if
    :: used ->
        used = 0;
        if :: !bell[me] -> STEP( bell[me] = 1; rung[0] = 1; rung[1] = 1 ); atomic { seen = 0; count = 0 }; goto again :: else fi;
        STEP( listened = 0 )
    :: else
    fi;
#endif
    STEP( if :: ctl == seen -> ctl = CTL(count, seq); seq++; given++ :: else -> seen = 0; count = 0; goto again fi );
#ifdef M_BELL_AFTER_THE_EXCHANGE
    STEP( used = listened );
    if :: used -> STEP( bell[me] = 1; rung[0] = 1; rung[1] = 1 ); STEP( listened = 0 ) :: else fi;
#endif
told:
    if :: bell[me] -> STEP( bell[me] = 0 ) :: else fi;
    atomic { seen = 0; used = 0; count = 0; left-- };
    goto again;
dying:
    atomic { dead[me] = 1; seen = 0; used = 0; count = 0; left = 0 };
    atomic { true; bell[me] = 0 };
finished:
    atomic { seen = 0; used = 0; count = 0; left = 0 }
}

proctype Monitor() {
    timeout;
    assert(!(polls[0] && CHOSEN(0, ctl)) && !(polls[1] && CHOSEN(1, ctl)))      /* 1 */
}
init {
    atomic {
        choose_kills();
        run Waiter(0); run Waiter(1); run Notifier(2);
#if PROCS > 3
        run Notifier(3);
#endif
        run Monitor()
    }
}
