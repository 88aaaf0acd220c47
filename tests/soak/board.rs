//! What workers and the director tell each other, in an array of the segment itself.

use std::time::{Duration, Instant};

use atoll::{Array, FetchOp, Segment, SegmentOptions, Value};

pub(crate) const SEGMENT: &str = "soak";
pub(crate) const WORKERS: u64 = 6;
pub(crate) const ACCOUNTS: u64 = 6;
pub(crate) const VAULTS: u64 = 4;

/// Who is inside which mutex: the accounts', then these.
pub(crate) const RECURSIVE: u64 = ACCOUNTS;
pub(crate) const BUSY: u64 = ACCOUNTS + 1;
pub(crate) const FIRST_VAULT: u64 = ACCOUNTS + 2;
const PLACES: u64 = FIRST_VAULT + VAULTS;

/// Counters that everybody adds to.
pub(crate) const COUNTERS: [&str; 23] = [
    "sections",
    "threads",
    "forks",
    "audits",
    "deaths met",
    "transactions",
    "aborts",
    "take-overs",
    "objects made",
    "tickets redeemed",
    "readings",
    "writings",
    "chairs taken",
    "waits told",
    "bells heard",
    "meetings",
    "letters got",
    "telegrams got",
    "cards got",
    "letters redelivered",
    "waits over 100 ms",
    "waits ended by a slice",
    "longest wait",
];
pub(crate) const SECTIONS: usize = 0;
pub(crate) const THREADS: usize = 1;
pub(crate) const FORKS: usize = 2;
pub(crate) const AUDITS: usize = 3;
/// Of owners of mutexes that were locked and not in a transaction.
pub(crate) const DEATHS_MET: usize = 4;
pub(crate) const TRANSACTIONS: usize = 5;
pub(crate) const ABORTS: usize = 6;
/// Of what somebody died with in a transaction.
pub(crate) const TAKE_OVERS: usize = 7;
pub(crate) const OBJECTS: usize = 8;
pub(crate) const TICKETS: usize = 9;
pub(crate) const READINGS: usize = 10;
pub(crate) const WRITINGS: usize = 11;
pub(crate) const CHAIRS_TAKEN: usize = 12;
/// Of waits for what somebody else does, those that ended in time.
pub(crate) const TOLD: usize = 13;
/// The same for those who listened with a descriptor.
pub(crate) const HEARD: usize = 14;
pub(crate) const MEETINGS: usize = 15;
/// And parcels.
pub(crate) const LETTERS: usize = 16;
pub(crate) const TELEGRAMS: usize = 17;
pub(crate) const CARDS: usize = 18;
/// Of those, what a dead receiver had left.
pub(crate) const REDELIVERED: usize = 19;
pub(crate) const LONG_WAITS: usize = 20;
/// Found out by the library itself. What a worker has seen since its last operation goes
/// with it when it is killed.
pub(crate) const SLICES: usize = 21;
/// In microseconds.
pub(crate) const LONGEST_WAIT: usize = 22;

/// The shortest slice. A longer wait was ended by one, or by a machine that is busy elsewhere.
const LONG: Duration = Duration::from_millis(100);

pub(crate) struct Board {
    /// 1 when the workers are to leave.
    pub(crate) is_over: Value<u64>,
    /// How often something was seen that must not be.
    pub(crate) violations: Value<u64>,
    pub(crate) counters: Vec<Value<u64>>,
    /// Operations of each worker since it began.
    pub(crate) progress: Array<u64>,
    /// Who is inside each mutex.
    pub(crate) inside: Array<u64>,
}

impl Board {
    /// The board, made by the director.
    pub(crate) fn create(segment: &Segment) -> atoll::Result<Self> {
        for (name, length) in [("progress", WORKERS), ("inside", PLACES)] {
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
        self.counters[counter].fetch(FetchOp::Add, count).expect("a counter");
    }

    /// Does what may have to wait, and notes how long that took.
    pub(crate) fn timed<T>(&self, act: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = act();
        let wait = start.elapsed();
        self.add(LONG_WAITS, (wait > LONG).into());
        let micros = wait.as_micros() as u64;
        self.counters[LONGEST_WAIT].fetch(FetchOp::Max, micros).expect("a counter");
        result
    }

    /// Writes down what must not be. The director ends everything then.
    pub(crate) fn accuse(&self, what: &str) {
        eprintln!("soak: VIOLATION: {what}");
        self.violations.fetch(FetchOp::Add, 1).expect("a counter");
    }
}

pub(crate) fn open_segment() -> Segment {
    Segment::open(SEGMENT, &SegmentOptions::default()).expect("the segment")
}
