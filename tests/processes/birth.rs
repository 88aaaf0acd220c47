//! Names, modes, owners, and makers that die.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::thread;

use atoll::{Segment, SegmentOptions, Status};

use crate::scene::{lock, mutex, status, unlock};
use crate::support::child::Child;
use crate::support::image::path_of;
use crate::support::runner::skip;
use crate::support::sandbox::{hold_at, kill_at, refuse, refuse_with_flag};
use crate::support::system;

fn with_mode(mode: u32) -> SegmentOptions {
    SegmentOptions { mode, ..SegmentOptions::default() }
}

fn reading() -> SegmentOptions {
    SegmentOptions { read_only: true, ..SegmentOptions::default() }
}

fn create(name: &str) -> Segment {
    Segment::create(name, &SegmentOptions::default()).expect("created")
}

/// What is in the segment directory.
fn files() -> Vec<String> {
    let entries = fs::read_dir(path_of("")).expect("the directory");
    let names = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn modes_are_as_asked() {
    for mode in [0o600, 0o660, 0o604, 0o777, 0o640] {
        let segment = Segment::create("s", &with_mode(mode)).expect("created");
        assert_eq!(fs::metadata(path_of("s")).expect("there").mode() & 0o7777, mode);
        assert_eq!(segment.info().expect("readable").mode, mode);
        Segment::unlink("s").expect("unlinked");
    }
    let segment = create("s");
    assert_eq!(segment.info().expect("readable").mode, 0o600);
    Segment::unlink("s").expect("unlinked");
}

pub(crate) fn modes_are_exact() {
    for umask in [0o022, 0o777, 0] {
        // SAFETY: takes no pointer.
        unsafe { libc::umask(umask) };
        modes_are_as_asked();
    }
    // Without unnamed files, too.
    refuse_with_flag(libc::SYS_openat, 2, O_TMPFILE_ALONE, libc::EOPNOTSUPP);
    modes_are_as_asked();
    assert_eq!(status(Segment::create("s", &with_mode(0o1777))), Status::InvalidArgument);
}

/// `O_TMPFILE` without the `O_DIRECTORY` that it contains.
const O_TMPFILE_ALONE: u32 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32;

pub(crate) fn other_users_need_leave() {
    if !system::is_root() {
        skip("only root can become another user");
    }
    for (name, mode) in [("closed", 0o600), ("readable", 0o604), ("open", 0o606)] {
        let segment = Segment::create(name, &with_mode(mode)).expect("created");
        drop(mutex(&segment, "m"));
    }
    let other = Child::fork(|_| {
        system::become_nobody();
        let default = SegmentOptions::default();
        assert_eq!(status(Segment::open("closed", &default)), Status::Permission);
        assert_eq!(status(Segment::open("closed", &reading())), Status::Permission);
        assert_eq!(status(Segment::open("readable", &default)), Status::Permission);
        assert_eq!(status(Segment::create("new", &default)), Status::Permission);

        let readable = Segment::open("readable", &reading()).expect("allowed");
        readable.verify().expect("sound");
        let refused = atoll::Mutex::open(&readable, Some("m"), false).expect("it may look");
        assert_eq!(status(refused.acquire(atoll::Deadline::NOW)), Status::Permission);

        let open = Segment::open("open", &default).expect("allowed");
        let mutex = mutex(&open, "m");
        lock(&mutex);
        unlock(&mutex);
    });
    other.ends_well();
    for name in ["closed", "readable", "open"] {
        Segment::unlink(name).expect("unlinked");
    }
}

pub(crate) fn a_sticky_directory_protects_names() {
    if !system::is_root() {
        skip("only root can become another user");
    }
    let anyone = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(path_of(""), anyone).expect("our directory");
    let _segment = Segment::create("ours", &with_mode(0o666)).expect("created");
    let other = Child::fork(|_| {
        system::become_nobody();
        assert_eq!(status(Segment::unlink("ours")), Status::Permission);
        // `fs.protected_regular` is about files made again, not about ones opened.
        lock(&mutex(&Segment::open("ours", &SegmentOptions::default()).expect("open"), "m"));
        let _theirs = create("theirs");
    });
    other.ends_well();
    Segment::unlink("theirs").expect("root may");
    Segment::unlink("ours").expect("unlinked");
}

pub(crate) fn names_are_taken_once() {
    let segment = create("/s");
    let error = Segment::create("s", &SegmentOptions::default()).expect_err("taken");
    assert_eq!(error.status(), Status::AlreadyExists);
    assert!(error.text().contains("unlink"), "{error}");
    assert_eq!(files(), ["s"]);
    drop(mutex(&segment, "m"));
    Segment::unlink("s").expect("unlinked");
    assert_eq!(status(Segment::unlink("s")), Status::NotFound);
    // Who has it open goes on, and the name is free for another one.
    let another = create("s");
    lock(&mutex(&segment, "m"));
    assert_eq!(another.info().expect("readable").objects, 0);
    Segment::unlink("s").expect("unlinked");
}

/// Dies at its first call of that number.
fn a_maker_that_dies_at(call: i64, prepare: fn()) {
    let maker = Child::fork(|_| {
        prepare();
        kill_at(call);
        create("s");
    });
    let status = maker.ends();
    assert!(libc::WIFSIGNALED(status), "it did not come to call {call}");
}

pub(crate) fn a_killed_maker_leaves_nothing() {
    let free = || {
        let system = fs::metadata(path_of("")).expect("the directory");
        system.nlink()
    };
    let before = free();
    for call in [libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_mmap, libc::SYS_linkat] {
        a_maker_that_dies_at(call, || {});
        assert_eq!(files(), [""; 0]);
    }
    assert_eq!(free(), before);
    let segment = create("s");
    segment.verify().expect("sound");
    Segment::unlink("s").expect("unlinked");
}

fn no_unnamed_files() {
    refuse_with_flag(libc::SYS_openat, 2, O_TMPFILE_ALONE, libc::EOPNOTSUPP);
}

pub(crate) fn unnamed_files_may_be_missing() {
    no_unnamed_files();
    segments_can_be_made();
}

/// Without /proc and without the right to link a bare descriptor.
pub(crate) fn unnamed_files_may_be_impossible_to_name() {
    refuse(libc::SYS_linkat, libc::ENOENT);
    segments_can_be_made();
}

fn segments_can_be_made() {
    let segment = create("s");
    assert_eq!(files(), ["s"]);
    lock(&mutex(&segment, "m"));
    segment.verify().expect("sound");
    assert_eq!(status(Segment::create("s", &SegmentOptions::default())), Status::AlreadyExists);
    assert_eq!(files(), ["s"]);
    Segment::unlink("s").expect("unlinked");
}

pub(crate) fn abandoned_files_are_removed() {
    for _ in 0..3 {
        a_maker_that_dies_at(libc::SYS_renameat2, no_unnamed_files);
    }
    assert_eq!(files().len(), 1, "each maker removes what the last one left: {:?}", files());
    let other = Child::fork(|_| {
        no_unnamed_files();
        create("s");
    });
    other.ends_well();
    assert_eq!(files(), ["s"]);
    Segment::unlink("s").expect("unlinked");
}

/// Anybody can put anything into a directory that all may write to.
pub(crate) fn traps_among_abandoned_files_are_not_opened() {
    let target = path_of("target");
    fs::write(&target, "not ours").expect("written");
    std::os::unix::fs::symlink(&target, path_of(".atoll-unborn-link")).expect("a link");
    no_unnamed_files();
    create("s");
    assert_eq!(files(), [".atoll-unborn-link", "s", "target"]);
    for name in [".atoll-unborn-link", "s", "target"] {
        fs::remove_file(path_of(name)).expect("removed");
    }
}

pub(crate) fn a_living_makers_file_is_left_alone() {
    let mut slow = Child::fork(|mut stage| {
        no_unnamed_files();
        hold_at(libc::SYS_renameat2);
        stage.tell("here");
        create("slow");
    });
    slow.says("here");
    while files().len() != 1 || system::state_of(slow.pid as u32, slow.pid as u32) != 'T' {
        thread::yield_now();
    }
    let quick = Child::fork(|_| {
        no_unnamed_files();
        create("quick");
    });
    quick.ends_well();
    assert_eq!(files().len(), 2, "{:?}", files());
    slow.kill();
    Segment::unlink("quick").expect("unlinked");
    fs::remove_file(path_of(&files()[0])).expect("the slow one's");
}

pub(crate) fn one_maker_wins() {
    for round in 0..20 {
        let part = |mut stage: crate::support::child::Stage| {
            stage.wait_for("go");
            let options = SegmentOptions::default();
            stage.tell(format!("{:?}", status(Segment::create("s", &options))));
            let segment = Segment::open_or_create("s", &options).expect("there");
            drop(mutex(&segment, "m"));
        };
        if round == 10 {
            no_unnamed_files();
        }
        let mut makers: Vec<Child> = (0..4).map(|_| Child::fork(part)).collect();
        makers.iter_mut().for_each(|maker| maker.tell("go"));
        let mut said: Vec<String> = makers.iter_mut().map(Child::hear).collect();
        said.sort();
        assert_eq!(said, ["AlreadyExists", "AlreadyExists", "AlreadyExists", "Ok"]);
        makers.into_iter().for_each(Child::ends_well);
        let segment = Segment::open("s", &SegmentOptions::default()).expect("there");
        assert_eq!(segment.info().expect("readable").objects, 1);
        segment.verify().expect("sound");
        Segment::unlink("s").expect("unlinked");
        assert_eq!(files(), [""; 0]);
    }
}
