/* Waiting at a ring: for records, and for room.  (mpmc.pml has the ring; sleep.pml says what a step is and how a death goes.)
 *
 * A ring has two sides, one word each: getters sleep on ITEMS, putters on ROOM.  Low half {WAITERS, 31 zero bits}, which the hook may
 * point at; high half {how often it was told, COME, ENDED}.
 *   Who changes the ring SAYS so (its claim), LOOKS at the word of the other side, and PUBLISHES.  If it finds WAITERS, it points its
 *   hook there and counts, which takes COME away; then it publishes, wakes one, and if there was none it takes WAITERS away, by comparing.
 *   Who is about to sleep has its hook on its own word, sets WAITERS and COME, looks at the ring, and sleeps while both halves stand.
 *   If somebody living has said something, it only naps.  If others have a record in the hand, it watches them.
 *   Who has slept and goes wakes one more if there is, or may be, something for it, or if it has got nothing.
 *   Who ends the ring ends ROOM and then ITEMS.  Who puts and finds ROOM ended does the other, too.
 *
 * IN PLACE  A claimer and a peeker never wait.  What they have claimed they have OPEN, for as long as they like: who waits for it does not nap,
 *   but watches them.  To finish it they say so first: it is not OPEN any more.  Or they give it up.
 *
 * THE RING is a few cells here; a claim is one step, and so is the recovery of what a dead one had claimed.
 *
 * CHECKED  1 no getter sleeps while there is a record, be it one that a dead getter had in the hand
 *          2 no putter sleeps while there is room, and none naps for ever
 *          3 nobody sleeps at a side that is ended, no putter when ITEMS is, and no getter when a putter has been refused
 *          4 "ended" is the answer when all that was ever put has been taken
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PUTTERS
#define PUTTERS 2               /* processes 0.. put, the next ones get, the last one may end it */
#endif
#ifndef GETTERS
#define GETTERS 2
#endif
#ifndef ENDERS
#define ENDERS 0
#endif
#ifndef CLAIMERS
#define CLAIMERS 0              /* then come those that put in place, and those that get in place, once each */
#endif
#ifndef PEEKERS
#define PEEKERS 0
#endif
#define WAITING (PUTTERS + GETTERS)
#define HOLDING (WAITING + CLAIMERS + PEEKERS)
#define PROCS (HOLDING + ENDERS)
#ifndef PUTS
#define PUTS 1                  /* of each putter */
#endif
#ifndef GETS
#define GETS 1                  /* of each getter */
#endif
#ifndef CELLS
#define CELLS 2
#endif
#include "sleep.pml"

#define ITEMS    0
#define ROOM     1
#define WAITERS  1
#define COME     2              /* somebody has come to wait since it was last told */
#define ENDED    4
#define TELL     8
byte words[2];
#define LOW(w)   ((w) & WAITERS)
#ifdef M_NO_COUNT
#define COUNTED(w)  ((w) & ~WAITERS)
#else
#define COUNTED(w)  (((w) & ~COME) + TELL)
#endif
#ifdef M_WHO_COMES_LEAVES_NO_MARK
#define MARKED(w)   ((w) | WAITERS)
#else
#define MARKED(w)   ((w) | WAITERS | COME)
#endif

