//! What a ring for many does in one process; `tests/processes` kills some.

use super::mpmc::Mpmc;
use super::ring::{RingEnd, RingOptions, Waiting};
use super::segment::{Segment, SegmentOptions};
use super::types::{Type, TypeCode};
use super::wait_any::{Waitable, wait_any};
use crate::error::{Result, Status};
use crate::platform::time::Deadline;

fn segment(purpose: &str) -> Segment {
    let name = format!("atoll-test-{}-mpmc-{purpose}", std::process::id());
    let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
    Segment::unlink(&name).expect("unlink");
    segment
}

fn ring(segment: &Segment, options: &RingOptions) -> Mpmc {
    let ty = Type::scalar(TypeCode::U64).expect("a type");
    Mpmc::create(segment, None, &ty, options).expect("a ring")
}

fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status())
}

fn push(ring: &Mpmc, number: u64) -> Result<()> {
    ring.push(&number.to_ne_bytes())
}

fn pop(ring: &Mpmc) -> Result<u64> {
    let mut bytes = [0; 8];
    ring.pop(&mut bytes).map(|_| u64::from_ne_bytes(bytes))
}

#[test]
fn records_come_out_in_order_over_many_laps() {
    let segment = segment("laps");
    for capacity in [1, 2, 4] {
        let ring = ring(&segment, &RingOptions::with_capacity(capacity));
        let (mut pushed, mut popped) = (0u64, 0u64);
        for step in 0..500u64 {
            for _ in 0..step % 6 {
                match push(&ring, pushed) {
                    Ok(()) => pushed += 1,
                    Err(error) => {
                        assert_eq!((error.status(), pushed - popped), (Status::Full, capacity));
                    }
                }
            }
            for _ in 0..(step / 7) % 6 {
                match pop(&ring) {
                    Ok(number) => {
                        assert_eq!(number, popped);
                        popped += 1;
                    }
                    Err(error) => assert_eq!((error.status(), popped), (Status::Empty, pushed)),
                }
            }
            if step % 50 == 0 {
                segment.verify().expect("sound");
            }
        }
        let info = ring.info();
        assert_eq!((info.pushed, info.popped, info.length), (pushed, popped, pushed - popped));
        assert_eq!((info.redelivered, info.skipped, info.high_water), (0, 0, capacity));
    }
}

#[test]
fn batches_go_round_the_end() {
    let segment = segment("batches");
    let ring = ring(&segment, &RingOptions::with_capacity(8));
    let mut next = 0u64;
    for n in (1..=8).cycle().take(100) {
        let records: Vec<u8> = (next..next + n).flat_map(u64::to_ne_bytes).collect();
        assert_eq!(ring.push_n(&records).expect("room"), n);
        let mut got = vec![0; 8 * 8];
        assert_eq!(ring.pop_n(&mut got).expect("records"), n);
        assert_eq!(got[..records.len()], records);
        next += n;
    }
    let many: Vec<u8> = (0..10u64).flat_map(u64::to_ne_bytes).collect();
    assert_eq!(ring.push_n(&many).expect("room for some"), 8);
    assert_eq!(status(ring.push_n(&many)), Status::Full);
    assert_eq!(ring.push_n(&[]).expect("nothing fits"), 0);
    assert_eq!(status(ring.push_n(&[0; 9])), Status::InvalidArgument);
    assert_eq!(status(ring.pop_n(&mut [0; 7])), Status::TooSmall);
}

#[test]
fn records_of_all_sizes_and_alignments() {
    let segment = segment("sizes");
    for (size, align) in [(1, 1), (3, 1), (12, 4), (64, 64), (200, 8), (1000, 1)] {
        let ty = Type::structure(size, align, "").expect("a type");
        let ring = Mpmc::create(&segment, None, &ty, &RingOptions::with_capacity(4));
        let ring = ring.expect("a ring");
        for lap in 0..10u8 {
            let record = vec![lap; size as usize];
            ring.push(&record).expect("room");
            let mut got = vec![99; size as usize + 1];
            assert_eq!(ring.pop_marked(&mut got).expect("a record"), (size as usize, 0));
            assert_eq!(got[..size as usize], record);
            assert_eq!(got[size as usize], 99);
        }
    }
    segment.verify().expect("sound");
}

