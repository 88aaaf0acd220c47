//! Several changes that happen all or not at all.
//!
//! A transaction holds mutexes of one segment. What is changed through it is noted in the
//! log of the thread that runs it (`roster::journal`) before it is changed; to commit is
//! one store. If the process dies before that, whoever wants one of the mutexes next
//! undoes all of it first, and finds the mutex consistent.
//!
//! Who looks without the mutexes may see changes that are undone later.
//!
//! # If a process dies
//!
//! - taking the mutexes: nothing has changed; those it holds are free to take;
//! - changing something: undone, with all before it;
//! - between the commit and the last unlock: all of it has happened; the mutexes still
//!   name the dead one, whose log is clean;
//! - freeing annexes of the log: they are blocks in limbo (`segment::estate`).

use super::array::RawArray;
use super::mutex::Mutex;
use super::value::RawValue;
use crate::error::{Error, Result, Status, invalid};
use crate::layout::Offset;
use crate::layout::memory::Memory;
use crate::layout::undo::UndoEntry;
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::journal::{ANNEX_BYTES, Journal};
use crate::roster::record::MOST_LOCKS;
use crate::roster::thread::{self, Thread};
use crate::segment::heap::Want;
use crate::segment::{holding, limbo};
use crate::sync::mutex::{Acquired, Actor, MutexBody};

/// Entries of the first annex that a log needs.
const FIRST_ANNEX: u64 = 60;
/// Ranges of at most so many whole words are noted word by word.
const FEW_WORDS: u64 = 8;

/// An open transaction. Dropped without [`Transaction::commit`], everything that was
/// changed through it is as it was before.
///
/// A thread has one at a time. Its mutexes cannot be unlocked before it ends. A forked
/// child does not have its parent's.
#[derive(Debug)]
pub struct Transaction {
    changes: Changes,
    /// How many of the mutexes that are noted in the log it holds.
    held: u32,
    /// How many of them had an owner who died. (Whole words are moved faster than bytes.)
    news: u32,
    /// Mutexes of large values, taken when they were first stored to.
    inner: Vec<&'static MutexBody>,
}

/// The log of the transaction's thread, and who that is.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) actor: Actor,
    /// The actor's, at hand.
    thread: &'static Thread,
    journal: Journal<'static>,
}

impl Transaction {
    /// Begins a transaction under `mutexes`: 1 to 8 of one segment, in any order; they are
    /// taken in an order in which nobody can wait for each other for ever.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`; `Deadlock` if this thread holds one of them already;
    /// `WrongSegment` if they lie in two; `InvalidArgument` for none, too many, one twice,
    /// or if this thread has a transaction open; `Permission` for a read-only segment.
    pub fn begin(mutexes: &[&Mutex], deadline: Deadline) -> Result<Self> {
        let mut place = None;
        Self::begin_at(&mut place, mutexes, deadline)?;
        Ok(place.expect("it has begun"))
    }

    /// The same for who has a place for it already: to move it takes as long as to take a
    /// mutex. The place is empty.
    #[inline(always)]
    pub(crate) fn begin_at(
        place: &mut Option<Self>,
        mutexes: &[&Mutex],
        deadline: Deadline,
    ) -> Result<()> {
        let thread = thread::here()?;
        if thread.has_transaction() || place.is_some() {
            return Err(NESTED);
        }
        if let [mutex] = mutexes {
            let (attachment, place_of) = (mutex.attachment(), mutex.place_in_segment());
            return Self::open_at(place, thread, attachment, &[place_of], deadline);
        }
        Self::open_many_at(place, thread, mutexes, deadline)
    }

    #[inline(never)]
    fn open_many_at(
        place: &mut Option<Self>,
        thread: &'static Thread,
        mutexes: &[&Mutex],
        deadline: Deadline,
    ) -> Result<()> {
        let mut places = [0; MOST_LOCKS];
        let (attachment, places) = in_order(mutexes, &mut places)?;
        Self::open_at(place, thread, attachment, places, deadline)
    }

    #[inline(always)]
    fn open_at(
        place: &mut Option<Self>,
        thread: &'static Thread,
        attachment: &'static Attachment,
        locks: &[Offset],
        deadline: Deadline,
    ) -> Result<()> {
        let actor = Actor::new(thread, attachment)?;
        let journal = Journal::of(attachment, actor.slot())?;
        let changes = Changes { actor, thread, journal };
        let begun = place.insert(Self { changes, held: 0, news: 0, inner: Vec::new() });
        begun.take(actor, locks, deadline).inspect_err(|_| *place = None)
    }

