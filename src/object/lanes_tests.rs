//! What rings with lanes do in one process; `tests/processes` kills some.

use super::fanin::Fanin;
use super::ring::{RingEnd, RingOptions, Waiting};
use super::segment::{Segment, SegmentOptions};
use super::spsc::Spsc;
use super::types::{Type, TypeCode};
use super::wait_any::{Waitable, wait_any};
use crate::error::{Result, Status};
use crate::platform::time::Deadline;

fn segment(purpose: &str) -> Segment {
    let name = format!("atoll-test-{}-lanes-{purpose}", std::process::id());
    let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
    Segment::unlink(&name).expect("unlink");
    segment
}

fn number() -> Type {
    Type::scalar(TypeCode::U64).expect("a type")
}

fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status())
}

/// Two handles of one ring.
fn pair(segment: &Segment, options: &RingOptions) -> (Spsc, Spsc) {
    let first = Spsc::create(segment, Some("ring"), &number(), options).expect("a ring");
    let second = Spsc::open(segment, Some("ring"), None, &RingOptions::default());
    (first, second.expect("the same ring"))
}

fn pop(ring: &mut Spsc) -> Result<u64> {
    let mut bytes = [0; 8];
    ring.pop(&mut bytes).map(|_| u64::from_ne_bytes(bytes))
}

#[test]
fn records_come_out_in_order_over_many_laps() {
    let segment = segment("laps");
    let (mut here, mut there) = pair(&segment, &RingOptions::with_capacity(4));
    let (mut pushed, mut popped) = (0u64, 0u64);
    for step in 0..1000u64 {
        for _ in 0..step % 6 {
            match here.push(&pushed.to_ne_bytes()) {
                Ok(()) => pushed += 1,
                Err(error) => assert_eq!((error.status(), pushed - popped), (Status::Full, 4)),
            }
        }
        for _ in 0..(step / 7) % 6 {
            match pop(&mut there) {
                Ok(number) => {
                    assert_eq!(number, popped);
                    popped += 1;
                }
                Err(error) => assert_eq!((error.status(), popped), (Status::Empty, pushed)),
            }
        }
    }
    let info = there.info();
    assert_eq!((info.pushed, info.popped, info.length), (pushed, popped, pushed - popped));
    assert!(pushed > 100 && info.high_water <= 4 && info.high_water > 1, "{info:?}");
    segment.verify().expect("sound");
}

#[test]
fn batches_go_round_the_end() {
    let segment = segment("batches");
    let (mut here, mut there) = pair(&segment, &RingOptions::with_capacity(8));
    let mut next = 0u64;
    for n in (1..=8).cycle().take(100) {
        let records: Vec<u8> = (next..next + n).flat_map(u64::to_ne_bytes).collect();
        assert_eq!(here.push_n(&records).expect("room"), n);
        let mut got = vec![0; 8 * 8];
        assert_eq!(there.pop_n(&mut got).expect("records"), n);
        assert_eq!(got[..records.len()], records);
        next += n;
    }
    let many: Vec<u8> = (0..10u64).flat_map(u64::to_ne_bytes).collect();
    assert_eq!(here.push_n(&many).expect("room for some"), 8);
    assert_eq!(status(here.push_n(&many)), Status::Full);
    assert_eq!(here.push_n(&[]).expect("nothing fits"), 0);
    assert_eq!(status(there.pop_n(&mut [0; 7])), Status::TooSmall);
}

#[test]
fn records_are_written_and_read_in_their_places() {
    let segment = segment("places");
    let (mut here, mut there) = pair(&segment, &RingOptions::with_capacity(4));
    assert_eq!(status(here.commit(1)), Status::InvalidArgument);
    for lap in 0..10u64 {
        let mut places = here.claim(3).expect("room");
        let n = places.len();
        for at in 0..n {
            places.write(at, &(10 * lap + at).to_ne_bytes());
        }
        assert_eq!(status(pop(&mut there)), Status::Empty);
        here.commit(n).expect("claimed");
        assert_eq!(status(here.commit(n)), Status::InvalidArgument);
        let places = there.peek(9).expect("records");
        assert_eq!(places.len(), n);
        for at in 0..n {
            let mut bytes = [0; 8];
            places.read(at, &mut bytes);
            assert_eq!(u64::from_ne_bytes(bytes), 10 * lap + at);
        }
        assert_eq!(status(there.advance(n + 1)), Status::InvalidArgument);
        there.advance(n).expect("shown");
        assert_eq!(status(there.advance(1)), Status::InvalidArgument);
    }
    here.claim(1).expect("room");
    here.push(&[0; 8]).expect("room");
    assert_eq!(status(here.commit(1)), Status::InvalidArgument, "something was pushed since");
    here.claim(1).expect("room");
    here.abandon().expect("claimed");
    assert_eq!(status(here.abandon()), Status::InvalidArgument);
}

