//! Children, and children of children.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use atoll::{Acquired, Deadline, Mutex, Segment, SegmentOptions, Status};

use crate::odd_forks::{fork_without_descriptors, fork_without_hooks};
use crate::scene::{acquire, found, lock, mutex, open, status, the_mutex, try_lock, unlock};
use crate::support::child::{Child, Stage, all_asleep};
use crate::support::system;

pub(crate) fn a_child_holds_nothing() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut child = Child::fork(|mut stage| {
        assert_eq!(status(mutex.release()), Status::NotOwner);
        assert_eq!(status(mutex.mark_consistent()), Status::NotOwner);
        assert_eq!(try_lock(&mutex), Status::TimedOut);
        stage.tell("tried");
        assert_eq!(acquire(&mutex), Acquired::Clean);
        stage.tell("held");
        stage.stay();
    });
    child.says("tried");
    assert!(mutex.owner().expect("readable").expect("held").alive);
    unlock(&mutex);
    child.says("held");
    assert_eq!(try_lock(&mutex), Status::TimedOut);
    child.kill();
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
    mutex.mark_consistent().expect("held");
    // The end of a child that never called changes nothing.
    Child::fork(|_| system::end_abruptly(0)).ends_well();
    Child::fork(|stage| stage.stay()).kill();
    assert_eq!(status(mutex.acquire(Deadline::NOW)), Status::Deadlock);
    unlock(&mutex);
    assert_eq!(try_lock(&mutex), Status::Ok);
}

pub(crate) fn locks_of_other_threads_stay_theirs() {
    let segment = found();
    let mutexes: Vec<Mutex> = (0..4).map(|n| mutex(&segment, &format!("m{n}"))).collect();
    let (held, is_held) = channel();
    thread::scope(|scope| {
        let ends: Vec<_> = mutexes
            .iter()
            .map(|mutex| {
                let (held, (end, ended)) = (held.clone(), channel::<()>());
                scope.spawn(move || {
                    lock(mutex);
                    held.send(()).expect("listened to");
                    ended.recv().expect("told");
                    unlock(mutex);
                });
                end
            })
            .collect();
        mutexes.iter().for_each(|_| is_held.recv().expect("held"));
        let mut child = Child::fork(|mut stage| {
            for mutex in &mutexes {
                assert_eq!(status(mutex.release()), Status::NotOwner);
                assert_eq!(try_lock(mutex), Status::TimedOut);
            }
            stage.tell("tried");
            for mutex in &mutexes {
                lock(mutex);
            }
            mutexes.iter().for_each(unlock);
            stage.tell("served");
            stage.stay();
        });
        child.says("tried");
        Child::fork(|stage| stage.stay()).kill();
        for mutex in &mutexes {
            assert!(mutex.owner().expect("readable").expect("held").alive);
        }
        ends.iter().for_each(|end| end.send(()).expect("it listens"));
        child.says("served");
        child.kill();
    });
}

/// A child that made a call is a member, and its end is its own.
/// While a thread holds a mutex that it had to wait for, the kernel is pointed there. A
/// child holds nothing, and may unmap the place.
pub(crate) fn a_child_points_at_no_lock() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut waiter = Child::spawn(|mut stage: Stage| {
        let mutex = the_mutex();
        stage.tell("waiting");
        lock(&mutex);
        assert!(system::robust_operation_is_pending(), "else this test shows nothing");
        let child = Child::fork(|_| assert!(!system::robust_operation_is_pending()));
        child.ends_well();
        unlock(&mutex);
    });
    waiter.says("waiting");
    all_asleep([&waiter]);
    unlock(&mutex);
    waiter.ends_well();
}

/// A child that made a call is a member, and its end is its own.
pub(crate) fn a_child_is_a_member() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    unlock(&mutex);
    let mut child = Child::fork(|mut stage| {
        lock(&mutex);
        unlock(&mutex);
        stage.tell("joined");
        stage.stay();
    });
    child.says("joined");
    assert_eq!(segment.info().expect("readable").members, 2);
    let pid = child.pid as u32;
    child.kill();
    let news = segment.wait_death(0, Deadline::NEVER).expect("a death");
    assert_eq!(news.pid, pid);
    let leaves_well = Child::fork(|_| {
        lock(&mutex);
        unlock(&mutex);
    });
    leaves_well.ends_well();
    assert_eq!(status(segment.wait_death(1, Deadline::NOW)), Status::TimedOut);
    lock(&mutex);
    unlock(&mutex);
}

