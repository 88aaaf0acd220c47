//! Who holds or waits for one of the objects that threads wait for, and goes: by a fork, an
//! exec, the end of its thread, or its death.

use std::time::Duration;

use atoll::{
    Acquired, Barrier, Condvar, Deadline, Event, RwLock, Segment, Semaphore, SemaphoreOptions,
    Status,
};

use crate::exec::becomes_another_program;
use crate::scene::{acquire, found, in_a_thread, open, status, the_mutex, unlock, within};
use crate::support::child::{Child, Stage, all_asleep};

/// Longer than any step of a test takes.
const LONG: Duration = Duration::from_secs(60);

fn rwlock(segment: &Segment) -> RwLock {
    RwLock::open_or_create(segment, Some("rw")).expect("a reader-writer lock")
}

fn permits(segment: &Segment) -> Semaphore {
    let tracked = SemaphoreOptions { value: 2, tracked: true, ..Default::default() };
    Semaphore::open_or_create(segment, Some("permits"), &tracked).expect("a semaphore")
}

fn barrier(segment: &Segment) -> Barrier {
    Barrier::open_or_create(segment, Some("barrier"), 2).expect("a barrier")
}

pub(crate) fn a_child_reads_nothing_that_its_parent_reads() {
    let segment = found();
    let lock = rwlock(&segment);
    lock.acquire_read(Deadline::NOW).expect("free");
    let child = Child::fork(|_| {
        assert_eq!(status(lock.release_read()), Status::NotOwner);
        assert_eq!(status(lock.acquire_write(Deadline::NOW)), Status::TimedOut);
        assert_eq!(lock.acquire_read(Deadline::NOW).expect("beside it"), Acquired::Clean);
    });
    child.ends_well(); // and takes its mark with it
    assert_eq!(lock.readers().expect("readable"), 1);
    lock.release_read().expect("still held");
    assert_eq!(lock.acquire_write(Deadline::NOW).expect("free"), Acquired::Clean);
}

pub(crate) fn a_child_has_no_permits_of_its_parents() {
    let segment = found();
    let semaphore = permits(&segment);
    semaphore.acquire(Deadline::NOW).expect("one of two");
    let mut child = Child::fork(|mut stage| {
        semaphore.acquire(Deadline::NOW).expect("the other");
        assert_eq!(status(semaphore.acquire(Deadline::NOW)), Status::TimedOut);
        stage.tell("holds");
        stage.stay();
    });
    child.says("holds");
    assert_eq!(semaphore.info().expect("sound").value, 0);
    child.kill();
    semaphore.acquire(within(LONG)).expect("the dead one's");
    semaphore.release(2).expect("both");
}

pub(crate) fn a_thread_that_ends_reading_is_in_nobodys_way() {
    let segment = found();
    let lock = rwlock(&segment);
    in_a_thread(|| lock.acquire_read(Deadline::NOW).expect("free"));
    assert_eq!(lock.acquire_write(within(LONG)).expect("free"), Acquired::Clean);
}

pub(crate) fn a_thread_that_ends_writing_is_dead() {
    let segment = found();
    let lock = rwlock(&segment);
    in_a_thread(|| lock.acquire_write(Deadline::NOW).expect("free"));
    assert_eq!(lock.acquire_read(within(LONG)).expect("free"), Acquired::OwnerDied);
    lock.release_read().expect("held");
    assert_eq!(lock.acquire_write(within(LONG)).expect("free"), Acquired::OwnerDied);
    lock.mark_consistent().expect("held");
    lock.release_write().expect("held");
}

/// The permits are the process's, whichever of its threads took them.
pub(crate) fn a_thread_that_ends_leaves_its_permits_to_the_others() {
    let segment = found();
    let semaphore = permits(&segment);
    in_a_thread(|| semaphore.acquire(Deadline::NOW).expect("one of two"));
    assert_eq!(semaphore.info().expect("sound").value, 1);
    semaphore.release(1).expect("ours");
    assert_eq!(status(semaphore.release(1)), Status::Full);
}

pub(crate) fn a_process_that_execs_holds_nothing() {
    let segment = found();
    let (semaphore, lock) = (permits(&segment), rwlock(&segment));
    let mut child = Child::spawn(|mut stage: Stage| {
        let segment = open();
        let (semaphore, lock) = (permits(&segment), rwlock(&segment));
        semaphore.acquire(Deadline::NOW).expect("one of two");
        semaphore.acquire(Deadline::NOW).expect("the other");
        lock.acquire_read(Deadline::NOW).expect("free");
        stage.tell("holds");
        stage.wait_for("exec");
        becomes_another_program();
    });
    child.says("holds");
    child.tell("exec");
    semaphore.acquire(within(LONG)).expect("nobody's");
    assert_eq!(lock.acquire_write(within(LONG)).expect("free"), Acquired::Clean);
    child.kill();
}

/// Sleepers of all kinds are killed; nobody waits for them, and who comes is told.
pub(crate) fn killed_sleepers_are_in_nobodys_way() {
    let segment = found();
    let (event, bell) = (the_event(&segment), condvar(&segment));
    let (mutex, lock) = (the_mutex(), rwlock(&segment));
    lock.acquire_write(Deadline::NOW).expect("free");
    let parts: [fn(Stage); 4] = [
        |mut stage| {
            let event = the_event(&open());
            stage.tell("waiting");
            drop(event.wait(Deadline::NEVER));
        },
        |mut stage| {
            let (mutex, bell) = (the_mutex(), condvar(&open()));
            stage.tell("waiting");
            let mut guard = mutex.lock(Deadline::NEVER).expect("the mutex");
            drop(bell.wait(&mut guard, Deadline::NEVER));
        },
        |mut stage| {
            let lock = rwlock(&open());
            stage.tell("waiting");
            drop(lock.acquire_read(Deadline::NEVER));
        },
        |mut stage| {
            let lock = rwlock(&open());
            stage.tell("waiting");
            drop(lock.acquire_write(Deadline::NEVER));
        },
    ];
    let mut sleepers: Vec<Child> = parts.into_iter().map(Child::spawn).collect();
    sleepers.iter_mut().for_each(|sleeper| sleeper.says("waiting"));
    all_asleep(&sleepers);
    sleepers.into_iter().for_each(Child::kill);
    event.set().expect("set");
    bell.notify_all().expect("nobody is left");
    lock.release_write().expect("held");
    assert_eq!(lock.acquire_write(within(LONG)).expect("free"), Acquired::Clean);
    assert_eq!(acquire(&mutex), Acquired::Clean);
    unlock(&mutex);
    segment.verify().expect("sound");
}

/// A thread that has arrived and ends breaks the barrier, as a death does.
pub(crate) fn a_thread_that_ends_inside_breaks_the_barrier() {
    let segment = found();
    let barrier = barrier(&segment);
    in_a_thread(|| barrier.arrive(false).expect("the first of two"));
    assert_eq!(status(barrier.arrive_and_wait(within(LONG))), Status::Broken);
    barrier.reset().expect("begun anew");
    let mut other = Child::spawn(|mut stage: Stage| {
        self::barrier(&open()).arrive_and_wait(within(LONG)).expect("both come");
        stage.tell("passed");
    });
    barrier.arrive_and_wait(within(LONG)).expect("both come");
    other.says("passed");
    other.ends_well();
}

fn the_event(segment: &Segment) -> Event {
    Event::open_or_create(segment, Some("event")).expect("an event")
}

fn condvar(segment: &Segment) -> Condvar {
    Condvar::open_or_create(segment, Some("bell")).expect("a condition variable")
}
