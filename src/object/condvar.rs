//! The named condition variable.

use std::sync::Arc;

use super::mutex::{Mutex, MutexGuard};
use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::{Result, Status};
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::thread::{self, Thread};
use crate::segment::directory::{Object, Wanted};
use crate::segment::estate;
use crate::sync::condvar::{Caller, CondvarBody};
use crate::sync::mutex::{Acquired, Actor};
use crate::sync::wait::{Spin, Wait};

/// A condition variable between threads of any processes.
///
/// A notification goes to the one that has waited longest and lives. None is lost because
/// somebody dies, whoever that is, and nobody comes back without one.
#[derive(Debug)]
pub struct Condvar {
    /// Waiters have it, too.
    share: Arc<Share<CondvarBody>>,
    spin: Spin,
}

impl Condvar {
    /// Creates a condition variable; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::New)
    }

    /// Opens a condition variable that exists.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Existing)
    }

    /// Opens a condition variable, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Any)
    }

    fn obtain(segment: &Segment, name: Option<&str>, wanted: Wanted) -> Result<Self> {
        // All zero is a new one.
        Share::obtain(segment, name, wanted, Kind::Condvar, 0, |_| {}).map(Self::of)
    }

    fn of(share: Share<CondvarBody>) -> Self {
        Self { share: Arc::new(share), spin: Spin::new() }
    }

    /// Removes the name of a condition variable. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Condvar])
    }

    /// Writes a ticket for the condition variable, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    /// Opens the condition variable that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no condition variable, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        Share::redeem(ticket, &[Kind::Condvar]).map(|(share, _)| Self::of(share))
    }

    /// Lets go of the mutex, waits to be notified, and acquires the mutex again, however
    /// long that takes. A recursive mutex is let go wholly, and held as often again.
    ///
    /// If the mutex has lost an owner meanwhile, or its state was not marked consistent,
    /// [`MutexGuard::owner_died`] says so, and the answer is `Ok` in any case.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`: not notified, and the mutex is held again. `Deadlock` if
    /// the thread has prepared a wait, or its transaction holds the mutex; `Permission` for a
    /// read-only segment.
    pub fn wait(&self, guard: &mut MutexGuard<'_>, deadline: Deadline) -> Result<()> {
        let acquired = self.wait_on(thread::here()?, guard.mutex(), deadline)?;
        guard.was_acquired_again(acquired);
        Ok(())
    }

    /// The same on a thread that is known, with a mutex that it may hold.
    pub(crate) fn wait_on(
        &self,
        thread: &'static Thread,
        mutex: &Mutex,
        deadline: Deadline,
    ) -> Result<Acquired> {
        mutex.check_held_on(thread)?;
        let caller = self.prepare_on(thread)?;
        let again = mutex.let_go_on(thread).inspect_err(|_| caller.give_up())?;
        let waited = caller.finish(&mut Wait::new(deadline, &self.spin));
        match mutex.take_back_on(thread, again)? {
            Acquired::OwnerDied => Ok(Acquired::OwnerDied),
            Acquired::Clean => waited.map(|()| Acquired::Clean),
        }
    }

    /// Begins to wait without a mutex of ours: from here on a notification counts. Let go of
    /// your own lock after it, and commit the wait, as often as it takes, or cancel it.
    ///
    /// # Errors
    /// `Deadlock` if the thread has prepared a wait for a condition variable of the same
    /// segment already; `Permission` for a read-only segment.
    pub fn prepare_wait(&self) -> Result<()> {
        self.prepare_on(thread::here()?).map(|_| ())
    }

    /// Waits to be notified, which ends the wait that was prepared.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`: the wait is still prepared, and keeps its place. `NotOwner`
    /// if this thread has prepared none.
    pub fn commit_wait(&self, deadline: Deadline) -> Result<()> {
        self.caller_on(thread::here()?)?.finish_a_piece(&mut Wait::new(deadline, &self.spin))
    }

    /// Ends the wait that was prepared, and says whether it was notified.
    ///
    /// # Errors
    /// `NotOwner` if this thread has prepared none.
    pub fn cancel_wait(&self) -> Result<bool> {
        let mut wait = Wait::new(Deadline::NOW, &self.spin);
        match self.caller_on(thread::here()?)?.finish(&mut wait) {
            Ok(()) => Ok(true),
            Err(error) if error.status() == Status::TimedOut => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Notifies the one that has waited longest, if anybody waits.
    ///
    /// # Errors
    /// `Permission` for a read-only segment.
    pub fn notify_one(&self) -> Result<()> {
        self.notify_many(1)
    }

    /// Notifies all who wait.
    ///
    /// # Errors
    /// As for `notify_one`.
    pub fn notify_all(&self) -> Result<()> {
        self.notify_many(u32::MAX)
    }

    /// Notifies the `n` that have waited longest.
    ///
    /// # Errors
    /// As for `notify_one`.
    pub fn notify_many(&self, n: u32) -> Result<()> {
        self.share.check_writable()?;
        if n == 0 || self.share.body().is_untouched() {
            return Ok(());
        }
        self.caller_on(thread::here()?)?.notify(n)
    }

    fn prepare_on(&self, thread: &'static Thread) -> Result<Caller<'static>> {
        let caller = self.caller_on(thread)?;
        if caller.has_prepared() {
            // Perhaps for something that is gone.
            estate::forget_what_is_over(Actor::new(thread, self.share.attachment())?)?;
        }
        caller.prepare().map(|()| caller)
    }

    /// What keeps it open.
    pub(super) fn share(&self) -> &Arc<Share<CondvarBody>> {
        &self.share
    }

    fn caller_on(&self, thread: &'static Thread) -> Result<Caller<'static>> {
        caller(&self.share, thread)
    }
}

/// A thread at the condition variable.
pub(super) fn caller(
    share: &Share<CondvarBody>,
    thread: &'static Thread,
) -> Result<Caller<'static>> {
    let actor = Actor::new(thread, share.attachment())?;
    Caller::new(share.body(), actor, share.identity())
}

/// Checks the body of a condition variable.
pub(super) fn verify(attachment: &Attachment, object: &Object<'_>) -> Result<()> {
    let body: &CondvarBody = attachment.memory().at(object.body())?;
    body.verify(attachment, object.identity())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::object::segment::SegmentOptions;
    use crate::platform::atomic::Ordering::SeqCst;

    fn segment(what: &str) -> Segment {
        let name = format!("atoll-test-{}-condvar-{what}", std::process::id());
        let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
        Segment::unlink(&name).expect("unlink");
        segment
    }

    fn status<T>(result: Result<T>) -> Option<Status> {
        result.as_ref().err().map(Error::status)
    }

    /// Runs `body` on a thread of its own, to its end.
    fn elsewhere<T: Send>(body: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(body).join().expect("the thread ends well"))
    }

    #[test]
    fn a_guard_is_let_go_and_comes_back() {
        let segment = segment("guard");
        let mutex = Mutex::create(&segment, None, true).expect("a mutex");
        let condvar = Condvar::create(&segment, None).expect("a condvar");
        let mut guard = mutex.lock(Deadline::NEVER).expect("free");
        let deadline = Deadline::after_ns(1_000_000).expect("positive");
        assert_eq!(status(condvar.wait(&mut guard, deadline)), Some(Status::TimedOut));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let guard = mutex.lock(Deadline::NEVER).expect("let go by the one that waits");
                condvar.notify_one().expect("sound");
                drop(guard);
            });
            condvar.wait(&mut guard, Deadline::NEVER).expect("notified");
        });
        assert!(!guard.owner_died());
        assert!(mutex.owner().expect("sound").is_some());
        drop(guard);
        assert!(mutex.owner().expect("sound").is_none());
    }

    /// A wait that was prepared by somebody who ended counts no more, and is not in the way
    /// of the next owner of the slot.
    #[test]
    fn what_a_former_owner_of_the_slot_prepared_is_over() {
        let segment = segment("slot");
        let condvar = Condvar::create(&segment, None).expect("a condvar");
        let first = || segment.attachment().header().next_slot.store(0, SeqCst);
        let slot = || {
            let actor = Actor::new(thread::here()?, segment.attachment())?;
            Ok(actor.slot())
        };
        let slot = || slot().map_err(|error: Error| error.status());
        let free = elsewhere(|| {
            first();
            condvar.prepare_wait().expect("nothing in the way");
            slot()
        });
        let again = elsewhere(|| {
            first();
            assert_eq!(slot(), free, "the same slot");
            condvar.prepare_wait().expect("nothing was left of the former owner's");
            condvar.notify_one().expect("sound");
            condvar.cancel_wait().expect("prepared")
        });
        assert!(again, "the notification is not the dead one's");
        segment.verify().expect("sound");
    }

    /// The same while another one waits, to whom the notification passes on.
    #[test]
    fn a_notification_of_somebody_who_ended_is_the_next_ones() {
        let segment = segment("end");
        let condvar = Condvar::create(&segment, None).expect("a condvar");
        elsewhere(|| {
            condvar.prepare_wait().expect("the first one");
            elsewhere(|| condvar.prepare_wait().expect("one that ends"));
        });
        condvar.prepare_wait().expect("the youngest");
        condvar.notify_one().expect("sound");
        condvar.commit_wait(Deadline::NOW).expect("the others have ended");
        assert_eq!(status(condvar.commit_wait(Deadline::NOW)), Some(Status::NotOwner));
    }

    #[test]
    fn a_body_that_cannot_be_is_found() {
        let segment = segment("verify");
        let condvar = Condvar::create(&segment, None).expect("a condvar");
        condvar.prepare_wait().expect("sound");
        segment.verify().expect("sound");
        let memory = segment.attachment().memory();
        let place = memory.offset_of(condvar.share.body());
        // A ticket that was never drawn, grants below such a one, a bell that rings.
        for (word, damaged) in [(0, 0), (1, 5 << 16 | 1), (2, 1)] {
            let word = &memory.words(place, 3).expect("its own")[word];
            let sound = word.swap(damaged, SeqCst);
            let error = segment.verify().expect_err("damaged");
            assert!(error.text().contains("the condvar at offset"), "{}", error.text());
            word.store(sound, SeqCst);
        }
        segment.verify().expect("sound again");
    }
}
