//! What a worker does until it is killed.

use std::thread;
use std::time::Duration;

use super::ledger::{LOCKS, Ledger};
use super::support::child::Stage;
use super::support::system;

/// Plays a worker. Its director says which one it is.
pub(crate) fn play(mut stage: Stage) {
    let number: u64 = stage.hear().parse().expect("a number");
    let ledger = Ledger::open();
    let mut dice = Dice::new(number);
    loop {
        match dice.below(200) {
            0 => in_a_thread(&ledger, number, dice.roll()),
            1 => in_a_child(&ledger, number, dice.roll()),
            2..20 => ledger.store_and_look(dice.roll()),
            _ => visit(&ledger, number, &mut dice),
        }
    }
}

fn visit(ledger: &Ledger, who: u64, dice: &mut Dice) {
    let outer = dice.below(LOCKS);
    let inner = outer + 1 + dice.below(LOCKS);
    let locks = if inner < LOCKS { &[outer, inner][..] } else { &[outer][..] };
    let stay = dice.below(60);
    ledger.visit(locks, who, &mut || match stay {
        0 => thread::sleep(Duration::from_micros(300)),
        1 => thread::yield_now(),
        _ => {}
    });
}

/// A thread comes, visits and ends; its seat goes to the next one.
fn in_a_thread(ledger: &Ledger, who: u64, seed: u64) {
    thread::scope(|scope| {
        scope.spawn(|| visit(ledger, who, &mut Dice::new(seed)));
    });
}

/// A forked child, which is a member of its own, visits and ends; or it is killed.
fn in_a_child(ledger: &Ledger, who: u64, seed: u64) {
    let child = system::fork();
    if child == 0 {
        let mut dice = Dice::new(seed);
        (0..50).for_each(|_| visit(ledger, who, &mut dice));
        system::end_abruptly(0);
    }
    if seed.is_multiple_of(2) {
        thread::sleep(Duration::from_micros(seed % 1_000));
        system::kill(child, libc::SIGKILL);
    }
    system::wait(child);
}

/// Random numbers that come again with the same seed (xorshift64*, Vigna 2016).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 1
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }
}
