//! The files behind segments: names, birth, committed memory.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::byte_lock::{self, Byte};
use super::{directory, doorbell, errno, process};
use crate::error::{Error, Result, Status, invalid};

const LONGEST_NAME: usize = 200;
/// Names of files that are not born yet, where unnamed files are not to be had.
const UNBORN_PREFIX: &str = ".atoll-unborn-";

/// The checked name of a segment, and the path of its file.
#[derive(Clone, Debug)]
pub(crate) struct SegmentPath {
    name: String,
    path: CString,
}

impl SegmentPath {
    /// Checks a name as the user gave it: `x` and `/x` are the same segment.
    pub(crate) fn of(name: &str) -> Result<Self> {
        let bare = name.strip_prefix('/').unwrap_or(name);
        if bare.is_empty() {
            return Err(invalid(
                "the segment name is empty: give 1 to 200 bytes, like \"/prices\"",
            ));
        }
        if bare.len() > LONGEST_NAME {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("the segment name has {} bytes: 200 are the most", bare.len()),
            ));
        }
        if bare.contains('/') {
            return Err(invalid(
                "the segment name has a '/' inside: it is one component, like \"/prices\"; \
                 set ATOLL_DIR to put segments into another directory",
            ));
        }
        if bare == "." || bare == ".." {
            return Err(invalid("\".\" and \"..\" are directories: choose another segment name"));
        }
        if bare.starts_with(UNBORN_PREFIX) {
            return Err(invalid(
                "names that begin with \".atoll-unborn-\" are for files that are just being made: \
                 choose another segment name",
            ));
        }
        if bare.starts_with(doorbell::PREFIX) {
            return Err(invalid(
                "names that begin with \".atoll-bell-\" are for the descriptors of objects: choose \
                 another segment name",
            ));
        }
        let mut full = directory::path().into_os_string().into_encoded_bytes();
        full.push(b'/');
        full.extend_from_slice(bare.as_bytes());
        let path = CString::new(full)
            .map_err(|_| invalid("the segment name has a NUL byte inside: remove it"))?;
        Ok(Self { name: bare.to_owned(), path })
    }

    /// The name without its slash.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &CStr {
        &self.path
    }

    /// The path of the directory that it is in, with a slash at the end.
    pub(super) fn directory(&self) -> &[u8] {
        let path = self.path.to_bytes();
        &path[..path.len() - self.name.len()]
    }

    #[cold]
    fn failed(&self, verb: &str, code: i32) -> Error {
        let dir = directory::path();
        let dir = dir.display();
        let name = &self.name;
        let (status, text) = match code {
            libc::ENOENT => (
                Status::NotFound,
                format!("no segment \"{name}\" in {dir}: create it first, or check ATOLL_DIR"),
            ),
            libc::EEXIST => (
                Status::AlreadyExists,
                format!("a segment \"{name}\" exists in {dir}: open it, or unlink it first"),
            ),
            libc::EACCES | libc::EPERM => (
                Status::Permission,
                format!(
                    "not allowed to {verb} segment \"{name}\" in {dir}: check its owner and mode; \
                     if it only has to be read, open it read-only"
                ),
            ),
            libc::ENOSPC | libc::EDQUOT | libc::EFBIG => (Status::NoSpace, no_space(verb, name)),
            libc::EMFILE | libc::ENFILE => (
                Status::System,
                format!("too many open files to {verb} segment \"{name}\": raise ulimit -n"),
            ),
            libc::EISDIR | libc::ELOOP | libc::ENXIO => (
                Status::Incompatible,
                format!("\"{name}\" in {dir} is not a regular file: choose another name"),
            ),
            _ => (Status::System, format!("cannot {verb} segment \"{name}\" in {dir}")),
        };
        Error::os(status, code, text)
    }
}

#[cold]
fn no_space(verb: &str, name: &str) -> String {
    let dir = directory::path();
    format!(
        "cannot {verb} segment \"{name}\": {0} is full (memory, inodes or a size limit); remove \
         what is not needed there, enlarge it (in a container: --shm-size), or set ATOLL_DIR",
        dir.display()
    )
}

/// Which file it is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

/// What the file system says about an open file.
pub(crate) struct FileFacts {
    pub(crate) id: FileId,
    pub(crate) length: u64,
    pub(crate) mode: u32,
    pub(crate) links: u64,
    pub(crate) owner: u32,
    pub(crate) is_regular: bool,
    pub(crate) is_pipe: bool,
}

