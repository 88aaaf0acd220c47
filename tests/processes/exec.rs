//! Programs replaced while they hold a mutex, and equal ids in two namespaces.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use atoll::{Acquired, Deadline, Status};

use crate::scene::{
    acquire, found, lock, mutex, open, recursive_mutex, the_mutex, try_lock, unlock,
};
use crate::support::child::{Child, Stage, all_asleep};
use crate::support::runner::skip;

pub(crate) fn becomes_another_program() -> ! {
    let error = Command::new("sleep").arg("1000").exec();
    panic!("sleep: {error}");
}

fn wait_until_replaced(child: &Child) {
    let name = format!("/proc/{}/comm", child.pid);
    while std::fs::read_to_string(&name).expect("it lives").trim() != "sleep" {
        thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn a_holder_that_execs_is_dead() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let child = Child::spawn(|_| {
        let mutex = the_mutex();
        lock(&mutex);
        becomes_another_program();
    });
    wait_until_replaced(&child);
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
    let news = segment.wait_death(0, Deadline::NEVER).expect("exec is a death");
    assert_eq!(news.pid, child.pid as u32);
    child.kill();
}

/// The kernel does not walk the robust list then, so only the second detector knows.
pub(crate) fn a_thread_that_execs_is_dead() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let child = Child::spawn(|_| {
        let thread = thread::spawn(|| {
            let mutex = the_mutex();
            lock(&mutex);
            becomes_another_program();
        });
        thread.join().expect("it replaces us all");
    });
    wait_until_replaced(&child);
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
    let news = segment.wait_death(0, Deadline::NEVER).expect("exec is a death");
    assert_eq!(news.pid, child.pid as u32);
    child.kill();
}

/// A process that is number 1 of its own pid namespace, or the end of the test.
pub(crate) fn alone(part: fn(Stage)) -> Child {
    let child = Child::spawn_in(libc::CLONE_NEWPID, part)
        .or_else(|_| Child::spawn_in(libc::CLONE_NEWUSER | libc::CLONE_NEWPID, part));
    child.unwrap_or_else(|error| skip(&format!("no pid namespaces here: {error}")))
}

/// Tells what becomes of tries, as number 1.
fn tries(mut stage: Stage) {
    assert_eq!(std::process::id(), 1);
    let segment = open();
    let (plain, recursive) = (mutex(&segment, "m"), recursive_mutex(&segment, "r"));
    stage.tell("here");
    loop {
        match stage.hear().as_str() {
            "try" => stage.tell(format!("{:?} {:?}", try_lock(&plain), try_lock(&recursive))),
            "unlock" => [&plain, &recursive].into_iter().for_each(unlock),
            _ => return,
        }
    }
}

/// Robust mutexes of libc let both of them in: they compare thread ids.
pub(crate) fn equal_ids_are_two_owners() {
    let _segment = found();
    let (mut one, mut other) = (alone(tries), alone(tries));
    one.says("here");
    other.says("here");
    one.tell("try");
    one.says("Ok Ok");
    other.tell("try");
    other.says("TimedOut TimedOut");
    one.tell("try");
    one.says("Deadlock Ok");
    one.kill();
    other.tell("try");
    other.says("OwnerDied OwnerDied");
    other.tell("unlock");
    other.leaves();
}

fn waits(mut stage: Stage) {
    let mutex = the_mutex();
    stage.tell("waiting");
    stage.tell(format!("{:?}", acquire(&mutex)));
    stage.stay();
}

/// The kernel takes the id in a word that a victim waits for as the victim's own.
pub(crate) fn a_killed_waiter_with_the_holders_id_changes_nothing() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let mut holder = alone(waits);
    holder.says("waiting");
    holder.says("Clean");
    let mut waiter = alone(waits);
    waiter.says("waiting");
    all_asleep([&waiter]);
    waiter.kill();
    assert!(mutex.owner().expect("readable").expect("held").alive);
    assert_eq!(try_lock(&mutex), Status::TimedOut);
    holder.kill();
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
}

/// A waiter sleeps on the word of a holder; the holder dies, and its slot goes to a
/// thread with the same id, which puts the same value into the same word.
pub(crate) fn a_slot_used_again_under_the_same_id_is_noticed() {
    let segment = crate::scene::found_with(&atoll::SegmentOptions {
        max_participants: 3,
        ..atoll::SegmentOptions::default()
    });
    let mutex = mutex(&segment, "m");
    let mut holder = alone(waits);
    holder.says("waiting");
    holder.says("Clean");
    let mut waiter = alone(waits);
    waiter.says("waiting");
    all_asleep([&waiter]);
    waiter.signal(libc::SIGSTOP);
    holder.kill();
    let mut next = alone(|mut stage| {
        let another = crate::scene::mutex(&open(), "another");
        lock(&another);
        stage.tell("seated");
        stage.stay();
    });
    next.says("seated");
    waiter.signal(libc::SIGCONT);
    waiter.says("OwnerDied");
    waiter.kill();
    next.kill();
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
}
