//! The ring for many producers and many consumers.

use std::os::fd::BorrowedFd;

use super::mpmc_ring::MpmcRing;
use super::reserved::{Claimed, Shown};
use super::ring::{RingEnd, RingInfo, RingOptions};
use super::ring_calls::{RingCalls, ring_methods};
use super::segment::Segment;
use super::ticket::Ticket;
use super::types::Type;
use crate::error::Result;
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::thread;
use crate::segment::directory::Wanted;

const KIND: Kind = Kind::Mpmc;

/// A ring of records from many producers to many consumers, in one order.
///
/// Any thread may use a handle, also several at a time. What a producer has put stays if it
/// dies; what it was about to put is skipped. What a consumer was about to get when it died goes
/// to another one, out of turn, and says so (`pop_marked`).
///
/// ```
/// use atoll::{Mpmc, RingOptions, Segment, SegmentOptions, Type, TypeCode};
/// # fn main() -> atoll::Result<()> {
/// # let name = format!("atoll-doc-{}-mpmc", std::process::id());
/// let segment = Segment::create(&name, &SegmentOptions::default())?;
/// # Segment::unlink(&name)?;
/// let ty = Type::scalar(TypeCode::U64)?;
/// let ring = Mpmc::create(&segment, Some("work"), &ty, &RingOptions::with_capacity(8))?;
/// ring.push(&7u64.to_ne_bytes())?;
/// let mut number = [0; 8];
/// ring.pop(&mut number)?;
/// assert_eq!(u64::from_ne_bytes(number), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Mpmc {
    ring: MpmcRing,
}

impl Mpmc {
    /// Creates one that is empty; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(
        segment: &Segment,
        name: Option<&str>,
        ty: &Type,
        options: &RingOptions,
    ) -> Result<Self> {
        Self::obtain(segment, name, Wanted::New, Some(ty), options)
    }

    /// Opens one that exists; without a type, whatever it is.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(
        segment: &Segment,
        name: Option<&str>,
        ty: Option<&Type>,
        options: &RingOptions,
    ) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Existing, ty, options)
    }

    /// Opens one, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(
        segment: &Segment,
        name: Option<&str>,
        ty: &Type,
        options: &RingOptions,
    ) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Any, Some(ty), options)
    }

    /// Opens the one that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is another kind of object, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        MpmcRing::import(ticket).map(|ring| Self { ring })
    }

    /// As `pop`, and says how often the record was taken over from a consumer that died before
    /// it had got it.
    ///
    /// # Errors
    /// As for `pop`.
    pub fn pop_marked(&self, record: &mut [u8]) -> Result<(usize, u32)> {
        let room = record.len();
        let got = self.ring.pop(thread::here()?, record)?.in_room_for(room)?;
        Ok((got.count, got.times))
    }

    /// As `get`, and says the same.
    ///
    /// # Errors
    /// As for `get`.
    pub fn get_marked(&self, record: &mut [u8], deadline: Deadline) -> Result<(usize, u32)> {
        let room = record.len();
        let got = self.ring.get(thread::here()?, record, deadline)?.in_room_for(room)?;
        Ok((got.count, got.times))
    }

    /// Claims a place for a record, to be written in place: of a message for up to `bytes` bytes,
    /// else as many as a record has. Nothing is put before [`Claimed::commit`]; who gets waits for
    /// it, for records come in the order of their claims. Several may be open at a time, up to 256
    /// in a ring, as many as it has room for. Never waits.
    ///
    /// ```
    /// use atoll::{Mpmc, RingOptions, Segment, SegmentOptions, Type, TypeCode};
    /// # fn main() -> atoll::Result<()> {
    /// # let name = format!("atoll-doc-{}-claim", std::process::id());
    /// # let segment = Segment::create(&name, &SegmentOptions::default())?;
    /// # Segment::unlink(&name)?;
    /// # let ty = Type::scalar(TypeCode::U64)?;
    /// let ring = Mpmc::create(&segment, None, &ty, &RingOptions::with_capacity(8))?;
    /// let mut first = ring.claim(8)?;
    /// let mut second = ring.claim(8)?;
    /// second.write(0, &2u64.to_ne_bytes());
    /// second.commit()?;
    /// let mut number = [0; 8];
    /// assert!(ring.pop(&mut number).is_err()); // it waits for the first one
    /// first.write(0, &1u64.to_ne_bytes());
    /// first.commit()?;
    /// ring.pop(&mut number)?;
    /// assert_eq!(u64::from_ne_bytes(number), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for `push`; `NoSpace` if too many are open.
    pub fn claim(&self, bytes: usize) -> Result<Claimed<'_>> {
        let in_hand = self.ring.claim(thread::here()?, bytes)?;
        Ok(Claimed::of(&self.ring, in_hand))
    }

    /// Takes the next record into the hand, to be read in place: nobody else gets it, unless this
    /// process dies or gives it up before [`Shown::advance`]. Several may be open at a time, as
    /// for `claim`. Never waits.
    ///
    /// ```
    /// use atoll::{Mpmc, RingOptions, Segment, SegmentOptions, Type, TypeCode};
    /// # fn main() -> atoll::Result<()> {
    /// # let name = format!("atoll-doc-{}-peek", std::process::id());
    /// # let segment = Segment::create(&name, &SegmentOptions::default())?;
    /// # Segment::unlink(&name)?;
    /// # let ty = Type::scalar(TypeCode::U64)?;
    /// let ring = Mpmc::create(&segment, None, &ty, &RingOptions::with_capacity(8))?;
    /// ring.push(&7u64.to_ne_bytes())?;
    /// drop(ring.peek()?); // given up: it goes to another one
    /// let shown = ring.peek()?;
    /// let mut number = [0; 8];
    /// shown.read(0, &mut number);
    /// assert_eq!((u64::from_ne_bytes(number), shown.times()), (7, 1));
    /// shown.advance()?; // it leaves the ring
    /// assert!(ring.peek().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for `pop`, but `TooSmall`; `NoSpace` if too many are open.
    pub fn peek(&self) -> Result<Shown<'_>> {
        let in_hand = self.ring.peek(thread::here()?)?;
        Ok(Shown::of(&self.ring, in_hand))
    }

    fn obtain(
        segment: &Segment,
        name: Option<&str>,
        wanted: Wanted,
        ty: Option<&Type>,
        options: &RingOptions,
    ) -> Result<Self> {
        MpmcRing::obtain(segment, name, wanted, ty, options).map(|ring| Self { ring })
    }

    /// For the C ABI.
    #[inline(always)]
    pub(crate) fn ring(&self) -> &MpmcRing {
        &self.ring
    }

    ring_methods!(self: &Self);
}
