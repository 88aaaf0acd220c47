//! The named latch.

use std::os::fd::BorrowedFd;

use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::{Error, Result, Status};
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::listening::Ear;
use crate::roster::thread;
use crate::segment::directory::Wanted;
use crate::sync::latch::{LatchBody, MOST_COUNT};
use crate::sync::wait::{Spin, Wait};

/// Opens when it has been counted down to zero, for good.
///
/// Any thread of any process may count down, also several times. One that dies before it
/// has leaves the others waiting, until somebody counts down in its place.
#[derive(Debug)]
pub struct Latch {
    ear: Ear,
    share: Share<LatchBody>,
    spin: Spin,
}

impl Latch {
    /// Creates a latch that waits for `count`; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `Permission`, `InvalidArgument`, also for a count beyond
    /// 2^31 - 1.
    pub fn create(segment: &Segment, name: Option<&str>, count: u32) -> Result<Self> {
        Self::obtain(segment, name, count, Wanted::New)
    }

    /// Opens a latch that exists.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, 0, Wanted::Existing)
    }

    /// Opens a latch, whatever it has been counted down to, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(segment: &Segment, name: Option<&str>, count: u32) -> Result<Self> {
        Self::obtain(segment, name, count, Wanted::Any)
    }

    fn obtain(segment: &Segment, name: Option<&str>, count: u32, wanted: Wanted) -> Result<Self> {
        if count > MOST_COUNT {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("count {count} is too much for a latch: at most {MOST_COUNT}"),
            ));
        }
        let begin = |body: &LatchBody| body.begin(count);
        Share::obtain(segment, name, wanted, Kind::Latch, 0, begin).map(Self::of)
    }

    fn of(share: Share<LatchBody>) -> Self {
        Self { ear: Ear::new(), share, spin: Spin::new() }
    }

    /// Removes the name of a latch. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Latch])
    }

    /// Writes a ticket for the latch, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    /// Opens the latch that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no latch, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        Share::redeem(ticket, &[Kind::Latch]).map(|(share, _)| Self::of(share))
    }

    /// What it still waits for; 0: it is open.
    pub fn count(&self) -> u32 {
        self.share.body().count()
    }

    /// Counts down by `n`, and opens it at zero. Never waits.
    ///
    /// # Errors
    /// `InvalidArgument` if it waits for less than `n`, `Permission` for a read-only segment,
    /// `System` if somebody polls and there are too many open files.
    pub fn count_down(&self, n: u32) -> Result<()> {
        self.share.check_writable()?;
        self.share.body().count_down(thread::here()?, self.share.bell(), n)
    }

    /// A descriptor that is readable when the latch is open, and may be when it is not: for `poll`,
    /// `epoll` and their like. To be asked for again before each poll, which empties and arms
    /// it; it stays the same one while the handle is open, the process does not leave, and the
    /// program closes nothing that is not its own. A forked child has to ask anew.
    ///
    /// # Errors
    /// `Permission` for a read-only segment, or where no files can be made beside it; `System`
    /// with too many open files; `NoSpace`.
    pub fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        let body = self.share.body();
        self.share.listen(&self.ear, LatchBody::forget_listeners, |listener| {
            listener.renew()?;
            if body.listen()? { listener.be_quiet() } else { listener.be_ready() }
        })
    }

    /// Waits until it is open.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Permission` for a read-only segment.
    pub fn wait(&self, deadline: Deadline) -> Result<()> {
        if self.count() == 0 {
            return Ok(());
        }
        self.share.check_writable()?;
        let attachment = self.share.attachment();
        self.share.body().wait(attachment, thread::here()?, Wait::new(deadline, &self.spin))
    }
    /// The latch as one of several that are waited for.
    pub(super) fn waitable(&self) -> &LatchBody {
        self.share.body()
    }

    /// Whether one can wait for it.
    pub(super) fn is_writable(&self) -> bool {
        self.share.attachment().memory().is_writable()
    }
}
