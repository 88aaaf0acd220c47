//! How permits are given back, and those told who wait for one.

use super::{ONE, Tracked, WAITERS, check};
use crate::error::Result;
use crate::platform::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use crate::roster::member;
use crate::roster::thread::Thread;
use crate::sync::bell::{Bell, LISTENED, Pull};
use crate::sync::holders;
use crate::sync::lending::lend_hook;
use crate::sync::semaphore::TOO_MANY;

impl Tracked {
    /// Gives back `n` permits: those of this process first, then those of other members.
    /// Never waits; may be called in a signal handler.
    ///
    /// # Errors
    /// `Full` if fewer are held, `System` on a thread without a robust list, `Corrupted`, those
    /// of `Ring::take`.
    pub(crate) fn release(&self, thread: Option<&Thread>, bell: Bell<'_>, n: u32) -> Result<()> {
        let mut pull = bell.pull();
        let me = member::own_word(self.attachment);
        if n > 1 && self.held_at_least(n)? < n {
            return Err(TOO_MANY);
        }
        // Before any permit is free: after that it is too late to fail.
        while self.body.word.load(SeqCst) & LISTENED != 0 && !pull.holds()? {}
        for _ in 0..n {
            let pull = &mut pull;
            if !self.give_back(thread, pull, me)? && !self.free_anothers(thread, pull, me)? {
                return Err(TOO_MANY);
            }
        }
        Ok(())
    }

    /// How many are held by the living, as far as `n`.
    fn held_at_least(&self, n: u32) -> Result<u32> {
        let (mut held, mut living) = (0, 0);
        for permit in self.permits {
            let holder = permit.load(Relaxed);
            if holder != 0 && (holder == living || holders::seems_to_live(self.attachment, holder)?)
            {
                (held, living) = (held + 1, holder);
            }
            if held == n {
                break;
            }
        }
        Ok(held)
    }

    /// Gives back a permit of this process, if it has one.
    fn give_back(&self, thread: Option<&Thread>, pull: &mut Pull<'_>, me: u64) -> Result<bool> {
        let is_ours = |at: &usize| self.permits[*at].load(Relaxed) == me && self.free(*at, me);
        let found = me != 0 && self.downwards().any(|at| is_ours(&at));
        if found {
            self.tell(thread, pull)?;
        }
        Ok(found)
    }

    /// Frees a permit that another member holds, if there is one.
    #[cold]
    fn free_anothers(&self, thread: Option<&Thread>, pull: &mut Pull<'_>, me: u64) -> Result<bool> {
        let _lent = lend_hook(thread, self.body.word.low())?;
        for at in self.downwards() {
            let holder = self.permits[at].load(Relaxed);
            if holder == 0 || !holders::seems_to_live(self.attachment, holder)? {
                continue;
            }
            // SeqCst: who sees the count of before does not sleep, who sees this one sees us.
            self.body.debtor.store(me, SeqCst);
            self.change_word(Some(pull), counted)?;
            let freed = self.free(at, holder);
            if freed {
                self.tell(thread, pull)?;
            }
            // Relaxed: a later one stays.
            let _ = self.body.debtor.compare_exchange(me, 0, Relaxed, Relaxed);
            if freed {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn free(&self, at: usize, holder: u64) -> bool {
        // SeqCst, WAITING; and Release, GRANTED: what we wrote is the next one's to read.
        let freed = self.permits[at].compare_exchange(holder, 0, SeqCst, Relaxed).is_ok();
        if freed {
            self.near.store(at as u32, Relaxed);
        }
        freed
    }

    /// A permit was freed: wakes one of those who wait.
    #[inline]
    pub(in crate::sync) fn tell(&self, thread: Option<&Thread>, pull: &mut Pull<'_>) -> Result<()> {
        // SeqCst, WAITING.
        if self.body.word.load(SeqCst) & WAITERS == 0 {
            return Ok(());
        }
        self.tell_who_waits(thread, pull)
    }

    #[cold]
    fn tell_who_waits(&self, thread: Option<&Thread>, pull: &mut Pull<'_>) -> Result<()> {
        let word = &self.body.word;
        let _lent = lend_hook(thread, word.low())?;
        let told = |word| counted(word) & !(WAITERS | LISTENED); // T3
        if self.change_word(Some(pull), told).is_err() {
            // Who has begun to listen since we held the permit looks again after a while.
            self.change_word(None, counted)?;
        }
        self.wake_one();
        Ok(())
    }

    /// Exchanges the word; with `pull`, and if somebody listens, with the bell in the hand.
    fn change_word(&self, mut pull: Option<&mut Pull<'_>>, change: fn(u64) -> u64) -> Result<()> {
        let word = &self.body.word;
        let mut seen = word.load(Acquire);
        loop {
            check(seen)?;
            if seen & LISTENED != 0
                && let Some(pull) = pull.as_deref_mut()
                && !pull.holds()?
            {
                seen = word.load(Acquire); // LISTENING
                continue;
            }
            // SeqCst, WAITING. Acquire: LISTENING.
            match word.compare_exchange(seen, change(seen), SeqCst, Acquire) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }
}

/// The word after one permit more was given back.
fn counted(word: u64) -> u64 {
    word & LISTENED | word.wrapping_add(ONE) & !LISTENED
}
