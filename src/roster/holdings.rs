//! What this process holds in one segment, object by object.
//!
//! Private to the process; the same holds are written down in the segment, where others
//! find them if the process dies. What the places mean is known by the layer above.

use std::collections::HashMap;

use crate::layout::Offset;

/// The objects that the process has open, and where it has noted so.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// By the object's entry.
    pub(crate) held: HashMap<Offset, Held>,
    /// Places in our pages that are vacant.
    pub(crate) vacant: Vec<Place>,
    /// Objects without handles that are still held, because a transaction was open when the
    /// last one went and may put something back into them.
    pub(crate) kept: Vec<Offset>,
    /// They are a former member's: of the parent, which has not handed them over to this
    /// forked child, or of this process before it left. They are to be taken anew, at the
    /// first call.
    pub(crate) inherited: bool,
}

/// One object that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Handles to it.
    pub(crate) handles: u64,
    /// Which object it is, if its block is used again.
    pub(crate) generation: u64,
    pub(crate) place: Place,
}

/// An entry of a page of holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) page: Offset,
    pub(crate) index: u32,
}
