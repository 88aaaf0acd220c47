//! What a handle of a ring for many can do.

use core::num::NonZeroUsize;
use std::os::fd::BorrowedFd;

use super::mpmc_ring::MpmcRing;
use super::ring::{RingEnd, RingInfo, wrong_length};
use super::ring_calls::{Got, RingCalls};
use crate::error::{Error, Result, Status};
use crate::platform::time::Deadline;
use crate::ring::mpmc::By;
use crate::roster::thread::Thread;
use crate::sync::side::{Ended, NO_ROOM_CAME, NOTHING_CAME};

impl RingCalls for MpmcRing {
    fn record(&self) -> usize {
        self.ring.plan.record.map_or(0, NonZeroUsize::get)
    }

    #[inline(always)]
    fn push_at_once(&self, thread: &'static Thread, record: &[u8]) -> Option<()> {
        let is_record = self.ring.plan.record.is_some_and(|size| size.get() == record.len());
        if !is_record || self.items().is_watched() {
            return None;
        }
        let position = self.ring.claim_place(self.by(thread).ok()?.claimant)?;
        self.ring.content(position, record.len()).write(record);
        if self.items().is_watched() {
            // If it cannot be told the place is given up.
            return self.publish_records(thread, position, 1).ok();
        }
        self.ring.publish(position);
        Some(())
    }

    #[inline(always)]
    fn pop_at_once(&self, thread: &'static Thread, record: &mut [u8]) -> Option<Got> {
        let count = self.ring.plan.record.map(NonZeroUsize::get)?;
        let record = record.get_mut(..count)?;
        let by = self.by(thread).ok()?;
        let position = self.ring.claim_record(by.claimant)?;
        if self.items().is_watched() || self.room().is_watched() {
            // If it cannot be told the record stays, for others.
            return self.receive_record(thread, by, position, record).ok();
        }
        self.ring.content(position, count).read(record);
        self.ring.release(position);
        Some(Got::first(count))
    }

    fn push(&self, thread: &'static Thread, record: &[u8]) -> Result<()> {
        let Some(size) = self.ring.plan.record else {
            return self.send(thread, record);
        };
        if record.len() != size.get() {
            return Err(wrong_length(record.len(), size.get()));
        }
        let (position, _) = self.claim_room(self.by(thread)?, 1)?;
        self.ring.content(position, size.get()).write(record);
        self.publish_records(thread, position, 1)
    }

    #[inline(always)]
    fn push_n(&self, thread: &'static Thread, records: &[u8]) -> Result<u64> {
        let size = self.ring.plan.record.ok_or(ONE_AT_A_TIME)?.get();
        let all = records.chunks_exact(size);
        if !all.remainder().is_empty() {
            return Err(wrong_length(all.remainder().len(), size));
        }
        if records.is_empty() {
            return Ok(0);
        }
        let (position, n) = self.claim_room(self.by(thread)?, all.len() as u64)?;
        for (record, position) in all.zip(position..position + n) {
            self.ring.content(position, size).write(record);
        }
        self.publish_records(thread, position, n).map(|()| n)
    }

    fn pop(&self, thread: &'static Thread, record: &mut [u8]) -> Result<Got> {
        let Some(size) = self.ring.plan.record else {
            return self.receive_message(thread, record);
        };
        let count = size.get();
        let Some(record) = record.get_mut(..count) else {
            return Ok(Got::too_large(count));
        };
        let by = self.by(thread)?;
        let (position, _) = self.claim_records(by, 1)?;
        self.receive_record(thread, by, position, record)
    }

    #[inline(always)]
    fn pop_n(&self, thread: &'static Thread, records: &mut [u8]) -> Result<Got> {
        let size = self.ring.plan.record.ok_or(ONE_AT_A_TIME)?.get();
        let room = records.len() / size;
        if room == 0 {
            return Ok(Got::too_large(size));
        }
        let by = self.by(thread)?;
        let (position, n) = self.claim_records(by, room as u64)?;
        let read = || {
            let all = records.chunks_exact_mut(size);
            for (record, position) in all.zip(position..position + n) {
                self.ring.content(position, size).read(record);
            }
        };
        let times = self.receive_records(thread, by, (position, n), read)?;
        Ok(Got { count: n as usize, times, fits: true })
    }

    fn put(&self, thread: &'static Thread, record: &[u8], deadline: Deadline) -> Result<()> {
        let act = || self.push(thread, record);
        self.until(RingEnd::Producers, thread, deadline, act, NO_ROOM_CAME)
    }

    fn get(&self, thread: &'static Thread, record: &mut [u8], deadline: Deadline) -> Result<Got> {
        let act = || self.pop(thread, record);
        self.until(RingEnd::Consumers, thread, deadline, act, NOTHING_CAME)
    }

    fn descriptor(&self, end: RingEnd) -> Result<BorrowedFd<'_>> {
        self.lend_descriptor(end)
    }

    fn shutdown(&self, thread: Option<&'static Thread>, end: RingEnd) -> Result<()> {
        self.share.check_writable()?;
        let end = match end {
            RingEnd::Producers => Ended::PRODUCERS,
            RingEnd::Consumers => Ended::CONSUMERS,
        };
        // Killed between the two: who finds the first one closed closes the other (`full`).
        let bell = self.share.bell();
        self.room().end(thread, bell, end)?;
        self.items().end(thread, bell, end)
    }

    fn info(&self) -> RingInfo {
        let [pushed, popped, redelivered, skipped, high_water] = self.ring.counts();
        let ended = self.items().ended();
        RingInfo {
            ty: self.ty,
            capacity: self.ring.plan.capacity,
            lanes: 0,
            waiting: self.waiting,
            length: pushed.saturating_sub(popped),
            pushed,
            popped,
            redelivered,
            skipped,
            high_water,
            producers_ended: ended.has(Ended::PRODUCERS),
            consumers_ended: ended.has(Ended::CONSUMERS),
        }
    }
}

impl MpmcRing {
    /// Gets the record at a position that code in another program has claimed for the thread.
    pub(crate) fn receive_at(
        &self,
        thread: &'static Thread,
        position: u64,
        out: &mut [u8],
    ) -> Result<()> {
        let by = self.by(thread)?;
        self.receive_record(thread, by, position, out).map(drop)
    }

    fn receive_record(
        &self,
        thread: &'static Thread,
        by: By<'_>,
        position: u64,
        record: &mut [u8],
    ) -> Result<Got> {
        let count = record.len();
        let read = || self.ring.content(position, count).read(record);
        let times = self.receive_records(thread, by, (position, 1), read)?;
        Ok(Got { count, times, fits: true })
    }
}

const ONE_AT_A_TIME: Error = Error::new(
    Status::WrongKind,
    "messages have no length in common: push and pop them one at a time",
);
