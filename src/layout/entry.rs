//! Objects: blocks that users can open. (Kinds and owners are told in `block`.)
//!
//! ```text
//!  offset  bytes  field
//!  0       16     the block's head
//!  16      8      next         offset of the next entry of the same hash chain
//!  24      8      generation   of the object; never used twice in a segment
//!  32      8      holders      members that hold it, and tickets for it
//!  40      4      name_length  0: anonymous
//!  44      4      name_hash
//!  48      8      body_bytes
//!  56      8      removed      1: it had a name, and goes with its last holder
//!  64      64     name         UTF-8, zero-padded; only of a named one
//!  64/128  ...    body         on a cache line of its own
//! ```
//!
//! Everything but `next`, `holders` and `removed` is final before the object can be found;
//! these change under the directory's lock.

use super::block::BlockHead;
use super::{Offset, shared};
use crate::platform::atomic::{AtomicU32, AtomicU64};

/// Objects begin at multiples of this, and so do their bodies.
pub(crate) const LINE: u64 = 64;
/// Bytes of the longest object name.
pub(crate) const LONGEST_NAME: usize = 63;
/// Bytes of the name's place.
pub(crate) const NAME_BYTES: u64 = 64;

shared! {
    /// The head of an object.
    pub(crate) struct Entry: 64 {
        pub(crate) block: BlockHead,
        pub(crate) next: AtomicU64,
        pub(crate) generation: AtomicU64,
        pub(crate) holders: AtomicU64,
        pub(crate) name_length: AtomicU32,
        pub(crate) name_hash: AtomicU32,
        pub(crate) body_bytes: AtomicU64,
        pub(crate) removed: AtomicU64,
    }
}

/// Bytes of an entry without its name.
pub(crate) const ENTRY_BYTES: u64 = size_of::<Entry>() as u64;

/// Where the body of an object at `entry` begins.
pub(crate) fn body_of(entry: Offset, is_named: bool) -> Offset {
    entry + ENTRY_BYTES + if is_named { NAME_BYTES } else { 0 }
}