/// Reads what the file system says about `file`.
pub(crate) fn facts(file: BorrowedFd<'_>) -> Result<FileFacts> {
    facts_of(file.as_raw_fd())
        .map_err(|code| Error::os(Status::System, code, "fstat of a segment's file failed".into()))
}

/// The same for a number that may not be an open descriptor at all; allocates nothing.
pub(crate) fn facts_of(descriptor: i32) -> core::result::Result<FileFacts, i32> {
    // SAFETY: a plain C struct of integers; zero is a valid value of each.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel fills the struct given.
    if unsafe { libc::fstat(descriptor, &mut stat) } != 0 {
        return Err(errno());
    }
    Ok(FileFacts::of(&stat))
}

/// The same for a name, which may lead to anything; links are not followed.
fn facts_by_name(path: &SegmentPath) -> Option<FileFacts> {
    // SAFETY: a plain C struct of integers; zero is a valid value of each.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: a NUL-terminated path; the kernel fills the struct given.
    let found = unsafe { libc::lstat(path.path().as_ptr(), &mut stat) } == 0;
    found.then(|| FileFacts::of(&stat))
}

impl FileFacts {
    fn of(stat: &libc::stat) -> Self {
        Self {
            id: FileId { device: stat.st_dev, inode: stat.st_ino },
            length: stat.st_size as u64,
            mode: stat.st_mode & 0o7777,
            links: stat.st_nlink,
            owner: stat.st_uid,
            is_regular: stat.st_mode & libc::S_IFMT == libc::S_IFREG,
            is_pipe: stat.st_mode & libc::S_IFMT == libc::S_IFIFO,
        }
    }
}

/// The `N` bytes at `offset` of a file that is not mapped; `None` if it is too short.
pub(crate) fn read_at<const N: usize>(file: BorrowedFd<'_>, offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0u8; N];
    let (fd, to) = (file.as_raw_fd(), bytes.as_mut_ptr().cast());
    // SAFETY: reads at most N bytes into a buffer of that size.
    let read = unsafe { libc::pread(fd, to, N, offset as libc::off_t) };
    (read == N as isize).then_some(bytes)
}

/// Writes a word of a file that is not mapped.
pub(crate) fn write_at(file: BorrowedFd<'_>, offset: u64, word: u32) -> Result<()> {
    let bytes = word.to_ne_bytes();
    let (fd, from) = (file.as_raw_fd(), bytes.as_ptr().cast());
    // SAFETY: the kernel reads the bytes given.
    let written = unsafe { libc::pwrite(fd, from, bytes.len(), offset as libc::off_t) };
    if written == bytes.len() as isize {
        return Ok(());
    }
    Err(Error::os(Status::System, errno(), "pwrite to a segment's file failed".into()))
}

/// Opens the file of a segment.
pub(crate) fn open(path: &SegmentPath, writable: bool) -> Result<OwnedFd> {
    let access = if writable { libc::O_RDWR } else { libc::O_RDONLY };
    // NONBLOCK: a FIFO of that name must not hang us. It means nothing for files.
    let flags = access | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    open_raw(path.path(), flags, 0).map_err(|code| path.failed("open", code))
}

/// Opens the same file once more, so that locks taken there are separate.
///
/// Through `/proc` where it is mounted; else by name, if the name still leads to
/// the same file.
pub(crate) fn reopen(file: BorrowedFd<'_>, path: &SegmentPath, writable: bool) -> Result<OwnedFd> {
    let access = if writable { libc::O_RDWR } else { libc::O_RDONLY };
    let flags = access | libc::O_CLOEXEC;
    if let Ok(fresh) = open_raw(&proc_path(file), flags, 0) {
        return Ok(fresh);
    }
    let fresh = open(path, writable)?;
    if facts(fresh.as_fd())?.id == facts(file)?.id {
        return Ok(fresh);
    }
    Err(path.failed("reopen", libc::ENOENT))
}

fn proc_path(file: BorrowedFd<'_>) -> CString {
    CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("digits have no NUL")
}

pub(super) fn open_raw(path: &CStr, flags: i32, mode: u32) -> core::result::Result<OwnedFd, i32> {
    loop {
        // SAFETY: passes a NUL-terminated path; the kernel only reads it.
        let fd = unsafe { libc::open(path.as_ptr(), flags, mode) };
        if fd >= 0 {
            // SAFETY: just opened, owned by nobody else.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        match errno() {
            libc::EINTR => {}
            code => return Err(code),
        }
    }
}

