//! A ring for many producers and many consumers, any of whom may be killed at any instruction.
//!
//! The bounded queue of Vyukov (two counters, and in each slot a word that says whose turn it
//! is) with claims: who wants a position *announces* it in its own record and then moves the
//! counter by one exchange (`roster::claims`). So whoever finds a slot that is not as it should
//! be can tell whether its claimant lives, and settle what a dead one left by one exchange.
//!
//! # The word of a slot
//!
//! ```text
//!  bits 63..16  position   modulo 2^48, of the lap that the slot is in
//!  bits 15..14  state      0 FREE   its producer may fill it
//!                          1 FULL   there is a record
//!                          2 TOMB   its producer died; who comes steps over it
//!  bits 13..0   times      how often the record was taken over from a dead consumer
//! ```
//!
//! A slot goes from FREE to FULL to FREE of the next lap, `capacity` positions later; or from
//! FREE to TOMB to that.
//!
//! # Invariants
//!
//! - **Q1** Who has claimed a position alone changes its slot, while it lives, except that who
//!   holds a record taken over (`times` was raised by its exchange) does.
//! - **Q2** head <= tail <= head + capacity. Slots outside head..tail are FREE of a lap to come,
//!   or claimed by a consumer, or were by one that died.
//!
//! # Edges
//!
//! | edge  | release                       | acquire                    | what it carries     |
//! |-------|-------------------------------|----------------------------|---------------------|
//! | FULL  | the producer stores FULL      | a consumer loads the word  | the record          |
//! | FREE  | the consumer stores FREE      | a producer loads the word  | that it was read    |
//!
//! # If a process dies
//!
//! - having announced, before its exchange of the counter: nothing has happened; the claim of
//!   the dead is nobody's;
//! - having claimed to fill: who comes to the slot at the front finds it FREE behind the tail,
//!   finds nobody living who claims it, and makes it a TOMB (`bury_if_dead`);
//! - having claimed to empty: the record is FULL behind the head. Who hears of the death finds
//!   it and takes it over (`orphans`): it was never got;
//! - settling: that is one exchange, so before it or after it.
//!
//! `models/mpmc.pml` checks this.

use super::copy::Slots;
use super::pace::Pace;
use super::plan::{MpmcHead, Plan};
use super::reservations::{Reservations, Standing};
use crate::error::{Error, Result, corrupted};
use crate::layout::Offset;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use crate::platform::cache::{self, BYTES_AHEAD};
use crate::roster::attachment::Attachment;
use crate::roster::claims::{self, Claimant, Purpose, RingId};

pub(super) const POSITION_SHIFT: u32 = 16;
pub(super) const FREE: u64 = 0;
pub(super) const FULL: u64 = 1 << 14;
pub(super) const TOMB: u64 = 2 << 14;
pub(super) const STATE: u64 = 3 << 14;
pub(super) const TIMES: u64 = (1 << 14) - 1;

/// The word of a slot at `position`.
#[inline(always)]
pub(super) fn word_of(position: u64, state: u64) -> u64 {
    position << POSITION_SHIFT | state
}

/// A ring as one process sees it.
#[derive(Debug)]
pub(crate) struct Mpmc {
    pub(super) head: &'static MpmcHead,
    slots: Slots,
    pub(crate) plan: Plan,
    pub(crate) id: RingId,
    pub(super) attachment: &'static Attachment,
    pub(super) reservations: Reservations,
    filling: Pace,
    emptying: Pace,
    /// Slots from one that is filled to one that is going to be, which the cache fetches meanwhile.
    ahead: u64,
    /// Claims of the dead that this handle has looked for, and where the next one goes.
    pub(super) looked_for: [AtomicU64; 8],
    pub(super) next_known: AtomicU64,
    /// When it last searched for orphans.
    pub(super) searched_ns: AtomicU64,
}

/// The thread that makes a call: its claims, and what lock words call it.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) claimant: Claimant<'a>,
    pub(crate) name: u64,
}

/// What was found of what is to be got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// That many records from that position on, claimed.
    Records(u64, u64),
    /// None.
    Nothing,
    /// Somebody living is about to publish the next one.
    InFlight,
}

