//! Segments that go with their last member, and what the dead leave of them.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::thread;
use std::time::Duration;

use atoll::{Deadline, Segment, SegmentOptions, Status};

use crate::scene::{lock, mutex, status, unlock};
use crate::support::child::{Child, Stage};
use crate::support::image::{Image, field, path_of};
use crate::support::runner::skip;
use crate::support::system;

pub(crate) const NAME: &str = "passing";

pub(crate) fn ephemeral() -> SegmentOptions {
    SegmentOptions { ephemeral: true, size: 256 << 10, ..SegmentOptions::default() }
}

pub(crate) fn make() -> Segment {
    Segment::create(NAME, &ephemeral()).expect("created")
}

pub(crate) fn open() -> Segment {
    Segment::open(NAME, &SegmentOptions::default()).expect("there")
}

fn open_to_read() -> atoll::Result<Segment> {
    let options = SegmentOptions { read_only: true, ..SegmentOptions::default() };
    Segment::open(NAME, &options)
}

fn try_open() -> Status {
    status(Segment::open(NAME, &SegmentOptions::default()))
}

pub(crate) fn gc() -> u64 {
    Segment::gc().expect("the directory is readable")
}

pub(crate) fn files() -> Vec<String> {
    let entries = fs::read_dir(path_of("")).expect("the directory");
    let names = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

pub(crate) fn nothing_is_left() {
    assert_eq!(files(), [""; 0]);
}

/// A process that made the segment and stays in it.
fn maker() -> Child {
    let mut maker = Child::spawn(|mut stage: Stage| {
        std::mem::forget(make());
        stage.tell("made");
        stage.stay();
    });
    maker.says("made");
    maker
}

/// A process that opened it and stays in it.
fn guest() -> Child {
    let mut guest = Child::spawn(|mut stage: Stage| {
        std::mem::forget(open());
        stage.tell("in");
        stage.stay();
    });
    guest.says("in");
    guest
}

pub(crate) fn it_goes_with_the_last_close() {
    let segment = make();
    assert!(segment.info().expect("readable").ephemeral);
    let second = segment.clone();
    drop(segment);
    let mutex = mutex(&second, "m");
    drop(second);
    lock(&mutex);
    assert_eq!(files(), [NAME]);
    unlock(&mutex);
    drop(mutex);
    nothing_is_left();
    assert_eq!(try_open(), Status::NotFound);

    let first = make();
    let guest = guest();
    drop(first);
    assert_eq!(files(), [NAME]);
    drop(open());
    assert_eq!(files(), [NAME], "it was not the last one");
    guest.leaves();
    nothing_is_left();

    // Its name may go before it does, and then be another one's.
    let nameless = make();
    Segment::unlink(NAME).expect("unlinked");
    let named = make();
    drop(nameless);
    assert_eq!(files(), [NAME]);
    drop(named);
    nothing_is_left();
}

pub(crate) fn others_stay() {
    drop(Segment::create(NAME, &SegmentOptions::default()).expect("created"));
    assert_eq!(gc(), 0);
    assert_eq!(files(), [NAME]);
    assert!(
        !Segment::open_or_create(NAME, &ephemeral())
            .expect("there")
            .info()
            .expect("readable")
            .ephemeral
    );
    Segment::unlink(NAME).expect("unlinked");
}

pub(crate) fn it_goes_with_the_last_exit() {
    maker().leaves();
    nothing_is_left();
    // While other threads work on, and join.
    for _ in 0..30 {
        let busy = Child::spawn(|_| {
            std::mem::forget(make());
            for _ in 0..3 {
                let works = || drop(mutex(&open(), "m").lock(Deadline::NEVER).expect("a lock"));
                thread::spawn(move || {
                    loop {
                        works();
                        thread::spawn(works).join().expect("it ends well");
                    }
                });
            }
            thread::sleep(Duration::from_millis(1));
        });
        // A thread that finds its segment gone fails, while the process ends.
        busy.ends();
        nothing_is_left();
    }
}

/// None of them is the last one, as each of them sees it.
pub(crate) fn it_goes_with_those_who_exit_together() {
    const CROWD: usize = 6;
    for _ in 0..40 {
        let part = |mut stage: Stage| {
            std::mem::forget(Segment::open_or_create(NAME, &ephemeral()).expect("there"));
            stage.tell("in");
            stage.wait_for("go");
        };
        let mut crowd: Vec<Child> = (0..CROWD).map(|_| Child::fork(part)).collect();
        crowd.iter_mut().for_each(|child| child.says("in"));
        crowd.iter_mut().for_each(|child| child.tell("go"));
        crowd.into_iter().for_each(Child::ends_well);
        nothing_is_left();
    }
}

pub(crate) fn who_makes_one_removes_what_the_dead_left() {
    let (maker, guest) = (maker(), guest());
    maker.kill();
    assert_eq!(gc(), 0, "somebody is in");
    guest.kill();
    assert_eq!(files(), [NAME], "nobody was left to remove it");
    drop(Segment::create("other", &SegmentOptions::default()).expect("created"));
    assert_eq!(files(), ["other"]);
    Segment::unlink("other").expect("unlinked");

    // Also where it has the name.
    self::maker().kill();
    let segment = make();
    assert_eq!(segment.info().expect("readable").death_epoch, 0, "this is another one");
    drop(segment);
    nothing_is_left();
}

pub(crate) fn collection_removes_what_the_dead_left() {
    assert_eq!(gc(), 0);
    maker().kill();
    // Who finds it first may also go in, and be its last member.
    let segment = open();
    assert_eq!(gc(), 0);
    drop(segment);
    nothing_is_left();

    for name in ["a", "b", "c"] {
        Child::fork(|_| {
            std::mem::forget(Segment::create(name, &ephemeral()));
            system::end_abruptly(0);
        })
        .ends_well();
    }
    // Each of them removed the last one's.
    assert_eq!(files(), ["c"]);
    assert_eq!(gc(), 1);
    nothing_is_left();
}

pub(crate) fn a_forked_child_keeps_it() {
    let ends: [fn(Child); 2] = [Child::kill, Child::leaves];
    for end in ends {
        let mut parent = Child::spawn(|mut stage: Stage| {
            let _mutex = mutex(&make(), "m");
            // Makes no call, and does not end with its parent.
            let child = Child::fork(|_| rest());
            stage.tell(child.pid);
            std::mem::forget(child);
            stage.stay();
        });
        let child = parent.hear();
        end(parent);
        assert_eq!(gc(), 0, "a child is in from its birth");
        assert_eq!(files(), [NAME]);
        drop(open());
        assert_eq!(files(), [NAME]);
        kill_orphan(&child);
        assert_eq!(gc(), 1);
        nothing_is_left();
    }
}

/// Stays, whoever ends.
pub(crate) fn rest() -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

/// Kills a process that is not our child, and waits until it is gone.
pub(crate) fn kill_orphan(pid: &str) {
    let pid: i32 = pid.parse().expect("a pid");
    system::kill(pid, libc::SIGKILL);
    while !matches!(system::state_of(pid as u32, pid as u32), 'X' | 'Z') {
        thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn a_reader_keeps_nothing() {
    let segment = make();
    drop(mutex(&segment, "m"));
    let reader = open_to_read().expect("there");
    assert!(reader.info().expect("readable").ephemeral);
    drop(segment);
    nothing_is_left();
    // It goes on seeing what was there last.
    reader.verify().expect("sound");
    assert_eq!(reader.info().expect("readable").objects, 1);
    assert_eq!(status(open_to_read()), Status::NotFound);
    drop(reader);

    maker().kill();
    let reader = open_to_read().expect("nobody has removed it yet");
    assert_eq!(gc(), 1);
    reader.verify().expect("sound");
}

/// As a killed destroyer leaves it: destroyed, under its name.
pub(crate) fn a_half_removed_one_is_removed() {
    let dead = || {
        maker().kill();
        let mut image = Image::of(NAME);
        image.put(field("Header", "destroyed"), &[1, 0, 0, 0]);
        image.become_segment(NAME);
    };
    dead();
    assert_eq!(status(open_to_read()), Status::NotFound);
    assert_eq!(files(), [NAME], "a reader may not remove it");
    assert_eq!(try_open(), Status::NotFound);
    nothing_is_left();

    dead();
    assert_eq!(gc(), 1);
    nothing_is_left();

    // Also by who had left it, and has handles still.
    let _segment = make();
    let guest = guest();
    Segment::leave_all().expect("left");
    guest.kill();
    File::options()
        .write(true)
        .open(path_of(NAME))
        .and_then(|file| file.write_all_at(&[1], field("Header", "destroyed") as u64))
        .expect("written");
    assert_eq!(try_open(), Status::NotFound);
    nothing_is_left();

    dead();
    drop(Segment::open_or_create(NAME, &ephemeral()).expect("another one"));
    nothing_is_left();

    dead();
    drop(make());
    nothing_is_left();
}

/// Whoever may write to the directory can put anything there.
pub(crate) fn other_files_are_left_alone() {
    maker().kill();
    let image = Image::of(NAME);
    let damaged = |field_name: &str, bytes: &[u8]| {
        let mut image = image.clone();
        image.put(field("Header", field_name), bytes);
        image
    };
    fs::remove_file(path_of(NAME)).expect("removed");
    damaged("magic", b"atollseg").become_segment("magic");
    damaged("layout_version", &[99, 0, 0, 0]).become_segment("version");
    damaged("flags", &[0, 0, 0, 0]).become_segment("named");
    damaged("flags", &[5, 0, 0, 0]).become_segment("flags");
    damaged("fingerprint", &[1; 8]).become_segment("build");
    damaged("size", &[1; 8]).become_segment("size");
    fs::write(path_of("cut"), &image.bytes[..20]).expect("written");
    fs::write(path_of("text"), "not ours").expect("written");
    fs::write(path_of("empty"), "").expect("written");
    fs::create_dir(path_of("directory")).expect("made");
    image.become_segment(".atoll-unborn-1");
    // What a link leads to is somebody else's, even if it is a dead segment.
    let elsewhere = path_of("directory").join("segment");
    fs::write(&elsewhere, &image.bytes).expect("written");
    symlink(&elsewhere, path_of("link")).expect("a link");
    let pipe = std::ffi::CString::new(path_of("pipe").to_str().expect("UTF-8")).expect("no NUL");
    // SAFETY: a NUL-terminated string.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    if system::is_root() {
        image.become_segment("foreign");
        chown(path_of("foreign"), Some(65534), None).expect("root may");
    }
    let before = (files(), contents());
    assert_eq!(gc(), 0);
    drop(make());
    assert_eq!((files(), contents()), before);

    image.become_segment("dead");
    assert_eq!(gc(), 1, "the same bytes, where they are to be judged");
    fs::remove_dir_all(path_of("directory")).expect("removed");
    for name in files() {
        fs::remove_file(path_of(&name)).expect("removed");
    }
}

fn contents() -> Vec<Vec<u8>> {
    let is_file = |name: &String| fs::metadata(path_of(name)).is_ok_and(|facts| facts.is_file());
    files().iter().filter(|n| is_file(n)).map(|n| fs::read(path_of(n)).expect("ours")).collect()
}

/// Its last member may not remove it: its owner does.
pub(crate) fn who_may_not_remove_it_leaves_it() {
    if !system::is_root() {
        skip("only root can become another user");
    }
    let anyone = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(path_of(""), anyone).expect("our directory");
    Child::fork(|_| {
        let options = SegmentOptions { mode: 0o666, ..ephemeral() };
        std::mem::forget(Segment::create(NAME, &options).expect("created"));
        system::end_abruptly(0);
    })
    .ends_well();
    Child::fork(|_| {
        system::become_nobody();
        for _ in 0..2 {
            drop(open());
            assert_eq!((files(), gc()), (vec![NAME.to_owned()], 0));
        }
    })
    .ends_well();
    assert_eq!(gc(), 1);
    nothing_is_left();
}
