//! What a worker does until it is killed, or until the round is over.

use std::thread;

use atoll::{Deadline, Mutex, Platform, RawValue, Segment, Type};

use crate::bank::{Bank, enter, enter_before};
use crate::bells::Bells;
use crate::board::{ACCOUNTS, BUSY, Board, FORKS, RECURSIVE, SLICES, THREADS, open_segment};
use crate::churn::Churn;
use crate::dice::Dice;
use crate::hall::Hall;
use crate::meetings::Meetings;
use crate::post::Post;
use crate::support::child::{Child, Stage};
use crate::vault::{Teller, Vaults};

/// More than any one atomic holds.
const LARGE: u64 = 120;

/// What all workers share.
pub(crate) struct Site {
    pub(crate) bank: Bank,
    pub(crate) vaults: Vaults,
    pub(crate) hall: Hall,
    bells: Bells,
    meetings: Meetings,
    pub(crate) post: Post,
    churn: Churn,
    recursive: Mutex,
    busy: Mutex,
    large: RawValue,
}

struct Worker {
    number: u64,
    segment: Segment,
    site: Site,
    dice: Dice,
}

/// The part of a worker: it is told its number and a seed.
pub(crate) fn work(mut stage: Stage) {
    let number = stage.hear().parse().expect("a number");
    let dice = Dice::new(stage.hear().parse().expect("a seed"));
    let segment = open_segment();
    let site = Site::open(&segment).expect("the site");
    let worker = Worker { number, segment, site, dice };
    worker.site.bank.settle(number, worker.me(0));
    worker.site.vaults.settle(number, &worker.teller());
    let mut rescued = 0;
    while worker.board().is_over.load() == 0 {
        worker.one_operation();
        if worker.dice.one_in(16) {
            let now = Platform::probe().rescued_waits;
            worker.board().add(SLICES, now - rescued);
            rescued = now;
        }
        let progress = &worker.board().progress;
        progress.set(number, progress.get(number).expect("own") + 1).expect("own");
    }
}

impl Site {
    /// Makes all that has a name for ever.
    pub(crate) fn create(segment: &Segment) -> atoll::Result<Self> {
        Bank::create(segment)?;
        Vaults::create(segment)?;
        Self::open(segment)
    }

    fn open(segment: &Segment) -> atoll::Result<Self> {
        let mutex = |name, recursive| Mutex::open_or_create(segment, Some(name), recursive);
        let bytes = Type::bytes(LARGE)?;
        Ok(Self {
            bank: Bank::open(segment)?,
            vaults: Vaults::open(segment)?,
            hall: Hall::open(segment)?,
            bells: Bells::open(segment)?,
            meetings: Meetings::open(segment)?,
            post: Post::open(segment)?,
            churn: Churn::open(segment)?,
            recursive: mutex("recursive", true)?,
            busy: mutex("busy", false)?,
            large: RawValue::open_or_create(segment, Some("large"), &bytes, None)?,
        })
    }
}

/// The worker that a name on the board is of.
pub(crate) fn number_of(name: u64) -> u64 {
    (name >> 32) - 1
}

impl Worker {
    fn board(&self) -> &Board {
        &self.site.bank.board
    }

    /// A name on the board for a thread of this worker; 0 is the first one.
    fn me(&self, thread: u64) -> u64 {
        (self.number + 1) << 32 | thread
    }

    fn teller(&self) -> Teller<'_> {
        Teller { me: self.me(0), worker: Some(self.number), dice: &self.dice }
    }

    fn one_operation(&self) {
        match self.dice.below(80) {
            0..=5 => self.transfer(),
            6 => self.nest(),
            7 | 8 => self.store(),
            9 | 10 => self.hurry(),
            11 => self.start_threads(),
            12 => self.fork(),
            13 => self.come_and_go(),
            14 => self.site.bank.audit(self.me(0)),
            15 => self.site.vaults.audit(&self.teller()),
            16..=26 => self.site.vaults.transfer(&self.teller()),
            27..=29 => self.site.vaults.press(&self.teller()),
            30..=39 => self.site.hall.one_operation(self.board(), &self.dice),
            40..=43 => self.site.meetings.one_operation(self.board()),
            44..=51 => self.site.bells.one_operation(self.board(), &self.dice),
            52..=59 => self.site.churn.one_operation(&self.dice),
            _ => self.site.post.one_operation(self.number, self.board(), &self.dice),
        }
    }

    fn transfer(&self) {
        let from = self.dice.below(ACCOUNTS);
        let to = (from + 1 + self.dice.below(ACCOUNTS - 1)) % ACCOUNTS;
        let linger = || self.dice.linger();
        self.site.bank.transfer(self.number, self.me(0), [from, to], linger);
    }

    fn nest(&self) {
        let mutex = &self.site.recursive;
        let outer = enter(self.board(), mutex, RECURSIVE, self.me(0));
        for _ in 0..3 {
            mutex.acquire(Deadline::NOW).expect("held already");
        }
        self.dice.linger();
        (0..3).for_each(|_| mutex.release().expect("held"));
        outer.leave();
    }

    /// A value of many bytes is all of one store, or all of another.
    fn store(&self) {
        let large = &self.site.large;
        large.store(&self.dice.bytes(LARGE), Deadline::NEVER).expect("stored");
        let mut seen = [0; LARGE as usize];
        large.load(&mut seen).expect("loaded");
        if seen.iter().any(|byte| *byte != seen[0]) {
            self.board().accuse(&format!("a torn value: {seen:?}"));
        }
    }

    /// Limits, and tries.
    fn hurry(&self) {
        let deadline = self.dice.soon();
        let busy = &self.site.busy;
        if let Some(inside) = enter_before(self.board(), busy, BUSY, self.me(0), deadline) {
            self.dice.linger();
            inside.leave();
        }
    }

    fn start_threads(&self) {
        let count = 1 + self.dice.below(3);
        thread::scope(|scope| {
            for thread in 1..=count {
                let (board, site, me) = (self.board(), &self.site, self.me(thread));
                let (busy, vaults) = (&site.busy, &site.vaults);
                let seed = self.dice.below(u64::MAX);
                scope.spawn(move || {
                    enter(board, busy, BUSY, me).leave();
                    vaults.transfer(&Teller { me, worker: None, dice: &Dice::new(seed) });
                });
            }
        });
        self.board().add(THREADS, count);
    }

    fn fork(&self) {
        let child = Child::fork(|_| {
            enter(self.board(), &self.site.busy, BUSY, self.me(99)).leave();
            self.site.churn.one_operation(&self.dice);
        });
        if self.dice.one_in(3) {
            child.kill();
            self.site.churn.note_lost_child();
        } else {
            child.ends_well();
        }
        self.board().add(FORKS, 1);
    }

    /// Handles of its own, and objects that others make at the same time.
    fn come_and_go(&self) {
        let segment = open_segment();
        let name = format!("passing mutex {}", self.dice.below(30));
        let mutex = Mutex::open_or_create(&segment, Some(&name), false).expect("a mutex");
        mutex.acquire(Deadline::NEVER).expect("taken");
        mutex.mark_consistent().expect("held");
        mutex.release().expect("held");
        drop((mutex, segment));
        self.segment.verify().expect("sound at every moment");
    }
}
