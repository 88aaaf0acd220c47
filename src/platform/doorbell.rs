//! Doorbells: how a process tells others, whoever they are, through their descriptors.
//!
//! A bell is a FIFO through which no byte ever goes. Who listens has it open for reading; who
//! rings opens it for writing and closes it again. The kernel then says to all who listen
//! that the last writer has gone, and goes on saying so to each until it opens the FIFO anew.
//! It says the same if the writer is killed: whoever has a bell in its hand will ring it.
//!
//! # Invariants
//!
//! - **D1** Who listens holds a shared lock (`flock`) of the FIFO, taken while that had its
//!   name, from before it says so in shared memory (LISTENED, `sync::bell`).
//! - **D2** A name is removed by who has an exclusive lock, has then taken LISTENED away, and
//!   has then seen that nobody has the bell in its hand.
//! - **D3** Who rings has the bell in its hand, has then read LISTENED, and has then seen that
//!   the bell has its name. So it has the bell that those listen to who said so.
//!
//! `models/doorbell.pml` checks this.
//!
//! To ring is for signal handlers, too: it allocates nothing, takes no lock, leaves errno alone
//! and is no cancellation point.

use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::atomic::{AtomicU64, Ordering::SeqCst};
use super::file::{self, SegmentPath};
use super::time::sleep_ns;
use super::{directory, errno, set_errno};
use crate::error::{Error, Result, Status};

/// What the names of bells begin with.
pub(crate) const PREFIX: &str = ".atoll-bell-";

/// Which bell it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BellId {
    /// The identity of the segment.
    pub(crate) segment: u64,
    /// The generation of the object, and where its entry is.
    pub(crate) object: u64,
    pub(crate) place: u64,
}

impl BellId {
    /// The bell that a file is by its name, if it is one.
    fn of_name(name: &str) -> Option<Self> {
        let mut numbers =
            name.strip_prefix(PREFIX)?.split('-').map(|digits| u64::from_str_radix(digits, 16));
        let id = Self {
            segment: numbers.next()?.ok()?,
            object: numbers.next()?.ok()?,
            place: numbers.next()?.ok()?,
        };
        numbers.next().is_none().then_some(id)
    }
}

/// The longest path of a bell: what lies on the stack of a signal handler.
const LONGEST_PATH: usize = 1024;

/// The path of a bell.
pub(crate) struct BellPath {
    /// Ended by NUL.
    bytes: [u8; LONGEST_PATH],
}

impl BellPath {
    /// The path of the bell, which lies beside the segment.
    ///
    /// # Errors
    /// `System` if it is too long.
    pub(crate) fn of(segment: &SegmentPath, id: BellId) -> Result<Self> {
        let mut bytes = [0; LONGEST_PATH];
        let mut rest = &mut bytes[..LONGEST_PATH - 1];
        let BellId { segment: identity, object, place } = id;
        rest.write_all(segment.directory())
            .and_then(|()| write!(rest, "{PREFIX}{identity:016x}-{object:x}-{place:x}"))
            .map_err(|_| TOO_LONG)?;
        Ok(Self { bytes })
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).expect("the last byte is never written")
    }
}

const TOO_LONG: Error = Error::new(
    Status::System,
    "the path of the directory of segments is too long for descriptors: set ATOLL_DIR to one of \
     less than 900 bytes",
);

/// A bell in the hand of who is about to ring it. Dropping it rings.
pub(crate) struct Ring {
    descriptor: Option<i32>,
}

/// Bells that were taken into a hand, and that were let go of: for a child that is forked
/// meanwhile.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static LET_GO: AtomicU64 = AtomicU64::new(0);
/// `LET_GO` before the last fork.
static LET_GO_BEFORE_FORK: AtomicU64 = AtomicU64::new(0);

impl Ring {
    /// Takes the bell into the hand; `None` if there is none of that name.
    ///
    /// # Errors
    /// `System` if there are too many open files, `Permission`, and what else the system says.
    pub(crate) fn take(path: &BellPath) -> Result<Option<Self>> {
        match Self::open(path) {
            Ok(ring) => Ok(Some(ring)),
            Err(libc::ENOENT) => Ok(None),
            Err(code) => Err(refused(code)),
        }
    }

    /// The same if somebody has removed a bell that others listen to: whoever comes from here
    /// on listens to this one. `None` if it has been removed again. Where no bell can be made,
    /// nobody can come, so there is none to ring.
    ///
    /// # Errors
    /// As for `take`.
    pub(crate) fn replace(path: &BellPath) -> Result<Option<Self>> {
        let former = errno();
        let made = make(path.as_c_str(), 0o600);
        set_errno(former);
        match made.and_then(|()| Self::open(path)) {
            Ok(ring) => Ok(Some(ring)),
            Err(libc::ENOENT) => Ok(None),
            Err(libc::EACCES | libc::EPERM | libc::EROFS) => Ok(Some(Self { descriptor: None })),
            Err(code) => Err(refused(code)),
        }
    }

    fn open(path: &BellPath) -> core::result::Result<Self, i32> {
        // O_RDWR: neither waits for a reader nor asks for one.
        let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW;
        let (here, path) = (libc::AT_FDCWD, path.as_c_str().as_ptr());
        let former = errno();
        // SeqCst, here and below: before the system call that it is about, and after it.
        TAKEN.fetch_add(1, SeqCst);
        // SAFETY: a NUL-terminated path, which the kernel only reads. `syscall` is no
        // cancellation point, as `open` is.
        let opened = unsafe { libc::syscall(libc::SYS_openat, here, path, flags, 0) };
        if opened >= 0 {
            return Ok(Self { descriptor: Some(opened as i32) });
        }
        let code = errno();
        LET_GO.fetch_add(1, SeqCst);
        set_errno(former);
        Err(code)
    }

