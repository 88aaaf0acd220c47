//! Records: what follows the first two pages, one after the other, without gaps.
//!
//! ```text
//!  offset  bytes  field
//!  0       8      state        kind in bits 63..56, span in bytes below; 0: the end
//!  8       8      next         offset of the next entry of the same hash chain
//!  16      8      generation   of the object; never used twice in a segment
//!  24      4      name_length  0: anonymous
//!  28      4      name_hash
//!  32      32     reserved
//!  64      64     name         UTF-8, zero-padded
//!  128     span   body         what the kind says
//! ```
//!
//! # Invariants
//!
//! - **R1** Records cover `DATA_START..top` without a gap, where `top` is the first
//!   position whose state is 0 or which is not committed.
//! - **R2** The store of `state` publishes the record: before it nothing of the
//!   record means anything, after it everything but the chain's link is final.
//! - **R3** Spans are multiples of 64, so every body is aligned for a cache line.
//!
//! A filler has no more than its state.

use super::{Offset, shared};
use crate::platform::atomic::AtomicU64;

/// Spans and positions of records are multiples of this.
pub(crate) const GRAIN: u64 = 64;
/// Bytes of the longest object name.
pub(crate) const LONGEST_NAME: usize = 63;

shared! {
    /// The head of a record.
    pub(crate) struct Entry: 128 {
        pub(crate) state: AtomicU64,
        pub(crate) next: AtomicU64,
        pub(crate) generation: AtomicU64,
        pub(crate) name_length: u32,
        pub(crate) name_hash: u32,
        pub(crate) reserved: [u64; 4],
        pub(crate) name: [u8; 64],
    }
}

/// Bytes before the body.
pub(crate) const ENTRY_BYTES: u64 = size_of::<Entry>() as u64;

/// What a record is. The numbers are part of the layout and of the C interface.
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
    /// A block of the roster; not an object.
    RosterBlock = 0xfe,
    /// Bytes between records; not an object.
    Filler = 0xff,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Mutex,
            2 => Self::RecursiveMutex,
            3 => Self::Value,
            4 => Self::Array,
            0xfe => Self::RosterBlock,
            0xff => Self::Filler,
            _ => return None,
        })
    }

    /// Whether users can name and open it.
    pub(crate) fn is_object(self) -> bool {
        !matches!(self, Self::RosterBlock | Self::Filler)
    }

    /// What messages call one of them.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Mutex => "a mutex",
            Self::RecursiveMutex => "a recursive mutex",
            Self::Value => "a value",
            Self::Array => "an array",
            Self::RosterBlock => "a roster block",
            Self::Filler => "a filler",
        }
    }

    /// The same without the article.
    pub(crate) fn noun(self) -> &'static str {
        self.one().split_once(' ').expect("an article and a noun").1
    }
}

/// The word that publishes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) kind: Kind,
    pub(crate) span: Offset,
}

impl State {
    const SPAN_BITS: u32 = 56;

    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.kind as u8) << Self::SPAN_BITS | self.span
    }

    /// What a word means; `None` if no record has such a word.
    pub(crate) fn of_word(word: u64) -> Option<Self> {
        let span = word & ((1 << Self::SPAN_BITS) - 1);
        let kind = Kind::of((word >> Self::SPAN_BITS) as u8)?;
        let least = if kind == Kind::Filler { GRAIN } else { ENTRY_BYTES + GRAIN };
        (span >= least && span.is_multiple_of(GRAIN)).then_some(Self { kind, span })
    }
}
