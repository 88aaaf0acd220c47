//! Records that are written and read in their places in a ring for many.
//!
//! The positions are claimed as a push or a pop claims them, but in a reservation instead of the
//! record of a thread: so they stay the process's when the call is over.

use super::copy::Slots;
use super::messages::{Cells, FoundMessage};
use super::mpmc::{By, Found, Mpmc};
use super::reservations::Reserved;
use crate::error::{Error, Result, Status};
use crate::roster::claims::{Claim, Purpose};

/// What a process has in its hands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InHand {
    /// What to call it.
    pub(crate) id: u64,
    /// Where to write or to read.
    pub(crate) place: Slots,
    /// How often it was taken over.
    pub(crate) times: u32,
}

impl Mpmc {
    /// Reserves a place for a record, or for a message of up to `bytes` bytes. `None`: it is full.
    ///
    /// # Errors
    /// `NoSpace` if no reservation is left; `Corrupted`, `System`.
    pub(crate) fn reserve(&self, by: By<'_>, bytes: usize) -> Result<Option<InHand>> {
        self.with_reservation(by, |by| match self.plan.record {
            Some(record) => {
                let claimed = self.claim_room(by, 1)?;
                Ok(claimed.map(|(position, _)| self.content(position, record.get())))
            }
            None => {
                let claimed = self.claim_cells(by, bytes)?;
                Ok(claimed.map(|cells| self.message(cells.start, bytes)))
            }
        })
    }

    /// Reserves the next record, or message, to be read; or says why there is none.
    ///
    /// # Errors
    /// As for `reserve`.
    pub(crate) fn reserve_next(&self, by: By<'_>) -> Result<core::result::Result<InHand, Found>> {
        let mut why = Found::Nothing;
        let in_hand = self.with_reservation(by, |by| match self.plan.record {
            Some(record) => Ok(match self.claim_records(by, 1)? {
                Found::Records(position, _) => Some(self.content(position, record.get())),
                found => {
                    why = found;
                    None
                }
            }),
            None => Ok(match self.claim_message(by, usize::MAX)? {
                FoundMessage::Message { position, bytes, .. } => {
                    Some(self.message(position, bytes))
                }
                FoundMessage::InFlight => {
                    why = Found::InFlight;
                    None
                }
                FoundMessage::Nothing | FoundMessage::TooLarge(_) => None,
            }),
        })?;
        Ok(in_hand.ok_or(why))
    }

    /// Takes a reservation, claims with it by `claim`, and keeps it if that came to something.
    fn with_reservation(
        &self,
        by: By<'_>,
        claim: impl FnOnce(By<'_>) -> Result<Option<Slots>>,
    ) -> Result<Option<InHand>> {
        let taken = self.reservations.take(|| self.suspect())?.ok_or(NONE_LEFT)?;
        let claimant = self.reservations.claimant(taken);
        match claim(By { claimant, ..by }) {
            Ok(Some(place)) => {
                let (id, claim) = self.reservations.open(taken);
                Ok(Some(InHand { id, place, times: self.times(claim.first()) }))
            }
            outcome => {
                self.reservations.give_back(taken);
                outcome.map(|_| None)
            }
        }
    }

    /// The reservation that is called `id`, if it is this handle's and open: the caller finishes
    /// it, by one of the methods below, or gives it up (`abandon`).
    pub(crate) fn finish(&self, id: u64, purpose: Purpose) -> Option<Reserved> {
        self.reservations.close(id, purpose)
    }

    /// It is not to be finished yet.
    pub(crate) fn go_on(&self, reserved: Reserved) {
        self.reservations.open(reserved);
    }

    /// It is finished.
    pub(crate) fn give_back(&self, reserved: Reserved) {
        self.reservations.give_back(reserved);
    }

    /// How many bytes a message may have for which that was reserved.
    pub(crate) fn most_in(&self, claim: Claim) -> usize {
        match self.plan.record {
            Some(record) => record.get(),
            None => self.cells(claim).most_bytes(),
        }
    }

    /// Publishes what was written there, of a message `bytes` bytes.
    pub(crate) fn publish_reserved(&self, claim: Claim, bytes: usize) {
        match self.plan.record {
            Some(_) => self.publish(claim.first()),
            None => self.publish_message(self.cells(claim), bytes),
        }
    }

    /// Gives up what was reserved to be written.
    pub(crate) fn bury_reserved(&self, claim: Claim) {
        (claim.first()..claim.first() + claim.count()).for_each(|position| self.bury(position));
    }

    /// Frees what was reserved to be read.
    pub(crate) fn release_reserved(&self, claim: Claim) {
        self.release_message(claim.first(), claim.count());
    }

    /// The cells of a claim, of which some may be padding.
    fn cells(&self, claim: Claim) -> Cells {
        let (first, count) = (claim.first(), claim.count());
        let to_end = self.plan.capacity - (first & (self.plan.capacity - 1));
        let padding = if count > to_end { to_end } else { 0 };
        Cells { first, start: first + padding, n: count - padding }
    }

    /// Gives up a record that was reserved to be read: it goes to another one.
    pub(crate) fn hand_over(&self, reserved: Reserved) {
        // First: killed between the two, somebody looks for what is nobody's then. Who looks before
        // that finds us at work, and so again later.
        self.suspect();
        self.give_back(reserved);
        self.head.items.nudge();
    }

    /// Gives up all that this handle has in the hand.
    pub(crate) fn abandon_all(&self) {
        for (id, purpose) in self.reservations.open_ones() {
            let Some(reserved) = self.finish(id, purpose) else { continue };
            if purpose == Purpose::Fill {
                self.bury_reserved(reserved.claim);
                self.give_back(reserved);
                self.head.items.nudge();
                self.head.room.nudge();
            } else {
                self.hand_over(reserved);
            }
        }
    }
}

const NONE_LEFT: Error = Error::new(
    Status::NoSpace,
    "all reservations of the ring are in use: commit, advance or abandon some",
);