/// Puts `own` in the place of `descriptor`, in one step.
pub(crate) fn replace(descriptor: i32, own: OwnedFd) {
    // SAFETY: two open descriptors; the old one's number stays in use throughout.
    unsafe { libc::dup3(own.as_raw_fd(), descriptor, libc::O_CLOEXEC) };
}

/// Closes a descriptor that the caller knows to be its own.
pub(crate) fn close(descriptor: i32) {
    // SAFETY: per the caller.
    unsafe { libc::close(descriptor) };
}

/// A file that has no name yet, so that nobody can see it half made.
///
/// If its maker is killed the kernel removes it; where unnamed files are not
/// supported, the next maker does.
pub(crate) struct UnbornFile {
    file: OwnedFd,
    /// Its temporary name, where the file system insists on one.
    temporary: Option<TemporaryName>,
}

/// A name that is removed unless the file was renamed.
struct TemporaryName(CString);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

impl UnbornFile {
    /// Makes a file of `length` bytes, all holes, with exactly the mode given.
    pub(crate) fn conceive(path: &SegmentPath, length: u64, mode: u32) -> Result<Self> {
        let unborn = match Self::unnamed() {
            Ok(file) if can_be_named(&file) => Self { file, temporary: None },
            Ok(_) | Err(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL) => Self::temporary(path)?,
            Err(libc::ENOENT) => {
                return Err(Error::os(
                    Status::System,
                    libc::ENOENT,
                    format!(
                        "the directory {} does not exist: create it, or correct ATOLL_DIR",
                        directory::path().display()
                    ),
                ));
            }
            Err(code) => return Err(path.failed("create", code)),
        };
        let fd = unborn.file.as_raw_fd();
        // SAFETY: a descriptor of ours; fchmod sets the mode whatever the umask.
        if unsafe { libc::fchmod(fd, mode) } != 0 {
            return Err(path.failed("create", errno()));
        }
        // SAFETY: a descriptor of ours; the length fits, `size` is at most 2^46.
        if unsafe { libc::ftruncate(fd, length as libc::off_t) } != 0 {
            return Err(path.failed("create", errno()));
        }
        Ok(unborn)
    }

    fn unnamed() -> core::result::Result<OwnedFd, i32> {
        let dir = CString::new(directory::path().into_os_string().into_encoded_bytes())
            .map_err(|_| libc::EINVAL)?;
        open_raw(&dir, libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC, 0o600)
    }

    /// The file under a temporary name, its registrar byte held as a sign of life.
    fn temporary(path: &SegmentPath) -> Result<Self> {
        remove_abandoned();
        loop {
            let name = format!("{UNBORN_PREFIX}{}-{:016x}", process::id(), process::random_u64());
            let mut full = directory::path().into_os_string().into_encoded_bytes();
            full.extend_from_slice(format!("/{name}").as_bytes());
            let name = CString::new(full).map_err(|_| path.failed("create", libc::EINVAL))?;
            let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
            let file = open_raw(&name, flags, 0o600).map_err(|code| path.failed("create", code))?;
            let name = TemporaryName(name);
            byte_lock::lock(file.as_fd(), Byte::Registrar)?;
            // Between `open` and `lock` another maker may have taken it for abandoned.
            if facts(file.as_fd())?.links > 0 {
                return Ok(Self { file, temporary: Some(name) });
            }
        }
    }

    /// The descriptor, to commit, map and fill the file.
    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Gives the file its name in one step, unless the name is taken.
    pub(crate) fn bear(self, path: &SegmentPath) -> Result<OwnedFd> {
        let done = match &self.temporary {
            None => link_unnamed(&self.file, path.path()),
            Some(temporary) => rename_exclusive(&temporary.0, path.path()),
        };
        done.map_err(|code| path.failed("create", code))?;
        if let Some(temporary) = self.temporary {
            byte_lock::unlock(self.file.as_fd(), Byte::Registrar);
            core::mem::forget(temporary);
        }
        Ok(self.file)
    }
}

