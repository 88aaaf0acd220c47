//! Runs each test in a process of its own, one after the other.
//!
//! A test may fork, install filters, enter namespaces, be killed by what it tests: the
//! next one begins afresh. It gets a directory in shared memory to put its segments
//! into, which has to be empty when it ends, and no process of its may be left then.
//! That makes every test a leak test. One that does not end is killed and has failed:
//! nothing else here, and nothing in the tests, says how long a thing may take.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, exit};
use std::time::{Duration, Instant};
use std::{env, thread};

use super::{child, system};

/// One test. It fails by a panic.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
}

/// A table of tests: `tests! { module: one, another; module2: third }`.
#[allow(unused_macros, reason = "not every binary has a table")]
macro_rules! tests {
    ($($module:ident: $($test:ident),+ $(,)?);+ $(;)?) => {
        [$($($crate::support::runner::Test {
            name: concat!(stringify!($module), "::", stringify!($test)),
            body: $module::$test,
        }),+),+]
    };
}
#[allow(unused_imports, reason = "likewise")]
pub(crate) use tests;

/// How long a test may hang before it is killed. The longest, which damage one word after the
/// other, have been seen to take half of it on a machine with six times the work it can do.
const WATCHDOG: Duration = Duration::from_secs(300);
const SKIPPED: i32 = 77;

/// Ends the test that calls it: the machine does not have what it needs.
pub(crate) fn skip(reason: &str) -> ! {
    println!("{reason}");
    exit(SKIPPED)
}

enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Runs the tests whose names contain one of the arguments, or all; `main` of a binary.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    child::play_part_if_any();
    system::become_subreaper();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let wanted: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.contains(*w));
    let chosen: Vec<&Test> = tests.iter().filter(|test| is_wanted(test.name)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let begin = Instant::now();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for test in &chosen {
        match perform(test) {
            Verdict::Passed => {
                passed += 1;
                println!("test {} ... ok", test.name);
            }
            Verdict::Skipped(reason) => {
                skipped += 1;
                println!("test {} ... ignored, {reason}", test.name);
            }
            Verdict::Failed(why) => {
                failed += 1;
                println!("test {} ... FAILED\n{why}", test.name);
            }
        }
    }
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; {} \
         filtered out; finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        tests.len() - chosen.len(),
        begin.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn perform(test: &Test) -> Verdict {
    let directory = Directory::new(test.name);
    let mut log = system::memory_file();
    let actor = system::fork();
    if actor == 0 {
        be_the_test(test, &directory.0, &log);
    }
    let mut troubles = Vec::new();
    let status = wait_with_watchdog(actor).unwrap_or_else(|| {
        troubles.push(format!("it hung for {} s and was killed", WATCHDOG.as_secs()));
        system::kill_group(actor);
        system::wait(actor)
    });
    if remain_after(actor) {
        troubles.push("it left a process behind".into());
    }
    let said = contents(&mut log);
    if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == SKIPPED {
        return Verdict::Skipped(said.lines().last().unwrap_or("without a reason").to_owned());
    }
    if libc::WIFSIGNALED(status) {
        troubles.push(format!("it was ended by signal {}", libc::WTERMSIG(status)));
    } else if libc::WEXITSTATUS(status) != 0 {
        troubles.push("it failed".into());
    }
    let left: Vec<String> = directory.leftovers();
    if troubles.is_empty() && !left.is_empty() {
        troubles.push(format!("it left files behind: {}", left.join(", ")));
    }
    if troubles.is_empty() {
        return Verdict::Passed;
    }
    Verdict::Failed(format!("{said}---- {}", troubles.join("; ")))
}

fn be_the_test(test: &Test, directory: &Path, log: &File) -> ! {
    system::begin_group();
    system::die_with_parent();
    system::redirect_output(log.as_raw_fd());
    // SAFETY: the process has one thread.
    unsafe { env::set_var("ATOLL_DIR", directory) };
    let outcome = catch_unwind(test.body);
    exit(outcome.is_err().into())
}

fn wait_with_watchdog(process: i32) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < WATCHDOG {
        if let Some(status) = system::has_ended(process) {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(2));
    }
    None
}

/// Whether processes of the group outlive the test; ends them if so.
///
/// Those that were killed and have not quite ended yet do not count.
fn remain_after(group: i32) -> bool {
    let start = Instant::now();
    while system::reap_any() {
        if start.elapsed() > Duration::from_secs(60) {
            system::kill_group(group);
            while system::reap_any() {
                thread::sleep(Duration::from_millis(2));
            }
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    false
}

fn contents(log: &mut File) -> String {
    let mut bytes = Vec::new();
    log.rewind().and_then(|()| log.read_to_end(&mut bytes)).expect("the log is memory");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A directory for the segments of one test, removed with what is in it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("atoll-test-{}-{}", std::process::id(), test.replace("::", "-"));
        let path = Path::new("/dev/shm").join(name);
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn leftovers(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the directory is there");
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
