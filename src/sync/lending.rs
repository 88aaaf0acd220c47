//! How the words of events and semaphores are changed by a thread that may be in the middle
//! of anything: in a signal handler, or where nothing is known of it yet.
//!
//! Between its change of the word and the wake-up the death of the thread has to wake a
//! sleeper, so the hook goes there, and then back to where it was.

use crate::error::Result;
use crate::platform::atomic::HookableWord;
use crate::platform::robust::{Lent, RobustList};
use crate::roster::thread::Thread;

/// Points the hook of the calling thread at `word` until the answer is dropped; `thread` is
/// what is known of it.
///
/// # Errors
/// `System` if the thread has no robust list.
pub(super) fn lend_hook(thread: Option<&Thread>, word: &HookableWord) -> Result<Lent> {
    let hook = thread.map_or_else(RobustList::of_this_thread, |thread| Ok(thread.hook()))?;
    Ok(hook.lend(word))
}