/// Gives an unnamed file a name: by descriptor, which older kernels allow only to root,
/// else through `/proc`, which need not be there.
fn link_unnamed(file: &OwnedFd, name: &CStr) -> core::result::Result<(), i32> {
    let (fd, here, to) = (file.as_raw_fd(), libc::AT_FDCWD, name.as_ptr());
    // SAFETY: an empty path with AT_EMPTY_PATH names the descriptor itself.
    if unsafe { libc::linkat(fd, c"".as_ptr(), here, to, libc::AT_EMPTY_PATH) } == 0 {
        return Ok(());
    }
    if let code @ (libc::EEXIST | libc::ENOSPC) = errno() {
        return Err(code);
    }
    let from = proc_path(file.as_fd());
    // SAFETY: two NUL-terminated paths that the kernel only reads.
    if unsafe { libc::linkat(here, from.as_ptr(), here, to, libc::AT_SYMLINK_FOLLOW) } == 0 {
        return Ok(());
    }
    Err(errno())
}

/// Whether `link_unnamed` can work at all, asked with a name that is taken.
fn can_be_named(file: &OwnedFd) -> bool {
    let taken = CString::new(directory::path().into_os_string().into_encoded_bytes());
    taken.is_ok_and(|taken| link_unnamed(file, &taken) == Err(libc::EEXIST))
}

fn rename_exclusive(from: &CStr, to: &CStr) -> core::result::Result<(), i32> {
    // SAFETY: two NUL-terminated paths that the kernel only reads.
    let renamed = unsafe {
        libc::renameat2(
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    if renamed == 0 { Ok(()) } else { Err(errno()) }
}

fn remove(path: &CStr) {
    // SAFETY: a NUL-terminated path. Failure leaves a file that the next maker
    // removes.
    unsafe { libc::unlink(path.as_ptr()) };
}

/// Removes temporary files whose makers are dead: their byte is free.
fn remove_abandoned() {
    let Ok(entries) = std::fs::read_dir(directory::path()) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(UNBORN_PREFIX.as_bytes()) {
            continue;
        }
        let Ok(path) = CString::new(entry.path().into_os_string().into_encoded_bytes()) else {
            continue;
        };
        // As in `open`: anybody can put anything there under such a name.
        let flags = libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let Ok(file) = open_raw(&path, flags, 0) else {
            continue;
        };
        if matches!(byte_lock::try_lock(file.as_fd(), Byte::Registrar), Ok(true)) {
            remove(&path);
        }
    }
}

/// Makes the bytes `[from, to)` of the file real memory, or says that there is none.
///
/// A range that fails half way is given back by the file system.
pub(crate) fn commit(file: BorrowedFd<'_>, from: u64, to: u64, name: &str) -> Result<()> {
    if to <= from {
        return Ok(());
    }
    loop {
        // SAFETY: a descriptor of ours; the range lies inside the file.
        let done = unsafe {
            libc::fallocate(file.as_raw_fd(), 0, from as libc::off_t, (to - from) as libc::off_t)
        };
        if done == 0 {
            return Ok(());
        }
        match errno() {
            libc::EINTR => {}
            code @ (libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => {
                return Err(Error::os(Status::NoSpace, code, no_space("grow", name)));
            }
            code => {
                return Err(Error::os(
                    Status::System,
                    code,
                    format!("cannot commit memory of segment \"{name}\": fallocate failed"),
                ));
            }
        }
    }
}

/// The error that says that the directory has no room left.
pub(crate) fn directory_full(segment: &str) -> Error {
    Error::os(Status::NoSpace, libc::ENOSPC, no_space("grow", segment))
}

/// Removes the name of a segment.
pub(crate) fn unlink(path: &SegmentPath) -> Result<()> {
    // SAFETY: a NUL-terminated path.
    if unsafe { libc::unlink(path.path().as_ptr()) } == 0 {
        return Ok(());
    }
    Err(path.failed("unlink", errno()))
}

/// Removes the name if it leads to `file` still, and says whether it did.
///
/// Between the look and the deed somebody may remove the name and give it to another
/// file; who removes names only behind a bar (`byte_lock`) does not.
pub(crate) fn unlink_if_leads_to(path: &SegmentPath, file: BorrowedFd<'_>) -> Result<bool> {
    let id = facts(file)?.id;
    if facts_by_name(path).is_none_or(|found| found.id != id) {
        return Ok(false);
    }
    unlink(path).map(|()| true)
}

/// Whether the segment directory supports unnamed files, and byte locks.
pub(crate) fn probe_directory() -> (bool, bool) {
    let Ok(file) = UnbornFile::unnamed() else {
        return (false, false);
    };
    (true, matches!(byte_lock::try_lock(file.as_fd(), Byte::Registrar), Ok(true)))
}
