//! What a handle of a ring with lanes can do.

use std::os::fd::BorrowedFd;

use super::lanes::LaneRing;
use super::ring::{NO_CLAIM, NO_PEEK, RingEnd, RingInfo, wrong_length};
use super::ring_calls::{Got, RingCalls};
use crate::error::Result;
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::membarrier;
use crate::platform::time::Deadline;
use crate::ring::copy::Slots;
use crate::ring::lane::Lane;
use crate::roster::thread::Thread;
use crate::sync::side::{Ended, NO_ROOM_CAME, NOTHING_CAME};

impl RingCalls for LaneRing {
    #[inline(always)]
    fn push_at_once(&self, _thread: &'static Thread, record: &[u8]) -> Option<()> {
        let lane = self.own_lane_at_once()?;
        let (tail, _) = lane.room_at_hand(1)?;
        if record.len() != self.record_bytes() {
            return None;
        }
        lane.write_at_once(tail, record)?;
        lane.publish(1, self.items(), self.reached()).then_some(())
    }

    #[inline(always)]
    fn pop_at_once(&self, _thread: &'static Thread, record: &mut [u8]) -> Option<Got> {
        let (lane, head) = self.readable_at_once()?;
        let record = record.get_mut(..self.record_bytes())?;
        lane.read_at_once(head, record)?;
        lane.free(1, self.reached()).then(|| Got::first(record.len()))
    }

    fn push(&self, thread: &'static Thread, record: &[u8]) -> Result<()> {
        if record.len() != self.record_bytes() {
            return Err(wrong_length(record.len(), self.record_bytes()));
        }
        let lane = self.as_producer(thread)?;
        let (tail, room) = lane.room(1)?;
        if room == 0 {
            return Err(self.full());
        }
        lane.write(tail, record, 1);
        self.publish(thread, lane, 1)
    }

    fn push_n(&self, thread: &'static Thread, records: &[u8]) -> Result<u64> {
        let record = self.record_bytes();
        let n = (records.len() / record) as u64;
        if n as usize * record != records.len() {
            return Err(wrong_length(records.len() % record, record));
        }
        let lane = self.as_producer(thread)?;
        let (tail, room) = lane.room(n)?;
        let n = n.min(room);
        if n == 0 {
            return if records.is_empty() { Ok(0) } else { Err(self.full()) };
        }
        lane.write(tail, &records[..n as usize * record], n);
        self.publish(thread, lane, n).map(|()| n)
    }

    fn pop(&self, thread: &'static Thread, record: &mut [u8]) -> Result<Got> {
        let Some(record) = record.get_mut(..self.record_bytes()) else {
            return Ok(Got::too_large(self.record_bytes()));
        };
        let (lane, head, _) = self.readable(thread, 1)?;
        lane.read(head, record, 1);
        self.free(thread, lane, 1).map(|()| Got::first(self.record_bytes()))
    }

    fn pop_n(&self, thread: &'static Thread, records: &mut [u8]) -> Result<Got> {
        let record = self.record_bytes();
        let n = (records.len() / record) as u64;
        if n == 0 {
            return Ok(Got::too_large(record));
        }
        let (lane, head, there) = self.readable(thread, n)?;
        let n = n.min(there);
        lane.read(head, &mut records[..n as usize * record], n);
        self.free(thread, lane, n).map(|()| Got::first(n as usize))
    }

    fn put(&self, thread: &'static Thread, record: &[u8], deadline: Deadline) -> Result<()> {
        let side = &self.as_producer(thread)?.words().room;
        let act = || self.push(thread, record);
        self.until(RingEnd::Producers, side, thread, deadline, act, NO_ROOM_CAME)
    }

    fn get(&self, thread: &'static Thread, record: &mut [u8], deadline: Deadline) -> Result<Got> {
        self.check_consumer(thread)?;
        let act = || self.pop(thread, record);
        self.until(RingEnd::Consumers, self.items(), thread, deadline, act, NOTHING_CAME)
    }

