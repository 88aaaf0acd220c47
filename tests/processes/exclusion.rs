//! One at a time, in turn, and who it is.

use std::thread;
use std::time::{Duration, Instant};

use atoll::{Array, Deadline, Mutex, Segment, Status};

use crate::scene::{
    acquire, found, lock, mutex, open, recursive_mutex, status, text, the_mutex, try_lock, unlock,
    within,
};
use crate::support::child::{Child, Stage, all_asleep};
use crate::support::system;

const ROUNDS: u64 = 20_000;

/// Adds to a counter that nothing but the mutex protects.
fn count(segment: &Segment, mutex: &Mutex) {
    let array = Array::<u64>::open(segment, "count").expect("the counter");
    let counter = array.as_ptr();
    for _ in 0..ROUNDS {
        acquire(mutex);
        // SAFETY: inside the array, which is mapped as long as the handle.
        let seen = unsafe { counter.read_volatile() };
        // SAFETY: likewise.
        unsafe { counter.write_volatile(seen + 1) };
        unlock(mutex);
    }
}

pub(crate) fn sections_never_overlap() {
    let segment = found();
    let array = Array::<u64>::create(&segment, Some("count"), &[1]).expect("a counter");
    let part = |mut stage: Stage| {
        let segment = open();
        stage.wait_for("go");
        count(&segment, &mutex(&segment, "m"));
    };
    let mut workers: Vec<Child> = (0..4).map(|_| Child::spawn(part)).collect();
    workers.iter_mut().for_each(|worker| worker.tell("go"));
    workers.into_iter().for_each(Child::ends_well);
    assert_eq!(array.get(0).expect("the counter"), 4 * ROUNDS);
}

pub(crate) fn threads_and_processes_mix() {
    let segment = found();
    let array = Array::<u64>::create(&segment, Some("count"), &[1]).expect("a counter");
    let part = |_| {
        let segment = open();
        let mutex = recursive_mutex(&segment, "m");
        thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(|| count(&segment, &mutex))));
        });
    };
    let workers: Vec<Child> = (0..2).map(|_| Child::spawn(part)).collect();
    workers.into_iter().for_each(Child::ends_well);
    assert_eq!(array.get(0).expect("the counter"), 6 * ROUNDS);
}

pub(crate) fn a_recursive_mutex_counts() {
    let segment = found();
    let mutex = recursive_mutex(&segment, "m");
    let mut other = Child::spawn(|mut stage| {
        let mutex = recursive_mutex(&open(), "m");
        loop {
            match stage.hear().as_str() {
                "try" => stage.tell(format!("{:?}", try_lock(&mutex))),
                _ => return unlock(&mutex),
            }
        }
    });
    for _ in 0..3 {
        lock(&mutex);
    }
    for _ in 0..3 {
        other.tell("try");
        other.says("TimedOut");
        unlock(&mutex);
    }
    assert_eq!(status(mutex.release()), Status::NotOwner);
    other.tell("try");
    other.says("Ok");
    assert_eq!(try_lock(&mutex), Status::TimedOut);
    other.leaves();
}

pub(crate) fn a_holder_is_refused_its_own_mutex() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    assert_eq!(try_lock(&mutex), Status::Deadlock);
    assert_eq!(status(mutex.acquire(Deadline::NEVER)), Status::Deadlock);
    unlock(&mutex);
    assert_eq!(try_lock(&mutex), Status::Ok);
    unlock(&mutex);
}

pub(crate) fn only_the_holder_unlocks() {
    let segment = found();
    let held = mutex(&segment, "m");
    assert_eq!(status(held.release()), Status::NotOwner);
    assert_eq!(status(held.mark_consistent()), Status::NotOwner);
    lock(&held);
    thread::scope(|scope| scope.spawn(|| refused(&held)).join().expect("refused"));
    Child::spawn(|_| refused(&the_mutex())).ends_well();
    unlock(&held);
}

fn refused(mutex: &Mutex) {
    assert_eq!(status(mutex.release()), Status::NotOwner);
    assert_eq!(status(mutex.mark_consistent()), Status::NotOwner);
    assert_eq!(try_lock(mutex), Status::TimedOut);
}

pub(crate) fn waits_end_after_their_time() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let holder = holder();
    assert_eq!(try_lock(&mutex), Status::TimedOut);
    // Beyond the first slice of a wait, too.
    for span in [5, 250].map(Duration::from_millis) {
        let start = Instant::now();
        assert_eq!(status(mutex.acquire(within(span))), Status::TimedOut);
        assert!(start.elapsed() >= span, "{:?} is less than {span:?}", start.elapsed());
    }
    assert_eq!(status(Deadline::after_ns(-1)), Status::InvalidArgument);
    holder.kill();
}

