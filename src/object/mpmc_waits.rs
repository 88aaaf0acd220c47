//! How the users of a ring for many wait.

use std::os::fd::BorrowedFd;

use super::mpmc_ring::MpmcRing;
use super::ring::RingEnd;
use crate::error::{Error, Result, Status};
use crate::platform::atomic::{Ordering::SeqCst, fence};
use crate::platform::time::Deadline;
use crate::ring::mpmc::By;
use crate::ring::outlook::Outlook;
use crate::roster::thread::{self, Thread};
use crate::sync::bed::Bed;
use crate::sync::holders::Holders;
use crate::sync::side::{Attempt, Ended, Look, Side};
use crate::sync::waitable::Waitable;

/// Who polls is told of a record that a dead one leaves by nobody: it looks again after this.
const SLICE_NS: u64 = 100_000_000;
/// While somebody is at work on what is waited for.
const SOON_NS: u64 = 1_000_000;

impl MpmcRing {
    pub(super) fn until<T>(
        &self,
        end: RingEnd,
        thread: &'static Thread,
        deadline: Deadline,
        mut act: impl FnMut() -> Result<T>,
        late: Error,
    ) -> Result<T> {
        match act() {
            Err(error) if is_no(&error) => {}
            outcome => return outcome,
        }
        let mut wait = self.waiting.until(deadline, &self.spin);
        let trying = Trying { ring: self, by: self.by(thread)?, end, act };
        match self.side(end).wait(self.share.attachment(), thread, &mut wait, trying)? {
            Some(done) => Ok(done),
            None => Err(wait.refusal(late)),
        }
    }

    /// Where one waits for that end.
    fn side(&self, end: RingEnd) -> &'static Side {
        match end {
            RingEnd::Consumers => self.items(),
            RingEnd::Producers => self.room(),
        }
    }

    /// Whether somebody living is about to change what one waits for, or has.
    fn is_other_at_work(&self, by: By<'_>, end: RingEnd) -> Result<bool> {
        match end {
            RingEnd::Consumers => Ok(self.ring.outlook(by)? != Outlook::Nothing),
            RingEnd::Producers => self.ring.is_room_coming(by),
        }
    }

    /// Those whose death would leave something for who waits there: what lock words call them.
    /// `None`: somebody cannot be watched, or has died or come meanwhile.
    fn others(&self, by: By<'_>, end: RingEnd) -> Result<Option<Vec<u64>>> {
        let reserved = Holders::of(self.share.attachment(), self.ring.reservations().holders())?;
        let mut others = reserved.threads;
        if end == RingEnd::Consumers {
            others.extend(self.ring.holders()?);
        }
        others.retain(|name| *name != by.name);
        // Who died before the look at the living is not among them: then a getter looks again, and
        // a putter has one do so.
        let is_suspected = self.ring.look_for_dead()?;
        if is_suspected && end == RingEnd::Producers {
            self.ring.suspect();
        }
        let looks_soon = reserved.some_unseen
            || is_suspected && end == RingEnd::Consumers
            || self.is_other_at_work(by, end)?
            || end == RingEnd::Consumers && self.is_last_being_got(by)?;
        Ok((!looks_soon).then_some(others))
    }

    /// Whether nothing more is put and somebody is at work on the last ones: it may have looked
    /// before the end was closed, and tell nobody.
    fn is_last_being_got(&self, by: By<'_>) -> Result<bool> {
        let ring = &self.ring;
        Ok(self.items().ended().has(Ended::PRODUCERS)
            && (ring.reservations().is_any_being_emptied()
                || ring.holders()?.iter().any(|name| *name != by.name)))
    }

    fn seems_ready(&self, end: RingEnd) -> bool {
        match end {
            RingEnd::Consumers => self.ring.has_records(),
            RingEnd::Producers => self.ring.has_room(),
        }
    }

    /// Whether there is something to get (to have room to put), or would be an answer.
    fn is_ready(&self, by: By<'_>, end: RingEnd) -> Result<bool> {
        let ended = self.items().ended();
        match end {
            RingEnd::Producers => Ok(ended.has(Ended::BOTH) || self.ring.has_room()),
            RingEnd::Consumers if ended.has(Ended::CONSUMERS) => Ok(true),
            RingEnd::Consumers => Ok(self.ring.outlook(by)? == Outlook::There
                || ended.has(Ended::PRODUCERS)
                    && !self.ring.has_records()
                    && !self.may_come_back(by)?),
        }
    }

    /// The calling thread, for who asks without one.
    fn by_here(&self) -> Result<By<'static>> {
        self.by(thread::here()?)
    }

    /// One end among several things that a call waits for.
    pub(super) fn one_end(&self, end: RingEnd) -> OneEnd<'_> {
        OneEnd { ring: self, end }
    }

    /// Whether one can wait for it.
    pub(super) fn is_writable(&self) -> bool {
        self.share.attachment().memory().is_writable()
    }

    pub(super) fn lend_descriptor(&self, end: RingEnd) -> Result<BorrowedFd<'_>> {
        let (items, room) = (self.items(), self.room());
        let forget = move || {
            items.forget_listeners();
            room.forget_listeners();
        };
        self.share.listen_until(&self.ears[end as usize], forget, |listener| {
            listener.renew()?;
            self.side(end).listen()?;
            fence(SeqCst); // SAID
            self.ring.look_for_dead()?;
            let by = self.by_here()?;
            if self.is_ready(by, end)? {
                listener.be_ready()
            } else if self.is_other_at_work(by, end)? {
                listener.look_again_after(SOON_NS)
            } else {
                listener.look_again_after(SLICE_NS)
            }
        })
    }
}

