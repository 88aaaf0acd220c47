//! A share in an object with a body of one kind: what most objects are, seen from above.

use super::segment::Segment;
use super::ticket::Ticket;
use crate::error::Result;
use crate::layout::block::Kind;
use crate::layout::entry::Entry;
use crate::layout::{Offset, Shared};
use crate::platform::atomic::Ordering::Relaxed;
use crate::roster::attachment::Attachment;
use crate::segment::directory::Wanted;
use crate::segment::holding::Holding;
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

    /// Refuses what would write through a handle that may only read.
    pub(super) fn check_writable(&self) -> Result<()> {
        if self.attachment().memory().is_writable() {
            return Ok(());
        }
        Err(crate::error::READ_ONLY)
    }
}