pub(crate) fn the_owner_is_named() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    assert!(mutex.owner().expect("readable").is_none());
    let mut holder = Child::spawn(|mut stage| {
        let holds = move || {
            let mutex = the_mutex();
            lock(&mutex);
            stage.tell(system::thread_id());
            stage.stay();
        };
        let thread = thread::Builder::new().name("the holder".into()).spawn(holds);
        thread.expect("a thread").join().expect("it stays");
    });
    let thread = holder.hear();
    let owner = mutex.owner().expect("readable").expect("held");
    assert_eq!(owner.pid, holder.pid as u32);
    assert_eq!(owner.tid.to_string(), thread);
    assert_eq!(text(&owner.name), "the holder");
    assert!(owner.alive && !owner.owner_died);
    holder.signal(libc::SIGKILL);
    let is_dead = || !mutex.owner().expect("readable").expect("named").alive;
    while !is_dead() {
        thread::sleep(Duration::from_millis(1));
    }
    holder.kill();
}

/// Each holds the mutex nearly always and asks for it again at once: without turns one
/// of them gets nearly everything.
pub(crate) fn every_waiter_is_served() {
    let segment = found();
    let sections = Array::<u64>::create(&segment, Some("sections"), &[4]).expect("counters");
    let part = |mut stage: Stage| {
        let segment = open();
        let mutex = mutex(&segment, "m");
        let sections = Array::<u64>::open(&segment, "sections").expect("counters");
        let own: u64 = stage.hear().parse().expect("a number");
        while sections.get(3).expect("the end") == 0 {
            lock(&mutex);
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(2) {
                thread::yield_now();
            }
            sections.set(own, sections.get(own).expect("a counter") + 1).expect("a counter");
            unlock(&mutex);
        }
    };
    let mut workers: Vec<Child> = (0..3).map(|_| Child::spawn(part)).collect();
    workers.iter_mut().enumerate().for_each(|(number, worker)| worker.tell(number));
    let so_far = || [0, 1, 2].map(|i| sections.get(i).expect("a counter"));
    // All of them take part from here on.
    while so_far().contains(&0) {
        thread::sleep(Duration::from_millis(1));
    }
    let before = so_far();
    thread::sleep(Duration::from_secs(2));
    let after = so_far();
    sections.set(3, 1).expect("the end");
    workers.into_iter().for_each(Child::ends_well);
    let shares: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let all: u64 = shares.iter().sum();
    assert!(shares.iter().all(|share| share * 5 >= all), "sections of each: {shares:?}");
}

/// Two go round three mutexes, each always waiting for the one that the other holds, so
/// that every step needs a wake-up. Were one of them lost, a slice of 100 ms would end the
/// wait: far too long for so many.
pub(crate) fn hand_overs_need_no_slice() {
    const STEPS: usize = 3000;
    let _segment = found();
    let part = |mut stage: Stage| {
        let segment = open();
        let ring = ["a", "b", "c"].map(|name| mutex(&segment, name));
        let own: usize = stage.hear().parse().expect("a number");
        lock(&ring[own]);
        stage.tell("in place");
        stage.wait_for("go");
        for step in own..own + STEPS {
            lock(&ring[(step + 1) % 3]);
            unlock(&ring[step % 3]);
        }
        unlock(&ring[(own + STEPS) % 3]);
    };
    let mut both = [Child::spawn(part), Child::spawn(part)];
    for (number, child) in both.iter_mut().enumerate() {
        child.tell(number);
        child.says("in place");
    }
    both.iter_mut().for_each(|child| child.tell("go"));
    both.into_iter().for_each(Child::ends_well);
}

/// A process that holds the mutex "m".
pub(crate) fn holder() -> Child {
    let mut holder = Child::spawn(|mut stage: Stage| {
        let mutex = the_mutex();
        lock(&mutex);
        stage.tell("held");
        stage.stay();
    });
    holder.says("held");
    holder
}

/// For the tests that need somebody asleep on the mutex "m".
pub(crate) fn sleeping_waiter() -> Child {
    let mut waiter = Child::spawn(|mut stage| {
        let mutex = the_mutex();
        stage.tell("waiting");
        stage.tell(format!("{:?}", acquire(&mutex)));
        stage.wait_for("leave");
        unlock(&mutex);
    });
    waiter.says("waiting");
    all_asleep([&waiter]);
    waiter
}
