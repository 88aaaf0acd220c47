//! The directory where segments live.

use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

use super::process;
use crate::error::{Error, Result, Status};

const DEFAULT: &str = "/dev/shm";

/// Where it is: `ATOLL_DIR`, else `/dev/shm`. Absolute: what is opened there later is found
/// wherever the program has gone meanwhile.
pub(crate) fn path() -> PathBuf {
    match std::env::var_os("ATOLL_DIR") {
        Some(dir) if !dir.is_empty() => std::path::absolute(&dir).unwrap_or(dir.into()),
        _ => DEFAULT.into(),
    }
}

/// The names of the regular files there that belong to this user and are not empty, without
/// opening any: to open what others put there may hang, or mean something.
pub(crate) fn own_files() -> Result<impl Iterator<Item = String>> {
    entries(|facts| facts.uid() == process::user_id() && facts.is_file() && facts.len() > 0)
}

/// The same of all users.
pub(crate) fn all_files() -> Result<impl Iterator<Item = String>> {
    entries(|facts| facts.is_file() && facts.len() > 0)
}

/// The names of the FIFOs there that belong to this user, likewise.
pub(super) fn own_pipes() -> Result<impl Iterator<Item = String>> {
    entries(|facts| facts.uid() == process::user_id() && facts.file_type().is_fifo())
}

fn entries(is_wanted: fn(&Metadata) -> bool) -> Result<impl Iterator<Item = String>> {
    let dir = path();
    let all = std::fs::read_dir(&dir).map_err(|error| {
        Error::os(
            Status::System,
            error.raw_os_error().unwrap_or(0),
            format!("cannot look into {}: create it, or correct ATOLL_DIR", dir.display()),
        )
    })?;
    Ok(all.flatten().filter_map(move |entry| {
        // Does not follow links.
        let is_wanted = is_wanted(&entry.metadata().ok()?);
        if is_wanted { entry.file_name().into_string().ok() } else { None }
    }))
}

/// Bytes that are left there, as far as the file system says.
pub(crate) fn available() -> u64 {
    room().map_or(u64::MAX, |facts| facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// The most bytes that a file there could ever have; `None` where nothing says.
pub(crate) fn capacity() -> Option<u64> {
    let room = room().map(|facts| facts.f_blocks.saturating_mul(facts.f_frsize));
    [room, size_limit()].into_iter().flatten().min()
}

/// `None` where there is no limit, or none that the file system tells.
fn room() -> Option<libc::statvfs> {
    let path = CString::new(path().into_os_string().into_encoded_bytes()).ok()?;
    // SAFETY: a plain C struct of integers; zero is a valid value of each.
    let mut facts: libc::statvfs = unsafe { core::mem::zeroed() };
    // SAFETY: a NUL-terminated path; the kernel fills the struct given.
    let known = unsafe { libc::statvfs(path.as_ptr(), &mut facts) } == 0;
    (known && facts.f_blocks > 0).then_some(facts)
}

/// The size limit of this process (`ulimit -f`): to pass it is a signal.
fn size_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the kernel fills the struct given; failing, it leaves it alone.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) };
    (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}
