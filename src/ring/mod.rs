//! Moving records, without a lock and without a wait.
//!
//! Plain structs over shared words and slots; none knows where it lies. What they publish is
//! told to those who wait through the word of a `sync::side`.

pub(crate) mod copy;
pub(crate) mod in_place;
pub(crate) mod lane;
pub(crate) mod lanes;
pub(crate) mod messages;
pub(crate) mod mpmc;
pub(crate) mod orphans;
pub(crate) mod outlook;
mod pace;
pub(crate) mod plan;
pub(crate) mod reservations;
