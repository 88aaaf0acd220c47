//! What goes on in a vault, or in several, while a transaction has them open.

use atoll::{Deadline, Element, Mutex, Transaction};

use crate::board::{AUDITS, FIRST_VAULT, FORKS};
use crate::dice::Dice;
use crate::support::child::Child;
use crate::vault::{Account, CELLS, Teller, Vault, Vaults, bar_of, number_in};

/// An open transaction, and the vaults that it has open.
pub(crate) struct Visit<'a> {
    pub(crate) vaults: &'a Vaults,
    pub(crate) teller: &'a Teller<'a>,
    pub(crate) open: Vec<usize>,
    pub(crate) transaction: Transaction,
}

impl Visit<'_> {
    /// Writes down who is inside. Says whether somebody was who cannot be any more.
    pub(crate) fn sign_in(&self) -> bool {
        let inside = &self.vaults.board.inside;
        let mut has_died = false;
        for &vault in &self.open {
            let place = FIRST_VAULT + vault as u64;
            has_died |= inside.get(place).expect("a place") != 0;
            inside.set(place, self.teller.me).expect("a place");
        }
        has_died
    }

    /// Finds that nobody else came in; to be ended in one way or another.
    pub(crate) fn leave(self) -> Transaction {
        let board = &self.vaults.board;
        for &vault in &self.open {
            let (place, me) = (FIRST_VAULT + vault as u64, self.teller.me);
            let now = board.inside.get(place).expect("a place");
            if now != me {
                board.accuse(&format!("{now:#x} came into vault {vault} beside {me:#x}"));
            }
            board.inside.set(place, 0).expect("a place");
        }
        self.transaction
    }

    /// Numbers the transaction, and makes it final.
    pub(crate) fn commit(mut self) {
        let Some(worker) = self.teller.worker else {
            return self.leave().commit().expect("ours");
        };
        let Vaults { committed, known, .. } = self.vaults;
        let number = committed.read.get(worker).expect("a worker") + 1;
        self.transaction.modify(&committed.lent, worker, 1).expect("noted");
        committed.read.set(worker, number).expect("a worker");
        self.leave().commit().expect("ours");
        known.set(worker, number).expect("a worker");
    }

    /// Adds up each of the vaults.
    pub(crate) fn audit(&self) {
        for &number in &self.open {
            let vault = &self.vaults.vaults[number];
            let (sum, total) = (vault.sum(), number_in(&vault.total));
            if sum != Some(total) {
                let what = format!("vault {number} holds {sum:?}, and should {total}");
                self.vaults.board.accuse(&what);
            }
        }
        self.vaults.board.add(AUDITS, 1);
    }

    /// Moves a third of what is in one account to another one, and lingers in between.
    pub(crate) fn transfer(&mut self, any: fn(&Dice) -> Account, linger: fn(&Dice)) {
        let dice = self.teller.dice;
        let [from, to] = [(); 2].map(|()| self.open[dice.below(self.open.len() as u64) as usize]);
        let [rich, poor] = [(); 2].map(|()| any(dice));
        let amount = self.balance(from, rich) / 3;
        self.put(from, rich, self.balance(from, rich) - amount);
        self.put_total(from, number_in(&self.vaults.vaults[from].total) - amount);
        linger(dice);
        self.put(to, poor, self.balance(to, poor) + amount);
        self.put_total(to, number_in(&self.vaults.vaults[to].total) + amount);
    }

    fn balance(&self, vault: usize, account: Account) -> u64 {
        let balance = self.vaults.vaults[vault].balance(account);
        balance.unwrap_or_else(|| {
            self.vaults.board.accuse(&format!("a bar in vault {vault} is torn"));
            0
        })
    }

    fn put(&mut self, vault: usize, account: Account, balance: u64) {
        let Vault { coins, bars, cells, .. } = &self.vaults.vaults[vault];
        let dice = self.teller.dice;
        let (value, bytes) = match account {
            Account::Coin(n) => (&coins[n], &balance.to_bytes()[..]),
            Account::Bar(n) => (&bars[n], &bar_of(balance)[..]),
            Account::Cell(n) => {
                // Alone, or with some of those after it.
                let most = CELLS - n;
                let count = if dice.one_in(2) { 1 } else { 1 + dice.below(most) };
                self.transaction.modify(&cells.lent, n, count).expect("noted");
                return cells.read.set(n, balance).expect("a cell");
            }
        };
        let board = &self.vaults.board;
        let stored = board.timed(|| self.transaction.store(value, bytes, Deadline::NEVER));
        stored.expect("nobody else stores to it");
    }

    fn put_total(&mut self, vault: usize, total: u64) {
        let value = &self.vaults.vaults[vault].total;
        let stored = self.transaction.store(value, &total.to_bytes(), Deadline::NEVER);
        stored.expect("a small value never waits");
    }

    /// A forked child does not come into the vaults that its parent has open. Only the parent
    /// can complain: if it was killed meanwhile, the child was right.
    pub(crate) fn fork(&self) {
        let Vaults { board, vaults, .. } = self.vaults;
        let mut child = Child::fork(|mut stage| {
            let mutexes: Vec<&Mutex> = self.open.iter().map(|&n| &vaults[n].mutex).collect();
            stage.tell(Transaction::begin(&mutexes, Deadline::NOW).is_ok());
        });
        if child.hear() != "false" {
            board.accuse("a child has come in beside its parent");
        }
        child.ends_well();
        board.add(FORKS, 1);
    }
}
