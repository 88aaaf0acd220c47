//! A lane: one producer, one consumer, one after the other in one order.
//!
//! The ring of Lamport (Proving the Correctness of Multiprocess Programs, 1977): two counters
//! that only grow, each written by one side, over a power of two of slots. Each side keeps to
//! itself where it is, and what it last saw of the other's counter (`Own`): it looks into the
//! segment only when that is used up. Whoever looks takes the line from who writes to it.
//!
//! # Invariants
//!
//! - **L1** `tail` and `pushing` are the producer's to write, `head` and `popping` the
//!   consumer's. head <= tail <= head + capacity.
//! - **L2** Slots in head..tail are the consumer's, the others the producer's.
//! - **L3** While a handle has a role, `at` of its `Own` is the counter, but in the middle of a
//!   publication, when it is what the counter is about to be.
//! - **L4** `pushing` is `tail` but between saying and publishing (`sync::side`), when it is
//!   what `tail` is about to be. Likewise `popping` and `head`.
//!
//! # Edges
//!
//! | edge  | release                  | acquire                   | what it carries            |
//! |-------|--------------------------|---------------------------|----------------------------|
//! | FULL  | the producer stores tail | the consumer loads it     | the records                |
//! | FREE  | the consumer stores head | the producer loads it     | that they have been read   |
//! | ROLE  | who leaves a role, or    | who takes it              | the counters as they were  |
//! |       | the kernel for the dead  |                           | left                       |
//!
//! # If a process dies
//!
//! - before its store of `tail` or `head`: nothing has happened. A record that was being
//!   written is none, one that was being read is there;
//! - after it: all has happened;
//! - in between, with `pushing` or `popping` in front: who takes the role over puts that back.

use core::num::NonZeroUsize;

use super::copy::Slots;
use super::pace::Pace;
use crate::error::{Error, Result, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::cache::{self, BYTES_AHEAD};
use crate::platform::membarrier::Reached;
use crate::roster::thread::Thread;
use crate::sync::bell::Bell;
use crate::sync::side::{Ended, Side};

shared! {
    /// A lane in shared memory, in front of its slots. All zero is an empty one.
    ///
    /// What is written all the time has a pair of lines of its own: processors fetch two at once.
    pub(crate) struct LaneHead: 384 {
        // The producer's lines.
        tail: AtomicU64,
        pushing: AtomicU64,
        /// Who produces (`sync::role`).
        pub(crate) producer: AtomicU64,
        unused: [u64; 13],
        // The consumer's lines.
        head: AtomicU64,
        popping: AtomicU64,
        /// The most records that the consumer has found when it looked for more.
        most: AtomicU64,
        spare: [u64; 13],
        /// The producer waits here for room.
        pub(crate) room: Side,
        reserved: [u64; 8],
    }
}

/// What is the same for all lanes of a ring; constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// How many records a lane has room for: a power of two.
    pub(crate) capacity: u64,
    /// Bytes of one record.
    pub(crate) record: NonZeroUsize,
}

impl Geometry {
    /// Bytes of all slots.
    pub(crate) fn bytes(&self) -> u64 {
        self.capacity * self.record.get() as u64
    }
}

/// A lane as one handle sees it.
#[derive(Debug)]
pub(crate) struct Lane {
    words: &'static LaneHead,
    slots: Slots,
    geometry: Geometry,
    /// Of which record after the one that is written, or read, the place is fetched.
    ahead: u64,
    produced: Own,
    consumed: Own,
}

/// What an end of a lane keeps to itself while it has the role.
///
/// Other people's programs use it too (`ffi::ring_place`).
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Own {
    /// Its counter.
    at: AtomicU64,
    /// The other end's counter when this one last looked: at most what it is now.
    seen: AtomicU64,
    /// Where it was when it last paused.
    pace: Pace,
}

/// What one end of a lane moves records by, for code in other programs that does the same.
pub(crate) struct Way<'a> {
    pub(crate) own: &'a Own,
    /// Its counter, what it says before it changes that, and the counter of the other end.
    pub(crate) counter: &'a AtomicU64,
    pub(crate) saying: &'a AtomicU64,
    pub(crate) other: &'a AtomicU64,
    /// What it looks at in between.
    pub(crate) side: &'a Side,
    /// The most that a consumer has found.
    pub(crate) most: Option<&'a AtomicU64>,
    pub(crate) slots: Slots,
    pub(crate) geometry: Geometry,
}

