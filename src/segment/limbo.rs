//! Blocks between the heap and what they are linked to.
//!
//! A block in limbo belongs to a participant. Its record names it before it can be one,
//! and until it is linked or free again; so what a dead one left in limbo is found
//! without a search (`estate`). If a participant has more such blocks than hints, its
//! record says so, and all blocks are looked through after its death.

use super::heap::{Block, Heap, Want};
use super::{estate, growth};
use crate::error::Result;
use crate::layout::Offset;
use crate::layout::block::{Owner, ParticipantId};
use crate::platform::atomic::Ordering::{Relaxed, Release};
use crate::roster::record::ParticipantRecord;
use crate::sync::mutex::Actor;

/// Takes a block for the actor, growing the segment if there is none.
///
/// # Errors
/// `NoSpace`, `Corrupted`, `System`.
pub(crate) fn allocate(actor: Actor, want: &Want) -> Result<Block> {
    let attachment = actor.attachment();
    let record = attachment.participant(actor.slot())?;
    let heap = Heap::of(attachment.memory())?;
    let owner = owner_of(record, actor);
    let mut cleared_up = false;
    loop {
        if let Some(block) = heap.allocate(actor, owner, want, |block| note(record, block))? {
            return Ok(block);
        }
        if !cleared_up {
            cleared_up = true;
            if estate::clear_up(actor)? {
                continue;
            }
        }
        growth::grow_heap(actor, want)?;
    }
}

/// Gives a block in limbo back to the heap.
pub(crate) fn release(actor: Actor, block: Offset) -> Result<()> {
    let attachment = actor.attachment();
    let record = attachment.participant(actor.slot())?;
    let mine = Owner::Limbo(owner_of(record, actor));
    Heap::of(attachment.memory())?.release(actor, block, mine)?;
    forget(record, block);
    Ok(())
}

/// The actor, whose record it is.
#[inline]
fn owner_of(record: &ParticipantRecord, actor: Actor) -> ParticipantId {
    // Relaxed: our own record.
    ParticipantId { slot: actor.slot(), generation: record.generation.load(Relaxed) }
}

/// Notes that `block` may be ours in limbo. Before it is.
#[inline]
pub(crate) fn note(record: &ParticipantRecord, block: Offset) {
    // Relaxed: our own record.
    match record.hints.iter().find(|hint| hint.load(Relaxed) == 0) {
        // Release, here and below: killed anywhere, our stores are seen in this order.
        Some(hint) => hint.store(block, Release),
        None => record.hints_lost.store(record.hints_lost.load(Relaxed) + 1, Release),
    }
}

/// Forgets it: it is linked, or free again.
#[inline]
pub(crate) fn forget(record: &ParticipantRecord, block: Offset) {
    match record.hints.iter().find(|hint| hint.load(Relaxed) == block) {
        Some(hint) => hint.store(0, Release),
        None => {
            let lost = record.hints_lost.load(Relaxed);
            record.hints_lost.store(lost.saturating_sub(1), Release);
        }
    }
}
