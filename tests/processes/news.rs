//! Deaths of members, as `wait_death` tells them.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use atoll::{Deadline, MemberInfo, Segment, SegmentOptions, Status};

use crate::scene::{found, lock, mutex, open, open_to_read, status, text, unlock, within};
use crate::support::child::{Child, Stage, all_asleep};
use crate::support::system;

/// Joins the segment and stays.
pub(crate) fn member() -> Child {
    let mut member = Child::spawn(|mut stage: Stage| {
        join();
        stage.tell("joined");
        stage.stay();
    });
    member.says("joined");
    member
}

/// What makes a process a member. The handle stays open: with the last one the process
/// would leave.
pub(crate) fn join() {
    std::mem::forget(open());
}

fn next_death(segment: &Segment, seen: u64) -> MemberInfo {
    segment.wait_death(seen, Deadline::NEVER).expect("a death")
}

/// Nobody has died whom nobody has heard of.
#[track_caller]
fn no_death(segment: &Segment, seen: u64) {
    assert_eq!(status(segment.wait_death(seen, Deadline::NOW)), Status::TimedOut);
}

pub(crate) fn a_death_is_told_with_its_number() {
    let segment = found();
    no_death(&segment, 0);
    let victim = member();
    no_death(&segment, 0);
    let pid = victim.pid as u32;
    victim.kill();
    let news = next_death(&segment, 0);
    assert_eq!((news.epoch, news.pid), (1, pid));
    assert!(text(&news.name).starts_with("processes"), "{:?}", news.name);
    // SAFETY: takes nothing.
    assert_eq!(news.uid, unsafe { libc::geteuid() });
    assert_eq!(segment.info().expect("readable").death_epoch, 1);
    assert_eq!(next_death(&segment, 0).pid, pid, "told again to who asks again");
    no_death(&segment, 1);
}

pub(crate) fn deaths_are_told_in_order() {
    let segment = found();
    let victims: Vec<Child> = (0..5).map(|_| member()).collect();
    let mut seen = 0;
    for victim in victims {
        let pid = victim.pid as u32;
        victim.kill();
        let news = next_death(&segment, seen);
        assert_eq!((news.epoch, news.pid), (seen + 1, pid));
        seen = news.epoch;
    }
    // Who comes late hears of each, in the same order.
    let pids: Vec<u32> = (0..5).map(|seen| next_death(&segment, seen).pid).collect();
    assert_eq!(pids.len(), 5);
    assert_eq!(pids[4], next_death(&segment, 4).pid);
    no_death(&segment, 5);
}

pub(crate) fn good_ends_are_no_deaths() {
    let segment = found();
    let returns = Child::spawn(|_| join());
    returns.ends_well();
    let closes = Child::spawn(|_| {
        let mutex = mutex(&open(), "member");
        lock(&mutex);
        unlock(&mutex);
        drop(mutex);
        system::end_abruptly(0); // nothing of the segment is open any more
    });
    closes.ends_well();
    let reads = Child::spawn(|_| {
        open_to_read().verify().expect("sound");
        system::end_abruptly(0); // a reader is no member
    });
    reads.ends_well();
    let threads = Child::spawn(|mut stage: Stage| {
        thread::spawn(join).join().expect("it ends well");
        stage.tell("ended");
        stage.stay();
    });
    let mut threads = threads;
    threads.says("ended");
    no_death(&segment, 0);
    threads.leaves();
    no_death(&segment, 0);
    assert_eq!(segment.info().expect("readable").members, 1);
}

/// Other threads may be in the middle of anything, and begin anew, while one ends the
/// process in good order.
pub(crate) fn an_exit_in_the_middle_of_work_is_no_death() {
    let segment = found();
    for _ in 0..60 {
        let busy = Child::spawn(|_| {
            join();
            for _ in 0..3 {
                let works = || drop(mutex(&open(), "m").lock(Deadline::NEVER).expect("a lock"));
                thread::spawn(move || {
                    loop {
                        thread::spawn(works).join().expect("it ends well");
                    }
                });
            }
            thread::sleep(Duration::from_millis(2));
        });
        busy.ends_well();
    }
    no_death(&segment, 0);
}

