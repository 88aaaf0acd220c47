//! Accounts that only transactions touch: after a death nobody here puts anything right.
//!
//! A vault is a mutex and what it guards: coins (values of 8 bytes), bars (of 48), cells
//! (elements of an array), each with a balance, and the total of them. A transaction is in
//! one vault or in several. It moves money once or a hundred times, stays a while, forks,
//! and is committed, aborted, dropped or killed. Whoever is in a vault next finds its
//! total right, and who is in all of them finds that nothing was gained or lost.
//!
//! Each worker also numbers the transactions that it commits, in one of the words that
//! they change, and writes the number down again when the commit has returned.

use atoll::{
    Array, Deadline, Element, Mutex, RawArray, RawValue, Segment, Status, Transaction, Type,
    TypeCode,
};

use crate::board::{ABORTS, AUDITS, Board, TAKE_OVERS, TRANSACTIONS, VAULTS, WORKERS};
use crate::dice::Dice;
use crate::visit::Visit;

const COINS: usize = 3;
const BARS: usize = 2;
pub(crate) const CELLS: u64 = 40;
/// Bytes of a bar.
const BAR: usize = 48;
const EACH: u64 = 1_000_000;
/// In a vault, at first.
const TOTAL: u64 = (COINS as u64 + BARS as u64 + CELLS) * EACH;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Coin(usize),
    Bar(usize),
    Cell(u64),
}

pub(crate) struct Vault {
    pub(crate) mutex: Mutex,
    pub(crate) coins: Vec<RawValue>,
    pub(crate) bars: Vec<RawValue>,
    pub(crate) cells: Numbers,
    pub(crate) total: RawValue,
}

/// An array, as transactions want it and as its elements are read.
pub(crate) struct Numbers {
    pub(crate) lent: RawArray,
    pub(crate) read: Array<u64>,
}

pub(crate) struct Vaults {
    pub(crate) board: Board,
    pub(crate) vaults: Vec<Vault>,
    /// For each worker: the last transaction that was committed, and that it knows of.
    pub(crate) committed: Numbers,
    pub(crate) known: Array<u64>,
}

/// A thread of a worker.
pub(crate) struct Teller<'a> {
    /// Its name on the board.
    pub(crate) me: u64,
    /// The worker, if this is its first thread.
    pub(crate) worker: Option<u64>,
    pub(crate) dice: &'a Dice,
}

impl Numbers {
    fn open(segment: &Segment, name: &str, length: u64) -> atoll::Result<Self> {
        let ty = Type::scalar(TypeCode::U64)?;
        let lent = RawArray::open_or_create(segment, Some(name), &ty, &[length])?;
        Ok(Self { lent, read: Array::open(segment, name)? })
    }
}

impl Vault {
    fn open(segment: &Segment, number: u64) -> atoll::Result<Self> {
        let value = |what: String, ty: &Type, initial: &[u8]| {
            let name = format!("vault {number} {what}");
            RawValue::open_or_create(segment, Some(&name), ty, Some(initial))
        };
        let (small, large) = (Type::scalar(u64::CODE)?, Type::bytes(BAR as u64)?);
        let coin = |n| value(format!("coin {n}"), &small, &EACH.to_bytes());
        let bar = |n| value(format!("bar {n}"), &large, &bar_of(EACH));
        Ok(Self {
            mutex: Mutex::open_or_create(segment, Some(&format!("vault {number}")), false)?,
            coins: (0..COINS).map(coin).collect::<atoll::Result<_>>()?,
            bars: (0..BARS).map(bar).collect::<atoll::Result<_>>()?,
            cells: Numbers::open(segment, &format!("vault {number} cells"), CELLS)?,
            total: value("total".into(), &small, &TOTAL.to_bytes())?,
        })
    }

    /// What all accounts hold; `None` if a bar is torn.
    pub(crate) fn sum(&self) -> Option<u64> {
        let coins = (0..COINS).map(Account::Coin);
        let accounts =
            coins.chain((0..BARS).map(Account::Bar)).chain((0..CELLS).map(Account::Cell));
        accounts.map(|account| self.balance(account)).sum()
    }

    pub(crate) fn balance(&self, account: Account) -> Option<u64> {
        match account {
            Account::Coin(n) => Some(number_in(&self.coins[n])),
            Account::Cell(n) => Some(self.cells.read.get(n).expect("a cell")),
            Account::Bar(n) => {
                let mut bytes = [0; BAR];
                self.bars[n].load(&mut bytes).expect("large enough");
                let balance = u64::of_bytes(*bytes.first_chunk().expect("more than 8"));
                (bytes == bar_of(balance)).then_some(balance)
            }
        }
    }
}

impl Account {
    /// Any account of a vault, of each sort as often.
    pub(crate) fn any(dice: &Dice) -> Self {
        match dice.below(3) {
            0 => Self::any_coin(dice),
            1 => Self::Bar(dice.below(BARS as u64) as usize),
            _ => Self::Cell(dice.below(CELLS)),
        }
    }

    pub(crate) fn any_coin(dice: &Dice) -> Self {
        Self::Coin(dice.below(COINS as u64) as usize)
    }
}

/// Lingers now and then.
fn seldom(dice: &Dice) {
    if dice.one_in(8) {
        dice.linger();
    }
}

