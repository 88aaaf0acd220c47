//! One side of a ring: those who wait there, and those who may make an end of that.
//!
//! A ring moves records without a lock and without a wait. Who finds nothing to do may sleep
//! on the word of a side: getters on one, putters on another.
//!
//! # The word
//!
//! ```text
//!  bits 63..35    how often sleepers were called, modulo 2^29
//!  bit 34         COME      somebody has come to wait since they were called last
//!  bits 33..32    which ends are closed for good (`Ended`); set once
//!  bit 31         WAITERS   somebody may be asleep
//!  bit 30         LISTENED  somebody listens with a descriptor (`bell`)
//!  bits 29..0     zero in every state, so that the hook may point here
//! ```
//!
//! # Invariants
//!
//! Who changes a ring does it in three steps: it *says* that it is about to (the claim of a
//! ring), *looks* at this word, and *publishes*.
//!
//! - **R1** Who is about to sleep sets WAITERS and COME, then looks at the ring, and sleeps only
//!   if nothing is there and nobody has said that something is about to be. It sleeps while the
//!   word is as it was then, with its hook on it, and watches those who have in the hand what
//!   would be its own if they died.
//! - **R2** Who finds WAITERS between saying and publishing puts its hook on the word, takes
//!   COME away and counts a call, in one exchange, then publishes, and wakes as many as it
//!   published for. If there were less it takes WAITERS away, unless the word has changed. So who
//!   was about to sleep does not, for the count is another one; who comes after the exchange
//!   finds the claim, and leaves a word that is not the one that WAITERS is taken from.
//! - **R3** If who has slept goes, and there is more, or may be, or it goes without anything, it
//!   wakes the next one.
//!
//! SAID: who sleeps sets WAITERS and then looks at the claims; who publishes claims and then
//! looks at WAITERS. Both are sequentially consistent (or the sleeper pays for both, see
//! `platform::membarrier`), so one of the two sees the other. These flags clear is all that
//! a ring in full swing ever sees.
//!
//! # If a process dies
//!
//! - between saying and publishing: nothing has happened, the claim names the dead one;
//! - between the exchange and the wake-up: its hook is on the word, the kernel wakes one sleeper,
//!   and that one wakes the next one (R3);
//! - woken, before it has taken anything: its hook is on the word, the next one is woken;
//! - with its bell in the hand, which it takes before it publishes: the kernel rings.
//!
//! `models/ring_wait.pml` checks this.

use super::bed::Bed;
use super::bell::{Bell, Pull};
use super::crowd;
use super::lending::{Loan, lend_hook};
use super::wait::Wait;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU32, HookableWord64,
    Ordering::{Acquire, Relaxed, SeqCst},
};
use crate::roster::attachment::Attachment;
use crate::roster::thread::Thread;

const WAITERS: u64 = 1 << 31;
const LISTENED: u64 = 1 << 30;
const ENDED_SHIFT: u32 = 32;
const COME: u64 = 1 << 34;
/// One call of sleepers.
const CALL: u64 = 1 << 35;

/// What a publisher has to look into.
const WATCHED: u64 = WAITERS | LISTENED | 3 << ENDED_SHIFT;

// Other people's programs look for these (`ffi::ring_place`).
const _: () = assert!(WATCHED == 0xf << 30 && ENDED_SHIFT == 32);

/// While somebody is about to publish, a look again after this.
const IN_FLIGHT_NS: u64 = 1_000_000;

/// Which ends of a ring are closed for good, in two bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended(u32);

impl Ended {
    /// Nothing is put any more.
    pub(crate) const PRODUCERS: Self = Self(1);
    /// Nothing is got any more.
    pub(crate) const CONSUMERS: Self = Self(2);

    /// Both.
    pub(crate) const BOTH: Self = Self(3);

    /// Whether that end is closed, or one of the two.
    #[inline(always)]
    pub(crate) fn has(self, end: Self) -> bool {
        self.0 & end.0 != 0
    }

    /// What to answer who needs those ends, if one is closed.
    pub(crate) fn refusal(self, needed: Self) -> Option<Error> {
        match Self(self.0 & needed.0) {
            Self(0) => None,
            closed if closed.has(Self::CONSUMERS) => Some(CONSUMERS_ENDED),
            _ => Some(PRODUCERS_ENDED),
        }
    }
}

shared! {
    /// One side of a ring. All zero: nobody waits, and no end is closed.
    pub(crate) struct Side: 64 {
        word: HookableWord64,
        /// Who sleeps without a hook.
        crowd: AtomicU32,
        unused: u32,
        reserved: [u64; 6],
    }
}

// Other people's programs look at it (`ffi::place`).
const _: () = assert!(core::mem::offset_of!(Side, word) == 0);

/// What a look at a ring has shown.
pub(crate) enum Look<T> {
    /// What was wanted is done.
    Done(T),
    /// There is nothing to be done, and nobody is about to change that.
    Nothing,
    /// Somebody is about to change that, or has died in the middle of it.
    InFlight,
}

