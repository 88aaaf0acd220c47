//! A condition variable: whoever is notified is the one that has waited longest and lives.
//!
//! There is no list of waiters and no lock. Each waiter has a node in its own record, with a
//! ticket. A notification is not handed to anybody: it is a grant, and the rule says who may
//! use it.
//!
//! **The rule.** Of the living who wait with a ticket below `limit`, the `grants` oldest may
//! go. Going is one exchange of `ctl`, to one grant less. The dead do not count, so what they
//! were granted is the next one's by itself, and all that is left to do is to tell.
//!
//! # In memory
//!
//! ```text
//!  seq       the next ticket; notifications take one, too
//!  ctl       bits 63..16 limit, bits 15..0 grants
//!  bell      always 0: all who wait sleep on it, and the hooks of all who do something
//!            point here
//!  high      see `node`
//!
//!  waiting   node of a waiter: its ticket, and these flags
//!    WAITING   it may be notified
//!    CALLED    a hint: look whether you may go
//!    READY     its hook is on the bell
//!    LEAVING   it has stopped waiting, and tells the next ones
//!    ASLEEP    a hint needs a wake-up, too
//!  notifying node of who notifies: flag NOTIFYING
//! ```
//!
//! # Invariants
//!
//! - **C1** A ticket is drawn before its node says WAITING, and no two are the same. No two
//!   values of `ctl` with grants have the same limit but by going.
//! - **C2** Whoever may go, and does not know, is called before the one who made it so takes
//!   its hook off the bell; or that one has died, and its trace is in its record.
//! - **C3** Whoever finds such a trace calls those who may go by the `ctl` of a later load,
//!   also those who were called already, and only then removes it.
//! - **C4** Who may go and is not READY is watched by somebody who sleeps on the bell, if
//!   anybody does.
//! - **C5** A sleeper is queued on the bell before `ctl` and its own state are compared.
//!
//! # Edges
//!
//! | edge    | release                   | acquire                       | what it carries      |
//! |---------|---------------------------|-------------------------------|----------------------|
//! | POSTED  | the node says WAITING     | who notifies looks at it      | its ticket           |
//! | GRANTED | the exchange of `ctl`     | who goes exchanges it         | what the notifier did |
//!
//! LEAVING (or READY taken away) and then a load of `ctl`, against an exchange of `ctl` and
//! then a load of the states: all four are SeqCst, so that one of the two sees the other.
//!
//! # If a process dies
//!
//! - waiting, at any point: it does not count. If it was the one that may go, the next one
//!   is: its hook wakes a sleeper of the bell (or its liveness word does, C4), who finds its
//!   trace (C3);
//! - after it has used its grant: the grant is used, and its trace tells the rest;
//! - notifying, before the exchange of `ctl`: it has notified nobody. After it: the grants
//!   count, its hook wakes a sleeper, and that one calls those who may go (C3);
//! - between preparing a wait and going to sleep, or in a signal handler that has lent its
//!   hook: that is elsewhere. Who notified it woke a sleeper to watch it (C4);
//! - in such a handler while it notifies or leaves: whoever looks meanwhile watches it, too;
//! - after it found a trace: its own is another one.
//!
//! `models/condvar.pml` checks this with a death before every access.

use super::actor::Actor;
use super::node::{self, Identity, Own, Seen};
use super::wait::Wait;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU32, AtomicU64, HookableWord,
    Ordering::{Relaxed, SeqCst},
};
use crate::platform::futex;
use crate::roster::attachment::Attachment;
use crate::roster::record::{ParticipantRecord, WaitNode};

shared! {
    /// A condition variable in shared memory. All zero is a new one.
    pub(crate) struct CondvarBody: 64 {
        seq: AtomicU64,
        ctl: AtomicU64,
        bell: HookableWord,
        high: AtomicU32,
        reserved: [u64; 5],
    }
}

const WAITING: u64 = 1;
const CALLED: u64 = 2;
const READY: u64 = 4;
const LEAVING: u64 = 8;
const ASLEEP: u64 = 16;
/// The one flag of a node of somebody who notifies.
const NOTIFYING: u64 = 1;

/// How many may go, and below which ticket.
#[derive(Clone, Copy)]
struct Grants {
    count: u64,
    limit: u64,
}

impl Grants {
    const COUNT_BITS: u32 = 16;

    fn of(ctl: u64) -> Self {
        Self { count: ctl & ((1 << Self::COUNT_BITS) - 1), limit: ctl >> Self::COUNT_BITS }
    }

    fn to_ctl(self) -> u64 {
        self.limit << Self::COUNT_BITS | self.count
    }
}

