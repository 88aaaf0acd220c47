//! What a thread reads: a mark in its record for each reader-writer lock.
//!
//! ```text
//!  bits 63..16   the key of the lock; 0 in a free mark, which is 0 altogether
//!  bits 15..1    how often the thread reads it
//!  bit 0         WATCHED   a writer sleeps on the mark: who clears it wakes that one
//! ```
//!
//! The low half is a futex. A thread changes its own marks; others set WATCHED in them, and
//! whoever gets the slot of a dead thread clears what that one has left. What marks are for,
//! and what a death leads to, is told in `rwlock`.

use crate::error::{Error, Result, Status, corrupted};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release, SeqCst},
    low_half,
};
use crate::platform::futex::{self, Watch};
use crate::roster::record::Marks;

const WATCHED: u64 = 1;
/// One reading.
const ONE: u64 = 1 << 1;
const COUNT: u64 = 0xfffe;
const KEY: u64 = !0 << KEY_SHIFT;
const KEY_SHIFT: u32 = 16;

/// The key of a lock that has the number of an object, which is never used twice.
pub(super) fn key_of(number: u64) -> u64 {
    number << KEY_SHIFT
}

/// Whether a lock can have that key.
pub(super) fn is_key(word: u64) -> bool {
    word != 0 && word & !KEY == 0
}

fn key_in(mark: u64) -> u64 {
    mark & KEY
}

/// Where a lock of that key has its mark, if the place is free. A lock that is made takes
/// two numbers, so those made one after the other have their marks side by side.
#[inline(always)]
pub(super) fn home(marks: &Marks, key: u64) -> &AtomicU64 {
    &marks[(key >> (KEY_SHIFT + 1)) as usize % marks.len()]
}

/// Puts a mark where nobody else puts one; false if there is one already.
#[inline(always)]
pub(super) fn set(mark: &AtomicU64, key: u64) -> bool {
    // SeqCst, READING: before the look at the mutex.
    mark.compare_exchange(0, key | ONE, SeqCst, Relaxed).is_ok()
}

/// Takes back a mark that says one reading and that nobody watches.
#[inline(always)]
pub(super) fn take_back(mark: &AtomicU64, key: u64) -> bool {
    // Release, READ: what the reader looked at may be changed after this.
    mark.compare_exchange(key | ONE, 0, Release, Relaxed).is_ok()
}

/// Takes back a mark, however often it reads, and wakes who watches it. Killed in between:
/// who watches a mark watches its owner's liveness word too.
#[cold]
pub(crate) fn clear(mark: &AtomicU64) {
    // Release, READ: as in `take_back`.
    if mark.swap(0, Release) & WATCHED != 0 {
        futex::wake(low_half(mark), 1);
    }
}

/// The mark of a lock that the thread reads.
pub(super) fn find(marks: &Marks, key: u64) -> Option<&AtomicU64> {
    // Relaxed: our own.
    marks.iter().find(|mark| key_in(mark.load(Relaxed)) == key)
}

/// A place for the mark of a lock that the thread does not read.
///
/// # Errors
/// `Full` if it reads as many as there are places.
pub(super) fn vacancy(marks: &Marks, key: u64) -> Result<&AtomicU64> {
    let is_free = |mark: &&AtomicU64| mark.load(Relaxed) == 0;
    let home = home(marks, key);
    if is_free(&home) {
        return Ok(home);
    }
    let free = marks.iter().find(is_free).or_else(|| merge(marks));
    free.ok_or(Error::new(
        Status::Full,
        "this thread reads 8 reader-writer locks of the segment already: unlock one of them first",
    ))
}

/// The short way puts a second mark of a lock into its home, if the first is elsewhere: makes
/// one of two. The first stays all the while, so no writer finds the lock unread.
fn merge(marks: &Marks) -> Option<&AtomicU64> {
    for (index, second) in marks.iter().enumerate() {
        let seen = second.load(Relaxed);
        let first = marks[..index].iter().find(|m| key_in(m.load(Relaxed)) == key_in(seen));
        if let Some(first) = first
            && (first.load(Relaxed) & COUNT) + (seen & COUNT) <= COUNT
        {
            // Relaxed: it was marked before, and stays so.
            first.fetch_add(seen & COUNT, Relaxed);
            clear(second);
            return Some(second);
        }
    }
    None
}

/// One reading more.
///
/// # Errors
/// `Full` if that is more than can be counted.
pub(super) fn count_up(mark: &AtomicU64) -> Result<()> {
    if mark.load(Relaxed) & COUNT == COUNT {
        return Err(Error::new(Status::Full, "this thread reads the lock 32,767 times already"));
    }
    // Relaxed: it was marked before, and stays so.
    mark.fetch_add(ONE, Relaxed);
    Ok(())
}

/// One reading less; the last one takes the mark back.
pub(super) fn count_down(mark: &AtomicU64) {
    if mark.load(Relaxed) & COUNT == ONE {
        clear(mark);
    } else {
        // Relaxed: it stays marked.
        mark.fetch_sub(ONE, Relaxed);
    }
}

/// What a mark says, if it is of the lock with that key.
pub(super) fn look(mark: &AtomicU64, key: u64) -> Option<u64> {
    // SeqCst, READING: after the mutex was taken. Acquire, READ: with a mark that is gone,
    // what its reader did is done.
    let seen = mark.load(SeqCst);
    (key_in(seen) == key).then_some(seen)
}

/// Says that a writer is about to sleep on a mark that says `seen`, and with what it may;
/// `None` if it says something else by now.
pub(super) fn watch(mark: &AtomicU64, seen: u64) -> Option<Watch<'_>> {
    let watched = seen | WATCHED;
    // Relaxed: a flag publishes nothing.
    let is_set = seen == watched || mark.compare_exchange(seen, watched, Relaxed, Relaxed).is_ok();
    is_set.then(|| Watch { word: low_half(mark), value: watched as u32 })
}

/// Takes back all marks of the dead owners of a slot. For who has the slot now.
pub(crate) fn clear_all(marks: &Marks) {
    // Relaxed: nobody else changes a dead one's mark but for WATCHED.
    marks.iter().filter(|mark| mark.load(Relaxed) != 0).for_each(clear);
}

/// Refuses marks that nobody writes.
pub(crate) fn verify(marks: &Marks) -> Result<()> {
    let is_sound = |seen: u64| seen == 0 || seen & KEY != 0 && seen & COUNT != 0;
    if marks.iter().all(|mark| is_sound(mark.load(Relaxed))) {
        return Ok(());
    }
    Err(corrupted("a participant reads a lock that cannot be: the segment is damaged"))
}