    /// Whether the bell still has a name (D3).
    pub(crate) fn has_name(&self) -> bool {
        let former = errno();
        let has =
            self.descriptor.is_none_or(|it| file::facts_of(it).is_ok_and(|facts| facts.links > 0));
        set_errno(former);
        has
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if let Some(descriptor) = self.descriptor {
            let former = errno();
            // SAFETY: opened by `open`, and closed nowhere else. As there, no cancellation point.
            unsafe { libc::syscall(libc::SYS_close, descriptor) };
            LET_GO.fetch_add(1, SeqCst);
            set_errno(former);
        }
    }
}

/// The sentence is ready-made: nothing is allocated.
#[cold]
fn refused(code: i32) -> Error {
    let (status, text) = match code {
        libc::EMFILE | libc::ENFILE => (
            Status::System,
            "too many open files to ring for those who poll the object's descriptor: nothing has \
             changed; close some or raise ulimit -n, and call again",
        ),
        libc::EACCES | libc::EPERM => (
            Status::Permission,
            "not allowed to ring for those who poll the object's descriptor: nothing has changed; \
             let them have the segment's mode and group on the .atoll-bell- file beside it",
        ),
        _ => (
            Status::System,
            "cannot ring for those who poll the object's descriptor: nothing has changed; remove \
             what is in the way, a .atoll-bell- file beside the segment that is no FIFO",
        ),
    };
    Error::of_system(status, code, text)
}

/// Makes a FIFO unless there is something of that name.
pub(super) fn make(path: &CStr, mode: u32) -> core::result::Result<(), i32> {
    // SAFETY: a NUL-terminated path.
    match unsafe { libc::mkfifo(path.as_ptr(), mode) } {
        0 => Ok(()),
        _ if errno() == libc::EEXIST => Ok(()),
        _ => Err(errno()),
    }
}

/// How often it is looked whether a bell is still in somebody's hand, and how long between.
const LOOKS: u32 = 100;
const PAUSE_NS: u64 = 20_000;

/// Removes the name of a bell that `reader` has open, unless somebody else listens or rings;
/// `forget` takes LISTENED away. What stays is left to the next one.
pub(super) fn remove_if_unused(reader: BorrowedFd<'_>, path: &CStr, forget: impl FnOnce()) {
    let descriptor = reader.as_raw_fd();
    // SAFETY: takes no memory.
    let alone = unsafe { libc::flock(descriptor, libc::LOCK_EX | libc::LOCK_NB) } == 0;
    if !alone || !file::facts(reader).is_ok_and(|facts| facts.links > 0) {
        return;
    }
    forget();
    for _ in 0..LOOKS {
        if is_silent(reader) {
            // SAFETY: a NUL-terminated path.
            unsafe { libc::unlink(path.as_ptr()) };
            return;
        }
        sleep_ns(PAUSE_NS);
    }
}

/// The same for one that nobody of this process has open.
pub(crate) fn remove(path: &CStr, forget: impl FnOnce()) {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW;
    if let Ok(reader) = file::open_raw(path, flags, 0) {
        remove_if_unused(reader.as_fd(), path, forget);
    }
}

/// Whether nobody has the bell in its hand: only then there is an end of what is read.
fn is_silent(reader: BorrowedFd<'_>) -> bool {
    let mut byte = 0u8;
    // SAFETY: reads at most the one byte given.
    unsafe { libc::read(reader.as_raw_fd(), (&raw mut byte).cast(), 1) == 0 }
}

/// The bells of this user that lie beside the segments, and their paths.
pub(crate) fn own_bells() -> Result<impl Iterator<Item = (BellId, CString)>> {
    let directory = directory::path();
    Ok(directory::own_pipes()?.filter_map(move |name| {
        let id = BellId::of_name(&name)?;
        let path = directory.join(name).into_os_string().into_encoded_bytes();
        Some((id, CString::new(path).ok()?))
    }))
}

/// Before a fork: a child inherits what other threads have in their hands.
pub(crate) fn before_fork() {
    LET_GO_BEFORE_FORK.store(LET_GO.load(SeqCst), SeqCst);
}

/// In a forked child, while it has one thread: lets go of the bells that threads of the
/// parent had in their hands, or nobody would hear them while the child lives.
pub(crate) fn after_fork_in_child() {
    if TAKEN.load(SeqCst) == LET_GO_BEFORE_FORK.load(SeqCst) {
        return;
    }
    let Ok(all) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let is_bell = |path: &std::path::Path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
    };
    let inherited: Vec<i32> = all
        .flatten()
        .filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|path| is_bell(&path)))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|descriptor| is_open_for_writing(*descriptor))
        .collect();
    inherited.into_iter().for_each(file::close);
    LET_GO.store(TAKEN.load(SeqCst), SeqCst); // for the children of this one
}

fn is_open_for_writing(descriptor: i32) -> bool {
    // SAFETY: takes no memory.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    flags >= 0 && flags & libc::O_ACCMODE == libc::O_RDWR
}
