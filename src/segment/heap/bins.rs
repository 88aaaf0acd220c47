//! Bins: FREE blocks by size.
//!
//! Below 1 KiB a bin is one span; from there on each doubling has four. So a block from a
//! later bin than the own always has room, and a cut wastes a quarter at most. A bin is a
//! list with links both ways, so that a block leaves from the middle when it is coalesced.
//! The way back stands in the owner's word.

use super::{Heap, Want};
use crate::error::{Result, corrupted};
use crate::layout::Offset;
use crate::layout::block::{AFTER_FREE, BlockHead, GRAIN, LEAST_SPAN, NEXT, Owner, previous_free};
use crate::layout::header::HEAP_START;
use crate::platform::atomic::{AtomicU64, Ordering::Relaxed};
use crate::segment::control::{BINS, QUICK_LISTS};

/// The first span that shares its bin with others.
const COARSE: u64 = 1 << COARSE_LOG2;
const COARSE_LOG2: u32 = 10;
/// The bin where these begin.
const COARSE_BIN: usize = ((COARSE - LEAST_SPAN) / GRAIN) as usize;

/// The bin of FREE blocks of a span.
pub(super) fn bin_of(span: u64) -> usize {
    if span < COARSE {
        return ((span - LEAST_SPAN) / GRAIN) as usize;
    }
    let doublings = span.ilog2() - COARSE_LOG2;
    let quarter = span >> (span.ilog2() - 2) & 3;
    (COARSE_BIN + 4 * doublings as usize + quarter as usize).min(BINS - 1)
}

/// The quick list of blocks of a span, if they have one.
#[inline]
pub(super) fn quick_list_of(span: u64) -> Option<usize> {
    let list = ((span - LEAST_SPAN) / GRAIN) as usize;
    (list < QUICK_LISTS).then_some(list)
}

/// The span of blocks in a quick list.
pub(super) fn span_in_list(list: usize) -> u64 {
    LEAST_SPAN + list as u64 * GRAIN
}

/// A FREE block and its links, as they were read.
#[derive(Clone, Copy, Debug)]
pub(super) struct FreeBlock {
    pub(super) offset: Offset,
    pub(super) span: u64,
    pub(super) previous: Offset,
    pub(super) next: Offset,
}

impl FreeBlock {
    pub(super) fn end(&self) -> Offset {
        self.offset + self.span
    }
}

/// Reading. Relaxed everywhere: the caller holds the lock, or looks a second time
/// (`Heap::facts`), or nobody else is there.
impl<'a> Heap<'a> {
    /// Where the blocks end.
    #[inline]
    pub(crate) fn top(&self) -> Result<Offset> {
        let top = self.control.top.load(Relaxed);
        if top >= HEAP_START && top <= self.memory.committed() && top.is_multiple_of(GRAIN) {
            return Ok(top);
        }
        Err(corrupted("the end of the heap is no place for one: the segment is damaged"))
    }

    /// The word at `place`.
    #[inline]
    pub(super) fn word(&self, place: Offset) -> Result<u64> {
        Ok(self.memory.at::<AtomicU64>(place)?.load(Relaxed))
    }

