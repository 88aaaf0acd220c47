//! `atoll_rwlock_*`.

use core::ffi::c_char;

use super::guard::guard;
use super::handle::{self, Handle, Kind, Place};
use super::mutex::atoll_owner;
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::object::rwlock::RwLock;
use crate::platform::time::Deadline;
use crate::roster::thread::{self, Seated};
use crate::sync::rwlock::{Attempt, RwLockBody};

/// A reader-writer lock in a segment: many may read under it, or one may write. The pointer
/// is a handle: never follow it.
pub struct atoll_rwlock {
    _never: [u8; 0],
}

impl Handle for atoll_rwlock {
    type Object = RwLock;
    const KIND: Kind = Kind::RwLock;

    fn place(lock: &RwLock) -> Place {
        let (body, attachment) = lock.place();
        Place { address: core::ptr::from_ref(body).cast_mut().cast(), attachment }
    }
}

/// Makes a reader-writer lock, free, in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a lock without a name, which others can only get by a ticket.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_rwlock_close(). With a name the lock
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_rwlock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, RwLock::create) }
}

/// Opens a reader-writer lock by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a lock without a name cannot be opened.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same lock.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_rwlock_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_rwlock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, RwLock::open) }
}

/// Opens the lock of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_rwlock_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_rwlock_open().
///   NO_SPACE            As for atoll_rwlock_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_rwlock_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_rwlock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, RwLock::open_or_create) }
}

/// Removes the name of a reader-writer lock: nobody can open it any more, and the name is free for
/// something else. Who has it open goes on using it; its memory is free with the last of
/// them.
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
/// Owner     Takes nothing. Handles to the lock stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, RwLock::remove) }
}

/// Closes a handle. A lock with a name stays in the segment; another one goes when no
/// process has it open any more. One that is held stays held, for reading or for writing:
/// close does not unlock. A call that waits on another thread goes on.
///
/// lock      The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a reader-writer lock.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_rwlock_close(lock: *mut atoll_rwlock) -> atoll_status {
    guard(|call| handle::close(call, lock))
}

/// Locks for reading, waiting up to `timeout_ns` while somebody writes or waits to.
///
/// Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
/// measured from the call on the monotonic clock, which no one can set.
///
/// A thread that reads under the lock may lock it for reading again, and unlocks it as
/// often; that never waits. It costs two exchanges of a word of the thread's own, whoever
/// else reads.
///
/// Returns
///   OK                  You may read, until you call atoll_rwlock_read_unlock().
///   OWNER_DIED          You may read, and have to unlock. A writer died, so what you read
///                       may be half-changed. A writer has to repair that.
///   TIMED_OUT           You may not. Nothing changed.
///   INTERRUPTED         A signal handler ran. You may not. Call again.
///   DEADLOCK            This thread writes under the lock.
///   FULL                This thread reads 8 other reader-writer locks of the segment, or
///                       this one 32,767 times.
///   REENTRANT           Called in a signal handler that interrupted a call of this thread.
///   NO_SPACE            The segment has no place for another thread: see
///                       max_participants in atoll_segment_options.
///   INCOMPATIBLE        This process uses another C library than the others.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Only the thread that locked may unlock. If it ends before, it no
///           longer counts, and nobody is told.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle, and does not hold what its parent held.
/// Owner     Takes nothing. `lock` stays yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_rwlock_read_lock(lock: *mut atoll_rwlock, timeout_ns: i64) -> atoll_status {
    if timeout_ns >= 0
        && let Some(place) = handle::place_of(lock)
        && let Some(own) = thread::enter_seated(place.attachment)
    {
        // SAFETY: this thread has a seat there, and keeps it for as long as the call.
        let body = unsafe { body_at(&place) };
        match body.read_quickly(&own) {
            Attempt::In(acquired) => return acquired.into(),
            Attempt::HeldUp => return read_lock_after_all(lock, timeout_ns, body, own),
            Attempt::None => {}
        }
    }
    read_lock_in_full(lock, timeout_ns)
}

/// The lock at a place, for the short ways: a few instructions around the exchange of a
/// mark, nothing that could unwind, and no call but as the last thing that they do. The
/// object may be closed meanwhile, for it is not looked at.
///
/// # Safety
/// The thread has a seat in the place's attachment for as long as it looks there.
#[inline(always)]
unsafe fn body_at(place: &Place) -> &RwLockBody {
    // SAFETY: the address of a lock's body in that attachment, which stays mapped while
    // there are seats, per the caller.
    unsafe { &*place.address.cast::<RwLockBody>() }
}

#[cold]
#[inline(never)]
fn read_lock_after_all(
    lock: *mut atoll_rwlock,
    timeout_ns: i64,
    body: &RwLockBody,
    own: Seated,
) -> atoll_status {
    body.retreat(&own);
    drop(own);
    read_lock_in_full(lock, timeout_ns)
}

