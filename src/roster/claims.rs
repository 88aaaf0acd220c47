//! What a thread is about to do to a ring: claims, by which half-done things have a name.
//!
//! A ring's slots never say whose they are; who wants a position says so here, in its own
//! record, *before* it moves the ring's counter (announce before claim). So of every position
//! that was claimed and is not finished one of two things is true: somebody living says that it
//! is its own, or its claimant is dead and anybody may settle it.
//!
//! # The words
//!
//! ```text
//!  object  the generation of the ring
//!  place   where its entry is
//!  claim   bits 63..62 what: 1 to fill, 2 to empty, 3 a dead owner of the slot has left
//!          something; bits 61..48 how many; bits 47..0 from which position on; 0: nothing
//! ```
//!
//! `object` and `place` are stored before `claim`. Who reads a mixture sees a claim that is
//! over, or one that is not yet one.
//!
//! # Edges
//!
//! | edge     | release                    | acquire                | what it carries           |
//! |----------|----------------------------|------------------------|---------------------------|
//! | CLAIMED  | the claimant's exchange of | who loads the counter  | the claim, or a later one |
//! |          | the counter                | beyond the position    |                           |
//! | FINISHED | the claimant's next store  | who scans              | that it has published     |
//! |          | of `claim`                 |                        | what it claimed before    |
//!
//! So: who has loaded a counter beyond a position, and then finds no living participant with a
//! claim of it, and then the slot as it was, knows that its claimant is dead.
//!
//! Only the owner of a slot writes its claim: a claim of the dead stays until the slot has a new
//! owner. (Taken away by others it might be the same word again, announced by that one.)
//!
//! A claim that has been finished stays until the next one: it costs a store to take it away.
//! One that came to nothing is taken away, or a thread that is idle would hold others up.

use super::attachment::Attachment;
use super::death;
use super::participant::name_of;
use super::record::{ParticipantRecord, RingClaim};
use crate::error::Result;
use crate::layout::hash_u64;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

const POSITION_BITS: u32 = 48;
/// The bits of a position that claims and slots have.
pub(crate) const POSITION: u64 = (1 << POSITION_BITS) - 1;
const COUNT_BITS: u32 = 14;
/// The most positions of one claim.
pub(crate) const MOST: u64 = (1 << COUNT_BITS) - 1;
/// In the place of a purpose: what a dead owner of the slot was about to empty is to be looked for.
const LEFT: u64 = 3;

/// What positions are claimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Fill = 1,
    Empty = 2,
}

/// What a word of claims says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim(pub(crate) u64);

impl Claim {
    /// That `n` positions from `position` on are claimed.
    #[inline(always)]
    pub(crate) fn of(purpose: Purpose, position: u64, n: u64) -> Self {
        Self((purpose as u64) << 62 | n << POSITION_BITS | (position & POSITION))
    }

    /// The first of its positions.
    pub(crate) fn first(self) -> u64 {
        self.0 & POSITION
    }

    /// How many they are.
    pub(crate) fn count(self) -> u64 {
        self.0 >> POSITION_BITS & MOST
    }

    pub(crate) fn is_to(self, purpose: Purpose) -> bool {
        self.0 >> 62 == purpose as u64
    }

    /// Whether it is for that position.
    pub(crate) fn covers(self, purpose: Purpose, position: u64) -> bool {
        self.is_to(purpose) && position.wrapping_sub(self.0) & POSITION < self.count()
    }

    /// Whether something that was to be emptied may be left if its claimant is dead.
    fn may_leave_something(self) -> bool {
        self.is_to(Purpose::Empty) || self.0 >> 62 == LEFT
    }
}

/// Which ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingId {
    /// Its generation.
    pub(crate) object: u64,
    /// Where its entry is.
    pub(crate) place: u64,
}

/// Where somebody claims: in the record of its thread, or in a reservation.
#[derive(Clone, Copy)]
pub(crate) struct Claimant<'a> {
    claim: &'a AtomicU64,
}

impl<'a> Claimant<'a> {
    /// Whoever has that record, about to claim in that ring.
    #[inline(always)]
    pub(crate) fn of(record: &'a ParticipantRecord, ring: RingId) -> Self {
        let words = &record.claim;
        // Relaxed: our own. The same ring as the last time costs no store: a claim of it that
        // is over says no less.
        if words.object.load(Relaxed) != ring.object {
            change_ring(words, ring);
        }
        Self { claim: &words.claim }
    }

    /// Whoever has that word, of a ring's own.
    pub(crate) fn at(claim: &'a AtomicU64) -> Self {
        Self { claim }
    }

    /// Announces that `n` positions from `position` on are about to be claimed.
    #[inline(always)]
    pub(crate) fn announce(self, purpose: Purpose, position: u64, n: u64) {
        // Release, FINISHED: with it, what we published before.
        self.claim.store(Claim::of(purpose, position, n).0, Release);
    }

