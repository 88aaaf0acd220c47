//! A semaphore that only counts: a permit has no owner.
//!
//! # The word
//!
//! ```text
//!  bit 63         LISTENED    somebody listens with a descriptor (`bell`)
//!  bits 62..32    how many permits there are to be had
//!  bit 31         AVAILABLE   exactly if there are any
//!  bit 30         WAITERS     somebody may be asleep
//!  bits 29..0     zero in every state, so that the hook may point here
//! ```
//!
//! The futex is the low half: it changes when the first permit comes, and nobody sleeps
//! while there are any.
//!
//! # Invariants
//!
//! - **S1** Who goes to sleep has set WAITERS, with its hook on the word, and sleeps only
//!   while nothing is AVAILABLE.
//! - **S2** WAITERS goes only by an exchange of the very word for which nobody was found
//!   asleep. That word may have come back, with others asleep by now. So who has slept
//!   takes with WAITERS, and who has slept and gives up wakes the next one.
//! - **S3** Who has slept, takes and leaves permits wakes the next one before it takes its
//!   hook off.
//!
//! # Edges
//!
//! | edge      | release            | acquire            | what it carries                    |
//! |-----------|--------------------|--------------------|------------------------------------|
//! | PERMITTED | `release` adds     | `acquire` takes    | what was written before            |
//!
//! # If a process dies
//!
//! - with a permit: the permit is gone. That is what this sort is; for another see `tracked`;
//! - between adding permits and waking: its hook is on the word, the kernel wakes one
//!   sleeper, and that one wakes the next as long as there are permits (S3). If somebody
//!   listens, its bell is in the hand, and the kernel rings (`bell`);
//! - between waking and clearing WAITERS: that costs a wake which finds nobody;
//! - woken, before it has taken a permit, passed one on or given up: its hook is on the
//!   word, the next one is woken.
//!
//! `models/semaphore.pml` checks this with three who acquire and two deaths: no slice is
//! needed, and none of the steps can be left out.

use super::bed::Bed;
use super::bell::{Bell, LISTENED};
use super::crowd;
use super::lending::lend_hook;
use super::wait::Wait;
use super::waitable::Waitable;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU32, HookableWord64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::futex::Watch;
use crate::roster::attachment::Attachment;
use crate::roster::thread::Thread;

const AVAILABLE: u64 = 1 << 31;
const WAITERS: u64 = 1 << 30;
/// One permit.
const ONE: u64 = 1 << 32;

/// The most permits that a semaphore can have.
pub(crate) const MOST_PERMITS: u32 = i32::MAX as u32;

shared! {
    /// A semaphore that counts, in shared memory.
    pub(crate) struct SemaphoreBody: 64 {
        word: HookableWord64,
        /// The most permits to be had; constant once published.
        max: AtomicU32,
        /// Who sleeps without a hook.
        crowd: AtomicU32,
        reserved: [u64; 6],
    }
}

// Other people's programs take the short way to these two (`ffi::place`).
const _: () = {
    assert!(core::mem::offset_of!(SemaphoreBody, word) == 0);
    assert!(core::mem::offset_of!(SemaphoreBody, max) == 8);
};

impl SemaphoreBody {
    /// Makes a new one what it is to be.
    pub(crate) fn begin(&self, value: u32, max: u32) {
        // Relaxed: ours alone, until the object is published.
        self.max.store(max, Relaxed);
        self.word.store(word_of(value), Relaxed);
    }

    /// How many permits there are to be had.
    pub(crate) fn value(&self) -> u32 {
        // Acquire, PERMITTED: who finds some may rely on what they stand for.
        value_in(self.word.load(Acquire))
    }

    /// The most there can be.
    #[inline(always)]
    pub(crate) fn max(&self) -> u32 {
        // Relaxed: constant.
        self.max.load(Relaxed)
    }

