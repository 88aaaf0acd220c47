//! The named reader-writer lock.

use core::marker::PhantomData;

use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::{Result, Status};
use crate::layout::block::Kind;
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::time::Deadline;
use crate::roster::thread;
use crate::segment::directory::Wanted;
use crate::sync::mutex::{Acquired, Actor, Owner};
use crate::sync::rwlock::RwLockBody;
use crate::sync::wait::Spin;

/// A lock between threads of any processes that many may hold to read, or one to write.
///
/// A reader that dies no longer counts. If a writer dies, however it dies, the next who
/// come are told so ([`Acquired::OwnerDied`]), readers too, until a writer marks the lock
/// consistent. A writer that waits keeps new readers out, so readers cannot starve it; a
/// thread that reads may lock it for reading again all the same. A thread can read 8 locks
/// of a segment at once.
#[derive(Debug)]
pub struct RwLock {
    share: Share<RwLockBody>,
    spin: Spin,
}

impl RwLock {
    /// Creates a lock; without a name it is anonymous.
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
        let generations = &segment.attachment().header().generations;
        // Relaxed: only uniqueness matters. A number that is not used is skipped.
        let number = || generations.fetch_add(1, Relaxed).wrapping_add(1);
        let begin = |body: &RwLockBody| body.begin(number());
        Share::obtain(segment, name, wanted, Kind::RwLock, 0, begin).map(Self::of)
    }

    fn of(share: Share<RwLockBody>) -> Self {
        Self { share, spin: Spin::new() }
    }

    /// Removes the name of a lock. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::RwLock])
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
    /// `NotFound` if it is gone, `WrongKind` if it is no reader-writer lock, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        Share::redeem(ticket, &[Kind::RwLock]).map(|(share, _)| Self::of(share))
    }

    /// Locks it for reading until the deadline and gives a guard that unlocks it.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Deadlock`, `Full`, `Permission` for a read-only segment.
    pub fn read(&self, deadline: Deadline) -> Result<RwLockReadGuard<'_>> {
        let acquired = self.acquire_read(deadline)?;
        Ok(RwLockReadGuard { lock: self, acquired, _not_send: PhantomData })
    }

    /// Locks it for writing until the deadline and gives a guard that unlocks it.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Deadlock`, `Permission` for a read-only segment.
    pub fn write(&self, deadline: Deadline) -> Result<RwLockWriteGuard<'_>> {
        let acquired = self.acquire_write(deadline)?;
        Ok(RwLockWriteGuard { lock: self, acquired, _not_send: PhantomData })
    }

    /// Locks it for reading; the caller unlocks it.
    ///
    /// # Errors
    /// As for `read`.
    pub fn acquire_read(&self, deadline: Deadline) -> Result<Acquired> {
        self.body().read(self.actor()?, deadline)
    }

    /// Undoes one `acquire_read`.
    ///
    /// # Errors
    /// `NotOwner` if this thread does not read it.
    pub fn release_read(&self) -> Result<()> {
        self.body().end_read(self.actor()?)
    }

    /// Locks it for writing; the caller unlocks it.
    ///
    /// # Errors
    /// As for `write`.
    pub fn acquire_write(&self, deadline: Deadline) -> Result<Acquired> {
        self.body().write(self.actor()?, deadline, &self.spin)
    }

    /// Undoes `acquire_write`.
    ///
    /// # Errors
    /// `NotOwner` if this thread does not write.
    pub fn release_write(&self) -> Result<()> {
        self.body().end_write(self.actor()?)
    }

    /// Says that what the lock guards is whole again.
    ///
    /// # Errors
    /// `NotOwner` if this thread does not write.
    pub fn mark_consistent(&self) -> Result<()> {
        self.body().mark_consistent(self.actor()?)
    }

    /// Who writes at this moment, or waits for readers in order to; for people, it may
    /// change at once.
    ///
    /// # Errors
    /// `Corrupted`.
    pub fn owner(&self) -> Result<Option<Owner>> {
        self.body().owner(self.share.attachment())
    }

    /// Who died writing, until the lock is marked consistent.
    ///
    /// # Errors
    /// None today.
    pub fn dead_owner(&self) -> Result<Option<Owner>> {
        Ok(self.body().dead_owner())
    }

    /// How many threads read at this moment; for people.
    ///
    /// # Errors
    /// `Corrupted`.
    pub fn readers(&self) -> Result<u32> {
        self.body().readers(self.share.attachment())
    }

    /// The body, and the number of the attachment that it lies in.
    pub(crate) fn place(&self) -> (&RwLockBody, u64) {
        (self.body(), self.share.attachment().number())
    }

    fn body(&self) -> &'static RwLockBody {
        self.share.body()
    }

    fn actor(&self) -> Result<Actor> {
        Actor::new(thread::here()?, self.share.attachment())
    }
}

/// A lock that is held for reading; dropping it unlocks.
#[derive(Debug)]
pub struct RwLockReadGuard<'a> {
    lock: &'a RwLock,
    acquired: Acquired,
    _not_send: PhantomData<*const ()>,
}

impl RwLockReadGuard<'_> {
    /// Whether a writer died and what the lock guards may be half changed.
    pub fn owner_died(&self) -> bool {
        self.acquired == Acquired::OwnerDied
    }
}

