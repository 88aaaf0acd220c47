//! Many processes, many threads, slots used again.

use std::sync::mpsc::channel;
use std::thread;

use atoll::{Acquired, Deadline, Error, Segment, SegmentInfo, SegmentOptions, Status};

use crate::news::{join, member};
use crate::scene::{
    found, found_with, in_a_thread, lock, mutex, open, open_to_read, status, the_mutex, unlock,
};
use crate::support::child::{Child, Stage};
use crate::support::system;

fn info(segment: &Segment) -> SegmentInfo {
    segment.info().expect("readable")
}

fn room_for(max_participants: u32) -> SegmentOptions {
    SegmentOptions { max_participants, ..SegmentOptions::default() }
}

/// Far more processes than slots, one after the other; every second one is killed.
pub(crate) fn slots_are_used_again() {
    let segment = found_with(&room_for(3));
    let before = info(&segment).committed;
    for number in 0..60 {
        if number % 2 == 0 {
            Child::spawn(|_| join()).ends_well();
        } else {
            member().kill();
        }
    }
    let last = segment.wait_death(29, Deadline::NEVER).expect("the last one is killed");
    let after = info(&segment);
    assert_eq!((after.committed, after.death_epoch, last.epoch), (before, 30, 30));
    assert!(after.participants <= 3);
    segment.verify().expect("sound");
}

/// Past one block of 64 records, all at the same time.
pub(crate) fn the_roster_grows() {
    const CROWD: u32 = 150;
    let segment = found();
    let members: Vec<Child> = (0..CROWD).map(|_| member()).collect();
    let crowded = info(&segment);
    assert_eq!((crowded.members, crowded.participants), (CROWD + 1, CROWD + 1));
    segment.verify().expect("sound");
    drop(members);
    let mut seen = 0;
    for _ in 0..CROWD {
        let news = segment.wait_death(seen, Deadline::NEVER).expect("all of them died");
        assert_eq!(news.epoch, seen + 1);
        seen = news.epoch;
    }
    assert_eq!(info(&segment).members, 1);
    // The next crowd finds the slots of the first one.
    let members: Vec<Child> = (0..CROWD).map(|_| member()).collect();
    assert_eq!(info(&segment).committed, crowded.committed);
    drop(members);
    segment.verify().expect("sound");
}

/// Light processes: forks of one that has nothing but the segment.
pub(crate) fn a_thousand_processes_at_once() {
    const CROWD: u32 = 1000;
    let segment = found();
    let mutex = mutex(&segment, "m");
    let part = |mut stage: Stage| {
        let acquired = mutex.acquire(Deadline::NEVER).expect("the mutex");
        assert_eq!(acquired, Acquired::Clean);
        unlock(&mutex);
        stage.tell("served");
        stage.stay();
    };
    let mut crowd: Vec<Child> = (0..CROWD).map(|_| Child::fork(part)).collect();
    crowd.iter_mut().for_each(|child| child.says("served"));
    let crowded = info(&segment);
    assert_eq!((crowded.members, crowded.participants), (CROWD + 1, CROWD + 1));
    // 28 KiB for each 32 of them, 256 bytes for what each holds, and the first pages.
    assert!(crowded.committed <= 1228 << 10, "{crowded:?}");
    segment.verify().expect("sound");
    drop(crowd);
    let last = segment.wait_death(u64::from(CROWD) - 1, Deadline::NEVER).expect("the last one");
    assert_eq!(last.epoch, u64::from(CROWD));
    lock(&mutex);
    unlock(&mutex);
}