#[test]
fn a_role_has_one_handle_until_it_is_given_up() {
    let segment = segment("roles");
    let (mut here, mut there) = pair(&segment, &RingOptions::with_capacity(4));
    here.push(&1u64.to_ne_bytes()).expect("room");
    assert_eq!(status(there.push(&[0; 8])), Status::NotOwner);
    assert_eq!(pop(&mut there).expect("it was put"), 1);
    assert_eq!(status(pop(&mut here)), Status::NotOwner);
    here.leave(RingEnd::Producers);
    there.push(&2u64.to_ne_bytes()).expect("the role is free");
    drop(there);
    assert_eq!(pop(&mut here).expect("it stays"), 2);
}

#[test]
fn what_no_ring_can_be_is_refused() {
    let segment = segment("options");
    for capacity in [0, 3, 1 << 33] {
        let made = Spsc::create(&segment, None, &number(), &RingOptions::with_capacity(capacity));
        assert_eq!(status(made), Status::InvalidArgument, "{capacity}");
    }
    let lanes = |lanes| RingOptions::with_capacity(2).with_lanes(lanes);
    assert_eq!(status(Spsc::create(&segment, None, &number(), &lanes(2))), Status::InvalidArgument);
    for n in [0, 65] {
        let made = Fanin::create(&segment, None, &number(), &lanes(n));
        assert_eq!(status(made), Status::InvalidArgument, "{n} lanes");
    }
    let huge = Type::bytes(1 << 30).expect("a type");
    let made = Spsc::create(&segment, None, &huge, &RingOptions::with_capacity(1 << 20));
    assert_eq!(status(made), Status::InvalidArgument);
    let (mut ring, _other) = pair(&segment, &RingOptions::with_capacity(2));
    for (ty, capacity) in [(Type::scalar(TypeCode::I64), 0), (Type::scalar(TypeCode::U64), 4)] {
        let ty = ty.expect("a type");
        let options = RingOptions::with_capacity(capacity);
        let opened = Spsc::open(&segment, Some("ring"), Some(&ty), &options);
        assert_eq!(status(opened), Status::WrongKind);
    }
    assert_eq!(status(ring.push(&[0; 7])), Status::InvalidArgument);
    ring.push(&[1; 8]).expect("room");
    assert_eq!(status(ring.pop(&mut [0; 7])), Status::TooSmall);
    assert_eq!(ring.pop(&mut [0; 9]).expect("it stayed"), 8);
}

#[test]
fn an_end_that_is_closed_is_closed_for_all() {
    let segment = segment("ends");
    let (mut here, mut there) = pair(&segment, &RingOptions::with_capacity(2));
    here.push(&1u64.to_ne_bytes()).expect("room");
    there.shutdown(RingEnd::Producers).expect("closed");
    assert_eq!(status(here.push(&[0; 8])), Status::Closed);
    assert_eq!(status(here.put(&[0; 8], Deadline::NEVER)), Status::Closed);
    assert_eq!(pop(&mut there).expect("what was put is got"), 1);
    assert_eq!(status(pop(&mut there)), Status::Closed);
    assert_eq!(status(there.get(&mut [0; 8], Deadline::NEVER)), Status::Closed);
    assert!(there.info().producers_ended && !there.info().consumers_ended);
    let ready = wait_any(&[Waitable::Spsc(&there, RingEnd::Consumers)], Deadline::NOW);
    assert_eq!(ready.expect("it is an answer"), 1);
    segment.verify().expect("sound");
    Spsc::remove(&segment, "ring").expect("removed");
    let (mut here, there) = pair(&segment, &RingOptions::with_capacity(2));
    there.shutdown(RingEnd::Consumers).expect("closed");
    assert_eq!(status(here.push(&[0; 8])), Status::Closed);
    segment.verify().expect("sound");
}

