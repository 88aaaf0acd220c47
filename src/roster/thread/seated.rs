//! Calls of a few instructions, on a thread whose seat is at hand.

use super::{CACHED, InCall, current};
use crate::platform::atomic::{
    Ordering::{Relaxed, SeqCst},
    compiler_fence,
};
use crate::roster::participant;
use crate::roster::record::Marks;

/// Such a call. Ends when dropped.
///
/// It may look at shared memory of the segment, which stays mapped while the thread has a
/// seat there, and at nothing that others could free: `Witness` does not wait for it.
pub(crate) struct Seated {
    _call: InCall,
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
    // 0: not set up, or wiped in a forked child, and has to stay so.
    if calls == 0 || calls & 1 != 0 {
        return None;
    }
    thread.calls.store(calls + 1, Relaxed);
    // From here on a signal handler that calls in is refused, so the seat stays.
    compiler_fence(SeqCst);
    let _call = InCall { thread };
    let cached = &thread.cache[attachment as usize % CACHED];
    let is_at_hand = cached.attachment.load(Relaxed) == attachment;
    let (name, marks) = (cached.name.load(Relaxed), cached.marks.load(Relaxed));
    is_at_hand.then_some(Seated { _call, name, marks })
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
