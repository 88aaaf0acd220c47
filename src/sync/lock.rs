//! A lock that a process holds, whichever of its threads took it: any thread of any process
//! may release it.
//!
//! It is a tracked semaphore with one permit, and all of its waiting is told in `tracked`.
//! What a lock has beyond that are the news of a holder that died, and short ways.
//!
//! # In memory
//!
//! ```text
//!  offset  bytes  field
//!  0       64     tracked  the semaphore; its `max` is 1
//!  64      8      permit   0, or {generation:32, index + 1} of the member that holds it
//! ```
//!
//! # Invariants
//!
//! - **L1** Who changes the permit from a dead member to itself has the news, and nobody else
//!   gets it: the name of the dead one is gone with the exchange.
//! - **L2** A release after the holder's death changes the permit from the dead one to 0.
//!   There is nobody to wake: who sleeps watches the dead one.
//!
//! # Edges
//!
//! GRANTED, DEPARTED and WAITING as in `tracked`.
//!
//! # If a process dies
//!
//! - between the exchange that takes it from a dead one and the answer: it is the dead holder
//!   now, and the next one has the news of this death;
//! - all else as in `tracked`.

use super::bell::Bell;
use super::holders;
use super::owner::{Owner, identify_member};
use super::tracked::{Tracked, TrackedBody, WAITERS};
use super::wait::Wait;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::shared;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, SeqCst},
};
use crate::roster::attachment::Attachment;
use crate::roster::member;
use crate::roster::thread::Thread;

shared! {
    /// A process-owned lock in shared memory.
    pub(crate) struct LockBody: 72 {
        tracked: TrackedBody,
        permit: AtomicU64,
    }
}

impl LockBody {
    /// Makes a new one, free, which nobody else sees yet.
    pub(crate) fn begin(&self) {
        self.tracked.begin(1);
    }

    /// Takes it for the process with that name if nobody has it.
    #[inline(always)]
    pub(crate) fn take_if_free(&self, me: u64) -> bool {
        // Acquire, GRANTED: what was written before it was released is ours to read.
        self.permit.compare_exchange(0, me, Acquire, Relaxed).is_ok()
    }

    /// Gives it back if the process with that name has it and nobody waits. `None`: as it was.
    /// True: somebody has come meanwhile and is to be told.
    #[inline(always)]
    pub(crate) fn give_back_if_quiet(&self, me: u64) -> Option<bool> {
        let word = &self.tracked.word;
        // Relaxed: looked at again below.
        if word.load(Relaxed) & WAITERS != 0 {
            return None;
        }
        // SeqCst, WAITING; and Release, GRANTED: what we wrote is the next one's to read.
        self.permit.compare_exchange(me, 0, SeqCst, Relaxed).ok()?;
        // SeqCst, WAITING. Killed here: who sleeps watches us, as if we still had it.
        Some(word.load(SeqCst) & WAITERS != 0)
    }
}

/// A process-owned lock as one handle sees it.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    attachment: &'static Attachment,
    body: &'static LockBody,
    tracked: Tracked,
}

impl ProcessLock {
    /// The lock whose body that is.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn of(attachment: &'static Attachment, body: &'static LockBody) -> Result<Self> {
        let tracked = Tracked::of(attachment, &body.tracked)?;
        if tracked.max() != 1 {
            return Err(corrupted("a lock has more than one permit: the segment is damaged"));
        }
        Ok(Self { attachment, body, tracked })
    }

    /// Takes it for the process, and waits for it until `wait` is over. The thread has a seat.
    /// Says who died with it, or left with it, if nobody has been told of that.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Corrupted`.
    pub(crate) fn acquire(&self, thread: &Thread, wait: Wait<'_>) -> Result<Option<Owner>> {
        match self.tracked.acquire(thread, wait) {
            Ok(0) => Ok(None),
            Ok(former) => Ok(Some(Owner { owner_died: true, ..self.identify(former)? })),
            Err(error) if error.status() == Status::TimedOut => Err(STILL_HELD),
            Err(error) => Err(error),
        }
    }

    /// Releases it, whoever has it. Never waits; may be called in a signal handler.
    ///
    /// # Errors
    /// `NotOwner` if nobody has it, `System` on a thread without a robust list, `Corrupted`.
    pub(crate) fn release(&self, thread: Option<&Thread>, bell: Bell<'_>) -> Result<()> {
        let permit = &self.body.permit;
        loop {
            // Relaxed: compared when it changes.
            let holder = permit.load(Relaxed);
            if holder == 0 {
                return Err(NOBODY_HOLDS_IT);
            }
            if holder == member::own_word(self.attachment)
                || holders::seems_to_live(self.attachment, holder)?
            {
                match self.tracked.release(thread, bell, 1) {
                    // Somebody was faster. Who holds it now?
                    Err(error) if error.status() == Status::Full => continue,
                    done => return done,
                }
            }
            // SeqCst, as every release; L2.
            if permit.compare_exchange(holder, 0, SeqCst, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// What is left to do when the short way has released it and says so.
    ///
    /// # Errors
    /// `System` on a thread without a robust list, `Corrupted`.
    pub(crate) fn tell(&self, thread: Option<&Thread>, bell: Bell<'_>) -> Result<()> {
        self.tracked.tell(thread, &mut bell.pull())
    }

    /// Who has it, dead or alive.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub(crate) fn owner(&self) -> Result<Option<Owner>> {
        // Acquire: who took it is in its record.
        match self.body.permit.load(Acquire) {
            0 => Ok(None),
            holder => self.identify(holder).map(Some),
        }
    }

    fn identify(&self, holder: u64) -> Result<Owner> {
        identify_member(self.attachment, holders::id_in(holder)?)
    }

    /// Checks the words; `bytes` is the length of the body.
    pub(crate) fn verify(&self, bytes: u64) -> Result<()> {
        self.tracked.verify(bytes)
    }

    /// The body, for short ways.
    #[inline]
    pub(crate) fn body(&self) -> &LockBody {
        self.body
    }
}

const STILL_HELD: Error =
    Error::new(Status::TimedOut, "the lock was not released before the time was over");

const NOBODY_HOLDS_IT: Error = Error::new(
    Status::NotOwner,
    "nobody holds the lock: release it once for each time that it was acquired",
);
