//! A reader-writer lock whose holders may be killed at any instruction.
//!
//! Writers take a mutex. A reader puts a *mark* into its own record and is in if the mutex
//! is free after that; so readers write to no line that they share. A writer that has taken
//! the mutex goes through the records and waits until those who were in have left.
//!
//! ```text
//!  reader   its mark = {key, 1}                    writer   takes the mutex
//!           the mutex is free: in                           each mark of a living thread
//!           else: mark = 0, wait for the mutex,             with this key: sleeps on it
//!           and again                                       inside = 1: in
//!           leaves: mark = 0, wakes who watches it          leaves: inside = 0, unlocks
//! ```
//!
//! Readers wait among the writers, in the queue of the mutex, and pass as soon as it is free.
//! While a writer waits for marks nobody new comes in, so it waits only for those who are.
//! A thread that reads already comes in again without a look at the mutex, or it would wait
//! for a writer that waits for it.
//!
//! # Invariants
//!
//! - **R1** Who is in to read has a mark, and has seen the mutex free after it put it there.
//! - **R2** Who is in to write holds the mutex, and since it does has seen of every thread
//!   that it has no mark or is dead.
//! - **R3** `high` is more than any slot whose thread ever had a mark: it is raised before
//!   the mark is written, and never lowered.
//! - **R4** `inside` is 1 from before a writer is in until it begins to leave. When it is 1
//!   and the owner of the mutex is not in, an earlier one has died inside, and the mutex is
//!   INCONSISTENT.
//!
//! # Edges
//!
//! | edge     | release                 | acquire                    | what it carries          |
//! |----------|-------------------------|----------------------------|--------------------------|
//! | UNLOCKED | a writer unlocks        | a reader looks at the word | what the lock guards     |
//! | READ     | a reader clears a mark  | a writer looks at it       | that it has been read    |
//! | READING  | one puts a mark, the other takes the mutex, and then each looks at what the  |||
//! |          | other wrote: in one order for all (SeqCst), so one of them sees the other    |||
//!
//! # If a process dies
//!
//! - reading, or anywhere between its mark and its end: the mark of a dead thread counts for
//!   nothing, and nobody is told. A writer that sleeps on the mark sleeps on its owner's
//!   liveness word as well. Who gets the slot clears the mark (`segment::estate`);
//! - between clearing a mark and waking the writer: it is woken by the same death;
//! - waiting to read: as one who waits for the mutex. Woken, and before it has passed that
//!   on to the next: its hook is on the word;
//! - writing: as the owner of a mutex. The next one takes the mutex over, and all are told,
//!   readers too, until a writer marks it consistent;
//! - having taken the mutex, before it is in, or after it has begun to leave: the same, but
//!   `inside` is 0, and nobody is told;
//! - having taken the mutex from a dead writer in order to read: as just said. It marks itself
//!   first and then unlocks, so no writer comes between.
//!
//! `models/rwlock.pml` checks this with up to three threads and two deaths. A slice is needed
//! in one case: one reader of two locks dies, and the writer of one of them that the kernel
//! wakes is killed before it has woken that of the other.

use super::contender::{Contender, Goal};
use super::marks;
use super::mutex::{Acquired, Actor, MutexBody, OWNED, WAITERS, news_in};
use super::owner::Owner;
use super::wait::{Spin, Wait};
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Relaxed, Release, SeqCst},
    compiler_fence, fence,
};
use crate::platform::futex;
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::death;
use crate::roster::participant;
use crate::roster::record::Marks;
use crate::roster::thread::Seated;

shared! {
    /// A reader-writer lock in shared memory.
    pub(crate) struct RwLockBody: 128 {
        /// Held by who writes, and by who waits for readers in order to.
        mutex: MutexBody,
        /// What marks call the lock; constant once it is published.
        key: AtomicU64,
        high: AtomicU32,
        inside: AtomicU32,
        reserved: [u64; 6],
    }
}