    /// Takes a permit if there is one and nobody waits: the whole of an uncontended call.
    #[inline(always)]
    pub(crate) fn take_if_quiet(&self) -> bool {
        // Relaxed: compared below.
        let seen = self.word.load(Relaxed);
        // Signed, so that a damaged word with LISTENED has none either.
        if seen as u32 != AVAILABLE as u32 || (seen as i64) < ONE as i64 {
            return false;
        }
        self.exchange(seen, if seen < 2 * ONE { 0 } else { seen - ONE })
    }

    /// Adds a permit if nobody waits and there is room.
    #[inline(always)]
    pub(crate) fn add_if_quiet(&self) -> bool {
        // Relaxed: compared below.
        let seen = self.word.load(Relaxed);
        if seen as u32 & !(AVAILABLE as u32) != 0 || value_in(seen) >= self.max() {
            return false;
        }
        // Release, PERMITTED: what we wrote becomes the taker's to read.
        self.word.compare_exchange(seen, (seen | AVAILABLE) + ONE, Release, Relaxed).is_ok()
    }

    #[inline(always)]
    fn exchange(&self, seen: u64, left: u64) -> bool {
        // Acquire, PERMITTED: what was written before it was given is ours to read.
        self.word.compare_exchange(seen, left, Acquire, Relaxed).is_ok()
    }

    /// Takes one of the permits that a word, which is sound, says there are.
    fn take_one(&self, seen: u64, kept: u64) -> bool {
        let gone = if value_in(seen) == 1 { ONE | AVAILABLE } else { ONE };
        self.exchange(seen, (seen - gone) | kept)
    }

    /// Takes a permit, and waits for one until `wait` is over.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Corrupted`.
    pub(crate) fn acquire(
        &self,
        attachment: &Attachment,
        thread: &Thread,
        mut wait: Wait<'_>,
    ) -> Result<()> {
        loop {
            let seen = self.word.load(Relaxed);
            check(seen)?;
            if seen & AVAILABLE != 0 {
                if self.take_one(seen, 0) {
                    return Ok(());
                }
            } else if !wait.pause() {
                break;
            }
        }
        if wait.is_over() {
            return Err(wait.refusal(NONE_LEFT));
        }
        let hook = thread.hook();
        hook.arm(self.word.low());
        let taken = self.sleep(attachment, &mut wait);
        hook.disarm();
        taken
    }

    /// The hook is on the word.
    fn sleep(&self, attachment: &Attachment, wait: &mut Wait<'_>) -> Result<()> {
        loop {
            let seen = self.word.load(Relaxed);
            check(seen)?;
            if seen & AVAILABLE != 0 {
                let kept = if wait.slept() { WAITERS } else { 0 }; // S2
                if self.take_one(seen, kept) {
                    if wait.slept() {
                        self.pass_on();
                    }
                    return Ok(());
                }
                continue;
            }
            if wait.is_over() {
                if wait.slept() {
                    self.wake(1); // S2: perhaps what woke us was meant for somebody
                }
                return Err(wait.refusal(NONE_LEFT));
            }
            if let Some(low) = self.mark(seen) {
                wait.sleep(attachment, &[low], &[])?;
            }
        }
    }

