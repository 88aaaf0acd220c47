//! Objects as the list of a segment shows them.

use core::ffi::c_char;

use super::guard::c_text;
use super::types::atoll_type;
use crate::layout::block::Kind;
use crate::object::segment::{MAX_DIMENSIONS, ObjectInfo};

/// The most dimensions of an array.
pub const ATOLL_MAX_DIMENSIONS: usize = 32;

/// A mutex.
pub const ATOLL_KIND_MUTEX: u32 = 1;
/// A mutex that its holder may lock again.
pub const ATOLL_KIND_RECURSIVE_MUTEX: u32 = 2;
/// A value.
pub const ATOLL_KIND_VALUE: u32 = 3;
/// An array.
pub const ATOLL_KIND_ARRAY: u32 = 4;
/// A reader-writer lock.
pub const ATOLL_KIND_RWLOCK: u32 = 5;
/// A semaphore that counts.
pub const ATOLL_KIND_SEMAPHORE: u32 = 6;
/// A semaphore whose permits name their holders.
pub const ATOLL_KIND_TRACKED_SEMAPHORE: u32 = 7;
/// A condition variable.
pub const ATOLL_KIND_CONDVAR: u32 = 8;
/// An event.
pub const ATOLL_KIND_EVENT: u32 = 9;
/// A barrier.
pub const ATOLL_KIND_BARRIER: u32 = 10;
/// A latch.
pub const ATOLL_KIND_LATCH: u32 = 11;
/// A lock that processes hold.
pub const ATOLL_KIND_LOCK: u32 = 12;
/// A ring for one producer and one consumer.
pub const ATOLL_KIND_SPSC: u32 = 13;
/// A ring of lanes, one for each producer, for one consumer.
pub const ATOLL_KIND_FANIN: u32 = 14;
/// A ring for many producers and many consumers.
pub const ATOLL_KIND_MPMC: u32 = 15;

// Numbers of the layers below, spelled out for the header.
const _: () = {
    assert!(ATOLL_MAX_DIMENSIONS == MAX_DIMENSIONS);
    assert!(ATOLL_KIND_MUTEX == Kind::Mutex as u32);
    assert!(ATOLL_KIND_RECURSIVE_MUTEX == Kind::RecursiveMutex as u32);
    assert!(ATOLL_KIND_VALUE == Kind::Value as u32);
    assert!(ATOLL_KIND_ARRAY == Kind::Array as u32);
    assert!(ATOLL_KIND_RWLOCK == Kind::RwLock as u32);
    assert!(ATOLL_KIND_SEMAPHORE == Kind::Semaphore as u32);
    assert!(ATOLL_KIND_TRACKED_SEMAPHORE == Kind::TrackedSemaphore as u32);
    assert!(ATOLL_KIND_CONDVAR == Kind::Condvar as u32);
    assert!(ATOLL_KIND_EVENT == Kind::Event as u32);
    assert!(ATOLL_KIND_BARRIER == Kind::Barrier as u32);
    assert!(ATOLL_KIND_LATCH == Kind::Latch as u32);
    assert!(ATOLL_KIND_LOCK == Kind::Lock as u32);
    assert!(ATOLL_KIND_SPSC == Kind::Spsc as u32);
    assert!(ATOLL_KIND_FANIN == Kind::Fanin as u32);
    assert!(ATOLL_KIND_MPMC == Kind::Mpmc as u32);
};

/// What a segment knows of one object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_object_info {
    /// One of ATOLL_KIND_MUTEX to ATOLL_KIND_MPMC; more will come.
    pub kind: u32,
    /// Dimensions of an array, else 0.
    pub ndim: u32,
    /// Which user of its place in the segment it is.
    pub generation: u64,
    /// Bytes that it takes, its own bookkeeping included.
    pub bytes: u64,
    /// The type of a value, of the elements of an array, or of the records of a ring; code 0
    /// for others.
    pub r#type: atoll_type,
    /// Elements along each dimension; 0 past the last.
    pub shape: [u64; ATOLL_MAX_DIMENSIONS],
    /// The name, ended by NUL; "" for an object without one.
    pub name: [c_char; 64],
}

/// The type of an object that has none.
const NO_TYPE: atoll_type =
    atoll_type { struct_size: 0, code: 0, size: 0, align: 0, reserved: 0, format: [0; 64] };

impl From<&ObjectInfo> for atoll_object_info {
    fn from(object: &ObjectInfo) -> Self {
        Self {
            kind: object.kind,
            ndim: object.ndim,
            generation: object.generation,
            bytes: object.bytes,
            r#type: object.ty.as_ref().map_or(NO_TYPE, atoll_type::from),
            shape: object.shape,
            name: c_text(&object.name),
        }
    }
}
