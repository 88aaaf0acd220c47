//! Element types as C describes them.

use core::ffi::{CStr, c_char};
use core::fmt;

use super::argument::{Growing, check_reserved, growing, wrong};
use super::guard::c_text;
use crate::error::{Error, Result};
use crate::object::types::{Type, TypeCode};

/// A signed integer of 8 bits.
pub const ATOLL_I8: u32 = 1;
/// A signed integer of 16 bits.
pub const ATOLL_I16: u32 = 2;
/// A signed integer of 32 bits.
pub const ATOLL_I32: u32 = 3;
/// A signed integer of 64 bits.
pub const ATOLL_I64: u32 = 4;
/// An unsigned integer of 8 bits.
pub const ATOLL_U8: u32 = 5;
/// An unsigned integer of 16 bits.
pub const ATOLL_U16: u32 = 6;
/// An unsigned integer of 32 bits.
pub const ATOLL_U32: u32 = 7;
/// An unsigned integer of 64 bits.
pub const ATOLL_U64: u32 = 8;
/// A float of 32 bits.
pub const ATOLL_F32: u32 = 9;
/// A float of 64 bits.
pub const ATOLL_F64: u32 = 10;
/// A byte that is 0 or 1.
pub const ATOLL_BOOL: u32 = 11;
/// A fixed number of bytes without further meaning.
pub const ATOLL_BYTES: u32 = 12;
/// A C struct, known by its size, its alignment and, if given, its format.
pub const ATOLL_STRUCT: u32 = 13;

// The codes are those of the layer below, spelled out for the header.
const _: () = {
    assert!(ATOLL_I8 == TypeCode::I8 as u32);
    assert!(ATOLL_I16 == TypeCode::I16 as u32);
    assert!(ATOLL_I32 == TypeCode::I32 as u32);
    assert!(ATOLL_I64 == TypeCode::I64 as u32);
    assert!(ATOLL_U8 == TypeCode::U8 as u32);
    assert!(ATOLL_U16 == TypeCode::U16 as u32);
    assert!(ATOLL_U32 == TypeCode::U32 as u32);
    assert!(ATOLL_U64 == TypeCode::U64 as u32);
    assert!(ATOLL_F32 == TypeCode::F32 as u32);
    assert!(ATOLL_F64 == TypeCode::F64 as u32);
    assert!(ATOLL_BOOL == TypeCode::Bool as u32);
    assert!(ATOLL_BYTES == TypeCode::Bytes as u32);
    assert!(ATOLL_STRUCT == TypeCode::Struct as u32);
};

/// The type of a value or of the elements of an array.
///
/// ATOLL_TYPE_I64 and its like initialise one for a scalar. For ATOLL_BYTES set
/// code and size; for ATOLL_STRUCT set code, size and align, and format if there
/// is one. What a scalar leaves 0 or "" is filled in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_type {
    /// sizeof(atoll_type), or 0, which says the same.
    pub struct_size: u32,
    /// One of ATOLL_I8 to ATOLL_STRUCT.
    pub code: u32,
    /// Bytes of one element; 0 with ATOLL_BYTES for a ring of messages, and for nothing else.
    pub size: u64,
    /// Alignment of one element in bytes, a power of two.
    pub align: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The element as Python's buffer protocol (PEP 3118) writes it, such as "<q".
    /// "" in a struct means that only size and alignment are compared.
    pub format: [c_char; 64],
}

// SAFETY: `repr(C)`, integers only, 4 + 4 + 8 + 4 + 4 + 64 bytes without padding.
unsafe impl Growing for atoll_type {
    const FIRST_SIZE: usize = 88;
}

impl From<&Type> for atoll_type {
    fn from(ty: &Type) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            code: ty.code() as u32,
            size: ty.size(),
            align: ty.align(),
            reserved: 0,
            format: c_text(ty.format()),
        }
    }
}

/// Copies and checks a type; NULL gives None.
///
/// # Safety
/// `ty` is NULL, or leads to as many bytes as its `struct_size` says.
pub(super) unsafe fn read_type(ty: *const atoll_type) -> Result<Option<Type>> {
    // SAFETY: per the caller.
    unsafe { growing(ty, "type") }?.as_ref().map(convert).transpose()
}

