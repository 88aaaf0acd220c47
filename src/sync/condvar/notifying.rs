//! Notifying.

use super::{Caller, Grants, NOTIFYING};
use crate::error::Result;
use crate::platform::atomic::Ordering::{Relaxed, SeqCst};
use crate::sync::bell::Pull;
use crate::sync::node;

impl Caller<'_> {
    /// Notifies the `n` oldest who wait.
    ///
    /// # Errors
    /// Those of `Ring::take`: then nobody is; `Corrupted`.
    pub(crate) fn notify(&self, n: u32) -> Result<()> {
        // Rung when all are told, or by the kernel.
        let mut pull = self.bell().pull();
        self.busily(|| match self.grant(n.into(), &mut pull)? {
            Some(grants) => self.tell(grants, false),
            None => Ok(()),
        })
    }

    /// Does what others have to go on with if the thread dies in it: its trace says so, and
    /// its hook is on the bell.
    pub(super) fn busily<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        node::raise(&self.body.high, self.actor.slot());
        let own = self.own(&self.record.notifying);
        let hook = self.actor.thread().hook();
        own.post(self.which, 0, NOTIFYING);
        hook.arm(&self.body.bell);
        let outcome = act();
        own.end();
        hook.disarm();
        outcome
    }

    /// Adds up to `n` grants, and says which there are then; none if there is nobody to use
    /// them.
    fn grant(&self, n: u64, pull: &mut Pull<'_>) -> Result<Option<Grants>> {
        loop {
            let ctl = self.body.ctl.load(SeqCst);
            // A ticket of our own, so that no two notifications write the same (C1).
            // SeqCst, DRAWN.
            let limit = self.body.seq.fetch_add(1, SeqCst);
            let crowd = self.scan()?;
            if !crowd.sends_back_who_joins() {
                continue;
            }
            // Grants that nobody is left for are dropped, new ones are for who is there.
            let former = Grants::of(ctl);
            let used = former.count.min(crowd.older_than(former.limit));
            let count = (used + n).min(crowd.older_than(limit));
            if count <= used {
                return Ok(None);
            }
            // SeqCst, LISTENING: after `ctl`. Who listens says so and exchanges that.
            if self.body.listened.load(SeqCst) != 0 {
                if !pull.holds()? {
                    continue; // B2
                }
                // Whoever has said so until now is rung for, whatever comes.
                self.body.listened.store(0, SeqCst);
            }
            let granted = Grants { count, limit };
            // SeqCst, GRANTED, and before the next scan.
            let new = granted.to_ctl();
            if self.body.ctl.compare_exchange(ctl, new, SeqCst, Relaxed).is_ok() {
                return Ok(Some(granted));
            }
        }
    }
}
