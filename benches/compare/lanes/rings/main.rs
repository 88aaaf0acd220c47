//! rings CPU CPU rtrb|rtrb-lines|crossbeam
//!
//! Rings that live in one process: two threads of it, each on a processor, put and get as fast as
//! they can. They answer as two processes would, on one line.

use std::hint::black_box;
use std::io::{Write, stdin, stdout};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crossbeam_queue::ArrayQueue;

const CAPACITY: usize = 1024;
/// Between two looks at the clock.
const BATCH: u64 = 256;
/// Who begins a slice so late was not given its processor in time.
const LATE_NS: u64 = 20_000;

/// Moves up to so many records; says how many.
type Move = Box<dyn FnMut(u64) -> u64 + Send>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [here, there, ring] = &arguments[..] else {
        panic!("usage: rings CPU CPU rtrb|rtrb-lines|crossbeam");
    };
    let (put, get) = match ring.as_str() {
        "rtrb" => rtrb_of::<u64>(|number| number),
        "rtrb-lines" => rtrb_of::<[u64; 8]>(|number| [number; 8]),
        "crossbeam" => crossbeam(),
        _ => panic!("no such ring"),
    };
    // SAFETY: nothing runs on the signal.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    let ends = [(here, put), (there, get)].map(|(cpu, moves)| End::start(cpu, moves));
    say("ready");
    for line in stdin().lines() {
        let line = line.expect("lines of text");
        let words: Vec<&str> = line.split(' ').collect();
        let moment = |n: usize| words[n].parse::<u64>().expect("a moment");
        for end in &ends {
            end.ask.send((moment(1), moment(2))).expect("it lives");
        }
        let answers = ends.each_ref().map(|end| end.answer.recv().expect("it lives"));
        say(&answers.join(" "));
    }
}

fn rtrb_of<T: Copy + Send + 'static>(record: fn(u64) -> T) -> (Move, Move) {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<T>::new(CAPACITY);
    let mut number = 0;
    let put = move |n| {
        for moved in 0..n {
            number += 1;
            if producer.push(black_box(record(number))).is_err() {
                return moved;
            }
        }
        n
    };
    let get = move |n| {
        for moved in 0..n {
            match consumer.pop() {
                Ok(record) => drop(black_box(record)),
                Err(_) => return moved,
            }
        }
        n
    };
    (Box::new(put), Box::new(get))
}

fn crossbeam() -> (Move, Move) {
    let queue = Arc::new(ArrayQueue::<u64>::new(CAPACITY));
    let (producer, consumer) = (queue.clone(), queue);
    let mut number = 0;
    let put = move |n| {
        for moved in 0..n {
            number += 1;
            if producer.push(black_box(number)).is_err() {
                return moved;
            }
        }
        n
    };
    let get = move |n| {
        for moved in 0..n {
            match consumer.pop() {
                Some(record) => drop(black_box(record)),
                None => return moved,
            }
        }
        n
    };
    (Box::new(put), Box::new(get))
}

/// One of the two threads.
struct End {
    ask: Sender<(u64, u64)>,
    answer: Receiver<String>,
}

impl End {
    fn start(cpu: &str, mut moves: Move) -> Self {
        let cpu = cpu.parse().expect("a processor");
        let (ask, asked) = channel();
        let (tell, answer) = channel();
        thread::spawn(move || {
            pin(cpu);
            for (from, until) in asked {
                tell.send(slice(&mut moves, from, until)).expect("somebody listens");
            }
        });
        Self { ask, answer }
    }
}

fn slice(moves: &mut Move, from: u64, until: u64) -> String {
    let before = preempted();
    let mut begin = now_ns();
    while begin < from {
        begin = now_ns();
    }
    let (mut moved, mut now) = (0, begin);
    while now < until {
        moved += moves(BATCH);
        now = now_ns();
    }
    let late = i64::from(begin - from > LATE_NS);
    format!("{} {} {}", moved / 2, now - begin, preempted() - before + late)
}

fn pin(cpu: usize) {
    // SAFETY: all zero is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: a set of this call's own.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: reads that set.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
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
