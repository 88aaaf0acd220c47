//! Kills, and the watch over progress.

use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atoll::{Deadline, Segment, SegmentOptions, Status};

use crate::bank::Bank;
use crate::board::{COUNTERS, DEATHS_MET, LONGEST_WAIT, SEGMENT, WORKERS};
use crate::support::child::Child;
use crate::worker;

/// Nobody may stand still for so long.
const WATCHDOG: Duration = Duration::from_secs(30);
/// How often a long run says how it goes.
const NEWS: Duration = Duration::from_secs(60);

struct Director {
    segment: Segment,
    bank: Bank,
    workers: Vec<Post>,
    namespaces: i32,
    random: u64,
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
    let mut director = Director::begin(permitted.unwrap_or(0));
    let outcome = director.direct(span).and_then(|()| director.close());
    let outcome = outcome.map(|()| director.figures(span));
    drop(director);
    let _ = Segment::unlink(SEGMENT);
    (outcome, permitted.is_none().into())
}

impl Director {
    fn begin(namespaces: i32) -> Self {
        let segment = Segment::create(SEGMENT, &SegmentOptions::default()).expect("a segment");
        let bank = Bank::create(&segment).expect("the bank");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let random = now.as_nanos() as u64;
        let (kills, stops, deaths_told) = (0, 0, 0);
        let mut director = Self {
            segment,
            bank,
            workers: Vec::new(),
            namespaces,
            random,
            kills,
            stops,
            deaths_told,
        };
        for number in 0..WORKERS {
            let post = director.fill(number);
            director.workers.push(post);
        }
        director
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % limit
    }

    /// A new worker for a place.
    fn fill(&mut self, number: u64) -> Post {
        self.bank.board.progress.set(number, 0).expect("a place");
        let mut worker = Child::spawn_in(self.namespaces, worker::work).expect("as before");
        worker.tell(number);
        worker.tell(self.below(u64::MAX));
        Post { worker, progress: 0, moved: Instant::now() }
    }

    /// Kills and stops until the time is over.
    fn direct(&mut self, span: Duration) -> Result<(), String> {
        let start = Instant::now();
        let mut told = 0;
        while start.elapsed() < span {
            if start.elapsed() > NEWS * (told + 1) {
                told += 1;
                println!("soak: {}", self.figures(start.elapsed()));
            }
            let pause = self.below(20_000);
            thread::sleep(Duration::from_micros(pause));
            let number = self.below(WORKERS);
            match self.below(4) {
                0 => self.stop(number),
                _ => self.kill(number)?,
            }
            self.watch()?;
        }
        Ok(())
    }

    fn stop(&mut self, number: u64) {
        let pause = self.below(10_000);
        let worker = &self.workers[number as usize].worker;
        worker.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_micros(pause));
        worker.signal(libc::SIGCONT);
        self.stops += 1;
    }

    /// A death is told, and the place filled again. With number 1 of a namespace all of
    /// it dies.
    fn kill(&mut self, number: u64) -> Result<(), String> {
        let took_part = self.bank.board.progress.get(number).expect("a place") > 0;
        self.workers[number as usize].worker.end();
        self.workers[number as usize] = self.fill(number);
        self.kills += 1;
        let told = self.hear_of_deaths()?;
        match took_part && told == 0 {
            true => Err(format!("nobody was told of the death of worker {number}")),
            false => Ok(()),
        }
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
        if self.bank.board.violations.load() != 0 {
            return Err("see above".into());
        }
        for (number, post) in self.workers.iter_mut().enumerate() {
            let progress = self.bank.board.progress.get(number as u64).expect("a place");
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

    /// Lets the workers leave, and looks at what they leave behind.
    fn close(&mut self) -> Result<(), String> {
        self.bank.board.is_over.store(1).expect("stored");
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
        self.bank.audit(u64::MAX);
        self.segment.verify().map_err(|error| error.to_string())?;
        let info = self.segment.info().map_err(|error| error.to_string())?;
        match (info.members, self.bank.board.violations.load()) {
            (1, 0) if self.bank.board.counters[DEATHS_MET].load() > 0 => Ok(()),
            (1, 0) => Err("nobody met a death: this shows nothing".into()),
            (members, 0) => Err(format!("{members} members are left")),
            _ => Err("see above".into()),
        }
    }

    fn figures(&self, span: Duration) -> String {
        let place = match self.namespaces {
            0 => "in one namespace",
            _ => "each number 1 of its pid namespace",
        };
        let mut text = format!("{:.0} s, {WORKERS} workers {place}", span.as_secs_f64());
        for (count, what) in
            [(self.kills, "kills"), (self.stops, "stops"), (self.deaths_told, "deaths told")]
        {
            let _ = write!(text, ", {count} {what}");
        }
        for (counter, name) in self.bank.board.counters.iter().zip(COUNTERS).take(LONGEST_WAIT) {
            let _ = write!(text, ", {} {name}", counter.load());
        }
        let longest = self.bank.board.counters[LONGEST_WAIT].load() as f64 / 1000.0;
        let _ = write!(text, " (over 100 ms; longest {longest:.1} ms), 0 violations");
        text
    }
}
