//! A ring for many as one handle uses it.

use core::num::NonZeroUsize;

use super::ring::{EMPTY, FULL, RingOptions, Waiting, check_wanted, read_head};
use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use super::types::Type;
use crate::error::{Error, Result, corrupted, invalid};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::layout::rings::RingHead;
use crate::platform::atomic::{AtomicU64, Ordering::Relaxed};
use crate::platform::time::now_ns;
use crate::ring::mpmc::{By, Found, Mpmc, Way};
use crate::ring::plan::{MOST_RECORDS, MpmcHead, Plan};
use crate::roster::attachment::Attachment;
use crate::roster::claims::{Claimant, RingId};
use crate::roster::listening::Ear;
use crate::roster::participant::slot_in;
use crate::roster::thread::Thread;
use crate::segment::directory::Wanted;
use crate::sync::side::{Alert, Ended, PRODUCERS_ENDED, Side};
use crate::sync::wait::Spin;

/// A getter that finds nothing looks for the dead no more often than this.
const LOOK_FOR_DEAD_NS: u64 = 1_000_000;

/// A ring for many that is open.
#[derive(Debug)]
pub(crate) struct MpmcRing {
    pub(super) ears: [Ear; 2],
    pub(super) share: Share<MpmcHead>,
    pub(super) ty: Type,
    pub(super) ring: Mpmc,
    pub(super) waiting: Waiting,
    pub(super) spin: Spin,
    /// When somebody last looked for the dead.
    looked_ns: AtomicU64,
}

impl MpmcRing {
    pub(super) fn obtain(
        segment: &Segment,
        name: Option<&str>,
        wanted: Wanted,
        ty: Option<&Type>,
        options: &RingOptions,
    ) -> Result<Self> {
        let plan = match (wanted, ty) {
            (Wanted::Existing, _) => None,
            (_, Some(ty)) => Some(plan(ty, options)?),
            (_, None) => return Err(invalid("a new ring has records of some type: give it")),
        };
        let more = plan.map_or(0, |(_, bytes)| bytes - size_of::<MpmcHead>() as u64);
        let memory = segment.attachment().memory();
        let begin = |head: &MpmcHead| {
            if let (Some((plan, _)), Some(ty)) = (plan, ty) {
                let ring =
                    RingHead::new(ty.to_record(), plan.capacity, 0).waiting(options.waiting as u32);
                // The block is ours until it is published, and as long as was asked for.
                let body = memory.offset_of(&head.ring);
                let _ = memory.write(body, ring);
                let _ = plan.begin(memory, body);
            }
        };
        let share = Share::obtain(segment, name, wanted, Kind::Mpmc, more, begin)?;
        let ring = Self::of(share)?;
        let capacity = ring.ring.plan.capacity;
        let is = RingOptions::with_capacity(capacity).with_waiting(ring.waiting);
        check_wanted(Kind::Mpmc.noun(), (&ring.ty, &is), (ty, options))?;
        Ok(ring)
    }

    pub(super) fn import(ticket: &Ticket) -> Result<Self> {
        Self::of(Share::redeem(ticket, &[Kind::Mpmc])?.0)
    }

    pub(super) fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    fn of(share: Share<MpmcHead>) -> Result<Self> {
        let (ty, waiting) = read_head(&share.body().ring)?;
        let identity = share.identity();
        let id = RingId { object: identity.object, place: identity.place };
        let ring = Mpmc::at(share.attachment(), share.offset(), id)?;
        let ears = [Ear::new(), Ear::new()];
        let looked_ns = AtomicU64::new(0);
        Ok(Self { ears, ty, ring, waiting, spin: Spin::new(), looked_ns, share })
    }

