//! Who listens to a doorbell: a descriptor that becomes readable when the bell is rung.
//!
//! The descriptor is that of an epoll set, so that it stays the same while what is in it
//! changes. In it are the FIFO's reader, for the bell; a descriptor that is always readable,
//! while there is something to be seen already; a timer, where something may change that
//! nobody rings for; and descriptors of processes, where their deaths change something.
//!
//! A reader that has been rung stays so. Before the next time it is replaced by a new one, the
//! new one first, so that no ring falls between them.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use super::doorbell::{self, BellPath};
use super::errno;
use super::file::{self, FileId};
use super::pidfd::PidFd;
use super::time::sleep_ns;
use crate::error::{Error, Result, Status};

/// One who listens.
pub(crate) struct Listener {
    path: CString,
    mode: u32,
    epoll: OwnedFd,
    reader: OwnedFd,
    /// Which file the reader reads.
    bell: FileId,
    /// Always readable; in the set while there is something to be seen.
    ready: Option<OwnedFd>,
    is_ready: bool,
    timer: Option<OwnedFd>,
    is_timed: bool,
    /// Those whose ends are listened for, by what the caller calls them, in order.
    watched: Vec<(u64, PidFd)>,
}

impl Listener {
    /// Begins to listen to the bell at `path`, which gets that mode if there is none.
    ///
    /// # Errors
    /// `System`, `Permission`, `NoSpace`.
    pub(crate) fn begin(path: &BellPath, mode: u32) -> Result<Self> {
        let path = path.as_c_str().to_owned();
        // SAFETY: takes no memory.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let reader = open_reader(&path, mode)?;
        control(&epoll, libc::EPOLL_CTL_ADD, &reader)?;
        Ok(Self {
            path,
            mode,
            epoll,
            bell: file::facts(reader.as_fd())?.id,
            reader,
            ready: None,
            is_ready: false,
            timer: None,
            is_timed: false,
            watched: Vec::new(),
        })
    }

    /// The descriptor to poll.
    pub(crate) fn descriptor(&self) -> i32 {
        self.epoll.as_raw_fd()
    }

    /// Whether our descriptors are what they were: programs close what they do not know, and
    /// the numbers become something else.
    pub(crate) fn is_intact(&self) -> bool {
        // Finds the reader in the set only if both are the same open files as ever.
        control(&self.epoll, libc::EPOLL_CTL_MOD, &self.reader).is_ok()
    }

    /// Sees to it that the bell has not been rung yet, as far as this one knows. To be called
    /// before one says that one listens (`doorbell` D1).
    ///
    /// # Errors
    /// As for `begin`.
    pub(crate) fn renew(&mut self) -> Result<()> {
        let has_name = file::facts(self.reader.as_fd())?.links > 0;
        if has_name && !is_readable(&self.reader) {
            return Ok(());
        }
        let fresh = open_reader(&self.path, self.mode)?;
        control(&self.epoll, libc::EPOLL_CTL_ADD, &fresh)?;
        self.bell = file::facts(fresh.as_fd())?.id;
        let former = core::mem::replace(&mut self.reader, fresh);
        // A forked child may have it open still, so that closing it is not enough.
        control(&self.epoll, libc::EPOLL_CTL_DEL, &former)
    }

    /// There is something to be seen: the descriptor is readable from now on.
    ///
    /// # Errors
    /// `System`.
    pub(crate) fn be_ready(&mut self) -> Result<()> {
        if self.is_ready {
            return Ok(());
        }
        if self.ready.is_none() {
            // SAFETY: takes no memory.
            let ready = owned(unsafe { libc::eventfd(1, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) });
            self.ready = Some(ready?);
        }
        if let Some(ready) = &self.ready {
            control(&self.epoll, libc::EPOLL_CTL_ADD, ready)?;
        }
        self.is_ready = true;
        Ok(())
    }

    /// There is nothing to be seen: the descriptor is readable when the bell is rung, and not
    /// before.
    ///
    /// # Errors
    /// `System`.
    pub(crate) fn be_quiet(&mut self) -> Result<()> {
        if let Some(timer) = self.timer.as_ref().filter(|_| self.is_timed) {
            set_timer(timer, 0)?;
            self.is_timed = false;
        }
        if let Some(ready) = self.ready.as_ref().filter(|_| self.is_ready) {
            control(&self.epoll, libc::EPOLL_CTL_DEL, ready)?;
            self.is_ready = false;
        }
        Ok(())
    }

