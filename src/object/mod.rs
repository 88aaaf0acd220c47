//! What users open by name. Safe Rust on top of the layers below.

pub(crate) mod array;
pub(crate) mod barrier;
mod cell;
pub(crate) mod condvar;
pub(crate) mod event;
pub(crate) mod fanin;
pub(crate) mod lanes;
mod lanes_calls;
mod lanes_methods;
#[cfg(test)]
mod lanes_tests;
mod lanes_waits;
mod large;
pub(crate) mod latch;
pub(crate) mod lock;
pub(crate) mod mpmc;
mod mpmc_calls;
#[cfg(test)]
mod mpmc_in_place_tests;
#[cfg(test)]
mod mpmc_message_tests;
mod mpmc_messages;
mod mpmc_places;
pub(crate) mod mpmc_ring;
#[cfg(test)]
mod mpmc_tests;
mod mpmc_waits;
pub(crate) mod mutex;
pub(crate) mod places;
pub(crate) mod reserved;
pub(crate) mod ring;
pub(crate) mod ring_calls;
pub(crate) mod rwlock;
pub(crate) mod segment;
pub(crate) mod semaphore;
mod share;
pub(crate) mod spsc;
pub(crate) mod ticket;
pub(crate) mod transaction;
pub(crate) mod typed;
pub(crate) mod types;
pub(crate) mod value;
pub(crate) mod wait_any;
pub(crate) mod waiter;
