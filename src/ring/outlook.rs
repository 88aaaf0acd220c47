//! What can be seen of a ring for many without claiming anything: how it stands, for those who
//! wait, for who has to settle something, and for people.

use super::mpmc::{By, DAMAGED, FREE, FULL, Mpmc, POSITION_SHIFT, STATE, TIMES, TOMB, word_of};
use super::reservations::Standing;
use crate::error::Result;
use crate::platform::atomic::Ordering::{Acquire, Relaxed};
use crate::roster::claims::{self, POSITION, Purpose};

/// What a getter is to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// To find something, if nobody is faster.
    There,
    /// That somebody is about to publish the next one.
    Coming,
    /// To be told when there is something.
    Nothing,
}

impl Mpmc {
    /// How a position stands that was claimed: the caller has loaded a counter beyond it.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(super) fn standing(&self, by: By<'_>, purpose: Purpose, position: u64) -> Result<Standing> {
        match claims::is_claimed(self.attachment, by.name, self.id, purpose, position)? {
            true => Ok(Standing::AtWork),
            false => self.reservations.standing(purpose, position),
        }
    }

    /// What a getter is to expect.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(crate) fn outlook(&self, by: By<'_>) -> Result<Outlook> {
        // Acquire, CLAIMED.
        let head = self.head.head.load(Acquire);
        let is_at_front = self.word(head).load(Acquire) != word_of(head, FREE);
        if self.is_suspected() {
            return Ok(Outlook::There);
        }
        if self.head.tail.load(Acquire) == head {
            return Ok(Outlook::Nothing);
        }
        if is_at_front {
            return Ok(Outlook::There);
        }
        match self.standing(by, Purpose::Fill, head)? {
            // A tomb: what is behind it comes to the front.
            Standing::Nobodys => Ok(Outlook::There),
            Standing::AtWork => Ok(Outlook::Coming),
            Standing::Open => Ok(Outlook::Nothing),
        }
    }

    /// Whether anything is there, or about to be, for the eyes of anybody.
    pub(crate) fn has_records(&self) -> bool {
        let [head, tail] = self.counters();
        head != tail || self.is_suspected()
    }

    /// Whether room is about to come: somebody is at work on the next slot that is not free, or a
    /// look settles it.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(crate) fn is_room_coming(&self, by: By<'_>) -> Result<bool> {
        let [head, tail] = self.counters();
        // Of cells the first ones may be free, and not enough.
        let wanted = if self.plan.record.is_some() { 1 } else { self.plan.capacity };
        let taken = (tail..tail + wanted)
            .find(|position| self.word(*position).load(Acquire) != word_of(*position, FREE));
        let Some(taken) = taken else {
            return Ok(true);
        };
        let before = taken.wrapping_sub(self.plan.capacity);
        let is_ahead = head.wrapping_sub(before) as i64;
        if is_ahead < 0 {
            return Ok(false); // others are to be got first
        }
        // A tomb is for whoever comes by, and so is what a dead one was to fill: for us.
        let word = self.word(taken).load(Acquire);
        let is_tomb = word == word_of(before, TOMB);
        if is_ahead > 0 {
            let standing = self.standing(by, Purpose::Empty, before)?;
            return Ok(standing == Standing::AtWork || is_tomb && standing == Standing::Nobodys);
        }
        let is_to_be_filled = word == word_of(before, FREE);
        Ok(is_tomb
            || is_to_be_filled && self.standing(by, Purpose::Fill, before)? != Standing::Open)
    }

    /// Whether there is room, for the eyes of anybody.
    pub(crate) fn has_room(&self) -> bool {
        let tail = self.head.tail.load(Acquire);
        let word = self.word(tail).load(Acquire);
        word == word_of(tail, FREE) || (word ^ word_of(tail, 0)) >> POSITION_SHIFT == 0
    }

    // --- for people ---

    /// Not with each record: that is a look at what the producers change all the time.
    #[inline(always)]
    pub(super) fn note_depth_at_times(&self, head: u64) {
        if head & 63 == 0 {
            self.note_depth(head);
        }
    }

    #[cold]
    fn note_depth(&self, head: u64) {
        let tail = self.head.tail.load(Relaxed);
        self.note_most(tail.wrapping_sub(head).min(self.plan.capacity));
    }

    pub(super) fn note_most(&self, depth: u64) {
        // Relaxed: for people.
        if depth > self.head.most.load(Relaxed) {
            self.head.most.fetch_max(depth, Relaxed);
        }
    }

    /// {pushed, popped, redelivered, skipped, the most at a time}.
    pub(crate) fn counts(&self) -> [u64; 5] {
        let [head, tail] = self.counters();
        let skipped = self.head.skipped.load(Relaxed);
        let most = self.head.most.load(Relaxed);
        let redelivered = self.head.redelivered.load(Relaxed);
        [tail.saturating_sub(skipped), head.saturating_sub(skipped), redelivered, skipped, most]
    }

    /// Checks the counters, and the word of each slot.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn verify(&self) -> Result<()> {
        self.head.items.verify()?;
        self.head.room.verify()?;
        let [head, tail] = self.counters();
        let capacity = self.plan.capacity;
        if tail.wrapping_sub(head) > 2 * capacity {
            return Err(DAMAGED);
        }
        for position in head..head.wrapping_add(capacity) {
            let word = self.word(position).load(Acquire);
            let at = word >> POSITION_SHIFT;
            let is_of_lap = (at ^ position) & (capacity - 1) & POSITION == 0;
            if !is_of_lap || word & STATE == STATE || word & STATE != FULL && word & TIMES != 0 {
                return Err(DAMAGED);
            }
        }
        self.reservations.verify(capacity)
    }
}
