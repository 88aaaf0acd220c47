//! Who may be looking at something that is to be freed: calls in progress, and guests.

use super::{InCall, Thread, current, records};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use crate::platform::membarrier;

/// Calls in progress of threads without a record.
static GUESTS: AtomicU64 = AtomicU64::new(0);

/// A call that may be made at any moment, also by a signal handler that has interrupted
/// another call, and by a thread that is not set up. It takes no seat.
pub(crate) enum Visit {
    /// On a thread that was in no call.
    Call(InCall),
    /// Within another call of the thread: what can be found now stays until that ends.
    Nested(&'static Thread),
    /// On a thread without a record.
    Guest,
}

/// Begins such a call.
pub(crate) fn visit() -> Visit {
    // Relaxed: only this thread writes its own counter (and in a fork the kernel).
    match current().filter(|thread| thread.calls.load(Relaxed) != 0) {
        Some(thread) => thread.begin_call().map_or(Visit::Nested(thread), Visit::Call),
        None => {
            // SeqCst: pairs with `Witness::of_calls`, which has every thread pass a barrier
            // between its own store and the look at this.
            GUESTS.fetch_add(1, SeqCst);
            Visit::Guest
        }
    }
}

/// In a forked child the guests of its parent are not there.
pub(super) fn forget_guests() {
    GUESTS.store(0, Relaxed);
}

impl Visit {
    /// The thread, if anything is known of it.
    pub(crate) fn thread(&self) -> Option<&'static Thread> {
        match self {
            Self::Call(call) => Some(call.thread()),
            Self::Nested(thread) => Some(thread),
            Self::Guest => None,
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Self::Guest = self {
            // Release, RETIRED: what the call looked at may be freed after this.
            GUESTS.fetch_sub(1, Release);
        }
    }
}

/// The calls that were in progress on other threads at one moment.
pub(crate) struct Witness {
    calls: Vec<(&'static Thread, u64)>,
    /// Threads without a record may be among them.
    guests: bool,
}

// SAFETY: of a record it only loads the counter, which is atomic.
unsafe impl Send for Witness {}

impl Witness {
    /// Notes the calls in progress, the caller's own left out.
    ///
    /// What was made unreachable before is seen so by every later call. `None` if
    /// the kernel refuses the barrier that it had; then nothing can be known.
    pub(crate) fn of_calls(own: &InCall) -> Option<Self> {
        if !membarrier::everywhere() {
            return None;
        }
        let others = records().filter(|t| !core::ptr::eq(*t, own.thread));
        // Acquire, RETIRED: with the counter we see what the call did.
        let counted = others.map(|t| (t, t.calls.load(Acquire)));
        let calls = counted.filter(|(_, calls)| calls & 1 != 0).collect();
        Some(Self { calls, guests: true })
    }

    /// Whether all of them have ended.
    pub(crate) fn are_over(&mut self) -> bool {
        // Acquire, RETIRED: what the calls looked at may be freed after this.
        self.calls.retain(|(thread, calls)| thread.calls.load(Acquire) == *calls);
        self.guests &= GUESTS.load(Acquire) != 0;
        self.calls.is_empty() && !self.guests
    }
}
