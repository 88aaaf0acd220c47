//! Locks, values and arrays in named shared memory, for C, C++, Python and Rust.
//!
//! A [`Segment`] is a named piece of POSIX shared memory. In it live objects that
//! any process may open by name: a [`Mutex`] that tells its next owner when the
//! last one died, a [`Value`] that is never torn, an [`Array`] that is plain
//! memory. A [`Transaction`] changes several of them together or not at all. There is
//! no server. Any process may be killed at any instruction; the others go on.
//!
//! The layers, each importing only from those before it: `platform`, `layout`,
//! `roster`, `sync`, `ring`, `segment`, `object`, `ffi`. `docs/architecture.md` says more.

mod error;
mod ffi;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod layout;
mod object;
mod platform;
mod ring;
mod roster;
mod segment;
mod sync;

pub use error::{Error, Result, Status};
pub use object::array::RawArray;
pub use object::barrier::{Arrival, Barrier, BarrierInfo};
pub use object::condvar::Condvar;
pub use object::event::Event;
pub use object::fanin::Fanin;
pub use object::latch::Latch;
pub use object::lock::Lock;
pub use object::mpmc::Mpmc;
pub use object::mutex::{Mutex, MutexGuard};
pub use object::places::Places;
pub use object::reserved::{Claimed, Shown};
pub use object::ring::{RingEnd, RingInfo, RingOptions, Waiting};
pub use object::rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use object::segment::{ObjectInfo, Segment, SegmentInfo, SegmentOptions};
pub use object::semaphore::{Semaphore, SemaphoreInfo, SemaphoreOptions};
pub use object::spsc::Spsc;
pub use object::ticket::Ticket;
pub use object::transaction::Transaction;
pub use object::typed::{Array, Value};
pub use object::types::{Element, Type, TypeCode};
pub use object::value::{FetchOp, RawValue};
pub use object::wait_any::{Waitable, wait_any};
pub use object::waiter::Waiter;
pub use platform::probe::Platform;
pub use platform::time::Deadline;
pub use roster::death::MemberInfo;
pub use sync::mutex::{Acquired, Owner};
