//! Threads that wait for others to do something: for an event, a condition variable, a latch,
//! a semaphore.
//!
//! Nobody waits for ever, for whoever should come may be dead. But who gives up although
//! others have told it several times over has been forgotten.

use std::os::fd::AsRawFd;
use std::time::Duration;

use atoll::{Condvar, Deadline, Event, Latch, Mutex, Segment, Semaphore, SemaphoreOptions, Status};
use atoll::{FetchOp, Value, wait_any};

use crate::board::{Board, DEATHS_MET, HEARD, TOLD};
use crate::dice::Dice;
use crate::hall::within;

/// How long somebody waits to be told.
const PATIENCE: Duration = Duration::from_millis(300);
/// So often it must not have been forgotten: somebody may be killed who is about to tell.
const TOO_OFTEN: u64 = 8;
/// The latches that are counted down, and from what.
const LATCHES: u64 = 4;
const COUNT: u32 = 3;

pub(crate) struct Bells {
    segment: Segment,
    event: Event,
    bell: Condvar,
    mutex: Mutex,
    /// How often the bell was rung.
    rung: Value<u64>,
    stamps: Semaphore,
}

impl Bells {
    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let plain = SemaphoreOptions { max: 5, ..Default::default() };
        Ok(Self {
            segment: segment.clone(),
            event: Event::open_or_create(segment, Some("event"))?,
            bell: Condvar::open_or_create(segment, Some("bell"))?,
            mutex: Mutex::open_or_create(segment, Some("bell's mutex"), false)?,
            rung: Value::open_or_create(segment, "rung")?,
            stamps: Semaphore::open_or_create(segment, Some("stamps"), &plain)?,
        })
    }

    pub(crate) fn one_operation(&self, board: &Board, dice: &Dice) {
        match dice.below(20) {
            0..=3 => self.pulse(dice),
            4 => self.wait_for_pulse(board),
            5 => self.wait_for_any(board),
            6 => self.listen(board),
            7..=12 => self.ring(board, dice),
            13 => self.wait_for_ring(board),
            14 | 15 => self.count_down(board, dice),
            16 | 17 => self.stamp(),
            _ => drop(within(board.timed(|| self.stamps.acquire(dice.soon())))),
        }
    }

    fn pulse(&self, dice: &Dice) {
        self.event.set().expect("set");
        dice.linger();
        self.event.clear().expect("cleared");
    }

    fn wait_for_pulse(&self, board: &Board) {
        let before = self.event.sets();
        match within(self.event.wait(patience())) {
            Some(()) => board.add(TOLD, 1),
            None => {
                let pulses = self.event.sets().wrapping_sub(before);
                check(board, "the event", pulses.into());
            }
        }
    }

    /// Beside a semaphore that others wait for.
    fn wait_for_any(&self, board: &Board) {
        let before = self.event.sets();
        match within(wait_any(&[(&self.event).into(), (&self.stamps).into()], patience())) {
            Some(_) => board.add(TOLD, 1),
            None => check(board, "any of two", self.event.sets().wrapping_sub(before).into()),
        }
    }

    /// For whoever listens a pulse is a ring, though the event is clear again.
    fn listen(&self, board: &Board) {
        let descriptor = self.event.descriptor().expect("lent").as_raw_fd();
        let before = self.event.sets();
        let mut polled = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, which is a local.
        match unsafe { libc::poll(&mut polled, 1, PATIENCE.as_millis() as i32) } {
            1 => board.add(HEARD, 1),
            _ => check(board, "the doorbell", self.event.sets().wrapping_sub(before).into()),
        }
    }

    fn ring(&self, board: &Board, dice: &Dice) {
        let guard = board.timed(|| self.mutex.lock(Deadline::NEVER)).expect("without a limit");
        if guard.owner_died() {
            guard.mark_consistent().expect("held");
            board.add(DEATHS_MET, 1);
        }
        self.rung.fetch(FetchOp::Add, 1).expect("a number");
        drop(guard);
        match dice.below(3) {
            0 => self.bell.notify_many(2).expect("notified"),
            _ => self.bell.notify_all().expect("notified"),
        }
    }

    fn wait_for_ring(&self, board: &Board) {
        let mut guard = board.timed(|| self.mutex.lock(Deadline::NEVER)).expect("no limit");
        if guard.owner_died() {
            guard.mark_consistent().expect("held");
        }
        let before = self.rung.load();
        match self.bell.wait(&mut guard, patience()) {
            Ok(()) => board.add(TOLD, 1),
            Err(error) if error.status() == Status::TimedOut => {
                check(board, "the bell", self.rung.load() - before);
            }
            Err(error) => panic!("{error}"),
        }
        if guard.owner_died() {
            guard.mark_consistent().expect("held");
        }
    }

    /// One of some latches, which goes when it has been counted down, with those who wait.
    fn count_down(&self, board: &Board, dice: &Dice) {
        let name = format!("passing latch {}", dice.below(LATCHES));
        let latch = Latch::open_or_create(&self.segment, Some(&name), COUNT).expect("a latch");
        match latch.count_down(1) {
            Err(error) if error.status() != Status::InvalidArgument => panic!("{error}"),
            _ => {}
        }
        if within(latch.wait(dice.soon())).is_some() {
            board.add(TOLD, 1);
            match Latch::remove(&self.segment, &name) {
                Err(error) if error.status() != Status::NotFound => panic!("{error}"),
                _ => {}
            }
        } else if latch.count() == 0 && latch.wait(Deadline::NOW).is_err() {
            board.accuse("a latch at zero is shut");
        }
    }

    fn stamp(&self) {
        match self.stamps.release(1) {
            Err(error) if error.status() != Status::Full => panic!("{error}"),
            _ => {}
        }
    }
}

fn patience() -> Deadline {
    Deadline::after_ns(PATIENCE.as_nanos() as i64).expect("not negative")
}

/// Somebody has given up though it was told so often.
fn check(board: &Board, what: &str, times: u64) {
    if times >= TOO_OFTEN {
        board.accuse(&format!("{what} has told {times} times, and one who waited slept on"));
    }
}
