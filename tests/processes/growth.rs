//! How a segment grows: side by side, on little memory, and by no more than it needs.

use std::thread;
use std::time::Duration;

use atoll::{Array, Segment, SegmentInfo, SegmentOptions, Status};

use crate::full::mount;
use crate::lifetimes::{account, make_pages_of_holds};
use crate::scene::{found, found_with, open, status};
use crate::support::child::{Child, Stage};
use crate::support::image::path_of;
use crate::support::system;

fn info(segment: &Segment) -> SegmentInfo {
    segment.info().expect("readable")
}

fn array(segment: &Segment, bytes: u64) -> atoll::Result<Array<u8>> {
    Array::create(segment, None, &[bytes])
}

/// Every byte of it is zero, and then `mark`.
fn fill(array: &Array<u8>, mark: u8) {
    // SAFETY: the array is that long, and nobody else has it.
    let bytes = unsafe { std::slice::from_raw_parts_mut(array.as_ptr(), array.len() as usize) };
    assert!(bytes.iter().all(|byte| *byte == 0), "memory is given out zeroed");
    bytes.fill(mark);
}

fn is_full_of(array: &Array<u8>, mark: u8) -> bool {
    // SAFETY: likewise.
    let bytes = unsafe { std::slice::from_raw_parts(array.as_ptr(), array.len() as usize) };
    bytes.iter().all(|byte| *byte == mark)
}

/// On each cue: takes all that there is, in pieces of changing size, while others do the
/// same, and gives it back when it is told.
fn takes_and_gives(mut stage: Stage) {
    let own = std::process::id() as u8 | 1;
    for round in 0.. {
        stage.wait_for("take");
        let segment = open();
        let (mut arrays, mut bytes) = (Vec::new(), 30_000 + 16 * (round + u64::from(own)) % 9000);
        while bytes > 100 {
            match array(&segment, bytes) {
                Ok(array) => {
                    fill(&array, own);
                    arrays.push(array);
                }
                Err(error) => {
                    assert_eq!(error.status(), Status::NoSpace, "{error}");
                    bytes /= 3;
                }
            }
        }
        stage.tell("full");
        stage.wait_for("give");
        assert!(arrays.iter().all(|array| is_full_of(array, own)), "somebody wrote into ours");
        drop((arrays, segment));
        stage.tell("given");
    }
}

/// Fresh segments, in every second of which somebody is killed while it grows.
fn several_grow_at_the_same_time(options: &SegmentOptions, is_all: impl Fn(&Segment)) {
    const ROUNDS: u64 = 30;
    let mut crowd: Vec<Child> = (0..4).map(|_| Child::spawn(takes_and_gives)).collect();
    for round in 0..ROUNDS {
        let segment = found_with(options);
        make_pages_of_holds(&segment);
        let before = account(&segment);
        crowd.iter_mut().for_each(|child| child.tell("take"));
        if round % 2 == 1 {
            thread::sleep(Duration::from_micros(300 * (round % 12)));
            crowd[0] = Child::spawn(takes_and_gives);
            crowd[0].tell("take");
        }
        crowd.iter_mut().for_each(|child| child.says("full"));
        segment.verify().expect("sound");
        is_all(&segment);
        crowd.iter_mut().for_each(|child| child.tell("give"));
        crowd.iter_mut().for_each(|child| child.says("given"));
        assert_eq!(account(&segment), before, "round {round}");
    }
}

/// Where the file system is the limit.
pub(crate) fn several_processes_grow_where_there_is_little() {
    mount("size=1m");
    // A file of others', so that not everything there is is ours.
    std::fs::write(path_of("other"), [1; 5000]).expect("room");
    several_grow_at_the_same_time(&SegmentOptions::default(), |segment| {
        assert_eq!(system::free_bytes(&path_of("")), 0, "all of it is the segment's");
        assert_eq!(info(segment).committed, (1 << 20) - 8192);
    });
    std::fs::remove_file(path_of("other")).expect("removed");
}

/// Where it is the segment's own size.
pub(crate) fn several_processes_grow_to_the_size() {
    let options = SegmentOptions { size: 6 << 20, ..SegmentOptions::default() };
    several_grow_at_the_same_time(&options, |segment| {
        assert_eq!(info(segment).committed, 6 << 20);
    });
}

pub(crate) fn blocks_of_every_size() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let size = info(&segment).size;
    let most = size / 10 * 9;
    let mut sizes: Vec<u64> = (0..26).map(|power| 1 << power).collect();
    sizes.extend([3, 17, 100, 1111, 99_999, 3 << 20, most]);
    for bytes in &sizes {
        let alone = array(&segment, *bytes).expect("room");
        fill(&alone, 0x5a);
        segment.verify().expect("sound");
    }
    // All the small ones side by side.
    sizes.retain(|bytes| *bytes <= 1 << 20);
    let arrays: Vec<_> = sizes.iter().map(|bytes| array(&segment, *bytes).expect("room")).collect();
    (0..).zip(&arrays).for_each(|(mark, array)| fill(array, mark));
    (0..).zip(&arrays).for_each(|(mark, array)| assert!(is_full_of(array, mark)));
    drop(arrays);
    assert_eq!(account(&segment), before);
    let info = info(&segment);
    assert!(info.largest_free >= most, "all that is free is one piece again: {info:?}");
    for bytes in [size, 1 << 40, 1 << 61] {
        assert_eq!(status(array(&segment, bytes)), Status::NoSpace);
    }
}

pub(crate) fn a_huge_array_comes_again_without_growth() {
    const HUGE: u64 = 40 << 20;
    let segment = found();
    let small = || Array::<u8>::create(&segment, None, &[200]).expect("room");
    let _first = small();
    drop(array(&segment, HUGE).expect("room"));
    let committed = info(&segment).committed;
    let mut others = Vec::new();
    for _ in 0..5 {
        let huge = array(&segment, HUGE).expect("the same room");
        assert!(info(&segment).largest_free < HUGE, "it is not free while it is there");
        drop(huge);
        // In other processes too, and whoever is killed gives it back.
        let mut holder = Child::spawn(|mut stage: Stage| {
            let _array = array(&open(), HUGE).expect("the same room");
            stage.tell("holding");
            stage.stay();
        });
        holder.says("holding");
        holder.kill();
        // Small ones settle where it was no tighter fit.
        others.push(small());
        assert_eq!(info(&segment).committed, committed);
    }
}

pub(crate) fn more_than_there_is_takes_nothing() {
    mount("size=9m");
    let segment = found();
    make_pages_of_holds(&segment);
    let before = (info(&segment).committed, system::free_bytes(&path_of("")));
    // Beyond the file system, far and by little.
    for bytes in [60 << 20, 10 << 20, before.1 + (64 << 10)] {
        let error = array(&segment, bytes).expect_err("there is less");
        assert_eq!(error.status(), Status::NoSpace, "{error}");
        assert!(error.text().contains("is full"), "{error}");
        let after = (info(&segment).committed, system::free_bytes(&path_of("")));
        assert_eq!(after, before, "a refusal of {bytes} bytes takes nothing");
    }
    // What there is can be had, and what is free already counts.
    let most = before.1 + info(&segment).largest_free - 4096;
    fill(&array(&segment, most).expect("so much there is"), 1);
    assert!(system::free_bytes(&path_of("")) <= 4096);
}
