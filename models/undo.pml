/* Transactions of atoll, for the model checker spin: the undo log of a participant, its repair by others, the re-use of
 * its slot, and which locks of the dead are taken over without INCONSISTENT.
 *
 * WHAT A STEP IS.  One access to shared memory, sequentially consistent.  A process may be killed before every step.  An entry
 * of the log is written in one step (nobody reads it before the count says so) and restored in one (nobody writes a dead log).
 *
 * WHAT IS THERE.  Two user locks, each guarding one word.  Transaction number i sets bit i in the word of each of its
 * locks; over one lock only it writes the word twice.  A plain section sets its bit by one store.  So a word says which
 * transactions are in it, and "sums" are exact.
 *
 * CHECKED
 *   1  All or nothing, nothing lost: whoever acquires a lock finds in its word what was committed, and nothing else.
 *      So also at the commit, and at the end, when an auditor takes every lock.
 *   2  News: whoever acquires a lock is told of a death if and only if a plain owner died inside and nobody has marked it
 *      consistent since.  A history of transactions alone tells nobody anything.
 *   3  Nobody waits for ever: a run ends with every process finished (or dead), and the auditor too.
 *   4  No open log is left behind when no lock names its owner any more.
 *
 * LEFT OUT.  See README.md.
 * SCENARIOS are set by -D: PROCS KILLS VICTIMS REUSED WAITERS_MARKED (roster.pml), SCRIPT0.. and ABORT here; `run` lists them.
 * MUTANTS, M_...: each leaves out one rule, where its name stands.
 */

/* A script is a list of orders, three bits each, first order lowest.  TX(mask): a transaction over these locks, A = 1, B = 2. */
#define TX(mask)    (mask)
#define PLAIN(l)    (4 + (l))
#define HOLD_A      6                   /* take A and go on ... */
#define DROP_A      7                   /* ... until here */
#define SEQ2(a, b)  ((a) + 8 * (b))
#define IDLE        0
#define BOTH        TX(3)
#define ONLY_A      TX(1)
#define ONLY_B      TX(2)
#define PLAIN_A     PLAIN(0)
#define PLAIN_B     PLAIN(1)
#define ONLY_A_ONLY_B   SEQ2(ONLY_A, ONLY_B)
#define ONLY_B_ONLY_A   SEQ2(ONLY_B, ONLY_A)
#define ONLY_A_PLAIN_A  SEQ2(ONLY_A, PLAIN_A)
#define BOTH_BOTH       SEQ2(BOTH, BOTH)
#define BOTH_PLAIN_A    SEQ2(BOTH, PLAIN_A)
#define A_AROUND_B      (HOLD_A + 8 * ONLY_B + 64 * DROP_A)
#define AUDIT           SEQ2(PLAIN_A, PLAIN_B)
#ifndef SCRIPT0
#define SCRIPT0 BOTH
#endif
#ifndef SCRIPT1
#define SCRIPT1 BOTH
#endif
#ifndef SCRIPT2
#define SCRIPT2 BOTH
#endif
#ifndef SCRIPT3
#define SCRIPT3 BOTH
#endif

#define SET_UP skip
#include "roster.pml"

#define LOCKS 2
#define ALL_BITS 1023           /* two per process and auditor */
short word[LOCKS];              /* the lock words */
short value[LOCKS];             /* what they guard */

/* The participant's record: the log, and the locks of its transaction. */
byte state[SLOTS];              /* {gen, n}: whose log this is, and how many entries it has */
byte entry_word[SLOTS * 2];
short entry_old[SLOTS * 2];
byte list[SLOTS];               /* a mask of locks; speaks for gen and for who takes the slot after it, until it is cleared */

#define STATE(gen, n)  ((n) | (gen) << 5)             /* gen where a lock word has it */
#define COUNT(state)   ((state) & 31)
/* Only asked of the dead. */
#ifdef M_NO_GEN_IN_LOG
#define CLEAN(state, name)  (COUNT(state) == 0)
#else
#define CLEAN(state, name)  (COUNT(state) == 0 || GEN_OF(state) != GEN_OF(name))
#endif