/// Two threads pass numbers to and fro through rings that are always full or empty.
#[test]
fn those_who_wait_are_woken() {
    for waiting in [Waiting::Adaptive, Waiting::Sleep, Waiting::Spin] {
        let segment = segment(&format!("waits-{waiting:?}"));
        let options = RingOptions::with_capacity(1).with_waiting(waiting);
        let (mut here, mut there) = pair(&segment, &options);
        const ROUNDS: u64 = 2000;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    here.put(&round.to_ne_bytes(), Deadline::NEVER).expect("room at last");
                }
                here.shutdown(RingEnd::Producers).expect("closed");
            });
            for round in 0..ROUNDS {
                let mut bytes = [0; 8];
                there.get(&mut bytes, Deadline::NEVER).expect("a record at last");
                assert_eq!(u64::from_ne_bytes(bytes), round);
            }
            let end = there.get(&mut [0; 8], Deadline::NEVER);
            assert_eq!(status(end), Status::Closed);
        });
        segment.verify().expect("sound");
    }
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let segment = segment("deadlines");
    let soon = || Deadline::after_ns(2_000_000).expect("positive");
    for waiting in [Waiting::Adaptive, Waiting::Sleep, Waiting::Spin] {
        let options = RingOptions::with_capacity(1).with_waiting(waiting);
        let mut ring = Spsc::create(&segment, None, &number(), &options).expect("a ring");
        assert_eq!(status(ring.get(&mut [0; 8], Deadline::NOW)), Status::TimedOut);
        assert_eq!(status(ring.get(&mut [0; 8], soon())), Status::TimedOut);
        ring.put(&[0; 8], soon()).expect("room");
        assert_eq!(status(ring.put(&[0; 8], soon())), Status::TimedOut);
    }
}

#[test]
fn each_producer_of_a_fanin_has_a_lane() {
    let segment = segment("fanin");
    let options = RingOptions::with_capacity(2).with_lanes(2);
    let open = || Fanin::open_or_create(&segment, Some("ring"), &number(), &options).expect("it");
    let (mut first, mut second, mut third) = (open(), open(), open());
    for number in 0..2u64 {
        first.push(&number.to_ne_bytes()).expect("room");
        second.push(&(10 + number).to_ne_bytes()).expect("room");
    }
    assert_eq!(status(first.push(&[0; 8])), Status::Full);
    assert_eq!(status(third.push(&[0; 8])), Status::NoSpace);
    let mut got = Vec::new();
    let mut bytes = [0; 8];
    while third.pop(&mut bytes).is_ok() {
        got.push(u64::from_ne_bytes(bytes));
    }
    for lane in [0, 10] {
        let of_lane: Vec<_> = got.iter().filter(|n| *n / 10 * 10 == lane).collect();
        assert_eq!(of_lane, [&lane, &(lane + 1)], "{got:?}");
    }
    drop(first);
    second.leave(RingEnd::Producers);
    third.push(&[0; 8]).expect("a lane is free");
    segment.verify().expect("sound");
}

/// A lane that is always full keeps no other from its turn.
#[test]
fn no_lane_is_left_behind() {
    let segment = segment("turns");
    let options = RingOptions::with_capacity(4).with_lanes(2);
    let open = || Fanin::open_or_create(&segment, Some("ring"), &number(), &options).expect("it");
    let (mut eager, mut rare, mut consumer) = (open(), open(), open());
    rare.push(&99u64.to_ne_bytes()).expect("room");
    let mut bytes = [0; 8];
    for turn in 0.. {
        while eager.push(&[0; 8]).is_ok() {}
        consumer.pop(&mut bytes).expect("there is always one");
        if u64::from_ne_bytes(bytes) == 99 {
            break;
        }
        assert!(turn < 10, "the other lane had no turn");
    }
}
