//! One blocking call: look, let a little time pass, sleep, look again, give up.
//!
//! All objects wait by the same rules, which `models/` checks with a death before every
//! access:
//!
//! - **W1** The first word of a sleep is the one that hooks point at. The kernel queues
//!   the sleeper there before it compares the rest, so whoever is killed after such a
//!   comparison wakes it.
//! - **W2** Behind the words come the liveness words of those who may be about to change
//!   them, each with its generation.
//! - **W3** After every return of the kernel and before anything else, a death among these
//!   is told to all who sleep on the same liveness word: the kernel wakes one of them, and
//!   that may have been us.
//! - **W4** A deadline and a signal handler only set a flag. The caller looks once more,
//!   and then gives up.
//!
//! So no wait needs an end of its own. Slices are the back-stop (see `mutex`), and waits
//! that only a slice has ended are counted.

use super::bed::Bed;
use crate::error::{Error, Result};
use crate::platform::atomic::{AtomicI32, Ordering::Relaxed};
use crate::platform::futex::{self, MAX_WATCHES, Wake, Watch};
use crate::platform::time::{Deadline, now_ns};
use crate::roster::attachment::Attachment;
use crate::roster::death::{self, INTERRUPTED};

/// Looks before a waiter goes to sleep. The pause before each is twice the last one, up
/// to `LONGEST_PAUSE` instructions of some 40 ns: all in all 15 µs, less than a sleep and
/// its wake-up take.
///
/// Every look takes the word's line from who may be about to change it. Two processes that
/// do nothing but lock a mutex, count and unlock took 10 ns for it with these pauses and 28
/// ns with 100 looks in a row (two cores 26 ns apart; 15 and 37 ns at 190 ns). With
/// sections of half a microsecond both did the same within a tenth.
const LOOKS: u32 = 11;
const LONGEST_PAUSE: u32 = 64;
const FIRST_SLICE_NS: u64 = 100_000_000;
const LONGEST_SLICE_NS: u64 = 1_000_000_000;
/// When there are more participants to watch than words to sleep on.
const CROWDED_SLICE_NS: u64 = 20_000_000;
/// As many words as most sleeps have.
const FEW: usize = 8;

/// Whether it pays to look for a while before a sleep, as one handle has found out.
///
/// Where a few waits in a row have slept all the same, the next ones go to sleep at once: on
/// one processor, or with partners that take their time, spinning takes from the others what
/// it never gives back. Then it is tried again. How long that takes is left to chance: two who
/// wait for each other in turn have both to try in the same round, for as long as one of them
/// sleeps its wake-up is what the other waits for.
#[derive(Debug)]
pub(crate) struct Spin {
    /// Waits in vain, one after the other; below 0: waits until the next try.
    vain: AtomicI32,
}

impl Spin {
    /// Waits in vain before spinning is given up.
    const PATIENCE: i32 = 4;
    /// Waits until it is tried again, and as many more at most.
    const REST: i32 = 64;

    pub(crate) const fn new() -> Self {
        Self { vain: AtomicI32::new(0) }
    }

    fn looks(&self) -> u32 {
        // Relaxed, here and below: a guess.
        if self.vain.load(Relaxed) < 0 { 0 } else { LOOKS }
    }

    fn was_in_vain(&self) {
        let vain = self.vain.load(Relaxed) + 1;
        let by_chance = now_ns() as i32 & (2 * Self::REST - 1);
        let next = if vain == Self::PATIENCE { -Self::REST - by_chance } else { vain };
        self.vain.store(next, Relaxed);
    }

    fn paid(&self) {
        self.vain.store(0, Relaxed);
    }
}

/// Why a call ends without what it waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Late,
    Interrupted,
}

/// One blocking call.
pub(crate) struct Wait<'a> {
    deadline: Deadline,
    spin: Option<&'a Spin>,
    /// Why the next look is the last one.
    ending: Option<Ending>,
    slept: bool,
    /// Looks since the last sleep, and how many there are to be.
    looks: u32,
    most_looks: u32,
    slice: u64,
    /// The last sleep ended because its slice did.
    by_slice: bool,
}

