//! Where the slots of a ring for many lie.
//!
//! ```text
//!  records                             messages
//!  0    MpmcHead       768             0    MpmcHead       768
//!  768  reservations   16 each         768  reservations   16 each
//!  ...  word, record   stride          ...  words          8 * capacity, to the next line
//!  ...  word, record                   ...  cells          64 * capacity
//! ```
//!
//! There are more reservations than slots, but 256 at most (`reservations`).

use core::mem::offset_of;
use core::num::NonZeroUsize;

use super::mpmc::{DAMAGED, FREE, word_of};
use super::reservations::Reservation;
use crate::error::Result;
use crate::layout::entry::LINE;
use crate::layout::memory::Memory;
use crate::layout::rings::RingHead;
use crate::layout::{Offset, shared};
use crate::platform::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use crate::sync::side::Side;

shared! {
    /// What lies in front of the slots. Processors fetch lines in pairs: so the counters, which
    /// change all the time, are two lines from each other and from all else that others look at.
    pub(crate) struct MpmcHead: 768 {
        pub(crate) ring: RingHead,
        /// Getters wait here.
        pub(crate) items: Side,
        /// Putters wait here.
        pub(crate) room: Side,
        /// How often somebody suspected that there are records behind the head whose consumer died,
        /// and how many of those suspicions have been looked into (`orphans`).
        pub(super) suspected: AtomicU32,
        pub(super) looked: AtomicU32,
        pub(super) redelivered: AtomicU64,
        pub(super) skipped: AtomicU64,
        pub(super) most: AtomicU64,
        /// How many of the reservations were ever taken, from the first one on.
        pub(super) reserved: AtomicU32,
        unused: u32,
        unnamed: [u64; 11],
        pub(super) tail: AtomicU64,
        spare: [u64; 15],
        pub(super) head: AtomicU64,
        rest: [u64; 15],
    }
}

// Other people's programs look at both at once (`ffi::mpmc_place`).
const _: () = assert!(offset_of!(MpmcHead, suspected) % 8 == 0);
const _: () = assert!(offset_of!(MpmcHead, looked) == offset_of!(MpmcHead, suspected) + 4);

impl MpmcHead {
    /// Where the two counts of suspicions are, in one word.
    pub(super) fn suspicions(&self) -> *const u64 {
        core::ptr::from_ref(self).wrapping_byte_add(offset_of!(MpmcHead, suspected)).cast()
    }
}

const HEAD: u64 = size_of::<MpmcHead>() as u64;
/// Bytes of a cell.
pub(super) const CELL: usize = 64;
/// The most records of one ring.
pub(crate) const MOST_RECORDS: u64 = 1 << 32;
/// The least and the most reservations of one ring.
const RESERVATIONS: [u64; 2] = [64, 256];

/// Where words and contents of the slots lie, and what they are like: read once, and checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) capacity: u64,
    /// Bytes of a record; `None`: slots are cells of messages (`messages`).
    pub(crate) record: Option<NonZeroUsize>,
    /// From one word to the next.
    pub(super) word_stride: usize,
    /// From the first word to the first record or cell, and from that to the next.
    pub(super) content_start: u64,
    pub(super) content_stride: usize,
}

impl Plan {
    /// For records of that many bytes, aligned to that many: each behind its word.
    pub(crate) fn of_records(capacity: u64, record: NonZeroUsize, align: u32) -> Self {
        let lead = (align as usize).max(size_of::<u64>());
        let stride = (lead + record.get()).next_multiple_of(lead);
        let (word_stride, content_stride) = (stride, stride);
        Self {
            capacity,
            record: Some(record),
            word_stride,
            content_start: lead as u64,
            content_stride,
        }
    }

    /// For messages in so many cells: behind all words, so that a message lies side by side.
    pub(crate) fn of_cells(capacity: u64) -> Self {
        let content_start = (capacity * size_of::<u64>() as u64).next_multiple_of(LINE);
        let content_stride = CELL;
        Self {
            capacity,
            record: None,
            word_stride: size_of::<u64>(),
            content_start,
            content_stride,
        }
    }

    /// How many reservations there are, and where they begin.
    pub(super) fn reservations(&self) -> (u64, u64) {
        let [least, most] = RESERVATIONS;
        // Each that is open has a slot; the others are for those who are about to claim one.
        ((2 * self.capacity).clamp(least, most), HEAD)
    }

    /// Where the slots begin.
    pub(super) fn slots_start(&self) -> u64 {
        let (count, start) = self.reservations();
        start + count * size_of::<Reservation>() as u64
    }

    /// Bytes of the whole body, if there can be as many.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let contents = self.capacity.checked_mul(self.content_stride as u64)?;
        let slots =
            contents.checked_add(if self.record.is_some() { 0 } else { self.content_start })?;
        slots.checked_add(self.slots_start()).filter(|bytes| *bytes < 1 << 40)
    }

    /// What a head in a segment says; it is shared memory.
    pub(crate) fn of(head: &MpmcHead) -> Result<Self> {
        let RingHead { capacity, ref ty, .. } = head.ring;
        let is_sound = capacity.is_power_of_two()
            && capacity <= MOST_RECORDS
            && (ty.size == 0 || ty.align.is_power_of_two() && ty.align <= 64)
            && ty.size < 1 << 40;
        let plan = match NonZeroUsize::new(ty.size as usize) {
            _ if !is_sound => return Err(DAMAGED),
            Some(record) => Self::of_records(capacity, record, ty.align),
            None => Self::of_cells(capacity),
        };
        plan.bytes().map(|_| plan).ok_or(DAMAGED)
    }

    /// Makes the slots of a new ring FREE.
    pub(crate) fn begin(&self, memory: &Memory, body: Offset) -> Result<()> {
        let start = body + self.slots_start();
        for at in 0..self.capacity {
            let slot: &AtomicU64 = memory.at(start + at * self.word_stride as u64)?;
            // Relaxed: ours alone, until the object is published.
            slot.store(word_of(at, FREE), Relaxed);
        }
        Ok(())
    }
}
