//! The heap: gives out blocks of a segment and takes them back.
//!
//! ```text
//!  HEAP_START                                        touched            top   committed
//!  v                                                    v                v        v
//!  [ USED ][ QUICK ][    FREE    ][ LIMBO ][    USED    ]:      FREE     ]........
//!             |           |
//!             |           bins[..] <-> <->     208 of them, by size; coalesced
//!             quick[..] ->                     one for each span up to 528; as they are
//! ```
//!
//! A good fit is taken: the own bin is looked into, then the next one that is not empty;
//! of the first few with room the one that lies lowest is cut, and the rest goes back. A small block that is released waits in the
//! quick list of its span, where the next one that wants as much finds it at once. Only
//! when nothing fits are quick blocks coalesced with their neighbours.
//!
//! # Invariants
//!
//! - **H1** Blocks cover `HEAP_START..top` without a gap.
//! - **H2** A FREE block has its span in its last 8 bytes too; bit 0 of the span of the
//!   block after it (at `top`: of `top_mark`) is set, and of no other.
//! - **H3** Two FREE blocks are never neighbours.
//! - **H4** Each FREE block is in the bin of its span, each QUICK one in the quick list of
//!   its span, once; nothing else is in a list. A bit of `occupied` is set if and only if
//!   its bin is not empty.
//! - **H5** `free` is the sum of the spans of FREE and QUICK blocks.
//! - **H6** Memory from `touched` to `top` is one FREE block's, or part of it, and zero
//!   but for what makes it one. So a block from there need not be cleared.
//!
//! # If a process dies
//!
//! Every word, of `Control` and of blocks, is changed through the log of the lock
//! (`sync::guarded`): the next one who takes it finds all of the change or none. A block
//! that was given out says whose it is in the same change, and was noted by its owner
//! before; if it was not given out, the note names a block that is not the owner's.

mod bins;
mod held;
#[cfg(test)]
mod tests;
mod verify;
mod walk;

use self::held::Held;
use super::control::Control;
use crate::error::{Result, corrupted};
use crate::layout::Offset;
use crate::layout::block::{
    AFTER_FREE, GRAIN, HEAD_BYTES, LEAST_SPAN, NEXT, Owner, ParticipantId, free_after,
};
use crate::layout::header::HEAP_START;
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::{Relaxed, Release};
use crate::sync::mutex::Actor;

/// The heap of a segment.
#[derive(Clone, Copy)]
pub(crate) struct Heap<'a> {
    memory: &'a Memory,
    control: &'a Control,
}

/// What is wanted: `bytes` of payload, in a block whose byte `lead` lies at a multiple of
/// `align`: a power of two up to 4096.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) bytes: u64,
    pub(crate) align: u64,
    /// A multiple of 16: 0 for the block itself, `HEAD_BYTES` for its payload.
    pub(crate) lead: u64,
}

/// A block that was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) offset: Offset,
    pub(crate) span: u64,
    /// The block's bytes from here on are zero; at most its end.
    pub(crate) clean_from: Offset,
}

/// Blocks of a bin that are looked at before a larger one is cut.
const FEW: usize = 16;
/// Quick blocks that are coalesced before others may come in between.
const BATCH: usize = 64;

impl Want {
    /// The span of the smallest block that has room; `None` if numbers end before.
    #[inline]
    fn span(&self) -> Option<u64> {
        debug_assert!(self.align.is_power_of_two() && self.lead.is_multiple_of(GRAIN));
        let span = self.bytes.checked_add(HEAD_BYTES + GRAIN - 1)? & !(GRAIN - 1);
        Some(span.max(LEAST_SPAN))
    }

    /// The first place from `start` on where the block may begin: what is left before it
    /// is nothing or a block of its own.
    #[inline]
    fn place_from(&self, start: Offset) -> Offset {
        // Not by a division: `align` is a power of two.
        let mask = self.align - 1;
        let place = ((start + self.lead + mask) & !mask) - self.lead;
        match place - start {
            0 | LEAST_SPAN.. => place,
            _ => place + self.align.max(LEAST_SPAN),
        }
    }
}

impl<'a> Heap<'a> {
    /// The heap in `memory`.
    #[inline]
    pub(crate) fn of(memory: &'a Memory) -> Result<Self> {
        Ok(Self { memory, control: Control::of(memory)? })
    }

