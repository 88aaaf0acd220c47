//! What the next owner of a mutex learns of the death of the last one.

use std::process::exit;
use std::thread;

use atoll::{Acquired, Array, Deadline, Mutex, Segment, Status};

use crate::exclusion::{holder, sleeping_waiter};
use crate::scene::{
    acquire, found, lock, mutex, open, recursive_mutex, status, text, the_mutex, try_lock, unlock,
};
use crate::support::child::{Child, Stage};
use crate::support::system;

/// A lock and an unlock in another process, and what it was told.
fn acquired_elsewhere() -> String {
    let mut other = Child::spawn(|mut stage: Stage| {
        let mutex = the_mutex();
        stage.tell(format!("{:?}", acquire(&mutex)));
        unlock(&mutex);
    });
    let told = other.hear();
    other.ends_well();
    told
}

pub(crate) fn a_killed_holder_is_told_until_marked() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    assert!(mutex.dead_owner().expect("readable").is_none());
    let victim = holder();
    let pid = victim.pid as u32;
    victim.kill();
    for _ in 0..3 {
        assert_eq!(acquired_elsewhere(), "OwnerDied");
    }
    let dead = mutex.dead_owner().expect("readable").expect("not marked yet");
    assert_eq!((dead.pid, dead.tid), (pid, pid));
    assert!(text(&dead.name).starts_with("processes"), "{:?}", dead.name);
    assert!(!dead.alive && dead.owner_died);

    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
    assert!(mutex.owner().expect("readable").expect("held").owner_died);
    mutex.mark_consistent().expect("held");
    unlock(&mutex);
    assert!(mutex.dead_owner().expect("readable").is_none());
    assert_eq!(acquired_elsewhere(), "Clean");
    lock(&mutex);
    unlock(&mutex);
}

pub(crate) fn a_dead_holder_needs_no_waiting() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    holder().kill();
    assert_eq!(try_lock(&mutex), Status::OwnerDied);
    unlock(&mutex);
}

pub(crate) fn a_sleeping_waiter_takes_over() {
    let segment = found();
    let _mutex = mutex(&segment, "m");
    let victim = holder();
    let mut heir = sleeping_waiter();
    victim.kill();
    heir.says("OwnerDied");
    heir.leaves();
}

/// Each heir is killed in turn, holding; the last one marks.
pub(crate) fn all_sleeping_waiters_take_over_in_turn() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let first = holder();
    let part = |mut stage: Stage| {
        let segment = open();
        let mutex = mutex_of(&segment);
        let turns = Array::<u64>::open(&segment, "turns").expect("turns");
        stage.tell("waiting");
        let acquired = acquire(&mutex);
        let turn = turns.get(0).expect("turns");
        turns.set(0, turn + 1).expect("turns");
        assert_eq!(acquired, Acquired::OwnerDied);
        stage.tell(turn);
        stage.stay();
    };
    let turns = Array::<u64>::create(&segment, Some("turns"), &[1]).expect("turns");
    let mut heirs: Vec<Child> = (0..4).map(|_| Child::spawn(part)).collect();
    heirs.iter_mut().for_each(|heir| heir.says("waiting"));
    crate::support::child::all_asleep(&heirs);
    first.kill();
    while !heirs.is_empty() {
        let owner = loop {
            match mutex.owner().expect("readable") {
                Some(owner) if owner.alive => break owner,
                _ => thread::yield_now(),
            }
        };
        let at = heirs.iter().position(|heir| heir.pid as u32 == owner.pid).expect("an heir");
        let mut heir = heirs.swap_remove(at);
        heir.hear();
        heir.kill();
    }
    assert_eq!(turns.get(0).expect("turns"), 4);
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
    mutex.mark_consistent().expect("held");
    unlock(&mutex);
}

fn mutex_of(segment: &Segment) -> Mutex {
    mutex(segment, "m")
}

/// So many deaths that nobody could have waited for the end of a slice each time: neither
/// who sleeps for the mutex, nor who sleeps for the news.
pub(crate) fn take_overs_need_no_slice() {
    const DEATHS: u64 = 1300;
    let segment = found();
    let mutex = mutex(&segment, "m");
    let mut listener = Child::spawn(|mut stage: Stage| {
        let segment = open();
        for seen in 0..DEATHS {
            stage.tell(segment.wait_death(seen, Deadline::NEVER).expect("a death").epoch);
        }
    });
    let takes_over = |mut stage: Stage| {
        acquire(&mutex);
        stage.tell("held");
        stage.stay();
    };
    let mut holder = Child::fork(takes_over);
    holder.says("held");
    for death in 1..=DEATHS {
        let heir = Child::fork(takes_over);
        // Without futex_waitv there are slices of 10 ms, which nobody has to see.
        system::wait_until_in_call(heir.pid, libc::SYS_futex_waitv);
        std::mem::replace(&mut holder, heir).kill();
        holder.says("held");
        listener.says(&death.to_string());
    }
    holder.kill();
    listener.ends_well();
}

