//! A mutex whose owner may be killed at any instruction.
//!
//! # The word
//!
//! ```text
//!  bit 63         INCONSISTENT  an owner died; sticky until it is marked consistent
//!  bit 62         STARVING      somebody has waited long: newcomers let it pass once
//!  bits 61..32    owned: the owner's name {generation:16, slot:14}
//!                 free with WAITERS: the stamp of who unlocked, its slot plus one
//!  bit 31         OWNED
//!  bit 30         WAITERS       somebody may be asleep
//!  bits 29..0     zero in every state, so that the hook may point here
//! ```
//!
//! The futex is the low half. Since it does not name the owner, sleepers compare
//! the high half too.
//!
//! # Invariants
//!
//! - **L1** One compare-exchange takes the word and names the owner.
//! - **L2** While somebody sleeps, either the word is free and somebody else is awake
//!   and will take it or wake the next, or the word is owned and the owner's death
//!   wakes a sleeper: through its liveness word, or through its hook on this word.
//! - **L3** WAITERS is cleared only by who found nobody asleep, and only while the
//!   word still carries its stamp.
//! - **L4** `again` is touched by the owner alone, and is 0 while the word is free: who
//!   takes over from a dead owner sets it to 0 before it does anything else.
//!
//! # Edges
//!
//! | edge     | release                   | acquire                    | what it carries          |
//! |----------|---------------------------|----------------------------|--------------------------|
//! | UNLOCKED | `unlock` clears OWNED     | `lock` takes the word      | what the lock guards     |
//! | NAMED    | `take_seat` fences        | who reads a name there     | what the name leads to   |
//! | DEPARTED | the kernel marks the dead | `feel_pulse` loads it      | what the dead one stored |
//!
//! # If a process dies
//!
//! - holding: its name stays in the word. The next one finds it dead, undoes what it left
//!   of a transaction (`roster::journal`), takes the word from that name with INCONSISTENT
//!   set, and wakes everybody who slept on its liveness word.
//! - holding in a transaction: the same, and INCONSISTENT is not set, for all that it did
//!   was undone. Who took the word and is in no transaction sets it afterwards, to tell
//!   the news to all; killed before, it dies as a plain owner, and the next one sets it.
//! - between unlocking and waking: its hook is on the word; the kernel wakes one.
//! - woken, before it took the word or after: its hook is on the word from before
//!   its first try until it unlocks (or until it holds without WAITERS), so the
//!   kernel wakes the next one.
//! - as the owner of several locks, or of one while others still sleep on its liveness
//!   word for another: the kernel wakes one sleeper there, and whoever comes back from
//!   a sleep on a dead owner's word wakes all of them before anything else.
//!
//! `models/` checks this with a death before every access: one lock needs no more, for
//! up to two deaths. Slices are the back-stop for what is left: the one sleeper that
//! the kernel woke is killed in turn before it has woken the others; a hook cleared by
//! another library; memory reaped early. Every wait looks again after 100 ms to 1 s.

pub(crate) use super::actor::Actor;
use super::contender::{Contender, Gained, Goal, Taking};
pub use super::owner::Owner;
use super::owner::identify;
use crate::error::{Error, Result, Status};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU32, AtomicU64, HookableWord64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::futex;
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::death;
use crate::roster::journal;
use crate::roster::participant::{self, NAME_MASK};
use crate::roster::record;

pub(super) const OWNED: u64 = 1 << 31;
pub(super) const WAITERS: u64 = 1 << 30;
pub(super) const INCONSISTENT: u64 = 1 << 63;
pub(super) const STARVING: u64 = 1 << 62;

shared! {
    /// A mutex in shared memory. All zero is a free one.
    pub(crate) struct MutexBody: 64 {
        pub(super) word: HookableWord64,
        /// How often the owner has locked it again, if it is recursive (L4).
        again: AtomicU32,
        dead_pid: AtomicU32,
        /// Who died holding it last; written by who took over, while it holds.
        dead_name: [AtomicU64; 2],
        dead_tid: AtomicU32,
        dead_slot: AtomicU32,
        dead_generation: AtomicU32,
        reserved: [u32; 5],
    }
}

// Other people's programs take the short way to these two (`ffi::place`).
const _: () = {
    assert!(core::mem::offset_of!(MutexBody, word) == 0);
    assert!(core::mem::offset_of!(MutexBody, again) == 8);
};

/// How a lock was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// As usual.
    Clean,
    /// Its last owner died holding it, or an earlier one did and nobody has marked
    /// the lock consistent since: what it guards may be half changed.
    OwnerDied,
}