/// Whom a publication is for, and who publishes.
pub(crate) struct Telling<'a> {
    /// Where the others wait.
    pub(crate) side: &'a Side,
    /// How they hear of it.
    pub(crate) bell: Bell<'a>,
    /// Who tells them.
    pub(crate) thread: &'a Thread,
    /// The ends without which there is nothing to be told.
    pub(crate) needs: Ended,
}

impl Lane {
    pub(crate) fn new(words: &'static LaneHead, slots: Slots, geometry: Geometry) -> Self {
        let ahead = (BYTES_AHEAD / geometry.record).max(1) as u64;
        Self { words, slots, geometry, ahead, produced: Own::new(), consumed: Own::new() }
    }

    /// Its words.
    #[inline(always)]
    pub(crate) fn words(&self) -> &'static LaneHead {
        self.words
    }

    /// Room for at least `wanted` records, and where it begins, if so much is known of without a
    /// look.
    #[inline(always)]
    pub(crate) fn room_at_hand(&self, wanted: u64) -> Option<(u64, u64)> {
        let tail = self.produced.at();
        let used = tail.wrapping_sub(self.produced.seen());
        let room = self.geometry.capacity.checked_sub(used)?;
        (room >= wanted).then_some((tail, room))
    }

    /// The same, or as much as there is.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn room(&self, wanted: u64) -> Result<(u64, u64)> {
        if let Some(found) = self.room_at_hand(wanted) {
            return Ok(found);
        }
        let tail = self.produced.at();
        loop {
            // FREE.
            let head = self.produced.look(&self.words.head);
            let room = self.geometry.capacity.checked_sub(tail.wrapping_sub(head));
            match room.ok_or(DAMAGED)? {
                0 if self.produced.pauses() => {}
                room => return Ok((tail, room)),
            }
        }
    }

    /// At least `wanted` records, and where they begin, if so many are known of without a look.
    #[inline(always)]
    pub(crate) fn records_at_hand(&self, wanted: u64) -> Option<(u64, u64)> {
        let head = self.consumed.at();
        let there = self.consumed.seen().wrapping_sub(head);
        (there >= wanted && there <= self.geometry.capacity).then_some((head, there))
    }

    /// How many records there are, and where they begin.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn look_for_records(&self) -> Result<(u64, u64)> {
        let head = self.consumed.at();
        // FULL.
        let there = self.consumed.look(&self.words.tail).wrapping_sub(head);
        if there > self.geometry.capacity {
            return Err(DAMAGED);
        }
        // Relaxed, here and below: for people.
        if there > self.words.most.load(Relaxed) {
            self.words.most.store(there, Relaxed);
        }
        Ok((head, there))
    }

    /// Where the next record goes, for the producer.
    pub(crate) fn tail(&self) -> u64 {
        self.produced.at()
    }

    /// Where it comes from, for the consumer.
    #[inline(always)]
    pub(crate) fn head(&self) -> u64 {
        self.consumed.at()
    }

    /// Pauses, if it got something since it last did: then it is to look again.
    pub(crate) fn pauses(&self) -> bool {
        self.consumed.pauses()
    }

    /// The slots from `position` on, `n` or as many as lie side by side, and how many.
    #[inline(always)]
    pub(crate) fn run(&self, position: u64, n: u64) -> (Slots, u64) {
        let at = position & (self.geometry.capacity - 1);
        let n = n.min(self.geometry.capacity - at);
        let record = self.geometry.record.get();
        (self.slots.part(at as usize * record, n as usize * record), n)
    }

    /// Where the record at a position lies.
    #[inline(always)]
    fn one(&self, position: u64) -> Slots {
        let at = position & (self.geometry.capacity - 1);
        let record = self.geometry.record.get();
        self.slots.part(at as usize * record, record)
    }

    /// Writes a record to a slot that is the producer's, if it is a small one.
    #[inline(always)]
    pub(crate) fn write_at_once(&self, position: u64, record: &[u8]) -> Option<()> {
        let slot = self.one(position);
        if cache::begins_line(slot.address(), record.len()) {
            cache::expect_to_write(self.one(position.wrapping_add(self.ahead)).address());
        }
        slot.write_at_once(record)
    }

    /// Reads one from a slot that is the consumer's, likewise.
    #[inline(always)]
    pub(crate) fn read_at_once(&self, position: u64, record: &mut [u8]) -> Option<()> {
        let slot = self.one(position);
        // Not a line that the producer writes to, for it would lose it.
        if cache::begins_line(slot.address(), record.len())
            && self.records_at_hand(2 * self.ahead).is_some()
        {
            cache::expect_to_read(self.one(position.wrapping_add(self.ahead)).address());
        }
        slot.read_at_once(record)
    }

    /// Writes whole records to slots that are the producer's.
    #[inline(always)]
    pub(crate) fn write(&self, position: u64, records: &[u8], n: u64) {
        let (first, fit) = self.run(position, n);
        if fit == n {
            return first.write(records);
        }
        let (records, rest) = records.split_at(first.bytes());
        first.write(records);
        self.run(position.wrapping_add(fit), n - fit).0.write(rest);
    }

    /// Reads whole records from slots that are the consumer's.
    #[inline(always)]
    pub(crate) fn read(&self, position: u64, records: &mut [u8], n: u64) {
        let (first, fit) = self.run(position, n);
        if fit == n {
            return first.read(records);
        }
        let (records, rest) = records.split_at_mut(first.bytes());
        first.read(records);
        self.run(position.wrapping_add(fit), n - fit).0.read(rest);
    }

    /// Publishes the `n` records from the tail on, which have been written. False if somebody is
    /// to be told: then `publish_telling` does it.
    #[inline(always)]
    pub(crate) fn publish(&self, n: u64, side: &Side, reached: Reached) -> bool {
        self.produced.move_on(&self.words.tail, &self.words.pushing, n, side, reached)
    }

    /// The same, and tells them.
    ///
    /// # Errors
    /// `Closed` if an end is, those of `Side::alert`: then nothing is published.
    #[cold]
    pub(crate) fn publish_telling(&self, n: u64, to: &Telling<'_>) -> Result<()> {
        self.produced.move_on_telling(&self.words.tail, &self.words.pushing, n, to)
    }

    /// Frees the `n` slots from the head on, which have been read. False as for `publish`.
    #[inline(always)]
    pub(crate) fn free(&self, n: u64, reached: Reached) -> bool {
        let LaneHead { head, popping, room, .. } = self.words;
        self.consumed.move_on(head, popping, n, room, reached)
    }

    /// The same, and tells those who wait for room.
    ///
    /// # Errors
    /// As for `publish_telling`.
    #[cold]
    pub(crate) fn free_telling(&self, n: u64, to: &Telling<'_>) -> Result<()> {
        self.consumed.move_on_telling(&self.words.head, &self.words.popping, n, to)
    }

    /// For a new producer: what the last one was about to do is not going to happen.
    pub(crate) fn take_over_as_producer(&self) {
        // Acquire, FREE.
        let head = self.words.head.load(Acquire);
        self.produced.begin(&self.words.tail, &self.words.pushing, head);
    }

    /// The same for a new consumer. It knows of no record: so the first get looks.
    pub(crate) fn take_over_as_consumer(&self) {
        let LaneHead { head, popping, .. } = self.words;
        self.consumed.begin(head, popping, head.load(Relaxed));
    }

    /// As `publish` goes, with the side where consumers wait.
    pub(crate) fn way_of_producer<'a>(&'a self, items: &'a Side) -> Way<'a> {
        let LaneHead { tail, pushing, head, .. } = self.words;
        let (counter, saying, other) = (tail, pushing, head);
        let Self { slots, geometry, ref produced, .. } = *self;
        Way { own: produced, counter, saying, other, side: items, most: None, slots, geometry }
    }

    /// As `free` goes.
    pub(crate) fn way_of_consumer(&self) -> Way<'_> {
        let LaneHead { head, popping, tail, most, room, .. } = self.words;
        let (counter, saying, other) = (head, popping, tail);
        let Self { slots, geometry, ref consumed, .. } = *self;
        let most = Some(most);
        Way { own: consumed, counter, saying, other, side: room, most, slots, geometry }
    }

    /// Whether a producer has said that it is about to publish.
    pub(crate) fn is_pushing(&self) -> bool {
        // Acquire: in this order, so that what is published meanwhile seems about to be.
        let pushing = self.words.pushing.load(Acquire);
        pushing != self.words.tail.load(Acquire)
    }

    /// Whether a consumer has said that it is about to free slots.
    pub(crate) fn is_popping(&self) -> bool {
        let popping = self.words.popping.load(Acquire);
        popping != self.words.head.load(Acquire)
    }

    /// Records there are for the eyes of anybody: {pushed, popped, the most at a time}.
    pub(crate) fn counts(&self) -> [u64; 3] {
        // The head first: the other one only grows.
        let popped = self.words.head.load(Acquire);
        [self.words.tail.load(Acquire), popped, self.words.most.load(Relaxed)]
    }

    /// Checks the counters.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn verify(&self) -> Result<()> {
        let [pushed, popped, most] = self.counts();
        let capacity = self.geometry.capacity;
        // The consumer may have gone on between the two loads, and the producer with it.
        let is_sound = pushed.wrapping_sub(popped) <= 2 * capacity && most <= capacity;
        self.words.room.verify()?;
        if is_sound { Ok(()) } else { Err(DAMAGED) }
    }
}

