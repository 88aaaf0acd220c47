//! What a ring of messages does in one process.

use super::mpmc::Mpmc;
use super::ring::{RingEnd, RingOptions, Waiting};
use super::segment::{Segment, SegmentOptions};
use super::spsc::Spsc;
use super::types::Type;
use crate::error::{Result, Status};
use crate::platform::time::Deadline;

fn segment(purpose: &str) -> Segment {
    let name = format!("atoll-test-{}-messages-{purpose}", std::process::id());
    let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
    Segment::unlink(&name).expect("unlink");
    segment
}

fn ring(segment: &Segment, cells: u64) -> Mpmc {
    let options = RingOptions::with_capacity(cells);
    Mpmc::create(segment, None, &Type::message(), &options).expect("a ring")
}

fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status())
}

/// A message of that many bytes, of which each says where it is.
fn message(number: usize, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (number + 7 * at) as u8).collect()
}

fn pop(ring: &Mpmc) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 10_000];
    let length = ring.pop(&mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

#[test]
fn messages_of_all_lengths_go_round_the_end() {
    let segment = segment("lengths");
    for cells in [2, 8, 16, 64] {
        let ring = ring(&segment, cells);
        let most = cells as usize / 2 * 64 - 8;
        for number in 0..300 {
            let sent = message(number, number * 13 % (most + 1));
            ring.push(&sent).expect("room");
            assert_eq!(pop(&ring).expect("it was put"), sent, "{cells} cells, number {number}");
        }
        assert_eq!(status(pop(&ring)), Status::Empty);
        let refused = ring.push(&vec![0; most + 1]);
        assert_eq!(status(refused), Status::InvalidArgument);
        ring.push(&vec![1; most]).expect("that is the most");
        assert_eq!(pop(&ring).expect("it was put").len(), most);
        segment.verify().expect("sound");
    }
}

#[test]
fn several_are_in_it_at_a_time_and_in_order() {
    let segment = segment("order");
    let ring = ring(&segment, 16);
    let (mut put, mut got) = (0, 0);
    let length = |number: usize| number * 37 % 400;
    for step in 0..1000 {
        for _ in 0..step % 5 {
            match ring.push(&message(put, length(put))) {
                Ok(()) => put += 1,
                Err(error) => assert!(error.status() == Status::Full && put > got),
            }
        }
        for _ in 0..step % 4 {
            match pop(&ring) {
                Ok(bytes) => {
                    assert_eq!(bytes, message(got, length(got)));
                    got += 1;
                }
                Err(error) => assert_eq!((error.status(), got), (Status::Empty, put)),
            }
        }
    }
    assert!(put > 500);
    segment.verify().expect("sound");
}

#[test]
fn one_that_is_too_long_for_the_buffer_stays() {
    let segment = segment("buffers");
    let ring = ring(&segment, 8);
    ring.push(&message(1, 100)).expect("room");
    assert_eq!(status(ring.pop(&mut [0; 99])), Status::TooSmall);
    assert_eq!(pop(&ring).expect("it stayed"), message(1, 100));
    ring.push(&[]).expect("room");
    assert_eq!(ring.pop(&mut []).expect("it has no bytes"), 0);
}

#[test]
fn what_messages_cannot_do_is_refused() {
    let segment = segment("refused");
    let message = Type::message();
    let one = RingOptions::with_capacity(1);
    let made = Mpmc::create(&segment, None, &message, &one);
    assert_eq!(status(made), Status::InvalidArgument);
    let made = Spsc::create(&segment, None, &message, &RingOptions::with_capacity(4));
    assert_eq!(status(made), Status::InvalidArgument);
    let ring = ring(&segment, 4);
    assert_eq!(status(ring.push_n(&[0; 8])), Status::WrongKind);
    assert_eq!(status(ring.pop_n(&mut [0; 8])), Status::WrongKind);
    let named = Mpmc::create(&segment, Some("ring"), &message, &RingOptions::with_capacity(4));
    let other = Type::bytes(8).expect("a type");
    let opened = Mpmc::open(&segment, Some("ring"), Some(&other), &RingOptions::default());
    assert_eq!(status(opened), Status::WrongKind);
    assert_eq!(named.expect("a ring").ty(), &message);
}

/// Producers and consumers that all wait: everything arrives whole, and once.
#[test]
fn those_who_wait_are_woken() {
    const EACH: usize = 2000;
    for (waiting, cells) in [(Waiting::Adaptive, 8), (Waiting::Sleep, 16), (Waiting::Spin, 8)] {
        let segment = segment(&format!("waits-{waiting:?}-{cells}"));
        let options = RingOptions::with_capacity(cells).with_waiting(waiting);
        let ring = Mpmc::create(&segment, None, &Type::message(), &options).expect("a ring");
        let ring = &ring;
        let length = |number: usize| 8 + number * 29 % (cells as usize / 2 * 64 - 16);
        let got = std::thread::scope(|scope| {
            let consumers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let (mut got, mut bytes) = (Vec::new(), vec![0; 1000]);
                        while let Ok(length) = ring.get(&mut bytes, Deadline::NEVER) {
                            got.push(bytes[..length].to_vec());
                        }
                        got
                    })
                })
                .collect();
            let producers: Vec<_> = (0..2)
                .map(|producer| {
                    scope.spawn(move || {
                        for number in producer * EACH..(producer + 1) * EACH {
                            let mut bytes = message(number, length(number));
                            bytes[..8].copy_from_slice(&number.to_ne_bytes());
                            ring.put(&bytes, Deadline::NEVER).expect("room at last");
                        }
                    })
                })
                .collect();
            producers.into_iter().for_each(|one| one.join().expect("it ended well"));
            ring.shutdown(RingEnd::Producers).expect("closed");
            consumers.into_iter().flat_map(|one| one.join().expect("it ended well")).collect()
        });
        let got: Vec<Vec<u8>> = got;
        let mut numbers: Vec<usize> = Vec::new();
        for bytes in got {
            let number = usize::from_ne_bytes(bytes[..8].try_into().expect("eight"));
            let sent = message(number, length(number));
            assert_eq!(bytes[8..], sent[8..], "number {number}");
            numbers.push(number);
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..2 * EACH), "{waiting:?} {cells}");
        segment.verify().expect("sound");
    }
}
