//! Records from one process to another, as fast as both can.
//!
//! Ours go between two processes. Peers that live in one process go between two threads of it, on
//! the same two processors.

use std::process::Command;

use super::{PAIRS, Plan, Site, segment_name, start};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice::{self, Side};

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
        let peer = boost(site)?;
        compare(site, subject, "spsc", peer)
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

fn against(site: &mut Site, subject: &Subject, ours: &str, peer: &str) -> Result<Row> {
    let program = site.shop.rust_lane("rings")?;
    let mut command = Command::new(&program);
    command.args(site.cpus.map(|cpu| cpu.to_string())).arg(peer);
    let lane = Lane::start(command, site.cpus[0])?;
    compare(site, subject, ours, vec![lane])
}

/// boost's queue in shared memory.
fn boost(site: &Site) -> Result<Vec<Lane>> {
    let program = site.shop.cpp_lane_with("boost_streams", "boost/lockfree/", "libboost-dev")?;
    let [here, there] = site.cpus;
    let lane = |role, cpu| start(&program, "boost_streams", role, &[], cpu);
    Ok(vec![lane("create", here)?, lane("open", there)?])
}

fn compare(site: &mut Site, subject: &Subject, ours: &str, mut peers: Vec<Lane>) -> Result<Row> {
    let program = site.shop.cpp_lane("streams")?;
    let [here, there] = site.cpus;
    let lane = |role: &str, cpu| {
        let mut command = Command::new(&program);
        command.args([&segment_name("streams"), role, ours]);
        Lane::start(command, cpu)
    };
    let mut ours = [lane("create", here)?, lane("open", there)?];
    let play = |side| match side {
        Side::Ours => slice::run(&mut ours, side),
        Side::Peer => slice::run(&mut peers, side),
    };
    Ok(subject.compared(&Pairs::collect(&mut site.probe, PAIRS, play)?))
}
