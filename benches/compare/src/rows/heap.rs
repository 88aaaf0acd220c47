//! Allocating 64 bytes and freeing them.

use std::process::Command;

use super::{PAIRS, Plan, Site, segment_name};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice;

/// One process, nobody else.
pub const ALONE: Plan = Plan {
    subject: Subject {
        name: "heap_alloc_free",
        variant: None,
        unit: "ns",
        unit_ns: 1.0,
        peer_name: Some("boost managed_shared_memory"),
        target: Some(2.0),
    },
    measure: |site, subject| {
        let boost = boost(site)?;
        compare(site, subject, &["create"], &boost)
    },
};

/// Two processes with one heap, as fast as they can: an allocation and its end in either.
pub const CONTENDED: Plan = Plan {
    subject: Subject { name: "heap_alloc_free_contended", ..ALONE.subject },
    measure: |site, subject| {
        let boost = boost(site)?;
        compare(site, subject, &["create", "open"], &boost)
    },
};

/// Against a heap that one process has for itself and that nobody can be killed in.
pub const MALLOC: Plan = Plan {
    subject: Subject {
        name: "heap_alloc_free_malloc",
        peer_name: Some("malloc and free, private"),
        target: None,
        ..ALONE.subject
    },
    measure: |site, subject| compare(site, subject, &["create"], "malloc"),
};

/// The path of the library that has boost's heap.
fn boost(site: &Site) -> Result<String> {
    let library = site.shop.cpp_library("boost_heap", "boost/interprocess/", "libboost-dev")?;
    Ok(library.to_string_lossy().into_owned())
}

/// One lane for each role, the first one on the second processor.
fn compare(site: &mut Site, subject: &Subject, roles: &[&str], peer: &str) -> Result<Row> {
    let program = site.shop.rust_lane("heap")?;
    let [here, there] = site.cpus;
    let start = |(role, cpu): (&&str, usize)| {
        let mut command = Command::new(&program);
        command.args([&segment_name("heap"), *role, peer]);
        Lane::start(command, cpu)
    };
    let lanes = roles.iter().zip([there, here]).map(start);
    let mut lanes = lanes.collect::<Result<Vec<_>>>()?;
    let pairs = Pairs::collect(&mut site.probe, PAIRS, |side| slice::run(&mut lanes, side))?;
    Ok(subject.compared(&pairs))
}
