//! `make crash`: SIGKILL at every instruction of every public operation.
//!
//! Real processes call the C ABI of the shared library and are killed; real
//! processes look at what they leave behind. No code in the library knows of it.
//!
//! | file | what is in it |
//! |---|---|
//! | `operations` | the table: what a victim does, who finds what afterwards |
//! | `locks`, `lifetimes`, `transactions` | more of it |
//! | `makers` | objects that threads wait for, as they are made |
//! | `gates`, `permits`, `readers`, `bells`, `parties` | and as they are used |
//! | `listeners` | and as somebody listens to them by a descriptor |
//! | `waiters` | waits that are objects |
//! | `rings`, `ring_kinds` | records, at every fill level |
//! | `ring_waits`, `ring_sides` | and those who wait for them |
//! | `ring_places` | and those that are written and read in their places |
//! | `possessions` | and locks that belong to processes |
//! | `several` | and as somebody waits for more than one of them |
//! | `contention` | the same where others wait for the mutex meanwhile |
//! | `vigils`, `sleepers` | one side of a wait asleep, the other one killed |
//! | `nouns` | the objects that they wait for |
//! | `interruptions` | no death but a signal, whose handler locks |
//! | `pairs`, `ring_pairs` | two victims, one of which stands still and lives |
//! | `scene` | one death and what comes after it |
//! | `outcomes` | before or after, never between |
//! | `victim`, `travel`, `ptrace` | stepping |
//! | `changes` | which instructions matter |
//! | `snapshots` | deaths on copies: each state of the segment, and of its repair |
//! | `recorder`, `tape` | every store of a process, without stepping |
//! | `image` | a state, and everybody's death in it |
//! | `player`, `board` | processes on stage, and what they tell each other |
//! | `world`, `abi` | the library, as a C program calls it |
//! | `short`, `inlined.c` | its short ways, compiled into such a program |
//! | `cpp`, `inlined.cpp` | the same in C++ |
//! | `loader` | how both are loaded |
//! | `report` | what is printed |
//!
//! Plain `cargo test` kills at every instruction that changes what a death leaves
//! behind, and leaves out variants of scenes with sleepers. `make crash` passes `every`: then it is every instruction of calls that
//! take at most 4,000. Both recover every state of the segment on a copy, and of the states
//! on the way of a survivor a sample (`snapshots::Thoroughness`). `OPS=lock,unlock`
//! or arguments choose operations by name, `lock` standing for `lock_dead_owner` too;
//! `kills` and `states` leave the other half out; `first` stops at the first failure.
//! `FULL=1` recovers every state of survivors too, which takes hours unless operations are
//! chosen, and adds pairs: one victim stands still
//! in its call while another dies in its own.

mod abi;
mod bells;
mod board;
mod changes;
mod contention;
mod cpp;
mod cpu;
mod gates;
#[allow(dead_code, reason = "only the names of fields are of interest here")]
#[path = "../support/image.rs"]
mod golden;
mod image;
mod interruptions;
mod lifetimes;
mod listeners;
mod loader;
mod locker;
mod locks;
mod makers;
mod nouns;
mod operations;
mod outcomes;
mod pairs;
mod parties;
mod permits;
mod player;
mod possessions;
mod ptrace;
mod readers;
mod recorder;
mod report;
mod ring_kinds;
mod ring_pairs;
mod ring_places;
mod ring_sides;
mod ring_waits;
mod rings;
mod scene;
mod several;
mod short;
mod sleepers;
mod snapshots;
mod tape;
mod transactions;
mod travel;
mod victim;
mod vigils;
mod waiters;
mod world;

use std::process::ExitCode;

use interruptions::{INTERRUPTIONS, Interruption};
use pairs::PAIRS;
use report::{Line, Report, Unit};
use scene::{Theatre, death};
use snapshots::{Snapshots, Thoroughness};
use tape::Tape;
use travel::{Lead, Point};
use victim::{Others, Victim};

/// Calls of more instructions are killed at the changes only.
const LONGEST_STEPPED: usize = 4000;
/// Places in a call where a signal comes, or a victim that lives stands still, without `every`.
const QUICKLY_INTERRUPTED: usize = 300;
/// Failures after which an operation is given up: each may take a watchdog's time.
const ENOUGH: u32 = 10;

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
    cpu::pin();
    player::adopt_orphans();
    let theatre = Theatre::open()?;
    abi::load()?;
    short::load()?;
    Tape::get();
    let choice = Choice::from_environment();
    let acts = acts(&theatre, &choice);
    choice.makes_sense(&acts)?;
    let mut chosen = acts.iter().filter(|act| choice.includes(act));
    if chosen.any(|act| act.name.starts_with(cpp::PREFIX)) {
        cpp::load()?; // which takes its time
    }
    let mut report = Report::new(if choice.first { 1 } else { ENOUGH });
    for act in acts.iter().filter(|act| choice.includes(act)) {
        let mut line = report.line(act.name);
        let unit = (act.kill)(&mut line);
        report.print(line, unit);
        if choice.first && report.has_failures() {
            break;
        }
    }
    Ok(report.close())
}