/// Those who take part, as they looked a moment ago.
#[derive(Default)]
struct Crowd<'a> {
    /// Who wait and live.
    waiting: Vec<Seen<'a>>,
    /// Who live and notify or leave, by their names.
    busy: Vec<u64>,
    /// Traces of the dead.
    fallen: Vec<Seen<'a>>,
}

impl<'a> Crowd<'a> {
    /// Those who may go, oldest first.
    fn chosen(mut self, grants: Grants) -> Vec<Seen<'a>> {
        self.waiting.retain(|waiter| waiter.ticket < grants.limit);
        self.waiting.sort_unstable_by_key(|waiter| waiter.ticket);
        self.waiting.truncate(grants.count as usize);
        self.waiting
    }

    fn older_than(&self, ticket: u64) -> u64 {
        self.waiting.iter().filter(|waiter| waiter.ticket < ticket).count() as u64
    }
}

/// The calling thread at a condition variable.
pub(crate) struct Caller<'a> {
    body: &'a CondvarBody,
    actor: Actor,
    which: Identity,
    record: &'static ParticipantRecord,
}

impl<'a> Caller<'a> {
    /// `which` is the object that `body` is the body of.
    pub(crate) fn new(body: &'a CondvarBody, actor: Actor, which: Identity) -> Result<Self> {
        let record = actor.attachment.participant(actor.slot())?;
        Ok(Self { body, actor, which, record })
    }

    /// Whether the thread has prepared a wait, for this object or another one.
    pub(crate) fn has_prepared(&self) -> bool {
        node::use_of(&self.record.waiting).is_some()
    }

    /// Begins to wait: from here on a notification counts.
    ///
    /// # Errors
    /// `Deadlock` if the thread has prepared a wait already.
    pub(crate) fn prepare(&self) -> Result<()> {
        if self.has_prepared() {
            return Err(PREPARED_ALREADY);
        }
        let own = self.own(&self.record.waiting);
        node::raise(&self.body.high, self.actor.slot());
        // C1. Relaxed: the number is all; who notifies under the lock of the users comes
        // after it anyway.
        let ticket = self.body.seq.fetch_add(1, Relaxed);
        own.post(self.which, ticket, WAITING);
        Ok(())
    }

    /// Ends a wait that cannot go on. Nobody is told, as if the thread had died.
    pub(crate) fn give_up(&self) {
        self.own(&self.record.waiting).end();
    }

    /// Waits to be notified, and ends the wait.
    ///
    /// # Errors
    /// `TimedOut` and `Interrupted`: it was not; `NotOwner` if no wait is prepared.
    pub(crate) fn finish(&self, wait: &mut Wait<'_>) -> Result<()> {
        self.wait(wait, |own| self.leave(own).map(|()| true))
    }

    /// The same, but a wait that is not notified stays prepared.
    ///
    /// # Errors
    /// As for `finish`.
    pub(crate) fn finish_a_piece(&self, wait: &mut Wait<'_>) -> Result<()> {
        self.wait(wait, |own| self.step_back(own))
    }

    /// `give_up` is what to do when the time is over; false: it is not over yet.
    fn wait(&self, wait: &mut Wait<'_>, give_up: impl Fn(Own) -> Result<bool>) -> Result<()> {
        let own = self.own(&self.record.waiting);
        if own.identity() != Some(self.which) {
            return Err(NOT_PREPARED);
        }
        let hook = self.actor.thread().hook();
        hook.arm(&self.body.bell);
        self.actor.thread().on_bell.set(Some(own.word()));
        own.set(READY);
        let outcome = self.wait_ready(own, wait, give_up).inspect_err(|_| own.end());
        self.actor.thread().on_bell.set(None);
        hook.disarm();
        if outcome? { Ok(()) } else { Err(wait.refusal(NOT_NOTIFIED)) }
    }

    /// Says whether the thread was notified.
    fn wait_ready(
        &self,
        own: Own,
        wait: &mut Wait<'_>,
        give_up: impl Fn(Own) -> Result<bool>,
    ) -> Result<bool> {
        loop {
            if self.look(own, wait)? {
                return self.leave(own).map(|()| true);
            }
            if give_up(own)? {
                return Ok(false);
            }
        }
    }

