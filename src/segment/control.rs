//! The page that rules the space: the heap's lock and lists, and the directory's lock.
//!
//! ```text
//!  offset  bytes  field
//!  0       640    heap        lock and log of everything about blocks
//!  640     640    directory   lock and log of names, holders and holds
//!  1280    8      top         where the blocks end; memory behind it is not formatted
//!  1288    8      free        bytes of all free blocks, headers included
//!  1296    8      touched     memory from here to `top` was never given to anybody
//!  1304    8      top_mark    whether the last block is FREE, as the span after it would say
//!  1312    32     reserved
//!  1344    32     occupied    a bit for each bin that is not empty
//!  1376    256    quick       heads of the quick lists
//!  1632    1664   bins        heads of the bins
//! ```

use crate::error::Result;
use crate::layout::header::CONTROL_START;
use crate::layout::memory::Memory;
use crate::layout::shared;
use crate::platform::atomic::AtomicU64;
use crate::sync::guarded::GuardedBody;

/// Quick lists, one for each span.
pub(crate) const QUICK_LISTS: usize = 32;
/// Bins of free blocks.
pub(crate) const BINS: usize = 208;

shared! {
    /// The third page of a segment; see the module's picture.
    pub(crate) struct Control: 4096 {
        pub(crate) heap: GuardedBody,
        pub(crate) directory: GuardedBody,
        pub(crate) top: AtomicU64,
        pub(crate) free: AtomicU64,
        pub(crate) touched: AtomicU64,
        pub(crate) top_mark: AtomicU64,
        pub(crate) reserved: [u64; 4],
        pub(crate) occupied: [AtomicU64; 4],
        pub(crate) quick: [AtomicU64; 32],
        pub(crate) bins: [AtomicU64; 208],
        pub(crate) unused: [u64; 100],
    }
}

impl Control {
    /// The control page of a segment.
    pub(crate) fn of(memory: &Memory) -> Result<&Self> {
        memory.at(CONTROL_START)
    }
}

/// Where a word of the control page lies in the segment.
#[cfg(test)]
macro_rules! control_word {
    ($($field:tt)+) => {
        $crate::layout::header::CONTROL_START
            + core::mem::offset_of!($crate::segment::control::Control, $($field)+) as u64
    };
}
#[cfg(test)]
pub(crate) use control_word;
