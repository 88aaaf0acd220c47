//! Types of values and of array elements, known at run time.

use crate::error::{Error, Result, Status, corrupted, invalid};
use crate::layout::bodies::TypeRecord;

/// What a type is made of. The numbers are part of the layout and of the C interface.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeCode {
    /// Signed, 8 bits.
    I8 = 1,
    /// Signed, 16 bits.
    I16 = 2,
    /// Signed, 32 bits.
    I32 = 3,
    /// Signed, 64 bits.
    I64 = 4,
    /// Unsigned, 8 bits.
    U8 = 5,
    /// Unsigned, 16 bits.
    U16 = 6,
    /// Unsigned, 32 bits.
    U32 = 7,
    /// Unsigned, 64 bits.
    U64 = 8,
    /// IEEE 754, 32 bits.
    F32 = 9,
    /// IEEE 754, 64 bits.
    F64 = 10,
    /// One byte, 0 or 1.
    Bool = 11,
    /// Bytes of a fixed number.
    Bytes = 12,
    /// A C struct, by size, alignment and PEP 3118 format.
    Struct = 13,
}

impl TypeCode {
    /// The code with this number.
    ///
    /// # Errors
    /// `InvalidArgument` for a number that is no code.
    pub fn of(number: u32) -> Result<Self> {
        use TypeCode::*;
        [I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, Bool, Bytes, Struct]
            .into_iter()
            .find(|code| *code as u32 == number)
            .ok_or_else(|| {
                Error::with(
                    Status::InvalidArgument,
                    format!("{number} is no type code: use ATOLL_I8 to ATOLL_STRUCT (1 to 13)"),
                )
            })
    }

    /// Size and PEP 3118 format of a scalar; `None` for bytes and structs.
    fn scalar(self) -> Option<(u64, &'static str)> {
        Some(match self {
            Self::I8 => (1, "b"),
            Self::I16 => (2, "<h"),
            Self::I32 => (4, "<i"),
            Self::I64 => (8, "<q"),
            Self::U8 => (1, "B"),
            Self::U16 => (2, "<H"),
            Self::U32 => (4, "<I"),
            Self::U64 => (8, "<Q"),
            Self::F32 => (4, "<f"),
            Self::F64 => (8, "<d"),
            Self::Bool => (1, "?"),
            Self::Bytes | Self::Struct => return None,
        })
    }
}

/// The longest format text, with its NUL.
const FORMAT_BYTES: usize = 64;
/// The largest size of one value or element.
const LARGEST: u64 = 1 << 40;
/// What bodies are aligned to.
const LARGEST_ALIGNMENT: u32 = 64;

/// A type of a value or of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    code: TypeCode,
    size: u64,
    align: u32,
    format: [u8; FORMAT_BYTES],
}

impl Type {
    /// An integer, a float or a bool.
    ///
    /// # Errors
    /// `InvalidArgument` for `Bytes` and `Struct`, which need a size.
    pub fn scalar(code: TypeCode) -> Result<Self> {
        let (size, format) = code
            .scalar()
            .ok_or(invalid("bytes and structs have no size of their own: say how many bytes"))?;
        Ok(Self { code, size, align: size as u32, format: text(format) })
    }

    /// `size` bytes.
    ///
    /// # Errors
    /// `InvalidArgument` for 0 and for more than 2^40.
    pub fn bytes(size: u64) -> Result<Self> {
        check_size(size)?;
        Ok(Self { code: TypeCode::Bytes, size, align: 1, format: text(&format!("{size}s")) })
    }

    /// Bytes of any number: the records of a ring of messages, and nothing else.
    pub fn message() -> Self {
        Self { code: TypeCode::Bytes, size: 0, align: 1, format: text("") }
    }

