//! `make soak MINUTES=n`: workers that are killed at random, for as long as one likes.
//!
//! Every worker is process 1 of a pid namespace of its own, so that all of them have the
//! same process and thread ids. They lock, alone and nested, in threads and in forked
//! children, change numbers that belong together, and store large values; the director
//! kills them, stops them for a while, and replaces them. What must never happen is in
//! `ledger`; here is what must always happen: somebody gets on.
//!
//! | file | what is in it |
//! |---|---|
//! | `ledger` | what the workers share, and what has to be true of it |
//! | `worker` | what each of them does |

#[path = "../support/mod.rs"]
mod support;

mod ledger;
mod worker;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use ledger::{Ledger, Tally};
use support::child::{self, Child};
use support::system;

const WORKERS: u64 = 6;
/// What plain `cargo test` takes for it.
const SHORT: Duration = Duration::from_secs(10);
/// If nobody has entered a section for so long, everybody hangs.
const WATCHDOG: Duration = Duration::from_secs(30);
const CANNOT_RUN: u8 = 77;

fn main() -> ExitCode {
    child::play_part_if_any();
    system::become_subreaper();
    let directory = Directory::new();
    // SAFETY: the process has one thread.
    unsafe { env::set_var("ATOLL_DIR", &directory.0) };
    match Crew::hire() {
        Err(why) => {
            println!(
                "soak: skipped: no pid namespaces here ({why}): it needs root or user rights to unshare"
            );
            ExitCode::from(CANNOT_RUN)
        }
        Ok(crew) => close(soak(crew, span())),
    }
}

/// `minutes=n` of the arguments.
fn span() -> Duration {
    let minutes = env::args().find_map(|a| a.strip_prefix("minutes=")?.parse::<f64>().ok());
    minutes.map_or(SHORT, |minutes| Duration::from_secs_f64(60.0 * minutes))
}

fn close(outcome: Result<(), String>) -> ExitCode {
    match &outcome {
        Ok(()) => println!("test soak ... ok"),
        Err(why) => println!("test soak ... FAILED\n{why}"),
    }
    let (word, passed) = if outcome.is_ok() { ("ok", 1) } else { ("FAILED", 0) };
    println!("\ntest result: {word}. {passed} passed; {} failed; 0 ignored\n", 1 - passed);
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The workers, and the numbers to kill them by.
struct Crew {
    workers: Vec<Child>,
    hired: u64,
    dice: worker::Dice,
}

impl Crew {
    fn hire() -> io::Result<Self> {
        let mut crew = Self { workers: Vec::new(), hired: 0, dice: worker::Dice::new(1) };
        for _ in 0..WORKERS {
            let fresh = crew.one_more()?;
            crew.workers.push(fresh);
        }
        Ok(crew)
    }

    fn one_more(&mut self) -> io::Result<Child> {
        self.hired += 1;
        let mut child = Child::spawn_in(libc::CLONE_NEWPID, worker::play)?;
        child.tell(self.hired);
        Ok(child)
    }

    /// Something happens to somebody. Says whether it was a death.
    fn fate(&mut self) -> bool {
        let victim = self.dice.below(WORKERS) as usize;
        match self.dice.below(8) {
            0 => {
                self.workers[victim].signal(libc::SIGSTOP);
                thread::sleep(Duration::from_millis(self.dice.below(20)));
                self.workers[victim].signal(libc::SIGCONT);
                false
            }
            _ => {
                let fresh = self.one_more().expect("what went before goes again");
                std::mem::replace(&mut self.workers[victim], fresh).kill();
                true
            }
        }
    }
}

fn soak(mut crew: Crew, span: Duration) -> Result<(), String> {
    let ledger = Ledger::open();
    let begin = Instant::now();
    let (mut sections, mut since, mut kills, mut said) = (0, Instant::now(), 0u64, begin);
    while begin.elapsed() < span {
        thread::sleep(Duration::from_micros(200 + crew.dice.below(20_000)));
        kills += u64::from(crew.fate());
        let now = ledger.tally();
        if now.sections != sections {
            (sections, since) = (now.sections, Instant::now());
        }
        if since.elapsed() > WATCHDOG {
            return Err(format!(
                "nobody has entered a section for {} s: {now}",
                WATCHDOG.as_secs()
            ));
        }
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            println!("{:4} s: {kills} kills, {now}", begin.elapsed().as_secs());
        }
    }
    drop(crew);
    let tally = ledger.close()?;
    println!("soak: {} s, {kills} kills, {tally}", begin.elapsed().as_secs());
    judge(&tally, kills)
}

/// A run in which nothing happened shows nothing.
fn judge(tally: &Tally, kills: u64) -> Result<(), String> {
    if tally.violations != 0 {
        return Err(format!(
            "{} times two were in one section, or a value was torn",
            tally.violations
        ));
    }
    if kills == 0 || tally.deaths_told == 0 || tally.sections < 1_000 {
        return Err(format!("too little happened to mean anything: {kills} kills, {tally}"));
    }
    Ok(())
}

/// A directory for the segment, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = Path::new("/dev/shm").join(format!("atoll-soak-{}", std::process::id()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
