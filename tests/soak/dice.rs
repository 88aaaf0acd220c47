//! Random numbers of one thread, all of which follow from a seed.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use atoll::Deadline;

pub(crate) struct Dice(Cell<u64>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Zero would stay zero, and neighbours are to go different ways.
        Self(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        let mut x = self.0.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.set(x);
        (x >> 11) % limit
    }

    pub(crate) fn one_in(&self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// Some bytes, all the same.
    pub(crate) fn bytes(&self, count: u64) -> Vec<u8> {
        vec![self.below(256) as u8; count as usize]
    }

    /// A limit that may well run out.
    pub(crate) fn soon(&self) -> Deadline {
        let span = [0, 1000, 100_000, 3_000_000][self.below(4) as usize];
        Deadline::after_ns(span).expect("not negative")
    }

    /// Sometimes stays a while where it is.
    pub(crate) fn linger(&self) {
        match self.below(8) {
            0 => thread::sleep(Duration::from_micros(self.below(1500))),
            1 => thread::yield_now(),
            _ => {}
        }
    }
}
