//! A ring for many whose records are messages.

use super::mpmc_ring::MpmcRing;
use super::ring::{EMPTY, wrong_length};
use super::ring_calls::Got;
use crate::error::{Error, Result, Status};
use crate::ring::messages::FoundMessage;
use crate::roster::thread::Thread;
use crate::sync::side::PRODUCERS_ENDED;

impl MpmcRing {
    /// Puts a message.
    pub(super) fn send(&self, thread: &'static Thread, message: &[u8]) -> Result<()> {
        self.check_length(message.len())?;
        self.check_open()?;
        let by = self.by(thread)?;
        let Some(cells) = self.ring.claim_cells(by, message.len())? else {
            return Err(self.full());
        };
        self.ring.message(cells.start, message.len()).write(message);
        let publish = || self.ring.publish_message(cells, message.len());
        self.publish(thread, 1, publish, || self.ring.bury_cells(cells))
    }

    /// Refuses bytes that are no record, or too many for a message.
    #[inline(always)]
    pub(super) fn check_length(&self, bytes: usize) -> Result<()> {
        match self.ring.plan.record {
            Some(size) if bytes != size.get() => Err(wrong_length(bytes, size.get())),
            None if bytes > self.ring.most_bytes() => Err(too_long(bytes, self.ring.most_bytes())),
            _ => Ok(()),
        }
    }

    /// Gets one, if there is room for it.
    pub(super) fn receive_message(&self, thread: &'static Thread, out: &mut [u8]) -> Result<Got> {
        let by = self.by(thread)?;
        let mut found = self.ring.claim_message(by, out.len())?;
        if let FoundMessage::Nothing | FoundMessage::InFlight = found {
            let is_last = self.is_last(by, matches!(found, FoundMessage::Nothing))?;
            // Also what was published before the end was closed.
            found = self.ring.claim_message(by, out.len())?;
            match found {
                FoundMessage::Nothing if is_last => return Err(PRODUCERS_ENDED),
                FoundMessage::Nothing | FoundMessage::InFlight => return Err(EMPTY),
                _ => {}
            }
        }
        match found {
            FoundMessage::TooLarge(bytes) => Ok(Got::too_large(bytes)),
            FoundMessage::Message { position, n, bytes: count } => {
                let times = self.ring.times(position);
                let read = || self.ring.message(position, count).read(&mut out[..count]);
                let release = || self.ring.release_message(position, n);
                self.receive(thread, by, n, read, release)?;
                Ok(Got { count, times, fits: true })
            }
            FoundMessage::Nothing | FoundMessage::InFlight => Err(EMPTY),
        }
    }
}

#[cold]
fn too_long(bytes: usize, most: usize) -> Error {
    Error::with(
        Status::InvalidArgument,
        format!(
            "a message of {bytes} bytes is longer than this ring takes, {most}: half of its cells \
             of 64 bytes, less 8: make it with more"
        ),
    )
}
