//! What the workers share, and what has to be true of it.
//!
//! Each of some locks guards three numbers: who is inside, and two counts that are equal
//! whenever nobody is. Whoever takes a lock from a dead owner sets them right: the death
//! came between the counts, or it did not.

use std::fmt;
use std::time::Duration;

use atoll::Value;
use atoll::{Acquired, Array, Deadline, FetchOp, Mutex, RawValue, Segment, SegmentOptions, Type};

/// Locks, each with its numbers.
pub(crate) const LOCKS: u64 = 4;
/// Numbers of a lock: who is inside, and the two counts.
const NUMBERS: u64 = 3;
/// Words of the large value, all of which are always equal.
const WORDS: usize = 9;
/// Longer than any wait that is not ended by a slice, unless the machine is very busy.
const LONG_WAIT: Duration = Duration::from_millis(100);

/// The segment as one process has it.
pub(crate) struct Ledger {
    segment: Segment,
    locks: Vec<Mutex>,
    numbers: Array<u64>,
    large: RawValue,
    violations: Value<u64>,
    deaths_told: Value<u64>,
    long_waits: Value<u64>,
    longest_wait: Value<u64>,
}

/// What happened so far.
pub(crate) struct Tally {
    pub(crate) sections: u64,
    pub(crate) violations: u64,
    pub(crate) deaths_told: u64,
    long_waits: u64,
    longest_wait: Duration,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sections, {} deaths told, {} violations, {} waits over {} ms (a slice may have ended \
             them), longest wait {:.1} ms",
            self.sections,
            self.deaths_told,
            self.violations,
            self.long_waits,
            LONG_WAIT.as_millis(),
            1e3 * self.longest_wait.as_secs_f64(),
        )
    }
}

impl Ledger {
    pub(crate) fn open() -> Self {
        let options = SegmentOptions { max_participants: 16_383, ..SegmentOptions::default() };
        let segment = Segment::open_or_create("soak", &options).expect("the segment");
        let lock = |i| Mutex::open_or_create(&segment, Some(&format!("lock-{i}")), i % 2 == 1);
        let count = |name| Value::open_or_create(&segment, name).expect("a count");
        let words = Type::structure(8 * WORDS as u64, 8, "").expect("a type");
        Self {
            locks: (0..LOCKS).map(|i| lock(i).expect("a mutex")).collect(),
            numbers: Array::open_or_create(&segment, "numbers", &[LOCKS, NUMBERS])
                .expect("an array"),
            large: RawValue::open_or_create(&segment, Some("large"), &words).expect("a value"),
            violations: count("violations"),
            deaths_told: count("deaths told"),
            long_waits: count("long waits"),
            longest_wait: count("longest wait"),
            segment,
        }
    }

    /// Enters the sections of the locks given, which are in ascending order, one inside
    /// the other, as `who`, and stays inside for as long as `stay` takes.
    pub(crate) fn visit(&self, locks: &[u64], who: u64, stay: &mut dyn FnMut()) {
        let Some((&lock, inner)) = locks.split_first() else { return stay() };
        self.acquire(lock);
        self.set(lock, 0, who);
        self.set(lock, 1, self.get(lock, 1) + 1);
        self.visit(inner, who, stay);
        self.set(lock, 2, self.get(lock, 2) + 1);
        self.expect(self.get(lock, 0) == who && self.get(lock, 1) == self.get(lock, 2));
        self.set(lock, 0, 0);
        self.locks[lock as usize].release().expect("held by this thread");
    }

    fn acquire(&self, lock: u64) {
        let mutex = &self.locks[lock as usize];
        let begin = std::time::Instant::now();
        let acquired = mutex.acquire(Deadline::NEVER).expect("the mutex");
        self.note_wait(begin.elapsed());
        if acquired == Acquired::OwnerDied {
            self.deaths_told.fetch(FetchOp::Add, 1).expect("writable");
            self.set(lock, 0, 0);
            self.set(lock, 2, self.get(lock, 1));
            mutex.mark_consistent().expect("held by this thread");
        }
        self.expect(self.get(lock, 0) == 0 && self.get(lock, 1) == self.get(lock, 2));
    }

    fn note_wait(&self, wait: Duration) {
        if wait > LONG_WAIT {
            self.long_waits.fetch(FetchOp::Add, 1).expect("writable");
        }
        self.longest_wait.fetch(FetchOp::Max, wait.as_nanos() as u64).expect("writable");
    }

    /// Stores one number in all words of the large value, and looks whether they agree.
    pub(crate) fn store_and_look(&self, number: u64) {
        let new = number.to_ne_bytes().repeat(WORDS);
        self.large.store(&new, Deadline::NEVER).expect("writable");
        let mut seen = [0u8; 8 * WORDS];
        self.large.load(&mut seen).expect("room enough");
        self.expect(seen.chunks(8).all(|word| *word == seen[..8]));
    }

    fn expect(&self, holds: bool) {
        if !holds {
            self.violations.fetch(FetchOp::Add, 1).expect("writable");
        }
    }

    fn get(&self, lock: u64, number: u64) -> u64 {
        self.numbers.get(lock * NUMBERS + number).expect("an element")
    }

    fn set(&self, lock: u64, number: u64, value: u64) {
        self.numbers.set(lock * NUMBERS + number, value).expect("an element");
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            sections: (0..LOCKS).map(|lock| self.get(lock, 1)).sum(),
            violations: self.violations.load(),
            deaths_told: self.deaths_told.load(),
            long_waits: self.long_waits.load(),
            longest_wait: Duration::from_nanos(self.longest_wait.load()),
        }
    }

    /// When all workers are gone: every lock can be had, every number is right, and the
    /// segment is sound.
    pub(crate) fn close(&self) -> Result<Tally, String> {
        for lock in 0..LOCKS {
            self.acquire(lock);
            self.locks[lock as usize].release().map_err(|error| error.to_string())?;
        }
        self.segment.verify().map_err(|error| error.to_string())?;
        Ok(self.tally())
    }
}
