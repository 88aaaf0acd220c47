/* The machine under mutex.pml: shared words, futex queues, wakes, and death.
 *
 * A lock word is one byte here.  The low two bits are the low half (the futex), the rest the high half:
 *     bit 0 OWNED | bit 1 WAITERS || bit 2 INCONSISTENT | bit 3 STARVING | bits 4..7 who
 *     who:  owned           slot (3 bits) and gen (1 bit) of the owner
 *           free + WAITERS  the stamp: slot + 1 of the unlocker
 * The thirty zero bits of the real low half are absent: they only say that the kernel never writes the word.
 *
 * A futex queue is kept at the sleeper: queued_word[p] = lock + 1, queued_live[p] = slot + 1, 0 = not queued.
 * futex_waitv() leaves all its queues when the sleeper runs again, not when it is woken.  So one sleeper may
 * swallow two wakes, one on each word; the model keeps that, and it matters.
 * Which sleeper a wake of one finds is left open (the kernel is first in, first out: a part of this).
 */

#define OWNED        1
#define WAITERS      2
#define INCONSISTENT 4
#define STARVING     8
#define LOW_HALF     3

#define OWNER_NAME(slot, gen)  (OWNED | (slot) << 4 | (gen) << 7)
#define STAMP(slot)            ((slot) + 1 << 4)
#define SLOT_OF(word)          ((word) >> 4 & 7)
#define GEN_OF(word)           ((word) >> 7)

byte word[LOCKS];               /* the lock words */
bit  alive[PROCS];              /* per slot: the liveness word; one living value only, so every owner has the same TID */
bit  gen[PROCS];                /* per slot: generation */

byte queued_word[PROCS];        /* per process, see above */
byte queued_live[PROCS];
byte hook[PROCS];               /* private: list_op_pending; 0 = none, lock + 1, or ELSEWHERE */
#define ELSEWHERE 7

byte kills = KILLS;             /* deaths that may still happen */

/* Seen by the checks only, not by the algorithm. */
byte inside[LOCKS];             /* who holds the lock: process + 1 */
bit  news[LOCKS];               /* an owner died inside, and nobody has marked the lock consistent since */
byte mode[PROCS];
#define RUNNING  0
#define ASLEEP   1
#define FINISHED 2

#define IN(mask, p)  ((mask) >> (p) & 1)

/* --- death ------------------------------------------------------------------------------------------------ */

/* Without slices a sleeper that nobody will wake must show as an invalid end state.  A sleeper that can still be
 * killed would hide that; so it may be killed only while something else can move.  Nothing is lost by this: if
 * nothing else can move, the run has already failed. */
#define CAN_MOVE(p)  (mode[p] == RUNNING || \
                      mode[p] == ASLEEP && (queued_word[p] == 0 || queued_live[p] == 0 || IN(TIMED, p)))
#if PROCS == 2
#define SOMETHING_MOVES  (CAN_MOVE(0) || CAN_MOVE(1))
#elif PROCS == 3
#define SOMETHING_MOVES  (CAN_MOVE(0) || CAN_MOVE(1) || CAN_MOVE(2))
#else
#define SOMETHING_MOVES  (CAN_MOVE(0) || CAN_MOVE(1) || CAN_MOVE(2) || CAN_MOVE(3))
#endif

#define KILLED  kills > 0 && IN(VICTIMS, me) -> kills--; leave_queues(); mode[me] = RUNNING; goto dying

/* One shared access, or death just before it.  "true" keeps the test of an inner "if" out of this choice:
 * spin would merge the two, and an inner "else" would then mean "and no kill is possible either". */
#define STEP(access)  if :: atomic { KILLED } :: atomic { true; access } fi

/* One step inside futex_waitv(): a kill acts only when the call sleeps or returns. */
#define KERNEL(access)  atomic { true; access }

inline leave_queues() { queued_word[me] = 0; queued_live[me] = 0 }

/* --- wakes ------------------------------------------------------------------------------------------------ */

/* FUTEX_WAKE of one sleeper on a lock word; woken = how many. */
inline wake_word(lock_plus_1) {
    woken = 0;
    if
    :: queued_word[0] == lock_plus_1 -> queued_word[0] = 0; woken = 1
    :: queued_word[1] == lock_plus_1 -> queued_word[1] = 0; woken = 1
#if PROCS > 2
    :: queued_word[2] == lock_plus_1 -> queued_word[2] = 0; woken = 1
#endif
#if PROCS > 3
    :: queued_word[3] == lock_plus_1 -> queued_word[3] = 0; woken = 1
#endif
    :: else
    fi
}

/* What the kernel does for a liveness word when its thread dies: one sleeper. */
inline wake_live(a_slot) {
    if
    :: queued_live[0] == a_slot + 1 -> queued_live[0] = 0
    :: queued_live[1] == a_slot + 1 -> queued_live[1] = 0
#if PROCS > 2
    :: queued_live[2] == a_slot + 1 -> queued_live[2] = 0
#endif
#if PROCS > 3
    :: queued_live[3] == a_slot + 1 -> queued_live[3] = 0
#endif
    :: else
    fi
}

/* FUTEX_WAKE of all sleepers on a liveness word. */
inline wake_all_live(a_slot) {
    i = 0;
    do
    :: i < PROCS -> if :: queued_live[i] == a_slot + 1 -> queued_live[i] = 0 :: else fi; i++
    :: else -> break
    od;
    i = 0
}
