//! Lanes side by side, which one consumer reads: where they lie.
//!
//! ```text
//!  0    RingHead        256
//!  256  items           128    the consumer waits here
//!  384  lane 0          384    LaneHead, then capacity records, to the next pair of lines
//!  ...  lane 1
//! ```
//!
//! A ring for one producer is one lane. Several producers have one each, so that they never
//! meet; between lanes there is no order.

use core::num::NonZeroUsize;

use super::copy::Slots;
use super::lane::{Geometry, Lane, LaneHead};
use crate::error::{Error, Result, corrupted};
use crate::layout::entry::LINE;
use crate::layout::memory::Memory;
use crate::layout::rings::RingHead;
use crate::layout::{Offset, shared};
use crate::sync::side::Side;

/// The most lanes of one ring.
pub(crate) const MOST_LANES: u32 = 64;
/// The most records of one lane.
pub(crate) const MOST_RECORDS: u64 = 1 << 32;

shared! {
    /// What lies in front of the lanes.
    pub(crate) struct LanesHead: 384 {
        pub(crate) ring: RingHead,
        /// The consumer waits here for records.
        pub(crate) items: Side,
        reserved: [u64; 8],
    }
}

const HEAD: u64 = size_of::<LanesHead>() as u64;
const LANE_HEAD: u64 = size_of::<LaneHead>() as u64;

/// Where the lanes of a ring lie, and what they are like: read once, and checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) geometry: Geometry,
    pub(crate) lanes: u32,
}

impl Plan {
    /// Bytes of the whole body.
    pub(crate) fn bytes(&self) -> u64 {
        HEAD + u64::from(self.lanes) * self.lane_bytes()
    }

    fn lane_bytes(&self) -> u64 {
        LANE_HEAD + self.geometry.bytes().next_multiple_of(2 * LINE)
    }

    fn lane_at(&self, body: Offset, lane: u32) -> Offset {
        body + HEAD + u64::from(lane) * self.lane_bytes()
    }

    /// What a head in a segment says; it is shared memory.
    pub(crate) fn of(head: &LanesHead) -> Result<Self> {
        let RingHead { capacity, lanes, ref ty, .. } = head.ring;
        let is_sound = capacity.is_power_of_two()
            && capacity <= MOST_RECORDS
            && (1..=MOST_LANES).contains(&lanes)
            && capacity.checked_mul(ty.size).is_some_and(|bytes| bytes < 1 << 46);
        let record = NonZeroUsize::new(ty.size as usize).filter(|_| is_sound).ok_or(DAMAGED)?;
        Ok(Self { geometry: Geometry { capacity, record }, lanes })
    }

    /// Where the words of a lane are.
    pub(crate) fn words<'m>(
        &self,
        memory: &'m Memory,
        body: Offset,
        lane: u32,
    ) -> Result<&'m LaneHead> {
        memory.at(self.lane_at(body, lane))
    }

    /// One of the lanes, for a handle.
    pub(crate) fn lane(&self, memory: &'static Memory, body: Offset, lane: u32) -> Result<Lane> {
        let words = self.words(memory, body, lane)?;
        let start = self.lane_at(body, lane) + LANE_HEAD;
        let slots = Slots::of(memory, start, self.geometry.bytes())?;
        Ok(Lane::new(words, slots, self.geometry))
    }

    /// The words of all lanes.
    pub(crate) fn all_words(
        self,
        memory: &Memory,
        body: Offset,
    ) -> impl Iterator<Item = Result<&LaneHead>> {
        (0..self.lanes).map(move |lane| self.words(memory, body, lane))
    }
}

/// Nobody listens any more to the ring whose body that is.
pub(crate) fn forget_listeners(memory: &Memory, body: Offset) -> Result<()> {
    let head: &LanesHead = memory.at(body)?;
    head.items.forget_listeners();
    for words in Plan::of(head)?.all_words(memory, body) {
        words?.room.forget_listeners();
    }
    Ok(())
}

const DAMAGED: Error = corrupted("the head of a ring is none of a ring: the segment is damaged");
