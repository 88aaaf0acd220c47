//! What is compared. Each row says what it needs, and what of it is missing.

mod barrier;
mod heap;
mod mutex;
mod pingpong;
mod python;
mod recovery;
mod ring;
mod rwlock;
mod segment;
mod semaphore;
mod transaction;

use std::path::Path;
use std::process::Command;

use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::probe::Probe;
use crate::kit::row::{Row, Subject};
use crate::kit::slice;
use crate::kit::workshop::Workshop;

/// Of slices of a millisecond, in the regime that most of them met.
const PAIRS: usize = 200;

/// What rows measure with.
pub struct Site {
    pub shop: Workshop,
    /// The two processors: the bench itself runs on the first.
    pub cpus: [usize; 2],
    pub probe: Probe,
}

/// One row to be measured.
pub struct Plan {
    pub subject: Subject,
    pub measure: fn(&mut Site, &Subject) -> Result<Row>,
}

/// In the order of the table.
pub const PLANS: &[Plan] = &[
    mutex::UNCONTENDED,
    mutex::UNCONTENDED_CPP,
    mutex::CONTENDED,
    recovery::PLAN,
    semaphore::UNCONTENDED,
    semaphore::UNCONTENDED_CPP,
    semaphore::CONTENDED,
    rwlock::READ_IN_TWO,
    rwlock::READ_IN_TWO_CPP,
    rwlock::READ_ALONE,
    rwlock::WRITE_ALONE,
    pingpong::EVENT,
    pingpong::EVENT_AWAKE,
    pingpong::EVENT_ONE_CPU,
    pingpong::CONDVAR,
    pingpong::CONDVAR_AWAKE,
    pingpong::CONDVAR_ONE_CPU,
    pingpong::CONDVAR_PTHREAD,
    pingpong::WAIT_ANY,
    pingpong::WAIT_ANY_AWAKE,
    barrier::IN_TWO,
    ring::SPSC,
    ring::SPSC_CPP,
    ring::SPSC_32,
    ring::SPSC_LINES,
    ring::MPMC,
    ring::MPMC_32,
    ring::CROWD,
    ring::CROWD_BOOST,
    ring::ROUND_TRIP,
    ring::THROUGHPUT,
    pingpong::RING,
    transaction::TWO_WORDS,
    heap::ALONE,
    heap::CONTENDED,
    heap::MALLOC,
    python::LOCK,
    python::LOCK_CTYPES,
    python::WITH,
    python::WITH_CTYPES,
    python::DROPIN,
    python::DROPIN_CTYPES,
    python::DROPIN_WITH,
    python::DROPIN_WITH_CTYPES,
    python::CONTENDED,
    python::CONTENDED_CTYPES,
    python::LOCKED_ADD,
    python::LOCKED_ADD_CTYPES,
    python::ATOMIC_ADD,
    python::ATOMIC_ADD_CTYPES,
    python::EVENT,
    python::EVENT_CTYPES,
    python::SEMAPHORE,
    python::SEMAPHORE_CTYPES,
    python::READ,
    python::READ_CTYPES,
    python::SLICE,
    python::SLICE_CTYPES,
    python::IMPORT,
    python::IMPORT_CTYPES,
    segment::ATTACH,
    segment::EMPTY,
];

/// What a lane in C does on a processor of its own.
fn alone(site: &mut Site, subject: &Subject, lane: &str, what: &[&str]) -> Result<Row> {
    let program = site.shop.c_lane(lane)?;
    let lanes = [start(&program, lane, "create", what, site.cpus[1])?];
    compare(site, subject, lanes)
}

/// The same in C++.
fn cpp_alone(site: &mut Site, subject: &Subject, lane: &str) -> Result<Row> {
    let program = site.shop.cpp_lane(lane)?;
    let lanes = [start(&program, lane, "create", &[], site.cpus[1])?];
    compare(site, subject, lanes)
}

/// What two lanes in C do at once, each on its processor.
fn in_two(site: &mut Site, subject: &Subject, lane: &str, what: &[&str]) -> Result<Row> {
    let program = site.shop.c_lane(lane)?;
    both(site, subject, &program, lane, what)
}

/// The same in C++.
fn cpp_in_two(site: &mut Site, subject: &Subject, lane: &str) -> Result<Row> {
    let program = site.shop.cpp_lane(lane)?;
    both(site, subject, &program, lane, &[])
}

fn both(
    site: &mut Site,
    subject: &Subject,
    program: &Path,
    lane: &str,
    what: &[&str],
) -> Result<Row> {
    let [here, there] = site.cpus;
    let lanes =
        [start(program, lane, "create", what, here)?, start(program, lane, "open", what, there)?];
    compare(site, subject, lanes)
}

/// Starts `PROGRAM SEGMENT create|open WHAT`.
fn start(program: &Path, lane: &str, role: &str, what: &[&str], cpu: usize) -> Result<Lane> {
    let mut command = Command::new(program);
    command.args([&segment_name(lane), role]).args(what);
    Lane::start(command, cpu)
}

fn compare<const N: usize>(
    site: &mut Site,
    subject: &Subject,
    mut lanes: [Lane; N],
) -> Result<Row> {
    let pairs = Pairs::collect(&mut site.probe, PAIRS, |side| slice::run(&mut lanes, side))?;
    Ok(subject.compared(&pairs))
}

/// A segment of this run; lanes that make one remove it.
fn segment_name(what: &str) -> String {
    format!("{}{what}", prefix())
}

fn prefix() -> String {
    format!("atoll-bench-{}-", std::process::id())
}

/// Removes what lanes that broke have left.
pub fn sweep() {
    let directory = std::env::var("ATOLL_DIR").unwrap_or_else(|_| "/dev/shm".into());
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
