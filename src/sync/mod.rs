//! Who may go, who must wait.
//!
//! Plain structs over shared words and a roster; none knows where it lies or what
//! it guards.

mod actor;
pub(crate) mod barrier;
pub(crate) mod bed;
pub(crate) mod bell;
pub(crate) mod condvar;
mod contender;
mod crowd;
pub(crate) mod deaths;
pub(crate) mod event;
mod gate;
pub(crate) mod guarded;
pub(crate) mod holders;
pub(crate) mod latch;
pub(crate) mod lending;
pub(crate) mod lock;
pub(crate) mod marks;
pub(crate) mod mutex;
pub(crate) mod node;
mod owner;
pub(crate) mod party;
pub(crate) mod role;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod side;
pub(crate) mod tracked;
pub(crate) mod wait;
pub(crate) mod waitable;