impl Drop for RwLockReadGuard<'_> {
    fn drop(&mut self) {
        check_ended(self.lock.release_read());
    }
}

/// A lock that is held for writing; dropping it unlocks.
///
/// If a writer died and nobody calls [`RwLockWriteGuard::mark_consistent`], the next who
/// come are told the same.
#[derive(Debug)]
pub struct RwLockWriteGuard<'a> {
    lock: &'a RwLock,
    acquired: Acquired,
    _not_send: PhantomData<*const ()>,
}

impl RwLockWriteGuard<'_> {
    /// Whether a writer died and what the lock guards may be half changed.
    pub fn owner_died(&self) -> bool {
        self.acquired == Acquired::OwnerDied
    }

    /// Says that what the lock guards is whole again.
    ///
    /// # Errors
    /// `NotOwner` in a forked child.
    pub fn mark_consistent(&self) -> Result<()> {
        self.lock.mark_consistent()
    }
}

impl Drop for RwLockWriteGuard<'_> {
    fn drop(&mut self) {
        check_ended(self.lock.release_write());
    }
}

/// The only failure of a guard is that a forked child inherited it: it holds nothing.
fn check_ended(ended: Result<()>) {
    debug_assert!(ended.is_ok() || ended.is_err_and(|e| e.status() == Status::NotOwner));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::mutex::Mutex;
    use crate::object::mutex::tests::{on_slot_zero, segment_with_slot_zero_free};

    const NOW: Deadline = Deadline::NOW;

    fn status<T>(result: Result<T>) -> Option<Status> {
        result.err().map(|error| error.status())
    }

    #[test]
    fn guards_lock_and_unlock() {
        let segment = segment_with_slot_zero_free("guards");
        let lock = RwLock::create(&segment, None).expect("a lock");
        let (first, second) = (lock.read(NOW).expect("free"), lock.read(NOW).expect("again"));
        assert!(!first.owner_died() && lock.readers().expect("sound") == 1);
        assert_eq!(status(lock.write(NOW)), Some(Status::Deadlock));
        drop(first);
        assert_eq!(lock.readers().expect("sound"), 1);
        drop(second);
        let writing = lock.write(NOW).expect("nobody reads");
        assert!(!writing.owner_died());
        assert_eq!(status(lock.read(NOW)), Some(Status::Deadlock));
        assert_eq!(status(lock.release_read()), Some(Status::NotOwner));
        let other = std::thread::scope(|scope| scope.spawn(|| status(lock.read(NOW))).join());
        assert_eq!(other.expect("it ends well"), Some(Status::TimedOut));
        drop(writing);
        assert_eq!(status(lock.release_write()), Some(Status::NotOwner));
        segment.verify().expect("sound");
    }

    /// A thread that ends leaves its marks to the next owner of its slot, who does not read.
    #[test]
    fn a_new_owner_of_a_slot_reads_nothing() {
        let segment = segment_with_slot_zero_free("marks");
        let lock = RwLock::create(&segment, None).expect("a lock");
        on_slot_zero(&segment, 6, || lock.acquire_read(NOW)).expect("free");
        let released = on_slot_zero(&segment, 7, || {
            drop(Mutex::create(&segment, None, false)?.lock(NOW)?); // takes the seat
            assert_eq!(lock.readers()?, 0);
            lock.release_read()
        });
        assert_eq!(status(released), Some(Status::NotOwner));
        assert_eq!(lock.acquire_write(NOW).expect("nobody reads"), Acquired::Clean);
        lock.release_write().expect("held");
    }

    /// As for mutexes: a writer that died a lap ago must not seem to be the new owner of its
    /// slot.
    #[test]
    fn an_abandoned_lock_is_nobodys_when_generations_begin_again() {
        let segment = segment_with_slot_zero_free("laps");
        let lock = RwLock::create(&segment, None).expect("a lock");
        let passer_by = Mutex::create(&segment, None, false).expect("a mutex");
        let pass = || passer_by.lock(NOW).map(drop);
        on_slot_zero(&segment, 6, || lock.acquire_write(NOW)).expect("free");
        on_slot_zero(&segment, 0xffff, pass).expect("free");
        on_slot_zero(&segment, 0x1_0006, || {
            pass().expect("free");
            let owner = lock.owner().expect("readable").expect("named");
            assert_eq!((owner.slot, owner.alive), (0, false));
            let acquired = lock.acquire_read(NOW).expect("abandoned");
            assert_eq!(acquired, Acquired::OwnerDied);
        });
    }

    #[test]
    fn a_damaged_lock_is_told() {
        let segment = segment_with_slot_zero_free("damaged");
        let lock = RwLock::create(&segment, None).expect("a lock");
        for key in [0, 1, 0xffff, !0] {
            lock.body().damage_key(key);
            assert_eq!(status(lock.acquire_read(NOW)), Some(Status::Corrupted), "{key:#x}");
            assert_eq!(status(lock.release_read()), Some(Status::Corrupted), "{key:#x}");
            assert_eq!(status(lock.acquire_write(NOW)), Some(Status::Corrupted), "{key:#x}");
            assert_eq!(status(lock.readers()), Some(Status::Corrupted), "{key:#x}");
            assert_eq!(status(segment.verify()), Some(Status::Corrupted), "{key:#x}");
        }
    }
}
