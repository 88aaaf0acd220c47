//! Participants: one thread's seat in a segment, and its name in lock words.
//!
//! # If a thread or its process dies
//!
//! - between taking the record and locking its mutex: the record names a member;
//!   when that member is dead, anybody may take it (M2);
//! - seated: the kernel marks the mutex; `death` reads it;
//! - between unlocking the mutex and clearing `member`: as in the first case.

use super::attachment::Attachment;
use super::claims;
use super::member;
use super::record::{BLOCK_SLOTS, MemberId, ParticipantRecord, store_name};
use super::thread::Seat;
use crate::error::{Error, READ_ONLY, Result, Status};
use crate::platform::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};
use crate::platform::robust::{self, LivenessMutex, RobustList, WordOffset};
use crate::platform::{futex, process};

/// Bits of a name: slot below, sixteen bits of generation above.
const SLOT_BITS: u32 = 14;
/// Where the name stands in a lock word.
const NAME_SHIFT: u32 = 32;

/// The generation, as a name holds it, that no owner of a slot ever has.
const NOBODYS: u32 = 0xffff;

/// A name of `slot` that no owner of it ever has.
///
/// When the generations that a name can hold begin again, locks that still name a dead
/// owner of the slot get this name, or one day they would name a living one.
pub(crate) fn nobody_in(slot: u32) -> u64 {
    name_of(slot, NOBODYS)
}

/// Whether generations `former` and `now` lie in different laps of those in names.
pub(crate) fn is_new_lap(former: u32, now: u32) -> bool {
    former >> 16 != now >> 16
}

/// What a lock word says of its owner: generation and slot, in bits 61..32.
pub(crate) fn name_of(slot: u32, generation: u32) -> u64 {
    (u64::from(generation & 0xffff) << SLOT_BITS | u64::from(slot)) << NAME_SHIFT
}

/// The name of whoever has the slot of a record.
pub(crate) fn current_name(slot: u32, record: &ParticipantRecord) -> u64 {
    // Acquire (M3): what earlier owners of the slot did is done.
    name_of(slot, record.generation.load(Acquire))
}

/// The bits of a lock word that are its owner's name.
pub(crate) const NAME_MASK: u64 = ((1 << (16 + SLOT_BITS)) - 1) << NAME_SHIFT;

/// The slot in a name.
pub(crate) fn slot_in(name: u64) -> u32 {
    (name >> NAME_SHIFT) as u32 & ((1 << SLOT_BITS) - 1)
}

/// The generation in a name: the low 16 bits of the record's.
pub(crate) fn generation_in(name: u64) -> u32 {
    (name >> (NAME_SHIFT + SLOT_BITS)) as u32 & 0xffff
}

/// Gives the calling thread a seat in the segment.
pub(super) fn take_seat(attachment: &'static Attachment) -> Result<Seat> {
    if !attachment.memory().is_writable() {
        return Err(READ_ONLY);
    }
    // Before the process joins: it does not leave while somebody takes a seat.
    attachment.count_seat();
    let seat = take_counted_seat(attachment);
    if seat.is_err() {
        attachment.uncount_seat();
    }
    seat
}

fn take_counted_seat(attachment: &'static Attachment) -> Result<Seat> {
    let member = member::join(attachment)?;
    let slot = claim_slot(attachment, member)?;
    let generation = begin_generation(attachment, slot).and_then(|generation| {
        come_alive(attachment, slot)?;
        Ok(generation)
    });
    let generation = match generation {
        Ok(generation) => generation,
        Err(error) => {
            attachment.participant(slot)?.member.store(0, Release);
            return Err(error);
        }
    };
    // Release, NAMED: who finds our name in a lock word finds the record as it is now.
    fence(Release);
    Ok(Seat { attachment, slot, generation })
}

/// Makes the record, which is ours, that of a new owner of the slot.
fn begin_generation(attachment: &Attachment, slot: u32) -> Result<u32> {
    let record = attachment.participant(slot)?;
    let mut generation = record.generation.load(Relaxed).wrapping_add(1);
    if generation & 0xffff == NOBODYS {
        generation = generation.wrapping_add(1);
    }
    // Release (M3): from here on the former owner's name reads as dead.
    record.generation.store(generation, Release);
    record.tid.store(process::thread_id(), Relaxed);
    store_name(&record.name, process::thread_name());
    Ok(generation)
}

