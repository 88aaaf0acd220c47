//! A player that is traced, let on instruction by instruction, and killed where
//! the harness chooses.
//!
//! The stretch lies between two marks, `int3` instructions at a known address.
//! Before the first one the victim prepares at full speed and untraced.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::board::{Board, watchdog};
use crate::cpu;
use crate::player::{Player, Stage, reap, state_of};
use crate::ptrace;
use crate::tape::Tape;

// Global, so that every object file of an unoptimised build finds it.
std::arch::global_asm!(".globl crash_mark", ".hidden crash_mark", "crash_mark:", "int3", "ret");
unsafe extern "C" {
    /// Stops a traced thread. `int3` is one byte long.
    fn crash_mark();
}

/// In the victim: runs `call` between the marks, then waits to be killed.
///
/// The status that `call` returns is left on the board.
pub(crate) fn stepped(stage: Stage, call: impl FnOnce() -> i32) -> ! {
    marked(stage);
    let status = call();
    stage.seat().status.store(status, SeqCst);
    if stage.is_recorded {
        Tape::get().end();
        // SAFETY: the end of a process that was forked off.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: stops here until the tracer kills.
    unsafe { crash_mark() };
    loop {
        std::thread::park();
    }
}

/// In the victim: the first mark. The end of the thread stands for the second.
pub(crate) fn marked(stage: Stage) {
    if stage.is_recorded {
        return Tape::get().begin();
    }
    cpu::pin();
    // SAFETY: a plain system call.
    stage.seat().thread.store(unsafe { libc::gettid() }, SeqCst);
    // SAFETY: asks to be traced by the parent, which is waiting for that.
    unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    // SAFETY: stops here until the tracer goes on.
    unsafe { crash_mark() };
}

/// Where a victim stands when the harness has control again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Between two instructions.
    Under,
    /// Inside a system call, asleep.
    Asleep,
    /// Its call has returned, or ended the thread as it was meant to.
    Returned,
}

pub(crate) struct Victim {
    player: Player,
    /// The process to be killed: the player, or its child.
    process: i32,
    /// The thread that is stepped.
    pub(crate) thread: i32,
    pub(crate) stand: Stand,
    /// It has been killed, and its thread been waited for.
    is_dead: bool,
    /// The signal that it gets when it is let go next, or 0.
    signal: i32,
    /// How it was let go last.
    request: libc::c_uint,
    /// The process that it has forked.
    pub(crate) child: Option<i32>,
    /// An instruction that is replaced for the moment, and its first byte.
    pub(crate) breakpoint: Option<(u64, u8)>,
}

/// What others do when the victim has fallen asleep: wake it up, or let it lie.
pub(crate) type Others<'a> = &'a mut dyn FnMut() -> Result<Morning, String>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Morning {
    Woken,
    LeftAsleep,
}

/// For victims in whose way nobody is.
pub(crate) fn nobody() -> Result<Morning, String> {
    Err("the victim fell asleep though nobody was in its way".into())
}

impl Victim {
    /// Forks the victim and waits until it stands at its first mark.
    pub(crate) fn enter(
        seat: usize,
        part: impl FnOnce(Stage) -> Result<(), String>,
    ) -> Result<Self, String> {
        Self::enter_behind_others(seat, part, |_| Ok(()))
    }

    /// The same for a victim that falls asleep as it prepares; `others` let it go on.
    pub(crate) fn enter_behind_others(
        seat: usize,
        part: impl FnOnce(Stage) -> Result<(), String>,
        others: impl FnOnce(&mut Player) -> Result<(), String>,
    ) -> Result<Self, String> {
        let player = Player::enter(seat, part);
        let process = player.pid;
        let mut victim = Self {
            player,
            process,
            thread: process,
            stand: Stand::Under,
            is_dead: false,
            signal: 0,
            request: libc::PTRACE_CONT,
            child: None,
            breakpoint: None,
        };
        others(&mut victim.player)?;
        victim.finds_mark()?;
        Board::get().victim.store(process, SeqCst);
        let options = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACEFORK;
        ptrace::request(libc::PTRACE_SETOPTIONS, victim.thread, 0, options as u64)?;
        Ok(victim)
    }

    /// Lets the victim fork, and makes the child the victim, at its first
    /// instruction. The parent goes on by itself.
    pub(crate) fn becomes_child(&mut self) -> Result<(), String> {
        self.let_go(libc::PTRACE_CONT)?;
        self.process = self.awaits_fork()?;
        ptrace::request(libc::PTRACE_DETACH, self.thread, 0, 0)?;
        self.thread = self.process;
        Board::get().victim.store(self.process, SeqCst);
        Ok(())
    }

    /// The status of the stepped call, once it has returned.
    pub(crate) fn status(&self) -> i32 {
        self.player.seat().status.load(SeqCst)
    }

