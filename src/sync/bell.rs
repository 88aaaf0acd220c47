//! How who changes a word tells those who listen with a descriptor (`platform::doorbell`).
//!
//! Who listens sets LISTENED in the word, with the bell's FIFO open. Who is about to change
//! the word so that there is something to be seen, and sees LISTENED, takes the bell into the
//! hand first, takes LISTENED away by the exchange that publishes the change, and lets go of the
//! bell after that. Killed anywhere between, it rings all the same.
//!
//! # Invariants
//!
//! - **B1** LISTENED is set with WAITERS, and in the words of gates and semaphores only while
//!   there is nothing to be seen: by an exchange of such a word. So whoever has to ring comes to
//!   where waiters are woken, and no short way misses it.
//! - **B2** An exchange takes LISTENED away only from a word that was loaded with the bell in
//!   the hand, and before the bell was seen to have its name (`Pull::holds`).
//!
//! # Edges
//!
//! | edge      | release                | acquire                   | what it carries             |
//! |-----------|------------------------|---------------------------|-----------------------------|
//! | LISTENING | who listens sets       | who rings loads it with   | the FIFO has its name, and  |
//! |           | LISTENED               | the bell in the hand      | one before it has lost it   |
//!
//! What was written before the change is read by who looks at the word, which everybody does who
//! was rung for.

use super::node::Identity;
use crate::error::Result;
use crate::platform::doorbell::{BellId, BellPath, Ring};
use crate::platform::file::SegmentPath;

/// In the word of an object: somebody listens.
pub(super) const LISTENED: u64 = 1 << 63;

/// The bell of one object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bell<'a> {
    /// Beside which it lies.
    pub(crate) segment: &'a SegmentPath,
    /// The identity of that segment.
    pub(crate) identity: u64,
    pub(crate) object: Identity,
}

impl<'a> Bell<'a> {
    /// What to ring it with. Nothing is opened yet.
    pub(super) fn pull(self) -> Pull<'a> {
        Pull { bell: self, ring: None, missed: false }
    }

    /// The path of its FIFO.
    ///
    /// # Errors
    /// `System` if it is too long.
    pub(crate) fn path(&self) -> Result<BellPath> {
        let Identity { object, place } = self.object;
        BellPath::of(self.segment, BellId { segment: self.identity, object, place })
    }
}

/// A bell that is about to be rung: it is when this is dropped, if it was taken into the hand.
pub(super) struct Pull<'a> {
    bell: Bell<'a>,
    ring: Option<Ring>,
    /// There was none of that name.
    missed: bool,
}

impl Pull<'_> {
    /// To be asked with a word at hand that says LISTENED. True: it may be exchanged. False: it
    /// is to be loaded again, for the bell was taken into the hand only now, or was not there:
    /// who leaves takes LISTENED away before the bell.
    ///
    /// # Errors
    /// Those of `Ring::take`: then nothing must be published.
    pub(super) fn holds(&mut self) -> Result<bool> {
        if self.ring.as_ref().is_some_and(Ring::has_name) {
            return Ok(true);
        }
        let path = self.bell.path()?;
        // The one in the hand, if any, has lost its name: let go of only with the new one.
        self.ring = match Ring::take(&path)? {
            None if self.missed => Ring::replace(&path)?,
            found => found,
        };
        self.missed = self.ring.is_none();
        Ok(false)
    }
}
