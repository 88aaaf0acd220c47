/*
 * atoll: locks, events, rings, values and arrays in named shared memory
 * =====================================================================
 *
 * A segment is a named piece of shared memory. Processes that open it find objects
 * in it by name: locks and whatever else threads wait for, values, arrays. They may be
 * written in C, C++, Python or Rust, and any of them may be killed at any instruction:
 * the others go on, nothing that was done is lost, and whoever next locks what a dead
 * process held is told so. There is no server and nothing to clean up.
 *
 *     atoll_segment *segment;
 *     atoll_mutex *mutex;
 *     atoll_status status = atoll_segment_open_or_create("shop", NULL, &segment);
 *     if (status == ATOLL_OK)
 *         status = atoll_mutex_open_or_create(segment, "till", NULL, &mutex);
 *     if (status == ATOLL_OK)
 *         status = atoll_mutex_lock(mutex, ATOLL_FOREVER);
 *     if (status == ATOLL_OWNER_DIED) {
 *         repair_the_till();
 *         atoll_mutex_mark_consistent(mutex);
 *     }
 *     if (atoll_status_is_acquired(status)) {
 *         use_the_till();
 *         atoll_mutex_unlock(mutex);
 *     }
 *
 * This file is generated from the sources of the library, comments included. Link
 * with -latoll.
 *
 *
 * Conventions
 * -----------
 * Names      atoll_<noun>_<verb>. The first parameter is what the call is about, then
 *            come inputs, then outputs.
 * Status     Calls that can fail return an atoll_status: ATOLL_OK or what is wrong.
 *            ATOLL_OWNER_DIED is the one other success: you hold the lock.
 *            atoll_last_error() gives the sentence that says what to do.
 *            The comments below leave out the prefix ATOLL_, and three statuses that
 *            every call may return: REENTRANT (see Signals), PANICKED (a bug in the
 *            library was caught; report it) and SYSTEM (the system refused something
 *            that the call needs; see os_errno).
 * Outputs    A handle output is set to NULL first, and to a handle only on success.
 *            Other outputs are written only on success. There is no partial success.
 *            Where bytes are returned their room comes next, then where their number
 *            goes; with ATOLL_TOO_SMALL that number is the one needed.
 * Handles    A pointer to atoll_segment, atoll_mutex or any other type without fields is
 *            a number that leads to something of this process: never
 *            follow it, never pass it to another process. A handle that was closed, or is
 *            one of another kind of thing, gives ATOLL_INVALID_ARGUMENT and never a fault.
 * NULL       Allowed where a comment says so; elsewhere ATOLL_INVALID_ARGUMENT.
 * Options    Structs of options begin with struct_size and are begun with their _INIT
 *            macro. A field that is 0 means the default, and so does NULL for all of
 *            them. A program compiled with an older header goes on working; one that
 *            sets a field which the library does not know is refused. Fields called
 *            reserved must be 0.
 * Text       UTF-8, ended by NUL. What a call is given is copied.
 * Time       timeout_ns is in nanoseconds: 0 tries once, ATOLL_FOREVER waits without
 *            limit, negative is ATOLL_INVALID_ARGUMENT.
 *
 * Ownership
 * ---------
 * What create or open gave belongs to you until you close it. Handles of one segment
 * may be closed in any order: the memory stays mapped until the last one is closed.
 * The segment itself stays until atoll_segment_unlink() removes its name and the last
 * process has closed it; an ephemeral one goes with its last process.
 *
 * An object with a name stays until the name is removed, one without until nobody has it
 * open. What is removed or has no name is there for those who have it open, in whatever
 * process, and its memory is used again when the last of them has closed it or died. To
 * send an object to another process, with or without a name, send a ticket.
 *
 * Waiting
 * -------
 * What threads of all processes wait for, and what becomes of them when one is killed:
 *
 *   mutex       One holds it. The next to lock after a dead holder is told so.
 *   lock        One process holds it, and any may release it. The next to acquire it after
 *               a dead holder is told so, once.
 *   rwlock      Many read or one writes. A dead reader counts no more; a dead writer is told
 *               to who comes next, as with a mutex.
 *   semaphore   So many permits. If it is tracked, those of a dead process are back at once;
 *               if not, they are gone.
 *   condvar     For a change of what a lock guards. A notify goes to who has waited longest
 *               and lives.
 *   waiter      A wait for a condvar that is an object, for one thread that has many.
 *   event       A flag, set by anybody.
 *   barrier     Threads wait for each other. One that dies inside breaks it for all.
 *   latch       It opens when it has been counted down. Nobody counts for the dead.
 *
 * No wake-up is lost: when a process is killed after it has changed something and before
 * it has woken those who wait for that, the kernel wakes one of them, and that one the
 * others. And no wait ends without a cause.
 *
 * atoll_wait_any() waits for several events, latches, semaphores and rings at once, and for
 * the deaths in segments.
 *
 * Rings
 * -----
 * Records go from process to process, and nothing that was put is lost when one is killed:
 *
 *   spsc        From one producer to one consumer, in order; also written and read in place.
 *   fanin       From many producers, each with a lane of its own, to one consumer.
 *   mpmc        From many to many, in order. Its records are of one type, or messages of any
 *               length (ATOLL_TYPE_MESSAGE), of up to half the ring.
 *
 * Push and pop never wait; put and get do, for room and for records. Who first pushes or
 * pops at a spsc or a fanin has a role there, alone, until it closes its handle or dies.
 *
 * Transactions
 * ------------
 * Several values, and elements of arrays, change together or not at all:
 *
 *     atoll_transaction *both;
 *     atoll_status status = atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &both);
 *     if (status == ATOLL_OK)
 *         status = atoll_transaction_store(both, left, &less, sizeof less, 0);
 *     if (status == ATOLL_OK)
 *         status = atoll_transaction_store(both, right, &more, sizeof more, 0);
 *     atoll_transaction_end(both, status != ATOLL_OK);
 *
 * Killed before the end, it has changed nothing: whoever takes the mutex next puts back
 * what was there. So there is no code for repairs. The promise is made to those who hold
 * the mutex; others may see a change that is undone later.
 *
 * Threads
 * -------
 * Every call may be made by any thread at any time, except that only the thread that
 * locked a mutex unlocks it or marks it consistent, that a transaction is used and
 * ended by the thread that began it, and that one thread at a time uses a role of a spsc or
 * a fanin. A handle may be closed while other
 * threads use it: their calls finish, later ones are refused. A thread that ends while
 * it holds a lock counts as an owner that died.
 *
 * Signals
 * -------
 * A call that waits returns ATOLL_INTERRUPTED when a signal handler ran that was
 * installed without SA_RESTART. Two calls may be made in a signal handler at any moment,
 * atoll_event_set() and atoll_semaphore_release(). Make no other there: if the handler
 * interrupted a call, it gets ATOLL_REENTRANT. Do not leave a call by siglongjmp,
 * pthread_cancel or a C++ exception that a handler throws.
 *
 * Fork
 * ----
 * A child may use every handle of its parent, and becomes a member of its own of each
 * segment. It does not hold what its parent holds: unlocking that is ATOLL_NOT_OWNER, and
 * so is using its parent's transaction.
 * Between vfork() and exec() no call is allowed. exec() counts as a death.
 *
 * Death
 * -----
 * A process dies when it is killed, crashes, or ends by _exit() or exec(). To return
 * from main() or to call exit() is to leave in good order, but a mutex that is still
 * held then counts as a dead owner's, too. The kernel says who is dead; no timeout ever
 * decides it, so a process that is slow or stopped keeps what it holds.
 *
 * Caveats
 * -------
 * - Shared memory is gone when the machine stops. This is no storage.
 * - A process that is stopped (SIGSTOP, a debugger, a frozen container) is alive. Others
 *   wait for it. Continue it or kill it.
 * - A killed process is dead only when the kernel has taken it down. That takes longer
 *   while it writes a core file or hangs in a device driver.
 * - Whoever may write to a segment is trusted with it. A damaged segment gives
 *   ATOLL_CORRUPTED and no fault, but no process can be kept from lying to others.
 *   Truncating the file of a segment kills everybody who has it open (SIGBUS).
 * - Removing the file of a segment, by atoll_segment_unlink() or rm, does not reach those
 *   who have it open. Who creates the name again has another segment.
 * - In a container /dev/shm often has 64 MB. A full one is ATOLL_NO_SPACE when something
 *   is created, and never a SIGBUS. Give it more (docker run --shm-size), or set ATOLL_DIR.
 * - All processes of a segment need the same layout of memory: 64 bits, glibc, the same
 *   atoll_layout_fingerprint(). Others get ATOLL_INCOMPATIBLE.
 * - Two copies of the library in one process (one linked statically, say) are two owners:
 *   what one holds, the other waits for. atoll_platform_info() counts them.
 * - Process and thread ids in answers are those of the owner's own container. They are for
 *   people; nothing is decided by them.
 * - Emulators without robust lists (qemu-user) and restored checkpoints (CRIU) do not work.
 */
#ifndef ATOLL_H
#define ATOLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The version of this header.
 */
#define ATOLL_VERSION "0.1.0"

/**
 * Wait without limit, as a timeout_ns.
 */
#define ATOLL_FOREVER INT64_MAX

/**
 * The version of the declarations here. It changes when a program compiled with the
 * older ones would no longer work; so does the soname, libatoll.so.0.
 */
#define ATOLL_ABI_VERSION 1

/**
 * A signed integer of 8 bits.
 */
#define ATOLL_I8 1

/**
 * A signed integer of 16 bits.
 */
#define ATOLL_I16 2

/**
 * A signed integer of 32 bits.
 */
#define ATOLL_I32 3

/**
 * A signed integer of 64 bits.
 */
#define ATOLL_I64 4

/**
 * An unsigned integer of 8 bits.
 */
#define ATOLL_U8 5

/**
 * An unsigned integer of 16 bits.
 */
#define ATOLL_U16 6

/**
 * An unsigned integer of 32 bits.
 */
#define ATOLL_U32 7

/**
 * An unsigned integer of 64 bits.
 */
#define ATOLL_U64 8

/**
 * A float of 32 bits.
 */
#define ATOLL_F32 9

/**
 * A float of 64 bits.
 */
#define ATOLL_F64 10

/**
 * A byte that is 0 or 1.
 */
#define ATOLL_BOOL 11

/**
 * A fixed number of bytes without further meaning.
 */
#define ATOLL_BYTES 12

/**
 * A C struct, known by its size, its alignment and, if given, its format.
 */
#define ATOLL_STRUCT 13

/**
 * The most dimensions of an array.
 */
#define ATOLL_MAX_DIMENSIONS 32

/**
 * A mutex.
 */
#define ATOLL_KIND_MUTEX 1

/**
 * A mutex that its holder may lock again.
 */
#define ATOLL_KIND_RECURSIVE_MUTEX 2

/**
 * A value.
 */
#define ATOLL_KIND_VALUE 3

/**
 * An array.
 */
#define ATOLL_KIND_ARRAY 4

/**
 * A reader-writer lock.
 */
#define ATOLL_KIND_RWLOCK 5

/**
 * A semaphore that counts.
 */
#define ATOLL_KIND_SEMAPHORE 6

/**
 * A semaphore whose permits name their holders.
 */
#define ATOLL_KIND_TRACKED_SEMAPHORE 7

/**
 * A condition variable.
 */
#define ATOLL_KIND_CONDVAR 8

/**
 * An event.
 */
#define ATOLL_KIND_EVENT 9

/**
 * A barrier.
 */
#define ATOLL_KIND_BARRIER 10

/**
 * A latch.
 */
#define ATOLL_KIND_LATCH 11

/**
 * A lock that processes hold.
 */
#define ATOLL_KIND_LOCK 12

/**
 * A ring for one producer and one consumer.
 */
#define ATOLL_KIND_SPSC 13

/**
 * A ring of lanes, one for each producer, for one consumer.
 */
#define ATOLL_KIND_FANIN 14

/**
 * A ring for many producers and many consumers.
 */
#define ATOLL_KIND_MPMC 15

/**
 * The end of a ring where records are put.
 */
#define ATOLL_PRODUCERS 1

/**
 * The end of a ring where they are got.
 */
#define ATOLL_CONSUMERS 2

/**
 * Users of the ring look for some microseconds, then sleep; they sleep at once where looking
 * was in vain.
 */
#define ATOLL_WAIT_ADAPTIVE 0

/**
 * They never sleep: for who has a processor to spare for each side. Signal handlers do not
 * end such a wait.
 */
#define ATOLL_WAIT_SPIN 1

/**
 * They sleep at once: for what takes its time.
 */
#define ATOLL_WAIT_SLEEP 2

/**
 * Which edition of the contract that stands at atoll_place a program was compiled with.
 */
#define ATOLL_PLACE_CONTRACT 2

/**
 * The mutex counts: its holder may lock it again.
 */
#define ATOLL_PLACE_RECURSIVE 1

/**
 * The segment is open read-only: load, and nothing else.
 */
#define ATOLL_PLACE_READ_ONLY 2

/**
 * What a call answers. 0 is plain success. Numbers never change and are never
 * used again for something else.
 *
 * Each is something a caller would act on differently; one status covers many
 * mistakes, and atoll_last_error() has a sentence for each of them.
 */
enum atoll_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    ATOLL_OK = 0,
    /**
     * Done, and you hold the lock. Its last holder died holding it: what it
     * guards may be half-changed. The one status but 0 that is a success.
     */
    ATOLL_OWNER_DIED = 1,
    /**
     * The time given was up first. Nothing changed.
     */
    ATOLL_TIMED_OUT = 2,
    /**
     * A signal handler ran while the call waited. Nothing changed; call again.
     */
    ATOLL_INTERRUPTED = 3,
    /**
     * There is no room for another item.
     */
    ATOLL_FULL = 4,
    /**
     * There is no item.
     */
    ATOLL_EMPTY = 5,
    /**
     * The other end is closed.
     */
    ATOLL_CLOSED = 6,
    /**
     * There is nothing of that name.
     */
    ATOLL_NOT_FOUND = 7,
    /**
     * The name is taken.
     */
    ATOLL_ALREADY_EXISTS = 8,
    /**
     * The object is of another kind, type or shape than you say.
     */
    ATOLL_WRONG_KIND = 9,
    /**
     * Not an atoll segment, or one with another memory layout.
     */
    ATOLL_INCOMPATIBLE = 10,
    /**
     * The segment is damaged: another program wrote into it.
     */
    ATOLL_CORRUPTED = 11,
    /**
     * The segment, the file system or the table of processes is full.
     */
    ATOLL_NO_SPACE = 12,
    /**
     * The buffer is too small. The length needed is in *out_len.
     */
    ATOLL_TOO_SMALL = 13,
    /**
     * The calling thread does not hold the lock.
     */
    ATOLL_NOT_OWNER = 14,
    /**
     * The calling thread holds the lock already and would wait for itself.
     */
    ATOLL_DEADLOCK = 15,
    /**
     * An argument is wrong, or a handle is closed or was never one.
     */
    ATOLL_INVALID_ARGUMENT = 16,
    /**
     * Not allowed by the mode of the segment, or it is open read-only.
     */
    ATOLL_PERMISSION = 17,
    /**
     * Objects of two segments in an operation that takes objects of one.
     */
    ATOLL_WRONG_SEGMENT = 18,
    /**
     * A party died; the object has to be reset before it can be used again.
     */
    ATOLL_BROKEN = 19,
    /**
     * Called from a signal handler that interrupted another call of this thread.
     */
    ATOLL_REENTRANT = 20,
    /**
     * The operating system refused; atoll_last_error() has its error number.
     */
    ATOLL_SYSTEM = 21,
    /**
     * A bug in the library was caught at its border. Please report the sentence.
     */
    ATOLL_PANICKED = 22,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum atoll_status atoll_status;
#else
typedef int32_t atoll_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An array in a segment. The pointer is a handle: never follow it; the elements
 * are where atoll_array_data() says.
 */
typedef struct atoll_array atoll_array;

/**
 * A barrier in a segment: a number of threads pass it together, again and again. If one of
 * them dies after it has arrived, the barrier breaks. The pointer is a handle: never follow
 * it.
 */
typedef struct atoll_barrier atoll_barrier;

/**
 * A condvar (condition variable) in a segment: threads wait in it until they are notified.
 * A notification goes to the one that has waited longest and lives. The pointer is a handle:
 * never follow it.
 */
typedef struct atoll_condvar atoll_condvar;

/**
 * An event in a segment: a flag that threads wait for. The pointer is a handle: never
 * follow it.
 */
typedef struct atoll_event atoll_event;

/**
 * A ring of lanes in a segment: records go from several producers, each with a lane of its
 * own, to one consumer. In a lane they stay in the order in which they were put; between lanes
 * there is none. The pointer is a handle: never follow it.
 *
 * Whoever first puts takes a lane, and whoever first gets is the consumer, with that handle,
 * until it is closed or the role given up. A process that dies gives up its own: another one
 * may take them over, and finds what was put.
 */
typedef struct atoll_fanin atoll_fanin;

/**
 * A latch in a segment: it opens when it has been counted down to zero, for good. The
 * pointer is a handle: never follow it.
 */
typedef struct atoll_latch atoll_latch;

/**
 * A lock in a segment that processes hold, not threads: any thread of any process may
 * release it. The pointer is a handle: never follow it.
 */
typedef struct atoll_lock atoll_lock;

/**
 * A ring in a segment: records go from many producers to many consumers, in one order. The pointer is a handle: never follow it.
 *
 * What a producer has put stays if it dies; what it was about to put is skipped. What a consumer
 * was about to get when it died goes to another one, out of turn, marked as such.
 */
typedef struct atoll_mpmc atoll_mpmc;

/**
 * A mutex in a segment. The pointer is a handle: never follow it.
 */
typedef struct atoll_mutex atoll_mutex;

/**
 * A reader-writer lock in a segment: many may read under it, or one may write. The pointer
 * is a handle: never follow it.
 */
typedef struct atoll_rwlock atoll_rwlock;

/**
 * A segment of shared memory. The pointer is a handle: never follow it.
 */
typedef struct atoll_segment atoll_segment;

/**
 * A semaphore in a segment. The pointer is a handle: never follow it.
 */
typedef struct atoll_semaphore atoll_semaphore;

/**
 * A ring in a segment: records go from one producer to one consumer, in the order in which
 * they were put. The pointer is a handle: never follow it.
 *
 * Whoever first puts is the producer, and whoever first gets the consumer, with that handle,
 * until it is closed or the role given up. A process that dies gives up both: another one may
 * take them over, and finds what was put.
 */
typedef struct atoll_spsc atoll_spsc;

/**
 * An open transaction. The pointer is a handle: never follow it.
 */
typedef struct atoll_transaction atoll_transaction;

/**
 * A value in a segment. The pointer is a handle: never follow it.
 */
typedef struct atoll_value atoll_value;

/**
 * A wait for a condvar that is an object: a thread may have many of them, and looks after them
 * when it has the time. The pointer is a handle: never follow it.
 */
typedef struct atoll_waiter atoll_waiter;

/**
 * The last failure of a thread.
 */
typedef struct {
    /**
     * The status that the call returned; ATOLL_OK if no call of the thread has failed.
     */
    atoll_status status;
    /**
     * The error number of the operating system, as in errno; 0 if it played no part.
     */
    int32_t os_errno;
    /**
     * What happened and what to do about it: one sentence in UTF-8, ended by NUL.
     */
    char text[256];
} atoll_error;

/**
 * What this machine and this process offer. What is missing costs time, or a
 * promise; docs/caveats.md says which.
 */
typedef struct {
    /**
     * Copies of the library in this process. With more than one, each is an owner of
     * its own: what is locked through one is not held through the other.
     */
    uint32_t library_copies;
    /**
     * Bytes of a page of memory.
     */
    uint32_t page_size;
    /**
     * Processors that are online.
     */
    uint32_t cpus;
    /**
     * futex_waitv works: deaths are noticed at once, else within milliseconds.
     */
    bool futex_waitv;
    /**
     * The kernel keeps robust lists, without which nothing works.
     */
    bool robust_list;
    /**
     * The directory of segments supports open-file-description locks.
     */
    bool byte_locks;
    /**
     * The directory of segments supports unnamed files.
     */
    bool unnamed_files;
    /**
     * membarrier works: most calls do without a fence.
     */
    bool membarrier;
    /**
     * Waits of this process so far that nobody woke, and that ended because every waiter
     * looks again after a while: 0, unless several processes died within microseconds.
     */
    uint64_t rescued_waits;
    /**
     * The C library and its version, ended by NUL.
     */
    char libc[16];
    /**
     * The kernel and its release, ended by NUL.
     */
    char kernel[64];
    /**
     * The directory where segments live, ended by NUL.
     */
    char directory[128];
} atoll_platform;

