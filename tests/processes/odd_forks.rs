//! Forks out of the ordinary: without hooks, without room for a child, and to run a program.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use atoll::{Acquired, Deadline, Status};

use crate::scene::{acquire, found, lock, mutex, status, try_lock, unlock};
use crate::support::child::Child;
use crate::support::system;

pub(crate) fn fork_without_hooks() -> i32 {
    unsafe extern "C" {
        safe fn _Fork() -> i32;
    }
    _Fork()
}

/// `_Fork`: libc knows of the child, and runs no hooks.
pub(crate) fn a_fork_without_hooks_works() {
    joins_by_itself(fork_without_hooks);
}

/// A child for which nobody has taken a place holds nothing of its parent's, works, and
/// dies as a member of its own.
fn joins_by_itself(fork: fn() -> i32) {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut child = Child::fork_by(fork, |mut stage| {
        assert_eq!(status(mutex.release()), Status::NotOwner);
        assert_eq!(try_lock(&mutex), Status::TimedOut);
        drop(crate::scene::mutex(&segment, "new"));
        stage.tell("tried");
        lock(&mutex);
        stage.tell("held");
        stage.stay();
    });
    child.says("tried");
    unlock(&mutex);
    child.says("held");
    let pid = child.pid as u32;
    assert_eq!(mutex.owner().expect("readable").expect("held").pid, pid);
    child.kill();
    assert_eq!(segment.wait_death(0, Deadline::NEVER).expect("a death").pid, pid);
    assert_eq!(acquire(&mutex), Acquired::OwnerDied);
}

/// A clone of which libc knows nothing has no robust list, so it cannot take part; it
/// is told so, and does no harm.
pub(crate) fn a_raw_clone_is_refused() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let child = Child::fork_by(system::raw_fork, |_| {
        for _ in 0..2 {
            let error = mutex.acquire(Deadline::NOW).expect_err("no part for it");
            assert_eq!(error.status(), Status::System);
            assert!(error.text().contains("robust list"), "{error}");
        }
        system::end_abruptly(0);
    });
    child.ends_well();
    assert!(mutex.owner().expect("readable").expect("held").alive);
    unlock(&mutex);
    lock(&mutex);
    unlock(&mutex);
}

/// `vfork` and `posix_spawn` run no hooks and leave nothing of ours open.
pub(crate) fn spawned_programs_change_nothing() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut lasting = Command::new("sleep").arg("1000").spawn().expect("sleep");
    for _ in 0..20 {
        assert!(Command::new("true").status().expect("true").success());
    }
    let ours = crate::support::image::path_of("stage");
    let open = fs::read_dir(format!("/proc/{}/fd", lasting.id())).expect("it lives");
    let is_ours = |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|path| path == ours);
    assert_eq!(open.map(|entry| is_ours(entry.expect("an entry"))).filter(|is| *is).count(), 0);
    assert_eq!(segment.info().expect("readable").members, 1);
    lasting.kill().expect("ours");
    lasting.wait().expect("killed");
    assert_eq!(status(segment.wait_death(0, Deadline::NOW)), Status::TimedOut);
    unlock(&mutex);
}

/// A fork for which no place could be reserved, because no descriptor was to be had:
/// the child joins later, by itself.
pub(crate) fn fork_without_descriptors() -> i32 {
    let usual = system::limit_descriptors(0);
    let process = system::fork();
    system::limit_descriptors(usual);
    process
}

pub(crate) fn a_child_that_was_not_expected_joins_by_itself() {
    joins_by_itself(fork_without_descriptors);
}

/// A child becomes a member at its first call; one that only starts another program
/// never was one.
pub(crate) fn a_fork_that_only_execs_is_no_death() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let program = Child::fork(|_| {
        let error = Command::new("true").exec();
        panic!("true: {error}");
    });
    program.ends_well();
    assert_eq!(status(segment.wait_death(0, Deadline::NOW)), Status::TimedOut);
    unlock(&mutex);
}
