//! Compares atoll with its peers: `make bench`, or `make bench ROWS="mutex_contended"`.
//!
//! Writes `target/bench/results.json` and `chart.svg` beside it, and prints the same as a
//! table. A target that is missed is printed as such and is no failure: machines differ.
//! What cannot be had is a row that says so; only what breaks is a failure.

mod kit;
mod rows;

use std::process::ExitCode;

use kit::probe::Probe;
use kit::report;
use kit::workshop::Workshop;
use kit::{Missing, cpu};
use rows::{PLANS, Plan, Site, sweep};

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, writes and prints; false if something broke.
fn run(wanted: Vec<String>) -> kit::Result<bool> {
    let chosen = choose(&wanted)?;
    let cpus = cpu::two().ok_or("two processors are needed, and there is one")?;
    cpu::pin(cpus[0])?;
    let mut site = Site { shop: Workshop::open()?, cpus, probe: Probe::to(cpus[1])? };
    println!("load {:.2}, one way {:.0} ns", cpu::load(), site.probe.one_way_ns());
    let mut is_whole = true;
    report::print_heading();
    let mut rows = Vec::new();
    for plan in chosen {
        let row = (plan.measure)(&mut site, &plan.subject).unwrap_or_else(|why| {
            is_whole &= why.is::<Missing>();
            sweep();
            plan.subject.skipped(&why)
        });
        report::print_row(&row);
        rows.push(row);
    }
    let [json, picture] = ["results.json", "chart.svg"].map(|name| site.shop.result(name));
    report::write(&rows, &json, &picture)?;
    println!("written to {} and {}", json.display(), picture.display());
    Ok(is_whole)
}

/// The rows of those names, or all of them.
fn choose(wanted: &[String]) -> kit::Result<Vec<&'static Plan>> {
    let known = |name: &String| PLANS.iter().any(|plan| plan.subject.name == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names: Vec<&str> = PLANS.iter().map(|plan| plan.subject.name).collect();
        return Err(format!("there is no row {unknown}: there are {}", names.join(" ")).into());
    }
    let is_wanted =
        |plan: &&Plan| wanted.is_empty() || wanted.iter().any(|n| n == plan.subject.name);
    Ok(PLANS.iter().filter(is_wanted).collect())
}