    /// Looks and sleeps until the thread may go, or the time is over: false.
    fn look(&self, own: Own, wait: &mut Wait<'_>) -> Result<bool> {
        loop {
            if own.flags() & (CALLED | ASLEEP) != 0 {
                own.clear(CALLED | ASLEEP);
            }
            // SeqCst: after READY or CALLED of ours.
            let ctl = self.body.ctl.load(SeqCst);
            let grants = Grants::of(ctl);
            let mut crowd = Crowd::default();
            // Without grants there is nobody to tell, and no trace matters.
            if grants.count > 0 {
                crowd = self.scan()?;
                if !crowd.fallen.is_empty() {
                    self.recover(&crowd.fallen)?;
                    continue;
                }
                let ticket = own.ticket();
                if ticket < grants.limit && crowd.older_than(ticket) < grants.count {
                    // SeqCst, GRANTED.
                    if self.body.ctl.compare_exchange(ctl, ctl - 1, SeqCst, Relaxed).is_ok() {
                        return Ok(true);
                    }
                    continue;
                }
            }
            if wait.is_over() {
                return Ok(false);
            }
            let mut watched = core::mem::take(&mut crowd.busy);
            watched.extend(crowd.chosen(grants).iter().map(Seen::name));
            self.sleep(own, wait, ctl, &watched)?;
        }
    }

    /// Sleeps until somebody calls, or one of the living dies who may go or call.
    fn sleep(&self, own: Own, wait: &mut Wait<'_>, ctl: u64, living: &[u64]) -> Result<()> {
        let awake = loop {
            let state = own.state();
            if node::flags_in(state) & CALLED != 0 {
                return Ok(());
            }
            if !wait.pause_until(|| own.flags() & CALLED != 0) {
                break state;
            }
        };
        // Who calls from here on wakes us, too. It fails if somebody has just called.
        let Some(asleep) = own.exchange(awake, WAITING | READY | ASLEEP) else {
            return Ok(());
        };
        let [low, high] = futex::watches(&self.body.ctl, ctl);
        // C5.
        let words = [node::watch_bell(&self.body.bell)?, own.watch(asleep), low, high];
        wait.sleep(self.actor.attachment, &words, living)
    }

    /// Stops waiting. Somebody may have counted on us since our last look, and called us:
    /// who comes in our place learns it from us.
    fn leave(&self, own: Own) -> Result<()> {
        own.become_only(LEAVING);
        let left = self.tell(self.grants(), false);
        own.end();
        left
    }

    /// Goes on waiting without a hook on the bell; false if that cannot be, because there is
    /// something to do first.
    fn step_back(&self, own: Own) -> Result<bool> {
        own.clear(READY);
        let grants = self.grants();
        if grants.count == 0 {
            return Ok(true);
        }
        let crowd = self.scan()?;
        let found_a_trace = !crowd.fallen.is_empty();
        let chosen = crowd.chosen(grants);
        if found_a_trace || chosen.iter().any(|waiter| waiter.slot == self.actor.slot()) {
            own.set(READY);
            return Ok(false);
        }
        self.watch_the_distant(&chosen);
        Ok(true)
    }

    /// Notifies the `n` oldest who wait.
    pub(crate) fn notify(&self, n: u32) -> Result<()> {
        node::raise(&self.body.high, self.actor.slot());
        let own = self.own(&self.record.notifying);
        let hook = self.actor.thread().hook();
        own.post(self.which, 0, NOTIFYING);
        hook.arm(&self.body.bell);
        let granted = self.grant(n.into());
        let outcome = granted.and_then(|grants| grants.map_or(Ok(()), |all| self.tell(all, false)));
        own.end();
        hook.disarm();
        outcome
    }

    /// Adds up to `n` grants, and says which there are then; none if there is nobody to use
    /// them.
    fn grant(&self, n: u64) -> Result<Option<Grants>> {
        loop {
            let ctl = self.body.ctl.load(SeqCst);
            // A ticket of our own, so that no two notifications write the same (C1).
            let limit = self.body.seq.fetch_add(1, SeqCst);
            let crowd = self.scan()?;
            // Grants that nobody is left for are dropped, new ones are for who is there.
            let former = Grants::of(ctl);
            let used = former.count.min(crowd.older_than(former.limit));
            let count = (used + n).min(crowd.older_than(limit));
            if count <= used {
                return Ok(None);
            }
            let granted = Grants { count, limit };
            // SeqCst, GRANTED, and before the next scan.
            let new = granted.to_ctl();
            if self.body.ctl.compare_exchange(ctl, new, SeqCst, Relaxed).is_ok() {
                return Ok(Some(granted));
            }
        }
    }

    fn grants(&self) -> Grants {
        // SeqCst: after LEAVING, or after READY was taken away.
        Grants::of(self.body.ctl.load(SeqCst))
    }

