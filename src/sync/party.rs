//! One thread at a barrier: it arrives, waits, looks for the dead, breaks what they left.
//!
//! What the words mean, and what a death at any point leads to, is told in `barrier`.

use super::actor::Actor;
use super::barrier::{Arrival, BROKEN, BarrierBody, State};
use super::node::{self, Identity, Own, Seen};
use super::owner::identify;
use super::wait::Wait;
use crate::error::{Error, Result, Status, invalid};
use crate::platform::atomic::Ordering::{Relaxed, SeqCst};
use crate::platform::futex;
use crate::roster::record::{ParticipantRecord, WaitNode};

const INSIDE: u64 = 1;
const OUTSIDE: u64 = 2;
const HOLDING: u64 = 4;
const DROPPING: u64 = 8;

/// How somebody arrives.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner {
    /// If it is the last one, the others wait until it releases them.
    pub(crate) hold: bool,
    /// It is no party from the next generation on.
    pub(crate) drop: bool,
}

/// How a wait at a barrier ends.
enum End {
    Released,
    Broken,
    Over,
}

/// The calling thread at a barrier.
pub(crate) struct Party<'a> {
    body: &'a BarrierBody,
    actor: Actor,
    which: Identity,
    record: &'static ParticipantRecord,
}

impl<'a> Party<'a> {
    /// `which` is the object that `body` is the body of.
    pub(crate) fn new(body: &'a BarrierBody, actor: Actor, which: Identity) -> Result<Self> {
        let record = actor.attachment.participant(actor.slot())?;
        Ok(Self { body, actor, which, record })
    }

    /// Whether the thread has arrived at another barrier.
    pub(crate) fn is_elsewhere(&self) -> bool {
        node::use_of(&self.record.inside).is_some_and(|which| which != self.which)
    }

    /// Arrives, and does not wait.
    ///
    /// # Errors
    /// `Broken`; `Full` while somebody holds; `Deadlock` if the thread is inside; `InvalidArgument`
    /// if all parties have dropped out.
    pub(crate) fn arrive(&self, manner: Manner) -> Result<Arrival> {
        self.with_hook(|own| {
            let arrival = self.come_in(own, manner)?;
            // Who was first finds nobody, and who has opened the barrier is not inside any more.
            let is_inside = own.flags() != 0 && (manner.hold || !arrival.last);
            if is_inside && arrival.index > 0 {
                self.wake_one(); // B5
            }
            Ok(arrival)
        })
    }

    /// Arrives, and waits for the others.
    ///
    /// # Errors
    /// As for `arrive`; `TimedOut`: it has broken the barrier; `Interrupted`: still inside.
    pub(crate) fn arrive_and_wait(&self, wait: &mut Wait<'_>) -> Result<u32> {
        self.with_hook(|own| {
            let arrival = self.come_in(own, Manner::default())?;
            if arrival.last {
                own.end();
                return Ok(arrival.index);
            }
            loop {
                match self.stay(own, wait) {
                    Err(error) if error.status() == Status::TimedOut => {
                        if self.break_it(own.ticket() as u32, 0) {
                            own.end();
                            return Err(error);
                        }
                    }
                    outcome => return outcome.map(|()| arrival.index),
                }
            }
        })
    }

    /// Waits for the others after `arrive`.
    ///
    /// # Errors
    /// `Broken`; `TimedOut`, `Interrupted`: still inside; `NotOwner` if it has not arrived;
    /// `Deadlock` if it holds.
    pub(crate) fn wait(&self, wait: &mut Wait<'_>) -> Result<()> {
        let flags = self.check_inside()?.flags();
        if flags & HOLDING != 0 {
            return Err(HOLDS);
        }
        self.with_hook(|own| self.stay(own, wait))
    }

