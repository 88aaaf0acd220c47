//! `atoll_latch_*`.

use core::ffi::{c_char, c_int};
use std::os::fd::AsRawFd;

use super::guard::guard;
use super::handle::{self, Handle, Kind};
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::object::latch::Latch;
use crate::platform::time::Deadline;

/// A latch in a segment: it opens when it has been counted down to zero, for good. The
/// pointer is a handle: never follow it.
pub struct atoll_latch {
    _never: [u8; 0],
}

impl Handle for atoll_latch {
    type Object = Latch;
    const KIND: Kind = Kind::Latch;
}

/// Makes a latch in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a latch without a name, which others can only get by a ticket.
/// count     What it waits for: 0 (it is open) to 2^31 - 1.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name or the count is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_latch_close(). With a name the latch
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    count: u32,
    out: *mut *mut atoll_latch,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, |segment, name| Latch::create(segment, name, count)) }
}

/// Opens a latch by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a latch without a name cannot be opened.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same latch.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_latch_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_latch,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Latch::open) }
}

/// Opens the latch of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_latch_create(). Without a name it always makes one. A latch that is
/// there keeps its count.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_latch_open().
///   NO_SPACE            As for atoll_latch_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_latch_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    count: u32,
    out: *mut *mut atoll_latch,
) -> atoll_status {
    let how = |segment: &_, name: Option<&_>| Latch::open_or_create(segment, name, count);
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, how) }
}

/// Removes the name of a latch: nobody can open it any more, and the name is free for
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
/// Owner     Takes nothing. Handles to the latch stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Latch::remove) }
}

/// Closes a handle. A latch with a name stays in the segment; another one goes when no
/// process has it open any more. A call that waits on another thread goes on.
///
/// latch     The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a latch.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_latch_close(latch: *mut atoll_latch) -> atoll_status {
    guard(|call| handle::close(call, latch))
}

/// Counts the latch down, and at zero opens it and wakes all who wait. Never waits, whoever
/// is dead. What was written before it is seen by whoever passes the latch.
///
/// n         By how much; 0 changes nothing.
///
/// Returns
///   OK                  Done.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The latch waits for less than n, or the handle is closed. Nothing
///                       changed.
///   SYSTEM              Somebody polls its descriptor, and there are too many open files to
///                       tell; nothing changed.
///
/// Threads   Any thread, also the same one several times.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_latch_count_down(latch: *mut atoll_latch, n: u32) -> atoll_status {
    guard(|call| handle::find(call, latch)?.count_down(n))
}

/// Says what the latch still waits for; 0: it is open.
///
/// out       Receives the number, which may be less when you read it.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_count(
    latch: *const atoll_latch,
    out: *mut u32,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a uint32_t.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, latch)?.count());
        Ok(())
    })
}

/// Waits until the latch is open, up to `timeout_ns`: as for atoll_event_wait(). A process
/// that dies before it has counted down is not missed: somebody has to count down for it.
///
/// Returns
///   OK                  The latch is open.
///   TIMED_OUT           It is not.
///   INTERRUPTED         A signal handler ran. Call again.
///   PERMISSION          It is not, and the segment is open read-only: one cannot wait.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread, many at a time.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_latch_wait(latch: *mut atoll_latch, timeout_ns: i64) -> atoll_status {
    guard(|call| handle::find(call, latch)?.wait(Deadline::after_ns(timeout_ns)?))
}

/// Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
/// it is readable when the latch is open, and may be readable when it is not.
///
/// Call this again before each poll: that empties the descriptor and arms it. It is the same
/// one each time while the handle is open and atoll_process_leave() is not called. Never read
/// it, and never close it. Everybody who polls is woken when it opens.
///
/// out       Receives the descriptor.
///
/// Returns
///   OK                  *out is the descriptor, and armed.
///   PERMISSION          The segment is open read-only, or you may not make files beside it.
///   NO_SPACE            There is no room for a file beside the segment.
///   SYSTEM              Too many open files. See os_errno and the sentence.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Several may poll it; whoever calls this empties it for all.
/// Fork      A child has none: it is closed there. Call this again, for one of its own.
/// Owner     The descriptor is the handle's, and is closed with it.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_descriptor(
    latch: *const atoll_latch,
    out: *mut c_int,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an int.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, latch)?.descriptor()?.as_raw_fd());
        Ok(())
    })
}

/// Writes a ticket for the latch, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_export(
    latch: *const atoll_latch,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(latch, out, Latch::export) }
}

/// Opens the latch that a ticket is for.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_latch_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_latch_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_latch,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Latch::import) }
}
