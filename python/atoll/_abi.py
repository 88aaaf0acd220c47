"""The C ABI of libatoll for ctypes: declarations, no logic.

Generated from src/ffi by build/ctypes.rs; `make bless` renews it. include/atoll.h
is the manual. Handles are plain addresses (c_void_p); never follow them.
"""

from ctypes import (
    POINTER, Structure, c_bool, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t,
    c_uint32, c_uint64, c_void_p,
)

# The library that these declarations belong to.
VERSION = "0.1.0"
ABI_FINGERPRINT = 0x27fff824862f6d35

# Done.
OK = 0
# Done, and you hold the lock.
OWNER_DIED = 1
# The time given was up first.
TIMED_OUT = 2
# A signal handler ran while the call waited.
INTERRUPTED = 3
# There is no room for another item.
FULL = 4
# There is no item.
EMPTY = 5
# The other end is closed.
CLOSED = 6
# There is nothing of that name.
NOT_FOUND = 7
# The name is taken.
ALREADY_EXISTS = 8
# The object is of another kind, type or shape than you say.
WRONG_KIND = 9
# Not an atoll segment, or one with another memory layout.
INCOMPATIBLE = 10
# The segment is damaged: another program wrote into it.
CORRUPTED = 11
# The segment, the file system or the table of processes is full.
NO_SPACE = 12
# The buffer is too small.
TOO_SMALL = 13
# The calling thread does not hold the lock.
NOT_OWNER = 14
# The calling thread holds the lock already and would wait for itself.
DEADLOCK = 15
# An argument is wrong, or a handle is closed or was never one.
INVALID_ARGUMENT = 16
# Not allowed by the mode of the segment, or it is open read-only.
PERMISSION = 17
# Objects of two segments in an operation that takes objects of one.
WRONG_SEGMENT = 18
# A party died; the object has to be reset before it can be used again.
BROKEN = 19
# Called from a signal handler that interrupted another call of this thread.
REENTRANT = 20
# The operating system refused; atoll_last_error() has its error number.
SYSTEM = 21
# A bug in the library was caught at its border.
PANICKED = 22
# Wait without limit, as a timeout_ns.
FOREVER = 9223372036854775807
# The version of the declarations here.
ABI_VERSION = 1
# A signed integer of 8 bits.
I8 = 1
# A signed integer of 16 bits.
I16 = 2
# A signed integer of 32 bits.
I32 = 3
# A signed integer of 64 bits.
I64 = 4
# An unsigned integer of 8 bits.
U8 = 5
# An unsigned integer of 16 bits.
U16 = 6
# An unsigned integer of 32 bits.
U32 = 7
# An unsigned integer of 64 bits.
U64 = 8
# A float of 32 bits.
F32 = 9
# A float of 64 bits.
F64 = 10
# A byte that is 0 or 1.
BOOL = 11
# A fixed number of bytes without further meaning.
BYTES = 12
# A C struct, known by its size, its alignment and, if given, its format.
STRUCT = 13
# The most dimensions of an array.
MAX_DIMENSIONS = 32
# A mutex.
KIND_MUTEX = 1
# A mutex that its holder may lock again.
KIND_RECURSIVE_MUTEX = 2
# A value.
KIND_VALUE = 3
# An array.
KIND_ARRAY = 4
# A reader-writer lock.
KIND_RWLOCK = 5
# A semaphore that counts.
KIND_SEMAPHORE = 6
# A semaphore whose permits name their holders.
KIND_TRACKED_SEMAPHORE = 7
# A condition variable.
KIND_CONDVAR = 8
# An event.
KIND_EVENT = 9
# A barrier.
KIND_BARRIER = 10
# A latch.
KIND_LATCH = 11
# A lock that processes hold.
KIND_LOCK = 12
# A ring for one producer and one consumer.
KIND_SPSC = 13
# A ring of lanes, one for each producer, for one consumer.
KIND_FANIN = 14
# A ring for many producers and many consumers.
KIND_MPMC = 15
# The end of a ring where records are put.
PRODUCERS = 1
# The end of a ring where they are got.
CONSUMERS = 2
# Users of the ring look for some microseconds, then sleep; they sleep at once where looking was in
# vain.
WAIT_ADAPTIVE = 0
# They never sleep: for who has a processor to spare for each side.
WAIT_SPIN = 1
# They sleep at once: for what takes its time.
WAIT_SLEEP = 2
# Which edition of the contract that stands at atoll_place a program was compiled with.
PLACE_CONTRACT = 2
# The mutex counts: its holder may lock it again.
PLACE_RECURSIVE = 1
# The segment is open read-only: load, and nothing else.
PLACE_READ_ONLY = 2


# The last failure of a thread.
class atoll_error(Structure):
    _fields_ = [
        ("status", c_int32),
        ("os_errno", c_int32),
        ("text", c_char * 256),
    ]


# What this machine and this process offer.
class atoll_platform(Structure):
    _fields_ = [
        ("library_copies", c_uint32),
        ("page_size", c_uint32),
        ("cpus", c_uint32),
        ("futex_waitv", c_bool),
        ("robust_list", c_bool),
        ("byte_locks", c_bool),
        ("unnamed_files", c_bool),
        ("membarrier", c_bool),
        ("rescued_waits", c_uint64),
        ("libc", c_char * 16),
        ("kernel", c_char * 64),
        ("directory", c_char * 128),
    ]


# The type of a value or of the elements of an array.
class atoll_type(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("code", c_uint32),
        ("size", c_uint64),
        ("align", c_uint32),
        ("reserved", c_uint32),
        ("format", c_char * 64),
    ]