/// A child keeps nothing of its parent alive: not the membership, not the locks.
pub(crate) fn a_parents_death_is_told_though_its_child_lives() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    for how in [system::fork, fork_without_hooks] {
        let seen = segment.info().expect("readable").death_epoch;
        let mut parent = Child::fork(|mut stage| {
            acquire(&mutex);
            // Lives on, and has not made a call.
            let child = Child::fork_by(how, |stage| stage.stay());
            stage.tell(child.pid);
            stage.stay();
        });
        let child: i32 = parent.hear().parse().expect("a pid");
        let pid = parent.pid as u32;
        parent.kill();
        let news = segment.wait_death(seen, Deadline::NEVER).expect("a death");
        assert_eq!(news.pid, pid);
        assert_eq!(acquire(&mutex), Acquired::OwnerDied);
        unlock(&mutex);
        system::kill(child, libc::SIGKILL);
    }
}

pub(crate) fn a_grandchild_too() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut child = Child::fork(|mut stage| {
        let mut grandchild = Child::fork(|mut stage| {
            assert_eq!(status(mutex.release()), Status::NotOwner);
            assert_eq!(acquire(&mutex), Acquired::Clean);
            stage.tell("held");
            stage.stay();
        });
        stage.tell("forked");
        grandchild.says("held");
        grandchild.kill();
        assert_eq!(acquire(&mutex), Acquired::OwnerDied);
        stage.tell("taken over");
        stage.stay();
    });
    child.says("forked");
    unlock(&mutex);
    child.says("taken over");
    child.kill();
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
}

/// Closes everything, forks twice, and goes on as if nothing had been: it must not look
/// dead. Tells its director through the mutex alone.
fn daemon(mutex: &Mutex, holding: impl FnOnce()) {
    let child = Child::fork(|_| {
        let grandchild = system::fork();
        if grandchild != 0 {
            system::end_abruptly(0);
        }
        acquire(mutex);
        system::close_from(3);
        holding();
    });
    child.ends_well();
}

pub(crate) fn a_daemon_is_alive() {
    let segment = found();
    let (held, done) = (mutex(&segment, "m"), mutex(&segment, "done"));
    daemon(&held, || {
        // Longer than it takes to ask the second detector.
        thread::sleep(Duration::from_millis(400));
        let own = mutex(&open(), "made by the daemon");
        lock(&own);
        let again = mutex(&segment, "made through the old handle");
        lock(&again);
        lock(&done);
        unlock(&held);
        loop {
            thread::park();
        }
    });
    while held.owner().expect("readable").is_none() && done.owner().expect("readable").is_none() {
        thread::yield_now();
    }
    assert_eq!(acquire(&held), Acquired::Clean, "the daemon lives");
    let pid = done.owner().expect("readable").expect("held").pid;
    segment.verify().expect("sound");
    system::kill(pid as i32, libc::SIGKILL);
    assert_eq!(acquire(&done), Acquired::OwnerDied);
}

/// The descriptor is closed and the name is gone: what can be done without a
/// descriptor still is.
pub(crate) fn a_daemon_of_a_nameless_segment_goes_on() {
    let segment = Segment::create("short-lived", &SegmentOptions::default()).expect("created");
    let (held, wanted) = (mutex(&segment, "m"), mutex(&segment, "wanted"));
    lock(&wanted);
    daemon(&held, || {
        Segment::unlink("short-lived").expect("unlinked");
        // Several slices long: the second detector cannot be asked.
        lock(&wanted);
        unlock(&wanted);
        unlock(&held);
        system::end_abruptly(0);
    });
    while held.owner().expect("readable").is_none() {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(400));
    unlock(&wanted);
    assert_eq!(acquire(&held), Acquired::Clean, "it waited and went on");
}

pub(crate) fn forks_while_threads_churn() {
    let segment = found();
    let shared = mutex(&segment, "m");
    let is_over = AtomicBool::new(false);
    let churns = |number: u32| {
        for round in 0.. {
            // Creates, takes seats, leaves them, closes: every table is in use.
            let own = mutex(&segment, &format!("{number}-{}", round % 50));
            thread::scope(|s| drop(s.spawn(|| drop(own.lock(Deadline::NEVER)))));
            drop(shared.lock(Deadline::NEVER).expect("free again and again"));
            if is_over.load(SeqCst) {
                break;
            }
        }
    };
    let child_works = |number: u32| {
        // A brother may have been killed in the middle of it.
        acquire(&shared);
        unlock(&shared);
        let own = mutex(&segment, &format!("child-{}", number % 20));
        // Not a thread of the standard library: in a child of many threads one of its own
        // locks may be held for ever.
        system::in_posix_thread(|| drop(own.lock(Deadline::NEVER)));
        drop(open());
    };
    let ends = thread::scope(|scope| {
        (0..3).for_each(|number| drop(scope.spawn(move || churns(number))));
        let mut ends = Vec::new();
        for number in 0..150 {
            let child = Child::fork(|_| child_works(number));
            if number % 3 == 0 {
                child.kill();
            } else {
                ends.push(child.ends());
            }
        }
        is_over.store(true, SeqCst);
        ends
    });
    assert_eq!(ends, [0; 100]);
    segment.verify().expect("sound");
}

