//! What the dead leave, and how it is settled.
//!
//! | left by       | what                              | settled by                          |
//! |---------------|-----------------------------------|-------------------------------------|
//! | a participant | an open log                       | who wants one of its locks, or its slot |
//! | a participant | blocks in limbo                   | the next owner of its slot, or who needs memory |
//! | a participant | locks held in a transaction       | who wants them, or the next owner of its slot |
//! | a participant | marks of what it read             | the next owner of its slot          |
//! | a participant | nodes (`sync::node`)              | who takes part with it, or the next owner of its slot |
//! | a participant | a claim in a ring                 | who finds nothing there, or the next owner of its slot |
//! | a member      | holds and tickets                 | the next owner of its slot, or who looks |
//!
//! Whoever settles holds the dead participant's repair lock, or the directory's lock for a
//! dead member. Every step is repeatable, so the settler may die too.

use super::control::Control;

use super::directory::{self, Object};
use super::heap::Heap;
use super::holds::{self, Left};
use super::{bells, holding, limbo};
use crate::error::Result;
use crate::layout::Offset;
use crate::layout::block::{Kind, Owner, ParticipantId};
use crate::layout::entry::{Entry, body_of};
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::ring::orphans;
use crate::roster::attachment::Attachment;
use crate::roster::claims;
use crate::roster::journal::{self, Journal, Repair};
use crate::roster::record::{MemberId, ParticipantRecord};
use crate::roster::thread::Seat;
use crate::roster::{member, participant};
use crate::sync::condvar::Caller;
use crate::sync::marks;
use crate::sync::mutex::{Actor, MutexBody};
use crate::sync::node::{self, Identity};
use crate::sync::party::{self, Party};

/// Settles what former owners of a new seat and of its member have left.
pub(crate) fn settle(seat: Seat) -> Result<()> {
    let attachment = seat.attachment;
    let name = participant::name_of(seat.slot, seat.generation);
    let actor = Actor::named(attachment, name);
    let record = attachment.participant(seat.slot)?;
    {
        let _repair = Repair::begin(attachment, seat.slot, name)?;
        // In this order: what the log names is behind the locks until it is clean, and the
        // list of locks tells what it tells until the new generation is the log's.
        let former = journal::owner_of_log(record, seat.slot);
        Journal::of(attachment, seat.slot)?.undo()?;
        for lock in &record.locks {
            // Relaxed: ours now, under the repair lock.
            match lock.load(Relaxed) {
                0 => {}
                lock => attachment.memory().at::<MutexBody>(lock)?.free_for_the_dead(actor)?,
            }
        }
        if participant::is_new_lap(former.generation, seat.generation) {
            rename_owners(actor)?;
        }
        marks::clear_all(&record.marks);
        empty_limbo(actor, record, former)?;
        settle_nodes(actor, record)?;
        settle_claim(actor, record)?;
        journal::begin_log(record, seat.generation);
    }
    take_possession(actor, member::joined(attachment)?)?;
    holding::take_inherited(actor)
}

/// Does what a former owner of the slot was about to do for those who take part in something
/// with it.
fn settle_nodes(actor: Actor, record: &ParticipantRecord) -> Result<()> {
    for words in [&record.waiting, &record.notifying, &record.inside] {
        let Some(which) = node::use_of(words) else { continue };
        // Under this lock the object stays.
        let hold = directory::hold(actor)?;
        let memory = hold.memory();
        if let Some(object) = find_again(memory, which) {
            let body = object.body();
            match object.kind {
                Kind::Condvar => Caller::new(memory.at(body)?, actor, which)?.settle()?,
                Kind::Barrier => Party::new(memory.at(body)?, actor, which)?.settle()?,
                _ => {}
            }
        }
        node::end_use(words);
    }
    Ok(())
}

