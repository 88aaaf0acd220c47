//! A barrier on every thread of the process, paid by the one who asks.

use super::atomic::{AtomicU8, Ordering::Relaxed};

const REGISTER: libc::c_int = libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
const BARRIER: libc::c_int = libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED;

/// Whether `everywhere` works in this process.
pub(crate) fn is_available() -> bool {
    const UNKNOWN: u8 = 0;
    const PRESENT: u8 = 1;
    const MISSING: u8 = 2;
    static PROBED: AtomicU8 = AtomicU8::new(UNKNOWN);
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

/// After a `true`, every other thread of the process has executed a full barrier
/// since the call began: what it stored before, we see; what it loads after is new.
pub(crate) fn everywhere() -> bool {
    // A forked child has to register anew.
    is_available() && (command(BARRIER) || (command(REGISTER) && command(BARRIER)))
}

fn command(which: libc::c_int) -> bool {
    // SAFETY: takes no pointer.
    unsafe { libc::syscall(libc::SYS_membarrier, which, 0, 0) == 0 }
}
