//! The home segment of a process, and processes that leave without an end.

use std::sync::mpsc::channel;
use std::thread;

use atoll::{Acquired, Deadline, Segment, SegmentOptions, Status};

use crate::ephemeral::{NAME, files, gc, kill_orphan, make, nothing_is_left, open, rest};
use crate::scene::{acquire, lock, mutex, status, try_lock, unlock};
use crate::support::child::{Child, Stage};
use crate::support::image::path_of;
use crate::support::system;

pub(crate) fn a_home_goes_with_its_process() {
    let mut parent = Child::spawn(|mut stage: Stage| {
        let home = Segment::home().expect("a home");
        let info = home.info().expect("readable");
        assert!(info.ephemeral && info.mode == 0o600);
        assert!(info.name.starts_with(&format!("atoll-home-{}-", std::process::id())));
        assert!(info.size >= system::total_bytes(&path_of("")).min(1 << 30), "{}", info.size);
        assert!(info.committed <= 64 << 10, "{}", info.committed);
        let mutex = mutex(&home, "m");
        lock(&mutex);
        drop(home);
        let home = Segment::home().expect("the same");
        assert_eq!(home.info().expect("readable").name, info.name);
        drop(home);
        let mut child = Child::fork(|mut child: Stage| {
            let parents = Segment::open(&info.name, &SegmentOptions::default()).expect("there");
            let own = Segment::home().expect("another one");
            assert_ne!(own.info().expect("readable").name, info.name);
            drop(own);
            child.tell("at home");
            child.wait_for("take over");
            lock(&crate::scene::mutex(&parents, "m"));
            child.tell("took over");
            rest();
        });
        child.says("at home");
        unlock(&mutex);
        child.tell("take over");
        child.says("took over");
        stage.tell(&info.name);
        stage.tell(child.pid);
        std::mem::forget(child);
        stage.stay();
    });
    let (name, child) = (parent.hear(), parent.hear());
    assert_eq!(files().len(), 2);
    parent.kill();
    assert_eq!(gc(), 0, "the child is in both");
    kill_orphan(&child);
    assert_eq!(files().len(), 2);
    assert!(files().contains(&name));
    // Nothing is left after the next create, but what it made.
    let next = make();
    assert_eq!(files(), [NAME]);
    drop(next);

    Child::spawn(|_| drop(Segment::home().expect("a home"))).ends_well();
    nothing_is_left();
}

/// Threads that ask at once get the same one. Who forks meanwhile gets a child with a home
/// of its own.
pub(crate) fn a_process_has_one_home() {
    Child::spawn(|_| {
        let name = || Segment::home().expect("a home").info().expect("readable").name;
        for _ in 0..20 {
            let threads: Vec<_> = (0..8).map(|_| thread::spawn(name)).collect();
            let names = threads.into_iter().map(|asked| asked.join().expect("named"));
            let names: Vec<String> = names.collect();
            assert!(names.iter().all(|n| *n == names[0]), "{names:?}");
            Segment::leave_all().expect("left");
        }
        let moves = thread::spawn(move || {
            for _ in 0..200 {
                name();
                Segment::leave_all().expect("left");
            }
        });
        while !moves.is_finished() {
            Child::fork(|_| drop(name())).ends_well();
        }
        moves.join().expect("it ends well");
    })
    .ends_well();
    nothing_is_left();
}

/// Where addresses are scarce it is smaller.
pub(crate) fn a_home_fits_its_process() {
    Child::spawn(|_| {
        system::limit_addresses(1 << 30);
        let home = Segment::home().expect("a home");
        let size = home.info().expect("readable").size;
        assert!((64 << 10..1 << 30).contains(&size), "{size}");
        lock(&mutex(&home, "m"));
    })
    .ends_well();
    nothing_is_left();
}

pub(crate) fn who_leaves_does_not_die() {
    let watcher = make();
    let mut leaver = Child::fork(|mut stage| {
        let segment = open();
        let held = mutex(&segment, "held");
        lock(&held);
        let (kept, closed) = (mutex(&segment, "m"), mutex(&segment, "closed"));
        Segment::home().expect("a home");
        Segment::leave_all().expect("left");
        drop(closed); // to close something is no reason to come back
        assert_eq!(files(), [NAME], "its home is gone");
        stage.tell("left");
        stage.wait_for("lock");
        // It joins again.
        lock(&kept);
        stage.tell("locked");
        stage.wait_for("end");
        Segment::leave_all().expect("left");
        system::end_abruptly(0);
    });
    leaver.says("left");
    assert_eq!(watcher.info().expect("readable").members, 1);
    assert_eq!(acquire(&mutex(&watcher, "held")), Acquired::OwnerDied);
    leaver.tell("lock");
    leaver.says("locked");
    assert_eq!(watcher.info().expect("readable").members, 2);
    leaver.tell("end");
    leaver.ends_well();
    let news = watcher.wait_death(0, Deadline::NOW);
    assert_eq!(status(news), Status::TimedOut);
    drop(watcher);
    nothing_is_left();

    // The last one to leave finds it gone when it comes back.
    Child::spawn(|_| {
        let mutex = mutex(&make(), "m");
        Segment::leave_all().expect("left");
        nothing_is_left();
        let error = mutex.acquire(Deadline::NOW).expect_err("gone");
        assert_eq!(error.status(), Status::NotFound);
        assert!(error.text().contains("gone"), "{error}");
        system::end_abruptly(0);
    })
    .ends_well();
}

/// Threads that are seated cannot be made to leave. They do not look dead, and do not keep
/// an ephemeral segment.
pub(crate) fn who_leaves_under_its_threads_is_parting() {
    let watcher = make();
    let mut leaver = Child::spawn(|mut stage: Stage| {
        let (held, is_held) = channel();
        thread::spawn(move || {
            let mutex = mutex(&open(), "m");
            lock(&mutex);
            std::mem::forget(mutex);
            held.send(()).expect("listened to");
            loop {
                thread::park();
            }
        });
        is_held.recv().expect("held");
        Segment::leave_all().expect("left");
        stage.tell("left");
        stage.wait_for("come back");
        drop(open());
        stage.tell("back");
        let mutex = mutex(&open(), "another");
        stage.wait_for("leave");
        Segment::leave_all().expect("left");
        stage.tell("left");
        stage.wait_for("lock");
        stage.tell(format!("{:?}", try_lock(&mutex)));
        stage.stay();
    });
    leaver.says("left");
    assert_eq!(watcher.info().expect("readable").members, 1);
    let mutex = mutex(&watcher, "m");
    // Longer than the slice after which the second detector is asked.
    let patience = Deadline::after_ns(300_000_000).expect("not negative");
    assert_eq!(status(mutex.acquire(patience)), Status::TimedOut, "its holder lives");
    leaver.tell("come back");
    leaver.says("back");
    assert_eq!(watcher.info().expect("readable").members, 2);
    leaver.tell("leave");
    leaver.says("left");
    drop(mutex);
    drop(watcher);
    nothing_is_left();
    leaver.tell("lock");
    leaver.says("NotFound");
    leaver.kill();
}
