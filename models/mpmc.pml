/* The ring of records with many producers and consumers: announce before claim.  (sleep.pml says what a step is; here nobody sleeps.)
 *
 * slot of position t (CELLS of them)     FREE(t)   its producer may claim it when tail == t
 *                                        FULL(t)   published; AGAIN: claimed by a consumer that died, and then by others
 *                                        TOMB(t)   its producer died
 * A claim is an exchange of tail or head from t to t + 1.  Before it, the claim is announced in the claimant's own word, and it stays
 * there.  No slot names an owner: who finds a slot claimed and not finished looks at the words of all, and if nobody living has
 * announced it, it makes a tombstone of it, or takes the record.
 *
 * IN PLACE  A process of the mask IN_PLACE announces in a reservation {owner, claim} of the ring: taken by an exchange of owner from 0 to
 * its name, or from somebody dead, who may have left something, which it suspects first.  What it has claimed it has OPEN until it
 * finishes it, or gives it up.  KEEPS: it goes on with another one meanwhile.
 *
 * CHECKED  1 no record is got twice    2 what was published is got    3 when all is over, one that is alone gets everything without
 *            waiting for anybody, and finds the whole capacity
 * SCENARIOS and MUTANTS (M_...: each leaves out one rule, where its name stands) are set by -D; `run` lists them.
 */
#ifndef PRODUCERS
#define PRODUCERS 1             /* processes 0.. push, the next ones pop, the last one looks in the end */
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifndef PUSHES
#define PUSHES 1                /* tries of each producer, each with another record */
#endif
#ifndef POPS
#define POPS 1                  /* tries of each consumer */
#endif
/* SWEEPS: who finds the ring empty suspects that there are orphans; so does the auditor.  Or instead
 * HINTS: who finds nothing looks for claims of the dead that it has not looked for yet.  The last consumer comes when process NEXT_OF is
 * dead, and gets its slot in the roster: it turns the claim into LEFT, suspects, and takes it away.  SUSPICION: for nothing, once. */
#ifndef NEXT_OF
#define NEXT_OF 99
#endif
#ifndef CELLS
#define CELLS 2
#endif
#ifndef ENTRIES
#define ENTRIES 0               /* reservations */
#endif
#ifndef IN_PLACE
#define IN_PLACE 0              /* masks of processes: who has such places, */
#endif
#ifndef GIVES_UP
#define GIVES_UP 0              /* and may give them up, */
#endif
#ifndef KEEPS
#define KEEPS 0                 /* and finishes the first one last, or first */
#endif
#define AUDITOR (PRODUCERS + CONSUMERS)
#define PROCS   (AUDITOR + 1)
#ifndef VICTIMS
#define VICTIMS (B(AUDITOR) - 1)
#endif
#include "sleep.pml"

#define PLAIN    0
#define TOMBED   1
#define AGAIN    2              /* and one more each time */
#define SLOT(pos, kind)  ((pos) << 3 | (kind))
#define FREE(t)  SLOT(t, PLAIN)
#define FULL(t)  SLOT((t) + 1, PLAIN)
#define TOMB(t)  SLOT(t, TOMBED)
#define POS(w)   ((w) >> 3)
#define KIND(w)  ((w) & 7)
#define IS_FULL(w, t)  (POS(w) == (t) + 1 && KIND(w) != TOMBED)
#define AT(t)    slots[(t) % CELLS]
byte slots[CELLS], records[CELLS], head, tail;
byte suspected, looked;         /* a hint: if they differ, there may be a record of a dead consumer */

#define PUSH(t)  (64 | (t))
#define POP(t)   (128 | (t))
#define LEFT     192            /* the dead owner of the slot before may have left something */
byte claims[PROCS + ENTRIES];   /* per slot of the roster, as is `dead`, and of reservations */
bit  gone[PROCS];               /* the member has ended: after its threads */
bit  used_again;                /* slot NEXT_OF has its next owner: a new generation */
#define KNOWN_AS(s)  B((s) == NEXT_OF && used_again -> PROCS : (s))
#ifdef M_LEFT_OF_THE_DEAD_NOT_LOOKED_FOR
#define IS_TO_BE_LOOKED_FOR(c)  ((c) >= 128 && (c) != LEFT)
#else
#define IS_TO_BE_LOOKED_FOR(c)  ((c) >= 128)
#endif

short put, got;                 /* seen by the checks only: masks of records */
byte ended;

