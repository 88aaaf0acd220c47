//! Places of a ring for many in the hands of a process.

use core::mem::ManuallyDrop;

use super::mpmc_ring::MpmcRing;
use crate::error::Result;
use crate::ring::copy::Slots;
use crate::ring::in_place::InHand;
use crate::roster::thread;

/// A place that is claimed to be written to ([`Mpmc::claim`](super::mpmc::Mpmc::claim)). It belongs
/// to the process: any thread may finish it, and if the process dies it is skipped. Dropped
/// without `commit`, it is given up.
#[derive(Debug)]
pub struct Claimed<'a> {
    ring: &'a MpmcRing,
    in_hand: InHand,
}

/// A record in its place ([`Mpmc::peek`](super::mpmc::Mpmc::peek)). It belongs to the process: any
/// thread may finish it, and if the process dies it goes to another one. Dropped without
/// `advance`, it goes to another one, too.
#[derive(Debug)]
pub struct Shown<'a> {
    ring: &'a MpmcRing,
    in_hand: InHand,
}

impl<'a> Claimed<'a> {
    pub(super) fn of(ring: &'a MpmcRing, in_hand: InHand) -> Self {
        Self { ring, in_hand }
    }

    /// How many bytes it has: those of a record, or as many as were claimed for a message.
    #[expect(clippy::len_without_is_empty, reason = "a place is no container")]
    pub fn len(&self) -> usize {
        self.in_hand.place.bytes()
    }

    /// Writes some bytes from byte `at` on.
    ///
    /// # Panics
    /// If they are more than it has.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        part(self.in_hand.place, at, bytes.len()).write(bytes);
    }

    /// Where it is, for who writes there through pointers.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.in_hand.place.address()
    }

    /// Puts it: all of it.
    ///
    /// # Errors
    /// `Closed` if an end is: nothing is put. `System` as for `push`.
    pub fn commit(self) -> Result<()> {
        let bytes = self.len();
        self.commit_first(bytes)
    }

    /// Puts a message of the first `bytes` bytes.
    ///
    /// # Errors
    /// As for `commit`; `InvalidArgument` for more than were claimed, or of a record, for others
    /// than it has.
    pub fn commit_first(self, bytes: usize) -> Result<()> {
        let thread = thread::here()?;
        self.ring.commit(thread, self.in_hand.id, bytes)?;
        let _finished = ManuallyDrop::new(self);
        Ok(())
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        give_up(self.ring, &self.in_hand);
    }
}

impl<'a> Shown<'a> {
    pub(super) fn of(ring: &'a MpmcRing, in_hand: InHand) -> Self {
        Self { ring, in_hand }
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "a record is no container")]
    pub fn len(&self) -> usize {
        self.in_hand.place.bytes()
    }

    /// How often it was taken over from a process that died with it, or gave it up.
    pub fn times(&self) -> u32 {
        self.in_hand.times
    }

    /// Reads some bytes from byte `at` on.
    ///
    /// # Panics
    /// If it has not so many.
    pub fn read(&self, at: usize, bytes: &mut [u8]) {
        part(self.in_hand.place, at, bytes.len()).read(bytes);
    }

    /// Where it is, for who reads there through pointers.
    pub fn as_ptr(&self) -> *const u8 {
        self.in_hand.place.address()
    }

    /// Gets it: its place is free.
    ///
    /// # Errors
    /// `System` as for `push`: it goes to another one.
    pub fn advance(self) -> Result<()> {
        let thread = thread::here()?;
        self.ring.advance(thread, self.in_hand.id)?;
        let _finished = ManuallyDrop::new(self);
        Ok(())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        give_up(self.ring, &self.in_hand);
    }
}

/// In a forked child it is not ours to give up, and refused; nobody would want to know.
fn give_up(ring: &MpmcRing, in_hand: &InHand) {
    let _ = thread::here().and_then(|thread| ring.abandon(thread, in_hand.id));
}

fn part(place: Slots, at: usize, bytes: usize) -> Slots {
    let fits = at.checked_add(bytes).is_some_and(|end| end <= place.bytes());
    assert!(fits, "a place of {} bytes has no bytes {at}..{at}+{bytes}", place.bytes());
    place.part(at, bytes)
}
