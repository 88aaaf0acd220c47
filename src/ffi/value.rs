//! `atoll_value_*`.

use core::ffi::{c_char, c_void};

use super::argument::{bytes as bytes_of, optional_text, text};
use super::guard::{guard, guard_address};
use super::handle::{self, Handle, Kind};
use super::output::{ByteOutput, NewHandle, Output};
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::types::{atoll_type, needed, read_type};
use crate::error::Result;
use crate::object::segment::Segment;
use crate::object::types::Type;
use crate::object::value::RawValue;
use crate::platform::time::Deadline;

/// A value in a segment. The pointer is a handle: never follow it.
pub struct atoll_value {
    _never: [u8; 0],
}

impl Handle for atoll_value {
    type Object = RawValue;
    const KIND: Kind = Kind::Value;
}

/// Create and open, which differ in what they do with name and type.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
unsafe fn obtain(
    segment: *const atoll_segment,
    name: *const c_char,
    ty: *const atoll_type,
    out: *mut *mut atoll_value,
    how: impl FnOnce(&Segment, Option<&str>, Option<&Type>) -> Result<RawValue>,
) -> atoll_status {
    // SAFETY: NULL or room for a handle, per the caller.
    let out = unsafe { NewHandle::at(out) };
    out.fill(|call| {
        let segment = handle::find(call, segment)?;
        // SAFETY: NULL or a text ended by NUL, per the caller.
        let name = unsafe { optional_text(name, "name") }?;
        // SAFETY: NULL or a struct as long as it says, per the caller.
        let ty = unsafe { read_type(ty) }?;
        how(segment, name, ty.as_ref())
    })
}

/// Those of them that make a value with contents.
///
/// # Safety
/// As for `obtain`; `initial` is NULL or leads to `len` bytes.
unsafe fn obtain_with(
    segment: *const atoll_segment,
    name: *const c_char,
    ty: *const atoll_type,
    initial: *const c_void,
    len: usize,
    out: *mut *mut atoll_value,
    how: impl FnOnce(&Segment, Option<&str>, &Type, Option<&[u8]>) -> Result<RawValue>,
) -> atoll_status {
    let make = |segment: &Segment, name: Option<&str>, ty: Option<&Type>| {
        // SAFETY: NULL or `len` bytes, per the caller.
        let initial = unsafe { bytes_of(initial, len, "initial") }?;
        how(segment, name, needed(ty)?, Some(initial))
    };
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, ty, out, make) }
}

/// Makes a value, all bytes zero, in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for a
///           value without a name, which others can only get by a ticket.
/// type      What it holds.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name or the type is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_value_close(). With a name the value
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    out: *mut *mut atoll_value,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe {
        obtain(segment, name, r#type, out, |segment, name, ty| {
            RawValue::create(segment, name, needed(ty)?, None)
        })
    }
}

/// Makes a value that holds something from the start: nobody can see it zero.
///
/// Arguments as for atoll_value_create(), and
///
/// initial   What it holds at first.
/// len       The size of the value.
///
/// Returns   As atoll_value_create(), and INVALID_ARGUMENT also if len is not the size
///           of the value, a boolean is neither 0 nor 1, or initial is NULL.
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     As for atoll_value_create().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_create_with(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    initial: *const c_void,
    len: usize,
    out: *mut *mut atoll_value,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain_with(segment, name, r#type, initial, len, out, RawValue::create) }
}

/// Opens a value by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a value without a name cannot be opened.
/// type      What you expect it to hold; NULL for whatever it holds.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same value.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object or a value of another type;
///                       the sentence names both.
///   INVALID_ARGUMENT    The name or the type is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_value_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    out: *mut *mut atoll_value,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, r#type, out, RawValue::open) }
}

/// Opens the value of that name, or makes it, all bytes zero, if there is none. Of
/// many who do this at once, one makes it and the others open it.
///
/// Arguments as for atoll_value_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_value_open().
///   NO_SPACE            As for atoll_value_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name or the type is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_value_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    out: *mut *mut atoll_value,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe {
        obtain(segment, name, r#type, out, |segment, name, ty| {
            RawValue::open_or_create(segment, name, needed(ty)?, None)
        })
    }
}