#define FREE     0
#define FULL     1
#define SKIP     2              /* claimed, and then not wanted */
#define PUTTING  3
#define TAKING   4
#define SKIPPING 5
#define OPEN     64
#define NOBODY   7              /* who had it gave it up */
#define STATE(c)    ((c) & 7)
#define BY_ME(what) ((what) | me << 3)
#define BY(c)       ((c) >> 3 & 7)
#define IS_DEAD(c)  (BY(c) == NOBODY -> 1 : dead[BY(c)])
#define IS_OPEN(c)  ((c) & OPEN && !IS_DEAD(c))
#define AT_WORK(c)  (!((c) & OPEN) && !IS_DEAD(c))
byte cells[CELLS], head, tail;
#define AT_HEAD  cells[head % CELLS]
#define AT_TAIL  cells[tail % CELLS]
#define IS_TAKEN(c) (STATE(c) == TAKING || STATE(c) == SKIPPING)
#define LOST(c)     (IS_TAKEN(cells[c]) && IS_DEAD(cells[c]))
#ifdef M_ONLY_WHAT_IS_OPEN_IS_WATCHED
#define HOLDS(c)    (IS_OPEN(c) || STATE(c) == TAKING && AT_WORK(c) && BY(c) < WAITING)
#else
#define HOLDS(c)    (IS_OPEN(c) || STATE(c) == TAKING && AT_WORK(c))
#endif
#define HOLDER(c)   (HOLDS(cells[c]) -> B(LIVE(BY(cells[c]))) : 0)
#define RESERVER(c) (IS_OPEN(cells[c]) -> B(LIVE(BY(cells[c]))) : 0)
#if CELLS > 2
#define ANY_LOST    (LOST(0) || LOST(1) || LOST(2))
#define FIRST_LOST  (LOST(0) -> 0 : (LOST(1) -> 1 : 2))
#define ANY(what)   (STATE(cells[0]) == what || STATE(cells[1]) == what || STATE(cells[2]) == what)
#define HOLDERS     (HOLDER(0) | HOLDER(1) | HOLDER(2))
#define RESERVERS   (RESERVER(0) | RESERVER(1) | RESERVER(2))
#define HELD_BY_NOBODY  (HELD_BY_N(0) || HELD_BY_N(1) || HELD_BY_N(2))
#elif CELLS == 1
#define ANY_LOST    LOST(0)
#define FIRST_LOST  0
#define ANY(what)   (STATE(cells[0]) == what)
#define HOLDERS     HOLDER(0)
#define RESERVERS   RESERVER(0)
#define HELD_BY_NOBODY  HELD_BY_N(0)
#else
#define ANY_LOST    (LOST(0) || LOST(1))
#define FIRST_LOST  (LOST(0) -> 0 : 1)
#define ANY(what)   (STATE(cells[0]) == what || STATE(cells[1]) == what)
#define HOLDERS     (HOLDER(0) | HOLDER(1))
#define RESERVERS   (RESERVER(0) | RESERVER(1))
#define HELD_BY_NOBODY  (HELD_BY_N(0) || HELD_BY_N(1))
#endif
#define HELD_BY_N(c)  (STATE(cells[c]) == TAKING && !IS_OPEN(cells[c]))
/* Somebody living has said that it is about to; or has it in its hands for as long as it likes. */
#ifdef M_WHAT_IS_OPEN_IS_AT_WORK
#define PUT_SAID    (head < tail && STATE(AT_HEAD) == PUTTING && !IS_DEAD(AT_HEAD))
#else
#define PUT_SAID    (head < tail && STATE(AT_HEAD) == PUTTING && AT_WORK(AT_HEAD))
#endif
#define PUT_OPEN    (head < tail && STATE(AT_HEAD) == PUTTING && IS_OPEN(AT_HEAD))
#define TAKE_SAID   (IS_TAKEN(AT_TAIL) && AT_WORK(AT_TAIL))
/* It is full, and the front is about to be filled. */
#define FRONT_SAID  (STATE(AT_TAIL) == PUTTING && AT_WORK(AT_TAIL))
#ifdef M_THE_FRONT_IS_NOT_LOOKED_AT
#define ROOM_SAID   TAKE_SAID
#else
#define ROOM_SAID   (TAKE_SAID || FRONT_SAID)
#endif

bit asleep[PROCS], naps[PROCS];         /* for the monitor */
bit over, refused;                      /* a getter, a putter that waits has been told that it is ended */

/* What a look has shown. */
#define NOTHING   0
#define DONE      1
#define IN_FLIGHT 2
#define EMPTY_ONE 3             /* a cell without a record */
#define OF_DEAD   4             /* it is full of what the dead had */
#define OVER      5

/* --- telling a side ------------------------------------------------------------------------------------------- */

