//! A lane in Rust: see src/kit/mod.rs for the lines that it reads and writes.

use std::io::{Write, stdin, stdout};

/// Who begins a slice so late was not given its processor in time.
const LATE_NS: u64 = 20_000;

/// One of two ways to do the same thing.
pub struct Side<'a> {
    pub name: &'static str,
    /// Does so many operations.
    pub work: Box<dyn FnMut(u32) + 'a>,
    /// How many to do between two looks at the clock: a few microseconds' worth.
    pub batch: u32,
}

/// Works slices until the input ends.
pub fn serve(mut sides: [Side<'_>; 2]) {
    // SAFETY: nothing runs on the signal.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    say("ready");
    for line in stdin().lines() {
        let line = line.expect("lines of text");
        let words: Vec<&str> = line.split(' ').collect();
        let moment = |n: usize| words[n].parse::<u64>().expect("a moment");
        let side = sides.iter_mut().find(|side| side.name == words[0]).expect("a known side");
        say(&slice(side, moment(1), moment(2)));
    }
}

fn slice(side: &mut Side<'_>, from: u64, until: u64) -> String {
    let before = preempted();
    let mut begin = now_ns();
    while begin < from {
        begin = now_ns();
    }
    let (mut operations, mut now) = (0, begin);
    while now < until {
        (side.work)(side.batch);
        operations += u64::from(side.batch);
        now = now_ns();
    }
    let late = i64::from(begin - from > LATE_NS);
    format!("{operations} {} {}", now - begin, preempted() - before + late)
}

fn say(line: &str) {
    println!("{line}");
    stdout().flush().expect("somebody listens");
}

fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec; the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// How often the kernel gave this processor to somebody else.
fn preempted() -> i64 {
    // SAFETY: all zero is a valid value of every field.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills in a structure of its size.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    usage.ru_nivcsw
}