/// Opens the value of that name, or makes it holding `initial` if there is none. One
/// that is there keeps what it holds.
///
/// Arguments as for atoll_value_create_with(). Without a name it always makes one.
///
/// Returns   As atoll_value_open_or_create(), and INVALID_ARGUMENT also if len is not the
///           size of the value, a boolean is neither 0 nor 1, or initial is NULL.
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     As for atoll_value_open_or_create().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_open_or_create_with(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    initial: *const c_void,
    len: usize,
    out: *mut *mut atoll_value,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain_with(segment, name, r#type, initial, len, out, RawValue::open_or_create) }
}

/// Removes the name of a value: nobody can open it any more, and the name is free for
/// something else. Who has it open goes on using it; its memory is free with the last
/// of them.
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
/// Owner     Takes nothing. Handles to the value stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    guard(|call| {
        let segment = handle::find(call, segment)?;
        // SAFETY: the caller passes NULL or a text ended by NUL.
        RawValue::remove(segment, unsafe { text(name, "name") }?)
    })
}

/// Closes a handle. A value with a name stays in the segment; another one goes when no
/// process has it open any more. An address that atoll_value_data() gave is not to be
/// used when this process has no handle to the value any more.
///
/// value     The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a value.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_value_close(value: *mut atoll_value) -> atoll_status {
    guard(|call| handle::close(call, value))
}

/// Says what a value holds.
///
/// out       Receives the type.
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
pub unsafe extern "C" fn atoll_value_type(
    value: *const atoll_value,
    out: *mut atoll_type,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_type.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, value)?.ty().into());
        Ok(())
    })
}

/// Reads a value, whole: never half of one store and half of another.
///
/// out       Receives the bytes.
/// cap       The room there.
/// out_len   Receives the size of the value, also with TOO_SMALL. May be NULL.
///
/// Returns
///   OK                  out and *out_len are filled in.
///   TOO_SMALL           cap is less than the size of the value. Only *out_len is
///                       written.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Readers never wait and never make a writer wait.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_load(
    value: *const atoll_value,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    guard(|call| {
        let value = handle::find(call, value)?;
        // SAFETY: NULL, `cap` bytes, or room for a length, as the caller promises.
        let out = unsafe { ByteOutput::at(out, cap, out_len, "out") };
        out.fill(value.ty().size(), |bytes| value.load(bytes)).map(drop)
    })
}

/// Writes a value, whole.
///
/// A value of up to 8 bytes is written in one store and never waits. A larger one
/// waits while another thread writes it; a writer that died is no obstacle.
///
/// value       The handle.
/// bytes       What to write.
/// len         The size of the value.
/// timeout_ns  How long to wait for other writers, as for atoll_mutex_lock().
///
/// Returns
///   OK                  Others see the new bytes.
///   TIMED_OUT           Another thread is writing. Nothing changed.
///   INTERRUPTED         A signal handler ran. Nothing changed. Call again.
///   DEADLOCK            It is larger than 8 bytes, and this thread's transaction has
///                       stored to it.
///   NO_SPACE            The segment has no place for another thread: see
///                       max_participants in atoll_segment_options.
///   INCOMPATIBLE        This process uses another C library than the others.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    len is not the size of the value, a boolean is neither 0 nor
///                       1, timeout_ns is negative, bytes is NULL, or the handle is
///                       closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_store(
    value: *mut atoll_value,
    bytes: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> atoll_status {
    guard(|call| {
        let value = handle::find(call, value)?;
        // SAFETY: NULL or `len` bytes, as the caller promises.
        let bytes = unsafe { bytes_of(bytes, len, "bytes") }?;
        value.store(bytes, Deadline::after_ns(timeout_ns)?)
    })
}