    /// Opens the barrier that the thread holds.
    ///
    /// # Errors
    /// `Broken` if that happened meanwhile; `NotOwner` if it does not hold.
    pub(crate) fn release(&self) -> Result<()> {
        if self.check_inside()?.flags() & HOLDING == 0 {
            return Err(HOLDS_NOT);
        }
        self.with_hook(|own| {
            let drops = own.flags() & DROPPING != 0;
            let ctl = self.body.ctl.load(SeqCst);
            let state = State::of(ctl);
            let is_ours = state.generation == own.ticket() as u32 && !state.is_broken;
            // While it is held, nothing else can happen to it than that it breaks.
            let opened = is_ours && self.open(ctl, state.next(drops.into()));
            if drops {
                own.end();
            } else {
                own.clear(HOLDING);
            }
            if opened { Ok(()) } else { Err(self.body.broken()) }
        })
    }

    /// Breaks the generation that the thread is inside of, or the present one if it is inside
    /// of none.
    pub(crate) fn abort(&self) -> Result<()> {
        self.with_hook(|own| {
            let ours = own.identity().filter(|which| *which == self.which);
            let ours = ours.map(|_| own.ticket() as u32);
            loop {
                let now = State::of(self.body.ctl.load(SeqCst)).generation;
                if ours.is_some_and(|ours| ours != now) || self.break_it(now, 0) {
                    return Ok(());
                }
            }
        })
    }

    /// Breaks it if anybody is inside, and begins anew.
    pub(crate) fn reset(&self) -> Result<()> {
        self.with_hook(|_| {
            let broken = loop {
                let state = State::of(self.body.ctl.load(SeqCst));
                if state.is_broken {
                    break state;
                }
                // Who died before it was counted would break the next generation of all.
                if state.arrived == 0 && self.scan_inside(state.generation, |_| {})?.is_none() {
                    return Ok(());
                }
                self.break_it(state.generation, 0);
            };
            // B3.
            self.scan(broken.generation, |party| {
                party.update(|flags| (flags & INSIDE != 0).then_some(flags ^ (INSIDE | OUTSIDE)));
                Ok(())
            })?;
            // Who broke it may have been killed; while it is broken nobody goes to sleep.
            self.wake_all();
            let _ = self.exchange(broken.to_ctl(), broken.next(0).to_ctl());
            self.wake_all();
            Ok(())
        })
    }

    /// Breaks the barrier if a former owner of the thread's slot died inside.
    pub(crate) fn settle(&self) -> Result<()> {
        let hook = self.actor.thread().hook();
        hook.arm(&self.body.bell);
        let generation = self.record.inside.ticket.load(Relaxed) as u32;
        while State::of(self.body.ctl.load(SeqCst)).generation == generation {
            if self.break_it(generation, 0) {
                break;
            }
        }
        self.wake_all();
        hook.disarm();
        Ok(())
    }

    fn with_hook<T>(&self, action: impl FnOnce(Own) -> Result<T>) -> Result<T> {
        let hook = self.actor.thread().hook();
        hook.arm(&self.body.bell);
        let outcome = action(self.own());
        hook.disarm();
        outcome
    }

    /// Says INSIDE, and is counted. The hook is on the bell.
    fn come_in(&self, own: Own, manner: Manner) -> Result<Arrival> {
        self.leave_what_is_over(own)?;
        node::raise(&self.body.high, self.actor.slot());
        loop {
            let ctl = self.body.ctl.load(SeqCst);
            let state = State::of(ctl);
            self.check_open(state)?;
            // Who ended the last generation may have been killed: its hook must not be spent
            // on us, who sleep for another one.
            self.body.wake_who_slept_before(state.generation);
            let arrival = Arrival { index: state.arrived, last: state.arrived + 1 == state.needed };
            let holds = manner.hold && arrival.last;
            // B1. Who only drops out does not come in.
            if !manner.drop || holds {
                let extra =
                    if holds { HOLDING } else { 0 } | if manner.drop { DROPPING } else { 0 };
                own.post(self.which, state.generation.into(), INSIDE | extra);
            }
            if arrival.last && self.breaks_on_the_dead(ctl)? {
                own.end();
                return Err(self.body.broken());
            }
            let counted = State { arrived: state.arrived + 1, ..state };
            let dropped = State { needed: state.needed - 1, ..state };
            let done = match (arrival.last, manner.drop) {
                (true, _) if holds => self.exchange(ctl, counted.to_ctl()),
                (true, drops) => self.open(ctl, state.next(drops.into())),
                (false, true) => self.exchange(ctl, dropped.to_ctl()),
                (false, false) => self.exchange(ctl, counted.to_ctl()),
            };
            if done {
                return Ok(arrival);
            }
            own.end();
        }
    }

