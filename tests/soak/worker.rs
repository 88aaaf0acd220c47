//! What a worker does until it is killed, or until all is over.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use atoll::{Deadline, Mutex, RawValue, Segment, Type};

use crate::bank::{Bank, enter, enter_before};
use crate::board::{ACCOUNTS, FORKS, THREADS, open_segment};
use crate::support::child::{Child, Stage};

/// Places on the board beside the accounts'.
const RECURSIVE: u64 = ACCOUNTS;
const BUSY: u64 = ACCOUNTS + 1;
/// More than any one atomic holds.
const LARGE: usize = 120;

struct Worker {
    number: u64,
    bank: Bank,
    segment: Segment,
    recursive: Mutex,
    busy: Mutex,
    large: RawValue,
    random: Cell<u64>,
}

/// The part of a worker: it is told its number and a seed.
pub(crate) fn work(mut stage: Stage) {
    let number = stage.hear().parse().expect("a number");
    let seed = stage.hear().parse().expect("a seed");
    let segment = open_segment();
    let mutex = |name, recursive| Mutex::open_or_create(&segment, Some(name), recursive);
    let bytes = Type::bytes(LARGE as u64).expect("a type");
    let worker = Worker {
        number,
        bank: Bank::open(&segment).expect("the bank"),
        recursive: mutex("recursive", true).expect("a mutex"),
        busy: mutex("busy", false).expect("a mutex"),
        large: RawValue::open_or_create(&segment, Some("large"), &bytes, None).expect("a value"),
        segment: segment.clone(),
        random: Cell::new(seed),
    };
    worker.bank.settle(number, worker.me(0));
    while worker.bank.board.is_over.load() == 0 {
        worker.one_operation();
        let progress = &worker.bank.board.progress;
        progress.set(number, progress.get(number).expect("own") + 1).expect("own");
    }
}

impl Worker {
    /// A name on the board for a thread of this worker; 0 is the first one.
    fn me(&self, thread: u64) -> u64 {
        (self.number + 1) << 32 | thread
    }

    /// A random number below `limit`.
    fn below(&self, limit: u64) -> u64 {
        let mut x = self.random.get() | 1;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.set(x);
        (x >> 11) % limit
    }

    /// Sometimes stays a while where it is.
    fn linger(&self) {
        match self.below(8) {
            0 => thread::sleep(Duration::from_micros(self.below(1500))),
            1 => thread::yield_now(),
            _ => {}
        }
    }

    fn one_operation(&self) {
        match self.below(20) {
            0..=9 => self.transfer(),
            10 | 11 => self.nest(),
            12 | 13 => self.store(),
            14 | 15 => self.hurry(),
            16 => self.start_threads(),
            17 => self.fork(),
            18 => self.come_and_go(),
            _ => self.bank.audit(self.me(0)),
        }
    }

    fn transfer(&self) {
        let from = self.below(ACCOUNTS);
        let to = (from + 1 + self.below(ACCOUNTS - 1)) % ACCOUNTS;
        self.bank.transfer(self.number, self.me(0), [from, to], || self.linger());
    }

    fn nest(&self) {
        let board = &self.bank.board;
        let outer = enter(board, &self.recursive, RECURSIVE, self.me(0));
        for _ in 0..3 {
            self.recursive.acquire(Deadline::NOW).expect("held already");
        }
        self.linger();
        (0..3).for_each(|_| self.recursive.release().expect("held"));
        outer.leave();
    }

    /// A value of many bytes is all of one store, or all of another.
    fn store(&self) {
        let mark = self.below(256) as u8;
        self.large.store(&[mark; LARGE], Deadline::NEVER).expect("stored");
        let mut seen = [0; LARGE];
        self.large.load(&mut seen).expect("loaded");
        if seen.iter().any(|byte| *byte != seen[0]) {
            self.bank.board.accuse(&format!("a torn value: {seen:?}"));
        }
    }

    /// Limits, and tries.
    fn hurry(&self) {
        let limit = [0, 1000, 100_000, 3_000_000][self.below(4) as usize];
        let deadline = Deadline::after_ns(limit).expect("not negative");
        let board = &self.bank.board;
        if let Some(inside) = enter_before(board, &self.busy, BUSY, self.me(0), deadline) {
            self.linger();
            inside.leave();
        }
    }

    fn start_threads(&self) {
        let count = 1 + self.below(3);
        thread::scope(|scope| {
            for thread in 1..=count {
                let (board, busy, me) = (&self.bank.board, &self.busy, self.me(thread));
                scope.spawn(move || enter(board, busy, BUSY, me).leave());
            }
        });
        self.bank.board.add(THREADS, count);
    }

    fn fork(&self) {
        let child = Child::fork(|_| {
            enter(&self.bank.board, &self.busy, BUSY, self.me(99)).leave();
        });
        if self.below(3) == 0 {
            child.kill();
        } else {
            child.ends_well();
        }
        self.bank.board.add(FORKS, 1);
    }

    /// Handles of its own, and objects that others make at the same time.
    fn come_and_go(&self) {
        let segment = open_segment();
        let name = format!("passing {}", self.below(30));
        let mutex = Mutex::open_or_create(&segment, Some(&name), false).expect("a mutex");
        mutex.acquire(Deadline::NEVER).expect("taken");
        mutex.mark_consistent().expect("held");
        mutex.release().expect("held");
        drop((mutex, segment));
        self.segment.verify().expect("sound at every moment");
    }
}
