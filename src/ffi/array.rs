//! `atoll_array_*`.

use core::ffi::{c_char, c_void};

use super::argument::{items, optional_text, text, wrong};
use super::guard::{guard, guard_address};
use super::handle::{self, Handle, Kind};
use super::object::ATOLL_MAX_DIMENSIONS;
use super::output::{NewHandle, Output};
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::types::{atoll_type, needed, read_type};
use crate::error::Result;
use crate::object::array::RawArray;
use crate::object::segment::Segment;
use crate::object::types::Type;

/// An array in a segment. The pointer is a handle: never follow it; the elements
/// are where atoll_array_data() says.
pub struct atoll_array {
    _never: [u8; 0],
}

impl Handle for atoll_array {
    type Object = RawArray;
    const KIND: Kind = Kind::Array;
}

/// What an array is made of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_array_layout {
    /// The type of the elements.
    pub r#type: atoll_type,
    /// How many dimensions there are.
    pub ndim: u32,
    /// 0.
    pub reserved: u32,
    /// How many elements there are.
    pub length: u64,
    /// Bytes of all elements together.
    pub bytes: u64,
    /// Elements along each dimension; 0 past the last. The last varies fastest.
    pub shape: [u64; ATOLL_MAX_DIMENSIONS],
}

/// Create and open, which differ in what they do with name, type and shape.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
unsafe fn obtain(
    segment: *const atoll_segment,
    name: *const c_char,
    ty: *const atoll_type,
    (ndim, shape): (u32, *const u64),
    out: *mut *mut atoll_array,
    how: impl FnOnce(&Segment, Option<&str>, Option<&Type>, Option<&[u64]>) -> Result<RawArray>,
) -> atoll_status {
    // SAFETY: NULL or room for a handle, per the caller.
    let out = unsafe { NewHandle::at(out) };
    out.fill(|call| {
        let segment = handle::find(call, segment)?;
        // SAFETY: NULL or a text ended by NUL, per the caller.
        let name = unsafe { optional_text(name, "name") }?;
        // SAFETY: NULL or a struct as long as it says, per the caller.
        let ty = unsafe { read_type(ty) }?;
        // SAFETY: NULL or `ndim` lengths, per the caller.
        let shape = unsafe { read_shape(ndim, shape) }?;
        how(segment, name, ty.as_ref(), shape)
    })
}

/// The lengths along the dimensions; None for no dimensions.
///
/// # Safety
/// `shape` is NULL or leads to `ndim` lengths that do not change during the call.
unsafe fn read_shape<'a>(ndim: u32, shape: *const u64) -> Result<Option<&'a [u64]>> {
    if ndim == 0 {
        return Ok(None);
    }
    if ndim as usize > ATOLL_MAX_DIMENSIONS {
        return Err(wrong(format!("ndim is {ndim}: at most {ATOLL_MAX_DIMENSIONS} are possible")));
    }
    // SAFETY: per the caller.
    unsafe { items(shape, ndim as usize, "shape") }.map(Some)
}

fn needed_shape(shape: Option<&[u64]>) -> Result<&[u64]> {
    shape.ok_or_else(|| wrong("ndim is 0: pass at least one dimension, and its length".into()))
}

/// Makes an array, all bytes zero, in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for an
///           array without a name, which others can only get by a ticket.
/// type      What each element holds.
/// ndim      How many dimensions: 1 to ATOLL_MAX_DIMENSIONS.
/// shape     ndim numbers of elements. The last dimension varies fastest.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    Name, type or shape is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_array_close(). With a name the array
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_array_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    ndim: u32,
    shape: *const u64,
    out: *mut *mut atoll_array,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe {
        obtain(segment, name, r#type, (ndim, shape), out, |segment, name, ty, shape| {
            RawArray::create(segment, name, needed(ty)?, needed_shape(shape)?)
        })
    }
}

/// Opens an array by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: an array without a name cannot be opened.
/// type      What you expect the elements to hold; NULL for whatever they hold.
/// ndim      The dimensions you expect; 0 for whatever it has.
/// shape     ndim numbers of elements you expect.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same array.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object, or an array of another type
///                       or shape; the sentence names both.
///   INVALID_ARGUMENT    Name, type or shape is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_array_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_array_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    ndim: u32,
    shape: *const u64,
    out: *mut *mut atoll_array,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, r#type, (ndim, shape), out, RawArray::open) }
}

/// Opens the array of that name, or makes it, all bytes zero, if there is none. Of
/// many who do this at once, one makes it and the others open it.
///
/// Arguments as for atoll_array_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_array_open().
///   NO_SPACE            As for atoll_array_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    Name, type or shape is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_array_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_array_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    ndim: u32,
    shape: *const u64,
    out: *mut *mut atoll_array,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe {
        obtain(segment, name, r#type, (ndim, shape), out, |segment, name, ty, shape| {
            RawArray::open_or_create(segment, name, needed(ty)?, needed_shape(shape)?)
        })
    }
}

/// Removes the name of an array: nobody can open it any more, and the name is free for
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
/// Owner     Takes nothing. Handles to the array stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_array_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    guard(|call| {
        let segment = handle::find(call, segment)?;
        // SAFETY: the caller passes NULL or a text ended by NUL.
        RawArray::remove(segment, unsafe { text(name, "name") }?)
    })
}

/// Closes a handle. An array with a name stays in the segment; another one goes when no
/// process has it open any more. The address of its elements is not to be used when this
/// process has no handle to the array any more.
///
/// array     The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was an array.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_array_close(array: *mut atoll_array) -> atoll_status {
    guard(|call| handle::close(call, array))
}

/// The address of the first element. It is aligned to 64 bytes, the elements follow
/// each other without gaps, and they are plain memory: a mutex, or atomics of your
/// own, must keep threads and processes out of each other's way. Where the segment
/// is open read-only, so is the memory.
///
/// Returns   The address, or NULL; atoll_last_error() then says why:
///   INVALID_ARGUMENT    The handle is closed.
///
/// Threads   Any thread.
/// Fork      The address is the same in a child.
/// Owner     Belongs to the segment. Use it only while a handle to the array is open.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_array_data(array: *const atoll_array) -> *mut c_void {
    guard_address(|call| Ok(handle::find(call, array)?.data()))
}

/// Says what an array is made of.
///
/// out       Receives type, shape and sizes.
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
pub unsafe extern "C" fn atoll_array_info(
    array: *const atoll_array,
    out: *mut atoll_array_layout,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_array_layout.
        let out = unsafe { Output::at(out, "out") }?;
        let array = handle::find(call, array)?;
        let mut shape = [0; ATOLL_MAX_DIMENSIONS];
        shape[..array.shape().len()].copy_from_slice(array.shape());
        out.write(atoll_array_layout {
            r#type: array.ty().into(),
            ndim: array.shape().len() as u32,
            reserved: 0,
            length: array.len(),
            bytes: array.bytes(),
            shape,
        });
        Ok(())
    })
}
