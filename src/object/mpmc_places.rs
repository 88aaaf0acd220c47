//! Records of a ring for many, written and read in their places.

use super::mpmc_ring::MpmcRing;
use super::ring::{EMPTY, NO_RESERVATION, wrong_length};
use crate::error::{Error, Result, Status};
use crate::ring::in_place::InHand;
use crate::ring::mpmc::Found;
use crate::ring::reservations::Reserved;
use crate::roster::claims::Purpose;
use crate::roster::thread::Thread;
use crate::sync::side::{Ended, PRODUCERS_ENDED};

impl MpmcRing {
    /// Reserves a place for a record of `bytes` bytes; for a message of up to as many.
    pub(crate) fn claim(&self, thread: &'static Thread, bytes: usize) -> Result<InHand> {
        self.check_length(bytes)?;
        self.check_open()?;
        self.ring.reserve(self.by(thread)?, bytes)?.ok_or_else(|| self.full())
    }

    /// Puts what was written to a place that was reserved: a record of `bytes` bytes.
    pub(crate) fn commit(&self, thread: &'static Thread, id: u64, bytes: usize) -> Result<()> {
        let reserved = self.ring.finish(id, Purpose::Fill).ok_or(NO_RESERVATION)?;
        if let Err(error) = self.check_room(reserved, bytes) {
            self.ring.go_on(reserved);
            return Err(error);
        }
        if let Some(closed) = self.items().ended().refusal(Ended::BOTH) {
            self.bury(thread, reserved);
            return Err(closed);
        }
        let publish = || self.ring.publish_reserved(reserved.claim, bytes);
        let bury = || self.ring.bury_reserved(reserved.claim);
        let outcome = self.publish(thread, 1, publish, bury);
        self.ring.give_back(reserved);
        outcome
    }

    /// Reserves the next record to be read.
    pub(crate) fn peek(&self, thread: &'static Thread) -> Result<InHand> {
        let by = self.by(thread)?;
        if let Some(closed) = self.items().ended().refusal(Ended::CONSUMERS) {
            return Err(closed);
        }
        // Who was woken for it, or passes the wake-up on, finds us and watches us.
        match self.ring.reserve_next(by)? {
            Ok(in_hand) => Ok(in_hand),
            Err(found) => {
                let is_last = self.is_last(by, found == Found::Nothing)?;
                // Also what was published before the end was closed.
                let again = self.ring.reserve_next(by)?;
                again.map_err(|_| if is_last { PRODUCERS_ENDED } else { EMPTY })
            }
        }
    }

    /// Gets what was reserved to be read: its place is free.
    pub(crate) fn advance(&self, thread: &'static Thread, id: u64) -> Result<()> {
        let reserved = self.ring.finish(id, Purpose::Empty).ok_or(NO_RESERVATION)?;
        let free = || self.ring.release_reserved(reserved.claim);
        if !self.room().is_watched() {
            free();
            self.ring.give_back(reserved);
            self.tell_if_last();
            return Ok(());
        }
        match self.room().alert(Some(thread), self.share.bell()) {
            Ok(alert) => {
                free();
                alert.sound(1);
                self.ring.give_back(reserved);
                self.tell_if_last();
                Ok(())
            }
            Err(error) => {
                self.ring.hand_over(reserved);
                Err(error)
            }
        }
    }

    /// Gives up what was reserved: nothing is put, or the record goes to another.
    pub(crate) fn abandon(&self, thread: &'static Thread, id: u64) -> Result<()> {
        if let Some(reserved) = self.ring.finish(id, Purpose::Empty) {
            self.ring.hand_over(reserved);
            return Ok(());
        }
        let reserved = self.ring.finish(id, Purpose::Fill).ok_or(NO_RESERVATION)?;
        self.bury(thread, reserved);
        Ok(())
    }

    /// Gives up a place: what is behind it comes to the front.
    fn bury(&self, thread: &'static Thread, reserved: Reserved) {
        // Without an alert, who waits is told late, by the end of its slice.
        let alert = self.items().alert(Some(thread), self.share.bell());
        self.ring.bury_reserved(reserved.claim);
        if let Ok(alert) = alert {
            alert.sound(1);
        }
        self.ring.give_back(reserved);
        // Whoever comes by steps over it, a putter as well.
        self.room().nudge();
    }

    fn check_room(&self, reserved: Reserved, bytes: usize) -> Result<()> {
        let most = self.ring.most_in(reserved.claim);
        match self.ring.plan.record {
            Some(_) if bytes != most => Err(wrong_length(bytes, most)),
            None if bytes > most => Err(longer_than_claimed(bytes, most)),
            _ => Ok(()),
        }
    }
}

#[cold]
fn longer_than_claimed(bytes: usize, most: usize) -> Error {
    Error::with(
        Status::InvalidArgument,
        format!("a message of {bytes} bytes was written to a place that was claimed for {most}"),
    )
}