impl MutexBody {
    /// Takes the mutex for the thread of that name if nobody holds it and nothing is
    /// special about it: the whole of an uncontended lock.
    #[inline(always)]
    pub(crate) fn take_if_free(&self, name: u64) -> bool {
        // Acquire, UNLOCKED: what the last owner wrote is ours to read. Release is
        // not needed: what our name leads to was published with the seat (NAMED).
        self.word.compare_exchange(0, name | OWNED, Acquire, Relaxed).is_ok()
    }

    /// Releases it if that thread holds it and nobody waits.
    #[inline(always)]
    pub(crate) fn give_up_if_quiet(&self, name: u64) -> bool {
        // Release, UNLOCKED: what we wrote becomes the next owner's to read.
        self.word.compare_exchange(name | OWNED, 0, Release, Relaxed).is_ok()
    }

    /// The same for a mutex that counts, also if that thread holds it.
    ///
    /// Each step is whole by itself, so a signal handler that locks and unlocks in
    /// between changes nothing.
    #[inline(always)]
    pub(crate) fn take_if_free_or_mine(&self, name: u64) -> bool {
        // Acquire, UNLOCKED: as in `take_if_free`.
        match self.word.compare_exchange(0, name | OWNED, Acquire, Relaxed) {
            Ok(_) => true,
            Err(seen) => seen == name | OWNED && self.count_up(),
        }
    }

    /// Undoes one lock of a mutex that counts if that thread holds it and nobody waits.
    #[inline(always)]
    pub(crate) fn give_up_once_if_quiet(&self, name: u64) -> bool {
        // Relaxed: the owner's alone (L4). Who is not the owner fails below.
        let again = self.again.load(Relaxed);
        if again == 0 {
            return self.give_up_if_quiet(name);
        }
        let is_mine = self.word.load(Relaxed) == name | OWNED;
        if is_mine {
            self.again.store(again - 1, Relaxed);
        }
        is_mine
    }

    /// Acquires the mutex for the actor.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`; `Deadlock` if the actor holds it already;
    /// `Corrupted` if the word names nobody who can be.
    #[inline(always)]
    pub(crate) fn lock(&self, actor: Actor, deadline: Deadline) -> Result<Acquired> {
        // Acquire, UNLOCKED: as in `take_if_free`.
        match self.word.compare_exchange(0, actor.mine, Acquire, Relaxed) {
            Ok(_) => Ok(Acquired::Clean),
            Err(seen) if actor.is_owner_in(seen) => Err(HELD_ALREADY),
            Err(_) => self.lock_contended(actor, deadline),
        }
    }

    /// The same for a mutex that counts.
    #[inline(always)]
    pub(crate) fn lock_recursive(&self, actor: Actor, deadline: Deadline) -> Result<Acquired> {
        match self.word.compare_exchange(0, actor.mine, Acquire, Relaxed) {
            Ok(_) => Ok(Acquired::Clean),
            Err(seen) if !actor.is_owner_in(seen) => self.lock_contended(actor, deadline),
            Err(seen) if self.count_up() => Ok(news_in(seen)),
            Err(_) => Err(Error::new(Status::Full, "the mutex is held 2^32 times already")),
        }
    }

    /// One more time; false if that is more than can be counted.
    fn count_up(&self) -> bool {
        // Relaxed: the owner's alone (L4).
        let more = self.again.load(Relaxed).checked_add(1);
        if let Some(again) = more {
            self.again.store(again, Relaxed);
        }
        more.is_some()
    }

