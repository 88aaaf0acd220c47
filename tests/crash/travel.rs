//! How a victim gets to where it dies: at full speed, with a breakpoint on the last
//! instruction before. Stepping all the way to each of thousands of points would
//! take hours.

use crate::ptrace;
use crate::victim::{Others, Stand, Victim};

/// Takes a victim to the point where it dies.
pub(crate) type Lead<'a> = &'a mut dyn FnMut(&mut Victim, Others) -> Result<(), String>;

/// A place to die, and the way to it without stepping all the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Point {
    /// The system calls in which the victim falls asleep on the way.
    pub(crate) sleeps: Vec<Hop>,
    /// The last instruction that it runs to,
    pub(crate) last: Hop,
    /// and how many it steps from there.
    pub(crate) steps: u32,
    /// How many instructions it has executed then,
    pub(crate) number: u32,
    /// and whether the last of them changed what its death leaves behind.
    pub(crate) changes: bool,
}

/// An instruction, and how often it is come to since the last sleep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hop {
    pub(crate) address: u64,
    pub(crate) arrivals: u32,
}

/// Lets the victim run at full speed to `point`, or to the end of its call, or to
/// where it falls asleep and is left so.
pub(crate) fn leap(victim: &mut Victim, point: &Point, others: Others) -> Result<(), String> {
    for sleep in &point.sleeps {
        hop(victim, *sleep, others)?;
        step(victim, 1, others)?;
        get_up(victim, others)?;
    }
    hop(victim, point.last, others)?;
    step(victim, point.steps, others)
}

/// Lets the victim run at full speed to the end of its call.
pub(crate) fn run(victim: &mut Victim, others: Others) -> Result<(), String> {
    if victim.stand == Stand::Under {
        victim.run()?;
    }
    get_up(victim, others).map(|_| ())
}

/// Executes `count` instructions, or as many as it can.
fn step(victim: &mut Victim, count: u32, others: Others) -> Result<(), String> {
    for _ in 0..count {
        if !get_up(victim, others)? {
            break;
        }
        victim.step()?;
    }
    Ok(())
}

fn hop(victim: &mut Victim, hop: Hop, others: Others) -> Result<(), String> {
    for arrival in 1..=hop.arrivals {
        if !get_up(victim, others)? {
            break;
        }
        run_to(victim, hop.address, others)?;
        // A repeated string instruction stays at its address for a while.
        while arrival < hop.arrivals && stands_at(victim, hop.address)? {
            victim.step()?;
            get_up(victim, others)?;
        }
    }
    Ok(())
}

/// Out of a system call that the victim sleeps in, if others wake it. Says whether
/// it can go on; a call is not the same length each time, as some read the clock.
fn get_up(victim: &mut Victim, others: Others) -> Result<bool, String> {
    if victim.stand == Stand::Asleep {
        victim.wakes(others)?;
    }
    Ok(victim.stand == Stand::Under)
}

/// Lets the victim run to an instruction, unless it stands there or has returned.
fn run_to(victim: &mut Victim, address: u64, others: Others) -> Result<(), String> {
    const BREAKPOINT: u8 = 0xcc;
    if stands_at(victim, address)? {
        return Ok(());
    }
    let code = ptrace::replace_byte(victim.thread, address, BREAKPOINT)?;
    victim.breakpoint = Some((address, code));
    run(victim, others)?;
    if victim.stand == Stand::Under {
        ptrace::replace_byte(victim.thread, address, code)?;
        victim.breakpoint = None;
        ptrace::go_to(victim.thread, address)?;
    }
    Ok(())
}

fn stands_at(victim: &Victim, address: u64) -> Result<bool, String> {
    Ok(victim.stand == Stand::Under && victim.address()? == address)
}
