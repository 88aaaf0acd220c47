//! What the roster keeps in the segment: blocks of 64 members and 64 participants.
//!
//! ```text
//!  a block, page-aligned
//!  offset  bytes  field
//!  0       4096   liveness      64 mutexes that libc owns, on a page of their own
//!  4096    8192   participants  64 records of 128 bytes
//!  12288   4096   members       64 records of 64 bytes
//! ```
//!
//! Slot `s` is record `s % 64` of block `s / 64`, for members and participants
//! alike; a member's index and its threads' slots have nothing to do with each
//! other.
//!
//! # Invariants
//!
//! - **M1** Who holds byte `m` of the file, and nobody else, writes member record `m`.
//! - **M2** A participant record belongs to the member that its `member` word names,
//!   until that word is 0 or that member is dead. Only the owner writes the record
//!   and locks its mutex.
//! - **M3** `generation` of a record changes only when a new owner takes it, before
//!   anything can name the new owner.

use crate::layout::shared;
use crate::platform::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::platform::robust::LivenessMutex;

/// Records of each sort in a block.
pub(crate) const BLOCK_SLOTS: u32 = 64;
/// Participants that a lock word can name: 14 bits, less the one that a free
/// word's stamp cannot express.
pub(crate) const MOST_PARTICIPANTS: u32 = (1 << 14) - 1;

shared! {
    /// A page-aligned group of records.
    pub(crate) struct Block: 16384 {
        pub(crate) liveness: [LivenessMutex; 64],
        pub(crate) participants: [ParticipantRecord; 64],
        pub(crate) members: [MemberRecord; 64],
    }
}

shared! {
    /// One thread of one member.
    pub(crate) struct ParticipantRecord: 128 {
        /// Counts the owners of the slot.
        pub(crate) generation: AtomicU32,
        /// Thread id in the owner's pid namespace, for people.
        pub(crate) tid: AtomicU32,
        /// The owning member (`MemberWord`), 0 when free.
        pub(crate) member: AtomicU64,
        /// The thread's name, for people.
        pub(crate) name: [AtomicU64; 2],
        pub(crate) reserved: [u64; 12],
    }
}

shared! {
    /// One process.
    pub(crate) struct MemberRecord: 64 {
        /// Counts the owners of the slot.
        pub(crate) generation: AtomicU32,
        /// One of `AWAY`, `JOINED`, `EXPECTED`.
        pub(crate) presence: AtomicU32,
        /// Process id in the owner's pid namespace, for people.
        pub(crate) pid: AtomicU32,
        /// Effective user id, for people.
        pub(crate) uid: AtomicU32,
        /// The death epoch in which this owner was found dead; 0 before that.
        pub(crate) died: AtomicU64,
        /// Inode of the owner's pid namespace, for people.
        pub(crate) namespace: AtomicU64,
        /// The name of the thread that joined, for people.
        pub(crate) name: [AtomicU64; 2],
        pub(crate) reserved: [u64; 2],
    }
}

/// Nobody, or somebody who left in good order.
pub(crate) const AWAY: u32 = 0;
/// A process that takes part. If its byte is free, it died.
pub(crate) const JOINED: u32 = 1;
/// Reserved by a process that is forking, for its child.
pub(crate) const EXPECTED: u32 = 2;

/// A member's identity in one word: generation and index plus one. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemberId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl MemberId {
    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index + 1)
    }

    /// The identity that a word names; `None` for 0.
    pub(crate) fn of_word(word: u64) -> Option<Self> {
        let index = (word as u32).checked_sub(1)?;
        Some(Self { index, generation: (word >> 32) as u32 })
    }
}

/// Stores a thread's name in two words.
pub(crate) fn store_name(words: &[AtomicU64; 2], name: [u8; 16]) {
    for (word, bytes) in words.iter().zip(name.chunks_exact(8)) {
        // Relaxed: for people; nothing depends on it.
        word.store(u64::from_le_bytes(bytes.try_into().expect("eight bytes")), Ordering::Relaxed);
    }
}

/// Reads it back.
pub(crate) fn load_name(words: &[AtomicU64; 2]) -> [u8; 16] {
    let mut name = [0; 16];
    for (word, bytes) in words.iter().zip(name.chunks_exact_mut(8)) {
        // Relaxed: for people; nothing depends on it.
        bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
    }
    name
}