fn come_alive(attachment: &Attachment, slot: u32) -> Result<()> {
    let liveness = liveness_mutex(attachment, slot)?;
    // SAFETY: the record is ours (M2) and its former owner ended, so no living
    // thread has the mutex in its list; the attachment stays mapped while there
    // are seats.
    unsafe { liveness.init_and_lock() }?;
    let offset = RobustList::of_this_thread()?.word_offset(liveness);
    let Some(offset) = offset.filter(|o| agree_on_offset(attachment, *o)) else {
        // SAFETY: locked by this thread just above.
        unsafe { liveness.unlock() };
        return Err(Error::new(
            Status::Incompatible,
            "this process uses another C library than the segment's other processes: run all of \
             them with the same libc",
        ));
    };
    let word = liveness.word(offset);
    robust::request_wake(word);
    // Sleepers of the former owner look again and find another generation.
    futex::wake_all(word);
    Ok(())
}

/// The first process of a segment says where its libc keeps the word.
fn agree_on_offset(attachment: &Attachment, offset: WordOffset) -> bool {
    let shared = &attachment.header().word_offset;
    // AcqRel: there is nothing to publish but the number itself.
    let seen = shared.compare_exchange(0, offset.to_shared(), AcqRel, Acquire);
    seen.is_ok() || seen == Err(offset.to_shared())
}

/// Finds a record that belongs to nobody living, and puts our name on it.
fn claim_slot(attachment: &Attachment, member: MemberId) -> Result<u32> {
    loop {
        let slots = attachment.slot_count();
        if let Some(slot) = claim_among(attachment, member, slots, is_free)? {
            return Ok(slot);
        }
        if let Some(slot) = claim_among(attachment, member, slots, is_abandoned)? {
            return Ok(slot);
        }
        if slots >= attachment.header().max_participants {
            return Err(member::roster_full(attachment));
        }
        (attachment.ground().grow)(attachment)?;
    }
}

/// Slots are used in turn, so that a name is not used again soon.
fn claim_among(
    attachment: &Attachment,
    member: MemberId,
    slots: u32,
    is_available: fn(&Attachment, u32, u64, MemberId) -> Result<bool>,
) -> Result<Option<u32>> {
    let next = &attachment.header().next_slot;
    // Relaxed: a hint; the exchange below decides.
    let start = next.load(Relaxed) % slots.max(1);
    for slot in (start..slots).chain(0..start) {
        let owner = &attachment.participant(slot)?.member;
        let seen = owner.load(Acquire);
        if !is_available(attachment, slot, seen, member)? {
            continue;
        }
        // AcqRel: what the former owner did to the record is done.
        if owner.compare_exchange(seen, member.to_word(), AcqRel, Relaxed).is_ok() {
            next.store(slot + 1, Relaxed);
            return Ok(Some(slot));
        }
    }
    Ok(None)
}

fn is_free(_: &Attachment, _: u32, owner: u64, _: MemberId) -> Result<bool> {
    Ok(owner == 0)
}

/// A record whose member is gone. (One whose thread ended without a word while the
/// process lives on is left alone: it may just be coming alive.)
fn is_abandoned(attachment: &Attachment, _: u32, owner: u64, own: MemberId) -> Result<bool> {
    match MemberId::of_word(owner) {
        None => Ok(true),
        Some(owner) if owner == own => Ok(false),
        Some(owner) => member::is_gone(attachment, owner),
    }
}

/// Gives up a seat in good order. Runs on the thread that has it.
pub(super) fn leave_seat(seat: Seat, hook: RobustList) {
    let attachment = seat.attachment;
    hook.stand_down();
    if let (Ok(record), Ok(liveness)) =
        (attachment.participant(seat.slot), liveness_mutex(attachment, seat.slot))
    {
        record.tid.store(0, Relaxed);
        claims::forget(record);
        // SAFETY: this thread locked it when it took the seat.
        unsafe { liveness.unlock() };
        if let Ok(word) = liveness_word(attachment, seat.slot) {
            // libc wakes one sleeper at most; all of them have to look again.
            futex::wake_all(word);
        }
        // Release (M2): the record is the next one's.
        record.member.store(0, Release);
    }
    attachment.uncount_seat();
}

fn liveness_mutex(attachment: &Attachment, slot: u32) -> Result<&LivenessMutex> {
    let block = attachment.block(slot / BLOCK_SLOTS)?;
    Ok(&block.liveness[(slot % BLOCK_SLOTS) as usize])
}

/// The word that says whether the thread in `slot` lives.
pub(crate) fn liveness_word(attachment: &Attachment, slot: u32) -> Result<&AtomicU32> {
    let liveness = liveness_mutex(attachment, slot)?;
    Ok(liveness.word(WordOffset::of_shared(attachment.header().word_offset.load(Acquire))?))
}

/// The record of a participant, for people: who is it?
pub(crate) fn describe(record: &ParticipantRecord) -> (u32, [u8; 16]) {
    // Relaxed: for people; nothing depends on it.
    (record.tid.load(Relaxed), super::record::load_name(&record.name))
}
