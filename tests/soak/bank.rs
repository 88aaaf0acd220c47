//! Accounts, each behind a mutex of its own, and transfers that a death cannot tear, without
//! transactions.
//!
//! Before a worker changes a balance it notes the old one, and in which of its transfers
//! it does so. One store, of the worker's own word, commits the transfer: from then on its
//! notes mean nothing. Whoever takes a mutex over from the dead looks at the note of that
//! account, and puts the old balance back if the transfer was open. A worker's successor
//! does so everywhere before its first transfer.

use atoll::{Acquired, Array, Deadline, Mutex, Segment};

use crate::board::{ACCOUNTS, AUDITS, Board, DEATHS_MET, SECTIONS, WORKERS};

pub(crate) const EACH: u64 = 1_000_000;

pub(crate) struct Bank {
    pub(crate) board: Board,
    /// In the order in which they are taken.
    mutexes: Vec<Mutex>,
    balances: Array<u64>,
    /// For each account: worker, transfer, balance before.
    notes: Array<u64>,
    /// For each worker: twice the number of its transfer, plus 1 while that is open.
    transfers: Array<u64>,
}

/// A mutex that is held, with a look over the shoulder. Not given back by itself: a
/// panic in a section is a failure of the whole run.
pub(crate) struct Inside<'a> {
    board: &'a Board,
    mutex: &'a Mutex,
    number: u64,
    me: u64,
    /// The last owner died.
    pub(crate) is_inherited: bool,
}

/// Takes a mutex and checks that nobody else is inside.
pub(crate) fn enter<'a>(board: &'a Board, mutex: &'a Mutex, number: u64, me: u64) -> Inside<'a> {
    enter_before(board, mutex, number, me, Deadline::NEVER).expect("without a limit")
}

/// The same with a limit; `None` if it ran out.
pub(crate) fn enter_before<'a>(
    board: &'a Board,
    mutex: &'a Mutex,
    number: u64,
    me: u64,
    deadline: Deadline,
) -> Option<Inside<'a>> {
    let acquired = match board.timed(|| mutex.acquire(deadline)) {
        Ok(acquired) => acquired,
        Err(error) if error.status() == atoll::Status::TimedOut => return None,
        Err(error) => panic!("mutex {number}: {error}"),
    };
    let is_inherited = acquired == Acquired::OwnerDied;
    let other = board.inside.get(number).expect("a place");
    if other != 0 && !is_inherited {
        board.accuse(&format!("{other:#x} is inside mutex {number} when {me:#x} enters"));
    }
    board.inside.set(number, me).expect("a place");
    board.add(SECTIONS, 1);
    board.add(DEATHS_MET, is_inherited.into());
    Some(Inside { board, mutex, number, me, is_inherited })
}

impl Inside<'_> {
    pub(crate) fn leave(self) {
        let now = self.board.inside.get(self.number).expect("a place");
        if now != self.me {
            self.board
                .accuse(&format!("{now:#x} entered mutex {} beside {:#x}", self.number, self.me));
        }
        self.board.inside.set(self.number, 0).expect("a place");
        if self.is_inherited {
            self.mutex.mark_consistent().expect("held");
        }
        self.mutex.release().expect("held");
    }
}

impl Bank {
    /// Makes the accounts, each with the same balance.
    pub(crate) fn create(segment: &Segment) -> atoll::Result<Self> {
        Board::create(segment)?;
        let balances = Array::<u64>::create(segment, Some("balances"), &[ACCOUNTS])?;
        Array::<u64>::create(segment, Some("notes"), &[ACCOUNTS, 3])?;
        Array::<u64>::create(segment, Some("transfers"), &[WORKERS])?;
        (0..ACCOUNTS).try_for_each(|account| balances.set(account, EACH))?;
        Self::open(segment)
    }

    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let mutex = |n| Mutex::open_or_create(segment, Some(&format!("account {n}")), false);
        Ok(Self {
            board: Board::open(segment)?,
            mutexes: (0..ACCOUNTS).map(mutex).collect::<atoll::Result<_>>()?,
            balances: Array::open(segment, "balances")?,
            notes: Array::open(segment, "notes")?,
            transfers: Array::open(segment, "transfers")?,
        })
    }

    /// Takes an account, and undoes what its last owner had left open.
    fn take(&self, account: u64, me: u64) -> Inside<'_> {
        let inside = enter(&self.board, &self.mutexes[account as usize], account, me);
        if inside.is_inherited {
            self.undo(account).expect("inside the arrays");
        }
        inside
    }

    fn undo(&self, account: u64) -> atoll::Result<()> {
        let [worker, transfer, before] = [0, 1, 2].map(|i| self.notes.get(3 * account + i));
        if self.transfers.get(worker?)? == 2 * transfer? + 1 {
            self.balances.set(account, before?)?;
        }
        Ok(())
    }

    /// Before the first transfer of a new worker: nothing of its predecessor is open.
    pub(crate) fn settle(&self, worker: u64, me: u64) {
        (0..ACCOUNTS).for_each(|account| self.take(account, me).leave());
        let last = self.transfers.get(worker).expect("a worker");
        self.transfers.set(worker, last & !1).expect("a worker");
    }

    /// Moves an amount between two accounts, lower number first into the section.
    pub(crate) fn transfer(&self, worker: u64, me: u64, [from, to]: [u64; 2], linger: impl Fn()) {
        let (first, second) = (from.min(to), from.max(to));
        let outer = self.take(first, me);
        let inner = self.take(second, me);
        self.move_between(worker, [from, to], linger).expect("inside the arrays");
        inner.leave();
        outer.leave();
    }

    fn move_between(
        &self,
        worker: u64,
        [from, to]: [u64; 2],
        linger: impl Fn(),
    ) -> atoll::Result<()> {
        let number = self.transfers.get(worker)? / 2 + 1;
        let (rich, poor) = (self.balances.get(from)?, self.balances.get(to)?);
        for (account, before) in [(from, rich), (to, poor)] {
            // The balance before its note is complete is the one to go back to, and the
            // transfer that an incomplete note names is not open.
            self.notes.set(3 * account + 1, 0)?;
            self.notes.set(3 * account, worker)?;
            self.notes.set(3 * account + 2, before)?;
            self.notes.set(3 * account + 1, number)?;
        }
        self.transfers.set(worker, 2 * number + 1)?;
        let amount = rich / 3;
        self.balances.set(from, rich - amount)?;
        linger();
        self.balances.set(to, poor + amount)?;
        self.transfers.set(worker, 2 * number)
    }

    /// Takes all accounts, in order, and adds them up.
    pub(crate) fn audit(&self, me: u64) {
        let held: Vec<Inside> = (0..ACCOUNTS).map(|account| self.take(account, me)).collect();
        let sum: u64 = (0..ACCOUNTS).map(|a| self.balances.get(a).expect("an account")).sum();
        if sum != ACCOUNTS * EACH {
            self.board.accuse(&format!("the accounts hold {sum}, not {}", ACCOUNTS * EACH));
        }
        held.into_iter().rev().for_each(Inside::leave);
        self.board.add(AUDITS, 1);
    }
}
