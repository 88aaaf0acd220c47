//! Memory shared through a file.

use std::os::fd::{AsRawFd, OwnedFd};

use memmap2::{MmapOptions, MmapRaw};

use crate::error::{Error, Result, Status};

/// The page size that files are committed and mapped by.
pub(crate) const PAGE: u64 = 4096;

/// The whole of a segment's file, mapped shared at one address for life.
///
/// The range is as long as the file may ever be used; most of it is holes. Who
/// touches a byte has made sure that it is committed (`file::commit`), so a full
/// file system is an error and never a signal.
pub(crate) struct Mapping {
    map: MmapRaw,
}

// SAFETY: the mapping is shared memory by nature; every access to its bytes goes
// through atomics or through the protocols of the layers above.
unsafe impl Send for Mapping {}
// SAFETY: likewise.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `length` bytes of `file`, to read and write or only to read.
    pub(crate) fn of(file: &OwnedFd, length: u64, writable: bool) -> Result<Self> {
        let bytes = usize::try_from(length).map_err(|_| too_large(length, libc::ENOMEM))?;
        let mut options = MmapOptions::new();
        options.len(bytes);
        let fd = file.as_raw_fd();
        let mapped = if writable { options.map_raw(fd) } else { options.map_raw_read_only(fd) };
        match mapped {
            Ok(map) => Ok(Self { map }),
            Err(e) => Err(too_large(length, e.raw_os_error().unwrap_or(0))),
        }
    }

    /// The first byte. The mapping is page-aligned.
    #[inline(always)]
    pub(crate) fn base(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// Its length in bytes.
    #[inline(always)]
    pub(crate) fn length(&self) -> u64 {
        self.map.len() as u64
    }
}

#[cold]
fn too_large(length: u64, code: i32) -> Error {
    Error::os(
        Status::NoSpace,
        code,
        format!(
            "cannot map {length} bytes of address space: ask for a smaller segment, or raise the \
             limit on address space (ulimit -v) or on mappings (vm.max_map_count)"
        ),
    )
}

/// One page of a file mapped without access: it keeps the open file, and the
/// locks taken through it, alive; and it is not there in a forked child.
pub(crate) struct Pin {
    page: *mut libc::c_void,
}

// SAFETY: the page is never accessed; unmapping it may be done by any thread.
unsafe impl Send for Pin {}
// SAFETY: likewise.
unsafe impl Sync for Pin {}

impl Pin {
    pub(crate) fn of(file: &OwnedFd) -> Result<Self> {
        // SAFETY: asks for a fresh mapping at an address of the kernel's choice.
        let page = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                PAGE as usize,
                libc::PROT_NONE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(too_large(PAGE, super::errno()));
        }
        let pin = Self { page };
        // SAFETY: the page was just mapped and is ours.
        if unsafe { libc::madvise(page, PAGE as usize, libc::MADV_DONTFORK) } != 0 {
            let code = super::errno();
            return Err(Error::os(Status::System, code, "madvise(MADV_DONTFORK) failed".into()));
        }
        Ok(pin)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // SAFETY: mapped by `of`, never handed out. In a forked child the page is
        // absent; unmapping an absent page does nothing, and nothing else can
        // have been mapped there because the value was forgotten there first.
        unsafe { libc::munmap(self.page, PAGE as usize) };
    }
}

/// Private memory that a forked child finds zeroed, however it was forked.
///
/// Allocated for the life of the process.
pub(crate) fn wiped_on_fork(bytes: usize) -> Result<*mut u8> {
    let length = bytes.next_multiple_of(PAGE as usize);
    // SAFETY: asks for fresh private memory at an address of the kernel's choice.
    let page = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if page == libc::MAP_FAILED {
        return Err(too_large(length as u64, super::errno()));
    }
    // SAFETY: the range was just mapped and is ours.
    if unsafe { libc::madvise(page, length, libc::MADV_WIPEONFORK) } != 0 {
        let code = super::errno();
        return Err(Error::os(
            Status::System,
            code,
            "madvise(MADV_WIPEONFORK) failed: atoll needs Linux 4.14 or newer".into(),
        ));
    }
    Ok(page.cast())
}