/**
 * How a segment is made or opened. Begin with ATOLL_SEGMENT_OPTIONS_INIT; a field
 * that is 0 means the default.
 */
typedef struct {
    /**
     * sizeof(atoll_segment_options), or 0, which says the same.
     */
    uint32_t struct_size;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * The most bytes the segment may ever have: 64 KiB to 2^46, by default 64 MiB.
     * Memory is taken only as it is needed. Opening an existing one ignores it.
     */
    uint64_t size;
    /**
     * Who may open it, as for open(2), whatever the umask: by default 0600. Opening
     * an existing one ignores it.
     */
    uint32_t mode;
    /**
     * 1: load and list, change nothing. Takes no place among the participants. For
     * opening only: a segment that is to be created is to be written.
     */
    uint32_t read_only;
    /**
     * 1: the segment goes with its last process, also if that was killed: see
     * atoll_gc(). Opening an existing one ignores it.
     */
    uint32_t ephemeral;
    /**
     * The most threads, of all processes together, that may use locks of the segment
     * at a time; each waiter counts as one, too. Up to 16383, by default 4096. Opening an existing one ignores it.
     */
    uint32_t max_participants;
} atoll_segment_options;

/**
 * What a segment is and how full it is.
 */
typedef struct {
    /**
     * The most bytes it may have.
     */
    uint64_t size;
    /**
     * Bytes of memory taken from the system so far.
     */
    uint64_t committed;
    /**
     * Bytes of these that hold something.
     */
    uint64_t used;
    /**
     * Bytes of these that new objects can have without more memory.
     */
    uint64_t free;
    /**
     * The most that one of them can have so.
     */
    uint64_t largest_free;
    /**
     * Objects in it, with and without name.
     */
    uint64_t objects;
    /**
     * How many processes have died in it: killed, crashed, or ended by _exit().
     */
    uint64_t death_epoch;
    /**
     * Processes that have it open for writing now.
     */
    uint32_t members;
    /**
     * Threads of these that opened it or have locked something in it, and their waiters.
     */
    uint32_t participants;
    /**
     * The most threads that may take part.
     */
    uint32_t max_participants;
    /**
     * The permission bits of the file.
     */
    uint32_t mode;
    /**
     * The version of the memory layout.
     */
    uint32_t layout_version;
    /**
     * This handle can load and list only.
     */
    bool read_only;
    /**
     * The segment goes with its last process.
     */
    bool ephemeral;
    /**
     * The name, without '/', ended by NUL.
     */
    char name[208];
} atoll_segment_info;

/**
 * The type of a value or of the elements of an array.
 *
 * ATOLL_TYPE_I64 and its like initialise one for a scalar. For ATOLL_BYTES set
 * code and size; for ATOLL_STRUCT set code, size and align, and format if there
 * is one. What a scalar leaves 0 or "" is filled in.
 */
typedef struct {
    /**
     * sizeof(atoll_type), or 0, which says the same.
     */
    uint32_t struct_size;
    /**
     * One of ATOLL_I8 to ATOLL_STRUCT.
     */
    uint32_t code;
    /**
     * Bytes of one element; 0 with ATOLL_BYTES for a ring of messages, and for nothing else.
     */
    uint64_t size;
    /**
     * Alignment of one element in bytes, a power of two.
     */
    uint32_t align;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * The element as Python's buffer protocol (PEP 3118) writes it, such as "<q".
     * "" in a struct means that only size and alignment are compared.
     */
    char format[64];
} atoll_type;

/**
 * What a segment knows of one object.
 */
typedef struct {
    /**
     * One of ATOLL_KIND_MUTEX to ATOLL_KIND_MPMC; more will come.
     */
    uint32_t kind;
    /**
     * Dimensions of an array, else 0.
     */
    uint32_t ndim;
    /**
     * Which user of its place in the segment it is.
     */
    uint64_t generation;
    /**
     * Bytes that it takes, its own bookkeeping included.
     */
    uint64_t bytes;
    /**
     * The type of a value, of the elements of an array, or of the records of a ring; code 0
     * for others.
     */
    atoll_type type;
    /**
     * Elements along each dimension; 0 past the last.
     */
    uint64_t shape[ATOLL_MAX_DIMENSIONS];
    /**
     * The name, ended by NUL; "" for an object without one.
     */
    char name[64];
} atoll_object_info;

/**
 * A process that took part in a segment and died.
 */
typedef struct {
    /**
     * The number of its death, counted in the segment from 1.
     */
    uint64_t epoch;
    /**
     * Its process id, as it called itself: in another container that is another one.
     */
    uint32_t pid;
    /**
     * Its effective user id.
     */
    uint32_t uid;
    /**
     * Its place in the segment.
     */
    uint32_t slot;
    /**
     * Which user of that place it was.
     */
    uint32_t generation;
    /**
     * The name of the thread that opened the segment, ended by NUL.
     */
    char name[16];
} atoll_member_info;

/**
 * How a mutex is made. Begin with ATOLL_MUTEX_OPTIONS_INIT.
 */
typedef struct {
    /**
     * sizeof(atoll_mutex_options), or 0, which says the same.
     */
    uint32_t struct_size;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * 1: the thread that holds it may lock it again, and unlocks it as often.
     * 0: locking it again is ATOLL_DEADLOCK.
     */
    uint32_t recursive;
} atoll_mutex_options;

/**
 * Who holds a mutex or a lock, or writes under a reader-writer lock. Ids and name are what the owner
 * itself calls them: in another container the same pid is somebody else.
 */
typedef struct {
    /**
     * The process; 0 if its place is somebody else's already, or if generation is 0.
     */
    uint32_t pid;
    /**
     * The thread.
     */
    uint32_t tid;
    /**
     * The owner's place in the segment.
     */
    uint32_t slot;
    /**
     * Which user of that place it is, counted from 1; 0 if there is nobody.
     */
    uint32_t generation;
    /**
     * false: the owner is dead, and the next to lock will be told.
     */
    bool alive;
    /**
     * An owner died, and nobody has marked the lock consistent since.
     */
    bool owner_died;
    /**
     * The name of the thread, as pthread_setname_np() sets it, ended by NUL.
     */
    char name[16];
} atoll_owner;

/**
 * What an array is made of.
 */
typedef struct {
    /**
     * The type of the elements.
     */
    atoll_type type;
    /**
     * How many dimensions there are.
     */
    uint32_t ndim;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * How many elements there are.
     */
    uint64_t length;
    /**
     * Bytes of all elements together.
     */
    uint64_t bytes;
    /**
     * Elements along each dimension; 0 past the last. The last varies fastest.
     */
    uint64_t shape[ATOLL_MAX_DIMENSIONS];
} atoll_array_layout;

/**
 * How an object is handed to another process, with or without a name: some bytes
 * that can go through any channel (a pipe, a socket, a file).
 *
 * A ticket keeps its object alive until somebody imports it, or the process that
 * exported it has left the segment. Who imports it first takes that over. Later, or
 * with a copy, it leads to the object for as long as somebody has it open.
 *
 * The fields are the library's to fill in; a ticket that was changed is refused or
 * leads to another object of the same kind, and never to a fault.
 */
typedef struct {
    /**
     * Which segment of that name it is.
     */
    uint64_t identity;
    /**
     * What the object is (ATOLL_KIND_MUTEX to ATOLL_KIND_LATCH) comes first; the others
     * say where in the segment it is.
     */
    uint64_t words[6];
    /**
     * The name of the segment, ended by NUL.
     */
    char segment[208];
} atoll_ticket;

/**
 * How a semaphore is made. Begin with ATOLL_SEMAPHORE_OPTIONS_INIT.
 */
typedef struct {
    /**
     * sizeof(atoll_semaphore_options), or 0, which says the same.
     */
    uint32_t struct_size;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * How many permits there are to be had at first. Who opens one leaves it 0.
     */
    uint32_t value;
    /**
     * How many there can be; 0: 2^31 - 1, or `value` if it is tracked, which has no other.
     * Who opens one: what it expects; 0: whatever it is.
     */
    uint32_t max;
    /**
     * 1: permits belong to the process that acquired them, and are to be had again as soon
     * as it is dead. There are 1 to 4096 of them, all free at first.
     * 0: the semaphore counts, and anybody releases.
     */
    uint32_t tracked;
} atoll_semaphore_options;

/**
 * What a semaphore is at one moment.
 */
typedef struct {
    /**
     * How many permits there are to be had; of a tracked one also those of the dead.
     */
    uint32_t value;
    /**
     * How many there can be.
     */
    uint32_t max;
    /**
     * Permits belong to processes.
     */
    bool tracked;
} atoll_semaphore_info;

/**
 * How somebody arrived at a barrier.
 */
typedef struct {
    /**
     * How many came before it in its generation.
     */
    uint32_t index;
    /**
     * It was the last one.
     */
    bool last;
} atoll_arrival;

/**
 * What a barrier says of itself.
 */
typedef struct {
    /**
     * How many have to arrive: as many as it was made for, less those who dropped out.
     */
    uint32_t parties;
    /**
     * How many have arrived and wait; 0 if it is broken.
     */
    uint32_t waiting;
    /**
     * How often it has opened or been reset, modulo 2^32.
     */
    uint32_t generation;
    /**
     * Who died inside, if that broke it, as that one's own pid namespace calls it; 0 if
     * somebody gave up, or if it is not known. It stays until the reset.
     */
    uint32_t culprit_pid;
    /**
     * It is broken: nobody passes until it is reset.
     */
    bool broken;
} atoll_barrier_info;

/**
 * What a ring is to be. Begin it with ATOLL_RING_OPTIONS_INIT.
 */
typedef struct {
    /**
     * sizeof(atoll_ring_options), or 0, which says the same.
     */
    uint32_t struct_size;
    /**
     * One of ATOLL_WAIT_ADAPTIVE, ATOLL_WAIT_SPIN, ATOLL_WAIT_SLEEP: how its users wait.
     */
    uint32_t waiting;
    /**
     * How many records there is room for, of a fanin in each lane: a power of two. To open a
     * ring, 0 stands for what it has.
     */
    uint64_t capacity;
    /**
     * How many lanes a fanin has, 1 to 64, one for each producer. Of other rings 0. To open a
     * ring, 0 stands for what it has.
     */
    uint32_t lanes;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} atoll_ring_options;

/**
 * What a ring is, and what has gone through it. Counts are those of one moment, and may be off
 * by what others do meanwhile; nothing is decided by them. Of a ring of messages they count
 * cells, not messages.
 */
typedef struct {
    /**
     * The type of its records.
     */
    atoll_type type;
    /**
     * How many there is room for, of a fanin in each lane.
     */
    uint64_t capacity;
    /**
     * How many are in it.
     */
    uint64_t length;
    /**
     * How many were ever put.
     */
    uint64_t pushed;
    /**
     * How many were ever got.
     */
    uint64_t popped;
    /**
     * How many went to somebody else because who was about to get them died.
     */
    uint64_t redelivered;
    /**
     * How many places were skipped because who was about to fill them died.
     */
    uint64_t skipped;
    /**
     * The most that were found in it, of a fanin in one lane, by who looked for more.
     */
    uint64_t high_water;
    /**
     * How many lanes a fanin has; 1 for a spsc, 0 for a mpmc.
     */
    uint32_t lanes;
    /**
     * How its users wait: one of ATOLL_WAIT_ADAPTIVE, ATOLL_WAIT_SPIN, ATOLL_WAIT_SLEEP.
     */
    uint32_t waiting;
    /**
     * Which ends are closed for good: 0, ATOLL_PRODUCERS, ATOLL_CONSUMERS, or both.
     */
    uint32_t ended;
    /**
     * 0.
     */
    uint32_t reserved;
} atoll_ring_info;

/**
 * A place of an mpmc in the hands of a process.
 */
typedef struct {
    /**
     * Where to write the record, or to read it.
     */
    void *place;
    /**
     * Its bytes: as many as a record has, or as were claimed for a message, or as it has.
     */
    size_t len;
    /**
     * What to call it: never 0.
     */
    uint64_t id;
    /**
     * How often a record was taken over from a process that died with it or gave it up.
     */
    uint32_t times;
    /**
     * 0.
     */
    uint32_t reserved;
} atoll_reservation;

/**
 * One of several things that a thread waits for.
 */
typedef struct {
    /**
     * A handle of an event, a latch, a semaphore, a waiter, a ring, or a segment, whose members
     * may die.
     */
    const void *handle;
    /**
     * Of a segment, the last death that you know of, as for atoll_segment_wait_death(). Of
     * an event, 0; or for a wait in several pieces 1 more than what atoll_event_sets() said
     * when it began. Of
     * a ring, ATOLL_CONSUMERS for something to get, or ATOLL_PRODUCERS for room. Else 0.
     */
    uint64_t seen;
} atoll_waitable;

/**
 * Where the first word of an object lies, and how a thread finds out what it is called
 * there: all that a program needs to lock an uncontended mutex, to read under a lock that
 * nobody writes under, to change a value, or to acquire a permit that is there, without a
 * call. <atoll/inline.h> does it, and so do
 * atoll.hpp and the Python package. This is the contract that they rely on, edition 2.
 *
 * A value     `word` is the value itself, of 1, 2, 4 or 8 bytes. Any atomic operation of
 *             that width may be applied to it, sequentially consistent ones to be like
 *             the calls. If READ_ONLY is set, it can only be loaded.
 *
 * A thread    has a record in private memory. The thread pointer (fs:0 on x86-64) plus
 *             `thread` is the address of a pointer to it, NULL before the thread's first
 *             call. In the record:
 *               at 0          uint64_t   odd while the thread is inside a call
 *               at `seat`     uint64_t   the segment that the next word is about
 *                             uint64_t   the thread's name there
 *                             uint64_t   the address of its marks there, uint64_t[8]
 *             The kernel clears records in a forked child. So the seat is good if the
 *             first word is even and the second is equal to `segment`. It is not before
 *             the thread's first call in the segment, in a child before its first call,
 *             while another segment uses the same seat, and while a transaction is open.
 *             The name is loaded before the segment is compared, for a signal handler in
 *             between may give the seat to another segment.
 *
 * A mutex     `word` is a uint64_t. 0: nobody holds it and nobody waits. The name | 2^31:
 *             that thread holds it and nobody waits. With a good seat, a thread
 *               locks it    by a compare-exchange (acquire) of 0 for its name | 2^31
 *               unlocks it  by a compare-exchange (release) of its name | 2^31 for 0
 *             If RECURSIVE is set, the uint32_t at `word` + 8 says how often the holder
 *             has locked it again. It is 0 while nobody holds it, and the holder's alone.
 *
 * A reader-writer lock
 *             `word` is a uint64_t. Bit 31 is set while somebody writes or is about to, bit
 *             63 if a writer has died. The uint64_t at `word` + 64, the key, never changes.
 *             Bits 19..17 of it say which of a thread's marks is the lock's. The uint32_t at
 *             `word` + 72 is more than the slot, bits 45..32 of the name, of any thread that
 *             ever read there. With a good seat, a thread
 *               reads   if its slot is less than that and its mark is 0: an exchange
 *                       (sequentially consistent) of the mark for the key | 2, then a load
 *                       (likewise) of `word`. If bits 31 and 63 are 0, it is in; if not, it
 *                       calls atoll_place_retreat(). From before it looks at the seat
 *                       until this is decided, the first word of its record is one more,
 *                       then one more again, or as it was.
 *               leaves  by a compare-exchange (release) of its mark from the key | 2 to 0
 *
 * A semaphore `word` is a uint64_t: in bits 62..32 how many permits there are, bit 31 set
 *             exactly if there are any, bit 30 set if somebody may wait, bit 63 as well as
 *             that if somebody polls, and never if there are any, the rest 0. The uint32_t at
 *             `word` + 8 is the most there can be, and never changes. Any thread with the
 *             handle open, by a compare-exchange,
 *               acquires one  (acquire) if there is any: one less, bit 30 as it is
 *               releases one  (release) if bit 30 is 0 and there are less than can be
 *
 * An event    `word` is a uint64_t. It is set if bit 31 of what is loaded (acquire) is. The
 *             word is the calls' to change.
 *
 * In every other case the calls do it: if a seat is not good, if an exchange fails, if
 * `word` is NULL.
 */
typedef struct {
    /**
     * The first word of the object in shared memory; NULL if there is no short way.
     */
    void *word;
    /**
     * The number by which this process knows the segment.
     */
    uint64_t segment;
    /**
     * From the thread pointer to the pointer to the thread's record.
     */
    int64_t thread;
    /**
     * From the start of the record to the seat.
     */
    uint32_t seat;
    /**
     * ATOLL_PLACE_RECURSIVE and ATOLL_PLACE_READ_ONLY, or 0.
     */
    uint32_t flags;
} atoll_place;

/**
 * Where one end of a spsc is: all that its producer needs to push, or its consumer to pop,
 * without a call. <atoll/inline.h> does it, and so does atoll.hpp. This is the contract that
 * they rely on, a part of that which stands at atoll_place.
 *
 * The way is good while the uint32_t at `process` is 2 and the uint64_t at `member`, loaded
 * after it (acquire), is `mine`, until the role is given up or the handle closed: in a
 * forked child it is not. It is for one thread at a time, as the role is.
 *
 * The places for records are mask + 1, a power of two, of `record` bytes each. That number n
 * uses place n & mask. A producer's `counter` says how many were ever pushed, a consumer's
 * how many were ever popped; `other` is the counter of the other end. All are uint64_t.
 *
 * Three uint64_t at `own` are this process's, for calls and whoever goes this way: [0] is what
 * the counter is, [1] what was last seen at `other`. The counter itself is only stored to:
 * to load it may mean to fetch it from the other end, which looks at it.
 *
 *   push   If own[0] - other (acquire) is mask + 1, it is full. If not, the record goes to
 *          the place of own[0].
 *   pop    If other (acquire) - own[0] is 0, it is empty. If it is more than `*most`, that
 *          becomes `*most`. The record is copied from the place of own[0].
 *   both   Then one more than own[0] is stored (release) at `saying`, then, as the compiler
 *          is told to leave it, `watch` is loaded. If bits 33 to 30 of that are 0, one more
 *          is stored at own[0] and (release) at `counter`, and it is done. If not, `saying`
 *          is set back to own[0] (release), and the call is made.
 *
 * `other` need not be loaded again while own[1] is enough. Full or empty is the answer only
 * if bits 33 and 32 of `ends` are 0. In every other case the call does it: also if the
 * difference of the counters is more than mask + 1. Who finds it full or empty does well to
 * pause and look again before it says so, once at each own[0]: own[2] says where it last did.
 */
typedef struct {
    /**
     * How many records went through this end; NULL if there is no short way.
     */
    uint64_t *counter;
    /**
     * How many will have.
     */
    uint64_t *saying;
    /**
     * How many went through the other end.
     */
    const uint64_t *other;
    /**
     * Bits 33 to 30 are not 0 if somebody has to be told.
     */
    const uint64_t *watch;
    /**
     * Which ends are closed.
     */
    const uint64_t *ends;
    /**
     * The most that were found; NULL for a producer.
     */
    uint64_t *most;
    /**
     * The first place.
     */
    void *places;
    /**
     * Their number less 1.
     */
    uint64_t mask;
    /**
     * Bytes of a record.
     */
    uint64_t record;
    /**
     * Whether this is the process.
     */
    const uint32_t *process;
    /**
     * Which member of the segment it is.
     */
    const uint64_t *member;
    /**
     * As which member it has the role.
     */
    uint64_t mine;
    /**
     * What this end keeps to itself.
     */
    uint64_t *own;
} atoll_ring_place;

/**
 * Where a ring of records for many lies: all that a thread needs to push and pop a record without
 * a call. <atoll/inline.h> does it, and so does atoll.hpp. This is the contract that they rely on,
 * a part of that which stands at atoll_place, with which it begins.
 *
 * With a good seat, behind the thread's marks follow, at 96 bytes from them, three uint64_t of its
 * claim: the first is `object` once the thread has used the ring by a call. The way is good if it
 * is. From before it looks at the seat until all is over the first word of the thread's record is
 * one more, so that the calls of a signal handler are refused; then it is one more again.
 *
 * That number n is in place n & mask, which begins with its word, `stride` bytes from the one
 * before, and has its record `lead` bytes behind that. `watch` are two words of which bits 33 to
 * 30 are 0 if nobody has to be told, `suspected` is one whose halves are equal if nobody suspects
 * that a dead one has left something.
 *
 *   push   The word of number `*tail` (acquire) is n << 16. 2^62 | 2^48 | n modulo 2^48 is stored
 *          (release) to the third word of the claim, then `tail` exchanged (sequentially
 *          consistent) for n + 1. The record is written, then n << 16 | 2^14 stored (release) to
 *          the word. If watch[0], loaded after the exchange, says that somebody has to be told,
 *          atoll_place_finish_push() does that instead of the store.
 *   pop    The word of number `*head` (acquire) is n << 16 | 2^14, and n is no multiple of 64.
 *          2^63 | 2^48 | n modulo 2^48 is stored, and `head` exchanged, likewise. The record is
 *          read, then n + mask + 1 << 16 stored (release) to the word. If watch[0] or watch[1] say
 *          that somebody has to be told, atoll_place_finish_pop() reads it instead, and does the
 *          rest.
 *
 * If an exchange fails, 0 is stored (release) to the third word of the claim. In every other case
 * the call does it, and also if watch[0] is not 0 there before the claim.
 */
