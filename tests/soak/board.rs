//! What workers and the director tell each other, in an array of the segment itself.

use atoll::{Array, Segment, SegmentOptions, Value};

pub(crate) const SEGMENT: &str = "soak";
pub(crate) const WORKERS: u64 = 6;
pub(crate) const ACCOUNTS: u64 = 6;

/// Counters that everybody adds to.
pub(crate) const COUNTERS: [&str; 7] =
    ["sections", "threads", "forks", "audits", "deaths met", "long waits", "longest wait"];
pub(crate) const SECTIONS: usize = 0;
pub(crate) const THREADS: usize = 1;
pub(crate) const FORKS: usize = 2;
pub(crate) const AUDITS: usize = 3;
pub(crate) const DEATHS_MET: usize = 4;
pub(crate) const LONG_WAITS: usize = 5;
/// In microseconds.
pub(crate) const LONGEST_WAIT: usize = 6;

pub(crate) struct Board {
    /// 1 when the workers are to leave.
    pub(crate) is_over: Value<u64>,
    /// How often something was seen that must not be.
    pub(crate) violations: Value<u64>,
    pub(crate) counters: Vec<Value<u64>>,
    /// Operations of each worker since it began.
    pub(crate) progress: Array<u64>,
    /// Who is inside each mutex: the accounts', the recursive one, the busy one.
    pub(crate) inside: Array<u64>,
}

impl Board {
    /// The board, made by the director.
    pub(crate) fn create(segment: &Segment) -> atoll::Result<Self> {
        for (name, length) in [("progress", WORKERS), ("inside", ACCOUNTS + 2)] {
            Array::<u64>::create(segment, Some(name), &[length])?;
        }
        Self::open(segment)
    }

    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let value = |name: &str| Value::<u64>::open_or_create(segment, name);
        Ok(Self {
            is_over: value("is over")?,
            violations: value("violations")?,
            counters: COUNTERS.into_iter().map(value).collect::<atoll::Result<_>>()?,
            progress: Array::open(segment, "progress")?,
            inside: Array::open(segment, "inside")?,
        })
    }

    pub(crate) fn add(&self, counter: usize, count: u64) {
        self.counters[counter].fetch(atoll::FetchOp::Add, count).expect("a counter");
    }

    /// Writes down what must not be. The director ends everything then.
    pub(crate) fn accuse(&self, what: &str) {
        eprintln!("soak: VIOLATION: {what}");
        self.violations.fetch(atoll::FetchOp::Add, 1).expect("a counter");
    }
}

pub(crate) fn open_segment() -> Segment {
    Segment::open(SEGMENT, &SegmentOptions::default()).expect("the segment")
}