inline count(s) {
    STEP( if :: words[s] & WAITERS -> words[s] = COUNTED(words[s]); told = words[s] :: else -> told = 0 fi )
}
/* Between saying and publishing.  The hook may be on another word, whose sleepers are not to be left without one. */
inline alert(s) {
    STEP( told = words[s] & WAITERS );
    if
    :: told ->
#ifndef M_LENDS_WITHOUT_WAKE
        if :: hook[me] -> STEP( wake_one(hook[me] - 1); woken = 0 ) :: else fi;
#endif
        lent = hook[me];
#ifndef M_HOOK_AFTER_THE_PUBLICATION
        arm(s);
#endif
#ifndef M_COUNTED_AFTER_THE_PUBLICATION
        count(s)
#endif
    :: else
    fi
}
/* After the publication. */
inline sound(s) {
    if
    :: lent || hook[me] == s + 1 || told ->
#ifdef M_HOOK_AFTER_THE_PUBLICATION
        arm(s);
#endif
#ifdef M_COUNTED_AFTER_THE_PUBLICATION
        count(s);
#endif
        if
        :: told ->
            STEP( wake_one(s) );
#ifdef M_NO_COUNT
            if :: woken -> woken = 0; STEP( words[s] = words[s] | WAITERS ) :: else fi;
#else
            if
            :: !woken ->
#ifdef M_CLEARED_WITHOUT_COMPARING
                STEP( words[s] = words[s] & ~WAITERS )
#else
                STEP( if :: words[s] == told -> words[s] = told & ~WAITERS :: else fi )
#endif
            :: else -> woken = 0
            fi;
#endif
        :: else
        fi;
        STEP( hook[me] = lent );
        atomic { told = 0; lent = 0 }
    :: else
    fi
}
/* Has one look again who sleeps there, for what nobody has said. */
inline nudge(s) {
    STEP( if :: words[s] & WAITERS -> words[s] = COUNTED(words[s]); told = 1 :: else fi );
    if :: told -> told = 0; STEP( wake_one(s); woken = 0 ) :: else fi
}
inline step_over() {
    STEP( cells[mine] = FREE );
    mine = 0;
    nudge(ROOM)
}
inline end(s) {
    lent = hook[me];
    arm(s);
    STEP( words[s] = COUNTED(words[s]) | ENDED );
#ifdef M_END_WAKES_ONE
    STEP( wake_one(s); woken = 0 );
#else
    STEP( wake_all(s) );
#endif
    STEP( hook[me] = lent );
    lent = 0
}

/* --- sleeping at a side ---------------------------------------------------------------------------------------- */

inline say_waiting(s) {
    if
    :: !said ->
#ifndef M_NO_HOOK_IN_WAIT
        arm(s);
#endif
        said = 1
    :: else
    fi;
    STEP( words[s] = MARKED(words[s]); seen = words[s] )
}

#define DEAD_IN(mask)  ((mask) & B(LIVE(0)) && dead[0] || (mask) & B(LIVE(1)) && dead[1] || (mask) & B(LIVE(2)) && dead[2] || IN_4TH(mask))
#if PROCS > 3
#define IN_4TH(mask)   ((mask) & B(LIVE(3)) && dead[3])
#else
#define IN_4TH(mask)   false
#endif
#define FIRST_DEAD(mask) ((mask) & B(LIVE(0)) && dead[0] -> 0 : ((mask) & B(LIVE(1)) && dead[1] -> 1 : ((mask) & B(LIVE(2)) && dead[2] -> 2 : 3)))

