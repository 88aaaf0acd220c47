//! Places of a ring that a process keeps for as long as it likes: to write or to read there.
//!
//! A call's claim stands in the record of its thread and is over when the call returns
//! (`roster::claims`). What outlives a call belongs to the process: it takes a *reservation*, a
//! pair of words in the ring itself, announces there, and any of its threads may finish it.
//!
//! # The words
//!
//! ```text
//!  owner  bits 63..32, 29..0  the member (`MemberId`); 0: nobody's
//!         bit 31  TAKING      taken from somebody dead, who may have claimed something: the new
//!                             owner does not yet
//!         bit 30  OPEN        claimed, and in the hands of the process; without it somebody is at
//!                             work on it, and done soon
//!  claim  as in the record of a thread
//! ```
//!
//! # Invariants
//!
//! - **K1** Only the owner of a reservation changes it while it lives: `owner` first when it is
//!   taken, last when it is given back, when `claim` is 0. So who has loaded the same owner
//!   before and after the claim knows whose that is.
//! - **K2** Who takes one from somebody dead raises the suspicion first that something was left
//!   (`orphans`).
//! - **K3** Who sleeps need not look again soon for what is OPEN: its owner says what it is about
//!   to do by taking OPEN away, and then looks who waits, as a claim says it (`sync::side`). It
//!   watches a thread of the owner.
//!
//! # If a process dies
//!
//! - as owner: what it had claimed is nobody's, as with a thread's claim. The reservation is to
//!   be had for whoever finds no other;
//! - taking one from somebody dead: it is one of somebody dead again.
//!
//! `models/mpmc.pml` checks this, and `models/ring_wait.pml`.

use super::plan::{MpmcHead, Plan};
use crate::error::{Error, Result, corrupted};
use crate::layout::{Offset, hash_u64};
use crate::platform::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use crate::roster::attachment::Attachment;
use crate::roster::claims::{Claim, Claimant, Purpose};
use crate::roster::member;
use crate::roster::record::MemberId;

/// {owner, claim}.
pub(super) type Reservation = [AtomicU64; 2];

const TAKING: u64 = 1 << 31;
const OPEN: u64 = 1 << 30;

/// How a position stands that a counter has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody living claims it.
    Nobodys,
    /// Somebody does, and is done with it soon.
    AtWork,
    /// A process has it reserved.
    Open,
}

/// The reservations of a ring as one handle sees them.
#[derive(Debug)]
pub(crate) struct Reservations {
    entries: &'static [Reservation],
    /// How many were ever taken, from the first one on.
    taken: &'static AtomicU32,
    attachment: &'static Attachment,
    /// Which of them this handle has, one bit each.
    ours: [AtomicU64; 4],
}

/// One that this process has, and is at work on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved {
    at: usize,
    /// What it claims.
    pub(crate) claim: Claim,
}

impl Reservations {
    pub(super) fn at(
        attachment: &'static Attachment,
        body: Offset,
        head: &'static MpmcHead,
        plan: &Plan,
    ) -> Result<Self> {
        let (count, start) = plan.reservations();
        let words = attachment.memory().words(body + start, 2 * count)?;
        let (entries, _) = words.as_chunks();
        Ok(Self {
            entries,
            taken: &head.reserved,
            attachment,
            ours: [const { AtomicU64::new(0) }; 4],
        })
    }

    // --- one's own ---

