//! Those of this process who listen to doorbells, all in one table: so that a forked child can
//! close what it inherits, and a process that leaves can remove what it alone listened to.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use crate::error::Result;
use crate::platform::atomic::{AtomicU64, Ordering::Relaxed};
use crate::platform::listener::Listener;
use crate::platform::private_lock::PrivateLock;

/// Listens on behalf of one handle, from the first time on that it is asked to.
///
/// A handle declares it before its share in the object, so that it goes first.
#[derive(Debug)]
pub(crate) struct Ear {
    /// Its number in the table; 0: it has never listened.
    number: AtomicU64,
}

struct Listening {
    listener: Listener,
    /// Takes LISTENED away from the object.
    forget: Box<dyn Fn() + Send>,
}

/// Everybody who listens. Its lock comes before all other locks of the process.
static ALL: PrivateLock<BTreeMap<u64, Listening>> = PrivateLock::new(BTreeMap::new());

/// The lock of the table, for the fork hooks.
pub(super) fn lock() -> &'static PrivateLock<impl Sized> {
    &ALL
}

impl Ear {
    pub(crate) const fn new() -> Self {
        Self { number: AtomicU64::new(0) }
    }

    /// The descriptor to poll, after `arm` has said what it is to be. `begin` makes who
    /// listens, if nobody does yet in this process; `forget` takes LISTENED away.
    ///
    /// # Errors
    /// Those of `begin` and `arm`.
    pub(crate) fn descriptor(
        &self,
        begin: impl FnOnce() -> Result<Listener>,
        forget: impl Fn() + Send + 'static,
        arm: impl FnOnce(&mut Listener) -> Result<()>,
    ) -> Result<BorrowedFd<'_>> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);

        let mut all = ALL.lock();
        // Relaxed, here and below: under the lock.
        let number = self.number.load(Relaxed);
        if !all.get(&number).is_some_and(|it| it.listener.is_intact()) {
            if let Some(former) = all.remove(&number) {
                former.listener.close();
            }
            let listener = begin()?;
            self.number.store(NUMBERS.fetch_add(1, Relaxed), Relaxed);
            let listening = Listening { listener, forget: Box::new(forget) };
            all.insert(self.number.load(Relaxed), listening);
        }
        let listening = all.get_mut(&self.number.load(Relaxed)).expect("found or made above");
        arm(&mut listening.listener)?;
        // SAFETY: open, and stays so while this is borrowed: until it is dropped, the process
        // leaves or forks, or the program closes what is not its own.
        Ok(unsafe { BorrowedFd::borrow_raw(listening.listener.descriptor()) })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let number = *self.number.get_mut();
        if number == 0 {
            return;
        }
        // Without the lock: to leave may take a while.
        let removed = ALL.lock().remove(&number);
        if let Some(Listening { listener, forget }) = removed {
            listener.leave(forget);
        }
    }
}

/// The process leaves all segments in good order: nobody listens any more.
pub(super) fn leave_all() {
    let all = core::mem::take(&mut *ALL.lock());
    for Listening { listener, forget } in all.into_values() {
        listener.leave(forget);
    }
}

/// In a forked child: those who listened do so in its parent.
pub(super) fn forget_all() {
    for listening in core::mem::take(&mut *ALL.lock()).into_values() {
        listening.listener.close();
    }
}