#[test]
fn what_no_ring_can_be_is_refused() {
    let segment = segment("options");
    let ty = Type::scalar(TypeCode::U64).expect("a type");
    for options in [
        RingOptions::with_capacity(0),
        RingOptions::with_capacity(3),
        RingOptions::with_capacity(1 << 33),
        RingOptions::with_capacity(4).with_lanes(1),
    ] {
        let made = Mpmc::create(&segment, None, &ty, &options);
        assert_eq!(status(made), Status::InvalidArgument, "{options:?}");
    }
    let ring = ring(&segment, &RingOptions::with_capacity(2));
    assert_eq!(status(ring.push(&[0; 7])), Status::InvalidArgument);
    push(&ring, 5).expect("room");
    assert_eq!(status(ring.pop(&mut [0; 7])), Status::TooSmall);
    assert_eq!(pop(&ring).expect("it stayed"), 5);
}

#[test]
fn an_end_that_is_closed_is_closed_for_all() {
    let segment = segment("ends");
    let both = RingOptions::with_capacity(2);
    let ring_1 = ring(&segment, &both);
    push(&ring_1, 1).expect("room");
    ring_1.shutdown(RingEnd::Producers).expect("closed");
    assert_eq!(status(push(&ring_1, 2)), Status::Closed);
    assert_eq!(ring_1.info().skipped, 0);
    assert_eq!(status(ring_1.put(&[0; 8], Deadline::NEVER)), Status::Closed);
    assert_eq!(pop(&ring_1).expect("what was put is got"), 1);
    assert_eq!(status(pop(&ring_1)), Status::Closed);
    assert_eq!(status(ring_1.get(&mut [0; 8], Deadline::NEVER)), Status::Closed);
    let ready = wait_any(&[Waitable::Mpmc(&ring_1, RingEnd::Consumers)], Deadline::NOW);
    assert_eq!(ready.expect("it is an answer"), 1);
    let ring_2 = ring(&segment, &both);
    push(&ring_2, 1).expect("room");
    ring_2.shutdown(RingEnd::Consumers).expect("closed");
    assert_eq!(status(push(&ring_2, 2)), Status::Closed);
    assert_eq!(status(pop(&ring_2)), Status::Closed);
    segment.verify().expect("sound");
}

/// Producers and consumers that all wait: everything arrives once, and what one producer puts
/// in its order.
#[test]
fn those_who_wait_are_woken() {
    const PRODUCERS: u64 = 2;
    const EACH: u64 = 3000;
    for (waiting, capacity) in
        [(Waiting::Adaptive, 1), (Waiting::Sleep, 2), (Waiting::Adaptive, 64), (Waiting::Spin, 4)]
    {
        let segment = segment(&format!("waits-{waiting:?}-{capacity}"));
        let ring = &ring(&segment, &RingOptions::with_capacity(capacity).with_waiting(waiting));
        let got = std::thread::scope(|scope| {
            let consumers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let (mut got, mut bytes) = (Vec::new(), [0; 8]);
                        while ring.get(&mut bytes, Deadline::NEVER).is_ok() {
                            got.push(u64::from_ne_bytes(bytes));
                        }
                        assert_eq!(status(ring.get(&mut bytes, Deadline::NEVER)), Status::Closed);
                        got
                    })
                })
                .collect();
            let producers: Vec<_> = (0..PRODUCERS)
                .map(|producer| {
                    scope.spawn(move || {
                        for number in producer * EACH..(producer + 1) * EACH {
                            let record = number.to_ne_bytes();
                            ring.put(&record, Deadline::NEVER).expect("room at last");
                        }
                    })
                })
                .collect();
            producers.into_iter().for_each(|one| one.join().expect("it ended well"));
            ring.shutdown(RingEnd::Producers).expect("closed");
            consumers.into_iter().map(|one| one.join().expect("it ended well")).collect::<Vec<_>>()
        });
        for of_one in &got {
            for producer in 0..PRODUCERS {
                let of_both = of_one.iter().filter(|number| **number / EACH == producer);
                assert!(of_both.is_sorted(), "{waiting:?} {capacity}");
            }
        }
        let mut all: Vec<u64> = got.into_iter().flatten().collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..PRODUCERS * EACH), "{waiting:?} {capacity}");
        segment.verify().expect("sound");
    }
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let segment = segment("deadlines");
    let soon = || Deadline::after_ns(2_000_000).expect("positive");
    for waiting in [Waiting::Adaptive, Waiting::Sleep, Waiting::Spin] {
        let ring = ring(&segment, &RingOptions::with_capacity(1).with_waiting(waiting));
        assert_eq!(status(ring.get(&mut [0; 8], Deadline::NOW)), Status::TimedOut);
        assert_eq!(status(ring.get(&mut [0; 8], soon())), Status::TimedOut);
        ring.put(&[0; 8], soon()).expect("room");
        assert_eq!(status(ring.put(&[0; 8], soon())), Status::TimedOut);
    }
}
