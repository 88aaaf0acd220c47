//! A barrier: nobody passes before all have arrived, and if one of them dies inside, none of
//! that generation passes.
//!
//! # In memory
//!
//! ```text
//!  ctl      bits 63..32 generation, 31..17 needed, 15..1 arrived, bit 0 BROKEN
//!  bell     always 0: all who wait sleep on it, and the hooks of all who do something point
//!           here
//!  slept    one more than the last generation in which somebody went to sleep
//!  told     who slept in generations before this one has been woken
//!  culprit  bits 63..32 a generation, 31..0 who died in it (0: nobody, somebody gave up)
//!  parties  how many it was made for; `needed` is less where some have dropped out
//!  high     see `node`
//!
//!  inside   node of who has arrived: its ticket is the generation, and these flags
//!    INSIDE    waits for the others
//!    OUTSIDE   its generation was broken by a reset
//!    HOLDING   arrived last, and lets the others wait until it has done something
//!    DROPPING  is no party any more when that is done
//! ```
//!
//! `arrived == needed` is the state in which the last one holds.
//!
//! # Invariants
//!
//! - **B1** Who arrives has said INSIDE in its node, with the generation, before it is counted.
//! - **B2** Who arrives last looks for dead ones INSIDE its generation before it opens the
//!   barrier, which it does by an exchange of the very `ctl` that it has seen before.
//! - **B3** All of a generation leave alike: released if it was followed by an exchange of
//!   `ctl` without BROKEN, else broken. A reset writes that into their nodes before it begins
//!   the next generation.
//! - **B4** Who may have taken a wake-up that was meant for all wakes all, and so does the
//!   next one to arrive if nobody is known to have done it. Who may have taken one that was
//!   meant for a later generation (B5) wakes one of that.
//! - **B5** Who is INSIDE, and in no call, has woken a sleeper after its hook left the bell, so
//!   that this one watches it.
//! - **B6** A sleeper is queued on the bell before `ctl` is compared, and watches all who are
//!   INSIDE.
//!
//! # Edges
//!
//! | edge    | release                  | acquire                   | what it carries          |
//! |---------|--------------------------|---------------------------|--------------------------|
//! | ARRIVED | the exchange that counts | the exchange that opens   | what the parties did     |
//! | PASSED  | the exchange that opens  | `look` loads `ctl`        | the same, to all         |
//!
//! `slept` and then the kernel's look at `ctl`, against an exchange of `ctl` and then a load of
//! `slept`: SeqCst, so that one of the two sees the other.
//!
//! # If a process dies
//!
//! - inside, at any point, also while it holds: whoever looks finds its node, and breaks the
//!   barrier. Its liveness word or its hook wakes somebody to look. Before it was counted it
//!   was not there, though others may find it and break the barrier all the same;
//! - after it opened or broke the barrier and before it woke the others: its hook wakes one,
//!   and that one wakes all (B4);
//! - in a reset: the barrier stays broken, until somebody resets it;
//! - somebody who has not arrived: nobody can know. The others wait until their time is over.
//!
//! `models/barrier.pml` checks this with a death before every access.

use crate::error::{Error, Result, Status, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU32, AtomicU64, HookableWord,
    Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
};
use crate::platform::futex;

shared! {
    /// A barrier in shared memory.
    pub(crate) struct BarrierBody: 64 {
        pub(super) ctl: AtomicU64,
        pub(super) bell: HookableWord,
        told: AtomicU32,
        culprit: AtomicU64,
        slept: AtomicU32,
        pub(super) high: AtomicU32,
        parties: AtomicU32,
        reserved: [u32; 7],
    }
}

/// The most parties that a barrier can have.
pub(crate) const MOST_PARTIES: u32 = (1 << 15) - 1;

pub(super) const BROKEN: u64 = 1;

/// `ctl`, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) generation: u32,
    pub(super) needed: u32,
    pub(super) arrived: u32,
    pub(super) is_broken: bool,
}

impl State {
    pub(super) fn of(ctl: u64) -> Self {
        Self {
            generation: (ctl >> 32) as u32,
            needed: (ctl >> 17) as u32 & MOST_PARTIES,
            arrived: (ctl >> 1) as u32 & MOST_PARTIES,
            is_broken: ctl & BROKEN != 0,
        }
    }

    pub(super) fn to_ctl(self) -> u64 {
        u64::from(self.generation) << 32
            | u64::from(self.needed) << 17
            | u64::from(self.arrived) << 1
            | u64::from(self.is_broken)
    }

    /// The beginning of the next generation, with fewer parties.
    pub(super) fn next(self, dropped: u32) -> Self {
        Self {
            generation: self.generation.wrapping_add(1),
            needed: self.needed.saturating_sub(dropped), // shared memory may say anything
            arrived: 0,
            is_broken: false,
        }
    }
}

/// An arrival that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// How many came before it in its generation.
    pub index: u32,
    /// It was the last one.
    pub last: bool,
}

