//! One slow acquisition of a mutex: looking, sleeping, taking over, giving up.
//!
//! The hook stands on the mutex's word throughout (`MutexBody::lock_contended`). What
//! the word means, and what a death at any point leads to, is told in `mutex`.

use super::mutex::{Actor, INCONSISTENT, MutexBody, OWNED, STARVING, WAITERS, check_bits};
use super::owner::identify;
use crate::error::{Error, Result, Status};
use crate::platform::atomic::Ordering::{Acquire, Relaxed};
use crate::platform::futex::{self, Wake, Watch};
use crate::platform::time::{Deadline, now_ns};
use crate::roster::death::{self, INTERRUPTED, Pulse};
use crate::roster::journal;

/// Looks before a waiter goes to sleep. The pause before each is twice the last one, up
/// to `LONGEST_PAUSE` instructions of some 40 ns: all in all 15 µs, less than a sleep and
/// its wake-up take.
///
/// Every look takes the word's line from an owner that may be about to unlock, or to lock
/// again. Two processes that do nothing but lock, count and unlock took 10 ns for it with
/// these pauses and 28 ns with 100 looks in a row (two cores 26 ns apart; 15 and 37 ns at
/// 190 ns). With sections of half a microsecond both did the same within a tenth.
const LOOKS: u32 = 11;
const LONGEST_PAUSE: u32 = 64;
/// How long somebody waits before newcomers are asked to let it pass, and how long
/// such a newcomer sleeps at most.
const STARVING_NS: u64 = 1_000_000;
const FIRST_SLICE_NS: u64 = 100_000_000;
const LONGEST_SLICE_NS: u64 = 1_000_000_000;

const BUSY: Error =
    Error::new(Status::TimedOut, "the mutex is held by somebody else and the time is over");

/// Why a contender gives up.
#[derive(Clone, Copy)]
enum GiveUp {
    Late,
    Interrupted,
}

impl From<GiveUp> for Error {
    fn from(why: GiveUp) -> Self {
        match why {
            GiveUp::Late => BUSY,
            GiveUp::Interrupted => INTERRUPTED,
        }
    }
}

/// A word that was taken.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    /// The word as it is now.
    pub(super) word: u64,
    /// Its last owner died holding it in a transaction, which has been undone.
    pub(super) undone: bool,
}

/// One slow acquisition.
pub(super) struct Contender<'a> {
    body: &'a MutexBody,
    actor: Actor,
    deadline: Deadline,
    /// When the first sleep began, 0 before it.
    waiting_since: u64,
    /// Slept in this call: a wake-up may have been meant for us.
    slept: bool,
    /// Why the next look is the last one.
    giving_up: Option<GiveUp>,
    /// Looks at an owned word since the last sleep.
    looks: u32,
    slice: u64,
}

impl<'a> Contender<'a> {
    pub(super) fn new(body: &'a MutexBody, actor: Actor, deadline: Deadline) -> Self {
        let giving_up = deadline.is_now().then_some(GiveUp::Late);
        Self {
            body,
            actor,
            deadline,
            waiting_since: 0,
            slept: false,
            giving_up,
            looks: 0,
            slice: FIRST_SLICE_NS,
        }
    }

    /// Takes the word or gives up. The hook is armed.
    pub(super) fn contend(mut self) -> Result<Taken> {
        loop {
            // Acquire, NAMED: what the owner's name leads to is there.
            let word = self.body.word.load(Acquire);
            check_bits(word)?;
            if word & OWNED == 0 {
                if word & STARVING != 0 && !self.slept && self.giving_up.is_none() {
                    self.let_pass(word);
                    continue;
                }
                // STARVING stays until nobody waits: who takes the lock now need not
                // be the one who starves.
                let taken = self.actor.mine | (word & (WAITERS | STARVING | INCONSISTENT));
                if self.exchange(word, taken) {
                    return Ok(Taken { word: taken, undone: false });
                }
                continue;
            }
            let Some(pulse) = death::feel_pulse(self.actor.attachment, word)? else {
                if let Some(taken) = self.take_over(word)? {
                    return Ok(taken);
                }
                continue;
            };
            if let Some(reason) = self.giving_up {
                self.pass_on_the_watch(word);
                return Err(reason.into());
            }
            if self.looks < LOOKS {
                self.pause();
            } else {
                self.sleep(word, &pulse)?;
            }
        }
    }

