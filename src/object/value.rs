//! The named value: one datum of any type, never torn.
//!
//! Up to 8 bytes it is one atomic (`cell`). A larger one has two copies and a version
//! that says which is current (`large`).

pub use super::cell::FetchOp;
use super::cell::{Cell, bits};
use super::large::{self, Large, copy_out};
use super::segment::Segment;
use super::ticket::Ticket;
use super::transaction::Changes;
use super::types::{Type, TypeCode};
use crate::error::{Error, READ_ONLY, Result, Status, invalid};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::layout::bodies::{SMALL, SmallValue, TypeRecord, mutex_in_value};
use crate::platform::atomic::{AtomicU64, Ordering::Relaxed};
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::segment::directory::Wanted;
use crate::segment::holding::Holding;
use crate::sync::mutex::MutexBody;

/// Where the cell of a small value is.
const CELL: u64 = core::mem::offset_of!(SmallValue, cell) as u64;

/// A value whose type is known at run time.
///
/// Operands are bytes in the machine's order, exactly as many as the type has. Any
/// thread may use a handle.
#[derive(Debug)]
pub struct RawValue {
    holding: Holding,
    body: Offset,
    ty: Type,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Small(Cell),
    Large(Large),
}

impl RawValue {
    /// Creates a value, of zero bytes if no other are given; without a name it is
    /// anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(
        segment: &Segment,
        name: Option<&str>,
        ty: &Type,
        initial: Option<&[u8]>,
    ) -> Result<Self> {
        Self::obtain(segment, name, Some(ty), initial, Wanted::New)
    }

    /// Opens a value that exists; without a type, whatever it is.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>, ty: Option<&Type>) -> Result<Self> {
        Self::obtain(segment, name, ty, None, Wanted::Existing)
    }

    /// Opens a value, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(
        segment: &Segment,
        name: Option<&str>,
        ty: &Type,
        initial: Option<&[u8]>,
    ) -> Result<Self> {
        Self::obtain(segment, name, Some(ty), initial, Wanted::Any)
    }

    /// Removes the name of a value. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Value])
    }

    /// Writes a ticket for the value, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        Ticket::write(&self.holding)
    }

    /// Opens the value that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no value, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        let (holding, _, body) = ticket.redeem(&[Kind::Value])?;
        Self::at(holding, body)
    }

    fn at(holding: Holding, body: Offset) -> Result<Self> {
        let attachment = holding.attachment();
        let ty = type_at(attachment, body)?;
        Ok(Self { store: store_at(attachment, body, ty.size())?, ty, body, holding })
    }

    fn obtain(
        segment: &Segment,
        name: Option<&str>,
        ty: Option<&Type>,
        initial: Option<&[u8]>,
        wanted: Wanted,
    ) -> Result<Self> {
        let attachment = segment.attachment();
        if let (Some(ty), Some(initial)) = (ty, initial) {
            check_operand(ty, initial)?;
        }
        let bytes = ty.map_or(0, body_bytes);
        let make = |body| {
            let ty = ty.expect("only who names a type creates");
            attachment.memory().write(body, ty.to_record())?;
            match initial {
                None => Ok(()),
                // The block is still ours, and nobody looks.
                Some(initial) => {
                    match store_at(attachment, body, ty.size())? {
                        Store::Small(cell) => cell.put(bits(initial)),
                        Store::Large(large) => large.flip_to(initial),
                    }
                    Ok(())
                }
            }
        };
        let (holding, body) = segment.obtain(name, wanted, Kind::Value, bytes, make)?;
        let value = Self::at(holding, body)?;
        if let Some(ty) = ty
            && !value.ty.agrees_with(ty)
        {
            return Err(Error::with(
                Status::WrongKind,
                format!(
                    "value \"{}\" has type {}, and was opened as {}",
                    name.unwrap_or(""),
                    value.ty.describe(),
                    ty.describe()
                ),
            ));
        }
        Ok(value)
    }

    /// The type.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// Copies the value out and says how many bytes it has. Never waits.
    ///
    /// # Errors
    /// `TooSmall` if `out` has fewer bytes than the type.
    pub fn load(&self, out: &mut [u8]) -> Result<usize> {
        let out = self.output(out)?;
        match &self.store {
            Store::Small(cell) => out.copy_from_slice(&cell.load().to_ne_bytes()[..out.len()]),
            Store::Large(large) => large.load(out),
        }
        Ok(out.len())
    }

    /// Replaces the value. Only writers of values beyond 8 bytes can wait, for each
    /// other.
    ///
    /// # Errors
    /// `InvalidArgument` for an operand of another size, `Permission`; for large
    /// values also `TimedOut` and `Interrupted`.
    pub fn store(&self, value: &[u8], deadline: Deadline) -> Result<()> {
        self.check_operand(value)?;
        self.check_writable()?;
        match &self.store {
            Store::Small(cell) => {
                cell.swap(bits(value));
                Ok(())
            }
            Store::Large(large) => large.update(self.attachment(), deadline, |_| Some(value)),
        }
    }

    /// Replaces the value and copies out what was there.
    ///
    /// # Errors
    /// As for `store`, and `TooSmall`.
    pub fn swap(&self, value: &[u8], deadline: Deadline, old: &mut [u8]) -> Result<usize> {
        self.check_operand(value)?;
        let old = self.output(old)?;
        self.check_writable()?;
        match &self.store {
            Store::Small(cell) => {
                old.copy_from_slice(&cell.swap(bits(value)).to_ne_bytes()[..old.len()]);
            }
            Store::Large(large) => large.update(self.attachment(), deadline, |current| {
                copy_out(current, old);
                Some(value)
            })?,
        }
        Ok(old.len())
    }

    /// Replaces the value if its bits are `expected`; copies out what was there, and
    /// says whether it was replaced.
    ///
    /// # Errors
    /// As for `swap`.
    pub fn compare_exchange(
        &self,
        expected: &[u8],
        desired: &[u8],
        deadline: Deadline,
        old: &mut [u8],
    ) -> Result<bool> {
        self.check_length(expected)?;
        self.check_operand(desired)?;
        let old = self.output(old)?;
        self.check_writable()?;
        match &self.store {
            Store::Small(cell) => {
                let seen = cell.compare_exchange(bits(expected), bits(desired));
                let (Ok(bits) | Err(bits)) = seen;
                old.copy_from_slice(&bits.to_ne_bytes()[..old.len()]);
            }
            Store::Large(large) => large.update(self.attachment(), deadline, |current| {
                copy_out(current, old);
                (*old == *expected).then_some(desired)
            })?,
        }
        Ok(*old == *expected)
    }

    /// Changes the value in one atomic step and copies out what was there. Never waits.
    ///
    /// # Errors
    /// `WrongKind` if the type does not have the operation: arithmetic needs numbers,
    /// bitwise operations integers or bool. Otherwise as for `swap`.
    pub fn fetch(&self, op: FetchOp, operand: &[u8], old: &mut [u8]) -> Result<usize> {
        self.check_operation(op)?;
        self.check_operand(operand)?;
        let old = self.output(old)?;
        self.check_writable()?;
        let Store::Small(cell) = &self.store else {
            unreachable!("types with arithmetic have at most 8 bytes")
        };
        let bits = cell.fetch(op, self.ty.code(), bits(operand));
        old.copy_from_slice(&bits.to_ne_bytes()[..old.len()]);
        Ok(old.len())
    }

    /// Replaces the value as one of the changes of a transaction. Returns the mutex of a
    /// large value if the transaction has come to hold it.
    #[inline]
    pub(super) fn store_in(
        &self,
        changes: &Changes,
        value: &[u8],
        deadline: Deadline,
    ) -> Result<Option<&'static MutexBody>> {
        self.check_operand(value)?;
        match &self.store {
            Store::Small(cell) => {
                let place = self.body + CELL;
                let whole = changes.memory().at::<AtomicU64>(place)?;
                // Relaxed: behind the transaction's mutexes.
                changes.note(place, whole.load(Relaxed))?;
                cell.put(bits(value));
                Ok(None)
            }
            Store::Large(large) => large.store_in(changes, self.body, value, deadline),
        }
    }

    /// The address of a value of up to 8 bytes, for atomic access of the type's width.
    /// Valid as long as the handle.
    ///
    /// # Errors
    /// `WrongKind` for a larger value.
    pub fn data(&self) -> Result<*mut u8> {
        match &self.store {
            Store::Small(Cell::One(atomic)) => Ok(atomic.as_ptr()),
            Store::Small(Cell::Two(atomic)) => Ok(atomic.as_ptr().cast()),
            Store::Small(Cell::Four(atomic)) => Ok(atomic.as_ptr().cast()),
            Store::Small(Cell::Eight(atomic)) => Ok(atomic.as_ptr().cast()),
            Store::Large(_) => Err(Error::new(
                Status::WrongKind,
                "a value of more than 8 bytes has no address of its own: use load and store",
            )),
        }
    }

    /// The same for a value that fills an atomic of its own width.
    pub(crate) fn atomic(&self) -> Option<*mut u8> {
        if self.ty.size().is_power_of_two() { self.data().ok() } else { None }
    }

    /// The number of the attachment that it lies in.
    pub(crate) fn segment_number(&self) -> u64 {
        self.attachment().number()
    }

    pub(super) fn attachment(&self) -> &'static Attachment {
        self.holding.attachment()
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.attachment().memory().is_writable()
    }

    fn check_writable(&self) -> Result<()> {
        if self.is_writable() { Ok(()) } else { Err(READ_ONLY) }
    }

    fn check_length(&self, operand: &[u8]) -> Result<()> {
        check_length(&self.ty, operand)
    }

    fn check_operand(&self, operand: &[u8]) -> Result<()> {
        check_operand(&self.ty, operand)
    }

    fn check_operation(&self, op: FetchOp) -> Result<()> {
        use TypeCode::{Bool, Bytes, F32, F64, Struct};
        let bitwise = matches!(op, FetchOp::And | FetchOp::Or | FetchOp::Xor);
        let fits = match self.ty.code() {
            Bytes | Struct => false,
            F32 | F64 => !bitwise,
            Bool => bitwise,
            _ => true,
        };
        if fits {
            return Ok(());
        }
        let (name, type_name) = (format!("{op:?}").to_lowercase(), self.ty.describe());
        Err(Error::with(
            Status::WrongKind,
            format!("a value of type {type_name} has no fetch_{name}: use compare_exchange"),
        ))
    }

    fn output<'o>(&self, out: &'o mut [u8]) -> Result<&'o mut [u8]> {
        let (size, capacity) = (self.ty.size(), out.len());
        out.get_mut(..size as usize).ok_or_else(|| {
            Error::with(
                Status::TooSmall,
                format!("the output has {capacity} bytes, and the value {size}"),
            )
        })
    }
}

