//! A barrier on every thread of the process, paid by the one who asks.
//!
//! Two sides store something each and then look at what the other stored. One does so
//! all the time and calls `here` in between, which is free; the other does so rarely
//! and calls `everywhere`. Where the kernel has no such barrier, `here` is a fence.

use super::atomic::{
    AtomicU8,
    Ordering::{Relaxed, SeqCst},
    compiler_fence, fence,
};

const REGISTER: libc::c_int = libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
const BARRIER: libc::c_int = libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED;

const UNKNOWN: u8 = 0;
const PRESENT: u8 = 1;
const MISSING: u8 = 2;

static PROBED: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether the kernel has the barrier for this process.
pub(crate) fn is_available() -> bool {
    // Relaxed: the answer never changes, and registering twice is harmless.
    match PROBED.load(Relaxed) {
        PRESENT => true,
        MISSING => false,
        _ => {
            let present = command(REGISTER);
            PROBED.store(if present { PRESENT } else { MISSING }, Relaxed);
            present
        }
    }
}

/// Orders what this thread stored before it against what it loads after it, in the
/// eyes of whoever calls `everywhere`.
#[inline(always)]
pub(crate) fn here() {
    // Relaxed: whoever has not heard that the barrier is there does without it.
    if PROBED.load(Relaxed) == PRESENT {
        compiler_fence(SeqCst);
    } else {
        fence(SeqCst);
    }
}

/// After a `true`, every other thread of the process has passed a full barrier since
/// the call began, or passes one in its next `here`: what it stored before, we see;
/// what it loads after is new. False if the kernel has taken the barrier back.
pub(crate) fn everywhere() -> bool {
    if !is_available() {
        fence(SeqCst);
        return true;
    }
    // A forked child has to register anew.
    command(BARRIER) || (command(REGISTER) && command(BARRIER))
}

/// Has the kernel count this process among those whom `in_all_processes` reaches; false if it
/// cannot: then each thread has to fence for itself where it calls `Reached::here`.
pub(crate) fn register_for_all() -> bool {
    command(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
}

/// Whether `in_all_processes` of whichever process reaches the threads of this one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached(bool);

impl Reached {
    /// It does, unless the thread has to fence for itself.
    #[inline(always)]
    pub(crate) fn unless(fences: bool) -> Self {
        Self(!fences)
    }

    /// Orders what this thread stored before it against what it loads after it, in the eyes of
    /// whoever calls `in_all_processes`.
    #[inline(always)]
    pub(crate) fn here(self) {
        if self.0 { compiler_fence(SeqCst) } else { fence(SeqCst) }
    }
}

/// As `everywhere`, for the threads of all processes that are registered, and a fence for this
/// one. False if the kernel has no such barrier.
pub(crate) fn in_all_processes() -> bool {
    fence(SeqCst);
    command(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED)
}

fn command(which: libc::c_int) -> bool {
    // SAFETY: takes no pointer.
    unsafe { libc::syscall(libc::SYS_membarrier, which, 0, 0) == 0 }
}
