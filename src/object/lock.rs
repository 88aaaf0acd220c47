//! The named lock that processes hold.

use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::Result;
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::thread::{self, Thread};
use crate::segment::directory::Wanted;
use crate::sync::lock::{LockBody, ProcessLock};
use crate::sync::mutex::{Actor, Owner};
use crate::sync::wait::{Spin, Wait};

/// A lock that belongs to the process which acquired it: any of its threads may release it,
/// and so may any other process.
///
/// If the holder dies, however it dies, or leaves the segment, the next one acquires it and is
/// told so, once. It is not recursive. Where one thread locks and unlocks, a
/// [`Mutex`](crate::Mutex) says more: who holds it is then known by the thread, and whoever
/// comes is told of a death until the damage is repaired.
#[derive(Debug)]
pub struct Lock {
    share: Share<LockBody>,
    lock: ProcessLock,
    spin: Spin,
}

impl Lock {
    /// Creates a lock, free; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::New)
    }

    /// Opens a lock that exists.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Existing)
    }

    /// Opens a lock, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Any)
    }

    fn obtain(segment: &Segment, name: Option<&str>, wanted: Wanted) -> Result<Self> {
        Self::of(Share::obtain(segment, name, wanted, Kind::Lock, 0, LockBody::begin)?)
    }

    fn of(share: Share<LockBody>) -> Result<Self> {
        let lock = ProcessLock::of(share.attachment(), share.body())?;
        Ok(Self { share, lock, spin: Spin::new() })
    }

    /// Removes the name of a lock. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Lock])
    }

    /// Writes a ticket for the lock, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    /// Opens the lock that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no lock, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        Self::of(Share::redeem(ticket, &[Kind::Lock])?.0)
    }

    /// Acquires the lock for this process. If its last holder died with it, or left with it,
    /// says who that was: what the lock guards may be half-changed.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `NoSpace` if the segment has no place for another thread,
    /// `Permission` for a read-only segment.
    pub fn acquire(&self, deadline: Deadline) -> Result<Option<Owner>> {
        self.acquire_on(thread::here()?, deadline)
    }

    /// The same on a thread that is known.
    pub(crate) fn acquire_on(
        &self,
        thread: &'static Thread,
        deadline: Deadline,
    ) -> Result<Option<Owner>> {
        // With a seat the process is a member, and the next call takes the short way.
        Actor::new(thread, self.share.attachment())?;
        self.lock.acquire(thread, Wait::new(deadline, &self.spin))
    }

    /// Releases the lock, whoever holds it. Never waits. If the holder is dead, nobody will be
    /// told of that any more.
    ///
    /// # Errors
    /// `NotOwner` if nobody holds it, `Permission` for a read-only segment, `System` on a
    /// thread without a robust list.
    pub fn release(&self) -> Result<()> {
        self.release_on(thread::visit().thread())
    }

    /// The same on a thread of which nothing may be known.
    pub(crate) fn release_on(&self, thread: Option<&'static Thread>) -> Result<()> {
        self.share.check_writable()?;
        self.lock.release(thread, self.share.bell())
    }

    /// What is left to do when the short way has released it and says so.
    pub(crate) fn tell_on(&self, thread: Option<&'static Thread>) -> Result<()> {
        self.lock.tell(thread, self.share.bell())
    }

    /// Who holds it at this moment; for people, it may change at once.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub fn owner(&self) -> Result<Option<Owner>> {
        self.lock.owner()
    }

    /// The body, and the number of the attachment that it lies in.
    pub(crate) fn place(&self) -> (&LockBody, u64) {
        (self.lock.body(), self.share.attachment().number())
    }
}