    /// The head of a block.
    #[inline]
    pub(super) fn head(&self, block: Offset) -> Result<&'a BlockHead> {
        if block < HEAP_START || !block.is_multiple_of(GRAIN) {
            return Err(corrupted("an offset leads to no block: the segment is damaged"));
        }
        self.memory.at(block)
    }

    /// The span in a head, if it can be one.
    #[inline]
    pub(super) fn span_of(&self, block: Offset, head: &BlockHead) -> Result<u64> {
        let span = head.span.load(Relaxed) & !AFTER_FREE;
        let room = self.top()?.saturating_sub(block);
        if span >= LEAST_SPAN && span <= room && span.is_multiple_of(GRAIN) {
            return Ok(span);
        }
        Err(corrupted("a block has an impossible span: the segment is damaged"))
    }

    /// The FREE block at `offset`.
    pub(super) fn free_block(&self, offset: Offset) -> Result<FreeBlock> {
        let head = self.head(offset)?;
        let Some(previous) = previous_free(head.owner.load(Relaxed)) else {
            return Err(corrupted("a block that should be free is not: the segment is damaged"));
        };
        let span = self.span_of(offset, head)?;
        Ok(FreeBlock { offset, span, previous, next: self.word(offset + NEXT)? })
    }

    /// The FREE block that ends at `end`, where a mark says that there is one.
    pub(super) fn free_block_before(&self, end: Offset) -> Result<FreeBlock> {
        let span = self.word(end - 8)?;
        let free = self.free_block(end.wrapping_sub(span))?;
        if free.span != span {
            return Err(corrupted("a block and its end tell two spans: the segment is damaged"));
        }
        Ok(free)
    }

    /// The FREE block at `offset`, or `None` if the block there is not free or there is
    /// no more block.
    pub(super) fn free_block_at(&self, offset: Offset) -> Result<Option<FreeBlock>> {
        if offset == self.top()? {
            return Ok(None);
        }
        // The owner of the next block may change it meanwhile, from something else to
        // something else that is not FREE.
        match Owner::of_word(self.head(offset)?.owner.load(Relaxed)) {
            Some(Owner::Free) => self.free_block(offset).map(Some),
            _ => Ok(None),
        }
    }

    /// The blocks of a bin.
    pub(super) fn bin(&self, bin: usize) -> Bin<'a> {
        let next = self.control.bins[bin].load(Relaxed);
        Bin { heap: *self, bin, previous: 0, next }
    }

    /// The first bin from `bin` on that is not empty.
    pub(super) fn occupied_from(&self, bin: usize) -> Option<usize> {
        let words = &self.control.occupied;
        let mut place = bin / 64;
        let mut bits = words.get(place)?.load(Relaxed) & (u64::MAX << (bin % 64));
        while bits == 0 {
            place += 1;
            bits = words.get(place)?.load(Relaxed);
        }
        Some(place * 64 + bits.trailing_zeros() as usize).filter(|bin| *bin < BINS)
    }

    /// Finds a FREE block with room, looking at `most` blocks of each bin.
    pub(super) fn find(&self, want: &Want, span: u64, most: usize) -> Result<Option<FreeBlock>> {
        let mut from = bin_of(span);
        while let Some(bin) = self.occupied_from(from) {
            let fit = self.lowest_fit(bin, want, span, most)?;
            if fit.is_some() {
                return Ok(fit);
            }
            from = bin + 1;
        }
        Ok(None)
    }

    /// The one that lies lowest, so that what lies high becomes free in large pieces.
    fn lowest_fit(
        &self,
        bin: usize,
        want: &Want,
        span: u64,
        most: usize,
    ) -> Result<Option<FreeBlock>> {
        let mut lowest: Option<FreeBlock> = None;
        for free in self.bin(bin).take(most) {
            let free = free?;
            let has_room = want.place_from(free.offset) + span <= free.end();
            if has_room && lowest.is_none_or(|lowest| free.offset < lowest.offset) {
                lowest = Some(free);
            }
        }
        Ok(lowest)
    }
}

/// A walk through a bin. It ends even if the memory is damaged: each block has to know
/// the one we came from, which in a circle one of them cannot.
pub(super) struct Bin<'a> {
    heap: Heap<'a>,
    bin: usize,
    previous: Offset,
    next: Offset,
}

impl Bin<'_> {
    fn step(&mut self) -> Result<FreeBlock> {
        let free = self.heap.free_block(self.next)?;
        if free.previous != self.previous || bin_of(free.span) != self.bin {
            return Err(corrupted("a free block is in the wrong list: the segment is damaged"));
        }
        (self.previous, self.next) = (free.offset, free.next);
        Ok(free)
    }
}

impl Iterator for Bin<'_> {
    type Item = Result<FreeBlock>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == 0 {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.next = 0;
        }
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_the_spans() {
        assert_eq!((bin_of(LEAST_SPAN), bin_of(COARSE - GRAIN)), (0, COARSE_BIN - 1));
        let mut last = COARSE_BIN;
        for doubling in COARSE_LOG2..46 {
            for quarter in 4..8 {
                let least = quarter << (doubling - 2);
                assert_eq!(bin_of(least), last, "{least}");
                assert_eq!(bin_of(least + (1 << (doubling - 2)) - GRAIN), last, "{least}");
                last += 1;
            }
        }
        assert!(last <= BINS && bin_of(u64::MAX) == BINS - 1);
    }
}
