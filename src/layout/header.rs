//! The first page of a segment.
//!
//! ```text
//!  offset  bytes  field
//!  0       8      magic             "ATOLLSEG"; what is not there is not ours
//!  8       4      layout_version    of this page and of all that follows
//!  12      4      flags             constant
//!  16      8      fingerprint       of all shared structs
//!  24      8      size              the most that the file may use; constant
//!  32      8      identity          random; tells segments apart in caches
//!  40      4      max_participants  constant
//!  44      4      word_offset       where libc keeps a mutex's futex word, plus one
//!  48      8      committed         bytes from the start that are real memory
//!  56      8      death_epoch       members that were found dead; futex
//!  64      8      generations       numbers of objects and tickets given out
//!  72      4      block_count       roster blocks published
//!  76      4      next_slot         where the search for a free slot begins
//!  80      4      next_member       where the search for a free member begins
//!  84      4      destroyed         1: nobody may come in any more
//!  88      4      bells             1: somebody has listened with a descriptor, and may have left
//!                                   a file beside the segment
//! ```
//!
//! The second page is the directory: the heads of its hash chains (`Buckets`). The third
//! rules the space (`segment::control`). From `HEAP_START` on blocks follow each other
//! (`block`). At the other end of the file, downwards, lie the blocks of the roster.

use super::{Offset, shared};
use crate::platform::atomic::{AtomicU32, AtomicU64};

/// The first eight bytes of every segment.
pub(crate) const MAGIC: [u8; 8] = *b"ATOLLSEG";
/// The version of the memory layout; any change of meaning raises it.
pub(crate) const LAYOUT_VERSION: u32 = 5;
/// Roster blocks that a segment can have.
pub(crate) const MAX_BLOCKS: usize = 512;
/// Bytes of each of them; they lie at the end of the file, the first one last.
pub(crate) const ROSTER_BLOCK_BYTES: u64 = 28 << 10;
/// Bytes at the beginning of each that libc owns.
pub(crate) const LIVENESS_BYTES: u64 = 4096;
/// Heads of hash chains in the directory.
pub(crate) const BUCKETS: usize = 512;

shared! {
    /// The first page; see the module's picture.
    pub(crate) struct Header: 4096 {
        pub(crate) magic: [u8; 8],
        pub(crate) layout_version: u32,
        pub(crate) flags: u32,
        pub(crate) fingerprint: u64,
        pub(crate) size: u64,
        pub(crate) identity: u64,
        pub(crate) max_participants: u32,
        pub(crate) word_offset: AtomicU32,
        pub(crate) committed: AtomicU64,
        pub(crate) death_epoch: AtomicU64,
        pub(crate) generations: AtomicU64,
        pub(crate) block_count: AtomicU32,
        pub(crate) next_slot: AtomicU32,
        pub(crate) next_member: AtomicU32,
        pub(crate) destroyed: AtomicU32,
        pub(crate) bells: AtomicU32,
        pub(crate) unused: u32,
        pub(crate) reserved: [u64; 500],
    }
}

shared! {
    /// The second page: offset of the first entry of each chain, 0 for none.
    pub(crate) struct Buckets: 4096 {
        pub(crate) heads: [AtomicU64; 512],
    }
}

/// A bit of `flags`: the segment goes with its last member.
pub(crate) const EPHEMERAL: u32 = 1;

/// What a creator decides once and nobody changes.
pub(crate) struct Constants {
    pub(crate) flags: u32,
    pub(crate) fingerprint: u64,
    pub(crate) size: u64,
    pub(crate) identity: u64,
    pub(crate) max_participants: u32,
}

impl Header {
    /// A header of a segment in which nothing has happened yet.
    pub(crate) fn new(constants: Constants, committed: u64) -> Self {
        Self {
            magic: MAGIC,
            layout_version: LAYOUT_VERSION,
            flags: constants.flags,
            fingerprint: constants.fingerprint,
            size: constants.size,
            identity: constants.identity,
            max_participants: constants.max_participants,
            word_offset: AtomicU32::new(0),
            committed: AtomicU64::new(committed),
            death_epoch: AtomicU64::new(0),
            generations: AtomicU64::new(0),
            block_count: AtomicU32::new(0),
            next_slot: AtomicU32::new(0),
            next_member: AtomicU32::new(0),
            destroyed: AtomicU32::new(0),
            bells: AtomicU32::new(0),
            unused: 0,
            reserved: [0; 500],
        }
    }
}

/// Where the directory's chain heads lie.
pub(crate) const BUCKETS_START: Offset = size_of::<Header>() as Offset;
/// Where the page lies that rules the space.
pub(crate) const CONTROL_START: Offset = BUCKETS_START + size_of::<Buckets>() as Offset;
/// Where the blocks begin.
pub(crate) const HEAP_START: Offset = CONTROL_START + 4096;
