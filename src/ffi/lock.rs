//! `atoll_lock_*`.

use core::ffi::c_char;

use super::guard::{guard, guard_anywhere};
use super::handle::{self, Handle, Kind, Place};
use super::mutex::atoll_owner;
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::object::lock::Lock;
use crate::platform::time::Deadline;
use crate::roster::thread;
use crate::sync::lock::LockBody;
use crate::sync::mutex::Acquired;

/// A lock in a segment that processes hold, not threads: any thread of any process may
/// release it. The pointer is a handle: never follow it.
pub struct atoll_lock {
    _never: [u8; 0],
}

impl Handle for atoll_lock {
    type Object = Lock;
    const KIND: Kind = Kind::Lock;

    fn place(lock: &Lock) -> Place {
        let (body, attachment) = lock.place();
        Place { address: core::ptr::from_ref(body).cast_mut().cast(), attachment }
    }
}

/// Makes a lock, free, in a segment.
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
/// Owner     The handle is yours: give it to atoll_lock_close(). With a name the lock
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_lock_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_lock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Lock::create) }
}

/// Opens a lock by its name.
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
/// Owner     The handle is yours: give it to atoll_lock_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_lock_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_lock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Lock::open) }
}

/// Opens the lock of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_lock_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_lock_open().
///   NO_SPACE            As for atoll_lock_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_lock_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_lock_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_lock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Lock::open_or_create) }
}

/// Removes the name of a lock: nobody can open it any more, and the name is free for
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
pub unsafe extern "C" fn atoll_lock_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Lock::remove) }
}

/// Closes a handle. A lock with a name stays in the segment; another one goes when no
/// process has it open any more. One that is held stays held: close does not release. A
/// call that waits on another thread goes on.
///
/// lock      The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a lock.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_lock_close(lock: *mut atoll_lock) -> atoll_status {
    guard(|call| handle::close(call, lock))
}

/// Acquires the lock for this process, waiting up to `timeout_ns`.
///
/// Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
/// measured from the call on the monotonic clock, which no one can set.
///
/// The lock is not recursive: a second call of the same process, on whichever thread, waits
/// until somebody releases it.
///
/// out_former  With OWNER_DIED receives who that was: the process, and the thread's name that
///             joined the segment; tid is 0. Otherwise it stays as it is. NULL is allowed.
///
/// Returns
///   OK                  The process holds the lock.
///   OWNER_DIED          The process holds the lock. Its last holder died with it, or left
///                       the segment with it, so what it guards may be half-changed. Nobody
///                       else will be told.
///   TIMED_OUT           Somebody else holds it. Nothing changed.
///   INTERRUPTED         A signal handler ran. You do not hold it. Call again.
///   NO_SPACE            The segment has no place for another thread: see
///                       max_participants in atoll_segment_options.
///   INCOMPATIBLE        This process uses another C library than the others.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread, many at a time. Who comes may be faster than who waits.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle, and does not hold what its parent holds.
/// Owner     Takes nothing. `lock` stays yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_lock_acquire(
    lock: *mut atoll_lock,
    timeout_ns: i64,
    out_former: *mut atoll_owner,
) -> atoll_status {
    if timeout_ns >= 0 && quickly(lock, LockBody::take_if_free) == Some(true) {
        return atoll_status::ATOLL_OK;
    }
    // SAFETY: the caller's promises, handed on.
    unsafe { acquire_in_full(lock, timeout_ns, out_former) }
}

/// An uncontended call comes to one exchange, as in `mutex`: it is no call in the sense of
/// `enter`, and this thread's seat keeps the place mapped. `act` gets the process's name.
#[inline(always)]
fn quickly<T>(lock: *mut atoll_lock, act: impl FnOnce(&LockBody, u64) -> T) -> Option<T> {
    let place = handle::place_of(lock)?;
    let me = thread::idle()?.cached_member(place.attachment)?;
    // SAFETY: the address of a lock's body in that attachment, which stays mapped
    // while there are seats; this thread's is not given up before we return.
    Some(act(unsafe { &*place.address.cast::<LockBody>() }, me))
}

#[cold]
#[inline(never)]
unsafe extern "C" fn acquire_in_full(
    lock: *mut atoll_lock,
    timeout_ns: i64,
    out_former: *mut atoll_owner,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_owner.
        let out = unsafe { Output::if_wanted(out_former, "out_former") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        let former = handle::find(call, lock)?.acquire_on(call.thread(), deadline)?;
        Ok(match former {
            None => Acquired::Clean,
            Some(_) => {
                out.into_iter().for_each(|out| out.write(former.into()));
                Acquired::OwnerDied
            }
        })
    })
}

/// Releases the lock, whoever holds it. If others wait, one of them is on its way. Never
/// waits. If the holder is dead, nobody will be told of that any more.
///
/// Returns
///   OK                  Done.
///   NOT_OWNER           Nobody holds it. Nothing changed.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              The thread has no robust list: an emulator or a sandbox.
///
/// Threads   Any thread of any process.
/// Signals   May be called in a signal handler at any moment, also if that interrupted
///           another call. There a failure replaces what atoll_last_error() had to say.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_lock_release(lock: *mut atoll_lock) -> atoll_status {
    match quickly(lock, LockBody::give_back_if_quiet).flatten() {
        Some(false) => atoll_status::ATOLL_OK,
        Some(true) => tell_in_full(lock),
        None => release_in_full(lock),
    }
}

// `extern "C"`, here and above: what cannot unwind into its caller is jumped to.
#[cold]
#[inline(never)]
extern "C" fn tell_in_full(lock: *mut atoll_lock) -> atoll_status {
    guard_anywhere(lock, |lock, thread| lock.tell_on(thread))
}

#[cold]
#[inline(never)]
extern "C" fn release_in_full(lock: *mut atoll_lock) -> atoll_status {
    guard_anywhere(lock, |lock, thread| lock.release_on(thread))
}

/// Says which process holds the lock. The answer may be over when you read it: it is for
/// people and for logs.
///
/// out       Receives the owner, whose tid is 0 and whose name is that of the thread that
///           joined the segment; generation 0, and all else 0, if nobody holds it.
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
pub unsafe extern "C" fn atoll_lock_owner(
    lock: *const atoll_lock,
    out: *mut atoll_owner,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_owner.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, lock)?.owner()?.into());
        Ok(())
    })
}

/// Writes a ticket for the lock, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_lock_export(
    lock: *const atoll_lock,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(lock, out, Lock::export) }
}

/// Opens the lock that a ticket is for.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_lock_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_lock_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_lock,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Lock::import) }
}
