//! What users open by name. Safe Rust on top of the layers below.

pub(crate) mod array;
pub(crate) mod barrier;
mod cell;
pub(crate) mod condvar;
pub(crate) mod event;
mod large;
pub(crate) mod latch;
pub(crate) mod lock;
pub(crate) mod mutex;
pub(crate) mod rwlock;
pub(crate) mod segment;
pub(crate) mod semaphore;
mod share;
pub(crate) mod ticket;
pub(crate) mod transaction;
pub(crate) mod typed;
pub(crate) mod types;
pub(crate) mod value;
pub(crate) mod wait_any;
pub(crate) mod waiter;