// `segment::estate` finds the mutex of any lock at its beginning, and other people's programs
// take the short way to these (`ffi::place`).
const _: () = {
    assert!(core::mem::offset_of!(RwLockBody, mutex) == 0);
    assert!(core::mem::offset_of!(RwLockBody, key) == 64);
    assert!(core::mem::offset_of!(RwLockBody, high) == 72);
};

/// What came of the short way to a read lock.
pub(crate) enum Attempt {
    /// Done.
    In(Acquired),
    /// The mark is there, and a writer is in the way.
    HeldUp,
    /// Nothing has changed.
    None,
}

impl RwLockBody {
    /// Makes a lock of a body that is all zero. The number is that of no other object.
    pub(crate) fn begin(&self, number: u64) {
        // Relaxed: nobody else sees it yet.
        self.key.store(marks::key_of(number), Relaxed);
    }

    /// What no lock ever says.
    #[cfg(test)]
    pub(crate) fn damage_key(&self, key: u64) {
        self.key.store(key, Relaxed);
    }

    #[inline(always)]
    fn key(&self) -> u64 {
        // Relaxed: constant.
        self.key.load(Relaxed)
    }

    /// The same, checked: it is shared memory. The short ways put in a mark what they find
    /// here, and take it out again.
    fn checked_key(&self) -> Result<u64> {
        let key = self.key();
        if marks::is_key(key) { Ok(key) } else { Err(DAMAGED) }
    }

    /// Comes in to read if that needs nothing but a mark: the whole of a lock that no writer
    /// holds up. In a call: a signal handler that found a mark which may still have to be
    /// taken back would take it for one that is in.
    #[inline(always)]
    pub(crate) fn read_quickly(&self, own: &Seated) -> Attempt {
        let key = self.key();
        // SeqCst, READING (R3): a writer that we do not see finds it as high.
        if self.high.load(SeqCst) <= own.slot() || !marks::set(marks::home(own.marks(), key), key) {
            return Attempt::None;
        }
        self.look_behind().map_or(Attempt::HeldUp, Attempt::In)
    }

    /// Undoes an attempt that was held up.
    pub(crate) fn retreat(&self, own: &Seated) {
        marks::clear(marks::home(own.marks(), self.key()));
    }

    /// Whether a reader that has put its mark is in, and what it is told.
    #[inline(always)]
    fn look_behind(&self) -> Option<Acquired> {
        // SeqCst, READING: after the mark (R1). Acquire, UNLOCKED.
        let word = self.mutex.word.load(SeqCst);
        (word & OWNED == 0).then(|| news_in(word))
    }

    /// Leaves if the thread reads it once and nobody waits for that. One step, so a signal
    /// handler may come in at any moment.
    #[inline(always)]
    pub(crate) fn leave_quickly(&self, marks: &Marks) -> bool {
        let key = self.key();
        marks::take_back(marks::home(marks, key), key)
    }

    /// Comes in to read.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`; `Deadlock` if the actor writes; `Full` if it reads too
    /// many locks, or this one too often; `Corrupted`.
    pub(crate) fn read(&self, actor: Actor, deadline: Deadline) -> Result<Acquired> {
        let key = self.checked_key()?;
        let own = actor.marks()?;
        if let Some(mark) = marks::find(own, key) {
            marks::count_up(mark)?;
            // Relaxed: it is in, and has been told before.
            return Ok(news_in(self.mutex.word.load(Relaxed)));
        }
        if self.mutex.is_held_by(actor) {
            return Err(WRITES_ALREADY);
        }
        let mark = marks::vacancy(own, key)?;
        // SeqCst, READING (R3).
        self.high.fetch_max(actor.slot() + 1, SeqCst);
        marks::set(mark, key);
        if let Some(news) = self.look_behind() {
            return Ok(news);
        }
        marks::clear(mark);
        let goal = Reading { lock: self, mark, key };
        let gained = self.mutex.contend(actor, deadline, &goal)?;
        if gained.word & OWNED != 0 {
            // Ours for a moment, from a dead writer.
            marks::set(mark, key);
            self.unlock(actor)?;
        }
        Ok(news_in(gained.word))
    }