/// Real deaths, or deaths on copies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Kills,
    States,
}

/// What makes one line of the report.
struct Act<'a> {
    name: &'static str,
    half: Half,
    kill: Box<dyn Fn(&mut Line) -> Unit + 'a>,
}

fn acts<'a>(theatre: &'a Theatre, choice: &Choice) -> Vec<Act<'a>> {
    let every = choice.every;
    let all = every || !choice.names.is_empty();
    let operations = move || operations::all().filter(move |one| all || !one.is_variant);
    let alone = operations().map(|operation| Act {
        name: operation.name,
        half: Half::Kills,
        kill: Box::new(move |line| {
            kill_everywhere(line, theatre, Places::of_death(every), &|lead| death(operation, lead))
        }),
    });
    let among_others = contention::all().map(|scene| Act {
        name: scene.name,
        half: Half::Kills,
        kill: Box::new(move |line| {
            kill_everywhere(line, theatre, Places::of_death(every), &|lead| scene.play(lead))
        }),
    });
    let asleep =
        vigils::all().filter(move |vigil| all || !vigil.is_variant).map(move |vigil| Act {
            name: vigil.name,
            half: Half::Kills,
            kill: Box::new(move |line| {
                let places = match vigil.lives {
                    true => Places::of_life(every),
                    false => Places::of_death(every),
                };
                kill_everywhere(line, theatre, places, &|lead| vigil.play(lead))
            }),
        });
    let interrupted = INTERRUPTIONS.iter().map(|interruption| Act {
        name: interruption.name,
        half: Half::Kills,
        kill: Box::new(move |line| interrupt_everywhere(line, theatre, every, interruption)),
    });
    let in_pairs = PAIRS.iter().filter(|_| choice.full).map(|pair| Act {
        name: pair.name,
        half: Half::Kills,
        kill: Box::new(move |line| {
            let stands = || pair.stands(&theatre.directory);
            kill_beside_the_living(line, theatre, &stands, &|stand, lead| pair.play(stand, lead))
        }),
    });
    let in_pairs_at_rings = ring_pairs::all().filter(|_| choice.full).map(|pair| Act {
        name: pair.name,
        half: Half::Kills,
        kill: Box::new(move |line| {
            let stands = || pair.stands(&theatre.directory);
            kill_beside_the_living(line, theatre, &stands, &|stand, lead| pair.play(stand, lead))
        }),
    });
    let on_copies = operations().filter(|operation| operation.recorded).map(|operation| {
        let snapshots = Snapshots { operation, theatre, thoroughness: choice.thoroughness() };
        let kill = move |line: &mut Line| snapshots.recover(line);
        Act { name: operation.name, half: Half::States, kill: Box::new(kill) }
    });
    alone
        .chain(among_others)
        .chain(asleep)
        .chain(interrupted)
        .chain(in_pairs)
        .chain(in_pairs_at_rings)
        .chain(on_copies)
        .collect()
}

/// Arguments that are no names of operations.
const EVERY: &str = "every";
const FIRST: &str = "first";
const KILLS: &str = "kills";
const STATES: &str = "states";

/// What to kill, and how thoroughly.
struct Choice {
    /// From `OPS`, with commas between.
    listed: String,
    /// From there and from the arguments.
    names: Vec<String>,
    half: Option<Half>,
    every: bool,
    full: bool,
    first: bool,
}