    /// Leaves a generation that is over, and whose end the thread did not wait for.
    fn leave_what_is_over(&self, own: Own) -> Result<()> {
        match own.identity() {
            None => return Ok(()),
            Some(which) if which != self.which => return Err(INSIDE_ELSEWHERE),
            Some(_) => {}
        }
        if !self.body.is_over(own.ticket()) {
            return Err(INSIDE_ALREADY);
        }
        own.end();
        Ok(())
    }

    fn check_open(&self, state: State) -> Result<()> {
        if state.is_broken {
            return Err(self.body.broken());
        }
        match state.arrived.cmp(&state.needed) {
            core::cmp::Ordering::Less => Ok(()),
            _ if state.needed == 0 => Err(NOBODY_LEFT),
            _ => Err(HELD),
        }
    }

    fn check_inside(&self) -> Result<Own> {
        let own = self.own();
        if own.identity() == Some(self.which) { Ok(own) } else { Err(NOT_INSIDE) }
    }

    /// Waits until the generation is over and leaves, or until the time is over and stays.
    fn stay(&self, own: Own, wait: &mut Wait<'_>) -> Result<()> {
        let end = self.look(own, wait)?;
        if let End::Over = end {
            if wait.slept() {
                self.wake_one(); // B5
            }
            return Err(wait.refusal(NOT_ALL));
        }
        if wait.slept() {
            // B4. A later generation may have been meant, or be broken.
            let state = State::of(self.body.ctl.load(SeqCst));
            if state.is_broken || matches!(end, End::Broken) {
                self.wake_all();
            } else {
                self.body.wake_who_slept_before(state.generation);
                if state.arrived > 0 {
                    self.wake_one(); // somebody of that generation has to watch the others, B5
                }
            }
        }
        let was_broken = matches!(end, End::Broken).then(|| self.body.broken());
        own.end();
        was_broken.map_or(Ok(()), Err)
    }

    fn look(&self, own: Own, wait: &mut Wait<'_>) -> Result<End> {
        let generation = own.ticket() as u32;
        loop {
            // Acquire, PASSED.
            let ctl = self.body.ctl.load(SeqCst);
            let state = State::of(ctl);
            if state.generation != generation {
                let is_outside = own.flags() & OUTSIDE != 0;
                return Ok(if is_outside { End::Broken } else { End::Released });
            }
            if state.is_broken {
                return Ok(End::Broken);
            }
            if wait.pause() {
                continue;
            }
            let mut living = Vec::new();
            let fallen = self.scan_inside(generation, |party| living.push(party.name()))?;
            if let Some(dead) = fallen {
                if self.break_for(ctl, dead)? {
                    return Ok(End::Broken);
                }
                continue;
            }
            if wait.is_over() {
                return Ok(End::Over);
            }
            self.body.announce_sleep(generation);
            // B6.
            let bell = node::watch_bell(&self.body.bell)?;
            let [low, high] = futex::watches(&self.body.ctl, ctl);
            wait.sleep(self.actor.attachment, &[bell, low, high], &living)?;
        }
    }

    /// Breaks the barrier if somebody dead is inside of the generation in `ctl` (B2).
    fn breaks_on_the_dead(&self, ctl: u64) -> Result<bool> {
        match self.scan_inside(State::of(ctl).generation, |_| {})? {
            // If the exchange fails, the caller arrives anew: it is not counted.
            Some(dead) => self.break_for(ctl, dead),
            None => Ok(false),
        }
    }