# What a segment knows of one object.
class atoll_object_info(Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("ndim", c_uint32),
        ("generation", c_uint64),
        ("bytes", c_uint64),
        ("type", atoll_type),
        ("shape", c_uint64 * MAX_DIMENSIONS),
        ("name", c_char * 64),
    ]


# How a segment is made or opened.
class atoll_segment_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("size", c_uint64),
        ("mode", c_uint32),
        ("read_only", c_uint32),
        ("ephemeral", c_uint32),
        ("max_participants", c_uint32),
    ]


# What a segment is and how full it is.
class atoll_segment_info(Structure):
    _fields_ = [
        ("size", c_uint64),
        ("committed", c_uint64),
        ("used", c_uint64),
        ("free", c_uint64),
        ("largest_free", c_uint64),
        ("objects", c_uint64),
        ("death_epoch", c_uint64),
        ("members", c_uint32),
        ("participants", c_uint32),
        ("max_participants", c_uint32),
        ("mode", c_uint32),
        ("layout_version", c_uint32),
        ("read_only", c_bool),
        ("ephemeral", c_bool),
        ("name", c_char * 208),
    ]


# A process that took part in a segment and died.
class atoll_member_info(Structure):
    _fields_ = [
        ("epoch", c_uint64),
        ("pid", c_uint32),
        ("uid", c_uint32),
        ("slot", c_uint32),
        ("generation", c_uint32),
        ("name", c_char * 16),
    ]


# How a mutex is made.
class atoll_mutex_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("recursive", c_uint32),
    ]


# Who holds a mutex or a lock, or writes under a reader-writer lock.
class atoll_owner(Structure):
    _fields_ = [
        ("pid", c_uint32),
        ("tid", c_uint32),
        ("slot", c_uint32),
        ("generation", c_uint32),
        ("alive", c_bool),
        ("owner_died", c_bool),
        ("name", c_char * 16),
    ]


# What an array is made of.
class atoll_array_layout(Structure):
    _fields_ = [
        ("type", atoll_type),
        ("ndim", c_uint32),
        ("reserved", c_uint32),
        ("length", c_uint64),
        ("bytes", c_uint64),
        ("shape", c_uint64 * MAX_DIMENSIONS),
    ]


# How an object is handed to another process, with or without a name: some bytes that can go through
# any channel (a pipe, a socket, a file).
class atoll_ticket(Structure):
    _fields_ = [
        ("identity", c_uint64),
        ("words", c_uint64 * 6),
        ("segment", c_char * 208),
    ]


# How a semaphore is made.
class atoll_semaphore_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("value", c_uint32),
        ("max", c_uint32),
        ("tracked", c_uint32),
    ]


# What a semaphore is at one moment.
class atoll_semaphore_info(Structure):
    _fields_ = [
        ("value", c_uint32),
        ("max", c_uint32),
        ("tracked", c_bool),
    ]


# How somebody arrived at a barrier.
class atoll_arrival(Structure):
    _fields_ = [
        ("index", c_uint32),
        ("last", c_bool),
    ]


# What a barrier says of itself.
class atoll_barrier_info(Structure):
    _fields_ = [
        ("parties", c_uint32),
        ("waiting", c_uint32),
        ("generation", c_uint32),
        ("culprit_pid", c_uint32),
        ("broken", c_bool),
    ]


# What a ring is to be.
class atoll_ring_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("waiting", c_uint32),
        ("capacity", c_uint64),
        ("lanes", c_uint32),
        ("reserved", c_uint32),
    ]


# What a ring is, and what has gone through it.
class atoll_ring_info(Structure):
    _fields_ = [
        ("type", atoll_type),
        ("capacity", c_uint64),
        ("length", c_uint64),
        ("pushed", c_uint64),
        ("popped", c_uint64),
        ("redelivered", c_uint64),
        ("skipped", c_uint64),
        ("high_water", c_uint64),
        ("lanes", c_uint32),
        ("waiting", c_uint32),
        ("ended", c_uint32),
        ("reserved", c_uint32),
    ]


# A place of an mpmc in the hands of a process.
class atoll_reservation(Structure):
    _fields_ = [
        ("place", c_void_p),
        ("len", c_size_t),
        ("id", c_uint64),
        ("times", c_uint32),
        ("reserved", c_uint32),
    ]


# One of several things that a thread waits for.
class atoll_waitable(Structure):
    _fields_ = [
        ("handle", c_void_p),
        ("seen", c_uint64),
    ]


# Where the first word of an object lies, and how a thread finds out what it is called there: all
# that a program needs to lock an uncontended mutex, to read under a lock that nobody writes under,
# to change a value, or to acquire a permit that is there, without a call.
class atoll_place(Structure):
    _fields_ = [
        ("word", c_void_p),
        ("segment", c_uint64),
        ("thread", c_int64),
        ("seat", c_uint32),
        ("flags", c_uint32),
    ]


# Where one end of a spsc is: all that its producer needs to push, or its consumer to pop, without a
# call.
class atoll_ring_place(Structure):
    _fields_ = [
        ("counter", POINTER(c_uint64)),
        ("saying", POINTER(c_uint64)),
        ("other", POINTER(c_uint64)),
        ("watch", POINTER(c_uint64)),
        ("ends", POINTER(c_uint64)),
        ("most", POINTER(c_uint64)),
        ("places", c_void_p),
        ("mask", c_uint64),
        ("record", c_uint64),
        ("process", POINTER(c_uint32)),
        ("member", POINTER(c_uint64)),
        ("mine", c_uint64),
        ("own", POINTER(c_uint64)),
    ]