/* The kernel queues it on the low half, then compares the high one, then those who are watched. */
inline go_to_sleep(s) {
    atomic { want = B(s) | watched; slept = 1 };
    KERNEL( if :: LOW(words[s]) == LOW(seen) -> queued[me] = B(s) :: else -> goto woke_up fi );
#ifndef M_COUNT_NOT_COMPARED
    KERNEL( if :: words[s] == seen :: else -> queued[me] = 0; goto woke_up fi );
#endif
    if
    :: watched -> KERNEL( if :: DEAD_IN(watched) -> queued[me] = 0; goto woke_up :: else -> queued[me] = queued[me] | watched fi )
    :: else
    fi;
    asleep[me] = 1
}
/* What somebody has said is done, or will never be. */
inline nap(s, ended) {
    atomic { look = 0; want = B(s); slept = 1 };
    KERNEL( if :: LOW(words[s]) == LOW(seen) -> queued[me] = B(s) :: else -> goto woke_up fi );
    naps[me] = 1;
end_nap:
    if
    KILL
    :: atomic { ended || queued[me] != want -> queued[me] = 0 }
    fi
}
/* The kernel has woken one of those who watched; it was us, or not. */
inline pass_on() {
    atomic { asleep[me] = 0; naps[me] = 0; want = 0; seen = 0 };
#ifndef M_DEATH_NOT_PASSED_ON
    do
    :: DEAD_IN(watched) -> STEP( wake_all(LIVE(FIRST_DEAD(watched))); watched = watched & ~B(LIVE(FIRST_DEAD(watched))) )
    :: else -> break
    od;
#endif
    watched = 0
}
inline go(s) {
    if
    :: slept ->
#ifndef M_WHO_GOES_WAKES_NOBODY
        if :: more -> STEP( wake_one(s); woken = 0 ) :: else fi
#endif
    :: else
    fi;
    more = 0;
    if :: hook[me] -> disarm() :: else fi
}
#ifdef M_END_NOT_PASSED_ON
#define IS_ENDED(s)  false
#else
#define IS_ENDED(s)  (words[s] & ENDED)
#endif
#ifdef M_COUNT_IN_THE_HOOKED_HALF
/* The kernel does nothing for a word whose low 30 bits are not zero. */
#define UNHOOK  if :: hook[me] && words[hook[me] - 1] >= TELL -> hook[me] = 0 :: else fi
#else
#define UNHOOK  skip
#endif
#define LOCALS  byte look, mine, seen, told, lent; bit woken, late, slept, said, more; short want, watched
#define FORGET  look = 0; mine = 0; seen = 0; told = 0; lent = 0; woken = 0; late = 0; slept = 0; said = 0; more = 0; want = 0; watched = 0

/* --- getting --------------------------------------------------------------------------------------------------- */

#ifdef M_ENDED_READ_AFTER_THE_LOOK
#define FIRST  false
#define LAST   ENDERS
#else
#define FIRST  ENDERS
#define LAST   false
#endif
inline try_get() {
    if :: FIRST -> STEP( more = (words[ITEMS] & ENDED -> 1 : 0) ) :: else fi;
    STEP( if
          :: head < tail && AT_HEAD == FULL -> mine = head % CELLS; head++; cells[mine] = BY_ME(TAKING); look = DONE
          :: !(head < tail && AT_HEAD == FULL) && ANY_LOST ->
              mine = FIRST_LOST;
              look = (STATE(cells[mine]) == TAKING -> DONE : EMPTY_ONE);
              cells[mine] = BY_ME(STATE(cells[mine]))
          :: else ->
              if
              :: head < tail && !PUT_SAID && !PUT_OPEN ->
                  mine = head % CELLS; head++; cells[mine] = BY_ME(SKIPPING); look = EMPTY_ONE
              :: PUT_SAID -> look = IN_FLIGHT
              :: head == tail || PUT_OPEN && !PUT_SAID -> look = NOTHING
              fi
          fi );
    if :: LAST -> STEP( more = (words[ITEMS] & ENDED -> 1 : 0) ) :: else fi;
    if
    :: atomic { look == NOTHING && more -> look = OVER; over = 1; assert(!ANY(FULL)) }                             /* 4 */
    :: else
    fi;
    more = 0
}