/// Has others look for what a former owner of the slot may have died getting from a ring.
fn settle_claim(actor: Actor, record: &ParticipantRecord) -> Result<()> {
    if let Some(ring) = claims::left(record) {
        // Under this lock the object stays.
        let hold = directory::hold(actor)?;
        let which = Identity { object: ring.object, place: ring.place };
        if let Some(object) = find_again(hold.memory(), which)
            && object.kind == Kind::Mpmc
        {
            orphans::suspect_at(hold.memory(), object.body())?;
        }
    }
    // After that. Killed before, the next owner does it.
    claims::forget(record);
    Ok(())
}

/// Ends the uses of the thread's own nodes for objects that are gone, or for a generation of
/// a barrier that is over.
pub(crate) fn forget_what_is_over(actor: Actor) -> Result<()> {
    let record = actor.attachment().participant(actor.slot())?;
    let hold = directory::hold(actor)?;
    let memory = hold.memory();
    for words in [&record.waiting, &record.inside] {
        let Some(which) = node::use_of(words) else { continue };
        match find_again(memory, which) {
            None => node::end_use(words),
            Some(object) if object.kind == Kind::Barrier => {
                party::leave_if_over(memory.at(object.body())?, words);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The object that a node was used for, if it is still there. Under the directory's lock.
pub(super) fn find_again(memory: &Memory, which: Identity) -> Option<Object<'_>> {
    Object::at(memory, which.place).ok().filter(|object| object.generation() == which.object)
}

/// Makes the pages of holds of a new member its own: empty.
pub(super) fn take_possession(actor: Actor, new: MemberId) -> Result<()> {
    let record = actor.attachment().member(new.index)?;
    loop {
        // Relaxed: nobody else changes it for the better.
        if record.holds_generation.load(Relaxed) == u64::from(new.generation) {
            return Ok(());
        }
        let hold = directory::hold(actor)?;
        if record.holds.load(Relaxed) == 0 {
            let place = hold.memory().offset_of(&record.holds_generation);
            hold.set(place, new.generation.into())?;
            hold.commit();
            return Ok(());
        }
        drop(hold);
        release_holds(actor, new.index, |_| Ok(true))?;
    }
}

/// Settles the estates of all who are dead; says whether there may be more free memory now.
pub(crate) fn clear_up(actor: Actor) -> Result<bool> {
    let attachment = actor.attachment();
    let mut found = false;
    for slot in 0..attachment.slot_count() {
        let record = attachment.participant(slot)?;
        let former = journal::owner_of_log(record, slot);
        // Relaxed: a hint; looked at again under the repair lock.
        let has_limbo = record.hints_lost.load(Relaxed) != 0
            || record.hints.iter().any(|hint| hint.load(Relaxed) != 0);
        if slot == actor.slot() || !has_limbo || !journal::is_dead(attachment, former)? {
            continue;
        }
        let _repair = Repair::begin(attachment, slot, actor.name())?;
        if journal::owner_of_log(record, slot) == former {
            Journal::of(attachment, slot)?.undo()?;
            empty_limbo(actor, record, former)?;
            found = true;
        }
    }
    for index in 0..attachment.slot_count() {
        // Acquire: a chain is whole. Looked at again under the lock.
        if attachment.member(index)?.holds.load(Acquire) != 0 {
            found |= release_holds(actor, index, |owner| member::is_gone(attachment, owner))?;
        }
    }
    Ok(found)
}

/// Frees the blocks that a dead participant had in limbo. Under its repair lock.
fn empty_limbo(actor: Actor, record: &ParticipantRecord, dead: ParticipantId) -> Result<()> {
    let memory = actor.attachment().memory();
    let lost = record.hints_lost.load(Relaxed) != 0;
    let hints = record.hints.iter().map(|hint| hint.load(Relaxed));
    let hints: Vec<Offset> = hints.filter(|hint| *hint != 0).collect();
    if !lost && hints.is_empty() {
        return Ok(());
    }
    // What it had begun to link is in limbo again when this lock has been taken.
    drop(directory::hold(actor)?);
    let heap = Heap::of(memory)?;
    let blocks = if lost { owned_by(heap, actor, Owner::Limbo(dead))? } else { hints };
    for block in blocks {
        heap.release(actor, block, Owner::Limbo(dead))?;
    }
    for hint in &record.hints {
        hint.store(0, Release);
    }
    record.hints_lost.store(0, Release);
    Ok(())
}

/// All blocks of that owner.
fn owned_by(heap: Heap<'_>, actor: Actor, wanted: Owner) -> Result<Vec<Offset>> {
    let _held = heap.hold(actor)?;
    let is_wanted = |block: &Result<_>| !matches!(block, Ok((_, owner, _)) if *owner != wanted);
    heap.blocks().filter(is_wanted).map(|block| Ok(block?.0)).collect()
}

/// Lets go of all that the chain of member `index` holds, if `is_gone` says so of the
/// member that it belongs to.
fn release_holds(
    actor: Actor,
    index: u32,
    is_gone: impl Fn(MemberId) -> Result<bool>,
) -> Result<bool> {
    let attachment = actor.attachment();
    let record = attachment.member(index)?;
    let mut released = false;
    loop {
        let hold = directory::hold(actor)?;
        // Relaxed: changes under the lock.
        let generation = record.holds_generation.load(Relaxed) as u32;
        if !is_gone(MemberId { index, generation })? {
            return Ok(released);
        }
        let freed = match holds::left_of(attachment, index)? {
            Left::Nothing => return Ok(released),
            Left::Entry(place, entry) => {
                holding::give_back(actor, &hold, place, entry)?.then_some(entry)
            }
            Left::EmptyPage(page, next) => {
                hold.set(hold.memory().offset_of(&record.holds), next)?;
                holding::take_into_limbo(actor, &hold, page)?;
                Some(page)
            }
        };
        hold.commit();
        drop(hold);
        released = true;
        if let Some(block) = freed {
            limbo::release(actor, block)?;
        }
    }
}

/// Gives every lock that still names a former owner of our slot a name that is nobody's.
fn rename_owners(actor: Actor) -> Result<()> {
    let attachment = actor.attachment();
    let memory = attachment.memory();
    let control = Control::of(memory)?;
    let (slot, nobody) = (actor.slot(), participant::nobody_in(actor.slot()));
    for lock in [&control.heap.lock, &control.directory.lock] {
        lock.rename_owner(slot, nobody);
    }
    journal::forget_repairer(attachment, slot, actor.name())?;
    let heap = Heap::of(memory)?;
    let _held = heap.hold(actor)?;
    for block in heap.blocks() {
        let (offset, owner, _) = block?;
        if let Owner::Used(kind) = owner
            && let Some(mutex) = mutex_of(memory, kind, offset)?
        {
            mutex.rename_owner(slot, nobody);
        }
    }
    Ok(())
}

/// The mutex in an object, if it has one.
fn mutex_of(memory: &Memory, kind: Kind, entry: Offset) -> Result<Option<&MutexBody>> {
    if !kind.is_object() {
        return Ok(None);
    }
    // Relaxed: constant while the block is used.
    let is_named = memory.at::<Entry>(entry)?.name_length.load(Relaxed) != 0;
    let body = body_of(entry, is_named);
    match kind {
        Kind::Mutex | Kind::RecursiveMutex | Kind::RwLock => memory.at(body).map(Some),
        Kind::Value => crate::layout::bodies::mutex_in_value(memory, body)?
            .map_or(Ok(None), |place| memory.at(place).map(Some)),
        _ => Ok(None),
    }
}

/// Announces all deaths and settles all estates, for who wants to see a segment as it is.
pub(crate) fn clear_up_for(attachment: &'static Attachment) -> Result<()> {
    if attachment.memory().is_writable() {
        member::announce_deaths(attachment)?;
        let actor = Actor::new(crate::roster::thread::here()?, attachment)?;
        clear_up(actor)?;
        bells::clear_up(attachment);
    }
    Ok(())
}
