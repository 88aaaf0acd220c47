//! Waits that a thread has beside its own: the node is a deputy's.
//!
//! Such a wait is in no call, so that it is never READY: no hook is on the bell for it. Who
//! may go by a deputy is watched, as everybody who is not READY (C4), and ends its wait as
//! somebody who notifies: the thread's own trace says what is left to do if it dies.

use super::{ASLEEP, Caller, View};
use crate::error::Result;
use crate::platform::futex;
use crate::roster::thread::Deputy;
use crate::sync::node::Own;

impl Caller<'_> {
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

    fn try_to_go(&self, own: Own) -> Result<bool> {
        loop {
            match self.view(own)? {
                View::Fallen(fallen) => self.recover(&fallen)?,
                View::Chosen(ctl) if self.go(ctl) => return Ok(true),
                View::Chosen(_) => {}
                View::Others(..) => return Ok(false),
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
