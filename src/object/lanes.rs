//! A ring of lanes as one handle uses it: what `Spsc` and `Fanin` are made of.

use core::num::NonZeroUsize;

use super::ring::{EMPTY, FULL, NO_CLAIM, RingEnd, RingOptions, Waiting, check_wanted, read_head};
use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use super::types::Type;
use crate::error::{Error, Result, Status, invalid};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::layout::rings::RingHead;
use crate::platform::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::platform::membarrier::{self, Reached};
use crate::ring::lane::{Geometry, Lane, Telling, Way};
use crate::ring::lanes::{LanesHead, MOST_LANES, MOST_RECORDS, Plan};
use crate::roster::attachment::Attachment;
use crate::roster::listening::Ear;
use crate::roster::thread::Thread;
use crate::segment::directory::Wanted;
use crate::sync::role;
use crate::sync::side::{Ended, PRODUCERS_ENDED, Side};
use crate::sync::wait::Spin;

/// A ring of lanes that is open.
#[derive(Debug)]
pub(crate) struct LaneRing {
    pub(super) ears: [Ear; 2],
    pub(super) share: Share<LanesHead>,
    pub(super) ty: Type,
    pub(super) plan: Plan,
    pub(super) waiting: Waiting,
    pub(super) lanes: Box<[Lane]>,
    pub(super) spin: Spin,
    /// The member that this process was when this handle became the producer; 0: it is none.
    pub(super) produces_as: AtomicU64,
    /// Which lane it has.
    pub(super) own: AtomicUsize,
    /// Where it last claimed slots, and how many.
    pub(super) claimed: [AtomicU64; 2],
    /// Likewise of the consumer.
    consumes_as: AtomicU64,
    /// Which lane it reads.
    pub(super) next: AtomicUsize,
    pub(super) peeked: [AtomicU64; 2],
    /// Barriers of other processes do not reach this one.
    fences: AtomicBool,
}

impl LaneRing {
    pub(super) fn obtain(
        segment: &Segment,
        name: Option<&str>,
        wanted: Wanted,
        kind: Kind,
        ty: Option<&Type>,
        options: &RingOptions,
    ) -> Result<Self> {
        let plan = match (wanted, ty) {
            (Wanted::Existing, _) => None,
            (_, Some(ty)) => Some(plan(kind, ty, options)?),
            (_, None) => return Err(invalid("a new ring has records of some type: give it")),
        };
        let more = plan.map_or(0, |plan| plan.bytes() - size_of::<LanesHead>() as u64);
        let memory = segment.attachment().memory();
        let begin = |head: &LanesHead| {
            if let (Some(plan), Some(ty)) = (plan, ty) {
                let ring = RingHead::new(ty.to_record(), plan.geometry.capacity, plan.lanes)
                    .waiting(options.waiting as u32);
                // The block is ours until it is published.
                let _ = memory.write(memory.offset_of(&head.ring), ring);
            }
        };
        let ring = Self::of(Share::obtain(segment, name, wanted, kind, more, begin)?)?;
        let is = RingOptions {
            capacity: ring.plan.geometry.capacity,
            lanes: ring.plan.lanes,
            waiting: ring.waiting,
        };
        check_wanted(kind.noun(), (&ring.ty, &is), (ty, options))?;
        Ok(ring)
    }

    pub(super) fn import(ticket: &Ticket, kind: Kind) -> Result<Self> {
        Self::of(Share::redeem(ticket, &[kind])?.0)
    }

    pub(super) fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    fn of(share: Share<LanesHead>) -> Result<Self> {
        let (ty, waiting) = read_head(&share.body().ring)?;
        let (plan, body) = (Plan::of(share.body())?, share.offset());
        let memory = share.attachment().memory();
        let lanes = (0..plan.lanes).map(|lane| plan.lane(memory, body, lane));
        Ok(Self {
            ears: [Ear::new(), Ear::new()],
            ty,
            plan,
            waiting,
            lanes: lanes.collect::<Result<_>>()?,
            share,
            spin: Spin::new(),
            produces_as: AtomicU64::new(0),
            own: AtomicUsize::new(0),
            claimed: [AtomicU64::new(0), AtomicU64::new(0)],
            consumes_as: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            peeked: [AtomicU64::new(0), AtomicU64::new(0)],
            fences: AtomicBool::new(false),
        })
    }