/// What is tried until it can be done.
struct Trying<'a, F> {
    ring: &'a MpmcRing,
    by: By<'a>,
    end: RingEnd,
    act: F,
}

impl<T, F: FnMut() -> Result<T>> Attempt for Trying<'_, F> {
    type Done = T;

    fn attempt(&mut self) -> Result<Look<T>> {
        match (self.act)() {
            Ok(done) => Ok(Look::Done(done)),
            Err(error) if !is_no(&error) => Err(error),
            // Whether somebody is at work `living` says, who is asked before a sleep.
            Err(_) => Ok(Look::Nothing),
        }
    }

    fn order(&self) -> bool {
        fence(SeqCst); // SAID
        true
    }

    fn is_more(&self) -> bool {
        let ring = &self.ring.ring;
        self.ring.seems_ready(self.end)
            || !ring.reservations().holders().is_empty()
            || self.end == RingEnd::Consumers
                && ring.holders().is_ok_and(|holders| !holders.is_empty())
    }

    fn living(&self) -> Result<Option<Vec<u64>>> {
        self.ring.others(self.by, self.end)
    }
}

/// One end of a ring among several things that a call waits for.
pub(super) struct OneEnd<'a> {
    ring: &'a MpmcRing,
    end: RingEnd,
}

impl Waitable for OneEnd<'_> {
    fn seems_ready(&self) -> bool {
        self.ring.seems_ready(self.end)
    }

    fn is_ready(&self) -> Result<bool> {
        self.ring.is_ready(self.ring.by_here()?, self.end)
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        self.ring.side(self.end).prepare(bed)?;
        fence(SeqCst); // SAID
        self.ring.ring.look_for_dead()?;
        let by = self.ring.by_here()?;
        if self.ring.is_ready(by, self.end)? {
            return Ok(true);
        }
        match self.ring.others(by, self.end)? {
            None => bed.look_again_soon(),
            Some(others) => {
                let attachment = self.ring.share.attachment();
                others.into_iter().for_each(|name| bed.watch(attachment, name));
            }
        }
        Ok(false)
    }

    fn leave(&self) {
        self.ring.side(self.end).leave();
    }
}

/// Whether that only says that it cannot be done now.
pub(super) fn is_no(error: &Error) -> bool {
    matches!(error.status(), Status::Empty | Status::Full)
}
