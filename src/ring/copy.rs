//! Records in and out of slots.
//!
//! A slot belongs to one side at a time, and the counters say to which. A program that breaks
//! that, or writes to the segment what it likes, makes records that nobody has put: bytes, and
//! never an address.

use core::ptr::NonNull;

use crate::error::Result;
use crate::layout::Offset;
use crate::layout::memory::Memory;
use crate::platform::atomic::{AtomicU64, Ordering::SeqCst, compiler_fence};

/// The bytes of some slots, side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    first: NonNull<u8>,
    bytes: usize,
}

// SAFETY: an address in a mapping that all threads see; who may touch what lies there is the
// ring's matter.
unsafe impl Send for Slots {}
// SAFETY: as above.
unsafe impl Sync for Slots {}

impl Slots {
    /// `bytes` bytes of a segment from `offset` on, which stays mapped.
    ///
    /// # Errors
    /// `Corrupted` if they are not all memory.
    pub(crate) fn of(memory: &'static Memory, offset: Offset, bytes: u64) -> Result<Self> {
        let first = NonNull::new(memory.bytes(offset, bytes)?).expect("no mapping is at 0");
        Ok(Self { first, bytes: bytes as usize })
    }

    /// Some of them.
    #[inline(always)]
    pub(crate) fn part(self, start: usize, bytes: usize) -> Self {
        debug_assert!(start + bytes <= self.bytes);
        // SAFETY: inside, per the callers of this layer: positions are masked, and counts are
        // bounded by the capacity.
        Self { first: unsafe { self.first.add(start) }, bytes }
    }

    /// The word that they begin with.
    #[inline(always)]
    pub(crate) fn word<'m>(self) -> &'m AtomicU64 {
        debug_assert!(self.bytes >= 8 && self.first.cast::<AtomicU64>().is_aligned());
        // SAFETY: mapped for as long as this is used (`of`), in bounds and aligned per the
        // callers of this layer, whose plans are checked; an atomic is valid whatever the
        // bytes, and may change under us.
        unsafe { self.first.cast().as_ref() }
    }

    /// Where they begin.
    pub(crate) fn address(self) -> *mut u8 {
        self.first.as_ptr()
    }

    /// How many they are.
    pub(crate) fn bytes(self) -> usize {
        self.bytes
    }

    /// Writes a record.
    #[inline(always)]
    pub(crate) fn write(self, record: &[u8]) {
        debug_assert!(record.len() <= self.bytes);
        // SAFETY: the record is borrowed; the slot is mapped and as long (`of`, `part`), and
        // no Rust object lies there.
        unsafe { copy(record.as_ptr(), self.first.as_ptr(), record.len()) }
    }

    /// Reads one.
    #[inline(always)]
    pub(crate) fn read(self, record: &mut [u8]) {
        debug_assert!(record.len() <= self.bytes);
        // SAFETY: as for `write`, the other way round.
        unsafe { copy(self.first.as_ptr(), record.as_mut_ptr(), record.len()) }
    }

    /// Writes a record of a few words, or a number. `None`: it is another one, and not written.
    #[inline(always)]
    pub(crate) fn write_at_once(self, record: &[u8]) -> Option<()> {
        debug_assert!(record.len() <= self.bytes);
        // SAFETY: as for `write`.
        unsafe { copy_at_once(record.as_ptr(), self.first.as_ptr(), record.len()) }
    }

    /// Reads one likewise.
    #[inline(always)]
    pub(crate) fn read_at_once(self, record: &mut [u8]) -> Option<()> {
        debug_assert!(record.len() <= self.bytes);
        // SAFETY: as for `read`.
        unsafe { copy_at_once(self.first.as_ptr(), record.as_mut_ptr(), record.len()) }
    }
}

/// Moves a few words, or a number, in the caller's code. Around a call it would have to put aside
/// all that it has in registers.
///
/// # Safety
/// As for `copy`.
#[inline(always)]
unsafe fn copy_at_once(from: *const u8, to: *mut u8, bytes: usize) -> Option<()> {
    const MOST: usize = 64;
    if bytes == 8 {
        // SAFETY: so many bytes, per the caller, here and below.
        unsafe { copy_as::<u64>(from, to) };
    } else if bytes == 4 {
        // SAFETY: likewise.
        unsafe { copy_as::<u32>(from, to) };
    } else if bytes.is_multiple_of(8) && bytes <= MOST {
        for at in (0..bytes).step_by(8) {
            // SAFETY: likewise: eight more bytes from there on.
            unsafe { copy_as::<u64>(from.wrapping_add(at), to.wrapping_add(at)) };
            // Or the compiler makes the call out of it.
            compiler_fence(SeqCst);
        }
    } else {
        return None;
    }
    Some(())
}

/// # Safety
/// Both lead to as many bytes as a `T` has, any of which make one.
#[inline(always)]
unsafe fn copy_as<T>(from: *const u8, to: *mut u8) {
    // SAFETY: per the caller.
    let one = unsafe { from.cast::<T>().read_unaligned() };
    // SAFETY: likewise.
    unsafe { to.cast::<T>().write_unaligned(one) };
}

/// A word is moved as one: a call costs more than that.
///
/// # Safety
/// Both lead to `bytes` bytes, and do not overlap.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    if bytes == 8 {
        // SAFETY: eight bytes, per the caller.
        unsafe { copy_as::<u64>(from, to) };
    } else {
        // SAFETY: per the caller.
        unsafe { to.copy_from_nonoverlapping(from, bytes) };
    }
}
