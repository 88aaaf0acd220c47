//! The handle of a segment.

use crate::error::{READ_ONLY, Result};
use crate::layout::Offset;
use crate::layout::entry::Kind;
use crate::layout::header::{DATA_START, LAYOUT_VERSION};
use crate::object::types::Type;
use crate::platform::atomic::Ordering::Acquire;
use crate::platform::file::{self, SegmentPath};
use crate::platform::time::Deadline;
use crate::roster::attachment::{Attachment, Ground};
use crate::roster::death::{self, MemberInfo};
use crate::roster::{member, thread};
use crate::segment::directory::{self, Wanted};
use crate::segment::space::{Record, Space};
use crate::segment::{birth, space, verify};

pub use crate::segment::birth::SegmentOptions;

/// What the roster needs from those who know what a segment holds.
static GROUND: Ground = Ground { grow: space::grow_roster, rename_owners };

/// Goes through every mutex, those inside of large values included.
fn rename_owners(attachment: &Attachment, slot: u32, name: u64) -> Result<()> {
    for record in Space::of(attachment.memory()).records_from(DATA_START) {
        let record = record?;
        let mutex = match record.state.kind {
            Kind::Mutex | Kind::RecursiveMutex => {
                Some(super::mutex::body(attachment, record.body())?)
            }
            Kind::Value => super::value::mutex_at(attachment, record.body())?,
            Kind::Array | Kind::RosterBlock | Kind::Filler => None,
        };
        if let Some(mutex) = mutex {
            mutex.rename_owner(slot, name);
        }
    }
    Ok(())
}

/// The most dimensions of an array.
pub(crate) const MAX_DIMENSIONS: usize = 32;

/// A named piece of shared memory, open in this process.
///
/// Cloning gives another handle of the same mapping. The segment stays mapped until
/// the last handle of it, and of every object in it, is dropped. Any thread may use
/// a handle; a forked child may go on using it, and is a member of its own.
#[derive(Debug)]
pub struct Segment {
    attachment: &'static Attachment,
}

/// What a segment says of itself.
#[derive(Clone, Debug)]
pub struct SegmentInfo {
    /// Its name, without a slash.
    pub name: String,
    /// The most bytes that it may grow to.
    pub size: u64,
    /// Bytes that are real memory.
    pub committed: u64,
    /// Bytes that records take, from the start of the file.
    pub used: u64,
    /// Objects, named and anonymous.
    pub objects: u64,
    /// Deaths of members noticed so far.
    pub death_epoch: u64,
    /// Processes that have it open for writing.
    pub members: u32,
    /// Threads of theirs that opened it or have locked something in it.
    pub participants: u32,
    /// The most threads that can.
    pub max_participants: u32,
    /// Permission bits of the file.
    pub mode: u32,
    /// The version of the memory layout.
    pub layout_version: u32,
    /// This handle can only read.
    pub read_only: bool,
    /// The segment goes with its last member.
    pub ephemeral: bool,
}

/// What a segment says of one object.
#[derive(Clone, Debug)]
pub struct ObjectInfo {
    /// The number of its kind (`ATOLL_KIND_...`).
    pub kind: u32,
    /// Dimensions of an array, else 0.
    pub ndim: u32,
    /// Tells objects apart that had the same name one after the other.
    pub generation: u64,
    /// Bytes that it takes in the segment.
    pub bytes: u64,
    /// The type of a value or of an array's elements.
    pub ty: Option<Type>,
    /// The extents of an array; the first `ndim` count.
    pub shape: [u64; MAX_DIMENSIONS],
    /// Its name; empty if it is anonymous.
    pub name: String,
}

impl Segment {
    /// Creates a segment. `x` and `/x` are the same name.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `Permission`, `InvalidArgument`, `System`.
    pub fn create(name: &str, options: &SegmentOptions) -> Result<Self> {
        Self::enter(birth::create(name, options, &GROUND)?)
    }

    /// Opens a segment that exists.
    ///
    /// # Errors
    /// `NotFound`, `Permission`, `Incompatible`, `Corrupted`, `InvalidArgument`.
    pub fn open(name: &str, options: &SegmentOptions) -> Result<Self> {
        Self::enter(birth::open(name, options, &GROUND)?)
    }