    fn descriptor(&self, end: RingEnd) -> Result<BorrowedFd<'_>> {
        const SOON_NS: u64 = 1_000_000;
        let words: Vec<_> = self.lanes.iter().map(Lane::words).collect();
        let items = self.items();
        let forget = move || {
            items.forget_listeners();
            words.iter().for_each(|words| words.room.forget_listeners());
        };
        self.share.listen_until(&self.ears[end as usize], forget, |listener| {
            listener.renew()?;
            self.side(end).listen()?;
            let is_ordered = membarrier::in_all_processes();
            if self.is_ready(end)? {
                listener.be_ready()
            } else if !is_ordered || self.is_other_at_work(end)? {
                listener.look_again_after(SOON_NS)
            } else {
                listener.be_quiet()
            }
        })
    }

    fn shutdown(&self, thread: Option<&'static Thread>, end: RingEnd) -> Result<()> {
        self.share.check_writable()?;
        let end = match end {
            RingEnd::Producers => Ended::PRODUCERS,
            RingEnd::Consumers => Ended::CONSUMERS,
        };
        // Killed in between: who finds the first one closed closes the other (`full`).
        let bell = self.share.bell();
        self.lanes.iter().try_for_each(|lane| lane.words().room.end(thread, bell, end))?;
        self.items().end(thread, bell, end)
    }

    fn record(&self) -> usize {
        self.record_bytes()
    }

    fn info(&self) -> RingInfo {
        let mut info = RingInfo {
            ty: self.ty,
            capacity: self.plan.geometry.capacity,
            lanes: self.plan.lanes,
            waiting: self.waiting,
            length: 0,
            pushed: 0,
            popped: 0,
            redelivered: 0,
            skipped: 0,
            high_water: 0,
            producers_ended: self.items().ended().has(Ended::PRODUCERS),
            consumers_ended: self.items().ended().has(Ended::CONSUMERS),
        };
        for [pushed, popped, most] in self.lanes.iter().map(Lane::counts) {
            info.pushed = info.pushed.wrapping_add(pushed);
            info.popped = info.popped.wrapping_add(popped);
            info.length += pushed.wrapping_sub(popped).min(info.capacity);
            info.high_water = info.high_water.max(most);
        }
        info
    }
}

impl LaneRing {
    /// Up to `n` slots side by side to write to, and how many.
    pub(crate) fn claim(&self, thread: &'static Thread, n: u64) -> Result<(Slots, u64)> {
        let lane = self.as_producer(thread)?;
        if let Some(closed) = self.items().ended().refusal(Ended::BOTH) {
            return Err(closed);
        }
        let (tail, room) = lane.room(n.min(self.plan.geometry.capacity))?;
        if room == 0 {
            return Err(self.full());
        }
        let (slots, n) = lane.run(tail, n.min(room));
        self.claimed[0].store(tail, Relaxed);
        self.claimed[1].store(n, Relaxed);
        Ok((slots, n))
    }

    /// Publishes the first `n` slots that were claimed, and lets go of the others.
    pub(crate) fn commit(&self, thread: &'static Thread, n: u64) -> Result<()> {
        let lane = self.as_producer(thread)?;
        let [at, most] = &self.claimed;
        if n > most.load(Relaxed) || n == 0 || lane.tail() != at.load(Relaxed) {
            return Err(NO_CLAIM);
        }
        self.publish(thread, lane, n)?;
        most.store(0, Relaxed);
        Ok(())
    }

    /// Lets go of what was claimed.
    pub(crate) fn abandon(&self) -> Result<()> {
        match self.claimed[1].swap(0, Relaxed) {
            0 => Err(NO_CLAIM),
            _ => Ok(()),
        }
    }

    /// Up to `n` records side by side to read in place, and how many.
    pub(crate) fn peek(&self, thread: &'static Thread, n: u64) -> Result<(Slots, u64)> {
        let (lane, head, there) = self.readable(thread, n)?;
        let (slots, n) = lane.run(head, n.min(there).max(1));
        self.peeked[0].store(head, Relaxed);
        self.peeked[1].store(n, Relaxed);
        Ok((slots, n))
    }

    /// Lets go of the first `n` records that were peeked at: they are got.
    pub(crate) fn advance(&self, thread: &'static Thread, n: u64) -> Result<()> {
        self.check_consumer(thread)?;
        let lane = self.lanes.get(self.next.load(Relaxed)).ok_or(NO_PEEK)?;
        let [at, most] = &self.peeked;
        if n > most.load(Relaxed) || n == 0 || lane.head() != at.load(Relaxed) {
            return Err(NO_PEEK);
        }
        self.free(thread, lane, n)?;
        most.store(0, Relaxed);
        Ok(())
    }
}
