//! What is compared. Each row says what it needs, and what of it is missing.

mod heap;
mod mutex;
mod python;
mod recovery;
mod segment;
mod transaction;

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
pub const PLANS: &[Plan] = &[
    mutex::UNCONTENDED,
    mutex::UNCONTENDED_CPP,
    mutex::CONTENDED,
    recovery::PLAN,
    transaction::TWO_WORDS,
    heap::ALONE,
    heap::CONTENDED,
    heap::MALLOC,
    python::LOCK,
    python::LOCK_CTYPES,
    python::WITH,
    python::WITH_CTYPES,
    python::CONTENDED,
    python::CONTENDED_CTYPES,
    python::LOCKED_ADD,
    python::LOCKED_ADD_CTYPES,
    python::ATOMIC_ADD,
    python::ATOMIC_ADD_CTYPES,
    python::READ,
    python::READ_CTYPES,
    python::SLICE,
    python::SLICE_CTYPES,
    python::IMPORT,
    python::IMPORT_CTYPES,
    segment::ATTACH,
    segment::EMPTY,
];

/// A segment of this run; lanes that make one remove it.
fn segment_name(what: &str) -> String {
    format!("{}{what}", prefix())
}

fn prefix() -> String {
    format!("atoll-bench-{}-", std::process::id())
}

/// Removes what lanes that broke have left.
pub fn sweep() {
    let directory = std::env::var("ATOLL_DIR").unwrap_or_else(|_| "/dev/shm".into());
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
