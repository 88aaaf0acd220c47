//! What it costs that two stores happen both or not at all.

use std::process::Command;

use serde_json::json;

use super::{PAIRS, Plan, Site, segment_name};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject, round};
use crate::kit::slice;

/// Begin, store, store, commit; and lock, store, store, unlock.
pub const TWO_WORDS: Plan = Plan {
    subject: Subject {
        name: "tx_two_words",
        variant: None,
        unit: "ns",
        unit_ns: 1.0,
        peer_name: Some("the same stores under the mutex"),
        target: None,
    },
    measure,
};

fn measure(site: &mut Site, subject: &Subject) -> Result<Row> {
    let mut command = Command::new(site.shop.c_lane("transaction")?);
    command.arg(segment_name("transaction"));
    let mut lanes = [Lane::start(command, site.cpus[1])?];
    let pairs = Pairs::collect(&mut site.probe, PAIRS, |side| slice::run(&mut lanes, side))?;
    let mut row = subject.compared(&pairs);
    let overhead = row.ours.zip(row.peer).map(|(ours, peer)| round(ours - peer));
    row.note("overhead_ns", json!(overhead));
    Ok(row)
}