impl<'a> Wait<'a> {
    /// A call that waits until `deadline`, on an object whose handle has learned `spin`.
    pub(crate) fn new(deadline: Deadline, spin: &'a Spin) -> Self {
        Self::with(deadline, Some(spin))
    }

    /// One that always looks for a while first.
    pub(crate) fn eager(deadline: Deadline) -> Self {
        Self::with(deadline, None)
    }

    /// One that goes to sleep at once: for what takes its time.
    pub(crate) fn patient(deadline: Deadline) -> Self {
        Self { most_looks: 0, ..Self::with(deadline, None) }
    }

    /// One that never sleeps, and that no signal handler ends: for who has a processor to
    /// spare.
    pub(crate) fn busy(deadline: Deadline) -> Self {
        Self { most_looks: u32::MAX, ..Self::with(deadline, None) }
    }

    fn with(deadline: Deadline, spin: Option<&'a Spin>) -> Self {
        Self {
            deadline,
            spin,
            ending: deadline.is_now().then_some(Ending::Late),
            slept: false,
            looks: 0,
            most_looks: spin.map_or(LOOKS, Spin::looks),
            slice: FIRST_SLICE_NS,
            by_slice: false,
        }
    }

    /// Lets a little time pass, more each time; false says that it is time to sleep.
    pub(crate) fn pause(&mut self) -> bool {
        if self.looks >= self.most_looks || self.ending.is_some() {
            return false;
        }
        for _ in 0..self.next_pause() {
            core::hint::spin_loop();
        }
        true
    }

    /// The same for a word that nobody else reads meanwhile, so that looking at it all the
    /// time takes nothing from anybody: ends as soon as `has_come` says so of it.
    pub(crate) fn pause_until(&mut self, has_come: impl Fn() -> bool) -> bool {
        if self.looks >= self.most_looks || self.ending.is_some() {
            return false;
        }
        for _ in 0..self.next_pause() {
            if has_come() {
                break;
            }
            core::hint::spin_loop();
        }
        true
    }

    fn next_pause(&mut self) -> u32 {
        let pause = LONGEST_PAUSE.min(1 << self.looks);
        self.looks += 1;
        if self.looks > LOOKS {
            self.stay_busy();
        }
        pause
    }

    /// Who never sleeps looks at the clock now and then instead.
    #[cold]
    fn stay_busy(&mut self) {
        self.looks = LOOKS - 1;
        if self.deadline.has_passed() {
            self.ending = Some(Ending::Late);
        }
    }

