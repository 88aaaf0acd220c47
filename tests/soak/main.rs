//! Random kills for as long as one likes: `make soak MINUTES=n`, ten seconds in `make test`.
//!
//! Workers, each number 1 of its own pid namespace, lock, nest, transfer, store, fork and
//! start threads in one segment. A director kills them at random, stops and continues
//! them, and puts new ones in their places. Nothing may overlap, nothing may be lost, and
//! nobody may stand still.
//!
//! | file | what is in it |
//! |---|---|
//! | `bank` | accounts, transfers that a death cannot tear, and their audit |
//! | `board` | what workers and the director tell each other |
//! | `worker` | what a worker does |
//! | `director` | kills, and the watch over progress |

#[path = "../support/mod.rs"]
mod support;

mod bank;
mod board;
mod director;
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
