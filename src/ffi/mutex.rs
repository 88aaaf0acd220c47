//! `atoll_mutex_*`.

use core::ffi::c_char;

use super::argument::{Growing, check_reserved, flag, growing};
use super::guard::guard;
use super::handle::{self, Handle, Kind, Place};
use super::obtain;
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use crate::error::Result;
use crate::object::mutex::Mutex;
use crate::object::segment::Segment;
use crate::platform::time::Deadline;
use crate::roster::thread;
use crate::sync::mutex::{MutexBody, Owner};

/// A mutex in a segment. The pointer is a handle: never follow it.
pub struct atoll_mutex {
    _never: [u8; 0],
}

impl Handle for atoll_mutex {
    type Object = Mutex;
    const KIND: Kind = Kind::Mutex;

    fn place(mutex: &Mutex) -> Place {
        let (body, attachment) = mutex.place();
        let address = core::ptr::from_ref(body).cast_mut().cast::<u8>();
        let mark = if mutex.is_recursive() { COUNTS } else { 0 };
        Place { address: address.map_addr(|bits| bits | mark), attachment }
    }
}

/// Set in the address of a mutex that counts; addresses of bodies have it 0.
const COUNTS: usize = 1;
const _: () = assert!(align_of::<MutexBody>() > COUNTS);

/// How a mutex is made. Begin with ATOLL_MUTEX_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_mutex_options {
    /// sizeof(atoll_mutex_options), or 0, which says the same.
    pub struct_size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// 1: the thread that holds it may lock it again, and unlocks it as often.
    /// 0: locking it again is ATOLL_DEADLOCK.
    pub recursive: u32,
}

// SAFETY: `repr(C)`, three integers of 4 bytes.
unsafe impl Growing for atoll_mutex_options {
    const FIRST_SIZE: usize = 12;
}

/// Who holds a mutex or a lock, or writes under a reader-writer lock. Ids and name are what the owner
/// itself calls them: in another container the same pid is somebody else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_owner {
    /// The process; 0 if its place is somebody else's already, or if generation is 0.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The owner's place in the segment.
    pub slot: u32,
    /// Which user of that place it is, counted from 1; 0 if there is nobody.
    pub generation: u32,
    /// false: the owner is dead, and the next to lock will be told.
    pub alive: bool,
    /// An owner died, and nobody has marked the lock consistent since.
    pub owner_died: bool,
    /// The name of the thread, as pthread_setname_np() sets it, ended by NUL.
    pub name: [c_char; 16],
}

impl From<Option<Owner>> for atoll_owner {
    fn from(owner: Option<Owner>) -> Self {
        // Nobody is generation 0.
        let owner = owner.unwrap_or_default();
        Self {
            pid: owner.pid,
            tid: owner.tid,
            slot: owner.slot,
            generation: owner.generation,
            alive: owner.alive,
            owner_died: owner.owner_died,
            name: owner.name.map(|byte| byte as c_char),
        }
    }
}

/// Create and open, which differ in what they do with the name.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
unsafe fn obtain(
    segment: *const atoll_segment,
    name: *const c_char,
    options: *const atoll_mutex_options,
    out: *mut *mut atoll_mutex,
    how: impl FnOnce(&Segment, Option<&str>, bool) -> Result<Mutex>,
) -> atoll_status {
    let make = |segment: &_, name: Option<&_>| {
        // SAFETY: NULL or a struct as long as it says, per the caller.
        let options = unsafe { growing(options, "options") }?;
        how(segment, name, options.as_ref().map_or(Ok(false), recursive)?)
    };
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain::obtain(segment, name, out, make) }
}

fn recursive(options: &atoll_mutex_options) -> Result<bool> {
    check_reserved(options.reserved, "options")?;
    flag(options.recursive, "options->recursive")
}

/// Makes a mutex, free, in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a mutex without a name, which others can only get by a ticket.
/// options   How; NULL for the defaults: not recursive.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mutex_close(). With a name the mutex
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    options: *const atoll_mutex_options,
    out: *mut *mut atoll_mutex,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, options, out, Mutex::create) }
}

/// Opens a mutex by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a mutex without a name cannot be opened.
/// options   What you expect it to be; NULL for not recursive.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same mutex.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object, or recursive where you
///                       expect a plain one, or the other way round.
///   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mutex_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    options: *const atoll_mutex_options,
    out: *mut *mut atoll_mutex,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, options, out, Mutex::open) }
}

/// Opens the mutex of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_mutex_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_mutex_open().
///   NO_SPACE            As for atoll_mutex_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mutex_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    options: *const atoll_mutex_options,
    out: *mut *mut atoll_mutex,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, options, out, Mutex::open_or_create) }
}

/// Removes the name of a mutex, recursive or not: nobody can open it any more, and the
/// name is free for something else. Who has it open goes on using it; its memory is free
/// with the last of them.
///
/// segment   Where it is.
/// name      Its name.
///
/// Returns
///   OK                  The name is gone.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Of several that remove one name, one gets OK.
/// Fork      A child may use the handle.
/// Owner     Takes nothing. Handles to the mutex stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain::remove(segment, name, Mutex::remove) }
}