    #[inline(always)]
    fn take(&mut self, actor: Actor, places: &[Offset], deadline: Deadline) -> Result<()> {
        let journal = &self.changes.journal;
        let mutex_at = |place| actor.attachment().memory().at::<MutexBody>(place);
        for place in places {
            // Before they are noted: a hold of another sort is none of a transaction's.
            mutex_at(*place)?.check_not_held(actor)?;
        }
        self.changes.thread.begin_transaction(actor.attachment(), actor.name());
        // Before the first is taken: if we die, they are known to be a transaction's.
        journal.note_locks(places);
        for place in places {
            // If it fails, dropping `self` gives back those before it.
            let acquired = mutex_at(*place)?.lock_in_transaction(actor, deadline)?;
            self.news += u32::from(acquired == Acquired::OwnerDied);
            self.held += 1;
        }
        Ok(())
    }

    /// Whether an owner of one of the mutexes died outside of a transaction, and nobody has
    /// marked the mutex consistent since: what it guards may be half changed.
    #[inline]
    pub fn owner_died(&self) -> bool {
        self.news != 0
    }

    /// Replaces a value. Only a value of more than 8 bytes can have to wait, for another
    /// writer of the same value.
    ///
    /// # Errors
    /// `WrongSegment`; `InvalidArgument` for an operand of another size; `NoSpace` if the
    /// log cannot grow; for large values `TimedOut` and `Interrupted`. Nothing has changed
    /// then, and the transaction goes on.
    #[inline]
    pub fn store(&mut self, value: &RawValue, new: &[u8], deadline: Deadline) -> Result<()> {
        self.check_open(value.attachment())?;
        if let Some(mutex) = value.store_in(&self.changes, new, deadline)? {
            self.inner.push(mutex);
        }
        Ok(())
    }

    /// Notes `count` elements from element `first` on, in C order, and lends them: they may
    /// be changed until the transaction ends.
    ///
    /// # Errors
    /// `WrongSegment`; `InvalidArgument` if the array is shorter; `NoSpace` if the log
    /// cannot grow.
    pub fn modify(&mut self, array: &RawArray, first: u64, count: u64) -> Result<*mut u8> {
        self.check_open(array.attachment())?;
        let (place, length) = array.range(first, count)?;
        self.changes.note_range(place, length)?;
        Ok(array.data().wrapping_add((first * array.ty().size()) as usize))
    }

    /// Makes all changes final, and gives the mutexes back.
    ///
    /// # Errors
    /// `NotOwner` in a forked child: nothing is committed there.
    pub fn commit(self) -> Result<()> {
        self.make_final()
    }

    /// The commit itself. The mutexes go with the transaction.
    #[inline]
    pub(crate) fn make_final(&self) -> Result<()> {
        self.check_own()?;
        self.changes.journal.commit();
        // Killed here, they stay marked as they were, which is the safe side.
        self.mark_consistent()
    }

    /// Undoes all changes, and gives the mutexes back. Dropping does the same.
    ///
    /// # Errors
    /// `NotOwner` in a forked child; `Corrupted` if the log is damaged.
    pub fn abort(self) -> Result<()> {
        self.check_own()?;
        self.changes.journal.undo()
    }

    /// Marks those mutexes for which it was asked meanwhile (`Mutex::mark_consistent`): not
    /// earlier, for what made them consistent could have been undone.
    fn mark_consistent(&self) -> Result<()> {
        let Changes { actor, thread, journal } = &self.changes;
        let marks = thread.marks();
        if marks == 0 {
            return Ok(());
        }
        for (number, place) in journal.noted_locks().enumerate() {
            if marks & 1 << number != 0 {
                actor.attachment().memory().at::<MutexBody>(place)?.mark_consistent(*actor)?;
            }
        }
        Ok(())
    }

    fn check_own(&self) -> Result<()> {
        let Changes { actor, thread, .. } = &self.changes;
        match thread.has_this_transaction(actor.attachment(), actor.name()) {
            true => Ok(()),
            false => Err(INHERITED),
        }
    }

