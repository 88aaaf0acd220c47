//! The named mutex.

use super::segment::Segment;
use super::ticket::Ticket;
use crate::error::{Error, Result, Status};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::journal;
use crate::roster::thread::{self, Thread};
use crate::segment::directory::Wanted;
use crate::segment::holding::Holding;
use crate::sync::mutex::{Acquired, Actor, MutexBody, Owner};

const KINDS: [Kind; 2] = [Kind::Mutex, Kind::RecursiveMutex];

/// A mutex between threads of any processes.
///
/// If its owner dies, however it dies, the next one acquires it and is told so
/// ([`Acquired::OwnerDied`]), and so is every further one until somebody marks it
/// consistent. Any thread may use a handle; only the thread that locked may unlock.
#[derive(Debug)]
pub struct Mutex {
    holding: Holding,
    body: &'static MutexBody,
    recursive: bool,
}

impl Mutex {
    /// Creates a mutex; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(segment: &Segment, name: Option<&str>, recursive: bool) -> Result<Self> {
        Self::obtain(segment, name, recursive, Wanted::New)
    }

    /// Opens a mutex that exists.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>, recursive: bool) -> Result<Self> {
        Self::obtain(segment, name, recursive, Wanted::Existing)
    }

    /// Opens a mutex, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(segment: &Segment, name: Option<&str>, recursive: bool) -> Result<Self> {
        Self::obtain(segment, name, recursive, Wanted::Any)
    }

    fn obtain(
        segment: &Segment,
        name: Option<&str>,
        recursive: bool,
        wanted: Wanted,
    ) -> Result<Self> {
        let kind = if recursive { Kind::RecursiveMutex } else { Kind::Mutex };
        let bytes = size_of::<MutexBody>() as u64;
        // A new body is all zero, which is a free mutex.
        let (holding, offset) = segment.obtain(name, wanted, kind, bytes, |_| Ok(()))?;
        let body = body(holding.attachment(), offset)?;
        Ok(Self { holding, body, recursive })
    }

    /// Removes the name of a mutex of either kind. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &KINDS)
    }

    /// Writes a ticket for the mutex, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        Ticket::write(&self.holding)
    }

    /// Opens the mutex that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no mutex, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        let (holding, kind, offset) = ticket.redeem(&KINDS)?;
        let body = body(holding.attachment(), offset)?;
        Ok(Self { holding, body, recursive: kind == Kind::RecursiveMutex })
    }

    /// Acquires the mutex until the deadline and gives a guard that releases it.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Deadlock`, `Permission` for a read-only segment.
    pub fn lock(&self, deadline: Deadline) -> Result<MutexGuard<'_>> {
        let acquired = self.acquire(deadline)?;
        Ok(MutexGuard { mutex: self, acquired, _not_send: core::marker::PhantomData })
    }

    /// Acquires the mutex; the caller releases it.
    ///
    /// # Errors
    /// As for `lock`.
    pub fn acquire(&self, deadline: Deadline) -> Result<Acquired> {
        self.acquire_on(thread::here()?, deadline)
    }

    /// The same on a thread that is known.
    #[inline(always)]
    pub(crate) fn acquire_on(
        &self,
        thread: &'static Thread,
        deadline: Deadline,
    ) -> Result<Acquired> {
        if thread.has_transaction() {
            self.check_not_in(thread)?;
        }
        let actor = self.actor(thread)?;
        if self.recursive {
            self.body.lock_recursive(actor, deadline)
        } else {
            self.body.lock(actor, deadline)
        }
    }

    /// Releases the mutex.
    ///
    /// # Errors
    /// `NotOwner` if this thread does not hold it.
    pub fn release(&self) -> Result<()> {
        self.release_on(thread::here()?)
    }

    /// The same on a thread that is known.
    #[inline(always)]
    pub(crate) fn release_on(&self, thread: &'static Thread) -> Result<()> {
        if thread.has_transaction() {
            self.check_not_in(thread)?;
        }
        let actor = self.actor(thread)?;
        if self.recursive { self.body.unlock_recursive(actor) } else { self.body.unlock(actor) }
    }

    /// Releases the mutex however often the thread holds it, and says how often that was
    /// beyond once: for a wait, which takes it back.
    ///
    /// # Errors
    /// `NotOwner`.
    pub(super) fn let_go_on(&self, thread: &'static Thread) -> Result<u32> {
        self.body.unlock_wholly(self.actor(thread)?)
    }

    /// Refuses a mutex that a wait cannot let go of: one that the thread does not hold, or
    /// that its transaction holds.
    pub(super) fn check_held_on(&self, thread: &'static Thread) -> Result<()> {
        if thread.has_transaction() {
            self.check_not_in(thread)?;
        }
        self.body.check_held(self.actor(thread)?)
    }

    /// Acquires it as often again, however long it takes.
    pub(super) fn take_back_on(&self, thread: &'static Thread, again: u32) -> Result<Acquired> {
        self.body.lock_wholly(self.actor(thread)?, again)
    }

    /// Refuses a mutex that the thread's transaction holds.
    #[cold]
    fn check_not_in(&self, thread: &'static Thread) -> Result<()> {
        match self.number_in_transaction(thread)? {
            None => Ok(()),
            Some(_) => Err(IN_TRANSACTION),
        }
    }

    /// Which mutex of the thread's transaction it is.
    fn number_in_transaction(&self, thread: &'static Thread) -> Result<Option<usize>> {
        let place = self.place_in_segment();
        journal::number_of_noted(self.attachment(), self.actor(thread)?.slot(), place)
    }

    /// Says that what the mutex guards is whole again; in a transaction, as soon as that
    /// commits.
    ///
    /// # Errors
    /// `NotOwner` if this thread does not hold it.
    pub fn mark_consistent(&self) -> Result<()> {
        let thread = thread::here()?;
        if thread.has_transaction()
            && let Some(number) = self.number_in_transaction(thread)?
        {
            thread.mark_at_commit(number);
            return Ok(());
        }
        self.body.mark_consistent(self.actor(thread)?)
    }

    /// Who holds it at this moment; for people, it may change at once.
    ///
    /// # Errors
    /// `Corrupted`.
    pub fn owner(&self) -> Result<Option<Owner>> {
        self.body.owner(self.holding.attachment())
    }

    /// Who died holding it, until it is marked consistent.
    ///
    /// # Errors
    /// None today.
    pub fn dead_owner(&self) -> Result<Option<Owner>> {
        Ok(self.body.dead_owner())
    }

    /// Whether the owner may lock it again.
    pub fn is_recursive(&self) -> bool {
        self.recursive
    }

    /// Where the body lies in its segment.
    #[inline]
    pub(super) fn place_in_segment(&self) -> Offset {
        self.attachment().memory().offset_of(self.body)
    }

    pub(super) fn attachment(&self) -> &'static Attachment {
        self.holding.attachment()
    }

    /// The body, and the number of the attachment that it lies in.
    pub(crate) fn place(&self) -> (&MutexBody, u64) {
        (self.body, self.holding.attachment().number())
    }

    #[inline(always)]
    fn actor(&self, thread: &'static Thread) -> Result<Actor> {
        Actor::new(thread, self.holding.attachment())
    }
}

