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
//!  listened  1: somebody listens with a descriptor (`bell`, where it is a bit)
//!
//!  waiting   node of a waiter, be it a thread or a deputy: its ticket, and these flags
//!    WAITING   it may be notified
//!    CALLED    a hint: look whether you may go
//!    READY     its hook is on the bell
//!    LEAVING   it has stopped waiting, and tells the next ones
//!    ASLEEP    a hint needs a wake-up, too
//!    JOINING   it draws its ticket; with CALLED: it has to draw another one
//!    PROMISED  its thread was told that it may go
//!  notifying node of who notifies: flag NOTIFYING
//! ```
//!
//! # Invariants
//!
//! - **C1** A ticket is drawn before its node says WAITING, and no two are the same. No two
//!   values of `ctl` with grants have the same limit but by going.
//! - **C8** Nobody begins to wait with a ticket below a limit, but whom the one who wrote it has
//!   counted: who notifies sends those back that draw a ticket as it counts. Else one that comes
//!   would go in the place of one that was there.
//! - **C9** Who may go may do so until it has: others go, come and die without its being too
//!   young for it. But it may seem so, while one that has used its grant still says WAITING.
//! - **C2** Whoever may go, and does not know, is called before the one who made it so takes
//!   its hook off the bell; or that one has died, and its trace is in its record.
//! - **C3** Whoever finds such a trace calls those who may go by the `ctl` of a later load,
//!   also those who were called already, and only then removes it.
//! - **C4** Who may go and is not READY is watched by somebody who sleeps on the bell, if
//!   anybody does.
//! - **C5** A sleeper is queued on the bell before `ctl` and its own state are compared.
//! - **C6** Who listens says so, and then looks at `ctl`, which has a new value afterwards if
//!   there are no grants. Who notifies looks at `ctl` and then whether anybody listens. So an
//!   exchange that begins before somebody listens fails, or that one sees the grants.
//! - **C7** Who listens and sees grants looks again after a while: nobody rings for what
//!   becomes of them.
//!
//! # Edges
//!
//! | edge      | release                   | acquire                     | what it carries          |
//! |-----------|---------------------------|-----------------------------|--------------------------|
//! | POSTED    | the node says WAITING     | who notifies looks at it    | its ticket               |
//! | DRAWN     | `seq`, drawn by who waits | `seq`, by who notifies      | the node says JOINING    |
//! | GRANTED   | the exchange of `ctl`     | who goes exchanges it       | what the notifier did    |
//! | LISTENING | `listened`, then `ctl`    | `ctl`, then `listened`      | the FIFO, which has its name |
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

mod deputy;
mod notifying;
mod waiting;

pub(crate) use deputy::Vicarious;

use super::actor::Actor;
use super::bell::Bell;
use super::node::{self, Identity, Own, Seen};
use crate::error::{Error, Result, corrupted};
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
        listened: AtomicU32,
        unused: u32,
        reserved: [u64; 4],
    }
}

const WAITING: u64 = 1;
const CALLED: u64 = 2;
const READY: u64 = 4;
const LEAVING: u64 = 8;
const ASLEEP: u64 = 16;
const JOINING: u64 = 32;
const PROMISED: u64 = 64;
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
    /// Who live and draw their tickets.
    joining: Vec<Seen<'a>>,
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

    /// Whoever draws a ticket draws another one (C8); false if one of them waits by now.
    fn sends_back_who_joins(&self) -> bool {
        let called = |flags| (flags == JOINING).then_some(JOINING | CALLED);
        self.joining.iter().all(|node| node.flags() & CALLED != 0 || node.update(called).is_some())
    }

    fn older_than(&self, ticket: u64) -> u64 {
        self.waiting.iter().filter(|waiter| waiter.ticket < ticket).count() as u64
    }
}

/// What somebody who waits finds.
enum View<'a> {
    /// Traces of the dead, which come first.
    Fallen(Vec<Seen<'a>>),
    /// It may go, as long as `ctl` is this.
    Chosen(u64),
    /// It does not, as long as `ctl` is this, and these live.
    Others(u64, Vec<u64>),
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

    /// Looks whether the owner of a node may go.
    fn view(&self, own: Own) -> Result<View<'static>> {
        if own.flags() & (CALLED | ASLEEP) != 0 {
            own.clear(CALLED | ASLEEP);
        }
        // SeqCst: after READY or CALLED of ours.
        let ctl = self.body.ctl.load(SeqCst);
        let grants = Grants::of(ctl);
        if grants.count == 0 {
            // There is nobody to tell, and no trace matters.
            return Ok(View::Others(ctl, Vec::new()));
        }
        let mut crowd = self.scan()?;
        if !crowd.fallen.is_empty() {
            return Ok(View::Fallen(crowd.fallen));
        }
        let ticket = own.ticket();
        if ticket < grants.limit && crowd.older_than(ticket) < grants.count {
            return Ok(View::Chosen(ctl));
        }
        let mut living = core::mem::take(&mut crowd.busy);
        living.extend(crowd.chosen(grants).iter().map(Seen::name));
        Ok(View::Others(ctl, living))
    }

    /// Uses a grant, if `ctl` is still what it was.
    fn go(&self, ctl: u64) -> bool {
        // SeqCst, GRANTED.
        self.body.ctl.compare_exchange(ctl, ctl - 1, SeqCst, Relaxed).is_ok()
    }

    fn bell(&self) -> Bell<'static> {
        let attachment = self.actor.attachment;
        let (segment, identity) = (attachment.path(), attachment.header().identity);
        Bell { segment, identity, object: self.which }
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

    /// Wakes a sleeper to watch those who may go and are not READY (C4): one that is not
    /// the thread of one of them, which may sleep there, too.
    fn watch_the_distant(&self, chosen: &[Seen<'_>]) {
        let distant = chosen.iter().filter(|waiter| waiter.flags() & READY == 0).count();
        if distant > 0 {
            futex::wake(self.body.bell.as_futex(), 1 + distant as i32);
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
                    Some(seen) if seen.flags() & JOINING != 0 => crowd.joining.push(seen),
                    Some(seen) => crowd.busy.push(seen.name()),
                    None => {}
                }
            }
        }
        Ok(crowd)
    }

    /// Nobody listens any more.
    pub(crate) fn forget_listeners(&self) {
        // Relaxed: a flag publishes nothing.
        self.listened.store(0, Relaxed);
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
            && self.listened.load(Relaxed) <= 1
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

const DAMAGED: Error = corrupted("a condvar counts what cannot be: the segment is damaged");