/// What one record goes by, for code in other programs that does as `claim_place` and
/// `claim_record` do.
pub(crate) struct Way<'a> {
    pub(crate) tail: &'a AtomicU64,
    pub(crate) head: &'a AtomicU64,
    /// Two counts in one word, equal if nobody suspects anything.
    pub(crate) suspected: *const u64,
    /// The first word, from one to the next, and from it to the record.
    pub(crate) words: *mut u8,
    pub(crate) stride: u64,
    pub(crate) lead: u64,
    pub(crate) mask: u64,
    pub(crate) record: u64,
    /// What claims call the ring.
    pub(crate) object: u64,
}

impl Mpmc {
    /// `None` for messages.
    pub(crate) fn way(&self) -> Option<Way<'_>> {
        let record = self.plan.record?.get() as u64;
        Some(Way {
            tail: &self.head.tail,
            head: &self.head.head,
            suspected: self.head.suspicions(),
            words: self.slots.address(),
            stride: self.plan.word_stride as u64,
            lead: self.plan.content_start,
            mask: self.plan.capacity - 1,
            record,
            object: self.id.object,
        })
    }

    pub(crate) fn at(attachment: &'static Attachment, body: Offset, id: RingId) -> Result<Self> {
        let memory = attachment.memory();
        let head: &MpmcHead = memory.at(body)?;
        let plan = Plan::of(head)?;
        let start = plan.slots_start();
        let slots = Slots::of(memory, body + start, plan.bytes().ok_or(DAMAGED)? - start)?;
        let reservations = Reservations::at(attachment, body, head, &plan)?;
        let looked_for = [const { AtomicU64::new(0) }; 8];
        let (next_known, searched_ns) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self {
            head,
            slots,
            plan,
            id,
            attachment,
            reservations,
            ahead: (BYTES_AHEAD / plan.word_stride).max(1) as u64,
            filling: Pace::new(),
            emptying: Pace::new(),
            looked_for,
            next_known,
            searched_ns,
        })
    }

    /// What processes keep in the hand.
    pub(crate) fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    #[inline(always)]
    pub(super) fn word(&self, position: u64) -> &AtomicU64 {
        let at = (position & (self.plan.capacity - 1)) as usize;
        self.slots.part(at * self.plan.word_stride, size_of::<u64>()).word()
    }

    /// Where `bytes` bytes from the beginning of a slot's contents on lie: a record, or a run of
    /// cells.
    #[inline(always)]
    pub(crate) fn content(&self, position: u64, bytes: usize) -> Slots {
        let at = (position & (self.plan.capacity - 1)) as usize;
        let Plan { content_start, content_stride, .. } = self.plan;
        self.slots.part(content_start as usize + at * content_stride, bytes)
    }

    /// Both counters: {head, tail}, the head first.
    pub(super) fn counters(&self) -> [u64; 2] {
        // Acquire, CLAIMED.
        let head = self.head.head.load(Acquire);
        [head, self.head.tail.load(Acquire)]
    }

    // --- filling ---

    /// Claims the position at the tail, if it is free and nobody is faster. `None`: nothing has
    /// happened that `claim_room` does not do again.
    #[inline(always)]
    pub(crate) fn claim_place(&self, claimant: Claimant<'_>) -> Option<u64> {
        // Acquire, CLAIMED, here and below; FREE.
        let tail = self.head.tail.load(Acquire);
        cache::expect_to_write(self.word(tail + self.ahead).as_ptr().cast_const().cast());
        if self.word(tail).load(Acquire) != word_of(tail, FREE) {
            return None;
        }
        claimant.announce(Purpose::Fill, tail, 1);
        // SeqCst, SAID; CLAIMED.
        self.head.tail.compare_exchange(tail, tail + 1, SeqCst, Relaxed).ok()
    }

    /// Claims up to `n` positions to fill: the first of them, and how many. `None`: it is full.
    ///
    /// # Errors
    /// `Corrupted`.
    #[inline(always)]
    pub(crate) fn claim_room(&self, by: By<'_>, n: u64) -> Result<Option<(u64, u64)>> {
        // Acquire, CLAIMED, here and below.
        let mut tail = self.head.tail.load(Acquire);
        loop {
            // Acquire, FREE.
            let word = self.word(tail).load(Acquire);
            if word == word_of(tail, FREE) {
                let n = if n == 1 { 1 } else { self.count(tail, n, FREE) };
                by.claimant.announce(Purpose::Fill, tail, n);
                // SeqCst, SAID; CLAIMED.
                match self.head.tail.compare_exchange(tail, tail + n, SeqCst, Acquire) {
                    Ok(_) => return Ok(Some((tail, n))),
                    Err(now) => tail = now,
                }
                continue;
            }
            let now = self.head.tail.load(Acquire);
            if now != tail {
                tail = now;
                continue;
            }
            if self.filling.pauses(tail) {
                continue;
            }
            by.claimant.withdraw();
            if !self.make_room(by, tail, word)? {
                return Ok(None);
            }
        }
    }

    /// How many slots from `first` on, `most` at most, are in that state, of their positions.
    #[inline(always)]
    pub(super) fn count(&self, first: u64, most: u64, state: u64) -> u64 {
        let most = most.min(self.plan.capacity).min(claims::MOST);
        let is_so =
            |at: &u64| self.word(first + at).load(Acquire) & !TIMES == word_of(first + at, state);
        // The first one has been looked at.
        (1..most).take_while(is_so).count() as u64 + 1
    }

    /// The slot at the tail is not free: settles it if who was to free it died. True: it may
    /// be free now.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&self, by: By<'_>, tail: u64, word: u64) -> Result<bool> {
        let before = tail.wrapping_sub(self.plan.capacity);
        if (word ^ word_of(before, 0)) >> POSITION_SHIFT != 0 {
            return Err(DAMAGED);
        }
        self.note_most(self.plan.capacity);
        // Acquire, CLAIMED: whoever emptied the position, or is to fill the first one.
        let head = self.head.head.load(Acquire);
        if before == head {
            return self.make_room_at_front(by, head, word);
        }
        let is_claimed = head.wrapping_sub(before) as i64 > 0;
        if !is_claimed
            || word & STATE == FREE
            || self.standing(by, Purpose::Empty, before)? != Standing::Nobodys
        {
            return Ok(false);
        }
        if word & STATE == TOMB {
            let free = word_of(tail, FREE);
            // Release, FREE. If it fails somebody else has done so.
            let _ = self.word(tail).compare_exchange(word, free, Release, Relaxed);
            return Ok(true);
        }
        if self.word(tail).load(Acquire) != word {
            return Ok(true); // who emptied it has done so meanwhile
        }
        // A getter has to take it over.
        self.suspect();
        Ok(false)
    }

    /// The slot at the tail is at the front, too: a putter goes on there as a getter does.
    fn make_room_at_front(&self, by: By<'_>, front: u64, word: u64) -> Result<bool> {
        if word == word_of(front, TOMB) {
            self.step_over(by, front);
            return Ok(true);
        }
        Ok(word == word_of(front, FREE) && self.bury_if_dead(by, front)?)
    }

    /// Makes a tomb of a position that was claimed to be filled and is FREE, if whoever claimed it
    /// is dead. True: it is one, or was filled meanwhile.
    fn bury_if_dead(&self, by: By<'_>, position: u64) -> Result<bool> {
        if self.standing(by, Purpose::Fill, position)? != Standing::Nobodys {
            return Ok(false);
        }
        let (free, tomb) = (word_of(position, FREE), word_of(position, TOMB));
        // Release: nothing but the state.
        if self.word(position).compare_exchange(free, tomb, Release, Relaxed).is_ok() {
            self.head.skipped.fetch_add(1, Relaxed);
        }
        Ok(true)
    }

    /// Publishes a record that has been written.
    #[inline(always)]
    pub(crate) fn publish(&self, position: u64) {
        // Release, FULL.
        self.word(position).store(word_of(position, FULL), Release);
    }

    /// Gives up a position that was claimed to be filled.
    #[cold]
    pub(crate) fn bury(&self, position: u64) {
        // Release: nothing but the state.
        self.word(position).store(word_of(position, TOMB), Release);
        // Relaxed: for people.
        self.head.skipped.fetch_add(1, Relaxed);
    }

    // --- emptying ---

    /// Claims the record at the head, if there is one, nobody is faster, and nobody suspects that
    /// there is an orphan. `None`: nothing has happened that `claim_records` does not do again.
    #[inline(always)]
    pub(crate) fn claim_record(&self, claimant: Claimant<'_>) -> Option<u64> {
        // Acquire, CLAIMED, here and below; FULL.
        let head = self.head.head.load(Acquire);
        if self.word(head).load(Acquire) != word_of(head, FULL) || self.is_suspected() {
            return None;
        }
        claimant.announce(Purpose::Empty, head, 1);
        // SeqCst, SAID; CLAIMED.
        self.head.head.compare_exchange(head, head + 1, SeqCst, Relaxed).ok()?;
        self.note_depth_at_times(head);
        Some(head)
    }

    /// Claims up to `n` records.
    ///
    /// # Errors
    /// `Corrupted`.
    #[inline(always)]
    pub(crate) fn claim_records(&self, by: By<'_>, n: u64) -> Result<Found> {
        if self.is_to_be_searched()
            && let Some((position, n)) = self.take_orphan(by, |_| Some(1))?
        {
            return Ok(Found::Records(position, n));
        }
        // Acquire, CLAIMED, here and below.
        let mut head = self.head.head.load(Acquire);
        loop {
            // Acquire, FULL.
            let word = self.word(head).load(Acquire);
            if word & !TIMES == word_of(head, FULL) {
                let n = if n == 1 { 1 } else { self.count(head, n, FULL) };
                by.claimant.announce(Purpose::Empty, head, n);
                // SeqCst, SAID; CLAIMED.
                match self.head.head.compare_exchange(head, head + n, SeqCst, Acquire) {
                    Ok(_) => {
                        self.note_depth_at_times(head);
                        return Ok(Found::Records(head, n));
                    }
                    Err(now) => head = now,
                }
                continue;
            }
            match self.look_at_front(by, head, word)? {
                Front::Again(now) => head = now,
                Front::Found(found) => return Ok(found),
            }
        }
    }

    /// The slot at the head has no record: what that means.
    #[cold]
    #[inline(never)]
    pub(super) fn look_at_front(&self, by: By<'_>, head: u64, word: u64) -> Result<Front> {
        if word == word_of(head, TOMB) {
            return Ok(Front::Again(self.step_over(by, head)));
        }
        let now = self.head.head.load(Acquire);
        if now != head {
            return Ok(Front::Again(now));
        }
        if self.emptying.pauses(head) {
            return Ok(Front::Again(head));
        }
        by.claimant.withdraw();
        if word != word_of(head, FREE) {
            // Whoever empties it of the lap before is not done, so nobody has filled it.
            let before = word_of(head.wrapping_sub(self.plan.capacity), 0);
            let is_of_lap_before = (word ^ before) >> POSITION_SHIFT == 0;
            return if is_of_lap_before { Ok(Front::Found(Found::Nothing)) } else { Err(DAMAGED) };
        }
        // Acquire, CLAIMED: whoever is to fill the position.
        if self.head.tail.load(Acquire) == head {
            return Ok(Front::Found(Found::Nothing));
        }
        match self.bury_if_dead(by, head)? {
            true => Ok(Front::Again(head)),
            false => Ok(Front::Found(Found::InFlight)),
        }
    }

    /// Takes a tomb out of the way; says where the head is.
    fn step_over(&self, by: By<'_>, head: u64) -> u64 {
        by.claimant.announce(Purpose::Empty, head, 1);
        match self.head.head.compare_exchange(head, head + 1, SeqCst, Acquire) {
            Ok(_) => {
                self.release(head);
                self.suspect_putters();
                head + 1
            }
            Err(now) => now,
        }
    }

    /// Frees the slot of a record that has been read.
    #[inline(always)]
    pub(crate) fn release(&self, position: u64) {
        let next = position.wrapping_add(self.plan.capacity);
        // Release, FREE.
        self.word(position).store(word_of(next, FREE), Release);
    }
}

/// What a look at the front of the ring has shown.
pub(super) enum Front {
    /// Look again, with the head there.
    Again(u64),
    Found(Found),
}

pub(super) const DAMAGED: Error =
    corrupted("a slot or a counter of a ring is not what it can be: the segment is damaged");
