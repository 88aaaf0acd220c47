//! Processes on stage: forked from the harness, which itself never calls the
//! library, so each of them starts with the same memory at the same addresses.

use std::sync::atomic::Ordering::SeqCst;

use crate::board::{Board, Seat, watchdog};
use crate::cpu;
use crate::recorder;

/// A forked process that runs a part and pauses where the part says so.
pub(crate) struct Player {
    pub(crate) pid: i32,
    seat: usize,
    living: bool,
    /// How it ended by itself, as `waitpid` tells it.
    ending: i32,
}

/// What a part may do besides calling the library.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) seat: usize,
    /// What is stored in the stretch between the marks is recorded, not stepped.
    pub(crate) is_recorded: bool,
}

impl Stage {
    pub(crate) fn seat(&self) -> &'static Seat {
        &Board::get().seats[self.seat]
    }

    /// Lets the harness know that this point is reached, and waits for its cue.
    pub(crate) fn pause(&self) {
        let seat = self.seat();
        let count = seat.reached.raise();
        // No watchdog: the harness ends who waits here in vain.
        seat.passed.wait(count, || false);
    }
}

impl Player {
    /// Forks a process that plays `part`. It dies with the harness.
    pub(crate) fn enter(seat: usize, part: impl FnOnce(Stage) -> Result<(), String>) -> Self {
        let board = Board::get();
        board.seats[seat].clear();
        let harness = std::process::id();
        // SAFETY: the harness has one thread, so the child may do anything.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork failed: {}", std::io::Error::last_os_error());
        if pid == 0 {
            // SAFETY: plain system calls on this process.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            cpu::unpin();
            // SAFETY: likewise; the harness may have died before the line above.
            let orphan = unsafe { libc::getppid() } as u32 != harness;
            let played = if orphan { Ok(()) } else { part(Stage { seat, is_recorded: false }) };
            if let Err(why) = played {
                board.seats[seat].fail(&why);
            }
            // SAFETY: ends the process without running what the harness registered.
            unsafe { libc::_exit(0) };
        }
        Self { pid, seat, living: true, ending: 0 }
    }

    /// The same for a victim that is recorded, not stepped.
    pub(crate) fn enter_recorded(seat: usize, part: fn(Stage) -> Result<(), String>) -> Self {
        Self::enter(seat, |stage| {
            recorder::watch()?;
            part(Stage { is_recorded: true, ..stage })
        })
    }

    pub(crate) fn seat(&self) -> &'static Seat {
        &Board::get().seats[self.seat]
    }

    /// Waits until the player stands at its `count`-th pause.
    pub(crate) fn reaches(&mut self, count: u32) -> Result<(), String> {
        let mut late = watchdog();
        let mut ended = false;
        let seat = self.seat();
        let here = seat.reached.wait(count, || {
            ended = ended || self.has_ended();
            ended || late()
        });
        match (here, ended) {
            (true, _) => Ok(()),
            (false, true) => Err(self.last_words()),
            (false, false) => Err(format!("hangs: {}", self.where_it_stands())),
        }
    }

    /// Lets the player pass the pause where it stands.
    pub(crate) fn goes_on(&self) {
        self.seat().passed.raise();
    }

    /// From one pause to the next.
    pub(crate) fn plays(&mut self) -> Result<(), String> {
        self.goes_on();
        self.reaches(self.seat().passed.count() + 1)
    }

    /// From the last pause to the end of the part.
    pub(crate) fn ends(&mut self) -> Result<(), String> {
        self.goes_on();
        let mut late = watchdog();
        while !self.has_ended() {
            if late() {
                return Err(format!("hangs: {}", self.where_it_stands()));
            }
            std::thread::sleep(std::time::Duration::from_micros(20));
        }
        if self.ending == 0 && !self.seat().failed.load(SeqCst) {
            return Ok(());
        }
        Err(self.last_words())
    }

    pub(crate) fn kill(&mut self) {
        if self.living {
            // SAFETY: our own child, not yet waited for, so the id is still its own.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            reap(self.pid);
            self.living = false;
        }
    }

    /// Notes that somebody else has waited for the player's end.
    pub(crate) fn has_left(&mut self) {
        self.living = false;
    }

    /// Fails when the part is over already.
    pub(crate) fn is_playing(&mut self) -> Result<(), String> {
        if self.has_ended() { Err(self.last_words()) } else { Ok(()) }
    }

    /// Waits until the kernel has put the player to sleep.
    pub(crate) fn falls_asleep(&mut self) -> Result<(), String> {
        let mut late = watchdog();
        let mut sightings = 0;
        while sightings < 2 {
            self.is_playing()?;
            sightings = if state_of(self.pid) == b'S' { sightings + 1 } else { 0 };
            if late() {
                return Err(format!("never falls asleep: {}", self.where_it_stands()));
            }
            std::thread::sleep(std::time::Duration::from_micros(60));
        }
        Ok(())
    }

    fn has_ended(&mut self) -> bool {
        if self.living && is_over(self.pid) {
            // SAFETY: our own child; the output is a field of ours.
            unsafe { libc::waitpid(self.pid, &mut self.ending, libc::__WALL) };
            self.living = false;
        }
        !self.living
    }

    fn last_words(&self) -> String {
        match self.seat().failed.load(SeqCst) {
            true => self.seat().failure(),
            false => format!("ended before its part did (wait status {:#x})", self.ending),
        }
    }

    fn where_it_stands(&self) -> String {
        let read = |what| std::fs::read_to_string(format!("/proc/{}/{what}", self.pid));
        let call = read("syscall").unwrap_or_default();
        format!("process {} in system call {}", self.pid, call.trim())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a child of ours has ended. If it has stopped, that stays to be waited for: it is
/// the business of who steps it.
fn is_over(pid: i32) -> bool {
    // SAFETY: a plain C structure, for which zero is nothing to tell.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    // SAFETY: our own child; the output is a local.
    unsafe { libc::waitid(libc::P_PID, pid as u32, &mut info, flags) };
    [libc::CLD_EXITED, libc::CLD_KILLED, libc::CLD_DUMPED].contains(&info.si_code)
}

/// Makes the children of dead players the harness's own.
pub(crate) fn adopt_orphans() {
    // SAFETY: a plain system call on this process.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
}

/// The kernel's letter for what a process or thread is doing.
pub(crate) fn state_of(pid: i32) -> u8 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rfind(')').map_or("", |at| &stat[at + 1..]);
    after_name.trim_start().bytes().next().unwrap_or(b'X')
}

/// Waits for the end of a child that was killed.
pub(crate) fn reap(pid: i32) {
    let mut status = 0;
    // SAFETY: our own child; the output is a local.
    while unsafe { libc::waitpid(pid, &mut status, libc::__WALL) } == pid {
        if libc::WIFSIGNALED(status) || libc::WIFEXITED(status) {
            return;
        }
    }
}
