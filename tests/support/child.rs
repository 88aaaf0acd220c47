//! The other processes of a test.
//!
//! A *part* is what such a process does. `Child::spawn` has it played by a stranger:
//! this same program started afresh, which finds everything by name. `Child::fork` has
//! it played by a forked child, which inherits everything. Director and child tell each
//! other lines over a socket; a child whose director is gone leaves.

use std::ffi::{CString, OsStr};
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use std::{env, io, thread};

use super::system;

/// Where, in a stranger, the part lies: its distance from `anchor`.
const PART: &str = "ATOLL_TEST_PART";
/// Longer than any test may take.
const LAST_RESORT: Duration = Duration::from_secs(300);
/// What the director hears when a child was ended before it said anything.
const NOTHING: &str = "(nothing: it has ended)";

/// A child's side.
pub(crate) struct Stage {
    lines: BufReader<UnixStream>,
}

impl Stage {
    fn new(stream: UnixStream) -> Self {
        Self { lines: BufReader::new(stream) }
    }

    /// Tells the director a line.
    pub(crate) fn tell(&mut self, line: impl Display) {
        if writeln!(self.lines.get_ref(), "{line}").is_err() {
            system::end(0);
        }
    }

    /// The director's next line.
    pub(crate) fn hear(&mut self) -> String {
        line_from(&mut self.lines).unwrap_or_else(|| system::end(0))
    }

    /// Waits for that line.
    pub(crate) fn wait_for(&mut self, cue: &str) {
        assert_eq!(self.hear(), cue);
    }

    /// Stays on stage until it is ended from outside.
    pub(crate) fn stay(mut self) -> ! {
        self.hear();
        system::end(0)
    }
}

/// The director's side. A child that is still there when this is dropped is killed.
pub(crate) struct Child {
    pub(crate) pid: i32,
    lines: BufReader<UnixStream>,
    has_ended: bool,
}

impl Child {
    /// This program started afresh, playing `part`, which captures nothing.
    pub(crate) fn spawn(part: fn(Stage)) -> Self {
        Self::spawn_in(0, part).expect("clone")
    }

    /// The same in new namespaces: `CLONE_NEWPID` and the like.
    pub(crate) fn spawn_in(namespaces: i32, part: fn(Stage)) -> io::Result<Self> {
        let program = env::current_exe().expect("/proc is mounted");
        let program = c_string(program.as_os_str());
        let distance = (part as usize).wrapping_sub(anchor as *const () as usize);
        let inherited = env::vars_os().filter(|(name, _)| name != PART);
        let mut environment: Vec<CString> =
            inherited.map(|(name, value)| variable(&name, &value)).collect();
        environment.push(variable(OsStr::new(PART), OsStr::new(&distance.to_string())));
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let pid = system::raw_clone(namespaces)?;
        if pid == 0 {
            system::put_on(&theirs, 0);
            execute(&program, &environment);
        }
        Ok(Self { pid, lines: BufReader::new(ours), has_ended: false })
    }

    /// A forked child playing `part`. Ends by `exit` when that returns.
    pub(crate) fn fork(part: impl FnOnce(Stage)) -> Self {
        Self::fork_by(system::fork, part)
    }

    /// The same, forked by `how`.
    pub(crate) fn fork_by(how: fn() -> i32, part: impl FnOnce(Stage)) -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let pid = how();
        if pid == 0 {
            drop(ours);
            play(|| part(Stage::new(theirs)));
        }
        Self { pid, lines: BufReader::new(ours), has_ended: false }
    }

    /// The child's next line.
    pub(crate) fn hear(&mut self) -> String {
        line_from(&mut self.lines).unwrap_or_else(|| NOTHING.into())
    }

    /// Whether it says something, or ends, before that time is over.
    pub(crate) fn has_spoken(&self, span: Duration) -> bool {
        !self.lines.buffer().is_empty() || system::is_readable(self.lines.get_ref(), span)
    }

    /// The child's next line is this one.
    #[track_caller]
    pub(crate) fn says(&mut self, line: &str) {
        assert_eq!(self.hear(), line);
    }

    /// Tells the child a line.
    pub(crate) fn tell(&mut self, line: impl Display) {
        writeln!(self.lines.get_ref(), "{line}").expect("the child listens");
    }

    pub(crate) fn signal(&self, signal: i32) {
        system::kill(self.pid, signal);
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Its wait status if it has ended by now.
    pub(crate) fn poll(&mut self) -> Option<i32> {
        let status = system::has_ended(self.pid);
        self.has_ended |= status.is_some();
        status
    }

    /// As `kill`, where it stays in its place.
    pub(crate) fn end(&mut self) {
        if !self.has_ended {
            self.has_ended = true;
            self.signal(libc::SIGKILL);
            system::wait(self.pid);
        }
    }

    /// Waits until it has ended, and gives its wait status.
    pub(crate) fn ends(mut self) -> i32 {
        self.has_ended = true;
        system::wait(self.pid)
    }

    /// Waits until it has ended in good order.
    #[track_caller]
    pub(crate) fn ends_well(self) {
        assert_eq!(self.ends(), 0, "the child's wait status");
    }

    /// Lets it leave the stage in good order.
    #[track_caller]
    pub(crate) fn leaves(mut self) {
        self.tell("leave");
        self.ends_well();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until each of the children sleeps in the kernel.
pub(crate) fn all_asleep<'a>(children: impl IntoIterator<Item = &'a Child>) {
    for child in children {
        let mut sightings = 0;
        while sightings < 5 {
            let asleep = system::state_of(child.pid as u32, child.pid as u32) == 'S';
            sightings = if asleep { sightings + 1 } else { 0 };
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Plays the part that this process was started for, if it was, and ends.
pub(crate) fn play_part_if_any() {
    let Some(distance) = env::var(PART).ok() else { return };
    let distance: usize = distance.parse().expect("a number");
    let address = (anchor as *const () as usize).wrapping_add(distance);
    // SAFETY: the same program, at other addresses: a part lies as far from `anchor`
    // as it did for who wrote the distance down.
    let part: fn(Stage) = unsafe { std::mem::transmute(address) };
    // SAFETY: `spawn_in` put the socket there, for us alone.
    let stream = UnixStream::from(unsafe { OwnedFd::from_raw_fd(0) });
    play(|| part(Stage::new(stream)))
}

/// From where parts are found.
fn anchor() {}

fn play(part: impl FnOnce()) -> ! {
    system::die_after(LAST_RESORT);
    system::end(catch_unwind(AssertUnwindSafe(part)).is_err().into())
}

fn line_from(lines: &mut BufReader<UnixStream>) -> Option<String> {
    let mut line = String::new();
    // A reset means that the other side ended without having read everything.
    match lines.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end().to_owned()),
    }
}

fn variable(name: &OsStr, value: &OsStr) -> CString {
    c_string(OsStr::from_bytes(&[name.as_bytes(), value.as_bytes()].join(&b'=')))
}

fn c_string(text: &OsStr) -> CString {
    CString::new(text.as_bytes()).expect("no NUL inside")
}

/// Replaces the program of this process, which is a copy of its parent: nothing but
/// system calls.
fn execute(program: &CString, environment: &[CString]) -> ! {
    let mut variables = [std::ptr::null(); 256];
    for (place, variable) in variables[..255].iter_mut().zip(environment) {
        *place = variable.as_ptr();
    }
    let arguments = [program.as_ptr(), std::ptr::null()];
    // SAFETY: NUL-terminated strings in NULL-terminated lists.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
    system::end_abruptly(127)
}
