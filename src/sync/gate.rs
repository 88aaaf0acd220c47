//! The word that events and latches have in common: open or shut, and who waits.
//!
//! # The word
//!
//! ```text
//!  bit 63         LISTENED  somebody listens with a descriptor (`bell`)
//!  bits 62..32    of an event how often it was set, of a latch what it still waits for
//!  bit 31         OPEN      who comes passes
//!  bit 30         WAITERS   somebody may be asleep
//!  bits 29..0     zero in every state, so that the hook may point here
//! ```
//!
//! # Invariants
//!
//! - **G1** Who goes to sleep has set WAITERS, with its hook on the word, and sleeps only
//!   while the gate is shut.
//! - **G2** WAITERS goes only by an exchange of the very word for which everybody was woken.
//! - **G3** Who slept, passes and sees WAITERS wakes everybody before it takes its hook off.
//!
//! # Edges
//!
//! | edge      | release                 | acquire               | what it carries         |
//! |-----------|-------------------------|-----------------------|-------------------------|
//! | SIGNALLED | whoever opens it, or    | `wait` or a look      | what was written before |
//! |           | counts down             | finds it open         |                         |
//!
//! # If a process dies
//!
//! - opening it, before the exchange: nothing has happened;
//! - between that and the wake of all: its hook is on the word, the kernel wakes one
//!   sleeper, and that one wakes all (G3). If somebody listens, its bell is in the hand, and the
//!   kernel rings (`bell`);
//! - after the wake of all: WAITERS may stay. It costs a wake that finds nobody;
//! - woken, before it has woken the others: its hook is on the word, the next one does it;
//! - shutting it: it wakes everybody before the exchange (of an open gate with WAITERS),
//!   for whoever opened it may have been killed, and those that it left asleep could not be
//!   told from those who come later.
//!
//! `models/gate.pml` checks this with three waiters and two deaths: no slice is needed.

