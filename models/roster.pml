/* The participants under undo.pml and heap.pml: names, who lives, kills, and the repair lock.
 *
 * A lock word is one byte here:  bit 0 OWNED | bit 1 INCONSISTENT | bits 2..4 slot | bits 5..7 gen of the owner
 * | bit 8 WAITERS (only under WAITERS_MARKED: it matters because a CAS can fail on it).
 * A name is the word of an owned lock without INCONSISTENT; it is also what a repair lock holds and what a LIMBO header says.
 *
 * WAITING is a guard: "until the word changes or its owner is dead".  That a sleeper is woken for either is the business
 * of mutex.pml.  A kill in such a wait is the same as one before the load in front of it, and is left out.
 * Liveness and gen are looked at in one step: the dead stay dead, so a later look can only say more.
 */

#ifndef PROCS
#define PROCS 3
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef VICTIMS
#define VICTIMS ((1 << PROCS) - 1)      /* a mask of processes; the auditor at the end is never killed */
#endif

#define OWNED        1
#define INCONSISTENT 2
#define WAITERS      256

#define NAME(slot, gen)  (OWNED | (slot) << 2 | (gen) << 5)
#define SLOT_OF(word)    ((word) >> 2 & 7)
#define GEN_OF(word)     ((word) >> 5 & 7)
#define MINE             NAME(slot, my_gen)
#define DEAD(word)       (!alive[SLOT_OF(word)] || gen[SLOT_OF(word)] != GEN_OF(word))
#define IN(mask, p)      ((mask) >> (p) & 1)

/* Process p starts in slot p, or (REUSED, a mask) comes later and takes slot 0 when nobody living has it.  The auditor
 * runs in the last slot when all others have ended. */
#ifndef REUSED
#define REUSED 0
#endif
#define AUDITOR      PROCS
#define SLOTS        (PROCS + 1)
#define SLOT(p)      (IN(REUSED, p) -> 0 : p)

bit  taken[SLOTS];              /* somebody living has the right to this slot (the member's byte) */
bit  alive[SLOTS];              /* the liveness word */
byte gen[SLOTS];
byte repair[SLOTS];             /* the repair lock: 0, or the name of who repairs */

byte kills = KILLS;             /* deaths that may still happen */
byte ended;                     /* seen by the auditor only: processes that finished or died */

/* One shared access, or death just before it.  "true" keeps the test of an inner "if" out of this choice:
 * spin would merge the two, and an inner "else" would then mean "and no kill is possible either". */
#define STEP(access)  if :: atomic { kills > 0 && IN(VICTIMS, me) -> kills--; goto dying } :: atomic { true; access } fi

#ifdef M_REPAIR_LOCK_NEVER_INHERITED
#define MAY_INHERIT  false
#else
#define MAY_INHERIT  seen_repair && DEAD(seen_repair)
#endif
#ifdef M_CAS_FROM_A_NAME_NOT_SEEN_DEAD
#define LOOK_AGAIN   skip
#else
#define LOOK_AGAIN   seen_repair = 0
#endif

/* Free, or by plain CAS from a dead holder: that one's own log is not looked at.  "Look again" tries the free word at once. */
inline take_repair(s) {
#ifndef M_NO_REPAIR_LOCK
    do
    :: STEP( seen_repair = repair[s] );
       if
       :: seen_repair == 0
       :: MAY_INHERIT
       :: seen_repair && repair[s] != seen_repair -> LOOK_AGAIN
       fi;
       STEP( if
             :: repair[s] == seen_repair -> repair[s] = MINE; seen_repair = 0; break
             :: else -> seen_repair = 0
             fi )
    od
#else
    skip
#endif
}

inline release_repair(s) {
#ifndef M_NO_REPAIR_LOCK
    STEP( repair[s] = 0 )
#else
    skip
#endif
}

/* The slot's next owner: identity first, so that it can hold a repair lock and be seen dead.  Or it never comes. */
inline take_slot() {
    if
    :: atomic { !taken[slot] -> taken[slot] = 1; my_gen = gen[slot] + 1 }
    :: goto finished
    fi;
    STEP( gen[slot] = my_gen );
    STEP( alive[slot] = 1 )
}

#define START(p)  if \
                  :: IN(REUSED, p) \
                  :: else -> taken[p] = 1; alive[p] = 1 \
                  fi; \
                  run Process(p, SLOT(p), SCRIPT##p)

init {
    atomic {
        SET_UP;
        START(0);
#if PROCS > 1
        START(1);
#endif
#if PROCS > 2
        START(2);
#endif
#if PROCS > 3
        START(3);
#endif
    };
    atomic { ended == PROCS -> taken[AUDITOR] = 1; alive[AUDITOR] = 1; run Process(AUDITOR, AUDITOR, AUDIT) }
}
