//! The invariants of a segment, executable.

use std::collections::{HashMap, HashSet};

use super::directory::{self, Object};
use super::heap::Heap;
use super::holds;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::Offset;
use crate::layout::block::{Kind, Owner, ParticipantId};
use crate::layout::header::BUCKETS;
use crate::platform::atomic::Ordering::{Acquire, Relaxed};
use crate::roster::attachment::Attachment;
use crate::roster::journal;
use crate::roster::thread;
use crate::sync::marks;
use crate::sync::mutex::Actor;

/// Checks that blocks cover the space without a gap and are in the lists that they
/// belong to, that nobody dead owns one, that every name leads to its object and nothing
/// else, and that every object has the holders that it counts. `check` looks into the
/// body of each object.
pub(crate) fn verify(
    attachment: &'static Attachment,
    check: impl Fn(&Object<'_>) -> Result<()>,
) -> Result<()> {
    if !attachment.memory().is_writable() {
        return directory::read_quietly(attachment, || walk(attachment, &check));
    }
    let actor = Actor::new(thread::here()?, attachment)?;
    super::estate::clear_up(actor)?;
    let memory = attachment.memory();
    let _directory = directory::hold(actor)?;
    let _heap = Heap::of(memory)?.hold(actor)?;
    walk(attachment, &check)
}

fn walk(attachment: &Attachment, check: &dyn Fn(&Object<'_>) -> Result<()>) -> Result<()> {
    let memory = attachment.memory();
    if attachment.block_count() == 0 {
        return Err(corrupted("the segment has no roster"));
    }
    let heap = Heap::of(memory)?;
    heap.verify()?;
    let mut linked = linked_entries(attachment)?;
    let (mut holders, mut pages) = count_holders(attachment)?;
    for block in heap.blocks() {
        let (offset, owner, span) = block?;
        match owner {
            Owner::Free | Owner::Quick => {}
            Owner::Limbo(id) => check_limbo(attachment, offset, id)?,
            Owner::Used(Kind::Holds) => {
                if !pages.remove(&offset) {
                    return Err(corrupted("a page of holds belongs to no member"));
                }
            }
            Owner::Used(_) => {
                let object = Object::at(memory, offset)?;
                check_links(&object, span, &mut linked, holders.remove(&offset))
                    .and_then(|()| check(&object))
                    .map_err(|error| locate(error, &object))?;
            }
        }
    }
    if !linked.is_empty() {
        return Err(corrupted("the directory has entries that are no objects"));
    }
    if !holders.is_empty() {
        return Err(corrupted("a member holds something that is no object"));
    }
    if !pages.is_empty() {
        return Err(corrupted("a member's holds lie in something that is no page of them"));
    }
    check_records(attachment)
}

/// A block in limbo is noted by its participant, or it would be lost with it. (Somebody may
/// have died since the estates were settled, so the participant need not live.)
fn check_limbo(attachment: &Attachment, block: Offset, id: ParticipantId) -> Result<()> {
    let record = attachment.participant(id.slot)?;
    let is_noted = record.hints_lost.load(Relaxed) != 0
        || record.hints.iter().any(|hint| hint.load(Relaxed) == block);
    if is_noted && journal::owner_of_log(record, id.slot) == id {
        return Ok(());
    }
    Err(corrupted("a block belongs to a participant who does not know of it: it is lost"))
}

/// An object's name, holders and size agree with what the rest of the segment says.
fn check_links(
    object: &Object<'_>,
    span: u64,
    linked: &mut HashSet<Offset>,
    holders: Option<u64>,
) -> Result<()> {
    let entry = object.entry;
    // Relaxed: under the locks, or checked to be quiet.
    let has_name = entry.name_length.load(Relaxed) != 0 && entry.removed.load(Relaxed) == 0;
    if linked.remove(&object.offset) != has_name {
        return Err(corrupted("it has a name and is not in the directory, or the other way round"));
    }
    let counted = entry.holders.load(Relaxed);
    if counted != holders.unwrap_or(0) {
        return Err(corrupted("it counts other holders than it has"));
    }
    if counted == 0 && !has_name {
        return Err(corrupted("nobody can ever reach it again"));
    }
    let end = (object.body() - object.offset).checked_add(object.body_bytes());
    if end.is_none_or(|end| end > span) {
        return Err(corrupted("its body is longer than its block"));
    }
    Ok(())
}

fn linked_entries(attachment: &Attachment) -> Result<HashSet<Offset>> {
    let memory = attachment.memory();
    let mut linked = HashSet::new();
    for bucket in 0..BUCKETS {
        let mut offset = memory.buckets().heads[bucket].load(Acquire);
        while offset != 0 {
            if !linked.insert(offset) {
                return Err(corrupted("two chains of the directory meet, or one has no end"));
            }
            let object = Object::at(memory, offset)?;
            let hash = object.entry.name_hash.load(Relaxed);
            if hash as usize % BUCKETS != bucket || hash != directory::hash(&object.name(memory)?) {
                return Err(corrupted("an object hangs in the wrong chain of the directory"));
            }
            offset = object.entry.next.load(Acquire);
        }
    }
    Ok(linked)
}

/// How many holds and tickets each object has, and the pages that they lie in.
fn count_holders(attachment: &Attachment) -> Result<(HashMap<Offset, u64>, HashSet<Offset>)> {
    let (mut holders, mut pages) = (HashMap::new(), HashSet::new());
    holds::count_all(
        attachment,
        |object| *holders.entry(object).or_insert(0) += 1,
        |page| match pages.insert(page) {
            true => Ok(()),
            false => Err(corrupted("two members share a page of holds")),
        },
    )?;
    Ok((holders, pages))
}

/// Logs that count no more entries than a log can have, of generations that were; and marks
/// that there can be.
fn check_records(attachment: &Attachment) -> Result<()> {
    for slot in 0..attachment.slot_count() {
        let record = attachment.participant(slot)?;
        let owner = journal::owner_of_log(record, slot);
        if owner.generation > record.generation.load(Acquire) {
            return Err(corrupted("a participant's log belongs to an owner that never was"));
        }
        marks::verify(&record.marks)?;
    }
    Ok(())
}

#[cold]
fn locate(error: Error, object: &Object<'_>) -> Error {
    let noun = object.kind.noun();
    Error::with(
        Status::Corrupted,
        format!("the {noun} at offset {}: {}", object.offset, error.text()),
    )
}
