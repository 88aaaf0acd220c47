//! `make crash`: SIGKILL at every instruction of every public operation.
//!
//! Real processes call the C ABI of the shared library and are killed; real
//! processes look at what they leave behind. No code in the library knows of it.
//!
//! | file | what is in it |
//! |---|---|
//! | `operations` | the table: what a victim does, who finds what afterwards |
//! | `contention` | the same where others wait for the mutex meanwhile |
//! | `pairs` | two victims, one of which stands still and lives |
//! | `scene` | one death and what comes after it |
//! | `outcomes` | before or after, never between |
//! | `victim`, `travel`, `ptrace` | stepping |
//! | `changes` | which instructions matter |
//! | `player`, `board` | processes on stage, and what they tell each other |
//! | `world`, `abi` | the library, as a C program calls it |
//! | `report` | what is printed |
//!
//! Plain `cargo test` kills at every instruction that changes what a death leaves
//! behind. `make crash` passes `every`: then it is every instruction of calls that
//! take at most 4,000. `OPS=lock,unlock` or arguments choose operations by name,
//! `lock` standing for `lock_dead_owner` too. `FULL=1` adds pairs: one victim
//! stands still in its call while another dies in its own.

mod abi;
mod board;
mod changes;
mod contention;
mod cpu;
mod locker;
mod operations;
mod outcomes;
mod pairs;
mod player;
mod ptrace;
mod report;
mod scene;
mod travel;
mod victim;
mod world;

use std::process::ExitCode;

use contention::CONTENTIONS;
use operations::OPERATIONS;
use pairs::{PAIRS, Pair};
use report::{Line, Report, Unit};
use scene::{Theatre, death};
use travel::{Lead, Point};
use victim::{Others, Victim};

/// Calls of more instructions are killed at the changes only.
const LONGEST_STEPPED: usize = 4000;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("crash: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let choice = Choice::from_environment();
    cpu::pin();
    player::adopt_orphans();
    let theatre = Theatre::open()?;
    abi::load()?;
    let mut report = Report::default();
    for operation in OPERATIONS.iter().filter(|operation| choice.includes(operation.name)) {
        let mut line = Line::new(operation.name);
        let unit =
            kill_everywhere(&mut line, &theatre, choice.every, &|lead| death(operation, lead));
        report.print(line, unit);
    }
    for scene in CONTENTIONS.iter().filter(|scene| choice.includes(scene.name)) {
        let mut line = Line::new(scene.name);
        let unit = kill_everywhere(&mut line, &theatre, choice.every, &|lead| scene.play(lead));
        report.print(line, unit);
    }
    for pair in PAIRS.iter().filter(|pair| choice.full && choice.includes(pair.name)) {
        let mut line = Line::new(pair.name);
        kill_beside_the_living(&mut line, &theatre, pair);
        report.print(line, Unit::Stores);
    }
    Ok(report.close())
}

/// What to kill, and how thoroughly.
struct Choice {
    names: Vec<String>,
    every: bool,
    full: bool,
}

impl Choice {
    fn from_environment() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let listed = std::env::var("OPS").unwrap_or_default();
        let every = arguments.iter().any(|argument| argument == "every");
        let names = arguments.iter().map(String::as_str).chain(listed.split(','));
        let names =
            names.filter(|name| !(name.is_empty() || name.starts_with('-') || *name == "every"));
        let names = names.map(str::to_owned).collect();
        Self { names, every, full: std::env::var("FULL").is_ok_and(|full| full == "1") }
    }

    fn includes(&self, operation: &str) -> bool {
        let is_meant = |name: &String| {
            operation
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        self.names.is_empty() || self.names.iter().any(is_meant)
    }
}

/// Steps through the call once, then kills a fresh victim at each of its points.
fn kill_everywhere(
    line: &mut Line,
    theatre: &Theatre,
    every: bool,
    scene: &dyn Fn(Lead) -> Result<(), String>,
) -> Unit {
    let mut points = Vec::new();
    let mut list = |victim: &mut Victim, others: Others| {
        points = changes::list(victim, &theatre.directory, others)?;
        Ok(())
    };
    line.count("after its return", theatre.play(|| scene(&mut list)));
    line.count("before its first instruction", theatre.play(|| scene(&mut |_, _| Ok(()))));
    let unit = choose(&mut points, every);
    for point in points {
        let place = format!("after instruction {}", point.number);
        let mut lead = |victim: &mut Victim, others: Others| travel::leap(victim, &point, others);
        line.count(&place, theatre.play(|| scene(&mut lead)));
        if line.is_hopeless() {
            break;
        }
    }
    unit
}

/// For each place where one victim stands still, kills another everywhere.
fn kill_beside_the_living(line: &mut Line, theatre: &Theatre, pair: &Pair) {
    let mut stands = Vec::new();
    let listed = theatre.play(|| {
        stands = pair.stands(&theatre.directory)?;
        Ok(())
    });
    line.count("while the call is listed", listed);
    for stand in stands {
        kill_everywhere(line, theatre, false, &|lead| pair.play(&stand, lead));
        if line.is_hopeless() {
            break;
        }
    }
}

/// Of all instructions those that a victim is killed after.
fn choose(points: &mut Vec<Point>, every: bool) -> Unit {
    if every && points.len() <= LONGEST_STEPPED {
        return Unit::Steps;
    }
    points.retain(|point| point.changes);
    if !every {
        changes::thin(points);
    }
    Unit::Stores
}
