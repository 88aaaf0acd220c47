//! Who listens to a tracked semaphore with a descriptor.
//!
//! Permits come by being given back, for which the bell is rung, and by the end of a holder. Who
//! listens has descriptors of the holders' processes; where that is not possible, and for holders
//! that leave without an end of their process, it looks again after a while.

use super::{Look, Tracked, TrackedBody, WAITERS, check};
use crate::error::Result;
use crate::platform::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use crate::platform::listener::Listener;
use crate::platform::pidfd::PidFd;
use crate::platform::process;
use crate::roster::attachment::Attachment;
use crate::roster::member;
use crate::sync::bell::LISTENED;
use crate::sync::holders;

/// How long it may take to see that a holder has left but not ended, by closing the segment or
/// by exec.
const LEAVING_SLICE_NS: u64 = 1_000_000_000;
/// The same of an end of which no descriptor tells.
const UNSEEN_SLICE_NS: u64 = 100_000_000;

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
        let me = member::own_word(self.attachment);
        let Look::Held(mut holders) = self.look(me, |_, _| true)? else {
            return listener.be_ready();
        };
        // A debtor may be a holder, too.
        holders.living.sort_unstable();
        holders.living.dedup();
        let all = listener.watch(&holders.living, |name| process_of(self.attachment, name))?;
        listener.look_again_after(if all { LEAVING_SLICE_NS } else { UNSEEN_SLICE_NS })
    }
}

/// The process of a member that lives, if it can be known here.
fn process_of(attachment: &Attachment, name: u64) -> Option<PidFd> {
    let id = holders::id_in(name).ok()?;
    let record = attachment.member(id.index).ok()?;
    // Relaxed: it stays the same while the member lives.
    if record.namespace.load(Relaxed) != process::pid_namespace() {
        return None;
    }
    // Acquire: as `settle` stores it.
    let process = PidFd::of(record.pid.load(Acquire))?;
    // It still lives, so the number was not another's by then.
    matches!(member::is_gone(attachment, id), Ok(false)).then_some(process)
}