    /// Says that somebody is about to sleep; `None` if the word is not as it was seen.
    fn mark(&self, seen: u64) -> Option<Watch<'_>> {
        let marked = seen | WAITERS;
        // Relaxed: a flag publishes nothing.
        let is_marked =
            marked == seen || self.word.compare_exchange(seen, marked, Relaxed, Relaxed).is_ok();
        let word = self.word.low().as_futex();
        is_marked.then_some(Watch { word, value: marked as u32 })
    }

    /// S3: there may have been one wake for several permits, if who gave them was killed.
    fn pass_on(&self) {
        let left = self.word.load(Relaxed);
        if left & AVAILABLE != 0 && left & WAITERS != 0 {
            self.wake(1);
        }
    }

    /// Adds `n` permits, and wakes as many of those who wait. Never waits; may be called in a
    /// signal handler.
    ///
    /// # Errors
    /// `Full` beyond the most there can be, `System` on a thread without a robust list,
    /// `Corrupted`, those of `Ring::take`.
    pub(crate) fn release(&self, thread: Option<&Thread>, bell: Bell<'_>, n: u32) -> Result<()> {
        if n == 0 {
            return Ok(());
        }
        let mut pull = bell.pull();
        let mut lent = None;
        let mut seen = self.word.load(Relaxed);
        loop {
            let more = self.with_more(seen, n)?;
            let wakes = more & WAITERS != 0;
            if wakes && lent.is_none() {
                lent = Some(lend_hook(thread, self.word.low())?);
            }
            if seen & LISTENED != 0 && !pull.holds()? {
                seen = self.word.load(Acquire); // LISTENING
                continue;
            }
            // Release, PERMITTED: as in `add_if_quiet`. Acquire: LISTENING.
            match self.word.compare_exchange(seen, more, Release, Acquire) {
                Ok(_) if wakes => {
                    if self.wake(n) == 0 {
                        // Relaxed: a flag publishes nothing. It fails if the word was
                        // changed (S2).
                        let _ = self.word.compare_exchange(more, more & !WAITERS, Relaxed, Relaxed);
                    }
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// The word with `n` permits more.
    fn with_more(&self, seen: u64, n: u32) -> Result<u64> {
        check(seen)?;
        let room = self.max().min(MOST_PERMITS).checked_sub(value_in(seen));
        if room.is_none_or(|room| room < n) {
            return Err(TOO_MANY);
        }
        Ok(((seen & !LISTENED) + u64::from(n) * ONE) | AVAILABLE)
    }

    /// Somebody is about to listen: says so, unless there are permits.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn listen(&self) -> Result<bool> {
        loop {
            // Acquire, PERMITTED: who finds some may rely on what they stand for.
            let seen = self.word.load(Acquire);
            check(seen)?;
            if seen & AVAILABLE != 0 {
                return Ok(false);
            }
            let marked = seen | WAITERS | LISTENED; // B1
            // Release, LISTENING.
            if marked == seen || self.word.compare_exchange(seen, marked, Release, Relaxed).is_ok()
            {
                return Ok(true);
            }
        }
    }

    /// Nobody listens any more.
    pub(crate) fn forget_listeners(&self) {
        // Relaxed: a flag publishes nothing.
        self.word.fetch_and(!LISTENED, Relaxed);
    }

    fn wake(&self, n: u32) -> u32 {
        crowd::wake(&self.crowd, self.word.low().as_futex(), n)
    }

    /// Checks the word, and the limit.
    pub(crate) fn verify(&self) -> Result<()> {
        let word = self.word.load(Acquire);
        check(word)?;
        if value_in(word) <= self.max() && (1..=MOST_PERMITS).contains(&self.max()) {
            return Ok(());
        }
        Err(corrupted("a semaphore has more permits than it can have: the segment is damaged"))
    }
}

impl Waitable for SemaphoreBody {
    fn seems_ready(&self) -> bool {
        // Acquire, PERMITTED: as in `value`.
        self.word.load(Acquire) & AVAILABLE != 0
    }

    fn is_ready(&self) -> Result<bool> {
        Ok(self.seems_ready())
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        let crowd = crowd::join(&self.crowd);
        loop {
            let seen = self.word.load(Acquire);
            check(seen)?;
            if seen & AVAILABLE != 0 {
                return Ok(true);
            }
            if let Some(low) = self.mark(seen) {
                bed.add(low);
                bed.compare(crowd);
                return Ok(false);
            }
        }
    }

    /// S2, S3: as one who gives up.
    fn leave(&self) {
        self.wake(1);
    }
}

#[inline(always)]
fn value_in(word: u64) -> u32 {
    ((word & !LISTENED) >> 32) as u32
}

/// The word of a semaphore for which nobody waits.
fn word_of(value: u32) -> u64 {
    (u64::from(value) * ONE) | if value > 0 { AVAILABLE } else { 0 }
}

/// Refuses a word that is none of a semaphore: it is shared memory.
fn check(word: u64) -> Result<()> {
    let is_listened_to_well = word & LISTENED == 0 || word == LISTENED | WAITERS; // B1
    if word & !(WAITERS | LISTENED) == word_of(value_in(word)) && is_listened_to_well {
        return Ok(());
    }
    Err(corrupted("a semaphore's word is no state of a semaphore: the segment is damaged"))
}

/// What a wait for a permit ends with when the time is over.
pub(super) const NONE_LEFT: Error =
    Error::new(Status::TimedOut, "no permit was released before the time was over");

/// The refusal of permits beyond the most there can be.
pub(super) const TOO_MANY: Error = Error::new(
    Status::Full,
    "the semaphore would have more permits than its max: release only what was acquired",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::file::SegmentPath;
    use crate::sync::node::Identity;

    /// Nobody listens in these tests.
    fn release(body: &SemaphoreBody, n: u32) -> Result<()> {
        let segment = SegmentPath::of("atoll-test-no-segment").expect("a name");
        let object = Identity { object: 0, place: 0 };
        body.release(None, Bell { segment: &segment, identity: 0, object }, n)
    }

    fn fresh(value: u32, max: u32) -> SemaphoreBody {
        // SAFETY: of shared types every bit pattern is a value.
        let body: SemaphoreBody = unsafe { core::mem::zeroed() };
        body.begin(value, max);
        body
    }

    #[test]
    fn the_short_ways_take_and_add_one() {
        let body = fresh(1, 2);
        assert!(body.take_if_quiet() && !body.take_if_quiet());
        assert_eq!(body.word.load(Relaxed), 0);
        assert!(body.add_if_quiet() && body.add_if_quiet() && !body.add_if_quiet());
        assert_eq!(body.word.load(Relaxed), (2 * ONE) | AVAILABLE);
    }

    #[test]
    fn who_waits_is_left_to_the_call_which_leaves_the_flag() {
        let body = fresh(2, 2);
        body.word.fetch_or(WAITERS, Relaxed);
        assert!(!body.take_if_quiet() && !body.add_if_quiet());
        for left in [ONE | AVAILABLE | WAITERS, WAITERS] {
            assert!(body.take_one(body.word.load(Relaxed), 0));
            assert_eq!(body.word.load(Relaxed), left);
        }
    }

    #[test]
    fn who_listens_waits_and_finds_no_permits() {
        let body = fresh(1, 2);
        assert!(!body.listen().expect("sound"));
        assert!(body.take_if_quiet());
        assert!(body.listen().expect("sound") && body.listen().expect("sound"));
        assert_eq!((body.word.load(Relaxed), body.value()), (LISTENED | WAITERS, 0));
        assert!(!body.take_if_quiet() && !body.add_if_quiet());
        body.verify().expect("sound");
        body.forget_listeners();
        assert_eq!(body.word.load(Relaxed), WAITERS);
    }

    #[test]
    fn who_finds_nobody_asleep_clears_the_flag() {
        let body = fresh(0, 9);
        body.word.fetch_or(WAITERS, Relaxed);
        release(&body, 3).expect("there is room");
        assert_eq!(body.word.load(Relaxed), (3 * ONE) | AVAILABLE);
    }

    /// In the high half.
    const LISTENED_TO: u32 = (LISTENED >> 32) as u32;

    #[test]
    fn what_is_no_state_is_refused_and_left_alone() {
        let available = AVAILABLE as u32;
        let waiters = WAITERS as u32;
        for (value, low) in [
            (0, available),
            (1, 0),
            (1, available | 1),
            (0, 1),
            (6, available),
            (LISTENED_TO, 0),
            (LISTENED_TO, available | waiters),
            (LISTENED_TO | 1, available),
            (LISTENED_TO | 1, available | waiters),
        ] {
            let body = fresh(0, 5);
            body.word.store(u64::from(value) << 32, Relaxed);
            body.word.low().as_futex().store(low, Relaxed);
            let word = body.word.load(Relaxed);
            assert!(body.verify().is_err(), "{word:#x}");
            assert!(release(&body, 1).is_err(), "{word:#x}");
            assert!(value == 6 || !body.take_if_quiet(), "{word:#x}");
            assert_eq!(body.word.load(Relaxed), word);
        }
    }
}
