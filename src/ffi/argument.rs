//! What C passes in: pointers become references only here, once they are checked.
//!
//! Each refusal names the argument, so every sentence says which one to look at.

use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;

use crate::error::{Error, Result, Status};

#[cold]
pub(super) fn wrong(text: String) -> Error {
    Error::with(Status::InvalidArgument, text)
}

/// A text that must be there.
///
/// # Safety
/// `text` is NULL or a text ended by NUL that does not change during the call.
pub(super) unsafe fn text<'a>(text: *const c_char, argument: &str) -> Result<&'a str> {
    // SAFETY: per the caller.
    unsafe { optional_text(text, argument) }?
        .ok_or_else(|| wrong(format!("{argument} is NULL: pass a text ended by NUL")))
}

/// A text, or NULL for none.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_text<'a>(
    text: *const c_char,
    argument: &str,
) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and ended by NUL per the caller.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| wrong(format!("{argument} is not UTF-8: names are")))
}

/// Bytes to read.
///
/// # Safety
/// `bytes` is NULL or leads to `len` bytes that do not change during the call.
pub(super) unsafe fn bytes<'a>(
    bytes: *const c_void,
    len: usize,
    argument: &str,
) -> Result<&'a [u8]> {
    // SAFETY: per the caller.
    unsafe { bytes_if_any(bytes, len) }.ok_or_else(|| no_room(bytes, len, argument))
}

/// The same for who makes the call in another way if they cannot be.
///
/// # Safety
/// As for `bytes`.
#[inline(always)]
pub(super) unsafe fn bytes_if_any<'a>(bytes: *const c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: not NULL, not beyond the address space; readable per the caller.
    is_room(bytes, len).then(|| unsafe { core::slice::from_raw_parts(bytes.cast(), len) })
}

/// Bytes to write.
///
/// # Safety
/// `bytes` is NULL or leads to `len` bytes that nothing else uses during the call.
pub(super) unsafe fn buffer<'a>(
    bytes: *mut c_void,
    len: usize,
    argument: &str,
) -> Result<&'a mut [u8]> {
    // SAFETY: per the caller.
    unsafe { buffer_if_any(bytes, len) }.ok_or_else(|| no_room(bytes, len, argument))
}

/// As `bytes_if_any`.
///
/// # Safety
/// As for `buffer`.
#[inline(always)]
pub(super) unsafe fn buffer_if_any<'a>(bytes: *mut c_void, len: usize) -> Option<&'a mut [u8]> {
    // SAFETY: not NULL, not beyond the address space; writable per the caller.
    is_room(bytes, len).then(|| unsafe { core::slice::from_raw_parts_mut(bytes.cast(), len) })
}

#[inline(always)]
fn is_room(bytes: *const c_void, len: usize) -> bool {
    !bytes.is_null() && len <= isize::MAX as usize
}

/// Why that is no room.
#[cold]
fn no_room(bytes: *const c_void, len: usize, argument: &str) -> Error {
    wrong(if bytes.is_null() {
        format!("{argument} is NULL: pass the address of what it leads to")
    } else {
        format!("{argument} has a length of {len}: no memory is that large")
    })
}

/// Several things to read.
///
/// # Safety
/// `first` is NULL or leads to `n` of them that do not change during the call.
pub(super) unsafe fn items<'a, T>(first: *const T, n: usize, argument: &str) -> Result<&'a [T]> {
    let bytes = n.saturating_mul(size_of::<T>());
    if !is_room(first.cast(), bytes) {
        return Err(no_room(first.cast(), bytes, argument));
    }
    if !first.is_aligned() {
        return Err(wrong(format!("{argument} is not aligned as its type asks")));
    }
    // SAFETY: not NULL, aligned, not beyond the address space; readable per the caller.
    Ok(unsafe { core::slice::from_raw_parts(first, n) })
}

/// A struct that callers fill in and that may grow at its end.
///
/// It begins with its own size as the caller was compiled: what an older caller
/// does not have is zero, the default; what a newer one has must be zero, for we
/// would not do it. Size 0 stands for the struct as it was first published.
///
/// # Safety
/// `repr(C)`, made of integers only, without padding; the first is `struct_size`.
pub(super) unsafe trait Growing: Copy {
    /// Its size when it was first published.
    const FIRST_SIZE: usize;
}

/// No struct will ever be as large: a larger size was never filled in.
const LARGEST: usize = 4096;

