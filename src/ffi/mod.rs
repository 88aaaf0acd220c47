//! The C ABI: converts, calls down, converts back.
//!
//! These functions and their comments are the one truth about the interface: from
//! them come `include/atoll.h`, `python/atoll/_abi.py` and the fingerprint. So each
//! is written out by hand, whole, where the generators see it, and its comment is
//! the manual that C programmers read: plain text, the same field words everywhere.
//!
//! - `status`, `guard`: what every call answers, and the border it passes.
//! - `handle`, `limbo`: numbers that lead to objects, and when those may go.
//! - `argument`, `output`: where pointers of C become references, and results go out;
//!   `obtain`: what all nouns begin with.
//! - The rest is one file for each noun.
//!
//! A function is `unsafe` exactly if it reads or writes through a pointer of the
//! caller. One that takes only handles and numbers is safe with any values.

#![allow(non_camel_case_types, reason = "names that C sees are C's")]
#![allow(unreachable_pub, reason = "`pub` and `no_mangle` make an export, from any module")]

mod argument;
mod array;
mod barrier;
mod condvar;
mod event;
mod fanin;
mod fanin_records;
mod guard;
mod handle;
mod latch;
mod limbo;
mod lock;
mod mpmc;
mod mpmc_place;
mod mpmc_places;
mod mpmc_records;
mod mutex;
mod object;
mod obtain;
mod output;
mod place;
mod platform;
mod process;
mod ring;
mod ring_place;
mod rwlock;
mod segment;
mod semaphore;
mod spsc;
mod spsc_records;
mod status;
mod ticket;
mod transaction;
mod types;
mod value;
mod value_fetch;
mod wait_any;
mod waiter;
