//! The undo log of a participant, and its repair when the participant is dead.
//!
//! A transaction changes words under several locks. So its log belongs to who runs it:
//! one store commits all of it, and whoever wants one of the dead one's locks undoes all
//! of it first (`repair`), and only then takes the lock.
//!
//! # The log
//!
//! The entries that count are numbered from 0. The first 20 lie in the
//! record. More of them, and copies of whole ranges of bytes, lie in *annexes*: blocks of
//! the heap, in a chain that begins with the newest.
//!
//! ```text
//!  annex    block head | next | first | place | length | ...
//!           place 0: `length` entries, numbered from `first`
//!           else:    entry `first` is these `length` bytes, which lay at `place`
//! ```
//!
//! # Invariants
//!
//! - **J1** What the log names is behind a lock that names the participant, from before
//!   the entry counts until it counts no more.
//! - **J2** A lock stops naming a dead participant only when its log is clean. A clean
//!   log of a dead participant stays clean for ever.
//! - **J3** The state's tag becomes the next owner's generation only under the repair
//!   lock, after the log was undone.
//! - **J4** Repair waits for nothing but another repair of the same record, which lives;
//!   it takes no lock, allocates nothing and logs nothing. (Who settles an estate keeps the
//!   repair lock longer and takes other locks under it, after the log is clean; so who only
//!   wants it clean waits for that.)
//!
//! # If a process dies
//!
//! - with an open log: who wants one of its locks, or its slot, undoes it;
//! - in the middle of a repair: its name in `repairer` is dead, and the next one takes
//!   the repair lock from it and begins again. Undoing twice does no harm;
//! - after it committed: its locks still name it, and its log is clean.
//!
//! `models/undo.pml` checks this with a death before every access.

use core::cell::Cell;

use super::attachment::Attachment;
use super::death;
use super::participant::{NAME_MASK, generation_in, name_of, slot_in};
use super::record::ParticipantRecord;
use crate::error::{Result, corrupted};
use crate::layout::block::{HEAD_BYTES, ParticipantId};
use crate::layout::memory::Memory;
use crate::layout::undo::{LogState, UndoEntry};
use crate::layout::{Offset, shared};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::futex::{self, Wake};
use crate::platform::time::{Deadline, now_ns};

shared! {
    /// What an annex begins with, after the head of its block.
    pub(crate) struct AnnexHead: 32 {
        next: AtomicU64,
        first: AtomicU64,
        place: AtomicU64,
        length: AtomicU64,
    }
}

/// Bytes of an annex before its entries or its copy; the block's head left out.
pub(crate) const ANNEX_BYTES: u64 = size_of::<AnnexHead>() as u64;

/// The log of one participant, in the hands of who may change it: the participant itself,
/// or who repairs it.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    memory: &'a Memory,
    record: &'a ParticipantRecord,
    /// What the log's state is: nobody else changes it.
    state: Cell<LogState>,
    /// The newest annex of entries, as far as this journal has added one.
    entries: Cell<Offset>,
}

/// An annex, looked at with suspicion.
#[derive(Clone, Copy)]
struct Annex {
    block: Offset,
    next: Offset,
    first: u32,
    place: Offset,
    length: u64,
}

impl Annex {
    fn at(memory: &Memory, block: Offset) -> Result<Option<Self>> {
        if block == 0 {
            return Ok(None);
        }
        let head = memory.at::<AnnexHead>(block.saturating_add(HEAD_BYTES))?;
        // Relaxed, here and below: the caller loaded the state with Acquire.
        Ok(Some(Self {
            block,
            next: head.next.load(Relaxed),
            first: head.first.load(Relaxed) as u32,
            place: head.place.load(Relaxed),
            length: head.length.load(Relaxed),
        }))
    }

    fn contents(&self) -> Offset {
        self.block + HEAD_BYTES + ANNEX_BYTES
    }

    fn entry<'a>(&self, memory: &'a Memory, number: u32) -> Result<&'a UndoEntry> {
        if !self.has_room_for(number) {
            return Err(DAMAGED);
        }
        let index = u64::from(number - self.first);
        memory.at(self.contents() + index * size_of::<UndoEntry>() as u64)
    }

    fn is_range(&self) -> bool {
        self.place != 0
    }

    fn has_room_for(&self, number: u32) -> bool {
        number.checked_sub(self.first).is_some_and(|index| u64::from(index) < self.length)
    }

    /// Puts the range back.
    fn put_back(&self, memory: &Memory) -> Result<()> {
        memory.check_undoable(self.place)?;
        let end = self.place.checked_add(self.length);
        if end.is_none_or(|end| end > memory.committed()) {
            return Err(DAMAGED);
        }
        memory.copy(self.contents(), self.place, self.length)
    }
}