    /// Nothing came of it.
    #[inline(always)]
    pub(crate) fn withdraw(self) {
        // Release, FINISHED.
        self.claim.store(0, Release);
    }
}

#[cold]
fn change_ring(words: &RingClaim, ring: RingId) {
    // Release, FINISHED, of what was claimed in another ring. 0 first: no mixture is a claim.
    words.claim.store(0, Release);
    words.place.store(ring.place, Release);
    words.object.store(ring.object, Release);
}

/// Whether somebody living, other than the thread that is known by `mine`, claims a position.
///
/// The caller has loaded a counter that is beyond it (CLAIMED).
///
/// # Errors
/// `Corrupted`.
pub(crate) fn is_claimed(
    attachment: &Attachment,
    mine: u64,
    ring: RingId,
    purpose: Purpose,
    position: u64,
) -> Result<bool> {
    let mut is_found = false;
    each(attachment, ring, |slot, record, claim| {
        let name = name_of(slot, record.generation.load(Acquire));
        is_found = claim.covers(purpose, position)
            && name != mine
            && death::feel_pulse(attachment, name)?.is_some()
            // The slot may have found a new owner: then it is over.
            && record.claim.claim.load(Acquire) == claim.0;
        Ok(!is_found)
    })?;
    Ok(is_found)
}

/// Those living who claim to empty positions of the ring of which `is_held` says that they are
/// not empty yet: what lock words call them.
///
/// # Errors
/// `Corrupted`.
pub(crate) fn holders(
    attachment: &Attachment,
    ring: RingId,
    is_held: impl Fn(u64) -> bool,
) -> Result<Vec<u64>> {
    let mut holders = Vec::new();
    each(attachment, ring, |slot, record, claim| {
        let name = name_of(slot, record.generation.load(Acquire));
        if claim.is_to(Purpose::Empty)
            && (claim.first()..claim.first() + claim.count()).any(&is_held)
            && death::feel_pulse(attachment, name)?.is_some()
        {
            holders.push(name);
        }
        Ok(true)
    })?;
    Ok(holders)
}

/// Shows `visit` the claims of the dead to empty positions of the ring, their own or those of a
/// former owner of their slot: a number for each, which is that of no other claim.
///
/// # Errors
/// `Corrupted`.
pub(crate) fn each_dead(
    attachment: &Attachment,
    ring: RingId,
    mut visit: impl FnMut(u64),
) -> Result<()> {
    each(attachment, ring, |slot, record, claim| {
        let name = name_of(slot, record.generation.load(Acquire));
        if claim.may_leave_something() && death::feel_pulse(attachment, name)?.is_none() {
            visit(hash_u64(hash_u64(0, name), claim.0));
        }
        Ok(true)
    })
}

/// Shows `visit` every claim in that ring, until it says that this is enough.
fn each(
    attachment: &Attachment,
    ring: RingId,
    mut visit: impl FnMut(u32, &ParticipantRecord, Claim) -> Result<bool>,
) -> Result<()> {
    for slot in 0..attachment.slot_count() {
        let record = attachment.participant(slot)?;
        // Acquire, FINISHED.
        let claim = Claim(record.claim.claim.load(Acquire));
        if claim != Claim(0)
            && record.claim.object.load(Acquire) == ring.object
            && !visit(slot, record, claim)?
        {
            break;
        }
    }
    Ok(())
}

/// What the former owner of a slot has left for its next one to settle: the ring of whose
/// positions it may have died emptying some. From now on that is nobody's claim: others, who take
/// it for one of the new owner's until then, have to be told after this.
pub(crate) fn left(record: &ParticipantRecord) -> Option<RingId> {
    let words = &record.claim;
    // Acquire, FINISHED.
    let is_left = Claim(words.claim.load(Acquire)).may_leave_something();
    let ring = RingId { object: words.object.load(Acquire), place: words.place.load(Acquire) };
    if is_left {
        // Killed after that, the next owner finds it again.
        words.claim.store(LEFT << 62, Release);
    }
    is_left.then_some(ring)
}

/// What a former owner left is settled, or what the owner claimed is finished, and it goes: it
/// claims nothing.
pub(crate) fn forget(record: &ParticipantRecord) {
    // Release, FINISHED.
    record.claim.claim.store(0, Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_covers_its_positions_and_no_others() {
        for (position, n) in [(0, 1), (5, 3), (POSITION - 1, 4), (1 << 50 | 7, MOST)] {
            let claim = Claim::of(Purpose::Fill, position, n);
            let is_in = |at: u64| claim.covers(Purpose::Fill, at);
            assert!(is_in(position) && is_in(position + n - 1), "{position} {n}");
            assert!(!is_in(position.wrapping_sub(1)) && !is_in(position + n), "{position} {n}");
            assert!(!claim.covers(Purpose::Empty, position));
        }
        assert!(!Claim(0).covers(Purpose::Fill, 0) && !Claim(0).covers(Purpose::Empty, 0));
    }
}