    /// Undoes one `read`.
    ///
    /// # Errors
    /// `NotOwner` if the actor does not read it.
    pub(crate) fn end_read(&self, actor: Actor) -> Result<()> {
        let mark = marks::find(actor.marks()?, self.checked_key()?).ok_or(NOT_READING)?;
        marks::count_down(mark);
        Ok(())
    }

    /// Comes in to write.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`; `Deadlock` if the actor is in already; `Corrupted`.
    pub(crate) fn write(&self, actor: Actor, deadline: Deadline, spin: &Spin) -> Result<Acquired> {
        if marks::find(actor.marks()?, self.checked_key()?).is_some() {
            return Err(READS_ALREADY);
        }
        if self.mutex.is_held_by(actor) {
            return Err(WRITES_ALREADY);
        }
        // Who only tries holds up no readers if there are some.
        if deadline.is_now() && self.readers(actor.attachment())? > 0 {
            return Err(IN_USE);
        }
        let news = if self.mutex.take_if_free(actor.name()) {
            Acquired::Clean
        } else {
            news_in(self.mutex.contend(actor, deadline, &Writing { lock: self })?.word)
        };
        if let Err(error) = self.await_readers(actor, Wait::new(deadline, spin)) {
            self.unlock(actor)?;
            return Err(error);
        }
        // Relaxed: who finds us dead sees all that we stored (DEPARTED).
        self.inside.store(1, Relaxed);
        // Nothing of what the lock guards is written before that.
        compiler_fence(SeqCst);
        Ok(news)
    }

