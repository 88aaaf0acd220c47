//! Looking at the heap: every block in turn, and how much is free.

use super::Heap;
use super::bins::span_in_list;
use crate::error::{Result, corrupted};
use crate::layout::Offset;
use crate::layout::block::{LEAST_SPAN, Owner};
use crate::layout::header::HEAP_START;
use crate::platform::atomic::{
    Ordering::{Acquire, Relaxed},
    fence,
};

/// How much of the heap's memory is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Bytes of all free blocks, with their heads.
    pub(crate) free: u64,
    /// The span of the largest one. Quick blocks side by side count as two.
    pub(crate) largest: u64,
}

/// Looks that `facts` takes before it is content with numbers of different moments.
const LOOKS: usize = 32;

impl<'a> Heap<'a> {
    /// Every block, with its owner and span, from the first to the last.
    ///
    /// Exact while nobody changes the heap. Who reads without its lock may meet blocks
    /// that are being cut or coalesced, and an error that means no more than that.
    pub(crate) fn blocks(&self) -> Blocks<'a> {
        Blocks { heap: *self, next: HEAP_START, is_over: false }
    }

    /// How much is free. While others change the heap without a pause: about how much.
    pub(crate) fn facts(&self) -> Result<Facts> {
        for _ in 0..LOOKS {
            let before = self.control.heap.changes();
            let facts = self.look();
            // Acquire: a word that was changed while we looked shows its change below.
            fence(Acquire);
            if before.is_some() && self.control.heap.changes() == before {
                return facts;
            }
        }
        let free = self.control.free.load(Relaxed);
        Ok(self.look().unwrap_or(Facts { free, largest: 0 }))
    }

    fn look(&self) -> Result<Facts> {
        let control = self.control;
        let mut largest = 0;
        if let Some(bin) = control.bins.iter().rposition(|first| first.load(Relaxed) != 0) {
            // While others change the bin we may be led about in it, but not for ever.
            let most = (self.top()? - HEAP_START) / LEAST_SPAN;
            for free in self.bin(bin).take(most as usize) {
                largest = largest.max(free?.span);
            }
        }
        if let Some(list) = control.quick.iter().rposition(|first| first.load(Relaxed) != 0) {
            largest = largest.max(span_in_list(list));
        }
        Ok(Facts { free: control.free.load(Relaxed), largest })
    }
}

/// A walk over all blocks. It ends even if the memory is damaged: each step leads further
/// on, and not past `top`.
pub(crate) struct Blocks<'a> {
    heap: Heap<'a>,
    next: Offset,
    is_over: bool,
}

impl Blocks<'_> {
    fn step(&mut self) -> Result<Option<(Offset, Owner, u64)>> {
        if self.next == self.heap.top()? {
            return Ok(None);
        }
        let head = self.heap.head(self.next)?;
        let span = self.heap.span_of(self.next, head)?;
        // Acquire: what the owner did before it gave the block another owner.
        let Some(owner) = Owner::of_word(head.owner.load(Acquire)) else {
            return Err(corrupted("a block belongs to nobody who can be: the segment is damaged"));
        };
        let block = (self.next, owner, span);
        self.next += span;
        Ok(Some(block))
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<(Offset, Owner, u64)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step().transpose();
        self.is_over = !matches!(step, Some(Ok(_)));
        step
    }
}
