//! What all rings can do, for who knows the calling thread; and the same as users call it.

use std::os::fd::BorrowedFd;

use super::ring::{RingEnd, RingInfo, too_small};
use crate::error::Result;
use crate::platform::time::Deadline;
use crate::roster::thread::Thread;

/// What was got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Got {
    /// Bytes of the record; of several, how many records.
    pub(crate) count: usize,
    /// How often it was taken over from somebody who died before it had got it.
    pub(crate) times: u32,
    /// False: nothing was got, for there is not room for `count` bytes.
    pub(crate) fits: bool,
}

impl Got {
    /// There is room for less than the next record has: it stays.
    #[cold]
    pub(super) fn too_large(bytes: usize) -> Self {
        Self { count: bytes, times: 0, fits: false }
    }

    /// How many, for who was given room.
    ///
    /// # Errors
    /// `TooSmall` if that is not enough.
    #[inline(always)]
    pub(crate) fn in_room_for(self, bytes: usize) -> Result<Self> {
        if self.fits { Ok(self) } else { Err(too_small(bytes, self.count)) }
    }

    /// For the first time.
    #[inline(always)]
    pub(super) fn first(count: usize) -> Self {
        Self { count, times: 0, fits: true }
    }
}

/// The calls of every ring. What they mean stands at the methods of [`super::spsc::Spsc`].
pub(crate) trait RingCalls {
    /// Bytes of a record; 0 if they have no fixed number.
    fn record(&self) -> usize;

    /// `push` where nothing is special: there is room, and nobody has to be told. `None`: nothing
    /// has happened that `push` does not do again.
    #[inline(always)]
    fn push_at_once(&self, _thread: &'static Thread, _record: &[u8]) -> Option<()> {
        None
    }

    /// `pop` likewise.
    #[inline(always)]
    fn pop_at_once(&self, _thread: &'static Thread, _record: &mut [u8]) -> Option<Got> {
        None
    }

    fn push(&self, thread: &'static Thread, record: &[u8]) -> Result<()>;

    fn push_n(&self, thread: &'static Thread, records: &[u8]) -> Result<u64>;

    fn pop(&self, thread: &'static Thread, record: &mut [u8]) -> Result<Got>;

    fn pop_n(&self, thread: &'static Thread, records: &mut [u8]) -> Result<Got>;

    fn put(&self, thread: &'static Thread, record: &[u8], deadline: Deadline) -> Result<()>;

    fn get(&self, thread: &'static Thread, record: &mut [u8], deadline: Deadline) -> Result<Got>;

    fn descriptor(&self, end: RingEnd) -> Result<BorrowedFd<'_>>;

    fn shutdown(&self, thread: Option<&'static Thread>, end: RingEnd) -> Result<()>;

    fn info(&self) -> RingInfo;
}

/// The methods of every ring: `ring_methods!(self: &mut Self)` where one thread at a time uses
/// a handle, `ring_methods!(self: &Self)` where many do.
macro_rules! ring_methods {
    ($me:ident: $how:ty) => {
        /// Removes the name of a ring. Who has it open goes on using it.
        ///
        /// # Errors
        /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
        pub fn remove(segment: &Segment, name: &str) -> Result<()> {
            segment.remove(name, &[KIND])
        }

        /// Writes a ticket for the ring, for another process to import.
        ///
        /// # Errors
        /// `NoSpace`, `Permission` for a read-only segment.
        pub fn export(&self) -> Result<Ticket> {
            self.ring.export()
        }

        /// The type of its records.
        pub fn ty(&self) -> &Type {
            self.ring.ty()
        }

        /// Puts a record. Never waits.
        ///
        /// # Errors
        /// `Full`; `Closed` if an end is; `InvalidArgument` for bytes that are not one record;
        /// `NotOwner` if another one has the role that it takes; `Permission` for a read-only
        /// segment; `System` if somebody polls and there are too many open files.
        pub fn push($me: $how, record: &[u8]) -> Result<()> {
            $me.ring.push(thread::here()?, record)
        }

        /// Puts as many of some records, one after the other, as there is room for, and says
        /// how many: at least one. In a lane they come to be seen all at once.
        ///
        /// # Errors
        /// As for `push`.
        pub fn push_n($me: $how, records: &[u8]) -> Result<u64> {
            $me.ring.push_n(thread::here()?, records)
        }

        /// Gets a record, into the beginning of `record`, and says how many bytes it has. Never
        /// waits.
        ///
        /// # Errors
        /// `Empty`; `Closed` if it is empty and the producers' end is closed, or the consumers'
        /// end is; `TooSmall` for a buffer that is: the record stays; `NotOwner`, `Permission`,
        /// `System` as for `push`.
        pub fn pop($me: $how, record: &mut [u8]) -> Result<usize> {
            let room = record.len();
            $me.ring.pop(thread::here()?, record)?.in_room_for(room).map(|got| got.count)
        }

        /// Gets as many records as there are and have room, and says how many: at least one.
        ///
        /// # Errors
        /// As for `pop`.
        pub fn pop_n($me: $how, records: &mut [u8]) -> Result<u64> {
            let room = records.len();
            let got = $me.ring.pop_n(thread::here()?, records)?;
            got.in_room_for(room).map(|got| got.count as u64)
        }

        /// Puts a record, and waits for room until the deadline.
        ///
        /// # Errors
        /// `TimedOut`, `Interrupted`, and those of `push` but `Full`.
        pub fn put($me: $how, record: &[u8], deadline: Deadline) -> Result<()> {
            $me.ring.put(thread::here()?, record, deadline)
        }

        /// Gets a record as `pop` does, and waits for one until the deadline.
        ///
        /// # Errors
        /// `TimedOut`, `Interrupted`, and those of `pop` but `Empty`.
        pub fn get($me: $how, record: &mut [u8], deadline: Deadline) -> Result<usize> {
            let room = record.len();
            let got = $me.ring.get(thread::here()?, record, deadline)?;
            got.in_room_for(room).map(|got| got.count)
        }

        /// Closes an end for good, for all processes: nothing is put any more, and who gets
        /// learns it when all has been got; or nothing is got any more, and who puts learns it
        /// at once. All who wait are woken.
        ///
        /// # Errors
        /// `Permission` for a read-only segment; `System` on a thread without a robust list, and
        /// if somebody polls and there are too many open files.
        pub fn shutdown(&self, end: RingEnd) -> Result<()> {
            self.ring.shutdown(thread::visit().thread(), end)
        }

        /// A descriptor that is readable when there is something to get (or for the producers'
        /// end, room to put), and may be when there is not: for `poll`, `epoll` and their like.
        /// To be asked for again before each poll, which empties and arms it; it stays the same
        /// one while the handle is open, the process does not leave, and the program closes
        /// nothing that is not its own. A forked child has to ask anew.
        ///
        /// # Errors
        /// `Permission` for a read-only segment, or where no files can be made beside it;
        /// `System` with too many open files; `NoSpace`.
        pub fn descriptor(&self, end: RingEnd) -> Result<BorrowedFd<'_>> {
            self.ring.descriptor(end)
        }

        /// What it is, and what has gone through it.
        pub fn info(&self) -> RingInfo {
            self.ring.info()
        }
    };
}

pub(super) use ring_methods;