proctype Getter(byte me) {
    byte left = GETS;
    LOCALS;
again:
    if :: left == 0 -> goto finished :: else fi;
try:
    try_get();
    if
    :: look == EMPTY_ONE -> step_over(); look = 0; if :: said -> goto wait :: else -> goto try fi
    :: look == DONE ->
        alert(ROOM);
        STEP( cells[mine] = FREE );
        mine = 0;
        sound(ROOM);
#ifdef M_HOLDERS_LEFT_UNWATCHED
        STEP( more = (head < tail || ANY_LOST || IS_ENDED(ITEMS)) );
#else
        STEP( more = (head < tail || ANY(TAKING) || IS_ENDED(ITEMS)) );
#endif
        go(ITEMS);
        atomic { left--; FORGET };
        goto again
    :: look == OVER || look == NOTHING && late ->
        more = 1;
        go(ITEMS);
        goto finished
#ifndef M_WHAT_IS_SAID_IS_NOTHING
    :: look == IN_FLIGHT && said -> nap(ITEMS, !PUT_SAID); goto woke_up
#endif
    :: else
    fi;
    look = 0;
#ifdef M_COMES_AFTER_THE_LOOK
    say_waiting(ITEMS);
#else
    if :: !said -> goto wait :: else fi;
#endif
#ifndef M_HOLDERS_NOT_WATCHED
    STEP( watched = HOLDERS );
#endif
    /* Who died before that is not among them. */
#ifndef M_NOT_LOOKED_AGAIN
    STEP( if :: ANY_LOST || head < tail && !PUT_OPEN -> goto woke_up :: else fi );
#endif
    go_to_sleep(ITEMS);
end_asleep:
    ASLEEP(late);
woke_up:
    pass_on();
wait:
#ifndef M_COMES_AFTER_THE_LOOK
    say_waiting(ITEMS);
#endif
    goto try;
dying:
    atomic { queued[me] = 0; dead[me] = 1; asleep[me] = 0; naps[me] = 0; left = 0; FORGET; UNHOOK };
    die();
finished:
    atomic { left = 0; FORGET }
}

/* --- putting --------------------------------------------------------------------------------------------------- */

#define FULL_OF_THE_DEAD  (STATE(AT_TAIL) == TAKING && IS_DEAD(AT_TAIL))
/* The front of a full ring is for whoever comes by, and what has been stepped over by a dead one. */
#ifdef M_ONLY_GETTERS_STEP_OVER
#define FRONT_IS_NOBODYS  false
#else
#define FRONT_IS_NOBODYS  (AT_TAIL == SKIP || STATE(AT_TAIL) == PUTTING && IS_DEAD(AT_TAIL))
#endif
#define LEFT_TO_FREE      (STATE(AT_TAIL) == SKIPPING && IS_DEAD(AT_TAIL))
inline try_put() {
    STEP( if
          :: said && words[ROOM] & ENDED -> look = OVER
          :: !(said && words[ROOM] & ENDED) && AT_TAIL == FREE -> mine = tail % CELLS; tail++; cells[mine] = BY_ME(PUTTING); look = DONE
          :: else ->
              if
              :: LEFT_TO_FREE -> AT_TAIL = FREE; goto try
              :: FRONT_IS_NOBODYS -> mine = tail % CELLS; head++; cells[mine] = BY_ME(SKIPPING); look = EMPTY_ONE
              :: ROOM_SAID -> look = IN_FLIGHT
              :: FULL_OF_THE_DEAD -> look = OF_DEAD
              :: else -> look = NOTHING
              fi
          fi )
}