    /// Takes one that claims nothing yet. Before it is taken from somebody dead who may have left
    /// something, `suspect` is called (K2). `None`: all are in use.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(super) fn take(&self, suspect: impl Fn()) -> Result<Option<Reserved>> {
        let mine = self.attachment.member_word();
        // Each process begins elsewhere, so that they keep out of each other's lines.
        let start = mine as u32 as usize * 4 % self.entries.len();
        let order = || (start..self.entries.len()).chain(0..start);
        for at in order() {
            let [owner, _] = &self.entries[at];
            if owner.load(Relaxed) == 0 {
                self.note_taken(at);
                // Acquire: the former owner's last store to the claim. Release: `taken`, for who
                // takes it from us.
                if owner.compare_exchange(0, mine, AcqRel, Relaxed).is_ok() {
                    return Ok(Some(self.got(at)));
                }
            }
        }
        for at in order() {
            let [owner, claim] = &self.entries[at];
            let seen = owner.load(Acquire);
            if seen == 0 || self.lives(seen)? {
                continue;
            }
            // The claim is of that owner, if the exchange succeeds (K1).
            if Claim(claim.load(Acquire)).is_to(Purpose::Empty) {
                suspect();
            }
            if self.take_from_dead((owner, claim), seen, mine) {
                return Ok(Some(self.got(at)));
            }
        }
        Ok(None)
    }

    /// Makes one that somebody dead has that of `next`; false if somebody else has done so.
    fn take_from_dead(
        &self,
        (owner, claim): (&AtomicU64, &AtomicU64),
        dead: u64,
        next: u64,
    ) -> bool {
        let taking = self.attachment.member_word() | TAKING;
        if owner.compare_exchange(dead, taking, AcqRel, Relaxed).is_err() {
            return false;
        }
        // Release, both: in this order (K1).
        claim.store(0, Release);
        owner.store(next, Release);
        true
    }

    fn got(&self, at: usize) -> Reserved {
        self.ours[at / 64].fetch_or(1 << (at % 64), Relaxed);
        Reserved { at, claim: Claim(0) }
    }

    /// Who scans has loaded a counter beyond a position, and with it this.
    fn note_taken(&self, at: usize) {
        let count = at as u32 + 1;
        if self.taken.load(Relaxed) < count {
            self.taken.fetch_max(count, SeqCst);
        }
    }

    /// Where claims of it are announced.
    pub(super) fn claimant(&self, which: Reserved) -> Claimant<'_> {
        Claimant::at(&self.entries[which.at][1])
    }

    /// It has claimed something, which is the process's from now on: what to call it, and what
    /// that is.
    pub(super) fn open(&self, which: Reserved) -> (u64, Claim) {
        let [owner, claim] = &self.entries[which.at];
        let claim = Claim(claim.load(Relaxed));
        // Release: after the claim.
        owner.store(self.attachment.member_word() | OPEN, Release);
        (id_of(which.at, claim), claim)
    }

    /// The one that is called `id`, if it was taken through this handle by this process and is
    /// open: from now on the caller is at work on it, and nobody else.
    pub(super) fn close(&self, id: u64, purpose: Purpose) -> Option<Reserved> {
        let at = id as usize & 0xff;
        let [owner, claim] = self.entries.get(at)?;
        let is_it = |claim: Claim| claim.is_to(purpose) && id_of(at, claim) == id;
        if !self.is_ours(at) || !is_it(Claim(claim.load(Relaxed))) {
            return None;
        }
        let mine = self.attachment.member_word();
        // SeqCst, SAID (K3).
        owner.compare_exchange(mine | OPEN, mine, SeqCst, Relaxed).ok()?;
        let claim = Claim(claim.load(Relaxed));
        if !is_it(claim) {
            // Another thread has finished that one, and begun this one meanwhile.
            owner.store(mine | OPEN, Release);
            return None;
        }
        Some(Reserved { at, claim })
    }

    /// It is finished, or nothing came of it.
    pub(super) fn give_back(&self, which: Reserved) {
        let [owner, claim] = &self.entries[which.at];
        self.ours[which.at / 64].fetch_and(!(1 << (which.at % 64)), Relaxed);
        // Release, both: FINISHED, and in this order (K1).
        claim.store(0, Release);
        owner.store(0, Release);
    }

    fn is_ours(&self, at: usize) -> bool {
        self.ours[at / 64].load(Relaxed) & 1 << (at % 64) != 0
    }

    /// What all those are called that this handle has open.
    pub(super) fn open_ones(&self) -> impl Iterator<Item = (u64, Purpose)> {
        (0..self.entries.len()).filter(|at| self.is_ours(*at)).filter_map(|at| {
            let claim = Claim(self.entries[at][1].load(Relaxed));
            let purpose = [Purpose::Fill, Purpose::Empty]
                .into_iter()
                .find(|purpose| claim.is_to(*purpose))?;
            Some((id_of(at, claim), purpose))
        })
    }

    // --- everybody's ---

    /// How a position stands that a counter has passed which the caller has loaded.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(super) fn standing(&self, purpose: Purpose, position: u64) -> Result<Standing> {
        for (owner, claim) in self.in_use() {
            if claim.covers(purpose, position) && owner & TAKING == 0 && self.lives(owner)? {
                let is_open = owner & OPEN != 0;
                return Ok(if is_open { Standing::Open } else { Standing::AtWork });
            }
        }
        Ok(Standing::Nobodys)
    }

    /// The members whose death may leave something for others: they have one open, or are at work
    /// on one that they empty.
    pub(crate) fn holders(&self) -> Vec<u64> {
        self.in_use()
            .filter(|(owner, claim)| {
                owner & TAKING == 0 && (owner & OPEN != 0 || claim.is_to(Purpose::Empty))
            })
            .map(|(owner, _)| owner & !OPEN)
            .collect()
    }

    /// Whether another process that lives has a record in the hand, or is about to.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(crate) fn has_record_elsewhere(&self) -> Result<bool> {
        let mine = self.attachment.member_word();
        for (owner, claim) in self.in_use() {
            let is_elsewhere = owner & TAKING == 0 && owner & !OPEN != mine;
            if is_elsewhere && claim.is_to(Purpose::Empty) && self.lives(owner)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether somebody is at work on a record that was in the hand of its process.
    pub(crate) fn is_any_being_emptied(&self) -> bool {
        self.in_use()
            .any(|(owner, claim)| owner & (TAKING | OPEN) == 0 && claim.is_to(Purpose::Empty))
    }

    /// Shows `visit` those of the dead that may have left something: a number for each that is
    /// that of no other one.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(super) fn each_dead(&self, mut visit: impl FnMut(u64)) -> Result<()> {
        for (owner, claim) in self.in_use() {
            if claim.is_to(Purpose::Empty) && !self.lives(owner)? {
                visit(number_of(owner, claim));
            }
        }
        Ok(())
    }

    /// Those of the dead that `each_dead` has shown have left nothing: they are anybody's.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(super) fn clear(&self, dead: &[u64]) -> Result<()> {
        for [owner, claim] in self.entries.iter().take(self.taken.load(Acquire) as usize) {
            let seen = owner.load(Acquire);
            let said = Claim(claim.load(Acquire));
            if said.is_to(Purpose::Empty)
                && dead.contains(&number_of(seen, said))
                && !self.lives(seen)?
            {
                self.take_from_dead((owner, claim), seen, 0);
            }
        }
        Ok(())
    }

    /// Owner and claim of each that has one.
    fn in_use(&self) -> impl Iterator<Item = (u64, Claim)> {
        // Acquire: with the counter that the caller has loaded.
        let taken = self.taken.load(Acquire) as usize;
        self.entries
            .iter()
            .take(taken)
            .map(|[owner, claim]| {
                let mut seen = owner.load(Acquire);
                loop {
                    // Acquire, FINISHED.
                    let said = claim.load(Acquire);
                    // K1. What is OPEN does not change its claim: but before it was, it may have
                    // been another one, that came to nothing.
                    let now = owner.load(Acquire);
                    let is_same_owner = (now ^ seen) & !OPEN == 0;
                    if is_same_owner && (now & OPEN == 0 || claim.load(Acquire) == said) {
                        return (now, Claim(said));
                    }
                    seen = now;
                }
            })
            .filter(|(owner, _)| *owner != 0)
    }

    fn lives(&self, owner: u64) -> Result<bool> {
        let member = MemberId::of_word(owner & !(OPEN | TAKING)).ok_or(DAMAGED)?;
        Ok(!member::is_gone(self.attachment, member)?)
    }

    /// Checks the words.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(super) fn verify(&self, capacity: u64) -> Result<()> {
        for (owner, claim) in self.in_use() {
            let is_member = MemberId::of_word(owner & !(OPEN | TAKING))
                .is_some_and(|member| member.index < self.attachment.slot_count());
            if !is_member || claim.count() > 2 * capacity {
                return Err(DAMAGED);
            }
        }
        Ok(())
    }
}

/// A number for a claim, which is that of no other one.
fn number_of(owner: u64, claim: Claim) -> u64 {
    hash_u64(hash_u64(0, owner & !(OPEN | TAKING)), claim.0)
}

/// What a reservation is called: which it is, and what it claims.
fn id_of(at: usize, claim: Claim) -> u64 {
    claim.first() << 16 | claim.0 >> 62 << 8 | at as u64
}

const DAMAGED: Error =
    corrupted("a reservation of a ring is not what it can be: the segment is damaged");
