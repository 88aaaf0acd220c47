//! The ring for one producer and one consumer.

use std::os::fd::BorrowedFd;

use super::lanes::LaneRing;
use super::lanes_methods::lanes_methods;
use super::places::Places;
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

const KIND: Kind = Kind::Spsc;

/// A ring of records from one producer to one consumer, in the order in which they were put.
///
/// Whoever first pushes is the producer, and whoever first pops the consumer, until the handle is
/// dropped or the role given up; a process that dies gives up both, and another one may take them
/// over. What was pushed stays.
///
/// ```
/// use atoll::{Spsc, RingOptions, Segment, SegmentOptions, Type, TypeCode};
/// # fn main() -> atoll::Result<()> {
/// # let name = format!("atoll-doc-{}-spsc", std::process::id());
/// let segment = Segment::create(&name, &SegmentOptions::default())?;
/// # Segment::unlink(&name)?;
/// let ty = Type::scalar(TypeCode::U64)?;
/// let options = RingOptions::with_capacity(4);
/// let mut here = Spsc::create(&segment, Some("numbers"), &ty, &options)?;
/// let mut there = Spsc::open(&segment, Some("numbers"), Some(&ty), &RingOptions::default())?;
/// here.push(&7u64.to_ne_bytes())?;
/// let mut number = [0; 8];
/// there.pop(&mut number)?;
/// assert_eq!(u64::from_ne_bytes(number), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Spsc {
    ring: LaneRing,
}

impl Spsc {
    lanes_methods!();
    ring_methods!(self: &mut Self);
}
