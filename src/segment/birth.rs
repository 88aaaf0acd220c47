//! How a segment comes to be, and how it is recognised.
//!
//! The file is made without a name, sized, given its fixed pages, its first blocks
//! and its first roster block, and then named in one step. A creator that dies before that leaves
//! nothing.

use std::os::fd::{AsFd, OwnedFd};

use super::fingerprint::LAYOUT_FINGERPRINT;
use super::{bells, growth, reclaim};
use crate::error::{Error, Result, Status, invalid};
use crate::layout::header::{Constants, EPHEMERAL, HEAP_START, Header, LAYOUT_VERSION, MAGIC};
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::Acquire;
use crate::platform::byte_lock::{self, Byte};
use crate::platform::file::{self, SegmentPath, UnbornFile};
use crate::platform::mapping::{Mapping, PAGE};
use crate::platform::process;
use crate::platform::time::sleep_ns;
use crate::roster::attachment::{Attachment, Ground, attach, gone};
use crate::roster::record::MOST_PARTICIPANTS;
use crate::roster::{fork, thread};

/// The least and the most that a segment may be.
pub(super) const LEAST_SIZE: u64 = 64 << 10;
pub(super) const MOST_SIZE: u64 = 1 << 46;
const DEFAULT_SIZE: u64 = 64 << 20;
const DEFAULT_MODE: u32 = 0o600;
const DEFAULT_PARTICIPANTS: u32 = 4096;
/// Between two looks at a name whose segment is about to go.
const GONE_PAUSE_NS: u64 = 50_000;

/// What a creator may choose; zero means the default.
#[derive(Clone, Debug, Default)]
pub struct SegmentOptions {
    /// The most bytes that the segment may grow to, 64 KiB to 2^46; default 64 MiB.
    pub size: u64,
    /// Permission bits, exactly as given whatever the umask; default 0600.
    pub mode: u32,
    /// Open only to read: nothing is changed, no seat is taken.
    pub read_only: bool,
    /// The segment goes with its last member, or after it: see `Segment::gc`.
    pub ephemeral: bool,
    /// The most threads that can take part at once; default 4,096, at most 16,383.
    pub max_participants: u32,
}

impl SegmentOptions {
    /// Fills in the defaults and refuses what cannot be.
    fn checked(&self) -> Result<Self> {
        let or = |given: u64, default: u64| if given == 0 { default } else { given };
        let size = or(self.size, DEFAULT_SIZE);
        if !(LEAST_SIZE..=MOST_SIZE).contains(&size) {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("size {size} is out of range: 65536 bytes (64 KiB) to 2^46"),
            ));
        }
        let mode = or(self.mode.into(), DEFAULT_MODE.into()) as u32;
        if mode & !0o777 != 0 {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("mode {mode:o} has more than permission bits: 0600 to 0777"),
            ));
        }
        let participants = or(self.max_participants.into(), DEFAULT_PARTICIPANTS.into()) as u32;
        if participants > MOST_PARTICIPANTS {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("max_participants {participants} is too many: at most {MOST_PARTICIPANTS}"),
            ));
        }
        Ok(Self { size, mode, max_participants: participants, ..self.clone() })
    }
}

/// Makes a segment.
pub(crate) fn create(
    name: &str,
    options: &SegmentOptions,
    ground: &'static Ground,
) -> Result<&'static Attachment> {
    let path = SegmentPath::of(name)?;
    if options.read_only {
        return Err(invalid("a segment cannot be created read-only: create it, then open it so"));
    }
    let options = options.checked()?;
    // What the dead left may have the name, and takes memory. Where we cannot look there
    // is nothing that we could remove.
    let _ = reclaim::sweep();
    let size = options.size.next_multiple_of(PAGE);
    let unborn = UnbornFile::conceive(&path, size, options.mode)?;
    let file = unborn.file();
    file::commit(file.as_fd(), 0, HEAP_START, path.name())?;
    let memory = Memory::new(Mapping::of(file, size, true)?, true);
    let constants = Constants {
        flags: if options.ephemeral { EPHEMERAL } else { 0 },
        fingerprint: LAYOUT_FINGERPRINT,
        size,
        identity: process::random_u64(),
        max_participants: options.max_participants,
    };
    memory.write_header(Header::new(constants, HEAP_START));
    growth::found(&memory, file.as_fd(), path.name())?;
    // From before it has a name until we are in it nobody may find it deserted (E3).
    let forks = fork::hold_off()?;
    byte_lock::lock(file.as_fd(), Byte::Maker)?;
    let file = unborn.bear(&path)?;
    let attachment = attach(path, &file, true, |_| Ok(memory), ground)?;
    let entered = enter(attachment);
    byte_lock::unlock(file.as_fd(), Byte::Maker);
    drop(forks);
    keep_if(entered, attachment)
}