/// Writes a value and gives what it was, in one step.
///
/// value       The handle.
/// bytes       What to write.
/// len         The size of the value.
/// timeout_ns  How long to wait for other writers of a value larger than 8 bytes.
/// out_old     Receives the old bytes; NULL with cap 0 if they are not wanted. It may
///             be the same memory as bytes.
/// cap         The room there.
/// out_len     Receives the size of the value, also with TOO_SMALL. May be NULL.
///
/// Returns
///   OK                  Others see the new bytes; the outputs are filled in.
///   TOO_SMALL           cap is less than the size of the value. Nothing changed.
///   and all that atoll_value_store() returns.
///
/// Threads   Any thread.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_swap(
    value: *mut atoll_value,
    bytes: *const c_void,
    len: usize,
    timeout_ns: i64,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    guard(|call| {
        let value = handle::find(call, value)?;
        // SAFETY: NULL, `cap` bytes, or room for a length, as the caller promises.
        let out = unsafe { ByteOutput::at(out_old, cap, out_len, "out_old") };
        // SAFETY: NULL or `len` bytes, as the caller promises.
        let bytes = unsafe { out.read(bytes, len, "bytes") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        out.fill_if_wanted(value.ty().size(), |old| value.swap(&bytes, deadline, old)).map(drop)
    })
}

/// Writes a value if it is what you expect, in one step.
///
/// Bits are compared, not meanings: of floats, -0.0 is not 0.0, and a NaN is equal
/// to the same NaN.
///
/// value          The handle.
/// expected       What it has to be.
/// desired        What to write then.
/// len            The size of the value.
/// timeout_ns     How long to wait for other writers of a value larger than 8 bytes.
/// out_old        Receives the bytes that were found; NULL with cap 0 if they are not
///                wanted. It may be the same memory as expected.
/// cap            The room there.
/// out_len        Receives the size of the value, also with TOO_SMALL. May be NULL.
/// out_exchanged  Receives true if desired was written, false if something else than
///                expected was found.
///
/// Returns
///   OK                  The outputs are filled in; see *out_exchanged.
///   TOO_SMALL           cap is less than the size of the value. Nothing changed.
///   and all that atoll_value_store() returns.
///
/// Threads   Any thread.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_compare_exchange(
    value: *mut atoll_value,
    expected: *const c_void,
    desired: *const c_void,
    len: usize,
    timeout_ns: i64,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    out_exchanged: *mut bool,
) -> atoll_status {
    guard(|call| {
        let value = handle::find(call, value)?;
        // SAFETY: NULL, `cap` bytes, or room for a length, as the caller promises.
        let out = unsafe { ByteOutput::at(out_old, cap, out_len, "out_old") };
        // SAFETY: NULL or `len` bytes, as the caller promises.
        let expected = unsafe { out.read(expected, len, "expected") }?;
        // SAFETY: likewise.
        let desired = unsafe { out.read(desired, len, "desired") }?;
        // SAFETY: NULL or room for a bool, as the caller promises.
        let out_exchanged = unsafe { Output::at(out_exchanged, "out_exchanged") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        let exchanged = out.fill_if_wanted(value.ty().size(), |old| {
            value.compare_exchange(&expected, &desired, deadline, old)
        })?;
        out_exchanged.write(exchanged);
        Ok(())
    })
}

/// The address of a value of up to 8 bytes, for the atomic operations of your own
/// language: aligned to its size, the same value that the functions above work on.
///
/// A plain load or store that races with others is as wrong here as on any shared
/// variable: use atomics. Where the segment is open read-only, so is the memory.
///
/// Returns   The address, or NULL; atoll_last_error() then says why:
///   WRONG_KIND          The value is larger than 8 bytes.
///   INVALID_ARGUMENT    The handle is closed.
///
/// Threads   Any thread.
/// Fork      The address is the same in a child.
/// Owner     Belongs to the segment. Use it only while a handle to the value is open.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_value_data(value: *mut atoll_value) -> *mut c_void {
    guard_address(|call| handle::find(call, value)?.data())
}
