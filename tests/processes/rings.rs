//! Rings between processes: what survivors get of what the killed had put, had in the hand or were
//! to get, and forks.

use std::time::Duration;

use atoll::{Deadline, Fanin, Mpmc, RingOptions, Segment, Spsc, Status, Type, TypeCode};

use crate::scene::{found, open, status, within};
use crate::support::child::Child;

/// Longer than any step of a test takes.
const LONG: Duration = Duration::from_secs(60);

fn number() -> Type {
    Type::scalar(TypeCode::U64).expect("a type")
}

fn options() -> RingOptions {
    RingOptions::with_capacity(4)
}

fn many(segment: &Segment) -> Mpmc {
    Mpmc::open_or_create(segment, Some("many"), &number(), &options()).expect("an mpmc")
}

fn pair(segment: &Segment) -> Spsc {
    Spsc::open_or_create(segment, Some("pair"), &number(), &options()).expect("a spsc")
}

fn lanes(segment: &Segment) -> Fanin {
    let options = options().with_lanes(2);
    Fanin::open_or_create(segment, Some("lanes"), &number(), &options).expect("a fanin")
}

fn bytes(number: u64) -> [u8; 8] {
    number.to_ne_bytes()
}

/// The next one, and how often it was taken over.
fn get(ring: &Mpmc) -> (u64, u32) {
    let mut out = [0; 8];
    let (_, times) = ring.get_marked(&mut out, within(LONG)).expect("a record");
    (u64::from_ne_bytes(out), times)
}

pub(crate) fn what_a_killed_producer_has_put_stays() {
    let segment = found();
    let mut ring = pair(&segment);
    let mut child = Child::spawn(|mut stage| {
        let mut ring = pair(&open());
        ring.push(&bytes(1)).expect("room");
        stage.tell("put");
        stage.stay();
    });
    child.says("put");
    assert_eq!(status(ring.push(&bytes(2))), Status::NotOwner);
    child.kill();
    ring.put(&bytes(2), within(LONG)).expect("its place is to be had");
    let mut out = [0; 8];
    for number in [1, 2] {
        ring.get(&mut out, within(LONG)).expect("a record");
        assert_eq!(u64::from_ne_bytes(out), number);
    }
}

pub(crate) fn a_killed_producer_leaves_its_lane() {
    let segment = found();
    let mut ring = lanes(&segment);
    for number in 0..20 {
        let mut child = Child::spawn(|mut stage| {
            let number = stage.hear().parse().expect("a number");
            let mut ring = lanes(&open());
            ring.push(&bytes(number)).expect("a lane, and room");
            stage.tell("put");
            stage.stay();
        });
        child.tell(number);
        child.says("put");
        child.kill();
        let mut out = [0; 8];
        ring.get(&mut out, within(LONG)).expect("a record");
        assert_eq!(u64::from_ne_bytes(out), number);
    }
}

pub(crate) fn what_the_killed_had_in_the_hand_goes_to_another() {
    let segment = found();
    let ring = many(&segment);
    for _ in 0..10 {
        ring.push(&bytes(1)).expect("room");
        let mut child = Child::spawn(|mut stage| {
            let ring = many(&open());
            let _read = ring.peek().expect("a record");
            let _skipped = ring.claim(8).expect("room");
            ring.push(&bytes(2)).expect("room");
            stage.tell("has both");
            stage.stay();
        });
        child.says("has both");
        assert_eq!(status(ring.get(&mut [0; 8], Deadline::NOW)), Status::TimedOut);
        child.kill();
        let mut found = [get(&ring), get(&ring)];
        found.sort_unstable();
        assert_eq!(found, [(1, 1), (2, 0)]);
        assert_eq!(status(ring.pop(&mut [0; 8])), Status::Empty);
    }
    let pushed = (0..9).take_while(|number| ring.push(&bytes(*number)).is_ok()).count();
    assert_eq!(pushed, 4, "no place is lost");
}

pub(crate) fn a_sleeping_getter_gets_what_the_killed_had() {
    let segment = found();
    let ring = many(&segment);
    ring.push(&bytes(7)).expect("room");
    let mut holder = Child::spawn(|mut stage| {
        let ring = many(&open());
        let _read = ring.peek().expect("a record");
        stage.tell("has it");
        stage.stay();
    });
    holder.says("has it");
    let getter = Child::spawn(|_| assert_eq!(get(&many(&open())), (7, 1)));
    holder.kill();
    getter.ends_well();
    assert_eq!(status(ring.pop(&mut [0; 8])), Status::Empty);
}

pub(crate) fn a_killed_getter_is_in_nobodys_way() {
    let segment = found();
    let ring = many(&segment);
    let mut sleepers: Vec<_> = (0..3)
        .map(|_| {
            Child::spawn(|mut stage| {
                let ring = many(&open());
                stage.tell("waits");
                get(&ring);
            })
        })
        .collect();
    sleepers.iter_mut().for_each(|sleeper| sleeper.says("waits"));
    sleepers.remove(0).kill();
    (0..2).for_each(|number| ring.push(&bytes(number)).expect("room"));
    sleepers.into_iter().for_each(Child::ends_well);
    assert_eq!(status(ring.pop(&mut [0; 8])), Status::Empty);
}

pub(crate) fn a_child_has_no_ends_and_nothing_in_the_hand() {
    let segment = found();
    let (mut pair, many) = (pair(&segment), many(&segment));
    pair.push(&bytes(1)).expect("room");
    many.push(&bytes(1)).expect("room");
    let read = many.peek().expect("a record");
    let child = Child::fork(|_| {
        assert_eq!(status(pair.push(&bytes(2))), Status::NotOwner);
        assert_eq!(status(many.pop(&mut [0; 8])), Status::Empty);
    });
    child.ends_well();
    pair.push(&bytes(2)).expect("room");
    read.advance().expect("still in the hand");
}
