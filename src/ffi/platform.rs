//! What the library is and what the machine offers.

use core::ffi::c_char;

use super::guard::{c_text, guard};
use super::output::Output;
use super::status::atoll_status;
use crate::platform::probe::Platform;

include!(concat!(env!("OUT_DIR"), "/fingerprint.rs"));

/// Wait without limit, as a timeout_ns.
#[expect(dead_code, reason = "for C; inside it is Deadline::NEVER")]
pub const ATOLL_FOREVER: i64 = i64::MAX;

/// The version of the declarations here. It changes when a program compiled with the
/// older ones would no longer work; so does the soname, libatoll.so.0.
pub const ATOLL_ABI_VERSION: u32 = 1;

/// What this machine and this process offer. What is missing costs time, or a
/// promise; docs/caveats.md says which.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_platform {
    /// Copies of the library in this process. With more than one, each is an owner of
    /// its own: what is locked through one is not held through the other.
    pub library_copies: u32,
    /// Bytes of a page of memory.
    pub page_size: u32,
    /// Processors that are online.
    pub cpus: u32,
    /// futex_waitv works: deaths are noticed at once, else within milliseconds.
    pub futex_waitv: bool,
    /// The kernel keeps robust lists, without which nothing works.
    pub robust_list: bool,
    /// The directory of segments supports open-file-description locks.
    pub byte_locks: bool,
    /// The directory of segments supports unnamed files.
    pub unnamed_files: bool,
    /// membarrier works: most calls do without a fence.
    pub membarrier: bool,
    /// Waits of this process so far that nobody woke, and that ended because every waiter
    /// looks again after a while: 0, unless several processes died within microseconds.
    pub rescued_waits: u64,
    /// The C library and its version, ended by NUL.
    pub libc: [c_char; 16],
    /// The kernel and its release, ended by NUL.
    pub kernel: [c_char; 64],
    /// The directory where segments live, ended by NUL.
    pub directory: [c_char; 128],
}

/// The version of the declarations that the library was built with. A program that
/// was compiled with another ATOLL_ABI_VERSION does not fit.
///
/// Threads   Any thread, also in a signal handler.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_abi_version() -> u32 {
    ATOLL_ABI_VERSION
}

/// A hash of all declarations here. Bindings that are shipped with their library
/// compare it to be sure that they belong together.
///
/// Threads   Any thread, also in a signal handler.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_abi_fingerprint() -> u64 {
    ABI_FINGERPRINT
}

/// A hash of all structs that lie in segments. Processes whose libraries differ in it
/// cannot share a segment.
///
/// Threads   Any thread, also in a signal handler.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_layout_fingerprint() -> u64 {
    crate::segment::fingerprint::LAYOUT_FINGERPRINT
}

/// The version of the library, such as "0.1.0": ATOLL_VERSION of the header that
/// belongs to it.
///
/// Returns   Static text. Never NULL.
/// Threads   Any thread, also in a signal handler.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Says what this machine and this process offer. Makes a few system calls.
///
/// out       Receives the answer.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL.
///
/// Threads   Any thread.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_platform_info(out: *mut atoll_platform) -> atoll_status {
    guard(|_| {
        // SAFETY: the caller passes NULL or room for an atoll_platform.
        let out = unsafe { Output::at(out, "out") }?;
        out.write((&Platform::probe()).into());
        Ok(())
    })
}

impl From<&Platform> for atoll_platform {
    fn from(platform: &Platform) -> Self {
        Self {
            library_copies: platform.library_copies,
            page_size: platform.page_size,
            cpus: platform.cpus,
            futex_waitv: platform.futex_waitv,
            robust_list: platform.robust_list,
            byte_locks: platform.byte_locks,
            unnamed_files: platform.unnamed_files,
            membarrier: platform.membarrier,
            rescued_waits: platform.rescued_waits,
            libc: c_text(&platform.libc),
            kernel: c_text(&platform.kernel),
            directory: c_text(&platform.directory),
        }
    }
}