typedef struct {
    /**
     * Its `word` is NULL if there is no short way.
     */
    atoll_place place;
    /**
     * How many numbers were claimed to be put.
     */
    uint64_t *tail;
    /**
     * ... and to be got.
     */
    uint64_t *head;
    /**
     * Who has to be told of records, and of room.
     */
    const uint64_t *watch[2];
    /**
     * Whether somebody suspects something.
     */
    const uint64_t *suspected;
    /**
     * From one word to the next.
     */
    uint64_t stride;
    /**
     * From a word to its record.
     */
    uint64_t lead;
    /**
     * The number of places less 1.
     */
    uint64_t mask;
    /**
     * Bytes of a record.
     */
    uint64_t record;
    /**
     * What the first word of the claim is.
     */
    uint64_t object;
    /**
     * The handle, for what finishes.
     */
    atoll_mpmc *mpmc;
} atoll_mpmc_way;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status: "ATOLL_TIMED_OUT" for 2. A number that is no status
 * gives "no atoll status".
 *
 * Returns   Static text. Never NULL.
 * Threads   Any thread, also in a signal handler.
 * Since     0.1
 */
const char *atoll_status_name(int32_t status);

/**
 * Whether a call that returned `status` left you holding the lock: true for
 * ATOLL_OK and ATOLL_OWNER_DIED.
 *
 * Returns   true or false. Meaningful for calls that acquire something.
 * Threads   Any thread, also in a signal handler.
 * Since     0.1
 */
bool atoll_status_is_acquired(int32_t status);

/**
 * Says why the last call of this thread that failed did so.
 *
 * A call that succeeds leaves it alone, as errno does, so ask only after a call
 * that returned neither ATOLL_OK nor ATOLL_OWNER_DIED, or NULL for an address.
 * Before any failure it is {ATOLL_OK, 0, ""}.
 *
 * out       Receives a copy. NULL is allowed and does nothing.
 *
 * Threads   Any thread; each has its own.
 * Fork      A child begins with what the forking thread had.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
void atoll_last_error(atoll_error *out);

/**
 * The version of the declarations that the library was built with. A program that
 * was compiled with another ATOLL_ABI_VERSION does not fit.
 *
 * Threads   Any thread, also in a signal handler.
 * Since     0.1
 */
uint32_t atoll_abi_version(void);

/**
 * A hash of all declarations here. Bindings that are shipped with their library
 * compare it to be sure that they belong together.
 *
 * Threads   Any thread, also in a signal handler.
 * Since     0.1
 */
uint64_t atoll_abi_fingerprint(void);

/**
 * A hash of all structs that lie in segments. Processes whose libraries differ in it
 * cannot share a segment.
 *
 * Threads   Any thread, also in a signal handler.
 * Since     0.1
 */
uint64_t atoll_layout_fingerprint(void);

/**
 * The version of the library, such as "0.1.0": ATOLL_VERSION of the header that
 * belongs to it.
 *
 * Returns   Static text. Never NULL.
 * Threads   Any thread, also in a signal handler.
 * Since     0.1
 */
const char *atoll_version(void);

/**
 * Says what this machine and this process offer. Makes a few system calls.
 *
 * out       Receives the answer.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL.
 *
 * Threads   Any thread.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_platform_info(atoll_platform *out);

/**
 * Makes a segment.
 *
 * It is born whole: no other process can see it half made, and if this one is
 * killed meanwhile nothing is left behind.
 *
 * name      1 to 200 bytes of UTF-8 without '/'; one '/' in front is allowed and
 *           means nothing. The segment is the file of that name in /dev/shm, or in
 *           the directory that the environment variable ATOLL_DIR names.
 * options   How; NULL for the defaults.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      There is a file of that name. Open it, or unlink it first.
 *   NO_SPACE            The file system is full, or too small for a segment. In a
 *                       container that is often /dev/shm with 64 MB: start it with
 *                       --shm-size, or set ATOLL_DIR.
 *   PERMISSION          You may not write to the directory.
 *   INVALID_ARGUMENT    The name or an option is not allowed. See the sentence.
 *   SYSTEM              The system refused. See os_errno and the sentence.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle; it becomes a member of its own.
 * Owner     The handle is yours: give it to atoll_segment_close(). The segment stays
 *           until atoll_segment_unlink(), or if it is ephemeral, until no process has
 *           it open for writing any more.
 * Since     0.1
 */
atoll_status atoll_segment_create(const char *name,
                                  const atoll_segment_options *options,
                                  atoll_segment **out);

/**
 * Opens a segment by its name.
 *
 * name      As for atoll_segment_create().
 * options   read_only counts; what was fixed at its creation is ignored. NULL opens
 *           it for reading and writing.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to one segment.
 *   NOT_FOUND           There is no segment of that name.
 *   PERMISSION          Its mode does not let you. Perhaps it does read-only.
 *   INCOMPATIBLE        The file is not a segment, or one with another layout; the
 *                       sentence says which.
 *   CORRUPTED           It was a segment, and is damaged. It can only be unlinked.
 *   NO_SPACE            As many processes as it has room for have it open.
 *   INVALID_ARGUMENT    The name or an option is not allowed. See the sentence.
 *   SYSTEM              The system refused. See os_errno and the sentence.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle; it becomes a member of its own.
 * Owner     The handle is yours: give it to atoll_segment_close().
 * Since     0.1
 */
atoll_status atoll_segment_open(const char *name,
                                const atoll_segment_options *options,
                                atoll_segment **out);

/**
 * Opens the segment of that name, or makes it if there is none. Of many who do
 * this at once, one makes it and the others open it.
 *
 * name      As for atoll_segment_create().
 * options   As for atoll_segment_create(). They count if this call makes it.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns   As atoll_segment_open() or atoll_segment_create(), but neither NOT_FOUND
 *           nor ALREADY_EXISTS.
 * Threads   Any thread.
 * Fork      A child may use the handle; it becomes a member of its own.
 * Owner     The handle is yours: give it to atoll_segment_close().
 * Since     0.1
 */
atoll_status atoll_segment_open_or_create(const char *name,
                                          const atoll_segment_options *options,
                                          atoll_segment **out);

/**
 * Gives the home segment of the process: one of its own, made when it is first asked
 * for. It is ephemeral, of mode 0600, named atoll-home-<pid>-<random>, and may grow to
 * all that the file system can hold.
 *
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle, to the same segment each time.
 *   NO_SPACE            The file system is full, as for atoll_segment_create().
 *   PERMISSION          You may not write to the directory.
 *   SYSTEM              The system refused. See os_errno and the sentence.
 *
 * Threads   Any thread.
 * Fork      A child that calls this gets a home of its own. It keeps its parent's
 *           open, and may use handles to that.
 * Owner     The handle is yours: give it to atoll_segment_close(). The process itself
 *           keeps its home open until it ends, or calls atoll_process_leave().
 * Since     0.1
 */
atoll_status atoll_segment_home(atoll_segment **out);

/**
 * Removes the ephemeral segments of this user that no process has open for writing any
 * more, because the last ones were killed. Each atoll_segment_create() does the same.
 *
 * out_reclaimed   Receives how many there were.
 *
 * Returns
 *   OK                  *out_reclaimed is written. What other users left, and what is
 *                       damaged or of another layout, is left alone.
 *   INVALID_ARGUMENT    out_reclaimed is NULL.
 *   SYSTEM              The directory of segments cannot be read.
 *
 * Threads   Any thread.
 * Since     0.1
 */
atoll_status atoll_gc(uint64_t *out_reclaimed);

/**
 * Removes the name of a segment. Who has it open keeps it until the last handle
 * is closed; a segment made later under the name is another one.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           There was none.
 *   PERMISSION          The directory does not let you.
 *   INVALID_ARGUMENT    The name is not allowed.
 *   SYSTEM              The system refused. See os_errno and the sentence.
 *
 * Threads   Any thread.
 * Since     0.1
 */
atoll_status atoll_segment_unlink(const char *name);

/**
 * Closes a handle. Objects opened through it stay usable: they keep the memory.
 * With the last handle to the segment and its objects, the process leaves it;
 * locks that it still holds count as those of an owner that died.
 *
 * segment   The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a segment.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_segment_close(atoll_segment *segment);

/**
 * Checks every invariant of the segment and of all objects in it.
 *
 * Returns
 *   OK                  It is sound.
 *   CORRUPTED           It is not; the sentence says where.
 *   INVALID_ARGUMENT    The handle is closed.
 *
 * Threads   Any thread. Others may go on using the segment meanwhile.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_segment_verify(const atoll_segment *segment);

/**
 * Says what the segment is and how full it is. Figures may lag behind what other
 * threads are doing just now.
 *
 * out       Receives the answer.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_segment_stat(const atoll_segment *segment,
                                atoll_segment_info *out);

/**
 * Lists the objects of the segment in the order in which they were made.
 *
 * cursor    How many objects to pass over: 0 at first, then what you have seen.
 * entries   Receives up to n objects.
 * n         The room in entries; at least 1.
 * out_n     Receives how many were written; 0 means that there are no more.
 *
 * Returns
 *   OK                  entries and *out_n are filled in.
 *   INVALID_ARGUMENT    n is 0, an output is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged. Nothing is written.
 *
 * Threads   Any thread. Objects made meanwhile come at the end.
 * Fork      A child may use the handle.
 * Owner     The copies are yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_segment_list(const atoll_segment *segment,
                                uint64_t cursor,
                                atoll_object_info *entries,
                                size_t n,
                                size_t *out_n);

/**
 * Waits for the death of a process that takes part in the segment: killed,
 * crashed, or ended by _exit() or exec(). To close everything or to return from
 * main() is not a death.
 *
 * Deaths are numbered from 1; each call reports one, the oldest that you have not
 * seen, even if it lies in the past. Begin with 0, or with death_epoch of
 * atoll_segment_stat() to hear only of later ones, then pass what *out_epoch gave. A
 * death is forgotten when another process takes the place of the dead one.
 *
 * seen_epoch  The last death that you know of.
 * timeout_ns  How long to wait, as for atoll_mutex_lock().
 * out_epoch   Receives the number of the death, for the next call.
 * out         Receives who it was.
 *
 * Returns
 *   OK                  A process died; the outputs say which.
 *   TIMED_OUT           None did. Nothing is written.
 *   INTERRUPTED         A signal handler ran. Call again.
 *   PERMISSION          The segment is open read-only, so deaths cannot be followed.
 *   INVALID_ARGUMENT    timeout_ns is negative, an output is NULL, or the handle is
 *                       closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread, any number at a time.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     The copies are yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_segment_wait_death(const atoll_segment *segment,
                                      uint64_t seen_epoch,
                                      int64_t timeout_ns,
                                      uint64_t *out_epoch,
                                      atoll_member_info *out);

/**
 * Leaves all segments in good order, as exit() does. For a process that is about to end
 * without it, by _exit(): its end is no death for atoll_segment_wait_death(), and
 * ephemeral segments that it leaves as the last one go.
 *
 * Handles stay valid. A later call through one makes the process take part again; if the
 * segment went meanwhile, that is NOT_FOUND. A transaction that the calling thread has
 * open is aborted; locks that it holds count as those of an owner that died. Other
 * threads that have used locks of a segment are not disturbed, nor do they look dead.
 *
 * Returns
 *   OK                  The process has left. Its home segment is closed, too.
 *   SYSTEM              The system refused. See os_errno and the sentence.
 *
 * Threads   Any thread.
 * Fork      Concerns the process that calls, no other.
 * Since     0.1
 */
atoll_status atoll_process_leave(void);

/**
 * Makes a mutex, free, in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a mutex without a name, which others can only get by a ticket.
 * options   How; NULL for the defaults: not recursive.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mutex_close(). With a name the mutex
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_mutex_create(atoll_segment *segment,
                                const char *name,
                                const atoll_mutex_options *options,
                                atoll_mutex **out);

/**
 * Opens a mutex by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a mutex without a name cannot be opened.
 * options   What you expect it to be; NULL for not recursive.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same mutex.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object, or recursive where you
 *                       expect a plain one, or the other way round.
 *   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mutex_close().
 * Since     0.1
 */
atoll_status atoll_mutex_open(atoll_segment *segment,
                              const char *name,
                              const atoll_mutex_options *options,
                              atoll_mutex **out);

/**
 * Opens the mutex of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_mutex_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_mutex_open().
 *   NO_SPACE            As for atoll_mutex_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mutex_close().
 * Since     0.1
 */
atoll_status atoll_mutex_open_or_create(atoll_segment *segment,
                                        const char *name,
                                        const atoll_mutex_options *options,
                                        atoll_mutex **out);

/**
 * Removes the name of a mutex, recursive or not: nobody can open it any more, and the
 * name is free for something else. Who has it open goes on using it; its memory is free
 * with the last of them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the mutex stay as they are.
 * Since     0.1
 */
atoll_status atoll_mutex_remove(atoll_segment *segment,
                                const char *name);

/**
 * Closes a handle. A mutex with a name stays in the segment; another one goes when no
 * process has it open any more. One that is held stays held: close does not unlock. A
 * call that waits on another thread goes on.
 *
 * mutex     The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a mutex.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_mutex_close(atoll_mutex *mutex);

/**
 * Acquires the mutex, waiting up to `timeout_ns`.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * Returns
 *   OK                  You hold the lock.
 *   OWNER_DIED          You hold the lock. Its last holder died holding it, so what
 *                       it guards may be half-changed. Repair that, then call
 *                       atoll_mutex_mark_consistent(). Unlock without it and the
 *                       next holder is told the same, until somebody does.
 *   TIMED_OUT           You do not hold it. Nothing changed.
 *   INTERRUPTED         A signal handler ran. You do not hold it. Call again.
 *   DEADLOCK            This thread holds it already, and it is not recursive; or its
 *                       transaction holds it.
 *   FULL                It is recursive and locked as often as can be counted.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Only the thread that locked may unlock.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and does not hold what its parent held.
 * Owner     Takes nothing. `mutex` stays yours.
 * Since     0.1
 */
atoll_status atoll_mutex_lock(atoll_mutex *mutex,
                              int64_t timeout_ns);

/**
 * Releases the mutex, or undoes one lock of a recursive one.
 *
 * Returns
 *   OK                  Done. If others wait, one of them is on its way.
 *   NOT_OWNER           This thread does not hold it. Nothing changed.
 *   DEADLOCK            This thread's transaction holds it, and gives it back when it
 *                       ends.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The holder.
 * Fork      NOT_OWNER in a child for what its parent held.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_mutex_unlock(atoll_mutex *mutex);

/**
 * Says that what the mutex guards has been repaired: later holders are no longer
 * told that an owner died. Without such news to end it does nothing. In a transaction
 * it counts from the commit on.
 *
 * Returns
 *   OK                  Done.
 *   NOT_OWNER           This thread does not hold the mutex. Nothing changed.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The holder.
 * Fork      NOT_OWNER in a child for what its parent held.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_mutex_mark_consistent(atoll_mutex *mutex);

/**
 * Says who holds the mutex. The answer may be over when you read it: it is for
 * people and for logs.
 *
 * out       Receives the owner; generation 0, and all else 0, if nobody holds it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_mutex_owner(const atoll_mutex *mutex,
                               atoll_owner *out);

/**
 * Says who died holding the mutex: the news that comes with ATOLL_OWNER_DIED, until
 * somebody calls atoll_mutex_mark_consistent().
 *
 * out       Receives the dead owner; generation 0, and all else 0, without such news.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Who does not hold the mutex gets a moment's view.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_mutex_dead_owner(const atoll_mutex *mutex,
                                    atoll_owner *out);

/**
 * Makes a value, all bytes zero, in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for a
 *           value without a name, which others can only get by a ticket.
 * type      What it holds.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name or the type is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_value_close(). With a name the value
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_value_create(atoll_segment *segment,
                                const char *name,
                                const atoll_type *type,
                                atoll_value **out);

/**
 * Makes a value that holds something from the start: nobody can see it zero.
 *
 * Arguments as for atoll_value_create(), and
 *
 * initial   What it holds at first.
 * len       The size of the value.
 *
 * Returns   As atoll_value_create(), and INVALID_ARGUMENT also if len is not the size
 *           of the value, a boolean is neither 0 nor 1, or initial is NULL.
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     As for atoll_value_create().
 * Since     0.1
 */
atoll_status atoll_value_create_with(atoll_segment *segment,
                                     const char *name,
                                     const atoll_type *type,
                                     const void *initial,
                                     size_t len,
                                     atoll_value **out);

/**
 * Opens a value by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a value without a name cannot be opened.
 * type      What you expect it to hold; NULL for whatever it holds.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same value.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object or a value of another type;
 *                       the sentence names both.
 *   INVALID_ARGUMENT    The name or the type is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_value_close().
 * Since     0.1
 */
atoll_status atoll_value_open(atoll_segment *segment,
                              const char *name,
                              const atoll_type *type,
                              atoll_value **out);

/**
 * Opens the value of that name, or makes it, all bytes zero, if there is none. Of
 * many who do this at once, one makes it and the others open it.
 *
 * Arguments as for atoll_value_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_value_open().
 *   NO_SPACE            As for atoll_value_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name or the type is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_value_close().
 * Since     0.1
 */
atoll_status atoll_value_open_or_create(atoll_segment *segment,
                                        const char *name,
                                        const atoll_type *type,
                                        atoll_value **out);

/**
 * Opens the value of that name, or makes it holding `initial` if there is none. One
 * that is there keeps what it holds.
 *
 * Arguments as for atoll_value_create_with(). Without a name it always makes one.
 *
 * Returns   As atoll_value_open_or_create(), and INVALID_ARGUMENT also if len is not the
 *           size of the value, a boolean is neither 0 nor 1, or initial is NULL.
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     As for atoll_value_open_or_create().
 * Since     0.1
 */
atoll_status atoll_value_open_or_create_with(atoll_segment *segment,
                                             const char *name,
                                             const atoll_type *type,
                                             const void *initial,
                                             size_t len,
                                             atoll_value **out);

/**
 * Removes the name of a value: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last
 * of them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the value stay as they are.
 * Since     0.1
 */
atoll_status atoll_value_remove(atoll_segment *segment,
                                const char *name);

