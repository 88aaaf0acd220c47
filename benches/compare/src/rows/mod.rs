//! What is compared. Each row says what it needs, and what of it is missing.

mod mutex;
mod python;
mod recovery;
mod segment;

use crate::kit::Result;
use crate::kit::probe::Probe;
use crate::kit::row::{Row, Subject};
use crate::kit::workshop::Workshop;

/// What rows measure with.
pub struct Site {
    pub shop: Workshop,
    /// The two processors: the bench itself runs on the first.
    pub cpus: [usize; 2],
    pub probe: Probe,
}

/// One row to be measured.
pub struct Plan {
    pub subject: Subject,
    pub measure: fn(&mut Site, &Subject) -> Result<Row>,
}

/// In the order of the table.
pub const PLANS: [Plan; 7] = [
    mutex::UNCONTENDED,
    mutex::CONTENDED,
    recovery::PLAN,
    python::READ,
    python::SLICE,
    segment::ATTACH,
    segment::EMPTY,
];

/// A segment of this run; lanes that make one remove it.
fn segment_name(what: &str) -> String {
    format!("atoll-bench-{}-{what}", std::process::id())
}
