//! How the users of a ring with lanes wait.

use super::lanes::LaneRing;
use super::ring::RingEnd;
use crate::error::{Error, Result, Status};
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::membarrier;
use crate::platform::time::Deadline;
use crate::ring::lane::Lane;
use crate::roster::thread::Thread;
use crate::sync::bed::Bed;
use crate::sync::role;
use crate::sync::side::{Attempt, Ended, Look, Side};
use crate::sync::waitable::Waitable;

impl LaneRing {
    pub(super) fn until<T>(
        &self,
        end: RingEnd,
        side: &'static Side,
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
        let trying = Trying { ring: self, end, act };
        match side.wait(self.attachment(), thread, &mut wait, trying)? {
            Some(done) => Ok(done),
            None => Err(wait.refusal(late)),
        }
    }

    /// Whether there is something to get (to have room to put), or would be an answer.
    pub(super) fn is_ready(&self, end: RingEnd) -> Result<bool> {
        let ended = self.items().ended();
        let is_over = match end {
            RingEnd::Producers => ended.has(Ended::BOTH),
            RingEnd::Consumers => {
                ended.has(Ended::CONSUMERS)
                    || ended.has(Ended::PRODUCERS) && !self.is_any_pushing()?
            }
        };
        Ok(is_over || self.seems_ready(end))
    }

    /// The same by the counters alone.
    pub(super) fn seems_ready(&self, end: RingEnd) -> bool {
        let length = |lane: &Lane| {
            let [pushed, popped, _] = lane.counts();
            pushed.wrapping_sub(popped)
        };
        match end {
            RingEnd::Consumers => self.lanes.iter().any(|lane| length(lane) != 0),
            RingEnd::Producers => {
                let own = self.own_lane();
                own.is_none_or(|lane| length(lane) < self.plan.geometry.capacity)
            }
        }
    }

    /// The lane that a put would go to, if that is known.
    pub(super) fn own_lane(&self) -> Option<&Lane> {
        let is_one = self.lanes.len() == 1 || self.produces_as.load(Relaxed) != 0;
        self.lanes.get(self.own.load(Relaxed)).filter(|_| is_one)
    }

    /// Where one waits for that end.
    pub(super) fn side(&self, end: RingEnd) -> &'static Side {
        match end {
            RingEnd::Consumers => self.items(),
            RingEnd::Producers => &self.lanes[self.own.load(Relaxed)].words().room,
        }
    }

    /// Whether somebody living on the other side is about to change what one waits for.
    pub(super) fn is_other_at_work(&self, end: RingEnd) -> Result<bool> {
        match end {
            RingEnd::Consumers => self.is_any_pushing(),
            RingEnd::Producers => {
                let is_popping = self.own_lane().is_some_and(Lane::is_popping);
                Ok(is_popping
                    && role::is_taken(&self.share.body().ring.consumer, self.attachment())?)
            }
        }
    }

    pub(super) fn is_any_pushing(&self) -> Result<bool> {
        for lane in self.lanes.iter().filter(|lane| lane.is_pushing()) {
            if role::is_taken(&lane.words().producer, self.attachment())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether one can wait for it.
    pub(super) fn is_writable(&self) -> bool {
        self.attachment().memory().is_writable()
    }
}

/// One end of a ring among several things that a call waits for.
pub(super) struct OneEnd<'a> {
    ring: &'a LaneRing,
    end: RingEnd,
}

impl LaneRing {
    pub(super) fn one_end(&self, end: RingEnd) -> OneEnd<'_> {
        OneEnd { ring: self, end }
    }
}

impl Waitable for OneEnd<'_> {
    fn seems_ready(&self) -> bool {
        self.ring.seems_ready(self.end)
    }

    fn is_ready(&self) -> Result<bool> {
        self.ring.is_ready(self.end)
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        self.ring.side(self.end).prepare(bed)?;
        let is_ordered = membarrier::in_all_processes();
        if self.is_ready()? {
            return Ok(true);
        }
        if !is_ordered || self.ring.is_other_at_work(self.end)? {
            bed.look_again_soon();
        }
        Ok(false)
    }

    fn leave(&self) {
        self.ring.side(self.end).leave();
    }
}

/// What is tried until it can be done.
struct Trying<'a, F> {
    ring: &'a LaneRing,
    end: RingEnd,
    act: F,
}

impl<T, F: FnMut() -> Result<T>> Attempt for Trying<'_, F> {
    type Done = T;

    fn attempt(&mut self) -> Result<Look<T>> {
        match (self.act)() {
            Ok(done) => Ok(Look::Done(done)),
            Err(error) if !is_no(&error) => Err(error),
            Err(_) if self.ring.is_other_at_work(self.end)? => Ok(Look::InFlight),
            Err(_) => Ok(Look::Nothing),
        }
    }

    fn order(&self) -> bool {
        membarrier::in_all_processes()
    }

    fn is_more(&self) -> bool {
        self.ring.seems_ready(self.end)
    }
}

/// Whether that only says that it cannot be done now.
fn is_no(error: &Error) -> bool {
    matches!(error.status(), Status::Empty | Status::Full)
}