/**
 * Closes a handle. A value with a name stays in the segment; another one goes when no
 * process has it open any more. An address that atoll_value_data() gave is not to be
 * used when this process has no handle to the value any more.
 *
 * value     The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a value.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_value_close(atoll_value *value);

/**
 * Says what a value holds.
 *
 * out       Receives the type.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_value_type(const atoll_value *value,
                              atoll_type *out);

/**
 * Reads a value, whole: never half of one store and half of another.
 *
 * out       Receives the bytes.
 * cap       The room there.
 * out_len   Receives the size of the value, also with TOO_SMALL. May be NULL.
 *
 * Returns
 *   OK                  out and *out_len are filled in.
 *   TOO_SMALL           cap is less than the size of the value. Only *out_len is
 *                       written.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Readers never wait and never make a writer wait.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_load(const atoll_value *value,
                              void *out,
                              size_t cap,
                              size_t *out_len);

/**
 * Writes a value, whole.
 *
 * A value of up to 8 bytes is written in one store and never waits. A larger one
 * waits while another thread writes it; a writer that died is no obstacle.
 *
 * value       The handle.
 * bytes       What to write.
 * len         The size of the value.
 * timeout_ns  How long to wait for other writers, as for atoll_mutex_lock().
 *
 * Returns
 *   OK                  Others see the new bytes.
 *   TIMED_OUT           Another thread is writing. Nothing changed.
 *   INTERRUPTED         A signal handler ran. Nothing changed. Call again.
 *   DEADLOCK            It is larger than 8 bytes, and this thread's transaction has
 *                       stored to it.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    len is not the size of the value, a boolean is neither 0 nor
 *                       1, timeout_ns is negative, bytes is NULL, or the handle is
 *                       closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_store(atoll_value *value,
                               const void *bytes,
                               size_t len,
                               int64_t timeout_ns);

/**
 * Writes a value and gives what it was, in one step.
 *
 * value       The handle.
 * bytes       What to write.
 * len         The size of the value.
 * timeout_ns  How long to wait for other writers of a value larger than 8 bytes.
 * out_old     Receives the old bytes; NULL with cap 0 if they are not wanted. It may
 *             be the same memory as bytes.
 * cap         The room there.
 * out_len     Receives the size of the value, also with TOO_SMALL. May be NULL.
 *
 * Returns
 *   OK                  Others see the new bytes; the outputs are filled in.
 *   TOO_SMALL           cap is less than the size of the value. Nothing changed.
 *   and all that atoll_value_store() returns.
 *
 * Threads   Any thread.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_swap(atoll_value *value,
                              const void *bytes,
                              size_t len,
                              int64_t timeout_ns,
                              void *out_old,
                              size_t cap,
                              size_t *out_len);

/**
 * Writes a value if it is what you expect, in one step.
 *
 * Bits are compared, not meanings: of floats, -0.0 is not 0.0, and a NaN is equal
 * to the same NaN.
 *
 * value          The handle.
 * expected       What it has to be.
 * desired        What to write then.
 * len            The size of the value.
 * timeout_ns     How long to wait for other writers of a value larger than 8 bytes.
 * out_old        Receives the bytes that were found; NULL with cap 0 if they are not
 *                wanted. It may be the same memory as expected.
 * cap            The room there.
 * out_len        Receives the size of the value, also with TOO_SMALL. May be NULL.
 * out_exchanged  Receives true if desired was written, false if something else than
 *                expected was found.
 *
 * Returns
 *   OK                  The outputs are filled in; see *out_exchanged.
 *   TOO_SMALL           cap is less than the size of the value. Nothing changed.
 *   and all that atoll_value_store() returns.
 *
 * Threads   Any thread.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_compare_exchange(atoll_value *value,
                                          const void *expected,
                                          const void *desired,
                                          size_t len,
                                          int64_t timeout_ns,
                                          void *out_old,
                                          size_t cap,
                                          size_t *out_len,
                                          bool *out_exchanged);

/**
 * The address of a value of up to 8 bytes, for the atomic operations of your own
 * language: aligned to its size, the same value that the functions above work on.
 *
 * A plain load or store that races with others is as wrong here as on any shared
 * variable: use atomics. Where the segment is open read-only, so is the memory.
 *
 * Returns   The address, or NULL; atoll_last_error() then says why:
 *   WRONG_KIND          The value is larger than 8 bytes.
 *   INVALID_ARGUMENT    The handle is closed.
 *
 * Threads   Any thread.
 * Fork      The address is the same in a child.
 * Owner     Belongs to the segment. Use it only while a handle to the value is open.
 * Since     0.1
 */
void *atoll_value_data(atoll_value *value);

/**
 * Adds to a number, in one step, and gives what it was. Integers wrap around.
 *
 * value     The handle.
 * operand   A number of the type of the value.
 * len       The size of the value.
 * out_old   Receives the number before; NULL with cap 0 if it is not wanted. It may
 *           be the same memory as operand.
 * cap       The room there.
 * out_len   Receives the size of the value, also with TOO_SMALL. May be NULL.
 *
 * Returns
 *   OK                  Done; the outputs are filled in.
 *   TOO_SMALL           cap is less than the size of the value. Nothing changed.
 *   WRONG_KIND          The value is not a number: neither integer nor float.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    len is not the size of the value, operand is NULL, or the
 *                       handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_add(atoll_value *value,
                                   const void *operand,
                                   size_t len,
                                   void *out_old,
                                   size_t cap,
                                   size_t *out_len);

/**
 * Subtracts from a number, in one step, and gives what it was. Integers wrap around.
 *
 * Arguments as for atoll_value_fetch_add().
 *
 * Returns   As atoll_value_fetch_add().
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_sub(atoll_value *value,
                                   const void *operand,
                                   size_t len,
                                   void *out_old,
                                   size_t cap,
                                   size_t *out_len);

/**
 * Keeps the lesser of a number and the operand, in one step, and gives what it was. If
 * either is NaN, the number stays.
 *
 * Arguments as for atoll_value_fetch_add().
 *
 * Returns   As atoll_value_fetch_add().
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_min(atoll_value *value,
                                   const void *operand,
                                   size_t len,
                                   void *out_old,
                                   size_t cap,
                                   size_t *out_len);

/**
 * Keeps the greater of a number and the operand, in one step, and gives what it was. If
 * either is NaN, the number stays.
 *
 * Arguments as for atoll_value_fetch_add().
 *
 * Returns   As atoll_value_fetch_add().
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_max(atoll_value *value,
                                   const void *operand,
                                   size_t len,
                                   void *out_old,
                                   size_t cap,
                                   size_t *out_len);

/**
 * Keeps the bits of an integer that the operand has too, in one step, and gives what
 * it was.
 *
 * Arguments as for atoll_value_fetch_add().
 *
 * Returns   As atoll_value_fetch_add(), but WRONG_KIND for floats, too.
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_and(atoll_value *value,
                                   const void *operand,
                                   size_t len,
                                   void *out_old,
                                   size_t cap,
                                   size_t *out_len);

/**
 * Sets the bits of the operand in an integer, in one step, and gives what it was.
 *
 * Arguments as for atoll_value_fetch_add().
 *
 * Returns   As atoll_value_fetch_add(), but WRONG_KIND for floats, too.
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_or(atoll_value *value,
                                  const void *operand,
                                  size_t len,
                                  void *out_old,
                                  size_t cap,
                                  size_t *out_len);

/**
 * Flips the bits of the operand in an integer, in one step, and gives what it was.
 *
 * Arguments as for atoll_value_fetch_add().
 *
 * Returns   As atoll_value_fetch_add(), but WRONG_KIND for floats, too.
 * Threads   Any thread. Never waits.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_value_fetch_xor(atoll_value *value,
                                   const void *operand,
                                   size_t len,
                                   void *out_old,
                                   size_t cap,
                                   size_t *out_len);

/**
 * Makes an array, all bytes zero, in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for an
 *           array without a name, which others can only get by a ticket.
 * type      What each element holds.
 * ndim      How many dimensions: 1 to ATOLL_MAX_DIMENSIONS.
 * shape     ndim numbers of elements. The last dimension varies fastest.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    Name, type or shape is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_array_close(). With a name the array
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_array_create(atoll_segment *segment,
                                const char *name,
                                const atoll_type *type,
                                uint32_t ndim,
                                const uint64_t *shape,
                                atoll_array **out);

/**
 * Opens an array by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: an array without a name cannot be opened.
 * type      What you expect the elements to hold; NULL for whatever they hold.
 * ndim      The dimensions you expect; 0 for whatever it has.
 * shape     ndim numbers of elements you expect.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same array.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object, or an array of another type
 *                       or shape; the sentence names both.
 *   INVALID_ARGUMENT    Name, type or shape is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_array_close().
 * Since     0.1
 */
atoll_status atoll_array_open(atoll_segment *segment,
                              const char *name,
                              const atoll_type *type,
                              uint32_t ndim,
                              const uint64_t *shape,
                              atoll_array **out);

/**
 * Opens the array of that name, or makes it, all bytes zero, if there is none. Of
 * many who do this at once, one makes it and the others open it.
 *
 * Arguments as for atoll_array_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_array_open().
 *   NO_SPACE            As for atoll_array_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    Name, type or shape is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_array_close().
 * Since     0.1
 */
atoll_status atoll_array_open_or_create(atoll_segment *segment,
                                        const char *name,
                                        const atoll_type *type,
                                        uint32_t ndim,
                                        const uint64_t *shape,
                                        atoll_array **out);

/**
 * Removes the name of an array: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last
 * of them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the array stay as they are.
 * Since     0.1
 */
atoll_status atoll_array_remove(atoll_segment *segment,
                                const char *name);

/**
 * Closes a handle. An array with a name stays in the segment; another one goes when no
 * process has it open any more. The address of its elements is not to be used when this
 * process has no handle to the array any more.
 *
 * array     The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was an array.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_array_close(atoll_array *array);

/**
 * The address of the first element. It is aligned to 64 bytes, the elements follow
 * each other without gaps, and they are plain memory: a mutex, or atomics of your
 * own, must keep threads and processes out of each other's way. Where the segment
 * is open read-only, so is the memory.
 *
 * Returns   The address, or NULL; atoll_last_error() then says why:
 *   INVALID_ARGUMENT    The handle is closed.
 *
 * Threads   Any thread.
 * Fork      The address is the same in a child.
 * Owner     Belongs to the segment. Use it only while a handle to the array is open.
 * Since     0.1
 */
void *atoll_array_data(const atoll_array *array);

/**
 * Says what an array is made of.
 *
 * out       Receives type, shape and sizes.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_array_info(const atoll_array *array,
                              atoll_array_layout *out);

/**
 * Writes a ticket for the mutex, for another process to import.
 *
 * mutex     The handle.
 * out       Receives the ticket: copy it to the other process as it is.
 *
 * Returns
 *   OK                  *out is a ticket for one import.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle. A ticket written before the fork is the
 *           parent's, and goes with it.
 * Owner     The copy is yours; there is nothing to free. The object stays while the
 *           ticket is not imported, at most until this process leaves the segment.
 * Since     0.1
 */
atoll_status atoll_mutex_export(const atoll_mutex *mutex,
                                atoll_ticket *out);

/**
 * Opens the mutex that a ticket is for, recursive or not as it is. The segment is
 * opened too if this process has not opened it yet.
 *
 * ticket    What atoll_mutex_export() gave, here or in another process.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   NOT_FOUND           The object is gone, or its segment is: nobody had it open, and
 *                       who exported it has left.
 *   WRONG_KIND          The ticket is for something else than a mutex.
 *   NO_SPACE            As for atoll_mutex_export().
 *   INVALID_ARGUMENT    The ticket is NULL, or cannot be one.
 *   CORRUPTED           The segment is damaged.
 *   and what atoll_segment_open() returns, if the segment has to be opened.
 *
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mutex_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_mutex_import(const atoll_ticket *ticket,
                                atoll_mutex **out);

/**
 * Writes a ticket for the value, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_value_export(const atoll_value *value,
                                atoll_ticket *out);

/**
 * Opens the value that a ticket is for, whatever its type: atoll_value_type() says
 * which.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_value_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_value_import(const atoll_ticket *ticket,
                                atoll_value **out);

/**
 * Writes a ticket for the array, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_array_export(const atoll_array *array,
                                atoll_ticket *out);

/**
 * Opens the array that a ticket is for, whatever its type and shape:
 * atoll_array_info() says which.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_array_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_array_import(const atoll_ticket *ticket,
                                atoll_array **out);

/**
 * Makes a reader-writer lock, free, in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a lock without a name, which others can only get by a ticket.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_rwlock_close(). With a name the lock
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_rwlock_create(atoll_segment *segment,
                                 const char *name,
                                 atoll_rwlock **out);

/**
 * Opens a reader-writer lock by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a lock without a name cannot be opened.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same lock.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_rwlock_close().
 * Since     0.1
 */
atoll_status atoll_rwlock_open(atoll_segment *segment,
                               const char *name,
                               atoll_rwlock **out);

/**
 * Opens the lock of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_rwlock_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_rwlock_open().
 *   NO_SPACE            As for atoll_rwlock_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_rwlock_close().
 * Since     0.1
 */
atoll_status atoll_rwlock_open_or_create(atoll_segment *segment,
                                         const char *name,
                                         atoll_rwlock **out);

/**
 * Removes the name of a reader-writer lock: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the lock stay as they are.
 * Since     0.1
 */
atoll_status atoll_rwlock_remove(atoll_segment *segment,
                                 const char *name);

/**
 * Closes a handle. A lock with a name stays in the segment; another one goes when no
 * process has it open any more. One that is held stays held, for reading or for writing:
 * close does not unlock. A call that waits on another thread goes on.
 *
 * lock      The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a reader-writer lock.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_rwlock_close(atoll_rwlock *lock);

/**
 * Locks for reading, waiting up to `timeout_ns` while somebody writes or waits to.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * A thread that reads under the lock may lock it for reading again, and unlocks it as
 * often; that never waits. It costs two exchanges of a word of the thread's own, whoever
 * else reads.
 *
 * Returns
 *   OK                  You may read, until you call atoll_rwlock_read_unlock().
 *   OWNER_DIED          You may read, and have to unlock. A writer died, so what you read
 *                       may be half-changed. A writer has to repair that.
 *   TIMED_OUT           You may not. Nothing changed.
 *   INTERRUPTED         A signal handler ran. You may not. Call again.
 *   DEADLOCK            This thread writes under the lock.
 *   FULL                This thread reads 8 other reader-writer locks of the segment, or
 *                       this one 32,767 times.
 *   REENTRANT           Called in a signal handler that interrupted a call of this thread.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Only the thread that locked may unlock. If it ends before, it no
 *           longer counts, and nobody is told.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and does not hold what its parent held.
 * Owner     Takes nothing. `lock` stays yours.
 * Since     0.1
 */
atoll_status atoll_rwlock_read_lock(atoll_rwlock *lock,
                                    int64_t timeout_ns);

/**
 * Undoes one atoll_rwlock_read_lock().
 *
 * Returns
 *   OK                  Done. If this was the last reader, a writer that waits is on its way.
 *   NOT_OWNER           This thread does not read under the lock. Nothing changed.
 *   REENTRANT           Called in a signal handler that interrupted a call of this thread.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The reader.
 * Fork      NOT_OWNER in a child for what its parent held.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_rwlock_read_unlock(atoll_rwlock *lock);

/**
 * Locks for writing, waiting up to `timeout_ns` until nobody else reads or writes. While
 * it waits for readers no new ones come in.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * Returns
 *   OK                  You may write, until you call atoll_rwlock_write_unlock().
 *   OWNER_DIED          You may write. A writer died before it unlocked, so what the lock
 *                       guards may be half-changed. Repair that, then call
 *                       atoll_rwlock_mark_consistent(). Unlock without it and all who come
 *                       are told the same, until somebody does.
 *   TIMED_OUT           You may not. Nothing changed.
 *   INTERRUPTED         A signal handler ran. You may not. Call again.
 *   DEADLOCK            This thread reads or writes under the lock already. Who reads has
 *                       to unlock before it writes.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Only the thread that locked may unlock.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and does not hold what its parent held.
 * Owner     Takes nothing. `lock` stays yours.
 * Since     0.1
 */
atoll_status atoll_rwlock_write_lock(atoll_rwlock *lock,
                                     int64_t timeout_ns);

/**
 * Undoes atoll_rwlock_write_lock().
 *
 * Returns
 *   OK                  Done. If others wait, one of them is on its way.
 *   NOT_OWNER           This thread does not write under the lock. Nothing changed.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The writer.
 * Fork      NOT_OWNER in a child for what its parent held.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_rwlock_write_unlock(atoll_rwlock *lock);

/**
 * Says that what the lock guards has been repaired: who comes later is no longer told
 * that a writer died. Without such news to end it does nothing.
 *
 * Returns
 *   OK                  Done.
 *   NOT_OWNER           This thread does not write under the lock. Nothing changed.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The writer.
 * Fork      NOT_OWNER in a child for what its parent held.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_rwlock_mark_consistent(atoll_rwlock *lock);

/**
 * Says who writes under the lock, or waits for readers to leave so that it may. The answer
 * may be over when you read it: it is for people and for logs.
 *
 * out       Receives the writer; generation 0, and all else 0, if there is none.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_rwlock_owner(const atoll_rwlock *lock,
                                atoll_owner *out);

/**
 * Says who died writing under the lock: the news that comes with ATOLL_OWNER_DIED, until
 * somebody calls atoll_rwlock_mark_consistent().
 *
 * out       Receives the dead writer; generation 0, and all else 0, without such news.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Who does not hold the lock gets a moment's view.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_rwlock_dead_owner(const atoll_rwlock *lock,
                                     atoll_owner *out);

/**
 * Says how many threads read under the lock. The answer may be over when you read it.
 *
 * out       Receives the number. Each thread counts once, however often it has locked.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_rwlock_readers(const atoll_rwlock *lock,
                                  uint32_t *out);

/**
 * Writes a ticket for the reader-writer lock, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_rwlock_export(const atoll_rwlock *lock,
                                 atoll_ticket *out);

/**
 * Opens the reader-writer lock that a ticket is for.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_rwlock_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_rwlock_import(const atoll_ticket *ticket,
                                 atoll_rwlock **out);

/**
 * Makes a semaphore in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a semaphore without a name, which others can only get by a ticket.
 * options   How; NULL for the defaults: no permits at first, up to 2^31 - 1, not tracked.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_semaphore_close(). With a name the
 *           semaphore stays until that is removed, too; without one it goes with the last
 *           handle.
 * Since     0.1
 */
atoll_status atoll_semaphore_create(atoll_segment *segment,
                                    const char *name,
                                    const atoll_semaphore_options *options,
                                    atoll_semaphore **out);

/**
 * Opens a semaphore by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a semaphore without a name cannot be opened.
 * options   What you expect it to be; NULL for one that is not tracked, of any max.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same semaphore.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object, or tracked where you expect a
 *                       plain one, or the other way round, or has another max.
 *   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_semaphore_close().
 * Since     0.1
 */
atoll_status atoll_semaphore_open(atoll_segment *segment,
                                  const char *name,
                                  const atoll_semaphore_options *options,
                                  atoll_semaphore **out);

/**
 * Opens the semaphore of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_semaphore_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_semaphore_open().
 *   NO_SPACE            As for atoll_semaphore_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_semaphore_close().
 * Since     0.1
 */
atoll_status atoll_semaphore_open_or_create(atoll_segment *segment,
                                            const char *name,
                                            const atoll_semaphore_options *options,
                                            atoll_semaphore **out);

/**
 * Removes the name of a semaphore, tracked or not: nobody can open it any more, and the
 * name is free for something else. Who has it open goes on using it; its memory is free
 * with the last of them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the semaphore stay as they are.
 * Since     0.1
 */
atoll_status atoll_semaphore_remove(atoll_segment *segment,
                                    const char *name);

/**
 * Closes a handle. A semaphore with a name stays in the segment; another one goes when no
 * process has it open any more. Permits stay as they are: close does not release. A call
 * that waits on another thread goes on.
 *
 * semaphore   The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a semaphore.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_semaphore_close(atoll_semaphore *semaphore);

/**
 * Acquires a permit, waiting up to `timeout_ns` for one.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * A permit of a tracked semaphore belongs to this process, whichever of its threads
 * releases it. When the process is dead, or has closed all that it has open in the segment,
 * the permit is to be had again, and one who waits for it gets it.
 *
 * Returns
 *   OK                  You have a permit. What was written before it was released is
 *                       yours to read.
 *   TIMED_OUT           There was none. Nothing changed.
 *   INTERRUPTED         A signal handler ran. You have none. Call again.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread, many at a time. Who comes may be faster than who waits.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and has none of the permits of its parent.
 * Owner     Takes nothing. `semaphore` stays yours.
 * Since     0.1
 */
atoll_status atoll_semaphore_acquire(atoll_semaphore *semaphore,
                                     int64_t timeout_ns);

/**
 * Releases `n` permits. If others wait, as many of them are on their way. Never waits,
 * whoever is dead.
 *
 * Of a tracked semaphore: gives back permits of this process; if it has not so many, those
 * that other living processes have, who then have less to give back.
 *
 * n         How many; 0 does nothing.
 *
 * Returns
 *   OK                  Done.
 *   FULL                There would be more than the semaphore's max. Nothing changed; of
 *                       a tracked one, if others release at the same time, what there was
 *                       to give back is given back.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              Somebody polls its descriptor, and there are too many open files to
 *                       tell; nothing changed. Or the thread has no robust list: an
 *                       emulator or a sandbox.
 *
 * Threads   Any thread.
 * Signals   May be called in a signal handler at any moment, also if that interrupted
 *           another call. There a failure replaces what atoll_last_error() had to say.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_semaphore_release(atoll_semaphore *semaphore,
                                     uint32_t n);

/**
 * Says how many permits there are to be had, how many there can be, and of which sort the
 * semaphore is.
 *
 * out       Receives the answer. The number may be another one when you read it: it is for
 *           people and for logs.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_semaphore_stat(const atoll_semaphore *semaphore,
                                  atoll_semaphore_info *out);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when there is a permit to be had, and may be readable when there is not.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it. Everybody who polls is
 * woken by each release: acquire with timeout 0, and poll again if somebody was faster. Of a
 * tracked semaphore also the permits of the dead are to be had.
 *
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   PERMISSION          The segment is open read-only, or you may not make files beside it.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Several may poll it; whoever calls this empties it for all.
 * Fork      A child has none: it is closed there. Call this again, for one of its own.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_semaphore_descriptor(const atoll_semaphore *semaphore,
                                        int *out);

/**
 * Writes a ticket for the semaphore, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_semaphore_export(const atoll_semaphore *semaphore,
                                    atoll_ticket *out);

/**
 * Opens the semaphore that a ticket is for, tracked or not as it is.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_semaphore_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_semaphore_import(const atoll_ticket *ticket,
                                    atoll_semaphore **out);

/**
 * Makes a condvar in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a condvar without a name, which others can only get by a ticket.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_condvar_close(). With a name the condvar
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_condvar_create(atoll_segment *segment,
                                  const char *name,
                                  atoll_condvar **out);

/**
 * Opens a condvar by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a condvar without a name cannot be opened.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same condvar.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_condvar_close().
 * Since     0.1
 */
