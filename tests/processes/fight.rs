//! Makers, members and collectors of ephemeral segments, all at once.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::thread;
use std::time::{Duration, Instant};

use atoll::{Segment, SegmentOptions, Status};

use crate::ephemeral::{ephemeral, files, gc};
use crate::support::child::Child;
use crate::support::image::{field, path_of};
use crate::support::sandbox::refuse_with_flag;
use crate::support::system;

/// Names that few enough fight for.
const NAMES: [&str; 3] = ["one", "two", "three"];

/// Makers, guests and collectors fight for a few names, and each may be killed. Who is in
/// is in the segment that the name leads to, and that is not destroyed.
pub(crate) fn nobody_is_in_a_destroyed_segment() {
    fight(Duration::from_secs(3), || {});
    fight(Duration::from_secs(1), || {
        const O_TMPFILE_ALONE: u32 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32;
        refuse_with_flag(libc::SYS_openat, 2, O_TMPFILE_ALONE, libc::EOPNOTSUPP);
    });
}

fn fight(span: Duration, prepare: fn()) {
    let begin = |seed: u64| {
        Child::fork(move |_| {
            fail_at_once();
            prepare();
            let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            loop {
                act(&mut dice);
            }
        })
    };
    let mut fighters: Vec<Child> = (1..=6).map(begin).collect();
    let start = Instant::now();
    let mut seed = 7;
    while start.elapsed() < span {
        for fighter in &mut fighters {
            thread::sleep(Duration::from_millis(3));
            let last = std::mem::replace(fighter, begin(seed));
            last.signal(libc::SIGKILL);
            assert_eq!(last.ends(), libc::SIGKILL, "a fighter failed");
            seed += 1;
        }
    }
    drop(fighters);
    gc();
    let left: Vec<String> =
        files().into_iter().filter(|name| !name.starts_with(".atoll-unborn-")).collect();
    assert_eq!(left, [""; 0]);
    for unborn in files() {
        fs::remove_file(path_of(&unborn)).expect("removed");
    }
}

/// A fighter that fails has ended before it is killed.
fn fail_at_once() {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        system::end_abruptly(1);
    }));
}

fn roll(dice: &mut u64, sides: u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    (*dice >> 20) % sides
}

fn act(dice: &mut u64) {
    let name = NAMES[roll(dice, 3) as usize];
    let default = SegmentOptions::default();
    // Little room: who mistakes a bar for a crowd is refused.
    let ephemeral = SegmentOptions { max_participants: 12, ..ephemeral() };
    let (entered, refusal) = match roll(dice, 5) {
        0 => (Segment::create(name, &ephemeral), Status::AlreadyExists),
        1 | 2 => (Segment::open(name, &default), Status::NotFound),
        3 => (Segment::open_or_create(name, &ephemeral), Status::Ok),
        _ => {
            gc();
            return;
        }
    };
    let _segment = match entered {
        Ok(segment) => segment,
        Err(error) if error.status() == refusal => return,
        Err(error) => panic!("{name}: {error}"),
    };
    is_in(name);
    if roll(dice, 4) == 0 {
        thread::sleep(Duration::from_micros(roll(dice, 200)));
    }
    is_in(name);
}

/// The name leads to a segment that this process has mapped, and that lives.
#[track_caller]
fn is_in(name: &str) {
    let file = File::open(path_of(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let inode = file.metadata().expect("open").ino().to_string();
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    let is_mapped = maps.lines().any(|line| line.split_whitespace().nth(4) == Some(&inode));
    assert!(is_mapped, "{name} leads to another segment");
    let mut word = [0; 4];
    file.read_exact_at(&mut word, field("Header", "destroyed") as u64).expect("a header");
    assert_eq!(word, [0; 4], "{name} is destroyed");
}
