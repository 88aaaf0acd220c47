//! The space of a segment: records appended one after the other.
//!
//! Only the registrar appends (`Attachment::as_registrar`); the byte lock that makes
//! it so is freed by the kernel when it dies. Readers need no lock.
//!
//! # Edges
//!
//! | edge      | release                    | acquire               | what it carries          |
//! |-----------|----------------------------|-----------------------|--------------------------|
//! | COMMITTED | `commit` stores committed  | `Memory::committed`   | the memory is real       |
//! | PUBLISHED | `append` stores the state  | `Space::record`       | the record, all but its link |
//! | LINKED    | `directory::link`          | `directory::find`     | the record               |
//! | GROWN     | `grow_roster`              | `Attachment::block`   | an initialised block     |
//!
//! # If the registrar dies
//!
//! - before it published: bytes below `touched` may be scribbled on; the next one
//!   clears what it uses. Committed memory stays committed and is used next.
//! - after it published, before the record was linked: `finished` still lies before
//!   the record, and the next registrar links what lies after it (`finish`).

use std::os::fd::BorrowedFd;

use super::directory;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::Offset;
use crate::layout::entry::{ENTRY_BYTES, Entry, GRAIN, Kind, State};
use crate::layout::header::{DATA_START, Header, MAX_BLOCKS};
use crate::layout::memory::Memory;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::file;
use crate::platform::mapping::PAGE;
use crate::roster::attachment::Attachment;
use crate::roster::record::Block;

/// Memory is committed in steps of this, as long as there is that much.
const COMMIT_STEP: u64 = 16 * PAGE;

/// The space of one segment, as the registrar or a reader sees it.
pub(crate) struct Space<'a> {
    memory: &'a Memory,
}

/// A published record.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) offset: Offset,
    pub(crate) state: State,
    pub(crate) entry: Option<&'a Entry>,
}

impl Record<'_> {
    /// Where the body begins.
    pub(crate) fn body(&self) -> Offset {
        self.offset + ENTRY_BYTES
    }

    /// How long it is.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.state.span - ENTRY_BYTES
    }

    fn end(&self) -> Offset {
        self.offset + self.state.span
    }
}

/// What a new record is to be.
pub(crate) struct NewRecord<'a> {
    pub(crate) kind: Kind,
    /// Empty for an anonymous one.
    pub(crate) name: &'a str,
    pub(crate) body_bytes: u64,
    /// The body begins on a page.
    pub(crate) page_aligned: bool,
}

impl<'a> Space<'a> {
    pub(crate) fn of(memory: &'a Memory) -> Self {
        Self { memory }
    }

