//! A hall with a pair of numbers that a reader-writer lock guards, and a few chairs that a
//! tracked semaphore counts.
//!
//! A writer makes the numbers differ for a while, so a reader beside it sees that. A chair
//! belongs to who sits on it, until it is given back or its owner is dead: when everybody
//! has left, all chairs are there.

use atoll::{Acquired, Array, Deadline, RwLock, Segment, Semaphore, SemaphoreOptions, Status};

use crate::board::{Board, CHAIRS_TAKEN, READINGS, WRITINGS};
use crate::dice::Dice;

const CHAIRS: u32 = 3;

pub(crate) struct Hall {
    lock: RwLock,
    pair: Array<u64>,
    chairs: Semaphore,
}

impl Hall {
    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let tracked = SemaphoreOptions { value: CHAIRS, tracked: true, ..Default::default() };
        Ok(Self {
            lock: RwLock::open_or_create(segment, Some("hall"))?,
            pair: Array::open_or_create(segment, "pair", &[2])?,
            chairs: Semaphore::open_or_create(segment, Some("chairs"), &tracked)?,
        })
    }

    pub(crate) fn one_operation(&self, board: &Board, dice: &Dice) {
        match dice.below(8) {
            0 | 1 => self.write(board, dice, Deadline::NEVER),
            2 => self.write(board, dice, dice.soon()),
            3 | 4 => self.read(board, dice, Deadline::NEVER),
            5 => self.read(board, dice, dice.soon()),
            _ => self.sit(board, dice),
        }
    }

    fn write(&self, board: &Board, dice: &Dice, deadline: Deadline) {
        let Some(acquired) = within(board.timed(|| self.lock.acquire_write(deadline))) else {
            return;
        };
        let [first, second] = self.look();
        if acquired == Acquired::OwnerDied {
            self.pair.set(1, first).expect("inside");
            self.lock.mark_consistent().expect("held");
        } else if first != second {
            board.accuse(&format!("a writer finds {first} and {second}, and was told nothing"));
        }
        self.pair.set(0, first + 1).expect("inside");
        dice.linger();
        if self.look()[0] != first + 1 {
            board.accuse("somebody writes beside a writer");
        }
        self.pair.set(1, first + 1).expect("inside");
        self.lock.release_write().expect("held");
        board.add(WRITINGS, 1);
    }

    fn read(&self, board: &Board, dice: &Dice, deadline: Deadline) {
        let Some(acquired) = within(board.timed(|| self.lock.acquire_read(deadline))) else {
            return;
        };
        let seen = self.look();
        // More than once by the same thread, beside a writer who waits.
        let again = dice.one_in(4);
        if again {
            self.lock.acquire_read(Deadline::NEVER).expect("read already");
        }
        dice.linger();
        let now = self.look();
        if now != seen || (seen[0] != seen[1] && acquired == Acquired::Clean) {
            board.accuse(&format!("a reader finds {seen:?} and then {now:?}"));
        }
        (0..=u8::from(again)).for_each(|_| self.lock.release_read().expect("held"));
        board.add(READINGS, 1);
    }

    fn look(&self) -> [u64; 2] {
        [0, 1].map(|place| self.pair.get(place).expect("inside"))
    }

    fn sit(&self, board: &Board, dice: &Dice) {
        let deadline = if dice.one_in(3) { dice.soon() } else { Deadline::NEVER };
        if within(board.timed(|| self.chairs.acquire(deadline))).is_some() {
            dice.linger();
            self.chairs.release(1).expect("held");
            board.add(CHAIRS_TAKEN, 1);
        }
    }

    /// Everybody has left: the lock is free, and all chairs are there.
    pub(crate) fn audit(&self, board: &Board, dice: &Dice) {
        self.write(board, dice, Deadline::NOW);
        let info = self.chairs.info().expect("sound");
        let taken = (0..).take_while(|_| self.chairs.acquire(Deadline::NOW).is_ok()).count() as u32;
        if (info.value, taken) != (CHAIRS, CHAIRS) {
            board.accuse(&format!("{taken} of {} of {CHAIRS} chairs are there", info.value));
        }
        self.chairs.release(taken).expect("held");
        match self.lock.readers() {
            Ok(0) => {}
            readers => board.accuse(&format!("{readers:?} read, and everybody has left")),
        }
    }
}

/// What came of an operation with a limit.
pub(crate) fn within<T>(result: atoll::Result<T>) -> Option<T> {
    match result {
        Ok(result) => Some(result),
        Err(error) if error.status() == Status::TimedOut => None,
        Err(error) => panic!("{error}"),
    }
}