const NOT_OURS: crate::error::Error =
    corrupted("a repair is said to be ours and is not: the segment is damaged");

const DAMAGED: crate::error::Error =
    corrupted("an undo log leads to entries that do not exist: the segment is damaged");

impl<'a> Journal<'a> {
    /// The log of the participant in `slot`.
    #[inline(always)]
    pub(crate) fn of(attachment: &'a Attachment, slot: u32) -> Result<Self> {
        Ok(Self::in_record(attachment.memory(), attachment.participant(slot)?))
    }

    #[inline(always)]
    fn in_record(memory: &'a Memory, record: &'a ParticipantRecord) -> Self {
        // Acquire: the entries that count are there.
        let state = Cell::new(LogState::of_word(record.state.load(Acquire)));
        Self { memory, record, state, entries: Cell::new(0) }
    }

    /// How many entries count.
    #[inline]
    pub(crate) fn count(&self) -> u32 {
        self.state.get().count()
    }

    #[inline]
    fn set_state(&self, state: LogState) {
        self.state.set(state);
        // Release: after the entries that count, or after what was put back.
        self.record.state.store(state.to_word(), Release);
    }

    /// Notes that the word at `place` is to be `old` again if the log is undone; false if
    /// there is no room, and an annex has to be added.
    #[inline]
    pub(crate) fn note(&self, place: Offset, old: u64) -> Result<bool> {
        let count = self.count();
        let entry = match self.record.entries.get(count as usize) {
            Some(entry) => entry,
            None => match self.entry_in_annex(count)? {
                Some(entry) => entry,
                None => return Ok(false),
            },
        };
        entry.fill(place, old);
        self.set_state(self.state.get().one_more());
        Ok(true)
    }

