//! What the damaged segments of `hostile` have in them that threads wait for, and what is
//! done with it: every call, of those who find it damaged.

use std::time::Duration;

use atoll::{
    Barrier, Condvar, Deadline, Event, Latch, Mutex, RwLock, Segment, SegmentOptions, Semaphore,
    SemaphoreOptions, Status,
};

use crate::hostile::{NAME, each_word_damaged, furnished, survives_trying};
use crate::scene::within;
use crate::support::image::Block;

/// Whether objects of that kind are of those that are made here.
pub(crate) fn is_waited_for(kind: u8) -> bool {
    const RWLOCK: u8 = 5;
    const LATCH: u8 = 11;
    (RWLOCK..=LATCH).contains(&kind)
}

const PLAIN: SemaphoreOptions = SemaphoreOptions { value: 3, max: 5, tracked: false };
const TRACKED: SemaphoreOptions = SemaphoreOptions { value: 4, max: 4, tracked: true };

/// Makes one of each.
pub(crate) fn furnish(segment: &Segment) {
    Event::create(segment, Some("event")).expect("room");
    Latch::create(segment, Some("latch"), 3).expect("room");
    Semaphore::create(segment, Some("plain"), &PLAIN).expect("room");
    Semaphore::create(segment, Some("tracked"), &TRACKED).expect("room");
    RwLock::create(segment, Some("read")).expect("room");
    RwLock::create(segment, Some("written")).expect("room");
    Condvar::create(segment, Some("condvar")).expect("room");
    Barrier::create(segment, Some("barrier"), 3).expect("room");
}

/// What somebody has of it who is about to die. All of it stays open.
pub(crate) fn take_part(segment: &Segment) -> impl Sized {
    let tracked = Semaphore::open(segment, Some("tracked"), &TRACKED).expect("there");
    let read = RwLock::open(segment, Some("read")).expect("there");
    let written = RwLock::open(segment, Some("written")).expect("there");
    let condvar = Condvar::open(segment, Some("condvar")).expect("there");
    (0..2).for_each(|_| tracked.acquire(Deadline::NOW).expect("a permit"));
    read.acquire_read(Deadline::NOW).expect("free");
    written.acquire_write(Deadline::NOW).expect("free");
    condvar.prepare_wait().expect("the first");
    let barrier = Barrier::open(segment, Some("barrier")).expect("there");
    barrier.arrive(false).expect("whole");
    (tracked, read, written, condvar, barrier)
}

/// What one who may only read can ask.
pub(crate) fn look(segment: &Segment) {
    if let Ok(event) = Event::open(segment, Some("event")) {
        let _ = (event.is_set(), event.sets());
    }
    if let Ok(latch) = Latch::open(segment, Some("latch")) {
        let _ = latch.count();
    }
    for (name, options) in [("plain", &PLAIN), ("tracked", &TRACKED)] {
        if let Ok(semaphore) = Semaphore::open(segment, Some(name), options) {
            let _ = semaphore.info();
        }
    }
    if let Ok(barrier) = Barrier::open(segment, Some("barrier")) {
        let _ = barrier.info();
    }
    for name in ["read", "written"] {
        if let Ok(lock) = RwLock::open(segment, Some(name)) {
            let _ = (lock.owner(), lock.dead_owner(), lock.readers());
        }
    }
}

/// Everything that changes something, or waits a little, or not at all.
pub(crate) fn change(segment: &Segment, deadline: fn() -> Deadline) {
    let soon = deadline;
    if let Ok(event) = Event::open(segment, Some("event")) {
        let _ = (event.wait(soon()), event.wait_since(7, soon()));
        let _ = (event.set(), event.wait(soon()), event.clear());
    }
    if let Ok(latch) = Latch::open(segment, Some("latch")) {
        let _ = (latch.count_down(1), latch.wait(soon()), latch.count_down(u32::MAX));
    }
    for (name, options) in [("plain", &PLAIN), ("tracked", &TRACKED)] {
        if let Ok(semaphore) = Semaphore::open(segment, Some(name), options) {
            let taken = (0..6).filter(|_| semaphore.acquire(soon()).is_ok()).count();
            let _ = (semaphore.release(taken as u32), semaphore.release(u32::MAX));
        }
    }
    for name in ["read", "written"] {
        if let Ok(lock) = RwLock::open(segment, Some(name)) {
            under(&lock, soon);
        }
    }
    if let Ok(condvar) = Condvar::open(segment, Some("condvar")) {
        meet(segment, &condvar, soon);
    }
    if let Ok(barrier) = Barrier::open(segment, Some("barrier")) {
        for _ in 0..2 {
            let _ = (barrier.arrive_and_wait(soon()), barrier.arrive(true), barrier.release());
            let _ = (barrier.wait(soon()), barrier.arrive_and_drop(true), barrier.release());
            let _ = (barrier.abort(), barrier.wait(soon()), barrier.reset());
        }
    }
}

fn under(lock: &RwLock, soon: impl Fn() -> Deadline) {
    for _ in 0..2 {
        let reads = lock.acquire_read(soon()).is_ok();
        assert_eq!(lock.release_read().is_ok(), reads, "what is read can be given back");
    }
    let writes = lock.acquire_write(soon()).is_ok();
    let _ = lock.mark_consistent();
    assert_eq!(lock.release_write().is_ok(), writes, "what is written can be given back");
}

fn meet(segment: &Segment, condvar: &Condvar, soon: impl Fn() -> Deadline) {
    let _ = condvar.notify_one();
    if condvar.prepare_wait().is_ok() {
        let _ = (condvar.notify_all(), condvar.commit_wait(soon()), condvar.cancel_wait());
    }
    let Ok(mutex) = Mutex::open(segment, Some("m2"), false) else { return };
    if let Ok(mut guard) = mutex.lock(soon()) {
        let _ = condvar.wait(&mut guard, soon());
    }
    let _ = condvar.notify_many(3);
    let over = condvar.cancel_wait().expect_err("none is prepared").status();
    assert!([Status::NotOwner, Status::Corrupted].contains(&over), "{over:?}");
}

/// Each word of the objects and what comes before them, and those who find it so wait.
pub(crate) fn each_word_of_what_is_waited_for_damaged() {
    let image = furnished();
    let objects = image.objects();
    let blocks: Vec<&Block> = objects.iter().filter(|block| is_waited_for(block.kind)).collect();
    assert!(blocks.len() >= 8, "{blocks:?}");
    let words = blocks.into_iter().flat_map(|block| (block.at..block.at + block.span).step_by(8));
    survives_trying(wait_for_everything, each_word_damaged(&image, "body", words));
}

fn wait_for_everything() {
    let Ok(segment) = Segment::open(NAME, &SegmentOptions::default()) else { return };
    change(&segment, || within(Duration::from_micros(50)));
    look(&segment);
    let _ = segment.verify();
}
