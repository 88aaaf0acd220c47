//! The kernel's word on who is dead: robust mutexes and the death hook.
//!
//! A thread holds one robust, process-shared mutex for life, its *liveness
//! mutex*. When the thread ends, however it ends, the kernel marks the mutex's
//! word and wakes one sleeper. Nobody else ever locks it: others load the word
//! or sleep on it.
//!
//! The *hook* is the `list_op_pending` field of the thread's robust list. libc
//! sets it around its own robust operations and leaves it empty between them.
//! While it points at a word whose low 30 bits are zero, the death of the thread
//! wakes one sleeper of that word and changes nothing. That hands the duty to
//! wake, or to watch, on to somebody living.

use core::cell::UnsafeCell;
use core::ffi::c_void;

use super::atomic::{AtomicU32, HookableWord, Ordering, compiler_fence};
use super::futex;
use crate::error::{Error, Result, Status};

/// The liveness mutex of one participant. libc owns its bytes while it is locked.
#[repr(C, align(64))]
pub(crate) struct LivenessMutex {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    _rest: [u8; 64 - size_of::<libc::pthread_mutex_t>()],
}

// SAFETY: other processes and threads only load or sleep on the mutex's futex
// word, through an atomic; libc's own accesses are made by the owner alone.
unsafe impl Sync for LivenessMutex {}

impl LivenessMutex {
    /// Initialises the mutex afresh and locks it for the calling thread.
    ///
    /// # Safety
    /// The caller has the exclusive right to the record, no living thread has
    /// this mutex in its robust list, and the memory stays mapped until the
    /// thread has unlocked it or ended.
    pub(crate) unsafe fn init_and_lock(&self) -> Result<()> {
        // SAFETY: an attribute object of this call's own; all-zero is a valid
        // bit pattern for it before pthread_mutexattr_init fills it.
        let mut attributes: libc::pthread_mutexattr_t = unsafe { core::mem::zeroed() };
        // SAFETY: initialises the attribute object above.
        unsafe { libc::pthread_mutexattr_init(&mut attributes) };
        // SAFETY: an initialised attribute object and a valid constant.
        unsafe {
            libc::pthread_mutexattr_setpshared(&mut attributes, libc::PTHREAD_PROCESS_SHARED)
        };
        // SAFETY: likewise.
        unsafe { libc::pthread_mutexattr_setrobust(&mut attributes, libc::PTHREAD_MUTEX_ROBUST) };
        // SAFETY: the caller owns the record and nobody has the mutex locked.
        let mut code = unsafe { libc::pthread_mutex_init(self.mutex.get(), &attributes) };
        if code == 0 {
            // SAFETY: just initialised; nobody else ever locks it.
            code = unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        }
        match code {
            0 => Ok(()),
            code => Err(Error::os(
                Status::System,
                code,
                "the C library refused a robust process-shared mutex; atoll cannot work without"
                    .into(),
            )),
        }
    }

    /// Unlocks the mutex: the thread leaves the segment alive.
    ///
    /// # Safety
    /// The calling thread locked it with `init_and_lock`.
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: per the caller.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
    }

    /// The futex word that libc and the kernel keep in the mutex.
    ///
    /// `offset` is what the process found when it attached (`word_offset`).
    pub(crate) fn word(&self, offset: WordOffset) -> &AtomicU32 {
        let bytes = self.mutex.get().cast::<u8>();
        // SAFETY: `WordOffset` is checked to lie, aligned, inside the mutex.
        let word = unsafe { bytes.add(offset.0 as usize) };
        // SAFETY: aligned and in bounds; libc and the kernel access it atomically.
        unsafe { AtomicU32::from_ptr(word.cast()) }
    }
}

const _: () = assert!(size_of::<LivenessMutex>() == 64);

/// What the word of a liveness mutex says.
pub(crate) fn word_says_dead(word: u32) -> bool {
    word & libc::FUTEX_TID_MASK == 0 || word & libc::FUTEX_OWNER_DIED != 0
}

/// Marks a liveness word dead on the evidence of the byte lock, and wakes everyone.
///
/// `seen` is the value with which it looked alive; a re-used slot keeps its word.
pub(crate) fn declare_dead(word: &AtomicU32, seen: u32) {
    // Release: pairs with the Acquire loads of liveness words; the evidence was
    // the kernel's, so nothing of ours has to be carried over.
    let _ = word.compare_exchange(
        seen,
        seen | libc::FUTEX_OWNER_DIED,
        Ordering::AcqRel,
        Ordering::Relaxed,
    );
    futex::wake_all(word);
}

/// Tells the kernel that there are sleepers, so that it always does the wake.
pub(crate) fn request_wake(word: &AtomicU32) {
    // Relaxed: only the kernel's exit path of this very thread reads the bit.
    word.fetch_or(libc::FUTEX_WAITERS, Ordering::Relaxed);
}

/// Where in a `pthread_mutex_t` libc keeps the futex word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordOffset(u32);

impl WordOffset {
    /// As stored in a segment's header: the offset plus one, so that 0 means none.
    pub(crate) fn to_shared(self) -> u32 {
        self.0 + 1
    }