/* Who is alone gets on. */
#define ROUND    if :: atomic { me == AUDITOR -> rounds++; assert(rounds < 30) } :: me != AUDITOR fi                 /* 3 */

/* That is when it has been got. */
inline get_it(t) {
    STEP( AT(t) = FREE(t + CELLS); assert(x == 0 || !(got & B(x))); got = got | B(x) )                               /* 1 */
}
#define SUSPECT  STEP( suspected++ )
#define NO   0
#define YES  1
#define BUSY 2
#include "reserved.pml"

/* Whether somebody else who lives has announced this. */
inline look_for(claim) {
    i = 0; found = 0;
    do
    :: i < PROCS && i != slot ->
        STEP( found = (claims[i] == claim) );
        if :: found -> STEP( found = !dead[i] ) :: else fi;
#ifdef HINTS
        if :: found -> STEP( found = (claims[i] == claim) ) :: else fi;
#endif
        if :: found -> break :: else fi;
        i++
    :: i == slot -> i++
    :: i == PROCS -> break
    od;
#if ENTRIES
    if :: !found -> i = 0; look_for_reserved(claim) :: else fi;
#endif
    i = 0
}
#ifdef M_NO_ANNOUNCEMENT
inline announce(claim) { skip }
#else
inline announce(claim) {
    STEP( claims[at] = claim );
#ifdef M_OPEN_BEFORE_THE_CLAIM
    if :: at != slot -> STEP( owner[at - PROCS] = MINE | OPEN ) :: else fi;
#endif
}
#endif
#ifdef M_LOSER_KEEPS_ITS_CLAIM
inline forget() { skip }
#else
inline forget() { STEP( claims[at] = 0 ) }
#endif
inline claim_at(counter, t, claim) {
#ifndef M_ANNOUNCED_AFTER_THE_CLAIM
    announce(claim);
#endif
    STEP( if :: counter == t -> counter++; won = 1 :: else -> t = counter fi );
#ifdef M_ANNOUNCED_AFTER_THE_CLAIM
    if :: won -> announce(claim) :: else fi;
#endif
}

inline push_here(v) {
    STEP( t = tail );
    do
    :: ROUND;
       STEP( w = AT(t) );
       if
       :: w == FREE(t) ->
           claim_at(tail, t, PUSH(t));
           if
           :: won ->
               won = 0;
#if ENTRIES
               if
               :: at != slot ->
                   STEP( records[t % CELLS] = v );
                   have_open(t);
                   if :: at != slot -> commit(t) :: else fi;
                   answer = YES;
                   break
               :: else
               fi;
#endif
               STEP( records[t % CELLS] = v );
#ifdef M_CLAIM_CLEARED_BEFORE_THE_PUBLICATION
               STEP( claims[slot] = 0 );
#endif
               STEP( AT(t) = FULL(t); put = put | B(v) );
               answer = YES;
               break
           :: else
           fi
       :: POS(w) < t ->
           STEP( x = tail );
           if
           :: x != t -> t = x
           :: else ->
               forget();
               STEP( x = head );
               if
               :: x + CELLS > t ->
                   look_for(POP(t - CELLS));
                   if
                   :: !found && w == TOMB(t - CELLS) -> STEP( if :: AT(t) == w -> AT(t) = FREE(t) :: else fi )
                   :: !found && IS_FULL(w, t - CELLS) -> SUSPECT; answer = NO; break
                   :: else -> answer = NO; break
                   fi
               :: else -> answer = NO; break
               fi
           fi
       :: else -> STEP( t = tail )
       fi
    od;
    atomic { t = 0; w = 0; x = 0; found = 0; is_open = 0 }
}
inline push(v) {
    answer = NO;
#if ENTRIES
    if :: IN(IN_PLACE, me) -> take_reservation() :: else fi;
    if
    :: IN(IN_PLACE, me) && at == slot                   /* all are in use */
    :: else -> push_here(v); if :: at != slot -> give_back() :: else fi
    fi
#else
    push_here(v)
#endif
}

/* Reads the record, and frees the slot: that is when it has been got. */
inline take(t) {
#if ENTRIES
    if
    :: at != slot -> have_open(t); if :: at != slot -> advance(t) :: else fi
    :: else ->
#endif
    STEP( x = records[t % CELLS] );
#ifdef M_CLAIM_CLEARED_BEFORE_THE_PUBLICATION
    STEP( claims[slot] = 0 );
#endif
    get_it(t);
#if ENTRIES
    fi;
#endif
    answer = YES
}

