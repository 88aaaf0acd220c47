/* Guarded locks of atoll, for the model checker spin: a lock that carries the undo log of what it guards (H the heap, D the
 * directory), blocks in limbo between the two, and the sweep of what a dead participant left there.
 *
 * WHAT A STEP IS.  One access to shared memory, sequentially consistent.  A process may be killed before every step.  An entry
 * of a log is written in one step, and restored in one: only the holder of the lock touches either.
 *
 * WHAT IS THERE.  A heap of BLOCKS blocks in one free list, under H.  A directory of two roots, under D.  A block's header
 * says whose it is: FREE (H), LIMBO{slot, gen} (that participant), USED (D).  PUT(r): allocate a block and link it to
 * root r, release what was there.  TAKE(r): unlink what is there and release it.  SWEEP: as anybody, clean up after slot 0.
 *
 * CHECKED, against `owner` and `linked`, which say what the last commits said
 *   1  A block goes FREE -> LIMBO -> USED -> LIMBO -> FREE, each time by who owns it.  So none is owned twice.
 *   2  All or nothing: whoever has taken a guarded lock finds no half-done operation in what it guards.
 *   3  Nothing is lost: when all have ended and an auditor has swept, each block is linked or in the free list, once.
 *   4  Nobody waits for ever.
 *
 * LEFT OUT.  See README.md.
 * SCENARIOS are set by -D: PROCS KILLS VICTIMS REUSED (roster.pml), SCRIPT0.. and BLOCKS here; `run` lists them.
 * MUTANTS, M_...: each leaves out one rule, where its name stands.
 */

/* A script is a list of orders, three bits each, first order lowest. */
#define PUT(r)      (1 + (r))
#define TAKE(r)     (3 + (r))
#define SWEEP       5
#define SWEEP_ALL   6                   /* the auditor's */
#define IDLE        0
#define PUT_0       PUT(0)
#define PUT_1       PUT(1)
#define TAKE_0      TAKE(0)
#define PUT_0_TAKE_0  (PUT_0 + 8 * TAKE_0)
#define SWEEP_PUT_1   (SWEEP + 8 * PUT_1)
#define AUDIT       SWEEP_ALL
#ifndef SCRIPT0
#define SCRIPT0 PUT_0
#endif
#ifndef SCRIPT1
#define SCRIPT1 TAKE_0
#endif
#ifndef SCRIPT2
#define SCRIPT2 PUT_1
#endif
#ifndef SCRIPT3
#define SCRIPT3 IDLE
#endif

#ifndef BLOCKS
#define BLOCKS 2
#endif

/* All words that are logged, by place. */
byte memory[3 + 2 * BLOCKS];
#define FREE_HEAD  0
#define ROOT(r)    (1 + (r))
#define HEADER(b)  (1 + 2 * (b))
#define NEXT(b)    (2 + 2 * (b))

#define FREE       0
#define USED       2                    /* LIMBO is a name: odd */

/* Seen by the checks only, not by the algorithm. */
byte owner[BLOCKS + 1];                 /* the header as last committed */
byte linked[2];                         /* the roots as last committed */

/* Each block starts where it belongs: block 1 linked to root 0, the others free. */
#define SET_UP  memory[ROOT(0)] = 1; linked[0] = 1; memory[HEADER(1)] = USED; owner[1] = USED; \
                memory[FREE_HEAD] = 2; if :: BLOCKS > 2 -> memory[NEXT(2)] = 3 :: else fi

#include "roster.pml"

/* The guarded locks.  The commit count that the product keeps beside n is left out: nobody reads it here. */
#define H 0
#define D 1
byte word[2];
byte logged[2];                         /* n */
byte entry_place[2 * 6];
byte entry_old[2 * 6];

/* The participant's record. */
byte hint[SLOTS * 2];                   /* blocks that may be in limbo: 0 the one being allocated, 1 the one being released */
byte settled[SLOTS];                    /* the gen that this record speaks for; in the product, that of the state of MAIN */

/* --- guarded locks --------------------------------------------------------------------------------------- */

