//! Arrays seen from Python.

use serde_json::json;

use super::{Plan, Site, segment_name};
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice;
use crate::kit::{Missing, Result};

const PAIRS: usize = 200;
/// Of the versions of Python that are told in passing.
const FEW_PAIRS: usize = 50;

/// `array[i]`.
pub const READ: Plan = Plan {
    subject: Subject {
        name: "py_array_read",
        unit: "ns",
        unit_ns: 1.0,
        peer_name: Some("multiprocessing.Array"),
        target: Some(5.0),
    },
    measure: |site, subject| measure(site, subject, "read"),
};

/// `array[i:j]` of 1000 elements: a view, where the peer makes a list.
pub const SLICE: Plan = Plan {
    subject: Subject { name: "py_array_slice1000", target: Some(20.0), ..READ.subject },
    measure: |site, subject| measure(site, subject, "slice1000"),
};

fn measure(site: &mut Site, subject: &Subject, what: &str) -> Result<Row> {
    let mut row = subject.compared(&compare(site, what, "", PAIRS)?);
    let others = std::env::var("PYTHONS").unwrap_or_else(|_| "3.9 3.13".into());
    for version in others.split_whitespace() {
        let other = match compare(site, what, version, FEW_PAIRS) {
            Ok(pairs) => {
                let row = subject.compared(&pairs);
                json!({"ours": row.ours, "peer": row.peer, "advantage": row.advantage})
            }
            Err(why) if why.is::<Missing>() => json!({"skipped": why.to_string()}),
            Err(why) => return Err(why),
        };
        row.note(&format!("python{version}"), other);
    }
    Ok(row)
}

fn compare(site: &mut Site, what: &str, version: &str, pairs: usize) -> Result<Pairs> {
    let mut command = site.shop.python_lane("py_array", version)?;
    command.args([what, &segment_name("array")]);
    let mut lanes = [Lane::start(command, site.cpus[1])?];
    Pairs::collect(&mut site.probe, pairs, |side| slice::run(&mut lanes, side))
}
