//! File systems and segments without room: an error, nothing lost, never a fault.

use std::fs::{self, File};
use std::io::Write;

use atoll::{Array, Segment, SegmentInfo, SegmentOptions, Status, Value};

use crate::scene::{lock, mutex, status, unlock};
use crate::support::image::path_of;
use crate::support::runner::skip;
use crate::support::system;

/// Puts a file system of its own in the place of the segment directory. It goes with
/// the test's mount namespace.
pub(crate) fn mount(options: &str) {
    let mounted = system::enter_own_mount_namespace()
        .and_then(|()| system::mount_privately(&path_of(""), options));
    if let Err(error) = mounted {
        skip(&format!("no file system of our own here: {error}"));
    }
}

fn create(name: &str) -> atoll::Result<Segment> {
    Segment::create(name, &SegmentOptions::default())
}

/// The sentence of a failure for want of room, which says what to do.
#[track_caller]
fn says_what_to_do<T: std::fmt::Debug>(result: atoll::Result<T>) {
    let error = result.expect_err("no room");
    assert_eq!(error.status(), Status::NoSpace, "{error}");
    for words in ["is full", "inodes", "--shm-size", "ATOLL_DIR"] {
        assert!(error.text().contains(words), "{words:?} is missing: {error}");
    }
}

fn fill() -> File {
    let mut file = File::create(path_of("filler")).expect("room for a name");
    while file.write_all(&[1; 4096]).is_ok() {}
    file
}

pub(crate) fn a_full_file_system_is_an_error() {
    mount("size=1m");
    drop(fill());
    for _ in 0..3 {
        says_what_to_do(create("s"));
        assert_eq!(fs::read_dir(path_of("")).expect("readable").count(), 1);
    }
    fs::remove_file(path_of("filler")).expect("removed");
    let free = system::free_bytes(&path_of(""));
    let segment = create("s").expect("room again");
    segment.verify().expect("sound");
    Segment::unlink("s").expect("unlinked");
    drop(segment);
    assert_eq!(system::free_bytes(&path_of("")), free);
}

pub(crate) fn no_inodes_is_the_same_error() {
    // One for the root of the file system, one for the segment.
    mount("size=1m,nr_inodes=2");
    let first = create("first").expect("room for one");
    says_what_to_do(create("second"));
    Segment::unlink("first").expect("unlinked");
    drop(first);
    create("second").expect("room for one");
    Segment::unlink("second").expect("unlinked");
}

/// All that a segment says of itself and that must not change by a refusal. (Bytes in use
/// may: a page of holds that was added before the refusal waits for the next object.)
fn account(segment: &Segment) -> (u64, u64, u32) {
    let SegmentInfo { committed, objects, participants, .. } = segment.info().expect("readable");
    (committed, objects, participants)
}

/// Makes arrays until not even the smallest has room; returns them, every byte written.
fn fill_with_arrays(segment: &Segment) -> Vec<(Array<u8>, u8)> {
    let mut arrays = Vec::new();
    for bytes in [150_000, 50_000, 4096, 1000, 64] {
        loop {
            let before = account(segment);
            let name = format!("a{}", arrays.len());
            let array = match Array::<u8>::create(segment, Some(&name), &[bytes]) {
                Ok(array) => array,
                Err(error) => {
                    assert_eq!(error.status(), Status::NoSpace, "{error}");
                    assert_eq!(account(segment), before, "a refusal changes nothing");
                    assert_eq!(status(Array::<u8>::open(segment, &name)), Status::NotFound);
                    break;
                }
            };
            let mark = arrays.len() as u8;
            // SAFETY: the array is that long.
            let fresh = unsafe { std::slice::from_raw_parts(array.as_ptr(), bytes as usize) };
            assert!(fresh.iter().all(|byte| *byte == 0), "memory is given out zeroed");
            // SAFETY: likewise; every byte is real memory, or this is a fault.
            unsafe { array.as_ptr().write_bytes(mark, bytes as usize) };
            arrays.push((array, mark));
        }
    }
    arrays
}

fn all_is_kept(segment: &Segment, arrays: &[(Array<u8>, u8)]) {
    segment.verify().expect("sound");
    for (array, mark) in arrays {
        // SAFETY: the array is that long.
        let bytes = unsafe { std::slice::from_raw_parts(array.as_ptr(), array.len() as usize) };
        assert!(bytes.iter().all(|byte| byte == mark), "array {mark} has changed");
    }
}

pub(crate) fn growth_to_the_brim_loses_nothing() {
    mount("size=1m");
    let segment = create("s").expect("room");
    let (value, mutex) =
        (Value::<u64>::create(&segment, Some("v")).expect("room"), mutex(&segment, "m"));
    value.store(7).expect("stored");
    let arrays = fill_with_arrays(&segment);
    assert!(arrays.len() > 8, "{} arrays", arrays.len());
    assert_eq!(system::free_bytes(&path_of("")), 0, "to the last page");
    all_is_kept(&segment, &arrays);
    // What there is goes on working.
    lock(&mutex);
    unlock(&mutex);
    assert_eq!(value.load(), 7);
    says_what_to_do(Array::<u8>::create(&segment, None, &[100_000]));
    // Room elsewhere is room here.
    let free = File::open(path_of("")).is_ok();
    assert!(free);
    all_is_kept(&segment, &arrays);
    Segment::unlink("s").expect("unlinked");
}

pub(crate) fn a_segment_at_its_size_loses_nothing() {
    let options = SegmentOptions { size: 300_000, ..SegmentOptions::default() };
    let segment = Segment::create("s", &options).expect("created");
    let arrays = fill_with_arrays(&segment);
    let info = segment.info().expect("readable");
    assert_eq!((info.size, info.committed), (303_104, 303_104));
    let error = Array::<u8>::create(&segment, None, &[100_000]).expect_err("no room");
    assert_eq!(error.status(), Status::NoSpace);
    assert!(error.text().contains("larger size"), "{error}");
    all_is_kept(&segment, &arrays);
    Segment::unlink("s").expect("unlinked");
}

/// Reading a hole of a shared mapping needs memory, and where there is none that is a
/// fault: what is not ours must not be mapped before we know it.
pub(crate) fn a_foreign_file_in_a_full_system_is_no_fault() {
    mount("size=1m");
    let sparse = File::create(path_of("foreign")).expect("room for a name");
    sparse.set_len(512 << 10).expect("holes");
    let _filler = fill();
    let result = Segment::open("foreign", &SegmentOptions::default());
    assert_eq!(status(result), Status::Incompatible);
}

/// Where nobody may mount, a limit of the process does the same.
pub(crate) fn a_size_limit_is_an_error() {
    // SAFETY: ignores a signal that would end the process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
    // SAFETY: the kernel reads the structure.
    system::check(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }).expect("setrlimit");
    says_what_to_do(create("s"));
    let options = SegmentOptions { size: 1 << 20, ..SegmentOptions::default() };
    let segment = Segment::create("s", &options).expect("below the limit");
    segment.verify().expect("sound");
    Segment::unlink("s").expect("unlinked");
}