const IN_TRANSACTION: Error = Error::new(
    Status::Deadlock,
    "this thread's transaction holds the mutex: commit or abort the transaction, which gives it \
     back",
);

/// The body of a mutex.
pub(super) fn body(attachment: &Attachment, offset: Offset) -> Result<&MutexBody> {
    attachment.memory().at(offset)
}

/// A mutex that is held; dropping it releases the mutex.
///
/// If the last owner died and nobody calls [`MutexGuard::mark_consistent`], the next
/// one is told the same.
#[derive(Debug)]
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    acquired: Acquired,
    _not_send: core::marker::PhantomData<*const ()>,
}

impl MutexGuard<'_> {
    /// Whether an owner died and what the mutex guards may be half changed.
    pub fn owner_died(&self) -> bool {
        self.acquired == Acquired::OwnerDied
    }

    /// Says that what the mutex guards is whole again.
    ///
    /// # Errors
    /// `NotOwner` in a forked child.
    pub fn mark_consistent(&self) -> Result<()> {
        self.mutex.mark_consistent()
    }
}

impl MutexGuard<'_> {
    /// The mutex that it holds.
    pub(super) fn mutex(&self) -> &Mutex {
        self.mutex
    }

    /// It was let go and has been acquired again.
    pub(super) fn was_acquired_again(&mut self, acquired: Acquired) {
        self.acquired = acquired;
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        // The only failure is a guard that a forked child inherited: it holds nothing.
        let released = self.mutex.release();
        debug_assert!(released.is_ok() || released.is_err_and(|e| e.status() == Status::NotOwner));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::object::segment::SegmentOptions;
    use crate::platform::atomic::Ordering::SeqCst;

    /// Runs `body` on a thread that takes slot 0, whose generation it counts on from
    /// `last`.
    pub(in crate::object) fn on_slot_zero<T: Send>(
        segment: &Segment,
        last: u32,
        body: impl FnOnce() -> T + Send,
    ) -> T {
        let attachment = segment.attachment();
        attachment.header().next_slot.store(0, SeqCst);
        attachment.participant(0).expect("slot 0 exists").generation.store(last, SeqCst);
        std::thread::scope(|scope| scope.spawn(body).join().expect("the thread ends well"))
    }

    /// A segment made by a thread that has ended, so that slot 0 is free again.
    pub(in crate::object) fn segment_with_slot_zero_free(what: &str) -> Segment {
        let name = format!("atoll-test-{}-{what}", std::process::id());
        let create = || Segment::create(&name, &SegmentOptions::default()).expect("create");
        let segment = std::thread::scope(|scope| scope.spawn(create).join().expect("it ends well"));
        Segment::unlink(&name).expect("unlink");
        segment
    }

    /// Names hold 16 bits of a generation. When these begin again, a lock that was
    /// abandoned a lap ago must not seem to be held by the new owner of the slot.
    #[test]
    fn an_abandoned_mutex_is_nobodys_when_generations_begin_again() {
        let segment = segment_with_slot_zero_free("generations");
        let mutex = Mutex::create(&segment, None, false).expect("a mutex");

        on_slot_zero(&segment, 6, || mutex.acquire(Deadline::NOW)).expect("free");
        let passer_by = Mutex::create(&segment, None, false).expect("a mutex");
        for last in [0xfffe, 0xffff] {
            on_slot_zero(&segment, last, || passer_by.lock(Deadline::NOW).map(drop)).expect("free");
        }

        // To the owner with its generation, a lap later, and to the last one of a lap.
        for last in [0x1_0006, 0x1_fffe] {
            let owner = on_slot_zero(&segment, last, || {
                drop(passer_by.lock(Deadline::NOW).expect("free"));
                mutex.owner()
            });
            let owner = owner.expect("readable").expect("named");
            assert_eq!((owner.slot, owner.alive), (0, false), "after {last:#x}");
        }
        let acquired = on_slot_zero(&segment, 0x2_0006, || mutex.acquire(Deadline::NOW));
        assert_eq!(acquired.expect("abandoned, so free to take"), Acquired::OwnerDied);
    }
}
