//! Locks on single bytes of a file, which the kernel drops when their holder ends.
//!
//! They are open-file-description locks: independent of process ids and of pid
//! namespaces, freed at exit and at exec, and never by an unrelated `close`. The
//! bytes lie far behind the end of any segment.
//!
//! A member's byte is held through a *mapping* of the file, not through a
//! descriptor: a program that closes every descriptor it does not know must not
//! look dead, and a child must not keep its parent's byte.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::errno;
use super::mapping::Pin;
use crate::error::{Error, Result, Status};

/// A byte that stands for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Byte {
    /// Held while the segment takes more memory, or a death is noted.
    Registrar,
    /// Held while nobody may come in or go unseen, to look whether anybody is in.
    Door,
    /// Held by a maker until it is a member of what it made.
    Maker,
    /// Held for as long as the process is member `index`.
    Member(u32),
}

impl Byte {
    fn offset(self) -> i64 {
        const REGISTRAR: i64 = (1 << 62) - 1;
        match self {
            Byte::Registrar => REGISTRAR,
            Byte::Door => REGISTRAR + 1,
            Byte::Maker => REGISTRAR + 2,
            Byte::Member(index) => REGISTRAR + 3 + i64::from(index),
        }
    }

    fn flock(self, kind: libc::c_int) -> libc::flock {
        // SAFETY: a plain C struct of integers; zero is a valid value of each.
        let mut lock: libc::flock = unsafe { core::mem::zeroed() };
        lock.l_type = kind as libc::c_short;
        lock.l_whence = libc::SEEK_SET as libc::c_short;
        lock.l_start = self.offset();
        lock.l_len = 1;
        lock
    }

    /// The byte and all behind it.
    fn flock_onwards(self, kind: libc::c_int) -> libc::flock {
        let mut lock = self.flock(kind);
        lock.l_len = 0;
        lock
    }
}

/// Takes the byte if it is free, and says whether it was.
pub(crate) fn try_lock(file: BorrowedFd<'_>, byte: Byte) -> Result<bool> {
    try_set(file, &byte.flock(libc::F_WRLCK))
}

fn try_set(file: BorrowedFd<'_>, lock: &libc::flock) -> Result<bool> {
    // SAFETY: passes a valid flock that the kernel reads.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, lock) } == 0 {
        return Ok(true);
    }
    match errno() {
        libc::EAGAIN | libc::EACCES => Ok(false),
        code => Err(refused(code)),
    }
}

/// Takes the byte, waiting for whoever holds it; a death frees it.
pub(crate) fn lock(file: BorrowedFd<'_>, byte: Byte) -> Result<()> {
    let lock = byte.flock(libc::F_WRLCK);
    loop {
        // SAFETY: passes a valid flock that the kernel reads.
        if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLKW, &lock) } == 0 {
            return Ok(());
        }
        match errno() {
            libc::EINTR => {}
            code => return Err(refused(code)),
        }
    }
}

/// Gives the byte back.
pub(crate) fn unlock(file: BorrowedFd<'_>, byte: Byte) {
    let lock = byte.flock(libc::F_UNLCK);
    // SAFETY: passes a valid flock that the kernel reads. Unlocking cannot fail
    // for a descriptor that locked.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock) };
}

/// A byte held until the end of a scope, also when a panic ends it.
pub(crate) struct Guard<'a> {
    file: BorrowedFd<'a>,
    byte: Byte,
}

impl<'a> Guard<'a> {
    /// Takes the byte, waiting for whoever holds it.
    pub(crate) fn take(file: BorrowedFd<'a>, byte: Byte) -> Result<Self> {
        lock(file, byte)?;
        Ok(Self { file, byte })
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        unlock(self.file, self.byte);
    }
}

/// The door and what is behind it, barred until the end of a scope.
pub(crate) struct Bar<'a> {
    file: BorrowedFd<'a>,
}

impl<'a> Bar<'a> {
    /// Bars everything in one step, unless anybody is in.
    pub(crate) fn all(file: BorrowedFd<'a>) -> Result<Option<Self>> {
        let barred = try_set(file, &Byte::Door.flock_onwards(libc::F_WRLCK))?;
        Ok(barred.then_some(Self { file }))
    }

    /// Bars the door alone, unless somebody else has done so.
    pub(crate) fn door(file: BorrowedFd<'a>) -> Result<Option<Self>> {
        let barred = try_lock(file, Byte::Door)?;
        Ok(barred.then_some(Self { file }))
    }

    /// Bars one more byte, and says whether it was free.
    pub(crate) fn add(&self, byte: Byte) -> Result<bool> {
        try_lock(self.file, byte)
    }

    /// Bars a byte and all behind it, and says whether they were free.
    pub(crate) fn add_onwards(&self, byte: Byte) -> Result<bool> {
        try_set(self.file, &byte.flock_onwards(libc::F_WRLCK))
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        let lock = Byte::Door.flock_onwards(libc::F_UNLCK);
        // SAFETY: passes a valid flock that the kernel reads. As in `unlock`.
        unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_OFD_SETLK, &lock) };
    }
}

/// Whether anybody else holds the byte.
pub(crate) fn is_locked(file: BorrowedFd<'_>, byte: Byte) -> Result<bool> {
    ask(file, byte).map_err(refused)
}

/// The same, or an error number; allocates nothing.
pub(crate) fn ask(file: BorrowedFd<'_>, byte: Byte) -> core::result::Result<bool, i32> {
    let mut lock = byte.flock(libc::F_WRLCK);
    // SAFETY: passes a valid flock that the kernel reads and rewrites.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &mut lock) } {
        0 => Ok(lock.l_type != libc::F_UNLCK as libc::c_short),
        _ => Err(errno()),
    }
}

fn refused(code: i32) -> Error {
    Error::os(
        Status::System,
        code,
        "the file system refused an open-file-description lock; put segments on a local tmpfs \
         (/dev/shm, or the directory in ATOLL_DIR)"
            .into(),
    )
}

/// A byte lock that lives as long as this value, whatever happens to descriptors.
pub(crate) struct HeldByte {
    _pin: Pin,
}

impl HeldByte {
    /// Ties the locks taken through `file` to a mapping, and closes the descriptor.
    pub(crate) fn keep(file: OwnedFd) -> Result<Self> {
        Ok(Self { _pin: Pin::of(&file)? })
    }
}
