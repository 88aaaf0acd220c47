//! Random kills for as long as one likes: `make soak MINUTES=n`, ten seconds in `make test`.
//!
//! Workers, each number 1 of its own pid namespace, lock, nest, transfer with and without
//! transactions, make objects and hand them over, fork and start threads in one segment. A
//! director kills them at random, stops and continues them, and puts new ones in their
//! places. After a round all leave, and the next one begins. Nothing may overlap, nothing
//! may be lost, nobody may stand still, and no byte may be left behind.
//!
//! | file | what is in it |
//! |---|---|
//! | `bank` | accounts under locks, with a log of their own, and their audit |
//! | `vault` | accounts that only transactions touch, and their audit |
//! | `visit` | what goes on in a transaction |
//! | `hall` | readers and writers, and chairs that belong to who sits on them |
//! | `bells` | those who wait for others to do something |
//! | `meetings` | those who wait for each other |
//! | `post` | letters through rings |
//! | `churn` | objects that come and go |
//! | `census` | what a segment holds when a round is over |
//! | `board` | what workers and the director tell each other |
//! | `dice` | random numbers |
//! | `worker` | what a worker does |
//! | `director` | kills, rounds, and the watch over progress |

#[path = "../support/mod.rs"]
mod support;

mod bank;
mod bells;
mod board;
mod census;
mod churn;
mod dice;
mod director;
mod hall;
mod meetings;
mod post;
mod vault;
mod visit;
mod worker;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use support::child::play_part_if_any;
use support::runner::Directory;

/// How long without an argument.
const SHORT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    play_part_if_any();
    let minutes = env::args().find_map(|a| a.strip_prefix("minutes=").map(str::to_owned));
    let span = match minutes.map(|text| text.parse::<f64>()) {
        None => SHORT,
        Some(Ok(minutes)) if minutes > 0.0 => Duration::from_secs_f64(minutes * 60.0),
        Some(_) => {
            println!("soak: minutes=N takes a number of minutes");
            return ExitCode::FAILURE;
        }
    };
    let directory = Directory::new("soak");
    // SAFETY: the process has one thread.
    unsafe { env::set_var("ATOLL_DIR", directory.path()) };
    let (outcome, skipped) = director::run(span);
    let left = directory.leftovers();
    let outcome = outcome.and_then(|figures| match left.is_empty() {
        true => Ok(figures),
        false => Err(format!("files are left: {}", left.join(", "))),
    });
    match &outcome {
        Ok(figures) => println!("soak: {figures}"),
        Err(trouble) => println!("soak: FAILED, {trouble}"),
    }
    let (word, passed, failed) = if outcome.is_ok() { ("ok", 1, 0) } else { ("FAILED", 0, 1) };
    println!("test result: {word}. {passed} passed; {failed} failed; {skipped} ignored");
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
