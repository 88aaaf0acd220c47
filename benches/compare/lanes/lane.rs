//! A lane in Rust: see src/kit/mod.rs for the lines that it reads and writes.

#![allow(dead_code, reason = "each lane uses a part of it")]

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
    answer(|name, from, until| {
        let side = sides.iter_mut().find(|side| side.name == name).expect("a known side");
        let work = || {
            (side.work)(side.batch);
            u64::from(side.batch)
        };
        slice(work, 1, from, until)
    });
}

/// The same for one end of a stream: `moves` tries to move up to so many records, and says how many
/// it was. A record is half of what the two ends do.
pub fn stream(mut moves: impl FnMut(u64) -> u64) {
    answer(|_, from, until| stream_slice(&mut moves, from, until));
}

/// One slice of that.
pub fn stream_slice(mut moves: impl FnMut(u64) -> u64, from: u64, until: u64) -> String {
    const BATCH: u64 = 256;
    slice(|| moves(BATCH), 2, from, until)
}

/// Answers each request: whose side it is for, from when, and until when.
pub fn answer(mut how: impl FnMut(&str, u64, u64) -> String) {
    // SAFETY: nothing runs on the signal.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    say("ready");
    for line in stdin().lines() {
        let line = line.expect("lines of text");
        let words: Vec<&str> = line.split(' ').collect();
        let moment = |n: usize| words[n].parse::<u64>().expect("a moment");
        say(&how(words[0], moment(1), moment(2)));
    }
}

/// Works until the time is over, on this thread; `work` says how much it has done, of which so many
/// parts are an operation.
fn slice(mut work: impl FnMut() -> u64, parts: u64, from: u64, until: u64) -> String {
    let before = preempted();
    let mut begin = now_ns();
    while begin < from {
        begin = now_ns();
    }
    let (mut done, mut now) = (0, begin);
    while now < until {
        done += work();
        now = now_ns();
    }
    let late = i64::from(begin - from > LATE_NS);
    format!("{} {} {}", done / parts, now - begin, preempted() - before + late)
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

/// How often the kernel gave this thread's processor to somebody else.
fn preempted() -> i64 {
    // SAFETY: all zero is a valid value of every field.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills in a structure of its size.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
    usage.ru_nivcsw
}