    /// Calls those who may go by `grants`; `again`: also who was called already.
    fn tell(&self, grants: Grants, again: bool) -> Result<()> {
        if grants.count == 0 {
            return Ok(());
        }
        let chosen = self.scan()?.chosen(grants);
        for waiter in chosen.iter().filter(|waiter| waiter.slot != self.actor.slot()) {
            let may_call = |flags| flags & WAITING != 0 && (again || flags & CALLED == 0);
            let flags = waiter.update(|flags| may_call(flags).then_some(flags | CALLED));
            if flags.is_some_and(|flags| flags & ASLEEP != 0) {
                futex::wake(waiter.futex(), 1);
            }
        }
        self.watch_the_distant(&chosen);
        Ok(())
    }

    /// Wakes a sleeper to watch who may go and is not READY (C4).
    fn watch_the_distant(&self, chosen: &[Seen<'_>]) {
        if chosen.iter().any(|waiter| waiter.flags() & READY == 0) {
            futex::wake(self.body.bell.as_futex(), 1);
        }
    }

    /// Does what the dead may have wanted to do, and removes their traces (C3).
    fn recover(&self, fallen: &[Seen<'_>]) -> Result<()> {
        self.tell(self.grants(), true)?;
        fallen.iter().for_each(Seen::clear);
        Ok(())
    }

    /// The same for what a former owner of the thread's slot has left here.
    pub(crate) fn settle(&self) -> Result<()> {
        let hook = self.actor.thread().hook();
        hook.arm(&self.body.bell);
        let told = self.tell(self.grants(), true);
        hook.disarm();
        told
    }

    fn own(&self, words: &'static WaitNode) -> Own {
        // Relaxed: our own record.
        Own::new(words, self.record.generation.load(Relaxed))
    }

    fn scan(&self) -> Result<Crowd<'static>> {
        self.body.scan(self.actor.attachment, self.which)
    }
}

impl CondvarBody {
    fn scan<'a>(&self, attachment: &'a Attachment, which: Identity) -> Result<Crowd<'a>> {
        let mut crowd = Crowd::default();
        for slot in node::slots(attachment, &self.high) {
            let record = attachment.participant(slot)?;
            for words in [&record.waiting, &record.notifying] {
                match node::read(attachment, slot, words, which)? {
                    Some(seen) if !seen.is_alive => crowd.fallen.push(seen),
                    Some(seen)
                        if core::ptr::eq(words, &record.waiting) && seen.flags() & WAITING != 0 =>
                    {
                        crowd.waiting.push(seen);
                    }
                    Some(seen) => crowd.busy.push(seen.name()),
                    None => {}
                }
            }
        }
        Ok(crowd)
    }

    /// Whether nobody has ever waited: then there is nobody to notify.
    pub(crate) fn is_untouched(&self) -> bool {
        // SeqCst: as in `node::slots`.
        self.high.load(SeqCst) == 0
    }

    /// Checks the words against each other and against those who wait.
    pub(crate) fn verify(&self, attachment: &Attachment, which: Identity) -> Result<()> {
        let crowd = self.scan(attachment, which)?;
        // SeqCst: who waits in `crowd` drew its ticket before.
        let (ctl, seq) = (Grants::of(self.ctl.load(SeqCst)), self.seq.load(SeqCst));
        let is_sound = self.bell.as_futex().load(Relaxed) == 0
            && ctl.count <= u64::from(attachment.slot_count())
            && ctl.limit <= seq
            && crowd.older_than(seq) == crowd.waiting.len() as u64;
        if is_sound { Ok(()) } else { Err(DAMAGED) }
    }
}

/// Takes READY away from the node of a thread whose hook is to be lent; false if it is not
/// READY.
pub(super) fn take_ready(state: &AtomicU64) -> bool {
    state.fetch_and(!READY, SeqCst) & READY != 0
}

/// Gives it back. Whoever called it meanwhile has woken somebody to watch it.
pub(super) fn give_ready(state: &AtomicU64) {
    state.fetch_or(READY, SeqCst);
}

const NOT_NOTIFIED: Error =
    Error::new(Status::TimedOut, "nobody notified this thread before the time was over");
const PREPARED_ALREADY: Error = Error::new(
    Status::Deadlock,
    "this thread has prepared a wait for a condvar of this segment: commit or cancel it first",
);
const NOT_PREPARED: Error = Error::new(
    Status::NotOwner,
    "this thread has prepared no wait for this condvar: prepare one first; a forked child has none",
);
const DAMAGED: Error = corrupted("a condvar counts what cannot be: the segment is damaged");