#[inline]
fn check_length(ty: &Type, operand: &[u8]) -> Result<()> {
    if operand.len() as u64 == ty.size() { Ok(()) } else { Err(wrong_length(ty, operand)) }
}

#[cold]
fn wrong_length(ty: &Type, operand: &[u8]) -> Error {
    Error::with(
        Status::InvalidArgument,
        format!(
            "the operand has {} bytes, and a value of type {} has {}",
            operand.len(),
            ty.describe(),
            ty.size()
        ),
    )
}

#[inline]
fn check_operand(ty: &Type, operand: &[u8]) -> Result<()> {
    check_length(ty, operand)?;
    if ty.code() == TypeCode::Bool && operand[0] > 1 {
        return Err(invalid("a bool is 0 or 1"));
    }
    Ok(())
}

fn body_bytes(ty: &Type) -> u64 {
    match ty.size() {
        ..=SMALL => size_of::<SmallValue>() as u64,
        size => large::body_bytes(size),
    }
}

fn store_at(attachment: &'static Attachment, body: Offset, size: u64) -> Result<Store> {
    let memory = attachment.memory();
    if size <= SMALL {
        return Ok(Store::Small(Cell::at(memory, body + CELL, size)?));
    }
    Ok(Store::Large(Large::at(memory, body, size)?))
}

/// The type of the value whose body is at `body`.
pub(super) fn type_at(attachment: &Attachment, body: Offset) -> Result<Type> {
    Type::of_record(attachment.memory().at::<TypeRecord>(body)?)
}

/// Checks a value's type, its place, and the mutex of a large one.
pub(super) fn verify(attachment: &Attachment, body: Offset, bytes: u64) -> Result<()> {
    let ty = type_at(attachment, body)?;
    if body_bytes(&ty) != bytes {
        return Err(crate::error::corrupted("a value's type does not fit its place"));
    }
    match mutex_in_value(attachment.memory(), body)? {
        Some(place) => attachment.memory().at::<MutexBody>(place)?.verify(attachment),
        None => Ok(()),
    }
}