    /// Waits until nobody reads. The actor holds the mutex.
    fn await_readers(&self, actor: Actor, mut wait: Wait<'_>) -> Result<()> {
        // Whoever owned the mutex before us has died, or has left. Relaxed: the owner's own.
        self.inside.store(0, Relaxed);
        // SeqCst, READING: the mutex was taken before, the marks are looked at after this.
        fence(SeqCst);
        let (key, attachment) = (self.key(), actor.attachment());
        for slot in 0..self.slots(attachment) {
            let record = attachment.participant(slot)?;
            for mark in &record.marks {
                while let Some(seen) = marks::look(mark, key) {
                    // If the slot has a new owner meanwhile, that one clears the mark.
                    let name = participant::current_name(slot, record);
                    if death::feel_pulse(attachment, name)?.is_none() {
                        break;
                    }
                    if wait.is_over() {
                        return Err(wait.refusal(IN_USE));
                    }
                    if !wait.pause()
                        && let Some(watch) = marks::watch(mark, seen)
                    {
                        wait.sleep(attachment, &[watch], &[name])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Undoes `write`.
    ///
    /// # Errors
    /// `NotOwner` if the actor does not write.
    pub(crate) fn end_write(&self, actor: Actor) -> Result<()> {
        if self.mutex.is_held_by(actor) { self.unlock(actor) } else { Err(NOT_WRITING) }
    }

    /// Gives back the mutex, which the actor holds, in or not (R4).
    fn unlock(&self, actor: Actor) -> Result<()> {
        // Release: what was written inside comes before it.
        self.inside.store(0, Release);
        self.mutex.unlock(actor)
    }

    /// Says that what the lock guards is whole again.
    ///
    /// # Errors
    /// `NotOwner` if the actor does not write.
    pub(crate) fn mark_consistent(&self, actor: Actor) -> Result<()> {
        if self.mutex.is_held_by(actor) {
            self.mutex.mark_consistent(actor)
        } else {
            Err(NOT_WRITING)
        }
    }

    /// Who writes at this moment, or waits for readers in order to.
    pub(crate) fn owner(&self, attachment: &Attachment) -> Result<Option<Owner>> {
        self.mutex.owner(attachment)
    }

    /// Who died writing, until it is marked consistent.
    pub(crate) fn dead_owner(&self) -> Option<Owner> {
        self.mutex.dead_owner()
    }

    /// How many living threads read it, or are about to look whether they may.
    pub(crate) fn readers(&self, attachment: &Attachment) -> Result<u32> {
        let key = self.checked_key()?;
        let mut readers = 0;
        for slot in 0..self.slots(attachment) {
            let record = attachment.participant(slot)?;
            let reads = marks::find(&record.marks, key).is_some();
            let name = participant::current_name(slot, record);
            if reads && death::feel_pulse(attachment, name)?.is_some() {
                readers += 1;
            }
        }
        Ok(readers)
    }

    /// Slots whose threads may have marks of it.
    fn slots(&self, attachment: &Attachment) -> u32 {
        // SeqCst, READING (R3).
        self.high.load(SeqCst).min(attachment.slot_count())
    }

    /// Checks what can be checked at any moment.
    pub(crate) fn verify(&self, attachment: &Attachment) -> Result<()> {
        self.mutex.verify(attachment)?;
        self.checked_key()?;
        let is_sound =
            self.high.load(Relaxed) <= attachment.slot_count() && self.inside.load(Relaxed) <= 1;
        if is_sound { Ok(()) } else { Err(DAMAGED) }
    }
}

/// To take the mutex in order to write.
struct Writing<'a> {
    lock: &'a RwLockBody,
}

impl Goal for Writing<'_> {
    const BUSY: Error = IN_USE;

    fn is_news(&self) -> bool {
        // Relaxed: its owner is dead, and so has all it stored been seen (DEPARTED).
        self.lock.inside.load(Relaxed) != 0
    }
}

/// To put a mark while the mutex is free.
struct Reading<'a> {
    lock: &'a RwLockBody,
    mark: &'a AtomicU64,
    key: u64,
}

impl Goal for Reading<'_> {
    const BUSY: Error = Error::new(
        Status::TimedOut,
        "somebody writes, or is about to, under the reader-writer lock, and the time is over",
    );
    /// Who only passes takes nothing from the starving.
    const GIVES_WAY: bool = false;

    fn try_free(&self, contender: &Contender<'_, Self>, _word: u64) -> Option<u64> {
        marks::set(self.mark, self.key);
        // SeqCst, READING: as in `look_behind`.
        let word = self.lock.mutex.word.load(SeqCst);
        if word & OWNED != 0 {
            marks::clear(self.mark);
            return None;
        }
        // The wake-up was for one who takes the word, and we do not.
        if contender.slept() && word & WAITERS != 0 {
            futex::wake(self.lock.mutex.word.low().as_futex(), 1);
        }
        Some(word)
    }

    fn is_news(&self) -> bool {
        Writing { lock: self.lock }.is_news()
    }
}

const DAMAGED: Error =
    corrupted("a reader-writer lock says of its readers what cannot be: the segment is damaged");
const IN_USE: Error = Error::new(
    Status::TimedOut,
    "others read or write under the reader-writer lock, and the time is over",
);
const WRITES_ALREADY: Error = Error::new(
    Status::Deadlock,
    "this thread writes under the reader-writer lock already: unlock that first",
);
const READS_ALREADY: Error = Error::new(
    Status::Deadlock,
    "this thread reads under the reader-writer lock: unlock that before you lock it for writing, \
     and look again at what you have read",
);
const NOT_READING: Error = Error::new(
    Status::NotOwner,
    "this thread does not read under the reader-writer lock: only the thread that locked it for \
     reading may unlock that, and a forked child holds nothing",
);
const NOT_WRITING: Error = Error::new(
    Status::NotOwner,
    "this thread does not write under the reader-writer lock: only the thread that locked it for \
     writing may unlock or mark it, and a forked child holds nothing",
);
