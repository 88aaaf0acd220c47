//! Blocks: what the space of a segment is cut into, one after the other without gaps.
//!
//! ```text
//!  offset  bytes  field
//!  0       8      owner   whose the block is: state in bits 63..60
//!                         FREE    in a bin; the block before it there in bits 59..0;
//!                                 its neighbours in space are not FREE
//!                         QUICK   free, in the quick list of its span
//!                         LIMBO   a participant's: {generation:32, slot:14} in bits 45..0
//!                         USED    linked to something: kind in bits 59..52
//!  8       8      span    bytes of the block, a multiple of 16; bit 0: the block before
//!                         it is FREE and has its span in its last 8 bytes
//!  16      ...    payload; of a FREE or QUICK block: the next one of its list
//! ```
//!
//! The owner says at every instant who may write the block: FREE and QUICK belong to who
//! holds the heap's lock, LIMBO to the participant, USED to who holds the lock of what it
//! is linked to. Its `span` changes under the heap's lock alone, whoever owns the rest.

use super::{Offset, shared};
use crate::platform::atomic::AtomicU64;

/// Spans and positions of blocks are multiples of this.
pub(crate) const GRAIN: u64 = 16;
/// Bytes before the payload.
pub(crate) const HEAD_BYTES: u64 = size_of::<BlockHead>() as u64;
/// The least block: room for the link of a free one, and its span at the end.
pub(crate) const LEAST_SPAN: u64 = 32;
/// The bit of `span` that says that the block before is FREE.
pub(crate) const AFTER_FREE: u64 = 1;

shared! {
    /// The head of a block.
    pub(crate) struct BlockHead: 16 {
        pub(crate) owner: AtomicU64,
        pub(crate) span: AtomicU64,
    }
}

/// What a used block is. The numbers are part of the layout, those of objects of the C
/// interface too.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A mutex that its owner cannot lock twice.
    Mutex = 1,
    /// A mutex that counts.
    RecursiveMutex = 2,
    /// A value.
    Value = 3,
    /// An array.
    Array = 4,
    /// A reader-writer lock.
    RwLock = 5,
    /// A semaphore that counts.
    Semaphore = 6,
    /// A semaphore whose permits name their holders.
    TrackedSemaphore = 7,
    /// A condition variable.
    Condvar = 8,
    /// An event.
    Event = 9,
    /// A barrier.
    Barrier = 10,
    /// A latch.
    Latch = 11,
    /// A lock that processes hold.
    Lock = 12,
    /// A ring for one producer and one consumer.
    Spsc = 13,
    /// A ring of lanes, one for each producer, for one consumer.
    Fanin = 14,
    /// A ring for many producers and many consumers.
    Mpmc = 15,
    /// A page of a member's holds; not an object.
    Holds = 0xfe,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Mutex,
            2 => Self::RecursiveMutex,
            3 => Self::Value,
            4 => Self::Array,
            5 => Self::RwLock,
            6 => Self::Semaphore,
            7 => Self::TrackedSemaphore,
            8 => Self::Condvar,
            9 => Self::Event,
            10 => Self::Barrier,
            11 => Self::Latch,
            12 => Self::Lock,
            13 => Self::Spsc,
            14 => Self::Fanin,
            15 => Self::Mpmc,
            0xfe => Self::Holds,
            _ => return None,
        })
    }

    /// Whether users can name and open it.
    pub(crate) fn is_object(self) -> bool {
        self != Self::Holds
    }

    /// What messages call one of them.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Mutex => "a mutex",
            Self::RecursiveMutex => "a recursive mutex",
            Self::Value => "a value",
            Self::Array => "an array",
            Self::RwLock => "a reader-writer lock",
            Self::Semaphore => "a semaphore",
            Self::TrackedSemaphore => "a tracked semaphore",
            Self::Condvar => "a condvar",
            Self::Event => "an event",
            Self::Barrier => "a barrier",
            Self::Latch => "a latch",
            Self::Lock => "a lock",
            Self::Spsc => "a spsc",
            Self::Fanin => "a fanin",
            Self::Mpmc => "a mpmc",
            Self::Holds => "a page of holds",
        }
    }

    /// The same without the article.
    pub(crate) fn noun(self) -> &'static str {
        self.one().split_once(' ').expect("an article and a noun").1
    }
}

/// Whose a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody's, in a bin, coalesced with its neighbours.
    Free,
    /// Nobody's, in the quick list of its span.
    Quick,
    /// A participant's.
    Limbo(ParticipantId),
    /// Linked to something.
    Used(Kind),
}

/// One owner of one slot of the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParticipantId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

const STATE_SHIFT: u32 = 60;
const KIND_SHIFT: u32 = 52;
const SLOT_BITS: u32 = 14;
const FREE: u64 = 1;
const QUICK: u64 = 2;
const LIMBO: u64 = 3;
const USED: u64 = 4;

impl Owner {
    pub(crate) fn to_word(self) -> u64 {
        match self {
            Self::Free => FREE << STATE_SHIFT,
            Self::Quick => QUICK << STATE_SHIFT,
            Self::Limbo(ParticipantId { slot, generation }) => {
                LIMBO << STATE_SHIFT | u64::from(generation) << SLOT_BITS | u64::from(slot)
            }
            Self::Used(kind) => USED << STATE_SHIFT | (kind as u64) << KIND_SHIFT,
        }
    }

    /// What a word means; `None` if no block has such a word.
    pub(crate) fn of_word(word: u64) -> Option<Self> {
        let owner = match word >> STATE_SHIFT {
            FREE => return previous_free(word).map(|_| Self::Free),
            QUICK => Self::Quick,
            LIMBO => Self::Limbo(ParticipantId {
                slot: word as u32 & ((1 << SLOT_BITS) - 1),
                generation: (word >> SLOT_BITS) as u32,
            }),
            USED => Self::Used(Kind::of((word >> KIND_SHIFT) as u8)?),
            _ => return None,
        };
        (owner.to_word() == word).then_some(owner)
    }
}

/// The owner of a FREE block that comes after `previous` in its bin; 0: it is the first.
#[inline]
pub(crate) fn free_after(previous: Offset) -> u64 {
    FREE << STATE_SHIFT | previous
}

/// The block before it in its bin, if a word is the owner of a FREE block.
#[inline]
pub(crate) fn previous_free(word: u64) -> Option<Offset> {
    let previous = word ^ FREE << STATE_SHIFT;
    (previous >> STATE_SHIFT == 0 && previous.is_multiple_of(GRAIN)).then_some(previous)
}

/// Where the head's words lie in a block.
pub(crate) const OWNER: Offset = core::mem::offset_of!(BlockHead, owner) as Offset;
/// Likewise.
pub(crate) const SPAN: Offset = core::mem::offset_of!(BlockHead, span) as Offset;
/// Where a block in a list has the next one.
pub(crate) const NEXT: Offset = HEAD_BYTES;
