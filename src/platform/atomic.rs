//! The atomics of the crate, and words that the kernel may be pointed at.
//!
//! No other module names `core::sync::atomic`: what is shared between processes
//! is declared through here, and `tests/architecture.rs` holds us to it.

pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    Ordering, compiler_fence, fence,
};

/// A 32-bit futex word whose bits 29..0 are zero in every state.
///
/// The death hook of a thread (see `robust`) may point at such a word only. When
/// the thread dies the kernel compares the low 30 bits with the thread's id; as
/// they are zero, it wakes one sleeper and never writes the word, whatever ids
/// other namespaces use. Only values that keep the rule can be stored.
#[repr(transparent)]
pub(crate) struct HookableWord(AtomicU32);

impl HookableWord {
    /// The bits that a hookable word may use.
    pub(crate) const ALLOWED: u32 = 0xc000_0000;

    /// The address that futex calls take.
    pub(crate) fn as_futex(&self) -> &AtomicU32 {
        &self.0
    }
}

/// A 64-bit word whose low half is a [`HookableWord`] (little-endian machines).
///
/// Compare-exchange works on the whole; the kernel sees the halves.
#[repr(transparent)]
pub(crate) struct HookableWord64(AtomicU64);

#[cfg(not(target_endian = "little"))]
compile_error!("atoll's lock word puts its futex into the low half: little-endian machines only");

impl HookableWord64 {
    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    /// Stores a value that keeps the rule of hookable words.
    pub(crate) fn store(&self, value: u64, order: Ordering) {
        debug_assert!(value as u32 & !HookableWord::ALLOWED == 0);
        self.0.store(value, order);
    }

    /// Replaces `current` by `new`; on failure says what was there.
    #[inline(always)]
    pub(crate) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        debug_assert!(new as u32 & !HookableWord::ALLOWED == 0);
        self.0.compare_exchange(current, new, success, failure)
    }

    /// Clears all bits but those in `mask`.
    pub(crate) fn fetch_and(&self, mask: u64, order: Ordering) -> u64 {
        self.0.fetch_and(mask, order)
    }

    /// Sets the bits in `mask`, which keeps the rule of hookable words.
    pub(crate) fn fetch_or(&self, mask: u64, order: Ordering) -> u64 {
        debug_assert!(mask as u32 & !HookableWord::ALLOWED == 0);
        self.0.fetch_or(mask, order)
    }

    /// The half that sleepers wait on and the hook points at.
    pub(crate) fn low(&self) -> &HookableWord {
        // SAFETY: the low half of a little-endian u64 lies at its address; both
        // types are plain atomics of their size, and 8-byte alignment covers 4.
        unsafe { &*core::ptr::from_ref(self).cast::<HookableWord>() }
    }

    /// The other half, for comparison when going to sleep.
    pub(crate) fn high(&self) -> &AtomicU32 {
        let halves = core::ptr::from_ref(self).cast::<AtomicU32>();
        // SAFETY: the second half lies 4 bytes further, inside the same u64.
        let high = unsafe { halves.add(1) };
        // SAFETY: aligned to 4, inside the word borrowed for as long as `self`.
        unsafe { &*high }
    }
}

/// The low half of a word, which futex calls take.
pub(crate) fn low_half(word: &AtomicU64) -> &AtomicU32 {
    halves(word)[0]
}

/// That half and the other one (little-endian machines).
pub(crate) fn halves(word: &AtomicU64) -> [&AtomicU32; 2] {
    let halves = core::ptr::from_ref(word).cast::<[AtomicU32; 2]>();
    // SAFETY: two plain atomics of 4 bytes lie in one of 8, which is aligned for them and
    // borrowed for as long as they are.
    unsafe { &*halves }.each_ref()
}