    /// What a dead owner had counted is over. For who has just taken the word from it;
    /// killed before this, it leaves the same to the next.
    pub(super) fn count_anew(&self) {
        // Relaxed: the owner's alone (L4); the unlock publishes it.
        self.again.store(0, Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn lock_contended(&self, actor: Actor, deadline: Deadline) -> Result<Acquired> {
        let gained = self.contend(actor, deadline, &Taking)?;
        if gained.undone {
            // Relaxed: the owner's own; the unlock publishes it. Killed before: as the
            // owner of no transaction, so that the next one sets it.
            self.word.fetch_or(INCONSISTENT, Relaxed);
            return Ok(Acquired::OwnerDied);
        }
        Ok(news_in(gained.word))
    }

    /// Acquires the mutex, which the actor does not hold, for a transaction that has noted
    /// it. What a dead owner did in a transaction is no news.
    ///
    /// # Errors
    /// As for `lock`.
    #[inline]
    pub(crate) fn lock_in_transaction(&self, actor: Actor, deadline: Deadline) -> Result<Acquired> {
        if self.take_if_free(actor.name()) {
            return Ok(Acquired::Clean);
        }
        Ok(news_in(self.contend(actor, deadline, &Taking)?.word))
    }

    /// Refuses a mutex that the actor holds outside of the transaction that it begins.
    ///
    /// # Errors
    /// `Deadlock`.
    #[inline]
    pub(crate) fn check_not_held(&self, actor: Actor) -> Result<()> {
        if self.is_held_by(actor) { Err(HELD_OUTSIDE) } else { Ok(()) }
    }

    #[cold]
    pub(super) fn contend<G: Goal>(
        &self,
        actor: Actor,
        deadline: Deadline,
        goal: &G,
    ) -> Result<Gained> {
        let hook = actor.thread().hook();
        hook.arm(self.word.low());
        let gained = Contender::new(goal, self, actor, deadline).contend();
        // With WAITERS somebody may sleep on an earlier owner's liveness word: the
        // hook stays until we unlock, so that our death wakes a sleeper (L2).
        // Without, nobody sleeps, and who comes later watches us.
        match gained {
            Ok(gained) if gained.word & OWNED != 0 && gained.word & WAITERS != 0 => {}
            _ => hook.disarm(),
        }
        gained
    }

    /// Frees the mutex if an earlier owner of the actor's slot died holding it in a
    /// transaction, which has been undone.
    pub(crate) fn free_for_the_dead(&self, actor: Actor) -> Result<()> {
        let place = actor.attachment.memory().offset_of(self);
        let hook = actor.thread().hook();
        let mut is_armed = false;
        loop {
            let word = self.word.load(Acquire);
            let is_named = word & OWNED != 0 && participant::slot_in(word) == actor.slot();
            if !is_named
                || actor.is_owner_in(word)
                || check_bits(word).is_err()
                || !journal::held_in_transaction(actor.attachment, word, place)?
            {
                if is_armed {
                    hook.disarm();
                }
                return Ok(());
            }
            hook.arm(self.word.low());
            is_armed = true;
            let taken = actor.mine | word & (WAITERS | STARVING | INCONSISTENT);
            // Acquire, DEPARTED: as for any who takes over. It fails if somebody took it, or
            // set a flag because the dead one looked alive a moment ago.
            if self.word.compare_exchange(word, taken, Acquire, Relaxed).is_ok() {
                self.count_anew();
                death::spread_word(actor.attachment, word);
                return self.unlock(actor);
            }
        }
    }

    /// Releases the mutex.
    ///
    /// # Errors
    /// `NotOwner` if the actor does not hold it.
    #[inline(always)]
    pub(crate) fn unlock(&self, actor: Actor) -> Result<()> {
        // Release, UNLOCKED: as in `give_up_if_quiet`.
        match self.word.compare_exchange(actor.mine, 0, Release, Relaxed) {
            Ok(_) => Ok(()),
            Err(seen) => self.unlock_contended(actor, seen),
        }
    }

    /// The same for a mutex that counts: the last one releases it.
    #[inline(always)]
    pub(crate) fn unlock_recursive(&self, actor: Actor) -> Result<()> {
        if !actor.is_owner_in(self.word.load(Relaxed)) {
            return Err(NOT_HELD);
        }
        // Relaxed: the owner's alone (L4).
        let again = self.again.load(Relaxed);
        if again > 0 {
            self.again.store(again - 1, Relaxed);
            return Ok(());
        }
        self.unlock(actor)
    }

    /// Releases it however often it is held, and says how often that was beyond once.
    pub(crate) fn unlock_wholly(&self, actor: Actor) -> Result<u32> {
        self.check_held(actor)?;
        // Relaxed, here and below: the owner's alone (L4); the unlock publishes it.
        let again = self.again.load(Relaxed);
        self.again.store(0, Relaxed);
        self.unlock(actor).map(|()| again)
    }

    /// Acquires it again after `unlock_wholly`, however long it takes.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn lock_wholly(&self, actor: Actor, again: u32) -> Result<Acquired> {
        loop {
            match self.lock(actor, Deadline::NEVER) {
                // A signal handler ran: the caller waits for this lock, not for that.
                Err(error) if error.status() == Status::Interrupted => {}
                acquired => {
                    let acquired = acquired?;
                    self.again.store(again, Relaxed);
                    return Ok(acquired);
                }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn unlock_contended(&self, actor: Actor, seen: u64) -> Result<()> {
        if !actor.is_owner_in(seen) {
            return Err(NOT_HELD);
        }
        let hook = actor.thread().hook();
        hook.arm(self.word.low());
        // Release, UNLOCKED, here and below.
        let quiet = seen & WAITERS == 0
            && self.word.compare_exchange(seen, seen & INCONSISTENT, Release, Relaxed).is_ok();
        if !quiet {
            // Relaxed: only flags can have been added while we hold.
            let word = self.word.load(Relaxed);
            let stamp = u64::from(participant::slot_in(actor.mine) + 1) << 32;
            let free = stamp | WAITERS | (word & (INCONSISTENT | STARVING));
            self.word.store(free, Release);
            if futex::wake(self.word.low().as_futex(), 1) == 0 {
                // Nobody sleeps. If the stamp is still ours, nobody took the word
                // or went to sleep since (L3). Relaxed: it publishes nothing.
                let _ = self.word.compare_exchange(free, free & INCONSISTENT, Relaxed, Relaxed);
            }
        }
        hook.disarm();
        Ok(())
    }

    /// Whether the actor holds it.
    pub(crate) fn is_held_by(&self, actor: Actor) -> bool {
        // Relaxed: our own name cannot come or go meanwhile.
        actor.is_owner_in(self.word.load(Relaxed))
    }

    /// Refuses a mutex that the actor does not hold.
    pub(crate) fn check_held(&self, actor: Actor) -> Result<()> {
        if self.is_held_by(actor) { Ok(()) } else { Err(NOT_HELD) }
    }

    /// Says that what the mutex guards is whole again.
    ///
    /// # Errors
    /// `NotOwner` if the actor does not hold it.
    pub(crate) fn mark_consistent(&self, actor: Actor) -> Result<()> {
        self.check_held(actor)?;
        // Relaxed: the owner's own; the unlock publishes it.
        self.word.fetch_and(!INCONSISTENT, Relaxed);
        Ok(())
    }

    /// Who holds it at this moment.
    pub(crate) fn owner(&self, attachment: &Attachment) -> Result<Option<Owner>> {
        loop {
            // Acquire, NAMED: what the owner wrote into its record is there.
            let word = self.word.load(Acquire);
            if word & OWNED == 0 {
                return Ok(None);
            }
            let alive = death::feel_pulse(attachment, word)?.is_some();
            let owner = Owner { alive, ..identify(attachment, word)? };
            // The slot may have found a new owner while we read.
            if self.word.load(Acquire) == word {
                return Ok(Some(owner));
            }
        }
    }

    /// Who died holding it, until it is marked consistent.
    pub(crate) fn dead_owner(&self) -> Option<Owner> {
        if self.word.load(Acquire) & INCONSISTENT == 0 {
            return None;
        }
        // Relaxed: written under the lock; whoever asks without it gets a moment's
        // view, for people.
        Some(Owner {
            pid: self.dead_pid.load(Relaxed),
            tid: self.dead_tid.load(Relaxed),
            slot: self.dead_slot.load(Relaxed),
            // Who took over may have died before it wrote: never 0, which stands for nobody.
            generation: self.dead_generation.load(Relaxed).max(1),
            alive: false,
            owner_died: true,
            name: record::load_name(&self.dead_name),
        })
    }

    /// Writes down who died holding it. Killed half way: the next owner writes us.
    pub(super) fn remember(&self, dead: Owner) {
        self.dead_pid.store(dead.pid, Relaxed);
        self.dead_tid.store(dead.tid, Relaxed);
        self.dead_slot.store(dead.slot, Relaxed);
        self.dead_generation.store(dead.generation, Relaxed);
        record::store_name(&self.dead_name, dead.name);
    }

    /// If the word names an owner of `slot`, gives it `name` instead. The caller has
    /// the slot and knows that all its owners so far are dead.
    pub(crate) fn rename_owner(&self, slot: u32, name: u64) {
        let mut word = self.word.load(Relaxed);
        while word & OWNED != 0 && participant::slot_in(word) == slot {
            let renamed = word & (OWNED | WAITERS | INCONSISTENT | STARVING) | name;
            // Relaxed: nothing is published; somebody may take it over meanwhile.
            match self.word.compare_exchange(word, renamed, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
    }

    /// Checks the word against L1: bits that are always zero, a name that can be.
    pub(crate) fn verify(&self, attachment: &Attachment) -> Result<()> {
        let word = self.word.load(Acquire);
        check_bits(word)?;
        if word & OWNED != 0 {
            attachment.participant(participant::slot_in(word))?;
        }
        Ok(())
    }
}

#[inline(always)]
pub(super) fn news_in(word: u64) -> Acquired {
    if word & INCONSISTENT == 0 { Acquired::Clean } else { Acquired::OwnerDied }
}

/// Refuses a word with bits that are zero in every state (L1): it is shared memory.
pub(super) fn check_bits(word: u64) -> Result<()> {
    if word & !(OWNED | WAITERS | INCONSISTENT | STARVING | NAME_MASK) == 0 {
        return Ok(());
    }
    Err(crate::error::corrupted(
        "a lock word has bits that are always zero: the segment is damaged",
    ))
}

const HELD_ALREADY: Error = Error::new(
    Status::Deadlock,
    "this thread holds the mutex already: use a recursive mutex to lock it twice",
);
const HELD_OUTSIDE: Error = Error::new(
    Status::Deadlock,
    "this thread holds the mutex already: a transaction takes its mutexes itself, so unlock it \
     first",
);
const NOT_HELD: Error = Error::new(
    Status::NotOwner,
    "this thread does not hold the mutex: only the thread that locked it may unlock or mark it, \
     and a forked child holds nothing",
);
