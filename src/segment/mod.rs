//! Named memory: how a segment is born, found, grown, searched and checked.
//!
//! What the records hold is not known here; `object` gives them their meaning.

pub(crate) mod birth;
pub(crate) mod directory;
pub(crate) mod fingerprint;
pub(crate) mod space;
pub(crate) mod verify;
