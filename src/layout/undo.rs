//! Undo logs: what to put back if whoever changes several words dies half way.
//!
//! ```text
//!  entry    { place, old }    the word at `place` is to be `old` again
//!  state    bits 63..32       a tag, which belongs to the user of the log
//!           bits 31..0        how many entries count
//! ```
//!
//! # Protocol
//!
//! ```text
//!  change   entry n = { place, old };  state = { tag, n + 1 };  word = new
//!  commit   state = { tag, 0 }
//!  undo     for entry n - 1 down to 0: word = old;  state = { tag, 0 }
//! ```
//!
//! # If a process dies
//!
//! At any instruction: entries that count were complete before they counted, and a word
//! was changed after its entry counted. Undoing twice does no harm. What a killed thread
//! leaves is a prefix of its stores in program order, so each store here is a Release: a
//! store that is one never moves before an earlier one.

use super::memory::Memory;
use super::{Offset, shared};
use crate::error::{Result, corrupted};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release},
};

shared! {
    /// One word to be put back.
    pub(crate) struct UndoEntry: 16 {
        pub(crate) place: AtomicU64,
        pub(crate) old: AtomicU64,
    }
}

/// The word that says how many entries count. It is moved as one, never half by half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogState(u64);

impl LogState {
    /// No entry counts.
    pub(crate) fn empty(tag: u32) -> Self {
        Self(u64::from(tag) << 32)
    }

    #[inline]
    pub(crate) fn of_word(word: u64) -> Self {
        Self(word)
    }

    #[inline]
    pub(crate) fn to_word(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(crate) fn count(self) -> u32 {
        self.0 as u32
    }

    /// One entry more. There are never 2^32.
    #[inline]
    pub(crate) fn one_more(self) -> Self {
        Self(self.0 + 1)
    }

    /// No entry any more.
    #[inline]
    pub(crate) fn emptied(self) -> Self {
        Self(self.0 >> 32 << 32)
    }
}

/// Puts back what the entries below `count` say, the newest first.
pub(crate) fn put_back(entries: &[UndoEntry], count: u32, memory: &Memory) -> Result<()> {
    let Some(entries) = entries.get(..count as usize) else {
        return Err(corrupted("an undo log counts too many entries: the segment is damaged"));
    };
    entries.iter().rev().try_for_each(|entry| entry.put_back(memory))
}

impl UndoEntry {
    #[inline]
    pub(crate) fn fill(&self, place: Offset, old: u64) {
        self.place.store(place, Release);
        self.old.store(old, Release);
    }

    /// Makes the word what it was.
    pub(crate) fn put_back(&self, memory: &Memory) -> Result<()> {
        // Relaxed: the caller loaded the state with Acquire.
        let place = self.place.load(Relaxed);
        memory.check_undoable(place)?;
        let word = memory.at::<AtomicU64>(place)?;
        word.store(self.old.load(Relaxed), Release);
        Ok(())
    }
}
