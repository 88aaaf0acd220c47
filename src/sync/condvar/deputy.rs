//! Waits that a thread has beside its own: the node is a deputy's.
//!
//! Such a wait is in no call, so that it is never READY: no hook is on the bell for it. Who
//! may go by a deputy is watched, as everybody who is not READY (C4), and ends its wait as
//! somebody who notifies: the thread's own trace says what is left to do if it dies.
//!
//! The thread looks after it beside others, in `wait_any` or with a descriptor. It has no hook
//! on the bell then: killed when it was woken to watch somebody, it leaves the watch to nobody
//! until a slice is over. That takes a second death, of the one that was to be watched.

use super::{ASLEEP, CALLED, Caller, Grants, PROMISED, View, WAITING};
use crate::error::Result;
use crate::platform::atomic::Ordering::{Relaxed, SeqCst};
use crate::platform::futex;
use crate::platform::listener::Listener;
use crate::roster::death;
use crate::roster::thread::Deputy;
use crate::sync::bed::Bed;
use crate::sync::node::{self, Own, Seen};
use crate::sync::waitable::Waitable;

/// How long who listens does not see what has become of grants that are not its own.
const LISTENING_SLICE_NS: u64 = 20_000_000;

/// A wait by a deputy, on the thread of both.
pub(crate) struct Vicarious<'a> {
    caller: Caller<'a>,
    own: Own,
}

impl<'a> Caller<'a> {
    /// A deputy begins to wait: from here on a notification counts.
    ///
    /// # Errors
    /// `Corrupted` if its record is not there.
    pub(crate) fn begin_for(&self, deputy: &Deputy) -> Result<()> {
        self.begin(self.node_of(deputy)?, deputy.seat().slot);
        Ok(())
    }

    /// Ends a deputy's wait, and says whether it was notified. On the deputy's thread.
    ///
    /// # Errors
    /// `Corrupted`; the wait is over all the same.
    pub(crate) fn finish_for(&self, deputy: &Deputy) -> Result<bool> {
        let own = self.node_of(deputy)?;
        self.busily(|| {
            let notified = self.try_to_go(own);
            self.retire(own).and(notified)
        })
    }

    /// Ends a deputy's wait as if its thread had died: what it was notified of is the next
    /// one's. On any thread of its process, also when the deputy's has ended.
    ///
    /// # Errors
    /// `Corrupted`; the wait is over all the same.
    pub(crate) fn give_up_for(&self, deputy: &Deputy) -> Result<()> {
        let own = self.node_of(deputy)?;
        self.busily(|| self.retire(own))
    }

    /// A deputy's wait, to be looked after. On the deputy's thread.
    ///
    /// # Errors
    /// `Corrupted` if its record is not there.
    pub(crate) fn wait_of(self, deputy: &Deputy) -> Result<Vicarious<'a>> {
        Ok(Vicarious { own: self.node_of(deputy)?, caller: self })
    }

    fn try_to_go(&self, own: Own) -> Result<bool> {
        loop {
            let ctl = match self.view(own)? {
                View::Fallen(fallen) => {
                    self.recover(&fallen)?;
                    continue;
                }
                View::Chosen(ctl) => ctl,
                // C9: somebody older is about to say that it has gone.
                View::Others(ctl, _) if is_promised(own) && Grants::of(ctl).count > 0 => ctl,
                View::Others(..) => return Ok(false),
            };
            if self.go(ctl) {
                return Ok(true);
            }
        }
    }

    /// Somebody may have counted on the one that goes, and called it: who comes in its place
    /// learns it from us.
    fn retire(&self, own: Own) -> Result<()> {
        if own.retire() & ASLEEP != 0 {
            // Its thread waits for many things, and another one ends this wait.
            futex::wake(own.futex(), 1);
        }
        self.tell(self.grants(), false)
    }

    fn node_of(&self, deputy: &Deputy) -> Result<Own> {
        let seat = deputy.seat();
        let record = self.actor.attachment.participant(seat.slot)?;
        Ok(Own::new(&record.waiting, seat.generation))
    }
}

