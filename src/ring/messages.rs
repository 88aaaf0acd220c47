//! Messages: records of any length, in cells of 64 bytes.
//!
//! A message takes as many cells as it needs, side by side, behind a head of 8 bytes: its length,
//! and how many cells it has. They are claimed by one exchange, so a message is whole or not
//! there. One that would go round the end of the ring begins anew at its start; the cells before
//! that are claimed with it, as *padding*, which whoever comes by steps over.
//!
//! The word of the first cell stands for the message. Those of the others stay FREE of this lap
//! until they are freed, and nobody looks at them: the head goes from first cell to first cell.
//!
//! # Invariants
//!
//! - **P1** A consumer frees the cells of a message from the second one on, and the first one
//!   last. So as long as that is FULL the rest is as it was written: the tail cannot pass it by a
//!   lap, so nobody can claim what was freed.
//! - **P2** What the head of a message says counts if the exchange that claims it succeeds: until
//!   then somebody else may have got it, and a producer may have written there.
//!
//! # If a process dies
//!
//! As in `mpmc`, cell by cell: before a message is published each of its cells becomes a TOMB,
//! padding too. After it was claimed, and before its first cell is free, it is an orphan.

use super::copy::Slots;
use super::mpmc::{By, DAMAGED, FREE, FULL, Found, Front, Mpmc, TIMES, word_of};
use super::plan::CELL;
use crate::error::Result;
use crate::platform::atomic::{
    Ordering::{Acquire, SeqCst},
    fence,
};
use crate::roster::claims::{self, Purpose};

/// Bytes of a message's head.
const HEAD: usize = 8;
/// In the head of padding: no message has that length.
const PADDING: u32 = u32::MAX;

/// Cells that were claimed for a message, some of them perhaps as padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    /// The first position that was claimed.
    pub(crate) first: u64,
    /// Where the message begins: `first`, or behind the padding.
    pub(crate) start: u64,
    /// How many the message has.
    pub(crate) n: u64,
}

impl Cells {
    /// The most bytes of a message in them.
    pub(super) fn most_bytes(self) -> usize {
        self.n as usize * CELL - HEAD
    }
}

/// What was found of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FoundMessage {
    /// One, claimed: where it begins, its cells, and its bytes.
    Message {
        position: u64,
        n: u64,
        bytes: usize,
    },
    /// The next one has so many bytes, and there is room for less.
    TooLarge(usize),
    Nothing,
    InFlight,
}

/// How many cells a message of that many bytes has.
pub(crate) fn cells_of(bytes: usize) -> u64 {
    (bytes + HEAD).div_ceil(CELL) as u64
}

impl Mpmc {
    /// The most bytes of one message: of half the ring, and what one claim can name.
    pub(crate) fn most_bytes(&self) -> usize {
        let most = (self.plan.capacity / 2).clamp(1, claims::MOST / 2);
        most as usize * CELL - HEAD
    }

