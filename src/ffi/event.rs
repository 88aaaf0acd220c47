//! `atoll_event_*`.

use core::ffi::{c_char, c_int};
use std::os::fd::AsRawFd;

use super::guard::{guard, guard_anywhere};
use super::handle::{self, Handle, Kind};
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::object::event::Event;
use crate::platform::time::Deadline;

/// An event in a segment: a flag that threads wait for. The pointer is a handle: never
/// follow it.
pub struct atoll_event {
    _never: [u8; 0],
}

impl Handle for atoll_event {
    type Object = Event;
    const KIND: Kind = Kind::Event;
}

/// Makes an event, not set, in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           an event without a name, which others can only get by a ticket.
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
/// Owner     The handle is yours: give it to atoll_event_close(). With a name the event
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_event,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Event::create) }
}

/// Opens an event by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: an event without a name cannot be opened.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same event.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_event_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_event,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Event::open) }
}

/// Opens the event of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_event_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_event_open().
///   NO_SPACE            As for atoll_event_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_event_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_event,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Event::open_or_create) }
}

/// Removes the name of an event: nobody can open it any more, and the name is free for
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
/// Owner     Takes nothing. Handles to the event stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Event::remove) }
}

/// Closes a handle. An event with a name stays in the segment; another one goes when no
/// process has it open any more. A call that waits on another thread goes on.
///
/// event     The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was an event.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_event_close(event: *mut atoll_event) -> atoll_status {
    guard(|call| handle::close(call, event))
}

/// Sets the event and wakes all who wait for it. It stays set until it is cleared. Never
/// waits, whoever is dead. What was written before it is seen by whoever finds it set.
///
/// Returns
///   OK                  It is set.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///   SYSTEM              Somebody polls its descriptor, and there are too many open files to
///                       tell; it is not set. Or the thread has no robust list: an emulator
///                       or a sandbox.
///
/// Threads   Any thread.
/// Signals   May be called in a signal handler at any moment, also if that interrupted
///           another call. There a failure replaces what atoll_last_error() had to say.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_event_set(event: *mut atoll_event) -> atoll_status {
    guard_anywhere(event, Event::set_on)
}

/// Clears the event: who comes from here on waits. Those who waited when it was set go on
/// all the same.
///
/// Returns
///   OK                  It is not set.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_event_clear(event: *mut atoll_event) -> atoll_status {
    guard(|call| handle::find(call, event)?.clear())
}

/// Says whether the event is set.
///
/// out       Receives the answer, which may be over when you read it.
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
pub unsafe extern "C" fn atoll_event_is_set(
    event: *const atoll_event,
    out: *mut bool,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a bool.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, event)?.is_set());
        Ok(())
    })
}

/// Says how often the event was set, modulo 2^31; to set one that is set does not count.
///
/// out       Receives the number.
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
pub unsafe extern "C" fn atoll_event_sets(
    event: *const atoll_event,
    out: *mut u32,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a uint32_t.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, event)?.sets());
        Ok(())
    })
}

/// Waits until the event is set, up to `timeout_ns`. Who waits when it is set returns OK,
/// also if it is cleared at once.
///
/// Pass 0 to look once, ATOLL_FOREVER to wait without limit. Any other span is measured
/// from the call on the monotonic clock, which no one can set.
///
/// Returns
///   OK                  The event is set, or was since the call began.
///   TIMED_OUT           It was not.
///   INTERRUPTED         A signal handler ran. Call again.
///   PERMISSION          It is not set, and the segment is open read-only: one cannot wait.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread, many at a time.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_event_wait(event: *mut atoll_event, timeout_ns: i64) -> atoll_status {
    guard(|call| handle::find(call, event)?.wait(Deadline::after_ns(timeout_ns)?))
}

/// The same for a wait in several pieces: it is over also if the event was set between two
/// of them. Ask atoll_event_sets() once, before you look whether the event is set, and then
/// call this as often as you like with that number.
///
/// sets      What atoll_event_sets() said when the wait began.
///
/// Returns   As atoll_event_wait(). OK: it is set, or was since it had been set so often.
///
/// Threads   Any thread, many at a time.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_event_wait_since(
    event: *mut atoll_event,
    sets: u32,
    timeout_ns: i64,
) -> atoll_status {
    guard(|call| handle::find(call, event)?.wait_since(sets, Deadline::after_ns(timeout_ns)?))
}

/// Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
/// it is readable when the event is set, and may be readable when it is not.
///
/// Call this again before each poll: that empties the descriptor and arms it. It is the same
/// one each time while the handle is open and atoll_process_leave() is not called. Never read
/// it, and never close it. Everybody who polls is woken when it is set.
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
pub unsafe extern "C" fn atoll_event_descriptor(
    event: *const atoll_event,
    out: *mut c_int,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an int.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, event)?.descriptor()?.as_raw_fd());
        Ok(())
    })
}

/// Writes a ticket for the event, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_export(
    event: *const atoll_event,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(event, out, Event::export) }
}

/// Opens the event that a ticket is for.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_event_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_event,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Event::import) }
}