    /// Sleeps until one of `words` changes and its changer wakes us, or one of the living
    /// dies, whom their names in lock words stand for; or a while, or until the deadline.
    ///
    /// # Errors
    /// `Corrupted` if a name is nobody's.
    pub(crate) fn sleep(
        &mut self,
        attachment: &Attachment,
        words: &[Watch<'_>],
        living: &[u64],
    ) -> Result<()> {
        self.sleep_among(words, living.iter().map(|name| (attachment, *name)))
    }

    /// The same for all that is in `bed`.
    ///
    /// # Errors
    /// As for `sleep`.
    pub(crate) fn sleep_in(&mut self, bed: &mut Bed<'_>) -> Result<()> {
        let (slice, span) = (self.slice, bed.span_ns());
        self.slice = slice.min(span);
        let (words, living) = bed.words();
        let done = self.sleep_among(words, living.iter().copied());
        bed.spread_word();
        if span <= slice {
            self.slice = slice;
            self.by_slice = false;
        }
        done
    }

    fn sleep_among<'b>(
        &mut self,
        words: &[Watch<'_>],
        living: impl ExactSizeIterator<Item = (&'b Attachment, u64)> + Clone,
    ) -> Result<()> {
        let wake = match words.len() + 2 * living.len() {
            count if count == words.len() && count <= MAX_WATCHES => {
                Some(futex::wait(words, self.until(self.slice)))
            }
            ..=FEW => self.sleep_watching::<FEW>(words, living.clone())?,
            _ => self.sleep_watching::<MAX_WATCHES>(words, living.clone())?,
        };
        let Some(wake) = wake else {
            return Ok(());
        };
        for (attachment, name) in living.clone() {
            if death::feel_pulse(attachment, name)?.is_none() {
                death::spread_word(attachment, name);
            }
        }
        self.has_slept(wake);
        if self.by_slice {
            self.slice = (self.slice * 2).min(LONGEST_SLICE_NS);
            for (attachment, name) in living {
                death::examine(attachment, name)?;
            }
        }
        Ok(())
    }

    /// Sleeps on as much of that as `N` words hold, until the kernel returns; nothing if
    /// somebody is dead already, and the word of that is spread.
    fn sleep_watching<'b, const N: usize>(
        &self,
        words: &[Watch<'_>],
        living: impl ExactSizeIterator<Item = (&'b Attachment, u64)>,
    ) -> Result<Option<Wake>> {
        let mut count = words.len().min(N);
        let is_crowded = words.len() + 2 * living.len() > N;
        let mut watches = [words[0]; N];
        watches[..count].copy_from_slice(&words[..count]);
        for (attachment, name) in living {
            let Some(pulse) = death::feel_pulse(attachment, name)? else {
                death::spread_word(attachment, name);
                return Ok(None);
            };
            if count + 2 <= N {
                watches[count..count + 2].copy_from_slice(&pulse.watches());
                count += 2;
            }
        }
        let slice = if is_crowded { self.slice.min(CROWDED_SLICE_NS) } else { self.slice };
        Ok(Some(futex::wait(&watches[..count], self.until(slice))))
    }

    /// When a sleep ends that lasts `span_ns` at most.
    fn until(&self, span_ns: u64) -> u64 {
        self.deadline.within(now_ns(), span_ns)
    }

    /// Sleeps on one word, but not longer than `span_ns`.
    pub(crate) fn nap(&mut self, word: Watch<'_>, span_ns: u64) {
        let wake = futex::wait(&[word], self.until(span_ns));
        self.has_slept(wake);
        self.by_slice = false;
    }

    fn has_slept(&mut self, wake: Wake) {
        if !self.slept
            && let Some(spin) = self.spin
        {
            spin.was_in_vain();
        }
        self.slept = true;
        // If somebody was faster than us, it may be over soon.
        self.looks = 0;
        // Changed: nothing but a look keeps a damaged word from changing for ever.
        let late = matches!(wake, Wake::TimedOut | Wake::Changed) && self.deadline.has_passed();
        self.by_slice = wake == Wake::TimedOut && !late;
        if late {
            self.ending = Some(Ending::Late);
        } else if wake == Wake::Interrupted {
            self.ending = Some(Ending::Interrupted);
        }
    }

    /// Whether the call has slept at all: then a wake-up may have been meant for it.
    pub(crate) fn slept(&self) -> bool {
        self.slept
    }

    /// Whether the deadline has come or a signal handler has run: look once more.
    pub(crate) fn is_over(&self) -> bool {
        self.ending.is_some()
    }

    /// What to answer then; `late` is the sentence for a deadline that has come.
    pub(crate) fn refusal(&self, late: Error) -> Error {
        if self.ending == Some(Ending::Interrupted) { INTERRUPTED } else { late }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.by_slice {
            futex::note_rescue();
        }
        if let Some(spin) = self.spin
            && !self.slept
            && self.looks > 0
        {
            spin.paid();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who has slept in vain a few times goes to sleep at once, and tries again.
    #[test]
    fn spinning_is_given_up_and_tried_again() {
        let spin = Spin::new();
        let waits = |n: i32| (0..n).filter(|_| spin.looks() > 0).inspect(|_| spin.was_in_vain());
        assert_eq!(waits(Spin::PATIENCE).count(), Spin::PATIENCE as usize);
        let rests = |most: i32| (0..most).take_while(|_| spin.looks() == 0).count() as i32;
        let mut rest = 0;
        while rests(1) == 1 {
            spin.was_in_vain();
            rest += 1;
        }
        assert!((Spin::REST..3 * Spin::REST).contains(&rest), "{rest}");
        assert_eq!(waits(Spin::PATIENCE).count(), Spin::PATIENCE as usize);
        assert_eq!(spin.looks(), 0);
        spin.paid();
        assert_eq!(spin.looks(), LOOKS);
    }
}