/// What a side is waited on for.
pub(crate) trait Attempt {
    type Done;

    /// Does what is wanted, if it can be done.
    ///
    /// # Errors
    /// Whatever ends the wait.
    fn attempt(&mut self) -> Result<Look<Self::Done>>;

    /// Orders WAITERS, which was just set, before the next attempt, in the eyes of all who
    /// publish. False: it could not be, and no sleep must be a long one.
    fn order(&self) -> bool;

    /// Whether there is, or may be, something for one more who waits.
    fn is_more(&self) -> bool;

    /// Those whose death would leave something for who waits: what lock words call them. `None`:
    /// one of them cannot be watched, so no sleep must be a long one.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    fn living(&self) -> Result<Option<Vec<u64>>> {
        Ok(Some(Vec::new()))
    }
}

impl Side {
    /// The look between saying and publishing: false if nobody has to be told anything.
    ///
    /// The caller has ordered its claim before this (SAID).
    #[inline(always)]
    pub(crate) fn is_watched(&self) -> bool {
        // SeqCst, SAID: a plain load on x86-64.
        self.word.load(SeqCst) & WATCHED != 0
    }

    /// Where the word is, for code in other programs that looks at it (`ffi::ring_place`).
    pub(crate) fn address(&self) -> *const u64 {
        core::ptr::from_ref(&self.word).cast()
    }

    /// Which ends are closed.
    #[inline(always)]
    pub(crate) fn ended(&self) -> Ended {
        // Acquire, ENDED: what was published before the end was closed is there.
        Ended((self.word.load(Acquire) >> ENDED_SHIFT) as u32 & Ended::BOTH.0)
    }

