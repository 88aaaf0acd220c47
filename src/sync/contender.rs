//! One slow acquisition of a mutex: looking, sleeping, taking over, giving up.
//!
//! The hook stands on the mutex's word throughout (`MutexBody::lock_contended`). What
//! the word means, and what a death at any point leads to, is told in `mutex`.

use super::mutex::{Actor, INCONSISTENT, MutexBody, OWNED, STARVING, WAITERS, check_bits};
use super::owner::identify;
use super::wait::Wait;
use crate::error::{Error, Result, Status};
use crate::platform::atomic::Ordering::{Acquire, Relaxed};
use crate::platform::futex::{self, Watch};
use crate::platform::time::{Deadline, now_ns};
use crate::roster::death;
use crate::roster::journal;

/// How long somebody waits before newcomers are asked to let it pass, and how long
/// such a newcomer sleeps at most.
const STARVING_NS: u64 = 1_000_000;

const BUSY: Error =
    Error::new(Status::TimedOut, "the mutex is held by somebody else and the time is over");

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
    wait: Wait<'static>,
    /// When the first sleep began, 0 before it.
    waiting_since: u64,
}

impl<'a> Contender<'a> {
    pub(super) fn new(body: &'a MutexBody, actor: Actor, deadline: Deadline) -> Self {
        Self { body, actor, wait: Wait::eager(deadline), waiting_since: 0 }
    }

    /// Takes the word or gives up. The hook is armed.
    pub(super) fn contend(mut self) -> Result<Taken> {
        loop {
            // Acquire, NAMED: what the owner's name leads to is there.
            let word = self.body.word.load(Acquire);
            check_bits(word)?;
            if word & OWNED == 0 {
                if word & STARVING != 0 && !self.wait.slept() && !self.wait.is_over() {
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
            if death::feel_pulse(self.actor.attachment, word)?.is_none() {
                if let Some(taken) = self.take_over(word)? {
                    return Ok(taken);
                }
                continue;
            }
            if self.wait.is_over() {
                self.pass_on_the_watch(word);
                return Err(self.wait.refusal(BUSY));
            }
            if !self.wait.pause() {
                self.sleep(word)?;
            }
        }
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
        let low = self.body.word.low().as_futex();
        self.wait.nap(Watch { word: low, value: word as u32 }, STARVING_NS);
    }

    fn sleep(&mut self, word: u64) -> Result<()> {
        let now = now_ns();
        if self.waiting_since == 0 {
            self.waiting_since = now;
        }
        let starving = self.wait.slept() && now - self.waiting_since > STARVING_NS;
        let marked = word | WAITERS | if starving { STARVING } else { 0 };
        // Relaxed: flags publish nothing.
        if marked != word
            && self.body.word.compare_exchange(word, marked, Relaxed, Relaxed).is_err()
        {
            return Ok(());
        }
        // Queued on the low half before the rest is compared: an unlock that we do not see
        // there finds us.
        let words = self.body.word.watches(marked);
        self.wait.sleep(self.actor.attachment, &words, &[word])
    }

    /// Before giving up: a wake-up may have been meant for us, or the kernel may have
    /// counted on us to notice a death. Who never slept owes nothing.
    fn pass_on_the_watch(&self, word: u64) {
        if self.wait.slept() && word & WAITERS != 0 {
            futex::wake(self.body.word.low().as_futex(), 1);
        }
    }
}