/// Opens a segment that exists.
pub(crate) fn open(
    name: &str,
    options: &SegmentOptions,
    ground: &'static Ground,
) -> Result<&'static Attachment> {
    let path = SegmentPath::of(name)?;
    options.checked()?;
    let writable = !options.read_only;
    loop {
        let file = file::open(&path, writable)?;
        let map = |file: &OwnedFd| recognise(path.name(), file, writable);
        let attachment = attach(path.clone(), &file, writable, map, ground)?;
        let entered = enter(attachment);
        let links = file::facts(file.as_fd())?.links;
        let is_gone = attachment.is_ephemeral() && (attachment.is_destroyed() || links == 0);
        if !is_gone {
            let attachment = keep_if(entered, attachment)?;
            bells::clear_up(attachment);
            return Ok(attachment);
        }
        // It went while we came. The name may be free by now, or lead to another one.
        attachment.release();
        if writable {
            reclaim::bury(&path)?;
        } else if links > 0 {
            return Err(gone(&path));
        }
        sleep_ns(GONE_PAUSE_NS);
    }
}

/// Makes the process a member, and the thread a participant whose death is noticed at
/// once, unless the segment is only read.
fn enter(attachment: &'static Attachment) -> Result<()> {
    if attachment.memory().is_writable() {
        thread::here()?.name_in(attachment)?;
    }
    Ok(())
}

/// Enters a segment that the process has open, with one handle counted.
pub(crate) fn enter_again(attachment: &'static Attachment) -> Result<&'static Attachment> {
    keep_if(enter(attachment), attachment)
}

/// The attachment, or if we could not enter not even that.
fn keep_if(entered: Result<()>, attachment: &'static Attachment) -> Result<&'static Attachment> {
    if entered.is_err() {
        attachment.release();
    }
    entered.map(|()| attachment)
}

/// Opens a segment, or makes it if there is none.
pub(crate) fn open_or_create(
    name: &str,
    options: &SegmentOptions,
    ground: &'static Ground,
) -> Result<&'static Attachment> {
    loop {
        match open(name, options, ground) {
            Err(error) if error.status() == Status::NotFound => {}
            other => return other,
        }
        match create(name, options, ground) {
            Err(error) if error.status() == Status::AlreadyExists => {}
            other => return other,
        }
    }
}

/// Maps a file after checking that it is a segment that we understand.
fn recognise(name: &str, file: &OwnedFd, writable: bool) -> Result<Memory> {
    let facts = file::facts(file.as_fd())?;
    let foreign = |what: &str| {
        Err(Error::with(
            Status::Incompatible,
            format!("\"{name}\" is not an atoll segment ({what}): choose another name"),
        ))
    };
    if !facts.is_regular {
        return foreign("not a regular file");
    }
    // Before it is mapped: to touch a hole takes memory, and where the file system has
    // none left that is a fault.
    let is_ours = file::read_at(file.as_fd(), 0) == Some(MAGIC);
    match (is_ours, facts.length < HEAP_START) {
        (true, false) => {}
        (true, true) => return Err(damaged(name, "its file was cut short")),
        (false, true) => return foreign("too short for a header"),
        (false, false) => return foreign("its first bytes are others"),
    }
    let memory = Memory::new(Mapping::of(file, facts.length, writable)?, writable);
    let header = memory.header();
    if header.layout_version != LAYOUT_VERSION {
        return Err(Error::with(
            Status::Incompatible,
            format!(
                "segment \"{name}\" has layout version {}, and this library reads version \
                 {LAYOUT_VERSION}: use the same release everywhere, or unlink and create it anew",
                header.layout_version
            ),
        ));
    }
    if header.fingerprint != LAYOUT_FINGERPRINT {
        return Err(Error::with(
            Status::Incompatible,
            format!(
                "segment \"{name}\" was made by another build (layout fingerprint {:016x}, ours is \
                 {:016x}): use the same release everywhere, or unlink and create it anew",
                header.fingerprint, LAYOUT_FINGERPRINT
            ),
        ));
    }
    check_geometry(name, header, facts.length)?;
    Ok(memory)
}

#[cold]
fn damaged(name: &str, what: &str) -> Error {
    Error::with(
        Status::Corrupted,
        format!("segment \"{name}\" is damaged ({what}): unlink it and create it anew"),
    )
}

/// The numbers that are constant for life; what changes is checked at each use.
fn check_geometry(name: &str, header: &Header, length: u64) -> Result<()> {
    let damaged = |what: &str| Err(damaged(name, what));
    if header.size != length {
        return damaged("its file has another length than its header says");
    }
    if !(LEAST_SIZE..=MOST_SIZE).contains(&header.size) || !header.size.is_multiple_of(PAGE) {
        return damaged("impossible size");
    }
    if header.max_participants == 0 || header.max_participants > MOST_PARTICIPANTS {
        return damaged("impossible number of participants");
    }
    let committed = header.committed.load(Acquire);
    if !(HEAP_START..=header.size).contains(&committed) || !committed.is_multiple_of(PAGE) {
        return damaged("impossible amount of committed memory");
    }
    if header.flags & !EPHEMERAL != 0 {
        return damaged("unknown flags");
    }
    Ok(())
}
