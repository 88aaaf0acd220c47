//! Who we are, for people who read it: ids and names decide nothing.

use super::atomic::{AtomicBool, Ordering::Relaxed};

/// The process id, in the caller's own pid namespace.
pub(crate) fn id() -> u32 {
    std::process::id()
}

/// The thread id, in the caller's own pid namespace.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: takes no argument and cannot fail.
    unsafe { libc::gettid() as u32 }
}

/// The effective user id.
pub(crate) fn user_id() -> u32 {
    // SAFETY: takes no argument and cannot fail.
    unsafe { libc::geteuid() }
}

/// The name of the calling thread as the kernel shows it, zero-padded.
pub(crate) fn thread_name() -> [u8; 16] {
    let mut name = [0u8; 16];
    // SAFETY: PR_GET_NAME writes at most 16 bytes, the size of `name`.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}

/// The inode of the pid namespace, which tells equal ids apart; 0 if unknown.
pub(crate) fn pid_namespace() -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/ns/pid").map_or(0, |m| m.ino())
}

/// Eight random bytes from the kernel.
pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0u8; 8];
    // SAFETY: writes at most 8 bytes to `bytes`. A short read is harmless: the
    // number tells segments apart for people and for caches, nothing more.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    u64::from_ne_bytes(bytes)
}

/// Makes `hook` run when the process ends by `exit` or by returning from `main`.
///
/// Only the first call has an effect.
pub(crate) fn at_exit(hook: extern "C" fn()) {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    // Relaxed: the flag guards only itself.
    if !REGISTERED.swap(true, Relaxed) {
        // SAFETY: registers a function that lives as long as the library, which is
        // linked so that it is never unloaded.
        unsafe { libc::atexit(hook) };
    }
}
