//! Named memory: how a segment is born, found, grown, searched and checked; what the dead
//! leave in it, and how it is settled.
//!
//! What the objects are is not known here; `object` gives them their meaning.

pub(crate) mod bells;
pub(crate) mod birth;
pub(crate) mod control;
pub(crate) mod directory;
pub(crate) mod estate;
pub(crate) mod fingerprint;
pub(crate) mod growth;
pub(crate) mod heap;
pub(crate) mod holding;
pub(crate) mod holds;
pub(crate) mod home;
pub(crate) mod limbo;
pub(crate) mod reclaim;
pub(crate) mod verify;
