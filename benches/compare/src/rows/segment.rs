//! What it takes to have a segment, and to get into one.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Plan, Site, segment_name};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::row::{Row, Subject, round};
use crate::kit::slice::{self, Side};
use crate::kit::sorted::Sorted;

const ATTACHES: usize = 200;
const SLICES: usize = 30;
/// Bytes that an empty segment may commit.
const BUDGET: u64 = 64 << 10;

/// From a process that has just begun to its first lock in a segment.
pub const ATTACH: Plan = Plan {
    subject: Subject {
        name: "attach_us",
        variant: None,
        unit: "us",
        unit_ns: 1000.0,
        peer_name: None,
        target: None,
    },
    measure: attach,
};

/// What a segment without objects takes of the machine's memory.
pub const EMPTY: Plan = Plan {
    subject: Subject {
        name: "empty_segment_bytes",
        variant: None,
        unit: "bytes",
        unit_ns: 1.0,
        peer_name: None,
        target: None,
    },
    measure: empty,
};

fn lane(program: &Path, verb: &str, cpu: usize) -> Result<Lane> {
    let mut command = Command::new(program);
    command.args([verb, &segment_name("segment")]);
    Lane::start(command, cpu)
}

fn attach(site: &mut Site, subject: &Subject) -> Result<Row> {
    let program = site.shop.c_lane("segment")?;
    let cpu = site.cpus[1];
    let _keeper = lane(&program, "empty", cpu)?;
    let mut attached = Vec::new();
    let mut opened = Vec::new();
    for _ in 0..ATTACHES {
        let [locked_ns, opened_ns] = lane(&program, "fresh", cpu)?.numbers()?[..] else {
            return Err("a fresh lane answers with two numbers".into());
        };
        attached.push(locked_ns as f64 / subject.unit_ns);
        opened.push(opened_ns as f64 / subject.unit_ns);
    }
    let mut row = subject.reported(&attached);
    row.note("of_that_open", json!(round(Sorted::of(opened).median())));
    let mut lanes = [lane(&program, "again", cpu)?];
    let slices = (0..SLICES).map(|_| slice::run(&mut lanes, Side::Ours));
    let again = slices.map(|slice| Ok(slice?.cost_ns)).collect::<Result<Vec<f64>>>()?;
    let again = Sorted::of(again).median() / subject.unit_ns;
    row.note("open_and_close_again", json!(round(again)));
    Ok(row)
}

fn empty(site: &mut Site, subject: &Subject) -> Result<Row> {
    let program = site.shop.c_lane("segment")?;
    let [committed, on_file_system] = lane(&program, "empty", site.cpus[1])?.numbers()?[..] else {
        return Err("an empty segment has two sizes".into());
    };
    let mut row = subject.reported(&[committed as f64]);
    row.note("on_file_system", json!(on_file_system));
    row.note("budget", json!(BUDGET));
    row.note("within_budget", json!(committed.max(on_file_system) <= BUDGET));
    Ok(row)
}
