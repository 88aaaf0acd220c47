//! Calls of a few instructions that look at objects of this process.

use super::{Thread, current};
use crate::platform::atomic::Ordering::{Relaxed, Release};
use crate::platform::membarrier;

/// Such a call. Ends when dropped.
///
/// As in any other call, what it looks up is not freed meanwhile. It waits for nothing, and
/// enters no other segment.
pub(crate) struct Brief {
    thread: &'static Thread,
    /// What `calls` was before.
    calls: u64,
}

/// Begins such a call; `None` if something is special about the thread: it is new, or inside
/// another call.
#[inline(always)]
pub(crate) fn enter_briefly() -> Option<Brief> {
    let thread = current()?;
    // Relaxed: only this thread and its signal handlers write the counter (and in a fork the
    // kernel).
    let calls = thread.calls.load(Relaxed);
    if calls & 1 != 0 || calls == 0 {
        return None;
    }
    thread.calls.store(calls + 1, Relaxed);
    // Orders this store before the loads of the call, for `Witness::of_calls`.
    membarrier::here();
    Some(Brief { thread, calls })
}

impl Brief {
    /// The thread that the call is on.
    #[inline(always)]
    pub(crate) fn thread(&self) -> &'static Thread {
        self.thread
    }
}

impl Drop for Brief {
    #[inline(always)]
    fn drop(&mut self) {
        // Release, RETIRED: what the call looked at may be freed after this. Not loaded again: a
        // processor waits for what it has just stored, in each call for the one before.
        self.thread.calls.store(self.calls + 2, Release);
    }
}