    /// The same, but it is also readable after `span_ns`: something may change that nobody
    /// rings for.
    ///
    /// # Errors
    /// `System`.
    pub(crate) fn look_again_after(&mut self, span_ns: u64) -> Result<()> {
        self.be_quiet()?;
        if self.timer.is_none() {
            let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
            // SAFETY: takes no memory.
            let timer = owned(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) })?;
            control(&self.epoll, libc::EPOLL_CTL_ADD, &timer)?;
            self.timer = Some(timer);
        }
        if let Some(timer) = &self.timer {
            set_timer(timer, span_ns)?;
        }
        self.is_timed = true;
        Ok(())
    }

    /// Listens for the ends of processes, too, of `wanted` and no others; `find` gives the
    /// process of one that is new. Says whether that is so of all.
    ///
    /// # Errors
    /// `System`.
    pub(crate) fn watch(
        &mut self,
        wanted: &[u64],
        find: impl Fn(u64) -> Option<PidFd>,
    ) -> Result<bool> {
        let mut kept = Vec::new();
        for (name, process) in core::mem::take(&mut self.watched) {
            if wanted.contains(&name) && !process.has_ended() {
                kept.push((name, process));
            } else {
                control(&self.epoll, libc::EPOLL_CTL_DEL, process.descriptor())?;
            }
        }
        for name in wanted.iter().take(MOST_WATCHED) {
            if kept.iter().all(|(known, _)| known != name)
                && let Some(process) = find(*name)
            {
                control(&self.epoll, libc::EPOLL_CTL_ADD, process.descriptor())?;
                kept.push((*name, process));
            }
        }
        self.watched = kept;
        Ok(self.watched.len() == wanted.len())
    }

    /// Listens no more, and removes the bell if nobody else does; `forget` takes LISTENED away.
    pub(crate) fn leave(self, forget: impl FnOnce()) {
        if self.is_intact() {
            doorbell::remove_if_unused(self.reader.as_fd(), &self.path, forget);
            // A forked child may have it open still: it does not listen.
            // SAFETY: takes no memory.
            unsafe { libc::flock(self.reader.as_raw_fd(), libc::LOCK_UN) };
        }
        self.close();
    }

    /// Closes the descriptors, and changes nothing: what a forked child does with those that it
    /// inherits.
    pub(crate) fn close(self) {
        if self.is_intact() {
            return;
        }
        // Somebody else's by now, perhaps, but for the reader, of which one can tell.
        let Self { epoll, reader, bell, ready, timer, watched, .. } = self;
        core::mem::forget((epoll, ready, timer, watched));
        if !file::facts(reader.as_fd()).is_ok_and(|facts| facts.id == bell) {
            core::mem::forget(reader);
        }
    }
}

/// How many processes one listens for, at most.
const MOST_WATCHED: usize = 64;

/// A reader of the bell that holds its lock, taken while it had its name (`doorbell` D1).
fn open_reader(path: &CString, mode: u32) -> Result<OwnedFd> {
    for _ in 0..PATIENCE {
        doorbell::make(path, mode).map_err(refused)?;
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW;
        let reader = match file::open_raw(path, flags, 0) {
            Ok(reader) => reader,
            Err(libc::ENOENT) => continue,
            Err(code) => return Err(refused(code)),
        };
        let facts = file::facts(reader.as_fd())?;
        if !facts.is_pipe {
            return Err(refused(libc::EEXIST));
        }
        if facts.mode != mode {
            // The umask, or somebody else's bell, which has a mode already: then it fails.
            // SAFETY: takes no memory.
            unsafe { libc::fchmod(reader.as_raw_fd(), mode) };
        }
        // SAFETY: takes no memory.
        let locked = unsafe { libc::flock(reader.as_raw_fd(), libc::LOCK_SH | libc::LOCK_NB) } == 0;
        if locked && file::facts(reader.as_fd())?.links > 0 {
            return Ok(reader);
        }
        sleep_ns(PAUSE_NS); // somebody is just removing it
    }
    Err(refused(libc::EAGAIN))
}

const PATIENCE: u32 = 10_000;
const PAUSE_NS: u64 = 50_000;

/// Whether that is readable; of a reader: whether the bell has been rung.
pub(super) fn is_readable(descriptor: &OwnedFd) -> bool {
    let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, which the kernel fills in.
    unsafe { libc::poll(&mut poll, 1, 0) != 0 }
}

fn control(epoll: &OwnedFd, operation: i32, descriptor: &OwnedFd) -> Result<()> {
    let number = descriptor.as_raw_fd();
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: number as u64 };
    // SAFETY: the kernel reads the event given.
    match unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, number, &mut event) } {
        0 => Ok(()),
        _ => Err(refused(errno())),
    }
}

/// 0: off.
fn set_timer(timer: &OwnedFd, span_ns: u64) -> Result<()> {
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let setting = libc::itimerspec { it_interval: never, it_value: super::time::timespec(span_ns) };
    let former = core::ptr::null_mut();
    // SAFETY: the kernel reads the setting given.
    match unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, &setting, former) } {
        0 => Ok(()),
        _ => Err(refused(errno())),
    }
}

fn owned(opened: i32) -> Result<OwnedFd> {
    if opened < 0 {
        return Err(refused(errno()));
    }
    // SAFETY: just opened, owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

#[cold]
fn refused(code: i32) -> Error {
    let directory = super::directory::path();
    let directory = directory.display();
    let prefix = doorbell::PREFIX;
    let (status, text) = match code {
        libc::EMFILE | libc::ENFILE => (
            Status::System,
            "too many open files for a descriptor to poll: close some, or raise ulimit -n".into(),
        ),
        libc::EACCES | libc::EPERM | libc::EROFS => (
            Status::Permission,
            format!(
                "not allowed to make or open a {prefix} file in {directory}: who polls has to be \
                 allowed to make files beside the segment"
            ),
        ),
        libc::ENOSPC | libc::EDQUOT => (
            Status::NoSpace,
            format!("no room for a {prefix} file in {directory}: remove what is not needed there"),
        ),
        libc::EEXIST | libc::ELOOP => (
            Status::System,
            format!("a {prefix} file in {directory} is no FIFO: remove it, and call again"),
        ),
        libc::EAGAIN => (
            Status::System,
            format!(
                "a process that is stopped was just about to remove a {prefix} file in \
                 {directory}: continue it or end it, and call again"
            ),
        ),
        _ => (Status::System, "the system refused a descriptor to poll".into()),
    };
    Error::os(status, code, text)
}