atoll_status atoll_condvar_open(atoll_segment *segment,
                                const char *name,
                                atoll_condvar **out);

/**
 * Opens the condvar of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_condvar_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_condvar_open().
 *   NO_SPACE            As for atoll_condvar_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_condvar_close().
 * Since     0.1
 */
atoll_status atoll_condvar_open_or_create(atoll_segment *segment,
                                          const char *name,
                                          atoll_condvar **out);

/**
 * Removes the name of a condvar: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the condvar stay as they are.
 * Since     0.1
 */
atoll_status atoll_condvar_remove(atoll_segment *segment,
                                  const char *name);

/**
 * Closes a handle. A condvar with a name stays in the segment; another one goes when no
 * process has it open any more. A call that waits on another thread goes on.
 *
 * condvar   The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a condvar.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_condvar_close(atoll_condvar *condvar);

/**
 * Lets go of the mutex, waits up to `timeout_ns` until it is notified, and acquires the
 * mutex again, however long that takes. Look at your condition before and after, in a loop.
 *
 * mutex       Held by this thread. A recursive one is let go wholly and held as often
 *             again. It may be in another segment.
 * timeout_ns  0 looks once, ATOLL_FOREVER waits without limit. Any other span is measured
 *             from the call on the monotonic clock.
 *
 * Returns
 *   OK                  It was notified.
 *   OWNER_DIED          The mutex comes with this news, as from atoll_mutex_lock(): look at
 *                       your condition, for a notification may have come or not.
 *   TIMED_OUT           It was not notified, and the mutex is held.
 *   INTERRUPTED         A signal handler ran. Not notified, and the mutex is held.
 *   NOT_OWNER           This thread does not hold the mutex. Nothing changed.
 *   DEADLOCK            This thread's transaction holds the mutex, or the thread has
 *                       prepared a wait for a condvar of this segment. Nothing changed.
 *   NO_SPACE            As for atoll_mutex_lock(). Nothing changed.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or a handle is closed. Nothing changed.
 *   CORRUPTED           The segment is damaged. The mutex may be held or not.
 *
 * Threads   The holder of the mutex.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and waits for itself.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_wait(atoll_condvar *condvar,
                                atoll_mutex *mutex,
                                int64_t timeout_ns);

/**
 * Begins to wait, for who guards the condition with a lock of its own, of any kind: call it
 * while you hold that lock, let go of the lock, and call atoll_condvar_commit_wait(). From
 * here on a notification counts, and the thread keeps its place among those who wait.
 *
 * Until the wait is over the thread may do anything: lock, wait for other kinds of objects,
 * notify. If it ends, or is killed, its turn is the next one's.
 *
 * Returns
 *   OK                  The wait is prepared: commit or cancel it.
 *   DEADLOCK            This thread has prepared a wait for a condvar of this segment
 *                       already. Nothing changed.
 *   NO_SPACE            As for atoll_mutex_lock().
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread; the same one commits or cancels.
 * Fork      A child has prepared nothing.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_prepare_wait(atoll_condvar *condvar);

/**
 * Waits up to `timeout_ns` until the thread is notified, which ends the wait that it has
 * prepared.
 *
 * Returns
 *   OK                  It was notified, perhaps before this call. The wait is over.
 *   TIMED_OUT           Not yet. The wait is still prepared: commit again, or cancel.
 *   INTERRUPTED         A signal handler ran. As for TIMED_OUT.
 *   NOT_OWNER           This thread has prepared no wait for this condvar.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged. The wait is over.
 *
 * Threads   The one that prepared.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      NOT_OWNER in a child for what its parent prepared.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_commit_wait(atoll_condvar *condvar,
                                       int64_t timeout_ns);

/**
 * Ends the wait that the thread has prepared.
 *
 * notified  Receives whether it was notified before that: then the notification is used up.
 *           NULL is allowed.
 *
 * Returns
 *   OK                  The wait is over, and *notified is filled in.
 *   NOT_OWNER           This thread has prepared no wait for this condvar.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged. The wait is over.
 *
 * Threads   The one that prepared.
 * Fork      NOT_OWNER in a child for what its parent prepared.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_cancel_wait(atoll_condvar *condvar,
                                       bool *notified);

/**
 * Notifies the one that has waited longest and lives; without waiters it does nothing.
 * Never waits, whoever is dead. Whoever is killed before its call has notified nobody, also
 * if it has changed the condition already.
 *
 * Returns
 *   OK                  Done.
 *   NO_SPACE            As for atoll_mutex_lock().
 *   PERMISSION          The segment is open read-only.
 *   SYSTEM              Somebody polls the descriptor of a waiter, and there are too many open
 *                       files to tell. Nobody is notified.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Who holds the lock of the condition notifies exactly those who
 *           wait; without it, who begins to wait meanwhile may be among them or not.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_notify_one(atoll_condvar *condvar);

/**
 * Notifies all who wait.
 *
 * All as for atoll_condvar_notify_one().
 *
 * Returns   As atoll_condvar_notify_one().
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_notify_all(atoll_condvar *condvar);

/**
 * Notifies the `n` that have waited longest, or all if there are fewer.
 *
 * All as for atoll_condvar_notify_one().
 *
 * Returns   As atoll_condvar_notify_one().
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_condvar_notify_many(atoll_condvar *condvar,
                                       uint32_t n);

/**
 * Writes a ticket for the condvar, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_condvar_export(const atoll_condvar *condvar,
                                  atoll_ticket *out);

/**
 * Opens the condvar that a ticket is for.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_condvar_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_condvar_import(const atoll_ticket *ticket,
                                  atoll_condvar **out);

/**
 * Begins to wait for a condvar, without a call that waits: from here on a notification counts,
 * and the waiter has its place among all who wait. Call it while you hold the lock of the
 * condition, and then let go of that.
 *
 * Until it is finished or closed, or the thread that made it ends, a notification that has come
 * to it is nobody else's. If the thread ends or is killed before that, it is the next one's.
 *
 * condvar   What to wait for. The handle may be closed before the waiter.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   NO_SPACE            This thread has 1024 waiters that wait already, or the segment has as
 *                       many threads and waiters as it can: see max_participants in
 *                       atoll_segment_options.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed, or out is NULL.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread; the same one finishes it.
 * Fork      A child has no part in what its parent waits for.
 * Owner     The handle is yours: give it to atoll_waiter_close().
 * Since     0.1
 */
atoll_status atoll_waiter_create(atoll_condvar *condvar,
                                 atoll_waiter **out);

/**
 * Ends the wait. Never waits.
 *
 * out_notified   Receives whether it was notified: then the notification is used up. Of a
 *                waiter that is finished already, the same again.
 *
 * Returns
 *   OK                  The wait is over, and *out_notified is filled in.
 *   NOT_OWNER           This thread did not make it, or it was made in a parent process. It
 *                       goes on waiting.
 *   INVALID_ARGUMENT    The handle is closed, or out_notified is NULL. It goes on waiting.
 *   CORRUPTED           The segment is damaged. The wait is over.
 *
 * Threads   The one that made it.
 * Fork      NOT_OWNER in a child.
 * Owner     Takes nothing: close it, too.
 * Since     0.1
 */
atoll_status atoll_waiter_finish(atoll_waiter *waiter,
                                 bool *out_notified);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when atoll_waiter_finish() would say that it was notified, and may be readable
 * when it would not.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it.
 *
 * If one who was notified before dies instead of going on, and it is this waiter's turn, the
 * descriptor says so within a fiftieth of a second.
 *
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   NOT_OWNER           This thread did not make the waiter, or it was made in a parent process.
 *   PERMISSION          You may not make files beside the segment.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, the waiter is finished, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The one that made it; any thread may poll the descriptor.
 * Fork      A child has none, and can make none for this waiter.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_waiter_descriptor(atoll_waiter *waiter,
                                     int *out);

/**
 * Closes a handle. A waiter that is not finished stops waiting as if its thread had died: what
 * it was notified of is the next one's.
 *
 * waiter    The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a waiter.
 *   NO_SPACE            This thread is new in the segment, and there is no room for it. Nothing
 *                       changed: close the handle on the thread that made it.
 *
 * Threads   Any thread, also when the one that made it has ended. Of several that close one
 *           handle, one gets OK.
 * Fork      In a child it only closes the copy; the parent waits on.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_waiter_close(atoll_waiter *waiter);

/**
 * Makes an event, not set, in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           an event without a name, which others can only get by a ticket.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_event_close(). With a name the event
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_event_create(atoll_segment *segment,
                                const char *name,
                                atoll_event **out);

/**
 * Opens an event by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: an event without a name cannot be opened.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same event.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_event_close().
 * Since     0.1
 */
atoll_status atoll_event_open(atoll_segment *segment,
                              const char *name,
                              atoll_event **out);

/**
 * Opens the event of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_event_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_event_open().
 *   NO_SPACE            As for atoll_event_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_event_close().
 * Since     0.1
 */
atoll_status atoll_event_open_or_create(atoll_segment *segment,
                                        const char *name,
                                        atoll_event **out);

/**
 * Removes the name of an event: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the event stay as they are.
 * Since     0.1
 */
atoll_status atoll_event_remove(atoll_segment *segment,
                                const char *name);

/**
 * Closes a handle. An event with a name stays in the segment; another one goes when no
 * process has it open any more. A call that waits on another thread goes on.
 *
 * event     The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was an event.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_event_close(atoll_event *event);

/**
 * Sets the event and wakes all who wait for it. It stays set until it is cleared. Never
 * waits, whoever is dead. What was written before it is seen by whoever finds it set.
 *
 * Returns
 *   OK                  It is set.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *   SYSTEM              Somebody polls its descriptor, and there are too many open files to
 *                       tell; it is not set. Or the thread has no robust list: an emulator
 *                       or a sandbox.
 *
 * Threads   Any thread.
 * Signals   May be called in a signal handler at any moment, also if that interrupted
 *           another call. There a failure replaces what atoll_last_error() had to say.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_event_set(atoll_event *event);

/**
 * Clears the event: who comes from here on waits. Those who waited when it was set go on
 * all the same.
 *
 * Returns
 *   OK                  It is not set.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_event_clear(atoll_event *event);

/**
 * Says whether the event is set.
 *
 * out       Receives the answer, which may be over when you read it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_event_is_set(const atoll_event *event,
                                bool *out);

/**
 * Says how often the event was set, modulo 2^31; to set one that is set does not count.
 *
 * out       Receives the number.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_event_sets(const atoll_event *event,
                              uint32_t *out);

/**
 * Waits until the event is set, up to `timeout_ns`. Who waits when it is set returns OK,
 * also if it is cleared at once.
 *
 * Pass 0 to look once, ATOLL_FOREVER to wait without limit. Any other span is measured
 * from the call on the monotonic clock, which no one can set.
 *
 * Returns
 *   OK                  The event is set, or was since the call began.
 *   TIMED_OUT           It was not.
 *   INTERRUPTED         A signal handler ran. Call again.
 *   PERMISSION          It is not set, and the segment is open read-only: one cannot wait.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread, many at a time.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_event_wait(atoll_event *event,
                              int64_t timeout_ns);

/**
 * The same for a wait in several pieces: it is over also if the event was set between two
 * of them. Ask atoll_event_sets() once, before you look whether the event is set, and then
 * call this as often as you like with that number.
 *
 * sets      What atoll_event_sets() said when the wait began.
 *
 * Returns   As atoll_event_wait(). OK: it is set, or was since it had been set so often.
 *
 * Threads   Any thread, many at a time.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_event_wait_since(atoll_event *event,
                                    uint32_t sets,
                                    int64_t timeout_ns);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when the event is set, and may be readable when it is not.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it. Everybody who polls is woken when it is set.
 *
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   PERMISSION          The segment is open read-only, or you may not make files beside it.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Several may poll it; whoever calls this empties it for all.
 * Fork      A child has none: it is closed there. Call this again, for one of its own.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_event_descriptor(const atoll_event *event,
                                    int *out);

/**
 * Writes a ticket for the event, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_event_export(const atoll_event *event,
                                atoll_ticket *out);

/**
 * Opens the event that a ticket is for.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_event_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_event_import(const atoll_ticket *ticket,
                                atoll_event **out);

/**
 * Makes a barrier in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a barrier without a name, which others can only get by a ticket.
 * parties   How many have to arrive: 1 to 32767.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name or the number is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_barrier_close(). With a name the barrier
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_barrier_create(atoll_segment *segment,
                                  const char *name,
                                  uint32_t parties,
                                  atoll_barrier **out);

/**
 * Opens a barrier by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a barrier without a name cannot be opened.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same barrier.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_barrier_close().
 * Since     0.1
 */
atoll_status atoll_barrier_open(atoll_segment *segment,
                                const char *name,
                                atoll_barrier **out);

/**
 * Opens the barrier of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_barrier_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_barrier_open(); or it is a barrier that was made for
 *                       another number of parties.
 *   NO_SPACE            As for atoll_barrier_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name or the number is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_barrier_close().
 * Since     0.1
 */
atoll_status atoll_barrier_open_or_create(atoll_segment *segment,
                                          const char *name,
                                          uint32_t parties,
                                          atoll_barrier **out);

/**
 * Removes the name of a barrier: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the barrier stay as they are.
 * Since     0.1
 */
atoll_status atoll_barrier_remove(atoll_segment *segment,
                                  const char *name);

/**
 * Closes a handle. A barrier with a name stays in the segment; another one goes when no
 * process has it open any more. A call that waits on another thread goes on.
 *
 * barrier   The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a barrier.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_barrier_close(atoll_barrier *barrier);

/**
 * Arrives, and waits up to `timeout_ns` until all have arrived. Who arrives last lets the
 * others go and does not wait.
 *
 * timeout_ns  0 gives up at once if it is not the last, ATOLL_FOREVER waits without limit.
 *             Any other span is measured from the call on the monotonic clock.
 * index       Receives how many came before it, from 0 on, if it passes. NULL is allowed.
 *
 * Returns
 *   OK                  All have arrived.
 *   BROKEN              Somebody died inside, gave up or aborted: nobody of this generation
 *                       passes. See atoll_barrier_stat(), and then atoll_barrier_reset().
 *   TIMED_OUT           The others did not come in time, and the barrier is broken now.
 *   INTERRUPTED         A signal handler ran. It has arrived and is inside: go on with
 *                       atoll_barrier_wait().
 *   DEADLOCK            This thread is inside already, or inside of another barrier of this
 *                       segment.
 *   FULL                All have arrived, and the last one holds: arrive later.
 *   NO_SPACE            As for atoll_mutex_lock().
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, all parties have dropped out, or the handle
 *                       is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread, each as one party. One that is inside of a generation that is over
 *           (it arrived, and never waited) leaves that first.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and has not arrived.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_arrive_and_wait(atoll_barrier *barrier,
                                           int64_t timeout_ns,
                                           uint32_t *index);

/**
 * Arrives, and does not wait: atoll_barrier_wait() does. Between the two the thread may do
 * anything; if it ends, or is killed, the barrier breaks.
 *
 * hold      true: if it is the last one, the others wait until it calls
 *           atoll_barrier_release(), so that it can do something for all before.
 * out       Receives how it arrived. NULL is allowed.
 *
 * Returns
 *   OK                  It has arrived. As the last one, and without hold, it has let the
 *                       others go; atoll_barrier_wait() is over at once then.
 *   BROKEN              As for atoll_barrier_arrive_and_wait(): it has not arrived.
 *   DEADLOCK, FULL, NO_SPACE, PERMISSION, INVALID_ARGUMENT, CORRUPTED
 *                       As for atoll_barrier_arrive_and_wait().
 *
 * Threads   Any thread; the same one waits.
 * Fork      A child has not arrived.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_arrive(atoll_barrier *barrier,
                                  bool hold,
                                  atoll_arrival *out);

/**
 * Arrives as one of this generation, and is no party of later ones. It does not wait.
 *
 * hold      As for atoll_barrier_arrive(). It matters only if it is the last one.
 * out       As for atoll_barrier_arrive().
 *
 * Returns   As atoll_barrier_arrive(). It is inside only if it holds, and then
 *           atoll_barrier_release() lets it leave, too.
 *
 * Threads   Any thread.
 * Fork      A child has not arrived.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_arrive_and_drop(atoll_barrier *barrier,
                                           bool hold,
                                           atoll_arrival *out);

/**
 * Lets the others go, for whom this thread arrived last and held.
 *
 * Returns
 *   OK                  They go.
 *   BROKEN              It broke meanwhile: somebody died inside, gave up or aborted.
 *   NOT_OWNER           This thread does not hold. Nothing changed.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *
 * Threads   The one that holds. It is inside as the others are, and leaves by
 *           atoll_barrier_wait().
 * Fork      NOT_OWNER in a child for what its parent holds.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_release(atoll_barrier *barrier);

/**
 * Waits up to `timeout_ns` until all have arrived, after atoll_barrier_arrive() or a wait
 * that ended early.
 *
 * Returns
 *   OK                  All have arrived. The thread has left.
 *   BROKEN              As for atoll_barrier_arrive_and_wait(). The thread has left.
 *   TIMED_OUT           Not yet. It is still inside: wait again; or call
 *                       atoll_barrier_abort(), and then wait for the outcome.
 *   INTERRUPTED         A signal handler ran. As for TIMED_OUT.
 *   NOT_OWNER           This thread has not arrived at this barrier.
 *   DEADLOCK            This thread holds: release the others first.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   The one that arrived.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      NOT_OWNER in a child.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_wait(atoll_barrier *barrier,
                                int64_t timeout_ns);

/**
 * Breaks the barrier: all who wait get BROKEN, and so does who arrives, until
 * atoll_barrier_reset().
 *
 * Returns
 *   OK                  It is broken. If this thread is inside of a generation that is over,
 *                       nothing happened: its wait says how that ended.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *
 * Threads   Any thread. One that is inside breaks no other generation than its own.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_abort(atoll_barrier *barrier);

/**
 * Begins anew: a barrier that is broken can be passed again. Whoever is inside of one that
 * is not gets BROKEN; if nobody is, nothing happens.
 *
 * Returns
 *   OK                  Done. Parties that have dropped out stay out.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_barrier_reset(atoll_barrier *barrier);

/**
 * Says how many the barrier waits for, how many are there, and whether it is broken. The
 * answer may be over when you read it.
 *
 * out       Receives the answer.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_barrier_stat(const atoll_barrier *barrier,
                                atoll_barrier_info *out);

/**
 * Writes a ticket for the barrier, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_barrier_export(const atoll_barrier *barrier,
                                  atoll_ticket *out);

/**
 * Opens the barrier that a ticket is for.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_barrier_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_barrier_import(const atoll_ticket *ticket,
                                  atoll_barrier **out);

/**
 * Makes a latch in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a latch without a name, which others can only get by a ticket.
 * count     What it waits for: 0 (it is open) to 2^31 - 1.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name or the count is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_latch_close(). With a name the latch
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_latch_create(atoll_segment *segment,
                                const char *name,
                                uint32_t count,
                                atoll_latch **out);

/**
 * Opens a latch by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a latch without a name cannot be opened.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same latch.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_latch_close().
 * Since     0.1
 */
atoll_status atoll_latch_open(atoll_segment *segment,
                              const char *name,
                              atoll_latch **out);

/**
 * Opens the latch of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_latch_create(). Without a name it always makes one. A latch that is
 * there keeps its count.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_latch_open().
 *   NO_SPACE            As for atoll_latch_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_latch_close().
 * Since     0.1
 */
atoll_status atoll_latch_open_or_create(atoll_segment *segment,
                                        const char *name,
                                        uint32_t count,
                                        atoll_latch **out);

/**
 * Removes the name of a latch: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the latch stay as they are.
 * Since     0.1
 */
atoll_status atoll_latch_remove(atoll_segment *segment,
                                const char *name);