    fn header(&self) -> &'a Header {
        self.memory.header()
    }

    /// The record at `offset`; `None` where the records end.
    pub(crate) fn record(&self, offset: Offset) -> Result<Option<Record<'a>>> {
        if offset >= self.memory.committed() {
            return Ok(None);
        }
        let word = self.memory.at::<AtomicU64>(offset)?;
        // Acquire, PUBLISHED: everything of the record but its link is final.
        let Some(state) = (match word.load(Acquire) {
            0 => return Ok(None),
            word => State::of_word(word),
        }) else {
            return Err(corrupted(
                "a record has an impossible kind or span: the segment is damaged",
            ));
        };
        self.memory.bytes(offset, state.span)?;
        let entry = match state.kind {
            Kind::Filler => None,
            _ => Some(self.memory.at::<Entry>(offset)?),
        };
        Ok(Some(Record { offset, state, entry }))
    }

    /// The records from `offset` on, which must be a boundary.
    pub(crate) fn records_from(
        &self,
        offset: Offset,
    ) -> impl Iterator<Item = Result<Record<'a>>> + use<'a> {
        let space = Space::of(self.memory);
        let mut next = Some(offset);
        core::iter::from_fn(move || {
            // Spans are at least GRAIN, so the walk ends.
            let record = space.record(next.take()?).transpose()?;
            next = record.as_ref().ok().map(Record::end);
            Some(record)
        })
    }

    /// The first position after all records.
    pub(crate) fn top(&self) -> Result<Offset> {
        let mut top = self.finished()?;
        while let Some(record) = self.record(top)? {
            top = record.end();
        }
        Ok(top)
    }

    /// A boundary before which all records are linked.
    pub(super) fn finished(&self) -> Result<Offset> {
        // Acquire: all records before it are linked.
        let finished = self.header().finished.load(Acquire);
        let sound = finished >= DATA_START
            && finished <= self.memory.committed()
            && finished.is_multiple_of(GRAIN);
        if sound {
            return Ok(finished);
        }
        Err(corrupted("the header's record boundary is impossible: the segment is damaged"))
    }

    /// Links what a registrar left published but not linked when it died. Repeatable.
    ///
    /// The caller is the registrar.
    pub(super) fn finish(&self) -> Result<()> {
        let mut finished = self.finished()?;
        while let Some(record) = self.record(finished)? {
            match (record.state.kind, record.entry) {
                (Kind::RosterBlock, _) => self.link_block(record.body())?,
                (kind, Some(entry)) if kind.is_object() && entry.name_length != 0 => {
                    directory::link(self.memory, record.offset, entry)?;
                }
                _ => {}
            }
            finished = record.end();
            // Release: what lies before is linked.
            self.header().finished.store(finished, Release);
        }
        Ok(())
    }

    /// Appends a record whose body `fill` initialises, and links it.
    ///
    /// The caller is the registrar and has called `finish`.
    pub(crate) fn append(
        &self,
        file: BorrowedFd<'_>,
        segment: &str,
        new: &NewRecord<'_>,
        fill: impl FnOnce(Offset) -> Result<()>,
    ) -> Result<Offset> {
        let top = self.finished()?;
        let place = Placement::of(new, top)
            .filter(|place| place.end <= self.memory.length())
            .ok_or_else(|| self.full(segment, new.body_bytes))?;
        self.commit(file, segment, place.end)?;
        self.clear_for(&place)?;
        self.write_entry(&place, new)?;
        fill(place.entry + ENTRY_BYTES)?;
        self.publish(&place, new.kind)?;
        self.finish()?;
        Ok(place.entry)
    }

    /// Makes memory real up to `end`.
    fn commit(&self, file: BorrowedFd<'_>, segment: &str, end: Offset) -> Result<()> {
        let committed = self.memory.committed();
        if end <= committed {
            return Ok(());
        }
        let needed = end.next_multiple_of(PAGE).min(self.memory.length());
        let generous = end.next_multiple_of(COMMIT_STEP).min(self.memory.length());
        let reached = match file::commit(file, committed, generous, segment) {
            Ok(()) => generous,
            Err(_) if needed < generous => {
                file::commit(file, committed, needed, segment)?;
                needed
            }
            Err(error) => return Err(error),
        };
        // Release, COMMITTED.
        self.header().committed.store(reached, Release);
        Ok(())
    }

    /// Makes sure that the record and the end mark after it are all zero.
    fn clear_for(&self, place: &Placement) -> Result<()> {
        let touched = self.header().touched.load(Relaxed);
        let end_mark = (place.end + size_of::<u64>() as u64).min(self.memory.committed());
        if touched > place.start {
            self.memory.clear(place.start, touched.min(end_mark) - place.start)?;
        }
        // Release: before the first byte beyond the old mark is written.
        self.header().touched.store(touched.max(place.end), Release);
        Ok(())
    }

    fn write_entry(&self, place: &Placement, new: &NewRecord<'_>) -> Result<()> {
        let mut name = [0u8; 64];
        name[..new.name.len()].copy_from_slice(new.name.as_bytes());
        // Relaxed: only the registrar counts. Killed here, a number is skipped.
        let generation = self.header().generations.load(Relaxed).wrapping_add(1);
        self.header().generations.store(generation, Relaxed);
        self.memory.write(
            place.entry,
            Entry {
                state: AtomicU64::new(0),
                next: AtomicU64::new(0),
                generation: AtomicU64::new(generation),
                name_length: new.name.len() as u32,
                name_hash: directory::hash(new.name),
                reserved: [0; 4],
                name,
            },
        )?;
        Ok(())
    }

    /// One store makes the record, and the filler before it if any, part of the space.
    fn publish(&self, place: &Placement, kind: Kind) -> Result<()> {
        let state = State { kind, span: place.end - place.entry };
        let word = self.memory.at::<AtomicU64>(place.entry)?;
        // Release, PUBLISHED. With a filler before it nobody can come here yet.
        word.store(state.to_word(), Release);
        if place.entry > place.start {
            let filler = State { kind: Kind::Filler, span: place.entry - place.start };
            // Release, PUBLISHED: the filler and the record together.
            self.memory.at::<AtomicU64>(place.start)?.store(filler.to_word(), Release);
        }
        Ok(())
    }

    /// Adds a block to the roster.
    fn link_block(&self, block: Offset) -> Result<()> {
        let header = self.header();
        // Relaxed: only the registrar changes these.
        let count = header.block_count.load(Relaxed) as usize;
        if count > MAX_BLOCKS {
            return Err(corrupted("the header counts too many roster blocks"));
        }
        if header.blocks[..count].iter().any(|b| b.load(Relaxed) == block) {
            return Ok(());
        }
        if count == MAX_BLOCKS {
            return Err(corrupted("there are more roster blocks than a segment can have"));
        }
        // Release, GROWN: the block is zero, which is its first state. The offset
        // first; killed here, the next registrar stores the same again.
        header.blocks[count].store(block, Release);
        header.block_count.store(count as u32 + 1, Release);
        Ok(())
    }

    #[cold]
    fn full(&self, segment: &str, bytes: u64) -> Error {
        Error::with(
            Status::NoSpace,
            format!(
                "segment \"{segment}\" has no room for {bytes} more bytes: it may grow to {} bytes; \
                 create it with a larger size",
                self.memory.length()
            ),
        )
    }
}

