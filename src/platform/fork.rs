//! Calls around `fork`, and how a child notices that it is one.

use super::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use super::mapping;
use super::time::sleep_ns;
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
    /// The word that is wiped; null until somebody wants to set it.
    page: AtomicPtr<AtomicU32>,
    /// Set in this process or in one that it was forked from.
    is_inherited: AtomicBool,
}

/// As the kernel leaves it.
const ERASED: u32 = 0;
/// A thread of this process is about to set it.
const COMING: u32 = 1;
const SET: u32 = 2;

// Other people's programs look for it (`ffi::ring_place`).
const _: () = assert!(SET == 2);

impl ProcessMark {
    pub(crate) const fn new() -> Self {
        let page = AtomicPtr::new(core::ptr::null_mut());
        Self { page, is_inherited: AtomicBool::new(false) }
    }

    /// True if the mark was set in this very process.
    pub(crate) fn is_set(&self) -> bool {
        // Acquire: pairs with `set_after`, so that the page is mapped.
        let page = self.page.load(Ordering::Acquire);
        // SAFETY: null or a page that is never unmapped.
        unsafe { page.as_ref() }.is_some_and(|mark| mark.load(Ordering::Acquire) == SET)
    }

    /// Where it is, for code in other programs: the word is `SET` as long as the mark is. Null
    /// before anybody has wanted to set it.
    pub(crate) fn address(&self) -> *const u32 {
        self.page.load(Ordering::Acquire).cast_const().cast()
    }

    /// True in a forked child: the mark was set in a parent, and not here yet.
    pub(crate) fn is_erased(&self) -> bool {
        self.is_inherited.load(Ordering::Acquire) && !self.is_set()
    }

    /// Sets the mark when `preparation` is done, unless another thread has done both.
    ///
    /// A child that is forked meanwhile does not have the thread that it would wait for,
    /// and finds the mark erased: it begins by itself.
    pub(crate) fn set_after(&self, preparation: impl FnOnce() -> Result<()>) -> Result<()> {
        let mark = self.mark()?;
        // Acquire: what the other thread prepared.
        while let Err(seen) =
            mark.compare_exchange(ERASED, COMING, Ordering::Acquire, Ordering::Acquire)
        {
            if seen == SET {
                return Ok(());
            }
            sleep_ns(PAUSE_NS);
        }
        let done = preparation();
        if done.is_ok() {
            self.is_inherited.store(true, Ordering::Release);
        }
        mark.store(if done.is_ok() { SET } else { ERASED }, Ordering::Release);
        done
    }

    fn mark(&self) -> Result<&AtomicU32> {
        let mut page = self.page.load(Ordering::Acquire);
        if page.is_null() {
            let fresh = mapping::wiped_on_fork(size_of::<AtomicU32>())?.cast();
            let (none, seen) = (core::ptr::null_mut(), Ordering::Acquire);
            // AcqRel: publishes the page, or sees the one that won. The other stays unused.
            page = match self.page.compare_exchange(none, fresh, Ordering::AcqRel, seen) {
                Ok(_) => fresh,
                Err(winner) => winner,
            };
        }
        // SAFETY: mapped above or earlier, aligned, never unmapped.
        Ok(unsafe { &*page })
    }
}

const PAUSE_NS: u64 = 20_000;