use super::bed::Bed;
use super::bell::{Bell, LISTENED};
use super::lending::lend_hook;
use super::wait::Wait;
use crate::error::{Result, corrupted};
use crate::platform::atomic::{
    HookableWord64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use crate::platform::futex;
use crate::platform::robust::RobustList;
use crate::roster::attachment::Attachment;
use crate::roster::thread::Thread;

/// Who comes passes.
pub(super) const OPEN: u64 = 1 << 31;
pub(super) const WAITERS: u64 = 1 << 30;
/// One in the number.
pub(super) const ONE: u64 = 1 << 32;

/// The number in a word, of 31 bits.
pub(super) fn number_in(word: u64) -> u32 {
    ((word & !LISTENED) >> 32) as u32
}

/// Changes the word to what `next` says, and wakes everybody if the gate is open then.
pub(super) fn change(
    word: &HookableWord64,
    thread: Option<&Thread>,
    bell: Bell<'_>,
    next: impl Fn(u64) -> Result<u64>,
) -> Result<()> {
    let mut pull = bell.pull();
    let mut seen = word.load(Relaxed);
    let mut lent = None;
    loop {
        check(seen)?;
        let mut new = next(seen)?;
        if new & OPEN != 0 {
            new &= !LISTENED;
        }
        let wakes = new & OPEN != 0 && new & WAITERS != 0;
        if wakes && lent.is_none() {
            lent = Some(lend_hook(thread, word.low())?);
        }
        if wakes && seen & LISTENED != 0 && !pull.holds()? {
            seen = word.load(Acquire); // LISTENING
            continue;
        }
        // Release, SIGNALLED. Acquire: what those wrote who counted down before is
        // handed on; and failing, LISTENING.
        match word.compare_exchange(seen, new, AcqRel, Acquire) {
            Ok(_) if wakes => {
                wake_all(word);
                // Relaxed: a flag publishes nothing. It fails if the word was changed (G2).
                let _ = word.compare_exchange(new, new & !WAITERS, Relaxed, Relaxed);
                return Ok(());
            }
            Ok(_) => return Ok(()),
            Err(now) => seen = now,
        }
    }
}

/// Shuts the gate. Nobody sleeps on an open one, so nobody is lost.
///
/// # Errors
/// `Corrupted`.
pub(super) fn shut(word: &HookableWord64) -> Result<()> {
    loop {
        let seen = word.load(Relaxed);
        check(seen)?;
        if seen & OPEN == 0 {
            return Ok(());
        }
        if seen & WAITERS != 0 {
            wake_all(word);
        }
        // Release: what was written before it belongs to the next opening, at the latest.
        if word.compare_exchange(seen, seen & !(OPEN | WAITERS), Release, Relaxed).is_ok() {
            return Ok(());
        }
    }
}

/// Waits until `passes` says so of the word, and says whether it does.
///
/// # Errors
/// `Corrupted`.
pub(super) fn wait(
    word: &HookableWord64,
    attachment: &Attachment,
    hook: RobustList,
    wait: &mut Wait<'_>,
    passes: impl Fn(u64) -> bool,
) -> Result<bool> {
    loop {
        // Acquire, SIGNALLED, here and below.
        if passes(word.load(Acquire)) {
            return Ok(true);
        }
        if wait.is_over() {
            return Ok(false);
        }
        if !wait.pause() {
            break;
        }
    }
    hook.arm(word.low());
    let passed = sleep(word, attachment, wait, passes);
    hook.disarm();
    passed
}

fn sleep(
    word: &HookableWord64,
    attachment: &Attachment,
    wait: &mut Wait<'_>,
    passes: impl Fn(u64) -> bool,
) -> Result<bool> {
    loop {
        let seen = word.load(Acquire);
        check(seen)?;
        if passes(seen) {
            if wait.slept() {
                pass_on(word, seen);
            }
            return Ok(true);
        }
        if wait.is_over() {
            return Ok(false);
        }
        let marked = seen | WAITERS;
        // Relaxed: a flag publishes nothing.
        if marked == seen || word.compare_exchange(seen, marked, Relaxed, Relaxed).is_ok() {
            wait.sleep(attachment, &word.watches(marked), &[])?;
        }
    }
}

/// Marks it for who is about to sleep for any of several objects; true if it passes instead.
pub(super) fn prepare<'a>(
    word: &'a HookableWord64,
    bed: &mut Bed<'a>,
    passes: impl Fn(u64) -> bool,
) -> Result<bool> {
    loop {
        // Acquire, SIGNALLED.
        let seen = word.load(Acquire);
        check(seen)?;
        if passes(seen) {
            return Ok(true);
        }
        let marked = seen | WAITERS;
        // Relaxed: a flag publishes nothing.
        if marked == seen || word.compare_exchange(seen, marked, Relaxed, Relaxed).is_ok() {
            let [low, high] = word.watches(marked);
            bed.add(low);
            bed.compare(high);
            return Ok(false);
        }
    }
}

/// Who has slept so goes away.
pub(super) fn leave(word: &HookableWord64, passes: impl Fn(u64) -> bool) {
    let seen = word.load(Relaxed);
    if passes(seen) {
        pass_on(word, seen);
    }
}

/// G3.
fn pass_on(word: &HookableWord64, seen: u64) {
    if seen & WAITERS != 0 {
        wake_all(word);
    }
}

/// Somebody is about to listen: says so, unless the gate is open.
///
/// # Errors
/// `Corrupted`.
pub(super) fn listen(word: &HookableWord64) -> Result<bool> {
    loop {
        // Acquire, SIGNALLED: who finds it open goes on.
        let seen = word.load(Acquire);
        check(seen)?;
        if seen & OPEN != 0 {
            return Ok(false);
        }
        let marked = seen | WAITERS | LISTENED; // B1
        // Release, LISTENING.
        if marked == seen || word.compare_exchange(seen, marked, Release, Relaxed).is_ok() {
            return Ok(true);
        }
    }
}

/// Nobody listens any more.
pub(super) fn forget_listeners(word: &HookableWord64) {
    // Relaxed: a flag publishes nothing.
    word.fetch_and(!LISTENED, Relaxed);
}

fn wake_all(word: &HookableWord64) {
    futex::wake_all(word.low().as_futex());
}

/// Refuses a word that is none of a gate: it is shared memory.
pub(super) fn check(word: u64) -> Result<()> {
    let is_listened_to_well = word & LISTENED == 0 || word & (OPEN | WAITERS) == WAITERS; // B1
    if word as u32 & !((OPEN | WAITERS) as u32) == 0 && is_listened_to_well {
        return Ok(());
    }
    Err(corrupted("the word of an event or latch is no state of one: the segment is damaged"))
}
