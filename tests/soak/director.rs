//! Kills, rounds, and the watch over progress.

use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atoll::{Deadline, Segment, SegmentOptions, Status};

use crate::board::{
    Board, CARDS, CHAIRS_TAKEN, COUNTERS, DEATHS_MET, FIRST_VAULT, HEARD, LETTERS, LONGEST_WAIT,
    MEETINGS, SEGMENT, TAKE_OVERS, TELEGRAMS, TICKETS, TOLD, VAULTS, WORKERS,
};
use crate::census::{Census, info_of};
use crate::dice::Dice;
use crate::support::child::Child;
use crate::vault::Teller;
use crate::worker::{self, Site};

/// Nobody may stand still for so long.
const WATCHDOG: Duration = Duration::from_secs(60);
/// A round takes so long, or a quarter of a short run.
const ROUND: Duration = Duration::from_secs(60);

struct Director {
    segment: Segment,
    site: Site,
    census: Census,
    workers: Vec<Post>,
    namespaces: i32,
    dice: Dice,
    rounds: u64,
    kills: u64,
    stops: u64,
    deaths_told: u64,
}

/// A worker's place, and who has it now.
struct Post {
    worker: Child,
    /// Operations at the last look, and when they last changed.
    progress: u64,
    moved: Instant,
}

/// Soaks for that long. Gives the figures, or what went wrong; and how much of it this
/// machine cannot do.
pub(crate) fn run(span: Duration) -> (Result<String, String>, u32) {
    let namespaces = [libc::CLONE_NEWPID, libc::CLONE_NEWPID | libc::CLONE_NEWUSER];
    let can = |flags: &i32| Child::spawn_in(*flags, |_| {}).map(Child::ends_well).is_ok();
    let permitted = namespaces.into_iter().find(can);
    if permitted.is_none() {
        println!("soak: skipped: pid namespaces are not permitted here; the workers share one");
    }
    let outcome = direct(span, permitted.unwrap_or(0));
    let _ = Segment::unlink(SEGMENT);
    (outcome, permitted.is_none().into())
}

fn direct(span: Duration, namespaces: i32) -> Result<String, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let seed = now.as_nanos() as u64;
    let mut director = Director::begin(namespaces, seed)?;
    let start = Instant::now();
    // On a busy machine it takes longer until everything has happened once.
    while start.elapsed() < span || director.is_missing().is_some() && start.elapsed() < 20 * span {
        let round = (span / 4).min(ROUND);
        director.round(round).map_err(|trouble| {
            format!("{trouble}\n      after {} (seed {seed})", director.figures(start.elapsed()))
        })?;
        if span > ROUND {
            println!("soak: {}", director.figures(start.elapsed()));
        }
    }
    match director.is_missing() {
        Some(what) => Err(format!("there were no {what}: this shows nothing")),
        None => Ok(director.figures(start.elapsed())),
    }
}

impl Director {
    fn begin(namespaces: i32, seed: u64) -> Result<Self, String> {
        let segment = Segment::create(SEGMENT, &SegmentOptions::default()).expect("a segment");
        let site = Site::create(&segment).expect("the site");
        let census = Census::first(&segment)?;
        let (workers, dice) = (Vec::new(), Dice::new(seed));
        let (rounds, kills, stops, deaths_told) = (0, 0, 0, 0);
        Ok(Self {
            segment,
            site,
            census,
            workers,
            namespaces,
            dice,
            rounds,
            kills,
            stops,
            deaths_told,
        })
    }

    fn board(&self) -> &Board {
        &self.site.bank.board
    }

