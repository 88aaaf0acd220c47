//! Locking and unlocking, from C through the shared library.

use std::path::Path;
use std::process::Command;

use super::{Plan, Site, segment_name};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice;

const PAIRS: usize = 200;

const SUBJECT: Subject = Subject {
    name: "mutex_uncontended",
    variant: None,
    unit: "ns",
    unit_ns: 1.0,
    peer_name: Some("glibc robust process-shared mutex"),
    target: Some(1.0),
};

/// One process, nobody else: a lock and its unlock.
pub const UNCONTENDED: Plan = Plan {
    subject: SUBJECT,
    measure: |site, subject| {
        let program = site.shop.c_lane("mutex")?;
        let lanes = [lane(&program, "uncontended", "create", site.cpus[1])?];
        compare(site, subject, lanes)
    },
};

/// The same by `atoll.hpp`, which does it in place.
pub const UNCONTENDED_CPP: Plan = Plan {
    subject: Subject { name: "mutex_uncontended_cpp", target: Some(1.8), ..SUBJECT },
    measure: |site, subject| {
        let mut command = Command::new(site.shop.cpp_lane("mutex")?);
        command.arg(segment_name("mutex"));
        compare(site, subject, [Lane::start(command, site.cpus[1])?])
    },
};

/// Two processes that lock, count and unlock as fast as they can: a section of either.
pub const CONTENDED: Plan = Plan {
    subject: Subject { name: "mutex_contended", ..SUBJECT },
    measure: |site, subject| {
        let program = site.shop.c_lane("mutex")?;
        let [here, there] = site.cpus;
        let lanes = [
            lane(&program, "contended", "create", here)?,
            lane(&program, "contended", "open", there)?,
        ];
        compare(site, subject, lanes)
    },
};

fn lane(program: &Path, what: &str, role: &str, cpu: usize) -> Result<Lane> {
    let mut command = Command::new(program);
    command.args([what, &segment_name("mutex"), role]);
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