/**
 * Closes a handle. A latch with a name stays in the segment; another one goes when no
 * process has it open any more. A call that waits on another thread goes on.
 *
 * latch     The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a latch.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_latch_close(atoll_latch *latch);

/**
 * Counts the latch down, and at zero opens it and wakes all who wait. Never waits, whoever
 * is dead. What was written before it is seen by whoever passes the latch.
 *
 * n         By how much; 0 changes nothing.
 *
 * Returns
 *   OK                  Done.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The latch waits for less than n, or the handle is closed. Nothing
 *                       changed.
 *   SYSTEM              Somebody polls its descriptor, and there are too many open files to
 *                       tell; nothing changed.
 *
 * Threads   Any thread, also the same one several times.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_latch_count_down(atoll_latch *latch,
                                    uint32_t n);

/**
 * Says what the latch still waits for; 0: it is open.
 *
 * out       Receives the number, which may be less when you read it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_latch_count(const atoll_latch *latch,
                               uint32_t *out);

/**
 * Waits until the latch is open, up to `timeout_ns`: as for atoll_event_wait(). A process
 * that dies before it has counted down is not missed: somebody has to count down for it.
 *
 * Returns
 *   OK                  The latch is open.
 *   TIMED_OUT           It is not.
 *   INTERRUPTED         A signal handler ran. Call again.
 *   PERMISSION          It is not, and the segment is open read-only: one cannot wait.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread, many at a time.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_latch_wait(atoll_latch *latch,
                              int64_t timeout_ns);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when the latch is open, and may be readable when it is not.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it. Everybody who polls is woken when it opens.
 *
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   PERMISSION          The segment is open read-only, or you may not make files beside it.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Several may poll it; whoever calls this empties it for all.
 * Fork      A child has none: it is closed there. Call this again, for one of its own.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_latch_descriptor(const atoll_latch *latch,
                                    int *out);

/**
 * Writes a ticket for the latch, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_latch_export(const atoll_latch *latch,
                                atoll_ticket *out);

/**
 * Opens the latch that a ticket is for.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_latch_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_latch_import(const atoll_ticket *ticket,
                                atoll_latch **out);

/**
 * Makes a lock, free, in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a lock without a name, which others can only get by a ticket.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_lock_close(). With a name the lock
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_lock_create(atoll_segment *segment,
                               const char *name,
                               atoll_lock **out);

/**
 * Opens a lock by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a lock without a name cannot be opened.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same lock.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_lock_close().
 * Since     0.1
 */
atoll_status atoll_lock_open(atoll_segment *segment,
                             const char *name,
                             atoll_lock **out);

/**
 * Opens the lock of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_lock_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_lock_open().
 *   NO_SPACE            As for atoll_lock_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_lock_close().
 * Since     0.1
 */
atoll_status atoll_lock_open_or_create(atoll_segment *segment,
                                       const char *name,
                                       atoll_lock **out);

/**
 * Removes the name of a lock: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the lock stay as they are.
 * Since     0.1
 */
atoll_status atoll_lock_remove(atoll_segment *segment,
                               const char *name);

/**
 * Closes a handle. A lock with a name stays in the segment; another one goes when no
 * process has it open any more. One that is held stays held: close does not release. A
 * call that waits on another thread goes on.
 *
 * lock      The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a lock.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_lock_close(atoll_lock *lock);

/**
 * Acquires the lock for this process, waiting up to `timeout_ns`.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * The lock is not recursive: a second call of the same process, on whichever thread, waits
 * until somebody releases it.
 *
 * out_former  With OWNER_DIED receives who that was: the process, and the thread's name that
 *             joined the segment; tid is 0. Otherwise it stays as it is. NULL is allowed.
 *
 * Returns
 *   OK                  The process holds the lock.
 *   OWNER_DIED          The process holds the lock. Its last holder died with it, or left
 *                       the segment with it, so what it guards may be half-changed. Nobody
 *                       else will be told.
 *   TIMED_OUT           Somebody else holds it. Nothing changed.
 *   INTERRUPTED         A signal handler ran. You do not hold it. Call again.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread, many at a time. Who comes may be faster than who waits.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handle, and does not hold what its parent holds.
 * Owner     Takes nothing. `lock` stays yours.
 * Since     0.1
 */
atoll_status atoll_lock_acquire(atoll_lock *lock,
                                int64_t timeout_ns,
                                atoll_owner *out_former);

/**
 * Releases the lock, whoever holds it. If others wait, one of them is on its way. Never
 * waits. If the holder is dead, nobody will be told of that any more.
 *
 * Returns
 *   OK                  Done.
 *   NOT_OWNER           Nobody holds it. Nothing changed.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              The thread has no robust list: an emulator or a sandbox.
 *
 * Threads   Any thread of any process.
 * Signals   May be called in a signal handler at any moment, also if that interrupted
 *           another call. There a failure replaces what atoll_last_error() had to say.
 * Fork      A child may use the handle.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_lock_release(atoll_lock *lock);

/**
 * Says which process holds the lock. The answer may be over when you read it: it is for
 * people and for logs.
 *
 * out       Receives the owner, whose tid is 0 and whose name is that of the thread that
 *           joined the segment; generation 0, and all else 0, if nobody holds it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_lock_owner(const atoll_lock *lock,
                              atoll_owner *out);

/**
 * Writes a ticket for the lock, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_lock_export(const atoll_lock *lock,
                               atoll_ticket *out);

/**
 * Opens the lock that a ticket is for.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_lock_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_lock_import(const atoll_ticket *ticket,
                               atoll_lock **out);

/**
 * Makes a spsc in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a spsc without a name, which others can only get by a ticket.
 * type      The type of its records.
 * options   How; the capacity has to be given.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name, the type or an option is not allowed (a capacity that is
 *                       0 or no power of two, say), or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle, and has none of the roles of its parent.
 * Owner     The handle is yours: give it to atoll_spsc_close(). With a name the spsc
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_spsc_create(atoll_segment *segment,
                               const char *name,
                               const atoll_type *type,
                               const atoll_ring_options *options,
                               atoll_spsc **out);

/**
 * Opens a spsc by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a spsc without a name cannot be opened.
 * type      The type that you expect; NULL for any.
 * options   What you expect it to be; NULL for any. How its users wait is not compared.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same spsc.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object, or the spsc is of another type
 *                       or capacity.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle, and has none of the roles of its parent.
 * Owner     The handle is yours: give it to atoll_spsc_close().
 * Since     0.1
 */
atoll_status atoll_spsc_open(atoll_segment *segment,
                             const char *name,
                             const atoll_type *type,
                             const atoll_ring_options *options,
                             atoll_spsc **out);

/**
 * Opens the spsc of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_spsc_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_spsc_open().
 *   NO_SPACE            As for atoll_spsc_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    As for atoll_spsc_create().
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle, and has none of the roles of its parent.
 * Owner     The handle is yours: give it to atoll_spsc_close().
 * Since     0.1
 */
atoll_status atoll_spsc_open_or_create(atoll_segment *segment,
                                       const char *name,
                                       const atoll_type *type,
                                       const atoll_ring_options *options,
                                       atoll_spsc **out);

/**
 * Removes the name of a spsc: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the spsc stay as they are.
 * Since     0.1
 */
atoll_status atoll_spsc_remove(atoll_segment *segment,
                               const char *name);

/**
 * Closes a handle, and gives up the roles that it has. What was put stays. A spsc with a name
 * stays in the segment; another one goes when no process has it open any more. A call that
 * waits on another thread goes on.
 *
 * spsc      The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a spsc.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_spsc_close(atoll_spsc *spsc);

/**
 * Gives up a role that this handle has, so that another handle or process may take it.
 *
 * end       ATOLL_PRODUCERS: it is no producer any more. ATOLL_CONSUMERS: no consumer.
 *
 * Returns
 *   OK                  It has not that role, or not any more.
 *   INVALID_ARGUMENT    end is neither, or the handle is closed.
 *
 * Threads   As for what the role is needed for.
 * Fork      As for atoll_spsc_push().
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_spsc_leave(atoll_spsc *spsc,
                              uint32_t end);

/**
 * Closes an end for good, for all processes, and wakes all who wait. With the producers' end
 * closed, who gets learns it (CLOSED) when all has been got, and who puts at once. With the
 * consumers' end closed, both learn it at once. Whoever has the ring open may do it.
 *
 * end       ATOLL_PRODUCERS or ATOLL_CONSUMERS.
 *
 * Returns
 *   OK                  It is closed, or was before.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    end is neither, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              As for atoll_spsc_push(): call again.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles stay as they are.
 * Since     0.1
 */
atoll_status atoll_spsc_shutdown(atoll_spsc *spsc,
                                 uint32_t end);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be
 * readable when it would.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it.
 *
 * end       ATOLL_CONSUMERS to hear of records, ATOLL_PRODUCERS of room.
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   PERMISSION          The segment is open read-only, or you may not make files beside it.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, end is neither, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Several may poll it; whoever calls this empties it for all.
 * Fork      A child has none: it is closed there. Call this again, for one of its own.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_spsc_descriptor(atoll_spsc *spsc,
                                   uint32_t end,
                                   int *out);

/**
 * Says what the spsc is, and what has gone through it.
 *
 * out       Receives the answer, which may be over when you read it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_spsc_info(const atoll_spsc *spsc,
                             atoll_ring_info *out);

/**
 * Writes a ticket for the spsc, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_spsc_export(const atoll_spsc *spsc,
                               atoll_ticket *out);

/**
 * Opens the spsc that a ticket is for, whatever its type: atoll_spsc_info() says which.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_spsc_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_spsc_import(const atoll_ticket *ticket,
                               atoll_spsc **out);

/**
 * Puts a record, if there is room. Never waits.
 *
 * record    The record.
 * len       Its bytes: as many as its type has.
 *
 * Returns
 *   OK                  It is in the ring, for good: also if this process dies now.
 *   FULL                There is no room. Nothing changed.
 *   CLOSED              One of the ends is closed. Nothing changed.
 *   NOT_OWNER           Another process or another handle is the producer.
 *   NO_SPACE            The segment has no place for another thread.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    record is NULL, len is not that of a record, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              Somebody polls its descriptor, and there are too many open files to
 *                       tell; nothing changed.
 *
 * Threads   One at a time as the producer, with this handle.
 * Fork      A child has none of the roles of its parent: it may take a role of its own.
 * Owner     Takes nothing. The record is copied.
 * Since     0.1
 */
atoll_status atoll_spsc_push(atoll_spsc *spsc,
                             const void *record,
                             size_t len);

/**
 * Puts as many of some records as there is room for. They come to be seen all at once.
 * Never waits.
 *
 * records   The records, one after the other.
 * n         How many they are.
 * out_n     Receives how many were put: the first ones, and at least one, if n is not 0.
 *
 * Returns   As atoll_spsc_push(). OK: *out_n are in the ring.
 *
 * Threads   As for atoll_spsc_push().
 * Fork      As for atoll_spsc_push().
 * Owner     Takes nothing. The records are copied.
 * Since     0.1
 */
atoll_status atoll_spsc_push_n(atoll_spsc *spsc,
                               const void *records,
                               size_t n,
                               size_t *out_n);

/**
 * Gets a record, if there is one. Never waits.
 *
 * out       Receives the record.
 * cap       How many bytes there is room for.
 * out_len   Receives how many bytes it has, or with TOO_SMALL needs. May be NULL.
 *
 * Returns
 *   OK                  *out is the record. It is no longer in the ring.
 *   EMPTY               There is none.
 *   CLOSED              There is none, and the producers' end is closed; or the consumers'
 *                       end is.
 *   TOO_SMALL           cap is less than the record has. It stays in the ring.
 *   NOT_OWNER           Another process or another handle is the consumer.
 *   NO_SPACE            The segment has no place for another thread.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              As for atoll_spsc_push(): the record stays in the ring.
 *
 * Threads   One at a time as the consumer, with this handle.
 * Fork      As for atoll_spsc_push().
 * Owner     The copy is yours.
 * Since     0.1
 */
atoll_status atoll_spsc_pop(atoll_spsc *spsc,
                            void *out,
                            size_t cap,
                            size_t *out_len);

/**
 * Gets as many records as there are and have room. Never waits.
 *
 * out       Receives the records, one after the other.
 * n         How many there is room for: at least one.
 * out_n     Receives how many were got: at least one.
 *
 * Returns   As atoll_spsc_pop(). OK: *out_n were got.
 *
 * Threads   As for atoll_spsc_pop().
 * Fork      As for atoll_spsc_push().
 * Owner     The copies are yours.
 * Since     0.1
 */
atoll_status atoll_spsc_pop_n(atoll_spsc *spsc,
                              void *out,
                              size_t n,
                              size_t *out_n);

/**
 * Puts a record, waiting up to `timeout_ns` for room.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * Returns
 *   OK                  It is in the ring, for good.
 *   TIMED_OUT           There was no room. Nothing changed.
 *   INTERRUPTED         A signal handler ran. Nothing changed. Call again.
 *   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_spsc_push().
 *   and what else atoll_spsc_push() returns, but FULL.
 *
 * Threads   As for atoll_spsc_push().
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      As for atoll_spsc_push().
 * Owner     Takes nothing. The record is copied.
 * Since     0.1
 */
atoll_status atoll_spsc_put(atoll_spsc *spsc,
                            const void *record,
                            size_t len,
                            int64_t timeout_ns);

/**
 * Gets a record, waiting up to `timeout_ns` for one, as atoll_spsc_put() does for room.
 *
 * Returns
 *   OK                  *out is the record. It is no longer in the ring.
 *   TIMED_OUT           There was none.
 *   INTERRUPTED         A signal handler ran. Nothing was got. Call again.
 *   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_spsc_pop().
 *   and what else atoll_spsc_pop() returns, but EMPTY.
 *
 * Threads   As for atoll_spsc_pop().
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      As for atoll_spsc_push().
 * Owner     The copy is yours.
 * Since     0.1
 */
atoll_status atoll_spsc_get(atoll_spsc *spsc,
                            void *out,
                            size_t cap,
                            size_t *out_len,
                            int64_t timeout_ns);

/**
 * Claims up to `n` places side by side, to write records there. Nothing is put before
 * atoll_spsc_commit(). Who claims again gets the same ones. Never waits.
 *
 * n         How many are wanted; 0 stands for 1.
 * out       Receives the address of the first one: write records there, one after the other.
 * out_n     Receives how many they are: at least one, and fewer than wanted where there is
 *           less room or the ring begins anew.
 *
 * Returns   As atoll_spsc_push(). OK: *out_n places at *out are yours to write to, until
 *           atoll_spsc_commit() or atoll_spsc_abandon(), the next push, or the close of the
 *           handle.
 *
 * Threads   As for atoll_spsc_push().
 * Fork      As for atoll_spsc_push(). A child must not write there.
 * Owner     The places stay the ring's; this process may die with them: nothing was put.
 * Since     0.1
 */
atoll_status atoll_spsc_claim(atoll_spsc *spsc,
                              size_t n,
                              void **out,
                              size_t *out_n);

/**
 * Puts the records in the first `n` of the places that were claimed last, and lets go of the
 * others. They come to be seen all at once.
 *
 * n         How many: at least one.
 *
 * Returns
 *   OK                  They are in the ring, for good.
 *   CLOSED              One of the ends is closed. Nothing changed.
 *   INVALID_ARGUMENT    No place is claimed, or not so many, or something was pushed since; or
 *                       the handle is closed.
 *   and what else atoll_spsc_push() returns, but FULL.
 *
 * Threads   As for atoll_spsc_push().
 * Fork      As for atoll_spsc_push().
 * Owner     Takes the places.
 * Since     0.1
 */
atoll_status atoll_spsc_commit(atoll_spsc *spsc,
                               size_t n);

/**
 * Lets go of the places that were claimed: nothing is put.
 *
 * Returns
 *   OK                  Done.
 *   INVALID_ARGUMENT    No place is claimed, or the handle is closed.
 *
 * Threads   As for atoll_spsc_push().
 * Fork      As for atoll_spsc_push().
 * Owner     Takes the places.
 * Since     0.1
 */
atoll_status atoll_spsc_abandon(atoll_spsc *spsc);

/**
 * Shows up to `n` records side by side, to be read in their places. They stay in the ring
 * until atoll_spsc_advance(). Never waits.
 *
 * n         How many are wanted; 0 stands for 1.
 * out       Receives the address of the first one: the others follow it.
 * out_n     Receives how many they are: at least one, and fewer than wanted where there are
 *           less or the ring begins anew.
 *
 * Returns   As atoll_spsc_pop(). OK: *out_n records at *out are yours to read, until
 *           atoll_spsc_advance(), the next pop, or the close of the handle.
 *
 * Threads   As for atoll_spsc_pop().
 * Fork      As for atoll_spsc_push(). A child must not read there.
 * Owner     The records stay the ring's; if this process dies they are there for the next
 *           consumer.
 * Since     0.1
 */
atoll_status atoll_spsc_peek(atoll_spsc *spsc,
                             size_t n,
                             const void **out,
                             size_t *out_n);

/**
 * Gets the first `n` of the records that were shown last: their places are free.
 *
 * n         How many: at least one.
 *
 * Returns
 *   OK                  They are no longer in the ring.
 *   INVALID_ARGUMENT    Nothing was shown, or not so many, or something was popped since; or
 *                       the handle is closed.
 *   and what else atoll_spsc_pop() returns, but EMPTY.
 *
 * Threads   As for atoll_spsc_pop().
 * Fork      As for atoll_spsc_push().
 * Owner     Takes the places.
 * Since     0.1
 */
atoll_status atoll_spsc_advance(atoll_spsc *spsc,
                                size_t n);

/**
 * Makes a fanin in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a fanin without a name, which others can only get by a ticket.
 * type      The type of its records.
 * options   How; the capacity has to be given, and how many
 *           lanes.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name, the type or an option is not allowed (a capacity that is
 *                       0 or no power of two, say), or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle, and has none of the roles of its parent.
 * Owner     The handle is yours: give it to atoll_fanin_close(). With a name the fanin
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_fanin_create(atoll_segment *segment,
                                const char *name,
                                const atoll_type *type,
                                const atoll_ring_options *options,
                                atoll_fanin **out);

/**
 * Opens a fanin by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a fanin without a name cannot be opened.
 * type      The type that you expect; NULL for any.
 * options   What you expect it to be; NULL for any. How its users wait is not compared.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same fanin.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object, or the fanin is of another type
 *                       or capacity.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle, and has none of the roles of its parent.
 * Owner     The handle is yours: give it to atoll_fanin_close().
 * Since     0.1
 */
atoll_status atoll_fanin_open(atoll_segment *segment,
                              const char *name,
                              const atoll_type *type,
                              const atoll_ring_options *options,
                              atoll_fanin **out);

/**
 * Opens the fanin of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_fanin_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_fanin_open().
 *   NO_SPACE            As for atoll_fanin_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    As for atoll_fanin_create().
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle, and has none of the roles of its parent.
 * Owner     The handle is yours: give it to atoll_fanin_close().
 * Since     0.1
 */
atoll_status atoll_fanin_open_or_create(atoll_segment *segment,
                                        const char *name,
                                        const atoll_type *type,
                                        const atoll_ring_options *options,
                                        atoll_fanin **out);

/**
 * Removes the name of a fanin: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the fanin stay as they are.
 * Since     0.1
 */
atoll_status atoll_fanin_remove(atoll_segment *segment,
                                const char *name);

/**
 * Closes a handle, and gives up the roles that it has. What was put stays. A fanin with a name
 * stays in the segment; another one goes when no process has it open any more. A call that
 * waits on another thread goes on.
 *
 * fanin      The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a fanin.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_fanin_close(atoll_fanin *fanin);

/**
 * Gives up a role that this handle has, so that another handle or process may take it.
 *
 * end       ATOLL_PRODUCERS: it is no producer any more. ATOLL_CONSUMERS: no consumer.
 *
 * Returns
 *   OK                  It has not that role, or not any more.
 *   INVALID_ARGUMENT    end is neither, or the handle is closed.
 *
 * Threads   As for what the role is needed for.
 * Fork      As for atoll_fanin_push().
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_fanin_leave(atoll_fanin *fanin,
                               uint32_t end);

/**
 * Closes an end for good, for all processes, and wakes all who wait. With the producers' end
 * closed, who gets learns it (CLOSED) when all has been got, and who puts at once. With the
 * consumers' end closed, both learn it at once. Whoever has the ring open may do it.
 *
 * end       ATOLL_PRODUCERS or ATOLL_CONSUMERS.
 *
 * Returns
 *   OK                  It is closed, or was before.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    end is neither, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              As for atoll_fanin_push(): call again.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles stay as they are.
 * Since     0.1
 */
