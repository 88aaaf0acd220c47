//! What the roster keeps in the segment: blocks of 32 members and 32 participants.
//!
//! ```text
//!  a block, page-aligned
//!  offset  bytes  field
//!  0       4096   liveness      32 mutexes that libc owns, on a page of their own
//!  4096    22528  participants  32 records of 704 bytes
//!  26624   2048   members       32 records of 64 bytes
//! ```
//!
//! Block `b` ends `b` blocks before the end of the file. Slot `s` is record `s % 32` of
//! block `s / 32`, for members and participants alike; a member's index and its threads' slots have nothing to do with each
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

use crate::layout::header::{LIVENESS_BYTES, ROSTER_BLOCK_BYTES};
use crate::layout::shared;
use crate::layout::undo::UndoEntry;
use crate::platform::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::platform::robust::LivenessMutex;

/// Records of each sort in a block.
pub(crate) const BLOCK_SLOTS: u32 = 32;
/// Participants that a lock word can name: 14 bits, less the one that a free
/// word's stamp cannot express.
pub(crate) const MOST_PARTICIPANTS: u32 = (1 << 14) - 1;

shared! {
    /// A page-aligned group of records.
    pub(crate) struct Block: 28672 {
        pub(crate) liveness: [LivenessMutex; 32],
        unused: [u64; 256],
        pub(crate) participants: [ParticipantRecord; 32],
        pub(crate) members: [MemberRecord; 32],
    }
}

const _: () = assert!(size_of::<Block>() as u64 == ROSTER_BLOCK_BYTES);
const _: () = assert!(core::mem::offset_of!(Block, participants) as u64 == LIVENESS_BYTES);

/// Locks that one transaction can take.
pub(crate) const MOST_LOCKS: usize = 8;

/// One mark for each reader-writer lock that a thread reads (`sync::marks`).
pub(crate) type Marks = [AtomicU64; 8];

shared! {
    /// One thread of one member.
    pub(crate) struct ParticipantRecord: 704 {
        /// Counts the owners of the slot.
        pub(crate) generation: AtomicU32,
        /// Thread id in the owner's pid namespace, for people.
        pub(crate) tid: AtomicU32,
        /// The owning member (`MemberWord`), 0 when free.
        pub(crate) member: AtomicU64,
        /// The thread's name, for people.
        pub(crate) name: [AtomicU64; 2],
        /// The state of the log; its tag is the generation that the log, the hints and
        /// the locks belong to.
        pub(crate) state: AtomicU64,
        /// Who repairs this record after its owner's death, 0 for nobody.
        pub(crate) repairer: AtomicU64,
        /// The newest annex of the log.
        pub(crate) annex: AtomicU64,
        /// Set while more blocks are in limbo than there are hints.
        pub(crate) hints_lost: AtomicU64,
        /// Blocks that may be the owner's, in limbo.
        pub(crate) hints: [AtomicU64; 8],
        /// The locks of the owner's transaction: noted before they are taken, forgotten
        /// when they are free.
        pub(crate) locks: [AtomicU64; 8],
        /// The log.
        pub(crate) entries: [UndoEntry; 20],
        /// The condvar that the owner waits for.
        pub(crate) waiting: WaitNode,
        /// The condvar whose waiters the owner notifies.
        pub(crate) notifying: WaitNode,
        /// The reader-writer locks that the owner reads.
        pub(crate) marks: Marks,
        /// The barrier that the owner has arrived at.
        pub(crate) inside: WaitNode,
        /// What the owner is about to do to a ring (`claims`).
        pub(crate) claim: RingClaim,
        reserved: u64,
    }
}

// Other people's programs find the claim behind the marks (`ffi::mpmc_place`).
const _: () = assert!(
    core::mem::offset_of!(ParticipantRecord, claim)
        == core::mem::offset_of!(ParticipantRecord, marks) + 96
);

shared! {
    /// Positions of a ring that a thread claims (`claims`).
    pub(crate) struct RingClaim: 24 {
        pub(crate) object: AtomicU64,
        pub(crate) place: AtomicU64,
        pub(crate) claim: AtomicU64,
    }
}

shared! {
    /// A thread among those who take part in something, each known by itself (`sync::node`).
    pub(crate) struct WaitNode: 32 {
        /// Whose it is and what it means; the low half is a futex.
        pub(crate) state: AtomicU64,
        /// Its place among the others.
        pub(crate) ticket: AtomicU64,
        /// The generation of the object.
        pub(crate) object: AtomicU64,
        /// Where the object's entry is.
        pub(crate) place: AtomicU64,
    }
}

shared! {
    /// One process.
    pub(crate) struct MemberRecord: 64 {
        /// Counts the owners of the slot.
        pub(crate) generation: AtomicU32,
        /// One of `AWAY`, `JOINED`, `EXPECTED`, `PARTING`.
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
        /// The newest page of holds; changes under the directory's lock.
        pub(crate) holds: AtomicU64,
        /// The generation that the holds belong to; likewise.
        pub(crate) holds_generation: AtomicU64,
    }
}

/// Nobody, or somebody who left in good order.
pub(crate) const AWAY: u32 = 0;
/// A process that takes part. If its byte is free, it died.
pub(crate) const JOINED: u32 = 1;
/// Reserved by a process that is forking, for its child.
pub(crate) const EXPECTED: u32 = 2;
/// Left in good order, though the process goes on and holds its byte until it ends.
pub(crate) const PARTING: u32 = 3;

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