    /// Entry `number`, which is the next one, if there is an annex with room for it.
    #[cold]
    fn entry_in_annex(&self, number: u32) -> Result<Option<&'a UndoEntry>> {
        match Annex::at(self.memory, self.entries.get())? {
            Some(annex) if annex.has_room_for(number) => annex.entry(self.memory, number).map(Some),
            _ => Ok(None),
        }
    }

    /// Adds room for `entries` more. The block is the caller's, in limbo.
    pub(crate) fn add_entries(&self, block: Offset, entries: u64) -> Result<()> {
        self.add_annex(block, 0, entries)?;
        self.entries.set(block);
        Ok(())
    }

    /// Notes that `length` bytes at `place` are to be again what they are now. The block
    /// is the caller's, in limbo, and large enough.
    pub(crate) fn note_range(&self, block: Offset, place: Offset, length: u64) -> Result<()> {
        self.memory.copy(place, block + HEAD_BYTES + ANNEX_BYTES, length)?;
        self.add_annex(block, place, length)?;
        self.set_state(self.state.get().one_more());
        Ok(())
    }

    fn add_annex(&self, block: Offset, place: Offset, length: u64) -> Result<()> {
        let head = self.memory.at::<AnnexHead>(block + HEAD_BYTES)?;
        head.next.store(self.record.annex.load(Relaxed), Release);
        head.first.store(self.count().into(), Release);
        head.place.store(place, Release);
        head.length.store(length, Release);
        // Release: the annex is whole. Killed here, it counts for nothing.
        self.record.annex.store(block, Release);
        Ok(())
    }

    fn newest(&self) -> Result<Option<Annex>> {
        Annex::at(self.memory, self.record.annex.load(Relaxed))
    }

    /// The annex before a known one; no chain has more of them than there is room for.
    fn after(&self, known: &Annex, steps: &mut u64) -> Result<Option<Annex>> {
        *steps += 1;
        let next = Annex::at(self.memory, known.next)?;
        let is_wrong = next.is_some_and(|next| next.first > known.first)
            || *steps > 2 * self.memory.committed() / ANNEX_BYTES;
        if is_wrong { Err(DAMAGED) } else { Ok(next) }
    }

    /// Commits: one store, after which none of it can be undone.
    #[inline]
    pub(crate) fn commit(&self) {
        self.set_state(self.state.get().emptied());
    }

    /// Puts everything back that the log names, and closes it.
    #[inline]
    pub(crate) fn undo(&self) -> Result<()> {
        if self.count() == 0 { Ok(()) } else { self.undo_some() }
    }

    #[cold]
    fn undo_some(&self) -> Result<()> {
        let (mut ranges, mut entries, mut steps) = (self.newest()?, self.newest()?, 0);
        for number in (0..self.count()).rev() {
            // Past what was added and does not count yet, or is done with.
            ranges = self.find(ranges, &mut steps, |a| a.is_range() && a.first <= number)?;
            match (ranges.filter(|a| a.first == number), self.record.entries.get(number as usize)) {
                (Some(range), _) => range.put_back(self.memory)?,
                (None, Some(entry)) => entry.put_back(self.memory)?,
                (None, None) => {
                    entries =
                        self.find(entries, &mut steps, |a| !a.is_range() && a.first <= number)?;
                    entries.ok_or(DAMAGED)?.entry(self.memory, number)?.put_back(self.memory)?;
                }
            }
        }
        self.set_state(self.state.get().emptied());
        Ok(())
    }

    /// The first annex from `from` on that is wanted.
    fn find(
        &self,
        from: Option<Annex>,
        steps: &mut u64,
        is_wanted: impl Fn(&Annex) -> bool,
    ) -> Result<Option<Annex>> {
        let mut annex = from;
        while let Some(other) = annex.filter(|annex| !is_wanted(annex)) {
            annex = self.after(&other, steps)?;
        }
        Ok(annex)
    }

    /// Takes the annexes out of a log that is clean; they are still in limbo. Killed
    /// anywhere, the hints name them, or `hints_lost` is set.
    #[inline]
    pub(crate) fn take_annexes(&self) -> Result<Vec<Offset>> {
        // Relaxed: our own.
        match self.record.annex.load(Relaxed) {
            0 => Ok(Vec::new()),
            _ => self.take_some_annexes(),
        }
    }

    #[cold]
    fn take_some_annexes(&self) -> Result<Vec<Offset>> {
        let mut blocks = Vec::new();
        let (mut annex, mut steps) = (self.newest()?, 0);
        while let Some(known) = annex {
            blocks.push(known.block);
            annex = self.after(&known, &mut steps)?;
        }
        self.record.annex.store(0, Release);
        Ok(blocks)
    }

    /// Notes the locks of a transaction, before it takes the first of them.
    pub(crate) fn note_locks(&self, locks: &[Offset]) {
        for (word, lock) in self.record.locks.iter().zip(locks) {
            word.store(*lock, Release);
        }
    }

    /// The locks that are noted. Ours, but in shared memory.
    pub(crate) fn noted_locks(&self) -> impl Iterator<Item = Offset> + use<'a> {
        // Relaxed: our own.
        self.record.locks.iter().map(|word| word.load(Relaxed)).take_while(|lock| *lock != 0)
    }

    /// Forgets them, when the last of them is free.
    pub(crate) fn forget_locks(&self) {
        for word in &self.record.locks {
            // Relaxed: our own.
            if word.load(Relaxed) == 0 {
                break;
            }
            word.store(0, Release);
        }
    }
}

/// Which of the locks that the transaction of the participant in `slot`, who is the caller,
/// has noted is the one at `lock`.
pub(crate) fn number_of_noted(
    attachment: &Attachment,
    slot: u32,
    lock: Offset,
) -> Result<Option<usize>> {
    // Relaxed: our own.
    Ok(attachment.participant(slot)?.locks.iter().position(|word| word.load(Relaxed) == lock))
}

/// Whether the dead participant that a lock word names held the lock at `lock` in a
/// transaction, so that nothing it did under it is left.
///
/// The list of locks belongs to the generation in the tag. A word with an earlier one is an
/// older hold, of which the list says nothing. One with the next is the hold of a new owner
/// of the slot who died while it freed the locks of the list.
pub(crate) fn held_in_transaction(
    attachment: &Attachment,
    dead: u64,
    lock: Offset,
) -> Result<bool> {
    let record = attachment.participant(slot_in(dead))?;
    // Acquire: the list first and the tag second. The next owner of the record writes its
    // own list after the tag that goes with it.
    let is_noted = record.locks.iter().any(|word| word.load(Acquire) == lock);
    let tag = LogState::of_word(record.state.load(Acquire)).tag() as u16;
    let ahead = (generation_in(dead) as u16).wrapping_sub(tag);
    Ok(is_noted && ahead < 1 << 15)
}

