//! rings CPU CPU rtrb|rtrb-lines|crossbeam
//!
//! Rings that live in one process: two threads of it, each on a processor, put and get as fast as
//! they can. They answer as two processes would, on one line.

#[path = "../lane.rs"]
mod lane;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crossbeam_queue::ArrayQueue;

const CAPACITY: usize = 1024;

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
    let ends = [(here, put), (there, get)].map(|(cpu, moves)| End::start(cpu, moves));
    lane::answer(|_, from, until| {
        for end in &ends {
            end.ask.send((from, until)).expect("it lives");
        }
        ends.each_ref().map(|end| end.answer.recv().expect("it lives")).join(" ")
    });
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
                tell.send(lane::stream_slice(&mut moves, from, until)).expect("somebody listens");
            }
        });
        Self { ask, answer }
    }
}

fn pin(cpu: usize) {
    // SAFETY: all zero is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: a set of this call's own.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: reads that set.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
}