#[cold]
#[inline(never)]
fn read_lock_in_full(lock: *mut atoll_rwlock, timeout_ns: i64) -> atoll_status {
    guard(|call| handle::find(call, lock)?.acquire_read(Deadline::after_ns(timeout_ns)?))
}

/// Undoes one atoll_rwlock_read_lock().
///
/// Returns
///   OK                  Done. If this was the last reader, a writer that waits is on its way.
///   NOT_OWNER           This thread does not read under the lock. Nothing changed.
///   REENTRANT           Called in a signal handler that interrupted a call of this thread.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The reader.
/// Fork      NOT_OWNER in a child for what its parent held.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_rwlock_read_unlock(lock: *mut atoll_rwlock) -> atoll_status {
    if let Some(place) = handle::place_of(lock)
        && let Some(own) = thread::idle().and_then(|thread| thread.cached_marks(place.attachment))
        // SAFETY: this thread has a seat there, and keeps it until we return.
        && unsafe { body_at(&place) }.leave_quickly(own)
    {
        return atoll_status::ATOLL_OK;
    }
    read_unlock_in_full(lock)
}

#[cold]
#[inline(never)]
fn read_unlock_in_full(lock: *mut atoll_rwlock) -> atoll_status {
    guard(|call| handle::find(call, lock)?.release_read())
}

/// Locks for writing, waiting up to `timeout_ns` until nobody else reads or writes. While
/// it waits for readers no new ones come in.
///
/// Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
/// measured from the call on the monotonic clock, which no one can set.
///
/// Returns
///   OK                  You may write, until you call atoll_rwlock_write_unlock().
///   OWNER_DIED          You may write. A writer died before it unlocked, so what the lock
///                       guards may be half-changed. Repair that, then call
///                       atoll_rwlock_mark_consistent(). Unlock without it and all who come
///                       are told the same, until somebody does.
///   TIMED_OUT           You may not. Nothing changed.
///   INTERRUPTED         A signal handler ran. You may not. Call again.
///   DEADLOCK            This thread reads or writes under the lock already. Who reads has
///                       to unlock before it writes.
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
/// Owner     Takes nothing. `lock` stays yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_rwlock_write_lock(
    lock: *mut atoll_rwlock,
    timeout_ns: i64,
) -> atoll_status {
    guard(|call| handle::find(call, lock)?.acquire_write(Deadline::after_ns(timeout_ns)?))
}

/// Undoes atoll_rwlock_write_lock().
///
/// Returns
///   OK                  Done. If others wait, one of them is on its way.
///   NOT_OWNER           This thread does not write under the lock. Nothing changed.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The writer.
/// Fork      NOT_OWNER in a child for what its parent held.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_rwlock_write_unlock(lock: *mut atoll_rwlock) -> atoll_status {
    guard(|call| handle::find(call, lock)?.release_write())
}

/// Says that what the lock guards has been repaired: who comes later is no longer told
/// that a writer died. Without such news to end it does nothing.
///
/// Returns
///   OK                  Done.
///   NOT_OWNER           This thread does not write under the lock. Nothing changed.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The writer.
/// Fork      NOT_OWNER in a child for what its parent held.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_rwlock_mark_consistent(lock: *mut atoll_rwlock) -> atoll_status {
    guard(|call| handle::find(call, lock)?.mark_consistent())
}

/// Says who writes under the lock, or waits for readers to leave so that it may. The answer
/// may be over when you read it: it is for people and for logs.
///
/// out       Receives the writer; generation 0, and all else 0, if there is none.
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
pub unsafe extern "C" fn atoll_rwlock_owner(
    lock: *const atoll_rwlock,
    out: *mut atoll_owner,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_owner.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, lock)?.owner()?.into());
        Ok(())
    })
}

/// Says who died writing under the lock: the news that comes with ATOLL_OWNER_DIED, until
/// somebody calls atoll_rwlock_mark_consistent().
///
/// out       Receives the dead writer; generation 0, and all else 0, without such news.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Who does not hold the lock gets a moment's view.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_dead_owner(
    lock: *const atoll_rwlock,
    out: *mut atoll_owner,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_owner.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, lock)?.dead_owner()?.into());
        Ok(())
    })
}

/// Says how many threads read under the lock. The answer may be over when you read it.
///
/// out       Receives the number. Each thread counts once, however often it has locked.
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
pub unsafe extern "C" fn atoll_rwlock_readers(
    lock: *const atoll_rwlock,
    out: *mut u32,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a uint32_t.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, lock)?.readers()?);
        Ok(())
    })
}

/// Writes a ticket for the reader-writer lock, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_export(
    lock: *const atoll_rwlock,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(lock, out, RwLock::export) }
}

/// Opens the reader-writer lock that a ticket is for.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_rwlock_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_rwlock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, RwLock::import) }
}