pub(crate) fn a_full_roster_says_so() {
    let segment = found_with(&room_for(3));
    let mutex = mutex(&segment, "m");
    let mut members = [member(), member()].into_iter();
    let before = info(&segment);
    let is_full = |error: Error| {
        assert_eq!(error.status(), Status::NoSpace);
        assert!(error.text().contains("3 processes or threads"), "{error}");
        assert!(error.text().contains("max_participants"), "{error}");
    };
    let in_a_thread =
        || thread::scope(|s| s.spawn(|| mutex.lock(Deadline::NEVER).map(drop)).join());
    for _ in 0..2 {
        is_full(in_a_thread().expect("no panic").expect_err("no room for another thread"));
        let other = Child::spawn(|mut stage: Stage| {
            let error = Segment::open("stage", &SegmentOptions::default()).expect_err("no room");
            stage.tell(format!("{:?}", error.status()));
        });
        let mut other = other;
        other.says("NoSpace");
        other.ends_well();
    }
    let after = info(&segment);
    assert_eq!(
        (before.members, before.participants, before.committed),
        (after.members, after.participants, after.committed)
    );
    // Who reads only needs no room.
    open_to_read().verify().expect("sound");
    members.next().expect("the first").leaves();
    in_a_thread().expect("no panic").expect("room again");
    let third = member();
    is_full(in_a_thread().expect("no panic").expect_err("no room for another thread"));
    third.kill();
    in_a_thread().expect("no panic").expect("room again");
}

pub(crate) fn ten_thousand_short_threads() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let one_thread = || {
        let works = || drop(mutex.lock(Deadline::NEVER).expect("free"));
        in_a_thread(works);
    };
    (0..200).for_each(|_| one_thread());
    let (committed, resident) = (info(&segment).committed, system::status_kib("VmRSS"));
    let mappings = mappings();
    (0..10_000).for_each(|_| one_thread());
    let after = info(&segment);
    assert_eq!((after.committed, after.members), (committed, 1));
    assert!(after.participants <= 2, "{after:?}");
    let grown = system::status_kib("VmRSS").saturating_sub(resident);
    assert!(grown < 1024, "the process has grown by {grown} KiB");
    assert!(mappings.abs_diff(self::mappings()) < 8, "mappings: {mappings}, {}", self::mappings());
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").expect("/proc is mounted").lines().count()
}

fn in_four_threads() {
    thread::scope(|scope| {
        let works = || {
            for _ in 0..500 {
                let mutex = the_mutex();
                lock(&mutex);
                unlock(&mutex);
            }
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(works)).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("it ends well"));
    });
}

/// Threads open, use and close by themselves, so that the mapping goes with the last of
/// them and comes with the next.
pub(crate) fn handles_come_and_go_in_threads() {
    let segment = found();
    let churn = Child::spawn(|_| {
        in_four_threads();
        let before = (system::open_descriptors(), mappings());
        in_four_threads();
        let after = (system::open_descriptors(), mappings());
        assert_eq!(before.0, after.0, "descriptors");
        assert!(before.1.abs_diff(after.1) < 16, "mappings: {before:?}, {after:?}");
        assert_eq!(open().info().expect("readable").participants, 2);
    });
    churn.ends_well();
    assert_eq!(info(&segment).death_epoch, 0);
    segment.verify().expect("sound");
}

pub(crate) fn a_reader_may_verify_during_growth() {
    let segment = found();
    let mut reader = Child::spawn(|mut stage: Stage| {
        let segment = open_to_read();
        let (end, ended) = channel::<()>();
        let looks = thread::spawn(move || {
            let mut looks = 0;
            while ended.try_recv() != Ok(()) {
                segment.verify().expect("sound at every moment");
                looks += 1;
            }
            looks
        });
        stage.tell("looking");
        stage.wait_for("leave");
        end.send(()).expect("it listens");
        assert!(looks.join().expect("always sound") > 0);
    });
    reader.says("looking");
    let grower = Child::spawn(|_| {
        let segment = open();
        let (joined, told) = channel();
        for number in 0..400 {
            let joined = joined.clone();
            let segment = segment.clone();
            thread::spawn(move || {
                lock(&mutex(&segment, &format!("m{number}")));
                joined.send(()).expect("listened to");
                loop {
                    thread::park();
                }
            });
        }
        (0..400).for_each(|_| told.recv().expect("joined"));
    });
    grower.ends_well();
    reader.leaves();
    assert_eq!(status(segment.verify()), Status::Ok);
}
