//! Waiting for any of several objects, which may lie in different segments.
//!
//! It takes nothing: it says which of them are ready. It sleeps on the words of all of them
//! at once, by the rules of `wait`, but without a hook, for there is one hook and there are
//! many words. So no object may rely on such a sleeper to hand on a wake-up that was meant
//! for one: gates wake all in any case, and semaphores know that there is a `crowd`.
//!
//! # If a process dies
//!
//! - one that was about to wake others: its hook wakes one sleeper. If that is one of these,
//!   it finds the object ready, and wakes the others when it goes (`leave`);
//! - one of these: it holds nothing, and nobody waits for it. If it was the one that a
//!   hook had woken, that is a second death, in the middle of the hand-over of the first:
//!   the others look again after a slice.

use super::bed::Bed;
use super::wait::Wait;
use crate::error::{Error, Result, Status};

/// The most objects that one call waits for: an answer has a bit for each.
pub(crate) const MOST_WAITABLES: usize = 64;

/// What a call can wait for beside others.
pub(crate) trait Waitable {
    /// Whether it may be ready: a few loads, for looks in a row. `is_ready` has the truth.
    fn seems_ready(&self) -> bool;

    /// Whether it is ready. Changes nothing that others see.
    ///
    /// # Errors
    /// `Corrupted`.
    fn is_ready(&self) -> Result<bool>;

    /// Lets others know that somebody is about to sleep, then looks: true if it is ready.
    /// Else `bed` has what is going to end the sleep.
    ///
    /// # Errors
    /// `Corrupted`.
    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool>;

    /// The calling thread has slept on it and goes away, whether it is ready or not: wakes
    /// whoever the wake-up may have been meant for.
    fn leave(&self);
}

const NONE_READY: Error = Error::new(
    Status::TimedOut,
    "nothing of what was waited for was ready before the time was over",
);

/// Waits until at least one of `all` is ready, and says which are, in one bit each.
///
/// # Errors
/// `TimedOut`, `Interrupted`, `Corrupted`.
pub(crate) fn wait_any(all: &[&dyn Waitable], mut wait: Wait<'_>) -> Result<u64> {
    debug_assert!(all.len() <= MOST_WAITABLES);
    loop {
        if all.iter().any(|one| one.seems_ready()) {
            let ready = look(all)?;
            if ready != 0 {
                return Ok(ready);
            }
        }
        if !wait.pause() {
            break;
        }
    }
    let ready = sleep(all, &mut wait);
    if wait.slept() {
        all.iter().for_each(|one| one.leave());
    }
    match ready? {
        0 => Err(wait.refusal(NONE_READY)),
        ready => Ok(ready),
    }
}

/// Which of them are ready.
fn look(all: &[&dyn Waitable]) -> Result<u64> {
    let mut ready = 0;
    for (at, one) in all.iter().enumerate() {
        ready |= u64::from(one.is_ready()?) << at;
    }
    Ok(ready)
}

fn sleep(all: &[&dyn Waitable], wait: &mut Wait<'_>) -> Result<u64> {
    let mut bed = Bed::new();
    loop {
        if wait.is_over() {
            return look(all);
        }
        bed.make();
        if !prepare(all, &mut bed)? {
            wait.sleep_in(&mut bed)?;
            continue;
        }
        let ready = look(all)?;
        if ready != 0 {
            return Ok(ready);
        }
        // Somebody has taken it meanwhile.
    }
}

/// Prepares for a sleep on all of them; true if one is ready instead.
fn prepare<'a>(all: &[&'a dyn Waitable], bed: &mut Bed<'a>) -> Result<bool> {
    for one in all {
        if one.prepare(bed)? {
            return Ok(true);
        }
    }
    Ok(false)
}
