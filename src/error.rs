//! What can go wrong, in the words that every language sees.
//!
//! A [`Status`] is the class of an outcome: something a caller would act on
//! differently. An [`Error`] adds the sentence that says what happened and what
//! to do. Ready-made sentences cost no allocation, so that a lock which is
//! merely busy can say so as cheaply as one that is free.

use std::borrow::Cow;
use std::fmt;

/// The outcome of a call. Numbers never change and are never re-used.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// Done, and the lock is yours; its last holder died holding it.
    OwnerDied = 1,
    /// The deadline passed first. Nothing changed.
    TimedOut = 2,
    /// A signal handler ran. Nothing changed; call again.
    Interrupted = 3,
    /// No room for another item.
    Full = 4,
    /// No item.
    Empty = 5,
    /// The other end is closed.
    Closed = 6,
    /// No such name.
    NotFound = 7,
    /// The name is taken.
    AlreadyExists = 8,
    /// The object is of another kind, type or shape.
    WrongKind = 9,
    /// Not an atoll segment, or one of another layout.
    Incompatible = 10,
    /// The segment is damaged.
    Corrupted = 11,
    /// The segment, the file system or the roster is full.
    NoSpace = 12,
    /// The output buffer is too small.
    TooSmall = 13,
    /// The caller does not hold the lock.
    NotOwner = 14,
    /// The caller holds the lock already.
    Deadlock = 15,
    /// An argument is wrong.
    InvalidArgument = 16,
    /// Not allowed, or the handle is read-only.
    Permission = 17,
    /// Objects of two segments in one operation.
    WrongSegment = 18,
    /// A party died; the object has to be reset.
    Broken = 19,
    /// Called from a signal handler that interrupted a call.
    Reentrant = 20,
    /// The operating system refused; see the error number.
    System = 21,
    /// A bug in the library was caught at its boundary.
    Panicked = 22,
}

/// Why a call failed: class, error number of the system if any, and a sentence.
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    os_errno: i32,
    text: Cow<'static, str>,
}

/// What every fallible function of the crate returns.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// An error with a ready-made sentence.
    pub const fn new(status: Status, text: &'static str) -> Self {
        Self { status, os_errno: 0, text: Cow::Borrowed(text) }
    }

    /// An error whose sentence names what was met.
    #[cold]
    pub fn with(status: Status, text: String) -> Self {
        Self { status, os_errno: 0, text: Cow::Owned(text) }
    }

    /// An error that the operating system reported.
    #[cold]
    pub fn os(status: Status, os_errno: i32, text: String) -> Self {
        Self { status, os_errno, text: Cow::Owned(text) }
    }

    /// The same with a ready-made sentence: nothing is allocated.
    #[cold]
    pub(crate) fn of_system(status: Status, os_errno: i32, text: &'static str) -> Self {
        Self { status, os_errno, text: Cow::Borrowed(text) }
    }

    /// The class of the error.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The system's error number, or 0.
    pub fn os_errno(&self) -> i32 {
        self.os_errno
    }

    /// What happened and what to do about it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.os_errno {
            0 => f.write_str(&self.text),
            errno => write!(f, "{} (errno {errno})", self.text),
        }
    }
}

impl std::error::Error for Error {}

/// Shorthand for the commonest refusal.
pub(crate) const fn invalid(text: &'static str) -> Error {
    Error::new(Status::InvalidArgument, text)
}

/// Shorthand for damage found in shared memory.
pub(crate) const fn corrupted(text: &'static str) -> Error {
    Error::new(Status::Corrupted, text)
}

/// The refusal of everything that would write through a read-only handle.
pub(crate) const READ_ONLY: Error = Error::new(
    Status::Permission,
    "the segment is open read-only: open it without read_only to change or lock anything",
);
