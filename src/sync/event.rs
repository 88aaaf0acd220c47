//! An event: a flag that threads wait for, set by anybody and cleared by anybody.
//!
//! It counts how often it was set, so that whoever waits returns although the event was
//! cleared again before it could look. What a death does is told in `gate`.

use super::bed::Bed;
use super::bell::Bell;
use super::gate::{self, ONE, OPEN};
use super::wait::Wait;
use super::waitable::Waitable;
use crate::error::{Error, Result, Status};
use crate::layout::shared;
use crate::platform::atomic::{HookableWord64, Ordering::Acquire};
use crate::roster::attachment::Attachment;
use crate::roster::thread::Thread;

shared! {
    /// An event in shared memory. All zero is one that is not set.
    pub(crate) struct EventBody: 64 {
        word: HookableWord64,
        reserved: [u64; 7],
    }
}

// Other people's programs look at it themselves (`ffi::place`).
const _: () = assert!(core::mem::offset_of!(EventBody, word) == 0 && OPEN == 1 << 31);

const NOT_SET: Error =
    Error::new(Status::TimedOut, "the event was not set before the time was over");

impl EventBody {
    /// Whether it is set.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        // Acquire, SIGNALLED.
        self.word.load(Acquire) & OPEN != 0
    }

    /// How often it was set, modulo 2^31. To set one that is set does not count.
    #[inline]
    pub(crate) fn sets(&self) -> u32 {
        gate::number_in(self.word.load(Acquire))
    }

    /// Sets it and wakes everybody who waits.
    ///
    /// # Errors
    /// `System` on a thread that has no robust list; `Corrupted`; those of `Ring::take`.
    pub(crate) fn set(&self, thread: Option<&Thread>, bell: Bell<'_>) -> Result<()> {
        // An event that is set is exchanged for itself: what the caller wrote before is
        // there for whoever finds it set.
        let next = |word: u64| if word & OPEN == 0 { word.wrapping_add(ONE) | OPEN } else { word };
        gate::change(&self.word, thread, bell, |word| Ok(next(word)))
    }

    /// Clears it.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn clear(&self) -> Result<()> {
        gate::shut(&self.word)
    }

    /// Waits until it is set, or has been since it was set `since` times.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Corrupted`.
    pub(crate) fn wait(
        &self,
        attachment: &Attachment,
        thread: &Thread,
        since: Option<u32>,
        mut wait: Wait<'_>,
    ) -> Result<()> {
        let since = since.unwrap_or_else(|| self.sets());
        let passes = |word| is_over(word, since);
        match gate::wait(&self.word, attachment, thread.hook(), &mut wait, passes)? {
            true => Ok(()),
            false => Err(wait.refusal(NOT_SET)),
        }
    }

    /// Somebody is about to listen: says so, unless it is set.
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

    /// Checks the word.
    pub(crate) fn verify(&self) -> Result<()> {
        gate::check(self.word.load(Acquire))
    }
}

/// Whether a wait is over that began when the event had been set `since` times.
fn is_over(word: u64, since: u32) -> bool {
    word & OPEN != 0 || gate::number_in(word) != since
}

/// An event for which somebody waits since it had been set so often.
pub(crate) struct Since<'a> {
    event: &'a EventBody,
    since: u32,
}

impl EventBody {
    /// A wait for it that begins now, or began when it had been set `since` times.
    pub(crate) fn since(&self, since: Option<u32>) -> Since<'_> {
        Since { event: self, since: since.unwrap_or_else(|| self.sets()) }
    }
}

impl Waitable for Since<'_> {
    fn seems_ready(&self) -> bool {
        // Acquire, SIGNALLED.
        is_over(self.event.word.load(Acquire), self.since)
    }

    fn is_ready(&self) -> Result<bool> {
        Ok(self.seems_ready())
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        gate::prepare(&self.event.word, bed, |word| is_over(word, self.since))
    }

    fn leave(&self) {
        gate::leave(&self.event.word, |word| is_over(word, self.since));
    }
}