/// Undoes what the dead participant that a lock word names left open. `me` is the name
/// of who does it.
pub(crate) fn repair(attachment: &Attachment, dead: u64, me: u64) -> Result<()> {
    let record = attachment.participant(slot_in(dead))?;
    let is_clean = || {
        // Acquire: what was put back is there.
        let state = LogState::of_word(record.state.load(Acquire));
        state.tag() & 0xffff != generation_in(dead) || state.count() == 0
    };
    if is_clean() {
        return Ok(());
    }
    // Who repairs goes on to settle the rest, and may then wait for a lock that we hold:
    // we wait for its undo only.
    match Repair::begin_unless(attachment, slot_in(dead), me, is_clean)? {
        Some(_repair) => Journal::in_record(attachment.memory(), record).undo(),
        None => Ok(()),
    }
}

/// The right to change what a dead owner left in a participant's record.
pub(crate) struct Repair<'a> {
    repairer: &'a AtomicU64,
}

/// How long a repairer waits before it looks again. It is woken earlier by a death, but
/// not by the end of a repair: those are short.
const REPAIR_SLICE_NS: u64 = 1_000_000;
/// Tells the name of slot 0 and generation 0 from nobody.
const SOMEBODY: u64 = 1;

impl<'a> Repair<'a> {
    /// Takes the repair lock of `slot`, from nobody or from a dead repairer, whose own
    /// log is none of our business here: it changed nothing but what we do again.
    pub(crate) fn begin(attachment: &'a Attachment, slot: u32, me: u64) -> Result<Self> {
        let repair = Self::begin_unless(attachment, slot, me, || false)?;
        Ok(repair.expect("there is always need of it"))
    }

    /// The same, or `None` as soon as it is `needless`.
    fn begin_unless(
        attachment: &'a Attachment,
        slot: u32,
        me: u64,
        is_needless: impl Fn() -> bool,
    ) -> Result<Option<Self>> {
        let repairer = &attachment.participant(slot)?.repairer;
        let mine = me & NAME_MASK | SOMEBODY;
        loop {
            // Acquire, NAMED: what the name leads to is there.
            let seen = repairer.load(Acquire);
            let pulse = match seen {
                0 => None,
                name if name & NAME_MASK == me & NAME_MASK => return Err(NOT_OURS),
                name => death::feel_pulse(attachment, name)?,
            };
            match pulse {
                // Acquire: what the last one put back is there.
                None => {
                    if repairer.compare_exchange(seen, mine, Acquire, Relaxed).is_err() {
                        continue;
                    }
                    let repair = Self { repairer };
                    // Somebody may have done it between the look and the lock.
                    return Ok((!is_needless()).then_some(repair));
                }
                Some(_) if is_needless() => return Ok(None),
                Some(pulse) => {
                    let until = Deadline::NEVER.within(now_ns(), REPAIR_SLICE_NS);
                    if futex::wait(&pulse.watches(), until) == Wake::TimedOut {
                        death::examine(attachment, seen)?;
                    }
                }
            }
        }
    }
}

impl Drop for Repair<'_> {
    fn drop(&mut self) {
        // Release: what we put back.
        self.repairer.store(0, Release);
    }
}

/// Ends every repair that a former owner of `slot` died in. `me` is its new owner.
pub(crate) fn forget_repairer(attachment: &Attachment, slot: u32, me: u64) -> Result<()> {
    for other in 0..attachment.slot_count() {
        let repairer = &attachment.participant(other)?.repairer;
        let seen = repairer.load(Acquire);
        if seen != 0 && slot_in(seen) == slot && seen & NAME_MASK != me & NAME_MASK {
            // Relaxed: nothing is published; somebody may take it over meanwhile.
            let _ = repairer.compare_exchange(seen, 0, Relaxed, Relaxed);
        }
    }
    Ok(())
}

/// Begins the log of a new owner of the slot, whose former owner left nothing: all of it
/// has been settled under the repair lock.
pub(crate) fn begin_log(record: &ParticipantRecord, generation: u32) {
    let words = [&record.annex, &record.hints_lost];
    for word in words.into_iter().chain(&record.hints).chain(&record.locks) {
        word.store(0, Release);
    }
    // Release (J3): last, when nothing of the former owner is left.
    record.state.store(LogState::empty(generation).to_word(), Release);
}

/// The participant that the log, the hints and the locks of a record belong to.
pub(crate) fn owner_of_log(record: &ParticipantRecord, slot: u32) -> ParticipantId {
    ParticipantId { slot, generation: LogState::of_word(record.state.load(Acquire)).tag() }
}

/// Whether that participant is dead.
pub(crate) fn is_dead(attachment: &Attachment, id: ParticipantId) -> Result<bool> {
    Ok(death::feel_pulse(attachment, name_of(id.slot, id.generation))?.is_none())
}
