//! From the kill of a holder to the next owner at work.
//!
//! One process holds the mutex on the second processor; another sleeps in lock on the
//! first. The holder is killed. What counts is the time from just before the kill to
//! the return of lock, which says that the owner died. Every kill takes a fresh holder.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::{Plan, Site, segment_name};
use crate::kit::Result;
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject, round};
use crate::kit::slice::{Side, Slice};
use crate::kit::sorted::Sorted;

/// Kills of each side.
const KILLS: usize = 1000;

pub const PLAN: Plan = Plan {
    subject: Subject {
        name: "recovery_lock",
        variant: None,
        unit: "us",
        unit_ns: 1000.0,
        peer_name: Some("glibc robust process-shared mutex"),
        target: Some(0.67),
    },
    measure,
};

fn measure(site: &mut Site, subject: &Subject) -> Result<Row> {
    let program = site.shop.c_lane("recovery")?;
    let [here, there] = site.cpus;
    let start = |role: &str, cpu| {
        let mut command = Command::new(&program);
        command.args([segment_name("recovery").as_str(), role]);
        Lane::start(command, cpu)
    };
    let mut waiter = start("create", here)?;
    let kill = |side| kill_holder(start("open", there)?, &mut waiter, side);
    let pairs = Pairs::collect(&mut site.probe, KILLS, kill)?;
    let mut row = subject.compared(&pairs);
    // The tail is that of all kills, whatever the regime.
    row.note("ours_ms", tail(pairs.all().iter().map(|pair| pair.ours.cost_ns)));
    row.note("peer_ms", tail(pairs.all().iter().map(|pair| pair.peer.cost_ns)));
    Ok(row)
}

fn kill_holder(mut holder: Lane, waiter: &mut Lane, side: Side) -> Result<Slice> {
    holder.tell(&format!("hold {}", side.name()))?;
    holder.hear()?;
    waiter.tell(&format!("wait {}", side.name()))?;
    waiter.hear()?;
    // It said that it waits; now it does not ask for more, but sleeps in lock.
    sleep(Duration::from_millis(1));
    while !waiter.is_asleep()? {
        sleep(Duration::from_millis(1));
    }
    let killed = holder.kill()?;
    let [owned] = waiter.numbers()?[..] else {
        return Err("the waiter answers with one moment".into());
    };
    Ok(Slice::of_one((owned - killed) as f64))
}

fn tail(samples: impl Iterator<Item = f64>) -> serde_json::Value {
    let sorted = Sorted::of(samples);
    let ms = |share| round(sorted.quantile(share) / 1e6);
    json!({"p50": ms(0.5), "p99": ms(0.99), "max": ms(1.0)})
}