/* Seen by the checks only, not by the algorithm. */
short committed[LOCKS];         /* what the word must be when no transaction is open in it */
bit  news[LOCKS];               /* a plain owner died inside, and nobody has marked the lock consistent since */
byte plain_holder[LOCKS];       /* process + 1 */

inline acquired(is_told) {
    assert(value[l] == committed[l]);                                           /* 1 */
    told = told | ((is_told) -> 1 << l : 0);
    assert(news[l] == IN(told, l))                                              /* 2 */
}

/* What the log in slot s names, backwards.  In `log` its state. */
inline restore(s) {
    n = COUNT(log);
    k = 0;
    do
    :: k < n ->
#ifdef M_ROLL_BACK_FORWARDS
        STEP( value[entry_word[s * 2 + k]] = entry_old[s * 2 + k]; k++ )
#else
        STEP( k++; value[entry_word[s * 2 + n - k]] = entry_old[s * 2 + n - k] )
#endif
    :: else -> k = 0; n = 0; break
    od
}

inline roll_back(s) {
#ifdef M_COUNT_CLEARED_BEFORE_RESTORING
    STEP( state[s] = STATE(GEN_OF(log), 0) );
    restore(s)
#else
    restore(s);
    STEP( state[s] = STATE(GEN_OF(log), 0) )
#endif
}

/* {slot, gen} is the dead owner in `seen`. */
inline repair_owner() {
    STEP( log = state[SLOT_OF(seen)] );
    if
    :: CLEAN(log, seen)
    :: else ->
        take_repair(SLOT_OF(seen));
        STEP( log = state[SLOT_OF(seen)] );                                     /* the second look */
#ifdef M_NO_SECOND_LOOK
        if :: false :: else -> roll_back(SLOT_OF(seen)) fi;
#else
        if :: CLEAN(log, seen) :: else -> roll_back(SLOT_OF(seen)) fi;
#endif
        release_repair(SLOT_OF(seen))
    fi;
    log = 0
}

/* Did the dead owner in `seen` hold lock l in a transaction?  The list first, then whose it is: the other way round a next
 * owner's list could pass for the dead one's.  Later than the list is who died while it took over the slot: it holds
 * these locks for the sake of the list only. */
inline judge(s) {
#ifdef M_OWNER_OF_LIST_READ_FIRST
    STEP( log = state[s] );
    STEP( quiet = IN(list[s], l) );
#else
    STEP( quiet = IN(list[s], l) );
    if :: quiet -> STEP( log = state[s] ) :: else fi;
#endif
#if defined(M_LIST_WITHOUT_GEN)
    skip;
#elif defined(M_LIST_FOR_ITS_GEN_ONLY)
    quiet = quiet && GEN_OF(log) == GEN_OF(seen);
#else
    quiet = quiet && GEN_OF(log) <= GEN_OF(seen);
#endif
#ifdef M_ALWAYS_LOUD
    quiet = 0;
#endif
    log = 0
}

#ifdef M_TAKE_OVER_DROPS_INCONSISTENT
#define LOUDNESS  (quiet -> 0 : INCONSISTENT)
#else
#define LOUDNESS  (quiet -> seen & INCONSISTENT : INCONSISTENT)
#endif

inline unlock() { STEP( plain_holder[l] = 0; word[l] = word[l] & INCONSISTENT ) }

#ifdef M_MARK_BEFORE_COMMIT
inline mark() { STEP( word[l] = word[l] & ~INCONSISTENT ) }                     /* what it stands for is not committed yet */
#else
inline mark() { STEP( word[l] = word[l] & ~INCONSISTENT; news[l] = 0 ) }
#endif

#define EACH_LOCK(does) \
    l = 0; do :: l < LOCKS -> if :: IN(mask, l) -> does :: else fi; l++ :: else -> l = 0; break od

/* Lock l was in the list of the slot's former owner: if it is still so held, take it over and unlock it.  It waits for
 * nobody, but it looks again when its CAS fails: it may be just a waiter that left its mark. */