    /// Read back from a header, and checked: it is shared memory.
    pub(crate) fn of_shared(stored: u32) -> Result<Self> {
        match stored.checked_sub(1) {
            Some(offset) if Self::fits(offset as usize) => Ok(Self(offset)),
            _ => Err(crate::error::corrupted(
                "the header says an impossible place for libc's futex word: the segment is damaged",
            )),
        }
    }

    fn fits(offset: usize) -> bool {
        offset.is_multiple_of(4) && offset <= size_of::<libc::pthread_mutex_t>() - 4
    }
}

/// A hook that is to go back to where it was.
pub(crate) struct Lent {
    list: RobustList,
    former: *mut c_void,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.list.set(self.former);
    }
}

/// The kernel's `struct robust_list_head`.
#[repr(C)]
struct ListHead {
    newest: *mut c_void,
    futex_offset: libc::c_long,
    list_op_pending: *mut c_void,
}

/// The calling thread's robust list: where its hook is.
#[derive(Clone, Copy)]
pub(crate) struct RobustList {
    head: *mut ListHead,
}

impl RobustList {
    /// Asks the kernel for the calling thread's list, which libc registered.
    pub(crate) fn of_this_thread() -> Result<Self> {
        let mut head: *mut ListHead = core::ptr::null_mut();
        let mut length = 0usize;
        // SAFETY: the kernel writes a pointer and a length to the two outputs.
        let result = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &mut head, &mut length) };
        if result == 0 && !head.is_null() {
            return Ok(Self { head });
        }
        Err(Error::os(
            Status::System,
            super::errno(),
            "this thread has no robust list (get_robust_list failed): an emulator or a sandbox \
             that atoll cannot work in"
                .into(),
        ))
    }

    /// Where libc keeps the futex word, read off the newest entry of the list,
    /// which must be `mutex`.
    pub(crate) fn word_offset(self, mutex: &LivenessMutex) -> Option<WordOffset> {
        // SAFETY: `head` came from the kernel and is libc's per-thread list head,
        // valid as long as the thread; only this thread changes it.
        let newest = unsafe { (*self.head).newest };
        // SAFETY: likewise.
        let futex_offset = unsafe { (*self.head).futex_offset };
        // Bit 0 of an entry marks priority inheritance, which ours never has.
        let word = (newest as usize).wrapping_add_signed(futex_offset as isize);
        let offset = word.wrapping_sub(mutex.mutex.get() as usize);
        WordOffset::fits(offset).then_some(WordOffset(offset as u32))
    }

    /// Points the hook at `word`.
    ///
    /// If it stood on another word, which is a lock that this thread holds, one
    /// sleeper of that lock is woken first: it comes back and watches our
    /// liveness word instead.
    pub(crate) fn arm(self, word: &HookableWord) {
        let address = word.as_futex().as_ptr();
        if let Some(previous) = self.armed()
            && previous != address
        {
            // SAFETY: the hook is only ever pointed at words of segments that
            // stay mapped while the thread is in them.
            futex::wake(unsafe { AtomicU32::from_ptr(previous) }, 1);
        }
        // SAFETY: as in `word_offset`.
        let futex_offset = unsafe { (*self.head).futex_offset };
        let entry = (address as usize).wrapping_sub(futex_offset as usize);
        self.set(entry as *mut c_void);
    }

    /// Points the hook at `word` until the answer is dropped, and then at what it pointed
    /// at before. For a signal handler that may have interrupted anything.
    ///
    /// What a death does at the former word, to wake a sleeper there, is done at once: the
    /// thread cannot die there meanwhile, and does not sleep.
    pub(crate) fn lend(self, word: &HookableWord) -> Lent {
        // SAFETY: as in `word_offset`; volatile because a signal may change it.
        let former = unsafe { self.pending().read_volatile() };
        self.arm(word);
        Lent { list: self, former }
    }

    /// Takes the hook off.
    pub(crate) fn disarm(self) {
        self.set(core::ptr::null_mut());
    }

    /// Takes the hook off for good, before its word may be unmapped; a sleeper of
    /// that word comes and watches for itself.
    pub(crate) fn stand_down(self) {
        if let Some(word) = self.armed() {
            // SAFETY: as in `arm`.
            futex::wake(unsafe { AtomicU32::from_ptr(word) }, 1);
            self.disarm();
        }
    }

    /// The word that the hook points at.
    fn armed(self) -> Option<*mut u32> {
        // SAFETY: as in `word_offset`; volatile because a signal may change it.
        let entry = unsafe { self.pending().read_volatile() };
        // SAFETY: as in `word_offset`.
        let futex_offset = unsafe { (*self.head).futex_offset };
        let word = (entry as usize).wrapping_add_signed(futex_offset as isize);
        (!entry.is_null()).then_some(word as *mut u32)
    }

    fn pending(self) -> *mut *mut c_void {
        // SAFETY: only computes the address of a field of libc's list head.
        unsafe { &raw mut (*self.head).list_op_pending }
    }

    fn set(self, entry: *mut c_void) {
        // The kernel reads the hook when this thread is dead, so only the order of
        // the thread's own instructions matters: compiler fences on both sides.
        compiler_fence(Ordering::SeqCst);
        // SAFETY: as in `word_offset`; a pointer-sized aligned store is one store.
        unsafe { self.pending().write_volatile(entry) };
        compiler_fence(Ordering::SeqCst);
    }
}
