//! The named array: plain shared memory with a type and a shape.
//!
//! Elements lie in C order from a 64-byte boundary on. Reading and writing them
//! needs no call; who wants more than one element to change at once uses a mutex.

use super::segment::{MAX_DIMENSIONS, Segment};
use super::ticket::Ticket;
use super::types::Type;
use crate::error::{Error, Result, Status, corrupted, invalid};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::layout::bodies::ArrayHead;
use crate::layout::entry::LINE;
use crate::layout::memory::{Address, Memory};
use crate::platform::atomic::Ordering::Relaxed;
use crate::roster::attachment::Attachment;
use crate::segment::directory::Wanted;
use crate::segment::holding::Holding;

const HEAD: u64 = size_of::<ArrayHead>() as u64;

/// An array whose type and shape are known at run time.
///
/// Any thread may use a handle. The elements stay mapped as long as the handle.
#[derive(Debug)]
pub struct RawArray {
    holding: Holding,
    layout: ArrayLayout,
    elements: Offset,
    data: Address,
}

/// Type and extents of an array.
#[derive(Clone, Debug)]
pub(super) struct ArrayLayout {
    pub(super) ty: Type,
    pub(super) shape: Vec<u64>,
    length: u64,
    bytes: u64,
}

impl ArrayLayout {
    /// Refuses shapes that cannot be.
    fn new(ty: &Type, shape: &[u64]) -> Result<Self> {
        if shape.is_empty() || shape.len() > MAX_DIMENSIONS {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("an array has 1 to {MAX_DIMENSIONS} dimensions, not {}", shape.len()),
            ));
        }
        let length = shape.iter().try_fold(1u64, |n, extent| n.checked_mul(*extent));
        let bytes = length.and_then(|n| n.checked_mul(ty.size()));
        match (length, bytes) {
            (Some(length), Some(bytes)) if bytes < 1 << 62 => {
                Ok(Self { ty: *ty, shape: shape.to_vec(), length, bytes })
            }
            _ => Err(invalid("the shape has more bytes than any memory: check its extents")),
        }
    }

    fn shape_bytes(&self) -> u64 {
        (self.shape.len() as u64 * 8).next_multiple_of(LINE)
    }

    /// Where the elements begin in the body.
    fn data_start(&self) -> u64 {
        HEAD + self.shape_bytes()
    }

    fn body_bytes(&self) -> u64 {
        self.data_start() + self.bytes.max(1)
    }

    fn describe(&self) -> String {
        let extents: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        format!("{}[{}]", self.ty.describe(), extents.join(", "))
    }
}

