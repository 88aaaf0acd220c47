//! What benches measure below the public interface. No part of it.

use crate::error::Result;
use crate::object::segment::Segment;
use crate::roster::thread;
use crate::segment::heap::Want;
use crate::segment::limbo;
use crate::sync::mutex::Actor;

/// The heap of a segment, as objects use it.
#[derive(Debug)]
pub struct Heap<'a> {
    segment: &'a Segment,
}

impl<'a> Heap<'a> {
    /// The heap of `segment`.
    pub fn of(segment: &'a Segment) -> Self {
        Self { segment }
    }

    /// Takes a block of that many bytes; returns where it is.
    ///
    /// # Errors
    /// `NoSpace`.
    pub fn allocate(&self, bytes: u64) -> Result<u64> {
        let want = Want { bytes, align: 16, lead: 16 };
        Ok(limbo::allocate(self.actor()?, &want)?.offset)
    }

    /// Gives it back.
    ///
    /// # Errors
    /// `Corrupted`.
    pub fn release(&self, block: u64) -> Result<()> {
        limbo::release(self.actor()?, block)
    }

    fn actor(&self) -> Result<Actor> {
        Actor::new(thread::here()?, self.segment.attachment())
    }
}
