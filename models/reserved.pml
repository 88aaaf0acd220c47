/* Places of the ring of mpmc.pml that a process has in its hands: reservations {owner, claim}.
 *
 * owner   0: nobody's; a process; with TAKING: taken from somebody dead, whose claim is still there; with OPEN: claimed, for as long as
 *         the process likes.  A claim of one that is not OPEN may come to nothing.
 * They are named by {owner, claim}, of which a dead owner changes neither.
 */
#if ENTRIES
byte owner[ENTRIES], used;      /* how many were ever taken, from the first one on */
#define MINE     (me + 1)
#define TAKING   32
#define OPEN     64
#define HAS_ENDED(o)  gone[((o) & 15) - 1]
#define DEAD_IN(e)    B(PROCS + 1 + ((owner[e] & 15) - 1) * ENTRIES + (e))

/* Whether a member that lives has it reserved, and if so, whether it is at work on it. */
#ifdef M_OWNER_READ_ONCE
#define STILL(o)  true
#else
#define STILL(o)  ((o | OPEN) == (owner[i] | OPEN))
#endif
inline look_for_reserved(claim) {
    STEP( n = used );
    do
    :: i < n ->
        STEP( o = owner[i] );
        do
        :: o -> STEP( found = (claims[PROCS + i] == claim) );
                STEP( if :: STILL(o) -> o = (owner[i] == (o ^ OPEN) -> owner[i] : o); won = 1 :: else -> o = owner[i] fi );
#ifndef M_OPEN_WITH_AN_OLDER_CLAIM
                if :: won && found && o & OPEN -> STEP( won = (claims[PROCS + i] == claim) ) :: else fi;
#endif
                if :: won -> won = 0; break :: else found = 0 fi
        :: else -> found = 0; break
        od;
        if :: found && !(o & TAKING) -> STEP( found = !HAS_ENDED(o) ) :: else -> found = 0 fi;
        if :: found -> is_open = (o & OPEN -> 1 : 0); break :: else fi;
        i++
    :: else -> break
    od;
    atomic { o = 0; n = 0 }
}

inline take_reservation() {
    o = 0;
    do
    :: o < ENTRIES ->
#ifndef M_COUNTED_WHEN_OPEN
        STEP( if :: owner[o] == 0 && used <= o -> used = o + 1 :: else fi );
#endif
        STEP( if :: owner[o] == 0 -> owner[o] = MINE; at = PROCS + o :: else fi );
        if :: at != slot -> break :: else fi;
        o++
    :: else -> break
    od;
    if
    :: at == slot ->
        n = 0;
        do
        :: n < ENTRIES ->
            STEP( o = owner[n] );
            if
            :: o && HAS_ENDED(o) ->
#ifndef M_TAKEN_FROM_THE_DEAD_WITHOUT_SUSPICION
                STEP( found = (claims[PROCS + n] >= 128) );
                if :: found -> found = 0; SUSPECT :: else fi;
#endif
#ifdef M_SAYS_ITS_OWN_AT_ONCE
                STEP( if :: owner[n] == o -> owner[n] = MINE; won = 1 :: else fi );
#else
                STEP( if :: owner[n] == o -> owner[n] = MINE | TAKING; won = 1 :: else fi );
#endif
                if
                :: won -> won = 0; STEP( claims[PROCS + n] = 0 ); STEP( owner[n] = MINE ); at = PROCS + n; break
                :: else
                fi
            :: else
            fi;
            n++
        :: else -> break
        od
    :: else
    fi;
    atomic { o = 0; n = 0 }
}
inline give_back() {
#ifdef M_OWNER_GOES_FIRST
    STEP( owner[at - PROCS] = 0 );
    STEP( claims[at] = 0 );
#else
    STEP( claims[at] = 0 );
    STEP( owner[at - PROCS] = 0 );
#endif
    at = slot
}
/* It has been claimed, and is in the hands of the process.  True if it is kept for a while. */
inline have_open(t) {
    STEP( owner[at - PROCS] = MINE | OPEN );
#ifdef M_COUNTED_WHEN_OPEN
    STEP( used = ENTRIES );
#endif
    atomic { if :: IN(KEEPS, me) && !kept -> kept = t + 1; kept_at = at; at = slot :: else fi }
}
inline at_work()    { STEP( owner[at - PROCS] = MINE ) }
inline pick_up_kept() { atomic { at = kept_at; t = kept - 1; kept = 0; kept_at = 0 } }

inline commit(t) {
    x = records[t % CELLS];
    at_work();
    if
    :: STEP( AT(t) = FULL(t); put = put | B(x) )
    :: IN(GIVES_UP, me) -> STEP( AT(t) = TOMB(t) )
    fi;
    give_back();
    x = 0
}
inline advance(t) {
    x = records[t % CELLS];
    at_work();
    if
    :: get_it(t)
    :: IN(GIVES_UP, me) ->
#ifndef M_SUSPECTED_AFTERWARDS
        SUSPECT
#endif
    fi;
    give_back();
#ifdef M_SUSPECTED_AFTERWARDS
    if :: IN(GIVES_UP, me) -> SUSPECT :: else fi;
#endif
    x = 0
}

/* Those of the dead that claim to empty something. */
inline each_dead_reserved() {
    i = 0;
    do
    :: i < ENTRIES ->
        STEP( if :: owner[i] && HAS_ENDED(owner[i]) && claims[PROCS + i] >= 128 -> news = news | DEAD_IN(i) :: else fi );
        i++
    :: else -> break
    od;
}
/* They have left nothing that was not found. */
inline clear_reservations() {
    i = 0;
    do
    :: i < ENTRIES ->
        STEP( o = owner[i]; if :: o && HAS_ENDED(o) && claims[PROCS + i] >= 128 && news & DEAD_IN(i) -> won = 1 :: else fi );
        if
        :: won ->
            won = 0;
            STEP( if :: owner[i] == o -> owner[i] = MINE | TAKING; won = 1 :: else fi );
            if :: won -> won = 0; STEP( claims[PROCS + i] = 0 ); STEP( owner[i] = 0 ) :: else fi
        :: else
        fi;
        i++
    :: else -> break
    od;
    atomic { i = 0; o = 0 }
}
#else
inline each_dead_reserved() { skip }
inline clear_reservations() { skip }
#endif