# Where a ring of records for many lies: all that a thread needs to push and pop a record without a
# call.
class atoll_mpmc_way(Structure):
    _fields_ = [
        ("place", atoll_place),
        ("tail", POINTER(c_uint64)),
        ("head", POINTER(c_uint64)),
        ("watch", POINTER(c_uint64) * 2),
        ("suspected", POINTER(c_uint64)),
        ("stride", c_uint64),
        ("lead", c_uint64),
        ("mask", c_uint64),
        ("record", c_uint64),
        ("object", c_uint64),
        ("mpmc", c_void_p),
    ]


# Every function: what it returns, and what it takes. Most programs use few, so each is asked for.
FUNCTIONS = {
    # The name of a status: "ATOLL_TIMED_OUT" for 2.
    "atoll_status_name": lambda: (c_char_p, [c_int32]),
    # Whether a call that returned `status` left you holding the lock: true for ATOLL_OK and
    # ATOLL_OWNER_DIED.
    "atoll_status_is_acquired": lambda: (c_bool, [c_int32]),
    # Says why the last call of this thread that failed did so.
    "atoll_last_error": lambda: (None, [POINTER(atoll_error)]),
    # The version of the declarations that the library was built with.
    "atoll_abi_version": lambda: (c_uint32, []),
    # A hash of all declarations here.
    "atoll_abi_fingerprint": lambda: (c_uint64, []),
    # A hash of all structs that lie in segments.
    "atoll_layout_fingerprint": lambda: (c_uint64, []),
    # The version of the library, such as "0.1.0": ATOLL_VERSION of the header that belongs to it.
    "atoll_version": lambda: (c_char_p, []),
    # Says what this machine and this process offer.
    "atoll_platform_info": lambda: (c_int32, [POINTER(atoll_platform)]),
    # Makes a segment.
    "atoll_segment_create": lambda: (c_int32, [
        c_char_p,
        POINTER(atoll_segment_options),
        POINTER(c_void_p),
    ]),
    # Opens a segment by its name.
    "atoll_segment_open": lambda: (c_int32, [
        c_char_p,
        POINTER(atoll_segment_options),
        POINTER(c_void_p),
    ]),
    # Opens the segment of that name, or makes it if there is none.
    "atoll_segment_open_or_create": lambda: (c_int32, [
        c_char_p,
        POINTER(atoll_segment_options),
        POINTER(c_void_p),
    ]),
    # Gives the home segment of the process: one of its own, made when it is first asked for.
    "atoll_segment_home": lambda: (c_int32, [POINTER(c_void_p)]),
    # Removes the ephemeral segments of this user that no process has open for writing any more,
    # because the last ones were killed.
    "atoll_gc": lambda: (c_int32, [POINTER(c_uint64)]),
    # Removes the name of a segment.
    "atoll_segment_unlink": lambda: (c_int32, [c_char_p]),
    # Closes a handle.
    "atoll_segment_close": lambda: (c_int32, [c_void_p]),
    # Checks every invariant of the segment and of all objects in it.
    "atoll_segment_verify": lambda: (c_int32, [c_void_p]),
    # Says what the segment is and how full it is.
    "atoll_segment_stat": lambda: (c_int32, [c_void_p, POINTER(atoll_segment_info)]),
    # Lists the objects of the segment in the order in which they were made.
    "atoll_segment_list": lambda: (c_int32, [
        c_void_p,
        c_uint64,
        POINTER(atoll_object_info),
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Waits for the death of a process that takes part in the segment: killed, crashed, or ended by
    # _exit() or exec().
    "atoll_segment_wait_death": lambda: (c_int32, [
        c_void_p,
        c_uint64,
        c_int64,
        POINTER(c_uint64),
        POINTER(atoll_member_info),
    ]),
    # Leaves all segments in good order, as exit() does.
    "atoll_process_leave": lambda: (c_int32, []),
    # Makes a mutex, free, in a segment.
    "atoll_mutex_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_mutex_options),
        POINTER(c_void_p),
    ]),
    # Opens a mutex by its name.
    "atoll_mutex_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_mutex_options),
        POINTER(c_void_p),
    ]),
    # Opens the mutex of that name, or makes it if there is none.
    "atoll_mutex_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_mutex_options),
        POINTER(c_void_p),
    ]),
    # Removes the name of a mutex, recursive or not: nobody can open it any more, and the name is
    # free for something else.
    "atoll_mutex_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_mutex_close": lambda: (c_int32, [c_void_p]),
    # Acquires the mutex, waiting up to `timeout_ns`.
    "atoll_mutex_lock": lambda: (c_int32, [c_void_p, c_int64]),
    # Releases the mutex, or undoes one lock of a recursive one.
    "atoll_mutex_unlock": lambda: (c_int32, [c_void_p]),
    # Says that what the mutex guards has been repaired: later holders are no longer told that an
    # owner died.
    "atoll_mutex_mark_consistent": lambda: (c_int32, [c_void_p]),
    # Says who holds the mutex.
    "atoll_mutex_owner": lambda: (c_int32, [c_void_p, POINTER(atoll_owner)]),
    # Says who died holding the mutex: the news that comes with ATOLL_OWNER_DIED, until somebody
    # calls atoll_mutex_mark_consistent().
    "atoll_mutex_dead_owner": lambda: (c_int32, [c_void_p, POINTER(atoll_owner)]),
    # Makes a value, all bytes zero, in a segment.
    "atoll_value_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(c_void_p),
    ]),
    # Makes a value that holds something from the start: nobody can see it zero.
    "atoll_value_create_with": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        c_void_p,
        c_size_t,
        POINTER(c_void_p),
    ]),
    # Opens a value by its name.
    "atoll_value_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(c_void_p),
    ]),
    # Opens the value of that name, or makes it, all bytes zero, if there is none.
    "atoll_value_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(c_void_p),
    ]),
    # Opens the value of that name, or makes it holding `initial` if there is none.
    "atoll_value_open_or_create_with": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        c_void_p,
        c_size_t,
        POINTER(c_void_p),
    ]),
    # Removes the name of a value: nobody can open it any more, and the name is free for something
    # else.
    "atoll_value_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_value_close": lambda: (c_int32, [c_void_p]),
    # Says what a value holds.
    "atoll_value_type": lambda: (c_int32, [c_void_p, POINTER(atoll_type)]),
    # Reads a value, whole: never half of one store and half of another.
    "atoll_value_load": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Writes a value, whole.
    "atoll_value_store": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, c_int64]),
    # Writes a value and gives what it was, in one step.
    "atoll_value_swap": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_int64,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Writes a value if it is what you expect, in one step.
    "atoll_value_compare_exchange": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_void_p,
        c_size_t,
        c_int64,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(c_bool),
    ]),
    # The address of a value of up to 8 bytes, for the atomic operations of your own language:
    # aligned to its size, the same value that the functions above work on.
    "atoll_value_data": lambda: (c_void_p, [c_void_p]),
    # Adds to a number, in one step, and gives what it was.
    "atoll_value_fetch_add": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Subtracts from a number, in one step, and gives what it was.
    "atoll_value_fetch_sub": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Keeps the lesser of a number and the operand, in one step, and gives what it was.
    "atoll_value_fetch_min": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Keeps the greater of a number and the operand, in one step, and gives what it was.
    "atoll_value_fetch_max": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Keeps the bits of an integer that the operand has too, in one step, and gives what it was.
    "atoll_value_fetch_and": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Sets the bits of the operand in an integer, in one step, and gives what it was.
    "atoll_value_fetch_or": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Flips the bits of the operand in an integer, in one step, and gives what it was.
    "atoll_value_fetch_xor": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    # Makes an array, all bytes zero, in a segment.
    "atoll_array_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        c_uint32,
        POINTER(c_uint64),
        POINTER(c_void_p),
    ]),
    # Opens an array by its name.
    "atoll_array_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        c_uint32,
        POINTER(c_uint64),
        POINTER(c_void_p),
    ]),
    # Opens the array of that name, or makes it, all bytes zero, if there is none.
    "atoll_array_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        c_uint32,
        POINTER(c_uint64),
        POINTER(c_void_p),
    ]),
    # Removes the name of an array: nobody can open it any more, and the name is free for something
    # else.
    "atoll_array_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_array_close": lambda: (c_int32, [c_void_p]),
    # The address of the first element.
    "atoll_array_data": lambda: (c_void_p, [c_void_p]),
    # Says what an array is made of.
    "atoll_array_info": lambda: (c_int32, [c_void_p, POINTER(atoll_array_layout)]),
    # Writes a ticket for the mutex, for another process to import.
    "atoll_mutex_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the mutex that a ticket is for, recursive or not as it is.
    "atoll_mutex_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Writes a ticket for the value, for another process to import.
    "atoll_value_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the value that a ticket is for, whatever its type: atoll_value_type() says which.
    "atoll_value_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Writes a ticket for the array, for another process to import.
    "atoll_array_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the array that a ticket is for, whatever its type and shape: atoll_array_info() says
    # which.
    "atoll_array_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a reader-writer lock, free, in a segment.
    "atoll_rwlock_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens a reader-writer lock by its name.
    "atoll_rwlock_open": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens the lock of that name, or makes it if there is none.
    "atoll_rwlock_open_or_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Removes the name of a reader-writer lock: nobody can open it any more, and the name is free
    # for something else.
    "atoll_rwlock_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_rwlock_close": lambda: (c_int32, [c_void_p]),
    # Locks for reading, waiting up to `timeout_ns` while somebody writes or waits to.
    "atoll_rwlock_read_lock": lambda: (c_int32, [c_void_p, c_int64]),
    # Undoes one atoll_rwlock_read_lock().
    "atoll_rwlock_read_unlock": lambda: (c_int32, [c_void_p]),
    # Locks for writing, waiting up to `timeout_ns` until nobody else reads or writes.
    "atoll_rwlock_write_lock": lambda: (c_int32, [c_void_p, c_int64]),
    # Undoes atoll_rwlock_write_lock().
    "atoll_rwlock_write_unlock": lambda: (c_int32, [c_void_p]),
    # Says that what the lock guards has been repaired: who comes later is no longer told that a
    # writer died.
    "atoll_rwlock_mark_consistent": lambda: (c_int32, [c_void_p]),
    # Says who writes under the lock, or waits for readers to leave so that it may.
    "atoll_rwlock_owner": lambda: (c_int32, [c_void_p, POINTER(atoll_owner)]),
    # Says who died writing under the lock: the news that comes with ATOLL_OWNER_DIED, until
    # somebody calls atoll_rwlock_mark_consistent().
    "atoll_rwlock_dead_owner": lambda: (c_int32, [c_void_p, POINTER(atoll_owner)]),
    # Says how many threads read under the lock.
    "atoll_rwlock_readers": lambda: (c_int32, [c_void_p, POINTER(c_uint32)]),
    # Writes a ticket for the reader-writer lock, for another process to import.
    "atoll_rwlock_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the reader-writer lock that a ticket is for.
    "atoll_rwlock_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a semaphore in a segment.
    "atoll_semaphore_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_semaphore_options),
        POINTER(c_void_p),
    ]),
    # Opens a semaphore by its name.
    "atoll_semaphore_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_semaphore_options),
        POINTER(c_void_p),
    ]),
    # Opens the semaphore of that name, or makes it if there is none.
    "atoll_semaphore_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_semaphore_options),
        POINTER(c_void_p),
    ]),
    # Removes the name of a semaphore, tracked or not: nobody can open it any more, and the name is
    # free for something else.
    "atoll_semaphore_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_semaphore_close": lambda: (c_int32, [c_void_p]),
    # Acquires a permit, waiting up to `timeout_ns` for one.
    "atoll_semaphore_acquire": lambda: (c_int32, [c_void_p, c_int64]),
    # Releases `n` permits.
    "atoll_semaphore_release": lambda: (c_int32, [c_void_p, c_uint32]),
    # Says how many permits there are to be had, how many there can be, and of which sort the
    # semaphore is.
    "atoll_semaphore_stat": lambda: (c_int32, [c_void_p, POINTER(atoll_semaphore_info)]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when there is a permit to be had, and may be readable when there is not.
    "atoll_semaphore_descriptor": lambda: (c_int32, [c_void_p, POINTER(c_int)]),
    # Writes a ticket for the semaphore, for another process to import.
    "atoll_semaphore_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the semaphore that a ticket is for, tracked or not as it is.
    "atoll_semaphore_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a condvar in a segment.
    "atoll_condvar_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens a condvar by its name.
    "atoll_condvar_open": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens the condvar of that name, or makes it if there is none.
    "atoll_condvar_open_or_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Removes the name of a condvar: nobody can open it any more, and the name is free for something
    # else.
    "atoll_condvar_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_condvar_close": lambda: (c_int32, [c_void_p]),
    # Lets go of the mutex, waits up to `timeout_ns` until it is notified, and acquires the mutex
    # again, however long that takes.
    "atoll_condvar_wait": lambda: (c_int32, [c_void_p, c_void_p, c_int64]),
    # Begins to wait, for who guards the condition with a lock of its own, of any kind: call it
    # while you hold that lock, let go of the lock, and call atoll_condvar_commit_wait().
    "atoll_condvar_prepare_wait": lambda: (c_int32, [c_void_p]),
    # Waits up to `timeout_ns` until the thread is notified, which ends the wait that it has
    # prepared.
    "atoll_condvar_commit_wait": lambda: (c_int32, [c_void_p, c_int64]),
    # Ends the wait that the thread has prepared.
    "atoll_condvar_cancel_wait": lambda: (c_int32, [c_void_p, POINTER(c_bool)]),
    # Notifies the one that has waited longest and lives; without waiters it does nothing.
    "atoll_condvar_notify_one": lambda: (c_int32, [c_void_p]),
    # Notifies all who wait.
    "atoll_condvar_notify_all": lambda: (c_int32, [c_void_p]),
    # Notifies the `n` that have waited longest, or all if there are fewer.
    "atoll_condvar_notify_many": lambda: (c_int32, [c_void_p, c_uint32]),
    # Writes a ticket for the condvar, for another process to import.
    "atoll_condvar_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the condvar that a ticket is for.
    "atoll_condvar_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Begins to wait for a condvar, without a call that waits: from here on a notification counts,
    # and the waiter has its place among all who wait.
    "atoll_waiter_create": lambda: (c_int32, [c_void_p, POINTER(c_void_p)]),
    # Ends the wait.
    "atoll_waiter_finish": lambda: (c_int32, [c_void_p, POINTER(c_bool)]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when atoll_waiter_finish() would say that it was notified, and may be readable
    # when it would not.
    "atoll_waiter_descriptor": lambda: (c_int32, [c_void_p, POINTER(c_int)]),
    # Closes a handle.
    "atoll_waiter_close": lambda: (c_int32, [c_void_p]),
    # Makes an event, not set, in a segment.
    "atoll_event_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens an event by its name.
    "atoll_event_open": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens the event of that name, or makes it if there is none.
    "atoll_event_open_or_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Removes the name of an event: nobody can open it any more, and the name is free for something
    # else.
    "atoll_event_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_event_close": lambda: (c_int32, [c_void_p]),
    # Sets the event and wakes all who wait for it.
    "atoll_event_set": lambda: (c_int32, [c_void_p]),
    # Clears the event: who comes from here on waits.
    "atoll_event_clear": lambda: (c_int32, [c_void_p]),
    # Says whether the event is set.
    "atoll_event_is_set": lambda: (c_int32, [c_void_p, POINTER(c_bool)]),
    # Says how often the event was set, modulo 2^31; to set one that is set does not count.
    "atoll_event_sets": lambda: (c_int32, [c_void_p, POINTER(c_uint32)]),
    # Waits until the event is set, up to `timeout_ns`.
    "atoll_event_wait": lambda: (c_int32, [c_void_p, c_int64]),
    # The same for a wait in several pieces: it is over also if the event was set between two of
    # them.
    "atoll_event_wait_since": lambda: (c_int32, [c_void_p, c_uint32, c_int64]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when the event is set, and may be readable when it is not.
    "atoll_event_descriptor": lambda: (c_int32, [c_void_p, POINTER(c_int)]),
    # Writes a ticket for the event, for another process to import.
    "atoll_event_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the event that a ticket is for.
    "atoll_event_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a barrier in a segment.
    "atoll_barrier_create": lambda: (c_int32, [c_void_p, c_char_p, c_uint32, POINTER(c_void_p)]),
    # Opens a barrier by its name.
    "atoll_barrier_open": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens the barrier of that name, or makes it if there is none.
    "atoll_barrier_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        c_uint32,
        POINTER(c_void_p),
    ]),
    # Removes the name of a barrier: nobody can open it any more, and the name is free for something
    # else.
    "atoll_barrier_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_barrier_close": lambda: (c_int32, [c_void_p]),
    # Arrives, and waits up to `timeout_ns` until all have arrived.
    "atoll_barrier_arrive_and_wait": lambda: (c_int32, [c_void_p, c_int64, POINTER(c_uint32)]),
    # Arrives, and does not wait: atoll_barrier_wait() does.
    "atoll_barrier_arrive": lambda: (c_int32, [c_void_p, c_bool, POINTER(atoll_arrival)]),
    # Arrives as one of this generation, and is no party of later ones.
    "atoll_barrier_arrive_and_drop": lambda: (c_int32, [c_void_p, c_bool, POINTER(atoll_arrival)]),
    # Lets the others go, for whom this thread arrived last and held.
    "atoll_barrier_release": lambda: (c_int32, [c_void_p]),
    # Waits up to `timeout_ns` until all have arrived, after atoll_barrier_arrive() or a wait that
    # ended early.
    "atoll_barrier_wait": lambda: (c_int32, [c_void_p, c_int64]),
    # Breaks the barrier: all who wait get BROKEN, and so does who arrives, until
    # atoll_barrier_reset().
    "atoll_barrier_abort": lambda: (c_int32, [c_void_p]),
    # Begins anew: a barrier that is broken can be passed again.
    "atoll_barrier_reset": lambda: (c_int32, [c_void_p]),
    # Says how many the barrier waits for, how many are there, and whether it is broken.
    "atoll_barrier_stat": lambda: (c_int32, [c_void_p, POINTER(atoll_barrier_info)]),
    # Writes a ticket for the barrier, for another process to import.
    "atoll_barrier_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the barrier that a ticket is for.
    "atoll_barrier_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a latch in a segment.
    "atoll_latch_create": lambda: (c_int32, [c_void_p, c_char_p, c_uint32, POINTER(c_void_p)]),
    # Opens a latch by its name.
    "atoll_latch_open": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens the latch of that name, or makes it if there is none.
    "atoll_latch_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        c_uint32,
        POINTER(c_void_p),
    ]),
    # Removes the name of a latch: nobody can open it any more, and the name is free for something
    # else.
    "atoll_latch_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_latch_close": lambda: (c_int32, [c_void_p]),
    # Counts the latch down, and at zero opens it and wakes all who wait.
    "atoll_latch_count_down": lambda: (c_int32, [c_void_p, c_uint32]),
    # Says what the latch still waits for; 0: it is open.
    "atoll_latch_count": lambda: (c_int32, [c_void_p, POINTER(c_uint32)]),
    # Waits until the latch is open, up to `timeout_ns`: as for atoll_event_wait().
    "atoll_latch_wait": lambda: (c_int32, [c_void_p, c_int64]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when the latch is open, and may be readable when it is not.
    "atoll_latch_descriptor": lambda: (c_int32, [c_void_p, POINTER(c_int)]),
    # Writes a ticket for the latch, for another process to import.
    "atoll_latch_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the latch that a ticket is for.
    "atoll_latch_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a lock, free, in a segment.
    "atoll_lock_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens a lock by its name.
    "atoll_lock_open": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Opens the lock of that name, or makes it if there is none.
    "atoll_lock_open_or_create": lambda: (c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # Removes the name of a lock: nobody can open it any more, and the name is free for something
    # else.
    "atoll_lock_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_lock_close": lambda: (c_int32, [c_void_p]),
    # Acquires the lock for this process, waiting up to `timeout_ns`.
    "atoll_lock_acquire": lambda: (c_int32, [c_void_p, c_int64, POINTER(atoll_owner)]),
    # Releases the lock, whoever holds it.
    "atoll_lock_release": lambda: (c_int32, [c_void_p]),
    # Says which process holds the lock.
    "atoll_lock_owner": lambda: (c_int32, [c_void_p, POINTER(atoll_owner)]),
    # Writes a ticket for the lock, for another process to import.
    "atoll_lock_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the lock that a ticket is for.
    "atoll_lock_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Makes a spsc in a segment.
    "atoll_spsc_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Opens a spsc by its name.
    "atoll_spsc_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Opens the spsc of that name, or makes it if there is none.
    "atoll_spsc_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Removes the name of a spsc: nobody can open it any more, and the name is free for something
    # else.
    "atoll_spsc_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle, and gives up the roles that it has.
    "atoll_spsc_close": lambda: (c_int32, [c_void_p]),
    # Gives up a role that this handle has, so that another handle or process may take it.
    "atoll_spsc_leave": lambda: (c_int32, [c_void_p, c_uint32]),
    # Closes an end for good, for all processes, and wakes all who wait.
    "atoll_spsc_shutdown": lambda: (c_int32, [c_void_p, c_uint32]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be readable
    # when it would.
    "atoll_spsc_descriptor": lambda: (c_int32, [c_void_p, c_uint32, POINTER(c_int)]),
    # Says what the spsc is, and what has gone through it.
    "atoll_spsc_info": lambda: (c_int32, [c_void_p, POINTER(atoll_ring_info)]),
    # Writes a ticket for the spsc, for another process to import.
    "atoll_spsc_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the spsc that a ticket is for, whatever its type: atoll_spsc_info() says which.
    "atoll_spsc_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Puts a record, if there is room.
    "atoll_spsc_push": lambda: (c_int32, [c_void_p, c_void_p, c_size_t]),
    # Puts as many of some records as there is room for.
    "atoll_spsc_push_n": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Gets a record, if there is one.
    "atoll_spsc_pop": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Gets as many records as there are and have room.
    "atoll_spsc_pop_n": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Puts a record, waiting up to `timeout_ns` for room.
    "atoll_spsc_put": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, c_int64]),
    # Gets a record, waiting up to `timeout_ns` for one, as atoll_spsc_put() does for room.
    "atoll_spsc_get": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t), c_int64]),
    # Claims up to `n` places side by side, to write records there.
    "atoll_spsc_claim": lambda: (c_int32, [
        c_void_p,
        c_size_t,
        POINTER(c_void_p),
        POINTER(c_size_t),
    ]),
    # Puts the records in the first `n` of the places that were claimed last, and lets go of the
    # others.
    "atoll_spsc_commit": lambda: (c_int32, [c_void_p, c_size_t]),
    # Lets go of the places that were claimed: nothing is put.
    "atoll_spsc_abandon": lambda: (c_int32, [c_void_p]),
    # Shows up to `n` records side by side, to be read in their places.
    "atoll_spsc_peek": lambda: (c_int32, [
        c_void_p,
        c_size_t,
        POINTER(c_void_p),
        POINTER(c_size_t),
    ]),
    # Gets the first `n` of the records that were shown last: their places are free.
    "atoll_spsc_advance": lambda: (c_int32, [c_void_p, c_size_t]),
    # Makes a fanin in a segment.
    "atoll_fanin_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Opens a fanin by its name.
    "atoll_fanin_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Opens the fanin of that name, or makes it if there is none.
    "atoll_fanin_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Removes the name of a fanin: nobody can open it any more, and the name is free for something
    # else.
    "atoll_fanin_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle, and gives up the roles that it has.
    "atoll_fanin_close": lambda: (c_int32, [c_void_p]),
    # Gives up a role that this handle has, so that another handle or process may take it.
    "atoll_fanin_leave": lambda: (c_int32, [c_void_p, c_uint32]),
    # Closes an end for good, for all processes, and wakes all who wait.
    "atoll_fanin_shutdown": lambda: (c_int32, [c_void_p, c_uint32]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be readable
    # when it would.
    "atoll_fanin_descriptor": lambda: (c_int32, [c_void_p, c_uint32, POINTER(c_int)]),
    # Says what the fanin is, and what has gone through it.
    "atoll_fanin_info": lambda: (c_int32, [c_void_p, POINTER(atoll_ring_info)]),
    # Writes a ticket for the fanin, for another process to import.
    "atoll_fanin_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the fanin that a ticket is for, whatever its type: atoll_fanin_info() says which.
    "atoll_fanin_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Puts a record, if there is room.
    "atoll_fanin_push": lambda: (c_int32, [c_void_p, c_void_p, c_size_t]),
    # Puts as many of some records as there is room for.
    "atoll_fanin_push_n": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Gets a record, if there is one.
    "atoll_fanin_pop": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Gets as many records as there are in a lane and have room.
    "atoll_fanin_pop_n": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Puts a record, waiting up to `timeout_ns` for room.
    "atoll_fanin_put": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, c_int64]),
    # Gets a record, waiting up to `timeout_ns` for one, as atoll_fanin_put() does for room.
    "atoll_fanin_get": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
        c_int64,
    ]),
    # Claims up to `n` places side by side, to write records there.
    "atoll_fanin_claim": lambda: (c_int32, [
        c_void_p,
        c_size_t,
        POINTER(c_void_p),
        POINTER(c_size_t),
    ]),
    # Puts the records in the first `n` of the places that were claimed last, and lets go of the
    # others.
    "atoll_fanin_commit": lambda: (c_int32, [c_void_p, c_size_t]),
    # Lets go of the places that were claimed: nothing is put.
    "atoll_fanin_abandon": lambda: (c_int32, [c_void_p]),
    # Shows up to `n` records side by side, to be read in their places.
    "atoll_fanin_peek": lambda: (c_int32, [
        c_void_p,
        c_size_t,
        POINTER(c_void_p),
        POINTER(c_size_t),
    ]),
    # Gets the first `n` of the records that were shown last: their places are free.
    "atoll_fanin_advance": lambda: (c_int32, [c_void_p, c_size_t]),
    # Makes a mpmc in a segment.
    "atoll_mpmc_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Opens a mpmc by its name.
    "atoll_mpmc_open": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Opens the mpmc of that name, or makes it if there is none.
    "atoll_mpmc_open_or_create": lambda: (c_int32, [
        c_void_p,
        c_char_p,
        POINTER(atoll_type),
        POINTER(atoll_ring_options),
        POINTER(c_void_p),
    ]),
    # Removes the name of a mpmc: nobody can open it any more, and the name is free for something
    # else.
    "atoll_mpmc_remove": lambda: (c_int32, [c_void_p, c_char_p]),
    # Closes a handle.
    "atoll_mpmc_close": lambda: (c_int32, [c_void_p]),
    # Closes an end for good, for all processes, and wakes all who wait.
    "atoll_mpmc_shutdown": lambda: (c_int32, [c_void_p, c_uint32]),
    # Lends a descriptor for poll(), select(), epoll and the event loops that are made of them: it
    # is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be readable
    # when it would.
    "atoll_mpmc_descriptor": lambda: (c_int32, [c_void_p, c_uint32, POINTER(c_int)]),
    # Says what the mpmc is, and what has gone through it.
    "atoll_mpmc_info": lambda: (c_int32, [c_void_p, POINTER(atoll_ring_info)]),
    # Writes a ticket for the mpmc, for another process to import.
    "atoll_mpmc_export": lambda: (c_int32, [c_void_p, POINTER(atoll_ticket)]),
    # Opens the mpmc that a ticket is for, whatever its type: atoll_mpmc_info() says which.
    "atoll_mpmc_import": lambda: (c_int32, [POINTER(atoll_ticket), POINTER(c_void_p)]),
    # Puts a record, if there is room.
    "atoll_mpmc_push": lambda: (c_int32, [c_void_p, c_void_p, c_size_t]),
    # Puts as many of some records as there is room for.
    "atoll_mpmc_push_n": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    # Gets a record, if there is one.
    "atoll_mpmc_pop": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(c_uint32),
    ]),
    # Gets as many records as there are and have room.
    "atoll_mpmc_pop_n": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(c_uint32),
    ]),
    # Puts a record, waiting up to `timeout_ns` for room.
    "atoll_mpmc_put": lambda: (c_int32, [c_void_p, c_void_p, c_size_t, c_int64]),
    # Gets a record, waiting up to `timeout_ns` for one, as atoll_mpmc_put() does for room.
    "atoll_mpmc_get": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(c_uint32),
        c_int64,
    ]),
    # Claims a place for a record, to be written there.
    "atoll_mpmc_claim": lambda: (c_int32, [c_void_p, c_size_t, POINTER(atoll_reservation)]),
    # Puts the record in a place that was claimed.
    "atoll_mpmc_commit": lambda: (c_int32, [c_void_p, c_uint64, c_size_t]),
    # Takes the next record into the hand, to be read in its place.
    "atoll_mpmc_peek": lambda: (c_int32, [c_void_p, POINTER(atoll_reservation)]),
    # Gets a record that was peeked at: its place is free.
    "atoll_mpmc_advance": lambda: (c_int32, [c_void_p, c_uint64]),
    # Gives up a place: one that was claimed is skipped, and a record that was peeked at goes to
    # another one, out of turn, as from a process that died.
    "atoll_mpmc_abandon": lambda: (c_int32, [c_void_p, c_uint64]),
    # Begins a transaction: changes that all happen, at the commit, or not at all.
    "atoll_transaction_begin": lambda: (c_int32, [
        POINTER(c_void_p),
        c_size_t,
        c_int64,
        POINTER(c_void_p),
    ]),
    # Replaces a value, if the transaction is committed.
    "atoll_transaction_store": lambda: (c_int32, [c_void_p, c_void_p, c_void_p, c_size_t, c_int64]),
    # Notes elements of an array and lends them: you may write to them until the transaction ends,
    # by plain stores.
    "atoll_transaction_modify": lambda: (c_int32, [
        c_void_p,
        c_void_p,
        c_uint64,
        c_uint64,
        POINTER(c_void_p),
    ]),
    # Makes all changes of the transaction final, in one store, and unlocks the mutexes.
    "atoll_transaction_commit": lambda: (c_int32, [c_void_p]),
    # Undoes all changes of the transaction, and unlocks the mutexes.
    "atoll_transaction_abort": lambda: (c_int32, [c_void_p]),
    # Commits the transaction or aborts it: one function for languages whose blocks end in one
    # place, be it well or by an error.
    "atoll_transaction_end": lambda: (c_int32, [c_void_p, c_uint32]),
    # Waits until at least one of several things is ready, up to `timeout_ns`, and says which are.
    "atoll_wait_any": lambda: (c_int32, [
        POINTER(atoll_waitable),
        c_size_t,
        c_int64,
        POINTER(c_uint64),
    ]),
    # Says where a mutex lies, for code that locks it without a call.
    "atoll_mutex_place": lambda: (c_int32, [c_void_p, c_uint32, POINTER(atoll_place)]),
    # Says where a reader-writer lock lies, for code that reads under it without a call.
    "atoll_rwlock_place": lambda: (c_int32, [c_void_p, c_uint32, POINTER(atoll_place)]),
    # Takes back the mark of a reader that found a writer in its way, and wakes that one if it waits
    # for this.
    "atoll_place_retreat": lambda: (None, [POINTER(c_uint64)]),
    # Says where a value lies, for code that reads and changes it without a call.
    "atoll_value_place": lambda: (c_int32, [c_void_p, c_uint32, POINTER(atoll_place)]),
    # Says where a semaphore lies, for code that acquires and releases without a call.
    "atoll_semaphore_place": lambda: (c_int32, [c_void_p, c_uint32, POINTER(atoll_place)]),
    # Says where an event lies, for code that looks without a call whether it is set.
    "atoll_event_place": lambda: (c_int32, [c_void_p, c_uint32, POINTER(atoll_place)]),
    # Says where an end of a spsc is, for code that pushes or pops without a call.
    "atoll_spsc_place": lambda: (c_int32, [
        c_void_p,
        c_uint32,
        c_uint32,
        POINTER(atoll_ring_place),
    ]),
    # Says where an mpmc lies, for code that pushes or pops records without a call.
    "atoll_mpmc_place": lambda: (c_int32, [c_void_p, c_uint32, POINTER(atoll_mpmc_way)]),
    # Puts a record that was written to a place claimed without a call, where somebody has to be
    # told.
    "atoll_place_finish_push": lambda: (c_bool, [c_void_p, c_uint64]),
    # Gets a record whose number was claimed without a call, where somebody has to be told.
    "atoll_place_finish_pop": lambda: (c_bool, [c_void_p, c_uint64, c_void_p]),
}