    /// The type of its records.
    pub(super) fn ty(&self) -> &Type {
        &self.ty
    }

    /// Bytes of a record.
    #[inline(always)]
    pub(super) fn record_bytes(&self) -> usize {
        self.plan.geometry.record.get()
    }

    pub(crate) fn attachment(&self) -> &'static Attachment {
        self.share.attachment()
    }

    pub(crate) fn items(&self) -> &'static Side {
        &self.share.body().items
    }

    // --- roles ---

    /// The lane that this handle produces into.
    pub(super) fn as_producer(&self, thread: &'static Thread) -> Result<&Lane> {
        if !self.has_role(&self.produces_as) {
            self.become_producer(thread)?;
        }
        self.lanes.get(self.own.load(Relaxed)).ok_or(NO_CLAIM)
    }

    /// The same if it does.
    #[inline(always)]
    pub(super) fn own_lane_at_once(&self) -> Option<&Lane> {
        if self.has_role(&self.produces_as) { self.lanes.get(self.own.load(Relaxed)) } else { None }
    }

    #[inline(always)]
    fn has_role(&self, role_as: &AtomicU64) -> bool {
        // Relaxed, here and below: the handle's own, which one thread at a time uses in a role.
        let mine = role_as.load(Relaxed);
        mine != 0 && mine == self.attachment().member_word()
    }

    #[cold]
    fn become_producer(&self, thread: &'static Thread) -> Result<()> {
        let mine = self.join(thread)?;
        let attachment = self.attachment();
        let noun = if self.lanes.len() == 1 { "producer" } else { "producer of that lane" };
        let mut refusal = None;
        for (at, lane) in self.lanes.iter().enumerate() {
            match role::take(&lane.words().producer, attachment, mine, noun) {
                Ok(()) => {
                    lane.take_over_as_producer();
                    self.own.store(at, Relaxed);
                    self.claimed[1].store(0, Relaxed);
                    self.produces_as.store(mine, Relaxed);
                    return Ok(());
                }
                Err(error) if error.status() == Status::NotOwner => refusal = Some(error),
                Err(error) => return Err(error),
            }
        }
        match refusal {
            Some(error) if self.lanes.len() == 1 => Err(error),
            _ => Err(Error::with(
                Status::NoSpace,
                format!(
                    "all {} lanes have a producer that lives: make the ring with more lanes",
                    self.lanes.len()
                ),
            )),
        }
    }

    /// Sees to it that this handle is the consumer.
    pub(super) fn check_consumer(&self, thread: &'static Thread) -> Result<()> {
        if self.has_role(&self.consumes_as) { Ok(()) } else { self.become_consumer(thread) }
    }

    #[cold]
    fn become_consumer(&self, thread: &'static Thread) -> Result<()> {
        let mine = self.join(thread)?;
        let role = &self.share.body().ring.consumer;
        role::take(role, self.attachment(), mine, "consumer")?;
        self.lanes.iter().for_each(Lane::take_over_as_consumer);
        self.peeked[1].store(0, Relaxed);
        self.consumes_as.store(mine, Relaxed);
        Ok(())
    }

    /// What names this process as a member, which it is from now on at the latest.
    fn join(&self, thread: &'static Thread) -> Result<u64> {
        self.share.check_writable()?;
        thread.name_in(self.attachment())?;
        let is_reached = membarrier::register_for_all();
        self.fences.store(!is_reached, Relaxed);
        Ok(self.attachment().member_word())
    }

    /// Gives up a role; who has it not gives up nothing.
    pub(crate) fn leave(&self, end: RingEnd) {
        let (role, mine) = match end {
            RingEnd::Producers => {
                let lane = self.lanes.get(self.own.load(Relaxed));
                (lane.map(|lane| &lane.words().producer), self.produces_as.swap(0, Relaxed))
            }
            RingEnd::Consumers => {
                (Some(&self.share.body().ring.consumer), self.consumes_as.swap(0, Relaxed))
            }
        };
        // In a forked child they are its parent's.
        if let Some(role) = role.filter(|_| mine != 0 && mine == self.attachment().member_word()) {
            role::leave(role, mine);
        }
    }

    /// The short way of an end, and as which member it may be gone; none while this handle has not
    /// that role, or where there are lanes to choose from or to fence for.
    pub(crate) fn way(&self, end: RingEnd) -> Option<(Way<'_>, u64)> {
        let [lane] = &*self.lanes else { return None };
        let (mine, way) = match end {
            RingEnd::Producers => {
                (self.produces_as.load(Relaxed), lane.way_of_producer(self.items()))
            }
            RingEnd::Consumers => (self.consumes_as.load(Relaxed), lane.way_of_consumer()),
        };
        let is_ours = mine != 0 && mine == self.attachment().member_word();
        (is_ours && !self.fences.load(Relaxed)).then_some((way, mine))
    }

    #[inline(always)]
    pub(super) fn reached(&self) -> Reached {
        Reached::unless(self.fences.load(Relaxed))
    }

    pub(super) fn telling<'a>(
        &'a self,
        thread: &'a Thread,
        side: &'a Side,
        needs: Ended,
    ) -> Telling<'a> {
        Telling { side, bell: self.share.bell(), thread, needs }
    }

    // --- putting ---

    #[inline(always)]
    pub(super) fn publish(&self, thread: &'static Thread, lane: &Lane, n: u64) -> Result<()> {
        let items = self.items();
        if lane.publish(n, items, self.reached()) {
            return Ok(());
        }
        lane.publish_telling(n, &self.telling(thread, items, Ended::BOTH))
    }

    #[cold]
    pub(super) fn full(&self) -> Error {
        let (ended, items) = (self.room_ended(), self.items());
        if items.ended() != ended
            && let Err(error) = items.end(None, self.share.bell(), ended)
        {
            return error;
        }
        ended.refusal(Ended::BOTH).unwrap_or(FULL)
    }

    /// Which ends are closed, where this handle's producer waits.
    fn room_ended(&self) -> Ended {
        let own = self.lanes.get(self.own.load(Relaxed));
        own.map_or(Ended::default(), |lane| lane.words().room.ended())
    }

    // --- getting ---

    /// The next record, if one is known of without a look.
    #[inline(always)]
    pub(super) fn readable_at_once(&self) -> Option<(&Lane, u64)> {
        if !self.has_role(&self.consumes_as) {
            return None;
        }
        let lane = self.lanes.get(self.next.load(Relaxed))?;
        let (head, there) = match lane.records_at_hand(1) {
            Some(found) => found,
            // Of several lanes it is the next one's turn.
            None if self.lanes.len() == 1 => lane.look_for_records().ok()?,
            None => return None,
        };
        (there != 0).then_some((lane, head))
    }

    /// The lane to read next, at least one record of which is there, and where and how many.
    pub(super) fn readable(
        &self,
        thread: &'static Thread,
        wanted: u64,
    ) -> Result<(&Lane, u64, u64)> {
        self.check_consumer(thread)?;
        // Of several the one that it has begun with, as far as that is known.
        if let Some(lane) = self.lanes.get(self.next.load(Relaxed))
            && let Some((head, there)) = lane.records_at_hand(wanted)
        {
            return Ok((lane, head, there));
        }
        loop {
            if let Some(found) = self.find_readable()? {
                return Ok(found);
            }
            let last = self.lanes.get(self.next.load(Relaxed));
            if !last.is_some_and(Lane::pauses) {
                return self.empty(thread);
            }
        }
    }

    /// Looks into all lanes, that after the last one first.
    fn find_readable(&self) -> Result<Option<(&Lane, u64, u64)>> {
        let (at, n) = (self.next.load(Relaxed), self.lanes.len());
        for at in (at + 1..=at + n).map(|at| at % n) {
            let lane = &self.lanes[at];
            let (head, there) = lane.look_for_records()?;
            if there != 0 {
                self.next.store(at, Relaxed);
                return Ok(Some((lane, head, there)));
            }
        }
        Ok(None)
    }

    /// Nothing was found: for now, or for good.
    #[cold]
    fn empty(&self, thread: &'static Thread) -> Result<(&Lane, u64, u64)> {
        let ended = self.items().ended();
        if let Some(closed) = ended.refusal(Ended::CONSUMERS) {
            return Err(closed);
        }
        if !ended.has(Ended::PRODUCERS) {
            return Err(EMPTY);
        }
        // Who looked before it was closed is seen to have said so (SAID).
        membarrier::in_all_processes();
        if self.is_any_pushing()? {
            return Err(EMPTY);
        }
        // What was published before that.
        self.check_consumer(thread)?;
        self.find_readable()?.ok_or(PRODUCERS_ENDED)
    }

    #[inline(always)]
    pub(super) fn free(&self, thread: &'static Thread, lane: &Lane, n: u64) -> Result<()> {
        if lane.free(n, self.reached()) {
            return Ok(());
        }
        lane.free_telling(n, &self.telling(thread, &lane.words().room, Ended::CONSUMERS))
    }
}

