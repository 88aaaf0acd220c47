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
    Ordering::{Acquire, Relaxed, Release},
};

shared! {
    /// One word to be put back.
    pub(crate) struct UndoEntry: 16 {
        pub(crate) place: AtomicU64,
        pub(crate) old: AtomicU64,
    }
}

/// The word that says how many entries count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogState {
    pub(crate) tag: u32,
    pub(crate) count: u32,
}

impl LogState {
    pub(crate) fn of_word(word: u64) -> Self {
        Self { tag: (word >> 32) as u32, count: word as u32 }
    }

    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.tag) << 32 | u64::from(self.count)
    }
}

/// A log as long as its array of entries.
#[derive(Clone, Copy)]
pub(crate) struct UndoLog<'a> {
    pub(crate) state: &'a AtomicU64,
    pub(crate) entries: &'a [UndoEntry],
}

impl UndoLog<'_> {
    /// What the log says at this moment.
    pub(crate) fn state(&self) -> LogState {
        // Acquire: the entries that count are there.
        LogState::of_word(self.state.load(Acquire))
    }

    /// Says how many entries count from now on.
    pub(crate) fn set_state(&self, state: LogState) {
        self.state.store(state.to_word(), Release);
    }

    /// Puts back what the entries below `count` say, the newest first.
    pub(crate) fn put_back(&self, memory: &Memory, count: u32) -> Result<()> {
        let Some(entries) = self.entries.get(..count as usize) else {
            return Err(corrupted("an undo log counts too many entries: the segment is damaged"));
        };
        entries.iter().rev().try_for_each(|entry| entry.put_back(memory))
    }
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