    /// A C struct. An empty format agrees with any struct of that size and alignment.
    ///
    /// # Errors
    /// `InvalidArgument` for a size of 0 or that is no multiple of the alignment, for
    /// an alignment that is no power of two up to 64, for a format beyond 63 bytes.
    pub fn structure(size: u64, align: u32, format: &str) -> Result<Self> {
        check_size(size)?;
        if !align.is_power_of_two() || align > LARGEST_ALIGNMENT {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("alignment {align} is none: use 1, 2, 4, 8, 16, 32 or 64"),
            ));
        }
        if !size.is_multiple_of(align.into()) {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("size {size} is no multiple of alignment {align}: use sizeof and alignof"),
            ));
        }
        if format.len() >= FORMAT_BYTES || format.contains('\0') {
            return Err(invalid(
                "the format has more than 63 bytes or a NUL: shorten it or leave it empty",
            ));
        }
        Ok(Self { code: TypeCode::Struct, size, align, format: text(format) })
    }

    /// What it is made of.
    pub fn code(&self) -> TypeCode {
        self.code
    }

    /// Bytes of one value.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What its address is a multiple of.
    pub fn align(&self) -> u32 {
        self.align
    }

    /// Its PEP 3118 format.
    pub fn format(&self) -> &str {
        let end = self.format.iter().position(|b| *b == 0).unwrap_or(FORMAT_BYTES);
        core::str::from_utf8(&self.format[..end]).unwrap_or("")
    }

    /// Whether an object of this type may be opened as `wanted`.
    pub(super) fn agrees_with(&self, wanted: &Self) -> bool {
        let same =
            self.code == wanted.code && self.size == wanted.size && self.align == wanted.align;
        same && (self.format == wanted.format
            || self.code == TypeCode::Struct
                && (self.format().is_empty() || wanted.format().is_empty()))
    }

    /// How messages call it.
    pub(super) fn describe(&self) -> String {
        match self.code {
            TypeCode::Bytes if self.size == 0 => "messages".to_owned(),
            TypeCode::Bytes => format!("bytes[{}]", self.size),
            TypeCode::Struct if self.format().is_empty() => {
                format!("struct of {} bytes aligned to {}", self.size, self.align)
            }
            TypeCode::Struct => format!(
                "struct \"{}\" of {} bytes aligned to {}",
                self.format(),
                self.size,
                self.align
            ),
            code => format!("{code:?}").to_lowercase(),
        }
    }

    pub(super) fn to_record(self) -> TypeRecord {
        TypeRecord {
            code: self.code as u32,
            align: self.align,
            size: self.size,
            format: self.format,
            reserved: [0; 6],
        }
    }

    /// The same where messages may be.
    pub(super) fn of_ring(record: &TypeRecord) -> Result<Self> {
        let is_message = record.code == TypeCode::Bytes as u32 && record.size == 0;
        if is_message { Ok(Self::message()) } else { Self::of_record(record) }
    }

    /// Read from a segment, and checked: it is shared memory.
    pub(super) fn of_record(record: &TypeRecord) -> Result<Self> {
        let damaged = |_| corrupted("an object's type is damaged");
        let code = TypeCode::of(record.code).map_err(damaged)?;
        let copy = Self { code, size: record.size, align: record.align, format: record.format };
        let rebuilt = match code {
            TypeCode::Bytes => Self::bytes(copy.size),
            TypeCode::Struct => Self::structure(copy.size, copy.align, copy.format()),
            _ => Self::scalar(code),
        };
        match rebuilt.map_err(damaged)? {
            rebuilt if rebuilt == copy => Ok(copy),
            _ => Err(corrupted("an object's type is damaged")),
        }
    }
}

fn check_size(size: u64) -> Result<()> {
    if (1..=LARGEST).contains(&size) {
        return Ok(());
    }
    Err(Error::with(
        Status::InvalidArgument,
        format!("{size} bytes is no size of a type: 1 to 2^40"),
    ))
}

/// A text padded with zeros.
fn text(text: &str) -> [u8; FORMAT_BYTES] {
    let mut bytes = [0; FORMAT_BYTES];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// A Rust type that has a type here: integers, floats and `bool`.
pub trait Element: Copy + sealed::Sealed {
    /// Its code.
    const CODE: TypeCode;

    /// Its bytes, in the machine's order; the first `size_of::<Self>()` count.
    fn to_bytes(self) -> [u8; 8];

    /// The value that has these bytes.
    fn of_bytes(bytes: [u8; 8]) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($type:ty: $code:ident),+ $(,)?) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const CODE: TypeCode = TypeCode::$code;

            fn to_bytes(self) -> [u8; 8] {
                let mut bytes = [0; 8];
                bytes[..size_of::<Self>()].copy_from_slice(&self.to_ne_bytes());
                bytes
            }

            fn of_bytes(bytes: [u8; 8]) -> Self {
                let (own, _) = bytes.split_first_chunk().expect("at most eight bytes");
                Self::from_ne_bytes(*own)
            }
        }
    )+};
}

elements!(
    i8: I8, i16: I16, i32: I32, i64: I64, u8: U8, u16: U16, u32: U32, u64: U64, f32: F32, f64: F64,
);

impl sealed::Sealed for bool {}
impl Element for bool {
    const CODE: TypeCode = TypeCode::Bool;

    fn to_bytes(self) -> [u8; 8] {
        [u8::from(self), 0, 0, 0, 0, 0, 0, 0]
    }

    fn of_bytes(bytes: [u8; 8]) -> Self {
        bytes[0] != 0
    }
}