/* The dead with a claim to empty something, in `news`. */
inline each_dead() {
    i = 0; news = 0;
    do
    :: i < PROCS -> STEP( if :: dead[i] && IS_TO_BE_LOOKED_FOR(claims[i]) -> news = news | KNOWN_AS(i) :: else fi ); i++
    :: else -> break
    od;
    each_dead_reserved();
    i = 0
}
#ifdef M_CLAIMS_OF_THE_DEAD_TAKEN_AWAY
inline take_claims_away() {
    i = 0;
    do
    :: i < PROCS ->
        STEP( x = (dead[i] && claims[i] >= 128 && claims[i] != LEFT -> claims[i] : 0) );
        if :: x -> STEP( if :: claims[i] == x -> claims[i] = 0 :: else fi ) :: else fi;
        i++
    :: else -> break
    od;
    atomic { i = 0; x = 0 }
}
#else
inline take_claims_away() { skip }
#endif
inline look_for_dead() {
    each_dead();
    if :: news & ~known -> SUSPECT :: else fi;
    news = 0
}

/* The slots behind the head. */
inline take_orphan() {
    STEP( asked = suspected );
#ifdef M_SUSPICION_CLEARED_BEFORE_THE_LOOK
    STEP( looked = asked );
#endif
#ifdef HINTS
    each_dead();
#endif
    STEP( h = head );
    t = (h > CELLS -> h - CELLS : 0);
    do
    :: t < h ->
       STEP( w = AT(t) );
       if
       :: w == TOMB(t) || IS_FULL(w, t) ->
#ifdef M_ORPHAN_OF_THE_LIVING
           found = 0;
#else
           look_for(POP(t));
#endif
#ifdef M_WHO_COMES_TOO_LATE_HAS_IT
           skip;
#else
           some = some | (found && !is_open);
#endif
           is_open = 0;
           if
           :: !found && w == TOMB(t) -> STEP( if :: AT(t) == w -> AT(t) = FREE(t + CELLS) :: else fi )
           :: !found && w != TOMB(t) ->
               announce(POP(t));
#ifdef M_ORPHAN_TAKEN_WITHOUT_COMPARING
               won = 1;
#else
               STEP( if :: AT(t) == w -> AT(t) = SLOT(t + 1, (KIND(w) == PLAIN -> AGAIN : KIND(w) + 1)); won = 1 :: else fi );
#endif
               if :: won -> won = 0; take(t); break :: else fi
           :: else
           fi
       :: else
       fi;
       t++
    :: else -> break
    od;
    if
    :: answer != YES ->
        forget();
        if
        :: !some ->
            known = known | news;
            take_claims_away();
            clear_reservations();
            STEP( if :: looked < asked -> looked = asked :: else fi )
        :: else
        fi
    :: else
#ifdef M_SUSPICION_CLEARED_BEFORE_THE_LOOK
        -> SUSPECT
#endif
    fi;
    atomic { t = 0; h = 0; w = 0; x = 0; found = 0; some = 0; news = 0; asked = 0 }
}

