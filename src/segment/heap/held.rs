//! The heap while its lock is held: what changes it.
//!
//! Each method leaves the invariants as they were once it has returned; nothing is final
//! before `commit`. A hold logs 32 words at most: `carve`, the longest, needs 19.

use super::bins::{FreeBlock, bin_of, quick_list_of, span_in_list};
use super::{Block, Heap, Want};
use crate::error::{Error, Result, corrupted};
use crate::layout::Offset;
use crate::layout::block::{AFTER_FREE, LEAST_SPAN, NEXT, OWNER, Owner, SPAN, free_after};
use crate::platform::atomic::Ordering::Relaxed;
use crate::segment::control::QUICK_LISTS;
use crate::sync::guarded::Hold;

/// Bytes at the beginning of a FREE block that are not zero even if the rest never was
/// anything else: head and link, and what aligns the next block.
const FREE_HEAD: u64 = LEAST_SPAN;

/// The heap, locked. Dropped without `commit`, it is as it was.
pub(crate) struct Held<'a> {
    heap: Heap<'a>,
    hold: Hold<'a>,
}

impl<'a> Held<'a> {
    #[inline]
    pub(super) fn new(heap: Heap<'a>, hold: Hold<'a>) -> Self {
        Self { heap, hold }
    }

    /// Makes the changes so far final.
    #[inline]
    pub(super) fn commit(&self) {
        self.hold.commit();
    }

    /// The first block of the quick list for `span`, if it can be what is wanted.
    #[inline]
    pub(super) fn quick_block(&self, span: u64, want: &Want) -> Result<Option<Offset>> {
        let Some(list) = quick_list_of(span) else {
            return Ok(None);
        };
        // Relaxed, here and below: we hold the lock.
        let first = self.heap.control.quick[list].load(Relaxed);
        if first == 0 {
            return Ok(None);
        }
        self.check_quick(first, span)?;
        Ok((want.place_from(first) == first).then_some(first))
    }

    /// Refuses what is no QUICK block of that span.
    #[inline]
    fn check_quick(&self, block: Offset, span: u64) -> Result<()> {
        let head = self.heap.head(block)?;
        if head.owner.load(Relaxed) == Owner::Quick.to_word()
            && self.heap.span_of(block, head)? == span
        {
            return Ok(());
        }
        Err(corrupted("a quick list leads to a block that is not its own: the segment is damaged"))
    }

    /// Takes the first block, which `quick_block` returned, out of its quick list.
    #[inline]
    pub(super) fn take_quick(&self, block: Offset, span: u64, owner: Owner) -> Result<()> {
        if let Some(list) = quick_list_of(span) {
            self.hold.set_word(&self.heap.control.quick[list], self.heap.word(block + NEXT)?);
        }
        self.subtract_free(span);
        self.hold.set(block + OWNER, owner.to_word())
    }

    /// Takes a block back from its owner.
    #[inline]
    pub(super) fn give(&self, block: Offset, span: u64) -> Result<()> {
        self.subtract_free(span.wrapping_neg());
        let Some(list) = quick_list_of(span) else {
            return self.coalesce(block, span);
        };
        let first = &self.heap.control.quick[list];
        self.hold.set(block + NEXT, first.load(Relaxed))?;
        self.hold.set(block + OWNER, Owner::Quick.to_word())?;
        self.hold.set_word(first, block);
        Ok(())
    }

    #[inline]
    fn subtract_free(&self, span: u64) {
        let free = &self.heap.control.free;
        self.hold.set_word(free, free.load(Relaxed).wrapping_sub(span));
    }

    /// Coalesces up to `most` quick blocks, each for good. Says whether there was one.
    #[cold]
    pub(super) fn coalesce_quick(&self, most: usize) -> Result<bool> {
        let mut left = most;
        for list in (0..QUICK_LISTS).rev() {
            let span = span_in_list(list);
            let first = &self.heap.control.quick[list];
            while left > 0 {
                let block = first.load(Relaxed);
                if block == 0 {
                    break;
                }
                self.check_quick(block, span)?;
                self.hold.set_word(first, self.heap.word(block + NEXT)?);
                self.coalesce(block, span)?;
                self.commit();
                left -= 1;
            }
        }
        Ok(left < most)
    }

    /// Makes a block that is in no list FREE, with what is FREE around it.
    fn coalesce(&self, block: Offset, span: u64) -> Result<()> {
        let (mut start, mut end) = (block, block + span);
        if self.heap.word(block + SPAN)? & AFTER_FREE != 0 {
            let before = self.heap.free_block_before(block)?;
            self.unlink(&before)?;
            start = before.offset;
            // Who looks at the block through an old note must not find its name there.
            self.hold.set(block + OWNER, free_after(0))?;
        }
        if let Some(after) = self.heap.free_block_at(end)? {
            self.unlink(&after)?;
            end = after.end();
            // Its head is inside now and is not zero (H6).
            self.touch(after.offset + FREE_HEAD);
        }
        self.lay_free(start, end - start)?;
        self.mark(end, AFTER_FREE)
    }

