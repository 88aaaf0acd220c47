//! How a segment takes more memory: the heap upwards, the roster downwards.
//!
//! Only the registrar does (`Attachment::as_registrar`); the byte lock that makes it so is
//! freed by the kernel when it dies. Memory is committed outside of the heap's lock, in
//! pieces, so that nobody who only needs a free block waits for the file system.
//!
//! # Edges
//!
//! | edge      | release                     | acquire               | what it carries     |
//! |-----------|-----------------------------|-----------------------|---------------------|
//! | COMMITTED | `commit` stores committed   | `Memory::committed`   | the memory is real  |
//! | GROWN     | `grow_roster` counts blocks | `Attachment::block`   | the block is real   |
//!
//! # If the registrar dies
//!
//! - after the file system gave memory, before it was said: the next one asks for the
//!   same range again, and it is there already;
//! - after it was said, before the heap took it: the next one lets the heap take it;
//! - between the memory of a roster block and its count: as in the first case.

use std::os::fd::BorrowedFd;

use super::heap::{Heap, Want};
use crate::error::{Error, Result, Status};
use crate::layout::header::{HEAP_START, MAX_BLOCKS, ROSTER_BLOCK_BYTES};
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::{Acquire, Release};
use crate::platform::mapping::PAGE;
use crate::platform::{directory, file};
use crate::roster::attachment::Attachment;
use crate::sync::mutex::Actor;

/// What a new segment has for its objects, all in all with its roster 64 KiB.
const FIRST_COMMITTED: u64 = (64 << 10) - ROSTER_BLOCK_BYTES;
/// Memory is committed in steps of this, as long as there is that much,
const LEAST_STEP: u64 = 16 * PAGE;
/// and of this at most: the file system takes about a millisecond for it, and others may
/// come in between.
const LONGEST_STEP: u64 = 2 << 20;

/// Gives a new segment its first memory: blocks and roster. Nobody else sees the file yet.
pub(crate) fn found(memory: &Memory, file: BorrowedFd<'_>, segment: &str) -> Result<()> {
    const { assert!(FIRST_COMMITTED > HEAP_START) };
    commit(memory, file, segment, FIRST_COMMITTED, FIRST_COMMITTED)?;
    Heap::found(memory)?;
    add_block(memory, file, segment)
}

/// Lets the heap grow by one step, or by what another process has just added.
///
/// # Errors
/// `NoSpace` if what is wanted cannot come about, now or at all; then nothing is taken.
pub(crate) fn grow_heap(actor: Actor, want: &Want) -> Result<()> {
    let attachment = actor.attachment();
    let memory = attachment.memory();
    let segment = attachment.path().name();
    attachment.as_registrar(|| {
        let heap = Heap::of(memory)?;
        let committed = memory.committed();
        if heap.top()? < committed {
            return heap.adopt(actor);
        }
        let limit = memory.roster_start();
        let needed = heap.end_if_cut_at_top(actor, want)?.filter(|end| *end <= limit);
        let Some(needed) = needed else {
            return Err(full(segment, want.bytes, memory.length()));
        };
        let missing = needed.saturating_sub(committed).next_multiple_of(PAGE);
        if missing > directory::available() {
            return Err(file::directory_full(segment));
        }
        let least = committed + missing.clamp(PAGE, LONGEST_STEP);
        let end = least.max(committed + LEAST_STEP).min(limit);
        commit(memory, attachment.file()?, segment, least.min(limit), end)?;
        heap.adopt(actor)
    })
}

/// How an attachment lets its roster grow.
pub(crate) fn grow_roster(attachment: &Attachment) -> Result<()> {
    let known = attachment.block_count();
    attachment.as_registrar(|| {
        if attachment.block_count() > known {
            return Ok(());
        }
        add_block(attachment.memory(), attachment.file()?, attachment.path().name())
    })
}

/// Adds a block to the roster.
fn add_block(memory: &Memory, file: BorrowedFd<'_>, segment: &str) -> Result<()> {
    let end = memory.roster_start();
    let start = end.checked_sub(ROSTER_BLOCK_BYTES).filter(|start| *start >= memory.committed());
    let known = memory.header().block_count.load(Acquire);
    let (Some(start), true) = (start, (known as usize) < MAX_BLOCKS) else {
        return Err(full(segment, ROSTER_BLOCK_BYTES, memory.length()));
    };
    file::commit(file, start, end, segment)?;
    // Release, GROWN: the block is real, and zero, which is its first state.
    memory.header().block_count.store(known + 1, Release);
    Ok(())
}

/// Makes memory real up to `end`, or at least up to `least`: less would help nobody.
fn commit(
    memory: &Memory,
    file: BorrowedFd<'_>,
    segment: &str,
    least: u64,
    end: u64,
) -> Result<()> {
    let committed = memory.committed();
    let reached = match file::commit(file, committed, end, segment) {
        Ok(()) => end,
        Err(_) if least < end => {
            file::commit(file, committed, least, segment)?;
            least
        }
        Err(error) => return Err(error),
    };
    // Release, COMMITTED.
    memory.header().committed.store(reached, Release);
    Ok(())
}

#[cold]
fn full(segment: &str, bytes: u64, size: u64) -> Error {
    Error::with(
        Status::NoSpace,
        format!(
            "segment \"{segment}\" has no room for {bytes} more bytes: it may grow to {size} \
             bytes; create it with a larger size"
        ),
    )
}
