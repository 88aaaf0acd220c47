//! The named semaphore, of either sort.

use std::os::fd::BorrowedFd;

use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::{Error, Result, Status, invalid};
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::listening::Ear;
use crate::roster::thread::{self, Thread};
use crate::segment::directory::Wanted;
use crate::sync::mutex::Actor;
use crate::sync::semaphore::{MOST_PERMITS, SemaphoreBody};
use crate::sync::tracked::{MOST_TRACKED, Tracked, TrackedBody, bytes_of_permits};
use crate::sync::wait::{Spin, Wait};
use crate::sync::waitable::Waitable;

const KINDS: [Kind; 2] = [Kind::Semaphore, Kind::TrackedSemaphore];

/// What a semaphore is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SemaphoreOptions {
    /// How many permits there are to be had at first.
    pub value: u32,
    /// How many there can be; 0: 2^31 - 1, or `value` if it is tracked. For who opens one
    /// that exists: how many it expects, 0 for any number.
    pub max: u32,
    /// Whether permits belong to processes.
    pub tracked: bool,
}

/// What a semaphore is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemaphoreInfo {
    /// How many permits there are to be had; of a tracked one also those of the dead.
    pub value: u32,
    /// How many there can be.
    pub max: u32,
    /// Whether permits belong to processes.
    pub tracked: bool,
}

/// Permits that threads of any processes take and give.
///
/// A plain one counts, and anybody may release: what a process took that dies is gone. The
/// permits of a *tracked* one belong to the process that took them, whichever of its threads
/// gives them back, and are to be had again as soon as it is dead or has left the segment.
#[derive(Debug)]
pub struct Semaphore {
    ear: Ear,
    sort: Sort,
    spin: Spin,
}

#[derive(Debug)]
enum Sort {
    Plain(Share<SemaphoreBody>),
    Tracked(Share<TrackedBody>, Tracked),
}

