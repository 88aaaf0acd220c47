//! One slow acquisition of a mutex, or of a moment in which it is free: looking, sleeping,
//! taking over, giving up.
//!
//! The hook stands on the mutex's word throughout (`MutexBody::contend`). What the word
//! means, and what a death at any point leads to, is told in `mutex`.

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

/// What a contender is after.
pub(super) trait Goal: Sized {
    /// What is answered if the time is over before.
    const BUSY: Error;
    /// Whether newcomers with this goal let the starving pass.
    const GIVES_WAY: bool = true;

    /// Reaches it if the word is free, and says what the word is then; `None` if somebody
    /// was faster.
    fn try_free(&self, contender: &Contender<'_, Self>, word: u64) -> Option<u64> {
        contender.take(word)
    }

    /// Whether the owner, who is dead, may have left half changed what the lock guards.
    fn is_news(&self) -> bool {
        true
    }
}

/// To take a mutex.
pub(super) struct Taking;

impl Goal for Taking {
    const BUSY: Error =
        Error::new(Status::TimedOut, "the mutex is held by somebody else and the time is over");
}

/// How a contender has reached its goal.
#[derive(Clone, Copy)]
pub(super) struct Gained {
    /// The word as it is now: owned, or free if that was the goal.
    pub(super) word: u64,
    /// Its last owner died holding it in a transaction, which has been undone.
    pub(super) undone: bool,
}

/// One slow acquisition.
pub(super) struct Contender<'a, G> {
    goal: &'a G,
    body: &'a MutexBody,
    actor: Actor,
    wait: Wait<'static>,
    /// When the first sleep began, 0 before it.
    waiting_since: u64,
}

impl<'a, G: Goal> Contender<'a, G> {
    pub(super) fn new(goal: &'a G, body: &'a MutexBody, actor: Actor, deadline: Deadline) -> Self {
        Self { goal, body, actor, wait: Wait::eager(deadline), waiting_since: 0 }
    }

    /// Reaches its goal or gives up. The hook is armed.
    pub(super) fn contend(mut self) -> Result<Gained> {
        loop {
            // Acquire, NAMED: what the owner's name leads to is there.
            let word = self.body.word.load(Acquire);
            check_bits(word)?;
            if word & OWNED == 0 {
                let is_newcomer = !self.slept() && !self.wait.is_over();
                if G::GIVES_WAY && word & STARVING != 0 && is_newcomer {
                    self.let_pass(word);
                    continue;
                }
                if let Some(word) = self.goal.try_free(&self, word) {
                    return Ok(Gained { word, undone: false });
                }
                continue;
            }
            if death::feel_pulse(self.actor.attachment, word)?.is_none() {
                if let Some(gained) = self.take_over(word)? {
                    return Ok(gained);
                }
                continue;
            }
            if self.wait.is_over() {
                self.pass_on_the_watch(word);
                return Err(self.wait.refusal(G::BUSY));
            }
            if !self.wait.pause() {
                self.sleep(word)?;
            }
        }
    }

    /// Takes a free word.
    fn take(&self, word: u64) -> Option<u64> {
        // STARVING stays until nobody waits: who takes the lock now need not be the one who
        // starves.
        let taken = self.actor.mine | (word & (WAITERS | STARVING | INCONSISTENT));
        self.exchange(word, taken).then_some(taken)
    }

    fn exchange(&self, from: u64, to: u64) -> bool {
        // Acquire, UNLOCKED or DEPARTED: what the last owner wrote is ours to read.
        self.body.word.compare_exchange(from, to, Acquire, Relaxed).is_ok()
    }

    /// Takes the word from a dead owner.
    fn take_over(&self, word: u64) -> Result<Option<Gained>> {
        // All of this before the exchange: afterwards nothing names the dead one any more.
        let attachment = self.actor.attachment;
        let dead = identify(attachment, word)?;
        journal::repair(attachment, word, self.actor.name())?;
        let place = attachment.memory().offset_of(self.body);
        let undone = journal::held_in_transaction(attachment, word, place)?;
        let is_news = self.goal.is_news();
        let kept = word & (WAITERS | STARVING | INCONSISTENT);
        let taken = self.actor.mine | kept | if is_news && !undone { INCONSISTENT } else { 0 };
        if !self.exchange(word, taken) {
            return Ok(None);
        }
        self.body.count_anew();
        if is_news {
            self.body.remember(dead);
        }
        // Others may sleep on the dead one's liveness word still, if we did not.
        // Killed here: our hook wakes one sleeper of this lock.
        death::spread_word(attachment, word);
        Ok(Some(Gained { word: taken, undone }))
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
        let starving = self.slept() && now - self.waiting_since > STARVING_NS;
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

    /// Whether it has slept: then a wake-up may have been meant for it.
    pub(super) fn slept(&self) -> bool {
        self.wait.slept()
    }

    /// Before giving up: a wake-up may have been meant for us, or the kernel may have
    /// counted on us to notice a death. Who never slept owes nothing.
    fn pass_on_the_watch(&self, word: u64) {
        if self.slept() && word & WAITERS != 0 {
            futex::wake(self.body.word.low().as_futex(), 1);
        }
    }
}
