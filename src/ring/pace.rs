//! How long an end waits that has caught up with the other one.

use crate::platform::atomic::{AtomicU64, Ordering::Relaxed};

/// What an end of a ring keeps to itself: where it was when it last paused.
///
/// Each look takes a line from who is at work on it, and who has caught up with it would look at
/// each record. So who moves many pauses long, half a microsecond at most; who plays ball with one
/// record hardly does, and who waits where nothing comes pauses once.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Pace {
    paused: AtomicU64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { paused: AtomicU64::new(0) }
    }

    /// There is nothing to do at that position: lets the other end do some dozen, if this one has
    /// moved since it last paused, and then it is to look again.
    #[cold]
    pub(super) fn pauses(&self, at: u64) -> bool {
        const MOST_LOOPS: u64 = 16;
        // Relaxed, both: our own.
        let moved = at.wrapping_sub(self.paused.load(Relaxed));
        self.paused.store(at, Relaxed);
        (0..moved.min(MOST_LOOPS)).for_each(|_| core::hint::spin_loop());
        moved != 0
    }
}