impl Semaphore {
    /// Creates a semaphore; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(
        segment: &Segment,
        name: Option<&str>,
        options: &SemaphoreOptions,
    ) -> Result<Self> {
        Self::obtain(segment, name, options, Wanted::New)
    }

    /// Opens a semaphore that exists; `value` does not matter.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind` also for one of another sort or max, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>, options: &SemaphoreOptions) -> Result<Self> {
        Self::obtain(segment, name, options, Wanted::Existing)
    }

    /// Opens a semaphore, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(
        segment: &Segment,
        name: Option<&str>,
        options: &SemaphoreOptions,
    ) -> Result<Self> {
        Self::obtain(segment, name, options, Wanted::Any)
    }

    fn obtain(
        segment: &Segment,
        name: Option<&str>,
        options: &SemaphoreOptions,
        wanted: Wanted,
    ) -> Result<Self> {
        if wanted != Wanted::Existing {
            check(options)?;
        }
        let SemaphoreOptions { value, max, tracked } = *options;
        let sort = if tracked {
            let begin = |body: &TrackedBody| body.begin(value);
            let more = bytes_of_permits(value.min(MOST_TRACKED));
            Sort::tracked(Share::obtain(
                segment,
                name,
                wanted,
                Kind::TrackedSemaphore,
                more,
                begin,
            )?)?
        } else {
            let most = if max == 0 { MOST_PERMITS } else { max };
            let begin = |body: &SemaphoreBody| body.begin(value, most);
            Sort::Plain(Share::obtain(segment, name, wanted, Kind::Semaphore, 0, begin)?)
        };
        let semaphore = Self { ear: Ear::new(), sort, spin: Spin::new() };
        match semaphore.max() {
            there if max == 0 || there == max => Ok(semaphore),
            there => Err(Error::with(
                Status::WrongKind,
                format!("the semaphore has max {there}, not {max}: open it with 0 for any max"),
            )),
        }
    }

    /// Removes the name of a semaphore of either sort. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &KINDS)
    }

    /// Writes a ticket for the semaphore, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        match &self.sort {
            Sort::Plain(share) => share.export(),
            Sort::Tracked(share, _) => share.export(),
        }
    }

    /// Opens the semaphore that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no semaphore, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        let is_tracked = ticket.words[0] == Kind::TrackedSemaphore as u64;
        let sort = if is_tracked {
            Sort::tracked(Share::redeem(ticket, &[Kind::TrackedSemaphore])?.0)?
        } else {
            Sort::Plain(Share::redeem(ticket, &[Kind::Semaphore])?.0)
        };
        Ok(Self { ear: Ear::new(), sort, spin: Spin::new() })
    }

    /// Takes a permit, and waits for one until the deadline.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `NoSpace` if the segment has no place for another thread,
    /// `Permission` for a read-only segment.
    pub fn acquire(&self, deadline: Deadline) -> Result<()> {
        self.acquire_on(thread::here()?, deadline)
    }

    /// The same on a thread that is known.
    pub(crate) fn acquire_on(&self, thread: &'static Thread, deadline: Deadline) -> Result<()> {
        let wait = Wait::new(deadline, &self.spin);
        match &self.sort {
            Sort::Plain(share) => {
                // With a seat the next call takes the short way.
                Actor::new(thread, share.attachment())?;
                share.body().acquire(share.attachment(), thread, wait)
            }
            Sort::Tracked(share, tracked) => {
                Actor::new(thread, share.attachment())?;
                tracked.acquire(thread, wait).map(drop)
            }
        }
    }

    /// Gives `n` permits, and wakes as many who wait. Never waits.
    ///
    /// Of a tracked semaphore: gives back those of this process first, and then those of
    /// others.
    ///
    /// # Errors
    /// `Full` if there would be more than its max, `Permission` for a read-only segment,
    /// `System` on a thread without a robust list, and if somebody polls and there are too
    /// many open files.
    pub fn release(&self, n: u32) -> Result<()> {
        self.release_on(thread::visit().thread(), n)
    }

    /// The same on a thread of which nothing may be known.
    pub(crate) fn release_on(&self, thread: Option<&'static Thread>, n: u32) -> Result<()> {
        match &self.sort {
            Sort::Plain(share) => {
                share.check_writable()?;
                share.body().release(thread, share.bell(), n)
            }
            Sort::Tracked(share, tracked) => {
                share.check_writable()?;
                tracked.release(thread, share.bell(), n)
            }
        }
    }

    /// A descriptor that is readable when there is a permit to be had, and may be when there
    /// is none: for `poll`, `epoll` and their like. To be asked for again before each poll, which empties and arms
    /// it; it stays the same one while the handle is open, the process does not leave, and the
    /// program closes nothing that is not its own. A forked child has to ask anew.
    ///
    /// # Errors
    /// `Permission` for a read-only segment, or where no files can be made beside it; `System`
    /// with too many open files; `NoSpace`.
    pub fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        match &self.sort {
            Sort::Plain(share) => {
                let body = share.body();
                share.listen(&self.ear, SemaphoreBody::forget_listeners, |listener| {
                    listener.renew()?;
                    if body.listen()? { listener.be_quiet() } else { listener.be_ready() }
                })
            }
            Sort::Tracked(share, tracked) => {
                share.listen(&self.ear, TrackedBody::forget_listeners, |listener| {
                    listener.renew()?;
                    tracked.listen(listener)
                })
            }
        }
    }

    /// What it is at this moment.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub fn info(&self) -> Result<SemaphoreInfo> {
        let (value, tracked) = match &self.sort {
            Sort::Plain(share) => (share.body().value(), false),
            Sort::Tracked(_, tracked) => (tracked.value()?, true),
        };
        Ok(SemaphoreInfo { value, max: self.max(), tracked })
    }

    /// The semaphore as one of several that are waited for.
    pub(super) fn waitable(&self) -> &dyn Waitable {
        match &self.sort {
            Sort::Plain(share) => share.body(),
            Sort::Tracked(_, tracked) => tracked,
        }
    }

    /// Whether one can wait for it.
    pub(super) fn is_writable(&self) -> bool {
        let attachment = match &self.sort {
            Sort::Plain(share) => share.attachment(),
            Sort::Tracked(share, _) => share.attachment(),
        };
        attachment.memory().is_writable()
    }

    fn max(&self) -> u32 {
        match &self.sort {
            Sort::Plain(share) => share.body().max(),
            Sort::Tracked(_, tracked) => tracked.max(),
        }
    }

    /// The body and the number of the attachment that it lies in, if it can be used without
    /// more: of a plain one that can be written.
    pub(crate) fn place(&self) -> Option<(&SemaphoreBody, u64)> {
        match &self.sort {
            Sort::Plain(share) if share.attachment().memory().is_writable() => {
                Some((share.body(), share.attachment().number()))
            }
            _ => None,
        }
    }
}

