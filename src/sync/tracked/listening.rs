//! Who listens to a tracked semaphore with a descriptor.
//!
//! Permits come by being given back, for which the bell is rung, and by the end of a holder,
//! which rings for nothing: who listens looks again after a while.

use super::{Look, Tracked, TrackedBody, WAITERS, check};
use crate::error::Result;
use crate::platform::atomic::Ordering::{Relaxed, SeqCst};
use crate::platform::listener::Listener;
use crate::roster::member;
use crate::sync::bell::LISTENED;

/// How long who listens does not see that a holder has died or left.
const SLICE_NS: u64 = 100_000_000;

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
        let word = &self.body.word;
        check(word.load(Relaxed))?;
        // SeqCst, WAITING: as who goes to sleep (T2, B1).
        word.fetch_or(WAITERS | LISTENED, SeqCst);
        match self.look(member::own_word(self.attachment), |_, _| true)? {
            Look::Found => listener.be_ready(),
            Look::Held(_) => listener.look_again_after(SLICE_NS),
        }
    }
}
