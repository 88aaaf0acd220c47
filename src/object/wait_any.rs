//! Waiting for any of several objects.

use super::event::Event;
use super::fanin::Fanin;
use super::latch::Latch;
use super::mpmc::Mpmc;
use super::ring::RingEnd;
use super::segment::Segment;
use super::semaphore::Semaphore;
use super::spsc::Spsc;
use super::waiter::Waiter;
use super::{lanes_waits, mpmc_waits};
use crate::error::{Error, READ_ONLY, Result, Status};
use crate::platform::time::Deadline;
use crate::sync::condvar::Vicarious;
use crate::sync::deaths::Deaths;
use crate::sync::event::Since;
use crate::sync::wait::{Spin, Wait};
use crate::sync::waitable::{self, MOST_WAITABLES};

/// What one can wait for beside others.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Waitable<'a> {
    /// Ready when it is set, or was since the call began.
    Event(&'a Event),
    /// Ready when it is set, or was since it had been set so often, as [`Event::sets`] says:
    /// for a wait in several pieces.
    EventSince(&'a Event, u32),
    /// Ready when it is open.
    Latch(&'a Latch),
    /// Ready when there is a permit to be had.
    Semaphore(&'a Semaphore),
    /// Ready when a get (for the producers' end, a put) would not have to wait.
    Spsc(&'a Spsc, RingEnd),
    /// The same; the producers' end is that of the lane that the handle has.
    Fanin(&'a Fanin, RingEnd),
    /// The same.
    Mpmc(&'a Mpmc, RingEnd),
    /// Ready when [`Waiter::finish`] would say that it was notified. Only on its thread, and
    /// while it is not finished.
    Waiter(&'a Waiter),
    /// Ready when [`Segment::wait_death`] would tell of a death with a number above that.
    Death(&'a Segment, u64),
}

impl<'a> From<&'a Event> for Waitable<'a> {
    fn from(event: &'a Event) -> Self {
        Self::Event(event)
    }
}

impl<'a> From<(&'a Event, u32)> for Waitable<'a> {
    fn from((event, sets): (&'a Event, u32)) -> Self {
        Self::EventSince(event, sets)
    }
}

impl<'a> From<&'a Latch> for Waitable<'a> {
    fn from(latch: &'a Latch) -> Self {
        Self::Latch(latch)
    }
}

impl<'a> From<&'a Semaphore> for Waitable<'a> {
    fn from(semaphore: &'a Semaphore) -> Self {
        Self::Semaphore(semaphore)
    }
}

impl<'a> From<&'a Waiter> for Waitable<'a> {
    fn from(waiter: &'a Waiter) -> Self {
        Self::Waiter(waiter)
    }
}

/// One that a call waits for.
enum Awaited<'a> {
    Event(Since<'a>),
    Deaths(Deaths<'a>),
    Waiter(Vicarious<'a>),
    Lanes(lanes_waits::OneEnd<'a>),
    Mpmc(mpmc_waits::OneEnd<'a>),
    Object(&'a dyn waitable::Waitable),
}

impl Awaited<'_> {
    fn as_waitable(&self) -> &dyn waitable::Waitable {
        match self {
            Self::Event(event) => event,
            Self::Deaths(deaths) => deaths,
            Self::Waiter(waiter) => waiter,
            Self::Lanes(end) => end,
            Self::Mpmc(end) => end,
            Self::Object(object) => *object,
        }
    }
}

impl<'a> Waitable<'a> {
    fn begin(self) -> Result<Awaited<'a>> {
        Ok(match self {
            Self::Event(event) => Awaited::Event(event.since(None)),
            Self::EventSince(event, sets) => Awaited::Event(event.since(Some(sets))),
            Self::Latch(latch) => Awaited::Object(latch.waitable()),
            Self::Semaphore(semaphore) => Awaited::Object(semaphore.waitable()),
            Self::Spsc(ring, end) => Awaited::Lanes(ring.ring().one_end(end)),
            Self::Fanin(ring, end) => Awaited::Lanes(ring.ring().one_end(end)),
            Self::Mpmc(ring, end) => Awaited::Mpmc(ring.ring().one_end(end)),
            Self::Waiter(waiter) => Awaited::Waiter(waiter.wait()?),
            Self::Death(segment, seen_epoch) => Awaited::Deaths(segment.deaths(seen_epoch)?),
        })
    }

    /// Who waits says so in shared memory.
    fn is_writable(self) -> bool {
        match self {
            Self::Event(event) | Self::EventSince(event, _) => event.is_writable(),
            Self::Latch(latch) => latch.is_writable(),
            Self::Semaphore(semaphore) => semaphore.is_writable(),
            Self::Spsc(ring, _) => ring.ring().is_writable(),
            Self::Fanin(ring, _) => ring.ring().is_writable(),
            Self::Mpmc(ring, _) => ring.ring().is_writable(),
            Self::Waiter(_) | Self::Death(..) => true,
        }
    }
}

thread_local! {
    /// What the waits of this thread have found out: they are for other objects each time.
    static SPIN: Spin = const { Spin::new() };
}

/// Waits until at least one of up to 64 objects is ready, in whatever segments they lie, and
/// says which are: bit i stands for `waitables[i]`. It takes nothing, and changes nothing.
/// One object may be there several times.
///
/// Others may be faster: a semaphore that was ready has to be acquired with a deadline that
/// is over.
///
/// # Errors
/// `TimedOut`, `Interrupted`, `InvalidArgument` for none or more than 64 and for a waiter that
/// is finished, `NotOwner` for one of another thread, `Permission` if none
/// is ready and one is in a read-only segment.
///
/// ```
/// use atoll::{Deadline, Event, Segment, SegmentOptions, Semaphore, SemaphoreOptions, wait_any};
/// # fn main() -> atoll::Result<()> {
/// # let name = format!("atoll-doc-{}-wait-any", std::process::id());
/// let segment = Segment::create(&name, &SegmentOptions::default())?;
/// # Segment::unlink(&name)?;
/// let stop = Event::create(&segment, None)?;
/// let work = Semaphore::create(&segment, None, &SemaphoreOptions::default())?;
/// work.release(1)?;
/// let ready = wait_any(&[(&stop).into(), (&work).into()], Deadline::NEVER)?;
/// assert_eq!(ready, 0b10);
/// # Ok(())
/// # }
/// ```
pub fn wait_any(waitables: &[Waitable<'_>], deadline: Deadline) -> Result<u64> {
    check_number(waitables.len())?;
    let begun: Vec<Awaited<'_>> = waitables.iter().map(|one| one.begin()).collect::<Result<_>>()?;
    let all: Vec<_> = begun.iter().map(Awaited::as_waitable).collect();
    let can_wait = waitables.iter().all(|one| one.is_writable());
    let deadline = if can_wait { deadline } else { Deadline::NOW };
    let outcome = SPIN.with(|spin| waitable::wait_any(&all, Wait::new(deadline, spin)));
    match outcome {
        Err(late) if !can_wait && late.status() == Status::TimedOut => Err(READ_ONLY),
        outcome => outcome,
    }
}

/// Refuses to wait for nothing, and for more than an answer has bits.
pub(crate) fn check_number(n: usize) -> Result<()> {
    if (1..=MOST_WAITABLES).contains(&n) {
        return Ok(());
    }
    Err(Error::with(
        Status::InvalidArgument,
        format!("one can wait for 1 to {MOST_WAITABLES} things at a time, not for {n}"),
    ))
}