impl Sort {
    fn tracked(share: Share<TrackedBody>) -> Result<Self> {
        let tracked = Tracked::of(share.attachment(), share.body())?;
        Ok(Self::Tracked(share, tracked))
    }
}

/// Refuses what no semaphore can be.
fn check(options: &SemaphoreOptions) -> Result<()> {
    let SemaphoreOptions { value, max, tracked } = *options;
    let most = match tracked {
        true => MOST_TRACKED,
        false if max == 0 => MOST_PERMITS,
        false => max.min(MOST_PERMITS),
    };
    if value > most || max > MOST_PERMITS {
        return Err(Error::with(
            Status::InvalidArgument,
            format!("a semaphore with value {value} and max {max} cannot be: at most {most}"),
        ));
    }
    if tracked && value == 0 {
        return Err(invalid("a tracked semaphore has as many permits as its value: give one"));
    }
    if tracked && max != 0 && max != value {
        return Err(invalid(
            "a tracked semaphore begins with all of its permits: give its max as value, and max 0",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Offset;
    use crate::object::segment::SegmentOptions;
    use crate::platform::atomic::Ordering::SeqCst;

    fn segment(purpose: &str) -> Segment {
        let name = format!("atoll-test-{}-semaphore-{purpose}", std::process::id());
        let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
        Segment::unlink(&name).expect("unlink");
        segment
    }

    fn options(value: u32, max: u32, tracked: bool) -> SemaphoreOptions {
        SemaphoreOptions { value, max, tracked }
    }

    fn status<T>(result: Result<T>) -> Status {
        result.err().map_or(Status::Ok, |error| error.status())
    }

    #[test]
    fn each_sort_gives_what_it_has_and_no_more() {
        let segment = segment("sorts");
        for options in [options(2, 0, false), options(2, 2, false), options(2, 0, true)] {
            let semaphore = Semaphore::create(&segment, None, &options).expect("a semaphore");
            for left in [1, 0] {
                semaphore.acquire(Deadline::NEVER).expect("there is one");
                assert_eq!(semaphore.info().expect("sound").value, left, "{options:?}");
            }
            assert_eq!(status(semaphore.acquire(Deadline::NOW)), Status::TimedOut);
            semaphore.release(2).expect("both were acquired");
            let SemaphoreInfo { value, max, tracked } = semaphore.info().expect("sound");
            assert_eq!((value, tracked), (2, options.tracked));
            let over = semaphore.release(1);
            assert_eq!(status(over), if max == 2 { Status::Full } else { Status::Ok });
            segment.verify().expect("sound");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let segment = segment("options");
        for (value, max, tracked) in [
            (3, 2, false),
            (MOST_PERMITS + 1, 0, false),
            (0, MOST_PERMITS + 1, false),
            (0, 0, true),
            (MOST_TRACKED + 1, 0, true),
            (2, 3, true),
            (0, 2, true),
        ] {
            let made = Semaphore::create(&segment, None, &options(value, max, tracked));
            assert_eq!(status(made), Status::InvalidArgument, "{value} {max} {tracked}");
        }
    }

    #[test]
    fn a_permit_that_names_nobody_is_damage() {
        let segment = segment("damage");
        let semaphore =
            Semaphore::create(&segment, None, &options(2, 0, true)).expect("a semaphore");
        semaphore.acquire(Deadline::NOW).expect("there are two");
        let Sort::Tracked(share, _) = &semaphore.sort else { panic!("it is tracked") };
        let memory = segment.attachment().memory();
        let behind = memory.offset_of(share.body()) + size_of::<TrackedBody>() as Offset;
        let permits = memory.words(behind, 2).expect("they lie there");
        // A generation without a member, a member that cannot be, one that never was.
        for damage in [1 << 32, 1 << 32 | 0xffff_ffff, 99 << 32 | 1] {
            let was = permits[1].swap(damage, SeqCst);
            assert_eq!(status(segment.verify()), Status::Corrupted, "{damage:#x}");
            let got = status(semaphore.acquire(Deadline::NOW));
            assert!(matches!(got, Status::Corrupted | Status::Ok), "{got:?}");
            permits[1].store(was, SeqCst);
            segment.verify().expect("repaired");
        }
    }
}
