//! A latch: it opens when it has been counted down to zero, once and for good.
//!
//! What a death does is told in `gate`. Who dies before it has counted down leaves a latch
//! that nobody else will open: a latch does not know who is to come.

use super::bed::Bed;
use super::bell::Bell;
use super::gate::{self, ONE, OPEN};
use super::wait::Wait;
use super::waitable::Waitable;
use crate::error::{Error, Result, Status, corrupted, invalid};
use crate::layout::shared;
use crate::platform::atomic::{
    HookableWord64,
    Ordering::{Acquire, Relaxed},
};
use crate::roster::attachment::Attachment;
use crate::roster::thread::Thread;

shared! {
    /// A latch in shared memory.
    pub(crate) struct LatchBody: 64 {
        word: HookableWord64,
        reserved: [u64; 7],
    }
}

/// The most that a latch can wait for.
pub(crate) const MOST_COUNT: u32 = i32::MAX as u32;

const STILL_SHUT: Error =
    Error::new(Status::TimedOut, "the latch was not counted down to zero before the time was over");

impl LatchBody {
    /// Makes a new one, which nobody else sees yet.
    pub(crate) fn begin(&self, count: u32) {
        // Relaxed: published with the object.
        self.word.store(word_of(count), Relaxed);
    }

    /// What it still waits for.
    pub(crate) fn count(&self) -> u32 {
        // Acquire, SIGNALLED.
        gate::number_in(self.word.load(Acquire))
    }

    /// Counts down by `n`, and opens it at zero.
    ///
    /// # Errors
    /// `InvalidArgument` if it waits for less than `n`; those of `Ring::take`.
    pub(crate) fn count_down(&self, thread: &Thread, bell: Bell<'_>, n: u32) -> Result<()> {
        let next = |word| match gate::number_in(word).checked_sub(n) {
            None => Err(TOO_MANY),
            Some(0) if n > 0 => Ok((word - u64::from(n) * ONE) | OPEN),
            Some(_) => Ok(word - u64::from(n) * ONE),
        };
        gate::change(&self.word, Some(thread), bell, next)
    }

    /// Waits until it is open.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`.
    pub(crate) fn wait(
        &self,
        attachment: &Attachment,
        thread: &Thread,
        mut wait: Wait<'_>,
    ) -> Result<()> {
        match gate::wait(&self.word, attachment, thread.hook(), &mut wait, is_open)? {
            true => Ok(()),
            false => Err(wait.refusal(STILL_SHUT)),
        }
    }

    /// Somebody is about to listen: says so, unless it is open.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn listen(&self) -> Result<bool> {
        gate::listen(&self.word)
    }

    /// Nobody listens any more.
    pub(crate) fn forget_listeners(&self) {
        gate::forget_listeners(&self.word);
    }

    /// Checks the word: open exactly at zero.
    pub(crate) fn verify(&self) -> Result<()> {
        let word = self.word.load(Acquire);
        gate::check(word)?;
        if (word & OPEN != 0) == (gate::number_in(word) == 0) {
            return Ok(());
        }
        Err(corrupted("a latch is open exactly at zero, and this one is not: it is damaged"))
    }
}

impl Waitable for LatchBody {
    fn seems_ready(&self) -> bool {
        // Acquire, SIGNALLED.
        is_open(self.word.load(Acquire))
    }

    fn is_ready(&self) -> Result<bool> {
        Ok(self.seems_ready())
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        gate::prepare(&self.word, bed, is_open)
    }

    fn leave(&self) {
        gate::leave(&self.word, is_open);
    }
}

fn is_open(word: u64) -> bool {
    word & OPEN != 0
}

fn word_of(count: u32) -> u64 {
    (u64::from(count) * ONE) | if count == 0 { OPEN } else { 0 }
}

const TOO_MANY: Error =
    invalid("the latch waits for less than that: count down by what is left at most");
