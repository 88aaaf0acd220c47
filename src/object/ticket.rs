//! Tickets: how an object without a name gets from one process to another.
//!
//! A ticket is a few numbers and the name of the segment: it can be sent through any
//! channel. It keeps the object alive for whoever comes with it first, as long as the
//! process that wrote it takes part in the segment.

use super::segment::Segment;
use crate::error::{Error, Result, Status};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::roster::holdings::Place;
use crate::segment::directory::Object;
use crate::segment::holding::{self, Holding};

/// A ticket for an object. Whoever redeems it first takes it over; copies that come later
/// lead to the object for as long as somebody else has it open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The name of the segment.
    pub segment: String,
    /// Which segment of that name it is.
    pub identity: u64,
    /// What the object is, where it is, which one it is there, and where the ticket is.
    pub words: [u64; 6],
}

impl Ticket {
    /// Writes a ticket for an object that is open.
    pub(super) fn write(holding: &Holding) -> Result<Self> {
        let attachment = holding.attachment();
        let object = Object::at(attachment.memory(), holding.entry())?;
        let ticket = holding::write_ticket(holding)?;
        Ok(Self {
            segment: attachment.path().name().to_owned(),
            identity: attachment.header().identity,
            words: [
                object.kind as u64,
                ticket.entry,
                ticket.generation,
                ticket.place.page,
                ticket.place.index.into(),
                ticket.number,
            ],
        })
    }

    /// A share in the object, whose kind has to be one of `kinds`, and where its body is.
    pub(super) fn redeem(&self, kinds: &[Kind]) -> Result<(Holding, Kind, Offset)> {
        let [kind, entry, generation, page, index, number] = self.words;
        let Some(kind) = kinds.iter().find(|known| **known as u64 == kind) else {
            return Err(Error::with(
                Status::WrongKind,
                format!(
                    "the ticket is not for {}: import it as what it was exported",
                    kinds[0].one()
                ),
            ));
        };
        let segment = Segment::open_again(&self.segment, self.identity)?;
        let place = Place { page, index: u32::try_from(index).unwrap_or(u32::MAX) };
        let ticket = holding::Ticket { entry, generation, place, number };
        let holding = holding::redeem(segment.attachment(), &ticket)?;
        let object = Object::at(holding.attachment().memory(), entry)?;
        if object.kind != *kind {
            return Err(Error::new(
                Status::WrongKind,
                "the ticket says another kind than the object",
            ));
        }
        let body = object.body();
        Ok((holding, *kind, body))
    }
}