    /// Claims cells for a message of that many bytes, which are not too many. `None`: there is
    /// no room.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn claim_cells(&self, by: By<'_>, bytes: usize) -> Result<Option<Cells>> {
        let n = cells_of(bytes);
        // Acquire, CLAIMED, here and below.
        let mut tail = self.head.tail.load(Acquire);
        loop {
            let to_end = self.plan.capacity - (tail & (self.plan.capacity - 1));
            let padding = if n > to_end { to_end } else { 0 };
            let taken = (tail..tail + padding + n).find(|position| {
                // Acquire, FREE.
                self.word(*position).load(Acquire) != word_of(*position, FREE)
            });
            let Some(taken) = taken else {
                by.claimant.announce(Purpose::Fill, tail, padding + n);
                // SeqCst, SAID; CLAIMED.
                let next = tail + padding + n;
                match self.head.tail.compare_exchange(tail, next, SeqCst, Acquire) {
                    Ok(_) => return Ok(Some(Cells { first: tail, start: tail + padding, n })),
                    Err(now) => tail = now,
                }
                continue;
            };
            let word = self.word(taken).load(Acquire);
            let now = self.head.tail.load(Acquire);
            if now != tail {
                tail = now;
                continue;
            }
            if word == word_of(taken, FREE) {
                continue; // freed meanwhile
            }
            by.claimant.withdraw();
            if !self.make_room(by, taken, word)? {
                return Ok(None);
            }
        }
    }

    /// Where the bytes of a claimed message go.
    pub(crate) fn message(&self, position: u64, bytes: usize) -> Slots {
        self.content(position, HEAD + bytes).part(HEAD, bytes)
    }

    /// Publishes a message that has been written, of at most as many bytes as were claimed for.
    pub(crate) fn publish_message(&self, cells: Cells, bytes: usize) {
        if cells.start != cells.first {
            self.write_head(cells.first, cells.start - cells.first, PADDING);
            // Release, FULL.
            self.publish(cells.first);
        }
        self.write_head(cells.start, cells.n, bytes as u32);
        self.publish(cells.start);
    }

    fn write_head(&self, position: u64, n: u64, bytes: u32) {
        let head = u64::from(bytes) << 32 | n;
        self.content(position, HEAD).write(&head.to_ne_bytes());
    }

    /// What the head of a message says: cells, and bytes. P2.
    fn read_head(&self, position: u64) -> (u64, u32) {
        let mut head = [0; HEAD];
        self.content(position, HEAD).read(&mut head);
        let head = u64::from_ne_bytes(head);
        (head & 0xffff_ffff, (head >> 32) as u32)
    }

    /// Gives up cells that were claimed.
    #[cold]
    pub(crate) fn bury_cells(&self, cells: Cells) {
        (cells.first..cells.start + cells.n).for_each(|position| self.bury(position));
    }

    /// Claims the next message, if it has at most `room` bytes.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn claim_message(&self, by: By<'_>, room: usize) -> Result<FoundMessage> {
        if let Some(found) = self.take_orphaned_message(by, room)? {
            return Ok(found);
        }
        // Acquire, CLAIMED, here and below.
        let mut head = self.head.head.load(Acquire);
        loop {
            // Acquire, FULL.
            let word = self.word(head).load(Acquire);
            if word & !TIMES != word_of(head, FULL) {
                match self.look_at_front(by, head, word)? {
                    Front::Again(now) => head = now,
                    Front::Found(Found::InFlight) => return Ok(FoundMessage::InFlight),
                    Front::Found(_) => return Ok(FoundMessage::Nothing),
                }
                continue;
            }
            let (n, bytes) = self.read_head(head);
            fence(Acquire); // P2: before the next load
            let now = self.head.head.load(Acquire);
            if now != head {
                head = now;
                continue;
            }
            // P2: it was there when the head was read, so it says what was written.
            if !self.is_head(head, n, bytes) {
                return Err(DAMAGED);
            }
            if bytes != PADDING && bytes as usize > room {
                by.claimant.withdraw();
                return Ok(FoundMessage::TooLarge(bytes as usize));
            }
            by.claimant.announce(Purpose::Empty, head, n);
            // SeqCst, SAID; CLAIMED.
            match self.head.head.compare_exchange(head, head + n, SeqCst, Acquire) {
                Err(now) => head = now,
                Ok(_) if bytes == PADDING => {
                    self.release_message(head, n);
                    self.suspect_putters();
                    head += n;
                }
                Ok(_) => {
                    self.note_depth_at_times(head);
                    return Ok(FoundMessage::Message { position: head, n, bytes: bytes as usize });
                }
            }
        }
    }

    /// Whether a head can be one.
    fn is_head(&self, position: u64, n: u64, bytes: u32) -> bool {
        let to_end = self.plan.capacity - (position & (self.plan.capacity - 1));
        let is_long_enough = bytes == PADDING || cells_of(bytes as usize) <= n;
        (1..=to_end).contains(&n) && is_long_enough
    }

    /// Takes over a message that a dead consumer has left, if there may be one.
    fn take_orphaned_message(&self, by: By<'_>, room: usize) -> Result<Option<FoundMessage>> {
        if !self.is_to_be_searched() {
            return Ok(None);
        }
        let mut too_large = None;
        let fits = |position| {
            let (n, bytes) = self.read_head(position);
            let is_head = self.is_head(position, n, bytes);
            if is_head && bytes != PADDING && bytes as usize > room {
                too_large = Some(FoundMessage::TooLarge(bytes as usize));
                return None;
            }
            is_head.then_some(n)
        };
        match self.take_orphan(by, fits)? {
            Some((position, n)) => {
                let (_, bytes) = self.read_head(position);
                if bytes == PADDING {
                    self.release_message(position, n);
                    self.suspect_putters();
                    return Ok(None);
                }
                Ok(Some(FoundMessage::Message { position, n, bytes: bytes as usize }))
            }
            None => Ok(too_large),
        }
    }

    /// Frees the cells of a message that has been read. P1.
    #[inline]
    pub(crate) fn release_message(&self, position: u64, n: u64) {
        for position in (position + 1..position + n).chain([position]) {
            self.release(position);
        }
    }
}
