//! A lock for tables of this process, which a fork cannot break.
//!
//! It never parks a thread: parking tables are process-wide state that a forked
//! child would inherit in the middle of an operation. It is held for microseconds
//! and waited for by sleeping a little longer each time.

use parking_lot::Mutex;
pub(crate) use parking_lot::MutexGuard;

use super::time::sleep_ns;

const FIRST_SLEEP_NS: u64 = 1_000;
const LONGEST_SLEEP_NS: u64 = 1_000_000;
const SPINS: u32 = 100;

/// A value of this process behind a lock that never parks.
pub(crate) struct PrivateLock<T> {
    inner: Mutex<T>,
}

impl<T> PrivateLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { inner: Mutex::new(value) }
    }

    /// Takes the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        for _ in 0..SPINS {
            if let Some(guard) = self.inner.try_lock() {
                return guard;
            }
            core::hint::spin_loop();
        }
        let mut pause = FIRST_SLEEP_NS;
        loop {
            if let Some(guard) = self.inner.try_lock() {
                return guard;
            }
            sleep_ns(pause);
            pause = (pause * 2).min(LONGEST_SLEEP_NS);
        }
    }

    /// Opens the lock in a forked child, where its holder does not exist.
    ///
    /// # Safety
    /// No thread of this process holds the lock, and the value is sound as it is:
    /// either the forking thread itself held it, or every change of the value
    /// leaves it sound at each step.
    pub(crate) unsafe fn reopen_in_child(&self) {
        if self.inner.is_locked() {
            // SAFETY: per the caller, the holder is no thread of this process.
            unsafe { self.inner.force_unlock() };
        }
    }

    /// Takes the lock and keeps it until `reopen_in_child` or `release_after_fork`.
    pub(crate) fn hold_over_fork(&self) {
        core::mem::forget(self.lock());
    }

    /// The value under a lock that `hold_over_fork` took.
    ///
    /// # Safety
    /// This thread called `hold_over_fork`, has not given it back, and has no other
    /// reference to the value.
    #[expect(clippy::mut_from_ref, reason = "the lock is held; there is no guard to borrow")]
    pub(crate) unsafe fn held_over_fork(&self) -> &mut T {
        // SAFETY: exclusive, per the caller.
        unsafe { &mut *self.inner.data_ptr() }
    }

    /// Gives back what `hold_over_fork` took, in the parent.
    ///
    /// # Safety
    /// This thread called `hold_over_fork` and has not given it back.
    pub(crate) unsafe fn release_after_fork(&self) {
        // SAFETY: held by this thread, per the caller.
        unsafe { self.inner.force_unlock() };
    }
}
