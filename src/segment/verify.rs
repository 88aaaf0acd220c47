//! The invariants of a segment, executable.

use std::collections::HashSet;

use super::directory;
use super::space::{Record, Space};
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::Offset;
use crate::layout::entry::Kind;
use crate::layout::header::{BUCKETS, DATA_START};
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::Acquire;
use crate::roster::attachment::Attachment;

/// Checks that records cover the space without a gap, that every name leads to its
/// object and nothing else, and that the roster's blocks are records. `check` looks
/// into the body of each object.
pub(crate) fn verify(
    attachment: &Attachment,
    mut check: impl FnMut(&Record<'_>) -> Result<()>,
) -> Result<()> {
    if attachment.memory().is_writable() {
        return attachment.as_registrar(|| walk(attachment, &mut check));
    }
    walk(attachment, &mut check)
}

fn walk(attachment: &Attachment, check: &mut dyn FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
    let memory = attachment.memory();
    // What lies behind `finished` may be published and not linked yet.
    let finished = memory.header().finished.load(Acquire);
    let linked = linked_entries(memory)?;
    // What comes after this is not checked: a reader excludes no registrar.
    let block_count = attachment.block_count();
    let mut named = 0;
    let mut blocks = HashSet::new();
    let mut top = DATA_START;
    for record in Space::of(memory).records_from(DATA_START) {
        let record = record?;
        top = record.offset + record.state.span;
        match record.state.kind {
            Kind::Filler => {}
            Kind::RosterBlock => {
                blocks.insert(record.body());
            }
            _ => {
                check(&record).map_err(|error| locate(error, &record))?;
                let entry = record.entry.expect("objects have entries");
                if entry.name_length == 0 {
                    continue;
                }
                directory::check_name(directory::name_of(entry)?)
                    .map_err(|_| corrupted("an object has an impossible name"))?;
                let is_linked = linked.contains(&record.offset);
                if !is_linked && record.offset < finished {
                    return Err(corrupted("an object is missing in the directory"));
                }
                named += usize::from(is_linked);
            }
        }
    }
    if named != linked.len() {
        return Err(corrupted("the directory has entries that are no objects"));
    }
    if top < finished || memory.header().touched.load(Acquire) < top {
        return Err(corrupted("the header's record boundaries lie behind the records"));
    }
    verify_blocks(attachment, block_count, &blocks)
}

fn linked_entries(memory: &Memory) -> Result<HashSet<Offset>> {
    let mut linked = HashSet::new();
    for bucket in 0..BUCKETS {
        let mut offset = memory.buckets().heads[bucket].load(Acquire);
        while offset != 0 {
            if !linked.insert(offset) {
                return Err(corrupted("two chains of the directory meet, or one has no end"));
            }
            let (_, entry) = directory::entry_at(memory, offset)?;
            if entry.name_hash as usize % BUCKETS != bucket
                || entry.name_hash != directory::hash(directory::name_of(entry)?)
            {
                return Err(corrupted("an object hangs in the wrong chain of the directory"));
            }
            offset = entry.next.load(Acquire);
        }
    }
    Ok(linked)
}

fn verify_blocks(attachment: &Attachment, count: u32, records: &HashSet<Offset>) -> Result<()> {
    let header = attachment.header();
    for index in 0..count {
        let offset = header.blocks[index as usize].load(Acquire);
        if !records.contains(&offset) {
            return Err(corrupted("a block of the roster is no record"));
        }
        attachment.block(index)?;
    }
    if count == 0 {
        return Err(corrupted("the segment has no roster"));
    }
    Ok(())
}

#[cold]
fn locate(error: Error, record: &Record<'_>) -> Error {
    let noun = record.state.kind.noun();
    Error::with(
        Status::Corrupted,
        format!("the {noun} at offset {}: {}", record.offset, error.text()),
    )
}
