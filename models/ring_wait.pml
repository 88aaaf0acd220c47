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
#define PROCS (PUTTERS + GETTERS + ENDERS)
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
#define STATE(c)    ((c) & 7)
#define BY_ME(what) ((what) | me << 3)
#define IS_DEAD(c)  dead[(c) >> 3]
byte cells[CELLS], head, tail;
#define AT_HEAD  cells[head % CELLS]
#define AT_TAIL  cells[tail % CELLS]
#define IS_TAKEN(c) (STATE(c) == TAKING || STATE(c) == SKIPPING)
#define LOST(c)     (IS_TAKEN(cells[c]) && IS_DEAD(cells[c]))
#define HOLDER(c)   (STATE(cells[c]) == TAKING && !IS_DEAD(cells[c]) -> B(LIVE(cells[c] >> 3)) : 0)
#if CELLS > 2
#define ANY_LOST    (LOST(0) || LOST(1) || LOST(2))
#define FIRST_LOST  (LOST(0) -> 0 : (LOST(1) -> 1 : 2))
#define ANY(what)   (STATE(cells[0]) == what || STATE(cells[1]) == what || STATE(cells[2]) == what)
#define HOLDERS     (HOLDER(0) | HOLDER(1) | HOLDER(2))
#elif CELLS == 1
#define ANY_LOST    LOST(0)
#define FIRST_LOST  0
#define ANY(what)   (STATE(cells[0]) == what)
#define HOLDERS     HOLDER(0)
#else
#define ANY_LOST    (LOST(0) || LOST(1))
#define FIRST_LOST  (LOST(0) -> 0 : 1)
#define ANY(what)   (STATE(cells[0]) == what || STATE(cells[1]) == what)
#define HOLDERS     (HOLDER(0) | HOLDER(1))
#endif
/* Somebody living has said that it is about to. */
#define PUT_SAID    (head < tail && STATE(AT_HEAD) == PUTTING && !IS_DEAD(AT_HEAD))
#define TAKE_SAID   (IS_TAKEN(AT_TAIL) && !IS_DEAD(AT_TAIL))

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
              :: head < tail && !PUT_SAID -> mine = head % CELLS; head++; cells[mine] = BY_ME(SKIPPING); look = EMPTY_ONE
              :: head < tail && PUT_SAID -> look = IN_FLIGHT
              :: head == tail -> look = NOTHING;
#ifndef M_HOLDERS_NOT_WATCHED
                  watched = HOLDERS
#endif
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
    :: look == DONE || look == EMPTY_ONE ->
        alert(ROOM);
        STEP( cells[mine] = FREE );
        mine = 0;
        sound(ROOM);
        if
        :: look == EMPTY_ONE -> look = 0; if :: said -> goto wait :: else -> goto try fi
        :: else
        fi;
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
    if :: !said -> watched = 0; goto wait :: else fi;
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

inline try_put() {
    STEP( if
          :: said && words[ROOM] & ENDED -> look = OVER
          :: !(said && words[ROOM] & ENDED) && AT_TAIL == FREE -> mine = tail % CELLS; tail++; cells[mine] = BY_ME(PUTTING); look = DONE
          :: else ->
              if
              :: STATE(AT_TAIL) == SKIPPING && IS_DEAD(AT_TAIL) -> AT_TAIL = FREE; goto try
              :: TAKE_SAID -> look = IN_FLIGHT
              :: (STATE(AT_TAIL) == TAKING || STATE(AT_TAIL) == PUTTING) && IS_DEAD(AT_TAIL) -> look = OF_DEAD
              :: else -> look = NOTHING;
#ifndef M_HOLDERS_NOT_WATCHED
                  watched = (STATE(AT_TAIL) == PUTTING -> B(LIVE(AT_TAIL >> 3)) : 0)
#endif
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
    :: look == OF_DEAD ->
#ifndef M_NOBODY_TOLD_OF_THE_DEAD
        alert(ITEMS);
        sound(ITEMS);
#endif
        look = 0
    :: look == IN_FLIGHT && said -> nap(ROOM, !TAKE_SAID); goto woke_up
    :: else
    fi;
    look = 0;
    if :: !said -> watched = 0; goto wait :: else fi;
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

#if GETTERS > 1
#define A_GETTER_SLEEPS  (asleep[PUTTERS] || asleep[PUTTERS + 1])
#else
#define A_GETTER_SLEEPS  asleep[PUTTERS]
#endif
proctype Monitor() {
    byte p;
    timeout;
    do
    :: p < PUTTERS ->
        assert(!(asleep[p] && (AT_TAIL == FREE || STATE(AT_TAIL) == SKIPPING)) && !naps[p]);                       /* 2 */
        assert(!(asleep[p] && A_GETTER_SLEEPS && STATE(AT_TAIL) == PUTTING && IS_DEAD(AT_TAIL)));                  /* 2 */
        assert(!(asleep[p] && (words[ROOM] | words[ITEMS]) & ENDED));                                              /* 3 */
        p++
    :: p >= PUTTERS && p < PUTTERS + GETTERS ->
        assert(!(asleep[p] && (ANY(FULL) || ANY(TAKING))) && !naps[p]);                                            /* 1 */
        assert(!(asleep[p] && (words[ITEMS] & ENDED || refused)));                                                 /* 3 */
        p++
    :: else -> break
    od
}
#define START(p)  if :: p < PUTTERS -> run Putter(p) :: else -> run Getter(p) fi
init {
    atomic {
        choose_kills();
        START(0); START(1);
#if PUTTERS + GETTERS > 2
        START(2);
#endif
#if PUTTERS + GETTERS > 3
        START(3);
#endif
#if ENDERS
        run Ender(PUTTERS + GETTERS);
#endif
        run Monitor()
    }
}
