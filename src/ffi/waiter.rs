//! `atoll_waiter_*`.

use core::ffi::c_int;
use std::os::fd::AsRawFd;

use super::condvar::atoll_condvar;
use super::guard::guard;
use super::handle::{self, Handle, Kind};
use super::output::{NewHandle, Output};
use super::status::atoll_status;
use crate::object::waiter::Waiter;

/// A wait for a condvar that is an object: a thread may have many of them, and looks after them
/// when it has the time. The pointer is a handle: never follow it.
pub struct atoll_waiter {
    _never: [u8; 0],
}

impl Handle for atoll_waiter {
    type Object = Waiter;
    const KIND: Kind = Kind::Waiter;
}

/// Begins to wait for a condvar, without a call that waits: from here on a notification counts,
/// and the waiter has its place among all who wait. Call it while you hold the lock of the
/// condition, and then let go of that.
///
/// Until it is finished or closed, or the thread that made it ends, a notification that has come
/// to it is nobody else's. If the thread ends or is killed before that, it is the next one's.
///
/// condvar   What to wait for. The handle may be closed before the waiter.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   NO_SPACE            This thread has 1024 waiters that wait already, or the segment has as
///                       many threads and waiters as it can: see max_participants in
///                       atoll_segment_options.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed, or out is NULL.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread; the same one finishes it.
/// Fork      A child has no part in what its parent waits for.
/// Owner     The handle is yours: give it to atoll_waiter_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_waiter_create(
    condvar: *mut atoll_condvar,
    out: *mut *mut atoll_waiter,
) -> atoll_status {
    // SAFETY: NULL or room for a handle, per the comment above.
    let out = unsafe { NewHandle::at(out) };
    out.fill(|call| Waiter::create(handle::find(call, condvar)?))
}

/// Ends the wait. Never waits.
///
/// out_notified   Receives whether it was notified: then the notification is used up. Of a
///                waiter that is finished already, the same again.
///
/// Returns
///   OK                  The wait is over, and *out_notified is filled in.
///   NOT_OWNER           This thread did not make it, or it was made in a parent process. It
///                       goes on waiting.
///   INVALID_ARGUMENT    The handle is closed, or out_notified is NULL. It goes on waiting.
///   CORRUPTED           The segment is damaged. The wait is over.
///
/// Threads   The one that made it.
/// Fork      NOT_OWNER in a child.
/// Owner     Takes nothing: close it, too.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_waiter_finish(
    waiter: *mut atoll_waiter,
    out_notified: *mut bool,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a bool.
        let out = unsafe { Output::at(out_notified, "out_notified") }?;
        out.write(handle::find(call, waiter)?.finish()?);
        Ok(())
    })
}

/// Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
/// it is readable when atoll_waiter_finish() would say that it was notified, and may be readable
/// when it would not.
///
/// Call this again before each poll: that empties the descriptor and arms it. It is the same
/// one each time while the handle is open and atoll_process_leave() is not called. Never read
/// it, and never close it.
///
/// If one who was notified before dies instead of going on, and it is this waiter's turn, the
/// descriptor says so within a fiftieth of a second.
///
/// out       Receives the descriptor.
///
/// Returns
///   OK                  *out is the descriptor, and armed.
///   NOT_OWNER           This thread did not make the waiter, or it was made in a parent process.
///   PERMISSION          You may not make files beside the segment.
///   NO_SPACE            There is no room for a file beside the segment.
///   SYSTEM              Too many open files. See os_errno and the sentence.
///   INVALID_ARGUMENT    out is NULL, the waiter is finished, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The one that made it; any thread may poll the descriptor.
/// Fork      A child has none, and can make none for this waiter.
/// Owner     The descriptor is the handle's, and is closed with it.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_waiter_descriptor(
    waiter: *mut atoll_waiter,
    out: *mut c_int,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an int.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, waiter)?.descriptor()?.as_raw_fd());
        Ok(())
    })
}

/// Closes a handle. A waiter that is not finished stops waiting as if its thread had died: what
/// it was notified of is the next one's.
///
/// waiter    The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a waiter.
///   NO_SPACE            This thread is new in the segment, and there is no room for it. Nothing
///                       changed: close the handle on the thread that made it.
///
/// Threads   Any thread, also when the one that made it has ended. Of several that close one
///           handle, one gets OK.
/// Fork      In a child it only closes the copy; the parent waits on.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_waiter_close(waiter: *mut atoll_waiter) -> atoll_status {
    guard(|call| {
        if !waiter.is_null() {
            // Now: the object may have to stay for a while.
            handle::find(call, waiter)?.give_up()?;
        }
        handle::close(call, waiter)
    })
}