/// What a barrier says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierInfo {
    /// How many have to arrive.
    pub parties: u32,
    /// How many have arrived and wait.
    pub waiting: u32,
    /// How often it has opened or been reset, modulo 2^32.
    pub generation: u32,
    /// It is broken: nobody passes until it is reset.
    pub broken: bool,
    /// Who died inside, if that broke it, as that one's own pid namespace calls it; 0 if
    /// somebody gave up.
    pub culprit_pid: u32,
}

impl BarrierBody {
    /// Makes a new one, which nobody else sees yet.
    pub(crate) fn begin(&self, parties: u32) {
        let state = State { generation: 0, needed: parties, arrived: 0, is_broken: false };
        // Relaxed: published with the object.
        self.ctl.store(state.to_ctl(), Relaxed);
        self.parties.store(parties, Relaxed);
    }

    /// How many parties it was made for.
    pub(crate) fn parties(&self) -> u32 {
        // Relaxed: constant once published.
        self.parties.load(Relaxed)
    }

    /// What it says of itself.
    pub(crate) fn info(&self) -> BarrierInfo {
        let State { generation, needed, arrived, is_broken } = State::of(self.ctl.load(Acquire));
        BarrierInfo {
            parties: needed,
            waiting: if is_broken { 0 } else { arrived },
            generation,
            broken: is_broken,
            culprit_pid: if is_broken { self.culprit_in(generation) } else { 0 },
        }
    }

    /// Wakes all who slept in generations before this one, unless that has been done.
    pub(super) fn wake_who_slept_before(&self, generation: u32) {
        // SeqCst: after the exchange of `ctl`.
        let slept = self.slept.load(SeqCst);
        let told = self.told.load(Acquire);
        if is_before(told, slept) && !is_before(generation, slept) {
            futex::wake_all(self.bell.as_futex());
            // Whoever comes later and finds less wakes once more.
            self.told.store(generation, Relaxed);
        }
    }

    /// Somebody goes to sleep in that generation.
    pub(super) fn announce_sleep(&self, generation: u32) {
        let next = generation.wrapping_add(1);
        // SeqCst: before the kernel compares `ctl`. It fails if it is there already.
        let raise = |now| is_before(now, next).then_some(next);
        let _ = self.slept.fetch_update(SeqCst, SeqCst, raise);
    }

    /// Generations begin again, so what is compared with them must not stay too far behind
    /// where nobody ever sleeps. After `wake_who_slept_before`.
    pub(crate) fn keep_up(&self, generation: u32) {
        let slept = self.slept.load(Relaxed);
        if generation & 0xffff == 0 && !is_before(generation, slept) {
            // Relaxed: nobody sleeps on either.
            let _ = self.slept.compare_exchange(slept, generation, Relaxed, Relaxed);
            self.told.store(generation, Relaxed);
        }
    }

    /// Whether the generation of a ticket is over.
    pub(crate) fn is_over(&self, ticket: u64) -> bool {
        let state = State::of(self.ctl.load(SeqCst));
        state.is_broken || u64::from(state.generation) != ticket
    }

    /// Who died in that generation, if it is known.
    fn culprit_in(&self, generation: u32) -> u32 {
        // Acquire: with BROKEN.
        let culprit = self.culprit.load(Acquire);
        if (culprit >> 32) as u32 == generation { culprit as u32 } else { 0 }
    }

    /// Writes down who broke that generation, before it does; a dead one counts more than
    /// somebody who gave up.
    pub(super) fn blame(&self, generation: u32, pid: u32) {
        let news = u64::from(generation) << 32 | u64::from(pid);
        let replace =
            |old: u64| ((old >> 32) as u32 != generation || old as u32 == 0).then_some(news);
        // AcqRel: before BROKEN. It fails if another one has been blamed already.
        let _ = self.culprit.fetch_update(AcqRel, Relaxed, replace);
    }

    #[cold]
    pub(super) fn broken(&self) -> Error {
        match self.info() {
            BarrierInfo { broken: true, culprit_pid: 1.., .. } => Error::with(
                Status::Broken,
                format!(
                    "the barrier is broken, for process {} died inside: reset it, and let all \
                     begin anew",
                    self.info().culprit_pid
                ),
            ),
            _ => GIVEN_UP,
        }
    }

    /// Checks the words against each other.
    pub(crate) fn verify(&self) -> Result<()> {
        let ctl = self.ctl.load(Acquire);
        let state = State::of(ctl);
        let is_sound = self.bell.as_futex().load(Relaxed) == 0
            && state.to_ctl() == ctl
            && state.arrived <= state.needed
            && state.needed <= self.parties()
            && self.parties() <= MOST_PARTIES;
        if is_sound { Ok(()) } else { Err(DAMAGED) }
    }
}

/// Whether generation `one` comes before `other`; they begin again after 2^32.
fn is_before(one: u32, other: u32) -> bool {
    (one.wrapping_sub(other) as i32) < 0
}

const GIVEN_UP: Error = Error::new(
    Status::Broken,
    "the barrier is broken, for somebody gave up or reset it: reset it, and let all begin anew",
);
const DAMAGED: Error = corrupted("a barrier counts what cannot be: the segment is damaged");
