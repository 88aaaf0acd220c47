//! What `_create`, `_open`, `_open_or_create` and `_remove` of all nouns have in common.

use core::ffi::c_char;

use super::argument::{optional_text, text};
use super::guard::guard;
use super::handle::{self, Handle};
use super::output::NewHandle;
use super::segment::atoll_segment;
use super::status::atoll_status;
use crate::error::Result;
use crate::object::segment::Segment;

/// Makes or opens an object.
///
/// # Safety
/// `name` is NULL or a text ended by NUL; `out` is NULL or may be written.
pub(super) unsafe fn obtain<H: Handle>(
    segment: *const atoll_segment,
    name: *const c_char,
    out: *mut *mut H,
    how: impl FnOnce(&Segment, Option<&str>) -> Result<H::Object>,
) -> atoll_status {
    // SAFETY: NULL or room for a handle, per the caller.
    let out = unsafe { NewHandle::at(out) };
    out.fill(|call| {
        let segment = handle::find(call, segment)?;
        // SAFETY: NULL or a text ended by NUL, per the caller.
        how(segment, unsafe { optional_text(name, "name") }?)
    })
}

/// Removes a name.
///
/// # Safety
/// `name` is NULL or a text ended by NUL.
pub(super) unsafe fn remove(
    segment: *const atoll_segment,
    name: *const c_char,
    how: impl FnOnce(&Segment, &str) -> Result<()>,
) -> atoll_status {
    guard(|call| {
        let segment = handle::find(call, segment)?;
        // SAFETY: NULL or a text ended by NUL, per the caller.
        how(segment, unsafe { text(name, "name") }?)
    })
}