inline guard(g) {
    do
    :: STEP( seen = word[g] );
       if
       :: seen == 0
       :: seen && DEAD(seen)
       :: seen && word[g] != seen -> seen = 0
       fi;
       STEP( if
             :: word[g] == seen -> word[g] = MINE; seen = 0; break
             :: else -> seen = 0
             fi )
    od;
    /* ---- an open log is somebody's who died: roll it back before use */
#ifndef M_TAKEN_WITHOUT_ROLL_BACK
    STEP( n = logged[g] );
#ifdef M_COUNT_CLEARED_BEFORE_RESTORING
    if :: n -> STEP( logged[g] = 0 ) :: else fi;
#endif
    if
    :: n ->
        do
        :: n -> STEP( n--; memory[entry_place[g * 6 + n]] = entry_old[g * 6 + n] )
        :: else -> break
        od;
#ifndef M_COUNT_CLEARED_BEFORE_RESTORING
        STEP( logged[g] = 0 )
#endif
    :: else
    fi;
#endif
    check_guarded(g)
}

/* n becomes the mask of the blocks in the free list. */
inline walk_free_list() {
    n = 0; j = memory[FREE_HEAD];
    do
    :: j -> assert(!IN(n, j));                                                  /* a block twice: it would be owned twice */
            assert(owner[j] == FREE && memory[HEADER(j)] == FREE);
            n = n | 1 << j; j = memory[NEXT(j)]
    :: else -> break
    od
}

inline check_guarded(g) {
    atomic {
        if
        :: g == D -> assert(memory[ROOT(0)] == linked[0] && memory[ROOT(1)] == linked[1])         /* 2 */
        :: else -> walk_free_list(); n = 0                                                        /* 2 */
        fi
    }
}

inline store(g, place, new) {
#ifdef M_STORE_BEFORE_ENTRY
    j = memory[place];
    STEP( memory[place] = new );
    STEP( entry_place[g * 6 + logged[g]] = place; entry_old[g * 6 + logged[g]] = j );
    STEP( logged[g]++; j = 0 )
#else
    STEP( entry_place[g * 6 + logged[g]] = place; entry_old[g * 6 + logged[g]] = memory[place] );
    STEP( logged[g]++ );
    STEP( memory[place] = new )
#endif
}

#ifdef M_UNLOCK_BEFORE_COMMIT
#define COMMIT(g, truth)  STEP( word[g] = 0 ); STEP( logged[g] = 0; truth )
inline leave(g) { STEP( if :: word[g] == MINE -> word[g] = 0 :: else fi ) }
#else
#define COMMIT(g, truth)  STEP( logged[g] = 0; truth )
inline leave(g) { STEP( word[g] = 0 ) }
#endif
#define CHANGES(b, from, to)  assert(owner[b] == (from)); owner[b] = (to)                         /* 1 */

/* --- the heap ---------------------------------------------------------------------------------------------- */

/* Push block b, whose owner was `from`; H is held. */
inline push(b, from) {
    store(H, NEXT(b), memory[FREE_HEAD]);
    store(H, HEADER(b), FREE);
    store(H, FREE_HEAD, b);
    COMMIT(H, CHANGES(b, from, FREE))
}

/* The block that slot s has in hint i goes back, if it still is in limbo.  The look is under H: an open log is rolled back. */
inline sweep_hint(s, i) {
    STEP( b = hint[s * 2 + i] );
    if
    :: b ->
#ifdef M_HEADER_READ_BEFORE_H
        STEP( header = memory[HEADER(b)] );
        if :: header == NAME(s, former) -> guard(H); push(b, header); leave(H) :: else fi;
#else
        guard(H);
        STEP( header = memory[HEADER(b)] );
#ifdef M_HINT_CLEARED_BEFORE_PUSH
        STEP( hint[s * 2 + i] = 0 );
#endif
        if :: header == NAME(s, former) -> push(b, header) :: else fi;
        leave(H);
#endif
        header = 0;
        STEP( hint[s * 2 + i] = 0 )
    :: else
    fi;
    b = 0
}

/* Under the repair lock of slot s, whose dead owner had the gen `former`. */
inline sweep(s) {
#ifndef M_SWEEP_WITHOUT_D
    guard(D);                           /* rolls back what the dead one had open there; it will not open another */
    leave(D);
#endif
    sweep_hint(s, 0);
    sweep_hint(s, 1)
}