    /// How records go, for code in other programs that moves them; messages do not.
    pub(crate) fn way(&self) -> Option<Way<'_>> {
        self.ring.way().filter(|_| self.share.attachment().memory().is_writable())
    }

    /// The number by which this process knows its segment.
    pub(crate) fn segment_number(&self) -> u64 {
        self.share.attachment().number()
    }

    /// The type of its records.
    pub(super) fn ty(&self) -> &Type {
        &self.ty
    }

    pub(crate) fn items(&self) -> &'static Side {
        &self.share.body().items
    }

    pub(crate) fn room(&self) -> &'static Side {
        &self.share.body().room
    }

    /// The calling thread, as who claims.
    #[inline(always)]
    pub(super) fn by(&self, thread: &'static Thread) -> Result<By<'static>> {
        let attachment = self.share.attachment();
        let name = thread.name_in(attachment)?;
        let record = attachment.participant(slot_in(name))?;
        Ok(By { claimant: Claimant::of(record, self.ring.id), name })
    }

    // --- putting ---

    /// Claims places for up to `n` records.
    #[inline(always)]
    pub(super) fn claim_room(&self, by: By<'_>, n: u64) -> Result<(u64, u64)> {
        self.check_open()?;
        match self.ring.claim_room(by, n)? {
            Some(claimed) => Ok(claimed),
            None => Err(self.full()),
        }
    }

    /// Has `n` records published that were written, or if they cannot be, buried.
    #[inline(always)]
    pub(super) fn publish(
        &self,
        thread: &'static Thread,
        n: u64,
        publish: impl FnOnce(),
        bury: impl FnOnce(),
    ) -> Result<()> {
        if !self.items().is_watched() {
            publish();
            return Ok(());
        }
        match self.alert_getters(thread) {
            Ok(alert) => {
                publish();
                alert.sound(n as u32);
                Ok(())
            }
            Err(error) => {
                bury();
                Err(error)
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn alert_getters(&self, thread: &'static Thread) -> Result<Alert<'_>> {
        let items = self.items();
        match items.ended().refusal(Ended::BOTH) {
            Some(closed) => Err(closed),
            None => items.alert(Some(thread), self.share.bell()),
        }
    }

    /// Refuses to claim anything where an end is closed: it would be buried.
    #[inline(always)]
    pub(super) fn check_open(&self) -> Result<()> {
        match self.items().ended() {
            ended if ended.has(Ended::BOTH) => Err(ended.refusal(Ended::BOTH).unwrap_or(FULL)),
            _ => Ok(()),
        }
    }

    /// There is no room: for now, or for good.
    #[cold]
    pub(super) fn full(&self) -> Error {
        let (ended, items) = (self.room().ended(), self.items());
        if items.ended() != ended
            && let Err(error) = items.end(None, self.share.bell(), ended)
        {
            return error;
        }
        ended.refusal(Ended::BOTH).unwrap_or(FULL)
    }

    // --- getting ---

    /// Claims up to `n` records: from where on, and how many.
    #[inline(always)]
    pub(super) fn claim_records(&self, by: By<'_>, n: u64) -> Result<(u64, u64)> {
        match self.ring.claim_records(by, n)? {
            Found::Records(position, n) => Ok((position, n)),
            found => self.nothing(by, found),
        }
    }

    /// Nothing was found: for now, or for good.
    #[cold]
    #[inline(never)]
    fn nothing(&self, by: By<'_>, found: Found) -> Result<(u64, u64)> {
        let is_last = self.is_last(by, found == Found::Nothing)?;
        // Also what was published before the end was closed.
        match self.ring.claim_records(by, 1)? {
            Found::Records(position, n) => Ok((position, n)),
            Found::Nothing if is_last => Err(PRODUCERS_ENDED),
            _ => Err(EMPTY),
        }
    }

    /// What a getter does before it looks once more where it found nothing: true if that is the
    /// last look, for nothing comes any more.
    pub(super) fn is_last(&self, by: By<'_>, is_nothing: bool) -> Result<bool> {
        let ended = self.items().ended();
        if let Some(closed) = ended.refusal(Ended::CONSUMERS) {
            return Err(closed);
        }
        let is_last = is_nothing && ended.has(Ended::PRODUCERS) && !self.may_come_back(by)?;
        let now = now_ns();
        // Relaxed: a hint.
        if is_last || now.wrapping_sub(self.looked_ns.load(Relaxed)) > LOOK_FOR_DEAD_NS {
            self.looked_ns.store(now, Relaxed);
            self.ring.look_for_dead()?;
        }
        Ok(is_last)
    }

    /// Whether another process has records in the hand, and may die with them or give them up.
    pub(super) fn may_come_back(&self, by: By<'_>) -> Result<bool> {
        Ok(self.ring.reservations().has_record_elsewhere()?
            || self.ring.holders()?.iter().any(|name| *name != by.name))
    }

    /// Something was got for good. If nothing more comes, who waits for that to be the last is to
    /// learn it; killed before, whoever watches us looks.
    pub(super) fn tell_if_last(&self) {
        if self.items().ended().has(Ended::PRODUCERS) {
            self.items().nudge();
        }
    }

    /// What is to be done once `n` records are claimed: reads them, and frees their places.
    #[inline(always)]
    pub(super) fn receive(
        &self,
        thread: &'static Thread,
        by: By<'_>,
        n: u64,
        read: impl FnOnce(),
        release: impl FnOnce(),
    ) -> Result<()> {
        if self.items().is_watched() || self.room().is_watched() {
            return self.receive_telling(thread, by, n, read, release);
        }
        read();
        release();
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn receive_telling(
        &self,
        thread: &'static Thread,
        by: By<'_>,
        n: u64,
        read: impl FnOnce(),
        release: impl FnOnce(),
    ) -> Result<()> {
        // Who dies before they are free leaves them to another getter, who is told: of those who
        // wait for records, or by one who waits for room, whichever the hook is on.
        let told = match self.items().ended().refusal(Ended::CONSUMERS) {
            Some(closed) => Err(closed),
            None => self.items().guard(Some(thread)),
        };
        let told = told.and_then(|guard| {
            read();
            let alert = self.room().alert(Some(thread), self.share.bell())?;
            release();
            alert.sound(n as u32);
            drop(guard);
            self.tell_if_last();
            Ok(())
        });
        told.inspect_err(|_| {
            // They stay, for whoever gets them next.
            self.ring.leave_to_others(by);
        })
    }

    /// Gets records that are claimed.
    #[inline(always)]
    pub(super) fn receive_records(
        &self,
        thread: &'static Thread,
        by: By<'_>,
        (position, n): (u64, u64),
        read: impl FnOnce(),
    ) -> Result<u32> {
        let times = self.ring.times(position);
        let release = || (position..position + n).for_each(|at| self.ring.release(at));
        self.receive(thread, by, n, read, release).map(|()| times)
    }

    /// Puts records that are written.
    #[inline(always)]
    pub(crate) fn publish_records(
        &self,
        thread: &'static Thread,
        position: u64,
        n: u64,
    ) -> Result<()> {
        let publish = || (position..position + n).for_each(|at| self.ring.publish(at));
        let bury = || (position..position + n).for_each(|at| self.ring.bury(at));
        self.publish(thread, n, publish, bury)
    }
}

impl Drop for MpmcRing {
    fn drop(&mut self) {
        self.ring.abandon_all();
    }
}

/// What a new ring is to be like, and how many bytes its body has.
fn plan(ty: &Type, options: &RingOptions) -> Result<(Plan, u64)> {
    options.check_capacity(MOST_RECORDS)?;
    if options.lanes != 0 {
        return Err(invalid("a mpmc has no lanes: leave them 0, or make a fanin"));
    }
    let plan = match NonZeroUsize::new(ty.size() as usize) {
        Some(record) => Plan::of_records(options.capacity, record, ty.align()),
        None if options.capacity < 2 => return Err(TOO_FEW_CELLS),
        None => Plan::of_cells(options.capacity),
    };
    let too_many: Error = invalid("the records have more bytes than any segment: ask for fewer");
    plan.bytes().map(|bytes| (plan, bytes)).ok_or(too_many)
}

const TOO_FEW_CELLS: Error =
    invalid("a ring of messages has at least 2 cells: a message may have half of them");

/// Checks a ring.
pub(super) fn verify(
    attachment: &'static Attachment,
    body: Offset,
    bytes: u64,
    id: RingId,
) -> Result<()> {
    let ring = Mpmc::at(attachment, body, id)?;
    read_head(&attachment.memory().at::<MpmcHead>(body)?.ring)?;
    if ring.plan.bytes().is_none_or(|needed| needed > bytes) {
        return Err(corrupted("a ring is longer than its body"));
    }
    ring.verify()
}

/// The type of a ring's records.
pub(super) fn type_at(attachment: &Attachment, body: Offset) -> Result<Type> {
    read_head(&attachment.memory().at::<MpmcHead>(body)?.ring).map(|(ty, _)| ty)
}
