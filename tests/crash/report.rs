//! What the harness prints: a line for each operation, troubles before it, waits
//! and the total at the end.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;

use crate::board::Board;
use crate::scene::Trouble;

/// The library's shortest waiting slice, less what a clock may round away. Only the
/// slice, or a machine with other things to do, ends a wait that long.
const SLICE_NS: u64 = 98_000_000;

/// What is counted over all operations.
pub(crate) struct Report {
    /// Failures after which an operation is given up.
    enough: u32,
    kill_points: u64,
    failures: u64,
    worst_wait_ns: u64,
    slices: u64,
}

/// What is counted over the points of one operation.
pub(crate) struct Line {
    name: &'static str,
    enough: u32,
    points: u32,
    failures: u32,
    told: BTreeSet<String>,
    worst_wait_ns: u64,
    slices: u32,
}

/// What the points of an operation are.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Each instruction.
    Steps,
    /// Each instruction that changes what a death leaves behind.
    Stores,
    /// Each distinct state of the segment, and how many of them are a survivor's.
    States { second: u32 },
}

impl Line {
    /// Counts a kill. `place` says which, should it have failed.
    pub(crate) fn count(&mut self, place: &str, result: Result<(), Trouble>) {
        self.points += 1;
        let wait_ns = Board::get().worst_wait_ns.load(SeqCst);
        self.worst_wait_ns = self.worst_wait_ns.max(wait_ns);
        if wait_ns >= SLICE_NS {
            self.slices += 1;
            println!(
                "  {} killed {place}: a survivor waited {:.0} ms",
                self.name,
                wait_ns as f64 / 1e6
            );
        }
        if let Err(trouble) = result {
            self.failures += 1;
            // The same trouble at the next instruction is no news.
            if self.told.insert(trouble.why.clone()) {
                let address = place_of(trouble.address);
                println!("  {} killed {place}, before {address}: {}", self.name, trouble.why);
            }
        }
    }

    /// There is no point in killing on.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.failures >= self.enough
    }
}

impl Report {
    pub(crate) fn new(enough: u32) -> Self {
        Self { enough, kill_points: 0, failures: 0, worst_wait_ns: 0, slices: 0 }
    }

    pub(crate) fn line(&self, name: &'static str) -> Line {
        Board::get().begin_operation();
        Line {
            name,
            enough: self.enough,
            points: 0,
            failures: 0,
            told: BTreeSet::new(),
            worst_wait_ns: 0,
            slices: 0,
        }
    }

    pub(crate) fn print(&mut self, line: Line, unit: Unit) {
        self.kill_points += u64::from(line.points);
        self.failures += u64::from(line.failures);
        self.worst_wait_ns = self.worst_wait_ns.max(line.worst_wait_ns);
        self.slices += u64::from(line.slices);
        let Line { name, points, failures, .. } = line;
        match unit {
            Unit::Steps => println!("{name} points={points} steps failures={failures}"),
            Unit::Stores => println!("{name} points={points} stores failures={failures}"),
            Unit::States { second } => {
                let states = points - second;
                println!("{name} states={states} second={second} failures={failures}");
            }
        }
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.failures > 0
    }

    /// The waits of survivors and the total. True if nothing failed.
    pub(crate) fn close(&self) -> bool {
        let worst_ms = self.worst_wait_ns as f64 / 1e6;
        println!("waits: worst {worst_ms:.1} ms, {} ended only by a slice", self.slices);
        println!("total: {} kill points, {} failures", self.kill_points, self.failures);
        !self.has_failures()
    }
}

/// An instruction by the function that it is in, as far as the machine can tell.
fn place_of(address: u64) -> String {
    // SAFETY: a plain C structure of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: asks about an address, mapped or not; the output is a local.
    if unsafe { libc::dladdr(address as *const libc::c_void, &mut info) } == 0 {
        return format!("{address:#x}");
    }
    // SAFETY: dladdr found a file, so the name is a string that lasts.
    let file = unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy();
    let offset = address - info.dli_fbase as u64;
    let function = Command::new("addr2line")
        .args(["-C", "-f", "-s", "-e", &file, &format!("{offset:#x}")])
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).replace('\n', " "))
        .unwrap_or_default();
    let file = file.rsplit('/').next().unwrap_or_default();
    format!("{file}+{offset:#x} {}", function.trim())
}
