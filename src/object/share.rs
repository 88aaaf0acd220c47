//! A share in an object with a body of one kind: what most objects are, seen from above.

use std::os::fd::BorrowedFd;

use super::segment::Segment;
use super::ticket::Ticket;
use crate::error::Result;
use crate::layout::block::Kind;
use crate::layout::entry::Entry;
use crate::layout::{Offset, Shared};
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::file;
use crate::platform::listener::Listener;
use crate::roster::attachment::Attachment;
use crate::roster::listening::Ear;
use crate::roster::thread;
use crate::segment::directory::Wanted;
use crate::segment::holding::Holding;
use crate::sync::bell::Bell;
use crate::sync::node::Identity;

/// An object that is open, and its body.
#[derive(Debug)]
pub(super) struct Share<B: 'static> {
    holding: Holding,
    body: &'static B,
    generation: u64,
}

impl<B: Shared> Share<B> {
    /// Finds or makes an object. The body of a new one is all zero, and `begin` makes it what
    /// it is to be; `more` bytes follow it.
    pub(super) fn obtain(
        segment: &Segment,
        name: Option<&str>,
        wanted: Wanted,
        kind: Kind,
        more: u64,
        begin: impl Fn(&B),
    ) -> Result<Self> {
        let bytes = size_of::<B>() as u64 + more;
        let attachment = segment.attachment();
        let make = |body| attachment.memory().at::<B>(body).map(&begin);
        let (holding, body) = segment.obtain(name, wanted, kind, bytes, make)?;
        Self::at(holding, body)
    }

    /// The object that a ticket is for, and which of `kinds` it is.
    pub(super) fn redeem(ticket: &Ticket, kinds: &[Kind]) -> Result<(Self, Kind)> {
        let (holding, kind, body) = ticket.redeem(kinds)?;
        Ok((Self::at(holding, body)?, kind))
    }

    fn at(holding: Holding, body: Offset) -> Result<Self> {
        let memory = holding.attachment().memory();
        let body = memory.at(body)?;
        // Relaxed: constant while the object is held.
        let generation = memory.at::<Entry>(holding.entry())?.generation.load(Relaxed);
        Ok(Self { holding, body, generation })
    }

    /// A ticket for the object.
    pub(super) fn export(&self) -> Result<Ticket> {
        Ticket::write(&self.holding)
    }

    /// Where the body is.
    pub(super) fn offset(&self) -> Offset {
        self.attachment().memory().offset_of(self.body)
    }

    /// The body.
    #[inline(always)]
    pub(super) fn body(&self) -> &'static B {
        self.body
    }

    /// The segment that it is in.
    #[inline(always)]
    pub(super) fn attachment(&self) -> &'static Attachment {
        self.holding.attachment()
    }

    /// What nodes call the object.
    #[inline]
    pub(super) fn identity(&self) -> Identity {
        Identity { object: self.generation, place: self.holding.entry() }
    }

    /// The bell for those who listen to it.
    #[inline]
    pub(super) fn bell(&self) -> Bell<'static> {
        let attachment = self.attachment();
        let (segment, identity) = (attachment.path(), attachment.header().identity);
        Bell { segment, identity, object: self.identity() }
    }

    /// The descriptor by which `ear` listens to it, after `arm` has said what it is to be;
    /// `forget` takes LISTENED away.
    ///
    /// # Errors
    /// `Permission` for a read-only segment and where no files can be made beside it, `System`,
    /// `NoSpace`, those of `arm`.
    pub(super) fn listen<'a>(
        &self,
        ear: &'a Ear,
        forget: fn(&B),
        arm: impl FnOnce(&mut Listener) -> Result<()>,
    ) -> Result<BorrowedFd<'a>>
    where
        B: Sync,
    {
        let body = self.body;
        self.listen_until(ear, move || forget(body), arm)
    }

    /// The same for an object that is more than its body.
    ///
    /// # Errors
    /// As for `listen`.
    pub(super) fn listen_until<'a>(
        &self,
        ear: &'a Ear,
        forget: impl Fn() + Send + 'static,
        arm: impl FnOnce(&mut Listener) -> Result<()>,
    ) -> Result<BorrowedFd<'a>> {
        self.check_writable()?;
        let attachment = self.attachment();
        // Who listens is a member: others clear up what it leaves.
        thread::here()?.name_in(attachment)?;
        // Relaxed: before there is a file; who wants to know looks later, or never.
        attachment.header().bells.store(1, Relaxed);
        let bell = self.bell();
        let begin = || {
            let mode = file::facts(attachment.file()?)?.mode;
            Listener::begin(&bell.path()?, mode)
        };
        ear.descriptor(begin, forget, arm)
    }

    /// Refuses what would write through a handle that may only read.
    pub(super) fn check_writable(&self) -> Result<()> {
        if self.attachment().memory().is_writable() {
            return Ok(());
        }
        Err(crate::error::READ_ONLY)
    }
}