/// Closes a handle. A mutex with a name stays in the segment; another one goes when no
/// process has it open any more. One that is held stays held: close does not unlock. A
/// call that waits on another thread goes on.
///
/// mutex     The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a mutex.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mutex_close(mutex: *mut atoll_mutex) -> atoll_status {
    guard(|call| handle::close(call, mutex))
}

/// Acquires the mutex, waiting up to `timeout_ns`.
///
/// Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
/// measured from the call on the monotonic clock, which no one can set.
///
/// Returns
///   OK                  You hold the lock.
///   OWNER_DIED          You hold the lock. Its last holder died holding it, so what
///                       it guards may be half-changed. Repair that, then call
///                       atoll_mutex_mark_consistent(). Unlock without it and the
///                       next holder is told the same, until somebody does.
///   TIMED_OUT           You do not hold it. Nothing changed.
///   INTERRUPTED         A signal handler ran. You do not hold it. Call again.
///   DEADLOCK            This thread holds it already, and it is not recursive; or its
///                       transaction holds it.
///   FULL                It is recursive and locked as often as can be counted.
///   NO_SPACE            The segment has no place for another thread: see
///                       max_participants in atoll_segment_options.
///   INCOMPATIBLE        This process uses another C library than the others.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Only the thread that locked may unlock.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle, and does not hold what its parent held.
/// Owner     Takes nothing. `mutex` stays yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mutex_lock(mutex: *mut atoll_mutex, timeout_ns: i64) -> atoll_status {
    if timeout_ns >= 0 && quickly(mutex, MutexBody::take_if_free, MutexBody::take_if_free_or_mine) {
        return atoll_status::ATOLL_OK;
    }
    lock_in_full(mutex, timeout_ns)
}

/// An uncontended call comes to a few instructions: no more stores than the exchange, or
/// the count, and nothing that could unwind.
///
/// It is no call in the sense of `enter`, so the object may be closed meanwhile. Its
/// place stays mapped all the same, because this thread has a seat in the segment. A
/// thread that is inside another call, which a signal handler interrupted, is refused.
#[inline(always)]
fn quickly(
    mutex: *mut atoll_mutex,
    plainly: impl FnOnce(&MutexBody, u64) -> bool,
    counting: impl FnOnce(&MutexBody, u64) -> bool,
) -> bool {
    let Some(place) = handle::place_of(mutex) else { return false };
    let seat = thread::idle().and_then(|thread| thread.cached_name(place.attachment));
    let Some(name) = seat else { return false };
    let body = place.address.map_addr(|bits| bits & !COUNTS).cast::<MutexBody>();
    // SAFETY: the address of a mutex's body in that attachment, which stays mapped
    // while there are seats; this thread's is not given up before we return.
    let body = unsafe { &*body };
    if place.address.addr() & COUNTS == 0 { plainly(body, name) } else { counting(body, name) }
}

#[cold]
#[inline(never)]
fn lock_in_full(mutex: *mut atoll_mutex, timeout_ns: i64) -> atoll_status {
    guard(|call| {
        handle::find(call, mutex)?.acquire_on(call.thread(), Deadline::after_ns(timeout_ns)?)
    })
}

/// Releases the mutex, or undoes one lock of a recursive one.
///
/// Returns
///   OK                  Done. If others wait, one of them is on its way.
///   NOT_OWNER           This thread does not hold it. Nothing changed.
///   DEADLOCK            This thread's transaction holds it, and gives it back when it
///                       ends.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The holder.
/// Fork      NOT_OWNER in a child for what its parent held.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mutex_unlock(mutex: *mut atoll_mutex) -> atoll_status {
    if quickly(mutex, MutexBody::give_up_if_quiet, MutexBody::give_up_once_if_quiet) {
        return atoll_status::ATOLL_OK;
    }
    unlock_in_full(mutex)
}

#[cold]
#[inline(never)]
fn unlock_in_full(mutex: *mut atoll_mutex) -> atoll_status {
    guard(|call| handle::find(call, mutex)?.release_on(call.thread()))
}

/// Says that what the mutex guards has been repaired: later holders are no longer
/// told that an owner died. Without such news to end it does nothing. In a transaction
/// it counts from the commit on.
///
/// Returns
///   OK                  Done.
///   NOT_OWNER           This thread does not hold the mutex. Nothing changed.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The holder.
/// Fork      NOT_OWNER in a child for what its parent held.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mutex_mark_consistent(mutex: *mut atoll_mutex) -> atoll_status {
    guard(|call| handle::find(call, mutex)?.mark_consistent())
}

/// Says who holds the mutex. The answer may be over when you read it: it is for
/// people and for logs.
///
/// out       Receives the owner; generation 0, and all else 0, if nobody holds it.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_owner(
    mutex: *const atoll_mutex,
    out: *mut atoll_owner,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_owner.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, mutex)?.owner()?.into());
        Ok(())
    })
}

/// Says who died holding the mutex: the news that comes with ATOLL_OWNER_DIED, until
/// somebody calls atoll_mutex_mark_consistent().
///
/// out       Receives the dead owner; generation 0, and all else 0, without such news.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Who does not hold the mutex gets a moment's view.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_dead_owner(
    mutex: *const atoll_mutex,
    out: *mut atoll_owner,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_owner.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, mutex)?.dead_owner()?.into());
        Ok(())
    })
}
