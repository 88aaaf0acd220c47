//! The bytes of a segment at one moment, and what they become when everybody in it dies
//! at that moment.
//!
//! The kernel frees what it knew of a dead process: its byte of the file (nobody holds one
//! of a copy), and the mutexes in its robust list, of which the library has one for each
//! thread: the liveness words. This file alone knows where they lie.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::golden::{field, size_of};
use crate::world::SEGMENT_SIZE;

const PAGE: usize = 4096;
const WORD: usize = 8;
/// Liveness words at the beginning of a block of the roster, and the bytes of each's mutex.
const BLOCK_SLOTS: usize = 32;
const LIVENESS_BYTES: usize = 64;

/// What one instruction changed.
pub(crate) struct Change {
    /// Its address.
    pub(crate) instruction: u64,
    pub(crate) offset: usize,
    /// The new bytes.
    pub(crate) bytes: Vec<u8>,
}

/// A segment's bytes.
#[derive(Clone)]
pub(crate) struct Image {
    bytes: Vec<u8>,
    /// Which pages have anything in them.
    written: Vec<bool>,
    fingerprint: u64,
}

impl Image {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let written = bytes.chunks(PAGE).map(|page| *page != [0; PAGE]).collect();
        let mut image = Self { bytes: bytes.to_vec(), written, fingerprint: 0 };
        let pages: Vec<usize> = image.written_pages().map(|(number, _)| number).collect();
        let words = pages.iter().flat_map(|page| page * PAGE / WORD..(page + 1) * PAGE / WORD);
        image.fingerprint = words.fold(0, |sum, word| sum ^ image.trace(word));
        image
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        let end = change.offset + change.bytes.len();
        let words = change.offset / WORD..end.div_ceil(WORD);
        self.fingerprint ^= words.clone().fold(0, |sum, word| sum ^ self.trace(word));
        self.bytes[change.offset..end].copy_from_slice(&change.bytes);
        self.fingerprint ^= words.fold(0, |sum, word| sum ^ self.trace(word));
        self.written[change.offset / PAGE] = true;
        self.written[(end - 1) / PAGE] = true;
    }

    /// A number that two different states hardly share.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// What a word adds to the fingerprint: nothing if it is 0.
    fn trace(&self, word: usize) -> u64 {
        let content =
            u64::from_ne_bytes(self.bytes[word * WORD..][..WORD].try_into().expect("a word"));
        if content == 0 {
            return 0;
        }
        let mut mix = content ^ (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            mix = (mix ^ mix >> 29).wrapping_mul(factor);
        }
        mix ^ mix >> 32
    }

    /// Makes it a segment in which nobody is alive any more.
    pub(crate) fn become_segment_of_the_dead(&self, path: &Path) -> Result<(), String> {
        let write = || -> io::Result<()> {
            let file = File::create(path)?;
            file.set_len(SEGMENT_SIZE as u64)?;
            for (number, page) in self.written_pages() {
                file.write_all_at(page, (number * PAGE) as u64)?;
            }
            for (place, word) in self.liveness_words_of_the_dead() {
                file.write_all_at(&word.to_ne_bytes(), place as u64)?;
            }
            Ok(())
        };
        write().map_err(|e| format!("{}: {e}", path.display()))
    }

    fn written_pages(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.bytes.chunks(PAGE).enumerate().filter(|(number, _)| self.written[*number])
    }

    /// The words of all who live, and what the kernel stores there when they die.
    fn liveness_words_of_the_dead(&self) -> impl Iterator<Item = (usize, u32)> {
        // Before the first thread has come, nobody knows where libc keeps the word.
        let word = (self.u32_at(field("Header", "word_offset")) as usize).checked_sub(1);
        let slots = word.into_iter().flat_map(move |word| {
            let in_block =
                move |block| (0..BLOCK_SLOTS).map(move |slot| block + slot * LIVENESS_BYTES + word);
            self.roster_blocks().flat_map(in_block)
        });
        slots.filter_map(|place| {
            let word = self.u32_at(place);
            let lives = word & libc::FUTEX_TID_MASK != 0;
            lives.then_some((place, word & libc::FUTEX_WAITERS | libc::FUTEX_OWNER_DIED))
        })
    }

    /// Where the blocks of the roster begin, of which the liveness words come first. They
    /// lie at the end of the file, one before the other.
    fn roster_blocks(&self) -> impl Iterator<Item = usize> {
        let roster = roster_bytes(&self.bytes).min(SEGMENT_SIZE);
        (SEGMENT_SIZE - roster..SEGMENT_SIZE).step_by(roster_block())
    }

    fn u32_at(&self, place: usize) -> u32 {
        u32_at(&self.bytes, place)
    }
}

/// The bytes of a block of the roster.
pub(crate) fn roster_block() -> usize {
    size_of("Block")
}

/// How many bytes the roster takes at the end of a segment, of which these are the first
/// page at least.
pub(crate) fn roster_bytes(segment: &[u8]) -> usize {
    u32_at(segment, field("Header", "block_count")) as usize * roster_block()
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from_ne_bytes(bytes[place..place + 4].try_into().expect("four bytes"))
}