    /// What has not happened yet, and must have.
    fn is_missing(&self) -> Option<&'static str> {
        let counters = &self.board().counters;
        let met = [DEATHS_MET, TAKE_OVERS, TICKETS, CHAIRS_TAKEN, TOLD, HEARD, MEETINGS];
        let mut all = met.into_iter().chain([LETTERS, TELEGRAMS, CARDS]);
        all.find(|which| counters[*which].load() == 0).map(|which| COUNTERS[which])
    }

    /// A new worker for a place.
    fn fill(&mut self, number: u64) -> Post {
        self.board().progress.set(number, 0).expect("a place");
        let mut worker = Child::spawn_in(self.namespaces, worker::work).expect("as before");
        worker.tell(number);
        worker.tell(self.dice.below(u64::MAX));
        Post { worker, progress: 0, moved: Instant::now() }
    }

    /// Puts workers into all places, kills and stops them until the time is over, lets the
    /// last ones leave and looks at what they leave behind.
    fn round(&mut self, span: Duration) -> Result<(), String> {
        let start = Instant::now();
        self.board().is_over.store(0).expect("stored");
        self.workers = (0..WORKERS).map(|number| self.fill(number)).collect();
        while start.elapsed() < span {
            thread::sleep(Duration::from_micros(self.dice.below(20_000)));
            let number = self.choose();
            match self.dice.below(4) {
                0 => self.stop(number),
                _ => self.kill(number)?,
            }
            self.watch()?;
        }
        self.rounds += 1;
        self.close()
    }

    /// Any worker, or one that is in a vault.
    fn choose(&self) -> u64 {
        let vault = FIRST_VAULT + self.dice.below(VAULTS);
        let any = self.dice.below(WORKERS);
        match self.board().inside.get(vault).expect("a place") {
            0 => any,
            _ if self.dice.one_in(3) => any,
            name => worker::number_of(name),
        }
    }

    fn stop(&mut self, number: u64) {
        let worker = &self.workers[number as usize].worker;
        worker.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_micros(self.dice.below(10_000)));
        worker.signal(libc::SIGCONT);
        self.stops += 1;
    }

    /// A death is told, and the place filled again. With number 1 of a namespace all of
    /// it dies. Others may have come to wait for what it holds.
    fn kill(&mut self, number: u64) -> Result<(), String> {
        if self.dice.one_in(4) {
            self.workers[number as usize].worker.signal(libc::SIGSTOP);
            thread::sleep(Duration::from_micros(self.dice.below(2000)));
        }
        let took_part = self.board().progress.get(number).expect("a place") > 0;
        self.workers[number as usize].worker.end();
        self.workers[number as usize] = self.fill(number);
        self.kills += 1;
        let start = Instant::now();
        while self.hear_of_deaths()? == 0 && took_part {
            // Unless somebody new was faster, and has the dead one's slot.
            let epoch = info_of(&self.segment)?.death_epoch;
            if epoch != self.deaths_told {
                self.deaths_told = epoch;
                break;
            }
            // The kernel may clear a process away a little after its parent has heard of the end.
            if start.elapsed() > WATCHDOG {
                return Err(format!("nobody was told of the death of worker {number}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// All deaths until now, also of forked children; says how many there were.
    fn hear_of_deaths(&mut self) -> Result<u64, String> {
        for told in 0.. {
            match self.segment.wait_death(self.deaths_told, Deadline::NOW) {
                Ok(news) => self.deaths_told = news.epoch,
                Err(error) if error.status() == Status::TimedOut => return Ok(told),
                Err(error) => return Err(format!("wait_death: {error}")),
            }
        }
        unreachable!("so many have not lived")
    }

    /// Everybody moves, nobody has ended by itself, nobody accuses.
    fn watch(&mut self) -> Result<(), String> {
        self.check_accusations()?;
        for (number, post) in self.workers.iter_mut().enumerate() {
            let progress = self.site.bank.board.progress.get(number as u64).expect("a place");
            if progress != post.progress {
                (post.progress, post.moved) = (progress, Instant::now());
            }
            if post.moved.elapsed() > WATCHDOG {
                return Err(format!("worker {number} stands still after {progress} operations"));
            }
            if let Some(status) = post.worker.poll() {
                return Err(format!("worker {number} has ended with wait status {status:#x}"));
            }
        }
        Ok(())
    }

    fn check_accusations(&self) -> Result<(), String> {
        match self.board().violations.load() {
            0 => Ok(()),
            count => Err(format!("{count} violations, see above")),
        }
    }

    /// Lets the workers leave, and looks at what they leave behind.
    fn close(&mut self) -> Result<(), String> {
        self.board().is_over.store(1).expect("stored");
        let start = Instant::now();
        for post in &mut self.workers {
            loop {
                match post.worker.poll() {
                    Some(0) => break,
                    Some(status) => return Err(format!("a worker ended with {status:#x}")),
                    None if start.elapsed() > WATCHDOG => return Err("a worker hangs".into()),
                    None => thread::sleep(Duration::from_millis(1)),
                }
            }
        }
        self.workers.clear();
        self.hear_of_deaths()?;
        self.site.bank.audit(u64::MAX);
        self.site.vaults.audit(&Teller { me: u64::MAX, worker: None, dice: &self.dice });
        self.site.hall.audit(self.board(), &self.dice);
        self.site.post.audit(self.board(), self.kills);
        self.check_accusations()?;
        self.census.repeat(&self.segment)
    }

    fn figures(&self, span: Duration) -> String {
        let place = match self.namespaces {
            0 => "in one namespace",
            _ => "each number 1 of its pid namespace",
        };
        let mut text = format!("{:.0} s, {WORKERS} workers {place}", span.as_secs_f64());
        let own = [
            (self.rounds, "rounds"),
            (self.kills, "kills"),
            (self.stops, "stops"),
            (self.deaths_told, "deaths told"),
        ];
        let counters = &self.board().counters;
        let counted = counters.iter().map(atoll::Value::load).zip(COUNTERS).take(LONGEST_WAIT);
        for (count, what) in own.into_iter().chain(counted) {
            let _ = write!(text, ", {count} {what}");
        }
        let longest = counters[LONGEST_WAIT].load() as f64 / 1000.0;
        let violations = self.board().violations.load();
        let _ = write!(text, ", longest wait {longest:.1} ms, {violations} violations");
        if let Ok(info) = info_of(&self.segment) {
            let (used, committed) = (info.used, info.committed);
            let _ = write!(text, ", {used} bytes used of {committed}");
        }
        text
    }
}
