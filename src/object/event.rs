//! The named event.

use std::os::fd::BorrowedFd;

use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::Result;
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::listening::Ear;
use crate::roster::thread::{self, Thread};
use crate::segment::directory::Wanted;
use crate::sync::event::{EventBody, Since};
use crate::sync::wait::{Spin, Wait};

/// A flag that threads of any processes wait for.
///
/// It stays set until somebody clears it. Whoever waits when it is set returns, also if it
/// is cleared at once. No death of one who waits, sets or clears keeps the others waiting.
#[derive(Debug)]
pub struct Event {
    ear: Ear,
    share: Share<EventBody>,
    spin: Spin,
}

impl Event {
    /// Creates an event that is not set; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
    pub fn create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::New)
    }

    /// Opens an event that exists.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Existing)
    }

    /// Opens an event, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(segment: &Segment, name: Option<&str>) -> Result<Self> {
        Self::obtain(segment, name, Wanted::Any)
    }

    fn obtain(segment: &Segment, name: Option<&str>, wanted: Wanted) -> Result<Self> {
        // All zero is an event that is not set.
        Share::obtain(segment, name, wanted, Kind::Event, 0, |_| {}).map(Self::of)
    }

    fn of(share: Share<EventBody>) -> Self {
        Self { ear: Ear::new(), share, spin: Spin::new() }
    }

    /// Removes the name of an event. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Event])
    }

    /// Writes a ticket for the event, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    /// Opens the event that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no event, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        Share::redeem(ticket, &[Kind::Event]).map(|(share, _)| Self::of(share))
    }

    /// The body, and the number of the attachment that it lies in.
    pub(crate) fn place(&self) -> (&EventBody, u64) {
        (self.share.body(), self.share.attachment().number())
    }

    /// Whether it can be set.
    pub(crate) fn is_writable(&self) -> bool {
        self.share.attachment().memory().is_writable()
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.share.body().is_set()
    }

    /// How often it was set, modulo 2^31; to set what is set does not count.
    pub fn sets(&self) -> u32 {
        self.share.body().sets()
    }

    /// Sets it and wakes all who wait. Never waits.
    ///
    /// # Errors
    /// `Permission` for a read-only segment; `System` on a thread without a robust list, and
    /// if somebody polls and there are too many open files.
    pub fn set(&self) -> Result<()> {
        self.set_on(thread::visit().thread())
    }

    /// The same on a thread of which nothing may be known.
    pub(crate) fn set_on(&self, thread: Option<&'static Thread>) -> Result<()> {
        self.share.check_writable()?;
        self.share.body().set(thread, self.share.bell())
    }

    /// A descriptor that is readable when the event is set, and may be when it is not: for `poll`,
    /// `epoll` and their like. To be asked for again before each poll, which empties and arms
    /// it; it stays the same one while the handle is open, the process does not leave, and the
    /// program closes nothing that is not its own. A forked child has to ask anew.
    ///
    /// # Errors
    /// `Permission` for a read-only segment, or where no files can be made beside it; `System`
    /// with too many open files; `NoSpace`.
    pub fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        let body = self.share.body();
        self.share.listen(&self.ear, EventBody::forget_listeners, |listener| {
            listener.renew()?;
            if body.listen()? { listener.be_quiet() } else { listener.be_ready() }
        })
    }

    /// Clears it: who comes from here on waits.
    ///
    /// # Errors
    /// `Permission` for a read-only segment.
    pub fn clear(&self) -> Result<()> {
        self.share.check_writable()?;
        self.share.body().clear()
    }

    /// Waits until it is set.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Permission` for a read-only segment.
    pub fn wait(&self, deadline: Deadline) -> Result<()> {
        self.wait_from(None, deadline)
    }

    /// Waits until it is set, or has been since it was set `since` times: for a wait in
    /// several pieces, so that no setting between two of them is lost.
    ///
    /// # Errors
    /// As for `wait`.
    pub fn wait_since(&self, since: u32, deadline: Deadline) -> Result<()> {
        self.wait_from(Some(since), deadline)
    }

    /// The event as one of several that are waited for: from now on, or as for `wait_since`.
    pub(super) fn since(&self, since: Option<u32>) -> Since<'_> {
        self.share.body().since(since)
    }

    fn wait_from(&self, since: Option<u32>, deadline: Deadline) -> Result<()> {
        let body = self.share.body();
        if body.is_set() {
            return Ok(());
        }
        self.share.check_writable()?;
        let attachment = self.share.attachment();
        body.wait(attachment, thread::here()?, since, Wait::new(deadline, &self.spin))
    }
}
