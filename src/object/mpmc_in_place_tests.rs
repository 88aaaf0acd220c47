//! What reservations in a ring for many do in one process.

use super::mpmc::Mpmc;
use super::ring::{RingEnd, RingOptions, Waiting};
use super::segment::{Segment, SegmentOptions};
use super::types::{Type, TypeCode};
use super::wait_any::{Waitable, wait_any};
use crate::error::{Result, Status};
use crate::platform::time::Deadline;

fn segment(purpose: &str) -> Segment {
    let name = format!("atoll-test-{}-in-place-{purpose}", std::process::id());
    let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
    Segment::unlink(&name).expect("unlink");
    segment
}

fn ring(segment: &Segment, capacity: u64) -> Mpmc {
    let options = RingOptions::with_capacity(capacity).with_waiting(Waiting::Sleep);
    let ty = Type::scalar(TypeCode::U64).expect("a type");
    Mpmc::create(segment, None, &ty, &options).expect("a ring")
}

fn messages(segment: &Segment, cells: u64) -> Mpmc {
    let options = RingOptions::with_capacity(cells);
    Mpmc::create(segment, None, &Type::message(), &options).expect("a ring")
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

/// A record that is peeked at, got, and how often it was taken over.
fn read(ring: &Mpmc) -> Result<(u64, u32)> {
    let shown = ring.peek()?;
    let mut bytes = [0; 8];
    shown.read(0, &mut bytes);
    let times = shown.times();
    shown.advance()?;
    Ok((u64::from_ne_bytes(bytes), times))
}

#[test]
fn several_are_open_and_come_in_the_order_of_their_claims() {
    let segment = segment("order");
    let ring = ring(&segment, 4);
    for lap in 0..50u64 {
        let mut claims: Vec<_> = (0..4).map(|_| ring.claim(8).expect("room")).collect();
        assert_eq!(status(ring.claim(8)), Status::Full);
        for (number, claim) in claims.iter_mut().enumerate() {
            claim.write(0, &(4 * lap + number as u64).to_ne_bytes());
        }
        // The last one first: nobody sees it before the others.
        while let Some(claim) = claims.pop() {
            assert_eq!(status(pop(&ring)), Status::Empty);
            claim.commit().expect("committed");
        }
        let first = ring.peek().expect("a record");
        let second = ring.peek().expect("another one");
        assert_eq!(pop(&ring).expect("the third one"), 4 * lap + 2);
        second.advance().expect("got");
        first.advance().expect("got");
        assert_eq!(read(&ring).expect("the last one"), (4 * lap + 3, 0));
        segment.verify().expect("sound");
    }
    let info = ring.info();
    assert_eq!((info.pushed, info.popped, info.redelivered, info.skipped), (200, 200, 0, 0));
}

#[test]
fn what_is_given_up_is_skipped_or_goes_to_another() {
    let segment = segment("given-up");
    let ring = ring(&segment, 4);
    let claim = ring.claim(8).expect("room");
    push(&ring, 1).expect("room");
    assert_eq!(status(pop(&ring)), Status::Empty);
    drop(claim);
    drop(ring.peek().expect("the one behind it"));
    assert_eq!(read(&ring).expect("it is there again"), (1, 1));
    assert_eq!(status(pop(&ring)), Status::Empty);
    for number in 0..4 {
        push(&ring, number).expect("the places are free again");
    }
    assert_eq!(status(push(&ring, 4)), Status::Full);
    segment.verify().expect("sound");
}

/// A handle that is closed gives up what it has.
#[test]
fn a_closed_handle_has_nothing() {
    let segment = segment("closed");
    let ty = Type::scalar(TypeCode::U64).expect("a type");
    let options = RingOptions::with_capacity(4);
    let ring = Mpmc::create(&segment, Some("ring"), &ty, &options).expect("a ring");
    let other = Mpmc::open(&segment, Some("ring"), None, &RingOptions::default()).expect("it");
    push(&other, 1).expect("room");
    core::mem::forget(ring.peek().expect("a record"));
    core::mem::forget(ring.claim(8).expect("room"));
    push(&other, 2).expect("room");
    assert_eq!(status(pop(&other)), Status::Empty);
    drop(ring);
    assert_eq!(read(&other).expect("it is there again"), (1, 1));
    assert_eq!(read(&other).expect("nothing is before it"), (2, 0));
    assert_eq!(status(pop(&other)), Status::Empty);
    segment.verify().expect("sound");
}

#[test]
fn messages_are_written_and_read_in_place() {
    let segment = segment("messages");
    let ring = messages(&segment, 8);
    for number in 0..100usize {
        let bytes = number * 7 % 248;
        let text: Vec<u8> = (0..bytes).map(|at| (number + at) as u8).collect();
        let mut claim = ring.claim(248).expect("room for half of the ring");
        assert_eq!(claim.len(), 248);
        claim.write(0, &text);
        claim.commit_first(bytes).expect("committed");
        let shown = ring.peek().expect("a message");
        let mut read = vec![0; shown.len()];
        shown.read(0, &mut read);
        assert_eq!(read, text);
        shown.advance().expect("got");
        segment.verify().expect("sound");
    }
    assert_eq!(status(ring.claim(249)), Status::InvalidArgument);
    let claim = ring.claim(10).expect("room");
    assert_eq!(claim.len(), 10);
    assert_eq!(status(claim.commit_first(57)), Status::InvalidArgument);
    assert_eq!(status(ring.peek()), Status::Empty);
}

#[test]
fn what_is_no_reservation_is_refused() {
    let segment = segment("refused");
    let ring = ring(&segment, 2);
    assert_eq!(status(ring.claim(7)), Status::InvalidArgument);
    assert_eq!(status(ring.peek()), Status::Empty);
    let thread = crate::roster::thread::here().expect("a thread");
    let calls = ring.ring();
    let id = calls.claim(thread, 8).expect("room").id;
    for no_id in [0, id ^ 1, id + (1 << 16), id ^ 3 << 8, u64::MAX] {
        assert_eq!(status(calls.commit(thread, no_id, 8)), Status::InvalidArgument);
        assert_eq!(status(calls.abandon(thread, no_id)), Status::InvalidArgument);
    }
    assert_eq!(status(calls.advance(thread, id)), Status::InvalidArgument);
    assert_eq!(status(calls.commit(thread, id, 7)), Status::InvalidArgument);
    calls.commit(thread, id, 8).expect("it was open all the time");
    assert_eq!(status(calls.commit(thread, id, 8)), Status::InvalidArgument);
    let id = calls.peek(thread).expect("a record").id;
    assert_eq!(status(calls.commit(thread, id, 8)), Status::InvalidArgument);
    calls.advance(thread, id).expect("it was open all the time");
    assert_eq!(status(calls.advance(thread, id)), Status::InvalidArgument);
    segment.verify().expect("sound");
}

/// Who waits sleeps while others have something in the hand, and is woken when they finish it.
#[test]
fn those_who_wait_are_told() {
    let segment = segment("told");
    let ring = &ring(&segment, 1);
    let soon = || Deadline::after_ns(5_000_000).expect("positive");
    for round in 0..40u64 {
        let mut claim = ring.claim(8).expect("room");
        assert_eq!(status(ring.get(&mut [0; 8], soon())), Status::TimedOut);
        let ready = wait_any(&[Waitable::Mpmc(ring, RingEnd::Consumers)], Deadline::NOW);
        assert_eq!(status(ready), Status::TimedOut);
        std::thread::scope(|scope| {
            let getter = scope.spawn(|| {
                let mut bytes = [0; 8];
                ring.get(&mut bytes, Deadline::NEVER).expect("it comes");
                u64::from_ne_bytes(bytes)
            });
            claim.write(0, &round.to_ne_bytes());
            if round % 2 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            claim.commit().expect("committed");
            assert_eq!(getter.join().expect("it ended well"), round);
        });
        push(ring, round).expect("room");
        let shown = ring.peek().expect("a record");
        assert_eq!(status(ring.put(&[0; 8], soon())), Status::TimedOut);
        std::thread::scope(|scope| {
            let putter = scope.spawn(|| ring.put(&7u64.to_ne_bytes(), Deadline::NEVER));
            if round % 2 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            shown.advance().expect("got");
            putter.join().expect("it ended well").expect("room comes");
        });
        assert_eq!(pop(ring).expect("it was put"), 7);
    }
    segment.verify().expect("sound");
}

#[test]
fn a_closed_end_is_closed_for_them_too() {
    let segment = segment("ends");
    let ring = ring(&segment, 4);
    let claim = ring.claim(8).expect("room");
    push(&ring, 1).expect("room");
    ring.shutdown(RingEnd::Producers).expect("closed");
    assert_eq!(status(ring.claim(8)), Status::Closed);
    assert_eq!(status(pop(&ring)), Status::Empty);
    assert_eq!(status(claim.commit()), Status::Closed);
    assert_eq!(read(&ring).expect("what was put is got"), (1, 0));
    assert_eq!(status(ring.peek()), Status::Closed);
}
