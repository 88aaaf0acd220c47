//! A millisecond of work.

use super::lane::Lane;
use super::sorted::Sorted;
use super::{Result, cpu};

/// Whose work is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Ours,
    Peer,
}

impl Side {
    /// What lanes call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peer => "peer",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Ours => Self::Peer,
            Self::Peer => Self::Ours,
        }
    }
}

/// What a slice came to.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Nanoseconds for one operation. Lanes that work together share the cost: two that
    /// do one each in 100 ns do one in 50.
    pub cost_ns: f64,
    /// A lane lost its processor to somebody else.
    pub disturbed: bool,
    /// What part of the work was done by the process that did least: half of it if two
    /// had the same, all of it if there is but one.
    pub least_share: f64,
}

impl Slice {
    /// A single operation of a single process.
    pub fn of_one(cost_ns: f64) -> Self {
        Self { cost_ns, disturbed: false, least_share: 1.0 }
    }
}

/// How long slices take, unless the row says otherwise.
pub const SLICE_NS: u64 = 1_000_000;
/// Until all lanes have read the line and wait for the moment to begin.
const LEAD_NS: u64 = 200_000;

/// Lets all lanes do the work of one side at the same time.
pub fn run(lanes: &mut [Lane], side: Side) -> Result<Slice> {
    run_for(SLICE_NS, lanes, side)
}

/// The same for so long.
pub fn run_for(slice_ns: u64, lanes: &mut [Lane], side: Side) -> Result<Slice> {
    let from = cpu::now_ns() + LEAD_NS;
    let request = format!("{} {from} {}", side.name(), from + slice_ns);
    for lane in &mut *lanes {
        lane.tell(&request)?;
    }
    let mut per_ns = Vec::new();
    let mut disturbed = false;
    for lane in lanes {
        let numbers = lane.numbers()?;
        let (processes, []) = numbers.as_chunks() else {
            return Err("a lane answers a slice with three numbers for each process".into());
        };
        for &[operations, took, preempted] in processes {
            per_ns.push(operations as f64 / took as f64);
            disturbed |= preempted > 0;
        }
    }
    let all: f64 = per_ns.iter().sum();
    let least_share = Sorted::of(per_ns).least() / all;
    Ok(Slice { cost_ns: 1.0 / all, disturbed, least_share })
}