/// A child that begins while another thread of its parent joins a segment must not
/// inherit the descriptor that holds the parent's byte: its parent would look alive for
/// as long as the child is.
pub(crate) fn forks_while_threads_join() {
    const SEGMENTS: usize = 40;
    let name = |number: usize| format!("stage{number}");
    for _ in 0..8 {
        let mutexes: Vec<Mutex> = (0..SEGMENTS)
            .map(|n| Segment::create(&name(n), &SegmentOptions::default()).expect("created"))
            .map(|segment| mutex(&segment, "m"))
            .collect();
        // Its parent for what follows has all of them open and is in none.
        let parent = Child::fork_by(fork_without_descriptors, |_| {
            thread::scope(|scope| {
                // The last ones first: a fork looks at the first ones first, and takes
                // longer for those that are joined.
                let joins = scope.spawn(|| {
                    for mutex in mutexes.iter().rev() {
                        drop(mutex.lock(Deadline::NOW).expect("free"));
                        thread::sleep(Duration::from_micros(300));
                    }
                });
                while !joins.is_finished() {
                    let child = Child::fork(|_| assert_eq!(bytes_held_by_descriptors(), 0));
                    child.ends_well();
                }
            });
        });
        parent.ends_well();
        (0..SEGMENTS).for_each(|n| Segment::unlink(&name(n)).expect("unlinked"));
    }
}

/// How many locked bytes the descriptors of this process hold, as the kernel sees it.
fn bytes_held_by_descriptors() -> usize {
    let numbers = fs::read_dir("/proc/self/fd").expect("/proc is mounted");
    let numbers = numbers.map(|entry| entry.expect("an entry").file_name());
    let infos = numbers.map(|number| {
        let path = format!("/proc/self/fdinfo/{}", number.to_string_lossy());
        fs::read_to_string(path).unwrap_or_default()
    });
    infos.map(|info| info.lines().filter(|line| line.starts_with("lock:")).count()).sum()
}

pub(crate) fn a_hundred_segments() {
    const SEGMENTS: usize = 100;
    let name = |number: usize| format!("stage{number}");
    let segments: Vec<Segment> = (0..SEGMENTS)
        .map(|n| Segment::create(&name(n), &SegmentOptions::default()).expect("created"))
        .collect();
    let mutexes: Vec<Mutex> = segments.iter().map(|segment| mutex(segment, "m")).collect();
    for mutex in &mutexes {
        lock(mutex);
        unlock(mutex);
    }
    let before = system::open_descriptors();
    let mut child = Child::fork(|mut stage| {
        let descriptors = system::open_descriptors();
        mutexes.iter().for_each(lock);
        assert!(system::open_descriptors() <= descriptors, "memberships keep no descriptors");
        stage.tell("held");
        stage.stay();
    });
    child.says("held");
    assert!(system::open_descriptors() <= before + 1);
    let pid = child.pid as u32;
    child.kill();
    for (segment, mutex) in segments.iter().zip(&mutexes) {
        assert_eq!(segment.wait_death(0, Deadline::NEVER).expect("a death").pid, pid);
        assert_eq!(acquire(mutex), Acquired::OwnerDied);
        unlock(mutex);
        segment.verify().expect("sound");
    }
    (0..SEGMENTS).for_each(|n| Segment::unlink(&name(n)).expect("unlinked"));
}

/// Parent and child share the descriptor at first, and locks taken through one
/// descriptor do not exclude each other.
pub(crate) fn creators_exclude_each_other_after_a_fork() {
    for how in [system::fork, fork_without_hooks] {
        // Not one call before the fork: nothing has been set up.
        let part = move |mut stage: Stage| {
            let segment = open();
            let creates = |own: char| {
                for number in 0..1500 {
                    let name = format!("{own}{number}");
                    Mutex::create(&segment, Some(&name), false).expect("created");
                }
            };
            let child = Child::fork_by(how, |_| creates('c'));
            creates('p');
            child.ends_well();
            segment.verify().expect("sound");
            stage.tell(segment.info().expect("readable").objects);
        };
        let segment = found();
        let mut parent = Child::fork(part);
        parent.says("3000");
        parent.ends_well();
        segment.verify().expect("sound");
    }
}

/// A child may be forked while another thread makes the first call of the process, and has
/// not got the thread that would end it.
pub(crate) fn a_fork_during_the_first_call() {
    let _segment = found();
    let parts = (0..150).map(|_| {
        Child::spawn(|_| {
            let first = thread::spawn(|| drop(open()));
            while !first.is_finished() {
                Child::fork(|_| drop(open())).ends_well();
            }
            first.join().expect("it ends well");
        })
    });
    parts.for_each(Child::ends_well);
}
