//! Who takes part in the protocols of this layer.

use core::marker::PhantomData;

use super::mutex::OWNED;
use crate::error::Result;
use crate::layout::block::ParticipantId;
use crate::platform::atomic::Ordering::Relaxed;
use crate::roster::attachment::Attachment;
use crate::roster::participant::{self, NAME_MASK};
use crate::roster::record::Marks;
use crate::roster::thread::{self, Thread};

/// The calling thread in a segment, as a possible owner.
///
/// Two words, so that it goes from function to function in registers. A third would send
/// it through memory, and to read back at once what was stored in pieces makes a
/// processor wait as long as for another exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(super) attachment: &'static Attachment,
    /// The word of a mutex that this thread holds and nobody waits for.
    pub(super) mine: u64,
    /// It stays on its thread.
    _not_send: PhantomData<*const ()>,
}

impl Actor {
    /// The calling thread in `attachment`; takes a seat there if it has none.
    #[inline(always)]
    pub(crate) fn new(thread: &'static Thread, attachment: &'static Attachment) -> Result<Self> {
        Ok(Self::named(attachment, thread.name_in(attachment)?))
    }

    /// The same if it is known by `name` there.
    #[inline(always)]
    pub(crate) fn named(attachment: &'static Attachment, name: u64) -> Self {
        Self { attachment, mine: name | OWNED, _not_send: PhantomData }
    }

    /// What lock words call it.
    #[inline(always)]
    pub(crate) fn name(self) -> u64 {
        self.mine & NAME_MASK
    }

    /// Its slot.
    #[inline(always)]
    pub(crate) fn slot(self) -> u32 {
        participant::slot_in(self.mine)
    }

    /// Its slot and the whole of its generation.
    #[inline]
    pub(crate) fn id(self) -> Result<ParticipantId> {
        let slot = self.slot();
        // Relaxed: our own record.
        let generation = self.attachment.participant(slot)?.generation.load(Relaxed);
        Ok(ParticipantId { slot, generation })
    }

    /// What it reads.
    pub(super) fn marks(self) -> Result<&'static Marks> {
        Ok(&self.attachment.participant(self.slot())?.marks)
    }

    /// The thread.
    #[inline(always)]
    pub(crate) fn thread(self) -> &'static Thread {
        thread::of_actor()
    }

    /// The segment that it takes part in.
    #[inline(always)]
    pub(crate) fn attachment(self) -> &'static Attachment {
        self.attachment
    }

    /// Whether it is the owner that a lock word names.
    #[inline(always)]
    pub(super) fn is_owner_in(self, word: u64) -> bool {
        word & (NAME_MASK | OWNED) == self.mine
    }
}
