//! `atoll_ticket`, and how an object is sent by one: `_export` and `_import` of each noun.

use core::ffi::{CStr, c_char};

use super::argument::wrong;
use super::array::atoll_array;
use super::guard::{c_text, guard};
use super::handle;
use super::mutex::atoll_mutex;
use super::output::{NewHandle, Output};
use super::status::atoll_status;
use super::value::atoll_value;
use crate::error::Result;
use crate::object::array::RawArray;
use crate::object::mutex::Mutex;
use crate::object::ticket::Ticket;
use crate::object::value::RawValue;

/// How an object is handed to another process, with or without a name: some bytes
/// that can go through any channel (a pipe, a socket, a file).
///
/// A ticket keeps its object alive until somebody imports it, or the process that
/// exported it has left the segment. Who imports it first takes that over. Later, or
/// with a copy, it leads to the object for as long as somebody has it open.
///
/// The fields are the library's to fill in; a ticket that was changed is refused or
/// leads to another object of the same kind, and never to a fault.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_ticket {
    /// Which segment of that name it is.
    pub identity: u64,
    /// What the object is (ATOLL_KIND_MUTEX to ATOLL_KIND_LATCH) comes first; the others
    /// say where in the segment it is.
    pub words: [u64; 6],
    /// The name of the segment, ended by NUL.
    pub segment: [c_char; 208],
}

impl From<&Ticket> for atoll_ticket {
    fn from(ticket: &Ticket) -> Self {
        let Ticket { segment, identity, words } = ticket;
        Self { identity: *identity, words: *words, segment: c_text(segment) }
    }
}

/// # Safety
/// `ticket` is NULL or leads to a ticket that does not change during the call.
unsafe fn read(ticket: *const atoll_ticket) -> Result<Ticket> {
    if ticket.is_null() {
        return Err(wrong("ticket is NULL: pass the address of one that was exported".into()));
    }
    // SAFETY: not NULL, so readable per the caller. It came through a channel, which knows
    // nothing of alignment.
    let atoll_ticket { identity, words, segment } = unsafe { ticket.read_unaligned() };
    let bytes = segment.map(|byte| byte as u8);
    let segment = CStr::from_bytes_until_nul(&bytes).ok().and_then(|text| text.to_str().ok());
    match segment {
        Some(segment) => Ok(Ticket { segment: segment.to_owned(), identity, words }),
        None => Err(wrong(
            "ticket->segment is not the name of a segment: pass a ticket as it was exported".into(),
        )),
    }
}

/// # Safety
/// `out` is NULL or may be written as a ticket until the call returns.
pub(super) unsafe fn export<H: handle::Handle>(
    handle: *const H,
    out: *mut atoll_ticket,
    how: impl FnOnce(&H::Object) -> Result<Ticket>,
) -> atoll_status {
    guard(|call| {
        // SAFETY: per the caller.
        let out = unsafe { Output::at(out, "out") }?;
        out.write((&how(handle::find(call, handle)?)?).into());
        Ok(())
    })
}

/// # Safety
/// `ticket` is NULL or leads to a ticket; `out` is NULL or may be written.
pub(super) unsafe fn import<H: handle::Handle>(
    ticket: *const atoll_ticket,
    out: *mut *mut H,
    how: impl FnOnce(&Ticket) -> Result<H::Object>,
) -> atoll_status {
    // SAFETY: per the caller.
    let out = unsafe { NewHandle::at(out) };
    // SAFETY: likewise.
    out.fill(|_| how(&unsafe { read(ticket) }?))
}

/// Writes a ticket for the mutex, for another process to import.
///
/// mutex     The handle.
/// out       Receives the ticket: copy it to the other process as it is.
///
/// Returns
///   OK                  *out is a ticket for one import.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle. A ticket written before the fork is the
///           parent's, and goes with it.
/// Owner     The copy is yours; there is nothing to free. The object stays while the
///           ticket is not imported, at most until this process leaves the segment.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_export(
    mutex: *const atoll_mutex,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { export(mutex, out, Mutex::export) }
}

/// Opens the mutex that a ticket is for, recursive or not as it is. The segment is
/// opened too if this process has not opened it yet.
///
/// ticket    What atoll_mutex_export() gave, here or in another process.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   NOT_FOUND           The object is gone, or its segment is: nobody had it open, and
///                       who exported it has left.
///   WRONG_KIND          The ticket is for something else than a mutex.
///   NO_SPACE            As for atoll_mutex_export().
///   INVALID_ARGUMENT    The ticket is NULL, or cannot be one.
///   CORRUPTED           The segment is damaged.
///   and what atoll_segment_open() returns, if the segment has to be opened.
///
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mutex_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_mutex,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { import(ticket, out, Mutex::import) }
}

/// Writes a ticket for the value, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_export(
    value: *const atoll_value,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { export(value, out, RawValue::export) }
}

/// Opens the value that a ticket is for, whatever its type: atoll_value_type() says
/// which.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_value_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_value,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { import(ticket, out, RawValue::import) }
}

/// Writes a ticket for the array, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_array_export(
    array: *const atoll_array,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { export(array, out, RawArray::export) }
}

/// Opens the array that a ticket is for, whatever its type and shape:
/// atoll_array_info() says which.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_array_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_array_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_array,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { import(ticket, out, RawArray::import) }
}