/// The type, where one has to be given.
pub(super) fn needed(ty: Option<&Type>) -> Result<&Type> {
    ty.ok_or_else(|| wrong("type is NULL: say what is to be held, such as ATOLL_TYPE_I64".into()))
}

fn convert(given: &atoll_type) -> Result<Type> {
    check_reserved(given.reserved, "type")?;
    let code = TypeCode::of(given.code)?;
    let format = format_of(given)?;
    let ty = match code {
        TypeCode::Bytes => Type::bytes(given.size)?,
        TypeCode::Struct => return Type::structure(given.size, given.align, format),
        scalar => Type::scalar(scalar)?,
    };
    // What a scalar leaves out is filled in; what it says has to be true.
    if given.size != 0 && given.size != ty.size() {
        return Err(differs("size", &given.size, &ty.size()));
    }
    if given.align != 0 && given.align != ty.align() {
        return Err(differs("align", &given.align, &ty.align()));
    }
    if !format.is_empty() && format != ty.format() {
        return Err(differs("format", &format, &ty.format()));
    }
    Ok(ty)
}

fn format_of(given: &atoll_type) -> Result<&str> {
    let bytes = given.format.as_ptr().cast::<u8>();
    // SAFETY: the bytes of the array, borrowed with it; c_char and u8 are alike.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, given.format.len()) };
    CStr::from_bytes_until_nul(bytes)
        .ok()
        .and_then(|text| text.to_str().ok())
        .ok_or_else(|| wrong("type->format is not a text of at most 63 bytes ended by NUL".into()))
}

#[cold]
fn differs(field: &str, given: &dyn fmt::Debug, right: &dyn fmt::Debug) -> Error {
    wrong(format!(
        "type->{field} is {given:?} where the code means {right:?}: correct it or leave it out"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLANK: atoll_type =
        atoll_type { struct_size: 0, code: 0, size: 0, align: 0, reserved: 0, format: [0; 64] };

    fn read(ty: atoll_type) -> Result<Type> {
        // SAFETY: a whole struct.
        unsafe { read_type(&ty) }.map(|ty| ty.expect("not NULL"))
    }

    fn why(ty: atoll_type) -> String {
        read(ty).expect_err("no such type").text().to_owned()
    }

    #[test]
    fn what_a_scalar_leaves_out_is_filled_in() {
        let whole = read(atoll_type { code: ATOLL_I32, ..BLANK }).unwrap();
        assert_eq!((whole.size(), whole.align(), whole.format()), (4, 4, "<i"));
        assert_eq!(read(atoll_type::from(&whole)).unwrap(), whole);
    }

    #[test]
    fn what_a_scalar_says_has_to_be_true() {
        let i32 = atoll_type { code: ATOLL_I32, ..BLANK };
        assert!(why(atoll_type { size: 8, ..i32 }).starts_with("type->size is 8"));
        assert!(why(atoll_type { align: 8, ..i32 }).starts_with("type->align is 8"));
        assert!(why(atoll_type { format: c_text("<q"), ..i32 }).starts_with("type->format is"));
        assert!(why(atoll_type { reserved: 1, ..i32 }).starts_with("type->reserved is 1"));
    }

    #[test]
    fn bytes_and_structs_say_how_large_they_are() {
        let bytes = read(atoll_type { code: ATOLL_BYTES, size: 5, ..BLANK }).unwrap();
        assert_eq!((bytes.size(), bytes.align(), bytes.format()), (5, 1, "5s"));
        let pair = atoll_type { code: ATOLL_STRUCT, size: 16, align: 8, ..BLANK };
        assert_eq!(read(pair).unwrap().align(), 8);
        why(atoll_type { code: ATOLL_BYTES, ..BLANK });
        why(atoll_type { align: 3, ..pair });
    }

    #[test]
    fn codes_and_formats_that_are_none_are_refused() {
        why(BLANK);
        why(atoll_type { code: 14, ..BLANK });
        let endless = [b'x' as c_char; 64];
        assert!(why(atoll_type { code: ATOLL_I32, format: endless, ..BLANK }).contains("63"));
    }
}
