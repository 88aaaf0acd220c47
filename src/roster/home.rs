//! The home segment: one that a process makes for itself, when it first needs it.
//!
//! The process keeps it open until it ends or leaves. A forked child has no home until it
//! asks for one; it goes on holding its parent's, as it does every segment.

use super::attachment::Attachment;
use super::fork;
use crate::error::Result;
use crate::platform::private_lock::PrivateLock;

/// The home of this very process, with one handle counted.
static HOME: PrivateLock<Option<&'static Attachment>> = PrivateLock::new(None);

/// The home, with one more handle counted; `make` makes it if there is none.
pub(crate) fn obtain(
    make: impl FnOnce() -> Result<&'static Attachment>,
) -> Result<&'static Attachment> {
    fork::ensure_own_process()?;
    let mut home = HOME.lock();
    let attachment = match *home {
        Some(attachment) => attachment,
        None => *home.insert(make()?),
    };
    attachment.retain();
    Ok(attachment)
}

/// Closes it, if there is one.
pub(super) fn leave() {
    let home = HOME.lock().take();
    if let Some(attachment) = home {
        attachment.release();
    }
}

/// In a forked child: it was the parent's.
pub(super) fn forget() {
    *HOME.lock() = None;
}

/// For the fork hooks.
pub(super) fn lock() -> &'static PrivateLock<Option<&'static Attachment>> {
    &HOME
}
