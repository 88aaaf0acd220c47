//! Hints to the cache.

/// Some lines: they have come when the producer is there, or the consumer.
pub(crate) const BYTES_AHEAD: usize = 256;

/// Has the line at an address fetched, to be written to soon. It may be any address: this is no
/// access.
#[inline(always)]
pub(crate) fn expect_to_write(address: *const u8) {
    // As inline assembly: what compilers make of a prefetch for writing is, for processors in
    // general, one for reading, which leaves the line where it is written to as well.
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint changes nothing and cannot fault.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Whether so many bytes from an address on have the beginning of a line among them, if every
/// address before it was a multiple of them.
#[inline(always)]
pub(crate) fn begins_line(address: *const u8, bytes: usize) -> bool {
    const LINE: usize = 64;
    address.addr() % LINE < bytes
}

/// The same for a line that is to be read soon.
#[inline(always)]
pub(crate) fn expect_to_read(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint changes nothing and cannot fault.
    unsafe {
        core::arch::asm!("prefetcht0 [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
