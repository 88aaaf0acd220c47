//! The operating system: the only layer that names `libc` or raw atomics.
//!
//! Each file is one facility with a contract that the rest of the crate can rely
//! on: what it does, when it fails and how, and nothing about segments.

pub(crate) mod atomic;
pub(crate) mod byte_lock;
pub(crate) mod cache;
pub(crate) mod directory;
pub(crate) mod doorbell;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod listener;
pub(crate) mod mapping;
pub(crate) mod membarrier;
pub(crate) mod pidfd;
pub(crate) mod private_lock;
pub(crate) mod probe;
pub(crate) mod process;
pub(crate) mod robust;
#[cfg(all(test, target_arch = "x86_64"))]
pub(crate) mod stepping;
pub(crate) mod thread_exit;
pub(crate) mod thread_slot;
pub(crate) mod time;

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")))]
compile_error!("atoll runs on 64-bit Linux with glibc; nothing else has been tried");

/// The error number of the calling thread's last failed system call.
pub(crate) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Puts that number back, for who must leave no trace.
pub(crate) fn set_errno(code: i32) {
    // SAFETY: takes no memory.
    let own = unsafe { libc::__errno_location() };
    // SAFETY: the calling thread's own variable.
    unsafe { own.write(code) };
}
