//! `atoll_condvar_*`.

use core::ffi::c_char;

use super::guard::guard;
use super::handle::{self, Handle, Kind};
use super::mutex::atoll_mutex;
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::object::condvar::Condvar;
use crate::platform::time::Deadline;

/// A condvar (condition variable) in a segment: threads wait in it until they are notified.
/// A notification goes to the one that has waited longest and lives. The pointer is a handle:
/// never follow it.
pub struct atoll_condvar {
    _never: [u8; 0],
}

impl Handle for atoll_condvar {
    type Object = Condvar;
    const KIND: Kind = Kind::Condvar;
}

/// Makes a condvar in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a condvar without a name, which others can only get by a ticket.
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
/// Owner     The handle is yours: give it to atoll_condvar_close(). With a name the condvar
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_condvar,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Condvar::create) }
}

/// Opens a condvar by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a condvar without a name cannot be opened.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same condvar.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_condvar_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_condvar,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Condvar::open) }
}

/// Opens the condvar of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_condvar_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_condvar_open().
///   NO_SPACE            As for atoll_condvar_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_condvar_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_condvar,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Condvar::open_or_create) }
}

/// Removes the name of a condvar: nobody can open it any more, and the name is free for
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
/// Owner     Takes nothing. Handles to the condvar stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Condvar::remove) }
}

/// Closes a handle. A condvar with a name stays in the segment; another one goes when no
/// process has it open any more. A call that waits on another thread goes on.
///
/// condvar   The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a condvar.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_close(condvar: *mut atoll_condvar) -> atoll_status {
    guard(|call| handle::close(call, condvar))
}

/// Lets go of the mutex, waits up to `timeout_ns` until it is notified, and acquires the
/// mutex again, however long that takes. Look at your condition before and after, in a loop.
///
/// mutex       Held by this thread. A recursive one is let go wholly and held as often
///             again. It may be in another segment.
/// timeout_ns  0 looks once, ATOLL_FOREVER waits without limit. Any other span is measured
///             from the call on the monotonic clock.
///
/// Returns
///   OK                  It was notified.
///   OWNER_DIED          The mutex comes with this news, as from atoll_mutex_lock(): look at
///                       your condition, for a notification may have come or not.
///   TIMED_OUT           It was not notified, and the mutex is held.
///   INTERRUPTED         A signal handler ran. Not notified, and the mutex is held.
///   NOT_OWNER           This thread does not hold the mutex. Nothing changed.
///   DEADLOCK            This thread's transaction holds the mutex, or the thread has
///                       prepared a wait for a condvar of this segment. Nothing changed.
///   NO_SPACE            As for atoll_mutex_lock(). Nothing changed.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or a handle is closed. Nothing changed.
///   CORRUPTED           The segment is damaged. The mutex may be held or not.
///
/// Threads   The holder of the mutex.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle, and waits for itself.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_wait(
    condvar: *mut atoll_condvar,
    mutex: *mut atoll_mutex,
    timeout_ns: i64,
) -> atoll_status {
    guard(|call| {
        let (condvar, mutex) = (handle::find(call, condvar)?, handle::find(call, mutex)?);
        condvar.wait_on(call.thread(), mutex, Deadline::after_ns(timeout_ns)?)
    })
}

/// Begins to wait, for who guards the condition with a lock of its own, of any kind: call it
/// while you hold that lock, let go of the lock, and call atoll_condvar_commit_wait(). From
/// here on a notification counts, and the thread keeps its place among those who wait.
///
/// Until the wait is over the thread may do anything: lock, wait for other kinds of objects,
/// notify. If it ends, or is killed, its turn is the next one's.
///
/// Returns
///   OK                  The wait is prepared: commit or cancel it.
///   DEADLOCK            This thread has prepared a wait for a condvar of this segment
///                       already. Nothing changed.
///   NO_SPACE            As for atoll_mutex_lock().
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread; the same one commits or cancels.
/// Fork      A child has prepared nothing.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_prepare_wait(condvar: *mut atoll_condvar) -> atoll_status {
    guard(|call| handle::find(call, condvar)?.prepare_wait())
}

/// Waits up to `timeout_ns` until the thread is notified, which ends the wait that it has
/// prepared.
///
/// Returns
///   OK                  It was notified, perhaps before this call. The wait is over.
///   TIMED_OUT           Not yet. The wait is still prepared: commit again, or cancel.
///   INTERRUPTED         A signal handler ran. As for TIMED_OUT.
///   NOT_OWNER           This thread has prepared no wait for this condvar.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged. The wait is over.
///
/// Threads   The one that prepared.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      NOT_OWNER in a child for what its parent prepared.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_commit_wait(
    condvar: *mut atoll_condvar,
    timeout_ns: i64,
) -> atoll_status {
    guard(|call| handle::find(call, condvar)?.commit_wait(Deadline::after_ns(timeout_ns)?))
}

/// Ends the wait that the thread has prepared.
///
/// notified  Receives whether it was notified before that: then the notification is used up.
///           NULL is allowed.
///
/// Returns
///   OK                  The wait is over, and *notified is filled in.
///   NOT_OWNER           This thread has prepared no wait for this condvar.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged. The wait is over.
///
/// Threads   The one that prepared.
/// Fork      NOT_OWNER in a child for what its parent prepared.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_cancel_wait(
    condvar: *mut atoll_condvar,
    notified: *mut bool,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a bool.
        let out = unsafe { Output::if_wanted(notified, "notified") }?;
        let was_notified = handle::find(call, condvar)?.cancel_wait()?;
        if let Some(out) = out {
            out.write(was_notified);
        }
        Ok(())
    })
}

/// Notifies the one that has waited longest and lives; without waiters it does nothing.
/// Never waits, whoever is dead. Whoever is killed before its call has notified nobody, also
/// if it has changed the condition already.
///
/// Returns
///   OK                  Done.
///   NO_SPACE            As for atoll_mutex_lock().
///   PERMISSION          The segment is open read-only.
///   SYSTEM              Somebody polls the descriptor of a waiter, and there are too many open
///                       files to tell. Nobody is notified.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Who holds the lock of the condition notifies exactly those who
///           wait; without it, who begins to wait meanwhile may be among them or not.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_notify_one(condvar: *mut atoll_condvar) -> atoll_status {
    guard(|call| handle::find(call, condvar)?.notify_one())
}

/// Notifies all who wait.
///
/// All as for atoll_condvar_notify_one().
///
/// Returns   As atoll_condvar_notify_one().
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_notify_all(condvar: *mut atoll_condvar) -> atoll_status {
    guard(|call| handle::find(call, condvar)?.notify_all())
}

/// Notifies the `n` that have waited longest, or all if there are fewer.
///
/// All as for atoll_condvar_notify_one().
///
/// Returns   As atoll_condvar_notify_one().
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_condvar_notify_many(condvar: *mut atoll_condvar, n: u32) -> atoll_status {
    guard(|call| handle::find(call, condvar)?.notify_many(n))
}

/// Writes a ticket for the condvar, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_export(
    condvar: *const atoll_condvar,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(condvar, out, Condvar::export) }
}

/// Opens the condvar that a ticket is for.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_condvar_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_condvar_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_condvar,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Condvar::import) }
}