proctype Putter(byte me) {
    byte left = PUTS;
    LOCALS;
again:
    if :: left == 0 -> goto finished :: else fi;
try:
    try_put();
    if
    :: look == DONE ->
        look = 0;
        alert(ITEMS);
#ifdef M_WAKE_BEFORE_THE_PUBLICATION
        sound(ITEMS);
#endif
        /* Ended when it looked at the word: then it is not put. */
#if ENDERS
        STEP( more = (words[ITEMS] & ENDED -> 1 : 0) );
#endif
        STEP( if
              :: more -> cells[mine] = SKIP
              :: else -> cells[mine] = FULL; assert(!over)                                                         /* 4 */
              fi );
        atomic { mine = 0; more = 0 };
#ifndef M_WAKE_BEFORE_THE_PUBLICATION
        sound(ITEMS);
#endif
        STEP( more = (AT_TAIL == FREE || TAKE_SAID || IS_ENDED(ROOM)) );
        go(ROOM);
        atomic { left--; FORGET };
        goto again
    :: look == OVER || look == NOTHING && late ->
        if
        :: look == OVER ->
#ifndef M_ITEMS_LEFT_TO_WHO_DIED
            STEP( more = (words[ITEMS] & ENDED -> 1 : 0) );
            if :: !more -> end(ITEMS) :: else fi
#endif
        :: else
        fi;
        more = 1;
        go(ROOM);
#if ENDERS
        atomic { true; if :: look == OVER -> refused = 1 :: else fi };
#endif
        goto finished
    :: look == EMPTY_ONE -> step_over(); look = 0; if :: said -> goto wait :: else -> goto try fi
    :: look == OF_DEAD ->
#ifndef M_NOBODY_TOLD_OF_THE_DEAD
        nudge(ITEMS);
#endif
        look = 0
    :: look == IN_FLIGHT && said -> nap(ROOM, !ROOM_SAID); goto woke_up
    :: else
    fi;
    look = 0;
    if :: !said -> goto wait :: else fi;
#ifndef M_HOLDERS_NOT_WATCHED
    STEP( watched = RESERVERS );
#endif
#ifndef M_NOT_LOOKED_AGAIN
    STEP( if
          :: AT_TAIL == FREE || ROOM_SAID || FRONT_IS_NOBODYS || LEFT_TO_FREE -> goto woke_up
          :: else -> more = FULL_OF_THE_DEAD
          fi );
#ifndef M_NOBODY_TOLD_OF_THE_DEAD
    if :: more -> nudge(ITEMS) :: else fi;
#endif
    more = 0;
#endif
    go_to_sleep(ROOM);
end_asleep:
    ASLEEP(late);
woke_up:
    pass_on();
wait:
    say_waiting(ROOM);
    goto try;
dying:
    atomic { queued[me] = 0; dead[me] = 1; asleep[me] = 0; naps[me] = 0; left = 0; FORGET; UNHOOK };
    die();
finished:
    atomic { left = 0; FORGET }
}

#include "ring_place.pml"

/* --- the end --------------------------------------------------------------------------------------------------- */

#if ENDERS
proctype Ender(byte me) {
    byte lent; bit woken;
#ifdef M_ITEMS_END_FIRST
    end(ITEMS);
    end(ROOM);
#else
    end(ROOM);
    end(ITEMS);
#endif
    goto finished;
dying:
    atomic { dead[me] = 1; lent = 0 };
    die();
finished:
    lent = 0
}
#endif

proctype Monitor() {
    byte p;
    timeout;
    do
    :: p < PUTTERS ->
        assert(!(asleep[p] && (AT_TAIL == FREE || AT_TAIL == SKIP || STATE(AT_TAIL) == SKIPPING)) && !naps[p]);    /* 2 */
        assert(!(asleep[p] && STATE(AT_TAIL) == PUTTING && IS_DEAD(AT_TAIL)));                                     /* 2 */
        assert(!(asleep[p] && (words[ROOM] | words[ITEMS]) & ENDED));                                              /* 3 */
        p++
    :: p >= PUTTERS && p < WAITING ->
        assert(!(asleep[p] && (ANY(FULL) && !PUT_OPEN || HELD_BY_NOBODY)) && !naps[p]);                            /* 1 */
        assert(!(asleep[p] && (words[ITEMS] & ENDED || refused)));                                                 /* 3 */
        p++
    :: else -> break
    od
}
#if CLAIMERS
#define START_C(p)  :: p >= WAITING && p < WAITING + CLAIMERS -> run Claimer(p)
#else
#define START_C(p)
#endif
#if PEEKERS
#define START_P(p)  :: p >= WAITING + CLAIMERS && p < HOLDING -> run Peeker(p)
#else
#define START_P(p)
#endif
#define START(p)  if :: p < PUTTERS -> run Putter(p) :: p >= PUTTERS && p < WAITING -> run Getter(p) START_C(p) START_P(p) fi
init {
    atomic {
        choose_kills();
        START(0); START(1);
#if HOLDING > 2
        START(2);
#endif
#if HOLDING > 3
        START(3);
#endif
#if ENDERS
        run Ender(HOLDING);
#endif
        run Monitor()
    }
}
