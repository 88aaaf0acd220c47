//! The heap's invariants, executable.

use std::collections::HashMap;

use super::Heap;
use super::bins::span_in_list;
use crate::error::{Error, Result, Status};
use crate::layout::Offset;
use crate::layout::block::{AFTER_FREE, NEXT, Owner};
use crate::layout::header::HEAP_START;
use crate::platform::atomic::Ordering::Relaxed;
use crate::segment::control::{BINS, QUICK_LISTS};

/// Blocks that nobody has, with their spans.
#[derive(Default)]
struct Unowned {
    free: HashMap<Offset, u64>,
    quick: HashMap<Offset, u64>,
}

impl Heap<'_> {
    /// Checks H1 to H6 (of H6, that no block from `touched` on has an owner). Nobody may
    /// change the heap meanwhile: the caller holds it.
    pub(crate) fn verify(&self) -> Result<()> {
        let mut unowned = self.verify_blocks()?;
        // H5
        let spans = unowned.free.values().chain(unowned.quick.values());
        let sum: u64 = spans.sum();
        if sum != self.control.free.load(Relaxed) {
            return Err(wrong("the count of free bytes is not their sum", HEAP_START));
        }
        for bin in 0..BINS {
            self.verify_bin(bin, &mut unowned.free)?;
        }
        // Bits of bins that do not exist.
        if self.control.occupied[BINS / 64].load(Relaxed) >> (BINS % 64) != 0 {
            return Err(wrong("a bit says that an impossible bin is not empty", HEAP_START));
        }
        for list in 0..QUICK_LISTS {
            self.verify_quick_list(list, &mut unowned.quick)?;
        }
        match unowned.free.keys().chain(unowned.quick.keys()).min() {
            None => Ok(()),
            Some(lost) => Err(wrong("a free block is in no list", *lost)),
        }
    }

    /// H1, H2, H3 and H6.
    fn verify_blocks(&self) -> Result<Unowned> {
        let mut unowned = Unowned::default();
        let touched = self.control.touched.load(Relaxed);
        let mut mark = 0;
        for block in self.blocks() {
            let (offset, owner, span) = block?;
            if self.head(offset)?.span.load(Relaxed) & AFTER_FREE != mark {
                return Err(wrong("a mark tells another state of the block before", offset));
            }
            if owner != Owner::Free && offset + span > touched {
                return Err(wrong("a block is where nobody was ever given one", offset));
            }
            match owner {
                Owner::Free if mark != 0 => {
                    return Err(wrong("two free blocks are neighbours", offset));
                }
                Owner::Free => {
                    self.free_block_before(offset + span)?;
                    unowned.free.insert(offset, span);
                }
                Owner::Quick => {
                    unowned.quick.insert(offset, span);
                }
                Owner::Limbo(_) | Owner::Used(_) => {}
            }
            mark = if owner == Owner::Free { AFTER_FREE } else { 0 };
        }
        let top = self.top()?;
        if self.control.top_mark.load(Relaxed) != mark || !(HEAP_START..=top).contains(&touched) {
            return Err(wrong("the end of the heap tells another state of the last block", top));
        }
        Ok(unowned)
    }

    /// H4: each block of the bin is still among `free`, and leaves it.
    fn verify_bin(&self, bin: usize, free: &mut HashMap<Offset, u64>) -> Result<()> {
        let mut is_empty = true;
        for block in self.bin(bin) {
            let block = block?;
            is_empty = false;
            if free.remove(&block.offset) != Some(block.span) {
                return Err(wrong("a bin has what is no free block", block.offset));
            }
        }
        let bit = self.control.occupied[bin / 64].load(Relaxed) >> (bin % 64) & 1;
        if is_empty != (bit == 0) {
            return Err(wrong("a bit tells another state of its bin", bin as u64));
        }
        Ok(())
    }

    /// The same for a quick list.
    fn verify_quick_list(&self, list: usize, quick: &mut HashMap<Offset, u64>) -> Result<()> {
        let mut block = self.control.quick[list].load(Relaxed);
        while block != 0 {
            // Ends: there is one less each time.
            if quick.remove(&block) != Some(span_in_list(list)) {
                return Err(wrong("a quick list has what is no quick block of its span", block));
            }
            block = self.word(block + NEXT)?;
        }
        Ok(())
    }
}

#[cold]
fn wrong(what: &str, place: Offset) -> Error {
    Error::with(Status::Corrupted, format!("{what} (at {place}): the segment is damaged"))
}
