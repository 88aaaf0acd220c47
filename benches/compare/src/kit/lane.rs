//! A process that does what it is asked on a processor of its own.
//!
//! Programs of lanes ignore SIGINT: whatever ends the bench, they see the end of their
//! input, remove what they made in shared memory, and end.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::{Missing, Result, cpu};

/// A lane that says nothing for so long hangs.
const WATCHDOG_MS: i32 = 60_000;

/// A running lane. Dropping it ends its input, and waits for it.
pub struct Lane {
    /// What it was started as, for messages.
    called: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Lane {
    /// Starts a program on a processor, and waits until it is ready.
    pub fn start(mut command: Command, cpu: usize) -> Result<Self> {
        // SAFETY: between fork and exec it makes one system call and allocates nothing
        // unless that fails.
        unsafe { command.pre_exec(move || cpu::pin(cpu)) };
        let called = format!("{command:?}");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("a lane without output")?);
        let mut lane = Self { called, child, input, output };
        let said = lane.hear()?;
        match said.strip_prefix("missing ") {
            Some(what) => Err(Missing(what.into()).into()),
            None if said == "ready" => Ok(lane),
            None => Err(format!("{}: not ready but \"{said}\"", lane.called).into()),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a line.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().ok_or("the lane's input has ended")?;
        let told = writeln!(input, "{line}");
        told.map_err(|error| format!("{}: {error}", self.called).into())
    }

    /// Waits for a line.
    pub fn hear(&mut self) -> Result<String> {
        if self.output.buffer().is_empty() {
            self.wait_for_output()?;
        }
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(format!("{}: ended without an answer, {status}", self.called).into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Waits for a line of numbers.
    pub fn numbers(&mut self) -> Result<Vec<u64>> {
        let line = self.hear()?;
        let numbers = line.split(' ').map(str::parse).collect::<std::result::Result<_, _>>();
        numbers.map_err(|_| format!("{}: said \"{line}\"", self.called).into())
    }

    /// Whether it sleeps in the kernel.
    pub fn is_asleep(&self) -> Result<bool> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        // The state follows the name, which is in brackets and may hold anything.
        Ok(stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S')))
    }

    /// Kills it and waits until it is gone. Says when it was killed.
    pub fn kill(mut self) -> Result<u64> {
        let moment = cpu::now_ns();
        self.child.kill()?;
        self.child.wait()?;
        Ok(moment)
    }

    fn wait_for_output(&self) -> Result<()> {
        let descriptor = self.output.get_ref().as_raw_fd();
        let mut wanted = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, valid for the call.
        match unsafe { libc::poll(&mut wanted, 1, WATCHDOG_MS) } {
            1.. => Ok(()),
            0 => Err(format!("{}: no answer within a minute, it hangs", self.called).into()),
            _ => Err(std::io::Error::last_os_error().into()),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.input = None;
        if self.wait_for_output().is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
