//! Who listens to a tracked semaphore with a descriptor.
//!
//! Permits come by being given back, for which the bell is rung, and by the end of a holder,
//! which rings for nothing: who listens looks again after a while.

use super::{LISTENED, Tracked, TrackedBody, WAITERS, check};
use crate::error::Result;
use crate::platform::atomic::Ordering::{Relaxed, SeqCst};
use crate::platform::listener::Listener;
use crate::roster::member;
use crate::sync::holders::Holders;

/// How long who listens does not see that a holder has died or left.
const LISTENING_SLICE_NS: u64 = 100_000_000;

impl TrackedBody {
    /// Nobody listens any more.
    pub(crate) fn forget_listeners(&self) {
        // Relaxed: a flag publishes nothing.
        self.word.fetch_and(!LISTENED, Relaxed);
    }
}

impl Tracked {
    /// Somebody is about to listen: says so, and then what `listener` is to be.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(crate) fn listen(&self, listener: &mut Listener) -> Result<()> {
        let me = member::own_word(self.attachment);
        check(self.body.word.load(Relaxed))?;
        // SeqCst, WAITING: as who goes to sleep (T2, B1).
        self.body.word.fetch_or(WAITERS | LISTENED, SeqCst);
        loop {
            let words = self.permits.iter().map(|permit| permit.load(SeqCst));
            let held: Vec<u64> = words.filter(|word| *word != 0).collect();
            if held.len() < self.permits.len() {
                return listener.be_ready();
            }
            let others = held.into_iter().filter(|word| *word != me).collect();
            let mut holders = Holders::of(self.attachment, others)?;
            if holders.any_gone() {
                return listener.be_ready();
            }
            if self.watch_debtor(me, &mut holders)? {
                return listener.look_again_after(LISTENING_SLICE_NS);
            }
        }
    }
}
