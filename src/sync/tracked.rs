//! A semaphore whose permits name their holders.
//!
//! There is no counter that could go wrong. A permit is a word: 0, or the member that holds
//! it. One that names a dead member is as good as free: to take it is all the recovery there
//! is. Any thread of a member may give back what the member holds.
//!
//! # In memory
//!
//! ```text
//!  offset  bytes    field
//!  0       8        word     bit 63       LISTENED: somebody listens with a descriptor (`bell`)
//!                            bits 62..32  how often permits were given back
//!                            bit 30       WAITERS: somebody may be asleep
//!                            the rest     zero in every state: the hook may point here
//!  8       4        max      how many permits there are; constant
//!  12      4        crowd    who sleeps without a hook (`crowd`)
//!  16      8        debtor   the member that frees a permit of another one, or 0
//!  64      8 * max  permits  0, or {generation:32, index + 1} of the member that holds it
//! ```
//!
//! # Invariants
//!
//! - **T1** A permit changes from 0 or a dead member to its taker, and from its holder to 0.
//! - **T2** Who goes to sleep has seen WAITERS and the count before it looked at the permits;
//!   it sleeps on both, and on a living thread of each holder that it met.
//! - **T3** WAITERS is cleared before the wake, and the count moves with it. Who is woken
//!   sets it again before it looks, whether it then gets a permit or not.
//! - **T4** Who has slept and takes a permit, or gives up, wakes the next one: whoever is dead
//!   may have had several, and the kernel wakes one.
//!
//! # Edges
//!
//! | edge     | release                   | acquire                   | what it carries          |
//! |----------|---------------------------|---------------------------|--------------------------|
//! | GRANTED  | `release` frees a permit  | `acquire` takes it        | what was written before  |
//! | DEPARTED | the kernel marks the dead | `Holders` finds them gone | what the dead one stored |
//!
//! WAITING is sequentially consistent at both ends: who waits sets WAITERS and then looks at
//! the permits; who releases frees one and then looks at WAITERS. One of them sees the other.
//!
//! # If a process dies
//!
//! - holding permits: those who wait sleep on a thread of it. The kernel wakes one; it
//!   takes a permit, wakes the next (T4), and wakes all who slept on that thread;
//! - between freeing its own permit and the look at WAITERS: as if it still held it, for who
//!   sleeps watches it, or watches who has taken the permit since and will give it back;
//! - between clearing WAITERS and waking: its hook is on the word;
//! - freeing a permit of another member: it says so in `debtor` and moves the count before it
//!   does, so who goes to sleep watches it too, and its hook wakes one who sleeps already.
//!   Of two that do so at once only one is in `debtor`; if the other is killed between
//!   freeing and waking, a slice finds the permit;
//! - woken or giving up: its hook is on the word, the next one is woken.
//!
//! `models/tracked.pml` checks this with three members and two deaths.

mod giving;
mod listening;

use super::bed::Bed;
use super::bell::LISTENED;
use super::crowd;
use super::holders::{self, Holders};
use super::semaphore::NONE_LEFT;
use super::wait::Wait;
use super::waitable::Waitable;
use crate::error::{Result, corrupted};
use crate::layout::{Offset, shared};
use crate::platform::atomic::{
    AtomicU32, AtomicU64, HookableWord64,
    Ordering::{Acquire, Relaxed, SeqCst},
};
use crate::roster::attachment::Attachment;
use crate::roster::member;
use crate::roster::thread::Thread;

pub(super) const WAITERS: u64 = 1 << 30;
/// One in the count of permits given back.
const ONE: u64 = 1 << 32;

/// The most permits that a tracked semaphore can have: who waits looks at each.
pub(crate) const MOST_TRACKED: u32 = 4096;

shared! {
    /// A tracked semaphore in shared memory; its permits follow.
    pub(crate) struct TrackedBody: 64 {
        pub(super) word: HookableWord64,
        /// How many permits follow; constant once published.
        max: AtomicU32,
        /// Who sleeps without a hook.
        crowd: AtomicU32,
        debtor: AtomicU64,
        reserved: [u64; 5],
    }
}

impl TrackedBody {
    /// Makes a new one what it is to be; its permits are 0.
    pub(crate) fn begin(&self, max: u32) {
        // Relaxed: ours alone, until the object is published.
        self.max.store(max, Relaxed);
    }
}

/// Bytes behind the body for that many permits.
pub(crate) fn bytes_of_permits(max: u32) -> u64 {
    u64::from(max) * size_of::<AtomicU64>() as u64
}

/// A tracked semaphore as one handle sees it.
#[derive(Debug)]
pub(crate) struct Tracked {
    attachment: &'static Attachment,
    body: &'static TrackedBody,
    permits: &'static [AtomicU64],
    /// The permit that was last taken or given back through this handle: a good place to
    /// begin, and no more than that.
    near: AtomicU32,
}