impl Vicarious<'_> {
    /// Says that somebody listens, and what `listener` is to be.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(crate) fn listen(&self, listener: &mut Listener) -> Result<()> {
        let body = self.caller.body;
        // SeqCst, LISTENING: before `ctl` (C6).
        body.listened.store(1, SeqCst);
        loop {
            let Some((ctl, living)) = self.look()? else {
                return listener.be_ready();
            };
            if Grants::of(ctl).count > 0 {
                // What the kernel has not told of: at the ends of slices, as sleepers do.
                let attachment = self.caller.actor.attachment;
                living.iter().try_for_each(|name| death::examine(attachment, *name))?;
                return listener.look_again_after(LISTENING_SLICE_NS); // C7
            }
            let limit = body.seq.fetch_add(1, SeqCst);
            let fresh = Grants { count: 0, limit }.to_ctl();
            // SeqCst, LISTENING.
            if body.ctl.compare_exchange(ctl, fresh, SeqCst, Relaxed).is_ok() {
                return listener.be_quiet();
            }
        }
    }

    /// Nothing if the wait may be finished as one that was notified, or has ended; else `ctl`,
    /// and those who are to be watched.
    fn look(&self) -> Result<Option<(u64, Vec<u64>)>> {
        loop {
            if self.has_ended() || is_promised(self.own) {
                return Ok(None);
            }
            match self.caller.view(self.own)? {
                View::Fallen(fallen) => self.recover(&fallen)?,
                View::Chosen(ctl) => self.promise(ctl),
                View::Others(ctl, living) => return Ok(Some((ctl, living))),
            }
        }
    }

    /// Its thread is told that the wait may be finished, so it may be (C9): if nobody has gone
    /// while those were counted who are older.
    fn promise(&self, ctl: u64) {
        let state = self.own.state();
        let flags = node::flags_in(state);
        // SeqCst: after the states of the others. Another thread may have ended it.
        if flags & WAITING != 0 && self.caller.body.ctl.load(SeqCst) == ctl {
            self.own.exchange(state, flags | PROMISED);
        }
    }

    /// With the hook on the bell, so that whoever dies in it has somebody go on.
    fn recover(&self, fallen: &[Seen<'_>]) -> Result<()> {
        self.caller.busily(|| self.caller.recover(fallen))
    }

    /// Another thread has closed it.
    fn has_ended(&self) -> bool {
        self.own.flags() & WAITING == 0
    }

    /// Goes to bed, if nobody has called meanwhile.
    fn lie_down<'b>(&'b self, bed: &mut Bed<'b>, ctl: u64, living: &[u64]) -> Result<bool> {
        let state = self.own.state();
        if node::flags_in(state) & !ASLEEP != WAITING {
            return Ok(false);
        }
        let Some(asleep) = self.own.exchange(state, WAITING | ASLEEP) else {
            return Ok(false);
        };
        let body = self.caller.body;
        // C5.
        bed.add(node::watch_bell(&body.bell)?);
        bed.compare(self.own.watch(asleep));
        futex::watches(&body.ctl, ctl).into_iter().for_each(|half| bed.compare(half));
        living.iter().for_each(|name| bed.watch(self.caller.actor.attachment, *name));
        Ok(true)
    }

    /// It may have been woken to tell others, or to watch them.
    fn pass_on(&self) -> Result<()> {
        if self.own.flags() & ASLEEP != 0 {
            self.own.clear(ASLEEP);
        }
        let grants = self.caller.grants();
        if grants.count == 0 {
            return Ok(());
        }
        let crowd = self.caller.scan()?;
        if !crowd.fallen.is_empty() {
            return self.recover(&crowd.fallen);
        }
        self.caller.watch_the_distant(&crowd.chosen(grants));
        Ok(())
    }
}

fn is_promised(own: Own) -> bool {
    own.flags() & PROMISED != 0
}

impl Waitable for Vicarious<'_> {
    fn seems_ready(&self) -> bool {
        let is_quiet = self.own.flags() & (WAITING | CALLED) == WAITING;
        !is_quiet || self.caller.grants().count > 0
    }

    fn is_ready(&self) -> Result<bool> {
        self.look().map(|others| others.is_none())
    }

    fn prepare<'b>(&'b self, bed: &mut Bed<'b>) -> Result<bool> {
        loop {
            match self.look()? {
                None => return Ok(true),
                Some((ctl, living)) if self.lie_down(bed, ctl, &living)? => return Ok(false),
                Some(_) => {}
            }
        }
    }

    fn leave(&self) {
        // Of what is damaged, other calls tell.
        let _ = self.pass_on();
    }
}