    /// For who is about to publish and found the side watched: whoever waits is told when
    /// `Alert::sound` is called, or by the kernel if the caller dies.
    ///
    /// # Errors
    /// `System` on a thread without a robust list, those of `Ring::take`, `Corrupted`: then
    /// nothing must be published.
    pub(crate) fn alert<'a>(
        &'a self,
        thread: Option<&Thread>,
        bell: Bell<'a>,
    ) -> Result<Alert<'a>> {
        let mut alert = Alert { side: self, lent: None, pull: None, told: 0 };
        let mut seen = self.checked(self.word.load(Acquire))?;
        while seen & (WAITERS | LISTENED) != 0 {
            if seen & WAITERS != 0 && alert.lent.is_none() {
                alert.lent = Some(lend_hook(thread, self.word.low())?);
            }
            if seen & LISTENED != 0 && !alert.pull.get_or_insert_with(|| bell.pull()).holds()? {
                seen = self.checked(self.word.load(Acquire))?; // LISTENING
                continue;
            }
            let call = if seen & WAITERS != 0 { CALL } else { 0 };
            let called = (seen & !(COME | LISTENED)).wrapping_add(call);
            // SeqCst: after what was said, before what is published (R2). Failing, LISTENING.
            match self.word.compare_exchange(seen, called, SeqCst, Acquire) {
                Ok(_) => {
                    alert.told = called;
                    break;
                }
                Err(now) => seen = self.checked(now)?,
            }
        }
        Ok(alert)
    }

    /// Closes an end for good, and tells all who wait. To be done on every side of a ring.
    ///
    /// # Errors
    /// Those of `alert`.
    pub(crate) fn end(&self, thread: Option<&Thread>, bell: Bell<'_>, end: Ended) -> Result<()> {
        loop {
            let alert = self.alert(thread, bell)?;
            let seen = self.word.load(Relaxed);
            // Somebody has come since.
            if seen & LISTENED != 0 || seen & WAITERS != 0 && alert.lent.is_none() {
                continue;
            }
            // SeqCst, SAID. Release, ENDED.
            let ended = seen | u64::from(end.0) << ENDED_SHIFT;
            if self.word.compare_exchange(seen, ended, SeqCst, Relaxed).is_ok() {
                alert.sound(u32::MAX);
                return Ok(());
            }
        }
    }

    /// Waits on this side until an attempt succeeds; `None` when the wait is over.
    ///
    /// # Errors
    /// Those of the attempts, `Corrupted`.
    pub(crate) fn wait<A: Attempt>(
        &self,
        attachment: &Attachment,
        thread: &Thread,
        wait: &mut Wait<'_>,
        mut what: A,
    ) -> Result<Option<A::Done>> {
        loop {
            if let Look::Done(done) = what.attempt()? {
                return Ok(Some(done));
            }
            if wait.is_over() {
                return Ok(None);
            }
            if !wait.pause() {
                break;
            }
        }
        let hook = thread.hook();
        hook.arm(self.word.low());
        let outcome = self.sleep(attachment, wait, &mut what);
        if wait.slept() {
            self.go(!matches!(outcome, Ok(Some(_))) || what.is_more());
        }
        hook.disarm();
        outcome
    }

    /// The hook is on the word.
    fn sleep<A: Attempt>(
        &self,
        attachment: &Attachment,
        wait: &mut Wait<'_>,
        what: &mut A,
    ) -> Result<Option<A::Done>> {
        loop {
            let marked = self.announce()?;
            let is_ordered = what.order();
            let look = what.attempt()?;
            if let Look::Done(done) = look {
                return Ok(Some(done));
            }
            if wait.is_over() {
                return Ok(None);
            }
            let words = self.word.watches(marked);
            let living = match look {
                Look::Nothing if is_ordered => what.living()?,
                // Who is about to publish may not have seen WAITERS.
                _ => None,
            };
            match living {
                Some(living) => wait.sleep(attachment, &words, &living)?,
                None => wait.nap(words[0], IN_FLIGHT_NS),
            }
        }
    }

    /// R1: says that somebody is about to sleep, and with which word.
    fn announce(&self) -> Result<u64> {
        // SeqCst, SAID: also where it was set before.
        let seen = self.checked(self.word.fetch_or(WAITERS | COME, SeqCst))?;
        Ok(seen | WAITERS | COME)
    }

    /// R3: who has slept goes.
    fn go(&self, wakes: bool) {
        if wakes {
            self.wake(1);
        }
    }

    fn wake(&self, n: u32) -> u32 {
        crowd::wake(&self.crowd, self.word.low().as_futex(), n)
    }

    /// For who is about to do what only others would hear of if it died in the middle: one of
    /// those who wait here is woken then.
    ///
    /// # Errors
    /// `System` on a thread without a robust list.
    pub(crate) fn guard(&self, thread: Option<&Thread>) -> Result<Option<Loan>> {
        if self.word.load(SeqCst) & WAITERS == 0 {
            return Ok(None);
        }
        lend_hook(thread, self.word.low()).map(Some)
    }

    /// Has one who sleeps look again, and who listens, as far as that can be done without a
    /// claim: for what has changed by a death.
    pub(crate) fn nudge(&self) {
        let seen = self.word.load(SeqCst);
        if seen & WAITERS != 0 {
            // SeqCst: whoever is about to sleep does not (R2). WAITERS stays.
            let called = (seen & !COME).wrapping_add(CALL);
            let _ = self.word.compare_exchange(seen, called, SeqCst, Relaxed);
            self.wake(1);
        }
    }

    /// Somebody is about to listen: says so. The caller orders and looks after that.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn listen(&self) -> Result<()> {
        self.checked(self.word.load(Relaxed))?;
        // SeqCst, SAID. Release, LISTENING.
        self.word.fetch_or(LISTENED, SeqCst);
        Ok(())
    }

    /// Nobody listens any more.
    pub(crate) fn forget_listeners(&self) {
        // Relaxed: a flag publishes nothing.
        self.word.fetch_and(!LISTENED, Relaxed);
    }

    /// For who is about to sleep on several things: the caller orders and looks after that.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<()> {
        let crowd = crowd::join(&self.crowd);
        let [low, high] = self.word.watches(self.announce()?);
        bed.add(low);
        bed.compare(high);
        bed.compare(crowd);
        Ok(())
    }

    /// Who has slept so goes.
    pub(crate) fn leave(&self) {
        self.go(true);
    }

    /// Checks the word.
    pub(crate) fn verify(&self) -> Result<()> {
        self.checked(self.word.load(Acquire)).map(drop)
    }

    /// Refuses a word that is none of a side: it is shared memory.
    fn checked(&self, word: u64) -> Result<u64> {
        if word as u32 & !((WAITERS | LISTENED) as u32) == 0 {
            return Ok(word);
        }
        Err(corrupted("the word of a ring's side is no state of one: the segment is damaged"))
    }
}

/// What wakes those who wait, whether its holder lives or dies.
pub(crate) struct Alert<'a> {
    side: &'a Side,
    lent: Option<Loan>,
    pull: Option<Pull<'a>>,
    /// The word as it was left.
    told: u64,
}

impl Alert<'_> {
    /// Wakes `n` of those who wait; the caller has published something for as many (R2).
    pub(crate) fn sound(self, n: u32) {
        if self.lent.is_some() && self.side.wake(n) < n {
            // Relaxed: a flag publishes nothing. It fails if somebody has come since (R2).
            let _ =
                self.side.word.compare_exchange(self.told, self.told & !WAITERS, Relaxed, Relaxed);
        }
    }
}

const CONSUMERS_ENDED: Error = Error::new(
    Status::Closed,
    "the consumers' end of the ring is closed: nothing that is put would be got",
);

/// What is answered when all has been got that ever will be.
pub(crate) const PRODUCERS_ENDED: Error = Error::new(
    Status::Closed,
    "the producers' end of the ring is closed: nothing more comes than what has come",
);

/// What a wait ends with when nothing came before the time was over.
pub(crate) const NOTHING_CAME: Error =
    Error::new(Status::TimedOut, "nothing was put into the ring before the time was over");

/// What a wait ends with when no room came before the time was over.
pub(crate) const NO_ROOM_CAME: Error =
    Error::new(Status::TimedOut, "the ring stayed full until the time was over");
