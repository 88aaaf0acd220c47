//! Calls around `fork`, and how a child notices that it is one.

use super::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use super::mapping;
use crate::error::{Error, Result, Status};

/// What runs around each `fork` of the process.
pub(crate) struct ForkHooks {
    /// In the parent, before.
    pub(crate) prepare: unsafe extern "C" fn(),
    /// In the parent, after, also when the fork failed.
    pub(crate) parent: unsafe extern "C" fn(),
    /// In the child, before anything else of it runs.
    pub(crate) child: unsafe extern "C" fn(),
}

/// Registers the hooks; only the first call has an effect.
pub(crate) fn on_fork(hooks: &ForkHooks) -> Result<()> {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    // AcqRel: whoever comes second sees the hooks in place.
    if REGISTERED.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    // SAFETY: the hooks live as long as the library, which is never unloaded.
    let code =
        unsafe { libc::pthread_atfork(Some(hooks.prepare), Some(hooks.parent), Some(hooks.child)) };
    if code == 0 {
        return Ok(());
    }
    REGISTERED.store(false, Ordering::Release);
    Err(Error::os(Status::System, code, "pthread_atfork failed: out of memory".into()))
}

/// A mark that the kernel erases in every forked child, however it was forked.
pub(crate) struct ProcessMark {
    page: AtomicPtr<AtomicU32>,
}

impl ProcessMark {
    pub(crate) const fn new() -> Self {
        Self { page: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// True if the mark was set in this very process.
    pub(crate) fn is_set(&self) -> bool {
        // Acquire: pairs with `set`, so that the page is mapped.
        let page = self.page.load(Ordering::Acquire);
        // SAFETY: null or a page that is never unmapped.
        unsafe { page.as_ref() }.is_some_and(|mark| mark.load(Ordering::Acquire) != 0)
    }

    /// True in a forked child: the mark was set in a parent, and not here yet.
    pub(crate) fn is_erased(&self) -> bool {
        !self.page.load(Ordering::Acquire).is_null() && !self.is_set()
    }

    /// Sets the mark for this process. The caller serialises calls.
    pub(crate) fn set(&self) -> Result<()> {
        let mut page = self.page.load(Ordering::Acquire);
        if page.is_null() {
            page = mapping::wiped_on_fork(size_of::<AtomicU32>())?.cast();
            self.page.store(page, Ordering::Release);
        }
        // SAFETY: mapped above or earlier, aligned, never unmapped.
        unsafe { &*page }.store(1, Ordering::Release);
        Ok(())
    }
}
