//! A call at the end of each thread, foreign threads included.

use core::ffi::c_void;

use super::atomic::{AtomicU32, Ordering};
use crate::error::{Error, Result, Status};

/// A thread-specific value whose destructor runs when its thread ends.
///
/// Rust's own thread-locals would do, but for their order: they are torn down in
/// the middle of those of other languages. POSIX keys come after all of them.
pub(crate) struct ExitKey {
    /// The key plus one; 0 while none has been made.
    key: AtomicU32,
}

impl ExitKey {
    pub(crate) const fn new() -> Self {
        Self { key: AtomicU32::new(0) }
    }

    /// Arranges for `destructor(value)` at the end of the calling thread.
    pub(crate) fn arrange(
        &self,
        value: *mut c_void,
        destructor: unsafe extern "C" fn(*mut c_void),
    ) -> Result<()> {
        let key = self.key_or_make(destructor)?;
        // SAFETY: the key was created below and is never deleted.
        match unsafe { libc::pthread_setspecific(key, value) } {
            0 => Ok(()),
            code => Err(exhausted(code)),
        }
    }

    fn key_or_make(
        &self,
        destructor: unsafe extern "C" fn(*mut c_void),
    ) -> Result<libc::pthread_key_t> {
        // Acquire: pairs with the exchange below, so that the key is ready to use.
        let known = self.key.load(Ordering::Acquire);
        if known != 0 {
            return Ok(known - 1);
        }
        let mut fresh: libc::pthread_key_t = 0;
        // SAFETY: writes one key to the output; the destructor lives for ever.
        let code = unsafe { libc::pthread_key_create(&mut fresh, Some(destructor)) };
        if code != 0 {
            return Err(exhausted(code));
        }
        // AcqRel: publishes the key made above, or sees the one that won.
        match self.key.compare_exchange(0, fresh + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(fresh),
            Err(winner) => {
                // SAFETY: made above and shown to nobody.
                unsafe { libc::pthread_key_delete(fresh) };
                Ok(winner - 1)
            }
        }
    }
}

#[cold]
fn exhausted(code: i32) -> Error {
    Error::os(
        Status::System,
        code,
        "no thread-specific key is left in this process (PTHREAD_KEYS_MAX)".into(),
    )
}
