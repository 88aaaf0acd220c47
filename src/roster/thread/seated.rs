//! Calls of a few instructions, on a thread whose seat is at hand.

use super::{CACHED, Thread, current};
use crate::platform::atomic::{
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    compiler_fence,
};
use crate::roster::participant;
use crate::roster::record::Marks;

/// Such a call. Ends when dropped.
///
/// It may look at shared memory of the segment, which stays mapped while the thread has a
/// seat there, and at nothing that others could free: `Witness` does not wait for it.
pub(crate) struct Seated {
    thread: &'static Thread,
    /// What `calls` was before.
    calls: u64,
    name: u64,
    marks: *const Marks,
}

/// Begins such a call in that attachment; `None` if something is special about the thread:
/// it is new, inside another call, or its seat is not at hand.
#[inline(always)]
pub(crate) fn enter_seated(attachment: u64) -> Option<Seated> {
    let thread = current()?;
    // Relaxed, here and below: only this thread and its signal handlers write them.
    let calls = thread.calls.load(Relaxed);
    if calls & 1 != 0 {
        return None;
    }
    thread.calls.store(calls + 1, Relaxed);
    // From here on a signal handler that calls in is refused, so the seat stays.
    compiler_fence(SeqCst);
    let cached = &thread.cache[attachment as usize % CACHED];
    if cached.attachment.load(Relaxed) != attachment {
        // As it was: 0 in a record that is not set up, or was wiped in a forked child.
        thread.calls.store(calls, Relaxed);
        return None;
    }
    let (name, marks) = (cached.name.load(Relaxed), cached.marks.load(Relaxed));
    Some(Seated { thread, calls, name, marks })
}

impl Thread {
    /// The process's name as a member there, if that is at hand.
    #[inline(always)]
    pub(crate) fn cached_member(&self, attachment: u64) -> Option<u64> {
        let cached = &self.cache[attachment as usize % CACHED];
        // As in `cached_name`.
        let member = cached.member.load(Acquire);
        (cached.attachment.load(Relaxed) == attachment).then_some(member)
    }
}

impl Drop for Seated {
    #[inline(always)]
    fn drop(&mut self) {
        // Release: a signal handler that may call in again finds all that was done.
        self.thread.calls.store(self.calls + 2, Release);
    }
}

impl Seated {
    /// The thread's slot.
    #[inline(always)]
    pub(crate) fn slot(&self) -> u32 {
        participant::slot_in(self.name)
    }

    /// What it reads.
    #[inline(always)]
    pub(crate) fn marks(&self) -> &Marks {
        // SAFETY: part of the record of the thread's seat, which stays mapped while it has
        // that, and it does not give it up in a call.
        unsafe { &*self.marks }
    }
}
