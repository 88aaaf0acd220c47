//! A role that one process has at a time: to be the producer of a lane, or its consumer.
//!
//! The word names the member that has it (`MemberId::to_word`), 0 for nobody. It is taken from
//! nobody or from the dead by one exchange, so it is never without a way to be had again.
//!
//! Killed with it: the next one who wants it takes it over. What the dead one had published
//! stands, and nothing else of it does.

use super::holders::id_in;
use crate::error::{Error, Result, Status};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use crate::roster::attachment::Attachment;
use crate::roster::member;

/// Takes the role for the process that is the member `mine`.
///
/// # Errors
/// `NotOwner` if a living process has it, and be it this one; `Corrupted`, `System`.
pub(crate) fn take(role: &AtomicU64, attachment: &Attachment, mine: u64, noun: &str) -> Result<()> {
    // Acquire, ROLE, here and below: the former one's counters.
    let mut seen = role.load(Acquire);
    loop {
        if seen != 0 && is_held(attachment, seen)? {
            return Err(refusal(attachment, seen, mine, noun));
        }
        match role.compare_exchange(seen, mine, AcqRel, Acquire) {
            Ok(_) => return Ok(()),
            Err(now) => seen = now,
        }
    }
}

/// Gives up the role, if that member has it.
pub(crate) fn leave(role: &AtomicU64, mine: u64) {
    // Release, ROLE.
    let _ = role.compare_exchange(mine, 0, Release, Relaxed);
}

/// Whether somebody has it who lives.
///
/// # Errors
/// `Corrupted`, `System`.
pub(crate) fn is_taken(role: &AtomicU64, attachment: &Attachment) -> Result<bool> {
    match role.load(Acquire) {
        0 => Ok(false),
        seen => is_held(attachment, seen),
    }
}

fn is_held(attachment: &Attachment, word: u64) -> Result<bool> {
    Ok(!member::is_gone(attachment, id_in(word)?)?)
}

#[cold]
fn refusal(attachment: &Attachment, word: u64, mine: u64, noun: &str) -> Error {
    let text = if word == mine {
        format!("another handle of this process is the {noun}: use that one, or close it")
    } else {
        // Relaxed: for people.
        let pid = id_in(word)
            .and_then(|id| attachment.member(id.index))
            .map_or(0, |record| record.pid.load(Relaxed));
        format!("process {pid} is the {noun}, and lives: there is one at a time")
    };
    Error::with(Status::NotOwner, text)
}