pub(crate) fn ends_in_bad_order_are_deaths() {
    let segment = found();
    let ends: [fn(Stage); 4] = [
        |_| {
            join();
            system::end_abruptly(0)
        },
        |_| {
            join();
            let error = Command::new("true").exec();
            panic!("true: {error}");
        },
        |_| {
            join();
            system::kill(std::process::id() as i32, libc::SIGTERM)
        },
        |_| {
            // The thread that joined is gone; the process is the member.
            thread::spawn(join).join().expect("it ends well");
            system::end_abruptly(0)
        },
    ];
    for (seen, part) in ends.into_iter().enumerate() {
        let child = Child::spawn(part);
        let pid = child.pid as u32;
        child.ends();
        // Not at once: somebody may be looking at the process from outside, as ps does.
        let news = segment.wait_death(seen as u64, Deadline::NEVER);
        let news = news.unwrap_or_else(|error| panic!("end {seen}: {error}"));
        assert_eq!(news.pid, pid);
    }
}

pub(crate) fn a_wait_ends_after_its_time() {
    let segment = found();
    let member = member();
    for span in [3, 150].map(Duration::from_millis) {
        let start = Instant::now();
        assert_eq!(status(segment.wait_death(0, within(span))), Status::TimedOut);
        assert!(start.elapsed() >= span);
    }
    member.kill();
}

pub(crate) fn every_sleeper_is_told() {
    let segment = found();
    let victim = member();
    let part = |mut stage: Stage| {
        let segment = open();
        stage.tell("waiting");
        stage.tell(next_death(&segment, 0).pid);
    };
    let mut sleepers: Vec<Child> = (0..4).map(|_| Child::spawn(part)).collect();
    sleepers.iter_mut().for_each(|sleeper| sleeper.says("waiting"));
    all_asleep(&sleepers);
    let pid = victim.pid.to_string();
    victim.kill();
    for mut sleeper in sleepers {
        sleeper.says(&pid);
        sleeper.ends_well();
    }
    no_death(&segment, 1);
}

/// More threads than one sleep can watch.
pub(crate) fn a_crowd_is_watched_too() {
    let segment = found();
    let mut crowd = Child::spawn(|mut stage: Stage| {
        let (joined, told) = std::sync::mpsc::channel();
        for _ in 0..150 {
            let joined = joined.clone();
            thread::spawn(move || {
                join();
                joined.send(()).expect("listened to");
                loop {
                    thread::park();
                }
            });
        }
        (0..150).for_each(|_| told.recv().expect("joined"));
        stage.tell("joined");
        stage.stay();
    });
    crowd.says("joined");
    assert_eq!(segment.info().expect("readable").participants, 151);
    let mut sleeper = Child::spawn(|mut stage: Stage| {
        let segment = open();
        stage.tell("waiting");
        stage.tell(next_death(&segment, 0).pid);
    });
    sleeper.says("waiting");
    all_asleep([&sleeper]);
    let pid = crowd.pid.to_string();
    crowd.kill();
    sleeper.says(&pid);
    sleeper.ends_well();
}

pub(crate) fn a_reader_cannot_wait() {
    let _segment = found();
    let refused = open_to_read().wait_death(0, Deadline::NEVER);
    assert_eq!(status(refused), Status::Permission);
}

/// One slot for all of them: the news go when the next member comes, and the number stays.
pub(crate) fn news_survive_until_a_slot_is_used_again() {
    let segment = crate::scene::found_with(&SegmentOptions {
        max_participants: 2,
        ..SegmentOptions::default()
    });
    member().kill();
    let first = next_death(&segment, 0);
    let second = member();
    no_death(&segment, 0);
    second.kill();
    let news = next_death(&segment, 0);
    assert_eq!((first.epoch, news.epoch), (1, 2));
    assert!(news.slot == first.slot && news.generation > first.generation);
}

/// More processes come and go than there are slots, and the news is still there.
pub(crate) fn news_outlive_many_who_join() {
    let segment = crate::scene::found();
    let victim = member();
    let pid = victim.pid as u32;
    victim.kill();
    // Whoever asks for the facts announces it.
    while segment.info().expect("readable").death_epoch == 0 {}
    for _ in 0..40 {
        Child::spawn(|_| drop(open())).ends_well();
    }
    assert_eq!(next_death(&segment, 0).pid, pid);
}