inline free_listed() {
    do
    :: STEP( seen = word[l] );
       if
       :: seen & OWNED && SLOT_OF(seen) == slot && GEN_OF(log) <= GEN_OF(seen) ->
           STEP( if
                 :: word[l] == seen -> word[l] = MINE | seen & INCONSISTENT; acquired(seen & INCONSISTENT)
                 :: else -> seen = 0
                 fi );
           if
           :: seen -> unlock(); break
#ifdef M_FREED_AT_THE_FIRST_TRY_ONLY
           :: else -> break
#else
           :: else
#endif
           fi
       :: else -> break
       fi
    od;
    seen = 0; told = 0
}

inline mark_all() {
    EACH_LOCK( if :: IN(told, l) -> if :: mark(); marked = marked | 1 << l :: true fi :: else fi )
}

proctype Process(byte me; byte slot; int script) {
    byte my_gen, order, number, mask, told, marked, l, seen_repair, log, n, k;
    short seen;
    bit  quiet, twice;

    if
    :: !IN(REUSED, me) -> goto next_order
    :: else
    fi;

    /* ---- take a slot that had an owner */
#ifdef M_REPAIR_BEFORE_IDENTITY
    if :: atomic { !taken[slot] -> taken[slot] = 1; my_gen = gen[slot] + 1 } :: goto finished fi;
#else
    take_slot();
#endif
    take_repair(slot);
    STEP( log = state[slot] );
#if defined(M_REUSE_DROPS_LOG)
    skip;
#elif defined(M_LOCKS_FREED_BEFORE_LOG)
    restore(slot);
#else
    roll_back(slot);
#endif
    /* The list is about to be lost, and with it the knowledge that these locks were held in a transaction.  From here on the
     * log must be empty: who takes such a lock after us cannot know of it. */
    STEP( mask = list[slot] );
#ifndef M_REUSE_DROPS_LIST
    EACH_LOCK( free_listed() );
#endif
    mask = 0;
    STEP( list[slot] = 0 );
#ifdef M_REPAIR_BEFORE_IDENTITY
    STEP( gen[slot] = my_gen );
    STEP( alive[slot] = 1 );
#endif
    log = 0;
    STEP( state[slot] = STATE(my_gen, 0) );             /* last: now the list, and the log, speak for the new owner */
    release_repair(slot);

next_order:
    atomic {
        mask = 0; told = 0; marked = 0; l = 0;
        order = script & 7; script = script >> 3;
        if
        :: order == 0 -> goto finished
        :: order == DROP_A -> goto unlock_plain
        :: order == HOLD_A -> mask = 1
        :: order == PLAIN_A || order == PLAIN_B -> mask = 1 << (order - PLAIN_A)
        :: else -> mask = order
        fi;
    };
    if :: order <= BOTH -> skip :: else -> goto take fi;

    /* ---- begin: the list before the locks */
#ifndef M_LIST_AFTER_LOCKS
    STEP( list[slot] = mask );
#endif

take:
    if
    :: l == LOCKS -> l = 0; goto taken_all
    :: else
    fi;
    if
    :: IN(mask, l)
    :: else -> l++; goto take
    fi;
look:
    STEP( seen = word[l] );
    if
    :: !(seen & OWNED) ->
        STEP( if
              :: word[l] == seen -> word[l] = MINE | seen & INCONSISTENT; acquired(seen & INCONSISTENT); goto won
              :: else -> goto look
              fi )
    :: else
    fi;
    if
    :: word[l] != seen -> goto look
#ifdef WAITERS_MARKED
    :: !DEAD(seen) && !(seen & WAITERS) ->              /* alive at this look; who knows at the next step */
        STEP( if :: word[l] == seen -> word[l] = seen | WAITERS :: else fi );
        goto look
#endif
    :: DEAD(seen)
    fi;
#ifdef M_TAKE_OVER_BEFORE_REPAIR
    judge(SLOT_OF(seen));
    STEP( if :: word[l] == seen -> word[l] = MINE | LOUDNESS :: else -> goto look fi );
    repair_owner();
    acquired(!quiet || seen & INCONSISTENT);
#else
    repair_owner();
    judge(SLOT_OF(seen));
    STEP( if
          :: word[l] == seen -> word[l] = MINE | LOUDNESS; acquired(word[l] & INCONSISTENT)
          :: else -> quiet = 0; goto look
          fi );
#endif
    quiet = 0;
won:
    seen = 0;
    if :: order > BOTH -> plain_holder[l] = me + 1 :: else fi;
    l++;
    goto take;

taken_all:
    number = 2 * me + (script == 0);
    if :: order > BOTH -> goto plain :: else fi;

    /* ---- a transaction */
#ifdef M_LIST_AFTER_LOCKS
    STEP( list[slot] = mask );
#endif
    twice = mask != 3;
write:
    if :: l == LOCKS -> l = 0; goto written :: else fi;
    if :: IN(mask, l) :: else -> l++; goto write fi;
    k = COUNT(state[slot]);
#ifdef M_STORE_BEFORE_ENTRY
    k = value[l];
    STEP( value[l] = (twice -> ALL_BITS - value[l] : value[l] | 1 << number) );
    STEP( entry_word[slot * 2 + COUNT(state[slot])] = l; entry_old[slot * 2 + COUNT(state[slot])] = k );
    STEP( state[slot] = state[slot] + 1 );
#else
#ifdef M_COUNT_BEFORE_ENTRY
    STEP( state[slot] = state[slot] + 1 );
    STEP( entry_word[slot * 2 + k] = l; entry_old[slot * 2 + k] = value[l] );
#else
    STEP( entry_word[slot * 2 + k] = l; entry_old[slot * 2 + k] = value[l] );
    STEP( state[slot] = state[slot] + 1 );
#endif
    if
    :: mask == BOTH -> STEP( value[l] = value[l] | 1 << number )
    :: mask != BOTH && twice -> STEP( value[l] = ALL_BITS - value[l] )
    :: mask != BOTH && !twice -> STEP( value[l] = ALL_BITS - value[l] | 1 << number )
    fi;
#endif
    k = 0;
    if :: twice -> twice = 0 :: else -> l++ fi;
    goto write;

written:
#ifdef ABORT
    if :: goto abort :: true fi;
#endif
#ifdef M_MARK_BEFORE_COMMIT
    mark_all();
#endif
#ifdef M_UNLOCK_BEFORE_COMMIT
    EACH_LOCK( unlock() );
#endif
    STEP(                                                                       /* the commit */
        state[slot] = STATE(my_gen, 0);
        EACH_LOCK( committed[l] = committed[l] | 1 << number; assert(value[l] == committed[l]);      /* 1 */
                   if :: IN(marked, l) -> news[l] = 0 :: else fi )
    );
#ifndef M_MARK_BEFORE_COMMIT
    mark_all();
#endif
end_transaction:
#ifdef M_LIST_CLEARED_BEFORE_UNLOCK
    STEP( list[slot] = 0 );
#endif
#ifndef M_UNLOCK_BEFORE_COMMIT
    EACH_LOCK( unlock() );
#endif
#ifndef M_LIST_CLEARED_BEFORE_UNLOCK
#ifndef M_LIST_NEVER_CLEARED
    STEP( list[slot] = 0 );
#endif
#endif
    goto next_order;

#ifdef ABORT
abort:
    log = state[slot];
    roll_back(slot);
    log = 0;
    goto end_transaction;
#endif

    /* ---- a plain section */
plain:
    l = order == PLAIN_B;
    STEP( value[l] = value[l] | 1 << number; committed[l] = value[l] );
    mark_all();
    l = order == PLAIN_B;
    if :: order == HOLD_A -> goto next_order :: else fi;
unlock_plain:
    unlock();
    goto next_order;

dying:
    atomic {
        taken[slot] = 0;
        alive[slot] = 0;
        l = 0;
        do
        :: l < LOCKS -> if :: plain_holder[l] == me + 1 -> plain_holder[l] = 0; news[l] = 1 :: else fi; l++
        :: else -> break
        od
    };
finished:
    atomic {
        if
        :: me == AUDITOR -> l = 0; do :: l < PROCS -> assert(COUNT(state[l]) == 0); l++ :: else -> break od     /* 4 */
        :: else
        fi;
        order = 0; number = 0; mask = 0; told = 0; marked = 0; l = 0; seen = 0; seen_repair = 0; log = 0; n = 0; k = 0;
        quiet = 0; twice = 0; script = 0; my_gen = 0;
        ended++
    }
}
