//! Values and arrays of Rust types, over those whose types are known at run time.

use super::array::RawArray;
use super::cell::Cell;
use super::segment::Segment;
use super::ticket::Ticket;
use super::transaction::Transaction;
use super::types::{Element, Type};
use super::value::{FetchOp, RawValue};
use crate::error::{Error, READ_ONLY, Result, Status};
use crate::platform::time::Deadline;

/// A value of a Rust type.
#[derive(Debug)]
pub struct Value<T> {
    raw: RawValue,
    _type: core::marker::PhantomData<T>,
}

impl<T: Element> Value<T> {
    /// Creates a value of zero; without a name it is anonymous.
    ///
    /// # Errors
    /// As for [`RawValue::create`].
    pub fn create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        RawValue::create(segment, name, &Type::scalar(T::CODE)?, None).map(Self::of)
    }

    /// The same with another value than zero to begin with.
    ///
    /// # Errors
    /// As for [`RawValue::create`].
    pub fn create_with(segment: &Segment, name: Option<&str>, initial: T) -> Result<Self> {
        let (ty, bytes) = (Type::scalar(T::CODE)?, initial.to_bytes());
        let initial = &bytes[..size_of::<T>()];
        RawValue::create(segment, name, &ty, Some(initial)).map(Self::of)
    }

    /// Opens a value that exists.
    ///
    /// # Errors
    /// As for [`RawValue::open`].
    pub fn open(segment: &Segment, name: &str) -> Result<Self> {
        RawValue::open(segment, Some(name), Some(&Type::scalar(T::CODE)?)).map(Self::of)
    }

    /// Opens a value, or creates it if there is none.
    ///
    /// # Errors
    /// As for [`RawValue::open_or_create`].
    pub fn open_or_create(segment: &Segment, name: &str) -> Result<Self> {
        RawValue::open_or_create(segment, Some(name), &Type::scalar(T::CODE)?, None).map(Self::of)
    }

    /// Opens the value that a ticket is for.
    ///
    /// # Errors
    /// As for [`RawValue::import`]; `WrongKind` if it has another type.
    pub fn import(ticket: &Ticket) -> Result<Self> {
        let raw = RawValue::import(ticket)?;
        check_type(raw.ty(), &Type::scalar(T::CODE)?)?;
        Ok(Self::of(raw))
    }

    /// The same value without its type: for tickets and transactions.
    pub fn raw(&self) -> &RawValue {
        &self.raw
    }

    fn of(raw: RawValue) -> Self {
        Self { raw, _type: core::marker::PhantomData }
    }

    /// The value.
    pub fn load(&self) -> T {
        let mut bytes = [0; 8];
        self.raw.load(&mut bytes).expect("eight bytes are enough");
        T::of_bytes(bytes)
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// `Permission` for a read-only segment.
    pub fn store(&self, value: T) -> Result<()> {
        self.raw.store(&value.to_bytes()[..size_of::<T>()], Deadline::NEVER)
    }

    /// Replaces the value and returns what was there.
    ///
    /// # Errors
    /// `Permission` for a read-only segment.
    pub fn swap(&self, value: T) -> Result<T> {
        let mut old = [0; 8];
        self.raw.swap(&value.to_bytes()[..size_of::<T>()], Deadline::NEVER, &mut old)?;
        Ok(T::of_bytes(old))
    }

    /// Changes the value in one atomic step and returns what was there.
    ///
    /// # Errors
    /// `WrongKind` if the type does not have the operation, `Permission`.
    pub fn fetch(&self, op: FetchOp, operand: T) -> Result<T> {
        let mut old = [0; 8];
        self.raw.fetch(op, &operand.to_bytes()[..size_of::<T>()], &mut old)?;
        Ok(T::of_bytes(old))
    }

    /// Replaces the value if it is, bit for bit, `expected`; else says what is there.
    ///
    /// # Errors
    /// `Permission` for a read-only segment.
    pub fn compare_exchange(&self, expected: T, desired: T) -> Result<core::result::Result<T, T>> {
        let (expected, desired) = (expected.to_bytes(), desired.to_bytes());
        let (size, mut old) = (size_of::<T>(), [0; 8]);
        let replaced = self.raw.compare_exchange(
            &expected[..size],
            &desired[..size],
            Deadline::NEVER,
            &mut old,
        )?;
        let seen = T::of_bytes(old);
        Ok(if replaced { Ok(seen) } else { Err(seen) })
    }
}