    fn check_open(&self, attachment: &'static Attachment) -> Result<()> {
        self.check_own()?;
        if core::ptr::eq(attachment, self.changes.actor.attachment()) {
            return Ok(());
        }
        Err(ELSEWHERE)
    }

    /// The locks go, and what the log had needed.
    #[inline]
    fn end(&mut self) -> Result<()> {
        let Changes { actor, journal, .. } = &self.changes;
        // What was not committed. A damaged log stays open, for others to find.
        journal.undo()?;
        for mutex in self.inner.drain(..) {
            mutex.unlock(*actor)?;
        }
        for place in journal.noted_locks().take(self.held as usize) {
            actor.attachment().memory().at::<MutexBody>(place)?.unlock(*actor)?;
        }
        journal.forget_locks();
        for block in journal.take_annexes()? {
            limbo::release(*actor, block)?;
        }
        Ok(())
    }
}

/// Where several mutexes lie, in the order in which they are taken, and in which segment.
fn in_order<'p>(
    mutexes: &[&Mutex],
    places: &'p mut [Offset; MOST_LOCKS],
) -> Result<(&'static Attachment, &'p [Offset])> {
    let Some(places) = places.get_mut(..mutexes.len()) else {
        return Err(invalid("a transaction has room for 8 mutexes: pass fewer"));
    };
    let Some(first) = mutexes.first() else {
        return Err(invalid("a transaction needs a mutex: pass 1 to 8 of them"));
    };
    let attachment = first.attachment();
    if mutexes.iter().any(|m| !core::ptr::eq(m.attachment(), attachment)) {
        return Err(ELSEWHERE);
    }
    for (place, mutex) in places.iter_mut().zip(mutexes) {
        *place = mutex.place_in_segment();
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(invalid("a mutex is passed twice: pass each of them once"));
    }
    Ok((attachment, places))
}

impl Drop for Transaction {
    #[inline]
    fn drop(&mut self) {
        if self.check_own().is_ok() {
            // The only failure is a damaged segment, which everybody will be told.
            let _ = self.end();
            let Changes { actor, thread, .. } = &self.changes;
            thread.end_transaction(actor.attachment(), actor.name());
            holding::let_go_of_kept(actor);
        }
    }
}

impl Changes {
    pub(super) fn memory(&self) -> &'static Memory {
        self.actor.attachment().memory()
    }

    /// Notes that the word at `place` is to be `old` again if all is undone.
    #[inline]
    pub(super) fn note(&self, place: Offset, old: u64) -> Result<()> {
        if self.journal.note(place, old)? {
            return Ok(());
        }
        self.note_in_annex(place, old)
    }

    #[cold]
    fn note_in_annex(&self, place: Offset, old: u64) -> Result<()> {
        let journal = &self.journal;
        // As many as there are already, so that the number of annexes stays small.
        let entries = FIRST_ANNEX.max(journal.count().into());
        let block = self.annex(entries * size_of::<UndoEntry>() as u64)?;
        journal.add_entries(block, entries)?;
        journal.note(place, old).map(|noted| debug_assert!(noted, "there is room now"))
    }

    /// Notes that these bytes are to be again what they are now.
    fn note_range(&self, place: Offset, length: u64) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        if place.is_multiple_of(8) && length.is_multiple_of(8) && length / 8 <= FEW_WORDS {
            let words = self.memory().words(place, length / 8)?;
            return (place..).step_by(8).zip(words).try_for_each(|(place, word)| {
                // Relaxed: behind our mutexes.
                self.note(place, word.load(Relaxed))
            });
        }
        let block = self.annex(length)?;
        self.journal.note_range(block, place, length)
    }

    fn annex(&self, bytes: u64) -> Result<Offset> {
        let bytes = ANNEX_BYTES.saturating_add(bytes);
        let want = Want { bytes, align: 16, lead: 16 };
        Ok(limbo::allocate(self.actor, &want)?.offset)
    }
}

const NESTED: Error = Error::new(
    Status::InvalidArgument,
    "this thread has a transaction open: commit or abort it first; transactions do not nest",
);
const INHERITED: Error = Error::new(
    Status::NotOwner,
    "the transaction belongs to the parent of this forked process: begin one here",
);
const ELSEWHERE: Error = Error::new(
    Status::WrongSegment,
    "a transaction stays in one segment: use mutexes, values and arrays of the same one",
);