/// Where a new record goes.
struct Placement {
    /// Where the records ended.
    start: Offset,
    /// Where the record begins; a filler covers what lies between.
    entry: Offset,
    end: Offset,
}

impl Placement {
    /// `None` if no segment is that large.
    fn of(new: &NewRecord<'_>, start: Offset) -> Option<Self> {
        let body = new.body_bytes.max(1).checked_next_multiple_of(GRAIN)?;
        let first_body = start.checked_add(ENTRY_BYTES)?;
        let body_start = match new.page_aligned {
            true => first_body.checked_next_multiple_of(PAGE)?,
            false => first_body,
        };
        let end = body_start.checked_add(body)?;
        Some(Self { start, entry: body_start - ENTRY_BYTES, end })
    }
}

/// Appends a block to the roster. The caller is the creator, or the registrar and has
/// called `finish`.
pub(crate) fn append_block(memory: &Memory, file: BorrowedFd<'_>, segment: &str) -> Result<()> {
    let new = NewRecord {
        kind: Kind::RosterBlock,
        name: "",
        body_bytes: size_of::<Block>() as u64,
        page_aligned: true,
    };
    Space::of(memory).append(file, segment, &new, |_| Ok(()))?;
    Ok(())
}

/// How an attachment lets its roster grow.
pub(crate) fn grow_roster(attachment: &Attachment) -> Result<()> {
    let known = attachment.block_count();
    attachment.as_registrar(|| {
        // Who died while it added a block may have left one that only has to be linked.
        Space::of(attachment.memory()).finish()?;
        if attachment.block_count() > known {
            return Ok(());
        }
        append_block(attachment.memory(), attachment.file()?, attachment.path().name())
    })
}
