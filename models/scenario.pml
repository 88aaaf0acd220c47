/* Who does what in a run of mutex.pml: sizes, scripts, and who may be killed, time out and so on.  Everything is set by -D.
 *
 * Sizes                        PROCS LOCKS KILLS, SCRIPT0..SCRIPT3
 * Who may (masks of processes) VICTIMS be killed; TIMED reach a deadline in any sleep; TRYING only try;
 *                              NESTING use the hook for some other word inside the section; STICKY leave a lock unmarked
 * Features                     STARVE: sleepers may set STARVING
 *                              REUSE: the last process takes slot 0, as gen 1 and with the same TID, once process 0 is dead
 */

#ifndef PROCS
#define PROCS 3
#endif
#ifndef LOCKS
#define LOCKS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef VICTIMS
#define VICTIMS 255
#endif
#ifndef TIMED
#define TIMED 0
#endif
#ifndef TRYING
#define TRYING 0
#endif
#ifndef NESTING
#define NESTING 0
#endif
#ifndef STICKY
#define STICKY 0
#endif

/* A script is a list of orders, three bits each, first order lowest. */
#define LOCK(l)    (1 + 2 * (l))
#define UNLOCK(l)  (2 + 2 * (l))
#define SEQ2(a, b)        ((a) + 8 * (b))
#define SEQ4(a, b, c, d)  (SEQ2(a, b) + 64 * SEQ2(c, d))
#define IDLE       0
#define A          SEQ2(LOCK(0), UNLOCK(0))
#define B          SEQ2(LOCK(1), UNLOCK(1))
#define A_A        (A + 64 * A)
#define A_THEN_B   (A + 64 * B)
#define A_AROUND_B SEQ4(LOCK(0), LOCK(1), UNLOCK(1), UNLOCK(0))
#define A_ACROSS_B SEQ4(LOCK(0), LOCK(1), UNLOCK(0), UNLOCK(1))
#ifndef SCRIPT0
#define SCRIPT0 A_A
#endif
#ifndef SCRIPT1
#define SCRIPT1 A
#endif
#ifndef SCRIPT2
#define SCRIPT2 A
#endif
#ifndef SCRIPT3
#define SCRIPT3 A
#endif
