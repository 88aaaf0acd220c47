//! A value of more than 8 bytes: two copies, and a version whose last bit says which
//! is current.
//!
//! ```text
//!  writer, under the value's mutex          reader, without any
//!  v = version                              v = version            (Acquire, FLIPPED)
//!  fence (Release)                          copy out copy v % 2
//!  fill copy (v + 1) % 2                    fence (Acquire)
//!  version = v + 1        (Release, FLIPPED)  version == v ? done : again
//! ```
//!
//! A reader is overtaken only if a writer came back to its copy, and that one has
//! flipped the version before it touched the copy: the writer's fence pairs with the
//! reader's, so a reader that saw a byte of the newer value sees the newer version.
//!
//! In a transaction the mutex is held, and the version noted, until it ends, so the other
//! copy stays what it was. A value that is stored to a second time is filled again while
//! the version names the old copy. What is to be put back is the old version plus `JUMP`:
//! it names the same copy, and no reader can take it for a version that it saw.
//!
//! # If a process dies
//!
//! Before the flip the current copy is untouched; after it the new one is whole. The
//! mutex's next owner has nothing to repair. Readers never wait for anybody.

use super::transaction::Changes;
use crate::error::{Error, Result, Status};
use crate::layout::Offset;
use crate::layout::bodies::{LARGE_MUTEX, LargeValue};
use crate::layout::entry::LINE;
use crate::layout::memory::Memory;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::thread;
use crate::sync::mutex::{Actor, MutexBody};

/// Where the version is, and the first copy.
const VERSION: u64 = core::mem::offset_of!(LargeValue, version) as u64;
const COPIES: u64 = LARGE_MUTEX + size_of::<MutexBody>() as u64;

/// Even, and more than any transaction stores to one value.
const JUMP: u64 = 1 << 32;

/// The shared parts of a large value.
#[derive(Debug)]
pub(super) struct Large {
    version: &'static AtomicU64,
    mutex: &'static MutexBody,
    copies: [&'static [AtomicU64]; 2],
}

/// Bytes of the body of a value of `size` bytes.
pub(super) fn body_bytes(size: u64) -> u64 {
    COPIES + 2 * copy_span(size)
}

/// Each copy begins on a cache line of its own.
fn copy_span(size: u64) -> u64 {
    size.next_multiple_of(LINE)
}

const IN_TRANSACTION: Error = Error::new(
    Status::Deadlock,
    "this thread's transaction has stored to the value: store through the transaction, or end it \
     first",
);

impl Large {
    /// The large value of `size` bytes whose body is at `body`.
    pub(super) fn at(memory: &'static Memory, body: Offset, size: u64) -> Result<Self> {
        let words = size.div_ceil(8);
        Ok(Self {
            version: memory.at(body + VERSION)?,
            mutex: memory.at(body + LARGE_MUTEX)?,
            copies: [
                memory.words(body + COPIES, words)?,
                memory.words(body + COPIES + copy_span(size), words)?,
            ],
        })
    }

    /// Copies the current value out.
    pub(super) fn load(&self, out: &mut [u8]) {
        loop {
            // Acquire, FLIPPED: the copy it names is whole.
            let version = self.version.load(Acquire);
            copy_out(self.copies[version as usize % 2], out);
            // Pairs with the fence of a writer who came back to this copy.
            fence(Acquire);
            if self.version.load(Relaxed) == version {
                return;
            }
        }
    }

    /// Lets `change` look at the current copy and say what replaces it, if anything.
    pub(super) fn update<'v>(
        &self,
        attachment: &'static Attachment,
        deadline: Deadline,
        change: impl FnOnce(&[AtomicU64]) -> Option<&'v [u8]>,
    ) -> Result<()> {
        let actor = Actor::new(thread::here()?, attachment)?;
        if self.mutex.is_held_by(actor) {
            return Err(IN_TRANSACTION);
        }
        // A writer that died before the flip changed nothing; after it, everything.
        self.mutex.lock(actor, deadline)?;
        self.mutex.mark_consistent(actor)?;
        // Relaxed: only who holds the mutex changes it.
        let version = self.version.load(Relaxed);
        let current = self.copies[version as usize % 2];
        if let Some(new) = change(current) {
            self.flip_to(new);
        }
        self.mutex.unlock(actor)
    }
}

impl Large {
    /// Replaces the value as one of the changes of a transaction. Returns the mutex if the
    /// transaction has come to hold it.
    pub(super) fn store_in(
        &self,
        changes: &Changes,
        body: Offset,
        value: &[u8],
        deadline: Deadline,
    ) -> Result<Option<&'static MutexBody>> {
        let is_held = self.mutex.is_held_by(changes.actor);
        if !is_held {
            self.mutex.lock(changes.actor, deadline)?;
            self.mutex.mark_consistent(changes.actor)?;
            // Relaxed, here and below: only who holds the mutex changes it.
            let version = self.version.load(Relaxed);
            if let Err(error) = changes.note(body + VERSION, version.wrapping_add(JUMP)) {
                self.mutex.unlock(changes.actor)?;
                return Err(error);
            }
        } else {
            // The copy is ours, and readers may look at it: they are sent to the old one.
            // Release: as for the flip.
            self.version.store(self.version.load(Relaxed).wrapping_add(1), Release);
        }
        self.flip_to(value);
        Ok((!is_held).then_some(self.mutex))
    }

    /// Fills the copy that is not current, and makes it so.
    pub(super) fn flip_to(&self, new: &[u8]) {
        let version = self.version.load(Relaxed).wrapping_add(1);
        // Release: the last flip is seen before anything of the copy that it took out of
        // use; pairs with the fence in `load`.
        fence(Release);
        copy_in(new, self.copies[version as usize % 2]);
        // Release, FLIPPED.
        self.version.store(version, Release);
    }
}

/// Relaxed, here and below: ordered by the fences of the protocol.
pub(super) fn copy_out(words: &[AtomicU64], out: &mut [u8]) {
    for (word, bytes) in words.iter().zip(out.chunks_mut(8)) {
        bytes.copy_from_slice(&word.load(Relaxed).to_ne_bytes()[..bytes.len()]);
    }
}

fn copy_in(value: &[u8], words: &[AtomicU64]) {
    for (word, bytes) in words.iter().zip(value.chunks(8)) {
        word.store(super::cell::bits(bytes), Relaxed);
    }
}
