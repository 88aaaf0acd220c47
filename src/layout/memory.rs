//! A segment's bytes, looked at with suspicion.

use super::header::{
    BUCKETS_START, Buckets, HEAP_START, Header, LIVENESS_BYTES, MAX_BLOCKS, ROSTER_BLOCK_BYTES,
};
use super::{Offset, Shared};
use crate::error::{Result, corrupted};
use crate::platform::atomic::{AtomicU64, Ordering::Acquire};
use crate::platform::mapping::Mapping;

/// A mapped segment. Offsets are checked each time they are followed.
pub(crate) struct Memory {
    mapping: Mapping,
    writable: bool,
}

impl core::fmt::Debug for Memory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Memory({} bytes)", self.length())
    }
}

impl Memory {
    /// Wraps a mapping of at least `HEAP_START` committed bytes.
    pub(crate) fn new(mapping: Mapping, writable: bool) -> Self {
        assert!(mapping.length() >= HEAP_START, "the fixed pages are mapped");
        Self { mapping, writable }
    }

    /// Whether the mapping may be written at all.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// The length of the address range: the most that the segment may grow to.
    #[inline(always)]
    pub(crate) fn length(&self) -> u64 {
        self.mapping.length()
    }

    /// The first page.
    #[inline(always)]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: page-aligned, inside the mapping (`new`), and shared types are
        // valid whatever the bytes.
        unsafe { &*self.mapping.base().cast::<Header>() }
    }

    /// The second page.
    pub(crate) fn buckets(&self) -> &Buckets {
        // SAFETY: inside the mapping (`new`).
        let page = unsafe { self.mapping.base().add(size_of::<Header>()) };
        // SAFETY: page-aligned, and shared types are valid whatever the bytes.
        unsafe { &*page.cast::<Buckets>() }
    }

    /// Bytes from the start that are real memory, never more than are mapped.
    #[inline(always)]
    pub(crate) fn committed(&self) -> u64 {
        // Acquire, COMMITTED: the file system gave the memory before it was said.
        self.header().committed.load(Acquire).min(self.length())
    }

    /// The struct at `offset`, if all of it is committed memory.
    #[inline(always)]
    pub(crate) fn at<T: Shared>(&self, offset: Offset) -> Result<&T> {
        let bytes = self.bytes(offset, size_of::<T>() as u64)?;
        if !bytes.cast::<T>().is_aligned() {
            return Err(corrupted(
                "an offset in the segment is not aligned: the segment is damaged",
            ));
        }
        // SAFETY: aligned, in bounds and committed, as checked; shared types are
        // valid whatever the bytes, and what changes under us is atomic.
        Ok(unsafe { &*bytes.cast::<T>() })
    }

    /// `count` words from `offset` on, to be read and written one by one.
    pub(crate) fn words(&self, offset: Offset, count: u64) -> Result<&[AtomicU64]> {
        let bytes = self.bytes(offset, count.saturating_mul(8))?.cast::<AtomicU64>();
        if !bytes.is_aligned() {
            return Err(corrupted(
                "an offset in the segment is not aligned: the segment is damaged",
            ));
        }
        // SAFETY: aligned, in bounds and committed, as checked; atomics are valid
        // whatever the bytes and may change under us.
        Ok(unsafe { core::slice::from_raw_parts(bytes, count as usize) })
    }

    /// Writes the first page of a segment that nobody else can see yet.
    pub(crate) fn write_header(&self, header: Header) {
        assert!(self.writable, "only a creator writes the header");
        // SAFETY: the first page is mapped and writable, and nobody else sees the
        // file before it has a name.
        unsafe { self.mapping.base().cast::<Header>().write(header) };
    }

    /// Sets bytes to zero. They belong to the caller.
    pub(crate) fn clear(&self, offset: Offset, length: u64) -> Result<()> {
        let bytes = self.bytes(offset, length)?;
        // SAFETY: in bounds and committed; the caller owns the block, so that nobody
        // else looks at it.
        unsafe { bytes.write_bytes(0, length as usize) };
        Ok(())
    }

    /// Copies bytes from one place to another; the two do not overlap. Both are behind
    /// locks of the caller, or its own.
    pub(crate) fn copy(&self, from: Offset, to: Offset, length: u64) -> Result<()> {
        let (source, target) = (self.bytes(from, length)?, self.bytes(to, length)?);
        if from < to + length && to < from + length {
            return Err(corrupted("a copy in the segment overlaps what it is a copy of"));
        }
        // SAFETY: in bounds, committed, apart from each other; per the caller nobody
        // writes there who keeps to the protocol. Whoever reads without the lock has been
        // told that it may see anything.
        unsafe { source.copy_to_nonoverlapping(target, length as usize) };
        Ok(())
    }

    /// Writes a struct into a block that belongs to the caller.
    pub(crate) fn write<T: Shared>(&self, offset: Offset, value: T) -> Result<&T> {
        let place = core::ptr::from_ref(self.at::<T>(offset)?).cast_mut();
        // SAFETY: in bounds, aligned and committed; the caller owns the block, so that
        // nobody else looks at it.
        unsafe { place.write(value) };
        self.at(offset)
    }

    /// Where the blocks of the roster begin: they lie at the end of the range.
    pub(crate) fn roster_start(&self) -> Offset {
        // Acquire, GROWN: the blocks counted are real memory.
        let blocks = self.header().block_count.load(Acquire).min(MAX_BLOCKS as u32);
        self.length().saturating_sub(u64::from(blocks) * ROSTER_BLOCK_BYTES)
    }

    /// Refuses places that no log ever names: the first page, and what libc owns.
    pub(crate) fn check_undoable(&self, place: Offset) -> Result<()> {
        let in_block = place.checked_sub(self.roster_start()).map(|at| at % ROSTER_BLOCK_BYTES);
        if place < BUCKETS_START || in_block.is_some_and(|at| at < LIVENESS_BYTES) {
            return Err(corrupted(
                "an undo log leads to what no log ever names: the segment is damaged",
            ));
        }
        Ok(())
    }

    /// Where a struct of this segment lies.
    #[inline(always)]
    pub(crate) fn offset_of<T: Shared>(&self, there: &T) -> Offset {
        (core::ptr::from_ref(there).addr() - self.mapping.base().addr()) as Offset
    }

    /// The same as `bytes`, for who keeps it: the mapping stays at its address.
    pub(crate) fn address(&self, offset: Offset, length: u64) -> Result<Address> {
        self.bytes(offset, length).map(Address)
    }

    /// Refuses a range that is not in the roster either.
    #[cold]
    fn check_roster(&self, offset: Offset, end: Option<Offset>) -> Result<()> {
        match end {
            Some(end) if offset >= self.roster_start() && end <= self.length() => Ok(()),
            _ => Err(corrupted(
                "an offset in the segment leads outside its memory: the segment is damaged",
            )),
        }
    }

    /// The address of `length` bytes at `offset`, if all of them are committed.
    #[inline(always)]
    pub(crate) fn bytes(&self, offset: Offset, length: u64) -> Result<*mut u8> {
        match offset.checked_add(length) {
            Some(end) if end <= self.committed() => {}
            end => self.check_roster(offset, end)?,
        }
        // SAFETY: in bounds of the mapping, as checked.
        Ok(unsafe { self.mapping.base().add(offset as usize) })
    }
}

/// The address of shared bytes. Whoever follows it settles how they are shared, and
/// that the mapping is still there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(*mut u8);

// SAFETY: a number; following it is unsafe, and memory that processes share may be
// followed to from any thread.
unsafe impl Send for Address {}
// SAFETY: likewise.
unsafe impl Sync for Address {}

impl Address {
    /// The first byte.
    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut u8 {
        self.0
    }
}