atoll_status atoll_fanin_shutdown(atoll_fanin *fanin,
                                  uint32_t end);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be
 * readable when it would.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it.
 *
 * end       ATOLL_CONSUMERS to hear of records, ATOLL_PRODUCERS of room.
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   PERMISSION          The segment is open read-only, or you may not make files beside it.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, end is neither, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Several may poll it; whoever calls this empties it for all.
 * Fork      A child has none: it is closed there. Call this again, for one of its own.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_fanin_descriptor(atoll_fanin *fanin,
                                    uint32_t end,
                                    int *out);

/**
 * Says what the fanin is, and what has gone through it.
 *
 * out       Receives the answer, which may be over when you read it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_fanin_info(const atoll_fanin *fanin,
                              atoll_ring_info *out);

/**
 * Writes a ticket for the fanin, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_fanin_export(const atoll_fanin *fanin,
                                atoll_ticket *out);

/**
 * Opens the fanin that a ticket is for, whatever its type: atoll_fanin_info() says which.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_fanin_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_fanin_import(const atoll_ticket *ticket,
                                atoll_fanin **out);

/**
 * Puts a record, if there is room. Never waits.
 *
 * record    The record.
 * len       Its bytes: as many as its type has.
 *
 * Returns
 *   OK                  It is in the ring, for good: also if this process dies now.
 *   FULL                There is no room in the lane. Nothing changed.
 *   CLOSED              One of the ends is closed. Nothing changed.
 *   NO_SPACE            All lanes have a producer that lives; or the segment has no place for
 *                       another thread.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    record is NULL, len is not that of a record, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              Somebody polls its descriptor, and there are too many open files to
 *                       tell; nothing changed.
 *
 * Threads   One at a time as the producer, with this handle.
 * Fork      A child has none of the roles of its parent: it may take a role of its own.
 * Owner     Takes nothing. The record is copied.
 * Since     0.1
 */
atoll_status atoll_fanin_push(atoll_fanin *fanin,
                              const void *record,
                              size_t len);

/**
 * Puts as many of some records as there is room for. They come to be seen all at once.
 * Never waits.
 *
 * records   The records, one after the other.
 * n         How many they are.
 * out_n     Receives how many were put: the first ones, and at least one, if n is not 0.
 *
 * Returns   As atoll_fanin_push(). OK: *out_n are in the ring.
 *
 * Threads   As for atoll_fanin_push().
 * Fork      As for atoll_fanin_push().
 * Owner     Takes nothing. The records are copied.
 * Since     0.1
 */
atoll_status atoll_fanin_push_n(atoll_fanin *fanin,
                                const void *records,
                                size_t n,
                                size_t *out_n);

/**
 * Gets a record, if there is one. Never waits.
 *
 * out       Receives the record.
 * cap       How many bytes there is room for.
 * out_len   Receives how many bytes it has, or with TOO_SMALL needs. May be NULL.
 *
 * Returns
 *   OK                  *out is the record. It is no longer in the ring.
 *   EMPTY               There is none.
 *   CLOSED              There is none, and the producers' end is closed; or the consumers'
 *                       end is.
 *   TOO_SMALL           cap is less than the record has. It stays in the ring.
 *   NOT_OWNER           Another process or another handle is the consumer.
 *   NO_SPACE            The segment has no place for another thread.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              As for atoll_fanin_push(): the record stays in the ring.
 *
 * Threads   One at a time as the consumer, with this handle.
 * Fork      As for atoll_fanin_push().
 * Owner     The copy is yours.
 * Since     0.1
 */
atoll_status atoll_fanin_pop(atoll_fanin *fanin,
                             void *out,
                             size_t cap,
                             size_t *out_len);

/**
 * Gets as many records as there are in a lane and have room. Never waits.
 *
 * out       Receives the records, one after the other.
 * n         How many there is room for: at least one.
 * out_n     Receives how many were got: at least one.
 *
 * Returns   As atoll_fanin_pop(). OK: *out_n were got.
 *
 * Threads   As for atoll_fanin_pop().
 * Fork      As for atoll_fanin_push().
 * Owner     The copies are yours.
 * Since     0.1
 */
atoll_status atoll_fanin_pop_n(atoll_fanin *fanin,
                               void *out,
                               size_t n,
                               size_t *out_n);

/**
 * Puts a record, waiting up to `timeout_ns` for room.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * Returns
 *   OK                  It is in the ring, for good.
 *   TIMED_OUT           There was no room. Nothing changed.
 *   INTERRUPTED         A signal handler ran. Nothing changed. Call again.
 *   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_fanin_push().
 *   and what else atoll_fanin_push() returns, but FULL.
 *
 * Threads   As for atoll_fanin_push().
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      As for atoll_fanin_push().
 * Owner     Takes nothing. The record is copied.
 * Since     0.1
 */
atoll_status atoll_fanin_put(atoll_fanin *fanin,
                             const void *record,
                             size_t len,
                             int64_t timeout_ns);

/**
 * Gets a record, waiting up to `timeout_ns` for one, as atoll_fanin_put() does for room.
 *
 * Returns
 *   OK                  *out is the record. It is no longer in the ring.
 *   TIMED_OUT           There was none.
 *   INTERRUPTED         A signal handler ran. Nothing was got. Call again.
 *   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_fanin_pop().
 *   and what else atoll_fanin_pop() returns, but EMPTY.
 *
 * Threads   As for atoll_fanin_pop().
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      As for atoll_fanin_push().
 * Owner     The copy is yours.
 * Since     0.1
 */
atoll_status atoll_fanin_get(atoll_fanin *fanin,
                             void *out,
                             size_t cap,
                             size_t *out_len,
                             int64_t timeout_ns);

/**
 * Claims up to `n` places side by side, to write records there. Nothing is put before
 * atoll_fanin_commit(). Who claims again gets the same ones. Never waits.
 *
 * n         How many are wanted; 0 stands for 1.
 * out       Receives the address of the first one: write records there, one after the other.
 * out_n     Receives how many they are: at least one, and fewer than wanted where there is
 *           less room or the ring begins anew.
 *
 * Returns   As atoll_fanin_push(). OK: *out_n places at *out are yours to write to, until
 *           atoll_fanin_commit() or atoll_fanin_abandon(), the next push, or the close of the
 *           handle.
 *
 * Threads   As for atoll_fanin_push().
 * Fork      As for atoll_fanin_push(). A child must not write there.
 * Owner     The places stay the ring's; this process may die with them: nothing was put.
 * Since     0.1
 */
atoll_status atoll_fanin_claim(atoll_fanin *fanin,
                               size_t n,
                               void **out,
                               size_t *out_n);

/**
 * Puts the records in the first `n` of the places that were claimed last, and lets go of the
 * others. They come to be seen all at once.
 *
 * n         How many: at least one.
 *
 * Returns
 *   OK                  They are in the ring, for good.
 *   CLOSED              One of the ends is closed. Nothing changed.
 *   INVALID_ARGUMENT    No place is claimed, or not so many, or something was pushed since; or
 *                       the handle is closed.
 *   and what else atoll_fanin_push() returns, but FULL.
 *
 * Threads   As for atoll_fanin_push().
 * Fork      As for atoll_fanin_push().
 * Owner     Takes the places.
 * Since     0.1
 */
atoll_status atoll_fanin_commit(atoll_fanin *fanin,
                                size_t n);

/**
 * Lets go of the places that were claimed: nothing is put.
 *
 * Returns
 *   OK                  Done.
 *   INVALID_ARGUMENT    No place is claimed, or the handle is closed.
 *
 * Threads   As for atoll_fanin_push().
 * Fork      As for atoll_fanin_push().
 * Owner     Takes the places.
 * Since     0.1
 */
atoll_status atoll_fanin_abandon(atoll_fanin *fanin);

/**
 * Shows up to `n` records side by side, to be read in their places. They stay in the ring
 * until atoll_fanin_advance(). Never waits.
 *
 * n         How many are wanted; 0 stands for 1.
 * out       Receives the address of the first one: the others follow it.
 * out_n     Receives how many they are: at least one, and fewer than wanted where there are
 *           less or the ring begins anew.
 *
 * Returns   As atoll_fanin_pop(). OK: *out_n records at *out are yours to read, until
 *           atoll_fanin_advance(), the next pop, or the close of the handle.
 *
 * Threads   As for atoll_fanin_pop().
 * Fork      As for atoll_fanin_push(). A child must not read there.
 * Owner     The records stay the ring's; if this process dies they are there for the next
 *           consumer.
 * Since     0.1
 */
atoll_status atoll_fanin_peek(atoll_fanin *fanin,
                              size_t n,
                              const void **out,
                              size_t *out_n);

/**
 * Gets the first `n` of the records that were shown last: their places are free.
 *
 * n         How many: at least one.
 *
 * Returns
 *   OK                  They are no longer in the ring.
 *   INVALID_ARGUMENT    Nothing was shown, or not so many, or something was popped since; or
 *                       the handle is closed.
 *   and what else atoll_fanin_pop() returns, but EMPTY.
 *
 * Threads   As for atoll_fanin_pop().
 * Fork      As for atoll_fanin_push().
 * Owner     Takes the places.
 * Since     0.1
 */
atoll_status atoll_fanin_advance(atoll_fanin *fanin,
                                 size_t n);

/**
 * Makes a mpmc in a segment.
 *
 * segment   Where to.
 * name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
 *           a mpmc without a name, which others can only get by a ticket.
 * type      The type of its records; ATOLL_TYPE_MESSAGE for messages of any length.
 * options   How; the capacity has to be given: how many records there is room for, or for
 *           messages how many cells of 64 bytes. A message takes as many as it needs with 8
 *           bytes of its own, side by side, and at most half of all.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   ALREADY_EXISTS      The name is taken. Open it, or choose another.
 *   NO_SPACE            The segment or the file system is full. See the sentence.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name, the type or an option is not allowed (a capacity that is
 *                       0 or no power of two, say), or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mpmc_close(). With a name the mpmc
 *           stays until that is removed, too; without one it goes with the last handle.
 * Since     0.1
 */
atoll_status atoll_mpmc_create(atoll_segment *segment,
                               const char *name,
                               const atoll_type *type,
                               const atoll_ring_options *options,
                               atoll_mpmc **out);

/**
 * Opens a mpmc by its name.
 *
 * segment   Where it is.
 * name      Its name. NULL is refused: a mpmc without a name cannot be opened.
 * type      The type that you expect; NULL for any.
 * options   What you expect it to be; NULL for any. How its users wait is not compared.
 * out       Receives the handle, or NULL on failure.
 *
 * Returns
 *   OK                  *out is a new handle. It may be the second to the same mpmc.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object, or the mpmc is of another type
 *                       or capacity.
 *   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mpmc_close().
 * Since     0.1
 */
atoll_status atoll_mpmc_open(atoll_segment *segment,
                             const char *name,
                             const atoll_type *type,
                             const atoll_ring_options *options,
                             atoll_mpmc **out);

/**
 * Opens the mpmc of that name, or makes it if there is none. Of many who do this
 * at once, one makes it and the others open it.
 *
 * Arguments as for atoll_mpmc_create(). Without a name it always makes one.
 *
 * Returns
 *   OK                  *out is a new handle.
 *   WRONG_KIND          As for atoll_mpmc_open().
 *   NO_SPACE            As for atoll_mpmc_create().
 *   PERMISSION          There is none, and the segment is open read-only.
 *   INVALID_ARGUMENT    As for atoll_mpmc_create().
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mpmc_close().
 * Since     0.1
 */
atoll_status atoll_mpmc_open_or_create(atoll_segment *segment,
                                       const char *name,
                                       const atoll_type *type,
                                       const atoll_ring_options *options,
                                       atoll_mpmc **out);

/**
 * Removes the name of a mpmc: nobody can open it any more, and the name is free for
 * something else. Who has it open goes on using it; its memory is free with the last of
 * them.
 *
 * segment   Where it is.
 * name      Its name.
 *
 * Returns
 *   OK                  The name is gone.
 *   NOT_FOUND           The segment has nothing of that name.
 *   WRONG_KIND          The name is another kind of object.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Of several that remove one name, one gets OK.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles to the mpmc stay as they are.
 * Since     0.1
 */
atoll_status atoll_mpmc_remove(atoll_segment *segment,
                               const char *name);

/**
 * Closes a handle. What was put stays. A mpmc with a name stays in the segment; another one goes
 * when no process has it open any more. A call that waits on another thread goes on.
 *
 * mpmc      The handle. NULL is allowed and does nothing.
 *
 * Returns
 *   OK                  The handle is no longer one.
 *   INVALID_ARGUMENT    It was closed before, or never was a mpmc.
 *
 * Threads   Any thread. Of several that close one handle, one gets OK.
 * Fork      Closes the copy of the process that calls, no other.
 * Owner     Takes the handle.
 * Since     0.1
 */
atoll_status atoll_mpmc_close(atoll_mpmc *mpmc);

/**
 * Closes an end for good, for all processes, and wakes all who wait. With the producers' end
 * closed, who gets learns it (CLOSED) when all has been got, and who puts at once. With the
 * consumers' end closed, both learn it at once. Whoever has the ring open may do it.
 *
 * end       ATOLL_PRODUCERS or ATOLL_CONSUMERS.
 *
 * Returns
 *   OK                  It is closed, or was before.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    end is neither, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              As for atoll_mpmc_push(): call again.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. Handles stay as they are.
 * Since     0.1
 */
atoll_status atoll_mpmc_shutdown(atoll_mpmc *mpmc,
                                 uint32_t end);

/**
 * Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
 * it is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be
 * readable when it would.
 *
 * Call this again before each poll: that empties the descriptor and arms it. It is the same
 * one each time while the handle is open and atoll_process_leave() is not called. Never read
 * it, and never close it.
 *
 * end       ATOLL_CONSUMERS to hear of records, ATOLL_PRODUCERS of room.
 * out       Receives the descriptor.
 *
 * Returns
 *   OK                  *out is the descriptor, and armed.
 *   PERMISSION          The segment is open read-only, or you may not make files beside it.
 *   NO_SPACE            There is no room for a file beside the segment.
 *   SYSTEM              Too many open files. See os_errno and the sentence.
 *   INVALID_ARGUMENT    out is NULL, end is neither, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. Several may poll it; whoever calls this empties it for all.
 * Fork      A child has none: it is closed there. Call this again, for one of its own.
 * Owner     The descriptor is the handle's, and is closed with it.
 * Since     0.1
 */
atoll_status atoll_mpmc_descriptor(atoll_mpmc *mpmc,
                                   uint32_t end,
                                   int *out);

/**
 * Says what the mpmc is, and what has gone through it.
 *
 * out       Receives the answer, which may be over when you read it.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread.
 * Fork      A child may use the handle.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_mpmc_info(const atoll_mpmc *mpmc,
                             atoll_ring_info *out);

/**
 * Writes a ticket for the mpmc, for another process to import.
 *
 * All as for atoll_mutex_export().
 *
 * Returns   As atoll_mutex_export().
 * Threads   Any thread.
 * Fork      As for atoll_mutex_export().
 * Owner     As for atoll_mutex_export().
 * Since     0.1
 */
atoll_status atoll_mpmc_export(const atoll_mpmc *mpmc,
                               atoll_ticket *out);

/**
 * Opens the mpmc that a ticket is for, whatever its type: atoll_mpmc_info() says which.
 *
 * All as for atoll_mutex_import().
 *
 * Returns   As atoll_mutex_import().
 * Threads   Any thread. Of several that import one ticket, one uses it up.
 * Fork      A child may use the handle.
 * Owner     The handle is yours: give it to atoll_mpmc_close(). The ticket is only
 *           read.
 * Since     0.1
 */
atoll_status atoll_mpmc_import(const atoll_ticket *ticket,
                               atoll_mpmc **out);

/**
 * Puts a record, if there is room. Never waits.
 *
 * record    The record.
 * len       Its bytes: as many as its type has; of a message any number up to half the ring, less 8.
 *
 * Returns
 *   OK                  It is in the ring, for good: also if this process dies now.
 *   FULL                There is no room. Nothing changed.
 *   CLOSED              One of the ends is closed. Nothing changed.
 *   NO_SPACE            The segment has no place for another thread.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    record is NULL, len is not that of a record, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              Somebody polls its descriptor, and there are too many open files to
 *                       tell; nothing changed.
 *
 * Threads   Any thread, many at a time.
 * Fork      A child may use the handle.
 * Owner     Takes nothing. The record is copied.
 * Since     0.1
 */
atoll_status atoll_mpmc_push(atoll_mpmc *mpmc,
                             const void *record,
                             size_t len);

/**
 * Puts as many of some records as there is room for. Never waits. Messages go one at a time:
 * WRONG_KIND.
 *
 * records   The records, one after the other.
 * n         How many they are.
 * out_n     Receives how many were put: the first ones, and at least one, if n is not 0.
 *
 * Returns   As atoll_mpmc_push(). OK: *out_n are in the ring.
 *
 * Threads   As for atoll_mpmc_push().
 * Fork      As for atoll_mpmc_push().
 * Owner     Takes nothing. The records are copied.
 * Since     0.1
 */
atoll_status atoll_mpmc_push_n(atoll_mpmc *mpmc,
                               const void *records,
                               size_t n,
                               size_t *out_n);

/**
 * Gets a record, if there is one. Never waits.
 *
 * out       Receives the record.
 * cap       How many bytes there is room for.
 * out_len   Receives how many bytes it has, or with TOO_SMALL needs. May be NULL.
 * out_times Receives how often the record was taken over from a consumer that died before it
 *           had got it: 0 for the first time. May be NULL.
 *
 * Returns
 *   OK                  *out is the record. It is no longer in the ring.
 *   EMPTY               There is none.
 *   CLOSED              There is none, and the producers' end is closed; or the consumers'
 *                       end is.
 *   TOO_SMALL           cap is less than the record has. It stays in the ring.
 *   NO_SPACE            The segment has no place for another thread.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *   SYSTEM              As for atoll_mpmc_push(): the record stays in the ring.
 *
 * Threads   Any thread, many at a time.
 * Fork      As for atoll_mpmc_push().
 * Owner     The copy is yours.
 * Since     0.1
 */
atoll_status atoll_mpmc_pop(atoll_mpmc *mpmc,
                            void *out,
                            size_t cap,
                            size_t *out_len,
                            uint32_t *out_times);

/**
 * Gets as many records as there are and have room. Never waits. Messages go one at a time:
 * WRONG_KIND.
 *
 * out       Receives the records, one after the other.
 * n         How many there is room for: at least one.
 * out_n     Receives how many were got: at least one.
 * out_times As for atoll_mpmc_pop(). A record that was taken over comes alone.
 *
 * Returns   As atoll_mpmc_pop(). OK: *out_n were got.
 *
 * Threads   As for atoll_mpmc_pop().
 * Fork      As for atoll_mpmc_push().
 * Owner     The copies are yours.
 * Since     0.1
 */
atoll_status atoll_mpmc_pop_n(atoll_mpmc *mpmc,
                              void *out,
                              size_t n,
                              size_t *out_n,
                              uint32_t *out_times);

/**
 * Puts a record, waiting up to `timeout_ns` for room.
 *
 * Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
 * measured from the call on the monotonic clock, which no one can set.
 *
 * Returns
 *   OK                  It is in the ring, for good.
 *   TIMED_OUT           There was no room. Nothing changed.
 *   INTERRUPTED         A signal handler ran. Nothing changed. Call again.
 *   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_mpmc_push().
 *   and what else atoll_mpmc_push() returns, but FULL.
 *
 * Threads   As for atoll_mpmc_push().
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      As for atoll_mpmc_push().
 * Owner     Takes nothing. The record is copied.
 * Since     0.1
 */
atoll_status atoll_mpmc_put(atoll_mpmc *mpmc,
                            const void *record,
                            size_t len,
                            int64_t timeout_ns);

/**
 * Gets a record, waiting up to `timeout_ns` for one, as atoll_mpmc_put() does for room. Who
 * waits is told of a record that a dead consumer leaves.
 *
 * Returns
 *   OK                  *out is the record. It is no longer in the ring.
 *   TIMED_OUT           There was none.
 *   INTERRUPTED         A signal handler ran. Nothing was got. Call again.
 *   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_mpmc_pop().
 *   and what else atoll_mpmc_pop() returns, but EMPTY.
 *
 * Threads   As for atoll_mpmc_pop().
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      As for atoll_mpmc_push().
 * Owner     The copy is yours.
 * Since     0.1
 */
atoll_status atoll_mpmc_get(atoll_mpmc *mpmc,
                            void *out,
                            size_t cap,
                            size_t *out_len,
                            uint32_t *out_times,
                            int64_t timeout_ns);