    /// Lets some time pass before the next look, more each time.
    fn pause(&mut self) {
        for _ in 0..LONGEST_PAUSE.min(1 << self.looks) {
            core::hint::spin_loop();
        }
        self.looks += 1;
    }

    fn exchange(&self, from: u64, to: u64) -> bool {
        // Acquire, UNLOCKED or DEPARTED: what the last owner wrote is ours to read.
        self.body.word.compare_exchange(from, to, Acquire, Relaxed).is_ok()
    }

    /// Takes the word from a dead owner.
    fn take_over(&self, word: u64) -> Result<Option<Taken>> {
        // All of this before the exchange: afterwards nothing names the dead one any more.
        let attachment = self.actor.attachment;
        let dead = identify(attachment, word)?;
        journal::repair(attachment, word, self.actor.name())?;
        let place = attachment.memory().offset_of(self.body);
        let undone = journal::held_in_transaction(attachment, word, place)?;
        let kept = word & (WAITERS | STARVING | if undone { INCONSISTENT } else { 0 });
        let taken = self.actor.mine | kept | if undone { 0 } else { INCONSISTENT };
        if !self.exchange(word, taken) {
            return Ok(None);
        }
        self.body.count_anew();
        self.body.remember(dead);
        // Others may sleep on the dead one's liveness word still, if we did not.
        // Killed here: our hook wakes one sleeper of this lock.
        death::spread_word(attachment, word);
        Ok(Some(Taken { word: taken, undone }))
    }

    /// A newcomer's courtesy: one short sleep while somebody starves.
    fn let_pass(&mut self, word: u64) {
        let until = self.deadline.within(now_ns(), STARVING_NS);
        let low = self.body.word.low().as_futex();
        let wake = futex::wait(&[Watch { word: low, value: word as u32 }], until);
        self.after_sleep(wake);
    }

    fn sleep(&mut self, word: u64, pulse: &Pulse<'_>) -> Result<()> {
        let now = now_ns();
        if self.waiting_since == 0 {
            self.waiting_since = now;
        }
        let starving = self.slept && now - self.waiting_since > STARVING_NS;
        let marked = word | WAITERS | if starving { STARVING } else { 0 };
        // Relaxed: flags publish nothing.
        if marked != word
            && self.body.word.compare_exchange(word, marked, Relaxed, Relaxed).is_err()
        {
            return Ok(());
        }
        let [live, generation] = pulse.watches();
        let watches = [
            // Queued here before the rest is compared: an unlock that we do not see
            // below finds us.
            Watch { word: self.body.word.low().as_futex(), value: marked as u32 },
            Watch { word: self.body.word.high(), value: (marked >> 32) as u32 },
            live,
            generation,
        ];
        let wake = futex::wait(&watches, self.deadline.within(now, self.slice));
        if death::feel_pulse(self.actor.attachment, word)?.is_none() {
            // The kernel woke one sleeper of the dead one's liveness word, perhaps us,
            // and others may wait there for another lock. First of all, so that no
            // way out of here swallows the news.
            death::spread_word(self.actor.attachment, word);
        }
        if wake == Wake::TimedOut && !self.deadline.has_passed() {
            self.slice = (self.slice * 2).min(LONGEST_SLICE_NS);
            death::examine(self.actor.attachment, word)?;
        }
        self.after_sleep(wake);
        Ok(())
    }

    fn after_sleep(&mut self, wake: Wake) {
        self.slept = true;
        // If somebody was faster than us, it may be over soon.
        self.looks = 0;
        if wake == Wake::Interrupted {
            self.giving_up = Some(GiveUp::Interrupted);
        } else if wake == Wake::TimedOut && self.deadline.has_passed() {
            self.giving_up = Some(GiveUp::Late);
        }
    }

    /// Before giving up: a wake-up may have been meant for us, or the kernel may have
    /// counted on us to notice a death. Who never slept owes nothing.
    fn pass_on_the_watch(&self, word: u64) {
        if self.slept && word & WAITERS != 0 {
            futex::wake(self.body.word.low().as_futex(), 1);
        }
    }
}
