//! Who takes part, and who is dead.
//!
//! A process that has a segment open for writing is a *member*; each of its
//! threads that made a call there is a *participant* and has a *seat*. Both have
//! records in the segment (`record`). The kernel says who is dead (`death`); pids,
//! thread ids and time-outs never do.
//!
//! Nothing here knows what a segment holds. What has to be done there for somebody who
//! comes, forks or is gone is told by the layer above (`attachment::Ground`).

pub(crate) mod attachment;
pub(crate) mod claims;
pub(crate) mod death;
pub(crate) mod fork;
pub(crate) mod holdings;
pub(crate) mod home;
pub(crate) mod journal;
pub(crate) mod leave;
pub(crate) mod listening;
pub(crate) mod member;
pub(crate) mod participant;
pub(crate) mod record;
pub(crate) mod thread;
