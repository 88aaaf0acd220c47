//! A wait for a condition variable that is an object.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::condvar::{self, Condvar};
use super::share::Share;
use crate::error::{Error, Result, Status, invalid};
use crate::platform::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Release},
};
use crate::roster::listening::Ear;
use crate::roster::thread::{self, Deputy, Thread};
use crate::sync::condvar::{Caller, CondvarBody, Vicarious};

/// A wait for a [`Condvar`] that its thread looks after when it has the time: one thread may
/// have many, also for one condition variable, beside a wait of its own.
///
/// A notification counts from its creation on, and it has its place among all who wait. Until
/// it is finished, dropped, or its thread ends, what it is notified of is nobody else's.
///
/// ```
/// use atoll::{Condvar, Deadline, Event, Segment, SegmentOptions, Waiter, wait_any};
/// # fn main() -> atoll::Result<()> {
/// # let name = format!("atoll-doc-{}-waiter", std::process::id());
/// let segment = Segment::create(&name, &SegmentOptions::default())?;
/// # Segment::unlink(&name)?;
/// let stop = Event::create(&segment, None)?;
/// let changed = Condvar::create(&segment, None)?;
/// let waiter = Waiter::create(&changed)?; // with the lock of what may change held
/// changed.notify_one()?;
/// let ready = wait_any(&[(&stop).into(), (&waiter).into()], Deadline::NEVER)?;
/// assert_eq!(ready, 0b10);
/// assert!(waiter.finish()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Waiter {
    ear: Ear,
    share: Arc<Share<CondvarBody>>,
    deputy: Arc<Deputy>,
    /// `WAITS`, or how it ended.
    stage: AtomicU32,
}

const WAITS: u32 = 0;
const NOT_NOTIFIED: u32 = 1;
const NOTIFIED: u32 = 2;

impl Waiter {
    /// Begins to wait, on the calling thread: from here on a notification counts. Do it while
    /// you hold the lock of the condition, and then let go of that.
    ///
    /// # Errors
    /// `NoSpace` if the thread waits so 1024 times, or as many threads and waiters are in the
    /// segment as can be; `Permission` for a read-only segment.
    pub fn create(condvar: &Condvar) -> Result<Self> {
        let share = condvar.share().clone();
        let thread = thread::here()?;
        let caller = condvar::caller(&share, thread)?;
        let deputy = thread.take_deputy(share.attachment())?;
        let waiter = Self { ear: Ear::new(), share, deputy, stage: AtomicU32::new(WAITS) };
        caller.begin_for(&waiter.deputy)?;
        Ok(waiter)
    }

    /// Ends the wait, and says whether it was notified: then the notification is used up. A
    /// second time it says the same.
    ///
    /// # Errors
    /// `NotOwner` if the calling thread did not make it; a forked child has made none.
    pub fn finish(&self) -> Result<bool> {
        // Acquire, here and below: what who ended it has done.
        if self.stage.load(Acquire) == WAITS {
            let (thread, caller) = self.at_its_thread()?;
            if self.ends_here() {
                let notified = caller.finish_for(&self.deputy);
                if let Ok(true) = notified {
                    self.stage.store(NOTIFIED, Release);
                }
                self.deputy.dismiss();
                thread.leave_closed();
                return notified;
            }
        }
        Ok(self.stage.load(Acquire) == NOTIFIED)
    }

    /// A descriptor that is readable when `finish` would say that it was notified, and may be
    /// when it would not: for `poll`, `epoll` and their like. To be asked for again before each
    /// poll, which empties and arms it; it stays the same one while the handle is open, the
    /// process does not leave, and the program closes nothing that is not its own.
    ///
    /// # Errors
    /// `NotOwner` if the calling thread did not make the waiter, `InvalidArgument` if it is
    /// finished; `Permission` where no files can be made beside the segment; `System` with too
    /// many open files; `NoSpace`.
    pub fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        let wait = self.wait()?;
        self.share.listen(&self.ear, CondvarBody::forget_listeners, |listener| {
            listener.renew()?;
            wait.listen(listener)
        })
    }

    /// The wait, to be looked after among others.
    ///
    /// # Errors
    /// As for `descriptor`.
    pub(super) fn wait(&self) -> Result<Vicarious<'static>> {
        if self.stage.load(Acquire) != WAITS {
            return Err(FINISHED);
        }
        self.at_its_thread()?.1.wait_of(&self.deputy)
    }

    /// The calling thread, if it is the one that waits.
    fn at_its_thread(&self) -> Result<(&'static Thread, Caller<'static>)> {
        let thread = thread::here()?;
        if !thread.has_deputy(&self.deputy) {
            return Err(NOT_ITS_THREAD);
        }
        Ok((thread, condvar::caller(&self.share, thread)?))
    }

    /// Ends the wait if it is not finished, as dropping it does: what it was notified of is the next one's. On any
    /// thread; in a forked child it does nothing.
    ///
    /// # Errors
    /// `NoSpace` if the calling thread is new in the segment and there is no room for it.
    pub(crate) fn give_up(&self) -> Result<()> {
        let thread = thread::here()?;
        if self.stage.load(Acquire) != WAITS || !self.deputy.is_of_this_process() {
            return Ok(());
        }
        let caller = condvar::caller(&self.share, thread)?;
        if self.ends_here() {
            let given_up = caller.give_up_for(&self.deputy);
            self.deputy.dismiss();
            // If it is one of ours.
            thread.leave_closed();
            return given_up;
        }
        Ok(())
    }

    /// Whether it is this caller that ends the wait, of several.
    fn ends_here(&self) -> bool {
        self.stage.compare_exchange(WAITS, NOT_NOTIFIED, AcqRel, Acquire).is_ok()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.give_up().is_err() {
            // Its thread leaves the seat, and then it counts as dead.
            self.deputy.dismiss();
        }
    }
}

const NOT_ITS_THREAD: Error = Error::new(
    Status::NotOwner,
    "this waiter waits for the thread that made it, or made it in a parent process: finish it \
     there, or create another one here",
);
const FINISHED: Error = invalid(
    "this waiter is finished, so that there is nothing to wait for: close it, and create another \
     one before you look at the condition again",
);
