//! The ring of lanes: many producers, each with a lane of its own, and one consumer.

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

const KIND: Kind = Kind::Fanin;

/// A ring of records from several producers to one consumer. Each producer has a lane of its own,
/// in the order in which it put; between lanes there is none.
///
/// Whoever first pushes takes a lane, and whoever first pops is the consumer, until the handle is
/// dropped or the role given up; a process that dies gives up its own, and another one may take
/// them over. What was pushed stays.
///
/// ```
/// use atoll::{Fanin, RingOptions, Segment, SegmentOptions, Type, TypeCode};
/// # fn main() -> atoll::Result<()> {
/// # let name = format!("atoll-doc-{}-fanin", std::process::id());
/// let segment = Segment::create(&name, &SegmentOptions::default())?;
/// # Segment::unlink(&name)?;
/// let ty = Type::scalar(TypeCode::U64)?;
/// let options = RingOptions::with_capacity(4).with_lanes(2);
/// let mut here = Fanin::create(&segment, Some("numbers"), &ty, &options)?;
/// let mut there = Fanin::open(&segment, Some("numbers"), Some(&ty), &RingOptions::default())?;
/// here.push(&7u64.to_ne_bytes())?;
/// let mut number = [0; 8];
/// there.pop(&mut number)?;
/// assert_eq!(u64::from_ne_bytes(number), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Fanin {
    ring: LaneRing,
}

impl Fanin {
    lanes_methods!();
    ring_methods!(self: &mut Self);
}
