//! A lock that carries the undo log of what it guards.
//!
//! Words that only ever change under one lock need no log of their owner's: whoever takes
//! the lock next finds what was left open and undoes it before anything else. So nobody
//! has to know who died, and a taker that is killed while it undoes leaves the same work
//! to the next one.
//!
//! The state's tag counts the changes. A reader without the lock, who saw no open log
//! before and the same state after, has seen no change in between.
//!
//! # Edges
//!
//! | edge     | release            | acquire               | what it carries     |
//! |----------|--------------------|-----------------------|---------------------|
//! | UNLOCKED | `MutexBody::unlock` | `MutexBody::lock`    | what is guarded     |
//! | SETTLED  | `commit`, the undo | `Guarded::state`      | the changes of a hold |
//!
//! # If a process dies
//!
//! - before `commit` stored the state: the next holder undoes all of it;
//! - after it: all of it has happened;
//! - while it undoes: the entries still count, and undoing again does the same.

use core::cell::Cell;

use super::mutex::{Acquired, Actor, MutexBody};
use crate::error::{Result, Status};
use crate::layout::memory::Memory;
use crate::layout::undo::{self, LogState, UndoEntry};
use crate::layout::{Offset, shared};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::time::Deadline;

shared! {
    /// A lock and its log, with room for 32 changes of one hold. All zero is a free lock and
    /// an empty log.
    pub(crate) struct GuardedBody: 640 {
        pub(crate) lock: MutexBody,
        state: AtomicU64,
        reserved: [u64; 7],
        entries: [UndoEntry; 32],
    }
}

impl GuardedBody {
    /// The changes so far, for readers without the lock: `None` while one is going on,
    /// or if somebody died in it and nobody has taken the lock since.
    pub(crate) fn changes(&self) -> Option<u32> {
        // Acquire, SETTLED.
        let state = LogState::of_word(self.state.load(Acquire));
        (state.count() == 0).then_some(state.tag())
    }

    /// Takes the lock, however long it takes, and undoes what a dead holder left open.
    ///
    /// # Errors
    /// `Deadlock` if the actor holds it already, `Corrupted`.
    #[inline(always)]
    pub(crate) fn hold<'a>(&'a self, memory: &'a Memory, actor: Actor) -> Result<Hold<'a>> {
        if !self.lock.take_if_free(actor.name()) {
            self.wait(actor)?;
        }
        // Relaxed, and everywhere below: only who holds the lock changes the log.
        let state = LogState::of_word(self.state.load(Relaxed));
        let hold = Hold { body: self, memory, actor, state: Cell::new(state) };
        if state.count() != 0 {
            hold.undo()?;
        }
        Ok(hold)
    }

    #[cold]
    fn wait(&self, actor: Actor) -> Result<()> {
        loop {
            match self.lock.lock(actor, Deadline::NEVER) {
                Ok(Acquired::Clean) => return Ok(()),
                // What it guards is undone below, so nothing is inconsistent.
                Ok(Acquired::OwnerDied) => return self.lock.mark_consistent(actor),
                // Nobody holds it for long; the caller's handler has run.
                Err(error) if error.status() == Status::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The lock held, and changes to what it guards. Dropped without `commit`, all of them
/// are undone.
pub(crate) struct Hold<'a> {
    body: &'a GuardedBody,
    memory: &'a Memory,
    actor: Actor,
    /// What the log's state is: nobody else changes it.
    state: Cell<LogState>,
}

impl<'a> Hold<'a> {
    /// The memory that is guarded.
    pub(crate) fn memory(&self) -> &'a Memory {
        self.memory
    }

    /// The word at `place`.
    #[inline]
    pub(crate) fn get(&self, place: Offset) -> Result<u64> {
        Ok(self.memory.at::<AtomicU64>(place)?.load(Relaxed))
    }

    /// Changes the word at `place`, so that it can be undone.
    #[inline(always)]
    pub(crate) fn set(&self, place: Offset, value: u64) -> Result<()> {
        self.set_word(self.memory.at::<AtomicU64>(place)?, value);
        Ok(())
    }

    /// The same for a word that is at hand.
    ///
    /// # Panics
    /// If this hold has changed as many words as the log has entries.
    #[inline(always)]
    pub(crate) fn set_word(&self, word: &AtomicU64, value: u64) {
        let state = self.state.get();
        self.body.entries[state.count() as usize]
            .fill(self.memory.offset_of(word), word.load(Relaxed));
        self.set_state(state.one_more());
        // Release: after its entry counts.
        word.store(value, Release);
    }

    /// Makes the changes so far final, in one store. The lock stays held.
    #[inline]
    pub(crate) fn commit(&self) {
        // SETTLED: after all that was changed.
        self.set_state(LogState::empty(self.state.get().tag().wrapping_add(1)));
    }

    #[inline]
    fn set_state(&self, state: LogState) {
        self.state.set(state);
        // Release: after the entries that count, or after what was changed.
        self.body.state.store(state.to_word(), Release);
    }

    #[cold]
    fn undo(&self) -> Result<()> {
        undo::put_back(&self.body.entries, self.state.get().count(), self.memory)?;
        self.commit();
        Ok(())
    }
}

impl Drop for Hold<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.state.get().count() != 0 {
            // A damaged log stays open; the next holder is told the same.
            let _ = self.undo();
        }
        if !self.body.lock.give_up_if_quiet(self.actor.name()) {
            self.pass_on();
        }
    }
}

impl Hold<'_> {
    #[cold]
    fn pass_on(&self) {
        // Held since `hold`, so this cannot be refused.
        let _ = self.body.lock.unlock(self.actor);
    }
}