proctype Process(byte me; byte slot; int script) {
    byte my_gen, former, order, b, old, header, seen, seen_repair, n, j;

    if
    :: !IN(REUSED, me) -> goto next_order
    :: else
    fi;

    /* ---- take a slot that had an owner */
    take_slot();
    take_repair(slot);
#ifndef M_REUSE_DROPS_HINTS
    STEP( former = settled[slot] );
    sweep(slot);
#else
    STEP( hint[slot * 2] = 0 );
    STEP( hint[slot * 2 + 1] = 0 );
#endif
    STEP( settled[slot] = my_gen );
    release_repair(slot);

next_order:
    atomic {
        former = 0; b = 0; old = 0; j = 0;
        order = script & 7; script = script >> 3;
        if
        :: order == IDLE -> goto finished
        :: order == PUT_0 || order == PUT_1 -> goto allocate
        :: order == TAKE_0 -> goto unlink
        :: order == SWEEP -> goto sweep_0
        :: else -> goto sweep_all
        fi
    };

    /* ---- allocate: the hint before the block is ours */
allocate:
    guard(H);
    b = memory[FREE_HEAD];
    if :: b == 0 -> leave(H); goto next_order :: else fi;
#ifndef M_HINT_AFTER_POP
    STEP( hint[slot * 2] = b );
#endif
    store(H, FREE_HEAD, memory[NEXT(b)]);
    store(H, HEADER(b), MINE);
    COMMIT(H, CHANGES(b, FREE, MINE));
#ifdef M_HINT_AFTER_POP
    STEP( hint[slot * 2] = b );
#endif
    leave(H);

    /* ---- link it, unlink what is there */
    guard(D);
    old = memory[ROOT(order - PUT_0)];
    if :: old -> STEP( hint[slot * 2 + 1] = old ) :: else fi;
#ifdef M_HINT_CLEARED_BEFORE_LINK
    STEP( hint[slot * 2] = 0 );
#endif
    store(D, HEADER(b), USED);
    store(D, ROOT(order - PUT_0), b);
    if :: old -> store(D, HEADER(old), MINE) :: else fi;
    COMMIT(D, CHANGES(b, MINE, USED); linked[order - PUT_0] = b; if :: old -> CHANGES(old, USED, MINE) :: else fi);
    leave(D);
    b = 0;
#ifndef M_HINT_CLEARED_BEFORE_LINK
    STEP( hint[slot * 2] = 0 );
#endif
    if :: old -> goto release :: else -> goto next_order fi;

    /* ---- unlink: the hint before the block is ours */
unlink:
    guard(D);
    old = memory[ROOT(0)];
    if :: old == 0 -> leave(D); goto next_order :: else fi;
#ifndef M_HINT_AFTER_UNLINK
    STEP( hint[slot * 2 + 1] = old );
#endif
    store(D, ROOT(0), 0);
    store(D, HEADER(old), MINE);
#ifdef M_RELEASED_BEFORE_UNLINK_COMMITS
    guard(H);
    push(old, USED);
    leave(H);
    COMMIT(D, linked[0] = 0);
    leave(D);
    STEP( hint[slot * 2 + 1] = 0 );
    goto next_order;
#else
    COMMIT(D, CHANGES(old, USED, MINE); linked[0] = 0);
    leave(D);
#ifdef M_HINT_AFTER_UNLINK
    STEP( hint[slot * 2 + 1] = old );
#endif
#endif

release:
    guard(H);
#ifdef M_HINT_CLEARED_BEFORE_RELEASE
    STEP( hint[slot * 2 + 1] = 0 );
#endif
    push(old, MINE);
    leave(H);
    STEP( hint[slot * 2 + 1] = 0 );
    goto next_order;

    /* ---- anybody may clean up after the dead owner of slot 0: under its repair lock, and only if the record is still that one's */
sweep_0:
    if
    :: !alive[0]
    :: goto next_order
    fi;
    take_repair(0);
    STEP( former = settled[0] );
#ifdef M_NO_SECOND_LOOK
    sweep(0);
#else
    if :: DEAD(NAME(0, former)) -> sweep(0) :: else fi;
#endif
    release_repair(0);
    goto next_order;

sweep_all:
    order = 0;
    do
    :: order < PROCS ->
        if
        :: !alive[order] -> former = settled[order]; take_repair(order); sweep(order); release_repair(order)
        :: else
        fi;
        order++
    :: else -> break
    od;
    atomic {
        walk_free_list();
        if :: linked[0] -> assert(owner[linked[0]] == USED); n = n + (1 << linked[0]) :: else fi;
        if :: linked[1] -> assert(owner[linked[1]] == USED); n = n + (1 << linked[1]) :: else fi;
        assert(n == (1 << BLOCKS + 1) - 2);                                     /* 3 */
        assert(memory[ROOT(0)] == linked[0] && memory[ROOT(1)] == linked[1])
    };
    goto next_order;

dying:
    atomic { taken[slot] = 0; alive[slot] = 0 };
finished:
    atomic {
        former = 0; order = 0; b = 0; old = 0; header = 0; seen = 0; seen_repair = 0; n = 0; j = 0; script = 0; my_gen = 0;
        ended++
    }
}
