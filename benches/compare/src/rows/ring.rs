//! Records from one process to another, as fast as both can.
//!
//! Ours go between two processes. Peers that live in one process go between two threads of it, on
//! the same two processors.

use std::path::Path;
use std::process::Command;

use super::{PAIRS, Plan, Site, start};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice::{self, SLICE_NS, Side};

/// Four that share two processors have several turns in it.
const CROWD_SLICE_NS: u64 = 10_000_000;

const ITEM: Subject = Subject {
    name: "spsc_8B_item",
    variant: None,
    unit: "ns",
    unit_ns: 1.0,
    peer_name: Some("boost::lockfree::spsc_queue"),
    target: Some(1.0),
};

/// One number at a time, by calls.
pub const SPSC: Plan = Plan {
    subject: ITEM,
    measure: |site, subject| {
        let peers = boost(site, "boost_streams")?;
        streams(site, subject, "spsc", peers)
    },
};

/// The same by `atoll.hpp`, which does it in place.
pub const SPSC_CPP: Plan = Plan {
    subject: Subject {
        name: "spsc_8B_item_cpp",
        peer_name: Some("rtrb, two threads"),
        target: Some(0.9),
        ..ITEM
    },
    measure: |site, subject| against(site, subject, "spsc-inlined", "rtrb"),
};

/// 32 numbers at a time, against one at a time.
pub const SPSC_32: Plan = Plan {
    subject: Subject { name: "spsc_8B_batch32", target: Some(1.2), ..SPSC_CPP.subject },
    measure: |site, subject| against(site, subject, "spsc-32", "rtrb"),
};

/// Lines of 64 bytes, written and read in their places.
pub const SPSC_LINES: Plan = Plan {
    subject: Subject { name: "spsc_64B_inplace", target: Some(1.2), ..SPSC_CPP.subject },
    measure: |site, subject| against(site, subject, "spsc-lines", "rtrb-lines"),
};

/// One number at a time, where there may be many producers and consumers.
pub const MPMC: Plan = Plan {
    subject: Subject {
        name: "mpmc_8B_item",
        peer_name: Some("crossbeam ArrayQueue, two threads"),
        target: Some(0.8),
        ..ITEM
    },
    measure: |site, subject| against(site, subject, "mpmc", "crossbeam"),
};

/// 32 at a time, against one at a time.
pub const MPMC_32: Plan = Plan {
    subject: Subject { name: "mpmc_8B_batch32", target: Some(2.0), ..MPMC.subject },
    measure: |site, subject| against(site, subject, "mpmc-32", "crossbeam"),
};

/// Two producers and two consumers, on two processors.
pub const CROWD: Plan = Plan {
    subject: Subject {
        name: "mpmc_2p2c_8B",
        peer_name: Some("moodycamel::ConcurrentQueue, four threads"),
        target: Some(1.0),
        ..ITEM
    },
    measure: |site, subject| {
        let header = "concurrentqueue/";
        let program =
            site.shop.cpp_lane_with("moodycamel_crowds", header, "libconcurrentqueue-dev")?;
        let peers = in_one_process(site, &program, &[])?;
        crowds(site, subject, peers)
    },
};
pub const CROWD_BOOST: Plan = Plan {
    subject: Subject {
        name: "mpmc_2p2c_8B_boost",
        peer_name: Some("boost::lockfree::queue"),
        ..CROWD.subject
    },
    measure: |site, subject| {
        let peers = boost(site, "boost_crowds")?;
        crowds(site, subject, peers)
    },
};

/// A line there and back.
pub const ROUND_TRIP: Plan = Plan {
    subject: Subject {
        name: "rtt_64B",
        peer_name: Some("iceoryx2 publish-subscribe"),
        target: Some(5.0),
        ..ITEM
    },
    measure: |site, subject| {
        let program = site.shop.cpp_lane("rallies")?;
        let ours = in_two_processes(site, &program, "rallies", &[])?;
        let peers = iceoryx(site, "rally")?;
        compare(site, subject, SLICE_NS, ours, peers)
    },
};

/// Lines in one direction.
pub const THROUGHPUT: Plan = Plan {
    subject: Subject { name: "tput_64B", target: Some(10.0), ..ROUND_TRIP.subject },
    measure: |site, subject| {
        let peers = iceoryx(site, "stream")?;
        streams(site, subject, "spsc-lines", peers)
    },
};

/// A stream of ours, and one of another's in Rust.
fn against(site: &mut Site, subject: &Subject, ours: &str, peer: &str) -> Result<Row> {
    let program = site.shop.rust_lane("rings")?;
    let peers = in_one_process(site, &program, &[peer])?;
    streams(site, subject, ours, peers)
}

fn streams(site: &mut Site, subject: &Subject, ours: &str, peers: Vec<Lane>) -> Result<Row> {
    let program = site.shop.cpp_lane("streams")?;
    let ours = in_two_processes(site, &program, "streams", &[ours])?;
    compare(site, subject, SLICE_NS, ours, peers)
}

fn crowds(site: &mut Site, subject: &Subject, peers: Vec<Lane>) -> Result<Row> {
    let program = site.shop.cpp_lane("crowds")?;
    let ours = in_two_processes(site, &program, "crowds", &[])?;
    compare(site, subject, CROWD_SLICE_NS, ours, peers)
}

/// boost's queue of that lane, in shared memory.
fn boost(site: &Site, lane: &str) -> Result<Vec<Lane>> {
    let program = site.shop.cpp_lane_with(lane, "boost/lockfree/", "libboost-dev")?;
    in_two_processes(site, &program, lane, &[])
}

fn iceoryx(site: &Site, what: &str) -> Result<Vec<Lane>> {
    let program = site.shop.rust_lane("iceoryx")?;
    in_two_processes(site, &program, "iceoryx", &[what])
}

/// One process on each processor: `PROGRAM SEGMENT create|open WHAT`.
fn in_two_processes(site: &Site, program: &Path, lane: &str, what: &[&str]) -> Result<Vec<Lane>> {
    let [here, there] = site.cpus;
    Ok(vec![
        start(program, lane, "create", what, here)?,
        start(program, lane, "open", what, there)?,
    ])
}

/// One process that pins its threads to both: `PROGRAM CPU CPU WHAT`.
fn in_one_process(site: &Site, program: &Path, what: &[&str]) -> Result<Vec<Lane>> {
    let mut command = Command::new(program);
    command.args(site.cpus.map(|cpu| cpu.to_string())).args(what);
    Ok(vec![Lane::start(command, site.cpus[0])?])
}

fn compare(
    site: &mut Site,
    subject: &Subject,
    slice_ns: u64,
    mut ours: Vec<Lane>,
    mut peers: Vec<Lane>,
) -> Result<Row> {
    let play = |side| match side {
        Side::Ours => slice::run_for(slice_ns, &mut ours, side),
        Side::Peer => slice::run_for(slice_ns, &mut peers, side),
    };
    Ok(subject.compared(&Pairs::collect(&mut site.probe, PAIRS, play)?))
}