/**
 * Claims a place for a record, to be written there. Nothing is put before
 * atoll_mpmc_commit(); records come in the order of their claims, so whoever gets waits for
 * it. Never waits.
 *
 * Many may be open at a time, 256 in a ring at most: each belongs to the process, and any of
 * its threads may finish it through the handle that it was claimed by. If the process dies
 * it is skipped.
 *
 * len       The bytes of the record; of a message, how many it may have at most.
 * out       Receives the place.
 *
 * Returns
 *   OK                  out->len bytes at out->place are yours to write to, until you commit
 *                       or abandon it, or close the handle.
 *   NO_SPACE            Too many are open, or the segment has no place for another thread.
 *   and what else atoll_mpmc_push() returns.
 *
 * Threads   As for atoll_mpmc_push().
 * Fork      A child has nothing of what its parent claimed, and must not write there.
 * Owner     The place stays the ring's.
 * Since     0.1
 */
atoll_status atoll_mpmc_claim(atoll_mpmc *mpmc,
                              size_t len,
                              atoll_reservation *out);

/**
 * Puts the record in a place that was claimed.
 *
 * id        What the place is called.
 * len       The bytes of the record; of a message, at most as many as were claimed for it.
 *
 * Returns
 *   OK                  It is in the ring, for good.
 *   CLOSED              One of the ends is closed. The place was given up.
 *   INVALID_ARGUMENT    No such place is claimed through this handle, by this process; or it
 *                       has not `len` bytes: it stays claimed.
 *   and what else atoll_mpmc_push() returns, but FULL: the place was given up.
 *
 * Threads   As for atoll_mpmc_push(). Of several that finish the same one, one does.
 * Fork      As for atoll_mpmc_claim().
 * Owner     Takes the place.
 * Since     0.1
 */
atoll_status atoll_mpmc_commit(atoll_mpmc *mpmc,
                               uint64_t id,
                               size_t len);

/**
 * Takes the next record into the hand, to be read in its place. Nobody else gets it unless
 * this process dies before atoll_mpmc_advance(). Never waits.
 *
 * Many may be open at a time, as for atoll_mpmc_claim().
 *
 * out       Receives the place.
 *
 * Returns
 *   OK                  out->len bytes at out->place are the record, to be read until you
 *                       advance or abandon it, or close the handle.
 *   NO_SPACE            As for atoll_mpmc_claim().
 *   and what else atoll_mpmc_pop() returns, but TOO_SMALL.
 *
 * Threads   As for atoll_mpmc_pop().
 * Fork      A child has nothing of what its parent has, and must not read there.
 * Owner     The record stays the ring's.
 * Since     0.1
 */
atoll_status atoll_mpmc_peek(atoll_mpmc *mpmc,
                             atoll_reservation *out);

/**
 * Gets a record that was peeked at: its place is free.
 *
 * id        What the place is called.
 *
 * Returns
 *   OK                  It is no longer in the ring.
 *   INVALID_ARGUMENT    No such record is in the hand of this process, by this handle.
 *   and what else atoll_mpmc_pop() returns, but EMPTY and CLOSED: it goes to another one.
 *
 * Threads   As for atoll_mpmc_commit().
 * Fork      As for atoll_mpmc_peek().
 * Owner     Takes the place.
 * Since     0.1
 */
atoll_status atoll_mpmc_advance(atoll_mpmc *mpmc,
                                uint64_t id);

/**
 * Gives up a place: one that was claimed is skipped, and a record that was peeked at goes to
 * another one, out of turn, as from a process that died.
 *
 * id        What the place is called.
 *
 * Returns
 *   OK                  It is given up.
 *   INVALID_ARGUMENT    No such place is in the hand of this process, by this handle.
 *
 * Threads   As for atoll_mpmc_commit().
 * Fork      As for atoll_mpmc_claim().
 * Owner     Takes the place.
 * Since     0.1
 */
atoll_status atoll_mpmc_abandon(atoll_mpmc *mpmc,
                                uint64_t id);

/**
 * Begins a transaction: changes that all happen, at the commit, or not at all.
 *
 * It holds mutexes of one segment until it ends. What is changed through it is noted
 * first, by copying what was there. If this process dies before the commit, whoever
 * wants one of the mutexes next puts everything back first; then the mutex is as if
 * nothing had happened: a transaction is not told that an owner died, and finds what
 * was there before. Who locks such a mutex by atoll_mutex_lock() is told, for it
 * cannot be known whether everything was done through the transaction.
 *
 * The promise is made to those who hold the mutexes. Who looks at values and arrays
 * without them may see changes before the commit, and see them go again.
 *
 * A thread has one transaction at a time. Its mutexes cannot be locked or unlocked by
 * themselves before it ends, and it has to be ended by atoll_transaction_commit() or
 * atoll_transaction_abort(); a thread that ends with it open aborts it.
 *
 * mutexes     The mutexes, in any order: they are taken in an order in which nobody
 *             can wait for each other for ever.
 * n           How many: 1 to 8.
 * timeout_ns  How long to wait for all of them together, as for atoll_mutex_lock().
 * out         Receives the transaction, or NULL on failure.
 *
 * Returns
 *   OK                  *out is an open transaction. You hold the mutexes.
 *   OWNER_DIED          *out is an open transaction. You hold the mutexes. An owner of
 *                       one of them died outside of a transaction and nobody has marked
 *                       it consistent: what it guards may be half-changed.
 *                       atoll_mutex_dead_owner() says for which. Repair that and call
 *                       atoll_mutex_mark_consistent(), which counts from the commit on.
 *   TIMED_OUT           You hold none of them. Nothing changed.
 *   INTERRUPTED         A signal handler ran. You hold none of them. Call again.
 *   DEADLOCK            This thread holds one of them already.
 *   WRONG_SEGMENT       The mutexes are of two segments.
 *   NO_SPACE            The segment has no place for another thread: see
 *                       max_participants in atoll_segment_options.
 *   INCOMPATIBLE        This process uses another C library than the others.
 *   PERMISSION          The segment is open read-only.
 *   INVALID_ARGUMENT    This thread has a transaction open; n is 0 or above 8; a mutex
 *                       is passed twice or is closed; timeout_ns is negative.
 *   CORRUPTED           The segment is damaged.
 *
 * Threads   Any thread. The transaction is the one's that began it: another one cannot
 *           use it.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child does not have its parent's transaction: NOT_OWNER.
 * Owner     The transaction is yours until you end it. The mutexes stay yours.
 * Since     0.1
 */
atoll_status atoll_transaction_begin(atoll_mutex *const *mutexes,
                                     size_t n,
                                     int64_t timeout_ns,
                                     atoll_transaction **out);

/**
 * Replaces a value, if the transaction is committed.
 *
 * A value of up to 8 bytes never waits. A larger one waits while another thread writes
 * it; after that, others who write it wait for the end of the transaction. Two
 * transactions that share no mutex and store to the same large values in different
 * orders would wait for each other: give them a timeout, or a mutex.
 *
 * transaction  The handle.
 * value        A value in the segment of the mutexes.
 * bytes        What to write.
 * len          The size of the value.
 * timeout_ns   How long to wait for other writers, as for atoll_mutex_lock().
 *
 * Returns
 *   OK                  The value is replaced, until an abort puts the old one back.
 *   TIMED_OUT           Another thread is writing the value.
 *   INTERRUPTED         A signal handler ran. Call again.
 *   WRONG_SEGMENT       The value is in another segment than the mutexes.
 *   NO_SPACE            There is no room to note what was there.
 *   NOT_OWNER           The transaction is the parent's of this forked process.
 *   INVALID_ARGUMENT    The transaction has ended or is another thread's; len is not
 *                       the size of the value, a boolean is neither 0 nor 1, timeout_ns
 *                       is negative, bytes is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *           Where it fails nothing has changed, and the transaction goes on.
 *
 * Threads   The one that began the transaction.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      NOT_OWNER in a child.
 * Owner     Takes nothing.
 * Since     0.1
 */
atoll_status atoll_transaction_store(atoll_transaction *transaction,
                                     atoll_value *value,
                                     const void *bytes,
                                     size_t len,
                                     int64_t timeout_ns);

/**
 * Notes elements of an array and lends them: you may write to them until the
 * transaction ends, by plain stores. An abort puts back what was there when they were
 * first lent.
 *
 * What was there is copied, so lend what you are going to change, and not more.
 * Elements outside of the range are not touched by an abort, even if they share a
 * word with it.
 *
 * transaction  The handle.
 * array        An array in the segment of the mutexes.
 * first        The first element, counted in C order (the last dimension varies
 *              fastest) from 0.
 * count        How many elements.
 * out          Receives the address of the first of them.
 *
 * Returns
 *   OK                  *out is the address.
 *   WRONG_SEGMENT       The array is in another segment than the mutexes.
 *   NO_SPACE            There is no room to note what is there: the segment has to have
 *                       as many free bytes.
 *   NOT_OWNER           The transaction is the parent's of this forked process.
 *   INVALID_ARGUMENT    The transaction has ended or is another thread's; the array has
 *                       fewer elements; out is NULL, or the handle is closed.
 *   CORRUPTED           The segment is damaged.
 *           Where it fails nothing has changed, and the transaction goes on.
 *
 * Threads   The one that began the transaction; it may let others write to the
 *           elements, but has to know when they are done.
 * Fork      NOT_OWNER in a child.
 * Owner     The elements are the segment's. Do not write to them when the transaction
 *           has ended.
 * Since     0.1
 */
atoll_status atoll_transaction_modify(atoll_transaction *transaction,
                                      atoll_array *array,
                                      uint64_t first,
                                      uint64_t count,
                                      void **out);

/**
 * Makes all changes of the transaction final, in one store, and unlocks the mutexes.
 * Killed before that store, nothing of it has happened; killed after it, all of it.
 *
 * transaction  The handle, which is one no longer.
 *
 * Returns
 *   OK                  All of it has happened.
 *   NOT_OWNER           The transaction is the parent's of this forked process.
 *   INVALID_ARGUMENT    The transaction has ended, or is another thread's.
 *
 * Threads   The one that began the transaction.
 * Fork      NOT_OWNER in a child.
 * Owner     Takes the transaction.
 * Since     0.1
 */
atoll_status atoll_transaction_commit(atoll_transaction *transaction);

/**
 * Undoes all changes of the transaction, and unlocks the mutexes.
 *
 * transaction  The handle, which is one no longer.
 *
 * Returns
 *   OK                  Everything is as it was before.
 *   NOT_OWNER           The transaction is the parent's of this forked process.
 *   INVALID_ARGUMENT    The transaction has ended, or is another thread's.
 *   CORRUPTED           The segment is damaged, so that not all could be undone.
 *
 * Threads   The one that began the transaction.
 * Fork      NOT_OWNER in a child.
 * Owner     Takes the transaction.
 * Since     0.1
 */
atoll_status atoll_transaction_abort(atoll_transaction *transaction);

/**
 * Commits the transaction or aborts it: one function for languages whose blocks end in
 * one place, be it well or by an error.
 *
 * transaction  The handle, which is one no longer. NULL is nothing to end.
 * undo         Whether to abort: 0 commits.
 *
 * Returns   As atoll_transaction_commit() or atoll_transaction_abort().
 * Threads   The one that began the transaction.
 * Fork      NOT_OWNER in a child.
 * Owner     Takes the transaction.
 * Since     0.1
 */
atoll_status atoll_transaction_end(atoll_transaction *transaction,
                                   uint32_t undo);

/**
 * Waits until at least one of several things is ready, up to `timeout_ns`, and says which
 * are. They may lie in different segments, and one may be there several times.
 *
 * It takes nothing, so others may be faster: acquire a semaphore that was ready with a
 * timeout of 0, and if that is TIMED_OUT wait again. What is ready:
 *
 *   event       It is set, or was since the call began (or before; see `seen`).
 *   latch       It is open.
 *   semaphore   There is a permit to be had.
 *   ring        A get would not have to wait; with ATOLL_PRODUCERS, a put.
 *   waiter      atoll_waiter_finish() would say that it was notified.
 *   segment     A member died, and atoll_segment_wait_death() would tell of it at once.
 *
 * For a condvar make a waiter. Mutexes, reader-writer locks and barriers are not ready at one moment for everybody, and
 * cannot be waited for so.
 *
 * waitables   What to wait for, and as `seen` what atoll_waitable says.
 * n           How many: 1 to 64.
 * timeout_ns  How long to wait, as for atoll_mutex_lock().
 * out_ready   Receives a bit for each that was ready when one was: bit i for waitables[i].
 *             0 on TIMED_OUT.
 *
 * Returns
 *   OK                  At least one is ready; *out_ready says which.
 *   TIMED_OUT           None was.
 *   INTERRUPTED         A signal handler ran. Call again.
 *   NOT_OWNER           One is a waiter that another thread made.
 *   WRONG_KIND          One is something that cannot be waited for so. The sentence says
 *                       which.
 *   PERMISSION          None is ready, and one is in a segment that is open read-only: one
 *                       cannot wait there.
 *   INVALID_ARGUMENT    n is 0 or above 64, a pointer is NULL, a handle is closed, a
 *                       waiter is finished, `seen` is not 0 where it must be, or timeout_ns
 *                       is negative.
 *   CORRUPTED           A segment is damaged.
 *
 * Threads   Any thread, many at a time, also for the same things.
 * Signals   A handler installed with SA_RESTART does not interrupt.
 * Fork      A child may use the handles.
 * Owner     Takes nothing. The array is only read.
 * Since     0.1
 */
atoll_status atoll_wait_any(const atoll_waitable *waitables,
                            size_t n,
                            int64_t timeout_ns,
                            uint64_t *out_ready);

/**
 * Says where a mutex lies, for code that locks it without a call.
 *
 * contract  ATOLL_PLACE_CONTRACT, of the header that the caller was compiled with. If it
 *           is not the library's, there is no short way.
 * out       Receives the place. It is good while this process has the handle, or a
 *           forked child of it has; `word` is NULL if there is no short way: make the
 *           calls, which are always right.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread. The place is the same for all.
 * Fork      The place is good in a child.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_mutex_place(const atoll_mutex *mutex,
                               uint32_t contract,
                               atoll_place *out);

/**
 * Says where a reader-writer lock lies, for code that reads under it without a call. To
 * write always takes calls.
 *
 * contract  As for atoll_mutex_place().
 * out       Receives the place, good as long as that of a mutex.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread. The place is the same for all.
 * Fork      The place is good in a child.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_rwlock_place(const atoll_rwlock *lock,
                                uint32_t contract,
                                atoll_place *out);

/**
 * Takes back the mark of a reader that found a writer in its way, and wakes that one if it
 * waits for this. For <atoll/inline.h>, and for nothing else.
 *
 * mark      The thread's own, as the contract at atoll_place says.
 *
 * Threads   The one that put the mark there.
 * Since     0.1
 */
void atoll_place_retreat(uint64_t *mark);

/**
 * Says where a value lies, for code that reads and changes it without a call.
 *
 * contract  As for atoll_mutex_place().
 * out       Receives the place, good as long as that of a mutex. Values that are no
 *           atomic by themselves, of more than 8 bytes or of 3, 5, 6 or 7, have none.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread. The place is the same for all.
 * Fork      The place is good in a child.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_value_place(const atoll_value *value,
                               uint32_t contract,
                               atoll_place *out);

/**
 * Says where a semaphore lies, for code that acquires and releases without a call.
 *
 * contract  As for atoll_mutex_place().
 * out       Receives the place, good as long as that of a mutex. A tracked semaphore has
 *           none, nor has one whose segment is open read-only.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread. The place is the same for all.
 * Fork      The place is good in a child.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_semaphore_place(const atoll_semaphore *semaphore,
                                   uint32_t contract,
                                   atoll_place *out);

/**
 * Says where an event lies, for code that looks without a call whether it is set.
 *
 * contract  As for atoll_mutex_place().
 * out       Receives the place, good as long as that of a mutex.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread. The place is the same for all.
 * Fork      The place is good in a child.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_event_place(const atoll_event *event,
                               uint32_t contract,
                               atoll_place *out);

/**
 * Says where an end of a spsc is, for code that pushes or pops without a call. The handle has
 * to have the role: push or pop by a call first.
 *
 * end       ATOLL_PRODUCERS to push, ATOLL_CONSUMERS to pop.
 * contract  As for atoll_mutex_place().
 * out       Receives the place; `counter` is NULL if there is no short way, or the handle has
 *           not the role.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, end is neither, or the handle is closed.
 *
 * Threads   As for what the role is needed for.
 * Fork      In a child it is no way. Ask again when the child has the role.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_spsc_place(const atoll_spsc *spsc,
                              uint32_t end,
                              uint32_t contract,
                              atoll_ring_place *out);

/**
 * Says where an mpmc lies, for code that pushes or pops records without a call.
 *
 * contract  As for atoll_mutex_place().
 * out       Receives the way; the `word` of its place, the first one of the ring's places, is NULL
 *           if there is no short way: for messages there is none.
 *
 * Returns
 *   OK                  *out is filled in.
 *   INVALID_ARGUMENT    out is NULL, or the handle is closed.
 *
 * Threads   Any thread. The way is the same for all.
 * Fork      The way is good in a child.
 * Owner     The copy is yours; there is nothing to free.
 * Since     0.1
 */
atoll_status atoll_mpmc_place(atoll_mpmc *mpmc,
                              uint32_t contract,
                              atoll_mpmc_way *out);

/**
 * Puts a record that was written to a place claimed without a call, where somebody has to be told.
 *
 * number    The number that was claimed.
 *
 * Returns true if it is put. If not, the place was given up: make the call.
 *
 * Threads   The one that claimed it; the first word of its record is odd.
 * Since     0.1
 */
bool atoll_place_finish_push(atoll_mpmc *mpmc,
                             uint64_t number);

/**
 * Gets a record whose number was claimed without a call, where somebody has to be told.
 *
 * number    The number that was claimed.
 * out       Receives the record: room for as many bytes as it has.
 *
 * Returns true if *out is the record. If not, it stays in the ring: make the call.
 *
 * Threads   As for atoll_place_finish_push().
 * Since     0.1
 */
bool atoll_place_finish_pop(atoll_mpmc *mpmc,
                            uint64_t number,
                            void *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/**
 * Begins an atoll_segment_options: atoll_segment_options o = ATOLL_SEGMENT_OPTIONS_INIT;
 */
#define ATOLL_SEGMENT_OPTIONS_INIT {sizeof(atoll_segment_options), 0, 0, 0, 0, 0, 0}

/**
 * Begins an atoll_mutex_options: atoll_mutex_options o = ATOLL_MUTEX_OPTIONS_INIT;
 */
#define ATOLL_MUTEX_OPTIONS_INIT {sizeof(atoll_mutex_options), 0, 0}

/**
 * Begins an atoll_semaphore_options: atoll_semaphore_options o = ATOLL_SEMAPHORE_OPTIONS_INIT;
 */
#define ATOLL_SEMAPHORE_OPTIONS_INIT {sizeof(atoll_semaphore_options), 0, 0, 0, 0}

/**
 * Begins an atoll_ring_options: atoll_ring_options o = ATOLL_RING_OPTIONS_INIT;
 */
#define ATOLL_RING_OPTIONS_INIT {sizeof(atoll_ring_options), 0, 0, 0, 0}

/**
 * Types of scalars: atoll_type t = ATOLL_TYPE_I64;
 */
#define ATOLL_TYPE_I8 {sizeof(atoll_type), ATOLL_I8, 1, 1, 0, "b"}
#define ATOLL_TYPE_I16 {sizeof(atoll_type), ATOLL_I16, 2, 2, 0, "<h"}
#define ATOLL_TYPE_I32 {sizeof(atoll_type), ATOLL_I32, 4, 4, 0, "<i"}
#define ATOLL_TYPE_I64 {sizeof(atoll_type), ATOLL_I64, 8, 8, 0, "<q"}
#define ATOLL_TYPE_U8 {sizeof(atoll_type), ATOLL_U8, 1, 1, 0, "B"}
#define ATOLL_TYPE_U16 {sizeof(atoll_type), ATOLL_U16, 2, 2, 0, "<H"}
#define ATOLL_TYPE_U32 {sizeof(atoll_type), ATOLL_U32, 4, 4, 0, "<I"}
#define ATOLL_TYPE_U64 {sizeof(atoll_type), ATOLL_U64, 8, 8, 0, "<Q"}
#define ATOLL_TYPE_F32 {sizeof(atoll_type), ATOLL_F32, 4, 4, 0, "<f"}
#define ATOLL_TYPE_F64 {sizeof(atoll_type), ATOLL_F64, 8, 8, 0, "<d"}
#define ATOLL_TYPE_MESSAGE {sizeof(atoll_type), ATOLL_BYTES, 0, 1, 0, ""}
#define ATOLL_TYPE_BOOL {sizeof(atoll_type), ATOLL_BOOL, 1, 1, 0, "?"}

#endif /* ATOLL_H */