pub(crate) fn a_killed_recursive_holder_leaves_no_count() {
    let segment = found();
    let mutex = recursive_mutex(&segment, "m");
    let mut victim = Child::spawn(|mut stage: Stage| {
        let mutex = recursive_mutex(&open(), "m");
        (0..3).for_each(|_| lock(&mutex));
        stage.tell("held");
        stage.stay();
    });
    victim.says("held");
    victim.kill();
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
    assert_eq!(acquire(&mutex), Acquired::OwnerDied, "the news sticks to nested locks");
    unlock(&mutex);
    mutex.mark_consistent().expect("held once still");
    unlock(&mutex);
    assert_eq!(status(mutex.release()), Status::NotOwner);
    let other = Child::spawn(|_| assert_eq!(try_lock(&recursive_mutex(&open(), "m")), Status::Ok));
    other.ends_well();
}

/// Robustness is per thread: the process lives on.
pub(crate) fn a_thread_that_ends_holding_is_dead() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    for waits in [false, true] {
        let (told, heard) = std::sync::mpsc::channel::<()>();
        let (held, is_held) = std::sync::mpsc::channel();
        let mutex = &mutex;
        thread::scope(|scope| {
            let careless = scope.spawn(move || {
                acquire(mutex);
                held.send(()).expect("listened to");
                heard.recv().expect("told");
            });
            is_held.recv().expect("it is held");
            if waits {
                let mut heir = sleeping_waiter();
                told.send(()).expect("it listens");
                heir.says("OwnerDied");
                heir.leaves();
            } else {
                told.send(()).expect("it listens");
                careless.join().expect("it ends well");
                assert_eq!(acquire(mutex), Acquired::OwnerDied);
                mutex.mark_consistent().expect("held");
                unlock(mutex);
            }
        });
    }
    assert_eq!(segment.info().expect("readable").death_epoch, 0, "no member died");
}

pub(crate) fn killed_waiters_are_in_nobodys_way() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut waiters: Vec<Child> = (0..6).map(|_| sleeping_waiter()).collect();
    for index in [4, 2, 0] {
        waiters.remove(index).kill();
    }
    unlock(&mutex);
    for _ in 0..3 {
        let owner = loop {
            match mutex.owner().expect("readable") {
                Some(owner) => break owner,
                None => thread::yield_now(),
            }
        };
        let at = waiters.iter().position(|waiter| waiter.pid as u32 == owner.pid);
        let mut waiter = waiters.remove(at.expect("a waiter"));
        waiter.says("Clean");
        waiter.leaves();
    }
    lock(&mutex);
    unlock(&mutex);
}

pub(crate) fn all_locks_of_the_dead_are_free() {
    const LOCKS: usize = 300;
    let segment = found();
    let name = |number: usize| format!("m{number}");
    let mutexes: Vec<Mutex> = (0..LOCKS).map(|n| mutex(&segment, &name(n))).collect();
    let mut victim = Child::spawn(|mut stage: Stage| {
        let segment = open();
        let held: Vec<Mutex> = (0..LOCKS).map(|n| mutex(&segment, &format!("m{n}"))).collect();
        held.iter().for_each(lock);
        stage.tell("held");
        stage.stay();
    });
    victim.says("held");
    // Two sleep on the same dead one's word, for different locks.
    let part = |mut stage: Stage| {
        let mutex = mutex(&open(), &stage.hear());
        stage.tell("waiting");
        stage.tell(format!("{:?}", acquire(&mutex)));
    };
    let mut heirs: Vec<Child> = (0..4).map(|_| Child::spawn(part)).collect();
    for (number, heir) in heirs.iter_mut().enumerate() {
        heir.tell(name(number));
        heir.says("waiting");
    }
    crate::support::child::all_asleep(&heirs);
    victim.kill();
    for mut heir in heirs {
        heir.says("OwnerDied");
        heir.ends_well();
    }
    for mutex in &mutexes {
        assert_eq!(acquire(mutex), Acquired::OwnerDied);
        unlock(mutex);
    }
}

pub(crate) fn a_process_that_exits_holding_is_dead() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let careless: [fn(Stage); 3] = [
        |_| {
            let mutex = the_mutex();
            lock(&mutex);
            exit(0)
        },
        |_| {
            let mutex = the_mutex();
            lock(&mutex);
            system::end_abruptly(0)
        },
        // With its last handle a process leaves, and its locks are nobody's.
        |_| lock(&the_mutex()),
    ];
    for part in careless {
        Child::spawn(part).ends_well();
        assert_eq!(mutex.acquire(Deadline::NOW).expect("free"), Acquired::OwnerDied);
        mutex.mark_consistent().expect("held");
        unlock(&mutex);
    }
}