    fn break_for(&self, ctl: u64, dead: u64) -> Result<bool> {
        let pid = identify(self.actor.attachment, dead)?.pid;
        Ok(self.break_from(ctl, pid))
    }

    /// Breaks that generation; false if somebody has changed something meanwhile.
    fn break_it(&self, generation: u32, pid: u32) -> bool {
        let ctl = self.body.ctl.load(SeqCst);
        let state = State::of(ctl);
        state.generation == generation && (state.is_broken || self.break_from(ctl, pid))
    }

    fn break_from(&self, ctl: u64, pid: u32) -> bool {
        self.body.blame(State::of(ctl).generation, pid);
        let broken = self.exchange(ctl, ctl | BROKEN);
        if broken {
            self.wake_all();
        }
        broken
    }

    /// Begins the next generation, if `ctl` is still the same.
    fn open(&self, ctl: u64, next: State) -> bool {
        let opened = self.exchange(ctl, next.to_ctl());
        if opened {
            self.body.wake_who_slept_before(next.generation);
            self.body.keep_up(next.generation);
        }
        opened
    }

    fn exchange(&self, from: u64, to: u64) -> bool {
        // SeqCst; ARRIVED and PASSED.
        self.body.ctl.compare_exchange(from, to, SeqCst, Relaxed).is_ok()
    }

    fn wake_all(&self) {
        futex::wake_all(self.body.bell.as_futex());
    }

    fn wake_one(&self) {
        futex::wake(self.body.bell.as_futex(), 1);
    }

    fn own(&self) -> Own {
        // Relaxed: our own record.
        Own::new(&self.record.inside, self.record.generation.load(Relaxed))
    }

    /// Shows the living who are inside of that generation, but for the thread itself; the
    /// name of a dead one, if there is one.
    fn scan_inside(&self, generation: u32, mut see: impl FnMut(&Seen<'_>)) -> Result<Option<u64>> {
        let mut dead = None;
        self.scan(generation, |party| {
            if party.flags() & INSIDE == 0 || party.slot == self.actor.slot() {
                return Ok(());
            }
            if party.is_alive {
                see(&party);
            } else {
                dead = Some(party.name());
            }
            Ok(())
        })?;
        Ok(dead)
    }

    fn scan(&self, generation: u32, mut see: impl FnMut(Seen<'_>) -> Result<()>) -> Result<()> {
        let attachment = self.actor.attachment;
        for slot in node::slots(attachment, &self.body.high) {
            let words: &WaitNode = &attachment.participant(slot)?.inside;
            if let Some(party) = node::read(attachment, slot, words, self.which)?
                && party.ticket == u64::from(generation)
            {
                see(party)?;
            }
        }
        Ok(())
    }
}

/// Ends the use of the thread's own node if its generation is over.
pub(crate) fn leave_if_over(body: &BarrierBody, words: &WaitNode) {
    // Relaxed: its own.
    if body.is_over(words.ticket.load(Relaxed)) {
        node::end_use(words);
    }
}

const NOT_ALL: Error =
    Error::new(Status::TimedOut, "not all had arrived at the barrier when the time was over");
const HELD: Error = Error::new(
    Status::Full,
    "all have arrived at the barrier, and the last one has not released them yet: arrive later",
);
const NOBODY_LEFT: Error =
    invalid("all parties of the barrier have dropped out: nobody is left to arrive");
const INSIDE_ALREADY: Error =
    Error::new(Status::Deadlock, "this thread has arrived at the barrier already: wait there");
const INSIDE_ELSEWHERE: Error = Error::new(
    Status::Deadlock,
    "this thread has arrived at another barrier of this segment: wait there first",
);
const NOT_INSIDE: Error = Error::new(
    Status::NotOwner,
    "this thread has not arrived at the barrier: arrive first; a forked child has not",
);
const HOLDS: Error =
    Error::new(Status::Deadlock, "this thread lets the others wait: release them first");
const HOLDS_NOT: Error =
    Error::new(Status::NotOwner, "this thread does not let the others wait: it came not last");