    /// Takes the heap's lock. While it is held, nothing changes but by the holder.
    #[inline]
    pub(crate) fn hold(self, actor: Actor) -> Result<Held<'a>> {
        let hold = self.control.heap.hold(self.memory, actor)?;
        Ok(Held::new(self, hold))
    }

    /// Gives out a block, or says that none fits (`None`): then the heap has to grow.
    ///
    /// `note` writes down where the block is, before it says that it is the owner's.
    #[inline]
    pub(crate) fn allocate(
        &self,
        actor: Actor,
        owner: ParticipantId,
        want: &Want,
        note: impl FnOnce(Offset),
    ) -> Result<Option<Block>> {
        let Some(span) = want.span().filter(|span| *span <= self.memory.length()) else {
            return Ok(None);
        };
        let held = self.hold(actor)?;
        if let Some(offset) = held.quick_block(span, want)? {
            note(offset);
            held.take_quick(offset, span, Owner::Limbo(owner))?;
            held.commit();
            return Ok(Some(Block { offset, span, clean_from: offset + span }));
        }
        self.allocate_slowly(held, actor, owner, want, span, note)
    }

    #[inline(never)]
    fn allocate_slowly(
        &self,
        held: Held<'a>,
        actor: Actor,
        owner: ParticipantId,
        want: &Want,
        span: u64,
        note: impl FnOnce(Offset),
    ) -> Result<Option<Block>> {
        let Some((held, free)) = self.search(held, actor, want, span)? else {
            return Ok(None);
        };
        let place = want.place_from(free.offset);
        note(place);
        let block = held.carve(&free, place, span, Owner::Limbo(owner))?;
        held.commit();
        Ok(Some(block))
    }

    /// Finds a FREE block with room, coalescing quick blocks while there is none.
    fn search(
        &self,
        mut held: Held<'a>,
        actor: Actor,
        want: &Want,
        span: u64,
    ) -> Result<Option<(Held<'a>, bins::FreeBlock)>> {
        loop {
            if let Some(free) = self.find(want, span, FEW)? {
                return Ok(Some((held, free)));
            }
            if !held.coalesce_quick(BATCH)? {
                // None is the answer only if no block at all would do.
                return Ok(self.find(want, span, usize::MAX)?.map(|free| (held, free)));
            }
            drop(held);
            held = self.hold(actor)?;
        }
    }

    /// Takes a block back if its owner is still `expected`; else does nothing and says
    /// `false`.
    #[inline]
    pub(crate) fn release(&self, actor: Actor, block: Offset, expected: Owner) -> Result<bool> {
        let held = self.hold(actor)?;
        let head = self.head(block)?;
        // Relaxed: if it is `expected`, only who holds the heap's lock changes it.
        if head.owner.load(Relaxed) != expected.to_word() {
            return Ok(false);
        }
        held.give(block, self.span_of(block, head)?)?;
        held.commit();
        Ok(true)
    }

    /// Makes memory that was committed behind `top` part of the heap, if there is any.
    pub(crate) fn adopt(&self, actor: Actor) -> Result<()> {
        let held = self.hold(actor)?;
        let top = self.top()?;
        let end = self.memory.committed();
        if end == top {
            return Ok(());
        }
        if end < top + LEAST_SPAN || !end.is_multiple_of(GRAIN) {
            return Err(corrupted("the heap ends where no heap can end: the segment is damaged"));
        }
        held.extend(top, end)?;
        held.commit();
        Ok(())
    }

    /// Where a block would end that is cut from what is free before `top` and from memory
    /// behind it; `None` if numbers end before.
    pub(crate) fn end_if_cut_at_top(&self, actor: Actor, want: &Want) -> Result<Option<Offset>> {
        let _held = self.hold(actor)?;
        let top = self.top()?;
        let start = match self.control.top_mark.load(Relaxed) & AFTER_FREE {
            0 => top,
            _ => self.free_block_before(top)?.offset,
        };
        let Some(span) = want.span() else {
            return Ok(None);
        };
        let end = want.place_from(start).checked_add(span);
        // It has room, nothing has changed since, and yet nobody finds it: to grow would
        // not help, however often.
        if end.is_some_and(|end| end <= top) && self.find(want, span, usize::MAX)?.is_none() {
            return Err(corrupted("a free block is in no list: the segment is damaged"));
        }
        Ok(end)
    }

    /// Begins the heap of a segment that nobody else can see yet, with the memory that
    /// is committed. The control page is zero.
    pub(crate) fn found(memory: &'a Memory) -> Result<()> {
        let control = Control::of(memory)?;
        let end = memory.committed() & !(GRAIN - 1);
        control.top.store(end, Relaxed);
        control.touched.store(HEAP_START, Relaxed);
        if end == HEAP_START {
            return Ok(());
        }
        let span = end - HEAP_START;
        let head = Heap { memory, control }.head(HEAP_START)?;
        head.owner.store(free_after(0), Relaxed);
        head.span.store(span, Relaxed);
        memory.words(HEAP_START + NEXT, 1)?[0].store(0, Relaxed);
        memory.words(end - 8, 1)?[0].store(span, Relaxed);
        control.top_mark.store(AFTER_FREE, Relaxed);
        control.free.store(span, Relaxed);
        let bin = bins::bin_of(span);
        control.occupied[bin / 64].store(1 << (bin % 64), Relaxed);
        // Release: with the name of the file all of it becomes visible; see `birth`.
        control.bins[bin].store(HEAP_START, Release);
        Ok(())
    }
}