    /// Opens a segment, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(name: &str, options: &SegmentOptions) -> Result<Self> {
        Self::enter(birth::open_or_create(name, options, &GROUND)?)
    }

    /// Makes the process a member, and the thread a participant whose death is noticed
    /// at once, unless the segment is only read.
    fn enter(attachment: &'static Attachment) -> Result<Self> {
        let segment = Self { attachment };
        if attachment.memory().is_writable() {
            thread::here()?.name_in(attachment)?;
        }
        Ok(segment)
    }

    /// Removes the name of a segment. Who has it open goes on using it; the memory
    /// is freed with the last of them.
    ///
    /// # Errors
    /// `NotFound`, `Permission`, `InvalidArgument`.
    pub fn unlink(name: &str) -> Result<()> {
        file::unlink(&SegmentPath::of(name)?)
    }

    /// Checks every invariant and accounts for every byte. Reads all of the
    /// directory; values and elements are not touched.
    ///
    /// # Errors
    /// `Corrupted`, with the place.
    pub fn verify(&self) -> Result<()> {
        verify::verify(self.attachment, |record| self.verify_object(record))
    }

    fn verify_object(&self, record: &Record<'_>) -> Result<()> {
        let body = record.body();
        match record.state.kind {
            Kind::Mutex | Kind::RecursiveMutex => {
                super::mutex::body(self.attachment, body)?.verify(self.attachment)
            }
            Kind::Value => super::value::verify(self.attachment, body, record.body_bytes()),
            Kind::Array => super::array::verify(self.attachment, body, record.body_bytes()),
            Kind::RosterBlock | Kind::Filler => Ok(()),
        }
    }

    /// Size, use and population at this moment.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub fn info(&self) -> Result<SegmentInfo> {
        let memory = self.attachment.memory();
        let header = memory.header();
        let space = Space::of(memory);
        let (members, participants) = member::population(self.attachment)?;
        let mut objects = 0;
        for record in space.records_from(DATA_START) {
            objects += u64::from(record?.state.kind.is_object());
        }
        Ok(SegmentInfo {
            name: self.attachment.path().name().to_owned(),
            size: memory.length(),
            committed: memory.committed(),
            used: space.top()?,
            objects,
            death_epoch: header.death_epoch.load(Acquire),
            members,
            participants,
            max_participants: header.max_participants,
            mode: file::facts(self.attachment.file()?)?.mode,
            layout_version: LAYOUT_VERSION,
            read_only: !memory.is_writable(),
            ephemeral: false,
        })
    }

    /// Shows `visit` the objects, oldest first, after the first `cursor` of them,
    /// until it returns false.
    ///
    /// # Errors
    /// `Corrupted`.
    pub fn objects(&self, cursor: u64, visit: &mut dyn FnMut(&ObjectInfo) -> bool) -> Result<()> {
        let mut number = 0;
        for record in Space::of(self.attachment.memory()).records_from(DATA_START) {
            let record = record?;
            if !record.state.kind.is_object() {
                continue;
            }
            number += 1;
            if number > cursor && !visit(&self.describe(&record)?) {
                break;
            }
        }
        Ok(())
    }

    fn describe(&self, record: &Record<'_>) -> Result<ObjectInfo> {
        let entry = record.entry.expect("objects have entries");
        let mut info = ObjectInfo {
            kind: record.state.kind as u32,
            ndim: 0,
            generation: entry.generation.load(Acquire),
            bytes: record.state.span,
            ty: None,
            shape: [0; MAX_DIMENSIONS],
            name: directory::name_of(entry)?.to_owned(),
        };
        match record.state.kind {
            Kind::Value => info.ty = Some(super::value::type_at(self.attachment, record.body())?),
            Kind::Array => {
                let array = super::array::layout_at(self.attachment, record.body())?;
                info.ndim = array.shape.len() as u32;
                info.shape[..array.shape.len()].copy_from_slice(&array.shape);
                info.ty = Some(array.ty);
            }
            _ => {}
        }
        Ok(info)
    }

    /// Waits for the first death of a member with a number above `seen_epoch`.
    ///
    /// A death is an end that is neither `close` nor `exit`: killed, crashed, or gone
    /// by `_exit` or `exec`. News is kept until the member's slot is used again.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Permission` for a read-only handle.
    pub fn wait_death(&self, seen_epoch: u64, deadline: Deadline) -> Result<MemberInfo> {
        if !self.attachment.memory().is_writable() {
            return Err(READ_ONLY);
        }
        death::wait_death(self.attachment, seen_epoch, deadline)
    }

    #[inline(always)]
    pub(crate) fn attachment(&self) -> &'static Attachment {
        self.attachment
    }

    /// Finds or makes an object; `make` initialises the body of a new one. Returns
    /// where the body is, and whether it is new.
    pub(super) fn obtain(
        &self,
        name: Option<&str>,
        wanted: Wanted,
        kind: Kind,
        body_bytes: u64,
        make: impl FnOnce(Offset) -> Result<()>,
    ) -> Result<(Offset, bool)> {
        directory::obtain(self.attachment, name, wanted, kind, body_bytes, make)
            .map(|(entry, new)| (entry + crate::layout::entry::ENTRY_BYTES, new))
    }
}

impl Clone for Segment {
    fn clone(&self) -> Self {
        self.attachment.retain();
        Self { attachment: self.attachment }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.attachment.release();
    }
}
