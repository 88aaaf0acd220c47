//! How the words of events and semaphores are changed by a thread that may be in the middle
//! of anything: in a signal handler, or where nothing is known of it yet.
//!
//! Between its change of the word and the wake-up the death of the thread has to wake a
//! sleeper, so the hook goes there, and then back to where it was. Who waits for a condvar is
//! not READY meanwhile: its hook is not on the bell.

use super::condvar;
use crate::error::Result;
use crate::platform::atomic::{AtomicU64, HookableWord};
use crate::platform::robust::{Lent, RobustList};
use crate::roster::thread::Thread;

/// A hook that stands on another word until this is dropped.
pub(crate) struct Loan {
    lent: Option<Lent>,
    waiter: Option<&'static AtomicU64>,
}

/// Points the hook of the calling thread at `word` until the answer is dropped; `thread` is
/// what is known of it.
///
/// # Errors
/// `System` if the thread has no robust list.
pub(super) fn lend_hook(thread: Option<&Thread>, word: &HookableWord) -> Result<Loan> {
    let hook = thread.map_or_else(RobustList::of_this_thread, |thread| Ok(thread.hook()))?;
    // Before the hook moves, and given back after it is back.
    let waiter =
        thread.and_then(|thread| thread.on_bell.get()).filter(|state| condvar::take_ready(state));
    Ok(Loan { lent: Some(hook.lend(word)), waiter })
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.lent = None;
        if let Some(state) = self.waiter {
            condvar::give_ready(state);
        }
    }
}