    /// Cuts a block of at least `span` bytes at `place` out of a FREE one, for `owner`.
    pub(super) fn carve(
        &self,
        free: &FreeBlock,
        place: Offset,
        span: u64,
        owner: Owner,
    ) -> Result<Block> {
        self.unlink(free)?;
        let touched = self.heap.control.touched.load(Relaxed);
        let clean_from = touched.max(place + FREE_HEAD);
        let front = place - free.offset;
        let rest = free.end() - (place + span);
        let mut end = place + span;
        if front != 0 {
            self.lay_free(free.offset, front)?;
        }
        if rest >= LEAST_SPAN {
            self.lay_free(end, rest)?;
        } else {
            end = free.end();
            self.mark(end, 0)?;
            // The one word of the FREE block that may lie where it was clean.
            self.hold.set(end - 8, 0)?;
        }
        self.touch(end);
        self.subtract_free(end - place);
        let mark = if front == 0 { 0 } else { AFTER_FREE };
        self.hold.set(place + SPAN, (end - place) | mark)?;
        self.hold.set(place + OWNER, owner.to_word())?;
        Ok(Block { offset: place, span: end - place, clean_from: clean_from.min(end) })
    }

    /// Adds memory from `top` to `end`, which is zero, to the heap.
    pub(super) fn extend(&self, top: Offset, end: Offset) -> Result<()> {
        let mut start = top;
        if self.heap.control.top_mark.load(Relaxed) != 0 {
            let last = self.heap.free_block_before(top)?;
            self.unlink(&last)?;
            start = last.offset;
            // Inside now, where it was clean (H6).
            self.hold.set(top - 8, 0)?;
        }
        self.hold.set_word(&self.heap.control.top, end);
        self.subtract_free(top.wrapping_sub(end));
        self.lay_free(start, end - start)?;
        self.mark(end, AFTER_FREE)
    }

    /// Makes a FREE block of a range that is in no list. What follows is not told.
    fn lay_free(&self, offset: Offset, span: u64) -> Result<()> {
        self.hold.set(offset + SPAN, span)?;
        self.hold.set(offset + span - 8, span)?;
        self.link(offset, span)
    }

    /// Says to what begins at `end` whether the block before it is FREE.
    fn mark(&self, end: Offset, mark: u64) -> Result<()> {
        let word = match end == self.heap.top()? {
            true => &self.heap.control.top_mark,
            false => &self.heap.head(end)?.span,
        };
        let old = word.load(Relaxed);
        if old & AFTER_FREE != mark {
            self.hold.set_word(word, old & !AFTER_FREE | mark);
        }
        Ok(())
    }

    /// Notes that memory before `end` is not clean any more.
    fn touch(&self, end: Offset) {
        let touched = &self.heap.control.touched;
        if touched.load(Relaxed) < end {
            self.hold.set_word(touched, end);
        }
    }

    /// Puts a block first into the bin of its span.
    fn link(&self, block: Offset, span: u64) -> Result<()> {
        let bin = bin_of(span);
        let first = &self.heap.control.bins[bin];
        match first.load(Relaxed) {
            0 => self.set_occupied(bin, true),
            next => {
                self.heap.free_block(next)?;
                self.hold.set(next + OWNER, free_after(block))?;
            }
        }
        self.hold.set(block + NEXT, first.load(Relaxed))?;
        self.hold.set(block + OWNER, free_after(0))?;
        self.hold.set_word(first, block);
        Ok(())
    }

    /// Takes a block out of its bin.
    fn unlink(&self, free: &FreeBlock) -> Result<()> {
        const WRONG: Error = corrupted("a bin is no list of free blocks: the segment is damaged");
        let &FreeBlock { offset, span, previous, next } = free;
        let bin = bin_of(span);
        let to_us = match previous {
            0 => &self.heap.control.bins[bin],
            _ => self.heap.memory.at(self.heap.free_block(previous)?.offset + NEXT)?,
        };
        if to_us.load(Relaxed) != offset {
            return Err(WRONG);
        }
        if next != 0 {
            if self.heap.free_block(next)?.previous != offset {
                return Err(WRONG);
            }
            self.hold.set(next + OWNER, free_after(previous))?;
        } else if previous == 0 {
            self.set_occupied(bin, false);
        }
        self.hold.set_word(to_us, next);
        Ok(())
    }

    fn set_occupied(&self, bin: usize, occupied: bool) {
        let word = &self.heap.control.occupied[bin / 64];
        let bit = 1 << (bin % 64);
        let bits = word.load(Relaxed);
        self.hold.set_word(word, if occupied { bits | bit } else { bits & !bit });
    }
}
