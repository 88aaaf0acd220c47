//! Sleepers that may not be relied upon, among others that are woken one by one.
//!
//! Who acquires sleeps with its hook on the word: if it is killed after it was woken, the
//! kernel wakes the next one. Who waits for any of several objects has one hook and many
//! words, so it has none on any of them, and a wake-up spent on it alone would be lost with
//! it. So it says that it is there, and then whoever wakes wakes all.
//!
//! ```text
//!  bits 31..1   turn    how often the crowd has gathered
//!  bit 0        ON      somebody of it may be asleep
//! ```
//!
//! # Invariants
//!
//! - **C1** Who joins sleeps only while the word is as it was when it joined: ON, in that
//!   turn. It joins before it sets the flag for which others wake, and looks after that.
//! - **C2** ON goes only by who wakes all after that.
//!
//! So while one of the crowd sleeps it is ON, or somebody is between C2's two steps. If that
//! one is killed there, its hook wakes one sleeper. Who of the crowd is woken, by whomever,
//! and goes away wakes the next one: only if it is killed as well, a slice has to find the
//! others.
//!
//! One death is enough for that in one place, inside the kernel: it queues a sleeper on one
//! word after the other, so that in the microsecond before it compares this one, when the
//! turn is over already, a single wake-up may go to somebody who is killed right then.
//!
//! CROWDED: who joins changes this word and then looks at the other one; who wakes has
//! changed that one and then looks at this. Both are sequentially consistent, so one of the
//! two sees the other.

use crate::platform::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use crate::platform::futex::{self, Watch};

const ON: u32 = 1;
const TURN: u32 = 2;

/// Joins those who sleep without a hook. What is returned has to be among what the caller
/// sleeps on.
pub(super) fn join(crowd: &AtomicU32) -> Watch<'_> {
    // SeqCst, CROWDED, here and below.
    let mut seen = crowd.load(SeqCst);
    while seen & ON == 0 {
        let next = seen.wrapping_add(TURN) | ON;
        match crowd.compare_exchange(seen, next, SeqCst, SeqCst) {
            Ok(_) => seen = next,
            Err(now) => seen = now,
        }
    }
    Watch { word: crowd, value: seen }
}

/// Wakes `n` of those who sleep on `word`, or all if there may be a crowd; says how many
/// there were. The caller has changed what they wait for.
pub(super) fn wake(crowd: &AtomicU32, word: &AtomicU32, n: u32) -> u32 {
    // CROWDED: after that change, in whatever order it was made.
    fence(SeqCst);
    // Relaxed: ordered by the fence.
    let seen = crowd.load(Relaxed);
    if seen & ON == 0 {
        return futex::wake(word, n.min(i32::MAX as u32) as i32);
    }
    // SeqCst: before the wake-up of all (C2). If it fails somebody else has done the same,
    // and who has joined since is woken for nothing.
    let _ = crowd.compare_exchange(seen, seen & !ON, SeqCst, Relaxed);
    futex::wake(word, i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_joins_takes_the_turn_that_is_on_or_begins_one() {
        let (crowd, word) = (AtomicU32::new(0), AtomicU32::new(0));
        let first = join(&crowd).value;
        assert_eq!(first & ON, ON);
        assert_eq!(join(&crowd).value, first);
        wake(&crowd, &word, 1);
        assert_eq!(crowd.load(Relaxed), first & !ON);
        let second = join(&crowd).value;
        assert!(second & ON == ON && second != first);
    }

    #[test]
    fn turns_begin_anew_when_they_are_used_up() {
        let (crowd, word) = (AtomicU32::new(u32::MAX), AtomicU32::new(0));
        wake(&crowd, &word, 1);
        assert_eq!(join(&crowd).value, ON);
    }
}