/// The number that a value of 8 bytes is.
pub(crate) fn number_in(value: &RawValue) -> u64 {
    let mut bytes = [0; 8];
    value.load(&mut bytes).expect("8 bytes");
    u64::of_bytes(bytes)
}

/// A bar: the balance as often as there is room, to be seen if it is torn.
pub(crate) fn bar_of(balance: u64) -> [u8; BAR] {
    let mut bar = [0; BAR];
    bar.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&balance.to_bytes()));
    bar
}

impl Vaults {
    /// Makes the vaults, in a segment that nobody else is in yet.
    pub(crate) fn create(segment: &Segment) -> atoll::Result<Self> {
        let vaults = Self::open(segment)?;
        for vault in &vaults.vaults {
            (0..CELLS).try_for_each(|cell| vault.cells.read.set(cell, EACH))?;
        }
        Ok(vaults)
    }

    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let vault = |number| Vault::open(segment, number);
        Ok(Self {
            board: Board::open(segment)?,
            vaults: (0..VAULTS).map(vault).collect::<atoll::Result<_>>()?,
            committed: Numbers::open(segment, "committed", WORKERS)?,
            known: Array::open_or_create(segment, "known", &[WORKERS])?,
        })
    }

    /// Before the first transaction of a new worker: what its predecessor knew to be
    /// committed is, and at most the one after it.
    pub(crate) fn settle(&self, worker: u64, teller: &Teller<'_>) {
        self.audit(teller);
        let [committed, known] =
            [&self.committed.read, &self.known].map(|a| a.get(worker).expect("a worker"));
        if committed.wrapping_sub(known) > 1 {
            self.board.accuse(&format!(
                "worker {worker} committed transaction {known}, and the last one is {committed}"
            ));
        }
        self.known.set(worker, committed).expect("a worker");
    }

    /// Is in all vaults, and adds everything up.
    pub(crate) fn audit(&self, teller: &Teller<'_>) {
        let all = (0..self.vaults.len()).collect();
        let visit = self.enter(teller, all, Deadline::NEVER).expect("without a limit");
        visit.audit();
        let sum: u64 = self.vaults.iter().map(|vault| number_in(&vault.total)).sum();
        if sum != VAULTS * TOTAL {
            self.board.accuse(&format!("the vaults hold {sum}, not {}", VAULTS * TOTAL));
        }
        visit.leave().commit().expect("ours");
        self.board.add(AUDITS, 1);
    }

    /// One transaction, of any sort.
    pub(crate) fn transfer(&self, teller: &Teller<'_>) {
        let dice = teller.dice;
        let first = dice.below(VAULTS) as usize;
        let count = [1, 1, 2, 3][dice.below(4) as usize];
        let open: Vec<usize> = (0..count).map(|n| (first + n) % self.vaults.len()).collect();
        let limit = if dice.one_in(8) { 100_000 } else { i64::MAX };
        let deadline = Deadline::after_ns(limit).expect("not negative");
        let Some(mut visit) = self.enter(teller, open, deadline) else { return };
        match dice.below(10) {
            // More words than the log has room for in one place, or in two.
            0 => (0..dice.below(100)).for_each(|_| visit.transfer(Account::any_coin, seldom)),
            1 => (0..4).for_each(|_| visit.transfer(Account::any, Dice::linger)),
            _ => visit.transfer(Account::any, Dice::linger),
        }
        if dice.one_in(40) {
            visit.fork();
        }
        dice.linger();
        match dice.below(8) {
            0 => visit.leave().abort().expect("ours"),
            1 => drop(visit.leave()),
            _ => return visit.commit(),
        }
        self.board.add(ABORTS, 1);
    }

    /// Many transactions, each of which has just more changes than its log has room for. So
    /// much of their time goes by where it has to grow, between the look at what was there
    /// and the store: the worst moment for a death.
    pub(crate) fn press(&self, teller: &Teller<'_>) {
        for _ in 0..teller.dice.below(100) {
            let open = vec![teller.dice.below(VAULTS) as usize];
            let mut visit = self.enter(teller, open, Deadline::NEVER).expect("without a limit");
            (0..6).for_each(|_| visit.transfer(Account::any_coin, |_| {}));
            visit.commit();
        }
    }

    /// Begins a transaction; `None` if the time ran out.
    fn enter<'a>(
        &'a self,
        teller: &'a Teller<'_>,
        open: Vec<usize>,
        deadline: Deadline,
    ) -> Option<Visit<'a>> {
        let mutexes: Vec<&Mutex> = open.iter().map(|&n| &self.vaults[n].mutex).collect();
        let transaction = match self.board.timed(|| Transaction::begin(&mutexes, deadline)) {
            Ok(transaction) => transaction,
            Err(error) if error.status() == Status::TimedOut => return None,
            Err(error) => panic!("vaults {open:?}: {error}"),
        };
        self.board.add(TRANSACTIONS, 1);
        if transaction.owner_died() {
            self.board.accuse(&format!("an owner of vaults {open:?} is said to have died"));
        }
        let visit = Visit { vaults: self, teller, open, transaction };
        if visit.sign_in() {
            self.board.add(TAKE_OVERS, 1);
            visit.audit();
        }
        Some(visit)
    }
}