impl RawArray {
    /// Creates an array of zeros; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(segment: &Segment, name: Option<&str>, ty: &Type, shape: &[u64]) -> Result<Self> {
        Self::make(segment, name, ty, shape, Wanted::New)
    }

    /// Opens an array, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(
        segment: &Segment,
        name: Option<&str>,
        ty: &Type,
        shape: &[u64],
    ) -> Result<Self> {
        Self::make(segment, name, ty, shape, Wanted::Any)
    }

    /// Opens an array that exists; without a type or a shape, whatever it is.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(
        segment: &Segment,
        name: Option<&str>,
        ty: Option<&Type>,
        shape: Option<&[u64]>,
    ) -> Result<Self> {
        let there = segment.obtain(name, Wanted::Existing, Kind::Array, 0, |_| Ok(()))?;
        Self::at(there, name, ty, shape)
    }

    /// Removes the name of an array. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Array])
    }

    /// Writes a ticket for the array, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        Ticket::write(&self.holding)
    }

    /// Opens the array that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no array, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        let (holding, _, body) = ticket.redeem(&[Kind::Array])?;
        Self::at((holding, body), None, None, None)
    }

    fn make(
        segment: &Segment,
        name: Option<&str>,
        ty: &Type,
        shape: &[u64],
        wanted: Wanted,
    ) -> Result<Self> {
        let layout = ArrayLayout::new(ty, shape)?;
        let memory = segment.attachment().memory();
        let there = segment.obtain(name, wanted, Kind::Array, layout.body_bytes(), |body| {
            write_layout(memory, body, &layout)
        })?;
        Self::at(there, name, Some(ty), Some(shape))
    }

    fn at(
        (holding, body): (Holding, Offset),
        name: Option<&str>,
        ty: Option<&Type>,
        shape: Option<&[u64]>,
    ) -> Result<Self> {
        let layout = layout_at(holding.attachment(), body)?;
        let agrees = ty.is_none_or(|ty| layout.ty.agrees_with(ty))
            && shape.is_none_or(|shape| layout.shape == shape);
        if !agrees {
            let wanted = ArrayLayout {
                ty: ty.copied().unwrap_or(layout.ty),
                shape: shape.unwrap_or(&layout.shape).to_vec(),
                ..layout
            };
            return Err(Error::with(
                Status::WrongKind,
                format!(
                    "array \"{}\" is {}, and was opened as {}",
                    name.unwrap_or(""),
                    layout.describe(),
                    wanted.describe()
                ),
            ));
        }
        let memory = holding.attachment().memory();
        let elements = body + layout.data_start();
        let data = memory.address(elements, layout.bytes)?;
        Ok(Self { holding, layout, elements, data })
    }

    /// The first element's address, a multiple of 64; valid as long as the handle.
    #[inline]
    pub fn data(&self) -> *mut u8 {
        self.data.as_ptr()
    }

    /// The type of the elements.
    pub fn ty(&self) -> &Type {
        &self.layout.ty
    }

    /// The extents, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.layout.shape
    }

    /// The number of elements.
    #[expect(clippy::len_without_is_empty, reason = "an array's extents never change")]
    pub fn len(&self) -> u64 {
        self.layout.length
    }

    /// The number of bytes.
    pub fn bytes(&self) -> u64 {
        self.layout.bytes
    }

    pub(super) fn attachment(&self) -> &'static Attachment {
        self.holding.attachment()
    }

    /// Where `count` elements from element `first` on lie, and how many bytes they have.
    pub(super) fn range(&self, first: u64, count: u64) -> Result<(Offset, u64)> {
        match first.checked_add(count) {
            Some(end) if end <= self.len() => {
                let size = self.ty().size();
                Ok((self.elements + first * size, count * size))
            }
            _ => Err(Error::with(
                Status::InvalidArgument,
                format!(
                    "{count} elements from element {first} on are more than the array's {}",
                    self.len()
                ),
            )),
        }
    }

    /// Whether the elements may only be read.
    pub fn is_read_only(&self) -> bool {
        !self.attachment().memory().is_writable()
    }
}

fn write_layout(memory: &Memory, body: Offset, layout: &ArrayLayout) -> Result<()> {
    let head = ArrayHead {
        ty: layout.ty.to_record(),
        ndim: layout.shape.len() as u32,
        reserved: 0,
        length: layout.length,
        bytes: layout.bytes,
        unused: [0; 5],
    };
    memory.write(body, head)?;
    let extents = memory.words(body + HEAD, layout.shape.len() as u64)?;
    for (word, extent) in extents.iter().zip(&layout.shape) {
        // Relaxed: published with the record.
        word.store(*extent, Relaxed);
    }
    Ok(())
}

/// Type and shape of the array whose body is at `body`.
pub(super) fn layout_at(attachment: &Attachment, body: Offset) -> Result<ArrayLayout> {
    let memory = attachment.memory();
    let head = memory.at::<ArrayHead>(body)?;
    if head.ndim as usize > MAX_DIMENSIONS {
        return Err(corrupted("an array's number of dimensions is damaged"));
    }
    let extents = memory.words(body + HEAD, head.ndim.into())?;
    // Relaxed: constant since the record was published.
    let shape: Vec<u64> = extents.iter().map(|extent| extent.load(Relaxed)).collect();
    let layout = ArrayLayout::new(&Type::of_record(&head.ty)?, &shape)
        .map_err(|_| corrupted("an array's shape is damaged"))?;
    if layout.length != head.length || layout.bytes != head.bytes {
        return Err(corrupted("an array's shape does not agree with its length"));
    }
    Ok(layout)
}

/// Checks that an array's shape fits its place.
pub(super) fn verify(attachment: &Attachment, body: Offset, bytes: u64) -> Result<()> {
    if layout_at(attachment, body)?.body_bytes() == bytes {
        return Ok(());
    }
    Err(corrupted("an array's shape does not fit its place"))
}