/// Copies a growing struct; NULL gives None.
///
/// # Safety
/// `from` is NULL, or leads to as many bytes as its `struct_size` says.
pub(super) unsafe fn growing<T: Growing>(from: *const T, argument: &str) -> Result<Option<T>> {
    if from.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and a growing struct begins with this field.
    let size = match unsafe { from.cast::<u32>().read_unaligned() } as usize {
        0 => T::FIRST_SIZE,
        size => size,
    };
    if !(8..=LARGEST).contains(&size) {
        return Err(wrong(format!(
            "{argument}->struct_size is {size}: begin the struct with its initialiser macro"
        )));
    }
    // SAFETY: readable per the caller; `size` is far below the largest slice.
    let bytes = unsafe { core::slice::from_raw_parts(from.cast::<u8>(), size) };
    let (known, newer) = bytes.split_at(size.min(size_of::<T>()));
    if newer.iter().any(|&byte| byte != 0) {
        return Err(wrong(format!(
            "{argument} sets a field that this version of the library does not have: \
             use a newer libatoll.so.0, or leave the field 0"
        )));
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` is not longer than T; a local variable overlaps nothing.
    unsafe { copy.as_mut_ptr().cast::<u8>().copy_from(known.as_ptr(), known.len()) };
    // SAFETY: integers without padding (`Growing`): all bit patterns are values.
    Ok(Some(unsafe { copy.assume_init() }))
}

/// Refuses a `reserved` field that is not zero.
pub(super) fn check_reserved(reserved: u32, argument: &str) -> Result<()> {
    match reserved {
        0 => Ok(()),
        _ => Err(wrong(format!("{argument}->reserved is {reserved}: it must be 0"))),
    }
}

/// A flag, which C passes as an integer.
pub(super) fn flag(value: u32, argument: &str) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(wrong(format!("{argument} is {value}: pass 0 or 1"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The struct as this library knows it; and as a newer program has it.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Options<const N: usize> {
        struct_size: u32,
        reserved: u32,
        fields: [u32; N],
    }

    // SAFETY: `repr(C)`, integers of 4 bytes only.
    unsafe impl Growing for Options<2> {
        const FIRST_SIZE: usize = 12; // one field came later
    }

    fn read<const N: usize>(size: u32, fields: [u32; N]) -> Result<[u32; 2]> {
        let given = Options { struct_size: size, reserved: 0, fields };
        let known = core::ptr::from_ref(&given).cast::<Options<2>>();
        // SAFETY: no size in these tests is larger than the struct given.
        Ok(unsafe { growing(known, "options") }?.expect("not NULL").fields)
    }

    fn why<T>(refused: Result<T>) -> String {
        let error = refused.err().expect("not allowed");
        assert_eq!(error.status(), Status::InvalidArgument);
        error.text().to_owned()
    }

    #[test]
    fn what_an_older_program_does_not_have_is_zero() {
        assert_eq!(read(16, [5, 6]).unwrap(), [5, 6]);
        assert_eq!(read(12, [5, 6]).unwrap(), [5, 0]);
        assert_eq!(read(8, [5, 6]).unwrap(), [0, 0]);
        assert_eq!(read(0, [5, 6]).unwrap(), [5, 0], "0 is the size when first published");
    }

    #[test]
    fn what_a_newer_program_sets_beyond_our_fields_is_refused() {
        assert_eq!(read(20, [5, 6, 0]).unwrap(), [5, 6]);
        assert!(why(read(20, [5, 6, 1])).contains("newer"));
    }

    #[test]
    fn a_size_that_nobody_wrote_is_refused() {
        for size in [1, 7, 4097, u32::MAX] {
            assert!(why(read(size, [5, 6])).contains("initialiser"), "{size}");
        }
    }

    #[test]
    fn null_is_none_or_a_sentence_that_names_the_argument() {
        // SAFETY: NULL is allowed.
        assert!(unsafe { growing::<Options<2>>(core::ptr::null(), "x") }.unwrap().is_none());
        // SAFETY: likewise.
        assert!(unsafe { optional_text(core::ptr::null(), "x") }.unwrap().is_none());
        // SAFETY: likewise.
        assert!(why(unsafe { text(core::ptr::null(), "name") }).starts_with("name is NULL"));
        // SAFETY: likewise.
        assert!(why(unsafe { bytes(core::ptr::null(), 0, "b") }).starts_with("b is NULL"));
    }

    #[test]
    fn integers_that_stand_for_something_else_are_checked() {
        assert_eq!((flag(0, "f").unwrap(), flag(1, "f").unwrap()), (false, true));
        assert_eq!(why(flag(2, "f")), "f is 2: pass 0 or 1");
        assert!(check_reserved(0, "o").is_ok());
        assert_eq!(why(check_reserved(3, "o")), "o->reserved is 3: it must be 0");
        // SAFETY: ends with NUL.
        assert!(why(unsafe { text(c"\xff".as_ptr(), "name") }).contains("UTF-8"));
    }
}