/// What a look at the permits found.
enum Look {
    /// One that is free, or that this dead member had.
    Found(u64),
    /// Living members hold all of them.
    Held(Holders),
}

impl Tracked {
    /// The semaphore whose body that is.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn of(attachment: &'static Attachment, body: &'static TrackedBody) -> Result<Self> {
        // Relaxed: constant.
        let max = body.max.load(Relaxed);
        if !(1..=MOST_TRACKED).contains(&max) {
            return Err(corrupted(
                "a tracked semaphore has no permits, or too many: the segment is damaged",
            ));
        }
        let behind = attachment.memory().offset_of(body) + size_of::<TrackedBody>() as Offset;
        let permits = attachment.memory().words(behind, max.into())?;
        Ok(Self { attachment, body, permits, near: AtomicU32::new(0) })
    }

    /// How many permits there are in all.
    pub(crate) fn max(&self) -> u32 {
        self.permits.len() as u32
    }

    /// How many are to be had: free, or of the dead.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn value(&self) -> Result<u32> {
        let words: Vec<u64> = self.permits.iter().map(|permit| permit.load(Acquire)).collect();
        let held = words.iter().copied().filter(|word| *word != 0).collect();
        let holders = Holders::of(self.attachment, held)?;
        let is_free = |word: &&u64| **word == 0 || holders.is_gone(**word);
        Ok(words.iter().filter(is_free).count() as u32)
    }

    /// Takes a permit for the process, and waits for one until `wait` is over. The thread
    /// has a seat. Says which dead member had it, 0 if none.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Corrupted`.
    pub(crate) fn acquire(&self, thread: &Thread, mut wait: Wait<'_>) -> Result<u64> {
        let me = member::own_word(self.attachment);
        debug_assert_ne!(me, 0, "who has a seat is a member");
        loop {
            if self.take_free(me) {
                return Ok(0);
            }
            if !wait.pause() {
                return self.acquire_slowly(thread, me, wait);
            }
        }
    }

    #[cold]
    fn acquire_slowly(&self, thread: &Thread, me: u64, mut wait: Wait<'_>) -> Result<u64> {
        if wait.is_over() {
            return match self.look(me, |at, holder| self.take(at, holder, me))? {
                Look::Found(former) => Ok(former),
                Look::Held(_) => Err(wait.refusal(NONE_LEFT)),
            };
        }
        let hook = thread.hook();
        hook.arm(self.body.word.low());
        let taken = self.sleep(me, &mut wait);
        hook.disarm();
        taken
    }

    /// Takes a permit that is free, if there is one.
    #[inline]
    fn take_free(&self, me: u64) -> bool {
        // Relaxed: compared when it is taken.
        self.upwards().any(|at| self.permits[at].load(Relaxed) == 0 && self.take(at, 0, me))
    }

    /// Takes that permit from `holder`, who is nobody or dead.
    #[inline]
    fn take(&self, at: usize, holder: u64, me: u64) -> bool {
        // Acquire, GRANTED or DEPARTED: what the last holder wrote is ours to read.
        let taken = self.permits[at].compare_exchange(holder, me, Acquire, Relaxed).is_ok();
        if taken {
            self.near.store(at as u32, Relaxed);
        }
        taken
    }

    /// The hook is on the word.
    fn sleep(&self, me: u64, wait: &mut Wait<'_>) -> Result<u64> {
        let mut bed = Bed::new();
        loop {
            bed.make();
            let gets = |at, holder| self.take(at, holder, me);
            if let Some(former) = self.mark_and_look(me, gets, &mut bed)? {
                self.pass_on(wait);
                return Ok(former);
            }
            if wait.is_over() {
                self.pass_on(wait);
                return Err(wait.refusal(NONE_LEFT));
            }
            wait.sleep_in(&mut bed)?;
        }
    }

    /// T4.
    fn pass_on(&self, wait: &Wait<'_>) {
        if wait.slept() {
            self.wake_one();
        }
    }

    fn wake_one(&self) {
        crowd::wake(&self.body.crowd, self.body.word.low().as_futex(), 1);
    }

    /// Says that somebody is about to sleep, and looks. If it found a permit, which dead member
    /// had that (0: none); else `bed` has what ends the sleep.
    fn mark_and_look<'a>(
        &'a self,
        me: u64,
        gets: impl Fn(usize, u64) -> bool,
        bed: &mut Bed<'a>,
    ) -> Result<Option<u64>> {
        let word = &self.body.word;
        let seen = loop {
            // SeqCst, WAITING, here and below.
            let seen = word.load(SeqCst);
            check(seen)?;
            if seen & WAITERS != 0 {
                break seen;
            }
            word.fetch_or(WAITERS, SeqCst); // T3, if we were woken
        };
        let holders = match self.look(me, gets)? {
            Look::Found(former) => return Ok(Some(former)),
            Look::Held(holders) => holders,
        };
        let [low, high] = word.watches(seen);
        bed.add(low);
        bed.compare(high);
        holders.threads.iter().for_each(|name| bed.watch(self.attachment, *name));
        if holders.some_unseen {
            bed.look_again_soon();
        }
        Ok(None)
    }

    /// Looks for a permit that is free or a dead member's and that the caller `gets`, by its
    /// place and who has it; or says who holds them.
    fn look(&self, me: u64, gets: impl Fn(usize, u64) -> bool) -> Result<Look> {
        loop {
            let mut held = Vec::new();
            for at in self.upwards() {
                // SeqCst, WAITING. As often as somebody is faster: who has it then may be
                // killed when it has given it back and told nobody.
                let holder = loop {
                    match self.permits[at].load(SeqCst) {
                        0 if gets(at, 0) => return Ok(Look::Found(0)),
                        0 => {}
                        holder => break holder,
                    }
                };
                // What we hold ourselves we need not watch: we die with it.
                if holder != me {
                    held.push(holder);
                }
            }
            let mut holders = Holders::of(self.attachment, held)?;
            if !holders.any_gone() {
                if self.watch_debtor(me, &mut holders)? {
                    return Ok(Look::Held(holders));
                }
                continue;
            }
            for at in self.upwards() {
                let holder = self.permits[at].load(Relaxed);
                if holders.is_gone(holder) && gets(at, holder) {
                    return Ok(Look::Found(holder));
                }
            }
            // Others took them first: who holds them now?
        }
    }

    /// Who is about to free a permit of another member is to be watched, too. False: it died,
    /// and may have done so before, so that the permits are to be looked at again.
    fn watch_debtor(&self, me: u64, holders: &mut Holders) -> Result<bool> {
        // SeqCst: after the count, which the debtor has moved.
        let debtor = self.body.debtor.load(SeqCst);
        if debtor == 0 || debtor == me {
            return Ok(true);
        }
        let found = Holders::of(self.attachment, vec![debtor])?;
        if found.any_gone() {
            // SeqCst: before the next look. Another debtor's name stays.
            let _ = self.body.debtor.compare_exchange(debtor, 0, SeqCst, Relaxed);
            return Ok(false);
        }
        holders.threads.extend(found.threads);
        holders.some_unseen |= found.some_unseen;
        holders.living.extend(found.living);
        Ok(true)
    }

    /// All permits, from `near` on upwards.
    fn upwards(&self) -> impl Iterator<Item = usize> {
        let near = self.near.load(Relaxed) as usize;
        (near..self.permits.len()).chain(0..near)
    }

    /// All permits, from `near` on downwards: what was taken last is given back first.
    fn downwards(&self) -> impl Iterator<Item = usize> {
        let next = self.near.load(Relaxed) as usize + 1;
        (0..next).rev().chain((next..self.permits.len()).rev())
    }

    /// Checks the word, and that every permit names a member that can be; `bytes` is the
    /// length of the body with the permits.
    pub(crate) fn verify(&self, bytes: u64) -> Result<()> {
        check(self.body.word.load(Acquire))?;
        if bytes != size_of::<TrackedBody>() as u64 + bytes_of_permits(self.max()) {
            return Err(corrupted("its length does not fit the number of its permits"));
        }
        for permit in self.permits {
            let holder = permit.load(Acquire);
            if holder != 0 {
                let id = holders::id_in(holder)?;
                let record = self.attachment.member(id.index)?;
                if id.generation > record.generation.load(Acquire) {
                    return Err(corrupted("a permit names a member that never was"));
                }
            }
        }
        Ok(())
    }
}

/// Refuses a word that is none of a tracked semaphore: it is shared memory.
fn check(word: u64) -> Result<()> {
    if word as u32 & !(WAITERS as u32) == 0 && word & (LISTENED | WAITERS) != LISTENED {
        return Ok(());
    }
    Err(corrupted("the word of a tracked semaphore is no state of one: the segment is damaged"))
}

impl Waitable for Tracked {
    fn seems_ready(&self) -> bool {
        // Relaxed: a hint.
        self.upwards().any(|at| self.permits[at].load(Relaxed) == 0)
    }

    fn is_ready(&self) -> Result<bool> {
        Ok(self.value()? > 0)
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        let crowd = crowd::join(&self.body.crowd);
        let me = member::own_word(self.attachment);
        let is_ready = self.mark_and_look(me, |_, _| true, bed)?.is_some();
        if !is_ready {
            bed.compare(crowd);
        }
        Ok(is_ready)
    }

    /// T4.
    fn leave(&self) {
        self.wake_one();
    }
}