impl Choice {
    fn from_environment() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let has = |word| arguments.iter().any(|argument| argument == word);
        let listed = std::env::var("OPS").unwrap_or_default();
        let names = arguments.iter().map(String::as_str).chain(listed.split(','));
        let is_name = |name: &&str| {
            !(name.is_empty()
                || name.starts_with('-')
                || [EVERY, FIRST, KILLS, STATES].contains(name))
        };
        Self {
            names: names.filter(is_name).map(str::to_owned).collect(),
            half: match (has(KILLS), has(STATES)) {
                (true, false) => Some(Half::Kills),
                (false, true) => Some(Half::States),
                _ => None,
            },
            every: has(EVERY),
            full: std::env::var("FULL").is_ok_and(|full| full == "1"),
            first: has(FIRST),
            listed,
        }
    }

    fn includes(&self, act: &Act) -> bool {
        let is_named = self.names.iter().any(|name| is_meant(name, act.name));
        self.half.is_none_or(|half| half == act.half) && (self.names.is_empty() || is_named)
    }

    fn thoroughness(&self) -> Thoroughness {
        match (self.full, self.every) {
            (true, _) => Thoroughness::FULL,
            (_, true) => Thoroughness::USUAL,
            _ => Thoroughness::QUICK,
        }
    }

    /// Fails if a name in `OPS` is nobody's: to choose nothing is no way to pass. An
    /// argument may be meant for other tests.
    fn makes_sense(&self, acts: &[Act]) -> Result<(), String> {
        let is_known = |name: &str| acts.iter().any(|act| is_meant(name, act.name));
        match self.listed.split(',').find(|name| !(name.is_empty() || is_known(name))) {
            Some(name) => Err(format!("OPS: no operation is called {name:?}")),
            None => Ok(()),
        }
    }
}

/// `lock` means `lock_wait` too.
fn is_meant(name: &str, operation: &str) -> bool {
    operation.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Steps through the call once, then kills a fresh victim at each of its points.
fn kill_everywhere(
    line: &mut Line,
    theatre: &Theatre,
    places: Places,
    scene: &dyn Fn(Lead) -> Result<(), String>,
) -> Unit {
    let mut points = Vec::new();
    let mut list = |victim: &mut Victim, others: Others| {
        points = changes::list(victim, &theatre.directory, others)?;
        Ok(())
    };
    line.count("after its return", theatre.play(|| scene(&mut list)));
    line.count("before its first instruction", theatre.play(|| scene(&mut |_, _| Ok(()))));
    let unit = places.choose(&mut points);
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

/// The same for a signal that kills nobody. It comes after every instruction, whatever
/// that changes: what a handler does may matter to registers too.
fn interrupt_everywhere(
    line: &mut Line,
    theatre: &Theatre,
    every: bool,
    interruption: &Interruption,
) -> Unit {
    let mut points = Vec::new();
    let mut list = |victim: &mut Victim, others: Others| {
        points = changes::list(victim, &theatre.directory, others)?;
        Ok(())
    };
    line.count("while it was listed", theatre.play(|| interruption.play(&mut list)));
    let stride = if every { 1 } else { points.len().div_ceil(QUICKLY_INTERRUPTED) };
    for point in points.iter().step_by(stride) {
        let place = format!("after instruction {}", point.number);
        let mut lead = |victim: &mut Victim, others: Others| travel::leap(victim, point, others);
        line.count(&place, theatre.play(|| interruption.play(&mut lead)));
        if line.is_hopeless() {
            break;
        }
    }
    Unit::Steps
}

/// For each place where one victim stands still, kills another everywhere.
fn kill_beside_the_living(
    line: &mut Line,
    theatre: &Theatre,
    list: &dyn Fn() -> Result<Vec<Point>, String>,
    play: &dyn Fn(&Point, Lead) -> Result<(), String>,
) -> Unit {
    let mut stands = Vec::new();
    let listed = theatre.play(|| {
        stands = list()?;
        Ok(())
    });
    line.count("while the call is listed", listed);
    for stand in stands {
        kill_everywhere(line, theatre, Places::Changes, &|lead| play(&stand, lead));
        if line.is_hopeless() {
            break;
        }
    }
    Unit::Stores
}

/// Of all instructions those that a victim is killed after, or stands still at and lives.
#[derive(Clone, Copy)]
enum Places {
    /// What changes what a death leaves, as often as it does something else.
    Changes,
    /// All, or all changes of a call that is longer.
    All,
    /// So many at most, spread over the call, and all changes: what one has read that goes on
    /// may be out of date.
    Spread(usize),
}

impl Places {
    fn of_death(every: bool) -> Self {
        if every { Self::All } else { Self::Changes }
    }

    fn of_life(every: bool) -> Self {
        Self::Spread(if every { LONGEST_STEPPED } else { QUICKLY_INTERRUPTED })
    }

    fn choose(self, points: &mut Vec<Point>) -> Unit {
        let count = points.len();
        match self {
            Self::All if count <= LONGEST_STEPPED => return Unit::Steps,
            Self::Spread(most) => {
                let stride = count.div_ceil(most).max(1) as u32;
                points.retain(|point| point.changes || point.number % stride == 0);
                return if stride == 1 { Unit::Steps } else { Unit::Stores };
            }
            Self::All => points.retain(|point| point.changes),
            Self::Changes => {
                points.retain(|point| point.changes);
                changes::thin(points);
            }
        }
        Unit::Stores
    }
}
