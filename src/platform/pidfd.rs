//! Descriptors of processes: readable when the process has ended.

use std::os::fd::{FromRawFd, OwnedFd};

/// A process that lived when this was made.
pub(crate) struct PidFd {
    descriptor: OwnedFd,
}

impl PidFd {
    /// The process of that number in our namespace, whichever it is by now; nothing if there is
    /// none, or if the system refuses: then one has to look again by oneself.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        // SAFETY: takes no memory. The descriptor is closed by exec.
        let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if opened < 0 {
            return None;
        }
        // SAFETY: just opened, owned by nobody else.
        let process = Self { descriptor: unsafe { OwnedFd::from_raw_fd(opened as i32) } };
        (!process.has_ended()).then_some(process)
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        super::listener::is_readable(&self.descriptor)
    }

    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }
}