inline pop_here() {
    STEP( found = (suspected != looked) );
    if :: found -> found = 0; take_orphan() :: else fi;
    if
    :: answer == NO ->
        STEP( h = head );
        do
        :: ROUND;
           STEP( w = AT(h) );
           if
           :: w == FULL(h) ->
               claim_at(head, h, POP(h));
               if :: won -> won = 0; take(h); break :: else fi
           :: w == TOMB(h) ->
               claim_at(head, h, POP(h));
               if :: won -> won = 0; STEP( AT(h) = FREE(h + CELLS) ); STEP( h = head ) :: else fi
           :: w == FREE(h) ->
               forget();
               STEP( t = tail );
               STEP( x = head );
               if
               :: x != h -> h = x
               :: x == h && t == h ->
#ifdef SWEEPS
                   SUSPECT;
#endif
                   break
               :: else ->
#ifdef M_TOMBSTONE_FOR_THE_LIVING
                   found = 0;
#else
                   look_for(PUSH(h));
#endif
                   if
                   :: found -> answer = BUSY; break
                   :: else ->
#ifdef M_TOMBSTONE_WITHOUT_COMPARING
                       STEP( AT(h) = TOMB(h) )
#else
                       STEP( if :: AT(h) == FREE(h) -> AT(h) = TOMB(h) :: else fi )
#endif
                   fi
               fi
           :: else ->
               /* Of the lap before: who emptied that is not done.  Or the head has moved on. */
               STEP( x = head );
               if :: x == h && POS(w) < h -> forget(); break :: else -> h = x fi
           fi
        od
    :: else
    fi;
    atomic { t = 0; h = 0; w = 0; x = 0; found = 0; is_open = 0 }
}
inline pop() {
    answer = NO;
#if ENTRIES
    if :: IN(IN_PLACE, me) -> take_reservation() :: else fi;
    if
    :: IN(IN_PLACE, me) && at == slot                   /* all are in use */
    :: else -> pop_here(); if :: at != slot -> give_back() :: else fi
    fi
#else
    pop_here()
#endif
}
#define LOCALS  byte at = me, t, h, w, x, i, o, n, answer, rounds, asked, kept, kept_at; bit found, is_open, won, some; int news, known
#define FORGET  at = 0; t = 0; h = 0; w = 0; x = 0; i = 0; o = 0; n = 0; answer = 0; asked = 0; kept = 0; kept_at = 0; \
                found = 0; is_open = 0; won = 0; some = 0; news = 0; known = 0
#if ENTRIES
#define DIE     dead[slot] = 1; gone[me] = 1            /* its threads end first */
#else
#define DIE     dead[slot] = 1
#endif

proctype Producer(byte me) {
    byte left = PUSHES, slot = me;
    LOCALS;
    do
    :: left > 0 -> push(me * PUSHES + left); left--; answer = 0
#if ENTRIES
    :: kept && left < PUSHES -> pick_up_kept(); commit(t); t = 0
    :: left == 0 && !kept -> break
#else
    :: else -> break
#endif
    od;
    goto finished;
dying:
    DIE;
finished:
    atomic { left = 0; FORGET; ended++ }
}

proctype Consumer(byte me) {
    byte left = POPS, slot = me;
    LOCALS;
    if
    :: NEXT_OF != 99 && me == AUDITOR - 1 ->
        atomic { slot = NEXT_OF; at = slot };
        if
        :: atomic { dead[NEXT_OF] -> dead[NEXT_OF] = 0; used_again = 1 }
        :: atomic { !dead[NEXT_OF] && ended == AUDITOR - 1 -> goto finished }
        fi;
        if
        :: claims[slot] >= 128 ->
            STEP( claims[slot] = LEFT );
            SUSPECT;
            STEP( claims[slot] = 0 )
        :: else -> STEP( claims[slot] = 0 )
        fi
    :: else
    fi;
    do
    :: left > 0 ->
        pop();
#ifdef HINTS
        if :: answer == NO -> look_for_dead() :: else fi;
#endif
        left--; answer = 0
#if ENTRIES
    :: kept -> pick_up_kept(); advance(t); t = 0
    :: left == 0 && !kept -> break
#else
    :: else -> break
#endif
    od;
    goto finished;
dying:
    DIE;
finished:
    atomic { left = 0; slot = 0; FORGET; ended++ }
}

proctype Auditor(byte me) {
    byte filled, slot = me;
    LOCALS;
    ended == PRODUCERS + CONSUMERS;
#ifndef HINTS
    suspected++;
#endif
    do
    :: pop();
       assert(answer != BUSY);                                                                                       /* 3 */
#ifdef HINTS
       if :: answer == NO -> look_for_dead(); if :: suspected == looked -> break :: else fi :: else fi
#else
       if :: answer == NO -> break :: else fi
#endif
    od;
    assert(got == put);                                                                                              /* 2 */
    rounds = 0;
    do
    :: filled <= CELLS -> push(0); assert(answer == (filled < CELLS -> YES : NO)); filled++                          /* 3 */
    :: else -> break
    od;
dying:
    skip
}
#define START(p)  if :: p < PRODUCERS -> run Producer(p) :: p >= PRODUCERS && p < AUDITOR -> run Consumer(p) :: else fi
init {
    atomic {
        kills = KILLS;
        do :: tail < CELLS -> slots[tail] = FREE(tail); tail++ :: else -> break od;
        tail = 0;
        START(0); START(1); START(2); START(3);
#ifdef SUSPICION
        suspected++;
#endif
        run Auditor(AUDITOR)
    }
}
