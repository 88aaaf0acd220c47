//! The wait of a thread: prepared, then looked after in one call or several.

use super::{ASLEEP, CALLED, Caller, JOINING, LEAVING, READY, View, WAITING};
use crate::error::{Error, Result, Status};
use crate::platform::atomic::Ordering::SeqCst;
use crate::platform::futex;
use crate::sync::node::{self, Own};
use crate::sync::wait::Wait;

impl Caller<'_> {
    /// Whether the thread has prepared a wait, for this object or another one.
    pub(crate) fn has_prepared(&self) -> bool {
        node::use_of(&self.record.waiting).is_some()
    }

    /// Begins to wait: from here on a notification counts.
    ///
    /// # Errors
    /// `Deadlock` if the thread has prepared a wait already.
    pub(crate) fn prepare(&self) -> Result<()> {
        if self.has_prepared() {
            return Err(PREPARED_ALREADY);
        }
        self.begin(self.own(&self.record.waiting), self.actor.slot());
        Ok(())
    }

    /// A node in `slot` begins to wait.
    pub(super) fn begin(&self, own: Own, slot: u32) {
        node::raise(&self.body.high, slot);
        loop {
            let joining = own.post(self.which, 0, JOINING);
            // C1. SeqCst, DRAWN.
            let ticket = self.body.seq.fetch_add(1, SeqCst);
            if own.repost(joining, ticket, WAITING) {
                return; // C8
            }
        }
    }

    /// Ends a wait that cannot go on. Nobody is told, as if the thread had died.
    pub(crate) fn give_up(&self) {
        self.own(&self.record.waiting).end();
    }

    /// Waits to be notified, and ends the wait.
    ///
    /// # Errors
    /// `TimedOut` and `Interrupted`: it was not; `NotOwner` if no wait is prepared.
    pub(crate) fn finish(&self, wait: &mut Wait<'_>) -> Result<()> {
        self.wait(wait, |own| self.leave(own).map(|()| true))
    }

    /// The same, but a wait that is not notified stays prepared.
    ///
    /// # Errors
    /// As for `finish`.
    pub(crate) fn finish_a_piece(&self, wait: &mut Wait<'_>) -> Result<()> {
        self.wait(wait, |own| self.step_back(own))
    }

    /// `give_up` is what to do when the time is over; false: it is not over yet.
    fn wait(&self, wait: &mut Wait<'_>, give_up: impl Fn(Own) -> Result<bool>) -> Result<()> {
        let own = self.own(&self.record.waiting);
        if own.identity() != Some(self.which) {
            return Err(NOT_PREPARED);
        }
        let hook = self.actor.thread().hook();
        hook.arm(&self.body.bell);
        self.actor.thread().on_bell.set(Some(own.word()));
        own.set(READY);
        let outcome = self.wait_ready(own, wait, give_up).inspect_err(|_| own.end());
        self.actor.thread().on_bell.set(None);
        hook.disarm();
        if outcome? { Ok(()) } else { Err(wait.refusal(NOT_NOTIFIED)) }
    }

    /// Says whether the thread was notified.
    fn wait_ready(
        &self,
        own: Own,
        wait: &mut Wait<'_>,
        give_up: impl Fn(Own) -> Result<bool>,
    ) -> Result<bool> {
        loop {
            if self.look(own, wait)? {
                return self.leave(own).map(|()| true);
            }
            if give_up(own)? {
                return Ok(false);
            }
        }
    }

    /// Looks and sleeps until the thread may go, or the time is over: false.
    fn look(&self, own: Own, wait: &mut Wait<'_>) -> Result<bool> {
        loop {
            match self.view(own)? {
                View::Fallen(fallen) => self.recover(&fallen)?,
                View::Chosen(ctl) => {
                    if self.go(ctl) {
                        return Ok(true);
                    }
                }
                View::Others(..) if wait.is_over() => return Ok(false),
                View::Others(ctl, living) => self.sleep(own, wait, ctl, &living)?,
            }
        }
    }

    /// Sleeps until somebody calls, or one of the living dies who may go or call.
    fn sleep(&self, own: Own, wait: &mut Wait<'_>, ctl: u64, living: &[u64]) -> Result<()> {
        let awake = loop {
            let state = own.state();
            if node::flags_in(state) & CALLED != 0 {
                return Ok(());
            }
            if !wait.pause_until(|| own.flags() & CALLED != 0) {
                break state;
            }
        };
        // Who calls from here on wakes us, too. It fails if somebody has just called.
        let Some(asleep) = own.exchange(awake, WAITING | READY | ASLEEP) else {
            return Ok(());
        };
        let [low, high] = futex::watches(&self.body.ctl, ctl);
        // C5.
        let words = [node::watch_bell(&self.body.bell)?, own.watch(asleep), low, high];
        wait.sleep(self.actor.attachment, &words, living)
    }

    /// Stops waiting. Somebody may have counted on us since our last look, and called us:
    /// who comes in our place learns it from us.
    fn leave(&self, own: Own) -> Result<()> {
        own.become_only(LEAVING);
        let left = self.tell(self.grants(), false);
        own.end();
        left
    }

    /// Goes on waiting without a hook on the bell; false if that cannot be, because there is
    /// something to do first.
    fn step_back(&self, own: Own) -> Result<bool> {
        own.clear(READY);
        let grants = self.grants();
        if grants.count == 0 {
            return Ok(true);
        }
        let crowd = self.scan()?;
        let found_a_trace = !crowd.fallen.is_empty();
        let chosen = crowd.chosen(grants);
        if found_a_trace || chosen.iter().any(|waiter| waiter.slot == self.actor.slot()) {
            own.set(READY);
            return Ok(false);
        }
        self.watch_the_distant(&chosen);
        Ok(true)
    }
}

const NOT_NOTIFIED: Error =
    Error::new(Status::TimedOut, "nobody notified this thread before the time was over");
const PREPARED_ALREADY: Error = Error::new(
    Status::Deadlock,
    "this thread has prepared a wait for a condvar of this segment: commit or cancel it first",
);
const NOT_PREPARED: Error = Error::new(
    Status::NotOwner,
    "this thread has prepared no wait for this condvar: prepare one first; a forked child has none",
);
