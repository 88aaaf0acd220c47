//! The bodies of values and arrays. (A mutex's body is `sync::mutex::MutexBody`.)
//!
//! ```text
//!  a value of up to 8 bytes        a larger value                  an array
//!  0    type     128 bytes         0    type     128 bytes         0    type   128 bytes
//!  128  cell     8, own line       128  version  8, own line       128  ndim, length, bytes
//!                                  192  mutex    64                192  shape  8 * ndim, to 64
//!                                  256  copy 0   size, to 64       ...  elements, 64-aligned
//!                                  ...  copy 1   size, to 64
//! ```

use super::memory::Memory;
use super::{Offset, shared};
use crate::error::Result;
use crate::platform::atomic::AtomicU64;

shared! {
    /// The type of a value, or of an array's elements; constant once published.
    pub(crate) struct TypeRecord: 128 {
        pub(crate) code: u32,
        pub(crate) align: u32,
        pub(crate) size: u64,
        pub(crate) format: [u8; 64],
        pub(crate) reserved: [u64; 6],
    }
}

shared! {
    /// A value of up to 8 bytes. The cell's address is also that of the atomic of
    /// the value's own width.
    pub(crate) struct SmallValue: 192 {
        pub(crate) ty: TypeRecord,
        pub(crate) cell: AtomicU64,
        pub(crate) reserved: [u64; 7],
    }
}

shared! {
    /// A larger value: copy `version % 2` is current; a writer fills the other one.
    pub(crate) struct LargeValue: 192 {
        pub(crate) ty: TypeRecord,
        pub(crate) version: AtomicU64,
        pub(crate) reserved: [u64; 7],
    }
}

shared! {
    /// An array, before its shape; constant once published.
    pub(crate) struct ArrayHead: 192 {
        pub(crate) ty: TypeRecord,
        pub(crate) ndim: u32,
        pub(crate) reserved: u32,
        pub(crate) length: u64,
        pub(crate) bytes: u64,
        pub(crate) unused: [u64; 5],
    }
}

/// The most bytes of a value that one atomic holds.
pub(crate) const SMALL: u64 = 8;

/// Where in the body of a large value its mutex is.
pub(crate) const LARGE_MUTEX: u64 = size_of::<LargeValue>() as u64;

/// Where the mutex of the value at `body` is, if it is a large one.
pub(crate) fn mutex_in_value(memory: &Memory, body: Offset) -> Result<Option<Offset>> {
    let is_large = memory.at::<TypeRecord>(body)?.size > SMALL;
    Ok(is_large.then_some(body + LARGE_MUTEX))
}