impl Own {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { at: zero(), seen: zero(), pace: Pace::new() }
    }

    /// Where it is, for code in other programs.
    pub(crate) fn address(&self) -> *mut u64 {
        self.at.as_ptr()
    }

    // Relaxed, in all that follows: one thread at a time uses it.

    #[inline(always)]
    fn at(&self) -> u64 {
        self.at.load(Relaxed)
    }

    #[inline(always)]
    fn seen(&self) -> u64 {
        self.seen.load(Relaxed)
    }

    /// Begins with the counter as it is (ROLE): what was said is not going to happen.
    fn begin(&self, counter: &AtomicU64, saying: &AtomicU64, seen: u64) {
        let at = counter.load(Relaxed);
        saying.store(at, Release);
        self.at.store(at, Relaxed);
        self.seen.store(seen, Relaxed);
    }

    /// Looks at the other end's counter.
    fn look(&self, other: &AtomicU64) -> u64 {
        // Acquire, FULL and FREE.
        let seen = other.load(Acquire);
        self.seen.store(seen, Relaxed);
        seen
    }

    /// There is nothing to do for now; true if it may have come meanwhile.
    fn pauses(&self) -> bool {
        self.pace.pauses(self.at())
    }

    /// Says, looks, publishes (`sync::side`); leaves it at the first two if the side is watched.
    #[inline(always)]
    fn move_on(
        &self,
        counter: &AtomicU64,
        saying: &AtomicU64,
        n: u64,
        side: &Side,
        reached: Reached,
    ) -> bool {
        let next = self.at().wrapping_add(n);
        // Release: who sees it, and then the counter as it was, sees us at work. SAID.
        saying.store(next, Release);
        reached.here();
        if side.is_watched() {
            return false;
        }
        self.at.store(next, Relaxed);
        // Release, FULL and FREE.
        counter.store(next, Release);
        true
    }

    /// After a look that found the side watched: it has been said.
    fn move_on_telling(
        &self,
        counter: &AtomicU64,
        saying: &AtomicU64,
        n: u64,
        to: &Telling<'_>,
    ) -> Result<()> {
        let now = self.at();
        let alert = match to.side.ended().refusal(to.needs) {
            Some(closed) => Err(closed),
            None => to.side.alert(Some(to.thread), to.bell),
        };
        match alert {
            Ok(alert) => {
                self.at.store(now.wrapping_add(n), Relaxed);
                // Release, FULL and FREE.
                counter.store(now.wrapping_add(n), Release);
                alert.sound(n.min(u32::MAX.into()) as u32);
                Ok(())
            }
            Err(error) => {
                saying.store(now, Release);
                Err(error)
            }
        }
    }
}

const DAMAGED: Error = corrupted("a counter of a ring is beyond what it holds: it is damaged");