    /// Executes one instruction: all of a system call, unless it sleeps.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        let enters_kernel = self.enters_kernel()?;
        self.let_go(libc::PTRACE_SINGLESTEP)?;
        if enters_kernel { self.returns_or_sleeps() } else { self.has_stopped(0).map(|_| ()) }
    }

    /// A signal comes before the next instruction.
    pub(crate) fn is_interrupted(&mut self, signal: i32) {
        self.signal = signal;
    }

    /// Lets the victim run until it stops by itself or falls asleep.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.let_go(libc::PTRACE_CONT)?;
        self.returns_or_sleeps()
    }

    /// Gets a victim that fell asleep out of its system call, if others wake it. They
    /// are asked again and again: a wake-up may go to somebody else first.
    pub(crate) fn wakes(&mut self, others: Others) -> Result<bool, String> {
        let mut late = watchdog();
        while others()? == Morning::Woken {
            for _ in 0..100 {
                if self.has_stopped(libc::WNOHANG)? {
                    return Ok(true);
                }
                nap();
            }
            if late() {
                return Err("the victim does not come out of its call".into());
            }
        }
        Ok(false)
    }

    /// The address of the next instruction.
    pub(crate) fn address(&self) -> Result<u64, String> {
        ptrace::next_instruction(self.thread)
    }

    /// Whether the next instruction is a system call.
    pub(crate) fn enters_kernel(&self) -> Result<bool, String> {
        const SYSCALL: [u8; 2] = [0x0f, 0x05];
        let mut code = [0u8; 2];
        Ok(ptrace::read(self.thread, self.address()?, &mut code) && code == SYSCALL)
    }

    /// The end. From here on survivors count; a parent whose child is the victim is
    /// one of them.
    pub(crate) fn dies(&mut self) {
        Board::get().returned.store(self.stand == Stand::Returned, SeqCst);
        self.is_killed();
        if self.process == self.player.pid {
            self.player.kill();
        }
    }

    /// Ends the process, and waits for the thread that is traced, without which the others
    /// cannot be waited for.
    fn is_killed(&mut self) {
        self.leaves_address();
        if self.thread != self.player.pid && !std::mem::replace(&mut self.is_dead, true) {
            // SAFETY: our own child, or one that we trace, and not yet waited for.
            unsafe { libc::kill(self.process, libc::SIGKILL) };
            reap(self.thread);
        }
    }

    /// For the report, should something be wrong from here on.
    fn leaves_address(&self) {
        if let Ok(address) = self.address() {
            Board::get().address.store(address, SeqCst);
        }
    }

    fn finds_mark(&mut self) -> Result<(), String> {
        let mut late = watchdog();
        loop {
            match self.player.seat().thread.load(SeqCst) {
                0 => self.player.is_playing()?,
                thread => {
                    self.thread = thread;
                    if self.has_stopped(libc::WNOHANG)? {
                        self.stand = Stand::Under;
                        return Ok(());
                    }
                }
            }
            if late() {
                return Err("the victim never comes to its mark".into());
            }
            nap();
        }
    }

    fn let_go(&mut self, request: libc::c_uint) -> Result<(), String> {
        self.request = request;
        let signal = std::mem::take(&mut self.signal);
        ptrace::request(request, self.thread, 0, signal as u64)
    }

    /// After the victim was let go: waits until it stops or falls asleep.
    fn returns_or_sleeps(&mut self) -> Result<(), String> {
        let mut sightings = 0;
        while !self.has_stopped(libc::WNOHANG)? {
            nap();
            sightings = if state_of(self.thread) == b'S' { sightings + 1 } else { 0 };
            if sightings == 3 {
                self.stand = Stand::Asleep;
                break;
            }
        }
        Ok(())
    }

    /// Whether the victim has stopped, or ended, since it was let go.
    fn has_stopped(&mut self, flags: i32) -> Result<bool, String> {
        let mut status = 0;
        // SAFETY: our own tracee; the output is a local.
        let waited = unsafe { libc::waitpid(self.thread, &mut status, libc::__WALL | flags) };
        // Before it has asked to be traced, a thread is not ours to wait for.
        if waited != self.thread {
            return Ok(false);
        }
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
            self.stand = Stand::Returned;
            if self.thread == self.player.pid {
                self.player.has_left();
            }
            return Ok(true);
        }
        if status >> 16 == libc::PTRACE_EVENT_FORK {
            self.releases_child()?;
            return self.has_stopped(flags);
        }
        if !libc::WIFSTOPPED(status) || libc::WSTOPSIG(status) != libc::SIGTRAP {
            return Err(format!("the victim got out of hand (wait status {status:#x})"));
        }
        let at_mark = self.address()? == crash_mark as *const () as u64 + 1;
        self.stand = if at_mark { Stand::Returned } else { Stand::Under };
        Ok(true)
    }

    /// In the middle of the fork: the child goes its own way, and the fork goes on.
    fn releases_child(&mut self) -> Result<(), String> {
        let child = ptrace::forked(self.thread)?;
        if let Some((address, code)) = self.breakpoint {
            ptrace::replace_byte(child, address, code)?;
        }
        ptrace::request(libc::PTRACE_DETACH, child, 0, 0)?;
        self.child = Some(child);
        self.let_go(self.request)
    }

    /// Runs into the fork and stays there; gives the child, stopped as well.
    fn awaits_fork(&mut self) -> Result<i32, String> {
        let mut status = 0;
        // SAFETY: our own tracee; the output is a local.
        unsafe { libc::waitpid(self.thread, &mut status, libc::__WALL) };
        match status >> 16 == libc::PTRACE_EVENT_FORK {
            true => ptrace::forked(self.thread),
            false => Err(format!("the victim did not fork (wait status {status:#x})")),
        }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.is_killed();
        self.player.kill();
        if let Some(child) = self.child {
            // SAFETY: now that its parent is dead, a child of ours, not yet waited for.
            unsafe { libc::kill(child, libc::SIGKILL) };
            reap(child);
        }
    }
}

fn nap() {
    std::thread::sleep(Duration::from_micros(10));
}