impl Drop for LaneRing {
    fn drop(&mut self) {
        self.leave(RingEnd::Producers);
        self.leave(RingEnd::Consumers);
    }
}

/// What a new ring of lanes is to be like.
fn plan(kind: Kind, ty: &Type, options: &RingOptions) -> Result<Plan> {
    options.check_capacity(MOST_RECORDS)?;
    let RingOptions { capacity, lanes, .. } = *options;
    let lanes = if kind == Kind::Spsc && lanes == 0 { 1 } else { lanes };
    if kind == Kind::Spsc && lanes != 1 {
        return Err(invalid("a spsc has one producer: leave lanes 0, or make a fanin"));
    }
    if !(1..=MOST_LANES).contains(&lanes) {
        return Err(Error::with(
            Status::InvalidArgument,
            format!("{lanes} lanes cannot be: 1 to {MOST_LANES}, one for each producer"),
        ));
    }
    let record = NonZeroUsize::new(ty.size() as usize).ok_or(invalid(
        "records of lanes have a size of their own: give it, or make a mpmc of messages",
    ))?;
    let fits = capacity.checked_mul(ty.size()).is_some_and(|bytes| bytes < 1 << 40);
    if !fits {
        return Err(invalid("the records have more bytes than any segment: ask for fewer"));
    }
    Ok(Plan { geometry: Geometry { capacity, record }, lanes })
}

/// Checks a ring of lanes.
pub(super) fn verify(attachment: &'static Attachment, body: Offset, bytes: u64) -> Result<()> {
    let memory = attachment.memory();
    let head: &LanesHead = memory.at(body)?;
    read_head(&head.ring)?;
    head.items.verify()?;
    let plan = Plan::of(head)?;
    if plan.bytes() > bytes {
        return Err(crate::error::corrupted("a ring is longer than its body"));
    }
    (0..plan.lanes).try_for_each(|lane| plan.lane(memory, body, lane)?.verify())
}

/// The type of a ring's records.
pub(super) fn type_at(attachment: &Attachment, body: Offset) -> Result<Type> {
    read_head(&attachment.memory().at::<LanesHead>(body)?.ring).map(|(ty, _)| ty)
}