/// An array of a Rust type.
///
/// Elements are read and written one by one, each whole; other processes may do the
/// same at any time.
#[derive(Debug)]
pub struct Array<T> {
    raw: RawArray,
    _type: core::marker::PhantomData<T>,
}

impl<T: Element> Array<T> {
    /// Creates an array of zeros; without a name it is anonymous.
    ///
    /// # Errors
    /// As for [`RawArray::create`].
    pub fn create(segment: &Segment, name: Option<&str>, shape: &[u64]) -> Result<Self> {
        RawArray::create(segment, name, &Type::scalar(T::CODE)?, shape).map(Self::of)
    }

    /// Opens an array that exists, of any shape.
    ///
    /// # Errors
    /// As for [`RawArray::open`].
    pub fn open(segment: &Segment, name: &str) -> Result<Self> {
        RawArray::open(segment, Some(name), Some(&Type::scalar(T::CODE)?), None).map(Self::of)
    }

    /// Opens an array of this shape, or creates it if there is none.
    ///
    /// # Errors
    /// As for [`RawArray::open_or_create`].
    pub fn open_or_create(segment: &Segment, name: &str, shape: &[u64]) -> Result<Self> {
        RawArray::open_or_create(segment, Some(name), &Type::scalar(T::CODE)?, shape).map(Self::of)
    }

    /// Opens the array that a ticket is for.
    ///
    /// # Errors
    /// As for [`RawArray::import`]; `WrongKind` if it has another type.
    pub fn import(ticket: &Ticket) -> Result<Self> {
        let raw = RawArray::import(ticket)?;
        check_type(raw.ty(), &Type::scalar(T::CODE)?)?;
        Ok(Self::of(raw))
    }

    /// The same array without its type: for tickets and transactions.
    pub fn raw(&self) -> &RawArray {
        &self.raw
    }

    fn of(raw: RawArray) -> Self {
        Self { raw, _type: core::marker::PhantomData }
    }

    /// The number of elements.
    #[expect(clippy::len_without_is_empty, reason = "an array's extents never change")]
    pub fn len(&self) -> u64 {
        self.raw.len()
    }

    /// The extents, outermost first.
    pub fn shape(&self) -> &[u64] {
        self.raw.shape()
    }

    /// Element `index`, in C order.
    ///
    /// # Errors
    /// `InvalidArgument` for an index beyond the array.
    pub fn get(&self, index: u64) -> Result<T> {
        Ok(T::of_bytes(self.cell(index)?.load().to_ne_bytes()))
    }

    /// Replaces element `index`, in C order.
    ///
    /// # Errors
    /// `InvalidArgument` for an index beyond the array, `Permission`.
    pub fn set(&self, index: u64, value: T) -> Result<()> {
        if self.raw.is_read_only() {
            return Err(READ_ONLY);
        }
        self.cell(index)?.swap(u64::from_ne_bytes(value.to_bytes()));
        Ok(())
    }

    fn cell(&self, index: u64) -> Result<Cell> {
        let (place, size) = self.raw.range(index, 1)?;
        Cell::at(self.raw.attachment().memory(), place, size)
    }

    /// The first element's address, for code that settles by itself who writes when.
    pub fn as_ptr(&self) -> *mut T {
        self.raw.data().cast()
    }
}

fn check_type(there: &Type, wanted: &Type) -> Result<()> {
    if there.agrees_with(wanted) {
        return Ok(());
    }
    Err(Error::with(
        Status::WrongKind,
        format!("it has type {}, and was imported as {}", there.describe(), wanted.describe()),
    ))
}

impl Transaction {
    /// Replaces a value of a Rust type, as [`Transaction::store`] does.
    ///
    /// # Errors
    /// `WrongSegment`; `NoSpace` if the log cannot grow.
    pub fn set<T: Element>(&mut self, value: &Value<T>, new: T) -> Result<()> {
        self.store(&value.raw, &new.to_bytes()[..size_of::<T>()], Deadline::NEVER)
    }

    /// Replaces element `index` of an array of a Rust type, in C order.
    ///
    /// # Errors
    /// As for [`Transaction::modify`].
    pub fn set_element<T: Element>(&mut self, array: &Array<T>, index: u64, new: T) -> Result<()> {
        self.modify(&array.raw, index, 1)?;
        array.set(index, new)
    }
}
